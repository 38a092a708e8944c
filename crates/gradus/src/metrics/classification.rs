//! Predicted classes beside true ones: how often they agree, in all and by class.

use super::{Report, pairs};
use crate::{Error, Kind, Result, Tensor};
use std::collections::BTreeMap;

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
    Classification::of("accuracy_score", truth, predictions)?.accuracy()
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
    let mut classes: Vec<i64> = truth.iter().chain(&found).copied().collect();
    classes.sort_unstable();
    classes.dedup();
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

/// Precision: of the samples taken for a class, the share that is of it. Classes are those that occur
/// in either list; one that nothing was taken for has precision 0, as in scikit-learn.
///
/// # Errors
/// As [`accuracy_score`].
///
/// ```
/// use gradus::{Tensor, metrics::{Average, precision_score}};
/// let (truth, found) = (Tensor::from([0, 1, 1, 1]), Tensor::from([0, 0, 1, 1]));
/// assert_eq!(precision_score(&truth, &found, Average::Macro)?, (0.5 + 1.0) / 2.0);
/// assert_eq!(precision_score(&truth, &found, Average::Weighted)?, (0.5 + 3.0) / 4.0);
/// # Ok::<(), gradus::Error>(())
/// ```
pub fn precision_score(truth: &Tensor, predictions: &Tensor, average: Average) -> Result<f64> {
    Classification::of("precision_score", truth, predictions)?.precision(average)
}

/// Recall: of the samples of a class, the share that was taken for it. Classes are those that occur
/// in either list; one without samples has recall 0, as in scikit-learn.
///
/// # Errors
/// As [`accuracy_score`].
///
/// ```
/// use gradus::{Tensor, metrics::{Average, recall_score}};
/// let (truth, found) = (Tensor::from([0, 1, 1, 1, 1]), Tensor::from([0, 0, 1, 1, 1]));
/// assert_eq!(recall_score(&truth, &found, Average::Macro)?, (1.0 + 0.75) / 2.0);
/// # Ok::<(), gradus::Error>(())
/// ```
pub fn recall_score(truth: &Tensor, predictions: &Tensor, average: Average) -> Result<f64> {
    Classification::of("recall_score", truth, predictions)?.recall(average)
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
    Classification::of("f1_score", truth, predictions)?.f1(average)
}

/// The scores of classes over batches: counts them, and says at any time what [`accuracy_score`],
/// [`f1_score`] and the others would say of all batches together, to the last bit. It keeps three
/// numbers a class, no samples.
///
/// ```
/// use gradus::{Tensor, metrics::{Average, Classification}};
/// let mut scores = Classification::new();
/// scores.update(&Tensor::from([0, 1]), &Tensor::from([0, 1]))?;
/// scores.update(&Tensor::from([2, 2]), &Tensor::from([1, 2]))?;
/// assert_eq!(scores.accuracy()?, 0.75);
/// assert_eq!(scores.recall(Average::Macro)?, (1.0 + 1.0 + 0.5) / 3.0);
/// # Ok::<(), gradus::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Classification {
    classes: BTreeMap<i64, Counts>,
}

/// What is counted of one class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    /// Samples that are of the class, …
    pub(super) are: u64,
    /// … samples that were taken for it, …
    taken: u64,
    /// … and samples that are both.
    right: u64,
}

impl Counts {
    /// Of the samples taken for the class, the share that is of it.
    pub(super) fn precision(self) -> f64 {
        share(self.right, self.taken)
    }
    /// Of the samples of the class, the share that was taken for it.
    pub(super) fn recall(self) -> f64 {
        share(self.right, self.are)
    }
    /// The harmonic mean of both.
    pub(super) fn f1(self) -> f64 {
        share(2 * self.right, self.are + self.taken)
    }
}

/// 0 of 0 is 0.
fn share(part: u64, of: u64) -> f64 {
    if of == 0 {
        0.0
    } else {
        part as f64 / of as f64
    }
}

impl Classification {
    /// Nothing counted yet.
    pub fn new() -> Self {
        Self::default()
    }

    pub(super) fn of(function: &str, truth: &Tensor, predictions: &Tensor) -> Result<Self> {
        let mut all = Self::new();
        all.add(function, truth, predictions)?;
        Ok(all)
    }

    /// Counts a batch.
    ///
    /// # Errors
    /// As [`accuracy_score`]; then nothing is counted.
    pub fn update(&mut self, truth: &Tensor, predictions: &Tensor) -> Result<()> {
        self.add("Classification", truth, predictions)
    }

    fn add(&mut self, function: &str, truth: &Tensor, predictions: &Tensor) -> Result<()> {
        let (truth, found) = pairs(function, truth, predictions)?;
        for (&truth, &found) in truth.iter().zip(&found) {
            let class = self.classes.entry(truth).or_default();
            class.are += 1;
            class.right += u64::from(truth == found);
            self.classes.entry(found).or_default().taken += 1;
        }
        Ok(())
    }

    /// See [`accuracy_score`].
    ///
    /// # Errors
    /// If nothing was counted.
    pub fn accuracy(&self) -> Result<f64> {
        Ok(self.total()?.recall())
    }

    /// See [`precision_score`].
    ///
    /// # Errors
    /// If nothing was counted.
    pub fn precision(&self, average: Average) -> Result<f64> {
        self.average(average, Counts::precision)
    }

