//! Gradients that are made smaller before a step, so that no batch leads far astray.

use super::Parameter;
use crate::{Error, Kind, Result, Tensor, no_grad};

/// Scales all gradients by the same factor, so that their norm together, √Σg², is at most `max_norm`
/// (Pascanu, Mikolov and Bengio, 2013), and returns what it was. As in PyTorch the factor is
/// max_norm/(norm + 1e-6). Norms of several gradients are put together in f64; parameters without a gradient are passed over.
///
/// # Errors
/// If `max_norm` is not above 0, or the norm is infinite or NaN (PyTorch's
/// `error_if_nonfinite=True`). No gradient is changed then.
///
/// ```
/// use gradus::{Tensor, nn::{self, Parameter}};
/// let w = Parameter::new(Tensor::from([0.0, 0.0]))?;
/// w.set_grad(Some(Tensor::from([3.0, 4.0])))?;
/// assert_eq!(nn::clip_grad_norm_(&[w.clone()], 1.0)?, 5.0);
/// let clipped = w.grad().unwrap().to_vec::<f32>()?;
/// assert!((clipped[0] - 0.6).abs() < 1e-6 && (clipped[1] - 0.8).abs() < 1e-6);
/// # Ok::<(), gradus::Error>(())
/// ```
pub fn clip_grad_norm_(parameters: &[Parameter], max_norm: f64) -> Result<f64> {
    positive("clip_grad_norm_: max_norm", max_norm)?;
    let mut squares = 0.0;
    for grad in parameters.iter().filter_map(|p| p.grad()) {
        squares += grad.norm(2, ..)?.item::<f64>()?.powi(2);
    }
    let norm = squares.sqrt();
    if !norm.is_finite() {
        let message = format!(
            "clip_grad_norm_: the norm of the gradients is {norm}: no factor makes it smaller"
        );
        return Err(Error::new(Kind::Value, message));
    }
    let factor = max_norm / (norm + 1e-6);
    if factor < 1.0 {
        change(parameters, |grad| grad.mul(factor))?;
    }
    Ok(norm)
}

/// Brings every number of every gradient into −`clip_value` … `clip_value`. Parameters without a
/// gradient are passed over.
///
/// # Errors
/// If `clip_value` is not above 0; no gradient is changed then.
///
/// ```
/// use gradus::{Tensor, nn::{self, Parameter}};
/// let w = Parameter::new(Tensor::from([0.0, 0.0]))?;
/// w.set_grad(Some(Tensor::from([3.0, -0.5])))?;
/// nn::clip_grad_value_(&[w.clone()], 1.0)?;
/// assert_eq!(w.grad().unwrap().to_vec::<f32>()?, [1.0, -0.5]);
/// # Ok::<(), gradus::Error>(())
/// ```
pub fn clip_grad_value_(parameters: &[Parameter], clip_value: f64) -> Result<()> {
    positive("clip_grad_value_: clip_value", clip_value)?;
    change(parameters, |grad| grad.clamp(-clip_value, clip_value))
}

/// Replaces every gradient that is there.
pub(crate) fn change(
    parameters: &[Parameter],
    f: impl Fn(&Tensor) -> Result<Tensor>,
) -> Result<()> {
    no_grad(|| {
        parameters
            .iter()
            .filter_map(|p| Some((p, p.grad()?)))
            .try_for_each(|(p, grad)| p.set_grad(Some(f(&grad)?)))
    })
}

fn positive(what: &str, value: f64) -> Result<()> {
    if value > 0.0 {
        return Ok(());
    }
    Err(Error::new(
        Kind::Value,
        format!("{what} must be above 0, not {value}"),
    ))
}
