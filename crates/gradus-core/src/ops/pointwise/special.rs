//! The error function and its relatives.

use super::{Pointwise, Uses, Work};
use crate::error::Result;
use crate::kernels::math::{Float, Real};
use crate::ops::registry::{Case, Input};
use crate::tensor::Tensor;
use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI, PI};

pub(in crate::ops) const CASES: &[Case] = &[
    Case::new("erf", &[Input::real(&[2, 3])], |x| x[0].erf()).torch("x[0].erf()"),
    Case::new("erfc", &[Input::real(&[2, 3])], |x| x[0].erfc()).torch("x[0].erfc()"),
    Case::new("erfinv", &[Input::within(&[2, 3], -0.9, 0.9)], |x| {
        x[0].erfinv()
    })
    .torch("x[0].erfinv()"),
    Case::new("ndtr", &[Input::real(&[2, 3])], |x| x[0].ndtr()).torch("torch.special.ndtr(x[0])"),
];

impl Tensor {
    /// The error function: 2/√π times the integral of e^(−t²) from 0 to x.
    /// At most 2 units in the last place off.
    ///
    /// # Errors
    /// If there is no memory for the result.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([0.0, 10.0]).erf()?.to_vec::<f32>()?, [0.0, 1.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn erf(&self) -> Result<Tensor> {
        self.pointwise(Erf)
    }

    /// 1 − erf x, accurate also where erf x is close to 1.
    /// At most 4 units in the last place off in f64, 2 in f32.
    ///
    /// # Errors
    /// If there is no memory for the result.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from(0.0).erfc()?.item::<f32>()?, 1.0);
    /// assert!(Tensor::from(9.0).erfc()?.item::<f32>()? > 0.0);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn erfc(&self) -> Result<Tensor> {
        self.pointwise(Erfc)
    }

    /// The distribution function of the standard normal distribution: the probability of a number
    /// below x, accurate also where it is close to 0.
    ///
    /// # Errors
    /// If there is no memory for the result.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([0.0, 10.0]).ndtr()?.to_vec::<f32>()?, [0.5, 1.0]);
    /// assert!(Tensor::from(-10.0).ndtr()?.item::<f32>()? > 0.0);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn ndtr(&self) -> Result<Tensor> {
        self.pointwise(Ndtr)
    }

    /// The inverse of [`erf`](Tensor::erf): ±∞ at ±1, NaN beyond.
    ///
    /// # Errors
    /// If there is no memory for the result.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([0.0, 1.0]).erfinv()?.to_vec::<f32>()?, [0.0, f32::INFINITY]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn erfinv(&self) -> Result<Tensor> {
        self.pointwise(Erfinv)
    }
}

/// Error function. The gradient is 2/√π·e^(−x²).
struct Erf;
impl Pointwise for Erf {
    const NAME: &'static str = "erf";
    const SLOPE: Work = Work::Vector;
    #[inline(always)]
    fn f<T: Float>(&self, x: T) -> T {
        x.erf()
    }
    #[inline(always)]
    fn df<T: Real>(&self, x: T) -> T {
        T::number(FRAC_2_SQRT_PI) * (-(x * x)).exp()
    }
}

/// Complementary error function. The gradient is −2/√π·e^(−x²).
struct Erfc;
impl Pointwise for Erfc {
    const NAME: &'static str = "erfc";
    const SLOPE: Work = Work::Vector;
    #[inline(always)]
    fn f<T: Float>(&self, x: T) -> T {
        x.erfc()
    }
    #[inline(always)]
    fn df<T: Real>(&self, x: T) -> T {
        T::number(-FRAC_2_SQRT_PI) * (-(x * x)).exp()
    }
}

/// Normal distribution. The gradient is its density e^(−x²/2)/√(2π).
struct Ndtr;
impl Pointwise for Ndtr {
    const NAME: &'static str = "ndtr";
    const SLOPE: Work = Work::Vector;
    #[inline(always)]
    fn f<T: Float>(&self, x: T) -> T {
        (x * T::number(-FRAC_1_SQRT_2)).erfc() * T::number(0.5)
    }
    #[inline(always)]
    fn df<T: Real>(&self, x: T) -> T {
        (x * x * T::number(-0.5)).exp() * T::number(FRAC_2_SQRT_PI * FRAC_1_SQRT_2 * 0.5)
    }
}

/// Inverse error function. The gradient is √π/2·e^(y²).
struct Erfinv;
impl Pointwise for Erfinv {
    const NAME: &'static str = "erfinv";
    const USES: Uses = Uses::Output;
    const WORK: Work = Work::Scalar;
    const SLOPE: Work = Work::Vector;
    #[inline(always)]
    fn f<T: Float>(&self, x: T) -> T {
        x.erf_inv()
    }
    #[inline(always)]
    fn df<T: Real>(&self, y: T) -> T {
        T::number(0.5 * PI.sqrt()) * (y * y).exp()
    }
}
