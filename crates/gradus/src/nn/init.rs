//! Initial values of parameters, under PyTorch's names. Each overwrites a tensor in place, from this
//! thread's random stream, and is not recorded. With
//! [`Compat::Torch`](crate::random::Compat::Torch) the values are those that PyTorch gives.
//!
//! "Fan in" is the number of inputs of one output (the last size of a weight [out, in]), "fan out"
//! the number of outputs of one input.

use crate::{Error, Kind, Result, Tensor, no_grad};

/// Every element becomes `value`.
///
/// # Errors
/// If the tensor cannot be written (see [`Tensor::add_`]).
pub fn constant_(tensor: &Tensor, value: f64) -> Result<()> {
    no_grad(|| tensor.fill_(value))
}

/// Uniform in [low, high).
///
/// # Errors
/// If the tensor cannot be written.
///
/// ```
/// use gradus::{Tensor, nn::init};
/// let w = Tensor::zeros([100]);
/// init::uniform_(&w, 2.0, 3.0)?;
/// assert!(w.to_vec::<f32>()?.iter().all(|x| (2.0..3.0).contains(x)));
/// # Ok::<(), gradus::Error>(())
/// ```
pub fn uniform_(tensor: &Tensor, low: f64, high: f64) -> Result<()> {
    no_grad(|| tensor.uniform_(low, high))
}

/// Normal with this mean and standard deviation.
///
/// # Errors
/// If the tensor cannot be written.
pub fn normal_(tensor: &Tensor, mean: f64, std: f64) -> Result<()> {
    no_grad(|| tensor.normal_(mean, std))
}

/// Normal with standard deviation √(2/fan in): keeps the variance through relu (He et al., 2015).
///
/// # Errors
/// If the tensor has fewer than two dimensions.
///
/// ```
/// use gradus::{Tensor, nn::init};
/// let w = Tensor::zeros([100, 50]);
/// init::kaiming_normal_(&w)?;
/// let variance = w.mul(&w)?.mean(..)?.item::<f64>()?;
/// assert!((variance - 2.0 / 50.0).abs() < 0.005);
/// # Ok::<(), gradus::Error>(())
/// ```
pub fn kaiming_normal_(tensor: &Tensor) -> Result<()> {
    let (fan_in, _) = fans(tensor)?;
    normal_(tensor, 0.0, (2.0 / fan_in).sqrt())
}

/// Uniform in ±√(6/fan in): the same variance as [`kaiming_normal_`].
///
/// # Errors
/// If the tensor has fewer than two dimensions.
pub fn kaiming_uniform_(tensor: &Tensor) -> Result<()> {
    let (fan_in, _) = fans(tensor)?;
    let bound = (6.0 / fan_in).sqrt();
    uniform_(tensor, -bound, bound)
}

/// Normal with standard deviation √(2/(fan in + fan out)): for tanh and sigmoid (Glorot and Bengio,
/// 2010).
///
/// # Errors
/// If the tensor has fewer than two dimensions.
pub fn xavier_normal_(tensor: &Tensor) -> Result<()> {
    let (fan_in, fan_out) = fans(tensor)?;
    normal_(tensor, 0.0, (2.0 / (fan_in + fan_out)).sqrt())
}

/// Uniform in ±√(6/(fan in + fan out)): the same variance as [`xavier_normal_`].
///
/// # Errors
/// If the tensor has fewer than two dimensions.
pub fn xavier_uniform_(tensor: &Tensor) -> Result<()> {
    let (fan_in, fan_out) = fans(tensor)?;
    let bound = (6.0 / (fan_in + fan_out)).sqrt();
    uniform_(tensor, -bound, bound)
}

/// Fan in and fan out of a weight [out, in, ..]; what follows (a convolution's window) counts in
/// both.
fn fans(tensor: &Tensor) -> Result<(f64, f64)> {
    let &[out, input, ref window @ ..] = tensor.shape() else {
        return Err(Error::new(
            Kind::Shape,
            format!(
                "Fan in and fan out can not be computed for tensor with fewer than 2 dimensions, got shape {:?}; use \
                 uniform_, normal_ or constant_",
                tensor.shape()
            ),
        ));
    };
    let window: usize = window.iter().product();
    Ok(((input * window).max(1) as f64, (out * window).max(1) as f64))
}
