//! Non-linear least squares: a few parameters, fitted to many numbers.

use crate::autograd::{jacobian, jvp};
use crate::{DType, Error, Kind, Result, Tensor, no_grad};

/// Finds the x with the smallest ½·Σ residual(x)², from `x0` on, by [`LevenbergMarquardt`] with its
/// defaults. `residuals` takes x, f64 of shape \[n\], and returns what the model says less what was
/// measured, in any shape, of as many numbers as there are parameters at least. Their derivatives come
/// from autograd.
///
/// # Errors
/// Those of [`LevenbergMarquardt::fit`].
///
/// ```
/// use gradus::{Tensor, optim};
/// // y = a·exp(−b·t), measured without an error for a = 3, b = 0.5.
/// let t = Tensor::from([0.0, 1.0, 2.0, 3.0]).to_dtype(gradus::DType::F64)?;
/// let y = t.mul(-0.5)?.exp()?.mul(3.0)?;
/// let found = optim::least_squares(
///     |x| {
///         let (a, b) = (x.select(0, 0)?, x.select(0, 1)?);
///         t.mul(&b)?.neg()?.exp()?.mul(&a)?.sub(&y)
///     },
///     &Tensor::from([1.0, 1.0]),
/// )?;
/// let x = found.x.to_vec::<f64>()?;
/// assert!((x[0] - 3.0).abs() < 1e-9 && (x[1] - 0.5).abs() < 1e-9);
/// # Ok::<(), gradus::Error>(())
/// ```
pub fn least_squares(
    residuals: impl Fn(&Tensor) -> Result<Tensor>,
    x0: &Tensor,
) -> Result<LeastSquares> {
    LevenbergMarquardt::new().fit(residuals, x0)
}

/// Levenberg and Marquardt's way between Gauss–Newton steps and short ones down the gradient, after
/// Moré ("The Levenberg–Marquardt algorithm", 1978), with the damping of Nielsen (Madsen, Nielsen and
/// Tingleff, "Methods for non-linear least squares problems", 2004, section 3.2). Parameters are scaled
/// by their columns of the Jacobian, so units do not matter; steps come from a QR decomposition, not
/// from normal equations. The names of its settings are those of `scipy.optimize.least_squares`.
#[derive(Clone, Copy, Debug)]
pub struct LevenbergMarquardt {
    xtol: f64,
    ftol: f64,
    gtol: f64,
    max_nfev: Option<usize>,
}

impl Default for LevenbergMarquardt {
    fn default() -> Self {
        Self::new()
    }
}

/// What was found.
#[derive(Clone, Debug)]
pub struct LeastSquares {
    /// The parameters, f64 of shape \[n\].
    pub x: Tensor,
    /// ½·Σ residual².
    pub cost: f64,
    /// The residuals at x, f64 of shape \[m\].
    pub residuals: Tensor,
    /// Their derivatives at x, f64 of shape [m, n].
    pub jacobian: Tensor,
    /// How often the residuals were computed, without their derivatives.
    pub nfev: usize,
    /// How often their derivatives were.
    pub njev: usize,
    /// Why it ended.
    pub status: Status,
}

/// Why a fit ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// The residuals are orthogonal to every column of the Jacobian, to within `gtol`.
    Gtol,
    /// The cost would become smaller by less than `ftol` of itself.
    Ftol,
    /// The step was shorter than `xtol` of x.
    Xtol,
    /// `max_nfev` was reached: x is the best so far, not a minimum.
    MaxNfev,
}

/// The damping of the first step, relative to the squares of the columns' norms.
const FIRST_DAMPING: f64 = 1e-3;

impl LevenbergMarquardt {
    /// With `xtol`, `ftol` and `gtol` of 1e-8.
    pub fn new() -> Self {
        Self {
            xtol: 1e-8,
            ftol: 1e-8,
            gtol: 1e-8,
            max_nfev: None,
        }
    }

    /// Ends when a step is shorter than this share of x, both scaled.
    #[must_use]
    pub fn xtol(mut self, xtol: f64) -> Self {
        self.xtol = xtol;
        self
    }

    /// Ends when a step makes the cost smaller by less than this share of it.
    #[must_use]
    pub fn ftol(mut self, ftol: f64) -> Self {
        self.ftol = ftol;
        self
    }

