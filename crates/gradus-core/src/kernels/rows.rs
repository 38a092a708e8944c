//! Softmax, log-softmax and cross-entropy over the rows of a contiguous matrix.

use super::math::Float;
use super::reduce::{by, gather};
use super::{Loop, parallel, vectorize};
use crate::error::Result;
use crate::storage::Buffer;

/// Rows that make a chunk of work, an exponential costing about eight additions.
fn rows_a_chunk(n: usize) -> usize {
    (parallel::GRAIN / 8 / n.max(1)).max(1)
}

/// The larger one; NaN only if the second is.
#[inline(always)]
fn larger<T: Float>(x: T, m: T) -> T {
    if x > m { x } else { m }
}

/// The largest element; NaN is passed over.
#[inline(always)]
fn max<T: Float>(row: &[T]) -> T {
    gather(row, &by(T::LOWEST, |x| x, |m, x| larger(x, m)))
}

/// The exponential of each element.
#[inline(always)]
fn exponentials<T: Float>(x: &[T], out: &mut [T]) {
    for (o, &x) in out.iter_mut().zip(x) {
        *o = x.exp();
    }
}

/// The sum, in interleaved partial sums.
#[inline(always)]
pub(super) fn sum<T: Float>(row: &[T]) -> T {
    gather(row, &by(T::ZERO, |x| x, |a, b| a + b))
}

/// The sum of a function of each element, in eight interleaved partial sums.
#[inline(always)]
pub(super) fn sum_of<T: Float>(row: &[T], f: impl Fn(T) -> T) -> T {
    let mut lanes = [T::ZERO; 8];
    for chunk in row.chunks(8) {
        lanes
            .iter_mut()
            .zip(chunk)
            .for_each(|(l, &x)| *l = *l + f(x));
    }
    lanes.iter().fold(T::ZERO, |s, &l| s + l)
}

/// exp(x)/Σexp(x) of each row of `n` elements, from the largest element down, so nothing overflows.
pub(crate) fn softmax<T: Float>(x: &[T], n: usize) -> Result<Buffer> {
    let log = false;
    chunks([x], n, |[x], out| vectorize(Softmax { x, n, log, out }))
}

/// x − log Σexp(x) of each row of `n` elements.
pub(crate) fn log_softmax<T: Float>(x: &[T], n: usize) -> Result<Buffer> {
    let log = true;
    chunks([x], n, |[x], out| vectorize(Softmax { x, n, log, out }))
}

/// Rows of at most so many elements are computed side by side.
const NARROW: usize = 32;
/// As many of them.
const SIDE: usize = 16;

/// Softmax of up to [`SIDE`] narrow rows, or its logarithm: a row in each lane of the vectors, so
/// that none of them is half empty.
#[inline(always)]
fn narrow<T: Float>(x: &[T], out: &mut [T], n: usize, log: bool) {
    let mut columns = [[T::ZERO; SIDE]; NARROW];
    let columns = &mut columns[..n];
    for (i, row) in x.chunks_exact(n).enumerate() {
        (columns.iter_mut().zip(row)).for_each(|(column, &x)| column[i] = x);
    }
    let mut top = [T::LOWEST; SIDE];
    for column in &*columns {
        (top.iter_mut().zip(column)).for_each(|(m, &x)| *m = larger(x, *m));
    }
    let mut total = [T::ZERO; SIDE];
    for column in &mut *columns {
        for ((x, s), &m) in column.iter_mut().zip(&mut total).zip(&top) {
            let e = (*x - m).exp();
            *s = *s + e;
            *x = if log { *x - m } else { e };
        }
    }
    for s in &mut total {
        *s = if log { s.ln() } else { T::ONE / *s };
    }
    for column in &mut *columns {
        (column.iter_mut().zip(&total)).for_each(|(x, &s)| *x = if log { *x - s } else { *x * s });
    }
    for (i, row) in out.chunks_exact_mut(n).enumerate() {
        (row.iter_mut().zip(&*columns)).for_each(|(o, column)| *o = column[i]);
    }
}

/// Softmax, or its logarithm, down each column of blocks of `n` rows of `width` elements: the
/// columns of a block side by side, so that memory is read in its order.
pub(crate) fn softmax_columns<T: Float>(
    x: &[T],
    n: usize,
    width: usize,
    log: bool,
) -> Result<Buffer> {
    chunks([x], n * width, |[x], out| {
        vectorize(SoftmaxColumns {
            x,
            n,
            width,
            log,
            out,
        })
    })
}

/// Gradient of softmax: y·(g − Σ g·y), row by row.
pub(crate) fn softmax_backward<T: Float>(y: &[T], g: &[T], n: usize) -> Result<Buffer> {
    let log = false;
    chunks([y, g], n, |[y, g], out| {
        vectorize(Backward { y, g, n, log, out })
    })
}

