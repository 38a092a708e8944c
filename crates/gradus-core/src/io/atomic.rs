//! Writing a file so that a crash or a power cut leaves either the old one or the new one.

use crate::error::{Error, Result};
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

/// Replaces `path` by a file with `bytes`: written beside it, flushed to the disk, then renamed over
/// it.
///
/// # Errors
/// What the system reports, with the path; the old file is then still there.
pub fn write_atomically(path: impl AsRef<Path>, bytes: &[u8]) -> Result<()> {
    let path = path.as_ref();
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    // The process id keeps two programs that save to one place apart.
    name.push(format!(".{}.tmp", std::process::id()));
    let temporary = path.with_file_name(name);
    let write = || {
        let mut file = File::create(&temporary)?;
        file.write_all(bytes)?;
        file.sync_all()?;
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
    write().map_err(|e: std::io::Error| {
        let _ = fs::remove_file(&temporary);
        Error::from(e).at(format!("cannot write {}", path.display()))
    })
}
