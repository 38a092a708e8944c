//! Singular values and eigenvalues.

use super::{column, each, matrices, row, squares, unpack, with_batch, write};
use crate::autograd::{Context, Function, Grad, Grads, Saved, apply};
use crate::dtype::dispatch_float;
use crate::error::Result;
use crate::ops::registry::{Case, Input};
use crate::tensor::Tensor;
use faer::Side;
use faer::linalg::solvers::{SelfAdjointEigen, Svd as FaerSvd};

/// x + xᵀ: symmetric.
fn symmetric(x: &Tensor) -> Result<Tensor> {
    x.add(&x.transpose(-1, -2)?)
}

pub(in crate::ops) const CASES: &[Case] = &[
    // Sizes, since the signs of singular vectors and eigenvectors are anybody's choice.
    Case::new("svd", &[Input::real(&[4, 3])], |x| svd(&x[0])?.u.abs())
        .torch("torch.linalg.svd(x[0], full_matrices=False)[0].abs()"),
    Case::new("svd", &[Input::real(&[2, 3, 3])], |x| Ok(svd(&x[0])?.s))
        .torch("torch.linalg.svd(x[0], full_matrices=False)[1]"),
    Case::new("svd", &[Input::real(&[2, 4])], |x| {
        let parts = svd(&x[0])?;
        parts
            .u
            .abs()?
            .mul(&row(&parts.s)?)?
            .matmul(&parts.vh.abs()?)
    })
    .torch(
        "(lambda t: (t[0].abs() * t[1]) @ t[2].abs())(torch.linalg.svd(x[0], full_matrices=False))",
    ),
    Case::new("svdvals", &[Input::real(&[3, 4])], |x| svdvals(&x[0]))
        .torch("torch.linalg.svdvals(x[0])"),
    Case::new("svdvals", &[Input::real(&[2, 3, 2])], |x| svdvals(&x[0]))
        .torch("torch.linalg.svdvals(x[0])"),
    Case::new("eigh", &[Input::real(&[3, 3])], |x| {
        eigh(&symmetric(&x[0])?)?.vectors.abs()
    })
    .torch("torch.linalg.eigh(x[0] + x[0].mT)[1].abs()"),
    Case::new("eigh", &[Input::real(&[2, 3, 3])], |x| {
        let parts = eigh(&symmetric(&x[0])?)?;
        parts.vectors.abs()?.mul(&row(&parts.values)?)
    })
    .torch("(lambda t: t[1].abs() * t[0].unsqueeze(-2))(torch.linalg.eigh(x[0] + x[0].mT))"),
    Case::new("eigvalsh", &[Input::real(&[3, 3])], |x| {
        eigvalsh(&symmetric(&x[0])?)
    })
    .torch("torch.linalg.eigvalsh(x[0] + x[0].mT)"),
];

/// The factors of [`svd`], with k = min(m, n).
///
/// ```
/// # use gradus_core::{Tensor, linalg};
/// let linalg::Svd { u, s, vh } = linalg::svd(&Tensor::ones([3, 2]))?;
/// assert_eq!((u.shape(), s.shape(), vh.shape()), (&[3, 2][..], &[2][..], &[2, 2][..]));
/// # Ok::<(), gradus_core::Error>(())
/// ```
#[derive(Clone)]
pub struct Svd {
    /// `[.., m, k]`, with orthonormal columns.
    pub u: Tensor,
    /// `[.., k]`, the singular values from the largest down.
    pub s: Tensor,
    /// `[.., k, n]`, with orthonormal rows.
    pub vh: Tensor,
}

