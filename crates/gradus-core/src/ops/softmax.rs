//! Softmax and its logarithm along one dimension.

use super::registry::{Case, Input};
use crate::autograd::{Context, Function, Grad, Grads, Saved, apply};
use crate::dtype::dispatch_float;
use crate::error::Result;
use crate::kernels::rows;
use crate::shape::resolve_dim;
use crate::tensor::Tensor;

pub(super) const CASES: &[Case] = &[
    Case::new("softmax", &[Input::real(&[3, 4])], |x| x[0].softmax(-1)),
    Case::new("softmax", &[Input::real(&[3, 4, 2])], |x| x[0].softmax(1)),
    Case::new("log_softmax", &[Input::real(&[3, 4])], |x| {
        x[0].log_softmax(1)
    }),
    Case::new("log_softmax", &[Input::real(&[3, 4])], |x| {
        x[0].log_softmax(0)
    }),
];

impl Tensor {
    /// exp(x)/Σexp(x) along `dim`; computed from the largest element down, so nothing overflows.
    ///
    /// # Errors
    /// If the dimension is out of range or the dtype is not floating point.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([[1000.0, 1000.0]]).softmax(1)?.to_vec::<f32>()?, [0.5, 0.5]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn softmax(&self, dim: isize) -> Result<Tensor> {
        self.along_last(dim, Softmax { log: false })
    }

    /// x − log Σexp(x) along `dim`: the logarithm of [`softmax`](Tensor::softmax) without its
    /// rounding to 0.
    ///
    /// # Errors
    /// If the dimension is out of range or the dtype is not floating point.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([0.0, -1000.0]).log_softmax(0)?.to_vec::<f32>()?, [0.0, -1000.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn log_softmax(&self, dim: isize) -> Result<Tensor> {
        self.along_last(dim, Softmax { log: true })
    }

    /// Applies an operation on the last dimension along another one.
    fn along_last(&self, dim: isize, f: impl Function) -> Result<Tensor> {
        let d = resolve_dim(dim, self.ndim()).map_err(|e| e.at(f.name()))?;
        if d + 1 >= self.ndim() {
            return apply(f, &[self]);
        }
        apply(f, &[&self.transpose(d as isize, -1)?])?.transpose(d as isize, -1)
    }
}

/// Softmax, or its logarithm, along the last dimension. Gradients, from the result y:
/// y·(g − Σ g·y) and g − exp(y)·Σ g.
struct Softmax {
    log: bool,
}

/// The length of a row; a 0-d tensor is one row of one.
fn row_length(x: &Tensor) -> usize {
    x.shape().last().copied().unwrap_or(1).max(1)
}

impl Function for Softmax {
    fn name(&self) -> &'static str {
        if self.log { "log_softmax" } else { "softmax" }
    }

    fn forward(&self, ctx: &mut Context, x: &[&Tensor]) -> Result<Tensor> {
        let (x, n) = (x[0], row_length(x[0]));
        let kernel = dispatch_float!(self.name(), x.dtype(), T => x.with_slice::<T, _>(|x| {
            if self.log { rows::log_softmax(x, n) } else { rows::softmax(x, n) }
        }))?;
        let y = Tensor::from_buffer(kernel, x.layout().shape.clone());
        ctx.save(&y);
        Ok(y)
    }

    fn backward(&self, saved: &Saved<'_>, g: &Tensor) -> Result<Grads> {
        let (y, n) = (saved.get(0)?, row_length(g));
        let dx = dispatch_float!(self.name(), g.dtype(), T => y.with_slice::<T, _>(|y| g.with_slice::<T, _>(|g| {
            if self.log { rows::log_softmax_backward(y, g, n) } else { rows::softmax_backward(y, g, n) }
        })))?;
        Ok([Grad::Of(Tensor::from_buffer(dx, g.layout().shape.clone()))].into())
    }
}
