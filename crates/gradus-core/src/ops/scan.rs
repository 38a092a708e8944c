//! Scans: what has come together along a dimension up to each element, and the reverse, differences.

use super::reduce::sum::SumInto;
use super::registry::{Case, Input};
use crate::autograd::{Context, Function, Grad, Grads, Saved, apply};
use crate::dtype::{DType, Element, Number, dispatch, dispatch_float, dispatch_number};
use crate::error::{Result, err};
use crate::kernels::scan::{Path, scan};
use crate::shape::resolve_dim;
use crate::tensor::Tensor;

const INPUT: &[Input] = &[Input::real(&[2, 3, 4])];

pub(super) const CASES: &[Case] = &[
    Case::new("cumsum", INPUT, |x| x[0].cumsum(0)).torch("x[0].cumsum(0)"),
    Case::new("cumsum", INPUT, |x| x[0].cumsum(-1)).torch("x[0].cumsum(-1)"),
    Case::new("cumsum", &[Input::real(&[])], |x| x[0].cumsum(0)).torch("x[0].cumsum(0)"),
    Case::new("cumsum", &[Input::integers(&[3, 2], -4, 4)], |x| {
        x[0].cumsum(0)
    })
    .torch("x[0].cumsum(0)")
    .constant(),
    Case::new("cumprod", INPUT, |x| x[0].cumprod(1)).torch("x[0].cumprod(1)"),
    Case::new("cumprod", &[Input::real(&[7])], |x| {
        x[0].relu()?.cumprod(-1)
    })
    .torch("x[0].relu().cumprod(-1)"),
    Case::new("cumprod", &[Input::real(&[])], |x| x[0].cumprod(0)).torch("x[0].cumprod(0)"),
    Case::new("cumprod", &[Input::bools(&[3, 2])], |x| x[0].cumprod(0))
        .torch("x[0].cumprod(0)")
        .constant(),
    Case::new("cumprod", &[Input::real(&[2, 4])], |x| {
        let reverse = true;
        x[0].with_dim("cumprod", 1, |x, dim| apply(CumProd { dim, reverse }, &[x]))
    })
    .torch("x[0].flip(1).cumprod(1).flip(1)"),
    Case::new(
        "recurrence",
        &[Input::real(&[2, 3]), Input::real(&[2, 3])],
        |x| {
            let reverse = false;
            let b = x[1].to_dtype(x[0].dtype())?.broadcast_to(x[0].shape())?;
            x[0].with_dim("recurrence", 1, |a, dim| {
                apply(Recurrence { dim, reverse }, &[a, &b])
            })
        },
    )
    .torch(
        "torch.stack([x[1][:, 0], x[0][:, 1] * x[1][:, 0] + x[1][:, 1], \
         x[0][:, 2] * (x[0][:, 1] * x[1][:, 0] + x[1][:, 1]) + x[1][:, 2]], 1)",
    ),
    Case::new("logcumsumexp", INPUT, |x| x[0].logcumsumexp(1)).torch("x[0].logcumsumexp(1)"),
    Case::new("logcumsumexp", INPUT, |x| x[0].logcumsumexp(-1)).torch("x[0].logcumsumexp(-1)"),
    Case::new("gather", INPUT, |x| Ok(x[0].cummax(1)?.0)).torch("x[0].cummax(1)[0]"),
    Case::new("gather", INPUT, |x| Ok(x[0].cummin(-1)?.0)).torch("x[0].cummin(-1)[0]"),
    Case::new("cummax", &[Input::integers(&[3, 9], 0, 3)], |x| {
        Ok(x[0].cummax(1)?.1)
    })
    .torch("x[0].cummax(1)[1]")
    .constant(),
    Case::new("sub", INPUT, |x| x[0].diff(1, -1)).torch("x[0].diff()"),
    Case::new("sub", INPUT, |x| x[0].diff(2, 1)).torch("x[0].diff(2, 1)"),
    Case::new("diff", &[Input::bools(&[7])], |x| x[0].diff(1, 0))
        .torch("x[0].diff()")
        .constant(),
];

