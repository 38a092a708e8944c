//! Neural-network modules.
//!
//! A [`Module`] is a tree of parameters; `#[derive(Module)]` makes one of a struct. A [`Layer`] is a
//! module that maps one tensor to another; [`Sequential`] chains layers.

mod activation;
pub(crate) mod clip;
mod conv;
mod dropout;
mod dtype;
mod embedding;
mod flatten;
mod identity;
pub mod init;
mod lazy;
mod linear;
mod loss;
mod module;
mod norm;
mod pool;
mod residual;
mod scope;
mod sequential;
mod sizes;
mod summary;
mod upsample;

pub use activation::settings::{
    Celu, Elu, Glu, Hardshrink, Hardtanh, LeakyRelu, LogSoftmax, Prelu, Softmax, Softshrink,
};
pub use activation::{
    ACTIVATIONS, Gelu, Hardsigmoid, Hardswish, LogSigmoid, Mish, Relu, Relu6, Selu, Sigmoid, Silu,
    Softplus, Softsign, Tanh, Tanhshrink, activation,
};
pub use clip::{clip_grad_norm_, clip_grad_value_};
pub use conv::{Conv, Conv1d, Conv2d, ConvTranspose, ConvTranspose1d, ConvTranspose2d};
pub use dropout::{Dropout, Dropout2d};
pub use dtype::with_dtype;
use dtype::{constant_buffer, constant_parameter, uniform_parameter};
pub use embedding::Embedding;
pub use flatten::Flatten;
/// Implements [`Module`] for a struct by visiting its fields.
pub use gradus_derive::Module;
pub use identity::Identity;
pub use lazy::{Lazy, LazyConv2d, LazyLinear};
pub use linear::Linear;
pub use loss::{
    binary_cross_entropy, binary_cross_entropy_with_logits, cosine_embedding_loss, cross_entropy,
    gaussian_nll_loss, hinge_embedding_loss, huber_loss, kl_div, l1_loss, mse_loss,
    multi_margin_loss, nll_loss, poisson_nll_loss, smooth_l1_loss, triplet_margin_loss,
};
pub(crate) use module::copied;
pub use module::{Buffer, Layer, Mode, Module, Parameter, Part, StateDict, join};
pub use norm::{BatchNorm, BatchNorm1d, BatchNorm2d, GroupNorm, LayerNorm, RmsNorm};
pub use pool::{
    AdaptiveAvgPool, AdaptiveAvgPool1d, AdaptiveAvgPool2d, AdaptiveMaxPool, AdaptiveMaxPool1d,
    AdaptiveMaxPool2d, AvgPool, AvgPool1d, AvgPool2d, MaxPool, MaxPool1d, MaxPool2d,
};
pub use residual::Residual;
pub use scope::{Observation, call, observe};
pub use sequential::Sequential;
pub use sizes::Sizes;
pub use summary::{LayerSummary, Summary, summary};
pub use upsample::Upsample;
