//! What training is for: a loss to go down, and a score for people.

use crate::metrics;
use crate::{Error, Kind, Result, Tensor, nn};

/// A loss, and a score that tells people more than the loss does. The
/// [`Trainer`](super::Trainer) has [`Classification`] unless it is given another one.
///
/// A function of outputs and targets is an objective too: one that is scored by its loss.
///
/// ```
/// use gradus::data::{DataLoader, TensorDataset};
/// use gradus::nn::{self, Module};
/// use gradus::optim::Sgd;
/// use gradus::train::Trainer;
/// use gradus::{Tensor, random};
///
/// random::manual_seed(0);
/// let x = Tensor::randn([200, 2])?;
/// let y = x.matmul(&Tensor::from([[2.0], [-3.4]]))?.add(4.2)?;
/// let data = DataLoader::new(TensorDataset::new(x, y)?, 20)?;
/// let net = nn::Linear::new(2, 1)?;
/// let mut sgd = Sgd::new(net.parameters(), 0.1);
/// let absolute = |outputs: &Tensor, targets: &Tensor| nn::l1_loss(outputs, targets);
/// let summary = Trainer::new(20).objective(absolute).fit(&net, &mut sgd, &data, &data)?;
/// assert!(summary.history[19].test_loss < 0.1);
/// # Ok::<(), gradus::Error>(())
/// ```
///
/// With a score of its own it is a type. What the score is made of is kept in numbers that add up
/// over batches, because a checkpoint in the middle of an epoch has to keep them:
///
/// ```
/// use gradus::train::Objective;
/// use gradus::{Result, Tensor, nn};
///
/// /// The squared error, scored by the largest error.
/// struct Worst;
///
/// impl Objective for Worst {
///     fn loss(&self, outputs: &Tensor, targets: &Tensor) -> Result<Tensor> {
///         nn::mse_loss(outputs, targets)
///     }
///     fn metric(&self) -> &str {
///         "largest_error"
///     }
///     fn update(&self, sums: &mut Vec<f64>, outputs: &Tensor, targets: &Tensor) -> Result<()> {
///         let largest = outputs.sub(targets)?.abs()?.amax(..)?.item::<f64>()?;
///         *sums = vec![sums.first().map_or(largest, |before| largest.max(*before))];
///         Ok(())
///     }
///     fn score(&self, sums: &[f64]) -> Option<f64> {
///         sums.first().copied()
///     }
/// }
///
/// let mut sums = Vec::new();
/// Worst.update(&mut sums, &Tensor::from([1.0, 2.0]), &Tensor::from([1.5, 2.0]))?;
/// assert_eq!(Worst.score(&sums), Some(0.5));
/// # Ok::<(), gradus::Error>(())
/// ```
pub trait Objective {
    /// The loss of a batch, one number: the mean over its samples, because batches count by theirs.
    ///
    /// # Errors
    /// If shapes or dtypes do not fit.
    fn loss(&self, outputs: &Tensor, targets: &Tensor) -> Result<Tensor>;

    /// The name of the score, such as `accuracy`: `metrics.jsonl` has `train_accuracy` and
    /// `test_accuracy`. By default [`LOSS`]: there is no other score than the loss.
    fn metric(&self) -> &str {
        LOSS
    }

    /// Adds a batch to what the score is made of; there is nothing yet before the first.
    ///
    /// # Errors
    /// If shapes or dtypes do not fit, or the numbers are not those of this objective.
    fn update(&self, sums: &mut Vec<f64>, outputs: &Tensor, targets: &Tensor) -> Result<()> {
        let _ = (sums, outputs, targets);
        Ok(())
    }

    /// The score of all batches so far; none: it is the loss.
    fn score(&self, sums: &[f64]) -> Option<f64> {
        let _ = sums;
        None
    }
}

/// The [`metric`](Objective::metric) of an objective that has no score of its own.
pub const LOSS: &str = "loss";

impl<F: Fn(&Tensor, &Tensor) -> Result<Tensor>> Objective for F {
    fn loss(&self, outputs: &Tensor, targets: &Tensor) -> Result<Tensor> {
        self(outputs, targets)
    }
}

