//! `gradus predict`.

mod image;
mod record;
mod table;

use crate::common::{self, Threads, Weights};
use crate::failure::{Failure, Result};
use crate::output;
use clap::Args;
use gradus::nn::Layer;
use gradus::train::{Config, TableEncoding, Task};
use record::{Outcome, Reader, Records, as_json, as_text};
use std::path::{Path, PathBuf};

/// Say what is on images, or what the rows of a table lead to, with the model of a run
#[derive(Args)]
#[command(after_help = "\
Examples:
  gradus predict runs/digits-mlp three.png
  gradus predict runs/mnist-mlp scans/*.jpg --out found.csv
  gradus predict runs/digits-mlp three.png --json
  gradus predict runs/houses-mlp new.csv --out prices.csv

For a model of grey images an image is made grey, padded to the shape of those the model was trained
on, scaled to their size, and inverted if its border is light: the models learn from light strokes on
dark ground. For a model of colour images its middle is taken, of their proportions, and scaled.
Of several images the good ones are shown even if others cannot be read; the exit code is then 3.

A table needs the columns that the model was trained on, by their names and in any order; it may have
others. Its rows are prepared as those were. The result is the table with columns for what is
predicted, and of classes the probability of each.")]
pub struct Predict {
    /// Folder of the run
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// Images, PNG or JPEG; of a run on a table one CSV file
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// Write the predictions to this file, by its end a CSV table or a JSON array
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    weights: Weights,
    #[command(flatten)]
    threads: Threads,
    /// Print one JSON object for each image or row, a line each
    #[arg(long)]
    json: bool,
}

impl Predict {
    pub fn run(self) -> Result {
        self.threads.apply();
        let run = common::open(&self.run)?;
        let model = common::model(&run, self.weights)?;
        let config = run.config();
        let Some(task) = &config.task else {
            return Err(Failure::data(format_args!(
                "{}: no task",
                self.run.display()
            )));
        };
        if let Some(path) = &self.out {
            output::check_file(path)?;
        }
        match &config.table {
            Some(encoding) => self.rows(config, task, encoding, &*model),
            None => self.images(config, task, &*model),
        }
    }

    fn images(&self, config: &Config, task: &Task, model: &dyn Layer) -> Result {
        let input = &task.input;
        let &[channels @ (1 | 3), height, width] = &input[..] else {
            return Err(Failure::data(format_args!(
                "{}: its model takes inputs of shape {input:?}, which are no grey or colour images",
                self.run.display()
            )));
        };
        let reader = Reader::new(config, task);
        let (mut rows, mut broken) = (Vec::new(), false);
        for path in &self.files {
            let input = image::input(path, [channels, height, width]);
            let outcome = input.and_then(|x| reader.outcomes(model, &x));
            match outcome.map(|mut all| all.pop()) {
                Ok(Some(outcome)) => {
                    if self.out.is_none() {
                        self.show(path, task, &outcome)?;
                    }
                    rows.push((vec![path.display().to_string()], outcome));
                }
                Ok(None) => {}
                Err(e) => {
                    output::note(format_args!("error: {}: {e}", path.display()));
                    broken = true;
                }
            }
        }
        if let Some(path) = &self.out {
            let records = Records {
                classes: &task.classes,
                target: "class".into(),
                given: vec!["image".into()],
                rows,
            };
            records.write(path, |i| {
                let (image, outcome) = &records.rows[i];
                as_json("image", image[0].clone().into(), &task.classes, outcome)
            })?;
        }
        if broken {
            Err(Failure::data_told())
        } else {
            Ok(())
        }
    }

    /// What is on one image.
    fn show(&self, path: &Path, task: &Task, outcome: &Outcome) -> Result {
        let image = path.display().to_string();
        match outcome {
            Outcome::Class(probabilities) if !self.json => {
                output::line(as_text(path, &task.classes, probabilities))
            }
            Outcome::Number(x) if !self.json => output::line(format_args!("{image}: {x}")),
            outcome => output::line(as_json("image", image.into(), &task.classes, outcome)),
        }
    }

    fn rows(
        &self,
        config: &Config,
        task: &Task,
        encoding: &TableEncoding,
        model: &dyn Layer,
    ) -> Result {
        let [path] = &self.files[..] else {
            return Err(Failure::usage(format_args!(
                "{} was trained on a table: expected one file with rows, got {}",
                self.run.display(),
                self.files.len()
            )));
        };
        let (table, x) = table::rows(path, config, encoding)?;
        let outcomes = Reader::new(config, task).outcomes(model, &x);
        let outcomes =
            outcomes.map_err(|e| Failure::data(format_args!("{}: {e}", path.display())))?;
        let rows = outcomes.into_iter().enumerate();
        let records = Records {
            classes: &task.classes,
            target: config.target.clone().unwrap_or_default(),
            given: table.columns().to_vec(),
            rows: rows
                .map(|(row, outcome)| (table::cells(&table, row), outcome))
                .collect(),
        };
        let json = |row: usize| {
            let line = table.line(row).into();
            as_json("line", line, &task.classes, &records.rows[row].1)
        };
        match &self.out {
            Some(path) => records.write(path, json),
            None if self.json => {
                (0..records.rows.len()).try_for_each(|row| output::line(json(row)))
            }
            None => output::line(records.csv().trim_end()),
        }
    }
}
