//! B4: a network for handwritten digits from its own layers, loss and training loop; of the library
//! it takes tensors, gradients and the data.

use clap::Parser;
use gradus::data::{self, DataLoader};
use gradus::nn::{Layer, Module, Parameter};
use gradus::{DType, Result, Tensor, no_grad, random};
use std::{io::Write, path::PathBuf, time::Instant};

const SIZES: [usize; 5] = [784, 256, 128, 64, 10];
const BATCH: usize = 100;
const LR: f64 = 0.15;

#[derive(Module)]
struct Relu;

impl Layer for Relu {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        x.relu()
    }
}

/// y = x·W + b. Shapes: input [n, in], W [in, out], b [out].
#[derive(Module)]
struct Linear {
    weight: Parameter,
    bias: Parameter,
}

impl Linear {
    /// W normal with variance 2/(6·in), which is that of PyTorch's uniform ±1/√in; b so uniform.
    fn new(inputs: usize, outputs: usize) -> Result<Self> {
        let n = inputs as f64;
        let weight = Tensor::randn([inputs, outputs])?.mul((2.0 / (6.0 * n)).sqrt())?;
        let bias = (Tensor::rand([outputs])? * 2.0 - 1.0).div(n.sqrt())?;
        let (weight, bias) = (Parameter::new(weight)?, Parameter::new(bias)?);
        Ok(Self { weight, bias })
    }
}

impl Layer for Linear {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        x.matmul(&self.weight)?.add(&self.bias)
    }
}

/// Linear layers with a ReLU between each two.
#[derive(Module)]
struct Net(Vec<Linear>);

impl Net {
    fn new(sizes: &[usize]) -> Result<Self> {
        let layers = sizes.windows(2).map(|n| Linear::new(n[0], n[1]));
        Ok(Self(layers.collect::<Result<_>>()?))
    }
}

impl Layer for Net {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let mut x = x.flatten(1, -1)?;
        for (i, linear) in self.0.iter().enumerate() {
            x = linear.forward(&if i == 0 { x } else { Relu.forward(&x)? })?;
        }
        Ok(x)
    }
}

/// The mean over the rows of −log softmax(scores)[class].
struct CrossEntropyLoss {
    one_hot: Tensor,
}

impl CrossEntropyLoss {
    fn forward(&self, scores: &Tensor, classes: &Tensor) -> Result<Tensor> {
        let targets = self.one_hot.index_select(0, classes)?;
        let n = scores.shape()[0] as f64;
        scores.log_softmax(-1)?.mul(&targets)?.sum(..)?.div(-n)
    }
}

/// Gradient descent: p ← p − lr·∂loss/∂p.
fn update(net: &impl Module, lr: f64) -> Result<()> {
    for p in net.parameters() {
        if let Some(grad) = p.grad() {
            no_grad(|| p.sub_(&grad.mul(lr)?))?;
        }
    }
    Ok(())
}

/// The share of test images whose largest score is that of their class.
fn accuracy(net: &Net, test: &DataLoader) -> Result<f64> {
    let (mut right, mut all) = (0, 0);
    for (x, y) in test {
        let hits = no_grad(|| net.forward(&x))?.argmax(1)?.eq(&y)?;
        right += hits.sum(..)?.item::<i64>()?;
        all += hits.numel();
    }
    Ok(right as f64 / all as f64)
}

/// Trains on `mnist`, a line for each epoch; returns the last mean loss and test accuracy.
pub fn run(
    out: &mut impl Write,
    mnist: data::Split,
    epochs: usize,
    seed: u64,
) -> Result<(f64, f64)> {
    random::manual_seed(seed);
    let train = DataLoader::new(mnist.train, BATCH)?.shuffle(seed);
    let test = DataLoader::new(mnist.test, 1000)?;
    let net = Net::new(&SIZES)?;
    let criterion = CrossEntropyLoss {
        one_hot: Tensor::eye(10, DType::F32)?,
    };
    let mut result = (f64::NAN, f64::NAN);
    for epoch in 1..=epochs {
        let (start, mut total) = (Instant::now(), 0.0);
        for (x, y) in &train {
            let loss = criterion.forward(&net.forward(&x)?, &y)?;
            net.zero_grad();
            loss.backward()?;
            update(&net, LR)?;
            total += loss.item::<f64>()?;
        }
        let seconds = start.elapsed().as_secs_f64();
        result = (total / train.len() as f64, accuracy(&net, &test)?);
        let (loss, accuracy) = (result.0, 100.0 * result.1);
        writeln!(
            out,
            "epoch {epoch:2}  loss {loss:.4}  test accuracy {accuracy:.2} %  {seconds:.2} s"
        )?;
    }
    Ok(result)
}

/// A network for MNIST from its own layers, loss and training loop.
#[derive(Parser)]
struct Args {
    /// Folder with the data set mnist in it [default: GRADUS_DATA, or the user's own]
    #[arg(long)]
    data_dir: Option<PathBuf>,
    /// Passes over the images
    #[arg(long, default_value_t = 20)]
    epochs: usize,
    /// Seed of the initial weights and of the order of the images
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

fn main() -> Result<()> {
    let args = Args::parse();
    let mnist = data::mnist(args.data_dir.as_deref())?;
    run(&mut std::io::stdout(), mnist, args.epochs, args.seed)?;
    Ok(())
}
