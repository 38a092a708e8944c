//! Where tests find real data. It is not part of the repository: the environment variable
//! `GRADUS_DATA` names the directory, else it is `../shared/data` beside the checkout.

use std::path::{Path, PathBuf};

use gradus::data;

/// The directory that real data are looked for in, whether it exists or not.
pub fn data_dir() -> PathBuf {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    match std::env::var_os("GRADUS_DATA") {
        Some(dir) if !dir.is_empty() => dir.into(),
        _ => beside,
    }
}

/// Whether the data set `name` is there. If not, says so: a test that needs it must count as
/// ignored, never as passed.
pub fn has(name: &str) -> bool {
    let dir = data_dir();
    let entries = data::list(Some(&dir)).expect("the directory is given");
    let present = entries
        .iter()
        .any(|entry| entry.name == name && entry.is_present());
    if !present {
        eprintln!(
            "SKIPPED: data set {name} not found in {}; set GRADUS_DATA",
            dir.display()
        );
    }
    present
}
