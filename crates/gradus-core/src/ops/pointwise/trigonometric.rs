//! Trigonometric and hyperbolic functions and their inverses. Angles are in radians.

use super::{Pointwise, Uses, Work};
use crate::error::Result;
use crate::kernels::math::{Float, Real};
use crate::ops::registry::{Case, Input};
use crate::tensor::Tensor;
use std::f64::consts::PI;

pub(in crate::ops) const CASES: &[Case] = &[
    Case::new("sin", &[Input::real(&[2, 3])], |x| x[0].sin()).torch("x[0].sin()"),
    Case::new("cos", &[Input::real(&[2, 3])], |x| x[0].cos()).torch("x[0].cos()"),
    Case::new("tan", &[Input::within(&[2, 3], -1.2, 1.2)], |x| x[0].tan()).torch("x[0].tan()"),
    Case::new("asin", &[Input::within(&[2, 3], -0.9, 0.9)], |x| {
        x[0].asin()
    })
    .torch("x[0].asin()"),
    Case::new("acos", &[Input::within(&[2, 3], -0.9, 0.9)], |x| {
        x[0].acos()
    })
    .torch("x[0].acos()"),
    Case::new("atan", &[Input::real(&[2, 3])], |x| x[0].atan()).torch("x[0].atan()"),
    Case::new("sinh", &[Input::real(&[2, 3])], |x| x[0].sinh()).torch("x[0].sinh()"),
    Case::new("cosh", &[Input::real(&[2, 3])], |x| x[0].cosh()).torch("x[0].cosh()"),
    Case::new("tanh", &[Input::real(&[2, 3])], |x| x[0].tanh()).torch("x[0].tanh()"),
    Case::new("asinh", &[Input::real(&[2, 3])], |x| x[0].asinh()).torch("x[0].asinh()"),
    Case::new("acosh", &[Input::within(&[2, 3], 1.2, 4.0)], |x| {
        x[0].acosh()
    })
    .torch("x[0].acosh()"),
    Case::new("atanh", &[Input::within(&[2, 3], -0.9, 0.9)], |x| {
        x[0].atanh()
    })
    .torch("x[0].atanh()"),
    Case::new("sinc", &[Input::real(&[2, 3])], |x| x[0].sinc()).torch("x[0].sinc()"),
    Case::new("sinc", &[Input::within(&[5], -0.3, 0.3)], |x| x[0].sinc()).torch("torch.sinc(x[0])"),
];

impl Tensor {
    /// The sine.
    /// At most 1 unit in the last place off in f64, 2 in f32.
    ///
    /// # Errors
    /// If there is no memory for the result.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from(0.0).sin()?.item::<f32>()?, 0.0);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn sin(&self) -> Result<Tensor> {
        self.pointwise(Sin)
    }

    /// The cosine.
    /// At most 1 unit in the last place off in f64, 2 in f32.
    ///
    /// # Errors
    /// If there is no memory for the result.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from(0.0).cos()?.item::<f32>()?, 1.0);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn cos(&self) -> Result<Tensor> {
        self.pointwise(Cos)
    }

    /// The tangent.
    /// At most 2 units in the last place off.
    ///
    /// # Errors
    /// If there is no memory for the result.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from(0.0).tan()?.item::<f32>()?, 0.0);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn tan(&self) -> Result<Tensor> {
        self.pointwise(Tan)
    }

    /// The inverse sine: −π/2 … π/2, NaN outside of −1 … 1. The gradient at ±1 is ∞.
    ///
    /// # Errors
    /// If there is no memory for the result.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([1.0]).asin()?.item::<f32>()?, std::f32::consts::FRAC_PI_2);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn asin(&self) -> Result<Tensor> {
        self.pointwise(Asin)
    }

    /// The inverse cosine: 0 … π, NaN outside of −1 … 1. The gradient at ±1 is −∞.
    ///
    /// # Errors
    /// If there is no memory for the result.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([1.0, -1.0]).acos()?.to_vec::<f32>()?, [0.0, std::f32::consts::PI]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn acos(&self) -> Result<Tensor> {
        self.pointwise(Acos)
    }

    /// The inverse tangent: −π/2 … π/2.
    ///
    /// # Errors
    /// If there is no memory for the result.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([1.0]).atan()?.item::<f32>()?, std::f32::consts::FRAC_PI_4);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn atan(&self) -> Result<Tensor> {
        self.pointwise(Atan)
    }

    /// The hyperbolic sine.
    /// At most 2 units in the last place off.
    ///
    /// # Errors
    /// If there is no memory for the result.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from(0.0).sinh()?.item::<f32>()?, 0.0);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn sinh(&self) -> Result<Tensor> {
        self.pointwise(Sinh)
    }

    /// The hyperbolic cosine.
    /// At most 2 units in the last place off.
    ///
    /// # Errors
    /// If there is no memory for the result.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from(0.0).cosh()?.item::<f32>()?, 1.0);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn cosh(&self) -> Result<Tensor> {
        self.pointwise(Cosh)
    }

    /// The hyperbolic tangent.
    /// At most 2 units in the last place off.
    ///
    /// # Errors
    /// If there is no memory for the result.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([0.0, 100.0]).tanh()?.to_vec::<f32>()?, [0.0, 1.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn tanh(&self) -> Result<Tensor> {
        self.pointwise(Tanh)
    }

    /// The inverse hyperbolic sine.
    ///
    /// # Errors
    /// If there is no memory for the result.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from(0.0).asinh()?.item::<f32>()?, 0.0);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn asinh(&self) -> Result<Tensor> {
        self.pointwise(Asinh)
    }

    /// The inverse hyperbolic cosine, NaN below 1. The gradient at 1 is ∞.
    ///
    /// # Errors
    /// If there is no memory for the result.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from(1.0).acosh()?.item::<f32>()?, 0.0);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn acosh(&self) -> Result<Tensor> {
        self.pointwise(Acosh)
    }

    /// The inverse hyperbolic tangent: ±∞ at ±1, NaN beyond.
    ///
    /// # Errors
    /// If there is no memory for the result.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([0.0, 1.0]).atanh()?.to_vec::<f32>()?, [0.0, f32::INFINITY]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn atanh(&self) -> Result<Tensor> {
        self.pointwise(Atanh)
    }

    /// sin(πx)/(πx), 1 at 0.
    ///
    /// # Errors
    /// If there is no memory for the result.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([0.0, 0.5]).sinc()?.to_vec::<f32>()?, [1.0, std::f32::consts::FRAC_2_PI]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn sinc(&self) -> Result<Tensor> {
        self.pointwise(Sinc)
    }
}

