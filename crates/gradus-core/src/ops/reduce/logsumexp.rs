//! The logarithm of a sum of exponentials.

use super::super::registry::{Case, Input};
use super::{Dimensions, Reduction, keepdim};
use crate::autograd::{Context, Function, Grad, Grads, Saved, apply};
use crate::dtype::{DType, dispatch_float};
use crate::error::Result;
use crate::kernels::folds;
use crate::kernels::reduce::reduce;
use crate::tensor::Tensor;
use std::marker::PhantomData;

const INPUT: &[Input] = &[Input::real(&[2, 3, 4])];

pub(in super::super) const CASES: &[Case] = &[
    Case::new("logsumexp", INPUT, |x| x[0].logsumexp(1)).torch("x[0].logsumexp(1)"),
    Case::new("logsumexp", INPUT, |x| x[0].logsumexp(keepdim([0, 2])))
        .torch("x[0].logsumexp((0, 2), keepdim=True)"),
    Case::new("logsumexp", INPUT, |x| x[0].logsumexp(..)).torch("x[0].logsumexp((0, 1, 2))"),
    Case::new("logsumexp", &[Input::integers(&[2, 3], -3, 3)], |x| {
        x[0].logsumexp(0)
    })
    .torch("x[0].logsumexp(0)")
    .constant(),
];

impl Tensor {
    /// log Σ exp(x) over `dims`, computed from the largest element down, so nothing overflows; −∞
    /// of no elements and where all of them are −∞. Integers and bools become f32 first. The
    /// gradient is exp(x − result), the softmax: NaN where the result is infinite, as in PyTorch.
    ///
    /// # Errors
    /// If a dimension is out of range or named twice.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([1000.0, 1000.0]);
    /// assert_eq!(x.logsumexp(0)?.item::<f32>()?, 1000.0 + 2f32.ln());
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn logsumexp(&self, dims: impl Dimensions) -> Result<Tensor> {
        let over = Reduction::new("logsumexp", self, dims)?;
        if self.dtype().is_float() {
            return apply(LogSumExp { over }, &[self]);
        }
        apply(LogSumExp { over }, &[&self.to_dtype(DType::F32)?])
    }
}

/// log Σ exp(x). The gradient is exp(x − y).
struct LogSumExp {
    over: Reduction,
}

impl Function for LogSumExp {
    fn name(&self) -> &'static str {
        "logsumexp"
    }

    fn forward(&self, ctx: &mut Context, x: &[&Tensor]) -> Result<Tensor> {
        let x = x[0];
        let out = dispatch_float!("logsumexp", x.dtype(), T => x.with::<T, _>(|x| {
            reduce(x, &self.over.mask, &folds::LogSumExp::<T>(PhantomData))
        }))?;
        let y = Tensor::from_buffer(out, self.over.shape(x.shape()));
        ctx.save(x);
        ctx.save(&y);
        Ok(y)
    }

    fn backward(&self, saved: &Saved<'_>, grad: &Tensor) -> Result<Grads> {
        let (x, y) = (saved.get(0)?, saved.get(1)?);
        let share = x.sub(&self.over.widen(&y, x.shape())?)?.exp()?;
        Ok([Grad::Of(share.mul(&self.over.widen(grad, x.shape())?)?)].into())
    }
}
