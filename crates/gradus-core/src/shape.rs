//! Shapes, strides, broadcasting: where an element lies in memory. No data is touched here.

use crate::error::{Result, err};
use smallvec::SmallVec;
use std::fmt;

/// Sizes of a tensor's dimensions; on the stack up to six of them.
///
/// ```
/// use gradus_core::{Dims, IntoShape};
/// let dims: Dims = [2, 3].into_shape();
/// assert_eq!(dims[..], [2, 3]);
/// ```
pub type Dims = SmallVec<[usize; 6]>;
/// Steps between neighbours along each dimension, in elements; negative after a flip.
///
/// ```
/// use gradus_core::shape::{Layout, Strides};
/// let strides: Strides = Layout::contiguous([2, 3][..].into()).strides;
/// assert_eq!(strides[..], [3, 1]);
/// ```
pub type Strides = SmallVec<[isize; 6]>;

/// Anything that names a shape: `[2, 3]`, `&[2, 3]`, `vec![2, 3]`, `()` for a 0-d tensor or a
/// single length.
///
/// ```
/// # use gradus_core::Tensor;
/// assert_eq!(Tensor::zeros(3).shape(), [3]);
/// assert_eq!(Tensor::zeros(vec![2, 3]).shape(), [2, 3]);
/// assert_eq!(Tensor::zeros(()).ndim(), 0);
/// ```
pub trait IntoShape {
    /// The sizes, outermost first.
    fn into_shape(self) -> Dims;
}

impl<const N: usize> IntoShape for [usize; N] {
    fn into_shape(self) -> Dims {
        Dims::from_slice(&self)
    }
}
impl IntoShape for &[usize] {
    fn into_shape(self) -> Dims {
        Dims::from_slice(self)
    }
}
impl IntoShape for &Vec<usize> {
    fn into_shape(self) -> Dims {
        Dims::from_slice(self)
    }
}
impl IntoShape for Vec<usize> {
    fn into_shape(self) -> Dims {
        Dims::from_vec(self)
    }
}
impl IntoShape for Dims {
    fn into_shape(self) -> Dims {
        self
    }
}
impl IntoShape for &Dims {
    fn into_shape(self) -> Dims {
        self.clone()
    }
}
impl IntoShape for usize {
    fn into_shape(self) -> Dims {
        Dims::from_slice(&[self])
    }
}
impl IntoShape for () {
    fn into_shape(self) -> Dims {
        Dims::new()
    }
}

/// Prints a shape as PyTorch does: `[2, 3]`.
pub(crate) struct Show<'a>(pub &'a [usize]);

impl fmt::Display for Show<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

/// The number of elements of a shape.
///
/// # Errors
/// When it exceeds what memory can address. Sizes of 0 are left out of that account, as in NumPy:
/// then no stride and no product of some of the sizes can overflow either.
///
/// ```
/// use gradus_core::shape::numel;
/// assert_eq!(numel(&[2, 3])?, 6);
/// assert_eq!(numel(&[])?, 1);
/// assert!(numel(&[usize::MAX, 2]).is_err());
/// # Ok::<(), gradus_core::Error>(())
/// ```
pub fn numel(shape: &[usize]) -> Result<usize> {
    shape
        .iter()
        .try_fold(1usize, |n, &d| n.checked_mul(d.max(1)))
        .filter(|&n| n <= isize::MAX as usize / 8)
        .map(|n| if shape.contains(&0) { 0 } else { n })
        .ok_or_else(|| {
            err!(
                Memory,
                "a tensor of shape {} is too large for this machine's memory",
                Show(shape)
            )
        })
}

/// The dimension that `dim` names among `rank` of them, negative ones counted from the end.
///
/// # Errors
/// PyTorch's `Dimension out of range` for any other value.
///
/// ```
/// use gradus_core::shape::resolve_dim;
/// assert_eq!(resolve_dim(-1, 3)?, 2);
/// assert!(resolve_dim(3, 3).is_err());
/// # Ok::<(), gradus_core::Error>(())
/// ```
pub fn resolve_dim(dim: isize, rank: usize) -> Result<usize> {
    // PyTorch lets a 0-d tensor be reduced over its "dimension" 0 or -1.
    let n = rank.max(1) as isize;
    if (-n..n).contains(&dim) {
        return Ok(if dim < 0 { dim + n } else { dim } as usize);
    }
    Err(err!(
        Index,
        "Dimension out of range (expected to be in range of [{}, {}], but got {dim})",
        -n,
        n - 1
    ))
}

