//! `gradus sweep`.

use crate::common::{Threads, stop_on_signal};
use crate::failure::{Failure, Result};
use crate::output::{self, counted, shell_word};
use crate::samples::{DataDir, Samples};
use crate::train::{self, Job, Settings, Workers};
use clap::Args;
use gradus::train::sweep::{Figures, Row, Sweep as Space, Table, Trial};
use gradus::train::{Event, LOSS, Listener, Run, Summary};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::json;
use std::io::{IsTerminal, stderr};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Settings that say what the samples are.
const SAMPLES: [&str; 11] = [
    "data",
    "target",
    "objective",
    "drop",
    "header",
    "test_size",
    "resize",
    "grey",
    "skip_corrupt",
    "task",
    "table",
];

/// Rows of the table that are printed.
const SHOWN: usize = 20;

/// Train with many settings and compare
#[derive(Args)]
#[command(after_help = "\
Examples:
  gradus sweep --vary 'lr=0.01|0.1|1'
  gradus sweep --vary lr=0.01..0.3:log:4 --vary 'optimizer=sgd|adam' --epochs 10
  gradus sweep --data mnist --vary lr=0.01..0.3:log --vary 'hidden=64|128|64,32' --random --runs 12
  gradus eval runs/sweep-digits-mlp/run-2

Each --vary names a setting of gradus train and its values: A|B|C, one of them (in quotes, for the
shell; none leaves a setting out), or LOW..HIGH, a range, :log for equal factors, :N for N values.
All combinations are trained, or with --random so many as --runs says, drawn by --seed.
The folder gets sweep.csv, a row for each run with the figures of its epoch of the smallest test
loss, and the folders of the runs. A run that fails is a row with its error. Ctrl-C ends the sweep;
the same command goes on with it, in the middle of a run too, and with more --runs it is longer.
The other settings are those of gradus train, see its --help.
Exit code: 1 if every run failed.")]
pub struct Sweep {
    /// A setting and its values; several make combinations
    #[arg(long, value_name = "NAME=VALUES", required = true)]
    vary: Vec<String>,
    /// Draw combinations at random
    #[arg(long)]
    random: bool,
    /// Combinations to draw
    #[arg(long, value_name = "N", default_value_t = 10, requires = "random", value_parser = clap::value_parser!(u32).range(1..))]
    runs: u32,
    #[command(flatten)]
    settings: Settings,
    /// Folder for the table and the runs [default: runs/sweep-DATA-MODEL]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
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

impl Sweep {
    pub fn run(self) -> Result {
        self.threads.apply();
        let base = self.settings.config()?;
        for vary in &self.vary {
            let name = vary.split('=').next().unwrap_or_default().replace('-', "_");
            if SAMPLES.contains(&name.as_str()) {
                return Err(Failure::usage(format_args!(
                    "{name} cannot vary: runs on other samples are not comparable"
                )));
            }
        }
        // With what the samples ask of a model.
        let Job {
            config: base,
            samples,
            ..
        } = Job::new(base, &self.data_dir)?;
        if !self.quiet {
            samples.tell();
        }
        let out = self.out.clone().unwrap_or_else(|| {
            format!("runs/sweep-{}-{}", train::name(&base.data), base.model).into()
        });
        let space = Space::new(base.clone(), &self.vary).map_err(Failure::of_settings)?;
        let trials = match self.random {
            true => space.random(self.runs as usize, base.seed),
            false => space.grid(),
        };
        let trials = trials.map_err(Failure::of_settings)?;
        let mut work = Work {
            sweep: &self,
            samples,
            stop: stop_on_signal()?,
            bar: self.bar(epochs(trials.iter())),
            trials: trials.len(),
            out: &out,
        };
        let before = Table::open(&space, &out).map_err(Failure::of_settings)?;
        let known = before.rows().len().min(trials.len());
        if known > 0 && !self.quiet {
            work.say(&format!(
                "{} of {} are done already",
                known,
                counted(trials.len(), "run")
            ));
        }
        let done = trials
            .iter()
            .filter(|trial| before.rows().iter().any(|r| r.run == trial.run));
        work.bar.set_position(epochs(done));
        work.bar.reset_eta();
        let table = space
            .run(&trials, &out, |trial| work.train(trial))
            .map_err(Failure::of_settings)?;
        work.bar.finish_and_clear();
        let interrupted = work.stop.load(Ordering::Relaxed) && table.rows().len() < trials.len();
        self.tell(&table)?;
        if interrupted {
            return Err(Failure::interrupted(format_args!(
                "interrupted after {} of {}; the same command goes on",
                table.rows().len(),
                counted(trials.len(), "run")
            )));
        }
        match table.best() {
            Some(_) => Ok(()),
            None => Err(Failure::told()),
        }
    }

