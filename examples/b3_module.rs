//! B3: a module is a struct that knows its parameters; an update moves them down their gradients.
//!
//! The model computes (p²·x + x)², the function of `b1_functions`, for a parameter p.

use gradus::nn::{Layer, Module, Parameter};
use gradus::{Result, Tensor, no_grad};
use std::io::Write;

#[derive(Module)]
struct Model {
    some_param: Parameter,
}

impl Layer for Model {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let p = &self.some_param;
        let sum = p.mul(p)?.mul(x)?.add(x)?;
        sum.mul(&sum)
    }
}

/// p ← p − lr·∂loss/∂p for every parameter.
fn update(module: &impl Module, lr: f64) -> Result<()> {
    for p in module.parameters() {
        if let Some(grad) = p.grad() {
            // The step is no part of the function that is differentiated.
            no_grad(|| p.sub_(&grad.mul(lr)?))?;
        }
    }
    Ok(())
}

/// Fills the gradients with zeros. (`Module::zero_grad` drops them, which saves the memory.)
fn zero_grad(module: &impl Module) -> Result<()> {
    let grads = module.parameters().into_iter().filter_map(|p| p.grad());
    grads.into_iter().try_for_each(|grad| grad.fill_(0.0))
}

fn show(out: &mut impl Write, module: &impl Module) -> Result<()> {
    for (name, p) in module.named_parameters() {
        let grad = p.grad().map(|g| g.item::<f64>()).transpose()?;
        let grad = grad.map_or("none".into(), |g| format!("{g:?}"));
        writeln!(out, "{name} = {:?}, gradient = {grad}", p.item::<f64>()?)?;
    }
    Ok(())
}

/// Prints the figures.
pub fn run(out: &mut impl Write) -> Result<()> {
    let some_param = Parameter::new(Tensor::from_vec([12.0], ())?)?;
    let model = Model { some_param };
    show(out, &model)?;

    let y = model.forward(&Tensor::from_vec([0.3], ())?)?;
    y.backward()?;
    writeln!(out, "after backward:")?;
    show(out, &model)?;

    update(&model, 0.01)?;
    writeln!(out, "after update(0.01):")?;
    show(out, &model)?;

    zero_grad(&model)?;
    writeln!(out, "after zero_grad:")?;
    show(out, &model)
}

fn main() -> Result<()> {
    run(&mut std::io::stdout())
}
