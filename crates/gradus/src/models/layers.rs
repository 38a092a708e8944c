//! Networks that are written down as a list of layers, in TOML.

use crate::nn::{self, ACTIVATIONS, Layer, Module, Residual, Sequential};
use crate::{Error, Kind, Result, Tensor, no_grad};
use serde::{Deserialize, Serialize};
use toml::Spanned;

/// The names of layers that have settings; [`ACTIVATIONS`] are the others.
const LAYERS: [&str; 11] = [
    "linear",
    "conv2d",
    "max_pool2d",
    "avg_pool2d",
    "adaptive_avg_pool2d",
    "flatten",
    "dropout",
    "batch_norm1d",
    "batch_norm2d",
    "layer_norm",
    "residual",
];

/// One layer of a network that is written down: a `type`, which is PyTorch's name for it, and its
/// settings. How many numbers or channels go in follows from the layer before.
///
/// | type | settings and their defaults |
/// |---|---|
/// | `linear` | `out` (of the last layer: what the data ask for), `bias = true` |
/// | `conv2d` | `out`, `kernel`, `stride = 1`, `padding = 0` (or `"same"`), `groups = 1`, `bias = true` |
/// | `max_pool2d`, `avg_pool2d` | `kernel`, `stride` (`kernel`), `padding = 0` |
/// | `adaptive_avg_pool2d` | `size = 1` |
/// | `dropout` | `p = 0.5` |
/// | `residual` | `layers`, added to what comes in; that goes through one linear map where shapes differ |
/// | `flatten`, `batch_norm1d`, `batch_norm2d`, `layer_norm` | none |
/// | [`ACTIVATIONS`](crate::nn::ACTIVATIONS) | none |
///
/// Sizes are a number or a list of two. `-` and `_` and capitals make no difference in a type.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LayerSpec(toml::Table);

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
enum Known {
    Linear {
        #[serde(alias = "out_features")]
        out: Option<usize>,
        #[serde(default = "yes")]
        bias: bool,
    },
    Conv2d {
        #[serde(alias = "out_channels")]
        out: usize,
        #[serde(alias = "kernel_size")]
        kernel: Size,
        #[serde(default = "one")]
        stride: Size,
        #[serde(default)]
        padding: Zeros,
        #[serde(default = "group")]
        groups: usize,
        #[serde(default = "yes")]
        bias: bool,
    },
    MaxPool2d(Pool),
    AvgPool2d(Pool),
    AdaptiveAvgPool2d {
        #[serde(default = "one", alias = "output_size")]
        size: Size,
    },
    Flatten,
    Dropout {
        #[serde(default = "half")]
        p: f64,
    },
    #[serde(rename = "batch_norm1d")]
    BatchNorm1d,
    #[serde(rename = "batch_norm2d")]
    BatchNorm2d,
    LayerNorm,
    Residual {
        layers: Vec<LayerSpec>,
    },
    /// Any of [`ACTIVATIONS`].
    #[serde(skip)]
    Activation(&'static str),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Pool {
    #[serde(alias = "kernel_size")]
    kernel: Size,
    stride: Option<Size>,
    #[serde(default = "none")]
    padding: Size,
}

impl Pool {
    fn stride(&self) -> [usize; 2] {
        self.stride.unwrap_or(self.kernel).each()
    }
}

/// Height and width.
#[derive(Clone, Copy, Deserialize)]
#[serde(untagged)]
enum Size {
    Both(usize),
    Each([usize; 2]),
}

impl Size {
    fn each(self) -> [usize; 2] {
        match self {
            Self::Both(n) => [n, n],
            Self::Each(sizes) => sizes,
        }
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Zeros {
    Size(Size),
    Word(String),
}

impl Default for Zeros {
    fn default() -> Self {
        Self::Size(none())
    }
}

fn yes() -> bool {
    true
}

fn none() -> Size {
    Size::Both(0)
}

fn one() -> Size {
    Size::Both(1)
}

fn group() -> usize {
    1
}

fn half() -> f64 {
    0.5
}

/// A file of layers.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    layers: Vec<Spanned<toml::Table>>,
}

impl LayerSpec {
    /// Reads layers from TOML, `[[layers]]` for each.
    ///
    /// # Errors
    /// If it is no such TOML, a type or a setting is not known, or a value is out of range. Messages
    /// have the line and the number of the layer, from 1.
    ///
    /// ```
    /// use gradus::models::LayerSpec;
    /// let text = "[[layers]]\ntype = \"linear\"\nout = 128\n\n[[layers]]\ntype = \"rleu\"\n";
    /// let error = LayerSpec::from_toml(text).unwrap_err().to_string();
    /// assert!(error.starts_with("line 5: layer 2: unknown type 'rleu'; the known ones are linear"));
    /// ```
    pub fn from_toml(text: &str) -> Result<Vec<Self>> {
        let line = |at: usize| text[..at.min(text.len())].matches('\n').count() + 1;
        let File { layers } = toml::from_str(text).map_err(|e| {
            let line = e.span().map_or(1, |span| line(span.start));
            value(format!("line {line}: {}", e.message()))
        })?;
        let read = layers.into_iter().enumerate().map(|(i, layer)| {
            let line = line(layer.span().start);
            let layer = Self(layer.into_inner());
            match layer.known(&(i + 1).to_string()) {
                Ok(_) => Ok(layer),
                Err(e) => Err(e.at(format_args!("line {line}"))),
            }
        });
        read.collect()
    }

