//! C4: softmax and cross-entropy as one output layer, because together they have a simple gradient:
//! ∂loss/∂x = (p − t)/n, what was predicted minus what was right.
//!
//! The derivation is in Bishop, "Pattern Recognition and Machine Learning", 4.3.4.

use gradus::{Context, DType, Function, Grad, Grads, Result, Saved, Tensor, apply};
use std::io::Write;

/// Scores [n, classes] and one-hot targets [n, classes] → −Σ t·log(softmax(x) + 1e-9)/n.
struct OutputLayer;

impl Function for OutputLayer {
    fn name(&self) -> &'static str {
        "OutputLayer"
    }

    fn forward(&self, ctx: &mut Context, inputs: &[&Tensor]) -> Result<Tensor> {
        let (x, t) = (inputs[0], inputs[1]);
        let p = x.softmax(-1)?;
        ctx.save(&p);
        ctx.save(t);
        p.add(1e-9)?.log()?.mul(t)?.sum(..)?.div(-rows(x))
    }

    fn backward(&self, saved: &Saved<'_>, grad: &Tensor) -> Result<Grads> {
        let (p, t) = (saved.get(0)?, saved.get(1)?);
        let dx = p.sub(&t)?.div(rows(&p))?.mul(grad)?;
        Ok([Grad::Of(dx), Grad::Zero].into())
    }
}

fn rows(x: &Tensor) -> f64 {
    x.shape()[0] as f64
}

/// The same loss from the engine's operations, without the 1e-9: their gradients are exact for it,
/// while p − t, as is usual, passes over what the 1e-9 changes.
fn by_autograd(x: &Tensor, t: &Tensor) -> Result<Tensor> {
    x.log_softmax(-1)?.mul(t)?.sum(..)?.div(-rows(x))
}

fn one_hot(classes: &[i64], n: usize) -> Result<Tensor> {
    Tensor::eye(n, DType::F64)?.index_select(0, &Tensor::from_vec(classes, [classes.len()])?)
}

/// A loss at `x` and its gradient there.
fn value_and_grad(loss: impl Fn(&Tensor) -> Result<Tensor>, x: &Tensor) -> Result<(f64, Vec<f64>)> {
    let x = x.detach().requires_grad_(true)?;
    let loss = loss(&x)?;
    loss.backward()?;
    let grad = x.grad().unwrap_or(x.zeros_like()?);
    Ok((loss.item()?, grad.to_vec()?))
}

/// Prints the figures.
pub fn run(out: &mut impl Write) -> Result<()> {
    let cases: [(&[[f64; 3]], &[i64]); 2] = [
        (&[[3.0, -10.0, 0.7]], &[1]),
        (
            &[[3.0, -10.0, 0.7], [9.0, 15.0, -1.0], [-5.0, 1.0, -1.0]],
            &[1, 0, 2],
        ),
    ];
    for (scores, classes) in cases {
        let x = Tensor::from_vec(scores.as_flattened(), [scores.len(), 3])?;
        let t = one_hot(classes, 3)?;
        let (loss, grad) = value_and_grad(|x| apply(OutputLayer, &[x, &t]), &x)?;
        writeln!(out, "{scores:?} against {classes:?}")?;
        writeln!(out, "  loss = {loss:?}")?;
        for row in grad.chunks(3) {
            let row: Vec<_> = row.iter().map(|g| format!("{g:.8e}")).collect();
            writeln!(out, "  gradient [{}]", row.join(", "))?;
        }
        let (_, exact) = value_and_grad(|x| by_autograd(x, &t), &x)?;
        let agree = grad.iter().zip(&exact).all(|(a, b)| (a - b).abs() < 1e-15);
        writeln!(out, "  autograd agrees to 1e-15: {agree}")?;
    }
    Ok(())
}

fn main() -> Result<()> {
    run(&mut std::io::stdout())
}
