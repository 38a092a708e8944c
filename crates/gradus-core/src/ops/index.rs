//! Parts of a tensor: slices and single positions as views, rows by index as copies.

use super::registry::{Case, Input};
use crate::autograd::{Context, Function, Grad, Grads, Saved, apply, embed};
use crate::dtype::{DType, dispatch, dispatch_number};
use crate::error::{Result, err};
use crate::kernels::gather;
use crate::shape::{Dims, Layout, numel, resolve_dim};
use crate::tensor::Tensor;

pub(super) const CASES: &[Case] = &[
    Case::new("slice", &[Input::real(&[5, 3])], |x| x[0].narrow(0, 1, 2)),
    Case::new("slice", &[Input::real(&[3, 5])], |x| x[0].slice(1, 0, 5, 2)),
    Case::new("slice", &[Input::real(&[3, 5])], |x| x[0].select(-1, -2)),
    Case::new("index_select", &[Input::real(&[4, 3])], |x| {
        x[0].index_select(0, &Tensor::from([2, 0, 2]))
    }),
    Case::new("index_select", &[Input::real(&[2, 4, 3])], |x| {
        x[0].index_select(1, &Tensor::from([3, 3]))
    }),
];

impl Tensor {
    /// A view of `len` positions from `start` on along `dim`.
    ///
    /// # Errors
    /// If the dimension or the positions are out of range.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([1, 2, 3, 4]).narrow(0, 1, 2)?.to_vec::<i64>()?, [2, 3]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn narrow(&self, dim: isize, start: usize, len: usize) -> Result<Tensor> {
        let (d, n) = self.dimension("narrow", dim)?;
        let end = start.checked_add(len).filter(|&end| end <= n);
        let end = end.ok_or_else(|| {
            err!(Index, "narrow: start ({start}) + length ({len}) exceeds dimension size ({n}) of dimension {d}")
        })?;
        apply(
            Slice {
                dim: d,
                start,
                end,
                step: 1,
            },
            &[self],
        )
    }

    /// A view of the positions start, start + step, … below `end` along `dim`. As in Python,
    /// negative positions count from the end and positions beyond it are cut.
    ///
    /// # Errors
    /// If the dimension is out of range or the step is 0.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([1, 2, 3, 4, 5]);
    /// assert_eq!(x.slice(0, 1, -1, 2)?.to_vec::<i64>()?, [2, 4]);
    /// assert_eq!(x.slice(0, -2, 99, 1)?.to_vec::<i64>()?, [4, 5]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn slice(&self, dim: isize, start: isize, end: isize, step: usize) -> Result<Tensor> {
        let (d, n) = self.dimension("slice", dim)?;
        if step == 0 {
            return Err(err!(Value, "slice: slice step must be positive"));
        }
        let clip = |i: isize| {
            if i < 0 {
                i.saturating_add_unsigned(n).max(0)
            } else {
                i
            }
            .min(n as isize) as usize
        };
        let (start, end) = (clip(start), clip(end));
        apply(
            Slice {
                dim: d,
                start,
                end: end.max(start),
                step,
            },
            &[self],
        )
    }

    /// A view of position `index` along `dim`, which disappears; a negative index counts from the
    /// end.
    ///
    /// # Errors
    /// If the dimension or the index is out of range.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([[1, 2], [3, 4]]).select(0, -1)?.to_vec::<i64>()?, [3, 4]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn select(&self, dim: isize, index: isize) -> Result<Tensor> {
        let (d, n) = self.dimension("select", dim)?;
        let i = if index < 0 {
            index.saturating_add_unsigned(n)
        } else {
            index
        };
        if i < 0 || i >= n as isize {
            return Err(err!(
                Index,
                "select: index {index} is out of bounds for dimension {d} with size {n}"
            ));
        }
        self.narrow(dim, i as usize, 1)?.squeeze(d as isize)
    }

    /// The positions along `dim` that the integer vector `index` names, copied in its order.
    ///
    /// # Errors
    /// If `index` is no vector of integers, or one of them is out of range.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([[1, 2], [3, 4], [5, 6]]);
    /// assert_eq!(x.index_select(0, &Tensor::from([2, 0]))?.to_vec::<i64>()?, [5, 6, 1, 2]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn index_select(&self, dim: isize, index: &Tensor) -> Result<Tensor> {
        let (d, n) = self.dimension("index_select", dim)?;
        if index.ndim() != 1 {
            return Err(err!(
                Shape,
                "index_select: Index is supposed to be a vector, but got dim: {} with shape {:?}",
                index.ndim(),
                index.shape()
            ));
        }
        let indices = index.to_indices("index_select", n)?;
        apply(IndexSelect { dim: d, indices }, &[self])
    }

    /// The rows `indices` of this u8 tensor as f32, each element x as x · `scale` + `shift`: how a
    /// batch comes out of images that are kept as bytes. The first size of the result is the number
    /// of indices, the others stay.
    ///
    /// # Errors
    /// If the dtype is not u8, the tensor is 0-d, or an index is not less than its first size.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let images = Tensor::from_vec(vec![0u8, 1, 255, 7], [2, 2])?;
    /// let batch = images.index_select_scaled(&[1, 0, 1], 0.5, -1.0)?;
    /// assert_eq!(batch.shape(), [3, 2]);
    /// assert_eq!(batch.to_vec::<f32>()?, [126.5, 2.5, -1.0, -0.5, 126.5, 2.5]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn index_select_scaled(&self, indices: &[usize], scale: f32, shift: f32) -> Result<Tensor> {
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
        let mut shape = self.layout().shape.clone();
        shape[0] = indices.len();
        numel(&shape)?;
        let width = shape[1..].iter().product();
        // Bytes carry no gradient, so there is nothing to record.
        let out =
            self.with_slice::<u8, _>(|x| gather::scaled_rows(x, width, indices, scale, shift))?;
        Ok(Tensor::from_buffer(out, shape))
    }

    /// The elements of this integer tensor as positions below `n`; negative ones count from the
    /// end. Errors name `op`.
    pub(crate) fn to_indices(&self, op: &str, n: usize) -> Result<Vec<usize>> {
        if self.dtype().is_float() || self.dtype() == DType::Bool {
            return Err(err!(
                DType,
                "{op}: expected indices of an integer dtype, got {}",
                self.dtype()
            ));
        }
        let to_index = |i: i64| {
            let j = if i < 0 { i + n as i64 } else { i };
            usize::try_from(j).ok().filter(|&j| j < n).ok_or_else(|| {
                err!(
                    Index,
                    "{op}: index {i} is out of bounds for dimension with size {n}"
                )
            })
        };
        self.to_vec::<i64>()?.into_iter().map(to_index).collect()
    }

    /// Dimension `dim` and its size; a 0-d tensor has none.
    fn dimension(&self, op: &str, dim: isize) -> Result<(usize, usize)> {
        let d = resolve_dim(dim, self.ndim()).map_err(|e| e.at(op))?;
        let n = self
            .shape()
            .get(d)
            .ok_or_else(|| err!(Index, "{op}: a 0-dim tensor has no positions to pick"))?;
        Ok((d, *n))
    }
}

