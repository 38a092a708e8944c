//! Gradients against central differences: the test every operation passes.

use super::functional::{gradients, rows};
use super::grad_mode::{enable_grad, no_grad};
use crate::dtype::DType;
use crate::error::{Result, err};
use crate::kernels::parallel::num_threads;
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
/// and every element of the result. The differences are computed by several threads.
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
    f: impl Fn(&[Tensor]) -> Result<Tensor> + Sync,
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
    let output = enable_grad(|| f(&leaves))?;
    if !output.requires_grad() {
        return Err(err!(
            Autograd,
            "gradcheck: the result does not require a gradient: it does not depend on any input that does"
        ));
    }
    let n = output.numel();
    let asked: Vec<usize> = (0..leaves.len())
        .filter(|&i| leaves[i].requires_grad())
        .collect();
    let wanted: Vec<Tensor> = asked.iter().map(|&i| leaves[i].clone()).collect();
    for (jacobian, &i) in rows(&output, &wanted)?.iter().zip(&asked) {
        let analytic = jacobian.to_vec::<f64>()?;
        let elements = leaves[i].numel();
        let numeric = numeric_jacobian(&f, &leaves, i, eps)?.to_vec::<f64>()?;
        for j in 0..n {
            for k in 0..elements {
                let (a, d) = (analytic[j * elements + k], numeric[j * elements + k]);
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

/// Compares second derivatives with central differences: [`gradcheck`] of the gradients of `f`, with
/// respect to the inputs and to the gradient that is passed in.
///
/// # Errors
/// As [`gradcheck`]; also if a gradient of `f` cannot be differentiated.
///
/// ```
/// use gradus_core::{DType, Tensor, Tolerance, gradgradcheck};
/// let x = Tensor::linspace(-1.0, 1.0, 5, DType::F64)?.requires_grad_(true)?;
/// gradgradcheck(|x| x[0].mul(&x[0])?.mul(&x[0]), &[x], Tolerance::default())?;
/// # Ok::<(), gradus_core::Error>(())
/// ```
pub fn gradgradcheck(
    f: impl Fn(&[Tensor]) -> Result<Tensor> + Sync,
    inputs: &[Tensor],
    tolerance: Tolerance,
) -> Result<()> {
    let asked: Vec<bool> = inputs.iter().map(Tensor::requires_grad).collect();
    let y = f(inputs)?;
    // No two elements alike, none of them 0.
    let v = Tensor::linspace(0.5, 1.5, y.numel(), y.dtype())?.reshape(y.shape())?;
    let mut all = inputs.to_vec();
    all.push(v.requires_grad_(true)?);
    let slopes = |all: &[Tensor]| {
        enable_grad(|| {
            let (v, inputs) = all.split_last().expect("v was added");
            // Differences are taken of plain values: make them leaves.
            let leaf = |(x, &asked): (&Tensor, &bool)| match x.requires_grad() {
                false if asked => x.detach().requires_grad_(true),
                _ => Ok(x.clone()),
            };
            let inputs: Vec<Tensor> = inputs.iter().zip(&asked).map(leaf).collect::<Result<_>>()?;
            let y = f(&inputs)?;
            let wanted: Vec<Tensor> = inputs.into_iter().filter(Tensor::requires_grad).collect();
            let grads = gradients(&y, &wanted, Some(v), true)?;
            let flat: Vec<Tensor> = grads
                .iter()
                .map(|g| g.reshape([-1]))
                .collect::<Result<_>>()?;
            Tensor::cat(&flat.iter().collect::<Vec<_>>(), 0)
        })
    };
    gradcheck(slopes, &all, tolerance).map_err(|e| e.at("gradgradcheck"))
}

/// ∂y/∂x of input number `i` by central differences: the shape of the result of `f` followed by that
/// of the input. Two calls of `f` for each element of the input, shared among threads.
///
/// # Errors
/// Those of `f`; an input that is not f64.
///
/// ```
/// use gradus_core::{DType, Tensor, autograd::numeric_jacobian};
/// let x = Tensor::linspace(1.0, 2.0, 2, DType::F64)?;
/// let j = numeric_jacobian(|x| x[0].mul(&x[0])?.sum(..), &[x], 0, 1e-6)?;
/// assert!((j.to_vec::<f64>()?[1] - 4.0).abs() < 1e-8);
/// # Ok::<(), gradus_core::Error>(())
/// ```
pub fn numeric_jacobian(
    f: impl Fn(&[Tensor]) -> Result<Tensor> + Sync,
    inputs: &[Tensor],
    i: usize,
    eps: f64,
) -> Result<Tensor> {
    let x = inputs.get(i).ok_or_else(|| {
        err!(
            Index,
            "numeric_jacobian: there is no input {i} among {}",
            inputs.len()
        )
    })?;
    if x.dtype() != DType::F64 {
        return Err(err!(
            DType,
            "numeric_jacobian: input {i} is {}, differences need float64",
            x.dtype()
        ));
    }
    let base = x.to_vec::<f64>()?;
    // Quotients of all results for the elements from `start` on, one after the other.
    let quotients = |start: usize, end: usize| -> Result<Vec<Tensor>> {
        no_grad(|| {
            let moved = x.copy()?;
            let mut inputs = inputs.to_vec();
            inputs[i] = moved.clone();
            let flat = moved.reshape([-1])?;
            let at = |k: usize, value: f64| -> Result<Tensor> {
                flat.narrow(0, k, 1)?.fill_(value)?;
                f(&inputs)
            };
            (start..end)
                .map(|k| {
                    // A copy: the result may share the memory that is moved next.
                    let plus = at(k, base[k] + eps)?.copy()?;
                    let minus = at(k, base[k] - eps)?;
                    let quotient = plus.sub(&minus)?.div(2.0 * eps)?;
                    flat.narrow(0, k, 1)?.fill_(base[k])?;
                    Ok(quotient)
                })
                .collect()
        })
    };
    let threads = num_threads().clamp(1, base.len().max(1));
    let cut = |t: usize| t * base.len() / threads;
    let columns = std::thread::scope(|scope| -> Result<Vec<Tensor>> {
        let quotients = &quotients;
        let others: Vec<_> = (1..threads)
            .map(|t| scope.spawn(move || quotients(cut(t), cut(t + 1))))
            .collect();
        let mut columns = quotients(0, cut(1))?;
        for other in others {
            let part = other
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            columns.extend(part?);
        }
        Ok(columns)
    })?;
    let mut shape = match columns.first() {
        Some(column) => column.shape().to_vec(),
        None => no_grad(|| f(inputs))?.shape().to_vec(),
    };
    shape.extend_from_slice(x.shape());
    if columns.is_empty() {
        return Tensor::full(&shape[..], 0.0, DType::F64);
    }
    let last = columns[0].ndim() as isize;
    Tensor::stack(&columns.iter().collect::<Vec<_>>(), last)?.reshape(&shape[..])
}
