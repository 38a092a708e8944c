//! The product of patches with weights: a convolution, and the parts of a transposed one.
//!
//! A tile is some outputs by a block of channels, held in registers. For each number of the patches
//! one or two vectors of weights are loaded, and one number of each output's patch is multiplied
//! with them.

use super::patches::Patches;
use super::weights::{Blocks, MAX_WIDTH, Weights};
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
            reach: patches.reach(),
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
    /// From where a patch begins to its furthest end.
    reach: usize,
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
    ///
    /// Plain loops over constants, here and wherever vectors are held: a call of a function that is
    /// not compiled for these vectors, or an index that is not known, would put them into memory.
    #[inline(always)]
    fn tile<S: Simd, const M: usize>(&self, simd: S, first: usize) {
        let last = self.starts.len().min(first + M) - 1;
        let row = |output: usize| self.rows.start + output / self.columns;
        let runs = self.patches.runs_within(row(first)..row(last) + 1);
        let (mut starts, mut places) = ([0; M], [0; M]);
        for m in 0..M {
            let output = (first + m).min(last);
            (starts[m], places[m]) = (self.starts[output], self.places[output]);
            assert!(starts[m] + self.reach <= self.data.len(), "conv: patch");
        }
        for block in self.blocks.iter() {
            let weights = &self.weights[block.start..];
            let bias = &self.bias[block.first..];
            let width = block.vectors * T::lanes::<S>();
            let mut scratch = [[T::ZERO; MAX_WIDTH]; M];
            let mut out = [self.out; M];
            let full = block.channels == width;
            for m in 0..M {
                out[m] = if full {
                    // SAFETY: `correlate` has asserted that all channels of each output lie within
                    // the result.
                    unsafe { self.out.add(places[m] + block.first) }
                } else {
                    scratch[m].as_mut_ptr()
                };
            }
            // SAFETY: the patches lie within the data (asserted above). There are as many numbers as
            // vectors have from each place in the result, of which no other tile has one and which
            // nobody reads meanwhile, or from the start of each row of the scratch.
            unsafe {
                if block.vectors == 2 {
                    self.sums::<S, M, 2>(simd, weights, bias, &starts, runs.clone(), &out);
                } else {
                    self.sums::<S, M, 1>(simd, weights, bias, &starts, runs.clone(), &out);
                }
            }
            if !full {
                for m in 0..M {
                    // SAFETY: as above, for the channels that there are.
                    unsafe {
                        let out = self.out.add(places[m] + block.first);
                        out.copy_from_nonoverlapping(scratch[m].as_ptr(), block.channels);
                    }
                }
            }
        }
    }

    /// Writes a tile's sums over these runs.
    ///
    /// # Safety
    /// The patches must lie within the data, and `V` vectors may be written from each of `out`.
    #[inline(always)]
    unsafe fn sums<S: Simd, const M: usize, const V: usize>(
        &self,
        simd: S,
        weights: &[T],
        bias: &[T],
        starts: &[usize; M],
        runs: Range<usize>,
        out: &[*mut T; M],
    ) {
        let (lanes, len) = (T::lanes::<S>(), self.patches.run);
        let width = V * lanes;
        let weights = &weights[..width * self.blocks.len];
        let bias = &bias[..width];
        let mut first = [T::splat(simd, T::ZERO); V];
        for v in 0..V {
            // SAFETY: `width` numbers are there.
            first[v] = unsafe { T::load(simd, bias.as_ptr().add(v * lanes)) };
        }
        let mut sums = [first; M];
        for r in runs {
            let mut patches = [self.data.as_ptr(); M];
            for m in 0..M {
                patches[m] = patches[m].wrapping_add(starts[m] + self.patches.runs[r]);
            }
            let weights = weights[r * len * width..][..len * width].as_ptr();
            for k in 0..len {
                // SAFETY: runs are parts of patches, which lie within the data (the caller's promise);
                // the weights are a slice of `len` times `width` numbers.
                unsafe {
                    let mut w = first;
                    for v in 0..V {
                        w[v] = T::load(simd, weights.add(k * width + v * lanes));
                    }
                    for m in 0..M {
                        let x = T::splat(simd, *patches[m].add(k));
                        for v in 0..V {
                            sums[m][v] = T::mul_add(simd, x, w[v], sums[m][v]);
                        }
                    }
                }
            }
        }
        for m in 0..M {
            for v in 0..V {
                // SAFETY: the caller's promise.
                unsafe { T::store(simd, out[m].add(v * lanes), sums[m][v]) };
            }
        }
    }
}
