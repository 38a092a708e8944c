//! D8: a network with one hidden layer for Fashion-MNIST, from scratch and concise; and what becomes of
//! it without a backward pass.

use clap::Parser;
use gradus::data::{self, DataLoader, Dataset};
use gradus::nn::{self, Layer, Module, Parameter, Sequential};
use gradus::optim::{Optimizer, Sgd};
use gradus::{DType, Result, Tensor, no_grad, random};
use std::{io::Write, path::PathBuf};

const BATCH: usize = 256;
const LR: f64 = 0.1;

/// relu(x·W₁ + b₁)·W₂ + b₂ with small random weights, and all of it by hand.
#[derive(Module)]
struct Scratch {
    w1: Parameter,
    b1: Parameter,
    w2: Parameter,
    b2: Parameter,
}

impl Scratch {
    fn new([inputs, hidden, outputs]: [usize; 3]) -> Result<Self> {
        let weight = |shape| Parameter::new(Tensor::normal(0.0, 0.01, shape, DType::F32)?);
        Ok(Self {
            w1: weight([inputs, hidden])?,
            b1: Parameter::new(Tensor::zeros([hidden]))?,
            w2: weight([hidden, outputs])?,
            b2: Parameter::new(Tensor::zeros([outputs]))?,
        })
    }
}

/// The larger of x and 0.
fn relu(x: &Tensor) -> Result<Tensor> {
    x.maximum(&x.zeros_like()?)
}

impl Layer for Scratch {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let x = x.flatten(1, -1)?;
        let hidden = relu(&x.matmul(&self.w1)?.add(&self.b1)?)?;
        hidden.matmul(&self.w2)?.add(&self.b2)
    }
}

/// The layers find out their input sizes by themselves.
fn concise() -> Sequential {
    Sequential::new()
        .add(nn::Flatten)
        .add(nn::LazyLinear::new(256))
        .add(nn::Relu)
        .add(nn::LazyLinear::new(10))
}

/// The kinds of runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// Layers written out.
    Scratch,
    /// Layers of the library.
    Concise,
    /// As concise, but `backward` is never called.
    NoBackward,
}

/// Trains on `fashion`; returns the accuracy on the images to validate on.
pub fn run(
    out: &mut impl Write,
    fashion: &data::Split,
    kind: Kind,
    epochs: usize,
    seed: u64,
) -> Result<f64> {
    random::manual_seed(seed);
    let train = DataLoader::new(fashion.train.clone(), BATCH)?.shuffle(seed);
    let validation = DataLoader::new(fashion.test.clone(), 1000)?;
    let net: Box<dyn Layer> = match kind {
        Kind::Scratch => Box::new(Scratch::new([784, 256, 10])?),
        Kind::Concise | Kind::NoBackward => Box::new(concise()),
    };
    // A first batch makes the lazy layers.
    net.forward(&fashion.train.batch(&[0])?.0)?;
    let mut sgd = Sgd::new(net.parameters(), LR);
    let mut accuracy = 0.0;
    for epoch in 1..=epochs {
        let mut total = 0.0;
        for (x, y) in &train {
            let loss = nn::cross_entropy(&net.forward(&x)?, &y)?;
            if kind != Kind::NoBackward {
                sgd.zero_grad();
                loss.backward()?;
                sgd.step()?;
            }
            total += loss.item::<f64>()?;
        }
        let (mut right, mut all) = (0, 0);
        for (x, y) in &validation {
            let hits = no_grad(|| net.forward(&x))?.argmax(1)?.eq(&y)?;
            right += hits.sum(..)?.item::<i64>()?;
            all += hits.numel();
        }
        accuracy = right as f64 / all as f64;
        writeln!(
            out,
            "{kind:?}  epoch {epoch:2}  loss {:.4}  validation accuracy {accuracy:.4}",
            total / train.len() as f64
        )?;
    }
    Ok(accuracy)
}

/// A network with one hidden layer for Fashion-MNIST: from scratch, concise, and without backward.
#[derive(Parser)]
struct Args {
    /// Folder with the data set fashion-mnist in it [default: GRADUS_DATA, or the user's own]
    #[arg(long)]
    data_dir: Option<PathBuf>,
    /// Passes over the images
    #[arg(long, default_value_t = 10)]
    epochs: usize,
    /// Seed of the initial weights and of the order of the images
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

fn main() -> Result<()> {
    let args = Args::parse();
    let fashion = data::fashion_mnist(args.data_dir.as_deref())?;
    let out = &mut std::io::stdout();
    run(out, &fashion, Kind::Scratch, args.epochs, args.seed)?;
    run(out, &fashion, Kind::Concise, args.epochs, args.seed)?;
    run(out, &fashion, Kind::NoBackward, 1, args.seed)?;
    Ok(())
}
