//! How good a clustering is: by the points alone, or beside labels that are known.

use super::pairs;
use crate::{Error, Kind, Result, Tensor};
use gradus_core::compute::{self, Loop, vectorize};
use std::ops::Range;

/// Points that are compared at a time.
const LANES: usize = 16;

/// The mean of [`silhouette_samples`]: from −1 to 1, the larger the better.
///
/// # Errors
/// As [`silhouette_samples`].
///
/// ```
/// use gradus::{Tensor, metrics};
/// let x = Tensor::from([[0.0], [1.0], [10.0], [11.0]]);
/// let score = metrics::silhouette_score(&x, &Tensor::from([0, 0, 1, 1]))?;
/// assert!((score - (1.0 - (1.0 / 10.5 + 1.0 / 9.5) / 2.0)).abs() < 1e-15);
/// # Ok::<(), gradus::Error>(())
/// ```
pub fn silhouette_score(x: &Tensor, labels: &Tensor) -> Result<f64> {
    let samples: Vec<f64> = silhouette_samples(x, labels)?.to_vec()?;
    Ok(samples.iter().sum::<f64>() / samples.len() as f64)
}

/// (b − a)/max(a, b) for each point, where a is its mean distance to the others of its cluster and b
/// that to the points of the nearest other cluster; 0 for a point alone in its cluster (Rousseeuw,
/// "Silhouettes", 1987). `x` has points as rows, `labels` an integer for each; noise, −1, is a
/// cluster like any other, as in scikit-learn. f64 of shape \[n\]; distances are Euclidean, in f64.
/// Takes time of n² and memory of n.
///
/// # Errors
/// If shapes or dtypes are others; if a number is not finite; if there are not at least two clusters
/// and fewer clusters than points.
///
/// ```
/// use gradus::{Tensor, metrics};
/// let x = Tensor::from([[0.0], [1.0], [3.0]]);
/// let samples = metrics::silhouette_samples(&x, &Tensor::from([0, 0, 1]))?;
/// assert_eq!(samples.to_vec::<f64>()?, [2.0 / 3.0, 0.5, 0.0]);
/// # Ok::<(), gradus::Error>(())
/// ```
pub fn silhouette_samples(x: &Tensor, labels: &Tensor) -> Result<Tensor> {
    let sorted = Sorted::new("silhouette", x, labels)?;
    let n = sorted.order.len();
    let mut by_place = vec![0.0; n];
    compute::fill(&mut by_place, 64, |start, chunk| {
        vectorize(Silhouettes {
            sorted: &sorted,
            start,
            chunk,
        });
    });
    let mut samples = vec![0.0; n];
    for (&row, sample) in sorted.order.iter().zip(by_place) {
        samples[row] = sample;
    }
    Tensor::from_vec(&samples, [n])
}

/// The mean over the clusters of the greatest (sᵢ + sⱼ)/dᵢⱼ, where s is the mean distance of a
/// cluster's points to its centre and d that between two centres: the smaller the better (Davies &
/// Bouldin, "A cluster separation measure", 1979). 0 if all centres or all distances to them are 0.
///
/// # Errors
/// As [`silhouette_samples`].
///
/// ```
/// use gradus::{Tensor, metrics};
/// let x = Tensor::from([[0.0], [2.0], [10.0], [12.0]]);
/// assert_eq!(metrics::davies_bouldin_score(&x, &Tensor::from([0, 0, 1, 1]))?, 0.2);
/// # Ok::<(), gradus::Error>(())
/// ```
pub fn davies_bouldin_score(x: &Tensor, labels: &Tensor) -> Result<f64> {
    let sorted = Sorted::new("davies_bouldin_score", x, labels)?;
    let distance = |a: &[f64], b: &[f64]| {
        let squares = a.iter().zip(b).map(|(a, b)| (a - b) * (a - b));
        squares.sum::<f64>().sqrt()
    };
    let mut clusters = Vec::new();
    for range in &sorted.clusters {
        let mean =
            |column: &Vec<f64>| column[range.clone()].iter().sum::<f64>() / range.len() as f64;
        let centre: Vec<f64> = sorted.columns.iter().map(mean).collect();
        let point = |i: usize| sorted.columns.iter().map(|c| c[i]).collect::<Vec<_>>();
        let spread = range
            .clone()
            .map(|i| distance(&point(i), &centre))
            .sum::<f64>();
        clusters.push((centre, spread / range.len() as f64));
    }
    let worst = |i: usize| {
        let others = (0..clusters.len()).filter(|&j| j != i);
        let ratios = others.map(|j| {
            let apart = distance(&clusters[i].0, &clusters[j].0);
            if apart == 0.0 {
                0.0
            } else {
                (clusters[i].1 + clusters[j].1) / apart
            }
        });
        ratios.fold(0.0, f64::max)
    };
    Ok((0..clusters.len()).map(worst).sum::<f64>() / clusters.len() as f64)
}

