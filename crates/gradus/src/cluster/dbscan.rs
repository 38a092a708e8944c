//! DBSCAN: the estimator and what it finds.

mod bounds;
mod density;
mod estimate;
mod grid;
mod index;
mod input;
mod kdistance;
mod kdtree;
mod kernel;
mod metric;
mod precomputed;
mod union_find;
mod visit;
mod watch;

pub use estimate::Estimate;
pub use index::Algorithm;
pub use kdistance::{KDistances, k_distances};
pub use metric::Metric;
pub use watch::Progress;

use density::{Density, NONE, Need};
use gradus_core::random::{Compat, Generator};
use gradus_core::{DType, Kind, Result, Tensor};
use index::Index;
use input::fail;
use metric::{Absolute, Coordinate, Distance, Largest, Squared};
use precomputed::Distances;
use std::marker::PhantomData;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use visit::Visit;
use watch::Watch;

/// Density-based clustering: a point with at least `min_samples` points within `eps` of it, itself
/// counted, is a core point; core points within `eps` of each other are in one cluster, with all
/// others that one of them reaches (border points); what is left is noise, −1.
///
/// Exact, whatever the number of threads and the way neighbours are found. "Within" is a closed
/// ball, decided in the dtype of the data as [`Metric`] says; eps is rounded to that dtype first.
/// Labels are scikit-learn's: clusters are numbered by their first core point in the order of the
/// rows, and a border point that several clusters reach gets the lowest of their numbers. With
/// [`random_state`](Self::random_state) they are numbered and settled in the order of visits instead.
///
/// Beside its input it needs memory for a copy of the data in another order and some 30 bytes for
/// each point; no list of neighbours is kept. [`estimate`](Self::estimate) says how much that is,
/// and about how long it takes.
///
/// Sources: Ester, Kriegel, Sander & Xu, "A density-based algorithm for discovering clusters in large
/// spatial databases with noise", KDD 1996; Schubert, Sander, Ester, Kriegel & Xu, "DBSCAN revisited,
/// revisited", TODS 42, 2017; the grid: Gan & Tao, "DBSCAN revisited: mis-claim, un-fixability, and
/// approximation", SIGMOD 2015.
///
/// ```
/// use gradus::{Tensor, cluster::Dbscan};
/// let x = Tensor::from([[1.0, 2.0], [2.0, 2.0], [2.0, 3.0], [8.0, 7.0], [8.0, 8.0], [25.0, 80.0]]);
/// let fit = Dbscan::new(3.0, 2).fit(&x)?;
/// assert_eq!(fit.labels.to_vec::<i64>()?, [0, 0, 0, 1, 1, -1]);
/// assert_eq!((fit.n_clusters, fit.n_noise), (2, 1));
/// # Ok::<(), gradus::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Dbscan {
    eps: f64,
    min_samples: usize,
    metric: Metric,
    algorithm: Algorithm,
    random_state: Option<u64>,
    visits: Option<Vec<usize>>,
    noise_is_final: bool,
}

impl Default for Dbscan {
    /// scikit-learn's: eps 0.5, min_samples 5.
    fn default() -> Self {
        Self::new(0.5, 5)
    }
}

impl Dbscan {
    /// With a radius, in the units of the data, and the number of points that make a place dense, the
    /// point itself counted. Euclidean distances; [`fit`](Self::fit) checks the values.
    ///
    /// ```
    /// use gradus::{Tensor, cluster::Dbscan};
    /// assert!(Dbscan::new(-1.0, 5).fit(&Tensor::ones([4, 2])).is_err());
    /// ```
    pub fn new(eps: f64, min_samples: usize) -> Self {
        Self {
            eps,
            min_samples,
            metric: Metric::Euclidean,
            algorithm: Algorithm::Auto,
            random_state: None,
            visits: None,
            noise_is_final: false,
        }
    }

