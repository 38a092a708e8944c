//! What may stand between the brackets of `x[...]`: one [`Index`], or several in a tuple.

use crate::dtype::DType;
use crate::error::{Result, err};
use crate::tensor::Tensor;
use std::ops::{
    Bound, Range, RangeBounds, RangeFrom, RangeFull, RangeInclusive, RangeTo, RangeToInclusive,
};

/// One entry of an indexing expression, for [`Tensor::i`], [`Tensor::set`] and
/// [`Tensor::index_put`]. Integers, ranges, lists and tensors become one by `into()`.
///
/// ```
/// use gradus_core::{Index, Tensor};
/// let x = Tensor::zeros([2, 3, 4]);
/// assert_eq!(x.i((Index::Ellipsis, 0))?.shape(), [2, 3]);
/// assert_eq!(x.i((0, Index::NewAxis, 1..))?.shape(), [1, 2, 4]);
/// // Built at run time:
/// let list: Vec<Index> = vec![1.into(), (..2).into(), Index::from([3, 0, 3])];
/// assert_eq!(x.i(list)?.shape(), [2, 3]);
/// # Ok::<(), gradus_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub enum Index {
    /// One position; the dimension disappears. Negative ones count from the end.
    At(isize),
    /// Some positions at equal distances.
    Slice(Slice),
    /// A new dimension of size 1.
    NewAxis,
    /// As many whole dimensions as are left; at most one.
    Ellipsis,
    /// Positions (integers) or a mask (bools; it stands for as many dimensions as it has itself).
    Tensor(Tensor),
}

impl Index {
    /// How many dimensions of the tensor it stands for.
    pub(super) fn consumes(&self) -> usize {
        match self {
            Self::NewAxis | Self::Ellipsis => 0,
            Self::At(_) | Self::Slice(_) => 1,
            Self::Tensor(t) if t.dtype() == DType::Bool => t.ndim(),
            Self::Tensor(_) => 1,
        }
    }
}

/// The positions start, start + step, … before `stop`, as Python's `start:stop:step`: negative
/// numbers count from the end, positions beyond the ends are cut, a negative step walks backwards.
/// (Clippy's `reversed_empty_ranges`, which takes a literal `1..-1` for empty, has to be allowed.)
///
/// ```
/// use gradus_core::{Slice, Tensor, s};
/// let x = Tensor::from([0, 1, 2, 3, 4]);
/// assert_eq!(x.i(1..-1)?.to_vec::<i64>()?, [1, 2, 3]);
/// assert_eq!(x.i(s(.., 2))?.to_vec::<i64>()?, [0, 2, 4]);
/// assert_eq!(x.i(Slice { start: Some(3), stop: None, step: -2 })?.to_vec::<i64>()?, [3, 1]);
/// # Ok::<(), gradus_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slice {
    /// The first position; the first there is (the last for a negative step) if `None`.
    pub start: Option<isize>,
    /// The position to stop before; `None` for none.
    pub stop: Option<isize>,
    /// The distance; not 0.
    pub step: isize,
}

/// A range with a step: `s(0..10, 2)` is Python's `0:10:2`, `s(.., -1)` its `::-1`.
///
/// ```
/// use gradus_core::{Tensor, s};
/// assert_eq!(Tensor::from([1, 2, 3]).i(s(.., -1))?.to_vec::<i64>()?, [3, 2, 1]);
/// # Ok::<(), gradus_core::Error>(())
/// ```
pub fn s(range: impl RangeBounds<isize>, step: isize) -> Slice {
    Slice {
        start: match range.start_bound() {
            Bound::Included(&i) => Some(i),
            Bound::Excluded(&i) => Some(i.saturating_add(1)),
            Bound::Unbounded => None,
        },
        stop: match range.end_bound() {
            // `..=-1` ends with the last position.
            Bound::Included(&i) => Some(i.saturating_add(1)).filter(|&i| i != 0),
            Bound::Excluded(&i) => Some(i),
            Bound::Unbounded => None,
        },
        step,
    }
}

impl Slice {
    /// The whole dimension.
    pub(super) const ALL: Self = Self {
        start: None,
        stop: None,
        step: 1,
    };

    /// The first position, how many there are, and the step between them, in a dimension of `n`.
    pub(super) fn resolve(&self, op: &str, n: usize) -> Result<(usize, usize, isize)> {
        if self.step == 0 {
            return Err(err!(Value, "{op}: slice step cannot be zero"));
        }
        let n = n as isize;
        let forward = self.step > 0;
        // The positions that may be named: for a negative step −1 is the one before the first.
        let (low, high) = if forward { (0, n) } else { (-1, n - 1) };
        let place = |i: isize| if i < 0 { i.saturating_add(n) } else { i }.clamp(low, high);
        let (first, last) = if forward { (low, high) } else { (high, low) };
        let start = self.start.map_or(first, place);
        let stop = self.stop.map_or(last, place);
        let distance = if forward { stop - start } else { start - stop };
        let len = usize::try_from(distance)
            .unwrap_or(0)
            .div_ceil(self.step.unsigned_abs());
        // A step beyond the end is never taken; it need not overflow.
        let step = if len > 1 { self.step } else { 1 };
        Ok((start.clamp(0, n) as usize, len, step))
    }
}

