//! What the user asks to train: settings from options and files. Every command that trains, or says
//! what training would be, takes them.

use crate::failure::{Failure, Result};
use crate::samples::{TABLES, is_path};
use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use gradus::data;
use gradus::models::LayerSpec;
use gradus::nn::ACTIVATIONS;
use gradus::optim::OPTIMIZERS;
use gradus::train::{Config, MODELS, OBJECTIVES, SCHEDULERS};
use std::ffi::OsStr;
use std::fmt::Display;
use std::path::{Path, PathBuf};

/// The settings that may not change in a run: all but its length. One by one, because the message for a group names all of it.
pub const SETTINGS: [&str; 25] = [
    "data",
    "target",
    "task",
    "drop",
    "no_header",
    "test_size",
    "resize",
    "grey",
    "skip_corrupt",
    "model",
    "hidden",
    "activation",
    "batch_size",
    "optimizer",
    "lr",
    "momentum",
    "weight_decay",
    "scheduler",
    "clip_norm",
    "clip_value",
    "ema",
    "early_stopping",
    "accumulate",
    "seed",
    "config",
];

/// Settings of a training, one option each, and a file of them.
#[derive(Args)]
pub struct Settings {
    /// Data set, or path of a folder or archive of pictures, or of a table [default: digits]
    #[arg(long, value_name = "NAME", value_parser = NamesOr::data())]
    data: Option<String>,
    /// Column of a table to predict, by its name or its number
    #[arg(long, value_name = "COLUMN")]
    target: Option<String>,
    /// What to predict of it [default: classes if it holds words or few whole numbers, else a number]
    #[arg(long, value_name = "TASK", value_parser = PossibleValuesParser::new(OBJECTIVES))]
    task: Option<String>,
    /// Columns of a table to leave out, with commas
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    drop: Option<Vec<String>>,
    /// A table's first line has no names; columns are called 1, 2, … [default: if it has a number]
    #[arg(long)]
    no_header: bool,
    /// Share of a table's rows to test on, drawn by the seed [default: 0.2]
    #[arg(long, value_name = "X")]
    test_size: Option<f64>,
    /// Bring pictures to this size
    #[arg(long, value_name = "WIDTHxHEIGHT", value_parser = size)]
    resize: Option<[usize; 2]>,
    /// Turn pictures grey
    #[arg(long)]
    grey: bool,
    /// Pass over pictures that cannot be decoded, and name them
    #[arg(long)]
    skip_corrupt: bool,
    /// Model, see below, or a TOML file of layers [default: mlp]
    #[arg(long, value_name = "NAME", value_parser = NamesOr::models())]
    model: Option<String>,
    /// Sizes of mlp's hidden layers, with commas [default: 128]
    #[arg(long, value_name = "SIZES", value_delimiter = ',')]
    hidden: Option<Vec<usize>>,
    /// Activation after each hidden layer [default: relu]
    #[arg(long, value_name = "NAME", value_parser = PossibleValuesParser::new(ACTIVATIONS))]
    activation: Option<String>,
    /// Samples in a step [default: 32]
    #[arg(long, value_name = "N")]
    batch_size: Option<usize>,
    /// Optimizer [default: sgd]
    #[arg(long, value_name = "NAME", value_parser = PossibleValuesParser::new(OPTIMIZERS))]
    optimizer: Option<String>,
    /// Learning rate [default: 0.1 for sgd (of a number 0.003), 0.01 for rmsprop and adagrad, 1 for
    /// adadelta, else 0.001]
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
    /// Largest size of each number of a step's gradients; what is beyond is cut off
    #[arg(long, value_name = "X")]
    clip_value: Option<f64>,
    /// Test and keep averages of the weights, which forget by this factor at each step, such as 0.999
    #[arg(long, value_name = "X")]
    ema: Option<f64>,
    /// End after N epochs without a smaller test loss
    #[arg(long, value_name = "N")]
    early_stopping: Option<usize>,
    /// Batches whose gradients make one step together [default: 1]
    #[arg(long, value_name = "N")]
    accumulate: Option<usize>,
    /// Seed of initial weights and of the order of the samples [default: 0]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Passes over the training samples [default: 30]
    #[arg(long, value_name = "N")]
    pub epochs: Option<usize>,
    /// Settings, a TOML file
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Takes names that are known, and what else is recognised.
#[derive(Clone)]
struct NamesOr {
    names: Vec<&'static str>,
    recognised: fn(&str) -> bool,
}

impl NamesOr {
    /// Data sets, and paths.
    fn data() -> Self {
        Self {
            names: data::NAMES.into_iter().chain(TABLES).collect(),
            recognised: is_path,
        }
    }

    /// Models, and files of layers.
    fn models() -> Self {
        Self {
            names: MODELS.to_vec(),
            recognised: |name| name.ends_with(".toml"),
        }
    }
}

impl TypedValueParser for NamesOr {
    type Value = String;

    fn parse_ref(
        &self,
        command: &clap::Command,
        argument: Option<&clap::Arg>,
        value: &OsStr,
    ) -> Result<String, clap::Error> {
        match value.to_str() {
            Some(other) if (self.recognised)(other) => Ok(other.to_string()),
            _ => PossibleValuesParser::new(&self.names).parse_ref(command, argument, value),
        }
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(self.names.iter().map(PossibleValue::new)))
    }
}

/// The name of a model that is written down in a file, and its layers.
fn layers(path: &str) -> Result<(String, Vec<LayerSpec>)> {
    let broken = |e: &dyn Display| Failure::usage(format_args!("{path}: {e}"));
    let text = std::fs::read_to_string(path).map_err(|e| broken(&e))?;
    let layers = LayerSpec::from_toml(&text).map_err(|e| broken(&e))?;
    let name = Path::new(path).file_stem().unwrap_or_default();
    Ok((name.to_string_lossy().into_owned(), layers))
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
        match &given.model {
            Some(path) if path.ends_with(".toml") => {
                (config.model, config.layers) = layers(path)?;
            }
            Some(name) => (config.model, config.layers) = (name.clone(), Vec::new()),
            None => {}
        }
        config.target = given.target.clone().or(config.target);
        config.objective = given.task.clone().or(config.objective);
        if let Some(columns) = &given.drop {
            config.drop.clone_from(columns);
        }
        if given.no_header {
            config.header = Some(false);
        }
        config.test_size = given.test_size.or(config.test_size);
        config.resize = given.resize.or(config.resize);
        config.grey |= given.grey;
        config.skip_corrupt |= given.skip_corrupt;
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
        config.clip_value = given.clip_value.or(config.clip_value);
        config.ema = given.ema.or(config.ema);
        config.early_stopping = given.early_stopping.or(config.early_stopping);
        config.accumulate = given.accumulate.or(config.accumulate);
        config.seed = given.seed.unwrap_or(config.seed);
        // What an earlier run found is found anew.
        (config.task, config.table) = (None, None);
        config.check().map_err(Failure::usage)?;
        let is_mlp = config.model == "mlp" && config.layers.is_empty();
        if !is_mlp && (given.hidden.is_some() || given.activation.is_some()) {
            return Err(Failure::usage(format_args!(
                "--hidden and --activation are settings of mlp, not of {}",
                config.model
            )));
        }
        Ok(config)
    }
}
