//! A convolution is linear in its input and in its weight, so three operations are each other's
//! gradients: with y = conv(x, w), the gradient of x is the transposed convolution of y's gradient
//! with w, and that of w a product of x with y's gradient, again linear in both. All three share one
//! geometry.

use crate::autograd::{Context, Function, Grad, Grads, Saved, apply, is_grad_enabled};
use crate::dtype::{Element, dispatch_float};
use crate::error::Result;
use crate::kernels::View;
use crate::kernels::conv::{self, Geometry, Placed};
use crate::ops::Activation;
use crate::shape::Dims;
use crate::tensor::Tensor;

/// f(conv(x, w) + b), where f is the activation, or x if there is none.
pub(super) struct Convolution {
    pub dims: usize,
    pub geometry: Geometry,
    pub then: Option<Activation>,
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

impl Convolution {
    /// Without an activation.
    fn plain(dims: usize, geometry: Geometry) -> Self {
        Self {
            dims,
            geometry,
            then: None,
        }
    }
}

impl Function for Convolution {
    fn name(&self) -> &'static str {
        let rows = ["conv1d", "conv1d_relu", "conv1d_sigmoid", "conv1d_tanh"];
        let images = ["conv2d", "conv2d_relu", "conv2d_sigmoid", "conv2d_tanh"];
        let [plain, names @ ..] = if self.dims == 1 { rows } else { images };
        self.then.map_or(plain, |then| then.after(names))
    }

    fn forward(&self, ctx: &mut Context, x: &[&Tensor]) -> Result<Tensor> {
        let &Self {
            dims,
            geometry,
            then,
        } = self;
        ctx.save(x[0]);
        ctx.save(x[1]);
        let y = dispatch_float!(self.name(), x[0].dtype(), T => images([x[0], x[1]], |[a, w]| {
            let activate = then.map(|activation| move |part: &mut [T]| activation.overwrite(part));
            let finish = activate.as_ref().map(|f| f as conv::Finish<'_, T>);
            match x.get(2) {
                Some(b) => b.with::<T, _>(|b| conv::forward(&geometry, a, w, Some(b), finish)),
                None => conv::forward(&geometry, a, w, None, finish),
            }
        }))
        .map(|y| tensor(y, dims))?;
        if then.is_some() {
            ctx.save(&y);
        }
        Ok(y)
    }

    fn backward(&self, saved: &Saved<'_>, grad: &Tensor) -> Result<Grads> {
        let &Self { dims, geometry, .. } = self;
        let grad = match self.then {
            Some(activation) => &activation.chain(grad, &saved.get(2)?)?,
            None => grad,
        };
        let (x, w) = (saved.get(0)?, saved.get(1)?);
        let dx = saved.grad(0, || apply(Transposed { dims, geometry }, &[grad, &w]))?;
        if saved.needs(1) && saved.needs(2) && !is_grad_enabled() {
            let (dw, db) = weight_and_bias(self, &x, grad)?;
            return Ok([dx, Grad::Of(dw), Grad::Of(db)].into());
        }
        let dw = saved.grad(1, || apply(WeightGradient { dims, geometry }, &[&x, grad]))?;
        let db = saved.grad(2, || sum_by_channel(grad))?;
        Ok([dx, dw, db].into_iter().take(saved.inputs()).collect())
    }
}

/// Both gradients in one pass over x and y.
fn weight_and_bias(
    &Convolution { dims, geometry, .. }: &Convolution,
    x: &Tensor,
    y: &Tensor,
) -> Result<(Tensor, Tensor)> {
    dispatch_float!("conv", x.dtype(), T => images::<T, _>([x, y], |[x, y]| {
        let (weight, bias) = conv::weight_gradient(&geometry, x, y, true)?;
        let channels = Dims::from_slice(&y.layout.shape[1..2]);
        Ok((tensor(weight, dims), Tensor::from_buffer(bias, channels)))
    }))
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
        let dy = saved.grad(0, || apply(Convolution::plain(dims, geometry), &[grad, &w]))?;
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
        dispatch_float!(self.name(), x[0].dtype(), T => images::<T, _>([x[0], x[1]], |[x, y]| {
            conv::weight_gradient(&self.geometry, x, y, false)
        }))
        .map(|(w, _)| tensor(w, self.dims))
    }

    fn backward(&self, saved: &Saved<'_>, grad: &Tensor) -> Result<Grads> {
        let &Self { dims, geometry } = self;
        let (x, y) = (saved.get(0)?, saved.get(1)?);
        let dx = saved.grad(0, || apply(Transposed { dims, geometry }, &[&y, grad]))?;
        let dy = saved.grad(1, || apply(Convolution::plain(dims, geometry), &[&x, grad]))?;
        Ok([dx, dy].into())
    }
}

/// The gradient of a bias.
fn sum_by_channel(grad: &Tensor) -> Result<Tensor> {
    let channels_last = grad.movedim(1, -1)?;
    channels_last.flatten(0, -2)?.sum(0)
}

/// Calls `f` with both tensors as images or weights of two directions.
fn images<T: Element, R>(
    x: [&Tensor; 2],
    f: impl FnOnce([View<'_, T>; 2]) -> Result<R>,
) -> Result<R> {
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
fn tensor((buffer, mut layout): Placed, dims: usize) -> Tensor {
    if dims == 1 {
        layout.shape.remove(2);
        layout.strides.remove(2);
    }
    Tensor::from_buffer_as(buffer, layout)
}
