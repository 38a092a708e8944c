//! K-means: centres such that the squared distances of the points to the nearest are small (Lloyd,
//! "Least squares quantization in PCM", 1982).

mod init;
mod minibatch;

pub use init::Init;
pub use minibatch::MiniBatchKMeans;

use super::value_error;
use gradus_core::nearest::{Memory, Points};
use gradus_core::random::{self, Compat, Generator};
use gradus_core::{Error, Kind, Result, Tensor};
use std::ops::ControlFlow;

/// How the nearest centres are found. All are exact and find the same clusters, but for what rounding
/// does to sums.
///
/// ```
/// use gradus::{Tensor, cluster::{KMeans, kmeans::Algorithm}};
/// let x = Tensor::from([[0.0], [1.0], [9.0], [10.0]]);
/// let fit = |algorithm| KMeans::new(2).algorithm(algorithm).random_state(0).fit(&x);
/// let labels = fit(Algorithm::Lloyd)?.labels.to_vec::<i64>()?;
/// assert_eq!(fit(Algorithm::Hamerly)?.labels.to_vec::<i64>()?, labels);
/// # Ok::<(), gradus::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Algorithm {
    /// [`Hamerly`](Algorithm::Hamerly) from 64 multiplications for a point on (clusters times columns),
    /// else [`Lloyd`](Algorithm::Lloyd). The default.
    #[default]
    Auto,
    /// All distances, in every iteration, at the speed of the processor's vectors.
    Lloyd,
    /// Bounds tell which points cannot have changed their cluster (Hamerly, "Making k-means even
    /// faster", 2010); only the others are looked at. Keeps two numbers for each point, and does not
    /// know the inertia until the end.
    Hamerly,
}

/// K-means with its settings; the names and defaults are scikit-learn's.
///
/// | setting | default |
/// |---|---|
/// | [`init`](KMeans::init) | [`Init::KMeansPlusPlus`] |
/// | [`n_init`](KMeans::n_init) | 10 for [`Init::Random`], else 1 |
/// | [`max_iter`](KMeans::max_iter) | 300 |
/// | [`tol`](KMeans::tol) | 1e-4 |
/// | [`random_state`](KMeans::random_state) | a number of this thread's generator |
/// | [`algorithm`](KMeans::algorithm) | [`Algorithm::Auto`] |
///
/// A cluster that loses all its points goes to the point that is farthest from its centre. Only if
/// there are fewer different points than clusters do some stay empty; none is ever NaN.
///
/// ```
/// use gradus::{Tensor, cluster::KMeans};
/// let x = Tensor::from([[1.0, 2.0], [1.0, 4.0], [1.0, 0.0], [10.0, 2.0], [10.0, 4.0], [10.0, 0.0]]);
/// let fitted = KMeans::new(2).random_state(0).fit(&x)?;
/// let mut centres = fitted.cluster_centers.to_vec2::<f64>()?;
/// centres.sort_by(|a, b| a.partial_cmp(b).unwrap());
/// assert_eq!(centres, [[1.0, 2.0], [10.0, 2.0]]);
/// assert_eq!(fitted.inertia, 16.0);
/// # Ok::<(), gradus::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct KMeans {
    n_clusters: usize,
    init: Init,
    n_init: Option<usize>,
    max_iter: usize,
    tol: f64,
    random_state: Option<u64>,
    compat: Option<Compat>,
    algorithm: Algorithm,
}

/// What a listener is told after each iteration.
#[derive(Clone, Copy, Debug)]
pub struct Step<'a> {
    /// Which of the `n_init` runs, from 0.
    pub run: usize,
    /// How many there will be.
    pub n_init: usize,
    /// Iterations of this run so far, from 1.
    pub iteration: usize,
    /// The sum of the squared distances by which the centres have moved.
    pub shift: f64,
    /// The sum of squared distances to the centres as they were before, rounded as the dtype of the
    /// points; none with [`Algorithm::Hamerly`], which does not know it.
    pub inertia: Option<f64>,
    /// The cluster of each point, by the centres as they were before.
    pub labels: &'a [i32],
    /// The centres as they are now, rows of coordinates.
    pub centers: &'a [f64],
}

/// Clusters that were found.
#[derive(Clone, Debug)]
pub struct FittedKMeans {
    /// The centres, shape [k, d], in the dtype of the points.
    pub cluster_centers: Tensor,
    /// The number of the nearest centre of each point, i64, shape \[n\].
    pub labels: Tensor,
    /// The weighted sum of the squared distances of the points to their centres.
    pub inertia: f64,
    /// Iterations of the best run; the last one, in which nothing moved, counts.
    pub n_iter: usize,
    /// Whether the centres had come to rest when the best run ended.
    pub converged: bool,
    /// Whether a listener ended the fit.
    pub stopped: bool,
}

