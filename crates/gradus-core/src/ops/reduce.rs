//! Reductions over any set of dimensions.

use super::registry::{Case, Input};
use crate::autograd::{Context, Function, Grad, Grads, Saved, apply};
use crate::dtype::{dispatch, dispatch_number};
use crate::error::{Result, err};
use crate::kernels::reduce::{self, Extreme, Sum};
use crate::shape::{Dims, resolve_dim};
use crate::tensor::Tensor;
use std::borrow::Cow;
use std::ops::RangeFull;

pub(super) const CASES: &[Case] = &[
    Case::new("sum", &[Input::real(&[2, 3])], |x| x[0].sum(..)),
    Case::new("sum", &[Input::real(&[2, 3, 4])], |x| x[0].sum(1)),
    Case::new("sum", &[Input::real(&[2, 3, 4])], |x| {
        x[0].sum_keepdim([0, -1])
    }),
    Case::new("sum", &[Input::real(&[5, 3])], |x| x[0].sum(0)),
    Case::new("sum", &[Input::real(&[2, 3])], |x| x[0].mean(-1)),
    Case::new("amax", &[Input::real(&[2, 3])], |x| x[0].amax(..)),
    Case::new("amax", &[Input::real(&[2, 3])], |x| x[0].amax(0)),
    Case::new("amin", &[Input::real(&[2, 3, 2])], |x| {
        x[0].amin_keepdim([0, 2])
    }),
];

/// Dimensions to reduce: `..` for all, one number, or an array of them; negative ones count from
/// the end.
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

