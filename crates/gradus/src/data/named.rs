//! Data sets that are known by name: what they are, where they lie, and how they are divided.

use std::path::{Path, PathBuf};
use std::thread;

use gradus_core::{Error, Kind, Result, Tensor};

use super::cifar::{self, cifar10};
use super::folder::{IdxFile, VARIABLE, data_dir};
use super::idx::{self, Idx};
use super::{ImageDataset, ReadCsv, Table};

/// The names that [`load`] takes.
pub const NAMES: [&str; 4] = [
    DIGITS.name,
    MNIST.name,
    FASHION_MNIST.name,
    cifar::CIFAR_10.name,
];

/// Images to learn from, and others to find out how much was learnt.
#[derive(Clone, Debug)]
pub struct Split {
    /// The images to train on.
    pub train: ImageDataset,
    /// Images kept apart, to measure with.
    pub test: ImageDataset,
}

/// What is known about a data set without reading it; see [`list`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Entry {
    /// The name that [`load`] takes if it has images, which is also the name of its folder.
    pub name: &'static str,
    /// What it shows, and in which form.
    pub about: &'static str,
    /// The number of images to train on, or of a table's rows.
    pub train: usize,
    /// The number of images to test on.
    pub test: usize,
    /// Where it comes from.
    pub source: &'static str,
    /// The folder it was looked for in; none if it is part of the program.
    pub folder: Option<PathBuf>,
    /// The files that are not there, by their plain names.
    pub missing: Vec<String>,
}

impl Entry {
    /// Whether the data set can be loaded, as far as the names of its files tell.
    pub fn is_present(&self) -> bool {
        self.missing.is_empty()
    }
}

/// What is written here about each set.
pub(super) struct Known {
    pub name: &'static str,
    pub about: &'static str,
    pub train: usize,
    pub test: usize,
    pub source: &'static str,
    pub classes: &'static [&'static str],
}

