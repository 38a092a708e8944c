//! Functions of two operands, with broadcasting and type promotion: here sum, difference, product and
//! quotient, and what all of them share.
//!
//! The engine sums gradients over broadcast dimensions, so `backward` need not know of them.

pub(super) mod bits;
pub(super) mod blend;
pub(super) mod division;
pub(super) mod extremes;
pub(super) mod functions;
pub(super) mod power;

pub(crate) use bits::{bitwise_and, bitwise_or, bitwise_xor, left_shift, right_shift};
pub(crate) use division::remainder;

use super::registry::{Case, Input};
use super::{Operand, promoted};
use crate::autograd::{Context, Function, Grad, Grads, Saved, apply, is_grad_enabled};
use crate::dtype::{Number, dispatch_float, dispatch_number};
use crate::error::{Result, err};
use crate::kernels::map::{self, Cost};
use crate::kernels::{Dense, View};
use crate::shape::{self, Dims, Layout};
use crate::tensor::Tensor;
use crate::{DType, Element};
use std::borrow::Cow;

pub(super) const CASES: &[Case] = &[
    Case::new("add", &[Input::real(&[2, 3]), Input::real(&[2, 3])], |x| {
        x[0].add(&x[1])
    })
    .torch("x[0] + x[1]"),
    Case::new(
        "add",
        &[Input::real(&[4, 1, 3]), Input::real(&[2, 1])],
        |x| x[0].add(&x[1]),
    )
    .torch("x[0] + x[1]"),
    Case::new("sub", &[Input::real(&[2, 3]), Input::real(&[3])], |x| {
        x[0].sub(&x[1])
    })
    .torch("x[0] - x[1]"),
    Case::new("sub", &[Input::real(&[3])], |x| sub(1.0, &x[0])).torch("1 - x[0]"),
    Case::new("mul", &[Input::real(&[2, 3]), Input::real(&[])], |x| {
        x[0].mul(&x[1])
    })
    .torch("x[0] * x[1]"),
    Case::new("mul", &[Input::real(&[3])], |x| x[0].mul(&x[0])).torch("x[0] * x[0]"),
    Case::new(
        "div",
        &[Input::real(&[2, 3]), Input::positive(&[2, 1])],
        |x| x[0].div(&x[1]),
    )
    .torch("x[0] / x[1]"),
    Case::new("div", &[Input::positive(&[3])], |x| div(1.0, &x[0])).torch("1 / x[0]"),
];

impl Tensor {
    /// Element-wise sum. `other` is a tensor or a number; shapes broadcast.
    ///
    /// # Errors
    /// If the shapes do not broadcast.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([[1, 2], [3, 4]]);
    /// assert_eq!(x.add(&Tensor::from([10, 20]))?.to_vec::<i64>()?, [11, 22, 13, 24]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn add<'a>(&'a self, other: impl Into<Operand<'a>>) -> Result<Tensor> {
        add(self, other)
    }

    /// Element-wise difference.
    ///
    /// # Errors
    /// If the shapes do not broadcast, or for two bool operands.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([1.0, 2.0]).sub(0.5)?.to_vec::<f32>()?, [0.5, 1.5]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn sub<'a>(&'a self, other: impl Into<Operand<'a>>) -> Result<Tensor> {
        sub(self, other)
    }

    /// Element-wise product.
    ///
    /// # Errors
    /// If the shapes do not broadcast.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let column = Tensor::from([[1.0], [2.0]]);
    /// assert_eq!(column.mul(&Tensor::from([3.0, 4.0]))?.to_vec::<f32>()?, [3.0, 4.0, 6.0, 8.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn mul<'a>(&'a self, other: impl Into<Operand<'a>>) -> Result<Tensor> {
        mul(self, other)
    }

    /// Element-wise quotient. Integers are divided as f32, as in PyTorch.
    ///
    /// # Errors
    /// If the shapes do not broadcast.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([1, 2]).div(2)?.to_vec::<f32>()?, [0.5, 1.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn div<'a>(&'a self, other: impl Into<Operand<'a>>) -> Result<Tensor> {
        div(self, other)
    }

    /// Adds `other` to this handle's value: in the memory of one of the two if nobody else can see it,
    /// else in new memory.
    pub(crate) fn accumulate(&mut self, mut other: Tensor) -> Result<()> {
        let free = |x: &Tensor| x.is_sole_owner() && !x.requires_grad();
        if !free(self) && free(&other) {
            std::mem::swap(self, &mut other);
        }
        let in_place = free(self)
            && !(is_grad_enabled() && other.requires_grad())
            && other.dtype() == self.dtype()
            && other.shape() == self.shape()
            && other.lies_like(self);
        if !in_place {
            *self = self.add(&other)?;
            return Ok(());
        }
        dispatch_number!("add", self.dtype(), T => {
            self.storage().update([], other.storage(), |sum: &mut [T], [], x: &[T]| {
                let x = &x[other.layout().offset..][..other.numel()];
                let sum = &mut sum[self.layout().offset..][..x.len()];
                crate::kernels::update::update(sum, x, [], |s, x, []| *s = s.plus(x));
            });
            Ok(())
        })
    }
}

