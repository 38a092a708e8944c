//! Triangular factors: Cholesky's and QR.

use super::{each, matrices, solve_triangular, squares, unpack, write};
use crate::autograd::{Context, Function, Grad, Grads, Saved, apply};
use crate::dtype::dispatch_float;
use crate::error::Result;
use crate::ops::registry::{Case, Input};
use crate::tensor::Tensor;
use faer::Side;
use faer::linalg::cholesky::llt::factor::LltError;
use faer::linalg::solvers::{Llt, Qr as FaerQr};

/// A positive definite matrix made of any.
fn definite(x: &Tensor) -> Result<Tensor> {
    let square = x.matmul(&x.transpose(-1, -2)?)?;
    square.add(&Tensor::eye(x.size(-2)?, x.dtype())?)
}

pub(in crate::ops) const CASES: &[Case] = &[
    Case::new("cholesky", &[Input::real(&[3, 3])], |x| {
        cholesky(&definite(&x[0])?)
    })
    .torch("torch.linalg.cholesky(x[0] @ x[0].mT + torch.eye(3, dtype=x[0].dtype))"),
    Case::new("cholesky", &[Input::real(&[2, 2, 3])], |x| {
        cholesky(&definite(&x[0])?)
    })
    .torch("torch.linalg.cholesky(x[0] @ x[0].mT + torch.eye(2, dtype=x[0].dtype))"),
    // Sizes, since the signs of rows and columns are anybody's choice.
    Case::new("qr", &[Input::real(&[4, 3])], |x| qr(&x[0])?.q.abs())
        .torch("torch.linalg.qr(x[0])[0].abs()"),
    Case::new("qr", &[Input::real(&[2, 3, 3])], |x| qr(&x[0])?.r.abs())
        .torch("torch.linalg.qr(x[0])[1].abs()"),
    Case::new("qr", &[Input::real(&[2, 4])], |x| {
        let parts = qr(&x[0])?;
        parts.q.abs()?.matmul(&parts.r.abs()?)
    })
    .torch("torch.linalg.qr(x[0])[0].abs() @ torch.linalg.qr(x[0])[1].abs()"),
];

/// The lower triangular L with L·Lᵀ = A, for symmetric positive definite matrices `[.., n, n]`, of
/// which only the lower triangles are read. The gradient is symmetric.
///
/// # Errors
/// If a matrix is not positive definite or not square, or the dtype is not floating point.
///
/// ```
/// # use gradus_core::{Tensor, linalg};
/// let l = linalg::cholesky(&Tensor::from([[4.0, 2.0], [2.0, 10.0]]))?;
/// assert_eq!(l.to_vec::<f32>()?, [2.0, 0.0, 1.0, 3.0]);
/// # Ok::<(), gradus_core::Error>(())
/// ```
pub fn cholesky(a: &Tensor) -> Result<Tensor> {
    squares("cholesky", a)?;
    apply(Cholesky, &[a])
}

/// The factors of [`qr`].
///
/// ```
/// # use gradus_core::{Tensor, linalg};
/// let linalg::Qr { q, r } = linalg::qr(&Tensor::ones([3, 2]))?;
/// assert_eq!((q.shape(), r.shape()), (&[3, 2][..], &[2, 2][..]));
/// # Ok::<(), gradus_core::Error>(())
/// ```
#[derive(Clone)]
pub struct Qr {
    /// `[.., m, k]`, with orthonormal columns.
    pub q: Tensor,
    /// `[.., k, n]`, upper triangular.
    pub r: Tensor,
}

/// Q·R = A for matrices `[.., m, n]`, in PyTorch's mode "reduced": k = min(m, n) columns in Q. The
/// gradient needs the first k columns of A to be linearly independent.
///
/// # Errors
/// If the dtype is not floating point, or there are fewer than two dimensions.
///
/// ```
/// # use gradus_core::{Tensor, linalg};
/// let a = Tensor::from([[3.0, 1.0], [4.0, 2.0]]);
/// let parts = linalg::qr(&a)?;
/// assert!(parts.q.matmul(&parts.r)?.allclose(&a)?);
/// # Ok::<(), gradus_core::Error>(())
/// ```
pub fn qr(a: &Tensor) -> Result<Qr> {
    let (_, m, n) = matrices("qr", a)?;
    let k = m.min(n);
    let [q, r] = unpack(&apply(QrOp { m, n }, &[a])?, [&[m, k], &[k, n]])?;
    Ok(Qr { q, r })
}

/// L. The gradient: Murray, "Differentiation of the Cholesky decomposition", 2016, eq. 10.
struct Cholesky;

