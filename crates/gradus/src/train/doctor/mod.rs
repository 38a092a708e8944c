//! What is wrong with a training, in plain words.
//!
//! [`Trainer::examine`] trains on trial and looks at everything; [`check_model`], [`check_history`]
//! and [`check_one_batch`] are its parts. Each [`Finding`] is a symptom with its numbers, the layer if
//! it is one, a likely cause and what to try. The limits are far from what healthy trainings show, so
//! that a finding means something; no finding does not mean that nothing could be better.

mod history;
mod labels;
mod model;
mod one_batch;
mod rates;

pub use history::{Guess, check_history, guess};
pub use model::check_model;
pub(super) use model::{finite, not_finite};
pub use one_batch::check_one_batch;

use super::{Summary, Trainer};
use crate::Result;
use crate::data::DataLoader;
use crate::nn::{Layer, StateDict, copied};
use crate::optim::Optimizer;
use serde::Serialize;
use std::fmt;

/// What can be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Sickness {
    /// Something is infinite or NaN.
    NotFinite,
    /// Half the units of a ReLU are 0 for every sample.
    DeadUnits,
    /// A layer's gradient is a ten-thousandth of that of another one.
    VanishingGradients,
    /// A layer's gradient is fifty times as large as its weights; below one is usual.
    ExplodingGradients,
    /// Nothing is learned: loss and score are those of guessing.
    AtChance,
    /// Nothing is learned, and a larger learning rate learns something.
    LearningRateTooSmall,
    /// The loss is above that of guessing or no number, or a smaller learning rate learns something.
    LearningRateTooLarge,
    /// What is learned of the training samples says nothing about others.
    ShuffledLabels,
    /// The test loss rises while the training loss falls.
    Overfitting,
    /// Not even a single batch can be learned by heart.
    CannotLearnOneBatch,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Finding {
    /// What it is.
    pub sickness: Sickness,
    /// The path of the layer or parameter, if it is one.
    pub layer: Option<String>,
    /// What was seen, with numbers.
    pub symptom: String,
    /// Where it usually comes from.
    pub cause: String,
    /// What to try.
    pub advice: String,
}

impl Finding {
    fn new(
        sickness: Sickness,
        symptom: String,
        cause: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self {
            sickness,
            layer: None,
            symptom,
            cause: cause.into(),
            advice: advice.into(),
        }
    }

    fn at(mut self, layer: &str) -> Self {
        self.layer = Some(layer.into());
        self
    }
}

/// Symptom, cause and advice, a line each.
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            symptom,
            cause,
            advice,
            ..
        } = self;
        write!(f, "{symptom}\n  likely cause: {cause}\n  try: {advice}")
    }
}

/// What an examination gives.
#[derive(Clone, Debug)]
pub struct Report {
    /// What is wrong; empty if nothing is.
    pub findings: Vec<Finding>,
    /// The training on trial; none if it ended with a loss that was no number.
    pub summary: Option<Summary>,
}

/// The share of the loss that another learning rate has to come to, to be called a better one.
const LEARNS: f64 = 0.9;