    /// Ends when the cosine of the angle between the residuals and each column of the Jacobian is at
    /// most this.
    #[must_use]
    pub fn gtol(mut self, gtol: f64) -> Self {
        self.gtol = gtol;
        self
    }

    /// Ends when the residuals were computed so often; 100·n by default.
    #[must_use]
    pub fn max_nfev(mut self, max_nfev: usize) -> Self {
        self.max_nfev = Some(max_nfev);
        self
    }

    /// As [`least_squares`]. Where a step leads to residuals that are not finite, a shorter one is
    /// tried. Parameters that the residuals do not determine are no error: the
    /// [`covariance`](LeastSquares::covariance) tells.
    ///
    /// # Errors
    /// If `x0` is not of shape \[n\], there are fewer residuals than parameters, residuals or
    /// derivatives are not finite at `x0` or where a step led, a setting is negative, or `residuals`
    /// fails.
    pub fn fit(
        &self,
        residuals: impl Fn(&Tensor) -> Result<Tensor>,
        x0: &Tensor,
    ) -> Result<LeastSquares> {
        let n = match *x0.shape() {
            [n] if n > 0 => n,
            _ => {
                return Err(value(format!(
                    "x0 must have shape [n], n at least 1, not {:?}",
                    x0.shape()
                )));
            }
        };
        for (name, tol) in [
            ("xtol", self.xtol),
            ("ftol", self.ftol),
            ("gtol", self.gtol),
        ] {
            if tol.is_nan() || tol < 0.0 {
                return Err(value(format!("{name} must be at least 0, not {tol}")));
            }
        }
        let problem = Problem { f: residuals };
        let mut x = x0.to_vec::<f64>()?;
        let mut r = problem.residuals(&x)?;
        let m = r.len();
        if m < n {
            return Err(value(format!(
                "{m} residuals do not determine {n} parameters: give at least as many"
            )));
        }
        if let Some(i) = r.iter().position(|r| !r.is_finite()) {
            return Err(value(format!(
                "residual {i} is {} at x0 = {x:?}: begin elsewhere, or look for missing values",
                r[i]
            )));
        }
        let limit = self.max_nfev.unwrap_or(100 * n).max(1);
        let (mut nfev, mut njev) = (1, 0);
        let (mut damping, mut growth) = (FIRST_DAMPING, 2.0);
        let mut scale = vec![0.0f64; n];
        let mut ended = None;
        loop {
            let columns = problem.jacobian(&x, m)?;
            njev += 1;
            let norms: Vec<f64> = columns.iter().map(|column| norm(column)).collect();
            for (scale, norm) in scale.iter_mut().zip(&norms) {
                *scale = scale.max(*norm);
            }
            // A parameter without influence, so far, stays where it is.
            let scale: Vec<f64> = scale
                .iter()
                .map(|&s| if s == 0.0 { 1.0 } else { s })
                .collect();
            let slope: Vec<f64> = columns.iter().map(|column| dot(column, &r)).collect();
            let cost = 0.5 * dot(&r, &r);
            let cosine = |(slope, norm): (&f64, &f64)| {
                if *slope == 0.0 {
                    0.0
                } else {
                    slope.abs() / (norm * norm_of(cost))
                }
            };
            if slope.iter().zip(&norms).map(cosine).all(|c| c <= self.gtol) {
                ended = ended.or(Some(Status::Gtol));
            }
            if let Some(status) = ended {
                let jacobian: Vec<f64> = (0..m)
                    .flat_map(|i| columns.iter().map(move |c| c[i]))
                    .collect();
                return Ok(LeastSquares {
                    x: Tensor::from_vec(x, [n])?,
                    cost,
                    residuals: Tensor::from_vec(r, [m])?,
                    jacobian: Tensor::from_vec(jacobian, [m, n])?,
                    nfev,
                    njev,
                    status,
                });
            }
            let (triangle, turned) = triangular(columns, r.clone());
            // Shorter and shorter, until it leads down.
            while ended.is_none() {
                if nfev >= limit {
                    ended = Some(Status::MaxNfev);
                    break;
                }
                let step = damped_step(&triangle, &turned, &scale, damping);
                let scaled = |x: &[f64]| {
                    x.iter()
                        .zip(&scale)
                        .map(|(x, s)| (x * s).powi(2))
                        .sum::<f64>()
                };
                let next: Vec<f64> = x.iter().zip(&step).map(|(x, p)| x + p).collect();
                let next_r = problem.residuals(&next)?;
                nfev += 1;
                // NaN is no way down either.
                let actual = cost - 0.5 * dot(&next_r, &next_r);
                let predicted = 0.5 * (damping * scaled(&step) - dot(&step, &slope));
                let small = |reduction: f64| reduction <= self.ftol * cost;
                if small(actual.abs()) && small(predicted) {
                    ended = Some(Status::Ftol);
                } else if scaled(&step).sqrt() <= self.xtol * (scaled(&x).sqrt() + self.xtol) {
                    ended = Some(Status::Xtol);
                }
                if actual > 0.0 {
                    let ratio = actual / predicted;
                    damping *= (1.0 - (2.0 * ratio - 1.0).powi(3)).max(1.0 / 3.0);
                    growth = 2.0;
                    (x, r) = (next, next_r);
                    break;
                }
                damping *= growth;
                growth *= 2.0;
            }
        }
    }
}

