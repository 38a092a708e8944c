//! Matrix products through `gemm`, by its crates for f32 and f64 alone: the umbrella crate also
//! compiles complex ones, half of its build. Those that it is slow at go through [`dots`].
//!
//! A product above a size is cut into blocks of the result that run in parallel. The cuts depend on
//! the sizes alone: `gemm` chooses its blocking by the shape it is given, so cutting by the number
//! of threads would change the rounding with it. Of many small products each is one task or less.
//!
//! Integers have a plain loop: they wrap, so their sums may be formed in any order.

use super::dots::{Dots, Rows};
use super::parallel::{self, Shared};
use super::simd::{self, Lane};
use super::{dots, map, vectorize};
use crate::dtype::Number;
use crate::error::Result;
use crate::shape::numel;
use crate::storage::Buffer;
use parking_lot::Mutex;

/// Floating point operations worth a task of their own.
const FLOPS_A_TASK: usize = 1 << 20;
/// Never more tasks than this for one product: each packs its operands anew.
const MAX_TASKS: usize = 16;
/// Blocks are multiples of the tile that is computed at once with AVX-512, so that only the last one
/// has a ragged edge: `gemm`'s tile.
const TILE: (usize, usize) = (6, 64);

/// Sums so many times as long as the sides of the result together are shared out themselves.
const LONG: usize = 8;

/// Rows of a block for which it pays to pack the whole other factor.
const ROWS: usize = 32;

/// A matrix in memory: the first element and the steps to the next row and column.
#[derive(Clone, Copy)]
pub(crate) struct Matrix<'a, T> {
    pub data: &'a [T],
    pub offset: usize,
    pub row: isize,
    pub col: isize,
}

impl<T: Copy> Matrix<'_, T> {
    /// Where an element lies.
    fn at(&self, row: usize, col: usize) -> *const T {
        let steps = row as isize * self.row + col as isize * self.col;
        let start = self.data.as_ptr().wrapping_add(self.offset);
        start.wrapping_offset(steps)
    }

    /// The part from a row and column on.
    fn from(self, row: usize, col: usize) -> Self {
        let steps = row as isize * self.row + col as isize * self.col;
        Self {
            offset: self.offset.wrapping_add_signed(steps),
            ..self
        }
    }

    /// The transpose.
    fn turned(self) -> Self {
        Self {
            row: self.col,
            col: self.row,
            ..self
        }
    }

    /// The rows, of contiguous elements.
    fn rows(&self) -> Rows<T> {
        Rows {
            start: self.at(0, 0),
            step: self.row,
        }
    }

    /// Whether every element of `rows × cols` lies within the data.
    fn holds(&self, rows: usize, cols: usize) -> bool {
        let span = |n: usize, step: isize| (n as isize - 1) * step;
        let (r, c) = (span(rows, self.row), span(cols, self.col));
        let first = self.offset as isize + r.min(0) + c.min(0);
        let last = self.offset as isize + r.max(0) + c.max(0);
        first >= 0 && last < self.data.len() as isize
    }
}

/// The products of as many pairs of matrices as `out` has room for, one after the other; `pair` gives
/// the factors of each. Sizes as in [`matmul`].
///
/// # Errors
/// As [`matmul`].
pub(crate) fn products<'a, T: Factor>(
    out: &mut [T],
    (m, k, n): (usize, usize, usize),
    pair: impl Fn(usize) -> (Matrix<'a, T>, Matrix<'a, T>) + Sync,
) -> Result<()> {
    let (size, work) = ((m * n).max(1), (m * n).saturating_mul(2 * k));
    let error = Mutex::new(Ok(()));
    let one = |i: usize, out: &mut [T]| {
        let (a, b) = pair(i);
        if let Err(e) = T::product(out, (m, k, n), a, b) {
            *error.lock() = Err(e);
        }
    };
    if work >= FLOPS_A_TASK {
        // Each is cut up by itself.
        out.chunks_exact_mut(size)
            .enumerate()
            .for_each(|(i, out)| one(i, out));
    } else {
        let grain = FLOPS_A_TASK / work.max(1 << 10);
        parallel::fill(out, grain * size, |start, out| {
            let products = out.chunks_exact_mut(size);
            products
                .enumerate()
                .for_each(|(i, out)| one(start / size + i, out));
        });
    }
    error.into_inner()
}

/// What is done to a product while it is in the cache. It is called with every element once: with
/// whole rows, or with a part of one that begins at the given column.
pub(crate) type Finish<'a, T> = &'a (dyn Fn(usize, &mut [T]) + Sync);