/// The shape two operands share after broadcasting: sizes are matched from the last dimension on,
/// and a size of 1 or a missing dimension stretches.
///
/// # Errors
/// PyTorch's message, naming the sizes and the dimension that do not match.
///
/// ```
/// use gradus_core::shape::broadcast;
/// assert_eq!(broadcast(&[4, 1], &[3])?.as_slice(), [4, 3]);
/// assert!(broadcast(&[2], &[3]).is_err());
/// # Ok::<(), gradus_core::Error>(())
/// ```
pub fn broadcast(a: &[usize], b: &[usize]) -> Result<Dims> {
    let rank = a.len().max(b.len());
    let size = |s: &[usize], i: usize| (i + s.len()).checked_sub(rank).map_or(1, |i| s[i]);
    (0..rank)
        .map(|i| match (size(a, i), size(b, i)) {
            (x, y) if x == y => Ok(x),
            (1, y) => Ok(y),
            (x, 1) => Ok(x),
            (x, y) => Err(err!(
                Shape,
                "The size of tensor a ({x}) must match the size of tensor b ({y}) at non-singleton dimension {i} \
                 (shapes {} and {} do not broadcast)",
                Show(a),
                Show(b)
            )),
        })
        .collect()
}

/// Where the elements of a tensor lie in its storage.
///
/// ```
/// use gradus_core::shape::Layout;
/// let layout = Layout::contiguous([2, 3][..].into());
/// assert_eq!((layout.shape[..].len(), layout.offset), (2, 0));
/// ```
#[derive(Debug, PartialEq, Eq)]
pub struct Layout {
    /// Sizes of the dimensions.
    pub shape: Dims,
    /// Elements between neighbours along each dimension.
    pub strides: Strides,
    /// Position of the first element in the storage.
    pub offset: usize,
}

/// As each result has a layout: sizes and strides are copied as a whole, not one by one.
impl Clone for Layout {
    fn clone(&self) -> Self {
        Self {
            shape: Dims::from_slice(&self.shape),
            strides: Strides::from_slice(&self.strides),
            offset: self.offset,
        }
    }
}

impl Layout {
    /// Row-major, without gaps, from the start of the storage.
    ///
    /// ```
    /// # use gradus_core::shape::Layout;
    /// assert_eq!(Layout::contiguous([2, 3][..].into()).strides[..], [3, 1]);
    /// ```
    pub fn contiguous(shape: Dims) -> Self {
        let strides = contiguous_strides(&shape);
        Self {
            shape,
            strides,
            offset: 0,
        }
    }

    /// Without gaps from the start of the storage, the dimensions from the outermost in memory being
    /// `order`.
    pub(crate) fn in_order(shape: Dims, order: &[usize]) -> Self {
        let mut strides = Strides::from_elem(1, shape.len());
        let mut step = 1;
        for &d in order.iter().rev() {
            strides[d] = step;
            step *= shape[d].max(1) as isize;
        }
        Self {
            shape,
            strides,
            offset: 0,
        }
    }

    /// The dimensions from the outermost in memory, in which several operands of one shape are best
    /// walked through; `None` if they are in that order anyway. Of two dimensions the one with the
    /// larger steps is the outer one: those of the first operand that has both. PyTorch does the same.
    pub(crate) fn memory_order<const N: usize>(layouts: [&Layout; N]) -> Option<Dims> {
        let shape = &layouts[0].shape;
        let outside = |a: usize, b: usize| {
            let steps = layouts
                .iter()
                .map(|l| [a, b].map(|d| l.strides[d].unsigned_abs()));
            let mut steps = steps.filter(|steps| !steps.contains(&0) && steps[0] != steps[1]);
            let differ = shape[a] != 1 && shape[b] != 1;
            steps.next().filter(|_| differ).map(|[a, b]| a > b)
        };
        let mut order: Dims = (0..shape.len()).collect();
        for last in 1..order.len() {
            let mut at = last;
            for before in (0..last).rev() {
                match outside(order[before], order[at]) {
                    Some(true) => break,
                    Some(false) => {
                        order.swap(before, at);
                        at = before;
                    }
                    None => {}
                }
            }
        }
        (!order.is_sorted()).then_some(order)
    }

    /// Without gaps, in the order in memory of these elements.
    pub(crate) fn dense_like(&self) -> Self {
        match Self::memory_order([self]) {
            Some(order) => Self::in_order(self.shape.clone(), &order),
            None => Self::contiguous(self.shape.clone()),
        }
    }

