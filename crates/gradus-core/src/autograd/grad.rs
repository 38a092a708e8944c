//! Asking for gradients: into the leaves (`backward`), as values (`grad`), and of themselves.

use super::engine::walk;
use super::grad_mode::{enable_grad, no_grad};
use super::node::Node;
use crate::error::{Result, err};
use crate::tensor::Tensor;
use std::sync::Arc;

/// What [`grad_with`] and [`backward`] take beside the tensors.
///
/// ```
/// use gradus_core::autograd::GradOptions;
/// let twice = GradOptions { create_graph: true, ..GradOptions::default() };
/// assert!(twice.grad_outputs.is_empty() && !twice.allow_unused);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct GradOptions<'a> {
    /// The gradient of each output, of its shape. Empty stands for 1, for outputs of one element.
    pub grad_outputs: &'a [&'a Tensor],
    /// Record the computation of the gradients, so that they can be differentiated in turn.
    pub create_graph: bool,
    /// Accept inputs that the outputs do not depend on ([`grad_with`] only).
    pub allow_unused: bool,
}

/// Adds the gradients of several `outputs` to the leaves they were made from, in one walk. For one
/// output there is [`Tensor::backward`].
///
/// With `create_graph` a leaf's gradient holds the history of its computation, and that holds the
/// leaf: call [`zero_grad`](Tensor::zero_grad) when you are done, or the circle is never freed.
/// [`grad`] has no such problem.
///
/// # Errors
/// If an output has no recorded history, has more than one element and no gradient is given, or the
/// shapes differ. No leaf is changed then.
///
/// ```
/// use gradus_core::{Tensor, autograd};
/// let x = Tensor::from(3.0).requires_grad_(true)?;
/// autograd::backward(&[&x.mul(2.0)?, &x.exp()?.mul(0.0)?], Default::default())?;
/// assert_eq!(x.grad().unwrap().item::<f32>()?, 2.0);
/// # Ok::<(), gradus_core::Error>(())
/// ```
pub fn backward(outputs: &[&Tensor], options: GradOptions<'_>) -> Result<()> {
    recorded(options.create_graph, || {
        let arrived = walk(roots("backward", outputs, options.grad_outputs)?, None)?;
        // Only now, so that an error on the way leaves every gradient as it was.
        arrived
            .into_iter()
            .try_for_each(|(node, gradient)| node.accumulate(gradient))
    })
}

/// The gradients of the sum of `outputs` with respect to `inputs`; no leaf is changed. The inputs
/// may be leaves or results on the way.
///
/// # Errors
/// As [`backward`], and for an input that requires no gradient or that no output depends on.
///
/// ```
/// use gradus_core::{Tensor, autograd::grad};
/// let x = Tensor::from(3.0).requires_grad_(true)?;
/// let y = x.mul(&x)?;
/// assert_eq!(grad(&[&y], &[&x])?[0].item::<f32>()?, 6.0);
/// assert!(x.grad().is_none());
/// # Ok::<(), gradus_core::Error>(())
/// ```
pub fn grad(outputs: &[&Tensor], inputs: &[&Tensor]) -> Result<Vec<Tensor>> {
    let grads = grad_with(outputs, inputs, GradOptions::default())?;
    Ok(grads.into_iter().flatten().collect())
}

/// [`grad`] with options; `None` for inputs that no output depends on, if that is allowed.
///
/// # Errors
/// As [`grad`].
///
/// ```
/// use gradus_core::{Tensor, autograd::{GradOptions, grad, grad_with}};
/// let x = Tensor::from(3.0).requires_grad_(true)?;
/// let y = x.mul(&x)?.mul(&x)?;
/// let options = GradOptions { create_graph: true, ..GradOptions::default() };
/// let slope = grad_with(&[&y], &[&x], options)?.remove(0).unwrap();
/// let curvature = grad(&[&slope], &[&x])?.remove(0);
/// assert_eq!((slope.item::<f32>()?, curvature.item::<f32>()?), (27.0, 18.0));
/// # Ok::<(), gradus_core::Error>(())
/// ```
pub fn grad_with(
    outputs: &[&Tensor],
    inputs: &[&Tensor],
    options: GradOptions<'_>,
) -> Result<Vec<Option<Tensor>>> {
    let targets: Vec<Arc<Node>> = inputs
        .iter()
        .enumerate()
        .map(|(i, input)| {
            input.node().ok_or_else(|| {
                err!(
                    Autograd,
                    "grad: one of the differentiated tensors does not require grad: input {i}, of shape {:?}. Call \
                     requires_grad_(true) before the outputs are computed",
                    input.shape()
                )
            })
        })
        .collect::<Result<_>>()?;
    let roots = roots("grad", outputs, options.grad_outputs)?;
    let arrived = recorded(options.create_graph, || walk(roots, Some(&targets)))?;
    let found = |(i, target): (usize, &Arc<Node>)| {
        let hit = arrived.iter().find(|(node, _)| Arc::ptr_eq(node, target));
        match hit {
            Some((_, gradient)) => Ok(Some(gradient.clone())),
            None if options.allow_unused => Ok(None),
            None => Err(err!(
                Autograd,
                "grad: one of the differentiated tensors appears to not have been used in the graph: input {i}, of \
                 shape {:?}. Set allow_unused if this is the desired behavior",
                inputs[i].shape()
            )),
        }
    };
    let grads: Vec<_> = targets
        .iter()
        .enumerate()
        .map(found)
        .collect::<Result<_>>()?;
    drop(arrived);
    let alone = |grad: Option<Tensor>| grad.map(Tensor::alone).transpose();
    recorded(options.create_graph, || {
        grads.into_iter().map(alone).collect()
    })
}

fn recorded<R>(create_graph: bool, f: impl FnOnce() -> R) -> R {
    if create_graph {
        enable_grad(f)
    } else {
        no_grad(f)
    }
}

/// Where a walk begins: the node of each output and its gradient.
fn roots(op: &str, outputs: &[&Tensor], grads: &[&Tensor]) -> Result<Vec<(Arc<Node>, Tensor)>> {
    if !grads.is_empty() && grads.len() != outputs.len() {
        return Err(err!(
            Autograd,
            "{op}: got {} tensors and {} gradients",
            outputs.len(),
            grads.len()
        ));
    }
    let root = |(i, output): (usize, &&Tensor)| {
        let node = output.node().ok_or_else(|| {
            err!(
                Autograd,
                "{op}: element {i} of tensors does not require grad and does not have a grad_fn: nothing was recorded. \
                 Call requires_grad_(true) on the leaves, outside no_grad"
            )
        })?;
        let gradient = match grads.get(i) {
            Some(gradient) if gradient.shape() != output.shape() => {
                return Err(err!(
                    Shape,
                    "{op}: mismatch in shape: the gradient has shape {:?} and the tensor {:?}",
                    gradient.shape(),
                    output.shape()
                ));
            }
            // As a new handle: nobody adds to the caller's memory.
            Some(gradient) => match gradient.to_dtype(output.dtype())? {
                gradient if gradient.requires_grad() => gradient,
                gradient => gradient.detach(),
            },
            None if output.numel() == 1 => Tensor::full(output.shape(), 1.0, output.dtype())?,
            None => {
                return Err(err!(
                    Autograd,
                    "{op}: grad can be implicitly created only for scalar outputs: element {i} of tensors has shape \
                     {:?}. Reduce it first, e.g. with sum(..) or mean(..), or give a gradient of its shape",
                    output.shape()
                ));
            }
        };
        Ok((node, gradient))
    };
    outputs.iter().enumerate().map(root).collect()
}
