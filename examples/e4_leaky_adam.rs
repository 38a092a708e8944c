//! E4: LeakyReLU and Adam. With a learning rate of 0.5 the loss leaps to hundreds and comes back part of the
//! way only, yet every number stays one; with 0.003 the same network learns.

use clap::Parser;
use gradus::data::{self, DataLoader};
use gradus::nn::{self, Module, Sequential};
use gradus::optim::Adam;
use gradus::plot::{Panel, Series, curves};
use gradus::train::{Epoch, Listener, Progress, Trainer};
use gradus::{Result, random};
use std::{fs, io::Write, path::PathBuf};

const BATCH: usize = 512;

fn net() -> Result<Sequential> {
    Ok(Sequential::new()
        .add(nn::Flatten)
        .add(nn::Linear::new(784, 128)?)
        .add(nn::LeakyRelu(0.1))
        .add(nn::Linear::new(128, 64)?)
        .add(nn::LeakyRelu(0.1))
        .add(nn::Linear::new(64, 10)?))
}

/// The epochs of one training.
pub fn run(
    out: &mut impl Write,
    mnist: &data::Split,
    epochs: usize,
    lr: f64,
    progress: impl Listener,
) -> Result<Vec<Epoch>> {
    random::manual_seed(0);
    let train = DataLoader::new(mnist.train.clone(), BATCH)?.shuffle(0);
    let test = DataLoader::new(mnist.test.clone(), 1000)?;
    let net = net()?;
    let mut adam = Adam::new(net.parameters(), lr);
    let trainer = Trainer::new(epochs).listen(progress);
    let history = trainer.fit(&net, &mut adam, &train, &test)?.history;
    let best = history.iter().map(|e| e.test_score).fold(0.0, f64::max);
    writeln!(
        out,
        "lr {lr}: best test accuracy {:.2} % in {epochs} epochs",
        100.0 * best
    )?;
    Ok(history)
}

/// Loss and test accuracy by epoch, a line for each learning rate.
pub fn picture(runs: &[(f64, Vec<Epoch>)]) -> String {
    let panel = |title: &str, log: bool, value: fn(&Epoch) -> f64| Panel {
        title: title.into(),
        x_label: "epoch".into(),
        series: (runs.iter())
            .map(|(lr, epochs)| Series {
                name: format!("lr {lr}"),
                points: epochs.iter().map(|e| (e.epoch as f64, value(e))).collect(),
            })
            .collect(),
        log: [false, log],
        ..Panel::default()
    };
    curves(&[
        panel("training loss", true, |e| e.train_loss),
        panel("test accuracy", false, |e| e.test_score),
    ])
}

/// LeakyReLU with Adam, once with a learning rate that is far too large, on MNIST.
#[derive(Parser)]
struct Args {
    /// Folder with the data set mnist in it [default: GRADUS_DATA, or the user's own]
    #[arg(long)]
    data_dir: Option<PathBuf>,
    /// Passes over the images
    #[arg(long, default_value_t = 20)]
    epochs: usize,
    /// Folder for e4_rates.svg
    #[arg(long, default_value = ".")]
    out: PathBuf,
}

fn main() -> Result<()> {
    let args = Args::parse();
    let mnist = data::mnist(args.data_dir.as_deref())?;
    let mut runs = Vec::new();
    for lr in [0.5, 3e-3] {
        let epochs = run(
            &mut std::io::stdout(),
            &mnist,
            args.epochs,
            lr,
            Progress::new(),
        )?;
        runs.push((lr, epochs));
    }
    fs::create_dir_all(&args.out)?;
    fs::write(args.out.join("e4_rates.svg"), picture(&runs))?;
    Ok(())
}
