//! Tables beside pandas' figures (3.1), and files that are no tables.

use gradus::data::{Column, ColumnKind, Fill, ReadCsv, Summary, Table};
use gradus::{DType, Error, Kind, Result};
use std::io::{self, Read};

const TOWNS: &str = "\
id,city,size,price,note
1,Bern,2.5,100,
2,,NA,250,x
3,Basel,4,nan,
4,Bern,7.25,75,
5,Genf,3,80,
";

fn read(text: &str) -> Result<Table> {
    Table::from_reader(text.as_bytes())
}

fn text(words: &[&str]) -> Column {
    let word = |w: &&str| (!w.is_empty()).then(|| w.to_string());
    Column::Text(words.iter().map(word).collect())
}

/// The same numbers; NaN for one that is missing.
fn same(a: &[f64], b: &[f64]) -> bool {
    a.len() == b.len()
        && (a.iter().zip(b)).all(|(a, b)| (a - b).abs() < 1e-6 || a.is_nan() && b.is_nan())
}

/// A column of another type, a missing value that is taken for a word, or a row that is lost.
#[test]
fn columns_have_their_types() {
    let table = read(TOWNS).unwrap();
    assert_eq!(table.columns(), ["id", "city", "size", "price", "note"]);
    assert_eq!(
        table.column("city").unwrap(),
        &text(&["Bern", "", "Basel", "Bern", "Genf"])
    );
    assert!(same(
        table.numbers("size").unwrap(),
        &[2.5, f64::NAN, 4.0, 7.25, 3.0]
    ));
    let kinds = ["id", "city", "size", "price"].map(|name| table.column(name).unwrap().kind());
    let (int, word, real) = (
        ColumnKind::Integer,
        ColumnKind::Categorical,
        ColumnKind::Continuous,
    );
    assert_eq!(kinds, [int, word, real, int]);
    let markers = "#N/A,#NA,NULL,None,N/A,n/a,<NA>,NaN,nan,null,NA,?,,-nan,1.#IND";
    let table = ReadCsv::new().header(false);
    let table = table.from_reader(markers.as_bytes()).unwrap();
    for name in table.columns() {
        assert!(table.numbers(name).unwrap()[0].is_nan(), "{name}");
    }
    // A column whose numbers are written in many ways, and one with a word among them as it was.
    let table = read("a,b\n+1e3,007\n-.5,1.50\n inf ,x\n").unwrap();
    assert_eq!(table.numbers("a").unwrap(), [1000.0, -0.5, f64::INFINITY]);
    assert_eq!(table.column("b").unwrap(), &text(&["007", "1.50", "x"]));
    // Nothing but missing values: numbers, as in pandas.
    assert_eq!(read("a\nNA\n").unwrap().numbers("a").unwrap().len(), 1);
}

/// A file that means the same and is read differently.
#[test]
fn files_are_written_in_many_ways() {
    let expected = read("a,b\n1,x y\n2,\"p,q\"\n").unwrap();
    for other in [
        "a,b\r\n1,x y\r\n2,\"p,q\"\r\n",
        "a,b\r1,x y\r2,\"p,q\"",
        "\u{feff}a,b\n1,x y\n2,\"p,q\"",
        "a;b\n1;x y\n2;p,q\n",
        "a\tb\n1\tx y\n2\tp,q\n",
        "\"a\" , b\n 1,\t\"x y\"\n2,\"p,q\"\n",
        "\"a\",\"b\"\n\"1\",\"x y\"\n\"2\",\"p,q\"\n",
    ] {
        // Space in front of a quote is part of an unquoted field, quotes included.
        let other = other.replace(",\t\"x y\"", ",\tx y");
        assert_eq!(read(&other).unwrap(), expected, "{other:?}");
    }
    // Delimiters within quotes do not count, and neither do line breaks.
    let table = read("\"a;b;c\",d\n\"1\n2\",3\n4,5\n").unwrap();
    assert_eq!(table.columns(), ["a;b;c", "d"]);
    assert_eq!(table.column("a;b;c").unwrap(), &text(&["1\n2", "4"]));
    assert_eq!(table.numbers("d").unwrap(), [3.0, 5.0]);
    // Names as pandas mends them; those that are not there are numbers.
    let table = read("a,a,b,a.1,\n1,2,3,4,5\n").unwrap();
    assert_eq!(table.columns(), ["a", "a.2", "b", "a.1", "5"]);
    // Names that meet those of columns without one; very many that meet each other.
    let csv = ReadCsv::new().header(true);
    let table = csv.from_reader("4,,,\n1,2,3,5\n".as_bytes()).unwrap();
    assert_eq!(table.columns(), ["4", "2", "3", "4.1"]);
    let wide = format!("{}\n", "a,".repeat(100_000));
    assert_eq!(read(&wide).unwrap().columns()[99_999], "a.99999");
    // A first line with a number has no names.
    let table = read("M,0.5\nF,0.25\n").unwrap();
    assert_eq!(
        (table.len(), table.columns()),
        (2, &["1".to_string(), "2".into()][..])
    );
    // Blank lines are none; in a table of one column neither.
    assert_eq!(read("\n\na,b\n\n1,2\n  \n\n3,4\n\n").unwrap().len(), 2);
    // Many bytes that come one by one.
    struct Drops<'a>(&'a [u8]);
    impl Read for Drops<'_> {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            let n = out.len().min(1);
            self.0.read(&mut out[..n])
        }
    }
    let rows: String = (0..30_000)
        .map(|i| format!("{i},\"{i}\r\n\"\r\n"))
        .collect();
    let table = Table::from_reader(Drops(rows.as_bytes())).unwrap();
    assert_eq!(table.len(), 30_000);
    assert_eq!(table.line(29_999), Some(2 * 29_999 + 1));
    assert_eq!(table.numbers("2").unwrap()[29_999], 29_999.0);
}

