//! From images to vectors.

use super::{Layer, Module};
use crate::{Result, Tensor};

/// Merges all dimensions but the first: [n, 1, 28, 28] → [n, 784].
///
/// ```
/// use gradus::nn::{Flatten, Layer};
/// use gradus::Tensor;
/// assert_eq!(Flatten.forward(&Tensor::zeros([2, 3, 4]))?.shape(), [2, 12]);
/// # Ok::<(), gradus::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, Module)]
pub struct Flatten;

impl Layer for Flatten {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        x.flatten(1, -1)
            .map_err(|e| e.at(super::scope::located(self)))
    }
}
