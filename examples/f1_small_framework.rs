//! F1: the parts of a small framework, each shown at work: what a tensor knows about its gradient,
//! operators, assignment in place, broadcasting, functions, parameters, modules, a loss, an optimizer.

use gradus::nn::{self, Layer, Module, Parameter, Sequential};
use gradus::optim::{Optimizer, Sgd};
use gradus::{DType, Result, Tensor, keepdim, no_grad, random};
use std::io::Write;

fn leaf(values: &[f64]) -> Result<Tensor> {
    Tensor::from(values).requires_grad_(true)
}

/// A gradient, or "none".
fn grad(x: &Tensor) -> String {
    x.grad().map_or("none".into(), |g| g.to_string())
}

/// Which tensors are leaves, and which require a gradient.
fn attributes(out: &mut impl Write) -> Result<()> {
    let data = Tensor::from([1.0, 2.0]);
    let weight = leaf(&[3.0, 4.0])?;
    let product = data.mul(&weight)?;
    let kinds = [
        ("made by hand", &data),
        ("made by hand, gradient asked for", &weight),
        ("result of an operation on such a one", &product),
        ("result of an operation on others", &data.mul(&data)?),
        ("result without recording", &no_grad(|| weight.mul(2.0))?),
        ("detached result", &product.detach()),
    ];
    writeln!(out, "{:<38} is_leaf  requires_grad  grad_fn", "")?;
    for (how, x) in kinds {
        let (is_leaf, requires_grad) = (x.is_leaf(), x.requires_grad());
        let grad_fn = x.grad_fn().map_or("none", |f| f.name());
        writeln!(out, "{how:<38} {is_leaf:<8} {requires_grad:<14} {grad_fn}")?;
    }
    // Of the four combinations one has no members: what is no leaf has a history, and a gradient
    // flows through it.
    let refused = product.clone().requires_grad_(false).unwrap_err();
    writeln!(out, "neither: {refused}")?;

    product.sum(..)?.backward()?;
    writeln!(out, "weight.grad = {}", grad(&weight))?;
    writeln!(out, "product.grad = {}", grad(&product))?;
    Ok(())
}

/// A number may stand on either side.
fn operators(out: &mut impl Write) -> Result<()> {
    let x = &[2.0, 4.0];
    function(out, "1 + x", x, |x| Ok(1.0 + x))?;
    function(out, "1 - x", x, |x| Ok(1.0 - x))?;
    function(out, "2 * x", x, |x| Ok(2.0 * x))?;
    function(out, "8 / x", x, |x| Ok(8.0 / x))?;
    function(out, "-x", x, |x| Ok(-x))
}

/// Assignment is an operation like others: nothing flows to what was overwritten, and the value gets
/// the gradient of its new place.
fn assignment(out: &mut impl Write) -> Result<()> {
    let (x, v) = (leaf(&[1.0, 2.0, 3.0, 4.0])?, leaf(&[5.0, 6.0])?);
    let y = x.mul(2.0)?;
    y.set(0, 10.0)?;
    y.set(2.., &v)?;
    writeln!(out, "y\n{}", y.detach())?;
    y.mul(&y)?.sum(..)?.backward()?;
    writeln!(out, "x.grad = {}", grad(&x))?;
    writeln!(out, "v.grad = {}", grad(&v))?;
    // A leaf is where gradients end: to overwrite it would make it something else.
    writeln!(out, "{}", x.set(0, 10.0).unwrap_err())?;
    Ok(())
}

/// A gradient has the shape of its tensor: it is summed over what broadcasting repeated.
fn broadcasting(out: &mut impl Write) -> Result<()> {
    let column = leaf(&[1.0, 2.0, 3.0])?;
    let row = leaf(&[10.0, 20.0])?;
    let table = column.reshape([3, 1])?.mul(&row)?;
    writeln!(out, "table\n{}", table.detach())?;
    table.sum(..)?.backward()?;
    writeln!(out, "column.grad = {}", grad(&column))?;
    writeln!(out, "row.grad = {}", grad(&row))?;
    Ok(())
}

/// Prints f(x), and the gradient of its sum weighted with 1, 2, 3, …
fn function(
    out: &mut impl Write,
    name: &str,
    values: &[f64],
    f: impl Fn(&Tensor) -> Result<Tensor>,
) -> Result<()> {
    let x = leaf(values)?;
    let y = f(&x)?;
    let weights = Tensor::arange(1.0, y.numel() as f64 + 1.0, 1.0, DType::F32)?;
    y.backward_with(&weights.reshape_as(&y)?)?;
    writeln!(out, "{name}\n{}\nx.grad = {}", y.detach(), grad(&x))?;
    Ok(())
}

/// The definition, word for word. Where eˣ overflows its gradient is ∞·0, which is no number.
fn sigmoid_naive(x: &Tensor) -> Result<Tensor> {
    Ok(1.0 / (1.0 + (-x).exp()?))
}