/// Gradient of log-softmax: g − exp(y)·Σ g, row by row.
pub(crate) fn log_softmax_backward<T: Float>(y: &[T], g: &[T], n: usize) -> Result<Buffer> {
    let log = true;
    chunks([y, g], n, |[y, g], out| {
        vectorize(Backward { y, g, n, log, out })
    })
}

/// `f` of parts of the operands and of the result that have the same whole rows of `n` elements.
fn chunks<T: Float, const N: usize>(
    inputs: [&[T]; N],
    n: usize,
    f: impl Fn([&[T]; N], &mut [T]) + Sync,
) -> Result<Buffer> {
    Buffer::build(inputs[0].len(), |out| {
        parallel::fill(out, rows_a_chunk(n) * n, |start, out| {
            f(inputs.map(|x| &x[start..start + out.len()]), out);
        });
    })
}

/// Some rows at once: each by itself would leave vectors of exponentials half empty at its end.
struct Softmax<'a, T> {
    x: &'a [T],
    n: usize,
    log: bool,
    out: &'a mut [T],
}

impl<T: Float> Loop for Softmax<'_, T> {
    type Output = ();
    #[inline(always)]
    fn call(self) {
        let Self { x, n, log, out } = self;
        if n <= NARROW {
            let rows = x.chunks(SIDE * n);
            return (out.chunks_mut(SIDE * n).zip(rows)).for_each(|(o, x)| narrow(x, o, n, log));
        }
        let mut tops = vec![T::ZERO; out.len() / n];
        for ((out, x), top) in out.chunks_mut(n).zip(x.chunks(n)).zip(&mut tops) {
            *top = max(x);
            out.iter_mut().zip(x).for_each(|(o, &x)| *o = x - *top);
        }
        out.iter_mut().for_each(|o| *o = o.exp());
        for ((out, x), &top) in out.chunks_mut(n).zip(x.chunks(n)).zip(&tops) {
            let sum = sum(out);
            if log {
                // Not x − (top + log), which would round the logarithm to the digits of the top.
                let log = sum.ln();
                out.iter_mut().zip(x).for_each(|(o, &x)| *o = x - top - log);
            } else {
                let scale = T::ONE / sum;
                out.iter_mut().for_each(|o| *o = *o * scale);
            }
        }
    }
}

/// The exponential of each element times a factor.
struct Exponentials<'a, T> {
    x: &'a [T],
    factor: T,
    out: &'a mut [T],
}

impl<T: Float> Loop for Exponentials<'_, T> {
    type Output = ();
    #[inline(always)]
    fn call(self) {
        for (o, &x) in self.out.iter_mut().zip(self.x) {
            *o = x.exp() * self.factor;
        }
    }
}

struct SoftmaxColumns<'a, T> {
    x: &'a [T],
    n: usize,
    width: usize,
    log: bool,
    out: &'a mut [T],
}

impl<T: Float> Loop for SoftmaxColumns<'_, T> {
    type Output = ();
    #[inline(always)]
    fn call(self) {
        let Self {
            x,
            n,
            width,
            log,
            out,
        } = self;
        let (mut top, mut total) = (vec![T::ZERO; width], vec![T::ZERO; width]);
        let block = n * width;
        for (out, x) in out.chunks_exact_mut(block).zip(x.chunks_exact(block)) {
            top.fill(T::LOWEST);
            total.fill(T::ZERO);
            for x in x.chunks_exact(width) {
                top.iter_mut().zip(x).for_each(|(m, &x)| *m = larger(x, *m));
            }
            for (out, x) in out.chunks_exact_mut(width).zip(x.chunks_exact(width)) {
                for (((o, s), &x), &m) in out.iter_mut().zip(&mut total).zip(x).zip(&top) {
                    let power = (x - m).exp();
                    *o = if log { x - m } else { power };
                    *s = *s + power;
                }
            }
            for s in &mut total {
                *s = if log { s.ln() } else { T::ONE / *s };
            }
            for out in out.chunks_exact_mut(width) {
                let pairs = out.iter_mut().zip(&total);
                if log {
                    pairs.for_each(|(o, &log)| *o = *o - log);
                } else {
                    pairs.for_each(|(o, &scale)| *o = *o * scale);
                }
            }
        }
    }
}

struct Backward<'a, T> {
    y: &'a [T],
    g: &'a [T],
    n: usize,
    log: bool,
    out: &'a mut [T],
}