/// The singular value decomposition U·diag(s)·Vᵀ of matrices `[.., m, n]`: PyTorch's with
/// `full_matrices=False`. The signs of the singular vectors are unspecified. The gradient of U and V
/// is infinite or NaN where singular values are equal, or 0 in a matrix that is not square.
///
/// # Errors
/// If a matrix has an element that is not finite, or the dtype is not floating point.
///
/// ```
/// # use gradus_core::{Tensor, linalg};
/// let a = Tensor::from([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]);
/// let parts = linalg::svd(&a)?;
/// let scaled = parts.u.mul(&parts.s)?;
/// assert!(scaled.matmul(&parts.vh)?.sub(&a)?.abs()?.amax(..)?.item::<f32>()? < 1e-5);
/// # Ok::<(), gradus_core::Error>(())
/// ```
pub fn svd(a: &Tensor) -> Result<Svd> {
    let (_, m, n) = matrices("svd", a)?;
    let k = m.min(n);
    let packed = apply(SvdOp { m, n }, &[a])?;
    let [u, s, vh] = unpack(&packed, [&[m, k], &[k], &[k, n]])?;
    Ok(Svd { u, s, vh })
}

/// The singular values of matrices `[.., m, n]` from the largest down: `[.., min(m, n)]`. Unlike
/// that of [`svd`], the gradient does not mind equal ones.
///
/// # Errors
/// As [`svd`].
///
/// ```
/// # use gradus_core::{Tensor, linalg};
/// let s = linalg::svdvals(&Tensor::from([[0.0, 3.0], [-2.0, 0.0]]))?;
/// assert!(s.allclose(&Tensor::from([3.0, 2.0]))?);
/// # Ok::<(), gradus_core::Error>(())
/// ```
pub fn svdvals(a: &Tensor) -> Result<Tensor> {
    matrices("svdvals", a)?;
    apply(Svdvals, &[a])
}

/// The factors of [`eigh`].
///
/// ```
/// # use gradus_core::{Tensor, linalg};
/// let linalg::Eigh { values, vectors } = linalg::eigh(&Tensor::ones([3, 3]))?;
/// assert_eq!((values.shape(), vectors.shape()), (&[3][..], &[3, 3][..]));
/// # Ok::<(), gradus_core::Error>(())
/// ```
#[derive(Clone)]
pub struct Eigh {
    /// `[.., n]`, the eigenvalues from the smallest up.
    pub values: Tensor,
    /// `[.., n, n]`, the eigenvectors as columns.
    pub vectors: Tensor,
}

/// Eigenvalues and eigenvectors of symmetric matrices `[.., n, n]`, of which only the lower triangles
/// are read; NaN for a matrix that is not finite. The signs of the eigenvectors are unspecified. The
/// gradient is symmetric; that of the vectors is infinite or NaN where eigenvalues are equal.
///
/// # Errors
/// If the matrices are not square or the dtype is not floating point.
///
/// ```
/// # use gradus_core::{Tensor, linalg};
/// let parts = linalg::eigh(&Tensor::from([[2.0, 1.0], [1.0, 2.0]]))?;
/// assert!(parts.values.allclose(&Tensor::from([1.0, 3.0]))?);
/// # Ok::<(), gradus_core::Error>(())
/// ```
pub fn eigh(a: &Tensor) -> Result<Eigh> {
    let (_, n) = squares("eigh", a)?;
    let [values, vectors] = unpack(&apply(EighOp { n }, &[a])?, [&[n], &[n, n]])?;
    Ok(Eigh { values, vectors })
}

/// The eigenvalues of symmetric matrices `[.., n, n]` from the smallest up. Unlike that of [`eigh`],
/// the gradient does not mind equal ones.
///
/// # Errors
/// As [`eigh`].
///
/// ```
/// # use gradus_core::{Tensor, linalg};
/// let values = linalg::eigvalsh(&Tensor::from([[2.0, 1.0], [1.0, 2.0]]))?;
/// assert!(values.allclose(&Tensor::from([1.0, 3.0]))?);
/// # Ok::<(), gradus_core::Error>(())
/// ```
pub fn eigvalsh(a: &Tensor) -> Result<Tensor> {
    squares("eigvalsh", a)?;
    apply(Eigvalsh, &[a])
}