impl KMeans {
    /// K-means with `n_clusters` clusters.
    ///
    /// ```
    /// # use gradus::{Tensor, cluster::KMeans};
    /// assert!(KMeans::new(5).fit(&Tensor::ones([3, 2])).is_err());
    /// ```
    pub fn new(n_clusters: usize) -> Self {
        Self {
            n_clusters,
            init: Init::default(),
            n_init: None,
            max_iter: 300,
            tol: 1e-4,
            random_state: None,
            compat: None,
            algorithm: Algorithm::default(),
        }
    }

    /// Another number of clusters.
    ///
    /// ```
    /// # use gradus::{Tensor, cluster::KMeans};
    /// let fitted = KMeans::new(1).n_clusters(2).fit(&Tensor::from([[0.0], [5.0]]))?;
    /// assert_eq!(fitted.cluster_centers.shape(), [2, 1]);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    #[must_use]
    pub fn n_clusters(mut self, n_clusters: usize) -> Self {
        self.n_clusters = n_clusters;
        self
    }

    /// Where the centres are at first.
    ///
    /// ```
    /// # use gradus::{Tensor, cluster::{Init, KMeans}};
    /// let fitted = KMeans::new(2).init(Init::Random).fit(&Tensor::from([[0.0], [5.0]]))?;
    /// assert_eq!(fitted.inertia, 0.0);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    #[must_use]
    pub fn init(mut self, init: Init) -> Self {
        self.init = init;
        self
    }

    /// How often to begin anew; the run with the least inertia counts. With given centres once.
    ///
    /// ```
    /// # use gradus::{Tensor, cluster::KMeans};
    /// let fitted = KMeans::new(2).n_init(5).fit(&Tensor::from([[0.0], [5.0]]))?;
    /// # Ok::<(), gradus::Error>(())
    /// ```
    #[must_use]
    pub fn n_init(mut self, n_init: usize) -> Self {
        self.n_init = Some(n_init);
        self
    }

    /// Iterations after which a run ends anyway.
    ///
    /// ```
    /// # use gradus::{Tensor, cluster::KMeans};
    /// assert_eq!(KMeans::new(2).max_iter(1).fit(&Tensor::from([[0.0], [5.0]]))?.n_iter, 1);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    #[must_use]
    pub fn max_iter(mut self, max_iter: usize) -> Self {
        self.max_iter = max_iter;
        self
    }

    /// A run ends when the sum of the squared distances by which centres moved is at most `tol` times
    /// the mean variance of the columns. With 0 it ends when no centre moves.
    ///
    /// ```
    /// # use gradus::{Tensor, cluster::KMeans};
    /// assert!(KMeans::new(2).tol(0.0).fit(&Tensor::from([[0.0], [5.0]]))?.converged);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    #[must_use]
    pub fn tol(mut self, tol: f64) -> Self {
        self.tol = tol;
        self
    }

    /// The seed of what is drawn.
    ///
    /// ```
    /// # use gradus::{Tensor, cluster::KMeans};
    /// let x = Tensor::rand([100, 2])?;
    /// let fit = || KMeans::new(4).random_state(3).fit(&x);
    /// assert_eq!(fit()?.inertia, fit()?.inertia);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    #[must_use]
    pub fn random_state(mut self, seed: u64) -> Self {
        self.random_state = Some(seed);
        self
    }

    /// The stream of another library for what is drawn. With [`Compat::Numpy`] and [`Init::Random`] the
    /// first centres are `choice(n, k, replace=False)` after `numpy.random.seed(random_state)`; with
    /// k-means++ they are scikit-learn's.
    ///
    /// ```
    /// # use gradus::{Tensor, cluster::KMeans, random::Compat};
    /// let fitted = KMeans::new(2).random_state(1).compat(Compat::Numpy).fit(&Tensor::from([[0.0], [5.0]]))?;
    /// # Ok::<(), gradus::Error>(())
    /// ```
    #[must_use]
    pub fn compat(mut self, compat: Compat) -> Self {
        self.compat = Some(compat);
        self
    }

