//! Activation functions made of pieces, and steps.

use super::traced::trace;
use super::{Pointwise, Uses, Work};
use crate::autograd::{Context, Function, Grads, Saved, apply};
use crate::dtype::{Element, dispatch, dispatch_float};
use crate::error::{Result, err};
use crate::kernels::map::{self, Cost};
use crate::kernels::math::{Float, Real};
use crate::ops::binary::broadcast;
use crate::ops::registry::{Case, Input};
use crate::tensor::Tensor;

pub(in crate::ops) const CASES: &[Case] = &[
    Case::new("relu", &[Input::real(&[7])], |x| x[0].relu()).torch("x[0].relu()"),
    Case::new("leaky_relu", &[Input::real(&[7])], |x| {
        x[0].leaky_relu(0.01)
    })
    .torch("F.leaky_relu(x[0])"),
    Case::new("leaky_relu", &[Input::real(&[2, 4])], |x| {
        x[0].leaky_relu(-0.5)
    })
    .torch("F.leaky_relu(x[0], -0.5)"),
    Case::new(
        "prelu",
        &[Input::real(&[2, 3, 2]), Input::real(&[3])],
        |x| x[0].prelu(&x[1]),
    )
    .torch("F.prelu(x[0], x[1])"),
    Case::new("prelu", &[Input::real(&[5]), Input::real(&[])], |x| {
        x[0].prelu(&x[1])
    })
    .torch("F.prelu(x[0], x[1])"),
    Case::new("hardtanh", &[Input::within(&[9], -2.0, 9.0)], |x| {
        x[0].relu6()
    })
    .torch("F.relu6(x[0])"),
    Case::new("hardtanh", &[Input::real(&[7])], |x| {
        x[0].hardtanh(-1.0, 0.5)
    })
    .torch("F.hardtanh(x[0], -1.0, 0.5)"),
    Case::new("elu", &[Input::real(&[7])], |x| x[0].elu(1.3)).torch("F.elu(x[0], 1.3)"),
    Case::new("elu", &[Input::real(&[7])], |x| x[0].selu()).torch("F.selu(x[0])"),
    // PyTorch rounds 1/alpha to single precision, also for doubles: so a power of 2.
    Case::new("elu", &[Input::real(&[7])], |x| x[0].celu(0.5)).torch("F.celu(x[0], 0.5)"),
    // PyTorch's own gradient is 1/6 in single precision, also for doubles.
    Case::new("hardsigmoid", &[Input::within(&[9], -5.0, 5.0)], |x| {
        x[0].hardsigmoid()
    })
    .torch("(x[0] + 3).clamp(0, 6) / 6"),
    Case::new("hardswish", &[Input::within(&[9], -5.0, 5.0)], |x| {
        x[0].hardswish()
    })
    .torch("F.hardswish(x[0])"),
    Case::new("threshold", &[Input::real(&[7])], |x| {
        x[0].threshold(0.5, 7.0)
    })
    .torch("F.threshold(x[0], 0.5, 7.0)"),
    Case::new("softshrink", &[Input::real(&[9])], |x| x[0].softshrink(0.5))
        .torch("F.softshrink(x[0], 0.5)"),
    Case::new("hardshrink", &[Input::real(&[9])], |x| x[0].hardshrink(0.5))
        .torch("F.hardshrink(x[0], 0.5)"),
    Case::new(
        "heaviside",
        &[Input::real(&[2, 3]), Input::real(&[3])],
        |x| x[0].heaviside(&x[1]),
    )
    .torch("torch.heaviside(x[0], x[1])")
    .constant(),
];

