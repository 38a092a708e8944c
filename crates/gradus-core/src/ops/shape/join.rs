//! Several tensors in one.

use super::super::registry::{Case, Input};
use crate::autograd::{Context, Function, Grads, Saved, apply};
use crate::dtype::{DType, dispatch};
use crate::error::{Result, err};
use crate::kernels::map;
use crate::shape::{Dims, Layout, numel, resolve_dim};
use crate::storage::Buffer;
use crate::tensor::Tensor;

pub(in crate::ops) const CASES: &[Case] = &[
    Case::new("cat", &[Input::real(&[2, 3]), Input::real(&[1, 3])], |x| {
        Tensor::cat(&[&x[0], &x[1], &x[0]], 0)
    })
    .torch("torch.cat([x[0], x[1], x[0]], 0)"),
    Case::new("cat", &[Input::real(&[2, 3]), Input::real(&[2, 1])], |x| {
        Tensor::cat(&[&x[0], &x[1]], -1)
    })
    .torch("torch.cat([x[0], x[1]], -1)"),
    Case::new(
        "cat",
        &[Input::real(&[2, 3]), Input::integers(&[2, 2], -3, 4)],
        |x| Tensor::cat(&[&x[1], &x[0]], 1),
    )
    .torch("torch.cat([x[1], x[0]], 1)"),
    Case::new("cat", &[Input::real(&[0]), Input::real(&[2, 3])], |x| {
        Tensor::cat(&[&x[0], &x[1], &x[0]], 1)
    })
    .torch("torch.cat([x[0], x[1], x[0]], 1)"),
    Case::new("cat", &[Input::real(&[2, 3]), Input::real(&[2, 3])], |x| {
        Tensor::stack(&[&x[0], &x[1]], 1)
    })
    .torch("torch.stack([x[0], x[1]], 1)"),
    Case::new("cat", &[Input::real(&[]), Input::real(&[])], |x| {
        Tensor::stack(&[&x[0], &x[1]], -1)
    })
    .torch("torch.stack([x[0], x[1]], -1)"),
    Case::new("cat", &[Input::real(&[3]), Input::real(&[])], |x| {
        Tensor::hstack(&[&x[0], &x[1]])
    })
    .torch("torch.hstack([x[0], x[1]])"),
    Case::new("cat", &[Input::real(&[2, 1]), Input::real(&[2, 3])], |x| {
        Tensor::hstack(&[&x[0], &x[1]])
    })
    .torch("torch.hstack([x[0], x[1]])"),
    Case::new("cat", &[Input::real(&[3]), Input::real(&[2, 3])], |x| {
        Tensor::vstack(&[&x[0], &x[1]])
    })
    .torch("torch.vstack([x[0], x[1]])"),
    Case::new("cat", &[Input::real(&[3]), Input::real(&[1, 3])], |x| {
        Tensor::dstack(&[&x[0], &x[1]])
    })
    .torch("torch.dstack([x[0], x[1]])"),
];

/// In PyTorch's past every empty tensor had this shape; `cat` still passes over it.
fn is_legacy_empty(t: &Tensor) -> bool {
    t.shape() == [0]
}

/// The dtype that all tensors promote to.
fn common_dtype(op: &str, tensors: &[&Tensor]) -> Result<DType> {
    tensors
        .iter()
        .map(|t| t.dtype())
        .reduce(DType::promote)
        .ok_or_else(|| err!(Value, "{op}: expected a non-empty list of Tensors"))
}