    /// How distances are measured; [`Metric::Euclidean`] unless told.
    ///
    /// ```
    /// use gradus::{Tensor, cluster::{Dbscan, Metric}};
    /// let distances = Tensor::from([[0.0, 0.4, 9.0], [0.4, 0.0, 9.0], [9.0, 9.0, 0.0]]);
    /// let fit = Dbscan::new(0.5, 2).metric(Metric::Precomputed).fit(&distances)?;
    /// assert_eq!(fit.labels.to_vec::<i64>()?, [0, 0, -1]);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    #[must_use]
    pub fn metric(mut self, metric: Metric) -> Self {
        self.metric = metric;
        self
    }

    /// How neighbours are found; [`Algorithm::Auto`] unless told. The result is the same.
    ///
    /// ```
    /// use gradus::{Tensor, cluster::{Dbscan, dbscan::Algorithm}};
    /// let x = Tensor::from([[0.0], [1.0], [2.0]]);
    /// assert_eq!(Dbscan::new(1.0, 2).fit(&x)?.algorithm, Algorithm::Grid);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    #[must_use]
    pub fn algorithm(mut self, algorithm: Algorithm) -> Self {
        self.algorithm = algorithm;
        self
    }

    /// Visits the points in the order of `numpy.random.RandomState(seed).permutation(n)`, as the
    /// textbook's algorithm would pick them at random. Core points and noise stay the same; clusters
    /// are numbered by their first core point in that order, and a border point that several reach
    /// belongs to the one begun first.
    ///
    /// ```
    /// use gradus::{Tensor, cluster::Dbscan};
    /// // Two dense rows; 3.5 is within 1.5 of 2 and of 5, and has too few neighbours itself.
    /// let x = Tensor::from([[0.0], [0.5], [1.0], [2.0], [3.5], [5.0], [6.0], [6.5], [7.0]]);
    /// let with = |seed| Dbscan::new(1.5, 4).random_state(seed).fit(&x).map(|fit| {
    ///     let labels = fit.labels.to_vec::<i64>().unwrap();
    ///     labels[4] == labels[2]
    /// });
    /// assert!(with(0)? != with(1)? || with(0)? != with(2)?);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    #[must_use]
    pub fn random_state(mut self, seed: u64) -> Self {
        self.random_state = Some(seed);
        self
    }

    /// Visits the points in this order, a permutation of 0 … n − 1; goes before
    /// [`random_state`](Self::random_state).
    ///
    /// ```
    /// use gradus::{Tensor, cluster::Dbscan};
    /// let x = Tensor::from([[0.0], [0.1], [9.0], [9.1]]);
    /// let fit = Dbscan::new(1.0, 2).visiting_order([3, 1, 2, 0]).fit(&x)?;
    /// assert_eq!(fit.labels.to_vec::<i64>()?, [1, 1, 0, 0]);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    #[must_use]
    pub fn visiting_order(mut self, order: impl Into<Vec<usize>>) -> Self {
        self.visits = Some(order.into());
        self
    }

    /// A variant for teaching, which some first implementations are by mistake: a point that is
    /// visited before any cluster has reached it, and is no core point, is noise for good, even if a
    /// cluster reaches it later. So noise depends on the order: there are at least as many noise
    /// points as without this, and at most those and all border points.
    ///
    /// ```
    /// use gradus::{Tensor, cluster::Dbscan};
    /// // Only the point in the middle is a core point, and it is visited second.
    /// let x = Tensor::from([[0.0], [1.0], [2.0]]);
    /// let fit = Dbscan::new(1.0, 3).noise_is_final(true).fit(&x)?;
    /// assert_eq!(fit.labels.to_vec::<i64>()?, [-1, 0, 0]);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    #[must_use]
    pub fn noise_is_final(mut self, yes: bool) -> Self {
        self.noise_is_final = yes;
        self
    }

    /// Clusters points: rows of `x`, of shape [n, columns], or for [`Metric::Precomputed`] distances
    /// of shape [n, n]. Whole numbers are taken as f64.
    ///
    /// # Errors
    /// [`Kind::Value`] if eps is not above 0, too small or too large for the dtype, or min_samples 0;
    /// if a number is NaN or infinite, with its row and column; for cosine, if a row is all zeros;
    /// for given distances, if one is negative, or not the same both ways, or not 0 from a point to
    /// itself; if [`Algorithm::Grid`] was asked for and cannot be; if the order of visits is no
    /// permutation. [`Kind::Shape`] for an input without rows or columns.
    ///
    /// ```
    /// use gradus::{Tensor, cluster::Dbscan};
    /// let error = Dbscan::default().fit(&Tensor::from([[1.0, f32::NAN]])).unwrap_err();
    /// assert!(error.to_string().contains("row 0, column 1"));
    /// ```
    pub fn fit(&self, x: &Tensor) -> Result<FittedDbscan> {
        self.fit_with(x, None, |_| ControlFlow::Continue(()))
    }

