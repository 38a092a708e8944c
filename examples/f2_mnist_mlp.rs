//! F2: a network for handwritten digits, validated every so many iterations; its F1 scores over all
//! decisions and as a mean over the classes.

use clap::Parser;
use clap::builder::RangedU64ValueParser;
use gradus::data::{self, DataLoader};
use gradus::metrics::{Average, Classification};
use gradus::nn::{self, Layer, Module, Sequential};
use gradus::optim::{Optimizer, Sgd};
use gradus::plot::{Panel, Series, curves};
use gradus::{Result, no_grad, random};
use std::{fs, io::Write, path::PathBuf};

const BATCH: usize = 32;
const LR: f64 = 0.1;

fn net() -> Result<Sequential> {
    Ok(Sequential::new()
        .add(nn::Flatten)
        .add(nn::Linear::new(784, 128)?)
        .add(nn::Relu)
        .add(nn::Linear::new(128, 64)?)
        .add(nn::Relu)
        .add(nn::Linear::new(64, 10)?))
}

/// Macro and micro F1 of the network on all of `loader`.
fn f1(net: &Sequential, loader: &DataLoader) -> Result<[f64; 2]> {
    let mut scores = Classification::new();
    for (x, y) in loader {
        scores.update(&y, &no_grad(|| net.forward(&x))?.argmax(1)?)?;
    }
    Ok([scores.f1(Average::Macro)?, scores.f1(Average::Micro)?])
}

/// The iteration, and macro and micro F1 then.
pub type Validation = (usize, [f64; 2]);

/// Trains on `mnist` with a validation every `every` iterations; returns them all.
pub fn run(
    out: &mut impl Write,
    mnist: data::Split,
    iterations: usize,
    every: usize,
    seed: u64,
) -> Result<Vec<Validation>> {
    random::manual_seed(seed);
    let train = DataLoader::new(mnist.train, BATCH)?
        .shuffle(seed)
        .drop_last(true);
    let test = DataLoader::new(mnist.test, 500)?;
    let net = net()?;
    let mut sgd = Sgd::new(net.parameters(), LR);
    let (mut validations, mut loss_sum) = (Vec::new(), 0.0);
    let batches = (0..).flat_map(|epoch| train.epoch(epoch)).take(iterations);
    for (i, batch) in (1..).zip(batches) {
        let (x, y) = batch?;
        let loss = nn::cross_entropy(&net.forward(&x)?, &y)?;
        sgd.zero_grad();
        loss.backward()?;
        sgd.step()?;
        loss_sum += loss.item::<f64>()?;
        if i % every == 0 || i == iterations {
            let [macro_f1, micro_f1] = f1(&net, &test)?;
            let loss = loss_sum / ((i - 1) % every + 1) as f64;
            writeln!(
                out,
                "iteration {i:5}  loss {loss:.4}  macro F1 {macro_f1:.4}  micro F1 {micro_f1:.4}"
            )?;
            validations.push((i, [macro_f1, micro_f1]));
            loss_sum = 0.0;
        }
    }
    Ok(validations)
}

/// Both scores by iteration.
pub fn picture(validations: &[Validation]) -> String {
    let series = |name: &str, which: usize| Series {
        name: name.into(),
        points: (validations.iter())
            .map(|(i, f1)| (*i as f64, f1[which]))
            .collect(),
    };
    curves(&[Panel {
        title: "F1 on the test images".into(),
        x_label: "iteration".into(),
        y_label: String::new(),
        series: vec![series("macro", 0), series("micro", 1)],
        ..Panel::default()
    }])
}

/// A network for MNIST, validated every so many iterations.
#[derive(Parser)]
struct Args {
    /// Folder with the data set mnist in it [default: GRADUS_DATA, or the user's own]
    #[arg(long)]
    data_dir: Option<PathBuf>,
    /// Steps of 32 images
    #[arg(long, default_value_t = 9000)]
    iterations: usize,
    /// Steps between two validations
    #[arg(long, default_value_t = 1000, value_parser = RangedU64ValueParser::<usize>::new().range(1..))]
    every: usize,
    /// Seed of the initial weights and of the order of the images
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Folder for f2_f1.svg
    #[arg(long, default_value = ".")]
    out: PathBuf,
}

fn main() -> Result<()> {
    let args = Args::parse();
    let mnist = data::mnist(args.data_dir.as_deref())?;
    let out = &mut std::io::stdout();
    let validations = run(out, mnist, args.iterations, args.every, args.seed)?;
    fs::create_dir_all(&args.out)?;
    fs::write(args.out.join("f2_f1.svg"), picture(&validations))?;
    Ok(())
}