    fn tell(&self, table: &Table) -> Result {
        let mut rows: Vec<&Row> = table.rows().iter().collect();
        let loss = |row: &Row| row.result.as_ref().map_or(f64::INFINITY, |f| f.test_loss);
        rows.sort_by(|a, b| loss(a).total_cmp(&loss(b)));
        let failed = rows.iter().filter(|row| row.result.is_err()).count();
        if self.json {
            return output::line(json!({
                "out": table.path().display().to_string(),
                "runs": rows.len(),
                "failed": failed,
                "best": table.best().map(|row| as_json(table, row)),
                "rows": Vec::from_iter(table.rows().iter().map(|row| as_json(table, row))),
            }));
        }
        let mut lines = vec![header(table)];
        lines.extend(rows.iter().take(SHOWN).map(|row| fields(table, row)));
        let widths: Vec<usize> = (0..lines[0].len())
            .map(|i| {
                lines
                    .iter()
                    .map(|line| line[i].chars().count())
                    .max()
                    .unwrap_or(0)
            })
            .collect();
        for line in &lines {
            let cells = line
                .iter()
                .zip(&widths)
                .map(|(cell, width)| format!("{cell:width$}"));
            output::line(Vec::from_iter(cells).join("  ").trim_end())?;
        }
        for row in rows.iter().take(SHOWN) {
            if let Err(error) = &row.result {
                output::line(format_args!("run {} failed: {error}", row.run))?;
            }
        }
        let more = match rows.len().saturating_sub(SHOWN) {
            0 => String::new(),
            n => format!("{n} more, "),
        };
        output::line(format_args!("{more}table in {}", shell_word(&table.path())))?;
        if let (Some(best), Some(folder)) = (table.best(), table.path().parent()) {
            let folder = folder.join(format!("run-{}", best.run));
            output::line(format_args!(
                "best: gradus eval {}{}",
                shell_word(&folder),
                self.data_dir.again()
            ))?;
        }
        Ok(())
    }

    fn bar(&self, epochs: u64) -> ProgressBar {
        let target = match !self.quiet && stderr().is_terminal() {
            true => ProgressDrawTarget::stderr_with_hz(10),
            false => ProgressDrawTarget::hidden(),
        };
        let bar = ProgressBar::with_draw_target(Some(epochs), target);
        let style = ProgressStyle::with_template(
            "{bar:12.cyan/dim} {percent:>3} %, {eta} left, {wide_msg}",
        );
        bar.set_style(
            style
                .expect("the template is a constant")
                .progress_chars("━╸─"),
        );
        bar.enable_steady_tick(Duration::from_millis(200));
        bar
    }
}

/// What the runs have in common.
struct Work<'a> {
    sweep: &'a Sweep,
    samples: Samples,
    stop: Arc<AtomicBool>,
    bar: ProgressBar,
    trials: usize,
    out: &'a std::path::Path,
}

