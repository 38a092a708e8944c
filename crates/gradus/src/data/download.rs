//! Fetching data sets, when it is asked for and never otherwise.
//!
//! A file is written beside its place as `NAME.part`, which stays when something breaks and is where
//! the next try goes on. It gets its name when its content has been checked, so what has the name is
//! whole.

mod source;
mod transfer;

pub use source::DOWNLOADS;

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Duration;

use gradus_core::{Error, Kind, Result};

use super::folder::data_dir;
use source::Source;
use transfer::{Trouble, fetch};

/// How often a server is asked that breaks off in the middle.
const TRIES: usize = 5;
const PATIENCE: Duration = Duration::from_secs(30);

/// Fetches a data set into the folder that [`load`](super::load) looks for it in.
///
/// Known servers are asked in order, each again as long as it breaks off in the middle. What arrived
/// is kept, also after the program's end, and the next call goes on from there. Files that are there
/// are checked, not fetched. MNIST, Fashion-MNIST and abalone are known by the SHA-256 of their
/// content; CIFAR-10, for which none is known that we could compute ourselves, by its structure: the
/// size of each batch, and labels below ten.
///
/// The network is reached by the system's program `curl`.
///
/// ```no_run
/// use gradus::data::{self, Download};
/// use std::ops::ControlFlow;
/// let fetched = Download::new("mnist")?.run(&mut |_| ControlFlow::Continue(()))?;
/// assert_eq!(fetched.map(|files| files.len()), Some(4));
/// let mnist = data::mnist(None)?;
/// # Ok::<(), gradus::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Download {
    set: String,
    data_dir: Option<PathBuf>,
    from: Option<String>,
    patience: Duration,
}

/// What happens during a [`Download`].
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum DownloadEvent<'a> {
    /// A file is asked for.
    Begin {
        /// Its name.
        file: &'a str,
        /// The address or the path that it comes from.
        from: &'a str,
    },
    /// Some of it is there. Comes ten times a second at least, whatever happens.
    Bytes {
        /// How many bytes, with those of earlier tries.
        done: u64,
        /// How many there will be, if the server says it.
        total: Option<u64>,
    },
    /// It did not work; something else is tried.
    Problem {
        /// The address or the path that is at fault.
        from: &'a str,
        /// What is wrong.
        why: &'a str,
    },
    /// The file is there, and right.
    Done(&'a Fetched),
}

/// A file of a data set, which is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    /// Where it lies.
    pub path: PathBuf,
    /// The address or the path that it came from; none if it was there before.
    pub from: Option<String>,
    /// What it was recognised by: `sha256` of its content, or its `structure`.
    pub checked_by: &'static str,
}

