//! Writing a file so that a crash or a power cut leaves either the old one or the new one.

use crate::error::{Error, Result};
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

/// Replaces `path` by a file with `bytes`: written beside it, flushed to the disk, then renamed over
/// it.
///
/// # Errors
/// What the system reports, with the path; the old file is then still there.
///
/// ```
/// use gradus_core::io::write_atomically;
/// # let folder = std::env::temp_dir().join(format!("gradus-doc-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder)?;
/// let path = folder.join("notes.txt");
/// write_atomically(&path, b"first")?;
/// write_atomically(&path, b"second")?;
/// assert_eq!(std::fs::read(&path)?, b"second");
/// # std::fs::remove_dir_all(&folder)?;
/// # Ok::<(), gradus_core::Error>(())
/// ```
pub fn write_atomically(path: impl AsRef<Path>, bytes: &[u8]) -> Result<()> {
    replace(path.as_ref(), |file| Ok(file.write_all(bytes)?))
}

/// As [`write_atomically`], with what `fill` writes.
pub(super) fn replace(
    path: &Path,
    fill: impl FnOnce(&mut BufWriter<File>) -> Result<()>,
) -> Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    // Two programs, or two threads of one, may save to the same place at the same time.
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    name.push(format!(".{}-{number}.tmp", std::process::id()));
    let temporary = path.with_file_name(name);
    let write = || {
        let mut file = BufWriter::new(File::create(&temporary)?);
        fill(&mut file)?;
        file.into_inner().map_err(|e| e.into_error())?.sync_all()?;
        fs::rename(&temporary, path)?;
        // The rename itself is on the disk only when its folder is. Folders can be opened on Unix.
        if cfg!(unix) {
            File::open(
                path.parent()
                    .filter(|p| !p.as_os_str().is_empty())
                    .unwrap_or(Path::new(".")),
            )?
            .sync_all()?;
        }
        Ok(())
    };
    write().map_err(|e: Error| {
        let _ = fs::remove_file(&temporary);
        e.at(format!("cannot write {}", path.display()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Kind;
    use crate::io::test_folder;
    use std::ffi::OsString;

    fn names(folder: &Path) -> Vec<OsString> {
        let entries = fs::read_dir(folder).unwrap();
        entries.map(|e| e.unwrap().file_name()).collect()
    }

    #[test]
    fn a_write_replaces_the_file_and_leaves_nothing_else() {
        let folder = test_folder("replace");
        let path = folder.join("file");
        for bytes in [&b"a long first version"[..], b"second", b""] {
            write_atomically(&path, bytes).unwrap();
            assert_eq!(fs::read(&path).unwrap(), bytes);
        }
        assert_eq!(names(&folder), ["file"]);
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_failed_write_names_the_path_and_leaves_the_old_file() {
        let folder = test_folder("failed");
        // A folder that is not empty cannot be replaced by a file.
        let taken = folder.join("taken");
        fs::create_dir(&taken).unwrap();
        write_atomically(taken.join("old"), b"old").unwrap();
        for path in [&taken, &folder.join("missing").join("file")] {
            let error = write_atomically(path, b"new").unwrap_err();
            let path = path.display().to_string();
            assert!(error.kind() == Kind::Io && error.to_string().contains(&path));
        }
        assert_eq!(fs::read(taken.join("old")).unwrap(), b"old");
        assert_eq!(names(&folder), ["taken"]);
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_path_without_a_folder_is_one_in_the_current_folder() {
        let name = format!("gradus-test-{}", std::process::id());
        write_atomically(&name, b"here").unwrap();
        assert_eq!(fs::read(Path::new(".").join(&name)).unwrap(), b"here");
        fs::remove_file(name).unwrap();
        for nothing in ["", "..", "/"] {
            assert!(write_atomically(nothing, b"x").is_err(), "{nothing:?}");
        }
    }

    #[test]
    fn threads_that_write_one_path_leave_one_whole_file() {
        let folder = test_folder("threads");
        let path = folder.join("file");
        std::thread::scope(|scope| {
            for i in 1..=4u8 {
                let path = &path;
                scope.spawn(move || {
                    for _ in 0..20 {
                        write_atomically(path, &vec![i; 20_000 * usize::from(i)]).unwrap();
                        let seen = fs::read(path).unwrap();
                        assert!(seen.len() == 20_000 * usize::from(seen[0]));
                        assert!(seen.iter().all(|&x| x == seen[0]));
                    }
                });
            }
        });
        assert_eq!(names(&folder), ["file"]);
        fs::remove_dir_all(folder).unwrap();
    }
}
