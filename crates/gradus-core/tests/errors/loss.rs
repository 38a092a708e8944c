//! Softmax and losses.

use super::{BROADCAST, RANGE, Row, no};
use Kind::{DType as Type, Index, Shape};
use gradus_core::{Kind, Tensor};

#[rustfmt::skip] // One row a line.
pub const TABLE: &[Row] = &[
    (|t| no(t.a.softmax(2)), Index, "softmax", RANGE),
    (|t| no(t.i.softmax(1)), Type, "softmax", &["floating point tensor, got int64"]),
    (|t| no(t.i.softmax(0)), Type, "softmax", &["floating point tensor, got int64"]),
    (|t| no(t.a.log_softmax(2)), Index, "log_softmax", RANGE),
    (|t| no(t.b.log_softmax(1)), Type, "log_softmax", &["floating point tensor, got bool"]),
    (|t| no(t.v.cross_entropy(&t.i)), Shape, "cross_entropy", &["[n, classes], got [3]"]),
    (|t| no(t.a.cross_entropy(&Tensor::from([0, 1, 2]))), Shape, "cross_entropy", &["batch_size (2)", "[3]", "expected [2]"]),
    (|t| no(t.a.cross_entropy(&Tensor::from([0.0, 1.0]))), Type, "cross_entropy", &["integer dtype, got float32"]),
    (|t| no(t.a.cross_entropy(&Tensor::from([0, 3]))), Index, "cross_entropy", &["Target 3 is out of bounds", "3 classes"]),
    (|t| no(t.a.cross_entropy(&Tensor::from([0, -1]))), Index, "cross_entropy", &["Target -1 is out of bounds"]),
    (|t| no(t.i.cross_entropy(&Tensor::from([0, 1]))), Type, "cross_entropy", &["floating point tensor, got int64"]),
    (|t| no(t.a.mse_loss(&t.w)), Shape, "mse_loss", BROADCAST),
    (|t| no(t.i.mse_loss(&t.i)), Type, "mse_loss", &["floating point tensor, got int64"]),
];
