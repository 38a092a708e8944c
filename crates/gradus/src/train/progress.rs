//! Progress for people: a bar on a terminal, one plain line an epoch elsewhere.

use super::{Event, Listener, Outcome};
use crate::Result;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{IsTerminal, Write, stderr};
use std::time::Duration;

/// Shows training on standard error.
///
/// On a terminal a bar with rate, remaining time and the epoch's loss and accuracy so far, and a
/// line for each finished epoch; elsewhere just the lines.
pub struct Progress {
    bar: ProgressBar,
    epochs: usize,
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
            Event::Start { epochs, steps, parameters, done } => {
                self.epochs = epochs;
                let from = match done {
                    (0, 0) => String::new(),
                    (epoch, step) => format!(", going on after epoch {epoch} and {step} steps"),
                };
                self.line(&format!("{parameters} parameters, {epochs} epochs of {steps} steps{from}"));
                let style = ProgressStyle::with_template(
                    "{prefix} {bar:24.cyan/dim} {pos}/{len} steps, {per_sec}, {eta} left, {msg}",
                );
                self.bar.set_style(style.expect("the template is a constant").progress_chars("━╸─"));
                self.bar.set_length((epochs * steps) as u64);
                self.bar.set_position((done.0 * steps + done.1) as u64);
                self.bar.reset_eta();
                self.bar.enable_steady_tick(Duration::from_millis(200));
            }
            Event::Step { epoch, score, .. } => {
                self.bar.inc(1);
                if !self.bar.is_hidden() {
                    self.bar.set_prefix(format!("epoch {epoch}/{}", self.epochs));
                    self.bar.set_message(format!("loss {:.4}, accuracy {:.4}", score.loss, score.accuracy));
                }
            }
            Event::Epoch(e) => self.line(&format!(
                "epoch {:>width$}/{}  train loss {:.4} accuracy {:.4}  test loss {:.4} accuracy {:.4}  {:.2} s",
                e.epoch,
                self.epochs,
                e.train_loss,
                e.train_accuracy,
                e.test_loss,
                e.test_accuracy,
                e.seconds,
                width = self.epochs.to_string().len()
            )),
            Event::Done(summary) => {
                self.bar.finish_and_clear();
                if summary.outcome == Outcome::Interrupted {
                    let (epochs, steps) = summary.done;
                    self.line(&format!("interrupted after epoch {epochs} and {steps} steps"));
                }
            }
            Event::Validation { .. } | Event::Checkpoint { .. } => {}
        }
        Ok(())
    }
}
