//! F3: a convolutional network for handwritten digits, trained by plain gradient descent; every
//! layer learns, as the gradient check shows.
//!
//! `cargo run --release --example f3_cnn -- --data-dir DIR [--iterations N] [--seed N]`, where
//! DIR/mnist holds the four files of MNIST; GRADUS_DATA can name DIR too.

use gradus::data::{self, DataLoader};
use gradus::metrics::{Average, accuracy_score, f1_score};
use gradus::nn::{self, Layer, Module};
use gradus::optim::{Optimizer, Sgd};
use gradus::train::{
    Classification, Event, Listener, Outcome, Progress, Score, Summary, evaluate_with,
};
use gradus::{DType, Error, Kind, Result, Tensor, models, no_grad, random};
use std::{env, io::Write, path::PathBuf, process::ExitCode, time::Instant};

const BATCH: usize = 32;
const LR: f64 = 1e-3;

/// A parameter's gradient beside differences of the loss.
pub struct Checked {
    /// The parameter's path.
    pub name: String,
    /// The largest distance between the two, of all that were compared, relative to the larger of
    /// the difference and 1.
    pub apart: f64,
    /// How many were compared.
    pub compared: usize,
}

/// Compares the gradient of every parameter with central differences, on a few small images in f64:
/// along a random direction through all its elements, and for up to `elements` single ones spread
/// over it.
pub fn check_gradients(elements: usize) -> Result<Vec<Checked>> {
    // So small that hardly a relu or a maximum changes sides.
    const STEP: f64 = 1e-7;
    random::manual_seed(1);
    // Images of 14×14 pixels: the network is the same but for the first linear layer.
    let net = nn::with_dtype(DType::F64, || models::cnn([1, 14, 14], 10))?;
    let x = Tensor::rand([3, 1, 14, 14])?.to_dtype(DType::F64)?;
    let y = Tensor::from([7, 0, 3]);
    let loss = || nn::cross_entropy(&net.forward(&x)?, &y);
    loss()?.backward()?;
    let mut checked = Vec::new();
    for (name, p) in net.named_parameters() {
        let gradient = p.grad().map_or_else(|| p.zeros_like(), Ok)?;
        let apart = |direction: &Tensor| -> Result<f64> {
            let at = |step: f64| {
                no_grad(|| {
                    p.add_(&direction.mul(step)?)?;
                    let loss = loss()?.item::<f64>()?;
                    p.sub_(&direction.mul(step)?)?;
                    Ok::<_, Error>(loss)
                })
            };
            let difference = (at(STEP)? - at(-STEP)?) / (2.0 * STEP);
            let slope = gradient.mul(direction)?.sum(..)?.item::<f64>()?;
            Ok((slope - difference).abs() / difference.abs().max(1.0))
        };
        let mut directions = vec![Tensor::randn(p.shape())?.to_dtype(DType::F64)?];
        for i in (0..p.numel()).step_by(p.numel().div_ceil(elements.max(1))) {
            let mut one = vec![0.0; p.numel()];
            one[i] = 1.0;
            directions.push(Tensor::from_vec(one, p.shape())?);
        }
        let mut farthest: f64 = 0.0;
        for direction in &directions {
            farthest = farthest.max(apart(direction)?);
        }
        checked.push(Checked {
            name,
            apart: farthest,
            compared: directions.len(),
        });
    }
    Ok(checked)
}

/// What came of training.
pub struct Scores {
    /// The F1 score, a mean over the classes.
    pub macro_f1: f64,
    /// Training iterations a second.
    pub speed: f64,
}

/// Trains on `mnist` for so many iterations and scores the test images.
pub fn run(
    out: &mut impl Write,
    mnist: data::Split,
    iterations: usize,
    seed: u64,
    progress: &mut impl Listener,
) -> Result<Scores> {
    random::manual_seed(seed);
    let train = DataLoader::new(mnist.train, BATCH)?
        .shuffle(seed)
        .drop_last(true);
    let test = DataLoader::new(mnist.test, 500)?;
    // Begins as He et al. propose; with PyTorch's usual beginning it would learn much more slowly.
    let net = models::cnn([1, 28, 28], 10)?;
    let mut sgd = Sgd::new(net.parameters(), LR);

    let start = Instant::now();
    progress.on(Event::Start {
        epochs: 1,
        steps: iterations,
        parameters: net.num_parameters(),
        metric: "accuracy",
        done: (0, 0),
    })?;
    let (mut step, mut total, mut right) = (0, 0.0, 0);
    for epoch in 0.. {
        for batch in train.epoch(epoch).take(iterations - step) {
            let (x, y) = batch?;
            let logits = net.forward(&x)?;
            let loss = nn::cross_entropy(&logits, &y)?;
            sgd.zero_grad();
            loss.backward()?;
            sgd.step()?;
            step += 1;
            total += loss.item::<f64>()?;
            right += logits.argmax(1)?.eq(&y)?.sum(..)?.item::<i64>()?;
            let samples = step * BATCH;
            let score = Score {
                loss: total / step as f64,
                score: right as f64 / samples as f64,
                samples,
            };
            progress.on(Event::Step {
                epoch: 1,
                step,
                score,
            })?;
        }
        if step == iterations {
            break;
        }
    }
    let speed = iterations as f64 / start.elapsed().as_secs_f64();
    progress.on(Event::Done(&Summary {
        outcome: Outcome::Finished,
        history: Vec::new(),
        done: (1, 0),
    }))?;

    let (mut truth, mut found) = (Vec::new(), Vec::new());
    let score = evaluate_with(&net, &Classification, &test, |logits, targets| {
        truth.extend(targets.to_vec::<i64>()?);
        found.extend(logits.argmax(1)?.to_vec::<i64>()?);
        Ok(())
    })?;
    let n = truth.len();
    let (truth, found) = (Tensor::from_vec(truth, [n])?, Tensor::from_vec(found, [n])?);
    let macro_f1 = f1_score(&truth, &found, Average::Macro)?;
    let micro_f1 = f1_score(&truth, &found, Average::Micro)?;
    writeln!(
        out,
        "{iterations} iterations, {speed:.0} a second: mean loss {:.4}, test loss {:.4}",
        total / iterations as f64,
        score.loss
    )?;
    writeln!(
        out,
        "macro F1 {macro_f1:.4}, micro F1 {micro_f1:.4}, accuracy {:.4}",
        accuracy_score(&truth, &found)?
    )?;
    Ok(Scores { macro_f1, speed })
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
    let mnist = match data::mnist(folder.as_deref()) {
        Ok(mnist) => mnist,
        Err(e) => {
            eprintln!("{e}");
            return Ok(ExitCode::from(3));
        }
    };
    let (iterations, seed) = (number("--iterations", 5000)?, number("--seed", 0)?);
    let out = &mut std::io::stdout();
    for checked in check_gradients(20)? {
        writeln!(
            out,
            "gradient of {:8} beside {} differences: at most {:.1e} apart",
            checked.name, checked.compared, checked.apart
        )?;
    }
    run(
        out,
        mnist,
        iterations.max(1) as usize,
        seed,
        &mut Progress::new(),
    )?;
    Ok(ExitCode::SUCCESS)
}
