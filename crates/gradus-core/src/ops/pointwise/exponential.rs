//! Exponentials and logarithms.

use super::{Pointwise, Uses, Work};
use crate::error::Result;
use crate::kernels::math::{Float, Real};
use crate::ops::registry::{Case, Input};
use crate::tensor::Tensor;

pub(in crate::ops) const CASES: &[Case] = &[
    Case::new("exp", &[Input::real(&[2, 3])], |x| x[0].exp()).torch("x[0].exp()"),
    Case::new("exp2", &[Input::real(&[2, 3])], |x| x[0].exp2()).torch("x[0].exp2()"),
    Case::new("expm1", &[Input::real(&[2, 3])], |x| x[0].expm1()).torch("x[0].expm1()"),
    Case::new("log", &[Input::positive(&[2, 3])], |x| x[0].log()).torch("x[0].log()"),
    Case::new("log2", &[Input::positive(&[2, 3])], |x| x[0].log2()).torch("x[0].log2()"),
    Case::new("log10", &[Input::positive(&[2, 3])], |x| x[0].log10()).torch("x[0].log10()"),
    Case::new("log1p", &[Input::within(&[2, 3], -0.8, 3.0)], |x| {
        x[0].log1p()
    })
    .torch("x[0].log1p()"),
    Case::new("logit", &[Input::within(&[2, 3], 0.05, 0.95)], |x| {
        x[0].logit(None)
    })
    .torch("torch.logit(x[0])"),
    Case::new("logit", &[Input::within(&[7], -0.5, 1.5)], |x| {
        x[0].logit(0.1)
    })
    .torch("torch.logit(x[0], 0.1)"),
];

impl Tensor {
    /// eˣ.
    /// At most 1 unit in the last place off in f64, 2 in f32.
    ///
    /// # Errors
    /// If there is no memory for the result.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([0.0, 1.0]).exp()?.to_vec::<f32>()?, [1.0, std::f32::consts::E]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn exp(&self) -> Result<Tensor> {
        self.pointwise(Exp)
    }

    /// 2ˣ.
    /// At most 1 unit in the last place off in f64, 2 in f32.
    ///
    /// # Errors
    /// If there is no memory for the result.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([3.0, -1.0]).exp2()?.to_vec::<f32>()?, [8.0, 0.5]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn exp2(&self) -> Result<Tensor> {
        self.pointwise(Exp2)
    }

    /// eˣ − 1, accurate also for x near 0.
    /// At most 1 unit in the last place off in f64, 2 in f32.
    ///
    /// # Errors
    /// If there is no memory for the result.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([1e-9]).expm1()?.item::<f32>()?, 1e-9);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn expm1(&self) -> Result<Tensor> {
        self.pointwise(Expm1)
    }

    /// The natural logarithm: −∞ at 0, NaN below.
    /// At most 1 unit in the last place off in f64, 2 in f32.
    ///
    /// # Errors
    /// If there is no memory for the result.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([1.0, 0.0]).log()?.to_vec::<f32>()?, [0.0, f32::NEG_INFINITY]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn log(&self) -> Result<Tensor> {
        self.pointwise(Log)
    }

    /// The logarithm to base 2: −∞ at 0, NaN below.
    /// At most 1 unit in the last place off in f64, 2 in f32.
    ///
    /// # Errors
    /// If there is no memory for the result.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([8.0, 0.5]).log2()?.to_vec::<f32>()?, [3.0, -1.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn log2(&self) -> Result<Tensor> {
        self.pointwise(Log2)
    }

    /// The logarithm to base 10: −∞ at 0, NaN below.
    /// At most 1 unit in the last place off in f64, 2 in f32.
    ///
    /// # Errors
    /// If there is no memory for the result.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([100.0, 0.1]).log10()?.to_vec::<f32>()?, [2.0, -1.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn log10(&self) -> Result<Tensor> {
        self.pointwise(Log10)
    }

    /// ln(1 + x), accurate also for x near 0: −∞ at −1, NaN below.
    /// At most 1 unit in the last place off in f64, 2 in f32.
    ///
    /// # Errors
    /// If there is no memory for the result.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([1e-9]).log1p()?.item::<f32>()?, 1e-9);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn log1p(&self) -> Result<Tensor> {
        self.pointwise(Log1p)
    }

    /// ln(x/(1 − x)), the inverse of [`sigmoid`](Tensor::sigmoid). With `eps`, x is first brought into
    /// eps … 1 − eps, and the gradient outside is 0; without, the result outside of 0 … 1 is NaN.
    ///
    /// # Errors
    /// If there is no memory for the result.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([0.5, 1.0]).logit(None)?.to_vec::<f32>()?, [0.0, f32::INFINITY]);
    /// assert!(Tensor::from([1.0]).logit(1e-6)?.item::<f32>()?.is_finite());
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn logit(&self, eps: impl Into<Option<f64>>) -> Result<Tensor> {
        self.pointwise(Logit { eps: eps.into() })
    }
}

