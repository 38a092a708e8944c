//! Tables from CSV files, whole or part by part.

use super::names::Names;
use super::{Column, Origin, Table, Within, no_column};
use csv::{ByteRecord, Reader, ReaderBuilder};
use gradus_core::{Error, Kind, Result, compute};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::path::Path;
use std::sync::Arc;

/// What stands for a missing value: pandas' markers, and the question mark of UCI's data sets.
const NA_VALUES: [&str; 20] = [
    "", "?", "NA", "NaN", "nan", "null", "NULL", "None", "N/A", "n/a", "<NA>", "#N/A", "#NA",
    "#N/A N/A", "-NaN", "-nan", "1.#IND", "-1.#IND", "1.#QNAN", "-1.#QNAN",
];
/// As much is looked at to find the delimiter.
const HEAD: u64 = 1 << 16;
const MARK: &[u8] = b"\xef\xbb\xbf";

/// How a CSV file is written, in pandas' words; made for files that say it themselves.
///
/// Text is UTF-8, with or without a mark in front. Fields may be quoted by `"`; space around them
/// does not count. Lines end by `\n`, `\r\n` or `\r`; blank ones are passed over. A column whose
/// values are all numbers or missing is one of numbers, every other one is text. Columns without a
/// name are called by their number, from 1; a name that comes again gets `.1`, `.2` and so on.
///
/// ```
/// use gradus::data::ReadCsv;
/// let csv = ReadCsv::new().names(&["sex", "rings"]).na_values(&["-"]);
/// let table = csv.from_reader("M,15\nF,-\n".as_bytes())?;
/// assert_eq!((table.len(), table.column("rings")?.missing()), (2, 1));
/// # Ok::<(), gradus::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct ReadCsv {
    delimiter: Option<u8>,
    header: Option<bool>,
    names: Vec<String>,
    na_values: Vec<String>,
    comment: Option<u8>,
    usecols: Option<Vec<String>>,
}

impl Default for ReadCsv {
    fn default() -> Self {
        Self::new()
    }
}

impl ReadCsv {
    /// The file says all.
    pub fn new() -> Self {
        Self {
            delimiter: None,
            header: None,
            names: Vec::new(),
            na_values: NA_VALUES.map(String::from).into(),
            comment: None,
            usecols: None,
        }
    }

    /// What stands between fields. Default: of comma, semicolon and tab that of which the first line
    /// has most.
    ///
    /// ```
    /// # use gradus::data::ReadCsv;
    /// let table = ReadCsv::new().delimiter(b'|').from_reader("1,5|2,5\n".as_bytes())?;
    /// assert_eq!(table.columns().len(), 2);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    #[must_use]
    pub fn delimiter(mut self, delimiter: u8) -> Self {
        self.delimiter = Some(delimiter);
        self
    }

    /// Whether the first line has the names of the columns. Default: if none of its fields is a
    /// number, and no [`names`](Self::names) are given.
    ///
    /// ```
    /// # use gradus::data::ReadCsv;
    /// let table = ReadCsv::new().header(false).from_reader("a,b\nc,d\n".as_bytes())?;
    /// assert_eq!((table.len(), table.columns()), (2, &["1".to_string(), "2".into()][..]));
    /// # Ok::<(), gradus::Error>(())
    /// ```
    #[must_use]
    pub fn header(mut self, header: bool) -> Self {
        self.header = Some(header);
        self
    }

    /// Names for all columns. They go before those of a header, if there is said to be one.
    ///
    /// ```
    /// # use gradus::data::ReadCsv;
    /// let table = ReadCsv::new().names(&["x", "y"]).from_reader("1,2\n".as_bytes())?;
    /// assert_eq!(table.numbers("y")?, [2.0]);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    #[must_use]
    pub fn names(mut self, names: &[impl AsRef<str>]) -> Self {
        self.names = names.iter().map(|name| name.as_ref().into()).collect();
        self
    }

