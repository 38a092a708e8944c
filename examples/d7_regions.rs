//! D7: where a classifier draws its borders: softmax regression on three clusters, and a network with a
//! hidden layer on two classes that no straight line divides.

use clap::Parser;
use gradus::data::{Blobs, make_moons, train_test_split};
use gradus::nn::{self, Layer, Module, Sequential};
use gradus::optim::{Adam, Optimizer, Sgd};
use gradus::plot::{Cloud, Panel, Regions, Series, curves, scatter};
use gradus::{DType, Result, Tensor, no_grad, random};
use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
};

/// The class of each row.
fn classes(net: &Sequential, x: &Tensor) -> Result<Vec<i64>> {
    no_grad(|| net.forward(x))?.argmax(1)?.to_vec()
}

fn accuracy(net: &Sequential, x: &Tensor, y: &Tensor) -> Result<f64> {
    let found = no_grad(|| net.forward(x))?.argmax(1)?;
    found.eq(y)?.to_dtype(DType::F64)?.mean(..)?.item()
}

/// The points on what the network takes each place for.
fn picture(title: &str, net: &Sequential, x: &Tensor, y: &Tensor) -> Result<String> {
    let points: Vec<_> = x.to_vec2::<f64>()?.iter().map(|p| (p[0], p[1])).collect();
    let regions = Regions::around(&points, 200, |cells| {
        let cells: Vec<f32> = cells
            .iter()
            .flat_map(|&(x, y)| [x as f32, y as f32])
            .collect();
        let n = cells.len() / 2;
        classes(net, &Tensor::from_vec(cells, [n, 2])?)
    })?;
    Ok(scatter(&[Cloud {
        title: title.into(),
        axes: ["x₁".into(), "x₂".into()],
        points,
        labels: y.to_vec()?,
        names: (0..3).map(|class| format!("class {class}")).collect(),
        regions: Some(regions),
        ..Cloud::default()
    }]))
}

/// Softmax regression on three Gaussian clusters; returns its accuracy.
pub fn clusters(out: &mut impl Write, folder: &Path) -> Result<f64> {
    random::manual_seed(0);
    let (x, y) = Blobs::new(300).random_state(3).make()?;
    let x = x.to_dtype(DType::F32)?;
    let net = Sequential::new().add(nn::Linear::new(2, 3)?);
    let mut sgd = Sgd::new(net.parameters(), 0.1);
    for epoch in 1..=100 {
        let loss = nn::cross_entropy(&net.forward(&x)?, &y)?;
        sgd.zero_grad();
        loss.backward()?;
        sgd.step()?;
        if epoch % 10 == 0 {
            writeln!(out, "epoch {epoch:3}  loss {:.4}", loss.item::<f64>()?)?;
        }
    }
    let accuracy = accuracy(&net, &x, &y)?;
    writeln!(out, "accuracy {accuracy:.4}")?;
    let svg = picture("softmax regression", &net, &x, &y)?;
    fs::write(folder.join("d7_clusters.svg"), svg)?;
    Ok(accuracy)
}

/// A network of 2, 10 and 2 units on two moons; returns its accuracy on a fifth that it was not trained
/// on.
pub fn two_classes(out: &mut impl Write, folder: &Path) -> Result<f64> {
    random::manual_seed(0);
    let (x, y) = make_moons(1000, 0.1, 0)?;
    let x = x.to_dtype(DType::F32)?;
    let (train, validation) = train_test_split(1000, 0.2, 0, None)?;
    let part = |rows: &[usize]| -> Result<(Tensor, Tensor)> {
        let rows: Vec<i64> = rows.iter().map(|&row| row as i64).collect();
        let rows = Tensor::from(&rows[..]);
        Ok((x.index_select(0, &rows)?, y.index_select(0, &rows)?))
    };
    let ((train_x, train_y), (val_x, val_y)) = (part(&train)?, part(&validation)?);
    let net = Sequential::new()
        .add(nn::Linear::new(2, 10)?)
        .add(nn::Relu)
        .add(nn::Linear::new(10, 2)?);
    let mut adam = Adam::new(net.parameters(), 0.1);
    let names = [
        "train loss",
        "validation loss",
        "train accuracy",
        "validation accuracy",
    ];
    let mut lines = names.map(|name| Series {
        name: name.into(),
        points: Vec::new(),
    });
    for epoch in 1..=100 {
        let loss = nn::cross_entropy(&net.forward(&train_x)?, &train_y)?;
        adam.zero_grad();
        loss.backward()?;
        adam.step()?;
        let validation = no_grad(|| nn::cross_entropy(&net.forward(&val_x)?, &val_y))?;
        let values = [
            loss.item()?,
            validation.item()?,
            accuracy(&net, &train_x, &train_y)?,
            accuracy(&net, &val_x, &val_y)?,
        ];
        for (line, value) in lines.iter_mut().zip(values) {
            line.points.push((f64::from(epoch), value));
        }
    }
    let reached = accuracy(&net, &val_x, &val_y)?;
    writeln!(
        out,
        "two classes: validation accuracy {reached:.4} after 100 epochs"
    )?;
    let panel = |title: &str, series: &[Series]| Panel {
        title: title.into(),
        x_label: "epoch".into(),
        series: series.to_vec(),
        ..Panel::default()
    };
    let panels = [panel("loss", &lines[..2]), panel("accuracy", &lines[2..])];
    fs::write(folder.join("d7_curves.svg"), curves(&panels))?;
    fs::write(
        folder.join("d7_two_classes.svg"),
        picture("2–10–2", &net, &val_x, &val_y)?,
    )?;
    Ok(reached)
}

/// Where classifiers draw their borders.
#[derive(Parser)]
struct Args {
    /// Folder for d7_clusters.svg, d7_two_classes.svg and d7_curves.svg
    #[arg(long, default_value = ".")]
    out: PathBuf,
}

fn main() -> Result<()> {
    let args = Args::parse();
    fs::create_dir_all(&args.out)?;
    let out = &mut std::io::stdout().lock();
    clusters(out, &args.out)?;
    two_classes(out, &args.out)?;
    Ok(())
}