impl Trainer<'_> {
    /// Trains on trial with these settings and says what is wrong: with the model before and after,
    /// with the losses, and, if nothing was learned, with the learning rate (others are tried for
    /// some steps) or the labels (by nearest neighbours). The model and the optimizer are as before then.
    ///
    /// # Errors
    /// If samples cannot be read, shapes do not fit, or a listener ends it.
    ///
    /// ```
    /// use gradus::data::{self, DataLoader};
    /// use gradus::nn::{self, Module};
    /// use gradus::optim::Sgd;
    /// use gradus::train::{Trainer, doctor::Sickness};
    ///
    /// let digits = data::digits()?;
    /// let (train, test) = (DataLoader::new(digits.train, 64)?, DataLoader::new(digits.test, 256)?);
    /// let net = nn::Sequential::new().add(nn::Flatten).add(nn::Linear::new(64, 10)?);
    /// let mut sgd = Sgd::new(net.parameters(), 1e-7);
    /// let report = Trainer::new(1).examine(&net, &mut sgd, &train, &test)?;
    /// assert_eq!(report.findings[0].sickness, Sickness::LearningRateTooSmall);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn examine(
        mut self,
        model: &dyn Layer,
        optimizer: &mut dyn Optimizer,
        train: &DataLoader,
        test: &DataLoader,
    ) -> Result<Report> {
        let (weights, moments) = (
            copied(&model.state_dict())?,
            copied(&optimizer.state_dict())?,
        );
        let report = self.trial(model, optimizer, train, test, &weights);
        optimizer.zero_grad();
        model.load_state_dict(&weights)?;
        optimizer.load_state_dict(&moments)?;
        report
    }

    fn trial(
        &mut self,
        model: &dyn Layer,
        optimizer: &mut dyn Optimizer,
        train: &DataLoader,
        test: &DataLoader,
        weights: &StateDict,
    ) -> Result<Report> {
        let mut findings = check_model(model, &*self.objective, train)?;
        if findings.iter().any(|f| f.sickness == Sickness::NotFinite) {
            let summary = None;
            return Ok(Report { findings, summary });
        }
        let moments = copied(&optimizer.state_dict())?;
        let summary = match self.fit_mut(model, optimizer, train, test) {
            Ok(summary) => {
                for mut finding in check_model(model, &*self.objective, train)? {
                    let known = |f: &Finding| f.sickness == finding.sickness;
                    if !findings.iter().any(known) {
                        finding.symptom = format!("after training {}", finding.symptom);
                        findings.push(finding);
                    }
                }
                let guess = guess(&*self.objective, train)?;
                let samples = test.dataset().len();
                findings.extend(check_history(&summary.history, guess, samples));
                Some(summary)
            }
            Err(e) if self.diverged => {
                findings.push(Finding::new(
                    Sickness::LearningRateTooLarge,
                    e.to_string(),
                    "steps that are too long, each of which makes the next gradient larger",
                    "a smaller learning rate, or gradients clipped to a norm of 1",
                ));
                None
            }
            Err(e) => return Err(e),
        };
        if let Some(stuck) = findings.iter_mut().find(|f| {
            use Sickness::{AtChance, LearningRateTooLarge, ShuffledLabels};
            matches!(f.sickness, AtChance | LearningRateTooLarge | ShuffledLabels)
        }) {
            model.load_state_dict(weights)?;
            optimizer.load_state_dict(&moments)?;
            self.look_closer(stuck, model, optimizer, train)?;
        }
        Ok(Report { findings, summary })
    }

    /// Why nothing was learned: the labels, or the learning rate?
    fn look_closer(
        &self,
        stuck: &mut Finding,
        model: &dyn Layer,
        optimizer: &mut dyn Optimizer,
        train: &DataLoader,
    ) -> Result<()> {
        if stuck.sickness != Sickness::LearningRateTooLarge
            && let Some(agreement) = labels::agreement(&*self.objective, train)?
        {
            if agreement.is_chance() {
                stuck.sickness = Sickness::ShuffledLabels;
                stuck.symptom += &format!(", and {agreement}");
                stuck.cause =
                    "labels that do not belong to their samples: shuffled, shifted by one, \
                               or read from another file"
                        .into();
                stuck.advice = "look at some samples with their labels".into();
                return Ok(());
            }
            if stuck.sickness == Sickness::ShuffledLabels {
                stuck.cause = format!(
                    "test samples or test labels of another kind: those of training belong \
                     together ({agreement})"
                );
                return Ok(());
            }
        }
        let (mine, best) = rates::compare(model, optimizer, &*self.objective, train)?;
        if best.loss > LEARNS * mine.loss {
            return Ok(());
        }
        let lr = mine.lr;
        (stuck.sickness, stuck.cause) = if lr < best.lr {
            let cause = format!("a learning rate of {lr:?}: the weights hardly move");
            (Sickness::LearningRateTooSmall, cause)
        } else {
            let cause = format!("a learning rate of {lr:?}: steps go beyond what they aim at");
            (Sickness::LearningRateTooLarge, cause)
        };
        stuck.advice = format!(
            "a learning rate of {:?}: in a trial it came to a loss of {:.4}, this one to {:.4}",
            best.lr, best.loss, mine.loss
        );
        Ok(())
    }
}

/// A share as people write it.
struct Percent(f64);

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.1} %", 100.0 * self.0)
    }
}
