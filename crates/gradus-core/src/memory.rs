//! How much memory tensors use, and what is kept for the next ones.
//!
//! The memory of a tensor that is dropped is not returned to the system but waits for the next
//! tensor of about its size, because fresh pages cost more than arithmetic. A training loop asks the
//! system for memory in its first steps and never again, which [`Stats::requests`] shows.
//!
//! ```
//! use gradus_core::{Tensor, memory};
//! let before = memory::stats().live;
//! let x = Tensor::zeros([1000, 1000]);
//! assert!(memory::stats().live >= before + 4_000_000);
//! ```
//!
//! Sizes are rounded up to four classes for each power of two, and all figures are those of the
//! classes. Memory that is mapped from a file does not count, nor what small parts of the engine
//! (shapes, the recorded graph) use.

pub use crate::storage::{empty_cache, reset_peak, stats};

/// Figures about memory at one moment, in bytes; from [`stats`].
///
/// ```
/// let now = gradus_core::memory::stats();
/// assert!(now.peak >= now.live);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// In use by tensors.
    pub live: usize,
    /// The most that was in use at once, since the start or the last [`reset_peak`].
    pub peak: usize,
    /// Waiting for the next tensors.
    pub pooled: usize,
    /// Held from the system: in use or waiting.
    pub held: usize,
    /// How often the system was asked for memory since the start.
    pub requests: u64,
    /// How much it was asked for, in all.
    pub requested: u64,
}