impl Tensor {
    /// The sum over `dims`, which disappear. Integers and bools are summed as i64.
    ///
    /// # Errors
    /// If a dimension is out of range or named twice.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([[1.0, 2.0], [3.0, 4.0]]);
    /// assert_eq!(x.sum(..)?.item::<f32>()?, 10.0);
    /// assert_eq!(x.sum(0)?.to_vec::<f32>()?, [4.0, 6.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn sum(&self, dims: impl Dimensions) -> Result<Tensor> {
        self.reduce("sum", dims, false, |reduced, keepdim| {
            apply(SumOp { reduced, keepdim }, &[self])
        })
    }

    /// The sum over `dims`, which become size 1.
    ///
    /// # Errors
    /// If a dimension is out of range or named twice.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::ones([2, 3]).sum_keepdim(-1)?.shape(), [2, 1]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn sum_keepdim(&self, dims: impl Dimensions) -> Result<Tensor> {
        self.reduce("sum", dims, true, |reduced, keepdim| {
            apply(SumOp { reduced, keepdim }, &[self])
        })
    }

    /// The mean over `dims`, which disappear; NaN when there are no elements.
    ///
    /// # Errors
    /// If a dimension is out of range or named twice; for integers and bools.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([1.0, 2.0, 6.0]).mean(..)?.item::<f32>()?, 3.0);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn mean(&self, dims: impl Dimensions) -> Result<Tensor> {
        self.mean_of(dims, false)
    }

    /// The mean over `dims`, which become size 1.
    ///
    /// # Errors
    /// As [`mean`](Tensor::mean).
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::ones([2, 3]).mean_keepdim(0)?.shape(), [1, 3]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn mean_keepdim(&self, dims: impl Dimensions) -> Result<Tensor> {
        self.mean_of(dims, true)
    }

    fn mean_of(&self, dims: impl Dimensions, keepdim: bool) -> Result<Tensor> {
        self.dtype().expect_float("mean")?;
        self.reduce("mean", dims, keepdim, |reduced, keepdim| {
            let n: usize = self
                .shape()
                .iter()
                .zip(&reduced)
                .filter(|(_, r)| **r)
                .map(|(&n, _)| n)
                .product();
            apply(SumOp { reduced, keepdim }, &[self])?.div(n as f64)
        })
    }

    /// The largest element over `dims`, which disappear; NaN if there is one. The gradient is shared
    /// evenly among equal largest elements.
    ///
    /// # Errors
    /// If a dimension is out of range or named twice, or there are no elements to compare.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([[1, 7], [3, 4]]).amax(1)?.to_vec::<i64>()?, [7, 4]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn amax(&self, dims: impl Dimensions) -> Result<Tensor> {
        self.extreme(dims, false, true)
    }

    /// [`amax`](Tensor::amax) with the reduced dimensions kept as size 1.
    ///
    /// # Errors
    /// As [`amax`](Tensor::amax).
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::ones([2, 3]).amax_keepdim(1)?.shape(), [2, 1]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn amax_keepdim(&self, dims: impl Dimensions) -> Result<Tensor> {
        self.extreme(dims, true, true)
    }

    /// The smallest element over `dims`, otherwise like [`amax`](Tensor::amax).
    ///
    /// # Errors
    /// As [`amax`](Tensor::amax).
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([[1, 7], [3, 4]]).amin(..)?.item::<i64>()?, 1);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn amin(&self, dims: impl Dimensions) -> Result<Tensor> {
        self.extreme(dims, false, false)
    }

    /// [`amin`](Tensor::amin) with the reduced dimensions kept as size 1.
    ///
    /// # Errors
    /// As [`amax`](Tensor::amax).
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::ones([2, 3]).amin_keepdim(1)?.shape(), [2, 1]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn amin_keepdim(&self, dims: impl Dimensions) -> Result<Tensor> {
        self.extreme(dims, true, false)
    }

    fn extreme(&self, dims: impl Dimensions, keepdim: bool, largest: bool) -> Result<Tensor> {
        let name = if largest { "amax" } else { "amin" };
        self.reduce(name, dims, keepdim, |reduced, keepdim| {
            if self.shape().iter().zip(&reduced).any(|(&n, r)| *r && n == 0) {
                return Err(err!(
                    Shape,
                    "{name}: Expected reduction dim to have non-zero size, the tensor has shape {:?}",
                    self.shape()
                ));
            }
            apply(ExtremeOp { reduced, keepdim, largest }, &[self])
        })
    }

    /// The position of the largest element along `dim` (i64), which disappears: the first of equal
    /// ones; a NaN counts as largest.
    ///
    /// # Errors
    /// If the dimension is out of range or has size 0, or for bool tensors.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([[1.0, 7.0], [3.0, 2.0]]).argmax(1)?.to_vec::<i64>()?, [1, 0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn argmax(&self, dim: isize) -> Result<Tensor> {
        self.arg_extreme("argmax", dim, true)
    }

    /// The position of the smallest element along `dim`, otherwise like
    /// [`argmax`](Tensor::argmax).
    ///
    /// # Errors
    /// As [`argmax`](Tensor::argmax).
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([3.0, 1.0, 2.0]).argmin(0)?.item::<i64>()?, 1);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn argmin(&self, dim: isize) -> Result<Tensor> {
        self.arg_extreme("argmin", dim, false)
    }

    fn arg_extreme(&self, name: &str, dim: isize, largest: bool) -> Result<Tensor> {
        let d = resolve_dim(dim, self.ndim()).map_err(|e| e.at(name))?;
        let n = self.shape().get(d).copied().unwrap_or(1);
        if n == 0 {
            return Err(err!(
                Shape,
                "{name}: Expected reduction dim {d} to have non-zero size, the tensor has shape {:?}",
                self.shape()
            ));
        }
        let order: Dims = (0..self.ndim())
            .filter(|&i| i != d)
            .chain((self.ndim() > 0).then_some(d))
            .collect();
        let last = self.detach().with_layout(self.layout().permute(&order));
        let out = dispatch_number!(name, self.dtype(), T => {
            last.with_slice::<T, _>(|x| reduce::arg_extreme(Cow::Borrowed(x), n, largest))
        })?;
        let rank = last.ndim().saturating_sub(1);
        Ok(Tensor::from_buffer(
            out,
            Dims::from_slice(&last.shape()[..rank]),
        ))
    }

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

    /// Resolves `dims` and runs `op` with them; errors name the operation.
    fn reduce(
        &self,
        name: &str,
        dims: impl Dimensions,
        keepdim: bool,
        op: impl FnOnce(Vec<bool>, bool) -> Result<Tensor>,
    ) -> Result<Tensor> {
        op(dims.mask(self.ndim()).map_err(|e| e.at(name))?, keepdim)
    }
}

/// The shape that is left when the marked dimensions are reduced.
fn reduced_shape(shape: &[usize], reduced: &[bool], keepdim: bool) -> Dims {
    let sizes = shape.iter().zip(reduced);
    sizes
        .filter(|(_, r)| keepdim || !**r)
        .map(|(&n, &r)| if r { 1 } else { n })
        .collect()
}

/// Sum. The gradient is spread over what was summed, without a copy.
struct SumOp {
    reduced: Vec<bool>,
    keepdim: bool,
}

