//! Files: written whole or not at all, read with memory bounded by their size.
//!
//! | module | files |
//! |---|---|
//! | [`npy`] | one array, NumPy's `.npy` |
//! | [`npz`] | arrays by name, NumPy's `.npz` |
//! | [`safetensors`] | tensors by name, the format of models |
//!
//! Whatever a file claims about itself, reading it takes a fixed amount of memory and what the
//! bytes that are really there can stand for.

mod atomic;
mod bytes;
pub mod npy;
pub mod npz;
pub mod safetensors;

pub use atomic::write_atomically;

use crate::error::Result;
use std::fs::File;
use std::io::{BufReader, Cursor, Read, Seek};
use std::path::Path;

trait Source: Read + Seek {}
impl<T: Read + Seek> Source for T {}

/// A file and its length. What has no length, a pipe for example, is read whole first.
fn open(path: &Path) -> Result<(Box<dyn Source>, u64)> {
    let mut file = File::open(path)?;
    let about = file.metadata()?;
    if about.is_file() {
        return Ok((Box::new(BufReader::new(file)), about.len()));
    }
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    let len = bytes.len() as u64;
    Ok((Box::new(Cursor::new(bytes)), len))
}

/// Text from a file as it stands in a message: on one line, which it does not make long.
fn shown(text: &str) -> String {
    const LONGEST: usize = 100;
    let mut shown = String::new();
    for c in text.chars().take(LONGEST) {
        match c.is_control() {
            true => shown.extend(c.escape_default()),
            false => shown.push(c),
        }
    }
    if text.chars().nth(LONGEST).is_some() {
        shown.push('…');
    }
    shown
}

/// A new empty folder for one test, which removes it when it has passed.
#[cfg(test)]
fn test_folder(name: &str) -> std::path::PathBuf {
    let name = format!("gradus-core-{name}-{}", std::process::id());
    let folder = std::env::temp_dir().join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir(&folder).expect("the folder for temporary files can be written");
    folder
}
