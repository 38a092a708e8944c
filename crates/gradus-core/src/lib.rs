//! The gradus engine: n-dimensional tensors with define-by-run gradients.
//!
//! ```
//! use gradus_core::Tensor;
//!
//! let x = Tensor::from([[1.0, 2.0], [3.0, 4.0]]).requires_grad_(true)?;
//! let y = (&x * &x).sum(..)?;
//! y.backward()?;
//! assert_eq!(x.grad().unwrap().to_vec::<f32>()?, [2.0, 4.0, 6.0, 8.0]);
//! # Ok::<(), gradus_core::Error>(())
//! ```
//!
//! Names and rules are PyTorch's wherever it has them. Operations that can fail return
//! [`Result`]; the operators `+ - * / -x` panic with the same message instead.

pub mod autograd;
pub mod compute;
mod dtype;
mod error;
pub mod io;
pub(crate) mod kernels;
pub mod memory;
pub mod ops;
pub mod random;
pub mod shape;
mod storage;
mod tensor;

pub use autograd::{
    Context, Function, Grad, Grads, Node, Saved, Tolerance, apply, enable_grad, gradcheck,
    gradgradcheck, inference_mode, is_grad_enabled, is_inference_mode_enabled, no_grad,
    set_grad_enabled,
};
pub use dtype::{DType, Element, Number};
pub use error::{Error, Kind, Result};
pub use kernels::math::{Float, Real};
pub use kernels::parallel::{num_threads, set_num_threads, single_threaded};
#[cfg(feature = "linalg")]
pub use ops::linalg::dense as linalg;
pub use ops::{
    Activation, Closeness, Dimensions, Index, Operand, Padding, Scalar, Slice, keepdim, s,
};
pub use ops::{conv, loss, nearest, pool};
pub use shape::{Dims, IntoShape};
pub use tensor::Tensor;