impl Function for SumOp {
    fn name(&self) -> &'static str {
        "sum"
    }

    fn forward(&self, _: &mut Context, x: &[&Tensor]) -> Result<Tensor> {
        let x = x[0];
        let out =
            dispatch!(x.dtype(), T => x.with::<T, _>(|x| reduce::reduce(x, &self.reduced, &Sum)))?;
        Ok(Tensor::from_buffer(
            out,
            reduced_shape(x.shape(), &self.reduced, self.keepdim),
        ))
    }

    fn backward(&self, saved: &Saved<'_>, grad: &Tensor) -> Result<Grads> {
        let shape = saved.input_shape(0)?;
        Ok([Grad::Of(
            grad.reshape(&reduced_shape(shape, &self.reduced, true)[..])?
                .broadcast_to(shape)?,
        )]
        .into())
    }
}

/// Largest or smallest element. The gradient is shared evenly among equal ones.
struct ExtremeOp {
    reduced: Vec<bool>,
    keepdim: bool,
    largest: bool,
}

impl Function for ExtremeOp {
    fn name(&self) -> &'static str {
        if self.largest { "amax" } else { "amin" }
    }

    fn forward(&self, ctx: &mut Context, x: &[&Tensor]) -> Result<Tensor> {
        let x = x[0];
        let fold = Extreme {
            largest: self.largest,
        };
        let out = dispatch_number!(self.name(), x.dtype(), T => {
            x.with::<T, _>(|x| reduce::reduce(x, &self.reduced, &fold))
        })?;
        let y = Tensor::from_buffer(out, reduced_shape(x.shape(), &self.reduced, self.keepdim));
        ctx.save(x);
        ctx.save(&y);
        Ok(y)
    }

    fn backward(&self, saved: &Saved<'_>, grad: &Tensor) -> Result<Grads> {
        let (x, y) = (saved.get(0)?, saved.get(1)?);
        let kept = reduced_shape(x.shape(), &self.reduced, true);
        let hit = x.eq(&y.reshape(&kept[..])?)?.to_dtype(x.dtype())?;
        let share = hit.div(&hit.sum_keepdim(self.reduced.clone())?)?;
        Ok([Grad::Of(share.mul(&grad.reshape(&kept[..])?)?)].into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::DType;

    #[test]
    fn sums_agree_with_a_plain_loop_for_every_layout() {
        let x = Tensor::arange(0.0, 2.0 * 3.0 * 5.0 * 7.0, 1.0, DType::F64)
            .unwrap()
            .reshape([2, 3, 5, 7])
            .unwrap();
        let t = x.permute([2, 0, 3, 1]).unwrap();
        for x in [&x, &t] {
            let n = x.numel() as f64;
            assert_eq!(
                x.sum(..).unwrap().item::<f64>().unwrap(),
                n * (n - 1.0) / 2.0
            );
            for d in 0..4isize {
                let sum = x.sum(d).unwrap();
                let parts = (0..x.shape()[d as usize] as isize).map(|i| x.select(d, i).unwrap());
                let expected = parts.reduce(|a, b| a.add(&b).unwrap()).unwrap();
                assert_eq!(
                    sum.to_vec::<f64>().unwrap(),
                    expected.to_vec::<f64>().unwrap(),
                    "dim {d}"
                );
            }
        }
    }

    #[test]
    fn a_long_f32_sum_stays_exact_where_a_running_sum_would_not() {
        // A running f32 sum of 2^25 ones stops at 2^24.
        let n = 1 << 25;
        assert_eq!(
            Tensor::ones([n]).sum(..).unwrap().item::<f64>().unwrap(),
            n as f64
        );
        assert_eq!(
            Tensor::ones([n, 1]).sum(0).unwrap().item::<f64>().unwrap(),
            n as f64
        );
        assert_eq!(
            Tensor::ones([n / 4, 4])
                .sum(0)
                .unwrap()
                .to_vec::<f64>()
                .unwrap(),
            [n as f64 / 4.0; 4]
        );
    }

    #[test]
    fn nan_wins_and_ties_share_the_gradient() {
        assert!(
            Tensor::from([1.0, f64::NAN, 3.0])
                .amax(..)
                .unwrap()
                .item::<f32>()
                .unwrap()
                .is_nan()
        );
        assert_eq!(
            Tensor::from([1.0, f64::NAN, 3.0])
                .argmax(0)
                .unwrap()
                .item::<i64>()
                .unwrap(),
            1
        );
        let x = Tensor::from([2.0, 5.0, 5.0]).requires_grad_(true).unwrap();
        x.amax(..).unwrap().backward().unwrap();
        assert_eq!(x.grad().unwrap().to_vec::<f32>().unwrap(), [0.0, 0.5, 0.5]);
        assert_eq!(
            Tensor::from([5, 7, 7])
                .argmax(0)
                .unwrap()
                .item::<i64>()
                .unwrap(),
            1
        );
    }
}
