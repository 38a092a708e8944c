//! Reductions: many elements to one, over any set of dimensions.
//!
//! Elements are gathered in fixed blocks with several accumulators each (so the loops vectorise),
//! and the blocks are combined in a fixed order: more exact than one running sum, and the same bits
//! for any thread count.

use super::{Loop, View, map, parallel, vectorize, vectorize_floats};
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

/// Where the columns are when the dimensions for which `reduced` is true are to be those of matrices, so
/// that the results of the columns, in order, are a contiguous tensor of the other dimensions. If no way
/// of looking at the memory does it, the layout in which the elements must be copied first.
fn columns_in(layout: &Layout, reduced: &[bool]) -> (Columns, Option<Layout>) {
    let shape = &layout.shape;
    let of = |which: bool| (0..layout.rank()).filter(move |&d| reduced[d] == which);
    let size = |which: bool| of(which).map(|d| shape[d]).product::<usize>();
    let (outputs, n) = (size(false), size(true));
    let columns = |outer, width| Columns { outer, n, width };
    let with_last = |which: bool| {
        let mut order = Dims::new();
        (of(!which).chain(of(which))).for_each(|d| order.push(d));
        layout.permute(&order)
    };

    let rows = with_last(true);
    if rows.is_contiguous() {
        return (columns(outputs, 1), None);
    }
    if with_last(false).is_contiguous() {
        return (columns(1, outputs), None);
    }
    let first = of(true).next().unwrap_or(0);
    let end = of(true).next_back().map_or(0, |d| d + 1);
    if layout.is_contiguous() && reduced[first..end].iter().all(|r| *r) {
        let outer = shape[..first].iter().product();
        return (columns(outer, shape[end..].iter().product()), None);
    }
    (columns(outputs, 1), Some(rows))
}

/// Calls `f` with the elements as [`columns_in`] says.
fn columns_of<T: Element>(
    x: View<'_, T>,
    reduced: &[bool],
    f: &dyn Fn(&[T], Columns) -> Result<Buffer>,
) -> Result<Buffer> {
    match columns_in(x.layout, reduced) {
        (columns, None) => f(&x.data[x.layout.offset..][..x.layout.numel()], columns),
        (columns, Some(rows)) => f(map::copy(View::new(x.data, &rows))?.slice(), columns),
    }
}

/// The loops of a [`Fold`]. What is around them calls them through a pointer, once for many elements,
/// and so is compiled for each combination of types, not for each fold.
trait Loops<T, A, O>: Sync {
    /// The value of no elements.
    fn nothing(&self) -> A;
    /// What blocks of `n` elements (the last may have fewer) come to, as many as there are places.
    fn blocks(&self, data: &[T], n: usize, out: &mut [A]);
    /// Gathers rows of `width` elements column by column, from `column` on.
    fn push_rows(&self, rows: &[T], width: usize, column: usize, sums: &mut [A]);
    /// Combines each of the values with its neighbour in `others`.
    fn combine_with(&self, values: &mut [A], others: &[A]);
    /// The results.
    fn finish_all(&self, values: &[A], out: &mut [O]);
}

impl<T: Element, F: Fold<T>> Loops<T, F::Acc, F::Out> for F {
    fn nothing(&self) -> F::Acc {
        self.start()
    }
    fn blocks(&self, data: &[T], n: usize, out: &mut [F::Acc]) {
        vectorize_floats::<T, T, F::Out, _>(Blocks(self, data, n, out));
    }
    fn push_rows(&self, rows: &[T], width: usize, column: usize, sums: &mut [F::Acc]) {
        vectorize_floats::<T, T, F::Out, _>(Push {
            fold: self,
            rows,
            width,
            column,
            sums,
        });
    }
    fn combine_with(&self, values: &mut [F::Acc], others: &[F::Acc]) {
        let pairs = values.iter_mut().zip(others);
        pairs.for_each(|(value, &other)| *value = self.combine(*value, other));
    }
    fn finish_all(&self, values: &[F::Acc], out: &mut [F::Out]) {
        let pairs = out.iter_mut().zip(values);
        pairs.for_each(|(o, &value)| *o = self.finish(value));
    }
}