impl Tensor {
    /// The sum of the elements up to each along `dim`. Integers and bools are summed as i64; f32
    /// with a running sum in f64.
    ///
    /// # Errors
    /// If the dimension is out of range.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([1, 2, 3]).cumsum(0)?.to_vec::<i64>()?, [1, 3, 6]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn cumsum(&self, dim: isize) -> Result<Tensor> {
        let reverse = false;
        self.with_dim("cumsum", dim, |x, dim| apply(CumSum { dim, reverse }, &[x]))
    }

    /// The product of the elements up to each along `dim`. Integers and bools are multiplied as
    /// i64, which wraps. The gradient, and those of higher order, are right for zeros too.
    ///
    /// # Errors
    /// If the dimension is out of range.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([1, 2, 3]).cumprod(0)?.to_vec::<i64>()?, [1, 2, 6]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn cumprod(&self, dim: isize) -> Result<Tensor> {
        let reverse = false;
        self.with_dim("cumprod", dim, |x, dim| {
            apply(CumProd { dim, reverse }, &[x])
        })
    }

    /// log Σ exp of the elements up to each along `dim`, without overflow.
    ///
    /// # Errors
    /// If the dimension is out of range or the dtype is not floating point.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let y = Tensor::from([1000.0, 1000.0]).logcumsumexp(0)?;
    /// assert_eq!(y.to_vec::<f32>()?, [1000.0, 1000.0 + 2f32.ln()]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn logcumsumexp(&self, dim: isize) -> Result<Tensor> {
        self.dtype().expect_float("logcumsumexp")?;
        self.with_dim("logcumsumexp", dim, |x, dim| {
            apply(LogCumSumExp { dim }, &[x])
        })
    }

    /// The largest element up to each along `dim`, and its position (i64): that of the last of equal
    /// ones. From a NaN on everything is NaN. The gradient flows to the elements at the positions.
    ///
    /// # Errors
    /// If the dimension is out of range.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let (values, indices) = Tensor::from([1, 3, 2, 3]).cummax(0)?;
    /// assert_eq!(values.to_vec::<i64>()?, [1, 3, 3, 3]);
    /// assert_eq!(indices.to_vec::<i64>()?, [0, 1, 1, 3]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn cummax(&self, dim: isize) -> Result<(Tensor, Tensor)> {
        self.extremes_so_far("cummax", dim, true)
    }

    /// The smallest element up to each along `dim`, otherwise like [`cummax`](Tensor::cummax).
    ///
    /// # Errors
    /// If the dimension is out of range.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let (values, indices) = Tensor::from([3, 1, 2]).cummin(0)?;
    /// assert_eq!(values.to_vec::<i64>()?, [3, 1, 1]);
    /// assert_eq!(indices.to_vec::<i64>()?, [0, 1, 1]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn cummin(&self, dim: isize) -> Result<(Tensor, Tensor)> {
        self.extremes_so_far("cummin", dim, false)
    }

    fn extremes_so_far(&self, op: &str, dim: isize, largest: bool) -> Result<(Tensor, Tensor)> {
        let d = resolve_dim(dim, self.ndim()).map_err(|e| e.at(op))?;
        let numbers = match self.dtype() {
            DType::Bool => self.to_dtype(DType::U8)?,
            _ => self.detach(),
        };
        let path = Path::new(self.shape(), d, false);
        let index = dispatch_number!(op, numbers.dtype(), T => numbers.with_slice::<T, _>(|x| {
            let start = (if largest { T::LOWEST } else { T::HIGHEST }, 0);
            let step = |(best, at): (T, i64), i: usize, row: usize| {
                let x = x[i];
                let better = if largest { x >= best } else { x <= best };
                if better || x.is_nan() { (x, row as i64) } else { (best, at) }
            };
            scan(path, start, step, |(_, at)| at)
        }))?;
        let index = Tensor::from_buffer(index, self.layout().shape.clone());
        Ok((self.gather(d as isize, &index)?, index))
    }

    /// The differences between neighbours along `dim`, taken `n` times: each time there is one
    /// element less. For bools, whether they differ.
    ///
    /// # Errors
    /// If the dimension is out of range, or for 0-d tensors.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([1, 4, 9, 16]);
    /// assert_eq!(x.diff(1, 0)?.to_vec::<i64>()?, [3, 5, 7]);
    /// assert_eq!(x.diff(2, 0)?.to_vec::<i64>()?, [2, 2]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn diff(&self, n: usize, dim: isize) -> Result<Tensor> {
        if self.ndim() == 0 {
            return Err(err!(
                Shape,
                "diff: expects input to be at least one-dimensional; a 0-d tensor has no neighbours"
            ));
        }
        let d = resolve_dim(dim, self.ndim()).map_err(|e| e.at("diff"))?;
        let (dim, size) = (d as isize, self.shape()[d]);
        let mut x = match n {
            0 => self.copy()?,
            _ => self.clone(),
        };
        // Beyond the size there is nothing left to take differences of.
        for left in (size.saturating_sub(n)..size).rev() {
            let (next, this) = (x.narrow(dim, 1, left)?, x.narrow(dim, 0, left)?);
            x = match x.dtype() {
                DType::Bool => next.ne(&this)?,
                _ => next.sub(&this)?,
            };
        }
        Ok(x)
    }

    /// For each element the product of all others along the last dimension.
    pub(super) fn product_of_others(&self) -> Result<Tensor> {
        let dim = self.ndim() - 1;
        let product = |reverse| apply(CumProd { dim, reverse }, &[self]);
        let before = previous(&product(false)?, dim, false, 1.0)?;
        before.mul(&previous(&product(true)?, dim, true, 1.0)?)
    }

    /// Calls `f` with a dimension that there is; a 0-d tensor gets one for the time.
    fn with_dim(
        &self,
        op: &str,
        dim: isize,
        f: impl FnOnce(&Tensor, usize) -> Result<Tensor>,
    ) -> Result<Tensor> {
        let d = resolve_dim(dim, self.ndim()).map_err(|e| e.at(op))?;
        if self.ndim() == 0 {
            return f(&self.unsqueeze(0)?, 0)?.squeeze(0);
        }
        f(self, d)
    }
}