/// How far two clusterings agree on pairs of points, corrected for chance: 1 for the same clusters
/// under any names, about 0 for labels at random (Hubert & Arabie, "Comparing partitions", 1985).
/// Both are integers of shape \[n\].
///
/// # Errors
/// If they are no integers of one shape \[n\], or empty.
///
/// ```
/// use gradus::{Tensor, metrics};
/// let score = metrics::adjusted_rand_score(&Tensor::from([0, 0, 1, 1]), &Tensor::from([7, 7, 5, 5]))?;
/// assert_eq!(score, 1.0);
/// # Ok::<(), gradus::Error>(())
/// ```
pub fn adjusted_rand_score(truth: &Tensor, labels: &Tensor) -> Result<f64> {
    let table = Contingency::new("adjusted_rand_score", truth, labels)?;
    let squares = |counts: &[u64]| counts.iter().map(|&c| i128::from(c).pow(2)).sum::<i128>();
    // Ordered pairs of points: together in both, in the first, in the second, in neither.
    let (cells, rows, columns) = (
        squares(&table.cells_only()),
        squares(&table.rows),
        squares(&table.columns),
    );
    let n = table.n as i128;
    let both = (cells - n) as f64;
    let (first, second) = ((rows - cells) as f64, (columns - cells) as f64);
    let neither = (n * n - rows - columns + cells) as f64;
    if first == 0.0 && second == 0.0 {
        return Ok(1.0);
    }
    let chance = (both + first) * (first + neither) + (both + second) * (second + neither);
    Ok(2.0 * (both * neither - first * second) / chance)
}

/// Homogeneity, completeness and V-measure: whether each cluster holds one class only, whether each
/// class lies in one cluster, and their harmonic mean; from 0 to 1 (Rosenberg & Hirschberg,
/// "V-measure", 2007).
///
/// # Errors
/// As [`adjusted_rand_score`].
///
/// ```
/// use gradus::{Tensor, metrics};
/// let (truth, labels) = (Tensor::from([0, 0, 1, 1]), Tensor::from([0, 1, 2, 2]));
/// let (homogeneity, completeness, v) = metrics::homogeneity_completeness_v_measure(&truth, &labels)?;
/// assert_eq!(homogeneity, 1.0);
/// assert!((completeness - 2.0 / 3.0).abs() < 1e-15 && (v - 0.8).abs() < 1e-15);
/// # Ok::<(), gradus::Error>(())
/// ```
pub fn homogeneity_completeness_v_measure(
    truth: &Tensor,
    labels: &Tensor,
) -> Result<(f64, f64, f64)> {
    let table = Contingency::new("homogeneity_completeness_v_measure", truth, labels)?;
    let n = table.n as f64;
    let entropy = |counts: &[u64]| {
        let shares = counts.iter().map(|&c| c as f64 / n);
        -shares.map(|p| p * p.ln()).sum::<f64>()
    };
    let (of_truth, of_labels) = (entropy(&table.rows), entropy(&table.columns));
    let shared = table.cells.iter().map(|&(row, column, count)| {
        let expected = table.rows[row] as f64 * table.columns[column] as f64 / n;
        count as f64 / n * (count as f64 / expected).ln()
    });
    let shared = shared.sum::<f64>().max(0.0);
    let share = |of: f64| {
        if of > 0.0 {
            (shared / of).min(1.0)
        } else {
            1.0
        }
    };
    let (homogeneity, completeness) = (share(of_truth), share(of_labels));
    let sum = homogeneity + completeness;
    let v = if sum > 0.0 {
        2.0 * homogeneity * completeness / sum
    } else {
        0.0
    };
    Ok((homogeneity, completeness, v))
}

