//! The error function and its inverse.

use super::exp::exp_of_sum;
use super::format::{Format, polynomial};
use super::{Real, select};

/// erf x/x − 1 as a function of x², for |x| < 1.
#[inline(always)]
fn erf_series(z: f64) -> f64 {
    polynomial![z;
        -4.230_945_824_295_338e-12, 8.709_045_129_053_106e-11, -1.216_456_005_728_345e-9,
        1.479_240_120_940_481_3e-8, -1.636_464_215_816_761_6e-7, 1.646_204_544_146_841_8e-6,
        -1.492_564_756_751_933_2e-5, 0.000_120_553_329_028_887_36, -0.000_854_832_702_193_483,
        0.005_223_977_625_423_298_5, -0.026_866_170_645_129_84, 0.112_837_916_709_551_2,
        -0.376_126_389_031_837_54, 0.128_379_167_095_512_6,
    ]
}

/// What the polynomial for exp(x²)·erfc x/w depends on, and w = 1/(x + 2.5) (a form of Hastings').
#[inline(always)]
fn place(x: f64, [scale, middle]: [f64; 2]) -> [f64; 2] {
    let w = 1.0 / (x + 2.5);
    [scale * w - middle, w]
}

/// erfc x for x ≥ 0.5.
#[inline(always)]
fn tail(x: f64) -> f64 {
    let x = select(x > 28.0, 28.0, x);
    let [u, w] = place(x, [6.654_545_454_545_454, 1.218_181_818_181_818_3]);
    let p = polynomial![u;
        -4.904_572_048_553_824e-11, -1.015_701_390_484_290_7e-11, 6.067_806_364_499_925e-10,
        -3.945_479_228_623_329e-10, -4.181_232_472_450_989e-9, 7.836_486_244_146_008e-9,
        2.038_277_309_179_341_2e-8, -8.479_508_230_180_004e-8, -6.248_197_083_510_409e-8,
        7.651_066_014_084_713e-7, -9.215_636_068_442_944e-8, -6.946_930_411_430_021_5e-6,
        3.214_116_195_175_765_5e-6, 7.205_459_425_016_641e-5, -5.883_327_013_050_58e-6,
        -0.000_888_203_156_018_688_6, -0.001_413_409_760_009_546_9, 0.010_004_760_305_191_752,
        0.068_335_863_290_477_72, 0.232_407_330_124_117_85, 0.549_529_639_894_526_7,
        0.989_032_063_563_226_5,
    ];
    // x² in two numbers.
    let upper = x.truncate();
    w * p * exp_of_sum(-(upper * upper), (upper - x) * (upper + x))
}

/// erfc x for x ≥ 0, as precise as an f32 can show.
#[inline(always)]
fn short_tail(x: f64) -> f64 {
    let x = select(x > 11.0, 11.0, x);
    let [u, w] = place(x, [6.136_363_636_363_637, 1.454_545_454_545_454_6]);
    let p = polynomial![u;
        2.947_971_146_477_200_3e-6, -5.468_280_940_395_994e-6, -3.208_291_786_715_151e-5,
        8.897_476_414_198_114e-5, 0.000_317_128_754_991_312_87, -0.001_062_332_199_840_766_8,
        -0.004_739_182_997_909_906, 0.008_050_758_051_023_626, 0.102_133_654_657_069_32,
        0.367_995_438_505_288_04, 0.807_523_520_077_926, 1.219_726_643_667_086,
    ];
    w * p * Real::exp(-(x * x))
}

/// The error function: its series near 0, 1 − erfc x further away.
#[inline(always)]
pub(super) fn erf(x: f64) -> f64 {
    let t = x.abs();
    let small = t + t * erf_series(t * t);
    select(t < 1.0, small, 1.0 - tail(t)).copysign(x)
}

/// 1 − erf x, accurate also where that is small.
#[inline(always)]
pub(super) fn erfc(x: f64) -> f64 {
    let t = x.abs();
    let small = (1.0 - x) - x * erf_series(x * x);
    let tail = tail(t);
    select(t < 0.5, small, select(x < 0.0, 2.0 - tail, tail))
}

/// [`erf`] for f32, computed as f64, in which the rounding of x² does not show.
#[inline(always)]
pub(super) fn short_erf(x: f32) -> f32 {
    let x = f64::from(x);
    let t = x.abs();
    let series = polynomial![t * t;
        0.004_719_082_567_218_814, -0.026_757_732_735_015_517, 0.112_828_314_284_658_62,
        -0.376_126_090_074_698_05, 0.128_379_165_601_791_47,
    ];
    let small = t + t * series;
    select(t < 0.5, small, 1.0 - short_tail(t)).copysign(x) as f32
}

/// [`erfc`] for f32, computed as f64.
#[inline(always)]
pub(super) fn short_erfc(x: f32) -> f32 {
    let x = f64::from(x);
    let tail = short_tail(x.abs());
    select(x < 0.0, 2.0 - tail, tail) as f32
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
