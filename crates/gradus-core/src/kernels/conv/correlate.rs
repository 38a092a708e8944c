//! The product of patches with weights: a convolution, and the parts of a transposed one.
//!
//! A tile is some outputs by a block of channels, held in registers. For each number of the patches
//! one or two vectors of weights are loaded, and one number of each output's patch is multiplied
//! with them.

use super::patches::Patches;
use super::weights::{Block, Blocks, Weights};
use super::{Axis, Target, bias_of};
use crate::error::Result;
use crate::kernels::View;
use crate::kernels::parallel::{self, Shared};
use crate::kernels::simd::{Lane, Simd, WithSimd, run};
use parking_lot::Mutex;
use std::ops::Range;

/// Multiplications worth a task of their own.
const WORK_A_TASK: usize = 1 << 21;
/// Numbers that a task may copy.
const SCRATCH: usize = 1 << 16;

/// Writes conv(x, w) + b to the places of `target`. There are outputs, and `w` has weights.
///
/// # Errors
/// If there is no memory for copies of rows and weights.
pub(super) fn correlate<T: Lane>(
    out: &mut [T],
    target: Target,
    x: View<'_, T>,
    w: &Weights<'_, T>,
    bias: Option<View<'_, T>>,
    axes: [Axis; 2],
) -> Result<()> {
    let patches = Patches::new(x, axes, w.groups)?;
    let blocks = Blocks::new::<T>(w.layout.shape[0], patches.len());
    let weights = w.pack(blocks)?;
    // Filled up like the weights.
    let mut biases = vec![T::ZERO; blocks.padded() * w.groups];
    if let Some(bias) = bias {
        let mut numbers = (0..).map(|c| bias_of(bias, c));
        for group in biases.chunks_exact_mut(blocks.padded()) {
            let own = group[..blocks.channels].iter_mut();
            own.zip(&mut numbers)
                .for_each(|(out, number)| *out = number);
        }
    }
    let rows = x.layout.shape[0] * axes[0].output;
    let rows_a_task = rows_a_task(&patches, axes, blocks.channels, rows);
    let last = target.place(x.layout.shape[0] - 1, axes.map(|axis| axis.output - 1));
    assert!(
        last + blocks.channels * w.groups <= out.len(),
        "conv: result"
    );
    let out = Shared(out.as_mut_ptr());
    let error = Mutex::new(Ok(()));
    parallel::run(rows.div_ceil(rows_a_task) * w.groups, |task| {
        let (group, cut) = (task % w.groups, task / w.groups);
        let rows = parallel::chunk(rows, rows_a_task, cut);
        let part = match patches.rows(rows.clone(), group) {
            Ok(part) => part,
            Err(e) => return *error.lock() = Err(e),
        };
        run(Tiles {
            patches: &patches,
            data: part.data(),
            starts: &part.starts,
            places: &target.places(rows.clone(), axes),
            rows,
            columns: axes[1].output,
            weights: &weights.slice::<T>()[group * blocks.size()..][..blocks.size()],
            bias: &biases[group * blocks.padded()..][..blocks.padded()],
            blocks,
            // SAFETY: the group's channels of each output lie within the result (asserted above).
            out: unsafe { out.get().add(group * blocks.channels) },
        });
    });
    error.into_inner()
}

/// How many rows of outputs a task has; follows from sizes alone.
fn rows_a_task<T: Lane>(
    patches: &Patches<'_, T>,
    axes: [Axis; 2],
    channels: usize,
    rows: usize,
) -> usize {
    let [down, across] = axes;
    // Writing a number costs about as much as some multiplications.
    let each = channels.saturating_mul(patches.len() + 16);
    let by_work = WORK_A_TASK / across.output.saturating_mul(each).max(1);
    let n = by_work.min(SCRATCH / patches.row_len().max(1));
    // Whole images where that is about as much: fewer rows are copied twice.
    let n = match n / down.output {
        0 if 2 * n > down.output => down.output,
        0 => n,
        images => images * down.output,
    };
    n.clamp(1, rows)
}

/// The tiles of a task.
struct Tiles<'a, T> {
    patches: &'a Patches<'a, T>,
    data: &'a [T],
    /// Where each output's patch begins, and where the output's channels go.
    starts: &'a [usize],
    places: &'a [usize],
    rows: Range<usize>,
    /// Outputs of a row.
    columns: usize,
    weights: &'a [T],
    bias: &'a [T],
    blocks: Blocks,
    out: *mut T,
}

