//! Gradients.

use super::{Row, no};
use Kind::{Autograd, DType as Type, Shape};
use gradus_core::{Kind, Tolerance, gradcheck};

#[rustfmt::skip] // One row a line.
pub const TABLE: &[Row] = &[
    (|t| no(t.i.clone().requires_grad_(true)), Type, "requires_grad_", &["floating point dtype can require gradients", "int64"]),
    (|t| no(t.y.clone().requires_grad_(false)), Autograd, "requires_grad_", &["leaf variables", "result of exp", "detach()"]),
    (|t| t.v.set_grad(None), Autograd, "set_grad", &["only a leaf that requires a gradient"]),
    (|t| t.l.set_grad(Some(t.w.clone())), Shape, "set_grad", &["[4]", "[3]"]),
    (|t| t.l.set_grad(Some(t.d.clone())), Type, "set_grad", &["float64", "float32"]),
    (|t| t.y.backward(), Autograd, "backward", &["only for scalar outputs", "shape [3]", "sum(..)"]),
    (|t| t.s.backward(), Autograd, "backward", &["does not require grad and does not have a grad_fn", "requires_grad_(true)"]),
    (|t| t.y.backward_with(&t.w), Shape, "backward", &["shape [4] and the tensor [3]"]),
    (|t| gradcheck(|x| x[0].exp(), std::slice::from_ref(&t.l), Tolerance::default()), Type, "gradcheck", &["input 0 is float32", "float64"]),
    (|t| gradcheck(|x| x[0].exp(), std::slice::from_ref(&t.d), Tolerance::default()), Autograd, "gradcheck", &["does not require a gradient"]),
];
