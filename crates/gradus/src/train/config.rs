//! The settings of a run, and the model they describe.

use super::{Classification, Objective, Regression, SCHEDULERS, Schedule, Trainer};
use crate::data::{TableVectorizer, Target};
use crate::models::{self, LayerSpec, MODELS};
use crate::nn::{self, Layer, Module};
use crate::optim::{self, Optimizer};
use crate::random::{self, Generator};
use crate::{Error, Kind, Result};
use serde::{Deserialize, Serialize};

/// Everything that determines the result of a run; `config.toml` in its folder.
///
/// ```
/// use gradus::train::Config;
/// let config = Config::from_toml("data = \"mnist\"\nhidden = [256]")?;
/// assert_eq!((config.data.as_str(), config.epochs), ("mnist", Config::default().epochs));
/// assert!(Config::from_toml("hiden = [256]").is_err());
/// # Ok::<(), gradus::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The data set's name, or the path of a folder or archive of pictures (see
    /// [`ImageFolder`](crate::data::ImageFolder)) or of a table (see [`ReadCsv`](crate::data::ReadCsv)).
    pub data: String,
    /// The column of a table that is to be predicted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// What is predicted, one of [`OBJECTIVES`]; none: what suits the target.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub objective: Option<String>,
    /// Columns of a table that are not to be used.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub drop: Vec<String>,
    /// Whether the first line of a table has the names of its columns; none: what it looks like.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header: Option<bool>,
    /// The share of a table's rows that is kept to test on; none: 0.2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test_size: Option<f64>,
    /// Height and width that pictures are brought to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resize: Option<[usize; 2]>,
    /// Whether pictures are turned grey.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub grey: bool,
    /// Whether pictures that cannot be decoded are passed over.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub skip_corrupt: bool,
    /// The model's name, one of [`MODELS`]; with `layers` any.
    pub model: String,
    /// Sizes of the hidden layers of `mlp`.
    pub hidden: Vec<usize>,
    /// The activation after each hidden layer.
    pub activation: String,
    /// Passes over the training samples.
    pub epochs: usize,
    /// Samples of a step.
    pub batch_size: usize,
    /// The optimizer's name.
    pub optimizer: String,
    /// The learning rate; none: what suits the optimizer, see [`resolved`](Config::resolved).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lr: Option<f64>,
    /// The momentum, for `sgd` and `rmsprop`; none: what suits the optimizer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub momentum: Option<f64>,
    /// The weight decay.
    pub weight_decay: f64,
    /// The name of a learning-rate schedule, see [`Schedule::named`]; none: the rate is constant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scheduler: Option<String>,
    /// The largest norm of a step's gradients; none: they are not clipped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clip_norm: Option<f64>,
    /// The largest size of each number of a gradient; none: they are not clipped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clip_value: Option<f64>,
    /// The decay of the averages of the weights that become the model; none: they are not averaged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ema: Option<f64>,
    /// Epochs without a smaller test loss after which training ends; none: it goes on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub early_stopping: Option<usize>,
    /// Batches of a step of the optimizer; none: 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accumulate: Option<usize>,
    /// The seed of initial weights, order of samples and all else that is random.
    pub seed: u64,
    /// The model's layers, if it is none of [`MODELS`].
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub layers: Vec<LayerSpec>,
    /// What the data set asks of a model; filled in when a run begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task: Option<Task>,
    /// How the rows of a table become samples; filled in when a run begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table: Option<TableEncoding>,
}

/// What [`Config::objective`] can be.
pub const OBJECTIVES: &[&str] = &["classification", "regression"];

/// What goes into a model and comes out: all that is needed to use one without its data set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// The shape of a sample, such as [1, 28, 28].
    pub input: Vec<usize>,
    /// The names of the classes, in the order of their numbers; none where a number is predicted.
    pub classes: Vec<String>,
}

/// How the rows of a table become samples, learned from those to train on: all that is needed to
/// prepare others.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TableEncoding {
    /// Of what is predicted.
    pub target: Target,
    /// Of what it is predicted from.
    pub features: TableVectorizer,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data: "digits".into(),
            target: None,
            objective: None,
            drop: Vec::new(),
            header: None,
            test_size: None,
            resize: None,
            grey: false,
            skip_corrupt: false,
            model: "mlp".into(),
            hidden: vec![128],
            activation: "relu".into(),
            epochs: 30,
            batch_size: 32,
            optimizer: "sgd".into(),
            lr: None,
            momentum: None,
            weight_decay: 0.0,
            scheduler: None,
            clip_norm: None,
            clip_value: None,
            ema: None,
            early_stopping: None,
            accumulate: None,
            seed: 0,
            layers: Vec::new(),
            task: None,
            table: None,
        }
    }
}

