//! Scalar mathematics for f32 and f64, written without branches where the compiler can then turn a
//! loop over them into vector code.
//!
//! Own implementations: exponentials (`exp`), logarithms (`log`), sine, cosine and tangent
//! (`circle`), the error function (`special`). The rest is the standard library's or libm's.
//!
//! They multiply and add in two steps, never by fused instructions: so they need none, and give the
//! same bits on every processor, in vectors of every length.
//!
//! Errors, in units of the last place of the exact value: in f64 at most 1 for `exp`, `exp2`, `exp_m1`,
//! the logarithms, `sin` and `cos`, at most 2 for `tan`, the hyperbolic functions, `sigmoid` and `erf`, at
//! most 4 for `erfc`. In f32 at most 2, over the whole range, subnormal results included. The exception
//! is `sigmoid` where e⁻ˣ is beyond the largest number, below −88.7 in f32 and −709.7 in f64: there it is
//! 0 instead of subnormal. Tests measure it; the documentation of tensors' functions repeats it.

#[cfg(test)]
mod accuracy;
mod circle;
mod exp;
mod format;
mod log;
mod special;

use crate::dtype::Number;
use std::ops::{Add, Div, Mul, Neg, Sub};

/// What a derivative is written in: arithmetic, some functions, and a choice instead of comparisons.
/// f32 and f64 are such numbers, and so are tensors while a derivative is recorded.
///
/// ```
/// use gradus_core::Real;
/// fn slope_of_relu<T: Real>(x: T) -> T {
///     x.at_most(0.0, T::number(0.0), T::number(1.0))
/// }
/// assert_eq!(slope_of_relu(3.0f32), 1.0);
/// ```
pub trait Real:
    Copy
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
{
    /// The number `x`, rounded to this type.
    fn number(x: f64) -> Self;
    /// `a` where this is at most `limit`, else `b`; NaN takes `b`.
    fn at_most(self, limit: f64, a: Self, b: Self) -> Self;
    /// `a` where this is greater than `limit`, else `b`; NaN takes `b`.
    #[inline(always)]
    fn above(self, limit: f64, a: Self, b: Self) -> Self {
        self.at_most(limit, b, self.at_most(f64::INFINITY, a, b))
    }
    /// eˣ.
    fn exp(self) -> Self;
    /// The natural logarithm.
    fn ln(self) -> Self;
    /// The hyperbolic tangent.
    fn tanh(self) -> Self;
    /// The sine.
    fn sin(self) -> Self;
    /// The cosine.
    fn cos(self) -> Self;
    /// The hyperbolic sine.
    fn sinh(self) -> Self;
    /// The hyperbolic cosine.
    fn cosh(self) -> Self;
    /// The square root.
    fn sqrt(self) -> Self;
    /// The absolute value.
    fn abs(self) -> Self;
    /// 1 minus the error function, accurate also where that is close to 1.
    fn erfc(self) -> Self;
    /// The logistic function 1/(1 + e⁻ˣ); no overflow for any x.
    #[inline(always)]
    fn sigmoid(self) -> Self {
        Self::number(1.0) / (Self::number(1.0) + (-self).exp())
    }
}

/// A floating point number that kernels compute with.
///
/// ```
/// use gradus_core::{Float, Number};
/// fn softplus<T: Float>(x: T) -> T {
///     (T::ONE + x.exp()).ln()
/// }
/// assert_eq!(softplus(0.0f64), std::f64::consts::LN_2);
/// ```
pub trait Float: Number + Real {
    /// 2ˣ.
    fn exp2(self) -> Self;
    /// eˣ − 1, accurate near 0.
    fn exp_m1(self) -> Self;
    /// The logarithm to base 2.
    fn log2(self) -> Self;
    /// The logarithm to base 10.
    fn log10(self) -> Self;
    /// The natural logarithm of 1 + x, accurate near 0.
    fn ln_1p(self) -> Self;
    /// The tangent.
    fn tan(self) -> Self;
    /// The inverse sine.
    fn asin(self) -> Self;
    /// The inverse cosine.
    fn acos(self) -> Self;
    /// The inverse tangent.
    fn atan(self) -> Self;
    /// The inverse hyperbolic sine.
    fn asinh(self) -> Self;
    /// The inverse hyperbolic cosine.
    fn acosh(self) -> Self;
    /// The inverse hyperbolic tangent.
    fn atanh(self) -> Self;
    /// The error function.
    fn erf(self) -> Self;
    /// The inverse of the error function.
    fn erf_inv(self) -> Self;
    /// Whether x is so far from 0 that sine, cosine and tangent cannot be computed in vectors.
    #[doc(hidden)]
    fn is_far(self) -> bool;
    /// The sine, if x is not far from 0; no branch.
    #[doc(hidden)]
    fn near_sin(self) -> Self;
    /// The cosine, if x is not far from 0; no branch.
    #[doc(hidden)]
    fn near_cos(self) -> Self;
    /// The tangent, if x is not far from 0; no branch.
    #[doc(hidden)]
    fn near_tan(self) -> Self;
    /// The largest integer not above x.
    fn floor(self) -> Self;
    /// The smallest integer not below x.
    fn ceil(self) -> Self;
    /// The integer towards 0.
    fn trunc(self) -> Self;
    /// The nearest integer, the even one of two.
    fn round_ties_even(self) -> Self;
    /// `self` raised to the power `p`.
    fn powf(self, p: Self) -> Self;
    /// Whether this is neither infinite nor NaN.
    fn is_finite(self) -> bool;
    /// Whether the sign bit is set: negative numbers and −0.
    fn is_sign_negative(self) -> bool;
}

