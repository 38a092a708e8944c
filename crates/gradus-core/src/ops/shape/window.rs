//! Sliding windows.

use super::super::registry::{Case, Input};
use crate::autograd::{Context, Function, Grad, Grads, Saved, apply};
use crate::error::{Result, err};
use crate::shape::{Dims, Layout, numel};
use crate::tensor::Tensor;

pub(in crate::ops) const CASES: &[Case] = &[
    Case::new("unfold", &[Input::real(&[7])], |x| x[0].unfold(0, 3, 2))
        .torch("x[0].unfold(0, 3, 2)"),
    Case::new("unfold", &[Input::real(&[2, 5, 3])], |x| {
        x[0].unfold(1, 3, 1)?.exp()
    })
    .torch("x[0].unfold(1, 3, 1).exp()"),
    Case::new("unfold", &[Input::real(&[5, 4])], |x| {
        x[0].unfold(0, 2, 3)?.unfold(1, 3, 1)
    })
    .torch("x[0].unfold(0, 2, 3).unfold(1, 3, 1)"),
];

impl Tensor {
    /// A view of windows along `dim`: each of `size` positions, the next one `step` further on. The
    /// dimension becomes the number of windows, (n − size) / step + 1 rounded down, and their
    /// positions a new last dimension. Windows may overlap; the gradient adds up then.
    ///
    /// # Errors
    /// If the dimension is out of range or shorter than `size`, or `step` is 0.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([1, 2, 3, 4]).unfold(0, 2, 1)?;
    /// assert_eq!(x.to_vec::<i64>()?, [1, 2, 2, 3, 3, 4]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn unfold(&self, dim: isize, size: usize, step: usize) -> Result<Tensor> {
        if step == 0 {
            return Err(err!(Value, "unfold: step is 0 but must be > 0"));
        }
        let d = crate::shape::resolve_dim(dim, self.ndim()).map_err(|e| e.at("unfold"))?;
        let n = self.shape().get(d).copied().unwrap_or(1);
        if size > n {
            return Err(err!(
                Shape,
                "unfold: maximum size for tensor at dimension {d} is {n} but size is {size}"
            ));
        }
        if self.ndim() == 0 {
            // The only window there is.
            return self.reshape([1])?.narrow(0, 0, size);
        }
        let mut shape = self.layout().shape.clone();
        shape[d] = (n - size) / step + 1;
        shape.push(size);
        numel(&shape).map_err(|e| e.at("unfold"))?;
        apply(Unfold { dim: d, size, step }, &[self])
    }
}

/// Windows along a dimension. An element's gradient is the sum over the windows it is in.
struct Unfold {
    dim: usize,
    size: usize,
    step: usize,
}

impl Unfold {
    fn layout(&self, of: &Layout) -> Layout {
        of.windows(self.dim, self.size, self.step)
    }
}

impl Function for Unfold {
    fn name(&self) -> &'static str {
        "unfold"
    }
    fn forward(&self, _: &mut Context, x: &[&Tensor]) -> Result<Tensor> {
        Ok(x[0].with_layout(self.layout(x[0].layout())))
    }
    fn backward(&self, saved: &Saved<'_>, grad: &Tensor) -> Result<Grads> {
        let shape = saved.input_shape(0)?;
        let windows = self.layout(&Layout::contiguous(Dims::from_slice(shape)));
        Ok([Grad::Part(Box::new(windows), grad.clone())].into())
    }
}
