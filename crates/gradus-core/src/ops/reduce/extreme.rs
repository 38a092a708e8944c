//! Largest and smallest elements, and where they are.

use super::super::registry::{Case, Input};
use super::{Dimensions, Reduction, keepdim};
use crate::autograd::{Context, Function, Grad, Grads, Saved, apply};
use crate::dtype::{DType, dispatch_number};
use crate::error::{Result, err};
use crate::kernels::reduce::{arg_extreme, extreme, reduce};
use crate::tensor::Tensor;

const INPUT: &[Input] = &[Input::real(&[2, 3, 4])];

pub(in super::super) const CASES: &[Case] = &[
    Case::new("amax", &[Input::real(&[2, 3])], |x| x[0].amax(..)).torch("x[0].amax()"),
    Case::new("amax", &[Input::real(&[2, 3])], |x| x[0].amax(0)).torch("x[0].amax(0)"),
    Case::new("amax", &[Input::bools(&[2, 3])], |x| x[0].amax(1))
        .torch("x[0].amax(1)")
        .constant(),
    Case::new("amin", INPUT, |x| x[0].amin(keepdim([0, 2])))
        .torch("x[0].amin((0, 2), keepdim=True)"),
    Case::new("amin", INPUT, |x| Ok(x[0].aminmax(1)?.0)).torch("x[0].aminmax(dim=1)[0]"),
    Case::new("gather", INPUT, |x| Ok(x[0].max(1)?.0)).torch("x[0].max(1)[0]"),
    Case::new("gather", INPUT, |x| Ok(x[0].max(..)?.0)).torch("x[0].max()"),
    Case::new("gather", INPUT, |x| Ok(x[0].min(keepdim(0))?.0))
        .torch("x[0].min(0, keepdim=True)[0]"),
    Case::new("gather", INPUT, |x| Ok(x[0].min([2, 0])?.0)).torch("x[0].amin((2, 0))"),
    Case::new("argmax", INPUT, |x| Ok(x[0].max(-1)?.1))
        .torch("x[0].max(-1)[1]")
        .constant(),
    Case::new("argmax", INPUT, |x| x[0].argmax(1))
        .torch("x[0].argmax(1)")
        .constant(),
    Case::new("argmax", INPUT, |x| x[0].argmax(keepdim(..)))
        .torch("x[0].argmax(keepdim=True)")
        .constant(),
    Case::new("argmin", &[Input::integers(&[3, 4], -2, 2)], |x| {
        x[0].argmin(0)
    })
    .torch("x[0].argmin(0)")
    .constant(),
];

