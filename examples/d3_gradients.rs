//! D3: what `backward` computes, and a picture of how: gradients of scalars and vectors, `detach`,
//! control flow, accumulation, sin and its derivative as curves, a dependency graph as a drawing.
//!
//! Writes `d3_sin.svg` and `d3_graph.svg` into the folder given as argument (default: this one).

use gradus::autograd::trace;
use gradus::plot::{self, Panel, Series};
use gradus::{DType, Result, Tensor};
use std::io::Write;
use std::path::Path;

fn f64s(values: &[f64]) -> Result<Tensor> {
    Tensor::from_vec(values, [values.len()])?.requires_grad_(true)
}

fn gradient(x: &Tensor) -> Result<Vec<f64>> {
    let grad = x.grad().expect("backward was called").to_vec();
    x.zero_grad();
    grad
}

/// Doubles `a` until its norm is at least 1000: how often depends on the data.
fn doubled(a: &Tensor) -> Result<Tensor> {
    let mut b = a.mul(2.0)?;
    while b.mul(&b)?.sum(..)?.sqrt()?.item::<f64>()? < 1000.0 {
        b = b.mul(2.0)?;
    }
    if b.sum(..)?.item::<f64>()? > 0.0 {
        Ok(b)
    } else {
        b.mul(100.0)
    }
}

/// Prints the figures and writes the pictures.
pub fn run(out: &mut impl Write, folder: &Path) -> Result<()> {
    let x = f64s(&[0.0, 1.0, 2.0, 3.0])?;

    // y = 2·xᵀx: the gradient is 4x.
    x.mul(&x)?.sum(..)?.mul(2.0)?.backward()?;
    writeln!(out, "gradient of 2·x·x: {:?}", gradient(&x)?)?;

    x.sum(..)?.backward()?;
    writeln!(out, "gradient of the sum: {:?}", gradient(&x)?)?;

    // A result that is not one number needs a gradient to begin with.
    let y = x.mul(&x)?;
    y.backward_with(&y.ones_like()?)?;
    writeln!(out, "gradient of x² from ones: {:?}", gradient(&x)?)?;

    // A second backward adds to the first until zero_grad.
    y.backward_with(&y.ones_like()?)?;
    y.backward_with(&y.ones_like()?)?;
    writeln!(out, "accumulated twice: {:?}", gradient(&x)?)?;

    // u has the value of y and none of its history: the gradient of u·x is u.
    let u = y.detach();
    u.mul(&x)?.sum(..)?.backward()?;
    let same = gradient(&x)? == u.to_vec::<f64>()?;
    writeln!(out, "gradient of z = u·x equals u: {same}")?;

    // A gradient on the way is kept if asked for.
    let z = x.mul(3.0)?;
    z.retain_grad()?;
    z.mul(&z)?.sum(..)?.backward()?;
    let kept: Vec<f64> = z.grad().expect("retained").to_vec()?;
    writeln!(out, "retained at 3x: {kept:?}")?;
    x.zero_grad();

    // d is linear in a on each piece: its gradient is d/a.
    for values in [&[0.7][..], &[-1.3], &[0.5, -0.2, 3.0]] {
        let a = f64s(values)?;
        let d = doubled(&a)?;
        d.sum(..)?.backward()?;
        let slope = d.div(&a)?.to_vec::<f64>()?;
        writeln!(
            out,
            "control flow at {values:?}: gradient equals d/a: {}",
            gradient(&a)? == slope
        )?;
    }

    let x = Tensor::linspace(-std::f64::consts::PI, std::f64::consts::PI, 101, DType::F64)?
        .requires_grad_(true)?;
    let y = x.sin()?;
    y.sum(..)?.backward()?;
    let xs: Vec<f64> = x.to_vec()?;
    let line = |name: &str, ys: Vec<f64>| Series {
        name: name.into(),
        points: xs.iter().copied().zip(ys).collect(),
    };
    let slope = gradient(&x)?;
    let farthest = xs
        .iter()
        .zip(&slope)
        .map(|(x, s)| (x.cos() - s).abs())
        .fold(0.0, f64::max);
    writeln!(out, "derivative of sin, farthest from cos: {farthest:.1e}")?;
    let panel = Panel {
        title: "sin and its derivative".into(),
        x_label: "x".into(),
        y_label: String::new(),
        series: vec![line("sin x", y.to_vec()?), line("by autograd", slope)],
        ..Panel::default()
    };
    std::fs::write(folder.join("d3_sin.svg"), plot::curves(&[panel]))?;

    // f(x) = log(x²)·sin x + 1/x
    let x = Tensor::full((), 2.0, DType::F64)?.requires_grad_(true)?;
    let f = trace(|| {
        let product = x.pow(2.0)?.log()?.mul(&x.sin()?)?;
        product.add(&x.pow(-1.0)?)
    })?;
    let graph = f.graph()?.name(&x, "x").name(&f, "f");
    writeln!(out, "f(x) = log(x²)·sin x + 1/x at 2:")?;
    write!(out, "{graph}")?;
    std::fs::write(folder.join("d3_graph.svg"), plot::graph(&graph)?)?;
    Ok(())
}

fn main() -> Result<()> {
    let folder = std::env::args().nth(1).unwrap_or_else(|| ".".into());
    run(&mut std::io::stdout().lock(), Path::new(&folder))?;
    println!("d3_sin.svg and d3_graph.svg are in {folder}");
    Ok(())
}
