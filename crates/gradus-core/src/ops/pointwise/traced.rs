//! Numbers that are tensors: a formula written once for a [`Real`] computes with f32 and f64 inside
//! a kernel, and with recorded tensor operations where its result is to be differentiated again.

use crate::error::Result;
use crate::kernels::math::Real;
use crate::ops::registry::{Case, Input};
use crate::ops::{Operand, binary};
use crate::tensor::Tensor;
use std::cell::RefCell;
use std::ops::{Add, Div, Mul, Neg, Sub};

pub(in crate::ops) const CASES: &[Case] = &[
    Case::new(
        "where",
        &[
            Input::real(&[2, 3]),
            Input::real(&[2, 3]),
            Input::real(&[3]),
        ],
        |x| trace([&x[0], &x[1], &x[2]], |[x, a, b]| x.at_most(0.3, a, b)),
    )
    .torch("torch.where(x[0] <= 0.3, x[1], x[2])"),
    Case::new("where", &[Input::real(&[3]), Input::real(&[])], |x| {
        trace([&x[0], &x[1]], |[x, a]| x.above(0.3, Real::number(2.0), a))
    })
    .torch("torch.where(x[0] > 0.3, 2.0, x[1])"),
];

/// A number, or a place in this thread's list of tensors. Handles live no longer than the call of
/// [`trace`] that made them.
#[derive(Clone, Copy)]
pub(super) enum Traced {
    Number(f64),
    Tensor(usize),
}

thread_local! {
    /// The tensors that handles stand for. What failed stays in the list as its error, and so does
    /// whatever was computed from it.
    static TENSORS: RefCell<Vec<Result<Tensor>>> = const { RefCell::new(Vec::new()) };
}

/// What `f` makes of the inputs, in recorded tensor operations. A plain number becomes a 0-d tensor
/// of the first input's dtype.
///
/// # Errors
/// That of the first tensor operation that failed on the way to the result.
pub(super) fn trace<const N: usize>(
    inputs: [&Tensor; N],
    f: impl FnOnce([Traced; N]) -> Traced,
) -> Result<Tensor> {
    /// Takes from the list what was added since, also when something panics. A list inside a list
    /// is only further up.
    struct Start(usize);
    impl Drop for Start {
        fn drop(&mut self) {
            // Dropped outside of the borrow: a tensor's history may hold a user's values.
            let added = TENSORS.with_borrow_mut(|tensors| tensors.split_off(self.0));
            drop(added);
        }
    }
    let _start = Start(TENSORS.with_borrow(Vec::len));
    f(inputs.map(|x| Traced::keep(Ok(x.clone())))).tensor(inputs[0])
}

impl Traced {
    fn keep(tensor: Result<Tensor>) -> Self {
        TENSORS.with_borrow_mut(|tensors| {
            tensors.push(tensor);
            Self::Tensor(tensors.len() - 1)
        })
    }

    /// As a tensor; a number becomes one of the dtype of `like`.
    fn tensor(self, like: &Tensor) -> Result<Tensor> {
        match self {
            Self::Number(x) => Tensor::full((), x, like.dtype()),
            Self::Tensor(i) => TENSORS.with_borrow(|tensors| tensors[i].clone()),
        }
    }

    fn unary(self, tensor: fn(&Tensor) -> Result<Tensor>, number: fn(f64) -> f64) -> Self {
        match self {
            Self::Number(x) => Self::Number(number(x)),
            Self::Tensor(i) => {
                let x = TENSORS.with_borrow(|tensors| tensors[i].clone());
                Self::keep(x.and_then(|x| tensor(&x)))
            }
        }
    }

    fn binary(
        self,
        other: Self,
        tensors: fn(Operand<'_>, Operand<'_>) -> Result<Tensor>,
        numbers: fn(f64, f64) -> f64,
    ) -> Self {
        let get = |i: usize| TENSORS.with_borrow(|tensors| tensors[i].clone());
        match (self, other) {
            (Self::Number(a), Self::Number(b)) => Self::Number(numbers(a, b)),
            (Self::Tensor(a), Self::Number(b)) => {
                Self::keep(get(a).and_then(|a| tensors((&a).into(), b.into())))
            }
            (Self::Number(a), Self::Tensor(b)) => {
                Self::keep(get(b).and_then(|b| tensors(a.into(), (&b).into())))
            }
            (Self::Tensor(a), Self::Tensor(b)) => Self::keep(
                get(a).and_then(|a| get(b).and_then(|b| tensors((&a).into(), (&b).into()))),
            ),
        }
    }
}

