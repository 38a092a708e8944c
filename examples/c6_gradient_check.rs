//! C6: gradients by backpropagation beside central differences, (f(w + ε) − f(w − ε))/2ε, for every
//! weight of a two-layer net on images.
//!
//! Differences need two losses for each weight, backpropagation one walk for all of them. So it is
//! differences that one trusts, and backpropagation that one uses. The images are random numbers in
//! the shape of CIFAR-10's, which have the same gradients to get wrong.

use gradus::autograd::numeric_jacobian;
use gradus::nn::{self, Layer, Module, Parameter};
use gradus::{DType, Result, Tensor, random};
use std::{io::Write, time::Instant};

/// Weights begin normal with this standard deviation, biases at 0.
const STD: f64 = 0.01;
/// The factor of the L2 penalty.
const L2: f64 = 1e-4;
/// Half the distance between the two points of a difference. The error of the formula falls with ε²,
/// that of rounding grows with 1/ε; they meet near the cube root of the machine's precision.
const EPS: f64 = 1e-5;

/// relu(x·W1 + b1)·W2 + b2. Shapes: input [n, in], W1 [in, hidden], W2 [hidden, classes].
#[derive(Module)]
struct TwoLayerNet {
    w1: Parameter,
    b1: Parameter,
    w2: Parameter,
    b2: Parameter,
}

impl TwoLayerNet {
    /// A net with these weights, in the order of its fields.
    fn with(weights: &[Tensor]) -> Result<Self> {
        let parameter = |i: usize| Parameter::new(weights[i].clone());
        Ok(Self {
            w1: parameter(0)?,
            b1: parameter(1)?,
            w2: parameter(2)?,
            b2: parameter(3)?,
        })
    }

    /// The mean cross-entropy of the classes `y`, and λ/2·Σw² for the weights.
    fn loss(&self, x: &Tensor, y: &Tensor) -> Result<Tensor> {
        let squares = |w: &Tensor| w.mul(w)?.sum(..);
        let penalty = squares(&self.w1)?.add(&squares(&self.w2)?)?.mul(L2 / 2.0)?;
        nn::cross_entropy(&self.forward(x)?, y)?.add(&penalty)
    }
}

impl Layer for TwoLayerNet {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let hidden = x.matmul(&self.w1)?.add(&self.b1)?.relu()?;
        hidden.matmul(&self.w2)?.add(&self.b2)
    }
}

/// Compares the gradients of a net of these sizes (inputs, hidden, classes) on `n` images and prints
/// how far they are apart; returns the mean absolute differences.
pub fn run(out: &mut impl Write, sizes: [usize; 3], n: usize) -> Result<Vec<f64>> {
    let [inputs, hidden, classes] = sizes;
    random::manual_seed(0);
    let normal = |shape: [usize; 2]| Tensor::normal(0.0, STD, shape, DType::F64);
    let zeros = |n: usize| Tensor::full(n, 0.0, DType::F64);
    let weights = [
        normal([inputs, hidden])?,
        zeros(hidden)?,
        normal([hidden, classes])?,
        zeros(classes)?,
    ];
    // Pixels with mean 0 and variance 1, as after standardising.
    let x = Tensor::normal(0.0, 1.0, [n, inputs], DType::F64)?;
    let y = Tensor::randint(0, classes as i64, n)?;

    let net = TwoLayerNet::with(&weights)?;
    let start = Instant::now();
    net.loss(&x, &y)?.backward()?;
    let by_backward = start.elapsed().as_secs_f64();

    let loss = |weights: &[Tensor]| TwoLayerNet::with(weights)?.loss(&x, &y);
    let start = Instant::now();
    let mut apart = Vec::new();
    for (i, (name, parameter)) in net.named_parameters().iter().enumerate() {
        let differences = numeric_jacobian(loss, &weights, i, EPS)?;
        let gradient = parameter.grad().unwrap_or(parameter.zeros_like()?);
        let mean = gradient.sub(&differences)?.abs()?.mean(..)?.item::<f64>()?;
        let shape = parameter.shape();
        writeln!(out, "{name} {shape:?}: mean absolute difference {mean:.1e}")?;
        apart.push(mean);
    }
    let by_differences = start.elapsed().as_secs_f64();
    writeln!(out, "backpropagation took {by_backward:.4} s")?;
    writeln!(out, "differences took {by_differences:.2} s")?;
    Ok(apart)
}

fn main() -> Result<()> {
    run(&mut std::io::stdout(), [3072, 10, 10], 20)?;
    Ok(())
}
