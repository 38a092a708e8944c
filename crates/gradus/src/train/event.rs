//! What training tells, as it happens.

use super::trainer::Score;
use crate::Result;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// One thing that happened. Epochs and steps count from 1.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// Training begins, or goes on where an earlier run stopped.
    Start {
        /// Epochs that will have been trained at the end.
        epochs: usize,
        /// Steps (batches) of an epoch.
        steps: usize,
        /// Numbers in all parameters.
        parameters: usize,
        /// Epochs and steps of the next epoch that are already done.
        done: (usize, usize),
    },
    /// A batch was trained.
    Step {
        /// The epoch.
        epoch: usize,
        /// The step in this epoch.
        step: usize,
        /// Loss and accuracy over the epoch so far.
        score: Score,
    },
    /// The test set is about to be scored.
    Validation {
        /// The epoch that was just trained.
        epoch: usize,
    },
    /// An epoch is over.
    Epoch(&'a Epoch),
    /// Everything needed to go on was saved.
    Checkpoint {
        /// Where.
        path: &'a Path,
    },
    /// Training is over, or was interrupted.
    Done(&'a Summary),
}

/// The figures of one epoch: a line of `metrics.jsonl`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// Its number, from 1.
    pub epoch: usize,
    /// Mean loss over the training samples, each as it was when its batch was trained.
    pub train_loss: f64,
    /// Share of training samples that were classified rightly, likewise.
    pub train_accuracy: f64,
    /// Mean loss over the test samples after the epoch.
    pub test_loss: f64,
    /// Share of test samples that were classified rightly after the epoch.
    pub test_accuracy: f64,
    /// The learning rate of its last step.
    pub lr: f64,
    /// Seconds that training took, without the test.
    pub seconds: f64,
    /// Training samples a second.
    pub samples_per_second: f64,
}

/// How training ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All epochs are done.
    Finished,
    /// It was asked to stop; the state is saved if there is a run folder.
    Interrupted,
    /// The test loss had not become better for long; see
    /// [`Trainer::early_stopping`](super::Trainer::early_stopping).
    EarlyStopped,
}

/// What is left when training is over.
#[derive(Clone, Debug)]
pub struct Summary {
    /// How it ended.
    pub outcome: Outcome,
    /// Every finished epoch, those of earlier runs included.
    pub history: Vec<Epoch>,
    /// Epochs that are finished and steps of the next one that are done.
    pub done: (usize, usize),
}

/// Somebody who wants to know.
pub trait Listener {
    /// Called for each event as it happens.
    ///
    /// # Errors
    /// An error ends the training with it.
    fn on(&mut self, event: Event<'_>) -> Result<()>;
}

impl<F: FnMut(Event<'_>) -> Result<()>> Listener for F {
    fn on(&mut self, event: Event<'_>) -> Result<()> {
        self(event)
    }
}
