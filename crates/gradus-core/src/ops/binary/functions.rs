//! Numeric functions of two operands: angles, lengths, signs, logarithms of sums.

use super::{broadcast, floats, promoted};
use crate::autograd::{Context, Function, Grad, Grads, Saved, apply};
use crate::dtype::dispatch_float;
use crate::error::Result;
use crate::kernels::map::{self, Cost};
use crate::kernels::math::Float;
use crate::ops::Operand;
use crate::ops::registry::{Case, Input};
use crate::tensor::Tensor;
use std::f64::consts::LN_2;

pub(in crate::ops) const CASES: &[Case] = &[
    Case::new("atan2", &[Input::real(&[4, 3]), Input::real(&[3])], |x| {
        x[0].atan2(&x[1])
    })
    .torch("torch.atan2(x[0], x[1])"),
    Case::new("hypot", &[Input::real(&[4, 1]), Input::real(&[3])], |x| {
        x[0].hypot(&x[1])
    })
    .torch("torch.hypot(x[0], x[1])"),
    Case::new(
        "copysign",
        &[Input::real(&[4, 3]), Input::real(&[3])],
        |x| x[0].copysign(&x[1]),
    )
    .torch("torch.copysign(x[0], x[1])"),
    Case::new("copysign", &[Input::real(&[5])], |x| x[0].copysign(-1.0))
        .torch("torch.copysign(x[0], -1.0)"),
    Case::new(
        "xlogy",
        &[Input::real(&[4, 3]), Input::positive(&[3])],
        |x| x[0].xlogy(&x[1]),
    )
    .torch("torch.xlogy(x[0], x[1])"),
    Case::new("xlogy", &[Input::real(&[5])], |x| x[0].xlogy(3)).torch("torch.xlogy(x[0], 3)"),
    Case::new(
        "logaddexp",
        &[Input::real(&[4, 3]), Input::real(&[3])],
        |x| x[0].logaddexp(&x[1]),
    )
    .torch("torch.logaddexp(x[0], x[1])"),
    Case::new(
        "logaddexp2",
        &[Input::real(&[4, 3]), Input::real(&[4, 1])],
        |x| x[0].logaddexp2(&x[1]),
    )
    .torch("torch.logaddexp2(x[0], x[1])"),
];

impl Tensor {
    /// The angle from −π to π between the x axis and the point whose y is this tensor's element and
    /// whose x is `other`'s. Integers become f32. The gradient at the origin is NaN.
    ///
    /// # Errors
    /// If the shapes do not broadcast.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([1.0, 0.0]).atan2(&Tensor::from([1.0, -1.0]))?.to_vec::<f32>()?,
    ///     [std::f32::consts::FRAC_PI_4, std::f32::consts::PI]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn atan2<'a>(&'a self, other: impl Into<Operand<'a>>) -> Result<Tensor> {
        of_two(Atan2, self, other.into())
    }

    /// √(a² + b²), without overflow in between. Integers become f32. The gradient at the origin is
    /// NaN.
    ///
    /// # Errors
    /// If the shapes do not broadcast.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([3.0]).hypot(4.0)?.to_vec::<f32>()?, [5.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn hypot<'a>(&'a self, other: impl Into<Operand<'a>>) -> Result<Tensor> {
        of_two(Hypot, self, other.into())
    }

    /// The size of this tensor's elements with the signs of `other`'s, that of −0 included. Integers
    /// become f32. The gradient at 0 is 0.
    ///
    /// # Errors
    /// If the shapes do not broadcast.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([1.0, -2.0]).copysign(-0.0)?.to_vec::<f32>()?, [-1.0, -2.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn copysign<'a>(&'a self, other: impl Into<Operand<'a>>) -> Result<Tensor> {
        of_two(CopySign, self, other.into())
    }

    /// a·ln b, and 0 where a is 0 unless b is NaN. Integers become f32. The gradient of a is 0 where
    /// a is 0 and b is not positive.
    ///
    /// # Errors
    /// If the shapes do not broadcast.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([0.0, 2.0]).xlogy(&Tensor::from([0.0, 1.0]))?.to_vec::<f32>()?, [0.0, 0.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn xlogy<'a>(&'a self, other: impl Into<Operand<'a>>) -> Result<Tensor> {
        of_two(Xlogy, self, other.into())
    }

    /// ln(eᵃ + eᵇ) without overflow: the sum of two numbers given by their logarithms. Integers
    /// become f32.
    ///
    /// # Errors
    /// If the shapes do not broadcast.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([1000.0]).logaddexp(1000.0)?.item::<f32>()?;
    /// assert_eq!(x, 1000.0 + std::f32::consts::LN_2);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn logaddexp<'a>(&'a self, other: impl Into<Operand<'a>>) -> Result<Tensor> {
        of_two(LogAddExp, self, other.into())
    }

    /// log₂(2ᵃ + 2ᵇ), otherwise like [`logaddexp`](Tensor::logaddexp).
    ///
    /// # Errors
    /// If the shapes do not broadcast.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([5.0]).logaddexp2(5.0)?.item::<f32>()?, 6.0);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn logaddexp2<'a>(&'a self, other: impl Into<Operand<'a>>) -> Result<Tensor> {
        of_two(LogAddExp2, self, other.into())
    }
}

