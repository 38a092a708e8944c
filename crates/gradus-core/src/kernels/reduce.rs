//! Reductions: many elements to one, over any set of dimensions.
//!
//! Sums run in fixed blocks with several accumulators each (so they vectorise), and the block sums
//! are combined in a fixed order: more exact than one running sum, and the same bits for any thread
//! count.

use super::{View, map, parallel, vectorize};
use crate::dtype::{Element, Number};
use crate::error::Result;
use crate::shape::Dims;
use crate::storage::Buffer;
use std::borrow::Cow;

/// Accumulators of a vectorised reduction: four AVX-512 registers of f32.
const LANES: usize = 64;
/// Elements of a row, or rows of a column sum, that are reduced together before anything else.
const BLOCK: usize = 4096;

/// A way to make one value of many. `combine` must be associative but for rounding.
pub(crate) trait Fold<T>: Sync {
    /// What elements are gathered in.
    type Acc: Copy + Send + Sync;
    /// The value of no elements.
    fn start(&self) -> Self::Acc;
    /// One more element.
    fn push(&self, acc: Self::Acc, x: T) -> Self::Acc;
    /// Two gathered values in one.
    fn combine(&self, a: Self::Acc, b: Self::Acc) -> Self::Acc;
}

/// The sum, gathered in the dtype of the result.
pub(crate) struct Sum;

impl<T: Element> Fold<T> for Sum
where
    T: SumInto,
{
    type Acc = T::Out;
    #[inline(always)]
    fn start(&self) -> T::Out {
        T::Out::ZERO
    }
    #[inline(always)]
    fn push(&self, acc: T::Out, x: T) -> T::Out {
        acc.plus(x.cast())
    }
    #[inline(always)]
    fn combine(&self, a: T::Out, b: T::Out) -> T::Out {
        a.plus(b)
    }
}

/// What a sum of elements of this type is: floats stay, integers and bools become i64.
pub(crate) trait SumInto: Element {
    type Out: Number;
}
impl SumInto for f32 {
    type Out = f32;
}
impl SumInto for f64 {
    type Out = f64;
}
impl SumInto for bool {
    type Out = i64;
}
impl SumInto for u8 {
    type Out = i64;
}
impl SumInto for i32 {
    type Out = i64;
}
impl SumInto for i64 {
    type Out = i64;
}

/// The largest or the smallest element; NaN wins over everything.
pub(crate) struct Extreme {
    pub largest: bool,
}

impl<T: Number> Fold<T> for Extreme {
    type Acc = T;
    #[inline(always)]
    fn start(&self) -> T {
        if self.largest { T::LOWEST } else { T::HIGHEST }
    }
    #[inline(always)]
    fn push(&self, acc: T, x: T) -> T {
        let better = if self.largest { x > acc } else { x < acc };
        if better || x.is_nan() { x } else { acc }
    }
    #[inline(always)]
    fn combine(&self, a: T, b: T) -> T {
        if a.is_nan() { a } else { self.push(a, b) }
    }
}