/// The V-measure alone; see [`homogeneity_completeness_v_measure`].
///
/// # Errors
/// As [`adjusted_rand_score`].
///
/// ```
/// use gradus::{Tensor, metrics};
/// let v = metrics::v_measure_score(&Tensor::from([0, 0, 1]), &Tensor::from([1, 1, 0]))?;
/// assert!((v - 1.0).abs() < 1e-15);
/// # Ok::<(), gradus::Error>(())
/// ```
pub fn v_measure_score(truth: &Tensor, labels: &Tensor) -> Result<f64> {
    Ok(homogeneity_completeness_v_measure(truth, labels)?.2)
}

/// Points by columns, cluster by cluster.
struct Sorted {
    /// The row of each place.
    order: Vec<usize>,
    columns: Vec<Vec<f64>>,
    clusters: Vec<Range<usize>>,
}

impl Sorted {
    fn new(function: &str, x: &Tensor, labels: &Tensor) -> Result<Self> {
        let fail = |kind, message| Err(Error::new(kind, format!("{function}: {message}")));
        let &[n, dims] = x.shape() else {
            let message = format!(
                "expected points as rows, a shape [n, columns], got {:?}",
                x.shape()
            );
            return fail(Kind::Shape, message);
        };
        if labels.shape() != [n] {
            let message = format!(
                "expected a label for each of {n} points, got shape {:?}",
                labels.shape()
            );
            return fail(Kind::Shape, message);
        }
        if labels.dtype().is_float() {
            let message = format!("expected labels as integers, got {}", labels.dtype());
            return fail(Kind::DType, message);
        }
        let (rows, labels) = (x.to_vec::<f64>()?, labels.to_vec::<i64>()?);
        if let Some(at) = rows.iter().position(|x| !x.is_finite()) {
            let message = format!(
                "row {}, column {} (counted from 0) is {}; every number must be finite",
                at / dims,
                at % dims,
                rows[at]
            );
            return fail(Kind::Value, message);
        }
        let mut order: Vec<usize> = (0..n).collect();
        order.sort_by_key(|&row| labels[row]);
        let same = order.chunk_by(|&a, &b| labels[a] == labels[b]);
        let mut end = 0;
        let clusters: Vec<Range<usize>> = same
            .map(|cluster| {
                end += cluster.len();
                end - cluster.len()..end
            })
            .collect();
        if clusters.len() < 2 || clusters.len() >= n {
            let message = format!(
                "{} clusters of {n} points; at least 2 are compared, and fewer than there are points",
                clusters.len()
            );
            return fail(Kind::Value, message);
        }
        let column = |k| order.iter().map(|&row| rows[row * dims + k]).collect();
        let columns = (0..dims).map(column).collect();
        Ok(Self {
            order,
            columns,
            clusters,
        })
    }

