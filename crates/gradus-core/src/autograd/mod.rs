//! Define-by-run gradients. `README.md` beside this file walks through `loss.backward()`.
//!
//! - `function.rs`: what an operation is, and how [`apply`] records one;
//! - `node.rs`: the recorded graph;
//! - `engine.rs`: the walk back through it;
//! - `grad.rs`: the ways to ask for gradients; `hook.rs`: looking at them on their way;
//! - `functional.rs`: Jacobians, Hessians and their products; `checkpoint.rs`: computing twice to
//!   keep less;
//! - `alias.rs`: views, and changes in place;
//! - `graph.rs`: looking at the graph;
//! - `grad_mode.rs`: whether anything is recorded at all;
//! - `gradcheck.rs`: gradients against differences.

mod alias;
mod checkpoint;
mod engine;
mod function;
mod functional;
mod grad;
mod grad_mode;
mod gradcheck;
mod graph;
mod hook;
mod node;
mod pending;

pub(crate) use alias::Origin;
pub use checkpoint::checkpoint;
pub use function::{Context, Function, Grad, Grads, Saved, apply};
pub use functional::{hessian, jacobian, jvp, vjp};
pub use grad::{GradOptions, backward, grad, grad_with};
pub use grad_mode::{
    enable_grad, inference_mode, is_grad_enabled, is_inference_mode_enabled, no_grad,
    set_grad_enabled, trace,
};
pub use gradcheck::{Tolerance, gradcheck, gradgradcheck, numeric_jacobian};
pub use graph::{Graph, GraphNode};
pub use hook::Hook;
pub use node::Node;
