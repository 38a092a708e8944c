//! The functions of one element that change the tensor they are called on. What is recorded is the
//! function itself, so gradients of any order flow as through the one that returns a new tensor.

use crate::error::Result;
use crate::ops::Scalar;
use crate::tensor::Tensor;

impl Tensor {
    /// [`neg`](Tensor::neg) in place.
    ///
    /// # Errors
    /// Those of [`neg`](Tensor::neg) and of [`add_`](Tensor::add_).
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([1.0, -2.0]);
    /// x.neg_()?;
    /// assert_eq!(x.to_vec::<f32>()?, [-1.0, 2.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn neg_(&self) -> Result<()> {
        self.in_place("neg_", Tensor::neg)
    }

    /// [`abs`](Tensor::abs) in place.
    ///
    /// # Errors
    /// Those of [`abs`](Tensor::abs) and of [`add_`](Tensor::add_).
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([1.0, -2.0]);
    /// x.abs_()?;
    /// assert_eq!(x.to_vec::<f32>()?, [1.0, 2.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn abs_(&self) -> Result<()> {
        self.in_place("abs_", Tensor::abs)
    }

    /// [`sign`](Tensor::sign) in place.
    ///
    /// # Errors
    /// Those of [`sign`](Tensor::sign) and of [`add_`](Tensor::add_).
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([3.0, -2.0]);
    /// x.sign_()?;
    /// assert_eq!(x.to_vec::<f32>()?, [1.0, -1.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn sign_(&self) -> Result<()> {
        self.in_place("sign_", Tensor::sign)
    }

    /// [`sgn`](Tensor::sgn) in place.
    ///
    /// # Errors
    /// Those of [`sgn`](Tensor::sgn) and of [`add_`](Tensor::add_).
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([3.0, -2.0]);
    /// x.sgn_()?;
    /// assert_eq!(x.to_vec::<f32>()?, [1.0, -1.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn sgn_(&self) -> Result<()> {
        self.in_place("sgn_", Tensor::sgn)
    }

    /// [`square`](Tensor::square) in place.
    ///
    /// # Errors
    /// Those of [`square`](Tensor::square) and of [`add_`](Tensor::add_).
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([3.0, -2.0]);
    /// x.square_()?;
    /// assert_eq!(x.to_vec::<f32>()?, [9.0, 4.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn square_(&self) -> Result<()> {
        self.in_place("square_", Tensor::square)
    }

    /// [`reciprocal`](Tensor::reciprocal) in place.
    ///
    /// # Errors
    /// Those of [`reciprocal`](Tensor::reciprocal) and of [`add_`](Tensor::add_).
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([4.0, -0.5]);
    /// x.reciprocal_()?;
    /// assert_eq!(x.to_vec::<f32>()?, [0.25, -2.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn reciprocal_(&self) -> Result<()> {
        self.in_place("reciprocal_", Tensor::reciprocal)
    }

    /// [`sqrt`](Tensor::sqrt) in place.
    ///
    /// # Errors
    /// Those of [`sqrt`](Tensor::sqrt) and of [`add_`](Tensor::add_).
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([4.0, 9.0]);
    /// x.sqrt_()?;
    /// assert_eq!(x.to_vec::<f32>()?, [2.0, 3.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn sqrt_(&self) -> Result<()> {
        self.in_place("sqrt_", Tensor::sqrt)
    }

    /// [`rsqrt`](Tensor::rsqrt) in place.
    ///
    /// # Errors
    /// Those of [`rsqrt`](Tensor::rsqrt) and of [`add_`](Tensor::add_).
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([4.0, 0.25]);
    /// x.rsqrt_()?;
    /// assert_eq!(x.to_vec::<f32>()?, [0.5, 2.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn rsqrt_(&self) -> Result<()> {
        self.in_place("rsqrt_", Tensor::rsqrt)
    }

    /// [`deg2rad`](Tensor::deg2rad) in place.
    ///
    /// # Errors
    /// Those of [`deg2rad`](Tensor::deg2rad) and of [`add_`](Tensor::add_).
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([180.0]);
    /// x.deg2rad_()?;
    /// assert_eq!(x.to_vec::<f32>()?, [std::f32::consts::PI]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn deg2rad_(&self) -> Result<()> {
        self.in_place("deg2rad_", Tensor::deg2rad)
    }

    /// [`rad2deg`](Tensor::rad2deg) in place.
    ///
    /// # Errors
    /// Those of [`rad2deg`](Tensor::rad2deg) and of [`add_`](Tensor::add_).
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([0.0]);
    /// x.rad2deg_()?;
    /// assert_eq!(x.to_vec::<f32>()?, [0.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn rad2deg_(&self) -> Result<()> {
        self.in_place("rad2deg_", Tensor::rad2deg)
    }

    /// [`exp`](Tensor::exp) in place.
    ///
    /// # Errors
    /// Those of [`exp`](Tensor::exp) and of [`add_`](Tensor::add_).
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([0.0, 1.0]);
    /// x.exp_()?;
    /// assert_eq!(x.to_vec::<f32>()?, [1.0, std::f32::consts::E]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn exp_(&self) -> Result<()> {
        self.in_place("exp_", Tensor::exp)
    }

    /// [`exp2`](Tensor::exp2) in place.
    ///
    /// # Errors
    /// Those of [`exp2`](Tensor::exp2) and of [`add_`](Tensor::add_).
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([3.0, -1.0]);
    /// x.exp2_()?;
    /// assert_eq!(x.to_vec::<f32>()?, [8.0, 0.5]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn exp2_(&self) -> Result<()> {
        self.in_place("exp2_", Tensor::exp2)
    }

    /// [`expm1`](Tensor::expm1) in place.
    ///
    /// # Errors
    /// Those of [`expm1`](Tensor::expm1) and of [`add_`](Tensor::add_).
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([0.0, 1e-9]);
    /// x.expm1_()?;
    /// assert_eq!(x.to_vec::<f32>()?, [0.0, 1e-9]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn expm1_(&self) -> Result<()> {
        self.in_place("expm1_", Tensor::expm1)
    }

    /// [`log`](Tensor::log) in place.
    ///
    /// # Errors
    /// Those of [`log`](Tensor::log) and of [`add_`](Tensor::add_).
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([1.0]);
    /// x.log_()?;
    /// assert_eq!(x.to_vec::<f32>()?, [0.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn log_(&self) -> Result<()> {
        self.in_place("log_", Tensor::log)
    }

    /// [`log2`](Tensor::log2) in place.
    ///
    /// # Errors
    /// Those of [`log2`](Tensor::log2) and of [`add_`](Tensor::add_).
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([8.0, 0.5]);
    /// x.log2_()?;
    /// assert_eq!(x.to_vec::<f32>()?, [3.0, -1.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn log2_(&self) -> Result<()> {
        self.in_place("log2_", Tensor::log2)
    }

    /// [`log10`](Tensor::log10) in place.
    ///
    /// # Errors
    /// Those of [`log10`](Tensor::log10) and of [`add_`](Tensor::add_).
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([100.0]);
    /// x.log10_()?;
    /// assert_eq!(x.to_vec::<f32>()?, [2.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn log10_(&self) -> Result<()> {
        self.in_place("log10_", Tensor::log10)
    }

    /// [`log1p`](Tensor::log1p) in place.
    ///
    /// # Errors
    /// Those of [`log1p`](Tensor::log1p) and of [`add_`](Tensor::add_).
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([0.0, 1e-9]);
    /// x.log1p_()?;
    /// assert_eq!(x.to_vec::<f32>()?, [0.0, 1e-9]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn log1p_(&self) -> Result<()> {
        self.in_place("log1p_", Tensor::log1p)
    }

    /// [`logit`](Tensor::logit) in place.
    ///
    /// # Errors
    /// Those of [`logit`](Tensor::logit) and of [`add_`](Tensor::add_).
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([0.5]);
    /// x.logit_(None)?;
    /// assert_eq!(x.to_vec::<f32>()?, [0.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn logit_(&self, eps: impl Into<Option<f64>>) -> Result<()> {
        let eps: Option<f64> = eps.into();
        self.in_place("logit_", |x| x.logit(eps))
    }

    /// [`sin`](Tensor::sin) in place.
    ///
    /// # Errors
    /// Those of [`sin`](Tensor::sin) and of [`add_`](Tensor::add_).
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([0.0]);
    /// x.sin_()?;
    /// assert_eq!(x.to_vec::<f32>()?, [0.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn sin_(&self) -> Result<()> {
        self.in_place("sin_", Tensor::sin)
    }

    /// [`cos`](Tensor::cos) in place.
    ///
    /// # Errors
    /// Those of [`cos`](Tensor::cos) and of [`add_`](Tensor::add_).
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([0.0]);
    /// x.cos_()?;
    /// assert_eq!(x.to_vec::<f32>()?, [1.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn cos_(&self) -> Result<()> {
        self.in_place("cos_", Tensor::cos)
    }

    /// [`tan`](Tensor::tan) in place.
    ///
    /// # Errors
    /// Those of [`tan`](Tensor::tan) and of [`add_`](Tensor::add_).
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([0.0]);
    /// x.tan_()?;
    /// assert_eq!(x.to_vec::<f32>()?, [0.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn tan_(&self) -> Result<()> {
        self.in_place("tan_", Tensor::tan)
    }

    /// [`asin`](Tensor::asin) in place.
    ///
    /// # Errors
    /// Those of [`asin`](Tensor::asin) and of [`add_`](Tensor::add_).
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([1.0]);
    /// x.asin_()?;
    /// assert_eq!(x.to_vec::<f32>()?, [std::f32::consts::FRAC_PI_2]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn asin_(&self) -> Result<()> {
        self.in_place("asin_", Tensor::asin)
    }

    /// [`acos`](Tensor::acos) in place.
    ///
    /// # Errors
    /// Those of [`acos`](Tensor::acos) and of [`add_`](Tensor::add_).
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([1.0]);
    /// x.acos_()?;
    /// assert_eq!(x.to_vec::<f32>()?, [0.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn acos_(&self) -> Result<()> {
        self.in_place("acos_", Tensor::acos)
    }

    /// [`atan`](Tensor::atan) in place.
    ///
    /// # Errors
    /// Those of [`atan`](Tensor::atan) and of [`add_`](Tensor::add_).
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([1.0]);
    /// x.atan_()?;
    /// assert_eq!(x.to_vec::<f32>()?, [std::f32::consts::FRAC_PI_4]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn atan_(&self) -> Result<()> {
        self.in_place("atan_", Tensor::atan)
    }

    /// [`sinh`](Tensor::sinh) in place.
    ///
    /// # Errors
    /// Those of [`sinh`](Tensor::sinh) and of [`add_`](Tensor::add_).
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([0.0]);
    /// x.sinh_()?;
    /// assert_eq!(x.to_vec::<f32>()?, [0.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn sinh_(&self) -> Result<()> {
        self.in_place("sinh_", Tensor::sinh)
    }

    /// [`cosh`](Tensor::cosh) in place.
    ///
    /// # Errors
    /// Those of [`cosh`](Tensor::cosh) and of [`add_`](Tensor::add_).
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([0.0]);
    /// x.cosh_()?;
    /// assert_eq!(x.to_vec::<f32>()?, [1.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn cosh_(&self) -> Result<()> {
        self.in_place("cosh_", Tensor::cosh)
    }

    /// [`tanh`](Tensor::tanh) in place.
    ///
    /// # Errors
    /// Those of [`tanh`](Tensor::tanh) and of [`add_`](Tensor::add_).
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([0.0, 100.0]);
    /// x.tanh_()?;
    /// assert_eq!(x.to_vec::<f32>()?, [0.0, 1.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn tanh_(&self) -> Result<()> {
        self.in_place("tanh_", Tensor::tanh)
    }

    /// [`asinh`](Tensor::asinh) in place.
    ///
    /// # Errors
    /// Those of [`asinh`](Tensor::asinh) and of [`add_`](Tensor::add_).
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([0.0]);
    /// x.asinh_()?;
    /// assert_eq!(x.to_vec::<f32>()?, [0.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn asinh_(&self) -> Result<()> {
        self.in_place("asinh_", Tensor::asinh)
    }

    /// [`acosh`](Tensor::acosh) in place.
    ///
    /// # Errors
    /// Those of [`acosh`](Tensor::acosh) and of [`add_`](Tensor::add_).
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([1.0]);
    /// x.acosh_()?;
    /// assert_eq!(x.to_vec::<f32>()?, [0.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn acosh_(&self) -> Result<()> {
        self.in_place("acosh_", Tensor::acosh)
    }

    /// [`atanh`](Tensor::atanh) in place.
    ///
    /// # Errors
    /// Those of [`atanh`](Tensor::atanh) and of [`add_`](Tensor::add_).
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([0.0]);
    /// x.atanh_()?;
    /// assert_eq!(x.to_vec::<f32>()?, [0.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn atanh_(&self) -> Result<()> {
        self.in_place("atanh_", Tensor::atanh)
    }

    /// [`sinc`](Tensor::sinc) in place.
    ///
    /// # Errors
    /// Those of [`sinc`](Tensor::sinc) and of [`add_`](Tensor::add_).
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([0.0, 0.5]);
    /// x.sinc_()?;
    /// assert_eq!(x.to_vec::<f32>()?, [1.0, std::f32::consts::FRAC_2_PI]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn sinc_(&self) -> Result<()> {
        self.in_place("sinc_", Tensor::sinc)
    }

    /// [`floor`](Tensor::floor) in place.
    ///
    /// # Errors
    /// Those of [`floor`](Tensor::floor) and of [`add_`](Tensor::add_).
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([1.5, -1.5]);
    /// x.floor_()?;
    /// assert_eq!(x.to_vec::<f32>()?, [1.0, -2.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn floor_(&self) -> Result<()> {
        self.in_place("floor_", Tensor::floor)
    }

    /// [`ceil`](Tensor::ceil) in place.
    ///
    /// # Errors
    /// Those of [`ceil`](Tensor::ceil) and of [`add_`](Tensor::add_).
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([1.5, -1.5]);
    /// x.ceil_()?;
    /// assert_eq!(x.to_vec::<f32>()?, [2.0, -1.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn ceil_(&self) -> Result<()> {
        self.in_place("ceil_", Tensor::ceil)
    }

    /// [`round`](Tensor::round) in place.
    ///
    /// # Errors
    /// Those of [`round`](Tensor::round) and of [`add_`](Tensor::add_).
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([0.5, 1.5]);
    /// x.round_()?;
    /// assert_eq!(x.to_vec::<f32>()?, [0.0, 2.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn round_(&self) -> Result<()> {
        self.in_place("round_", Tensor::round)
    }

    /// [`round_decimals`](Tensor::round_decimals) in place.
    ///
    /// # Errors
    /// Those of [`round_decimals`](Tensor::round_decimals) and of [`add_`](Tensor::add_).
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([1.26]);
    /// x.round_decimals_(1)?;
    /// assert_eq!(x.to_vec::<f32>()?, [1.3]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn round_decimals_(&self, decimals: i32) -> Result<()> {
        self.in_place("round_decimals_", |x| x.round_decimals(decimals))
    }

    /// [`trunc`](Tensor::trunc) in place.
    ///
    /// # Errors
    /// Those of [`trunc`](Tensor::trunc) and of [`add_`](Tensor::add_).
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([1.5, -1.5]);
    /// x.trunc_()?;
    /// assert_eq!(x.to_vec::<f32>()?, [1.0, -1.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn trunc_(&self) -> Result<()> {
        self.in_place("trunc_", Tensor::trunc)
    }

    /// [`frac`](Tensor::frac) in place.
    ///
    /// # Errors
    /// Those of [`frac`](Tensor::frac) and of [`add_`](Tensor::add_).
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([1.5, -1.25]);
    /// x.frac_()?;
    /// assert_eq!(x.to_vec::<f32>()?, [0.5, -0.25]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn frac_(&self) -> Result<()> {
        self.in_place("frac_", Tensor::frac)
    }

    /// [`clamp`](Tensor::clamp) in place.
    ///
    /// # Errors
    /// Those of [`clamp`](Tensor::clamp) and of [`add_`](Tensor::add_).
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([-3.0, 0.5]);
    /// x.clamp_(-1, 1)?;
    /// assert_eq!(x.to_vec::<f32>()?, [-1.0, 0.5]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn clamp_(&self, min: impl Into<Scalar>, max: impl Into<Scalar>) -> Result<()> {
        let min: Scalar = min.into();
        let max: Scalar = max.into();
        self.in_place("clamp_", |x| x.clamp(min, max))
    }

    /// [`clamp_min`](Tensor::clamp_min) in place.
    ///
    /// # Errors
    /// Those of [`clamp_min`](Tensor::clamp_min) and of [`add_`](Tensor::add_).
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([-3.0, 3.0]);
    /// x.clamp_min_(-1)?;
    /// assert_eq!(x.to_vec::<f32>()?, [-1.0, 3.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn clamp_min_(&self, min: impl Into<Scalar>) -> Result<()> {
        let min: Scalar = min.into();
        self.in_place("clamp_min_", |x| x.clamp_min(min))
    }

    /// [`clamp_max`](Tensor::clamp_max) in place.
    ///
    /// # Errors
    /// Those of [`clamp_max`](Tensor::clamp_max) and of [`add_`](Tensor::add_).
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([-3.0, 3.0]);
    /// x.clamp_max_(1)?;
    /// assert_eq!(x.to_vec::<f32>()?, [-3.0, 1.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn clamp_max_(&self, max: impl Into<Scalar>) -> Result<()> {
        let max: Scalar = max.into();
        self.in_place("clamp_max_", |x| x.clamp_max(max))
    }

    /// [`nan_to_num`](Tensor::nan_to_num) in place.
    ///
    /// # Errors
    /// Those of [`nan_to_num`](Tensor::nan_to_num) and of [`add_`](Tensor::add_).
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([f32::NAN, 2.0]);
    /// x.nan_to_num_(0.0, None, None)?;
    /// assert_eq!(x.to_vec::<f32>()?, [0.0, 2.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn nan_to_num_(
        &self,
        nan: f64,
        posinf: impl Into<Option<f64>>,
        neginf: impl Into<Option<f64>>,
    ) -> Result<()> {
        let posinf: Option<f64> = posinf.into();
        let neginf: Option<f64> = neginf.into();
        self.in_place("nan_to_num_", |x| x.nan_to_num(nan, posinf, neginf))
    }

    /// [`erf`](Tensor::erf) in place.
    ///
    /// # Errors
    /// Those of [`erf`](Tensor::erf) and of [`add_`](Tensor::add_).
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([0.0, 10.0]);
    /// x.erf_()?;
    /// assert_eq!(x.to_vec::<f32>()?, [0.0, 1.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn erf_(&self) -> Result<()> {
        self.in_place("erf_", Tensor::erf)
    }

    /// [`erfc`](Tensor::erfc) in place.
    ///
    /// # Errors
    /// Those of [`erfc`](Tensor::erfc) and of [`add_`](Tensor::add_).
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([0.0]);
    /// x.erfc_()?;
    /// assert_eq!(x.to_vec::<f32>()?, [1.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn erfc_(&self) -> Result<()> {
        self.in_place("erfc_", Tensor::erfc)
    }

    /// [`erfinv`](Tensor::erfinv) in place.
    ///
    /// # Errors
    /// Those of [`erfinv`](Tensor::erfinv) and of [`add_`](Tensor::add_).
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([0.0]);
    /// x.erfinv_()?;
    /// assert_eq!(x.to_vec::<f32>()?, [0.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn erfinv_(&self) -> Result<()> {
        self.in_place("erfinv_", Tensor::erfinv)
    }

    /// [`sigmoid`](Tensor::sigmoid) in place.
    ///
    /// # Errors
    /// Those of [`sigmoid`](Tensor::sigmoid) and of [`add_`](Tensor::add_).
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([0.0, 1000.0]);
    /// x.sigmoid_()?;
    /// assert_eq!(x.to_vec::<f32>()?, [0.5, 1.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn sigmoid_(&self) -> Result<()> {
        self.in_place("sigmoid_", Tensor::sigmoid)
    }

    /// [`silu`](Tensor::silu) in place.
    ///
    /// # Errors
    /// Those of [`silu`](Tensor::silu) and of [`add_`](Tensor::add_).
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([0.0, 100.0]);
    /// x.silu_()?;
    /// assert_eq!(x.to_vec::<f32>()?, [0.0, 100.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn silu_(&self) -> Result<()> {
        self.in_place("silu_", Tensor::silu)
    }

    /// [`mish`](Tensor::mish) in place.
    ///
    /// # Errors
    /// Those of [`mish`](Tensor::mish) and of [`add_`](Tensor::add_).
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([0.0, 100.0]);
    /// x.mish_()?;
    /// assert_eq!(x.to_vec::<f32>()?, [0.0, 100.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn mish_(&self) -> Result<()> {
        self.in_place("mish_", Tensor::mish)
    }

    /// [`relu`](Tensor::relu) in place.
    ///
    /// # Errors
    /// Those of [`relu`](Tensor::relu) and of [`add_`](Tensor::add_).
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([1.0, -2.0]);
    /// x.relu_()?;
    /// assert_eq!(x.to_vec::<f32>()?, [1.0, 0.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn relu_(&self) -> Result<()> {
        self.in_place("relu_", Tensor::relu)
    }

    /// [`leaky_relu`](Tensor::leaky_relu) in place.
    ///
    /// # Errors
    /// Those of [`leaky_relu`](Tensor::leaky_relu) and of [`add_`](Tensor::add_).
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([1.0, -2.0]);
    /// x.leaky_relu_(0.5)?;
    /// assert_eq!(x.to_vec::<f32>()?, [1.0, -1.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn leaky_relu_(&self, slope: f64) -> Result<()> {
        self.in_place("leaky_relu_", |x| x.leaky_relu(slope))
    }

    /// [`relu6`](Tensor::relu6) in place.
    ///
    /// # Errors
    /// Those of [`relu6`](Tensor::relu6) and of [`add_`](Tensor::add_).
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([-1.0, 9.0]);
    /// x.relu6_()?;
    /// assert_eq!(x.to_vec::<f32>()?, [0.0, 6.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn relu6_(&self) -> Result<()> {
        self.in_place("relu6_", Tensor::relu6)
    }

    /// [`hardtanh`](Tensor::hardtanh) in place.
    ///
    /// # Errors
    /// Those of [`hardtanh`](Tensor::hardtanh) and of [`add_`](Tensor::add_).
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([-3.0, 0.5]);
    /// x.hardtanh_(-1.0, 1.0)?;
    /// assert_eq!(x.to_vec::<f32>()?, [-1.0, 0.5]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn hardtanh_(&self, min: f64, max: f64) -> Result<()> {
        self.in_place("hardtanh_", |x| x.hardtanh(min, max))
    }

    /// [`elu`](Tensor::elu) in place.
    ///
    /// # Errors
    /// Those of [`elu`](Tensor::elu) and of [`add_`](Tensor::add_).
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([2.0, -100.0]);
    /// x.elu_(1.0)?;
    /// assert_eq!(x.to_vec::<f32>()?, [2.0, -1.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn elu_(&self, alpha: f64) -> Result<()> {
        self.in_place("elu_", |x| x.elu(alpha))
    }

    /// [`selu`](Tensor::selu) in place.
    ///
    /// # Errors
    /// Those of [`selu`](Tensor::selu) and of [`add_`](Tensor::add_).
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([0.0, 1.0]);
    /// x.selu_()?;
    /// assert_eq!(x.to_vec::<f32>()?, [0.0, 1.050_701]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn selu_(&self) -> Result<()> {
        self.in_place("selu_", Tensor::selu)
    }

    /// [`celu`](Tensor::celu) in place.
    ///
    /// # Errors
    /// Those of [`celu`](Tensor::celu) and of [`add_`](Tensor::add_).
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([2.0, -100.0]);
    /// x.celu_(0.5)?;
    /// assert_eq!(x.to_vec::<f32>()?, [2.0, -0.5]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn celu_(&self, alpha: f64) -> Result<()> {
        self.in_place("celu_", |x| x.celu(alpha))
    }

    /// [`hardsigmoid`](Tensor::hardsigmoid) in place.
    ///
    /// # Errors
    /// Those of [`hardsigmoid`](Tensor::hardsigmoid) and of [`add_`](Tensor::add_).
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([-4.0, 4.0]);
    /// x.hardsigmoid_()?;
    /// assert_eq!(x.to_vec::<f32>()?, [0.0, 1.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn hardsigmoid_(&self) -> Result<()> {
        self.in_place("hardsigmoid_", Tensor::hardsigmoid)
    }

    /// [`hardswish`](Tensor::hardswish) in place.
    ///
    /// # Errors
    /// Those of [`hardswish`](Tensor::hardswish) and of [`add_`](Tensor::add_).
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([0.0, 4.0]);
    /// x.hardswish_()?;
    /// assert_eq!(x.to_vec::<f32>()?, [0.0, 4.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn hardswish_(&self) -> Result<()> {
        self.in_place("hardswish_", Tensor::hardswish)
    }

    /// [`threshold`](Tensor::threshold) in place.
    ///
    /// # Errors
    /// Those of [`threshold`](Tensor::threshold) and of [`add_`](Tensor::add_).
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([1.0, 3.0]);
    /// x.threshold_(1.0, 7.0)?;
    /// assert_eq!(x.to_vec::<f32>()?, [7.0, 3.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn threshold_(&self, threshold: f64, value: f64) -> Result<()> {
        self.in_place("threshold_", |x| x.threshold(threshold, value))
    }

    /// [`heaviside`](Tensor::heaviside) in place.
    ///
    /// # Errors
    /// Those of [`heaviside`](Tensor::heaviside) and of [`add_`](Tensor::add_).
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([-2.0, 0.0, 3.0]);
    /// x.heaviside_(&Tensor::from(0.5))?;
    /// assert_eq!(x.to_vec::<f32>()?, [0.0, 0.5, 1.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn heaviside_(&self, values: &Tensor) -> Result<()> {
        self.in_place("heaviside_", |x| x.heaviside(values))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::DType;

    type Pair = (fn(&Tensor) -> Result<Tensor>, fn(&Tensor) -> Result<()>);

    const PAIRS: &[Pair] = &[
        (Tensor::neg, Tensor::neg_),
        (Tensor::abs, Tensor::abs_),
        (Tensor::sign, Tensor::sign_),
        (Tensor::sgn, Tensor::sgn_),
        (Tensor::square, Tensor::square_),
        (Tensor::reciprocal, Tensor::reciprocal_),
        (Tensor::sqrt, Tensor::sqrt_),
        (Tensor::rsqrt, Tensor::rsqrt_),
        (Tensor::deg2rad, Tensor::deg2rad_),
        (Tensor::rad2deg, Tensor::rad2deg_),
        (Tensor::exp, Tensor::exp_),
        (Tensor::exp2, Tensor::exp2_),
        (Tensor::expm1, Tensor::expm1_),
        (Tensor::log, Tensor::log_),
        (Tensor::log2, Tensor::log2_),
        (Tensor::log10, Tensor::log10_),
        (Tensor::log1p, Tensor::log1p_),
        (|x| x.logit(None), |x| x.logit_(None)),
        (Tensor::sin, Tensor::sin_),
        (Tensor::cos, Tensor::cos_),
        (Tensor::tan, Tensor::tan_),
        (Tensor::asin, Tensor::asin_),
        (Tensor::acos, Tensor::acos_),
        (Tensor::atan, Tensor::atan_),
        (Tensor::sinh, Tensor::sinh_),
        (Tensor::cosh, Tensor::cosh_),
        (Tensor::tanh, Tensor::tanh_),
        (Tensor::asinh, Tensor::asinh_),
        (Tensor::acosh, Tensor::acosh_),
        (Tensor::atanh, Tensor::atanh_),
        (Tensor::sinc, Tensor::sinc_),
        (Tensor::floor, Tensor::floor_),
        (Tensor::ceil, Tensor::ceil_),
        (Tensor::round, Tensor::round_),
        (|x| x.round_decimals(1), |x| x.round_decimals_(1)),
        (Tensor::trunc, Tensor::trunc_),
        (Tensor::frac, Tensor::frac_),
        (|x| x.clamp(-1, 1), |x| x.clamp_(-1, 1)),
        (|x| x.clamp_min(-1), |x| x.clamp_min_(-1)),
        (|x| x.clamp_max(1), |x| x.clamp_max_(1)),
        (
            |x| x.nan_to_num(0.0, None, None),
            |x| x.nan_to_num_(0.0, None, None),
        ),
        (Tensor::erf, Tensor::erf_),
        (Tensor::erfc, Tensor::erfc_),
        (Tensor::erfinv, Tensor::erfinv_),
        (Tensor::sigmoid, Tensor::sigmoid_),
        (Tensor::silu, Tensor::silu_),
        (Tensor::mish, Tensor::mish_),
        (Tensor::relu, Tensor::relu_),
        (|x| x.leaky_relu(0.5), |x| x.leaky_relu_(0.5)),
        (Tensor::relu6, Tensor::relu6_),
        (|x| x.hardtanh(-1.0, 1.0), |x| x.hardtanh_(-1.0, 1.0)),
        (|x| x.elu(1.0), |x| x.elu_(1.0)),
        (Tensor::selu, Tensor::selu_),
        (|x| x.celu(0.5), |x| x.celu_(0.5)),
        (Tensor::hardsigmoid, Tensor::hardsigmoid_),
        (Tensor::hardswish, Tensor::hardswish_),
        (|x| x.threshold(1.0, 7.0), |x| x.threshold_(1.0, 7.0)),
        (|x| x.heaviside(x), |x| x.heaviside_(&x.detach())),
    ];

    #[test]
    fn each_does_what_its_counterpart_does_in_the_same_memory() -> Result<()> {
        for (i, (f, f_)) in PAIRS.iter().enumerate() {
            let leaf = Tensor::linspace(0.1, 0.9, 5, DType::F64)?.requires_grad_(true)?;
            let bits = |x: &Tensor| -> Result<Vec<u64>> {
                Ok(x.to_vec::<f64>()?.into_iter().map(f64::to_bits).collect())
            };
            let (old, new) = (leaf.mul(1.0)?, leaf.mul(1.0)?);
            let (seen, version) = (new.detach(), new.version());
            let expected = f(&old)?;
            f_(&new)?;
            assert_eq!(bits(&new)?, bits(&expected)?, "pair {i}");
            // Who looked at the memory before sees the change, and autograd knows of it.
            assert!(
                seen.shares_memory(&new) && new.version() > version,
                "pair {i}"
            );
            assert_eq!(bits(&seen)?, bits(&expected)?, "pair {i}");
            let slope = |y: &Tensor| -> Result<Vec<u64>> {
                leaf.zero_grad();
                y.sum(..)?.backward()?;
                bits(&leaf.grad().expect("a gradient"))
            };
            if expected.requires_grad() {
                assert_eq!(slope(&new)?, slope(&expected)?, "pair {i}");
            }
        }
        Ok(())
    }
}
