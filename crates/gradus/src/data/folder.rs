//! Where data sets lie on this machine.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;
use gradus_core::{Error, Kind, Result};

/// The environment variable that names the data directory.
pub(super) const VARIABLE: &str = "GRADUS_DATA";

/// The directory that data sets are looked for in, each in a folder of its own name: `given`, else
/// what the environment variable `GRADUS_DATA` says, else `gradus` in the user's cache folder
/// (`$XDG_CACHE_HOME` or `~/.cache`, on macOS `~/Library/Caches`, on Windows `%LOCALAPPDATA%`). It
/// need not exist, and nothing is created.
///
/// # Errors
/// [`Kind::Data`] if neither is given and the user has no home folder.
///
/// ```
/// use std::path::Path;
/// let here = gradus::data::data_dir(Some(Path::new("data")))?;
/// assert_eq!(here, Path::new("data"));
/// # Ok::<(), gradus::Error>(())
/// ```
pub fn data_dir(given: Option<&Path>) -> Result<PathBuf> {
    choose(given, std::env::var_os(VARIABLE).as_deref(), || {
        let native = etcetera::base_strategy::choose_native_strategy().ok()?;
        Some(native.cache_dir())
    })
}

/// [`data_dir`] with what the environment says as arguments. An empty variable counts as none.
fn choose(
    given: Option<&Path>,
    variable: Option<&OsStr>,
    cache: impl FnOnce() -> Option<PathBuf>,
) -> Result<PathBuf> {
    let named = given.or_else(|| variable.filter(|v| !v.is_empty()).map(Path::new));
    named
        .map(Path::to_path_buf)
        .or_else(|| Some(cache()?.join("gradus")))
        .ok_or_else(|| {
            Error::new(
                Kind::Data,
                format!(
                    "no data directory: none was given, the environment variable {VARIABLE} is not set, \
                     and the user has no home folder; set {VARIABLE}"
                ),
            )
        })
}

/// An IDX file of a data set of the MNIST family.
#[derive(Clone, Copy)]
pub(super) struct IdxFile {
    /// E.g. `train-images`.
    pub stem: &'static str,
    /// The number of dimensions, which is part of the file's name.
    pub rank: usize,
}

impl IdxFile {
    /// The usual name, not gzipped: `train-images-idx3-ubyte`.
    pub fn name(self) -> String {
        format!("{}-idx{}-ubyte", self.stem, self.rank)
    }

    /// The file in `folder`, plain or gzipped, under the usual name or under the one that some
    /// programs unpack it to (`train-images.idx3-ubyte`); if there are several, the first of these.
    pub fn find(self, folder: &Path) -> Option<PathBuf> {
        let names = [self.name(), format!("{}.idx{}-ubyte", self.stem, self.rank)];
        let candidates = names
            .iter()
            .flat_map(|name| [name.clone(), format!("{name}.gz")]);
        candidates
            .map(|name| folder.join(name))
            .find(|path| path.is_file())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Data read from another place than the one that was asked for.
    #[test]
    fn the_nearest_word_about_the_directory_counts() {
        let cache = || Some(PathBuf::from("cache"));
        let [given, variable] = ["given", "variable"];
        let found = |g: Option<&str>, v: Option<&str>| {
            choose(g.map(Path::new), v.map(OsStr::new), cache).unwrap()
        };
        assert_eq!(found(Some(given), Some(variable)), Path::new("given"));
        assert_eq!(found(None, Some(variable)), Path::new("variable"));
        assert_eq!(found(None, Some("")), Path::new("cache").join("gradus"));
        assert_eq!(found(None, None), Path::new("cache").join("gradus"));

        let error = choose(None, None, || None).unwrap_err();
        assert_eq!(error.kind(), Kind::Data);
        assert!(error.to_string().contains("set GRADUS_DATA"), "{error}");
    }

    /// A file that is there under one of its usual names and is not found.
    #[test]
    fn files_are_found_under_all_their_names() {
        let folder = tempfile::tempdir().unwrap();
        let file = IdxFile {
            stem: "t10k-labels",
            rank: 1,
        };
        assert_eq!(file.find(folder.path()), None);
        // From the last choice to the first.
        for name in [
            "t10k-labels.idx1-ubyte.gz",
            "t10k-labels.idx1-ubyte",
            "t10k-labels-idx1-ubyte.gz",
            "t10k-labels-idx1-ubyte",
        ] {
            let path = folder.path().join(name);
            std::fs::write(&path, "").unwrap();
            assert_eq!(file.find(folder.path()), Some(path));
        }
    }
}