/// Columns that come under other names, or a file without one of them that is read as if it had it.
#[test]
fn some_columns_are_read() {
    let text = "a,b,c\n1,x,3\n4,y,6\n";
    let all = read(text).unwrap();
    for (wanted, expected) in [
        (&["c", "a"][..], &["a", "c"][..]),
        (&["b", "b"], &["b"]),
        (&["a", "b", "c"], &["a", "b", "c"]),
    ] {
        let table = ReadCsv::new().usecols(wanted).from_reader(text.as_bytes());
        assert_eq!(table.unwrap(), all.select(expected).unwrap());
    }
    // What is not wanted need not be text that can be read, but it must be there.
    let csv = ReadCsv::new().usecols(&["a"]);
    assert_eq!(
        csv.from_reader(&b"a,b\n1,\xff\n"[..])
            .unwrap()
            .numbers("a")
            .unwrap(),
        [1.0]
    );
    let error = csv
        .from_reader("a,b\n1\n".as_bytes())
        .unwrap_err()
        .to_string();
    assert!(error.starts_with("line 2: 1 field, expected 2"), "{error}");
    let error = csv.from_reader("b,c\n1,2\n".as_bytes()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the table has no column \"a\"; there are b, c"
    );
    // Markers of missing values that are numbers.
    let csv = ReadCsv::new().na_values(&["-1", "x"]);
    let column = csv.from_reader("a\n-1\nx\n-1.0\n".as_bytes()).unwrap();
    assert!(same(
        column.numbers("a").unwrap(),
        &[f64::NAN, f64::NAN, -1.0]
    ));
}

