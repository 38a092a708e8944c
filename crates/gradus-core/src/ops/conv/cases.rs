//! The cases that the generic tests run.

use super::function::WeightGradient;
use super::{Conv, ConvTranspose, Padding, check};
use crate::autograd::apply;
use crate::error::Result;
use crate::ops::Activation;
use crate::ops::registry::{Case, Input};
use crate::tensor::Tensor;

const DEFAULT: Conv<2> = Conv {
    stride: [1, 1],
    padding: Padding::Valid,
    dilation: [1, 1],
    groups: 1,
};
const ROWS: Conv<1> = Conv {
    stride: [1],
    padding: Padding::Valid,
    dilation: [1],
    groups: 1,
};
const TRANSPOSED: ConvTranspose<2> = ConvTranspose {
    stride: [1, 1],
    padding: [0, 0],
    output_padding: [0, 0],
    dilation: [1, 1],
    groups: 1,
};

/// A convolution as a function of input, weight and perhaps a bias.
fn conv2d(x: &[Tensor], options: Conv<2>) -> Result<Tensor> {
    x[0].conv2d(&x[1], x.get(2), &options)
}

fn conv1d(x: &[Tensor], options: Conv<1>) -> Result<Tensor> {
    x[0].conv1d(&x[1], x.get(2), &options)
}

/// The same with an activation.
fn conv2d_then(x: &[Tensor], options: Conv<2>, activation: Activation) -> Result<Tensor> {
    x[0].conv2d_then(&x[1], x.get(2), &options, activation)
}

fn conv1d_then(x: &[Tensor], options: Conv<1>, activation: Activation) -> Result<Tensor> {
    x[0].conv1d_then(&x[1], x.get(2), &options, activation)
}

fn conv_transpose2d(x: &[Tensor], options: ConvTranspose<2>) -> Result<Tensor> {
    x[0].conv_transpose2d(&x[1], x.get(2), &options)
}

/// The gradient of a weight of this shape from an input and an output's gradient.
fn weight<const N: usize>(x: &[Tensor], shape: &[usize], options: Conv<N>) -> Result<Tensor> {
    let wrong = || {
        crate::error::err!(
            Shape,
            "conv: a batch and the gradient of its output are needed"
        )
    };
    if x[0].ndim() != N + 2 || x[0].dtype() != x[1].dtype() {
        return Err(wrong());
    }
    let geometry = check::convolution("conv", [x[0].shape(), shape], &options)?;
    let output = check::output_shape::<N>(x[0].shape()[0], shape[0], &geometry);
    if x[1].shape() != output.as_slice() {
        return Err(wrong());
    }
    apply(WeightGradient { dims: N, geometry }, &[&x[0], &x[1]])
}

