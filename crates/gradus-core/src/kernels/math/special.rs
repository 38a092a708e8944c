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
        -0.000_154_633_789_328_983_8,
        -7.119_730_808_576_835e-5,
        0.000_657_953_845_755_512_6,
        -0.000_156_134_275_943_394_24,
        -0.002_339_277_723_063_931,
        0.001_761_339_365_454_157_8,
        0.008_823_558_177_413_702,
        -0.009_872_980_459_417_84,
        -0.046_895_482_160_967_23,
        0.047_343_320_367_391_11,
        0.672_643_220_546_006_8,
        -0.671_794_084_160_357_9,
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
        133.141_667_891_784_38,
        1_971.590_950_306_551_3,
        13_731.693_765_509_46,
        45_921.953_931_549_87,
        67_265.770_927_008_7,
        33_430.575_583_588_13,
        2_509.080_928_730_122_7,
    ],
    [
        1.0,
        42.313_330_701_600_91,
        687.187_007_492_057_9,
        5_394.196_021_424_751,
        21_213.794_301_586_597,
        39_307.895_800_092_71,
        28_729.085_735_721_943,
        5_226.495_278_852_854,
    ],
];
const MIDDLE: [[f64; 8]; 2] = [
    [
        1.423_437_110_749_683_5,
        4.630_337_846_156_546,
        5.769_497_221_460_691,
        3.647_848_324_763_204_5,
        1.270_458_252_452_368_4,
        0.241_780_725_177_450_6,
        0.022_723_844_989_269_184,
        0.000_774_545_014_278_341_4,
    ],
    [
        1.0,
        2.053_191_626_637_759,
        1.676_384_830_183_803_8,
        0.689_767_334_985_1,
        0.148_103_976_427_480_08,
        0.015_198_666_563_616_457,
        0.000_547_593_808_499_534_5,
        1.050_750_071_644_416_9e-9,
    ],
];
const FAR: [[f64; 8]; 2] = [
    [
        6.657_904_643_501_103,
        5.463_784_911_164_114,
        1.784_826_539_917_291_3,
        0.296_560_571_828_504_87,
        0.026_532_189_526_576_124,
        0.001_242_660_947_388_078_4,
        2.711_555_568_743_487_6e-5,
        2.010_334_399_292_288_1e-7,
    ],
    [
        1.0,
        0.599_832_206_555_888,
        0.136_929_880_922_735_8,
        0.014_875_361_290_850_615,
        0.000_786_869_131_145_613_3,
        1.846_318_317_510_054_8e-5,
        1.421_511_758_316_446e-7,
        2.044_263_103_389_939_7e-15,
    ],
];
