//! `backward`: from a result to its leaves, without recursion. `grad.rs` has the other ways to ask.

use super::alias::embed;
use super::function::{Grad, Saved};
use super::grad::GradOptions;
use super::grad_mode::is_grad_enabled;
use super::node::Node;
use super::pending::Pending;
use crate::error::{Result, err};
use crate::shape::Layout;
use crate::tensor::Tensor;
use std::collections::BTreeSet;
use std::sync::Arc;

impl Tensor {
    /// Computes the gradient of this one-element tensor with respect to every leaf that it was made
    /// from and that requires one, and adds it to their [`grad`](Tensor::grad).
    ///
    /// The graph stays usable as long as somebody holds its end: a second call adds the same
    /// gradients again.
    ///
    /// # Errors
    /// If there is more than one element ([`backward_with`](Tensor::backward_with) takes a gradient
    /// then), or nothing was recorded. No gradient is changed in that case.
    ///
    /// ```
    /// use gradus_core::Tensor;
    /// let x = Tensor::from(3.0).requires_grad_(true)?;
    /// x.mul(&x)?.backward()?;
    /// assert_eq!(x.grad().unwrap().item::<f32>()?, 6.0);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn backward(&self) -> Result<()> {
        super::backward(&[self], GradOptions::default())
    }

    /// Like [`backward`](Tensor::backward), for a tensor of any shape: `gradient` is the gradient of
    /// something with respect to this tensor, of the same shape.
    ///
    /// # Errors
    /// If the shapes differ or nothing was recorded.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([1.0, 2.0]).requires_grad_(true)?;
    /// x.mul(&x)?.backward_with(&Tensor::from([1.0, 10.0]))?;
    /// assert_eq!(x.grad().unwrap().to_vec::<f32>()?, [2.0, 40.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn backward_with(&self, gradient: &Tensor) -> Result<()> {
        super::backward(
            &[self],
            GradOptions {
                grad_outputs: &[gradient],
                ..GradOptions::default()
            },
        )
    }
}

/// Goes back from `roots`, each with its gradient, and returns the gradients of `targets`, or of all
/// nodes that collect theirs if there are none. With recording on, the gradients are recorded.
///
/// Takes the pending node with the largest id until none is left. Every node that uses a tensor has
/// a larger id than the one that made it, so a gradient is complete when its node's turn comes.
pub(super) fn walk(
    roots: Vec<(Arc<Node>, Tensor)>,
    targets: Option<&[Arc<Node>]>,
) -> Result<Vec<(Arc<Node>, Tensor)>> {
    let targets: Option<BTreeSet<u64>> =
        targets.map(|targets| targets.iter().map(|node| node.id).collect());
    // What was made before every target cannot lead to one.
    let first = targets.as_ref().and_then(|ids| ids.first().copied());
    let mut arrived = Vec::new();
    let mut pending = Pending::default();
    for (root, gradient) in roots {
        pending.add(&root, gradient)?;
    }
    while let Some((node, gradient)) = pending.pop() {
        let gradient = node.run_hooks(gradient)?;
        let wanted = match &targets {
            Some(targets) => targets.contains(&node.id),
            None => node.collects(),
        };
        let Some(operation) = &node.operation else {
            if wanted {
                arrived.push((node, gradient));
            }
            continue;
        };
        if wanted {
            arrived.push((node.clone(), gradient.clone()));
        }
        if first.is_some_and(|first| node.id <= first) {
            continue;
        }
        let name = node.name();
        let saved = Saved {
            node: &node,
            operation,
        };
        let grads = operation
            .function
            .backward(&saved, &gradient)
            .map_err(|e| e.at(format!("{name} backward")))?
            .0;
        drop(gradient);
        if grads.len() != operation.inputs.len() {
            return Err(err!(
                Autograd,
                "{name}: backward returned {} gradients for {} inputs",
                grads.len(),
                operation.inputs.len()
            ));
        }
        for (input, grad) in operation.inputs.iter().zip(grads) {
            let Some(input) = input else { continue };
            match grad {
                Grad::Zero => {}
                Grad::Of(grad) => pending.add(input, fit(grad, input, name)?)?,
                Grad::Part(part, grad) => {
                    if !add_part(pending.sum(input), &part, &grad)? {
                        let grad = embed(&input.shape, *part, &grad)?;
                        pending.add(input, fit(grad, input, name)?)?;
                    }
                }
            }
        }
    }
    Ok(arrived)
}

/// Adds to a part of what is pending for a node, if that can be done in its memory.
fn add_part(sum: Option<&mut Tensor>, part: &Layout, grad: &Tensor) -> Result<bool> {
    let writable = |sum: &&mut Tensor| {
        let recorded = is_grad_enabled() && (sum.requires_grad() || grad.requires_grad());
        sum.is_sole_owner() && sum.layout().offset == 0 && sum.dtype() == grad.dtype() && !recorded
    };
    let fits = |sum: &&mut Tensor| part.lies_within(sum.numel()) && part.shape[..] == *grad.shape();
    match sum.filter(writable).filter(fits) {
        Some(sum) => sum
            .with_layout(part.clone())
            .overwrite(grad, true)
            .map(|()| true),
        None => Ok(false),
    }
}

/// A gradient in the shape and dtype of its input: summed over the dimensions that were broadcast.
fn fit(grad: Tensor, input: &Node, name: &str) -> Result<Tensor> {
    let grad = if grad.dtype() == input.dtype {
        grad
    } else {
        grad.to_dtype(input.dtype)?
    };
    if grad.shape() == input.shape.as_slice() {
        return Ok(grad);
    }
    grad.sum_to(&input.shape).map_err(|_| {
        err!(
            Autograd,
            "{name}: backward returned a gradient of shape {:?} for an input of shape {:?}",
            grad.shape(),
            input.shape.as_slice()
        )
    })
}
