//! Losses of probabilities: of single events, and between distributions.

use super::{Reduction, weighted};
use crate::autograd::{Context, Function, Grads, Saved, apply};
use crate::dtype::{Element, Number, dispatch_float};
use crate::error::{Result, err};
use crate::kernels::map::{self, Cost};
use crate::ops::binary::sub;
use crate::ops::promoted;
use crate::ops::registry::{Case, Input};
use crate::tensor::Tensor;

pub(in crate::ops) const CASES: &[Case] = &[
    Case::new(
        "binary_cross_entropy",
        &[
            Input::within(&[2, 3], 0.05, 0.95),
            Input::within(&[2, 3], 0.0, 1.0),
        ],
        |x| x[0].binary_cross_entropy(&x[1]),
    )
    .torch("F.binary_cross_entropy(x[0], x[1])"),
    Case::new(
        "binary_cross_entropy",
        &[
            Input::within(&[2, 3], 0.05, 0.95),
            Input::within(&[2, 3], 0.0, 1.0),
        ],
        |x| {
            let weight = Tensor::from([0.5, 2.0, 1.25]);
            let options = Bce {
                weight: Some(&weight),
                reduction: Reduction::None,
            };
            x[0].binary_cross_entropy_with(&x[1], options)
        },
    )
    .torch(
        "F.binary_cross_entropy(x[0], x[1], weight=torch.tensor([.5, 2., 1.25], dtype=x[0].dtype), reduction='none')",
    ),
    Case::new(
        "logsigmoid",
        &[Input::real(&[2, 3]), Input::within(&[2, 3], 0.0, 1.0)],
        |x| x[0].binary_cross_entropy_with_logits(&x[1]),
    )
    .torch("F.binary_cross_entropy_with_logits(x[0], x[1])"),
    Case::new(
        "logsigmoid",
        &[
            Input::within(&[2, 3], -40.0, 40.0),
            Input::within(&[2, 3], 0.0, 1.0),
        ],
        |x| {
            let (weight, pos_weight) = (
                Tensor::from([[0.5], [2.0]]),
                Tensor::from([0.5, 2.0, 1.25]),
            );
            let options = BceWithLogits {
                pos_weight: Some(&pos_weight),
                weight: Some(&weight),
                reduction: Reduction::Sum,
            };
            x[0].binary_cross_entropy_with_logits_with(&x[1], options)
        },
    )
    .torch("F.binary_cross_entropy_with_logits(x[0], x[1], pos_weight=torch.tensor([.5, 2., 1.25], dtype=x[0].dtype), \
         weight=torch.tensor([[.5], [2.]], dtype=x[0].dtype), reduction='sum')"),
    Case::new(
        "log",
        &[Input::real(&[2, 3]), Input::positive(&[2, 3])],
        |x| x[0].kl_div(&x[1]),
    )
    .torch("F.kl_div(x[0], x[1])"),
    Case::new(
        "log",
        &[Input::real(&[2, 3]), Input::positive(&[3])],
        |x| x[0].kl_div_with(&x[1], Reduction::BatchMean),
    )
    .torch("F.kl_div(x[0], x[1], reduction='batchmean')"),
    Case::new("exp", &[Input::real(&[2, 3]), Input::real(&[2, 3])], |x| {
        let options = KlDiv {
            log_target: true,
            reduction: Reduction::None,
        };
        x[0].kl_div_with(&x[1], options)
    })
    .torch("F.kl_div(x[0], x[1], log_target=True, reduction='none')"),
];

/// Options of [`Tensor::binary_cross_entropy_with`].
///
/// ```
/// use gradus_core::loss::{Bce, Reduction};
/// assert_eq!(Bce::default().reduction, Reduction::Mean);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Bce<'a> {
    /// Weights of the elements, which broadcast (default: all 1).
    pub weight: Option<&'a Tensor>,
    /// What becomes of the losses of the elements (default: their mean, not divided by the weights).
    pub reduction: Reduction,
}

/// Options of [`Tensor::binary_cross_entropy_with_logits_with`].
///
/// ```
/// use gradus_core::{Tensor, loss::BceWithLogits};
/// let three = Tensor::from(3.0);
/// let options = BceWithLogits { pos_weight: Some(&three), ..Default::default() };
/// assert!(options.weight.is_none());
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct BceWithLogits<'a> {
    /// What positive targets count, which broadcasts (default: 1); above 1 it finds more of them.
    pub pos_weight: Option<&'a Tensor>,
    /// Weights of the elements, which broadcast (default: all 1).
    pub weight: Option<&'a Tensor>,
    /// What becomes of the losses of the elements (default: their mean, not divided by the weights).
    pub reduction: Reduction,
}

