//! The fully connected layer.

use super::scope::located;
use super::{Layer, Module, Parameter, uniform_parameter};
use crate::{Activation, Result, Tensor};

/// y = x·Wᵀ + b. Shapes: input [.., in], weight [out, in], bias \[out\], result [.., out].
///
/// As in PyTorch, weight and bias begin uniform in ±1/√in. [`init`](super::init) has other beginnings.
#[derive(Module)]
pub struct Linear {
    /// The matrix W, [out, in].
    pub weight: Parameter,
    /// The vector b, \[out\], unless the layer has none.
    pub bias: Option<Parameter>,
}

impl Linear {
    /// A layer from `in_features` to `out_features` numbers.
    ///
    /// # Errors
    /// If there is no memory for it.
    ///
    /// ```
    /// use gradus::nn::{Layer, Linear};
    /// use gradus::Tensor;
    /// assert_eq!(Linear::new(3, 2)?.forward(&Tensor::zeros([5, 3]))?.shape(), [5, 2]);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn new(in_features: usize, out_features: usize) -> Result<Self> {
        let mut layer = Self::without_bias(in_features, out_features)?;
        layer.bias = Some(uniform_parameter([out_features], in_features)?);
        Ok(layer)
    }

    /// A layer that computes x·Wᵀ.
    ///
    /// # Errors
    /// If there is no memory for it.
    pub fn without_bias(in_features: usize, out_features: usize) -> Result<Self> {
        let weight = uniform_parameter([out_features, in_features], in_features)?;
        Ok(Self { weight, bias: None })
    }
}

impl Linear {
    /// An error that says what to do unless `x` has as many features as the layer takes.
    fn check(&self, x: &Tensor) -> Result<()> {
        let (features, expected) = (x.shape().last(), self.weight.shape()[1]);
        if features == Some(&expected) {
            return Ok(());
        }
        Err(crate::Error::new(
            crate::Kind::Shape,
            format!(
                "{}: got {} features in an input of shape {:?}, expected {expected}; flatten images first, or change \
                 the layer's size",
                located(self),
                features.copied().unwrap_or(0),
                x.shape()
            ),
        ))
    }
}

impl Layer for Linear {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        self.check(x)?;
        x.linear(&self.weight, self.bias.as_deref())
            .map_err(|e| e.at(located(self)))
    }

    fn forward_then(&self, x: &Tensor, activation: Activation) -> Result<Tensor> {
        self.check(x)?;
        x.linear_then(&self.weight, self.bias.as_deref(), activation)
            .map_err(|e| e.at(located(self)))
    }

    fn multiply_adds(&self, _: &[usize], output: &[usize]) -> u64 {
        product(output) * self.weight.shape()[1] as u64
    }

    fn describe(&self) -> String {
        format!(
            "Linear({}→{})",
            self.weight.shape()[1],
            self.weight.shape()[0]
        )
    }
}

/// The number of elements of a shape.
pub(super) fn product(shape: &[usize]) -> u64 {
    shape.iter().map(|&n| n as u64).product()
}
