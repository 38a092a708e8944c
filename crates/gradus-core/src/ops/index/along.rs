//! One position for each element along one dimension: `gather`, `scatter` and their kin.

use super::selection::Selection;
use crate::error::{Result, err};
use crate::kernels::gather::offsets_of;
use crate::ops::Operand;
use crate::ops::registry::{Case, Input};
use crate::shape::{Dims, Layout, Show, broadcast, contiguous_strides, resolve_dim};
use crate::tensor::Tensor;

pub(in crate::ops) const CASES: &[Case] = &[
    Case::new(
        "gather",
        &[Input::real(&[3, 4]), Input::integers(&[3, 2], 0, 4)],
        |x| x[0].gather(1, &x[1]),
    )
    .torch("x[0].gather(1, x[1])"),
    Case::new(
        "gather",
        &[Input::real(&[3, 4, 2]), Input::integers(&[5, 3, 2], 0, 3)],
        |x| x[0].gather(0, &x[1]),
    )
    .torch("x[0].gather(0, x[1])"),
    Case::new(
        "gather",
        &[Input::real(&[2, 1, 3]), Input::integers(&[1, 4, 2], 0, 3)],
        |x| x[0].take_along_dim(&x[1], -1),
    )
    .torch("torch.take_along_dim(x[0], x[1], -1)"),
    // PyTorch takes negative positions here, but fails to differentiate.
    Case::new(
        "gather",
        &[Input::real(&[2, 1, 3]), Input::integers(&[1, 4, 2], -3, 3)],
        |x| x[0].take_along_dim(&x[1], -1),
    ),
    Case::new(
        "scatter",
        &[
            Input::real(&[3, 4]),
            Input::integers(&[2, 1], 0, 4),
            Input::real(&[3, 2]),
        ],
        |x| x[0].scatter(1, &x[1], &x[2]),
    )
    .torch("x[0].scatter(1, x[1], x[2][:2, :1])"),
    // PyTorch gives values that were overwritten a gradient all the same.
    Case::new(
        "scatter",
        &[
            Input::real(&[2, 3]),
            Input::integers(&[4, 3], 0, 2),
            Input::real(&[4, 3]),
        ],
        |x| x[0].scatter(0, &x[1], &x[2]),
    ),
    Case::new(
        "scatter",
        &[Input::real(&[3, 4]), Input::integers(&[3, 2], 0, 4)],
        |x| x[0].scatter(-1, &x[1], 1.5),
    )
    .torch("x[0].scatter(-1, x[1], 1.5)"),
    Case::new(
        "scatter_add",
        &[
            Input::real(&[3, 4]),
            Input::integers(&[3, 6], 0, 4),
            Input::real(&[3, 6]),
        ],
        |x| x[0].scatter_add(1, &x[1], &x[2]),
    )
    .torch("x[0].scatter_add(1, x[1], x[2])"),
    Case::new(
        "scatter_add",
        &[
            Input::real(&[2, 3, 2]),
            Input::integers(&[4, 2, 1], 0, 2),
            Input::real(&[5, 2, 2]),
        ],
        |x| x[0].scatter_add(0, &x[1], &x[2]),
    )
    .torch("x[0].scatter_add(0, x[1], x[2][:4, :2, :1])"),
];

