//! Clustering: groups of points that belong together, found without being told.
//!
//! [`Dbscan`] finds regions where points lie densely, of any shape and number, and calls what lies
//! between them noise; [`k_distances`] helps to choose its radius. Estimators have scikit-learn's
//! names: hyper-parameters where one is made, data in `fit`, which checks them and returns what was
//! found. Nothing depends on the number of threads.

mod bounds;
mod dbscan;
mod density;
mod estimate;
mod grid;
mod index;
mod input;
mod kdistance;
mod kdtree;
mod kernel;
mod metric;
mod precomputed;
mod union_find;
mod visit;

pub use dbscan::{Dbscan, DbscanFit};
pub use estimate::Estimate;
pub use index::Algorithm;
pub use kdistance::{KDistances, k_distances};
pub use metric::Metric;
