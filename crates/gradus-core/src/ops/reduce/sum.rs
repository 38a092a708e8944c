//! Sums and products, and the means made of them.

use super::super::registry::{Case, Input};
use super::{Dimensions, Reduction, keepdim};
use crate::autograd::{Context, Function, Grad, Grads, Saved, apply};
use crate::dtype::{Element, Number, dispatch, dispatch_float};
use crate::error::Result;
use crate::kernels::reduce::{by, reduce};
use crate::tensor::Tensor;

const INPUT: &[Input] = &[Input::real(&[2, 3, 4])];

pub(in super::super) const CASES: &[Case] = &[
    Case::new("sum", &[Input::real(&[2, 3])], |x| x[0].sum(..)).torch("x[0].sum()"),
    Case::new("sum", INPUT, |x| x[0].sum(1)).torch("x[0].sum(1)"),
    Case::new("sum", INPUT, |x| x[0].sum(keepdim([0, -1])))
        .torch("x[0].sum((0, -1), keepdim=True)"),
    Case::new("sum", &[Input::real(&[5, 3])], |x| x[0].sum(0)).torch("x[0].sum(0)"),
    Case::new("sum", &[Input::real(&[])], |x| x[0].sum(0)).torch("x[0].sum(0)"),
    Case::new("sum", &[Input::integers(&[2, 3], -5, 5)], |x| x[0].sum(0))
        .torch("x[0].sum(0)")
        .constant(),
    Case::new("sum", &[Input::bools(&[2, 3])], |x| x[0].sum(1))
        .torch("x[0].sum(1)")
        .constant(),
    Case::new("sum", &[Input::real(&[2, 3])], |x| x[0].mean(-1)).torch("x[0].mean(-1)"),
    Case::new("sum", INPUT, |x| x[0].mean([0, 1])).torch("x[0].mean((0, 1))"),
    Case::new("nansum", INPUT, |x| x[0].nansum([0, 2])).torch("x[0].nansum((0, 2))"),
    Case::new("nansum", &[Input::real(&[2, 3])], |x| {
        x[0].log()?.nansum(keepdim(1))
    })
    .torch("x[0].log().nansum(1, keepdim=True)"),
    Case::new("nansum", &[Input::positive(&[2, 3])], |x| x[0].nanmean(1)).torch("x[0].nanmean(1)"),
    Case::new("prod", &[Input::real(&[2, 3])], |x| x[0].prod(..)).torch("x[0].prod()"),
    Case::new("prod", INPUT, |x| x[0].prod(1)).torch("x[0].prod(1)"),
    Case::new("prod", INPUT, |x| x[0].prod(keepdim([0, 2])))
        .torch("x[0].prod(2, keepdim=True).prod(0, keepdim=True)"),
    Case::new("prod", &[Input::real(&[5])], |x| x[0].relu()?.prod(0)).torch("x[0].relu().prod(0)"),
    Case::new("prod", &[Input::integers(&[2, 3], -5, 5)], |x| x[0].prod(0))
        .torch("x[0].prod(0)")
        .constant(),
];

impl Tensor {
    /// The sum over `dims`; 0 of no elements. Integers and bools are summed as i64.
    ///
    /// # Errors
    /// If a dimension is out of range or named twice.
    ///
    /// ```
    /// # use gradus_core::{Tensor, keepdim};
    /// let x = Tensor::from([[1.0, 2.0], [3.0, 4.0]]);
    /// assert_eq!(x.sum(..)?.item::<f32>()?, 10.0);
    /// assert_eq!(x.sum(0)?.to_vec::<f32>()?, [4.0, 6.0]);
    /// assert_eq!(x.sum(keepdim(0))?.shape(), [1, 2]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn sum(&self, dims: impl Dimensions) -> Result<Tensor> {
        let over = Reduction::new("sum", self, dims)?;
        let skip_nan = false;
        apply(Sum { over, skip_nan }, &[self])
    }

    /// The sum over `dims` of the elements that are not NaN, otherwise like [`sum`](Tensor::sum).
    /// The gradient of a NaN is 0.
    ///
    /// # Errors
    /// If a dimension is out of range or named twice.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([1.0, f32::NAN, 2.0]).nansum(..)?.item::<f32>()?, 3.0);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn nansum(&self, dims: impl Dimensions) -> Result<Tensor> {
        let over = Reduction::new("nansum", self, dims)?;
        let skip_nan = self.dtype().is_float();
        apply(Sum { over, skip_nan }, &[self])
    }

    /// The mean over `dims`; NaN of no elements.
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
        self.dtype().expect_float("mean")?;
        let over = Reduction::new("mean", self, dims)?;
        let n = over.count(self.shape());
        self.sum(&over)?.div(n as f64)
    }

    /// The mean over `dims` of the elements that are not NaN; NaN where there are none.
    ///
    /// # Errors
    /// If a dimension is out of range or named twice; for integers and bools.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([1.0, f32::NAN, 2.0]).nanmean(..)?.item::<f32>()?, 1.5);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn nanmean(&self, dims: impl Dimensions) -> Result<Tensor> {
        self.dtype().expect_float("nanmean")?;
        let over = Reduction::new("nanmean", self, dims)?;
        let x = self.detach();
        let numbers = x.eq(&x)?.sum(&over)?;
        self.nansum(&over)?.div(&numbers)
    }

    /// The product over `dims`; 1 of no elements. Integers and bools are multiplied as i64, which
    /// wraps. The gradient, and those of higher order, are right for zeros among the elements too.
    ///
    /// # Errors
    /// If a dimension is out of range or named twice.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([2.0, 0.0, 4.0]).requires_grad_(true)?;
    /// let y = x.prod(..)?;
    /// y.backward()?;
    /// assert_eq!(y.item::<f32>()?, 0.0);
    /// assert_eq!(x.grad().unwrap().to_vec::<f32>()?, [0.0, 8.0, 0.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn prod(&self, dims: impl Dimensions) -> Result<Tensor> {
        let over = Reduction::new("prod", self, dims)?;
        apply(Prod { over }, &[self])
    }
}

