//! Rows by a list of positions along one dimension: the `index_…` family.

use super::selection::Selection;
use crate::dtype::DType;
use crate::error::{Result, err};
use crate::kernels::gather;
use crate::ops::Operand;
use crate::ops::registry::{Case, Input};
use crate::shape::{Show, numel};
use crate::tensor::Tensor;
use std::borrow::Cow;

pub(in crate::ops) const CASES: &[Case] = &[
    Case::new("index_select", &[Input::real(&[4, 3])], |x| {
        x[0].index_select(0, &Tensor::from([2, 0, 2]))
    })
    .torch("x[0].index_select(0, torch.tensor([2, 0, 2]))"),
    Case::new("index_select", &[Input::real(&[2, 4, 3])], |x| {
        x[0].index_select(1, &[3usize, 3])
    })
    .torch("x[0].index_select(1, torch.tensor([3, 3]))"),
    Case::new(
        "index_add",
        &[Input::real(&[4, 3]), Input::real(&[3, 3])],
        |x| x[0].index_add(0, &[2, 0, 2], &x[1]),
    )
    .torch("x[0].index_add(0, torch.tensor([2, 0, 2]), x[1])"),
    Case::new(
        "index_add",
        &[Input::real(&[2, 3, 2]), Input::real(&[2, 1, 2])],
        |x| x[0].index_add(-2, &[1], &x[1]),
    )
    .torch("x[0].index_add(-2, torch.tensor([1]), x[1])"),
    Case::new(
        "index_copy",
        &[Input::real(&[4, 3]), Input::real(&[4, 2])],
        |x| x[0].index_copy(1, &[2, 0], &x[1]),
    )
    .torch("x[0].index_copy(1, torch.tensor([2, 0]), x[1])"),
    // PyTorch gives a value that was overwritten a gradient all the same.
    Case::new("index_copy", &[Input::real(&[3]), Input::real(&[2])], |x| {
        x[0].index_copy(0, &[1, 1], &x[1])
    }),
    // PyTorch takes a negative position here, but fails to differentiate.
    Case::new(
        "index_fill",
        &[Input::real(&[4, 3]), Input::real(&[])],
        |x| x[0].index_fill(1, &[-1, 0, 0], &x[1]),
    )
    .torch("x[0].index_fill(1, torch.tensor([2, 0, 0]), x[1])"),
];

/// Positions along a dimension: an integer tensor, or integers in an array, a slice or a `Vec`.
///
/// ```
/// # use gradus_core::Tensor;
/// let x = Tensor::from([1, 2, 3]);
/// let order: Vec<usize> = vec![2, 0];
/// assert_eq!(x.index_select(0, &order)?.to_vec::<i64>()?, [3, 1]);
/// assert_eq!(x.index_select(0, &[0, 0])?.to_vec::<i64>()?, [1, 1]);
/// assert_eq!(x.index_select(0, &Tensor::from([1]))?.to_vec::<i64>()?, [2]);
/// # Ok::<(), gradus_core::Error>(())
/// ```
pub trait Positions {
    /// The positions as an integer tensor.
    ///
    /// # Errors
    /// If there is no memory for it.
    fn positions(&self) -> Result<Cow<'_, Tensor>>;
}

impl Positions for Tensor {
    fn positions(&self) -> Result<Cow<'_, Tensor>> {
        Ok(Cow::Borrowed(self))
    }
}

macro_rules! positions {
    ($($t:ident),+) => {$(
        impl Positions for [$t] {
            fn positions(&self) -> Result<Cow<'_, Tensor>> {
                // One that is too large is out of range anyway.
                let wide: Vec<i64> = self.iter().map(|&i| i.try_into().unwrap_or(i64::MAX)).collect();
                Tensor::from_vec(wide, self.len()).map(Cow::Owned)
            }
        }
        impl Positions for Vec<$t> {
            fn positions(&self) -> Result<Cow<'_, Tensor>> { self.as_slice().positions() }
        }
        impl<const N: usize> Positions for [$t; N] {
            fn positions(&self) -> Result<Cow<'_, Tensor>> { self.as_slice().positions() }
        }
    )+};
}
positions!(usize, isize, i32, i64);

