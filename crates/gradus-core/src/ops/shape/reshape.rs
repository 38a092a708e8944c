//! The same elements, in row-major order, in another shape.

use super::super::Dimensions;
use super::super::registry::{Case, Input};
use crate::autograd::{Context, Function, Grad, Grads, Saved, apply};
use crate::dtype::dispatch;
use crate::error::{Result, err};
use crate::kernels::map::{self, Cost};
use crate::shape::{Dims, Layout, Show, numel, resolve_dim};
use crate::tensor::Tensor;

pub(in crate::ops) const CASES: &[Case] = &[
    Case::new("reshape", &[Input::real(&[2, 6])], |x| {
        x[0].reshape([3, -1])
    })
    .torch("x[0].reshape(3, -1)"),
    Case::new("reshape", &[Input::real(&[2, 3])], |x| {
        x[0].t()?.reshape([6])
    })
    .torch("x[0].t().reshape(6)"),
    Case::new("reshape", &[Input::real(&[2, 3, 4])], |x| {
        x[0].flatten(1, -1)
    })
    .torch("x[0].flatten(1, -1)"),
    Case::new("reshape", &[Input::real(&[])], |x| x[0].flatten(0, -1)).torch("x[0].flatten()"),
    Case::new("reshape", &[Input::real(&[3, 2])], |x| x[0].t()?.ravel()).torch("x[0].t().ravel()"),
    Case::new("reshape", &[Input::real(&[3, 8])], |x| {
        x[0].unflatten(-1, [2, -1])
    })
    .torch("x[0].unflatten(-1, (2, -1))"),
    Case::new(
        "reshape",
        &[Input::real(&[2, 3]), Input::real(&[3, 2])],
        |x| x[0].reshape_as(&x[1])?.mul(&x[1]),
    )
    .torch("x[0].reshape_as(x[1]) * x[1]"),
    Case::new("reshape", &[Input::real(&[2, 3])], |x| {
        x[0].unsqueeze(1)?.squeeze(1)
    })
    .torch("x[0].unsqueeze(1).squeeze(1)"),
    Case::new("reshape", &[Input::real(&[1, 3, 1, 2, 1])], |x| {
        x[0].squeeze([0, -1, 1])
    })
    .torch("x[0].squeeze((0, -1, 1))"),
    Case::new("reshape", &[Input::real(&[1, 3, 1])], |x| x[0].squeeze(..)).torch("x[0].squeeze()"),
    Case::new("copy", &[Input::real(&[2, 3])], |x| x[0].t()?.contiguous())
        .torch("x[0].t().contiguous()"),
    Case::new("copy", &[Input::real(&[2, 3])], |x| x[0].copy()).torch("x[0].clone()"),
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
        infer(self, n)
    }
}

impl NewShape for &[usize] {
    fn resolve(&self, n: usize) -> Result<Dims> {
        if numel(self)? == n {
            return Ok(Dims::from_slice(self));
        }
        Err(err!(
            Shape,
            "shape '{}' is invalid for input of size {n}",
            Show(self)
        ))
    }
}

impl NewShape for &Dims {
    fn resolve(&self, n: usize) -> Result<Dims> {
        self.as_slice().resolve(n)
    }
}

