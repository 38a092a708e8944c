//! What was predicted, as text, CSV and JSON.

use crate::failure::{Failure, Result};
use crate::output::{self, short};
use gradus::data::Target;
use gradus::nn::Layer;
use gradus::train::{Config, Task};
use gradus::{Tensor, no_grad};
use serde_json::{Map, Value, json};
use std::path::Path;

/// Classes shown as text.
const SHOWN: usize = 3;
/// Characters of a bar for probability 1.
const BAR: f64 = 30.0;

/// What a model says of one sample.
pub enum Outcome {
    /// The probability of every class.
    Class(Vec<f64>),
    /// A number, in the unit of the target.
    Number(f64),
}

/// Turns what a model returns into outcomes.
pub struct Reader<'a> {
    task: &'a Task,
    target: Option<&'a Target>,
}

impl<'a> Reader<'a> {
    pub fn new(config: &'a Config, task: &'a Task) -> Self {
        let target = config.table.as_ref().map(|table| &table.target);
        Self { task, target }
    }

    /// What the model says of each of these inputs.
    pub fn outcomes(&self, model: &dyn Layer, x: &Tensor) -> Result<Vec<Outcome>, String> {
        const BATCH: usize = 256;
        model.eval();
        let compute = || {
            let mut found = Vec::new();
            for x in x.split(BATCH, 0)? {
                let y = model.forward(&x)?;
                if self.task.is_regression() {
                    let (mean, std) = match self.target {
                        Some(Target::Number { mean, std }) => (*mean, *std),
                        _ => (0.0, 1.0),
                    };
                    let numbers = y.to_vec::<f64>()?.into_iter();
                    found.extend(numbers.map(|z| Outcome::Number(mean + std * z)));
                } else {
                    let rows = y.softmax(1)?.to_vec2::<f64>()?;
                    found.extend(rows.into_iter().map(Outcome::Class));
                }
            }
            Ok::<_, gradus::Error>(found)
        };
        let found = no_grad(compute).map_err(|e| e.to_string())?;
        let finite = found.iter().all(|outcome| match outcome {
            Outcome::Class(probabilities) => probabilities.iter().all(|p| p.is_finite()),
            Outcome::Number(x) => x.is_finite(),
        });
        match finite {
            true => Ok(found),
            false => Err("the model's result is not finite: its weights are damaged".into()),
        }
    }
}

/// Predictions beside what they are for.
pub struct Records<'a> {
    pub classes: &'a [String],
    /// What is predicted.
    pub target: String,
    /// The names of what is given for each.
    pub given: Vec<String>,
    pub rows: Vec<(Vec<String>, Outcome)>,
}

impl Records<'_> {
    /// Writes them to a file whose name says how.
    pub fn write(&self, path: &Path, json: impl Fn(usize) -> Value) -> Result {
        let end = path.extension().and_then(|end| end.to_str());
        let text = match end.map(str::to_lowercase).as_deref() {
            Some("csv") => self.csv(),
            Some("json") => {
                let all: Vec<Value> = (0..self.rows.len()).map(json).collect();
                format!("{:#}\n", Value::from(all))
            }
            _ => {
                return Err(Failure::usage(format_args!(
                    "--out {}: expected a name that ends in .csv or .json",
                    path.display()
                )));
            }
        };
        output::file(path, &text)?;
        output::note(format_args!(
            "{} in {}",
            output::counted(self.rows.len(), "prediction"),
            path.display()
        ));
        Ok(())
    }

    /// A table of what is given, what is predicted, and the probability of every class.
    pub fn csv(&self) -> String {
        let mut head = self.given.clone();
        head.push(format!("predicted_{}", self.target));
        head.extend(
            self.classes
                .iter()
                .map(|class| format!("probability_{class}")),
        );
        let mut text = line(&head);
        for (given, outcome) in &self.rows {
            let mut row = given.clone();
            match outcome {
                Outcome::Class(probabilities) => {
                    row.push(self.classes[best(probabilities)].clone());
                    row.extend(probabilities.iter().map(|p| format!("{p:.4}")));
                }
                Outcome::Number(x) => row.push(short(*x).to_string()),
            }
            text += &line(&row);
        }
        text
    }
}

/// A line of a CSV file (RFC 4180).
fn line(fields: &[String]) -> String {
    let quoted = fields.iter().map(|field| {
        if field.contains([',', '"', '\n', '\r']) || field.trim() != field {
            format!("\"{}\"", field.replace('"', "\"\""))
        } else {
            field.clone()
        }
    });
    quoted.collect::<Vec<_>>().join(",") + "\n"
}

/// One prediction as a JSON object that begins with what it is for.
pub fn as_json(name: &str, of: Value, classes: &[String], outcome: &Outcome) -> Value {
    let mut object = match outcome {
        Outcome::Number(x) => json!({ "value": x }),
        Outcome::Class(probabilities) => {
            let all: Map<_, _> = (classes.iter().cloned())
                .zip(probabilities.iter().map(|&p| p.into()))
                .collect();
            let best = best(probabilities);
            json!({
                "class": classes[best],
                "probability": probabilities[best],
                "probabilities": all,
            })
        }
    };
    object[name] = of;
    object
}

/// The classes of an image, the most probable first.
pub fn as_text(path: &Path, classes: &[String], probabilities: &[f64]) -> String {
    let order = ranked(probabilities);
    let shown = &order[..SHOWN.min(order.len())];
    let widths = shown.iter().map(|&i| classes[i].chars().count());
    let width = widths.max().unwrap_or(0);
    let mut text = format!("{}: {}", path.display(), classes[order[0]]);
    for &i in shown {
        let bar = "█".repeat((BAR * probabilities[i]).round() as usize);
        text += &format!(
            "\n  {:width$}  {:5.1} %  {bar}",
            classes[i],
            100.0 * probabilities[i]
        );
        // No blanks at the end where there is no bar.
        text.truncate(text.trim_end().len());
    }
    text
}

/// The classes, the most probable first.
fn ranked(probabilities: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..probabilities.len()).collect();
    order.sort_by(|&a, &b| probabilities[b].total_cmp(&probabilities[a]));
    order
}

fn best(probabilities: &[f64]) -> usize {
    ranked(probabilities)[0]
}
