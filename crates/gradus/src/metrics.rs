//! How good predictions are: accuracy, confusion, F1; and clusterings. Under scikit-learn's names.

mod clustering;

pub use clustering::{
    adjusted_rand_score, davies_bouldin_score, homogeneity_completeness_v_measure,
    silhouette_samples, silhouette_score, v_measure_score,
};

use crate::{Error, Kind, Result, Tensor};

const MOST_CLASSES: usize = 10_000;

/// How the figures of several classes become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Average {
    /// The mean over the classes: a rare one counts as much as a frequent one.
    Macro,
    /// That of all samples together, whatever their class.
    Micro,
    /// The mean over the classes, each as often as it occurs.
    Weighted,
}

/// The share of predictions that are right. Both are lists of classes, integers of shape \[n\].
///
/// # Errors
/// If they are no integers of one shape \[n\], or empty.
///
/// ```
/// use gradus::{Tensor, metrics};
/// let (truth, found) = (Tensor::from([0, 1, 2, 2]), Tensor::from([0, 1, 1, 2]));
/// assert_eq!(metrics::accuracy_score(&truth, &found)?, 0.75);
/// # Ok::<(), gradus::Error>(())
/// ```
pub fn accuracy_score(truth: &Tensor, predictions: &Tensor) -> Result<f64> {
    let (truth, found) = pairs("accuracy_score", truth, predictions)?;
    let right = truth.iter().zip(&found).filter(|(a, b)| a == b).count();
    Ok(right as f64 / truth.len() as f64)
}

/// How many samples of each class (row) were taken for each class (column): i64 of shape [k, k].
/// Classes are those that occur in either list, in order.
///
/// # Errors
/// As [`accuracy_score`]; for more than 10,000 classes, whose matrix would fill the memory.
///
/// ```
/// use gradus::{Tensor, metrics};
/// let (truth, found) = (Tensor::from([5, 5, 7, 7]), Tensor::from([5, 7, 7, 7]));
/// assert_eq!(metrics::confusion_matrix(&truth, &found)?.to_vec::<i64>()?, [1, 1, 0, 2]);
/// # Ok::<(), gradus::Error>(())
/// ```
pub fn confusion_matrix(truth: &Tensor, predictions: &Tensor) -> Result<Tensor> {
    let (truth, found) = pairs("confusion_matrix", truth, predictions)?;
    let classes = classes(&truth, &found);
    let k = classes.len();
    if k > MOST_CLASSES {
        let message = format!("confusion_matrix: {k} classes, at most {MOST_CLASSES} are counted");
        return Err(Error::new(Kind::Value, message));
    }
    let mut counts = vec![0i64; k * k];
    let at = |class: i64| classes.partition_point(|&c| c < class);
    for (&truth, &found) in truth.iter().zip(&found) {
        counts[at(truth) * k + at(found)] += 1;
    }
    Tensor::from_vec(counts, [k, k])
}

/// The F1 score: 2·right/(2·right + wrongly found + missed), which is the harmonic mean of precision
/// and recall. Classes are those that occur in either list.
///
/// # Errors
/// As [`accuracy_score`].
///
/// ```
/// use gradus::{Tensor, metrics::{Average, f1_score}};
/// let (truth, found) = (Tensor::from([0, 1, 2, 0, 1, 2]), Tensor::from([0, 2, 1, 0, 0, 1]));
/// assert!((f1_score(&truth, &found, Average::Macro)? - 0.8 / 3.0).abs() < 1e-15);
/// assert!((f1_score(&truth, &found, Average::Micro)? - 1.0 / 3.0).abs() < 1e-15);
/// # Ok::<(), gradus::Error>(())
/// ```
pub fn f1_score(truth: &Tensor, predictions: &Tensor, average: Average) -> Result<f64> {
    let (truth, found) = pairs("f1_score", truth, predictions)?;
    let classes = classes(&truth, &found);
    let at = |class: i64| classes.partition_point(|&c| c < class);
    // Of each class: samples that are it, samples taken for it, and samples that are both.
    let mut counts = vec![[0usize; 3]; classes.len()];
    for (&truth, &found) in truth.iter().zip(&found) {
        counts[at(truth)][0] += 1;
        counts[at(found)][1] += 1;
        counts[at(truth)][2] += usize::from(truth == found);
    }
    // Every class occurs, so that no sum is 0.
    let f1 = |[are, taken, both]: [usize; 3]| 2.0 * both as f64 / (are + taken) as f64;
    Ok(match average {
        Average::Macro => counts.iter().map(|&c| f1(c)).sum::<f64>() / counts.len() as f64,
        Average::Weighted => {
            let sum: f64 = counts.iter().map(|&c| c[0] as f64 * f1(c)).sum();
            sum / truth.len() as f64
        }
        Average::Micro => {
            let total = |i: usize| counts.iter().map(|c| c[i]).sum();
            f1([total(0), total(1), total(2)])
        }
    })
}

