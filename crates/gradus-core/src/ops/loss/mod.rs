//! Losses: how far a prediction is from its target.
//!
//! Each loss has two methods. The plain one, `x.mse_loss(&t)`, is the mean with PyTorch's defaults.
//! The one ending in `_with` takes the loss's options as a last argument: a struct whose name is the
//! loss's, or just a [`Reduction`] if that is all there is to say.
//!
//! ```
//! use gradus_core::Tensor;
//! use gradus_core::loss::{CrossEntropy, Reduction};
//! let (x, classes) = (Tensor::zeros([2, 4]), Tensor::from([3, 0]));
//! let mean = x.cross_entropy(&classes)?;
//! let each = x.cross_entropy_with(&classes, Reduction::None)?;
//! let smooth = x.cross_entropy_with(&classes, CrossEntropy { label_smoothing: 0.1, ..Default::default() })?;
//! assert_eq!((mean.ndim(), each.shape(), smooth.ndim()), (0, &[2][..], 0));
//! # Ok::<(), gradus_core::Error>(())
//! ```

pub(super) mod classes;
pub(super) mod embedding;
pub(super) mod probabilities;
pub(super) mod regression;
mod targets;

pub use classes::{CrossEntropy, MultiMargin, Nll};
pub use embedding::{CosineEmbedding, HingeEmbedding, TripletMargin};
pub use probabilities::{Bce, BceWithLogits, KlDiv};
pub use regression::{GaussianNll, Huber, L1, Mse, PoissonNll, SmoothL1};

use crate::error::{Result, err};
use crate::tensor::Tensor;

/// What becomes of the losses of the single elements or rows.
///
/// ```
/// use gradus_core::{Tensor, loss::Reduction};
/// let (x, t) = (Tensor::from([[1.0, 2.0], [3.0, 4.0]]), Tensor::zeros([2, 2]));
/// assert_eq!(x.l1_loss_with(&t, Reduction::Mean)?.item::<f32>()?, 2.5);
/// assert_eq!(x.l1_loss_with(&t, Reduction::BatchMean)?.item::<f32>()?, 5.0);
/// assert_eq!(x.l1_loss_with(&t, Reduction::Sum)?.item::<f32>()?, 10.0);
/// assert_eq!(x.l1_loss_with(&t, Reduction::None)?.shape(), [2, 2]);
/// # Ok::<(), gradus_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reduction {
    /// Their mean; NaN when there are none.
    #[default]
    Mean,
    /// Their sum divided by the first size, which counts the samples.
    BatchMean,
    /// Their sum.
    Sum,
    /// They are the result.
    None,
}

impl Reduction {
    /// Reduces the losses of single elements or rows.
    fn of(self, losses: Tensor) -> Result<Tensor> {
        match self {
            Self::Mean => losses.mean(..),
            Self::BatchMean => {
                let n = losses.shape().first().copied().unwrap_or(1);
                losses.sum(..)?.div(n as f64)
            }
            Self::Sum => losses.sum(..),
            Self::None => Ok(losses),
        }
    }
}

/// Lets a reduction stand for options that are the default otherwise.
macro_rules! from_reduction {
    ($($options:ty),+) => {$(
        impl From<Reduction> for $options {
            fn from(reduction: Reduction) -> Self {
                Self { reduction, ..Self::default() }
            }
        }
    )+};
}
from_reduction!(CrossEntropy<'_>, Nll<'_>, MultiMargin<'_>);
from_reduction!(Bce<'_>, BceWithLogits<'_>, KlDiv);
from_reduction!(
    Mse<'_>,
    L1<'_>,
    Huber<'_>,
    SmoothL1,
    PoissonNll,
    GaussianNll
);
from_reduction!(HingeEmbedding, CosineEmbedding, TripletMargin);

/// An error unless the option `name` lies in a range; the message gives the rule.
fn check(op: &str, holds: bool, rule: impl std::fmt::Display) -> Result<()> {
    if holds {
        return Ok(());
    }
    Err(err!(Value, "{op}: {rule}"))
}

/// Losses times weights, which broadcast to them.
fn weighted(op: &str, losses: Tensor, weight: Option<&Tensor>) -> Result<Tensor> {
    match weight {
        Some(weight) => {
            let weight = weight.broadcast_to(losses.shape());
            losses.mul(&weight.map_err(|e| e.at(op))?)
        }
        None => Ok(losses),
    }
}
