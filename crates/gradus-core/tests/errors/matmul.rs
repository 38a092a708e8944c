//! Products.

use super::{Row, no};
use Kind::{DType as Type, Shape};
use gradus_core::{Activation, Kind, Tensor};

#[rustfmt::skip] // One row a line.
pub const TABLE: &[Row] = &[
    (|t| no(t.a.matmul(&t.a)), Shape, "matmul", &["mat1 and mat2 shapes cannot be multiplied", "[2, 3] is 3", "[2, 3] is 2"]),
    (|t| no(t.a.matmul(&t.w)), Shape, "matmul", &["[2, 3] is 3", "the size of [4] is 4"]),
    (|t| no(t.a.matmul(&t.s)), Shape, "matmul", &["at least 1D, but they are 2D and 0D"]),
    (|t| no(t.a.matmul(&t.d)), Type, "matmul", &["same dtype, but got float32 and float64"]),
    (|t| no(t.b.matmul(&t.b.t()?)), Type, "matmul", &["not implemented for 'bool'", "to_dtype"]),
    (|t| no(t.i.matmul(&t.i)), Shape, "matmul", &["mat1 and mat2 shapes cannot be multiplied"]),
    (|_| no(Tensor::ones([2, 1, 3]).matmul(&Tensor::ones([3, 3, 1]))), Shape, "matmul", &["(2) must match", "(3) at non-singleton dimension 0"]),
    (|t| no(t.w.linear(&t.a, None)), Shape, "linear", &["got 4 features", "[2, 3] takes 3"]),
    (|t| no(t.v.linear(&t.v, None)), Shape, "linear", &["a weight [out, in]", "[3] and [3]"]),
    (|t| no(t.v.linear(&t.a, Some(&t.v))), Shape, "linear", &["a bias of shape [2] is needed, got [3]"]),
    (|t| no(t.d.linear(&t.a, None)), Type, "linear", &["float64 and float32"]),
    (|t| no(t.w.linear_then(&t.a, None, Activation::Relu)), Shape, "linear_then", &["got 4 features", "[2, 3] takes 3"]),
    (|t| no(t.v.linear_then(&t.v, None, Activation::Tanh)), Shape, "linear_then", &["a weight [out, in]", "[3] and [3]"]),
    (|t| no(t.v.linear_then(&t.a, Some(&t.v), Activation::Tanh)), Shape, "linear_then", &["a bias of shape [2] is needed, got [3]"]),
    (|t| no(t.d.linear_then(&t.a, None, Activation::Sigmoid)), Type, "linear_then", &["float64 and float32"]),
];