    /// Whether all of these are known.
    pub(crate) fn check(layers: &[Self]) -> Result<()> {
        let mut numbered = layers.iter().enumerate();
        numbered.try_for_each(|(i, layer)| layer.known(&(i + 1).to_string()).map(drop))
    }

    fn name(&self) -> Option<&str> {
        self.0.get("type")?.as_str()
    }

    /// What this layer is. `number` is its place, for messages.
    fn known(&self, number: &str) -> Result<Known> {
        let fail = |message: String| Err(value(format!("layer {number}: {message}")));
        let all = || [&LAYERS[..], ACTIVATIONS].concat();
        let Some(given) = self.name() else {
            return fail(format!("expected a type, one of {}", all().join(", ")));
        };
        let plain = |name: &str| name.to_lowercase().replace(['-', '_'], "");
        let Some(name) = all().into_iter().find(|name| plain(name) == plain(given)) else {
            return fail(format!(
                "unknown type '{given}'; the known ones are {}",
                all().join(", ")
            ));
        };
        if ACTIVATIONS.contains(&name) {
            if let Some(key) = self.0.keys().find(|key| *key != "type") {
                return fail(format!("{name} has no settings, but {key} is given"));
            }
            return Ok(Known::Activation(name));
        }
        let mut table = self.0.clone();
        table.insert("type".into(), name.into());
        let known: Known = match table.try_into() {
            Ok(known) => known,
            Err(e) => return fail(format!("{name}: {}", e.message())),
        };
        match &known {
            Known::Dropout { p } if !(0.0..1.0).contains(p) => fail(format!(
                "dropout: p must be at least 0 and below 1, not {p}"
            )),
            Known::Conv2d {
                padding: Zeros::Word(word),
                ..
            } if word != "same" => fail(format!(
                "conv2d: padding is a number, two, or \"same\", not {word:?}"
            )),
            Known::Residual { layers } => {
                for (i, layer) in layers.iter().enumerate() {
                    layer.known(&format!("{number}.{}", i + 1))?;
                }
                Ok(known)
            }
            _ => match known.sizes().into_iter().find(|(_, size)| *size == 0) {
                Some((what, _)) => fail(format!("{name}: {what} must be at least 1")),
                None => Ok(known),
            },
        }
    }
}

impl Known {
    /// What may not be 0.
    fn sizes(&self) -> Vec<(&'static str, usize)> {
        let both = |what, size: Size| size.each().map(|n| (what, n)).to_vec();
        match self {
            Self::Linear { out, .. } => vec![("out", out.unwrap_or(1))],
            Self::Conv2d {
                out,
                kernel,
                stride,
                groups,
                ..
            } => [
                vec![("out", *out), ("groups", *groups)],
                both("kernel", *kernel),
                both("stride", *stride),
            ]
            .concat(),
            Self::MaxPool2d(pool) | Self::AvgPool2d(pool) => [
                both("kernel", pool.kernel),
                both("stride", pool.stride.unwrap_or(Size::Both(1))),
            ]
            .concat(),
            Self::AdaptiveAvgPool2d { size } => both("size", *size),
            _ => Vec::new(),
        }
    }

