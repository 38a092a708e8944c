//! How good predictions are, under scikit-learn's names: classes ([`accuracy_score`], [`f1_score`],
//! [`classification_report`]), scores of classes ([`roc_auc_score`], [`top_k_accuracy_score`]), numbers
//! ([`r2_score`]), clusterings ([`silhouette_score`]). [`Classification`] and [`Regression`] take them
//! batch by batch.

mod classification;
mod clustering;
mod ranking;
mod regression;
mod report;

pub use classification::{
    Average, Classification, accuracy_score, confusion_matrix, f1_score, precision_score,
    recall_score,
};
pub use clustering::{
    adjusted_rand_score, davies_bouldin_score, homogeneity_completeness_v_measure,
    silhouette_samples, silhouette_score, v_measure_score,
};
pub use ranking::{roc_auc_score, top_k_accuracy_score};
pub use regression::{Regression, mean_absolute_error, mean_squared_error, r2_score};
pub use report::{Report, classification_report};

use crate::{Error, Kind, Result, Tensor};

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