    /// See [`recall_score`].
    ///
    /// # Errors
    /// If nothing was counted.
    pub fn recall(&self, average: Average) -> Result<f64> {
        self.average(average, Counts::recall)
    }

    /// See [`f1_score`].
    ///
    /// # Errors
    /// If nothing was counted.
    pub fn f1(&self, average: Average) -> Result<f64> {
        self.average(average, Counts::f1)
    }

    /// See [`classification_report`](super::classification_report).
    ///
    /// # Errors
    /// If nothing was counted.
    pub fn report(&self) -> Result<Report> {
        Report::new(self.clone())
    }

    fn average(&self, average: Average, score: fn(Counts) -> f64) -> Result<f64> {
        let total = self.total()?;
        let classes = self.classes.values();
        Ok(match average {
            Average::Macro => classes.map(|&c| score(c)).sum::<f64>() / self.classes.len() as f64,
            Average::Micro => score(total),
            Average::Weighted => {
                classes.map(|&c| c.are as f64 * score(c)).sum::<f64>() / total.are as f64
            }
        })
    }

    /// All classes as if they were one.
    pub(super) fn total(&self) -> Result<Counts> {
        if self.classes.is_empty() {
            let message = "Classification: no sample was counted yet: call update() first";
            return Err(Error::new(Kind::Value, message));
        }
        Ok(
            (self.classes.values()).fold(Counts::default(), |sum, c| Counts {
                are: sum.are + c.are,
                taken: sum.taken + c.taken,
                right: sum.right + c.right,
            }),
        )
    }

    /// What was counted, by class in order.
    pub(super) fn by_class(&self) -> &BTreeMap<i64, Counts> {
        &self.classes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::DType;

    fn lists() -> (Tensor, Tensor) {
        let truth = Tensor::from([0, 1, 2, 3, 3, 0, 1, 1, -4, 0, 0, 2, 2]);
        let found = Tensor::from([0, 1, 1, 3, 0, 0, 2, 1, 3, 5, 0, 0, 2]);
        (truth, found)
    }

    /// Class −4 is never found, class 5 is found and never there: scikit-learn 1.9 counts both with
    /// 0 (`precision_score(truth, found, average="macro")` and so on).
    #[test]
    fn scores_are_scikit_learns() {
        use Average::{Macro, Micro, Weighted};
        let (truth, found) = lists();
        let one =
            |f: fn(&Tensor, &Tensor, Average) -> Result<f64>, a| f(&truth, &found, a).unwrap();
        for (ours, theirs) in [
            (accuracy_score(&truth, &found).unwrap(), 7.0 / 13.0),
            (one(precision_score, Macro), PRECISION[0]),
            (one(precision_score, Micro), 7.0 / 13.0),
            (one(precision_score, Weighted), PRECISION[1]),
            (one(recall_score, Macro), RECALL),
            (one(recall_score, Micro), 7.0 / 13.0),
            (one(recall_score, Weighted), 7.0 / 13.0),
            (one(f1_score, Macro), F1[0]),
            (one(f1_score, Micro), 7.0 / 13.0),
            (one(f1_score, Weighted), F1[1]),
        ] {
            assert!((ours - theirs).abs() < 1e-15, "{ours} instead of {theirs}");
        }
        let matrix = confusion_matrix(&truth, &found).unwrap();
        assert_eq!(matrix.shape(), [6, 6]);
        assert_eq!(matrix.to_vec::<i64>().unwrap(), MATRIX);
    }

    const PRECISION: [f64; 2] = [0.37777777777777777, 0.5307692307692308];
    const RECALL: f64 = 0.375;
    const F1: [f64; 2] = [0.37222222222222223, 0.5282051282051282];
    #[rustfmt::skip]
    const MATRIX: [i64; 36] = [
        0, 0, 0, 0, 1, 0,
        0, 3, 0, 0, 0, 1,
        0, 0, 2, 1, 0, 0,
        0, 1, 1, 1, 0, 0,
        0, 1, 0, 0, 1, 0,
        0, 0, 0, 0, 0, 0,
    ];

    /// Batches must not weigh by their size, and a class that only one of them has must not be lost.
    #[test]
    fn batches_say_what_all_samples_say() {
        let (truth, found) = lists();
        let mut batches = Classification::new();
        for (from, to) in [(0, 1), (1, 9), (9, 13)] {
            let part = |t: &Tensor| t.narrow(0, from, to - from).unwrap();
            batches.update(&part(&truth), &part(&found)).unwrap();
        }
        for average in [Average::Macro, Average::Micro, Average::Weighted] {
            let whole = [precision_score, recall_score, f1_score];
            let whole = whole.map(|f| f(&truth, &found, average).unwrap());
            let parts = [
                batches.precision(average),
                batches.recall(average),
                batches.f1(average),
            ];
            assert_eq!(parts.map(Result::unwrap), whole);
        }
        assert!(batches.update(&truth, &Tensor::from([0, 1])).is_err());
        assert_eq!(batches, Classification::of("", &truth, &found).unwrap());
    }

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
        let nothing = Classification::new();
        assert!(nothing.accuracy().is_err() && nothing.report().is_err());
        assert!(nothing.precision(Average::Micro).is_err());
    }
}