macro_rules! operators {
    ($($trait:ident $method:ident),+) => {$(
        impl $trait for Traced {
            type Output = Self;
            fn $method(self, other: Self) -> Self {
                self.binary(other, |a, b| binary::$method(a, b), f64::$method)
            }
        }
    )+};
}
operators!(Add add, Sub sub, Mul mul, Div div);

impl Neg for Traced {
    type Output = Self;
    fn neg(self) -> Self {
        self.unary(Tensor::neg, f64::neg)
    }
}

/// The methods of [`Real`] that tensors have under the same name or another.
macro_rules! functions {
    ($($real:ident $tensor:ident),+) => {$(
        fn $real(self) -> Self {
            self.unary(Tensor::$tensor, <f64 as Real>::$real)
        }
    )+};
}

impl Real for Traced {
    fn number(x: f64) -> Self {
        Self::Number(x)
    }

    fn at_most(self, limit: f64, a: Self, b: Self) -> Self {
        match self {
            Self::Number(x) if x <= limit => a,
            Self::Number(_) => b,
            Self::Tensor(i) => {
                let x = TENSORS.with_borrow(|tensors| tensors[i].clone());
                Self::keep(x.and_then(|x| {
                    let (a, b) = (a.tensor(&x)?, b.tensor(&x)?);
                    x.le(limit)?.where_cond(&a, &b)
                }))
            }
        }
    }

    functions!(
        exp exp, ln log, tanh tanh, sin sin, cos cos, sinh sinh, cosh cosh, sqrt sqrt, abs abs,
        erfc erfc, sigmoid sigmoid
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DType, Kind};
    use std::panic::AssertUnwindSafe;

    fn listed() -> usize {
        TENSORS.with_borrow(Vec::len)
    }

    #[test]
    fn what_is_traced_can_be_differentiated() -> Result<()> {
        let x = Tensor::from(0.7f64).requires_grad_(true)?;
        // d/dx (1 − tanh²x) = −2·tanh x·(1 − tanh²x)
        let slope = trace([&x], |[x]| Traced::number(1.0) - x.tanh() * x.tanh())?;
        slope.backward()?;
        let y = 0.7f64.tanh();
        let got = x.grad().map(|g| g.item::<f64>()).transpose()?;
        assert!((got.unwrap_or(0.0) + 2.0 * y * (1.0 - y * y)).abs() < 1e-6);
        Ok(())
    }

    #[test]
    fn numbers_stay_numbers_until_a_tensor_is_wanted() -> Result<()> {
        let x = Tensor::full([2], 3.0, DType::F64)?;
        let y = trace([&x], |_| {
            (Traced::Number(4.0).sqrt() + Traced::Number(1.0)).at_most(
                3.0,
                -Traced::Number(7.0),
                Traced::Number(0.0),
            )
        })?;
        assert_eq!((y.dtype(), y.item::<f64>()?), (DType::F64, -7.0));
        Ok(())
    }

    #[test]
    fn errors_come_back_and_nested_calls_and_panics_leave_no_tensors_behind() -> Result<()> {
        let (x, other) = (Tensor::ones([2]), Tensor::ones([3]));
        let failed = trace([&x, &other], |[a, b]| {
            let inner = trace([&x], |[x]| x.exp() + x).unwrap();
            assert_eq!(inner.shape(), [2]);
            (a + b).exp() * a
        });
        assert_eq!(failed.unwrap_err().kind(), Kind::Shape);
        assert_eq!(listed(), 0);
        let panicked = std::panic::catch_unwind(AssertUnwindSafe(|| {
            trace([&x], |[x]| {
                let _ = x.exp();
                panic!("in a formula")
            })
        }));
        assert!(panicked.is_err());
        assert_eq!(listed(), 0);
        Ok(())
    }
}