    /// Whether the elements fill a run of memory, in whatever order.
    pub(crate) fn is_dense(&self) -> bool {
        self.is_contiguous()
            || Self::memory_order([self]).is_some_and(|order| self.permute(&order).is_contiguous())
    }

    /// The number of elements.
    ///
    /// ```
    /// # use gradus_core::shape::Layout;
    /// assert_eq!(Layout::contiguous([2, 3][..].into()).numel(), 6);
    /// ```
    #[inline]
    pub fn numel(&self) -> usize {
        self.shape.iter().product()
    }

    /// The number of dimensions.
    ///
    /// ```
    /// # use gradus_core::shape::Layout;
    /// assert_eq!(Layout::contiguous([2, 3][..].into()).rank(), 2);
    /// ```
    #[inline]
    pub fn rank(&self) -> usize {
        self.shape.len()
    }

    /// Whether the elements lie row-major without gaps (dimensions of size 1 do not count, and no
    /// elements have no gaps).
    ///
    /// ```
    /// # use gradus_core::shape::Layout;
    /// assert!(Layout::contiguous([2, 3][..].into()).is_contiguous());
    /// ```
    #[inline]
    pub fn is_contiguous(&self) -> bool {
        let mut expected = 1;
        for (&n, &s) in self.shape.iter().zip(&self.strides).rev() {
            if n != 1 {
                if s != expected {
                    return self.shape.contains(&0);
                }
                expected *= n as isize;
            }
        }
        true
    }

