//! Losses of numbers: functions of the difference from the target, and likelihoods.

use super::{Reduction, check};
use crate::autograd::{Context, Function, Grad, Grads, Saved, apply};
use crate::dtype::{Element, dispatch_float};
use crate::error::{Result, err};
use crate::kernels::map::{self, Cost};
use crate::ops::Operand;
use crate::ops::registry::{Case, Input};
use crate::tensor::Tensor;
use std::borrow::Cow;
use std::f64::consts::PI;

pub(in crate::ops) const CASES: &[Case] = &[
    Case::new("mul", &[Input::real(&[3, 4]), Input::real(&[3, 4])], |x| {
        x[0].mse_loss(&x[1])
    })
    .torch("F.mse_loss(x[0], x[1])"),
    Case::new("mul", &[Input::real(&[3, 4]), Input::real(&[4])], |x| {
        x[0].mse_loss_with(&x[1], Reduction::None)
    })
    .torch("F.mse_loss(x[0], x[1], reduction='none')"),
    Case::new(
        "mul",
        &[
            Input::real(&[3, 4]),
            Input::real(&[3, 4]),
            Input::positive(&[3, 4]),
        ],
        |x| {
            let options = Mse {
                weight: Some(&x[2]),
                ..Default::default()
            };
            x[0].mse_loss_with(&x[1], options)
        },
    )
    .torch("F.mse_loss(x[0], x[1], weight=x[2])"),
    Case::new("abs", &[Input::real(&[3, 4]), Input::real(&[3, 4])], |x| {
        x[0].l1_loss(&x[1])
    })
    .torch("F.l1_loss(x[0], x[1])"),
    Case::new(
        "abs",
        &[
            Input::real(&[3, 4]),
            Input::real(&[3, 4]),
            Input::positive(&[3, 4]),
        ],
        |x| {
            let options = L1 {
                weight: Some(&x[2]),
                reduction: Reduction::Sum,
            };
            x[0].l1_loss_with(&x[1], options)
        },
    )
    .torch("F.l1_loss(x[0], x[1], weight=x[2], reduction='sum')"),
    Case::new(
        "huber_loss",
        &[Input::real(&[3, 4]), Input::real(&[3, 4])],
        |x| x[0].huber_loss(&x[1]),
    )
    .torch("F.huber_loss(x[0], x[1])"),
    Case::new(
        "huber_loss",
        &[
            Input::real(&[3, 4]),
            Input::real(&[3, 4]),
            Input::positive(&[3, 4]),
        ],
        |x| {
            let options = Huber {
                delta: 0.7,
                weight: Some(&x[2]),
                ..Default::default()
            };
            x[0].huber_loss_with(&x[1], options)
        },
    )
    .torch("F.huber_loss(x[0], x[1], delta=0.7, weight=x[2])"),
    Case::new(
        "huber_loss",
        &[Input::real(&[3, 4]), Input::real(&[3, 4])],
        |x| x[0].smooth_l1_loss(&x[1]),
    )
    .torch("F.smooth_l1_loss(x[0], x[1])"),
    Case::new(
        "huber_loss",
        &[Input::real(&[3, 4]), Input::real(&[3, 4])],
        |x| {
            let options = SmoothL1 {
                beta: 0.7,
                reduction: Reduction::None,
            };
            x[0].smooth_l1_loss_with(&x[1], options)
        },
    )
    .torch("F.smooth_l1_loss(x[0], x[1], beta=0.7, reduction='none')"),
    Case::new("abs", &[Input::real(&[3, 4]), Input::real(&[3, 4])], |x| {
        let options = SmoothL1 {
            beta: 0.0,
            ..Default::default()
        };
        x[0].smooth_l1_loss_with(&x[1], options)
    })
    .torch("F.smooth_l1_loss(x[0], x[1], beta=0.0)"),
    Case::new(
        "exp",
        &[Input::real(&[3, 4]), Input::within(&[3, 4], 0.0, 5.0)],
        |x| x[0].poisson_nll_loss(&x[1]),
    )
    .torch("F.poisson_nll_loss(x[0], x[1])"),
    Case::new(
        "log",
        &[Input::positive(&[3, 4]), Input::within(&[3, 4], 0.0, 5.0)],
        |x| {
            let options = PoissonNll {
                log_input: false,
                full: true,
                eps: 1e-3,
                reduction: Reduction::None,
            };
            x[0].poisson_nll_loss_with(&x[1], options)
        },
    )
    .torch(
        "F.poisson_nll_loss(x[0], x[1], log_input=False, full=True, eps=1e-3, reduction='none')",
    ),
    Case::new(
        "log",
        &[
            Input::real(&[3, 4]),
            Input::real(&[3, 4]),
            Input::positive(&[3, 4]),
        ],
        |x| x[0].gaussian_nll_loss(&x[1], &x[2]),
    )
    .torch("F.gaussian_nll_loss(x[0], x[1], x[2])"),
    Case::new(
        "log",
        &[
            Input::real(&[3, 4]),
            Input::real(&[3, 4]),
            Input::positive(&[3]),
        ],
        |x| {
            let options = GaussianNll {
                full: true,
                eps: 0.5,
                reduction: Reduction::None,
            };
            x[0].gaussian_nll_loss_with(&x[1], &x[2].add(0.5)?, options)
        },
    )
    .torch("F.gaussian_nll_loss(x[0], x[1], x[2] + 0.5, full=True, eps=0.5, reduction='none')"),
    Case::new("div", &[Input::real(&[3, 4]), Input::real(&[4])], |x| {
        x[0].gaussian_nll_loss_with(&x[1], 2.0, Reduction::Sum)
    })
    .torch("F.gaussian_nll_loss(x[0], x[1], 2.0, reduction='sum')"),
];

