//! `gradus cluster dbscan`.

use super::results::Results;
use super::watch::Watch;
use super::{Input, Source};
use crate::common::Threads;
use crate::failure::{Failure, Result};
use crate::output::{self, counted, short, thousands};
use clap::{Args, ValueEnum};
use gradus::cluster::dbscan::{self, Estimate};
use gradus::cluster::{self, FittedDbscan, KDistances, k_distances};
use gradus::plot::{Panel, Series};
use serde_json::{Value, json};
use std::time::Instant;

/// Clusters that are listed one by one.
const LISTED: usize = 20;
/// From so many points or seconds on the user is told what to wait for.
const LARGE: (usize, f64) = (200_000, 5.0);
/// Points of a curve that is drawn.
const DRAWN: usize = 1000;

/// Find clusters where points lie densely, and noise (DBSCAN)
#[derive(Args)]
#[command(after_help = "\
Examples:
  gradus cluster dbscan points.csv --eps 0.3
  gradus cluster dbscan places.csv --columns x,y --standardize --suggest --plot places.svg
  gradus cluster dbscan --data moons --eps 0.2 --plot term
  gradus cluster dbscan points.npy --eps 2 --min-samples 10 --out labels.csv --json
  gradus cluster dbscan distances.csv --metric precomputed --eps 0.5

A point with at least --min-samples points within --eps, itself counted, is a core point. Core
points within --eps of each other are in one cluster, with all other points that they reach; what is
left is noise, -1. A table's first line is a header if it has no number in it. More than two
columns are drawn along the two directions in which they vary most. With --suggest and --plot the
curve of distances is drawn in a second file, such as places-eps.svg. The clusters are
exact, whatever --algorithm and --threads are. Ctrl-C ends the search with what is known by then.")]
pub struct Dbscan {
    #[command(flatten)]
    source: Source,
    /// How near neighbours are, in the units of the columns
    #[arg(long, value_name = "X", required_unless_present = "suggest", value_parser = distance, allow_negative_numbers = true)]
    eps: Option<f64>,
    /// Points within --eps that make a place dense, the point itself counted
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = at_least_one)]
    min_samples: usize,
    /// How distances are measured; precomputed takes a table of the distances themselves
    #[arg(long, value_name = "NAME", default_value = "euclidean")]
    metric: Metric,
    /// How neighbours are found; the clusters are the same
    #[arg(long, value_name = "NAME", default_value = "auto")]
    algorithm: Algorithm,
    /// Suggest a distance by the knee of the curve of distances, and use it unless --eps is there
    #[arg(long)]
    suggest: bool,
    /// Visit the points in an order of this seed, not that of the rows: clusters are numbered
    /// otherwise, and a point between two may belong to the other. Also the seed of --data, else 0
    #[arg(long, value_name = "N")]
    random_state: Option<u64>,
    /// A common mistake, for teaching: who is visited before a cluster has come to it stays noise
    #[arg(long)]
    noise_is_final: bool,
    /// Say how much memory and time it would take, and stop
    #[arg(long)]
    estimate: bool,
    #[command(flatten)]
    results: Results,
    #[command(flatten)]
    threads: Threads,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Metric {
    Euclidean,
    Manhattan,
    Chebyshev,
    Cosine,
    Precomputed,
}

impl From<Metric> for cluster::Metric {
    fn from(metric: Metric) -> Self {
        match metric {
            Metric::Euclidean => Self::Euclidean,
            Metric::Manhattan => Self::Manhattan,
            Metric::Chebyshev => Self::Chebyshev,
            Metric::Cosine => Self::Cosine,
            Metric::Precomputed => Self::Precomputed,
        }
    }
}

#[derive(Clone, Copy, ValueEnum)]
enum Algorithm {
    Auto,
    Grid,
    KdTree,
    Brute,
}

impl From<Algorithm> for dbscan::Algorithm {
    fn from(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Auto => Self::Auto,
            Algorithm::Grid => Self::Grid,
            Algorithm::KdTree => Self::KdTree,
            Algorithm::Brute => Self::Brute,
        }
    }
}

/// The name as --algorithm takes it.
fn name(algorithm: dbscan::Algorithm) -> &'static str {
    match algorithm {
        dbscan::Algorithm::Auto => "auto",
        dbscan::Algorithm::Grid => "grid",
        dbscan::Algorithm::KdTree => "kd-tree",
        dbscan::Algorithm::Brute => "brute",
    }
}

