//! A table as a matrix for a model: numbers on one scale, words as columns of 0 and 1, and the same for
//! other rows later.

use super::{Column, Table, csv};
use crate::preprocessing::StandardScaler;
use gradus_core::{Error, Kind, Result, Tensor};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Words of a column that get a column of their own, the most frequent ones.
const WORDS: usize = 100;
/// The share of numbers from which on the other cells of a column are taken for mistakes.
const MISTAKES: f64 = 0.8;

/// Columns of a table as a matrix of f32, learned from some rows and applied to others; what skrub's
/// `TableVectorizer` and scikit-learn's `ColumnTransformer` do.
///
/// - Numbers are brought to mean 0 and standard deviation 1 ([`StandardScaler`]); a missing one is
///   given the mean.
/// - Each word of a column of words becomes a column of 0 and 1 (of more than 100 words the 100 most
///   frequent), missing counts as a word if some are. A word that was not there is 0 throughout.
/// - Left out are columns without values, and those with another word in most rows, such as names.
///
/// ```
/// use gradus::data::{Table, TableVectorizer};
/// let train = Table::from_reader("size,colour\n1,red\n3,blue\nNA,red\n".as_bytes())?;
/// let vectorizer = TableVectorizer::fit(&train)?;
/// assert_eq!(vectorizer.feature_names(), ["size", "colour_blue", "colour_red"]);
///
/// let new = Table::from_reader("colour,size\ngreen,2\n".as_bytes())?;
/// assert_eq!(vectorizer.transform(&new)?.to_vec::<f32>()?, [0.0, 0.0, 0.0]);
/// assert_eq!(vectorizer.unseen(&new)?, [("colour", "green".to_string())]);
/// # Ok::<(), gradus::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TableVectorizer {
    /// What was not used, and why.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    left_out: BTreeMap<String, String>,
    columns: Vec<Encoding>,
}

/// How a column becomes numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum Encoding {
    Numbers {
        name: String,
        mean: f64,
        std: f64,
    },
    Words {
        name: String,
        words: Vec<String>,
        /// Whether there is a column for missing ones.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        missing: bool,
    },
}

impl Encoding {
    fn name(&self) -> &str {
        match self {
            Self::Numbers { name, .. } | Self::Words { name, .. } => name,
        }
    }
}

impl TableVectorizer {
    /// Learns from all columns of these rows.
    ///
    /// # Errors
    /// If there are no rows, no column can be used, a number is infinite, or a column holds words in
    /// some rows and numbers in most: a mistake probably. Messages name the line.
    ///
    /// ```
    /// use gradus::data::{Table, TableVectorizer};
    /// let csv = "age\n31\n27\nforty\n52\n19\n".as_bytes();
    /// let error = TableVectorizer::fit(&Table::from_reader(csv)?).unwrap_err().to_string();
    /// assert!(error.starts_with("line 4: column age holds \"forty\", which is no number"), "{error}");
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn fit(table: &Table) -> Result<Self> {
        if table.is_empty() {
            return Err(table.lacking("there are no rows to learn from"));
        }
        let mut left_out = BTreeMap::new();
        let mut columns = Vec::new();
        for (name, column) in table.names.iter().zip(&table.columns) {
            let present = column.len() - column.missing();
            if present == 0 {
                left_out.insert(name.clone(), "has no values".into());
                continue;
            }
            table.check_kind(name)?;
            match column {
                Column::Numbers(list) => {
                    let (mean, std) = scale(table, name, list)?;
                    columns.push(Encoding::Numbers {
                        name: name.clone(),
                        mean,
                        std,
                    });
                }
                Column::Text(cells) => {
                    let words = frequent(cells);
                    if 2 * words.len() > present && words.len() > 2 {
                        let why = format!("has {} words in {present} rows", words.len());
                        left_out.insert(name.clone(), why);
                        continue;
                    }
                    let kept: BTreeSet<&str> = words.into_iter().take(WORDS).collect();
                    columns.push(Encoding::Words {
                        name: name.clone(),
                        words: kept.into_iter().map(String::from).collect(),
                        missing: present < column.len(),
                    });
                }
            }
        }
        if columns.is_empty() {
            let reasons = left_out.iter().map(|(name, why)| format!("{name} {why}"));
            return Err(table.lacking(match left_out.len() {
                0 => "there is no column to learn from".to_string(),
                _ => format!(
                    "there is no column to learn from: {}",
                    reasons.collect::<Vec<_>>().join(", ")
                ),
            }));
        }
        Ok(Self { left_out, columns })
    }

    /// The names of the columns that were not used, and why.
    pub fn left_out(&self) -> impl Iterator<Item = (&str, &str)> {
        self.left_out
            .iter()
            .map(|(name, why)| (&name[..], &why[..]))
    }

