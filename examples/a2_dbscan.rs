//! A2: regions where points lie densely, by DBSCAN, and what depends on the order of visits.
//!
//! Three pairs of eps and min_samples for each of two sets of points, coloured by cluster with noise
//! in grey: `a2_moons.svg` and `a2_blobs.svg` in the folder given by `--out` (default: this one).
//! `--file X.npy --eps E --min-samples M` clusters a matrix of one's own instead, and says what it
//! took; `--labels L.npy` writes the labels.

use gradus::cluster::{Dbscan, Metric, k_distances};
use gradus::random::Generator;
use gradus::{Error, Kind, Result, Tensor, io};
use std::fmt::Write as _;
use std::io::Write;
use std::path::Path;

/// Two half circles that reach into each other, and some points anywhere.
pub fn moons() -> Result<Tensor> {
    let mut g = Generator::new(0);
    let mut points = Vec::new();
    for i in 0..300 {
        let (angle, upper) = (std::f64::consts::PI * g.uniform(), i % 2 == 0);
        let (x, y) = (angle.cos(), angle.sin());
        let (x, y) = if upper { (x, y) } else { (1.0 - x, 0.5 - y) };
        points.extend([x + 0.07 * g.normal(), y + 0.07 * g.normal()]);
    }
    for _ in 0..30 {
        points.extend([-1.5 + 4.0 * g.uniform(), -1.0 + 2.5 * g.uniform()]);
    }
    Tensor::from_vec(&points, [330, 2])
}

/// Three heaps of different density.
pub fn blobs() -> Result<Tensor> {
    let mut g = Generator::new(1);
    let mut points = Vec::new();
    for i in 0..330 {
        let (x, y, spread) = [(-4.0, 0.0, 0.4), (0.0, 3.0, 0.8), (4.0, -1.0, 1.2)][i % 3];
        points.extend([x + spread * g.normal(), y + spread * g.normal()]);
    }
    Tensor::from_vec(&points, [330, 2])
}

/// The colours of Okabe and Ito, "Color Universal Design"; noise is grey.
const COLOURS: [&str; 7] = [
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000",
];

/// Several clusterings of the same points side by side, as an SVG file.
fn picture(x: &Tensor, panels: &[(String, Vec<i64>)]) -> Result<String> {
    let points = x.to_vec2::<f64>()?;
    let extreme =
        |k: usize, f: fn(f64, f64) -> f64| points.iter().map(|p| p[k]).fold(points[0][k], f);
    let (left, right) = (extreme(0, f64::min), extreme(0, f64::max));
    let (bottom, top) = (extreme(1, f64::min), extreme(1, f64::max));
    let (size, head) = (300.0, 24.0);
    let (width, height) = (size * panels.len() as f64, size + head);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n"
    );
    for (number, (title, labels)) in panels.iter().enumerate() {
        let corner = number as f64 * size;
        let _ = writeln!(
            svg,
            "<text x=\"{}\" y=\"16\" fill=\"#333333\">{title}</text>",
            corner + 8.0
        );
        for (p, &label) in points.iter().zip(labels) {
            let inside =
                |x: f64, low: f64, high: f64| 8.0 + (size - 16.0) * (x - low) / (high - low);
            let (x, y) = (
                corner + inside(p[0], left, right),
                height - inside(p[1], bottom, top),
            );
            let (colour, r) = match usize::try_from(label) {
                Ok(label) => (COLOURS[label % COLOURS.len()], 2.5),
                Err(_) => ("#aaaaaa", 1.5),
            };
            let _ = writeln!(
                svg,
                "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{r}\" fill=\"{colour}\"/>"
            );
        }
    }
    Ok(svg + "</svg>\n")
}

