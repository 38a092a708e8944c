//! Smooth activation functions.

use super::{Pointwise, Uses, Work};
use crate::error::{Result, err};
use crate::kernels::math::{Float, Real};
use crate::ops::registry::{Case, Input};
use crate::shape::resolve_dim;
use crate::tensor::Tensor;
use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI};

pub(in crate::ops) const CASES: &[Case] = &[
    Case::new("sigmoid", &[Input::real(&[2, 3])], |x| x[0].sigmoid()).torch("x[0].sigmoid()"),
    Case::new("logsigmoid", &[Input::real(&[2, 3])], |x| x[0].logsigmoid())
        .torch("F.logsigmoid(x[0])"),
    Case::new("softplus", &[Input::real(&[2, 3])], |x| x[0].softplus()).torch("F.softplus(x[0])"),
    Case::new("softplus", &[Input::real(&[2, 3])], |x| {
        x[0].softplus_with(2.0, 1.5)
    })
    .torch("F.softplus(x[0], beta=2.0, threshold=1.5)"),
    Case::new("softsign", &[Input::real(&[2, 3])], |x| x[0].softsign()).torch("F.softsign(x[0])"),
    Case::new("tanhshrink", &[Input::real(&[2, 3])], |x| x[0].tanhshrink())
        .torch("F.tanhshrink(x[0])"),
    Case::new("gelu", &[Input::real(&[2, 3])], |x| x[0].gelu()).torch("F.gelu(x[0])"),
    Case::new("gelu_tanh", &[Input::real(&[2, 3])], |x| x[0].gelu_tanh())
        .torch("F.gelu(x[0], approximate='tanh')"),
    Case::new("silu", &[Input::real(&[2, 3])], |x| x[0].silu()).torch("F.silu(x[0])"),
    Case::new("silu", &[Input::real(&[2, 3])], |x| x[0].swish(1.5))
        .torch("x[0] * torch.sigmoid(1.5 * x[0])"),
    Case::new("mish", &[Input::real(&[2, 3])], |x| x[0].mish()).torch("F.mish(x[0])"),
    Case::new("mul", &[Input::real(&[4, 3])], |x| x[0].glu(0)).torch("F.glu(x[0], 0)"),
    Case::new("mul", &[Input::real(&[2, 3, 4])], |x| x[0].glu(-1)).torch("F.glu(x[0])"),
];

