//! Scores of classes, rather than one class, beside true classes: only their order counts.

use crate::{Error, Kind, Result, Tensor};

/// The share of samples whose class is among the `k` with the largest scores. `truth` are classes 0 to
/// c − 1, integers of shape \[n\]; `scores` are logits or probabilities of shape [n, c]. Of equal
/// scores the last count as the largest, as in scikit-learn.
///
/// # Errors
/// If shapes or dtypes are others, there are no samples, a class is not below c, a score is NaN, or `k`
/// is 0.
///
/// ```
/// use gradus::{Tensor, metrics};
/// let scores = Tensor::from([[0.5, 0.3, 0.2], [0.1, 0.2, 0.7]]);
/// let truth = Tensor::from([1, 0]);
/// assert_eq!(metrics::top_k_accuracy_score(&truth, &scores, 2)?, 0.5);
/// # Ok::<(), gradus::Error>(())
/// ```
pub fn top_k_accuracy_score(truth: &Tensor, scores: &Tensor, k: usize) -> Result<f64> {
    let name = "top_k_accuracy_score";
    let fail = |kind, message| Err(Error::new(kind, format!("{name}: {message}")));
    if k == 0 {
        return fail(Kind::Value, "k must be at least 1".to_string());
    }
    if scores.ndim() != 2 {
        let message = format!(
            "expected scores of shape [n, classes], got {:?}",
            scores.shape()
        );
        return fail(Kind::Shape, message);
    }
    let (truth, scores, columns) = samples(name, truth, scores)?;
    let mut hits = 0;
    for (&class, row) in truth.iter().zip(scores.chunks_exact(columns)) {
        let class = column(name, class, columns)?;
        let larger =
            |(at, &score): (usize, &f64)| score > row[class] || score == row[class] && at > class;
        let before = row.iter().enumerate().filter(|&x| larger(x)).count();
        hits += usize::from(before < k);
    }
    Ok(hits as f64 / truth.len() as f64)
}

/// The area under the ROC curve: how often a sample of the class has a larger score than one that is
/// not, equal ones counting half (Hanley & McNeil, 1982). 1 is perfect, 1/2 is guessing.
///
/// - Scores of shape \[n\] are of the larger one of the two classes that occur.
/// - Scores of shape [n, c] have a column for each of the classes 0 to c − 1; the result is the mean
///   over the classes, each against all the others (scikit-learn's `multi_class="ovr"`, macro). They
///   need not be probabilities.
///
/// `truth` are integers of shape \[n\]. Takes time of n·log n a column.
///
/// # Errors
/// If shapes or dtypes are others or a score is NaN; if a class has no samples or has them all, for
/// which no area is defined (scikit-learn warns and gives NaN).
///
/// ```
/// use gradus::{Tensor, metrics};
/// let (truth, scores) = (Tensor::from([0, 0, 1, 1]), Tensor::from([0.1, 0.4, 0.35, 0.8]));
/// assert_eq!(metrics::roc_auc_score(&truth, &scores)?, 0.75);
/// # Ok::<(), gradus::Error>(())
/// ```
pub fn roc_auc_score(truth: &Tensor, scores: &Tensor) -> Result<f64> {
    let name = "roc_auc_score";
    let binary = scores.ndim() == 1;
    let (truth, scores, columns) = samples(name, truth, scores)?;
    let undefined = |what: String| {
        let rule = "the area needs samples of a class and others";
        Error::new(Kind::Value, format!("{name}: {what}; {rule}"))
    };
    let area = |of: i64, at: usize| {
        let column = scores.iter().skip(at).step_by(columns);
        let pairs = column
            .zip(&truth)
            .map(|(&score, &class)| (score, class == of));
        area(pairs.collect())
            .ok_or_else(|| undefined(format!("class {of} has none or all of the samples")))
    };
    if binary {
        let (least, largest) = truth
            .iter()
            .fold((i64::MAX, i64::MIN), |(a, b), &c| (a.min(c), b.max(c)));
        if truth
            .iter()
            .any(|&class| class != least && class != largest)
        {
            let message = format!("{name}: more than two classes need a column of scores for each");
            return Err(Error::new(Kind::Shape, message));
        }
        return area(largest, 0);
    }
    truth
        .iter()
        .try_for_each(|&class| column(name, class, columns).map(drop))?;
    let sum = (0..columns).try_fold(0.0, |sum, at| Ok::<_, Error>(sum + area(at as i64, at)?))?;
    Ok(sum / columns as f64)
}

/// The area under the ROC curve of scores and whether each is of the class; none if all or no one is.
fn area(mut samples: Vec<(f64, bool)>) -> Option<f64> {
    samples.sort_by(|a, b| a.0.total_cmp(&b.0));
    // Pairs of a sample of the class and a smaller other, twice, to stay whole.
    let (mut pairs, mut others, mut ours) = (0u128, 0u128, 0u128);
    for equal in samples.chunk_by(|a, b| a.0 == b.0) {
        let of_class = equal.iter().filter(|(_, of_class)| *of_class).count() as u128;
        let rest = equal.len() as u128 - of_class;
        pairs += of_class * (2 * others + rest);
        others += rest;
        ours += of_class;
    }
    (others * ours > 0).then(|| pairs as f64 / (2 * others * ours) as f64)
}

