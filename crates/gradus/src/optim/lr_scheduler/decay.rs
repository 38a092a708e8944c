//! Learning rates that fall by factors, and the one that rises at first.

use super::{LrScheduler, at_least_1, invalid};
use crate::Result;

/// Times gamma after every `step_size` steps.
///
/// ```
/// use gradus::optim::lr_scheduler::{LrScheduler, StepLr};
/// let schedule = StepLr::new(10)?.gamma(0.5);
/// assert_eq!([9, 10, 20].map(|step| schedule.lr(1.0, step)), [1.0, 0.5, 0.25]);
/// # Ok::<(), gradus::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct StepLr {
    step_size: usize,
    gamma: f64,
}

impl StepLr {
    /// With gamma 0.1.
    ///
    /// # Errors
    /// If `step_size` is 0.
    pub fn new(step_size: usize) -> Result<Self> {
        Ok(Self {
            step_size: at_least_1("StepLr", "step_size", step_size)?,
            gamma: 0.1,
        })
    }

    /// The factor; 0.1 by default.
    #[must_use]
    pub fn gamma(mut self, gamma: f64) -> Self {
        self.gamma = gamma;
        self
    }
}

impl LrScheduler for StepLr {
    fn lr(&self, base: f64, step: usize) -> f64 {
        base * self.gamma.powf((step / self.step_size) as f64)
    }
}

/// Times gamma at each of the milestones; at one that is named twice, twice.
///
/// ```
/// use gradus::optim::lr_scheduler::{LrScheduler, MultiStepLr};
/// let schedule = MultiStepLr::new([30, 40]).gamma(0.5);
/// assert_eq!([29, 30, 40].map(|step| schedule.lr(1.0, step)), [1.0, 0.5, 0.25]);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct MultiStepLr {
    milestones: Vec<usize>,
    gamma: f64,
}

impl MultiStepLr {
    /// With these milestones in any order and gamma 0.1.
    pub fn new(milestones: impl Into<Vec<usize>>) -> Self {
        Self {
            milestones: milestones.into(),
            gamma: 0.1,
        }
    }

    /// The factor; 0.1 by default.
    #[must_use]
    pub fn gamma(mut self, gamma: f64) -> Self {
        self.gamma = gamma;
        self
    }
}

impl LrScheduler for MultiStepLr {
    fn lr(&self, base: f64, step: usize) -> f64 {
        let reached = self.milestones.iter().filter(|&&m| m <= step).count();
        base * self.gamma.powf(reached as f64)
    }
}

/// Times gamma after every step.
///
/// ```
/// use gradus::optim::lr_scheduler::{ExponentialLr, LrScheduler};
/// assert_eq!(ExponentialLr::new(0.5).lr(1.0, 3), 0.125);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct ExponentialLr {
    gamma: f64,
}

impl ExponentialLr {
    /// With this factor, such as 0.95.
    pub fn new(gamma: f64) -> Self {
        Self { gamma }
    }
}

impl LrScheduler for ExponentialLr {
    fn lr(&self, base: f64, step: usize) -> f64 {
        base * self.gamma.powf(step as f64)
    }
}

/// From a share of the learning rate to another along a straight line, then constant: a warm-up.
///
/// ```
/// use gradus::optim::lr_scheduler::{LinearLr, LrScheduler};
/// let warm_up = LinearLr::new(4)?.start_factor(0.5)?;
/// assert_eq!([0, 2, 4, 9].map(|step| warm_up.lr(1.0, step)), [0.5, 0.75, 1.0, 1.0]);
/// # Ok::<(), gradus::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct LinearLr {
    total_iters: usize,
    start_factor: f64,
    end_factor: f64,
}

impl LinearLr {
    /// From a third to the whole in `total_iters` steps (5 in PyTorch).
    ///
    /// # Errors
    /// If `total_iters` is 0.
    pub fn new(total_iters: usize) -> Result<Self> {
        Ok(Self {
            total_iters: at_least_1("LinearLr", "total_iters", total_iters)?,
            start_factor: 1.0 / 3.0,
            end_factor: 1.0,
        })
    }

    /// The share at the start; 1/3 by default.
    ///
    /// # Errors
    /// If it is not above 0 and at most 1.
    pub fn start_factor(mut self, start_factor: f64) -> Result<Self> {
        if !(start_factor > 0.0 && start_factor <= 1.0) {
            let rule = format_args!("start_factor must be above 0, at most 1, not {start_factor}");
            return Err(invalid("LinearLr", rule));
        }
        self.start_factor = start_factor;
        Ok(self)
    }

    /// The share at the end; 1 by default.
    ///
    /// # Errors
    /// If it is not from 0 to 1.
    pub fn end_factor(mut self, end_factor: f64) -> Result<Self> {
        if !(0.0..=1.0).contains(&end_factor) {
            let rule = format_args!("end_factor must be from 0 to 1, not {end_factor}");
            return Err(invalid("LinearLr", rule));
        }
        self.end_factor = end_factor;
        Ok(self)
    }
}

impl LrScheduler for LinearLr {
    fn lr(&self, base: f64, step: usize) -> f64 {
        let along = step.min(self.total_iters) as f64 / self.total_iters as f64;
        base * (self.start_factor + (self.end_factor - self.start_factor) * along)
    }
}
