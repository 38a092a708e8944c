//! CIFAR-10, in the binary layout of its authors or as pictures in folders.

use std::path::{Path, PathBuf};

use gradus_core::{Error, Kind, Result, Tensor};

use super::archive::each_file;
use super::folder::data_dir;
use super::named::{Entry, Known};
use super::{ImageDataset, ImageFolder, Split};

pub(super) const CIFAR_10: Known = Known {
    name: "cifar-10",
    about: "animals and vehicles, in colour, 32×32",
    train: 50_000,
    test: 10_000,
    source: "https://www.cs.toronto.edu/~kriz/cifar.html",
    classes: &[
        "airplane",
        "automobile",
        "bird",
        "cat",
        "deer",
        "dog",
        "frog",
        "horse",
        "ship",
        "truck",
    ],
};

const IMAGE: [usize; 3] = [3, 32, 32];
/// A label, then red, green and blue.
const RECORD: usize = 1 + 3 * 32 * 32;
/// The files of its authors, and the records of each.
const BATCHES: [&str; 6] = [
    "data_batch_1.bin",
    "data_batch_2.bin",
    "data_batch_3.bin",
    "data_batch_4.bin",
    "data_batch_5.bin",
    "test_batch.bin",
];
const BATCH: usize = 10_000;

/// Where it may lie in its folder: archives or what comes out of them.
const BINARY: [&str; 3] = [
    "cifar-10-binary.tar.gz",
    "cifar-10-binary.tar",
    "cifar-10-batches-bin",
];
const PICTURES: [&str; 3] = [
    "cifar-10-images.tar.gz",
    "cifar-10-images.tar",
    "cifar-10-images",
];

/// CIFAR-10: 50,000 colour images of 32×32 pixels to train on and 10,000 to test on; inputs x / 255.
/// Read from the folder `cifar-10` in [`data_dir`]`(data_dir)`: from its authors'
/// `cifar-10-binary.tar.gz`, or from `cifar-10-images.tar.gz` with pictures as
/// `train/CLASS/NAME.jpg` (or `.png`) and `test/CLASS/NAME.jpg`, without `.gz`, or unpacked (the
/// former into `cifar-10-batches-bin`).
///
/// Source: A. Krizhevsky, "Learning Multiple Layers of Features from Tiny Images" (2009).
///
/// # Errors
/// [`Kind::Data`] when there is none of these (the message says how to get them) or it is damaged;
/// [`Kind::Io`] when a file cannot be read.
///
/// ```no_run
/// use gradus::data::{self, Dataset};
/// let cifar = data::cifar10(None)?;
/// assert_eq!((cifar.train.len(), cifar.train.shape()), (50_000, &[3, 32, 32][..]));
/// # Ok::<(), gradus::Error>(())
/// ```
pub fn cifar10(data_dir: Option<&Path>) -> Result<Split> {
    let folder = folder(data_dir)?;
    let Some(path) = find(&folder) else {
        return Err(CIFAR_10.incomplete(&folder, &missing()));
    };
    if !is_pictures(&path) {
        return cifar10_binary(&path);
    }
    let split = ImageFolder::new(&path).split()?;
    if split.train.shape() != IMAGE || split.train.classes() != CIFAR_10.classes {
        let message = format!(
            "{}: pictures of shape {:?} of the classes {}: this is not CIFAR-10",
            path.display(),
            split.train.shape(),
            split.train.classes().join(", ")
        );
        return Err(Error::new(Kind::Data, message));
    }
    Ok(split)
}