/// Who watches, and says whether to go on.
type Watch<'a> = &'a mut dyn FnMut(DownloadEvent<'_>) -> ControlFlow<()>;

impl Download {
    /// The set called `name`, one of [`DOWNLOADS`], into its folder in [`data_dir`].
    ///
    /// # Errors
    /// [`Kind::Value`] for another name.
    ///
    /// ```
    /// use gradus::data::Download;
    /// assert!(Download::new("abalone").is_ok());
    /// let error = Download::new("mnits").unwrap_err().to_string();
    /// assert!(error.contains("mnist, fashion-mnist, cifar-10, abalone"), "{error}");
    /// ```
    pub fn new(name: &str) -> Result<Self> {
        if !DOWNLOADS.contains(&name) {
            let message = format!(
                "no data set '{name}' to download; there are {}",
                DOWNLOADS.join(", ")
            );
            return Err(Error::new(Kind::Value, message));
        }
        Ok(Self {
            set: name.into(),
            data_dir: None,
            from: None,
            patience: PATIENCE,
        })
    }

    /// Into the folder of the set in this directory.
    #[must_use]
    pub fn data_dir(mut self, data_dir: Option<&Path>) -> Self {
        self.data_dir = data_dir.map(Path::to_path_buf);
        self
    }

    /// From this folder or address (`http://…`, `https://…`) and from nowhere else: for rooms without
    /// internet. It holds the files by their names, gzipped or not, or in a folder of the name of the
    /// set; another data directory will do.
    #[must_use]
    pub fn from(mut self, folder_or_url: Option<&str>) -> Self {
        self.from = folder_or_url.map(str::to_string);
        self
    }

    /// How long a server may say nothing before it is given up. Default: 30 seconds.
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Fetches what is missing and tells `watch` about it; none if that breaks.
    ///
    /// # Errors
    /// [`Kind::Data`] if nobody gives a right file (the message says what was wrong with whom and what
    /// to do), if a file that is there is not what it should be, or `curl` is missing; [`Kind::Io`] if
    /// a file cannot be written. Files that were complete stay.
    pub fn run(&self, watch: Watch<'_>) -> Result<Option<Vec<Fetched>>> {
        let folder = data_dir(self.data_dir.as_deref())?.join(&self.set);
        fs::create_dir_all(&folder).map_err(|e| Error::from(e).at(folder.display()))?;
        let mut all = Vec::new();
        for source in source::files(&self.set).unwrap_or_default() {
            let fetched = match self.there(&source, &folder, watch)? {
                Some(path) => (path, None),
                None => match self.get(&source, &folder, watch)? {
                    Some((path, from)) => (path, Some(from)),
                    None => return Ok(None),
                },
            };
            let fetched = Fetched {
                path: fetched.0,
                from: fetched.1,
                checked_by: source.checked_by(),
            };
            let go_on = watch(DownloadEvent::Done(&fetched));
            all.push(fetched);
            if go_on.is_break() {
                return Ok(None);
            }
        }
        Ok(Some(all))
    }

    /// The file, if it is there and right. A wrong one may be replaced if it has the name of what is
    /// fetched.
    fn there(&self, source: &Source, folder: &Path, watch: Watch<'_>) -> Result<Option<PathBuf>> {
        let Some(path) = source.find(folder) else {
            return Ok(None);
        };
        match source.check(&path) {
            Ok(()) => Ok(Some(path)),
            Err(e) if path == folder.join(&source.name) => {
                let (from, why) = (path.display().to_string(), e.to_string());
                let _ = watch(DownloadEvent::Problem {
                    from: &from,
                    why: &why,
                });
                Ok(None)
            }
            Err(e) => Err(
                Error::new(e.kind(), format!("{e}; remove it to fetch it anew")).at(path.display()),
            ),
        }
    }

    /// Fetches the file from the first that has it. None if the user does not want any more.
    fn get(
        &self,
        source: &Source,
        folder: &Path,
        watch: Watch<'_>,
    ) -> Result<Option<(PathBuf, String)>> {
        // The names under which somebody may have it, and the places.
        let plain = source.name.strip_suffix(".gz").unwrap_or(&source.name);
        let places: Vec<(String, &str)> = match &self.from {
            None => source
                .urls()
                .into_iter()
                .map(|url| (url, source.name.as_str()))
                .collect(),
            Some(from) => {
                let base = from.trim_end_matches('/');
                let mut names = vec![source.name.as_str(), plain];
                names.dedup();
                let places = names.into_iter().flat_map(|name| {
                    let set = &self.set;
                    [format!("{base}/{set}/{name}"), format!("{base}/{name}")]
                        .map(|place| (place, name))
                });
                places.collect()
            }
        };
        let mut wrong = Vec::new();
        for (from, name) in places {
            let place = Place {
                source,
                folder,
                name,
                from: &from,
            };
            let result = match from.starts_with("http://") || from.starts_with("https://") {
                true => self.download(&place, watch),
                false => place.copy(watch),
            };
            let why = match result {
                Ok(path) => return Ok(Some((path, from))),
                Err(Trouble::Stopped) => return Ok(None),
                Err(Trouble::Local(e)) => return Err(e),
                Err(Trouble::Broken(why) | Trouble::Refused(why)) => why,
            };
            if watch(DownloadEvent::Problem {
                from: &from,
                why: &why,
            })
            .is_break()
            {
                return Ok(None);
            }
            wrong.push(format!("{from}: {why}"));
        }
        let remedy = match self.from {
            Some(_) => "it must hold the files by their names",
            None => {
                "try again later, which goes on from what has arrived, or fetch it from a folder \
                     or an address that has it (--from)"
            }
        };
        let message = format!(
            "{} of {}: nobody gave it ({}); {remedy}",
            source.name,
            self.set,
            wrong.join("; ")
        );
        Err(Error::new(Kind::Data, message))
    }

    /// From a server, which is asked again as long as it breaks off.
    fn download(&self, place: &Place<'_>, watch: Watch<'_>) -> Result<PathBuf, Trouble> {
        let mut part = place.part()?;
        let result = self.ask(place, &mut part, watch);
        if result.is_err() && part.metadata().is_ok_and(|part| part.len() == 0) {
            let _ = fs::remove_file(place.part_path());
        }
        result
    }

    fn ask(
        &self,
        place: &Place<'_>,
        part: &mut File,
        watch: Watch<'_>,
    ) -> Result<PathBuf, Trouble> {
        let from = place.from;
        let mut tries = 0;
        loop {
            tries += 1;
            if watch(DownloadEvent::Begin {
                file: place.name,
                from,
            })
            .is_break()
            {
                return Err(Trouble::Stopped);
            }
            let before = part.metadata().map_err(|e| Trouble::Local(e.into()))?.len();
            let tell = &mut |done, total| watch(DownloadEvent::Bytes { done, total });
            let fetched = fetch(from, part, place.source.most(), self.patience, tell);
            let why = match fetched.map(|()| place.finish(part)) {
                Ok(Ok(path)) => return Ok(path),
                // It may be the beginning that was wrong, which came at another time.
                Ok(Err(Trouble::Refused(why))) if before > 0 => why,
                Err(Trouble::Broken(why)) => why,
                Ok(Err(trouble)) | Err(trouble) => return Err(trouble),
            };
            if tries == TRIES {
                return Err(Trouble::Refused(format!("{why}, and so {TRIES} times")));
            }
            if watch(DownloadEvent::Problem { from, why: &why }).is_break() {
                return Err(Trouble::Stopped);
            }
        }
    }
}

/// A file, where it may come from, and where it goes.
struct Place<'a> {
    source: &'a Source,
    folder: &'a Path,
    name: &'a str,
    from: &'a str,
}

