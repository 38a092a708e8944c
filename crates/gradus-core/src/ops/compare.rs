//! Comparisons: bool tensors, without gradients. NaN equals nothing, not even itself.

use super::binary::broadcast;
use super::{Operand, promoted};
use crate::dtype::dispatch;
use crate::error::Result;
use crate::kernels::map::{self, Cost};
use crate::tensor::Tensor;

/// A relation between two elements.
trait Relation {
    const METHOD: &'static str;
    fn holds<T: PartialOrd>(a: T, b: T) -> bool;
}

impl Tensor {
    /// Where the relation holds.
    fn compare<'a, R: Relation>(&'a self, _: R, other: Operand<'a>) -> Result<Tensor> {
        let (a, b) = promoted(self, other)?;
        dispatch!(a.dtype(), T => {
            broadcast(R::METHOD, &[&a, &b], |a, b| map::zip(a, b, Cost::Low, R::holds::<T>))
        })
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
        self.compare(Eq, other.into())
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
        self.compare(Ne, other.into())
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
        self.compare(Lt, other.into())
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
        self.compare(Le, other.into())
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
        self.compare(Gt, other.into())
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
        self.compare(Ge, other.into())
    }
}

struct Eq;
impl Relation for Eq {
    const METHOD: &'static str = "eq";
    fn holds<T: PartialOrd>(a: T, b: T) -> bool {
        a == b
    }
}

struct Ne;
impl Relation for Ne {
    const METHOD: &'static str = "ne";
    fn holds<T: PartialOrd>(a: T, b: T) -> bool {
        a != b
    }
}

struct Lt;
impl Relation for Lt {
    const METHOD: &'static str = "lt";
    fn holds<T: PartialOrd>(a: T, b: T) -> bool {
        a < b
    }
}

struct Le;
impl Relation for Le {
    const METHOD: &'static str = "le";
    fn holds<T: PartialOrd>(a: T, b: T) -> bool {
        a <= b
    }
}

struct Gt;
impl Relation for Gt {
    const METHOD: &'static str = "gt";
    fn holds<T: PartialOrd>(a: T, b: T) -> bool {
        a > b
    }
}

struct Ge;
impl Relation for Ge {
    const METHOD: &'static str = "ge";
    fn holds<T: PartialOrd>(a: T, b: T) -> bool {
        a >= b
    }
}