    /// What stands for a missing value, and nothing else. Default: nothing, `?`, `NA`, `NaN`, `nan`,
    /// `null`, `None` and the others that pandas knows.
    ///
    /// ```
    /// # use gradus::data::ReadCsv;
    /// let table = ReadCsv::new().na_values(&["-999"]).from_reader("1\n-999\n".as_bytes())?;
    /// assert!(table.numbers("1")?[1].is_nan());
    /// # Ok::<(), gradus::Error>(())
    /// ```
    #[must_use]
    pub fn na_values(mut self, markers: &[&str]) -> Self {
        self.na_values = markers.iter().map(|&marker| marker.into()).collect();
        self
    }

    /// Lines that begin so are passed over. Default: none.
    ///
    /// ```
    /// # use gradus::data::ReadCsv;
    /// let table = ReadCsv::new().comment(b'#').from_reader("# metres\n1\n".as_bytes())?;
    /// assert_eq!(table.len(), 1);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    #[must_use]
    pub fn comment(mut self, comment: u8) -> Self {
        self.comment = Some(comment);
        self
    }

    /// These columns only, in the order of the file; the others cost no memory. Default: all.
    ///
    /// ```
    /// # use gradus::data::ReadCsv;
    /// let csv = ReadCsv::new().usecols(&["z", "x"]);
    /// assert_eq!(csv.from_reader("x,y,z\n1,2,3\n".as_bytes())?.columns(), ["x", "z"]);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    #[must_use]
    pub fn usecols(mut self, names: &[impl AsRef<str>]) -> Self {
        self.usecols = Some(names.iter().map(|name| name.as_ref().into()).collect());
        self
    }

    /// Reads a file.
    ///
    /// # Errors
    /// If the file cannot be read or is empty, lacks a column that is to be read, is not UTF-8, or has a row with more or fewer fields
    /// than the first; messages name the file, the line and the column.
    ///
    /// ```no_run
    /// let table = gradus::data::ReadCsv::new().header(false).read("abalone.data")?;
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn read(&self, path: impl AsRef<Path>) -> Result<Table> {
        let (file, name) = open(path.as_ref())?;
        Records::new(self, file, name)?.table(usize::MAX)
    }

    /// Reads a table from anything.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    ///
    /// ```
    /// # use gradus::data::ReadCsv;
    /// let error = ReadCsv::new().from_reader("a,b\n1,2\n3\n".as_bytes()).unwrap_err();
    /// assert!(error.to_string().starts_with("line 3: 1 field, expected 2"), "{error}");
    /// ```
    pub fn from_reader(&self, reader: impl Read + Send) -> Result<Table> {
        Records::new(self, reader, "".into())?.table(usize::MAX)
    }

    /// Reads a file that need not fit in memory: tables of `rows` rows, one after the other, the last
    /// one shorter if it must be. Whether a column is one of numbers is found for each table anew.
    ///
    /// # Errors
    /// If `rows` is 0, or the first line cannot be read; an error in a later one is an item, the last.
    ///
    /// ```no_run
    /// let mut sum = 0.0;
    /// for table in gradus::data::ReadCsv::new().chunks("large.csv", 100_000)? {
    ///     sum += table?.numbers("price")?.iter().sum::<f64>();
    /// }
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn chunks(&self, path: impl AsRef<Path>, rows: usize) -> Result<Chunks> {
        if rows == 0 {
            let message = "chunks: expected at least one row for each table, got 0";
            return Err(Error::new(Kind::Value, message));
        }
        let (file, name) = open(path.as_ref())?;
        let records = Some(Records::new(self, file, name)?);
        Ok(Chunks { records, rows })
    }
}

/// The tables of a file, one after the other; see [`ReadCsv::chunks`].
pub struct Chunks {
    /// None after the end, or an error.
    records: Option<Records<File>>,
    rows: usize,
}

impl Iterator for Chunks {
    type Item = Result<Table>;

