//! Tensors from nothing: constants, ranges, nested arrays.

use super::{Tensor, operators::expect};
use crate::dtype::{DType, Element, dispatch, dispatch_number};
use crate::error::{Result, err};
use crate::shape::{Dims, IntoShape, Show, numel};
use crate::storage::Buffer;

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

    /// Zeros of the shape and dtype of this tensor.
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
        Self::full(self.shape(), 0.0, self.dtype())
    }

    /// Ones of the shape and dtype of this tensor.
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
        Self::full(self.shape(), 1.0, self.dtype())
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
        let shape = n.into_shape();
        numel(&shape)?;
        let step = if n > 1 {
            (end - start) / (n - 1) as f64
        } else {
            0.0
        };
        let buffer = dispatch_number!("linspace", dtype, T => Buffer::build(n, |out: &mut [T]| {
            for (i, x) in out.iter_mut().enumerate() {
                // From both ends, so that the last is exactly `end`.
                let value = if i < n / 2 { start + i as f64 * step } else { end - (n - 1 - i) as f64 * step };
                *x = T::from_f64(if n == 1 { start } else { value });
            }
        }))?;
        Ok(Self::from_buffer(buffer, shape))
    }

    /// The n × n identity matrix.
    ///
    /// # Errors
    /// If there is no memory for it.
    ///
    /// ```
    /// # use gradus_core::{DType, Tensor};
    /// assert_eq!(Tensor::eye(2, DType::F32)?.to_vec::<f32>()?, [1.0, 0.0, 0.0, 1.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn eye(n: usize, dtype: DType) -> Result<Self> {
        let shape = [n, n].into_shape();
        let count = numel(&shape)?;
        let buffer = dispatch!(dtype, T => Buffer::build(count, |out: &mut [T]| {
            out.fill(T::from_i64(0));
            out.iter_mut().step_by(n + 1).for_each(|x| *x = T::from_i64(1));
        }))?;
        Ok(Self::from_buffer(buffer, shape))
    }

    /// The elements of `values`, row-major, as a tensor of `shape`; their dtype is that of `T`.
    ///
    /// # Errors
    /// If the number of elements is not that of the shape.
    ///
    /// ```
    /// # use gradus_core::{DType, Tensor};
    /// let x = Tensor::from_vec(vec![1u8, 2, 3, 4], [2, 2])?;
    /// assert_eq!((x.dtype(), x.shape()), (DType::U8, &[2, 2][..]));
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn from_vec<T: Element>(values: impl AsRef<[T]>, shape: impl IntoShape) -> Result<Self> {
        let (values, shape) = (values.as_ref(), shape.into_shape());
        if numel(&shape)? != values.len() {
            return Err(err!(
                Shape,
                "from_vec: shape '{}' is invalid for input of size {}",
                Show(&shape),
                values.len()
            ));
        }
        Ok(Self::from_buffer(
            Buffer::build(values.len(), |out| out.copy_from_slice(values))?,
            shape,
        ))
    }
}

/// A Rust literal that can become a tensor: numbers and nested arrays of them. As in PyTorch,
/// floating point literals become f32 and integers i64; [`Tensor::from_vec`] keeps the type.
///
/// ```
/// use gradus_core::{DType, Tensor};
/// assert_eq!(Tensor::from([[true], [false]]).dtype(), DType::Bool);
/// assert_eq!(Tensor::from([1.5f64]).dtype(), DType::F32);
/// ```
pub trait Literal {
    /// The dtype of the tensor.
    const DTYPE: DType;
    /// Appends the sizes of the dimensions.
    fn shape(shape: &mut Dims);
    /// Appends the elements.
    fn flatten(&self, out: &mut Vec<f64>);
}

macro_rules! literals {
    ($($t:ident $dtype:ident),+) => {$(
        impl Literal for $t {
            const DTYPE: DType = DType::$dtype;
            fn shape(_: &mut Dims) {}
            fn flatten(&self, out: &mut Vec<f64>) { out.push(self.to_f64()) }
        }
    )+};
}
literals!(f64 F32, f32 F32, i32 I64, bool Bool);

impl<L: Literal, const N: usize> Literal for [L; N] {
    const DTYPE: DType = L::DTYPE;
    fn shape(shape: &mut Dims) {
        shape.push(N);
        L::shape(shape);
    }
    fn flatten(&self, out: &mut Vec<f64>) {
        self.iter().for_each(|x| x.flatten(out));
    }
}

impl<L: Literal> From<L> for Tensor {
    /// ```
    /// # use gradus_core::{DType, Tensor};
    /// assert_eq!(Tensor::from([[1.0, 2.0], [3.0, 4.0]]).shape(), [2, 2]);
    /// assert_eq!(Tensor::from([1, 2, 3]).dtype(), DType::I64);
    /// assert_eq!(Tensor::from(5.0).ndim(), 0);
    /// ```
    fn from(literal: L) -> Self {
        let (mut shape, mut values) = (Dims::new(), Vec::new());
        L::shape(&mut shape);
        literal.flatten(&mut values);
        let buffer = dispatch!(L::DTYPE, T => Buffer::build(values.len(), |out: &mut [T]| {
            out.iter_mut().zip(&values).for_each(|(o, &x)| *o = T::from_f64(x));
        }));
        Self::from_buffer(buffer.expect("a literal fits in memory twice"), shape)
    }
}