/// Options of [`Tensor::mse_loss_with`].
///
/// ```
/// use gradus_core::loss::{Mse, Reduction};
/// assert_eq!(Mse::default().reduction, Reduction::Mean);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Mse<'a> {
    /// Weights of the elements, in the shape of the input (default: all 1). The mean is divided by
    /// their sum.
    pub weight: Option<&'a Tensor>,
    /// What becomes of the losses of the elements (default: their mean).
    pub reduction: Reduction,
}

/// Options of [`Tensor::l1_loss_with`].
///
/// ```
/// use gradus_core::loss::{L1, Reduction};
/// assert_eq!(L1::default().reduction, Reduction::Mean);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct L1<'a> {
    /// Weights of the elements, in the shape of the input (default: all 1). The mean is divided by
    /// their sum.
    pub weight: Option<&'a Tensor>,
    /// What becomes of the losses of the elements (default: their mean).
    pub reduction: Reduction,
}

/// Options of [`Tensor::huber_loss_with`].
///
/// ```
/// use gradus_core::loss::Huber;
/// let options = Huber { delta: 0.5, ..Default::default() };
/// assert!(options.weight.is_none());
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Huber<'a> {
    /// Where the parabola ends and the line begins, above 0 (default: 1).
    pub delta: f64,
    /// Weights of the elements, in the shape of the input (default: all 1). As in PyTorch the mean
    /// is not divided by them.
    pub weight: Option<&'a Tensor>,
    /// What becomes of the losses of the elements (default: their mean).
    pub reduction: Reduction,
}

impl Default for Huber<'_> {
    fn default() -> Self {
        Self {
            delta: 1.0,
            weight: None,
            reduction: Reduction::Mean,
        }
    }
}

/// Options of [`Tensor::smooth_l1_loss_with`].
///
/// ```
/// use gradus_core::loss::SmoothL1;
/// assert_eq!(SmoothL1::default().beta, 1.0);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct SmoothL1 {
    /// Where the parabola ends and the line begins (default: 1); 0 is the L1 loss.
    pub beta: f64,
    /// What becomes of the losses of the elements (default: their mean).
    pub reduction: Reduction,
}

impl Default for SmoothL1 {
    fn default() -> Self {
        Self {
            beta: 1.0,
            reduction: Reduction::Mean,
        }
    }
}