fn of_two<P: Pair>(pair: P, a: &Tensor, b: Operand<'_>) -> Result<Tensor> {
    let (a, b) = floats(promoted(a, b)?)?;
    apply(Zip(pair), &[&a, &b])
}

/// A function of two elements and its two derivatives.
trait Pair: Send + Sync + 'static {
    /// Name in graphs and errors.
    const NAME: &'static str;
    /// The function.
    fn f<T: Numeric>(a: T, b: T) -> T;
    /// The gradients of a and b, where that of f(a, b) = y is g.
    fn backward(
        saved: &Saved<'_>,
        a: &Tensor,
        b: &Tensor,
        y: &Tensor,
        g: &Tensor,
    ) -> Result<[Grad; 2]>;
}

struct Zip<P>(P);

impl<P: Pair> Function for Zip<P> {
    fn name(&self) -> &'static str {
        P::NAME
    }
    fn forward(&self, ctx: &mut Context, x: &[&Tensor]) -> Result<Tensor> {
        let y = dispatch_float!(P::NAME, x[0].dtype(), T => {
            broadcast(P::NAME, x, &|a, b| map::zip(a, b, Cost::High, P::f::<T>))
        })?;
        [x[0], x[1], &y].iter().for_each(|t| ctx.save(t));
        Ok(y)
    }
    fn backward(&self, saved: &Saved<'_>, g: &Tensor) -> Result<Grads> {
        P::backward(saved, &saved.get(0)?, &saved.get(1)?, &saved.get(2)?, g).map(Into::into)
    }
}

struct Atan2;
impl Pair for Atan2 {
    const NAME: &'static str = "atan2";
    fn f<T: Numeric>(a: T, b: T) -> T {
        a.atan2(b)
    }
    fn backward(
        saved: &Saved<'_>,
        a: &Tensor,
        b: &Tensor,
        _: &Tensor,
        g: &Tensor,
    ) -> Result<[Grad; 2]> {
        // No gradient where both are 0.
        let square = a.mul(a)?.add(&b.mul(b)?)?;
        let share = g.div(&square.masked_fill(&square.eq(0)?, f64::INFINITY)?)?;
        let da = saved.grad(0, || share.mul(b))?;
        let db = saved.grad(1, || share.mul(a)?.neg())?;
        Ok([da, db])
    }
}

struct Hypot;
impl Pair for Hypot {
    const NAME: &'static str = "hypot";
    fn f<T: Numeric>(a: T, b: T) -> T {
        a.hypot(b)
    }
    fn backward(
        saved: &Saved<'_>,
        a: &Tensor,
        b: &Tensor,
        y: &Tensor,
        g: &Tensor,
    ) -> Result<[Grad; 2]> {
        let da = saved.grad(0, || g.mul(&a.div(y)?))?;
        let db = saved.grad(1, || g.mul(&b.div(y)?))?;
        Ok([da, db])
    }
}

