//! Functions of one element where formulas have corners: zeros of both signs, infinities, NaN, kinks,
//! very large arguments, and derivatives of derivatives. The numbers are PyTorch's.

#![allow(clippy::approx_constant)] // Some of them are multiples of π or logarithms.

use gradus_core::autograd::{GradOptions, grad_with};
use gradus_core::{DType, Result, Tensor};

const INF: f64 = f64::INFINITY;
const NAN: f64 = f64::NAN;

fn leaf(values: &[f64]) -> Tensor {
    let x = Tensor::from_vec(values, [values.len()]).unwrap();
    x.requires_grad_(true).unwrap()
}

fn values(x: &Tensor) -> Vec<f64> {
    x.to_vec().unwrap()
}

/// Equal as numbers, up to `rtol` or `atol`; zeros with the same sign.
fn close(a: f64, b: f64, rtol: f64, atol: f64) -> bool {
    match () {
        () if a.is_nan() || b.is_nan() => a.is_nan() && b.is_nan(),
        () if a == 0.0 && b == 0.0 => a.is_sign_negative() == b.is_sign_negative(),
        () => a == b || (a - b).abs() <= atol + rtol * b.abs(),
    }
}

type Call = fn(&Tensor) -> Result<Tensor>;
/// A call, and the same on plain numbers.
type Pair<T, U> = (Call, fn(T) -> U);

const POINTS: [f64; 10] = [0.0, -0.0, 0.5, -1.0, 3.0, -1000.0, 1000.0, INF, -INF, NAN];

