//! C6: the two-layer net of the gradient check, trained on 10,000 pictures: how well it knows what it was
//! trained on, and how much of that helps with others.

use clap::Parser;
use gradus::data::{self, DataLoader, Dataset, Subset};
use gradus::nn::{self, Layer, Module, Sequential};
use gradus::optim::{Optimizer, Sgd};
use gradus::plot::{Panel, Series, curves};
use gradus::train::{Classification, evaluate};
use gradus::{Result, random};
use std::{fs, io::Write, path::PathBuf, sync::Arc};

const HIDDEN: usize = 1024;
const BATCH: usize = 100;
const LR: f64 = 0.1;
/// Of the loss ½·L2·‖W‖², whose gradient is L2·W.
const L2: f64 = 1e-4;
/// As many as a file of the set has.
const PICTURES: usize = 10_000;

/// Iterations, training and test accuracy after them.
pub type Point = (usize, f64, f64);

/// Trains for so many iterations; the accuracies after every hundred.
pub fn run(
    out: &mut impl Write,
    cifar: data::Split,
    iterations: usize,
    seed: u64,
) -> Result<Vec<Point>> {
    random::manual_seed(seed);
    let statistics = cifar.train.channel_mean_std()?;
    let train = Arc::new(cifar.train.normalize_channels(&statistics)?);
    let first: Vec<usize> = (0..train.len().min(PICTURES)).collect();
    let train = DataLoader::new(Subset::new(train, first)?, BATCH)?.shuffle(seed);
    let test = DataLoader::new(cifar.test.normalize_channels(&statistics)?, 500)?;
    let net = Sequential::new()
        .add(nn::Flatten)
        .add(nn::Linear::new(3 * 32 * 32, HIDDEN)?)
        .add(nn::Relu)
        .add(nn::Linear::new(HIDDEN, 10)?);
    let mut sgd = Sgd::new(net.parameters(), LR).weight_decay(L2);
    let mut points = Vec::new();
    let batches = (0..).flat_map(|epoch| train.epoch(epoch)).take(iterations);
    for (i, batch) in (1..).zip(batches) {
        let (x, y) = batch?;
        let loss = nn::cross_entropy(&net.forward(&x)?, &y)?;
        sgd.zero_grad();
        loss.backward()?;
        sgd.step()?;
        if i % 100 == 0 {
            let known = evaluate(&net, &Classification, &train)?.score;
            let new = evaluate(&net, &Classification, &test)?.score;
            points.push((i, known, new));
        }
        if i % 500 == 0 {
            let (_, known, new) = points[points.len() - 1];
            writeln!(
                out,
                "iteration {i}: train accuracy {known:.4}, test accuracy {new:.4}"
            )?;
        }
    }
    Ok(points)
}

/// Both accuracies by iteration.
pub fn picture(points: &[Point]) -> String {
    let series = |name: &str, value: fn(&Point) -> f64| Series {
        name: name.into(),
        points: points.iter().map(|p| (p.0 as f64, value(p))).collect(),
    };
    curves(&[Panel {
        title: "accuracy".into(),
        x_label: "iteration".into(),
        series: vec![series("train", |p| p.1), series("test", |p| p.2)],
        ..Panel::default()
    }])
}

/// A two-layer net for CIFAR-10.
#[derive(Parser)]
struct Args {
    /// CIFAR-10's archive in the binary layout, such as cifar-10-binary.tar.gz
    file: PathBuf,
    /// Steps of 100 pictures
    #[arg(long, default_value_t = 2000)]
    iterations: usize,
    /// Seed of the initial weights and of the order of the pictures
    #[arg(long, default_value_t = 2)]
    seed: u64,
    /// Folder for c6_accuracy.svg
    #[arg(long, default_value = ".")]
    out: PathBuf,
}

fn main() -> Result<()> {
    let args = Args::parse();
    let cifar = data::cifar10_binary(&args.file)?;
    let points = run(&mut std::io::stdout(), cifar, args.iterations, args.seed)?;
    fs::create_dir_all(&args.out)?;
    fs::write(args.out.join("c6_accuracy.svg"), picture(&points))?;
    Ok(())
}
