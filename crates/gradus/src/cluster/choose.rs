//! How many clusters? Three curves over k, each with what it suggests and why.
//!
//! None of them is right for all data. [`elbow`] is the quickest to compute, [`silhouette`] favours
//! clusters far from each other, and [`gap`] is the only one that may say that there is one cluster.

use super::{FittedKMeans, KMeans, value_error};
use crate::metrics::silhouette_score;
use crate::plot::{Panel, Series, curves};
use gradus_core::nearest::Points;
use gradus_core::random::Generator;
use gradus_core::{Result, Tensor};
use std::ops::{ControlFlow, RangeInclusive};

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
    /// ```
    /// use gradus::{cluster::{KMeans, choose}, data::Blobs};
    /// let (x, _) = Blobs::new(300).random_state(3).make()?;
    /// let svg = choose::elbow(&x, 1..=8, &KMeans::new(1).random_state(0))?.svg();
    /// assert!(svg.starts_with("<svg"));
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn svg(&self) -> String {
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
        let place = |&(k, y): &(usize, f64)| (k as f64, y);
        Panel {
            title: format!("{}: k = {}", self.name, self.k),
            x_label: "clusters".into(),
            y_label: y_label.into(),
            series: vec![
                Series {
                    name: y_label.into(),
                    points: self.curve.iter().map(place).collect(),
                },
                Series {
                    name: format!("suggested: {}", self.k),
                    points: (self.curve.iter().filter(|(k, _)| *k == self.k).map(place)).collect(),
                },
            ],
            ..Panel::default()
        }
    }
}

/// Fits, and tells a listener how many of all fits are done.
struct Fits<'a> {
    settings: &'a KMeans,
    ks: RangeInclusive<usize>,
    done: usize,
    all: usize,
    listener: &'a mut dyn FnMut(f64) -> ControlFlow<()>,
}

impl<'a> Fits<'a> {
    /// For so many sets of points like these, with the numbers of the range that there are points for.
    fn new(
        points: &Points,
        ks: &RangeInclusive<usize>,
        settings: &'a KMeans,
        sets: usize,
        listener: &'a mut dyn FnMut(f64) -> ControlFlow<()>,
    ) -> Result<Self> {
        let (first, last) = (*ks.start(), (*ks.end()).min(points.len()));
        if first == 0 || first > last {
            return Err(value_error(format!(
                "choosing k: {first} to {} are no numbers of clusters for {} points",
                ks.end(),
                points.len()
            )));
        }
        Ok(Self {
            settings,
            ks: first..=last,
            done: 0,
            all: (last - first + 1) * sets,
            listener,
        })
    }

    /// Fits each number of clusters; none once the listener has broken.
    fn each(&mut self, points: &Points) -> Result<Option<Vec<(usize, FittedKMeans)>>> {
        let mut fits = Vec::new();
        for k in self.ks.clone() {
            let share = self.done as f64 / self.all as f64;
            let model = self.settings.clone().n_clusters(k);
            let fit = model.fit_points(points, |_| (self.listener)(share))?;
            if fit.stopped {
                return Ok(None);
            }
            fits.push((k, fit));
            self.done += 1;
        }
        Ok(Some(fits))
    }
}

/// The choice of somebody who listens to nothing, and so ends nothing.
fn whole(choice: Option<Choice>) -> Choice {
    choice.expect("only a listener ends a choice")
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
    elbow_with(x, ks, settings, |_| ControlFlow::Continue(())).map(whole)
}

/// [`elbow`] with a listener that is told, after every iteration, how much of the work is done: 0 to 1.
/// If it breaks there is no choice.
///
/// # Errors
/// As [`elbow`].
///
/// ```
/// use gradus::{cluster::{KMeans, choose}, data::Blobs};
/// use std::ops::ControlFlow;
/// let (x, _) = Blobs::new(300).random_state(3).make()?;
/// let never = choose::elbow_with(&x, 1..=8, &KMeans::new(1), |share| {
///     println!("{:.0} %", 100.0 * share);
///     ControlFlow::Break(())
/// })?;
/// assert_eq!(never, None);
/// # Ok::<(), gradus::Error>(())
/// ```
pub fn elbow_with(
    x: &Tensor,
    ks: RangeInclusive<usize>,
    settings: &KMeans,
    mut listener: impl FnMut(f64) -> ControlFlow<()>,
) -> Result<Option<Choice>> {
    let points = Points::new(x, None)?;
    let mut fits = Fits::new(&points, &ks, settings, 1, &mut listener)?;
    let Some(fits) = fits.each(&points)? else {
        return Ok(None);
    };
    let curve: Vec<_> = fits.iter().map(|(k, fit)| (*k, fit.inertia)).collect();
    let (first, last) = (curve[0].0, curve[curve.len() - 1].0);
    // Less than this is rounding.
    let least = (curve[0].1 * 1e-9).max(f64::MIN_POSITIVE);
    let logs: Vec<f64> = curve.iter().map(|(_, y)| y.max(least).ln()).collect();
    let (mut k, mut most) = (first, 0.0);
    for (three, (middle, _)) in logs.windows(3).zip(&curve[1..]) {
        let bend = three[0] - 2.0 * three[1] + three[2];
        if bend > most {
            (k, most) = (*middle, bend);
        }
    }
    let words = if most < CLEAR {
        format!(
            "elbow: the inertia has no clear bend from {first} to {last} clusters; at {k} it bends most"
        )
    } else {
        format!("elbow: beyond {k} clusters the inertia falls much more slowly")
    };
    Ok(Some(Choice {
        name: "elbow",
        curve,
        k,
        words,
    }))
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
    silhouette_with(x, ks, settings, |_| ControlFlow::Continue(())).map(whole)
}