/// A line that is counted wrongly, or an error that does not say what to do.
#[test]
fn what_is_no_table_is_refused() {
    for (bytes, words) in [
        (
            &b""[..],
            "the file is empty; expected a line of names or of values",
        ),
        (b"\xef\xbb\xbf\n\n", "the file is empty"),
        (
            b"a,b\n1,2\n3\n",
            "line 3: 1 field, expected 2 as in the first line",
        ),
        (b"a,b\r\n\r\n1,2,3\r\n", "line 3: 3 fields, expected 2"),
        (b"a,b\n1,\"2\n3\",4\n5,6\n", "line 2: 3 fields"),
        (
            b"a,b\n1,2\n3,\"4\n5,6\n",
            "line 3: a quote is opened and not closed",
        ),
        (
            b"a,b\n1,2\n\n3,\xff\n",
            "line 4: column b is not UTF-8; save the file in that encoding",
        ),
        (b"\xff\xfea\0,\0b\0\n\0", "line 1: column 1 is not UTF-8"),
        // A message of one line, whatever the name.
        (
            b"a,\"b\nc\"\n1,2\n3,\xff\n",
            "line 4: column b c is not UTF-8",
        ),
    ] {
        let error = Table::from_reader(bytes)
            .map(|t| t.to_string())
            .unwrap_err();
        assert_eq!(error.kind(), Kind::Data);
        assert!(error.to_string().contains(words), "{error}");
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("towns.csv");
    let name = file.display().to_string();
    let missing = Table::read(&file).unwrap_err();
    assert!(missing.kind() == Kind::Io && missing.to_string().starts_with(&name));
    std::fs::write(&file, TOWNS).unwrap();
    let table = Table::read(&file).unwrap();
    let says = |error: Error, words: &str| {
        let expected = format!("{name}: {words}");
        assert!(error.to_string().starts_with(&expected), "{error}");
    };
    let tensor = |columns: &[&str]| {
        table
            .select(columns)
            .unwrap()
            .to_tensor(DType::F32)
            .unwrap_err()
    };
    says(
        tensor(&["id", "size"]),
        "line 3: column size is missing; give it a value by fillna",
    );
    says(
        tensor(&["city"]),
        "line 2: column city holds \"Bern\", which is no number; encode",
    );
    // Through changes of the rows.
    let late = table.take(&[4, 3, 2]).unwrap().split(1).unwrap().1;
    says(
        late.to_tensor(DType::F32).unwrap_err(),
        "line 5: column city holds \"Bern\"",
    );
    says(
        late.numbers("city").unwrap_err(),
        "line 5: column city holds \"Bern\"",
    );
    says(
        late.select(&["price"])
            .unwrap()
            .to_tensor(DType::F64)
            .unwrap_err(),
        "line 4: column price",
    );
    let mixed = read("a\n1\n2\n\n3,5\n4\n".replace("3,5", "\"3,5\"").as_str()).unwrap();
    assert_eq!(
        mixed.numbers("a").unwrap_err().to_string(),
        "line 5: column a holds \"3,5\", which is no number"
    );
    assert_eq!(table.to_tensor(DType::I64).unwrap_err().kind(), Kind::DType);
    let error = table.column("town").unwrap_err().to_string();
    assert!(
        error.contains("no column \"town\"; there are id, city"),
        "{error}"
    );
    assert!(table.take(&[5]).is_err() && table.split(6).is_err());
    assert!(table.select(&["id", "id"]).is_err());
    let short = ReadCsv::new().names(&["a", "b"]).read(&file).unwrap_err();
    says(short, "line 1: 5 fields, but 2 names are given");
    let columns = [
        ("a", Column::Numbers(vec![1.0])),
        ("b", Column::Numbers(vec![])),
    ];
    assert_eq!(Table::new(columns).unwrap_err().kind(), Kind::Shape);
    let none = Table::new([("a", text(&["", "x"]))]).unwrap();
    let error = none.to_tensor(DType::F32).unwrap_err().to_string();
    assert!(
        error.starts_with("row 1 (counted from 0): column a holds \"x\""),
        "{error}"
    );
}

/// Other figures than pandas'.
#[test]
fn a_table_is_described() {
    let table = read(TOWNS).unwrap();
    let description = table.describe();
    let figures = |name: &str| {
        let found = description.columns.iter().find(|c| c.0 == name);
        match found.unwrap().2.clone() {
            Summary::Numbers {
                count,
                missing,
                mean,
                std,
                quartiles,
            } => {
                let mut list = vec![count as f64, missing as f64, mean, std];
                list.extend(quartiles);
                list
            }
            Summary::Text { .. } => panic!("{name} is text"),
        }
    };
    let size = [4.0, 1.0, 4.1875, 2.134781, 2.5, 2.875, 3.5, 4.8125, 7.25];
    let price = [4.0, 1.0, 126.25, 83.204066, 75.0, 78.75, 90.0, 137.5, 250.0];
    assert!(same(&figures("size"), &size) && same(&figures("price"), &price));
    let words = |count, unique, top: &str, freq| Summary::Text {
        count,
        missing: 5 - count,
        unique,
        top: Some((top.into(), freq)),
    };
    assert_eq!(description.columns[1].2, words(4, 3, "Bern", 2));
    assert_eq!(description.columns[4].2, words(1, 1, "x", 1));
    assert_eq!(
        description.to_string(),
        "       kind        count  missing    mean      std  min    25%  50%     75%   max
id     integer         5        0       3  1.58114    1      2    3       4     5
size   continuous      4        1  4.1875  2.13478  2.5  2.875  3.5  4.8125  7.25
price  integer         4        1  126.25  83.2041   75  78.75   90   137.5   250

      kind         count  missing  unique   top  freq
city  categorical      4        1       3  Bern     2
note  categorical      1        4       1     x     1
"
    );
    // A single value, and none.
    let text = read("a,b\n1,NA\n").unwrap().describe().to_string();
    assert!(text.contains("1        0     1  NaN    1    1"), "{text}");
    assert!(text.contains("0        1   NaN  NaN  NaN"), "{text}");
    let long: String = (0..50).map(|i| format!("{i}\n")).collect();
    let long = read(&long).unwrap().to_string();
    assert_eq!(long.lines().count(), 1 + 5 + 1 + 5, "{long}");
}

/// Columns in another order or by other names than pandas', or a missing word without its column.
#[test]
fn words_become_columns() {
    let table = read(TOWNS).unwrap();
    let encoded = table.get_dummies(true);
    let names = "id size price city_Basel city_Bern city_Genf city_nan note_x note_nan";
    assert_eq!(encoded.columns().join(" "), names);
    for (name, column) in [
        ("city_Basel", [0.0, 0.0, 1.0, 0.0, 0.0]),
        ("city_Bern", [1.0, 0.0, 0.0, 1.0, 0.0]),
        ("city_nan", [0.0, 1.0, 0.0, 0.0, 0.0]),
        ("note_nan", [1.0, 0.0, 1.0, 1.0, 1.0]),
    ] {
        assert_eq!(encoded.numbers(name).unwrap(), column, "{name}");
    }
    let without = table.get_dummies(false);
    assert_eq!(without.columns().len(), names.split(' ').count() - 2);
    // Names that meet.
    let table = read("a,a_b\nb_c,c\nb_c,c\n").unwrap().get_dummies(false);
    assert_eq!(table.columns(), ["a_b_c", "a_b_c.1"]);
}

/// Another value than pandas' mean, median and mode, or a column that is filled and should not be.
#[test]
fn missing_values_are_filled() {
    let table = read("x,y,z\n1,a,1\n1,b,2\nNA,b,3\n4,NA,4\n4,a,5\n10,c,NA\n").unwrap();
    let filled = |fill: Fill| table.fillna(fill).unwrap();
    let x = |fill: Fill| filled(fill).numbers("x").unwrap()[2];
    assert_eq!((x(Fill::Mean), x(Fill::Median)), (4.0, 4.0));
    assert_eq!((x(Fill::Mode), x(Fill::Value(-1.0))), (1.0, -1.0));
    assert_eq!(filled(Fill::Median).numbers("z").unwrap()[5], 3.0);
    let y = |fill: Fill| match filled(fill).column("y").unwrap() {
        Column::Text(words) => words[3].clone(),
        Column::Numbers(_) => panic!("y is text"),
    };
    assert_eq!((y(Fill::Mean), y(Fill::Mode)), (None, Some("a".into())));
    assert_eq!(y(Fill::Text("none".into())), Some("none".into()));
    assert!(x(Fill::Text("none".into())).is_nan());
    let empty = read("x,y\nNA,1\nNA,2\n").unwrap();
    for fill in [Fill::Mean, Fill::Median, Fill::Mode] {
        let error = empty.fillna(fill).unwrap_err().to_string();
        assert!(
            error.contains("column x has only missing values; fill it"),
            "{error}"
        );
    }
    assert_eq!(
        empty
            .fillna(Fill::Value(0.0))
            .unwrap()
            .numbers("x")
            .unwrap(),
        [0.0; 2]
    );
}

/// Rows that are lost between two parts, or an error that has no end.
#[test]
fn a_file_is_read_in_parts() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.csv");
    let rows: String = (0..10).map(|i| format!("{i},{}\n", i * i)).collect();
    std::fs::write(&file, format!("a,b\n{rows}")).unwrap();
    let whole = Table::read(&file).unwrap();
    for rows in [1, 3, 5, 10, 99] {
        let chunks = ReadCsv::new().chunks(&file, rows).unwrap();
        let parts: Vec<Table> = chunks.collect::<Result<_>>().unwrap();
        assert_eq!(parts.len(), 10usize.div_ceil(rows));
        let mut first = 0;
        for part in parts {
            let numbers: Vec<usize> = (first..first + part.len()).collect();
            assert_eq!(part, whole.take(&numbers).unwrap());
            first += part.len();
        }
        assert_eq!(first, 10);
    }
    std::fs::write(&file, format!("{rows}1\n2,3\n")).unwrap();
    let parts: Vec<_> = ReadCsv::new().chunks(&file, 4).unwrap().collect();
    assert_eq!(
        parts.iter().map(Result::is_ok).collect::<Vec<_>>(),
        [true, true, false]
    );
    assert!(
        parts[2]
            .as_ref()
            .unwrap_err()
            .to_string()
            .contains("line 11: 1 field")
    );
    assert!(ReadCsv::new().chunks(&file, 0).is_err());
}

/// Bytes that make it panic or run on.
#[test]
fn any_bytes_end_in_a_table_or_an_error() {
    let alphabet = b"a1,;\t\"\n\r ?\xff\xef\xbb\xbf.#-";
    let mut state = 1u64;
    for _ in 0..20_000 {
        let mut next = || {
            state = state
                .wrapping_mul(6364136223846793005)
                .wrapping_add(1442695040888963407);
            (state >> 33) as usize
        };
        let length = next() % 24;
        let bytes: Vec<u8> = (0..length)
            .map(|_| alphabet[next() % alphabet.len()])
            .collect();
        if let Ok(table) = ReadCsv::new().comment(b'#').from_reader(&bytes[..]) {
            let _ = (table.describe().to_string(), table.to_string());
            let _ = table
                .get_dummies(true)
                .fillna(Fill::Mode)
                .map(|t| t.to_tensor(DType::F32));
        }
    }
}
