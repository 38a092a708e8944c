//! Element by element: one operand (`map`), two (`zip`), three (`zip3`), with broadcasting.
//!
//! What is compiled for each operation is its innermost loop over slices (`vectorize`), and nothing
//! else: everything around it calls that loop through a pointer, once a row or block.
//!
//! Operands may be strided or broadcast in any way; the result has no gaps and the order in memory of
//! the operands. Dimensions are put into that order and merged first, so that most calls end up in the
//! loops over plain slices.

use super::{Dense, View, parallel, vectorize, vectorize_floats};
use crate::dtype::Element;
use crate::error::Result;
use crate::shape::{Dims, Layout, Strides};
use crate::storage::Buffer;

/// How much of the work of one chunk of additions a single call of the function is.
#[derive(Clone, Copy)]
pub(crate) enum Cost {
    /// An addition or so: memory is the limit.
    Low,
    /// A division, an exponential.
    High,
}

impl Cost {
    /// The elements of a chunk, when there are so many altogether. What is just worth sharing is cut
    /// into small chunks, so that no thread waits long for the last of them.
    fn grain(self, len: usize) -> usize {
        const MOST: usize = parallel::GRAIN / 8;
        match self {
            Self::Low => parallel::GRAIN,
            Self::High if len <= MOST => MOST,
            Self::High => (len / 16).clamp(MOST / 4, MOST),
        }
    }
}

/// Elements of operands that do not lie side by side are brought together in so many: enough for a
/// call to cost little, few enough to stay in the innermost cache.
const BLOCK: usize = 128;

/// `f` of every element.
pub(crate) fn map<T: Element, U: Element>(
    x: View<'_, T>,
    cost: Cost,
    f: impl Fn(T) -> U + Sync,
) -> Result<Dense> {
    map_blocks(x, cost, &|x, out| {
        vectorize_floats::<T, U, U, _>(|| out.iter_mut().zip(x).for_each(|(o, &x)| *o = f(x)));
    })
}

/// `f` of every pair of elements. Both layouts must have the same shape (broadcast before).
pub(crate) fn zip<A: Element, B: Element, U: Element>(
    a: View<'_, A>,
    b: View<'_, B>,
    cost: Cost,
    f: impl Fn(A, B) -> U + Sync,
) -> Result<Dense> {
    zip_blocks(a, b, cost, &|a, b, out| {
        vectorize_floats::<A, B, U, _>(|| {
            let pairs = a.iter().zip(b);
            out.iter_mut()
                .zip(pairs)
                .for_each(|(o, (&a, &b))| *o = f(a, b));
        });
    })
}

/// `f` of every triple of elements. All layouts must have the same shape.
pub(crate) fn zip3<A: Element, B: Element, C: Element, U: Element>(
    a: View<'_, A>,
    b: View<'_, B>,
    c: View<'_, C>,
    cost: Cost,
    f: impl Fn(A, B, C) -> U + Sync,
) -> Result<Dense> {
    let layouts = [a.layout, b.layout, c.layout];
    strided(layouts, cost, &|out, at, steps| {
        let mut gathered = (
            [A::default(); BLOCK],
            [B::default(); BLOCK],
            [C::default(); BLOCK],
        );
        for (i, out) in out.chunks_mut(BLOCK).enumerate() {
            let at: [usize; 3] = std::array::from_fn(|k| shift(at[k], steps[k], i * BLOCK));
            let a = a.block(at[0], steps[0], &mut gathered.0[..out.len()]);
            let b = b.block(at[1], steps[1], &mut gathered.1[..out.len()]);
            let c = c.block(at[2], steps[2], &mut gathered.2[..out.len()]);
            vectorize(|| {
                let inputs = a.iter().zip(b).zip(c);
                out.iter_mut()
                    .zip(inputs)
                    .for_each(|(o, ((&a, &b), &c))| *o = f(a, b, c));
            });
        }
    })
}