/// Reduces the dimensions for which `reduced` is true. The result has the other dimensions, in
/// their order, contiguous. What lies in another order than row-major is gathered in the order in
/// memory.
pub(crate) fn reduce<T: Element, F: Fold<T>>(
    x: View<'_, T>,
    reduced: &[bool],
    fold: &F,
) -> Result<Buffer> {
    reduce_by::<T, F::Acc, F::Out>(x, reduced, fold)
}

fn reduce_by<T: Element, A: Copy + Send + Sync, O: Element>(
    x: View<'_, T>,
    reduced: &[bool],
    fold: &dyn Loops<T, A, O>,
) -> Result<Buffer> {
    let folded = |data: &[T], columns| fold_columns(data, columns, fold);
    let Some(order) = Layout::memory_order([x.layout]) else {
        return columns_of(x, reduced, &folded);
    };
    let layout = x.layout.permute(&order);
    let in_order: SmallVec<[bool; 6]> = order.iter().map(|&d| reduced[d]).collect();
    let out = columns_of(View::new(x.data, &layout), &in_order, &folded)?;
    match order_of_rest(x.layout, &order, reduced) {
        Some(layout) => map::copy(View::new(out.slice::<O>(), &layout)),
        None => Ok(out),
    }
}

/// How the results lie that were made in the order in memory, where that is another one for the
/// dimensions that are left.
fn order_of_rest(of: &Layout, order: &[usize], reduced: &[bool]) -> Option<Layout> {
    let kept: Dims = order.iter().copied().filter(|&d| !reduced[d]).collect();
    if kept.is_sorted() {
        return None;
    }
    let places = (0..kept.len()).map(|i| kept.iter().filter(|&&d| d < kept[i]).count());
    let places: Dims = places.collect();
    let mut shape = Dims::from_elem(0, kept.len());
    (places.iter().zip(&kept)).for_each(|(&place, &d)| shape[place] = of.shape[d]);
    Some(Layout::in_order(shape, &places))
}

