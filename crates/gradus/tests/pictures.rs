//! Pictures in folders and archives: read as they are, or refused with a message that says which
//! file is wrong.

use flate2::{Compression, write::GzEncoder};
use gradus::Kind;
use gradus::data::{self, Dataset, ImageDataset, ImageFolder, Split};
use image::{ImageFormat, Rgb, RgbImage};
use std::fs;
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// A picture of one colour.
fn picture(colour: [u8; 3], width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    let image = RgbImage::from_pixel(width, height, Rgb(colour));
    image.write_to(&mut file, format).unwrap();
    file.into_inner()
}

fn png(red: u8) -> Vec<u8> {
    picture([red, 0, 255], 3, 2, ImageFormat::Png)
}

type Files = Vec<(&'static str, Vec<u8>)>;

/// Two classes to train on and to test on, not in the order of their names.
fn files() -> Files {
    vec![
        ("set/train/dog/1.png", png(20)),
        ("set/train/dog/0.PNG", png(10)),
        (
            "set/train/cat/7.jpeg",
            picture([0, 0, 0], 3, 2, ImageFormat::Jpeg),
        ),
        ("set/test/cat/0.png", png(40)),
        ("set/README.md", b"hello".to_vec()),
        ("set/train/cat/notes.txt", b"no picture".to_vec()),
        (
            "set/train/cat/._8.png",
            b"a companion that macOS makes".to_vec(),
        ),
    ]
}

fn tar(files: &Files) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for (name, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        archive
            .append_data(&mut header, name, &content[..])
            .unwrap();
    }
    archive.into_inner().unwrap()
}

fn zip(files: &Files) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in files {
        let options = zip::write::SimpleFileOptions::default();
        archive.start_file(*name, options).unwrap();
        archive.write_all(content).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// A file of this name and content.
    fn file(&self, name: &str, content: &[u8]) -> PathBuf {
        let path = self.0.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    }

    /// The files, unpacked.
    fn folder(&self, files: &Files) -> PathBuf {
        for (name, content) in files {
            self.file(name, content);
        }
        self.0.path().join("set")
    }
}

/// Labels, first pixels and shape of a set.
fn content(set: &ImageDataset) -> (Vec<i64>, Vec<u8>, Vec<usize>) {
    let bytes = set.images().to_vec::<u8>().unwrap();
    let size = bytes.len() / set.len();
    let first = bytes.iter().step_by(size).copied().collect();
    (set.labels().to_vec(), first, set.shape().to_vec())
}

fn expect_the_set(split: &Split) {
    assert_eq!(split.train.classes(), ["cat", "dog"]);
    assert_eq!(split.test.classes(), ["cat", "dog"]);
    let (labels, reds, shape) = content(&split.train);
    assert_eq!((labels, reds), (vec![0, 1, 1], vec![0, 10, 20]));
    assert_eq!(shape, [3, 2, 3]);
    assert_eq!(content(&split.test), (vec![0], vec![40], vec![3, 2, 3]));
}

#[test]
fn folders_and_archives_give_the_same_set() {
    let place = Place::new();
    let archive = tar(&files());
    for path in [
        place.folder(&files()),
        place.file("set.tar", &archive),
        place.file("set.tar.gz", &gzip(&archive)),
        place.file("set.zip", &zip(&files())),
        // What a file is, its name does not decide.
        place.file("nameless", &gzip(&archive)),
    ] {
        expect_the_set(&ImageFolder::new(&path).split().unwrap());
    }
    // Without parts: everything, by class and then by what is above it.
    let all = ImageFolder::new(place.0.path().join("set")).load().unwrap();
    assert_eq!(content(&all).0, [0, 0, 1, 1]);
    assert_eq!(content(&all).1, [40, 0, 10, 20]);
}

#[test]
fn pictures_can_be_resized_and_made_grey() {
    let place = Place::new();
    let mut files = files();
    files.push((
        "set/train/dog/2.png",
        picture([9, 9, 9], 50, 40, ImageFormat::Png),
    ));
    let path = place.folder(&files);
    let error = ImageFolder::new(&path).split().unwrap_err();
    assert_eq!(error.kind(), Kind::Data);
    let message = error.to_string();
    assert!(
        message.contains("train/dog/2.png has 50×40 pixels, but ")
            && message.contains(" has 3×2; give a size to resize them to"),
        "{message}"
    );
    let split = ImageFolder::new(&path)
        .resize(4, 5)
        .grey(true)
        .split()
        .unwrap();
    assert_eq!(split.train.shape(), [1, 4, 5]);
    assert_eq!(content(&split.train).1[3], 9);
}

/// The message for an archive with these bytes.
fn refused(place: &Place, archive: &[u8]) -> String {
    let path = place.file("broken", archive);
    let error = ImageFolder::new(&path).split().unwrap_err();
    assert_eq!(error.kind(), Kind::Data, "{error}");
    let message = error.to_string();
    assert!(
        message.starts_with(&path.display().to_string()),
        "{message}"
    );
    assert!(!message.contains('\n'), "{message}");
    message
}