impl LeastSquares {
    /// Whether x is a minimum: the fit did not end because of `max_nfev`.
    pub fn success(&self) -> bool {
        self.status != Status::MaxNfev
    }

    /// The covariance of the parameters, f64 of shape [n, n], if the residuals at x are noise of one
    /// variance: (JᵀJ)⁻¹·2·cost/(m − n), `curve_fit`'s `pcov`. The roots of its diagonal are the
    /// standard errors.
    ///
    /// # Errors
    /// If there are no more residuals than parameters, or the parameters are not determined: one has
    /// no influence, or others make up for it.
    pub fn covariance(&self) -> Result<Tensor> {
        let [m, n] = *self.jacobian.shape() else {
            return Err(value("the Jacobian has two dimensions".into()));
        };
        if m == n {
            return Err(value(format!(
                "covariance: {m} residuals for {n} parameters leave nothing to tell their noise from"
            )));
        }
        let rows = self.jacobian.to_vec2::<f64>()?;
        let column = |j: usize| rows.iter().map(|row| row[j]).collect::<Vec<f64>>();
        let mut columns: Vec<Vec<f64>> = (0..n).map(column).collect();
        let norms: Vec<f64> = columns.iter().map(|column| norm(column)).collect();
        // Of equal length, so that what is left of each can be compared.
        for (j, (column, norm)) in columns.iter_mut().zip(&norms).enumerate() {
            if *norm == 0.0 {
                return Err(value(format!(
                    "covariance: x[{j}] has no influence on the residuals: leave it out"
                )));
            }
            column.iter_mut().for_each(|x| *x /= norm);
        }
        let (triangle, _) = triangular(columns, vec![0.0; m]);
        let least = f64::EPSILON * m as f64;
        if let Some(j) = (0..n).find(|&j| triangle[j][j].abs() <= least) {
            return Err(value(format!(
                "covariance: the residuals do not determine x[{j}], because x[0] to x[{}] can make up \
                 for any change of it: write the model with fewer parameters",
                j - 1
            )));
        }
        // (RᵀR)⁻¹ is S·Sᵀ, where S is the inverse of R.
        let unit = |j: usize| {
            (0..n)
                .map(|i| f64::from(u8::from(i == j)))
                .collect::<Vec<f64>>()
        };
        let inverse: Vec<Vec<f64>> = (0..n).map(|j| solve_triangle(&triangle, unit(j))).collect();
        let noise = 2.0 * self.cost / (m - n) as f64;
        let entry = |i: usize, j: usize| {
            let sum: f64 = inverse.iter().map(|column| column[i] * column[j]).sum();
            noise * sum / (norms[i] * norms[j])
        };
        let entries: Vec<f64> = (0..n * n).map(|k| entry(k / n, k % n)).collect();
        Tensor::from_vec(entries, [n, n])
    }
}

/// The function, between vectors and tensors.
struct Problem<F> {
    f: F,
}

