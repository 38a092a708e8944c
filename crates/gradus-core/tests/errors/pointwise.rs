//! One operand.

use super::{BROADCAST, Row, no};
use Kind::{Autograd, DType as Type, Index, Shape, Value};
use gradus_core::Kind;

/// What functions that have no meaning for bools answer.
const BOOL: &[&str] = &["not implemented for 'bool'", "to_dtype"];
/// What functions of floating point numbers alone answer.
const FLOAT: &[&str] = &["expected a floating point tensor, got int64", "to_dtype"];

#[rustfmt::skip] // One row a line.
pub const TABLE: &[Row] = &[
    (|t| no(t.b.neg()), Type, "neg", &["on a bool tensor is not supported", "to_dtype"]),
    (|t| no(t.b.positive()), Type, "positive", &["on a bool tensor is not supported", "to_dtype"]),
    (|t| no(t.b.abs()), Type, "abs", BOOL),
    (|t| no(t.b.floor()), Type, "floor", BOOL),
    (|t| no(t.b.ceil()), Type, "ceil", BOOL),
    (|t| no(t.b.round()), Type, "round", BOOL),
    (|t| no(t.b.trunc()), Type, "trunc", BOOL),
    (|t| no(t.i.round_decimals(1)), Type, "round_decimals", FLOAT),
    (|t| no(t.i.frac()), Type, "frac", FLOAT),
    (|t| no(t.b.relu()), Type, "relu", BOOL),
    (|t| no(t.b.relu6()), Type, "relu6", BOOL),
    (|t| no(t.b.hardtanh(-1.0, 1.0)), Type, "hardtanh", BOOL),
    (|t| no(t.b.threshold(1.0, 1.0)), Type, "threshold", BOOL),
    (|t| no(t.v.hardtanh(1.0, -1.0)), Value, "hardtanh", &["min_val cannot be greater than max_val", "1 and -1"]),
    (|t| no(t.v.celu(0.0)), Value, "celu", &["alpha cannot be 0"]),
    (|t| no(t.v.softshrink(-1.0)), Value, "softshrink", &["lambda must be greater or equal to 0, but found to be -1"]),
    (|t| no(t.v.softshrink(f64::NAN)), Value, "softshrink", &["found to be NaN"]),
    (|t| no(t.i.prelu(&t.s)), Type, "prelu", FLOAT),
    (|t| no(t.d.prelu(&t.s)), Type, "prelu", &["Got float64 and float32", "to_dtype"]),
    (|t| no(t.a.prelu(&t.a)), Shape, "prelu", &["Expected `weight` to be a scalar or 1D tensor, but got: ndim = 2"]),
    (|t| no(t.a.prelu(&t.w)), Shape, "prelu", &["Found parameter numbers = 4 and channel size = 3"]),
    (|t| no(t.v.prelu(&t.v)), Shape, "prelu", &["Found parameter numbers = 3 and channel size = 1"]),
    (|t| no(t.s.glu(0)), Shape, "glu", &["does not support 0-dimensional tensors"]),
    (|t| no(t.a.glu(2)), Index, "glu", super::RANGE),
    (|t| no(t.a.glu(1)), Shape, "glu", &["Halving dimension must be even, but dimension 1 is size 3"]),
    (|t| no(t.v.heaviside(&t.d)), Type, "heaviside", &["different dtypes", "float32 and float64"]),
    (|t| no(t.a.heaviside(&t.w)), Shape, "heaviside", BROADCAST),
    (|t| t.i.exp_(), Type, "exp_", &["result type float32 can't be cast to the desired output type int64"]),
    (|t| t.i.clamp_(0.5, 1), Type, "clamp_", &["result type float32 can't be cast"]),
    (|t| t.b.relu_(), Type, "relu_", BOOL),
    (|t| t.v.celu_(0.0), Value, "celu_", &["alpha cannot be 0"]),
    (|t| t.l.relu_(), Autograd, "relu_", &["a leaf Variable that requires grad", "no_grad"]),
    (|t| t.v.heaviside_(&t.d), Type, "heaviside_", &["different dtypes"]),
    (|t| t.v.broadcast_to([2, 3])?.exp_(), Value, "exp_", &["refers to a single memory location", "contiguous()"]),
];
