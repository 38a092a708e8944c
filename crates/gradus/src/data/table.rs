//! Tables: columns with names, of numbers or of text, as CSV files hold them. Names and rules are
//! pandas'.

mod change;
mod csv;
mod describe;
mod names;
mod target;
mod vectorize;

pub use change::Fill;
pub use csv::{Chunks, ReadCsv};
pub use describe::{Description, Summary};
pub use target::Target;
pub use vectorize::TableVectorizer;

use gradus_core::{DType, Error, Kind, Result, Tensor};
use names::Names;
use std::collections::HashSet;
use std::fmt;
use std::io::Read;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

/// What a column holds, row by row.
#[derive(Clone, Debug, PartialEq)]
pub enum Column {
    /// Numbers; missing ones are NaN.
    Numbers(Vec<f64>),
    /// Words; missing ones are none.
    Text(Vec<Option<String>>),
}

/// What sort of thing a column measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ColumnKind {
    /// One of several words.
    Categorical,
    /// Numbers, not all of them whole.
    Continuous,
    /// Whole numbers only.
    Integer,
}

impl fmt::Display for ColumnKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Categorical => "categorical",
            Self::Continuous => "continuous",
            Self::Integer => "integer",
        })
    }
}

impl Column {
    /// The number of rows.
    pub fn len(&self) -> usize {
        match self {
            Self::Numbers(list) => list.len(),
            Self::Text(list) => list.len(),
        }
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The number of missing values.
    ///
    /// ```
    /// use gradus::data::Column;
    /// assert_eq!(Column::Numbers(vec![1.0, f64::NAN]).missing(), 1);
    /// ```
    pub fn missing(&self) -> usize {
        (0..self.len()).filter(|&row| self.is_missing(row)).count()
    }

    /// What sort of column this is. Of numbers it follows from their values: those of an integer one
    /// that are not missing are whole.
    ///
    /// ```
    /// use gradus::data::{Column, ColumnKind};
    /// assert_eq!(Column::Numbers(vec![3.0, f64::NAN]).kind(), ColumnKind::Integer);
    /// assert_eq!(Column::Numbers(vec![3.0, 0.5]).kind(), ColumnKind::Continuous);
    /// ```
    pub fn kind(&self) -> ColumnKind {
        match self {
            Self::Text(_) => ColumnKind::Categorical,
            Self::Numbers(list) => {
                let mut present = list.iter().filter(|x| !x.is_nan()).peekable();
                match present.peek().is_some() && present.all(|x| x.fract() == 0.0) {
                    true => ColumnKind::Integer,
                    false => ColumnKind::Continuous,
                }
            }
        }
    }

    fn is_missing(&self, row: usize) -> bool {
        match self {
            Self::Numbers(list) => list[row].is_nan(),
            Self::Text(list) => list[row].is_none(),
        }
    }

    /// The cells `rows`, in this order.
    fn take(&self, rows: impl Iterator<Item = usize>) -> Self {
        match self {
            Self::Numbers(list) => Self::Numbers(rows.map(|row| list[row]).collect()),
            Self::Text(list) => Self::Text(rows.map(|row| list[row].clone()).collect()),
        }
    }

    /// What stands in a row; NaN where nothing does.
    fn cell(&self, row: usize) -> String {
        match self {
            Self::Numbers(list) => list[row].to_string(),
            Self::Text(list) => list[row].clone().unwrap_or_else(|| "NaN".into()),
        }
    }

    /// Why this is no column of numbers: the row of the first cell that is none, and what it holds.
    fn no_number(&self) -> Option<(usize, String)> {
        let Self::Text(list) = self else { return None };
        let mut words = list
            .iter()
            .enumerate()
            .filter_map(|(row, cell)| Some((row, cell.as_ref()?)));
        let (row, word) = words.find(|(_, word)| csv::number(word).is_none())?;
        Some((row, format!("holds {word:?}, which is no number")))
    }
}

/// Named columns of the same length.
///
/// ```
/// use gradus::{DType, data::{Fill, Table}};
///
/// let csv = "NumRooms,RoofType\nNA,NA\n2,NA\n4,Slate\nNA,NA\n";
/// let houses = Table::from_reader(csv.as_bytes())?;
/// assert_eq!((houses.len(), houses.column("NumRooms")?.missing()), (4, 2));
///
/// let numbers = houses.get_dummies(true).fillna(Fill::Mean)?;
/// assert_eq!(numbers.columns(), ["NumRooms", "RoofType_Slate", "RoofType_nan"]);
/// let x = numbers.to_tensor(DType::F32)?;
/// assert_eq!(x.to_vec2::<f32>()?[2], [4.0, 1.0, 0.0]);
/// # Ok::<(), gradus::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    names: Names,
    columns: Vec<Column>,
    rows: usize,
    origin: Origin,
}

/// Where a table was read.
#[derive(Clone, Debug, Default, PartialEq)]
struct Origin {
    /// Of the file.
    name: Arc<str>,
    /// The line of each row, from 1; none of a table that was made.
    lines: Vec<u64>,
}

