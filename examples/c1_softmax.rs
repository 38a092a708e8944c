//! C1: softmax, exp(xᵢ)/Σⱼ exp(xⱼ) along each row, that no input can overflow.
//!
//! exp(1000) is infinite, and ∞/∞ is no number. But softmax(x) = softmax(x − c) for any c, and with
//! c = max x the largest exponent is 0 (Goodfellow, Bengio and Courville, "Deep Learning", 4.1).

use gradus::nn::{Layer, Module};
use gradus::{Result, Tensor, keepdim};
use std::io::Write;

#[derive(Module)]
struct Softmax;

impl Layer for Softmax {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let exp = x.sub(&x.amax(keepdim(-1))?)?.exp()?;
        exp.div(&exp.sum(keepdim(-1))?)
    }
}

/// What the definition says, word for word.
fn naive(x: &Tensor) -> Result<Tensor> {
    let exp = x.exp()?;
    exp.div(&exp.sum(keepdim(-1))?)
}

fn show(out: &mut impl Write, name: &str, p: &Tensor) -> Result<()> {
    writeln!(out, "{name}:")?;
    for row in p.to_vec::<f64>()?.chunks(p.shape()[1]) {
        let row: Vec<_> = row.iter().map(|p| format!("{p:.8e}")).collect();
        writeln!(out, "  [{}]", row.join(", "))?;
    }
    Ok(())
}

/// Prints the figures.
pub fn run(out: &mut impl Write) -> Result<()> {
    let scores = [[2060.0, 2000.0, 2080.0], [1010.0, 1020.0, 1030.0]];
    let x = Tensor::from_vec(scores.as_flattened(), [2, 3])?;
    let p = Softmax.forward(&x)?;
    show(out, "Softmax", &p)?;
    show(out, "Tensor::softmax", &x.softmax(1)?)?;
    let sums = p.sum(1)?.to_vec::<f64>()?;
    let one = sums.iter().all(|sum| (sum - 1.0).abs() < 1e-15);
    writeln!(out, "rows sum to 1 ± 1e-15: {one}")?;
    show(out, "without the shift", &naive(&x)?)?;

    let huge = Tensor::from_vec([f64::MAX, 0.0, f64::MIN], [1, 3])?;
    show(out, "Softmax of ±1.8e308", &Softmax.forward(&huge)?)
}

fn main() -> Result<()> {
    run(&mut std::io::stdout())
}
