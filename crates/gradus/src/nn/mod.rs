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
pub use loss::{
    binary_cross_entropy, binary_cross_entropy_with_logits, cosine_embedding_loss, cross_entropy,
    gaussian_nll_loss, hinge_embedding_loss, huber_loss, kl_div, l1_loss, mse_loss,
    multi_margin_loss, nll_loss, poisson_nll_loss, smooth_l1_loss, triplet_margin_loss,
};
pub use module::{Buffer, Layer, Mode, Module, Parameter, Part, StateDict, join};
pub use scope::{Observation, call, observe};
pub use sequential::Sequential;
