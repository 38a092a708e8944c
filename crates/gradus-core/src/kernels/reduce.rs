//! Reductions: many elements to one, over any set of dimensions.
//!
//! Elements are gathered in fixed blocks with several accumulators each (so the loops vectorise),
//! and the blocks are combined in a fixed order: more exact than one running sum, and the same bits
//! for any thread count.

use super::{Loop, View, map, parallel, vectorize};
use crate::dtype::{Element, Number};
use crate::error::Result;
use crate::shape::{Dims, Layout};
use crate::storage::Buffer;
use smallvec::SmallVec;

/// Accumulators of a vectorised reduction. With more of them the compiler no longer keeps them in
/// registers.
const LANES: usize = 32;
/// Elements of a row that are reduced together before anything else.
const BLOCK: usize = 4096;
/// Rows of a matrix that are gathered column by column before anything else.
const ROWS: usize = 64;
/// Results of rows or blocks that wait together for what is done with them.
const GROUP: usize = 64;
/// Elements of rows that are gathered side by side; shorter rows would leave vectors half used.
const WIDE: usize = 64;
/// Columns that are worth a task of their own; fewer would leave cache lines half used.
const STRIP: usize = 4096;

/// A way to make one value of many. `combine` must be associative but for rounding.
pub(crate) trait Fold<T: Element>: Sync {
    /// What elements are gathered in.
    type Acc: Copy + Send + Sync;
    /// What comes out in the end.
    type Out: Element;
    /// The value of no elements.
    fn start(&self) -> Self::Acc;
    /// One more element.
    fn push(&self, acc: Self::Acc, x: T) -> Self::Acc;
    /// Two gathered values in one.
    fn combine(&self, a: Self::Acc, b: Self::Acc) -> Self::Acc;
    /// The result.
    fn finish(&self, acc: Self::Acc) -> Self::Out;
    /// At least one and at most `BLOCK` neighbouring elements; for folds that know better than to
    /// push them one by one.
    #[inline(always)]
    fn block(&self, x: &[T]) -> Self::Acc {
        gather(x, self)
    }
}

/// The fold that gathers `map` of each element by `combine`.
pub(crate) struct By<A, M, C, O> {
    start: A,
    map: M,
    combine: C,
    finish: O,
}

/// Gathers `map` of each element, from `start` on, by `combine`.
pub(crate) fn by<T: Element, A: Element>(
    start: A,
    map: impl Fn(T) -> A + Sync,
    combine: impl Fn(A, A) -> A + Sync,
) -> impl Fold<T, Acc = A, Out = A> {
    finished(start, map, combine, |acc| acc)
}

/// Like [`by`], with a last step for the result.
pub(crate) fn finished<T: Element, A: Element, O: Element>(
    start: A,
    map: impl Fn(T) -> A + Sync,
    combine: impl Fn(A, A) -> A + Sync,
    finish: impl Fn(A) -> O + Sync,
) -> impl Fold<T, Acc = A, Out = O> {
    By {
        start,
        map,
        combine,
        finish,
    }
}

impl<T, A, R, M, C, O> Fold<T> for By<A, M, C, O>
where
    T: Element,
    A: Element,
    R: Element,
    M: Fn(T) -> A + Sync,
    C: Fn(A, A) -> A + Sync,
    O: Fn(A) -> R + Sync,
{
    type Acc = A;
    type Out = R;
    #[inline(always)]
    fn start(&self) -> A {
        self.start
    }
    #[inline(always)]
    fn push(&self, acc: A, x: T) -> A {
        (self.combine)(acc, (self.map)(x))
    }
    #[inline(always)]
    fn combine(&self, a: A, b: A) -> A {
        (self.combine)(a, b)
    }
    #[inline(always)]
    fn finish(&self, acc: A) -> R {
        (self.finish)(acc)
    }
}

/// The largest or the smallest element; NaN wins over everything.
pub(crate) fn extreme<T: Number>(largest: bool) -> impl Fold<T, Acc = T, Out = T> {
    let start = if largest { T::LOWEST } else { T::HIGHEST };
    by(
        start,
        |x| x,
        move |a, b| {
            let better = if largest { b > a } else { b < a };
            if better || b.is_nan() { b } else { a }
        },
    )
}

/// Contiguous memory as `outer` matrices of `n × width` elements, of which each column is reduced.
#[derive(Clone, Copy)]
pub(crate) struct Columns {
    pub outer: usize,
    pub n: usize,
    pub width: usize,
}