    fn next(&mut self) -> Option<Self::Item> {
        let table = self.records.as_mut()?.table(self.rows);
        match table {
            Ok(table) if table.len() == self.rows => return Some(Ok(table)),
            Ok(table) if table.is_empty() => self.records = None,
            table => {
                self.records = None;
                return Some(table);
            }
        }
        None
    }
}

fn open(path: &Path) -> Result<(File, Arc<str>)> {
    let name = path.display().to_string();
    let file = File::open(path).map_err(|e| Error::from(e).at(&name))?;
    Ok((file, name.into()))
}

/// The number that a field is; infinite ones count, NaN is none.
pub(super) fn number(field: &str) -> Option<f64> {
    field.parse().ok().filter(|x: &f64| !x.is_nan())
}

/// The rows of a file, of which the first is read already.
struct Records<R> {
    reader: Reader<Lines<io::Chain<Cursor<Vec<u8>>, R>>>,
    /// The row to come, if there is one, and its line.
    record: ByteRecord,
    line: Option<u64>,
    /// Of all columns.
    names: Vec<String>,
    /// The columns that are wanted, by their numbers and by their names.
    wanted: Vec<usize>,
    wanted_names: Names,
    na_values: Vec<String>,
    file: Arc<str>,
}

impl<R: Read> Records<R> {
    fn new(options: &ReadCsv, mut source: R, file: Arc<str>) -> Result<Self> {
        let mut head = Vec::new();
        let read = (&mut source).take(HEAD).read_to_end(&mut head);
        read.map_err(|e| Error::from(e).within(&file))?;
        if head.starts_with(MARK) {
            head.drain(..MARK.len());
        }
        let delimiter = options.delimiter.unwrap_or_else(|| delimiter(&head));
        let mut records = Self {
            reader: ReaderBuilder::new()
                .has_headers(false)
                .flexible(true)
                .delimiter(delimiter)
                .comment(options.comment)
                .from_reader(Lines::new(Cursor::new(head).chain(source))),
            record: ByteRecord::new(),
            line: None,
            names: Vec::new(),
            wanted: Vec::new(),
            wanted_names: Vec::new().into(),
            na_values: options.na_values.clone(),
            file,
        };
        records.advance()?;
        let Some(line) = records.line else {
            let message = "the file is empty; expected a line of names or of values";
            return Err(Error::new(Kind::Data, message).within(&records.file));
        };
        let first = (0..records.record.len()).map(|j| records.field(j).map(String::from));
        let first: Vec<String> = first.collect::<Result<_>>()?;
        let no_number = || first.iter().all(|field| field.parse::<f64>().is_err());
        let header = (options.header).unwrap_or_else(|| options.names.is_empty() && no_number());
        if header {
            records.advance()?;
        }
        records.names = match (options.names.is_empty(), header) {
            (false, _) if options.names.len() != first.len() => {
                let (n, fields) = (options.names.len(), plural(first.len(), "field"));
                return Err(records.wrong(line, format!("{fields}, but {n} names are given")));
            }
            (false, _) => unique(&options.names),
            (true, true) => unique(&first),
            (true, false) => unique(&vec![String::new(); first.len()]),
        };
        records.choose(options.usecols.as_deref())?;
        Ok(records)
    }

    /// Settles which columns are wanted.
    fn choose(&mut self, usecols: Option<&[String]>) -> Result<()> {
        let all = Names::from(self.names.clone());
        self.wanted = match usecols {
            None => (0..all.len()).collect(),
            Some(names) => {
                let places = names.iter().map(|name| {
                    let place = all.place(name);
                    place.ok_or_else(|| no_column(name, &all).within(&self.file))
                });
                let places: BTreeSet<usize> = places.collect::<Result<_>>()?;
                places.into_iter().collect()
            }
        };
        let names: Vec<String> = self.wanted.iter().map(|&j| all[j].clone()).collect();
        self.wanted_names = names.into();
        Ok(())
    }

