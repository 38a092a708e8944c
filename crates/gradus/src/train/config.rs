//! The settings of a run, and the model they describe.

use crate::nn::{self, Module, Sequential};
use crate::optim::{self, Optimizer};
use crate::random::{self, Generator};
use crate::{Error, Kind, Result};
use serde::{Deserialize, Serialize};

/// The names of the models.
pub const MODELS: &[&str] = &["softmax", "mlp"];

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
    /// The data set's name.
    pub data: String,
    /// `softmax` (one linear layer) or `mlp`.
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
    /// The learning rate.
    pub lr: f64,
    /// The momentum, for `sgd`.
    pub momentum: f64,
    /// The weight decay.
    pub weight_decay: f64,
    /// The seed of initial weights, order of samples and all else that is random.
    pub seed: u64,
    /// What the data set asks of a model; filled in when a run begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task: Option<Task>,
}

/// What goes into a model and comes out: all that is needed to use one without its data set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// The shape of a sample, such as [1, 28, 28].
    pub input: Vec<usize>,
    /// The names of the classes, in the order of their numbers.
    pub classes: Vec<String>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data: "digits".into(),
            model: "mlp".into(),
            hidden: vec![128],
            activation: "relu".into(),
            epochs: 30,
            batch_size: 32,
            optimizer: "sgd".into(),
            lr: 0.1,
            momentum: 0.9,
            weight_decay: 0.0,
            seed: 0,
            task: None,
        }
    }
}

impl Config {
    /// Reads settings; those that are not named have their defaults.
    ///
    /// # Errors
    /// For text that is no TOML, an unknown name, or a value that [`check`](Config::check) refuses.
    pub fn from_toml(text: &str) -> Result<Self> {
        let config: Self =
            toml::from_str(text).map_err(|e| invalid(e.to_string().trim_end().to_string()))?;
        config.check()?;
        Ok(config)
    }

    /// The settings as TOML.
    pub fn to_toml(&self) -> String {
        toml::to_string(self).expect("numbers, strings and a list of numbers are TOML")
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
            Err(invalid(format!(
                "unknown {what} '{value}'; the known ones are {}",
                names.join(", ")
            )))
        };
        known("model", &self.model, MODELS)?;
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
        self.hidden
            .iter()
            .try_for_each(|&n| positive("every size in hidden", n))?;
        for (what, value) in [
            ("lr", self.lr),
            ("momentum", self.momentum),
            ("weight_decay", self.weight_decay),
        ] {
            if !(value.is_finite() && value >= 0.0) {
                return Err(invalid(format!(
                    "{what} must be a number of at least 0, not {value}"
                )));
            }
        }
        Ok(())
    }

    /// The model for the task, with initial weights from the seed.
    ///
    /// # Errors
    /// If the task is not known yet, a name is unknown, or there is no memory for the weights.
    pub fn build_model(&self) -> Result<Sequential> {
        let task = self
            .task
            .as_ref()
            .ok_or_else(|| invalid("the settings name no task: input and classes".into()))?;
        let (features, classes) = (task.input.iter().product(), task.classes.len());
        random::scoped(Generator::new(self.seed), || self.layers(features, classes))
    }

    fn layers(&self, features: usize, classes: usize) -> Result<Sequential> {
        let mut net = Sequential::new().add(nn::Flatten);
        let mut size = features;
        let hidden = if self.model == "softmax" {
            &[][..]
        } else {
            &self.hidden
        };
        for &n in hidden {
            net = net
                .add(nn::Linear::new(size, n)?)
                .add(nn::activation(&self.activation)?);
            size = n;
        }
        Ok(net.add(nn::Linear::new(size, classes)?))
    }

    /// The optimizer for the parameters of `model`.
    ///
    /// # Errors
    /// If the name is unknown or a setting is not one of its own.
    pub fn build_optimizer(&self, model: &dyn Module) -> Result<Box<dyn Optimizer>> {
        let momentum = if self.optimizer == "sgd" {
            self.momentum
        } else {
            0.0
        };
        optim::optimizer(
            &self.optimizer,
            model.parameters(),
            self.lr,
            momentum,
            self.weight_decay,
        )
    }
}

fn invalid(message: String) -> Error {
    Error::new(Kind::Value, message)
}