fn distance(text: &str) -> Result<f64, String> {
    let eps = text
        .parse()
        .ok()
        .filter(|x: &f64| *x > 0.0 && x.is_finite());
    eps.ok_or_else(|| "a number above 0 is needed; --suggest proposes one".into())
}

fn at_least_one(text: &str) -> Result<usize, String> {
    let n = text.parse().ok().filter(|n| *n > 0);
    n.ok_or_else(|| "a whole number from 1 on is needed; a point counts itself".into())
}

/// What was found, and how.
struct Found<'a> {
    input: &'a Input,
    eps: f64,
    estimate: Estimate,
    curve: Option<&'a KDistances>,
    fitted: &'a FittedDbscan,
    labels: &'a [i64],
    seconds: f64,
}

impl Dbscan {
    pub fn run(self) -> Result {
        self.threads.apply();
        self.check()?;
        let mut watch = Watch::new()?;
        let input = (self.source).read(self.random_state.unwrap_or(0), &mut watch)?;
        input.notes.iter().for_each(output::note);
        let curve = match self.suggest {
            true => Some(self.curve(&input, &mut watch)?),
            false => None,
        };
        let suggested = curve.as_ref().and_then(KDistances::eps);
        let Some(eps) = self.eps.or(suggested) else {
            let why = curve.map_or("nothing to go by".into(), |curve| curve.to_string());
            return Err(Failure::usage(format_args!("{why}; --eps says one")));
        };
        if let Some(curve) = curve.as_ref().filter(|_| !self.results.json) {
            output::line(curve)?;
        }

        let model = self.model(eps);
        watch.begin("estimating");
        let (asked, x) = (model.clone(), input.x.clone());
        let estimate = watch.wait(move || asked.estimate(&x))?;
        let estimate = estimate.map_err(|e| self.source.wrong(e))?;
        if self.estimate {
            watch.clear();
            return match self.results.json {
                true => output::line(as_json(&estimate)),
                false => output::line(estimate),
            };
        }
        if estimate.points >= LARGE.0 || estimate.seconds > LARGE.1 {
            output::note(estimate);
        }

        watch.begin("looking for clusters");
        let (begun, mut done) = (Instant::now(), 0.0);
        let fitted = model.fit_with(&input.x, None, |progress| {
            done = progress.share;
            let pass = ["core points", "their clusters", "border points"];
            watch.tell(Some(done), || pass[progress.pass.min(2)].into())
        });
        let seconds = begun.elapsed().as_secs_f64();
        watch.clear();
        let fitted = fitted.map_err(|e| self.source.wrong(e))?;
        let labels: Vec<i64> = fitted.labels.to_vec()?;
        self.results.keep(&labels)?;
        let title = format!(
            "{}, eps {}",
            counted(fitted.n_clusters, "cluster"),
            short(eps)
        );
        (self.results).draw(&self.source, &input, &title, labels.clone(), None)?;
        if let Some(curve) = &curve {
            self.results
                .curves("eps", &[panel(curve, self.min_samples)])?;
        }
        self.tell(&Found {
            input: &input,
            eps,
            estimate,
            curve: curve.as_ref(),
            fitted: &fitted,
            labels: &labels,
            seconds,
        })?;
        if fitted.stopped {
            return Err(Failure::interrupted(format_args!(
                "interrupted after about {:.0} % of the work: clusters may be in several parts, and some \
                 noise may belong to them",
                100.0 * done
            )));
        }
        Ok(())
    }

    /// Options that do not go together.
    fn check(&self) -> Result {
        self.results.check()?;
        let given = self.metric == Metric::Precomputed;
        for (option, there, reason) in [
            ("--suggest", self.suggest, "takes points"),
            ("--plot", self.results.plot.is_some(), "takes points"),
            ("--standardize", self.source.standardize, "changes columns"),
            ("--data", self.source.data.is_some(), "has points"),
        ] {
            if given && there {
                return Err(Failure::usage(format_args!(
                    "{option} {reason}, not distances: leave it out, or --metric precomputed"
                )));
            }
        }
        Ok(())
    }

