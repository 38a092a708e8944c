//! Clustering: groups of points that belong together, found without being told.
//!
//! Estimators are shaped like scikit-learn's: the settings in the constructor; `fit` checks the data
//! and gives what was found. [`KMeans`] and its form for streams and large sets, [`MiniBatchKMeans`],
//! find round clusters of a given number, which [`choose`] helps with. [`Dbscan`] finds regions where
//! points lie densely, of any shape and number, and calls what lies between them noise;
//! [`k_distances`] helps with its radius.
//!
//! ```
//! use gradus::cluster::KMeans;
//! use gradus::data::Blobs;
//!
//! let (x, _) = Blobs::new(300).random_state(3).make()?;
//! let fitted = KMeans::new(3).n_init(3).random_state(0).fit(&x)?;
//! assert_eq!(fitted.sizes()?, [100, 100, 100]);
//! # Ok::<(), gradus::Error>(())
//! ```
//!
//! Results are the same bits for any number of threads.

pub mod choose;
pub mod dbscan;
pub mod kmeans;
mod project;

pub use dbscan::{Dbscan, FittedDbscan, KDistances, Metric, k_distances};
pub use kmeans::{FittedKMeans, Init, KMeans, MiniBatchKMeans};
pub use project::{Projection, principal_components};

use gradus_core::{Error, Kind};

/// An error of the sort that a wrong argument is.
fn value_error(message: String) -> Error {
    Error::new(Kind::Value, message)
}