/// At each element the one before it on a way along `dim`, `fill` at the first.
fn previous(x: &Tensor, dim: usize, reverse: bool, fill: f64) -> Result<Tensor> {
    let mut shape = x.layout().shape.clone();
    let Some(n) = shape[dim].checked_sub(1) else {
        return Ok(x.clone());
    };
    shape[dim] = 1;
    let edge = Tensor::full(shape, fill, x.dtype())?;
    let dim = dim as isize;
    let rest = x.narrow(dim, usize::from(reverse), n)?;
    let parts = if reverse {
        [&rest, &edge]
    } else {
        [&edge, &rest]
    };
    Tensor::cat(&parts, dim)
}

/// At each element the one after it, `fill` at the last.
fn next(x: &Tensor, dim: usize, reverse: bool, fill: f64) -> Result<Tensor> {
    previous(x, dim, !reverse, fill)
}

/// Running sum. The gradient is the running sum of the gradient from the other end.
struct CumSum {
    dim: usize,
    reverse: bool,
}

impl Function for CumSum {
    fn name(&self) -> &'static str {
        "cumsum"
    }

    fn forward(&self, _: &mut Context, x: &[&Tensor]) -> Result<Tensor> {
        let x = x[0];
        let path = Path::new(x.shape(), self.dim, self.reverse);
        let out = dispatch!(x.dtype(), T => {
            type Out = <T as SumInto>::Out;
            type Carry = <T as SumInto>::Carry;
            x.with_slice::<T, _>(|x| {
                scan(path, Carry::ZERO, |sum, i, _| sum.plus(x[i].cast()), |sum| sum.cast::<Out>())
            })
        })?;
        Ok(Tensor::from_buffer(out, x.layout().shape.clone()))
    }

    fn backward(&self, _: &Saved<'_>, grad: &Tensor) -> Result<Grads> {
        let back = CumSum {
            dim: self.dim,
            reverse: !self.reverse,
        };
        Ok([Grad::Of(apply(back, &[grad])?)].into())
    }
}

/// Running product y. Element k is in every product from the k-th on, with those before it as a
/// factor: the gradient is yₖ₋₁·rₖ, where rₖ = gₖ + xₖ₊₁·rₖ₊₁ gathers the rest from the other end.
/// Nothing is divided by, so zeros need no care.
struct CumProd {
    dim: usize,
    reverse: bool,
}