/// Options of [`Tensor::poisson_nll_loss_with`].
///
/// ```
/// use gradus_core::loss::PoissonNll;
/// let options = PoissonNll { full: true, ..Default::default() };
/// assert!(options.log_input);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct PoissonNll {
    /// Whether the input is the logarithm of the rate (default: yes).
    pub log_input: bool,
    /// Whether Stirling's approximation of log t! is added for targets above 1 (default: no).
    pub full: bool,
    /// Added to a rate before its logarithm is taken (default: 1e-8).
    pub eps: f64,
    /// What becomes of the losses of the elements (default: their mean).
    pub reduction: Reduction,
}

impl Default for PoissonNll {
    fn default() -> Self {
        Self {
            log_input: true,
            full: false,
            eps: 1e-8,
            reduction: Reduction::Mean,
        }
    }
}

/// Options of [`Tensor::gaussian_nll_loss_with`].
///
/// ```
/// use gradus_core::loss::GaussianNll;
/// assert_eq!(GaussianNll::default().eps, 1e-6);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct GaussianNll {
    /// Whether the constant ½·log 2π is added (default: no).
    pub full: bool,
    /// Smaller variances are taken as this (default: 1e-6); their gradient is that at this value.
    pub eps: f64,
    /// What becomes of the losses of the elements (default: their mean).
    pub reduction: Reduction,
}

impl Default for GaussianNll {
    fn default() -> Self {
        Self {
            full: false,
            eps: 1e-6,
            reduction: Reduction::Mean,
        }
    }
}