impl Config {
    /// Reads settings; those that are not named have their defaults.
    ///
    /// # Errors
    /// For text that is no TOML, an unknown name, or a value that [`check`](Config::check) refuses.
    pub fn from_toml(text: &str) -> Result<Self> {
        let config: Self = toml::from_str(text).map_err(|e| {
            // The parser's own message shows the place in a drawing of several lines.
            let before = e.span().and_then(|span| text.get(..span.start));
            let line = before.map_or(1, |text| text.matches('\n').count() + 1);
            invalid(format!("line {line}: {}", e.message()))
        })?;
        config.check()?;
        Ok(config)
    }

    /// The same settings with nothing left to the optimizer: unless given, `lr` is 0.1 for `sgd`, 0.01
    /// for `rmsprop` and `adagrad`, 1 for `adadelta` and 0.001 for the others, `momentum` 0.9 for `sgd`.
    /// Where a number is predicted `lr` is 0.003 for `sgd`: errors have no bound, and so their slopes.
    #[must_use]
    pub fn resolved(mut self) -> Self {
        let usual = match self.task.as_ref().is_some_and(Task::is_regression) {
            true if self.optimizer == "sgd" => 0.003,
            _ => optim::usual_lr(&self.optimizer),
        };
        self.lr.get_or_insert(usual);
        if self.optimizer == "sgd" {
            self.momentum.get_or_insert(0.9);
        }
        self
    }

    /// The settings as TOML.
    pub fn to_toml(&self) -> String {
        toml::to_string(self).expect("numbers, strings, lists and tables of them are TOML")
    }

    /// Whether every value is within its range.
    ///
    /// # Errors
    /// The first one that is not, with the values that are.
    pub fn check(&self) -> Result<()> {
        let known = |what: &str, value: &str, names: &[&str]| {
            if names.contains(&value) {
                return Ok(());
            }
            Err(unknown(what, value, names))
        };
        if self.layers.is_empty() {
            known("model", &self.model, MODELS)?;
        }
        LayerSpec::check(&self.layers)?;
        if let Some(name) = &self.objective {
            known("objective", name, OBJECTIVES)?;
        }
        if let Some(share) = self
            .test_size
            .filter(|share| !(*share > 0.0 && *share < 1.0))
        {
            return Err(invalid(format!(
                "test_size must be between 0 and 1, not {share}"
            )));
        }
        known("activation", &self.activation, nn::ACTIVATIONS)?;
        known("optimizer", &self.optimizer, optim::OPTIMIZERS)?;
        let positive = |what: &str, value: usize| {
            if value > 0 {
                Ok(())
            } else {
                Err(invalid(format!("{what} must be at least 1")))
            }
        };
        positive("epochs", self.epochs)?;
        positive("batch_size", self.batch_size)?;
        positive("early_stopping", self.early_stopping.unwrap_or(1))?;
        positive("accumulate", self.accumulate.unwrap_or(1))?;
        if let Some(name) = &self.scheduler {
            known("scheduler", name, SCHEDULERS)?;
        }
        for (what, value) in [
            ("clip_norm", self.clip_norm),
            ("clip_value", self.clip_value),
        ] {
            if let Some(value) = value.filter(|value| value.is_nan() || *value <= 0.0) {
                return Err(invalid(format!("{what} must be above 0, not {value}")));
            }
        }
        if let Some(decay) = self.ema.filter(|decay| !(0.0..1.0).contains(decay)) {
            return Err(invalid(format!(
                "ema must be at least 0 and below 1, not {decay}"
            )));
        }
        self.resize
            .iter()
            .flatten()
            .try_for_each(|&n| positive("every size in resize", n))?;
        self.hidden
            .iter()
            .try_for_each(|&n| positive("every size in hidden", n))?;
        for (what, value) in [
            ("lr", self.lr),
            ("momentum", self.momentum),
            ("weight_decay", Some(self.weight_decay)),
        ] {
            if let Some(value) = value.filter(|v| !(v.is_finite() && *v >= 0.0)) {
                return Err(invalid(format!(
                    "{what} must be a number of at least 0, not {value}"
                )));
            }
        }
        if self.momentum.is_some() {
            optim::check_momentum(&self.optimizer)?;
        }
        // TOML has signed integers.
        if i64::try_from(self.seed).is_err() {
            return Err(invalid(format!("seed must be at most {}", i64::MAX)));
        }
        self.task.as_ref().map_or(Ok(()), Task::check)
    }

