//! The same elements seen in another shape or order. Every operation here is a view where the
//! memory allows it.

use super::registry::{Case, Input};
use crate::autograd::{Context, Function, Grad, Grads, Saved, apply};
use crate::error::{Result, err};
use crate::shape::{Dims, Layout, Show, numel, resolve_dim};
use crate::tensor::Tensor;

pub(super) const CASES: &[Case] = &[
    Case::new("reshape", &[Input::real(&[2, 6])], |x| {
        x[0].reshape([3, -1])
    }),
    Case::new("reshape", &[Input::real(&[2, 3])], |x| {
        x[0].t()?.reshape([6])
    }),
    Case::new("reshape", &[Input::real(&[2, 3, 4])], |x| {
        x[0].flatten(1, -1)
    }),
    Case::new("reshape", &[Input::real(&[2, 3])], |x| {
        x[0].unsqueeze(1)?.squeeze(1)
    }),
    Case::new("permute", &[Input::real(&[2, 3, 4])], |x| {
        x[0].permute([2, 0, 1])
    }),
    Case::new("permute", &[Input::real(&[2, 3, 4])], |x| {
        x[0].transpose(0, -1)
    }),
    Case::new("broadcast_to", &[Input::real(&[3, 1])], |x| {
        x[0].broadcast_to([2, 3, 4])
    }),
    Case::new("contiguous", &[Input::real(&[2, 3])], |x| {
        x[0].t()?.contiguous()
    }),
    Case::new("cat", &[Input::real(&[2, 3]), Input::real(&[1, 3])], |x| {
        Tensor::cat(&[&x[0], &x[1], &x[0]], 0)
    }),
    Case::new("cat", &[Input::real(&[2, 3]), Input::real(&[2, 1])], |x| {
        Tensor::cat(&[&x[0], &x[1]], -1)
    }),
    Case::new("cat", &[Input::real(&[2, 3]), Input::real(&[2, 3])], |x| {
        Tensor::stack(&[&x[0], &x[1]], 1)
    }),
];

/// The shape that `reshape` takes: an array in which one size may be −1, or another tensor's shape.
///
/// ```
/// # use gradus_core::Tensor;
/// let x = Tensor::ones([2, 6]);
/// assert_eq!(x.reshape([4, -1])?.shape(), [4, 3]);
/// assert_eq!(x.reshape(Tensor::ones([12]).shape())?.shape(), [12]);
/// # Ok::<(), gradus_core::Error>(())
/// ```
pub trait NewShape {
    /// The sizes for `n` elements, −1 filled in.
    ///
    /// # Errors
    /// If the sizes do not multiply to `n`.
    fn resolve(&self, n: usize) -> Result<Dims>;
}

impl<const N: usize> NewShape for [isize; N] {
    fn resolve(&self, n: usize) -> Result<Dims> {
        let invalid = || {
            err!(
                Shape,
                "reshape: shape '{self:?}' is invalid for input of size {n}"
            )
        };
        let known = self.iter().filter(|&&s| s != -1);
        let known: Dims = known
            .map(|&s| usize::try_from(s).map_err(|_| invalid()))
            .collect::<Result<_>>()?;
        match self.len() - known.len() {
            0 => known.as_slice().resolve(n),
            1 => {
                let rest = numel(&known)?;
                if rest == 0 && n == 0 {
                    return Err(err!(
                        Shape,
                        "reshape: cannot reshape tensor of 0 elements into shape {self:?} because the unspecified \
                         dimension size -1 can be any value and is ambiguous"
                    ));
                }
                if rest == 0 || !n.is_multiple_of(rest) {
                    return Err(invalid());
                }
                Ok(self
                    .iter()
                    .map(|&s| if s == -1 { n / rest } else { s as usize })
                    .collect())
            }
            _ => Err(err!(
                Shape,
                "reshape: only one dimension can be inferred, got {self:?}"
            )),
        }
    }
}