    /// The same elements seen with `shape`, stretched dimensions having stride 0.
    ///
    /// # Errors
    /// When a dimension is neither equal nor 1.
    ///
    /// ```
    /// # use gradus_core::shape::Layout;
    /// assert_eq!(Layout::contiguous([1][..].into()).broadcast_to(&[4])?.strides[..], [0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn broadcast_to(&self, shape: &[usize]) -> Result<Self> {
        let lead = shape.len().checked_sub(self.rank());
        let fits = lead.is_some_and(|lead| {
            self.shape
                .iter()
                .zip(&shape[lead..])
                .all(|(&a, &b)| a == b || a == 1)
        });
        let Some(lead) = lead.filter(|_| fits) else {
            return Err(err!(
                Shape,
                "broadcast_to: a tensor of shape {} cannot be broadcast to {}: each size must be equal or 1, \
                 counted from the last dimension",
                Show(&self.shape),
                Show(shape)
            ));
        };
        let mut strides = Strides::from_elem(0, lead);
        strides.extend(
            self.shape
                .iter()
                .zip(&self.strides)
                .zip(&shape[lead..])
                .map(|((&n, &s), &m)| if n == m { s } else { 0 }),
        );
        Ok(Self {
            shape: Dims::from_slice(shape),
            strides,
            offset: self.offset,
        })
    }

    /// The same elements with their dimensions in another order.
    pub(crate) fn permute(&self, order: &[usize]) -> Self {
        Self {
            shape: order.iter().map(|&d| self.shape[d]).collect(),
            strides: order.iter().map(|&d| self.strides[d]).collect(),
            offset: self.offset,
        }
    }

    /// The same positions `by` elements further on. No elements need no place: a view without any
    /// must not point beyond the storage, which may be empty too.
    fn shifted(mut self, by: isize) -> Self {
        if !self.shape.contains(&0) {
            self.offset = self.offset.wrapping_add_signed(by);
        }
        self
    }

    /// The positions from `start` to `start + len` along `dim`, which has them.
    pub(crate) fn narrow(&self, dim: usize, start: usize, len: usize) -> Self {
        let mut part = self.clone();
        part.shape[dim] = len;
        part.shifted((start as isize).wrapping_mul(self.strides[dim]))
    }

    /// The positions in opposite order along the dimensions for which `flipped` is true.
    pub(crate) fn flip(&self, flipped: &[bool]) -> Self {
        let mut layout = self.clone();
        let mut by = 0;
        for (d, _) in flipped.iter().enumerate().filter(|(_, flipped)| **flipped) {
            by += (self.shape[d] as isize - 1).wrapping_mul(self.strides[d]);
            layout.strides[d] = -self.strides[d];
        }
        layout.shifted(by)
    }

    /// The diagonal `offset` columns to the right of the main one of the matrices in the dimensions
    /// `row` and `col`, as a last dimension in their place.
    pub(crate) fn diagonal(&self, offset: isize, row: usize, col: usize) -> Self {
        let (down, right) = match offset {
            0.. => (0, offset as usize),
            _ => (offset.unsigned_abs(), 0),
        };
        let height = self.shape[row].saturating_sub(down);
        let width = self.shape[col].saturating_sub(right);
        let others = (0..self.rank()).filter(|&d| d != row && d != col);
        let mut layout = Self {
            shape: others.clone().map(|d| self.shape[d]).collect(),
            strides: others.map(|d| self.strides[d]).collect(),
            offset: self.offset,
        };
        layout.shape.push(height.min(width));
        layout.strides.push(self.strides[row] + self.strides[col]);
        let by = |n: usize, d: usize| (n as isize).wrapping_mul(self.strides[d]);
        layout.shifted(by(down, row).wrapping_add(by(right, col)))
    }

    /// Windows of `size` positions along `dim`, each `step` after the last, as a new last dimension.
    /// The dimension must be at least as long as a window, and the step at least 1.
    pub(crate) fn windows(&self, dim: usize, size: usize, step: usize) -> Self {
        let mut layout = self.clone();
        let n = self.shape[dim];
        layout.shape[dim] = (n - size) / step + 1;
        // A step beyond the end leaves one window, whatever its length: it need not overflow.
        layout.strides[dim] *= step.min(n.max(1)) as isize;
        layout.shape.push(size);
        layout.strides.push(self.strides[dim]);
        layout
    }

    /// Whether every position lies within a storage of `len` elements.
    pub(crate) fn lies_within(&self, len: usize) -> bool {
        let (mut first, mut last) = (self.offset as isize, self.offset as isize);
        for (&n, &s) in self.shape.iter().zip(&self.strides) {
            let span = s.saturating_mul(n as isize - 1);
            first = first.saturating_add(span.min(0));
            last = last.saturating_add(span.max(0));
        }
        self.shape.contains(&0) || (first >= 0 && last < len as isize)
    }

    /// Whether no two positions can be one element, known because each dimension steps over all that the
    /// smaller steps reach. (Some layouts that interlace without meeting are not found out.)
    pub(crate) fn is_injective(&self) -> bool {
        let dims = self.shape.iter().zip(&self.strides);
        let mut dims: SmallVec<[(usize, usize); 6]> = dims
            .filter(|(n, _)| **n > 1)
            .map(|(&n, &s)| (s.unsigned_abs(), n))
            .collect();
        dims.sort_unstable();
        let mut reach = 0usize;
        dims.iter().all(|&(step, n)| {
            let apart = step > reach;
            reach = reach.saturating_add(step.saturating_mul(n - 1));
            apart
        })
    }

    /// The same elements seen with another shape of the same number of elements, when no copy is
    /// needed.
    pub(crate) fn reshape(&self, shape: &[usize]) -> Option<Self> {
        let new = |strides| Self {
            shape: Dims::from_slice(shape),
            strides,
            offset: self.offset,
        };
        if self.is_contiguous() {
            return Some(new(contiguous_strides(shape)));
        }
        // Cut each gapless run of memory anew, from the last one on: a gap between two runs must
        // fall between two dimensions of the new shape as well.
        let (runs, [steps]) = Self::coalesce([self]);
        let mut strides = Strides::from_elem(1, shape.len());
        let mut d = shape.len();
        for (&run, &step) in runs.iter().zip(&steps).rev() {
            let mut inner = 1;
            while inner < run {
                d = d.checked_sub(1)?;
                strides[d] = step * inner as isize;
                inner *= shape[d];
            }
            if inner != run {
                return None;
            }
        }
        Some(new(strides))
    }

    /// Sizes and strides with neighbouring dimensions merged wherever the memory allows it, for
    /// several operands at once: loops get as few and as long runs as possible.
    ///
    /// All layouts must have the same shape. Returns the merged shape and each operand's strides.
    pub(crate) fn coalesce<const N: usize>(layouts: [&Layout; N]) -> (Dims, [Strides; N]) {
        let mut shape = Dims::new();
        let mut strides: [Strides; N] = std::array::from_fn(|_| Strides::new());
        for d in 0..layouts[0].rank() {
            let n = layouts[0].shape[d];
            if n == 1 {
                continue;
            }
            let merges = !shape.is_empty()
                && (0..N).all(|k| {
                    strides[k].last().copied() == Some(layouts[k].strides[d] * n as isize)
                });
            if merges {
                *shape.last_mut().expect("not empty") *= n;
            } else {
                shape.push(n);
            }
            for k in 0..N {
                if merges {
                    *strides[k].last_mut().expect("not empty") = layouts[k].strides[d];
                } else {
                    strides[k].push(layouts[k].strides[d]);
                }
            }
        }
        if shape.is_empty() {
            shape.push(1);
            strides.iter_mut().for_each(|s| s.push(1));
        }
        (shape, strides)
    }
}

