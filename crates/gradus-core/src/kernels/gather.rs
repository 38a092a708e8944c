//! Copying rows by index, out of a tensor and back into one.

use super::{parallel, vectorize};
use crate::dtype::{Element, Number};
use crate::error::Result;
use crate::storage::Buffer;

/// Rows `indices` of each of the `outer` matrices of `rows × width` elements in `data`.
///
/// Every index must be less than `rows`.
pub(crate) fn rows<T: Element>(
    data: &[T],
    outer: usize,
    rows: usize,
    width: usize,
    indices: &[usize],
) -> Result<Buffer> {
    let n = indices.len();
    Buffer::build(outer * n * width, |out| {
        parallel::fill_rows(out, width, |start, out| {
            for (i, out) in out.chunks_exact_mut(width).enumerate() {
                let row = start / width + i;
                let from = ((row / n) * rows + indices[row % n]) * width;
                out.copy_from_slice(&data[from..from + width]);
            }
        });
    })
}

/// Rows `indices` of the matrix of bytes `data`, `width` wide: each element times `scale` plus
/// `shift`. One pass moves five bytes of memory for an element; a copy of the rows that is
/// converted afterwards would move seven.
///
/// Every index must be less than the number of rows.
pub(crate) fn scaled_rows(
    data: &[u8],
    width: usize,
    indices: &[usize],
    scale: f32,
    shift: f32,
) -> Result<Buffer> {
    Buffer::build(indices.len() * width, |out| {
        parallel::fill_rows(out, width, |start, out| {
            let indices = &indices[start / width..][..out.len() / width];
            fetch(data, width, indices);
            vectorize(|| {
                for (out, &index) in out.chunks_exact_mut(width).zip(indices) {
                    let row = &data[index * width..(index + 1) * width];
                    for (o, &x) in out.iter_mut().zip(row) {
                        *o = f32::from(x) * scale + shift;
                    }
                }
            });
        });
    })
}

/// Brings rows into the cache: touches one byte of each cache line. Rows from all over a large
/// matrix mostly wait for memory, and these reads, unlike the conversion, are so short that the
/// processor has many rows under way at once.
fn fetch(data: &[u8], width: usize, indices: &[usize]) {
    const LINE: usize = 64;
    let mut touched = 0;
    for &index in indices {
        for byte in data[index * width..(index + 1) * width]
            .iter()
            .step_by(LINE)
        {
            touched ^= byte;
        }
    }
    std::hint::black_box(touched);
}

/// The gradient of [`rows`]: zeros with the rows of `grad` added at their indices. An index that
/// occurs several times gathers the sum, in the order of occurrence.
pub(crate) fn add_rows<T: Number>(
    grad: &[T],
    outer: usize,
    rows: usize,
    width: usize,
    indices: &[usize],
) -> Result<Buffer> {
    Buffer::build(outer * rows * width, |out| {
        out.fill(T::ZERO);
        if grad.is_empty() {
            return;
        }
        for (block, grad) in out
            .chunks_exact_mut(rows * width)
            .zip(grad.chunks_exact(indices.len() * width))
        {
            for (&index, grad) in indices.iter().zip(grad.chunks_exact(width)) {
                let row = &mut block[index * width..(index + 1) * width];
                row.iter_mut().zip(grad).for_each(|(o, &g)| *o = o.plus(g));
            }
        }
    })
}
