//! Where the centres of K-means are at first.

use crate::cluster::value_error;
use gradus_core::nearest::Points;
use gradus_core::random::Generator;
use gradus_core::{Error, Kind, Result, Tensor};

/// How the first centres are found.
///
/// ```
/// use gradus::{Tensor, cluster::{Init, KMeans}};
/// let x = Tensor::from([[0.0], [1.0], [9.0], [10.0]]);
/// let start = Init::Centers(Tensor::from([[0.0], [10.0]]));
/// assert_eq!(KMeans::new(2).init(start).fit(&x)?.labels.to_vec::<i64>()?, [0, 0, 1, 1]);
/// # Ok::<(), gradus::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub enum Init {
    /// Points far from each other are likely: each next centre is drawn by the squared distance to the
    /// nearest one so far, the best of 2 + ⌊ln k⌋ draws (Arthur and Vassilvitskii, "k-means++", 2007,
    /// in the greedy form that they mention and scikit-learn uses). The default.
    #[default]
    KMeansPlusPlus,
    /// Points drawn without replacement, as `choice(n, k, replace=False)` does.
    Random,
    /// These, shape [k, d].
    Centers(Tensor),
}

impl Init {
    /// Rows of coordinates of `k` centres.
    pub(super) fn draw(&self, points: &Points, k: usize, g: &mut Generator) -> Result<Vec<f64>> {
        match self {
            Self::KMeansPlusPlus => plus_plus(points, k, g),
            Self::Random => {
                let mut centres = Vec::with_capacity(k * points.dims());
                for i in g.choice(points.len(), k, false)? {
                    centres.extend(points.point(i)?);
                }
                Ok(centres)
            }
            Self::Centers(centres) => {
                let expected = [k, points.dims()];
                if centres.shape() != expected {
                    let message = format!(
                        "KMeans: expected initial centres of shape {expected:?} (clusters and \
                         columns), got {:?}",
                        centres.shape()
                    );
                    return Err(Error::new(Kind::Shape, message));
                }
                let centres: Vec<f64> = centres.to_vec()?;
                if !centres.iter().all(|x| x.is_finite()) {
                    let message = "KMeans: an initial centre has a coordinate that is no finite \
                                   number";
                    return Err(value_error(message.into()));
                }
                Ok(centres)
            }
        }
    }
}

/// Draws from the generator as scikit-learn does, so that with NumPy's stream the centres are its.
fn plus_plus(points: &Points, k: usize, g: &mut Generator) -> Result<Vec<f64>> {
    let n = points.len();
    let weights = points.weights()?;
    let trials = 2 + (k as f64).ln() as usize;
    let weigh = |i: usize, x: f64| weights.as_ref().map_or(x, |w| w[i] * x);
    let cumulate = |of: &dyn Fn(usize) -> f64| -> Vec<f64> {
        let mut sum = 0.0;
        let add = |i| {
            sum += weigh(i, of(i));
            sum
        };
        (0..n).map(add).collect()
    };
    let first = {
        let cumulative = cumulate(&|_| 1.0);
        let u = g.uniform() * cumulative[n - 1];
        cumulative.partition_point(|&c| c <= u).min(n - 1)
    };
    let mut centres = points.point(first)?;
    let mut closest = vec![f64::INFINITY; n];
    points.closer(&centres, &mut closest)?;
    for _ in 1..k {
        let cumulative = cumulate(&|i| closest[i]);
        let total = cumulative[n - 1];
        let mut candidates = Vec::with_capacity(trials * points.dims());
        for _ in 0..trials {
            let u = g.uniform() * total;
            let i = if total > 0.0 {
                cumulative.partition_point(|&c| c < u).min(n - 1)
            } else {
                // Every point is a centre already.
                (u.to_bits() as usize + first) % n
            };
            candidates.extend(points.point(i)?);
        }
        let potentials = points.potentials(&candidates, &closest)?;
        let mut best = 0;
        for (i, potential) in potentials.iter().enumerate() {
            if *potential < potentials[best] {
                best = i;
            }
        }
        let next = &candidates[best * points.dims()..][..points.dims()];
        points.closer(next, &mut closest)?;
        centres.extend_from_slice(next);
    }
    Ok(centres)
}
