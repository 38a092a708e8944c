//! Softmax and its relatives along one dimension.

use super::registry::{Case, Input};
use crate::autograd::{Context, Function, Grad, Grads, Saved, apply, is_grad_enabled};
use crate::dtype::dispatch_float;
use crate::error::Result;
use crate::kernels::rows;
use crate::ops::keepdim;
use crate::shape::resolve_dim;
use crate::tensor::Tensor;

pub(super) const CASES: &[Case] = &[
    Case::new("softmax", &[Input::real(&[3, 4])], |x| x[0].softmax(-1))
        .torch("torch.softmax(x[0], -1)"),
    Case::new("softmax", &[Input::real(&[3, 4, 2])], |x| x[0].softmax(1))
        .torch("torch.softmax(x[0], 1)"),
    Case::new("softmax", &[Input::real(&[5])], |x| x[0].softmax(0)).torch("torch.softmax(x[0], 0)"),
    Case::new("softmax", &[Input::real(&[3, 4])], |x| x[0].softmin(1))
        .torch("F.softmin(x[0], dim=1)"),
    Case::new("log_softmax", &[Input::real(&[3, 4])], |x| {
        x[0].log_softmax(1)
    })
    .torch("torch.log_softmax(x[0], 1)"),
    Case::new("log_softmax", &[Input::real(&[3, 4])], |x| {
        x[0].log_softmax(0)
    })
    .torch("torch.log_softmax(x[0], 0)"),
    Case::new("log_softmax", &[Input::real(&[2, 3, 4])], |x| {
        x[0].log_softmax(-2)
    })
    .torch("torch.log_softmax(x[0], -2)"),
];

impl Tensor {
    /// exp(x)/Σexp(x) along `dim`; computed from the largest element down, so nothing overflows.
    /// An element of −∞ gets 0. NaN all along where an element is NaN or +∞, or all are −∞.
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
        let dim = resolve_dim(dim, self.ndim()).map_err(|e| e.at("softmax"))?;
        apply(Softmax { dim, log: false }, &[self])
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
        let dim = resolve_dim(dim, self.ndim()).map_err(|e| e.at("log_softmax"))?;
        apply(Softmax { dim, log: true }, &[self])
    }

    /// The [`softmax`](Tensor::softmax) of −x: the smallest elements get the largest shares.
    ///
    /// # Errors
    /// If the dimension is out of range or the dtype is not floating point.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([0.0, 1000.0]).softmin(0)?.to_vec::<f32>()?, [1.0, 0.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn softmin(&self, dim: isize) -> Result<Tensor> {
        self.dtype().expect_float("softmin")?;
        let dim = resolve_dim(dim, self.ndim()).map_err(|e| e.at("softmin"))?;
        self.neg()?.softmax(dim as isize)
    }
}

/// Softmax, or its logarithm. Gradients, from the result y: y·(g − Σ g·y) and g − exp(y)·Σ g.
struct Softmax {
    dim: usize,
    log: bool,
}

impl Softmax {
    /// Elements along the dimension, and behind it. A 0-d tensor is one row of one.
    fn sizes(&self, x: &Tensor) -> (usize, usize) {
        let behind = x.shape().iter().skip(self.dim + 1).product();
        (x.shape().get(self.dim).copied().unwrap_or(1), behind)
    }
}

impl Function for Softmax {
    fn name(&self) -> &'static str {
        if self.log { "log_softmax" } else { "softmax" }
    }

    fn forward(&self, ctx: &mut Context, x: &[&Tensor]) -> Result<Tensor> {
        let x = x[0];
        // Where a size is 0 there is nothing to do, in rows of any length.
        let (n, width) = self.sizes(x);
        let (n, width) = (n.max(1), width.max(1));
        let y = dispatch_float!(self.name(), x.dtype(), T => x.with_slice::<T, _>(|x| match self.log {
            log if width > 1 => rows::softmax_columns(x, n, width, log),
            true => rows::log_softmax(x, n),
            false => rows::softmax(x, n),
        }))?;
        let y = Tensor::from_buffer(y, x.dims());
        ctx.save(&y);
        Ok(y)
    }

    fn backward(&self, saved: &Saved<'_>, g: &Tensor) -> Result<Grads> {
        let y = saved.get(0)?;
        let (n, width) = self.sizes(g);
        let dx = if is_grad_enabled() || width != 1 {
            let dim = self.dim as isize;
            if self.log {
                g.sub(&y.exp()?.mul(&g.sum(keepdim(dim))?)?)?
            } else {
                y.mul(&g.sub(&g.mul(&y)?.sum(keepdim(dim))?)?)?
            }
        } else {
            let n = n.max(1);
            let dx = dispatch_float!(self.name(), g.dtype(), T => y.with_slice::<T, _>(|y| g.with_slice::<T, _>(|g| {
                if self.log { rows::log_softmax_backward(y, g, n) } else { rows::softmax_backward(y, g, n) }
            })))?;
            Tensor::from_buffer(dx, g.dims())
        };
        Ok([Grad::Of(dx)].into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INF: f64 = f64::INFINITY;

    #[test]
    fn infinities_and_nan_are_as_in_pytorch() -> Result<()> {
        let nan = [f64::NAN; 2];
        for (x, share, log) in [
            ([-INF, 1.0], [0.0, 1.0], [-INF, 0.0]),
            ([-INF, -INF], nan, nan),
            ([INF, 1.0], nan, nan),
            ([f64::NAN, 1.0], nan, nan),
            ([-1e308, 1e308], [0.0, 1.0], [-INF, 0.0]),
        ] {
            // As a row, and as one of two columns side by side.
            let row = Tensor::from_vec(x, [2])?;
            let columns = Tensor::stack(&[&row, &row], 1)?;
            let column = |y: Tensor| y.select(1, 1);
            for (y, expected) in [
                (row.softmax(0)?, share),
                (column(columns.softmax(0)?)?, share),
                (row.log_softmax(0)?, log),
                (column(columns.log_softmax(0)?)?, log),
            ] {
                let y = y.to_vec::<f64>()?;
                let same = |(a, b): (&f64, &f64)| a == b || a.is_nan() && b.is_nan();
                assert!(y.iter().zip(&expected).all(same), "{x:?}: {y:?}");
            }
        }
        Ok(())
    }

    /// Down columns is along rows of the transpose, whatever lies before and behind the dimension,
    /// with more blocks than a chunk holds.
    #[test]
    fn logarithms_keep_their_digits_beside_large_numbers() -> Result<()> {
        let x = Tensor::from([1e7f32; 4]);
        let columns = x.reshape([4, 1])?.broadcast_to([4, 2])?;
        for y in [x.log_softmax(0)?, columns.log_softmax(0)?.select(1, 0)?] {
            assert_eq!(y.to_vec::<f32>()?, [-(4f32.ln()); 4]);
        }
        Ok(())
    }

    #[test]
    fn every_dimension_agrees_with_the_last_one() -> Result<()> {
        let x = Tensor::linspace(-9.0, 9.0, 70 * 11 * 30, crate::DType::F64)?;
        let x = x.sin()?.mul(20.0)?.reshape([70, 11, 30])?;
        for dim in [0, 1] {
            let t = x.transpose(dim, 2)?;
            for (a, b) in [
                (x.softmax(dim)?, t.softmax(2)?),
                (x.log_softmax(dim)?, t.log_softmax(2)?),
            ] {
                let apart = a.sub(&b.transpose(dim, 2)?)?.abs()?.amax(..)?;
                assert!(apart.item::<f64>()? < 1e-14, "dimension {dim}: {apart}");
            }
        }
        Ok(())
    }
}
