//! Losses as functions, in PyTorch's order of arguments.

use crate::{Result, Tensor};

/// The mean over rows of −log softmax(logits)\[class\]. Shapes: logits [n, c], classes \[n\] integers.
///
/// # Errors
/// See [`Tensor::cross_entropy`].
///
/// ```
/// use gradus::{Tensor, nn};
/// let loss = nn::cross_entropy(&Tensor::zeros([2, 4]), &Tensor::from([0, 3]))?;
/// assert!((loss.item::<f32>()? - 4f32.ln()).abs() < 1e-6);
/// # Ok::<(), gradus::Error>(())
/// ```
pub fn cross_entropy(logits: &Tensor, classes: &Tensor) -> Result<Tensor> {
    logits.cross_entropy(classes)
}

/// The mean squared difference. The shapes broadcast.
///
/// # Errors
/// See [`Tensor::mse_loss`].
///
/// ```
/// use gradus::{Tensor, nn};
/// assert_eq!(nn::mse_loss(&Tensor::from([1.0, 3.0]), &Tensor::from([1.0, 1.0]))?.item::<f32>()?, 2.0);
/// # Ok::<(), gradus::Error>(())
/// ```
pub fn mse_loss(prediction: &Tensor, target: &Tensor) -> Result<Tensor> {
    prediction.mse_loss(target)
}
