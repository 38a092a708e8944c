//! Activations as layers, and by name.

use super::{Layer, Module};
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

/// The names that [`activation`] knows.
pub const ACTIVATIONS: &[&str] = &["relu", "sigmoid", "tanh"];

/// The activation layer of this name.
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
    match name {
        "relu" => Ok(Box::new(Relu)),
        "sigmoid" => Ok(Box::new(Sigmoid)),
        "tanh" => Ok(Box::new(Tanh)),
        _ => Err(Error::new(
            Kind::Value,
            format!(
                "unknown activation '{name}'; the known ones are {}",
                ACTIVATIONS.join(", ")
            ),
        )),
    }
}