/// Calls `f` with the elements laid out so that the dimensions for which `reduced` is true are the
/// columns of matrices; they are copied only if no way of looking at the memory does it. The
/// results of the columns, in order, are a contiguous tensor of the other dimensions.
fn columns_of<T: Element, R>(
    x: View<'_, T>,
    reduced: &[bool],
    f: impl FnOnce(&[T], Columns) -> Result<R>,
) -> Result<R> {
    let rank = x.layout.rank();
    let shape = &x.layout.shape;
    let of = |which: bool| (0..rank).filter(move |&d| reduced[d] == which);
    let size = |dims: &mut dyn Iterator<Item = usize>| dims.map(|d| shape[d]).product::<usize>();
    let (outputs, n) = (size(&mut of(false)), size(&mut of(true)));
    let columns = |outer, width| Columns { outer, n, width };

    let rows = x
        .layout
        .permute(&of(false).chain(of(true)).collect::<Dims>());
    if let Some(data) = View::new(x.data, &rows).as_slice() {
        return f(data, columns(outputs, 1));
    }
    let matrix = x
        .layout
        .permute(&of(true).chain(of(false)).collect::<Dims>());
    if let Some(data) = View::new(x.data, &matrix).as_slice() {
        return f(data, columns(1, outputs));
    }
    let first = of(true).next().unwrap_or(0);
    let end = of(true).next_back().map_or(0, |d| d + 1);
    let one_run = reduced[first..end].iter().all(|r| *r);
    if let Some(data) = x.as_slice().filter(|_| one_run) {
        let outer = shape[..first].iter().product();
        return f(data, columns(outer, shape[end..].iter().product()));
    }
    f(
        map::copy(View::new(x.data, &rows))?.slice(),
        columns(outputs, 1),
    )
}

/// Reduces the dimensions for which `reduced` is true. The result has the other dimensions, in
/// their order, contiguous. What lies in another order than row-major is gathered in the order in
/// memory.
pub(crate) fn reduce<T: Element, F: Fold<T>>(
    x: View<'_, T>,
    reduced: &[bool],
    fold: &F,
) -> Result<Buffer> {
    let Some(order) = Layout::memory_order([x.layout]) else {
        return columns_of(x, reduced, |data, columns| {
            fold_columns(data, columns, fold)
        });
    };
    let layout = x.layout.permute(&order);
    let in_order: SmallVec<[bool; 6]> = order.iter().map(|&d| reduced[d]).collect();
    let out = columns_of(View::new(x.data, &layout), &in_order, |data, columns| {
        fold_columns(data, columns, fold)
    })?;
    // Back from the order in memory, where that is another one for the dimensions that are left.
    let kept: Dims = order.iter().copied().filter(|&d| !reduced[d]).collect();
    if kept.is_sorted() {
        return Ok(out);
    }
    let places = (0..kept.len()).map(|i| kept.iter().filter(|&&d| d < kept[i]).count());
    let places: Dims = places.collect();
    let mut shape = Dims::from_elem(0, kept.len());
    (places.iter().zip(&kept)).for_each(|(&place, &d)| shape[place] = x.layout.shape[d]);
    let out: &[F::Out] = out.slice();
    map::copy(View::new(out, &Layout::in_order(shape, &places)))
}

fn fold_columns<T: Element, F: Fold<T>>(
    data: &[T],
    Columns { outer, n, width }: Columns,
    fold: &F,
) -> Result<Buffer> {
    Buffer::build(outer * width, |out: &mut [F::Out]| {
        if data.is_empty() {
            return out.fill(fold.finish(fold.start()));
        }
        match (outer, width) {
            // Long rows one after the other, many threads on each.
            (_, 1) if outer == 1 || n >= GROUP * BLOCK => {
                for (o, row) in out.iter_mut().zip(data.chunks_exact(n)) {
                    *o = fold.finish(long_row(row, fold));
                }
            }
            (_, 1) => parallel::fill(out, (parallel::GRAIN / n).max(1), |start, out| {
                fold_rows(&data[start * n..][..out.len() * n], fold, out);
            }),
            _ => {
                let size = n * width;
                // Small matrices several to a task; large ones one by one, each cut up by itself.
                let matrices = match parallel::GRAIN / size {
                    0 => outer,
                    many => many,
                };
                parallel::fill(out, matrices * width, |start, out| {
                    let data = data[start * n..].chunks_exact(size);
                    for (out, matrix) in out.chunks_exact_mut(width).zip(data) {
                        fold_matrix(matrix, n, width, fold, out);
                    }
                });
            }
        }
    })
}

/// Rows of equal length, one for each place of `out`.
fn fold_rows<T: Element, F: Fold<T>>(data: &[T], fold: &F, out: &mut [F::Out]) {
    let n = data.len() / out.len();
    let mut partial = [fold.start(); GROUP];
    if n <= BLOCK {
        for (out, data) in out.chunks_mut(GROUP).zip(data.chunks(GROUP * n)) {
            let partial = &mut partial[..out.len()];
            vectorize(Blocks(fold, data, n, partial));
            let pairs = out.iter_mut().zip(partial);
            pairs.for_each(|(o, acc)| *o = fold.finish(*acc));
        }
        return;
    }
    let partial = &mut partial[..n.div_ceil(BLOCK)];
    for (o, row) in out.iter_mut().zip(data.chunks_exact(n)) {
        vectorize(Blocks(fold, row, BLOCK, partial));
        *o = fold.finish(tree(partial, fold));
    }
}

