//! Data that know how they are read.

use crate::Result;
use crate::data::DataLoader;

/// Where a [`Trainer`](super::Trainer) gets its batches from, see
/// [`fit_data`](super::Trainer::fit_data): one value for all that a data set needs, as the book's and
/// Lightning's `DataModule`.
///
/// ```
/// use gradus::data::{self, DataLoader};
/// use gradus::nn::{self, Module};
/// use gradus::optim::Sgd;
/// use gradus::train::{DataModule, Trainer};
/// use gradus::Result;
///
/// struct Digits {
///     batch_size: usize,
/// }
///
/// impl DataModule for Digits {
///     fn train_loader(&self) -> Result<DataLoader> {
///         Ok(DataLoader::new(data::digits()?.train, self.batch_size)?.shuffle(0))
///     }
///     fn val_loader(&self) -> Result<DataLoader> {
///         DataLoader::new(data::digits()?.test, 256)
///     }
/// }
///
/// let net = nn::Sequential::new().add(nn::Flatten).add(nn::Linear::new(64, 10)?);
/// let mut sgd = Sgd::new(net.parameters(), 0.5);
/// let summary = Trainer::new(2).fit_data(&net, &mut sgd, &Digits { batch_size: 64 })?;
/// assert!(summary.history[1].test_score > 0.8);
/// # Ok::<(), gradus::Error>(())
/// ```
pub trait DataModule {
    /// The batches to learn from.
    ///
    /// # Errors
    /// If the data cannot be read.
    fn train_loader(&self) -> Result<DataLoader>;

    /// The batches to test on after each epoch.
    ///
    /// # Errors
    /// If the data cannot be read.
    fn val_loader(&self) -> Result<DataLoader>;
}
