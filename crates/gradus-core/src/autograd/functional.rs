//! Derivatives of functions: products with the Jacobian from both sides, the Jacobian, the Hessian.
//!
//! Each takes a function of a list of tensors and the point at which it is differentiated. The
//! inputs' own history and gradients play no part and stay as they are.

use super::grad::{GradOptions, grad_with};
use super::grad_mode::enable_grad;
use crate::error::{Result, err};
use crate::tensor::Tensor;

/// The value of `f` at `inputs`, and for each input the product of `v` with the Jacobian:
/// Σᵢ vᵢ·∂yᵢ/∂x. `v` has the shape of the value.
///
/// # Errors
/// Those of `f`; a `v` of another shape; inputs that are not floating point.
///
/// ```
/// use gradus_core::{Tensor, autograd::vjp};
/// let x = Tensor::from([1.0, 2.0]);
/// let (y, dx) = vjp(|x| x[0].mul(&x[0]), &[x], &Tensor::from([1.0, 10.0]))?;
/// assert_eq!(y.to_vec::<f32>()?, [1.0, 4.0]);
/// assert_eq!(dx[0].to_vec::<f32>()?, [2.0, 40.0]);
/// # Ok::<(), gradus_core::Error>(())
/// ```
pub fn vjp(
    f: impl Fn(&[Tensor]) -> Result<Tensor>,
    inputs: &[Tensor],
    v: &Tensor,
) -> Result<(Tensor, Vec<Tensor>)> {
    let (leaves, y) = at(&f, inputs)?;
    let grads = gradients(&y, &leaves, Some(v), false)?;
    Ok((y.detach(), grads))
}

/// The value of `f` at `inputs`, and the directional derivative Σ ∂y/∂x·v along `v`, one tensor for
/// each input and of its shape. Two backward passes: the gradient is linear in what it is multiplied
/// with, and differentiating by that gives the product from the other side.
///
/// # Errors
/// Those of `f`, also when its gradient cannot be differentiated; shapes that differ.
///
/// ```
/// use gradus_core::{Tensor, autograd::jvp};
/// let (x, v) = (Tensor::from([1.0, 2.0]), Tensor::from([1.0, 10.0]));
/// let (_, dy) = jvp(|x| x[0].mul(&x[0]), &[x], &[v])?;
/// assert_eq!(dy.to_vec::<f32>()?, [2.0, 40.0]);
/// # Ok::<(), gradus_core::Error>(())
/// ```
pub fn jvp(
    f: impl Fn(&[Tensor]) -> Result<Tensor>,
    inputs: &[Tensor],
    v: &[Tensor],
) -> Result<(Tensor, Tensor)> {
    let differs = |(x, v): (&Tensor, &Tensor)| x.shape() != v.shape();
    if inputs.len() != v.len() || inputs.iter().zip(v).any(differs) {
        let shapes = |list: &[Tensor]| list.iter().map(|t| t.shape().to_vec()).collect::<Vec<_>>();
        return Err(err!(
            Shape,
            "jvp: v has shapes {:?}, the inputs {:?}: each must be the same",
            shapes(v),
            shapes(inputs)
        ));
    }
    let (leaves, y) = at(&f, inputs)?;
    let zero = y.zeros_like()?;
    if !y.requires_grad() {
        return Ok((y, zero));
    }
    let dual = zero.requires_grad_(true)?;
    let grads = gradients(&y, &leaves, Some(&dual), true)?;
    let dy = gradients_of(&grads, std::slice::from_ref(&dual), v)?.remove(0);
    Ok((y.detach(), dy))
}

/// The Jacobian of `f` at `inputs`: for each input a tensor of the value's shape followed by the
/// input's, ∂y/∂x. One backward pass for each element of the value.
///
/// # Errors
/// Those of `f`; inputs that are not floating point.
///
/// ```
/// use gradus_core::{Tensor, autograd::jacobian};
/// let j = jacobian(|x| x[0].mul(&x[0]), &[Tensor::from([1.0, 2.0])])?;
/// assert_eq!(j[0].to_vec::<f32>()?, [2.0, 0.0, 0.0, 4.0]);
/// # Ok::<(), gradus_core::Error>(())
/// ```
pub fn jacobian(f: impl Fn(&[Tensor]) -> Result<Tensor>, inputs: &[Tensor]) -> Result<Vec<Tensor>> {
    let (leaves, y) = at(&f, inputs)?;
    rows(&y, &leaves)
}

