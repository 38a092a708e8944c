//! Schedules: how the learning rate changes as training goes on.
//!
//! A schedule remembers nothing. [`LrScheduler::lr`] is a function of the learning rate at the start and
//! of the number of steps (or epochs, whatever the schedule is to count) that are done, and
//! [`ReduceLrOnPlateau::lr`] one of the metrics so far. So nothing needs saving, and a run that goes on
//! has the learning rates it would have had. [`Trainer`](crate::train::Trainer) sets them; a loop of
//! one's own does it by [`set_lr`](super::Optimizer::set_lr):
//!
//! ```
//! use gradus::optim::lr_scheduler::{LrScheduler, StepLr};
//! let schedule = StepLr::new(30)?.gamma(0.1);
//! for epoch in 0..60 {
//!     let lr = schedule.lr(0.5, epoch);
//!     // optimizer.set_lr(lr); …
//!     assert!((lr - if epoch < 30 { 0.5 } else { 0.05 }).abs() < 1e-15);
//! }
//! # Ok::<(), gradus::Error>(())
//! ```

mod cosine;
mod decay;
mod one_cycle;
mod plateau;
mod sequential;

pub use cosine::{CosineAnnealingLr, CosineAnnealingWarmRestarts};
pub use decay::{ExponentialLr, LinearLr, MultiStepLr, StepLr};
pub use one_cycle::{Anneal, OneCycleLr};
pub use plateau::{Mode, ReduceLrOnPlateau, Threshold};
pub use sequential::SequentialLr;

use crate::{Error, Kind, Result};

/// A learning rate for every step. It is Send, so that it can go along with what trains.
pub trait LrScheduler: Send {
    /// The learning rate of a step when `step` steps are done; `base` is the optimizer's own.
    fn lr(&self, base: f64, step: usize) -> f64;
}

/// Any function of both is a schedule, as PyTorch's `LambdaLR`.
impl<F: Fn(f64, usize) -> f64 + Send> LrScheduler for F {
    fn lr(&self, base: f64, step: usize) -> f64 {
        self(base, step)
    }
}

impl LrScheduler for Box<dyn LrScheduler> {
    fn lr(&self, base: f64, step: usize) -> f64 {
        (**self).lr(base, step)
    }
}

/// The count, unless it is 0.
fn at_least_1(schedule: &str, name: &str, count: usize) -> Result<usize> {
    if count > 0 {
        return Ok(count);
    }
    Err(invalid(schedule, format_args!("{name} must be at least 1")))
}

fn invalid(schedule: &str, message: impl std::fmt::Display) -> Error {
    Error::new(Kind::Value, format!("{schedule}: {message}"))
}
