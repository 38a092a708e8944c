//! Sets made up to try things on: points for clustering, equal to scikit-learn's for the same
//! `random_state`, as they are drawn from NumPy's stream in the same order; points about a line for
//! regression, equal to those drawn in PyTorch.

use crate::{Error, Kind, Result, Tensor};
use gradus_core::random::{self, Compat, Generator};
use std::f64::consts::PI;

/// The sets that [`demo`] knows.
pub const DEMOS: [&str; 6] = [
    "blobs",
    "moons",
    "circles",
    "varied",
    "anisotropic",
    "uneven",
];

/// What draws blobs out: the matrix of scikit-learn's demonstration of K-means' assumptions.
const STRETCH: [f64; 4] = [0.60834549, -0.63667341, -0.40887718, 0.85253229];

/// Round clouds of normally distributed points: scikit-learn's `make_blobs`.
///
/// ```
/// use gradus::data::Blobs;
/// let (x, y) = Blobs::new(100).centers(4).features(3).random_state(0).make()?;
/// assert_eq!((x.shape(), y.shape()), (&[100, 3][..], &[100][..]));
/// # Ok::<(), gradus::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Blobs {
    n: usize,
    features: usize,
    centers: usize,
    std: Vec<f64>,
    shuffle: bool,
    random_state: u64,
}

impl Blobs {
    /// `n` points in 3 clouds of standard deviation 1 in the plane; the centres lie between −10 and 10.
    ///
    /// ```
    /// # use gradus::data::Blobs;
    /// assert_eq!(Blobs::new(9).make()?.0.shape(), [9, 2]);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn new(n: usize) -> Self {
        Self {
            n,
            features: 2,
            centers: 3,
            std: vec![1.0],
            shuffle: true,
            random_state: 0,
        }
    }

    /// The number of clouds.
    ///
    /// ```
    /// # use gradus::data::Blobs;
    /// assert_eq!(Blobs::new(9).centers(5).make()?.1.amax(..)?.item::<i64>()?, 4);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    #[must_use]
    pub fn centers(mut self, centers: usize) -> Self {
        self.centers = centers;
        self
    }

    /// The number of coordinates.
    ///
    /// ```
    /// # use gradus::data::Blobs;
    /// assert_eq!(Blobs::new(9).features(5).make()?.0.shape(), [9, 5]);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    #[must_use]
    pub fn features(mut self, features: usize) -> Self {
        self.features = features;
        self
    }

    /// The standard deviation of each cloud, or one for all.
    ///
    /// ```
    /// # use gradus::data::Blobs;
    /// assert!(Blobs::new(9).std(&[1.0, 2.5]).make().is_err());
    /// ```
    #[must_use]
    pub fn std(mut self, std: &[f64]) -> Self {
        self.std = std.to_vec();
        self
    }

    /// Whether the points are mixed; otherwise they come cloud by cloud.
    ///
    /// ```
    /// # use gradus::data::Blobs;
    /// assert_eq!(Blobs::new(4).centers(2).shuffle(false).make()?.1.to_vec::<i64>()?, [0, 0, 1, 1]);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    #[must_use]
    pub fn shuffle(mut self, shuffle: bool) -> Self {
        self.shuffle = shuffle;
        self
    }

    /// The seed.
    ///
    /// ```
    /// # use gradus::data::Blobs;
    /// let (x, _) = Blobs::new(1500).random_state(170).make()?;
    /// assert!((x.to_vec::<f64>()?[0] - -5.198112818628083).abs() < 1e-12);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    #[must_use]
    pub fn random_state(mut self, seed: u64) -> Self {
        self.random_state = seed;
        self
    }

    /// The points, f64 of shape [n, features], and the number of the cloud of each, i64.
    ///
    /// # Errors
    /// If there are no clouds or no coordinates, or another number of standard deviations than clouds.
    ///
    /// ```
    /// # use gradus::data::Blobs;
    /// assert!(Blobs::new(4).centers(0).make().is_err());
    /// ```
    pub fn make(&self) -> Result<(Tensor, Tensor)> {
        let Self {
            n,
            features,
            centers,
            ..
        } = *self;
        if features == 0 || centers == 0 || ![1, centers].contains(&self.std.len()) {
            let message = format!(
                "Blobs: {centers} clouds of {features} coordinates with {} standard deviations; there \
                 must be at least one of each, and one deviation or one for each cloud",
                self.std.len()
            );
            return Err(Error::new(Kind::Value, message));
        }
        let mut g = Generator::compat(self.random_state, Compat::Numpy);
        let middles: Vec<f64> = (0..centers * features)
            .map(|_| -10.0 + 20.0 * g.uniform())
            .collect();
        let mut points = Vec::with_capacity(n);
        for (c, middle) in middles.chunks_exact(features).enumerate() {
            let count = n / centers + usize::from(c < n % centers);
            let std = self.std[c % self.std.len()];
            for _ in 0..count {
                let row: Vec<f64> = middle.iter().map(|m| m + std * g.normal()).collect();
                points.push((row, c as i64));
            }
        }
        if self.shuffle {
            g.shuffle(&mut points);
        }
        tensors(points, features)
    }
}

