//! Arrays by name in NumPy's `.npz` format: a zip file of [`npy`] files.
//!
//! An array's name is its entry's without `.npy`, and a key only: whatever path it spells, no file
//! of that name is touched. Entries may be stored, as by `numpy.savez`, or deflated, as by
//! `numpy.savez_compressed`. Deflate makes nothing more than 1032 times smaller; a file that claims
//! it does is refused before memory is asked for.

use super::atomic::replace;
use super::{npy, open, shown, zip};
use crate::error::{Error, Result, err};
use crate::tensor::Tensor;
use std::collections::HashSet;
use std::io::{Read, Seek, Write};
use std::path::Path;

/// What an entry's name ends with.
const SUFFIX: &str = ".npy";

/// How [`write()`] keeps the arrays.
///
/// ```
/// use gradus_core::{Tensor, io::npz};
/// let zeros = Tensor::zeros([1000]);
/// let (mut stored, mut deflated) = (Vec::new(), Vec::new());
/// npz::write(&mut stored, [("x", &zeros)], npz::Compression::Stored)?;
/// npz::write(&mut deflated, [("x", &zeros)], npz::Compression::Deflated)?;
/// assert!(stored.len() > 4000 && deflated.len() < 400);
/// # Ok::<(), gradus_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compression {
    /// As they are: the fastest, and seldom much larger for trained weights.
    #[default]
    Stored,
    /// Compressed by deflate.
    Deflated,
}

/// Writes tensors, with their names, uncompressed, as `numpy.savez` does; atomically, equal content
/// giving equal bytes.
///
/// # Errors
/// If two tensors have one name, a name has more than 65531 bytes, a tensor more than 64
/// dimensions, or the file cannot be written. The old file is then still there.
///
/// ```
/// use gradus_core::{Tensor, io::npz};
/// # let folder = std::env::temp_dir().join(format!("gradus-doc-npz-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder)?;
/// let path = folder.join("data.npz");
/// npz::save(&path, [("x", Tensor::zeros([2, 3])), ("labels", Tensor::from([1, 0]))])?;
/// let arrays = npz::load(&path)?;
/// assert_eq!(arrays[1].0, "labels");
/// assert_eq!(arrays[1].1.to_vec::<i64>()?, [1, 0]);
/// # std::fs::remove_dir_all(&folder)?;
/// # Ok::<(), gradus_core::Error>(())
/// ```
pub fn save<N: AsRef<str>, T: AsRef<Tensor>>(
    path: impl AsRef<Path>,
    tensors: impl IntoIterator<Item = (N, T)>,
) -> Result<()> {
    replace(path.as_ref(), |file| {
        write(file, tensors, Compression::Stored)
    })
}

/// As [`save`], compressed, as `numpy.savez_compressed` does.
///
/// # Errors
/// As [`save`].
///
/// ```
/// use gradus_core::{Tensor, io::npz};
/// # let folder = std::env::temp_dir().join(format!("gradus-doc-npzc-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder)?;
/// let path = folder.join("data.npz");
/// npz::save_compressed(&path, [("x", Tensor::zeros([100, 100]))])?;
/// assert!(std::fs::metadata(&path)?.len() < 1000);
/// # std::fs::remove_dir_all(&folder)?;
/// # Ok::<(), gradus_core::Error>(())
/// ```
pub fn save_compressed<N: AsRef<str>, T: AsRef<Tensor>>(
    path: impl AsRef<Path>,
    tensors: impl IntoIterator<Item = (N, T)>,
) -> Result<()> {
    replace(path.as_ref(), |file| {
        write(file, tensors, Compression::Deflated)
    })
}