/// The sizes for `n` elements, of which one may be −1 for what is left.
fn infer(sizes: &[isize], n: usize) -> Result<Dims> {
    let invalid = || err!(Shape, "shape '{sizes:?}' is invalid for input of size {n}");
    let known = sizes.iter().filter(|&&s| s != -1);
    let known: Dims = known
        .map(|&s| usize::try_from(s).map_err(|_| invalid()))
        .collect::<Result<_>>()?;
    match sizes.len() - known.len() {
        0 => known.as_slice().resolve(n),
        1 => {
            let rest = numel(&known)?;
            if rest == 0 && n == 0 {
                return Err(err!(
                    Shape,
                    "cannot reshape tensor of 0 elements into shape {sizes:?} because the unspecified dimension size \
                     -1 can be any value and is ambiguous"
                ));
            }
            if rest == 0 || !n.is_multiple_of(rest) {
                return Err(invalid());
            }
            let fill = |&s: &isize| if s == -1 { n / rest } else { s as usize };
            Ok(sizes.iter().map(fill).collect())
        }
        _ => Err(err!(
            Shape,
            "only one dimension can be inferred, got {sizes:?}"
        )),
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
        let to = shape.resolve(self.numel()).map_err(|e| e.at("reshape"))?;
        if to.as_slice() == self.shape() {
            return Ok(self.clone());
        }
        apply(Reshape { to }, &[self])
    }

    /// The same elements in row-major order with another shape, as [`reshape`](Tensor::reshape), but
    /// never a copy: the result shares this tensor's memory.
    ///
    /// # Errors
    /// If the number of elements is not the same, or the elements do not lie so that strides can
    /// describe the new shape.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::zeros([2, 6]);
    /// assert!(x.view([3, -1])?.shares_memory(&x));
    /// assert!(x.t()?.view([12]).is_err());
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn view(&self, shape: impl NewShape) -> Result<Tensor> {
        let to = shape.resolve(self.numel()).map_err(|e| e.at("view"))?;
        if self.layout().reshape(&to).is_none() {
            return Err(err!(
                Shape,
                "view: view size is not compatible with input tensor's size and stride (at least one dimension spans \
                 across two contiguous subspaces): shape {:?}, strides {:?}, asked for {to:?}. Use reshape instead",
                self.shape(),
                self.stride()
            ));
        }
        self.reshape(&to)
    }

    /// [`view`](Tensor::view) in the shape of `other`.
    ///
    /// # Errors
    /// As `view`.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::zeros([6]).view_as(&Tensor::zeros([2, 3]))?.shape(), [2, 3]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn view_as(&self, other: &Tensor) -> Result<Tensor> {
        self.view(other.shape())
    }

    /// [`reshape`](Tensor::reshape) to the shape of `other`.
    ///
    /// # Errors
    /// If the number of elements is not the same.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::zeros([6]).reshape_as(&Tensor::zeros([2, 3]))?.shape(), [2, 3]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn reshape_as(&self, other: &Tensor) -> Result<Tensor> {
        self.reshape(other.shape())
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

    /// All elements in one dimension: `flatten(0, -1)`.
    ///
    /// # Errors
    /// If a copy is needed and there is no memory for it.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([[1, 2], [3, 4]]).t()?.ravel()?.to_vec::<i64>()?, [1, 3, 2, 4]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn ravel(&self) -> Result<Tensor> {
        self.flatten(0, -1)
    }

    /// Cuts dimension `dim` into several of the given sizes, of which one may be −1 for "what is
    /// left".
    ///
    /// # Errors
    /// If the dimension is out of range, or the sizes are none or do not multiply to its size.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::zeros([2, 12]).unflatten(1, [3, -1])?.shape(), [2, 3, 4]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn unflatten(&self, dim: isize, sizes: impl AsRef<[isize]>) -> Result<Tensor> {
        let (sizes, (d, n)) = (sizes.as_ref(), self.dimension("unflatten", dim)?);
        if sizes.is_empty() {
            return Err(err!(Value, "unflatten: sizes must be non-empty"));
        }
        let sizes = infer(sizes, n).map_err(|e| {
            err!(
                Shape,
                "unflatten: Provided sizes {sizes:?} don't multiply up to the size of dim {d} ({n}) in the input \
                 tensor: {e}"
            )
        })?;
        let mut shape = self.layout().shape.clone();
        shape.remove(d);
        shape.insert_many(d, sizes);
        self.reshape(&shape)
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

    /// A view without those of the dimensions `dims` whose size is 1: one number, an array of them,
    /// or `..` for all. The tensor itself if there is none.
    ///
    /// # Errors
    /// If a dimension is out of range or named twice.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::zeros([1, 2, 1]);
    /// assert_eq!(x.squeeze(0)?.shape(), [2, 1]);
    /// assert_eq!(x.squeeze([1, 2])?.shape(), [1, 2]);
    /// assert_eq!(x.squeeze(..)?.shape(), [2]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn squeeze(&self, dims: impl Dimensions) -> Result<Tensor> {
        let named = dims.mask(self.ndim()).map_err(|e| e.at("squeeze"))?;
        let kept = self.shape().iter().zip(named);
        let kept = kept.filter(|&(&n, named)| n != 1 || !named);
        self.reshape(&kept.map(|(&n, _)| n).collect::<Dims>())
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
            apply(Copy { row_major: true }, &[self])
        }
    }

    /// The same elements in memory of their own, without gaps and in the same order in memory. The
    /// gradient passes unchanged. This is PyTorch's `clone()` and NumPy's `copy()`; Rust's [`Clone`]
    /// gives another handle of the same tensor.
    ///
    /// # Errors
    /// If there is no memory for it.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([1, 2]);
    /// let y = x.copy()?;
    /// x.fill_(0.0)?;
    /// assert_eq!(y.to_vec::<i64>()?, [1, 2]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn copy(&self) -> Result<Tensor> {
        apply(Copy { row_major: false }, &[self])
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
            return Ok(x[0].with_layout(layout));
        }
        Ok(x[0]
            .contiguous()?
            .with_layout(Layout::contiguous(self.to.clone())))
    }
    fn backward(&self, saved: &Saved<'_>, grad: &Tensor) -> Result<Grads> {
        Ok([Grad::Of(grad.reshape(saved.input_shape(0)?)?)].into())
    }
}

/// A copy, row-major or in the order in memory of the elements. The gradient passes unchanged.
struct Copy {
    row_major: bool,
}

impl Function for Copy {
    fn name(&self) -> &'static str {
        "copy"
    }
    fn forward(&self, _: &mut Context, x: &[&Tensor]) -> Result<Tensor> {
        let x = x[0];
        if !self.row_major {
            return dispatch!(x.dtype(), T => x.with::<T, _>(|x| map::map(x, Cost::Low, |x| x)))
                .map(Tensor::from_dense);
        }
        let buffer = dispatch!(x.dtype(), T => x.with::<T, _>(map::copy))?;
        Ok(Tensor::from_buffer(buffer, x.layout().shape.clone()))
    }
    fn backward(&self, _: &Saved<'_>, grad: &Tensor) -> Result<Grads> {
        Ok([Grad::Of(grad.clone())].into())
    }
}
