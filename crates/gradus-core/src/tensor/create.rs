//! Tensors from nothing: constants, ranges, identities, triangles.

use super::{Tensor, operators::expect};
use crate::dtype::{DType, Element, dispatch, dispatch_number};
use crate::error::{Result, err};
use crate::shape::{IntoShape, Show, numel};
use crate::storage::Buffer;
use std::ops::Range;

impl Tensor {
    /// A tensor of `shape` filled with `value`.
    ///
    /// # Errors
    /// If there is no memory for so many elements.
    ///
    /// ```
    /// use gradus_core::{DType, Tensor};
    /// let x = Tensor::full([2, 3], 7.0, DType::I64)?;
    /// assert_eq!(x.to_vec::<i64>()?, [7; 6]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn full(shape: impl IntoShape, value: f64, dtype: DType) -> Result<Self> {
        let shape = shape.into_shape();
        let n = numel(&shape)?;
        let buffer =
            dispatch!(dtype, T => Buffer::build(n, |out: &mut [T]| out.fill(T::from_f64(value))))?;
        Ok(Self::from_buffer(buffer, shape))
    }

    /// An f32 tensor of zeros.
    ///
    /// # Panics
    /// If there is no memory for so many elements; [`full`](Tensor::full) returns an error instead.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::zeros([2, 3]).shape(), [2, 3]);
    /// ```
    #[track_caller]
    pub fn zeros(shape: impl IntoShape) -> Self {
        expect(Self::full(shape, 0.0, DType::F32))
    }

    /// An f32 tensor of ones.
    ///
    /// # Panics
    /// If there is no memory for so many elements; [`full`](Tensor::full) returns an error instead.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::ones([2]).to_vec::<f32>().unwrap(), [1.0, 1.0]);
    /// ```
    #[track_caller]
    pub fn ones(shape: impl IntoShape) -> Self {
        expect(Self::full(shape, 1.0, DType::F32))
    }

    /// Zeros of the shape, dtype and order in memory of this tensor.
    ///
    /// # Errors
    /// If there is no memory for them.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([1.0, 2.0]).zeros_like()?.to_vec::<f32>()?, [0.0, 0.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn zeros_like(&self) -> Result<Self> {
        self.filled(0.0)
    }

    /// Ones of the shape, dtype and order in memory of this tensor.
    ///
    /// # Errors
    /// If there is no memory for them.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([5, 6]).ones_like()?.to_vec::<i64>()?, [1, 1]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn ones_like(&self) -> Result<Self> {
        self.filled(1.0)
    }

    /// `value` in the shape, dtype and order in memory of this tensor.
    ///
    /// # Errors
    /// If there is no memory for it.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([5, 6]).full_like(3.0)?.to_vec::<i64>()?, [3, 3]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn full_like(&self, value: f64) -> Result<Self> {
        self.filled(value)
    }

    fn filled(&self, value: f64) -> Result<Self> {
        let n = self.numel();
        let buffer = dispatch!(self.dtype(), T => {
            Buffer::build(n, |out: &mut [T]| out.fill(T::from_f64(value)))
        })?;
        Ok(Self::from_buffer_as(buffer, self.layout().dense_like()))
    }

    /// The numbers start, start + step, … below `end` (above it when `step` is negative).
    ///
    /// # Errors
    /// If `step` is 0, not finite, or leads away from `end`; for bool.
    ///
    /// ```
    /// # use gradus_core::{DType, Tensor};
    /// assert_eq!(Tensor::arange(0.0, 10.0, 3.0, DType::I64)?.to_vec::<i64>()?, [0, 3, 6, 9]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn arange(start: f64, end: f64, step: f64, dtype: DType) -> Result<Self> {
        let n = ((end - start) / step).ceil();
        if !n.is_finite() || n < 0.0 || n > isize::MAX as f64 {
            return Err(err!(
                Value,
                "arange: upper bound and lower bound inconsistent with step sign: start {start}, end {end}, step {step}"
            ));
        }
        let shape = (n as usize).into_shape();
        numel(&shape)?;
        let buffer = dispatch_number!("arange", dtype, T => Buffer::build(n as usize, |out: &mut [T]| {
            out.iter_mut().enumerate().for_each(|(i, x)| *x = T::from_f64(start + i as f64 * step));
        }))?;
        Ok(Self::from_buffer(buffer, shape))
    }

    /// `n` numbers from `start` to `end`, both included, at equal distances.
    ///
    /// # Errors
    /// For bool, or if there is no memory for them.
    ///
    /// ```
    /// # use gradus_core::{DType, Tensor};
    /// assert_eq!(Tensor::linspace(0.0, 1.0, 5, DType::F32)?.to_vec::<f32>()?, [0.0, 0.25, 0.5, 0.75, 1.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn linspace(start: f64, end: f64, n: usize, dtype: DType) -> Result<Self> {
        Self::spaced("linspace", start, end, n, dtype, |x| x)
    }

    /// The numbers base^x for `n` numbers x from `start` to `end`, both included, at equal distances.
    ///
    /// # Errors
    /// For bool, or if there is no memory for them.
    ///
    /// ```
    /// # use gradus_core::{DType, Tensor};
    /// assert_eq!(Tensor::logspace(0.0, 3.0, 4, 10.0, DType::F32)?.to_vec::<f32>()?, [1.0, 10.0, 100.0, 1000.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn logspace(start: f64, end: f64, n: usize, base: f64, dtype: DType) -> Result<Self> {
        Self::spaced("logspace", start, end, n, dtype, |x| base.powf(x))
    }

    /// `f` of `n` numbers at equal distances.
    fn spaced(
        op: &str,
        start: f64,
        end: f64,
        n: usize,
        dtype: DType,
        f: impl Fn(f64) -> f64,
    ) -> Result<Self> {
        let shape = n.into_shape();
        numel(&shape)?;
        let step = if n > 1 {
            (end - start) / (n - 1) as f64
        } else {
            0.0
        };
        let buffer = dispatch_number!(op, dtype, T => Buffer::build(n, |out: &mut [T]| {
            for (i, x) in out.iter_mut().enumerate() {
                // From both ends, so that the last is exactly `end`.
                let value = if i < n / 2 { start + i as f64 * step } else { end - (n - 1 - i) as f64 * step };
                *x = T::from_f64(f(if n == 1 { start } else { value }));
            }
        }))?;
        Ok(Self::from_buffer(buffer, shape))
    }

    /// The identity matrix: `eye(n, …)` is n × n, `eye([n, m], …)` is n × m with ones on its
    /// diagonal.
    ///
    /// # Errors
    /// For a shape of other than one or two sizes, or if there is no memory for it.
    ///
    /// ```
    /// # use gradus_core::{DType, Tensor};
    /// assert_eq!(Tensor::eye(2, DType::F32)?.to_vec::<f32>()?, [1.0, 0.0, 0.0, 1.0]);
    /// assert_eq!(Tensor::eye([2, 3], DType::I64)?.to_vec::<i64>()?, [1, 0, 0, 0, 1, 0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn eye(shape: impl IntoShape, dtype: DType) -> Result<Self> {
        let mut shape = shape.into_shape();
        if let [n] = shape[..] {
            shape.push(n);
        }
        let &[_, cols] = &shape[..] else {
            return Err(err!(
                Shape,
                "eye: expected one size or two, got {}",
                Show(&shape)
            ));
        };
        let count = numel(&shape)?;
        let buffer = dispatch!(dtype, T => Buffer::build(count, |out: &mut [T]| {
            out.fill(T::from_i64(0));
            let diagonal = out.iter_mut().step_by(cols + 1).take(cols);
            diagonal.for_each(|x| *x = T::from_i64(1));
        }))?;
        Ok(Self::from_buffer(buffer, shape))
    }

    /// A matrix of the given numbers of rows and columns with ones on and below diagonal number
    /// `diagonal`, zeros above: NumPy's `tri`.
    ///
    /// # Errors
    /// If there is no memory for it.
    ///
    /// ```
    /// # use gradus_core::{DType, Tensor};
    /// assert_eq!(Tensor::tri(2, 3, 1, DType::I64)?.to_vec::<i64>()?, [1, 1, 0, 1, 1, 1]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn tri(rows: usize, cols: usize, diagonal: isize, dtype: DType) -> Result<Self> {
        Self::full([rows, cols], 1.0, dtype)?.tril(diagonal)
    }

    /// The positions of the lower triangle of a matrix, row by row: their rows, and below them their
    /// columns, as a 2 × n tensor of i64.
    ///
    /// # Errors
    /// If there is no memory for them.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::tril_indices(2, 2, 0)?.to_vec::<i64>()?, [0, 1, 1, 0, 0, 1]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn tril_indices(rows: usize, cols: usize, diagonal: isize) -> Result<Self> {
        // The rows above have none.
        let first = diagonal.min(0).unsigned_abs().min(rows);
        let count = lower_count(rows, cols, diagonal);
        Self::triangle_indices(count, first..rows, |row| {
            0..clip(row.saturating_add(diagonal).saturating_add(1), cols)
        })
    }

    /// The positions of the upper triangle of a matrix, row by row: their rows, and below them their
    /// columns, as a 2 × n tensor of i64.
    ///
    /// # Errors
    /// If there is no memory for them.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::triu_indices(2, 2, 0)?.to_vec::<i64>()?, [0, 0, 1, 0, 1, 1]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn triu_indices(rows: usize, cols: usize, diagonal: isize) -> Result<Self> {
        let all = rows as u128 * cols as u128;
        let count = all - lower_count(rows, cols, diagonal.saturating_sub(1));
        Self::triangle_indices(count, 0..rows, |row| {
            clip(row.saturating_add(diagonal), cols)..cols as i64
        })
    }

    /// The `count` positions in the given columns of each row.
    fn triangle_indices(
        count: u128,
        rows: Range<usize>,
        cols: impl Fn(isize) -> Range<i64>,
    ) -> Result<Self> {
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        let shape = [2, count].into_shape();
        let buffer = Buffer::build(numel(&shape)?, |out: &mut [i64]| {
            let (down, across) = out.split_at_mut(count);
            let row = |row: usize| cols(row as isize).map(move |col| (row as i64, col));
            let places = down.iter_mut().zip(across);
            places
                .zip(rows.flat_map(row))
                .for_each(|((i, j), at)| (*i, *j) = at);
        })?;
        Ok(Self::from_buffer(buffer, shape))
    }
}

