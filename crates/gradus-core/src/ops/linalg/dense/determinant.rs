//! Determinants.

use super::{Real, each, inv, spectral::svd, squares};
use crate::autograd::{Context, Function, Grad, Grads, Saved, apply};
use crate::dtype::dispatch_float;
use crate::error::Result;
use crate::ops::registry::{Case, Input};
use crate::tensor::Tensor;
use faer::MatRef;
use faer::linalg::solvers::PartialPivLu;

pub(in crate::ops) const CASES: &[Case] = &[
    Case::new("det", &[Input::real(&[3, 3])], |x| det(&x[0])).torch("torch.linalg.det(x[0])"),
    Case::new("det", &[Input::real(&[4, 2, 2])], |x| det(&x[0])).torch("torch.linalg.det(x[0])"),
    Case::new("slogdet", &[Input::real(&[3, 3])], |x| {
        Ok(slogdet(&x[0])?.logabsdet)
    })
    .torch("torch.linalg.slogdet(x[0])[1]"),
    Case::new("slogdet", &[Input::real(&[4, 2, 2])], |x| {
        let parts = slogdet(&x[0])?;
        parts.sign.mul(&parts.logabsdet)
    })
    .torch("torch.linalg.slogdet(x[0])[0] * torch.linalg.slogdet(x[0])[1]"),
];

/// The determinants of square matrices `[.., n, n]`; 1 for n = 0. Singular matrices have a gradient
/// too, but only a first one.
///
/// # Errors
/// If the matrices are not square or the dtype is not floating point.
///
/// ```
/// # use gradus_core::{Tensor, linalg};
/// assert_eq!(linalg::det(&Tensor::from([[2.0, 1.0], [0.0, 4.0]]))?.item::<f32>()?, 8.0);
/// # Ok::<(), gradus_core::Error>(())
/// ```
pub fn det(a: &Tensor) -> Result<Tensor> {
    squares("det", a)?;
    apply(Det, &[a])
}

/// A determinant as its sign, −1, 0 or 1, and the logarithm of its size: see [`slogdet`].
///
/// ```
/// # use gradus_core::{Tensor, linalg};
/// let linalg::Slogdet { sign, logabsdet } = linalg::slogdet(&Tensor::from([[-1.0]]))?;
/// assert_eq!((sign.item::<f32>()?, logabsdet.item::<f32>()?), (-1.0, 0.0));
/// # Ok::<(), gradus_core::Error>(())
/// ```
#[derive(Clone)]
pub struct Slogdet {
    /// `[..]`, a constant.
    pub sign: Tensor,
    /// `[..]`; −∞ for singular matrices.
    pub logabsdet: Tensor,
}

/// Sign and logarithm of the determinants of square matrices `[.., n, n]`, which themselves may be
/// too large or too small for the dtype. Singular matrices have sign 0 and no gradient.
///
/// # Errors
/// If the matrices are not square or the dtype is not floating point.
///
/// ```
/// # use gradus_core::{DType, Tensor, linalg};
/// let large = Tensor::eye(100, DType::F32)?.mul(10.0)?;
/// let log = linalg::slogdet(&large)?.logabsdet.item::<f32>()?;
/// assert!((log - 230.2585).abs() < 1e-3, "10¹⁰⁰ is no f32");
/// # Ok::<(), gradus_core::Error>(())
/// ```
pub fn slogdet(a: &Tensor) -> Result<Slogdet> {
    squares("slogdet", a)?;
    let both = apply(LogDet, &[a])?;
    Ok(Slogdet {
        sign: both.select(-1, 0)?.detach(),
        logabsdet: both.select(-1, 1)?,
    })
}

/// The diagonal of U in P·A = L·U, and the sign of P, so that the determinant is their product.
fn pivots<T: Real>(a: MatRef<'_, T>) -> (Vec<T>, bool) {
    let lu = PartialPivLu::new(a);
    let mut diagonal: Vec<T> = (0..a.nrows()).map(|i| lu.U()[(i, i)]).collect();
    if diagonal.contains(&T::ZERO) {
        // What comes after a pivot of 0 has been divided by it.
        diagonal.fill(T::ZERO);
    }
    let (forward, _) = lu.P().arrays();
    // Each cycle of n positions is n − 1 swaps.
    let mut seen = vec![false; forward.len()];
    let mut swaps = forward.len();
    for start in 0..forward.len() {
        if seen[start] {
            continue;
        }
        swaps -= 1;
        let mut i = start;
        while !std::mem::replace(&mut seen[i], true) {
            i = forward[i];
        }
    }
    (diagonal, swaps % 2 == 1)
}

