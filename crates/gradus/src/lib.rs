//! The toolkit: re-exports the engine, and adds data, layers, optimizers, training and pictures.

pub mod data;
pub mod plot;

pub use gradus_core::*;
