//! The rows of a table as samples: read, divided, and brought to numbers by what the rows to train on
//! show.

use super::Samples;
use gradus::data::{
    Column, ColumnKind, ReadCsv, Table, TableVectorizer, Target, TensorDataset, abalone,
    train_test_split,
};
use gradus::train::{Config, TableEncoding, Task};
use gradus::{Error, Kind, Result};
use std::path::Path;
use std::sync::Arc;

/// What the names of files with a table end in.
const ENDS: [&str; 4] = [".csv", ".tsv", ".txt", ".data"];

/// The tables that are known by name.
pub const TABLES: [&str; 1] = ["abalone"];

/// Whether the data of these settings are a table.
pub fn is_table(config: &Config) -> bool {
    let data = config.data.to_lowercase();
    TABLES.contains(&&*data) || ENDS.iter().any(|end| data.ends_with(end))
}

/// Reads a table as the settings say.
pub fn read(path: impl AsRef<Path>, config: &Config) -> Result<Table> {
    let csv = ReadCsv::new();
    match config.header {
        Some(header) => csv.header(header),
        None => csv,
    }
    .read(path)
}

/// The samples of these settings.
pub fn samples(config: &Config, data_dir: Option<&Path>) -> Result<Samples> {
    let table = match TABLES.contains(&config.data.as_str()) {
        true => abalone(data_dir)?,
        false => read(&config.data, config)?,
    };
    let target = target(&table, config)?;
    if table.is_empty() {
        return Err(data(config, "there are no rows"));
    }
    let classes = match config.objective.as_deref() {
        Some(objective) => objective == "classification",
        None => Target::is_classes(&table, &target)?,
    };
    let found = match classes {
        true => Target::of_classes(&table, &target)?,
        false => Target::of_numbers(&table, &target)?,
    };
    let labels = classes.then(|| found.labels(&table, &target)).transpose()?;
    let share = config.test_size.unwrap_or(0.2);
    let (train, test) = train_test_split(table.len(), share, config.seed, labels.as_deref())
        .map_err(|e| data(config, e))?;
    let (train, test) = (table.take(&train)?, table.take(&test)?);

    let target_of = match classes {
        true => found,
        // Nothing is learned from what is tested on, not even the scale.
        false => Target::of_numbers(&train, &target)?,
    };
    let used = used(&table, &target, config)?;
    // In all rows: a mistake among those to test on is one, too.
    (used.iter()).try_for_each(|name| table.check_kind(name))?;
    let features = TableVectorizer::fit(&train.select(&used)?)?;
    let part = |rows: &Table| -> Result<_> {
        let inputs = features.transform(rows)?;
        Ok(Arc::new(TensorDataset::new(
            inputs,
            target_of.to_tensor(rows, &target)?,
        )?))
    };
    let (train, test) = (part(&train)?, part(&test)?);
    let task = Task {
        input: vec![features.feature_names().len()],
        classes: match &target_of {
            Target::Classes { classes } => classes.clone(),
            Target::Number { .. } => Vec::new(),
        },
    };
    let notes = notes(&table, &target, &task, &features, config)?;
    Ok(Samples {
        train,
        test,
        task,
        table: Some(TableEncoding {
            target: target_of,
            features,
        }),
        notes,
    })
}

/// The name of the target's column.
fn target(table: &Table, config: &Config) -> Result<String> {
    let names = table.columns().join(", ");
    let Some(column) = &config.target else {
        let message = format!(
            "{} is a table: say which column to predict, --target COLUMN; there are {names}",
            config.data
        );
        return Err(Error::new(Kind::Value, message));
    };
    find(table, column).map(String::from).ok_or_else(|| {
        data(
            config,
            format!("there is no column {column:?} to predict; there are {names}"),
        )
    })
}

/// The name of a column that is given by its name or its number, from 1.
fn find<'a>(table: &'a Table, column: &str) -> Option<&'a str> {
    let column = column.trim();
    let names = table.columns();
    let numbered = || names.get(column.parse::<usize>().ok()?.checked_sub(1)?);
    let found = names.iter().find(|name| *name == column).or_else(numbered);
    found.map(String::as_str)
}

/// What is predicted, in words.
pub fn target_name(config: &Config) -> String {
    match config.target.as_deref() {
        Some(number) if number.parse::<usize>().is_ok() => format!("column {number}"),
        Some(name) => name.into(),
        None => "the target".into(),
    }
}

/// The columns to learn from.
fn used<'a>(table: &'a Table, target: &str, config: &Config) -> Result<Vec<&'a str>> {
    let mut dropped = vec![target];
    for column in &config.drop {
        dropped.push(find(table, column).ok_or_else(|| {
            let names = table.columns().join(", ");
            let message = format!(
                "drop: {} has no column {column:?}; there are {names}",
                config.data
            );
            Error::new(Kind::Value, message)
        })?);
    }
    let names = table.columns().iter().map(String::as_str);
    Ok(names.filter(|name| !dropped.contains(name)).collect())
}

/// What was found and done, a line each.
fn notes(
    table: &Table,
    target: &str,
    task: &Task,
    features: &TableVectorizer,
    config: &Config,
) -> Result<Vec<String>> {
    let found = match task.classes.len() {
        0 => "a number (regression)".to_string(),
        n => format!("one of {n} classes ({})", some(task.classes.iter())),
    };
    let rows = table.len();
    let numbers = table.column(target)?.kind() == ColumnKind::Integer;
    let other = match (config.objective.is_none() && numbers, task.is_regression()) {
        (false, _) => "",
        (true, true) => "; --task classification takes its values for classes",
        (true, false) => "; --task regression takes them for numbers",
    };
    let mut notes = vec![format!(
        "{}: {rows} rows; {} is predicted, {found}, from {} columns, {} numbers{other}",
        config.data,
        target_name(config),
        features.columns().count(),
        task.input[0],
    )];
    for name in features.columns() {
        let column = table.column(name)?;
        let with = match column {
            Column::Numbers(_) => "filled with the mean",
            Column::Text(_) => "taken for a word",
        };
        match column.missing() {
            0 => {}
            n => notes.push(format!(
                "column {name}: {n} of {rows} values are missing, {with}"
            )),
        }
    }
    for name in features.columns() {
        if let Column::Numbers(list) = table.column(name)?
            && list.len() > 2
            && list.windows(2).all(|two| two[1] - two[0] == 1.0)
        {
            notes.push(format!(
                "column {name} counts the rows; leave it out by --drop {name}"
            ));
        }
    }
    for (name, why) in features.left_out() {
        notes.push(format!("column {name} {why}: left out"));
    }
    Ok(notes)
}

/// The first of several names.
pub fn some<'a>(names: impl ExactSizeIterator<Item = &'a String>) -> String {
    const SHOWN: usize = 5;
    let more = names.len() > SHOWN;
    let mut shown: Vec<&str> = names.take(SHOWN).map(String::as_str).collect();
    if more {
        shown.push("…");
    }
    shown.join(", ")
}

/// An error about the file.
fn data(config: &Config, problem: impl std::fmt::Display) -> Error {
    Error::new(Kind::Data, format!("{}: {problem}", config.data))
}
