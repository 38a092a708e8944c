//! Tensors to Rust values, and copies.

use super::Tensor;
use crate::dtype::{Element, dispatch};
use crate::error::{Result, err};

impl Tensor {
    /// The elements in row-major order, converted to `T` as Rust's `as` does.
    ///
    /// # Errors
    /// If there is no memory for a copy.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([[1.5, 2.0], [3.0, 4.0]]);
    /// assert_eq!(x.transpose(0, 1)?.to_vec::<f64>()?, [1.5, 3.0, 2.0, 4.0]);
    /// assert_eq!(x.to_vec::<i64>()?, [1, 2, 3, 4]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn to_vec<T: Element>(&self) -> Result<Vec<T>> {
        if self.dtype() != T::DTYPE {
            return self.detach().to_dtype(T::DTYPE)?.to_vec();
        }
        self.with_slice(|x: &[T]| Ok(x.to_vec()))
    }

    /// The rows of a matrix, converted as [`to_vec`](Tensor::to_vec) does.
    ///
    /// # Errors
    /// If there are not two dimensions.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([[1, 2], [3, 4], [5, 6]]);
    /// assert_eq!(x.to_vec2::<i64>()?, [[1, 2], [3, 4], [5, 6]]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn to_vec2<T: Element>(&self) -> Result<Vec<Vec<T>>> {
        let &[rows, cols] = self.shape() else {
            return Err(err!(
                Shape,
                "to_vec2: expected a tensor of two dimensions, got shape {:?}; use to_vec",
                self.shape()
            ));
        };
        let flat = self.to_vec::<T>()?;
        Ok((0..rows)
            .map(|i| flat[i * cols..(i + 1) * cols].to_vec())
            .collect())
    }

    /// The only element, converted to `T`.
    ///
    /// # Errors
    /// If there is not exactly one.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([[2.5]]).item::<f64>()?, 2.5);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn item<T: Element>(&self) -> Result<T> {
        if self.numel() != 1 {
            return Err(err!(
                Value,
                "item: a Tensor with {} elements cannot be converted to Scalar; use to_vec for all of them",
                self.numel()
            ));
        }
        Ok(dispatch!(self.dtype(), U => self.with::<U, _>(|x| x.data[x.layout.offset].cast())))
    }
}
