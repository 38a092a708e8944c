//! Reductions.

use super::{RANGE, Row, no};
use Kind::{DType as Type, Index, Shape};
use gradus_core::Kind;

#[rustfmt::skip] // One row a line.
pub const TABLE: &[Row] = &[
    (|t| no(t.a.sum(2)), Index, "sum", RANGE),
    (|t| no(t.a.sum_keepdim(2)), Index, "sum", RANGE),
    (|t| no(t.a.sum([0, -2])), Index, "sum", &["dim 0 appears multiple times in the list of dims [0, -2]"]),
    (|t| no(t.a.sum(vec![true])), Index, "sum", &["a mask of 1 dimensions for a tensor of 2"]),
    (|t| no(t.a.mean(2)), Index, "mean", RANGE),
    (|t| no(t.i.mean(..)), Type, "mean", &["floating point tensor, got int64", "to_dtype"]),
    (|t| no(t.i.mean_keepdim(0)), Type, "mean", &["floating point tensor, got int64"]),
    (|t| no(t.a.amax(2)), Index, "amax", RANGE),
    (|t| no(t.b.amax(0)), Type, "amax", &["bool", "to_dtype"]),
    (|t| no(t.e.amax(1)), Shape, "amax", &["non-zero size", "[2, 0]"]),
    (|t| no(t.e.amin_keepdim(..)), Shape, "amin", &["non-zero size", "[2, 0]"]),
    (|t| no(t.a.argmax(2)), Index, "argmax", RANGE),
    (|t| no(t.e.argmin(1)), Shape, "argmin", &["reduction dim 1 to have non-zero size", "[2, 0]"]),
    (|t| no(t.b.argmax(1)), Type, "argmax", &["bool"]),
];