/// `if condition { a } else { b }` without a branch once it is in a vector loop.
#[inline(always)]
fn select<T>(condition: bool, a: T, b: T) -> T {
    if condition { a } else { b }
}

/// The standard library's version of functions of one number.
macro_rules! standard {
    ($($function:ident)+) => {$(
        #[inline(always)]
        fn $function(self) -> Self {
            self.$function()
        }
    )+};
}

/// libm's version of functions that the standard library lacks, or has less accurate.
macro_rules! libm {
    ($($function:ident $name:ident),+) => {$(
        #[inline]
        fn $function(self) -> Self {
            libm::$name(self)
        }
    )+};
}

/// Our own.
macro_rules! own {
    ($($function:ident $module:ident),+) => {$(
        #[inline(always)]
        fn $function(self) -> Self {
            $module::$function(self)
        }
    )+};
}

/// Ours up to a bound, and the standard library's beyond.
macro_rules! near {
    ($($function:ident $near:ident),+) => {$(
        #[inline]
        fn $function(self) -> Self {
            if self.is_far() { self.$function() } else { self.$near() }
        }
    )+};
}

/// What reads the same for f32 and f64: that of [`Real`] and that of [`Float`].
macro_rules! real {
    () => {
        #[inline(always)]
        fn number(x: f64) -> Self {
            x as Self
        }
        #[inline(always)]
        fn at_most(self, limit: f64, a: Self, b: Self) -> Self {
            select(self <= limit as Self, a, b)
        }
        #[inline(always)]
        fn above(self, limit: f64, a: Self, b: Self) -> Self {
            select(self > limit as Self, a, b)
        }
        own!(exp exp, ln log, tanh exp, sinh exp, cosh exp);
        near!(sin near_sin, cos near_cos);
        standard!(sqrt abs);
    };
}
macro_rules! float {
    () => {
        own!(exp2 exp, exp_m1 exp, log2 log, log10 log, ln_1p log);
        near!(tan near_tan);
        #[inline(always)]
        fn is_far(self) -> bool {
            self.abs() > circle::NEAR as Self
        }
        #[inline(always)]
        fn near_sin(self) -> Self {
            circle::sin(self)
        }
        #[inline(always)]
        fn near_cos(self) -> Self {
            circle::cos(self)
        }
        #[inline(always)]
        fn near_tan(self) -> Self {
            circle::tan(self)
        }
        #[inline(always)]
        fn powf(self, p: Self) -> Self {
            self.powf(p)
        }
        #[inline(always)]
        fn is_finite(self) -> bool {
            self.is_finite()
        }
        #[inline(always)]
        fn is_sign_negative(self) -> bool {
            self.is_sign_negative()
        }
        standard!(asin acos atan floor ceil trunc round_ties_even);
    };
}

impl Real for f32 {
    real!();

    #[inline(always)]
    fn erfc(self) -> Self {
        special::short_erfc(self)
    }
}

impl Float for f32 {
    float!();
    libm!(asinh asinhf, atanh atanhf);

    #[inline]
    fn acosh(self) -> Self {
        // libm's is undefined below 1.
        select(self < 1.0, f32::NAN, libm::acoshf(self))
    }

    #[inline(always)]
    fn erf(self) -> Self {
        special::short_erf(self)
    }

    #[inline]
    fn erf_inv(self) -> Self {
        special::erf_inv(self.into()) as f32
    }
}

impl Real for f64 {
    real!();
    own!(erfc special);
}

impl Float for f64 {
    float!();
    libm!(asinh asinh, atanh atanh);
    own!(erf special, erf_inv special);

    #[inline]
    fn acosh(self) -> Self {
        select(self < 1.0, f64::NAN, libm::acosh(self))
    }
}
