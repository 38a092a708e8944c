//! The affine map of a fully connected layer, with an activation in the same pass if asked for.

use super::Activation;
use super::matmul::{MatMul, matrix, same_dtype};
use super::registry::{Case, Input};
use crate::autograd::{Context, Function, Grads, Saved, apply};
use crate::dtype::dispatch_float;
use crate::error::{Result, err};
use crate::kernels::math::Float;
use crate::kernels::matmul::matmul;
use crate::kernels::{Loop, View, vectorize};
use crate::shape::{Dims, numel};
use crate::storage::Buffer;
use crate::tensor::Tensor;
use smallvec::SmallVec;

pub(super) const CASES: &[Case] = &[
    Case::new(
        "linear",
        &[
            Input::real(&[4, 3]),
            Input::real(&[2, 3]),
            Input::real(&[2]),
        ],
        |x| x[0].linear(&x[1], Some(&x[2])),
    )
    .torch("F.linear(x[0], x[1], x[2])"),
    Case::new(
        "linear",
        &[Input::real(&[2, 2, 3]), Input::real(&[2, 3])],
        |x| x[0].linear(&x[1], None),
    )
    .torch("F.linear(x[0], x[1])"),
    Case::new(
        "linear",
        &[Input::real(&[3]), Input::real(&[2, 3]), Input::real(&[2])],
        |x| x[0].linear(&x[1], Some(&x[2])),
    )
    .torch("F.linear(x[0], x[1], x[2])"),
    Case::new(
        "linear_relu",
        &[
            Input::real(&[4, 3]),
            Input::real(&[2, 3]),
            Input::real(&[2]),
        ],
        |x| x[0].linear_then(&x[1], Some(&x[2]), Activation::Relu),
    )
    .torch("F.relu(F.linear(x[0], x[1], x[2]))"),
    Case::new(
        "linear_sigmoid",
        &[Input::real(&[2, 2, 3]), Input::real(&[2, 3])],
        |x| x[0].linear_then(&x[1], None, Activation::Sigmoid),
    )
    .torch("torch.sigmoid(F.linear(x[0], x[1]))"),
    Case::new(
        "linear_tanh",
        &[Input::real(&[3]), Input::real(&[2, 3]), Input::real(&[2])],
        |x| x[0].linear_then(&x[1], Some(&x[2]), Activation::Tanh),
    )
    .torch("torch.tanh(F.linear(x[0], x[1], x[2]))"),
];

impl Tensor {
    /// x·Wᵀ + b, the affine map of a fully connected layer. Shapes `[.., in]`, `[out, in]`, `[out]` →
    /// `[.., out]`.
    ///
    /// # Errors
    /// If the sizes do not fit or the dtypes differ.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let (w, b) = (Tensor::from([[1.0, 2.0]]), Tensor::from([0.5]));
    /// assert_eq!(Tensor::from([[3.0, 4.0]]).linear(&w, Some(&b))?.to_vec::<f32>()?, [11.5]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn linear(&self, weight: &Tensor, bias: Option<&Tensor>) -> Result<Tensor> {
        self.affine(weight, bias, None)
    }

    /// [`linear`](Tensor::linear) and then an activation, in one pass over the result: the same
    /// bits, sooner.
    ///
    /// # Errors
    /// As [`linear`](Tensor::linear).
    ///
    /// ```
    /// # use gradus_core::{Activation, Tensor};
    /// let w = Tensor::from([[1.0, 2.0], [-1.0, 0.0]]);
    /// let y = Tensor::from([[3.0, 4.0]]).linear_then(&w, None, Activation::Relu)?;
    /// assert_eq!(y.to_vec::<f32>()?, [11.0, 0.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn linear_then(
        &self,
        weight: &Tensor,
        bias: Option<&Tensor>,
        activation: Activation,
    ) -> Result<Tensor> {
        self.affine(weight, bias, Some(activation))
    }

    fn affine(
        &self,
        weight: &Tensor,
        bias: Option<&Tensor>,
        then: Option<Activation>,
    ) -> Result<Tensor> {
        let op = if then.is_some() {
            "linear_then"
        } else {
            "linear"
        };
        same_float(op, self, weight)?;
        let (&[out, input], Some(&features)) = (weight.shape(), self.shape().last()) else {
            return Err(err!(
                Shape,
                "{op}: expected an input [.., in] and a weight [out, in], got {:?} and {:?}",
                self.shape(),
                weight.shape()
            ));
        };
        if features != input {
            return Err(err!(
                Shape,
                "{op}: got {features} features (input of shape {:?}), the weight of shape {:?} takes {input}",
                self.shape(),
                weight.shape()
            ));
        }
        if let Some(b) = bias {
            same_float(op, self, b)?;
            if b.shape() != [out] {
                return Err(err!(
                    Shape,
                    "{op}: a bias of shape [{out}] is needed, got {:?}",
                    b.shape()
                ));
            }
        }
        let x = if self.ndim() == 1 {
            self.unsqueeze(0)?
        } else {
            self.flatten(0, -2)?
        };
        let inputs: SmallVec<[_; 3]> = [Some(&x), Some(weight), bias]
            .into_iter()
            .flatten()
            .collect();
        let y = apply(Linear { then }, &inputs)?;
        let mut shape = Dims::from_slice(&self.shape()[..self.ndim() - 1]);
        shape.push(out);
        y.reshape(&shape)
    }
}