fn tensors(points: Vec<(Vec<f64>, i64)>, features: usize) -> Result<(Tensor, Tensor)> {
    let n = points.len();
    let labels: Vec<i64> = points.iter().map(|p| p.1).collect();
    let rows: Vec<f64> = points.into_iter().flat_map(|p| p.0).collect();
    Ok((
        Tensor::from_vec(rows, [n, features])?,
        Tensor::from_vec(labels, [n])?,
    ))
}

/// Two curves of points, mixed and with normal noise of this standard deviation. The noise is drawn
/// after the mixing, as scikit-learn does.
fn curves(
    mut points: Vec<(Vec<f64>, i64)>,
    noise: f64,
    random_state: u64,
) -> Result<(Tensor, Tensor)> {
    let mut g = Generator::compat(random_state, Compat::Numpy);
    g.shuffle(&mut points);
    if noise > 0.0 {
        for x in points.iter_mut().flat_map(|p| &mut p.0) {
            *x += noise * g.normal();
        }
    }
    tensors(points, 2)
}

/// Two half circles that reach into each other: scikit-learn's `make_moons`. Points are f64 of shape
/// [n, 2], labels 0 for the upper moon and 1 for the lower one; `noise` is a standard deviation.
///
/// # Errors
/// Without memory.
///
/// ```
/// let (x, y) = gradus::data::make_moons(100, 0.05, 0)?;
/// assert_eq!(y.sum(..)?.item::<i64>()?, 50);
/// # Ok::<(), gradus::Error>(())
/// ```
pub fn make_moons(n: usize, noise: f64, random_state: u64) -> Result<(Tensor, Tensor)> {
    let (upper, lower) = (n / 2, n - n / 2);
    // NumPy's linspace ends exactly at π.
    let angle = |i: usize, count: usize| match count {
        0 | 1 => 0.0,
        _ if i == count - 1 => PI,
        _ => i as f64 * (PI / (count - 1) as f64),
    };
    let outer = (0..upper)
        .map(|i| angle(i, upper))
        .map(|a| (vec![a.cos(), a.sin()], 0));
    let inner = (0..lower).map(|i| angle(i, lower));
    let inner = inner.map(|a| (vec![1.0 - a.cos(), 1.0 - a.sin() - 0.5], 1));
    curves(outer.chain(inner).collect(), noise, random_state)
}

/// A circle around a smaller one: scikit-learn's `make_circles`. Points are f64 of shape [n, 2], labels
/// 0 for the outer circle, of radius 1, and 1 for the inner one, of radius `factor`; `noise` is a
/// standard deviation.
///
/// # Errors
/// Without memory.
///
/// ```
/// let (x, y) = gradus::data::make_circles(100, 0.05, 0.5, 0)?;
/// assert_eq!((x.shape(), y.shape()), (&[100, 2][..], &[100][..]));
/// # Ok::<(), gradus::Error>(())
/// ```
pub fn make_circles(
    n: usize,
    noise: f64,
    factor: f64,
    random_state: u64,
) -> Result<(Tensor, Tensor)> {
    let (outer, inner) = (n / 2, n - n / 2);
    let angle = |i: usize, count: usize| i as f64 * (2.0 * PI / count as f64);
    let outer = (0..outer)
        .map(|i| angle(i, outer))
        .map(|a| (vec![a.cos(), a.sin()], 0));
    let inner = (0..inner).map(|i| angle(i, inner));
    let inner = inner.map(|a| (vec![a.cos() * factor, a.sin() * factor], 1));
    curves(outer.chain(inner).collect(), noise, random_state)
}

