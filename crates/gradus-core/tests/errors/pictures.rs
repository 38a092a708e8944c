//! What is done to pictures beside convolutions: pooling, other sizes, normalisation of channels.

use super::{Row, no};
use Kind::{DType as Type, Index, Shape, Value};
use gradus_core::pool::{AvgPool, MaxPool, Mode, Resize};
use gradus_core::{DType, Kind, Result, Tensor};

fn max(x: &[usize], kernel: [usize; 2], options: MaxPool<2>) -> Result<()> {
    no(Tensor::ones(x).max_pool2d(kernel, &options))
}

fn mean(x: &[usize], kernel: [usize; 2], options: AvgPool<2>) -> Result<()> {
    no(Tensor::ones(x).avg_pool2d(kernel, &options))
}

fn resize(x: &[usize], to: Resize<2>) -> Result<()> {
    no(Tensor::ones(x).interpolate(to, Mode::Nearest))
}

/// Back from maxima of this shape at these places.
fn unpool(y: &[usize], places: Result<Tensor>, size: Option<[usize; 2]>) -> Result<()> {
    no(Tensor::ones(y).max_unpool2d(&places?, [2, 2], &MaxPool::default(), size))
}

fn ints(shape: &[usize]) -> Result<Tensor> {
    Tensor::full(shape, 1.0, DType::I64)
}

/// In training, without anything beside the input.
fn batch_norm(x: &Tensor) -> Result<()> {
    no(x.batch_norm(None, None, None, None, true, 0.1, 1e-5))
}

const INTEGERS: &[&str] = &["floating point tensor, got int64"];
const TOO_SMALL: &str = "Output size is too small";

