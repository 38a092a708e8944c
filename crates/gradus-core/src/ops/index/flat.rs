//! Elements by their number in row-major order: `take`, `put`.

use super::selection::Selection;
use crate::error::{Result, err};
use crate::ops::registry::{Case, Input};
use crate::tensor::Tensor;

pub(in crate::ops) const CASES: &[Case] = &[
    Case::new(
        "take",
        &[Input::real(&[3, 4]), Input::integers(&[2, 3], -12, 12)],
        |x| x[0].take(&x[1]),
    )
    .torch("x[0].take(x[1])"),
    Case::new("put", &[Input::real(&[3, 4]), Input::real(&[2])], |x| {
        x[0].put(&Tensor::from([[-1], [4]]), &x[1], false)
    })
    .torch("x[0].put(torch.tensor([[-1], [4]]), x[1])"),
    Case::new(
        "put",
        &[
            Input::real(&[3, 2]),
            Input::integers(&[9], -6, 6),
            Input::real(&[3, 3]),
        ],
        |x| x[0].put(&x[1], &x[2], true),
    )
    .torch("x[0].put(x[1], x[2], accumulate=True)"),
];

impl Tensor {
    /// The elements with these numbers, counted in row-major order over all dimensions; negative
    /// ones from the end. The result has the shape of `index`.
    ///
    /// # Errors
    /// If `index` is no integer tensor or one of them is out of range.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([[1, 2], [3, 4]]);
    /// assert_eq!(x.take(&Tensor::from([2, -1]))?.to_vec::<i64>()?, [3, 4]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn take(&self, index: &Tensor) -> Result<Tensor> {
        self.read("take", self.numbered("take", index)?)
    }

    /// A copy in which the elements of `source`, in row-major order, stand at the numbers that
    /// `index` says (see [`take`](Tensor::take)), or are added to what is there if `accumulate` says
    /// so. `source` has as many elements as `index`. Without `accumulate` the last one stays where
    /// several go to one place.
    ///
    /// # Errors
    /// Those of [`take`](Tensor::take); if number of elements or dtype of `source` do not fit.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([[1, 2], [3, 4]]);
    /// let put = x.put(&Tensor::from([1, -1]), &Tensor::from([8, 9]), false)?;
    /// assert_eq!(put.to_vec::<i64>()?, [1, 8, 3, 9]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn put(&self, index: &Tensor, source: &Tensor, accumulate: bool) -> Result<Tensor> {
        let (places, source) = self.sent("put", index, source)?;
        self.write("put", places, &source, accumulate)
    }

    /// [`put`](Tensor::put) in place.
    ///
    /// # Errors
    /// As [`put`](Tensor::put) and [`add_`](Tensor::add_).
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([[1, 2], [3, 4]]);
    /// x.put_(&Tensor::from([1, 1]), &Tensor::from([8, 9]), true)?;
    /// assert_eq!(x.to_vec::<i64>()?, [1, 19, 3, 4]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn put_(&self, index: &Tensor, source: &Tensor, accumulate: bool) -> Result<()> {
        let (places, source) = self.sent("put_", index, source)?;
        self.write_("put_", places, &source, accumulate)
    }

    /// The elements that `index` names, and those of `source`, which must be as many.
    fn sent(&self, op: &str, index: &Tensor, source: &Tensor) -> Result<(Selection, Tensor)> {
        let places = self.numbered(op, index)?;
        let source = self.same_dtype(op, source.into())?;
        if source.numel() != index.numel() {
            return Err(err!(
                Shape,
                "{op}: Expected source and index to have the same number of elements, but got source.numel() = {}, \
                 index.numel() = {}",
                source.numel(),
                index.numel()
            ));
        }
        Ok((places, source.reshape(index.shape())?))
    }

    fn numbered(&self, op: &str, index: &Tensor) -> Result<Selection> {
        let at = index.positions(op, None, self.numel(), true)?;
        Ok(Selection::flat(self.shape(), at, index.shape()))
    }
}
