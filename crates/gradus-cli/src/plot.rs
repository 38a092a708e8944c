//! `gradus plot`.

use crate::common;
use crate::failure::{Failure, Result};
use crate::output::{self, Canvas, shell_word};
use clap::{Args, ValueEnum};
use gradus::data::{Column, ReadCsv, Table};
use gradus::plot::{
    Bars, Group, Histogram, Panel, Series, bars, bars_text, curves, curves_text, grid, histogram,
    histogram_text,
};
use std::io::stdout;
use std::path::{Path, PathBuf};

/// Bars and groups that a picture can hold.
const MOST_BARS: usize = 500;
const MOST_GROUPS: usize = 50;

/// A value of --by, and the numbers of its rows.
type Rows = (String, Vec<usize>);

/// Draw the curves of runs, or the columns of a CSV file
#[derive(Args)]
#[command(after_help = "\
Without --out the picture is drawn with characters: in colour in a terminal, else as plain text.

Of one run: loss and accuracy over the epochs. Of several: each figure with a line for each run.
Of a CSV file, unless --kind says otherwise:
  --x alone             a histogram of numbers, or how often each word occurs
  --y with words as x   bars
  --y with rising x     lines
  --y with other x      points

Examples:
  gradus plot runs/digits-mlp
  gradus plot runs/digits-mlp runs/digits-softmax --out compared.svg
  gradus plot losses.csv --x step --y train,test --log y
  gradus plot iris.csv --x length --y width --by species --out iris.svg
  gradus plot iris.csv --x length --kind hist --by species --bins 20
  gradus plot times.csv --x system --y seconds")]