/// One long row: its blocks in parallel, their results combined as a balanced tree.
fn long_row<T: Element, F: Fold<T>>(data: &[T], fold: &F) -> F::Acc {
    let mut partial = vec![fold.start(); data.len().div_ceil(BLOCK)];
    parallel::fill(&mut partial, parallel::GRAIN / BLOCK, |start, out| {
        vectorize(Blocks(fold, &data[start * BLOCK..], BLOCK, out));
    });
    tree(&mut partial, fold)
}

/// What blocks of so many elements (the last may have fewer) come to, as many as there are places.
struct Blocks<'a, T: Element, F: Fold<T>>(&'a F, &'a [T], usize, &'a mut [F::Acc]);

impl<T: Element, F: Fold<T>> Loop for Blocks<'_, T, F> {
    type Output = ();
    #[inline(always)]
    fn call(self) {
        let Self(fold, data, n, out) = self;
        for (o, block) in out.iter_mut().zip(data.chunks(n)) {
            *o = fold.block(block);
        }
    }
}

/// Combines neighbours until one value is left, so that rounding grows with the logarithm.
fn tree<T: Element, F: Fold<T>>(values: &mut [F::Acc], fold: &F) -> F::Acc {
    let mut step = 1;
    while step < values.len() {
        for i in (0..values.len() - step).step_by(2 * step) {
            values[i] = fold.combine(values[i], values[i + step]);
        }
        step *= 2;
    }
    values.first().copied().unwrap_or_else(|| fold.start())
}

/// Elements one by one, in independent accumulators.
#[inline(always)]
pub(super) fn gather<T: Element, F: Fold<T> + ?Sized>(x: &[T], fold: &F) -> F::Acc {
    if x.len() < LANES {
        return x.iter().fold(fold.start(), |acc, &x| fold.push(acc, x));
    }
    let mut lanes = [fold.start(); LANES];
    let (whole, rest) = x.as_chunks::<LANES>();
    for chunk in whole {
        // Not by iterators, and nothing else is done with `lanes`: so they stay in registers.
        #[allow(clippy::needless_range_loop)]
        for i in 0..LANES {
            lanes[i] = fold.push(lanes[i], chunk[i]);
        }
    }
    let mut sums = lanes;
    for (sum, &x) in sums.iter_mut().zip(rest) {
        *sum = fold.push(*sum, x);
    }
    let mut width = LANES / 2;
    while width > 0 {
        for i in 0..width {
            sums[i] = fold.combine(sums[i], sums[i + width]);
        }
        width /= 2;
    }
    sums[0]
}

/// The columns of one matrix of `n` rows, in parallel over whichever gives more tasks: strips of
/// columns or bands of rows. Their number depends on the sizes only.
fn fold_matrix<T: Element, F: Fold<T>>(
    data: &[T],
    n: usize,
    width: usize,
    fold: &F,
    out: &mut [F::Out],
) {
    let bands = (n * width / (4 * parallel::GRAIN)).clamp(1, n.div_ceil(ROWS));
    if bands == 1 || width / STRIP > bands {
        return parallel::fill(out, (parallel::GRAIN / n).max(STRIP), |column, out| {
            let mut sums = vec![fold.start(); out.len()];
            fold_strip(data, width, column, fold, &mut sums);
            out.iter_mut()
                .zip(&sums)
                .for_each(|(o, &s)| *o = fold.finish(s));
        });
    }
    let sums = gather_columns(data, width, bands, fold);
    let pairs = out.iter_mut().zip(sums);
    pairs.for_each(|(o, s)| *o = fold.finish(s));
}

/// The columns of one matrix, rows in `bands` bands in parallel.
fn gather_columns<T: Element, F: Fold<T>>(
    data: &[T],
    width: usize,
    bands: usize,
    fold: &F,
) -> Vec<F::Acc> {
    let n = data.len() / width;
    let side = WIDE / width;
    if side > 1 && n >= 2 * side {
        // Short rows side by side, as if they were one.
        let (whole, rest) = data.split_at(n / side * side * width);
        let mut sums = gather_columns(whole, side * width, bands, fold);
        fold_bands(&mut sums, width, fold);
        for row in rest.chunks_exact(width) {
            let pairs = sums.iter_mut().zip(row);
            pairs.for_each(|(s, &x)| *s = fold.push(*s, x));
        }
        return sums;
    }
    let rows_a_band = n.div_ceil(bands).next_multiple_of(ROWS);
    let mut sums = vec![fold.start(); n.div_ceil(rows_a_band) * width];
    parallel::fill(&mut sums, width, |start, out| {
        let first = start / width * rows_a_band;
        let rows = &data[first * width..n.min(first + rows_a_band) * width];
        fold_strip(rows, width, 0, fold, out);
    });
    fold_bands(&mut sums, width, fold);
    sums
}

