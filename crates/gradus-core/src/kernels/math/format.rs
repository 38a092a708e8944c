//! What the algorithms have to know about f32 and f64: where the bits of a number are, constants in
//! two parts, and polynomials as long as the precision asks for.
//!
//! `scripts/math-coefficients` computes the numbers: Chebyshev interpolation in 60 digits.

use super::Real;
use super::circle::{self, Point};

/// A polynomial in `x`, highest power first, by Horner's rule. Not a loop over an array, which the
/// compiler might leave a loop.
macro_rules! polynomial {
    ($x:expr; $first:expr $(, $next:expr)* $(,)?) => {{
        let x = $x;
        let sum = $first;
        $(let sum = sum * x + $next;)*
        sum
    }};
}
pub(super) use polynomial;

/// A binary floating point format.
///
/// Constants `[high, low]` are a number to about one and a half times the digits: `high` has half
/// the digits, so that its product with an integer exponent, or with what [`truncate`](Self::truncate)
/// left, is exact.
pub(super) trait Format: Real + PartialOrd {
    /// Adding 1.5 times the power of 2 whose last digit is 1 rounds to an integer and leaves that in
    /// the low bits.
    const SHIFT: Self;
    /// The smallest number that is not subnormal.
    const SMALLEST: Self;
    /// Beyond these eˣ, and half of it, are 0 or ∞.
    const EXP_RANGE: [Self; 2];
    const LN_2: [Self; 2];
    const LOG2_E: [Self; 2];
    const LOG10_E: [Self; 2];
    const LOG10_2: [Self; 2];

    /// The number with the lower half of its digits cleared.
    fn truncate(self) -> Self;
    /// `self`·2ⁿ, rounded once, where `shifted` is n + `SHIFT`.
    fn scale(self, shifted: Self) -> Self;
    /// k and m of `self` = 2ᵏ·m with √½ ≤ m < √2, for a number that is not subnormal.
    fn decompose(self) -> [Self; 2];
    /// This, with the sign of `x`.
    fn signed_as(self, x: Self) -> Self;
    /// Where on the circle the angle `self` is, if it is at most [`circle::NEAR`].
    fn point(self) -> Point;
    /// (eʳ − 1 − r)/r² for |r| ≤ ln2/2.
    fn exp_series(r: Self) -> Self;
    /// (2·artanh s/s − 2)/s² as a function of s², for |s| ≤ 3 − √8.
    fn log_series(z: Self) -> Self;
    /// (tanh x/x − 1)/x² as a function of x², for |x| < 0.55.
    fn tanh_series(z: Self) -> Self;
    /// (sinh x/x − 1)/x² as a function of x², for |x| ≤ 1.
    fn sinh_series(z: Self) -> Self;
}

/// The functions that look at bits: `mantissa` stored digits below the exponent, which counts from
/// `bias`; `root` is √½.
macro_rules! bits {
    ($t:ident $bits:ident, $mantissa:literal $bias:literal $root:expr) => {
        #[inline(always)]
        fn truncate(self) -> Self {
            const LOWER: u32 = ($mantissa + 2) / 2;
            Self::from_bits(self.to_bits() >> LOWER << LOWER)
        }
        #[inline(always)]
        fn scale(self, shifted: Self) -> Self {
            // In two factors, since 2ⁿ itself may leave the range of exponents. Counted from a large
            // number: shifting a negative one is slow in vectors.
            const UP: $bits = 4 * $bias;
            let n = shifted.to_bits().wrapping_sub(Self::SHIFT.to_bits());
            let sum = n.wrapping_add(UP);
            let half = sum >> 1;
            let power = |n: $bits| Self::from_bits(n.wrapping_sub(UP / 2 - $bias) << $mantissa);
            self * power(half) * power(sum.wrapping_sub(half))
        }
        #[inline(always)]
        fn decompose(self) -> [Self; 2] {
            // As in `scale`; k becomes the low digits of a large number, which is taken off again.
            const UP: $bits = $bias + 1;
            const LARGE: $t = ((1 as $bits) << $mantissa) as $t;
            const ROOT: $t = $root;
            let bits = self.to_bits();
            let k = (bits.wrapping_sub(ROOT.to_bits())).wrapping_add(UP << $mantissa) >> $mantissa;
            let m = bits.wrapping_sub(k.wrapping_sub(UP) << $mantissa);
            let k = Self::from_bits(k | LARGE.to_bits()) - (LARGE + UP as $t);
            [k, Self::from_bits(m)]
        }
        #[inline(always)]
        fn signed_as(self, x: Self) -> Self {
            self.copysign(x)
        }
    };
}

