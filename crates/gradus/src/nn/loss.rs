//! Losses as functions, in PyTorch's order of arguments. Options are those of the methods of
//! [`Tensor`] whose names end in `_with`, see [`gradus::loss`].

use crate::{Result, Tensor};

/// The mean over rows of −log softmax(logits)\[class\]. Shapes: logits [n, c] or [n, c, d₁, …], the
/// target integers without the c, or probabilities in the shape of the logits.
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
pub fn cross_entropy(logits: &Tensor, target: &Tensor) -> Result<Tensor> {
    logits.cross_entropy(target)
}

/// The mean over rows of −x\[class\]: cross-entropy after `log_softmax`.
///
/// # Errors
/// See [`Tensor::nll_loss`].
///
/// ```
/// use gradus::{Tensor, nn};
/// let logs = Tensor::from([[-1.0, -2.0], [-3.0, -4.0]]);
/// assert_eq!(nn::nll_loss(&logs, &Tensor::from([0, 1]))?.item::<f32>()?, 2.5);
/// # Ok::<(), gradus::Error>(())
/// ```
pub fn nll_loss(log_probabilities: &Tensor, target: &Tensor) -> Result<Tensor> {
    log_probabilities.nll_loss(target)
}

/// The mean over rows of the hinge loss against each other class.
///
/// # Errors
/// See [`Tensor::multi_margin_loss`].
///
/// ```
/// use gradus::{Tensor, nn};
/// let loss = nn::multi_margin_loss(&Tensor::from([[3.0, 2.5, 0.0, 2.0]]), &Tensor::from([0]))?;
/// assert_eq!(loss.item::<f32>()?, 0.125);
/// # Ok::<(), gradus::Error>(())
/// ```
pub fn multi_margin_loss(scores: &Tensor, target: &Tensor) -> Result<Tensor> {
    scores.multi_margin_loss(target)
}

/// The mean of −t·log p − (1 − t)·log(1 − p), for probabilities p.
///
/// # Errors
/// See [`Tensor::binary_cross_entropy`].
///
/// ```
/// use gradus::{Tensor, nn};
/// let loss = nn::binary_cross_entropy(&Tensor::from([0.5]), &Tensor::from([1.0]))?;
/// assert_eq!(loss.item::<f32>()?, 2f32.ln());
/// # Ok::<(), gradus::Error>(())
/// ```
pub fn binary_cross_entropy(prediction: &Tensor, target: &Tensor) -> Result<Tensor> {
    prediction.binary_cross_entropy(target)
}

/// Binary cross-entropy of the sigmoid of the logits, without overflow.
///
/// # Errors
/// See [`Tensor::binary_cross_entropy_with_logits`].
///
/// ```
/// use gradus::{Tensor, nn};
/// let loss = nn::binary_cross_entropy_with_logits(&Tensor::from([1000.0]), &Tensor::from([0.0]))?;
/// assert_eq!(loss.item::<f32>()?, 1000.0);
/// # Ok::<(), gradus::Error>(())
/// ```
pub fn binary_cross_entropy_with_logits(logits: &Tensor, target: &Tensor) -> Result<Tensor> {
    logits.binary_cross_entropy_with_logits(target)
}

