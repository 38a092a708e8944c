//! The files of a folder, or of a tar or zip archive, which is not unpacked to disk.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;
use gradus_core::{Error, Kind, Result};
use zip::ZipArchive;
use zip::result::ZipError;

/// Larger files in archives and folders are refused: no picture and no part of a data set is.
const MAX_FILE: u64 = 256 << 20;
/// As much is allocated on the word of a header; past it, memory grows as data arrives.
const FIRST_ALLOCATION: u64 = 1 << 20;
/// Folders deeper than this are passed over.
const MAX_DEPTH: usize = 8;

/// Reads every file of the folder, the tar archive (plain or gzipped) or the zip archive at `path`
/// whose name `wanted` accepts, and hands name and content to `see`. Names begin within the folder or
/// archive and have slashes. The files of a folder come in the order of their names, those of an
/// archive as they lie in it. Links to folders are not followed, and links in archives are passed
/// over. A folder within the folder that has nothing in it is an error: somebody forgot something.
pub(super) fn each_file(
    path: &Path,
    wanted: &dyn Fn(&str) -> bool,
    see: &mut dyn FnMut(String, Vec<u8>) -> Result<()>,
) -> Result<()> {
    if path.is_dir() {
        return folder(path, "", 0, wanted, see);
    }
    let open = || {
        let mut start = Vec::new();
        File::open(path)?.take(4).read_to_end(&mut start)?;
        Ok::<_, io::Error>((start, File::open(path)?))
    };
    let at = |e: io::Error| Error::from(e).at(path.display());
    let (start, file) = open().map_err(at)?;
    // The second is an archive of nothing.
    match &start[..] {
        b"PK\x03\x04" | b"PK\x05\x06" => zip_archive(path, file, wanted, see),
        _ => archive(path, unpacked(file).map_err(at)?, wanted, see),
    }
}

/// The content of a file, gzipped or not, which its first bytes tell.
pub(super) fn unpacked(file: File) -> io::Result<Box<dyn Read>> {
    let mut file = BufReader::with_capacity(1 << 16, file);
    let gzipped = file.fill_buf()?.starts_with(&[0x1f, 0x8b]);
    Ok(match gzipped {
        true => Box::new(MultiGzDecoder::new(file)),
        false => Box::new(file),
    })
}

fn folder(
    path: &Path,
    prefix: &str,
    depth: usize,
    wanted: &dyn Fn(&str) -> bool,
    see: &mut dyn FnMut(String, Vec<u8>) -> Result<()>,
) -> Result<()> {
    let at = |path: &Path, e: io::Error| Error::from(e).at(path.display());
    let mut entries = fs::read_dir(path)
        .and_then(Iterator::collect::<io::Result<Vec<_>>>)
        .map_err(|e| at(path, e))?;
    entries.sort_by_key(fs::DirEntry::file_name);
    if entries.is_empty() && !prefix.is_empty() {
        let message = format!("{}: the folder is empty; remove or fill it", path.display());
        return Err(Error::new(Kind::Data, message));
    }
    for entry in entries {
        let path = entry.path();
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        let is_folder = entry.file_type().map_err(|e| at(&path, e))?.is_dir();
        if is_folder && depth < MAX_DEPTH {
            folder(&path, &format!("{name}/"), depth + 1, wanted, see)?;
        } else if !is_folder && wanted(&name) {
            let file = File::open(&path).map_err(|e| at(&path, e))?;
            let size = file.metadata().map_err(|e| at(&path, e))?.len();
            let bytes = content(file, size).map_err(|e| e.at(path.display()))?;
            see(name, bytes)?;
        }
    }
    Ok(())
}

fn archive(
    path: &Path,
    content_of: impl Read,
    wanted: &dyn Fn(&str) -> bool,
    see: &mut dyn FnMut(String, Vec<u8>) -> Result<()>,
) -> Result<()> {
    let damaged = |e: io::Error| match e.raw_os_error() {
        // Errors of the operating system carry its code; those of the decoders do not.
        Some(_) => Error::from(e).at(path.display()),
        None => {
            let message = format!("{}: damaged, or no tar or zip archive: {e}", path.display());
            Error::new(Kind::Data, message.replace('\n', " "))
        }
    };
    let mut archive = tar::Archive::new(content_of);
    let mut empty = true;
    for entry in archive.entries().map_err(damaged)? {
        let entry = entry.map_err(damaged)?;
        empty = false;
        let name = entry.path().map_err(damaged)?;
        let name = name.to_string_lossy().replace('\\', "/");
        let name = name.trim_start_matches("./").to_string();
        if !entry.header().entry_type().is_file() || !wanted(&name) {
            continue;
        }
        let size = entry.size();
        let bytes =
            content(entry, size).map_err(|e| e.at(format_args!("{}: {name}", path.display())))?;
        see(name, bytes)?;
    }
    if empty {
        let message = format!(
            "{}: the archive is empty, or no tar or zip archive",
            path.display()
        );
        return Err(Error::new(Kind::Data, message));
    }
    // To the end, where the checksum is.
    io::copy(&mut archive.into_inner(), &mut io::sink()).map_err(damaged)?;
    Ok(())
}

fn zip_archive(
    path: &Path,
    file: File,
    wanted: &dyn Fn(&str) -> bool,
    see: &mut dyn FnMut(String, Vec<u8>) -> Result<()>,
) -> Result<()> {
    let damaged = |e: ZipError| {
        let message = format!("{}: damaged zip archive: {e}", path.display());
        Error::new(Kind::Data, message.replace('\n', " "))
    };
    let mut archive = ZipArchive::new(BufReader::new(file)).map_err(damaged)?;
    for i in 0..archive.len() {
        let entry = archive.by_index(i).map_err(damaged)?;
        let name = entry.name().map_err(damaged)?.replace('\\', "/");
        if !entry.is_file() || !wanted(&name) {
            continue;
        }
        let size = entry.size();
        let bytes =
            content(entry, size).map_err(|e| e.at(format_args!("{}: {name}", path.display())))?;
        see(name, bytes)?;
    }
    Ok(())
}

/// All of a file that says it has `size` bytes.
fn content(file: impl Read, size: u64) -> Result<Vec<u8>> {
    if size > MAX_FILE {
        let message = format!("{size} bytes; files of more than {MAX_FILE} are not read");
        return Err(Error::new(Kind::Data, message));
    }
    let mut bytes = Vec::with_capacity(size.min(FIRST_ALLOCATION) as usize);
    // To the end, where zip has a checksum.
    let read = file.take(size + 1).read_to_end(&mut bytes);
    match read {
        Ok(n) if n as u64 == size => Ok(bytes),
        Ok(n) => {
            let message = match n as u64 > size {
                true => format!("more than its {size} bytes"),
                false => format!("truncated: {n} of {size} bytes"),
            };
            Err(Error::new(Kind::Data, message))
        }
        Err(e) if e.raw_os_error().is_some() => Err(e.into()),
        Err(e) => Err(Error::new(Kind::Data, format!("damaged: {e}"))),
    }
}
