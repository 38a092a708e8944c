//! K-means by small batches (Sculley, "Web-scale k-means clustering", 2010).

use super::{FittedKMeans, Init, KMeans, Step, tensor};
use crate::cluster::value_error;
use gradus_core::nearest::Points;
use gradus_core::random::Generator;
use gradus_core::{DType, Error, Kind, Result, Tensor};
use std::ops::ControlFlow;

/// K-means that looks at a batch of points at a time: each centre is the mean of all points that were
/// nearest to it when they came. The clusters are a little worse than those of [`KMeans`] and found
/// after a look at a part of the points.
///
/// | setting | default |
/// |---|---|
/// | [`batch_size`](MiniBatchKMeans::batch_size) | 1024 |
/// | [`max_iter`](MiniBatchKMeans::max_iter) | 100 times the points |
/// | [`max_no_improvement`](MiniBatchKMeans::max_no_improvement) | 10 batches |
/// | [`reassignment_ratio`](MiniBatchKMeans::reassignment_ratio) | 0.01 |
///
/// A centre that has had few points for long is put on a point of the batch, as scikit-learn does.
///
/// ```
/// use gradus::{cluster::MiniBatchKMeans, data::Blobs};
/// let (x, _) = Blobs::new(3000).random_state(3).make()?;
/// let fitted = MiniBatchKMeans::new(3).batch_size(100).random_state(0).fit(&x)?;
/// assert_eq!(fitted.sizes()?, [1000, 1000, 1000]);
/// # Ok::<(), gradus::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct MiniBatchKMeans {
    n_clusters: usize,
    init: Init,
    batch_size: usize,
    max_iter: usize,
    max_no_improvement: Option<usize>,
    reassignment_ratio: f64,
    random_state: Option<u64>,
    /// What `partial_fit` has come to: centres and how many points each has had.
    state: Option<State>,
}

#[derive(Clone, Debug)]
struct State {
    centres: Vec<f64>,
    counts: Vec<f64>,
    /// Points since centres were last put elsewhere.
    since: usize,
    generator: Generator,
    d: usize,
    dtype: DType,
}

impl MiniBatchKMeans {
    /// With `n_clusters` clusters.
    ///
    /// ```
    /// # use gradus::{Tensor, cluster::MiniBatchKMeans};
    /// assert!(MiniBatchKMeans::new(5).fit(&Tensor::ones([3, 2])).is_err());
    /// ```
    pub fn new(n_clusters: usize) -> Self {
        Self {
            n_clusters,
            init: Init::default(),
            batch_size: 1024,
            max_iter: 100,
            max_no_improvement: Some(10),
            reassignment_ratio: 0.01,
            random_state: None,
            state: None,
        }
    }

    /// Where the centres are at first; drawn from three batches.
    ///
    /// ```
    /// # use gradus::{Tensor, cluster::{Init, MiniBatchKMeans}};
    /// MiniBatchKMeans::new(2).init(Init::Random).fit(&Tensor::from([[0.0], [5.0]]))?;
    /// # Ok::<(), gradus::Error>(())
    /// ```
    #[must_use]
    pub fn init(mut self, init: Init) -> Self {
        self.init = init;
        self
    }

    /// Points of a batch.
    ///
    /// ```
    /// # use gradus::{Tensor, cluster::MiniBatchKMeans};
    /// MiniBatchKMeans::new(2).batch_size(2).fit(&Tensor::from([[0.0], [5.0]]))?;
    /// # Ok::<(), gradus::Error>(())
    /// ```
    #[must_use]
    pub fn batch_size(mut self, batch_size: usize) -> Self {
        self.batch_size = batch_size;
        self
    }

    /// At most so many batches as hold all points this many times.
    ///
    /// ```
    /// # use gradus::{Tensor, cluster::MiniBatchKMeans};
    /// MiniBatchKMeans::new(2).max_iter(1).fit(&Tensor::from([[0.0], [5.0]]))?;
    /// # Ok::<(), gradus::Error>(())
    /// ```
    #[must_use]
    pub fn max_iter(mut self, max_iter: usize) -> Self {
        self.max_iter = max_iter;
        self
    }

    /// `fit` ends when for so many batches the inertia, smoothed over the batches, has not been lower
    /// than before; with `None` it goes on to the last.
    ///
    /// ```
    /// # use gradus::{Tensor, cluster::MiniBatchKMeans};
    /// MiniBatchKMeans::new(2).max_no_improvement(None).fit(&Tensor::from([[0.0], [5.0]]))?;
    /// # Ok::<(), gradus::Error>(())
    /// ```
    #[must_use]
    pub fn max_no_improvement(mut self, batches: Option<usize>) -> Self {
        self.max_no_improvement = batches;
        self
    }