/// `out = a·b`, then completed by `finish`; `a` is m×k, `b` is k×n, `out` is m×n row-major.
///
/// # Errors
/// If there is no memory for a turned copy of a factor.
///
/// # Panics
/// If a matrix does not lie within its data: the callers' shapes are wrong.
pub(crate) fn matmul<T: Product>(
    out: &mut [T],
    (m, k, n): (usize, usize, usize),
    a: Matrix<'_, T>,
    b: Matrix<'_, T>,
    finish: Finish<'_, T>,
) -> Result<()> {
    assert_eq!(out.len(), m * n, "matmul: output size");
    if m == 0 || n == 0 {
        return Ok(());
    }
    if k == 0 {
        out.fill(T::default());
        finish(0, out);
        return Ok(());
    }
    assert!(
        a.holds(m, k) && b.holds(k, n),
        "matmul: operand outside its storage"
    );
    let target = Shared(out.as_mut_ptr());
    // Completes a block of the result that its task has computed.
    let complete = |Block {
                        top,
                        left,
                        rows,
                        cols,
                    }: Block| {
        let run = |i: usize, len: usize| {
            // SAFETY: elements of this task's block.
            unsafe { std::slice::from_raw_parts_mut(target.get().add(i * n + left), len) }
        };
        if cols == n {
            finish(0, run(top, rows * n));
        } else {
            (top..top + rows).for_each(|i| finish(left, run(i, cols)));
        }
    };
    // Rows of both factors that lie side by side (an input and a weight).
    if a.col == 1 && b.row == 1 && k >= 64 && (m <= 256 || n <= 32) {
        blocks((m, k, n), dots::TILE, |block| {
            let Block {
                top,
                left,
                rows,
                cols,
            } = block;
            let out = (target.get().wrapping_add(top * n + left), n);
            // SAFETY: all rows lie within their data (asserted above) and are only read; each task
            // writes its own rectangle of `out`, which has m·n elements.
            simd::run(unsafe {
                Dots::new(
                    out,
                    (rows, k, cols),
                    a.rows().from(top, 0),
                    b.turned().rows().from(left, 0),
                )
            });
            complete(block);
        });
        return Ok(());
    }
    // `gemm` packs a right factor whose columns are contiguous (a weight seen transposed) at a
    // quarter of the speed of a plain one; turning it round once is cheaper unless there are few
    // rows to multiply with.
    let turned = (b.row == 1 && b.col > 1 && m >= 4 && k * n >= 1 << 10)
        .then(|| map::transpose(&b.data[b.offset..], 0, [1, k, n], b.col as usize))
        .transpose()?;
    let b = turned.as_ref().map_or(b, |t| Matrix {
        data: t.slice(),
        offset: 0,
        row: n as isize,
        col: 1,
    });
    let work = (m * n).saturating_mul(2 * k);
    let parts = MAX_TASKS.min(work / FLOPS_A_TASK);
    if parts > 1 && k >= LONG * (m + n) {
        add_up(out, (m, k, n), a, b, parts)?;
        parallel::fill_rows(out, n, |_, rows| finish(0, rows));
        return Ok(());
    }
    blocks((m, k, n), TILE, |block| {
        let Block {
            top,
            left,
            rows,
            cols,
        } = block;
        // SAFETY: `a` and `b` hold all their elements (asserted above) and are only read; each task
        // writes its own rectangle of `out`, which has m·n elements with row step n.
        unsafe {
            let out = target.get().add(top * n + left);
            gemm((out, n), (rows, k, cols), a.from(top, 0), b.from(0, left));
        }
        complete(block);
    });
    Ok(())
}

/// `out = a·b` where the sums are long and there are few of them, such as the gradient of a weight for
/// a large batch: each task has one of the parts of all sums. A task for a block of the result would
/// pack the whole of one factor.
///
/// # Errors
/// If there is no memory for the parts.
fn add_up<T: Product>(
    out: &mut [T],
    (m, k, n): (usize, usize, usize),
    a: Matrix<'_, T>,
    b: Matrix<'_, T>,
    parts: usize,
) -> Result<()> {
    let size = m * n;
    let mut sums = Buffer::new::<T>(numel(&[parts, m, n])?)?;
    parallel::fill(sums.slice_mut(), size, |start, sums: &mut [T]| {
        let edge = |part: usize| part * k / parts;
        let (from, to) = (edge(start / size), edge(start / size + 1));
        // SAFETY: the factors hold all their elements (the caller's), and `sums` are this task's.
        unsafe {
            let out = (sums.as_mut_ptr(), n);
            gemm(out, (m, to - from, n), a.from(0, from), b.from(from, 0));
        }
    });
    add_parts(sums.slice_mut::<T>(), size);
    out.copy_from_slice(&sums.slice()[..size]);
    Ok(())
}

/// Adds parts of `size` elements to the first of them, in order.
pub(super) fn add_parts<T: Lane>(parts: &mut [T], size: usize) {
    let (first, others) = parts.split_at_mut(size);
    parallel::fill(first, parallel::GRAIN / 4, |start, first| {
        for part in others.chunks_exact(size) {
            let part = &part[start..][..first.len()];
            vectorize(|| {
                let pairs = first.iter_mut().zip(part);
                pairs.for_each(|(sum, &x)| *sum = *sum + x);
            });
        }
    });
}