/// How many positions of a matrix lie on or below a diagonal.
fn lower_count(rows: usize, cols: usize, diagonal: isize) -> u128 {
    // Rows of 1, 2, … and then always `cols` positions.
    let first = |n: i128| {
        let n = n.max(0).unsigned_abs();
        let growing = n.min(cols as u128);
        growing * (growing + 1) / 2 + (n - growing) * cols as u128
    };
    let diagonal = diagonal as i128;
    first(rows as i128 + diagonal) - first(diagonal)
}

/// Column `col` of `cols`, or the first or the end.
fn clip(col: isize, cols: usize) -> i64 {
    col.clamp(0, cols.min(isize::MAX as usize) as isize) as i64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Kind;

    #[test]
    fn triangle_indices_are_where_the_triangle_is() -> Result<()> {
        for (rows, cols) in [(0, 0), (0, 3), (3, 0), (1, 1), (2, 5), (5, 2), (4, 4)] {
            for diagonal in [isize::MIN, -6, -4, -1, 0, 1, 2, 6, isize::MAX] {
                let all = (0..rows as i64).flat_map(|i| (0..cols as i64).map(move |j| (i, j)));
                let is_lower = |&(i, j): &(i64, i64)| j as i128 <= i as i128 + diagonal as i128;
                let is_upper = |&(i, j): &(i64, i64)| j as i128 >= i as i128 + diagonal as i128;
                let lower: Vec<_> = all.clone().filter(is_lower).collect();
                let upper: Vec<_> = all.filter(is_upper).collect();
                for (expected, found) in [
                    (lower, Tensor::tril_indices(rows, cols, diagonal)?),
                    (upper, Tensor::triu_indices(rows, cols, diagonal)?),
                ] {
                    assert_eq!(found.shape(), [2, expected.len()]);
                    let (i, j): (Vec<i64>, Vec<i64>) = expected.into_iter().unzip();
                    assert_eq!(found.to_vec::<i64>()?, [i, j].concat());
                }
            }
        }
        Ok(())
    }

    #[test]
    fn triangles_no_memory_holds_are_errors_at_once_and_empty_ones_nothing() -> Result<()> {
        let huge = usize::MAX / 4;
        for x in [
            Tensor::tril_indices(huge, 1, 0),
            Tensor::triu_indices(huge, huge, 1),
        ] {
            assert_eq!(x.unwrap_err().kind(), Kind::Memory);
        }
        assert_eq!(Tensor::tril_indices(huge, 0, 0)?.shape(), [2, 0]);
        assert_eq!(
            Tensor::tril_indices(huge, 1, 1 - huge as isize)?.shape(),
            [2, 1]
        );
        assert_eq!(Tensor::triu_indices(huge, 1, 0)?.shape(), [2, 1]);
        Ok(())
    }

    #[test]
    fn identities_of_any_shape() -> Result<()> {
        for (n, m) in [(0, 0), (2, 0), (0, 2), (1, 3), (3, 1), (3, 2), (2, 4)] {
            let ones = Tensor::eye([n, m], DType::Bool)?.to_vec::<bool>()?;
            assert_eq!(ones, (0..n * m).map(|i| i / m == i % m).collect::<Vec<_>>());
        }
        Ok(())
    }

    /// Numbers from PyTorch 2.15.
    #[test]
    fn spaced_numbers_of_integers_are_cut_off() -> Result<()> {
        let x = Tensor::linspace(0.0, 10.0, 4, DType::I64)?;
        assert_eq!(x.to_vec::<i64>()?, [0, 3, 6, 10]);
        let x = Tensor::logspace(0.0, 3.0, 4, -2.0, DType::F32)?;
        assert_eq!(x.to_vec::<f32>()?, [1.0, -2.0, 4.0, -8.0]);
        assert_eq!(
            Tensor::logspace(2.0, 5.0, 1, 10.0, DType::F64)?.item::<f64>()?,
            100.0
        );
        assert_eq!(Tensor::logspace(0.0, 1.0, 0, 10.0, DType::F64)?.numel(), 0);
        Ok(())
    }
}
