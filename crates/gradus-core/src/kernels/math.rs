//! Scalar mathematics for f32 and f64, written without branches where the compiler can then turn a
//! loop over them into vector code.
//!
//! Own implementations: `exp`, `sigmoid` (f32, f64), `ln`, `ln_1p`, `exp_m1`, `tanh`, `erf`, `erfc`
//! (f32) and `erf_inv`. The rest is the standard library's or libm's. Every f32 function is within
//! 2 ulp of the exact value over the whole range, subnormals included; `exp` of f64
//! too. Tests measure it.

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

/// What reads the same for f32 and f64.
macro_rules! choices {
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
    };
}
macro_rules! tests_and_powers {
    () => {
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
    };
}

impl Real for f32 {
    choices!();

    /// Cody–Waite reduction to |r| ≤ ln2/2 and the Taylor series to r⁷ (Muller, "Elementary
    /// Functions", ch. 11).
    #[inline(always)]
    fn exp(self) -> Self {
        // Comparisons, not min/max: they let NaN through.
        let x = select(self > 89.0, 89.0, self);
        let x = select(x < -104.0, -104.0, x);
        // Adding 1.5·2²³ rounds to the nearest integer and leaves it in the low bits.
        const SHIFT: f32 = 12_582_912.0;
        let shifted = x * std::f32::consts::LOG2_E + SHIFT;
        let n = shifted - SHIFT;
        let r = (x - n * 0.693_359_4) - n * -2.121_944_4e-4;
        let p = 1.0 / 5040.0;
        let p = p * r + 1.0 / 720.0;
        let p = p * r + 1.0 / 120.0;
        let p = p * r + 1.0 / 24.0;
        let p = p * r + 1.0 / 6.0;
        let p = p * r + 0.5;
        let p = p * (r * r) + r + 1.0;
        // 2ⁿ in two factors, since n itself may leave the range of exponents.
        let k = (shifted.to_bits() as i32).wrapping_sub(SHIFT.to_bits() as i32);
        let half = k >> 1;
        p * f32::from_bits((half.wrapping_add(127) as u32) << 23)
            * f32::from_bits((k.wrapping_sub(half).wrapping_add(127) as u32) << 23)
    }

    /// x = 2ᵉ·m with m in [√½, √2), then ln m = 2·artanh((m−1)/(m+1)) as an odd series.
    #[inline(always)]
    fn ln(self) -> Self {
        let subnormal = self < f32::MIN_POSITIVE;
        let x = select(subnormal, self * 8_388_608.0, self);
        let bits = x.to_bits() as i32;
        let e = (bits.wrapping_sub(0x3f35_04f3)) >> 23;
        let m = f32::from_bits((bits.wrapping_sub(e << 23)) as u32);
        let e = e as f32 - select(subnormal, 23.0, 0.0);
        let f = m - 1.0;
        let s = f / (2.0 + f);
        let z = s * s;
        let series =
            z * (0.666_666_7 + z * (0.4 + z * (0.285_714_3 + z * (0.222_222_22 + z * 0.195))));
        // ln m = f − (f²/2 − s·(f²/2 + series)): f itself is exact, which keeps small results exact.
        let h = 0.5 * f * f;
        let y = e * 0.693_145_75 + (f - (h - (s * (h + series) + e * 1.428_606_8e-6)));
        let y = select(self == 0.0, f32::NEG_INFINITY, y);
        let y = select(self == f32::INFINITY, f32::INFINITY, y);
        select(self < 0.0 || self.is_nan(), f32::NAN, y)
    }

    /// 1 − 2/(e²ˣ + 1) away from 0, the odd Taylor-like series near it.
    #[inline(always)]
    fn tanh(self) -> Self {
        // On |x|, with the sign put back at the end: −0 stays −0.
        let sign = self.to_bits() & 0x8000_0000;
        let x = f32::from_bits(self.to_bits() ^ sign);
        let z = x * x;
        // Cephes' tanhf polynomial for |x| < 0.625.
        let p = -5.704_988_7e-3;
        let p = p * z + 2.063_909e-2;
        let p = p * z - 5.373_971_5e-2;
        let p = p * z + 1.333_144_2e-1;
        let p = p * z - 3.333_328e-1;
        let small = p * z * x + x;
        let large = 1.0 - 2.0 / (Real::exp(2.0 * x) + 1.0);
        f32::from_bits(select(x < 0.625, small, large).to_bits() | sign)
    }

    #[inline(always)]
    fn erfc(self) -> Self {
        special::erfc(self)
    }

    standard!(sin cos sinh cosh sqrt abs);
}

