//! Parts.

use super::{RANGE, Row, no};
use Kind::{DType as Type, Index, Shape, Value};
use gradus_core::{Kind, Tensor};

#[rustfmt::skip] // One row a line.
pub const TABLE: &[Row] = &[
    (|t| no(t.a.narrow(2, 0, 1)), Index, "narrow", RANGE),
    (|t| no(t.a.narrow(1, 2, 2)), Index, "narrow", &["start (2) + length (2) exceeds dimension size (3)"]),
    (|t| no(t.a.narrow(1, usize::MAX, 2)), Index, "narrow", &["exceeds dimension size (3)"]),
    (|t| no(t.a.slice(2, 0, 1, 1)), Index, "slice", RANGE),
    (|t| no(t.a.slice(0, 0, 1, 0)), Value, "slice", &["step must be positive"]),
    (|t| no(t.s.slice(0, 0, 1, 1)), Index, "slice", &["0-dim tensor"]),
    (|t| no(t.a.select(2, 0)), Index, "select", RANGE),
    (|t| no(t.a.select(1, 3)), Index, "select", &["index 3 is out of bounds for dimension 1 with size 3"]),
    (|t| no(t.a.select(1, isize::MIN)), Index, "select", &["is out of bounds for dimension 1 with size 3"]),
    (|t| no(t.a.index_select(2, &t.i)), Index, "index_select", RANGE),
    (|t| no(t.a.index_select(0, &t.i)), Shape, "index_select", &["Index is supposed to be a vector", "[2, 3]"]),
    (|t| no(t.a.index_select(0, &t.v)), Type, "index_select", &["integer dtype, got float32"]),
    (|t| no(t.a.index_select(0, &Tensor::from([0, 2]))), Index, "index_select", &["index 2 is out of bounds for dimension with size 2"]),
];
