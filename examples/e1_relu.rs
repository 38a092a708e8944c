//! E1: relu and its derivative, written out and by autograd.

use gradus::{Result, Tensor};
use std::io::Write;

/// The larger of x and 0.
fn relu(x: f64) -> f64 {
    x.max(0.0)
}

/// Its slope. At 0 it has none; by convention 0 is taken.
fn d_relu(x: f64) -> f64 {
    if x > 0.0 { 1.0 } else { 0.0 }
}

/// Both functions on five numbers, beside what the library computes.
pub fn run(out: &mut impl Write) -> Result<()> {
    let numbers = [-1.3, -2.3, 0.0, 2.0, 3.0];
    writeln!(out, "x        {numbers:?}")?;
    writeln!(out, "relu     {:?}", numbers.map(relu))?;
    writeln!(out, "d relu   {:?}", numbers.map(d_relu))?;

    let x = Tensor::from(numbers).requires_grad_(true)?;
    let y = x.relu()?;
    y.sum(..)?.backward()?;
    let slopes = x.grad().map_or(Ok(Vec::new()), |g| g.to_vec::<f64>())?;
    writeln!(out, "autograd {:?}", y.to_vec::<f64>()?)?;
    writeln!(out, "         {slopes:?}")?;
    Ok(())
}

fn main() -> Result<()> {
    run(&mut std::io::stdout())
}