#[test]
fn what_is_broken_is_named() {
    let place = Place::new();
    let whole = tar(&files());
    let zipped = gzip(&whole);
    let with = |name: &'static str, content: Vec<u8>| {
        let mut files = files();
        files.push((name, content));
        tar(&files)
    };
    let without = |part: &str| {
        let mut files = files();
        files.retain(|(name, _)| !name.contains(part));
        tar(&files)
    };
    let mut crc = zipped.clone();
    let end = crc.len() - 6;
    crc[end] ^= 1;
    let cut = png(1)[..40].to_vec();
    // The picture itself, which is behind its name.
    let mut damaged_entry = zip(&files());
    let entry = b"set/train/dog/1.png";
    let at = damaged_entry.windows(entry.len()).position(|w| w == entry);
    damaged_entry[at.unwrap() + entry.len() + 20] ^= 1;
    for (archive, expected) in [
        (vec![], "empty, or no tar or zip archive"),
        (
            b"something else entirely".repeat(50),
            "no tar or zip archive",
        ),
        (gzip(b"something else entirely"), "no tar or zip archive"),
        (zipped[..zipped.len() / 2].to_vec(), ""),
        (zipped[..zipped.len() - 4].to_vec(), "damaged"),
        (crc, "damaged"),
        (whole[..700].to_vec(), ""),
        (zip(&files())[..500].to_vec(), "damaged zip archive"),
        (zip(&vec![]), "no pictures below a folder 'train'"),
        (damaged_entry, "set/train/dog/1.png: damaged"),
        (
            with("set/train/cat/8.png", cut),
            "set/train/cat/8.png: not a picture that can be read",
        ),
        (
            with("set/train/cat/8.jpg", vec![]),
            "set/train/cat/8.jpg: not a picture",
        ),
        (
            with("set/test/bird/8.png", png(3)),
            "set/test/bird/8.png: there is no class 'bird'",
        ),
        (
            with(
                "set/test/cat/9.png",
                picture([0; 3], 2, 2, ImageFormat::Png),
            ),
            "set/test/cat/9.png has 2×2 pixels",
        ),
        (without("test/"), "no pictures below a folder 'test'"),
        (without("train/"), "no pictures below a folder 'train'"),
    ] {
        let message = refused(&place, &archive);
        assert!(message.contains(expected), "{message:?} lacks {expected:?}");
    }
}

/// A header that promises more than there is must not cost the memory it promises.
#[test]
fn sizes_of_headers_are_not_believed() {
    let place = Place::new();
    for size in [1 << 20, 200 << 20, 1 << 40] {
        let mut header = tar::Header::new_gnu();
        header.set_path("set/train/cat/1.png").unwrap();
        header.set_size(size);
        header.set_cksum();
        let mut archive = header.as_bytes().to_vec();
        archive.extend(png(1));
        refused(&place, &archive);
    }
}

/// Any byte of an archive changed: an error or a set, never a panic.
#[test]
fn damage_anywhere_is_survived() {
    let place = Place::new();
    for (whole, step) in [(tar(&files()), 97), (zip(&files()), 11)] {
        let mut errors = 0;
        for at in (0..whole.len()).step_by(step) {
            let mut broken = whole.clone();
            broken[at] = broken[at].wrapping_add(128);
            let path = place.file("broken", &broken);
            errors += usize::from(ImageFolder::new(&path).split().is_err());
        }
        assert!(errors > 10, "{errors}");
    }
}

/// A run that ends again and again at the next broken picture, or goes on without a word.
#[test]
fn corrupt_pictures_are_all_named_and_skipped_on_request() {
    static SKIPPED: Mutex<Vec<String>> = Mutex::new(Vec::new());
    let place = Place::new();
    let path = place.folder(&files());
    for i in 0..13 {
        place.file(&format!("set/train/cat/bad{i:02}.png"), b"nothing");
    }
    let error = ImageFolder::new(&path).split().unwrap_err();
    assert_eq!(error.kind(), Kind::Data);
    let message = error.to_string();
    for part in [
        "set: train/cat/bad00.png: ",
        "; train/cat/bad09.png: ",
        "; and 3 more; ",
    ] {
        assert!(message.contains(part), "{message:?} lacks {part:?}");
    }
    let tell = |e: &gradus::Error| SKIPPED.lock().unwrap().push(e.to_string());
    let split = ImageFolder::new(&path).skip_corrupt(tell).split().unwrap();
    expect_the_set(&split);
    let skipped = SKIPPED.lock().unwrap();
    assert_eq!(skipped.len(), 13);
    assert!(skipped[12].contains("train/cat/bad12.png: not a picture"));
}

/// A class that somebody forgot to fill, and a network that does not know it.
#[test]
fn empty_folders_are_named() {
    let place = Place::new();
    let path = place.folder(&files());
    fs::create_dir(path.join("train/bird")).unwrap();
    let error = ImageFolder::new(&path).split().unwrap_err();
    assert_eq!(error.kind(), Kind::Data);
    let message = error.to_string();
    assert!(message.contains("bird: the folder is empty"), "{message}");
}

