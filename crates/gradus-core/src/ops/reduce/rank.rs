//! Elements by their rank: medians, quantiles, the k-th smallest, the most frequent.

use super::super::registry::{Case, Input};
use super::super::{Operand, Scalar};
use super::{Dimensions, Reduction, keepdim};
use crate::dtype::dispatch;
use crate::error::{Result, err};
use crate::kernels::sort::{self, NAN, Place};
use crate::shape::Dims;
use crate::tensor::Tensor;

const INPUT: &[Input] = &[Input::real(&[2, 3, 4])];

pub(in super::super) const CASES: &[Case] = &[
    Case::new("gather", INPUT, |x| Ok(x[0].median(1)?.0)).torch("x[0].median(1)[0]"),
    Case::new("gather", INPUT, |x| Ok(x[0].median(..)?.0)).torch("x[0].median()"),
    Case::new("gather", INPUT, |x| Ok(x[0].log()?.nanmedian(2)?.0))
        .torch("x[0].log().nanmedian(2)[0]"),
    Case::new("gather", INPUT, |x| Ok(x[0].kthvalue(2, keepdim(-1))?.0))
        .torch("x[0].kthvalue(2, -1, keepdim=True)[0]"),
    Case::new("kthvalue", INPUT, |x| Ok(x[0].kthvalue(2, 0)?.1))
        .torch("x[0].kthvalue(2, 0)[1]")
        .constant(),
    Case::new("mode", &[Input::integers(&[3, 7], 0, 3)], |x| {
        Ok(x[0].mode(1)?.0)
    })
    .torch("x[0].mode(1)[0]")
    .constant(),
    Case::new("gather", INPUT, |x| x[0].quantile(0.4, ..)).torch("x[0].quantile(0.4)"),
    Case::new("gather", INPUT, |x| {
        x[0].quantile(&Tensor::from([0.25, 0.75, 1.0]), keepdim(1))
    })
    .torch("x[0].quantile(torch.tensor([0.25, 0.75, 1.0], dtype=x[0].dtype), 1, keepdim=True)"),
    Case::new("gather", INPUT, |x| {
        x[0].quantile_with(0.4, 2, Interpolation::Lower)
    })
    .torch("x[0].quantile(0.4, 2, interpolation='lower')"),
    Case::new("gather", INPUT, |x| {
        x[0].quantile_with(0.4, 2, Interpolation::Higher)
    })
    .torch("x[0].quantile(0.4, 2, interpolation='higher')"),
    Case::new("gather", INPUT, |x| {
        x[0].quantile_with(0.4, 2, Interpolation::Midpoint)
    })
    .torch("x[0].quantile(0.4, 2, interpolation='midpoint')"),
    Case::new("gather", INPUT, |x| {
        x[0].quantile_with(0.4, 2, Interpolation::Nearest)
    })
    .torch("x[0].quantile(0.4, 2, interpolation='nearest')"),
];

/// What a quantile is that falls between two elements.
///
/// ```
/// use gradus_core::{Tensor, ops::Interpolation};
/// let x = Tensor::from([1.0, 2.0]);
/// assert_eq!(x.quantile(0.25, 0)?.item::<f32>()?, 1.25);
/// assert_eq!(x.quantile_with(0.25, 0, Interpolation::Higher)?.item::<f32>()?, 2.0);
/// # Ok::<(), gradus_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Interpolation {
    /// Between them, by the distance to each.
    #[default]
    Linear,
    /// The smaller one.
    Lower,
    /// The larger one.
    Higher,
    /// Their mean.
    Midpoint,
    /// The nearer one; in the middle, the one of even rank.
    Nearest,
}

impl Interpolation {
    /// The ranks of the two elements that rank `r` is between, and the weight of the second.
    fn between(self, r: f64) -> (f64, f64, f64) {
        let (low, high) = (r.floor(), r.ceil());
        match self {
            Self::Linear => (low, high, r - low),
            Self::Lower => (low, low, 0.0),
            Self::Higher => (high, high, 0.0),
            Self::Midpoint => (low, high, 0.5),
            Self::Nearest => (r.round_ties_even(), r.round_ties_even(), 0.0),
        }
    }
}

impl Tensor {
    /// The median over `dims` and its position (i64): the smaller of the two in the middle for an
    /// even number of elements, NaN if there is one. Over several dimensions positions count in
    /// row-major order. The gradient flows to the element at that position.
    ///
    /// # Errors
    /// If a dimension is out of range or named twice, or there are no elements.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let (value, index) = Tensor::from([5.0, 1.0, 3.0, 2.0]).median(0)?;
    /// assert_eq!((value.item::<f32>()?, index.item::<i64>()?), (2.0, 3));
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn median(&self, dims: impl Dimensions) -> Result<(Tensor, Tensor)> {
        // The elements that are no numbers come after all that are.
        self.ranked("median", dims, |n, numbers| {
            if numbers < n { numbers } else { (n - 1) / 2 }
        })
    }

