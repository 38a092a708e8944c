//! Normalisation: rows to mean 0 and variance 1, vectors to length 1, and the angle between vectors.

use super::registry::{Case, Input};
use crate::autograd::{Context, Function, Grad, Grads, Saved, apply, is_grad_enabled};
use crate::dtype::{DType, Element, dispatch_float};
use crate::error::{Result, err};
use crate::kernels::math::Float;
use crate::kernels::normalize::Normalize;
use crate::ops::keepdim;
use crate::shape::{Dims, IntoShape};
use crate::tensor::Tensor;
use std::borrow::Cow;

pub(super) const CASES: &[Case] = &[
    Case::new("layer_norm", &[Input::real(&[4, 5])], |x| {
        x[0].layer_norm([5], None, None, 1e-5)
    })
    .torch("F.layer_norm(x[0], [5])"),
    Case::new(
        "layer_norm",
        &[
            Input::real(&[2, 3, 4]),
            Input::real(&[3, 4]),
            Input::real(&[3, 4]),
        ],
        |x| x[0].layer_norm([3, 4], Some(&x[1]), Some(&x[2]), 1e-3),
    )
    .torch("F.layer_norm(x[0], [3, 4], x[1], x[2], 1e-3)"),
    Case::new(
        "layer_norm",
        &[Input::real(&[2, 9]), Input::real(&[9])],
        |x| x[0].layer_norm([9], None, Some(&x[1]), 1e-5),
    )
    .torch("F.layer_norm(x[0], [9], None, x[1])"),
    Case::new("layer_norm", &[Input::real(&[6]), Input::real(&[6])], |x| {
        x[0].layer_norm([6], Some(&x[1]), None, 1e-5)
    })
    .torch("F.layer_norm(x[0], [6], x[1])"),
    Case::new("rms_norm", &[Input::real(&[4, 5])], |x| {
        x[0].rms_norm([5], None, 1e-3)
    })
    .torch("F.rms_norm(x[0], [5], eps=1e-3)"),
    Case::new(
        "rms_norm",
        &[Input::real(&[2, 3, 4]), Input::real(&[3, 4])],
        |x| x[0].rms_norm([3, 4], Some(&x[1]), None),
    )
    .torch("F.rms_norm(x[0], [3, 4], x[1])"),
    Case::new("div", &[Input::real(&[3, 4])], |x| {
        x[0].normalize(2.0, 1, 1e-12)
    })
    .torch("F.normalize(x[0])"),
    Case::new("div", &[Input::real(&[3, 4])], |x| {
        x[0].normalize(1.0, 0, 1e-12)
    })
    .torch("F.normalize(x[0], p=1, dim=0)"),
    Case::new("div", &[Input::real(&[3, 4])], |x| {
        x[0].normalize(3.5, -1, 1e-12)
    })
    .torch("F.normalize(x[0], p=3.5, dim=-1)"),
    Case::new("div", &[Input::real(&[3, 4])], |x| {
        x[0].normalize(f64::INFINITY, 1, 1e-12)
    })
    .torch("F.normalize(x[0], p=float('inf'))"),
    Case::new("div", &[Input::real(&[3, 4])], |x| {
        x[0].normalize(2.0, 1, 2.5)
    })
    .torch("F.normalize(x[0], eps=2.5)"),
    Case::new("div", &[Input::real(&[3, 4]), Input::real(&[3, 4])], |x| {
        x[0].cosine_similarity(&x[1], 1, 1e-8)
    })
    .torch("F.cosine_similarity(x[0], x[1])"),
    // Not a vector of equal elements: its gradient would be 0 but for rounding.
    Case::new(
        "div",
        &[Input::real(&[3, 4]), Input::real(&[2, 3, 1])],
        |x| x[0].cosine_similarity(&x[1], -2, 1e-3),
    )
    .torch("F.cosine_similarity(x[0], x[1], dim=-2, eps=1e-3)"),
];