/// Options of [`Tensor::kl_div_with`].
///
/// ```
/// use gradus_core::loss::{KlDiv, Reduction};
/// let options = KlDiv { log_target: true, reduction: Reduction::BatchMean };
/// assert!(!KlDiv::default().log_target && options.log_target);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct KlDiv {
    /// Whether the target holds logarithms, too (default: no).
    pub log_target: bool,
    /// What becomes of the losses of the elements (default: their mean; the divergence itself is
    /// [`Reduction::BatchMean`]).
    pub reduction: Reduction,
}

impl Tensor {
    /// The mean of −t·log x − (1 − t)·log(1 − x), for probabilities x and targets t of one shape. As
    /// in PyTorch the logarithms are at least −100, and the gradient (x − t)/(x(1 − x)) has a
    /// denominator of at least 1e-12.
    ///
    /// # Errors
    /// If the shapes differ or an element is not in 0…1.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let loss = Tensor::from([0.5, 0.0]).binary_cross_entropy(&Tensor::from([1.0, 1.0]))?;
    /// assert_eq!(loss.item::<f32>()?, (2f32.ln() + 100.0) / 2.0);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn binary_cross_entropy(&self, target: &Tensor) -> Result<Tensor> {
        self.binary_cross_entropy_with(target, Bce::default())
    }

    /// [`binary_cross_entropy`](Tensor::binary_cross_entropy) with options: a [`Bce`] or a
    /// [`Reduction`].
    ///
    /// # Errors
    /// As without options; if the weights do not broadcast.
    ///
    /// ```
    /// # use gradus_core::{Tensor, loss::Reduction};
    /// let (x, t) = (Tensor::from([0.5, 0.0]), Tensor::from([1.0, 1.0]));
    /// let each = x.binary_cross_entropy_with(&t, Reduction::None)?;
    /// assert_eq!(each.to_vec::<f32>()?, [2f32.ln(), 100.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn binary_cross_entropy_with<'a>(
        &self,
        target: &Tensor,
        options: impl Into<Bce<'a>>,
    ) -> Result<Tensor> {
        const OP: &str = "binary_cross_entropy";
        let options = options.into();
        if self.shape() != target.shape() {
            return Err(err!(
                Shape,
                "{OP}: Using a target size ({:?}) that is different to the input size ({:?}) is deprecated. Please ensure \
                 they have the same size",
                target.shape(),
                self.shape()
            ));
        }
        let (x, t) = promoted(self, target)?;
        for (x, what) in [(&x, "input"), (&t, "target")] {
            let proper = dispatch_float!(OP, x.dtype(), T => x.with_slice::<T, _>(|x| {
                Ok(x.iter().all(|x| (T::ZERO..=T::ONE).contains(x)))
            }))?;
            if !proper {
                return Err(err!(
                    Value,
                    "{OP}: all elements of {what} should be between 0 and 1"
                ));
            }
        }
        weighted(OP, apply(BinaryCrossEntropy, &[&x, &t])?, options.weight)
            .and_then(|losses| options.reduction.of(losses))
    }

    /// [`binary_cross_entropy`](Tensor::binary_cross_entropy) of the sigmoid of x, computed so that
    /// nothing overflows or rounds to 0.
    ///
    /// # Errors
    /// If the shapes differ or x is not floating point.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let (x, t) = (Tensor::from([1000.0, 0.0]), Tensor::from([0.0, 1.0]));
    /// let loss = x.binary_cross_entropy_with_logits(&t)?;
    /// assert_eq!(loss.item::<f32>()?, (1000.0 + 2f32.ln()) / 2.0);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn binary_cross_entropy_with_logits(&self, target: &Tensor) -> Result<Tensor> {
        self.binary_cross_entropy_with_logits_with(target, BceWithLogits::default())
    }

    /// [`binary_cross_entropy_with_logits`](Tensor::binary_cross_entropy_with_logits) with options: a
    /// [`BceWithLogits`] or a [`Reduction`].
    ///
    /// # Errors
    /// As without options; if the weights do not broadcast.
    ///
    /// ```
    /// # use gradus_core::{Tensor, loss::BceWithLogits};
    /// let (x, t) = (Tensor::from([0.0, 0.0]), Tensor::from([0.0, 1.0]));
    /// let three = Tensor::from(3.0);
    /// let options = BceWithLogits { pos_weight: Some(&three), ..Default::default() };
    /// let loss = x.binary_cross_entropy_with_logits_with(&t, options)?;
    /// assert_eq!(loss.item::<f32>()?, 2.0 * 2f32.ln());
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn binary_cross_entropy_with_logits_with<'a>(
        &self,
        target: &Tensor,
        options: impl Into<BceWithLogits<'a>>,
    ) -> Result<Tensor> {
        const OP: &str = "binary_cross_entropy_with_logits";
        let options = options.into();
        self.dtype().expect_float(OP)?;
        if self.shape() != target.shape() {
            return Err(err!(
                Shape,
                "{OP}: Target size ({:?}) must be the same as input size ({:?})",
                target.shape(),
                self.shape()
            ));
        }
        // −log σ(x) is the loss of a positive, and x more that of a negative.
        let mut positive = self.logsigmoid()?.neg()?;
        if let Some(pos_weight) = options.pos_weight {
            let more = pos_weight
                .sub(1.0)
                .and_then(|more| more.mul(target)?.add(1.0));
            let more = more.map_err(|e| e.at(OP))?;
            positive = weighted(OP, positive, Some(&more))?;
        }
        let losses = self.mul(&sub(1.0, target)?)?.add(&positive)?;
        weighted(OP, losses, options.weight).and_then(|losses| options.reduction.of(losses))
    }

    /// The mean of t·(log t − x), where x holds logarithms of probabilities and t probabilities: with
    /// [`Reduction::BatchMean`] the Kullback–Leibler divergence of x from t for each sample. Shapes
    /// broadcast. A target of 0 has the loss 0, and from t·log t there the gradient 0.
    ///
    /// # Errors
    /// If the shapes do not broadcast; for integers.
    ///
    /// ```
    /// # use gradus_core::{Tensor, loss::Reduction};
    /// let logs = Tensor::from([[0.5, 0.5]]).log()?;
    /// let divergence = logs.kl_div_with(&Tensor::from([[1.0, 0.0]]), Reduction::BatchMean)?;
    /// assert_eq!(divergence.item::<f32>()?, 2f32.ln());
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn kl_div(&self, target: &Tensor) -> Result<Tensor> {
        self.kl_div_with(target, KlDiv::default())
    }

    /// [`kl_div`](Tensor::kl_div) with options: a [`KlDiv`] or a [`Reduction`].
    ///
    /// # Errors
    /// If the shapes do not broadcast; for integers.
    ///
    /// ```
    /// # use gradus_core::{Tensor, loss::KlDiv};
    /// let options = KlDiv { log_target: true, ..Default::default() };
    /// let (x, t) = (Tensor::from([-2.0, -1.0]), Tensor::from([0.0, -1.0]));
    /// assert_eq!(x.kl_div_with(&t, options)?.item::<f32>()?, 1.0);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn kl_div_with(&self, target: &Tensor, options: impl Into<KlDiv>) -> Result<Tensor> {
        let options = options.into();
        if !self.dtype().is_float() || !target.dtype().is_float() {
            return Err(err!(
                DType,
                "kl_div: Integral inputs not supported: got {} and {}; convert with to_dtype",
                self.dtype(),
                target.dtype()
            ));
        }
        let losses = || {
            if options.log_target {
                return target.exp()?.mul(&target.sub(self)?);
            }
            // The logarithm of 1 in place of that of 0.
            let zero = target.eq(0.0)?.to_dtype(target.dtype())?;
            let own = target.mul(&target.add(&zero)?.log()?)?;
            own.sub(&target.mul(self)?)
        };
        let losses = losses().map_err(|e| e.at("kl_div"))?;
        options.reduction.of(losses)
    }
}

