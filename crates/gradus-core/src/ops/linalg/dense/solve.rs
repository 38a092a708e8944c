//! Systems of equations.

use super::{Real, each, matrices, squares, with_batch, write};
use crate::autograd::{Context, Function, Grads, Saved, apply};
use crate::dtype::dispatch_float;
use crate::error::{Result, err};
use crate::ops::registry::{Case, Input};
use crate::shape::{Dims, broadcast};
use crate::tensor::Tensor;
use faer::linalg::solvers::{PartialPivLu, Solve as _};
use faer::{Mat, MatRef};

pub(in crate::ops) const CASES: &[Case] = &[
    Case::new(
        "solve",
        &[Input::real(&[3, 3]), Input::real(&[3, 2])],
        |x| solve(&x[0], &x[1]),
    )
    .torch("torch.linalg.solve(x[0], x[1])"),
    Case::new("solve", &[Input::real(&[3, 3]), Input::real(&[3])], |x| {
        solve(&x[0], &x[1])
    })
    .torch("torch.linalg.solve(x[0], x[1])"),
    Case::new(
        "solve",
        &[Input::real(&[2, 1, 3, 3]), Input::real(&[4, 3, 2])],
        |x| solve(&x[0], &x[1]),
    )
    .torch("torch.linalg.solve(x[0], x[1])"),
    Case::new(
        "solve_triangular",
        &[Input::positive(&[3, 3]), Input::real(&[3, 2])],
        |x| solve_triangular(&x[0], &x[1], false),
    )
    .torch("torch.linalg.solve_triangular(x[0], x[1], upper=False)"),
    Case::new(
        "solve_triangular",
        &[Input::positive(&[2, 3, 3]), Input::real(&[3, 2])],
        |x| solve_triangular(&x[0], &x[1], true),
    )
    .torch("torch.linalg.solve_triangular(x[0], x[1], upper=True)"),
];

/// The solution X of A·X = B for square matrices A, `[.., n, n]`. B is a vector `[n]` (or
/// `[.., n]` with exactly A's leading dimensions), or matrices `[.., n, k]`, whose leading dimensions
/// broadcast with A's.
///
/// # Errors
/// If a matrix is singular, the shapes do not fit, or the dtypes differ or are not floating point.
///
/// ```
/// # use gradus_core::{Tensor, linalg};
/// let a = Tensor::from([[2.0, 0.0], [0.0, 4.0]]);
/// assert_eq!(linalg::solve(&a, &Tensor::from([2.0, 2.0]))?.to_vec::<f32>()?, [1.0, 0.5]);
/// # Ok::<(), gradus_core::Error>(())
/// ```
pub fn solve(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    let (batch, n) = squares("solve", a)?;
    let vector = b.ndim() == 1 || b.shape() == with_batch(batch, &[n]).as_slice();
    let columns = if vector { b.unsqueeze(-1)? } else { b.clone() };
    let (a, b) = fitted("solve", a, &columns)?;
    let x = apply(Solve, &[&a, &b])?;
    if vector { x.squeeze(-1) } else { Ok(x) }
}

/// The solution X of A·X = B for triangular matrices A, `[.., n, n]`, and B, `[.., n, k]`; leading
/// dimensions broadcast. Only the upper triangle of A is looked at if `upper`, else the lower one. A
/// 0 on the diagonal gives infinities and NaN.
///
/// # Errors
/// If the shapes do not fit, or the dtypes differ or are not floating point.
///
/// ```
/// # use gradus_core::{Tensor, linalg};
/// let a = Tensor::from([[2.0, 9.0], [1.0, 4.0]]);
/// let x = linalg::solve_triangular(&a, &Tensor::from([[2.0], [5.0]]), false)?;
/// assert_eq!(x.to_vec::<f32>()?, [1.0, 1.0]);
/// # Ok::<(), gradus_core::Error>(())
/// ```
pub fn solve_triangular(a: &Tensor, b: &Tensor, upper: bool) -> Result<Tensor> {
    squares("solve_triangular", a)?;
    matrices("solve_triangular", b)?;
    let (a, b) = fitted("solve_triangular", a, b)?;
    apply(Triangular { upper }, &[&a, &b])
}

