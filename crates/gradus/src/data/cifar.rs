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
    classes: [
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
    if let Some(path) = find(&folder, &BINARY) {
        return cifar10_binary(&path);
    }
    let Some(path) = find(&folder, &PICTURES) else {
        return Err(CIFAR_10.incomplete(&folder, &missing()));
    };
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
    let base = |name: &str| name.rsplit('/').next().unwrap_or(name).to_string();
    let wanted = |name: &str| {
        let name = base(name);
        name == "test_batch.bin" || name.starts_with("data_batch_") && name.ends_with(".bin")
    };
    let (mut train, mut test) = (Vec::new(), Vec::new());
    each_file(path, &wanted, &mut |name, content| {
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

fn images(files: &[(String, Vec<u8>)]) -> Result<ImageDataset> {
    let (mut pixels, mut labels) = (Vec::<u8>::new(), Vec::new());
    for (name, content) in files {
        let records = content.chunks_exact(RECORD);
        if !records.remainder().is_empty() || content.is_empty() {
            let message = format!(
                "{name}: {} bytes are no whole number of records of {RECORD} bytes",
                content.len()
            );
            return Err(Error::new(Kind::Data, message));
        }
        for (i, record) in records.enumerate() {
            if usize::from(record[0]) >= CIFAR_10.classes.len() {
                let message = format!(
                    "{name}: label {} of image {i} is none of the {} classes",
                    record[0],
                    CIFAR_10.classes.len()
                );
                return Err(Error::new(Kind::Data, message));
            }
            labels.push(i64::from(record[0]));
            pixels.extend(&record[1..]);
        }
    }
    let [c, h, w] = IMAGE;
    let images = Tensor::from_vec(pixels, [labels.len(), c, h, w])?;
    ImageDataset::new(images, labels, CIFAR_10.classes)
}

fn folder(dir: Option<&Path>) -> Result<PathBuf> {
    Ok(data_dir(dir)?.join(CIFAR_10.name))
}

fn find(folder: &Path, names: &[&str]) -> Option<PathBuf> {
    names
        .iter()
        .map(|name| folder.join(name))
        .find(|path| path.exists())
}

/// What to ask for when there is nothing.
fn missing() -> Vec<String> {
    vec!["cifar-10-binary.tar or cifar-10-images.tar".into()]
}

/// Looks for one of the archives or folders.
pub(super) fn look(dir: Option<&Path>) -> Result<Entry> {
    let folder = folder(dir)?;
    let there = find(&folder, &BINARY).or_else(|| find(&folder, &PICTURES));
    let missing = if there.is_some() { vec![] } else { missing() };
    Ok(CIFAR_10.entry(Some(folder), missing))
}
