//! What a table holds, in a few figures for each column; and tables as text.

use super::change::{most_frequent, present, vector};
use super::{Column, ColumnKind, Table};
use gradus_core::Tensor;
use std::fmt;

/// Rows at the beginning and at the end that are shown of a long table.
const SHOWN: usize = 5;

/// What is said of the columns of a table, in their order. Its text is an aligned table.
#[derive(Clone, Debug, PartialEq)]
pub struct Description {
    /// Each column's name, kind and figures.
    pub columns: Vec<(String, ColumnKind, Summary)>,
}

/// What is said of one column; as pandas' `describe`, with the number of missing values.
#[derive(Clone, Debug, PartialEq)]
pub enum Summary {
    /// Of a column of numbers. Without values all but the counts are NaN.
    Numbers {
        /// How many values are there.
        count: usize,
        /// How many are missing.
        missing: usize,
        /// Their mean.
        mean: f64,
        /// Their standard deviation, that of a sample; of a single value NaN.
        std: f64,
        /// The smallest, the three quartiles and the largest.
        quartiles: [f64; 5],
    },
    /// Of a column of text.
    Text {
        /// How many values are there.
        count: usize,
        /// How many are missing.
        missing: usize,
        /// How many different ones there are.
        unique: usize,
        /// The most frequent one, of equally frequent ones the first in the alphabet, and how often
        /// it is there.
        top: Option<(String, usize)>,
    },
}

impl Table {
    /// The figures of each column: counts, mean, standard deviation and quartiles of numbers, the
    /// number of different words and the most frequent one of text.
    ///
    /// ```
    /// use gradus::data::Table;
    /// let table = Table::from_reader("x,y\n1,a\n3,a\nNA,b\n".as_bytes())?;
    /// let text = table.describe().to_string();
    /// let lines: Vec<&str> = text.lines().collect();
    /// assert!(lines[0].ends_with("count  missing  mean      std  min  25%  50%  75%  max"), "{text}");
    /// assert!(lines[1].ends_with("    2        1     2  1.41421    1  1.5    2  2.5    3"), "{text}");
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn describe(&self) -> Description {
        let columns = self.names.iter().zip(&self.columns);
        Description {
            columns: columns
                .map(|(n, c)| (n.clone(), c.kind(), summary(c)))
                .collect(),
        }
    }
}

fn summary(column: &Column) -> Summary {
    let missing = column.missing();
    let count = column.len() - missing;
    match column {
        Column::Numbers(list) => {
            let figure = |f: &dyn Fn(&Tensor) -> gradus_core::Result<Tensor>| {
                let values = vector(&present(list)).and_then(|x| f(&x)?.to_vec());
                values.unwrap_or_else(|_| vec![f64::NAN; 5])
            };
            let levels = [0.0, 0.25, 0.5, 0.75, 1.0];
            let quartiles = figure(&|x| x.quantile(&vector(&levels)?, ..));
            Summary::Numbers {
                count,
                missing,
                mean: figure(&|x| x.mean(..))[0],
                std: figure(&|x| x.std(..))[0],
                quartiles: std::array::from_fn(|i| quartiles[i]),
            }
        }
        Column::Text(cells) => {
            let mut words: Vec<&String> = cells.iter().flatten().collect();
            words.sort();
            Summary::Text {
                count,
                missing,
                unique: words.chunk_by(|a, b| a == b).count(),
                top: most_frequent(&words).map(|(word, n)| (word.to_string(), n)),
            }
        }
    }
}

impl fmt::Display for Description {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let figures = [
            "count", "missing", "mean", "std", "min", "25%", "50%", "75%", "max",
        ];
        let (mut numbers, mut text) = (vec![header(&figures)], vec![]);
        text.push(header(&["count", "missing", "unique", "top", "freq"]));
        for (name, kind, summary) in &self.columns {
            let mut row = vec![name.clone(), kind.to_string()];
            match summary {
                Summary::Numbers {
                    count,
                    missing,
                    mean,
                    std,
                    quartiles,
                } => {
                    row.extend([count.to_string(), missing.to_string()]);
                    row.extend([mean, std].into_iter().chain(quartiles).map(|&x| short(x)));
                    numbers.push(row);
                }
                Summary::Text {
                    count,
                    missing,
                    unique,
                    top,
                } => {
                    row.extend([count, missing, unique].map(usize::to_string));
                    let top = top.as_ref();
                    row.extend(
                        top.map_or(["".into(), "0".into()], |(w, n)| [w.clone(), n.to_string()]),
                    );
                    text.push(row);
                }
            }
        }
        let parts = [numbers, text].map(|rows| {
            if rows.len() > 1 {
                aligned(&rows, 2)
            } else {
                String::new()
            }
        });
        let between = if parts.iter().all(|part| !part.is_empty()) {
            "\n"
        } else {
            ""
        };
        f.write_str(&parts.join(between))
    }
}

/// The first and the last rows, as pandas prints them.
///
/// ```
/// let table = gradus::data::Table::from_reader("x,name\n1.5,a\n12,NA\n".as_bytes())?;
/// assert_eq!(table.to_string(), "     x  name\n0  1.5     a\n1   12   NaN\n");
/// # Ok::<(), gradus::Error>(())
/// ```
impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rows = vec![vec![String::new()]];
        rows[0].extend(self.names.iter().cloned());
        for row in 0..self.len() {
            if self.len() > 2 * SHOWN && row == SHOWN {
                rows.push(vec!["…".into(); self.names.len() + 1]);
            }
            if row < SHOWN || row + SHOWN >= self.len() {
                let cells = self.columns.iter().map(|column| column.cell(row));
                rows.push([row.to_string()].into_iter().chain(cells).collect());
            }
        }
        f.write_str(&aligned(&rows, 1))
    }
}

fn header(figures: &[&str]) -> Vec<String> {
    let names = ["", "kind"].iter().chain(figures);
    names.map(|name| name.to_string()).collect()
}

/// A number with as many digits as people read.
fn short(x: f64) -> String {
    let rounded = format!("{x:.5e}").parse().unwrap_or(x);
    if rounded == 0.0 || (1e-4..1e9).contains(&f64::abs(rounded)) || !rounded.is_finite() {
        rounded.to_string()
    } else {
        format!("{rounded:e}")
    }
}

/// Rows of cells one below the other: the first `left` of them from the left, numbers to the right.
fn aligned(rows: &[Vec<String>], left: usize) -> String {
    let width = |j: usize| {
        let widths = rows.iter().map(|row| row[j].chars().count());
        widths.max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..rows.first().map_or(0, Vec::len)).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let cells = row
            .iter()
            .zip(&widths)
            .enumerate()
            .map(|(j, (cell, &width))| match j < left {
                true => format!("{cell:<width$}"),
                false => format!("{cell:>width$}"),
            });
        text.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
        text.push('\n');
    }
    text
}
