//! Powers.

use super::{broadcast, promoted};
use crate::autograd::{Context, Function, Grad, Grads, Saved, apply};
use crate::dtype::{Number, dispatch_float, dispatch_number};
use crate::error::{Result, err};
use crate::kernels::map::{self, Cost};
use crate::kernels::math::Float;
use crate::kernels::{Dense, View};
use crate::ops::registry::{Case, Input};
use crate::ops::{Operand, Scalar};
use crate::tensor::Tensor;

pub(in crate::ops) const CASES: &[Case] = &[
    Case::new("pow", &[Input::positive(&[2, 3]), Input::real(&[3])], |x| {
        x[0].pow(&x[1])
    })
    .torch("x[0] ** x[1]"),
    // A gradient for negative bases, where only integer exponents have powers.
    Case::new(
        "pow",
        &[Input::real(&[5, 1]), Input::integers(&[4], 0, 4)],
        |x| x[0].pow(&x[1]),
    )
    .torch("x[0] ** x[1]"),
    Case::new("pow", &[Input::real(&[5])], |x| x[0].pow(3.0)).torch("x[0] ** 3"),
    Case::new("pow", &[Input::real(&[5])], |x| x[0].pow(2)).torch("x[0] ** 2"),
    Case::new("pow", &[Input::real(&[5])], |x| x[0].pow(-1)).torch("x[0] ** -1"),
    Case::new("pow", &[Input::real(&[5])], |x| x[0].pow(5)).torch("x[0] ** 5"),
    Case::new("pow", &[Input::positive(&[5])], |x| x[0].pow(0.5)).torch("x[0] ** 0.5"),
    Case::new("pow", &[Input::positive(&[5])], |x| x[0].pow(-1.7)).torch("x[0] ** -1.7"),
    Case::new("pow", &[Input::real(&[2, 3])], |x| x[0].rpow(2.5)).torch("2.5 ** x[0]"),
    Case::new(
        "pow",
        &[Input::integers(&[3, 4], -9, 9), Input::integers(&[4], 0, 5)],
        |x| x[0].pow(&x[1]),
    )
    .torch("x[0] ** x[1]")
    .constant(),
];

impl Tensor {
    /// Element-wise power. Two integer operands stay integers and wrap, and negative exponents of a
    /// tensor then give the power rounded towards 0. 0⁰ is 1; a negative base has a power only for
    /// integer exponents, else NaN.
    ///
    /// The gradient of the base is b·aᵇ⁻¹, 0 where b is 0; that of the exponent aᵇ·ln a, 0 where a
    /// is 0 and b is not negative. A plain number as exponent is quicker than a tensor, and ±1, 2, 3
    /// and 0.5 as quick as products and a square root.
    ///
    /// # Errors
    /// If the shapes do not broadcast, for an integer tensor to the power of a negative plain
    /// integer, or for two bool operands.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([2.0, 3.0]).pow(2)?.to_vec::<f32>()?, [4.0, 9.0]);
    /// assert_eq!(Tensor::from([2, 3]).pow(&Tensor::from([10, 0]))?.to_vec::<i64>()?, [1024, 1]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn pow<'a>(&'a self, exponent: impl Into<Operand<'a>>) -> Result<Tensor> {
        let exponent = exponent.into();
        let (a, b) = promoted(self, exponent)?;
        let Operand::Scalar(number) = exponent else {
            return power(&a, &b);
        };
        let exponent = match number {
            Scalar::Int(n) if n < 0 && !a.dtype().is_float() => {
                return Err(err!(
                    Value,
                    "pow: Integers to negative integer powers are not allowed, got the exponent {n}; convert with to_dtype"
                ));
            }
            Scalar::Int(n) => n as f64,
            Scalar::Bool(b) => b.into(),
            Scalar::Float(p) => p,
        };
        if a.dtype().is_float() {
            apply(PowNumber { exponent }, &[&a])
        } else {
            power(&a, &b)
        }
    }

    /// `base` to the power of each element: the power with its operands the other way round.
    ///
    /// # Errors
    /// As [`pow`](Tensor::pow).
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([3.0, -1.0]).rpow(2.0)?.to_vec::<f32>()?, [8.0, 0.5]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn rpow<'a>(&'a self, base: impl Into<Operand<'a>>) -> Result<Tensor> {
        let (a, b) = promoted(base, self)?;
        power(&a, &b)
    }
}