/// Classes, scores and the number of scores a sample, checked.
fn samples(name: &str, truth: &Tensor, scores: &Tensor) -> Result<(Vec<i64>, Vec<f64>, usize)> {
    let fail = |kind, message| Err(Error::new(kind, format!("{name}: {message}")));
    let (n, columns) = match *scores.shape() {
        [n] => (n, 1),
        [n, columns] => (n, columns),
        _ => (0, 0),
    };
    if n * columns == 0 || truth.shape() != [n] {
        let message = format!(
            "expected a class for each sample, at least one, and a row of scores for each, got \
             shapes {:?} and {:?}",
            truth.shape(),
            scores.shape()
        );
        return fail(Kind::Shape, message);
    }
    if truth.dtype().is_float() {
        let message = format!("expected classes as integers, got {}", truth.dtype());
        return fail(Kind::DType, message);
    }
    let scores: Vec<f64> = scores.to_vec()?;
    if let Some(at) = scores.iter().position(|score| score.is_nan()) {
        let message = format!("the score of sample {} (from 0) is NaN", at / columns);
        return fail(Kind::Value, message);
    }
    Ok((truth.to_vec()?, scores, columns))
}

/// The column of a class.
fn column(name: &str, class: i64, columns: usize) -> Result<usize> {
    let at = usize::try_from(class).ok().filter(|&at| at < columns);
    at.ok_or_else(|| {
        let message = format!("{name}: class {class} has no column: scores have {columns}");
        Error::new(Kind::Value, message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::DType;

    /// scikit-learn 1.9: `top_k_accuracy_score(truth, scores, k=k, labels=[0, 1, 2])`. Ties decide, and in
    /// the second list class 2 is absent.
    #[test]
    fn top_k_is_scikit_learns() {
        let scores = Tensor::from([
            [0.5, 0.2, 0.2],
            [0.3, 0.4, 0.2],
            [0.2, 0.4, 0.4],
            [0.7, 0.2, 0.1],
            [0.25, 0.25, 0.5],
            [0.1, 0.1, 0.1],
        ]);
        let truth = Tensor::from([0, 1, 2, 2, 0, 0]);
        for (k, theirs) in [(1, 0.5), (2, 0.5), (3, 1.0), (9, 1.0)] {
            let ours = top_k_accuracy_score(&truth, &scores, k).unwrap();
            assert_eq!(ours, theirs, "k = {k}");
        }
        let truth = Tensor::from([0, 0, 1, 1, 0, 0]);
        let ours = top_k_accuracy_score(&truth, &scores, 2).unwrap();
        assert_eq!(ours, 4.0 / 6.0);
    }

    /// scikit-learn 1.9: `roc_auc_score(truth, scores)`, with `multi_class="ovr"` for the columns. Ties
    /// between and within the classes count half.
    #[test]
    fn areas_are_scikit_learns() {
        let scores = Tensor::from([0.1, 0.4, 0.35, 0.8, 0.4, 0.4, 0.8, 0.8]);
        for [no, yes] in [[0, 1], [-3, 7]] {
            let truth = Tensor::from([no, no, yes, yes, no, yes, yes, no]);
            assert_eq!(roc_auc_score(&truth, &scores).unwrap(), 0.625);
        }
        let scores = Tensor::from([
            [0.5, 0.25, 0.25],
            [0.25, 0.5, 0.25],
            [0.125, 0.375, 0.5],
            [0.5, 0.25, 0.25],
            [0.25, 0.25, 0.5],
            [0.375, 0.5, 0.125],
            [0.125, 0.625, 0.25],
        ]);
        let ours = roc_auc_score(&Tensor::from([0, 1, 2, 2, 0, 0, 1]), &scores).unwrap();
        assert!((ours - 0.8).abs() < 1e-15, "{ours}");
        // Zeros of both signs are one score.
        let zeros = roc_auc_score(&Tensor::from([1, 0]), &Tensor::from([-0.0, 0.0]));
        assert_eq!(zeros.unwrap(), 0.5);
    }

    #[test]
    fn what_has_no_order_is_refused() {
        let two = Tensor::from([0, 1]);
        let empty = Tensor::full([0], 0.0, DType::I64).unwrap();
        let wide = Tensor::ones([2, 3]);
        for (truth, scores, kind) in [
            (empty, Tensor::ones([0]), Kind::Shape),
            (two.clone(), Tensor::ones([3]), Kind::Shape),
            (two.clone(), Tensor::ones([2, 0]), Kind::Shape),
            (two.clone(), Tensor::from(1.0), Kind::Shape),
            (Tensor::from([0, 1, 2]), Tensor::ones([3]), Kind::Shape),
            (Tensor::from([0.0, 1.0]), wide.clone(), Kind::DType),
            (two.clone(), Tensor::from([0.0, f32::NAN]), Kind::Value),
            // No sample is of the second class, or of the third.
            (Tensor::from([1, 1]), Tensor::ones([2]), Kind::Value),
            (two.clone(), wide.clone(), Kind::Value),
            (Tensor::from([0, 3]), wide.clone(), Kind::Value),
        ] {
            let error = roc_auc_score(&truth, &scores).unwrap_err();
            assert_eq!(error.kind(), kind, "{error}");
        }
        let top = top_k_accuracy_score;
        assert_eq!(top(&two, &wide, 0).unwrap_err().kind(), Kind::Value);
        assert_eq!(
            top(&two, &Tensor::ones([2]), 1).unwrap_err().kind(),
            Kind::Shape
        );
        let error = top(&Tensor::from([0, -1]), &wide, 1).unwrap_err();
        assert!(
            error.to_string().contains("class -1 has no column"),
            "{error}"
        );
    }
}
