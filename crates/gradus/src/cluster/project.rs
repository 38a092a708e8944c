//! Seeing points of many columns in a plane.

use gradus_core::nearest::Points;
use gradus_core::{DType, Result, Tensor};

/// A way from many columns to two.
#[derive(Clone, Debug)]
pub struct Projection {
    mean: Vec<f64>,
    axes: [Vec<f64>; 2],
    /// The share of the variance that lies along each axis, 0 to 1.
    pub share: [f64; 2],
}

/// The two directions in which the rows of `x` vary most (Pearson, 1901), by repeated multiplication
/// with the covariance. With one or two columns these are the columns themselves.
///
/// # Errors
/// If `x` is no matrix of floats, has no rows, or holds numbers that are not finite.
///
/// ```
/// use gradus::{Tensor, cluster::principal_components};
/// let x = Tensor::from([[-5.0, -5.0, 0.0], [5.0, 5.0, 0.0], [0.0, 0.0, 1.0], [0.0, 0.0, -1.0]]);
/// let plane = principal_components(&x)?;
/// assert!((plane.share[0] - 100.0 / 102.0).abs() < 1e-6);
/// # Ok::<(), gradus::Error>(())
/// ```
pub fn principal_components(x: &Tensor) -> Result<Projection> {
    let points = Points::new(x, None)?;
    let (n, d) = (points.len(), points.dims());
    let mean = points.mean().to_vec();
    let unit = |j: usize| {
        (0..d)
            .map(|i| f64::from(u8::from(i == j)))
            .collect::<Vec<f64>>()
    };
    if d <= 2 {
        let axes = [unit(0), unit(1)];
        let mean = vec![0.0; d];
        return Ok(Projection {
            mean,
            axes,
            share: [1.0, 1.0],
        });
    }
    let x = x.detach().to_dtype(DType::F64)?;
    let centred = x.sub(&Tensor::from_vec(&mean, [d])?)?;
    let covariance = centred
        .transpose(0, 1)?
        .matmul(&centred)?
        .div(n as f64)?
        .to_vec::<f64>()?;
    let total: f64 = (0..d).map(|j| covariance[j * d + j]).sum();
    let multiply = |v: &[f64]| -> Vec<f64> {
        let rows = covariance.chunks_exact(d);
        rows.map(|row| row.iter().zip(v).map(|(a, b)| a * b).sum())
            .collect()
    };
    let mut axes: [Vec<f64>; 2] = [Vec::new(), Vec::new()];
    let mut share = [0.0; 2];
    for number in 0..2 {
        // Any start that is not at right angles to the axis will do.
        let mut v: Vec<f64> = (0..d)
            .map(|j| 1.0 + ((j * 7 + number * 3) % 11) as f64 / 11.0)
            .collect();
        let mut value = 0.0;
        for _ in 0..500 {
            let mut next = multiply(&v);
            if number == 1 {
                let along: f64 = next.iter().zip(&axes[0]).map(|(a, b)| a * b).sum();
                next.iter_mut()
                    .zip(&axes[0])
                    .for_each(|(x, a)| *x -= along * a);
            }
            let norm = next.iter().map(|x| x * x).sum::<f64>().sqrt();
            if norm <= 1e-12 * total || norm == 0.0 {
                value = 0.0;
                v = unit(number);
                break;
            }
            next.iter_mut().for_each(|x| *x /= norm);
            let change: f64 = next.iter().zip(&v).map(|(a, b)| (a - b).abs()).sum();
            (v, value) = (next, norm);
            if change < 1e-9 {
                break;
            }
        }
        // The sign is free: the largest part is positive.
        let largest = v
            .iter()
            .copied()
            .fold(0.0, |a: f64, b| if b.abs() > a.abs() { b } else { a });
        if largest < 0.0 {
            v.iter_mut().for_each(|x| *x = -*x);
        }
        share[number] = if total > 0.0 { value / total } else { 0.0 };
        axes[number] = v;
    }
    Ok(Projection { mean, axes, share })
}

impl Projection {
    /// Where the rows of `x` lie in the plane; of a single column at height 0.
    ///
    /// # Errors
    /// Without memory.
    ///
    /// ```
    /// use gradus::{Tensor, cluster::principal_components};
    /// let x = Tensor::from([[1.0, 2.0], [3.0, 4.0]]);
    /// assert_eq!(principal_components(&x)?.project(&x)?, [(1.0, 2.0), (3.0, 4.0)]);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn project(&self, x: &Tensor) -> Result<Vec<(f64, f64)>> {
        let rows: Vec<f64> = x.to_vec()?;
        let along = |row: &[f64], axis: &[f64]| -> f64 {
            let parts = row.iter().zip(&self.mean).zip(axis);
            parts.map(|((x, m), a)| (x - m) * a).sum()
        };
        let rows = rows.chunks_exact(self.mean.len());
        Ok(rows
            .map(|row| (along(row, &self.axes[0]), along(row, &self.axes[1])))
            .collect())
    }
}