impl NewShape for &[usize] {
    fn resolve(&self, n: usize) -> Result<Dims> {
        if numel(self)? == n {
            return Ok(Dims::from_slice(self));
        }
        Err(err!(
            Shape,
            "reshape: shape '{}' is invalid for input of size {n}",
            Show(self)
        ))
    }
}

impl NewShape for &Dims {
    fn resolve(&self, n: usize) -> Result<Dims> {
        self.as_slice().resolve(n)
    }
}

impl Tensor {
    /// The same elements in row-major order with another shape, in which one size may be −1 for
    /// "what is left". A view where possible, else a copy.
    ///
    /// # Errors
    /// If the number of elements is not the same.
    ///
    /// ```
    /// # use gradus_core::{DType, Tensor};
    /// let x = Tensor::arange(0.0, 6.0, 1.0, DType::I64)?;
    /// assert_eq!(x.reshape([2, -1])?.shape(), [2, 3]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn reshape(&self, shape: impl NewShape) -> Result<Tensor> {
        let to = shape.resolve(self.numel())?;
        if to.as_slice() == self.shape() {
            return Ok(self.clone());
        }
        apply(Reshape { to }, &[self])
    }

    /// Merges the dimensions from `start` to `end` (both included) into one.
    ///
    /// # Errors
    /// If a dimension is out of range or `start` comes after `end`.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::zeros([2, 3, 4]).flatten(1, -1)?.shape(), [2, 12]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn flatten(&self, start: isize, end: isize) -> Result<Tensor> {
        if self.ndim() == 0 {
            return self.reshape([1]);
        }
        let resolve = |dim| resolve_dim(dim, self.ndim()).map_err(|e| e.at("flatten"));
        let (from, to) = (resolve(start)?, resolve(end)?);
        if from > to {
            return Err(err!(
                Index,
                "flatten: start_dim {start} cannot come after end_dim {end}"
            ));
        }
        let shape = self.shape();
        let mut flat = Dims::from_slice(&shape[..from]);
        flat.push(shape[from..=to].iter().product());
        flat.extend_from_slice(&shape[to + 1..]);
        self.reshape(&flat)
    }

    /// A view with a new dimension of size 1 at `dim`.
    ///
    /// # Errors
    /// If `dim` is out of range.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::zeros([2, 3]).unsqueeze(-1)?.shape(), [2, 3, 1]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn unsqueeze(&self, dim: isize) -> Result<Tensor> {
        let d = resolve_dim(dim, self.ndim() + 1).map_err(|e| e.at("unsqueeze"))?;
        let mut shape = self.layout().shape.clone();
        shape.insert(d, 1);
        self.reshape(&shape)
    }

    /// A view without dimension `dim`, if its size is 1; else the tensor itself.
    ///
    /// # Errors
    /// If `dim` is out of range.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::zeros([2, 1]).squeeze(1)?.shape(), [2]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn squeeze(&self, dim: isize) -> Result<Tensor> {
        let d = resolve_dim(dim, self.ndim()).map_err(|e| e.at("squeeze"))?;
        if self.shape().get(d) != Some(&1) {
            return Ok(self.clone());
        }
        let mut shape = self.layout().shape.clone();
        shape.remove(d);
        self.reshape(&shape)
    }

    /// A view with dimensions `a` and `b` swapped.
    ///
    /// # Errors
    /// If a dimension is out of range.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::zeros([2, 3, 4]).transpose(0, 2)?.shape(), [4, 3, 2]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn transpose(&self, a: isize, b: isize) -> Result<Tensor> {
        let resolve = |dim| resolve_dim(dim, self.ndim()).map_err(|e| e.at("transpose"));
        let (a, b) = (resolve(a)?, resolve(b)?);
        let mut order: Dims = (0..self.ndim()).collect();
        if self.ndim() > 0 {
            order.swap(a, b);
        }
        apply(Permute { order }, &[self])
    }

    /// The transpose of a matrix; vectors and 0-d tensors as they are.
    ///
    /// # Errors
    /// For more than two dimensions.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([[1, 2], [3, 4]]).t()?.to_vec::<i64>()?, [1, 3, 2, 4]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn t(&self) -> Result<Tensor> {
        match self.ndim() {
            0 | 1 => Ok(self.clone()),
            2 => self.transpose(0, 1),
            n => Err(err!(
                Shape,
                "t: expects a tensor with <= 2 dimensions, but self is {n}D; use transpose or permute"
            )),
        }
    }

    /// A view with its dimensions in the given order.
    ///
    /// # Errors
    /// If `order` does not name every dimension once.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::zeros([2, 3, 4]).permute([2, 0, 1])?.shape(), [4, 2, 3]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn permute(&self, order: impl AsRef<[isize]>) -> Result<Tensor> {
        let asked = order.as_ref();
        let order: Dims = asked
            .iter()
            .map(|&d| resolve_dim(d, self.ndim()))
            .collect::<Result<_>>()
            .map_err(|e| e.at("permute"))?;
        let mut sorted = order.clone();
        sorted.sort_unstable();
        if !sorted.iter().copied().eq(0..self.ndim()) {
            return Err(err!(
                Shape,
                "permute: the order {asked:?} must name each of the {} dimensions of shape {:?} once",
                self.ndim(),
                self.shape()
            ));
        }
        apply(Permute { order }, &[self])
    }

    /// A view in which dimensions of size 1, and new ones in front, are stretched to `shape`
    /// without a copy.
    ///
    /// # Errors
    /// If a size is neither equal nor 1.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([[1], [2]]).broadcast_to([2, 3])?;
    /// assert_eq!(x.to_vec::<i64>()?, [1, 1, 1, 2, 2, 2]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn broadcast_to(&self, shape: impl crate::IntoShape) -> Result<Tensor> {
        let to = shape.into_shape();
        numel(&to)?;
        if to.as_slice() == self.shape() {
            return Ok(self.clone());
        }
        apply(BroadcastTo { to }, &[self])
    }

    /// The tensor itself if its elements lie row-major without gaps, else a copy that does.
    ///
    /// # Errors
    /// If there is no memory for a copy.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let t = Tensor::zeros([2, 3]).t()?;
    /// assert!(!t.is_contiguous() && t.contiguous()?.is_contiguous());
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn contiguous(&self) -> Result<Tensor> {
        if self.is_contiguous() {
            Ok(self.clone())
        } else {
            apply(Contiguous, &[self])
        }
    }

    /// Joins tensors along an existing dimension; all other sizes must agree.
    ///
    /// # Errors
    /// For an empty list, or ranks, sizes or dtypes that differ.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let (a, b) = (Tensor::from([[1, 2]]), Tensor::from([[3, 4], [5, 6]]));
    /// assert_eq!(Tensor::cat(&[&a, &b], 0)?.shape(), [3, 2]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn cat(tensors: &[&Tensor], dim: isize) -> Result<Tensor> {
        let first = tensors
            .first()
            .ok_or_else(|| err!(Value, "cat: expected a non-empty list of Tensors"))?;
        if first.ndim() == 0 {
            return Err(err!(
                Shape,
                "cat: zero-dimensional tensors cannot be concatenated; use stack"
            ));
        }
        let dim = resolve_dim(dim, first.ndim()).map_err(|e| e.at("cat"))?;
        for (i, t) in tensors.iter().enumerate() {
            let fits = t.ndim() == first.ndim()
                && (0..t.ndim()).all(|d| d == dim || t.shape()[d] == first.shape()[d]);
            if !fits {
                return Err(err!(
                    Shape,
                    "cat: Sizes of tensors must match except in dimension {dim}. Tensor 0 has shape {:?}, tensor {i} \
                     {:?}",
                    first.shape(),
                    t.shape()
                ));
            }
            if t.dtype() != first.dtype() {
                return Err(err!(
                    DType,
                    "cat: expected tensors of one dtype, but tensor 0 is {} and tensor {i} is {}; convert with to_dtype",
                    first.dtype(),
                    t.dtype()
                ));
            }
        }
        apply(
            Cat {
                dim,
                sizes: tensors.iter().map(|t| t.shape()[dim]).collect(),
            },
            tensors,
        )
    }

    /// Joins tensors of one shape along a new dimension.
    ///
    /// # Errors
    /// For an empty list, or shapes or dtypes that differ.
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
}