    fn model(&self, eps: f64) -> cluster::Dbscan {
        let model = cluster::Dbscan::new(eps, self.min_samples)
            .metric(self.metric.into())
            .algorithm(self.algorithm.into())
            .noise_is_final(self.noise_is_final);
        match self.random_state {
            Some(seed) => model.random_state(seed),
            None => model,
        }
    }

    /// The curve of distances, whose knee is suggested.
    fn curve(&self, input: &Input, watch: &mut Watch) -> Result<KDistances> {
        let (x, min_samples, metric) = (input.x.clone(), self.min_samples, self.metric.into());
        watch.begin("looking for a distance");
        let curve = watch.wait(move || k_distances(&x, min_samples, metric))?;
        curve.map_err(|e| self.source.wrong(e))
    }

    fn tell(&self, found: &Found<'_>) -> Result {
        let Found { input, fitted, .. } = *found;
        let mut sizes = vec![0usize; fitted.n_clusters];
        for label in found.labels {
            if let Ok(label) = usize::try_from(*label) {
                sizes[label] += 1;
            }
        }
        let (n, metric) = (
            found.labels.len(),
            cluster::Metric::from(self.metric).name(),
        );
        let cores = fitted.core_sample_indices.numel();
        if self.results.json {
            let suggestion =
                |curve: &KDistances| json!({"eps": curve.eps(), "words": curve.to_string()});
            return output::line(json!({
                "data": self.source.name(),
                "points": n,
                "columns": input.names,
                "eps": found.eps,
                "min_samples": self.min_samples,
                "metric": metric,
                "algorithm": name(fitted.algorithm),
                "random_state": self.random_state,
                "noise_is_final": self.noise_is_final,
                "clusters": fitted.n_clusters,
                "sizes": sizes,
                "noise": fitted.n_noise,
                "core_points": cores,
                "seconds": found.seconds,
                "estimate": as_json(&found.estimate),
                "suggestion": found.curve.map(suggestion),
                "interrupted": fitted.stopped,
            }));
        }
        output::line(format_args!(
            "{} of {} in {}: eps {}, min_samples {}, {metric} by {}, {}, {:.3} s",
            counted(n, "point"),
            counted(input.names.len(), "column"),
            counted(sizes.len(), "cluster"),
            short(found.eps),
            self.min_samples,
            name(fitted.algorithm),
            counted(cores, "core point"),
            found.seconds
        ))?;
        let size = |name: &str, size| {
            output::line(format_args!("  {name:>5}: {:>9} points", thousands(size)))
        };
        for (c, &points) in sizes.iter().enumerate().take(LISTED) {
            size(&c.to_string(), points)?;
        }
        if sizes.len() > LISTED {
            let rest = &sizes[LISTED..];
            let points: usize = rest.iter().sum();
            output::line(format_args!(
                "  and {} more clusters with {} points",
                thousands(rest.len()),
                thousands(points)
            ))?;
        }
        size("noise", fitted.n_noise)?;
        if !fitted.stopped && fitted.n_noise == n {
            output::note(
                "all points are noise: a larger --eps or a smaller --min-samples finds more; \
                 --suggest proposes a distance",
            );
        } else if sizes == [n] {
            output::note("all points are in one cluster: a smaller --eps may tell some apart");
        }
        Ok(())
    }
}

fn as_json(estimate: &Estimate) -> Value {
    json!({
        "memory": estimate.memory,
        "seconds": estimate.seconds,
        "algorithm": name(estimate.algorithm),
    })
}

/// The curve of distances, and lines that lead from its knee to both axes.
fn panel(curve: &KDistances, min_samples: usize) -> Panel {
    let distances = curve.distances();
    let last = distances.len() - 1;
    let at = |i: usize| (i as f64, distances[i]);
    let mut points: Vec<_> = (0..last)
        .step_by(last.div_ceil(DRAWN).max(1))
        .map(at)
        .collect();
    points.push(at(last));
    let mut series = vec![Series {
        name: "each point's radius".into(),
        points,
    }];
    if let Some(knee) = curve.knee() {
        let (x, y) = at(knee);
        series.push(Series {
            name: format!("knee: eps {}", short(y)),
            points: vec![(0.0, y), (x, y), (x, distances[0])],
        });
    }
    Panel {
        title: "How near the neighbours are".into(),
        x_label: "points, by radius".into(),
        y_label: format!("radius that holds {min_samples} points"),
        series,
        ..Panel::default()
    }
}
