//! Losses of classifiers: a score for each class against the right class of each row.

use super::{Reduction, check};
use crate::autograd::{Context, Function, Grad, Grads, Saved, apply, is_grad_enabled};
use crate::dtype::{DType, Element, dispatch_float};
use crate::error::{Error, Result, err};
use crate::kernels::math::Float;
use crate::kernels::rows;
use crate::ops::registry::{Case, Input};
use crate::shape::Dims;
use crate::storage::Buffer;
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
        as_targets(losses, target, options.reduction)
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
        as_targets(losses, target, reduction)
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
        let others = weights.eq(0.0)?.to_dtype(self.dtype())?;
        let weights = weights.sum_keepdim(1)?.div(targets.c as f64)?;
        let x = by_rows(self)?;
        let negative = x.nll_loss_with(&target.reshape([-1])?, Reduction::None)?;
        let short = x.add(&negative.unsqueeze(1)?)?;
        let short = short.add(options.margin)?.relu()?.mul(&others)?;
        let powers = match p {
            1 => short,
            _ => short.mul(&short)?,
        };
        let losses = powers.mul(&weights)?.sum(1)?;
        options.reduction.of(losses.reshape(target.shape())?)
    }
}

/// The class of a row that does not count.
const IGNORED: i64 = -1;

/// Which class each row has, and what it counts.
struct Targets {
    classes: Vec<i64>,
    /// The number of classes.
    c: usize,
    /// The target at the class of a row, for each class; all 1 if there are none.
    peak: Option<Vec<f64>>,
    /// The target at all classes of every row, besides.
    background: Option<Vec<f64>>,
    reduction: Reduction,
    /// What the sum of the losses is divided by.
    divisor: f64,
}

impl Targets {
    /// Checks everything; errors name `op`.
    fn new(op: &str, x: &Tensor, target: &Tensor, options: &CrossEntropy<'_>) -> Result<Self> {
        x.dtype().expect_float(op)?;
        let c = match x.shape() {
            &[c] | &[_, c, ..] => c,
            [] => {
                return Err(err!(Shape, "{op}: Expected 1 or more dimensions (got 0)"));
            }
        };
        expect_classes(op, x.shape(), target)?;
        let mut classes = target.to_vec::<i64>()?;
        for class in &mut classes {
            if *class == options.ignore_index {
                *class = IGNORED;
            } else if *class < 0 || *class >= c as i64 {
                return Err(out_of_bounds(op, *class, c));
            }
        }
        let weights = match options.weight {
            Some(weight) => {
                expect_weights(op, weight, c)?;
                if weight.requires_grad() && is_grad_enabled() {
                    return Err(err!(
                        Autograd,
                        "{op}: the derivative for 'weight' is not implemented; use detach() for a weight without history"
                    ));
                }
                Some(weight.to_vec::<f64>()?)
            }
            None => None,
        };
        let counted = classes.iter().filter(|&&class| class != IGNORED);
        let divisor = match options.reduction {
            Reduction::Mean => match &weights {
                Some(weights) => counted.map(|&class| weights[class as usize]).sum(),
                None => counted.count() as f64,
            },
            Reduction::BatchMean if x.ndim() > 1 => x.shape()[0] as f64,
            _ => 1.0,
        };
        let smoothing = options.label_smoothing;
        let (peak, background) = if smoothing == 0.0 {
            (weights, None)
        } else {
            let weights = weights.unwrap_or_else(|| vec![1.0; c]);
            let times = |factor: f64| Some(weights.iter().map(|w| w * factor).collect());
            (times(1.0 - smoothing), times(smoothing / c as f64))
        };
        Ok(Self {
            classes,
            c,
            peak,
            background,
            reduction: options.reduction,
            divisor,
        })
    }

