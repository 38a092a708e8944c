//! The larger and the smaller of two operands.

use super::{broadcast, promoted};
use crate::autograd::{Context, Function, Grads, Saved, apply};
use crate::dtype::{Element, dispatch};
use crate::error::Result;
use crate::kernels::map::{self, Cost};
use crate::ops::Operand;
use crate::ops::registry::{Case, Input};
use crate::tensor::Tensor;

pub(in crate::ops) const CASES: &[Case] = &[
    Case::new("maximum", &[Input::real(&[4, 3]), Input::real(&[3])], |x| {
        x[0].maximum(&x[1])
    })
    .torch("torch.maximum(x[0], x[1])"),
    Case::new("maximum", &[Input::real(&[7])], |x| x[0].maximum(0.3)).torch("x[0].clamp(min=0.3)"),
    Case::new(
        "maximum",
        &[
            Input::integers(&[4, 3], -5, 5),
            Input::integers(&[4, 1], -5, 5),
        ],
        |x| x[0].maximum(&x[1]),
    )
    .torch("torch.maximum(x[0], x[1])")
    .constant(),
    Case::new("minimum", &[Input::real(&[4, 1]), Input::real(&[3])], |x| {
        x[0].minimum(&x[1])
    })
    .torch("torch.minimum(x[0], x[1])"),
    Case::new("minimum", &[Input::bools(&[5]), Input::bools(&[5])], |x| {
        x[0].minimum(&x[1])
    })
    .torch("torch.minimum(x[0], x[1])")
    .constant(),
    Case::new("fmax", &[Input::real(&[4, 3]), Input::real(&[])], |x| {
        x[0].fmax(&x[1])
    })
    .torch("torch.fmax(x[0], x[1])"),
    Case::new("fmin", &[Input::real(&[4, 3]), Input::real(&[4, 3])], |x| {
        x[0].fmin(&x[1])
    })
    .torch("torch.fmin(x[0], x[1])"),
];

impl Tensor {
    /// The larger of two elements; NaN if one of them is. The gradient goes to the larger one, half
    /// of it to each where they are equal, and to both where one is NaN.
    ///
    /// # Errors
    /// If the shapes do not broadcast.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([1, 5]).maximum(&Tensor::from([2, 3]))?.to_vec::<i64>()?, [2, 5]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn maximum<'a>(&'a self, other: impl Into<Operand<'a>>) -> Result<Tensor> {
        extreme(self, other.into(), Extreme::Maximum)
    }

    /// The smaller of two elements, otherwise like [`maximum`](Tensor::maximum).
    ///
    /// # Errors
    /// If the shapes do not broadcast.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([1, 5]).minimum(3)?.to_vec::<i64>()?, [1, 3]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn minimum<'a>(&'a self, other: impl Into<Operand<'a>>) -> Result<Tensor> {
        extreme(self, other.into(), Extreme::Minimum)
    }

    /// The larger of two elements, or the one that is not NaN. The gradient goes to the element
    /// that was taken, half of it to each of two equal ones.
    ///
    /// # Errors
    /// If the shapes do not broadcast.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([f32::NAN, 5.0]);
    /// assert_eq!(x.fmax(&Tensor::from([2.0, 3.0]))?.to_vec::<f32>()?, [2.0, 5.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn fmax<'a>(&'a self, other: impl Into<Operand<'a>>) -> Result<Tensor> {
        extreme(self, other.into(), Extreme::Fmax)
    }

    /// The smaller of two elements, or the one that is not NaN, otherwise like
    /// [`fmax`](Tensor::fmax).
    ///
    /// # Errors
    /// If the shapes do not broadcast.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([f32::NAN, 5.0]);
    /// assert_eq!(x.fmin(&Tensor::from([2.0, 3.0]))?.to_vec::<f32>()?, [2.0, 3.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn fmin<'a>(&'a self, other: impl Into<Operand<'a>>) -> Result<Tensor> {
        extreme(self, other.into(), Extreme::Fmin)
    }
}

fn extreme(a: &Tensor, b: Operand<'_>, which: Extreme) -> Result<Tensor> {
    let (a, b) = promoted(a, b)?;
    apply(which, &[&a, &b])
}

/// Which of two elements is taken.
enum Extreme {
    Maximum,
    Minimum,
    Fmax,
    Fmin,
}

fn is_nan<T: Element>(x: T) -> bool {
    x.partial_cmp(&x).is_none()
}

fn pick<T>(first: bool, a: T, b: T) -> T {
    if first { a } else { b }
}

impl Extreme {
    fn elements<T: Element>(&self, x: &[&Tensor]) -> Result<Tensor> {
        broadcast(self.name(), x, &|x, y| match self {
            Self::Maximum => map::zip(x, y, Cost::Low, |a: T, b| pick(a > b || is_nan(a), a, b)),
            Self::Minimum => map::zip(x, y, Cost::Low, |a: T, b| pick(a < b || is_nan(a), a, b)),
            Self::Fmax => map::zip(x, y, Cost::Low, |a: T, b| pick(a >= b || is_nan(b), a, b)),
            Self::Fmin => map::zip(x, y, Cost::Low, |a: T, b| pick(a <= b || is_nan(b), a, b)),
        })
    }

    /// The part of the gradient `g` that goes to `a`, or to `b` if `second`.
    fn part(&self, g: &Tensor, a: &Tensor, b: &Tensor, second: bool) -> Result<Tensor> {
        let taken = |ahead: Tensor| ahead.logical_or(&b.ne(b)?);
        let beaten = match (self, second) {
            (Self::Maximum, false) | (Self::Minimum, true) => a.lt(b)?,
            (Self::Maximum, true) | (Self::Minimum, false) => a.gt(b)?,
            (Self::Fmax, false) => taken(a.ge(b)?)?.logical_not()?,
            (Self::Fmax, true) => taken(a.gt(b)?)?,
            (Self::Fmin, false) => taken(a.le(b)?)?.logical_not()?,
            (Self::Fmin, true) => taken(a.lt(b)?)?,
        };
        let half = a.eq(b)?.where_cond(&g.mul(0.5)?, g)?;
        half.masked_fill(&beaten, 0)
    }
}

impl Function for Extreme {
    fn name(&self) -> &'static str {
        match self {
            Self::Maximum => "maximum",
            Self::Minimum => "minimum",
            Self::Fmax => "fmax",
            Self::Fmin => "fmin",
        }
    }
    fn forward(&self, ctx: &mut Context, x: &[&Tensor]) -> Result<Tensor> {
        ctx.save(x[0]);
        ctx.save(x[1]);
        dispatch!(x[0].dtype(), T => self.elements::<T>(x))
    }
    fn backward(&self, saved: &Saved<'_>, g: &Tensor) -> Result<Grads> {
        let (a, b) = (saved.get(0)?, saved.get(1)?);
        let da = saved.grad(0, || self.part(g, &a, &b, false))?;
        let db = saved.grad(1, || self.part(g, &a, &b, true))?;
        Ok([da, db].into())
    }
}