    /// The names of the columns that are used, in order.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(Encoding::name)
    }

    /// The names of the columns of the matrix; `column_word` for words, `column_nan` for missing ones.
    pub fn feature_names(&self) -> Vec<String> {
        let names = self.columns.iter().flat_map(|encoding| match encoding {
            Encoding::Numbers { name, .. } => vec![name.clone()],
            Encoding::Words {
                name,
                words,
                missing,
            } => {
                let missing = missing.then_some("nan");
                let words = words.iter().map(String::as_str).chain(missing);
                words.map(|word| format!("{name}_{word}")).collect()
            }
        });
        names.collect()
    }

    /// The rows of `table` as a matrix [rows, features] of f32. Columns are found by their names;
    /// others may be there.
    ///
    /// # Errors
    /// If a column is not there, or holds words or infinite numbers where there were numbers. Messages
    /// name the line.
    pub fn transform(&self, table: &Table) -> Result<Tensor> {
        let width = self.feature_names().len();
        let mut matrix = vec![0f32; table.len() * width];
        let mut at = 0;
        for encoding in &self.columns {
            match encoding {
                Encoding::Numbers { name, mean, std } => {
                    for (row, &x) in table.finite(name)?.iter().enumerate() {
                        let x = if x.is_nan() { *mean } else { x };
                        matrix[row * width + at] = ((x - mean) / std) as f32;
                    }
                    at += 1;
                }
                Encoding::Words {
                    name,
                    words,
                    missing,
                } => {
                    for (row, cell) in table.words(name)?.into_iter().enumerate() {
                        let place = match cell {
                            Some(word) => words.binary_search(&word).ok(),
                            None => missing.then_some(words.len()),
                        };
                        if let Some(place) = place {
                            matrix[row * width + at + place] = 1.0;
                        }
                    }
                    at += words.len() + usize::from(*missing);
                }
            }
        }
        Tensor::from_vec(matrix, [table.len(), width])
    }

    /// The words that were not there, or too rare, with the names of their columns; each once.
    ///
    /// # Errors
    /// If a column is not there.
    pub fn unseen(&self, table: &Table) -> Result<Vec<(&str, String)>> {
        let mut unseen = Vec::new();
        for encoding in &self.columns {
            if let Encoding::Words { name, words, .. } = encoding {
                let cells = table.words(name)?.into_iter().flatten();
                let new: BTreeSet<String> = cells
                    .filter(|word| words.binary_search(word).is_err())
                    .collect();
                unseen.extend(new.into_iter().map(|word| (&name[..], word)));
            }
        }
        Ok(unseen)
    }
}

/// Mean and standard deviation of what is not missing, as [`StandardScaler`] has them.
fn scale(table: &Table, name: &str, list: &[f64]) -> Result<(f64, f64)> {
    table.finite(name)?;
    let present: Vec<f64> = list.iter().copied().filter(|x| !x.is_nan()).collect();
    let column = Tensor::from_vec(&present, [present.len(), 1])?;
    let scaler =
        StandardScaler::fit(&column).map_err(|e| table.lacking(format!("column {name}: {e}")))?;
    Ok((scaler.mean()[0], scaler.scale()[0]))
}

/// The words, the most frequent first, equally frequent ones in alphabetical order.
fn frequent(cells: &[Option<String>]) -> Vec<&str> {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for word in cells.iter().flatten() {
        *counts.entry(word).or_default() += 1;
    }
    let mut words: Vec<(&str, usize)> = counts.into_iter().collect();
    words.sort_by(|(a, m), (b, n)| n.cmp(m).then(a.cmp(b)));
    words.into_iter().map(|(word, _)| word).collect()
}

impl Table {
    /// The numbers of a column, of which none is infinite; NaN where they are missing.
    pub(super) fn finite(&self, name: &str) -> Result<&[f64]> {
        let list = self.numbers(name)?;
        match list.iter().position(|x| x.is_infinite()) {
            Some(row) => Err(self.wrong(
                row,
                name,
                format!("holds {}, which is not finite", list[row]),
            )),
            None => Ok(list),
        }
    }

    /// The words of a column; numbers as they are written shortest.
    pub(super) fn words(&self, name: &str) -> Result<Vec<Option<String>>> {
        Ok(match self.column(name)? {
            Column::Text(cells) => cells.clone(),
            Column::Numbers(list) => (list.iter())
                .map(|x| (!x.is_nan()).then(|| x.to_string()))
                .collect(),
        })
    }

    /// Looks for a mistake in a column: words where four of five values or more are numbers.
    ///
    /// # Errors
    /// If there is one, with the line and the word, or there is no such column.
    ///
    /// ```
    /// # use gradus::data::Table;
    /// let table = Table::from_reader("x\n1\n2\n3\n4\n5o\n".as_bytes())?;
    /// let error = table.check_kind("x").unwrap_err().to_string();
    /// assert!(error.starts_with("line 6: column x holds \"5o\", which is no number"), "{error}");
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn check_kind(&self, name: &str) -> Result<()> {
        let column = self.column(name)?;
        let (Column::Text(cells), Some((row, what))) = (column, column.no_number()) else {
            return Ok(());
        };
        let present = cells.iter().flatten();
        let numbers = present.clone().filter(|cell| csv::number(cell).is_some());
        let (numbers, present) = (numbers.count(), present.count());
        if (numbers as f64) < MISTAKES * present as f64 {
            return Ok(());
        }
        let what = format!(
            "{what}, while {numbers} of the column's {present} values are numbers; mend it, leave it empty \
             if it is missing, or leave the column out"
        );
        Err(self.wrong(row, name, what))
    }

    /// An error about the table as a whole.
    pub(super) fn lacking(&self, what: impl Into<String>) -> Error {
        use super::Within;
        Error::new(Kind::Data, what.into()).within(&self.origin.name)
    }
}