    /// How the nearest centres are found.
    ///
    /// ```
    /// # use gradus::{Tensor, cluster::{KMeans, kmeans::Algorithm}};
    /// let fitted = KMeans::new(2).algorithm(Algorithm::Hamerly).fit(&Tensor::from([[0.0], [5.0]]))?;
    /// # Ok::<(), gradus::Error>(())
    /// ```
    #[must_use]
    pub fn algorithm(mut self, algorithm: Algorithm) -> Self {
        self.algorithm = algorithm;
        self
    }

    /// Finds the clusters of the rows of `x`, shape [n, d], f32 or f64.
    ///
    /// # Errors
    /// For settings out of range, more clusters than points, other shapes and dtypes, and numbers that
    /// are not finite.
    ///
    /// ```
    /// # use gradus::{Tensor, cluster::KMeans};
    /// let fitted = KMeans::new(2).fit(&Tensor::from([[0.0], [1.0], [8.0]]))?;
    /// assert_eq!(fitted.inertia, 0.5);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn fit(&self, x: &Tensor) -> Result<FittedKMeans> {
        self.fit_with(x, None, |_| ControlFlow::Continue(()))
    }

    /// [`fit`](KMeans::fit) with a weight for each point, shape \[n\]: a point of weight 2 counts as two
    /// equal ones.
    ///
    /// # Errors
    /// As `fit`; for weights that are negative or all 0.
    ///
    /// ```
    /// # use gradus::{Tensor, cluster::KMeans};
    /// let (x, w) = (Tensor::from([[0.0], [3.0]]), Tensor::from([2.0, 1.0]));
    /// assert_eq!(KMeans::new(1).fit_weighted(&x, &w)?.cluster_centers.item::<f64>()?, 1.0);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn fit_weighted(&self, x: &Tensor, weights: &Tensor) -> Result<FittedKMeans> {
        self.fit_with(x, Some(weights), |_| ControlFlow::Continue(()))
    }

    /// [`fit`](KMeans::fit), with weights if there are any, and a listener that is told of every
    /// iteration. If it breaks, the best that was found so far is the result.
    ///
    /// # Errors
    /// As [`fit_weighted`](KMeans::fit_weighted).
    ///
    /// ```
    /// use gradus::{Tensor, cluster::KMeans};
    /// use std::ops::ControlFlow;
    ///
    /// let x = Tensor::rand([100, 2])?;
    /// let mut shifts = Vec::new();
    /// let fitted = KMeans::new(5).random_state(0).fit_with(&x, None, |step| {
    ///     shifts.push(step.shift);
    ///     if shifts.len() < 3 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    /// })?;
    /// assert!(fitted.stopped && fitted.n_iter == 3);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn fit_with(
        &self,
        x: &Tensor,
        weights: Option<&Tensor>,
        listener: impl FnMut(&Step<'_>) -> ControlFlow<()>,
    ) -> Result<FittedKMeans> {
        self.check()?;
        let points = Points::new(x, weights).map_err(|e| e.at("KMeans"))?;
        self.fit_points(&points, listener)
    }

    fn check(&self) -> Result<()> {
        let message = if self.n_clusters == 0 {
            "n_clusters must be at least 1, got 0".into()
        } else if self.max_iter == 0 {
            "max_iter must be at least 1, got 0".into()
        } else if self.n_init == Some(0) {
            "n_init must be at least 1, got 0".into()
        } else if self.tol.is_nan() || self.tol < 0.0 {
            format!("tol must be 0 or more, got {}", self.tol)
        } else {
            return Ok(());
        };
        Err(value_error(format!("KMeans: {message}")))
    }

    /// The stream that the settings ask for.
    pub(super) fn generator(&self) -> Generator {
        let seed = || random::with_generator(Generator::next_u64);
        let seed = self.random_state.unwrap_or_else(seed);
        match self.compat {
            Some(compat) => Generator::compat(seed, compat),
            None => Generator::new(seed),
        }
    }

    pub(super) fn fit_points(
        &self,
        points: &Points,
        mut listener: impl FnMut(&Step<'_>) -> ControlFlow<()>,
    ) -> Result<FittedKMeans> {
        let k = self.n_clusters;
        if k > points.len() {
            return Err(value_error(format!(
                "KMeans: {k} clusters of {} points; n_clusters may be as large as the number of points",
                points.len()
            )));
        }
        let n_init = match (&self.init, self.n_init) {
            (Init::Centers(_), _) => 1,
            (_, Some(n)) => n,
            (Init::Random, None) => 10,
            (Init::KMeansPlusPlus, None) => 1,
        };
        let mut generator = self.generator();
        let mut best: Option<Run> = None;
        for number in 0..n_init {
            let start = self.init.draw(points, k, &mut generator)?;
            let run = self.run(
                points,
                start,
                |iteration, shift, inertia, labels, centers| {
                    listener(&Step {
                        run: number,
                        n_init,
                        iteration,
                        shift,
                        inertia,
                        labels,
                        centers,
                    })
                },
            )?;
            let stopped = run.stopped;
            if best.as_ref().is_none_or(|b| run.inertia < b.inertia) {
                best = Some(run);
            }
            if let (true, Some(best)) = (stopped, &mut best) {
                best.stopped = true;
                break;
            }
        }
        let best = best.expect("n_init is at least 1");
        let centres = Tensor::from_vec(best.centres, [k, points.dims()])?;
        Ok(FittedKMeans {
            cluster_centers: centres.to_dtype(points.dtype())?,
            labels: tensor(&best.labels)?,
            inertia: best.inertia,
            n_iter: best.n_iter,
            converged: best.converged,
            stopped: best.stopped,
        })
    }

    /// From these centres to where they come to rest.
    fn run(
        &self,
        points: &Points,
        mut centres: Vec<f64>,
        mut tell: impl FnMut(usize, f64, Option<f64>, &[i32], &[f64]) -> ControlFlow<()>,
    ) -> Result<Run> {
        let bounds = match self.algorithm {
            Algorithm::Auto => self.n_clusters * points.dims() >= MANY,
            other => other == Algorithm::Hamerly,
        };
        let mut search = if bounds {
            Search::Bounds(points.memory(self.n_clusters)?)
        } else {
            Search::All(vec![0; points.len()])
        };
        let tol = self.tol * points.variance();
        let (mut n_iter, mut converged, mut moved, mut stopped) = (0, false, true, false);
        while n_iter < self.max_iter && !converged && !stopped {
            let mut sums = match &mut search {
                Search::All(labels) => points.assign(&centres, labels)?,
                Search::Bounds(memory) => points.step(&centres, memory)?,
            };
            let labels = search.labels();
            if sums.weights.contains(&0.0) {
                reseed(points, &centres, labels, &mut sums.means, &mut sums.weights)?;
            }
            n_iter += 1;
            moved = sums.means != centres;
            let pairs = sums.means.iter().zip(&centres);
            let shift: f64 = pairs.map(|(a, b)| (a - b) * (a - b)).sum();
            converged = !moved || shift <= tol;
            centres = sums.means;
            stopped = tell(n_iter, shift, sums.cost, search.labels(), &centres).is_break();
        }
        if moved {
            match &mut search {
                Search::All(labels) => points.label(&centres, labels)?,
                Search::Bounds(memory) => points.step(&centres, memory).map(drop)?,
            }
        }
        let labels = search.labels();
        Ok(Run {
            inertia: points.inertia(&centres, labels)?,
            labels: labels.to_vec(),
            centres,
            n_iter,
            converged,
            stopped,
        })
    }
}