const NOT_FINITE: &str =
    "The algorithm failed to converge because the input matrix contained non-finite values.";
const NO_CONVERGENCE: &str = "The algorithm failed to converge.";

/// U, s and Vᵀ one after the other. The gradient: Townsend, "Differentiating the singular value
/// decomposition", 2016.
struct SvdOp {
    m: usize,
    n: usize,
}

impl Function for SvdOp {
    fn name(&self) -> &'static str {
        "svd"
    }
    fn forward(&self, ctx: &mut Context, x: &[&Tensor]) -> Result<Tensor> {
        let (m, n) = (self.m, self.n);
        let k = m.min(n);
        let y = dispatch_float!("svd", x[0].dtype(), T => each::<T>("svd", x[0], k * (m + n + 1), |_, a, out| {
            if !a.is_all_finite() {
                return Err(NOT_FINITE.into());
            }
            let factors = FaerSvd::new_thin(a).map_err(|_| NO_CONVERGENCE)?;
            let (u, rest) = out.split_at_mut(m * k);
            let (s, vh) = rest.split_at_mut(k);
            write(u, factors.U());
            s.iter_mut().enumerate().for_each(|(i, s)| *s = factors.S()[i]);
            write(vh, factors.V().transpose());
            Ok(())
        }))?;
        ctx.save(&y);
        Ok(y)
    }
    fn backward(&self, saved: &Saved<'_>, g: &Tensor) -> Result<Grads> {
        let (m, n) = (self.m, self.n);
        let k = m.min(n);
        let sizes = [&[m, k][..], &[k], &[k, n]];
        let ([u, s, vh], [gu, gs, gvh]) = (unpack(&saved.get(0)?, sizes)?, unpack(g, sizes)?);
        let (ut, v, gv) = (
            u.transpose(-1, -2)?,
            vh.transpose(-1, -2)?,
            gvh.transpose(-1, -2)?,
        );
        let skew = |x: Tensor| x.sub(&x.transpose(-1, -2)?);
        // sⱼ² − sᵢ² as a product: the difference of squares would cancel.
        let gaps = row(&s)?
            .sub(&column(&s)?)?
            .mul(&row(&s)?.add(&column(&s)?)?)?;
        let (du, dv) = (ut.matmul(&gu)?, vh.matmul(&gv)?);
        let inner = over_gaps(&skew(du.clone())?, &gaps)?.mul(&row(&s)?)?;
        let inner = inner.add(&over_gaps(&skew(dv.clone())?, &gaps)?.mul(&column(&s)?)?)?;
        let mut sum = u
            .matmul(&inner.add(&gs.diag_embed(0, -2, -1)?)?)?
            .matmul(&vh)?;
        // What lies outside the span of the singular vectors.
        if m > k {
            let outside = gu.sub(&u.matmul(&du)?)?.div(&row(&s)?)?;
            sum = sum.add(&outside.matmul(&vh)?)?;
        }
        if n > k {
            let outside = gv.sub(&v.matmul(&dv)?)?.div(&row(&s)?)?;
            sum = sum.add(&u.matmul(&outside.transpose(-1, -2)?)?)?;
        }
        Ok([Grad::Of(sum)].into())
    }
}

/// x divided by gaps between values, where a gap of 0 does not matter if x is 0 there as well.
fn over_gaps(x: &Tensor, gaps: &Tensor) -> Result<Tensor> {
    let none = gaps.eq(0)?.logical_and(&x.eq(0)?)?.to_dtype(x.dtype())?;
    x.div(&gaps.add(&none)?)
}

/// s alone; its gradient is U·diag(g)·Vᵀ.
struct Svdvals;