impl Table {
    /// A table of these columns.
    ///
    /// # Errors
    /// If they differ in length, or two have one name.
    ///
    /// ```
    /// use gradus::data::{Column, Table};
    /// let table = Table::new([("x", Column::Numbers(vec![1.0, 2.0]))])?;
    /// assert_eq!((table.len(), table.columns()), (2, &["x".to_string()][..]));
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn new<N: Into<String>>(columns: impl IntoIterator<Item = (N, Column)>) -> Result<Self> {
        let columns = columns
            .into_iter()
            .map(|(name, column)| (name.into(), column));
        let (names, columns): (Vec<String>, Vec<Column>) = columns.unzip();
        let rows = columns.first().map_or(0, Column::len);
        let mut taken = HashSet::new();
        for (name, column) in names.iter().zip(&columns) {
            if column.len() != rows {
                let message = format!(
                    "Table: columns must have the same length; {} has {rows} rows and {name} has {}",
                    names[0],
                    column.len()
                );
                return Err(Error::new(Kind::Shape, message));
            }
            if !taken.insert(name) {
                let message = format!("Table: two columns are called {name}; rename one");
                return Err(Error::new(Kind::Value, message));
            }
        }
        Ok(Self {
            names: names.into(),
            columns,
            rows,
            origin: Origin::default(),
        })
    }

    /// Reads a CSV file by the rules of [`ReadCsv`], whose options say how other files are written.
    ///
    /// # Errors
    /// As [`ReadCsv::read`].
    ///
    /// ```no_run
    /// let table = gradus::data::Table::read("houses.csv")?;
    /// println!("{}", table.describe());
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn read(path: impl AsRef<Path>) -> Result<Self> {
        ReadCsv::new().read(path)
    }

    /// Reads CSV from anything, by the rules of [`ReadCsv`].
    ///
    /// # Errors
    /// As [`ReadCsv::read`].
    ///
    /// ```
    /// use gradus::data::Table;
    /// let table = Table::from_reader("x;y\n1;a\n2;b\n".as_bytes())?;
    /// assert_eq!((table.len(), table.columns().len()), (2, 2));
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn from_reader(reader: impl Read + Send) -> Result<Self> {
        ReadCsv::new().from_reader(reader)
    }

    /// The number of rows.
    pub fn len(&self) -> usize {
        self.rows
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// The names of the columns.
    pub fn columns(&self) -> &[String] {
        &self.names
    }

    /// The column with this name.
    ///
    /// # Errors
    /// If there is none.
    ///
    /// ```
    /// # use gradus::data::{Column, Table};
    /// let table = Table::from_reader("x,name\n1,a\n".as_bytes())?;
    /// assert_eq!(table.column("name")?, &Column::Text(vec![Some("a".into())]));
    /// assert!(table.column("y").unwrap_err().to_string().contains("there are x, name"));
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn column(&self, name: &str) -> Result<&Column> {
        Ok(&self.columns[self.find(name)?])
    }

    /// The numbers of a column, NaN where they are missing.
    ///
    /// # Errors
    /// If there is no such column, or it holds text; the message names the first line that does.
    ///
    /// ```
    /// # use gradus::data::Table;
    /// let table = Table::from_reader("x,y\n1,2\n3,two\n".as_bytes())?;
    /// assert_eq!(table.numbers("x")?, [1.0, 3.0]);
    /// let error = table.numbers("y").unwrap_err().to_string();
    /// assert_eq!(error, "line 3: column y holds \"two\", which is no number");
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn numbers(&self, name: &str) -> Result<&[f64]> {
        let column = self.column(name)?;
        match column {
            Column::Numbers(list) => Ok(list),
            Column::Text(_) => {
                let (row, what) = (column.no_number()).unwrap_or((0, "holds text".into()));
                Err(self.wrong(row, name, what))
            }
        }
    }

    /// These columns only, in this order.
    ///
    /// # Errors
    /// If there is no such column, or one is named twice.
    ///
    /// ```
    /// # use gradus::data::Table;
    /// let table = Table::from_reader("x,y,z\n1,2,3\n".as_bytes())?;
    /// assert_eq!(table.select(&["z", "x"])?.columns(), ["z", "x"]);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn select(&self, names: &[impl AsRef<str>]) -> Result<Self> {
        let columns = names.iter().map(|name| {
            let name = name.as_ref();
            Ok((name, self.column(name)?.clone()))
        });
        let columns = columns.collect::<Result<Vec<_>>>()?;
        Ok(Self {
            rows: self.rows,
            origin: self.origin.clone(),
            ..Self::new(columns)?
        })
    }

