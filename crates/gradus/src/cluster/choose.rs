//! How many clusters? Three curves over k, each with what it suggests and why.
//!
//! None of them is right for all data. [`elbow`] is the quickest to compute, [`silhouette`] favours
//! clusters far from each other, and [`gap`] is the only one that may say that there is one cluster.

use super::{KMeans, value_error};
use crate::plot::{Panel, Series, curves};
use gradus_core::nearest::Points;
use gradus_core::random::Generator;
use gradus_core::{Result, Tensor};
use std::ops::RangeInclusive;

/// Points whose silhouettes are averaged; of more a sample of this size is taken.
const SAMPLE: usize = 2000;
/// Sets of random points that the gap statistic compares with.
const REFERENCES: u64 = 10;
/// A bend that evenly spread points do not have: theirs are up to 0.3.
const CLEAR: f64 = 0.4;

/// A curve over numbers of clusters.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    /// What it shows: `"elbow"`, `"silhouette"` or `"gap"`.
    pub name: &'static str,
    /// The number of clusters and its value: inertia, mean silhouette, or gap.
    pub curve: Vec<(usize, f64)>,
    /// The number that is suggested.
    pub k: usize,
    /// The suggestion in words.
    pub words: String,
}

impl Choice {
    /// The curve as an SVG file.
    ///
    /// # Errors
    /// None that is known.
    ///
    /// ```
    /// use gradus::{cluster::{KMeans, choose}, data::Blobs};
    /// let (x, _) = Blobs::new(300).random_state(3).make()?;
    /// let svg = choose::elbow(&x, 1..=8, &KMeans::new(1).random_state(0))?.svg()?;
    /// assert!(svg.starts_with("<svg"));
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn svg(&self) -> Result<String> {
        curves(&[self.panel()])
    }

    /// The curve, to be drawn beside others.
    ///
    /// ```
    /// use gradus::{cluster::{KMeans, choose}, data::Blobs};
    /// let (x, _) = Blobs::new(300).random_state(3).make()?;
    /// let panel = choose::elbow(&x, 1..=8, &KMeans::new(1).random_state(0))?.panel();
    /// assert_eq!(panel.title, "elbow: k = 3");
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn panel(&self) -> Panel {
        let y_label = match self.name {
            "elbow" => "inertia",
            "silhouette" => "mean silhouette",
            _ => "gap of log inertia",
        };
        Panel {
            title: format!("{}: k = {}", self.name, self.k),
            x_label: "clusters".into(),
            y_label: y_label.into(),
            series: vec![Series {
                name: String::new(),
                points: self.curve.iter().map(|&(k, y)| (k as f64, y)).collect(),
            }],
        }
    }
}

/// Fits each k of the range that there are points for.
fn fit_each(
    points: &Points,
    ks: &RangeInclusive<usize>,
    settings: &KMeans,
) -> Result<Vec<(usize, super::FittedKMeans)>> {
    let last = (*ks.end()).min(points.len());
    if *ks.start() == 0 || ks.start() > &last {
        return Err(value_error(format!(
            "choosing k: {} to {} are no numbers of clusters for {} points",
            ks.start(),
            ks.end(),
            points.len()
        )));
    }
    let quiet = |_: &super::kmeans::Step<'_>| std::ops::ControlFlow::Continue(());
    let fit = |k| Ok((k, settings.clone().n_clusters(k).fit_points(points, quiet)?));
    (*ks.start()..=last).map(fit).collect()
}

