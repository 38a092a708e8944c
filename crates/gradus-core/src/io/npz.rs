//! Arrays by name in NumPy's `.npz` format: a zip file of [`npy`] files.
//!
//! An array's name is its entry's without `.npy`, and a key only: whatever path it spells, no file
//! of that name is touched. Entries may be stored, as by `numpy.savez`, or deflated, as by
//! `numpy.savez_compressed`. Deflate makes nothing more than 1032 times smaller; a file that claims
//! it does is refused before memory is asked for, and so is one whose entries share bytes.

use super::atomic::replace;
use super::bytes::unreadable;
use super::{npy, open, shown};
use crate::error::{Error, Result, err};
use crate::tensor::Tensor;
use std::collections::HashSet;
use std::io::{self, Read, Seek, Write};
use std::mem::ManuallyDrop;
use std::path::Path;
use zip::read::{ArchiveOffset, Config};
use zip::result::{ZipError, ZipResult};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, System, ZipArchive, ZipWriter};

/// What an entry's name ends with.
const SUFFIX: &str = ".npy";
/// Bytes of the longest name: with what stands before it, it has to fit in 64 KiB.
const LONGEST: usize = 65_500;
/// What an entry may become, as a multiple of its compressed size. Deflate's best case is a repeat
/// of 258 bytes in 2 bits, 1032 : 1, so that no real file is refused.
const DEFLATE_LIMIT: u64 = 1032;
/// Bytes from which sizes are written in 64 bits, half of what 32 bits count: what cannot be
/// compressed becomes a little larger.
const LARGE: usize = 1 << 31;

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
/// If two tensors have one name, a name has more than 65500 bytes, a tensor more than 64
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
        fill(ZipWriter::new(file), tensors, Compression::Stored)
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
        fill(ZipWriter::new(file), tensors, Compression::Deflated)
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
pub fn read(input: impl Read + Seek) -> Result<Vec<(String, Tensor)>> {
    // Where the list of entries is, the file says. Searching for it can find a later entry of the
    // list in the files of 2 to 4 GiB that Python writes, in which zip64's end follows the list
    // though no number needs it.
    let config = Config {
        archive_offset: ArchiveOffset::Known(0),
    };
    let mut archive = ZipArchive::with_config(config, input).map_err(refused)?;
    // That the list of entries says the same as what stands in front of each, and leaves out none;
    // that no two overlap.
    archive.validate_header_consistency().map_err(refused)?;
    let names = archive.file_names().map(|name| Ok(name?.into_owned()));
    let names: Vec<String> = names.collect::<ZipResult<_>>().map_err(refused)?;
    if let Some(name) = repeated(names.iter().map(|name| key(name))) {
        return Err(err!(
            Data,
            "damaged: two arrays are named '{}'; save it again with names of their own",
            shown(name)
        ));
    }
    let arrays = names.iter().enumerate().map(|(i, name)| {
        let array = array(&mut archive, i).map_err(|e| e.at(place(name)))?;
        Ok((key(name).to_string(), array))
    });
    arrays.collect()
}

/// The array of the `i`th entry.
fn array(archive: &mut ZipArchive<impl Read + Seek>, i: usize) -> Result<Tensor> {
    let mut content = archive.by_index(i).map_err(refused)?;
    let (compressed, size) = (content.compressed_size(), content.size());
    let most = match content.compression() {
        CompressionMethod::Stored => compressed,
        CompressionMethod::Deflated => compressed.saturating_mul(DEFLATE_LIMIT),
        other => {
            return Err(err!(
                Data,
                "it is compressed by {other}, only stored and deflated entries are read; save it with numpy.savez \
                 or numpy.savez_compressed"
            ));
        }
    };
    if size > most {
        return Err(err!(
            Data,
            "damaged: it claims to become {size} bytes, which its {compressed} bytes cannot stand for"
        ));
    }
    let tensor = npy::read_whole(&mut content, size)?;
    // The checksum is compared at the end.
    io::copy(&mut content, &mut io::sink()).map_err(unreadable)?;
    Ok(tensor)
}

/// Writes tensors, with their names, to `out`; see [`save`]. As the sizes of entries cannot be put in
/// front of them when they are known, they follow them, as when NumPy writes to a pipe.
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
    fill(ZipWriter::new_stream(out), tensors, compression)
}

fn fill<N: AsRef<str>, T: AsRef<Tensor>>(
    zip: ZipWriter<impl Write + Seek>,
    tensors: impl IntoIterator<Item = (N, T)>,
    compression: Compression,
) -> Result<()> {
    // After an error, dropping it would make a complete file of what there is.
    let mut zip = ManuallyDrop::new(zip);
    let tensors: Vec<(N, T)> = tensors.into_iter().collect();
    let names = tensors.iter().map(|(name, _)| name.as_ref());
    if let Some(name) = repeated(names) {
        return Err(err!(
            Value,
            "cannot save two tensors named '{name}': each needs a name of its own"
        ));
    }
    // Nothing that depends on the time or the system: equal content gives equal bytes.
    let options = SimpleFileOptions::default()
        .last_modified_time(DateTime::default())
        .system(System::Unix)
        .compression_method(match compression {
            Compression::Stored => CompressionMethod::Stored,
            Compression::Deflated => CompressionMethod::Deflated,
        });
    for (name, tensor) in &tensors {
        let (name, tensor) = (name.as_ref(), tensor.as_ref());
        if name.len() > LONGEST {
            return Err(err!(
                Value,
                "a name of {} bytes: at most {LONGEST} fit in an npz file",
                name.len()
            ));
        }
        let bytes = tensor.numel().saturating_mul(tensor.dtype().size());
        let entry = format!("{name}{SUFFIX}");
        zip.start_file(&entry, options.large_file(bytes >= LARGE))
            .map_err(io::Error::from)?;
        npy::write(&mut *zip, tensor).map_err(|e| e.at(place(&entry)))?;
    }
    let finished = ManuallyDrop::into_inner(zip).finish();
    finished.map_err(io::Error::from)?;
    Ok(())
}

/// What is wrong with a file that is not read as a zip file.
fn refused(e: ZipError) -> Error {
    let what = match e {
        ZipError::Io(e) => return unreadable(e),
        ZipError::InvalidArchive(what) => what.into_owned(),
        other => other.to_string(),
    };
    err!(
        Data,
        "not a complete and plain zip file ({}); get it again, or save it with numpy.savez",
        shown(&what)
    )
}

/// How an entry is named in messages.
fn place(entry: &str) -> String {
    format!("entry '{}'", shown(entry))
}

/// The name of an entry's array.
fn key(entry: &str) -> &str {
    entry.strip_suffix(SUFFIX).unwrap_or(entry)
}

fn repeated<'a>(mut names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let mut seen = HashSet::new();
    names.find(|name| !seen.insert(*name))
}
