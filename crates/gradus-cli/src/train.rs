//! `gradus train`.

use crate::common::{self, DataDir, Threads, stop_on_signal, task, test_loader};
use crate::failure::{Failure, Result};
use crate::output::{self, shell_word, thousands};
use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use gradus::data::{self, DataLoader, Split};
use gradus::nn::{ACTIVATIONS, Layer, Module};
use gradus::optim::OPTIMIZERS;
use gradus::train::{Config, MODELS, Outcome, Progress, Run, SCHEDULERS, Summary};
use gradus::{Kind, num_threads};
use serde_json::json;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// Train a model and keep it, with its curves, in a folder
#[derive(Args)]
#[command(after_help = "\
Examples:
  gradus train
  gradus train --hidden 256,128 --activation tanh --seed 1 --out runs/tanh
  gradus train --data mnist --hidden 256 --epochs 20 --batch-size 128 --data-dir ~/data
  gradus train --data mnist --model cnn --lr 0.02 --epochs 5 --data-dir ~/data
  gradus train --optimizer adam --scheduler warmup-cosine --clip-norm 1 --early-stopping 10
  gradus train --data ./pictures.tar.gz --resize 32x32 --model resnet20
  gradus train --config settings.toml --lr 0.05
  gradus train --resume runs/digits-mlp --epochs 60

Models: softmax is one linear layer, mlp has hidden layers. The others look at neighbouring pixels:
cnn has two convolutions (images of 10×10 pixels at least), lenet is LeNet-5 (12×12), resnet20 the
residual network of 20 layers for small images. Their sizes follow from the images.
Schedules: step is a tenth after each third of the epochs, exponential a hundredth at the end, cosine
falls to 0, warmup-cosine rises in the first twentieth, one-cycle rises to --lr and falls to nothing,
plateau is a tenth when the test loss was not smaller for more than 5 epochs. With --epochs, a resumed
run follows the schedule of the new length from there on.
Pictures of one's own: --data takes the path (with a slash) of a folder or tar archive that holds
train/CLASS/NAME.png and test/CLASS/NAME.png, or .jpg; --resize makes them equal in size.
A settings file has the options' names: data = \"mnist\", hidden = [256, 128], batch_size = 128.
Options win over the file. Ctrl-C saves the state and ends; a second one ends at once.
The same settings give the same model to the last bit, whatever --threads and --workers are and
however often the run was interrupted.")]
pub struct Train {
    #[command(flatten)]
    settings: Settings,
    /// Passes over the training images [default: 30]
    #[arg(long, value_name = "N")]
    epochs: Option<usize>,
    /// Settings, a TOML file
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Folder for the run [default: runs/DATA-MODEL, numbered if that is taken]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Go on with the run in this folder; --epochs makes it longer
    #[arg(long, value_name = "RUN", conflicts_with_all = FIXED)]
    resume: Option<PathBuf>,
    #[command(flatten)]
    data_dir: DataDir,
    #[command(flatten)]
    threads: Threads,
    /// Threads that make batches ahead; results do not depend on it [default: 0, none]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(..=64))]
    workers: Option<u16>,
    /// Show no progress
    #[arg(long, short)]
    quiet: bool,
    /// Print one JSON object at the end
    #[arg(long)]
    json: bool,
}

/// What may not change in a run. One by one, because the message for a group names all of it.
pub const FIXED: [&str; 18] = [
    "data",
    "resize",
    "grey",
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
    "early_stopping",
    "accumulate",
    "seed",
    "config",
    "out",
];

#[derive(Args)]
struct Settings {
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
            Some(path) if common::is_path(path) => Ok(path.to_string()),
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

impl Train {
    pub fn run(self) -> Result {
        self.threads.apply();
        let (run, split, model) = match &self.resume {
            Some(folder) => self.go_on(folder)?,
            None => self.begin()?,
        };
        let config = run.config();
        let mut optimizer = config.build_optimizer(&model)?;
        let samples = split.train.labels().len();
        let classes = split.train.classes().len();
        let train = DataLoader::new(split.train, config.batch_size)?
            .shuffle(config.seed)
            .workers(self.workers.unwrap_or(0).into());
        let mut trainer = config
            .build_trainer(train.len())?
            .run(&run)
            .stop_when(stop_on_signal()?);
        if !self.quiet {
            trainer = trainer.listen(Progress::new());
        }
        let summary = trainer.fit(&model, &mut *optimizer, &train, &test_loader(split.test)?)?;

        let result = Finished {
            run: &run,
            summary: &summary,
            parameters: model.num_parameters(),
            samples,
        };
        if self.json {
            output::line(result.as_json())?;
        }
        if summary.outcome == Outcome::Interrupted {
            let (epochs, steps) = summary.done;
            return Err(Failure::interrupted(format_args!(
                "interrupted after epoch {epochs} and {steps} steps; go on with: gradus train --resume {}{}",
                shell_word(run.folder()),
                self.data_dir.again()
            )));
        }
        result.warn_if_nothing_was_learned(classes);
        if self.json {
            Ok(())
        } else {
            output::line(result.as_text(&self.data_dir))
        }
    }

    /// A new run. Its folder is made last, so that no mistake leaves one behind.
    fn begin(&self) -> Result<(Run, Split, Box<dyn Layer>)> {
        let usage = |e: gradus::Error| match e.kind() {
            Kind::Value => Failure::usage(e),
            _ => e.into(),
        };
        let mut config = self.settings()?;
        let split = self.data_dir.load(&config)?;
        config.task = Some(task(&split.train));
        let model = config.build_model().map_err(usage)?;
        let folder = match &self.out {
            Some(folder) => folder.clone(),
            None => free_folder(&format!("runs/{}-{}", name(&config.data), config.model)),
        };
        let run = Run::create(folder, &config).map_err(usage)?;
        Ok((run, split, model))
    }

