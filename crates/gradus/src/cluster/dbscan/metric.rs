//! Distances, and the numbers they are computed of.

use std::ops::{Add, Mul, Sub};

use gradus_core::Number;

/// How far two points are from each other.
///
/// ```
/// use gradus::{Tensor, cluster::{Dbscan, Metric}};
/// let x = Tensor::from([[0.0, 0.0], [1.0, 1.0], [9.0, 9.0]]);
/// // √2 apart, or 1 in the larger of the two coordinates.
/// let clusters = |metric| Dbscan::new(1.0, 2).metric(metric).fit(&x).map(|fit| fit.n_clusters);
/// assert_eq!((clusters(Metric::Euclidean)?, clusters(Metric::Chebyshev)?), (0, 1));
/// # Ok::<(), gradus::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Metric {
    /// √Σ(xᵢ − yᵢ)². Compared as a square: Σ(xᵢ − yᵢ)² ≤ eps², both in the dtype of the data, the
    /// sum in the order of the columns.
    #[default]
    Euclidean,
    /// Σ|xᵢ − yᵢ|.
    Manhattan,
    /// The largest of |xᵢ − yᵢ|.
    Chebyshev,
    /// 1 − cos of the angle between x and y. Rows are divided by their length, and the square of the
    /// distance that is left between them is compared with 2·eps, which is the same but for
    /// rounding. A row of zeros has no angle and is refused.
    Cosine,
    /// The data are the distances themselves, of shape \[n, n\].
    Precomputed,
}

impl Metric {
    /// The name that scikit-learn has for it.
    ///
    /// ```
    /// assert_eq!(gradus::cluster::Metric::Manhattan.name(), "manhattan");
    /// ```
    pub fn name(self) -> &'static str {
        match self {
            Self::Euclidean => "euclidean",
            Self::Manhattan => "manhattan",
            Self::Chebyshev => "chebyshev",
            Self::Cosine => "cosine",
            Self::Precomputed => "precomputed",
        }
    }
}

/// A coordinate: f32 or f64.
pub(super) trait Coordinate:
    Number + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self>
{
    /// The smallest number with all its digits.
    const SMALLEST: f64;
    /// The largest finite number.
    const LARGEST: f64;

    #[inline(always)]
    fn size(self) -> Self {
        if self < Self::ZERO {
            Self::ZERO - self
        } else {
            self
        }
    }

    #[inline(always)]
    fn or_larger(self, other: Self) -> Self {
        if other > self { other } else { self }
    }
}
impl Coordinate for f32 {
    const SMALLEST: f64 = f32::MIN_POSITIVE as f64;
    const LARGEST: f64 = f32::MAX as f64;
}
impl Coordinate for f64 {
    const SMALLEST: f64 = f64::MIN_POSITIVE;
    const LARGEST: f64 = f64::MAX;
}

/// A distance built up coordinate by coordinate, on a scale of its own. `step` grows with the size
/// of the difference and with the sum, also after rounding. So what is computed for the nearest
/// point of a box is never more than what is computed for a point in it, and leaving out far boxes
/// is exact.
pub(super) trait Distance: Send + Sync + 'static {
    fn step<T: Coordinate>(sum: T, difference: T) -> T;
    /// The radius on this scale.
    fn limit(eps: f64) -> f64;
    /// The distance that a value on this scale stands for.
    fn distance(value: f64) -> f64;
    /// How often the side of a cube goes into its diagonal.
    fn diagonal(dims: usize) -> f64;
}

/// The square of the Euclidean distance.
pub(super) struct Squared;
/// Manhattan's.
pub(super) struct Absolute;
/// Chebyshev's.
pub(super) struct Largest;

impl Distance for Squared {
    #[inline(always)]
    fn step<T: Coordinate>(sum: T, difference: T) -> T {
        sum + difference * difference
    }
    fn limit(eps: f64) -> f64 {
        eps * eps
    }
    fn distance(value: f64) -> f64 {
        value.sqrt()
    }
    fn diagonal(dims: usize) -> f64 {
        (dims as f64).sqrt()
    }
}

impl Distance for Absolute {
    #[inline(always)]
    fn step<T: Coordinate>(sum: T, difference: T) -> T {
        sum + difference.size()
    }
    fn limit(eps: f64) -> f64 {
        eps
    }
    fn distance(value: f64) -> f64 {
        value
    }
    fn diagonal(dims: usize) -> f64 {
        dims as f64
    }
}

impl Distance for Largest {
    #[inline(always)]
    fn step<T: Coordinate>(sum: T, difference: T) -> T {
        sum.or_larger(difference.size())
    }
    fn limit(eps: f64) -> f64 {
        eps
    }
    fn distance(value: f64) -> f64 {
        value
    }
    fn diagonal(_: usize) -> f64 {
        1.0
    }
}