/// The inertia over k, and its elbow: where the curve of its logarithm bends most, that is where
/// log Iₖ₋₁ − 2·log Iₖ + log Iₖ₊₁ is largest. (The point farthest below the line from the first to the
/// last, another reading of the same picture, names too few clusters: every set of blobs that is
/// split for the first time gains more than by what comes after.)
///
/// `settings` say how clusters are found; their number of clusters does not matter.
///
/// # Errors
/// As [`KMeans::fit`]; if the range is empty or begins with 0.
///
/// ```
/// use gradus::{cluster::{KMeans, choose}, data::Blobs};
/// let (x, _) = Blobs::new(300).random_state(3).make()?;
/// assert_eq!(choose::elbow(&x, 1..=8, &KMeans::new(1).random_state(0))?.k, 3);
/// # Ok::<(), gradus::Error>(())
/// ```
pub fn elbow(x: &Tensor, ks: RangeInclusive<usize>, settings: &KMeans) -> Result<Choice> {
    let points = Points::new(x, None)?;
    let fits = fit_each(&points, &ks, settings)?;
    let curve: Vec<_> = fits.iter().map(|(k, fit)| (*k, fit.inertia)).collect();
    let (first, last) = (curve[0].0, curve[curve.len() - 1].0);
    // Less than this is rounding.
    let least = (curve[0].1 * 1e-9).max(f64::MIN_POSITIVE);
    let log = |i: usize| curve[i].1.max(least).ln();
    let (mut k, mut most) = (first, 0.0);
    for i in 1..curve.len().saturating_sub(1) {
        let bend = log(i - 1) - 2.0 * log(i) + log(i + 1);
        if bend > most {
            (k, most) = (curve[i].0, bend);
        }
    }
    let words = if most < CLEAR {
        format!(
            "elbow: the inertia has no clear bend from {first} to {last} clusters; at {k} it bends most"
        )
    } else {
        format!("elbow: beyond {k} clusters the inertia falls much more slowly")
    };
    Ok(Choice {
        name: "elbow",
        curve,
        k,
        words,
    })
}

/// The mean silhouette over k: for each point (b − a)/max(a, b), where a is its mean distance to the
/// other points of its cluster and b that to the points of the next one (Rousseeuw, 1987). Of more
/// than 2,000 points it is that of a sample. k = 1 has none and is left out.
///
/// # Errors
/// As [`elbow`].
///
/// ```
/// use gradus::{cluster::{KMeans, choose}, data::Blobs};
/// let (x, _) = Blobs::new(300).random_state(3).make()?;
/// let choice = choose::silhouette(&x, 2..=8, &KMeans::new(1).random_state(0))?;
/// assert_eq!(choice.k, 3);
/// # Ok::<(), gradus::Error>(())
/// ```
pub fn silhouette(x: &Tensor, ks: RangeInclusive<usize>, settings: &KMeans) -> Result<Choice> {
    let points = Points::new(x, None)?;
    let (n, d) = (points.len(), points.dims());
    let ks = (*ks.start()).max(2)..=*ks.end();
    let fits = fit_each(&points, &ks, settings)?;
    let mut sample: Vec<usize> = (0..n).collect();
    if n > SAMPLE {
        sample = Generator::new(0).choice(n, SAMPLE, false)?;
        sample.sort_unstable();
    }
    let mut rows = Vec::with_capacity(sample.len() * d);
    for &i in &sample {
        rows.extend(points.point(i)?);
    }
    let m = sample.len();
    let chosen = Points::new(&Tensor::from_vec(&rows, [m, d])?, None)?;
    let distances = chosen.distances(&rows)?.sqrt()?.to_vec::<f64>()?;
    let mut curve = Vec::new();
    for (k, fit) in &fits {
        let labels: Vec<i64> = fit.labels.to_vec()?;
        let labels: Vec<usize> = sample.iter().map(|&i| labels[i] as usize).collect();
        curve.push((*k, mean_silhouette(&distances, &labels, *k)));
    }
    let best = |a: &(usize, f64), b: &(usize, f64)| if b.1 > a.1 { *b } else { *a };
    let (k, value) = curve.iter().skip(1).fold(curve[0], |a, b| best(&a, b));
    let strength = match value {
        0.7.. => "far apart",
        0.5..0.7 => "apart",
        0.25..0.5 => "not well apart",
        _ => "hardly to be told from each other",
    };
    let words = format!(
        "silhouette: {k} clusters are best, with {value:.3} on average; they are {strength}"
    );
    Ok(Choice {
        name: "silhouette",
        curve,
        k,
        words,
    })
}

