//! Rounding and limits.

use super::{Pointwise, Uses, Work};
use crate::dtype::DType;
use crate::error::Result;
use crate::kernels::math::{Float, Real};
use crate::ops::Scalar;
use crate::ops::registry::{Case, Input};
use crate::tensor::Tensor;

pub(in crate::ops) const CASES: &[Case] = &[
    Case::new("floor", &[Input::real(&[2, 3])], |x| x[0].floor())
        .torch("x[0].floor()")
        .once(),
    Case::new("ceil", &[Input::real(&[2, 3])], |x| x[0].ceil())
        .torch("x[0].ceil()")
        .once(),
    Case::new("round", &[Input::real(&[2, 3])], |x| x[0].round())
        .torch("x[0].round()")
        .once(),
    Case::new("round", &[Input::real(&[2, 3])], |x| x[0].round_decimals(1))
        .torch("torch.round(x[0], decimals=1)")
        .once(),
    Case::new("round", &[Input::within(&[2, 3], -200.0, 200.0)], |x| {
        x[0].round_decimals(-1)
    })
    .torch("torch.round(x[0], decimals=-1)")
    .once(),
    Case::new("trunc", &[Input::real(&[2, 3])], |x| x[0].trunc())
        .torch("x[0].trunc()")
        .once(),
    Case::new("frac", &[Input::real(&[2, 3])], |x| x[0].frac()).torch("x[0].frac()"),
    Case::new("clamp", &[Input::real(&[7])], |x| x[0].clamp(-1, 0.5)).torch("x[0].clamp(-1, 0.5)"),
    Case::new("clamp", &[Input::real(&[2, 5])], |x| x[0].clamp_min(-0.5))
        .torch("x[0].clamp_min(-0.5)"),
    Case::new("clamp", &[Input::real(&[2, 5])], |x| x[0].clamp_max(1)).torch("x[0].clamp_max(1)"),
    Case::new("nan_to_num", &[Input::real(&[2, 3])], |x| {
        x[0].nan_to_num(0.0, None, None)
    })
    .torch("torch.nan_to_num(x[0])"),
];

