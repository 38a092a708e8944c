//! What kind of floating point number an element is: bool tensors, without gradients.

use crate::dtype::{DType, dispatch_float};
use crate::error::Result;
use crate::kernels::map::{self, Cost};
use crate::kernels::math::Float;
use crate::kernels::vectorize;
use crate::ops::registry::{Case, Input};
use crate::tensor::Tensor;

pub(in crate::ops) const CASES: &[Case] = &[
    Case::new("isnan", &[Input::real(&[2, 3])], |x| x[0].isnan())
        .torch("torch.isnan(x[0])")
        .constant(),
    Case::new("isinf", &[Input::real(&[2, 3])], |x| x[0].isinf())
        .torch("torch.isinf(x[0])")
        .constant(),
    Case::new("isfinite", &[Input::real(&[2, 3])], |x| x[0].isfinite())
        .torch("torch.isfinite(x[0])")
        .constant(),
    Case::new("isposinf", &[Input::real(&[2, 3])], |x| x[0].isposinf())
        .torch("torch.isposinf(x[0])")
        .constant(),
    Case::new("isneginf", &[Input::real(&[2, 3])], |x| x[0].isneginf())
        .torch("torch.isneginf(x[0])")
        .constant(),
    Case::new("signbit", &[Input::real(&[2, 3])], |x| x[0].signbit())
        .torch("torch.signbit(x[0])")
        .constant(),
];

/// A question about a floating point number.
trait Test {
    const METHOD: &'static str;
    /// The answer for integers and bools.
    const EXACT: bool;
    fn holds<T: Float>(x: T) -> bool;
}

impl Tensor {
    /// Where x is NaN; nowhere for integers and bools.
    ///
    /// # Errors
    /// If there is no memory for the result.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([-1.0, f32::NAN, f32::NEG_INFINITY]);
    /// assert_eq!(x.isnan()?.to_vec::<bool>()?, [false, true, false]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn isnan(&self) -> Result<Tensor> {
        self.test(IsNan)
    }

    /// Where x is ∞ or −∞; nowhere for integers and bools.
    ///
    /// # Errors
    /// If there is no memory for the result.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([-1.0, f32::NAN, f32::NEG_INFINITY]);
    /// assert_eq!(x.isinf()?.to_vec::<bool>()?, [false, false, true]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn isinf(&self) -> Result<Tensor> {
        self.test(IsInf)
    }

    /// Where x is neither infinite nor NaN; everywhere for integers and bools.
    ///
    /// # Errors
    /// If there is no memory for the result.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([-1.0, f32::NAN, f32::NEG_INFINITY]);
    /// assert_eq!(x.isfinite()?.to_vec::<bool>()?, [true, false, false]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn isfinite(&self) -> Result<Tensor> {
        self.test(IsFinite)
    }

    /// Where x is ∞; nowhere for integers and bools.
    ///
    /// # Errors
    /// If there is no memory for the result.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([-1.0, f32::NAN, f32::NEG_INFINITY]);
    /// assert_eq!(x.isposinf()?.to_vec::<bool>()?, [false, false, false]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn isposinf(&self) -> Result<Tensor> {
        self.test(IsPosInf)
    }

    /// Where x is −∞; nowhere for integers and bools.
    ///
    /// # Errors
    /// If there is no memory for the result.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([-1.0, f32::NAN, f32::NEG_INFINITY]);
    /// assert_eq!(x.isneginf()?.to_vec::<bool>()?, [false, false, true]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn isneginf(&self) -> Result<Tensor> {
        self.test(IsNegInf)
    }

    /// Where the sign bit is set: negative numbers, −0 and NaN with that sign. Nowhere for bools.
    ///
    /// # Errors
    /// If there is no memory for the result.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([-1.0, -0.0, 0.0]).signbit()?.to_vec::<bool>()?, [true, true, false]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn signbit(&self) -> Result<Tensor> {
        match self.dtype() {
            DType::U8 | DType::I32 | DType::I64 => self.lt(0),
            _ => self.test(SignBit),
        }
    }

    fn test<C: Test>(&self, _: C) -> Result<Tensor> {
        if !self.dtype().is_float() {
            return Tensor::full(self.shape(), f64::from(C::EXACT), DType::Bool);
        }
        let exact = dispatch_float!(C::METHOD, self.dtype(), T => self.with::<T, _>(|x| {
            map::map_blocks(x, Cost::Low, &|x, y: &mut [bool]| {
                vectorize(|| y.iter_mut().zip(x).for_each(|(y, &x)| *y = C::holds(x)))
            })
        }))?;
        Ok(Tensor::from_dense(exact))
    }
}

struct IsNan;
impl Test for IsNan {
    const METHOD: &'static str = "isnan";
    const EXACT: bool = false;
    #[inline(always)]
    fn holds<T: Float>(x: T) -> bool {
        x.is_nan()
    }
}

struct IsInf;
impl Test for IsInf {
    const METHOD: &'static str = "isinf";
    const EXACT: bool = false;
    #[inline(always)]
    fn holds<T: Float>(x: T) -> bool {
        x == T::HIGHEST || x == T::LOWEST
    }
}

struct IsFinite;
impl Test for IsFinite {
    const METHOD: &'static str = "isfinite";
    const EXACT: bool = true;
    #[inline(always)]
    fn holds<T: Float>(x: T) -> bool {
        x.is_finite()
    }
}

struct IsPosInf;
impl Test for IsPosInf {
    const METHOD: &'static str = "isposinf";
    const EXACT: bool = false;
    #[inline(always)]
    fn holds<T: Float>(x: T) -> bool {
        x == T::HIGHEST
    }
}

struct IsNegInf;
impl Test for IsNegInf {
    const METHOD: &'static str = "isneginf";
    const EXACT: bool = false;
    #[inline(always)]
    fn holds<T: Float>(x: T) -> bool {
        x == T::LOWEST
    }
}

struct SignBit;
impl Test for SignBit {
    const METHOD: &'static str = "signbit";
    const EXACT: bool = false;
    #[inline(always)]
    fn holds<T: Float>(x: T) -> bool {
        x.is_sign_negative()
    }
}
