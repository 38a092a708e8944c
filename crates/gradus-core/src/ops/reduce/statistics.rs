//! Variance and standard deviation.

use super::super::registry::{Case, Input};
use super::{Dimensions, Reduction, keepdim};
use crate::autograd::{Context, Function, Grad, Grads, Saved, apply};
use crate::dtype::dispatch_float;
use crate::error::Result;
use crate::kernels::folds;
use crate::kernels::reduce::reduce;
use crate::tensor::Tensor;

const INPUT: &[Input] = &[Input::real(&[2, 3, 4])];

pub(in super::super) const CASES: &[Case] = &[
    Case::new("var", INPUT, |x| x[0].var(..)).torch("x[0].var()"),
    Case::new("var", INPUT, |x| x[0].var(keepdim(1))).torch("x[0].var(1, keepdim=True)"),
    Case::new("var", INPUT, |x| x[0].var_with([0, 2], 0)).torch("x[0].var((0, 2), correction=0)"),
    Case::new("var", INPUT, |x| Ok(x[0].var_mean(0)?.0)).torch("torch.var_mean(x[0], 0)[0]"),
    Case::new("std", INPUT, |x| x[0].std(..)).torch("x[0].std()"),
    Case::new("std", INPUT, |x| x[0].std([0, 1])).torch("x[0].std((0, 1))"),
    Case::new("std", INPUT, |x| x[0].std_with(-1, 0.5)).torch("x[0].std(-1, correction=0.5)"),
    Case::new("sum", INPUT, |x| Ok(x[0].std_mean(2)?.1)).torch("torch.std_mean(x[0], 2)[1]"),
];

impl Tensor {
    /// The variance over `dims`, of a sample: squared deviations from the mean are summed and divided
    /// by their number − 1. NaN of one element and of none. Exact for data far from 0: it is
    /// computed as f64 from deviations, never from squares of the elements.
    ///
    /// # Errors
    /// If a dimension is out of range or named twice; for integers and bools.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([1.0, 2.0, 3.0]).var(..)?.item::<f32>()?, 1.0);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn var(&self, dims: impl Dimensions) -> Result<Tensor> {
        self.var_with(dims, 1)
    }

    /// The variance over `dims` with another `correction`, which is taken from the number of
    /// elements: 0 for the variance of a whole population.
    ///
    /// # Errors
    /// As [`var`](Tensor::var).
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([1.0, 3.0]).var_with(.., 0)?.item::<f32>()?, 1.0);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn var_with(&self, dims: impl Dimensions, correction: impl Into<f64>) -> Result<Tensor> {
        self.variance("var", dims, correction.into(), false)
    }

    /// The standard deviation over `dims`, the square root of [`var`](Tensor::var). The gradient is 0
    /// where it is 0.
    ///
    /// # Errors
    /// As [`var`](Tensor::var).
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([1.0, 3.0, 5.0]).std(..)?.item::<f32>()?, 2.0);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn std(&self, dims: impl Dimensions) -> Result<Tensor> {
        self.std_with(dims, 1)
    }

    /// The square root of [`var_with`](Tensor::var_with).
    ///
    /// # Errors
    /// As [`var`](Tensor::var).
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([1.0, 3.0]).std_with(0, 0)?.item::<f32>()?, 1.0);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn std_with(&self, dims: impl Dimensions, correction: impl Into<f64>) -> Result<Tensor> {
        self.variance("std", dims, correction.into(), true)
    }

    /// [`var`](Tensor::var) and [`mean`](Tensor::mean).
    ///
    /// # Errors
    /// As [`var`](Tensor::var).
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let (var, mean) = Tensor::from([1.0, 3.0, 5.0]).var_mean(0)?;
    /// assert_eq!((var.item::<f32>()?, mean.item::<f32>()?), (4.0, 3.0));
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn var_mean(&self, dims: impl Dimensions) -> Result<(Tensor, Tensor)> {
        let over = Reduction::new("var_mean", self, dims)?;
        Ok((
            self.variance("var_mean", &over, 1.0, false)?,
            self.mean(&over)?,
        ))
    }

    /// [`std`](Tensor::std) and [`mean`](Tensor::mean).
    ///
    /// # Errors
    /// As [`var`](Tensor::var).
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let (std, mean) = Tensor::from([1.0, 3.0, 5.0]).std_mean(0)?;
    /// assert_eq!((std.item::<f32>()?, mean.item::<f32>()?), (2.0, 3.0));
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn std_mean(&self, dims: impl Dimensions) -> Result<(Tensor, Tensor)> {
        let over = Reduction::new("std_mean", self, dims)?;
        Ok((
            self.variance("std_mean", &over, 1.0, true)?,
            self.mean(&over)?,
        ))
    }

    fn variance(
        &self,
        op: &str,
        dims: impl Dimensions,
        correction: f64,
        root: bool,
    ) -> Result<Tensor> {
        self.dtype().expect_float(op)?;
        let over = Reduction::new(op, self, dims)?;
        apply(
            Variance {
                over,
                correction,
                root,
            },
            &[self],
        )
    }
}

/// Variance or its square root. The gradient of the variance is 2·(x − mean)/(n − correction).
struct Variance {
    over: Reduction,
    correction: f64,
    root: bool,
}

impl Function for Variance {
    fn name(&self) -> &'static str {
        if self.root { "std" } else { "var" }
    }

    fn forward(&self, ctx: &mut Context, x: &[&Tensor]) -> Result<Tensor> {
        let x = x[0];
        let fold = folds::Variance {
            correction: self.correction,
            root: self.root,
        };
        let out = dispatch_float!(self.name(), x.dtype(), T => {
            x.with::<T, _>(|x| reduce(x, &self.over.mask, &fold))
        })?;
        let y = Tensor::from_buffer(out, self.over.shape(x.shape()));
        ctx.save(x);
        if self.root {
            ctx.save(&y);
        }
        Ok(y)
    }

    fn backward(&self, saved: &Saved<'_>, grad: &Tensor) -> Result<Grads> {
        let x = saved.get(0)?;
        let n = self.over.count(x.shape()) as f64;
        let mut grad = grad.mul(2.0 / (n - self.correction).max(0.0))?;
        if self.root {
            // g/2y, and 0 where y is 0.
            let y = saved.get(1)?;
            let zero = y.eq(0)?;
            grad = grad.div(&y.add(&zero)?.mul(2.0)?)?.mul(&y.ne(0)?)?;
        }
        let deviation = x.sub(&x.mean(&self.over.keeping())?)?;
        Ok([Grad::Of(
            deviation.mul(&self.over.widen(&grad, x.shape())?)?,
        )]
        .into())
    }
}
