//! The product of patches with weights: a convolution, and the parts of a transposed one.
//!
//! A tile is some outputs by a block of channels, held in registers. For each number of the patches
//! one or two vectors of weights are loaded, and one number of each output's patch is multiplied
//! with them. Patches are read where they are: with channels last, a row of the kernel meets numbers
//! that lie side by side. What lies beyond the borders is left out, or read from a row of zeros where
//! the outputs of a tile miss different taps.
//!
//! Where each group has one channel, on both sides (a depthwise convolution), vectors of input
//! channels take the place of single numbers, each multiplied with its own channel's weight.

// Arrays that make a register tile are walked by the same index, by loops that must unroll.
#![allow(clippy::needless_range_loop)]

use super::outputs::{Group, Outputs};
use super::weights::{Block, Blocks, MAX_WIDTH, Weights};
use super::{Axis, Finish, Target, bias_of};
use crate::error::Result;
use crate::kernels::View;
use crate::kernels::parallel::{self, Shared};
use crate::kernels::simd::{Lane, Simd, WithSimd, run};
use std::ops::Range;

/// Multiplications of a task: as many as these where that leaves enough tasks, and never much fewer
/// than those.
const WORK_A_TASK: usize = 1 << 23;
const LEAST_WORK: usize = 1 << 19;
const TASKS: usize = 16;
/// Numbers of the result that a task completes where that is done at the end.
const FINISH_A_TASK: usize = 1 << 14;

/// Writes conv(x, w) + b to the places of `target`, completed by `finish`, for which they must have no
/// gaps between them. There are outputs, `x` has its channels side by side, and `w` has weights.
///
/// # Errors
/// If there is no memory for copies of the weights.
pub(super) fn correlate<T: Lane>(
    out: &mut [T],
    target: Target,
    x: View<'_, T>,
    w: &Weights<'_, T>,
    bias: Option<View<'_, T>>,
    axes: [Axis; 2],
    finish: Option<Finish<'_, T>>,
) -> Result<()> {
    let [down, across] = axes;
    let images = x.layout.shape[0];
    let depthwise = w.depthwise();
    let w = depthwise.as_ref().unwrap_or(w);
    let blocks = Blocks::new::<T>(w.layout.shape[0], w.patch());
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
    let last = target.place(images - 1, axes.map(|axis| axis.output - 1));
    assert!(
        last + blocks.channels * w.groups <= out.len(),
        "conv: result"
    );
    let slack = if depthwise.is_some() {
        blocks.filled()
    } else {
        0
    };
    let len = x.data.len().saturating_sub(slack);
    assert!(x.layout.lies_within(len), "conv: input");
    let channels = if depthwise.is_some() {
        blocks.channels
    } else {
        w.layout.shape[1]
    };
    let zeros = vec![T::ZERO; blocks.padded().max(channels)];
    let columns = Group::all(&across, 0..across.output);
    let rows = images * down.output;
    let rows_a_task = rows_a_task(axes, blocks, rows);
    let row_len = across.output * blocks.channels * w.groups;
    assert!(
        finish.is_none()
            || target.is_dense(axes.map(|axis| axis.output), blocks.channels * w.groups),
        "conv: gaps in a result to be completed"
    );
    let whole = out;
    let out = Shared(whole.as_mut_ptr());
    parallel::run(rows.div_ceil(rows_a_task) * w.groups, |task| {
        let (group, cut) = (task % w.groups, task / w.groups);
        let rows = parallel::chunk(rows, rows_a_task, cut);
        let own = target.first + rows.start * row_len..target.first + rows.end * row_len;
        let outputs = Outputs::new(rows, &columns, axes, x.layout, &target);
        let tiles = Tiles {
            outputs: &outputs,
            data: x.data.get(group * channels..).unwrap_or_default(),
            zeros: &zeros,
            channels,
            steps: [
                (down.dilation as isize).wrapping_mul(x.layout.strides[2]),
                (across.dilation as isize).wrapping_mul(x.layout.strides[3]),
            ],
            taps: across.kernel,
            weights: &weights.slice::<T>()[group * blocks.size()..][..blocks.size()],
            bias: &biases[group * blocks.padded()..][..blocks.padded()],
            blocks,
            // SAFETY: the group's channels of each output lie within the result (asserted above).
            out: unsafe { out.get().add(group * blocks.channels) },
        };
        match depthwise {
            Some(_) => run(Depthwise(tiles)),
            None => run(tiles),
        }
        outputs.leave();
        if let (Some(finish), 1) = (finish, w.groups) {
            // SAFETY: rows follow each other without gaps, the last one ends within the result (both
            // asserted above), and no other task has any of these.
            finish(unsafe { std::slice::from_raw_parts_mut(out.get().add(own.start), own.len()) });
        }
    });
    if let (Some(finish), 2..) = (finish, w.groups) {
        // A task has only its group's channels of each output: too few at a time.
        let used = &mut whole[target.first..][..rows * row_len];
        parallel::fill(used, FINISH_A_TASK, |_, part| finish(part));
    }
    Ok(())
}

