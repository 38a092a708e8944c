//! D4: linear regression. Why vectors beat loops, what normal noise looks like, and the line through
//! noisy points in three ways: by a formula, by gradient descent from scratch, and concise.

use clap::Parser;
use gradus::data::{DataLoader, TensorDataset, synthetic_regression};
use gradus::nn::{self, Layer, Module, Parameter};
use gradus::optim::Sgd;
use gradus::plot::{Panel, Series, curves};
use gradus::train::{Regression, Trainer};
use gradus::{DType, Result, Tensor, random};
use std::{
    fs,
    hint::black_box,
    io::Write,
    path::{Path, PathBuf},
    time::Instant,
};

const W: [f64; 2] = [2.0, -3.4];
const B: f64 = 4.2;
const NOISE: f64 = 0.01;
const BATCH: usize = 32;
const LR: f64 = 0.03;
const EPOCHS: usize = 3;

/// Adds 10,000 numbers one tensor element at a time, and at once.
fn timed(out: &mut impl Write) -> Result<()> {
    let n = 10_000;
    let (a, b, c) = (Tensor::ones([n]), Tensor::ones([n]), Tensor::zeros([n]));
    let start = Instant::now();
    for i in 0..n as isize {
        c.set(i, &a.i(i)?.add(&b.i(i)?)?)?;
    }
    let looped = start.elapsed().as_secs_f64();
    let start = Instant::now();
    let d = black_box(a.add(&b)?);
    let vectorised = start.elapsed().as_secs_f64();
    let same = c.eq(&d)?.all(..)?.item::<bool>()?;
    writeln!(
        out,
        "10,000 additions: a loop {looped:.6} s, a vector {vectorised:.6} s; the same result: {same}"
    )?;
    Ok(())
}

/// The density of the normal distribution.
fn normal(x: f64, mean: f64, deviation: f64) -> f64 {
    let z = (x - mean) / deviation;
    (-0.5 * z * z).exp() / (deviation * (2.0 * std::f64::consts::PI).sqrt())
}

/// Three densities as curves.
fn densities() -> Panel {
    let series = |(mean, deviation): (f64, f64)| Series {
        name: format!("mean {mean}, deviation {deviation}"),
        points: (0..=280)
            .map(|i| f64::from(i) / 20.0 - 7.0)
            .map(|x| (x, normal(x, mean, deviation)))
            .collect(),
    };
    Panel {
        title: "normal densities".into(),
        x_label: "x".into(),
        y_label: "p(x)".into(),
        series: [(0.0, 1.0), (0.0, 2.0), (3.0, 1.0)].map(series).into(),
        ..Panel::default()
    }
}

/// The least squares' weights and bias: of what is centred, w = (XᵀX)⁻¹Xᵀy, here for two inputs.
fn analytic(x: &Tensor, y: &Tensor) -> Result<([f64; 2], f64)> {
    let (x, y) = (x.to_dtype(DType::F64)?, y.to_dtype(DType::F64)?);
    let (mean_x, mean_y) = (x.mean(0)?, y.mean(0)?);
    let (xc, yc) = (x.sub(&mean_x)?, y.sub(&mean_y)?);
    let g = xc.t()?.matmul(&xc)?.to_vec::<f64>()?;
    let r = xc.t()?.matmul(&yc)?.to_vec::<f64>()?;
    let determinant = g[0] * g[3] - g[1] * g[2];
    let w = [
        (g[3] * r[0] - g[1] * r[1]) / determinant,
        (g[0] * r[1] - g[2] * r[0]) / determinant,
    ];
    let m = mean_x.to_vec::<f64>()?;
    Ok((w, mean_y.item::<f64>()? - w[0] * m[0] - w[1] * m[1]))
}

/// x·w + b.
#[derive(Module)]
struct Line {
    w: Parameter,
    b: Parameter,
}

impl Line {
    /// Weights normal with this deviation, and no bias.
    fn new(deviation: f64) -> Result<Self> {
        random::manual_seed(0);
        Ok(Self {
            w: Parameter::new(Tensor::normal(0.0, deviation, [2, 1], DType::F32)?)?,
            b: Parameter::new(Tensor::zeros([1]))?,
        })
    }
}