impl Tensor {
    /// The largest integer not above x. Integers stay as they are. The gradient is 0.
    ///
    /// # Errors
    /// For bool tensors.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([1.5, -1.5]).floor()?.to_vec::<f32>()?, [1.0, -2.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn floor(&self) -> Result<Tensor> {
        self.whole(Floor, "floor")
    }

    /// The smallest integer not below x. Integers stay as they are. The gradient is 0.
    ///
    /// # Errors
    /// For bool tensors.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([1.5, -1.5]).ceil()?.to_vec::<f32>()?, [2.0, -1.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn ceil(&self) -> Result<Tensor> {
        self.whole(Ceil, "ceil")
    }

    /// The nearest integer, the even one of two that are equally near. Integers stay as they are.
    /// The gradient is 0.
    ///
    /// # Errors
    /// For bool tensors.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([0.5, 1.5, 2.6]).round()?.to_vec::<f32>()?, [0.0, 2.0, 3.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn round(&self) -> Result<Tensor> {
        self.whole(Round, "round")
    }

    /// x rounded to so many decimals; `decimals` below 0 rounds to tens, hundreds and so on. The gradient
    /// is 0. The number is scaled, rounded as by [`round`](Tensor::round) and scaled back, so results are
    /// as inexact as decimals are in binary.
    ///
    /// # Errors
    /// For integers and bools.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([1.26, -1.24]).round_decimals(1)?.to_vec::<f32>()?, [1.3, -1.2]);
    /// assert_eq!(Tensor::from([1234.0]).round_decimals(-2)?.item::<f32>()?, 1200.0);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn round_decimals(&self, decimals: i32) -> Result<Tensor> {
        self.dtype().expect_float("round_decimals")?;
        self.pointwise(RoundDecimals {
            scale: 10f64.powi(decimals.saturating_abs()),
            tens: decimals < 0,
        })
    }

    /// The integer between x and 0 that is nearest to x. Integers stay as they are. The gradient is 0.
    ///
    /// # Errors
    /// For bool tensors.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([1.5, -1.5]).trunc()?.to_vec::<f32>()?, [1.0, -1.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn trunc(&self) -> Result<Tensor> {
        self.whole(Trunc, "trunc")
    }

    /// What [`trunc`](Tensor::trunc) takes away: x − trunc x, with the sign of x.
    ///
    /// # Errors
    /// For integers and bools.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([1.5, -1.25]).frac()?.to_vec::<f32>()?, [0.5, -0.25]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn frac(&self) -> Result<Tensor> {
        self.dtype().expect_float("frac")?;
        self.pointwise(Frac)
    }

    /// x brought between `min` and `max`: `max` wherever `min` is larger. NaN stays NaN. The gradient is 1
    /// between the bounds, 0 outside and at the bounds themselves. Integers keep their dtype if both bounds
    /// are integers, and become f32 otherwise; bools become i64.
    ///
    /// # Errors
    /// If there is no memory for the result.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([-3.0, 0.5, 3.0]).clamp(-1, 1)?.to_vec::<f32>()?, [-1.0, 0.5, 1.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn clamp(&self, min: impl Into<Scalar>, max: impl Into<Scalar>) -> Result<Tensor> {
        self.limit(Some(min.into()), Some(max.into()))
    }

    /// x, but at least `min`: [`clamp`](Tensor::clamp) without an upper bound.
    ///
    /// # Errors
    /// If there is no memory for the result.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([-3.0, 3.0]).clamp_min(-1)?.to_vec::<f32>()?, [-1.0, 3.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn clamp_min(&self, min: impl Into<Scalar>) -> Result<Tensor> {
        self.limit(Some(min.into()), None)
    }

    /// x, but at most `max`: [`clamp`](Tensor::clamp) without a lower bound.
    ///
    /// # Errors
    /// If there is no memory for the result.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([-3.0, 3.0]).clamp_max(1)?.to_vec::<f32>()?, [-3.0, 1.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn clamp_max(&self, max: impl Into<Scalar>) -> Result<Tensor> {
        self.limit(None, Some(max.into()))
    }

    /// x with NaN, ∞ and −∞ replaced by `nan`, `posinf` and `neginf`; `None` stands for the largest and the
    /// smallest finite number of the dtype. The gradient is 1 where x is finite, else 0. Integers and bools
    /// stay as they are.
    ///
    /// # Errors
    /// If there is no memory for the result.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([f32::NAN, f32::INFINITY, 2.0]);
    /// assert_eq!(x.nan_to_num(0.0, 9.0, None)?.to_vec::<f32>()?, [0.0, 9.0, 2.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn nan_to_num(
        &self,
        nan: f64,
        posinf: impl Into<Option<f64>>,
        neginf: impl Into<Option<f64>>,
    ) -> Result<Tensor> {
        if !self.dtype().is_float() {
            return self.copy();
        }
        self.pointwise(NanToNum {
            nan,
            posinf: posinf.into(),
            neginf: neginf.into(),
        })
    }

    /// Rounds floats to whole numbers; integers are whole already.
    fn whole<P: Pointwise>(&self, p: P, op: &str) -> Result<Tensor> {
        self.pointwise_or(p, op, |x| x)
    }

    fn limit(&self, min: Option<Scalar>, max: Option<Scalar>) -> Result<Tensor> {
        let fraction = |bound: &Option<Scalar>| matches!(bound, Some(Scalar::Float(_)));
        if self.dtype().is_float() || fraction(&min) || fraction(&max) {
            return self.pointwise(Clamp {
                min: min.map(Scalar::to_f64),
                max: max.map(Scalar::to_f64),
            });
        }
        let whole = match self.dtype() {
            DType::Bool => self.to_dtype(DType::I64)?,
            _ => self.clone(),
        };
        let (min, max) = (min.map(Scalar::to_i64), max.map(Scalar::to_i64));
        whole.integers("clamp", |x| {
            let x = min.map_or(x, |min| x.max(min));
            max.map_or(x, |max| x.min(max))
        })
    }
}

/// Rounding down.
struct Floor;
impl Pointwise for Floor {
    const NAME: &'static str = "floor";
    const USES: Uses = Uses::Nothing;
    const WORK: Work = Work::Arithmetic;
    #[inline(always)]
    fn f<T: Float>(&self, x: T) -> T {
        x.floor()
    }
    #[inline(always)]
    fn df<T: Real>(&self, _: T) -> T {
        T::number(0.0)
    }
}

/// Rounding up.
struct Ceil;
impl Pointwise for Ceil {
    const NAME: &'static str = "ceil";
    const USES: Uses = Uses::Nothing;
    const WORK: Work = Work::Arithmetic;
    #[inline(always)]
    fn f<T: Float>(&self, x: T) -> T {
        x.ceil()
    }
    #[inline(always)]
    fn df<T: Real>(&self, _: T) -> T {
        T::number(0.0)
    }
}