    /// Reads the next row.
    fn advance(&mut self) -> Result<()> {
        loop {
            let more = self.reader.read_byte_record(&mut self.record);
            let more = more.map_err(|e| Error::new(Kind::Io, e.to_string()).within(&self.file))?;
            let breaks = self
                .record
                .as_slice()
                .iter()
                .filter(|b| **b == b'\n')
                .count() as u64;
            // The reader stands behind the line break that ends the row, or at the end of the file.
            let torn = more && self.reader.get_ref().ended;
            let end = self.reader.position().line() - u64::from(!torn);
            let line = end.saturating_sub(breaks).max(1);
            if torn {
                let what = "a quote is opened and not closed before the end of the file";
                return Err(self.wrong(line, what));
            }
            self.line = more.then_some(line);
            let blank = self.record.len() == 1 && self.record.as_slice().trim_ascii().is_empty();
            if !(more && blank && self.names.len() != 1) {
                return Ok(());
            }
        }
    }

    fn field(&self, j: usize) -> Result<&str> {
        let field = self.record.get(j).unwrap_or_default();
        std::str::from_utf8(field).map(str::trim).map_err(|_| {
            let column = self
                .names
                .get(j)
                .cloned()
                .unwrap_or_else(|| (j + 1).to_string());
            let what = format!("column {column} is not UTF-8; save the file in that encoding");
            self.wrong(self.line.unwrap_or(0), what)
        })
    }

    fn wrong(&self, line: u64, what: impl std::fmt::Display) -> Error {
        // Names of columns come from the file, with line breaks if it is broken.
        let what = what.to_string().replace(char::is_control, " ");
        Error::new(Kind::Data, format!("line {line}: {what}")).within(&self.file)
    }

    /// A table of the next rows, at most so many.
    fn table(&mut self, rows: usize) -> Result<Table> {
        let width = self.names.len();
        let mut columns: Vec<(Cells, Column)> = (self.wanted.iter())
            .map(|_| (Cells::default(), Column::Numbers(Vec::new())))
            .collect();
        let mut lines = Vec::new();
        while let Some(line) = self.line.filter(|_| lines.len() < rows) {
            if self.record.len() != width {
                let fields = plural(self.record.len(), "field");
                let remedy = match self.record.as_slice().contains(&b'\n') {
                    true => "a quote is perhaps not closed",
                    false => "fields that contain the delimiter have to be quoted",
                };
                let what = format!("{fields}, expected {width} as in the first line; {remedy}");
                return Err(self.wrong(line, what));
            }
            for (&j, (cells, _)) in self.wanted.iter().zip(&mut columns) {
                cells.push(self.field(j)?);
            }
            lines.push(line);
            self.advance()?;
        }
        let na_values = NaValues::new(&self.na_values);
        compute::fill(&mut columns, 1, |_, columns| {
            for (cells, column) in columns {
                *column = std::mem::take(cells).column(&na_values);
            }
        });
        let rows = lines.len();
        Ok(Table {
            names: self.wanted_names.clone(),
            columns: columns.into_iter().map(|(_, column)| column).collect(),
            rows,
            origin: Origin {
                name: self.file.clone(),
                lines,
            },
        })
    }
}

/// What stands for a missing value.
struct NaValues<'a> {
    markers: &'a [String],
    /// Whether one of them could be taken for a number.
    numeric: bool,
}

impl<'a> NaValues<'a> {
    fn new(markers: &'a [String]) -> Self {
        Self {
            markers,
            numeric: markers.iter().any(|marker| number(marker).is_some()),
        }
    }

    fn contain(&self, cell: &str) -> bool {
        self.markers.iter().any(|marker| marker == cell)
    }

    /// The number that a cell is; NaN for a missing one.
    fn number(&self, cell: &str) -> Option<f64> {
        // Most cells are numbers, and comparing them with twenty markers costs as much as reading them.
        match number(cell) {
            Some(_) if self.numeric && self.contain(cell) => Some(f64::NAN),
            Some(x) => Some(x),
            None => self.contain(cell).then_some(f64::NAN),
        }
    }
}

