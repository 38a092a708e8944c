//! Signs, squares and roots.

use super::{Map, Pointwise, Uses, Work};
use crate::autograd::apply;
use crate::dtype::DType;
use crate::error::{Result, err};
use crate::kernels::math::{Float, Real};
use crate::ops::registry::{Case, Input};
use crate::tensor::Tensor;

pub(in crate::ops) const CASES: &[Case] = &[
    Case::new("neg", &[Input::real(&[2, 3])], |x| x[0].neg()).torch("-x[0]"),
    Case::new("abs", &[Input::real(&[7])], |x| x[0].abs()).torch("x[0].abs()"),
    Case::new("sign", &[Input::real(&[7])], |x| x[0].sign())
        .torch("x[0].sign()")
        .once(),
    Case::new("sign", &[Input::real(&[2, 3])], |x| x[0].sgn())
        .torch("x[0].sgn()")
        .once(),
    Case::new("square", &[Input::real(&[2, 1, 3])], |x| x[0].square()).torch("x[0].square()"),
    Case::new("reciprocal", &[Input::positive(&[2, 3])], |x| {
        x[0].reciprocal()
    })
    .torch("x[0].reciprocal()"),
    Case::new("reciprocal", &[Input::within(&[2, 3], -3.0, -0.3)], |x| {
        x[0].reciprocal()
    })
    .torch("x[0].reciprocal()"),
    Case::new("sqrt", &[Input::positive(&[2, 3])], |x| x[0].sqrt()).torch("x[0].sqrt()"),
    Case::new("rsqrt", &[Input::positive(&[2, 3])], |x| x[0].rsqrt()).torch("x[0].rsqrt()"),
    Case::new("mul", &[Input::real(&[2, 3])], |x| x[0].deg2rad()).torch("x[0].deg2rad()"),
    Case::new("mul", &[Input::real(&[2, 3])], |x| x[0].rad2deg()).torch("x[0].rad2deg()"),
];

impl Tensor {
    /// −x, for every dtype but bool; unsigned integers wrap.
    ///
    /// # Errors
    /// For bool tensors.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([1.0, -2.0]).neg()?.to_vec::<f32>()?, [-1.0, 2.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn neg(&self) -> Result<Tensor> {
        match self.dtype() {
            dtype if dtype.is_float() => apply(Map(Neg), &[self]),
            DType::Bool => Err(err!(
                DType,
                "neg: Negation, the `-` operator, on a bool tensor is not supported. Use eq(false) for a logical not, \
                 or convert with to_dtype"
            )),
            _ => self.mul(-1),
        }
    }

    /// x itself: what the operator + in front of a number does.
    ///
    /// # Errors
    /// For bool tensors.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([1.0, -2.0]);
    /// assert!(x.positive()?.is_same(&x));
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn positive(&self) -> Result<Tensor> {
        match self.dtype() {
            DType::Bool => Err(err!(
                DType,
                "positive: The `+` operator, on a bool tensor is not supported; convert with to_dtype"
            )),
            _ => Ok(self.clone()),
        }
    }

    /// |x|. The gradient at 0 is 0. Integers keep their dtype; the smallest one has no positive
    /// counterpart and stays.
    ///
    /// # Errors
    /// For bool tensors.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([1.0, -2.0]).abs()?.to_vec::<f32>()?, [1.0, 2.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn abs(&self) -> Result<Tensor> {
        self.pointwise_or(Abs, "abs", i64::wrapping_abs)
    }

    /// −1, 0 or 1 as x is negative, zero or positive; 0 for NaN. The gradient is 0. Integers and bools
    /// keep their dtype.
    ///
    /// # Errors
    /// If there is no memory for the result.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([3.0, 0.0, -2.0]).sign()?.to_vec::<f32>()?, [1.0, 0.0, -1.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn sign(&self) -> Result<Tensor> {
        match self.dtype() {
            DType::Bool => self.copy(),
            _ => self.pointwise_or(Sign, "sign", i64::signum),
        }
    }

    /// [`sign`](Tensor::sign) under the name that PyTorch has for complex numbers too.
    ///
    /// # Errors
    /// If there is no memory for the result.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([3.0, -2.0]).sgn()?.to_vec::<f32>()?, [1.0, -1.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn sgn(&self) -> Result<Tensor> {
        self.sign()
    }

    /// x². Integers keep their dtype and wrap; bools become i64.
    ///
    /// # Errors
    /// If there is no memory for the result.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([3.0, -2.0]).square()?.to_vec::<f32>()?, [9.0, 4.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn square(&self) -> Result<Tensor> {
        match self.dtype() {
            DType::Bool => self.to_dtype(DType::I64),
            _ => self.pointwise_or(Square, "square", |x| x.wrapping_mul(x)),
        }
    }

    /// 1/x: ±∞ at ±0.
    ///
    /// # Errors
    /// If there is no memory for the result.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([4.0, -0.5]).reciprocal()?.to_vec::<f32>()?, [0.25, -2.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn reciprocal(&self) -> Result<Tensor> {
        self.pointwise(Reciprocal)
    }

    /// √x, NaN below 0. The gradient at 0 is ∞.
    ///
    /// # Errors
    /// If there is no memory for the result.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([4.0, 9.0]).sqrt()?.to_vec::<f32>()?, [2.0, 3.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn sqrt(&self) -> Result<Tensor> {
        self.pointwise(Sqrt)
    }

    /// 1/√x: ±∞ at ±0, NaN below.
    ///
    /// # Errors
    /// If there is no memory for the result.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([4.0, 0.0]).rsqrt()?.to_vec::<f32>()?, [0.5, f32::INFINITY]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn rsqrt(&self) -> Result<Tensor> {
        self.pointwise(Rsqrt)
    }

    /// Degrees in radians: x·π/180.
    ///
    /// # Errors
    /// If there is no memory for the result.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([180.0]).deg2rad()?.item::<f32>()?, std::f32::consts::PI);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn deg2rad(&self) -> Result<Tensor> {
        self.mul(std::f64::consts::PI / 180.0)
    }

    /// Radians in degrees: x·180/π.
    ///
    /// # Errors
    /// If there is no memory for the result.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([0.0]).rad2deg()?.item::<f32>()?, 0.0);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn rad2deg(&self) -> Result<Tensor> {
        self.mul(180.0 / std::f64::consts::PI)
    }
}

