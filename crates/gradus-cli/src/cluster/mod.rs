//! `gradus cluster`: groups of points that nobody has labelled.

mod dbscan;
mod kmeans;
mod results;
mod table;
mod watch;

use crate::failure::{Failure, Result};
use clap::{Args, Subcommand};
use gradus::data::{DEMOS, demo};
use gradus::preprocessing::StandardScaler;
use gradus::{DType, Kind, Tensor};
use std::path::{Path, PathBuf};
use table::Table;
use watch::Watch;

/// Find clusters in a table or an array of points
#[derive(Subcommand)]
pub enum Cluster {
    Kmeans(kmeans::Kmeans),
    Dbscan(dbscan::Dbscan),
}

impl Cluster {
    pub fn run(self) -> Result {
        match self {
            Self::Kmeans(command) => command.run(),
            Self::Dbscan(command) => command.run(),
        }
    }
}

/// Where the points come from.
#[derive(Args, Clone)]
pub struct Source {
    /// Points, a row each: a table (.csv; with or without a header) or an array (.npy)
    #[arg(
        value_name = "FILE",
        required_unless_present = "data",
        conflicts_with = "data"
    )]
    file: Option<PathBuf>,
    /// A set to try instead of a file
    #[arg(long, value_name = "NAME", value_parser = clap::builder::PossibleValuesParser::new(DEMOS))]
    data: Option<String>,
    /// Points of the set to try
    #[arg(long, value_name = "N", default_value_t = 1500, requires = "data")]
    samples: usize,
    /// Columns to use, names or numbers from 1, with commas [default: all]
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    columns: Option<Vec<String>>,
    /// Bring columns to mean 0 and standard deviation 1
    #[arg(long)]
    standardize: bool,
}

/// Points as they are clustered, and what there is to say about them.
pub struct Input {
    pub x: Tensor,
    pub names: Vec<String>,
    pub notes: Vec<String>,
}

impl Source {
    /// Reads the points, unless the user ends that. A set to try is drawn with the seed.
    pub fn read(&self, seed: u64, watch: &mut Watch) -> Result<Input> {
        watch.begin("reading");
        let source = self.clone();
        watch.wait(move || source.read_all(seed))?
    }

    fn read_all(&self, seed: u64) -> Result<Input> {
        let table = match (&self.data, &self.file) {
            (Some(name), _) => Table::new(demo(name, self.samples, seed)?.0),
            (None, Some(file)) => Table::read(file, self.columns.as_deref())?,
            (None, None) => return Err(Failure::usage("a file or --data is needed")),
        };
        let table = match (&self.file, &self.columns) {
            (None, Some(columns)) => table.select(Path::new("--data"), columns)?,
            _ => table,
        };
        let mut notes = Vec::new();
        let mut x = table.x;
        if self.standardize {
            let scaler = StandardScaler::fit(&x).map_err(Failure::data)?;
            x = scaler.transform(&x)?;
            for &j in scaler.constant() {
                notes.push(format!(
                    "column {} is constant and does not tell points apart",
                    table.names[j]
                ));
            }
        }
        Ok(Input {
            x,
            names: table.names,
            notes,
        })
    }

    /// A failure whose reason is the points, or what was asked of them.
    pub fn wrong(&self, e: gradus::Error) -> Failure {
        let text = e.to_string();
        let of_the_points = ["points:", "row "].iter().any(|word| text.contains(word));
        match e.kind() {
            Kind::Value if of_the_points => Failure::data(format_args!("{}: {text}", self.name())),
            Kind::Value | Kind::Shape => Failure::usage(text),
            _ => e.into(),
        }
    }

    /// What the points are called.
    pub fn name(&self) -> String {
        match (&self.data, &self.file) {
            (Some(name), _) => name.clone(),
            (_, Some(file)) => file.display().to_string(),
            _ => String::new(),
        }
    }
}

/// Whether this is the number of a column that has no name.
fn is_number(name: &str) -> bool {
    name.parse::<usize>().is_ok()
}

/// A number with as many digits as people read.
fn short(x: f64) -> f64 {
    format!("{x:.4e}").parse().unwrap_or(x)
}

/// The numbers as the engine wants them: integers become f64.
fn floats(x: Tensor) -> gradus::Result<Tensor> {
    if x.dtype().is_float() {
        Ok(x)
    } else {
        x.to_dtype(DType::F64)
    }
}
