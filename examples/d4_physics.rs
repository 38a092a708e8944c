//! D4: constants of nature from measurements: a resistance by gradient descent, and a temperature by
//! non-linear least squares.

use clap::Parser;
use gradus::nn::Parameter;
use gradus::optim::{Optimizer, Sgd, least_squares};
use gradus::plot::{Panel, Series, curves};
use gradus::{DType, Result, Tensor, random};
use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
};

/// Ohm's law, V = R·I: R from five pairs of voltage and current, beginning with 1 Ω; its value every ten
/// steps.
pub fn ohm(out: &mut impl Write) -> Result<Vec<f64>> {
    let current = Tensor::from([0.5, 1.0, 1.5, 2.0, 2.5]);
    let voltage = current.mul(5.0)?;
    let r = Parameter::new(Tensor::from(1.0))?;
    let mut sgd = Sgd::new(vec![r.clone()], 0.01);
    let mut seen = Vec::new();
    for step in 1..=100 {
        let loss = current.mul(&r)?.sub(&voltage)?.pow(2.0)?.mean(..)?;
        sgd.zero_grad();
        loss.backward()?;
        sgd.step()?;
        if step % 10 == 0 {
            let value = r.item::<f64>()?;
            writeln!(out, "step {step:3}: R = {value:.4} Ω")?;
            seen.push(value);
        }
    }
    Ok(seen)
}

/// Planck's constant [J s], the speed of light [m/s], Boltzmann's constant [J/K]; exact since 2019.
const H: f64 = 6.626_070_15e-34;
const C: f64 = 299_792_458.0;
const K: f64 = 1.380_649e-23;

/// The radiance of a black body of `temperature` [K] at `wavelength` [m], in kW/(sr m² nm): Planck's law.
fn planck(wavelength: &Tensor, temperature: &Tensor) -> Result<Tensor> {
    let exponent = (H * C / K) / wavelength.mul(temperature)?;
    // 1e-12 from W/m³ to kW/(m² nm).
    let strength = (2.0e-12 * H * C * C) / wavelength.pow(5.0)?;
    strength.div(&exponent.expm1()?)
}

/// The temperature of a star of 5000 K from its spectrum, 300 to 2000 nm, with noise of a twentieth of
/// its mean; begins with 3000 K.
pub fn temperature(out: &mut impl Write, folder: &Path) -> Result<f64> {
    random::manual_seed(0);
    let wavelength = Tensor::linspace(300e-9, 2000e-9, 120, DType::F64)?;
    let kelvin = |t: f64| Tensor::full([1], t, DType::F64);
    let exact = planck(&wavelength, &kelvin(5000.0)?)?;
    let deviation = 0.05 * exact.mean(..)?.item::<f64>()?;
    let measured = exact.add(&Tensor::normal(0.0, deviation, [120], DType::F64)?)?;

    let residuals = |t: &Tensor| planck(&wavelength, t)?.sub(&measured);
    let fit = least_squares(residuals, &kelvin(3000.0)?)?;
    let found = fit.x.item::<f64>()?;
    let error = fit.covariance()?.item::<f64>()?.sqrt();
    writeln!(
        out,
        "T = {found:.1} ± {error:.1} K after {} evaluations; the truth is 5000 K",
        fit.nfev
    )?;

    let nanometres = wavelength.mul(1e9)?.to_vec::<f64>()?;
    let points = |values: &Tensor| -> Result<Vec<(f64, f64)>> {
        Ok(nanometres.iter().copied().zip(values.to_vec()?).collect())
    };
    let line = |name: String, values: &Tensor| -> Result<Series> {
        Ok(Series {
            name,
            points: points(values)?,
        })
    };
    let panel = Panel {
        title: "a star's spectrum".into(),
        x_label: "wavelength (nm)".into(),
        y_label: "radiance (kW/(sr m² nm))".into(),
        series: vec![
            line(
                "at first: 3000 K".into(),
                &planck(&wavelength, &kelvin(3000.0)?)?,
            )?,
            line(
                format!("fitted: {found:.0} K"),
                &planck(&wavelength, &fit.x)?,
            )?,
        ],
        dots: vec![line("measured".into(), &measured)?],
        ..Panel::default()
    };
    fs::write(folder.join("d4_planck.svg"), curves(&[panel]))?;
    Ok(found)
}

/// Constants of nature from measurements.
#[derive(Parser)]
struct Args {
    /// Folder for d4_planck.svg
    #[arg(long, default_value = ".")]
    out: PathBuf,
}

fn main() -> Result<()> {
    let args = Args::parse();
    fs::create_dir_all(&args.out)?;
    let out = &mut std::io::stdout().lock();
    ohm(out)?;
    temperature(out, &args.out)?;
    Ok(())
}
