//! A convolution is linear in its input and in its weight, so three operations are each other's
//! gradients: with y = conv(x, w), the gradient of x is the transposed convolution of y's gradient
//! with w, and that of w a product of x with y's gradient, again linear in both. All three share one
//! geometry.

use crate::autograd::{Context, Function, Grads, Saved, apply};
use crate::dtype::dispatch_float;
use crate::error::Result;
use crate::kernels::View;
use crate::kernels::conv::{self, Geometry};
use crate::shape::Layout;
use crate::storage::Buffer;
use crate::tensor::Tensor;

/// conv(x, w) + b.
pub(super) struct Convolution {
    pub dims: usize,
    pub geometry: Geometry,
}

/// convᵀ(y, w) + b: the gradient of x for the gradient y.
pub(super) struct Transposed {
    pub dims: usize,
    pub geometry: Geometry,
}

/// The gradient of w, from x and the gradient of y.
pub(super) struct WeightGradient {
    pub dims: usize,
    pub geometry: Geometry,
}

impl Function for Convolution {
    fn name(&self) -> &'static str {
        ["conv1d", "conv2d"][self.dims - 1]
    }

    fn forward(&self, ctx: &mut Context, x: &[&Tensor]) -> Result<Tensor> {
        let &Self { dims, geometry } = self;
        ctx.save(x[0]);
        ctx.save(x[1]);
        dispatch_float!(self.name(), x[0].dtype(), T => images([x[0], x[1]], |[a, w]| match x.get(2) {
            Some(b) => b.with::<T, _>(|b| conv::forward(&geometry, a, w, Some(b))),
            None => conv::forward(&geometry, a, w, None),
        }))
        .map(|y| tensor(y, dims))
    }

    fn backward(&self, saved: &Saved<'_>, grad: &Tensor) -> Result<Grads> {
        let &Self { dims, geometry } = self;
        let (x, w) = (saved.get(0)?, saved.get(1)?);
        let dx = saved.grad(0, || apply(Transposed { dims, geometry }, &[grad, &w]))?;
        let dw = saved.grad(1, || apply(WeightGradient { dims, geometry }, &[&x, grad]))?;
        let db = saved.grad(2, || sum_by_channel(grad))?;
        Ok([dx, dw, db].into_iter().take(saved.inputs()).collect())
    }
}

impl Function for Transposed {
    fn name(&self) -> &'static str {
        ["conv_transpose1d", "conv_transpose2d"][self.dims - 1]
    }

    fn forward(&self, ctx: &mut Context, x: &[&Tensor]) -> Result<Tensor> {
        let &Self { dims, geometry } = self;
        ctx.save(x[0]);
        ctx.save(x[1]);
        dispatch_float!(self.name(), x[0].dtype(), T => images([x[0], x[1]], |[a, w]| match x.get(2) {
            Some(b) => b.with::<T, _>(|b| conv::transposed(&geometry, a, w, Some(b))),
            None => conv::transposed(&geometry, a, w, None),
        }))
        .map(|y| tensor(y, dims))
    }

    fn backward(&self, saved: &Saved<'_>, grad: &Tensor) -> Result<Grads> {
        let &Self { dims, geometry } = self;
        let (y, w) = (saved.get(0)?, saved.get(1)?);
        let dy = saved.grad(0, || apply(Convolution { dims, geometry }, &[grad, &w]))?;
        let dw = saved.grad(1, || apply(WeightGradient { dims, geometry }, &[grad, &y]))?;
        let db = saved.grad(2, || sum_by_channel(grad))?;
        Ok([dy, dw, db].into_iter().take(saved.inputs()).collect())
    }
}

impl Function for WeightGradient {
    fn name(&self) -> &'static str {
        ["conv1d_weight", "conv2d_weight"][self.dims - 1]
    }

    fn forward(&self, ctx: &mut Context, x: &[&Tensor]) -> Result<Tensor> {
        ctx.save(x[0]);
        ctx.save(x[1]);
        dispatch_float!(self.name(), x[0].dtype(), T => images::<T>([x[0], x[1]], |[x, y]| {
            conv::weight_gradient(&self.geometry, x, y)
        }))
        .map(|w| tensor(w, self.dims))
    }

    fn backward(&self, saved: &Saved<'_>, grad: &Tensor) -> Result<Grads> {
        let &Self { dims, geometry } = self;
        let (x, y) = (saved.get(0)?, saved.get(1)?);
        let dx = saved.grad(0, || apply(Transposed { dims, geometry }, &[&y, grad]))?;
        let dy = saved.grad(1, || apply(Convolution { dims, geometry }, &[&x, grad]))?;
        Ok([dx, dy].into())
    }
}

/// The gradient of a bias.
fn sum_by_channel(grad: &Tensor) -> Result<Tensor> {
    match grad.ndim() {
        3 => grad.sum([0, 2]),
        _ => grad.sum([0, 2, 3]),
    }
}

/// Calls `f` with both tensors as images or weights of two directions.
fn images<T: crate::Element>(
    x: [&Tensor; 2],
    f: impl FnOnce([View<'_, T>; 2]) -> Result<(Buffer, Layout)>,
) -> Result<(Buffer, Layout)> {
    let layouts = x.map(|x| {
        let mut layout = x.layout().clone();
        if layout.rank() == 3 {
            // Rows are images of height 1.
            layout.shape.insert(2, 1);
            layout.strides.insert(2, 0);
        }
        layout
    });
    x[0].with(|a| {
        x[1].with(|b| {
            f([
                View::new(a.data, &layouts[0]),
                View::new(b.data, &layouts[1]),
            ])
        })
    })
}

/// The opposite: a tensor of `dims` directions.
fn tensor((buffer, mut layout): (Buffer, Layout), dims: usize) -> Tensor {
    if dims == 1 {
        layout.shape.remove(2);
        layout.strides.remove(2);
    }
    Tensor::from_buffer_as(buffer, layout)
}