/// [`silhouette`] with a listener, as that of [`elbow_with`].
///
/// # Errors
/// As [`elbow`].
///
/// ```
/// use gradus::{cluster::{KMeans, choose}, data::Blobs};
/// use std::ops::ControlFlow;
/// let (x, _) = Blobs::new(300).random_state(3).make()?;
/// let go_on = |_| ControlFlow::Continue(());
/// let choice = choose::silhouette_with(&x, 2..=8, &KMeans::new(1).random_state(0), go_on)?;
/// assert_eq!(choice.unwrap().k, 3);
/// # Ok::<(), gradus::Error>(())
/// ```
pub fn silhouette_with(
    x: &Tensor,
    ks: RangeInclusive<usize>,
    settings: &KMeans,
    mut listener: impl FnMut(f64) -> ControlFlow<()>,
) -> Result<Option<Choice>> {
    let points = Points::new(x, None)?;
    let n = points.len();
    let ks = (*ks.start()).max(2)..=*ks.end();
    let mut fits = Fits::new(&points, &ks, settings, 1, &mut listener)?;
    let Some(fits) = fits.each(&points)? else {
        return Ok(None);
    };
    let mut sample: Vec<usize> = (0..n).collect();
    if n > SAMPLE {
        sample = Generator::new(0).choice(n, SAMPLE, false)?;
        sample.sort_unstable();
    }
    let rows: Vec<i64> = sample.iter().map(|&i| i as i64).collect();
    let rows = Tensor::from_vec(rows, [sample.len()])?;
    let chosen = x.detach().index_select(0, &rows)?;
    let mut curve = Vec::new();
    for (k, fit) in &fits {
        let labels = fit.labels.index_select(0, &rows)?;
        let mut different = labels.to_vec::<i64>()?;
        different.sort_unstable();
        different.dedup();
        // Neither one cluster nor one for each point has a silhouette.
        let mean = if (2..sample.len()).contains(&different.len()) {
            silhouette_score(&chosen, &labels)?
        } else {
            0.0
        };
        curve.push((*k, mean));
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
    Ok(Some(Choice {
        name: "silhouette",
        curve,
        k,
        words,
    }))
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
    gap_with(x, ks, settings, |_| ControlFlow::Continue(())).map(whole)
}

/// [`gap`] with a listener, as that of [`elbow_with`].
///
/// # Errors
/// As [`elbow`].
///
/// ```
/// use gradus::{cluster::{KMeans, choose}, data::Blobs};
/// use std::ops::ControlFlow;
/// let (x, _) = Blobs::new(300).random_state(3).make()?;
/// let go_on = |_| ControlFlow::Continue(());
/// let choice = choose::gap_with(&x, 1..=5, &KMeans::new(1).n_init(3).random_state(0), go_on)?;
/// assert_eq!(choice.unwrap().k, 3);
/// # Ok::<(), gradus::Error>(())
/// ```
pub fn gap_with(
    x: &Tensor,
    ks: RangeInclusive<usize>,
    settings: &KMeans,
    mut listener: impl FnMut(f64) -> ControlFlow<()>,
) -> Result<Option<Choice>> {
    let points = Points::new(x, None)?;
    let (n, d) = (points.len(), points.dims());
    let log = |inertia: f64| inertia.max(f64::MIN_POSITIVE).ln();
    let mut all = Fits::new(
        &points,
        &ks,
        settings,
        1 + REFERENCES as usize,
        &mut listener,
    )?;
    let Some(fits) = all.each(&points)? else {
        return Ok(None);
    };
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
        let Some(references) = all.each(&even)? else {
            return Ok(None);
        };
        for (logs, (_, fit)) in logs.iter_mut().zip(references) {
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
    Ok(Some(Choice {
        name: "gap",
        curve,
        k,
        words,
    }))
}
