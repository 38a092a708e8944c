//! Word of how far a search has come, and whether the user wants its end.

use crate::common::stop_on_signal;
use crate::failure::{Failure, Result};
use crate::output;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{IsTerminal, stderr};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// What is over sooner needs no bar.
const QUIET: Duration = Duration::from_secs(1);
/// Between two lines where there is no terminal to draw a bar on.
const PAUSE: Duration = Duration::from_secs(5);
const STEPS: f64 = 1000.0;

/// Shows a bar on a terminal, elsewhere a line now and then; nothing if the work is short.
pub struct Watch {
    stop: Arc<AtomicBool>,
    bar: ProgressBar,
    started: Instant,
    said: Instant,
    /// What is done now, and since when.
    what: &'static str,
    begun: Instant,
}

impl Watch {
    /// From now on Ctrl-C and SIGTERM ask for the end instead of ending the program.
    pub fn new() -> Result<Self> {
        let target = if stderr().is_terminal() {
            ProgressDrawTarget::stderr_with_hz(10)
        } else {
            ProgressDrawTarget::hidden()
        };
        let now = Instant::now();
        Ok(Self {
            stop: stop_on_signal()?,
            bar: ProgressBar::with_draw_target(Some(STEPS as u64), target),
            started: now,
            said: now,
            what: "",
            begun: now,
        })
    }

    /// Begins another part of the work.
    pub fn begin(&mut self, what: &'static str) {
        (self.what, self.begun) = (what, Instant::now());
    }

    /// Tells how much is done, 0 to 1 where that is known, and more in words. Breaks if the user wants
    /// the end.
    pub fn tell(&mut self, share: Option<f64>, words: impl FnOnce() -> String) -> ControlFlow<()> {
        let hidden = self.bar.is_hidden();
        let due = match hidden {
            true => self.said.elapsed() >= PAUSE,
            false => self.started.elapsed() >= QUIET && self.said.elapsed() >= QUIET / 10,
        };
        if due {
            self.said = Instant::now();
            let seconds = self.begun.elapsed().as_secs_f64();
            let text = format!("{}{}", left(share, seconds), words());
            if hidden {
                output::note(format_args!("{}: {text}", self.what));
            } else {
                self.draw(share, &text);
            }
        }
        if self.stop.load(Ordering::Relaxed) {
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    }

    fn draw(&self, share: Option<f64>, text: &str) {
        let template = match share {
            Some(_) => "{bar:12.cyan/dim} {wide_msg}",
            None => "{wide_msg}",
        };
        let style = ProgressStyle::with_template(template).expect("the template is a constant");
        self.bar.set_style(style.progress_chars("━╸─"));
        self.bar.set_position((STEPS * share.unwrap_or(0.0)) as u64);
        self.bar.set_message(format!("{}: {text}", self.what));
    }

    /// Does what cannot be asked to end. If the user wants the end first, nothing comes of it.
    pub fn wait<T: Send + 'static>(
        &mut self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T> {
        let worker = std::thread::spawn(work);
        while !worker.is_finished() {
            std::thread::sleep(Duration::from_millis(1));
            if self.tell(None, String::new).is_break() {
                self.clear();
                return Err(Failure::interrupted(format_args!(
                    "interrupted while {}: there is no result yet",
                    self.what
                )));
            }
        }
        Ok((worker.join()).unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    }

    /// Leaves nothing on the terminal.
    pub fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

/// The share, and what is left of the time if the rest takes as long in proportion.
fn left(share: Option<f64>, seconds: f64) -> String {
    match share {
        // Too little to conclude from.
        Some(share) if share < 0.01 => format!("{:.0} %, ", 100.0 * share),
        Some(share) => {
            let left = duration(seconds * (1.0 - share) / share);
            format!("{:.0} %, about {left} left, ", 100.0 * share)
        }
        None => format!("{} so far", duration(seconds)),
    }
}

fn duration(seconds: f64) -> String {
    match seconds {
        0.0..100.0 => format!("{seconds:.0} s"),
        100.0..6000.0 => format!("{:.0} min", seconds / 60.0),
        _ => format!("{:.1} h", seconds / 3600.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A time that is left in the wrong unit, or of a share that says nothing.
    #[test]
    fn what_is_left_is_told_in_proportion() {
        assert_eq!(left(Some(0.0), 3.0), "0 %, ");
        assert_eq!(left(Some(0.25), 10.0), "25 %, about 30 s left, ");
        assert_eq!(left(Some(0.5), 600.0), "50 %, about 10 min left, ");
        assert_eq!(left(Some(0.1), 3600.0), "10 %, about 9.0 h left, ");
        assert_eq!(left(None, 7.0), "7 s so far");
    }
}
