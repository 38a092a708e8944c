//! Neural-network modules.
//!
//! A [`Module`] is a tree of parameters; `#[derive(Module)]` makes one of a struct. A [`Layer`] is a
//! module that maps one tensor to another; [`Sequential`] chains layers.

mod activation;
mod flatten;
pub mod init;
mod linear;
mod loss;
mod module;
mod scope;
mod sequential;

pub use activation::{ACTIVATIONS, Relu, Sigmoid, Tanh, activation};
pub use flatten::Flatten;
/// Implements [`Module`] for a struct by visiting its fields.
pub use gradus_derive::Module;
pub use linear::Linear;
pub use loss::{cross_entropy, mse_loss};
pub use module::{Buffer, Layer, Mode, Module, Parameter, Part, StateDict, join};
pub use scope::{Observation, call, observe};
pub use sequential::Sequential;