/// [`map`], with the loop over a block of elements, side by side in memory, left to `f`. Only `f` is
/// compiled for each operation, not everything around it.
pub(crate) fn map_blocks<T: Element, U: Element>(
    x: View<'_, T>,
    cost: Cost,
    f: &(dyn Fn(&[T], &mut [U]) + Sync),
) -> Result<Dense> {
    if let Some(slice) = x.as_slice() {
        return row_major(x.layout, |out| {
            parallel::fill(out, cost.grain(out.len()), |start, out| {
                f(&slice[start..start + out.len()], out);
            });
        });
    }
    strided([x.layout], cost, &|out, [at], [step]| {
        if step == 1 {
            return f(&x.data[at..at + out.len()], out);
        }
        let mut gathered = [T::default(); BLOCK];
        for (i, out) in out.chunks_mut(BLOCK).enumerate() {
            let at = shift(at, step, i * BLOCK);
            f(x.block(at, step, &mut gathered[..out.len()]), out);
        }
    })
}

/// A loop over as many elements of two operands as there are to write.
type Pairs<'a, A, B, U> = &'a (dyn Fn(&[A], &[B], &mut [U]) + Sync);

/// [`zip`], with the loop over blocks of elements left to `f`, as in [`map_blocks`].
pub(crate) fn zip_blocks<A: Element, B: Element, U: Element>(
    a: View<'_, A>,
    b: View<'_, B>,
    cost: Cost,
    f: Pairs<'_, A, B, U>,
) -> Result<Dense> {
    if let (Some(x), Some(y)) = (a.as_slice(), b.as_slice()) {
        return row_major(a.layout, |out| {
            parallel::fill(out, cost.grain(out.len()), |start, out| {
                let part = start..start + out.len();
                f(&x[part.clone()], &y[part], out);
            });
        });
    }
    if let Some(made) = beside_row(a, b, cost, f) {
        return made;
    }
    if let Some(made) = beside_row(b, a, cost, &|b, a, out| f(a, b, out)) {
        return made;
    }
    strided([a.layout, b.layout], cost, &|out, [i, j], [s, t]| {
        let n = out.len();
        if [s, t] == [1, 1] {
            return f(&a.data[i..i + n], &b.data[j..j + n], out);
        }
        let mut gathered = ([A::default(); BLOCK], [B::default(); BLOCK]);
        for (k, out) in out.chunks_mut(BLOCK).enumerate() {
            let (i, j) = (shift(i, s, k * BLOCK), shift(j, t, k * BLOCK));
            let x = a.block(i, s, &mut gathered.0[..out.len()]);
            let y = b.block(j, t, &mut gathered.1[..out.len()]);
            f(x, y, out);
        }
    })
}

impl<'a, T: Element> View<'a, T> {
    /// Elements `step` apart from `at` on: where they lie, or gathered in `room`, as many as it has.
    fn block<'b>(&self, at: usize, step: isize, room: &'b mut [T]) -> &'b [T]
    where
        'a: 'b,
    {
        match step {
            1 => return &self.data[at..at + room.len()],
            0 => room.fill(self.data[at]),
            _ => {
                (room.iter_mut().enumerate()).for_each(|(i, x)| *x = self.data[shift(at, step, i)])
            }
        }
        room
    }
}