/// The mean of t·(log t − x), for logarithms of probabilities x and probabilities t.
///
/// # Errors
/// See [`Tensor::kl_div`].
///
/// ```
/// use gradus::{Tensor, nn};
/// let loss = nn::kl_div(&Tensor::from([0.0, -1.0]), &Tensor::from([1.0, 1.0]))?;
/// assert_eq!(loss.item::<f32>()?, 0.5);
/// # Ok::<(), gradus::Error>(())
/// ```
pub fn kl_div(log_probabilities: &Tensor, target: &Tensor) -> Result<Tensor> {
    log_probabilities.kl_div(target)
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

/// The mean absolute difference. The shapes broadcast.
///
/// # Errors
/// See [`Tensor::l1_loss`].
///
/// ```
/// use gradus::{Tensor, nn};
/// assert_eq!(nn::l1_loss(&Tensor::from([1.0, 3.0]), &Tensor::from([1.0, 1.0]))?.item::<f32>()?, 1.0);
/// # Ok::<(), gradus::Error>(())
/// ```
pub fn l1_loss(prediction: &Tensor, target: &Tensor) -> Result<Tensor> {
    prediction.l1_loss(target)
}

/// The mean of d²/2 for differences d of at most 1 and |d| − ½ beyond.
///
/// # Errors
/// See [`Tensor::huber_loss`].
///
/// ```
/// use gradus::{Tensor, nn};
/// assert_eq!(nn::huber_loss(&Tensor::from([1.0, 3.0]), &Tensor::zeros([2]))?.item::<f32>()?, 1.5);
/// # Ok::<(), gradus::Error>(())
/// ```
pub fn huber_loss(prediction: &Tensor, target: &Tensor) -> Result<Tensor> {
    prediction.huber_loss(target)
}

/// The mean of d²/2 for differences d below 1 and |d| − ½ beyond.
///
/// # Errors
/// See [`Tensor::smooth_l1_loss`].
///
/// ```
/// use gradus::{Tensor, nn};
/// assert_eq!(nn::smooth_l1_loss(&Tensor::from([1.0, 3.0]), &Tensor::zeros([2]))?.item::<f32>()?, 1.5);
/// # Ok::<(), gradus::Error>(())
/// ```
pub fn smooth_l1_loss(prediction: &Tensor, target: &Tensor) -> Result<Tensor> {
    prediction.smooth_l1_loss(target)
}

/// The mean of eˣ − t·x, for logarithms of rates x and counts t.
///
/// # Errors
/// See [`Tensor::poisson_nll_loss`].
///
/// ```
/// use gradus::{Tensor, nn};
/// assert_eq!(nn::poisson_nll_loss(&Tensor::from([0.0]), &Tensor::from([3.0]))?.item::<f32>()?, 1.0);
/// # Ok::<(), gradus::Error>(())
/// ```
pub fn poisson_nll_loss(log_rate: &Tensor, target: &Tensor) -> Result<Tensor> {
    log_rate.poisson_nll_loss(target)
}

/// The mean of ½·(log v + (x − t)²/v), for means x and variances v.
///
/// # Errors
/// See [`Tensor::gaussian_nll_loss`].
///
/// ```
/// use gradus::{Tensor, nn};
/// let (x, t, v) = (Tensor::from([1.0, 4.0]), Tensor::from([1.0, 2.0]), Tensor::ones([2]));
/// assert_eq!(nn::gaussian_nll_loss(&x, &t, &v)?.item::<f32>()?, 1.0);
/// # Ok::<(), gradus::Error>(())
/// ```
pub fn gaussian_nll_loss(mean: &Tensor, target: &Tensor, var: &Tensor) -> Result<Tensor> {
    mean.gaussian_nll_loss(target, var)
}

/// The mean of x where the target is 1 and max(0, 1 − x) where it is −1.
///
/// # Errors
/// See [`Tensor::hinge_embedding_loss`].
///
/// ```
/// use gradus::{Tensor, nn};
/// let loss = nn::hinge_embedding_loss(&Tensor::from([0.5, 0.25]), &Tensor::from([1, -1]))?;
/// assert_eq!(loss.item::<f32>()?, 0.625);
/// # Ok::<(), gradus::Error>(())
/// ```
pub fn hinge_embedding_loss(distance: &Tensor, target: &Tensor) -> Result<Tensor> {
    distance.hinge_embedding_loss(target)
}

/// The mean of 1 − cos(x, y) where the target is 1 and max(0, cos(x, y)) where it is −1.
///
/// # Errors
/// See [`Tensor::cosine_embedding_loss`].
///
/// ```
/// use gradus::{Tensor, nn};
/// let (x, y) = (Tensor::from([[1.0, 0.0]]), Tensor::from([[0.0, 2.0]]));
/// assert_eq!(nn::cosine_embedding_loss(&x, &y, &Tensor::from([1]))?.item::<f32>()?, 1.0);
/// # Ok::<(), gradus::Error>(())
/// ```
pub fn cosine_embedding_loss(x: &Tensor, y: &Tensor, target: &Tensor) -> Result<Tensor> {
    x.cosine_embedding_loss(y, target)
}

/// The mean of max(0, d(anchor, positive) − d(anchor, negative) + 1), with Euclidean distances d.
///
/// # Errors
/// See [`Tensor::triplet_margin_loss`].
///
/// ```
/// use gradus::{Tensor, nn};
/// let (a, p, n) = (Tensor::from([0.0]), Tensor::from([1.0]), Tensor::from([5.0]));
/// assert_eq!(nn::triplet_margin_loss(&a, &p, &n)?.item::<f32>()?, 0.0);
/// # Ok::<(), gradus::Error>(())
/// ```
pub fn triplet_margin_loss(
    anchor: &Tensor,
    positive: &Tensor,
    negative: &Tensor,
) -> Result<Tensor> {
    anchor.triplet_margin_loss(positive, negative)
}
