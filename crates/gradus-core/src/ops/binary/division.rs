//! Division with the quotient rounded to an integer, and what it leaves over.
//!
//! `floor_divide` goes with `remainder`, whose sign is the divisor's (Python's `//` and `%`), and
//! `trunc_divide` with `fmod`, whose sign is the dividend's (C's `/` and `%`).

use super::{broadcast, promoted};
use crate::autograd::{Context, Function, Grad, Grads, Saved, apply};
use crate::dtype::{Number, dispatch_number};
use crate::error::{Result, err};
use crate::kernels::map::{self, Cost};
use crate::ops::Operand;
use crate::ops::registry::{Case, Input};
use crate::tensor::Tensor;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

pub(in crate::ops) const CASES: &[Case] = &[
    Case::new(
        "floor_divide",
        &[Input::real(&[4, 3]), Input::real(&[3])],
        |x| x[0].floor_divide(&x[1]),
    )
    .torch("torch.div(x[0], x[1], rounding_mode='floor')")
    .once(),
    Case::new(
        "floor_divide",
        &[
            Input::integers(&[4, 5], -20, 20),
            Input::integers(&[5], 1, 7),
        ],
        |x| x[0].floor_divide(&x[1]),
    )
    .torch("x[0].floor_divide(x[1])")
    .constant(),
    Case::new(
        "trunc_divide",
        &[Input::real(&[4, 3]), Input::real(&[4, 1])],
        |x| x[0].trunc_divide(&x[1]),
    )
    .torch("torch.div(x[0], x[1], rounding_mode='trunc')")
    .once(),
    Case::new("trunc_divide", &[Input::integers(&[9], -20, 20)], |x| {
        x[0].trunc_divide(3)
    })
    .torch("torch.div(x[0], 3, rounding_mode='trunc')")
    .constant(),
    Case::new(
        "remainder",
        &[Input::real(&[4, 3]), Input::real(&[3])],
        |x| x[0].remainder(&x[1]),
    )
    .torch("x[0].remainder(x[1])"),
    Case::new("remainder", &[Input::real(&[7])], |x| x[0].remainder(-0.7))
        .torch("x[0].remainder(-0.7)"),
    Case::new("remainder", &[Input::positive(&[7])], |x| {
        remainder(5.0, &x[0])
    })
    .torch("torch.full_like(x[0], 5.0).detach().remainder(x[0])"),
    Case::new("fmod", &[Input::real(&[4, 1]), Input::real(&[3])], |x| {
        x[0].fmod(&x[1])
    })
    .torch("x[0].fmod(x[1])"),
    Case::new("fmod", &[Input::integers(&[9], -20, 20)], |x| x[0].fmod(6))
        .torch("x[0].fmod(6)")
        .constant(),
];

impl Tensor {
    /// The quotient rounded down: Python's `//`. Integers stay integers; floats divided by 0 give
    /// ±∞ or NaN. The gradient is 0.
    ///
    /// # Errors
    /// If the shapes do not broadcast, an integer is divided by 0, or for two bool operands.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([7, -7]).floor_divide(2)?.to_vec::<i64>()?, [3, -4]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn floor_divide<'a>(&'a self, other: impl Into<Operand<'a>>) -> Result<Tensor> {
        Division::FloorQuotient.of(self, other)
    }

    /// The quotient rounded towards 0: C's `/` for integers, PyTorch's
    /// `div(rounding_mode="trunc")`. Otherwise like [`floor_divide`](Tensor::floor_divide).
    ///
    /// # Errors
    /// As [`floor_divide`](Tensor::floor_divide).
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([7, -7]).trunc_divide(2)?.to_vec::<i64>()?, [3, -3]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn trunc_divide<'a>(&'a self, other: impl Into<Operand<'a>>) -> Result<Tensor> {
        Division::TruncQuotient.of(self, other)
    }

    /// What [`floor_divide`](Tensor::floor_divide) leaves over: Python's `%`. Its sign is that of
    /// `other`; floats divided by 0 leave NaN. The quotient counts as a constant in the gradient.
    ///
    /// # Errors
    /// As [`floor_divide`](Tensor::floor_divide).
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([7, -7]).remainder(3)?.to_vec::<i64>()?, [1, 2]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn remainder<'a>(&'a self, other: impl Into<Operand<'a>>) -> Result<Tensor> {
        remainder(self, other)
    }

    /// What [`trunc_divide`](Tensor::trunc_divide) leaves over: C's `fmod`. Its sign is that of
    /// this tensor; otherwise like [`remainder`](Tensor::remainder).
    ///
    /// # Errors
    /// As [`floor_divide`](Tensor::floor_divide).
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([7, -7]).fmod(3)?.to_vec::<i64>()?, [1, -1]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn fmod<'a>(&'a self, other: impl Into<Operand<'a>>) -> Result<Tensor> {
        Division::TruncRest.of(self, other)
    }
}

/// a − b·⌊a/b⌋, where either may be a number.
pub(crate) fn remainder<'a>(
    a: impl Into<Operand<'a>>,
    b: impl Into<Operand<'a>>,
) -> Result<Tensor> {
    Division::FloorRest.of(a, b)
}