impl Tensor {
    /// The largest element over `dims`; NaN if there is one. The gradient is shared evenly among
    /// equal largest elements.
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
        self.extreme("amax", dims, true)
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
        self.extreme("amin", dims, false)
    }

    /// The smallest and the largest element over `dims`: [`amin`](Tensor::amin) and
    /// [`amax`](Tensor::amax).
    ///
    /// # Errors
    /// As [`amax`](Tensor::amax).
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let (low, high) = Tensor::from([3, 1, 2]).aminmax(..)?;
    /// assert_eq!((low.item::<i64>()?, high.item::<i64>()?), (1, 3));
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn aminmax(&self, dims: impl Dimensions) -> Result<(Tensor, Tensor)> {
        let over = Reduction::new("aminmax", self, dims)?;
        Ok((
            self.extreme("aminmax", &over, false)?,
            self.extreme("aminmax", &over, true)?,
        ))
    }

    fn extreme(&self, op: &str, dims: impl Dimensions, largest: bool) -> Result<Tensor> {
        let over = Reduction::not_empty(op, self, dims)?;
        match self.dtype() {
            DType::Bool => {
                let bytes = self.to_dtype(DType::U8)?;
                apply(Extreme { over, largest }, &[&bytes])?.to_dtype(DType::Bool)
            }
            _ => apply(Extreme { over, largest }, &[self]),
        }
    }

    /// The largest element over `dims`, NaN if there is one, and its position (i64) as
    /// [`argmax`](Tensor::argmax) gives it. The gradient flows to the element at that position, the
    /// first of equal ones; [`amax`](Tensor::amax) shares it.
    ///
    /// # Errors
    /// If a dimension is out of range or named twice, or there are no elements to compare.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let (values, indices) = Tensor::from([[1, 7, 7], [3, 4, 2]]).max(1)?;
    /// assert_eq!(values.to_vec::<i64>()?, [7, 4]);
    /// assert_eq!(indices.to_vec::<i64>()?, [1, 1]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn max(&self, dims: impl Dimensions) -> Result<(Tensor, Tensor)> {
        self.extreme_at("max", dims, true)
    }

    /// The smallest element over `dims` and its position, otherwise like [`max`](Tensor::max).
    ///
    /// # Errors
    /// As [`max`](Tensor::max).
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let (values, indices) = Tensor::from([[1, 7], [3, 4]]).min(0)?;
    /// assert_eq!(values.to_vec::<i64>()?, [1, 4]);
    /// assert_eq!(indices.to_vec::<i64>()?, [0, 1]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn min(&self, dims: impl Dimensions) -> Result<(Tensor, Tensor)> {
        self.extreme_at("min", dims, false)
    }

    fn extreme_at(
        &self,
        op: &str,
        dims: impl Dimensions,
        largest: bool,
    ) -> Result<(Tensor, Tensor)> {
        let over = Reduction::not_empty(op, self, dims)?;
        let index = self.arg_extreme(op, &over, largest)?;
        Ok((over.take(self, &index)?, index))
    }

    /// The position of the largest element along a dimension, or over several of them in row-major
    /// order: `argmax(..)` is the position in the flattened tensor. It is i64, that of the first of
    /// equal elements, and a NaN counts as largest.
    ///
    /// # Errors
    /// If a dimension is out of range or named twice, there are no elements to compare, or for bool
    /// tensors.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([[1.0, 7.0], [3.0, 2.0]]);
    /// assert_eq!(x.argmax(1)?.to_vec::<i64>()?, [1, 0]);
    /// assert_eq!(x.argmax(..)?.item::<i64>()?, 1);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn argmax(&self, dims: impl Dimensions) -> Result<Tensor> {
        self.arg_extreme_of_numbers("argmax", dims, true)
    }

    /// The position of the smallest element, otherwise like [`argmax`](Tensor::argmax).
    ///
    /// # Errors
    /// As [`argmax`](Tensor::argmax).
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([3.0, 1.0, 2.0]).argmin(0)?.item::<i64>()?, 1);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn argmin(&self, dims: impl Dimensions) -> Result<Tensor> {
        self.arg_extreme_of_numbers("argmin", dims, false)
    }

    fn arg_extreme_of_numbers(
        &self,
        op: &str,
        dims: impl Dimensions,
        largest: bool,
    ) -> Result<Tensor> {
        let over = Reduction::not_empty(op, self, dims)?;
        if self.dtype() == DType::Bool {
            return Err(err!(
                DType,
                "{op}: does not support bool input; convert with to_dtype first"
            ));
        }
        self.arg_extreme(op, &over, largest)
    }

    fn arg_extreme(&self, op: &str, over: &Reduction, largest: bool) -> Result<Tensor> {
        let numbers = match self.dtype() {
            DType::Bool => self.to_dtype(DType::U8)?,
            _ => self.clone(),
        };
        let out = dispatch_number!(op, numbers.dtype(), T => {
            numbers.with::<T, _>(|x| arg_extreme(x, &over.mask, largest))
        })?;
        Ok(Tensor::from_buffer(out, over.shape(self.shape())))
    }
}

/// Largest or smallest element. The gradient is shared evenly among equal ones.
struct Extreme {
    over: Reduction,
    largest: bool,
}

impl Function for Extreme {
    fn name(&self) -> &'static str {
        if self.largest { "amax" } else { "amin" }
    }

    fn forward(&self, ctx: &mut Context, x: &[&Tensor]) -> Result<Tensor> {
        let x = x[0];
        let out = dispatch_number!(self.name(), x.dtype(), T => {
            x.with::<T, _>(|x| reduce(x, &self.over.mask, &extreme::<T>(self.largest)))
        })?;
        let y = Tensor::from_buffer(out, self.over.shape(x.shape()));
        ctx.save(x);
        ctx.save(&y);
        Ok(y)
    }

    fn backward(&self, saved: &Saved<'_>, grad: &Tensor) -> Result<Grads> {
        let (x, y) = (saved.get(0)?, saved.get(1)?);
        let hit = x
            .eq(&self.over.widen(&y, x.shape())?)?
            .to_dtype(x.dtype())?;
        let share = hit.div(&hit.sum(&self.over.keeping())?)?;
        Ok([Grad::Of(share.mul(&self.over.widen(grad, x.shape())?)?)].into())
    }
}
