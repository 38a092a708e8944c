//! Equations and decompositions of f32 and f64 matrices, batches of them in the leading dimensions.
//! Needs the feature `linalg`, which brings `faer`.
//!
//! ```
//! use gradus_core::{Tensor, linalg};
//! let a = Tensor::from([[2.0, 1.0], [1.0, 3.0]]);
//! let x = linalg::solve(&a, &Tensor::from([3.0, 5.0]))?;
//! assert!(a.mv(&x)?.allclose(&Tensor::from([3.0, 5.0]))?);
//! # Ok::<(), gradus_core::Error>(())
//! ```
//!
//! Each decomposition is one recorded operation. Where it has several results they are recorded as
//! one tensor, of which the results are views, so that one `backward` sees the gradients of all.

pub(in crate::ops) mod determinant;
pub(in crate::ops) mod inverse;
pub(in crate::ops) mod orthogonal;
pub(in crate::ops) mod solve;
pub(in crate::ops) mod spectral;

pub use determinant::{Slogdet, det, slogdet};
pub use inverse::{cond, inv, lstsq, matrix_rank, pinv};
pub use orthogonal::{Qr, cholesky, qr};
pub use solve::{solve, solve_triangular};
pub use spectral::{Eigh, Svd, eigh, eigvalsh, svd, svdvals};

use crate::error::{Result, err};
use crate::kernels::math::Float;
use crate::kernels::parallel;
use crate::shape::{Dims, numel};
use crate::storage::Buffer;
use crate::tensor::Tensor;
use faer::MatRef;
use parking_lot::Mutex;

/// f32 or f64, for the engine and for faer.
trait Real: Float + faer::traits::RealField {}
impl Real for f32 {}
impl Real for f64 {}

/// Batch dimensions, rows and columns.
fn matrices<'a>(op: &str, a: &'a Tensor) -> Result<(&'a [usize], usize, usize)> {
    a.dtype().expect_float(op)?;
    match a.shape() {
        [batch @ .., rows, cols] => Ok((batch, *rows, *cols)),
        shape => Err(err!(
            Shape,
            "{op}: The input tensor A must have at least 2 dimensions, its shape is {shape:?}"
        )),
    }
}

/// As [`matrices`], for square ones.
fn squares<'a>(op: &str, a: &'a Tensor) -> Result<(&'a [usize], usize)> {
    let (batch, rows, cols) = matrices(op, a)?;
    if rows == cols {
        return Ok((batch, rows));
    }
    Err(err!(
        Shape,
        "{op}: A must be batches of square matrices, but they are {rows} by {cols} matrices"
    ))
}

/// The shape `[batch.., sizes..]`.
fn with_batch(batch: &[usize], sizes: &[usize]) -> Dims {
    batch.iter().chain(sizes).copied().collect()
}

/// `len` numbers for each matrix of `a`, written by `f(number, matrix, out)`: a tensor of shape
/// `[batch.., len]`. Matrices are shared among the threads; `f` says what is wrong with one.
fn each<T: Real>(
    op: &str,
    a: &Tensor,
    len: usize,
    f: impl Fn(usize, MatRef<'_, T>, &mut [T]) -> Result<(), String> + Sync,
) -> Result<Tensor> {
    let (batch, rows, cols) = matrices(op, a)?;
    let shape = with_batch(batch, &[len]);
    let mut out = Buffer::new::<T>(numel(&shape)?)?;
    let failed: Mutex<Option<(usize, String)>> = Mutex::new(None);
    a.with_slice::<T, _>(|a| {
        let size = rows * cols;
        let work = size.saturating_mul(rows.min(cols)).max(1);
        let grain = (parallel::GRAIN / work).max(1);
        parallel::fill(out.slice_mut(), grain * len, |start, out| {
            for (i, out) in out.chunks_exact_mut(len.max(1)).enumerate() {
                let i = start / len + i;
                let matrix = MatRef::from_row_major_slice(&a[i * size..][..size], rows, cols);
                if let Err(message) = f(i, matrix, out) {
                    let mut failed = failed.lock();
                    if failed.as_ref().is_none_or(|(first, _)| i < *first) {
                        *failed = Some((i, message));
                    }
                }
            }
        });
        Ok(())
    })?;
    match failed.into_inner() {
        None => Ok(Tensor::from_buffer(out, shape)),
        Some((_, message)) if batch.is_empty() => Err(err!(Value, "{op}: {message}")),
        Some((i, message)) => Err(err!(Value, "{op}: (Batch element {i}): {message}")),
    }
}

/// Copies a matrix of faer's, row by row.
fn write<T: Real>(out: &mut [T], x: MatRef<'_, T>) {
    let cols = x.ncols();
    for (i, out) in out.chunks_exact_mut(cols.max(1)).enumerate() {
        out.iter_mut()
            .enumerate()
            .for_each(|(j, out)| *out = x[(i, j)]);
    }
}

/// Views of the parts of `[batch.., len]` that lie one after the other, each of its own sizes.
fn unpack<const N: usize>(packed: &Tensor, sizes: [&[usize]; N]) -> Result<[Tensor; N]> {
    let batch = &packed.shape()[..packed.ndim() - 1];
    let mut start = 0;
    let parts: Vec<Tensor> = sizes
        .iter()
        .map(|sizes| {
            let len = sizes.iter().product();
            let part = packed
                .narrow(-1, start, len)?
                .reshape(&with_batch(batch, sizes));
            start += len;
            part
        })
        .collect::<Result<_>>()?;
    Ok(parts.try_into().expect("as many parts as sizes"))
}

/// A vector along the rows, one factor for each row: `[.., n]` → `[.., n, 1]`.
fn column(x: &Tensor) -> Result<Tensor> {
    x.unsqueeze(-1)
}

/// A vector along the columns, one factor for each column: `[.., n]` → `[.., 1, n]`.
fn row(x: &Tensor) -> Result<Tensor> {
    x.unsqueeze(-2)
}