impl Tensor {
    /// Layer normalisation (Ba, Kiros and Hinton, 2016): (x − mean)/√(variance + eps)·weight + bias,
    /// with mean and variance (divided by the number of elements) over the last dimensions, whose
    /// sizes are `normalized_shape`, the shape of weight and bias. PyTorch's default for `eps` is
    /// 1e-5.
    ///
    /// # Errors
    /// If the shapes do not fit, the dtypes differ or are no floating ones, or `normalized_shape` is
    /// empty.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([[1.0, 3.0], [10.0, 10.0]]);
    /// let y = x.layer_norm([2], None, Some(&Tensor::from([0.0, 5.0])), 0.125)?;
    /// assert_eq!(y.select(0, 1)?.to_vec::<f32>()?, [0.0, 5.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn layer_norm(
        &self,
        normalized_shape: impl IntoShape,
        weight: Option<&Tensor>,
        bias: Option<&Tensor>,
        eps: f64,
    ) -> Result<Tensor> {
        let shape = normalized_shape.into_shape();
        self.normalize_rows("layer_norm", shape, weight, bias, eps, true)
    }

    /// Root-mean-square normalisation (Zhang and Sennrich, 2019): x/√(mean x² + eps)·weight, over the
    /// last dimensions, whose sizes are `normalized_shape`, the shape of the weight. Without `eps` it
    /// is the distance from 1 to the next number of the dtype, as in PyTorch.
    ///
    /// # Errors
    /// If the shapes do not fit, the dtypes differ or are no floating ones, or `normalized_shape` is
    /// empty.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([[1.0, 7.0], [-3.0, -3.0]]);
    /// assert_eq!(x.rms_norm([2], None, 0.0)?.to_vec::<f32>()?, [0.2, 1.4, -1.0, -1.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn rms_norm(
        &self,
        normalized_shape: impl IntoShape,
        weight: Option<&Tensor>,
        eps: impl Into<Option<f64>>,
    ) -> Result<Tensor> {
        let shape = normalized_shape.into_shape();
        let eps = eps.into().unwrap_or(match self.dtype() {
            DType::F64 => f64::EPSILON,
            _ => f32::EPSILON.into(),
        });
        self.normalize_rows("rms_norm", shape, weight, None, eps, false)
    }

    fn normalize_rows(
        &self,
        op: &'static str,
        shape: Dims,
        weight: Option<&Tensor>,
        bias: Option<&Tensor>,
        eps: f64,
        center: bool,
    ) -> Result<Tensor> {
        self.dtype().expect_float(op)?;
        if shape.is_empty() {
            return Err(err!(
                Shape,
                "{op}: Expected normalized_shape to be at least 1-dimensional, i.e., containing at least one element, but \
                 got normalized_shape = []"
            ));
        }
        if !self.shape().ends_with(&shape) {
            return Err(err!(
                Shape,
                "{op}: Given normalized_shape={shape:?}, expected input with shape [*, {shape:?}], but got input of size \
                 {:?}: the last sizes must be those",
                self.shape()
            ));
        }
        for (tensor, what) in [(weight, "weight"), (bias, "bias")] {
            let Some(tensor) = tensor else { continue };
            if tensor.shape() != shape.as_slice() {
                return Err(err!(
                    Shape,
                    "{op}: Expected {what} to be of same shape as normalized_shape, but got {what} of shape {:?} and \
                     normalized_shape = {shape:?}",
                    tensor.shape()
                ));
            }
            if tensor.dtype() != self.dtype() {
                return Err(err!(
                    DType,
                    "{op}: expected {what} to have the input's dtype {}, got {}; convert with to_dtype",
                    self.dtype(),
                    tensor.dtype()
                ));
            }
        }
        let inputs: Vec<&Tensor> = [self].into_iter().chain(weight).chain(bias).collect();
        let function = NormalizeRows {
            op,
            n: shape.iter().product(),
            dims: (1..=shape.len() as isize).map(|d| -d).collect(),
            eps,
            center,
            weight: weight.is_some(),
            bias: bias.is_some(),
        };
        apply(function, &inputs)
    }

    /// x divided by its p-norm along `dim`, or by `eps` if that is more: vectors of length 1. In
    /// PyTorch the defaults are p = 2, dim = 1, eps = 1e-12. A vector of zeros stays one.
    ///
    /// # Errors
    /// If the dimension is out of range or the dtype is not floating point.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let y = Tensor::from([[3.0, 4.0], [0.0, 0.0]]).normalize(2.0, 1, 1e-12)?;
    /// assert_eq!(y.to_vec::<f32>()?, [0.6, 0.8, 0.0, 0.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn normalize(&self, p: f64, dim: isize, eps: f64) -> Result<Tensor> {
        self.dtype().expect_float("normalize")?;
        let length = self.norm(p, keepdim(dim)).map_err(|e| e.at("normalize"))?;
        // Not a maximum by addition and subtraction, which would round; the gradient is that of the
        // larger one, and no length is infinite and below eps.
        let long = length.gt(eps)?.to_dtype(self.dtype())?;
        let least = super::binary::sub(1.0, &long)?.mul(eps)?;
        self.div(&length.mul(&long)?.add(&least)?)
    }

    /// The cosine of the angle between vectors along `dim`, which disappears: Σ x·y/(|x|·|y|) with
    /// lengths of at least `eps`. Shapes broadcast. In PyTorch the defaults are dim = 1, eps = 1e-8.
    /// As there, a length below `eps` has the gradient of the length.
    ///
    /// # Errors
    /// If the shapes do not broadcast, the dimension is out of range, the dtype is not floating
    /// point, or `eps` is negative.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let (x, y) = (Tensor::from([[3.0, 4.0]]), Tensor::from([[5.0, 0.0]]));
    /// assert_eq!(x.cosine_similarity(&y, 1, 1e-8)?.to_vec::<f32>()?, [0.6]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn cosine_similarity(&self, other: &Tensor, dim: isize, eps: f64) -> Result<Tensor> {
        const OP: &str = "cosine_similarity";
        self.dtype().promote(other.dtype()).expect_float(OP)?;
        // NaN is no length either.
        if !matches!(eps.partial_cmp(&0.0), Some(o) if o.is_ge()) {
            return Err(err!(Value, "{OP}: eps must be non-negative, got: {eps}"));
        }
        let cosine = || {
            let shape = crate::shape::broadcast(self.shape(), other.shape())?;
            let unit = |x: &Tensor| -> Result<Tensor> {
                let x = x.broadcast_to(&shape)?;
                let length = x.norm(2, keepdim(dim))?;
                // What is missing is a constant: the gradient passes as if it were not.
                let missing = super::binary::sub(eps, &length.detach())?.relu()?;
                x.div(&length.add(&missing)?)
            };
            unit(self)?.mul(&unit(other)?)?.sum(dim)
        };
        cosine().map_err(|e| e.at(OP))
    }
}

