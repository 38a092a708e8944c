//! `backward`: from a result to its leaves, without recursion. `grad.rs` has the other ways to ask.

use super::function::{Grad, Saved};
use super::grad::GradOptions;
use super::node::Node;
use crate::error::{Result, err};
use crate::tensor::Tensor;
use std::collections::{BTreeMap, BTreeSet};
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
    let mut pending = BTreeMap::new();
    for (root, gradient) in roots {
        add(&mut pending, root, gradient)?;
    }
    while let Some((id, (node, gradient))) = pending.pop_last() {
        let gradient = node.run_hooks(gradient)?;
        let wanted = match &targets {
            Some(targets) => targets.contains(&id),
            None => node.collects(),
        };
        if wanted {
            arrived.push((node.clone(), gradient.clone()));
        }
        let Some(operation) = &node.operation else {
            continue;
        };
        if first.is_some_and(|first| id <= first) {
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
            if let (Some(input), Grad::Of(grad)) = (input, grad) {
                let grad = fit(grad, input, name)?;
                add(&mut pending, input.clone(), grad)?;
            }
        }
    }
    Ok(arrived)
}

/// Adds to what is pending for a node.
fn add(
    pending: &mut BTreeMap<u64, (Arc<Node>, Tensor)>,
    node: Arc<Node>,
    grad: Tensor,
) -> Result<()> {
    let sum = match pending.remove(&node.id) {
        Some((_, sum)) => sum.add_into(&grad)?,
        None => grad,
    };
    pending.insert(node.id, (node, sum));
    Ok(())
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
