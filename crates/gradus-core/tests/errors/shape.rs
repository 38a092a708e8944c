//! Other shapes.

use super::{RANGE, Row, no};
use Kind::{DType as Type, Index, Shape, Value};
use gradus_core::{Kind, Tensor};

#[rustfmt::skip] // One row a line.
pub const TABLE: &[Row] = &[
    (|t| no(t.a.reshape([4])), Shape, "reshape", &["shape '[4]' is invalid for input of size 6"]),
    (|t| no(t.a.reshape([4, -1])), Shape, "reshape", &["shape '[4, -1]' is invalid for input of size 6"]),
    (|t| no(t.a.reshape([-2, 3])), Shape, "reshape", &["shape '[-2, 3]' is invalid for input of size 6"]),
    (|t| no(t.a.reshape([-1, -1])), Shape, "reshape", &["only one dimension can be inferred"]),
    (|t| no(t.e.reshape([-1, 0])), Shape, "reshape", &["cannot reshape tensor of 0 elements", "ambiguous"]),
    (|t| no(t.a.reshape(&[7][..])), Shape, "reshape", &["shape '[7]' is invalid for input of size 6"]),
    (|t| no(t.a.flatten(0, 2)), Index, "flatten", RANGE),
    (|t| no(t.a.flatten(1, 0)), Index, "flatten", &["start_dim 1 cannot come after end_dim 0"]),
    (|t| no(t.a.unsqueeze(3)), Index, "unsqueeze", &["in range of [-3, 2], but got 3"]),
    (|t| no(t.a.squeeze(2)), Index, "squeeze", RANGE),
    (|t| no(t.a.transpose(0, 2)), Index, "transpose", RANGE),
    (|t| no(t.a.unsqueeze(0)?.t()), Shape, "t", &["<= 2 dimensions, but self is 3D", "transpose"]),
    (|t| no(t.a.permute([0, 2])), Index, "permute", RANGE),
    (|t| no(t.a.permute([0, 0])), Shape, "permute", &["[0, 0]", "each of the 2 dimensions", "once"]),
    (|t| no(t.a.permute([0])), Shape, "permute", &["[0]", "each of the 2 dimensions"]),
    (|t| no(t.a.broadcast_to([2, 4])), Shape, "broadcast_to", &["[2, 3] cannot be broadcast to [2, 4]", "equal or 1"]),
    (|t| no(t.a.broadcast_to([3])), Shape, "broadcast_to", &["[2, 3] cannot be broadcast to [3]"]),
    (|_| no(Tensor::cat(&[], 0)), Value, "cat", &["expected a non-empty list of Tensors"]),
    (|t| no(Tensor::cat(&[&t.s], 0)), Shape, "cat", &["zero-dimensional tensors cannot be concatenated", "stack"]),
    (|t| no(Tensor::cat(&[&t.a, &t.a], 2)), Index, "cat", RANGE),
    (|t| no(Tensor::cat(&[&t.v, &t.a], 0)), Shape, "cat", &["Sizes of tensors must match except in dimension 0", "[3]", "[2, 3]"]),
    (|t| no(Tensor::cat(&[&t.a, &t.i], 0)), Type, "cat", &["tensor 0 is float32 and tensor 1 is int64", "to_dtype"]),
    (|_| no(Tensor::stack(&[], 0)), Value, "stack", &["expected a non-empty list of Tensors"]),
    (|t| no(Tensor::stack(&[&t.v, &t.w], 0)), Shape, "stack", &["equal size, but got [3] at entry 0 and [4] at entry 1"]),
    (|t| no(Tensor::stack(&[&t.v], 2)), Index, "stack", RANGE),
];