/// How many rows of outputs a task has; follows from sizes alone.
fn rows_a_task([down, across]: [Axis; 2], blocks: Blocks, rows: usize) -> usize {
    // Writing a number costs about as much as some multiplications.
    let each = blocks.channels.saturating_mul(blocks.len + 16);
    let each = across.output.saturating_mul(each).max(1);
    let n = (WORK_A_TASK / each)
        .min(rows.div_ceil(TASKS))
        .max(LEAST_WORK / each);
    // Whole images where that is about as much: their borders have something in common.
    let n = match n / down.output {
        0 if 2 * n > down.output => down.output,
        0 => n,
        images => images * down.output,
    };
    n.clamp(1, rows)
}

/// The tiles of a task.
struct Tiles<'a, T> {
    outputs: &'a Outputs,
    data: &'a [T],
    /// What missing taps read.
    zeros: &'a [T],
    /// Channels that the input has in a group.
    channels: usize,
    /// From a tap to the next one, down and across.
    steps: [isize; 2],
    /// Taps in a row of the kernel.
    taps: usize,
    weights: &'a [T],
    bias: &'a [T],
    blocks: Blocks,
    out: *mut T,
}

impl<T: Lane> WithSimd for Tiles<'_, T> {
    type Output = ();
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        self.all::<S, false>(simd);
    }
}

/// The same for vectors of input channels.
struct Depthwise<'a, T>(Tiles<'a, T>);

impl<T: Lane> WithSimd for Depthwise<'_, T> {
    type Output = ();
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        self.0.all::<S, true>(simd);
    }
}

/// What a tile reads: where its patches begin, and the taps that any of them has.
struct Reads<'a, const M: usize> {
    starts: [usize; M],
    down: Range<usize>,
    across: Range<usize>,
    /// The taps of each, unless they are the same.
    own: Option<[&'a [Range<usize>; 2]; M]>,
}