/// Negation. The gradient is −1.
struct Neg;
impl Pointwise for Neg {
    const NAME: &'static str = "neg";
    const USES: Uses = Uses::Nothing;
    const WORK: Work = Work::Arithmetic;
    #[inline(always)]
    fn f<T: Float>(&self, x: T) -> T {
        -x
    }
    #[inline(always)]
    fn df<T: Real>(&self, _: T) -> T {
        -T::number(1.0)
    }
}

/// Absolute value. The gradient is the sign, 0 at 0.
struct Abs;
impl Pointwise for Abs {
    const NAME: &'static str = "abs";
    const WORK: Work = Work::Arithmetic;
    #[inline(always)]
    fn f<T: Float>(&self, x: T) -> T {
        x.abs()
    }
    #[inline(always)]
    fn df<T: Real>(&self, x: T) -> T {
        x.above(
            0.0,
            T::number(1.0),
            (-x).above(0.0, T::number(-1.0), T::number(0.0)),
        )
    }
}

/// Sign, 0 for NaN.
struct Sign;
impl Pointwise for Sign {
    const NAME: &'static str = "sign";
    const USES: Uses = Uses::Nothing;
    const WORK: Work = Work::Arithmetic;
    #[inline(always)]
    fn f<T: Float>(&self, x: T) -> T {
        x.above(0.0, T::ONE, (-x).above(0.0, -T::ONE, T::ZERO))
    }
    #[inline(always)]
    fn df<T: Real>(&self, _: T) -> T {
        T::number(0.0)
    }
}

/// Square.
struct Square;
impl Pointwise for Square {
    const NAME: &'static str = "square";
    const WORK: Work = Work::Arithmetic;
    #[inline(always)]
    fn f<T: Float>(&self, x: T) -> T {
        x * x
    }
    #[inline(always)]
    fn df<T: Real>(&self, x: T) -> T {
        x + x
    }
}

/// Reciprocal. The gradient is −y².
struct Reciprocal;
impl Pointwise for Reciprocal {
    const NAME: &'static str = "reciprocal";
    const USES: Uses = Uses::Output;
    #[inline(always)]
    fn f<T: Float>(&self, x: T) -> T {
        T::ONE / x
    }
    #[inline(always)]
    fn df<T: Real>(&self, y: T) -> T {
        -(y * y)
    }
}

/// Square root. The gradient is 1/(2y), infinite at 0.
struct Sqrt;
impl Pointwise for Sqrt {
    const NAME: &'static str = "sqrt";
    const USES: Uses = Uses::Output;
    const SLOPE: Work = Work::Vector;
    #[inline(always)]
    fn f<T: Float>(&self, x: T) -> T {
        x.sqrt()
    }
    #[inline(always)]
    fn df<T: Real>(&self, y: T) -> T {
        T::number(1.0) / (y + y)
    }
}

/// Reciprocal square root. The gradient is −y³/2.
struct Rsqrt;
impl Pointwise for Rsqrt {
    const NAME: &'static str = "rsqrt";
    const USES: Uses = Uses::Output;
    #[inline(always)]
    fn f<T: Float>(&self, x: T) -> T {
        T::ONE / x.sqrt()
    }
    #[inline(always)]
    fn df<T: Real>(&self, y: T) -> T {
        T::number(-0.5) * y * y * y
    }
}