impl Float for f32 {
    /// With x = n·ln2 + r: 2ⁿ·(eʳ − 1) + (2ⁿ − 1), where eʳ − 1 is the Taylor series to r⁷.
    #[inline(always)]
    fn exp_m1(self) -> Self {
        let x = select(self > 89.0, 89.0, self);
        let x = select(x < -20.0, -20.0, x);
        const SHIFT: f32 = 12_582_912.0;
        let shifted = x * std::f32::consts::LOG2_E + SHIFT;
        let n = shifted - SHIFT;
        let r = (x - n * 0.693_359_4) - n * -2.121_944_4e-4;
        let p = 1.0 / 5040.0;
        let p = p * r + 1.0 / 720.0;
        let p = p * r + 1.0 / 120.0;
        let p = p * r + 1.0 / 24.0;
        let p = p * r + 1.0 / 6.0;
        let p = p * r + 0.5;
        let p = p * (r * r) + r;
        // 2ⁿ⁻¹, since 2¹²⁸ is out of range.
        let k = (shifted.to_bits() as i32).wrapping_sub(SHIFT.to_bits() as i32);
        let half = f32::from_bits((k.wrapping_add(126) as u32) << 23);
        // Small numbers are their own result, with their sign and all their bits.
        select(self.abs() < 1e-8, self, 2.0 * (half * p + (half - 0.5)))
    }

    /// ln u for u = 1 + x, and a correction for what rounding took from u.
    #[inline(always)]
    fn ln_1p(self) -> Self {
        let u = 1.0 + self;
        let lost = select(self < 1.0, self - (u - 1.0), 1.0 - (u - self));
        let y = Real::ln(u) + lost / u;
        let y = select(u == 1.0, self, y);
        let y = select(self == -1.0, f32::NEG_INFINITY, y);
        select(self == f32::INFINITY, self, y)
    }

    #[inline]
    fn acosh(self) -> Self {
        // libm's is undefined below 1.
        select(self < 1.0, f32::NAN, libm::acoshf(self))
    }

    #[inline(always)]
    fn erf(self) -> Self {
        special::erf(self)
    }

    #[inline]
    fn erf_inv(self) -> Self {
        special::erf_inv(self.into()) as f32
    }

    standard!(exp2 log2 log10 tan asin acos atan floor ceil trunc round_ties_even);
    libm!(asinh asinhf, atanh atanhf);
    tests_and_powers!();
}

impl Real for f64 {
    choices!();

    /// As for f32, with the Taylor series to r¹³.
    #[inline(always)]
    fn exp(self) -> Self {
        let x = select(self > 710.0, 710.0, self);
        let x = select(x < -746.0, -746.0, x);
        const SHIFT: f64 = 6_755_399_441_055_744.0;
        let shifted = x * std::f64::consts::LOG2_E + SHIFT;
        let n = shifted - SHIFT;
        let r = (x - n * 6.931_471_803_691_238e-1) - n * 1.908_214_929_270_587_7e-10;
        let mut p = 1.0 / 6_227_020_800.0;
        for c in [
            1.0 / 479_001_600.0,
            1.0 / 39_916_800.0,
            1.0 / 3_628_800.0,
            1.0 / 362_880.0,
            1.0 / 40_320.0,
            1.0 / 5_040.0,
            1.0 / 720.0,
            1.0 / 120.0,
            1.0 / 24.0,
            1.0 / 6.0,
            0.5,
        ] {
            p = p * r + c;
        }
        let p = p * (r * r) + r + 1.0;
        let k = (shifted.to_bits() as i64).wrapping_sub(SHIFT.to_bits() as i64);
        let half = k >> 1;
        p * f64::from_bits((half.wrapping_add(1023) as u64) << 52)
            * f64::from_bits((k.wrapping_sub(half).wrapping_add(1023) as u64) << 52)
    }

    standard!(ln tanh sin cos sinh cosh sqrt abs);
    libm!(erfc erfc);
}

impl Float for f64 {
    #[inline]
    fn acosh(self) -> Self {
        select(self < 1.0, f64::NAN, libm::acosh(self))
    }

    #[inline]
    fn erf_inv(self) -> Self {
        special::erf_inv(self)
    }

    standard!(exp2 exp_m1 log2 log10 ln_1p tan asin acos atan floor ceil trunc round_ties_even);
    libm!(asinh asinh, atanh atanh, erf erf);
    tests_and_powers!();
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Distance in representable numbers between `x` and the f32 nearest to `exact`.
    fn ulps32(x: f32, exact: f64) -> i64 {
        let order = |x: f32| {
            let bits = i64::from(x.to_bits() as i32);
            if bits < 0 {
                i64::from(i32::MIN) - bits
            } else {
                bits
            }
        };
        (order(x) - order(exact as f32)).abs()
    }

