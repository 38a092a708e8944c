//! Losses of classifiers: a score for each class against the right class of each row.

use super::targets::{
    FusedCrossEntropy, IGNORED, NegativeLogLikelihood, Targets, by_rows, expect_weights, in_shape,
    out_of_bounds,
};
use super::{Reduction, check};
use crate::autograd::apply;
use crate::error::{Result, err};
use crate::ops::keepdim;
use crate::ops::registry::{Case, Input};
use crate::shape::Dims;
use crate::tensor::Tensor;
use std::borrow::Cow;

pub(in crate::ops) const CASES: &[Case] = &[
    Case::new("cross_entropy", &[Input::real(&[3, 4])], |x| {
        x[0].cross_entropy(&Tensor::from([1, 3, 0]))
    })
    .torch("F.cross_entropy(x[0], torch.tensor([1, 3, 0]))"),
    Case::new(
        "cross_entropy",
        &[Input::real(&[5, 4]), Input::integers(&[5], 0, 4)],
        |x| x[0].cross_entropy_with(&x[1], Reduction::None),
    )
    .torch("F.cross_entropy(x[0], x[1], reduction='none')"),
    Case::new("cross_entropy", &[Input::real(&[4])], |x| {
        x[0].cross_entropy(&Tensor::from(2))
    })
    .torch("F.cross_entropy(x[0], torch.tensor(2))"),
    Case::new(
        "cross_entropy",
        &[Input::real(&[2, 3, 4]), Input::integers(&[2, 4], 0, 3)],
        |x| x[0].cross_entropy_with(&x[1], Reduction::Sum),
    )
    .torch("F.cross_entropy(x[0], x[1], reduction='sum')"),
    Case::new(
        "cross_entropy",
        &[Input::real(&[2, 3, 2, 2]), Input::integers(&[2, 2, 2], 0, 3)],
        |x| x[0].cross_entropy_with(&x[1], Reduction::None),
    )
    .torch("F.cross_entropy(x[0], x[1], reduction='none')"),
    Case::new(
        "cross_entropy",
        &[Input::real(&[5, 3]), Input::integers(&[5], 0, 3)],
        |x| {
            let weight = Tensor::from([0.5, 2.0, 1.25]);
            let options = CrossEntropy {
                weight: Some(&weight),
                ..Default::default()
            };
            x[0].cross_entropy_with(&x[1], options)
        },
    )
    .torch("F.cross_entropy(x[0], x[1], weight=torch.tensor([.5, 2., 1.25], dtype=x[0].dtype))"),
    Case::new(
        "cross_entropy",
        &[Input::real(&[5, 3]), Input::integers(&[5], 0, 3)],
        |x| {
            let weight = Tensor::from([0.5, 2.0, 1.25]);
            let options = CrossEntropy {
                weight: Some(&weight),
                ignore_index: 1,
                label_smoothing: 0.25,
                ..Default::default()
            };
            x[0].cross_entropy_with(&x[1], options)
        },
    )
    .torch(
        "F.cross_entropy(x[0], x[1], weight=torch.tensor([.5, 2., 1.25], dtype=x[0].dtype), ignore_index=1, \
         label_smoothing=0.25)",
    ),
    Case::new(
        "cross_entropy",
        &[Input::real(&[2, 3, 4]), Input::integers(&[2, 4], 0, 3)],
        |x| {
            let options = CrossEntropy {
                ignore_index: 2,
                label_smoothing: 0.1,
                reduction: Reduction::None,
                ..Default::default()
            };
            x[0].cross_entropy_with(&x[1], options)
        },
    )
    .torch("F.cross_entropy(x[0], x[1], ignore_index=2, label_smoothing=0.1, reduction='none')"),
    Case::new(
        "log_softmax",
        &[Input::real(&[3, 4]), Input::positive(&[3, 4])],
        |x| x[0].cross_entropy(&x[1]),
    )
    .torch("F.cross_entropy(x[0], x[1])"),
    Case::new(
        "log_softmax",
        &[Input::real(&[2, 3, 4]), Input::positive(&[2, 3, 4])],
        |x| {
            let weight = Tensor::from([0.5, 2.0, 1.25]);
            let options = CrossEntropy {
                weight: Some(&weight),
                label_smoothing: 0.25,
                ..Default::default()
            };
            x[0].cross_entropy_with(&x[1], options)
        },
    )
    .torch(
        "F.cross_entropy(x[0], x[1], weight=torch.tensor([.5, 2., 1.25], dtype=x[0].dtype), label_smoothing=0.25)",
    ),
    Case::new(
        "log_softmax",
        &[Input::real(&[4]), Input::positive(&[4])],
        |x| x[0].cross_entropy_with(&x[1], Reduction::None),
    )
    .torch("F.cross_entropy(x[0], x[1], reduction='none')"),
    Case::new(
        "nll_loss",
        &[Input::real(&[5, 4]), Input::integers(&[5], 0, 4)],
        |x| x[0].nll_loss(&x[1]),
    )
    .torch("F.nll_loss(x[0], x[1])"),
    Case::new(
        "nll_loss",
        &[Input::real(&[2, 3, 4]), Input::integers(&[2, 4], 0, 3)],
        |x| {
            let weight = Tensor::from([0.5, 2.0, 1.25]);
            let options = Nll {
                weight: Some(&weight),
                ignore_index: 1,
                ..Default::default()
            };
            x[0].nll_loss_with(&x[1], options)
        },
    )
    .torch("F.nll_loss(x[0], x[1], weight=torch.tensor([.5, 2., 1.25], dtype=x[0].dtype), ignore_index=1)"),
    Case::new(
        "nll_loss",
        &[Input::real(&[4]), Input::integers(&[], 0, 4)],
        |x| x[0].nll_loss_with(&x[1], Reduction::None),
    )
    .torch("F.nll_loss(x[0], x[1], reduction='none')"),
    Case::new(
        "relu",
        &[Input::real(&[5, 4]), Input::integers(&[5], 0, 4)],
        |x| x[0].multi_margin_loss(&x[1]),
    )
    .torch("F.multi_margin_loss(x[0], x[1])"),
    Case::new(
        "relu",
        &[Input::real(&[5, 3]), Input::integers(&[5], 0, 3)],
        |x| {
            let weight = Tensor::from([0.5, 0.0, 1.25]);
            let options = MultiMargin {
                p: 2,
                margin: 0.6,
                weight: Some(&weight),
                reduction: Reduction::None,
            };
            x[0].multi_margin_loss_with(&x[1], options)
        },
    )
    .torch(
        "F.multi_margin_loss(x[0], x[1], p=2, margin=0.6, weight=torch.tensor([.5, 0., 1.25], dtype=x[0].dtype), \
         reduction='none')",
    ),
    Case::new("relu", &[Input::real(&[4])], |x| {
        x[0].multi_margin_loss(&Tensor::from(1))
    })
    .torch("F.multi_margin_loss(x[0], torch.tensor(1))"),
];

