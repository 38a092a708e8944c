//! D9: clothes told apart by a dense layer and by a convolutional network, and a picture of what was
//! found.
//!
//! `cargo run --release --example d9_cnn -- --data-dir DIR [--model dense|cnn] [--epochs N]
//! [--seed N] [--out FILE.svg]`, where DIR/fashion-mnist holds the four files of Fashion-MNIST;
//! GRADUS_DATA can name DIR too.

use gradus::data::{self, DataLoader, Dataset, ImageDataset, Picture};
use gradus::nn::{self, Layer, Module, Sequential};
use gradus::optim::Adam;
use gradus::plot::{Guess, gallery};
use gradus::train::{Classification, Listener, Progress, Trainer, evaluate};
use gradus::{Error, Kind, Result, no_grad, random};
use std::{env, io::Write, path::PathBuf, process::ExitCode, sync::Arc};

const BATCH: usize = 64;
/// Rows and columns of the picture.
const GRID: [usize; 2] = [5, 3];

/// The two networks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Model {
    /// One hidden layer of 128.
    Dense,
    /// Two convolutions, a maximum, and a hidden layer of 128.
    Cnn,
}

impl Model {
    /// A new network for images of this shape.
    ///
    /// # Errors
    /// If there is no memory for it.
    pub fn net(self, [channels, height, width]: [usize; 3]) -> Result<Sequential> {
        let (net, features) = match self {
            Self::Dense => (Sequential::new(), channels * height * width),
            Self::Cnn => {
                let net = Sequential::new()
                    .add(nn::Conv2d::new(channels, 32, 3)?.padding(1))
                    .add(nn::Relu)
                    .add(nn::Conv2d::new(32, 64, 3)?.padding(1))
                    .add(nn::Relu)
                    .add(nn::MaxPool2d::new(2));
                (net, 64 * (height / 2) * (width / 2))
            }
        };
        Ok(net
            .add(nn::Flatten)
            .add(nn::Linear::new(features, 128)?)
            .add(nn::Relu)
            .add(nn::Linear::new(128, 10)?))
    }
}

/// Trains on nine tenths of `fashion`'s images to train on and watches the rest; returns the accuracy
/// on those to test on and the picture.
pub fn run(
    out: &mut impl Write,
    fashion: data::Split,
    model: Model,
    epochs: usize,
    seed: u64,
    progress: impl Listener,
) -> Result<(f64, String)> {
    random::manual_seed(seed);
    // From −1 to 1.
    let [train, test] = [fashion.train, fashion.test].map(|set| set.normalize(0.5, 0.5));
    let (train, test) = (train?, test?);
    let net = model.net([1, test.shape()[1], test.shape()[2]])?;
    let held_out = train.len() / 10;
    let lengths = [train.len() - held_out, held_out];
    let mut parts = data::random_split(Arc::new(train), &lengths, seed)?.into_iter();
    let mut loader = |batch| match parts.next() {
        Some(part) => DataLoader::new(part, batch),
        None => Err(Error::new(Kind::Value, "there are two parts")),
    };
    let (train, validation) = (loader(BATCH)?.shuffle(seed), loader(500)?);
    let mut adam = Adam::new(net.parameters(), 1e-3);
    let summary = Trainer::new(epochs).seed(seed).listen(progress).fit(
        &net,
        &mut adam,
        &train,
        &validation,
    )?;
    for epoch in &summary.history {
        writeln!(
            out,
            "epoch {:2}  loss {:.4}  validation accuracy {:.2} %  {:.2} s",
            epoch.epoch,
            epoch.train_loss,
            100.0 * epoch.test_score,
            epoch.seconds
        )?;
    }
    let picture = gallery(&guesses(&net, &test, GRID[0] * GRID[1])?, GRID[1])?;
    let accuracy = evaluate(&net, &Classification, &DataLoader::new(test, 500)?)?.score;
    writeln!(out, "{model:?}: test accuracy {:.2} %", 100.0 * accuracy)?;
    Ok((accuracy, picture))
}

/// What the network says about the first `n` images.
fn guesses(net: &Sequential, images: &ImageDataset, n: usize) -> Result<Vec<Guess>> {
    let n = n.min(images.len());
    let (x, y) = images.batch(&(0..n).collect::<Vec<_>>())?;
    net.eval();
    let logits = no_grad(|| net.forward(&x))?;
    let probabilities = logits.softmax(1)?.to_vec2::<f64>()?;
    let (truths, pixels) = (y.to_vec::<i64>()?, images.images());
    let mut guesses = Vec::new();
    for (i, (probabilities, truth)) in probabilities.into_iter().zip(truths).enumerate() {
        let (found, truth) = (logits.select(0, i as isize)?.argmax(0)?, truth as usize);
        let found = found.item::<i64>()? as usize;
        let names = images.classes();
        guesses.push(Guess {
            picture: Picture {
                height: images.shape()[1],
                width: images.shape()[2],
                channels: 1,
                bytes: pixels.select(0, i as isize)?.flatten(0, -1)?.to_vec()?,
            },
            caption: format!(
                "{} {:.0}% ({})",
                names[found],
                100.0 * probabilities[found],
                names[truth]
            ),
            right: found == truth,
            probabilities,
            found,
            truth,
        });
    }
    Ok(guesses)
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
    let (model, epochs) = match option("--model").as_deref() {
        None | Some("dense") => (Model::Dense, 10),
        Some("cnn") => (Model::Cnn, 3),
        Some(other) => {
            let message = format!("--model: expected dense or cnn, got '{other}'");
            return Err(Error::new(Kind::Value, message));
        }
    };
    let folder = option("--data-dir").map(PathBuf::from);
    let fashion = match data::fashion_mnist(folder.as_deref()) {
        Ok(fashion) => fashion,
        Err(e) => {
            eprintln!("{e}");
            return Ok(ExitCode::from(3));
        }
    };
    let (epochs, seed) = (number("--epochs", epochs)?, number("--seed", 0)?);
    let out = &mut std::io::stdout();
    let (_, picture) = run(out, fashion, model, epochs as usize, seed, Progress::new())?;
    let path = option("--out").unwrap_or_else(|| "d9_guesses.svg".into());
    std::fs::write(&path, picture)?;
    writeln!(out, "the picture is in {path}")?;
    Ok(ExitCode::SUCCESS)
}
