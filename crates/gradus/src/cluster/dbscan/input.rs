//! What an estimator makes of the tensors it is given: numbers of one dtype, checked.

use super::metric::{Coordinate, Metric};
use gradus_core::{Error, Kind, Result, Tensor};

pub(super) fn fail<T>(kind: Kind, message: impl std::fmt::Display) -> Result<T> {
    Err(Error::new(kind, format!("Dbscan: {message}")))
}

/// Rows and columns of a matrix with at least one of each.
pub(super) fn shape(x: &Tensor) -> Result<(usize, usize)> {
    match *x.shape() {
        [n, dims] if n > 0 && dims > 0 => {
            if n >= u32::MAX as usize {
                let message = format!(
                    "{n} points, at most {} can be numbered; take a sample of them",
                    u32::MAX - 1
                );
                return fail(Kind::Value, message);
            }
            Ok((n, dims))
        }
        _ => fail(
            Kind::Shape,
            format!(
                "expected points as rows, a shape [n, columns] with at least one of each, got {:?}; a single column has the shape [n, 1]",
                x.shape()
            ),
        ),
    }
}

/// The numbers of a matrix, row by row; those of whole numbers as f64.
pub(super) fn rows<T: Coordinate>(x: &Tensor, dims: usize, metric: Metric) -> Result<Vec<T>> {
    let mut rows = x.to_vec::<T>()?;
    let finite = |x: &T| x.size() <= T::HIGHEST && x.size().to_f64() <= T::LARGEST;
    if let Some(at) = rows.iter().position(|x| !finite(x)) {
        let (row, column) = (at / dims, at % dims);
        let message = format!(
            "row {row}, column {column} (counted from 0) is {}; every number must be finite: drop the row or fill the gap",
            rows[at].to_f64()
        );
        return fail(Kind::Value, message);
    }
    if metric == Metric::Cosine {
        for (number, row) in rows.chunks_exact_mut(dims).enumerate() {
            // Scaled, so that no square is too large or too small.
            let largest = row.iter().map(|x| x.size().to_f64()).fold(0.0, f64::max);
            if largest == 0.0 {
                return fail(
                    Kind::Value,
                    format!(
                        "row {number} is all zeros, which has no direction; drop it, or use another metric than cosine"
                    ),
                );
            }
            let squares = row
                .iter()
                .map(|x| (x.to_f64() / largest) * (x.to_f64() / largest));
            let length = squares.sum::<f64>().sqrt();
            row.iter_mut()
                .for_each(|x| *x = T::from_f64(x.to_f64() / largest / length));
        }
    }
    Ok(rows)
}

/// Checks the radius, and returns it for a metric that is compared with `scale`.
pub(super) fn limit<T: Coordinate>(eps: f64, metric: Metric) -> Result<T> {
    if !(eps > 0.0 && eps.is_finite()) {
        return fail(
            Kind::Value,
            format!(
                "eps is {eps}, a distance above 0 is needed; k_distances(x, min_samples) suggests one"
            ),
        );
    }
    let eps_t = T::from_f64(eps);
    let limit = match metric {
        Metric::Euclidean => eps_t * eps_t,
        Metric::Cosine => eps_t + eps_t,
        _ => eps_t,
    };
    if !(T::SMALLEST..=T::LARGEST).contains(&limit.to_f64()) {
        return fail(
            Kind::Value,
            format!(
                "eps is {eps}; {} compares {}, which is {:e} in {} and has lost its digits: scale data and eps{}",
                metric.name(),
                if metric == Metric::Euclidean {
                    "its square"
                } else {
                    "it"
                },
                limit.to_f64(),
                T::DTYPE,
                if T::SMALLEST > f64::MIN_POSITIVE {
                    ", or convert the data to f64"
                } else {
                    ""
                },
            ),
        );
    }
    Ok(limit)
}

/// The weights of `n` points.
pub(super) fn weights(weights: &Tensor, n: usize) -> Result<Vec<f64>> {
    if weights.shape() != [n] {
        return fail(
            Kind::Shape,
            format!(
                "expected a weight for each of {n} points, a shape [{n}], got {:?}",
                weights.shape()
            ),
        );
    }
    let weights = weights.to_vec::<f64>()?;
    match weights.iter().position(|w| !w.is_finite()) {
        Some(at) => fail(
            Kind::Value,
            format!(
                "the weight of row {at} (counted from 0) is {}; every weight must be finite",
                weights[at]
            ),
        ),
        None => Ok(weights),
    }
}
