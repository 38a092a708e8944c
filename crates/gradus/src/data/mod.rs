//! Data sets and how they are read.
//!
//! A [`Dataset`] has numbered samples; a [`DataLoader`] makes batches of them. [`load`] knows some
//! data sets by name.

mod dataset;
mod folder;
pub mod idx;
mod images;
mod loader;
mod named;

pub use dataset::{Dataset, Subset, TensorDataset, random_split};
pub use folder::data_dir;
pub use images::ImageDataset;
pub use loader::{Batches, DataLoader};
pub use named::{Entry, NAMES, Split, digits, fashion_mnist, list, load, mnist};
