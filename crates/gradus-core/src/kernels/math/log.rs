//! Logarithms.
//!
//! x = 2ᵏ·m with √½ ≤ m < √2. With f = m − 1 and s = f/(2 + f), ln m = 2·artanh s, which is
//! f − f²/2 + s·(f²/2 + s²·P(s²)): f is exact, and what follows it small. It is kept in two numbers,
//! the first of half the digits, whose product with another such number is exact. So other bases
//! cost no accuracy, and powers of 2 and 10 have exact logarithms.

use super::format::Format;
use super::select;

/// A base: 1 over its natural logarithm, and the logarithm of 2 to it.
struct Base<T> {
    scale: [T; 2],
    two: [T; 2],
}

/// The logarithm of x, plus `more`, which is small, times the scale.
#[inline(always)]
fn log<T: Format>(x: T, more: T, base: Base<T>) -> T {
    let zero = T::number(0.0);
    // Enough to lift the subnormal numbers of either format.
    let subnormal = x < T::SMALLEST;
    let lifted = x * T::number((1u64 << 54) as f64);
    let [k, m] = select(subnormal, lifted, x).decompose();
    let k = k - select(subnormal, T::number(54.0), zero);
    let f = m - T::number(1.0);
    let s = f / (T::number(2.0) + f);
    let (z, h) = (s * s, T::number(0.5) * f * f);
    let high = (f - h).truncate();
    let low = (f - high) - h + (s * (h + z * T::log_series(z)) + more);
    let [powers, term] = [k * base.two[0], high * base.scale[0]];
    let sum = powers + term;
    let rest = low * base.scale[0] + ((high + low) * base.scale[1] + k * base.two[1]);
    let y = sum + ((term - (sum - powers)) + rest);
    let y = select(x == zero, T::number(f64::NEG_INFINITY), y);
    let y = select(x == T::number(f64::INFINITY), x, y);
    select(x >= zero, y, T::number(f64::NAN))
}

/// The base e.
#[inline(always)]
fn natural<T: Format>() -> Base<T> {
    Base {
        scale: [T::number(1.0), T::number(0.0)],
        two: T::LN_2,
    }
}

#[inline(always)]
pub(super) fn ln<T: Format>(x: T) -> T {
    log(x, T::number(0.0), natural())
}

/// The logarithm of u = 1 + x, and what rounding took from u over u.
#[inline(always)]
pub(super) fn ln_1p<T: Format>(x: T) -> T {
    let one = T::number(1.0);
    let u = one + x;
    let lost = select(x < one, x - (u - one), one - (u - x));
    let y = log(u, lost / u, natural());
    // Also for −0, and where the quotient is NaN.
    let y = select(u == one, x, y);
    let y = select(x == -one, T::number(f64::NEG_INFINITY), y);
    select(x == T::number(f64::INFINITY), x, y)
}

#[inline(always)]
pub(super) fn log2<T: Format>(x: T) -> T {
    let two = [T::number(1.0), T::number(0.0)];
    let scale = T::LOG2_E;
    log(x, T::number(0.0), Base { scale, two })
}

#[inline(always)]
pub(super) fn log10<T: Format>(x: T) -> T {
    let (scale, two) = (T::LOG10_E, T::LOG10_2);
    log(x, T::number(0.0), Base { scale, two })
}