/// Combines bands of `width` places, one after the other, with the first, which remains.
fn fold_bands<T: Element, F: Fold<T>>(sums: &mut Vec<F::Acc>, width: usize, fold: &F) {
    let (first, others) = sums.split_at_mut(width);
    for band in others.chunks_exact(width) {
        let pairs = first.iter_mut().zip(band);
        pairs.for_each(|(s, &b)| *s = fold.combine(*s, b));
    }
    sums.truncate(width);
}

/// The columns from `column` on of rows of `width` elements, as many as `sums` has places, which
/// have nothing in them. Rows are gathered in blocks, so that rounding does not grow with their
/// number.
fn fold_strip<T: Element, F: Fold<T>>(
    data: &[T],
    width: usize,
    column: usize,
    fold: &F,
    sums: &mut [F::Acc],
) {
    let push = |rows: &[T], sums: &mut [F::Acc]| {
        vectorize(Push {
            fold,
            rows,
            width,
            column,
            sums,
        })
    };
    let (first, others) = data.split_at(data.len().min(ROWS * width));
    push(first, sums);
    if others.is_empty() {
        return;
    }
    let mut block = vec![fold.start(); sums.len()];
    for rows in others.chunks(ROWS * width) {
        block.fill(fold.start());
        push(rows, &mut block);
        let pairs = sums.iter_mut().zip(&block);
        pairs.for_each(|(s, &b)| *s = fold.combine(*s, b));
    }
}

/// Some rows of a matrix, gathered column by column.
struct Push<'a, T: Element, F: Fold<T>> {
    fold: &'a F,
    rows: &'a [T],
    width: usize,
    column: usize,
    sums: &'a mut [F::Acc],
}

impl<T: Element, F: Fold<T>> Loop for Push<'_, T, F> {
    type Output = ();
    #[inline(always)]
    fn call(self) {
        for row in self.rows.chunks_exact(self.width) {
            for (s, &x) in self.sums.iter_mut().zip(&row[self.column..]) {
                *s = self.fold.push(*s, x);
            }
        }
    }
}

/// The position of the largest (or smallest) element among those that are reduced together, in
/// their row-major order; the first of several equal ones, and NaN before everything, as in NumPy.
pub(crate) fn arg_extreme<T: Number>(
    x: View<'_, T>,
    reduced: &[bool],
    largest: bool,
) -> Result<Buffer> {
    columns_of(x, reduced, |data, columns| {
        let best = fold_columns(data, columns, &extreme::<T>(largest))?;
        first(data, columns, best.slice())
    })
}

/// The first position in each column of its value in `best`, or of a NaN.
fn first<T: Number>(
    data: &[T],
    Columns { outer, n, width }: Columns,
    best: &[T],
) -> Result<Buffer> {
    let is = |x: T, best: T| x == best || x.is_nan();
    Buffer::build(outer * width, |out: &mut [i64]| {
        if width == 1 {
            return parallel::fill(out, (parallel::GRAIN / n).max(1), |start, out| {
                vectorize(|| {
                    let rows = data[start * n..].chunks_exact(n).zip(&best[start..]);
                    for (o, (row, &best)) in out.iter_mut().zip(rows) {
                        // Block by block without a branch, then within the one that has it.
                        let has = |b: &[T]| b.iter().fold(false, |any, &x| any | is(x, best));
                        let from = LANES * row.chunks(LANES).position(has).unwrap_or(0);
                        let within = row[from..].iter().position(|&x| is(x, best));
                        *o = (from + within.unwrap_or(0)) as i64;
                    }
                });
            });
        }
        for (i, out) in out.chunks_exact_mut(width).enumerate() {
            let matrix = &data[i * n * width..][..n * width];
            let best = &best[i * width..][..width];
            parallel::fill(out, (parallel::GRAIN / n).max(LANES), |column, out| {
                vectorize(|| {
                    // From the last row on, so that the first one that has it remains.
                    for (r, row) in matrix.chunks_exact(width).enumerate().rev() {
                        let row = row[column..].iter().zip(&best[column..]);
                        for (o, (&x, &best)) in out.iter_mut().zip(row) {
                            *o = if is(x, best) { r as i64 } else { *o };
                        }
                    }
                });
            });
        }
    })
}
