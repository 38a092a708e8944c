//! A k-d tree whose dimension is known at run time only: boxes halved in their longest side until
//! they hold a block of points, or until all their points are neighbours of each other, however many
//! they are. So a million equal points are one leaf.

use super::bounds;
use super::index::{BLOCK, Index, Points, Walk};
use super::metric::{Coordinate, Distance};
use std::marker::PhantomData;
use std::ops::Range;

const NONE: u32 = u32::MAX;

struct Node {
    /// The second child, after the first, which follows its parent; none for a leaf.
    right: u32,
    /// The group of a leaf.
    group: u32,
}

pub(super) struct KdTree<T, M> {
    points: Points<T>,
    nodes: Vec<Node>,
    /// Lowest coordinates of a node, then highest, node by node.
    boxes: Vec<T>,
    /// The node of each group.
    leaves: Vec<u32>,
    starts: Vec<u32>,
    limit: T,
    metric: PhantomData<M>,
}

struct Builder<'a, T> {
    rows: &'a [T],
    dims: usize,
    limit: T,
    nodes: Vec<Node>,
    boxes: Vec<T>,
    leaves: Vec<u32>,
    starts: Vec<u32>,
}

impl<T: Coordinate> Builder<'_, T> {
    /// Appends the node of these points and all below it. As deep as n can be halved.
    fn build<M: Distance>(&mut self, order: &mut [u32], start: u32) {
        let (node, dims) = (self.nodes.len(), self.dims);
        let row = |i: u32| &self.rows[i as usize * dims..][..dims];
        let (mut low, mut high) = (row(order[0]).to_vec(), row(order[0]).to_vec());
        for &i in &order[1..] {
            for ((&x, low), high) in row(i).iter().zip(&mut low).zip(&mut high) {
                *low = if x < *low { x } else { *low };
                *high = if x > *high { x } else { *high };
            }
        }
        let leaf = order.len() <= BLOCK || bounds::diagonal::<T, M>(&low, &high) <= self.limit;
        let side = |k: usize| high[k] - low[k];
        let longest = (1..dims).fold(0, |best, k| if side(k) > side(best) { k } else { best });
        self.boxes.extend(low.iter().chain(&high));
        if leaf {
            let group = self.leaves.len() as u32;
            self.nodes.push(Node { right: NONE, group });
            self.leaves.push(node as u32);
            self.starts.push(start);
            return;
        }
        self.nodes.push(Node {
            right: NONE,
            group: NONE,
        });
        // Whole blocks to the left: their loops have no remainder.
        let middle = (order.len() / 2 / BLOCK * BLOCK).max(BLOCK);
        let x = |i: u32| self.rows[i as usize * dims + longest];
        order.select_nth_unstable_by(middle, |&a, &b| {
            // Coordinates are finite; equal ones in the order of the data, so that it is an order.
            x(a).partial_cmp(&x(b)).expect("finite").then(a.cmp(&b))
        });
        let (left, right) = order.split_at_mut(middle);
        self.build::<M>(left, start);
        self.nodes[node].right = self.nodes.len() as u32;
        self.build::<M>(right, start + middle as u32);
    }
}

impl<T: Coordinate, M: Distance> KdTree<T, M> {
    /// The tree of `rows`, at least one, for searches within `limit`.
    pub(super) fn new(rows: &[T], dims: usize, limit: T) -> Self {
        let n = rows.len() / dims;
        let mut order: Vec<u32> = (0..n as u32).collect();
        let mut builder = Builder {
            rows,
            dims,
            limit,
            nodes: Vec::new(),
            boxes: Vec::new(),
            leaves: Vec::new(),
            starts: Vec::new(),
        };
        builder.build::<M>(&mut order, 0);
        builder.starts.push(n as u32);
        let Builder {
            nodes,
            boxes,
            leaves,
            starts,
            ..
        } = builder;
        Self {
            points: Points::new(rows, dims, order),
            nodes,
            boxes,
            leaves,
            starts,
            limit,
            metric: PhantomData,
        }
    }

    fn node(&self, node: u32) -> (&[T], &[T]) {
        let dims = self.points.dims;
        self.boxes[node as usize * 2 * dims..][..2 * dims].split_at(dims)
    }

    /// Calls `visit` with leaves, nearer ones sooner, and their distance from a box, while it is not
    /// more than what `visit` last returned.
    #[inline(always)]
    pub(super) fn descend(
        &self,
        stack: &mut Vec<u32>,
        from: (&[T], &[T]),
        mut limit: T,
        mut visit: impl FnMut(usize) -> T,
    ) {
        stack.push(0);
        while let Some(node) = stack.pop() {
            if bounds::gap::<T, M>(from, self.node(node)) > limit {
                continue;
            }
            let Node { right, group } = self.nodes[node as usize];
            if right == NONE {
                limit = visit(group as usize);
                continue;
            }
            let left = node + 1;
            let gap = |node| bounds::gap::<T, M>(from, self.node(node));
            // The last one is the first to be looked at.
            if gap(left) <= gap(right) {
                stack.extend([right, left]);
            } else {
                stack.extend([left, right]);
            }
        }
    }
}

impl<T: Coordinate, M: Distance> Index<T> for KdTree<T, M> {
    fn points(&self) -> &Points<T> {
        &self.points
    }
    fn starts(&self) -> &[u32] {
        &self.starts
    }
    fn is_tight(&self, group: usize) -> bool {
        let (low, high) = self.node(self.leaves[group]);
        bounds::diagonal::<T, M>(low, high) <= self.limit
    }
    fn bounds(&self, group: usize) -> Option<(&[T], &[T])> {
        Some(self.node(self.leaves[group]))
    }

    fn near(&self, walk: &mut Walk, group: usize, out: &mut Vec<Range<usize>>) {
        // The own leaf first, which has most of the neighbours.
        out.push(group..group + 1);
        let from = self.node(self.leaves[group]);
        self.descend(&mut walk.stack, from, self.limit, |found| {
            if found != group {
                out.push(found..found + 1);
            }
            self.limit
        });
    }
}