    /// Calls `f` with what the kernels take.
    fn with<T: Element, R>(&self, f: impl FnOnce(rows::Targets<'_, T>) -> R) -> R {
        let cast = |values: &[f64]| values.iter().map(|&x| T::from_f64(x)).collect::<Vec<_>>();
        let (peak, background) = (
            self.peak.as_deref().map(cast),
            self.background.as_deref().map(cast),
        );
        f(rows::Targets {
            classes: &self.classes,
            peak: peak.as_deref(),
            background: background.as_deref(),
        })
    }

    /// The targets as a matrix, a row for each row.
    fn dense(&self, dtype: DType) -> Result<Tensor> {
        let matrix =
            dispatch_float!("cross_entropy", dtype, T => self.with::<T, _>(|t| t.dense(self.c)))?;
        let shape = Dims::from_slice(&[self.classes.len(), self.c]);
        Ok(Tensor::from_buffer(matrix, shape))
    }

    /// The losses of the rows, reduced.
    fn reduce<T: Float>(&self, losses: Buffer) -> Result<Tensor> {
        if self.reduction == Reduction::None {
            let shape = Dims::from_slice(&[self.classes.len()]);
            return Ok(Tensor::from_buffer(losses, shape));
        }
        let sum: f64 = losses.slice::<T>().iter().map(|loss| loss.to_f64()).sum();
        Tensor::full((), sum / self.divisor, T::DTYPE)
    }

    /// The gradient of each row's loss, given that of the reduced ones: a column, or one number.
    fn scales(&self, grad: &Tensor) -> Result<Tensor> {
        match self.reduction {
            Reduction::None => grad.unsqueeze(1),
            _ => grad.div(self.divisor),
        }
    }
}

/// Classes are integers, one for each row of logits of this shape.
fn expect_classes(op: &str, logits: &[usize], target: &Tensor) -> Result<()> {
    if target.dtype().is_float() || target.dtype() == DType::Bool {
        return Err(err!(
            DType,
            "{op}: expected classes of an integer dtype, got {} of shape {:?} for an input of shape {logits:?}",
            target.dtype(),
            target.shape()
        ));
    }
    let (found, mut expected) = (target.shape(), Dims::from_slice(logits));
    expected.remove(usize::from(logits.len() > 1));
    // PyTorch takes a vector of one class for a single row, too.
    if found == expected.as_slice() || logits.len() == 1 && found == [1] {
        return Ok(());
    }
    if let &[n, _] = logits {
        return Err(err!(
            Shape,
            "{op}: Expected input batch_size ({n}) to match target batch_size ({}): the classes have shape {found:?}, \
             expected [{n}]",
            found.first().unwrap_or(&1)
        ));
    }
    Err(err!(
        Shape,
        "{op}: Expected target size {:?}, got {found:?}: the input's shape {logits:?} without its classes",
        expected.as_slice()
    ))
}

/// Weights are floating point numbers, one for each class.
fn expect_weights(op: &str, weight: &Tensor, c: usize) -> Result<()> {
    if weight.shape() != [c] {
        return Err(err!(
            Shape,
            "{op}: weight tensor should be defined either for all {c} classes or no classes but got weight tensor of \
             shape: {:?}",
            weight.shape()
        ));
    }
    weight.dtype().expect_float(op)
}

fn out_of_bounds(op: &str, class: i64, c: usize) -> Error {
    err!(
        Index,
        "{op}: Target {class} is out of bounds: the input has {c} classes"
    )
}

/// Scores `[c]`, `[n, c]` or `[n, c, d₁, …]` as a matrix with the classes along its rows.
fn by_rows(x: &Tensor) -> Result<Cow<'_, Tensor>> {
    let rank = x.ndim() as isize;
    match x.shape() {
        [_, _] => Ok(Cow::Borrowed(x)),
        [_] => x.unsqueeze(0).map(Cow::Owned),
        shape => {
            let c = shape[1];
            let order: Vec<isize> = [0].into_iter().chain(2..rank).chain([1]).collect();
            let last = x.permute(order)?;
            let rows = last.shape()[..last.ndim() - 1].iter().product();
            last.reshape(&[rows, c][..]).map(Cow::Owned)
        }
    }
}

/// The losses of single rows in the shape of the classes; reduced ones as they are.
fn as_targets(losses: Tensor, target: &Tensor, reduction: Reduction) -> Result<Tensor> {
    match reduction {
        Reduction::None => losses.reshape(target.shape()),
        _ => Ok(losses),
    }
}

/// Softmax, logarithm, choice and reduction in one. The gradient is softmax(x)·Σt − t for each row
/// with targets t: without options, (softmax(x) − one-hot)/n.
struct FusedCrossEntropy(Targets);

impl Function for FusedCrossEntropy {
    fn name(&self) -> &'static str {
        "cross_entropy"
    }

    fn forward(&self, ctx: &mut Context, x: &[&Tensor]) -> Result<Tensor> {
        let (x, c) = (x[0], self.0.c.max(1));
        dispatch_float!("cross_entropy", x.dtype(), T => {
            let logs = x.with_slice::<T, _>(|x| rows::log_softmax(x, c))?;
            let losses = self.0.with::<T, _>(|t| t.cross_entropy(logs.slice(), c))?;
            ctx.save(x);
            ctx.save(&Tensor::from_buffer(logs, x.layout().shape.clone()));
            self.0.reduce::<T>(losses)
        })
    }

    fn backward(&self, saved: &Saved<'_>, g: &Tensor) -> Result<Grads> {
        let scales = self.0.scales(g)?;
        if is_grad_enabled() {
            let x = saved.get(0)?;
            let targets = self.0.dense(x.dtype())?;
            let slope = x.softmax(1)?.mul(&targets.sum_keepdim(1)?)?.sub(&targets)?;
            return Ok([Grad::Of(slope.mul(&scales)?)].into());
        }
        let (logs, c) = (saved.get(1)?, self.0.c.max(1));
        let dx = dispatch_float!("cross_entropy", logs.dtype(), T => {
            logs.with_slice::<T, _>(|logs| scales.with_slice::<T, _>(|scales| {
                self.0.with::<T, _>(|t| t.cross_entropy_backward(logs, c, scales))
            }))
        })?;
        let shape = logs.layout().shape.clone();
        Ok([Grad::Of(Tensor::from_buffer(dx, shape))].into())
    }
}

/// Choice and reduction. The gradient is minus the targets.
struct NegativeLogLikelihood(Targets);

impl Function for NegativeLogLikelihood {
    fn name(&self) -> &'static str {
        "nll_loss"
    }

    fn forward(&self, _: &mut Context, x: &[&Tensor]) -> Result<Tensor> {
        dispatch_float!("nll_loss", x[0].dtype(), T => {
            let c = self.0.c.max(1);
            let losses = x[0].with_slice::<T, _>(|x| self.0.with(|t| t.cross_entropy(x, c)))?;
            self.0.reduce::<T>(losses)
        })
    }

    fn backward(&self, _: &Saved<'_>, g: &Tensor) -> Result<Grads> {
        let targets = self.0.dense(g.dtype())?;
        let dx = targets.mul(&self.0.scales(g)?.neg()?)?;
        Ok([Grad::Of(dx)].into())
    }
}
