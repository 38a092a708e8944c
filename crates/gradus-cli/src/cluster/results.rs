//! What is kept and drawn of clusters, however they were found.

use super::{Input, Source, is_number};
use crate::failure::Result;
use crate::output;
use clap::Args;
use gradus::Tensor;
use gradus::cluster::principal_components;
use gradus::plot::{Cloud, Panel, curves, scatter, scatter_text};
use std::fmt::Write;
use std::io::{stderr, stdout};
use std::path::{Path, PathBuf};

#[derive(Args)]
pub struct Results {
    /// Draw the clusters: to a file that ends in .svg, or in .png if the program was built with the
    /// feature png; term for a drawing with letters, in the terminal
    #[arg(long, value_name = "FILE")]
    pub plot: Option<PathBuf>,
    /// Write the cluster of each point, a CSV file
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

impl Results {
    /// Finds out that a file cannot be written before there is something to write.
    pub fn check(&self) -> Result {
        self.file().map_or(Ok(()), output::check_picture)?;
        self.out.as_deref().map_or(Ok(()), output::check_file)
    }

    /// The file to draw to.
    fn file(&self) -> Option<&Path> {
        self.plot.as_deref().filter(|plot| *plot != "term")
    }

    /// Writes the labels, if that is asked for.
    pub fn keep(&self, labels: &[i64]) -> Result {
        let Some(path) = &self.out else {
            return Ok(());
        };
        let mut text = String::from("label\n");
        for label in labels {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{label}");
        }
        output::file(path, &text)
    }

    /// Draws the points, if that is asked for.
    pub fn draw(
        &self,
        source: &Source,
        input: &Input,
        title: &str,
        labels: Vec<i64>,
        centers: Option<&Tensor>,
    ) -> Result {
        if self.plot.is_none() {
            return Ok(());
        }
        let plane = principal_components(&input.x)?;
        let column = |j: usize| match input.names.get(j) {
            Some(name) if is_number(name) => format!("column {name}"),
            Some(name) => name.clone(),
            None => String::new(),
        };
        let d = input.names.len();
        let axes = if d <= 2 {
            [column(0), column(1)]
        } else {
            output::note(format_args!(
                "{d} columns drawn along the two directions in which they vary most"
            ));
            let axis = |i: usize| {
                let percent = 100.0 * plane.share[i];
                format!(
                    "principal component {}, {percent:.1} % of the variance",
                    i + 1
                )
            };
            [axis(0), axis(1)]
        };
        let cloud = Cloud {
            title: format!("{}: {title}", source.name()),
            axes,
            points: plane.project(&input.x)?,
            labels,
            centers: centers.map_or(Ok(Vec::new()), |centers| plane.project(centers))?,
            ..Cloud::default()
        };
        match self.file() {
            Some(path) => output::picture(path, scatter(&[cloud])),
            None => self.print(&cloud),
        }
    }

    /// Draws for the terminal: beside the result, or on standard error if that is for a program.
    fn print(&self, cloud: &Cloud) -> Result {
        let canvas = match self.json {
            true => output::canvas(stderr()),
            false => output::canvas(stdout()),
        };
        let text = scatter_text(cloud, canvas.columns, canvas.rows, canvas.colour);
        match self.json {
            true => output::note(text.trim_end()),
            false => output::line(text.trim_end())?,
        }
        Ok(())
    }

    /// Draws curves to a second file like the first, whose name ends so, if there is a first one.
    pub fn curves(&self, end: &str, panels: &[Panel]) -> Result {
        let Some(path) = self.file().filter(|_| !panels.is_empty()) else {
            return Ok(());
        };
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let format = path.extension().unwrap_or_default().to_string_lossy();
        let beside = path.with_file_name(format!("{stem}-{end}.{format}"));
        output::picture(&beside, curves(panels))
    }
}
