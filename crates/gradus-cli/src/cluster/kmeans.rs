//! `gradus cluster kmeans`.

use super::results::Results;
use super::table::Table;
use super::watch::Watch;
use super::{Input, Source, is_number};
use crate::common::Threads;
use crate::failure::{Failure, Result};
use crate::output::{self, counted, thousands};
use clap::{Args, ValueEnum};
use gradus::Tensor;
use gradus::cluster::choose::{self, Choice};
use gradus::cluster::kmeans::Algorithm;
use gradus::cluster::{FittedKMeans, Init, KMeans, MiniBatchKMeans};
use gradus::random::Compat;
use serde_json::json;
use std::path::Path;
use std::time::Instant;

/// Find clusters around centres (K-means)
#[derive(Args)]
#[command(after_help = "\
Examples:
  gradus cluster kmeans points.csv --k 3
  gradus cluster kmeans flowers.csv --columns length,width --standardize --suggest
  gradus cluster kmeans --data varied --k 3 --plot clusters.svg
  gradus cluster kmeans --data blobs --k 3 --plot term
  gradus cluster kmeans large.npy --k 20 --mini-batch 1024
  gradus cluster kmeans points.npy --k 8 --n-init 10 --out labels.csv --json

A table's first line is a header if it has no number in it. More than two columns are drawn along the
two directions in which they vary most. With --suggest and --plot the curves over k are drawn in
a second file, such as clusters-k.svg. The same settings give the same clusters to the last
bit, whatever --threads is. Ctrl-C ends the search with the best clusters so far.")]
pub struct Kmeans {
    #[command(flatten)]
    source: Source,
    /// Number of clusters
    #[arg(long, value_name = "K", required_unless_present = "suggest")]
    k: Option<usize>,
    /// Suggest a number of clusters, and use it unless --k is there
    #[arg(long)]
    suggest: bool,
    /// The most clusters to consider for --suggest
    #[arg(long, value_name = "K", default_value_t = 10, requires = "suggest")]
    max_k: usize,
    /// First centres: k-means++, random, or a file with a row for each
    #[arg(long, value_name = "HOW", default_value = "k-means++")]
    init: String,
    /// How often to begin anew; the best counts [default: 10 for random, else 1]
    #[arg(long, value_name = "N")]
    n_init: Option<usize>,
    /// Look at so many points at a time (Sculley's mini-batches): sooner done, and a little worse
    #[arg(long, value_name = "N", conflicts_with_all = ["n_init", "tol", "algorithm"])]
    mini_batch: Option<usize>,
    /// Iterations of a run at most; with --mini-batch times that all points are looked at
    #[arg(long, value_name = "N", default_value_t = 300)]
    max_iter: usize,
    /// A run ends when the centres move by less: a share of the mean variance
    #[arg(
        long,
        value_name = "X",
        default_value_t = 1e-4,
        allow_negative_numbers = true
    )]
    tol: f64,
    /// How nearest centres are found; the clusters are the same
    #[arg(long, value_name = "NAME", default_value = "auto")]
    algorithm: Name,
    /// Seed of what is drawn; the first centres are scikit-learn's for it
    #[arg(long, value_name = "N", default_value_t = 0)]
    random_state: u64,
    #[command(flatten)]
    results: Results,
    #[command(flatten)]
    threads: Threads,
    /// Fit so many times and tell the shortest time
    #[arg(long, value_name = "N", default_value_t = 1, hide = true)]
    repeat: usize,
}

#[derive(Clone, Copy, ValueEnum)]
enum Name {
    Auto,
    Lloyd,
    Hamerly,
}