impl Place<'_> {
    fn part_path(&self) -> PathBuf {
        self.folder.join(format!("{}.part", self.name))
    }

    /// The file under way, for this program alone.
    fn part(&self) -> Result<File, Trouble> {
        let path = self.part_path();
        let local = |e: io::Error| Trouble::Local(Error::from(e).at(path.display()));
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let part = options.open(&path).map_err(local)?;
        match part.try_lock() {
            Err(TryLockError::WouldBlock) => {
                let message = format!("{}: another program is fetching it", path.display());
                Err(Trouble::Local(Error::new(Kind::Data, message)))
            }
            // Some file systems have no locks.
            Ok(()) | Err(TryLockError::Error(_)) => Ok(part),
        }
    }

    /// Checks what has arrived, and gives it its name. What is wrong is removed.
    fn finish(&self, part: &File) -> Result<PathBuf, Trouble> {
        let path = self.part_path();
        if let Err(e) = self.source.check(&path) {
            part.set_len(0).map_err(|e| Trouble::Local(e.into()))?;
            return Err(Trouble::Refused(e.to_string()));
        }
        let target = self.folder.join(self.name);
        let rename = || {
            part.sync_all()?;
            fs::rename(&path, &target)
        };
        rename().map_err(|e| Trouble::Local(Error::from(e).at(target.display())))?;
        Ok(target)
    }

    /// From a folder.
    fn copy(&self, watch: Watch<'_>) -> Result<PathBuf, Trouble> {
        let mut file = match File::open(self.from) {
            Ok(file) => file,
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                return Err(Trouble::Refused("there is no such file".into()));
            }
            Err(e) => return Err(Trouble::Refused(e.to_string())),
        };
        let Self {
            name: file_name,
            from,
            ..
        } = *self;
        if watch(DownloadEvent::Begin {
            file: file_name,
            from,
        })
        .is_break()
        {
            return Err(Trouble::Stopped);
        }
        let check = self.source.check(Path::new(self.from));
        check.map_err(|e| Trouble::Refused(e.to_string()))?;
        let mut part = self.part()?;
        let copied = part
            .set_len(0)
            .and_then(|()| io::copy(&mut file, &mut part));
        copied.map_err(|e| Trouble::Local(Error::from(e).at(self.part_path().display())))?;
        self.finish(&part)
    }
}