/// Which part of a division, and how its quotient is rounded.
#[derive(Clone, Copy)]
enum Division {
    FloorQuotient,
    TruncQuotient,
    FloorRest,
    TruncRest,
}

impl Division {
    fn of<'a>(self, a: impl Into<Operand<'a>>, b: impl Into<Operand<'a>>) -> Result<Tensor> {
        let (a, b) = promoted(a, b)?;
        apply(self, &[&a, &b])
    }

    fn elements<T: Divide>(self, x: &[&Tensor]) -> Result<Tensor> {
        // Seen while dividing: no pass of its own, and no other thread can write a 0 in between.
        let by_zero = AtomicBool::new(false);
        let check = |b: T| {
            if !T::DTYPE.is_float() && b == T::ZERO {
                by_zero.store(true, Relaxed);
            }
        };
        let out = broadcast(self.name(), x, &|x, y| match self {
            Self::FloorQuotient => map::zip(x, y, Cost::High, |a: T, b| {
                check(b);
                a.floor_divide(b)
            }),
            Self::TruncQuotient => map::zip(x, y, Cost::High, |a: T, b| {
                check(b);
                a.trunc_divide(b)
            }),
            Self::FloorRest => map::zip(x, y, Cost::High, |a: T, b| {
                check(b);
                a.remainder(b)
            }),
            Self::TruncRest => map::zip(x, y, Cost::High, |a: T, b| {
                check(b);
                a.fmod(b)
            }),
        })?;
        if by_zero.into_inner() {
            return Err(err!(
                Value,
                "{}: ZeroDivisionError: an integer cannot be divided by zero; convert with to_dtype for the infinities \
                 of floating point numbers",
                self.name()
            ));
        }
        Ok(out)
    }
}

impl Function for Division {
    fn name(&self) -> &'static str {
        match self {
            Self::FloorQuotient => "floor_divide",
            Self::TruncQuotient => "trunc_divide",
            Self::FloorRest => "remainder",
            Self::TruncRest => "fmod",
        }
    }
    fn forward(&self, ctx: &mut Context, x: &[&Tensor]) -> Result<Tensor> {
        if matches!(self, Self::FloorRest | Self::TruncRest) {
            ctx.save(x[0]);
            ctx.save(x[1]);
        }
        dispatch_number!(self.name(), x[0].dtype(), T => self.elements::<T>(x))
    }
    fn backward(&self, saved: &Saved<'_>, g: &Tensor) -> Result<Grads> {
        let quotient = match self {
            Self::FloorQuotient | Self::TruncQuotient => return Ok([Grad::Zero, Grad::Zero].into()),
            Self::FloorRest => Self::FloorQuotient,
            Self::TruncRest => Self::TruncQuotient,
        };
        let db = saved.grad(1, || {
            g.mul(&quotient.of(&saved.get(0)?, &saved.get(1)?)?)?.neg()
        })?;
        Ok([Grad::Of(g.clone()), db].into())
    }
}

/// Division of two elements. An integer divided by 0 is 0 here, and an error to whoever asked.
trait Divide: Number {
    fn floor_divide(self, by: Self) -> Self;
    fn trunc_divide(self, by: Self) -> Self;
    fn remainder(self, by: Self) -> Self;
    fn fmod(self, by: Self) -> Self;
}

macro_rules! integers {
    ($($t:ident)+) => {$(
        impl Divide for $t {
            fn floor_divide(self, by: Self) -> Self {
                let down = <Self as Divide>::fmod(self, by) != <Self as Divide>::remainder(self, by);
                <Self as Divide>::trunc_divide(self, by).wrapping_sub(down.into())
            }
            fn trunc_divide(self, by: Self) -> Self {
                if by == 0 { 0 } else { self.wrapping_div(by) }
            }
            fn remainder(self, by: Self) -> Self {
                let rest = <Self as Divide>::fmod(self, by);
                if rest != 0 && (rest < Self::ZERO) != (by < Self::ZERO) { rest + by } else { rest }
            }
            fn fmod(self, by: Self) -> Self {
                if by == 0 { 0 } else { self.wrapping_rem(by) }
            }
        }
    )+};
}
integers!(u8 i32 i64);

macro_rules! floats {
    ($($t:ident)+) => {$(
        impl Divide for $t {
            /// The exact quotient rounded down: from the rest, since a/b itself may be rounded up
            /// over an integer.
            fn floor_divide(self, by: Self) -> Self {
                if by == 0.0 {
                    return self / by;
                }
                let rest = <Self as Divide>::fmod(self, by);
                let down = rest != 0.0 && (rest < 0.0) != (by < 0.0);
                let quotient = (self - rest) / by - if down { 1.0 } else { 0.0 };
                if quotient == 0.0 { (0.0 as $t).copysign(self / by) } else { quotient.round() }
            }
            fn trunc_divide(self, by: Self) -> Self {
                (self / by).trunc()
            }
            fn remainder(self, by: Self) -> Self {
                let rest = <Self as Divide>::fmod(self, by);
                if rest != 0.0 && (rest < 0.0) != (by < 0.0) { rest + by } else { rest }
            }
            fn fmod(self, by: Self) -> Self {
                self % by
            }
        }
    )+};
}
floats!(f32 f64);