impl<T: Lane> WithSimd for Tiles<'_, T> {
    type Output = ();
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        if S::REGISTER_COUNT >= 32 {
            self.all::<S, 14, 7, 3>(simd);
        } else {
            self.all::<S, 6, 4, 2>(simd);
        }
    }
}

impl<T: Lane> Tiles<'_, T> {
    /// All outputs in tiles of `L`, the last ones in a smaller tile.
    #[inline(always)]
    fn all<S: Simd, const L: usize, const M: usize, const N: usize>(&self, simd: S) {
        for first in (0..self.starts.len()).step_by(L) {
            match self.starts.len() - first {
                n if n <= N => self.tile::<S, N>(simd, first),
                n if n <= M => self.tile::<S, M>(simd, first),
                _ => self.tile::<S, L>(simd, first),
            }
        }
    }

    /// The outputs from `first` on, up to `M` of them; of fewer the last one is computed repeatedly.
    #[inline(always)]
    fn tile<S: Simd, const M: usize>(&self, simd: S, first: usize) {
        let places = &self.places[first..self.places.len().min(first + M)];
        let last = first + places.len() - 1;
        let starts: [usize; M] = std::array::from_fn(|i| self.starts[(first + i).min(last)]);
        let row = |output: usize| self.rows.start + output / self.columns;
        let runs = self.patches.runs_within(row(first)..row(last) + 1);
        let reach = self.patches.reach();
        assert!(
            starts.iter().all(|start| start + reach <= self.data.len()),
            "conv: patch"
        );
        for block in self.blocks.iter() {
            let weights = &self.weights[block.start..];
            let bias = &self.bias[block.first..];
            if block.vectors == 2 {
                let sums = self.sums::<S, M, 2>(simd, weights, bias, &starts, runs.clone());
                self.write(simd, block, &sums, places);
            } else {
                let sums = self.sums::<S, M, 1>(simd, weights, bias, &starts, runs.clone());
                self.write(simd, block, &sums, places);
            }
        }
    }

    /// A tile's sums over these runs. The patches lie within the data.
    #[inline(always)]
    fn sums<S: Simd, const M: usize, const V: usize>(
        &self,
        simd: S,
        weights: &[T],
        bias: &[T],
        starts: &[usize; M],
        runs: Range<usize>,
    ) -> [[T::V<S>; V]; M] {
        let (lanes, len) = (T::lanes::<S>(), self.patches.run);
        let width = V * lanes;
        let weights = &weights[..width * self.blocks.len];
        let bias = &bias[..width];
        // SAFETY: `width` numbers are there.
        let bias = std::array::from_fn(|v| unsafe { T::load(simd, bias.as_ptr().add(v * lanes)) });
        let mut sums = [bias; M];
        for (r, &run) in self.patches.runs[runs.clone()].iter().enumerate() {
            let k = (runs.start + r) * len;
            let patches = starts.map(|start| self.data.as_ptr().wrapping_add(start + run));
            let weights = weights[k * width..][..len * width].as_ptr();
            for k in 0..len {
                // SAFETY: runs are parts of patches, which lie within the data (asserted in `tile`); the
                // weights are a slice of `len` times `width` numbers.
                unsafe {
                    let w: [_; V] =
                        std::array::from_fn(|v| T::load(simd, weights.add(k * width + v * lanes)));
                    for m in 0..M {
                        let x = T::splat(simd, *patches[m].add(k));
                        for v in 0..V {
                            sums[m][v] = T::mul_add(simd, x, w[v], sums[m][v]);
                        }
                    }
                }
            }
        }
        sums
    }

    #[inline(always)]
    fn write<S: Simd, const V: usize>(
        &self,
        simd: S,
        block: Block,
        sums: &[[T::V<S>; V]],
        places: &[usize],
    ) {
        let lanes = T::lanes::<S>();
        for (sums, &place) in sums.iter().zip(places) {
            // SAFETY: `correlate` has asserted that the channels of every output lie within the
            // result, no two outputs of its tasks have one in common, and nobody reads meanwhile.
            let out = unsafe {
                std::slice::from_raw_parts_mut(self.out.add(place + block.first), block.channels)
            };
            for (out, &sum) in out.chunks_mut(lanes).zip(sums) {
                if out.len() == lanes {
                    // SAFETY: as long as a vector.
                    unsafe { T::store(simd, out.as_mut_ptr(), sum) };
                } else {
                    T::store_part(simd, out, sum);
                }
            }
        }
    }
}
