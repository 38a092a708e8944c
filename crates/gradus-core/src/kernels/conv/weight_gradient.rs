//! The gradient of the weight: for each number of a patch and each output channel a sum over all
//! outputs.
//!
//! A tile is some numbers of the patches by a block of channels, held in registers. For each output
//! one or two vectors of its gradient are loaded and multiplied with those numbers of its patch.
//!
//! For a depthwise convolution it is some taps by a block of channels, and vectors of input channels
//! take the place of single numbers.
//!
//! The outputs are cut into parts with sums of their own, which are added in order at the end.

// Arrays that make a register tile are walked by the same index, by loops that must unroll.
#![allow(clippy::needless_range_loop)]

use super::patches::Patches;
use super::weights::Blocks;
use super::{Axis, Geometry};
use crate::error::Result;
use crate::kernels::matmul::add_parts;
use crate::kernels::simd::{Lane, Simd, WithSimd, run};
use crate::kernels::{View, parallel};
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
    let depthwise = g.groups > 1 && [x, y].iter().all(|x| x.layout.shape[1] == g.groups);
    let groups = if depthwise { 1 } else { g.groups };
    let positions = g.axes.map(|axis| Axis::positions(axis.output));
    let filled = Blocks::new::<T>(y.layout.shape[1] / groups, 0).filled();
    let patches = Patches::new(x, g.axes, groups, if depthwise { filled } else { 0 })?;
    let gradients = Patches::new(y, positions, groups, filled)?;
    // Of a depthwise convolution only where each tap begins.
    let each = if depthwise { x.layout.shape[1] } else { 1 };
    let numbers: Vec<usize> = patches.numbers().into_iter().step_by(each.max(1)).collect();
    let blocks = Blocks::new::<T>(y.layout.shape[1] / groups, numbers.len());
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
    let mut sums = Buffer::new::<T>(numel(&[parts, groups, size])?)?;
    let error = Mutex::new(Ok(()));
    parallel::fill(sums.slice_mut::<T>(), size, |start, sums| {
        let (part, group) = (start / size / groups, start / size % groups);
        let own = parallel::chunk(rows, rows_a_part, part);
        sums.fill(T::ZERO);
        for first in own.clone().step_by(rows_a_block) {
            let rows = first..own.end.min(first + rows_a_block);
            let sources = patches.rows(rows.clone(), group);
            let (x, y) = match sources.and_then(|x| Ok((x, gradients.rows(rows, group)?))) {
                Ok(sources) => sources,
                Err(e) => return *error.lock() = Err(e),
            };
            let tiles = Tiles {
                x: x.data(),
                y: y.data(),
                starts: &x.starts,
                places: &y.starts,
                numbers: &numbers,
                blocks,
                sums,
                plain: !bias.is_empty(),
            };
            if depthwise {
                run(Depthwise(tiles));
            } else {
                run(tiles);
            }
        }
    });
    error.into_inner()?;
    add_parts(sums.slice_mut::<T>(), groups * size);
    let all = sums.slice::<T>().chunks_exact(size).take(groups);
    for (i, sums) in all.enumerate() {
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

/// From a group's packed sums to the weight's own order.
fn unpack<T: Lane>(sums: &[T], out: &mut [T], g: &Geometry, blocks: Blocks) {
    let taps = g.axes[0].kernel * g.axes[1].kernel;
    let channels = blocks.len / taps;
    if channels == 0 {
        // Nothing but sums for the bias.
        return;
    }
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
        self.all::<S, false>(simd);
    }
}

/// The same for vectors of input channels.
struct Depthwise<'a, T>(Tiles<'a, T>);

impl<T: Lane> WithSimd for Depthwise<'_, T> {
    type Output = ();
    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        self.0.all::<S, true>(simd);
    }
}