/// CIFAR-10, or a part of it, in the binary layout: `path` is a folder or a tar archive that holds
/// `data_batch_1.bin` and so on to train on, in the order of their names, and `test_batch.bin`. A
/// record is a byte for the class, then 1024 bytes each for red, green and blue, row by row.
///
/// # Errors
/// [`Kind::Data`] when files are missing or are not what they should be; [`Kind::Io`] when one
/// cannot be read.
pub fn cifar10_binary(path: &Path) -> Result<Split> {
    let (mut train, mut test) = (Vec::new(), Vec::new());
    each_file(path, &is_batch, &mut |name, content| {
        let is_test = base(&name) == "test_batch.bin";
        if is_test { &mut test } else { &mut train }.push((name, content));
        Ok(())
    })?;
    train.sort();
    let part = |files: &[(String, Vec<u8>)], name: &str| {
        if files.is_empty() {
            Err(Error::new(Kind::Data, format!("no file {name}")))
        } else {
            images(files)
        }
        .map_err(|e| e.at(path.display()))
    };
    Ok(Split {
        train: part(&train, "data_batch_1.bin")?,
        test: part(&test, "test_batch.bin")?,
    })
}

/// Makes sure that `path` holds what its authors publish, as far as its form tells: six files of
/// 10,000 records whose labels are those of the ten classes.
pub(super) fn check(path: &Path) -> Result<()> {
    let mut found = Vec::new();
    each_file(path, &is_batch, &mut |name, content| {
        let n = records(&name, &content)?.len();
        if n != BATCH {
            let message = format!("{name}: {n} images, expected {BATCH}");
            return Err(Error::new(Kind::Data, message));
        }
        found.push(base(&name).to_string());
        Ok(())
    })?;
    found.sort();
    if found != BATCHES {
        let message = format!("holds the files {found:?}, expected {BATCHES:?}");
        return Err(Error::new(Kind::Data, message));
    }
    Ok(())
}

fn base(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

fn is_batch(name: &str) -> bool {
    let name = base(name);
    name == "test_batch.bin" || name.starts_with("data_batch_") && name.ends_with(".bin")
}

/// The records of a file, each with its label in front.
fn records<'a>(name: &str, content: &'a [u8]) -> Result<&'a [[u8; RECORD]]> {
    let (records, rest) = content.as_chunks();
    if !rest.is_empty() || records.is_empty() {
        let message = format!(
            "{name}: {} bytes are no whole number of records of {RECORD} bytes",
            content.len()
        );
        return Err(Error::new(Kind::Data, message));
    }
    let classes = CIFAR_10.classes.len();
    if let Some(i) = records
        .iter()
        .position(|record| usize::from(record[0]) >= classes)
    {
        let message = format!(
            "{name}: label {} of image {i} is none of the {classes} classes",
            records[i][0]
        );
        return Err(Error::new(Kind::Data, message));
    }
    Ok(records)
}

fn images(files: &[(String, Vec<u8>)]) -> Result<ImageDataset> {
    let (mut pixels, mut labels) = (Vec::<u8>::new(), Vec::new());
    for (name, content) in files {
        for record in records(name, content)? {
            labels.push(i64::from(record[0]));
            pixels.extend(&record[1..]);
        }
    }
    let [c, h, w] = IMAGE;
    let images = Tensor::from_vec(pixels, [labels.len(), c, h, w])?;
    ImageDataset::new(images, labels, CIFAR_10.classes.iter().copied())
}

fn folder(dir: Option<&Path>) -> Result<PathBuf> {
    Ok(data_dir(dir)?.join(CIFAR_10.name))
}

/// Where it lies in its folder, in one of its forms.
pub(super) fn find(folder: &Path) -> Option<PathBuf> {
    let names = BINARY.iter().chain(&PICTURES);
    names
        .map(|name| folder.join(name))
        .find(|path| path.exists())
}

/// Whether [`find`] found pictures, not records.
pub(super) fn is_pictures(path: &Path) -> bool {
    PICTURES.iter().any(|name| path.ends_with(name))
}

/// What to ask for when there is nothing.
fn missing() -> Vec<String> {
    vec!["cifar-10-binary.tar or cifar-10-images.tar".into()]
}

/// Looks for one of the archives or folders.
pub(super) fn look(dir: Option<&Path>) -> Result<Entry> {
    let folder = folder(dir)?;
    let missing = if find(&folder).is_some() {
        vec![]
    } else {
        missing()
    };
    Ok(CIFAR_10.entry(Some(folder), missing))
}