/// Multiplications for a point (clusters times columns) from which on bounds save more than they cost.
const MANY: usize = 64;

/// Where labels are kept, and how they are found.
enum Search {
    All(Vec<i32>),
    Bounds(Memory),
}

impl Search {
    fn labels(&self) -> &[i32] {
        match self {
            Self::All(labels) => labels,
            Self::Bounds(memory) => memory.labels(),
        }
    }
}

struct Run {
    centres: Vec<f64>,
    labels: Vec<i32>,
    inertia: f64,
    n_iter: usize,
    converged: bool,
    stopped: bool,
}

/// Puts each centre without points on the point that is farthest from its own centre, of those that
/// are left, and takes the point from there. Where no point is away from its centre, nothing happens.
fn reseed(
    points: &Points,
    centres: &[f64],
    labels: &[i32],
    means: &mut [f64],
    weights: &mut [f64],
) -> Result<()> {
    let d = points.dims();
    let own = points.weights()?;
    let squares = points.squares(centres, labels)?;
    let empty: Vec<usize> = (0..weights.len()).filter(|&c| weights[c] == 0.0).collect();
    let mut order: Vec<usize> = (0..points.len()).filter(|&i| squares[i] > 0.0).collect();
    // Few clusters are empty, and each takes one point; some points cannot be taken.
    order.sort_by(|&a, &b| squares[b].total_cmp(&squares[a]).then(a.cmp(&b)));
    let mut farthest = order.into_iter();
    for c in empty {
        for i in farthest.by_ref() {
            let from = labels[i] as usize;
            let w = own.as_ref().map_or(1.0, |w| w[i]);
            let left = weights[from] - w;
            // A point without weight is no reason for a cluster, and the last one stays.
            if w == 0.0 || left <= 1e-9 * weights[from] {
                continue;
            }
            let x = points.point(i)?;
            for (m, x) in means[from * d..][..d].iter_mut().zip(&x) {
                *m = (*m * weights[from] - w * x) / left;
            }
            means[c * d..][..d].copy_from_slice(&x);
            (weights[from], weights[c]) = (left, w);
            break;
        }
    }
    Ok(())
}

