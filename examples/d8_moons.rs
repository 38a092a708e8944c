//! D8: relu, sigmoid and tanh on two moons: how fast a network learns with each, and how well.

use clap::Parser;
use gradus::data::{make_moons, train_test_split};
use gradus::nn::{self, Layer, Module, Sequential};
use gradus::optim::{Adam, Optimizer};
use gradus::plot::{Bars, Group, Panel, Series, bars, curves, grid};
use gradus::preprocessing::StandardScaler;
use gradus::{DType, Result, Tensor, no_grad, random};
use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
};

const SAMPLES: usize = 1000;
const NOISE: f64 = 0.1;
const LR: f64 = 0.01;

fn net(activation: &str) -> Result<Sequential> {
    Ok(Sequential::new()
        .add(nn::Linear::new(2, 10)?)
        .add(nn::activation(activation)?)
        .add(nn::Linear::new(10, 10)?)
        .add(nn::activation(activation)?)
        .add(nn::Linear::new(10, 2)?))
}

/// Inputs and classes to train on and to test on, standardised by the former.
fn moons() -> Result<[(Tensor, Tensor); 2]> {
    let (x, y) = make_moons(SAMPLES, NOISE, 0)?;
    let (train, test) = train_test_split(SAMPLES, 0.2, 0, None)?;
    let [train, test] = [train, test].map(|rows| {
        let rows: Vec<i64> = rows.into_iter().map(|row| row as i64).collect();
        Tensor::from(&rows[..])
    });
    let scaler = StandardScaler::fit(&x.index_select(0, &train)?)?;
    let part = |rows: &Tensor| -> Result<(Tensor, Tensor)> {
        let x = scaler.transform(&x.index_select(0, rows)?)?;
        Ok((x.to_dtype(DType::F32)?, y.index_select(0, rows)?))
    };
    Ok([part(&train)?, part(&test)?])
}

/// Trains with each activation for `epochs` steps on all points, and draws; returns names and test
/// accuracies.
pub fn run(out: &mut impl Write, epochs: usize, folder: &Path) -> Result<Vec<(String, f64)>> {
    let [(x, y), (test_x, test_y)] = moons()?;
    let (mut lines, mut results) = (Vec::new(), Vec::new());
    for name in ["relu", "sigmoid", "tanh"] {
        random::manual_seed(0);
        let net = net(name)?;
        let mut adam = Adam::new(net.parameters(), LR);
        let mut points = Vec::new();
        for epoch in 1..=epochs {
            let loss = nn::cross_entropy(&net.forward(&x)?, &y)?;
            adam.zero_grad();
            loss.backward()?;
            adam.step()?;
            points.push((epoch as f64, loss.item()?));
        }
        let found = no_grad(|| net.forward(&test_x))?.argmax(1)?;
        let accuracy = found.eq(&test_y)?.to_dtype(DType::F64)?.mean(..)?.item()?;
        let loss = points[epochs - 1].1;
        writeln!(out, "{name:7}  loss {loss:.4}  test accuracy {accuracy:.4}")?;
        lines.push(Series {
            name: name.into(),
            points,
        });
        results.push((name.to_string(), accuracy));
    }
    let losses = curves(&[Panel {
        title: "training loss".into(),
        x_label: "epoch".into(),
        series: lines,
        log: [false, true],
        ..Panel::default()
    }]);
    let accuracies = bars(&[Bars {
        title: "test accuracy".into(),
        names: results.iter().map(|r| r.0.clone()).collect(),
        groups: vec![Group {
            name: String::new(),
            values: results.iter().map(|r| r.1).collect(),
        }],
        ..Bars::default()
    }]);
    fs::write(folder.join("d8_moons.svg"), grid(&[losses, accuracies], 2)?)?;
    Ok(results)
}

/// Three activations on two moons.
#[derive(Parser)]
struct Args {
    /// Steps, each on all points
    #[arg(long, default_value_t = 1000, value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..))]
    epochs: usize,
    /// Folder for d8_moons.svg
    #[arg(long, default_value = ".")]
    out: PathBuf,
}

fn main() -> Result<()> {
    let args = Args::parse();
    fs::create_dir_all(&args.out)?;
    run(&mut std::io::stdout().lock(), args.epochs, &args.out)?;
    Ok(())
}
