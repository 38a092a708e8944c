//! E2: a network of three layers whose forward and backward pass are written out, a sample a column;
//! each step sees all of MNIST.
//!
//! The weights are NumPy's after `RandomState(0)`, so the figures are those of the NumPy program.

use clap::Parser;
use gradus::data;
use gradus::random::{self, Compat, Generator};
use gradus::{DType, Result, Tensor, keepdim};
use std::{io::Write, path::PathBuf};

const SIZES: [usize; 4] = [784, 128, 64, 10];
const LR: f64 = 0.5;

/// W, [out, in], and b, [out, 1].
struct Layer {
    w: Tensor,
    b: Tensor,
}

/// Sigmoids between the layers, softmax at the end.
struct Mlp(Vec<Layer>);

impl Mlp {
    fn new() -> Result<Self> {
        random::scoped(Generator::compat(0, Compat::Numpy), || {
            let layer = |n: &[usize]| {
                Ok(Layer {
                    w: Tensor::normal(0.0, 1.0, [n[1], n[0]], DType::F64)?
                        .mul((1.0 / n[0] as f64).sqrt())?,
                    b: Tensor::full([n[1], 1], 0.0, DType::F64)?,
                })
            };
            Ok(Self(SIZES.windows(2).map(layer).collect::<Result<_>>()?))
        })
    }

    /// The input x, [784, m], and what each layer makes of it.
    fn forward(&self, x: &Tensor) -> Result<Vec<Tensor>> {
        let mut a = vec![x.clone()];
        for (i, layer) in self.0.iter().enumerate() {
            let z = layer.w.matmul(&a[i])?.add(&layer.b)?;
            let last = i + 1 == self.0.len();
            a.push(if last { z.softmax(0)? } else { z.sigmoid()? });
        }
        Ok(a)
    }

    /// The gradients of the mean cross-entropy, (dW, db) for each layer, from the targets [10, m].
    fn backward(&self, a: &[Tensor], targets: &Tensor) -> Result<Vec<(Tensor, Tensor)>> {
        let m = targets.shape()[1] as f64;
        // Of softmax and cross-entropy together.
        let mut dz = a[self.0.len()].sub(targets)?.div(m)?;
        let mut gradients = Vec::new();
        for (layer, a) in self.0.iter().zip(a).rev() {
            gradients.push((dz.matmul(&a.t()?)?, dz.sum(keepdim(1))?));
            // Not needed below the first layer, and harmless: x has slopes like any activation.
            let da = layer.w.t()?.matmul(&dz)?;
            dz = da.mul(&a.mul(&(1.0 - a))?)?;
        }
        gradients.reverse();
        Ok(gradients)
    }
}

/// Images as columns of numbers from 0 to 1, and their labels.
fn columns(set: &data::ImageDataset) -> Result<(Tensor, Tensor)> {
    let x = set
        .images()
        .flatten(1, -1)?
        .to_dtype(DType::F32)?
        .div(255.0)?;
    let x = x.to_dtype(DType::F64)?.t()?.contiguous()?;
    let labels = set.labels();
    Ok((x, Tensor::from_vec(labels, [labels.len()])?))
}

fn accuracy(outputs: &Tensor, labels: &Tensor) -> Result<f64> {
    outputs
        .argmax(0)?
        .eq(labels)?
        .to_dtype(DType::F64)?
        .mean(..)?
        .item()
}

/// Loss and both accuracies after each step.
pub fn run(out: &mut impl Write, mnist: data::Split, epochs: usize) -> Result<Vec<[f64; 3]>> {
    let ((x, y), (test_x, test_y)) = (columns(&mnist.train)?, columns(&mnist.test)?);
    let targets = y.one_hot(10)?.t()?.to_dtype(DType::F64)?;
    let net = Mlp::new()?;
    let mut figures = Vec::new();
    let mut a = net.forward(&x)?;
    for epoch in 1..=epochs {
        for (layer, (dw, db)) in net.0.iter().zip(net.backward(&a, &targets)?) {
            layer.w.sub_(&dw.mul(LR)?)?;
            layer.b.sub_(&db.mul(LR)?)?;
        }
        a = net.forward(&x)?;
        let found = &a[net.0.len()];
        let loss = found
            .mul(&targets)?
            .sum(0)?
            .log()?
            .mean(..)?
            .item::<f64>()?;
        let tested = net.forward(&test_x)?;
        let row = [
            -loss,
            accuracy(found, &y)?,
            accuracy(&tested[net.0.len()], &test_y)?,
        ];
        writeln!(
            out,
            "epoch {epoch:2}  loss {:.6}  train accuracy {:.4} %  test accuracy {:.2} %",
            row[0],
            100.0 * row[1],
            100.0 * row[2]
        )?;
        figures.push(row);
    }
    Ok(figures)
}

/// A network of three layers with its backward pass written out, on MNIST.
#[derive(Parser)]
struct Args {
    /// Folder with the data set mnist in it [default: GRADUS_DATA, or the user's own]
    #[arg(long)]
    data_dir: Option<PathBuf>,
    /// Steps, each on all images
    #[arg(long, default_value_t = 10)]
    epochs: usize,
}

fn main() -> Result<()> {
    let args = Args::parse();
    let mnist = data::mnist(args.data_dir.as_deref())?;
    run(&mut std::io::stdout(), mnist, args.epochs)?;
    Ok(())
}
