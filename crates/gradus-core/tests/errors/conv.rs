//! Convolutions and transposed convolutions.

use super::{Row, no};
use Kind::{DType as Type, Memory, Shape, Value};
use gradus_core::conv::{Conv, ConvTranspose, Padding};
use gradus_core::{Activation, DType, Kind, Result, Tensor};

/// Calls with ones of these shapes.
fn conv(x: &[usize], w: &[usize], options: Conv<2>) -> Result<()> {
    no(Tensor::ones(x).conv2d(&Tensor::ones(w), None, &options))
}

fn conv1(x: &[usize], w: &[usize], options: Conv<1>) -> Result<()> {
    no(Tensor::ones(x).conv1d(&Tensor::ones(w), None, &options))
}

fn transposed(x: &[usize], w: &[usize], options: ConvTranspose<2>) -> Result<()> {
    no(Tensor::ones(x).conv_transpose2d(&Tensor::ones(w), None, &options))
}

fn transposed1(x: &[usize], w: &[usize], options: ConvTranspose<1>) -> Result<()> {
    no(Tensor::ones(x).conv_transpose1d(&Tensor::ones(w), None, &options))
}

fn conv_with(x: &Tensor, w: &Tensor, b: &Tensor) -> Result<()> {
    no(x.conv2d(w, Some(b), &Conv::default()))
}

fn ints(shape: &[usize]) -> Result<Tensor> {
    Tensor::full(shape, 1.0, DType::I64)
}