    /// [`fit`](Self::fit) where each point counts as many times as its weight says, `weights` of
    /// shape \[n\]. A point is a core point if the weights within eps sum up to `min_samples`, in f64
    /// and in an order of the index's own. A negative weight keeps others from being core points.
    ///
    /// # Errors
    /// As [`fit`](Self::fit); if the weights are not finite, or not as many as points.
    ///
    /// ```
    /// use gradus::{Tensor, cluster::Dbscan};
    /// let x = Tensor::from([[0.0], [5.0]]);
    /// let fit = Dbscan::new(1.0, 3).fit_weighted(&x, &Tensor::from([3.0, 2.5]))?;
    /// assert_eq!(fit.labels.to_vec::<i64>()?, [0, -1]);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn fit_weighted(&self, x: &Tensor, weights: &Tensor) -> Result<FittedDbscan> {
        self.fit_with(x, Some(weights), |_| ControlFlow::Continue(()))
    }

    /// [`fit`](Self::fit), with weights if there are any, and a listener that is told of progress. If
    /// it breaks, the result is what is known by then: what has one label does belong together, but a
    /// cluster may still be in several parts, and noise may be too much.
    ///
    /// # Errors
    /// As [`fit_weighted`](Self::fit_weighted).
    ///
    /// ```
    /// use gradus::{Tensor, cluster::Dbscan};
    /// use std::ops::ControlFlow;
    /// let x = Tensor::from([[0.0], [1.0], [2.0]]);
    /// let fit = Dbscan::new(1.0, 2).fit_with(&x, None, |progress| {
    ///     println!("{:.0} %", 100.0 * progress.share);
    ///     ControlFlow::Break(())
    /// })?;
    /// assert!(fit.stopped);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn fit_with(
        &self,
        x: &Tensor,
        weights: Option<&Tensor>,
        mut listener: impl FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<FittedDbscan> {
        let (n, _) = input::shape(x)?;
        let weights = weights.map(|w| input::weights(w, n)).transpose()?;
        self.fit_any(x, weights.as_deref(), Watch::new(&mut listener))
    }

    /// How neighbours would be found in `x`, the memory that it takes and about how long, by what a
    /// sample of the points takes on this machine now.
    ///
    /// # Errors
    /// As [`fit`](Self::fit).
    ///
    /// ```
    /// use gradus::{Tensor, cluster::Dbscan};
    /// let estimate = Dbscan::new(0.1, 5).estimate(&Tensor::rand([1000, 2])?)?;
    /// assert!(estimate.to_string().starts_with("1000 points of 2 columns by grid"));
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn estimate(&self, x: &Tensor) -> Result<Estimate> {
        let (n, dims) = input::shape(x)?;
        self.check()?;
        if self.metric == Metric::Precomputed {
            return Ok(estimate::precomputed(n));
        }
        match x.dtype() {
            DType::F32 => self.by_metric::<f32, _>(x, dims, estimate::Measure),
            _ => self.by_metric::<f64, _>(x, dims, estimate::Measure),
        }
    }

    fn check(&self) -> Result<()> {
        if self.min_samples == 0 {
            return fail(
                Kind::Value,
                "min_samples is 0, at least 1 is needed (a point counts itself; with 1 all are core points)",
            );
        }
        Ok(())
    }

    fn fit_any(
        &self,
        x: &Tensor,
        weights: Option<&[f64]>,
        watch: Watch<'_>,
    ) -> Result<FittedDbscan> {
        let (n, dims) = input::shape(x)?;
        self.check()?;
        let visit = self.visit(n)?;
        let (min_samples, noise_is_final) = (self.min_samples, self.noise_is_final);
        let growing = weights.is_none_or(|weights| weights.iter().all(|&w| w >= 0.0));
        let need = Need {
            min_samples,
            weights,
            growing,
        };
        let fit = Fit {
            need,
            visit,
            noise_is_final,
            watch,
        };
        if self.metric == Metric::Precomputed {
            input::limit::<f64>(self.eps, self.metric)?;
            return fit.distances(&Distances::new(x, self.eps)?, n);
        }
        match x.dtype() {
            DType::F32 => self.by_metric::<f32, _>(x, dims, fit),
            _ => self.by_metric::<f64, _>(x, dims, fit),
        }
    }

    /// The order of visits, checked.
    fn visit(&self, n: usize) -> Result<Visit> {
        let Some(order) = &self.visits else {
            let shuffled = |seed| Generator::compat(seed, Compat::Numpy).permutation(n);
            return Ok(Visit::new(self.random_state.map(shuffled).as_deref()));
        };
        let mut seen = vec![false; n];
        let mut fresh = |&row: &usize| row < n && !std::mem::replace(&mut seen[row], true);
        if order.len() != n || !order.iter().all(&mut fresh) {
            return fail(
                Kind::Value,
                format!(
                    "the order of visits must hold each of 0 … {} once for {n} points, it has {} numbers",
                    n - 1,
                    order.len()
                ),
            );
        }
        Ok(Visit::new(Some(order)))
    }

    /// Finds the dtype's and the metric's Rust types, builds the index and goes on with `then`.
    fn by_metric<T: Coordinate, Then: WithIndex>(
        &self,
        x: &Tensor,
        dims: usize,
        then: Then,
    ) -> Result<Then::Output> {
        match self.metric {
            Metric::Euclidean | Metric::Cosine => self.indexed::<T, Squared, _>(x, dims, then),
            Metric::Manhattan => self.indexed::<T, Absolute, _>(x, dims, then),
            Metric::Chebyshev => self.indexed::<T, Largest, _>(x, dims, then),
            Metric::Precomputed => unreachable!("distances that are there need no index"),
        }
    }

    fn indexed<T: Coordinate, M: Distance, Then: WithIndex>(
        &self,
        x: &Tensor,
        dims: usize,
        then: Then,
    ) -> Result<Then::Output> {
        let begun = std::time::Instant::now();
        let limit = input::limit::<T>(self.eps, self.metric)?;
        let rows = input::rows::<T>(x, dims, self.metric)?;
        let radius = match self.metric {
            Metric::Cosine => limit.to_f64().sqrt(),
            _ => T::from_f64(self.eps).to_f64(),
        };
        let chosen = index::choose::<T, M>(&rows, dims, radius, limit, self.algorithm);
        drop(rows);
        let Some((index, algorithm)) = chosen else {
            let message = format!(
                "no grid for {dims} columns with eps {}: it is for at most 3 columns, and 2^31 cells of that size in each; the k-d tree has no such limit",
                self.eps
            );
            return fail(Kind::Value, message);
        };
        let index = index.as_ref();
        then.call::<T, M>(&Indexed {
            index,
            limit,
            algorithm,
            begun,
            min_samples: self.min_samples,
        })
    }
}