impl Layer for Line {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        x.matmul(&self.w)?.add(&self.b)
    }
}

/// Gradient descent written out; the mean loss of each epoch.
fn scratch(line: &Line, data: &DataLoader, epochs: usize) -> Result<Vec<f64>> {
    let mut losses = Vec::new();
    for epoch in 0..epochs {
        let mut total = 0.0;
        for batch in data.epoch(epoch as u64) {
            let (x, y) = batch?;
            let loss = line.forward(&x)?.sub(&y)?.pow(2.0)?.div(2.0)?.mean(..)?;
            line.zero_grad();
            loss.backward()?;
            for p in line.parameters() {
                if let Some(gradient) = p.grad() {
                    gradus::no_grad(|| p.sub_(&gradient.mul(LR)?))?;
                }
            }
            total += loss.item::<f64>()?;
        }
        losses.push(total / data.len() as f64);
    }
    Ok(losses)
}

/// How far weights and bias are from those that the points were made with.
pub struct Apart {
    /// What was done.
    pub how: &'static str,
    /// Of the weights the larger distance.
    pub w: f64,
    /// Of the bias.
    pub b: f64,
}

fn apart(out: &mut impl Write, how: &'static str, w: &[f64], b: f64) -> Result<Apart> {
    let farthest = (W[0] - w[0]).abs().max((W[1] - w[1]).abs());
    writeln!(out, "{how:22} w = [{:.4}, {:.4}], b = {b:.4}", w[0], w[1])?;
    Ok(Apart {
        how,
        w: farthest,
        b: (B - b).abs(),
    })
}

/// All of it; the picture of densities goes to `folder`.
pub fn run(out: &mut impl Write, folder: &Path) -> Result<Vec<Apart>> {
    timed(out)?;
    fs::write(folder.join("d4_normal.svg"), curves(&[densities()]))?;

    let (x, y) = synthetic_regression(&W, B, NOISE, 1000, 0)?;
    let data = DataLoader::new(TensorDataset::new(x.clone(), y.clone())?, BATCH)?.shuffle(0);
    let (w, b) = analytic(&x, &y)?;
    let mut results = vec![apart(out, "analytic", &w, b)?];

    for (how, deviation, epochs) in [
        ("from scratch", 0.01, EPOCHS),
        // A line has one valley: any start leads there, zeros too …
        ("zeros at first", 0.0, EPOCHS),
        // … but from afar it takes longer.
        ("weights of 1000 at first", 1000.0, EPOCHS),
        ("the same, 30 epochs", 1000.0, 30),
    ] {
        let line = Line::new(deviation)?;
        let losses = scratch(&line, &data, epochs)?;
        let losses: Vec<_> = losses.iter().map(|loss| format!("{loss:.2e}")).collect();
        results.push(apart(out, how, &line.w.to_vec()?, line.b.item()?)?);
        writeln!(out, "  losses {}", losses[..EPOCHS].join(", "))?;
    }

    random::manual_seed(0);
    let line = nn::Linear::new(2, 1)?;
    // The mean squared error has twice the gradient of its half.
    let mut sgd = Sgd::new(line.parameters(), LR / 2.0);
    Trainer::new(EPOCHS)
        .objective(Regression)
        .fit(&line, &mut sgd, &data, &data)?;
    let bias = line.bias.as_ref().map_or(Ok(0.0), |b| b.item())?;
    results.push(apart(out, "concise", &line.weight.to_vec()?, bias)?);
    Ok(results)
}

/// Linear regression in three ways.
#[derive(Parser)]
struct Args {
    /// Folder for d4_normal.svg
    #[arg(long, default_value = ".")]
    out: PathBuf,
}

fn main() -> Result<()> {
    let args = Args::parse();
    fs::create_dir_all(&args.out)?;
    run(&mut std::io::stdout().lock(), &args.out)?;
    Ok(())
}