impl Tensor {
    /// max(x, 0). The gradient at 0 is 0; NaN stays NaN. Integers keep their dtype.
    ///
    /// # Errors
    /// For bool tensors.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([1.0, -2.0]).relu()?.to_vec::<f32>()?, [1.0, 0.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn relu(&self) -> Result<Tensor> {
        self.pointwise_or(Relu, "relu", |x| x.max(0))
    }

    /// x, or `slope`·x below 0. The gradient at 0 is `slope`. PyTorch's default is 0.01.
    ///
    /// # Errors
    /// If there is no memory for the result.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([1.0, -2.0]).leaky_relu(0.5)?.to_vec::<f32>()?, [1.0, -1.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn leaky_relu(&self, slope: f64) -> Result<Tensor> {
        self.pointwise(LeakyRelu { slope })
    }

    /// x, or `weight`·x below 0, where `weight` has one element, or one for each channel: for each index of
    /// dimension 1. At 0 the gradient of x is `weight`, that of the weight 0. (He et al., "Delving Deep into
    /// Rectifiers", 2015.)
    ///
    /// # Errors
    /// If the weight has another dtype, more than one dimension, or as many elements as there are no channels.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([[-1.0, -2.0], [3.0, -4.0]]);
    /// assert_eq!(x.prelu(&Tensor::from([0.5, 0.25]))?.to_vec::<f32>()?, [-0.5, -0.5, 3.0, -1.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn prelu(&self, weight: &Tensor) -> Result<Tensor> {
        self.dtype().expect_float("prelu")?;
        if weight.dtype() != self.dtype() {
            return Err(err!(
                DType,
                "prelu: Type promoting not supported. Got {} and {}; convert one with to_dtype",
                self.dtype(),
                weight.dtype()
            ));
        }
        if weight.ndim() > 1 {
            return Err(err!(
                Shape,
                "prelu: Expected `weight` to be a scalar or 1D tensor, but got: ndim = {}",
                weight.ndim()
            ));
        }
        let channels = match self.shape() {
            [_, channels, ..] => *channels,
            _ => 1,
        };
        if weight.numel() != channels && weight.numel() != 1 {
            return Err(err!(
                Shape,
                "prelu: Mismatch of parameter numbers and input channel size. Found parameter numbers = {} and \
                 channel size = {channels}",
                weight.numel()
            ));
        }
        // The channels are dimension 1 of as many as x has.
        let mut shape = vec![1; self.ndim().saturating_sub(1)];
        shape.iter_mut().take(1).for_each(|n| *n = weight.numel());
        apply(Prelu, &[self, &weight.reshape(shape.as_slice())?])
    }

    /// min(max(x, 0), 6). The gradient at 0 and 6 is 0. Integers keep their dtype.
    ///
    /// # Errors
    /// For bool tensors.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([-1.0, 3.0, 9.0]).relu6()?.to_vec::<f32>()?, [0.0, 3.0, 6.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn relu6(&self) -> Result<Tensor> {
        self.between("relu6", 0.0, 6.0)
    }

    /// x brought between `min` and `max`, in PyTorch by default −1 and 1. The gradient is 1 between them,
    /// 0 outside and at the bounds themselves. Integers keep their dtype; the bounds are truncated for them.
    ///
    /// # Errors
    /// If `min` is above `max`; for bool tensors.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([-3.0, 0.5]).hardtanh(-1.0, 1.0)?.to_vec::<f32>()?, [-1.0, 0.5]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn hardtanh(&self, min: f64, max: f64) -> Result<Tensor> {
        if min > max {
            return Err(err!(
                Value,
                "hardtanh: min_val cannot be greater than max_val, got {min} and {max}"
            ));
        }
        self.between("hardtanh", min, max)
    }

    /// x, or `alpha`·(eˣ − 1) below 0 (Clevert, Unterthiner and Hochreiter, 2015). The gradient at 0 is
    /// `alpha`, in PyTorch by default 1.
    ///
    /// # Errors
    /// If there is no memory for the result.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([2.0, -100.0]).elu(1.0)?.to_vec::<f32>()?, [2.0, -1.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn elu(&self, alpha: f64) -> Result<Tensor> {
        self.pointwise(Elu {
            alpha,
            scale: 1.0,
            inner: 1.0,
        })
    }

    /// 1.0507·[`elu`](Tensor::elu) with alpha 1.6733, the constants that keep mean and variance (Klambauer et
    /// al., "Self-Normalizing Neural Networks", 2017). The gradient at 0 is that from below, 1.7581.
    ///
    /// # Errors
    /// If there is no memory for the result.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([0.0, 1.0]).selu()?.to_vec::<f32>()?, [0.0, 1.050_701]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn selu(&self) -> Result<Tensor> {
        self.pointwise(Elu {
            alpha: 1.673_263_242_354_377_2,
            scale: 1.050_700_987_355_480_5,
            inner: 1.0,
        })
    }

    /// x, or `alpha`·(e^(x/alpha) − 1) below 0, whose gradient has no jump (Barron, 2017). PyTorch's default
    /// is 1.
    ///
    /// # Errors
    /// If `alpha` is 0.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([2.0, -100.0]).celu(0.5)?.to_vec::<f32>()?, [2.0, -0.5]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn celu(&self, alpha: f64) -> Result<Tensor> {
        if alpha == 0.0 {
            return Err(err!(Value, "celu: alpha cannot be 0 for CELU"));
        }
        self.pointwise(Elu {
            alpha,
            scale: 1.0,
            inner: 1.0 / alpha,
        })
    }

    /// (x + 3)/6, brought between 0 and 1. The gradient at ±3 is 0.
    ///
    /// # Errors
    /// If there is no memory for the result.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([-4.0, 0.0, 4.0]).hardsigmoid()?.to_vec::<f32>()?, [0.0, 0.5, 1.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn hardsigmoid(&self) -> Result<Tensor> {
        self.pointwise(Hardsigmoid)
    }

    /// x·[`hardsigmoid`](Tensor::hardsigmoid)(x) (Howard et al., "Searching for MobileNetV3", 2019). The
    /// gradient is 0 at −3 and 1 at 3.
    ///
    /// # Errors
    /// If there is no memory for the result.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([-4.0, 0.0, 4.0]).hardswish()?.to_vec::<f32>()?, [-0.0, 0.0, 4.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn hardswish(&self) -> Result<Tensor> {
        self.pointwise(Hardswish)
    }

    /// x where it is above `threshold`, else `value`. The gradient at the threshold is 0. Integers keep their
    /// dtype; both numbers are truncated for them.
    ///
    /// # Errors
    /// For bool tensors.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([1.0, 3.0]).threshold(1.0, 7.0)?.to_vec::<f32>()?, [7.0, 3.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn threshold(&self, threshold: f64, value: f64) -> Result<Tensor> {
        self.pointwise_or(Threshold { threshold, value }, "threshold", |x| {
            if x <= threshold as i64 {
                value as i64
            } else {
                x
            }
        })
    }

    /// x brought closer to 0 by `lambda`, and 0 between ±`lambda`; in PyTorch by default 0.5. The gradient
    /// is 1, or 0 between ±`lambda` and there.
    ///
    /// # Errors
    /// If `lambda` is negative.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([2.0, 0.3, -1.0]).softshrink(0.5)?.to_vec::<f32>()?, [1.5, 0.0, -0.5]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn softshrink(&self, lambda: f64) -> Result<Tensor> {
        // Written so that NaN is refused as well.
        if lambda >= 0.0 {
            return self.pointwise(Softshrink { lambda });
        }
        Err(err!(
            Value,
            "softshrink: lambda must be greater or equal to 0, but found to be {lambda}."
        ))
    }

    /// x, but 0 from −`lambda` to `lambda`; in PyTorch by default 0.5. The gradient is 0 there, else 1.
    ///
    /// # Errors
    /// If there is no memory for the result.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([2.0, 0.3, -1.0]).hardshrink(0.5)?.to_vec::<f32>()?, [2.0, 0.0, -1.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn hardshrink(&self, lambda: f64) -> Result<Tensor> {
        self.pointwise(Hardshrink { lambda })
    }

    /// The step function: 0 below 0 and for NaN, 1 above, and at 0 the element of `values`, which
    /// broadcasts. No gradient flows.
    ///
    /// # Errors
    /// If the shapes do not broadcast or the dtypes differ.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([-2.0, 0.0, 3.0]);
    /// assert_eq!(x.heaviside(&Tensor::from(0.5))?.to_vec::<f32>()?, [0.0, 0.5, 1.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn heaviside(&self, values: &Tensor) -> Result<Tensor> {
        if values.dtype() != self.dtype() {
            return Err(err!(
                DType,
                "heaviside: heaviside is not yet implemented for tensors with different dtypes, got {} and {}; \
                 convert one with to_dtype",
                self.dtype(),
                values.dtype()
            ));
        }
        dispatch!(self.dtype(), T => {
            broadcast("heaviside", &[self, values], &|x, v| map::zip(x, v, Cost::Low, step::<T>))
        })
    }

    fn between(&self, op: &'static str, min: f64, max: f64) -> Result<Tensor> {
        self.pointwise_or(Hardtanh { min, max }, op, |x| {
            x.max(min as i64).min(max as i64)
        })
    }
}