/// `out = a·b` on this thread; `out` is a pointer and the step to the next row.
///
/// # Safety
/// The factors hold their elements, and nobody else touches those of the result.
unsafe fn gemm<T: Product>(
    (out, step): (*mut T, usize),
    (m, k, n): (usize, usize, usize),
    a: Matrix<'_, T>,
    b: Matrix<'_, T>,
) {
    // The crate's kernels want column-major results: the product is asked for as outᵀ = bᵀ·aᵀ.
    // SAFETY: the caller's promise.
    unsafe {
        T::gemm()(
            n,
            m,
            k,
            out,
            step as isize,
            1,
            false,
            b.at(0, 0),
            b.row,
            b.col,
            a.at(0, 0),
            a.row,
            a.col,
            T::ONE,
            T::ONE,
            false,
            false,
            false,
            gemm_common::Parallelism::None,
        );
    }
}

/// A rectangle of the result.
#[derive(Clone, Copy)]
struct Block {
    top: usize,
    left: usize,
    rows: usize,
    cols: usize,
}

/// Cuts the result of a product into blocks and calls `f` with each, in parallel. The cuts are between
/// rows if there are enough of them, so that threads come back to the rows of a gradient and of a
/// weight that they wrote. The sides of blocks are multiples of the tile's.
fn blocks((m, k, n): (usize, usize, usize), tile: (usize, usize), f: impl Fn(Block) + Sync) {
    // A power of two, so that two, four or eight threads have equal shares.
    let work = (m * n).saturating_mul(2 * k) / FLOPS_A_TASK;
    let tasks = 1 << work.clamp(1, MAX_TASKS).ilog2();
    let by_rows = m >= n.min(ROWS * tasks);
    let (side, tile) = if by_rows { (m, tile.0) } else { (n, tile.1) };
    let tiles = side.div_ceil(tile);
    let tasks = tasks.min(tiles);
    parallel::run(tasks, |task| {
        let edge = |task: usize| (task * tiles / tasks * tile).min(side);
        let (start, len) = (edge(task), edge(task + 1) - edge(task));
        let (top, left, rows, cols) = if by_rows {
            (start, 0, len, n)
        } else {
            (0, start, m, len)
        };
        f(Block {
            top,
            left,
            rows,
            cols,
        });
    });
}

/// `gemm`'s signature: sizes, destination, whether to add to it, factors, each with column and row
/// steps, the factors of what is there and of the product, three conjugations, threads.
type Gemm<T> = unsafe fn(
    usize,
    usize,
    usize,
    *mut T,
    isize,
    isize,
    bool,
    *const T,
    isize,
    isize,
    *const T,
    isize,
    isize,
    T,
    T,
    bool,
    bool,
    bool,
    gemm_common::Parallelism,
);

/// A number that matrices can be multiplied in.
pub(crate) trait Product: Lane {
    /// The best product for this processor.
    fn gemm() -> Gemm<Self>;
}
impl Product for f32 {
    fn gemm() -> Gemm<f32> {
        gemm_f32::gemm::f32::get_gemm_fn()
    }
}
impl Product for f64 {
    fn gemm() -> Gemm<f64> {
        gemm_f64::gemm::f64::get_gemm_fn()
    }
}

/// A number whose matrices can be multiplied, one way or the other.
pub(crate) trait Factor: Number {
    /// `out = a·b`.
    fn product(
        out: &mut [Self],
        sizes: (usize, usize, usize),
        a: Matrix<'_, Self>,
        b: Matrix<'_, Self>,
    ) -> Result<()>;
}

macro_rules! factors {
    ($($t:ident $product:expr;)+) => {$(
        impl Factor for $t {
            fn product(
                out: &mut [Self],
                sizes: (usize, usize, usize),
                a: Matrix<'_, Self>,
                b: Matrix<'_, Self>,
            ) -> Result<()> {
                $product(out, sizes, a, b)
            }
        }
    )+};
}
factors! {
    f32 |out, sizes, a, b| matmul(out, sizes, a, b, &|_, _| {});
    f64 |out, sizes, a, b| matmul(out, sizes, a, b, &|_, _| {});
    u8 plain;
    i32 plain;
    i64 plain;
}

/// `out = a·b` by a loop, a row of `b` at a time.
fn plain<T: Number>(
    out: &mut [T],
    (_, k, n): (usize, usize, usize),
    a: Matrix<'_, T>,
    b: Matrix<'_, T>,
) -> Result<()> {
    let at = |x: &Matrix<'_, T>, i: usize, j: usize| {
        let steps = i as isize * x.row + j as isize * x.col;
        x.data[x.offset.wrapping_add_signed(steps)]
    };
    parallel::fill_rows(out, n, |start, out| {
        for (i, out) in out.chunks_exact_mut(n).enumerate() {
            out.fill(T::ZERO);
            for p in 0..k {
                let factor = at(&a, start / n + i, p);
                for (j, sum) in out.iter_mut().enumerate() {
                    *sum = sum.plus(factor.times(at(&b, p, j)));
                }
            }
        }
    });
    Ok(())
}
