//! Non-linear least squares beside SciPy's, and on problems whose answer is known.

use gradus::optim::{LeastSquares, LevenbergMarquardt, Status, least_squares};
use gradus::random::{self, Generator};
use gradus::{Kind, Result, Tensor};

fn numbers(values: impl IntoIterator<Item = f64>) -> Tensor {
    let values = Vec::from_iter(values);
    let n = values.len();
    Tensor::from_vec(values, [n]).unwrap()
}

fn at(x: &Tensor, i: isize) -> Tensor {
    x.select(0, i).unwrap()
}

fn tight() -> LevenbergMarquardt {
    LevenbergMarquardt::new()
        .xtol(1e-14)
        .ftol(1e-14)
        .gtol(1e-14)
}

fn found(fit: &LeastSquares) -> Vec<f64> {
    fit.x.to_vec().unwrap()
}

fn assert_close(ours: &[f64], theirs: &[f64], tolerance: f64) {
    assert_eq!(ours.len(), theirs.len());
    for (a, b) in ours.iter().zip(theirs) {
        assert!(
            (a - b).abs() <= tolerance * b.abs(),
            "{ours:?} instead of {theirs:?}"
        );
    }
}

/// Intensity at wavelengths in metres for a temperature in kelvin, in W·m⁻³·sr⁻¹: Planck's law.
fn planck(wavelengths: &Tensor, temperature: &Tensor) -> Result<Tensor> {
    const H: f64 = 6.62607015e-34;
    const C: f64 = 299792458.0;
    const K: f64 = 1.380649e-23;
    let exponent = wavelengths.mul(temperature)?.reciprocal()?.mul(H * C / K)?;
    let below = exponent.exp()?.sub(1.0)?.mul(&wavelengths.pow(5.0)?)?;
    below.reciprocal()?.mul(2.0 * H * C * C)
}

/// Acceptance D4: within 1 %, from far off, in units whose squares are 10²⁶.
#[test]
fn plancks_law_gives_the_temperature_of_a_noisy_spectrum() {
    let wavelengths = numbers((0..200).map(|i| 2e-7 + 1e-8 * f64::from(i)));
    let truth = planck(&wavelengths, &numbers([5000.0])).unwrap();
    let peak = truth.amax(..).unwrap().item::<f64>().unwrap();
    for seed in 0..5 {
        let noise = random::scoped(Generator::new(seed), || Tensor::randn([200])).unwrap();
        let measured = truth.add(&noise.mul(0.05 * peak).unwrap()).unwrap();
        for start in [2000.0, 12_000.0] {
            let residuals = |x: &Tensor| planck(&wavelengths, x)?.sub(&measured);
            let fit = least_squares(residuals, &numbers([start])).unwrap();
            let (temperature, variance) = (
                found(&fit)[0],
                fit.covariance().unwrap().item::<f64>().unwrap(),
            );
            assert!(fit.success() && fit.nfev < 40, "{fit:?}");
            assert!((temperature - 5000.0).abs() < 50.0, "{temperature} K");
            // Noise of 5 % of the peak: the error that is claimed is the error that is there.
            let error = variance.sqrt();
            assert!(error > 1.0 && error < 20.0, "{error} K");
            assert!(
                (temperature - 5000.0).abs() < 4.0 * error,
                "{temperature} ± {error} K"
            );
        }
    }
}