/// Rectifier. The gradient is 0 where the output is at most 0.
pub(super) struct Relu;
impl Pointwise for Relu {
    const NAME: &'static str = "relu";
    const USES: Uses = Uses::Output;
    const WORK: Work = Work::Arithmetic;
    #[inline(always)]
    fn f<T: Float>(&self, x: T) -> T {
        if x < T::ZERO { T::ZERO } else { x }
    }
    #[inline(always)]
    fn chain<T: Real>(&self, g: T, y: T) -> T {
        y.at_most(0.0, T::number(0.0), g)
    }
}

/// Rectifier with a slope below 0.
struct LeakyRelu {
    slope: f64,
}
impl Pointwise for LeakyRelu {
    const NAME: &'static str = "leaky_relu";
    const WORK: Work = Work::Arithmetic;
    #[inline(always)]
    fn f<T: Float>(&self, x: T) -> T {
        x.above(0.0, x, x * T::from_f64(self.slope))
    }
    #[inline(always)]
    fn df<T: Real>(&self, x: T) -> T {
        x.above(0.0, T::number(1.0), T::number(self.slope))
    }
}

/// Rectifier with a slope below 0 that is a tensor of its own.
struct Prelu;
impl Function for Prelu {
    fn name(&self) -> &'static str {
        "prelu"
    }
    fn forward(&self, ctx: &mut Context, inputs: &[&Tensor]) -> Result<Tensor> {
        ctx.save(inputs[0]);
        ctx.save(inputs[1]);
        dispatch_float!("prelu", inputs[0].dtype(), T => {
            broadcast("prelu", inputs, &|x, w| {
                map::zip(x, w, Cost::Low, |x: T, w: T| x.above(0.0, x, w * x))
            })
        })
    }
    fn backward(&self, saved: &Saved<'_>, grad: &Tensor) -> Result<Grads> {
        let (x, w) = (saved.get(0)?, saved.get(1)?);
        let dx = saved.grad(0, || {
            trace([grad, &x, &w], |[g, x, w]| x.above(0.0, g, g * w))
        })?;
        let dw = saved.grad(1, || {
            trace([grad, &x], |[g, x]| x.above(0.0, Real::number(0.0), g * x))
        })?;
        Ok([dx, dw].into())
    }
}