/// Which class: the cross-entropy of logits [n, classes], and the share of samples whose largest
/// logit is at their class (`accuracy`). Targets are numbers of classes \[n\], or probabilities
/// [n, classes].
#[derive(Clone, Copy, Debug, Default)]
pub struct Classification;

impl Objective for Classification {
    fn loss(&self, outputs: &Tensor, targets: &Tensor) -> Result<Tensor> {
        nn::cross_entropy(outputs, targets)
    }

    fn metric(&self) -> &str {
        "accuracy"
    }

    fn update(&self, sums: &mut Vec<f64>, outputs: &Tensor, targets: &Tensor) -> Result<()> {
        let [right, all] = match sums[..] {
            [] => [0.0; 2],
            [right, all] => [right, all],
            _ => return Err(foreign("classification", sums)),
        };
        let classes = match targets.dtype().is_float() {
            true => targets.argmax(1)?,
            false => targets.clone(),
        };
        let equal = outputs.argmax(1)?.eq(&classes)?;
        let found = equal.sum(..)?.item::<i64>()?;
        *sums = vec![right + found as f64, all + equal.numel() as f64];
        Ok(())
    }

    fn score(&self, sums: &[f64]) -> Option<f64> {
        match sums {
            [right, all] => Some(right / all.max(1.0)),
            _ => None,
        }
    }
}

/// How much: the mean squared error, in the square of the targets' unit, and R², the share of their
/// variance that is explained (`r2`, see [`metrics::r2_score`]; 1 is perfect, 0 what their mean would
/// give). Outputs and targets are numbers of one shape, \[n\] or [n, outputs]; \[n\] and [n, 1] go
/// together, any other two are refused rather than broadcast. The targets take the outputs' dtype.
#[derive(Clone, Copy, Debug, Default)]
pub struct Regression;

impl Objective for Regression {
    fn loss(&self, outputs: &Tensor, targets: &Tensor) -> Result<Tensor> {
        nn::mse_loss(outputs, &alike(outputs, targets)?)
    }

    fn metric(&self) -> &str {
        "r2"
    }

    fn update(&self, sums: &mut Vec<f64>, outputs: &Tensor, targets: &Tensor) -> Result<()> {
        let targets = alike(outputs, targets)?;
        let mut scores =
            metrics::Regression::from_numbers(sums).ok_or_else(|| foreign("regression", sums))?;
        // Pictures of numbers are so many outputs.
        let flat = |x: &Tensor| {
            if x.ndim() > 2 {
                x.flatten(1, -1)
            } else {
                Ok(x.clone())
            }
        };
        scores.update(&flat(&targets)?, &flat(outputs)?)?;
        *sums = scores.numbers();
        Ok(())
    }

    fn score(&self, sums: &[f64]) -> Option<f64> {
        let scores = metrics::Regression::from_numbers(sums)?;
        // Of a single sample there is no variance yet.
        Some(scores.r2().unwrap_or(0.0))
    }
}

/// The targets in shape and dtype of the outputs: \[n\] and [n, 1] would broadcast to [n, n], the
/// difference of each from each.
fn alike(outputs: &Tensor, targets: &Tensor) -> Result<Tensor> {
    let (ours, theirs) = (outputs.shape(), targets.shape());
    let one = |shape: &[usize]| matches!(shape, [_] | [_, 1]);
    if ours != theirs && !(one(ours) && one(theirs) && ours[0] == theirs[0]) {
        let message = format!(
            "regression: the model returned numbers of shape {ours:?} for targets of shape \
             {theirs:?}; both must have the same shape, or be [n, 1] and [n]: change the size of the \
             last layer, or reshape the targets"
        );
        return Err(Error::new(Kind::Shape, message));
    }
    targets.to_dtype(outputs.dtype())?.reshape(ours)
}

fn foreign(name: &str, sums: &[f64]) -> Error {
    let message = format!(
        "{name}: the saved state of the epoch is of another objective: it has {} numbers",
        sums.len()
    );
    Error::new(Kind::Data, message)
}