fn fold_columns<T: Element, A: Copy + Send + Sync, O: Element>(
    data: &[T],
    Columns { outer, n, width }: Columns,
    fold: &dyn Loops<T, A, O>,
) -> Result<Buffer> {
    Buffer::build(outer * width, |out: &mut [O]| {
        if data.is_empty() {
            let mut value = [O::default()];
            fold.finish_all(&[fold.nothing()], &mut value);
            return out.fill(value[0]);
        }
        match (outer, width) {
            // Long rows one after the other, many threads on each.
            (_, 1) if outer == 1 || n >= GROUP * BLOCK => {
                for (o, row) in out.iter_mut().zip(data.chunks_exact(n)) {
                    fold.finish_all(&[long_row(row, fold)], std::slice::from_mut(o));
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
fn fold_rows<T: Element, A: Copy, O>(data: &[T], fold: &dyn Loops<T, A, O>, out: &mut [O]) {
    let n = data.len() / out.len();
    let mut partial = [fold.nothing(); GROUP];
    if n <= BLOCK {
        for (out, data) in out.chunks_mut(GROUP).zip(data.chunks(GROUP * n)) {
            let partial = &mut partial[..out.len()];
            fold.blocks(data, n, partial);
            fold.finish_all(partial, out);
        }
        return;
    }
    let partial = &mut partial[..n.div_ceil(BLOCK)];
    for (o, row) in out.iter_mut().zip(data.chunks_exact(n)) {
        fold.blocks(row, BLOCK, partial);
        fold.finish_all(&[tree(partial, fold)], std::slice::from_mut(o));
    }
}

/// One long row: its blocks in parallel, their results combined as a balanced tree.
fn long_row<T: Element, A: Copy + Send + Sync, O>(data: &[T], fold: &dyn Loops<T, A, O>) -> A {
    let mut partial = vec![fold.nothing(); data.len().div_ceil(BLOCK)];
    parallel::fill(&mut partial, parallel::GRAIN / BLOCK, |start, out| {
        fold.blocks(&data[start * BLOCK..], BLOCK, out);
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
fn tree<T, A: Copy, O>(values: &mut [A], fold: &dyn Loops<T, A, O>) -> A {
    let mut step = 1;
    while step < values.len() {
        for i in (0..values.len() - step).step_by(2 * step) {
            let other = values[i + step];
            fold.combine_with(&mut values[i..=i], &[other]);
        }
        step *= 2;
    }
    values.first().copied().unwrap_or_else(|| fold.nothing())
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
fn fold_matrix<T: Element, A: Copy + Send + Sync, O: Element>(
    data: &[T],
    n: usize,
    width: usize,
    fold: &dyn Loops<T, A, O>,
    out: &mut [O],
) {
    let bands = (n * width / (4 * parallel::GRAIN)).clamp(1, n.div_ceil(ROWS));
    if bands == 1 || width / STRIP > bands {
        return parallel::fill(out, (parallel::GRAIN / n).max(STRIP), |column, out| {
            let mut sums = vec![fold.nothing(); out.len()];
            fold_strip(data, width, column, fold, &mut sums);
            fold.finish_all(&sums, out);
        });
    }
    fold.finish_all(&gather_columns(data, width, bands, fold), out);
}

/// The columns of one matrix, rows in `bands` bands in parallel.
fn gather_columns<T: Element, A: Copy + Send + Sync, O>(
    data: &[T],
    width: usize,
    bands: usize,
    fold: &dyn Loops<T, A, O>,
) -> Vec<A> {
    let n = data.len() / width;
    let side = WIDE / width;
    if side > 1 && n >= 2 * side {
        // Short rows side by side, as if they were one.
        let (whole, rest) = data.split_at(n / side * side * width);
        let mut sums = gather_columns(whole, side * width, bands, fold);
        fold_bands(&mut sums, width, fold);
        fold.push_rows(rest, width, 0, &mut sums);
        return sums;
    }
    let rows_a_band = n.div_ceil(bands).next_multiple_of(ROWS);
    let mut sums = vec![fold.nothing(); n.div_ceil(rows_a_band) * width];
    parallel::fill(&mut sums, width, |start, out| {
        let first = start / width * rows_a_band;
        let rows = &data[first * width..n.min(first + rows_a_band) * width];
        fold_strip(rows, width, 0, fold, out);
    });
    fold_bands(&mut sums, width, fold);
    sums
}

/// Combines bands of `width` places, one after the other, with the first, which remains.
fn fold_bands<T, A, O>(sums: &mut Vec<A>, width: usize, fold: &dyn Loops<T, A, O>) {
    let (first, others) = sums.split_at_mut(width);
    for band in others.chunks_exact(width) {
        fold.combine_with(first, band);
    }
    sums.truncate(width);
}

/// The columns from `column` on of rows of `width` elements, as many as `sums` has places, which
/// have nothing in them. Rows are gathered in blocks, so that rounding does not grow with their
/// number.
fn fold_strip<T: Element, A: Copy, O>(
    data: &[T],
    width: usize,
    column: usize,
    fold: &dyn Loops<T, A, O>,
    sums: &mut [A],
) {
    let (first, others) = data.split_at(data.len().min(ROWS * width));
    fold.push_rows(first, width, column, sums);
    if others.is_empty() {
        return;
    }
    let mut block = vec![fold.nothing(); sums.len()];
    for rows in others.chunks(ROWS * width) {
        block.fill(fold.nothing());
        fold.push_rows(rows, width, column, &mut block);
        fold.combine_with(sums, &block);
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
    columns_of(x, reduced, &|data, columns| {
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
