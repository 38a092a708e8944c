//! What fits together: from shapes and options to the geometry, or an error that says why not.

use super::{Conv, ConvTranspose, Padding};
use crate::error::{Result, err};
use crate::kernels::conv::{Axis, Geometry};
use crate::shape::Dims;
use crate::tensor::Tensor;

/// Ranks and dtypes.
pub(super) fn operands<const N: usize>(
    op: &str,
    [x, weight]: [&Tensor; 2],
    bias: Option<&Tensor>,
) -> Result<()> {
    x.dtype().expect_float(op)?;
    if ![N + 1, N + 2].contains(&x.ndim()) {
        return Err(err!(
            Shape,
            "{op}: Expected {}D (unbatched) or {}D (batched) input to {op}, but got input of size: {:?}",
            N + 1,
            N + 2,
            x.shape()
        ));
    }
    if weight.ndim() != N + 2 {
        return Err(err!(
            Shape,
            "{op}: expected a {}-dimensional weight, two dimensions of channels and {N} of the kernel, but got weight of \
             size {:?}",
            N + 2,
            weight.shape()
        ));
    }
    for (what, tensor) in [("weight", Some(weight)), ("bias", bias)] {
        if let Some(other) = tensor.map(Tensor::dtype).filter(|&d| d != x.dtype()) {
            return Err(err!(
                DType,
                "{op}: Input type ({}) and {what} type ({other}) should be the same; convert with to_dtype",
                x.dtype()
            ));
        }
    }
    Ok(())
}

/// A bias has one number for each of the output's channels.
pub(super) fn bias(
    op: &str,
    weight: &Tensor,
    bias: Option<&Tensor>,
    channels: usize,
) -> Result<()> {
    match bias {
        Some(bias) if bias.shape() != [channels] => Err(err!(
            Shape,
            "{op}: Given weight of size {:?}, expected bias to be 1-dimensional with {channels} elements, but got bias of \
             size {:?} instead",
            weight.shape(),
            bias.shape()
        )),
        _ => Ok(()),
    }
}

/// What holds for the weights of both sorts. The shapes are those of `[.., c, (h,) w]` and
/// `[a, b, (kh,) kw]`; `channels` is the size of the input that the weight asks for.
fn weights<const N: usize>(
    op: &str,
    [x, weight]: [&[usize]; 2],
    [stride, dilation]: [[usize; N]; 2],
    groups: usize,
    channels: Option<usize>,
) -> Result<()> {
    for (what, numbers) in [
        ("stride", &stride[..]),
        ("dilation", &dilation),
        ("groups", &[groups]),
    ] {
        if numbers.contains(&0) {
            return Err(err!(
                Value,
                "{op}: non-positive {what} is not supported, but got {numbers:?}; use 1 or more"
            ));
        }
    }
    if weight[0] < groups {
        return Err(err!(
            Shape,
            "{op}: Given groups={groups}, expected weight to be at least {groups} at dimension 0, but got weight of size \
             {weight:?} instead"
        ));
    }
    if weight[0] % groups != 0 {
        return Err(err!(
            Shape,
            "{op}: Given groups={groups}, expected weight to be divisible by {groups} at dimension 0, but got weight of \
             size {weight:?} instead"
        ));
    }
    if weight[2..].contains(&0) {
        return Err(err!(
            Shape,
            "{op}: a kernel needs at least one position in each dimension, but got weight of size {weight:?}"
        ));
    }
    let got = x[x.len() - N - 1];
    if channels != Some(got) {
        let expected = channels.map_or("more".into(), |c| c.to_string());
        return Err(err!(
            Shape,
            "{op}: Given groups={groups}, weight of size {weight:?}, expected input {x:?} to have {expected} channels, \
             but got {got} channels instead"
        ));
    }
    Ok(())
}