/// Limits. The gradient is 0 from each of them on.
struct Hardtanh {
    min: f64,
    max: f64,
}
impl Pointwise for Hardtanh {
    const NAME: &'static str = "hardtanh";
    const WORK: Work = Work::Arithmetic;
    #[inline(always)]
    fn f<T: Float>(&self, x: T) -> T {
        let x = if x < T::from_f64(self.min) {
            T::from_f64(self.min)
        } else {
            x
        };
        if x > T::from_f64(self.max) {
            T::from_f64(self.max)
        } else {
            x
        }
    }
    #[inline(always)]
    fn chain<T: Real>(&self, g: T, x: T) -> T {
        let zero = T::number(0.0);
        x.at_most(self.min, zero, (-x).at_most(-self.max, zero, g))
    }
}

/// scale·x, or scale·alpha·(e^(inner·x) − 1) up to 0.
struct Elu {
    alpha: f64,
    scale: f64,
    inner: f64,
}
impl Pointwise for Elu {
    const NAME: &'static str = "elu";
    const SLOPE: Work = Work::Vector;
    #[inline(always)]
    fn f<T: Float>(&self, x: T) -> T {
        let curve = T::from_f64(self.alpha * self.scale) * (x * T::from_f64(self.inner)).exp_m1();
        x.at_most(0.0, curve, x * T::from_f64(self.scale))
    }
    #[inline(always)]
    fn df<T: Real>(&self, x: T) -> T {
        // Not infinite where it is not taken.
        let z = x.at_most(0.0, x, T::number(0.0)) * T::number(self.inner);
        let curve = T::number(self.alpha * self.scale * self.inner) * z.exp();
        x.at_most(0.0, curve, T::number(self.scale))
    }
}

