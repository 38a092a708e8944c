//! E3: the network of E2 from modules, with relu instead of sigmoids and in small batches.

use clap::Parser;
use gradus::data::{self, DataLoader};
use gradus::nn::{self, Module, Sequential};
use gradus::optim::Sgd;
use gradus::train::{Listener, Progress, Trainer};
use gradus::{Result, random};
use std::{io::Write, path::PathBuf};

const BATCH: usize = 512;

/// A layer whose weights begin as He et al. propose for relu, and its bias at 0.
fn linear(inputs: usize, outputs: usize) -> Result<nn::Linear> {
    let layer = nn::Linear::new(inputs, outputs)?;
    nn::init::kaiming_normal_(&layer.weight)?;
    if let Some(bias) = &layer.bias {
        nn::init::constant_(bias, 0.0)?;
    }
    Ok(layer)
}

fn net() -> Result<Sequential> {
    Ok(Sequential::new()
        .add(nn::Flatten)
        .add(linear(784, 128)?)
        .add(nn::Relu)
        .add(linear(128, 64)?)
        .add(nn::Relu)
        .add(linear(64, 10)?))
}

/// Trains on `mnist` and returns the best test accuracy of an epoch.
pub fn run(
    out: &mut impl Write,
    mnist: data::Split,
    epochs: usize,
    lr: f64,
    seed: u64,
    progress: impl Listener,
) -> Result<f64> {
    random::manual_seed(seed);
    let train = DataLoader::new(mnist.train, BATCH)?.shuffle(seed);
    let test = DataLoader::new(mnist.test, 1000)?;
    let net = net()?;
    let mut sgd = Sgd::new(net.parameters(), lr);
    let trainer = Trainer::new(epochs).seed(seed).listen(progress);
    let history = trainer.fit(&net, &mut sgd, &train, &test)?.history;
    let best = history.iter().map(|e| e.test_score).fold(0.0, f64::max);
    writeln!(out, "best test accuracy {:.2} %", 100.0 * best)?;
    Ok(best)
}

/// A network of three layers from modules, on MNIST.
#[derive(Parser)]
struct Args {
    /// Folder with the data set mnist in it [default: GRADUS_DATA, or the user's own]
    #[arg(long)]
    data_dir: Option<PathBuf>,
    /// Passes over the images
    #[arg(long, default_value_t = 100)]
    epochs: usize,
    /// Learning rate
    #[arg(long, default_value_t = 0.5)]
    lr: f64,
    /// Seed of the initial weights and of the order of the images
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

fn main() -> Result<()> {
    let args = Args::parse();
    let mnist = data::mnist(args.data_dir.as_deref())?;
    let out = &mut std::io::stdout();
    run(out, mnist, args.epochs, args.lr, args.seed, Progress::new())?;
    Ok(())
}
