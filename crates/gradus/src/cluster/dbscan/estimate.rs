//! What a clustering will cost, before it is begun.

use super::density::{Density, Need};
use super::index::Algorithm;
use super::metric::{Coordinate, Distance};
use super::{Indexed, WithIndex};
use gradus_core::Result;
use std::fmt;
use std::marker::PhantomData;
use std::time::{Duration, Instant};

/// Groups in a row that are tried out, and how many such rows.
const TRIED: (usize, usize) = (32, 32);
/// What trying may take.
const LONG: Duration = Duration::from_millis(500);

/// What [`Dbscan::estimate`](super::Dbscan::estimate) says. Displayed as a sentence.
///
/// ```
/// use gradus::{Tensor, cluster::Dbscan};
/// let estimate = Dbscan::new(1.0, 5).estimate(&Tensor::ones([100, 2]))?;
/// assert_eq!((estimate.points, estimate.columns), (100, 2));
/// # Ok::<(), gradus::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Estimate {
    /// Rows of the data.
    pub points: usize,
    /// Columns of the data.
    pub columns: usize,
    /// How neighbours will be found.
    pub algorithm: Algorithm,
    /// Bytes at the peak, beside the input.
    pub memory: usize,
    /// Seconds with the number of threads that is set now; within a factor of three or so.
    pub seconds: f64,
}

impl fmt::Display for Estimate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} points of {} columns by {}: about {} MiB beside the data and {}",
            self.points,
            self.columns,
            self.algorithm,
            self.memory.div_ceil(1 << 20),
            duration(self.seconds)
        )
    }
}

/// Seconds as people say them.
fn duration(seconds: f64) -> String {
    match seconds {
        ..0.1 => format!("{:.0} ms", (1000.0 * seconds).ceil()),
        ..10.0 => format!("{seconds:.1} s"),
        ..120.0 => format!("{seconds:.0} s"),
        ..7200.0 => format!("{:.0} min", seconds / 60.0),
        _ => format!("{:.0} h", seconds / 3600.0),
    }
}

/// That of given distances: every number is read four times, once in each direction to be checked.
pub(super) fn precomputed(n: usize) -> Estimate {
    Estimate {
        points: n,
        columns: n,
        algorithm: Algorithm::Brute,
        memory: 30 * n + (16 << 20),
        seconds: 4.0 * (n as f64).powi(2) * 1e-9,
    }
}

/// Tries out some groups and concludes from them on all.
pub(super) struct Measure;

impl WithIndex for Measure {
    type Output = Estimate;

    fn call<T: Coordinate, M: Distance>(self, indexed: &Indexed<'_, T>) -> Result<Estimate> {
        let &Indexed {
            index,
            limit,
            algorithm,
            begun,
            min_samples,
        } = indexed;
        let need = Need {
            min_samples,
            weights: None,
            growing: true,
        };
        let density = Density::<T, M> {
            index,
            limit,
            need,
            metric: PhantomData,
        };
        let built = begun.elapsed().as_secs_f64();
        let groups = index.groups();
        let step = groups.div_ceil(TRIED.1).max(TRIED.0);
        let started = Instant::now();
        let tried = density.sample(step, TRIED.0, LONG);
        let seconds = started.elapsed().as_secs_f64();
        // The third pass looks at what is no core point: about a fifth of the work.
        let passes = 1.2 * seconds * groups as f64 / tried as f64;
        let (n, dims) = (index.points().n, index.points().dims);
        let data = n * dims * size_of::<T>();
        let memory = match algorithm {
            // The data, in the order of the grid and their own, or keys that are sorted beside them.
            Algorithm::Grid => data + n * 24 + (data + n * 4).max(n * 14),
            Algorithm::KdTree => 2 * data + n * 24 + data / 8,
            _ => 2 * data + n * 24,
        };
        Ok(Estimate {
            points: n,
            columns: dims,
            algorithm,
            memory,
            seconds: built + passes / gradus_core::num_threads() as f64,
        })
    }
}