#[rustfmt::skip] // One row a line.
pub const TABLE: &[Row] = &[
    (|_| conv(&[3, 4], &[2, 3, 2, 2], Conv::default()), Shape, "conv2d", &["Expected 3D (unbatched) or 4D (batched) input to conv2d, but got input of size: [3, 4]"]),
    (|_| conv(&[1, 1, 3, 4, 4], &[2, 3, 2, 2], Conv::default()), Shape, "conv2d", &["but got input of size: [1, 1, 3, 4, 4]"]),
    (|_| conv(&[1, 3, 4, 4], &[2, 3, 2], Conv::default()), Shape, "conv2d", &["expected a 4-dimensional weight", "size [2, 3, 2]"]),
    (|_| conv(&[1, 3, 4, 4], &[2, 3, 5, 2], Conv::default()), Shape, "conv2d", &["Calculated padded input size per channel: [4, 4]. Kernel size: [5, 2]", "Kernel size can't be greater than actual input size", "[1, 3, 4, 4]", "use a smaller kernel, more padding"]),
    (|_| conv(&[1, 3, 4, 4], &[2, 3, 3, 3], Conv { dilation: [1, 2], padding: Padding::Valid, ..Default::default() }), Shape, "conv2d", &["with dilation [1, 2]"]),
    (|_| conv(&[1, 3, 1, 1], &[2, 3, 4, 4], Conv { padding: [1, 1].into(), ..Default::default() }), Shape, "conv2d", &["padded input size per channel: [3, 3]. Kernel size: [4, 4]"]),
    (|_| conv(&[1, 3, 0, 4], &[2, 3, 1, 1], Conv::default()), Shape, "conv2d", &["padded input size per channel: [0, 4]"]),
    (|_| conv(&[1, 3, 4, 4], &[2, 3, 0, 2], Conv::default()), Shape, "conv2d", &["a kernel needs at least one position in each dimension", "[2, 3, 0, 2]"]),
    (|_| conv(&[1, 3, 4, 4], &[2, 3, 2, 2], Conv { stride: [1, 0], ..Default::default() }), Value, "conv2d", &["non-positive stride is not supported, but got [1, 0]; use 1 or more"]),
    (|_| conv(&[1, 3, 4, 4], &[2, 3, 2, 2], Conv { dilation: [0, 1], ..Default::default() }), Value, "conv2d", &["non-positive dilation is not supported, but got [0, 1]"]),
    (|_| conv(&[1, 3, 4, 4], &[2, 3, 2, 2], Conv { groups: 0, ..Default::default() }), Value, "conv2d", &["non-positive groups is not supported, but got [0]"]),
    (|_| conv(&[1, 3, 4, 4], &[2, 3, 2, 2], Conv { stride: [2, 1], padding: Padding::Same, ..Default::default() }), Value, "conv2d", &["padding='same' is not supported for strided convolutions, but got stride [2, 1]", "give the zeros"]),
    (|_| conv(&[1, 4, 4, 4], &[5, 2, 2, 2], Conv { groups: 2, ..Default::default() }), Shape, "conv2d", &["Given groups=2, expected weight to be divisible by 2 at dimension 0, but got weight of size [5, 2, 2, 2]"]),
    (|_| conv(&[1, 4, 4, 4], &[2, 2, 2, 2], Conv { groups: 3, ..Default::default() }), Shape, "conv2d", &["Given groups=3, expected weight to be at least 3 at dimension 0"]),
    (|_| conv(&[1, 5, 4, 4], &[4, 2, 2, 2], Conv { groups: 2, ..Default::default() }), Shape, "conv2d", &["Given groups=2, weight of size [4, 2, 2, 2], expected input [1, 5, 4, 4] to have 4 channels, but got 5"]),
    (|_| conv(&[2, 1, 4, 4], &[2, 3, 2, 2], Conv::default()), Shape, "conv2d", &["expected input [2, 1, 4, 4] to have 3 channels, but got 1 channels"]),
    (|_| conv(&[0, 1, 4, 4], &[2, 3, 2, 2], Conv::default()), Shape, "conv2d", &["expected input [0, 1, 4, 4] to have 3 channels"]),
    (|_| conv_with(&Tensor::ones([1, 3, 4, 4]), &Tensor::ones([2, 3, 2, 2]), &Tensor::ones([3])), Shape, "conv2d", &["expected bias to be 1-dimensional with 2 elements, but got bias of size [3]"]),
    (|_| conv_with(&Tensor::ones([1, 3, 4, 4]), &Tensor::ones([2, 3, 2, 2]), &ints(&[2])?), Type, "conv2d", &["Input type (float32) and bias type (int64) should be the same; convert with to_dtype"]),
    (|_| conv_with(&Tensor::ones([1, 3, 4, 4]), &ints(&[2, 3, 2, 2])?, &Tensor::ones([2])), Type, "conv2d", &["Input type (float32) and weight type (int64)"]),
    (|_| conv_with(&ints(&[1, 3, 4, 4])?, &ints(&[2, 3, 2, 2])?, &ints(&[2])?), Type, "conv2d", &["floating point tensor, got int64"]),
    (|_| conv(&[1, 1, 1, 1], &[1, 1, 1, 1], Conv { padding: [usize::MAX, 0].into(), ..Default::default() }), Memory, "conv2d", &["the padded image is too large", "use less padding"]),
    (|_| conv(&[1, 1, 4, 4], &[1, 1, 2, 2], Conv { dilation: [usize::MAX, 1], padding: Padding::Same, ..Default::default() }), Value, "conv2d", &["a kernel of 2 positions with dilation", "more than this machine can address"]),
    (|_| no(Tensor::ones([1, 3, 4, 4]).conv2d_then(&Tensor::ones([2, 3, 5, 5]), None, &Conv::default(), Activation::Relu)), Shape, "conv2d_then", &["Kernel size can't be greater"]),
    (|_| no(Tensor::ones([1, 3, 4]).conv1d_then(&Tensor::ones([2, 2, 2]), None, &Conv::default(), Activation::Tanh)), Shape, "conv1d_then", &["expected input [1, 3, 4] to have 2 channels"]),
    (|_| conv1(&[1, 1, 3, 4], &[2, 3, 2], Conv::default()), Shape, "conv1d", &["Expected 2D (unbatched) or 3D (batched) input to conv1d"]),
    (|_| conv1(&[1, 3, 4], &[2, 3, 5], Conv::default()), Shape, "conv1d", &["padded input size per channel: [4]. Kernel size: [5]"]),
    (|_| conv1(&[1, 3, 4], &[2, 3, 2], Conv { stride: [0], ..Default::default() }), Value, "conv1d", &["non-positive stride is not supported, but got [0]"]),

    (|_| transposed(&[3, 4], &[3, 2, 2, 2], ConvTranspose::default()), Shape, "conv_transpose2d", &["Expected 3D (unbatched) or 4D (batched) input to conv_transpose2d"]),
    (|_| transposed(&[1, 3, 4, 4], &[2, 3, 2, 2], ConvTranspose::default()), Shape, "conv_transpose2d", &["expected input [1, 3, 4, 4] to have 2 channels, but got 3"]),
    (|_| transposed(&[1, 3, 4, 4], &[3, 2, 2, 2], ConvTranspose { stride: [0, 1], ..Default::default() }), Value, "conv_transpose2d", &["non-positive stride is not supported, but got [0, 1]"]),
    (|_| transposed(&[1, 3, 4, 4], &[3, 2, 2, 2], ConvTranspose { dilation: [1, 0], ..Default::default() }), Value, "conv_transpose2d", &["non-positive dilation is not supported, but got [1, 0]"]),
    (|_| transposed(&[1, 3, 4, 4], &[3, 2, 2, 2], ConvTranspose { groups: 2, ..Default::default() }), Shape, "conv_transpose2d", &["expected weight to be divisible by 2 at dimension 0"]),
    (|_| transposed(&[1, 3, 4, 4], &[3, 2, 2, 2], ConvTranspose { output_padding: [1, 0], ..Default::default() }), Value, "conv_transpose2d", &["output padding must be smaller than either stride or dilation", "output_padding [1, 0], stride [1, 1], dilation [1, 1]"]),
    (|_| transposed(&[1, 3, 1, 1], &[3, 2, 2, 2], ConvTranspose { padding: [1, 0], ..Default::default() }), Shape, "conv_transpose2d", &["Given input size [1, 3, 1, 1]", "the calculated output size [0, 2] is too small; use less padding"]),
    (|_| transposed(&[1, 1, 4, 4], &[1, 1, 2, 2], ConvTranspose { stride: [usize::MAX, 1], ..Default::default() }), Memory, "conv_transpose2d", &["too large", "use less padding, stride or dilation"]),
    (|_| no(Tensor::ones([1, 3, 4, 4]).conv_transpose2d(&Tensor::ones([3, 2, 2, 2]), Some(&Tensor::ones([3])), &ConvTranspose::default())), Shape, "conv_transpose2d", &["expected bias to be 1-dimensional with 2 elements"]),
    (|_| no(ints(&[1, 3, 4, 4])?.conv_transpose2d(&ints(&[3, 2, 2, 2])?, None, &ConvTranspose::default())), Type, "conv_transpose2d", &["floating point tensor, got int64"]),
    (|_| transposed1(&[1, 3, 4, 4], &[3, 2, 2], ConvTranspose::default()), Shape, "conv_transpose1d", &["Expected 2D (unbatched) or 3D (batched) input"]),
    (|_| transposed1(&[1, 3, 4], &[4, 2, 2], ConvTranspose::default()), Shape, "conv_transpose1d", &["to have 4 channels, but got 3"]),
];
