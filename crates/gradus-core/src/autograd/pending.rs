//! What a walk has still to visit.

use super::node::Node;
use crate::error::Result;
use crate::tensor::Tensor;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A node that gradients have reached, and their sum.
pub(super) type Reached = (Arc<Node>, Tensor);

/// The nodes that gradients have reached, in the order of their ids.
///
/// Those with the largest ids come next; they are in a short sorted list, which is all that most
/// graphs ever need. Every id in the map is smaller.
#[derive(Default)]
pub(super) struct Pending {
    next: Vec<Reached>,
    later: BTreeMap<u64, Reached>,
}

/// Up to this many, moving entries of a list costs less than looking for a place in a map.
const NEXT: usize = 32;

impl Pending {
    /// Adds to what is pending for a node.
    pub(super) fn add(&mut self, node: &Arc<Node>, grad: Tensor) -> Result<()> {
        if let Some(sum) = self.sum(node) {
            return sum.accumulate(grad);
        }
        let id = node.id;
        let place = self.next.partition_point(|(other, _)| other.id < id);
        let reached = (node.clone(), grad);
        if place == 0 && !self.later.is_empty() {
            self.later.insert(id, reached);
            return Ok(());
        }
        self.next.insert(place, reached);
        if self.next.len() > NEXT {
            let first = self.next.remove(0);
            self.later.insert(first.0.id, first);
        }
        Ok(())
    }

    /// The sum of the gradients that have reached `node`.
    pub(super) fn sum(&mut self, node: &Node) -> Option<&mut Tensor> {
        let id = node.id;
        match self.next.iter().rposition(|(other, _)| other.id <= id) {
            Some(i) if self.next[i].0.id == id => Some(&mut self.next[i].1),
            Some(_) => None,
            None => self.later.get_mut(&id).map(|(_, sum)| sum),
        }
    }

    /// Takes out the node with the largest id.
    pub(super) fn pop(&mut self) -> Option<Reached> {
        let last = || self.later.pop_last().map(|(_, reached)| reached);
        self.next.pop().or_else(last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_come_back_from_the_largest_id_down_with_the_sums_of_their_gradients() -> Result<()> {
        let leaf = |_| Tensor::zeros([]).requires_grad_(true).unwrap();
        let leaves: Vec<_> = (0..500).map(leaf).collect();
        let mut pending = Pending::default();
        let mut waiting = BTreeMap::new();
        let mut number = 1u64;
        for round in 0..5000 {
            number = number
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            // More comes than goes at first, then less.
            if number >> 33 & 3 < (if round < 2500 { 3 } else { 1 }) {
                let node = leaves[(number >> 40) as usize % 500].node().unwrap();
                pending.add(&node, Tensor::from(round as f32))?;
                *waiting.entry(node.id).or_insert(0.0) += round as f32;
                assert_eq!(
                    pending.sum(&node).unwrap().item::<f32>()?,
                    waiting[&node.id]
                );
            } else {
                let popped = pending
                    .pop()
                    .map(|(node, sum)| (node.id, sum.item().unwrap()));
                assert_eq!(popped, waiting.pop_last());
            }
        }
        Ok(())
    }
}
