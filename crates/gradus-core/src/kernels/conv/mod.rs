//! Convolutions of images, `[n, c, h, w]`, with a weight, `[o, c / groups, kh, kw]`.
//!
//! Results lie with channels last in memory, and so should inputs; others are copied first. A
//! convolution is a matrix product of patches and packed weights (`weights`), without a matrix of
//! patches: `correlate` reads them where they are, in an order of outputs (`outputs`) in which the
//! missing taps of borders can be left out. A transposed convolution is such a product for each phase
//! of its strides (`phases`). The weight's gradient is the other product of patches, with the output's
//! gradient (`weight_gradient`); it copies the rows it needs with their borders, block by block
//! (`patches`).

mod correlate;
mod outputs;
mod patches;
mod phases;
mod weight_gradient;
mod weights;

use super::simd::Lane;
use super::{View, map};
use crate::error::Result;
use crate::shape::{Dims, Layout, numel};
use crate::storage::Buffer;
use phases::Phase;
use std::ops::Range;
use weights::Weights;

/// One direction of an image: how positions of the input and of the output belong together. Tap `k`
/// of output `o` is input `o · stride + k · dilation − padding`; taps beyond the input count as 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Axis {
    pub input: usize,
    pub output: usize,
    pub kernel: usize,
    pub stride: usize,
    pub dilation: usize,
    pub padding: isize,
}

impl Axis {
    /// A direction that images do not have.
    pub(crate) const ONE: Self = Self::positions(1);

    /// Each output is the input at its own position.
    const fn positions(n: usize) -> Self {
        Self {
            input: n,
            output: n,
            kernel: 1,
            stride: 1,
            dilation: 1,
            padding: 0,
        }
    }

    /// Positions that the kernel covers.
    fn reach(&self) -> usize {
        (self.kernel - 1) * self.dilation + 1
    }

    /// Positions that all outputs cover together.
    fn span(&self) -> usize {
        (self.output - 1) * self.stride + self.reach()
    }

    /// Whether the input has all of them.
    fn is_inside(&self) -> bool {
        self.padding <= 0 && self.span() + self.padding.unsigned_abs() <= self.input
    }

    /// The taps of output `o` that the input has.
    fn taps(&self, o: usize) -> Range<usize> {
        let first = (o * self.stride) as isize - self.padding;
        let count = |n: isize| (n.max(0) as usize).div_ceil(self.dilation).min(self.kernel);
        let start = count(-first);
        start..count(self.input as isize - first).max(start)
    }
}

/// Both directions, rows first, and into how many groups the channels are split.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Geometry {
    pub axes: [Axis; 2],
    pub groups: usize,
}

/// A buffer and where the elements of an image or weight lie in it.
pub(crate) type Placed = (Buffer, Layout);

/// What completes a result, piece by piece while the piece is in the cache: an activation.
pub(crate) type Finish<'a, T> = &'a (dyn Fn(&mut [T]) + Sync);

/// conv(x, w) + b, then completed by `finish`.
///
/// # Errors
/// If there is no memory for it.
pub(crate) fn forward<T: Lane>(
    g: &Geometry,
    x: View<'_, T>,
    w: View<'_, T>,
    bias: Option<View<'_, T>>,
    finish: Option<Finish<'_, T>>,
) -> Result<Placed> {
    let [h, width] = g.axes.map(|axis| axis.output);
    let layout = channels_last([x.layout.shape[0], w.layout.shape[0], h, width])?;
    let mut out = Buffer::new::<T>(layout.numel())?;
    if layout.numel() > 0 {
        let weights = Weights::new(w, g.groups);
        let target = Target::whole(&layout);
        with_channels_last(x, weights.slack(), |x| {
            let out = out.slice_mut();
            correlate::correlate(out, target, x, &weights, bias, g.axes, finish)
        })?;
    }
    Ok((out, layout))
}

/// convᵀ(y, w) + b: the gradient of x for the gradient y.
///
/// # Errors
/// If there is no memory for it.
pub(crate) fn transposed<T: Lane>(
    g: &Geometry,
    y: View<'_, T>,
    w: View<'_, T>,
    bias: Option<View<'_, T>>,
) -> Result<Placed> {
    let [h, width] = g.axes.map(|axis| axis.input);
    let channels = w.layout.shape[1] * g.groups;
    let layout = channels_last([y.layout.shape[0], channels, h, width])?;
    let mut out = Buffer::new::<T>(layout.numel())?;
    if layout.numel() == 0 {
        return Ok((out, layout));
    }
    let phases = g.axes.map(|axis| Phase::all(&axis));
    let met: [usize; 2] = phases
        .each_ref()
        .map(|p| p.iter().map(|phase| phase.axis.output).sum());
    if met != [h, width] {
        // No tap meets the other positions.
        fill(out.slice_mut(), channels, bias);
    }
    let target = Target::whole(&layout);
    let weights = Weights::new(w, g.groups).swapped();
    with_channels_last(y, weights.slack(), |y| {
        for down in &phases[0] {
            for across in &phases[1] {
                let weights = weights.clone().taps([down, across]);
                let (target, axes) = (target.of([down, across]), [down.axis, across.axis]);
                correlate::correlate(out.slice_mut(), target, y, &weights, bias, axes, None)?;
            }
        }
        Ok(())
    })?;
    Ok((out, layout))
}

