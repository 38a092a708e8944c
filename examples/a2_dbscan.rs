//! A2: regions where points lie densely, by DBSCAN, and what depends on the order of visits.
//!
//! Three pairs of eps and min_samples for each of two sets of points, coloured by cluster with noise
//! in grey.

use clap::Parser;
use gradus::cluster::{Dbscan, Metric, k_distances};
use gradus::data::{Blobs, make_moons};
use gradus::plot::{Cloud, scatter};
use gradus::{Result, Tensor};
use std::io::Write;
use std::path::{Path, PathBuf};

/// Prints the figures and writes the pictures.
pub fn run(out: &mut impl Write, folder: &Path) -> Result<()> {
    let (moons, _) = make_moons(400, 0.07, 0)?;
    let (blobs, _) = Blobs::new(400)
        .std(&[0.4, 0.8, 1.2])
        .random_state(8)
        .make()?;
    let sets = [
        ("moons", &moons, [(0.08, 5), (0.14, 5), (0.4, 5)]),
        ("blobs", &blobs, [(0.3, 5), (0.7, 5), (0.7, 15)]),
    ];
    for (name, x, pairs) in sets {
        let points: Vec<(f64, f64)> = x.to_vec2::<f64>()?.iter().map(|p| (p[0], p[1])).collect();
        let mut clouds = Vec::new();
        for (eps, min_samples) in pairs {
            let fit = Dbscan::new(eps, min_samples).random_state(0).fit(x)?;
            let title = format!("eps {eps}, min_samples {min_samples}");
            writeln!(
                out,
                "{name}, {title}: {} clusters, {} core points, {} noise",
                fit.n_clusters,
                fit.core_sample_indices.numel(),
                fit.n_noise
            )?;
            clouds.push(Cloud {
                title: format!("{title}: {} clusters", fit.n_clusters),
                points: points.clone(),
                labels: fit.labels.to_vec()?,
                ..Cloud::default()
            });
        }
        let suggested = k_distances(x, 5, Metric::Euclidean)?;
        writeln!(out, "  suggested: {suggested}")?;
        std::fs::write(folder.join(format!("a2_{name}.svg")), scatter(&clouds))?;
    }
    between(out)?;
    noise_is_final(out, &moons)
}

/// A border point that two clusters reach: which of them has it depends on the order of visits.
fn between(out: &mut impl Write) -> Result<()> {
    // Two dense rows; 3.5 is in reach of both, and has too few neighbours itself.
    let line = [0.0, 0.5, 1.0, 2.0, 3.5, 5.0, 6.0, 6.5, 7.0];
    let x = Tensor::from_vec(line, [9, 1])?;
    for seed in 0..3 {
        let fit = Dbscan::new(1.5, 4).random_state(seed).fit(&x)?;
        let labels: Vec<i64> = fit.labels.to_vec()?;
        let row = if labels[4] == labels[2] {
            "left"
        } else {
            "right"
        };
        writeln!(
            out,
            "order {seed}: {labels:?}, the point between belongs to the {row} row"
        )?;
    }
    Ok(())
}

/// If a point that is visited too early stays noise, the order decides how much noise there is.
fn noise_is_final(out: &mut impl Write, x: &Tensor) -> Result<()> {
    let dbscan = Dbscan::new(0.14, 5);
    let fit = dbscan.fit(x)?;
    let core: Vec<i64> = fit.core_sample_indices.to_vec()?;
    // Rows whose place among the core points is there come first, or last.
    let noise = |core_first: bool| -> Result<usize> {
        let mut order: Vec<usize> = (0..x.shape()[0]).collect();
        order.sort_by_key(|&i| core.binary_search(&(i as i64)).is_ok() != core_first);
        let dbscan = dbscan.clone().visiting_order(order).noise_is_final(true);
        Ok(dbscan.fit(x)?.n_noise)
    };
    writeln!(
        out,
        "moons: {} noise points and {} border points; if noise is final, {} noise points when core \
         points are visited first, {} when they are last",
        fit.n_noise,
        x.shape()[0] - core.len() - fit.n_noise,
        noise(true)?,
        noise(false)?
    )?;
    Ok(())
}

/// DBSCAN on two sets of points, and what depends on the order of visits.
#[derive(Parser)]
struct Args {
    /// Folder for a2_moons.svg and a2_blobs.svg
    #[arg(long, default_value = ".")]
    out: PathBuf,
}

fn main() -> Result<()> {
    let args = Args::parse();
    std::fs::create_dir_all(&args.out)?;
    run(&mut std::io::stdout().lock(), &args.out)
}