    /// Defaults, below the file, below the options.
    fn settings(&self) -> Result<Config> {
        let mut config = match &self.config {
            None => Config::default(),
            Some(path) => std::fs::read_to_string(path)
                .map_err(|e| e.to_string())
                .and_then(|text| Config::from_toml(&text).map_err(|e| e.to_string()))
                .map_err(|e| Failure::usage(format_args!("{}: {e}", path.display())))?,
        };
        let given = &self.settings;
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
        config.epochs = self.epochs.unwrap_or(config.epochs);
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
        if config.lr.is_none() && config.optimizer != "sgd" && !self.quiet {
            let resolved = config.clone().resolved();
            let (lr, optimizer) = (resolved.lr.unwrap_or_default(), &config.optimizer);
            output::note(format_args!(
                "learning rate {lr}, the default for {optimizer}"
            ));
        }
        Ok(config)
    }

    /// An earlier run, perhaps with more epochs than it was to have.
    fn go_on(&self, folder: &Path) -> Result<(Run, Split, Box<dyn Layer>)> {
        let mut run = common::open(folder)?;
        let split = self.data_dir.load_for(&run)?;
        if let Some(epochs) = self.epochs {
            let done = run.history().map_err(Failure::data)?.len();
            if epochs < done {
                return Err(Failure::usage(format_args!(
                    "--epochs {epochs}: {} has trained for {done} epochs already",
                    folder.display()
                )));
            }
            let config = Config {
                epochs,
                ..run.config().clone()
            };
            config.check().map_err(Failure::usage)?;
            run.set_config(config)?;
        }
        let model = run.config().build_model().map_err(Failure::data)?;
        Ok((run, split, model))
    }
}

/// A data set's name, or that of its folder or archive without what says the kind.
fn name(data: &str) -> String {
    let file = Path::new(data).file_name().unwrap_or_default();
    let file = file.to_string_lossy();
    let ends = [".tar.gz", ".tar", ".tgz"];
    let name = ends.iter().find_map(|end| file.strip_suffix(end));
    let name = name.unwrap_or(&file);
    if name.is_empty() { "pictures" } else { name }.to_string()
}

/// The first of `name`, `name-2`, `name-3` … that does not exist.
fn free_folder(name: &str) -> PathBuf {
    let numbered = (2..).map(|n| format!("{name}-{n}"));
    let mut names = std::iter::once(name.to_string())
        .chain(numbered)
        .map(PathBuf::from);
    names
        .find(|path| !path.exists())
        .expect("there are more numbers than folders")
}

/// What there is to say at the end.
struct Finished<'a> {
    run: &'a Run,
    summary: &'a Summary,
    parameters: usize,
    samples: usize,
}

impl Finished<'_> {
    /// Seconds of training over all epochs, those before an interruption included, and samples
    /// trained in one of them.
    fn speed(&self) -> (f64, f64) {
        let history = &self.summary.history;
        let seconds: f64 = history.iter().map(|epoch| epoch.seconds).sum();
        let samples = (self.samples * history.len()) as f64;
        (seconds, samples / seconds.max(f64::MIN_POSITIVE))
    }

    /// A learning rate can be far too large without any number becoming infinite.
    fn warn_if_nothing_was_learned(&self, classes: usize) {
        let guessing = (classes as f64).ln();
        if (self.summary.history.last()).is_some_and(|epoch| epoch.train_loss > guessing) {
            output::note(format_args!(
                "warning: the training loss is above {guessing:.1}, that of guessing: nothing was \
                 learned; try a smaller --lr"
            ));
        }
    }

    fn as_json(&self) -> serde_json::Value {
        let config = self.run.config();
        let (seconds, samples_per_second) = self.speed();
        let last = self.summary.history.last();
        json!({
            "outcome": match self.summary.outcome {
                Outcome::Finished => "finished",
                Outcome::Interrupted => "interrupted",
                Outcome::EarlyStopped => "early_stopped",
            },
            "data": config.data,
            "model": config.model,
            "parameters": self.parameters,
            "optimizer": config.optimizer,
            "lr": config.lr,
            "batch_size": config.batch_size,
            "seed": config.seed,
            "threads": num_threads(),
            "epochs": self.summary.history.len(),
            "train_loss": last.map(|epoch| epoch.train_loss),
            "train_accuracy": last.map(|epoch| epoch.train_score),
            "test_loss": last.map(|epoch| epoch.test_loss),
            "test_accuracy": last.map(|epoch| epoch.test_score),
            "seconds": seconds,
            "samples_per_second": samples_per_second,
            "out": self.run.folder().display().to_string(),
        })
    }

    fn as_text(&self, data_dir: &DataDir) -> String {
        let Some(last) = self.summary.history.last() else {
            return String::new(); // Settings have at least one epoch.
        };
        let (seconds, speed) = self.speed();
        let folder = shell_word(self.run.folder());
        let best = match self.summary.outcome {
            Outcome::EarlyStopped => {
                "\nended early; the model of the smallest test loss is best.safetensors in the run"
            }
            _ => "",
        };
        format!(
            "test accuracy {:.2} %, test loss {:.4} after {} epochs{best}\n\
             {seconds:.2} s of training, {} samples a second\n\
             run in {folder}, curves in {}\n\
             next: gradus eval {folder}{}\n      gradus predict {folder} IMAGE.png",
            100.0 * last.test_score,
            last.test_loss,
            last.epoch,
            thousands(speed as usize),
            shell_word(&self.run.curves()),
            data_dir.again(),
        )
    }
}
