//! D5: an object-oriented frame for training, from scratch: hyper-parameters that are shown, a module
//! that knows its loss and its optimizer, data that know their batches, a trainer with clipped
//! gradients, and a board that draws while training goes on.
//!
//! The library has these parts as `train::{Objective, DataModule, Trainer, Listener}`.

use clap::Parser;
use gradus::data::{self, DataLoader};
use gradus::nn::{self, Layer, Module};
use gradus::optim::{Optimizer, Sgd};
use gradus::plot::{Panel, Series, curves};
use gradus::train::DataModule;
use gradus::{Result, Tensor, no_grad, random};
use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
};

/// What is chosen rather than learned.
#[derive(Clone, Copy, Debug)]
pub struct HyperParameters {
    /// Learning rate.
    pub lr: f64,
    /// Samples in a step.
    pub batch_size: usize,
    /// Passes over the data.
    pub max_epochs: usize,
    /// The largest norm of a step's gradients.
    pub gradient_clip: f64,
}

/// Digits of 8×8 pixels.
struct Digits(HyperParameters);

impl DataModule for Digits {
    fn train_loader(&self) -> Result<DataLoader> {
        Ok(DataLoader::new(data::digits()?.train, self.0.batch_size)?.shuffle(0))
    }

    fn val_loader(&self) -> Result<DataLoader> {
        DataLoader::new(data::digits()?.test, self.0.batch_size)
    }
}

/// A model that can be trained; who wants another loss or optimizer overrides it.
trait Learner: Layer {
    fn loss(&self, outputs: &Tensor, y: &Tensor) -> Result<Tensor> {
        nn::cross_entropy(outputs, y)
    }

    fn configure_optimizers(&self, h: &HyperParameters) -> Box<dyn Optimizer> {
        Box::new(Sgd::new(self.parameters(), h.lr))
    }

    fn training_step(&self, x: &Tensor, y: &Tensor) -> Result<Tensor> {
        self.loss(&self.forward(x)?, y)
    }

    /// The sum of the losses, the number of right answers, and that of samples.
    fn validation_step(&self, x: &Tensor, y: &Tensor) -> Result<[f64; 3]> {
        let (outputs, n) = (no_grad(|| self.forward(x))?, y.numel() as f64);
        let right = outputs.argmax(1)?.eq(y)?.sum(..)?.item::<i64>()?;
        Ok([self.loss(&outputs, y)?.item::<f64>()? * n, right as f64, n])
    }
}

/// Sums of several numbers at once.
struct Accumulator<const N: usize>([f64; N]);

impl<const N: usize> Accumulator<N> {
    fn add(&mut self, values: [f64; N]) {
        for (sum, value) in self.0.iter_mut().zip(values) {
            *sum += value;
        }
    }
}

/// Curves that are drawn anew after each epoch: keep the file open in a browser and reload.
struct ProgressBoard {
    file: PathBuf,
    lines: [Series; 3],
}

impl ProgressBoard {
    fn new(file: PathBuf) -> Self {
        let names = ["train loss", "validation loss", "validation accuracy"];
        let lines = names.map(|name| Series {
            name: name.into(),
            points: Vec::new(),
        });
        Self { file, lines }
    }

    fn draw(&mut self, line: usize, epoch: f64, value: f64) {
        self.lines[line].points.push((epoch, value));
    }

    fn save(&self) -> Result<()> {
        let panel = Panel {
            title: "progress".into(),
            x_label: "epoch".into(),
            series: self.lines.to_vec(),
            ..Panel::default()
        };
        Ok(fs::write(&self.file, curves(&[panel]))?)
    }
}

/// Trains and draws; returns loss and accuracy on the validation data after each epoch.
fn fit(
    out: &mut impl Write,
    model: &dyn Learner,
    data: &dyn DataModule,
    h: HyperParameters,
    board: &mut ProgressBoard,
) -> Result<Vec<[f64; 2]>> {
    let (train, validation) = (data.train_loader()?, data.val_loader()?);
    let mut optimizer = model.configure_optimizers(&h);
    let (parameters, mut history) = (model.parameters(), Vec::new());
    for epoch in 0..h.max_epochs {
        let mut losses = Accumulator([0.0; 2]);
        for batch in train.epoch(epoch as u64) {
            let (x, y) = batch?;
            let loss = model.training_step(&x, &y)?;
            optimizer.zero_grad();
            loss.backward()?;
            nn::clip_grad_norm_(&parameters, h.gradient_clip)?;
            optimizer.step()?;
            losses.add([loss.item::<f64>()?, 1.0]);
        }
        let mut sums = Accumulator([0.0; 3]);
        for (x, y) in &validation {
            sums.add(model.validation_step(&x, &y)?);
        }
        let [loss, right, n] = sums.0;
        let (done, result) = ((epoch + 1) as f64, [loss / n, right / n]);
        for (line, value) in [losses.0[0] / losses.0[1], result[0], result[1]]
            .into_iter()
            .enumerate()
        {
            board.draw(line, done, value);
        }
        board.save()?;
        writeln!(
            out,
            "epoch {done}: validation loss {:.4}, accuracy {:.4}",
            result[0], result[1]
        )?;
        history.push(result);
    }
    Ok(history)
}

/// Softmax regression.
#[derive(Module)]
struct Classifier {
    linear: nn::Linear,
}

impl Layer for Classifier {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        self.linear.forward(&x.flatten(1, -1)?)
    }
}

impl Learner for Classifier {}

/// Trains, and asks the model about wrong samples before it has learned much.
pub fn run(out: &mut impl Write, h: HyperParameters, folder: &Path) -> Result<Vec<[f64; 2]>> {
    random::manual_seed(0);
    writeln!(out, "{h:?}")?;
    let (model, data) = (
        Classifier {
            linear: nn::Linear::new(64, 10)?,
        },
        Digits(h),
    );
    let mut board = ProgressBoard::new(folder.join("d5_board.svg"));
    let early = HyperParameters { max_epochs: 1, ..h };
    let mut history = fit(out, &model, &data, early, &mut board)?;
    for (x, y) in data.val_loader()?.iter().take(1).flatten() {
        let found = no_grad(|| model.forward(&x))?.argmax(1)?.to_vec::<i64>()?;
        let pairs = found.into_iter().zip(y.to_vec::<i64>()?);
        let wrong: Vec<_> = pairs.filter(|(found, y)| found != y).take(5).collect();
        for (found, y) in wrong {
            writeln!(out, "  early on, a {y} is taken for a {found}")?;
        }
    }
    let mut board = ProgressBoard::new(folder.join("d5_board.svg"));
    history.extend(fit(out, &model, &data, h, &mut board)?);
    Ok(history)
}

/// An object-oriented frame for training.
#[derive(Parser)]
struct Args {
    /// Passes over the data
    #[arg(long, default_value_t = 10)]
    epochs: usize,
    /// Folder for d5_board.svg
    #[arg(long, default_value = ".")]
    out: PathBuf,
}

fn main() -> Result<()> {
    let args = Args::parse();
    fs::create_dir_all(&args.out)?;
    let h = HyperParameters {
        lr: 0.1,
        batch_size: 64,
        max_epochs: args.epochs,
        gradient_clip: 1.0,
    };
    run(&mut std::io::stdout().lock(), h, &args.out)?;
    Ok(())
}