/// Sine. The gradient is the cosine.
struct Sin;
impl Pointwise for Sin {
    const NAME: &'static str = "sin";
    const WORK: Work = Work::Near;
    const SLOPE: Work = Work::Near;
    #[inline(always)]
    fn f<T: Float>(&self, x: T) -> T {
        x.sin()
    }
    #[inline(always)]
    fn near<T: Float>(&self, x: T) -> T {
        x.near_sin()
    }
    #[inline(always)]
    fn df<T: Real>(&self, x: T) -> T {
        x.cos()
    }
    #[inline(always)]
    fn near_chain<T: Float>(&self, g: T, x: T) -> T {
        g * x.near_cos()
    }
}

/// Cosine. The gradient is minus the sine.
struct Cos;
impl Pointwise for Cos {
    const NAME: &'static str = "cos";
    const WORK: Work = Work::Near;
    const SLOPE: Work = Work::Near;
    #[inline(always)]
    fn f<T: Float>(&self, x: T) -> T {
        x.cos()
    }
    #[inline(always)]
    fn near<T: Float>(&self, x: T) -> T {
        x.near_cos()
    }
    #[inline(always)]
    fn df<T: Real>(&self, x: T) -> T {
        -x.sin()
    }
    #[inline(always)]
    fn near_chain<T: Float>(&self, g: T, x: T) -> T {
        -g * x.near_sin()
    }
}

/// Tangent. The gradient is 1 + y².
struct Tan;
impl Pointwise for Tan {
    const NAME: &'static str = "tan";
    const USES: Uses = Uses::Output;
    const WORK: Work = Work::Near;
    #[inline(always)]
    fn f<T: Float>(&self, x: T) -> T {
        x.tan()
    }
    #[inline(always)]
    fn near<T: Float>(&self, x: T) -> T {
        x.near_tan()
    }
    #[inline(always)]
    fn df<T: Real>(&self, y: T) -> T {
        T::number(1.0) + y * y
    }
}

/// Inverse sine. The gradient is 1/√(1 − x²).
struct Asin;
impl Pointwise for Asin {
    const NAME: &'static str = "asin";
    const WORK: Work = Work::Scalar;
    const SLOPE: Work = Work::Vector;
    #[inline(always)]
    fn f<T: Float>(&self, x: T) -> T {
        x.asin()
    }
    #[inline(always)]
    fn df<T: Real>(&self, x: T) -> T {
        T::number(1.0) / ((T::number(1.0) - x) * (T::number(1.0) + x)).sqrt()
    }
}

/// Inverse cosine. The gradient is −1/√(1 − x²).
struct Acos;
impl Pointwise for Acos {
    const NAME: &'static str = "acos";
    const WORK: Work = Work::Scalar;
    const SLOPE: Work = Work::Vector;
    #[inline(always)]
    fn f<T: Float>(&self, x: T) -> T {
        x.acos()
    }
    #[inline(always)]
    fn df<T: Real>(&self, x: T) -> T {
        T::number(-1.0) / ((T::number(1.0) - x) * (T::number(1.0) + x)).sqrt()
    }
}