impl Tensor {
    /// The mean of the squared differences from `target`, which broadcasts.
    ///
    /// # Errors
    /// If the shapes do not broadcast; for integers.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([1.0, 2.0]).mse_loss(&Tensor::from([1.0, 4.0]))?.item::<f32>()?, 2.0);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn mse_loss(&self, target: &Tensor) -> Result<Tensor> {
        self.mse_loss_with(target, Mse::default())
    }

    /// [`mse_loss`](Tensor::mse_loss) with options: an [`Mse`] or a [`Reduction`].
    ///
    /// # Errors
    /// As without options; if the weights have another shape than the input.
    ///
    /// ```
    /// # use gradus_core::{Tensor, loss::Reduction};
    /// let squares = Tensor::from([1.0, 2.0]).mse_loss_with(&Tensor::from([1.0, 4.0]), Reduction::None)?;
    /// assert_eq!(squares.to_vec::<f32>()?, [0.0, 4.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn mse_loss_with<'a>(
        &self,
        target: &Tensor,
        options: impl Into<Mse<'a>>,
    ) -> Result<Tensor> {
        const OP: &str = "mse_loss";
        let Mse { weight, reduction } = options.into();
        let difference = self.difference(OP, target)?;
        let squares = difference.mul(&difference)?;
        self.weighted_mean(OP, squares, weight, reduction)
    }

    /// The mean of the absolute differences from `target`, which broadcasts. The gradient at 0 is 0.
    ///
    /// # Errors
    /// If the shapes do not broadcast; for integers.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([1.0, 2.0]).l1_loss(&Tensor::from([1.0, 4.0]))?.item::<f32>()?, 1.0);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn l1_loss(&self, target: &Tensor) -> Result<Tensor> {
        self.l1_loss_with(target, L1::default())
    }

    /// [`l1_loss`](Tensor::l1_loss) with options: an [`L1`] or a [`Reduction`].
    ///
    /// # Errors
    /// As without options; if the weights have another shape than the input.
    ///
    /// ```
    /// # use gradus_core::{Tensor, loss::Reduction};
    /// let (x, t) = (Tensor::from([1.0, 2.0]), Tensor::from([1.0, 4.0]));
    /// assert_eq!(x.l1_loss_with(&t, Reduction::Sum)?.item::<f32>()?, 2.0);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn l1_loss_with<'a>(&self, target: &Tensor, options: impl Into<L1<'a>>) -> Result<Tensor> {
        const OP: &str = "l1_loss";
        let L1 { weight, reduction } = options.into();
        let distances = self.difference(OP, target)?.abs()?;
        self.weighted_mean(OP, distances, weight, reduction)
    }

    /// The mean of d²/2 for differences d of at most 1 and |d| − ½ beyond (Huber, "Robust Estimation
    /// of a Location Parameter", 1964). Shapes broadcast.
    ///
    /// # Errors
    /// If the shapes do not broadcast; for integers.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let loss = Tensor::from([0.5, 3.0]).huber_loss(&Tensor::zeros([2]))?;
    /// assert_eq!(loss.item::<f32>()?, (0.125 + 2.5) / 2.0);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn huber_loss(&self, target: &Tensor) -> Result<Tensor> {
        self.huber_loss_with(target, Huber::default())
    }

    /// [`huber_loss`](Tensor::huber_loss) with options, a [`Huber`] or a [`Reduction`]: d²/2 up to
    /// `delta` and delta·(|d| − delta/2) beyond.
    ///
    /// # Errors
    /// As without options; if the weights have another shape than the input; if `delta` is not
    /// positive.
    ///
    /// ```
    /// # use gradus_core::{Tensor, loss::Huber};
    /// let options = Huber { delta: 2.0, ..Default::default() };
    /// let loss = Tensor::from([3.0]).huber_loss_with(&Tensor::from([0.0]), options)?;
    /// assert_eq!(loss.item::<f32>()?, 4.0);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn huber_loss_with<'a>(
        &self,
        target: &Tensor,
        options: impl Into<Huber<'a>>,
    ) -> Result<Tensor> {
        const OP: &str = "huber_loss";
        let Huber {
            delta,
            weight,
            reduction,
        } = options.into();
        check(
            OP,
            delta > 0.0,
            format_args!("huber_loss does not support non-positive values for delta, got {delta}"),
        )?;
        let losses = huber(&self.difference(OP, target)?, delta)?;
        match weight {
            Some(weight) => reduction.of(losses.mul(self.expect_own_shape(OP, weight)?)?),
            None => reduction.of(losses),
        }
    }

    /// The mean of d²/2 for differences d below 1 and |d| − ½ beyond (Girshick, "Fast R-CNN", 2015).
    /// Shapes broadcast.
    ///
    /// # Errors
    /// If the shapes do not broadcast; for integers.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let loss = Tensor::from([0.5, 3.0]).smooth_l1_loss(&Tensor::zeros([2]))?;
    /// assert_eq!(loss.item::<f32>()?, (0.125 + 2.5) / 2.0);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn smooth_l1_loss(&self, target: &Tensor) -> Result<Tensor> {
        self.smooth_l1_loss_with(target, SmoothL1::default())
    }

    /// [`smooth_l1_loss`](Tensor::smooth_l1_loss) with options, a [`SmoothL1`] or a [`Reduction`]:
    /// d²/(2·beta) below `beta` and |d| − beta/2 beyond.
    ///
    /// # Errors
    /// As without options; if `beta` is negative.
    ///
    /// ```
    /// # use gradus_core::{Tensor, loss::SmoothL1};
    /// let options = SmoothL1 { beta: 2.0, ..Default::default() };
    /// let loss = Tensor::from([1.0, 3.0]).smooth_l1_loss_with(&Tensor::zeros([2]), options)?;
    /// assert_eq!(loss.item::<f32>()?, (0.25 + 2.0) / 2.0);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn smooth_l1_loss_with(
        &self,
        target: &Tensor,
        options: impl Into<SmoothL1>,
    ) -> Result<Tensor> {
        const OP: &str = "smooth_l1_loss";
        let SmoothL1 { beta, reduction } = options.into();
        check(
            OP,
            beta >= 0.0,
            format_args!("smooth_l1_loss does not support negative values for beta, got {beta}"),
        )?;
        let difference = self.difference(OP, target)?;
        reduction.of(match beta {
            0.0 => difference.abs()?,
            _ => huber(&difference, beta)?.div(beta)?,
        })
    }

    /// The mean of eˣ − t·x: minus the logarithm of the likelihood of counts t whose rates have the
    /// logarithms x, without the part log t! that does not depend on x. Shapes broadcast.
    ///
    /// # Errors
    /// If the shapes do not broadcast.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let loss = Tensor::from([0.0]).poisson_nll_loss(&Tensor::from([3.0]))?;
    /// assert_eq!(loss.item::<f32>()?, 1.0);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn poisson_nll_loss(&self, target: &Tensor) -> Result<Tensor> {
        self.poisson_nll_loss_with(target, PoissonNll::default())
    }

    /// [`poisson_nll_loss`](Tensor::poisson_nll_loss) with options: a [`PoissonNll`] or a
    /// [`Reduction`].
    ///
    /// # Errors
    /// If the shapes do not broadcast.
    ///
    /// ```
    /// # use gradus_core::{Tensor, loss::PoissonNll};
    /// let options = PoissonNll { log_input: false, ..Default::default() };
    /// let loss = Tensor::from([1.0]).poisson_nll_loss_with(&Tensor::from([3.0]), options)?;
    /// assert_eq!(loss.item::<f32>()?, 1.0);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn poisson_nll_loss_with(
        &self,
        target: &Tensor,
        options: impl Into<PoissonNll>,
    ) -> Result<Tensor> {
        let PoissonNll {
            log_input,
            full,
            eps,
            reduction,
        } = options.into();
        let losses = || {
            let losses = if log_input {
                self.exp()?.sub(&self.mul(target)?)?
            } else {
                self.sub(&target.mul(&self.add(eps)?.log()?)?)?
            };
            if !full {
                return Ok(losses);
            }
            // Targets up to 1 are taken as 1, where the logarithm is no trouble, and then left out.
            let large = target.gt(1.0)?;
            let t = large.where_cond(&target.to_dtype(losses.dtype())?, 1.0)?;
            let spread = t.mul(2.0 * PI)?.log()?.mul(0.5)?;
            let stirling = t.mul(&t.log()?)?.sub(&t)?.add(&spread)?;
            losses.add(&large.where_cond(&stirling, 0.0)?)
        };
        let losses = losses().map_err(|e| e.at("poisson_nll_loss"))?;
        reduction.of(losses)
    }

    /// The mean of ½·(log v + (x − t)²/v): minus the logarithm of the likelihood of a target t under
    /// the normal distribution with mean x and variance v, but for a constant (Nix and Weigend,
    /// "Estimating the Mean and Variance of the Target Probability Distribution", 1994). `target`
    /// broadcasts. `var` is a number, or a tensor in the shape of x whose last size may be 1 or
    /// missing.
    ///
    /// # Errors
    /// If the shapes do not fit or a variance is negative.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let loss = Tensor::from([1.0, 4.0]).gaussian_nll_loss(&Tensor::from([1.0, 2.0]), 1.0)?;
    /// assert_eq!(loss.item::<f32>()?, 1.0);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn gaussian_nll_loss<'a>(
        &self,
        target: &Tensor,
        var: impl Into<Operand<'a>>,
    ) -> Result<Tensor> {
        self.gaussian_nll_loss_with(target, var, GaussianNll::default())
    }

    /// [`gaussian_nll_loss`](Tensor::gaussian_nll_loss) with options: a [`GaussianNll`] or a
    /// [`Reduction`].
    ///
    /// # Errors
    /// If the shapes do not fit or a variance is negative.
    ///
    /// ```
    /// # use gradus_core::{Tensor, loss::GaussianNll};
    /// let options = GaussianNll { full: true, ..Default::default() };
    /// let (x, t) = (Tensor::from([1.0]), Tensor::from([1.0]));
    /// let density = x.gaussian_nll_loss_with(&t, 1.0, options)?.neg()?.exp()?;
    /// assert!((density.item::<f32>()? - 0.398942).abs() < 1e-6);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn gaussian_nll_loss_with<'a>(
        &self,
        target: &Tensor,
        var: impl Into<Operand<'a>>,
        options: impl Into<GaussianNll>,
    ) -> Result<Tensor> {
        const OP: &str = "gaussian_nll_loss";
        let GaussianNll {
            full,
            eps,
            reduction,
        } = options.into();
        let difference = self.sub(target).map_err(|e| e.at(OP))?;
        let var = match var.into() {
            Operand::Tensor(var) => self.variance_for(OP, var)?,
            scalar => scalar.to_tensor(if self.dtype().is_float() {
                self.dtype()
            } else {
                crate::DType::F32
            })?,
        };
        if var.lt(0.0)?.sum(..)?.item::<i64>()? > 0 {
            return Err(err!(Value, "{OP}: var has negative entry/entries"));
        }
        // What is missing is a constant: the gradient passes as if it were not.
        let missing = crate::ops::binary::sub(eps, &var.detach())?.relu()?;
        let var = var.add(&missing)?;
        let losses = difference.mul(&difference)?.div(&var)?;
        let mut losses = losses.add(&var.log()?)?.mul(0.5)?;
        if full {
            losses = losses.add(0.5 * (2.0 * PI).ln())?;
        }
        reduction.of(losses)
    }

    /// `var` in a shape that broadcasts to this tensor's.
    fn variance_for<'a>(&self, op: &str, var: &'a Tensor) -> Result<Cow<'a, Tensor>> {
        let (x, v) = (self.shape(), var.shape());
        match x.split_last() {
            _ if x == v => Ok(Cow::Borrowed(var)),
            Some((_, front)) if front == v => var.unsqueeze(-1).map(Cow::Owned),
            Some((_, front)) if v.split_last() == Some((&1, front)) => Ok(Cow::Borrowed(var)),
            _ => Err(err!(
                Shape,
                "{op}: var is of incorrect size: {v:?} for an input of shape {x:?}; it must be the same, or the last size \
                 1 or missing"
            )),
        }
    }

    /// What this floating point tensor has more than `target`.
    fn difference(&self, op: &str, target: &Tensor) -> Result<Tensor> {
        self.dtype().promote(target.dtype()).expect_float(op)?;
        self.sub(target).map_err(|e| e.at(op))
    }

    /// `weight`, if it has this tensor's shape.
    fn expect_own_shape<'a>(&self, op: &str, weight: &'a Tensor) -> Result<&'a Tensor> {
        if weight.shape() == self.shape() {
            return Ok(weight);
        }
        Err(err!(
            Shape,
            "{op}: Weights and input must have the same size, got {:?} and {:?}",
            weight.shape(),
            self.shape()
        ))
    }

    /// Reduces `losses`, whose mean is divided by the weights if there are some.
    fn weighted_mean(
        &self,
        op: &str,
        losses: Tensor,
        weight: Option<&Tensor>,
        reduction: Reduction,
    ) -> Result<Tensor> {
        let Some(weight) = weight else {
            return reduction.of(losses);
        };
        let losses = losses.mul(self.expect_own_shape(op, weight)?)?;
        match reduction {
            Reduction::Mean => losses.sum(..)?.div(&weight.sum(..)?),
            _ => reduction.of(losses),
        }
    }
}