/// The geometry of a convolution of an input with a weight of these shapes.
pub(super) fn convolution<const N: usize>(
    op: &str,
    [x, weight]: [&[usize]; 2],
    options: &Conv<N>,
) -> Result<Geometry> {
    let Conv {
        stride,
        padding,
        dilation,
        groups,
    } = *options;
    let channels = weight[1].checked_mul(groups);
    weights(op, [x, weight], [stride, dilation], groups, channels)?;
    if padding == Padding::Same && stride != [1; N] {
        return Err(err!(
            Value,
            "{op}: padding='same' is not supported for strided convolutions, but got stride {stride:?}; give the \
             zeros of each dimension"
        ));
    }
    let sizes = &x[x.len() - N..];
    // Sizes with padding and the kernel's reach, each dimension's where it is known.
    let mut padded = [0; N];
    let mut axes = [Axis::ONE; N];
    for d in 0..N {
        let kernel = weight[2 + d];
        let reach = reach(op, kernel, dilation[d])?;
        let (before, both) = match padding {
            Padding::Valid => (0, Some(0)),
            Padding::Same => ((reach - 1) / 2, Some(reach - 1)),
            Padding::Each(p) => (p[d], p[d].checked_mul(2)),
        };
        let size = both.and_then(|both| both.checked_add(sizes[d]));
        padded[d] = size.filter(|&n| n < LARGEST).ok_or_else(|| too_large(op))?;
        axes[d] = Axis {
            input: sizes[d],
            output: padded[d].saturating_sub(reach - 1).div_ceil(stride[d]),
            kernel,
            // Larger ones do the same.
            stride: stride[d].min(LARGEST),
            dilation: dilation[d].min(LARGEST),
            padding: before as isize,
        };
    }
    if axes.iter().any(|axis| axis.output == 0) {
        return Err(err!(
            Shape,
            "{op}: Calculated padded input size per channel: {padded:?}. Kernel size: {:?}, with dilation {dilation:?}. \
             Kernel size can't be greater than actual input size, which is {x:?}; use a smaller kernel, more padding or larger \
             inputs",
            &weight[2..]
        ));
    }
    Ok(geometry(&axes, groups))
}

/// The geometry of the convolution whose transpose takes an input of this shape with this weight.
pub(super) fn transposed<const N: usize>(
    op: &str,
    [x, weight]: [&[usize]; 2],
    options: &ConvTranspose<N>,
) -> Result<Geometry> {
    let ConvTranspose {
        stride,
        padding,
        output_padding,
        dilation,
        groups,
    } = *options;
    weights(op, [x, weight], [stride, dilation], groups, Some(weight[0]))?;
    if weight[1].checked_mul(groups).is_none_or(|c| c >= LARGEST) {
        return Err(too_large(op));
    }
    if (0..N).any(|d| output_padding[d] >= stride[d].max(dilation[d])) {
        return Err(err!(
            Value,
            "{op}: output padding must be smaller than either stride or dilation, but got output_padding \
             {output_padding:?}, stride {stride:?}, dilation {dilation:?}"
        ));
    }
    let sizes = &x[x.len() - N..];
    let mut axes = [Axis::ONE; N];
    for d in 0..N {
        let kernel = weight[2 + d];
        let reach = reach(op, kernel, dilation[d])?;
        let spread = sizes[d].saturating_sub(1).checked_mul(stride[d]);
        let full = spread.and_then(|n| n.checked_add(reach)?.checked_add(output_padding[d]));
        let full = full.filter(|&n| n < LARGEST).ok_or_else(|| too_large(op))?;
        axes[d] = Axis {
            input: full.saturating_sub(padding[d].saturating_mul(2)),
            output: sizes[d],
            kernel,
            // Larger ones do the same.
            stride: stride[d].min(LARGEST),
            dilation: dilation[d].min(LARGEST),
            padding: padding[d] as isize,
        };
    }
    if axes.iter().any(|axis| axis.input == 0 || axis.output == 0) {
        return Err(err!(
            Shape,
            "{op}: Given input size {x:?}, kernel {:?}, stride {stride:?} and padding {padding:?}, the calculated output \
             size {:?} is too small; use less padding or larger inputs",
            &weight[2..],
            axes.map(|axis| axis.input)
        ));
    }
    Ok(geometry(&axes, groups))
}

/// The sizes of a convolution's output.
pub(super) fn output_shape<const N: usize>(n: usize, channels: usize, geometry: &Geometry) -> Dims {
    let sizes = geometry.axes.iter().map(|axis| axis.output);
    [n, channels].into_iter().chain(sizes.skip(2 - N)).collect()
}

/// Rows are images of height 1.
fn geometry(axes: &[Axis], groups: usize) -> Geometry {
    let axes = match *axes {
        [y, x] => [y, x],
        _ => [Axis::ONE, axes[0]],
    };
    Geometry { axes, groups }
}

/// Sizes stay below this, so that sums of a few of them do not overflow.
const LARGEST: usize = isize::MAX as usize / 8;

fn too_large(op: &str) -> crate::Error {
    err!(
        Memory,
        "{op}: the padded image is too large for this machine's memory; use less padding, stride or dilation"
    )
}

/// How many positions a kernel covers.
fn reach(op: &str, kernel: usize, dilation: usize) -> Result<usize> {
    let reach = (kernel - 1).checked_mul(dilation);
    let reach = reach.and_then(|n| n.checked_add(1));
    reach.filter(|&n| n < LARGEST).ok_or_else(|| {
        err!(
            Value,
            "{op}: a kernel of {kernel} positions with dilation {dilation} covers more than this machine can address"
        )
    })
}