impl Tensor {
    /// For each element of `index` the element of this tensor that stands at the same place, but
    /// for `dim`, where it stands at the position the index says: `out[i, j] = x[i, index[i, j]]`
    /// for `dim` 1. The result has the shape of `index`, which has as many dimensions as this tensor
    /// and is nowhere larger but along `dim`. A 0-d tensor counts as a vector of one element.
    ///
    /// # Errors
    /// If the shape of `index` does not fit, it is no integer tensor, or one of them is out of range
    /// (negative ones are).
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([[1, 2, 3], [4, 5, 6]]);
    /// assert_eq!(x.gather(1, &Tensor::from([[2, 0], [1, 1]]))?.to_vec::<i64>()?, [3, 1, 5, 5]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn gather(&self, dim: isize, index: &Tensor) -> Result<Tensor> {
        self.read("gather", self.along("gather", dim, index, false)?)
    }

    /// [`gather`](Tensor::gather) with broadcasting: both shapes are stretched to fit in all
    /// dimensions but `dim`, and negative positions count from the end. Without a `dim` (`None`)
    /// both are taken as vectors of all their elements. It undoes an `argsort`.
    ///
    /// # Errors
    /// If the numbers of dimensions differ, the shapes do not broadcast, or a position is out of
    /// range.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([[1, 2, 3], [4, 5, 6]]);
    /// assert_eq!(x.take_along_dim(&Tensor::from([[-1, 0]]), 1)?.to_vec::<i64>()?, [3, 1, 6, 4]);
    /// assert_eq!(x.take_along_dim(&Tensor::from([5]), None)?.to_vec::<i64>()?, [6]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn take_along_dim(&self, index: &Tensor, dim: impl Into<Option<isize>>) -> Result<Tensor> {
        const OP: &str = "take_along_dim";
        let Some(dim) = dim.into() else {
            let flat = |x: &Tensor| x.reshape([-1]);
            return flat(self)?.take_along_dim(&flat(index)?, 0);
        };
        if self.ndim() != index.ndim() {
            return Err(err!(
                Shape,
                "{OP}: input and indices should have the same number of dimensions, but got {} dimensions for input, \
                 and {} dimensions for indices",
                self.ndim(),
                index.ndim()
            ));
        }
        let (d, _) = self.dimension(OP, dim)?;
        let with = |shape: &[usize], n: usize| {
            let mut shape = Dims::from_slice(shape);
            shape[d] = n;
            shape
        };
        let shape =
            broadcast(&with(self.shape(), 1), &with(index.shape(), 1)).map_err(|e| e.at(OP))?;
        let stretch = |x: &Tensor| x.broadcast_to(with(&shape, x.shape()[d]));
        let (x, index) = (stretch(self)?, stretch(index)?);
        x.read("gather", x.along(OP, dim, &index, true)?)
    }

    /// A copy in which each element of `src` stands where `index` says, the reverse of
    /// [`gather`](Tensor::gather): `out[i, index[i, j]] = src[i, j]` for `dim` 1. `src` is a number,
    /// or a tensor of this dtype that is nowhere smaller than `index`; what it has more is not used.
    /// Where several go to one place the last one, in row-major order, stays; the others' gradient
    /// is 0.
    ///
    /// # Errors
    /// Those of [`gather`](Tensor::gather); if shape or dtype of `src` do not fit.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::zeros([2, 3]);
    /// let index = Tensor::from([[2], [0]]);
    /// assert_eq!(x.scatter(1, &index, 1.0)?.to_vec::<f32>()?, [0.0, 0.0, 1.0, 1.0, 0.0, 0.0]);
    /// let src = Tensor::from([[7.0], [8.0]]);
    /// assert_eq!(x.scatter(1, &index, &src)?.to_vec::<f32>()?, [0.0, 0.0, 7.0, 8.0, 0.0, 0.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn scatter<'a>(
        &self,
        dim: isize,
        index: &Tensor,
        src: impl Into<Operand<'a>>,
    ) -> Result<Tensor> {
        let (places, src) = self.targets("scatter", dim, index, src.into())?;
        self.write("scatter", places, &src, false)
    }

    /// [`scatter`](Tensor::scatter) in place.
    ///
    /// # Errors
    /// As [`scatter`](Tensor::scatter) and [`add_`](Tensor::add_).
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([1, 2, 3]);
    /// x.scatter_(0, &Tensor::from([1]), 9)?;
    /// assert_eq!(x.to_vec::<i64>()?, [1, 9, 3]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn scatter_<'a>(
        &self,
        dim: isize,
        index: &Tensor,
        src: impl Into<Operand<'a>>,
    ) -> Result<()> {
        let (places, src) = self.targets("scatter_", dim, index, src.into())?;
        self.write_("scatter_", places, &src, false)
    }

    /// Like [`scatter`](Tensor::scatter), but the elements of `src` are added to what is there.
    ///
    /// # Errors
    /// As [`scatter`](Tensor::scatter); for bool.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([1, 2, 3]);
    /// let sum = x.scatter_add(0, &Tensor::from([0, 0, 2]), &Tensor::from([10, 20, 30]))?;
    /// assert_eq!(sum.to_vec::<i64>()?, [31, 2, 33]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn scatter_add(&self, dim: isize, index: &Tensor, src: &Tensor) -> Result<Tensor> {
        let (places, src) = self.targets("scatter_add", dim, index, src.into())?;
        self.write("scatter_add", places, &src, true)
    }

    /// [`scatter_add`](Tensor::scatter_add) in place.
    ///
    /// # Errors
    /// As [`scatter_add`](Tensor::scatter_add) and [`add_`](Tensor::add_).
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([1, 2, 3]);
    /// x.scatter_add_(0, &Tensor::from([1]), &Tensor::from([9]))?;
    /// assert_eq!(x.to_vec::<i64>()?, [1, 11, 3]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn scatter_add_(&self, dim: isize, index: &Tensor, src: &Tensor) -> Result<()> {
        let (places, src) = self.targets("scatter_add_", dim, index, src.into())?;
        self.write_("scatter_add_", places, &src, true)
    }

    /// The elements that `index` names along `dim`, one for each of its own elements.
    fn along(&self, op: &str, dim: isize, index: &Tensor, wrap: bool) -> Result<Selection> {
        let d = resolve_dim(dim, self.ndim()).map_err(|e| e.at(op))?;
        let (shape, picked) = (sizes(self), sizes(index));
        if shape.len() != picked.len() {
            return Err(err!(
                Shape,
                "{op}: Index tensor must have the same number of dimensions as input tensor, got an index of shape {} \
                 for a tensor of shape {}",
                Show(index.shape()),
                Show(self.shape())
            ));
        }
        if (0..shape.len()).any(|i| i != d && picked[i] > shape[i]) {
            return Err(err!(
                Shape,
                "{op}: Expected index {} to be no larger than self {} apart from dimension {d}",
                Show(picked),
                Show(shape)
            ));
        }
        let at = index.positions(op, Some(d), shape[d], wrap)?;
        // Where each line along the dimension begins, and where on it.
        let mut strides = contiguous_strides(shape);
        let step = std::mem::take(&mut strides[d]) as usize;
        let mut lines = offsets_of(&Layout {
            shape: picked.into(),
            strides,
            offset: 0,
        })?;
        lines
            .iter_mut()
            .zip(at)
            .for_each(|(line, i)| *line += i * step);
        Ok(Selection::flat(self.shape(), lines, index.shape()))
    }

    /// Where the elements of `src` go, and those of them that go anywhere.
    pub(super) fn targets(
        &self,
        op: &str,
        dim: isize,
        index: &Tensor,
        src: Operand<'_>,
    ) -> Result<(Selection, Tensor)> {
        let places = self.along(op, dim, index, false)?;
        let value = self.same_dtype(op, src)?;
        if let Operand::Scalar(_) = src {
            return Ok((places, value.into_owned()));
        }
        let (own, used) = (sizes(&value), sizes(index));
        if own.len() != used.len() || own.iter().zip(used).any(|(own, used)| used > own) {
            return Err(err!(
                Shape,
                "{op}: Expected index {} to be no larger size than src {} in every dimension",
                Show(used),
                Show(own)
            ));
        }
        if own == used {
            return Ok((places, value.into_owned()));
        }
        let value = value.read("slice", Selection::corner(own, used))?;
        Ok((places, value))
    }
}

/// The sizes, a 0-d tensor's as those of a vector of one element.
fn sizes(x: &Tensor) -> &[usize] {
    if x.ndim() == 0 { &[1] } else { x.shape() }
}
