//! A1: K-means on four sets of blobs from three different starts. The algorithm ends in a state that
//! depends on where it began, and wherever the blobs are not round and of one size, not in theirs.
//!
//! The points are those of scikit-learn's `make_blobs(n_samples=1500, random_state=170)`, the first
//! centres those of `numpy.random.choice(n, k, replace=False)` after `numpy.random.seed`.

use clap::Parser;
use gradus::cluster::{FittedKMeans, Init, KMeans};
use gradus::plot::{Cloud, scatter};
use gradus::random::Compat;
use gradus::{Result, Tensor, data};
use std::io::Write;
use std::path::{Path, PathBuf};

/// The sets and the numbers of clusters that are looked for.
pub const SETS: [(&str, usize); 4] = [
    ("blobs", 2),
    ("anisotropic", 3),
    ("varied", 3),
    ("uneven", 3),
];
/// The seeds of the first centres.
pub const STATES: [u64; 3] = [100, 300, 500];

/// A run until no centre moves.
pub fn fit(x: &Tensor, k: usize, random_state: u64) -> Result<FittedKMeans> {
    KMeans::new(k)
        .init(Init::Random)
        .n_init(1)
        .tol(0.0)
        .random_state(random_state)
        .compat(Compat::Numpy)
        .fit(x)
}

fn picture(title: String, x: &Tensor, fitted: &FittedKMeans) -> Result<Cloud> {
    let pairs = |t: &Tensor| -> Result<Vec<(f64, f64)>> {
        Ok(t.to_vec::<f64>()?.chunks(2).map(|p| (p[0], p[1])).collect())
    };
    Ok(Cloud {
        title,
        points: pairs(x)?,
        labels: fitted.labels.to_vec()?,
        centers: pairs(&fitted.cluster_centers)?,
        ..Cloud::default()
    })
}

/// Prints the figures and leaves a picture for each start, and one with all of them, in the folder.
pub fn run(out: &mut impl Write, folder: &Path) -> Result<Vec<PathBuf>> {
    let mut all: Vec<Vec<Cloud>> = Vec::new();
    for state in STATES {
        writeln!(out, "random_state {state}:")?;
        let mut row = Vec::new();
        for (name, k) in SETS {
            let (x, _) = data::demo(name, 1500, 170)?;
            let fitted = fit(&x, k, state)?;
            writeln!(
                out,
                "  {name}: sizes {:?}, inertia {:.6}, {} iterations",
                fitted.sizes()?,
                fitted.inertia,
                fitted.n_iter
            )?;
            for centre in fitted.cluster_centers.to_vec2::<f64>()? {
                writeln!(out, "    ({:.6}, {:.6})", centre[0], centre[1])?;
            }
            row.push(picture(
                format!("{name}, random_state {state}"),
                &x,
                &fitted,
            )?);
        }
        all.push(row);
    }
    let mut files = Vec::new();
    let mut save = |name: String, clouds: &[Cloud]| -> Result<()> {
        let path = folder.join(name);
        std::fs::write(&path, scatter(clouds))?;
        files.push(path);
        Ok(())
    };
    for (row, state) in all.iter().zip(STATES) {
        save(format!("a1_{state}.svg"), row)?;
    }
    // The set on which the starts differ most.
    for (i, (name, _)) in SETS.iter().enumerate() {
        let starts: Vec<Cloud> = all.iter().map(|row| row[i].clone()).collect();
        save(format!("a1_starts_{name}.svg"), &starts)?;
    }
    Ok(files)
}

/// K-means on four sets of blobs from three starts.
#[derive(Parser)]
struct Args {
    /// Folder for the seven pictures
    #[arg(long, default_value = ".")]
    out: PathBuf,
}

fn main() -> Result<()> {
    let args = Args::parse();
    std::fs::create_dir_all(&args.out)?;
    for file in run(&mut std::io::stdout().lock(), &args.out)? {
        println!("{}", file.display());
    }
    Ok(())
}
