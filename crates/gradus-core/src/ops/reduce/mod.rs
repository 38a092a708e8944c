//! Reductions over any set of dimensions.

pub(super) mod extreme;
pub(super) mod logical;
pub(super) mod logsumexp;
pub(super) mod norm;
pub(super) mod rank;
pub(super) mod statistics;
pub(super) mod sum;

use crate::error::{Result, err};
use crate::shape::{Dims, resolve_dim};
use crate::tensor::Tensor;
use std::ops::RangeFull;

/// Dimensions to reduce: `..` for all, one number, or an array of them; negative ones count from
/// the end. They disappear, unless [`keepdim`] is put around them.
///
/// ```
/// # use gradus_core::Tensor;
/// let x = Tensor::ones([2, 3, 4]);
/// assert_eq!(x.sum(..)?.ndim(), 0);
/// assert_eq!(x.sum(-1)?.shape(), [2, 3]);
/// assert_eq!(x.sum([0, 2])?.shape(), [3]);
/// # Ok::<(), gradus_core::Error>(())
/// ```
pub trait Dimensions {
    /// For each of `rank` dimensions, whether it is reduced.
    ///
    /// # Errors
    /// For a dimension out of range or named twice.
    fn mask(&self, rank: usize) -> Result<Vec<bool>>;

    /// Whether reduced dimensions stay, with size 1.
    fn keepdim(&self) -> bool {
        false
    }
}

impl Dimensions for RangeFull {
    fn mask(&self, rank: usize) -> Result<Vec<bool>> {
        Ok(vec![true; rank])
    }
}
impl Dimensions for isize {
    fn mask(&self, rank: usize) -> Result<Vec<bool>> {
        [*self].mask(rank)
    }
}
impl<const N: usize> Dimensions for [isize; N] {
    fn mask(&self, rank: usize) -> Result<Vec<bool>> {
        self.as_slice().mask(rank)
    }
}
impl Dimensions for &[isize] {
    fn mask(&self, rank: usize) -> Result<Vec<bool>> {
        let mut mask = vec![false; rank];
        for &dim in *self {
            let d = resolve_dim(dim, rank)?;
            // A 0-d tensor has no dimension to mark, but its "dimension 0" may be named.
            if mask
                .get_mut(d)
                .is_some_and(|seen| std::mem::replace(seen, true))
            {
                return Err(err!(
                    Index,
                    "dim {d} appears multiple times in the list of dims {self:?}"
                ));
            }
        }
        Ok(mask)
    }
}
impl Dimensions for Vec<bool> {
    fn mask(&self, rank: usize) -> Result<Vec<bool>> {
        if self.len() == rank {
            return Ok(self.clone());
        }
        Err(err!(
            Index,
            "a mask of {} dimensions for a tensor of {rank}",
            self.len()
        ))
    }
}

/// Dimensions that stay, with size 1, when they are reduced; made by [`keepdim`].
///
/// ```
/// use gradus_core::{Dimensions, keepdim, ops::Keepdim};
/// let last: Keepdim<isize> = keepdim(-1);
/// assert!(last.keepdim() && !(-1).keepdim());
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Keepdim<D>(D);

impl<D: Dimensions> Dimensions for Keepdim<D> {
    fn mask(&self, rank: usize) -> Result<Vec<bool>> {
        self.0.mask(rank)
    }
    fn keepdim(&self) -> bool {
        true
    }
}

/// The same dimensions, to be kept with size 1 when they are reduced, so that the result broadcasts
/// against what it was made of.
///
/// ```
/// use gradus_core::{Tensor, keepdim};
/// let x = Tensor::ones([2, 3]);
/// assert_eq!(x.sum(keepdim(-1))?.shape(), [2, 1]);
/// assert_eq!(x.sum(keepdim(..))?.shape(), [1, 1]);
/// # Ok::<(), gradus_core::Error>(())
/// ```
pub fn keepdim<D: Dimensions>(dims: D) -> Keepdim<D> {
    Keepdim(dims)
}

/// The dimensions of a tensor that are reduced, and whether they stay.
#[derive(Clone)]
struct Reduction {
    mask: Vec<bool>,
    keepdim: bool,
}

impl Dimensions for &Reduction {
    fn mask(&self, rank: usize) -> Result<Vec<bool>> {
        self.mask.mask(rank)
    }
    fn keepdim(&self) -> bool {
        self.keepdim
    }
}

impl Reduction {
    /// Of `x` by the operation `op`, which errors name.
    fn new(op: &str, x: &Tensor, dims: impl Dimensions) -> Result<Self> {
        Ok(Self {
            mask: dims.mask(x.ndim()).map_err(|e| e.at(op))?,
            keepdim: dims.keepdim(),
        })
    }

