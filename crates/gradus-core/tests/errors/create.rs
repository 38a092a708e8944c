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
    (|_| no(Tensor::logspace(0.0, 1.0, 3, 10.0, DType::Bool)), Type, "logspace", &["bool"]),
    (|_| no(Tensor::logspace(0.0, 1.0, usize::MAX, 10.0, DType::F32)), Memory, "a tensor of shape", &["too large"]),
    (|_| no(Tensor::linspace(0.0, 1.0, usize::MAX, DType::F32)), Memory, "a tensor of shape", &["too large"]),
    (|_| no(Tensor::tri(usize::MAX, 2, 0, DType::F32)), Memory, "a tensor of shape", &["too large"]),
    (|_| no(Tensor::tril_indices(usize::MAX, 2, 0)), Memory, "a tensor of shape", &["too large"]),
    (|_| no(Tensor::triu_indices(usize::MAX, usize::MAX, 0)), Memory, "a tensor of shape", &["too large"]),
    (|_| no(Tensor::try_from(vec![vec![1, 2], vec![3]])), Shape, "from", &["expected sequence of length 2 (got 1)", "[2] and [1]"]),
    (|_| no(Tensor::from_array([vec![vec![1.0]], vec![vec![]]])), Shape, "from", &["expected sequence of length 1 (got 0)", "[1, 1] and [1, 0]"]),
    (|_| no(Tensor::eye([1, 2, 3], DType::F32)), Shape, "eye", &["one size or two, got [1, 2, 3]"]),
    (|_| no(Tensor::eye((), DType::F32)), Shape, "eye", &["got []"]),
    (|_| no(Tensor::eye(usize::MAX, DType::F32)), Memory, "a tensor of shape", &["too large"]),
    (|_| no(Tensor::randn([usize::MAX, 2])), Memory, "a tensor of shape", &["too large"]),
    (|_| no(Tensor::randperm(usize::MAX)), Memory, "a tensor of shape", &["too large"]),
    (|t| no(t.a.size(2)), Index, "size", RANGE),
    (|t| no(t.s.size(0)), Index, "size", &["0-d tensor has no dimension 0"]),
    (|t| no(t.v.to_vec2::<f32>()), Shape, "to_vec2", &["two dimensions, got shape [3]", "to_vec"]),
    (|t| no(t.a.item::<f32>()), Value, "item", &["a Tensor with 6 elements cannot be converted to Scalar", "to_vec"]),
];