/// Reads every array of a file, with its name, in the order in which the file lists them.
///
/// # Errors
/// If the file cannot be read, is damaged or cut short, has a name twice, entries that overlap, are
/// encrypted or otherwise compressed, or are no arrays that [`npy`] reads.
///
/// ```
/// use gradus_core::{Kind, io::npz};
/// let error = npz::load("no/such/file").unwrap_err();
/// assert_eq!(error.kind(), Kind::Io);
/// assert!(error.to_string().starts_with("no/such/file: "));
/// ```
pub fn load(path: impl AsRef<Path>) -> Result<Vec<(String, Tensor)>> {
    let path = path.as_ref();
    let read = || read(open(path)?.0);
    read().map_err(|e: Error| e.at(path.display()))
}

/// Reads every array; see [`load`].
///
/// # Errors
/// As [`load`].
///
/// ```
/// use gradus_core::{Kind, Tensor, io::npz};
/// use std::io::Cursor;
/// let mut bytes = Vec::new();
/// npz::write(&mut bytes, [("x", Tensor::from([1, 2]))], npz::Compression::Stored)?;
/// assert_eq!(npz::read(Cursor::new(&bytes))?[0].1.to_vec::<i64>()?, [1, 2]);
/// assert_eq!(npz::read(Cursor::new(&bytes[1..])).unwrap_err().kind(), Kind::Data);
/// # Ok::<(), gradus_core::Error>(())
/// ```
pub fn read(mut input: impl Read + Seek) -> Result<Vec<(String, Tensor)>> {
    let entries = zip::entries(&mut input)?;
    let names = entries.iter().map(|entry| key(&entry.name));
    if let Some(name) = repeated(names) {
        return Err(err!(
            Data,
            "damaged: two arrays are named '{}'; save it again with names of their own",
            shown(name)
        ));
    }
    entries
        .iter()
        .map(|entry| {
            let mut read = || {
                let mut content = zip::open(&mut input, entry)?;
                let tensor = npy::read_whole(&mut content, entry.size)?;
                content.finish()?;
                Ok(tensor)
            };
            let tensor = read().map_err(|e: Error| e.at(zip::place(&entry.name)))?;
            Ok((key(&entry.name).to_string(), tensor))
        })
        .collect()
}

/// Writes tensors, with their names, to `out`; see [`save`].
///
/// # Errors
/// If names or dimensions are as [`save`] says, or `out` fails.
///
/// ```
/// use gradus_core::{Tensor, io::npz};
/// let x = Tensor::ones([2]);
/// let mut bytes = Vec::new();
/// npz::write(&mut bytes, [("x", &x), ("y", &x)], npz::Compression::Deflated)?;
/// assert!(npz::write(&mut bytes, [("x", &x), ("x", &x)], npz::Compression::Deflated).is_err());
/// # Ok::<(), gradus_core::Error>(())
/// ```
pub fn write<N: AsRef<str>, T: AsRef<Tensor>>(
    out: impl Write,
    tensors: impl IntoIterator<Item = (N, T)>,
    compression: Compression,
) -> Result<()> {
    let method = match compression {
        Compression::Stored => zip::Method::Stored,
        Compression::Deflated => zip::Method::Deflated,
    };
    let tensors: Vec<(N, T)> = tensors.into_iter().collect();
    let names = tensors.iter().map(|(name, _)| name.as_ref());
    if let Some(name) = repeated(names) {
        return Err(err!(
            Value,
            "cannot save two tensors named '{name}': each needs a name of its own"
        ));
    }
    let mut file = zip::Writer::new(out);
    for (name, tensor) in &tensors {
        let name = name.as_ref();
        let mut array = Vec::new();
        npy::write(&mut array, tensor.as_ref()).map_err(|e| e.at(zip::place(name)))?;
        file.add(&format!("{name}{SUFFIX}"), &array, method)?;
    }
    file.finish()
}

/// The name of an entry's array.
fn key(entry: &str) -> &str {
    entry.strip_suffix(SUFFIX).unwrap_or(entry)
}

fn repeated<'a>(mut names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let mut seen = HashSet::new();
    names.find(|name| !seen.insert(*name))
}
