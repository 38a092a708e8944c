//! What elements there are, and how many of each: unique ones, histograms.

use super::registry::{Case, Input};
use crate::dtype::{DType, dispatch, dispatch_float};
use crate::error::{Result, err};
use crate::kernels::sort::{NAN, key};
use crate::shape::{Dims, resolve_dim};
use crate::storage::Buffer;
use crate::tensor::Tensor;

const INPUT: &[Input] = &[Input::integers(&[4, 5], -3, 4)];

pub(super) const CASES: &[Case] = &[
    Case::new("unique", INPUT, |x| Ok(x[0].unique()?.values))
        .torch("x[0].unique()")
        .constant(),
    Case::new("unique", INPUT, |x| Ok(x[0].unique()?.inverse))
        .torch("x[0].unique(return_inverse=True)[1]")
        .constant(),
    Case::new("unique", INPUT, |x| Ok(x[0].unique()?.counts))
        .torch("x[0].unique(return_counts=True)[1]")
        .constant(),
    Case::new("unique_dim", &[Input::integers(&[7, 2], 0, 2)], |x| {
        Ok(x[0].unique_dim(0)?.values)
    })
    .torch("x[0].unique(dim=0)")
    .constant(),
    Case::new("unique_dim", &[Input::integers(&[2, 7], 0, 2)], |x| {
        Ok(x[0].unique_dim(1)?.inverse)
    })
    .torch("x[0].unique(dim=1, return_inverse=True)[1]")
    .constant(),
    Case::new("unique_consecutive", &[Input::integers(&[12], 0, 2)], |x| {
        Ok(x[0].unique_consecutive()?.counts)
    })
    .torch("x[0].unique_consecutive(return_counts=True)[1]")
    .constant(),
    Case::new("histc", &[Input::real(&[5, 7])], |x| {
        x[0].detach().histc(6, 0.0, 0.0)
    })
    .torch("x[0].histc(6)")
    .constant(),
    Case::new("histc", &[Input::real(&[5, 7])], |x| {
        x[0].detach().histc(4, -1.0, 1.5)
    })
    .torch("x[0].histc(4, -1.0, 1.5)")
    .constant(),
    Case::new("bincount", &[Input::integers(&[9], 0, 6)], |x| {
        x[0].bincount(None, 8)
    })
    .torch("x[0].bincount(minlength=8)")
    .constant(),
    Case::new(
        "bincount",
        &[Input::integers(&[9], 0, 6), Input::real(&[9])],
        |x| x[0].bincount(Some(&x[1].detach()), 0),
    )
    .torch("x[0].bincount(x[1].detach())")
    .constant(),
];

/// What [`Tensor::unique`] and its relatives find.
///
/// ```
/// # use gradus_core::Tensor;
/// let found = Tensor::from([3, 1, 3]).unique()?;
/// assert_eq!(found.values.to_vec::<i64>()?, [1, 3]);
/// assert_eq!(found.inverse.to_vec::<i64>()?, [1, 0, 1]);
/// assert_eq!(found.counts.to_vec::<i64>()?, [1, 2]);
/// # Ok::<(), gradus_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Unique {
    /// The different elements, without history.
    pub values: Tensor,
    /// For each element of the input where it is among the values (i64).
    pub inverse: Tensor,
    /// How often each value occurs (i64).
    pub counts: Tensor,
}