fn power(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    apply(Pow, &[a, b])
}

/// aᵇ.
struct Pow;

impl Function for Pow {
    fn name(&self) -> &'static str {
        "pow"
    }
    fn forward(&self, ctx: &mut Context, x: &[&Tensor]) -> Result<Tensor> {
        if !x[0].dtype().is_float() {
            return dispatch_number!("pow", x[0].dtype(), T => broadcast("pow", x, &|a, b| {
                map::zip(a, b, Cost::High, whole_power::<T>)
            }));
        }
        let y = dispatch_float!("pow", x[0].dtype(), T => {
            broadcast("pow", x, &|a, b| map::zip(a, b, Cost::High, |a: T, b: T| a.powf(b)))
        })?;
        [x[0], x[1], &y].iter().for_each(|t| ctx.save(t));
        Ok(y)
    }
    fn backward(&self, saved: &Saved<'_>, g: &Tensor) -> Result<Grads> {
        let (a, b) = (saved.get(0)?, saved.get(1)?);
        let number = |mask: Tensor| mask.to_dtype(a.dtype());
        let da = saved.grad(0, || {
            // Where b is 0 the power below is 1, not 0⁻¹ or NaN, which b = 0 could not undo.
            let no_number = a.eq(0)?.logical_or(&a.ne(&a)?)?;
            let lift = number(b.eq(0)?.logical_and(&no_number)?)?;
            g.mul(&b)?.mul(&a.pow(&b.sub(1)?.add(&lift)?)?)
        })?;
        let db = saved.grad(1, || {
            // ln 1 instead of ln 0 where the power stays 0 whatever the exponent does.
            let lift = number(a.eq(0)?.logical_and(&b.ge(0)?)?)?;
            g.mul(&saved.get(2)?)?.mul(&a.add(&lift)?.log()?)
        })?;
        Ok([da, db].into())
    }
}

/// aᵖ for a plain number p.
struct PowNumber {
    exponent: f64,
}

impl PowNumber {
    fn elements<T: Float>(&self, x: View<'_, T>) -> Result<Dense> {
        let low = |f: fn(T) -> T| map::map(x, Cost::Low, f);
        match self.exponent {
            1.0 => low(|x| x),
            2.0 => map::map(x, Cost::Low, |x| x * x),
            3.0 => map::map(x, Cost::Low, |x| x * x * x),
            0.5 => map::map(x, Cost::High, |x| x.sqrt()),
            -1.0 => map::map(x, Cost::High, |x| T::ONE / x),
            p => map::map(x, Cost::High, |x| x.powf(T::from_f64(p))),
        }
    }
}

impl Function for PowNumber {
    fn name(&self) -> &'static str {
        "pow"
    }
    fn forward(&self, ctx: &mut Context, x: &[&Tensor]) -> Result<Tensor> {
        let x = x[0];
        ctx.save(x);
        let y = dispatch_float!("pow", x.dtype(), T => x.with(|x| self.elements::<T>(x)))?;
        Ok(Tensor::from_dense(y))
    }
    fn backward(&self, saved: &Saved<'_>, g: &Tensor) -> Result<Grads> {
        let (x, p) = (saved.get(0)?, self.exponent);
        let dx = match p {
            0.0 => return Ok([Grad::Zero].into()),
            1.0 => g.clone(),
            2.0 => g.mul(&x)?.mul(2.0)?,
            p => g.mul(&x.pow(p - 1.0)?)?.mul(p)?,
        };
        Ok([Grad::Of(dx)].into())
    }
}

/// aⁿ by repeated squaring, wrapping; for a negative n the quotient 1/a⁻ⁿ rounded towards 0, which
/// is not 0 for ±1 alone (and is 0 for a = 0).
fn whole_power<T: Number>(a: T, n: T) -> T {
    let mut n = n.to_i64();
    let minus_one = T::ZERO.minus(T::ONE);
    if n < 0 {
        return match () {
            () if a == T::ONE || a == minus_one && n % 2 == 0 => T::ONE,
            () if a == minus_one => minus_one,
            () => T::ZERO,
        };
    }
    let (mut square, mut product) = (a, T::ONE);
    while n > 0 {
        if n % 2 == 1 {
            product = product.times(square);
        }
        square = square.times(square);
        n /= 2;
    }
    product
}
