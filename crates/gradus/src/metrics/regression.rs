//! Predicted numbers beside true ones.

use crate::{Error, Kind, Result, Tensor};

/// The coefficient of determination R²: 1 − Σ(truth − prediction)²/Σ(truth − mean)², the share of the
/// variance that is explained; 1 is perfect, 0 what the mean alone would give, and it can be negative.
/// Both are numbers of shape \[n\] or [n, outputs], for which it is the mean over the outputs. Where
/// the truth is constant it is 1 if the predictions are right and 0 otherwise, as in scikit-learn.
///
/// # Errors
/// If the shapes are others or differ, a number is not finite, or there are fewer than 2 samples.
///
/// ```
/// use gradus::{Tensor, metrics};
/// let (truth, found) = (Tensor::from([1.0, 2.0, 3.0]), Tensor::from([1.0, 2.0, 4.0]));
/// assert_eq!(metrics::r2_score(&truth, &found)?, 0.5);
/// # Ok::<(), gradus::Error>(())
/// ```
pub fn r2_score(truth: &Tensor, predictions: &Tensor) -> Result<f64> {
    Regression::of("r2_score", truth, predictions)?.r2()
}

/// The mean of (truth − prediction)², in the square of their unit. Both are numbers of shape \[n\] or
/// [n, outputs]. For a loss with a gradient see [`nn::mse_loss`](crate::nn::mse_loss).
///
/// # Errors
/// If the shapes are others or differ, a number is not finite, or there are no samples.
///
/// ```
/// use gradus::{Tensor, metrics};
/// let (truth, found) = (Tensor::from([1.0, 2.0]), Tensor::from([1.0, 4.0]));
/// assert_eq!(metrics::mean_squared_error(&truth, &found)?, 2.0);
/// # Ok::<(), gradus::Error>(())
/// ```
pub fn mean_squared_error(truth: &Tensor, predictions: &Tensor) -> Result<f64> {
    Regression::of("mean_squared_error", truth, predictions)?.mean_squared_error()
}

/// The mean of |truth − prediction|, in their unit. Both are numbers of shape \[n\] or [n, outputs].
///
/// # Errors
/// As [`mean_squared_error`].
///
/// ```
/// use gradus::{Tensor, metrics};
/// let (truth, found) = (Tensor::from([1.0, 2.0]), Tensor::from([1.0, 4.0]));
/// assert_eq!(metrics::mean_absolute_error(&truth, &found)?, 1.0);
/// # Ok::<(), gradus::Error>(())
/// ```
pub fn mean_absolute_error(truth: &Tensor, predictions: &Tensor) -> Result<f64> {
    Regression::of("mean_absolute_error", truth, predictions)?.mean_absolute_error()
}

/// The scores of numbers over batches: what [`r2_score`] and the others would say of all of them, up
/// to rounding. It keeps four numbers an output, no samples.
///
/// ```
/// use gradus::{Tensor, metrics::Regression};
/// let mut scores = Regression::new();
/// scores.update(&Tensor::from([1.0, 2.0]), &Tensor::from([1.0, 2.0]))?;
/// scores.update(&Tensor::from([3.0]), &Tensor::from([4.0]))?;
/// assert!((scores.r2()? - 0.5).abs() < 1e-15);
/// assert_eq!(scores.mean_absolute_error()?, 1.0 / 3.0);
/// # Ok::<(), gradus::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Regression {
    samples: usize,
    outputs: Vec<Sums>,
}

/// What is kept of one output.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Sums {
    squares: f64,
    magnitudes: f64,
    /// The mean of the truth, …
    mean: f64,
    /// … and the sum of its squared distances to it.
    variation: f64,
}

impl Regression {
    /// Nothing seen yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// What is kept, as numbers; none of nothing.
    pub(crate) fn numbers(&self) -> Vec<f64> {
        let outputs = self.outputs.iter();
        let sums = outputs.flat_map(|s| [s.squares, s.magnitudes, s.mean, s.variation]);
        (self.samples > 0)
            .then_some(self.samples as f64)
            .into_iter()
            .chain(sums)
            .collect()
    }

