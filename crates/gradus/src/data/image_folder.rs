//! Pictures in one folder per class: one's own, or a data set that is spread so.

use std::path::{Path, PathBuf};
use std::thread;

use gradus_core::{Error, Kind, Result, Tensor, num_threads};

use super::archive::each_file;
use super::picture::Picture;
use super::{ImageDataset, Split};

/// Files that are read before they are decoded, all threads together.
const BATCH_FILES: usize = 4096;
const BATCH_BYTES: usize = 16 << 20;
/// The folders of the two parts, in the order of [`Split`].
const PARTS: [&str; 2] = ["train", "test"];
/// So many pictures that cannot be read are named.
const NAMED: usize = 10;

/// PNG and JPEG pictures, the folder of each named after its class: `cats/1.jpg`, `dogs/1.jpg`. They
/// lie in a folder, or in an archive, tar (plain or gzipped) or zip, which is read in memory. Classes
/// are numbered in the order of their names, pictures in that of class and name.
///
/// Files of other kinds (by their ends: `.png`, `.jpg` and `.jpeg` are pictures) and those whose name
/// begins with a dot are passed over.
///
/// ```no_run
/// use gradus::data::{DataLoader, ImageFolder, balanced_weights};
/// let pictures = ImageFolder::new("pictures.tar.gz").resize(64, 64);
/// // pictures.tar.gz holds train/cats/1.jpg …, test/cats/7.jpg …
/// let split = pictures.split()?;
/// // There may be more cats than dogs: every class as often as the others.
/// let weights = balanced_weights(split.train.labels());
/// let loader = DataLoader::new(split.train, 32)?.weighted(&weights, 0)?;
/// # Ok::<(), gradus::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct ImageFolder {
    path: PathBuf,
    channels: usize,
    size: Option<[usize; 2]>,
    skip: Option<fn(&Error)>,
}