/// The two lists, checked.
fn pairs(function: &str, truth: &Tensor, predictions: &Tensor) -> Result<(Vec<i64>, Vec<i64>)> {
    let fail = |kind, message| Err(Error::new(kind, format!("{function}: {message}")));
    if truth.ndim() != 1 || truth.shape() != predictions.shape() || truth.numel() == 0 {
        let message = format!(
            "expected two lists of classes of one length, at least 1, got shapes {:?} and {:?}",
            truth.shape(),
            predictions.shape()
        );
        return fail(Kind::Shape, message);
    }
    for tensor in [truth, predictions] {
        if tensor.dtype().is_float() {
            let message = format!("expected classes as integers, got {}", tensor.dtype());
            return fail(Kind::DType, message);
        }
    }
    Ok((truth.to_vec()?, predictions.to_vec()?))
}

/// The classes that occur, in order.
fn classes(truth: &[i64], predictions: &[i64]) -> Vec<i64> {
    let mut classes: Vec<i64> = truth.iter().chain(predictions).copied().collect();
    classes.sort_unstable();
    classes.dedup();
    classes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::DType;

    /// Figures of scikit-learn 1.9.
    #[test]
    fn scores_are_scikit_learns() {
        let truth = Tensor::from([0, 1, 2, 3, 3, 0, 1, 1, -4, 0]);
        let found = Tensor::from([0, 1, 1, 3, 0, 0, 2, 1, 3, 5]);
        let f1 = |average| f1_score(&truth, &found, average).unwrap();
        for (ours, theirs) in [
            (accuracy_score(&truth, &found).unwrap(), ACCURACY),
            (f1(Average::Macro), MACRO),
            (f1(Average::Micro), ACCURACY),
            (f1(Average::Weighted), WEIGHTED),
        ] {
            assert!((ours - theirs).abs() < 1e-15, "{ours} instead of {theirs}");
        }
        let matrix = confusion_matrix(&truth, &found).unwrap();
        assert_eq!(matrix.shape(), [6, 6]);
        assert_eq!(matrix.to_vec::<i64>().unwrap(), MATRIX);
    }

    const ACCURACY: f64 = 0.5;
    const MACRO: f64 = 0.3055555555555555;
    const WEIGHTED: f64 = 0.5;
    #[rustfmt::skip]
    const MATRIX: [i64; 36] = [
        0, 0, 0, 0, 1, 0,
        0, 2, 0, 0, 0, 1,
        0, 0, 2, 1, 0, 0,
        0, 0, 1, 0, 0, 0,
        0, 1, 0, 0, 1, 0,
        0, 0, 0, 0, 0, 0,
    ];

    #[test]
    fn what_is_no_pair_of_lists_is_refused() {
        let ints = Tensor::from([0, 1]);
        for (truth, found, kind) in [
            (ints.clone(), Tensor::from([0, 1, 2]), Kind::Shape),
            (ints.clone(), Tensor::from([[0, 1]]), Kind::Shape),
            (Tensor::from(1), Tensor::from(1), Kind::Shape),
            (ints.clone(), Tensor::from([0.0, 1.0]), Kind::DType),
        ] {
            let error = f1_score(&truth, &found, Average::Macro).unwrap_err();
            assert_eq!(error.kind(), kind);
            assert_eq!(accuracy_score(&truth, &found).unwrap_err().kind(), kind);
            assert_eq!(confusion_matrix(&truth, &found).unwrap_err().kind(), kind);
        }
        let empty = Tensor::full([0], 0.0, DType::I64).unwrap();
        assert!(accuracy_score(&empty, &empty).is_err());
    }
}