/// −t·log x − (1 − t)·log(1 − x) with logarithms of at least −100. Gradients: (x − t)/(x(1 − x)),
/// and log(1 − x) − log x.
struct BinaryCrossEntropy;

impl Function for BinaryCrossEntropy {
    fn name(&self) -> &'static str {
        "binary_cross_entropy"
    }

    fn forward(&self, ctx: &mut Context, x: &[&Tensor]) -> Result<Tensor> {
        ctx.save(x[0]);
        ctx.save(x[1]);
        let losses = dispatch_float!(self.name(), x[0].dtype(), T => {
            let floor = T::from_f64(-100.0);
            let clamped = |log: T| if log < floor { floor } else { log };
            x[0].with::<T, _>(|x0| x[1].with::<T, _>(|x1| map::zip(x0, x1, Cost::High, |x, t| {
                -(t * clamped(x.ln()) + (T::ONE - t) * clamped((-x).ln_1p()))
            })))
        })?;
        Ok(Tensor::from_dense(losses))
    }

    fn backward(&self, saved: &Saved<'_>, g: &Tensor) -> Result<Grads> {
        let (x, t) = (saved.get(0)?, saved.get(1)?);
        let rest = sub(1.0, &x)?;
        let dx = saved.grad(0, || {
            let spread = x.mul(&rest)?;
            let short = sub(1e-12, &spread)?.relu()?;
            g.mul(&x.sub(&t)?)?.div(&spread.add(&short)?)
        })?;
        let dt = saved.grad(1, || g.mul(&rest.log()?.sub(&x.log()?)?))?;
        Ok([dx, dt].into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certain_errors_cost_100_and_have_a_finite_gradient() -> Result<()> {
        let x = Tensor::from([0.0, 1.0, 0.0, 1.0]).requires_grad_(true)?;
        let t = Tensor::from([1.0, 0.0, 0.0, 1.0]);
        let losses = x.binary_cross_entropy_with(&t, Reduction::None)?;
        assert_eq!(losses.to_vec::<f32>()?, [100.0, 100.0, 0.0, 0.0]);
        losses.sum(..)?.backward()?;
        let g = x.grad().unwrap().to_vec::<f64>()?;
        assert_eq!(g, [-1e12, 1e12, 0.0, 0.0].map(|g: f64| f64::from(g as f32)));
        Ok(())
    }

    /// Near 0 and near 1 the complement keeps its digits.
    #[test]
    fn small_probabilities_are_not_rounded_away() -> Result<()> {
        let x = Tensor::from_vec([1e-10f32, 1e-3], [2])?;
        let losses = x.binary_cross_entropy_with(&Tensor::zeros([2]), Reduction::None)?;
        let losses = losses.to_vec::<f64>()?;
        for (loss, x) in losses.iter().zip([1e-10f64, 1e-3]) {
            assert!((loss / -(-x).ln_1p() - 1.0).abs() < 1e-6, "{loss}");
        }
        let logits = Tensor::from([30.0, -1000.0, 1000.0]);
        let t = Tensor::from([1.0, 1.0, 0.0]);
        let losses = logits.binary_cross_entropy_with_logits_with(&t, Reduction::None)?;
        let losses = losses.to_vec::<f64>()?;
        for (loss, expected) in losses.iter().zip([9.357_6e-14, 1000.0, 1000.0]) {
            assert!((loss / expected - 1.0).abs() < 1e-5, "{loss}");
        }
        Ok(())
    }

    #[test]
    fn infinite_logits() -> Result<()> {
        let inf = f64::INFINITY;
        let x = Tensor::from([-inf, inf, f64::NAN]).requires_grad_(true)?;
        let y = x.logsigmoid()?;
        let values = y.to_vec::<f64>()?;
        assert_eq!(values[..2], [-inf, 0.0]);
        assert!(values[2].is_nan());
        y.sum(..)?.backward()?;
        assert_eq!(x.grad().unwrap().to_vec::<f32>()?[..2], [1.0, 0.0]);
        Ok(())
    }

    #[test]
    fn targets_of_0_diverge_by_nothing() -> Result<()> {
        let t = Tensor::from([0.0, 1.0]).requires_grad_(true)?;
        let x = Tensor::from([-2.0, -3.0]).requires_grad_(true)?;
        let losses = x.kl_div_with(&t, Reduction::None)?;
        assert_eq!(losses.to_vec::<f32>()?, [0.0, 3.0]);
        losses.sum(..)?.backward()?;
        assert_eq!(x.grad().unwrap().to_vec::<f32>()?, [0.0, -1.0]);
        assert_eq!(t.grad().unwrap().to_vec::<f32>()?, [2.0, 4.0]);
        Ok(())
    }
}