fn mean_silhouette(distances: &[f64], labels: &[usize], k: usize) -> f64 {
    let m = labels.len();
    let mut sizes = vec![0usize; k];
    labels.iter().for_each(|&l| sizes[l] += 1);
    let mut total = 0.0;
    let mut sums = vec![0.0; k];
    for (row, &own) in distances.chunks_exact(m).zip(labels) {
        if sizes[own] < 2 {
            continue;
        }
        sums.fill(0.0);
        row.iter().zip(labels).for_each(|(d, &l)| sums[l] += d);
        let a = sums[own] / (sizes[own] - 1) as f64;
        let others = (0..k).filter(|&c| c != own && sizes[c] > 0);
        let b = others
            .map(|c| sums[c] / sizes[c] as f64)
            .fold(f64::INFINITY, f64::min);
        if b.is_finite() && a.max(b) > 0.0 {
            total += (b - a) / a.max(b);
        }
    }
    total / m as f64
}

/// The gap statistic: by how much the logarithm of the inertia is below that of points spread evenly
/// over the same box, on average over ten such sets. Suggested is the least k whose gap is within a
/// standard error of the next one's (Tibshirani, Walther and Hastie, 2001).
///
/// # Errors
/// As [`elbow`].
///
/// ```
/// use gradus::{cluster::{KMeans, choose}, data::Blobs};
/// let (x, _) = Blobs::new(300).random_state(3).make()?;
/// let choice = choose::gap(&x, 1..=5, &KMeans::new(1).n_init(3).random_state(0))?;
/// assert_eq!(choice.k, 3);
/// # Ok::<(), gradus::Error>(())
/// ```
pub fn gap(x: &Tensor, ks: RangeInclusive<usize>, settings: &KMeans) -> Result<Choice> {
    let points = Points::new(x, None)?;
    let (n, d) = (points.len(), points.dims());
    let log = |inertia: f64| inertia.max(f64::MIN_POSITIVE).ln();
    let fits = fit_each(&points, &ks, settings)?;
    let rows: Vec<f64> = x.to_vec()?;
    let (mut low, mut high) = (rows[..d].to_vec(), rows[..d].to_vec());
    for row in rows.chunks_exact(d) {
        for (j, &x) in row.iter().enumerate() {
            (low[j], high[j]) = (low[j].min(x), high[j].max(x));
        }
    }
    let mut logs = vec![Vec::new(); fits.len()];
    for number in 0..REFERENCES {
        let mut g = Generator::from_parts(&[0x6761_7073, number]);
        let draw = |i: usize| low[i % d] + (high[i % d] - low[i % d]) * g.uniform();
        let even: Vec<f64> = (0..n * d).map(draw).collect();
        let even = Points::new(&Tensor::from_vec(even, [n, d])?.to_dtype(x.dtype())?, None)?;
        for (logs, (_, fit)) in logs.iter_mut().zip(fit_each(&even, &ks, settings)?) {
            logs.push(log(fit.inertia));
        }
    }
    let count = REFERENCES as f64;
    let (mut curve, mut errors) = (Vec::new(), Vec::new());
    for ((k, fit), logs) in fits.iter().zip(&logs) {
        let mean = logs.iter().sum::<f64>() / count;
        let variance = logs.iter().map(|l| (l - mean).powi(2)).sum::<f64>() / count;
        curve.push((*k, mean - log(fit.inertia)));
        errors.push((variance * (1.0 + 1.0 / count)).sqrt());
    }
    let found = (0..curve.len() - 1).find(|&i| curve[i].1 >= curve[i + 1].1 - errors[i + 1]);
    let last = curve[curve.len() - 1].0;
    let (k, words) = match found {
        Some(i) => {
            let k = curve[i].0;
            let words = if k == 1 {
                "gap: the points are no more clustered than evenly spread ones; one cluster".into()
            } else {
                format!(
                    "gap: with {k} clusters the points differ most clearly from evenly spread ones"
                )
            };
            (k, words)
        }
        None => (
            last,
            format!("gap: it still grows at {last} clusters; try more"),
        ),
    };
    Ok(Choice {
        name: "gap",
        curve,
        k,
        words,
    })
}