impl Work<'_> {
    /// Trains in a folder of its own, from where an interrupted run stopped.
    fn train(&mut self, trial: &Trial) -> gradus::Result<Summary> {
        let start = self.bar.position();
        self.bar
            .set_message(format!("run {} of {}: {trial}", trial.run, self.trials));
        let result = self.fit(trial);
        // Also if it ended early.
        self.bar.set_position(start + trial.config.epochs as u64);
        let word = match &result {
            Ok(summary) => match summary
                .history
                .iter()
                .min_by(|a, b| a.test_loss.total_cmp(&b.test_loss))
            {
                Some(best) => format!(
                    "test loss {:.4}{} at epoch {}",
                    best.test_loss,
                    score(&best.metric, best.test_score),
                    best.epoch
                ),
                None => "interrupted".into(),
            },
            Err(e) => format!("failed: {e}"),
        };
        if !self.sweep.quiet {
            self.say(&format!(
                "run {} of {}  {trial}  {word}",
                trial.run, self.trials
            ));
        }
        result
    }

    fn fit(&self, trial: &Trial) -> gradus::Result<Summary> {
        let folder = self.out.join(format!("run-{}", trial.run));
        let run = match Run::open(&folder) {
            Ok(run) if *run.config() == trial.config.clone().resolved() => run,
            _ => Run::create(&folder, &trial.config)?,
        };
        let model = trial.config.build_model()?;
        let mut optimizer = trial.config.build_optimizer(&model)?;
        let job = Job {
            config: trial.config.clone(),
            samples: self.samples.clone(),
            model,
        };
        let (train, test) = job.loaders(&self.sweep.workers)?;
        (trial.config.build_trainer(train.len())?)
            .run(&run)
            .stop_when(self.stop.clone())
            .listen(Epochs(&self.bar))
            .fit(&job.model, &mut *optimizer, &train, &test)
    }

    /// A line above the bar, or just a line.
    fn say(&self, text: &str) {
        match self.bar.is_hidden() {
            true => output::note(text),
            false => self.bar.println(text),
        }
    }
}

/// How many epochs these are in all.
fn epochs<'a>(trials: impl Iterator<Item = &'a Trial>) -> u64 {
    trials.map(|trial| trial.config.epochs as u64).sum()
}

/// Counts epochs.
struct Epochs<'a>(&'a ProgressBar);

impl Listener for Epochs<'_> {
    fn on(&mut self, event: Event<'_>) -> gradus::Result<()> {
        match event {
            Event::Start { done, .. } => self.0.inc(done.0 as u64),
            Event::Epoch(_) => self.0.inc(1),
            _ => {}
        }
        Ok(())
    }
}

/// ` accuracy 0.9611`; nothing if there is no score but the loss.
fn score(metric: &str, score: f64) -> String {
    match metric {
        LOSS => String::new(),
        metric => format!(" {metric} {score:.4}"),
    }
}

fn header(table: &Table) -> Vec<String> {
    let mut cells = vec!["run".to_string()];
    cells.extend(table.names().iter().cloned());
    cells.push("test_loss".into());
    if table.metric() != LOSS {
        cells.push(format!("test_{}", table.metric()));
    }
    cells.extend(["best_epoch", "seconds"].map(String::from));
    cells
}

fn fields(table: &Table, row: &Row) -> Vec<String> {
    let mut cells = vec![row.run.to_string()];
    cells.extend(row.settings.iter().cloned());
    let scores = usize::from(table.metric() != LOSS);
    match &row.result {
        Ok(f) => {
            cells.push(format!("{:.4}", f.test_loss));
            cells.extend(vec![format!("{:.4}", f.test_score); scores]);
            cells.push(f.best_epoch.to_string());
            cells.push(format!("{:.2}", f.seconds));
        }
        Err(_) => {
            cells.push("failed".into());
            cells.extend(vec![String::new(); scores + 2]);
        }
    }
    cells
}

fn as_json(table: &Table, row: &Row) -> serde_json::Value {
    let settings = table.names().iter().cloned();
    let settings = settings.zip(row.settings.iter().map(|value| json!(value)));
    let mut object = json!({
        "run": row.run,
        "settings": serde_json::Map::from_iter(settings),
    });
    match &row.result {
        Ok(figures) => {
            let Figures {
                epochs,
                best_epoch,
                test_loss,
                test_score,
                train_loss,
                train_score,
                seconds,
            } = *figures;
            object["epochs"] = json!(epochs);
            object["best_epoch"] = json!(best_epoch);
            object["test_loss"] = json!(test_loss);
            object["train_loss"] = json!(train_loss);
            if table.metric() != LOSS {
                object[format!("test_{}", table.metric())] = json!(test_score);
                object[format!("train_{}", table.metric())] = json!(train_score);
            }
            object["seconds"] = json!(seconds);
        }
        Err(error) => object["error"] = json!(error),
    }
    object
}