/// Rows to mean 0 and variance 1, or to a root mean square of 1; then a weight and a bias for each
/// element of a row.
struct NormalizeRows {
    op: &'static str,
    /// Elements of a row, and the dimensions they lie in.
    n: usize,
    dims: Vec<isize>,
    eps: f64,
    /// Whether the mean is subtracted.
    center: bool,
    weight: bool,
    bias: bool,
}

impl NormalizeRows {
    /// Calls `f` with what the kernels take.
    fn with<T: Float, R>(
        &self,
        weight: Option<&Tensor>,
        f: impl FnOnce(Normalize<'_, T>) -> Result<R>,
    ) -> Result<R> {
        with_slice_of(weight, |weight| {
            f(Normalize {
                n: self.n,
                center: self.center,
                eps: T::from_f64(self.eps),
                weight,
            })
        })
    }

    /// x̂ and 1/√(variance + eps), in recorded operations.
    fn normalized(&self, x: &Tensor) -> Result<(Tensor, Tensor)> {
        let dims = self.dims.as_slice();
        let x = if self.center {
            Cow::Owned(x.sub(&x.mean(keepdim(dims))?)?)
        } else {
            Cow::Borrowed(x)
        };
        let scale = x.mul(&*x)?.mean(keepdim(dims))?.add(self.eps)?.pow(-0.5)?;
        Ok((x.mul(&scale)?, scale))
    }

    /// The gradients of x and weight in recorded operations, for `g`.
    fn recorded(&self, x: &Tensor, weight: Option<&Tensor>, g: &Tensor) -> Result<[Tensor; 2]> {
        let dims = self.dims.as_slice();
        let (y, scale) = self.normalized(x)?;
        let dw = g.mul(&y)?;
        let h = weight.map_or(Ok(g.clone()), |weight| g.mul(weight))?;
        let along = y.mul(&h.mul(&y)?.mean(keepdim(dims))?)?;
        let dx = if self.center {
            h.sub(&h.mean(keepdim(dims))?)?.sub(&along)?
        } else {
            h.sub(&along)?
        };
        Ok([dx.mul(&scale)?, dw])
    }
}

/// Calls `f` with the elements of a tensor that may be missing.
fn with_slice_of<T: Element, R>(
    tensor: Option<&Tensor>,
    f: impl FnOnce(Option<&[T]>) -> Result<R>,
) -> Result<R> {
    match tensor {
        Some(tensor) => tensor.with_slice(|values| f(Some(values))),
        None => f(None),
    }
}

impl Function for NormalizeRows {
    fn name(&self) -> &'static str {
        self.op
    }