impl Kmeans {
    pub fn run(self) -> Result {
        self.threads.apply();
        self.results.check()?;
        let mut watch = Watch::new()?;
        let input = self.source.read(self.random_state, &mut watch)?;
        let model = self.model()?;
        input.notes.iter().for_each(output::note);
        let choices = if self.suggest {
            self.choices(&input, &model, &mut watch)?
        } else {
            Vec::new()
        };
        if !self.results.json {
            choices.iter().try_for_each(|c| output::line(&c.words))?;
        }
        // Two that agree win; else the silhouette, which is the second.
        let agreed = |c: &&Choice| choices.iter().filter(|o| o.k == c.k).count() > 1;
        let suggested = choices
            .iter()
            .find(agreed)
            .or(choices.get(1))
            .or(choices.first());
        let Some(k) = self.k.or(suggested.map(|c| c.k)) else {
            return Err(Failure::interrupted(
                "interrupted before a number of clusters was found; --k says one",
            ));
        };
        let model = model.n_clusters(k);
        let mut seconds = f64::INFINITY;
        let mut fitted = None;
        for _ in 0..self.repeat.max(1) {
            let begun = Instant::now();
            fitted = Some(match self.mini_batch {
                None => self.fit(&input.x, &model, &mut watch)?,
                Some(size) => self.fit_batches(&input.x, k, size, &mut watch)?,
            });
            seconds = seconds.min(begun.elapsed().as_secs_f64());
        }
        watch.clear();
        let Some(fitted) = fitted else { return Ok(()) };
        let labels: Vec<i64> = fitted.labels.to_vec()?;
        self.results.keep(&labels)?;
        let title = counted(k, "cluster");
        let centers = Some(&fitted.cluster_centers);
        (self.results).draw(&self.source, &input, &title, labels, centers)?;
        let panels: Vec<_> = choices.iter().map(Choice::panel).collect();
        self.results.curves("k", &panels)?;
        self.tell(&input, &fitted, &choices, seconds)?;
        if fitted.stopped {
            return Err(Failure::interrupted(format_args!(
                "interrupted after {}: these are the best clusters so far",
                counted(fitted.n_iter, "iteration")
            )));
        }
        Ok(())
    }

    fn fit(&self, x: &Tensor, model: &KMeans, watch: &mut Watch) -> Result<FittedKMeans> {
        watch.begin("looking for clusters");
        // A run takes about as long as the one before, and the first one nobody knows how long.
        let (mut before, mut now) = (self.max_iter, 0);
        let fit = model.fit_with(x, None, |step| {
            if step.iteration == 1 && step.run > 0 {
                before = now;
            }
            now = step.iteration;
            let of_run = (now as f64 / before as f64).min(1.0);
            let share = (step.run as f64 + of_run) / step.n_init as f64;
            watch.tell(Some(share), || {
                format!(
                    "run {} of {}, iteration {now} of at most {}, centres moved by {:.2e}",
                    step.run + 1,
                    step.n_init,
                    self.max_iter,
                    step.shift.sqrt()
                )
            })
        });
        fit.map_err(|e| self.source.wrong(e))
    }

    fn fit_batches(
        &self,
        x: &Tensor,
        k: usize,
        size: usize,
        watch: &mut Watch,
    ) -> Result<FittedKMeans> {
        let model = MiniBatchKMeans::new(k)
            .init(self.first()?)
            .batch_size(size)
            .max_iter(self.max_iter)
            .random_state(self.random_state);
        watch.begin("looking for clusters");
        let fit = model.fit_with(x, |step| {
            watch.tell(None, || {
                let inertia = step.inertia.unwrap_or_default();
                format!("batch {}, inertia about {inertia:.6e}", step.iteration)
            })
        });
        fit.map_err(|e| self.source.wrong(e))
    }

    /// The first centres.
    fn first(&self) -> Result<Init> {
        Ok(match self.init.as_str() {
            "k-means++" => Init::KMeansPlusPlus,
            "random" => Init::Random,
            file if file.contains(['.', '/', '\\']) => {
                Init::Centers(Table::read(Path::new(file), None)?.x)
            }
            other => {
                return Err(Failure::usage(format_args!(
                    "--init: expected k-means++, random or a file, got {other}"
                )));
            }
        })
    }