/// The determinant; its gradient are the cofactors, det A·A⁻ᵀ.
struct Det;

impl Function for Det {
    fn name(&self) -> &'static str {
        "det"
    }
    fn forward(&self, ctx: &mut Context, x: &[&Tensor]) -> Result<Tensor> {
        let y = dispatch_float!("det", x[0].dtype(), T => each::<T>("det", x[0], 1, |_, a, out| {
            let (diagonal, odd) = pivots(a);
            let product = diagonal.into_iter().fold(1.0, |product, x| product * x);
            out[0] = if odd { -product } else { product };
            Ok(())
        }))?;
        let y = y.squeeze(-1)?;
        ctx.save(x[0]);
        ctx.save(&y);
        Ok(y)
    }
    fn backward(&self, saved: &Saved<'_>, g: &Tensor) -> Result<Grads> {
        let (a, y) = (saved.get(0)?, saved.get(1)?);
        let singular = y.eq(0)?.to_vec::<bool>()?.contains(&true);
        let cofactors = if singular {
            cofactors(&a)?
        } else {
            let scale = y.unsqueeze(-1)?.unsqueeze(-1)?;
            inv(&a)?.transpose(-1, -2)?.mul(&scale)?
        };
        Ok([Grad::Of(cofactors.mul(&g.unsqueeze(-1)?.unsqueeze(-1)?)?)].into())
    }
}

/// det U·det V · U·diag(∏ of the other singular values)·Vᵀ: needs no inverse.
fn cofactors(a: &Tensor) -> Result<Tensor> {
    let n = a.size(-1)?;
    let parts = svd(a)?;
    let sign = det(&parts.u.detach())?.mul(&det(&parts.vh.detach())?)?;
    let sign = sign.gt(0)?.to_dtype(a.dtype())?.mul(2)?.sub(1)?;
    let s: Vec<Tensor> = (0..n)
        .map(|i| parts.s.select(-1, i as isize))
        .collect::<Result<_>>()?;
    let others = (0..n).map(|i| {
        let rest = (0..n).filter(|&j| j != i);
        rest.map(|j| &s[j])
            .try_fold(sign.clone(), |product, s| product.mul(s))
    });
    let others: Vec<Tensor> = others.collect::<Result<_>>()?;
    let others = Tensor::stack(&others.iter().collect::<Vec<_>>(), -1)?;
    parts.u.mul(&super::row(&others)?)?.matmul(&parts.vh)
}

/// Sign and logarithm of the determinant side by side. The gradient of the second is A⁻ᵀ.
struct LogDet;

impl Function for LogDet {
    fn name(&self) -> &'static str {
        "slogdet"
    }
    fn forward(&self, ctx: &mut Context, x: &[&Tensor]) -> Result<Tensor> {
        ctx.save(x[0]);
        dispatch_float!("slogdet", x[0].dtype(), T => each::<T>("slogdet", x[0], 2, |_, a, out| {
            let (diagonal, odd) = pivots(a);
            let negative = diagonal.iter().filter(|x| **x < 0.0).count() + usize::from(odd);
            let zero = diagonal.contains(&0.0);
            out[0] = if zero { 0.0 } else if negative % 2 == 1 { -1.0 } else { 1.0 };
            out[1] = diagonal.into_iter().map(|x| x.abs().ln()).sum();
            Ok(())
        }))
    }
    fn backward(&self, saved: &Saved<'_>, g: &Tensor) -> Result<Grads> {
        let g = g.select(-1, 1)?.unsqueeze(-1)?.unsqueeze(-1)?;
        Ok([Grad::Of(inv(&saved.get(0)?)?.transpose(-1, -2)?.mul(&g)?)].into())
    }
}
