//! Activations without settings as layers, and activations by name.

pub(super) mod settings;

use super::{Elu, Layer, LeakyRelu, Module};
use crate::{Activation, Error, Kind, Result, Tensor};

/// max(x, 0). See [`Tensor::relu`].
#[derive(Clone, Copy, Debug, Default, Module)]
pub struct Relu;
impl Layer for Relu {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        x.relu()
    }
    fn activation(&self) -> Option<Activation> {
        Some(Activation::Relu)
    }
}

/// 1/(1 + e⁻ˣ). See [`Tensor::sigmoid`].
#[derive(Clone, Copy, Debug, Default, Module)]
pub struct Sigmoid;
impl Layer for Sigmoid {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        x.sigmoid()
    }
    fn activation(&self) -> Option<Activation> {
        Some(Activation::Sigmoid)
    }
}

/// The hyperbolic tangent. See [`Tensor::tanh`].
#[derive(Clone, Copy, Debug, Default, Module)]
pub struct Tanh;
impl Layer for Tanh {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        x.tanh()
    }
    fn activation(&self) -> Option<Activation> {
        Some(Activation::Tanh)
    }
}

/// min(max(x, 0), 6). See [`Tensor::relu6`].
#[derive(Clone, Copy, Debug, Default, Module)]
pub struct Relu6;
impl Layer for Relu6 {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        x.relu6()
    }
}

/// x·Φ(x), with the normal distribution function Φ. See [`Tensor::gelu`].
#[derive(Clone, Copy, Debug, Default, Module)]
pub struct Gelu;
impl Layer for Gelu {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        x.gelu()
    }
}

/// x·sigmoid(x). See [`Tensor::silu`].
#[derive(Clone, Copy, Debug, Default, Module)]
pub struct Silu;
impl Layer for Silu {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        x.silu()
    }
}

/// x·tanh(log(1 + eˣ)). See [`Tensor::mish`].
#[derive(Clone, Copy, Debug, Default, Module)]
pub struct Mish;
impl Layer for Mish {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        x.mish()
    }
}

/// The exponential linear unit that keeps mean 0 and variance 1. See [`Tensor::selu`].
#[derive(Clone, Copy, Debug, Default, Module)]
pub struct Selu;
impl Layer for Selu {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        x.selu()
    }
}

/// log(1 + eˣ). See [`Tensor::softplus`].
#[derive(Clone, Copy, Debug, Default, Module)]
pub struct Softplus;
impl Layer for Softplus {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        x.softplus()
    }
}

/// x/(1 + |x|). See [`Tensor::softsign`].
#[derive(Clone, Copy, Debug, Default, Module)]
pub struct Softsign;
impl Layer for Softsign {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        x.softsign()
    }
}

/// x − tanh x. See [`Tensor::tanhshrink`].
#[derive(Clone, Copy, Debug, Default, Module)]
pub struct Tanhshrink;
impl Layer for Tanhshrink {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        x.tanhshrink()
    }
}

/// log sigmoid(x). See [`Tensor::logsigmoid`].
#[derive(Clone, Copy, Debug, Default, Module)]
pub struct LogSigmoid;
impl Layer for LogSigmoid {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        x.logsigmoid()
    }
}

/// A sigmoid of three straight lines. See [`Tensor::hardsigmoid`].
#[derive(Clone, Copy, Debug, Default, Module)]
pub struct Hardsigmoid;
impl Layer for Hardsigmoid {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        x.hardsigmoid()
    }
}

/// x·hardsigmoid(x). See [`Tensor::hardswish`].
#[derive(Clone, Copy, Debug, Default, Module)]
pub struct Hardswish;
impl Layer for Hardswish {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        x.hardswish()
    }
}

/// The names that [`activation`] knows.
pub const ACTIVATIONS: &[&str] = &[
    "relu",
    "sigmoid",
    "tanh",
    "leaky_relu",
    "elu",
    "selu",
    "gelu",
    "silu",
    "mish",
    "softplus",
    "softsign",
    "hardswish",
];

/// The activation layer of this name, with PyTorch's defaults for its settings.
///
/// # Errors
/// If there is none; the message lists the names.
///
/// ```
/// use gradus::nn::{Layer, activation};
/// assert_eq!(activation("relu")?.describe(), "Relu");
/// assert!(activation("rleu").is_err());
/// # Ok::<(), gradus::Error>(())
/// ```
pub fn activation(name: &str) -> Result<Box<dyn Layer>> {
    Ok(match name {
        "relu" => Box::new(Relu),
        "sigmoid" => Box::new(Sigmoid),
        "tanh" => Box::new(Tanh),
        "leaky_relu" => Box::new(LeakyRelu::default()),
        "elu" => Box::new(Elu::default()),
        "selu" => Box::new(Selu),
        "gelu" => Box::new(Gelu),
        "silu" => Box::new(Silu),
        "mish" => Box::new(Mish),
        "softplus" => Box::new(Softplus),
        "softsign" => Box::new(Softsign),
        "hardswish" => Box::new(Hardswish),
        _ => {
            return Err(Error::new(
                Kind::Value,
                format!(
                    "unknown activation '{name}'; the known ones are {}",
                    ACTIVATIONS.join(", ")
                ),
            ));
        }
    })
}