#[rustfmt::skip] // One row a line.
pub const TABLE: &[Row] = &[
    (|_| max(&[4, 4], [2, 2], MaxPool::default()), Shape, "max_pool2d", &["Expected 3D or 4D (batch mode) tensor", "[4, 4]"]),
    (|_| max(&[1, 3, 0, 4], [2, 2], MaxPool::default()), Shape, "max_pool2d", &["but got: [1, 3, 0, 4]"]),
    (|_| max(&[1, 3, 4, 5], [5, 2], MaxPool::default()), Shape, "max_pool2d", &["Given input size: [1, 3, 4, 5]", TOO_SMALL, "4 positions with padding 0 on both sides have no window of 5", "use smaller windows"]),
    (|_| max(&[3, 1, 1], [2, 2], MaxPool::default()), Shape, "max_pool2d", &["Given input size: [3, 1, 1]", TOO_SMALL]),
    (|_| max(&[1, 3, 4, 4], [2, 2], MaxPool { dilation: [4, 1], ..Default::default() }), Shape, "max_pool2d", &[TOO_SMALL, "with dilation 4"]),
    (|_| max(&[1, 3, 4, 4], [0, 2], MaxPool::default()), Value, "max_pool2d", &["kernel size should be greater than zero, but got kernel size 0, stride 0 and dilation 1"]),
    (|_| max(&[1, 3, 4, 4], [2, 2], MaxPool { stride: Some([1, 0]), ..Default::default() }), Value, "max_pool2d", &["stride should be greater than zero, but got kernel size 2, stride 0"]),
    (|_| max(&[1, 3, 4, 4], [2, 2], MaxPool { dilation: [0, 1], ..Default::default() }), Value, "max_pool2d", &["dilation should be greater than zero", "dilation 0"]),
    (|_| max(&[1, 3, 4, 4], [2, 2], MaxPool { padding: [2, 0], ..Default::default() }), Value, "max_pool2d", &["pad should be at most half of effective kernel size, but got pad=2, kernel_size=2 and dilation=1; pad first for more"]),
    (|_| max(&[1, 3, 4, 4], [usize::MAX, 1], MaxPool::default()), Shape, "max_pool2d", &[TOO_SMALL]),
    (|_| no(ints(&[1, 3, 4, 4])?.max_pool2d([2, 2], &MaxPool::default())), Type, "max_pool2d", INTEGERS),
    (|_| no(Tensor::ones([1, 3, 4]).max_pool1d([5], &MaxPool::default())), Shape, "max_pool1d", &["Given input size: [1, 3, 4]", TOO_SMALL]),
    (|_| no(Tensor::ones([4]).max_pool1d([2], &MaxPool::default())), Shape, "max_pool1d", &["Expected 2D or 3D (batch mode) tensor", "[4]"]),
    (|_| no(Tensor::ones([1, 3, 4]).max_pool1d([0], &MaxPool::default())), Value, "max_pool1d", &["kernel size should be greater than zero"]),
    (|_| no(Tensor::ones([1, 3, 4, 4]).max_pool2d_with_indices([5, 5], &MaxPool::default())), Shape, "max_pool2d_with_indices", &["[1, 3, 4, 4]", TOO_SMALL]),
    (|_| no(ints(&[1, 3, 4, 4])?.max_pool2d_with_indices([2, 2], &MaxPool::default())), Type, "max_pool2d_with_indices", INTEGERS),
    (|_| unpool(&[2, 2], ints(&[2, 2]), None), Shape, "max_unpool2d", &["should be a 3d or 4d Tensor", "[2, 2]"]),
    (|_| unpool(&[1, 2, 2], ints(&[1, 2, 1]), None), Shape, "max_unpool2d", &["Expected shape of indices to be same as that of the input tensor [1, 2, 2] but got [1, 2, 1]"]),
    (|_| unpool(&[1, 1, 1], Ok(Tensor::from([[[4]]])), None), Index, "max_unpool2d", &["4"]),
    (|_| unpool(&[1, 1, 1], Ok(Tensor::from([[[1.0]]])), None), Type, "max_unpool2d", &["float32"]),
    (|_| unpool(&[1, 1, 1], ints(&[1, 1, 1]), Some([0, 3])), Index, "max_unpool2d", &["1"]),
    (|_| no(Tensor::ones([1, 1, 1]).max_unpool2d(&ints(&[1, 1, 1])?, [1, 1], &MaxPool { padding: [1, 1], ..Default::default() }, None)), Shape, "max_unpool2d", &["no picture has pooled to shape [1, 1, 1] with kernel [1, 1]", "give the size"]),
    (|_| mean(&[4, 4], [2, 2], AvgPool::default()), Shape, "avg_pool2d", &["Expected 3D or 4D (batch mode) tensor"]),
    (|_| mean(&[1, 3, 4, 5], [2, 6], AvgPool::default()), Shape, "avg_pool2d", &["Given input size: [1, 3, 4, 5]", TOO_SMALL, "5 positions"]),
    (|_| mean(&[1, 3, 4, 4], [2, 2], AvgPool { stride: Some([0, 1]), ..Default::default() }), Value, "avg_pool2d", &["stride should be greater than zero"]),
    (|_| mean(&[1, 3, 4, 4], [2, 2], AvgPool { padding: [0, 2], ..Default::default() }), Value, "avg_pool2d", &["pad should be at most half of effective kernel size"]),
    (|_| mean(&[1, 3, 4, 4], [2, 2], AvgPool { divisor_override: Some(0), ..Default::default() }), Value, "avg_pool2d", &["divisor must be not zero", "divisor_override=0"]),
    (|_| no(ints(&[1, 3, 4, 4])?.avg_pool2d([2, 2], &AvgPool::default())), Type, "avg_pool2d", INTEGERS),
    (|_| no(Tensor::ones([1, 3, 4]).avg_pool1d([5], &AvgPool::default())), Shape, "avg_pool1d", &["Given input size: [1, 3, 4]", TOO_SMALL]),
    (|_| no(ints(&[1, 3, 4])?.avg_pool1d([2], &AvgPool::default())), Type, "avg_pool1d", INTEGERS),
    (|_| no(Tensor::ones([4]).adaptive_avg_pool1d([2])), Shape, "adaptive_avg_pool1d", &["Expected 2D or 3D (batch mode) tensor", "[4]"]),
    (|_| no(Tensor::ones([1, 3, 0, 2]).adaptive_avg_pool2d([2, 2])), Shape, "adaptive_avg_pool2d", &["[1, 3, 0, 2]"]),
    (|_| no(ints(&[1, 3, 4, 4])?.adaptive_avg_pool2d([2, 2])), Type, "adaptive_avg_pool2d", INTEGERS),
    (|_| no(Tensor::ones([4]).adaptive_max_pool1d([2])), Shape, "adaptive_max_pool1d", &["[4]"]),
    (|_| no(Tensor::ones([4, 4]).adaptive_max_pool2d([2, 2])), Shape, "adaptive_max_pool2d", &["Expected 3D or 4D (batch mode) tensor", "[4, 4]"]),
    (|_| no(ints(&[1, 3, 4, 4])?.adaptive_max_pool2d([2, 2])), Type, "adaptive_max_pool2d", INTEGERS),

    (|_| resize(&[3, 4, 4], Resize::Size([2, 2])), Shape, "interpolate", &["Got 3D input [3, 4, 4] and 2 sizes or scales: expected one for 3D or two for 4D"]),
    (|_| resize(&[1, 3, 0, 4], Resize::Size([2, 2])), Shape, "interpolate", &["[1, 3, 0, 4]"]),
    (|_| resize(&[1, 3, 4, 4], Resize::Size([0, 2])), Shape, "interpolate", &["Input and output sizes should be greater than 0, but got input 4 and output 0; use larger"]),
    (|_| resize(&[1, 3, 1, 1], Resize::Scale([0.5, 1.0])), Shape, "interpolate", &["but got input 1 and output 0"]),
    (|_| resize(&[1, 3, 4, 4], Resize::Scale([-1.0, 1.0])), Value, "interpolate", &["Scale factors should be positive and finite, but got -1 for 4 positions"]),
    (|_| resize(&[1, 3, 4, 4], Resize::Scale([f64::INFINITY, 1.0])), Value, "interpolate", &["but got inf"]),
    (|_| resize(&[1, 3, 4, 4], Resize::Scale([1.0, f64::NAN])), Value, "interpolate", &["but got NaN"]),
    (|_| no(ints(&[1, 3, 4, 4])?.interpolate(Resize::Size([2, 2]), Mode::Nearest)), Type, "interpolate", INTEGERS),
    (|t| no(t.a.pixel_shuffle(2)), Shape, "pixel_shuffle", &["at least 3 dimensions, but got input with shape [2, 3]"]),
    (|_| no(Tensor::ones([6, 2, 2]).pixel_shuffle(2)), Shape, "pixel_shuffle", &["divisible by the square of upscale_factor", "input.size(-3)=6 is not divisible by 2 squared", "[6, 2, 2]"]),
    (|_| no(Tensor::ones([4, 2, 2]).pixel_shuffle(0)), Shape, "pixel_shuffle", &["not divisible by 0 squared"]),
    (|_| no(Tensor::ones([4, 2, 2]).pixel_shuffle(usize::MAX)), Shape, "pixel_shuffle", &["not divisible"]),
    (|t| no(t.a.pixel_unshuffle(2)), Shape, "pixel_unshuffle", &["at least 3 dimensions"]),
    (|_| no(Tensor::ones([1, 3, 4]).pixel_unshuffle(2)), Shape, "pixel_unshuffle", &["divisible by downscale_factor, but 3 and 4 are not divisible by 2", "[1, 3, 4]"]),
    (|_| no(Tensor::ones([1, 4, 4]).pixel_unshuffle(0)), Shape, "pixel_unshuffle", &["not divisible by 0"]),

    (|t| batch_norm(&t.v), Shape, "batch_norm", &["Expected at least 2 dimensions for input tensor but received 1", "[3]"]),
    (|t| batch_norm(&t.i), Type, "batch_norm", INTEGERS),
    (|_| batch_norm(&Tensor::ones([1, 3, 1, 1])), Value, "batch_norm", &["Expected more than 1 value per channel when training, got input size [1, 3, 1, 1]", "larger batches, or evaluation mode"]),
    (|t| no(t.a.batch_norm(None, None, None, None, false, 0.1, 1e-5)), Value, "batch_norm", &["running_mean must be defined in evaluation mode; give it"]),
    (|t| no(t.a.batch_norm(Some(&t.v), None, None, None, false, 0.1, 1e-5)), Value, "batch_norm", &["running_var must be defined"]),
    (|t| no(t.a.batch_norm(Some(&t.w), Some(&t.v), None, None, true, 0.1, 1e-5)), Shape, "batch_norm", &["running_mean should contain 3 elements, one for each channel, but is of shape [4]"]),
    (|t| no(t.a.batch_norm(None, None, Some(&t.w), None, true, 0.1, 1e-5)), Shape, "batch_norm", &["weight should contain 3 elements"]),
    (|t| no(t.a.batch_norm(None, None, None, Some(&t.d), true, 0.1, 1e-5)), Type, "batch_norm", &["expected bias to have the input's dtype float32, got float64; convert with to_dtype"]),
    (|t| no(t.v.group_norm(1, None, None, 1e-5)), Shape, "group_norm", &["Expected at least 2 dimensions", "[3]"]),
    (|t| no(t.a.group_norm(2, None, None, 1e-5)), Shape, "group_norm", &["divisible by num_groups, but got input of shape [2, 3] and num_groups=2"]),
    (|t| no(t.a.group_norm(0, None, None, 1e-5)), Shape, "group_norm", &["num_groups=0"]),
    (|_| no(Tensor::ones([1, 3, 1, 1]).group_norm(3, None, None, 1e-5)), Value, "group_norm", &["Expected more than 1 value per channel when training, got input size [1, 3, 1, 1] and num_groups=3", "fewer groups"]),
    (|t| no(t.a.group_norm(1, Some(&t.w), None, 1e-5)), Shape, "group_norm", &["weight should contain 3 elements"]),
    (|t| no(t.i.group_norm(1, None, None, 1e-5)), Type, "group_norm", INTEGERS),
    (|_| no(Tensor::ones([2, 3, 1, 1]).instance_norm(None, None, 1e-5)), Value, "instance_norm", &["Expected more than 1 spatial element when training, got input size [2, 3, 1, 1]; use larger inputs"]),
    (|t| no(t.v.instance_norm(None, None, 1e-5)), Shape, "instance_norm", &["Expected at least 2 dimensions"]),
    (|_| no(Tensor::ones([2, 3, 2, 2]).instance_norm(None, Some(&Tensor::ones([2])), 1e-5)), Shape, "instance_norm", &["bias should contain 3 elements"]),
    (|_| no(ints(&[2, 3, 2])?.instance_norm(None, None, 1e-5)), Type, "instance_norm", INTEGERS),
    (|t| no(t.v.dropout2d(0.5, true)), Shape, "dropout2d", &["at least 2 dimensions, [n, c, ...], but got shape [3]"]),
    (|t| no(t.a.dropout2d(1.5, true)), Value, "dropout2d", &["dropout probability has to be between 0 and 1, but got 1.5"]),
    (|t| no(t.a.dropout2d(f64::NAN, false)), Value, "dropout2d", &["but got NaN"]),
    (|t| no(t.i.dropout2d(0.5, true)), Type, "dropout2d", INTEGERS),
];
