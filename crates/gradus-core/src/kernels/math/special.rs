//! The error function in vectors, for f32, and its inverse, which libm lacks.

use super::{Real, select};

/// erfc x = τ·e^(P(τ) − x²) with τ = 1/(1 + |x|/2), a form of Hastings'; P is a Chebyshev fit of
/// degree 14, 3 parts in 10¹⁰. In f64, since the rounding of x² would show.
#[inline(always)]
pub(super) fn erfc(x: f32) -> f32 {
    let x = f64::from(x);
    let tail = tail(x.abs());
    select(x < 0.0, 2.0 - tail, tail) as f32
}

/// 1 − erfc x; near 0, where that would lose digits, the Taylor series.
#[inline(always)]
pub(super) fn erf(x: f32) -> f32 {
    let x = f64::from(x);
    let z = x * x;
    let series = [
        -1.0 / 1320.0,
        1.0 / 216.0,
        -1.0 / 42.0,
        0.1,
        -1.0 / 3.0,
        1.0,
    ];
    let start = z * (-1.0 / 75_600.0) + 1.0 / 9360.0;
    let series = series.into_iter().fold(start, |sum, c| sum * z + c);
    let small = x * series * std::f64::consts::FRAC_2_SQRT_PI;
    let large = (1.0 - tail(x.abs())).copysign(x);
    select(z < 0.25, small, large) as f32
}

/// erfc of a number that is not negative.
#[inline(always)]
fn tail(t: f64) -> f64 {
    let tau = 1.0 / (1.0 + 0.5 * t);
    let u = 2.0 * tau - 1.0;
    let mut p = -8.121_253_926_131_463e-6;
    for c in [
        2.072_307_029_320_794_5e-5,
        4.179_589_266_921_644e-5,
        -1.546_337_893_289_838e-4,
        -7.119_730_808_576_835e-5,
        6.579_538_457_555_126e-4,
        -1.561_342_759_433_942_4e-4,
        -2.339_277_723_063_931e-3,
        1.761_339_365_454_157_8e-3,
        8.823_558_177_413_702e-3,
        -9.872_980_459_417_84e-3,
        -4.689_548_216_096_723e-2,
        4.734_332_036_739_111e-2,
        6.726_432_205_460_068e-1,
        -6.717_940_841_603_579e-1,
    ] {
        p = p * u + c;
    }
    tau * Real::exp(p - t * t)
}

/// The inverse of the error function; ±∞ at ±1, NaN beyond.
///
/// Wichura's rational approximations of the normal quantile (algorithm AS 241, Applied Statistics
/// 37, 1988), about 1 part in 10¹⁶: erf⁻¹(y) = Φ⁻¹((1 + y)/2)/√2.
pub(super) fn erf_inv(y: f64) -> f64 {
    let q = 0.5 * y;
    let quantile = if q.abs() <= 0.425 {
        let r = 0.180625 - q * q;
        q * ratio(r, &CENTRE)
    } else {
        // 1 − |y| is exact here.
        let r = (-(0.5 * (1.0 - y.abs())).ln()).sqrt();
        let tail = match () {
            () if r <= 5.0 => ratio(r - 1.6, &MIDDLE),
            () if r.is_infinite() => r,
            () => ratio(r - 5.0, &FAR),
        };
        tail.copysign(y)
    };
    quantile * std::f64::consts::FRAC_1_SQRT_2
}

/// A quotient of polynomials, coefficients from the constant up.
fn ratio(x: f64, [over, under]: &[[f64; 8]; 2]) -> f64 {
    let polynomial = |c: &[f64; 8]| c.iter().rev().fold(0.0, |sum, &c| sum * x + c);
    polynomial(over) / polynomial(under)
}

const CENTRE: [[f64; 8]; 2] = [
    [
        3.387_132_872_796_366_5,
        1.331_416_678_917_843_8e2,
        1.971_590_950_306_551_3e3,
        1.373_169_376_550_946_1e4,
        4.592_195_393_154_987_1e4,
        6.726_577_092_700_870_1e4,
        3.343_057_558_358_812_8e4,
        2.509_080_928_730_122_7e3,
    ],
    [
        1.0,
        4.231_333_070_160_091_1e1,
        6.871_870_074_920_579_1e2,
        5.394_196_021_424_751_1e3,
        2.121_379_430_158_659_7e4,
        3.930_789_580_009_271_1e4,
        2.872_908_573_572_194_3e4,
        5.226_495_278_852_854_6e3,
    ],
];
const MIDDLE: [[f64; 8]; 2] = [
    [
        1.423_437_110_749_683_5,
        4.630_337_846_156_546,
        5.769_497_221_460_691,
        3.647_848_324_763_204_5,
        1.270_458_252_452_368_4,
        2.417_807_251_774_506e-1,
        2.272_384_498_926_918_4e-2,
        7.745_450_142_783_414e-4,
    ],
    [
        1.0,
        2.053_191_626_637_759,
        1.676_384_830_183_803_8,
        6.897_673_349_851e-1,
        1.481_039_764_274_800_8e-1,
        1.519_866_656_361_645_7e-2,
        5.475_938_084_995_345e-4,
        1.050_750_071_644_416_9e-9,
    ],
];
const FAR: [[f64; 8]; 2] = [
    [
        6.657_904_643_501_103,
        5.463_784_911_164_114,
        1.784_826_539_917_291_3,
        2.965_605_718_285_048_7e-1,
        2.653_218_952_657_612_4e-2,
        1.242_660_947_388_078_4e-3,
        2.711_555_568_743_487_6e-5,
        2.010_334_399_292_288_1e-7,
    ],
    [
        1.0,
        5.998_322_065_558_88e-1,
        1.369_298_809_227_358e-1,
        1.487_536_129_085_061_5e-2,
        7.868_691_311_456_132_6e-4,
        1.846_318_317_510_054_8e-5,
        1.421_511_758_316_446e-7,
        2.044_263_103_389_939_8e-15,
    ],
];
