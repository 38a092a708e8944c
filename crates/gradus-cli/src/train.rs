//! `gradus train`.

mod job;
mod settings;

pub use job::{Job, Workers};
pub use settings::{SETTINGS, Settings};

use crate::common::{self, Threads, stop_on_signal};
use crate::failure::{Failure, Result};
use crate::output::{self, counted, shell_word, short, thousands};
use crate::samples::{DataDir, target_name};
use clap::Args;
use gradus::data::Target;
use gradus::nn::Module;
use gradus::num_threads;
use gradus::train::{Config, Outcome, Progress, Run, Summary, Task};
use serde_json::json;
use std::path::{Path, PathBuf};

/// Train a model and keep it, with its curves, in a folder
#[derive(Args)]
#[command(after_help = "\
Examples:
  gradus train
  gradus train --hidden 256,128 --activation tanh --seed 1 --out runs/tanh
  gradus train --data mnist --hidden 256 --epochs 20 --batch-size 128 --data-dir ~/data
  gradus train --data cifar-10 --model resnet20 --scheduler warmup-cosine --epochs 5 --data-dir ~/data
  gradus train --data houses.csv --target price
  gradus train --data ship.csv --target survived --drop name,ticket --optimizer adam
  gradus train --data ./pictures.tar.gz --resize 32x32 --model net.toml
  gradus train --config settings.toml --lr 0.05 --clip-norm 1 --early-stopping 10
  gradus train --resume runs/digits-mlp --epochs 60

Models: softmax is one linear layer, mlp has hidden layers. The others look at neighbouring pixels:
cnn has two convolutions (images of 10×10 pixels at least), lenet is LeNet-5 (12×12), resnet20 the
residual network of 20 layers for small images. Their sizes follow from the images.
A file of layers lists them one by one, by PyTorch's names; what goes in follows from the layer before.
The last one is linear, and without out gives one number for each class, or the one that is predicted:
  [[layers]]
  type = \"conv2d\"
  out = 16
  kernel = 3
  [[layers]]
  type = \"relu\"
  [[layers]]
  type = \"flatten\"
  [[layers]]
  type = \"linear\"
Types: linear (out, bias), conv2d (out, kernel, stride, padding, groups, bias), max_pool2d and avg_pool2d
(kernel, stride, padding), adaptive_avg_pool2d (size), flatten, dropout (p), batch_norm1d, batch_norm2d,
layer_norm, residual (layers), and the names of activations.
Schedules: step is a tenth after each third of the epochs, exponential a hundredth at the end, cosine
falls to 0, warmup-cosine rises in the first twentieth, one-cycle rises to --lr and falls to nothing,
plateau is a tenth when the test loss was not smaller for more than 5 epochs. With --epochs, a resumed
run follows the schedule of the new length from there on.
Tables: --data takes a file that ends in .csv, .tsv, .txt or .data, --target the column to predict.
Words become columns of 0 and 1, missing numbers the mean, numbers are brought to one scale; what was
done is said and kept with the run, so that predict and eval do the same. Whether a class or a number is
predicted follows from the column (at most 10 whole numbers, each 5 times, are classes) and is said.
Pictures of one's own: --data takes the path (with a slash) of a folder or archive that holds
train/CLASS/NAME.png and test/CLASS/NAME.png, or .jpg; --resize makes them equal in size.
A settings file has the options' names: data = \"mnist\", hidden = [256, 128], batch_size = 128; --task is
objective there, --no-header header = false, and [[layers]] can be in it.
Options win over the file. Ctrl-C saves the state and ends; a second one ends at once.
The same settings give the same model to the last bit, whatever --threads and --workers are and
however often the run was interrupted.")]
pub struct Train {
    #[command(flatten)]
    settings: Settings,
    /// Folder for the run [default: runs/DATA-MODEL, numbered if that is taken]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Go on with the run in this folder; --epochs makes it longer
    #[arg(long, value_name = "RUN", conflicts_with_all = SETTINGS, conflicts_with = "out")]
    resume: Option<PathBuf>,
    #[command(flatten)]
    data_dir: DataDir,
    #[command(flatten)]
    threads: Threads,
    #[command(flatten)]
    workers: Workers,
    /// Show no progress
    #[arg(long, short)]
    quiet: bool,
    /// Print one JSON object at the end
    #[arg(long)]
    json: bool,
}

