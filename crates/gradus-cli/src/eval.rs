//! `gradus eval`.

use crate::common::{self, Threads};
use crate::failure::Result;
use crate::output::{self, thousands};
use crate::samples::{DataDir, test_loader};
use clap::Args;
use gradus::train::{Classification, evaluate_with};
use serde_json::json;
use std::path::PathBuf;

/// Measure a model on the test images of its data set
#[derive(Args)]
#[command(after_help = "\
Examples:
  gradus eval runs/digits-mlp
  gradus eval runs/mnist-mlp --data-dir ~/data
  gradus eval runs/digits-mlp --json")]
pub struct Eval {
    /// Folder of the run
    #[arg(value_name = "RUN")]
    run: PathBuf,
    #[command(flatten)]
    data: DataDir,
    #[command(flatten)]
    threads: Threads,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// The test images of one class.
#[derive(Clone, Default)]
struct Class {
    images: usize,
    right: usize,
}

impl Class {
    fn accuracy(&self) -> f64 {
        self.right as f64 / self.images.max(1) as f64
    }
}

impl Eval {
    pub fn run(self) -> Result {
        self.threads.apply();
        let run = common::open(&self.run)?;
        let model = common::model(&run)?;
        let samples = self.data.load_for(&run)?;
        let names = &samples.task.classes;
        let mut classes = vec![Class::default(); names.len()];
        let score = evaluate_with(
            &model,
            &Classification,
            &test_loader(samples.test.clone())?,
            |logits, targets| {
                let found = logits.argmax(1)?.to_vec::<i64>()?;
                for (found, target) in found.into_iter().zip(targets.to_vec::<i64>()?) {
                    // A data set's labels are within its classes, or it would not have been loaded.
                    let class = &mut classes[target as usize];
                    class.images += 1;
                    class.right += usize::from(found == target);
                }
                Ok(())
            },
        )?;

        let config = run.config();
        if self.json {
            let classes = names.iter().zip(&classes).map(|(name, class)| {
                json!({
                    "class": name,
                    "images": class.images,
                    "right": class.right,
                    "accuracy": class.accuracy(),
                })
            });
            return output::line(json!({
                "run": self.run.display().to_string(),
                "data": config.data,
                "model": config.model,
                "images": score.samples,
                "test_loss": score.loss,
                "test_accuracy": score.score,
                "classes": classes.collect::<Vec<_>>(),
            }));
        }
        let right: usize = classes.iter().map(|class| class.right).sum();
        output::line(format_args!(
            "{} on the {} test images of {}: accuracy {:.2} % ({} right), loss {:.4}\n",
            self.run.display(),
            thousands(score.samples),
            config.data,
            100.0 * score.score,
            thousands(right),
            score.loss
        ))?;
        let width = names
            .iter()
            .map(|name| name.chars().count())
            .max()
            .unwrap_or(0)
            .max(5);
        output::line(format_args!("{:width$}  accuracy  right of all", "class"))?;
        names.iter().zip(&classes).try_for_each(|(name, class)| {
            output::line(format_args!(
                "{name:width$}  {:6.2} %  {:>5} {:>6}",
                100.0 * class.accuracy(),
                class.right,
                class.images
            ))
        })
    }
}
