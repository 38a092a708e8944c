//! The dtype of new layers.

use super::{Buffer, Parameter, init};
use crate::{DType, IntoShape, Result, Tensor};
use std::cell::Cell;

thread_local! {
    static DTYPE: Cell<DType> = const { Cell::new(DType::F32) };
}

/// Runs `f`, in which new layers have parameters and buffers of this floating dtype instead of f32:
/// networks in f64, to compare gradients with differences or for a few digits more. What PyTorch's
/// `set_default_dtype` does to layers.
///
/// The dtype of a layer that is there cannot be changed; build another one and load the first one's
/// [`state_dict`](super::Module::state_dict) into it.
///
/// ```
/// use gradus::nn::{self, Layer, Module};
/// use gradus::{DType, Tensor};
/// let single = nn::Linear::new(3, 2)?;
/// let double = nn::with_dtype(DType::F64, || nn::Linear::new(3, 2))?;
/// double.load_state_dict(&single.state_dict())?;
/// let x = Tensor::from([1.0, 2.0, 3.0]).to_dtype(DType::F64)?;
/// assert_eq!(double.forward(&x)?.dtype(), DType::F64);
/// # Ok::<(), gradus::Error>(())
/// ```
pub fn with_dtype<R>(dtype: DType, f: impl FnOnce() -> R) -> R {
    struct Restore(DType);
    impl Drop for Restore {
        fn drop(&mut self) {
            DTYPE.set(self.0);
        }
    }
    let _restore = Restore(DTYPE.replace(dtype));
    f()
}

/// A parameter that begins with one value everywhere.
pub(super) fn constant_parameter(shape: impl IntoShape, value: f64) -> Result<Parameter> {
    Parameter::new(Tensor::full(shape, value, DTYPE.get())?)
}

/// A parameter that begins uniform in ±1/√`fan_in`, as PyTorch's weights and biases do.
pub(super) fn uniform_parameter(shape: impl IntoShape, fan_in: usize) -> Result<Parameter> {
    let parameter = constant_parameter(shape, 0.0)?;
    let bound = 1.0 / (fan_in.max(1) as f64).sqrt();
    init::uniform_(&parameter, -bound, bound)?;
    Ok(parameter)
}

/// A buffer that begins with one value everywhere.
pub(super) fn constant_buffer(shape: impl IntoShape, value: f64) -> Result<Buffer> {
    Ok(Buffer::new(&Tensor::full(shape, value, DTYPE.get())?))
}
