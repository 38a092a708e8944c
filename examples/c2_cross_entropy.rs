//! C2: cross-entropy between probabilities and one-hot targets, −Σ t·log(p + 1e-9), averaged over
//! the rows. The 1e-9 keeps the logarithm finite where a probability is 0.

use gradus::{DType, Result, Tensor};
use std::io::Write;

/// Shapes: `p` and `t` [n, classes]; the result is 0-d.
fn cross_entropy(p: &Tensor, t: &Tensor) -> Result<Tensor> {
    let n = p.shape()[0] as f64;
    p.add(1e-9)?.log()?.mul(t)?.div(-n)?.sum(..)
}

/// A row for each class number: 1 at its place, 0 elsewhere.
fn one_hot(classes: &[i64], n: usize) -> Result<Tensor> {
    Tensor::eye(n, DType::F64)?.index_select(0, &Tensor::from_vec(classes, [classes.len()])?)
}

/// Prints the figures.
pub fn run(out: &mut impl Write) -> Result<()> {
    let cases: [(&[[f64; 3]], &[i64]); 3] = [
        (&[[0.0, 0.0, 0.0]], &[1]),
        (&[[0.1, 0.3, 0.6]], &[1]),
        (
            &[[0.1, 0.3, 0.6], [0.2, 0.4, 0.4], [0.9, 0.05, 0.05]],
            &[1, 2, 0],
        ),
    ];
    for (p, classes) in cases {
        let probabilities = Tensor::from_vec(p.as_flattened(), [p.len(), 3])?;
        let loss = cross_entropy(&probabilities, &one_hot(classes, 3)?)?;
        let loss = loss.item::<f64>()?;
        writeln!(out, "{p:?} against {classes:?}: {loss:?}")?;
    }
    Ok(())
}

fn main() -> Result<()> {
    run(&mut std::io::stdout())
}
