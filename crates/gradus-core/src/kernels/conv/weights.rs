//! Weights in the order in which the kernels read them.

use super::phases::Phase;
use crate::dtype::Number;
use crate::error::Result;
use crate::kernels::View;
use crate::kernels::simd::{Lane, Simd, WithSimd, run};
use crate::shape::{Layout, numel};
use crate::storage::Buffer;
use std::marker::PhantomData;

/// Vectors of output channels that one tile has.
pub(super) const VECTORS: usize = 2;

/// Numbers that such vectors have at most, of the longest there are.
pub(super) const MAX_WIDTH: usize = VECTORS * 64 / size_of::<f32>();

/// How a group's output channels are cut into blocks of [`VECTORS`] vectors: the last block may have
/// fewer, and the last vector may be filled up with zeros. Packed, a block has for each number of a
/// patch the weights of its channels side by side.
#[derive(Clone, Copy)]
pub(super) struct Blocks {
    pub channels: usize,
    pub lanes: usize,
    /// Numbers in a patch.
    pub len: usize,
}

/// Some vectors of output channels.
#[derive(Clone, Copy)]
pub(super) struct Block {
    pub first: usize,
    /// Channels that there are.
    pub channels: usize,
    pub vectors: usize,
    /// Where its weights begin among the group's.
    pub start: usize,
}

impl Blocks {
    pub(super) fn new<T: Lane>(channels: usize, len: usize) -> Self {
        let lanes = run(Lanes::<T>(PhantomData));
        Self {
            channels,
            lanes,
            len,
        }
    }

    /// The channels with those that only fill vectors up.
    pub(super) fn padded(&self) -> usize {
        self.channels.next_multiple_of(self.lanes)
    }

    /// Channels that only fill up a vector.
    pub(super) fn filled(&self) -> usize {
        self.padded() - self.channels
    }

    /// Numbers of a packed group.
    pub(super) fn size(&self) -> usize {
        self.padded() * self.len
    }

    pub(super) fn iter(self) -> impl Iterator<Item = Block> {
        let width = VECTORS * self.lanes;
        (0..self.channels).step_by(width).map(move |first| {
            let channels = width.min(self.channels - first);
            Block {
                first,
                channels,
                vectors: channels.div_ceil(self.lanes),
                start: first * self.len,
            }
        })
    }
}

/// The number of lanes of this processor's vectors.
struct Lanes<T>(PhantomData<T>);

impl<T: Lane> WithSimd for Lanes<T> {
    type Output = usize;
    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> usize {
        T::lanes::<S>()
    }
}

/// The weights of one group, `[o, c, kh, kw]`, and how far it is to the next one's.
#[derive(Clone)]
pub(super) struct Weights<'a, T> {
    pub data: &'a [T],
    pub layout: Layout,
    pub groups: usize,
    pub step: isize,
}

impl<'a, T: Number> Weights<'a, T> {
    /// Those of a convolution: `[o, c / groups, kh, kw]`.
    pub(super) fn new(w: View<'a, T>, groups: usize) -> Self {
        let mut layout = w.layout.clone();
        layout.shape[0] /= groups;
        Self {
            data: w.data,
            step: layout.shape[0] as isize * layout.strides[0],
            layout,
            groups,
        }
    }

    /// Those of the way back, from outputs to inputs.
    pub(super) fn swapped(mut self) -> Self {
        self.layout = self.layout.permute(&[1, 0, 2, 3]);
        self
    }

    /// Only the taps of these phases.
    pub(super) fn taps(mut self, phases: [&Phase; 2]) -> Self {
        let layout = &mut self.layout;
        for (d, phase) in [(2, phases[0]), (3, phases[1])] {
            let by = phase.tap as isize * layout.strides[d];
            layout.offset = layout.offset.wrapping_add_signed(by);
            layout.shape[d] = phase.axis.kernel;
            layout.strides[d] *= -(phase.back as isize);
        }
        self
    }

    /// If each group has one channel on both sides: all of them as the outputs of one group.
    pub(super) fn depthwise(&self) -> Option<Self> {
        let mut all = self.clone();
        all.layout.shape[0] = self.groups;
        all.layout.strides[0] = self.step;
        all.groups = 1;
        (self.groups > 1 && self.layout.shape[..2] == [1, 1]).then_some(all)
    }

    /// How many numbers may be read beyond the input's last one: of depthwise convolutions whole
    /// vectors are read.
    pub(super) fn slack(&self) -> usize
    where
        T: Lane,
    {
        self.depthwise()
            .map_or(0, |_| Blocks::new::<T>(self.groups, 0).filled())
    }

    /// Numbers of a patch.
    pub(super) fn patch(&self) -> usize {
        self.layout.shape[1..].iter().product()
    }

    /// All groups, packed.
    ///
    /// # Errors
    /// If there is no memory for it.
    pub(super) fn pack(&self, blocks: Blocks) -> Result<Buffer> {
        let [channels, across] = [1, 3].map(|d| self.layout.shape[d]);
        let strides = &self.layout.strides;
        let len = numel(&[self.groups, blocks.padded(), blocks.len])?;
        Buffer::build(len, |out: &mut [T]| {
            for (group, out) in out.chunks_exact_mut(blocks.size().max(1)).enumerate() {
                for block in blocks.iter() {
                    let first = group as isize * self.step + block.first as isize * strides[0];
                    let width = block.vectors * blocks.lanes;
                    let out = &mut out[block.start..][..width * blocks.len];
                    for (i, out) in out.chunks_exact_mut(width).enumerate() {
                        let (tap, c) = (i / channels, i % channels);
                        let (ky, kx) = (tap / across, tap % across);
                        let by = [ky, kx, c].map(|i| i as isize);
                        let by = by[0] * strides[2] + by[1] * strides[3] + by[2] * strides[1];
                        let at = self.layout.offset.wrapping_add_signed(first + by);
                        let (own, rest) = out.split_at_mut(block.channels);
                        for (o, out) in own.iter_mut().enumerate() {
                            *out = self.data[at.wrapping_add_signed(o as isize * strides[0])];
                        }
                        rest.fill(T::ZERO);
                    }
                }
            }
        })
    }
}