impl<F: Fn(&Tensor) -> Result<Tensor>> Problem<F> {
    fn call(&self, x: &Tensor) -> Result<Tensor> {
        (self.f)(x)?.to_dtype(DType::F64)?.flatten(0, -1)
    }

    fn residuals(&self, x: &[f64]) -> Result<Vec<f64>> {
        no_grad(|| self.call(&Tensor::from_vec(x, [x.len()])?)?.to_vec())
    }

    /// The columns of the Jacobian: one walk for each parameter, or for each residual if they are
    /// fewer.
    fn jacobian(&self, x: &[f64], m: usize) -> Result<Vec<Vec<f64>>> {
        let n = x.len();
        let at = [Tensor::from_vec(x, [n])?];
        let f = |x: &[Tensor]| self.call(&x[0]);
        let columns: Vec<Vec<f64>> = if n < m {
            let column = |j: usize| {
                let unit = (0..n).map(|i| f64::from(u8::from(i == j)));
                let direction = [Tensor::from_vec(Vec::from_iter(unit), [n])?];
                jvp(f, &at, &direction)?.1.to_vec()
            };
            (0..n).map(column).collect::<Result<_>>()?
        } else {
            jacobian(f, &at)?.remove(0).transpose(0, 1)?.to_vec2()?
        };
        for (j, column) in columns.iter().enumerate() {
            if let Some(i) = column.iter().position(|d| !d.is_finite()) {
                return Err(value(format!(
                    "the derivative of residual {i} by x[{j}] is {} at x = {x:?}",
                    column[i]
                )));
            }
        }
        Ok(columns)
    }
}

/// The step p with the smallest |J·p + r|² + damping·|scale·p|², from QR = J and Qᵀr.
fn damped_step(triangle: &[Vec<f64>], turned: &[f64], scale: &[f64], damping: f64) -> Vec<f64> {
    let n = scale.len();
    let columns = triangle.iter().enumerate().map(|(j, column)| {
        let damper = (0..n).map(|i| {
            if i == j {
                damping.sqrt() * scale[j]
            } else {
                0.0
            }
        });
        column.iter().copied().chain(damper).collect()
    });
    let right = turned.iter().map(|r| -r).chain(vec![0.0; n]);
    let (triangle, right) = triangular(columns.collect(), right.collect());
    solve_triangle(&triangle, right)
}

/// The upper triangle R of QR = A and the beginning of Qᵀb, by Householder's reflections. A is given
/// and R returned as columns, of R with n entries.
fn triangular(mut columns: Vec<Vec<f64>>, mut b: Vec<f64>) -> (Vec<Vec<f64>>, Vec<f64>) {
    let n = columns.len();
    for k in 0..n {
        let (done, rest) = columns.split_at_mut(k + 1);
        let column = &mut done[k];
        let length = norm(&column[k..]);
        if length == 0.0 {
            continue;
        }
        // Away from the first entry, so that nothing cancels.
        let diagonal = -length.copysign(column[k]);
        let mut v = column[k..].to_vec();
        v[0] -= diagonal;
        let half = 0.5 * dot(&v, &v);
        for other in rest.iter_mut().chain([&mut b]) {
            let share = dot(&v, &other[k..]) / half;
            other[k..]
                .iter_mut()
                .zip(&v)
                .for_each(|(x, v)| *x -= share * v);
        }
        column[k] = diagonal;
        column[k + 1..].fill(0.0);
    }
    columns
        .iter_mut()
        .chain([&mut b])
        .for_each(|column| column.truncate(n));
    (columns, b)
}

/// The x with Rx = b, R as columns.
fn solve_triangle(triangle: &[Vec<f64>], mut b: Vec<f64>) -> Vec<f64> {
    for (k, column) in triangle.iter().enumerate().rev() {
        b[k] /= column[k];
        let x = b[k];
        b[..k].iter_mut().zip(column).for_each(|(b, r)| *b -= x * r);
    }
    b
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn norm(x: &[f64]) -> f64 {
    dot(x, x).sqrt()
}

/// The norm of residuals with this cost.
fn norm_of(cost: f64) -> f64 {
    (2.0 * cost).sqrt()
}

fn value(message: String) -> Error {
    Error::new(Kind::Value, format!("least_squares: {message}"))
}
