//! Sorting along a dimension, all of it or the first few.

use super::registry::{Case, Input};
use crate::autograd::{Context, Function, Grad, Grads, Saved, apply};
use crate::dtype::{Number, dispatch, dispatch_number};
use crate::error::{Result, err};
use crate::kernels::scan::Path;
use crate::kernels::sort::{self, Place};
use crate::shape::{Dims, resolve_dim};
use crate::storage::Buffer;
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
    Case::new("gather_backward", &[Input::real(&[2, 2])], |x| {
        let rows = x[0].shape()[0];
        let index = Tensor::from([[2, 0], [1, 1]]).narrow(0, 0, rows)?;
        let (along, shape) = (Along { dim: 1, index }, Dims::from_slice(&[rows, 3]));
        apply(Scatter { along, shape }, &[&x[0]])
    })
    .torch(
        "torch.zeros(2, 3, dtype=x[0].dtype)\
         .scatter_add(1, torch.tensor([[2, 0], [1, 1]]), x[0])",
    ),
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
        Ok((self.gather(dim, &index)?, index))
    }

    /// For each element of `index` the element of this tensor at the same place, but for its position
    /// along `dim`, which is what the index says. All other sizes must agree, and every index be less
    /// than this tensor's size.
    pub(in crate::ops) fn gather(&self, dim: isize, index: &Tensor) -> Result<Tensor> {
        let dim = resolve_dim(dim, self.ndim()).map_err(|e| e.at("gather"))?;
        let index = index.detach();
        apply(Gather(Along { dim, index }), &[self])
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

/// Positions along a dimension.
#[derive(Clone)]
struct Along {
    dim: usize,
    index: Tensor,
}

impl Along {
    /// Calls `f(i, at)` for element number `i` of the index and the place `at` that it names in a
    /// contiguous tensor of this shape.
    fn each(&self, shape: &[usize], mut f: impl FnMut(usize, usize)) -> Result<()> {
        let source = Path::new(shape, self.dim, false);
        let size = Path::new(self.index.shape(), self.dim, false).n * source.width;
        self.index.with_slice::<i64, _>(|index| {
            for (i, &position) in index.iter().enumerate() {
                let row = i / size * source.n + position as usize;
                f(i, row * source.width + i % source.width);
            }
            Ok(())
        })
    }
}

/// Elements by their position along a dimension. The gradient goes back there.
struct Gather(Along);

impl Function for Gather {
    fn name(&self) -> &'static str {
        "gather"
    }

    fn forward(&self, _: &mut Context, x: &[&Tensor]) -> Result<Tensor> {
        let (x, index) = (x[0], &self.0.index);
        let out = dispatch!(x.dtype(), T => x.with_slice::<T, _>(|data| {
            let mut out = Buffer::new::<T>(index.numel())?;
            let elements = out.slice_mut::<T>();
            self.0.each(x.shape(), |i, at| elements[i] = data[at])?;
            Ok(out)
        }))?;
        Ok(Tensor::from_buffer(out, index.layout().shape.clone()))
    }

    fn backward(&self, saved: &Saved<'_>, grad: &Tensor) -> Result<Grads> {
        let scatter = Scatter {
            along: self.0.clone(),
            shape: Dims::from_slice(saved.input_shape(0)?),
        };
        Ok([Grad::Of(apply(scatter, &[grad])?)].into())
    }
}

/// Elements added at their position along a dimension of zeros.
struct Scatter {
    along: Along,
    shape: Dims,
}

impl Function for Scatter {
    fn name(&self) -> &'static str {
        "gather_backward"
    }

    fn forward(&self, _: &mut Context, x: &[&Tensor]) -> Result<Tensor> {
        let out = dispatch_number!(self.name(), x[0].dtype(), T => x[0].with_slice::<T, _>(|x| {
            let mut out = Buffer::new::<T>(self.shape.iter().product())?;
            let sums = out.slice_mut::<T>();
            sums.fill(T::ZERO);
            self.along.each(&self.shape, |i, at| sums[at] = sums[at].plus(x[i]))?;
            Ok(out)
        }))?;
        Ok(Tensor::from_buffer(out, self.shape.clone()))
    }

    fn backward(&self, _: &Saved<'_>, grad: &Tensor) -> Result<Grads> {
        Ok([Grad::Of(apply(Gather(self.along.clone()), &[grad])?)].into())
    }
}
