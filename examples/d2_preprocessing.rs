//! D2: from a file with holes in it to tensors: missing values, words as columns, kinds of columns.
//!
//! First a table of four houses, then Abalone (4177 sea snails; Nash et al., 1994).

use clap::Parser;
use gradus::data::{
    Column, ColumnKind, Fill, ReadCsv, StratifiedKFold, Table, data_dir, train_test_split,
};
use gradus::preprocessing::StandardScaler;
use gradus::{DType, Result};
use std::io::Write;
use std::path::{Path, PathBuf};

const HOUSES: &str = "\
NumRooms,RoofType,Price
NA,NA,127500
2,NA,106000
4,Slate,178100
NA,NA,140000
";

const ABALONE: [&str; 9] = [
    "Sex", "Length", "Diameter", "Height", "Whole", "Shucked", "Viscera", "Shell", "Rings",
];

/// Four houses: each step from the text to two tensors.
pub fn houses(out: &mut impl Write) -> Result<()> {
    let houses = Table::from_reader(HOUSES.as_bytes())?;
    write!(out, "{houses}")?;
    let inputs = houses.select(&["NumRooms", "RoofType"])?;
    let encoded = inputs.get_dummies(true);
    write!(out, "roofs as columns, one for missing ones:\n{encoded}")?;
    let filled = encoded.fillna(Fill::Mean)?;
    write!(out, "the mean for missing numbers:\n{filled}")?;
    writeln!(out, "{}", filled.to_tensor(DType::F64)?)?;
    let y = houses.select(&["Price"])?.to_tensor(DType::F64)?;
    writeln!(out, "{}", y.squeeze(1)?)?;
    // What cannot be computed with says where it is.
    let error = inputs.to_tensor(DType::F64).err();
    writeln!(
        out,
        "without these steps: {}",
        error.map_or("?".into(), |e| e.to_string())
    )?;
    Ok(())
}

/// Abalone: what is in the file, and a division for training and testing on one scale.
pub fn abalone(out: &mut impl Write, file: &Path) -> Result<()> {
    let table = ReadCsv::new().names(&ABALONE).read(file)?;
    writeln!(
        out,
        "abalone: {} rows, {} columns",
        table.len(),
        table.columns().len()
    )?;
    let columns = table.columns().iter().map(|name| table.column(name));
    let columns: Vec<&Column> = columns.collect::<Result<_>>()?;
    for kind in [
        ColumnKind::Categorical,
        ColumnKind::Continuous,
        ColumnKind::Integer,
    ] {
        let count = columns
            .iter()
            .filter(|column| column.kind() == kind)
            .count();
        writeln!(out, "  {kind}: {count}")?;
    }
    let missing: usize = columns.iter().map(|column| column.missing()).sum();
    let share = missing as f64 / (table.len() * columns.len()) as f64;
    writeln!(out, "  missing: {missing}, a fraction of {share}")?;
    write!(out, "{}", table.describe())?;
    write!(out, "{}", table.select(&["Sex", "Rings"])?.split(3)?.0)?;

    let x = table.select(&ABALONE[..8])?.get_dummies(false);
    writeln!(out, "inputs: {}", x.columns().join(", "))?;
    let rings: Vec<i64> = table
        .numbers("Rings")?
        .iter()
        .map(|&rings| rings as i64)
        .collect();
    let (train, test) = train_test_split(table.len(), 0.2, 0, None)?;
    let [train, test] = [x.take(&train)?, x.take(&test)?].map(|part| part.to_tensor(DType::F64));
    let scaler = StandardScaler::fit(&train?)?;
    let z = scaler.transform(&test?)?;
    writeln!(
        out,
        "{} rows for testing, on the scale of the others",
        z.shape()[0]
    )?;
    let adult: Vec<i64> = rings.iter().map(|&rings| i64::from(rings > 10)).collect();
    for (number, (_, test)) in StratifiedKFold::new(5)
        .shuffle(0)
        .split(&adult)?
        .iter()
        .enumerate()
    {
        let adults = test.iter().filter(|&&i| adult[i] == 1).count();
        writeln!(
            out,
            "  part {number}: {} rows, {adults} of more than 10 rings",
            test.len()
        )?;
    }
    Ok(())
}

/// From a file with holes in it to tensors.
#[derive(Parser)]
struct Args {
    /// Folder with abalone/abalone.data in it [default: GRADUS_DATA, or the user's own]
    #[arg(long)]
    data_dir: Option<PathBuf>,
}

fn main() -> Result<()> {
    let args = Args::parse();
    let out = &mut std::io::stdout().lock();
    houses(out)?;
    abalone(
        out,
        &data_dir(args.data_dir.as_deref())?.join("abalone/abalone.data"),
    )
}