/// Points that are ready to be searched.
struct Indexed<'a, T> {
    pub index: &'a dyn Index<T>,
    pub limit: T,
    pub algorithm: Algorithm,
    pub begun: std::time::Instant,
    pub min_samples: usize,
}

/// What is done with an index, whatever the dtype and the metric.
trait WithIndex {
    type Output;
    fn call<T: Coordinate, M: Distance>(self, indexed: &Indexed<'_, T>) -> Result<Self::Output>;
}

struct Fit<'a, 'w> {
    need: Need<'a>,
    visit: Visit,
    noise_is_final: bool,
    watch: Watch<'w>,
}

impl WithIndex for Fit<'_, '_> {
    type Output = FittedDbscan;

    fn call<T: Coordinate, M: Distance>(
        mut self,
        indexed: &Indexed<'_, T>,
    ) -> Result<FittedDbscan> {
        let &Indexed {
            index,
            limit,
            algorithm,
            ..
        } = indexed;
        let density = Density::<T, M> {
            index,
            limit,
            need: self.need,
            metric: PhantomData,
        };
        let cores = density.cores(&mut self.watch);
        let sets = density.unite(&cores, &mut self.watch);
        let order = &index.points().order;
        let is_core = |place: usize| cores.has(place);
        let (labels, begun) = self.number(order, is_core, |place| sets.find(place));
        drop(sets);
        density.borders(&cores, &labels, &mut self.watch);
        self.finish(order, is_core, &labels, &begun, algorithm)
    }
}

impl Fit<'_, '_> {
    fn distances(mut self, distances: &Distances<'_>, n: usize) -> Result<FittedDbscan> {
        let cores = distances.cores(self.need, &mut self.watch)?;
        let sets = distances.unite(&cores, &mut self.watch)?;
        let order: Vec<u32> = (0..n as u32).collect();
        let is_core = |place: usize| cores[place].load(Relaxed);
        let (labels, begun) = self.number(&order, is_core, |place| sets.find(place));
        distances.borders(&cores, &labels, &mut self.watch)?;
        self.finish(&order, is_core, &labels, &begun, Algorithm::Brute)
    }