    /// The median of the elements that are not NaN, and its position; NaN where there are none.
    /// Otherwise like [`median`](Tensor::median).
    ///
    /// # Errors
    /// As [`median`](Tensor::median).
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let (value, index) = Tensor::from([f32::NAN, 1.0, 3.0]).nanmedian(0)?;
    /// assert_eq!((value.item::<f32>()?, index.item::<i64>()?), (1.0, 1));
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn nanmedian(&self, dims: impl Dimensions) -> Result<(Tensor, Tensor)> {
        self.ranked("nanmedian", dims, |_, numbers| {
            numbers.saturating_sub(1) / 2
        })
    }

    /// The `k`-th smallest element over `dims`, counted from 1, and its position (i64). NaN counts
    /// as largest. The gradient flows to the element at that position.
    ///
    /// # Errors
    /// If a dimension is out of range or named twice, or there are fewer than `k` elements; for `k`
    /// = 0.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let (value, index) = Tensor::from([5, 1, 3]).kthvalue(2, 0)?;
    /// assert_eq!((value.item::<i64>()?, index.item::<i64>()?), (3, 2));
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn kthvalue(&self, k: usize, dims: impl Dimensions) -> Result<(Tensor, Tensor)> {
        let over = Reduction::not_empty("kthvalue", self, dims)?;
        let n = over.count(self.shape());
        if k == 0 || k > n {
            return Err(err!(
                Value,
                "kthvalue: selected number k out of range: k is {k}, there are {n} elements; k counts from 1"
            ));
        }
        self.ranked("kthvalue", &over, |_, _| k - 1)
    }

    /// The element of the rank that `rank` says, given the number of elements and how many of them
    /// are not NaN.
    fn ranked(
        &self,
        op: &str,
        dims: impl Dimensions,
        rank: impl Fn(usize, usize) -> usize + Sync,
    ) -> Result<(Tensor, Tensor)> {
        let is_float = self.dtype().is_float();
        self.pick(op, dims, |places| {
            let rank = rank(places.len(), numbers(places, is_float));
            *places.select_nth_unstable(rank).1
        })
    }

    /// The most frequent element over `dims`, the smallest of several such, and the position of the
    /// last of it (i64). A NaN equals nothing, so it is the mode of nothing but NaN. The gradient
    /// flows to the element at that position.
    ///
    /// # Errors
    /// If a dimension is out of range or named twice, or there are no elements.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let (value, index) = Tensor::from([3, 1, 3, 2]).mode(0)?;
    /// assert_eq!((value.item::<i64>()?, index.item::<i64>()?), (3, 2));
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn mode(&self, dims: impl Dimensions) -> Result<(Tensor, Tensor)> {
        let is_float = self.dtype().is_float();
        self.pick("mode", dims, |places| {
            places.sort_unstable();
            let equal = |a: &Place, b: &Place| a.key() == b.key() && !(is_float && a.key() == NAN);
            let runs = places.chunk_by(equal);
            // Of equally long runs the first.
            let longest = runs.reduce(|a, b| if b.len() > a.len() { b } else { a });
            *longest.and_then(<[Place]>::last).expect("not empty")
        })
    }

    /// The element that `pick` chooses among those that are reduced together, and its position.
    fn pick(
        &self,
        op: &str,
        dims: impl Dimensions,
        pick: impl Fn(&mut [Place]) -> Place + Sync,
    ) -> Result<(Tensor, Tensor)> {
        let over = Reduction::not_empty(op, self, dims)?;
        let n = over.count(self.shape());
        let rows = over.rows(&self.detach())?;
        let index = dispatch!(self.dtype(), T => rows.with_slice::<T, _>(|x| {
            sort::pick(x, n, 1, false, |places, out: &mut [i64]| out[0] = pick(places).position())
        }))?;
        let index = Tensor::from_buffer(index, over.shape(self.shape()));
        Ok((over.take(self, &index)?, index))
    }

