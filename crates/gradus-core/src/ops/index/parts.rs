//! Views of parts by name: `narrow`, `slice`, `select`. [`Tensor::i`] does all of it in one call.

use super::indices::Slice;
use super::selection::{Selection, position};
use crate::error::{Result, err};
use crate::ops::registry::{Case, Input};
use crate::tensor::Tensor;

pub(in crate::ops) const CASES: &[Case] = &[
    Case::new("slice", &[Input::real(&[5, 3])], |x| x[0].narrow(0, 1, 2))
        .torch("x[0].narrow(0, 1, 2)"),
    Case::new("slice", &[Input::real(&[3, 5])], |x| x[0].slice(1, 0, 5, 2)).torch("x[0][:, 0:5:2]"),
    Case::new("slice", &[Input::real(&[3, 5])], |x| x[0].select(-1, -2))
        .torch("x[0].select(-1, -2)"),
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
        let strip = (start, end - start, 1);
        self.read("slice", Selection::strip(self.shape(), d, strip))
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
        let slice = Slice {
            start: Some(start),
            stop: Some(end),
            step: isize::try_from(step).unwrap_or(isize::MAX),
        };
        let strip = slice.resolve("slice", n)?;
        self.read("slice", Selection::strip(self.shape(), d, strip))
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
        let at = position("select", index as i64, Some(d), n)?;
        self.read("slice", Selection::layer(self.shape(), d, at))
    }
}