/// Options of [`Tensor::cross_entropy_with`].
///
/// ```
/// use gradus_core::loss::{CrossEntropy, Reduction};
/// let options = CrossEntropy { label_smoothing: 0.1, ..Default::default() };
/// assert_eq!((options.ignore_index, options.reduction), (-100, Reduction::Mean));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct CrossEntropy<'a> {
    /// A weight for each class (default: all 1). The mean is divided by the weights of the rows'
    /// classes.
    pub weight: Option<&'a Tensor>,
    /// Rows of this class do not count (default: −100).
    pub ignore_index: i64,
    /// How much of each target is spread evenly over all classes, from 0 (default) to 1 (Szegedy et
    /// al., "Rethinking the Inception Architecture for Computer Vision", 2016).
    pub label_smoothing: f64,
    /// What becomes of the losses of the rows (default: their mean).
    pub reduction: Reduction,
}

impl Default for CrossEntropy<'_> {
    fn default() -> Self {
        Self {
            weight: None,
            ignore_index: -100,
            label_smoothing: 0.0,
            reduction: Reduction::Mean,
        }
    }
}

/// Options of [`Tensor::nll_loss_with`].
///
/// ```
/// use gradus_core::loss::{Nll, Reduction};
/// let options = Nll { ignore_index: 0, ..Default::default() };
/// assert_eq!(options.reduction, Reduction::Mean);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Nll<'a> {
    /// A weight for each class (default: all 1). The mean is divided by the weights of the rows'
    /// classes.
    pub weight: Option<&'a Tensor>,
    /// Rows of this class do not count (default: −100).
    pub ignore_index: i64,
    /// What becomes of the losses of the rows (default: their mean).
    pub reduction: Reduction,
}