    /// Like [`new`](Self::new), for an operation that has no value for no elements.
    fn not_empty(op: &str, x: &Tensor, dims: impl Dimensions) -> Result<Self> {
        let reduction = Self::new(op, x, dims)?;
        let mut dims = x.shape().iter().zip(&reduction.mask);
        match dims.position(|(&n, reduced)| *reduced && n == 0) {
            Some(d) => Err(err!(
                Shape,
                "{op}: Expected reduction dim {d} to have non-zero size, the tensor has shape {:?}",
                x.shape()
            )),
            None => Ok(reduction),
        }
    }

    /// The dimensions of `shape` that are reduced, or those that are not.
    fn sizes(&self, shape: &[usize], reduced: bool) -> Dims {
        let sizes = shape.iter().zip(&self.mask);
        sizes
            .filter(|(_, r)| **r == reduced)
            .map(|(&n, _)| n)
            .collect()
    }

    /// How many elements of a tensor of this shape become one.
    fn count(&self, shape: &[usize]) -> usize {
        self.sizes(shape, true).iter().product()
    }

    /// The shape of the result.
    fn shape(&self, shape: &[usize]) -> Dims {
        if self.keepdim {
            self.kept(shape)
        } else {
            self.sizes(shape, false)
        }
    }

    /// The shape with the reduced dimensions as size 1.
    fn kept(&self, shape: &[usize]) -> Dims {
        let sizes = shape.iter().zip(&self.mask);
        sizes.map(|(&n, &r)| if r { 1 } else { n }).collect()
    }

    /// A result, or its gradient, so that it broadcasts against the tensor that was reduced.
    fn widen(&self, y: &Tensor, shape: &[usize]) -> Result<Tensor> {
        y.reshape(&self.kept(shape))
    }

    /// The same reduction with its dimensions kept.
    fn keeping(&self) -> Self {
        Self {
            mask: self.mask.clone(),
            keepdim: true,
        }
    }

    /// The order of dimensions in which the reduced ones come last.
    fn order(&self) -> Vec<isize> {
        let dims = 0..self.mask.len();
        let of = |which: bool| dims.clone().filter(move |&d| self.mask[d] == which);
        of(false).chain(of(true)).map(|d| d as isize).collect()
    }

    /// `x` with the reduced dimensions as one, the last.
    fn rows(&self, x: &Tensor) -> Result<Tensor> {
        let mut shape = self.sizes(x.shape(), false);
        shape.push(self.count(x.shape()));
        x.permute(self.order())?.reshape(&shape)
    }

    /// Back from [`rows`](Self::rows) to `shape`.
    fn spread_rows(&self, rows: &Tensor, shape: &[usize]) -> Result<Tensor> {
        let order = self.order();
        let sizes: Dims = order.iter().map(|&d| shape[d as usize]).collect();
        let mut back = vec![0; order.len()];
        (order.iter().enumerate()).for_each(|(to, &from)| back[from as usize] = to as isize);
        rows.reshape(&sizes)?.permute(back)
    }

    /// The elements of `x` at `index`, which counts the reduced ones in row-major order: one for
    /// each element of the result. The gradient flows to these elements.
    fn take(&self, x: &Tensor, index: &Tensor) -> Result<Tensor> {
        let mut reduced = (0..x.ndim()).filter(|&d| self.mask[d]);
        let taken = if let (Some(d), None) = (reduced.next(), reduced.next()) {
            x.gather(d as isize, &self.widen(index, x.shape())?)?
        } else {
            let mut shape = self.sizes(x.shape(), false);
            shape.push(1);
            self.rows(x)?.gather(-1, &index.reshape(&shape)?)?
        };
        taken.reshape(&self.shape(x.shape()))
    }
}

impl Tensor {
    /// Sums the dimensions that broadcasting `shape` to this tensor's shape would stretch: the
    /// gradient of broadcasting.
    pub(crate) fn sum_to(&self, shape: &[usize]) -> Result<Tensor> {
        let lead = self.ndim().checked_sub(shape.len());
        let fits = lead.is_some_and(|lead| {
            shape
                .iter()
                .zip(&self.shape()[lead..])
                .all(|(&a, &b)| a == b || a == 1)
        });
        let Some(lead) = lead.filter(|_| fits) else {
            return Err(err!(
                Shape,
                "sum_to: shape {:?} does not broadcast to {:?}",
                shape,
                self.shape()
            ));
        };
        let reduced: Vec<bool> = (0..self.ndim())
            .map(|d| d < lead || shape[d - lead] == 1 && self.shape()[d] != 1)
            .collect();
        self.sum(reduced)?.reshape(shape)
    }
}