/// Another shape. The gradient is shaped back.
struct Reshape {
    to: Dims,
}

impl Function for Reshape {
    fn name(&self) -> &'static str {
        "reshape"
    }
    fn forward(&self, _: &mut Context, x: &[&Tensor]) -> Result<Tensor> {
        if let Some(layout) = x[0].layout().reshape(&self.to) {
            return Ok(x[0].view(layout));
        }
        Ok(x[0].copy()?.view(Layout::contiguous(self.to.clone())))
    }
    fn backward(&self, saved: &Saved<'_>, grad: &Tensor) -> Result<Grads> {
        Ok([Grad::Of(grad.reshape(saved.input_shape(0)?)?)].into())
    }
}

/// Another order of dimensions. The gradient takes the way back.
struct Permute {
    order: Dims,
}

impl Function for Permute {
    fn name(&self) -> &'static str {
        "permute"
    }
    fn forward(&self, _: &mut Context, x: &[&Tensor]) -> Result<Tensor> {
        Ok(x[0].view(x[0].layout().permute(&self.order)))
    }
    fn backward(&self, _: &Saved<'_>, grad: &Tensor) -> Result<Grads> {
        let mut order = Dims::from_elem(0, self.order.len());
        self.order
            .iter()
            .enumerate()
            .for_each(|(to, &from)| order[from] = to);
        Ok([Grad::Of(apply(Permute { order }, &[grad])?)].into())
    }
}

