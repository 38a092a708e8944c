//! One rise and one fall.

use super::cosine::along_cosine;
use super::{LrScheduler, at_least_1, invalid};
use crate::Result;

/// Rises from max_lr/div_factor to max_lr in the first `pct_start` of the steps, and falls to a
/// `final_div_factor`th of where it began in the others (Smith and Topin, "Super-convergence", 2018).
/// The optimizer's own learning rate does not matter, and momentum stays what it is (PyTorch's
/// `cycle_momentum=False`). After the last step it stays at the end.
///
/// ```
/// use gradus::optim::lr_scheduler::{LrScheduler, OneCycleLr};
/// let schedule = OneCycleLr::new(0.5, 100)?.pct_start(0.25)?;
/// for (step, lr) in [(0, 0.5 / 25.0), (24, 0.5), (99, 0.5 / 25.0 / 1e4)] {
///     assert!((schedule.lr(0.0, step) - lr).abs() < 1e-15);
/// }
/// # Ok::<(), gradus::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct OneCycleLr {
    max_lr: f64,
    total_steps: usize,
    pct_start: f64,
    anneal_strategy: Anneal,
    div_factor: f64,
    final_div_factor: f64,
    three_phase: bool,
}

/// The line along which [`OneCycleLr`] rises and falls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anneal {
    /// Half a cosine.
    Cos,
    /// A straight line.
    Linear,
}

impl OneCycleLr {
    /// With pct_start 0.3, along cosines, div_factor 25, final_div_factor 10,000, in two phases.
    ///
    /// # Errors
    /// If there are no steps.
    pub fn new(max_lr: f64, total_steps: usize) -> Result<Self> {
        Ok(Self {
            max_lr,
            total_steps: at_least_1("OneCycleLr", "total_steps", total_steps)?,
            pct_start: 0.3,
            anneal_strategy: Anneal::Cos,
            div_factor: 25.0,
            final_div_factor: 1e4,
            three_phase: false,
        })
    }

    /// The share of the steps in which it rises; 0.3 by default.
    ///
    /// # Errors
    /// If it is not from 0 to 1.
    pub fn pct_start(mut self, pct_start: f64) -> Result<Self> {
        if !(0.0..=1.0).contains(&pct_start) {
            let rule = format_args!("pct_start must be from 0 to 1, not {pct_start}");
            return Err(invalid("OneCycleLr", rule));
        }
        self.pct_start = pct_start;
        Ok(self)
    }

    /// The line along which it goes; cosines by default.
    #[must_use]
    pub fn anneal_strategy(mut self, anneal_strategy: Anneal) -> Self {
        self.anneal_strategy = anneal_strategy;
        self
    }

    /// max_lr over the first learning rate; 25 by default.
    #[must_use]
    pub fn div_factor(mut self, div_factor: f64) -> Self {
        self.div_factor = div_factor;
        self
    }

    /// The first learning rate over the last; 10,000 by default.
    #[must_use]
    pub fn final_div_factor(mut self, final_div_factor: f64) -> Self {
        self.final_div_factor = final_div_factor;
        self
    }

    /// Whether it falls to the first learning rate as fast as it rose, and only then to the last. Not
    /// by default.
    #[must_use]
    pub fn three_phase(mut self, three_phase: bool) -> Self {
        self.three_phase = three_phase;
        self
    }
}

impl LrScheduler for OneCycleLr {
    fn lr(&self, _: f64, step: usize) -> f64 {
        let (max, first) = (self.max_lr, self.max_lr / self.div_factor);
        let least = first / self.final_div_factor;
        let (last, rise) = (
            self.total_steps as f64 - 1.0,
            self.pct_start * self.total_steps as f64,
        );
        // Where each phase ends, and the learning rates there.
        let phases = if self.three_phase {
            vec![
                (rise - 1.0, first, max),
                (2.0 * rise - 2.0, max, first),
                (last, first, least),
            ]
        } else {
            vec![(rise - 1.0, first, max), (last, max, least)]
        };
        let (step, mut from) = ((step as f64).min(last), 0.0);
        for (to, start, end) in phases {
            if step <= to && to > from {
                let share = (step - from) / (to - from);
                return match self.anneal_strategy {
                    Anneal::Cos => along_cosine(start, end, share),
                    Anneal::Linear => start + (end - start) * share,
                };
            }
            from = to;
        }
        least
    }
}
