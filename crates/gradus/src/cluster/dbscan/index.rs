//! Points put in an order in which near ones lie together, cut into groups; and who could be near
//! whom. Grid, tree and plain blocks are such, and everything else is written once for all three.

use super::metric::{Coordinate, Distance};
use std::ops::Range;

/// How neighbours are found. What is found does not depend on it.
///
/// ```
/// use gradus::{Tensor, cluster::{Dbscan, dbscan::Algorithm}};
/// let x = Tensor::from([[0.0, 0.0], [0.1, 0.0], [5.0, 5.0]]);
/// let fit = Dbscan::new(0.5, 2).algorithm(Algorithm::KdTree).fit(&x)?;
/// assert_eq!(fit.labels.to_vec::<i64>()?, [0, 0, -1]);
/// assert_eq!(fit.algorithm, Algorithm::KdTree);
/// # Ok::<(), gradus::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Algorithm {
    /// Whichever is estimated to cost least: the grid in up to three dimensions, above them the tree
    /// unless it would leave out too little.
    #[default]
    Auto,
    /// Cells of a uniform grid whose diagonal is eps, so that a full one needs no distances (Gan &
    /// Tao, "DBSCAN Revisited", 2015). For at most three dimensions, and data that are not too wide
    /// for eps: 2³¹ cells in a row, 2⁶³ in all.
    Grid,
    /// A k-d tree: boxes halved in their longest side (Bentley 1975), compared box with box.
    KdTree,
    /// Every point with every other, in blocks.
    Brute,
}

impl std::fmt::Display for Algorithm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Auto => "auto",
            Self::Grid => "grid",
            Self::KdTree => "k-d tree",
            Self::Brute => "brute force",
        })
    }
}

/// Points by columns, in an order of the index's own. A place is a number in that order.
pub(super) struct Points<T> {
    pub n: usize,
    pub dims: usize,
    columns: Vec<T>,
    /// The row of the data at each place.
    pub order: Vec<u32>,
}

impl<T: Coordinate> Points<T> {
    /// Takes row-major data of `dims` columns apart.
    pub(super) fn new(rows: &[T], dims: usize, order: Vec<u32>) -> Self {
        let n = order.len();
        let mut columns = vec![T::ZERO; n * dims];
        for (k, column) in columns.chunks_exact_mut(n.max(1)).enumerate() {
            gradus_core::compute::fill(column, 1 << 14, |start, chunk| {
                for (x, &row) in chunk.iter_mut().zip(&order[start..]) {
                    *x = rows[row as usize * dims + k];
                }
            });
        }
        Self {
            n,
            dims,
            columns,
            order,
        }
    }

    #[inline(always)]
    pub(super) fn column(&self, k: usize) -> &[T] {
        &self.columns[k * self.n..(k + 1) * self.n]
    }

    /// Writes the coordinates of the point at a place.
    #[inline(always)]
    pub(super) fn read(&self, place: usize, out: &mut [T]) {
        for (k, x) in out.iter_mut().enumerate() {
            *x = self.columns[k * self.n + place];
        }
    }
}

/// Who could be near whom. Groups are runs of places, in order and without gaps.
pub(super) trait Index<T>: Sync {
    fn points(&self) -> &Points<T>;
    /// The places of all groups: group g has those from `starts()[g]` to `starts()[g + 1]`.
    fn starts(&self) -> &[u32];
    /// Whether all points of a group are known to be neighbours of each other.
    fn is_tight(&self, group: usize) -> bool;
    /// Lowest and highest coordinates of a group, if they are kept.
    fn bounds(&self, group: usize) -> Option<(&[T], &[T])>;
    /// Runs of groups, the group itself among them, that hold every neighbour of its points.
    fn near(&self, walk: &mut Walk, group: usize, out: &mut Vec<Range<usize>>);

    /// How many groups make a task: some milliseconds at most.
    fn per_task(&self) -> usize {
        128
    }

    fn group(&self, group: usize) -> Range<usize> {
        self.starts()[group] as usize..self.starts()[group + 1] as usize
    }

    fn groups(&self) -> usize {
        self.starts().len() - 1
    }
}

/// What an index remembers from one group to the next, while groups are asked for in order.
#[derive(Default)]
pub(super) struct Walk {
    pub cursors: Vec<Range<usize>>,
    pub stack: Vec<u32>,
}

/// Points in blocks, in the order of the data; everybody could be near everybody.
pub(super) struct Blocks<T> {
    points: Points<T>,
    starts: Vec<u32>,
}

/// Points in a block.
pub(super) const BLOCK: usize = 32;

impl<T: Coordinate> Blocks<T> {
    pub(super) fn new(rows: &[T], dims: usize) -> Self {
        let n = rows.len() / dims;
        Self {
            points: Points::new(rows, dims, (0..n as u32).collect()),
            starts: (0..n).step_by(BLOCK).chain([n]).map(|i| i as u32).collect(),
        }
    }
}

impl<T: Coordinate> Index<T> for Blocks<T> {
    fn points(&self) -> &Points<T> {
        &self.points
    }
    fn starts(&self) -> &[u32] {
        &self.starts
    }
    fn is_tight(&self, _: usize) -> bool {
        false
    }
    fn bounds(&self, _: usize) -> Option<(&[T], &[T])> {
        None
    }
    fn per_task(&self) -> usize {
        4
    }
    fn near(&self, _: &mut Walk, _: usize, out: &mut Vec<Range<usize>>) {
        out.push(0..self.groups());
    }
}

/// The index that serves best, and which it is. A tree that would leave out less than a third of
/// the points is no help: its boxes are compared for nothing. Unless its leaves are large: those
/// are dealt with as a whole, however often their points occur.
pub(super) fn choose<T: Coordinate, M: Distance>(
    rows: &[T],
    dims: usize,
    eps: f64,
    limit: T,
    wanted: Algorithm,
) -> Option<(Box<dyn Index<T>>, Algorithm)> {
    use super::{grid::Grid, kdtree::KdTree};
    if matches!(wanted, Algorithm::Auto | Algorithm::Grid) {
        if let Some(grid) = Grid::new::<M>(rows, dims, eps, limit) {
            return Some((Box::new(grid), Algorithm::Grid));
        }
        if wanted == Algorithm::Grid {
            return None;
        }
    }
    if wanted != Algorithm::Brute {
        let tree = KdTree::<T, M>::new(rows, dims, limit);
        let large = 4 * BLOCK * tree.groups() < 3 * tree.points().n;
        if wanted == Algorithm::KdTree || large || 3.0 * share_compared(&tree) < 2.0 {
            return Some((Box::new(tree), Algorithm::KdTree));
        }
    }
    Some((Box::new(Blocks::new(rows, dims)), Algorithm::Brute))
}

/// The share of the points that a point is compared with, by a sample of groups.
fn share_compared<T: Coordinate>(index: &dyn Index<T>) -> f64 {
    let (mut walk, mut out) = (Walk::default(), Vec::new());
    let (mut compared, mut of) = (0.0, 0.0);
    for g in (0..index.groups()).step_by(index.groups().div_ceil(32)) {
        out.clear();
        index.near(&mut walk, g, &mut out);
        let starts = index.starts();
        let near = out
            .iter()
            .map(|r| (starts[r.end] - starts[r.start]) as usize);
        let size = index.group(g).len() as f64;
        compared += near.sum::<usize>() as f64 * size;
        of += index.points().n as f64 * size;
    }
    compared / of
}
