//! C5: ReLU, sigmoid and the affine map, each with its forward and backward written out.

use gradus::nn::{Layer, Module, Parameter};
use gradus::{Context, Function, Grad, Grads, Result, Saved, Tensor, apply};
use std::io::Write;

/// y = max(x, 0); the gradient passes where x > 0.
struct Relu;

impl Function for Relu {
    fn name(&self) -> &'static str {
        "Relu"
    }

    fn forward(&self, ctx: &mut Context, inputs: &[&Tensor]) -> Result<Tensor> {
        ctx.save(&inputs[0].gt(0.0)?);
        inputs[0].relu()
    }

    fn backward(&self, saved: &Saved<'_>, grad: &Tensor) -> Result<Grads> {
        Ok([Grad::Of(grad.mul(&saved.get(0)?)?)].into())
    }
}

/// y = 1/(1 + e⁻ˣ); ∂y/∂x = y(1 − y).
struct Sigmoid;

impl Function for Sigmoid {
    fn name(&self) -> &'static str {
        "Sigmoid"
    }

    fn forward(&self, ctx: &mut Context, inputs: &[&Tensor]) -> Result<Tensor> {
        let y = 1.0 / (1.0 + (-inputs[0]).exp()?);
        ctx.save(&y);
        Ok(y)
    }

    fn backward(&self, saved: &Saved<'_>, grad: &Tensor) -> Result<Grads> {
        let y = saved.get(0)?;
        Ok([Grad::Of(grad * &y * (1.0 - &y))].into())
    }
}

/// y = x·W + b; ∂x = g·Wᵀ, ∂W = xᵀ·g, ∂b = the sum of the rows of g.
struct AffineMap;

impl Function for AffineMap {
    fn name(&self) -> &'static str {
        "AffineMap"
    }

    fn forward(&self, ctx: &mut Context, inputs: &[&Tensor]) -> Result<Tensor> {
        let (x, w, b) = (inputs[0], inputs[1], inputs[2]);
        ctx.save(x);
        ctx.save(w);
        x.matmul(w)?.add(b)
    }

    fn backward(&self, saved: &Saved<'_>, grad: &Tensor) -> Result<Grads> {
        let (x, w) = (saved.get(0)?, saved.get(1)?);
        let (dx, dw) = (grad.matmul(&w.t()?)?, x.t()?.matmul(grad)?);
        Ok([Grad::Of(dx), Grad::Of(dw), Grad::Of(grad.sum(0)?)].into())
    }
}

/// Shapes: W [in, out], b [out], input [n, in], result [n, out].
#[derive(Module)]
struct Affine {
    w: Parameter,
    b: Parameter,
}

impl Layer for Affine {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        apply(AffineMap, &[x, &self.w, &self.b])
    }
}

fn matrix<const N: usize>(rows: &[[f64; N]]) -> Result<Tensor> {
    Tensor::from_vec(rows.as_flattened(), [rows.len(), N])
}

fn show(out: &mut impl Write, name: &str, x: &Tensor) -> Result<()> {
    let columns = x.shape().last().copied().unwrap_or(1);
    let values = x.to_vec::<f64>()?;
    let rows: Vec<_> = values.chunks(columns).map(|r| format!("{r:.8?}")).collect();
    Ok(writeln!(out, "{name} = {}", rows.join(" "))?)
}

fn show_grad(out: &mut impl Write, name: &str, leaf: &Tensor) -> Result<()> {
    leaf.grad().map_or(Ok(()), |g| show(out, name, &g))
}

/// Prints the figures.
pub fn run(out: &mut impl Write) -> Result<()> {
    let x = matrix(&[[3.0, -10.0, 0.7]])?.requires_grad_(true)?;
    let y = apply(Relu, &[&x])?;
    show(out, "relu(x)", &y)?;
    y.backward_with(&x.ones_like()?)?;
    show_grad(out, "dx for the gradient 1", &x)?;
    x.zero_grad();

    let y = apply(Sigmoid, &[&x])?;
    let values: Vec<_> = y
        .to_vec()?
        .iter()
        .map(|y: &f64| format!("{y:.8e}"))
        .collect();
    writeln!(out, "sigmoid(x) = [{}]", values.join(", "))?;
    y.backward_with(&x)?;
    show_grad(out, "dx for the gradient x", &x)?;

    let w = Parameter::new(matrix(&[[0.2, -0.3, 0.6], [-0.9, 0.1, -0.4]])?)?;
    let b = Parameter::new(Tensor::from_vec([0.2, -0.3, 0.6], [3])?)?;
    let affine = Affine { w, b };
    let x = matrix(&[[0.2, -0.3], [-0.9, 0.1]])?.requires_grad_(true)?;
    let y = affine.forward(&x)?;
    show(out, "affine(x)", &y)?;
    y.backward_with(&matrix(&[[0.1, 0.5, -0.8], [0.4, 0.7, -0.2]])?)?;
    show_grad(out, "dx", &x)?;
    show_grad(out, "dW", &affine.w)?;
    show_grad(out, "db", &affine.b)
}

fn main() -> Result<()> {
    run(&mut std::io::stdout())
}