    /// The layer for an input of this shape, without the samples. `outputs` is the default of a linear
    /// layer, `number` its place.
    fn build(
        self,
        input: &[usize],
        outputs: Option<usize>,
        number: &str,
    ) -> Result<Box<dyn Layer>> {
        Ok(match self {
            Self::Linear { out, bias } => {
                let out = out.or(outputs).ok_or_else(|| {
                    value("out is missing; only the last layer's follows from the data".into())
                })?;
                let features = *input.last().unwrap_or(&1);
                Box::new(match bias {
                    true => nn::Linear::new(features, out)?,
                    false => nn::Linear::without_bias(features, out)?,
                })
            }
            Self::Conv2d {
                out,
                kernel,
                stride,
                padding,
                groups,
                bias,
            } => {
                let [channels, ..] = image(input)?;
                let kernel = kernel.each();
                let conv = match bias {
                    true => nn::Conv2d::grouped(channels, out, kernel, groups)?,
                    false => nn::Conv2d::grouped_without_bias(channels, out, kernel, groups)?,
                };
                let conv = conv.stride(stride.each());
                Box::new(match padding {
                    Zeros::Size(zeros) => conv.padding(zeros.each()),
                    Zeros::Word(_) => conv.same_padding(),
                })
            }
            Self::MaxPool2d(pool) => Box::new(
                nn::MaxPool2d::new(pool.kernel.each())
                    .stride(pool.stride())
                    .padding(pool.padding.each()),
            ),
            Self::AvgPool2d(pool) => Box::new(
                nn::AvgPool2d::new(pool.kernel.each())
                    .stride(pool.stride())
                    .padding(pool.padding.each()),
            ),
            Self::AdaptiveAvgPool2d { size } => Box::new(nn::AdaptiveAvgPool2d::new(size.each())),
            Self::Flatten => Box::new(nn::Flatten),
            Self::Dropout { p } => Box::new(nn::Dropout::new(p)),
            Self::BatchNorm1d => Box::new(nn::BatchNorm1d::new(*input.first().unwrap_or(&1))?),
            Self::BatchNorm2d => Box::new(nn::BatchNorm2d::new(image(input)?[0])?),
            Self::LayerNorm => Box::new(nn::LayerNorm::new(input)?),
            Self::Residual { layers } => {
                let (body, output) = chain(&layers, input, None, &format!("{number}."))?;
                match shortcut(input, &output)? {
                    None => Box::new(Residual::new(body)),
                    Some(shortcut) => Box::new(Residual::with_shortcut(body, shortcut)),
                }
            }
            Self::Activation(name) => nn::activation(name)?,
        })
    }
}

/// What makes the input of a residual block as its output: nothing, or a linear map of features or of
/// each pixel's channels.
fn shortcut(input: &[usize], output: &[usize]) -> Result<Option<Box<dyn Layer>>> {
    if input == output {
        return Ok(None);
    }
    Ok(Some(match (input, output) {
        (&[from], &[to]) => Box::new(nn::Linear::without_bias(from, to)?),
        (&[from, height, width], &[to, h, w]) if h > 0 && w > 0 => {
            let stride = [height.div_ceil(h), width.div_ceil(w)];
            Box::new(nn::Conv2d::without_bias(from, to, 1)?.stride(stride))
        }
        _ => {
            return Err(value(format!(
                "what comes in has the shape {input:?} and the layers give {output:?}: they cannot be added"
            )));
        }
    }))
}

/// A network of these layers, one after the other, for inputs of the shape `input` (without the
/// samples) and `outputs` results for each: the size of a last linear layer without `out`. Weights
/// begin as PyTorch's do.
///
/// # Errors
/// If a layer does not take what comes from the one before it, or the last gives something else than
/// `outputs` numbers. Messages have the number of the layer.
///
/// ```
/// use gradus::models::{LayerSpec, layers};
/// use gradus::nn::Module;
/// let spec = LayerSpec::from_toml("
///     [[layers]]
///     type = \"conv2d\"
///     out = 8
///     kernel = 3
///     [[layers]]
///     type = \"relu\"
///     [[layers]]
///     type = \"flatten\"
///     [[layers]]
///     type = \"linear\"
/// ")?;
/// let net = layers(&spec, &[1, 8, 8], 10)?;
/// assert_eq!(net.num_parameters(), 8 * 9 + 8 + 8 * 36 * 10 + 10);
/// # Ok::<(), gradus::Error>(())
/// ```
pub fn layers(layers: &[LayerSpec], input: &[usize], outputs: usize) -> Result<Sequential> {
    let (net, output) = chain(layers, input, Some(outputs), "")?;
    if output != [outputs] {
        return Err(value(format!(
            "the layers give results of shape {output:?} for a sample of shape {input:?}, the data ask for \
             {outputs} {}: end with flatten and linear, without out",
            if outputs == 1 { "number" } else { "numbers" }
        )));
    }
    Ok(net)
}

/// The layers in a chain, and the shape of what they give for a sample of this shape.
fn chain(
    layers: &[LayerSpec],
    input: &[usize],
    outputs: Option<usize>,
    above: &str,
) -> Result<(Sequential, Vec<usize>)> {
    let mut net = Sequential::new();
    let mut x = Tensor::zeros([&[1], input].concat());
    for (i, spec) in layers.iter().enumerate() {
        let number = format!("{above}{}", i + 1);
        let at = |e: Error| match spec.name() {
            // It has said which one of its own it is.
            Some(name) if name.eq_ignore_ascii_case("residual") => e,
            name => e.at(format_args!(
                "layer {number} ({})",
                name.unwrap_or_default()
            )),
        };
        let outputs = outputs.filter(|_| i + 1 == layers.len());
        let known = spec.known(&number)?;
        let layer = known.build(&x.shape()[1..], outputs, &number).map_err(at)?;
        // As in use: a batch of one has no statistics.
        layer.eval();
        x = no_grad(|| layer.forward(&x)).map_err(at)?;
        layer.train(true);
        net = net.add(layer);
    }
    Ok((net, x.shape()[1..].to_vec()))
}

/// Channels, height and width.
fn image(input: &[usize]) -> Result<[usize; 3]> {
    <[usize; 3]>::try_from(input).map_err(|_| {
        value(format!(
            "takes images, [channels, height, width], not inputs of shape {input:?}"
        ))
    })
}

fn value(message: String) -> Error {
    Error::new(Kind::Value, message)
}
