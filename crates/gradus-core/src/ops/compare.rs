//! Comparisons: bool tensors, without gradients. NaN equals nothing, not even itself.

use super::binary::broadcast;
use super::registry::{Case, Input};
use super::{Operand, promoted};
use crate::dtype::{Element, dispatch};
use crate::error::{Result, err};
use crate::kernels::map::{self, Cost};
use crate::tensor::Tensor;

const PAIR: &[Input] = &[
    Input::integers(&[4, 3], -2, 3),
    Input::integers(&[3], -2, 3),
];

pub(super) const CASES: &[Case] = &[
    Case::new("eq", PAIR, |x| x[0].eq(&x[1]))
        .torch("x[0] == x[1]")
        .constant(),
    Case::new("ne", PAIR, |x| x[0].ne(&x[1]))
        .torch("x[0] != x[1]")
        .constant(),
    Case::new("lt", PAIR, |x| x[0].lt(&x[1]))
        .torch("x[0] < x[1]")
        .constant(),
    Case::new("le", PAIR, |x| x[0].le(&x[1]))
        .torch("x[0] <= x[1]")
        .constant(),
    Case::new("gt", PAIR, |x| x[0].gt(&x[1]))
        .torch("x[0] > x[1]")
        .constant(),
    Case::new("ge", PAIR, |x| x[0].ge(&x[1]))
        .torch("x[0] >= x[1]")
        .constant(),
    Case::new("gt", &[Input::real(&[5])], |x| x[0].gt(0.5))
        .torch("x[0] > 0.5")
        .constant(),
    Case::new("isclose", &[Input::real(&[4, 3]), Input::real(&[3])], |x| {
        x[0].isclose_with(
            &x[1],
            Closeness {
                atol: 1.0,
                ..Closeness::default()
            },
        )
    })
    .torch("torch.isclose(x[0], x[1], atol=1.0)")
    .constant(),
];

/// How close two numbers have to be, for [`Tensor::isclose_with`] and [`Tensor::allclose_with`]; the
/// defaults are PyTorch's and NumPy's.
///
/// ```
/// use gradus_core::Closeness;
/// assert_eq!(Closeness { atol: 1e-3, ..Closeness::default() }.rtol, 1e-5);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Closeness {
    /// Relative to the second number.
    pub rtol: f64,
    /// Absolute.
    pub atol: f64,
    /// Whether two NaN count as close.
    pub equal_nan: bool,
}

impl Default for Closeness {
    fn default() -> Self {
        Self {
            rtol: 1e-5,
            atol: 1e-8,
            equal_nan: false,
        }
    }
}

impl Closeness {
    fn holds<T: Element>(&self, a: T, b: T) -> bool {
        if a == b {
            return true;
        }
        let (x, y) = (a.to_f64(), b.to_f64());
        let distance = (x - y).abs();
        distance.is_finite() && distance <= self.atol + (self.rtol * y).abs()
            || self.equal_nan && x.is_nan() && y.is_nan()
    }
}

/// A relation between two elements.
#[derive(Clone, Copy)]
enum Relation {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
}

impl Relation {
    fn name(self) -> &'static str {
        match self {
            Self::Eq => "eq",
            Self::Ne => "ne",
            Self::Lt => "lt",
            Self::Le => "le",
            Self::Gt => "gt",
            Self::Ge => "ge",
        }
    }

    fn elements<T: Element>(self, x: &[&Tensor]) -> Result<Tensor> {
        broadcast(self.name(), x, &|a, b| match self {
            Self::Eq => map::zip(a, b, Cost::Low, |a: T, b: T| a == b),
            Self::Ne => map::zip(a, b, Cost::Low, |a: T, b: T| a != b),
            Self::Lt => map::zip(a, b, Cost::Low, |a: T, b: T| a < b),
            Self::Le => map::zip(a, b, Cost::Low, |a: T, b: T| a <= b),
            Self::Gt => map::zip(a, b, Cost::Low, |a: T, b: T| a > b),
            Self::Ge => map::zip(a, b, Cost::Low, |a: T, b: T| a >= b),
        })
    }
}

impl Tensor {
    /// Where the relation holds.
    fn compare(&self, relation: Relation, other: Operand<'_>) -> Result<Tensor> {
        let (a, b) = promoted(self, other)?;
        dispatch!(a.dtype(), T => relation.elements::<T>(&[&a, &b]))
    }

