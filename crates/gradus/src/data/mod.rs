//! Data sets and how they are read.
//!
//! A [`Dataset`] has numbered samples; a [`DataLoader`] makes batches of them. [`load`] knows some
//! data sets by name, which [`Download`] fetches. A [`Table`] holds columns of a CSV file until they are numbers;
//! [`train_test_split`] and [`KFold`] say which samples are for testing.

mod archive;
mod cifar;
mod dataset;
mod download;
mod folder;
pub mod idx;
mod image_folder;
mod images;
mod loader;
mod named;
mod picture;
mod split;
mod synthetic;
mod table;
mod transform;

pub use cifar::{cifar10, cifar10_binary};
pub use dataset::{Dataset, Subset, TensorDataset, random_split};
pub use download::{DOWNLOADS, Download, DownloadEvent, Fetched};
pub use folder::data_dir;
pub use image_folder::ImageFolder;
pub use images::ImageDataset;
pub use loader::{Batches, DataLoader};
pub use named::{Entry, NAMES, Split, abalone, digits, fashion_mnist, list, load, mnist};
pub use picture::Picture;
pub use split::{Indices, KFold, StratifiedKFold, balanced_weights, train_test_split};
pub use synthetic::{Blobs, DEMOS, demo, make_circles, make_moons, synthetic_regression};
pub use table::{
    Chunks, Column, ColumnKind, Description, Fill, ReadCsv, Summary, Table, TableVectorizer, Target,
};
pub use transform::Transform;
