//! Networks that are known by name: those that [`Config`](crate::train::Config) builds.
//!
//! Each takes inputs of a shape [channels, height, width] and gives a logit for every class. Those
//! that know nothing of neighbouring pixels ([`softmax`], [`mlp`]) take any shape. Others are written
//! down as a list of [`layers()`].

mod conv;
mod layers;
mod resnet;

pub use conv::{cnn, lenet};
pub use layers::{LayerSpec, layers};
pub use resnet::{BasicBlock, ResNet, resnet20};

use crate::nn::{self, Sequential};
use crate::{Error, Kind, Result};

/// The names that [`Config`](crate::train::Config) takes.
pub const MODELS: &[&str] = &["softmax", "mlp", "cnn", "lenet", "resnet20"];

/// Softmax regression: one linear layer over all numbers of an input.
///
/// # Errors
/// If there is no memory for it.
///
/// ```
/// use gradus::nn::{Layer, Module};
/// use gradus::{Tensor, models};
/// let net = models::softmax(&[1, 28, 28], 10)?;
/// assert_eq!(net.forward(&Tensor::zeros([5, 1, 28, 28]))?.shape(), [5, 10]);
/// assert_eq!(net.num_parameters(), 7850);
/// # Ok::<(), gradus::Error>(())
/// ```
pub fn softmax(input: &[usize], classes: usize) -> Result<Sequential> {
    mlp(input, &[], "relu", classes)
}

/// Linear layers over all numbers of an input, with hidden layers of these sizes and an activation
/// after each of them.
///
/// # Errors
/// If the activation is not known (see [`nn::activation`]), or there is no memory for the network.
///
/// ```
/// use gradus::{models, nn::Module};
/// assert_eq!(models::mlp(&[1, 28, 28], &[128], "relu", 10)?.num_parameters(), 101_770);
/// # Ok::<(), gradus::Error>(())
/// ```
pub fn mlp(
    input: &[usize],
    hidden: &[usize],
    activation: &str,
    classes: usize,
) -> Result<Sequential> {
    let mut net = Sequential::new().add(nn::Flatten);
    let mut size = (input.iter())
        .try_fold(1usize, |product, &n| product.checked_mul(n))
        .ok_or_else(|| {
            Error::new(
                Kind::Value,
                format!("mlp: inputs of shape {input:?} overflow"),
            )
        })?;
    for &n in hidden {
        net = net
            .add(nn::Linear::new(size, n)?)
            .add(nn::activation(activation)?);
        size = n;
    }
    Ok(net.add(nn::Linear::new(size, classes)?))
}
