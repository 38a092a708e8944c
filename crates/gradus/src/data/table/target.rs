//! What is to be predicted: the classes or the numbers of a column.

use super::{Column, ColumnKind, Table};
use crate::preprocessing::StandardScaler;
use gradus_core::{Result, Tensor};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Whole numbers are taken for classes if there are no more different ones than this …
const CLASSES: usize = 10;
/// … and each occurs so often on average.
const SAMPLES: usize = 5;

/// What a column to be predicted holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Target {
    /// One of several classes, by their names. Whole numbers are in the order of their size, words in
    /// that of the alphabet.
    Classes {
        /// The names.
        classes: Vec<String>,
    },
    /// A number, which is learned less `mean` and divided by `std`.
    Number {
        /// The mean over the rows that it was learned from.
        mean: f64,
        /// Their standard deviation; 1 if they are all equal.
        std: f64,
    },
}

impl Target {
    /// Whether the column `name` of a table holds classes: words do, and whole numbers of which there
    /// are at most 10 different ones, each five times on average or more.
    ///
    /// # Errors
    /// If there is no such column, a value is missing (the message names the lines), or words stand
    /// among numbers.
    ///
    /// ```
    /// use gradus::data::{Table, Target};
    /// let table = Table::from_reader("x,y\n1,yes\n2,no\n0.5,no\n".as_bytes())?;
    /// assert!(Target::is_classes(&table, "y")? && !Target::is_classes(&table, "x")?);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn is_classes(table: &Table, name: &str) -> Result<bool> {
        table.check_target(name)?;
        let column = table.column(name)?;
        Ok(match column.kind() {
            ColumnKind::Categorical => true,
            ColumnKind::Continuous => false,
            ColumnKind::Integer => {
                let classes = classes(table, name)?.len();
                classes <= CLASSES && classes * SAMPLES <= table.len()
            }
        })
    }

    /// The classes of the column `name`.
    ///
    /// # Errors
    /// As [`is_classes`](Self::is_classes); if there are fewer than two classes, or one has a single
    /// row, of which nothing could be kept for testing.
    ///
    /// ```
    /// use gradus::data::{Table, Target};
    /// let table = Table::from_reader("y\n10\n9\n9\n10\n".as_bytes())?;
    /// let target = Target::of_classes(&table, "y")?;
    /// assert_eq!(target, Target::Classes { classes: vec!["9".into(), "10".into()] });
    /// assert_eq!(target.labels(&table, "y")?, [1, 0, 0, 1]);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn of_classes(table: &Table, name: &str) -> Result<Self> {
        table.check_target(name)?;
        let classes = classes(table, name)?;
        if let [(only, _)] = &classes[..] {
            let what =
                format!("column {name} holds {only:?} in every row; there is nothing to learn");
            return Err(table.lacking(what));
        }
        let single: Vec<_> = classes.iter().filter(|(_, rows)| rows.len() == 1).collect();
        if 2 * single.len() > classes.len() && classes.len() > 2 {
            let what = format!(
                "column {name} has {} classes in {} rows, most with a single row; predict a column with \
                 fewer, or its numbers (regression)",
                classes.len(),
                table.len()
            );
            return Err(table.lacking(what));
        }
        if let Some((class, rows)) = single.first() {
            let what = format!(
                "holds class {class:?}, which no other row has; each class needs two rows, one to learn \
                 from and one to test on"
            );
            return Err(table.wrong(rows[0], name, what));
        }
        let classes = classes.into_iter().map(|(class, _)| class).collect();
        Ok(Self::Classes { classes })
    }

    /// The scale of the numbers of the column `name`.
    ///
    /// # Errors
    /// If there is no such column, a value is missing or infinite or a word, or there are no rows.
    ///
    /// ```
    /// use gradus::data::{Table, Target};
    /// let table = Table::from_reader("y\n1\n3\n".as_bytes())?;
    /// assert_eq!(Target::of_numbers(&table, "y")?, Target::Number { mean: 2.0, std: 1.0 });
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn of_numbers(table: &Table, name: &str) -> Result<Self> {
        table.check_target(name)?;
        let list = table.finite(name)?;
        let scaler = StandardScaler::fit(&Tensor::from_vec(list, [list.len(), 1])?)
            .map_err(|e| table.lacking(format!("column {name}: {e}")))?;
        let (mean, std) = (scaler.mean()[0], scaler.scale()[0]);
        Ok(Self::Number { mean, std })
    }

    /// The numbers of the classes in the column `name`, row by row; none for numbers.
    ///
    /// # Errors
    /// If there is no such column, a value is missing, or there is another class.
    pub fn labels(&self, table: &Table, name: &str) -> Result<Vec<i64>> {
        let Self::Classes { classes } = self else {
            return Ok(Vec::new());
        };
        table.check_target(name)?;
        let words = table.words(name)?.into_iter().flatten().enumerate();
        let numbers = words.map(|(row, word)| {
            let place = classes.iter().position(|class| *class == word);
            place.map(|n| n as i64).ok_or_else(|| {
                let what = format!("holds {word:?}; the classes are {}", classes.join(", "));
                table.wrong(row, name, what)
            })
        });
        numbers.collect()
    }

    /// What a model is to give for each row: i64 classes \[rows\], or f32 numbers on their scale
    /// [rows, 1].
    ///
    /// # Errors
    /// As [`labels`](Self::labels); if a number is infinite or a word.
    pub fn to_tensor(&self, table: &Table, name: &str) -> Result<Tensor> {
        match self {
            Self::Classes { .. } => Tensor::from_vec(self.labels(table, name)?, [table.len()]),
            Self::Number { mean, std } => {
                table.check_target(name)?;
                let scaled = (table.finite(name)?.iter()).map(|x| ((x - mean) / std) as f32);
                Tensor::from_vec(scaled.collect::<Vec<_>>(), [table.len(), 1])
            }
        }
    }
}

/// The classes in order, and the rows of each.
fn classes(table: &Table, name: &str) -> Result<Vec<(String, Vec<usize>)>> {
    let mut rows: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (row, word) in table.words(name)?.into_iter().enumerate() {
        rows.entry(word.unwrap_or_default()).or_default().push(row);
    }
    let mut classes: Vec<_> = rows.into_iter().collect();
    if let Column::Numbers(list) = table.column(name)? {
        classes.sort_by(|(_, a), (_, b)| list[a[0]].total_cmp(&list[b[0]]));
    }
    Ok(classes)
}

impl Table {
    /// An error for a target of which values are missing, or mistaken.
    fn check_target(&self, name: &str) -> Result<()> {
        let column = self.column(name)?;
        let missing: Vec<usize> = (0..self.len())
            .filter(|&row| column.is_missing(row))
            .collect();
        let Some(&first) = missing.first() else {
            return self.check_kind(name);
        };
        if missing.len() == self.len() {
            return Err(self.lacking(format!(
                "column {name}, which is to be predicted, has no values"
            )));
        }
        let lines = missing.iter().filter_map(|&row| self.line(row));
        let mut lines: Vec<String> = lines.take(5).map(|line| line.to_string()).collect();
        if missing.len() > lines.len() {
            lines.push("…".into());
        }
        let what = format!(
            "is missing, and is to be predicted; {} of {} rows have none (lines {}): fill them in, or remove \
             these rows",
            missing.len(),
            self.len(),
            lines.join(", ")
        );
        Err(self.wrong(first, name, what))
    }
}