impl<T: Float> Loop for Backward<'_, T> {
    type Output = ();
    #[inline(always)]
    fn call(self) {
        let Self { y, g, n, log, out } = self;
        if log {
            exponentials(y, out);
            for (o, g) in out.chunks_exact_mut(n).zip(g.chunks_exact(n)) {
                let total = sum(g);
                o.iter_mut().zip(g).for_each(|(o, &g)| *o = g - *o * total);
            }
            return;
        }
        let rows = y.chunks_exact(n).zip(g.chunks_exact(n));
        for (o, (y, g)) in out.chunks_exact_mut(n).zip(rows) {
            o.iter_mut()
                .zip(y.iter().zip(g))
                .for_each(|(o, (&y, &g))| *o = y * g);
            let dot = sum(o);
            o.iter_mut().zip(y).for_each(|(o, &y)| *o = *o - y * dot);
        }
    }
}

/// The distribution that each row of log-probabilities is measured against: `peak` at the class of
/// the row (1 if there are no peaks) over a `background` that all rows share (0 if there is none).
///
/// Every class must be less than the length of a row. A row whose class is negative does not count.
pub(crate) struct Targets<'a, T> {
    pub classes: &'a [i64],
    pub peak: Option<&'a [T]>,
    pub background: Option<&'a [T]>,
}

impl<T: Float> Targets<'_, T> {
    /// The classes of some rows from row `start` on, each with its peak; none for a row that does
    /// not count.
    fn peaks(&self, start: usize) -> impl Iterator<Item = Option<(usize, T)>> {
        self.classes[start..].iter().map(|&class| {
            let class = usize::try_from(class).ok()?;
            Some((class, self.peak.map_or(T::ONE, |peak| peak[class])))
        })
    }

    /// The cross-entropy −Σ target·y of each row of `n` log-probabilities.
    pub(crate) fn cross_entropy(&self, y: &[T], n: usize) -> Result<Buffer> {
        let grain = if self.background.is_some() {
            rows_a_chunk(n)
        } else {
            parallel::GRAIN
        };
        Buffer::build(self.classes.len(), |out| {
            parallel::fill(out, grain, |start, out| {
                let rows = y[start * n..].chunks_exact(n).zip(self.peaks(start));
                for (o, (y, peak)) in out.iter_mut().zip(rows) {
                    let Some((class, peak)) = peak else {
                        *o = T::ZERO;
                        continue;
                    };
                    *o = -(peak * y[class]);
                    if let Some(background) = self.background {
                        let terms = background.iter().zip(y);
                        *o = *o - terms.fold(T::ZERO, |s, (&b, &y)| s + b * y);
                    }
                }
            });
        })
    }

    /// Gradient of the cross-entropy with respect to the logits: for each row of log-probabilities
    /// exp(y) times the sum of the target, minus the target, all times the row's scale. One scale
    /// may stand for all rows.
    pub(crate) fn cross_entropy_backward(&self, y: &[T], n: usize, scales: &[T]) -> Result<Buffer> {
        let total = self.background.map_or(T::ZERO, sum);
        Buffer::build(y.len(), |out| {
            parallel::fill(out, rows_a_chunk(n) * n, |start, out| {
                let first = start / n;
                // What all rows are multiplied with, if it is the same for each.
                let common = match (self.peak, scales) {
                    (None, [scale]) => Some(*scale * (T::ONE + total)),
                    _ => None,
                };
                vectorize(Exponentials {
                    x: &y[start..start + out.len()],
                    factor: common.unwrap_or(T::ONE),
                    out,
                });
                let rows = out.chunks_exact_mut(n).zip(self.peaks(first));
                for (i, (out, peak)) in rows.enumerate() {
                    let Some((class, peak)) = peak else {
                        out.fill(T::ZERO);
                        continue;
                    };
                    let scale = *scales.get(first + i).unwrap_or(&scales[0]);
                    if common.is_none() {
                        let whole = scale * (peak + total);
                        out.iter_mut().for_each(|o| *o = *o * whole);
                    }
                    if let Some(background) = self.background {
                        out.iter_mut()
                            .zip(background)
                            .for_each(|(o, &b)| *o = *o - b * scale);
                    }
                    out[class] = out[class] - peak * scale;
                }
            });
        })
    }

    /// The targets as a matrix of rows of `n` elements; 0 in rows that do not count.
    pub(crate) fn dense(&self, n: usize) -> Result<Buffer> {
        Buffer::build(self.classes.len() * n, |out| {
            parallel::fill_rows(out, n, |start, out| {
                for (out, peak) in out.chunks_exact_mut(n).zip(self.peaks(start / n)) {
                    let background = self.background.filter(|_| peak.is_some());
                    match background {
                        Some(background) => out.copy_from_slice(background),
                        None => out.fill(T::ZERO),
                    }
                    if let Some((class, peak)) = peak {
                        out[class] = out[class] + peak;
                    }
                }
            });
        })
    }
}