/// Prints the figures and writes the pictures.
pub fn run(out: &mut impl Write, folder: &Path) -> Result<()> {
    let sets = [
        ("moons", moons()?, [(0.1, 5), (0.2, 5), (0.5, 5)]),
        ("blobs", blobs()?, [(0.3, 5), (0.7, 5), (0.7, 15)]),
    ];
    for (name, x, pairs) in sets {
        let mut panels = Vec::new();
        for (eps, min_samples) in pairs {
            let fit = Dbscan::new(eps, min_samples).random_state(0).fit(&x)?;
            let title = format!(
                "eps {eps}, min_samples {min_samples}: {} clusters, {} core points, {} noise",
                fit.n_clusters,
                fit.core_sample_indices.numel(),
                fit.n_noise
            );
            writeln!(out, "{name}, {title}")?;
            let title = format!(
                "eps {eps}, min_samples {min_samples}: {} clusters",
                fit.n_clusters
            );
            panels.push((title, fit.labels.to_vec()?));
        }
        writeln!(
            out,
            "  suggested: {}",
            k_distances(&x, 5, Metric::Euclidean)?
        )?;
        std::fs::write(folder.join(format!("a2_{name}.svg")), picture(&x, &panels)?)?;
    }
    orders(out)
}

/// What the order of visits changes, and what it does not.
fn orders(out: &mut impl Write) -> Result<()> {
    // Two dense rows; 3.5 is in reach of both, and has too few neighbours itself.
    let line = [0.0, 0.5, 1.0, 2.0, 3.5, 5.0, 6.0, 6.5, 7.0];
    let x = Tensor::from_vec(line, [9, 1])?;
    let dbscan = Dbscan::new(1.5, 4);
    let labels =
        |seed| -> Result<Vec<i64>> { dbscan.clone().random_state(seed).fit(&x)?.labels.to_vec() };
    for seed in 0..3 {
        let labels = labels(seed)?;
        let side = if labels[4] == labels[2] {
            "left"
        } else {
            "right"
        };
        writeln!(
            out,
            "order {seed}: {labels:?}, the point between belongs to the {side} row"
        )?;
    }

    let x = moons()?;
    let dbscan = Dbscan::new(0.2, 5);
    let fit = dbscan.fit(&x)?;
    let core: Vec<usize> = fit
        .core_sample_indices
        .to_vec::<i64>()?
        .iter()
        .map(|&i| i as usize)
        .collect();
    let others: Vec<usize> = (0..x.shape()[0]).filter(|i| !core.contains(i)).collect();
    let noise = |order: Vec<usize>| -> Result<usize> {
        Ok(dbscan
            .clone()
            .visiting_order(order)
            .noise_is_final(true)
            .fit(&x)?
            .n_noise)
    };
    writeln!(
        out,
        "moons: {} noise points and {} border points; if noise is final, {} noise points when core points are visited first, {} when they are last",
        fit.n_noise,
        others.len() - fit.n_noise,
        noise([&core[..], &others].concat())?,
        noise([&others[..], &core].concat())?
    )?;
    Ok(())
}

/// Clusters a file and says what it took, as one line of JSON.
fn cluster(file: &str, eps: f64, min_samples: usize, labels: Option<&str>) -> Result<()> {
    let x = io::npy::load(file)?;
    let begun = std::time::Instant::now();
    let fit = Dbscan::new(eps, min_samples).fit(&x)?;
    let seconds = begun.elapsed().as_secs_f64();
    println!(
        "{{\"seconds\": {seconds}, \"algorithm\": \"{}\", \"clusters\": {}, \"noise\": {}, \"core\": {}}}",
        fit.algorithm,
        fit.n_clusters,
        fit.n_noise,
        fit.core_sample_indices.numel()
    );
    labels.map_or(Ok(()), |path| io::npy::save(path, &fit.labels))
}

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    let value = |name: &str| {
        let at = arguments.iter().position(|a| a == name)?;
        arguments.get(at + 1).map(String::as_str)
    };
    let number = |name: &str, default: f64| match value(name) {
        Some(text) => text
            .parse()
            .map_err(|_| Error::new(Kind::Value, format!("{name} {text} is no number"))),
        None => Ok(default),
    };
    if let Some(file) = value("--file") {
        let min_samples = number("--min-samples", 5.0)? as usize;
        return cluster(file, number("--eps", 0.5)?, min_samples, value("--labels"));
    }
    let folder = value("--out").unwrap_or(".");
    run(&mut std::io::stdout().lock(), Path::new(folder))?;
    println!("a2_moons.svg and a2_blobs.svg are in {folder}");
    Ok(())
}