impl Tensor {
    /// Joins tensors along an existing dimension; all other sizes must agree. Of different dtypes the
    /// result has the one they promote to. As in PyTorch, tensors of shape `[0]` are left out.
    ///
    /// # Errors
    /// For an empty list, a 0-d tensor, or ranks or sizes that differ.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let (a, b) = (Tensor::from([[1, 2]]), Tensor::from([[3, 4], [5, 6]]));
    /// assert_eq!(Tensor::cat(&[&a, &b], 0)?.shape(), [3, 2]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn cat(tensors: &[&Tensor], dim: isize) -> Result<Tensor> {
        let dtype = common_dtype("cat", tensors)?;
        if let Some(i) = tensors.iter().position(|t| t.ndim() == 0) {
            return Err(err!(
                Shape,
                "cat: zero-dimensional tensor (at position {i}) cannot be concatenated; use stack"
            ));
        }
        // Of the shape of the first tensor that counts, or of [0] if none does.
        let model = tensors.iter().find(|t| !is_legacy_empty(t));
        let (mut shape, dim) = match model {
            Some(t) => (
                t.layout().shape.clone(),
                resolve_dim(dim, t.ndim()).map_err(|e| e.at("cat"))?,
            ),
            None => (Dims::from_elem(0, 1), 0),
        };
        let expected = shape.clone();
        shape[dim] = 0;
        let (mut parts, mut sizes) = (Vec::new(), Vec::new());
        for (i, t) in tensors.iter().enumerate() {
            parts.push(t.to_dtype(dtype)?);
            if is_legacy_empty(t) {
                sizes.push(0);
                continue;
            }
            if t.ndim() != shape.len() {
                return Err(err!(
                    Shape,
                    "cat: Tensors must have same number of dimensions: got {} and {} (shapes {expected:?} and {:?})",
                    shape.len(),
                    t.ndim(),
                    t.shape()
                ));
            }
            if let Some(d) = (0..t.ndim()).find(|&d| d != dim && t.shape()[d] != shape[d]) {
                return Err(err!(
                    Shape,
                    "cat: Sizes of tensors must match except in dimension {dim}. Expected size {} but got size {} for \
                     tensor number {i} in the list (shapes {expected:?} and {:?})",
                    shape[d],
                    t.shape()[d],
                    t.shape()
                ));
            }
            sizes.push(t.shape()[dim]);
            // Broadcast views may claim any size: too large a sum must not wrap around.
            shape[dim] = shape[dim].saturating_add(t.shape()[dim]);
        }
        numel(&shape).map_err(|e| e.at("cat"))?;
        let cat = Cat { dim, shape, sizes };
        apply(cat, &parts.iter().collect::<Vec<_>>())
    }

    /// Joins tensors of one shape along a new dimension. Of different dtypes the result has the one they
    /// promote to.
    ///
    /// # Errors
    /// For an empty list, or shapes that differ.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let (a, b) = (Tensor::from([1, 2]), Tensor::from([3, 4]));
    /// assert_eq!(Tensor::stack(&[&a, &b], 1)?.to_vec::<i64>()?, [1, 3, 2, 4]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn stack(tensors: &[&Tensor], dim: isize) -> Result<Tensor> {
        let first = tensors
            .first()
            .ok_or_else(|| err!(Value, "stack: expected a non-empty list of Tensors"))?;
        let d = resolve_dim(dim, first.ndim() + 1).map_err(|e| e.at("stack"))?;
        if let Some(i) = tensors.iter().position(|t| t.shape() != first.shape()) {
            return Err(err!(
                Shape,
                "stack: expects each tensor to be equal size, but got {:?} at entry 0 and {:?} at entry {i}",
                first.shape(),
                tensors[i].shape()
            ));
        }
        let wide: Vec<Tensor> = tensors
            .iter()
            .map(|t| t.unsqueeze(d as isize))
            .collect::<Result<_>>()?;
        Tensor::cat(&wide.iter().collect::<Vec<_>>(), dim).map_err(|e| e.at("stack"))
    }

    /// Joins tensors side by side: along dimension 1, vectors along 0. Numbers count as vectors.
    ///
    /// # Errors
    /// As [`cat`](Tensor::cat).
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let (a, b) = (Tensor::from([[1], [2]]), Tensor::from([[3], [4]]));
    /// assert_eq!(Tensor::hstack(&[&a, &b])?.to_vec::<i64>()?, [1, 3, 2, 4]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn hstack(tensors: &[&Tensor]) -> Result<Tensor> {
        let dim = tensors.first().map_or(0, |t| isize::from(t.ndim() > 1));
        joined("hstack", tensors, dim, |t| match t.ndim() {
            0 => t.reshape([1]),
            _ => Ok(t.clone()),
        })
    }

    /// Joins tensors one below the other: along dimension 0. Vectors and numbers count as rows.
    ///
    /// # Errors
    /// As [`cat`](Tensor::cat).
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let (a, b) = (Tensor::from([1, 2]), Tensor::from([[3, 4], [5, 6]]));
    /// assert_eq!(Tensor::vstack(&[&a, &b])?.shape(), [3, 2]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn vstack(tensors: &[&Tensor]) -> Result<Tensor> {
        joined("vstack", tensors, 0, |t| match t.ndim() {
            0 | 1 => t.reshape([1, -1]),
            _ => Ok(t.clone()),
        })
    }

    /// Joins tensors one behind the other: along dimension 2. A matrix counts as `[n, m, 1]`, a
    /// vector as `[1, m, 1]`, a number as `[1, 1, 1]`.
    ///
    /// # Errors
    /// As [`cat`](Tensor::cat).
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let (a, b) = (Tensor::from([1, 2]), Tensor::from([3, 4]));
    /// assert_eq!(Tensor::dstack(&[&a, &b])?.to_vec::<i64>()?, [1, 3, 2, 4]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn dstack(tensors: &[&Tensor]) -> Result<Tensor> {
        joined("dstack", tensors, 2, |t| match t.ndim() {
            0 | 1 => t.reshape([1, t.numel(), 1].as_slice()),
            2 => t.unsqueeze(-1),
            _ => Ok(t.clone()),
        })
    }
}

