//! `scatter` where several elements that go to one place are combined.

use super::access::{Read, Spread};
use super::selection::Selection;
use crate::autograd::{Context, Function, Grads, Saved, apply};
use crate::dtype::{Element, Number, dispatch_number};
use crate::error::Result;
use crate::ops::registry::{Case, Input};
use crate::tensor::Tensor;
use std::sync::Arc;

use ScatterReduce::{Amax, Amin, Mean, Prod, Sum};

// More of `src` than is used, which PyTorch takes too, but cannot differentiate.
const INPUTS: &[Input] = &[
    Input::real(&[3, 4]),
    Input::integers(&[2, 6], 0, 4),
    Input::real(&[2, 7]),
];

pub(in crate::ops) const CASES: &[Case] = &[
    Case::new("scatter_add", INPUTS, |x| {
        x[0].scatter_reduce(1, &x[1], &x[2], Sum, false)
    })
    .torch("x[0].scatter_reduce(1, x[1], x[2][:, :6], 'sum', include_self=False)"),
    Case::new("scatter_reduce_prod", INPUTS, |x| {
        x[0].scatter_reduce(1, &x[1], &x[2], Prod, true)
    })
    .torch("x[0].scatter_reduce(1, x[1], x[2][:, :6], 'prod')"),
    Case::new("scatter_reduce_prod", INPUTS, |x| {
        x[0].scatter_reduce(-1, &x[1], &x[2], Prod, false)
    })
    .torch("x[0].scatter_reduce(-1, x[1], x[2][:, :6], 'prod', include_self=False)"),
    Case::new("scatter_add", INPUTS, |x| {
        x[0].scatter_reduce(1, &x[1], &x[2], Mean, true)
    })
    .torch("x[0].scatter_reduce(1, x[1], x[2][:, :6], 'mean')"),
    Case::new("scatter_add", INPUTS, |x| {
        x[0].scatter_reduce(1, &x[1], &x[2], Mean, false)
    })
    .torch("x[0].scatter_reduce(1, x[1], x[2][:, :6], 'mean', include_self=False)"),
    Case::new("scatter_reduce_amax", INPUTS, |x| {
        x[0].scatter_reduce(1, &x[1], &x[2], Amax, true)
    })
    .torch("x[0].scatter_reduce(1, x[1], x[2][:, :6], 'amax')"),
    Case::new("scatter_reduce_amin", INPUTS, |x| {
        x[0].scatter_reduce(1, &x[1], &x[2], Amin, false)
    })
    .torch("x[0].scatter_reduce(1, x[1], x[2][:, :6], 'amin', include_self=False)"),
];

/// How [`scatter_reduce`](Tensor::scatter_reduce) combines what goes to one place.
///
/// ```
/// # use gradus_core::{Tensor, ops::ScatterReduce};
/// let (x, index) = (Tensor::from([1, 1]), Tensor::from([0, 0]));
/// let y = x.scatter_reduce(0, &index, &Tensor::from([5, 7]), ScatterReduce::Amax, true)?;
/// assert_eq!(y.to_vec::<i64>()?, [7, 1]);
/// # Ok::<(), gradus_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScatterReduce {
    /// The sum.
    Sum,
    /// The product.
    Prod,
    /// The sum divided by the number; floating point only.
    Mean,
    /// The largest; NaN if there is one.
    Amax,
    /// The smallest; NaN if there is one.
    Amin,
}

