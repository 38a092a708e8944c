//! Softmax, log-softmax and the gradient of cross-entropy over the rows of a contiguous matrix.

use super::math::Float;
use super::{parallel, vectorize};
use crate::error::Result;
use crate::storage::Buffer;

/// Rows that make a chunk of work, an exponential costing about eight additions.
fn rows_a_chunk(n: usize) -> usize {
    (parallel::GRAIN / 8 / n.max(1)).max(1)
}

/// The largest element; NaN only if all are.
#[inline(always)]
fn max<T: Float>(row: &[T]) -> T {
    row.iter()
        .fold(T::LOWEST, |m, &x| if x > m { x } else { m })
}

/// The sum, in eight interleaved partial sums.
#[inline(always)]
fn sum<T: Float>(row: &[T]) -> T {
    let mut lanes = [T::ZERO; 8];
    for chunk in row.chunks(8) {
        lanes.iter_mut().zip(chunk).for_each(|(l, &x)| *l = *l + x);
    }
    lanes.iter().fold(T::ZERO, |s, &l| s + l)
}

/// Writes exp(x − max) to `out` and returns the maximum and the sum of what was written.
#[inline(always)]
fn exponentials<T: Float>(x: &[T], out: &mut [T]) -> (T, T) {
    let m = max(x);
    out.iter_mut().zip(x).for_each(|(o, &x)| *o = (x - m).exp());
    (m, sum(out))
}

/// exp(x)/Σexp(x) of each row of `n` elements, from the largest element down, so nothing overflows.
pub(crate) fn softmax<T: Float>(x: &[T], n: usize) -> Result<Buffer> {
    Buffer::build(x.len(), |out| {
        parallel::fill(out, rows_a_chunk(n) * n, |start, out| {
            vectorize(|| {
                for (out, x) in out.chunks_exact_mut(n).zip(x[start..].chunks_exact(n)) {
                    let (_, sum) = exponentials(x, out);
                    let scale = T::ONE / sum;
                    out.iter_mut().for_each(|o| *o = *o * scale);
                }
            });
        });
    })
}

/// x − log Σexp(x) of each row of `n` elements.
pub(crate) fn log_softmax<T: Float>(x: &[T], n: usize) -> Result<Buffer> {
    Buffer::build(x.len(), |out| {
        parallel::fill(out, rows_a_chunk(n) * n, |start, out| {
            vectorize(|| {
                for (out, x) in out.chunks_exact_mut(n).zip(x[start..].chunks_exact(n)) {
                    let (m, sum) = exponentials(x, out);
                    let shift = m + sum.ln();
                    out.iter_mut().zip(x).for_each(|(o, &x)| *o = x - shift);
                }
            });
        });
    })
}

/// Gradient of softmax: y·(g − Σ g·y), row by row.
pub(crate) fn softmax_backward<T: Float>(y: &[T], g: &[T], n: usize) -> Result<Buffer> {
    backward(y, g, n, |o, y, g| {
        o.iter_mut()
            .zip(y.iter().zip(g))
            .for_each(|(o, (&y, &g))| *o = y * g);
        let dot = sum(o);
        o.iter_mut().zip(y).for_each(|(o, &y)| *o = *o - y * dot);
    })
}

/// Gradient of log-softmax: g − exp(y)·Σ g, row by row.
pub(crate) fn log_softmax_backward<T: Float>(y: &[T], g: &[T], n: usize) -> Result<Buffer> {
    backward(y, g, n, |o, y, g| {
        let total = sum(g);
        o.iter_mut()
            .zip(y.iter().zip(g))
            .for_each(|(o, (&y, &g))| *o = g - y.exp() * total);
    })
}

fn backward<T: Float>(
    y: &[T],
    g: &[T],
    n: usize,
    row: impl Fn(&mut [T], &[T], &[T]) + Sync,
) -> Result<Buffer> {
    Buffer::build(y.len(), |out| {
        parallel::fill(out, rows_a_chunk(n) * n, |start, out| {
            let rows = y[start..].chunks_exact(n).zip(g[start..].chunks_exact(n));
            vectorize(|| {
                out.chunks_exact_mut(n)
                    .zip(rows)
                    .for_each(|(o, (y, g))| row(o, y, g))
            });
        });
    })
}

/// Gradient of the summed cross-entropy with respect to the logits, times `scale`: for each row of
/// log-probabilities `exp(y)`, minus 1 at the row's class. Every class must be less than `n`.
pub(crate) fn cross_entropy_backward<T: Float>(
    y: &[T],
    classes: &[i64],
    n: usize,
    scale: T,
) -> Result<Buffer> {
    Buffer::build(y.len(), |out| {
        parallel::fill(out, rows_a_chunk(n) * n, |start, out| {
            vectorize(|| {
                let rows = y[start..].chunks_exact(n).zip(&classes[start / n..]);
                for (out, (y, &class)) in out.chunks_exact_mut(n).zip(rows) {
                    out.iter_mut()
                        .zip(y)
                        .for_each(|(o, &y)| *o = y.exp() * scale);
                    out[class as usize] = out[class as usize] - scale;
                }
            });
        });
    })
}