impl From<Slice> for Index {
    fn from(slice: Slice) -> Self {
        Self::Slice(slice)
    }
}
impl From<RangeFull> for Index {
    fn from(_: RangeFull) -> Self {
        Self::Slice(Slice::ALL)
    }
}
impl From<Tensor> for Index {
    fn from(tensor: Tensor) -> Self {
        Self::Tensor(tensor)
    }
}
impl From<&Tensor> for Index {
    fn from(tensor: &Tensor) -> Self {
        Self::Tensor(tensor.clone())
    }
}
impl From<&Index> for Index {
    fn from(index: &Index) -> Self {
        index.clone()
    }
}
/// A 0-d mask: a new dimension of size 1 or 0.
impl From<bool> for Index {
    fn from(keep: bool) -> Self {
        Self::Tensor(Tensor::from(keep))
    }
}

/// A list of positions or a mask. Whoever has the list has the memory for it once more.
fn list<T: crate::Element>(values: &[T]) -> Index {
    let tensor = Tensor::from_vec(values, values.len());
    Index::Tensor(tensor.expect("as many elements as the shape says"))
}

macro_rules! lists {
    ($($t:ty, $values:ident => $positions:expr;)+) => {$(
        impl From<&[$t]> for Index {
            fn from($values: &[$t]) -> Self { list($positions) }
        }
        impl From<Vec<$t>> for Index {
            fn from(values: Vec<$t>) -> Self { values.as_slice().into() }
        }
        impl From<&Vec<$t>> for Index {
            fn from(values: &Vec<$t>) -> Self { values.as_slice().into() }
        }
        impl<const N: usize> From<[$t; N]> for Index {
            fn from(values: [$t; N]) -> Self { values.as_slice().into() }
        }
        impl<const N: usize> From<&[$t; N]> for Index {
            fn from(values: &[$t; N]) -> Self { values.as_slice().into() }
        }
    )+};
}
lists! {
    i64, values => values;
    i32, values => values;
    bool, values => values;
    isize, values => &values.iter().map(|&i| i as i64).collect::<Vec<_>>();
    usize, values => &values.iter().map(|&i| signed(i) as i64).collect::<Vec<_>>();
}

/// A position as isize. One that is too large is out of range anyway.
fn signed(i: impl TryInto<isize>) -> isize {
    i.try_into().unwrap_or(isize::MAX)
}

macro_rules! integers {
    ($($t:ident),+) => {$(
        impl From<$t> for Index {
            fn from(i: $t) -> Self { Self::At(signed(i)) }
        }
        impl From<Range<$t>> for Index {
            fn from(r: Range<$t>) -> Self { s(signed(r.start)..signed(r.end), 1).into() }
        }
        impl From<RangeFrom<$t>> for Index {
            fn from(r: RangeFrom<$t>) -> Self { s(signed(r.start).., 1).into() }
        }
        impl From<RangeTo<$t>> for Index {
            fn from(r: RangeTo<$t>) -> Self { s(..signed(r.end), 1).into() }
        }
        impl From<RangeInclusive<$t>> for Index {
            fn from(r: RangeInclusive<$t>) -> Self { s(signed(*r.start())..=signed(*r.end()), 1).into() }
        }
        impl From<RangeToInclusive<$t>> for Index {
            fn from(r: RangeToInclusive<$t>) -> Self { s(..=signed(r.end), 1).into() }
        }
    )+};
}
integers!(isize, usize, i32, i64);

/// An indexing expression: one thing that becomes an [`Index`], a tuple of up to six, or a list of
/// [`Index`] made at run time. An array of numbers is *one* index, a list of positions.
///
/// ```
/// # use gradus_core::Tensor;
/// let x = Tensor::from([[1, 2], [3, 4]]);
/// assert_eq!(x.i((1, 0))?.item::<i64>()?, 3); // x[1, 0]
/// assert_eq!(x.i([1, 0])?.to_vec::<i64>()?, [3, 4, 1, 2]); // x[[1, 0]]
/// # Ok::<(), gradus_core::Error>(())
/// ```
pub trait Indices {
    /// The entries in their order.
    fn indices(self) -> Vec<Index>;
}

impl<I: Into<Index>> Indices for I {
    fn indices(self) -> Vec<Index> {
        vec![self.into()]
    }
}
impl Indices for Vec<Index> {
    fn indices(self) -> Vec<Index> {
        self
    }
}
impl Indices for &[Index] {
    fn indices(self) -> Vec<Index> {
        self.to_vec()
    }
}
impl Indices for () {
    fn indices(self) -> Vec<Index> {
        Vec::new()
    }
}

macro_rules! tuples {
    ($(($($t:ident $n:tt),+))+) => {$(
        impl<$($t: Into<Index>),+> Indices for ($($t,)+) {
            fn indices(self) -> Vec<Index> { vec![$(self.$n.into()),+] }
        }
    )+};
}
tuples! {
    (A 0)
    (A 0, B 1)
    (A 0, B 1, C 2)
    (A 0, B 1, C 2, D 3)
    (A 0, B 1, C 2, D 3, E 4)
    (A 0, B 1, C 2, D 3, E 4, F 5)
}
