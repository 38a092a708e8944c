//! Learning rates that fall along half a cosine, once or again and again.

use super::{LrScheduler, at_least_1};
use crate::Result;
use std::f64::consts::PI;

/// From `start` to `end` along half a cosine, for a share of the way from 0 to 1.
pub(super) fn along_cosine(start: f64, end: f64, share: f64) -> f64 {
    end + (start - end) * (1.0 + (PI * share).cos()) / 2.0
}

/// Falls to `eta_min` in `t_max` steps (Loshchilov and Hutter, "SGDR", 2017), and rises again in as
/// many if training goes on.
///
/// ```
/// use gradus::optim::lr_scheduler::{CosineAnnealingLr, LrScheduler};
/// let schedule = CosineAnnealingLr::new(100)?.eta_min(0.1);
/// assert_eq!([0, 100].map(|step| schedule.lr(1.0, step)), [1.0, 0.1]);
/// assert!((schedule.lr(1.0, 50) - 0.55).abs() < 1e-15);
/// # Ok::<(), gradus::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct CosineAnnealingLr {
    t_max: usize,
    eta_min: f64,
}

impl CosineAnnealingLr {
    /// With eta_min 0.
    ///
    /// # Errors
    /// If `t_max` is 0.
    pub fn new(t_max: usize) -> Result<Self> {
        Ok(Self {
            t_max: at_least_1("CosineAnnealingLr", "t_max", t_max)?,
            eta_min: 0.0,
        })
    }

    /// The least learning rate; 0 by default.
    #[must_use]
    pub fn eta_min(mut self, eta_min: f64) -> Self {
        self.eta_min = eta_min;
        self
    }
}

impl LrScheduler for CosineAnnealingLr {
    fn lr(&self, base: f64, step: usize) -> f64 {
        along_cosine(base, self.eta_min, step as f64 / self.t_max as f64)
    }
}

/// Falls towards `eta_min` in `t_0` steps and begins anew, each time for `t_mult` times as many steps
/// (Loshchilov and Hutter, "SGDR", 2017).
///
/// ```
/// use gradus::optim::lr_scheduler::{CosineAnnealingWarmRestarts, LrScheduler};
/// let schedule = CosineAnnealingWarmRestarts::new(10)?.t_mult(2)?;
/// assert_eq!([0, 10, 30, 70].map(|step| schedule.lr(1.0, step)), [1.0; 4]);
/// assert!((schedule.lr(1.0, 20) - 0.5).abs() < 1e-15);
/// # Ok::<(), gradus::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct CosineAnnealingWarmRestarts {
    t_0: usize,
    t_mult: usize,
    eta_min: f64,
}

impl CosineAnnealingWarmRestarts {
    /// With t_mult 1 and eta_min 0.
    ///
    /// # Errors
    /// If `t_0` is 0.
    pub fn new(t_0: usize) -> Result<Self> {
        Ok(Self {
            t_0: at_least_1("CosineAnnealingWarmRestarts", "t_0", t_0)?,
            t_mult: 1,
            eta_min: 0.0,
        })
    }

    /// How many times longer each cycle is than the one before; 1 by default.
    ///
    /// # Errors
    /// If it is 0.
    pub fn t_mult(mut self, t_mult: usize) -> Result<Self> {
        self.t_mult = at_least_1("CosineAnnealingWarmRestarts", "t_mult", t_mult)?;
        Ok(self)
    }

    /// The least learning rate; 0 by default.
    #[must_use]
    pub fn eta_min(mut self, eta_min: f64) -> Self {
        self.eta_min = eta_min;
        self
    }
}

impl LrScheduler for CosineAnnealingWarmRestarts {
    fn lr(&self, base: f64, step: usize) -> f64 {
        let (mut at, mut length) = (step, self.t_0);
        if self.t_mult == 1 {
            at %= length;
        }
        while at >= length {
            at -= length;
            length = length.saturating_mul(self.t_mult);
        }
        along_cosine(base, self.eta_min, at as f64 / length as f64)
    }
}