/// The cells of a column before it is known what they are: text, one behind the other.
#[derive(Default)]
struct Cells {
    text: String,
    ends: Vec<usize>,
}

impl Cells {
    fn push(&mut self, cell: &str) {
        self.text.push_str(cell);
        self.ends.push(self.text.len());
    }

    fn column(self, na_values: &NaValues<'_>) -> Column {
        let starts = [0].into_iter().chain(self.ends.iter().copied());
        let cells = starts
            .zip(&self.ends)
            .map(|(start, &end)| &self.text[start..end]);
        let numbers = cells.clone().map(|cell| na_values.number(cell));
        match numbers.collect() {
            Some(numbers) => Column::Numbers(numbers),
            None => {
                let word = |cell: &str| (!na_values.contain(cell)).then(|| cell.to_string());
                Column::Text(cells.map(word).collect())
            }
        }
    }
}

/// Names of which no two are the same, none of them empty.
pub(super) fn unique(names: &[String]) -> Vec<String> {
    let mut taken: HashSet<String> = names.iter().cloned().collect();
    // Of each name the number that comes next behind it.
    let mut again: HashMap<String, usize> = HashMap::new();
    let numbered = names
        .iter()
        .enumerate()
        .map(|(j, name)| match name.as_str() {
            "" => (j + 1).to_string(),
            name => name.to_string(),
        });
    let mut unique = |name: String| {
        let Some(next) = again.get_mut(&name) else {
            again.insert(name.clone(), 1);
            return name;
        };
        loop {
            let other = format!("{name}.{next}");
            *next += 1;
            if taken.insert(other.clone()) {
                return other;
            }
        }
    };
    numbered.map(&mut unique).collect()
}

/// The character between fields: of those that are usual the one that the first line has most of
/// outside of quotes.
fn delimiter(text: &[u8]) -> u8 {
    let mut lines = text.split(|b| matches!(b, b'\n' | b'\r'));
    let first = lines.find(|line| !line.trim_ascii().is_empty());
    let unquoted = first.map(|line| line.split(|&b| b == b'"').step_by(2).flatten());
    let count = |c: &u8| {
        unquoted
            .clone()
            .map_or(0, |bytes| bytes.filter(|b| *b == c).count())
    };
    // Of equally many the last wins.
    let usual = [b'\t', b';', b','];
    usual.into_iter().max_by_key(count).unwrap_or(b',')
}

fn plural(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

/// Text every line of which ends by `\n`, the last one too, so that counting these counts lines.
struct Lines<R> {
    inner: BufReader<R>,
    /// What was handed on last, and whether it was a `\r`.
    last: u8,
    returned: bool,
    /// Whether somebody wanted more than there is: the end of a row, which was not there.
    ended: bool,
}

impl<R: Read> Lines<R> {
    fn new(inner: R) -> Self {
        Self {
            inner: BufReader::new(inner),
            last: b'\n',
            returned: false,
            ended: false,
        }
    }
}

impl<R: Read> Read for Lines<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let mut n = 0;
        while n == 0 && !out.is_empty() {
            let input = self.inner.fill_buf()?;
            if input.is_empty() {
                match self.last {
                    b'\n' => self.ended = true,
                    _ => (out[0], self.last, n) = (b'\n', b'\n', 1),
                }
                break;
            }
            let taken = input.len().min(out.len());
            // Nearly every file: nothing to change.
            if !self.returned && !input[..taken].contains(&b'\r') {
                out[..taken].copy_from_slice(&input[..taken]);
                self.last = input[taken - 1];
                self.inner.consume(taken);
                return Ok(taken);
            }
            for &byte in &input[..taken] {
                let second = self.returned && byte == b'\n';
                self.returned = byte == b'\r';
                if !second {
                    self.last = if self.returned { b'\n' } else { byte };
                    out[n] = self.last;
                    n += 1;
                }
            }
            self.inner.consume(taken);
        }
        Ok(n)
    }
}
