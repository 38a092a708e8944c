//! Any bytes as a CSV file: a table within bounds or an error of one line; what is in parts, and what
//! is of some columns, is what is whole.

#![no_main]

use gradus::data::{ReadCsv, Table};
use gradus_fuzz::bounded;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    // A column without a name costs a byte in the file; here a name in a few lists, and lists of its
    // own.
    let table = match bounded(bytes, 1024, |bytes| Table::from_reader(bytes)) {
        Ok(table) => table,
        Err(e) => return assert!(!e.to_string().contains('\n'), "{e}"),
    };
    // Whatever it holds can be described and encoded.
    let _ = table.describe().to_string();
    let names = table.columns();
    for row in 0..table.len() {
        assert!(table.line(row).is_some_and(|line| line > 0));
    }
    if let Some(last) = names.last() {
        let part = ReadCsv::new().usecols(&[last]).from_reader(bytes).unwrap();
        // Debug text, because NaN is not itself.
        let whole = table.select(&[last]).unwrap();
        assert_eq!(
            format!("{part:?}"),
            format!("{whole:?}"),
            "one column is another alone"
        );
    }

    let path = std::env::temp_dir().join(format!("gradus-fuzz-{}.csv", std::process::id()));
    std::fs::write(&path, bytes).unwrap();
    let rows: usize = ReadCsv::new()
        .chunks(&path, 3)
        .unwrap()
        .map(|part| part.unwrap().len())
        .sum();
    assert_eq!(rows, table.len(), "parts have other rows than the whole");
    std::fs::remove_file(path).unwrap();
});
