//! Inverses, of singular and rectangular matrices too, and what they are good for.

use super::{each, matrices, spectral::svd, squares, svdvals, with_batch, write};
use crate::autograd::{Context, Function, Grad, Grads, Saved, apply};
use crate::dtype::{DType, dispatch_float};
use crate::error::{Result, err};
use crate::ops::keepdim;
use crate::ops::registry::{Case, Input};
use crate::tensor::Tensor;
use faer::linalg::solvers::{DenseSolveCore as _, PartialPivLu};

pub(in crate::ops) const CASES: &[Case] = &[
    Case::new("inv", &[Input::real(&[3, 3])], |x| inv(&x[0])).torch("torch.linalg.inv(x[0])"),
    Case::new("inv", &[Input::real(&[2, 2, 2])], |x| inv(&x[0])).torch("torch.linalg.inv(x[0])"),
    Case::new("inv", &[Input::real(&[3, 3])], |x| x[0].matrix_power(-2))
        .torch("torch.linalg.matrix_power(x[0], -2)"),
    Case::new("pinv", &[Input::real(&[4, 3])], |x| pinv(&x[0])).torch("torch.linalg.pinv(x[0])"),
    Case::new("pinv", &[Input::real(&[2, 2, 4])], |x| pinv(&x[0])).torch("torch.linalg.pinv(x[0])"),
    Case::new("pinv", &[Input::real(&[4, 2]), Input::real(&[4, 3])], |x| {
        lstsq(&x[0], &x[1])
    })
    .torch("torch.linalg.lstsq(x[0], x[1])[0]"),
    Case::new("pinv", &[Input::real(&[4, 2]), Input::real(&[4])], |x| {
        lstsq(&x[0], &x[1])
    })
    .torch("torch.linalg.lstsq(x[0], x[1])[0]"),
    Case::new("svdvals", &[Input::real(&[4, 3])], |x| cond(&x[0])).torch("torch.linalg.cond(x[0])"),
    Case::new("matrix_rank", &[Input::real(&[2, 4, 3])], |x| {
        matrix_rank(&x[0])
    })
    .torch("torch.linalg.matrix_rank(x[0])")
    .constant(),
];

/// The inverses of square matrices `[.., n, n]`. [`solve`](super::solve) is quicker and more exact
/// where a product with the inverse is wanted.
///
/// # Errors
/// If a matrix is singular or not square, or the dtype is not floating point.
///
/// ```
/// # use gradus_core::{Tensor, linalg};
/// let a = Tensor::from([[2.0, 0.0], [0.0, 4.0]]);
/// assert_eq!(linalg::inv(&a)?.to_vec::<f32>()?, [0.5, 0.0, 0.0, 0.25]);
/// # Ok::<(), gradus_core::Error>(())
/// ```
pub fn inv(a: &Tensor) -> Result<Tensor> {
    squares("inv", a)?;
    apply(Inverse, &[a])
}

/// The pseudoinverses (Moore–Penrose) of matrices `[.., m, n]`: `[.., n, m]`. Singular values below
/// max(m, n)·ε times the largest one count as 0.
///
/// # Errors
/// If a matrix has an element that is not finite, or the dtype is not floating point.
///
/// ```
/// # use gradus_core::{Tensor, linalg};
/// let p = linalg::pinv(&Tensor::from([[1.0, 1.0], [1.0, 1.0]]))?;
/// assert!(p.allclose(&Tensor::full([2, 2], 0.25, p.dtype())?)?);
/// # Ok::<(), gradus_core::Error>(())
/// ```
pub fn pinv(a: &Tensor) -> Result<Tensor> {
    matrices("pinv", a)?;
    apply(PseudoInverse, &[a])
}

/// The X for which A·X − B is smallest (by the sum of squares), and the smallest of these X where A
/// has not full rank: A⁺·B. A is `[.., m, n]`; B is a vector `[m]` or matrices `[.., m, k]`.
///
/// # Errors
/// If the shapes do not fit, the dtypes differ or are not floating point, or A has an element that
/// is not finite.
///
/// ```
/// # use gradus_core::{Tensor, linalg};
/// // The line through three points: 1 + 2·x.
/// let a = Tensor::from([[1.0, 0.0], [1.0, 1.0], [1.0, 2.0]]);
/// let line = linalg::lstsq(&a, &Tensor::from([1.0, 3.0, 5.0]))?;
/// assert!(line.allclose(&Tensor::from([1.0, 2.0]))?);
/// # Ok::<(), gradus_core::Error>(())
/// ```
pub fn lstsq(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    let (_, rows, _) = matrices("lstsq", a)?;
    let (size, dim) = match b.shape() {
        [n] => (*n, -1),
        [.., n, _] => (*n, -2),
        [] => {
            return Err(err!(
                Shape,
                "lstsq: input other must have at least 1 dimension, it is 0-d"
            ));
        }
    };
    if size != rows {
        return Err(err!(
            Shape,
            "lstsq: input.size(-2) should match other.size({dim}), got {rows} and {size}"
        ));
    }
    if a.dtype() != b.dtype() {
        return Err(err!(
            DType,
            "lstsq: Expected input and other to have the same dtype, but got {} and {}",
            a.dtype(),
            b.dtype()
        ));
    }
    pinv(a).and_then(|p| p.matmul(b)).map_err(|e| e.at("lstsq"))
}