/// Joins the tensors along `dim` as `seen` shows them.
fn joined(
    op: &str,
    tensors: &[&Tensor],
    dim: isize,
    seen: impl Fn(&Tensor) -> Result<Tensor>,
) -> Result<Tensor> {
    let tensors: Vec<Tensor> = tensors.iter().map(|t| seen(t)).collect::<Result<_>>()?;
    Tensor::cat(&tensors.iter().collect::<Vec<_>>(), dim).map_err(|e| e.at(op))
}

/// Tensors joined along a dimension. Each gets its part of the gradient.
struct Cat {
    dim: usize,
    /// Of the result.
    shape: Dims,
    /// Of each tensor along the dimension.
    sizes: Vec<usize>,
}

impl Function for Cat {
    fn name(&self) -> &'static str {
        "cat"
    }
    fn forward(&self, _: &mut Context, x: &[&Tensor]) -> Result<Tensor> {
        let whole = Layout::contiguous(self.shape.clone());
        let buffer = dispatch!(x[0].dtype(), T => Buffer::build(whole.numel(), |out: &mut [T]| {
            let mut start = 0;
            for (x, &n) in x.iter().zip(&self.sizes).filter(|(x, _)| !is_legacy_empty(x)) {
                let part = whole.narrow(self.dim, start, n);
                x.with::<T, _>(|x| map::write(out, &part, x));
                start += n;
            }
        }))?;
        Ok(Tensor::from_buffer(buffer, whole.shape))
    }
    fn backward(&self, saved: &Saved<'_>, grad: &Tensor) -> Result<Grads> {
        let mut start = 0;
        let parts = (0..saved.inputs()).zip(&self.sizes).map(|(i, &n)| {
            start += n;
            saved.grad(i, || match saved.input_shape(i)? {
                [0] => Tensor::full([0], 0.0, grad.dtype()),
                _ => grad.narrow(self.dim as isize, start - n, n),
            })
        });
        parts.collect()
    }
}
