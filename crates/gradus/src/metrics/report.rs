//! Precision, recall and F1 of every class as a table for people.

use super::{Average, Classification};
use crate::{Error, Kind, Result, Tensor};
use std::fmt;

/// Precision, recall, F1 and the number of samples (support) of every class, the accuracy and the
/// averages, as text in scikit-learn's layout to the letter.
///
/// # Errors
/// As [`accuracy_score`](super::accuracy_score).
///
/// ```
/// use gradus::{Tensor, metrics};
/// let (truth, found) = (Tensor::from([0, 1, 1]), Tensor::from([0, 0, 1]));
/// let report = metrics::classification_report(&truth, &found)?.target_names(["cat", "dog"])?;
/// assert_eq!(report.to_string(), "              precision    recall  f1-score   support
///
///          cat       0.50      1.00      0.67         1
///          dog       1.00      0.50      0.67         2
///
///     accuracy                           0.67         3
///    macro avg       0.75      0.75      0.67         3
/// weighted avg       0.83      0.67      0.67         3
/// ");
/// # Ok::<(), gradus::Error>(())
/// ```
pub fn classification_report(truth: &Tensor, predictions: &Tensor) -> Result<Report> {
    Classification::of("classification_report", truth, predictions)?.report()
}

/// The table that [`classification_report`] makes; `{}` prints it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    scores: Classification,
    names: Vec<String>,
    digits: usize,
}

impl Report {
    /// Of at least one sample.
    pub(super) fn new(scores: Classification) -> Result<Self> {
        scores.total()?;
        let names = scores.by_class().keys().map(i64::to_string).collect();
        Ok(Self {
            scores,
            names,
            digits: 2,
        })
    }

    /// With these names in place of the numbers of the classes, in their order.
    ///
    /// # Errors
    /// If there are not as many names as classes that occur.
    pub fn target_names<N: Into<String>>(
        mut self,
        names: impl IntoIterator<Item = N>,
    ) -> Result<Self> {
        let names: Vec<String> = names.into_iter().map(Into::into).collect();
        if names.len() != self.names.len() {
            let (classes, names) = (self.names.len(), names.len());
            let message = format!("target_names: {names} names for {classes} classes that occur");
            return Err(Error::new(Kind::Value, message));
        }
        self.names = names;
        Ok(self)
    }

    /// With this many digits after the point; 2 by default.
    #[must_use]
    pub fn digits(mut self, digits: usize) -> Self {
        self.digits = digits;
        self
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.digits;
        let longest = self.names.iter().map(|name| name.chars().count()).max();
        let width = longest.unwrap_or(0).max("weighted avg".len()).max(digits);
        writeln!(
            f,
            "{:>width$}  {:>9} {:>9} {:>9} {:>9}\n",
            "", "precision", "recall", "f1-score", "support"
        )?;
        let row = |f: &mut fmt::Formatter<'_>, name: &str, [p, r, f1]: [f64; 3], support: u64| {
            writeln!(
                f,
                "{name:>width$}  {p:>9.digits$} {r:>9.digits$} {f1:>9.digits$} {support:>9}"
            )
        };
        for (name, class) in self.names.iter().zip(self.scores.by_class().values()) {
            let figures = [class.precision(), class.recall(), class.f1()];
            row(f, name, figures, class.are)?;
        }
        let total = self.scores.total().map_err(|_| fmt::Error)?;
        let (accuracy, support) = (total.recall(), total.are);
        writeln!(
            f,
            "\n{:>width$}  {:>9} {:>9} {accuracy:>9.digits$} {support:>9}",
            "accuracy", "", ""
        )?;
        for (name, average) in [
            ("macro avg", Average::Macro),
            ("weighted avg", Average::Weighted),
        ] {
            let scores = &self.scores;
            let figures = [
                scores.precision(average),
                scores.recall(average),
                scores.f1(average),
            ];
            let figures = figures.map(|score| score.unwrap_or(f64::NAN));
            row(f, name, figures, support)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// scikit-learn 1.9: `classification_report(truth, found)`, with `digits=4` and `target_names`, and
    /// where a share lies halfway between two texts (1/8) and a class is never there.
    #[test]
    fn the_text_is_scikit_learns() {
        let truth = Tensor::from([0, 1, 2, 3, 3, 0, 1, 1, -4, 0, 0, 2, 2]);
        let found = Tensor::from([0, 1, 1, 3, 0, 0, 2, 1, 3, 5, 0, 0, 2]);
        let report = classification_report(&truth, &found).unwrap();
        assert_eq!(report.to_string(), NUMBERS);
        let names = ["minus four", "nought", "one", "two", "three"];
        assert!(report.clone().target_names(names).is_err());
        let names = names.into_iter().chain(["a véry long name"]);
        let report = report.target_names(names).unwrap().digits(4);
        assert_eq!(report.to_string(), NAMES);

        let found = Tensor::from([0, 1, 1, 1, 1, 1, 1, 1]);
        let report = classification_report(&Tensor::from([0; 8]), &found).unwrap();
        assert_eq!(report.to_string(), HALVES);
    }

    const NUMBERS: &str = "              precision    recall  f1-score   support

          -4       0.00      0.00      0.00         1
           0       0.60      0.75      0.67         4
           1       0.67      0.67      0.67         3
           2       0.50      0.33      0.40         3
           3       0.50      0.50      0.50         2
           5       0.00      0.00      0.00         0

    accuracy                           0.54        13
   macro avg       0.38      0.38      0.37        13
weighted avg       0.53      0.54      0.53        13
";
    const NAMES: &str = "                  precision    recall  f1-score   support

      minus four     0.0000    0.0000    0.0000         1
          nought     0.6000    0.7500    0.6667         4
             one     0.6667    0.6667    0.6667         3
             two     0.5000    0.3333    0.4000         3
           three     0.5000    0.5000    0.5000         2
a véry long name     0.0000    0.0000    0.0000         0

        accuracy                         0.5385        13
       macro avg     0.3778    0.3750    0.3722        13
    weighted avg     0.5308    0.5385    0.5282        13
";
    const HALVES: &str = "              precision    recall  f1-score   support

           0       1.00      0.12      0.22         8
           1       0.00      0.00      0.00         0

    accuracy                           0.12         8
   macro avg       0.50      0.06      0.11         8
weighted avg       1.00      0.12      0.22         8
";
}