impl Tensor {
    /// The different elements of the tensor, sorted. A NaN equals nothing, so each of them is one
    /// of its own.
    ///
    /// # Errors
    /// If there is no memory for the result.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([[2, 1], [2, 5]]);
    /// assert_eq!(x.unique()?.values.to_vec::<i64>()?, [1, 2, 5]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn unique(&self) -> Result<Unique> {
        let flat = self.detach().reshape([-1])?;
        flat.distinct(0, true, self.shape())
    }

    /// The elements of the flattened tensor without those that equal the one before them.
    ///
    /// # Errors
    /// If there is no memory for the result.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let found = Tensor::from([1, 1, 2, 1]).unique_consecutive()?;
    /// assert_eq!(found.values.to_vec::<i64>()?, [1, 2, 1]);
    /// assert_eq!(found.counts.to_vec::<i64>()?, [2, 1, 1]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn unique_consecutive(&self) -> Result<Unique> {
        let flat = self.detach().reshape([-1])?;
        flat.distinct(0, false, self.shape())
    }

    /// The different slices along `dim`, sorted by their elements in row-major order.
    ///
    /// # Errors
    /// If the dimension is out of range, or the slices have no elements.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let found = Tensor::from([[3, 1], [2, 2], [3, 1]]).unique_dim(0)?;
    /// assert_eq!(found.values.to_vec::<i64>()?, [2, 2, 3, 1]);
    /// assert_eq!(found.inverse.to_vec::<i64>()?, [1, 0, 1]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn unique_dim(&self, dim: isize) -> Result<Unique> {
        let d = resolve_dim(dim, self.ndim()).map_err(|e| e.at("unique_dim"))?;
        if self.ndim() == 0 {
            return self.unique();
        }
        let n = self.shape()[d];
        if self.numel() == 0 && n > 0 {
            return Err(err!(
                Shape,
                "unique_dim: There are 0 sized dimensions, and they aren't selected, so unique cannot be applied to \
                 shape {:?}",
                self.shape()
            ));
        }
        self.detach().distinct(d, true, &[n])
    }

    /// The different slices along `dim`: of all of them, or only of neighbours. The inverse gets
    /// the shape `of`.
    fn distinct(&self, dim: usize, sorted: bool, of: &[usize]) -> Result<Unique> {
        let n = self.shape()[dim];
        let rows = self.transpose(0, dim as isize)?;
        let keys: Vec<u64> = dispatch!(self.dtype(), T => {
            rows.with_slice::<T, _>(|x| Ok(x.iter().map(|&x| key(x)).collect()))
        })?;
        let width = keys.len().checked_div(n).unwrap_or(0);
        let row = |i: usize| &keys[i * width..(i + 1) * width];
        let mut order: Vec<usize> = (0..n).collect();
        match width {
            _ if !sorted => {}
            1 => order.sort_by_key(|&i| keys[i]),
            _ => order.sort_by(|&i, &j| row(i).cmp(row(j))),
        }
        let is_float = self.dtype().is_float();
        let equal =
            |&i: &usize, &j: &usize| row(i) == row(j) && !(is_float && row(i).contains(&NAN));
        let (mut first, mut counts, mut inverse) = (vec![], vec![], vec![0; n]);
        for group in order.chunk_by(equal) {
            group.iter().for_each(|&i| inverse[i] = counts.len() as i64);
            counts.push(group.len() as i64);
            first.push(group[0] as i64);
        }
        let m = first.len();
        Ok(Unique {
            values: self.index_select(dim as isize, &Tensor::from_vec(first, m)?)?,
            inverse: Tensor::from_vec(inverse, of)?,
            counts: Tensor::from_vec(counts, m)?,
        })
    }

    /// How many elements fall into each of `bins` intervals of equal width from `min` to `max`, in
    /// the tensor's dtype. If both are equal, the smallest and the largest element are taken. The
    /// last interval includes its upper end; elements outside, and NaN, are not counted.
    ///
    /// # Errors
    /// For no bins, a range that is not finite or in which `max` is below `min`, or a dtype that is
    /// not floating point.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([1.0, 2.0, 1.5, 4.0]);
    /// assert_eq!(x.histc(3, 1.0, 4.0)?.to_vec::<f32>()?, [2.0, 1.0, 1.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn histc(&self, bins: usize, min: f64, max: f64) -> Result<Tensor> {
        self.dtype().expect_float("histc")?;
        if bins == 0 {
            return Err(err!(Value, "histc: bins must be > 0, but got 0"));
        }
        if max < min {
            return Err(err!(
                Value,
                "histc: max must be larger than min, got min {min} and max {max}"
            ));
        }
        let (mut min, mut max) = (min, max);
        if min == max && self.numel() > 0 {
            let (low, high) = self.detach().aminmax(..)?;
            (min, max) = (low.item()?, high.item()?);
        }
        if !min.is_finite() || !max.is_finite() {
            return Err(err!(
                Value,
                "histc: range of [{min}, {max}] is not finite; give min and max"
            ));
        }
        if min == max {
            (min, max) = (min - 1.0, max + 1.0);
        }
        let counts = dispatch_float!("histc", self.dtype(), T => self.with_slice::<T, _>(|x| {
            let (low, high) = (<T as crate::Element>::from_f64(min), <T as crate::Element>::from_f64(max));
            let scale = <T as crate::Element>::from_f64(bins as f64);
            Buffer::build(bins, |counts: &mut [i64]| {
                counts.fill(0);
                for &x in x.iter().filter(|&&x| low <= x && x <= high) {
                    let bin = crate::Element::to_i64((x - low) * scale / (high - low)) as usize;
                    counts[bin.min(bins - 1)] += 1;
                }
            })
        }))?;
        Tensor::from_buffer(counts, Dims::from_slice(&[bins])).to_dtype(self.dtype())
    }

    /// How often each of the numbers 0, 1, … occurs in this vector of integers, up to the largest
    /// one and at least `minlength` of them; with `weights`, the sum of the weights of its
    /// occurrences. The result is i64, with weights their dtype (f64 for integers).
    ///
    /// # Errors
    /// If this is no vector of integers that are not negative, or the weights have another shape.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([0, 2, 2]);
    /// assert_eq!(x.bincount(None, 0)?.to_vec::<i64>()?, [1, 0, 2]);
    /// let weights = Tensor::from([0.5, 1.0, 2.0]);
    /// assert_eq!(x.bincount(Some(&weights), 4)?.to_vec::<f32>()?, [0.5, 0.0, 3.0, 0.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn bincount(&self, weights: Option<&Tensor>, minlength: usize) -> Result<Tensor> {
        if self.dtype().is_float() || self.dtype() == DType::Bool || self.ndim() != 1 {
            return Err(err!(
                Value,
                "bincount: only supports 1-d non-negative integral inputs, got {} of shape {:?}",
                self.dtype(),
                self.shape()
            ));
        }
        if let Some(w) = weights.filter(|w| w.shape() != self.shape()) {
            return Err(err!(
                Shape,
                "bincount: weights should be 1-d and have the same length as input, got {:?} and {:?}",
                w.shape(),
                self.shape()
            ));
        }
        let numbers: Vec<i64> = self.to_vec()?;
        if let Some(x) = numbers.iter().find(|&&x| x < 0) {
            return Err(err!(
                Value,
                "bincount: only supports 1-d non-negative integral inputs, got {x}"
            ));
        }
        let largest = numbers.iter().max();
        let n = minlength.max(largest.map_or(0, |&x| (x as usize).saturating_add(1)));
        crate::shape::numel(&[n]).map_err(|e| e.at("bincount"))?;
        let shape = Dims::from_slice(&[n]);
        let Some(weights) = weights else {
            let counts = Buffer::build(n, |counts: &mut [i64]| {
                counts.fill(0);
                numbers.iter().for_each(|&x| counts[x as usize] += 1);
            })?;
            return Ok(Tensor::from_buffer(counts, shape));
        };
        let weighed: Vec<f64> = weights.to_vec()?;
        let sums = Buffer::build(n, |sums: &mut [f64]| {
            sums.fill(0.0);
            numbers
                .iter()
                .zip(&weighed)
                .for_each(|(&x, w)| sums[x as usize] += w);
        })?;
        let dtype = match weights.dtype() {
            dtype if dtype.is_float() => dtype,
            _ => DType::F64,
        };
        Tensor::from_buffer(sums, shape).to_dtype(dtype)
    }
}