impl Tensor {
    /// The logistic function 1/(1 + e⁻ˣ), without overflow at either end.
    /// At most 2 units in the last place off, but 0 instead of subnormal below −88.7 in f32 and −709.7
    /// in f64.
    ///
    /// # Errors
    /// If there is no memory for the result.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([0.0, 1000.0, -1000.0]).sigmoid()?.to_vec::<f32>()?, [0.5, 1.0, 0.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn sigmoid(&self) -> Result<Tensor> {
        self.pointwise(Sigmoid)
    }

    /// The logarithm of [`sigmoid`](Tensor::sigmoid), accurate at both ends.
    ///
    /// # Errors
    /// If there is no memory for the result.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([1000.0, -1000.0]).logsigmoid()?.to_vec::<f32>()?, [0.0, -1000.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn logsigmoid(&self) -> Result<Tensor> {
        self.pointwise(LogSigmoid)
    }

    /// ln(1 + eˣ), a smooth [`relu`](Tensor::relu); x itself above 20, as PyTorch has it.
    ///
    /// # Errors
    /// If there is no memory for the result.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([0.0, 1000.0]).softplus()?.to_vec::<f32>()?, [std::f32::consts::LN_2, 1000.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn softplus(&self) -> Result<Tensor> {
        self.softplus_with(1.0, 20.0)
    }

    /// ln(1 + e^(βx))/β, closer to [`relu`](Tensor::relu) the larger `beta` is; x itself where βx is above
    /// `threshold`, and there the gradient is 1.
    ///
    /// # Errors
    /// If there is no memory for the result.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([0.0, 3.0]);
    /// assert_eq!(x.softplus_with(2.0, 5.0)?.to_vec::<f32>()?, [std::f32::consts::LN_2 / 2.0, 3.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn softplus_with(&self, beta: f64, threshold: f64) -> Result<Tensor> {
        self.pointwise(Softplus { beta, threshold })
    }

    /// x/(1 + |x|).
    ///
    /// # Errors
    /// If there is no memory for the result.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([1.0, -3.0]).softsign()?.to_vec::<f32>()?, [0.5, -0.75]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn softsign(&self) -> Result<Tensor> {
        self.pointwise(Softsign)
    }

    /// x − tanh x.
    ///
    /// # Errors
    /// If there is no memory for the result.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([0.0, 100.0]).tanhshrink()?.to_vec::<f32>()?, [0.0, 99.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn tanhshrink(&self) -> Result<Tensor> {
        self.pointwise(Tanhshrink)
    }

    /// x·Φ(x), where Φ is the normal distribution function (Hendrycks and Gimpel, "Gaussian Error Linear
    /// Units", 2016). NaN at −∞, as in PyTorch.
    ///
    /// # Errors
    /// If there is no memory for the result.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([0.0, 100.0]).gelu()?.to_vec::<f32>()?, [0.0, 100.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn gelu(&self) -> Result<Tensor> {
        self.pointwise(Gelu)
    }

    /// The approximation of [`gelu`](Tensor::gelu) by x·(1 + tanh(√(2/π)·(x + 0.044715·x³)))/2, which GPT-2
    /// uses: `approximate="tanh"` in PyTorch.
    ///
    /// # Errors
    /// If there is no memory for the result.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([0.0, 100.0]).gelu_tanh()?.to_vec::<f32>()?, [0.0, 100.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn gelu_tanh(&self) -> Result<Tensor> {
        self.pointwise(GeluTanh)
    }

    /// x·σ(x), where σ is [`sigmoid`](Tensor::sigmoid); also known as swish. NaN at −∞, as in PyTorch.
    ///
    /// # Errors
    /// If there is no memory for the result.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([0.0, 100.0]).silu()?.to_vec::<f32>()?, [0.0, 100.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn silu(&self) -> Result<Tensor> {
        self.swish(1.0)
    }

    /// x·σ(βx) (Ramachandran, Zoph and Le, "Searching for Activation Functions", 2017).
    ///
    /// # Errors
    /// If there is no memory for the result.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([-1.0, 2.0]);
    /// assert_eq!(x.swish(0.0)?.to_vec::<f32>()?, [-0.5, 1.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn swish(&self, beta: f64) -> Result<Tensor> {
        self.pointwise(Silu { beta })
    }

    /// x·tanh(ln(1 + eˣ)) (Misra, "Mish", 2019). NaN at −∞, as in PyTorch.
    ///
    /// # Errors
    /// If there is no memory for the result.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([0.0, 100.0]).mish()?.to_vec::<f32>()?, [0.0, 100.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn mish(&self) -> Result<Tensor> {
        self.pointwise(Mish)
    }

    /// The gated linear unit a·σ(b), where a and b are the halves of x along `dim` (Dauphin et al., 2016).
    /// PyTorch's default is the last dimension.
    ///
    /// # Errors
    /// If the dimension is out of range or its size is odd.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([[3.0, 4.0, 0.0, 1000.0]]).glu(-1)?.to_vec::<f32>()?, [1.5, 4.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn glu(&self, dim: isize) -> Result<Tensor> {
        if self.ndim() == 0 {
            return Err(err!(
                Shape,
                "glu: glu does not support 0-dimensional tensors"
            ));
        }
        let d = resolve_dim(dim, self.ndim()).map_err(|e| e.at("glu"))?;
        let size = self.shape()[d];
        if !size.is_multiple_of(2) {
            return Err(err!(
                Shape,
                "glu: Halving dimension must be even, but dimension {d} is size {size}"
            ));
        }
        let half = |i: usize| self.narrow(dim, i * (size / 2), size / 2);
        half(0)?.mul(&half(1)?.sigmoid()?)
    }
}

/// Logistic function. The gradient is y·(1 − y).
pub(super) struct Sigmoid;
impl Pointwise for Sigmoid {
    const NAME: &'static str = "sigmoid";
    const USES: Uses = Uses::Output;
    #[inline(always)]
    fn f<T: Float>(&self, x: T) -> T {
        x.sigmoid()
    }
    #[inline(always)]
    fn df<T: Real>(&self, y: T) -> T {
        y * (T::number(1.0) - y)
    }
}

/// min(x, 0) − ln(1 + e^−|x|). The gradient is the logistic function of −x.
struct LogSigmoid;
impl Pointwise for LogSigmoid {
    const NAME: &'static str = "logsigmoid";
    const SLOPE: Work = Work::Vector;
    #[inline(always)]
    fn f<T: Float>(&self, x: T) -> T {
        x.at_most(0.0, x, T::ZERO) - (-x.abs()).exp().ln_1p()
    }
    #[inline(always)]
    fn df<T: Real>(&self, x: T) -> T {
        (-x).sigmoid()
    }
}

/// max(z, 0) + ln(1 + e^−|z|) over β, for z = βx. The gradient is the logistic function of z.
struct Softplus {
    beta: f64,
    threshold: f64,
}
impl Pointwise for Softplus {
    const NAME: &'static str = "softplus";
    const SLOPE: Work = Work::Vector;
    #[inline(always)]
    fn f<T: Float>(&self, x: T) -> T {
        let z = x * T::from_f64(self.beta);
        let soft = z.at_most(0.0, T::ZERO, z) + (-z.abs()).exp().ln_1p();
        z.above(self.threshold, x, soft / T::from_f64(self.beta))
    }
    #[inline(always)]
    fn df<T: Real>(&self, x: T) -> T {
        let z = x * T::number(self.beta);
        z.above(self.threshold, T::number(1.0), z.sigmoid())
    }
}