impl Default for Nll<'_> {
    fn default() -> Self {
        let CrossEntropy {
            weight,
            ignore_index,
            reduction,
            ..
        } = CrossEntropy::default();
        Self {
            weight,
            ignore_index,
            reduction,
        }
    }
}

/// Options of [`Tensor::multi_margin_loss_with`].
///
/// ```
/// use gradus_core::loss::MultiMargin;
/// let squared = MultiMargin { p: 2, ..Default::default() };
/// assert_eq!(squared.margin, 1.0);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct MultiMargin<'a> {
    /// The power of the differences, 1 (default) or 2.
    pub p: u32,
    /// By how much the right class should win (default: 1).
    pub margin: f64,
    /// A weight for each class (default: all 1).
    pub weight: Option<&'a Tensor>,
    /// What becomes of the losses of the rows (default: their mean).
    pub reduction: Reduction,
}

impl Default for MultiMargin<'_> {
    fn default() -> Self {
        Self {
            p: 1,
            margin: 1.0,
            weight: None,
            reduction: Reduction::Mean,
        }
    }
}

impl Tensor {
    /// The mean over rows of −log softmax(x)\[class\]: the loss of a classifier. Shapes: logits `[c]`,
    /// `[n, c]` or `[n, c, d₁, …]`, integer classes without the `c`; the result is 0-d, NaN when there
    /// are no rows.
    ///
    /// The target may also be probabilities in the shape of the logits: then the loss of a row is
    /// −Σ target·log softmax(x).
    ///
    /// # Errors
    /// If the shapes do not fit or a class is not in 0…c−1 (−100 marks a row that does not count).
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let loss = Tensor::zeros([1, 10]).cross_entropy(&Tensor::from([3]))?;
    /// assert!((loss.item::<f32>()? - 10f32.ln()).abs() < 1e-6);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn cross_entropy(&self, target: &Tensor) -> Result<Tensor> {
        self.cross_entropy_with(target, CrossEntropy::default())
    }

    /// [`cross_entropy`](Tensor::cross_entropy) with options: a [`CrossEntropy`] or a [`Reduction`].
    ///
    /// # Errors
    /// As without options; if the weights are not one for each class or require a gradient; if the
    /// label smoothing is not in 0…1.
    ///
    /// ```
    /// # use gradus_core::{Tensor, loss::CrossEntropy};
    /// let (x, classes) = (Tensor::zeros([2, 4]), Tensor::from([3, 0]));
    /// let options = CrossEntropy { ignore_index: 0, ..Default::default() };
    /// assert_eq!(x.cross_entropy_with(&classes, options)?.item::<f32>()?, 4f32.ln());
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn cross_entropy_with<'a>(
        &self,
        target: &Tensor,
        options: impl Into<CrossEntropy<'a>>,
    ) -> Result<Tensor> {
        const OP: &str = "cross_entropy";
        let options = options.into();
        let smoothing = options.label_smoothing;
        check(
            OP,
            (0.0..=1.0).contains(&smoothing),
            format_args!("label_smoothing must be between 0.0 and 1.0. Got: {smoothing}"),
        )?;
        if target.dtype().is_float() && target.shape() == self.shape() && self.ndim() > 0 {
            return self.cross_entropy_of_probabilities(target, &options);
        }
        let targets = Targets::new(OP, self, target, &options)?;
        let losses = apply(FusedCrossEntropy(targets), &[&*by_rows(self)?])?;
        in_shape(losses, self, options.reduction)
    }

    fn cross_entropy_of_probabilities(
        &self,
        target: &Tensor,
        options: &CrossEntropy<'_>,
    ) -> Result<Tensor> {
        const OP: &str = "cross_entropy";
        check(
            OP,
            options.ignore_index < 0,
            "ignore_index is not supported for floating point target",
        )?;
        self.dtype().expect_float(OP)?;
        let dim = isize::from(self.ndim() > 1);
        let c = self.size(dim)?;
        let mut logs = self.log_softmax(dim)?;
        if let Some(weight) = options.weight {
            expect_weights(OP, weight, c)?;
            let mut shape = Dims::from_elem(1, self.ndim());
            shape[dim as usize] = c;
            logs = logs.mul(&weight.reshape(&shape)?)?;
        }
        let smoothing = options.label_smoothing;
        let target = match smoothing {
            0.0 => Cow::Borrowed(target),
            _ => Cow::Owned(target.mul(1.0 - smoothing)?.add(smoothing / c as f64)?),
        };
        options.reduction.of(logs.mul(&*target)?.sum(dim)?.neg()?)
    }

    /// The mean over rows of −x\[class\], where x holds logarithms of probabilities. Shapes as in
    /// [`cross_entropy`](Tensor::cross_entropy), which is [`log_softmax`](Tensor::log_softmax) and
    /// this in one.
    ///
    /// # Errors
    /// If the shapes do not fit or a class is not in 0…c−1 (−100 marks a row that does not count).
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let logs = Tensor::from([[-1.0, -2.0], [-3.0, -4.0]]);
    /// assert_eq!(logs.nll_loss(&Tensor::from([0, 1]))?.item::<f32>()?, 2.5);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn nll_loss(&self, target: &Tensor) -> Result<Tensor> {
        self.nll_loss_with(target, Nll::default())
    }

    /// [`nll_loss`](Tensor::nll_loss) with options: an [`Nll`] or a [`Reduction`].
    ///
    /// # Errors
    /// As without options; if the weights are not one for each class or require a gradient.
    ///
    /// ```
    /// # use gradus_core::{Tensor, loss::Reduction};
    /// let logs = Tensor::from([[-1.0, -2.0], [-3.0, -4.0]]);
    /// let each = logs.nll_loss_with(&Tensor::from([0, 1]), Reduction::None)?;
    /// assert_eq!(each.to_vec::<f32>()?, [1.0, 4.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn nll_loss_with<'a>(
        &self,
        target: &Tensor,
        options: impl Into<Nll<'a>>,
    ) -> Result<Tensor> {
        let Nll {
            weight,
            ignore_index,
            reduction,
        } = options.into();
        let options = CrossEntropy {
            weight,
            ignore_index,
            reduction,
            ..CrossEntropy::default()
        };
        let targets = Targets::new("nll_loss", self, target, &options)?;
        let losses = apply(NegativeLogLikelihood(targets), &[&*by_rows(self)?])?;
        in_shape(losses, self, reduction)
    }

    /// The mean over rows of Σ max(0, 1 − x\[class\] + xⱼ)/c over the other classes j: the hinge loss
    /// of several classes (Crammer and Singer, 2001). Shapes: scores `[c]` or `[n, c]`, integer
    /// classes without the `c`. The gradient is 0 where the margin is met exactly.
    ///
    /// # Errors
    /// If the shapes do not fit or a class is not in 0…c−1.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let scores = Tensor::from([[3.0, 2.5, 0.0, 2.0]]);
    /// assert_eq!(scores.multi_margin_loss(&Tensor::from([0]))?.item::<f32>()?, 0.125);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn multi_margin_loss(&self, target: &Tensor) -> Result<Tensor> {
        self.multi_margin_loss_with(target, MultiMargin::default())
    }

    /// [`multi_margin_loss`](Tensor::multi_margin_loss) with options: a [`MultiMargin`] or a
    /// [`Reduction`].
    ///
    /// # Errors
    /// As without options; if the weights are not one for each class or require a gradient; if p is
    /// neither 1 nor 2.
    ///
    /// ```
    /// # use gradus_core::{Tensor, loss::MultiMargin};
    /// let scores = Tensor::from([[3.0, 2.5, 0.0, 2.0]]);
    /// let squared = MultiMargin { p: 2, ..Default::default() };
    /// let loss = scores.multi_margin_loss_with(&Tensor::from([0]), squared)?;
    /// assert_eq!(loss.item::<f32>()?, 0.0625);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn multi_margin_loss_with<'a>(
        &self,
        target: &Tensor,
        options: impl Into<MultiMargin<'a>>,
    ) -> Result<Tensor> {
        const OP: &str = "multi_margin_loss";
        let options = options.into();
        let p = options.p;
        check(
            OP,
            p == 1 || p == 2,
            format_args!("only p == 1 and p == 2 supported, got {p}"),
        )?;
        self.dtype().expect_float(OP)?;
        if self.ndim() > 2 || self.shape().last() == Some(&0) {
            return Err(err!(
                Shape,
                "{OP}: Expected non-empty vector or matrix with optional 0-dim batch size, but got: {:?}",
                self.shape()
            ));
        }
        let weights = CrossEntropy {
            weight: options.weight,
            ..CrossEntropy::default()
        };
        let targets = Targets::new(OP, self, target, &weights)?;
        if targets.classes.contains(&IGNORED) {
            return Err(out_of_bounds(OP, weights.ignore_index, targets.c));
        }
        // The weight of its class at the class of each row: all other places are 0. A class without
        // weight may be taken for another one, since its rows count for nothing.
        let weights = targets.dense(self.dtype())?;
        let others = weights.eq(0.0)?;
        let weights = weights.sum(keepdim(1))?.div(targets.c as f64)?;
        let x = by_rows(self)?;
        let negative = x.nll_loss_with(&target.reshape([-1])?, Reduction::None)?;
        let short = x.add(&negative.unsqueeze(1)?)?;
        let short = others.where_cond(&short.add(options.margin)?.relu()?, 0.0)?;
        let powers = match p {
            1 => short,
            _ => short.mul(&short)?,
        };
        let losses = powers.mul(&weights)?.sum(1)?;
        options.reduction.of(losses.reshape(target.shape())?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::DType;
    use crate::autograd::{GradOptions, grad_with};

    fn item(loss: Result<Tensor>) -> f64 {
        loss.unwrap().item().unwrap()
    }

    #[test]
    fn rows_that_do_not_count_leave_no_trace() -> Result<()> {
        let x = Tensor::from([[1.0, 2.0], [f64::NAN, 5.0], [0.5, -0.5]]).requires_grad_(true)?;
        let loss = x.cross_entropy(&Tensor::from([1, -100, 0]))?;
        loss.backward()?;
        let counted = x.detach().index_select(0, &Tensor::from([0, 2]))?;
        let counted = counted.requires_grad_(true)?;
        let expected = counted.cross_entropy(&Tensor::from([1, 0]))?;
        expected.backward()?;
        assert_eq!(loss.item::<f32>()?, expected.item::<f32>()?);
        let g = x.grad().unwrap();
        assert_eq!(g.select(0, 1)?.to_vec::<f32>()?, [0.0, 0.0]);
        let g = g.index_select(0, &Tensor::from([0, 2]))?.to_vec::<f32>()?;
        assert_eq!(g, counted.grad().unwrap().to_vec::<f32>()?);
        Ok(())
    }

    #[test]
    fn the_mean_of_no_rows_is_nan_and_their_sum_0() -> Result<()> {
        let smooth = |reduction| CrossEntropy {
            label_smoothing: 0.1,
            reduction,
            ..Default::default()
        };
        let no_rows = Tensor::from_vec([0i64; 0], [0])?;
        let ignored = Tensor::from([-100, -100]);
        for (x, t) in [
            (Tensor::zeros([0, 3]), no_rows),
            (Tensor::zeros([2, 3]), ignored),
        ] {
            let x = x.requires_grad_(true)?;
            assert!(item(x.cross_entropy(&t)).is_nan());
            assert!(item(x.nll_loss(&t)).is_nan());
            assert!(item(x.cross_entropy_with(&t, smooth(Reduction::Mean))).is_nan());
            assert_eq!(item(x.cross_entropy_with(&t, Reduction::Sum)), 0.0);
            assert_eq!(item(x.cross_entropy_with(&t, smooth(Reduction::Sum))), 0.0);
            x.cross_entropy(&t)?.backward()?;
            let g = x.grad().unwrap().to_vec::<f32>()?;
            assert!(g.iter().all(|&g| g == 0.0), "{g:?}");
        }
        Ok(())
    }

    /// The values are PyTorch's.
    #[test]
    fn an_infinite_score_has_an_infinite_margin() -> Result<()> {
        let x = Tensor::from([[f64::INFINITY, 1.0, 2.0]]).requires_grad_(true)?;
        assert_eq!(item(x.multi_margin_loss(&Tensor::from([0]))), 0.0);
        assert_eq!(item(x.multi_margin_loss(&Tensor::from([1]))), f64::INFINITY);
        x.multi_margin_loss(&Tensor::from([0]))?.backward()?;
        assert_eq!(x.grad().unwrap().to_vec::<f64>()?, [0.0; 3]);
        Ok(())
    }

    #[test]
    fn impossible_classes_cost_infinitely_much_and_weights_of_0_nothing() -> Result<()> {
        let x = Tensor::from([[f64::NEG_INFINITY, 0.0]]);
        assert_eq!(item(x.cross_entropy(&Tensor::from([0]))), f64::INFINITY);
        assert_eq!(item(x.cross_entropy(&Tensor::from([1]))), 0.0);
        assert_eq!(item(x.nll_loss(&Tensor::from([1]))), 0.0);
        let smooth = CrossEntropy {
            label_smoothing: 0.1,
            ..Default::default()
        };
        let loss = x.cross_entropy_with(&Tensor::from([1]), smooth);
        assert_eq!(item(loss), f64::INFINITY);
        // A probability of 0 times a logarithm of −∞.
        let loss = x.cross_entropy(&Tensor::from([[0.0, 1.0]]));
        assert!(item(loss).is_nan());

        let weight = Tensor::from([0.0, 1.0]);
        let options = CrossEntropy {
            weight: Some(&weight),
            ..Default::default()
        };
        let x = Tensor::zeros([2, 2]);
        let loss = x.cross_entropy_with(&Tensor::from([0, 1]), options);
        assert!((item(loss) - 2f64.ln()).abs() < 1e-6);
        let loss = x.cross_entropy_with(&Tensor::from([0, 0]), options);
        assert!(item(loss).is_nan());
        Ok(())
    }

    #[test]
    fn one_row_needs_no_batch_and_many_dimensions_are_rows() -> Result<()> {
        let x = Tensor::linspace(-2.0, 2.0, 2 * 3 * 4 * 5, DType::F64)?;
        let x = x.mul(7.0)?.sin()?.reshape([2, 3, 4, 5])?;
        let t = Tensor::rand([2, 4, 5])?.mul(3.0)?.to_dtype(DType::I64)?;
        let each = x.cross_entropy_with(&t, Reduction::None)?;
        for (i, j, k) in [(0, 0, 0), (1, 3, 4), (0, 2, 1)] {
            let at = |x: &Tensor| x.select(-1, k)?.select(-1, j)?.select(0, i);
            let row = at(&x)?.cross_entropy(&at(&t)?)?;
            assert_eq!((row.ndim(), at(&each)?.ndim()), (0, 0));
            let apart = row.item::<f64>()? - at(&each)?.item::<f64>()?;
            assert!(apart.abs() < 1e-15, "{apart}");
        }
        // PyTorch takes a vector of one class for a single row, too.
        let row = x.select(0, 0)?.select(-1, 0)?.select(-1, 0)?;
        let loss = row.cross_entropy_with(&Tensor::from([2]), Reduction::None)?;
        assert_eq!(loss.ndim(), 0);
        Ok(())
    }

    /// The gradient of the fused kernel is that of its recorded form, and of the parts it is made of.
    #[test]
    fn fused_recorded_and_composed_are_the_same() -> Result<()> {
        let x = Tensor::linspace(-3.0, 3.0, 300 * 70, DType::F64)?;
        let x = x.mul(50.0)?.sin()?.mul(5.0)?.reshape([300, 70])?;
        let x = x.requires_grad_(true)?;
        let t = Tensor::rand([300])?.mul(70.0)?.to_dtype(DType::I64)?;
        let weight = Tensor::linspace(0.5, 2.0, 70, DType::F64)?;
        for label_smoothing in [0.0, 0.2] {
            for reduction in [Reduction::Mean, Reduction::Sum, Reduction::None] {
                let options = CrossEntropy {
                    weight: Some(&weight),
                    ignore_index: 3,
                    label_smoothing,
                    reduction,
                };
                let gradient = |loss: &Tensor, create_graph| -> Result<Tensor> {
                    let options = GradOptions {
                        create_graph,
                        ..Default::default()
                    };
                    let grads = grad_with(&[loss], &[&x], options)?;
                    Ok(grads[0].clone().unwrap())
                };
                let loss = x.cross_entropy_with(&t, options)?.sum(..)?;
                let fused = gradient(&loss, false)?;
                let recorded = gradient(&loss, true)?;
                assert!(!fused.requires_grad() && recorded.requires_grad());
                let apart = fused.sub(&recorded)?.abs()?.amax(..)?;
                assert!(apart.item::<f64>()? < 1e-15, "{apart}");
                if label_smoothing == 0.0 {
                    let options = Nll {
                        weight: Some(&weight),
                        ignore_index: 3,
                        reduction,
                    };
                    let composed = x.log_softmax(1)?.nll_loss_with(&t, options)?.sum(..)?;
                    let apart = fused.sub(&gradient(&composed, false)?)?.abs()?.amax(..)?;
                    assert!(apart.item::<f64>()? < 1e-15, "{apart}");
                }
            }
        }
        Ok(())
    }
}
