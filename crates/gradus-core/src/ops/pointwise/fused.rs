//! Activations that another operation computes in the pass over its own result.

use super::activation::Sigmoid;
use super::piecewise::Relu;
use super::trigonometric::Tanh;
use super::{Map, Pointwise};
use crate::error::Result;
use crate::kernels::math::Float;
use crate::tensor::Tensor;

/// An activation function that products can apply to their result while it is in the cache, as
/// [`Tensor::linear_then`] and [`Tensor::conv2d_then`] do. The derivative of each is a function of the result alone.
///
/// ```
/// use gradus_core::{Activation, Tensor};
/// let y = Activation::Relu.of(&Tensor::from([1.0, -2.0]))?;
/// assert_eq!(y.to_vec::<f32>()?, [1.0, 0.0]);
/// # Ok::<(), gradus_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// max(x, 0).
    Relu,
    /// 1/(1 + e⁻ˣ).
    Sigmoid,
    /// The hyperbolic tangent.
    Tanh,
}

/// `$f` with the function that an activation stands for.
macro_rules! with_function {
    ($activation:expr, $p:ident => $f:expr) => {
        match $activation {
            Activation::Relu => {
                let $p = Map(Relu);
                $f
            }
            Activation::Sigmoid => {
                let $p = Map(Sigmoid);
                $f
            }
            Activation::Tanh => {
                let $p = Map(Tanh);
                $f
            }
        }
    };
}

impl Activation {
    /// The function of a tensor, as an operation of its own.
    ///
    /// # Errors
    /// Those of [`Tensor::relu`], [`Tensor::sigmoid`] or [`Tensor::tanh`].
    ///
    /// ```
    /// use gradus_core::{Activation, Tensor};
    /// assert_eq!(Activation::Sigmoid.of(&Tensor::from(0.0))?.item::<f32>()?, 0.5);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn of(self, x: &Tensor) -> Result<Tensor> {
        match self {
            Self::Relu => x.relu(),
            Self::Sigmoid => x.sigmoid(),
            Self::Tanh => x.tanh(),
        }
    }

    /// Writes the function's values over its arguments: the same bits that [`of`](Self::of) gives.
    pub(crate) fn overwrite<T: Float>(self, x: &mut [T]) {
        with_function!(self, p => p.overwrite(x))
    }

    /// The gradient `grad` of the result times the derivative at the result `y`.
    pub(crate) fn chain(self, grad: &Tensor, y: &Tensor) -> Result<Tensor> {
        with_function!(self, p => p.gradient(grad, y))
    }

    /// What a graph calls an operation that ends with this activation.
    pub(crate) fn after(self, names: [&'static str; 3]) -> &'static str {
        names[self as usize]
    }
}

impl<P: Pointwise> Map<P> {
    fn overwrite<T: Float>(&self, x: &mut [T]) {
        let mut old = [T::ZERO; 256];
        for x in x.chunks_mut(old.len()) {
            let old = &mut old[..x.len()];
            old.copy_from_slice(x);
            self.block(old, x);
        }
    }
}
