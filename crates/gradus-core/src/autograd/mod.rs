//! Define-by-run gradients. `README.md` beside this file walks through `loss.backward()`.
//!
//! - `function.rs`: what an operation is, and how [`apply`] records one;
//! - `node.rs`: the recorded graph;
//! - `engine.rs`: the walk back through it;
//! - `grad_mode.rs`: whether anything is recorded at all;
//! - `gradcheck.rs`: gradients against differences.

mod engine;
mod function;
mod grad_mode;
mod gradcheck;
mod node;

pub use function::{Context, Function, Grad, Grads, Saved, apply};
pub use grad_mode::{is_grad_enabled, no_grad, set_grad_enabled};
pub use gradcheck::{Tolerance, gradcheck};
pub use node::Node;
