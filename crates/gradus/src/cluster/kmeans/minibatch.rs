//! K-means by small batches (Sculley, "Web-scale k-means clustering", 2010).

use super::{FittedKMeans, Init, KMeans};
use crate::cluster::value_error;
use gradus_core::nearest::Points;
use gradus_core::random::Generator;
use gradus_core::{DType, Error, Kind, Result, Tensor};

/// K-means that looks at a batch of points at a time: each centre is the mean of all points that were
/// nearest to it when they came. The clusters are a little worse than those of [`KMeans`] and found
/// after a look at a part of the points.
///
/// | setting | default |
/// |---|---|
/// | [`batch_size`](MiniBatchKMeans::batch_size) | 1024 |
/// | [`max_iter`](MiniBatchKMeans::max_iter) | 100 times the points |
/// | [`max_no_improvement`](MiniBatchKMeans::max_no_improvement) | 10 batches |
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
    random_state: Option<u64>,
    /// What `partial_fit` has come to: centres and how many points each has had.
    state: Option<State>,
}

#[derive(Clone, Debug)]
struct State {
    centres: Vec<f64>,
    counts: Vec<f64>,
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
        let batches = (self.max_iter.saturating_mul(n)).div_ceil(size.max(1));
        // A smoothed inertia, as scikit-learn has it.
        let alpha = (2.0 * size as f64 / (n as f64 + 1.0)).min(1.0);
        let (mut smooth, mut least, mut since) = (None, f64::INFINITY, 0);
        let (mut n_iter, mut converged) = (0, false);
        while n_iter < batches && !converged {
            let cost = model.learn(&draw(&mut g, size)?)? / size as f64;
            n_iter += 1;
            let now = smooth.map_or(cost, |old| old * (1.0 - alpha) + cost * alpha);
            smooth = Some(now);
            since = if now < least { 0 } else { since + 1 };
            least = least.min(now);
            converged = self.max_no_improvement.is_some_and(|most| since >= most);
        }
        let State { centres, .. } = model.state.expect("it was begun");
        let mut labels = vec![0; n];
        points.label(&centres, &mut labels)?;
        let inertia = points.inertia(&centres, &labels)?;
        let labels: Vec<i64> = labels.into_iter().map(i64::from).collect();
        let shape = [self.n_clusters, points.dims()];
        Ok(FittedKMeans {
            cluster_centers: Tensor::from_vec(centres, shape)?.to_dtype(points.dtype())?,
            labels: Tensor::from_vec(labels, [n])?,
            inertia,
            n_iter,
            converged,
            stopped: false,
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
            d: points.dims(),
            dtype: points.dtype(),
        });
        Ok(())
    }

    /// Moves the centres; returns the batch's inertia before.
    fn learn(&mut self, x: &Tensor) -> Result<f64> {
        let points = Points::new(x, None).map_err(|e| e.at("MiniBatchKMeans"))?;
        let Some(State {
            centres, counts, d, ..
        }) = &mut self.state
        else {
            return Ok(0.0);
        };
        if points.dims() != *d {
            let message = format!(
                "MiniBatchKMeans: the first batch had {d} columns, this one has {}",
                points.dims()
            );
            return Err(Error::new(Kind::Shape, message));
        }
        let mut labels = vec![0; points.len()];
        let sums = points.assign(centres, &mut labels)?;
        let rows = centres
            .chunks_exact_mut(*d)
            .zip(sums.means.chunks_exact(*d));
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
        Ok(sums.cost.unwrap_or_default())
    }
}
