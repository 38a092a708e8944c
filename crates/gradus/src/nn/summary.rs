//! What a model consists of: its layers, what each returns, holds and computes.

use super::{Layer, Observation, Part, observe};
use crate::{Result, Tensor, no_grad};
use std::fmt;

/// What [`summary`] found; `{}` prints it as a table.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Summary {
    /// The layers that were called, each behind what it is part of.
    pub layers: Vec<LayerSummary>,
    /// Numbers in all parameters.
    pub parameters: usize,
    /// Numbers in the parameters that are learned; the others are frozen.
    pub trainable: usize,
    /// Bytes of parameters and buffers.
    pub bytes: usize,
    /// Bytes of the results of all layers that have no layers of their own, for one sample. Training
    /// keeps about as many of each sample of a batch.
    pub activation_bytes: usize,
    /// Multiply-adds of the linear layers and convolutions, for one sample.
    pub multiply_adds: u64,
}

/// One layer of a [`Summary`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LayerSummary {
    /// Its path, such as `2` or `layer1.0.conv1`.
    pub path: String,
    /// Its [`describe`](Layer::describe).
    pub layer: String,
    /// The number of layers that it is part of.
    pub depth: usize,
    /// The shape of its result for one sample.
    pub output: Vec<usize>,
    /// Numbers in its own parameters, without those of layers that are part of it.
    pub parameters: usize,
    /// Its own multiply-adds for one sample.
    pub multiply_adds: u64,
}

/// Runs `model` on one sample of zeros, of the shape `input`, and tells what every layer did that is
/// called by [`call`](super::call), as those in a [`Sequential`](super::Sequential) are.
///
/// A multiplication and the addition behind it count as one, as is usual (He et al., "Deep Residual
/// Learning", 2016); FLOPs are twice as many. What is done for each element (activations,
/// normalisation, pooling) is not counted.
///
/// # Errors
/// If the model does not take such an input.
///
/// ```
/// use gradus::nn::{self, summary};
/// let net = nn::Sequential::new().add(nn::Linear::new(3, 5)?).add(nn::Relu).add(nn::Linear::new(5, 2)?);
/// let found = summary(&net, &[3])?;
/// assert_eq!((found.parameters, found.bytes, found.multiply_adds), (32, 128, 25));
/// assert_eq!(found.layers[2].output, [2]);
/// assert_eq!(found.to_string(), "\
/// path  layer        output  parameters  multiply-adds
/// 0     Linear(3→5)  5               20             15
/// 1     Relu         5                0              0
/// 2     Linear(5→2)  2               12             10
///
/// 32 parameters, 128 B
/// 25 multiply-adds for a sample (FLOPs: twice as many), 48 B of activations
/// ");
/// # Ok::<(), gradus::Error>(())
/// ```
pub fn summary(model: &dyn Layer, input: &[usize]) -> Result<Summary> {
    let mut training = Vec::new();
    model.visit("", &mut |_, part| {
        if let Part::Mode(mode) = part {
            training.push(mode.is_training());
        }
    });
    // As in use: a batch of one has no statistics.
    model.eval();
    let x = Tensor::zeros([&[1], input].concat());
    let (result, seen) = observe(|| no_grad(|| model.forward(&x)));
    let mut training = training.into_iter();
    model.visit("", &mut |_, part| {
        if let Part::Mode(mode) = part {
            mode.set_training(training.next().unwrap_or(true));
        }
    });
    let output = result?;
    let mut summary = Summary {
        layers: Vec::new(),
        parameters: model.num_parameters(),
        trainable: 0,
        bytes: (model.state_dict().values())
            .map(|t| t.numel() * t.dtype().size())
            .sum(),
        activation_bytes: 0,
        multiply_adds: 0,
    };
    for (_, parameter) in model.named_parameters() {
        if parameter.requires_grad() {
            summary.trainable += parameter.numel();
        }
    }
    summary.layers = rows(&seen);
    if seen.is_empty() {
        // A layer by itself.
        summary.layers.push(LayerSummary {
            path: String::new(),
            layer: model.describe(),
            depth: 0,
            output: output.shape()[1..].to_vec(),
            parameters: 0,
            multiply_adds: model.multiply_adds(x.shape(), output.shape()),
        });
    }
    for (path, parameter) in model.named_parameters() {
        // The innermost layer that it lies in.
        let owner = (summary.layers.iter_mut())
            .filter(|row| is_within(&path, &row.path))
            .max_by_key(|row| row.path.len());
        if let Some(row) = owner {
            row.parameters += parameter.numel();
        }
    }
    let is_leaf = |path: &str| !seen.iter().any(|other| is_below(&other.path, path));
    summary.activation_bytes = match seen.is_empty() {
        true => bytes(&output),
        false => (seen.iter())
            .filter(|layer| is_leaf(&layer.path))
            .map(|layer| bytes(&layer.output))
            .sum(),
    };
    summary.multiply_adds = summary.layers.iter().map(|row| row.multiply_adds).sum();
    Ok(summary)
}

