//! Clustering: groups of points that nobody has labelled.
//!
//! Estimators are shaped like scikit-learn's: the settings in the constructor, `fit` checks the data
//! and gives a fitted value, which predicts. [`KMeans`] and its form for streams and large sets,
//! [`MiniBatchKMeans`]; [`choose`] helps with the number of clusters.
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
mod init;
mod kmeans;
mod minibatch;
mod project;

pub use init::Init;
pub use kmeans::{Algorithm, FittedKMeans, KMeans, Step};
pub use minibatch::MiniBatchKMeans;
pub use project::{Projection, principal_components, standardize};

use gradus_core::{Error, Kind};

/// An error of the sort that a wrong argument is.
fn value_error(message: String) -> Error {
    Error::new(Kind::Value, message)
}