#[rustfmt::skip] // One row a line.
const VALUES: &[(Call, [f64; 10])] = &[
    (|x| x.abs(), [0.0, 0.0, 0.5, 1.0, 3.0, 1000.0, 1000.0, INF, INF, NAN]),
    (|x| x.sign(), [0.0, 0.0, 1.0, -1.0, 1.0, -1.0, 1.0, 1.0, -1.0, 0.0]),
    (|x| x.square(), [0.0, 0.0, 0.25, 1.0, 9.0, 1.00000000000e6, 1.00000000000e6, INF, INF, NAN]),
    (|x| x.reciprocal(), [INF, -INF, 2.0, -1.0, 0.333333333333, -0.001, 0.001, 0.0, -0.0, NAN]),
    (|x| x.sqrt(), [0.0, -0.0, 0.707106781, NAN, 1.73205080757, NAN, 31.6227766017, INF, NAN, NAN]),
    (|x| x.rsqrt(), [INF, -INF, 1.41421356, NAN, 0.57735026919, NAN, 0.0316227766017, 0.0, NAN, NAN]),
    (|x| x.exp(), [1.0, 1.0, 1.6487212707, 0.367879441171, 20.0855369232, 0.0, INF, INF, 0.0, NAN]),
    (|x| x.exp2(), [1.0, 1.0, 1.41421356, 0.5, 8.0, 9.33263618503e-302, 1.07150860719e301, INF, 0.0, NAN]),
    (|x| x.expm1(), [0.0, -0.0, 0.6487212707, -0.632120558829, 19.0855369232, -1.0, INF, INF, -1.0, NAN]),
    (|x| x.log(), [-INF, -INF, -0.69314718056, NAN, 1.09861228867, NAN, 6.90775527898, INF, NAN, NAN]),
    (|x| x.log2(), [-INF, -INF, -1.0, NAN, 1.58496250072, NAN, 9.96578428466, INF, NAN, NAN]),
    (|x| x.log10(), [-INF, -INF, -0.301029995664, NAN, 0.47712125472, NAN, 3.0, INF, NAN, NAN]),
    (|x| x.log1p(), [0.0, -0.0, 0.405465108108, -INF, 1.38629436112, NAN, 6.90875477932, INF, NAN, NAN]),
    (|x| x.sin(), [0.0, -0.0, 0.479425538604, -0.841470984808, 0.14112000806, -0.826879540532, 0.826879540532, NAN, NAN, NAN]),
    (|x| x.cos(), [1.0, 1.0, 0.87758256189, 0.540302305868, -0.9899924966, 0.562379076291, 0.562379076291, NAN, NAN, NAN]),
    (|x| x.tan(), [0.0, -0.0, 0.546302489844, -1.55740772465, -0.142546543074, -1.4703241557, 1.4703241557, NAN, NAN, NAN]),
    (|x| x.asin(), [0.0, -0.0, 0.523598775598, -1.57079632679, NAN, NAN, NAN, NAN, NAN, NAN]),
    (|x| x.acos(), [1.57079633, 1.57079633, 1.04719755, 3.14159265, NAN, NAN, NAN, NAN, NAN, NAN]),
    (|x| x.atan(), [0.0, -0.0, 0.463647609001, -0.785398163397, 1.2490457724, -1.56979632713, 1.56979632713, 1.57079633, -1.57079632679, NAN]),
    (|x| x.sinh(), [0.0, -0.0, 0.521095305494, -1.17520119364, 10.0178749274, -INF, INF, INF, -INF, NAN]),
    (|x| x.cosh(), [1.0, 1.0, 1.12762596521, 1.54308063482, 10.0676619958, INF, INF, INF, INF, NAN]),
    (|x| x.tanh(), [0.0, -0.0, 0.46211715726, -0.761594155956, 0.995054753687, -1.0, 1.0, 1.0, -1.0, NAN]),
    (|x| x.asinh(), [0.0, -0.0, 0.48121182506, -0.88137358702, 1.81844645923, -7.60090270954, 7.60090270954, INF, -INF, NAN]),
    (|x| x.acosh(), [NAN, NAN, NAN, NAN, 1.76274717404, NAN, 7.60090220954, INF, NAN, NAN]),
    (|x| x.atanh(), [0.0, -0.0, 0.549306144334, -INF, NAN, NAN, NAN, NAN, NAN, NAN]),
    (|x| x.sinc(), [1.0, 1.0, 0.636619772, 3.89817183252e-17, 3.89817183252e-17, -1.02310095983e-16, -1.02310095983e-16, NAN, NAN, NAN]),
    (|x| x.floor(), [0.0, -0.0, 0.0, -1.0, 3.0, -1000.0, 1000.0, INF, -INF, NAN]),
    (|x| x.ceil(), [0.0, -0.0, 1.0, -1.0, 3.0, -1000.0, 1000.0, INF, -INF, NAN]),
    (|x| x.round(), [0.0, -0.0, 0.0, -1.0, 3.0, -1000.0, 1000.0, INF, -INF, NAN]),
    (|x| x.trunc(), [0.0, -0.0, 0.0, -1.0, 3.0, -1000.0, 1000.0, INF, -INF, NAN]),
    (|x| x.frac(), [0.0, 0.0, 0.5, 0.0, 0.0, 0.0, 0.0, NAN, NAN, NAN]),
    (|x| x.erf(), [0.0, -0.0, 0.520499877813, -0.84270079295, 0.999977909503, -1.0, 1.0, 1.0, -1.0, NAN]),
    (|x| x.erfc(), [1.0, 1.0, 0.479500122187, 1.84270079295, 2.20904969986e-5, 2.0, 0.0, 0.0, 2.0, NAN]),
    (|x| x.erfinv(), [0.0, -0.0, 0.476936276204, -INF, NAN, NAN, NAN, NAN, NAN, NAN]),
    (|x| x.sigmoid(), [0.5, 0.5, 0.622459331202, 0.26894142137, 0.952574126822, 0.0, 1.0, 1.0, 0.0, NAN]),
    (|x| x.logsigmoid(), [-0.69314718056, -0.69314718056, -0.47407698418, -1.31326168752, -0.0485873515737, -1000.0, 0.0, 0.0, -INF, NAN]),
    (|x| x.softplus(), [0.693147181, 0.693147181, 0.97407698418, 0.313261687518, 3.04858735157, 0.0, 1000.0, INF, 0.0, NAN]),
    (|x| x.softsign(), [0.0, -0.0, 0.333333333333, -0.5, 0.75, -0.999000999001, 0.999000999001, NAN, NAN, NAN]),
    (|x| x.tanhshrink(), [0.0, 0.0, 0.03788284274, -0.238405844044, 2.00494524631, -999.0, 999.0, INF, -INF, NAN]),
    (|x| x.gelu(), [0.0, -0.0, 0.345731230637, -0.158655253931, 2.99595030591, -0.0, 1000.0, INF, NAN, NAN]),
    (|x| x.gelu_tanh(), [0.0, -0.0, 0.345714009825, -0.158808009392, 2.99636260792, -0.0, 1000.0, INF, NAN, NAN]),
    (|x| x.silu(), [0.0, -0.0, 0.311229665601, -0.26894142137, 2.85772238047, -0.0, 1000.0, INF, NAN, NAN]),
    (|x| x.mish(), [0.0, -0.0, 0.375245211305, -0.303401461374, 2.98653500497, -0.0, 1000.0, INF, NAN, NAN]),
    (|x| x.relu(), [0.0, -0.0, 0.5, 0.0, 3.0, 0.0, 1000.0, INF, 0.0, NAN]),
    (|x| x.relu6(), [0.0, -0.0, 0.5, 0.0, 3.0, 0.0, 6.0, 6.0, 0.0, NAN]),
    (|x| x.selu(), [0.0, -0.0, 0.525350493678, -1.11133073781, 3.15210296207, -1.75809934085, 1050.70098736, INF, -1.75809934085, NAN]),
    (|x| x.hardsigmoid(), [0.5, 0.5, 0.583333333333, 0.333333333333, 1.0, 0.0, 1.0, 1.0, 0.0, NAN]),
    (|x| x.hardswish(), [0.0, -0.0, 0.291666666667, -0.333333333333, 3.0, -0.0, 1000.0, INF, NAN, NAN]),
    (|x| x.logit(None), [-INF, -INF, 0.0, NAN, NAN, NAN, NAN, NAN, NAN, NAN]),
    (|x| x.logit(0.1), [-2.19722457734, -2.19722457734, 0.0, -2.19722457734, 2.19722457734, -2.19722457734, 2.19722457734, 2.19722457734, -2.19722457734, NAN]),
    (|x| x.clamp(-1, 1), [0.0, -0.0, 0.5, -1.0, 1.0, -1.0, 1.0, 1.0, -1.0, NAN]),
    (|x| x.clamp(1, -1), [-1.0, -1.0, -1.0, -1.0, -1.0, -1.0, -1.0, -1.0, -1.0, NAN]),
    (|x| x.clamp_min(0.5), [0.5, 0.5, 0.5, 0.5, 3.0, 0.5, 1000.0, INF, 0.5, NAN]),
    (|x| x.clamp_max(0.5), [0.0, -0.0, 0.5, -1.0, 0.5, -1000.0, 0.5, 0.5, -INF, NAN]),
    (|x| x.clamp(f64::NAN, 1), [NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN]),
    (|x| x.round_decimals(1), [0.0, -0.0, 0.5, -1.0, 3.0, -1000.0, 1000.0, INF, -INF, NAN]),
    (|x| x.round_decimals(-3), [0.0, -0.0, 0.0, -0.0, 0.0, -1000.0, 1000.0, INF, -INF, NAN]),
    (|x| x.leaky_relu(0.1), [0.0, -0.0, 0.5, -0.1, 3.0, -100.0, 1000.0, INF, -INF, NAN]),
    (|x| x.elu(2.0), [0.0, -0.0, 0.5, -1.26424111766, 3.0, -2.0, 1000.0, INF, -2.0, NAN]),
    (|x| x.celu(2.0), [0.0, -0.0, 0.5, -0.786938680575, 3.0, -2.0, 1000.0, INF, -2.0, NAN]),
    (|x| x.hardtanh(-1.0, 0.5), [0.0, -0.0, 0.5, -1.0, 0.5, -1.0, 0.5, 0.5, -1.0, NAN]),
    (|x| x.threshold(0.5, 7.0), [7.0, 7.0, 7.0, 7.0, 3.0, 7.0, 1000.0, INF, 7.0, NAN]),
    // Here PyTorch gives a zero of either sign, as its loops happen to be cut up.
    (|x| x.softshrink(0.5), [0.0, -0.0, 0.0, -0.5, 2.5, -999.5, 999.5, INF, -INF, NAN]),
    (|x| x.hardshrink(0.5), [0.0, 0.0, 0.0, -1.0, 3.0, -1000.0, 1000.0, INF, -INF, NAN]),
    (|x| x.softplus_with(2.0, 1.0), [0.34657359028, 0.34657359028, 0.656630843759, 0.0634640055215, 3.0, 0.0, 1000.0, INF, 0.0, NAN]),
    (|x| x.swish(0.0), [0.0, -0.0, 0.25, -0.5, 1.5, -500.0, 500.0, NAN, NAN, NAN]),
    (|x| x.nan_to_num(7.0, 8.0, -2.0), [0.0, -0.0, 0.5, -1.0, 3.0, -1000.0, 1000.0, 8.0, -2.0, 7.0]),
];