const DIGIT_NAMES: &[&str] = &["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];

const DIGITS: Known = Known {
    name: "digits",
    about: "handwritten digits, grey, 8×8",
    train: 1437,
    test: 360,
    source: "https://archive.ics.uci.edu/dataset/80/optical+recognition+of+handwritten+digits",
    classes: DIGIT_NAMES,
};

const MNIST: Known = Known {
    name: "mnist",
    about: "handwritten digits, grey, 28×28",
    train: 60_000,
    test: 10_000,
    source: "https://github.com/cvdfoundation/mnist",
    classes: DIGIT_NAMES,
};

const FASHION_MNIST: Known = Known {
    name: "fashion-mnist",
    about: "articles of clothing, grey, 28×28",
    train: 60_000,
    test: 10_000,
    source: "https://github.com/zalandoresearch/fashion-mnist",
    classes: &[
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    ],
};

const ABALONE: Known = Known {
    name: "abalone",
    about: "sea snails, a table of 9 columns: sex, sizes, weights, and rings, which tell the age",
    train: 4177,
    test: 0,
    source: "https://archive.ics.uci.edu/dataset/1/abalone",
    classes: &[],
};

/// Its columns, which the file does not name.
const ABALONE_COLUMNS: [&str; 9] = [
    "Sex",
    "Length",
    "Diameter",
    "Height",
    "Whole_weight",
    "Shucked_weight",
    "Viscera_weight",
    "Shell_weight",
    "Rings",
];

/// Images and labels to train on, then those to test on.
pub(super) const FILES: [[IdxFile; 2]; 2] = [
    [file("train-images", 3), file("train-labels", 1)],
    [file("t10k-images", 3), file("t10k-labels", 1)],
];

const fn file(stem: &'static str, rank: usize) -> IdxFile {
    IdxFile { stem, rank }
}

/// The data set called `name`, one of [`NAMES`], from [`data_dir`]`(data_dir)`.
///
/// # Errors
/// [`Kind::Value`] for an unknown name, otherwise as [`mnist`].
///
/// ```
/// use gradus::data::{self, Dataset};
/// let digits = data::load("digits", None)?;
/// assert_eq!((digits.train.len(), digits.test.len()), (1437, 360));
/// # Ok::<(), gradus::Error>(())
/// ```
pub fn load(name: &str, data_dir: Option<&Path>) -> Result<Split> {
    match name {
        "digits" => digits(),
        "mnist" => mnist(data_dir),
        "fashion-mnist" => fashion_mnist(data_dir),
        "cifar-10" => cifar10(data_dir),
        _ => Err(Error::new(
            Kind::Value,
            format!(
                "unknown data set '{name}', the known ones are {}",
                NAMES.join(", ")
            ),
        )),
    }
}

/// What is known about every data set, those of [`NAMES`] and after them tables, and whether its files
/// are in [`data_dir`]`(data_dir)`.
///
/// # Errors
/// As [`data_dir`].
///
/// ```
/// use gradus::data;
/// let known = data::list(None)?;
/// assert!(known[..4].iter().map(|entry| entry.name).eq(data::NAMES));
/// assert!(known[0].is_present(), "the digits are part of the program");
/// # Ok::<(), gradus::Error>(())
/// ```
pub fn list(data_dir: Option<&Path>) -> Result<Vec<Entry>> {
    Ok(vec![
        DIGITS.entry(None, vec![]),
        MNIST.look(data_dir)?,
        FASHION_MNIST.look(data_dir)?,
        cifar::look(data_dir)?,
        ABALONE.look_for(data_dir, "abalone.data")?,
    ])
}

/// 1,797 handwritten digits of 8×8 pixels, part of the program; pixels from 0 to 16, inputs x / 16.
///
/// The images are ordered by writer. Of every 50 the first ten are to test on, the others to train
/// on: 360 and 1,437 (80 %), both with all of the 13 hands and all classes, like the random division
/// of 80 to 20 that is usual for these images. Hands that were seen flatter every model: asked for
/// the last 360 images, by people who (but for one) wrote none of those it was trained on, the
/// default model gets five to six points less.
///
/// Source: E. Alpaydin and C. Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine
/// Learning Repository (1998), test part; the same images as scikit-learn's `load_digits`.
///
/// # Errors
/// If there is no memory for them.
///
/// ```
/// use gradus::data::{self, Dataset};
/// let digits = data::digits()?;
/// let (x, y) = digits.train.batch(&[0, 1, 2])?;
/// assert_eq!((x.shape(), y.to_vec::<i64>()?), (&[3, 1, 8, 8][..], vec![0, 1, 2]));
/// # Ok::<(), gradus::Error>(())
/// ```
pub fn digits() -> Result<Split> {
    let images = idx::parse(include_bytes!("../../assets/digits-images-idx3-ubyte.gz"))?;
    let labels = idx::parse(include_bytes!("../../assets/digits-labels-idx1-ubyte.gz"))?;
    let images = Tensor::from_vec(&images.bytes, &images.shape)?;
    // Blocks of ten and not every fifth: many of the images are 0 to 9 again and again.
    let part = |test: bool| {
        let numbers: Vec<usize> = (0..labels.bytes.len())
            .filter(|i| (i / 10 % 5 == 0) == test)
            .collect();
        let at: Vec<i64> = numbers.iter().map(|&i| i as i64).collect();
        let images = images.index_select(0, &Tensor::from_vec(at, [numbers.len()])?)?;
        let labels: Vec<i64> = numbers.iter().map(|&i| labels.bytes[i].into()).collect();
        ImageDataset::new(images, labels, DIGITS.classes.iter().copied())?.white(16)
    };
    Ok(Split {
        train: part(false)?,
        test: part(true)?,
    })
}

/// MNIST: 60,000 handwritten digits of 28×28 pixels to train on and 10,000 to test on; inputs
/// x / 255. Read from the folder `mnist` in [`data_dir`]`(data_dir)`, which must hold
/// `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`, `t10k-images-idx3-ubyte` and
/// `t10k-labels-idx1-ubyte`; plain or gzipped (`.gz`), with a dot for the second hyphen if need be.
///
/// Source: LeCun, Cortes and Burges, "The MNIST database of handwritten digits".
///
/// # Errors
/// [`Kind::Data`] when files are missing (the message says which, where they were looked for and
/// how to get them) or are not what they should be; [`Kind::Io`] when a file cannot be read.
///
/// ```no_run
/// use gradus::data::{self, Dataset};
/// let mnist = data::mnist(None)?;
/// assert_eq!((mnist.train.len(), mnist.train.shape()), (60_000, &[1, 28, 28][..]));
/// let (mean, std) = mnist.train.mean_std()?;
/// assert_eq!(format!("{mean:.4} {std:.4}"), "0.1307 0.3081");
/// # Ok::<(), gradus::Error>(())
/// ```
pub fn mnist(data_dir: Option<&Path>) -> Result<Split> {
    MNIST.load(data_dir)
}

/// Fashion-MNIST: pictures of clothes in place of the digits, otherwise as [`mnist`]; from the
/// folder `fashion-mnist`.
///
/// Source: Xiao, Rasul and Vollgraf, "Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine
/// Learning Algorithms" (2017).
///
/// # Errors
/// As [`mnist`].
///
/// ```no_run
/// let fashion = gradus::data::fashion_mnist(None)?;
/// assert_eq!(fashion.test.classes()[9], "Ankle boot");
/// # Ok::<(), gradus::Error>(())
/// ```
pub fn fashion_mnist(data_dir: Option<&Path>) -> Result<Split> {
    FASHION_MNIST.load(data_dir)
}

/// Abalone: 4,177 sea snails with sex, seven sizes and weights, and the rings of their shells; a table
/// for regression. Read from `abalone/abalone.data` in [`data_dir`]`(data_dir)`.
///
/// Source: Nash et al., "The Population Biology of Abalone (Haliotis species) in Tasmania" (1994), UCI
/// Machine Learning Repository.
///
/// # Errors
/// [`Kind::Data`] when the file is missing (the message says how to get it) or is not what it should
/// be; [`Kind::Io`] when it cannot be read.
///
/// ```no_run
/// let snails = gradus::data::abalone(None)?;
/// assert_eq!((snails.len(), snails.columns().len()), (4177, 9));
/// # Ok::<(), gradus::Error>(())
/// ```
pub fn abalone(data_dir: Option<&Path>) -> Result<Table> {
    let entry = ABALONE.look_for(data_dir, "abalone.data")?;
    let folder = entry.folder.unwrap_or_default();
    if !entry.missing.is_empty() {
        return Err(ABALONE.incomplete(&folder, &entry.missing));
    }
    let csv = ReadCsv::new().names(&ABALONE_COLUMNS);
    csv.read(folder.join("abalone.data"))
}

impl Known {
    pub fn entry(&self, folder: Option<PathBuf>, missing: Vec<String>) -> Entry {
        Entry {
            name: self.name,
            about: self.about,
            train: self.train,
            test: self.test,
            source: self.source,
            folder,
            missing,
        }
    }

    /// Looks for a single file.
    fn look_for(&self, dir: Option<&Path>, name: &str) -> Result<Entry> {
        let folder = data_dir(dir)?.join(self.name);
        let there = folder.join(name).is_file();
        let missing = if there { vec![] } else { vec![name.into()] };
        Ok(self.entry(Some(folder), missing))
    }

    /// Looks for the IDX files.
    fn look(&self, dir: Option<&Path>) -> Result<Entry> {
        let folder = data_dir(dir)?.join(self.name);
        let missing = missing(&find(&folder));
        Ok(self.entry(Some(folder), missing))
    }

    /// Reads the IDX files; those to test on in a second thread.
    fn load(&self, dir: Option<&Path>) -> Result<Split> {
        let folder = data_dir(dir)?.join(self.name);
        let paths = find(&folder);
        let [
            [Some(train_images), Some(train_labels)],
            [Some(test_images), Some(test_labels)],
        ] = &paths
        else {
            return Err(self.incomplete(&folder, &missing(&paths)));
        };
        let (train, test) = thread::scope(|scope| {
            let test = scope.spawn(|| self.part(test_images, test_labels));
            let train = self.part(train_images, train_labels);
            let test = test.join();
            (train, test.unwrap_or_else(|e| std::panic::resume_unwind(e)))
        });
        let split = Split {
            train: train?,
            test: test?,
        };
        let shapes = [split.train.shape(), split.test.shape()];
        if shapes[0] != shapes[1] {
            let message = format!(
                "images to train on of shape {:?} but images to test on of shape {:?}: \
                 they must be of one size",
                shapes[0], shapes[1]
            );
            return Err(Error::new(Kind::Data, message).at(folder.display()));
        }
        Ok(split)
    }

    /// Reads a file of images and that of their labels.
    fn part(&self, image_path: &Path, label_path: &Path) -> Result<ImageDataset> {
        let labels = read(label_path, 1)?;
        let images = read(image_path, 3)?;
        let images = Tensor::from_vec(images.bytes, images.shape)?;
        let labels: Vec<i64> = labels.bytes.into_iter().map(i64::from).collect();
        ImageDataset::new(images, labels, self.classes.iter().copied()).map_err(|e| {
            e.at(format_args!(
                "{} and {}",
                image_path.display(),
                label_path.display()
            ))
        })
    }

    pub fn incomplete(&self, folder: &Path, missing: &[String]) -> Error {
        let message = format!(
            "the data set {name} is not complete in {folder}: missing {files} (plain or .gz); \
             `gradus data get {name}` fetches it (source: {source}), or give the directory that holds \
             the folder {name} as data directory or in the environment variable {VARIABLE}",
            name = self.name,
            folder = folder.display(),
            files = missing.join(", "),
            source = self.source,
        );
        Error::new(Kind::Data, message)
    }
}

/// The paths of [`FILES`], where they exist.
fn find(folder: &Path) -> [[Option<PathBuf>; 2]; 2] {
    FILES.map(|pair| pair.map(|file| file.find(folder)))
}

/// The names of those that do not.
fn missing(paths: &[[Option<PathBuf>; 2]; 2]) -> Vec<String> {
    let files = FILES.as_flattened().iter().zip(paths.as_flattened());
    files
        .filter(|(_, path)| path.is_none())
        .map(|(file, _)| file.name())
        .collect()
}

/// Reads an IDX file that must have `rank` dimensions.
fn read(path: &Path, rank: usize) -> Result<Idx> {
    let array = idx::read(path)?;
    if array.shape.len() == rank {
        return Ok(array);
    }
    let message = format!(
        "expected an array of {rank} dimensions, found shape {:?}",
        array.shape
    );
    Err(Error::new(Kind::Data, message).at(path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Dataset;
    use std::fs;

    /// A data directory whose folder `mnist` holds 3 + 2 images of 2×2 pixels.
    struct Fixture(tempfile::TempDir);

    impl Fixture {
        fn new() -> Self {
            let fixture = Self(tempfile::tempdir().unwrap());
            fs::create_dir(fixture.folder()).unwrap();
            fixture.write("train-images-idx3-ubyte", &[3, 2, 2], &[255; 12]);
            fixture.write("train-labels-idx1-ubyte", &[3], &[9, 0, 4]);
            fixture.write("t10k-images.idx3-ubyte", &[2, 2, 2], &[0; 8]);
            fixture.write("t10k-labels-idx1-ubyte", &[2], &[1, 2]);
            fixture
        }

        fn folder(&self) -> PathBuf {
            self.0.path().join("mnist")
        }

        fn write(&self, name: &str, sizes: &[u32], elements: &[u8]) {
            let mut content = vec![0, 0, 8, sizes.len() as u8];
            content.extend(sizes.iter().flat_map(|size| size.to_be_bytes()));
            content.extend(elements);
            fs::write(self.folder().join(name), content).unwrap();
        }

        fn load(&self) -> Result<Split> {
            mnist(Some(self.0.path()))
        }

        /// The message of the [`Kind::Data`] error that loading must give.
        fn complaint(&self) -> String {
            let error = self.load().expect_err("the set is broken");
            assert_eq!(error.kind(), Kind::Data, "{error}");
            let message = error.to_string();
            assert!(!message.contains('\n'), "more than one line: {message}");
            message
        }
    }

    #[test]
    fn the_four_files_become_two_sets() {
        let split = Fixture::new().load().unwrap();
        assert_eq!((split.train.len(), split.test.len()), (3, 2));
        let (x, y) = split.train.batch(&[0, 2]).unwrap();
        assert_eq!(x.to_vec::<f32>().unwrap(), [1.0; 8]);
        assert_eq!(y.to_vec::<i64>().unwrap(), [9, 4]);
    }

    /// A user who does not know what to do next.
    #[test]
    fn missing_files_are_named_with_the_place_and_the_remedy() {
        let fixture = Fixture::new();
        fs::remove_file(fixture.folder().join("t10k-images.idx3-ubyte")).unwrap();
        let message = fixture.complaint();
        let place = fixture.folder().display().to_string();
        for part in [
            place.as_str(),
            "missing t10k-images-idx3-ubyte (plain or .gz)",
            "`gradus data get mnist`",
            "https://",
            "GRADUS_DATA",
        ] {
            assert!(message.contains(part), "{message:?} lacks {part:?}");
        }
        let message = fashion_mnist(Some(fixture.0.path()))
            .unwrap_err()
            .to_string();
        for file in FILES.as_flattened() {
            assert!(message.contains(&file.name()), "{message}");
        }
    }

    /// Files that fit the format and not each other.
    #[test]
    fn each_mistake_is_named_with_its_file() {
        type Break = fn(&Fixture);
        let cases: [(Break, &str); 6] = [
            (
                |f| f.write("train-labels-idx1-ubyte", &[2], &[1, 2]),
                "train-labels-idx1-ubyte: 3 images but 2 labels",
            ),
            (
                |f| f.write("train-labels-idx1-ubyte", &[3], &[1, 2, 10]),
                "label 10 of image 2 is none of the 10 classes",
            ),
            (
                |f| f.write("t10k-labels-idx1-ubyte", &[2, 1], &[1, 2]),
                "t10k-labels-idx1-ubyte: expected an array of 1 dimensions, found shape [2, 1]",
            ),
            (
                |f| f.write("t10k-images.idx3-ubyte", &[8], &[0; 8]),
                "t10k-images.idx3-ubyte: expected an array of 3 dimensions, found shape [8]",
            ),
            (
                |f| {
                    f.write("t10k-images.idx3-ubyte", &[0, 2, 2], &[]);
                    f.write("t10k-labels-idx1-ubyte", &[0], &[]);
                },
                "at least one image of at least one pixel, got shape [0, 2, 2]",
            ),
            (
                |f| f.write("t10k-images.idx3-ubyte", &[2, 2, 1], &[0; 4]),
                "shape [1, 2, 2] but images to test on of shape [1, 2, 1]",
            ),
        ];
        for (damage, expected) in cases {
            let fixture = Fixture::new();
            damage(&fixture);
            let message = fixture.complaint();
            assert!(message.contains(expected), "{message:?} lacks {expected:?}");
        }
    }

    /// A list that promises what `load` cannot keep, or the other way round.
    #[test]
    fn the_list_agrees_with_what_can_be_loaded() {
        let fixture = Fixture::new();
        let mut entries = list(Some(fixture.0.path())).unwrap();
        assert_eq!(
            entries.pop().unwrap().is_present(),
            abalone(Some(fixture.0.path())).is_ok()
        );
        assert!(entries.iter().map(|entry| entry.name).eq(NAMES));
        for entry in &entries {
            let loaded = load(entry.name, Some(fixture.0.path()));
            assert_eq!(entry.is_present(), loaded.is_ok(), "{entry:?}");
        }
        assert_eq!(entries[0].folder, None);
        assert_eq!(entries[1].folder, Some(fixture.folder()));
        assert_eq!(entries[2].missing.len(), 4);

        let error = load("mnits", None).unwrap_err();
        assert_eq!(error.kind(), Kind::Value);
        assert!(
            error
                .to_string()
                .contains("digits, mnist, fashion-mnist, cifar-10")
        );
    }

    /// A class that the test part of the digits lacks, or images given to both parts.
    #[test]
    fn the_digits_are_divided_as_documented() {
        let Split { train, test } = digits().unwrap();
        assert_eq!((train.len(), test.len()), (DIGITS.train, DIGITS.test));
        assert_eq!(train.len() + test.len(), 1797);
        let count =
            |set: &ImageDataset, class| set.labels().iter().filter(|&&l| l == class).count();
        for class in 0..10 {
            assert!((137..=148).contains(&count(&train, class)));
            assert!((34..=40).contains(&count(&test, class)));
        }
        let start =
            |set: &ImageDataset| set.get(0).unwrap().0.to_vec::<f32>().unwrap()[..6].to_vec();
        // Images 0 and 10 of all.
        assert_eq!(start(&test), [0.0, 0.0, 0.3125, 0.8125, 0.5625, 0.0625]);
        assert_eq!(start(&train), [0.0, 0.0, 0.0625, 0.5625, 0.9375, 0.6875]);
        assert_eq!(
            test.batch(&[359])
                .unwrap()
                .0
                .amax(..)
                .unwrap()
                .item::<f32>()
                .unwrap(),
            1.0
        );
    }
}