/// A fit of three parameters: SciPy 1.17's `curve_fit` with tolerances of 1e-14, `popt` and `pcov`.
#[test]
fn an_exponential_is_fitted_as_by_scipy() {
    let t = numbers((0..20).map(|i| 0.25 * f64::from(i)));
    let y = numbers(
        (0..20)
            .map(f64::from)
            .map(|i| 2.5 * (-1.3 * 0.25 * i).exp() + 0.5 + 0.05 * (7.0 * i).sin()),
    );
    let residuals = |x: &Tensor| {
        let falling = t.mul(&at(x, 1))?.neg()?.exp()?;
        falling.mul(&at(x, 0))?.add(&at(x, 2))?.sub(&y)
    };
    let fit = tight().fit(residuals, &numbers([1.0; 3])).unwrap();
    let popt = [2.528808122048851, 1.291764605970091, 0.4951624042610205];
    assert_close(&found(&fit), &popt, 1e-7);
    let pcov = [
        [
            1.000483503395762e-3,
            3.246092565626948e-4,
            -8.475471517309342e-5,
        ],
        [
            3.246092565626948e-4,
            1.200172052339856e-3,
            2.97031927294712e-4,
        ],
        [
            -8.475471517309342e-5,
            2.97031927294712e-4,
            1.694232558333916e-4,
        ],
    ];
    let covariance = fit.covariance().unwrap().to_vec::<f64>().unwrap();
    assert_close(&covariance, pcov.as_flattened(), 1e-5);
    let usual = least_squares(residuals, &numbers([1.0; 3])).unwrap();
    assert!(
        (usual.cost / 0.011228071768721856 - 1.0).abs() < 1e-10,
        "{}",
        usual.cost
    );
    assert!(usual.nfev <= 10, "{}", usual.nfev);
}

/// Kowalik and Osborne's problem (Moré, Garbow and Hillstrom, 1981, number 15) with SciPy's figures.
#[test]
fn a_rational_function_is_fitted_as_by_scipy() {
    let u = numbers([
        4.0, 2.0, 1.0, 0.5, 0.25, 0.167, 0.125, 0.1, 0.0833, 0.0714, 0.0625,
    ]);
    let y = numbers([
        0.1957, 0.1947, 0.1735, 0.16, 0.0844, 0.0627, 0.0456, 0.0342, 0.0323, 0.0235, 0.0246,
    ]);
    let squares = u.mul(&u).unwrap();
    let residuals = |x: &Tensor| {
        let above = u.mul(&at(x, 1))?.add(&squares)?.mul(&at(x, 0))?;
        let below = u.mul(&at(x, 2))?.add(&squares)?.add(&at(x, 3))?;
        above.div(&below)?.sub(&y)
    };
    let fit = tight()
        .fit(residuals, &numbers([0.25, 0.39, 0.415, 0.39]))
        .unwrap();
    let scipy = [
        0.19280693424194656,
        0.1912823355192027,
        0.12305650770080191,
        0.13606233394719483,
    ];
    assert_close(&found(&fit), &scipy, 1e-6);
    assert!(
        (fit.cost / 1.5375280192461872e-4 - 1.0).abs() < 1e-12,
        "{}",
        fit.cost
    );
}

/// A curved valley, as many residuals as parameters, and nothing left at the end.
#[test]
fn the_valley_of_rosenbrock_leads_to_its_end() {
    let residuals = |x: &Tensor| {
        let (a, b) = (at(x, 0), at(x, 1));
        let across = b.sub(&a.mul(&a)?)?.mul(10.0)?;
        Tensor::stack(&[&across, &a.neg()?.add(1.0)?], 0)
    };
    let fit = least_squares(residuals, &numbers([-1.2, 1.0])).unwrap();
    assert_close(&found(&fit), &[1.0, 1.0], 1e-8);
    assert!(fit.cost < 1e-18 && fit.nfev < 40, "{fit:?}");
    let error = fit.covariance().unwrap_err().to_string();
    assert!(error.contains("2 residuals for 2 parameters"), "{error}");
    // The derivatives are those of one walk for each residual.
    let jacobian = fit.jacobian.to_vec::<f64>().unwrap();
    assert_close(&jacobian, &[-20.0, 10.0, -1.0, 0.0], 1e-7);

    let few = LevenbergMarquardt::new()
        .max_nfev(3)
        .fit(residuals, &numbers([-1.2, 1.0]))
        .unwrap();
    assert_eq!(
        (few.status, few.nfev, few.success()),
        (Status::MaxNfev, 3, false)
    );
    assert!(few.cost < 12.1, "the best so far, not {}", few.cost);
}

