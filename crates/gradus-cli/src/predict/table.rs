//! Rows of a table as a model wants them.

use crate::failure::{Failure, Result};
use crate::output;
use crate::samples::{read_table, some};
use gradus::Tensor;
use gradus::data::{Column, ReadCsv, Table};
use gradus::train::{Config, TableEncoding};
use std::path::Path;

/// The rows of a file and the inputs that they make.
pub fn rows(path: &Path, config: &Config, encoding: &TableEncoding) -> Result<(Table, Tensor)> {
    let table = read_table(path, config).map_err(Failure::data)?;
    let table = match without_target(&table, config, encoding) {
        Some(names) => ReadCsv::new().header(false).names(&names).read(path),
        None => Ok(table),
    };
    let table = table.map_err(Failure::data)?;
    if table.is_empty() {
        return Err(Failure::data(format_args!(
            "{}: there are no rows below the names",
            path.display()
        )));
    }
    let features = &encoding.features;
    for name in features.columns() {
        let column = table.column(name).map_err(|e| {
            Failure::data(format_args!(
                "{}: the model needs a column it was trained on: {e}",
                path.display()
            ))
        })?;
        if column.missing() > 0 {
            output::note(format_args!(
                "{}: column {name}: {} of {} values are missing and treated as in training",
                path.display(),
                column.missing(),
                table.len()
            ));
        }
    }
    let unseen = features.unseen(&table)?;
    if !unseen.is_empty() {
        let words: Vec<String> = unseen
            .iter()
            .map(|(name, word)| format!("{name} {word}"))
            .collect();
        output::note(format_args!(
            "{}: words that training did not show, or too seldom, count as none: {}",
            path.display(),
            some(words.iter())
        ));
    }
    let x = features.transform(&table).map_err(Failure::data)?;
    Ok((table, x))
}

/// Columns without names are called by their numbers. If the target's is not there, those behind it have
/// moved: the numbers that they had.
fn without_target(table: &Table, config: &Config, encoding: &TableEncoding) -> Option<Vec<String>> {
    let number = |name: &str| name.parse::<usize>().ok();
    let here = table.columns().len();
    let numbered = table
        .columns()
        .iter()
        .enumerate()
        .all(|(j, name)| number(name) == Some(j + 1));
    let target = number(config.target.as_deref()?)?;
    let last = encoding.features.columns().filter_map(number).max()?;
    let moved = numbered && target < last && here + 1 == last;
    moved.then(|| {
        let numbers = (1..=last).filter(|n| *n != target);
        numbers.map(|n| n.to_string()).collect()
    })
}

/// What stands in a row, as text.
pub fn cells(table: &Table, row: usize) -> Vec<String> {
    let cell = |name: &String| match table.column(name) {
        Ok(Column::Numbers(list)) if list[row].is_nan() => String::new(),
        Ok(Column::Numbers(list)) => list[row].to_string(),
        Ok(Column::Text(list)) => list[row].clone().unwrap_or_default(),
        Err(_) => String::new(),
    };
    table.columns().iter().map(cell).collect()
}
