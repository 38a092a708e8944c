//! D4: constants of nature from measurements: a resistance by gradient descent, and a temperature by
//! non-linear least squares.

use clap::Parser;
use gradus::optim::{Optimizer, Sgd, least_squares};
use gradus::nn::Parameter;
use gradus::plot::{Panel, Series, curves};
use gradus::{DType, Result, Tensor, random};
use std::{fs, io::Write, path::{Path, PathBuf}};

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
