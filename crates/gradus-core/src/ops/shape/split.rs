//! One tensor as several views along a dimension.

use super::super::registry::{Case, Input};
use crate::error::{Result, err};
use crate::tensor::Tensor;

pub(in crate::ops) const CASES: &[Case] = &[
    Case::new("slice", &[Input::real(&[4, 3])], |x| {
        weighted(x[0].split(2, 0)?, 0)
    })
    .torch("torch.cat([(i + 1) * p for i, p in enumerate(x[0].split(2))], 0)"),
    Case::new("slice", &[Input::real(&[2, 7])], |x| {
        weighted(x[0].split(3, -1)?, -1)
    })
    .torch("torch.cat([(i + 1) * p for i, p in enumerate(x[0].split(3, -1))], -1)"),
    Case::new("slice", &[Input::real(&[3, 4])], |x| {
        weighted(x[0].split_with_sizes([1, 0, 3], 1)?, 1)
    })
    .torch("torch.cat([(i + 1) * p for i, p in enumerate(x[0].split([1, 0, 3], 1))], 1)"),
    Case::new("slice", &[Input::real(&[7])], |x| {
        weighted(x[0].chunk(3, 0)?, 0)
    })
    .torch("torch.cat([(i + 1) * p for i, p in enumerate(x[0].chunk(3))], 0)"),
    Case::new("slice", &[Input::real(&[7])], |x| {
        weighted(x[0].chunk(5, 0)?, 0)
    })
    .torch("torch.cat([(i + 1) * p for i, p in enumerate(x[0].chunk(5))], 0)"),
    Case::new("slice", &[Input::real(&[2, 7])], |x| {
        weighted(x[0].tensor_split(3, 1)?, 1)
    })
    .torch("torch.cat([(i + 1) * p for i, p in enumerate(x[0].tensor_split(3, 1))], 1)"),
    Case::new("slice", &[Input::real(&[7])], |x| {
        weighted(x[0].tensor_split_at([2, -1], 0)?, 0)
    })
    .torch("torch.cat([(i + 1) * p for i, p in enumerate(x[0].tensor_split((2, -1)))], 0)"),
    Case::new("slice", &[Input::real(&[3, 2])], |x| {
        weighted(x[0].unbind(0)?, 0)
    })
    .torch("torch.cat([(i + 1) * p for i, p in enumerate(x[0].unbind())], 0)"),
];

/// Part i times i + 1, joined again.
fn weighted(parts: Vec<Tensor>, dim: isize) -> Result<Tensor> {
    let weighted = (1i32..).zip(&parts).map(|(i, part)| part.mul(i));
    let weighted: Vec<Tensor> = weighted.collect::<Result<_>>()?;
    Tensor::cat(&weighted.iter().collect::<Vec<_>>(), dim)
}