impl Format for f32 {
    const SHIFT: f32 = 12_582_912.0;
    const SMALLEST: f32 = f32::MIN_POSITIVE;
    const EXP_RANGE: [f32; 2] = [-104.0, 90.0];
    const LN_2: [f32; 2] = [0.693_115_23, 3.194_618_3e-5];
    const LOG2_E: [f32; 2] = [1.442_382_8, 0.000_312_228_4];
    const LOG10_E: [f32; 2] = [0.434_204_1, 9.038_034e-5];
    const LOG10_2: [f32; 2] = [0.301_025_4, 4.605_039e-6];

    bits!(f32 u32, 23 127 std::f32::consts::FRAC_1_SQRT_2);

    #[inline(always)]
    fn point(self) -> Point {
        circle::single(self)
    }
    #[inline(always)]
    fn exp_series(r: f32) -> f32 {
        polynomial![r;
            0.000_198_910_8, 0.001_393_373_1, 0.008_333_310_5, 0.041_666_463, 0.166_666_67, 0.5,
        ]
    }
    #[inline(always)]
    fn log_series(z: f32) -> f32 {
        polynomial![z; 0.233_316_14, 0.285_507_8, 0.400_001_23, 0.666_666_7]
    }
    #[inline(always)]
    fn tanh_series(z: f32) -> f32 {
        polynomial![z;
            0.002_370_765_7, -0.008_410_071, 0.021_788_321, -0.053_961_553, 0.133_333_13,
            -0.333_333_34,
        ]
    }
    #[inline(always)]
    fn sinh_series(z: f32) -> f32 {
        polynomial![z; 2.806_280_2e-6, 0.000_198_381_02, 0.008_333_339, 0.166_666_67]
    }
}

impl Format for f64 {
    const SHIFT: f64 = 6_755_399_441_055_744.0;
    const SMALLEST: f64 = f64::MIN_POSITIVE;
    const EXP_RANGE: [f64; 2] = [-746.0, 711.0];
    const LN_2: [f64; 2] = [0.693_147_167_563_438_4, 1.299_650_689_388_988_9e-8];
    const LOG2_E: [f64; 2] = [1.442_695_021_629_333_5, 1.925_962_991_126_617_5e-8];
    const LOG10_E: [f64; 2] = [0.434_294_477_105_140_7, 4.798_111_141_615_973e-9];
    const LOG10_2: [f64; 2] = [0.301_029_995_083_808_9, 5.801_722_962_879_576e-10];

    bits!(f64 u64, 52 1023 std::f64::consts::FRAC_1_SQRT_2);

    #[inline(always)]
    fn point(self) -> Point {
        circle::double(self)
    }
    #[inline(always)]
    fn exp_series(r: f64) -> f64 {
        polynomial![r;
            2.091_475_532_589_32e-9, 2.510_531_272_962_210_3e-8, 2.755_727_347_871_858e-7,
            2.755_725_517_000_089e-6, 2.480_158_732_567_746e-5, 0.000_198_412_698_750_022_8,
            0.001_388_888_888_888_371_1, 0.008_333_333_333_326_084, 0.041_666_666_666_666_67,
            0.166_666_666_666_666_7, 0.5,
        ]
    }
    #[inline(always)]
    fn log_series(z: f64) -> f64 {
        polynomial![z;
            0.146_178_071_534_173_25, 0.153_316_117_220_550_08, 0.181_828_924_325_368_7,
            0.222_222_110_893_794_96, 0.285_714_286_262_538_36, 0.399_999_999_998_988_9,
            0.666_666_666_666_667,
        ]
    }
    /// Lambert's continued fraction z/(1 + z/(3 + z/(5 + …))), up to 15.
    #[inline(always)]
    fn tanh_series(z: f64) -> f64 {
        let over = polynomial![z; 1.0, 594.0, 45_045.0, 675_675.0];
        -over / polynomial![z; 1.0, 630.0, 51_975.0, 945_945.0, 2_027_025.0]
    }
    #[inline(always)]
    fn sinh_series(z: f64) -> f64 {
        polynomial![z;
            2.844_526_416_989_528_5e-15, 7.646_625_361_656_657e-13, 1.605_904_839_635_056_2e-10,
            2.505_210_836_405_804e-8, 2.755_731_922_404_034e-6, 0.000_198_412_698_412_697_73,
            0.008_333_333_333_333_333, 0.166_666_666_666_666_66,
        ]
    }
}