#[test]
fn nothing_there_is_said_with_the_path() {
    let place = Place::new();
    let absent = place.0.path().join("absent");
    let error = ImageFolder::new(&absent).split().unwrap_err();
    assert_eq!(error.kind(), Kind::Io);
    assert!(error.to_string().starts_with(&absent.display().to_string()));
    let error = ImageFolder::new(place.0.path()).load().unwrap_err();
    assert!(
        error.to_string().contains("expected CLASS/NAME.png"),
        "{error}"
    );
}

/// Records of CIFAR-10: (label, red, green, blue).
fn records(pixels: &[[u8; 4]]) -> Vec<u8> {
    let record = |p: &[u8; 4]| {
        let mut record = vec![p[0]];
        p[1..].iter().for_each(|&x| record.extend([x; 1024]));
        record
    };
    pixels.iter().flat_map(record).collect()
}

fn cifar_files() -> Files {
    vec![
        (
            "cifar-10-batches-bin/data_batch_2.bin",
            records(&[[9, 4, 5, 6]]),
        ),
        (
            "cifar-10-batches-bin/data_batch_1.bin",
            records(&[[3, 1, 2, 3], [0, 7, 8, 9]]),
        ),
        (
            "cifar-10-batches-bin/test_batch.bin",
            records(&[[1, 10, 11, 12]]),
        ),
        (
            "cifar-10-batches-bin/batches.meta.txt",
            b"airplane\n".to_vec(),
        ),
    ]
}

fn load_cifar(dir: &Path) -> Result<Split, String> {
    data::cifar10(Some(dir)).map_err(|e| {
        assert_eq!(e.kind(), Kind::Data, "{e}");
        e.to_string()
    })
}

#[test]
fn cifar_10_is_read_from_either_layout() {
    let place = Place::new();
    let missing = load_cifar(place.0.path()).unwrap_err();
    assert!(
        missing.contains("cifar-10-binary.tar or cifar-10-images.tar")
            && missing.contains("https:"),
        "{missing}"
    );
    place.file(
        "cifar-10/cifar-10-binary.tar.gz",
        &gzip(&tar(&cifar_files())),
    );
    let split = load_cifar(place.0.path()).unwrap();
    assert_eq!(
        (split.train.labels(), split.test.labels()),
        (&[3, 0, 9][..], &[1][..])
    );
    assert_eq!(split.train.shape(), [3, 32, 32]);
    let (x, _) = split.train.get(2).unwrap();
    let x = x.to_vec::<f32>().unwrap();
    let first = |channel: usize| (x[channel * 1024] * 255.0).round() as u8;
    assert_eq!([first(0), first(1), first(2)], [4, 5, 6]);
    assert_eq!(split.train.classes()[9], "truck");

    // Unpacked.
    let place = Place::new();
    for (name, content) in cifar_files() {
        place.file(&format!("cifar-10/{name}"), &content);
    }
    assert_eq!(load_cifar(place.0.path()).unwrap().train.len(), 3);

    // Pictures, of all classes or they are not CIFAR-10.
    let place = Place::new();
    let small = picture([1, 2, 3], 32, 32, ImageFormat::Jpeg);
    let names = split.train.classes().to_vec();
    for class in &names {
        for part in ["train", "test"] {
            place.file(
                &format!("cifar-10/cifar-10-images/{part}/{class}/0000.jpg"),
                &small,
            );
        }
    }
    let split = load_cifar(place.0.path()).unwrap();
    assert_eq!((split.train.len(), split.test.labels()[9]), (10, 9));
    for part in ["train", "test"] {
        fs::remove_dir_all(
            place
                .0
                .path()
                .join(format!("cifar-10/cifar-10-images/{part}/frog")),
        )
        .unwrap();
    }
    let error = load_cifar(place.0.path()).unwrap_err();
    assert!(error.contains("this is not CIFAR-10"), "{error}");
}

#[test]
fn broken_cifar_files_are_named() {
    type Break = fn(&mut Files);
    let cases: [(Break, &str); 5] = [
        (
            |f| f[0].1.truncate(3072),
            "data_batch_2.bin: 3072 bytes are no whole number of records",
        ),
        (
            |f| f[1].1.clear(),
            "data_batch_1.bin: 0 bytes are no whole number",
        ),
        (
            |f| f[1].1[3073] = 10,
            "data_batch_1.bin: label 10 of image 1 is none of the 10 classes",
        ),
        (|f| drop(f.remove(2)), "no file test_batch.bin"),
        (|f| drop(f.drain(..2)), "no file data_batch_1.bin"),
    ];
    for (damage, expected) in cases {
        let place = Place::new();
        let mut files = cifar_files();
        damage(&mut files);
        place.file("cifar-10/cifar-10-binary.tar", &tar(&files));
        let message = load_cifar(place.0.path()).unwrap_err();
        assert!(message.contains(expected), "{message:?} lacks {expected:?}");
    }
}
