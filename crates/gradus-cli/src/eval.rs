//! `gradus eval`.

mod classes;
mod numbers;

use crate::common::{self, Threads, Weights};
use crate::failure::Result;
use crate::output;
use crate::samples::{DataDir, Samples};
use clap::Args;
use gradus::nn::Layer;
use gradus::train::Run;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Measure a model on the test samples of its data set, and draw where it is wrong
#[derive(Args)]
#[command(after_help = "\
Examples:
  gradus eval runs/digits-mlp
  gradus eval runs/mnist-mlp --best --data-dir ~/data
  gradus eval runs/digits-mlp --json --out pictures

Of classes it prints precision (of what was taken for the class, how much was), recall (of what is of
the class, how much was found), F1 (their harmonic mean) and the number of samples (support), and
draws confusion.svg, which class is taken for which, and of images mistakes.svg, the worst mistakes.
Of numbers it prints R² (1 is perfect, 0 what their mean would give) and errors in their own unit, and
draws predicted.svg, what was predicted over what is true.")]
pub struct Eval {
    /// Folder of the run
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// Folder for the pictures [default: that of the run]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    #[command(flatten)]
    weights: Weights,
    #[command(flatten)]
    data: DataDir,
    #[command(flatten)]
    threads: Threads,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// What was measured.
struct Measured {
    text: String,
    json: Value,
    /// What is drawn, the name of its file, and the file.
    pictures: Vec<(&'static str, &'static str, String)>,
}

/// A run to be measured.
struct Subject<'a> {
    run: &'a Run,
    model: &'a dyn Layer,
    samples: &'a Samples,
}

impl Subject<'_> {
    /// The first words of a result: what was measured on what.
    fn name(&self) -> String {
        let config = self.run.config();
        let what = match config.table {
            Some(_) => "row",
            None => "image",
        };
        format!(
            "{} on the {} of {}",
            self.run.folder().display(),
            output::counted(self.samples.test.len(), &format!("test {what}")),
            config.data
        )
    }
}

impl Eval {
    pub fn run(self) -> Result {
        self.threads.apply();
        let run = common::open(&self.run)?;
        let model = common::model(&run, self.weights)?;
        let samples = self.data.load_for(&run)?;
        let subject = Subject {
            run: &run,
            model: &*model,
            samples: &samples,
        };
        let measured = match samples.task.is_regression() {
            true => numbers::measure(&subject)?,
            false => classes::measure(&subject)?,
        };
        match self.json {
            true => output::line(&measured.json)?,
            false => output::line(&measured.text)?,
        }
        self.draw(&measured, run.folder())
    }

    fn draw(&self, measured: &Measured, folder: &Path) -> Result {
        let folder = self.out.as_deref().unwrap_or(folder);
        std::fs::create_dir_all(folder).map_err(|e| {
            crate::failure::Failure::usage(format_args!(
                "cannot make the folder {}: {e}",
                folder.display()
            ))
        })?;
        for (what, file, svg) in &measured.pictures {
            let path = folder.join(file);
            output::file(&path, svg)?;
            output::note(format_args!("{what} in {}", path.display()));
        }
        Ok(())
    }
}