    /// The model for the task, with initial weights from the seed.
    ///
    /// # Errors
    /// If the task is not known yet, a name is unknown, the model does not take inputs of this shape,
    /// or there is no memory for the weights.
    pub fn build_model(&self) -> Result<Box<dyn Layer>> {
        let task = self
            .task
            .as_ref()
            .ok_or_else(|| invalid("the settings name no task: input and classes".into()))?;
        random::scoped(Generator::new(self.seed), || {
            self.model(&task.input, task.outputs())
        })
    }

    fn model(&self, input: &[usize], outputs: usize) -> Result<Box<dyn Layer>> {
        if !self.layers.is_empty() {
            let net = models::layers(&self.layers, input, outputs);
            return Ok(Box::new(net.map_err(|e| e.at(&self.model))?));
        }
        let image = || {
            <[usize; 3]>::try_from(input).map_err(|_| {
                invalid(format!(
                    "{}: takes images, [channels, height, width], not inputs of shape {input:?}",
                    self.model
                ))
            })
        };
        Ok(match self.model.as_str() {
            "softmax" => Box::new(models::softmax(input, outputs)?),
            "mlp" => Box::new(models::mlp(input, &self.hidden, &self.activation, outputs)?),
            "cnn" => Box::new(models::cnn(image()?, outputs)?),
            "lenet" => Box::new(models::lenet(image()?, outputs)?),
            "resnet20" => Box::new(models::resnet20(image()?, outputs)?),
            name => return Err(unknown("model", name, MODELS)),
        })
    }

    /// The trainer with these settings, for epochs of `batches` batches.
    ///
    /// # Errors
    /// If the scheduler's name is unknown, or there is nothing to train.
    pub fn build_trainer<'a>(&self, batches: usize) -> Result<Trainer<'a>> {
        let accumulate = self.accumulate.unwrap_or(1);
        let mut trainer = Trainer::new(self.epochs)
            .seed(self.seed)
            .accumulate(accumulate);
        if self.task.as_ref().is_some_and(Task::is_regression) {
            trainer = trainer.objective(Regression);
        }
        if let Some(name) = &self.scheduler {
            let lr = self.clone().resolved().lr.unwrap_or_default();
            let steps = batches.div_ceil(accumulate.max(1));
            trainer = trainer.schedule(Schedule::named(name, lr, self.epochs, steps)?);
        }
        if let Some(max_norm) = self.clip_norm {
            trainer = trainer.clip_grad_norm(max_norm);
        }
        if let Some(max) = self.clip_value {
            trainer = trainer.clip_grad_value(max);
        }
        if let Some(decay) = self.ema {
            trainer = trainer.ema(decay);
        }
        if let Some(patience) = self.early_stopping {
            trainer = trainer.early_stopping(patience);
        }
        Ok(trainer)
    }

    /// What the model is trained for: what its task is, else classification.
    pub fn build_objective(&self) -> Box<dyn Objective> {
        match self.task.as_ref().is_some_and(Task::is_regression) {
            true => Box::new(Regression),
            false => Box::new(Classification),
        }
    }

    /// The optimizer for the parameters of `model`.
    ///
    /// # Errors
    /// If the name is unknown or a setting is not one of its own.
    pub fn build_optimizer(&self, model: &dyn Module) -> Result<Box<dyn Optimizer>> {
        let settings = self.clone().resolved();
        optim::optimizer(
            &self.optimizer,
            model.parameters(),
            settings.lr.unwrap_or_default(),
            settings.momentum.unwrap_or_default(),
            self.weight_decay,
        )
    }
}

impl Task {
    /// Whether a number is predicted, and not a class.
    pub fn is_regression(&self) -> bool {
        self.classes.is_empty()
    }

    /// The number of results for a sample: one for each class, or the number that is predicted.
    ///
    /// ```
    /// use gradus::train::Task;
    /// let task = Task { input: vec![4], classes: vec![] };
    /// assert_eq!(task.outputs(), 1);
    /// ```
    pub fn outputs(&self) -> usize {
        self.classes.len().max(1)
    }

    /// Sizes from a file are not believed: their product must be a number.
    fn check(&self) -> Result<()> {
        let numbers = (self.input.iter()).try_fold(1usize, |product, &n| product.checked_mul(n));
        if numbers.is_none_or(|n| n == 0) {
            return Err(invalid(format!(
                "the task has inputs of shape {:?}, which hold nothing or too much",
                self.input
            )));
        }
        Ok(())
    }
}

fn unknown(what: &str, name: &str, names: &[&str]) -> Error {
    let names = names.join(", ");
    invalid(format!(
        "unknown {what} '{name}'; the known ones are {names}"
    ))
}

fn invalid(message: String) -> Error {
    Error::new(Kind::Value, message)
}