impl Function for CumProd {
    fn name(&self) -> &'static str {
        "cumprod"
    }

    fn forward(&self, ctx: &mut Context, x: &[&Tensor]) -> Result<Tensor> {
        let x = x[0];
        let path = Path::new(x.shape(), self.dim, self.reverse);
        let out = dispatch!(x.dtype(), T => {
            type Out = <T as SumInto>::Out;
            type Carry = <T as SumInto>::Carry;
            x.with_slice::<T, _>(|x| {
                scan(path, Carry::ONE, |p, i, _| p.times(x[i].cast()), |p| p.cast::<Out>())
            })
        })?;
        let y = Tensor::from_buffer(out, x.layout().shape.clone());
        ctx.save(x);
        ctx.save(&y);
        Ok(y)
    }

    fn backward(&self, saved: &Saved<'_>, grad: &Tensor) -> Result<Grads> {
        let (x, y) = (saved.get(0)?, saved.get(1)?);
        let CumProd { dim, reverse } = *self;
        let back = Recurrence {
            dim,
            reverse: !reverse,
        };
        let rest = apply(back, &[&next(&x, dim, reverse, 0.0)?, grad])?;
        Ok([Grad::Of(previous(&y, dim, reverse, 1.0)?.mul(&rest)?)].into())
    }
}

/// yₖ = aₖ·yₖ₋₁ + bₖ. The gradient of b is such a recurrence from the other end, dₖ = gₖ + aₖ₊₁·dₖ₊₁,
/// and that of a is dₖ·yₖ₋₁.
struct Recurrence {
    dim: usize,
    reverse: bool,
}

impl Function for Recurrence {
    fn name(&self) -> &'static str {
        "recurrence"
    }

    fn forward(&self, ctx: &mut Context, x: &[&Tensor]) -> Result<Tensor> {
        let (a, b) = (x[0], x[1]);
        let path = Path::new(a.shape(), self.dim, self.reverse);
        let out = dispatch_float!("recurrence", a.dtype(), T => {
            a.with_slice::<T, _>(|a| b.with_slice::<T, _>(|b| {
                let step = |y: f64, i: usize, _| a[i].to_f64() * y + b[i].to_f64();
                scan(path, 0.0, step, T::from_f64)
            }))
        })?;
        let y = Tensor::from_buffer(out, a.layout().shape.clone());
        ctx.save(a);
        ctx.save(&y);
        Ok(y)
    }

    fn backward(&self, saved: &Saved<'_>, grad: &Tensor) -> Result<Grads> {
        let (a, y) = (saved.get(0)?, saved.get(1)?);
        let Recurrence { dim, reverse } = *self;
        let back = Recurrence {
            dim,
            reverse: !reverse,
        };
        let db = apply(back, &[&next(&a, dim, reverse, 0.0)?, grad])?;
        let da = saved.grad(0, || db.mul(&previous(&y, dim, reverse, 0.0)?))?;
        Ok([da, Grad::Of(db)].into())
    }
}

/// Running log Σ exp. The gradient exp(xₖ)·Σ gⱼ·exp(−yⱼ), j ≥ k, is computed as exp(xₖ − yₖ)·tₖ with
/// tₖ = gₖ + exp(yₖ − yₖ₊₁)·tₖ₊₁: y never falls, so no exponential is above 1.
struct LogCumSumExp {
    dim: usize,
}

impl Function for LogCumSumExp {
    fn name(&self) -> &'static str {
        "logcumsumexp"
    }

    fn forward(&self, ctx: &mut Context, x: &[&Tensor]) -> Result<Tensor> {
        let x = x[0];
        let path = Path::new(x.shape(), self.dim, false);
        let out = dispatch_float!("logcumsumexp", x.dtype(), T => x.with_slice::<T, _>(|x| {
            let step = |y, i: usize, _| log_add_exp(y, x[i].to_f64());
            scan(path, f64::NEG_INFINITY, step, T::from_f64)
        }))?;
        let y = Tensor::from_buffer(out, x.layout().shape.clone());
        ctx.save(x);
        ctx.save(&y);
        Ok(y)
    }

    fn backward(&self, saved: &Saved<'_>, grad: &Tensor) -> Result<Grads> {
        let (x, y) = (saved.get(0)?, saved.get(1)?);
        let (dim, reverse) = (self.dim, true);
        // exp(yₖ₋₁ − yₖ), which is wanted one place earlier; what the first is does not matter.
        let fall = previous(&y, dim, false, 0.0)?.sub(&y)?.exp()?;
        let rest = apply(
            Recurrence { dim, reverse },
            &[&next(&fall, dim, false, 0.0)?, grad],
        )?;
        Ok([Grad::Of(x.sub(&y)?.exp()?.mul(&rest)?)].into())
    }
}

/// log(exp a + exp b), from the larger one down.
fn log_add_exp(a: f64, b: f64) -> f64 {
    let (low, high) = if a < b { (a, b) } else { (b, a) };
    if low == high && low.is_infinite() {
        return low;
    }
    high + (low - high).exp().ln_1p()
}
