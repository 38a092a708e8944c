//! Conversion between dtypes.

use super::registry::{Case, Input};
use crate::autograd::{Context, Function, Grad, Grads, Saved, apply};
use crate::dtype::{DType, Element, dispatch};
use crate::error::Result;
use crate::kernels::map::{self, Cost};
use crate::tensor::Tensor;

pub(super) const CASES: &[Case] = &[Case::new("ToDtype", &[Input::real(&[2, 3])], |x| {
    x[0].mul(1.5)?.to_dtype(DType::F64)
})
.torch("(x[0] * 1.5).double()")];

impl Tensor {
    /// The elements converted to `dtype`; the tensor itself if it has that dtype already.
    ///
    /// # Errors
    /// If there is no memory for a copy.
    ///
    /// ```
    /// # use gradus_core::{DType, Tensor};
    /// assert_eq!(Tensor::from([1.9, -1.9]).to_dtype(DType::I64)?.to_vec::<i64>()?, [1, -1]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn to_dtype(&self, dtype: DType) -> Result<Tensor> {
        if dtype == self.dtype() {
            Ok(self.clone())
        } else {
            apply(Cast { to: dtype }, &[self])
        }
    }
}

/// Another dtype. The gradient is cast back by the engine.
struct Cast {
    to: DType,
}

impl Function for Cast {
    fn name(&self) -> &'static str {
        "ToDtype"
    }

    fn forward(&self, _: &mut Context, x: &[&Tensor]) -> Result<Tensor> {
        let made = dispatch!(x[0].dtype(), T => dispatch!(self.to, U => {
            x[0].with::<T, _>(|x| map::map(x, Cost::Low, |x| x.cast::<U>()))
        }))?;
        Ok(Tensor::from_dense(made))
    }

    fn backward(&self, _: &Saved<'_>, grad: &Tensor) -> Result<Grads> {
        Ok([Grad::Of(grad.clone())].into())
    }
}
