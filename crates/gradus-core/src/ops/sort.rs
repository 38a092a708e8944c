//! Sorting along a dimension, all of it or the first few.

use super::registry::{Case, Input};
use crate::dtype::dispatch;
use crate::error::{Result, err};
use crate::kernels::sort::{self, Place};
use crate::shape::resolve_dim;
use crate::tensor::Tensor;

const INPUT: &[Input] = &[Input::real(&[2, 3, 4])];

pub(super) const CASES: &[Case] = &[
    Case::new("gather", INPUT, |x| Ok(x[0].sort(-1, false)?.0)).torch("x[0].sort()[0]"),
    Case::new("gather", INPUT, |x| Ok(x[0].sort(1, true)?.0)).torch("x[0].sort(1, True)[0]"),
    Case::new("argsort", &[Input::integers(&[3, 40], 0, 9)], |x| {
        x[0].argsort(1, false)
    })
    .torch("x[0].argsort(dim=1, stable=True)")
    .constant(),
    Case::new("argsort", &[Input::integers(&[40, 2], 0, 9)], |x| {
        x[0].argsort(0, true)
    })
    .torch("x[0].argsort(dim=0, descending=True, stable=True)")
    .constant(),
    Case::new("gather", INPUT, |x| Ok(x[0].topk(2, -1, true)?.0)).torch("x[0].topk(2)[0]"),
    Case::new("gather", INPUT, |x| Ok(x[0].topk(2, 1, false)?.0))
        .torch("x[0].topk(2, 1, False)[0]"),
    Case::new("topk", INPUT, |x| Ok(x[0].topk(3, -1, true)?.1))
        .torch("x[0].topk(3)[1]")
        .constant(),
];

impl Tensor {
    /// The elements in order along `dim`, from the smallest to the largest or `descending`, and the
    /// positions (i64) they come from. Equal elements keep their order, as with PyTorch's
    /// `stable=True`; NaN counts as largest. The gradient flows back to where the elements come
    /// from.
    ///
    /// # Errors
    /// If the dimension is out of range.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let (values, indices) = Tensor::from([3, 1, 2]).sort(0, false)?;
    /// assert_eq!(values.to_vec::<i64>()?, [1, 2, 3]);
    /// assert_eq!(indices.to_vec::<i64>()?, [1, 2, 0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn sort(&self, dim: isize, descending: bool) -> Result<(Tensor, Tensor)> {
        let index = self.sorted("sort", dim, None, descending)?;
        Ok((self.gather(dim, &index)?, index))
    }

    /// The positions (i64) that put the elements in order along `dim`, as [`sort`](Tensor::sort)
    /// gives them.
    ///
    /// # Errors
    /// If the dimension is out of range.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([3, 1, 2]).argsort(0, true)?.to_vec::<i64>()?, [0, 2, 1]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn argsort(&self, dim: isize, descending: bool) -> Result<Tensor> {
        self.sorted("argsort", dim, None, descending)
    }

    /// The `k` largest elements along `dim`, or the `k` smallest, in order from the most extreme
    /// one, and their positions (i64). Of equal elements the first ones are taken; NaN counts as
    /// largest. The gradient flows back to where the elements come from.
    ///
    /// # Errors
    /// If the dimension is out of range or has fewer than `k` elements.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let (values, indices) = Tensor::from([3, 1, 4, 1, 5]).topk(2, 0, true)?;
    /// assert_eq!(values.to_vec::<i64>()?, [5, 4]);
    /// assert_eq!(indices.to_vec::<i64>()?, [4, 2]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn topk(&self, k: usize, dim: isize, largest: bool) -> Result<(Tensor, Tensor)> {
        let index = self.sorted("topk", dim, Some(k), largest)?;
        if index.ndim() > self.ndim() {
            // No element of a 0-d tensor: a vector without elements.
            return Ok((self.unsqueeze(0)?.gather(0, &index)?, index));
        }
        Ok((self.gather(dim, &index)?, index))
    }

    /// The positions of the first `k` elements (all, if not given) in order along `dim`.
    fn sorted(&self, op: &str, dim: isize, k: Option<usize>, descending: bool) -> Result<Tensor> {
        let d = resolve_dim(dim, self.ndim()).map_err(|e| e.at(op))?;
        let n = self.shape().get(d).copied().unwrap_or(1);
        let k = k.unwrap_or(n);
        if k > n {
            return Err(err!(
                Value,
                "{op}: selected index k out of range: k is {k}, dimension {d} has {n} elements"
            ));
        }
        if self.ndim() == 0 {
            return self
                .unsqueeze(0)?
                .sorted(op, 0, Some(k), descending)?
                .reshape(if k == 1 { &[][..] } else { &[0] });
        }
        let rows = self.detach().transpose(d as isize, -1)?;
        let index = dispatch!(self.dtype(), T => rows.with_slice::<T, _>(|x| {
            sort::pick(x, n, k, descending, |places, out: &mut [i64]| {
                if k < n {
                    places.select_nth_unstable(k);
                }
                let first = &mut places[..k];
                first.sort_unstable();
                out.iter_mut().zip(first).for_each(|(o, p)| *o = Place::position(*p));
            })
        }))?;
        let mut shape = rows.layout().shape.clone();
        shape[self.ndim() - 1] = k;
        Tensor::from_buffer(index, shape).transpose(d as isize, -1)
    }
}