impl Function for Cholesky {
    fn name(&self) -> &'static str {
        "cholesky"
    }
    fn forward(&self, ctx: &mut Context, x: &[&Tensor]) -> Result<Tensor> {
        let (_, n) = squares("cholesky", x[0])?;
        let y = dispatch_float!("cholesky", x[0].dtype(), T => each::<T>("cholesky", x[0], n * n, |_, a, out| {
            let failed = |order: usize| format!(
                "The factorization could not be completed because the input is not positive-definite (the leading minor \
                 of order {order} is not positive-definite)."
            );
            let factor = Llt::new(a, Side::Lower)
                .map_err(|LltError::NonPositivePivot { index }| failed(index + 1))?;
            write(out, factor.L());
            // What is not a number is not positive either.
            match (0..n).find(|i| out[i * n + i].is_nan()) {
                Some(i) => Err(failed(i + 1)),
                None => Ok(()),
            }
        }))?;
        let y = y.reshape(x[0].shape())?;
        ctx.save(&y);
        Ok(y)
    }
    fn backward(&self, saved: &Saved<'_>, g: &Tensor) -> Result<Grads> {
        let l = saved.get(0)?;
        let lt = l.transpose(-1, -2)?;
        // The lower triangle, with half the diagonal.
        let inner = lt.matmul(g)?;
        let inner = inner.tril(0)?.add(&inner.tril(-1)?)?.mul(0.5)?;
        // L⁻ᵀ·inner·L⁻¹
        let left = solve_triangular(&lt, &inner, true)?.transpose(-1, -2)?;
        let s = solve_triangular(&lt, &left, true)?;
        Ok([Grad::Of(s.add(&s.transpose(-1, -2)?)?.mul(0.5)?)].into())
    }
}

/// Q and R one after the other. The gradient: Walter and Lehmann, "Algorithmic differentiation of
/// linear algebra functions", 2010, for m ≥ n; else A = (X, Y) and R = (U, V), where Q·U = X is such
/// a decomposition and V is Qᵀ·Y.
struct QrOp {
    m: usize,
    n: usize,
}

impl Function for QrOp {
    fn name(&self) -> &'static str {
        "qr"
    }
    fn forward(&self, ctx: &mut Context, x: &[&Tensor]) -> Result<Tensor> {
        let (m, n) = (self.m, self.n);
        let k = m.min(n);
        let y = dispatch_float!("qr", x[0].dtype(), T => each::<T>("qr", x[0], k * (m + n), |_, a, out| {
            let factors = FaerQr::new(a);
            let (q, r) = out.split_at_mut(m * k);
            write(q, factors.compute_thin_Q().as_ref());
            write(r, factors.thin_R());
            // Below the diagonal faer leaves what it likes.
            for (i, row) in r.chunks_exact_mut(n).enumerate() {
                row[..i].fill(0.0);
            }
            Ok(())
        }))?;
        ctx.save(x[0]);
        ctx.save(&y);
        Ok(y)
    }
    fn backward(&self, saved: &Saved<'_>, g: &Tensor) -> Result<Grads> {
        let (m, n) = (self.m, self.n);
        let k = m.min(n);
        let sizes = [&[m, k][..], &[k, n]];
        let ([q, r], [gq, gr]) = (unpack(&saved.get(1)?, sizes)?, unpack(g, sizes)?);
        if m >= n {
            return Ok([Grad::Of(tall(&q, &r, &gq, &gr)?)].into());
        }
        let y = saved.get(0)?.narrow(-1, k, n - k)?;
        let (u, gu) = (r.narrow(-1, 0, k)?, gr.narrow(-1, 0, k)?);
        let gv = gr.narrow(-1, k, n - k)?;
        let gq = gq.add(&y.matmul(&gv.transpose(-1, -2)?)?)?;
        let gx = tall(&q, &u, &gq, &gu)?;
        Ok([Grad::Of(Tensor::cat(&[&gx, &q.matmul(&gv)?], -1)?)].into())
    }
}

/// (Gq + Q·sym(M))·R⁻ᵀ with M = R·Grᵀ − Gqᵀ·Q, whose lower triangle `sym` mirrors upwards.
fn tall(q: &Tensor, r: &Tensor, gq: &Tensor, gr: &Tensor) -> Result<Tensor> {
    let m = r
        .matmul(&gr.transpose(-1, -2)?)?
        .sub(&gq.transpose(-1, -2)?.matmul(q)?)?;
    let mirrored = m.tril(0)?.add(&m.tril(-1)?.transpose(-1, -2)?)?;
    let sum = gq.add(&q.matmul(&mirrored)?)?;
    solve_triangular(r, &sum.transpose(-1, -2)?, true)?.transpose(-1, -2)
}