impl ImageFolder {
    /// The pictures in the folder or archive at `path`, in colour, which must be of one size.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            channels: 3,
            size: None,
            skip: None,
        }
    }

    /// The pictures in grey: one channel instead of three.
    #[must_use]
    pub fn grey(mut self, grey: bool) -> Self {
        self.channels = if grey { 1 } else { 3 };
        self
    }

    /// Brings every picture to this size. Other proportions distort it.
    #[must_use]
    pub fn resize(mut self, height: usize, width: usize) -> Self {
        self.size = Some([height, width]);
        self
    }

    /// Passes over pictures that cannot be decoded, and calls `tell` with what is wrong with each.
    /// Without this they are an error.
    ///
    /// ```no_run
    /// use gradus::data::ImageFolder;
    /// let pictures = ImageFolder::new("pictures.zip").skip_corrupt(|e| eprintln!("skipped: {e}"));
    /// # Ok::<(), gradus::Error>(())
    /// ```
    #[must_use]
    pub fn skip_corrupt(mut self, tell: fn(&Error)) -> Self {
        self.skip = Some(tell);
        self
    }

    /// Every picture, whatever is above the folders of the classes.
    ///
    /// # Errors
    /// [`Kind::Data`] if there is none, some are broken (the message names ten of them at most), they
    /// differ in size and [`resize`](ImageFolder::resize) was not asked for, a folder is empty, or the
    /// archive is damaged; [`Kind::Io`] for files that cannot be read.
    pub fn load(&self) -> Result<ImageDataset> {
        let [pictures] = self.read(|_| Some(0))?;
        self.dataset(pictures, None)
    }

    /// The pictures below `train` and those below `test`, as in `train/cats/1.jpg`. Both have the
    /// classes of `train`.
    ///
    /// # Errors
    /// As [`load`](ImageFolder::load); also if a part is missing or has a class that `train` has
    /// not.
    pub fn split(&self) -> Result<Split> {
        let [train, test] = self.read(|above| {
            let part = above.rsplit('/').next()?;
            PARTS.iter().position(|name| *name == part)
        })?;
        for (part, pictures) in PARTS.iter().zip([&train, &test]) {
            if pictures.files.is_empty() {
                return Err(self.error(format_args!(
                    "no pictures below a folder '{part}'; expected {part}/CLASS/NAME.png (or .jpg)"
                )));
            }
        }
        let train = self.dataset(train, None)?;
        let test = self.dataset(test, Some(train.classes()))?;
        if train.shape() != test.shape() {
            return Err(self.error(format_args!(
                "the pictures to train on have the shape {:?}, those to test on {:?}; give a size to \
                 resize them to",
                train.shape(),
                test.shape()
            )));
        }
        Ok(Split { train, test })
    }

    /// Reads the pictures into the parts that `part` tells by what is above the folder of the class.
    fn read<const N: usize>(&self, part: impl Fn(&str) -> Option<usize>) -> Result<[Pictures; N]> {
        let place = |name: &str| {
            let (above, _, file) = divide(name)?;
            let is_picture = !file.starts_with('.') && {
                let end = file.rsplit_once('.')?.1.to_ascii_lowercase();
                ["png", "jpg", "jpeg"].contains(&end.as_str())
            };
            part(above).filter(|_| is_picture)
        };
        let mut parts = [const { Pictures::new() }; N];
        let mut files: Vec<(String, Vec<u8>)> = Vec::new();
        let mut bytes = 0;
        let mut corrupt = Corrupt::default();
        let mut flush = |files: &mut Vec<(String, Vec<u8>)>| {
            for (name, picture) in self.decode(std::mem::take(files)) {
                let Some(part) = place(&name) else { continue };
                match (picture, self.skip) {
                    (Ok(picture), _) => parts[part].push(name, &picture, &self.path)?,
                    (Err(e), Some(tell)) if e.kind() == Kind::Data => {
                        tell(&e.at(format_args!("{}: {name}", self.path.display())));
                    }
                    (Err(e), _) => corrupt.add(e.at(name)),
                }
            }
            Ok::<_, Error>(())
        };
        each_file(
            &self.path,
            &|name| place(name).is_some(),
            &mut |name, content| {
                bytes += content.len();
                files.push((name, content));
                if files.len() == BATCH_FILES || bytes >= BATCH_BYTES {
                    bytes = 0;
                    flush(&mut files)?;
                }
                Ok(())
            },
        )?;
        flush(&mut files)?;
        corrupt
            .refused()
            .map_or(Ok(parts), |e| Err(e.at(self.path.display())))
    }

    /// Decodes files in several threads; the results are in the order of the files.
    fn decode(&self, files: Vec<(String, Vec<u8>)>) -> Vec<(String, Result<Picture>)> {
        let picture = |file: &[u8]| {
            let picture = Picture::decode(file, self.channels)?;
            match self.size {
                Some([height, width]) => picture.resized(height, width),
                None => Ok(picture),
            }
        };
        let share = files.len().div_ceil(num_threads()).max(1);
        let pictures: Vec<Result<Picture>> = thread::scope(|scope| {
            let workers: Vec<_> = (files.chunks(share))
                .map(|files| {
                    scope.spawn(move || {
                        files
                            .iter()
                            .map(|(_, file)| picture(file))
                            .collect::<Vec<_>>()
                    })
                })
                .collect();
            let join = |worker: thread::ScopedJoinHandle<'_, Vec<_>>| {
                worker
                    .join()
                    .unwrap_or_else(|e| std::panic::resume_unwind(e))
            };
            workers.into_iter().flat_map(join).collect()
        });
        files
            .into_iter()
            .map(|(name, _)| name)
            .zip(pictures)
            .collect()
    }

    /// The data set of some pictures: with these classes, or with those that occur.
    fn dataset(&self, pictures: Pictures, classes: Option<&[String]>) -> Result<ImageDataset> {
        let Some([height, width]) = pictures.size else {
            return Err(self.error(format_args!(
                "no pictures; expected CLASS/NAME.png (or .jpg), one folder for each class"
            )));
        };
        let mut order: Vec<usize> = (0..pictures.files.len()).collect();
        order.sort_by_key(|&i| {
            divide(&pictures.files[i]).map(|(above, class, file)| (class, above, file))
        });
        let class = |i: usize| divide(&pictures.files[i]).map_or("", |(_, class, _)| class);
        let classes = classes.map(<[String]>::to_vec).unwrap_or_else(|| {
            let mut names: Vec<String> = order.iter().map(|&i| class(i).to_string()).collect();
            names.dedup();
            names
        });
        let labels = (order.iter())
            .map(|&i| {
                let number = classes.binary_search_by(|name| name.as_str().cmp(class(i)));
                number.map(|n| n as i64).map_err(|_| {
                    self.error(format_args!(
                        "{}: there is no class '{}' to train on",
                        pictures.files[i],
                        class(i)
                    ))
                })
            })
            .collect::<Result<Vec<_>>>()?;
        let shape = [order.len(), self.channels, height, width];
        let bytes = pictures.sorted(&order);
        ImageDataset::new(Tensor::from_vec(bytes, shape)?, labels, classes)
            .map_err(|e| e.at(self.path.display()))
    }

    fn error(&self, message: std::fmt::Arguments<'_>) -> Error {
        Error::new(Kind::Data, format!("{}: {message}", self.path.display()))
    }
}

