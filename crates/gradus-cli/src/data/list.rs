//! `gradus data list`.

use crate::failure::{Failure, Result};
use crate::output::{self, thousands};
use crate::samples::DataDir;
use clap::Args;
use gradus::data::{self, Entry};
use serde_json::json;
use std::path::PathBuf;

/// List every data set: what it is, its size, and whether it is there
#[derive(Args)]
#[command(after_help = "\
Examples:
  gradus data list
  gradus data list --data-dir ~/data
  gradus data list --json

`gradus data get NAME` fetches a set; or put its files, plain or gzipped, into a folder of its name.")]
pub struct List {
    #[command(flatten)]
    data: DataDir,
    /// Print one JSON array
    #[arg(long)]
    json: bool,
}

impl List {
    pub fn run(self) -> Result {
        let entries = data::list(self.data.data_dir.as_deref()).map_err(Failure::data)?;
        if self.json {
            return output::line(entries.iter().map(as_json).collect::<serde_json::Value>());
        }
        entries
            .iter()
            .try_for_each(|entry| output::line(as_text(entry)))
    }
}

fn folder(entry: &Entry) -> Option<String> {
    let folder: Option<&PathBuf> = entry.folder.as_ref();
    folder.map(|folder| folder.display().to_string())
}

fn as_json(entry: &Entry) -> serde_json::Value {
    json!({
        "name": entry.name,
        "about": entry.about,
        "train": entry.train,
        "test": entry.test,
        "present": entry.is_present(),
        "folder": folder(entry),
        "missing": entry.missing,
        "source": entry.source,
    })
}

fn as_text(entry: &Entry) -> String {
    let (train, test) = (thousands(entry.train), thousands(entry.test));
    let size = match entry.test {
        0 => format!("{train} rows"),
        _ => format!("{train} images to train on, {test} to test on"),
    };
    let head = format!("{}: {}; {size}", entry.name, entry.about);
    match folder(entry) {
        None => format!("{head}\n  part of the program"),
        Some(folder) if entry.is_present() => format!("{head}\n  present in {folder}"),
        Some(folder) => format!(
            "{head}\n  missing: looked in {folder} for {} (plain or .gz)\n  \
             `gradus data get {}` fetches it (from {}), or say --data-dir or GRADUS_DATA",
            entry.missing.join(", "),
            entry.name,
            entry.source
        ),
    }
}
