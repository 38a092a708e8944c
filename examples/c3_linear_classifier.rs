//! C3: softmax(x·W + b) with weights that begin at 0: first by all of 20 pictures at each step, in f64,
//! then by mini-batches of 10,000; the cost as a curve and the learned weights as pictures.

use clap::Parser;
use gradus::data::{self, DataLoader, Dataset, ImageDataset, Subset};
use gradus::nn::{self, Layer, Module, Parameter};
use gradus::optim::{Optimizer, Sgd};
use gradus::plot::{Panel, Series, curves, weights};
use gradus::{DType, Result, Tensor, no_grad};
use std::{fs, io::Write, path::PathBuf, sync::Arc};

const PIXELS: usize = 3 * 32 * 32;
/// As many as a file of the set has.
const PICTURES: usize = 10_000;

/// x·W + b, whose softmax are the probabilities of the classes.
#[derive(Module)]
pub struct LinearClassifier {
    /// [3072, 10].
    pub weight: Parameter,
    /// \[10\].
    pub bias: Parameter,
}

impl LinearClassifier {
    fn new(dtype: DType) -> Result<Self> {
        Ok(Self {
            weight: Parameter::new(Tensor::full([PIXELS, 10], 0.0, dtype)?)?,
            bias: Parameter::new(Tensor::full([10], 0.0, dtype)?)?,
        })
    }
}

impl Layer for LinearClassifier {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        x.flatten(1, -1)?.matmul(&self.weight)?.add(&self.bias)
    }
}

/// The mean of −log(p + 1e-9) over the probabilities of the true classes, to be looked at. Gradients are
/// those without the 1e-9: (p − t)/n.
fn cost(scores: &Tensor, classes: &Tensor) -> Result<f64> {
    let p = scores
        .detach()
        .softmax(1)?
        .gather(1, &classes.unsqueeze(1)?)?;
    Ok(-p.add(1e-9)?.log()?.mean(..)?.item::<f64>()?)
}

/// A step down the gradient; returns the cost before it.
fn step(net: &LinearClassifier, sgd: &mut Sgd, x: &Tensor, y: &Tensor) -> Result<f64> {
    let scores = net.forward(x)?;
    sgd.zero_grad();
    nn::cross_entropy(&scores, y)?.backward()?;
    sgd.step()?;
    cost(&scores, y)
}

fn accuracy(net: &LinearClassifier, loader: &DataLoader) -> Result<f64> {
    let (mut right, mut all) = (0, 0);
    for (x, y) in loader {
        right += no_grad(|| net.forward(&x))?
            .argmax(1)?
            .eq(&y)?
            .sum(..)?
            .item::<i64>()?;
        all += y.numel();
    }
    Ok(right as f64 / all as f64)
}

/// Batch gradient descent on the first 20 pictures, learning rate 0.1: the cost before each step and
/// after the last, and the classifier.
pub fn full_batch(
    out: &mut impl Write,
    train: &ImageDataset,
    steps: usize,
) -> Result<(Vec<f64>, LinearClassifier)> {
    let x = train
        .images()
        .narrow(0, 0, 20)?
        .to_dtype(DType::F64)?
        .div(255.0)?;
    let y = Tensor::from(&train.labels()[..20]);
    let net = LinearClassifier::new(DType::F64)?;
    let mut sgd = Sgd::new(net.parameters(), 0.1);
    let mut costs = Vec::new();
    for _ in 0..steps {
        costs.push(step(&net, &mut sgd, &x, &y)?);
    }
    costs.push(cost(&net.forward(&x)?, &y)?);
    for (done, cost) in costs.iter().enumerate() {
        if [0, 1, 10, steps].contains(&done) {
            writeln!(out, "after {done} steps on 20 pictures: cost {cost}")?;
        }
    }
    Ok((costs, net))
}

/// What comes of mini-batches.
pub struct Trained {
    /// Steps, and the mean cost of the last hundred of them.
    pub history: Vec<(f64, f64)>,
    /// The share of test pictures that are recognised.
    pub accuracy: f64,
    /// The classifier.
    pub net: LinearClassifier,
}

/// Stochastic gradient descent, ten pictures a step, learning rate 0.01.
pub fn mini_batches(out: &mut impl Write, cifar: data::Split, epochs: usize) -> Result<Trained> {
    // Less the mean of each colour: otherwise all weights of a class move together.
    let mean = cifar.train.channel_mean_std()?;
    let mean: Vec<_> = mean.into_iter().map(|(mean, _)| (mean, 1.0)).collect();
    let train = Arc::new(cifar.train.normalize_channels(&mean)?);
    let first: Vec<usize> = (0..train.len().min(PICTURES)).collect();
    let train = DataLoader::new(Subset::new(train, first)?, 10)?.shuffle(0);
    let test = DataLoader::new(cifar.test.normalize_channels(&mean)?, 500)?;
    let net = LinearClassifier::new(DType::F32)?;
    let mut sgd = Sgd::new(net.parameters(), 0.01);
    let (mut history, mut steps, mut sum) = (Vec::new(), 0, 0.0);
    for epoch in 0..epochs {
        for batch in train.epoch(epoch as u64) {
            let (x, y) = batch?;
            sum += step(&net, &mut sgd, &x, &y)?;
            steps += 1;
            if steps % 100 == 0 {
                history.push((steps as f64, sum / 100.0));
                sum = 0.0;
            }
        }
    }
    let accuracy = accuracy(&net, &test)?;
    writeln!(
        out,
        "after {steps} steps of 10 pictures: test accuracy {accuracy:.4}"
    )?;
    Ok(Trained {
        history,
        accuracy,
        net,
    })
}

/// The mean cost by steps, as a picture.
pub fn cost_history(history: &[(f64, f64)]) -> String {
    curves(&[Panel {
        title: "cost".into(),
        x_label: "step".into(),
        y_label: "cross-entropy (nats)".into(),
        series: vec![Series {
            name: "mean of 100 steps".into(),
            points: history.to_vec(),
        }],
        ..Panel::default()
    }])
}

/// What each class looks for: the columns of W as pictures.
pub fn pictures(net: &LinearClassifier, classes: &[String]) -> Result<String> {
    weights(
        &net.weight.t()?.reshape([10, 3, 32, 32])?,
        classes,
        5,
        false,
    )
}

/// A linear classifier for CIFAR-10 from zero weights.
#[derive(Parser)]
struct Args {
    /// CIFAR-10's archive in the binary layout, such as cifar-10-binary.tar.gz
    file: PathBuf,
    /// Passes over the pictures
    #[arg(long, default_value_t = 5)]
    epochs: usize,
    /// Folder for c3_cost.svg and c3_weights.svg
    #[arg(long, default_value = ".")]
    out: PathBuf,
}

fn main() -> Result<()> {
    let args = Args::parse();
    let cifar = data::cifar10_binary(&args.file)?;
    let out = &mut std::io::stdout();
    let classes = cifar.train.classes().to_vec();
    full_batch(out, &cifar.train, 100)?;
    let trained = mini_batches(out, cifar, args.epochs)?;
    fs::create_dir_all(&args.out)?;
    fs::write(
        args.out.join("c3_weights.svg"),
        pictures(&trained.net, &classes)?,
    )?;
    fs::write(args.out.join("c3_cost.svg"), cost_history(&trained.history))?;
    Ok(())
}
