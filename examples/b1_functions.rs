//! B1: f(a, b) = (a²·b + b)², differentiated through two operations made by hand.
//!
//! An operation is a struct with a `forward` and a `backward` side by side. `backward` gets the
//! gradient of the result and returns that of each input; the chain rule does the rest.

use gradus::{Context, Function, Grad, Grads, Result, Saved, Tensor, apply};
use std::io::Write;

/// z = x + y; ∂z/∂x = ∂z/∂y = 1.
struct Add;

impl Function for Add {
    fn name(&self) -> &'static str {
        "Add"
    }

    fn forward(&self, _: &mut Context, inputs: &[&Tensor]) -> Result<Tensor> {
        inputs[0].add(inputs[1])
    }

    fn backward(&self, _: &Saved<'_>, grad: &Tensor) -> Result<Grads> {
        Ok([Grad::Of(grad.clone()), Grad::Of(grad.clone())].into())
    }
}

/// z = x·y; ∂z/∂x = y, ∂z/∂y = x.
struct Mul;

impl Function for Mul {
    fn name(&self) -> &'static str {
        "Mul"
    }

    fn forward(&self, ctx: &mut Context, inputs: &[&Tensor]) -> Result<Tensor> {
        ctx.save(inputs[0]);
        ctx.save(inputs[1]);
        inputs[0].mul(inputs[1])
    }

    fn backward(&self, saved: &Saved<'_>, grad: &Tensor) -> Result<Grads> {
        let (x, y) = (saved.get(0)?, saved.get(1)?);
        Ok([Grad::Of(grad.mul(&y)?), Grad::Of(grad.mul(&x)?)].into())
    }
}

fn add(x: &Tensor, y: &Tensor) -> Result<Tensor> {
    apply(Add, &[x, y])
}

fn mul(x: &Tensor, y: &Tensor) -> Result<Tensor> {
    apply(Mul, &[x, y])
}

fn f(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    let square = mul(a, a)?;
    let sum = add(&mul(&square, b)?, b)?;
    mul(&sum, &sum)
}

/// A 0-d tensor of f64.
fn scalar(x: f64) -> Result<Tensor> {
    Tensor::from_vec([x], ())
}

fn show(grad: Option<Tensor>) -> Result<String> {
    grad.map_or(Ok("none".into()), |g| Ok(g.item::<f64>()?.to_string()))
}

/// Prints the figures.
pub fn run(out: &mut impl Write) -> Result<()> {
    let a = scalar(2.0)?.requires_grad_(true)?;
    let b = scalar(3.0)?.requires_grad_(true)?;
    let y = f(&a, &b)?;
    writeln!(out, "f(2, 3) = {}", y.item::<f64>()?)?;

    y.backward()?;
    writeln!(out, "a.grad = {}", show(a.grad())?)?;
    writeln!(out, "b.grad = {}", show(b.grad())?)?;

    y.backward()?;
    writeln!(out, "after a second backward, which adds to the first:")?;
    writeln!(out, "a.grad = {}", show(a.grad())?)?;
    writeln!(out, "b.grad = {}", show(b.grad())?)?;

    let a = scalar(2.0)?.requires_grad_(true)?;
    let b = scalar(3.0)?;
    f(&a, &b)?.backward()?;
    writeln!(out, "with a b that requires no gradient:")?;
    writeln!(out, "a.grad = {}", show(a.grad())?)?;
    writeln!(out, "b.grad = {}", show(b.grad())?)?;
    Ok(())
}

fn main() -> Result<()> {
    run(&mut std::io::stdout())
}