/// What elements of this type are summed and multiplied in: floats stay, integers and bools become
/// i64.
pub(in super::super) trait SumInto: Element {
    /// The dtype of the result.
    type Out: Number;
    /// What carries a running sum, so that rounding does not add up in f32.
    type Carry: Number;
}

macro_rules! sum_into {
    ($($t:ident $out:ident $carry:ident),+) => {$(
        impl SumInto for $t {
            type Out = $out;
            type Carry = $carry;
        }
    )+};
}
sum_into!(bool i64 i64, u8 i64 i64, i32 i64 i64, i64 i64 i64, f32 f32 f64, f64 f64 f64);

/// Sum, of all elements or of those that are not NaN. The gradient is spread over what was summed,
/// without a copy if that is everything.
struct Sum {
    over: Reduction,
    skip_nan: bool,
}

impl Function for Sum {
    fn name(&self) -> &'static str {
        if self.skip_nan { "nansum" } else { "sum" }
    }

    fn forward(&self, ctx: &mut Context, x: &[&Tensor]) -> Result<Tensor> {
        let (x, mask) = (x[0], &self.over.mask);
        let out = if self.skip_nan {
            ctx.save(x);
            dispatch_float!(self.name(), x.dtype(), T => {
                let number = |x: T| if x.is_nan() { T::ZERO } else { x };
                x.with::<T, _>(|x| reduce(x, mask, &by(T::ZERO, number, T::plus)))
            })?
        } else {
            dispatch!(x.dtype(), T => {
                type Out = <T as SumInto>::Out;
                x.with::<T, _>(|x| reduce(x, mask, &by(Out::ZERO, |x: T| x.cast(), Out::plus)))
            })?
        };
        Ok(Tensor::from_buffer(out, self.over.shape(x.shape())))
    }

    fn backward(&self, saved: &Saved<'_>, grad: &Tensor) -> Result<Grads> {
        let shape = saved.input_shape(0)?;
        let grad = self.over.widen(grad, shape)?;
        let dx = if self.skip_nan {
            let x = saved.get(0)?;
            grad.mul(&x.eq(&x)?)?
        } else {
            grad.broadcast_to(shape)?
        };
        Ok([Grad::Of(dx)].into())
    }
}

/// Product. The gradient of an element is the product of all others.
struct Prod {
    over: Reduction,
}

impl Function for Prod {
    fn name(&self) -> &'static str {
        "prod"
    }

    fn forward(&self, ctx: &mut Context, x: &[&Tensor]) -> Result<Tensor> {
        let x = x[0];
        let out = dispatch!(x.dtype(), T => {
            type Out = <T as SumInto>::Out;
            x.with::<T, _>(|x| {
                reduce(x, &self.over.mask, &by(Out::ONE, |x: T| x.cast(), Out::times))
            })
        })?;
        ctx.save(x);
        Ok(Tensor::from_buffer(out, self.over.shape(x.shape())))
    }

    fn backward(&self, saved: &Saved<'_>, grad: &Tensor) -> Result<Grads> {
        let x = saved.get(0)?;
        let others = self.over.rows(&x)?.product_of_others()?;
        let others = self.over.spread_rows(&others, x.shape())?;
        Ok([Grad::Of(self.over.widen(grad, x.shape())?.mul(&others)?)].into())
    }
}