    /// The sum of the distances from a point to those at some places.
    #[inline(always)]
    fn distances(&self, point: &[f64], range: Range<usize>) -> f64 {
        let mut sums = [0.0; LANES];
        let mut at = range.start;
        while at + LANES <= range.end {
            let mut squares = [0.0; LANES];
            for (column, &x) in self.columns.iter().zip(point) {
                let column: &[f64; LANES] = column[at..at + LANES].try_into().expect("so many");
                for (square, &y) in squares.iter_mut().zip(column) {
                    *square += (y - x) * (y - x);
                }
            }
            for (sum, square) in sums.iter_mut().zip(squares) {
                *sum += square.sqrt();
            }
            at += LANES;
        }
        let mut sum: f64 = sums.iter().sum();
        for at in at..range.end {
            let differences = self
                .columns
                .iter()
                .zip(point)
                .map(|(column, x)| column[at] - x);
            sum += differences.map(|d| d * d).sum::<f64>().sqrt();
        }
        sum
    }
}

/// The silhouettes of the points from place `start` on.
struct Silhouettes<'a> {
    sorted: &'a Sorted,
    start: usize,
    chunk: &'a mut [f64],
}

impl Loop for Silhouettes<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let sorted = self.sorted;
        let mut point = vec![0.0; sorted.columns.len()];
        for (i, sample) in self.chunk.iter_mut().enumerate() {
            let place = self.start + i;
            for (x, column) in point.iter_mut().zip(&sorted.columns) {
                *x = column[place];
            }
            let (mut within, mut nearest, mut alone) = (0.0, f64::INFINITY, false);
            for range in &sorted.clusters {
                let sum = sorted.distances(&point, range.clone());
                if range.contains(&place) {
                    alone = range.len() == 1;
                    within = sum / (range.len() as f64 - 1.0);
                } else {
                    nearest = nearest.min(sum / range.len() as f64);
                }
            }
            let larger = within.max(nearest);
            // Where both are 0 all is one place, and no cluster better than another.
            *sample = if alone || larger == 0.0 {
                0.0
            } else {
                (nearest - within) / larger
            };
        }
    }
}

/// How many points are in each pair of a class and a cluster; only those that occur.
struct Contingency {
    n: usize,
    /// Class, cluster, points.
    cells: Vec<(usize, usize, u64)>,
    rows: Vec<u64>,
    columns: Vec<u64>,
}

impl Contingency {
    fn new(function: &str, truth: &Tensor, labels: &Tensor) -> Result<Self> {
        let (truth, labels) = pairs(function, truth, labels)?;
        let number = |list: &[i64]| {
            let mut classes = list.to_vec();
            classes.sort_unstable();
            classes.dedup();
            let numbers = list.iter().map(|&x| classes.partition_point(|&c| c < x));
            (numbers.collect::<Vec<_>>(), vec![0; classes.len()])
        };
        let ((truth, mut rows), (labels, mut columns)) = (number(&truth), number(&labels));
        let n = truth.len();
        let mut both: Vec<(usize, usize)> = truth.into_iter().zip(labels).collect();
        both.sort_unstable();
        let mut cells = Vec::new();
        for same in both.chunk_by(|a, b| a == b) {
            let ((row, column), count) = (same[0], same.len() as u64);
            rows[row] += count;
            columns[column] += count;
            cells.push((row, column, count));
        }
        Ok(Self {
            n,
            cells,
            rows,
            columns,
        })
    }

