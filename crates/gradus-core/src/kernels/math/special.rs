//! The error function and its inverse.

use super::exp::exp_of_sum;
use super::format::{Format, polynomial};
use super::select;

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

/// w = 1/(x + 2.5), and u = (a − b·x)·w, from about −1 to 1: (x + 2.5)·exp(x²)·erfc x is a polynomial in
/// u (a form of Hastings').
#[inline(always)]
fn place(x: f64, [a, b]: [f64; 2]) -> [f64; 2] {
    let w = 1.0 / (x + 2.5);
    [(a - b * x) * w, w]
}

/// erfc x for x ≥ 0.5.
#[inline(always)]
fn tail(x: f64) -> f64 {
    let x = select(x > 28.0, 28.0, x);
    let [u, w] = place(x, [3.578_125, 1.218_75]);
    let p = polynomial![u;
        -5.200_368_684_849_891_5e-11, -1.667_752_288_609_424e-11, 6.494_782_815_995_907e-10,
        -3.581_350_468_840_326_5e-10, -4.532_567_904_911_891_5e-9, 7.965_486_472_816_412e-9,
        2.254_983_405_319_972_7e-8, -8.826_896_456_933_506e-8, -7.365_531_023_070_546e-8,
        8.016_447_872_928_44e-7, -3.909_393_311_302_450_4e-8, -7.267_501_509_331_201e-6,
        2.911_201_795_419_198_3e-6, 7.483_408_804_783_515e-5, -2.495_265_078_099_342e-6,
        -0.000_912_415_579_412_676_4, -0.001_477_926_037_939_854, 0.010_140_753_033_874_548,
        0.069_497_177_353_590_15, 0.235_728_812_871_084_2, 0.554_790_729_990_544_7,
        0.992_339_517_614_313_4,
    ];
    w * p * exp_of_minus_square(x)
}

/// erfc x for x ≥ 0. The polynomial is computed as f64, so that little more than the rounding of
/// the exponential shows.
#[inline(always)]
fn short_tail(x: f32) -> f32 {
    let x = select(x > 11.0, 11.0, x);
    let [u, w] = place(x.into(), [2.492_187_5, 1.453_125]);
    let p = polynomial![u;
        3.003_431_709_407_768e-6, -5.525_272_551_915_577e-6, -3.268_152_663_370_018_4e-5,
        8.992_262_683_592_53e-5, 0.000_322_179_157_770_581_94, -0.001_071_339_988_149_702_2,
        -0.004_791_501_276_505_722, 0.008_080_193_295_375_395, 0.102_744_398_360_941_71,
        0.369_754_527_927_035_95, 0.809_962_713_463_647, 1.220_757_247_067_414_6,
    ];
    (w * p) as f32 * exp_of_minus_square(x)
}

/// exp(−x²), with x² in two numbers.
#[inline(always)]
fn exp_of_minus_square<T: Format>(x: T) -> T {
    let upper = x.truncate();
    exp_of_sum(-(upper * upper), (upper - x) * (upper + x))
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

/// [`erf`] for f32.
#[inline(always)]
pub(super) fn short_erf(x: f32) -> f32 {
    let t = x.abs();
    let series = polynomial![t * t;
        0.004_719_082_6, -0.026_757_732, 0.112_828_314, -0.376_126_1, 0.128_379_17,
    ];
    let small = t + t * series;
    select(t < 0.5, small, 1.0 - short_tail(t)).copysign(x)
}

/// [`erfc`] for f32.
#[inline(always)]
pub(super) fn short_erfc(x: f32) -> f32 {
    let tail = short_tail(x.abs());
    select(x < 0.0, 2.0 - tail, tail)
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