    fn model(&self) -> Result<KMeans> {
        let algorithm = match self.algorithm {
            Name::Auto => Algorithm::Auto,
            Name::Lloyd => Algorithm::Lloyd,
            Name::Hamerly => Algorithm::Hamerly,
        };
        let model = KMeans::new(1)
            .init(self.first()?)
            .max_iter(self.max_iter)
            .tol(self.tol)
            .random_state(self.random_state)
            .compat(Compat::Numpy)
            .algorithm(algorithm);
        Ok(match self.n_init {
            Some(n) => model.n_init(n),
            None => model,
        })
    }

    /// What is suggested, as far as the user waits for it.
    fn choices(&self, input: &Input, model: &KMeans, watch: &mut Watch) -> Result<Vec<Choice>> {
        if !["k-means++", "random"].contains(&self.init.as_str()) {
            return Err(Failure::usage(
                "--suggest tries several numbers of clusters: --init cannot be a file",
            ));
        }
        // More runs, so that no curve has a dent from a bad start.
        let model = if self.n_init.is_none() {
            model.clone().n_init(4)
        } else {
            model.clone()
        };
        let x = &input.x;
        let most = self.max_k.min(x.shape()[0]);
        let mut found = Vec::new();
        for curve in ["elbow", "silhouette", "gap"] {
            watch.begin("looking for a number of clusters");
            let tell = |share| watch.tell(Some(share), || curve.into());
            let choice = match curve {
                "elbow" => choose::elbow_with(x, 1..=most, &model, tell),
                "silhouette" if most < 2 => continue,
                "silhouette" => choose::silhouette_with(x, 2..=most, &model, tell),
                _ => choose::gap_with(x, 1..=most, &model, tell),
            };
            let Some(choice) = choice.map_err(|e| self.source.wrong(e))? else {
                break;
            };
            found.push(choice);
        }
        Ok(found)
    }

    fn tell(
        &self,
        input: &Input,
        fitted: &FittedKMeans,
        choices: &[Choice],
        seconds: f64,
    ) -> Result {
        let sizes = fitted.sizes()?;
        let (n, d) = (input.x.shape()[0], input.x.shape()[1]);
        let centers: Vec<Vec<f64>> = rows(&fitted.cluster_centers)?;
        if self.results.json {
            let suggestions: Vec<_> = choices
                .iter()
                .map(|c| json!({"name": c.name, "k": c.k, "words": c.words, "curve": c.curve}))
                .collect();
            return output::line(json!({
                "data": self.source.name(),
                "points": n,
                "columns": input.names,
                "k": sizes.len(),
                "sizes": sizes,
                "centers": centers,
                "inertia": fitted.inertia,
                "mini_batch": self.mini_batch,
                "iterations": fitted.n_iter,
                "converged": fitted.converged,
                "interrupted": fitted.stopped,
                "random_state": self.random_state,
                "seconds": seconds,
                "suggestions": suggestions,
            }));
        }
        let rounds = if self.mini_batch.is_some() {
            "batch"
        } else {
            "iteration"
        };
        output::line(format_args!(
            "{} of {} in {}{}: inertia {:.6}, {}{}, {seconds:.3} s",
            counted(n, "point"),
            counted(d, "column"),
            counted(sizes.len(), "cluster"),
            (self.mini_batch).map_or(String::new(), |size| format!(" by batches of {size}")),
            fitted.inertia,
            counted(fitted.n_iter, rounds),
            if fitted.converged {
                ""
            } else {
                " (not yet at rest)"
            },
        ))?;
        for (c, (size, centre)) in sizes.iter().zip(&centers).enumerate() {
            let parts = centre.iter().zip(&input.names).take(6);
            let part = |(x, name): (&f64, &String)| match is_number(name) {
                true => format!("{x:.4}"),
                false => format!("{name} {x:.4}"),
            };
            let parts: Vec<String> = parts.map(part).collect();
            let more = if d > 6 { ", …" } else { "" };
            output::line(format_args!(
                "  {c}: {:>9} points around {}{more}",
                thousands(*size),
                parts.join(", ")
            ))?;
        }
        if sizes.contains(&0) {
            output::note("there are fewer different points than clusters: some clusters are empty");
        }
        Ok(())
    }
}

fn rows(x: &Tensor) -> gradus::Result<Vec<Vec<f64>>> {
    x.to_vec2()
}