/// Reduces the dimensions for which `reduced` is true. The result has the other dimensions, in
/// their order, contiguous.
pub(crate) fn reduce<T: Element, F>(x: View<'_, T>, reduced: &[bool], fold: &F) -> Result<Buffer>
where
    F: Fold<T>,
    F::Acc: Element,
{
    let kept = |d: &usize| !reduced[*d];
    let order: Dims = (0..x.layout.rank())
        .filter(kept)
        .chain((0..x.layout.rank()).filter(|d| reduced[*d]))
        .collect();
    let outputs: usize = (0..x.layout.rank())
        .filter(kept)
        .map(|d| x.layout.shape[d])
        .product();
    let n: usize = order
        .iter()
        .filter(|&&d| reduced[d])
        .map(|&d| x.layout.shape[d])
        .product();
    if outputs == 0 || n == 0 {
        return Buffer::build(outputs, |out| out.fill(fold.start()));
    }
    // Leading dimensions of contiguous memory are summed row by row, without a copy.
    let leading = reduced.iter().position(|r| !r).unwrap_or(0);
    if let Some(data) = x
        .as_slice()
        .filter(|_| leading > 0 && !reduced[leading..].contains(&true))
    {
        return columns(data, n, outputs, fold);
    }
    let layout = x.layout.permute(&order);
    let rows = View::new(x.data, &layout);
    let copied = if rows.as_slice().is_none() {
        Some(map::copy(rows)?)
    } else {
        None
    };
    let data = match &copied {
        Some(buffer) => buffer.slice(),
        None => rows.as_slice().expect("checked above"),
    };
    if outputs == 1 {
        return Buffer::build(1, |out| out[0] = row(data, fold));
    }
    Buffer::build(outputs, |out| {
        parallel::fill(out, (parallel::GRAIN / n).max(1), |start, out| {
            for (o, row) in out.iter_mut().zip(data[start * n..].chunks_exact(n)) {
                *o = vectorize(|| {
                    row.chunks(BLOCK)
                        .fold(fold.start(), |acc, b| fold.combine(acc, block(b, fold)))
                });
            }
        });
    })
}

/// One long row: its blocks in parallel, their results combined as a balanced tree.
fn row<T: Element, F: Fold<T>>(data: &[T], fold: &F) -> F::Acc {
    let blocks_a_task = parallel::GRAIN / BLOCK;
    let mut partial = vec![fold.start(); data.len().div_ceil(BLOCK)];
    parallel::fill(&mut partial, blocks_a_task, |start, out| {
        for (o, b) in out.iter_mut().zip(data[start * BLOCK..].chunks(BLOCK)) {
            *o = vectorize(|| block(b, fold));
        }
    });
    tree(&mut partial, fold)
}

/// Combines neighbours until one value is left, so that rounding grows with the logarithm.
fn tree<T, F: Fold<T>>(values: &mut [F::Acc], fold: &F) -> F::Acc {
    let mut step = 1;
    while step < values.len() {
        for i in (0..values.len() - step).step_by(2 * step) {
            values[i] = fold.combine(values[i], values[i + step]);
        }
        step *= 2;
    }
    values.first().copied().unwrap_or_else(|| fold.start())
}

/// At most `BLOCK` elements, in independent accumulators.
#[inline(always)]
fn block<T: Element, F: Fold<T>>(x: &[T], fold: &F) -> F::Acc {
    if x.len() < LANES {
        return x.iter().fold(fold.start(), |acc, &x| fold.push(acc, x));
    }
    let mut lanes = [fold.start(); LANES];
    let (whole, rest) = x.as_chunks::<LANES>();
    for chunk in whole {
        for (lane, &x) in lanes.iter_mut().zip(chunk) {
            *lane = fold.push(*lane, x);
        }
    }
    for (lane, &x) in lanes.iter_mut().zip(rest) {
        *lane = fold.push(*lane, x);
    }
    let mut width = LANES / 2;
    while width > 0 {
        for i in 0..width {
            lanes[i] = fold.combine(lanes[i], lanes[i + width]);
        }
        width /= 2;
    }
    lanes[0]
}

/// Column-wise over `n` rows of `width` elements. Rows are gathered in blocks of 64, so that
/// rounding does not grow with their number.
fn columns<T: Element, F>(data: &[T], n: usize, width: usize, fold: &F) -> Result<Buffer>
where
    F: Fold<T>,
    F::Acc: Element,
{
    const ROWS: usize = 64;
    // Bands of rows, as many as the work is worth: their number depends on the sizes only.
    let bands = (n * width / (4 * parallel::GRAIN)).clamp(1, n.div_ceil(ROWS));
    let rows_a_band = n.div_ceil(bands).next_multiple_of(ROWS);
    let bands = n.div_ceil(rows_a_band);
    let mut partial = Buffer::new::<F::Acc>(bands * width)?;
    parallel::fill(partial.slice_mut::<F::Acc>(), width, |start, out| {
        let band = start / width;
        out.fill(fold.start());
        let rows = &data[band * rows_a_band * width..n.min((band + 1) * rows_a_band) * width];
        let mut sums = vec![fold.start(); width];
        vectorize(|| {
            for rows in rows.chunks(ROWS * width) {
                sums.fill(fold.start());
                for row in rows.chunks_exact(width) {
                    sums.iter_mut()
                        .zip(row)
                        .for_each(|(s, &x)| *s = fold.push(*s, x));
                }
                out.iter_mut()
                    .zip(&sums)
                    .for_each(|(o, &s)| *o = fold.combine(*o, s));
            }
        });
    });
    if bands == 1 {
        return Ok(partial);
    }
    let partial = partial.slice::<F::Acc>();
    Buffer::build(width, |out| {
        out.copy_from_slice(&partial[..width]);
        for band in partial[width..].chunks_exact(width) {
            out.iter_mut()
                .zip(band)
                .for_each(|(o, &s)| *o = fold.combine(*o, s));
        }
    })
}

/// The position of the largest (or smallest) element along the last dimension, for each row of a
/// contiguous slice; the first of several equal ones, and NaN before everything, as in NumPy.
pub(crate) fn arg_extreme<T: Number>(
    data: Cow<'_, [T]>,
    n: usize,
    largest: bool,
) -> Result<Buffer> {
    Buffer::build(data.len() / n, |out| {
        parallel::fill(
            out,
            (parallel::GRAIN / n).max(1),
            |start, out: &mut [i64]| {
                for (o, row) in out.iter_mut().zip(data[start * n..].chunks_exact(n)) {
                    let mut best = 0;
                    for (i, &x) in row.iter().enumerate() {
                        let better = if largest {
                            x > row[best]
                        } else {
                            x < row[best]
                        };
                        if better || x.is_nan() && !row[best].is_nan() {
                            best = i;
                        }
                    }
                    *o = best as i64;
                }
            },
        );
    })
}
