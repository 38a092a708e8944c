//! `gradus cluster kmeans`.

use super::table::Table;
use super::{Input, Source, write};
use crate::common::{Threads, stop_on_signal};
use crate::failure::{Failure, Result};
use crate::output::{self, thousands};
use clap::{Args, ValueEnum};
use gradus::cluster::choose::{self, Choice};
use gradus::cluster::kmeans::{Algorithm, Step};
use gradus::cluster::{FittedKMeans, Init, KMeans, principal_components};
use gradus::plot::{Cloud, curves, scatter};
use gradus::{Kind, Tensor};
use serde_json::json;
use std::io::{IsTerminal, Write, stderr};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// Find clusters around centres (K-means)
#[derive(Args)]
#[command(after_help = "\
Examples:
  gradus cluster kmeans points.csv --k 3
  gradus cluster kmeans flowers.csv --columns length,width --standardize --suggest
  gradus cluster kmeans --data varied --k 3 --plot clusters.svg
  gradus cluster kmeans points.npy --k 8 --n-init 10 --out labels.csv --json

A table's first line is a header if it has no number in it. More than two columns are drawn along the
two directions in which they vary most. With --suggest and --plot the curves over k are drawn in
a second file, whose name ends in -k.svg. The same settings give the same clusters to the last
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
    /// Iterations of a run at most
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
    #[arg(long, value_name = "NAME", default_value = "lloyd")]
    algorithm: Name,
    /// Seed of what is drawn
    #[arg(long, value_name = "N", default_value_t = 0)]
    random_state: u64,
    /// Draw the clusters, an SVG file
    #[arg(long, value_name = "FILE")]
    plot: Option<PathBuf>,
    /// Write the cluster of each point, a CSV file
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    threads: Threads,
    /// Fit so many times and tell the shortest time
    #[arg(long, value_name = "N", default_value_t = 1, hide = true)]
    repeat: usize,
}

#[derive(Clone, Copy, ValueEnum)]
enum Name {
    Lloyd,
    Hamerly,
}