    /// The scores whose [`numbers`](Regression::numbers) these are.
    pub(crate) fn from_numbers(numbers: &[f64]) -> Option<Self> {
        let Some((samples, sums)) = numbers.split_first() else {
            return Some(Self::new());
        };
        let (sums, []) = sums.as_chunks() else {
            return None;
        };
        let sums = sums
            .iter()
            .map(|&[squares, magnitudes, mean, variation]| Sums {
                squares,
                magnitudes,
                mean,
                variation,
            });
        Some(Self {
            samples: *samples as usize,
            outputs: sums.collect(),
        })
    }

    fn of(function: &str, truth: &Tensor, predictions: &Tensor) -> Result<Self> {
        let mut all = Self::new();
        all.add(function, truth, predictions)?;
        Ok(all)
    }

    /// Takes up a batch.
    ///
    /// # Errors
    /// As [`mean_squared_error`], or if it has another number of outputs than those before; then it
    /// is left out.
    pub fn update(&mut self, truth: &Tensor, predictions: &Tensor) -> Result<()> {
        self.add("Regression", truth, predictions)
    }

    fn add(&mut self, function: &str, truth: &Tensor, predictions: &Tensor) -> Result<()> {
        let fail = |kind, message| Err(Error::new(kind, format!("{function}: {message}")));
        let outputs = match *truth.shape() {
            [_] => 1,
            [_, outputs] => outputs,
            _ => 0,
        };
        if truth.shape() != predictions.shape() || truth.numel() == 0 || outputs == 0 {
            let message = format!(
                "expected two times as many numbers, shape [n] or [n, outputs], at least one, got \
                 shapes {:?} and {:?}",
                truth.shape(),
                predictions.shape()
            );
            return fail(Kind::Shape, message);
        }
        if self.samples > 0 && outputs != self.outputs.len() {
            let message = format!("{outputs} outputs after {}", self.outputs.len());
            return fail(Kind::Shape, message);
        }
        let (truth, found) = (truth.to_vec::<f64>()?, predictions.to_vec::<f64>()?);
        if let Some(bad) = truth.iter().chain(&found).find(|x| !x.is_finite()) {
            return fail(
                Kind::Value,
                format!("every number must be finite, one is {bad}"),
            );
        }
        self.outputs.resize(outputs, Sums::default());
        let (before, now) = (self.samples as f64, (truth.len() / outputs) as f64);
        for (at, sums) in self.outputs.iter_mut().enumerate() {
            let column = || truth.iter().skip(at).step_by(outputs);
            let errors = || {
                column()
                    .zip(found.iter().skip(at).step_by(outputs))
                    .map(|(t, f)| t - f)
            };
            sums.squares += errors().map(|e| e * e).sum::<f64>();
            sums.magnitudes += errors().map(f64::abs).sum::<f64>();
            // Two sets' variations about their means become that of both (Chan, Golub & LeVeque, 1983):
            // sums of squares of the numbers themselves would cancel.
            let mean = column().sum::<f64>() / now;
            let apart = mean - sums.mean;
            sums.variation += column().map(|t| (t - mean) * (t - mean)).sum::<f64>()
                + apart * apart * (before * now / (before + now));
            sums.mean += apart * (now / (before + now));
        }
        self.samples += truth.len() / outputs;
        Ok(())
    }

    /// See [`r2_score`].
    ///
    /// # Errors
    /// If there were fewer than 2 samples.
    pub fn r2(&self) -> Result<f64> {
        if self.samples < 2 {
            let message = format!("r2_score: needs at least 2 samples, got {}", self.samples);
            return Err(Error::new(Kind::Value, message));
        }
        self.mean(|sums| match (sums.squares, sums.variation) {
            (0.0, 0.0) => 1.0,
            (_, 0.0) => 0.0,
            (squares, variation) => 1.0 - squares / variation,
        })
    }

    /// See [`mean_squared_error`].
    ///
    /// # Errors
    /// If there was no sample.
    pub fn mean_squared_error(&self) -> Result<f64> {
        self.mean(|sums| sums.squares / self.samples as f64)
    }

    /// See [`mean_absolute_error`].
    ///
    /// # Errors
    /// If there was no sample.
    pub fn mean_absolute_error(&self) -> Result<f64> {
        self.mean(|sums| sums.magnitudes / self.samples as f64)
    }

