//! Elements and rows by position: out of a tensor, and into one.

use super::{parallel, vectorize};
use crate::dtype::Element;
use crate::error::{Result, err};
use crate::shape::Layout;
use crate::storage::Buffer;
use std::ops::Range;

/// Places in a storage: the sums of one offset of each kind, those of `inner` varying fastest.
/// Sums wrap, because an offset is negative where a stride is.
pub(crate) struct Places {
    outer: Vec<usize>,
    at: Vec<usize>,
    inner: Inner,
}

/// What lies at each position that was picked: as many elements side by side, or some apart.
enum Inner {
    Dense(usize),
    Apart(Vec<usize>),
}

impl Places {
    /// The elements of `view` at the positions `at` of the dimensions `picked`, which count as one
    /// long dimension; all of the dimensions before and after them.
    ///
    /// Every position must be less than the product of the sizes of `picked`.
    pub(crate) fn new(view: &Layout, picked: Range<usize>, at: &[usize]) -> Result<Self> {
        let part = |range: Range<usize>, offset: usize| Layout {
            shape: view.shape[range.clone()].into(),
            strides: view.strides[range].into(),
            offset,
        };
        let inner = part(picked.end..view.rank(), 0);
        let around = view.shape[..picked.start].iter().chain(&inner.shape);
        if at.is_empty() || around.copied().any(|n| n == 0) {
            return Ok(Self {
                outer: Vec::new(),
                at: Vec::new(),
                inner: Inner::Dense(0),
            });
        }
        let (sizes, [steps]) = Layout::coalesce([&part(picked.clone(), 0)]);
        let mut offsets = room(at.len())?;
        if let (&[_], &[step]) = (sizes.as_slice(), steps.as_slice()) {
            offsets.extend(at.iter().map(|&i| i.wrapping_mul(step as usize)));
        } else {
            offsets.extend(at.iter().map(|&i| {
                let mut rest = i;
                sizes
                    .iter()
                    .zip(&steps)
                    .rev()
                    .fold(0, |sum: usize, (&n, &step)| {
                        let i = rest % n;
                        rest /= n;
                        sum.wrapping_add(i.wrapping_mul(step as usize))
                    })
            }));
        }
        Ok(Self {
            outer: offsets_of(&part(0..picked.start, view.offset))?,
            at: offsets,
            inner: if inner.is_contiguous() {
                Inner::Dense(inner.numel())
            } else {
                Inner::Apart(offsets_of(&inner)?)
            },
        })
    }

    fn width(&self) -> usize {
        match &self.inner {
            Inner::Dense(width) => *width,
            Inner::Apart(offsets) => offsets.len(),
        }
    }

    fn len(&self) -> usize {
        self.outer.len() * self.at.len() * self.width()
    }
}

/// Where each element of `layout` lies, in row-major order.
pub(crate) fn offsets_of(layout: &Layout) -> Result<Vec<usize>> {
    if layout.shape.contains(&0) {
        return Ok(Vec::new());
    }
    let mut offsets = vec![layout.offset];
    for (&n, &step) in layout.shape.iter().zip(&layout.strides) {
        let mut finer = room(offsets.len().saturating_mul(n))?;
        for at in offsets {
            finer.extend((0..n).map(|i| at.wrapping_add(i.wrapping_mul(step as usize))));
        }
        offsets = finer;
    }
    Ok(offsets)
}

/// An empty vector with room for `n` items, such as positions.
pub(crate) fn room<T>(n: usize) -> Result<Vec<T>> {
    let mut positions = Vec::new();
    positions.try_reserve_exact(n).map_err(|_| {
        err!(
            Memory,
            "cannot allocate {n} positions: the system is out of memory"
        )
    })?;
    Ok(positions)
}

/// The elements of `data` at `places`, in their order.
pub(crate) fn gather<T: Element>(data: &[T], places: &Places) -> Result<Buffer> {
    let (width, n) = (places.width(), places.at.len());
    Buffer::build(places.len(), |out| {
        parallel::fill_rows(out, width, |start, mut out| {
            let mut row = start / width;
            // Rows under one outer offset together.
            while !out.is_empty() {
                let (outer, at) = (places.outer[row / n], &places.at[row % n..]);
                let rows = at.len().min(out.len() / width);
                let (now, later) = out.split_at_mut(rows * width);
                gather_rows(data, outer, &at[..rows], &places.inner, now);
                (row, out) = (row + rows, later);
            }
        });
    })
}

fn gather_rows<T: Element>(data: &[T], outer: usize, at: &[usize], inner: &Inner, out: &mut [T]) {
    let starts = at.iter().map(|at| outer.wrapping_add(*at));
    match inner {
        Inner::Dense(1) => out.iter_mut().zip(starts).for_each(|(o, i)| *o = data[i]),
        Inner::Dense(width) => {
            for (out, i) in out.chunks_exact_mut(*width).zip(starts) {
                out.copy_from_slice(&data[i..i + width]);
            }
        }
        Inner::Apart(offsets) => {
            for (out, i) in out.chunks_exact_mut(offsets.len()).zip(starts) {
                let from = offsets.iter().map(|offset| i.wrapping_add(*offset));
                out.iter_mut().zip(from).for_each(|(o, i)| *o = data[i]);
            }
        }
    }
}

/// Changes the elements of `target` at `places`, one after the other: each becomes `f` of itself
/// and of its value. On one thread, because a place may occur several times.
pub(crate) fn scatter<T: Element>(
    target: &mut [T],
    places: &Places,
    values: &[T],
    f: impl Fn(T, T) -> T,
) {
    let width = places.width();
    if values.is_empty() {
        return;
    }
    let mut rows = values.chunks_exact(width);
    for outer in &places.outer {
        for (at, values) in places.at.iter().zip(&mut rows) {
            let start = outer.wrapping_add(*at);
            match &places.inner {
                Inner::Dense(width) => {
                    let row = &mut target[start..start + width];
                    row.iter_mut().zip(values).for_each(|(o, &x)| *o = f(*o, x));
                }
                Inner::Apart(offsets) => {
                    for (offset, &x) in offsets.iter().zip(values) {
                        let place = &mut target[start.wrapping_add(*offset)];
                        *place = f(*place, x);
                    }
                }
            }
        }
    }
}

/// Rows `indices` of the matrix of bytes `data`, `width` wide and cut into as many equal parts as
/// `affine` has pairs: each element times the scale of its part plus its shift. One pass moves five
/// bytes of memory for an element; a copy of the rows that is converted afterwards would move seven.
///
/// Every index must be less than the number of rows.
pub(crate) fn scaled_rows(
    data: &[u8],
    width: usize,
    indices: &[usize],
    affine: &[(f32, f32)],
) -> Result<Buffer> {
    let part = (width / affine.len().max(1)).max(1);
    Buffer::build(indices.len() * width, |out| {
        parallel::fill_rows(out, width, |start, out| {
            let indices = &indices[start / width..][..out.len() / width];
            fetch(data, width, indices);
            vectorize(|| {
                for (out, &index) in out.chunks_exact_mut(width).zip(indices) {
                    let row = &data[index * width..(index + 1) * width];
                    let parts = out.chunks_exact_mut(part).zip(row.chunks_exact(part));
                    for ((out, row), &(scale, shift)) in parts.zip(affine) {
                        for (o, &x) in out.iter_mut().zip(row) {
                            *o = f32::from(x) * scale + shift;
                        }
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
