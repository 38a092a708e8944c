//! Convolutions of images: `[n, c, h, w]` with a weight `[o, c, kh, kw]`.

use super::View;
use super::math::Float;
use crate::error::Result;
use crate::shape::{Dims, Layout, numel};
use crate::storage::Buffer;

/// One direction of an image: how positions of the input and of the output belong together. Tap `k`
/// of output `o` is input `o · stride + k · dilation − padding`; taps beyond the input count as 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Axis {
    pub input: usize,
    pub output: usize,
    pub kernel: usize,
    pub stride: usize,
    pub dilation: usize,
    pub padding: usize,
}

impl Axis {
    /// A direction that images do not have.
    pub(crate) const ONE: Self = Self {
        input: 1,
        output: 1,
        kernel: 1,
        stride: 1,
        dilation: 1,
        padding: 0,
    };

    /// The position of tap `k` of output `o`, if the input has it.
    fn tap(&self, o: usize, k: usize) -> Option<usize> {
        let at = (o * self.stride + k * self.dilation).checked_sub(self.padding)?;
        (at < self.input).then_some(at)
    }
}

/// Both directions, rows first, and into how many groups the channels are split.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Geometry {
    pub axes: [Axis; 2],
    pub groups: usize,
}

/// A buffer and where the elements of its image or weight lie.
type Placed = (Buffer, Layout);

/// y = conv(x, w) + b.
pub(crate) fn forward<T: Float>(
    g: &Geometry,
    x: View<'_, T>,
    w: View<'_, T>,
    bias: Option<View<'_, T>>,
) -> Result<Placed> {
    let [y, x_] = g.axes.map(|axis| axis.output);
    let shape = [x.layout.shape[0], w.layout.shape[0], y, x_];
    build(shape, bias, |out| {
        products(g, [shape[0], x.layout.shape[1], shape[1]], |i, k, o| {
            out[place(o, shape)] = out[place(o, shape)] + at(x, i) * at(w, k);
        });
    })
}

/// x = convᵀ(y, w) + b, the gradient of the input for the gradient y.
pub(crate) fn transposed<T: Float>(
    g: &Geometry,
    y: View<'_, T>,
    w: View<'_, T>,
    bias: Option<View<'_, T>>,
) -> Result<Placed> {
    let [h, w_] = g.axes.map(|axis| axis.input);
    let shape = [y.layout.shape[0], w.layout.shape[1] * g.groups, h, w_];
    build(shape, bias, |out| {
        products(g, [shape[0], shape[1], y.layout.shape[1]], |i, k, o| {
            out[place(i, shape)] = out[place(i, shape)] + at(y, o) * at(w, k);
        });
    })
}

/// The gradient of the weight, from x and the gradient of y.
pub(crate) fn weight_gradient<T: Float>(
    g: &Geometry,
    x: View<'_, T>,
    y: View<'_, T>,
) -> Result<Placed> {
    let [kh, kw] = g.axes.map(|axis| axis.kernel);
    let [n, c] = [x.layout.shape[0], x.layout.shape[1]];
    let shape = [y.layout.shape[1], c / g.groups, kh, kw];
    build(shape, None, |out: &mut [T]| {
        products(g, [n, c, shape[0]], |i, k, o| {
            out[place(k, shape)] = out[place(k, shape)] + at(x, i) * at(y, o);
        });
    })
}

fn build<T: Float>(
    shape: [usize; 4],
    bias: Option<View<'_, T>>,
    f: impl FnOnce(&mut [T]),
) -> Result<Placed> {
    let buffer = Buffer::build(numel(&shape)?, |out: &mut [T]| {
        for (i, part) in out.chunks_mut((shape[2] * shape[3]).max(1)).enumerate() {
            part.fill(bias.map_or(T::ZERO, |b| {
                b.data[(b.layout.offset)
                    .wrapping_add_signed((i % shape[1]) as isize * b.layout.strides[0])]
            }));
        }
        f(out);
    })?;
    Ok((buffer, Layout::contiguous(Dims::from_slice(&shape))))
}

/// Calls `f` for every product of a convolution with the indices of its input, weight and output.
fn products(
    g: &Geometry,
    [n, c, o]: [usize; 3],
    mut f: impl FnMut([usize; 4], [usize; 4], [usize; 4]),
) {
    let ([y, x], c, o) = (g.axes, c / g.groups, o / g.groups);
    for i in 0..n {
        for group in 0..g.groups {
            for oc in group * o..(group + 1) * o {
                for (oy, ox) in pairs(y.output, x.output) {
                    for ic in 0..c {
                        for (ky, kx) in pairs(y.kernel, x.kernel) {
                            if let (Some(iy), Some(ix)) = (y.tap(oy, ky), x.tap(ox, kx)) {
                                let (input, weight) =
                                    ([i, group * c + ic, iy, ix], [oc, ic, ky, kx]);
                                f(input, weight, [i, oc, oy, ox]);
                            }
                        }
                    }
                }
            }
        }
    }
}

fn pairs(a: usize, b: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..a).flat_map(move |i| (0..b).map(move |j| (i, j)))
}

fn at<T: Float>(x: View<'_, T>, index: [usize; 4]) -> T {
    let steps = index.iter().zip(&x.layout.strides);
    let by: isize = steps.map(|(&i, &s)| i as isize * s).sum();
    x.data[x.layout.offset.wrapping_add_signed(by)]
}

fn place(index: [usize; 4], [_, b, c, d]: [usize; 4]) -> usize {
    ((index[0] * b + index[1]) * c + index[2]) * d + index[3]
}
