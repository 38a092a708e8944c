//! Two operands.

use super::{BROADCAST, Row, no};
use Kind::{DType as Type, Shape};
use gradus_core::Kind;

#[rustfmt::skip] // One row a line.
pub const TABLE: &[Row] = &[
    (|t| no(t.a.add(&t.w)), Shape, "add", BROADCAST),
    (|t| no(t.a.sub(&t.w)), Shape, "sub", BROADCAST),
    (|t| no(t.a.mul(&t.w)), Shape, "mul", BROADCAST),
    (|t| no(t.a.div(&t.w)), Shape, "div", BROADCAST),
    (|t| no(t.a.pow(&t.w)), Shape, "pow", BROADCAST),
    (|t| no(t.a.eq(&t.w)), Shape, "eq", BROADCAST),
    (|t| no(t.a.ne(&t.w)), Shape, "ne", BROADCAST),
    (|t| no(t.a.lt(&t.w)), Shape, "lt", BROADCAST),
    (|t| no(t.a.le(&t.w)), Shape, "le", BROADCAST),
    (|t| no(t.a.gt(&t.w)), Shape, "gt", BROADCAST),
    (|t| no(t.a.ge(&t.w)), Shape, "ge", BROADCAST),
    (|t| no(t.b.sub(&t.b)), Type, "sub", &["two bool tensors is not supported", "to_dtype"]),
];
