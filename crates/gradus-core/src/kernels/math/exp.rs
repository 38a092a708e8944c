//! Exponentials and hyperbolic functions.
//!
//! x = n·ln2 + r with an integer n and |r| ≤ ln2/2 (Cody and Waite, "Software Manual for the Elementary
//! Functions", 1980), then a polynomial for eʳ. What rounding takes from r, and from the sum with
//! the large first term, is added again at the end, so that little more than the last rounding shows.

use super::format::Format;
use super::select;

/// x within the bounds; NaN stays. Comparisons, not min and max, which let NaN go.
#[inline(always)]
fn within<T: Format>(x: T, [low, high]: [T; 2]) -> T {
    let x = select(x > high, high, x);
    select(x < low, low, x)
}

/// n + `SHIFT`, r and what is missing from r, of x + rest = n·ln2 + r.
#[inline(always)]
fn reduce<T: Format>(x: T, rest: T) -> [T; 3] {
    let shifted = x * T::number(std::f64::consts::LOG2_E) + T::SHIFT;
    let n = shifted - T::SHIFT;
    let [high, low] = T::LN_2;
    let (exact, low) = (x - n * high, n * low - rest);
    let r = exact - low;
    [shifted, r, (exact - r) - low]
}

/// eʳ − 1 + a, where r has a `rest` and a is 0 or much larger than r.
#[inline(always)]
fn grown<T: Format>(a: T, r: T, rest: T) -> T {
    let sum = a + r;
    let lost = r - (sum - a);
    sum + (lost + (rest + r * r * T::exp_series(r)))
}

/// eˣ⁺ʳᵉˢᵗ, where the rest is far below 1.
#[inline(always)]
pub(super) fn exp_of_sum<T: Format>(x: T, rest: T) -> T {
    let [n, r, rest] = reduce(within(x, T::EXP_RANGE), rest);
    grown(T::number(1.0), r, rest).scale(n)
}

#[inline(always)]
pub(super) fn exp<T: Format>(x: T) -> T {
    exp_of_sum(x, T::number(0.0))
}

#[inline(always)]
pub(super) fn exp2<T: Format>(x: T) -> T {
    let log2_e = T::number(std::f64::consts::LOG2_E);
    let x = within(x, T::EXP_RANGE.map(|bound| bound * log2_e));
    let shifted = x + T::SHIFT;
    let part = x - (shifted - T::SHIFT);
    // part·ln2 in two numbers.
    let (upper, [high, low]) = (part.truncate(), T::LN_2);
    let exact = upper * high;
    let low = (part - upper) * T::number(std::f64::consts::LN_2) + upper * low;
    let r = exact + low;
    grown(T::number(1.0), r, (exact - r) + low).scale(shifted)
}

/// 2ⁿ·(eʳ − 1 + (1 − 2⁻ⁿ)).
#[inline(always)]
pub(super) fn exp_m1<T: Format>(x: T) -> T {
    let one = T::number(1.0);
    let [n, r, rest] = reduce(
        within(x, [T::number(-50.0), T::EXP_RANGE[1]]),
        T::number(0.0),
    );
    let y = grown(one - one.scale(T::SHIFT - (n - T::SHIFT)), r, rest).scale(n);
    select(x == T::number(0.0), x, y)
}

/// Half of eˣ for x ≥ 0.
#[inline(always)]
fn half_exp<T: Format>(x: T) -> T {
    let [n, r, rest] = reduce(within(x, T::EXP_RANGE), T::number(0.0));
    grown(T::number(1.0), r, rest).scale(n - T::number(1.0))
}

#[inline(always)]
pub(super) fn cosh<T: Format>(x: T) -> T {
    let half = half_exp(x.abs());
    half + T::number(0.25) / half
}

#[inline(always)]
pub(super) fn sinh<T: Format>(x: T) -> T {
    let t = x.abs();
    let small = t + t * (t * t) * T::sinh_series(t * t);
    let half = half_exp(t);
    let large = half - T::number(0.25) / half;
    select(t < T::number(1.0), small, large).signed_as(x)
}

/// 1 − 2/(e²ˣ + 1) away from 0.
#[inline(always)]
pub(super) fn tanh<T: Format>(x: T) -> T {
    let (one, two) = (T::number(1.0), T::number(2.0));
    let t = x.abs();
    let small = t + t * (t * t) * T::tanh_series(t * t);
    let large = one - two / (exp(two * t) + one);
    select(t < T::number(0.55), small, large).signed_as(x)
}
