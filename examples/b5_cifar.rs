//! B5: a small convolutional network for the pictures of CIFAR-10.
//!
//! `cargo run --release --example b5_cifar -- --data-dir DIR [--epochs N] [--seed N]`, where
//! DIR/cifar-10 holds `cifar-10-binary.tar.gz` or `cifar-10-images.tar.gz`; GRADUS_DATA can name DIR
//! too.

use gradus::data::{self, DataLoader, Transform};
use gradus::nn::{self, Layer, Module, Sequential};
use gradus::optim::{Adam, Optimizer};
use gradus::random::{self, Generator};
use gradus::train::{Classification, evaluate};
use gradus::{Error, Kind, Result};
use std::{env, io::Write, path::PathBuf, process::ExitCode, time::Instant};

const BATCH: usize = 128;
const LR: f64 = 2e-3;

/// Three times convolution – normalisation – relu – maximum of 2×2, with 32, 48 and 64 channels, then
/// two linear layers: 175,114 numbers.
pub fn net() -> Result<Sequential> {
    let mut net = Sequential::new();
    for channels in [3, 32, 48, 64].windows(2) {
        net = net
            .add(nn::Conv2d::without_bias(channels[0], channels[1], 3)?.padding(1))
            .add(nn::BatchNorm2d::new(channels[1])?)
            .add(nn::Relu)
            .add(nn::MaxPool2d::new(2));
    }
    Ok(net
        .add(nn::Flatten)
        .add(nn::Linear::new(64 * 4 * 4, 128)?)
        .add(nn::Relu)
        .add(nn::Linear::new(128, 10)?))
}

/// Trains on `cifar`, a line for each epoch; returns the last mean training loss and the test
/// accuracy.
pub fn run(
    out: &mut impl Write,
    cifar: data::Split,
    epochs: usize,
    seed: u64,
) -> Result<(f64, f64)> {
    random::manual_seed(seed);
    let statistics = cifar.train.channel_mean_std()?;
    let train = cifar
        .train
        .normalize_channels(&statistics)?
        .transforms(&[Transform::RandomHorizontalFlip { p: 0.5 }])?;
    let train = DataLoader::new(train, BATCH)?.shuffle(seed);
    let test = DataLoader::new(cifar.test.normalize_channels(&statistics)?, 500)?;
    let net = net()?;
    let mut adam = Adam::new(net.parameters(), LR);
    writeln!(out, "{} parameters", net.num_parameters())?;
    let mut result = (f64::NAN, f64::NAN);
    for epoch in 1..=epochs {
        let (start, mut total) = (Instant::now(), 0.0);
        net.train(true);
        for (step, batch) in train.epoch(epoch as u64).enumerate() {
            // From LR down to 0 along half a cosine wave.
            let done = (epoch - 1) as f64 + step as f64 / train.len() as f64;
            let wave = (std::f64::consts::PI * done / epochs as f64).cos();
            adam.set_lr(LR * (1.0 + wave) / 2.0);
            let (x, y) = batch?;
            let stream = Generator::from_parts(&[seed, epoch as u64, step as u64]);
            let loss = random::scoped(stream, || nn::cross_entropy(&net.forward(&x)?, &y))?;
            adam.zero_grad();
            loss.backward()?;
            adam.step()?;
            total += loss.item::<f64>()?;
        }
        let seconds = start.elapsed().as_secs_f64();
        result = (
            total / train.len() as f64,
            evaluate(&net, &Classification, &test)?.score,
        );
        let (loss, accuracy) = (result.0, 100.0 * result.1);
        writeln!(
            out,
            "epoch {epoch:2}  loss {loss:.4}  test accuracy {accuracy:.2} %  {seconds:.2} s"
        )?;
    }
    Ok(result)
}

/// The value that follows `name` on the command line.
fn option(name: &str) -> Option<String> {
    env::args().skip_while(|arg| arg != name).nth(1)
}

fn number(name: &str, default: u64) -> Result<u64> {
    let Some(text) = option(name) else {
        return Ok(default);
    };
    let message = format!("{name}: expected a whole number, got '{text}'");
    text.parse().map_err(|_| Error::new(Kind::Value, message))
}

fn main() -> Result<ExitCode> {
    let folder = option("--data-dir").map(PathBuf::from);
    let cifar = match data::cifar10(folder.as_deref()) {
        Ok(cifar) => cifar,
        Err(e) => {
            eprintln!("{e}");
            return Ok(ExitCode::from(3));
        }
    };
    let (epochs, seed) = (number("--epochs", 30)?, number("--seed", 0)?);
    run(&mut std::io::stdout(), cifar, epochs as usize, seed)?;
    Ok(ExitCode::SUCCESS)
}