/// A line between two constants.
struct Hardsigmoid;
impl Pointwise for Hardsigmoid {
    const NAME: &'static str = "hardsigmoid";
    const WORK: Work = Work::Arithmetic;
    #[inline(always)]
    fn f<T: Float>(&self, x: T) -> T {
        gate(x)
    }
    #[inline(always)]
    fn chain<T: Real>(&self, g: T, x: T) -> T {
        let (zero, line) = (T::number(0.0), g * T::number(1.0 / 6.0));
        x.above(-3.0, (-x).above(-3.0, line, zero), zero)
    }
}

/// x times a line between two constants. The gradient is x/3 + 1/2 between them.
struct Hardswish;
impl Pointwise for Hardswish {
    const NAME: &'static str = "hardswish";
    const WORK: Work = Work::Arithmetic;
    #[inline(always)]
    fn f<T: Float>(&self, x: T) -> T {
        x * gate(x)
    }
    #[inline(always)]
    fn chain<T: Real>(&self, g: T, x: T) -> T {
        let curve = g * (x * T::number(1.0 / 3.0) + T::number(0.5));
        x.at_most(-3.0, T::number(0.0), (-x).above(-3.0, curve, g))
    }
}

/// x above the threshold, else the value.
struct Threshold {
    threshold: f64,
    value: f64,
}
impl Pointwise for Threshold {
    const NAME: &'static str = "threshold";
    const WORK: Work = Work::Arithmetic;
    #[inline(always)]
    fn f<T: Float>(&self, x: T) -> T {
        x.at_most(self.threshold, T::from_f64(self.value), x)
    }
    #[inline(always)]
    fn chain<T: Real>(&self, g: T, x: T) -> T {
        x.at_most(self.threshold, T::number(0.0), g)
    }
}

/// x moved towards 0.
struct Softshrink {
    lambda: f64,
}
impl Pointwise for Softshrink {
    const NAME: &'static str = "softshrink";
    const WORK: Work = Work::Arithmetic;
    #[inline(always)]
    fn f<T: Float>(&self, x: T) -> T {
        let l = T::from_f64(self.lambda);
        // 0·x keeps NaN and the sign of 0.
        x.above(
            self.lambda,
            x - l,
            (-x).above(self.lambda, x + l, T::ZERO * x),
        )
    }
    #[inline(always)]
    fn chain<T: Real>(&self, g: T, x: T) -> T {
        x.abs().at_most(self.lambda, T::number(0.0), g)
    }
}

/// x, without what is small.
struct Hardshrink {
    lambda: f64,
}
impl Pointwise for Hardshrink {
    const NAME: &'static str = "hardshrink";
    const WORK: Work = Work::Arithmetic;
    #[inline(always)]
    fn f<T: Float>(&self, x: T) -> T {
        x.abs().at_most(self.lambda, T::ZERO, x)
    }
    #[inline(always)]
    fn chain<T: Real>(&self, g: T, x: T) -> T {
        x.abs().at_most(self.lambda, T::number(0.0), g)
    }
}

/// 0, 1, or between them `v`.
#[inline(always)]
fn step<T: Element>(x: T, v: T) -> T {
    let zero = T::from_i64(0);
    match () {
        () if x == zero => v,
        () if x > zero => T::from_i64(1),
        () => zero,
    }
}

/// (x + 3)/6 between 0 and 1; NaN stays.
#[inline(always)]
fn gate<T: Float>(x: T) -> T {
    let x = x + T::from_f64(3.0);
    let x = if x < T::ZERO { T::ZERO } else { x };
    let six = T::from_f64(6.0);
    (if x > six { six } else { x }) * T::from_f64(1.0 / 6.0)
}