    /// Centres that have had less than this share of the points of the largest cluster are put elsewhere
    /// now and then; with 0 none is.
    ///
    /// ```
    /// # use gradus::{Tensor, cluster::MiniBatchKMeans};
    /// MiniBatchKMeans::new(2).reassignment_ratio(0.0).fit(&Tensor::from([[0.0], [5.0]]))?;
    /// # Ok::<(), gradus::Error>(())
    /// ```
    #[must_use]
    pub fn reassignment_ratio(mut self, ratio: f64) -> Self {
        self.reassignment_ratio = ratio;
        self
    }

    /// The seed of what is drawn.
    ///
    /// ```
    /// # use gradus::{Tensor, cluster::MiniBatchKMeans};
    /// MiniBatchKMeans::new(2).random_state(1).fit(&Tensor::from([[0.0], [5.0]]))?;
    /// # Ok::<(), gradus::Error>(())
    /// ```
    #[must_use]
    pub fn random_state(mut self, seed: u64) -> Self {
        self.random_state = Some(seed);
        self
    }

    fn generator(&self) -> Generator {
        let like = KMeans::new(self.n_clusters);
        match self.random_state {
            Some(seed) => like.random_state(seed).generator(),
            None => like.generator(),
        }
    }

    /// Finds the clusters of the rows of `x`, shape [n, d], f32 or f64.
    ///
    /// # Errors
    /// As [`KMeans::fit`].
    ///
    /// ```
    /// # use gradus::{Tensor, cluster::MiniBatchKMeans};
    /// let fitted = MiniBatchKMeans::new(2).fit(&Tensor::from([[0.0], [1.0], [8.0]]))?;
    /// assert_eq!(fitted.labels.shape(), [3]);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn fit(&self, x: &Tensor) -> Result<FittedKMeans> {
        self.fit_with(x, |_| ControlFlow::Continue(()))
    }

    /// [`fit`](MiniBatchKMeans::fit) with a listener that is told of every batch: `iteration` counts
    /// them, `inertia` is that of a point, smoothed over the batches, times all points, and there are no
    /// labels. If it breaks, the result is what the batches so far have come to.
    ///
    /// # Errors
    /// As `fit`.
    ///
    /// ```
    /// use gradus::{Tensor, cluster::MiniBatchKMeans};
    /// use std::ops::ControlFlow;
    /// let x = Tensor::rand([1000, 2])?;
    /// let fitted = MiniBatchKMeans::new(5).batch_size(50).fit_with(&x, |step| {
    ///     if step.iteration < 3 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    /// })?;
    /// assert!(fitted.stopped && fitted.n_iter == 3);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn fit_with(
        &self,
        x: &Tensor,
        mut listener: impl FnMut(&Step<'_>) -> ControlFlow<()>,
    ) -> Result<FittedKMeans> {
        let points = Points::new(x, None).map_err(|e| e.at("MiniBatchKMeans"))?;
        let n = points.len();
        let mut g = self.generator();
        let size = self.batch_size.min(n);
        let draw = |g: &mut Generator, count: usize| {
            let drawn = g.choice(n, count, true)?;
            let rows: Vec<i64> = drawn.into_iter().map(|i| i as i64).collect();
            let len = rows.len();
            x.index_select(0, &Tensor::from_vec(rows, [len])?)
        };
        let mut model = Self {
            state: None,
            ..self.clone()
        };
        let first = if 3 * size >= n {
            x.clone()
        } else {
            draw(&mut g, (3 * size).max(3 * self.n_clusters).min(n))?
        };
        model.begin(&first, &mut g)?;
        let mut last = model.centres();
        let batches = (self.max_iter.saturating_mul(n)).div_ceil(size.max(1));
        // A smoothed inertia, as scikit-learn has it.
        let alpha = (2.0 * size as f64 / (n as f64 + 1.0)).min(1.0);
        let (mut smooth, mut least, mut since) = (None, f64::INFINITY, 0);
        let (mut n_iter, mut converged, mut stopped) = (0, false, false);
        while n_iter < batches && !converged && !stopped {
            let cost = model.learn(&draw(&mut g, size)?)? / size as f64;
            n_iter += 1;
            let now = smooth.map_or(cost, |old| old * (1.0 - alpha) + cost * alpha);
            smooth = Some(now);
            since = if now < least { 0 } else { since + 1 };
            least = least.min(now);
            converged = self.max_no_improvement.is_some_and(|most| since >= most);
            let centers = model.centres();
            let pairs = centers.iter().zip(&last);
            let shift = pairs.map(|(a, b)| (a - b) * (a - b)).sum();
            stopped = listener(&Step {
                run: 0,
                n_init: 1,
                iteration: n_iter,
                shift,
                inertia: Some(now * n as f64),
                labels: &[],
                centers: &centers,
            })
            .is_break();
            last = centers;
        }
        let centres = last;
        let mut labels = vec![0; n];
        points.label(&centres, &mut labels)?;
        let inertia = points.inertia(&centres, &labels)?;
        let shape = [self.n_clusters, points.dims()];
        Ok(FittedKMeans {
            cluster_centers: Tensor::from_vec(centres, shape)?.to_dtype(points.dtype())?,
            labels: tensor(&labels)?,
            inertia,
            n_iter,
            converged,
            stopped,
        })
    }

    /// Learns from one more batch, rows of `x`; the first, from which the centres are drawn, has at least
    /// as many rows as there are clusters.
    ///
    /// # Errors
    /// As [`KMeans::fit`]; for another number of columns than before.
    ///
    /// ```
    /// # use gradus::{Tensor, cluster::MiniBatchKMeans};
    /// let mut model = MiniBatchKMeans::new(1);
    /// model.partial_fit(&Tensor::from([[0.0], [1.0]]))?;
    /// model.partial_fit(&Tensor::from([[2.0], [5.0]]))?;
    /// assert_eq!(model.cluster_centers()?.unwrap().item::<f32>()?, 2.0);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn partial_fit(&mut self, x: &Tensor) -> Result<()> {
        if self.state.is_none() {
            let mut g = self.generator();
            self.begin(x, &mut g)?;
        }
        self.learn(x).map(drop)
    }

    /// The centres so far, shape [k, d]; `None` before the first batch.
    ///
    /// # Errors
    /// Without memory.
    ///
    /// ```
    /// # use gradus::cluster::MiniBatchKMeans;
    /// assert!(MiniBatchKMeans::new(1).cluster_centers()?.is_none());
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn cluster_centers(&self) -> Result<Option<Tensor>> {
        let tensor =
            |s: &State| Tensor::from_vec(&s.centres, [self.n_clusters, s.d])?.to_dtype(s.dtype);
        self.state.as_ref().map(tensor).transpose()
    }

    /// Rows of coordinates, none before the first batch.
    fn centres(&self) -> Vec<f64> {
        self.state
            .as_ref()
            .map_or(Vec::new(), |s| s.centres.clone())
    }

    fn begin(&mut self, x: &Tensor, g: &mut Generator) -> Result<()> {
        let points = Points::new(x, None).map_err(|e| e.at("MiniBatchKMeans"))?;
        let k = self.n_clusters;
        if k == 0 || self.batch_size == 0 || self.max_iter == 0 || k > points.len() {
            return Err(value_error(format!(
                "MiniBatchKMeans: {k} clusters of {} points in batches of {}; all must be at least 1, \
                 and no more clusters than points",
                points.len(),
                self.batch_size
            )));
        }
        self.state = Some(State {
            centres: self.init.draw(&points, k, g)?,
            counts: vec![0.0; k],
            since: 0,
            generator: Generator::new(g.next_u64()),
            d: points.dims(),
            dtype: points.dtype(),
        });
        Ok(())
    }

    /// Moves the centres; returns the batch's inertia before.
    fn learn(&mut self, x: &Tensor) -> Result<f64> {
        let points = Points::new(x, None).map_err(|e| e.at("MiniBatchKMeans"))?;
        let Some(state) = &mut self.state else {
            return Ok(0.0);
        };
        let d = &state.d;
        if points.dims() != *d {
            let message = format!(
                "MiniBatchKMeans: the first batch had {d} columns, this one has {}",
                points.dims()
            );
            return Err(Error::new(Kind::Shape, message));
        }
        let mut labels = vec![0; points.len()];
        let sums = points.assign(&state.centres, &mut labels)?;
        let (d, counts) = (state.d, &mut state.counts);
        let centres = state.centres.chunks_exact_mut(d);
        let rows = centres.zip(sums.means.chunks_exact(d));
        for (c, (centre, mean)) in rows.enumerate() {
            counts[c] += sums.weights[c];
            if counts[c] > 0.0 {
                let share = sums.weights[c] / counts[c];
                centre
                    .iter_mut()
                    .zip(mean)
                    .for_each(|(c, m)| *c += share * (m - *c));
            }
        }
        state.reassign(&points, self.reassignment_ratio)?;
        Ok(sums.cost.unwrap_or_default())
    }
}

impl State {
    /// Puts centres that have had few points on points of the batch: when one has had none, and otherwise
    /// after ten points for each centre.
    fn reassign(&mut self, points: &Points, ratio: f64) -> Result<()> {
        let Self {
            centres, counts, d, ..
        } = self;
        self.since += points.len();
        if !counts.contains(&0.0) && self.since < 10 * counts.len() {
            return Ok(());
        }
        self.since = 0;
        let most = counts.iter().copied().fold(0.0, f64::max);
        let mut poor: Vec<usize> = (0..counts.len())
            .filter(|&c| counts[c] < ratio * most)
            .collect();
        poor.sort_by(|&a, &b| counts[a].total_cmp(&counts[b]));
        // At most half of the batch become centres.
        poor.truncate(points.len() / 2);
        let least = (0..counts.len()).filter(|c| !poor.contains(c));
        let least = least.map(|c| counts[c]).fold(most, f64::min);
        let drawn = self.generator.choice(points.len(), poor.len(), false)?;
        for (c, i) in poor.into_iter().zip(drawn) {
            centres[c * *d..][..*d].copy_from_slice(&points.point(i)?);
            counts[c] = least;
        }
        Ok(())
    }
}
