//! Progress for people: a bar on a terminal, one plain line an epoch elsewhere.

use super::{Event, LOSS, Listener};
use crate::Result;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::fmt;
use std::io::{IsTerminal, Write, stderr};
use std::time::Duration;

/// Shows training on standard error.
///
/// On a terminal a bar with rate, remaining time and the epoch's loss and score so far, and a
/// line for each finished epoch; elsewhere just the lines.
pub struct Progress {
    bar: ProgressBar,
    epochs: usize,
    metric: String,
}

impl Default for Progress {
    fn default() -> Self {
        Self::new()
    }
}

impl Progress {
    /// For the standard error stream that this program has.
    pub fn new() -> Self {
        let target = if stderr().is_terminal() {
            ProgressDrawTarget::stderr_with_hz(10)
        } else {
            ProgressDrawTarget::hidden()
        };
        Self {
            bar: ProgressBar::with_draw_target(None, target),
            epochs: 0,
            metric: LOSS.into(),
        }
    }

    /// `epoch  2/30`: all of the same width.
    fn epoch(&self, epoch: usize) -> String {
        let width = self.epochs.to_string().len();
        format!("epoch {epoch:>width$}/{}", self.epochs)
    }

    /// Loss and score in words.
    fn figures(&self, loss: f64, score: f64) -> String {
        match self.metric.as_str() {
            LOSS => format!("loss {}", Short(loss)),
            metric => format!("loss {} {metric} {}", Short(loss), Short(score)),
        }
    }

    /// A line above the bar, or just a line.
    fn line(&self, text: &str) {
        if self.bar.is_hidden() {
            // Nobody to tell if standard error is closed.
            let _ = writeln!(stderr(), "{text}");
        } else {
            self.bar.println(text);
        }
    }
}

impl Listener for Progress {
    fn on(&mut self, event: Event<'_>) -> Result<()> {
        match event {
            Event::Start {
                epochs,
                steps,
                parameters,
                metric,
                done,
            } => {
                self.epochs = epochs;
                self.metric = metric.into();
                let from = match done {
                    (0, 0) => String::new(),
                    (epoch, 0) => format!(", going on after epoch {epoch}"),
                    (epoch, step) => format!(", going on after epoch {epoch} and {step} steps"),
                };
                // What matters least is last, where a narrow terminal cuts it off.
                let style = ProgressStyle::with_template(
                    "{prefix} {bar:12.cyan/dim} {percent:>3} %, {eta} left, {wide_msg}",
                );
                let style = style.expect("the template is a constant");
                self.bar.set_style(style.progress_chars("━╸─"));
                self.bar.set_length((epochs * steps) as u64);
                self.bar.set_position((done.0 * steps + done.1) as u64);
                self.bar.reset_eta();
                self.line(&format!(
                    "{parameters} parameters, {epochs} epochs of {steps} steps{from}"
                ));
                // Time goes on although a step is long.
                self.bar.enable_steady_tick(Duration::from_millis(200));
            }
            Event::Step { epoch, score, .. } => {
                self.bar.inc(1);
                if !self.bar.is_hidden() {
                    self.bar.set_prefix(self.epoch(epoch));
                    self.bar.set_message(format!(
                        "{}, {:.0} steps/s",
                        self.figures(score.loss, score.score),
                        self.bar.per_sec()
                    ));
                }
            }
            Event::Epoch(e) => self.line(&format!(
                "{}  train {}  test {}  {:.2} s",
                self.epoch(e.epoch),
                self.figures(e.train_loss, e.train_score),
                self.figures(e.test_loss, e.test_score),
                e.seconds
            )),
            Event::Done(_) => self.bar.finish_and_clear(),
            Event::Validation { .. } | Event::Checkpoint { .. } => {}
        }
        Ok(())
    }
}

/// A number that has run away is not worth thirty digits.
struct Short(f64);

impl fmt::Display for Short {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.abs() < 1e6 {
            write!(f, "{:.4}", self.0)
        } else {
            write!(f, "{:.3e}", self.0)
        }
    }
}
