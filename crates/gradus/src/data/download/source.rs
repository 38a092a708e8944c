//! What can be fetched, from where, and how it is recognised.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use gradus_core::{Error, Kind, Result};
use hmac_sha256::Hash;

use crate::data::archive::unpacked;
use crate::data::cifar;
use crate::data::folder::IdxFile;
use crate::data::named::FILES;

/// The sets that can be fetched, by the names of their folders.
pub const DOWNLOADS: [&str; 4] = ["mnist", "fashion-mnist", "cifar-10", "abalone"];

/// Tried in this order. What ends with a slash is a folder, the others are the file itself.
const MNIST: [&str; 2] = [
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
];
const FASHION_MNIST: [&str; 2] = [
    "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
];
/// From its author alone: there is no checksum that would tell a copy from something else.
const CIFAR_10: [&str; 1] = ["https://www.cs.toronto.edu/~kriz/"];
const ABALONE: [&str; 2] = [
    "https://archive.ics.uci.edu/ml/machine-learning-databases/abalone/",
    "https://raw.githubusercontent.com/jbrownlee/Datasets/master/abalone.csv",
];

/// SHA-256 and number of bytes of the IDX files, which are what all mirrors agree on: how they are
/// compressed differs. In the order of [`FILES`].
const MNIST_IDX: [(u64, &str); 4] = [
    (
        47_040_016,
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    ),
    (
        60_008,
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    ),
    (
        7_840_016,
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    ),
    (
        10_008,
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    ),
];
const FASHION_MNIST_IDX: [(u64, &str); 4] = [
    (
        47_040_016,
        "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    ),
    (
        60_008,
        "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    ),
    (
        7_840_016,
        "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    ),
    (
        10_008,
        "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    ),
];
const ABALONE_DATA: (u64, &str) = (
    191_873,
    "de37cdcdcaaa50c309d514f248f7c2302a5f1f88c168905eba23fe2fbc78449f",
);
/// Of the tar archive: six batches, a text and a page.
const CIFAR_10_BYTES: u64 = 200_000_000;

/// A file of a set.
pub(super) struct Source {
    /// Its usual name, under which it is kept.
    pub name: String,
    mirrors: &'static [&'static str],
    /// Without compression; of what has no checksum the most that it may be.
    bytes: u64,
    form: Form,
}

enum Form {
    Idx(IdxFile, &'static str),
    Plain(&'static str),
    Cifar,
}

/// The files of a set.
pub(super) fn files(set: &str) -> Option<Vec<Source>> {
    let idx = |mirrors: &'static [&str], checksums: [(u64, &'static str); 4]| {
        let files = FILES.as_flattened().iter().zip(checksums);
        files
            .map(|(&file, (bytes, sha256))| Source {
                name: format!("{}.gz", file.name()),
                mirrors,
                bytes,
                form: Form::Idx(file, sha256),
            })
            .collect()
    };
    Some(match set {
        "mnist" => idx(&MNIST, MNIST_IDX),
        "fashion-mnist" => idx(&FASHION_MNIST, FASHION_MNIST_IDX),
        "cifar-10" => vec![Source {
            name: "cifar-10-binary.tar.gz".into(),
            mirrors: &CIFAR_10,
            bytes: CIFAR_10_BYTES,
            form: Form::Cifar,
        }],
        "abalone" => vec![Source {
            name: "abalone.data".into(),
            mirrors: &ABALONE,
            bytes: ABALONE_DATA.0,
            form: Form::Plain(ABALONE_DATA.1),
        }],
        _ => return None,
    })
}

impl Source {
    /// The file in the folder of its set, under any name that readers look for.
    pub fn find(&self, folder: &Path) -> Option<PathBuf> {
        match &self.form {
            Form::Idx(file, _) => file.find(folder),
            Form::Cifar => cifar::find(folder),
            Form::Plain(_) => Some(folder.join(&self.name)).filter(|path| path.is_file()),
        }
    }

    /// Where the mirrors have it.
    pub fn urls(&self) -> Vec<String> {
        let url = |mirror: &&str| match mirror.ends_with('/') {
            true => format!("{mirror}{}", self.name),
            false => mirror.to_string(),
        };
        self.mirrors.iter().map(url).collect()
    }

    /// More is not taken from anybody: what does not shrink grows a little when it is compressed.
    pub fn most(&self) -> u64 {
        self.bytes + self.bytes / 1000 + 1024
    }

    /// How it is made sure that a file is the right one.
    pub fn checked_by(&self) -> &'static str {
        match self.form {
            Form::Cifar => "structure",
            Form::Idx(..) | Form::Plain(_) => "sha256",
        }
    }

    /// Makes sure that this is the file: by the checksum of its content, or by its structure where
    /// none is known. No more is unpacked than the content should have.
    pub fn check(&self, path: &Path) -> Result<()> {
        match self.form {
            Form::Idx(_, sha256) | Form::Plain(sha256) => self.checksum(path, sha256),
            Form::Cifar if cifar::is_pictures(path) => Ok(()),
            Form::Cifar => {
                if path.is_file() {
                    self.content(path, |_| {})?;
                }
                cifar::check(path)
            }
        }
    }

    fn checksum(&self, path: &Path, sha256: &str) -> Result<()> {
        let mut hash = Hash::new();
        let found = self.content(path, |bytes| hash.update(bytes))?;
        if found != self.bytes {
            let message = format!("{found} bytes, expected {}", self.bytes);
            return Err(Error::new(Kind::Data, message));
        }
        let found: String = hash
            .finalize()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        if found != sha256 {
            let message = format!("its SHA-256 is {found}, expected {sha256}");
            return Err(Error::new(Kind::Data, message));
        }
        Ok(())
    }

    /// Shows the content piece by piece; how many bytes it has.
    fn content(&self, path: &Path, mut see: impl FnMut(&[u8])) -> Result<u64> {
        let mut read = || -> io::Result<u64> {
            let mut content = unpacked(File::open(path)?)?.take(self.bytes + 1);
            let mut piece = vec![0; 1 << 16];
            loop {
                match content.read(&mut piece)? {
                    0 => return Ok(self.bytes + 1 - content.limit()),
                    n => see(&piece[..n]),
                }
            }
        };
        match read() {
            Ok(n) if n > self.bytes => {
                let message = format!("more than {} bytes of content", self.bytes);
                Err(Error::new(Kind::Data, message))
            }
            Ok(n) => Ok(n),
            // Errors of the operating system carry its code; those of the decoder do not.
            Err(e) if e.raw_os_error().is_some() => Err(Error::from(e).at(path.display())),
            Err(e) => Err(Error::new(Kind::Data, format!("damaged: {e}"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file that is fetched and then not found by what reads the set.
    #[test]
    fn what_is_fetched_is_looked_for_under_its_name() {
        let folder = tempfile::tempdir().unwrap();
        for set in DOWNLOADS {
            for source in files(set).unwrap() {
                let path = folder.path().join(&source.name);
                std::fs::write(&path, "").unwrap();
                assert_eq!(source.find(folder.path()), Some(path));
                assert!(source.urls().iter().all(|url| url.starts_with("http")));
            }
        }
        assert!(files("digits").is_none());
    }
}