/// What is above the folder of the class, the class, and the name of the file.
fn divide(name: &str) -> Option<(&str, &str, &str)> {
    let (folder, file) = name.rsplit_once('/')?;
    let (above, class) = folder.rsplit_once('/').unwrap_or(("", folder));
    Some((above, class, file))
}

/// What is wrong with pictures: the first errors, and how many more there are.
#[derive(Default)]
struct Corrupt {
    first: Vec<Error>,
    more: usize,
}

impl Corrupt {
    fn add(&mut self, e: Error) {
        match self.first.len() < NAMED {
            true => self.first.push(e),
            false => self.more += 1,
        }
    }

    /// One error of all.
    fn refused(self) -> Option<Error> {
        let kind = self.first.first()?.kind();
        let mut messages: Vec<String> = self.first.iter().map(Error::to_string).collect();
        if self.more > 0 {
            messages.push(format!("and {} more", self.more));
        }
        let remedy = match messages.len() {
            1 => "repair or remove it, or have it skipped",
            _ => "repair or remove them, or have them skipped",
        };
        Some(Error::new(
            kind,
            format!("{}; {remedy}", messages.join("; ")),
        ))
    }
}

/// Decoded pictures of one size, one after the other.
struct Pictures {
    files: Vec<String>,
    bytes: Vec<u8>,
    size: Option<[usize; 2]>,
}

impl Pictures {
    const fn new() -> Self {
        Self {
            files: Vec::new(),
            bytes: Vec::new(),
            size: None,
        }
    }

    fn push(&mut self, file: String, picture: &Picture, path: &Path) -> Result<()> {
        let size = [picture.height, picture.width];
        let [height, width] = *self.size.get_or_insert(size);
        if size != [height, width] {
            let message = format!(
                "{}: {file} has {}×{} pixels, but {} has {width}×{height}; give a size to resize them to",
                path.display(),
                picture.width,
                picture.height,
                self.files[0],
            );
            return Err(Error::new(Kind::Data, message));
        }
        self.bytes.try_reserve(picture.bytes.len()).map_err(|e| {
            let message = format!(
                "{}: {} pictures and no end: {e}",
                path.display(),
                self.files.len()
            );
            Error::new(Kind::Memory, message)
        })?;
        self.bytes.extend(picture.planes());
        self.files.push(file);
        Ok(())
    }

    /// The bytes of the pictures in this order.
    fn sorted(self, order: &[usize]) -> Vec<u8> {
        if order.is_sorted() {
            return self.bytes;
        }
        let length = self.bytes.len() / order.len();
        let picture = |&i: &usize| &self.bytes[i * length..(i + 1) * length];
        order.iter().flat_map(picture).copied().collect()
    }
}
