//! Numbers from a file: a CSV table or a NumPy array.

use super::floats;
use crate::failure::{Failure, Result};
use gradus::{Tensor, io};
use std::fmt::Display;
use std::path::Path;

/// A matrix with the names of its columns.
pub struct Table {
    pub x: Tensor,
    pub names: Vec<String>,
}

impl Table {
    /// Columns that are called by their numbers, from 1.
    pub fn new(x: Tensor) -> Self {
        let names = (1..=x.shape().get(1).copied().unwrap_or(0))
            .map(|j| j.to_string())
            .collect();
        Self { x, names }
    }

    /// Reads the file, by its name's end; all columns, or these.
    pub fn read(path: &Path, columns: Option<&[String]>) -> Result<Self> {
        let is_array = path
            .extension()
            .is_some_and(|e| e.eq_ignore_ascii_case("npy"));
        if !is_array {
            return read_csv(path, columns);
        }
        let x = io::npy::load(path).map_err(|e| broken(path, e))?;
        // A list is a column.
        let x = if x.ndim() == 1 { x.unsqueeze(1)? } else { x };
        if x.ndim() != 2 {
            return Err(broken(
                path,
                format_args!(
                    "expected an array of two dimensions, got shape {:?}",
                    x.shape()
                ),
            ));
        }
        let table = Self::new(floats(x)?);
        match columns {
            Some(columns) => table.select(path, columns),
            None => Ok(table),
        }
    }

    /// These columns only.
    pub fn select(self, path: &Path, columns: &[String]) -> Result<Self> {
        let chosen = find(path, &self.names, columns)?;
        let index: Vec<i64> = chosen.iter().map(|&j| j as i64).collect();
        let index = Tensor::from_vec(index, [chosen.len()])?;
        Ok(Self {
            x: self.x.index_select(1, &index)?,
            names: chosen.iter().map(|&j| self.names[j].clone()).collect(),
        })
    }
}

fn broken(path: &Path, problem: impl Display) -> Failure {
    Failure::data(format_args!("{}: {problem}", path.display()))
}

/// The places of these columns, which are names or numbers.
fn find(path: &Path, names: &[String], columns: &[String]) -> Result<Vec<usize>> {
    let place = |column: &String| {
        let column = column.trim();
        let number = || {
            column
                .parse::<usize>()
                .ok()
                .filter(|n| (1..=names.len()).contains(n))
                .map(|n| n - 1)
        };
        names
            .iter()
            .position(|name| name == column)
            .or_else(number)
            .ok_or_else(|| {
                Failure::usage(format_args!(
                    "--columns: {} has no column {column:?}; there are {}",
                    path.display(),
                    names.join(", ")
                ))
            })
    };
    columns.iter().map(place).collect()
}

/// The character between fields: of those that are usual the one that the first line has most of.
fn delimiter(text: &[u8]) -> u8 {
    let first = text
        .split(|&b| b == b'\n')
        .find(|line| !line.trim_ascii().is_empty());
    let count = |c: &u8| first.map_or(0, |line| line.iter().filter(|b| *b == c).count());
    // Of equally many the last wins.
    [b'\t', b';', b',']
        .into_iter()
        .max_by_key(count)
        .unwrap_or(b',')
}

fn number(field: &str) -> Option<f64> {
    field.parse().ok().filter(|x: &f64| x.is_finite())
}

fn read_csv(path: &Path, columns: Option<&[String]>) -> Result<Table> {
    let bytes = std::fs::read(path).map_err(|e| broken(path, e))?;
    // Spreadsheets begin their files with a mark of the encoding.
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .trim(csv::Trim::All)
        .delimiter(delimiter(text))
        .comment(Some(b'#'))
        .from_reader(text);
    let mut record = csv::StringRecord::new();
    let mut next = |record: &mut csv::StringRecord| {
        reader
            .read_record(record)
            .map_err(|e| broken(path, format_args!("{e}")))
    };
    if !next(&mut record)? {
        return Err(broken(
            path,
            "the file is empty; a line of numbers for each point is needed",
        ));
    }
    // A header is a first line without numbers.
    let header = record.iter().all(|field| field.parse::<f64>().is_err());
    let width = record.len();
    let names: Vec<String> = if header {
        let name = |(j, field): (usize, &str)| {
            if field.is_empty() {
                (j + 1).to_string()
            } else {
                field.to_string()
            }
        };
        record.iter().enumerate().map(name).collect()
    } else {
        (1..=width).map(|j| j.to_string()).collect()
    };
    let chosen = match columns {
        Some(columns) => find(path, &names, columns)?,
        None => (0..width).collect(),
    };
    let mut rows: Vec<f64> = Vec::new();
    // Of each column the first field that is no number, with its line.
    let mut odd: Vec<Option<(u64, String)>> = vec![None; width];
    let mut more = if header { next(&mut record)? } else { true };
    while more {
        for &j in &chosen {
            let field = record.get(j).unwrap_or_default();
            let value = number(field);
            rows.push(value.unwrap_or_default());
            if value.is_none() && odd[j].is_none() {
                let line = record.position().map_or(0, csv::Position::line);
                odd[j] = Some((line, field.to_string()));
            }
        }
        more = next(&mut record)?;
    }
    let n = rows.len() / chosen.len().max(1);
    if n == 0 {
        return Err(broken(path, "there are no points below the header"));
    }
    if let Some((j, (line, field))) = chosen.iter().find_map(|&j| Some((j, odd[j].as_ref()?))) {
        let what = match field.as_str() {
            "" => "is empty".to_string(),
            field if field.parse::<f64>().is_ok() => format!("holds {field}, which is not finite"),
            field => format!("holds {field:?}, which is no number"),
        };
        let good: Vec<&str> = (chosen.iter().filter(|&&j| odd[j].is_none()))
            .map(|&j| names[j].as_str())
            .collect();
        let remedy = if good.is_empty() {
            "no column has numbers only".to_string()
        } else {
            format!(
                "mend it, or use the columns of numbers: --columns {}",
                good.join(",")
            )
        };
        return Err(broken(
            path,
            format_args!("line {line}: column {} {what}; {remedy}", names[j]),
        ));
    }
    Ok(Table {
        x: Tensor::from_vec(rows, [n, chosen.len()])?,
        names: chosen.iter().map(|&j| names[j].clone()).collect(),
    })
}
