//! A radius for DBSCAN by the distances to the k-th nearest point.

use super::bounds;
use super::index::{BLOCK, Index};
use super::input::{self, fail};
use super::kdtree::KdTree;
use super::kernel;
use super::metric::{Absolute, Coordinate, Distance, Largest, Metric, Squared};
use gradus_core::compute::{self, Loop, vectorize};
use gradus_core::{DType, Kind, Result, Tensor};
use std::fmt;
use std::ops::ControlFlow;

/// The distance from each point to its k-th nearest, sorted, and where the curve bends.
///
/// ```
/// use gradus::{Tensor, cluster::{Metric, k_distances}};
/// let x = Tensor::from([[0.0], [1.0], [2.0], [3.0], [4.0], [30.0]]);
/// let curve = k_distances(&x, 2, Metric::Euclidean)?;
/// assert_eq!(curve.distances(), [1.0, 1.0, 1.0, 1.0, 1.0, 26.0]);
/// assert_eq!(curve.eps(), Some(1.0));
/// # Ok::<(), gradus::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct KDistances {
    distances: Vec<f64>,
    knee: Option<usize>,
    min_samples: usize,
}

impl KDistances {
    /// The distances, ascending. A radius eps makes core points of just those whose distance is at
    /// most eps.
    ///
    /// ```
    /// # use gradus::{Tensor, cluster::{Metric, k_distances}};
    /// let x = Tensor::from([[0.0], [1.0], [3.0]]);
    /// assert_eq!(k_distances(&x, 3, Metric::Euclidean)?.distances(), [2.0, 3.0, 3.0]);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn distances(&self) -> &[f64] {
        &self.distances
    }

    /// The distance at the knee, a suggestion for eps; none if the curve does not bend, as for
    /// points that are all equal.
    ///
    /// ```
    /// # use gradus::{Tensor, cluster::{Metric, k_distances}};
    /// assert_eq!(k_distances(&Tensor::ones([9, 2]), 3, Metric::Euclidean)?.eps(), None);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn eps(&self) -> Option<f64> {
        self.knee.map(|knee| self.distances[knee])
    }

    /// Where the knee is in [`distances`](Self::distances).
    ///
    /// ```
    /// # use gradus::{Tensor, cluster::{Metric, k_distances}};
    /// let x = Tensor::from([[0.0], [1.0], [2.0], [3.0], [4.0], [30.0]]);
    /// assert_eq!(k_distances(&x, 2, Metric::Euclidean)?.knee(), Some(4));
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn knee(&self) -> Option<usize> {
        self.knee
    }
}

/// The suggestion in words.
impl fmt::Display for KDistances {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (n, k) = (self.distances.len(), self.min_samples);
        let Some(eps) = self.eps() else {
            return write!(
                f,
                "no suggestion for eps: the distances to the nearest {k} points, from {:.4} to {:.4}, have no knee",
                self.distances[0],
                self.distances[n - 1]
            );
        };
        let core = self.distances.partition_point(|&d| d <= eps);
        write!(
            f,
            "eps {eps:.4} with min_samples {k}: there the curve of the distances within which each point has {k} points (itself counted) bends most; {:.1} % of the points would be core points",
            100.0 * core as f64 / n as f64
        )
    }
}

/// The curve of distances within which each point has `min_samples` points, itself counted, and its
/// knee: the place where the curve, scaled to the unit square, lies farthest below the diagonal.
///
/// That is the knee of Satopää, Albrecht, Irwin & Raghavan, "Finding a 'kneedle' in a haystack", ICDCS
/// workshops 2011, for a curve that is known as a whole: of their candidates the one with the greatest
/// difference, which is what a high sensitivity leaves. The curve rises already and is not smoothed.
///
/// # Errors
/// As [`Dbscan::fit`](super::Dbscan::fit); if there are fewer points than `min_samples`, or less than
/// 2 are asked for; for distances that are given already.
///
/// ```
/// use gradus::{Tensor, cluster::{Metric, k_distances}};
/// let x = Tensor::from([[0.0], [1.0], [2.0], [3.0], [4.0], [30.0]]);
/// assert_eq!(
///     k_distances(&x, 2, Metric::Euclidean)?.to_string(),
///     "eps 1.0000 with min_samples 2: there the curve of the distances within which each point has \
///      2 points (itself counted) bends most; 83.3 % of the points would be core points"
/// );
/// # Ok::<(), gradus::Error>(())
/// ```
pub fn k_distances(x: &Tensor, min_samples: usize, metric: Metric) -> Result<KDistances> {
    let (n, dims) = input::shape(x)?;
    if min_samples < 2 || min_samples > n {
        return fail(
            Kind::Value,
            format!(
                "the distances to the nearest {min_samples} of {n} points were asked for, the point itself counted; that needs at least 2 and at most {n}"
            ),
        );
    }
    let mut distances = match x.dtype() {
        DType::F32 => by_metric::<f32>(x, dims, min_samples, metric)?,
        _ => by_metric::<f64>(x, dims, min_samples, metric)?,
    };
    distances.sort_unstable_by(f64::total_cmp);
    Ok(KDistances {
        knee: knee(&distances),
        distances,
        min_samples,
    })
}

