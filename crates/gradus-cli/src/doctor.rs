//! `gradus doctor`.

use crate::common::{self, Threads, stop_on_signal};
use crate::failure::{Failure, Result};
use crate::output::{self, counted};
use crate::samples::DataDir;
use crate::train::{Job, SETTINGS, Settings, Workers};
use clap::Args;
use gradus::train::doctor::{Finding, check_history, check_model, check_one_batch, guess};
use gradus::train::{Outcome, Progress};
use serde_json::json;
use std::path::PathBuf;

/// Epochs of a training on trial.
const EPOCHS: usize = 3;

/// Steps in which one batch must be learned by heart.
const STEPS: usize = 200;

/// Say in plain words what is wrong with a training
#[derive(Args)]
#[command(after_help = "\
Examples:
  gradus doctor
  gradus doctor --data mnist --hidden 64,64,64,64 --activation sigmoid --data-dir ~/data
  gradus doctor --lr 30 --one-batch
  gradus doctor runs/digits-mlp

Without a run it trains on trial for a few epochs (3, or --epochs), and keeps nothing. It looks for
units that are always 0, gradients that vanish or explode (with the layer), numbers that are
infinite or NaN (and where they began), a loss at the level of guessing, learning rates that do not
suit, labels that do not belong to their samples, and a test loss that rises. Of a run it looks at
the model as it is and at the recorded epochs. Settings are those of gradus train, see its --help.
Exit code: 0 if nothing is wrong, 1 if something is.")]
pub struct Doctor {
    /// Folder of a run that is to be looked at
    #[arg(value_name = "RUN", conflicts_with_all = SETTINGS, conflicts_with = "epochs")]
    run: Option<PathBuf>,
    #[command(flatten)]
    settings: Settings,
    /// See, too, whether one batch can be learned by heart
    #[arg(long)]
    one_batch: bool,
    #[command(flatten)]
    data_dir: DataDir,
    #[command(flatten)]
    threads: Threads,
    #[command(flatten)]
    workers: Workers,
    /// Show no progress
    #[arg(long, short)]
    quiet: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// What was looked at, and what was found.
struct Seen {
    job: Job,
    epochs: usize,
    findings: Vec<Finding>,
    interrupted: bool,
}

impl Doctor {
    pub fn run(self) -> Result {
        self.threads.apply();
        let mut seen = match &self.run {
            Some(_) => self.of_run()?,
            None => self.on_trial()?,
        };
        if self.one_batch && !seen.interrupted {
            // From initial weights: what a run has learned it need not learn.
            let config = &seen.job.config;
            let model = config.build_model().map_err(Failure::data)?;
            let mut optimizer = config.build_optimizer(&model)?;
            let (objective, (train, _)) =
                (config.build_objective(), seen.job.loaders(&self.workers)?);
            let found = check_one_batch(&model, &mut *optimizer, &*objective, &train, STEPS)?;
            seen.findings.extend(found);
        }
        self.tell(&seen)?;
        if seen.interrupted {
            return Err(Failure::interrupted(
                "interrupted: more could be found in more epochs",
            ));
        }
        match seen.findings.is_empty() {
            true => Ok(()),
            false => Err(Failure::told()),
        }
    }

    /// Trains on trial.
    fn on_trial(&self) -> Result<Seen> {
        let mut config = self.settings.config()?;
        config.epochs = self.settings.epochs.unwrap_or(EPOCHS);
        let job = Job::new(config, &self.data_dir)?;
        let (train, test) = job.loaders(&self.workers)?;
        let mut trainer = (job.config.build_trainer(train.len())?).stop_when(stop_on_signal()?);
        if !self.quiet {
            job.samples.tell();
            trainer = trainer.listen(Progress::new());
        }
        let report = trainer.examine(&job.model, &mut *job.optimizer()?, &train, &test)?;
        let summary = report.summary.as_ref();
        Ok(Seen {
            epochs: summary.map_or(0, |summary| summary.history.len()),
            interrupted: summary.is_some_and(|s| s.outcome == Outcome::Interrupted),
            findings: report.findings,
            job,
        })
    }

    /// Looks at what a run has left.
    fn of_run(&self) -> Result<Seen> {
        let folder = self.run.as_deref().unwrap_or(std::path::Path::new(""));
        let run = common::open(folder)?;
        let job = Job::of(&run, &self.data_dir)?;
        run.load_model(&job.model).map_err(Failure::data)?;
        let history = run.history().map_err(Failure::data)?;
        let (train, test) = job.loaders(&self.workers)?;
        let objective = job.config.build_objective();
        let mut findings = check_model(&job.model, &*objective, &train)?;
        let guess = guess(&*objective, &train)?;
        findings.extend(check_history(&history, guess, test.dataset().len()));
        Ok(Seen {
            epochs: history.len(),
            interrupted: false,
            findings,
            job,
        })
    }

    fn tell(&self, seen: &Seen) -> Result {
        let config = &seen.job.config;
        if self.json {
            return output::line(json!({
                "data": config.data,
                "model": config.model,
                "epochs": seen.epochs,
                "healthy": seen.findings.is_empty(),
                "findings": seen.findings,
            }));
        }
        let looked = format!(
            "{} on {}, {}",
            config.model,
            config.data,
            counted(seen.epochs, "epoch")
        );
        if seen.findings.is_empty() {
            return output::line(format_args!("{looked}: nothing is wrong"));
        }
        let count = counted(seen.findings.len(), "finding");
        output::line(format_args!("{looked}: {count}"))?;
        (seen.findings.iter()).try_for_each(|finding| output::line(format_args!("\n{finding}")))
    }
}