impl Tensor {
    /// Views of `size` positions each along `dim`, the last one of what is left.
    ///
    /// # Errors
    /// If the dimension is out of range, or `size` is 0 while the dimension's is not.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let parts = Tensor::from([1, 2, 3, 4, 5]).split(2, 0)?;
    /// assert_eq!(parts[2].to_vec::<i64>()?, [5]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn split(&self, size: usize, dim: isize) -> Result<Vec<Tensor>> {
        let (_, n) = self.dimension("split", dim)?;
        if size == 0 && n > 0 {
            return Err(err!(
                Value,
                "split: split_size can only be 0 if dimension size is 0, but got dimension size of {n}"
            ));
        }
        let parts = n.div_ceil(size.max(1)).max(1);
        let end = |i: usize| i.saturating_mul(size).min(n);
        self.parts("split", dim, (0..parts).map(|i| (end(i), end(i + 1))))
    }

    /// Views of the given numbers of positions along `dim`, one after the other.
    ///
    /// # Errors
    /// If the dimension is out of range or the sizes do not add up to its size.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let parts = Tensor::from([1, 2, 3]).split_with_sizes([1, 2], 0)?;
    /// assert_eq!(parts[1].to_vec::<i64>()?, [2, 3]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn split_with_sizes(&self, sizes: impl AsRef<[usize]>, dim: isize) -> Result<Vec<Tensor>> {
        let sizes = sizes.as_ref();
        let (d, n) = self.dimension("split_with_sizes", dim)?;
        let total = sizes
            .iter()
            .try_fold(0, |sum: usize, &size| sum.checked_add(size));
        if total != Some(n) {
            return Err(err!(
                Shape,
                "split_with_sizes: expects split_sizes to sum exactly to {n} (input tensor's size at dimension {d}), but \
                 got split_sizes={sizes:?}"
            ));
        }
        let mut start = 0;
        self.parts(
            "split_with_sizes",
            dim,
            sizes.iter().map(|size| {
                let from = start;
                start += size;
                (from, start)
            }),
        )
    }

    /// At most `chunks` views along `dim`, all of one size but for the last. There may be fewer: 7
    /// positions make 4 chunks of 2, 2, 2 and 1 when 5 are asked for.
    ///
    /// # Errors
    /// If the dimension is out of range or `chunks` is 0.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let parts = Tensor::from([1, 2, 3, 4, 5]).chunk(2, 0)?;
    /// assert_eq!(parts[0].to_vec::<i64>()?, [1, 2, 3]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn chunk(&self, chunks: usize, dim: isize) -> Result<Vec<Tensor>> {
        let (_, n) = self.dimension("chunk", dim)?;
        if chunks == 0 {
            return Err(err!(
                Value,
                "chunk: expects `chunks` to be greater than 0, got: 0"
            ));
        }
        if n == 0 {
            return self.parts("chunk", dim, (0..chunks).map(|_| (0, 0)));
        }
        self.split(n.div_ceil(chunks), dim)
    }

    /// Exactly `sections` views along `dim`, whose sizes differ by 1 at most, longer ones first.
    ///
    /// # Errors
    /// If the dimension is out of range or `sections` is 0.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let parts = Tensor::from([1, 2, 3, 4, 5]).tensor_split(3, 0)?;
    /// assert_eq!(parts[2].to_vec::<i64>()?, [5]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn tensor_split(&self, sections: usize, dim: isize) -> Result<Vec<Tensor>> {
        let (_, n) = self.dimension("tensor_split", dim)?;
        if sections == 0 {
            return Err(err!(
                Value,
                "tensor_split: number of sections must be larger than 0, got 0"
            ));
        }
        let (size, longer) = (n / sections, n % sections);
        let start = |i: usize| i * size + i.min(longer);
        self.parts(
            "tensor_split",
            dim,
            (0..sections).map(|i| (start(i), start(i + 1))),
        )
    }

    /// Views along `dim` that end before each of the positions `indices` and, the last, at the end.
    /// As in Python's slices, negative positions count from the end, positions beyond it are cut,
    /// and a view that would end before it begins is empty. PyTorch's `tensor_split` of a list.
    ///
    /// # Errors
    /// If the dimension is out of range.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let parts = Tensor::from([1, 2, 3, 4, 5]).tensor_split_at([1, -1], 0)?;
    /// assert_eq!(parts[1].to_vec::<i64>()?, [2, 3, 4]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn tensor_split_at(&self, indices: impl AsRef<[isize]>, dim: isize) -> Result<Vec<Tensor>> {
        self.dimension("tensor_split_at", dim)?;
        let indices = indices.as_ref();
        let starts = [0].into_iter().chain(indices.iter().copied());
        let ends = indices.iter().copied().chain([isize::MAX]);
        starts
            .zip(ends)
            .map(|(start, end)| self.slice(dim, start, end, 1))
            .collect()
    }

    /// A view of each position along `dim`, which disappears.
    ///
    /// # Errors
    /// If the dimension is out of range.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let rows = Tensor::from([[1, 2], [3, 4]]).unbind(0)?;
    /// assert_eq!(rows[1].to_vec::<i64>()?, [3, 4]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn unbind(&self, dim: isize) -> Result<Vec<Tensor>> {
        let (_, n) = self.dimension("unbind", dim)?;
        let mut parts = room("unbind", n)?;
        for i in 0..n as isize {
            parts.push(self.select(dim, i)?);
        }
        Ok(parts)
    }

    /// The positions from a start to an end along `dim`, each as a view.
    fn parts(
        &self,
        op: &str,
        dim: isize,
        ranges: impl ExactSizeIterator<Item = (usize, usize)>,
    ) -> Result<Vec<Tensor>> {
        let mut parts = room(op, ranges.len())?;
        for (start, end) in ranges {
            parts.push(self.narrow(dim, start, end - start)?);
        }
        Ok(parts)
    }
}

/// A list for `n` parts. A dimension without elements can be cut into any number of them, and one that
/// is broadcast costs no memory however long it is.
fn room(op: &str, n: usize) -> Result<Vec<Tensor>> {
    let mut parts = Vec::new();
    parts.try_reserve_exact(n).map_err(|_| {
        err!(
            Memory,
            "{op}: cannot make {n} parts: the system is out of memory"
        )
    })?;
    Ok(parts)
}