/// Every `step`-th position from `start` below `end`. The gradient is 0 at all other positions.
struct Slice {
    dim: usize,
    start: usize,
    end: usize,
    step: usize,
}

impl Slice {
    fn layout(&self, of: &Layout) -> Layout {
        let mut layout = of.clone();
        let len = self.end - self.start;
        layout.shape[self.dim] = len.div_ceil(self.step);
        // A step beyond the end leaves one position, whatever its length: it need not overflow.
        layout.strides[self.dim] *= self.step.min(len.max(1)) as isize;
        // A view without elements must not point beyond the storage, which may be empty too.
        if !layout.shape.contains(&0) {
            layout.offset = layout
                .offset
                .wrapping_add_signed(self.start as isize * of.strides[self.dim]);
        }
        layout
    }
}

impl Function for Slice {
    fn name(&self) -> &'static str {
        "slice"
    }
    fn forward(&self, _: &mut Context, x: &[&Tensor]) -> Result<Tensor> {
        Ok(x[0].view(self.layout(x[0].layout())))
    }
    fn backward(&self, saved: &Saved<'_>, grad: &Tensor) -> Result<Grads> {
        let shape = saved.input_shape(0)?;
        let part = self.layout(&Layout::contiguous(Dims::from_slice(shape)));
        Ok([Grad::Of(embed(shape, part, grad)?)].into())
    }
}

/// Rows by index. The gradient of a row is the sum over the times it was picked.
struct IndexSelect {
    dim: usize,
    indices: Vec<usize>,
}

impl IndexSelect {
    /// Elements before, along and after the dimension in the shape of the source.
    fn blocks(&self, shape: &[usize]) -> (usize, usize, usize) {
        (
            shape[..self.dim].iter().product(),
            shape[self.dim],
            shape[self.dim + 1..].iter().product(),
        )
    }
}

impl Function for IndexSelect {
    fn name(&self) -> &'static str {
        "index_select"
    }
    fn forward(&self, _: &mut Context, x: &[&Tensor]) -> Result<Tensor> {
        let (outer, rows, width) = self.blocks(x[0].shape());
        let mut shape: Dims = x[0].layout().shape.clone();
        shape[self.dim] = self.indices.len();
        numel(&shape)?;
        let out = dispatch!(x[0].dtype(), T => {
            x[0].with_slice::<T, _>(|x| gather::rows(x, outer, rows, width, &self.indices))
        })?;
        Ok(Tensor::from_buffer(out, shape))
    }
    fn backward(&self, saved: &Saved<'_>, grad: &Tensor) -> Result<Grads> {
        let shape = saved.input_shape(0)?;
        let (outer, rows, width) = self.blocks(shape);
        let out = dispatch_number!("index_select", grad.dtype(), T => {
            grad.with_slice::<T, _>(|g| gather::add_rows(g, outer, rows, width, &self.indices))
        })?;
        Ok([Grad::Of(Tensor::from_buffer(out, Dims::from_slice(shape)))].into())
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
            let found = x.index_select_scaled(&indices, 0.3, -1.5)?;
            assert_eq!(found.shape(), expected.shape());
            assert_eq!(found.to_vec::<f32>()?, expected.to_vec::<f32>()?);
        }
        Ok(())
    }

    #[test]
    fn scaled_rows_without_elements_and_without_sense() -> Result<()> {
        let select = |x: &Tensor, i: &[usize]| x.index_select_scaled(i, 1.0, 0.0);
        let bytes = |shape: &[usize]| Tensor::full(shape, 1.0, DType::U8);
        assert_eq!(select(&bytes(&[2, 3])?, &[])?.shape(), [0, 3]);
        assert_eq!(select(&bytes(&[2, 0])?, &[1, 1, 0])?.shape(), [3, 0]);
        assert_eq!(select(&bytes(&[2])?, &[1])?.to_vec::<f32>()?, [1.0]);

        let kind = |x: Result<Tensor>| x.unwrap_err().kind();
        assert_eq!(kind(select(&bytes(&[2, 3])?, &[0, 2])), Kind::Index);
        assert_eq!(kind(select(&bytes(&[0, 3])?, &[0])), Kind::Index);
        assert_eq!(kind(select(&bytes(&[])?, &[0])), Kind::Index);
        assert_eq!(kind(select(&Tensor::zeros([2]), &[0])), Kind::DType);
        Ok(())
    }
}
