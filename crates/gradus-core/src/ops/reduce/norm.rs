//! Norms of vectors.

use super::super::registry::{Case, Input};
use super::{Dimensions, Reduction, keepdim};
use crate::autograd::{Context, Function, Grad, Grads, Saved, apply};
use crate::dtype::{Element, dispatch_float};
use crate::error::Result;
use crate::kernels::reduce::{Fold, extreme, finished, reduce};
use crate::tensor::Tensor;

const INPUT: &[Input] = &[Input::real(&[2, 3, 4])];

pub(in super::super) const CASES: &[Case] = &[
    Case::new("norm", INPUT, |x| x[0].norm(2.0, ..)).torch("torch.linalg.vector_norm(x[0])"),
    Case::new("norm", INPUT, |x| x[0].norm(2.0, keepdim(1)))
        .torch("torch.linalg.vector_norm(x[0], 2, 1, keepdim=True)"),
    Case::new("norm", INPUT, |x| x[0].norm(1.0, [0, 2]))
        .torch("torch.linalg.vector_norm(x[0], 1, (0, 2))"),
    Case::new("norm", INPUT, |x| x[0].norm(3.0, -1)).torch("torch.linalg.vector_norm(x[0], 3, -1)"),
    Case::new("norm", INPUT, |x| x[0].norm(0.5, 0)).torch("torch.linalg.vector_norm(x[0], 0.5, 0)"),
    Case::new("norm", INPUT, |x| x[0].norm(-1.0, 0)).torch("torch.linalg.vector_norm(x[0], -1, 0)"),
    Case::new("norm", INPUT, |x| x[0].norm(f64::INFINITY, 1))
        .torch("torch.linalg.vector_norm(x[0], float('inf'), 1)"),
    Case::new("norm", INPUT, |x| x[0].norm(f64::NEG_INFINITY, 2))
        .torch("torch.linalg.vector_norm(x[0], -float('inf'), 2)"),
    Case::new("norm", INPUT, |x| x[0].norm(0, 2))
        .torch("torch.linalg.vector_norm(x[0], 0, 2)")
        .constant(),
];

impl Tensor {
    /// The `p`-norm (Σ |x|ᵖ)^(1/p) over `dims`: 2 is the Euclidean norm (over all dimensions of a
    /// matrix the Frobenius norm), 1 the sum of magnitudes, ±∞ the largest and the smallest
    /// magnitude, 0 the number of elements that are not 0. Powers are summed as f64.
    ///
    /// The gradient is 0 at elements that are 0 and where the norm is 0; for ±∞ it is shared evenly
    /// among equal magnitudes. For `p` = 0 there is none.
    ///
    /// # Errors
    /// If a dimension is out of range or named twice, the dtype is not floating point, or there are
    /// no elements and `p` is negative or ∞.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([3.0, -4.0]);
    /// assert_eq!(x.norm(2, ..)?.item::<f32>()?, 5.0);
    /// assert_eq!(x.norm(1, 0)?.item::<f32>()?, 7.0);
    /// assert_eq!(x.norm(f64::INFINITY, 0)?.item::<f32>()?, 4.0);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn norm(&self, p: impl Into<f64>, dims: impl Dimensions) -> Result<Tensor> {
        let p = p.into();
        self.dtype().expect_float("norm")?;
        let over = if p < 0.0 || p == f64::INFINITY {
            Reduction::not_empty("norm", self, dims)?
        } else {
            Reduction::new("norm", self, dims)?
        };
        if p == 0.0 {
            return self.count_nonzero(&over)?.to_dtype(self.dtype());
        }
        apply(Norm { p, over }, &[self])
    }
}

/// (Σ |x|ᵖ)^(1/p). The gradient is sign(x)·(|x|/y)ᵖ⁻¹.
struct Norm {
    p: f64,
    over: Reduction,
}

impl Function for Norm {
    fn name(&self) -> &'static str {
        "norm"
    }

    fn forward(&self, ctx: &mut Context, x: &[&Tensor]) -> Result<Tensor> {
        let (x, mask, p) = (x[0], &self.over.mask, self.p);
        let out = dispatch_float!("norm", x.dtype(), T => x.with::<T, _>(|x| {
            let magnitude = |x: T| x.to_f64().abs();
            let sum = |a: f64, b: f64| a + b;
            if p == 1.0 {
                reduce(x, mask, &finished(0.0, magnitude, sum, T::from_f64))
            } else if p == 2.0 {
                let square = |x: T| x.to_f64() * x.to_f64();
                reduce(x, mask, &finished(0.0, square, sum, |s| T::from_f64(s.sqrt())))
            } else if p.is_infinite() {
                let extreme = extreme::<f64>(p > 0.0);
                let of_two = |a, b| extreme.combine(a, b);
                reduce(x, mask, &finished(extreme.start(), magnitude, of_two, T::from_f64))
            } else {
                let power = |x: T| magnitude(x).powf(p);
                reduce(x, mask, &finished(0.0, power, sum, |s| T::from_f64(s.powf(1.0 / p))))
            }
        }))?;
        let y = Tensor::from_buffer(out, self.over.shape(x.shape()));
        ctx.save(x);
        ctx.save(&y);
        Ok(y)
    }

    fn backward(&self, saved: &Saved<'_>, grad: &Tensor) -> Result<Grads> {
        let x = saved.get(0)?;
        let (shape, dtype) = (x.shape(), x.dtype());
        let y = saved.get(1)?;
        // None where the norm is 0, also of an infinite one.
        let grad = self.over.widen(&grad.masked_fill(&y.eq(0)?, 0)?, shape)?;
        let y = self.over.widen(&y, shape)?;
        let sign = x.detach().sign()?;
        // 1 instead of 0: what it leads to is multiplied by 0.
        let not_zero = |t: &Tensor| t.add(&t.eq(0)?);
        let dx = if self.p == 1.0 {
            sign.mul(&grad)?
        } else if self.p == 2.0 {
            x.mul(&grad.div(&not_zero(&y)?)?)?
        } else if self.p.is_infinite() {
            let hit = x.abs()?.eq(&y)?.to_dtype(dtype)?;
            let share = hit.div(&hit.sum(&self.over.keeping())?)?;
            share.mul(&sign)?.mul(&grad)?
        } else {
            let slope = not_zero(&x)?
                .abs()?
                .div(&not_zero(&y)?)?
                .pow(self.p - 1.0)?;
            sign.mul(&slope)?.mul(&grad)?
        };
        Ok([Grad::Of(dx)].into())
    }
}