/// Pairs of dense elements with a short row that is the same beside each of theirs, such as a number
/// for each channel. The row is repeated, so that loops are long.
fn beside_row<A: Element, B: Element, U: Element>(
    x: View<'_, A>,
    row: View<'_, B>,
    cost: Cost,
    f: Pairs<'_, A, B, U>,
) -> Option<Result<Dense>> {
    const LONG: usize = 256;
    // Most rows are not repeated: this is seen at once.
    if row.layout.strides.iter().all(|&s| s != 0) || !x.layout.is_dense() {
        return None;
    }
    let order = Layout::memory_order([x.layout]).unwrap_or((0..x.layout.rank()).collect());
    let layouts = [x.layout, row.layout].map(|layout| layout.permute(&order));
    let (shape, [of_x, of_row]) = Layout::coalesce(layouts.each_ref());
    let n = *shape.last()?;
    let fits = shape.len() == 2 && shape[0] > 1 && (2..=LONG / 2).contains(&n);
    if !fits || of_x[..] != [n as isize, 1] || of_row[..] != [0, 1] {
        return None;
    }
    let period = n * (LONG / n);
    let row = &row.data[row.layout.offset..][..n];
    let row: Vec<B> = row.iter().copied().cycle().take(period).collect();
    let shape_of_x = x.layout.shape.clone();
    let x = &x.data[x.layout.offset..][..shape[0] * n];
    let buffer = Buffer::build(x.len(), |out| {
        let grain = cost.grain(out.len()).next_multiple_of(period);
        parallel::fill(out, grain, |start, out| {
            let x = x[start..start + out.len()].chunks(period);
            for (out, x) in out.chunks_mut(period).zip(x) {
                f(x, &row[..x.len()], out);
            }
        });
    });
    let layout = Layout::in_order(shape_of_x, &order);
    Some(buffer.map(|buffer| Dense { buffer, layout }))
}

/// A row-major copy of the elements.
pub(crate) fn copy<T: Element>(x: View<'_, T>) -> Result<Buffer> {
    let (shape, [strides]) = Layout::coalesce([x.layout]);
    let data = &x.data[x.layout.offset..];
    match (shape.as_slice(), strides.as_slice()) {
        (&[rows, cols], &[1, step]) if step > 1 && rows * cols > 0 => {
            transpose(data, 0, [1, rows, cols], step as usize)
        }
        (&[n, rows, cols], &[skip, 1, step]) if skip > 0 && step > 1 && n * rows * cols > 0 => {
            transpose(data, skip as usize, [n, rows, cols], step as usize)
        }
        _ => Buffer::build(x.layout.numel(), |out| {
            let to = Layout::contiguous(x.layout.shape.clone());
            write(out, &to, x);
        }),
    }
}

/// `n` matrices of `rows × cols`, row-major, of some in which neighbours in a column lie side by side
/// and neighbours in a row `step` apart; `skip` from one to the next. Tile by tile, so that every
/// cache line is used up while it is there.
pub(crate) fn transpose<T: Element>(
    x: &[T],
    skip: usize,
    [n, rows, cols]: [usize; 3],
    step: usize,
) -> Result<Buffer> {
    const TILE: usize = 16;
    Buffer::build(n * rows * cols, |out| {
        let rows_a_chunk = (parallel::GRAIN / cols).max(1).next_multiple_of(TILE);
        parallel::fill(out, rows_a_chunk * cols, |start, mut out| {
            let mut row = start / cols;
            vectorize(|| {
                while !out.is_empty() {
                    let (matrix, first) = (row / rows, row % rows);
                    let height = TILE.min(rows - first).min(out.len() / cols);
                    let (band, rest) = std::mem::take(&mut out).split_at_mut(height * cols);
                    for left in (0..cols).step_by(TILE) {
                        let width = TILE.min(cols - left);
                        let mut tile = [[T::default(); TILE]; TILE];
                        for (j, line) in tile[..width].iter_mut().enumerate() {
                            let at = matrix * skip + (left + j) * step + first;
                            line[..height].copy_from_slice(&x[at..at + height]);
                        }
                        for i in 0..height {
                            let line = &mut band[i * cols + left..][..width];
                            line.iter_mut()
                                .zip(&tile)
                                .for_each(|(o, column)| *o = column[i]);
                        }
                    }
                    (row, out) = (row + height, rest);
                }
            });
        });
    })
}

/// Writes `f(old, new)` over the elements of `target` that `layout` selects; `source` has the same
/// shape. An element that the layout selects several times is written as often, in row-major order.
///
/// # Panics
/// If the layout leaves the target.
pub(crate) fn assign<T: Element, U: Element>(
    target: &mut [T],
    layout: &Layout,
    source: View<'_, U>,
    f: impl Fn(T, U) -> T + Sync,
) {
    assign_blocks(target, layout, source, &|old, new| {
        vectorize_floats::<T, U, U, _>(|| {
            old.iter_mut().zip(new).for_each(|(o, &x)| *o = f(*o, x))
        });
    });
}

