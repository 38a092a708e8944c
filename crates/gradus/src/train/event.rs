//! What training tells, as it happens.

use super::LOSS;
use super::trainer::Score;
use crate::Result;
use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};
use std::collections::BTreeMap;
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
        /// The name of the score, such as `accuracy`; [`LOSS`] if there is none beside the loss.
        metric: &'a str,
        /// Epochs and steps of the next epoch that are already done.
        done: (usize, usize),
    },
    /// A batch was trained.
    Step {
        /// The epoch.
        epoch: usize,
        /// The step in this epoch.
        step: usize,
        /// Loss and score over the epoch so far.
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

/// The figures of one epoch: a line of `metrics.jsonl`, where the scores have the name of their
/// metric: `train_accuracy` and `test_accuracy`, or `train_r2` and `test_r2`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(try_from = "Line")]
pub struct Epoch {
    /// Its number, from 1.
    pub epoch: usize,
    /// Mean loss over the training samples, each as it was when its batch was trained.
    pub train_loss: f64,
    /// Score of the training samples, likewise: of a classifier the share that it classified rightly.
    pub train_score: f64,
    /// Mean loss over the test samples after the epoch.
    pub test_loss: f64,
    /// Score of the test samples after the epoch.
    pub test_score: f64,
    /// The name of the score; [`LOSS`] if it is the loss.
    pub metric: String,
    /// The learning rate of its last step.
    pub lr: f64,
    /// Seconds that training took, without the test.
    pub seconds: f64,
    /// Training samples a second.
    pub samples_per_second: f64,
}

impl Serialize for Epoch {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut line = serializer.serialize_map(None)?;
        let has_score = self.metric != LOSS;
        line.serialize_entry("epoch", &self.epoch)?;
        for (part, loss, score) in [
            ("train", self.train_loss, self.train_score),
            ("test", self.test_loss, self.test_score),
        ] {
            line.serialize_entry(&format!("{part}_loss"), &loss)?;
            if has_score {
                line.serialize_entry(&format!("{part}_{}", self.metric), &score)?;
            }
        }
        line.serialize_entry("lr", &self.lr)?;
        line.serialize_entry("seconds", &self.seconds)?;
        line.serialize_entry("samples_per_second", &self.samples_per_second)?;
        line.end()
    }
}

/// An epoch as it is written, where the metric is part of names.
#[derive(Deserialize)]
struct Line {
    epoch: usize,
    train_loss: f64,
    test_loss: f64,
    lr: f64,
    seconds: f64,
    samples_per_second: f64,
    #[serde(flatten)]
    scores: BTreeMap<String, f64>,
}

impl TryFrom<Line> for Epoch {
    type Error = String;

    fn try_from(line: Line) -> Result<Self, String> {
        let (metric, train_score, test_score) = match Vec::from_iter(&line.scores)[..] {
            [] => (LOSS, line.train_loss, line.test_loss),
            [(test, test_score), (train, train_score)] => {
                let metric = test
                    .strip_prefix("test_")
                    .filter(|m| train.strip_prefix("train_") == Some(m));
                let metric =
                    metric.ok_or_else(|| format!("'{test}' and '{train}' are no scores"))?;
                (metric, *train_score, *test_score)
            }
            _ => return Err("expected one score of training and one of the test".into()),
        };
        Ok(Self {
            epoch: line.epoch,
            train_loss: line.train_loss,
            train_score,
            test_loss: line.test_loss,
            test_score,
            metric: metric.into(),
            lr: line.lr,
            seconds: line.seconds,
            samples_per_second: line.samples_per_second,
        })
    }
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

/// Somebody who wants to know: the callback of other libraries. A closure is one.
///
/// ```
/// use gradus::train::{Event, Listener};
/// let mut losses = Vec::new();
/// let mut listener = |event: Event<'_>| {
///     if let Event::Epoch(epoch) = event {
///         losses.push(epoch.test_loss);
///     }
///     Ok(())
/// };
/// listener.on(Event::Validation { epoch: 1 })?;
/// assert!(losses.is_empty());
/// # Ok::<(), gradus::Error>(())
/// ```
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