/// The gradient of w, row-major, from x and the gradient y; and that of a bias, if `bias`.
///
/// # Errors
/// If there is no memory for it.
pub(crate) fn weight_gradient<T: Lane>(
    g: &Geometry,
    x: View<'_, T>,
    y: View<'_, T>,
    bias: bool,
) -> Result<(Placed, Buffer)> {
    let [kh, kw] = g.axes.map(|axis| axis.kernel);
    let channels = y.layout.shape[1];
    let shape = [channels, x.layout.shape[1] / g.groups, kh, kw];
    let mut out = Buffer::new::<T>(numel(&shape)?)?;
    let mut sums = Buffer::new::<T>(if bias { channels } else { 0 })?;
    let (weights, plain) = (out.slice_mut::<T>(), sums.slice_mut());
    if y.layout.numel() > 0 {
        weight_gradient::weight_gradient(weights, plain, g, x, y)?;
    } else {
        weights.fill(T::ZERO);
        plain.fill(T::ZERO);
    }
    Ok(((out, Layout::contiguous(Dims::from_slice(&shape))), sums))
}

/// Every pixel the bias, or 0.
fn fill<T: Lane>(out: &mut [T], channels: usize, bias: Option<View<'_, T>>) {
    let Some(bias) = bias else {
        return out.fill(T::ZERO);
    };
    let numbers: Vec<T> = (0..channels).map(|c| bias_of(bias, c)).collect();
    out.chunks_exact_mut(channels)
        .for_each(|pixel| pixel.copy_from_slice(&numbers));
}

/// The bias of channel `c`.
fn bias_of<T: Lane>(bias: View<'_, T>, c: usize) -> T {
    bias.data[bias
        .layout
        .offset
        .wrapping_add_signed(c as isize * bias.layout.strides[0])]
}

/// Calls `f` with x if its channels lie side by side and nothing more is read, otherwise with a copy
/// of which they do and behind which there are `slack` more numbers.
fn with_channels_last<T: Lane>(
    x: View<'_, T>,
    slack: usize,
    f: impl FnOnce(View<'_, T>) -> Result<()>,
) -> Result<()> {
    let shape = &x.layout.shape;
    if slack == 0 && (shape[1] == 1 || x.layout.strides[1] == 1) {
        return f(x);
    }
    let layout = channels_last([shape[0], shape[1], shape[2], shape[3]])?;
    let copy = map::copy(View::new(x.data, &x.layout.permute(&[0, 2, 3, 1])))?;
    if slack == 0 {
        return f(View::new(copy.slice(), &layout));
    }
    let len = layout.numel();
    let longer = Buffer::build(len + slack, |out: &mut [T]| {
        out[..len].copy_from_slice(copy.slice());
        out[len..].fill(T::ZERO);
    })?;
    f(View::new(longer.slice(), &layout))
}

/// `[n, c, h, w]`, in memory `[n, h, w, c]`.
///
/// # Errors
/// If that is more than memory can address.
fn channels_last(shape: [usize; 4]) -> Result<Layout> {
    let [n, c, h, w] = shape;
    numel(&shape)?;
    Ok(Layout::contiguous(Dims::from_slice(&[n, h, w, c])).permute(&[0, 3, 1, 2]))
}

/// Where outputs go: the place of the first one's channels and the steps to the next image, row and
/// column.
#[derive(Clone, Copy)]
struct Target {
    first: usize,
    steps: [usize; 3],
}

impl Target {
    fn whole(layout: &Layout) -> Self {
        Self {
            first: 0,
            steps: [0, 2, 3].map(|d| layout.strides[d] as usize),
        }
    }

    /// Only the positions of these phases.
    fn of(self, [down, across]: [&Phase; 2]) -> Self {
        let [image, row, column] = self.steps;
        Self {
            first: self.first + down.start * row + across.start * column,
            steps: [image, row * down.step, column * across.step],
        }
    }

    /// Whether the outputs of these sizes lie side by side, without gaps.
    fn is_dense(&self, [rows, columns]: [usize; 2], channels: usize) -> bool {
        self.steps == [rows * columns * channels, columns * channels, channels]
    }

    fn place(&self, image: usize, [row, column]: [usize; 2]) -> usize {
        let steps = [image, row, column].into_iter().zip(self.steps);
        self.first + steps.map(|(i, step)| i * step).sum::<usize>()
    }
}