/// Inverse tangent. The gradient is 1/(1 + x²).
struct Atan;
impl Pointwise for Atan {
    const NAME: &'static str = "atan";
    const WORK: Work = Work::Scalar;
    const SLOPE: Work = Work::Vector;
    #[inline(always)]
    fn f<T: Float>(&self, x: T) -> T {
        x.atan()
    }
    #[inline(always)]
    fn df<T: Real>(&self, x: T) -> T {
        T::number(1.0) / (T::number(1.0) + x * x)
    }
}

/// Hyperbolic sine. The gradient is the hyperbolic cosine.
struct Sinh;
impl Pointwise for Sinh {
    const NAME: &'static str = "sinh";
    const SLOPE: Work = Work::Vector;
    #[inline(always)]
    fn f<T: Float>(&self, x: T) -> T {
        x.sinh()
    }
    #[inline(always)]
    fn df<T: Real>(&self, x: T) -> T {
        x.cosh()
    }
}

/// Hyperbolic cosine. The gradient is the hyperbolic sine.
struct Cosh;
impl Pointwise for Cosh {
    const NAME: &'static str = "cosh";
    const SLOPE: Work = Work::Vector;
    #[inline(always)]
    fn f<T: Float>(&self, x: T) -> T {
        x.cosh()
    }
    #[inline(always)]
    fn df<T: Real>(&self, x: T) -> T {
        x.sinh()
    }
}

/// Hyperbolic tangent. The gradient is 1 − y².
pub(super) struct Tanh;
impl Pointwise for Tanh {
    const NAME: &'static str = "tanh";
    const USES: Uses = Uses::Output;
    #[inline(always)]
    fn f<T: Float>(&self, x: T) -> T {
        x.tanh()
    }
    #[inline(always)]
    fn df<T: Real>(&self, y: T) -> T {
        T::number(1.0) - y * y
    }
}

/// Inverse hyperbolic sine. The gradient is 1/√(x² + 1).
struct Asinh;
impl Pointwise for Asinh {
    const NAME: &'static str = "asinh";
    const WORK: Work = Work::Scalar;
    const SLOPE: Work = Work::Vector;
    #[inline(always)]
    fn f<T: Float>(&self, x: T) -> T {
        x.asinh()
    }
    #[inline(always)]
    fn df<T: Real>(&self, x: T) -> T {
        T::number(1.0) / (x * x + T::number(1.0)).sqrt()
    }
}

/// Inverse hyperbolic cosine. The gradient is 1/√(x² − 1).
struct Acosh;
impl Pointwise for Acosh {
    const NAME: &'static str = "acosh";
    const WORK: Work = Work::Scalar;
    const SLOPE: Work = Work::Vector;
    #[inline(always)]
    fn f<T: Float>(&self, x: T) -> T {
        x.acosh()
    }
    #[inline(always)]
    fn df<T: Real>(&self, x: T) -> T {
        T::number(1.0) / (x * x - T::number(1.0)).sqrt()
    }
}

/// Inverse hyperbolic tangent. The gradient is 1/(1 − x²).
struct Atanh;
impl Pointwise for Atanh {
    const NAME: &'static str = "atanh";
    const WORK: Work = Work::Scalar;
    const SLOPE: Work = Work::Vector;
    #[inline(always)]
    fn f<T: Float>(&self, x: T) -> T {
        x.atanh()
    }
    #[inline(always)]
    fn df<T: Real>(&self, x: T) -> T {
        T::number(1.0) / ((T::number(1.0) - x) * (T::number(1.0) + x))
    }
}

/// Sine over its argument u = πx. The gradient is π·(cos u − sin u/u)/u, near 0 its Taylor series.
struct Sinc;
impl Pointwise for Sinc {
    const NAME: &'static str = "sinc";
    const WORK: Work = Work::Scalar;
    const SLOPE: Work = Work::Scalar;
    #[inline(always)]
    fn f<T: Float>(&self, x: T) -> T {
        let u = x * T::from_f64(PI);
        if x == T::ZERO { T::ONE } else { u.sin() / u }
    }
    #[inline(always)]
    fn df<T: Real>(&self, x: T) -> T {
        let u = x * T::number(PI);
        let z = u * u;
        let series = [
            -1.0 / 3_991_680.0,
            1.0 / 45_360.0,
            -1.0 / 840.0,
            1.0 / 30.0,
            -1.0 / 3.0,
        ];
        let start = z * T::number(-1.0 / 93_405_312_000.0) + T::number(1.0 / 518_918_400.0);
        let series = (series.into_iter()).fold(start, |sum, c| sum * z + T::number(c));
        // Neither branch may divide by 0.
        let v = z.at_most(0.25, T::number(1.0), u);
        T::number(PI) * z.at_most(0.25, u * series, (v.cos() - v.sin() / v) / v)
    }
}