/// Labels as users get them: i64, shape \[n\].
fn tensor(labels: &[i32]) -> Result<Tensor> {
    let labels: Vec<i64> = labels.iter().map(|&label| label.into()).collect();
    let n = labels.len();
    Tensor::from_vec(labels, [n])
}

impl FittedKMeans {
    /// How many points each cluster has.
    ///
    /// # Errors
    /// Without memory.
    ///
    /// ```
    /// # use gradus::{Tensor, cluster::KMeans};
    /// let fitted = KMeans::new(1).fit(&Tensor::from([[0.0], [1.0], [8.0]]))?;
    /// assert_eq!(fitted.sizes()?, [3]);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn sizes(&self) -> Result<Vec<usize>> {
        let mut sizes = vec![0; self.cluster_centers.shape()[0]];
        for label in self.labels.to_vec::<i64>()? {
            sizes[label as usize] += 1;
        }
        Ok(sizes)
    }

    /// The points, checked, the centres, and the number of the nearest one of each.
    fn nearest(&self, x: &Tensor) -> Result<(Points, Vec<f64>, Vec<i32>)> {
        let (points, centres) = self.points(x)?;
        let mut labels = vec![0; points.len()];
        points.label(&centres, &mut labels)?;
        Ok((points, centres, labels))
    }

    /// The points, checked, and the centres.
    fn points(&self, x: &Tensor) -> Result<(Points, Vec<f64>)> {
        let d = self.cluster_centers.shape()[1];
        if x.ndim() == 2 && x.shape()[1] != d {
            let message = format!(
                "KMeans: the clusters were found in {d} columns, got {}",
                x.shape()[1]
            );
            return Err(Error::new(Kind::Shape, message));
        }
        let points = Points::new(x, None).map_err(|e| e.at("KMeans"))?;
        Ok((points, self.cluster_centers.to_vec()?))
    }

    /// The number of the nearest centre of each row of `x`, i64.
    ///
    /// # Errors
    /// For another number of columns, other dtypes, and numbers that are not finite.
    ///
    /// ```
    /// # use gradus::{Tensor, cluster::{Init, KMeans}};
    /// let x = Tensor::from([[0.0], [8.0]]);
    /// let fitted = KMeans::new(2).init(Init::Centers(x.clone())).fit(&x)?;
    /// assert_eq!(fitted.predict(&Tensor::from([[7.0], [1.0]]))?.to_vec::<i64>()?, [1, 0]);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn predict(&self, x: &Tensor) -> Result<Tensor> {
        tensor(&self.nearest(x)?.2)
    }

    /// The distances of the rows of `x` to the centres, shape [n, k], in the dtype of `x`.
    ///
    /// # Errors
    /// As [`predict`](FittedKMeans::predict).
    ///
    /// ```
    /// # use gradus::{Tensor, cluster::{Init, KMeans}};
    /// let x = Tensor::from([[0.0], [8.0]]);
    /// let fitted = KMeans::new(2).init(Init::Centers(x.clone())).fit(&x)?;
    /// assert_eq!(fitted.transform(&Tensor::from([[7.0]]))?.to_vec::<f32>()?, [7.0, 1.0]);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn transform(&self, x: &Tensor) -> Result<Tensor> {
        let (points, centres) = self.points(x)?;
        points.distances(&centres)?.sqrt()
    }

    /// Minus the sum of the squared distances of the rows of `x` to the nearest centres: the larger, the
    /// better.
    ///
    /// # Errors
    /// As [`predict`](FittedKMeans::predict).
    ///
    /// ```
    /// # use gradus::{Tensor, cluster::KMeans};
    /// let x = Tensor::from([[0.0], [1.0], [8.0]]);
    /// let fitted = KMeans::new(2).fit(&x)?;
    /// assert_eq!(fitted.score(&x)?, -fitted.inertia);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn score(&self, x: &Tensor) -> Result<f64> {
        let (points, centres, labels) = self.nearest(x)?;
        Ok(-points.inertia(&centres, &labels)?)
    }
}
