//! Sine, cosine and tangent of numbers that are not huge.
//!
//! x = n·π/2 + r with an integer n and |r| ≤ π/4, π/2 in parts of 33 digits, whose products with n
//! are exact (Cody and Waite). Then polynomials for sin r and cos r. For f32 all this is done in f64,
//! which saves parts, terms and corrections.

use super::format::{Format, polynomial};
use super::select;
use std::f64::consts::FRAC_2_PI;

/// Up to here n has few enough digits.
pub(super) const NEAR: f64 = 1e6;

const HALF_PI: [f64; 4] = [
    1.570_796_326_734_125_6,
    6.077_100_506_303_966e-11,
    2.022_266_248_711_166_5e-21,
    8.478_427_660_368_9e-32,
];

/// What there is to know about a point of the circle: in which quarter it lies, from −π/4 on, and
/// how far around it.
pub(super) struct Point {
    quarter: u64,
    sin: f64,
    cos: f64,
}

impl Point {
    /// Sine and cosine, counted from `turn` quarters before the point's.
    #[inline(always)]
    fn turned(self, turn: u64) -> [f64; 2] {
        let quarter = self.quarter.wrapping_add(turn);
        let odd = quarter & 1 != 0;
        let sign = |y: f64, quarter: u64| f64::from_bits(y.to_bits() ^ ((quarter & 2) << 62));
        [
            sign(select(odd, self.cos, self.sin), quarter),
            sign(select(odd, self.sin, self.cos), quarter.wrapping_add(1)),
        ]
    }
}

/// n + `SHIFT`, whose low bits are those of n, and n.
#[inline(always)]
fn quarters(x: f64) -> [f64; 2] {
    let shifted = x * FRAC_2_PI + f64::SHIFT;
    [shifted, shifted - f64::SHIFT]
}

/// A point given as f32.
#[inline(always)]
pub(super) fn single(x: f32) -> Point {
    let x = f64::from(x);
    let [shifted, n] = quarters(x);
    let r = (x - n * HALF_PI[0]) - n * HALF_PI[1];
    let z = r * r;
    let sin = polynomial![z;
        2.724_378_140_946_123e-6, -0.000_198_400_388_725_567_47, 0.008_333_331_785_217_696,
        -0.166_666_666_636_228_3,
    ];
    let cos = polynomial![z;
        -2.729_583_082_761_461_7e-7, 2.480_056_042_991_450_5e-5, -0.001_388_888_759_732_781,
        0.041_666_666_664_127_21, -0.5, 1.0,
    ];
    Point {
        quarter: shifted.to_bits(),
        sin: r + r * z * sin,
        cos,
    }
}

/// a − b and what rounding took from it (Knuth, "The Art of Computer Programming", 4.2.2).
#[inline(always)]
fn difference(a: f64, b: f64) -> [f64; 2] {
    let d = a - b;
    let b_seen = a - d;
    [d, (a - (d + b_seen)) + (b_seen - b)]
}

/// A point given as f64.
#[inline(always)]
pub(super) fn double(x: f64) -> Point {
    let [shifted, n] = quarters(x);
    let [a, b, c, d] = HALF_PI;
    let [r, second] = difference(x - n * a, n * b);
    let [r, third] = difference(r, n * c);
    let more = (second + third) - n * d;
    let sum = r + more;
    let (r, rest) = (sum, (r - sum) + more);
    let z = r * r;
    let sin = polynomial![z;
        1.591_530_918_305_795_2e-10, -2.505_109_230_843_131_8e-8, 2.755_731_591_093_9e-6,
        -0.000_198_412_698_363_854_35, 0.008_333_333_333_330_7, -0.166_666_666_666_666_66,
    ];
    let cos = polynomial![z;
        -1.138_086_817_144_991_4e-11, 2.087_612_153_460_845_4e-9, -2.755_731_715_185_886_6e-7,
        2.480_158_729_853_226e-5, -0.001_388_888_888_888_724_1, 0.041_666_666_666_666_664,
    ];
    let half = 0.5 * z;
    let one = 1.0 - half;
    Point {
        quarter: shifted.to_bits(),
        sin: r + (r * z * sin + rest * one),
        cos: one + (((1.0 - one) - half) + (z * z * cos - r * rest)),
    }
}

#[inline(always)]
pub(super) fn sin<T: Format>(x: T) -> T {
    let [sin, _] = x.point().turned(0);
    // Not +0 for −0.
    select(x == T::number(0.0), x, T::number(sin))
}

#[inline(always)]
pub(super) fn cos<T: Format>(x: T) -> T {
    let [sin, _] = x.point().turned(1);
    T::number(sin)
}

#[inline(always)]
pub(super) fn tan<T: Format>(x: T) -> T {
    let [sin, cos] = x.point().turned(0);
    select(x == T::number(0.0), x, T::number(sin / cos))
}