/// Rounding to the nearest.
struct Round;
impl Pointwise for Round {
    const NAME: &'static str = "round";
    const USES: Uses = Uses::Nothing;
    const WORK: Work = Work::Arithmetic;
    #[inline(always)]
    fn f<T: Float>(&self, x: T) -> T {
        x.round_ties_even()
    }
    #[inline(always)]
    fn df<T: Real>(&self, _: T) -> T {
        T::number(0.0)
    }
}

/// Rounding to decimals, or to tens.
struct RoundDecimals {
    scale: f64,
    tens: bool,
}
impl Pointwise for RoundDecimals {
    const NAME: &'static str = "round";
    const USES: Uses = Uses::Nothing;
    #[inline(always)]
    fn f<T: Float>(&self, x: T) -> T {
        let scale = T::from_f64(self.scale);
        if self.tens {
            (x / scale).round_ties_even() * scale
        } else {
            (x * scale).round_ties_even() / scale
        }
    }
    #[inline(always)]
    fn df<T: Real>(&self, _: T) -> T {
        T::number(0.0)
    }
}

/// Rounding towards 0.
struct Trunc;
impl Pointwise for Trunc {
    const NAME: &'static str = "trunc";
    const USES: Uses = Uses::Nothing;
    const WORK: Work = Work::Arithmetic;
    #[inline(always)]
    fn f<T: Float>(&self, x: T) -> T {
        x.trunc()
    }
    #[inline(always)]
    fn df<T: Real>(&self, _: T) -> T {
        T::number(0.0)
    }
}

/// What is left by rounding towards 0. The gradient is 1.
struct Frac;
impl Pointwise for Frac {
    const NAME: &'static str = "frac";
    const USES: Uses = Uses::Nothing;
    const WORK: Work = Work::Arithmetic;
    #[inline(always)]
    fn f<T: Float>(&self, x: T) -> T {
        x - x.trunc()
    }
    #[inline(always)]
    fn df<T: Real>(&self, _: T) -> T {
        T::number(1.0)
    }
}

/// Limits. The gradient is 1 strictly between them.
struct Clamp {
    min: Option<f64>,
    max: Option<f64>,
}
impl Pointwise for Clamp {
    const NAME: &'static str = "clamp";
    const WORK: Work = Work::Arithmetic;
    #[inline(always)]
    fn f<T: Float>(&self, x: T) -> T {
        // Written so that NaN comes through, of x and of the bounds.
        let above = |x: T, min: f64| {
            if x >= T::from_f64(min) || x.is_nan() {
                x
            } else {
                T::from_f64(min)
            }
        };
        let below = |x: T, max: f64| {
            if x <= T::from_f64(max) || x.is_nan() {
                x
            } else {
                T::from_f64(max)
            }
        };
        let x = self.min.map_or(x, |min| above(x, min));
        self.max.map_or(x, |max| below(x, max))
    }
    #[inline(always)]
    fn chain<T: Real>(&self, g: T, x: T) -> T {
        let zero = T::number(0.0);
        let above = self.min.map_or(g, |min| x.above(min, g, zero));
        self.max.map_or(above, |max| (-x).above(-max, above, zero))
    }
}

/// Numbers instead of NaN and infinities. The gradient is 1 where x is finite.
struct NanToNum {
    nan: f64,
    posinf: Option<f64>,
    neginf: Option<f64>,
}
impl Pointwise for NanToNum {
    const NAME: &'static str = "nan_to_num";
    const WORK: Work = Work::Arithmetic;
    #[inline(always)]
    fn f<T: Float>(&self, x: T) -> T {
        // The largest finite number of T.
        let max = T::from_f64(if T::DTYPE == DType::F32 {
            f32::MAX.into()
        } else {
            f64::MAX
        });
        match () {
            () if x.is_nan() => T::from_f64(self.nan),
            () if x == T::HIGHEST => self.posinf.map_or(max, T::from_f64),
            () if x == T::LOWEST => self.neginf.map_or(-max, T::from_f64),
            () => x,
        }
    }
    #[inline(always)]
    fn chain<T: Real>(&self, g: T, x: T) -> T {
        // 0 times infinity is NaN.
        (x * T::number(0.0)).at_most(0.0, g, T::number(0.0))
    }
}
