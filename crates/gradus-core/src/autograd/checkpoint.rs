//! Trading time for memory: what a part of a network computes is forgotten and computed again when
//! `backward` needs it (Chen et al., "Training Deep Nets with Sublinear Memory Cost", 2016).

use super::engine::walk;
use super::function::{Context, Function, Grad, Grads, Saved, save};
use super::grad_mode::{enable_grad, is_grad_enabled};
use super::node::{Node, Operation};
use crate::error::{Result, err};
use crate::random::{self, Generator};
use crate::tensor::Tensor;
use std::collections::BTreeMap;
use std::sync::Arc;

/// `f(inputs)`, of which only the inputs and the result are kept until `backward`, which calls `f`
/// once more. The gradients are the same, and so are random numbers: the second call draws the same
/// ones. Gradients also reach the parameters that `f` captures.
///
/// `f` must compute the same both times: it must not depend on anything else that changes.
///
/// # Errors
/// Those of `f`; in `backward` also if the gradient itself is to be recorded (`create_graph`).
///
/// ```
/// use gradus_core::{Tensor, autograd::checkpoint};
/// let x = Tensor::from([1.0, 2.0]).requires_grad_(true)?;
/// let w = Tensor::from([3.0, 4.0]).requires_grad_(true)?;
/// let captured = w.clone();
/// let y = checkpoint(move |x| x[0].mul(&captured)?.exp()?.log(), &[&x])?;
/// y.sum(..)?.backward()?;
/// assert_eq!(w.grad().unwrap().to_vec::<f32>()?, [1.0, 2.0]);
/// # Ok::<(), gradus_core::Error>(())
/// ```
pub fn checkpoint<F>(f: F, inputs: &[&Tensor]) -> Result<Tensor>
where
    F: Fn(&[Tensor]) -> Result<Tensor> + Send + Sync + 'static,
{
    let random = random::with_generator(|g| g.clone());
    let leaves = leaves(
        inputs.iter().map(|&x| x.clone()),
        inputs.iter().map(|x| x.requires_grad()),
    )?;
    // Recorded although it is forgotten at once: this is how captured parameters are found.
    let result = f(&leaves)?;
    let Some(end) = result.node().filter(|_| is_grad_enabled()) else {
        return Ok(result);
    };
    let captured = captured(end, &leaves);
    let output = if leaves.iter().any(|x| x.shares_memory(&result)) {
        result.detach().copy()?
    } else {
        result.detach()
    };
    drop(result);
    let operation = Operation {
        inputs: inputs
            .iter()
            .map(|x| x.node())
            .chain(captured.iter().cloned().map(Some))
            .collect(),
        function: Box::new(Checkpoint {
            f,
            random,
            inputs: inputs.len(),
            captured,
        }),
        saves: inputs.iter().map(|&x| save(x.clone(), false)).collect(),
    };
    output.set_node(Some(Node::new(&output, Some(operation))));
    Ok(output)
}

/// The same values without history, as leaves where gradients are asked for.
fn leaves(
    inputs: impl Iterator<Item = Tensor>,
    asked: impl Iterator<Item = bool>,
) -> Result<Vec<Tensor>> {
    inputs
        .zip(asked)
        .map(|(x, asked)| x.detach().requires_grad_(asked))
        .collect()
}

/// The leaves that `end` was made from, apart from `known` ones.
fn captured(end: Arc<Node>, known: &[Tensor]) -> Vec<Arc<Node>> {
    let known: Vec<_> = known
        .iter()
        .filter_map(Tensor::node)
        .map(|node| node.id)
        .collect();
    let mut found = Vec::new();
    let mut pending = BTreeMap::from([(end.id, end)]);
    while let Some((id, node)) = pending.pop_last() {
        if node.is_leaf() && !known.contains(&id) {
            found.push(node);
            continue;
        }
        let inputs = node.inputs().iter().flatten();
        pending.extend(inputs.map(|input| (input.id, input.clone())));
    }
    found
}

struct Checkpoint<F> {
    f: F,
    random: Generator,
    /// How many of the recorded inputs are arguments of `f`; the others are captured leaves.
    inputs: usize,
    captured: Vec<Arc<Node>>,
}

impl<F> Function for Checkpoint<F>
where
    F: Fn(&[Tensor]) -> Result<Tensor> + Send + Sync + 'static,
{
    fn name(&self) -> &'static str {
        "checkpoint"
    }

    fn forward(&self, _: &mut Context, x: &[&Tensor]) -> Result<Tensor> {
        (self.f)(&x.iter().map(|&x| x.clone()).collect::<Vec<_>>())
    }

    fn backward(&self, saved: &Saved<'_>, grad: &Tensor) -> Result<Grads> {
        if is_grad_enabled() {
            return Err(err!(
                Autograd,
                "checkpoint: gradients of gradients (create_graph) do not go through a checkpoint; call the function \
                 itself"
            ));
        }
        let inputs = (0..self.inputs)
            .map(|i| saved.get(i))
            .collect::<Result<Vec<_>>>()?;
        let inputs = leaves(inputs.into_iter(), (0..self.inputs).map(|i| saved.needs(i)))?;
        let again = || enable_grad(|| (self.f)(&inputs));
        let result = random::scoped(self.random.clone(), again)?;
        let end = result
            .node()
            .filter(|_| result.shape() == grad.shape())
            .ok_or_else(|| {
                err!(
                    Autograd,
                    "checkpoint: the function has computed something else when called again"
                )
            })?;
        let mut targets: Vec<_> = inputs.iter().filter_map(Tensor::node).collect();
        targets.extend(self.captured.iter().cloned());
        let arrived = walk(vec![(end, grad.clone())], Some(&targets))?;
        let of = |node: Option<Arc<Node>>| {
            let hit = arrived
                .iter()
                .find(|(at, _)| Some(at.id) == node.as_ref().map(|n| n.id));
            hit.map_or(Grad::Zero, |(_, grad)| Grad::Of(grad.clone()))
        };
        let nodes = inputs
            .iter()
            .map(Tensor::node)
            .chain(self.captured.iter().cloned().map(Some));
        Ok(nodes.map(of).collect())
    }
}