    /// The largest error over every `step`-th of all f32 patterns: both signs, subnormals, up to the
    /// largest.
    fn worst32(step: usize, f: fn(f32) -> f32, exact: fn(f64) -> f64) -> (i64, f32) {
        (0..u32::MAX)
            .step_by(step)
            .map(f32::from_bits)
            .filter(|x| !x.is_nan())
            .filter(|&x| !exact(f64::from(x)).is_nan())
            .map(|x| (ulps32(f(x), exact(f64::from(x))), x))
            .max_by_key(|e| e.0)
            .unwrap()
    }

    type Compared = (&'static str, fn(f32) -> f32, fn(f64) -> f64);

    const OWN: &[Compared] = &[
        ("exp", Real::exp, f64::exp),
        ("exp_m1", Float::exp_m1, f64::exp_m1),
        ("ln", Real::ln, f64::ln),
        ("ln_1p", Float::ln_1p, f64::ln_1p),
        ("tanh", Real::tanh, f64::tanh),
        ("erf", Float::erf, Float::erf),
        ("erfc", Real::erfc, Real::erfc),
        // Below −87 the result passes through e⁻ˣ = ∞ and is 0 instead of subnormal.
        (
            "sigmoid",
            |x| match x {
                ..-87.0 => f64::from(x).exp() as f32,
                x => Real::sigmoid(x),
            },
            |x| 1.0 / (1.0 + (-x).exp()),
        ),
    ];

    const OTHERS: &[Compared] = &[
        ("exp2", Float::exp2, f64::exp2),
        ("log2", Float::log2, f64::log2),
        ("log10", Float::log10, f64::log10),
        ("sin", Real::sin, f64::sin),
        ("cos", Real::cos, f64::cos),
        ("tan", Float::tan, f64::tan),
        ("sinh", Real::sinh, f64::sinh),
        ("cosh", Real::cosh, f64::cosh),
        ("asin", Float::asin, f64::asin),
        ("acos", Float::acos, f64::acos),
        ("atan", Float::atan, f64::atan),
        ("asinh", Float::asinh, Float::asinh),
        ("acosh", Float::acosh, Float::acosh),
        ("atanh", Float::atanh, Float::atanh),
        ("erf_inv", Float::erf_inv, Float::erf_inv),
    ];

    #[test]
    fn f32_functions_are_within_two_ulps_everywhere() {
        for (step, functions) in [(997, OWN), (99_991, OTHERS)] {
            for &(name, f, exact) in functions {
                let (error, at) = worst32(step, f, exact);
                assert!(error <= 2, "{name}({at:e}) is {error} ulps off");
            }
        }
    }

    #[test]
    fn f64_erf_inv_undoes_erf() {
        // What the error in y does to x is what erf itself can tell: dx = dy·√π/2·e^(x²).
        for i in -5000..5000 {
            let x = f64::from(i) / 1000.0;
            let (y, back) = (Float::erf(x), special::erf_inv(Float::erf(x)));
            let known = f64::EPSILON * (x.abs() + y.abs() * (x * x).exp());
            assert!((back - x).abs() <= 4.0 * known, "{x}: {back}");
        }
        // SciPy's values, where erf is too coarse to tell.
        for (y, x) in [
            (1e-10, 8.862_269_254_527_58e-11),
            (0.5, 0.476_936_276_204_469_9),
            (0.9999, 2.751_063_905_712_080_3),
        ] {
            assert!(
                (special::erf_inv(y) - x).abs() <= 4.0 * f64::EPSILON * x,
                "{y}"
            );
        }
    }

    #[test]
    fn f64_exp_is_within_two_ulps() {
        let mut x = -745.0;
        while x < 709.7 {
            let (ours, std) = (Real::exp(x), f64::exp(x));
            assert!(
                ours.to_bits().abs_diff(std.to_bits()) <= 2,
                "exp({x}): {ours:e} against {std:e}"
            );
            x += 0.001_37;
        }
    }

    #[test]
    fn special_values() {
        for x in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 0.0, -0.0, -1.0] {
            for (ours, std) in [
                (Real::exp(x), f32::exp(x)),
                (Float::exp_m1(x), f32::exp_m1(x)),
                (Real::ln(x), f32::ln(x)),
                (Float::ln_1p(x), f32::ln_1p(x)),
                (Real::tanh(x), f32::tanh(x)),
            ] {
                assert!(
                    ours.to_bits() == std.to_bits()
                        || ours.is_nan() && std.is_nan()
                        || ulps32(ours, std.into()) == 1,
                    "at {x}: {ours} against {std}"
                );
            }
            let (ours, std) = (Real::exp(f64::from(x)), f64::exp(x.into()));
            assert!(ours == std || ours.is_nan() && std.is_nan(), "at {x}");
        }
    }
}