    /// The rows with these numbers, counted from 0, in this order; one may occur several times.
    ///
    /// # Errors
    /// If there is no such row.
    ///
    /// ```
    /// # use gradus::data::Table;
    /// let table = Table::from_reader("x\n1\n2\n3\n".as_bytes())?;
    /// assert_eq!(table.take(&[2, 0])?.numbers("x")?, [3.0, 1.0]);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn take(&self, rows: &[usize]) -> Result<Self> {
        if let Some(row) = rows.iter().find(|&&row| row >= self.rows) {
            let message = format!(
                "take: row {row} is out of range: there are {} rows",
                self.rows
            );
            return Err(Error::new(Kind::Index, message));
        }
        Ok(self.rows(rows.len(), || rows.iter().copied()))
    }

    /// The first `n` rows, and the others.
    ///
    /// # Errors
    /// If there are fewer.
    ///
    /// ```
    /// # use gradus::data::Table;
    /// let table = Table::from_reader("x\n1\n2\n3\n".as_bytes())?;
    /// let (train, test) = table.split(2)?;
    /// assert_eq!((train.len(), test.numbers("x")?), (2, &[3.0][..]));
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn split(&self, n: usize) -> Result<(Self, Self)> {
        if n > self.rows {
            let message = format!(
                "split: {n} rows are more than there are, which is {}",
                self.rows
            );
            return Err(Error::new(Kind::Value, message));
        }
        let part = |range: Range<usize>| self.rows(range.len(), || range.clone());
        Ok((part(0..n), part(n..self.rows)))
    }

    /// A matrix with a row for each row and a column for each column, f32 or f64.
    ///
    /// # Errors
    /// If a value is missing or text: the message names the line and the column of the first. If
    /// `dtype` is no floating one.
    ///
    /// ```
    /// # use gradus::{DType, data::Table};
    /// let table = Table::from_reader("x,y\n1,2\n3,NA\n".as_bytes())?;
    /// let error = table.to_tensor(DType::F32).unwrap_err().to_string();
    /// assert!(error.starts_with("line 3: column y is missing"), "{error}");
    /// assert_eq!(table.select(&["x"])?.to_tensor(DType::F64)?.shape(), [2, 1]);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn to_tensor(&self, dtype: DType) -> Result<Tensor> {
        if !dtype.is_float() {
            let message = format!("to_tensor: expected the dtype f32 or f64, got {dtype}");
            return Err(Error::new(Kind::DType, message));
        }
        let mut lists = Vec::with_capacity(self.columns.len());
        for (name, column) in self.names.iter().zip(&self.columns) {
            if let Some((row, what)) = column.no_number() {
                let what = format!("{what}; encode text by get_dummies, or select other columns");
                return Err(self.wrong(row, name, what));
            }
            if let Some(row) = (0..self.rows).find(|&row| column.is_missing(row)) {
                let what = "is missing; give it a value by fillna, or select other columns";
                return Err(self.wrong(row, name, what));
            }
            if let Column::Numbers(list) = column {
                lists.push(list);
            }
        }
        let rows = (0..self.rows).flat_map(|row| lists.iter().map(move |list| list[row]));
        let cells: Vec<f64> = rows.collect();
        Tensor::from_vec(cells, [self.rows, lists.len()])?.to_dtype(dtype)
    }

    /// The line of the file on which a row begins, counted from 1; none if there is no such row or
    /// the table was not read.
    ///
    /// ```
    /// # use gradus::data::Table;
    /// let table = Table::from_reader("x\n1\n\n2\n".as_bytes())?;
    /// assert_eq!(table.line(1), Some(4));
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn line(&self, row: usize) -> Option<u64> {
        self.origin.lines.get(row).copied()
    }

    fn find(&self, name: &str) -> Result<usize> {
        (self.names.place(name)).ok_or_else(|| no_column(name, &self.names))
    }

    /// As many rows as `rows` names anew for each column.
    fn rows<I: Iterator<Item = usize>>(&self, count: usize, rows: impl Fn() -> I) -> Self {
        let Origin { name, lines } = &self.origin;
        Self {
            names: self.names.clone(),
            columns: self.columns.iter().map(|c| c.take(rows())).collect(),
            rows: count,
            origin: Origin {
                name: name.clone(),
                lines: rows().filter_map(|row| lines.get(row).copied()).collect(),
            },
        }
    }

    /// An error about what stands in a cell.
    fn wrong(&self, row: usize, column: &str, what: impl fmt::Display) -> Error {
        let place = match self.line(row) {
            Some(line) => format!("line {line}"),
            None => format!("row {row} (counted from 0)"),
        };
        let error = Error::new(Kind::Data, format!("{place}: column {column} {what}"));
        error.within(&self.origin.name)
    }
}

fn no_column(name: &str, names: &[String]) -> Error {
    let names = names.join(", ");
    let message = format!("the table has no column {name:?}; there are {names}");
    Error::new(Kind::Value, message)
}

/// Naming the file an error is about.
trait Within {
    fn within(self, file: &str) -> Self;
}

impl Within for Error {
    fn within(self, file: &str) -> Self {
        if file.is_empty() { self } else { self.at(file) }
    }
}
