//! Making tensors and asking them.

use super::{RANGE, Row, no};
use Kind::{DType as Type, Index, Memory, Shape, Value};
use gradus_core::{DType, Kind, Tensor};

#[rustfmt::skip] // One row a line.
pub const TABLE: &[Row] = &[
    (|_| no(Tensor::full([usize::MAX, 2], 0.0, DType::F32)), Memory, "a tensor of shape", &["too large"]),
    (|_| no(Tensor::from_vec([1.0f32, 2.0], [3])), Shape, "from_vec", &["shape '[3]' is invalid for input of size 2"]),
    (|_| no(Tensor::arange(0.0, 5.0, -1.0, DType::F32)), Value, "arange", &["step sign", "start 0, end 5, step -1"]),
    (|_| no(Tensor::arange(0.0, 5.0, 0.0, DType::F32)), Value, "arange", &["step 0"]),
    (|_| no(Tensor::arange(0.0, f64::NAN, 1.0, DType::F32)), Value, "arange", &["NaN"]),
    (|_| no(Tensor::arange(0.0, 2.0, 1.0, DType::Bool)), Type, "arange", &["bool"]),
    (|_| no(Tensor::linspace(0.0, 1.0, 3, DType::Bool)), Type, "linspace", &["bool"]),
    (|_| no(Tensor::eye(usize::MAX, DType::F32)), Memory, "a tensor of shape", &["too large"]),
    (|t| no(t.a.size(2)), Index, "size", RANGE),
    (|t| no(t.s.size(0)), Index, "size", &["0-d tensor has no dimension 0"]),
    (|t| no(t.a.item::<f32>()), Value, "item", &["a Tensor with 6 elements cannot be converted to Scalar", "to_vec"]),
];