impl<T: Lane> Tiles<'_, T> {
    /// All sums, in tiles as large as there are registers for.
    #[inline(always)]
    fn all<S: Simd, const DEPTHWISE: bool>(&mut self, simd: S) {
        if S::REGISTER_COUNT >= 32 {
            self.in_tiles::<S, DEPTHWISE, 12, 9, 6, 3>(simd);
        } else {
            self.in_tiles::<S, DEPTHWISE, 6, 4, 3, 2>(simd);
        }
        if self.plain {
            let sums = &mut self.sums[self.blocks.size()..][..self.blocks.channels];
            for &place in self.places {
                let y = &self.y[place..][..sums.len()];
                sums.iter_mut().zip(y).for_each(|(sum, &y)| *sum = *sum + y);
            }
        }
    }

    /// All numbers in tiles of `A`, the last ones in a smaller tile.
    #[inline(always)]
    fn in_tiles<
        S: Simd,
        const DEPTHWISE: bool,
        const A: usize,
        const B: usize,
        const C: usize,
        const D: usize,
    >(
        &mut self,
        simd: S,
    ) {
        for first in (0..self.numbers.len()).step_by(A) {
            match self.numbers.len() - first {
                n if n <= D => self.tile::<S, DEPTHWISE, D>(simd, first),
                n if n <= C => self.tile::<S, DEPTHWISE, C>(simd, first),
                n if n <= B => self.tile::<S, DEPTHWISE, B>(simd, first),
                _ => self.tile::<S, DEPTHWISE, A>(simd, first),
            }
        }
    }

    #[inline(always)]
    fn tile<S: Simd, const DEPTHWISE: bool, const M: usize>(&mut self, simd: S, first: usize) {
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
            let (channel, at) = (block.first, block.start + first * width);
            match (block.vectors, side_by_side && !DEPTHWISE) {
                (2, true) => self.add::<S, DEPTHWISE, true, M, 2>(simd, channel, at, n, &numbers),
                (2, false) => self.add::<S, DEPTHWISE, false, M, 2>(simd, channel, at, n, &numbers),
                (_, true) => self.add::<S, DEPTHWISE, true, M, 1>(simd, channel, at, n, &numbers),
                (_, false) => self.add::<S, DEPTHWISE, false, M, 1>(simd, channel, at, n, &numbers),
            }
        }
    }

    /// Adds the products of all outputs to the sums from `at` on: `n` numbers of the patches by `V`
    /// vectors of channels from `channel` on. If the numbers are side by side, only the first one's
    /// position is looked at.
    #[inline(always)]
    fn add<
        S: Simd,
        const DEPTHWISE: bool,
        const SIDE_BY_SIDE: bool,
        const M: usize,
        const V: usize,
    >(
        &mut self,
        simd: S,
        channel: usize,
        at: usize,
        n: usize,
        numbers: &[usize; M],
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
        let mut reach = 0;
        for m in 0..M {
            let more = if DEPTHWISE { channel + width } else { 1 };
            reach = reach.max(numbers[m] + more);
        }
        let outputs = self.starts.len();
        let places = &self.places[..outputs];
        for i in 0..outputs {
            let (start, place) = (self.starts[i], places[i]);
            let x = &self.x[start..][..reach];
            let y = &self.y[place + channel..][..width];
            let mut gradient = [zero; V];
            for v in 0..V {
                // SAFETY: `width` numbers are there. What belongs to other channels ends in sums of
                // which nobody takes notice.
                gradient[v] = unsafe { T::load(simd, y.as_ptr().add(v * lanes)) };
            }
            for m in 0..M {
                let at = if SIDE_BY_SIDE {
                    numbers[0] + m
                } else {
                    numbers[m]
                };
                // SAFETY: `reach` goes beyond the furthest number; in a depthwise convolution, by the
                // vectors of these channels.
                unsafe {
                    let x = x.as_ptr().add(at);
                    let number = T::splat(simd, *x);
                    for v in 0..V {
                        let x = if DEPTHWISE {
                            T::load(simd, x.add(channel + v * lanes))
                        } else {
                            number
                        };
                        sums[m][v] = T::mul_add(simd, x, gradient[v], sums[m][v]);
                    }
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