impl Train {
    pub fn run(self) -> Result {
        self.threads.apply();
        let (run, job) = match &self.resume {
            Some(folder) => self.go_on(folder)?,
            None => self.begin()?,
        };
        let (train, test) = job.loaders(&self.workers)?;
        let mut trainer = (job.config.build_trainer(train.len())?)
            .run(&run)
            .stop_when(stop_on_signal()?);
        if !self.quiet {
            trainer = trainer.listen(Progress::new());
        }
        let mut optimizer = job.optimizer()?;
        let summary = trainer.fit(&job.model, &mut *optimizer, &train, &test)?;

        let result = Finished {
            run: &run,
            summary: &summary,
            parameters: job.model.num_parameters(),
            samples: job.samples.train.len(),
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
        result.warn_if_nothing_was_learned(&job.samples.task);
        if self.json {
            Ok(())
        } else {
            output::line(result.as_text(&self.data_dir))
        }
    }

    /// A new run. Its folder is made last, so that no mistake leaves one behind.
    fn begin(&self) -> Result<(Run, Job)> {
        let config = self.settings.config()?;
        let job = Job::new(config, &self.data_dir)?;
        let config = &job.config;
        if !self.quiet {
            job.samples.tell();
            tell_lr(config);
        }
        let folder = match &self.out {
            Some(folder) => folder.clone(),
            None => free_folder(&format!("runs/{}-{}", name(&config.data), config.model)),
        };
        let run = Run::create(folder, config).map_err(Failure::of_settings)?;
        Ok((run, job))
    }

    /// An earlier run, perhaps with more epochs than it was to have.
    fn go_on(&self, folder: &Path) -> Result<(Run, Job)> {
        let mut run = common::open(folder)?;
        if let Some(epochs) = self.settings.epochs {
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
        let job = Job::of(&run, &self.data_dir)?;
        Ok((run, job))
    }
}

/// Says which learning rate was chosen where it is not that of the help's first words.
fn tell_lr(config: &Config) {
    let usual = config.clone().resolved().lr.unwrap_or_default();
    let regression = config.task.as_ref().is_some_and(Task::is_regression);
    let of = match (config.lr, config.optimizer.as_str()) {
        (Some(_), _) => return,
        (None, "sgd") if regression => "sgd in a regression",
        (None, "sgd") => return,
        (None, optimizer) => optimizer,
    };
    output::note(format_args!("learning rate {usual}, the default for {of}"));
}

/// A data set's name, or that of its folder or archive without what says the kind.
pub fn name(data: &str) -> String {
    let file = Path::new(data).file_name().unwrap_or_default();
    let file = file.to_string_lossy();
    let ends = [
        ".tar.gz", ".tar", ".tgz", ".zip", ".csv", ".tsv", ".txt", ".data",
    ];
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
    fn warn_if_nothing_was_learned(&self, task: &Task) {
        // Of numbers that are scaled to it, the variance.
        let guessing = match task.classes.len() {
            0 => 1.0,
            classes => (classes as f64).ln(),
        };
        if (self.summary.history.last()).is_some_and(|epoch| epoch.train_loss > guessing) {
            output::note(format_args!(
                "warning: the training loss is above {guessing:.1}, that of guessing: nothing was \
                 learned; try a smaller --lr"
            ));
        }
    }

    /// The root of the mean squared error of tested numbers, in their own unit; none for classes.
    fn rmse(&self, test_loss: f64) -> Option<f64> {
        match self.run.config().table.as_ref()?.target {
            Target::Number { std, .. } => Some(std * test_loss.sqrt()),
            Target::Classes { .. } => None,
        }
    }

    fn as_json(&self) -> serde_json::Value {
        let config = self.run.config();
        let (seconds, samples_per_second) = self.speed();
        let last = self.summary.history.last();
        let mut all = json!({
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
            "test_loss": last.map(|epoch| epoch.test_loss),
            "seconds": seconds,
            "samples_per_second": samples_per_second,
            "out": self.run.folder().display().to_string(),
        });
        if let Some(last) = last {
            all[format!("train_{}", last.metric)] = last.train_score.into();
            all[format!("test_{}", last.metric)] = last.test_score.into();
            if let Some(rmse) = self.rmse(last.test_loss) {
                all["test_rmse"] = rmse.into();
            }
        }
        all
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
        let config = self.run.config();
        let score = match self.rmse(last.test_loss) {
            None => format!("test accuracy {:.2} %", 100.0 * last.test_score),
            Some(rmse) => format!(
                "test R² {:.4}, root mean squared error {} in {}",
                last.test_score,
                short(rmse),
                target_name(config)
            ),
        };
        let new = match config.table {
            Some(_) => "NEW.csv",
            None => "IMAGE.png",
        };
        format!(
            "{score}, test loss {:.4} after {}{best}\n\
             {seconds:.2} s of training, {} samples a second\n\
             run in {folder}, curves in {}\n\
             next: gradus eval {folder}{}\n      gradus predict {folder} {new}",
            last.test_loss,
            counted(last.epoch, "epoch"),
            thousands(speed as usize),
            shell_word(&self.run.curves()),
            data_dir.again(),
        )
    }
}