/// In seconds or in nanoseconds, a model is the same model.
#[test]
fn units_do_not_matter() {
    let t = numbers((0..20).map(|i| 0.25 * f64::from(i)));
    let y = t.mul(-1.3).unwrap().exp().unwrap().mul(2.5).unwrap();
    let fit = |unit: f64| {
        let residuals = |x: &Tensor| {
            let falling = t.mul(&at(x, 1).mul(unit)?)?.neg()?.exp()?;
            falling.mul(&at(x, 0))?.sub(&y)
        };
        least_squares(residuals, &numbers([1.0, 1.0 / unit])).unwrap()
    };
    let (plain, tiny) = (fit(1.0), fit(1e9));
    assert_close(&found(&plain), &[2.5, 1.3], 1e-8);
    assert_close(&found(&tiny), &[2.5, 1.3e-9], 1e-8);
    assert_eq!(plain.nfev, tiny.nfev);
}

/// A cliff beside the way: the square root has no value there, and shorter steps lead past it.
#[test]
fn a_step_to_where_nothing_is_defined_is_made_shorter() {
    let residuals = |x: &Tensor| Tensor::stack(&[&at(x, 0).sqrt()?.sub(0.1)?], 0);
    let fit = least_squares(residuals, &numbers([4.0])).unwrap();
    assert!(fit.nfev > fit.njev + 1, "no step was refused: {fit:?}");
    assert_close(&found(&fit), &[0.01], 1e-6);
}

/// There are many minima then: one is found, and who asks how sure it is is told why there is no answer.
#[test]
fn parameters_that_are_not_determined_are_named() {
    let t = numbers((0..10).map(f64::from));
    let y = t.mul(6.0).unwrap();
    let product = |x: &Tensor| t.mul(&at(x, 0))?.mul(&at(x, 1))?.sub(&y);
    let fit = least_squares(product, &numbers([1.0, 1.0])).unwrap();
    let x = found(&fit);
    assert!((x[0] * x[1] - 6.0).abs() < 1e-6, "{x:?}");
    let error = fit.covariance().unwrap_err().to_string();
    assert!(error.contains("do not determine x[1]"), "{error}");

    let idle = |x: &Tensor| t.mul(&at(x, 0))?.sub(&y)?.add(&at(x, 1).mul(0.0)?);
    let fit = least_squares(idle, &numbers([1.0, 7.0])).unwrap();
    assert_close(&found(&fit), &[6.0, 7.0], 1e-8);
    let error = fit.covariance().unwrap_err().to_string();
    assert!(error.contains("x[1] has no influence"), "{error}");
}

#[test]
fn what_cannot_be_fitted_is_refused() {
    let line = |x: &Tensor| numbers([1.0, 2.0, f64::NAN]).mul(&at(x, 0));
    let flat = |x: &Tensor| numbers([1.0]).mul(&at(x, 0));
    let steep = |x: &Tensor| numbers([1.0, 2.0]).mul(&at(x, 0).sqrt()?);
    let say = |result: Result<LeastSquares>| {
        let error = result.unwrap_err();
        assert_eq!(error.kind(), Kind::Value);
        error.to_string()
    };
    for (said, expected) in [
        (
            say(least_squares(line, &numbers([1.0]))),
            "residual 2 is NaN at x0 = [1.0]",
        ),
        (
            say(least_squares(flat, &numbers([1.0, 2.0]))),
            "1 residuals do not determine 2 parameters",
        ),
        (
            say(least_squares(flat, &Tensor::from(1.0))),
            "x0 must have shape [n], n at least 1, not []",
        ),
        (
            say(least_squares(steep, &numbers([0.0]))),
            "the derivative of residual 0 by x[0] is ",
        ),
        (
            say(tight().xtol(-1.0).fit(flat, &numbers([1.0]))),
            "xtol must be at least 0, not -1",
        ),
        (
            say(tight().gtol(f64::NAN).fit(flat, &numbers([1.0]))),
            "gtol must be at least 0, not NaN",
        ),
    ] {
        assert!(said.contains(expected), "{said}");
    }
    let fails = |_: &Tensor| Err(gradus::Error::new(Kind::Data, "no file"));
    assert_eq!(
        least_squares(fails, &numbers([1.0]))
            .unwrap_err()
            .to_string(),
        "no file"
    );
}