fn by_metric<T: Coordinate>(x: &Tensor, dims: usize, k: usize, metric: Metric) -> Result<Vec<f64>> {
    if metric == Metric::Precomputed {
        return fail(
            Kind::Value,
            "k_distances takes points as rows, not distances; sort each row of the matrix instead",
        );
    }
    let rows = input::rows::<T>(x, dims, metric)?;
    Ok(match metric {
        Metric::Manhattan => nearest::<T, Absolute>(&rows, dims, k),
        Metric::Chebyshev => nearest::<T, Largest>(&rows, dims, k),
        Metric::Cosine => {
            let squares = nearest::<T, Squared>(&rows, dims, k);
            squares.into_iter().map(|d| d * d / 2.0).collect()
        }
        _ => nearest::<T, Squared>(&rows, dims, k),
    })
}

/// The farthest below the diagonal of a rising curve.
fn knee(curve: &[f64]) -> Option<usize> {
    let (first, last) = (curve[0], curve[curve.len() - 1]);
    let below =
        |i: usize| i as f64 / (curve.len() - 1) as f64 - (curve[i] - first) / (last - first);
    let farthest = (0..curve.len()).max_by(|&a, &b| below(a).total_cmp(&below(b)))?;
    // Rounding alone is no bend.
    (last > first && below(farthest) > 1e-9).then_some(farthest)
}

/// The distance from each point to its k-th nearest, in any order.
fn nearest<T: Coordinate, M: Distance>(rows: &[T], dims: usize, k: usize) -> Vec<f64> {
    // A leaf whose points are neighbours within 0 holds equal points.
    let tree = KdTree::<T, M>::new(rows, dims, T::ZERO);
    let mut found = vec![0.0; rows.len() / dims];
    compute::fill(&mut found, 8 * BLOCK, |start, found| {
        vectorize(Nearest {
            tree: &tree,
            start,
            found,
            k,
        });
    });
    found
}

/// The search for some places.
struct Nearest<'a, T, M> {
    tree: &'a KdTree<T, M>,
    start: usize,
    found: &'a mut [f64],
    k: usize,
}

impl<T: Coordinate, M: Distance> Loop for Nearest<'_, T, M> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Self { tree, k, .. } = self;
        let points = tree.points();
        let (mut query, mut stack) = (vec![T::ZERO; points.dims], Vec::new());
        let mut best: Vec<T> = Vec::with_capacity(k + 1);
        let mut before: Vec<T> = Vec::new();
        for i in 0..self.found.len() {
            points.read(self.start + i, &mut query);
            if i > 0 && query == before {
                // Equal points lie side by side.
                self.found[i] = self.found[i - 1];
                continue;
            }
            before.clone_from(&query);
            best.clear();
            stack.clear();
            tree.descend(&mut stack, (&query, &query), T::HIGHEST, |group| {
                let mut places = tree.group(group);
                let (low, high) = tree.bounds(group).expect("a tree keeps them");
                if bounds::diagonal::<T, M>(low, high) <= T::ZERO {
                    places.end = places.end.min(places.start + k);
                }
                let worst = if best.len() < k {
                    T::HIGHEST
                } else {
                    best[k - 1]
                };
                let _ = kernel::search::<T, M>(points, &query, places, worst, |_, distance| {
                    if best.len() < k || distance < best[k - 1] {
                        best.truncate(k - 1);
                        let at = best.partition_point(|&other| other <= distance);
                        best.insert(at, distance);
                    }
                    ControlFlow::Continue(())
                });
                match best.get(k - 1) {
                    None => T::HIGHEST,
                    // Nothing is nearer.
                    Some(&worst) if worst <= T::ZERO => T::ZERO - T::ONE,
                    Some(&worst) => worst,
                }
            });
            self.found[i] = M::distance(best[k - 1].to_f64());
        }
    }
}
