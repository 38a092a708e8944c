//! Positions as results: where something is not 0, where it would be put, one-hot rows. Integers,
//! so without gradients.

use crate::dtype::{DType, Number, dispatch_number};
use crate::error::{Result, err};
use crate::kernels::map::{self, Cost};
use crate::ops::registry::{Case, Input};
use crate::ops::{Operand, promoted};
use crate::shape::{Show, contiguous_strides, numel};
use crate::storage::Buffer;
use crate::tensor::Tensor;

pub(in crate::ops) const CASES: &[Case] = &[
    Case::new("nonzero", &[Input::bools(&[3, 4])], |x| x[0].nonzero())
        .torch("x[0].nonzero()")
        .constant(),
    Case::new("argwhere", &[Input::integers(&[2, 3, 2], -1, 2)], |x| {
        x[0].argwhere()
    })
    .torch("torch.argwhere(x[0])")
    .constant(),
    Case::new("one_hot", &[Input::integers(&[2, 3], 0, 5)], |x| {
        x[0].one_hot(6)
    })
    .torch("F.one_hot(x[0], 6)")
    .constant(),
    Case::new("one_hot", &[Input::integers(&[4], 0, 5)], |x| {
        x[0].one_hot(None)
    })
    .torch("F.one_hot(x[0])")
    .constant(),
    Case::new("searchsorted", &[Input::real(&[3, 4])], |x| {
        Tensor::linspace(-1.5, 1.5, 7, x[0].dtype())?.searchsorted(&x[0], false)
    })
    .torch("torch.searchsorted(torch.linspace(-1.5, 1.5, 7, dtype=x[0].dtype), x[0])")
    .constant(),
    Case::new("searchsorted", &[Input::integers(&[2, 5], 0, 9)], |x| {
        Tensor::from([[1, 3, 3, 7], [0, 2, 4, 6]]).searchsorted(&x[0], true)
    })
    .torch("torch.searchsorted(torch.tensor([[1, 3, 3, 7], [0, 2, 4, 6]]), x[0], right=True)")
    .constant(),
    Case::new("bucketize", &[Input::integers(&[2, 5], 0, 9)], |x| {
        x[0].bucketize(&Tensor::from([1, 3, 3, 7]), false)
    })
    .torch("torch.bucketize(x[0], torch.tensor([1, 3, 3, 7]))")
    .constant(),
];