    /// The mean of a score over the outputs.
    fn mean(&self, score: impl Fn(&Sums) -> f64) -> Result<f64> {
        if self.outputs.is_empty() {
            let message = "Regression: there was no sample yet: call update() first";
            return Err(Error::new(Kind::Value, message));
        }
        Ok(self.outputs.iter().map(score).sum::<f64>() / self.outputs.len() as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::DType;

    fn all(truth: &Tensor, found: &Tensor) -> [f64; 3] {
        [r2_score, mean_squared_error, mean_absolute_error].map(|f| f(truth, found).unwrap())
    }

    fn assert_close(ours: [f64; 3], theirs: [f64; 3]) {
        for (a, b) in ours.iter().zip(theirs) {
            assert!((a - b).abs() < 1e-11, "{ours:?} instead of {theirs:?}");
        }
    }

    /// Figures of scikit-learn 1.9, for one output and two (`multioutput="uniform_average"`).
    #[test]
    fn scores_are_scikit_learns() {
        let one = (
            Tensor::from([3.0, -0.5, 2.0, 7.0, 4.25]),
            Tensor::from([2.5, 0.0, 2.0, 8.0, 3.5]),
        );
        assert_close(all(&one.0, &one.1), [0.9328175895765473, 0.4125, 0.55]);
        let two = (
            Tensor::from([[0.5, 1.0], [-1.0, 1.0], [7.0, -6.0]]),
            Tensor::from([[0.0, 2.0], [-1.0, 2.0], [8.0, -5.0]]),
        );
        let theirs = [0.9368005266622779, 0.7083333333333334, 0.75];
        assert_close(all(&two.0, &two.1), theirs);
    }

    /// The mean of what each batch says is another number, and far from 0 squares cancel.
    #[test]
    fn batches_say_what_all_samples_say() {
        let truth = [3.0, -0.5, 2.0, 7.0, 4.25].map(|x| x + 1e7);
        let found = [2.5, 0.0, 2.0, 8.0, 3.5].map(|x| x + 1e7);
        let mut batches = Regression::new();
        for range in [0..1, 1..4, 4..5] {
            let part = |x: &[f64]| Tensor::from_vec(&x[range.clone()], [range.len()]).unwrap();
            batches.update(&part(&truth), &part(&found)).unwrap();
        }
        let ours = [
            batches.r2(),
            batches.mean_squared_error(),
            batches.mean_absolute_error(),
        ];
        let ours = ours.map(Result::unwrap);
        assert_close(ours, [0.9328175895765473, 0.4125, 0.55]);
    }

    #[test]
    fn a_constant_truth_has_scikit_learns_r2() {
        let two = Tensor::from([2.0, 2.0]);
        assert_eq!(r2_score(&two, &two).unwrap(), 1.0);
        assert_eq!(r2_score(&two, &Tensor::from([2.0, 3.0])).unwrap(), 0.0);
    }

    #[test]
    fn what_cannot_be_scored_is_refused() {
        let two = Tensor::from([1.0, 2.0]);
        let empty = Tensor::full([0], 0.0, DType::F32).unwrap();
        for (truth, found, kind) in [
            (two.clone(), Tensor::from([1.0]), Kind::Shape),
            (two.clone(), Tensor::from([1.0, f32::NAN]), Kind::Value),
            (Tensor::from(1.0), Tensor::from(1.0), Kind::Shape),
            (empty.clone(), empty, Kind::Shape),
        ] {
            for score in [r2_score, mean_squared_error, mean_absolute_error] {
                assert_eq!(score(&truth, &found).unwrap_err().kind(), kind);
            }
        }
        assert!(r2_score(&Tensor::from([1.0]), &Tensor::from([1.0])).is_err());
        let mut scores = Regression::new();
        assert!(scores.r2().is_err() && scores.mean_squared_error().is_err());
        scores.update(&two, &two).unwrap();
        assert!(
            scores
                .update(&Tensor::ones([2, 2]), &Tensor::ones([2, 2]))
                .is_err()
        );
        assert_eq!(scores.mean_squared_error().unwrap(), 0.0);
    }
}
