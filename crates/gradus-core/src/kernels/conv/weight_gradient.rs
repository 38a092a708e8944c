//! The gradient of the weight: for each number of a patch and each output channel a sum over all
//! outputs.
//!
//! A tile is some numbers of the patches by a block of channels, held in registers. For each output
//! one or two vectors of its gradient are loaded and multiplied with those numbers of its patch.
//!
//! The outputs are cut into parts with sums of their own, which are added in order at the end.

use super::patches::Patches;
use super::weights::Blocks;
use super::{Axis, Geometry};
use crate::error::Result;
use crate::kernels::simd::{Lane, Simd, WithSimd, run};
use crate::kernels::{View, parallel, vectorize};
use crate::shape::numel;
use crate::storage::Buffer;
use parking_lot::Mutex;

/// At most this many parts, of at least so many outputs and multiplications.
const PARTS: usize = 16;
const OUTPUTS_A_PART: usize = 256;
const WORK_A_PART: usize = 1 << 20;
/// Numbers of inputs and gradients that are gone through again and again.
const BLOCK: usize = 1 << 16;

/// The gradient `[o, c / groups, kh, kw]` of the weight, row-major, from x and the gradient y; and
/// that of the bias, if `bias` has room for it.
///
/// # Errors
/// If there is no memory for the sums and for copies of rows.
pub(super) fn weight_gradient<T: Lane>(
    out: &mut [T],
    bias: &mut [T],
    g: &Geometry,
    x: View<'_, T>,
    y: View<'_, T>,
) -> Result<()> {
    let [down, across] = g.axes;
    let patches = Patches::new(x, g.axes, g.groups)?;
    let gradients = Patches::new(y, g.axes.map(|axis| Axis::positions(axis.output)), g.groups)?;
    let blocks = Blocks::new::<T>(y.layout.shape[1] / g.groups, patches.len());
    let rows = x.layout.shape[0] * down.output;
    let outputs = rows * across.output;
    let work = outputs.saturating_mul(blocks.size());
    let parts = (outputs / OUTPUTS_A_PART)
        .min(work / WORK_A_PART)
        .clamp(1, PARTS);
    // A power of two, so that two, four or eight threads have equal shares.
    let rows_a_part = rows.div_ceil(1 << parts.ilog2());
    let parts = rows.div_ceil(rows_a_part);
    // The sums of a group, and behind them those of the output's gradients alone.
    let size = blocks.size() + blocks.padded();
    let each = patches.row_len() + gradients.row_len();
    let rows_a_block = (BLOCK / each.max(1)).clamp(1, rows_a_part);
    let mut sums = Buffer::new::<T>(numel(&[parts, g.groups, size])?)?;
    let error = Mutex::new(Ok(()));
    parallel::fill(sums.slice_mut::<T>(), size, |start, sums| {
        let (part, group) = (start / size / g.groups, start / size % g.groups);
        let own = parallel::chunk(rows, rows_a_part, part);
        sums.fill(T::ZERO);
        for first in own.clone().step_by(rows_a_block) {
            let rows = first..own.end.min(first + rows_a_block);
            let sources = patches.rows(rows.clone(), group);
            let (x, y) = match sources.and_then(|x| Ok((x, gradients.rows(rows, group)?))) {
                Ok(sources) => sources,
                Err(e) => return *error.lock() = Err(e),
            };
            run(Tiles {
                x: x.data(),
                y: y.data(),
                starts: &x.starts,
                places: &y.starts,
                numbers: &patches.numbers(),
                blocks,
                sums,
                plain: !bias.is_empty(),
            });
        }
    });
    error.into_inner()?;
    add_parts(sums.slice_mut::<T>(), g.groups * size);
    let groups = sums.slice::<T>().chunks_exact(size).take(g.groups);
    for (i, sums) in groups.enumerate() {
        let (weights, plain) = sums.split_at(blocks.size());
        let channels = i * blocks.channels..(i + 1) * blocks.channels;
        if let Some(bias) = bias.get_mut(channels.clone()) {
            bias.copy_from_slice(&plain[..blocks.channels]);
        }
        unpack(
            weights,
            &mut out[channels.start * blocks.len..channels.end * blocks.len],
            g,
            blocks,
        );
    }
    Ok(())
}

/// Adds all parts to the first, in order.
fn add_parts<T: Lane>(sums: &mut [T], size: usize) {
    let (first, others) = sums.split_at_mut(size);
    parallel::fill(first, parallel::GRAIN / 4, |start, first| {
        for part in others.chunks_exact(size) {
            let part = &part[start..][..first.len()];
            vectorize(|| {
                first
                    .iter_mut()
                    .zip(part)
                    .for_each(|(sum, &x)| *sum = *sum + x);
            });
        }
    });
}

/// From a group's packed sums to the weight's own order.
fn unpack<T: Lane>(sums: &[T], out: &mut [T], g: &Geometry, blocks: Blocks) {
    let taps = g.axes[0].kernel * g.axes[1].kernel;
    let channels = blocks.len / taps;
    for block in blocks.iter() {
        let width = block.vectors * blocks.lanes;
        for o in 0..block.channels {
            let sums = sums[block.start + o..].iter().step_by(width);
            let out = &mut out[(block.first + o) * blocks.len..][..blocks.len];
            for (i, &sum) in sums.take(blocks.len).enumerate() {
                out[i % channels * taps + i / channels] = sum;
            }
        }
    }
}

