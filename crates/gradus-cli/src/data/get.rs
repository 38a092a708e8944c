//! `gradus data get`.

use crate::common::stop_on_signal;
use crate::failure::{Failure, Result};
use crate::output;
use crate::samples::DataDir;
use clap::Args;
use clap::builder::PossibleValuesParser;
use gradus::Kind;
use gradus::data::{DOWNLOADS, Download, DownloadEvent, Fetched};
use indicatif::{HumanBytes, ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::json;
use std::io::{IsTerminal, stderr};
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Between two lines where there is no terminal to draw a bar on.
const PAUSE: Duration = Duration::from_secs(5);

/// Fetch data sets, as far as they are not there, and make sure that they are right
#[derive(Args)]
#[command(after_help = "\
Examples:
  gradus data get mnist
  gradus data get fashion-mnist cifar-10 --data-dir ~/data
  gradus data get mnist --from /media/stick
  gradus data get mnist --from http://teacher.local:8000

mnist has 12 MB, fashion-mnist 31 MB, cifar-10 170 MB, abalone 0.2 MB. Known servers are asked in
turn. What has arrived is kept when something breaks, or with Ctrl-C: the same command goes on
from there. A file gets its name when its content is right, which its SHA-256 tells; of cifar-10
we know none, so there the sizes and labels do. Files that are there are checked, not fetched.
For rooms without internet: --from takes a folder or an address that holds the files, for
instance somebody's data directory, where `python3 -m http.server` serves it.
The program curl does the transfer. No other command uses the network.")]
pub struct Get {
    /// Data sets
    #[arg(value_name = "NAME", required = true, value_parser = PossibleValuesParser::new(DOWNLOADS))]
    names: Vec<String>,
    /// Folder or address to fetch from, instead of the known servers
    #[arg(long, value_name = "DIR_OR_URL")]
    from: Option<String>,
    /// Seconds that a server may say nothing
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = clap::value_parser!(u32).range(1..))]
    timeout: u32,
    #[command(flatten)]
    data: DataDir,
    /// Show no progress
    #[arg(long, short)]
    quiet: bool,
    /// Print one JSON array
    #[arg(long)]
    json: bool,
}

impl Get {
    pub fn run(self) -> Result {
        let stop = stop_on_signal()?;
        let mut progress = Progress::new(self.quiet);
        let mut sets = Vec::new();
        for name in &self.names {
            let download = Download::new(name).map_err(Failure::usage)?;
            let fetched = download
                .data_dir(self.data.data_dir.as_deref())
                .from(self.from.as_deref())
                .patience(Duration::from_secs(self.timeout.into()))
                .run(&mut |event| progress.tell(event, &stop));
            progress.bar.finish_and_clear();
            let fetched = fetched.map_err(|e| match e.kind() {
                Kind::Data => Failure::data(e),
                _ => e.into(),
            })?;
            let Some(files) = fetched else {
                return Err(Failure::interrupted(
                    "stopped; what has arrived is kept, the same command goes on from there",
                ));
            };
            sets.push(json!({
                "name": name,
                "files": files.iter().map(as_json).collect::<Vec<_>>(),
            }));
            if !self.json {
                output::line(as_text(name, &files))?;
            }
        }
        match self.json {
            true => output::line(serde_json::Value::from(sets)),
            false => Ok(()),
        }
    }
}

fn as_json(file: &Fetched) -> serde_json::Value {
    json!({
        "path": file.path.display().to_string(),
        "from": file.from,
        "checked_by": file.checked_by,
    })
}

fn as_text(name: &str, files: &[Fetched]) -> String {
    let new = files.iter().filter(|file| file.from.is_some()).count();
    let folder = files.first().and_then(|file| file.path.parent());
    let folder = folder.map_or(String::new(), |folder| format!(" in {}", folder.display()));
    let what = match new {
        0 => "was there and is right".to_string(),
        _ => format!("is there, {} fetched", output::counted(new, "file")),
    };
    format!("{name}: {what}{folder}")
}

/// A bar on a terminal, elsewhere a line at the beginning of a file and now and then.
struct Progress {
    bar: ProgressBar,
    quiet: bool,
    /// Of the file: when it was begun, how much was there then, and when it was spoken of last.
    begun: Instant,
    before: Option<u64>,
    said: Instant,
}

impl Progress {
    fn new(quiet: bool) -> Self {
        let target = if stderr().is_terminal() && !quiet {
            ProgressDrawTarget::stderr_with_hz(10)
        } else {
            ProgressDrawTarget::hidden()
        };
        // What matters least is last, where a narrow terminal cuts it off.
        let style = ProgressStyle::with_template(
            "{bar:16.cyan/dim} {percent:>3} %, {eta} left, {bytes} of {total_bytes}, {wide_msg}",
        );
        let bar = ProgressBar::with_draw_target(None, target);
        bar.set_style(
            style
                .expect("the template is a constant")
                .progress_chars("━╸─"),
        );
        let now = Instant::now();
        Self {
            bar,
            quiet,
            begun: now,
            before: None,
            said: now,
        }
    }

    fn tell(&mut self, event: DownloadEvent<'_>, stop: &AtomicBool) -> ControlFlow<()> {
        match event {
            DownloadEvent::Begin { file, from } => {
                self.say(format_args!("{file} from {from}"));
                (self.begun, self.before) = (Instant::now(), None);
            }
            DownloadEvent::Bytes { done, total } => self.bytes(done, total),
            DownloadEvent::Problem { from, why } => self.say(format_args!("{from}: {why}")),
            _ => {}
        }
        match stop.load(Ordering::Relaxed) {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    }

    fn bytes(&mut self, done: u64, total: Option<u64>) {
        let before = *self.before.get_or_insert_with(|| {
            self.bar.set_position(done);
            self.bar.reset_eta();
            done
        });
        let seconds = self.begun.elapsed().as_secs_f64();
        let rate = done.saturating_sub(before) as f64 / seconds.max(1e-3);
        let rate_text = format!("{}/s", HumanBytes(rate as u64));
        if !self.bar.is_hidden() {
            if let Some(total) = total {
                self.bar.set_length(total);
            }
            self.bar.set_position(done);
            self.bar.set_message(rate_text);
        } else if self.said.elapsed() >= PAUSE {
            let rest = match total {
                Some(total) if rate > 0.0 => format!(
                    " of {}, {:.0} s left",
                    HumanBytes(total),
                    total.saturating_sub(done) as f64 / rate
                ),
                _ => String::new(),
            };
            self.say(format_args!("  {}{rest}, {rate_text}", HumanBytes(done)));
        }
    }

    fn say(&mut self, text: std::fmt::Arguments<'_>) {
        if !self.quiet {
            self.bar.suspend(|| output::note(text));
        }
        self.said = Instant::now();
    }
}