/// x/(1 + |x|). The gradient is 1/(1 + |x|)².
struct Softsign;
impl Pointwise for Softsign {
    const NAME: &'static str = "softsign";
    const SLOPE: Work = Work::Vector;
    #[inline(always)]
    fn f<T: Float>(&self, x: T) -> T {
        x / (T::ONE + x.abs())
    }
    #[inline(always)]
    fn df<T: Real>(&self, x: T) -> T {
        let d = T::number(1.0) / (T::number(1.0) + x.abs());
        d * d
    }
}

/// x − tanh x. The gradient is tanh² x.
struct Tanhshrink;
impl Pointwise for Tanhshrink {
    const NAME: &'static str = "tanhshrink";
    const SLOPE: Work = Work::Vector;
    #[inline(always)]
    fn f<T: Float>(&self, x: T) -> T {
        x - x.tanh()
    }
    #[inline(always)]
    fn df<T: Real>(&self, x: T) -> T {
        let t = x.tanh();
        t * t
    }
}

/// x·Φ(x). The gradient is Φ(x) + x·φ(x).
struct Gelu;
impl Pointwise for Gelu {
    const NAME: &'static str = "gelu";
    const SLOPE: Work = Work::Vector;
    #[inline(always)]
    fn f<T: Float>(&self, x: T) -> T {
        T::from_f64(0.5) * x * (-x * T::from_f64(FRAC_1_SQRT_2)).erfc()
    }
    #[inline(always)]
    fn df<T: Real>(&self, x: T) -> T {
        let cdf = T::number(0.5) * (-x * T::number(FRAC_1_SQRT_2)).erfc();
        let pdf = T::number(0.5 * FRAC_2_SQRT_PI * FRAC_1_SQRT_2) * (T::number(-0.5) * x * x).exp();
        cdf + x * pdf
    }
}

/// x·σ(z) for z = 2·√(2/π)·(x + 0.044715·x³), since (1 + tanh u)/2 = σ(2u).
struct GeluTanh;
impl Pointwise for GeluTanh {
    const NAME: &'static str = "gelu_tanh";
    const SLOPE: Work = Work::Vector;
    #[inline(always)]
    fn f<T: Float>(&self, x: T) -> T {
        x * Self::argument(x).sigmoid()
    }
    #[inline(always)]
    fn df<T: Real>(&self, x: T) -> T {
        let s = Self::argument(x).sigmoid();
        let dz = T::number(Self::SCALE) * (T::number(1.0) + T::number(3.0 * Self::CUBIC) * x * x);
        s + x * s * (T::number(1.0) - s) * dz
    }
}

/// x·σ(βx). The gradient is σ + βx·σ·(1 − σ).
struct Silu {
    beta: f64,
}
impl Pointwise for Silu {
    const NAME: &'static str = "silu";
    const SLOPE: Work = Work::Vector;
    #[inline(always)]
    fn f<T: Float>(&self, x: T) -> T {
        x * (x * T::from_f64(self.beta)).sigmoid()
    }
    #[inline(always)]
    fn df<T: Real>(&self, x: T) -> T {
        let z = x * T::number(self.beta);
        let s = z.sigmoid();
        s * (T::number(1.0) + z * (T::number(1.0) - s))
    }
}

/// x·t for t = tanh(ln(1 + eˣ)). The gradient is t + x·(1 − t²)·σ(x).
struct Mish;
impl Pointwise for Mish {
    const NAME: &'static str = "mish";
    const SLOPE: Work = Work::Vector;
    #[inline(always)]
    fn f<T: Float>(&self, x: T) -> T {
        x * Self::gate(x)
    }
    #[inline(always)]
    fn df<T: Real>(&self, x: T) -> T {
        let t = Self::gate(x);
        t + x * (T::number(1.0) - t * t) * x.sigmoid()
    }
}

impl GeluTanh {
    /// 2·√(2/π).
    const SCALE: f64 = 2.0 * FRAC_2_SQRT_PI * FRAC_1_SQRT_2;
    const CUBIC: f64 = 0.044_715;

    #[inline(always)]
    fn argument<T: Real>(x: T) -> T {
        T::number(Self::SCALE) * (x + T::number(Self::CUBIC) * x * x * x)
    }
}

impl Mish {
    /// tanh(ln(1 + eˣ)) = n/(n + 2) for n = eˣ·(eˣ + 2). From 20 up it is 1 in either precision.
    #[inline(always)]
    fn gate<T: Real>(x: T) -> T {
        let e = x.at_most(20.0, x, T::number(20.0)).exp();
        let n = e * (e + T::number(2.0));
        n / (n + T::number(2.0))
    }
}