impl Tensor {
    /// The positions of the elements that are not 0 (NaN is not), in row-major order: an i64 tensor
    /// of shape `[count, ndim]`. [`nonzero_tuple`](Tensor::nonzero_tuple) has them by dimension.
    ///
    /// # Errors
    /// If there is no memory for the result.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([[0, 5], [6, 0]]);
    /// assert_eq!(x.nonzero()?.to_vec::<i64>()?, [0, 1, 1, 0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn nonzero(&self) -> Result<Tensor> {
        let at = self.true_positions()?;
        let shape = [at.len(), self.ndim()];
        let mut rest: Vec<i64> = Vec::new();
        let n = numel(&shape)?;
        rest.try_reserve_exact(n)
            .map_err(|_| err!(Memory, "nonzero: no memory for {n} positions"))?;
        let strides = contiguous_strides(self.shape());
        for mut i in at {
            for &stride in &strides {
                rest.push(i as i64 / stride as i64);
                i %= stride as usize;
            }
        }
        Tensor::from_vec(rest, shape)
    }

    /// The positions of the elements that are not 0, one vector for each dimension: what
    /// [`i`](Tensor::i) takes for a list of positions in several dimensions. A 0-d tensor counts as
    /// a vector of one element.
    ///
    /// # Errors
    /// If there is no memory for the result.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([[0, 5], [6, 0]]);
    /// let [rows, columns] = &x.nonzero_tuple()?[..] else { unreachable!() };
    /// assert_eq!(rows.to_vec::<i64>()?, [0, 1]);
    /// assert_eq!(x.i((rows, columns))?.to_vec::<i64>()?, [5, 6]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn nonzero_tuple(&self) -> Result<Vec<Tensor>> {
        if self.ndim() == 0 {
            return self.detach().reshape([1])?.nonzero_tuple();
        }
        let all = self.nonzero()?.t()?.contiguous()?;
        (0..self.ndim() as isize)
            .map(|d| all.select(0, d))
            .collect()
    }

    /// [`nonzero`](Tensor::nonzero) by its NumPy name.
    ///
    /// # Errors
    /// If there is no memory for the result.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([0, 5, 6]).argwhere()?.to_vec::<i64>()?, [1, 2]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn argwhere(&self) -> Result<Tensor> {
        self.nonzero()
    }

    /// A row for each element of this integer tensor, i64: 1 at the position that it says, else 0.
    /// The last size is `num_classes`, or the largest element plus 1 if that is `None`.
    ///
    /// # Errors
    /// For other dtypes, for elements that are negative or not less than `num_classes`, and for
    /// `None` if there are no elements.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([0, 2]).one_hot(3)?.to_vec::<i64>()?, [1, 0, 0, 0, 0, 1]);
    /// assert_eq!(Tensor::from([[0], [3]]).one_hot(None)?.shape(), [2, 1, 4]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn one_hot(&self, num_classes: impl Into<Option<usize>>) -> Result<Tensor> {
        if self.dtype().is_float() || self.dtype() == DType::Bool {
            return Err(err!(
                DType,
                "one_hot: is only applicable to integer tensors, got {}; convert with to_dtype(DType::I64)",
                self.dtype()
            ));
        }
        let classes = self.to_vec::<i64>()?;
        if let Some(class) = classes.iter().find(|&&class| class < 0) {
            return Err(err!(
                Value,
                "one_hot: Class values must be non-negative, got {class}"
            ));
        }
        let largest = classes.iter().max().copied();
        let n = num_classes
            .into()
            .or(largest.map(|class| (class as usize).saturating_add(1)));
        let n = n.ok_or_else(|| {
            err!(
                Value,
                "one_hot: Can not infer total number of classes from empty tensor; say num_classes"
            )
        })?;
        if let Some(class) = largest.filter(|&class| class as usize >= n) {
            return Err(err!(
                Value,
                "one_hot: Class values must be smaller than num_classes, got {class} with {n} classes"
            ));
        }
        let mut shape = self.layout().shape.clone();
        shape.push(n);
        let size = numel(&shape).map_err(|e| e.at("one_hot"))?;
        let out = Buffer::build(size, |out: &mut [i64]| {
            out.fill(0);
            for (row, &class) in out.chunks_exact_mut(n.max(1)).zip(&classes) {
                row[class as usize] = 1;
            }
        })?;
        Ok(Tensor::from_buffer(out, shape))
    }

    /// Where each of `values` would be put into this sorted sequence so that it stays sorted (i64):
    /// before equal elements, or behind them if `right` says so. NaN goes to the end.
    ///
    /// Of several dimensions the last one is the sequence; `values` then has the same other sizes,
    /// and each row is looked up in its own sequence. Whether the sequence is sorted is not checked.
    ///
    /// # Errors
    /// If this is a 0-d or bool tensor, or the shapes do not fit.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let edges = Tensor::from([1, 3, 5]);
    /// assert_eq!(edges.searchsorted(&Tensor::from([3, 6]), false)?.to_vec::<i64>()?, [1, 3]);
    /// assert_eq!(edges.searchsorted(3, true)?.item::<i64>()?, 2);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn searchsorted<'a>(
        &'a self,
        values: impl Into<Operand<'a>>,
        right: bool,
    ) -> Result<Tensor> {
        self.positions_of("searchsorted", values.into(), right)
    }

    /// The number of the bucket that each element falls into (i64), where `boundaries` is a sorted
    /// vector: how many boundaries are less than it, or not greater if `right` says so.
    ///
    /// # Errors
    /// If `boundaries` is no vector; for bool.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([0.5, 1.0, 7.0]);
    /// assert_eq!(x.bucketize(&Tensor::from([1.0, 2.0]), false)?.to_vec::<i64>()?, [0, 0, 2]);
    /// assert_eq!(x.bucketize(&Tensor::from([1.0, 2.0]), true)?.to_vec::<i64>()?, [0, 1, 2]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn bucketize(&self, boundaries: &Tensor, right: bool) -> Result<Tensor> {
        if boundaries.ndim() != 1 {
            return Err(err!(
                Shape,
                "bucketize: boundaries tensor must be 1 dimension, but got dim({}) with shape {}",
                boundaries.ndim(),
                Show(boundaries.shape())
            ));
        }
        boundaries.positions_of("bucketize", self.into(), right)
    }

    fn positions_of(&self, op: &str, values: Operand<'_>, right: bool) -> Result<Tensor> {
        let (sorted, values) = promoted(self, values)?;
        let outer = |x: &Tensor| x.ndim().checked_sub(1).map(|n| x.shape()[..n].to_vec());
        if sorted.ndim() != 1 && (sorted.ndim() == 0 || outer(&sorted) != outer(&values)) {
            return Err(err!(
                Shape,
                "{op}: boundaries tensor should be 1 dimension or the first N-1 dimensions of boundaries tensor and \
                 input value tensor must match, but we got boundaries tensor {} and input value tensor {}",
                Show(sorted.shape()),
                Show(values.shape())
            ));
        }
        let size = |x: &Tensor| x.shape().last().copied().unwrap_or(1);
        dispatch_number!(op, sorted.dtype(), T => {
            let place = |row: &[T], x: T| {
                let less = |b: &T| if right { *b <= x } else { *b < x };
                let before = |b: &T| less(b) || b.is_nan() || x.is_nan();
                row.partition_point(before) as i64
            };
            sorted.with_slice::<T, _>(|sorted_rows| {
                if sorted.ndim() == 1 {
                    let places = values.with::<T, _>(|x| {
                        map::map(x, Cost::High, |x| place(sorted_rows, x))
                    })?;
                    return Ok(Tensor::from_dense(places));
                }
                let places = values.with_slice::<T, _>(|x| Buffer::build(x.len(), |out| {
                    let (n, m) = (size(&sorted), size(&values));
                    for (i, (out, &x)) in out.iter_mut().zip(x).enumerate() {
                        *out = place(&sorted_rows[i / m * n..][..n], x);
                    }
                }))?;
                Ok(Tensor::from_buffer(places, values.layout().shape.clone()))
            })
        })
    }
}