pub(in crate::ops) const CASES: &[Case] = &[
    Case::new(
        "conv2d",
        &[
            Input::real(&[2, 3, 5, 4]),
            Input::real(&[4, 3, 3, 2]),
            Input::real(&[4]),
        ],
        |x| conv2d(x, DEFAULT),
    )
    .torch("F.conv2d(x[0], x[1], x[2])"),
    // A border of the input that no output needs.
    Case::new(
        "conv2d",
        &[Input::real(&[1, 2, 6, 7]), Input::real(&[3, 2, 3, 2])],
        |x| {
            conv2d(
                x,
                Conv {
                    stride: [2, 3],
                    ..DEFAULT
                },
            )
        },
    )
    .torch("F.conv2d(x[0], x[1], stride=(2, 3))"),
    Case::new(
        "conv2d",
        &[
            Input::real(&[2, 2, 4, 5]),
            Input::real(&[3, 2, 3, 3]),
            Input::real(&[3]),
        ],
        |x| {
            conv2d(
                x,
                Conv {
                    stride: [2, 1],
                    padding: Padding::Each([1, 2]),
                    ..DEFAULT
                },
            )
        },
    )
    .torch("F.conv2d(x[0], x[1], x[2], (2, 1), (1, 2))"),
    // An even kernel: a row more of zeros at the end than before.
    Case::new(
        "conv2d",
        &[
            Input::real(&[1, 2, 3, 4]),
            Input::real(&[2, 2, 2, 4]),
            Input::real(&[2]),
        ],
        |x| {
            conv2d(
                x,
                Conv {
                    padding: Padding::Same,
                    ..DEFAULT
                },
            )
        },
    )
    .torch("F.conv2d(x[0], x[1], x[2], padding='same')"),
    Case::new(
        "conv2d",
        &[Input::real(&[1, 1, 6, 7]), Input::real(&[2, 1, 3, 2])],
        |x| {
            conv2d(
                x,
                Conv {
                    dilation: [2, 3],
                    padding: Padding::Each([1, 0]),
                    ..DEFAULT
                },
            )
        },
    )
    .torch("F.conv2d(x[0], x[1], dilation=(2, 3), padding=(1, 0))"),
    // Taps that some phases of the strides never meet.
    Case::new(
        "conv2d",
        &[Input::real(&[1, 1, 9, 8]), Input::real(&[1, 1, 2, 3])],
        |x| {
            conv2d(
                x,
                Conv {
                    stride: [4, 3],
                    dilation: [2, 2],
                    padding: Padding::Each([2, 1]),
                    ..DEFAULT
                },
            )
        },
    )
    .torch("F.conv2d(x[0], x[1], stride=(4, 3), dilation=2, padding=(2, 1))"),
    Case::new(
        "conv2d",
        &[
            Input::real(&[2, 4, 3, 3]),
            Input::real(&[6, 2, 2, 2]),
            Input::real(&[6]),
        ],
        |x| {
            conv2d(
                x,
                Conv {
                    groups: 2,
                    ..DEFAULT
                },
            )
        },
    )
    .torch("F.conv2d(x[0], x[1], x[2], groups=2)"),
    // Depthwise, one output a channel and two.
    Case::new(
        "conv2d",
        &[
            Input::real(&[2, 3, 4, 4]),
            Input::real(&[3, 1, 3, 3]),
            Input::real(&[3]),
        ],
        |x| {
            conv2d(
                x,
                Conv {
                    groups: 3,
                    padding: Padding::Each([1, 1]),
                    ..DEFAULT
                },
            )
        },
    )
    .torch("F.conv2d(x[0], x[1], x[2], groups=3, padding=1)"),
    Case::new(
        "conv2d",
        &[Input::real(&[1, 2, 3, 4]), Input::real(&[4, 1, 2, 2])],
        |x| {
            conv2d(
                x,
                Conv {
                    groups: 2,
                    stride: [1, 2],
                    ..DEFAULT
                },
            )
        },
    )
    .torch("F.conv2d(x[0], x[1], groups=2, stride=(1, 2))"),
    Case::new(
        "conv2d",
        &[
            Input::real(&[2, 4, 3]),
            Input::real(&[3, 2, 1, 2]),
            Input::real(&[3]),
        ],
        |x| conv2d(x, DEFAULT),
    )
    .torch("F.conv2d(x[0], x[1], x[2])"),
    Case::new(
        "conv2d",
        &[
            Input::real(&[2, 3, 3, 2]),
            Input::real(&[4, 3, 1, 1]),
            Input::real(&[4]),
        ],
        |x| conv2d(x, DEFAULT),
    )
    .torch("F.conv2d(x[0], x[1], x[2])"),
    Case::new(
        "conv2d",
        &[Input::real(&[3, 2, 1, 1]), Input::real(&[2, 2, 3, 3])],
        |x| {
            conv2d(
                x,
                Conv {
                    padding: Padding::Each([1, 1]),
                    ..DEFAULT
                },
            )
        },
    )
    .torch("F.conv2d(x[0], x[1], padding=1)"),
    Case::new(
        "conv1d",
        &[
            Input::real(&[2, 3, 7]),
            Input::real(&[4, 3, 3]),
            Input::real(&[4]),
        ],
        |x| {
            conv1d(
                x,
                Conv {
                    stride: [2],
                    padding: Padding::Each([1]),
                    ..ROWS
                },
            )
        },
    )
    .torch("F.conv1d(x[0], x[1], x[2], 2, 1)"),
    Case::new(
        "conv1d",
        &[Input::real(&[2, 5]), Input::real(&[2, 1, 4])],
        |x| {
            conv1d(
                x,
                Conv {
                    padding: Padding::Same,
                    groups: 2,
                    ..ROWS
                },
            )
        },
    )
    .torch("F.conv1d(x[0], x[1], padding='same', groups=2)"),
    Case::new(
        "conv1d",
        &[Input::real(&[1, 2, 9]), Input::real(&[3, 2, 3])],
        |x| {
            conv1d(
                x,
                Conv {
                    dilation: [3],
                    ..ROWS
                },
            )
        },
    )
    .torch("F.conv1d(x[0], x[1], dilation=3)"),
    Case::new(
        "conv2d_relu",
        &[
            Input::real(&[2, 3, 5, 4]),
            Input::real(&[4, 3, 3, 2]),
            Input::real(&[4]),
        ],
        |x| conv2d_then(x, DEFAULT, Activation::Relu),
    )
    .torch("F.relu(F.conv2d(x[0], x[1], x[2]))"),
    // In groups, of which each has only some channels of the result.
    Case::new(
        "conv2d_sigmoid",
        &[
            Input::real(&[2, 4, 3, 3]),
            Input::real(&[6, 2, 2, 2]),
            Input::real(&[6]),
        ],
        |x| {
            conv2d_then(
                x,
                Conv {
                    groups: 2,
                    ..DEFAULT
                },
                Activation::Sigmoid,
            )
        },
    )
    .torch("torch.sigmoid(F.conv2d(x[0], x[1], x[2], groups=2))"),
    // Depthwise.
    Case::new(
        "conv2d_tanh",
        &[Input::real(&[3, 4, 4]), Input::real(&[3, 1, 3, 3])],
        |x| {
            conv2d_then(
                x,
                Conv {
                    groups: 3,
                    padding: Padding::Same,
                    ..DEFAULT
                },
                Activation::Tanh,
            )
        },
    )
    .torch("torch.tanh(F.conv2d(x[0], x[1], groups=3, padding='same'))"),
    Case::new(
        "conv1d_relu",
        &[Input::real(&[2, 5]), Input::real(&[3, 2, 2])],
        |x| conv1d_then(x, ROWS, Activation::Relu),
    )
    .torch("F.relu(F.conv1d(x[0], x[1]))"),
    Case::new(
        "conv1d_sigmoid",
        &[
            Input::real(&[2, 3, 7]),
            Input::real(&[4, 3, 3]),
            Input::real(&[4]),
        ],
        |x| {
            conv1d_then(
                x,
                Conv {
                    stride: [2],
                    padding: Padding::Each([1]),
                    ..ROWS
                },
                Activation::Sigmoid,
            )
        },
    )
    .torch("torch.sigmoid(F.conv1d(x[0], x[1], x[2], 2, 1))"),
    Case::new(
        "conv1d_tanh",
        &[
            Input::real(&[1, 2, 6]),
            Input::real(&[3, 2, 3]),
            Input::real(&[3]),
        ],
        |x| conv1d_then(x, ROWS, Activation::Tanh),
    )
    .torch("torch.tanh(F.conv1d(x[0], x[1], x[2]))"),
    Case::new(
        "conv_transpose2d",
        &[
            Input::real(&[2, 3, 3, 2]),
            Input::real(&[3, 4, 2, 3]),
            Input::real(&[4]),
        ],
        |x| conv_transpose2d(x, TRANSPOSED),
    )
    .torch("F.conv_transpose2d(x[0], x[1], x[2])"),
    Case::new(
        "conv_transpose2d",
        &[
            Input::real(&[1, 2, 3, 3]),
            Input::real(&[2, 3, 3, 2]),
            Input::real(&[3]),
        ],
        |x| {
            conv_transpose2d(
                x,
                ConvTranspose {
                    stride: [2, 3],
                    padding: [1, 0],
                    output_padding: [1, 2],
                    ..TRANSPOSED
                },
            )
        },
    )
    .torch("F.conv_transpose2d(x[0], x[1], x[2], (2, 3), (1, 0), (1, 2))"),
    // Positions of the output that no tap meets but the bias.
    Case::new(
        "conv_transpose2d",
        &[
            Input::real(&[1, 1, 2, 3]),
            Input::real(&[1, 2, 1, 2]),
            Input::real(&[2]),
        ],
        |x| {
            conv_transpose2d(
                x,
                ConvTranspose {
                    stride: [2, 4],
                    dilation: [1, 2],
                    ..TRANSPOSED
                },
            )
        },
    )
    .torch("F.conv_transpose2d(x[0], x[1], x[2], (2, 4), dilation=(1, 2))"),
    Case::new(
        "conv_transpose2d",
        &[
            Input::real(&[1, 4, 2, 2]),
            Input::real(&[4, 3, 2, 2]),
            Input::real(&[6]),
        ],
        |x| {
            conv_transpose2d(
                x,
                ConvTranspose {
                    groups: 2,
                    padding: [1, 0],
                    ..TRANSPOSED
                },
            )
        },
    )
    .torch("F.conv_transpose2d(x[0], x[1], x[2], groups=2, padding=(1, 0))"),
    Case::new(
        "conv_transpose2d",
        &[Input::real(&[2, 3, 2]), Input::real(&[2, 1, 2, 2])],
        |x| {
            conv_transpose2d(
                x,
                ConvTranspose {
                    groups: 2,
                    dilation: [2, 1],
                    ..TRANSPOSED
                },
            )
        },
    )
    .torch("F.conv_transpose2d(x[0], x[1], groups=2, dilation=(2, 1))"),
    Case::new(
        "conv_transpose1d",
        &[
            Input::real(&[2, 3, 4]),
            Input::real(&[3, 2, 3]),
            Input::real(&[2]),
        ],
        |x| {
            let options = ConvTranspose {
                stride: [2],
                padding: [1],
                output_padding: [1],
                ..Default::default()
            };
            x[0].conv_transpose1d(&x[1], x.get(2), &options)
        },
    )
    .torch("F.conv_transpose1d(x[0], x[1], x[2], 2, 1, 1)"),
    Case::new(
        "conv_transpose1d",
        &[Input::real(&[2, 4]), Input::real(&[2, 3, 2])],
        |x| x[0].conv_transpose1d(&x[1], None, &ConvTranspose::default()),
    )
    .torch("F.conv_transpose1d(x[0], x[1])"),
    Case::new(
        "conv2d_weight",
        &[Input::real(&[2, 2, 5, 4]), Input::real(&[2, 3, 2, 4])],
        |x| {
            weight(
                x,
                &[3, 2, 3, 3],
                Conv {
                    stride: [2, 1],
                    padding: Padding::Each([0, 1]),
                    ..DEFAULT
                },
            )
        },
    )
    .torch("torch.nn.grad.conv2d_weight(x[0], (3, 2, 3, 3), x[1], (2, 1), (0, 1))"),
    Case::new(
        "conv1d_weight",
        &[Input::real(&[2, 4, 5]), Input::real(&[2, 2, 3])],
        |x| {
            weight(
                x,
                &[2, 2, 2],
                Conv {
                    dilation: [2],
                    groups: 2,
                    ..ROWS
                },
            )
        },
    )
    .torch("torch.nn.grad.conv1d_weight(x[0], (2, 2, 2), x[1], dilation=2, groups=2)"),
];