/// Writes the elements of `source` over those of `target` that `layout` selects, as [`assign`] does.
pub(crate) fn write<T: Element>(target: &mut [T], layout: &Layout, source: View<'_, T>) {
    assign_blocks(target, layout, source, &|old, new| old.copy_from_slice(new));
}

/// [`assign`], with the loop over blocks of elements left to `f`, as in [`map_blocks`].
fn assign_blocks<T: Element, U: Element>(
    target: &mut [T],
    layout: &Layout,
    source: View<'_, U>,
    f: &(dyn Fn(&mut [T], &[U]) + Sync),
) {
    assert!(layout.lies_within(target.len()), "assign: target");
    let (shape, [to, from]) = Layout::coalesce([layout, source.layout]);
    let Some(rows) = row_count(&shape) else {
        return;
    };
    let (n, [s, t]) = (shape[shape.len() - 1], [last(&to), last(&from)]);
    let start = [layout.offset, source.layout.offset];
    let target = parallel::Shared(target.as_mut_ptr());
    // Places that are one and the same have to be written one after the other.
    let most = if s == 0 { 1 } else { BLOCK };
    let row = |[i, j]: [usize; 2], n: usize, rooms: &mut Option<Rooms<T, U>>| {
        // SAFETY: here and below these are positions of `layout`, which lies within `target`
        // (asserted above). Nobody else looks at them meanwhile: either tasks run one after the other,
        // or no two positions of the layout are one element and no two tasks have a position in
        // common.
        let side_by_side = |i, n| unsafe { std::slice::from_raw_parts_mut(target.get().add(i), n) };
        if [s, t] == [1, 1] {
            return f(side_by_side(i, n), &source.data[j..j + n]);
        }
        let (old, new) =
            rooms.get_or_insert_with(|| ([T::default(); BLOCK], [U::default(); BLOCK]));
        for k in (0..n).step_by(most) {
            let (i, j, n) = (shift(i, s, k), shift(j, t, k), most.min(n - k));
            let new = source.block(j, t, &mut new[..n]);
            if s == 1 {
                f(side_by_side(i, n), new);
                continue;
            }
            let places = (0..n).map(|k| target.get().wrapping_add(shift(i, s, k)));
            let pairs = old.iter_mut().zip(places.clone());
            // SAFETY: as above.
            pairs.for_each(|(old, place)| *old = unsafe { *place });
            f(&mut old[..n], new);
            let pairs = old.iter().zip(places);
            // SAFETY: as above.
            pairs.for_each(|(&new, place)| unsafe { *place = new });
        }
    };
    let rows_a_task = (parallel::GRAIN / n).max(1);
    let task = |task: usize| {
        let mut rooms = None;
        if rows == 1 {
            let part = parallel::chunk(n, parallel::GRAIN, task);
            let at = [
                shift(start[0], s, part.start),
                shift(start[1], t, part.start),
            ];
            return row(at, part.len(), &mut rooms);
        }
        let part = parallel::chunk(rows, rows_a_task, task);
        let mut odometer = Odometer::new(&shape, [&to, &from], start, part.start);
        part.for_each(|_| row(odometer.next(), n, &mut rooms));
    };
    let tasks = if rows == 1 {
        n.div_ceil(parallel::GRAIN)
    } else {
        rows.div_ceil(rows_a_task)
    };
    if tasks > 1 && layout.is_injective() {
        parallel::run(tasks, task);
    } else {
        (0..tasks).for_each(task);
    }
}

/// Room for a block of elements of a target and one of a source.
type Rooms<T, U> = ([T; BLOCK], [U; BLOCK]);

/// Position `step · i` elements from `at`; layouts never leave their storage.
#[inline(always)]
fn shift(at: usize, step: isize, i: usize) -> usize {
    at.wrapping_add_signed(step.wrapping_mul(i as isize))
}

fn last(strides: &Strides) -> isize {
    *strides.last().expect("merged shapes have a dimension")
}

