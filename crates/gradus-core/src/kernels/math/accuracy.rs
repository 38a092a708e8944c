//! How close the functions come, and what they make of special numbers.

use super::{Float, Real, special};

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
    ("exp2", Float::exp2, f64::exp2),
    ("exp_m1", Float::exp_m1, f64::exp_m1),
    ("ln", Real::ln, f64::ln),
    ("ln_1p", Float::ln_1p, f64::ln_1p),
    ("log2", Float::log2, f64::log2),
    ("log10", Float::log10, f64::log10),
    ("tanh", Real::tanh, f64::tanh),
    ("sinh", Real::sinh, f64::sinh),
    ("cosh", Real::cosh, f64::cosh),
    ("erf", Float::erf, libm::erf),
    ("erfc", Real::erfc, libm::erfc),
    ("sin", Real::sin, f64::sin),
    ("cos", Real::cos, f64::cos),
    ("tan", Float::tan, f64::tan),
    // Below −88.7 the result passes through e⁻ˣ = ∞ and is 0 instead of subnormal.
    (
        "sigmoid",
        |x| match x {
            ..-88.7 => f64::from(x).exp() as f32,
            x => Real::sigmoid(x),
        },
        |x| 1.0 / (1.0 + (-x).exp()),
    ),
];

const OTHERS: &[Compared] = &[
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

/// A function's name, the function, and its largest error in ulps.
type Row<T> = (&'static str, fn(T) -> T, f64);

/// The functions of f64 and their largest errors.
const DOUBLE: &[Row<f64>] = &[
    ("exp", Real::exp, 1.0),
    ("exp2", Float::exp2, 1.0),
    ("exp_m1", Float::exp_m1, 1.0),
    ("ln", Real::ln, 1.0),
    ("ln_1p", Float::ln_1p, 1.0),
    ("log2", Float::log2, 1.0),
    ("log10", Float::log10, 1.0),
    ("sin", Real::sin, 1.0),
    ("cos", Real::cos, 1.0),
    ("tan", Float::tan, 2.0),
    ("tanh", Real::tanh, 2.0),
    ("sinh", Real::sinh, 2.0),
    ("cosh", Real::cosh, 2.0),
    ("sigmoid", Real::sigmoid, 2.0),
    ("erf", Float::erf, 2.0),
    ("erfc", Real::erfc, 4.0),
];

/// From a number to the next one away from 0.
fn ulp(x: f64) -> f64 {
    let bits = x.abs().to_bits();
    f64::from_bits(bits + 1) - f64::from_bits(bits)
}

#[test]
fn f64_functions_are_as_exact_as_they_say() {
    // Name, x, the nearest value, and what is missing from that in its last place.
    // `scripts/math-coefficients points` computed it.
    let lines = include_str!("../../../tests/fixtures/math.txt").lines();
    for line in lines {
        let [name, x, nearest, missing] = line.split(' ').collect::<Vec<_>>()[..] else {
            panic!("{line}")
        };
        let number = |text: &str| text.parse::<f64>().unwrap();
        let (x, nearest) = (number(x), number(nearest));
        let &(_, f, most) = DOUBLE.iter().find(|d| d.0 == name).unwrap();
        let error = (f(x) - nearest) / ulp(nearest) - number(missing);
        assert!(error.abs() <= most, "{line}: {} is {error} off", f(x));
    }
}

#[test]
fn f64_functions_agree_with_the_standard_library_over_dense_ranges() {
    type Both = (&'static str, fn(f64) -> f64, [f64; 2]);
    let compared: &[Both] = &[
        ("exp", f64::exp, [-745.0, 709.7]),
        ("exp_m1", f64::exp_m1, [-3.0, 3.0]),
        ("ln", f64::ln, [0.4, 3.0]),
        ("log10", f64::log10, [0.1, 200.0]),
        ("ln_1p", f64::ln_1p, [-0.9, 2.0]),
        ("tanh", f64::tanh, [-2.0, 2.0]),
        ("sinh", f64::sinh, [-3.0, 3.0]),
        ("erf", libm::erf, [-6.0, 6.0]),
        ("erfc", libm::erfc, [-2.0, 27.0]),
        ("sin", f64::sin, [-1e6, 1e6]),
        ("cos", f64::cos, [-10.0, 10.0]),
        ("tan", f64::tan, [-10.0, 10.0]),
    ];
    for &(name, theirs, [low, high]) in compared {
        let &(_, ours, most) = DOUBLE.iter().find(|d| d.0 == name).unwrap();
        for i in 0..50_000 {
            let x = low + (high - low) * f64::from(i) / 49_999.0;
            // Theirs may be wrong by one too.
            let error = (ours(x) - theirs(x)).abs() / ulp(theirs(x));
            assert!(error <= most + 1.0, "{name}({x}) is {error} off");
        }
    }
}

#[test]
fn sigmoid_is_0_instead_of_subnormal_where_it_passes_through_infinity() {
    assert_eq!([-88.8f32, -100.0, -1e9].map(Real::sigmoid), [0.0; 3]);
    assert_eq!([-709.8, -720.0, -1e300].map(f64::sigmoid), [0.0; 3]);
    assert!(Real::sigmoid(-88.6f32) > 0.0 && f64::sigmoid(-709.6) > 0.0);
}

#[test]
fn powers_have_exact_logarithms() {
    for k in -1074..1024 {
        let x = Float::exp2(f64::from(k));
        assert_eq!(Float::log2(x), f64::from(k), "log2 of 2^{k}");
    }
    for k in -126..128 {
        assert_eq!(Float::log2(Float::exp2(k as f32)), k as f32, "2^{k}");
    }
    let mut power = 1.0;
    for k in 0..23 {
        assert_eq!(Float::log10(power), f64::from(k), "log10 of 10^{k}");
        power *= 10.0;
    }
    assert_eq!([1e0f32, 1e3, 1e10].map(Float::log10), [0.0, 3.0, 10.0]);
}

#[test]
fn f64_erf_inv_undoes_erf() {
    // What the error in y does to x is what erf itself can tell: dx = dy·√π/2·e^(x²).
    for i in -5000..5000 {
        let x = f64::from(i) / 1000.0;
        let (y, back) = (libm::erf(x), special::erf_inv(libm::erf(x)));
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

/// Bits that are the same, or both NaN.
fn same<T: Float>(a: T, b: T) -> bool {
    a == b && a.is_sign_negative() == b.is_sign_negative() || a.is_nan() && b.is_nan()
}

#[test]
fn special_values_are_those_of_the_standard_library() {
    type Four = (&'static str, [fn(f64) -> f64; 2], [fn(f32) -> f32; 2]);
    let functions: &[Four] = &[
        ("exp", [Real::exp, f64::exp], [Real::exp, f32::exp]),
        ("exp2", [Float::exp2, f64::exp2], [Float::exp2, f32::exp2]),
        (
            "exp_m1",
            [Float::exp_m1, f64::exp_m1],
            [Float::exp_m1, f32::exp_m1],
        ),
        ("ln", [Real::ln, f64::ln], [Real::ln, f32::ln]),
        (
            "ln_1p",
            [Float::ln_1p, f64::ln_1p],
            [Float::ln_1p, f32::ln_1p],
        ),
        ("log2", [Float::log2, f64::log2], [Float::log2, f32::log2]),
        (
            "log10",
            [Float::log10, f64::log10],
            [Float::log10, f32::log10],
        ),
        ("tanh", [Real::tanh, f64::tanh], [Real::tanh, f32::tanh]),
        ("sinh", [Real::sinh, f64::sinh], [Real::sinh, f32::sinh]),
        ("cosh", [Real::cosh, f64::cosh], [Real::cosh, f32::cosh]),
        ("sin", [Real::sin, f64::sin], [Real::sin, f32::sin]),
        ("cos", [Real::cos, f64::cos], [Real::cos, f32::cos]),
        ("tan", [Float::tan, f64::tan], [Float::tan, f32::tan]),
        ("erf", [Float::erf, libm::erf], [Float::erf, libm::erff]),
        ("erfc", [Real::erfc, libm::erfc], [Real::erfc, libm::erfcf]),
    ];
    let numbers = [
        f64::NAN,
        f64::INFINITY,
        0.0,
        5e-324,
        1e-45,
        1e-310,
        2.0,
        1e38,
        1e308,
    ];
    for (name, double, single) in functions {
        for x in numbers.into_iter().flat_map(|x| [x, -x]) {
            let [ours, theirs] = double.map(|f| f(x));
            let close = same(ours, theirs) || (ours - theirs).abs() <= ulp(theirs);
            assert!(close, "{name}({x}): {ours}, {theirs}");
            let x = x as f32;
            let [ours, theirs] = single.map(|f| f(x));
            let close = same(ours, theirs) || ulps32(ours, theirs.into()) <= 2;
            assert!(close, "{name}({x}), f32: {ours}, {theirs}");
        }
    }
}
