//! Numbers from a file: a CSV table or a NumPy array.

use super::floats;
use crate::failure::{Failure, Result};
use gradus::data::{Column, ReadCsv};
use gradus::{DType, Tensor, io};
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

/// Why there is no finite number in the first cell of a column where there is none, and its row.
fn odd(column: &Column) -> Option<(usize, String)> {
    match column {
        Column::Numbers(list) => {
            let row = list.iter().position(|x| !x.is_finite())?;
            Some((row, format!("holds {}, which is not finite", list[row])))
        }
        Column::Text(cells) => {
            let finite = |text: &str| text.parse().is_ok_and(f64::is_finite);
            let mut cells = cells.iter().flatten().enumerate();
            let (row, text) = cells.find(|(_, text)| !finite(text))?;
            let what = match text.as_str() {
                "" => "is empty".to_string(),
                text if text.parse::<f64>().is_ok() => format!("holds {text}, which is not finite"),
                text => format!("holds {text:?}, which is no number"),
            };
            Some((row, what))
        }
    }
}

fn read_csv(path: &Path, columns: Option<&[String]>) -> Result<Table> {
    // Nothing counts as missing: there is no point with a coordinate that is not known.
    let csv = ReadCsv::new().na_values(&[]).comment(b'#');
    let table = csv.read(path).map_err(Failure::data)?;
    let names = match columns {
        Some(columns) => {
            let chosen = find(path, table.columns(), columns)?;
            chosen.iter().map(|&j| table.columns()[j].clone()).collect()
        }
        None => table.columns().to_vec(),
    };
    if table.is_empty() {
        return Err(broken(path, "there are no points below the header"));
    }
    let (mut good, mut first) = (Vec::new(), None);
    for name in &names {
        match odd(table.column(name)?) {
            None => good.push(name.as_str()),
            Some(odd) => first = first.or(Some((name, odd))),
        }
    }
    if let Some((name, (row, what))) = first {
        let remedy = if good.is_empty() {
            "no column has numbers only".to_string()
        } else {
            let good = good.join(",");
            format!("mend it, or use the columns of numbers: --columns {good}")
        };
        let line = table.line(row).unwrap_or(0);
        return Err(broken(
            path,
            format_args!("line {line}: column {name} {what}; {remedy}"),
        ));
    }
    let chosen = table.select(&names).map_err(Failure::usage)?;
    let x = chosen.to_tensor(DType::F64)?;
    Ok(Table { x, names })
}