/// The tiles of a block of outputs.
struct Tiles<'a, T> {
    x: &'a [T],
    y: &'a [T],
    /// Where each output's patch begins, and its gradient.
    starts: &'a [usize],
    places: &'a [usize],
    /// Where the numbers of a patch are.
    numbers: &'a [usize],
    blocks: Blocks,
    sums: &'a mut [T],
    /// Whether the gradients themselves are added up too.
    plain: bool,
}

impl<T: Lane> WithSimd for Tiles<'_, T> {
    type Output = ();
    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        if S::REGISTER_COUNT >= 32 {
            self.all::<S, 12, 9, 6, 3>(simd);
        } else {
            self.all::<S, 6, 4, 3, 2>(simd);
        }
        if self.plain {
            let sums = &mut self.sums[self.blocks.size()..][..self.blocks.channels];
            for &place in self.places {
                let y = &self.y[place..][..sums.len()];
                sums.iter_mut().zip(y).for_each(|(sum, &y)| *sum = *sum + y);
            }
        }
    }
}

impl<T: Lane> Tiles<'_, T> {
    /// All numbers in tiles of `A`, the last ones in a smaller tile.
    #[inline(always)]
    fn all<S: Simd, const A: usize, const B: usize, const C: usize, const D: usize>(
        &mut self,
        simd: S,
    ) {
        for first in (0..self.numbers.len()).step_by(A) {
            match self.numbers.len() - first {
                n if n <= D => self.tile::<S, D>(simd, first),
                n if n <= C => self.tile::<S, C>(simd, first),
                n if n <= B => self.tile::<S, B>(simd, first),
                _ => self.tile::<S, A>(simd, first),
            }
        }
    }

    #[inline(always)]
    fn tile<S: Simd, const M: usize>(&mut self, simd: S, first: usize) {
        let n = M.min(self.numbers.len() - first);
        let mut numbers = [0; M];
        for m in 0..M {
            numbers[m] = self.numbers[first + m.min(n - 1)];
        }
        let mut side_by_side = true;
        for m in 0..M {
            side_by_side &= numbers[m] == numbers[0] + m;
        }
        for block in self.blocks.iter() {
            let width = block.vectors * T::lanes::<S>();
            let at = block.start + first * width;
            match (block.vectors, side_by_side) {
                (2, true) => self.add::<S, M, 2>(simd, block.first, at, n, |i| numbers[0] + i),
                (2, false) => self.add::<S, M, 2>(simd, block.first, at, n, |i| numbers[i]),
                (_, true) => self.add::<S, M, 1>(simd, block.first, at, n, |i| numbers[0] + i),
                (_, false) => self.add::<S, M, 1>(simd, block.first, at, n, |i| numbers[i]),
            }
        }
    }

    /// Adds the products of all outputs to the sums from `at` on: `n` numbers of the patches, of
    /// which number `i` is at `number(i)`, by `V` vectors of channels from `channel` on.
    #[inline(always)]
    fn add<S: Simd, const M: usize, const V: usize>(
        &mut self,
        simd: S,
        channel: usize,
        at: usize,
        n: usize,
        number: impl Fn(usize) -> usize,
    ) {
        let lanes = T::lanes::<S>();
        let width = V * lanes;
        let out = &mut self.sums[at..][..n * width];
        let mut rows = [out.as_mut_ptr(); M];
        let zero = T::splat(simd, T::ZERO);
        let mut sums = [[zero; V]; M];
        for m in 0..M {
            // What there is less than `M` is what the last one is, computed repeatedly.
            rows[m] = rows[m].wrapping_add(m.min(n - 1) * width);
            for v in 0..V {
                // SAFETY: row `n` − 1 is the last one in `out`, and has `V` vectors.
                sums[m][v] = unsafe { T::load(simd, rows[m].add(v * lanes)) };
            }
        }
        let mut furthest = 0;
        for m in 0..M {
            furthest = furthest.max(number(m));
        }
        let outputs = self.starts.len();
        let places = &self.places[..outputs];
        for i in 0..outputs {
            let (start, place) = (self.starts[i], places[i]);
            let x = &self.x[start..];
            assert!(furthest < x.len());
            let y = &self.y[place + channel..];
            let mut gradient = [zero; V];
            for v in 0..V {
                let rest = &y[(v * lanes).min(y.len())..];
                gradient[v] = if rest.len() >= lanes {
                    // SAFETY: a vector's length is there. What belongs to other channels ends in sums
                    // of which nobody takes notice.
                    unsafe { T::load(simd, rest.as_ptr()) }
                } else {
                    T::load_part(simd, rest)
                };
            }
            for m in 0..M {
                // SAFETY: no number lies further than `furthest`, which is within the patch.
                let x = T::splat(simd, unsafe { *x.as_ptr().add(number(m)) });
                for v in 0..V {
                    sums[m][v] = T::mul_add(simd, x, gradient[v], sums[m][v]);
                }
            }
        }
        for m in 0..M {
            for v in 0..V {
                // SAFETY: as above; nobody else has a reference to `out`.
                unsafe { T::store(simd, rows[m].add(v * lanes), sums[m][v]) };
            }
        }
    }
}
