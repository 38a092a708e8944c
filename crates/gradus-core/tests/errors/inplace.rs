//! In place.

use super::{Row, Sgd};
use Kind::{Autograd, DType as Type, Shape, Value};
use gradus_core::{Kind, no_grad};

#[rustfmt::skip] // One row a line.
pub const TABLE: &[Row] = &[
    (|t| t.v.copy_(&t.a), Shape, "copy_", &["[2, 3] cannot be broadcast to [3]"]),
    (|t| t.v.add_(&t.w), Shape, "add_", &["[4] cannot be broadcast to [3]"]),
    (|t| t.i.add_(&t.a), Type, "add_", &["result type float32 can't be cast to the desired output type int64"]),
    (|t| t.i.sub_(0.5), Type, "sub_", &["result type float32 can't be cast"]),
    (|t| t.b.mul_(true), Type, "mul_", &["bool"]),
    (|t| t.i.div_(2), Type, "div_", &["floating point tensor, got int64"]),
    (|t| t.l.mul_(2.0), Autograd, "mul_", &["a leaf Variable that requires grad is being used in an in-place operation", "no_grad"]),
    (|t| t.l.fill_(2.0), Autograd, "fill_", &["a leaf Variable that requires grad"]),
    (|t| t.l.narrow(0, 0, 1)?.add_(1.0), Autograd, "add_", &["a view of a leaf Variable that requires grad", "no_grad"]),
    (|t| no_grad(|| t.y.narrow(0, 0, 1))?.add_(1.0), Autograd, "add_", &["this view was created in no_grad mode"]),
    (|t| t.y.add_(&t.a), Shape, "add_", &["output with shape [3] doesn't match the broadcast shape [2, 3]"]),
    (|t| t.v.broadcast_to([2, 3])?.add_(1.0), Value, "add_", &["more than one element of the written-to tensor refers to a single memory location", "contiguous()"]),
    (|t| t.v.update_(&t.w, [], &Sgd), Shape, "update_", &["[3]", "[4]", "agree in shape and dtype"]),
    (|t| t.v.update_(&t.w.narrow(0, 0, 3)?, [&t.v], &Sgd), Shape, "update_", &["lie apart in memory"]),
    (|t| t.i.update_(&t.i, [], &Sgd), Type, "update_", &["floating point tensor, got int64"]),
];
