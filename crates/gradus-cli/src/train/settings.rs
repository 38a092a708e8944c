//! What the user asks to train: settings from options and files. Every command that trains, or says
//! what training would be, takes them.

use crate::failure::{Failure, Result};
use crate::samples::is_path;
use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use gradus::data;
use gradus::nn::ACTIVATIONS;
use gradus::optim::OPTIMIZERS;
use gradus::train::{Config, MODELS, SCHEDULERS};
use std::ffi::OsStr;
use std::path::PathBuf;

/// Settings of a training, one option each, and a file of them.
#[derive(Args)]
pub struct Settings {
    /// Data set, or path of a folder or archive of pictures [default: digits]
    #[arg(long, value_name = "NAME", value_parser = DataParser)]
    data: Option<String>,
    /// Bring pictures to this size
    #[arg(long, value_name = "WIDTHxHEIGHT", value_parser = size)]
    resize: Option<[usize; 2]>,
    /// Turn pictures grey
    #[arg(long)]
    grey: bool,
    /// Model, see below [default: mlp]
    #[arg(long, value_name = "NAME", value_parser = PossibleValuesParser::new(MODELS))]
    model: Option<String>,
    /// Sizes of mlp's hidden layers, with commas [default: 128]
    #[arg(long, value_name = "SIZES", value_delimiter = ',')]
    hidden: Option<Vec<usize>>,
    /// Activation after each hidden layer [default: relu]
    #[arg(long, value_name = "NAME", value_parser = PossibleValuesParser::new(ACTIVATIONS))]
    activation: Option<String>,
    /// Images in a step [default: 32]
    #[arg(long, value_name = "N")]
    batch_size: Option<usize>,
    /// Optimizer [default: sgd]
    #[arg(long, value_name = "NAME", value_parser = PossibleValuesParser::new(OPTIMIZERS))]
    optimizer: Option<String>,
    /// Learning rate [default: 0.1 for sgd, 0.01 for rmsprop and adagrad, 1 for adadelta, else 0.001]
    #[arg(long, value_name = "X")]
    lr: Option<f64>,
    /// Momentum, 0 to 1, for sgd and rmsprop [default: 0.9 for sgd, else 0]
    #[arg(long, value_name = "X")]
    momentum: Option<f64>,
    /// Weight decay: an L2 penalty, for adamw decoupled [default: 0]
    #[arg(long, value_name = "X")]
    weight_decay: Option<f64>,
    /// Schedule of the learning rate, see below [default: constant]
    #[arg(long, value_name = "NAME", value_parser = PossibleValuesParser::new(SCHEDULERS))]
    scheduler: Option<String>,
    /// Largest norm of a step's gradients; larger ones are scaled down
    #[arg(long, value_name = "X")]
    clip_norm: Option<f64>,
    /// End after N epochs without a smaller test loss; best.safetensors keeps the best model
    #[arg(long, value_name = "N")]
    early_stopping: Option<usize>,
    /// Batches whose gradients make one step together [default: 1]
    #[arg(long, value_name = "N")]
    accumulate: Option<usize>,
    /// Seed of initial weights and of the order of the images [default: 0]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Passes over the training images [default: 30]
    #[arg(long, value_name = "N")]
    pub epochs: Option<usize>,
    /// Settings, a TOML file
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Takes the names of data sets, and paths.
#[derive(Clone)]
struct DataParser;

impl TypedValueParser for DataParser {
    type Value = String;

    fn parse_ref(
        &self,
        command: &clap::Command,
        argument: Option<&clap::Arg>,
        value: &OsStr,
    ) -> Result<String, clap::Error> {
        match value.to_str() {
            Some(path) if is_path(path) => Ok(path.to_string()),
            _ => PossibleValuesParser::new(data::NAMES).parse_ref(command, argument, value),
        }
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(data::NAMES.iter().map(PossibleValue::new)))
    }
}

/// Height and width from `WIDTHxHEIGHT`.
fn size(text: &str) -> Result<[usize; 2], String> {
    let numbers = text
        .split_once(['x', '×'])
        .and_then(|(width, height)| Some([height.parse().ok()?, width.parse().ok()?]));
    numbers.ok_or_else(|| "expected two numbers, such as 32x32".into())
}

impl Settings {
    /// Defaults, below the file, below the options.
    ///
    /// # Errors
    /// If a value is out of its range, or the file is not readable.
    pub fn config(&self) -> Result<Config> {
        let mut config = match &self.config {
            None => Config::default(),
            Some(path) => std::fs::read_to_string(path)
                .map_err(|e| e.to_string())
                .and_then(|text| Config::from_toml(&text).map_err(|e| e.to_string()))
                .map_err(|e| Failure::usage(format_args!("{}: {e}", path.display())))?,
        };
        let given = self;
        let set = |setting: &mut String, given: &Option<String>| {
            if let Some(name) = given {
                setting.clone_from(name);
            }
        };
        set(&mut config.data, &given.data);
        set(&mut config.model, &given.model);
        config.resize = given.resize.or(config.resize);
        config.grey |= given.grey;
        set(&mut config.activation, &given.activation);
        set(&mut config.optimizer, &given.optimizer);
        if let Some(sizes) = &given.hidden {
            config.hidden.clone_from(sizes);
        }
        config.epochs = given.epochs.unwrap_or(config.epochs);
        config.batch_size = given.batch_size.unwrap_or(config.batch_size);
        config.lr = given.lr.or(config.lr);
        config.momentum = given.momentum.or(config.momentum);
        config.weight_decay = given.weight_decay.unwrap_or(config.weight_decay);
        config.scheduler = given.scheduler.clone().or(config.scheduler);
        config.clip_norm = given.clip_norm.or(config.clip_norm);
        config.early_stopping = given.early_stopping.or(config.early_stopping);
        config.accumulate = given.accumulate.or(config.accumulate);
        config.seed = given.seed.unwrap_or(config.seed);
        config.check().map_err(Failure::usage)?;
        if config.model != "mlp" && (given.hidden.is_some() || given.activation.is_some()) {
            return Err(Failure::usage(format_args!(
                "--hidden and --activation are settings of mlp, not of {}",
                config.model
            )));
        }
        Ok(config)
    }
}