impl Tensor {
    /// A copy in which every place holds the sum, product, … of all elements of `src` that
    /// [`scatter`](Tensor::scatter) would send there, together with what was there if `include_self`
    /// says so. Places to which nothing goes stay as they are.
    ///
    /// The gradient of a largest or smallest element is shared evenly among equal ones. That of a
    /// product is right also where there are zeros, but its own derivative is not where two or more
    /// zeros meet.
    ///
    /// # Errors
    /// As [`scatter`](Tensor::scatter); for bool, and for means of integers.
    ///
    /// ```
    /// # use gradus_core::{Tensor, ops::ScatterReduce::Mean};
    /// let (x, index) = (Tensor::from([1.0, 2.0]), Tensor::from([0, 0]));
    /// let src = Tensor::from([4.0, 7.0]);
    /// assert_eq!(x.scatter_reduce(0, &index, &src, Mean, true)?.to_vec::<f32>()?, [4.0, 2.0]);
    /// assert_eq!(x.scatter_reduce(0, &index, &src, Mean, false)?.to_vec::<f32>()?, [5.5, 2.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn scatter_reduce(
        &self,
        dim: isize,
        index: &Tensor,
        src: &Tensor,
        reduce: ScatterReduce,
        include_self: bool,
    ) -> Result<Tensor> {
        const OP: &str = "scatter_reduce";
        let (places, src) = self.targets(OP, dim, index, src.into())?;
        let identity = dispatch_number!(OP, self.dtype(), T => Ok(match reduce {
            Sum | Mean => 0.0,
            Prod => 1.0,
            Amax => T::LOWEST.to_f64(),
            Amin => T::HIGHEST.to_f64(),
        }))?;
        let places = Arc::new(places);
        let start = if include_self {
            self.clone()
        } else {
            self.scatter(dim, index, identity)?
        };
        match reduce {
            Sum => start.scatter_add(dim, index, &src),
            Mean => {
                self.dtype().expect_float(OP)?;
                let ones = self.ones_like()?;
                let own = if include_self {
                    ones
                } else {
                    ones.scatter(dim, index, 0)?
                };
                let count = own.scatter_add(dim, index, &src.ones_like()?)?;
                start.scatter_add(dim, index, &src)?.div(&count)
            }
            Prod | Amax | Amin => apply(Combine { places, reduce }, &[&start, &src]),
        }
    }
}

/// Product, largest or smallest of what is at each place and what goes there.
#[derive(Clone)]
struct Combine {
    places: Arc<Selection>,
    reduce: ScatterReduce,
}

impl Function for Combine {
    fn name(&self) -> &'static str {
        match self.reduce {
            Amax => "scatter_reduce_amax",
            Amin => "scatter_reduce_amin",
            _ => "scatter_reduce_prod",
        }
    }

    fn forward(&self, ctx: &mut Context, x: &[&Tensor]) -> Result<Tensor> {
        let (start, src) = (x[0], x[1]);
        let y = start.copy()?;
        dispatch_number!(self.name(), y.dtype(), T => {
            y.change_at(&self.places, src, |x: T, y: T| match self.reduce {
                Prod => x.times(y),
                Amax if y > x || y.is_nan() => y,
                Amin if y < x || y.is_nan() => y,
                _ => x,
            })
        })?;
        ctx.save(start);
        ctx.save(src);
        ctx.save(&y);
        Ok(y)
    }

    fn backward(&self, saved: &Saved<'_>, grad: &Tensor) -> Result<Grads> {
        let (start, src) = (saved.get(0)?, saved.get(1)?);
        let selection = &self.places;
        let taken = |x: &Tensor| {
            let selection = selection.clone();
            apply(
                Read {
                    name: "gather",
                    selection,
                },
                &[x],
            )
        };
        // How many there are at each place of what the masks say.
        let count = |own: &Tensor, sent: &Tensor| {
            let selection = selection.clone();
            let sent = apply(Spread { selection }, &[&sent.to_dtype(grad.dtype())?])?;
            own.to_dtype(grad.dtype())?.add(&sent)
        };
        let (dstart, dsrc) = if self.reduce == Prod {
            // The product of the others: without the zeros, and 0 if another one is a zero.
            let (own, sent) = (start.eq(0)?, src.eq(0)?);
            let (x, y) = (start.masked_fill(&own, 1)?, src.masked_fill(&sent, 1)?);
            let product = grad.mul(&apply(self.clone(), &[&x, &y])?)?;
            let zeros = count(&own, &sent)?;
            let of = |product: &Tensor, x: &Tensor, zero: &Tensor, zeros: &Tensor| {
                zeros.eq(zero)?.where_cond(&product.div(x)?, 0.0)
            };
            (
                saved.grad(0, || of(&product, &x, &own, &zeros))?,
                saved.grad(1, || of(&taken(&product)?, &y, &sent, &taken(&zeros)?))?,
            )
        } else {
            let best = saved.get(2)?;
            let (own, sent) = (start.eq(&best)?, src.eq(&taken(&best)?)?);
            let share = grad.div(&count(&own, &sent)?)?;
            (
                saved.grad(0, || own.where_cond(&share, 0.0))?,
                saved.grad(1, || sent.where_cond(&taken(&share)?, 0.0))?,
            )
        };
        Ok([dstart, dsrc].into())
    }
}