fn same_float(op: &str, a: &Tensor, b: &Tensor) -> Result<()> {
    a.dtype().expect_float(op)?;
    same_dtype(op, a, b)
}

/// f(x·Wᵀ + b) for a matrix x, where f is the activation, or x if there is none.
struct Linear {
    then: Option<Activation>,
}

/// Adds the bias, from some column on, to rows or to a part of one.
struct AddBias<'a, T> {
    bias: &'a [T],
    column: usize,
    run: &'a mut [T],
}

impl<T: Float> Loop for AddBias<'_, T> {
    type Output = ();
    #[inline(always)]
    fn call(self) {
        for row in self.run.chunks_mut(self.bias.len()) {
            let pairs = row.iter_mut().zip(&self.bias[self.column..]);
            pairs.for_each(|(y, &b)| *y = *y + b);
        }
    }
}

impl Function for Linear {
    fn name(&self) -> &'static str {
        let names = ["linear_relu", "linear_sigmoid", "linear_tanh"];
        self.then.map_or("linear", |then| then.after(names))
    }

    fn forward(&self, ctx: &mut Context, x: &[&Tensor]) -> Result<Tensor> {
        let (x, w, b) = (x[0], x[1], x.get(2));
        ctx.save(x);
        ctx.save(w);
        let (m, k, n) = (x.shape()[0], x.shape()[1], w.shape()[0]);
        let shape = Dims::from_slice(&[m, n]);
        let len = numel(&shape)?;
        let wt = w.layout().permute(&[1, 0]);
        let out = dispatch_float!("linear", x.dtype(), T => {
            let mut out = Buffer::new::<T>(len)?;
            let mut product = |bias: Option<&[T]>| x.with::<T, _>(|x| w.with::<T, _>(|w| {
                let wt = View::new(w.data, &wt);
                let (x, wt) = (matrix(x, x.layout.offset), matrix(wt, wt.layout.offset));
                let finish = |column, run: &mut [T]| {
                    if let Some(bias) = bias {
                        vectorize(AddBias { bias, column, run });
                    }
                    if let Some(activation) = self.then {
                        activation.overwrite(run);
                    }
                };
                matmul(out.slice_mut(), (m, k, n), x, wt, &finish)
            }));
            match b {
                Some(b) => b.with_slice::<T, _>(|b| product(Some(b))),
                None => product(None),
            }?;
            Ok(out)
        })?;
        let y = Tensor::from_buffer(out, shape);
        if self.then.is_some() {
            ctx.save(&y);
        }
        Ok(y)
    }

    fn backward(&self, saved: &Saved<'_>, g: &Tensor) -> Result<Grads> {
        let g = match self.then {
            Some(activation) => &activation.chain(g, &saved.get(2)?)?,
            None => g,
        };
        let dx = saved.grad(0, || apply(MatMul, &[g, &saved.get(1)?]))?;
        let dw = saved.grad(1, || apply(MatMul, &[&g.t()?, &saved.get(0)?]))?;
        let db = saved.grad(2, || g.sum(0))?;
        Ok([dx, dw, db].into_iter().take(saved.inputs()).collect())
    }
}
