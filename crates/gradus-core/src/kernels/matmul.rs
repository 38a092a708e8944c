//! Matrix products through the `gemm` crate.
//!
//! A product above a size is cut into blocks of the result that run in parallel, each a serial
//! `gemm` call. The cuts depend on the sizes alone: `gemm` chooses its blocking by the shape it is
//! given, so cutting by the number of threads would change the rounding with it.

use super::parallel;
use crate::dtype::Element;

/// Floating point operations worth a task of their own.
const FLOPS_A_TASK: usize = 1 << 22;
/// Never more tasks than this for one product: each packs its operands anew.
const MAX_TASKS: usize = 16;
/// Blocks are multiples of this many rows or columns, so that only the last has a ragged edge.
const TILE: usize = 48;

/// A matrix in memory: the first element and the steps to the next row and column.
#[derive(Clone, Copy)]
pub(crate) struct Matrix<'a, T> {
    pub data: &'a [T],
    pub offset: usize,
    pub row: isize,
    pub col: isize,
}

impl<T> Matrix<'_, T> {
    /// Whether every element of `rows × cols` lies within the data.
    fn holds(&self, rows: usize, cols: usize) -> bool {
        let span = |n: usize, step: isize| (n as isize - 1) * step;
        let (r, c) = (span(rows, self.row), span(cols, self.col));
        let first = self.offset as isize + r.min(0) + c.min(0);
        let last = self.offset as isize + r.max(0) + c.max(0);
        first >= 0 && last < self.data.len() as isize
    }
}

/// `out = a·b`, or `out += a·b` when `add`; `a` is m×k, `b` is k×n, `out` is m×n row-major.
///
/// # Panics
/// If a matrix does not lie within its data: the callers' shapes are wrong.
pub(crate) fn matmul<T: Element>(
    out: &mut [T],
    (m, k, n): (usize, usize, usize),
    a: Matrix<'_, T>,
    b: Matrix<'_, T>,
    add: bool,
) {
    assert_eq!(out.len(), m * n, "matmul: output size");
    if m == 0 || n == 0 {
        return;
    }
    if k == 0 {
        if !add {
            out.fill(T::default());
        }
        return;
    }
    assert!(
        a.holds(m, k) && b.holds(k, n),
        "matmul: operand outside its storage"
    );
    let tasks = ((m * n).saturating_mul(2 * k) / FLOPS_A_TASK).clamp(1, MAX_TASKS);
    // Cut the longer side.
    let (rows, cols) = if m >= n {
        (piece(m, tasks), n)
    } else {
        (m, piece(n, tasks))
    };
    let (down, across) = (m.div_ceil(rows), n.div_ceil(cols));
    let target = Target(out.as_mut_ptr());
    parallel::run(down * across, |task| {
        let (i, j) = ((task / across) * rows, (task % across) * cols);
        let (rows, cols) = (rows.min(m - i), cols.min(n - j));
        // SAFETY: `a` and `b` hold all their elements (asserted above) and are only read; each task
        // writes its own rectangle of `out`, which has m·n elements with row step n.
        unsafe {
            gemm::gemm(
                rows,
                cols,
                k,
                target.get().add(i * n + j),
                1,
                n as isize,
                add,
                a.data.as_ptr().add(a.offset).offset(i as isize * a.row),
                a.col,
                a.row,
                b.data.as_ptr().add(b.offset).offset(j as isize * b.col),
                b.col,
                b.row,
                one::<T>(),
                one::<T>(),
                false,
                false,
                false,
                gemm::Parallelism::None,
            );
        }
    });
}

fn one<T: Element>() -> T {
    T::from_i64(1)
}

/// The length of a piece when `n` is cut into about `tasks` of them.
fn piece(n: usize, tasks: usize) -> usize {
    n.div_ceil(tasks).next_multiple_of(TILE).min(n)
}

/// The output, shared by tasks that write disjoint rectangles.
struct Target<T>(*mut T);
// SAFETY: see `matmul`, the only user.
unsafe impl<T: Send> Sync for Target<T> {}
impl<T> Target<T> {
    fn get(&self) -> *mut T {
        self.0
    }
}
