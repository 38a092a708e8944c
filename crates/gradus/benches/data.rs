//! How long data take to arrive: a large table, whole and in parts, and images on their way to a
//! network. Each line is the median of the runs behind it, and the peak of the program's memory.
//!
//! ```sh
//! cargo bench -p gradus --bench data -- table 1000     # MB; written to the folder of temporary files
//! cargo bench -p gradus --bench data -- chunks 1000
//! cargo bench -p gradus --bench data -- images         # Fashion-MNIST in GRADUS_DATA
//! cargo bench -p gradus --bench data -- folder pictures.tar.gz
//! ```

use gradus::data::{self, DataLoader, ImageDataset, ImageFolder, ReadCsv, Table, Transform};
use gradus::random::Generator;
use gradus::{Error, Kind, Result};
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;
use std::time::Instant;

const RUNS: usize = 3;

fn main() -> Result<()> {
    // `cargo bench` puts `--bench` behind what it is given.
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|a| !a.starts_with("--"))
        .collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["table", megabytes] => table(megabytes, |path| Ok(Table::read(path)?.len())),
        ["chunks", megabytes] => table(megabytes, |path| {
            let tables = ReadCsv::new().chunks(path, 100_000)?;
            tables.map(|table| Ok(table?.len())).sum()
        }),
        ["images"] => images(),
        ["folder", path] => folder(Path::new(path)),
        _ => {
            println!("table MB, chunks MB, images, or folder PATH");
            Ok(())
        }
    }
}

/// Ten columns of numbers and one of words.
fn write(path: &Path, bytes: u64) -> Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    let names: Vec<String> = (0..10).map(|j| format!("x{j}")).collect();
    writeln!(file, "{},word", names.join(","))?;
    let mut g = Generator::new(0);
    let (mut written, mut line) = (0, Vec::new());
    while written < bytes {
        line.clear();
        for _ in 0..10 {
            write!(line, "{:.6},", g.normal())?;
        }
        writeln!(line, "{}", ["red", "green", "blue"][g.below(3) as usize])?;
        file.write_all(&line)?;
        written += line.len() as u64;
    }
    Ok(file.flush()?)
}

fn table(megabytes: &str, read: impl Fn(&Path) -> Result<usize>) -> Result<()> {
    let megabytes: u64 = (megabytes.parse())
        .map_err(|_| Error::new(Kind::Value, format!("a number of MB, not {megabytes}")))?;
    let path = std::env::temp_dir().join(format!("gradus-bench-{megabytes}.csv"));
    if !path.exists() {
        write(&path, megabytes * 1_000_000)?;
    }
    let bytes = fs::metadata(&path)?.len();
    report(&format!("{} MB of CSV", bytes / 1_000_000), "rows", || {
        read(&path)
    })
}

fn pass(images: &ImageDataset, workers: usize) -> Result<usize> {
    let loader = DataLoader::new(images.clone(), 64)?.workers(workers);
    loader.iter().map(|batch| Ok(batch?.0.shape()[0])).sum()
}

fn images() -> Result<()> {
    let train = data::fashion_mnist(None)?.train.normalize(0.2860, 0.3530)?;
    let resized = train.clone().transforms(&[Transform::Resize([32, 32])])?;
    for workers in [0, 2] {
        let name = |what: &str| format!("Fashion-MNIST, {what}, {workers} workers");
        report(&name("normalised"), "images", || pass(&train, workers))?;
        report(&name("resized to 32×32 and normalised"), "images", || {
            pass(&resized, workers)
        })?;
    }
    let random = resized.transforms(&[
        Transform::RandomCrop {
            size: [32, 32],
            padding: 4,
        },
        Transform::RandomHorizontalFlip { p: 0.5 },
        Transform::RandomRotation { degrees: 10.0 },
    ])?;
    report(
        "the same, cropped, mirrored and turned at random, 2 workers",
        "images",
        || pass(&random, 2),
    )
}

fn folder(path: &Path) -> Result<()> {
    let pictures = ImageFolder::new(path).resize(36, 36);
    report("pictures, decoded and resized to 36×36", "images", || {
        Ok(pictures.load()?.images().shape()[0])
    })
}

fn report(what: &str, things: &str, mut run: impl FnMut() -> Result<usize>) -> Result<()> {
    let mut runs = (0..RUNS)
        .map(|_| {
            let begun = Instant::now();
            let count = run()?;
            Ok((begun.elapsed().as_secs_f64(), count))
        })
        .collect::<Result<Vec<_>>>()?;
    runs.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (seconds, count) = runs[RUNS / 2];
    println!(
        "{what}: {seconds:.3} s, {:.0} {things} a second{}",
        count as f64 / seconds,
        peak().map_or(String::new(), |mb| format!(", peak {mb} MB"))
    );
    Ok(())
}

/// The most memory that the program has had, where the system tells it.
fn peak() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM"))?;
    let kilobytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes * 1024 / 1_000_000)
}