    /// Where both are equal. `other` is a tensor or a number; shapes broadcast.
    ///
    /// # Errors
    /// If the shapes do not broadcast.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([1, 2, 3]).eq(2)?.to_vec::<bool>()?, [false, true, false]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn eq<'a>(&'a self, other: impl Into<Operand<'a>>) -> Result<Tensor> {
        self.compare(Relation::Eq, other.into())
    }

    /// Where they differ. `other` is a tensor or a number; shapes broadcast.
    ///
    /// # Errors
    /// If the shapes do not broadcast.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([1, 2, 3]).ne(2)?.to_vec::<bool>()?, [true, false, true]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn ne<'a>(&'a self, other: impl Into<Operand<'a>>) -> Result<Tensor> {
        self.compare(Relation::Ne, other.into())
    }

    /// Where this is less than `other`. `other` is a tensor or a number; shapes broadcast.
    ///
    /// # Errors
    /// If the shapes do not broadcast.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([1, 2, 3]).lt(2)?.to_vec::<bool>()?, [true, false, false]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn lt<'a>(&'a self, other: impl Into<Operand<'a>>) -> Result<Tensor> {
        self.compare(Relation::Lt, other.into())
    }

    /// Where this is at most `other`. `other` is a tensor or a number; shapes broadcast.
    ///
    /// # Errors
    /// If the shapes do not broadcast.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([1, 2, 3]).le(2)?.to_vec::<bool>()?, [true, true, false]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn le<'a>(&'a self, other: impl Into<Operand<'a>>) -> Result<Tensor> {
        self.compare(Relation::Le, other.into())
    }

    /// Where this is greater than `other`. `other` is a tensor or a number; shapes broadcast.
    ///
    /// # Errors
    /// If the shapes do not broadcast.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([1, 2, 3]).gt(2)?.to_vec::<bool>()?, [false, false, true]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn gt<'a>(&'a self, other: impl Into<Operand<'a>>) -> Result<Tensor> {
        self.compare(Relation::Gt, other.into())
    }

    /// Where this is at least `other`. `other` is a tensor or a number; shapes broadcast.
    ///
    /// # Errors
    /// If the shapes do not broadcast.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([1, 2, 3]).ge(2)?.to_vec::<bool>()?, [false, true, true]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn ge<'a>(&'a self, other: impl Into<Operand<'a>>) -> Result<Tensor> {
        self.compare(Relation::Ge, other.into())
    }

    /// Where |a − b| ≤ 10⁻⁸ + 10⁻⁵·|b|, a from this tensor and b from `other`. Equal infinities are
    /// close, NaN are not.
    ///
    /// # Errors
    /// If the shapes do not broadcast or the dtypes differ.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([1.0, 2.0]);
    /// assert_eq!(x.isclose(&Tensor::from([1.000001, 2.1]))?.to_vec::<bool>()?, [true, false]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn isclose(&self, other: &Tensor) -> Result<Tensor> {
        self.isclose_with(other, Closeness::default())
    }

    /// [`isclose`](Tensor::isclose) with another idea of close.
    ///
    /// # Errors
    /// As [`isclose`](Tensor::isclose), or if a tolerance is negative or NaN.
    ///
    /// ```
    /// use gradus_core::{Closeness, Tensor};
    /// let within = Closeness { atol: 0.5, ..Closeness::default() };
    /// let close = Tensor::from([1.0, 2.0]).isclose_with(&Tensor::from([1.4, 3.0]), within)?;
    /// assert_eq!(close.to_vec::<bool>()?, [true, false]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn isclose_with(&self, other: &Tensor, closeness: Closeness) -> Result<Tensor> {
        self.close("isclose", other, closeness)
    }

    /// Whether all elements are close, in the sense of [`isclose`](Tensor::isclose).
    ///
    /// # Errors
    /// As [`isclose`](Tensor::isclose).
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert!(Tensor::from([1.0, 2.0]).allclose(&Tensor::from([1.000001, 2.0]))?);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn allclose(&self, other: &Tensor) -> Result<bool> {
        self.allclose_with(other, Closeness::default())
    }

    /// [`allclose`](Tensor::allclose) with another idea of close.
    ///
    /// # Errors
    /// As [`isclose_with`](Tensor::isclose_with).
    ///
    /// ```
    /// use gradus_core::{Closeness, Tensor};
    /// let x = Tensor::from([1.0, f32::NAN]);
    /// assert!(x.allclose_with(&x, Closeness { equal_nan: true, ..Closeness::default() })?);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn allclose_with(&self, other: &Tensor, closeness: Closeness) -> Result<bool> {
        all_true(&self.close("allclose", other, closeness)?)
    }

    /// Whether both have the same shape and equal elements; dtypes may differ.
    ///
    /// # Errors
    /// If there is no memory for the comparison.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([1.0, 2.0]);
    /// assert!(x.equal(&Tensor::from([1.0, 2.0]))? && !x.equal(&Tensor::from([1.0]))?);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn equal(&self, other: &Tensor) -> Result<bool> {
        Ok(self.shape() == other.shape() && all_true(&self.eq(other)?)?)
    }

    fn close(&self, op: &str, other: &Tensor, closeness: Closeness) -> Result<Tensor> {
        if self.dtype() != other.dtype() {
            return Err(err!(
                DType,
                "{op}: {} did not match {}; convert one of them with to_dtype",
                self.dtype(),
                other.dtype()
            ));
        }
        for (name, x) in [("rtol", closeness.rtol), ("atol", closeness.atol)] {
            if x.is_nan() || x < 0.0 {
                return Err(err!(
                    Value,
                    "{op}: {name} must be greater than or equal to zero, but got {x}"
                ));
            }
        }
        dispatch!(self.dtype(), T => broadcast(op, &[self, other], &|a, b| {
            map::zip(a, b, Cost::Low, |a: T, b: T| closeness.holds(a, b))
        }))
    }
}

fn all_true(x: &Tensor) -> Result<bool> {
    x.with_slice::<bool, _>(|x| Ok(x.iter().all(|&x| x)))
}