struct CopySign;
impl Pair for CopySign {
    const NAME: &'static str = "copysign";
    fn f<T: Numeric>(a: T, b: T) -> T {
        a.copysign(b)
    }
    fn backward(
        saved: &Saved<'_>,
        a: &Tensor,
        b: &Tensor,
        _: &Tensor,
        g: &Tensor,
    ) -> Result<[Grad; 2]> {
        let da = saved.grad(0, || {
            // 1 or −1, and 0 at 0.
            let sign = a.detach().sign()?;
            let other = a.ones_like()?.copysign(&b.detach())?;
            g.mul(&sign.mul(&other)?)
        })?;
        Ok([da, Grad::Zero])
    }
}

struct Xlogy;
impl Pair for Xlogy {
    const NAME: &'static str = "xlogy";
    fn f<T: Numeric>(a: T, b: T) -> T {
        if a == T::ZERO && !b.is_nan() {
            T::ZERO
        } else {
            a * b.ln()
        }
    }
    fn backward(
        saved: &Saved<'_>,
        a: &Tensor,
        b: &Tensor,
        _: &Tensor,
        g: &Tensor,
    ) -> Result<[Grad; 2]> {
        let da = saved.grad(0, || {
            // The logarithm of 1 where that of b would be −∞ or NaN times 0.
            let nothing = a.eq(0)?.logical_and(&b.le(0)?)?;
            g.xlogy(&nothing.where_cond(1.0, b)?)
        })?;
        let db = saved.grad(1, || g.mul(&a.div(b)?))?;
        Ok([da, db])
    }
}

struct LogAddExp;
impl Pair for LogAddExp {
    const NAME: &'static str = "logaddexp";
    fn f<T: Numeric>(a: T, b: T) -> T {
        log_add(a, b, T::exp, T::ln_1p)
    }
    fn backward(
        saved: &Saved<'_>,
        a: &Tensor,
        b: &Tensor,
        _: &Tensor,
        g: &Tensor,
    ) -> Result<[Grad; 2]> {
        shares(saved, &a.sub(b)?, g)
    }
}

struct LogAddExp2;
impl Pair for LogAddExp2 {
    const NAME: &'static str = "logaddexp2";
    fn f<T: Numeric>(a: T, b: T) -> T {
        let ln2 = T::from_f64(LN_2);
        log_add(a, b, |x| (x * ln2).exp(), |x| x.ln_1p() / ln2)
    }
    fn backward(
        saved: &Saved<'_>,
        a: &Tensor,
        b: &Tensor,
        _: &Tensor,
        g: &Tensor,
    ) -> Result<[Grad; 2]> {
        shares(saved, &a.sub(b)?.mul(LN_2)?, g)
    }
}

/// The larger one plus log(1 + exp(−|a − b|)); equal infinities, whose difference is NaN, are their
/// own sum.
fn log_add<T: Numeric>(a: T, b: T, exp: impl Fn(T) -> T, log_1p: impl Fn(T) -> T) -> T {
    if a == b && !a.is_finite() {
        return a;
    }
    let larger = if a > b { a } else { b };
    larger + log_1p(exp(-(a - b).abs()))
}

/// The part of each number in the sum, when the first is e^`difference` times the second.
fn shares(saved: &Saved<'_>, difference: &Tensor, g: &Tensor) -> Result<[Grad; 2]> {
    let da = saved.grad(0, || g.mul(&difference.sigmoid()?))?;
    let db = saved.grad(1, || g.mul(&difference.neg()?.sigmoid()?))?;
    Ok([da, db])
}

/// The standard library's functions of two numbers.
trait Numeric: Float {
    fn atan2(self, other: Self) -> Self;
    fn hypot(self, other: Self) -> Self;
    fn copysign(self, other: Self) -> Self;
}

macro_rules! reals {
    ($($t:ident)+) => {$(
        impl Numeric for $t {
            fn atan2(self, other: Self) -> Self { self.atan2(other) }
            fn hypot(self, other: Self) -> Self { self.hypot(other) }
            fn copysign(self, other: Self) -> Self { self.copysign(other) }
        }
    )+};
}
reals!(f32 f64);