/// a + b, where either may be a number.
pub(crate) fn add<'a>(a: impl Into<Operand<'a>>, b: impl Into<Operand<'a>>) -> Result<Tensor> {
    let (a, b) = promoted(a, b)?;
    apply(Add, &[&a, &b])
}

/// a − b, where either may be a number.
pub(crate) fn sub<'a>(a: impl Into<Operand<'a>>, b: impl Into<Operand<'a>>) -> Result<Tensor> {
    let (a, b) = promoted(a, b)?;
    apply(Sub, &[&a, &b])
}

/// a · b, where either may be a number.
pub(crate) fn mul<'a>(a: impl Into<Operand<'a>>, b: impl Into<Operand<'a>>) -> Result<Tensor> {
    let (a, b) = promoted(a, b)?;
    apply(Mul, &[&a, &b])
}

/// a / b, where either may be a number.
pub(crate) fn div<'a>(a: impl Into<Operand<'a>>, b: impl Into<Operand<'a>>) -> Result<Tensor> {
    let (a, b) = floats(promoted(a, b)?)?;
    apply(Div, &[&a, &b])
}

/// Both as floating point numbers.
pub(super) fn floats<'a>(
    (a, b): (Cow<'a, Tensor>, Cow<'a, Tensor>),
) -> Result<(Cow<'a, Tensor>, Cow<'a, Tensor>)> {
    if a.dtype().is_float() {
        return Ok((a, b));
    }
    Ok((
        Cow::Owned(a.to_dtype(DType::F32)?),
        Cow::Owned(b.to_dtype(DType::F32)?),
    ))
}

/// What computes a result from two operands of the same shape.
type Kernel<'a, T> = &'a dyn Fn(View<'_, T>, View<'_, T>) -> Result<Dense>;

/// Calls `f` with both operands broadcast to their common shape, and makes a tensor of the result.
pub(super) fn broadcast<T: Element>(op: &str, x: &[&Tensor], f: Kernel<'_, T>) -> Result<Tensor> {
    let (a, b) = (x[0], x[1]);
    if a.shape() == b.shape() {
        let out = a.with(|a| b.with(|b| f(a, b)))?;
        return Ok(Tensor::from_dense(out));
    }
    let [la, lb] = stretched([a, b]).map_err(|e| e.at(op))?;
    let out = a.with(|a| b.with(|b| f(View::new(a.data, &la), View::new(b.data, &lb))))?;
    Ok(Tensor::from_dense(out))
}

