//! B2: g(x, y) = sin(x)·(x³ + 2(x + y)), with an operation of the program's own among the engine's.

use gradus::{Context, Function, Grads, Result, Saved, Tensor, apply};
use std::io::Write;

/// z = a·sin(x); ∂z/∂a = sin(x), ∂z/∂x = a·cos(x).
struct MulSin;

impl Function for MulSin {
    fn name(&self) -> &'static str {
        "MulSin"
    }

    fn forward(&self, ctx: &mut Context, inputs: &[&Tensor]) -> Result<Tensor> {
        ctx.save(inputs[0]);
        ctx.save(inputs[1]);
        inputs[0].mul(&inputs[1].sin()?)
    }

    fn backward(&self, saved: &Saved<'_>, grad: &Tensor) -> Result<Grads> {
        let (a, x) = (saved.get(0)?, saved.get(1)?);
        // `saved.grad(i, …)` computes a gradient only if input i wants one.
        let da = saved.grad(0, || grad.mul(&x.sin()?))?;
        let dx = saved.grad(1, || grad.mul(&a)?.mul(&x.cos()?))?;
        Ok([da, dx].into())
    }
}

fn mul_sin(a: &Tensor, x: &Tensor) -> Result<Tensor> {
    apply(MulSin, &[a, x])
}

fn g(x: &Tensor, y: &Tensor) -> Result<Tensor> {
    let cube = x * x * x;
    mul_sin(&(cube + 2.0 * (x + y)), x)
}

/// Prints the figures.
pub fn run(out: &mut impl Write) -> Result<()> {
    let x = Tensor::from_vec([1.0], ())?.requires_grad_(true)?;
    let y = Tensor::from_vec([2.0], ())?.requires_grad_(true)?;
    let z = g(&x, &y)?;
    z.backward()?;
    writeln!(out, "g(1, 2) = {:.8}", z.item::<f64>()?)?;
    for (name, leaf) in [("x", x), ("y", y)] {
        if let Some(grad) = leaf.grad() {
            writeln!(out, "{name}.grad = {:.8}", grad.item::<f64>()?)?;
        }
    }
    Ok(())
}

fn main() -> Result<()> {
    run(&mut std::io::stdout())
}
