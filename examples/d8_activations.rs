//! D8: activations and their gradients as curves.

use clap::Parser;
use gradus::plot::{Panel, Series, curves, grid};
use gradus::{DType, Result, Tensor};
use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
};

type Function = fn(&Tensor) -> Result<Tensor>;

/// With the slope 0.25 that PyTorch's `PReLU` begins with; a network learns it.
fn prelu(x: &Tensor) -> Result<Tensor> {
    x.prelu(&Tensor::from([0.25]).to_dtype(x.dtype())?)
}

const FUNCTIONS: [(&str, Function); 8] = [
    ("relu", |x| x.relu()),
    ("pReLU", prelu),
    ("leaky relu", |x| x.leaky_relu(0.1)),
    ("sigmoid", |x| x.sigmoid()),
    ("tanh", |x| x.tanh()),
    ("GELU", |x| x.gelu()),
    ("SiLU (Swish)", |x| x.silu()),
    ("ELU", |x| x.elu(1.0)),
];

/// Writes value and slope of each at −1 and 1, and `d8_activations.svg`.
pub fn run(out: &mut impl Write, folder: &Path) -> Result<()> {
    let mut pictures = Vec::new();
    for (name, f) in FUNCTIONS {
        let x = Tensor::linspace(-4.0, 4.0, 161, DType::F64)?.requires_grad_(true)?;
        let y = f(&x)?;
        y.sum(..)?.backward()?;
        let slope = x.grad().map_or_else(|| x.zeros_like(), Ok)?;
        let [x, y, slope] = [&x, &y, &slope].map(|t| t.to_vec::<f64>());
        let (x, y, slope) = (x?, y?, slope?);
        let (a, b) = (60, 100); // −1 and 1.
        writeln!(
            out,
            "{name:12}  f(-1) = {:7.4}  f'(-1) = {:7.4}  f(1) = {:.4}  f'(1) = {:.4}",
            y[a], slope[a], y[b], slope[b]
        )?;
        let line = |name: &str, values: Vec<f64>| Series {
            name: name.into(),
            points: x.iter().copied().zip(values).collect(),
        };
        pictures.push(curves(&[Panel {
            title: name.into(),
            x_label: "x".into(),
            y_label: String::new(),
            series: vec![line("f", y.clone()), line("gradient", slope.clone())],
            ..Panel::default()
        }]));
    }
    fs::write(folder.join("d8_activations.svg"), grid(&pictures, 4)?)?;
    Ok(())
}

/// Activations and their gradients as curves.
#[derive(Parser)]
struct Args {
    /// Folder for d8_activations.svg
    #[arg(long, default_value = ".")]
    out: PathBuf,
}

fn main() -> Result<()> {
    let args = Args::parse();
    fs::create_dir_all(&args.out)?;
    run(&mut std::io::stdout().lock(), &args.out)
}