/// Strides of a row-major tensor without gaps.
pub(crate) fn contiguous_strides(shape: &[usize]) -> Strides {
    let mut strides = Strides::from_elem(1, shape.len());
    for d in (1..shape.len()).rev() {
        strides[d - 1] = strides[d] * shape[d].max(1) as isize;
    }
    strides
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strided(shape: &[usize], strides: &[isize]) -> Layout {
        Layout {
            shape: Dims::from_slice(shape),
            strides: Strides::from_slice(strides),
            offset: 0,
        }
    }

    #[test]
    fn reshape_without_copy_only_where_runs_allow_it() {
        // A transpose: its two runs cannot be merged, but each can be split.
        let t = strided(&[4, 6], &[1, 4]);
        assert!(t.reshape(&[24]).is_none());
        assert_eq!(
            t.reshape(&[2, 2, 3, 2]).unwrap().strides.as_slice(),
            [2, 1, 8, 4]
        );
        // Size-1 dimensions with arbitrary strides do not stand in the way.
        let padded = strided(&[2, 1, 3], &[3, 99, 1]);
        assert_eq!(padded.reshape(&[6, 1]).unwrap().strides[0], 1);
        // A broadcast dimension keeps stride 0 in both halves.
        assert_eq!(
            strided(&[4, 3], &[0, 1])
                .reshape(&[2, 2, 3])
                .unwrap()
                .strides
                .as_slice(),
            [0, 0, 1]
        );
    }

    #[test]
    fn coalesce_merges_what_lies_without_gaps_in_every_operand() {
        let a = strided(&[2, 3, 4], &[12, 4, 1]);
        let row = strided(&[2, 3, 4], &[0, 0, 1]);
        assert_eq!(Layout::coalesce([&a]).0.as_slice(), [24]);
        let (shape, [sa, sr]) = Layout::coalesce([&a, &row]);
        assert_eq!(
            (shape.as_slice(), sa.as_slice(), sr.as_slice()),
            (&[6, 4][..], &[4, 1][..], &[0, 1][..])
        );
    }

    #[test]
    fn only_layouts_whose_positions_surely_differ_are_injective() {
        for (shape, strides, injective) in [
            (&[2, 3][..], &[3, 1][..], true),
            (&[2, 3], &[1, 2], true),
            (&[2, 3], &[-3, -1], true),
            (&[1, 3], &[0, 1], true),
            (&[2, 3], &[0, 1], false),
            (&[4, 3], &[1, 1], false),
            (&[4, 3], &[2, 1], false),
            (&[2, 0], &[0, 1], false),
        ] {
            assert_eq!(
                strided(shape, strides).is_injective(),
                injective,
                "{shape:?} {strides:?}"
            );
        }
    }

    #[test]
    fn a_layout_lies_within_its_storage_from_its_lowest_to_its_highest_position() {
        let flipped = strided(&[2, 3], &[3, 1]).flip(&[true, true]);
        assert_eq!((flipped.offset, &flipped.strides[..]), (5, &[-3, -1][..]));
        assert!(flipped.lies_within(6) && !flipped.lies_within(5));
        assert!(!strided(&[2], &[-1]).lies_within(9));
        assert!(strided(&[0, 9], &[9, 1]).lies_within(0));
    }

    #[test]
    fn sizes_that_overflow_are_an_error_even_beside_a_size_of_0() {
        assert!(numel(&[usize::MAX, 2]).is_err());
        assert!(numel(&[1 << 40, 1 << 40, 0]).is_err());
        assert_eq!(numel(&[1 << 40, 0]).unwrap(), 0);
    }

    #[test]
    fn an_empty_tensor_is_contiguous_whatever_its_strides() {
        let empty = strided(&[0, 3], &[1, 7]);
        assert!(empty.is_contiguous());
        assert_eq!(empty.reshape(&[2, 0]).unwrap().numel(), 0);
    }
}