/// Stretched dimensions. The engine sums the gradient over them.
struct BroadcastTo {
    to: Dims,
}

impl Function for BroadcastTo {
    fn name(&self) -> &'static str {
        "broadcast_to"
    }
    fn forward(&self, _: &mut Context, x: &[&Tensor]) -> Result<Tensor> {
        Ok(x[0].view(x[0].layout().broadcast_to(&self.to)?))
    }
    fn backward(&self, _: &Saved<'_>, grad: &Tensor) -> Result<Grads> {
        Ok([Grad::Of(grad.clone())].into())
    }
}

/// A row-major copy. The gradient passes unchanged.
struct Contiguous;

impl Function for Contiguous {
    fn name(&self) -> &'static str {
        "contiguous"
    }
    fn forward(&self, _: &mut Context, x: &[&Tensor]) -> Result<Tensor> {
        x[0].copy()
    }
    fn backward(&self, _: &Saved<'_>, grad: &Tensor) -> Result<Grads> {
        Ok([Grad::Of(grad.clone())].into())
    }
}

/// Tensors joined along a dimension. Each gets its part of the gradient.
struct Cat {
    dim: usize,
    sizes: Vec<usize>,
}

impl Function for Cat {
    fn name(&self) -> &'static str {
        "cat"
    }
    fn forward(&self, _: &mut Context, x: &[&Tensor]) -> Result<Tensor> {
        let mut shape = x[0].layout().shape.clone();
        // Broadcast views may claim any size: too large a sum is an error of `full`.
        shape[self.dim] = self.sizes.iter().fold(0, |sum, &n| n.saturating_add(sum));
        let out = Tensor::full(&shape, 0.0, x[0].dtype())?;
        let mut start = 0;
        for (x, &n) in x.iter().zip(&self.sizes) {
            out.narrow(self.dim as isize, start, n)?.copy_(x)?;
            start += n;
        }
        Ok(out)
    }
    fn backward(&self, saved: &Saved<'_>, grad: &Tensor) -> Result<Grads> {
        let mut start = 0;
        let parts = self.sizes.iter().enumerate().map(|(i, &n)| {
            start += n;
            saved.grad(i, || grad.narrow(self.dim as isize, start - n, n))
        });
        parts.collect()
    }
}