impl Function for Svdvals {
    fn name(&self) -> &'static str {
        "svdvals"
    }
    fn forward(&self, ctx: &mut Context, x: &[&Tensor]) -> Result<Tensor> {
        ctx.save(x[0]);
        let (_, m, n) = matrices("svdvals", x[0])?;
        dispatch_float!("svdvals", x[0].dtype(), T => each::<T>("svdvals", x[0], m.min(n), |_, a, out| {
            if !a.is_all_finite() {
                return Err(NOT_FINITE.into());
            }
            out.copy_from_slice(&a.singular_values().map_err(|_| NO_CONVERGENCE)?);
            Ok(())
        }))
    }
    fn backward(&self, saved: &Saved<'_>, g: &Tensor) -> Result<Grads> {
        let parts = svd(&saved.get(0)?)?;
        Ok([Grad::Of(parts.u.mul(&row(g)?)?.matmul(&parts.vh)?)].into())
    }
}

/// Eigenvalues and eigenvectors one after the other. The gradient: Giles, "An extended collection of
/// matrix derivative results", 2008, section 3.1, made symmetric.
struct EighOp {
    n: usize,
}

impl Function for EighOp {
    fn name(&self) -> &'static str {
        "eigh"
    }
    fn forward(&self, ctx: &mut Context, x: &[&Tensor]) -> Result<Tensor> {
        let n = self.n;
        let y = dispatch_float!("eigh", x[0].dtype(), T => each::<T>("eigh", x[0], n * (n + 1), |_, a, out| {
            if !a.is_all_finite() {
                out.fill(T::NAN);
                return Ok(());
            }
            let factors = SelfAdjointEigen::new(a, Side::Lower).map_err(|_| NO_CONVERGENCE)?;
            let (values, vectors) = out.split_at_mut(n);
            values.iter_mut().enumerate().for_each(|(i, x)| *x = factors.S()[i]);
            write(vectors, factors.U());
            Ok(())
        }))?;
        ctx.save(&y);
        Ok(y)
    }
    fn backward(&self, saved: &Saved<'_>, g: &Tensor) -> Result<Grads> {
        let sizes = [&[self.n][..], &[self.n, self.n]];
        let ([w, v], [gw, gv]) = (unpack(&saved.get(0)?, sizes)?, unpack(g, sizes)?);
        let vt = v.transpose(-1, -2)?;
        let inner = vt.matmul(&gv)?;
        // The diagonal has no gap, and belongs to the eigenvalues alone.
        let eye = Tensor::eye(self.n, w.dtype())?;
        let inner = inner.mul(&crate::ops::binary::sub(1, &eye)?)?;
        let inner = over_gaps(&inner, &row(&w)?.sub(&column(&w)?)?)?;
        let sum = v
            .matmul(&inner.add(&gw.diag_embed(0, -2, -1)?)?)?
            .matmul(&vt)?;
        Ok([Grad::Of(symmetric(&sum)?.mul(0.5)?)].into())
    }
}

/// The eigenvalues alone; their gradient is V·diag(g)·Vᵀ.
struct Eigvalsh;

impl Function for Eigvalsh {
    fn name(&self) -> &'static str {
        "eigvalsh"
    }
    fn forward(&self, ctx: &mut Context, x: &[&Tensor]) -> Result<Tensor> {
        ctx.save(x[0]);
        let (batch, n) = squares("eigvalsh", x[0])?;
        let y = dispatch_float!("eigvalsh", x[0].dtype(), T => each::<T>("eigvalsh", x[0], n, |_, a, out| {
            if !a.is_all_finite() {
                out.fill(T::NAN);
                return Ok(());
            }
            let values = a.self_adjoint_eigenvalues(Side::Lower).map_err(|_| NO_CONVERGENCE)?;
            out.copy_from_slice(&values);
            Ok(())
        }))?;
        y.reshape(&with_batch(batch, &[n]))
    }
    fn backward(&self, saved: &Saved<'_>, g: &Tensor) -> Result<Grads> {
        let v = eigh(&saved.get(0)?)?.vectors;
        Ok([Grad::Of(v.mul(&row(g)?)?.matmul(&v.transpose(-1, -2)?)?)].into())
    }
}
