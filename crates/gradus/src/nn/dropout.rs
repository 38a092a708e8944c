//! Layers that forget at random while they train.

use super::scope::located;
use super::{Layer, Mode, Module};
use crate::{Result, Tensor};

/// Sets each element to 0 with probability p while training, and divides the others by 1 − p; does
/// nothing in evaluation. See [`Tensor::dropout`].
///
/// ```
/// use gradus::nn::{Dropout, Layer, Module};
/// use gradus::Tensor;
/// let dropout = Dropout::new(0.5);
/// let x = Tensor::ones([1000]);
/// let kept = dropout.forward(&x)?.eq(2.0)?.sum(..)?.item::<i64>()?;
/// assert!((400..600).contains(&kept));
/// dropout.eval();
/// assert_eq!(dropout.forward(&x)?.to_vec::<f32>()?, [1.0; 1000]);
/// # Ok::<(), gradus::Error>(())
/// ```
#[derive(Debug, Module)]
pub struct Dropout {
    /// The probability with which an element is forgotten.
    pub p: f64,
    mode: Mode,
}

impl Dropout {
    /// A layer that forgets with probability `p` (PyTorch's default is 0.5). One that is not in 0…1
    /// is an error when the layer is used.
    pub fn new(p: f64) -> Self {
        Self {
            p,
            mode: Mode::default(),
        }
    }
}

impl Layer for Dropout {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        x.dropout(self.p, self.mode.is_training())
            .map_err(|e| e.at(located(self)))
    }

    fn describe(&self) -> String {
        format!("Dropout({})", self.p)
    }
}

/// [`Dropout`] of whole channels: each [h, w] of an input [n, c, h, w] is kept or set to 0 as a
/// whole (Tompson et al., 2015). See [`Tensor::dropout2d`].
#[derive(Debug, Module)]
pub struct Dropout2d {
    /// The probability with which a channel is forgotten.
    pub p: f64,
    mode: Mode,
}

impl Dropout2d {
    /// A layer that forgets channels with probability `p` (PyTorch's default is 0.5). One that is
    /// not in 0…1 is an error when the layer is used.
    pub fn new(p: f64) -> Self {
        Self {
            p,
            mode: Mode::default(),
        }
    }
}

impl Layer for Dropout2d {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        x.dropout2d(self.p, self.mode.is_training())
            .map_err(|e| e.at(located(self)))
    }

    fn describe(&self) -> String {
        format!("Dropout2d({})", self.p)
    }
}
