//! Scans: walking along a dimension with something carried from element to element.

use super::{parallel, vectorize};
use crate::dtype::Element;
use crate::error::Result;
use crate::storage::Buffer;

/// Contiguous memory as `outer` matrices of `n × width` elements, whose columns are walked along,
/// backwards if `reverse`.
#[derive(Clone, Copy)]
pub(crate) struct Path {
    pub outer: usize,
    pub n: usize,
    pub width: usize,
    pub reverse: bool,
}

impl Path {
    /// Along dimension `dim` of a shape.
    pub(crate) fn new(shape: &[usize], dim: usize, reverse: bool) -> Self {
        // A 0-d tensor is one column of one.
        let after = shape.get(dim + 1..).unwrap_or_default();
        Self {
            outer: shape[..dim].iter().product(),
            n: shape.get(dim).copied().unwrap_or(1),
            width: after.iter().product(),
            reverse,
        }
    }
}

/// At each place what is carried there: `step(carried, place, row)` is what arrives at the element
/// at `place` in memory, in row number `row`, and `show` of it is written. Every column begins with
/// `start`. Matrices are walked in parallel, each of them on one thread.
pub(crate) fn scan<A: Copy + Send + Sync, U: Element>(
    path: Path,
    start: A,
    step: impl Fn(A, usize, usize) -> A + Sync,
    show: impl Fn(A) -> U + Sync,
) -> Result<Buffer> {
    let Path {
        outer,
        n,
        width,
        reverse,
    } = path;
    let size = n * width;
    let row = |i: usize| if reverse { n - 1 - i } else { i };
    Buffer::build(outer * size, |out: &mut [U]| {
        if out.is_empty() {
            return;
        }
        let grain = (parallel::GRAIN / size).max(1) * size;
        parallel::fill(out, grain, |at, out| {
            vectorize(|| {
                for (m, out) in out.chunks_exact_mut(size).enumerate() {
                    let at = at + m * size;
                    if width == 1 {
                        let mut carried = start;
                        for r in (0..n).map(row) {
                            carried = step(carried, at + r, r);
                            out[r] = show(carried);
                        }
                        continue;
                    }
                    let mut carried = vec![start; width];
                    for r in (0..n).map(row) {
                        let out = &mut out[r * width..][..width];
                        for (c, (o, carried)) in out.iter_mut().zip(&mut carried).enumerate() {
                            *carried = step(*carried, at + r * width + c, r);
                            *o = show(*carried);
                        }
                    }
                }
            });
        });
    })
}
