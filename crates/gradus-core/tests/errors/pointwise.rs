//! One operand.

use super::{Row, no};
use Kind::DType as Type;
use gradus_core::Kind;

#[rustfmt::skip] // One row a line.
pub const TABLE: &[Row] = &[
    (|t| no(t.b.neg()), Type, "neg", &["on a bool tensor is not supported", "to_dtype"]),
    (|t| no(t.b.abs()), Type, "abs", &["bool", "to_dtype"]),
    (|t| no(t.b.relu()), Type, "relu", &["bool", "to_dtype"]),
];