    fn cells_only(&self) -> Vec<u64> {
        self.cells.iter().map(|&(_, _, count)| count).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Figures of scikit-learn 1.9.1.
    #[test]
    fn scores_are_scikit_learns() {
        let x = Tensor::from_vec(POINTS.concat(), [20, 3]).unwrap();
        let (truth, labels) = (Tensor::from(TRUTH), Tensor::from(LABELS));
        let samples: Vec<f64> = silhouette_samples(&x, &labels).unwrap().to_vec().unwrap();
        let (h, c, v) = homogeneity_completeness_v_measure(&truth, &labels).unwrap();
        for (ours, theirs) in [
            (silhouette_score(&x, &labels).unwrap(), -0.2711651126426287),
            (samples[0], 0.0207289262139236),
            (samples[1], -0.22827513431642932),
            (
                davies_bouldin_score(&x, &labels).unwrap(),
                3.8767216821351043,
            ),
            (
                adjusted_rand_score(&truth, &labels).unwrap(),
                0.329619312906221,
            ),
            (h, 0.5282587067123059),
            (c, 0.6727069307814815),
            (v, 0.5917959384626746),
        ] {
            assert!((ours - theirs).abs() < 1e-13, "{ours} instead of {theirs}");
        }
    }

    /// One cluster, and as many as points: scikit-learn's conventions.
    #[test]
    fn extremes_are_scikit_learns() {
        let (one, each) = (Tensor::from([0, 0, 0]), Tensor::from([0, 1, 2]));
        assert_eq!(adjusted_rand_score(&one, &each).unwrap(), 0.0);
        assert_eq!(adjusted_rand_score(&one, &one).unwrap(), 1.0);
        let all = homogeneity_completeness_v_measure;
        assert_eq!(all(&one, &each).unwrap(), (1.0, 0.0, 0.0));
        assert_eq!(all(&each, &one).unwrap(), (0.0, 1.0, 0.0));
    }

    #[test]
    fn what_cannot_be_scored_is_refused() {
        let x = Tensor::from([[0.0], [1.0], [2.0]]);
        for (x, labels, kind) in [
            (x.clone(), Tensor::from([0, 0, 0]), Kind::Value),
            (x.clone(), Tensor::from([0, 1, 2]), Kind::Value),
            (x.clone(), Tensor::from([0, 1]), Kind::Shape),
            (x.clone(), Tensor::from([0.0, 1.0, 1.0]), Kind::DType),
            (
                Tensor::from([0.0, 1.0, 2.0]),
                Tensor::from([0, 1, 1]),
                Kind::Shape,
            ),
            (
                Tensor::from([[0.0], [f32::NAN], [1.0]]),
                Tensor::from([0, 1, 1]),
                Kind::Value,
            ),
            (
                Tensor::ones([0, 1]),
                Tensor::full([0], 0.0, crate::DType::I64).unwrap(),
                Kind::Value,
            ),
        ] {
            assert_eq!(silhouette_score(&x, &labels).unwrap_err().kind(), kind);
            assert_eq!(davies_bouldin_score(&x, &labels).unwrap_err().kind(), kind);
        }
        assert!(adjusted_rand_score(&x, &x).is_err());
        // Equal points have no distances to compare.
        let same = silhouette_score(&Tensor::ones([4, 2]), &Tensor::from([0, 0, 1, 1])).unwrap();
        assert_eq!(same, 0.0);
    }

    #[rustfmt::skip]
    const POINTS: [[f64; 3]; 20] = [
        [3.53, 0.8, 1.96],
        [4.48, 3.74, -1.95],
        [1.9, -0.3, -0.21],
        [0.82, 0.29, 2.91],
        [1.52, 0.24, 0.89],
        [0.67, 2.99, -0.41],
        [0.63, -1.71, -5.11],
        [1.31, 1.73, -1.48],
        [4.54, -2.91, 0.09],
        [-0.37, 3.07, 2.94],
        [0.31, 0.76, -1.78],
        [-3.96, -0.7, 0.31],
        [2.46, 2.4, -0.77],
        [-0.6, -2.1, -2.84],
        [-3.41, 3.9, -1.02],
        [-0.88, -2.51, 1.55],
        [-3.23, -0.43, -1.79],
        [0.77, -1.02, -2.36],
        [-0.06, 0.86, 0.13],
        [0.6, -1.27, -0.73],
    ];
    const LABELS: [i64; 20] = [2, 1, 0, 1, 2, 2, 2, 1, 2, 3, 0, 1, 2, 0, 1, 0, 3, 1, 2, -1];
    const TRUTH: [i64; 20] = [7, 6, 5, 6, 7, 7, 7, 6, 7, 8, 0, 1, 2, 0, 1, 2, 2, 2, 1, 0];
}