    /// The label of each core point by place, `NONE` for the others; when each cluster is begun.
    fn number(
        &self,
        order: &[u32],
        is_core: impl Fn(usize) -> bool,
        root: impl Fn(u32) -> u32,
    ) -> (Vec<AtomicU32>, Vec<u32>) {
        let n = order.len();
        let cores = (0..n).filter(|&place| is_core(place));
        let cores = cores.map(|place| (root(place as u32), order[place]));
        let (by_root, begun) = self.visit.number(n, cores);
        let label = |place| match is_core(place) {
            true => by_root[root(place as u32) as usize],
            false => NONE,
        };
        (
            (0..n).map(|place| AtomicU32::new(label(place))).collect(),
            begun,
        )
    }

    /// What was found, in the order of the rows.
    fn finish(
        &self,
        order: &[u32],
        is_core: impl Fn(usize) -> bool,
        labels: &[AtomicU32],
        begun: &[u32],
        algorithm: Algorithm,
    ) -> Result<FittedDbscan> {
        let mut by_row = vec![-1i64; order.len()];
        let mut core = vec![false; order.len()];
        let mut n_noise = 0;
        for (place, (&row, label)) in order.iter().zip(labels).enumerate() {
            let mut label = label.load(Relaxed);
            core[row as usize] = is_core(place);
            if self.noise_is_final && label != NONE && !is_core(place) {
                // Nobody had reached it when it was visited.
                if self.visit.when(row) < begun[label as usize] {
                    label = NONE;
                }
            }
            n_noise += usize::from(label == NONE);
            if label != NONE {
                by_row[row as usize] = label.into();
            }
        }
        let core: Vec<i64> = (0..core.len() as i64)
            .filter(|&row| core[row as usize])
            .collect();
        Ok(FittedDbscan {
            labels: Tensor::from_vec(&by_row, [by_row.len()])?,
            core_sample_indices: Tensor::from_vec(&core, [core.len()])?,
            n_clusters: begun.len(),
            n_noise,
            algorithm,
            stopped: self.watch.stopped,
        })
    }
}

/// What [`Dbscan`] found.
///
/// ```
/// use gradus::{Tensor, cluster::Dbscan};
/// let fit = Dbscan::new(1.0, 3).fit(&Tensor::from([[0.0], [1.0], [2.0], [7.0]]))?;
/// assert_eq!(fit.labels.to_vec::<i64>()?, [0, 0, 0, -1]);
/// # Ok::<(), gradus::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct FittedDbscan {
    /// The cluster of each point, from 0 on, or −1 for noise: i64, shape \[n\].
    pub labels: Tensor,
    /// The rows of core points, ascending: i64, shape \[number of them\].
    pub core_sample_indices: Tensor,
    /// The number of clusters, noise not counted.
    pub n_clusters: usize,
    /// The number of noise points.
    pub n_noise: usize,
    /// How neighbours were found; never [`Algorithm::Auto`].
    pub algorithm: Algorithm,
    /// Whether a listener ended the fit.
    pub stopped: bool,
}