/// Both with the same leading dimensions, once sizes and dtypes fit.
fn fitted(op: &str, a: &Tensor, b: &Tensor) -> Result<(Tensor, Tensor)> {
    if a.dtype() != b.dtype() {
        return Err(err!(
            DType,
            "{op}: Expected A and B to have the same dtype, but found A of type {} and B of type {} instead",
            a.dtype(),
            b.dtype()
        ));
    }
    let ((left, n), (right, rows, cols)) = (squares(op, a)?, matrices(op, b)?);
    if n != rows {
        return Err(err!(
            Shape,
            "{op}: Incompatible shapes of A and B for the equation AX = B ({n}x{n} and {rows}x{cols})"
        ));
    }
    let batch: Dims = broadcast(left, right).map_err(|e| e.at(op))?;
    Ok((
        a.broadcast_to(with_batch(&batch, &[n, n]))?,
        b.broadcast_to(with_batch(&batch, &[n, cols]))?,
    ))
}

/// X for each A and B; `f` turns B into X.
fn solutions<T: Real>(
    op: &str,
    x: &[&Tensor],
    f: impl Fn(MatRef<'_, T>, &mut Mat<T>) -> Result<(), String> + Sync,
) -> Result<Tensor> {
    let (batch, n, k) = matrices(op, x[1])?;
    let packed = x[1].with_slice::<T, _>(|b| {
        each(op, x[0], n * k, |i, a, out| {
            let b = MatRef::from_row_major_slice(&b[i * n * k..][..n * k], n, k);
            let mut x = b.to_owned();
            f(a, &mut x)?;
            write(out, x.as_ref());
            Ok(())
        })
    })?;
    packed.reshape(&with_batch(batch, &[n, k]))
}

/// A⁻¹·B. With G the gradient of X, that of B is A⁻ᵀ·G, and that of A is −A⁻ᵀ·G·Xᵀ.
struct Solve;

impl Function for Solve {
    fn name(&self) -> &'static str {
        "solve"
    }
    fn forward(&self, ctx: &mut Context, x: &[&Tensor]) -> Result<Tensor> {
        let y = dispatch_float!("solve", x[0].dtype(), T => solutions::<T>("solve", x, |a, x| {
            let lu = PartialPivLu::new(a);
            if (0..a.nrows()).any(|i| lu.U()[(i, i)] == 0.0) {
                return Err("The solver failed because the input matrix is singular.".into());
            }
            lu.solve_in_place(x.as_mut());
            Ok(())
        }))?;
        ctx.save(x[0]);
        ctx.save(&y);
        Ok(y)
    }
    fn backward(&self, saved: &Saved<'_>, g: &Tensor) -> Result<Grads> {
        let (a, x) = (saved.get(0)?, saved.get(1)?);
        let db = apply(Solve, &[&a.transpose(-1, -2)?, g])?;
        let da = saved.grad(0, || db.matmul(&x.transpose(-1, -2)?)?.neg())?;
        Ok([da, saved.grad(1, || Ok(db))?].into())
    }
}

/// A⁻¹·B for the triangle of A that counts, the only one with a gradient. Otherwise like [`Solve`].
struct Triangular {
    upper: bool,
}

impl Function for Triangular {
    fn name(&self) -> &'static str {
        "solve_triangular"
    }
    fn forward(&self, ctx: &mut Context, x: &[&Tensor]) -> Result<Tensor> {
        let name = self.name();
        let y = dispatch_float!(name, x[0].dtype(), T => solutions::<T>(name, x, |a, x| {
            if self.upper {
                a.solve_upper_triangular_in_place(x.as_mut());
            } else {
                a.solve_lower_triangular_in_place(x.as_mut());
            }
            Ok(())
        }))?;
        ctx.save(x[0]);
        ctx.save(&y);
        Ok(y)
    }
    fn backward(&self, saved: &Saved<'_>, g: &Tensor) -> Result<Grads> {
        let (a, x) = (saved.get(0)?, saved.get(1)?);
        let transposed = Triangular { upper: !self.upper };
        let db = apply(transposed, &[&a.transpose(-1, -2)?, g])?;
        let da = saved.grad(0, || {
            let full = db.matmul(&x.transpose(-1, -2)?)?.neg()?;
            if self.upper {
                full.triu(0)
            } else {
                full.tril(0)
            }
        })?;
        Ok([da, saved.grad(1, || Ok(db))?].into())
    }
}