pub struct Plot {
    /// Folders of runs, or one CSV file with a header
    #[arg(value_name = "RUN|FILE.csv", required = true)]
    paths: Vec<PathBuf>,
    /// Write a file that ends in .svg, or in .png if the program was built with the feature png
    #[arg(long, value_name = "FILE.svg")]
    out: Option<PathBuf>,
    /// The column that runs to the right [default: the number of the row]
    #[arg(long, value_name = "COL")]
    x: Option<String>,
    /// Columns of numbers to be drawn
    #[arg(long, value_name = "COL,…", value_delimiter = ',')]
    y: Vec<String>,
    /// How the columns are drawn
    #[arg(long)]
    kind: Option<Kind>,
    /// A colour for each value of this column
    #[arg(long, value_name = "COL")]
    by: Option<String>,
    /// Bins of a histogram [default: as many as NumPy's "auto"]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1000))]
    bins: Option<u16>,
    /// Logarithmic axes
    #[arg(long, value_name = "AXES")]
    log: Option<Log>,
    /// The heading [default: the name of the run or file]
    #[arg(long)]
    title: Option<String>,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Kind {
    Line,
    Scatter,
    Bar,
    Hist,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Log {
    X,
    Y,
    Xy,
}

/// What is to be drawn.
enum Picture {
    Curves(Vec<Panel>),
    Bars(Bars),
    Histogram(Histogram),
}

impl Picture {
    fn svg(&self) -> Result<String> {
        Ok(match self {
            // Two beside each other fit on a page.
            Self::Curves(panels) if panels.len() > 2 => {
                let each: Vec<String> = panels.chunks(1).map(curves).collect();
                grid(&each, 2)?
            }
            Self::Curves(panels) => curves(panels),
            Self::Bars(chart) => bars(std::slice::from_ref(chart)),
            Self::Histogram(chart) => histogram(std::slice::from_ref(chart)),
        })
    }

    fn text(&self, canvas: &Canvas) -> String {
        let Canvas {
            columns,
            rows,
            colour,
        } = *canvas;
        match self {
            Self::Curves(panels) => {
                let each = panels
                    .iter()
                    .map(|panel| curves_text(panel, columns, rows, colour));
                each.collect::<Vec<_>>().join("\n")
            }
            Self::Bars(chart) => bars_text(chart, columns, colour),
            Self::Histogram(chart) => histogram_text(chart, columns, colour),
        }
    }
}

impl Plot {
    pub fn run(self) -> Result {
        if let Some(path) = &self.out {
            output::check_picture(path)?;
        }
        let picture = match &self.paths[..] {
            [file] if !file.is_dir() && file.extension().is_some() => self.table(file)?,
            folders => self.runs(folders)?,
        };
        match &self.out {
            Some(path) => {
                output::picture(path, picture.svg()?)?;
                output::note(format_args!("picture in {}", shell_word(path)));
                Ok(())
            }
            None => output::line(picture.text(&output::canvas(stdout())).trim_end()),
        }
    }

    /// The curves of one run, or of several, figure by figure.
    fn runs(&self, folders: &[PathBuf]) -> Result<Picture> {
        if let Some(file) = folders.iter().find(|path| path.is_file()) {
            return Err(Failure::usage(format_args!(
                "{}: a file is drawn alone, and its name ends in .csv",
                file.display()
            )));
        }
        for (option, there) in [
            ("--x", self.x.is_some()),
            ("--y", !self.y.is_empty()),
            ("--kind", self.kind.is_some()),
            ("--by", self.by.is_some()),
            ("--bins", self.bins.is_some()),
        ] {
            if there {
                let message = format!("{option} is for CSV files; a run is drawn by its epochs");
                return Err(Failure::usage(message));
            }
        }
        let mut runs = Vec::new();
        for folder in folders {
            let panels = common::open(folder)?.panels().map_err(Failure::data)?;
            if panels
                .iter()
                .all(|panel| panel.series.iter().all(|s| s.points.is_empty()))
            {
                return Err(Failure::data(format_args!(
                    "{}: the run has not finished an epoch yet",
                    folder.display()
                )));
            }
            runs.push((self.name(folder), panels));
        }
        let mut panels = match &mut runs[..] {
            [(name, panels)] => {
                for panel in panels.iter_mut() {
                    panel.title = format!("{name}: {}", panel.title);
                }
                std::mem::take(panels)
            }
            _ => compared(&runs),
        };
        for panel in &mut panels {
            panel.log = self.log();
        }
        Ok(Picture::Curves(panels))
    }

    /// The heading, or what a path is called.
    fn name(&self, path: &Path) -> String {
        let name = || {
            path.file_name()
                .unwrap_or(path.as_os_str())
                .to_string_lossy()
                .into_owned()
        };
        self.title
            .clone()
            .filter(|_| self.paths.len() == 1)
            .unwrap_or_else(name)
    }

    fn log(&self) -> [bool; 2] {
        [Log::X, Log::Y].map(|axis| self.log.is_some_and(|log| log == axis || log == Log::Xy))
    }

    /// Columns of a CSV file.
    fn table(&self, path: &Path) -> Result<Picture> {
        let table = ReadCsv::new().read(path).map_err(Failure::data)?;
        let named = self.x.iter().chain(&self.y).chain(&self.by);
        for name in named {
            if !table.columns().contains(name) {
                return Err(Failure::usage(format_args!(
                    "{}: there is no column {name:?}; there are {}",
                    path.display(),
                    table.columns().join(", ")
                )));
            }
        }
        if self.x.is_none() && self.y.is_empty() {
            return Err(Failure::usage(format_args!(
                "what of {} is to be drawn? Give --x or --y; there are {}",
                path.display(),
                table.columns().join(", ")
            )));
        }
        if table.is_empty() {
            let message = format!("{}: there are no rows below the header", path.display());
            return Err(Failure::data(message));
        }
        let kind = self.kind.map_or_else(|| self.guess(&table), Ok)?;
        if self.bins.is_some() && kind != Kind::Hist {
            return Err(Failure::usage("--bins is for histograms: --kind hist"));
        }
        if self.log.is_some() && !matches!(kind, Kind::Line | Kind::Scatter) {
            return Err(Failure::usage(
                "--log is for lines and points: bars begin at 0",
            ));
        }
        let title = self.name(path);
        match kind {
            Kind::Line | Kind::Scatter => self.panel(&table, kind, title),
            Kind::Bar => self.bars(&table, title),
            Kind::Hist => self.histogram(&table, title),
        }
    }

    /// How people would draw these columns.
    fn guess(&self, table: &Table) -> Result<Kind> {
        let x = self.x.as_ref().map(|x| table.column(x)).transpose()?;
        Ok(match x {
            Some(Column::Text(_)) => Kind::Bar,
            Some(Column::Numbers(_)) if self.y.is_empty() => Kind::Hist,
            Some(Column::Numbers(_)) => {
                let groups = self.groups(table)?;
                let x = self.column(table, self.x.as_ref())?;
                let rising = |(_, rows): &Rows| rows.windows(2).all(|pair| x[pair[0]] < x[pair[1]]);
                if groups.iter().all(rising) {
                    Kind::Line
                } else {
                    Kind::Scatter
                }
            }
            None => Kind::Line,
        })
    }

    /// The numbers of a column, those of the rows if there is none.
    fn column(&self, table: &Table, name: Option<&String>) -> Result<Vec<f64>> {
        match name {
            Some(name) => Ok(table.numbers(name).map_err(Failure::data)?.to_vec()),
            None => Ok((1..=table.len()).map(|row| row as f64).collect()),
        }
    }

    /// The values of --by in the order of their first rows; without it one, that has all rows.
    fn groups(&self, table: &Table) -> Result<Vec<Rows>> {
        let Some(by) = &self.by else {
            return Ok(vec![(String::new(), (0..table.len()).collect())]);
        };
        let words = words(table.column(by)?);
        let mut groups: Vec<Rows> = Vec::new();
        for (row, word) in words.into_iter().enumerate() {
            if let Some((_, rows)) = groups.iter_mut().find(|(name, _)| *name == word) {
                rows.push(row);
                continue;
            }
            if groups.len() == MOST_GROUPS {
                return Err(Failure::usage(format_args!(
                    "--by {by}: more than {MOST_GROUPS} different values; choose a column with few"
                )));
            }
            groups.push((word, vec![row]));
        }
        Ok(groups)
    }

    /// A series for each column and group.
    fn panel(&self, table: &Table, kind: Kind, title: String) -> Result<Picture> {
        if self.y.is_empty() {
            return Err(Failure::usage(
                "lines and points need --y, one or more columns",
            ));
        }
        let x = self.column(table, self.x.as_ref())?;
        let groups = self.groups(table)?;
        let mut series = Vec::new();
        for name in &self.y {
            let y = self.column(table, Some(name))?;
            for (group, rows) in &groups {
                series.push(Series {
                    name: self.series_name(name, group),
                    points: rows.iter().map(|&row| (x[row], y[row])).collect(),
                });
            }
        }
        let (lines, dots) = match kind {
            Kind::Scatter => (Vec::new(), series),
            _ => (series, Vec::new()),
        };
        Ok(Picture::Curves(vec![Panel {
            title,
            x_label: self.x.clone().unwrap_or_else(|| "row".into()),
            y_label: self.label(),
            series: lines,
            dots,
            log: self.log(),
        }]))
    }

    /// What a column is called in the legend.
    fn series_name(&self, column: &str, group: &str) -> String {
        match (self.by.is_some(), self.y.len()) {
            (false, _) => column.into(),
            (true, 0 | 1) => group.into(),
            (true, _) => format!("{column}, {group}"),
        }
    }

    /// What the values are called that have one name only.
    fn label(&self) -> String {
        match &self.y[..] {
            [one] => one.clone(),
            _ => String::new(),
        }
    }

    /// A bar for each value of --x, with the sum of --y, or the number of rows.
    fn bars(&self, table: &Table, title: String) -> Result<Picture> {
        let Some(x) = &self.x else {
            return Err(Failure::usage("bars need --x, the column of their names"));
        };
        let words = words(table.column(x)?);
        let mut names: Vec<String> = Vec::new();
        let mut places = Vec::new();
        for word in words {
            let place = names
                .iter()
                .position(|name| *name == word)
                .unwrap_or(names.len());
            if place == MOST_BARS {
                return Err(Failure::usage(format_args!(
                    "--x {x}: more than {MOST_BARS} different values, too many for bars; numbers may be \
                     drawn with --kind hist"
                )));
            }
            if place == names.len() {
                names.push(word);
            }
            places.push(place);
        }
        let rows_of = self.groups(table)?;
        let counted = vec![1.0; table.len()];
        let columns: Vec<(&str, Vec<f64>)> = match &self.y[..] {
            [] => vec![("", counted)],
            names => (names.iter())
                .map(|name| Ok((name.as_str(), self.column(table, Some(name))?)))
                .collect::<Result<_>>()?,
        };
        let (mut groups, mut added) = (Vec::new(), false);
        for (column, values) in &columns {
            for (group, rows) in &rows_of {
                let mut sums = vec![f64::NAN; names.len()];
                for &row in rows.iter().filter(|&&row| !values[row].is_nan()) {
                    let sum = &mut sums[places[row]];
                    added |= !sum.is_nan();
                    *sum = if sum.is_nan() {
                        values[row]
                    } else {
                        *sum + values[row]
                    };
                }
                let single = columns.len() == 1 && self.by.is_none();
                let name = self.series_name(column, group);
                let name = if single { String::new() } else { name };
                groups.push(Group { name, values: sums });
            }
        }
        let label = if self.y.is_empty() {
            "rows".into()
        } else {
            self.label()
        };
        if added && !self.y.is_empty() {
            output::note(format_args!("rows of the same {x} are added up"));
        }
        Ok(Picture::Bars(Bars {
            title,
            label,
            names,
            groups,
        }))
    }

    /// How often the values of --x occur, by group.
    fn histogram(&self, table: &Table, title: String) -> Result<Picture> {
        let Some(x) = self.x.as_ref().filter(|_| self.y.is_empty()) else {
            return Err(Failure::usage(
                "a histogram is of one column, --x, without --y",
            ));
        };
        let values = self.column(table, Some(x))?;
        let groups = self.groups(table)?;
        let groups: Vec<(&str, Vec<f64>)> = (groups.iter())
            .map(|(name, rows)| (name.as_str(), rows.iter().map(|&row| values[row]).collect()))
            .collect();
        let lists: Vec<(&str, &[f64])> = groups.iter().map(|(n, v)| (*n, &v[..])).collect();
        let counted = Histogram::new(&lists, self.bins.map(usize::from))?;
        Ok(Picture::Histogram(Histogram {
            title,
            label: x.clone(),
            ..counted
        }))
    }
}

/// What each row holds, as it is read by people.
fn words(column: &Column) -> Vec<String> {
    match column {
        Column::Numbers(list) => list
            .iter()
            .map(|x| {
                if x.is_nan() {
                    "missing".into()
                } else {
                    x.to_string()
                }
            })
            .collect(),
        Column::Text(list) => list
            .iter()
            .map(|word| word.clone().unwrap_or_else(|| "missing".into()))
            .collect(),
    }
}

/// A panel for each figure that the first run has, with a line for each run.
fn compared(runs: &[(String, Vec<Panel>)]) -> Vec<Panel> {
    let mut panels = Vec::new();
    for first in &runs[0].1 {
        for figure in &first.series {
            let line = |(name, panels): &(String, Vec<Panel>)| {
                let panel = panels.iter().find(|panel| panel.title == first.title)?;
                let series = panel.series.iter().find(|s| s.name == figure.name)?;
                Some(Series {
                    name: name.clone(),
                    points: series.points.clone(),
                })
            };
            panels.push(Panel {
                title: format!("{}, {}", first.title, figure.name),
                series: runs.iter().filter_map(line).collect(),
                ..first.clone()
            });
        }
    }
    panels
}