/// The layers in the order in which they began: one that has parts finishes behind them.
fn rows(seen: &[Observation]) -> Vec<LayerSummary> {
    let mut rows: Vec<LayerSummary> = Vec::new();
    for layer in seen {
        let first = (rows.iter())
            .position(|row| is_below(&row.path, &layer.path))
            .unwrap_or(rows.len());
        rows[first..].iter_mut().for_each(|row| row.depth += 1);
        let row = LayerSummary {
            path: layer.path.clone(),
            layer: layer.layer.clone(),
            depth: 0,
            output: layer.output.shape().get(1..).unwrap_or(&[]).to_vec(),
            parameters: 0,
            multiply_adds: layer.multiply_adds,
        };
        rows.insert(first, row);
    }
    rows
}

/// Whether a path is a part of another one.
fn is_below(path: &str, above: &str) -> bool {
    path.strip_prefix(above)
        .is_some_and(|rest| rest.starts_with('.'))
}

/// Whether a parameter of this path is in the layer of that one.
fn is_within(parameter: &str, layer: &str) -> bool {
    layer.is_empty() || is_below(parameter, layer)
}

fn bytes(tensor: &Tensor) -> usize {
    tensor.numel() * tensor.dtype().size()
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let head = ["path", "layer", "output", "parameters", "multiply-adds"];
        let mut rows = vec![head.map(String::from)];
        rows.extend(self.layers.iter().enumerate().map(|(i, row)| {
            let next = self.layers.get(i + 1);
            let has_parts = next.is_some_and(|next| next.depth > row.depth);
            // What its parts have is theirs.
            let own = |n: u64| match n {
                0 if has_parts => String::new(),
                n => grouped(n),
            };
            let output: Vec<String> = row.output.iter().map(usize::to_string).collect();
            [
                row.path.clone(),
                format!("{}{}", "  ".repeat(row.depth), row.layer),
                output.join("×"),
                own(row.parameters as u64),
                own(row.multiply_adds),
            ]
        }));
        let width = |j: usize| rows.iter().map(|row| row[j].chars().count()).max();
        let widths: Vec<usize> = (0..head.len()).map(|j| width(j).unwrap_or(0)).collect();
        for [path, layer, output, parameters, multiply_adds] in &rows {
            let [a, b, c, d, e] = widths[..] else {
                return Err(fmt::Error);
            };
            writeln!(
                f,
                "{path:a$}  {layer:b$}  {output:c$}  {parameters:>d$}  {multiply_adds:>e$}"
            )?;
        }
        let frozen = self.parameters - self.trainable;
        let learned = match frozen {
            0 => String::new(),
            n => format!(" ({} of them frozen)", grouped(n as u64)),
        };
        writeln!(
            f,
            "\n{} parameters{learned}, {}\n\
             {} multiply-adds for a sample (FLOPs: twice as many), {} of activations",
            grouped(self.parameters as u64),
            Size(self.bytes),
            grouped(self.multiply_adds),
            Size(self.activation_bytes),
        )
    }
}

/// 1437 as `1,437`.
fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Bytes in the unit that suits.
struct Size(usize);

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            n if n < 1000 => write!(f, "{n} B"),
            n if n < 1_000_000 => write!(f, "{:.1} kB", n as f64 / 1e3),
            n if n < 1_000_000_000 => write!(f, "{:.1} MB", n as f64 / 1e6),
            n => write!(f, "{:.2} GB", n as f64 / 1e9),
        }
    }
}
