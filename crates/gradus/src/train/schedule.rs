//! When a learning rate changes, and schedules known by name.

use super::Epoch;
use crate::optim::lr_scheduler::{
    CosineAnnealingLr, ExponentialLr, LinearLr, LrScheduler, OneCycleLr, ReduceLrOnPlateau,
    SequentialLr, StepLr,
};
use crate::{Error, Kind, Result};

/// The names that [`Schedule::named`] knows.
pub const SCHEDULERS: &[&str] = &[
    "step",
    "exponential",
    "cosine",
    "warmup-cosine",
    "one-cycle",
    "plateau",
];

/// What a [`Trainer`](super::Trainer) changes the learning rate by.
pub enum Schedule {
    /// Counts epochs.
    Epochs(Box<dyn LrScheduler>),
    /// Counts the optimizer's steps from the first epoch on.
    Steps(Box<dyn LrScheduler>),
    /// Watches the test loss.
    Plateau(ReduceLrOnPlateau),
}

impl Schedule {
    /// A schedule for training that takes so many epochs of so many steps, from `lr` on:
    ///
    /// - `step`: a tenth after each third of the epochs;
    /// - `exponential`: by the same factor each epoch, to a hundredth at the end;
    /// - `cosine`: along half a cosine to 0, step by step;
    /// - `warmup-cosine`: the same after a rise from nearly 0 in a twentieth of the steps;
    /// - `one-cycle`: [`OneCycleLr`] with `lr` as the largest learning rate;
    /// - `plateau`: a tenth when the test loss has not become better for more than 5 epochs.
    ///
    /// # Errors
    /// For an unknown name, or when there is nothing to train.
    ///
    /// ```
    /// use gradus::train::Schedule;
    /// let cosine = Schedule::named("cosine", 0.1, 10, 100)?;
    /// assert!((cosine.lr(0.1, &[], 500) - 0.05).abs() < 1e-15);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn named(name: &str, lr: f64, epochs: usize, steps: usize) -> Result<Self> {
        let total = epochs.saturating_mul(steps);
        let by_steps = |s: Box<dyn LrScheduler>| Ok(Self::Steps(s));
        match name {
            "step" => Ok(Self::Epochs(Box::new(StepLr::new(epochs.div_ceil(3))?))),
            "exponential" => {
                let gamma = 0.01f64.powf(1.0 / epochs.max(1) as f64);
                Ok(Self::Epochs(Box::new(ExponentialLr::new(gamma))))
            }
            "cosine" => by_steps(Box::new(CosineAnnealingLr::new(total)?)),
            "warmup-cosine" => {
                let rise = total.div_ceil(20);
                let fall = CosineAnnealingLr::new((total - rise).max(1))?;
                let rising = LinearLr::new(rise)?.start_factor(0.001)?;
                let both: Vec<Box<dyn LrScheduler>> = vec![Box::new(rising), Box::new(fall)];
                by_steps(Box::new(SequentialLr::new(both, [rise])?))
            }
            "one-cycle" => by_steps(Box::new(OneCycleLr::new(lr, total)?)),
            "plateau" => Ok(Self::Plateau(ReduceLrOnPlateau::new(5))),
            _ => {
                let names = SCHEDULERS.join(", ");
                let message = format!("unknown scheduler '{name}'; the known ones are {names}");
                Err(Error::new(Kind::Value, message))
            }
        }
    }

    /// The learning rate after these epochs and this many steps of the optimizer in all; `base` is the
    /// optimizer's own. It depends on nothing else.
    pub fn lr(&self, base: f64, history: &[Epoch], steps: usize) -> f64 {
        match self {
            Self::Epochs(schedule) => schedule.lr(base, history.len()),
            Self::Steps(schedule) => schedule.lr(base, steps),
            Self::Plateau(plateau) => {
                let losses: Vec<f64> = history.iter().map(|epoch| epoch.test_loss).collect();
                plateau.lr(base, &losses)
            }
        }
    }
}
