//! The right classes of rows of scores, and the operations that compare the two.

use super::{CrossEntropy, Reduction};
use crate::autograd::{Context, Function, Grad, Grads, Saved, is_grad_enabled};
use crate::dtype::{DType, Element, dispatch_float};
use crate::error::{Error, Result, err};
use crate::kernels::math::Float;
use crate::kernels::rows;
use crate::ops::keepdim;
use crate::shape::Dims;
use crate::storage::Buffer;
use crate::tensor::Tensor;
use std::borrow::Cow;

/// The class of a row that does not count.
pub(super) const IGNORED: i64 = -1;

/// Which class each row has, and what it counts.
pub(super) struct Targets {
    pub(super) classes: Vec<i64>,
    /// The number of classes.
    pub(super) c: usize,
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
    pub(super) fn new(
        op: &str,
        x: &Tensor,
        target: &Tensor,
        options: &CrossEntropy<'_>,
    ) -> Result<Self> {
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
    pub(super) fn dense(&self, dtype: DType) -> Result<Tensor> {
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

    /// The gradient of each row's loss, given that of the reduced ones; one number stands for all.
    fn scale_of_rows<T: Float>(&self, grad: &Tensor) -> Result<Vec<T>> {
        match self.reduction {
            Reduction::None => grad.to_vec(),
            _ => Ok(vec![T::from_f64(grad.item::<f64>()? / self.divisor)]),
        }
    }

    /// The same in recorded operations: a column, or one number.
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
    let (found, expected) = (target.shape(), without_classes(logits));
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

/// The shape of logits without the dimension of the classes.
fn without_classes(logits: &[usize]) -> Dims {
    let mut shape = Dims::from_slice(logits);
    shape.remove(usize::from(logits.len() > 1));
    shape
}

/// Weights are floating point numbers, one for each class.
pub(super) fn expect_weights(op: &str, weight: &Tensor, c: usize) -> Result<()> {
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

pub(super) fn out_of_bounds(op: &str, class: i64, c: usize) -> Error {
    err!(
        Index,
        "{op}: Target {class} is out of bounds: the input has {c} classes"
    )
}

/// Scores `[c]`, `[n, c]` or `[n, c, d₁, …]` as a matrix with the classes along its rows.
pub(super) fn by_rows(x: &Tensor) -> Result<Cow<'_, Tensor>> {
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

/// The losses of single rows in the shape that their logits had; reduced ones as they are.
pub(super) fn in_shape(losses: Tensor, logits: &Tensor, reduction: Reduction) -> Result<Tensor> {
    match reduction {
        Reduction::None => losses.reshape(&without_classes(logits.shape())),
        _ => Ok(losses),
    }
}

/// Softmax, logarithm, choice and reduction in one. The gradient is softmax(x)·Σt − t for each row
/// with targets t: without options, (softmax(x) − one-hot)/n.
pub(super) struct FusedCrossEntropy(pub(super) Targets);

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
            ctx.save(&Tensor::from_buffer(logs, x.dims()));
            self.0.reduce::<T>(losses)
        })
    }

    fn backward(&self, saved: &Saved<'_>, g: &Tensor) -> Result<Grads> {
        if is_grad_enabled() {
            let x = saved.get(0)?;
            let targets = self.0.dense(x.dtype())?;
            let slope = x
                .softmax(1)?
                .mul(&targets.sum(keepdim(1))?)?
                .sub(&targets)?;
            return Ok([Grad::Of(slope.mul(&self.0.scales(g)?)?)].into());
        }
        let (logs, c) = (saved.get(1)?, self.0.c.max(1));
        let dx = dispatch_float!("cross_entropy", logs.dtype(), T => logs.with_slice::<T, _>(|logs| {
            let scales = self.0.scale_of_rows::<T>(g)?;
            self.0.with::<T, _>(|t| t.cross_entropy_backward(logs, c, &scales))
        }))?;
        let shape = logs.dims();
        Ok([Grad::Of(Tensor::from_buffer(dx, shape))].into())
    }
}

/// Choice and reduction. The gradient is minus the targets.
pub(super) struct NegativeLogLikelihood(pub(super) Targets);

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