/// Exponential. The gradient is the output.
struct Exp;
impl Pointwise for Exp {
    const NAME: &'static str = "exp";
    const USES: Uses = Uses::Output;
    #[inline(always)]
    fn f<T: Float>(&self, x: T) -> T {
        x.exp()
    }
    #[inline(always)]
    fn df<T: Real>(&self, y: T) -> T {
        y
    }
}

/// Powers of 2. The gradient is ln 2·y.
struct Exp2;
impl Pointwise for Exp2 {
    const NAME: &'static str = "exp2";
    const USES: Uses = Uses::Output;
    #[inline(always)]
    fn f<T: Float>(&self, x: T) -> T {
        x.exp2()
    }
    #[inline(always)]
    fn df<T: Real>(&self, y: T) -> T {
        y * T::number(std::f64::consts::LN_2)
    }
}

/// Exponential minus 1. The gradient is y + 1.
struct Expm1;
impl Pointwise for Expm1 {
    const NAME: &'static str = "expm1";
    const USES: Uses = Uses::Output;
    #[inline(always)]
    fn f<T: Float>(&self, x: T) -> T {
        x.exp_m1()
    }
    #[inline(always)]
    fn df<T: Real>(&self, y: T) -> T {
        y + T::number(1.0)
    }
}

/// Natural logarithm. The gradient is 1/x.
struct Log;
impl Pointwise for Log {
    const NAME: &'static str = "log";
    const SLOPE: Work = Work::Vector;
    #[inline(always)]
    fn f<T: Float>(&self, x: T) -> T {
        x.ln()
    }
    #[inline(always)]
    fn df<T: Real>(&self, x: T) -> T {
        T::number(1.0) / x
    }
}

/// Logarithm to base 2. The gradient is 1/(x·ln 2).
struct Log2;
impl Pointwise for Log2 {
    const NAME: &'static str = "log2";
    const SLOPE: Work = Work::Vector;
    #[inline(always)]
    fn f<T: Float>(&self, x: T) -> T {
        x.log2()
    }
    #[inline(always)]
    fn df<T: Real>(&self, x: T) -> T {
        T::number(1.0) / (x * T::number(std::f64::consts::LN_2))
    }
}

/// Logarithm to base 10. The gradient is 1/(x·ln 10).
struct Log10;
impl Pointwise for Log10 {
    const NAME: &'static str = "log10";
    const SLOPE: Work = Work::Vector;
    #[inline(always)]
    fn f<T: Float>(&self, x: T) -> T {
        x.log10()
    }
    #[inline(always)]
    fn df<T: Real>(&self, x: T) -> T {
        T::number(1.0) / (x * T::number(std::f64::consts::LN_10))
    }
}

/// Logarithm of 1 + x. The gradient is 1/(1 + x).
struct Log1p;
impl Pointwise for Log1p {
    const NAME: &'static str = "log1p";
    const SLOPE: Work = Work::Vector;
    #[inline(always)]
    fn f<T: Float>(&self, x: T) -> T {
        x.ln_1p()
    }
    #[inline(always)]
    fn df<T: Real>(&self, x: T) -> T {
        T::number(1.0) / (x + T::number(1.0))
    }
}

/// Logarithm of the odds. The gradient is 1/(x·(1 − x)); outside of the bounds 0, outside of 0 … 1
/// without bounds NaN.
struct Logit {
    eps: Option<f64>,
}
impl Pointwise for Logit {
    const NAME: &'static str = "logit";
    const SLOPE: Work = Work::Vector;
    #[inline(always)]
    fn f<T: Float>(&self, x: T) -> T {
        (self.within(x) / (T::ONE - self.within(x))).ln()
    }
    #[inline(always)]
    fn chain<T: Real>(&self, g: T, x: T) -> T {
        let z = self.within(x);
        let slope = g / (z * (T::number(1.0) - z));
        let (low, outside) = match self.eps {
            Some(eps) => (eps, T::number(0.0)),
            None => (0.0, T::number(f64::NAN)),
        };
        (-x).above(-low, outside, x.above(1.0 - low, outside, slope))
    }
}

impl Logit {
    /// x, brought between the bounds if there are any.
    #[inline(always)]
    fn within<T: Real>(&self, x: T) -> T {
        match self.eps {
            Some(eps) => {
                let (low, high) = (T::number(eps), T::number(1.0 - eps));
                (-x).above(-eps, low, x.above(1.0 - eps, high, x))
            }
            None => x,
        }
    }
}
