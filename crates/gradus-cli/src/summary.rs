//! `gradus summary`.

use crate::common;
use crate::failure::{Failure, Result};
use crate::output;
use crate::samples::DataDir;
use crate::train::{Job, SETTINGS, Settings};
use clap::Args;
use gradus::nn::{self, Layer};
use gradus::train::Task;
use serde_json::json;
use std::path::PathBuf;

/// Show the layers of a model: output shapes, parameters, memory, multiply-adds
#[derive(Args)]
#[command(after_help = "\
Examples:
  gradus summary runs/digits-mlp
  gradus summary --model resnet20 --input 3x32x32 --classes 10
  gradus summary --model resnet20 --data cifar-10
  gradus summary --model net.toml --data mnist
  gradus summary --data houses.csv --target price --hidden 64,64

The settings are those of train. Shapes are those of one sample. A multiplication and the addition
behind it count as one; FLOPs are twice as many. Only linear layers and convolutions are counted.
Training keeps the activations of every sample of a batch, the gradients of all parameters, and what
the optimizer remembers of each: nothing for plain sgd, one number with momentum, two for adam.")]
pub struct Summary {
    /// Folder of a run; or the settings of one
    #[arg(value_name = "RUN", conflicts_with_all = SETTINGS, conflicts_with = "epochs")]
    run: Option<PathBuf>,
    #[command(flatten)]
    settings: Settings,
    /// Shape of a sample, such as 3x32x32, in place of those of the data
    #[arg(long, value_name = "SHAPE", value_parser = shape, requires = "classes", conflicts_with_all = ["data", "run"])]
    input: Option<Shape>,
    /// Number of results for a sample
    #[arg(long, value_name = "N", requires = "input")]
    classes: Option<usize>,
    #[command(flatten)]
    data_dir: DataDir,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Of a sample.
#[derive(Clone)]
struct Shape(Vec<usize>);

/// Sizes from `3x32x32`.
fn shape(text: &str) -> Result<Shape, String> {
    let sizes = text
        .split(['x', '×'])
        .map(|n| n.parse().ok().filter(|n| *n > 0));
    let sizes: Option<Vec<usize>> = sizes.collect();
    sizes
        .map(Shape)
        .ok_or_else(|| "expected numbers, such as 3x32x32".into())
}

/// The shapes of samples of ten classes that need not be read.
const KNOWN: [(&str, [usize; 3]); 4] = [
    ("digits", [1, 8, 8]),
    ("mnist", [1, 28, 28]),
    ("fashion-mnist", [1, 28, 28]),
    ("cifar-10", [3, 32, 32]),
];

impl Summary {
    pub fn run(self) -> Result {
        let (model, input) = self.model()?;
        let found = nn::summary(&model, &input).map_err(Failure::of_settings)?;
        if !self.json {
            // It ends in a line break of its own.
            return output::line(found.to_string().trim_end());
        }
        let layers = found.layers.iter().map(|row| {
            json!({
                "path": row.path,
                "layer": row.layer,
                "output": row.output,
                "parameters": row.parameters,
                "multiply_adds": row.multiply_adds,
            })
        });
        output::line(json!({
            "input": input,
            "layers": layers.collect::<Vec<_>>(),
            "parameters": found.parameters,
            "trainable": found.trainable,
            "bytes": found.bytes,
            "activation_bytes": found.activation_bytes,
            "multiply_adds": found.multiply_adds,
        }))
    }

    /// The model, and the shape of a sample.
    fn model(&self) -> Result<(Box<dyn Layer>, Vec<usize>)> {
        if let Some(folder) = &self.run {
            let run = common::open(folder)?;
            let model = run.config().build_model().map_err(Failure::data)?;
            let task = run.config().task.as_ref();
            return Ok((model, task.map_or(Vec::new(), |task| task.input.clone())));
        }
        let mut config = self.settings.config()?;
        let known = KNOWN.iter().find(|(name, _)| *name == config.data);
        let (input, classes) = match (&self.input, self.classes, known) {
            (Some(Shape(input)), Some(classes), _) => (input.clone(), classes),
            (_, _, Some((_, shape))) => (shape.to_vec(), 10),
            _ => {
                let Job { model, samples, .. } = Job::new(config, &self.data_dir)?;
                return Ok((model, samples.task.input));
            }
        };
        config.task = Some(Task {
            input: input.clone(),
            classes: (0..classes).map(|n| n.to_string()).collect(),
        });
        let model = config.build_model().map_err(Failure::of_settings)?;
        Ok((model, input))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A summary of another model than the one that would be trained.
    #[test]
    fn shapes_that_need_no_reading_are_those_of_the_data() {
        assert!(KNOWN.iter().map(|(name, _)| *name).eq(gradus::data::NAMES));
        let digits = gradus::data::digits().unwrap().train;
        assert_eq!(
            (digits.shape(), digits.classes().len()),
            (&KNOWN[0].1[..], 10)
        );
    }
}
