//! Whether elements are zero: of all of them, of any, of how many.

use super::super::registry::{Case, Input};
use super::{Dimensions, Reduction, keepdim};
use crate::dtype::dispatch;
use crate::error::Result;
use crate::kernels::reduce::{by, reduce};
use crate::tensor::Tensor;

const INPUT: &[Input] = &[Input::integers(&[3, 4, 2], 0, 3)];

pub(in super::super) const CASES: &[Case] = &[
    Case::new("all", INPUT, |x| x[0].all([0, 2]))
        .torch("x[0].all((0, 2))")
        .constant(),
    Case::new("all", &[Input::bools(&[2, 3])], |x| x[0].all(keepdim(1)))
        .torch("x[0].all(1, keepdim=True)")
        .constant(),
    Case::new("any", INPUT, |x| x[0].any(2))
        .torch("x[0].any(2)")
        .constant(),
    Case::new("any", &[Input::real(&[2, 3])], |x| x[0].any(..))
        .torch("x[0].any()")
        .constant(),
    Case::new("count_nonzero", INPUT, |x| x[0].count_nonzero(1))
        .torch("x[0].count_nonzero(1)")
        .constant(),
    Case::new("count_nonzero", INPUT, |x| x[0].count_nonzero(..))
        .torch("x[0].count_nonzero()")
        .constant(),
];

impl Tensor {
    /// Whether no element over `dims` is 0 (or `false`): a bool tensor, for every dtype. NaN is not
    /// 0; of no elements it is true.
    ///
    /// # Errors
    /// If a dimension is out of range or named twice.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([[1, 0], [2, 3]]).all(1)?.to_vec::<bool>()?, [false, true]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn all(&self, dims: impl Dimensions) -> Result<Tensor> {
        let over = Reduction::new("all", self, dims)?;
        self.count_nonzero(&over)?
            .eq(over.count(self.shape()) as i64)
    }

    /// Whether an element over `dims` is not 0 (or `true`): a bool tensor, for every dtype. NaN is
    /// not 0; of no elements it is false.
    ///
    /// # Errors
    /// If a dimension is out of range or named twice.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([[1, 0], [0, 0]]).any(1)?.to_vec::<bool>()?, [true, false]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn any(&self, dims: impl Dimensions) -> Result<Tensor> {
        let over = Reduction::new("any", self, dims)?;
        self.count_nonzero(&over)?.ne(0)
    }

    /// How many elements over `dims` are not 0 (or `true`), as i64. NaN is not 0.
    ///
    /// # Errors
    /// If a dimension is out of range or named twice.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([[1, 0], [2, 3]]).count_nonzero(..)?.item::<i64>()?, 3);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn count_nonzero(&self, dims: impl Dimensions) -> Result<Tensor> {
        let over = Reduction::new("count_nonzero", self, dims)?;
        let out = dispatch!(self.dtype(), T => self.with::<T, _>(|x| {
            let one = |x: T| i64::from(x != T::default());
            reduce(x, &over.mask, &by(0, one, |a, b| a + b))
        }))?;
        Ok(Tensor::from_buffer(out, over.shape(self.shape())))
    }
}