/// One of the sets in the plane on which scikit-learn shows what its algorithms are good and bad at,
/// of `n` points: `blobs`; `varied`, blobs of deviations 1, 2.5 and 0.5; `anisotropic`, blobs drawn
/// out; `uneven`, at most 500, 100 and 10 points of the blobs; `moons` and `circles`, with noise 0.05.
///
/// # Errors
/// For other names.
///
/// ```
/// let (x, _) = gradus::data::demo("uneven", 1500, 170)?;
/// assert_eq!(x.shape(), [610, 2]);
/// # Ok::<(), gradus::Error>(())
/// ```
pub fn demo(name: &str, n: usize, random_state: u64) -> Result<(Tensor, Tensor)> {
    let blobs = Blobs::new(n).random_state(random_state);
    match name {
        "blobs" => blobs.make(),
        "varied" => blobs.std(&[1.0, 2.5, 0.5]).make(),
        "anisotropic" => {
            let (x, y) = blobs.make()?;
            let stretch = Tensor::from_vec(STRETCH, [2, 2])?;
            Ok((x.matmul(&stretch)?, y))
        }
        "uneven" => {
            let (x, y) = blobs.make()?;
            let rows = x.to_vec2::<f64>()?;
            let labels: Vec<i64> = y.to_vec()?;
            let mut points = Vec::new();
            for (class, count) in [(0, 500), (1, 100), (2, 10)] {
                let of = rows.iter().zip(&labels).filter(|(_, l)| **l == class);
                points.extend(of.take(count).map(|(row, &l)| (row.clone(), l)));
            }
            tensors(points, 2)
        }
        "moons" => make_moons(n, 0.05, random_state),
        "circles" => make_circles(n, 0.05, 0.5, random_state),
        _ => {
            let message = format!(
                "demo: no set is called {name}; there are {}",
                DEMOS.join(", ")
            );
            Err(Error::new(Kind::Value, message))
        }
    }
}

/// `n` points for linear regression: normally distributed inputs x of shape [n, w.len()], and
/// y = x·w + b + noise of shape [n, 1], f32; `noise` is a standard deviation. The
/// `SyntheticRegressionData` of "Dive into Deep Learning", with its numbers after
/// `torch.manual_seed(seed)`.
///
/// # Errors
/// If `w` is empty, or `noise` is negative or not finite.
///
/// ```
/// let (x, y) = gradus::data::synthetic_regression(&[2.0, -3.4], 4.2, 0.01, 1000, 0)?;
/// assert_eq!((x.shape(), y.shape()), (&[1000, 2][..], &[1000, 1][..]));
/// let x = x.to_vec2::<f64>()?;
/// assert!((2.0 * x[0][0] - 3.4 * x[0][1] + 4.2 - y.to_vec::<f64>()?[0]).abs() < 0.05);
/// # Ok::<(), gradus::Error>(())
/// ```
pub fn synthetic_regression(
    w: &[f64],
    b: f64,
    noise: f64,
    n: usize,
    seed: u64,
) -> Result<(Tensor, Tensor)> {
    if w.is_empty() || !(0.0..f64::INFINITY).contains(&noise) {
        let message = format!(
            "synthetic_regression: {} weights and noise {noise}; there must be a weight for each input, \
             at least one, and noise from 0 on",
            w.len()
        );
        return Err(Error::new(Kind::Value, message));
    }
    random::scoped(Generator::compat(seed, Compat::Torch), || {
        let x = Tensor::randn([n, w.len()])?;
        let noise = Tensor::randn([n, 1])?.mul(noise)?;
        let w = Tensor::from_vec(w, [w.len(), 1])?.to_dtype(x.dtype())?;
        let y = x.matmul(&w)?.add(b)?.add(&noise)?;
        Ok((x, y))
    })
}