/// The number of singular values above max(m, n)·ε times the largest one (i64), for matrices
/// `[.., m, n]`.
///
/// # Errors
/// If a matrix has an element that is not finite, or the dtype is not floating point.
///
/// ```
/// # use gradus_core::{Tensor, linalg};
/// let a = Tensor::from([[1.0, 2.0], [2.0, 4.0]]);
/// assert_eq!(linalg::matrix_rank(&a)?.item::<i64>()?, 1);
/// # Ok::<(), gradus_core::Error>(())
/// ```
pub fn matrix_rank(a: &Tensor) -> Result<Tensor> {
    matrices("matrix_rank", a)?;
    let s = svdvals(&a.detach()).map_err(|e| e.at("matrix_rank"))?;
    large(&s, a)?.sum(-1)
}

/// The largest singular value divided by the smallest: how much a relative error in B can grow in
/// the solution of A·X = B. Infinite for singular matrices.
///
/// # Errors
/// If a matrix has no elements or one that is not finite, or the dtype is not floating point.
///
/// ```
/// # use gradus_core::{Tensor, linalg};
/// let a = Tensor::from([[2.0, 0.0], [0.0, 8.0]]);
/// assert_eq!(linalg::cond(&a)?.item::<f32>()?, 4.0);
/// # Ok::<(), gradus_core::Error>(())
/// ```
pub fn cond(a: &Tensor) -> Result<Tensor> {
    matrices("cond", a)?;
    let s = svdvals(a).map_err(|e| e.at("cond"))?;
    let largest = s.amax(-1).map_err(|e| e.at("cond"))?;
    largest.div(&s.amin(-1)?)
}

/// Which of the singular values of `a` are not 0 up to rounding.
fn large(s: &Tensor, a: &Tensor) -> Result<Tensor> {
    let (_, rows, cols) = matrices("svdvals", a)?;
    if rows.min(cols) == 0 {
        return s.gt(0);
    }
    let epsilon = match a.dtype() {
        DType::F32 => f64::from(f32::EPSILON),
        _ => f64::EPSILON,
    };
    s.gt(&s.amax(keepdim(-1))?.mul(epsilon * rows.max(cols) as f64)?)
}

/// A⁻¹ = Y. With G its gradient, that of A is −Yᵀ·G·Yᵀ.
struct Inverse;

impl Function for Inverse {
    fn name(&self) -> &'static str {
        "inv"
    }
    fn forward(&self, ctx: &mut Context, x: &[&Tensor]) -> Result<Tensor> {
        let (_, n) = squares("inv", x[0])?;
        let y = dispatch_float!("inv", x[0].dtype(), T => each::<T>("inv", x[0], n * n, |_, a, out| {
            let lu = PartialPivLu::new(a);
            if let Some(i) = (0..n).find(|&i| lu.U()[(i, i)] == 0.0) {
                return Err(format!(
                    "The diagonal element {} is zero, the inversion could not be completed because the input matrix is \
                     singular.",
                    i + 1
                ));
            }
            write(out, lu.inverse().as_ref());
            Ok(())
        }))?;
        let y = y.reshape(x[0].shape())?;
        ctx.save(&y);
        Ok(y)
    }
    fn backward(&self, saved: &Saved<'_>, g: &Tensor) -> Result<Grads> {
        let yt = saved.get(0)?.transpose(-1, -2)?;
        Ok([Grad::Of(yt.matmul(g)?.matmul(&yt)?.neg()?)].into())
    }
}

/// A⁺ = P. The gradient is that of Golub and Pereyra (SIAM J. Numer. Anal. 10, 1973, eq. 4.12), read
/// backwards.
struct PseudoInverse;

impl Function for PseudoInverse {
    fn name(&self) -> &'static str {
        "pinv"
    }
    fn forward(&self, ctx: &mut Context, x: &[&Tensor]) -> Result<Tensor> {
        let (batch, rows, cols) = matrices("pinv", x[0])?;
        let p = if rows.min(cols) == 0 {
            Tensor::full(with_batch(batch, &[cols, rows]), 0.0, x[0].dtype())?
        } else {
            let parts = svd(&x[0].detach()).map_err(|e| e.at("pinv"))?;
            let kept = large(&parts.s, x[0])?.to_dtype(x[0].dtype())?;
            // 1/s where it is kept: (s + 1) − 1 would round, 1/(s + (1 − kept)) does not.
            let inverse = kept.div(
                &parts
                    .s
                    .mul(&kept)?
                    .add(&crate::ops::binary::sub(1, &kept)?)?,
            )?;
            let v = parts.vh.transpose(-1, -2)?.mul(&super::row(&inverse)?)?;
            v.matmul(&parts.u.transpose(-1, -2)?)?
        };
        ctx.save(x[0]);
        ctx.save(&p);
        Ok(p)
    }
    fn backward(&self, saved: &Saved<'_>, g: &Tensor) -> Result<Grads> {
        let (a, p) = (saved.get(0)?, saved.get(1)?);
        let (pt, gt) = (p.transpose(-1, -2)?, g.transpose(-1, -2)?);
        let direct = pt.matmul(g)?.matmul(&pt)?;
        // (I − A·P)·Gᵀ·P·Pᵀ and Pᵀ·P·Gᵀ·(I − P·A)
        let left = gt.matmul(&p)?.matmul(&pt)?;
        let left = left.sub(&a.matmul(&p.matmul(&left)?)?)?;
        let right = pt.matmul(&p.matmul(&gt)?)?;
        let right = right.sub(&right.matmul(&p)?.matmul(&a)?)?;
        Ok([Grad::Of(left.add(&right)?.sub(&direct)?)].into())
    }
}