fn functions(out: &mut impl Write) -> Result<()> {
    let x = &[-1.0, 0.0, 2.0];
    function(out, "exp x", x, Tensor::exp)?;
    function(out, "log x", &[0.5, 1.0, 2.0], Tensor::log)?;
    function(out, "relu x", x, Tensor::relu)?;
    function(out, "tanh x", x, Tensor::tanh)?;
    let wide = &[-1000.0, 0.0, 2.0];
    function(out, "sigmoid x", wide, Tensor::sigmoid)?;
    function(out, "sigmoid_naive x", wide, sigmoid_naive)?;
    let square = &[1.0, 2.0, 3.0, 4.0];
    function(out, "reshape(x, 2, 2)", square, |x| x.reshape([2, 2]))?;
    let rows = |x: &Tensor| x.reshape([2, 2]);
    function(out, "sum(x, axis 1)", square, |x| rows(x)?.sum(1))?;
    let kept = |x: &Tensor| rows(x)?.sum(keepdim(1));
    function(out, "sum(x, axis 1, keepdim)", square, kept)?;
    function(out, "repeat(x, 2, 2)", &[1.0, 2.0], |x| x.repeat([2, 2]))?;
    function(out, "tile(x, 2)", &[1.0, 2.0], |x| x.tile(2))
}

/// relu(x·Wᵀ), W as He et al. (2015) begin.
#[derive(Module)]
struct Block {
    linear: nn::Linear,
}

impl Block {
    fn new(inputs: usize, outputs: usize) -> Result<Self> {
        let linear = nn::Linear::without_bias(inputs, outputs)?;
        nn::init::kaiming_normal_(&linear.weight)?;
        Ok(Self { linear })
    }
}

impl Layer for Block {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        self.linear.forward(x)?.relu()
    }
}

/// Blocks, and a scale for all scores: modules within modules, and a parameter of its own.
#[derive(Module)]
struct Net {
    blocks: Vec<Block>,
    head: Sequential,
    scale: Parameter,
}

impl Layer for Net {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let mut x = x.clone();
        for block in &self.blocks {
            x = block.forward(&x)?;
        }
        self.head.forward(&x)?.mul(&self.scale)
    }
}

/// A loss as a module: the mean of −log softmax(scores)[class].
#[derive(Module)]
struct CrossEntropyLoss;

impl CrossEntropyLoss {
    fn forward(&self, scores: &Tensor, classes: &Tensor) -> Result<Tensor> {
        let picked = scores
            .log_softmax(-1)?
            .gather(-1, &classes.unsqueeze(-1)?)?;
        Ok(-picked.mean(..)?)
    }
}

fn training(out: &mut impl Write) -> Result<()> {
    random::manual_seed(0);
    let net = Net {
        blocks: vec![Block::new(2, 200)?, Block::new(200, 8)?],
        head: Sequential::new()
            .add(nn::Linear::without_bias(8, 8)?)
            .add(nn::Tanh)
            .add(nn::Linear::new(8, 2)?),
        scale: Parameter::new(Tensor::from(1.0))?,
    };
    for (name, p) in net.named_parameters() {
        writeln!(out, "{name} {:?}", p.shape())?;
    }
    let deviation = net.blocks[1].linear.weight.std(..)?.item::<f64>()?;
    writeln!(out, "He: deviation {deviation:.2} for √(2/200) = 0.10")?;

    // Exclusive or: not linearly separable.
    let x = Tensor::from([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]);
    let y = Tensor::from([0, 1, 1, 0]);
    let criterion = CrossEntropyLoss;
    let mut sgd = Sgd::new(net.parameters(), 0.1);
    let mut losses = Vec::new();
    for _ in 0..100 {
        let loss = criterion.forward(&net.forward(&x)?, &y)?;
        loss.backward()?;
        sgd.step()?;
        sgd.zero_grad();
        losses.push(loss.item::<f64>()?);
    }
    writeln!(out, "gradient after zero_grad: {}", grad(&net.scale))?;
    let (first, last) = (losses[0], losses[losses.len() - 1]);
    writeln!(out, "loss above 0.5 at first: {}", first > 0.5)?;
    writeln!(out, "loss below 0.1 after 100 steps: {}", last < 0.1)?;
    let classes = net.forward(&x)?.argmax(1)?;
    writeln!(out, "classes {:?}", classes.to_vec::<i64>()?)?;
    Ok(())
}

/// Prints what each part does.
pub fn run(out: &mut impl Write) -> Result<()> {
    attributes(out)?;
    operators(out)?;
    assignment(out)?;
    broadcasting(out)?;
    functions(out)?;
    training(out)
}

fn main() -> Result<()> {
    run(&mut std::io::stdout())
}