impl Tensor {
    /// The positions along `dim` that `index` names (an integer vector, or a list of integers),
    /// copied in its order. Negative ones are not taken, as in PyTorch; [`i`](Tensor::i) does.
    ///
    /// # Errors
    /// If `index` is no vector of integers, or one of them is out of range.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([[1, 2], [3, 4], [5, 6]]);
    /// assert_eq!(x.index_select(0, &Tensor::from([2, 0]))?.to_vec::<i64>()?, [5, 6, 1, 2]);
    /// assert_eq!(x.index_select(1, &[1])?.shape(), [3, 1]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn index_select(&self, dim: isize, index: &(impl Positions + ?Sized)) -> Result<Tensor> {
        self.read(
            "index_select",
            self.rows("index_select", dim, index, false)?,
        )
    }

    /// A copy to which the rows of `source` are added: row i along `dim` to row `index[i]`. All
    /// sizes of `source` but that one are this tensor's. Rows that are named several times get the
    /// sum. (PyTorch's `alpha` is a factor of `source`: use `mul`.)
    ///
    /// # Errors
    /// Those of [`index_select`](Tensor::index_select); if shape or dtype of `source` do not fit;
    /// for bool.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([1, 2, 3]);
    /// let sum = x.index_add(0, &[0, 2, 0], &Tensor::from([10, 20, 30]))?;
    /// assert_eq!(sum.to_vec::<i64>()?, [41, 2, 23]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn index_add(
        &self,
        dim: isize,
        index: &(impl Positions + ?Sized),
        source: &Tensor,
    ) -> Result<Tensor> {
        let (rows, source) = self.sent_rows("index_add", dim, index, source)?;
        self.write("index_add", rows, &source, true)
    }

    /// [`index_add`](Tensor::index_add) in place.
    ///
    /// # Errors
    /// As [`index_add`](Tensor::index_add) and [`add_`](Tensor::add_).
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([1, 2]);
    /// x.index_add_(0, &[1], &Tensor::from([5]))?;
    /// assert_eq!(x.to_vec::<i64>()?, [1, 7]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn index_add_(
        &self,
        dim: isize,
        index: &(impl Positions + ?Sized),
        source: &Tensor,
    ) -> Result<()> {
        let (rows, source) = self.sent_rows("index_add_", dim, index, source)?;
        self.write_("index_add_", rows, &source, true)
    }

    /// A copy in which row `index[i]` along `dim` is row i of `source`, the last one where a row is
    /// named several times. All sizes of `source` but that one are this tensor's.
    ///
    /// # Errors
    /// Those of [`index_select`](Tensor::index_select); if shape or dtype of `source` do not fit.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([1, 2, 3]).index_copy(0, &[2, 0], &Tensor::from([10, 20]))?;
    /// assert_eq!(x.to_vec::<i64>()?, [20, 2, 10]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn index_copy(
        &self,
        dim: isize,
        index: &(impl Positions + ?Sized),
        source: &Tensor,
    ) -> Result<Tensor> {
        let (rows, source) = self.sent_rows("index_copy", dim, index, source)?;
        self.write("index_copy", rows, &source, false)
    }

    /// [`index_copy`](Tensor::index_copy) in place.
    ///
    /// # Errors
    /// As [`index_copy`](Tensor::index_copy) and [`add_`](Tensor::add_).
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([1, 2]);
    /// x.index_copy_(0, &[1], &Tensor::from([5]))?;
    /// assert_eq!(x.to_vec::<i64>()?, [1, 5]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn index_copy_(
        &self,
        dim: isize,
        index: &(impl Positions + ?Sized),
        source: &Tensor,
    ) -> Result<()> {
        let (rows, source) = self.sent_rows("index_copy_", dim, index, source)?;
        self.write_("index_copy_", rows, &source, false)
    }

    /// A copy with `value`, a number or a 0-d tensor, in the rows `index` along `dim`; negative
    /// positions count from the end. The value is converted.
    ///
    /// # Errors
    /// Those of [`index_select`](Tensor::index_select); if the value has dimensions.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([1, 2, 3]).index_fill(0, &[0, -1], 9)?;
    /// assert_eq!(x.to_vec::<i64>()?, [9, 2, 9]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn index_fill<'a>(
        &self,
        dim: isize,
        index: &(impl Positions + ?Sized),
        value: impl Into<Operand<'a>>,
    ) -> Result<Tensor> {
        let rows = self.rows("index_fill", dim, index, true)?;
        let value = self.one_value("index_fill", value.into())?;
        self.write("index_fill", rows, &value, false)
    }

    /// [`index_fill`](Tensor::index_fill) in place.
    ///
    /// # Errors
    /// As [`index_fill`](Tensor::index_fill) and [`add_`](Tensor::add_).
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([1, 2]);
    /// x.index_fill_(0, &[1], 5)?;
    /// assert_eq!(x.to_vec::<i64>()?, [1, 5]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn index_fill_<'a>(
        &self,
        dim: isize,
        index: &(impl Positions + ?Sized),
        value: impl Into<Operand<'a>>,
    ) -> Result<()> {
        let rows = self.rows("index_fill_", dim, index, true)?;
        let value = self.one_value("index_fill_", value.into())?;
        self.write_("index_fill_", rows, &value, false)
    }

    /// The rows `indices` of this u8 tensor as f32, each element x as x · scale + shift: how a batch
    /// comes out of images that are kept as bytes. `affine` is one pair (scale, shift) for all
    /// elements, or one for each index of dimension 1, such as the channels of images. The first
    /// size of the result is the number of indices, the others stay.
    ///
    /// # Errors
    /// If the dtype is not u8, the tensor is 0-d, an index is not less than its first size, or the
    /// number of pairs is neither 1 nor the size of dimension 1.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let images = Tensor::from_vec(vec![0u8, 1, 255, 7], [2, 2])?;
    /// let batch = images.index_select_scaled(&[1, 0, 1], &[(0.5, -1.0)])?;
    /// assert_eq!(batch.shape(), [3, 2]);
    /// assert_eq!(batch.to_vec::<f32>()?, [126.5, 2.5, -1.0, -0.5, 126.5, 2.5]);
    /// let batch = images.index_select_scaled(&[1], &[(0.5, -1.0), (2.0, 0.0)])?;
    /// assert_eq!(batch.to_vec::<f32>()?, [126.5, 14.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn index_select_scaled(&self, indices: &[usize], affine: &[(f32, f32)]) -> Result<Tensor> {
        const OP: &str = "index_select_scaled";
        if self.dtype() != DType::U8 {
            return Err(err!(
                DType,
                "{OP}: expected a uint8 tensor, got {}; use index_select and mul for other dtypes",
                self.dtype()
            ));
        }
        let (_, n) = self.dimension(OP, 0)?;
        if let Some(index) = indices.iter().find(|&&index| index >= n) {
            return Err(err!(
                Index,
                "{OP}: index {index} is out of bounds for dimension with size {n}"
            ));
        }
        if affine.len() != 1 && self.shape().get(1) != Some(&affine.len()) {
            return Err(err!(
                Shape,
                "{OP}: {} pairs of scale and shift for a tensor of shape {:?}; expected one, or as \
                 many as dimension 1 has",
                affine.len(),
                self.shape()
            ));
        }
        let mut shape = self.layout().shape.clone();
        shape[0] = indices.len();
        numel(&shape)?;
        let width = shape[1..].iter().product();
        // Bytes carry no gradient, so there is nothing to record.
        let out = self.with_slice::<u8, _>(|x| gather::scaled_rows(x, width, indices, affine))?;
        Ok(Tensor::from_buffer(out, shape))
    }

    fn rows(
        &self,
        op: &str,
        dim: isize,
        index: &(impl Positions + ?Sized),
        wrap: bool,
    ) -> Result<Selection> {
        let (d, n) = self.dimension(op, dim)?;
        let index = Positions::positions(index)?;
        if index.ndim() > 1 {
            return Err(err!(
                Shape,
                "{op}: Index is supposed to be a vector, but got dim: {} with shape {:?}",
                index.ndim(),
                index.shape()
            ));
        }
        let at = Tensor::positions(&index, op, Some(d), n, wrap)?;
        Ok(Selection::rows(self.shape(), d, at))
    }

    /// The rows `index`, and `source`, which must fit them.
    fn sent_rows<'a>(
        &self,
        op: &str,
        dim: isize,
        index: &(impl Positions + ?Sized),
        source: &'a Tensor,
    ) -> Result<(Selection, Cow<'a, Tensor>)> {
        let rows = self.rows(op, dim, index, false)?;
        let (source, expected) = (self.same_dtype(op, source.into())?, rows.shape()?);
        if source.shape() != expected.as_slice() {
            return Err(err!(
                Shape,
                "{op}: source tensor shape must match self tensor shape, excluding the specified dimension, and the \
                 number of indices there. Got self.shape = {}, source.shape = {}, expected {}",
                Show(self.shape()),
                Show(source.shape()),
                Show(&expected)
            ));
        }
        Ok((rows, source))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Kind;

    /// The fused way is not what it stands for: select, convert, multiply, add. Enough rows for
    /// several chunks, a width that is no multiple of any vector, a view that is not contiguous.
    #[test]
    fn scaled_rows_are_selected_rows_scaled() -> Result<()> {
        let bytes: Vec<u8> = (0..100 * 13 * 7).map(|i| (i * 31 % 256) as u8).collect();
        let whole = Tensor::from_vec(bytes, [100, 13, 7])?;
        for x in [
            whole.clone(),
            whole.transpose(1, 2)?,
            whole.slice(0, 1, 100, 3)?,
        ] {
            let n = x.shape()[0];
            let indices: Vec<usize> = (0..1000).map(|i| i * 17 % n).collect();
            let index: Vec<i64> = indices.iter().map(|&i| i as i64).collect();
            let selected = x.index_select(0, &Tensor::from_vec(index, [1000])?)?;
            let expected = selected.to_dtype(DType::F32)?.mul(0.3)?.add(-1.5)?;
            let found = x.index_select_scaled(&indices, &[(0.3, -1.5)])?;
            assert_eq!(found.shape(), expected.shape());
            assert_eq!(found.to_vec::<f32>()?, expected.to_vec::<f32>()?);

            let affine: Vec<_> = (0..x.shape()[1])
                .map(|c| (0.5 * c as f32, 1.0 - c as f32))
                .collect();
            let column = |values: Vec<f32>| Tensor::from_vec(values, [affine.len(), 1]);
            let scale = column(affine.iter().map(|a| a.0).collect())?;
            let shift = column(affine.iter().map(|a| a.1).collect())?;
            let expected = selected.to_dtype(DType::F32)?.mul(&scale)?.add(&shift)?;
            let found = x.index_select_scaled(&indices, &affine)?;
            assert_eq!(found.to_vec::<f32>()?, expected.to_vec::<f32>()?);
        }
        Ok(())
    }

    #[test]
    fn scaled_rows_without_elements_and_without_sense() -> Result<()> {
        let select = |x: &Tensor, i: &[usize]| x.index_select_scaled(i, &[(1.0, 0.0)]);
        let bytes = |shape: &[usize]| Tensor::full(shape, 1.0, DType::U8);
        assert_eq!(select(&bytes(&[2, 3])?, &[])?.shape(), [0, 3]);
        assert_eq!(select(&bytes(&[2, 0])?, &[1, 1, 0])?.shape(), [3, 0]);
        assert_eq!(select(&bytes(&[2])?, &[1])?.to_vec::<f32>()?, [1.0]);

        let kind = |x: Result<Tensor>| x.unwrap_err().kind();
        assert_eq!(kind(select(&bytes(&[2, 3])?, &[0, 2])), Kind::Index);
        assert_eq!(kind(select(&bytes(&[0, 3])?, &[0])), Kind::Index);
        assert_eq!(kind(select(&bytes(&[])?, &[0])), Kind::Index);
        assert_eq!(kind(select(&Tensor::zeros([2]), &[0])), Kind::DType);
        for (shape, pairs) in [(&[2, 3][..], 2), (&[2, 3], 0), (&[2], 2), (&[2, 0], 0)] {
            let x = bytes(shape)?.index_select_scaled(&[0], &vec![(1.0, 0.0); pairs]);
            match x {
                // No pairs for no elements.
                Ok(x) => assert_eq!((x.numel(), pairs), (0, 0)),
                Err(e) => assert_eq!(e.kind(), Kind::Shape),
            }
        }
        Ok(())
    }
}