impl<T: Lane> Tiles<'_, T> {
    /// All outputs, in tiles as large as there are registers for.
    #[inline(always)]
    fn all<S: Simd, const DEPTHWISE: bool>(&self, simd: S) {
        if S::REGISTER_COUNT >= 32 {
            self.in_tiles::<S, DEPTHWISE, 14, 7, 3>(simd);
        } else {
            self.in_tiles::<S, DEPTHWISE, 6, 4, 2>(simd);
        }
    }

    /// All outputs in tiles of `L`, the last ones in a smaller tile.
    #[inline(always)]
    fn in_tiles<S: Simd, const DEPTHWISE: bool, const L: usize, const M: usize, const N: usize>(
        &self,
        simd: S,
    ) {
        let outputs = self.outputs.starts.len();
        let mut scratch = [[T::ZERO; MAX_WIDTH]; L];
        let scratch = &mut scratch[..];
        for first in (0..outputs).step_by(L) {
            match outputs - first {
                n if n <= N => self.tile::<S, DEPTHWISE, N>(simd, first, scratch),
                n if n <= M => self.tile::<S, DEPTHWISE, M>(simd, first, scratch),
                _ => self.tile::<S, DEPTHWISE, L>(simd, first, scratch),
            }
        }
    }

    /// The outputs from `first` on, up to `M` of them; of fewer the last one is computed repeatedly.
    /// The scratch is for vectors of which not all channels are there.
    ///
    /// Plain loops over constants, here and wherever vectors are held: a call of a function that is
    /// not compiled for these vectors, or an index that is not known, would put them into memory.
    #[inline(always)]
    fn tile<S: Simd, const DEPTHWISE: bool, const M: usize>(
        &self,
        simd: S,
        first: usize,
        scratch: &mut [[T; MAX_WIDTH]],
    ) {
        let outputs = self.outputs;
        let last = outputs.starts.len().min(first + M) - 1;
        let (mut starts, mut places) = ([0; M], [0; M]);
        let kind = &outputs.taps[outputs.kinds[first]];
        let (mut down, mut across) = (kind[0].clone(), kind[1].clone());
        let mut own = [kind; M];
        for m in 0..M {
            let output = (first + m).min(last);
            (starts[m], places[m]) = (outputs.starts[output], outputs.places[output]);
            own[m] = &outputs.taps[outputs.kinds[output]];
            down = down.start.min(own[m][0].start)..down.end.max(own[m][0].end);
            across = across.start.min(own[m][1].start)..across.end.max(own[m][1].end);
        }
        let alike = outputs.kinds[first] == outputs.kinds[last];
        let reads = Reads {
            starts,
            down,
            across,
            own: (!alike).then_some(own),
        };
        for block in self.blocks.iter() {
            let mut out = [self.out; M];
            let full = block.channels == block.vectors * T::lanes::<S>();
            for m in 0..M {
                out[m] = if full {
                    // SAFETY: `correlate` has asserted that all channels of each output lie within
                    // the result.
                    unsafe { self.out.add(places[m] + block.first) }
                } else {
                    scratch[m].as_mut_ptr()
                };
            }
            // SAFETY: there are as many numbers as vectors have from each place in the result, of
            // which no other tile has one and which nobody reads meanwhile, or from the start of each
            // row of the scratch.
            unsafe {
                if block.vectors == 2 {
                    self.sums::<S, DEPTHWISE, M, 2>(simd, block, &reads, &out);
                } else {
                    self.sums::<S, DEPTHWISE, M, 1>(simd, block, &reads, &out);
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

    /// Writes a tile's sums.
    ///
    /// # Safety
    /// `V` vectors may be written from each of `out`.
    #[inline(always)]
    unsafe fn sums<S: Simd, const DEPTHWISE: bool, const M: usize, const V: usize>(
        &self,
        simd: S,
        block: Block,
        reads: &Reads<'_, M>,
        out: &[*mut T; M],
    ) {
        let (lanes, channels) = (T::lanes::<S>(), self.channels);
        let width = V * lanes;
        let weights = &self.weights[block.start..][..width * self.blocks.len];
        let bias = &self.bias[block.first..][..width];
        let mut first = [T::splat(simd, T::ZERO); V];
        for v in 0..V {
            // SAFETY: `width` numbers are there.
            first[v] = unsafe { T::load(simd, bias.as_ptr().add(v * lanes)) };
        }
        let mut sums = [first; M];
        // Taps in a row are read as one where their numbers lie side by side.
        let across = reads.across.clone();
        let side_by_side = self.steps[1] == channels as isize && !DEPTHWISE;
        let at_once = match reads.own {
            None if side_by_side => across.len(),
            _ => 1,
        };
        for y in reads.down.clone() {
            let mut x = across.start;
            while x < across.end {
                let by = (y as isize).wrapping_mul(self.steps[0]);
                let by = by.wrapping_add((x as isize).wrapping_mul(self.steps[1]));
                let mut patches = [self.zeros.as_ptr(); M];
                for m in 0..M {
                    let meets = match &reads.own {
                        Some(own) => own[m][0].contains(&y) && own[m][1].contains(&x),
                        None => true,
                    };
                    if meets {
                        let at = reads.starts[m].wrapping_add_signed(by);
                        patches[m] = self.data.as_ptr().wrapping_add(at);
                    }
                }
                let tap = y * self.taps + x;
                if DEPTHWISE {
                    let weights = weights[tap * width..][..width].as_ptr();
                    // SAFETY: a vector's length of weights is there. A tap that an output has lies
                    // within its image, with its channels side by side, and so do the zeros; behind
                    // the last one are as many as fill up its vector (asserted in `correlate`).
                    unsafe {
                        for v in 0..V {
                            let w = T::load(simd, weights.add(v * lanes));
                            for m in 0..M {
                                let x = T::load(simd, patches[m].add(block.first + v * lanes));
                                sums[m][v] = T::mul_add(simd, x, w, sums[m][v]);
                            }
                        }
                    }
                } else {
                    let len = at_once * channels;
                    let weights = weights[tap * channels * width..][..len * width].as_ptr();
                    for k in 0..len {
                        // SAFETY: each tap that an output has lies within its image, which lies within
                        // the data (asserted in `correlate`), with its channels side by side, and so
                        // do several taps if they are as far apart as there are channels. Other taps
                        // are read one at a time from the zeros, which are no fewer. The weights are
                        // a slice of `len` times `width` numbers.
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
                x += at_once;
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