impl Kmeans {
    pub fn run(self) -> Result {
        self.threads.apply();
        let input = self.source.read(self.random_state)?;
        let model = self.model()?;
        input.notes.iter().for_each(output::note);
        let choices = if self.suggest {
            self.choices(&input, &model)?
        } else {
            Vec::new()
        };
        if !self.json {
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
            return Err(Failure::usage("--k or --suggest is needed"));
        };
        let stop = stop_on_signal()?;
        let mut progress = Progress::new();
        let model = model.n_clusters(k);
        let mut seconds = f64::INFINITY;
        let mut fitted = None;
        for _ in 0..self.repeat.max(1) {
            let begun = Instant::now();
            let fit = model.fit_with(&input.x, None, |step| {
                progress.tell(step);
                if stop.load(Ordering::Relaxed) {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            });
            fitted = Some(fit.map_err(|e| self.wrong(e))?);
            seconds = seconds.min(begun.elapsed().as_secs_f64());
        }
        progress.clear();
        let Some(fitted) = fitted else { return Ok(()) };
        if let Some(path) = &self.out {
            let labels: Vec<i64> = fitted.labels.to_vec()?;
            let lines: Vec<String> = labels.iter().map(|l| format!("{l}\n")).collect();
            write(path, &format!("label\n{}", lines.concat()))?;
        }
        if let Some(path) = &self.plot {
            self.draw(path, &input, &fitted, &choices)?;
        }
        self.tell(&input, &fitted, &choices, seconds)?;
        if fitted.stopped {
            return Err(Failure::interrupted(format_args!(
                "interrupted after {} iterations: these are the best clusters so far",
                fitted.n_iter
            )));
        }
        Ok(())
    }

    fn model(&self) -> Result<KMeans> {
        let init = match self.init.as_str() {
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
        };
        let algorithm = match self.algorithm {
            Name::Lloyd => Algorithm::Lloyd,
            Name::Hamerly => Algorithm::Hamerly,
        };
        let model = KMeans::new(1)
            .init(init)
            .max_iter(self.max_iter)
            .tol(self.tol)
            .random_state(self.random_state)
            .algorithm(algorithm);
        Ok(match self.n_init {
            Some(n) => model.n_init(n),
            None => model,
        })
    }

    /// The points are wrong, or what was asked of them is.
    fn wrong(&self, e: gradus::Error) -> Failure {
        let text = e.to_string();
        match e.kind() {
            Kind::Value if text.contains("points:") => {
                Failure::data(format_args!("{}: {text}", self.source.name()))
            }
            Kind::Value | Kind::Shape => Failure::usage(text),
            _ => e.into(),
        }
    }

    fn choices(&self, input: &Input, model: &KMeans) -> Result<Vec<Choice>> {
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
        let n = input.x.shape()[0];
        let most = self.max_k.min(n);
        let mut found = vec![choose::elbow(&input.x, 1..=most, &model).map_err(|e| self.wrong(e))?];
        if most >= 2 {
            found.push(choose::silhouette(&input.x, 2..=most, &model).map_err(|e| self.wrong(e))?);
        }
        found.push(choose::gap(&input.x, 1..=most, &model).map_err(|e| self.wrong(e))?);
        Ok(found)
    }

    fn draw(
        &self,
        path: &Path,
        input: &Input,
        fitted: &FittedKMeans,
        choices: &[Choice],
    ) -> Result {
        let x = &input.x;
        let d = x.shape()[1];
        let plane = principal_components(x)?;
        let axes = if d <= 2 {
            [
                input.names[0].clone(),
                input.names.get(1).cloned().unwrap_or_default(),
            ]
        } else {
            let percent = plane
                .share
                .map(|s| format!("{:.1} % of the variance", 100.0 * s));
            output::note(format_args!(
                "{}: {d} columns drawn along the two directions in which they vary most ({} and {})",
                path.display(),
                percent[0],
                percent[1]
            ));
            [1, 2].map(|i| format!("principal component {i}, {}", percent[i - 1]))
        };
        let cloud = Cloud {
            title: format!(
                "{}: {} clusters",
                self.source.name(),
                fitted.cluster_centers.shape()[0]
            ),
            axes,
            points: plane.project(x)?,
            labels: fitted.labels.to_vec()?,
            centers: plane.project(&fitted.cluster_centers)?,
        };
        write(path, &scatter(&[cloud]))?;
        if !choices.is_empty() {
            let panels: Vec<_> = choices.iter().map(Choice::panel).collect();
            let stem = path.file_stem().unwrap_or_default().to_string_lossy();
            write(
                &path.with_file_name(format!("{stem}-k.svg")),
                &curves(&panels)?,
            )?;
        }
        Ok(())
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
        if self.json {
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
                "iterations": fitted.n_iter,
                "converged": fitted.converged,
                "interrupted": fitted.stopped,
                "random_state": self.random_state,
                "seconds": seconds,
                "suggestions": suggestions,
            }));
        }
        output::line(format_args!(
            "{} points of {d} columns in {} clusters: inertia {:.6}, {} iterations{}, {seconds:.3} s",
            thousands(n),
            sizes.len(),
            fitted.inertia,
            fitted.n_iter,
            if fitted.converged {
                ""
            } else {
                " (not yet at rest)"
            },
        ))?;
        for (c, (size, centre)) in sizes.iter().zip(&centers).enumerate() {
            let parts = centre.iter().zip(&input.names).take(6);
            let parts: Vec<String> = parts.map(|(x, name)| format!("{name} {x:.4}")).collect();
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

/// A line on a terminal, once the search has taken a while.
struct Progress {
    begun: Instant,
    shown: Option<Instant>,
    terminal: bool,
}

impl Progress {
    fn new() -> Self {
        Self {
            begun: Instant::now(),
            shown: None,
            terminal: stderr().is_terminal(),
        }
    }

    fn tell(&mut self, step: &Step<'_>) {
        let often = self
            .shown
            .is_some_and(|t| t.elapsed() < Duration::from_millis(200));
        if !self.terminal || often || self.begun.elapsed() < Duration::from_secs(1) {
            return;
        }
        self.shown = Some(Instant::now());
        let Step {
            run,
            n_init,
            iteration,
            inertia,
            shift,
            ..
        } = step;
        let _ = write!(
            stderr(),
            "\r\x1b[Krun {} of {n_init}, iteration {iteration}: inertia {inertia:.6e}, centres moved by {:.2e}",
            run + 1,
            shift.sqrt()
        );
    }

    fn clear(&self) {
        if self.shown.is_some() {
            let _ = write!(stderr(), "\r\x1b[K");
        }
    }
}