/// Where the elements of each operand lie in the shape that all of them broadcast to.
pub(in crate::ops) fn stretched<const N: usize>(x: [&Tensor; N]) -> Result<[Layout; N]> {
    let shape = x
        .iter()
        .try_fold(Dims::new(), |shape, x| shape::broadcast(&shape, x.shape()))?;
    shape::numel(&shape)?;
    let mut layouts = x.map(|x| x.layout().clone());
    for layout in &mut layouts {
        *layout = layout.broadcast_to(&shape)?;
    }
    Ok(layouts)
}

/// a + b; for bools, a or b.
struct Add;
impl Function for Add {
    fn name(&self) -> &'static str {
        "add"
    }
    fn forward(&self, _: &mut Context, x: &[&Tensor]) -> Result<Tensor> {
        if x[0].dtype() == DType::Bool {
            return broadcast("add", x, &|a, b| {
                map::zip(a, b, Cost::Low, |a: bool, b: bool| a | b)
            });
        }
        dispatch_number!("add", x[0].dtype(), T => {
            broadcast("add", x, &|a, b| map::zip(a, b, Cost::Low, T::plus))
        })
    }
    fn backward(&self, _: &Saved<'_>, g: &Tensor) -> Result<Grads> {
        Ok([Grad::Of(g.clone()), Grad::Of(g.clone())].into())
    }
}

/// a − b.
struct Sub;
impl Function for Sub {
    fn name(&self) -> &'static str {
        "sub"
    }
    fn forward(&self, _: &mut Context, x: &[&Tensor]) -> Result<Tensor> {
        if x[0].dtype() == DType::Bool {
            return Err(err!(
                DType,
                "sub: Subtraction, the `-` operator, with two bool tensors is not supported. Use ne for an \
                 exclusive or, or convert with to_dtype"
            ));
        }
        dispatch_number!("sub", x[0].dtype(), T => {
            broadcast("sub", x, &|a, b| map::zip(a, b, Cost::Low, T::minus))
        })
    }
    fn backward(&self, saved: &Saved<'_>, g: &Tensor) -> Result<Grads> {
        Ok([Grad::Of(g.clone()), saved.grad(1, || g.neg())?].into())
    }
}

/// a · b; for bools, a and b.
struct Mul;
impl Function for Mul {
    fn name(&self) -> &'static str {
        "mul"
    }
    fn forward(&self, ctx: &mut Context, x: &[&Tensor]) -> Result<Tensor> {
        if x[0].dtype() == DType::Bool {
            return broadcast("mul", x, &|a, b| {
                map::zip(a, b, Cost::Low, |a: bool, b: bool| a & b)
            });
        }
        ctx.save(x[0]);
        ctx.save(x[1]);
        dispatch_number!("mul", x[0].dtype(), T => {
            broadcast("mul", x, &|a, b| map::zip(a, b, Cost::Low, T::times))
        })
    }
    fn backward(&self, saved: &Saved<'_>, g: &Tensor) -> Result<Grads> {
        let da = saved.grad(0, || g.mul(&saved.get(1)?))?;
        let db = saved.grad(1, || g.mul(&saved.get(0)?))?;
        Ok([da, db].into())
    }
}

/// a / b.
struct Div;
impl Function for Div {
    fn name(&self) -> &'static str {
        "div"
    }
    fn forward(&self, ctx: &mut Context, x: &[&Tensor]) -> Result<Tensor> {
        ctx.save(x[0]);
        ctx.save(x[1]);
        dispatch_float!("div", x[0].dtype(), T => {
            broadcast("div", x, &|a, b| map::zip(a, b, Cost::Low, |a: T, b: T| a / b))
        })
    }
    fn backward(&self, saved: &Saved<'_>, g: &Tensor) -> Result<Grads> {
        let (a, b) = (saved.get(0)?, saved.get(1)?);
        let da = saved.grad(0, || g.div(&b))?;
        // −g·(a/b)/b: b² could overflow where the gradient does not.
        let db = saved.grad(1, || g.mul(&a.div(&b)?)?.div(&b)?.neg())?;
        Ok([da, db].into())
    }
}