    /// The quantiles `q` (from 0 to 1) over `dims`: the elements below which the part `q` of all
    /// lies, on a line between two elements where it falls between them. `q` is a number, or a
    /// vector whose size becomes the first dimension of the result. NaN if there is one, and between
    /// infinite elements.
    ///
    /// The gradient flows to the two elements.
    ///
    /// # Errors
    /// If a dimension is out of range or named twice, there are no elements, `q` is not within 0 and
    /// 1 or has more than one dimension, or the dtype is not floating point.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([[1.0, 2.0, 5.0], [3.0, 4.0, 4.0]]);
    /// assert_eq!(x.quantile(0.25, 1)?.to_vec::<f32>()?, [1.5, 3.5]);
    /// assert_eq!(x.quantile(&Tensor::from([0.0, 1.0]), ..)?.to_vec::<f32>()?, [1.0, 5.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn quantile<'a>(&self, q: impl Into<Operand<'a>>, dims: impl Dimensions) -> Result<Tensor> {
        self.quantile_with(q, dims, Interpolation::Linear)
    }

    /// [`quantile`](Tensor::quantile) with a choice of what lies between two elements.
    ///
    /// # Errors
    /// As [`quantile`](Tensor::quantile).
    ///
    /// ```
    /// use gradus_core::{Tensor, ops::Interpolation};
    /// let x = Tensor::from([1.0, 2.0, 5.0]);
    /// assert_eq!(x.quantile_with(0.7, 0, Interpolation::Lower)?.item::<f32>()?, 2.0);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn quantile_with<'a>(
        &self,
        q: impl Into<Operand<'a>>,
        dims: impl Dimensions,
        interpolation: Interpolation,
    ) -> Result<Tensor> {
        self.dtype().expect_float("quantile")?;
        let (q, count) = levels(q.into())?;
        let over = Reduction::not_empty("quantile", self, dims)?;
        let n = over.count(self.shape());
        let between = q.iter().map(|q| interpolation.between(q * (n - 1) as f64));
        let between: Vec<_> = between.collect();

        // Two positions for each quantile: all lower ones, then all upper ones.
        let rows = over.rows(self)?;
        let mut shape = over.sizes(self.shape(), false);
        shape.push(2 * q.len());
        let index = dispatch!(self.dtype(), T => rows.detach().with_slice::<T, _>(|x| {
            sort::pick(x, n, (2 * q.len()).max(1), false, |places, out: &mut [i64]| {
                places.sort_unstable();
                let numbers = numbers(places, true);
                let at = |rank: f64| places[if numbers < n { numbers } else { rank as usize }].position();
                let (lower, upper) = out.split_at_mut(q.len());
                for ((&(low, high, _), l), u) in between.iter().zip(lower).zip(upper) {
                    (*l, *u) = (at(low), at(high));
                }
            })
        }))?;
        let both = rows.gather(-1, &Tensor::from_buffer(index, shape))?;
        let mut y = both.narrow(-1, 0, q.len())?;
        if matches!(
            interpolation,
            Interpolation::Linear | Interpolation::Midpoint
        ) {
            let weights: Vec<f64> = between.iter().map(|b| b.2).collect();
            let weights = Tensor::from_vec(weights, [q.len()])?.to_dtype(self.dtype())?;
            let upper = both.narrow(-1, q.len(), q.len())?;
            y = y.add(&upper.sub(&y)?.mul(&weights)?)?;
        }
        let mut shape: Dims = count.into_iter().collect();
        shape.extend_from_slice(&over.shape(self.shape()));
        let first: Vec<isize> = (-1..y.ndim() as isize - 1).collect();
        y.permute(first)?.reshape(&shape)
    }
}

/// How many of these are not NaN.
fn numbers(places: &[Place], is_float: bool) -> usize {
    let is_nan = |place: &&Place| is_float && place.key() == NAN;
    places.len() - places.iter().filter(is_nan).count()
}

/// What `quantile` is asked for, and how many if that is a vector.
fn levels(q: Operand<'_>) -> Result<(Vec<f64>, Option<usize>)> {
    let (levels, count) = match q {
        Operand::Scalar(Scalar::Float(q)) => (vec![q], None),
        Operand::Scalar(Scalar::Int(q)) => (vec![q as f64], None),
        Operand::Scalar(Scalar::Bool(q)) => (vec![f64::from(q)], None),
        Operand::Tensor(q) if q.ndim() < 2 => (q.to_vec()?, q.shape().first().copied()),
        Operand::Tensor(q) => {
            return Err(err!(
                Shape,
                "quantile: q must be a scalar or 1D tensor, got shape {:?}",
                q.shape()
            ));
        }
    };
    match levels.iter().find(|q| !(0.0..=1.0).contains(*q)) {
        None => Ok((levels, count)),
        Some(q) => Err(err!(
            Value,
            "quantile: q must be in the range [0, 1] but got {q}"
        )),
    }
}