    fn forward(&self, ctx: &mut Context, inputs: &[&Tensor]) -> Result<Tensor> {
        let (x, affine) = (inputs[0], &inputs[1..]);
        let weight = self.weight.then(|| affine[0]);
        let bias = self.bias.then(|| affine[affine.len() - 1]);
        ctx.save(x);
        if let Some(weight) = weight {
            ctx.save(weight);
        }
        let y = dispatch_float!(self.op, x.dtype(), T => {
            self.with::<T, _>(weight, |rows| x.with_slice(|x| with_slice_of(bias, |bias| rows.forward(x, bias))))
        })?;
        Ok(Tensor::from_buffer(y, x.layout().shape.clone()))
    }

    fn backward(&self, saved: &Saved<'_>, g: &Tensor) -> Result<Grads> {
        let x = saved.get(0)?;
        let weight = self.weight.then(|| saved.get(1)).transpose()?;
        let mut grads = Vec::with_capacity(3);
        if is_grad_enabled() {
            let [dx, dw] = self.recorded(&x, weight.as_ref(), g)?;
            grads.push(Grad::Of(dx));
            grads.extend(weight.map(|_| Grad::Of(dw)));
        } else {
            let tensor = |buffer| Tensor::from_buffer(buffer, x.layout().shape.clone());
            grads.push(saved.grad(0, || {
                let dx = dispatch_float!(self.op, x.dtype(), T => self.with::<T, _>(weight.as_ref(), |rows| {
                    x.with_slice(|x| g.with_slice(|g| rows.backward(x, g)))
                }))?;
                Ok(tensor(dx))
            })?);
            if self.weight {
                // The engine sums over the rows.
                grads.push(saved.grad(1, || {
                    let dw = dispatch_float!(self.op, x.dtype(), T => self.with::<T, _>(None, |rows| {
                        x.with_slice(|x| g.with_slice(|g| rows.weight_backward(x, g)))
                    }))?;
                    Ok(tensor(dw))
                })?);
            }
        }
        grads.extend(self.bias.then(|| Grad::Of(g.clone())));
        Ok(grads.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: &Tensor, b: &Tensor, tolerance: f64) -> Result<()> {
        assert_eq!(a.shape(), b.shape());
        let apart = a.sub(b)?.abs()?.amax(..)?.item::<f64>()?;
        assert!(apart <= tolerance, "{apart}");
        Ok(())
    }

    /// The kernels against the formula in tensor operations, with more rows than a chunk holds and a
    /// length that is no multiple of any vector.
    #[test]
    fn kernels_agree_with_the_formula() -> Result<()> {
        let x = Tensor::linspace(-3.0, 3.0, 1500 * 77, DType::F64)?.mul(900.0)?;
        let x = x.sin()?.add(0.3)?.reshape([1500, 77])?;
        let g = x.mul(7.0)?.cos()?;
        let weight = Tensor::linspace(0.5, 1.5, 77, DType::F64)?;
        for center in [true, false] {
            let op = if center { "layer_norm" } else { "rms_norm" };
            let rows = NormalizeRows {
                op,
                n: 77,
                dims: vec![-1],
                eps: 1e-3,
                center,
                weight: true,
                bias: false,
            };
            let leaves = [x.copy()?, weight.copy()?].map(|t| t.requires_grad_(true).unwrap());
            let [xl, wl] = &leaves;
            let bias = weight.neg()?;
            let y = if center {
                xl.layer_norm([77], Some(wl), Some(&bias), 1e-3)?
                    .sub(&bias)?
            } else {
                xl.rms_norm([77], Some(wl), 1e-3)?
            };
            close(&y, &rows.normalized(&x)?.0.mul(&weight)?, 1e-13)?;
            y.backward_with(&g)?;
            let [dx, dw] = rows.recorded(&x, Some(&weight), &g)?;
            close(&xl.grad().unwrap(), &dx, 1e-13)?;
            close(&wl.grad().unwrap(), &dw.sum(0)?, 1e-10)?;
        }
        Ok(())
    }

    #[test]
    fn a_large_mean_does_not_cancel() -> Result<()> {
        // The square of 10⁴ has no room for these differences in f32.
        let x = Tensor::from([10_000.0, 10_001.0, 10_002.0, 10_003.0]);
        let y = x.layer_norm([4], None, None, 1e-5)?.to_vec::<f64>()?;
        let expected = [-1.341_635_4, -0.447_211_8, 0.447_211_8, 1.341_635_4];
        for (y, e) in y.iter().zip(expected) {
            assert!((y - e).abs() < 1e-6, "{y} against {e}");
        }
        Ok(())
    }

    #[test]
    fn rows_of_one_number_of_nothing_and_of_nan() -> Result<()> {
        let x = Tensor::from([[5.0, 5.0], [f64::NAN, 1.0], [f64::INFINITY, 1.0]]);
        let y = x.layer_norm([2], None, None, 1e-5)?.to_vec::<f64>()?;
        assert_eq!(y[..2], [0.0, 0.0]);
        assert!(y[2..].iter().all(|y| y.is_nan()));
        let y = x.layer_norm([2], None, None, 0.0)?.to_vec::<f64>()?;
        assert!(y[0].is_nan());
        for shape in [[0, 3], [3, 0]] {
            let (x, w) = (Tensor::zeros(shape), Tensor::ones(&shape[1..]));
            let (x, w) = (x.requires_grad_(true)?, w.requires_grad_(true)?);
            let y = x.layer_norm(w.shape(), Some(&w), Some(&w), 1e-5)?;
            assert_eq!(
                y.add(&x.rms_norm(w.shape(), Some(&w), None)?)?.shape(),
                shape
            );
            y.sum(..)?.backward()?;
            assert_eq!(
                w.grad().unwrap().sum(..)?.item::<f64>()?,
                0.0 * w.numel() as f64
            );
        }
        Ok(())
    }

    /// The numbers are PyTorch's.
    #[test]
    fn vectors_of_zeros_and_short_ones() -> Result<()> {
        let gradient = |f: &dyn Fn(&Tensor) -> Result<Tensor>, x: [f64; 2]| {
            let x = Tensor::from_vec(x, [2])?.requires_grad_(true)?;
            f(&x)?.sum(..)?.backward()?;
            x.grad().unwrap().to_vec::<f64>()
        };
        for p in [1.0, 2.0, 3.0] {
            let zeros = gradient(&|x| x.normalize(p, 0, 1e-12), [0.0, 0.0])?;
            assert_eq!(zeros, [1e12, 1e12]);
        }
        let p3 = gradient(&|x| x.normalize(3.0, 0, 1e-12), [0.0, -2.0])?;
        assert!((p3[0] - 0.5).abs() < 1e-15 && p3[1].abs() < 1e-15, "{p3:?}");
        let ties = gradient(&|x| x.normalize(f64::INFINITY, 0, 1e-12), [2.0, -2.0])?;
        assert_eq!(ties, [0.5, 0.5]);
        let short = gradient(&|x| x.normalize(2.0, 0, 10.0), [3.0, -4.0])?;
        assert_eq!(short, [0.1, 0.1]);

        let y = Tensor::from_vec([3.0, 4.0], [2])?;
        let cosine = |eps| move |x: &Tensor| x.cosine_similarity(&y.clone(), 0, eps);
        let zeros = gradient(&cosine.clone()(1e-8), [0.0, 0.0])?;
        for (g, expected) in zeros.iter().zip([6e7, 8e7]) {
            assert!((g / expected - 1.0).abs() < 1e-12, "{g}");
        }
        let short = gradient(&cosine(2.0), [1.0, 1.0])?;
        for (g, expected) in short
            .iter()
            .zip([0.052_512_626_584_708_4, 0.152_512_626_584_708_43])
        {
            assert!((g / expected - 1.0).abs() < 1e-12, "{g}");
        }
        Ok(())
    }
}
