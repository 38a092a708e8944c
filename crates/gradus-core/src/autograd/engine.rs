//! `backward`: from a result to its leaves, without recursion.

use super::function::{Grad, Saved};
use super::grad_mode::no_grad;
use super::node::Node;
use crate::error::{Result, err};
use crate::tensor::Tensor;
use std::collections::BTreeMap;
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
        if self.numel() != 1 {
            return Err(err!(
                Autograd,
                "backward: grad can be implicitly created only for scalar outputs: this tensor has shape {:?}. Reduce it first, \
                 e.g. with sum(..) or mean(..), or pass a gradient of its shape to backward_with",
                self.shape()
            ));
        }
        self.backward_with(&Tensor::full(self.shape(), 1.0, self.dtype())?)
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
        let root = self.node().ok_or_else(|| {
            err!(
                Autograd,
                "backward: element 0 of tensors does not require grad and does not have a grad_fn: nothing was recorded. \
                 Call requires_grad_(true) on the leaves, outside no_grad"
            )
        })?;
        if gradient.shape() != self.shape() {
            return Err(err!(
                Shape,
                "backward_with: mismatch in shape: the gradient has shape {:?} and the tensor {:?}",
                gradient.shape(),
                self.shape()
            ));
        }
        no_grad(|| walk(root, gradient.detach().to_dtype(self.dtype())?))
    }
}

/// Takes the pending node with the largest id until none is left. Every node that uses a tensor has
/// a larger id than the one that made it, so a gradient is complete when its node's turn comes.
fn walk(root: Arc<Node>, gradient: Tensor) -> Result<()> {
    let mut leaves = Vec::new();
    let mut pending = BTreeMap::from([(root.id, (root, gradient))]);
    while let Some((_, (node, gradient))) = pending.pop_last() {
        let Some(operation) = &node.operation else {
            leaves.push((node, gradient));
            continue;
        };
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
            let (Some(input), Grad::Of(grad)) = (input, grad) else {
                continue;
            };
            let grad = fit(grad, input, name)?;
            let sum = match pending.remove(&input.id) {
                Some((_, sum)) => sum.add_into(&grad)?,
                None => grad,
            };
            pending.insert(input.id, (input.clone(), sum));
        }
    }
    // Only now, so that an error on the way leaves every gradient as it was.
    leaves
        .into_iter()
        .try_for_each(|(leaf, gradient)| leaf.accumulate(gradient))
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