/// The number of innermost rows, unless there are no elements.
fn row_count(shape: &[usize]) -> Option<usize> {
    (!shape.contains(&0)).then(|| shape[..shape.len() - 1].iter().product())
}

/// Builds a row-major result of the shape of `like`.
fn row_major<U: Element>(like: &Layout, fill: impl FnOnce(&mut [U])) -> Result<Dense> {
    Ok(Dense {
        buffer: Buffer::build(like.numel(), fill)?,
        layout: Layout::contiguous(like.shape.clone()),
    })
}

/// Writes one innermost row of a result, or a part of it, given where it begins in each of `N` operands
/// and the steps along it.
type Row<'a, U, const N: usize> = &'a (dyn Fn(&mut [U], [usize; N], [isize; N]) + Sync);

/// Builds a result without gaps from strided operands.
fn strided<U: Element, const N: usize>(
    layouts: [&Layout; N],
    cost: Cost,
    row: Row<'_, U, N>,
) -> Result<Dense> {
    let Some(order) = Layout::memory_order(layouts) else {
        return row_major(layouts[0], |out| rows(out, layouts, cost, row));
    };
    let permuted = layouts.map(|layout| layout.permute(&order));
    Ok(Dense {
        buffer: Buffer::build(layouts[0].numel(), |out| {
            rows(out, permuted.each_ref(), cost, row)
        })?,
        layout: Layout::in_order(layouts[0].shape.clone(), &order),
    })
}

/// Writes the rows of [`strided`] one after the other.
fn rows<U: Element, const N: usize>(
    out: &mut [U],
    layouts: [&Layout; N],
    cost: Cost,
    row: Row<'_, U, N>,
) {
    let (shape, strides) = Layout::coalesce(layouts);
    let offsets = layouts.map(|l| l.offset);
    let Some(rows) = row_count(&shape) else {
        return;
    };
    let n = shape[shape.len() - 1];
    let steps = std::array::from_fn(|k| last(&strides[k]));
    let outer: [&Strides; N] = std::array::from_fn(|k| &strides[k]);
    if rows == 1 {
        return parallel::fill(out, cost.grain(out.len()), |start, out| {
            let at = std::array::from_fn(|k| shift(offsets[k], steps[k], start));
            row(out, at, steps);
        });
    }
    let rows_a_chunk = (cost.grain(out.len()) / n).max(1);
    parallel::fill(out, rows_a_chunk * n, |start, out| {
        let mut odometer = Odometer::new(&shape, outer, offsets, start / n);
        for out in out.chunks_exact_mut(n) {
            row(out, odometer.next(), steps);
        }
    });
}

/// Walks the rows of several operands in step.
struct Odometer<'a, const N: usize> {
    shape: &'a [usize],
    strides: [&'a Strides; N],
    index: Dims,
    at: [usize; N],
}

impl<'a, const N: usize> Odometer<'a, N> {
    /// Starts at row number `row`.
    fn new(shape: &'a Dims, strides: [&'a Strides; N], mut at: [usize; N], row: usize) -> Self {
        let outer = &shape[..shape.len() - 1];
        let mut index = Dims::from_elem(0, outer.len());
        let mut rest = row;
        for d in (0..outer.len()).rev() {
            index[d] = rest % outer[d];
            rest /= outer[d];
            for k in 0..N {
                at[k] = shift(at[k], strides[k][d], index[d]);
            }
        }
        Self {
            shape: outer,
            strides,
            index,
            at,
        }
    }

    /// Where the current row begins in each operand; moves on to the next row.
    #[inline(always)]
    fn next(&mut self) -> [usize; N] {
        let here = self.at;
        for d in (0..self.shape.len()).rev() {
            self.index[d] += 1;
            let wrapped = self.index[d] == self.shape[d];
            for k in 0..N {
                let steps = if wrapped {
                    1 - self.shape[d] as isize
                } else {
                    1
                };
                self.at[k] = self.at[k].wrapping_add_signed(self.strides[k][d].wrapping_mul(steps));
            }
            if !wrapped {
                break;
            }
            self.index[d] = 0;
        }
        here
    }
}
