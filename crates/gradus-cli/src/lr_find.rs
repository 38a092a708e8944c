//! `gradus lr-find`.

use crate::common::Threads;
use crate::failure::{Failure, Result};
use crate::output;
use crate::samples::DataDir;
use crate::train::{Job, Settings, Workers};
use clap::Args;
use gradus::Tensor;
use gradus::plot::curves_text;
use gradus::train::lr_find;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::json;
use std::io::{IsTerminal, stderr, stdout};
use std::path::PathBuf;

/// Find a learning rate: a short training in which it rises
#[derive(Args)]
#[command(after_help = "\
Examples:
  gradus lr-find
  gradus lr-find --data mnist --model cnn --batch-size 128 --out rates.svg --data-dir ~/data
  gradus lr-find --optimizer adam --from 1e-6 --to 0.1
  gradus train --lr $(gradus lr-find --json | jq .suggestion)

The learning rate rises by equal factors, one step each. The suggestion is a tenth of the rate at
which the loss was smallest: beyond that steps are too long. Nothing is kept of the training.
Settings are those of gradus train, see its --help; --lr and --epochs do not matter here.")]
pub struct LrFind {
    #[command(flatten)]
    settings: Settings,
    /// Learning rate of the first step
    #[arg(long, value_name = "X", default_value_t = 1e-5)]
    from: f64,
    /// Learning rate of the last step
    #[arg(long, value_name = "X", default_value_t = 10.0)]
    to: f64,
    /// Steps
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(2..=100_000))]
    steps: u32,
    /// Draw the losses to a file that ends in .svg, or in .png if the program was built with the
    /// feature png
    #[arg(long, value_name = "FILE.svg")]
    out: Option<PathBuf>,
    #[command(flatten)]
    data_dir: DataDir,
    #[command(flatten)]
    threads: Threads,
    #[command(flatten)]
    workers: Workers,
    /// Show no progress and no picture
    #[arg(long, short)]
    quiet: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

impl LrFind {
    pub fn run(self) -> Result {
        self.threads.apply();
        if !(self.from > 0.0 && self.from < self.to && self.to.is_finite()) {
            return Err(Failure::usage(format_args!(
                "--from {} --to {}: learning rates are above 0, and rise",
                self.from, self.to
            )));
        }
        if let Some(path) = &self.out {
            output::check_picture(path)?;
        }
        let job = Job::new(self.settings.config()?, &self.data_dir)?;
        if !self.quiet {
            job.samples.tell();
        }
        let (train, _) = job.loaders(&self.workers)?;
        let mut optimizer = job.optimizer()?;
        let objective = job.config.build_objective();
        let bar = self.bar();
        // Each step has one loss; some are measured before the first.
        let counted = |outputs: &Tensor, targets: &Tensor| {
            bar.inc(1);
            objective.loss(outputs, targets)
        };
        let range = self.from..=self.to;
        let steps = self.steps as usize;
        let found = lr_find(&job.model, &mut *optimizer, &counted, &train, range, steps)?;
        bar.finish_and_clear();
        if let Some(path) = &self.out {
            output::picture(path, found.svg())?;
        }
        if self.json {
            let points = found
                .points
                .iter()
                .map(|(lr, loss)| json!({"lr": lr, "loss": loss}));
            return output::line(json!({
                "data": job.config.data,
                "model": job.config.model,
                "optimizer": job.config.optimizer,
                "suggestion": found.suggestion,
                "points": Vec::from_iter(points),
                "out": self.out.as_ref().map(|path| path.display().to_string()),
            }));
        }
        if !self.quiet {
            let columns =
                terminal_size::terminal_size().map_or(80, |(columns, _)| columns.0.into());
            let colour =
                stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty());
            // Without colours a single line is drawn finest.
            let mut panel = found.panel();
            panel.dots.clear();
            let text = curves_text(&panel, usize::min(columns, 100), 16, colour);
            output::line(text.trim_end())?;
        }
        let (model, optimizer) = (&job.config.model, &job.config.optimizer);
        output::line(match found.suggestion {
            Some(lr) => format!(
                "suggested learning rate for {model} with {optimizer}: {:?}",
                three_digits(lr)
            ),
            None => format!(
                "the loss did not fall at any learning rate from {} to {}: gradus doctor looks for \
                 the reason",
                self.from, self.to
            ),
        })
    }

    fn bar(&self) -> ProgressBar {
        let target = match !self.quiet && stderr().is_terminal() {
            true => ProgressDrawTarget::stderr_with_hz(10),
            false => ProgressDrawTarget::hidden(),
        };
        let bar = ProgressBar::with_draw_target(Some(self.steps.into()), target);
        let style = ProgressStyle::with_template("{bar:12.cyan/dim} {percent:>3} %, {eta} left");
        bar.set_style(
            style
                .expect("the template is a constant")
                .progress_chars("━╸─"),
        );
        bar
    }
}

/// What people would type: the test is no more exact.
fn three_digits(x: f64) -> f64 {
    format!("{x:.2e}").parse().unwrap_or(x)
}