#[test]
fn values_at_the_corners_are_those_of_pytorch() -> Result<()> {
    let x = Tensor::from_vec(POINTS, [POINTS.len()])?;
    let mut wrong = Vec::new();
    for (row, (f, expected)) in VALUES.iter().enumerate() {
        let (double, single) = (f(&x)?, f(&x.to_dtype(DType::F32)?)?);
        assert_eq!((double.dtype(), single.dtype()), (DType::F64, DType::F32));
        for (i, &e) in expected.iter().enumerate() {
            let (d, s) = (values(&double)[i], values(&single)[i]);
            if !close(d, e, 1e-8, 1e-15) {
                wrong.push(format!("row {row} at {}: {d} for {e}", POINTS[i]));
            }
            // What is out of range for f32 is infinite there, or 0.
            let e = f64::from(e as f32);
            if !close(s, e, 1e-5, 1e-6) {
                wrong.push(format!("row {row} at {}: {s} for {e} in f32", POINTS[i]));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    Ok(())
}

#[rustfmt::skip] // One row a line.
const KINKS: &[(Call, &[f64], &[f64])] = &[
    (|x| x.abs(), &[0.0, -0.0, NAN], &[0.0, 0.0, 0.0]),
    (|x| x.relu(), &[0.0, NAN], &[0.0, 1.0]),
    (|x| x.sign(), &[0.0, NAN], &[0.0, 0.0]),
    (|x| x.round(), &[0.5, NAN], &[0.0, 0.0]),
    (|x| x.frac(), &[1.0, NAN], &[1.0, 1.0]),
    (|x| x.sqrt(), &[0.0, -1.0], &[INF, NAN]),
    (|x| x.rsqrt(), &[0.0, -0.0, INF], &[-INF, INF, -0.0]),
    (|x| x.reciprocal(), &[0.0, -0.0, INF], &[-INF, -INF, -0.0]),
    (|x| x.asin(), &[1.0, -1.0, 2.0], &[INF, INF, NAN]),
    (|x| x.acos(), &[1.0, -1.0, 2.0], &[-INF, -INF, NAN]),
    (|x| x.acosh(), &[1.0, 0.5], &[INF, NAN]),
    (|x| x.atanh(), &[1.0, -1.0], &[INF, INF]),
    (|x| x.erfinv(), &[1.0, -1.0, 2.0], &[INF, INF, NAN]),
    (|x| x.sinc(), &[0.0, -0.0, NAN, INF], &[0.0, 0.0, NAN, NAN]),
    (|x| x.logit(None), &[0.0, 1.0, -1.0, NAN], &[INF, INF, NAN, NAN]),
    (|x| x.logit(0.1), &[0.0, 0.1, 0.9, 1.0, NAN], &[0.0, 11.1111111111, 11.1111111111, 0.0, NAN]),
    (|x| x.clamp(-1, 1), &[-2.0, -1.0, 0.0, 1.0, 2.0, INF, NAN], &[0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0]),
    (|x| x.clamp(1, -1), &[-1.0, 0.0, 1.0], &[0.0, 0.0, 0.0]),
    (|x| x.clamp_min(1), &[0.0, 1.0, 2.0, INF, NAN], &[0.0, 0.0, 1.0, 1.0, 0.0]),
    (|x| x.clamp_max(1), &[0.0, 1.0, 2.0, -INF, NAN], &[1.0, 0.0, 0.0, 1.0, 0.0]),
    (|x| x.nan_to_num(0.0, None, None), &[NAN, INF, -INF, 1.0], &[0.0, 0.0, 0.0, 1.0]),
    (|x| x.relu6(), &[0.0, 6.0, 3.0, NAN], &[0.0, 0.0, 1.0, 1.0]),
    (|x| x.hardtanh(-1.0, 0.5), &[-1.0, 0.5, 0.0, NAN], &[0.0, 0.0, 1.0, 1.0]),
    (|x| x.leaky_relu(0.1), &[0.0, NAN], &[0.1, 0.1]),
    (|x| x.elu(2.0), &[0.0, NAN, 1000.0], &[2.0, 1.0, 1.0]),
    (|x| x.selu(), &[0.0, NAN], &[1.75809934085, 1.05070098736]),
    (|x| x.celu(2.0), &[0.0, NAN], &[1.0, 1.0]),
    (|x| x.hardsigmoid(), &[-3.0, 3.0, NAN], &[0.0, 0.0, 0.0]),
    (|x| x.hardswish(), &[-3.0, 3.0, NAN, -4.0, 4.0], &[0.0, 1.0, 1.0, 0.0, 1.0]),
    (|x| x.softshrink(0.5), &[-0.5, 0.5, 0.0, 1.0, NAN], &[0.0, 0.0, 0.0, 1.0, 1.0]),
    (|x| x.hardshrink(0.5), &[-0.5, 0.5, 0.0, 1.0, NAN], &[0.0, 0.0, 0.0, 1.0, 1.0]),
    (|x| x.threshold(0.5, 7.0), &[0.5, 1.0, NAN], &[0.0, 1.0, 1.0]),
    (|x| x.softplus(), &[20.0, 1000.0, -1000.0, NAN], &[0.999999997939, 1.0, 0.0, NAN]),
    (|x| x.softsign(), &[0.0, 1000.0], &[1.0, 9.98002996005e-7]),
    (|x| x.logsigmoid(), &[0.0, 1000.0, -1000.0, INF, -INF], &[0.5, 0.0, 1.0, 0.0, 1.0]),
    (|x| x.tanhshrink(), &[0.0, INF], &[0.0, 1.0]),
    (|x| x.prelu(&Tensor::full((), 0.25, x.dtype())?), &[0.0, NAN, -1.0], &[0.25, 0.25, 0.25]),
];

#[test]
fn gradients_at_kinks_are_those_of_pytorch_recorded_or_not() -> Result<()> {
    let mut wrong = Vec::new();
    for (row, (f, points, expected)) in KINKS.iter().enumerate() {
        for create_graph in [false, true] {
            let x = leaf(points);
            let y = f(&x)?;
            let ones = y.ones_like()?;
            let options = GradOptions {
                grad_outputs: &[&ones],
                create_graph,
                ..Default::default()
            };
            let slope = values(&grad_with(&[&y], &[&x], options)?.remove(0).unwrap());
            for (i, (&s, &e)) in slope.iter().zip(*expected).enumerate() {
                // Which zero a gradient of 0 is makes no difference.
                if s != e && !close(s, e, 1e-8, 0.0) {
                    wrong.push(format!(
                        "row {row} at {}: {s} for {e}, create_graph {create_graph}",
                        points[i]
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    Ok(())
}

/// The n-th derivative at each element.
fn derivative(f: impl Fn(&Tensor) -> Result<Tensor>, x: &Tensor, n: usize) -> Result<Tensor> {
    (0..n).try_fold(f(x)?, |y, _| {
        let options = GradOptions {
            create_graph: true,
            ..Default::default()
        };
        Ok(grad_with(&[&y.sum(..)?], &[x], options)?.remove(0).unwrap())
    })
}

#[test]
fn third_derivatives_agree_with_the_closed_form() -> Result<()> {
    let points = [-2.0, -0.3, 0.0, 0.4, 1.7];
    let x = leaf(&points);
    let tanh = values(&derivative(Tensor::tanh, &x, 3)?);
    let sigmoid = values(&derivative(Tensor::sigmoid, &x, 3)?);
    let cubic = values(&derivative(|x| x.square()?.mul(x), &x, 3)?);
    for (i, &x) in points.iter().enumerate() {
        let (t, s) = (x.tanh(), 1.0 / (1.0 + (-x).exp()));
        // With u = 1 − t²: −2u² + 4t²u.
        let u = 1.0 - t * t;
        assert!(
            close(tanh[i], -2.0 * u * u + 4.0 * t * t * u, 1e-13, 1e-14),
            "tanh at {x}"
        );
        // With v = s(1 − s): v(1 − 6v).
        let v = s * (1.0 - s);
        assert!(
            close(sigmoid[i], v * (1.0 - 6.0 * v), 1e-13, 1e-14),
            "sigmoid at {x}"
        );
        assert!((cubic[i] - 6.0).abs() < 1e-13);
    }
    Ok(())
}

#[test]
fn derivatives_far_from_0_stay_finite() -> Result<()> {
    // A branch that is not taken must not bring infinity times 0 into the derivative of a derivative.
    let x = leaf(&[-800.0, -30.0, 0.0, 30.0, 800.0]);
    let calls: &[Call] = &[
        Tensor::sigmoid,
        Tensor::logsigmoid,
        Tensor::softplus,
        Tensor::softsign,
        Tensor::tanhshrink,
        Tensor::gelu,
        Tensor::gelu_tanh,
        Tensor::silu,
        Tensor::mish,
        Tensor::selu,
        |x| x.elu(1.0),
        |x| x.celu(0.5),
        Tensor::sinc,
        Tensor::tanh,
        Tensor::erf,
        |x| x.logit(0.1),
    ];
    for (i, f) in calls.iter().enumerate() {
        for n in 1..=3 {
            let slopes = values(&derivative(f, &x, n)?);
            assert!(
                slopes.iter().all(|s| s.is_finite()),
                "call {i}, derivative {n}: {slopes:?}"
            );
        }
    }
    Ok(())
}

#[test]
fn the_slope_of_sinc_is_exact_near_0_and_has_slopes_itself() -> Result<()> {
    // −π²x/3, and its derivative at 0; formulas with a division by x lose all digits here.
    let slope = values(&derivative(Tensor::sinc, &leaf(&[1e-9, -1e-9]), 1)?);
    let pi2 = std::f64::consts::PI.powi(2);
    assert!(close(slope[0], -pi2 * 1e-9 / 3.0, 1e-14, 0.0) && slope[1] == -slope[0]);
    let second = values(&derivative(Tensor::sinc, &leaf(&[0.0]), 2)?);
    assert!(close(second[0], -pi2 / 3.0, 1e-14, 0.0));
    Ok(())
}

#[test]
fn integers_keep_their_dtype_where_pytorch_keeps_it() -> Result<()> {
    let values = [-300i64, -3, 0, 2, 300];
    for dtype in [DType::U8, DType::I32, DType::I64] {
        let x = Tensor::from_vec(values, [5])?.to_dtype(dtype)?;
        let naive = |f: fn(i64) -> i64| -> Result<Vec<i64>> {
            let results: Vec<i64> = x.to_vec::<i64>()?.into_iter().map(f).collect();
            Tensor::from_vec(results, [5])?.to_dtype(dtype)?.to_vec()
        };
        let calls: &[Pair<i64, i64>] = &[
            (Tensor::neg, |x| -x),
            (Tensor::abs, i64::abs),
            (Tensor::sign, i64::signum),
            (Tensor::square, |x| x * x),
            (Tensor::positive, |x| x),
            (Tensor::floor, |x| x),
            (Tensor::ceil, |x| x),
            (Tensor::round, |x| x),
            (Tensor::trunc, |x| x),
            (Tensor::relu, |x| x.max(0)),
            (Tensor::relu6, |x| x.clamp(0, 6)),
            (|x| x.clamp(-2, 7), |x| x.clamp(-2, 7)),
            (|x| x.clamp_min(1), |x| x.max(1)),
            (|x| x.clamp_max(true), |x| x.min(1)),
            (|x| x.hardtanh(-2.5, 2.5), |x| x.clamp(-2, 2)),
            (|x| x.threshold(1.0, 9.0), |x| if x <= 1 { 9 } else { x }),
            (|x| x.nan_to_num(0.0, None, None), |x| x),
        ];
        for (i, (f, whole)) in calls.iter().enumerate() {
            let y = f(&x)?;
            assert_eq!(
                (y.dtype(), y.to_vec::<i64>()?),
                (dtype, naive(*whole)?),
                "call {i} of {dtype}"
            );
        }
        assert_eq!(x.clamp(-1.5, 1)?.dtype(), DType::F32);
        assert_eq!(x.exp()?.dtype(), DType::F32);
        assert!(x.isfinite()?.to_vec::<bool>()?.iter().all(|&finite| finite));
        let negative: Vec<bool> = x.to_vec::<i64>()?.into_iter().map(|x| x < 0).collect();
        assert_eq!(x.signbit()?.to_vec::<bool>()?, negative);
    }
    let b = Tensor::from([true, false]);
    assert_eq!(
        (
            b.sign()?.dtype(),
            b.square()?.dtype(),
            b.clamp(0, 1)?.dtype()
        ),
        (DType::Bool, DType::I64, DType::I64)
    );
    assert_eq!(
        Tensor::from_vec([i64::MIN], [1])?.abs()?.item::<i64>()?,
        i64::MIN
    );
    Ok(())
}

#[test]
fn what_floats_are_is_told_apart() -> Result<()> {
    for dtype in [DType::F32, DType::F64] {
        let x = Tensor::from_vec(POINTS, [POINTS.len()])?.to_dtype(dtype)?;
        let tests: [Pair<f64, bool>; 6] = [
            (Tensor::isnan, f64::is_nan),
            (Tensor::isinf, f64::is_infinite),
            (Tensor::isfinite, f64::is_finite),
            (Tensor::isposinf, |x| x == INF),
            (Tensor::isneginf, |x| x == -INF),
            (Tensor::signbit, f64::is_sign_negative),
        ];
        for (i, (f, naive)) in tests.iter().enumerate() {
            assert_eq!(f(&x)?.to_vec::<bool>()?, POINTS.map(naive), "test {i}");
        }
    }
    Ok(())
}

#[test]
fn an_element_has_the_same_bits_wherever_it_stands() -> Result<()> {
    // Numbers of all sizes in an order without a rule, most of them near 0, so that some blocks of
    // sines are computed in vectors and some are not.
    let numbers = (0..4500u64).map(|i| {
        let noise = i.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 11;
        let unit = noise as f64 / (1u64 << 53) as f64 - 0.5;
        match i {
            100 | 4200 => 1e22 * unit,
            _ => unit * 10f64.powi((i % 9) as i32 - 5),
        }
    });
    let numbers: Vec<f64> = numbers.collect();
    let bits = |x: &Tensor| -> Result<Vec<u64>> {
        Ok(x.to_vec::<f64>()?.iter().map(|x| x.to_bits()).collect())
    };
    for (i, (f, _)) in VALUES.iter().enumerate() {
        for dtype in [DType::F64, DType::F32] {
            let x = Tensor::from_vec(&numbers, [numbers.len()])?.to_dtype(dtype)?;
            let slope = |x: &Tensor| -> Result<[Tensor; 2]> {
                let x = x.detach().requires_grad_(true)?;
                let y = f(&x)?;
                y.sum(..)?.backward()?;
                Ok([y.detach(), x.grad().expect("f is differentiable")])
            };
            let whole = slope(&x)?;
            for part in [0..1, 1..18, 95..131, 4200..4201, 4201..4207, 4096..4500] {
                let (start, len) = (part.start, part.len());
                let alone = slope(&x.narrow(0, start, len)?)?;
                for (whole, alone) in whole.iter().zip(&alone) {
                    let whole = whole.narrow(0, start, len)?;
                    assert_eq!(bits(&whole)?, bits(alone)?, "row {i}, {dtype}, {part:?}");
                }
            }
        }
    }
    Ok(())
}
