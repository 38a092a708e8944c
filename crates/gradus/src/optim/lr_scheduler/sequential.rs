//! One schedule after another.

use super::{LrScheduler, invalid};
use crate::Result;

/// The first schedule until the first milestone, then the second, which counts from there, and so on:
/// a warm-up before another, for instance.
///
/// ```
/// use gradus::optim::lr_scheduler::{ExponentialLr, LinearLr, LrScheduler, SequentialLr};
/// let warm_up = LinearLr::new(4)?.start_factor(0.5)?;
/// let schedule = SequentialLr::new(
///     vec![Box::new(warm_up), Box::new(ExponentialLr::new(0.5))],
///     [4],
/// )?;
/// assert_eq!([0, 2, 4, 5].map(|step| schedule.lr(1.0, step)), [0.5, 0.75, 1.0, 0.5]);
/// # Ok::<(), gradus::Error>(())
/// ```
pub struct SequentialLr {
    schedulers: Vec<Box<dyn LrScheduler>>,
    milestones: Vec<usize>,
}

impl SequentialLr {
    /// These schedules with the steps at which one follows another.
    ///
    /// # Errors
    /// If there is not one milestone fewer than schedules, or they do not rise.
    pub fn new(
        schedulers: Vec<Box<dyn LrScheduler>>,
        milestones: impl Into<Vec<usize>>,
    ) -> Result<Self> {
        let milestones = milestones.into();
        if schedulers.len() != milestones.len() + 1 || !milestones.is_sorted() {
            let schedules = schedulers.len();
            let rule = format_args!(
                "{schedules} schedules need one milestone fewer, in order, got {milestones:?}"
            );
            return Err(invalid("SequentialLr", rule));
        }
        Ok(Self {
            schedulers,
            milestones,
        })
    }
}

impl LrScheduler for SequentialLr {
    fn lr(&self, base: f64, step: usize) -> f64 {
        let at = self.milestones.partition_point(|&m| m <= step);
        let start = if at == 0 { 0 } else { self.milestones[at - 1] };
        self.schedulers[at].lr(base, step - start)
    }
}
