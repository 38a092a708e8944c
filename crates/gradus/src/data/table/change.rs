//! From what a table holds to what can be computed with: words as columns of 0 and 1, values for those
//! that are missing.

use super::csv::unique;
use super::{Column, Table, Within};
use gradus_core::{Error, Kind, Result, Tensor};
use std::collections::BTreeSet;

/// What [`Table::fillna`] puts where a value is missing.
#[derive(Clone, Debug, PartialEq)]
pub enum Fill {
    /// The mean of the column's numbers.
    Mean,
    /// The number in the middle of the column's, or the mean of the two there.
    Median,
    /// What the column holds most often, numbers or text; of equally frequent ones the smallest.
    Mode,
    /// This number.
    Value(f64),
    /// This text.
    Text(String),
}

impl Table {
    /// Columns of text as columns of 0 and 1, one for each word in alphabetical order: `name_word`.
    /// They come behind the columns of numbers. `dummy_na` adds another one for each, `name_nan`,
    /// with a 1 where the word is missing; without it such rows are 0 throughout.
    ///
    /// ```
    /// use gradus::data::Table;
    /// let table = Table::from_reader("roof,rooms\nslate,1\nNA,2\n".as_bytes())?;
    /// let encoded = table.get_dummies(true);
    /// assert_eq!(encoded.columns(), ["rooms", "roof_slate", "roof_nan"]);
    /// assert_eq!(encoded.numbers("roof_nan")?, [0.0, 1.0]);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    #[must_use]
    pub fn get_dummies(&self, dummy_na: bool) -> Self {
        let (mut kept, mut made) = (Vec::new(), Vec::new());
        for (name, column) in self.names.iter().zip(&self.columns) {
            let Column::Text(cells) = column else {
                kept.push((name.clone(), column.clone()));
                continue;
            };
            let words: BTreeSet<&String> = cells.iter().flatten().collect();
            let missing = dummy_na.then_some(None);
            for word in words.into_iter().map(Some).chain(missing) {
                let is = |cell: &Option<String>| f64::from(u8::from(cell.as_ref() == word));
                let name = format!("{name}_{}", word.map_or("nan", String::as_str));
                made.push((name, Column::Numbers(cells.iter().map(is).collect())));
            }
        }
        let (names, columns): (Vec<String>, _) = kept.into_iter().chain(made).unzip();
        Self {
            names: unique(&names).into(),
            columns,
            rows: self.rows,
            origin: self.origin.clone(),
        }
    }

    /// The table with a value where one was missing. Means, medians and numbers are for columns of
    /// numbers and [`Fill::Text`] for those of text; others stay as they are.
    ///
    /// # Errors
    /// If a column has only missing values and the fill is to follow from its others.
    ///
    /// ```
    /// use gradus::data::{Fill, Table};
    /// let table = Table::from_reader("x,y\n1,a\nNA,NA\n5,b\n3,b\n".as_bytes())?;
    /// assert_eq!(table.fillna(Fill::Mean)?.numbers("x")?, [1.0, 3.0, 5.0, 3.0]);
    /// assert_eq!(table.fillna(Fill::Mode)?.column("y")?.missing(), 0);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn fillna(&self, fill: Fill) -> Result<Self> {
        let mut table = self.clone();
        for (name, column) in self.names.iter().zip(&mut table.columns) {
            if column.missing() == 0 {
                continue;
            }
            let only_missing = || {
                let message = format!(
                    "fillna: column {name} has only missing values; fill it with a value of your own, \
                     or select other columns"
                );
                Error::new(Kind::Data, message).within(&self.origin.name)
            };
            match column {
                Column::Numbers(list) => {
                    let mut present = present(list);
                    let value = match &fill {
                        Fill::Value(value) => *value,
                        Fill::Text(_) => continue,
                        _ if present.is_empty() => return Err(only_missing()),
                        Fill::Mode => {
                            present.sort_by(f64::total_cmp);
                            *most_frequent(&present).ok_or_else(only_missing)?.0
                        }
                        Fill::Mean => vector(&present)?.mean(..)?.item()?,
                        Fill::Median => vector(&present)?.quantile(0.5, ..)?.item()?,
                    };
                    list.iter_mut()
                        .filter(|x| x.is_nan())
                        .for_each(|x| *x = value);
                }
                Column::Text(cells) => {
                    let word = match &fill {
                        Fill::Text(word) => word.clone(),
                        Fill::Mode => {
                            let mut words: Vec<&String> = cells.iter().flatten().collect();
                            words.sort();
                            let (&word, _) = most_frequent(&words).ok_or_else(only_missing)?;
                            word.clone()
                        }
                        _ => continue,
                    };
                    let missing = cells.iter_mut().filter(|cell| cell.is_none());
                    missing.for_each(|cell| *cell = Some(word.clone()));
                }
            }
        }
        Ok(table)
    }
}

/// The numbers that are not missing.
pub(super) fn present(list: &[f64]) -> Vec<f64> {
    list.iter().copied().filter(|x| !x.is_nan()).collect()
}

pub(super) fn vector(list: &[f64]) -> Result<Tensor> {
    Tensor::from_vec(list, [list.len()])
}

/// What occurs most often in a sorted list, of equally frequent ones the first, and how often.
pub(super) fn most_frequent<T: PartialEq>(sorted: &[T]) -> Option<(&T, usize)> {
    let runs = sorted.chunk_by(|a, b| a == b);
    // Of equally long ones the last wins.
    let longest = runs.rev().max_by_key(|run| run.len())?;
    Some((&longest[0], longest.len()))
}