/// The second derivatives of a function with one value: entry `[i][j]` has the shape of input i
/// followed by that of input j, ∂²y/∂xᵢ∂xⱼ.
///
/// # Errors
/// If the value has more than one element, and as [`jacobian`].
///
/// ```
/// use gradus_core::{Tensor, autograd::hessian};
/// let h = hessian(|x| x[0].mul(&x[0])?.mul(&x[0])?.sum(..), &[Tensor::from([1.0, 2.0])])?;
/// assert_eq!(h[0][0].to_vec::<f32>()?, [6.0, 0.0, 0.0, 12.0]);
/// # Ok::<(), gradus_core::Error>(())
/// ```
pub fn hessian(
    f: impl Fn(&[Tensor]) -> Result<Tensor>,
    inputs: &[Tensor],
) -> Result<Vec<Vec<Tensor>>> {
    let (leaves, y) = at(&f, inputs)?;
    if y.numel() != 1 {
        return Err(err!(
            Shape,
            "hessian: the function's value must have one element, it has shape {:?}",
            y.shape()
        ));
    }
    let slopes = gradients(&y, &leaves, None, true)?;
    slopes.iter().map(|slope| rows(slope, &leaves)).collect()
}

/// Leaves with the values of `inputs`, and the recorded value of `f` there.
fn at(
    f: &impl Fn(&[Tensor]) -> Result<Tensor>,
    inputs: &[Tensor],
) -> Result<(Vec<Tensor>, Tensor)> {
    enable_grad(|| {
        let leaf = |x: &Tensor| x.detach().requires_grad_(true);
        let leaves: Vec<Tensor> = inputs.iter().map(leaf).collect::<Result<_>>()?;
        let y = f(&leaves)?;
        Ok((leaves, y))
    })
}

/// The gradients of `y`, zeros where it does not depend on a leaf.
pub(super) fn gradients(
    y: &Tensor,
    leaves: &[Tensor],
    v: Option<&Tensor>,
    create_graph: bool,
) -> Result<Vec<Tensor>> {
    if !y.requires_grad() {
        return leaves.iter().map(Tensor::zeros_like).collect();
    }
    let v: Vec<&Tensor> = v.into_iter().collect();
    let options = GradOptions {
        grad_outputs: &v,
        create_graph,
        allow_unused: true,
    };
    let grads = grad_with(&[y], &leaves.iter().collect::<Vec<_>>(), options)?;
    let or_zeros =
        |(grad, leaf): (Option<Tensor>, &Tensor)| grad.map_or_else(|| leaf.zeros_like(), Ok);
    grads.into_iter().zip(leaves).map(or_zeros).collect()
}

/// The gradients of Σ vᵢ·yᵢ.
fn gradients_of(ys: &[Tensor], leaves: &[Tensor], vs: &[Tensor]) -> Result<Vec<Tensor>> {
    let mut sum = leaves
        .iter()
        .map(Tensor::zeros_like)
        .collect::<Result<Vec<_>>>()?;
    for (y, v) in ys.iter().zip(vs) {
        for (sum, grad) in sum.iter_mut().zip(gradients(y, leaves, Some(v), false)?) {
            *sum = sum.add(&grad)?;
        }
    }
    Ok(sum)
}

/// For each leaf ∂y/∂leaf, one row at a time.
pub(super) fn rows(y: &Tensor, leaves: &[Tensor]) -> Result<Vec<Tensor>> {
    let n = y.numel();
    let mut rows: Vec<Vec<Tensor>> = vec![Vec::with_capacity(n); leaves.len()];
    for j in 0..n {
        // A new one each time: a gradient may be the very tensor that was passed in.
        let unit = Tensor::full(n, 0.0, y.dtype())?;
        unit.narrow(0, j, 1)?.fill_(1.0)?;
        let grads = gradients(y, leaves, Some(&unit.reshape(y.shape())?), false)?;
        rows.iter_mut()
            .zip(grads)
            .for_each(|(rows, grad)| rows.push(grad));
    }
    let assemble = |(rows, leaf): (Vec<Tensor>, &Tensor)| {
        let shape: Vec<usize> = y.shape().iter().chain(leaf.shape()).copied().collect();
        if rows.is_empty() {
            return Tensor::full(&shape[..], 0.0, leaf.dtype());
        }
        Tensor::stack(&rows.iter().collect::<Vec<_>>(), 0)?.reshape(&shape[..])
    };
    rows.into_iter().zip(leaves).map(assemble).collect()
}
