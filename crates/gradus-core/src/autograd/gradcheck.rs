//! Gradients against central differences: the test every operation passes.

use super::grad_mode::no_grad;
use crate::dtype::DType;
use crate::error::{Result, err};
use crate::tensor::Tensor;

/// Step and tolerances of [`gradcheck`]; the defaults are PyTorch's.
///
/// ```
/// use gradus_core::Tolerance;
/// let loose = Tolerance { rtol: 0.01, ..Tolerance::default() };
/// assert_eq!(loose.eps, 1e-6);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Tolerance {
    /// Half the distance between the two points of a difference.
    pub eps: f64,
    /// Absolute tolerance.
    pub atol: f64,
    /// Relative tolerance.
    pub rtol: f64,
}

impl Default for Tolerance {
    fn default() -> Self {
        Self {
            eps: 1e-6,
            atol: 1e-5,
            rtol: 1e-3,
        }
    }
}

/// Compares the gradients of `f` with central differences, for every input that requires a gradient
/// and every element of the result.
///
/// The inputs must be f64 (f32 differences are too coarse). `f` must be deterministic and smooth at
/// the inputs: move them away from kinks such as relu's at 0.
///
/// # Errors
/// The first disagreement: which input, which elements, both values.
///
/// ```
/// use gradus_core::{DType, Tensor, Tolerance, gradcheck};
/// let x = Tensor::linspace(-1.0, 1.0, 5, DType::F64)?.requires_grad_(true)?;
/// gradcheck(|x| x[0].tanh()?.mul(&x[0]), &[x], Tolerance::default())?;
/// # Ok::<(), gradus_core::Error>(())
/// ```
pub fn gradcheck(
    f: impl Fn(&[Tensor]) -> Result<Tensor>,
    inputs: &[Tensor],
    tolerance: Tolerance,
) -> Result<()> {
    let Tolerance { eps, atol, rtol } = tolerance;
    if let Some(i) = inputs
        .iter()
        .position(|x| x.requires_grad() && x.dtype() != DType::F64)
    {
        return Err(err!(
            DType,
            "gradcheck: input {i} is {}, differences need float64",
            inputs[i].dtype()
        ));
    }
    // Own leaves: the caller's gradients stay as they are.
    let leaves: Vec<Tensor> = inputs
        .iter()
        .map(|x| x.detach().copy()?.requires_grad_(x.requires_grad()))
        .collect::<Result<_>>()?;
    let output = f(&leaves)?;
    if !output.requires_grad() {
        return Err(err!(
            Autograd,
            "gradcheck: the result does not require a gradient: it does not depend on any input that does"
        ));
    }
    let n = output.numel();
    for (i, leaf) in leaves.iter().enumerate().filter(|(_, x)| x.requires_grad()) {
        let numeric = differences(&f, &leaves, i, eps)?;
        for j in 0..n {
            leaves.iter().for_each(Tensor::zero_grad);
            let mut unit = vec![0.0; n];
            unit[j] = 1.0;
            output.backward_with(&Tensor::from_vec(unit, output.shape())?)?;
            let analytic = match leaf.grad() {
                Some(grad) => grad.to_vec::<f64>()?,
                None => vec![0.0; leaf.numel()],
            };
            for (k, &a) in analytic.iter().enumerate() {
                let d = numeric[k][j];
                let agree = (a - d).abs() <= atol + rtol * d.abs();
                if !agree {
                    return Err(err!(
                        Autograd,
                        "gradcheck: input {i}, element {k}, result element {j}: backward gives {a:e}, the difference {d:e}"
                    ));
                }
            }
        }
    }
    Ok(())
}

/// For each element of input `i`, the difference quotient of each element of the result.
fn differences(
    f: &impl Fn(&[Tensor]) -> Result<Tensor>,
    inputs: &[Tensor],
    i: usize,
    eps: f64,
) -> Result<Vec<Vec<f64>>> {
    no_grad(|| {
        let base = inputs[i].to_vec::<f64>()?;
        let at = |k: usize, x: f64| -> Result<Vec<f64>> {
            let mut moved = base.clone();
            moved[k] = x;
            let mut inputs = inputs.to_vec();
            inputs[i] = Tensor::from_vec(moved, inputs[i].shape())?;
            f(&inputs)?.to_vec()
        };
        (0..base.len())
            .map(|k| {
                let (plus, minus) = (at(k, base[k] + eps)?, at(k, base[k] - eps)?);
                Ok(plus
                    .iter()
                    .zip(&minus)
                    .map(|(p, m)| (p - m) / (2.0 * eps))
                    .collect())
            })
            .collect()
    })
}