/// d²/2 up to `delta`, delta·(|d| − delta/2) beyond.
fn huber(difference: &Tensor, delta: f64) -> Result<Tensor> {
    let order = 0;
    apply(HuberLoss { delta, order }, &[difference])
}

/// Huber's function of the difference d, or its derivative: d cut off at ±delta. The derivative of
/// that is 1 up to delta and 0 beyond.
struct HuberLoss {
    delta: f64,
    /// How often it is differentiated: 0 or 1.
    order: u32,
}

impl Function for HuberLoss {
    fn name(&self) -> &'static str {
        "huber_loss"
    }

    fn forward(&self, ctx: &mut Context, d: &[&Tensor]) -> Result<Tensor> {
        ctx.save(d[0]);
        let y = dispatch_float!(self.name(), d[0].dtype(), T => {
            let (delta, half) = (T::from_f64(self.delta), T::from_f64(0.5));
            d[0].with::<T, _>(|d| match self.order {
                0 => map::map(d, Cost::Low, |d: T| {
                    let line = delta * (d.abs() - half * delta);
                    if d.abs() > delta { line } else { half * d * d }
                }),
                _ => map::map(d, Cost::Low, |d: T| {
                    let d = if d > delta { delta } else { d };
                    if d < -delta { -delta } else { d }
                }),
            })
        })?;
        Ok(Tensor::from_dense(y))
    }

    fn backward(&self, saved: &Saved<'_>, g: &Tensor) -> Result<Grads> {
        let d = saved.get(0)?;
        let slope = match self.order {
            0 => {
                let (delta, order) = (self.delta, 1);
                apply(HuberLoss { delta, order }, &[&d])?
            }
            _ => d.abs()?.le(self.delta)?.to_dtype(d.dtype())?,
        };
        Ok([Grad::Of(g.mul(&slope)?)].into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As in PyTorch: the parabola up to its end, finite slopes at infinity, NaN stays.
    #[test]
    fn huber_at_its_ends() -> Result<()> {
        let inf = f64::INFINITY;
        let x = Tensor::from([0.0, 2.0, -2.0, inf, -inf, f64::NAN]).requires_grad_(true)?;
        let zeros = Tensor::zeros([6]);
        let each = Huber {
            delta: 2.0,
            reduction: Reduction::None,
            ..Default::default()
        };
        let losses = x.huber_loss_with(&zeros, each)?;
        assert_eq!(losses.to_vec::<f64>()?[..5], [0.0, 2.0, 2.0, inf, inf]);
        assert!(losses.to_vec::<f64>()?[5].is_nan());
        losses.sum(..)?.backward()?;
        let g = x.grad().unwrap().to_vec::<f64>()?;
        assert_eq!(g[..5], [0.0, 2.0, -2.0, 2.0, -2.0]);
        assert!(g[5].is_nan());
        let wide = SmoothL1 {
            beta: inf,
            ..Default::default()
        };
        let loss = zeros.smooth_l1_loss_with(&Tensor::ones([6]), wide)?;
        assert_eq!(loss.item::<f32>()?, 0.0);
        Ok(())
    }

    #[test]
    fn far_outliers_keep_their_digits() -> Result<()> {
        let x = Tensor::from([1e10]).requires_grad_(true)?;
        let loss = x.huber_loss(&Tensor::from([0.0]))?;
        assert_eq!(loss.item::<f32>()?, 1e10);
        loss.backward()?;
        assert_eq!(x.grad().unwrap().to_vec::<f32>()?, [1.0]);
        Ok(())
    }

    #[test]
    fn variances_below_eps_count_as_eps_and_keep_a_gradient() -> Result<()> {
        let var = Tensor::from_vec([1.0, 1e-8], [2])?.requires_grad_(true)?;
        let (x, t) = (Tensor::from([1.0, 2.0]), Tensor::from([1.0, 3.0]));
        let losses = x.gaussian_nll_loss_with(&t, &var, Reduction::None)?;
        let losses_found = losses.to_vec::<f64>()?;
        assert!((losses_found[1] - 499_993.092_244_721).abs() < 1e-6);
        losses.sum(..)?.backward()?;
        let g = var.grad().unwrap().to_vec::<f64>()?;
        assert_eq!(g[0], 0.5);
        assert!((g[1] / -499_999_500_000.0 - 1.0).abs() < 1e-12);
        Ok(())
    }

    #[test]
    fn variances_for_whole_rows() -> Result<()> {
        let x = Tensor::from([[1.0, 2.0], [3.0, 4.0]]);
        let t = Tensor::zeros([2, 2]);
        let each = |var: &Tensor| x.gaussian_nll_loss_with(&t, var, Reduction::None);
        let expected = each(&Tensor::from([[2.0, 2.0], [3.0, 3.0]]))?;
        for var in [Tensor::from([2.0, 3.0]), Tensor::from([[2.0], [3.0]])] {
            assert_eq!(each(&var)?.to_vec::<f32>()?, expected.to_vec::<f32>()?);
        }
        Ok(())
    }

    #[test]
    fn losses_of_nothing_have_no_mean() -> Result<()> {
        let x = Tensor::zeros([0, 3]);
        for reduction in [Reduction::Mean, Reduction::BatchMean] {
            assert!(x.mse_loss_with(&x, reduction)?.item::<f32>()?.is_nan());
        }
        assert_eq!(x.l1_loss_with(&x, Reduction::Sum)?.item::<f32>()?, 0.0);
        Ok(())
    }
}
