use crate::{Folder, assert_same, fixture, refused, shapes, values};
use gradus_core::io::npy;
use gradus_core::io::npz::{self, Compression};
use gradus_core::{DType, Kind, Result, Tensor};
use std::io::{Cursor, Write};

fn read(bytes: &[u8]) -> Result<Vec<(String, Tensor)>> {
    npz::read(Cursor::new(bytes))
}

fn written(tensors: &[(&str, &Tensor)], compression: Compression) -> Vec<u8> {
    let mut bytes = Vec::new();
    npz::write(&mut bytes, tensors.iter().copied(), compression).unwrap();
    bytes
}

/// Where `what` is in `bytes`, for the `n`th time.
fn find(bytes: &[u8], what: &[u8], n: usize) -> usize {
    let mut at = (0..bytes.len()).filter(|&i| bytes[i..].starts_with(what));
    at.nth(n).expect("it occurs that often")
}

/// The arrays of a file, or an error, after these bytes of it were overwritten.
fn read_with(file: &[u8], at: &[usize], bytes: &[u8]) -> Result<Vec<(String, Tensor)>> {
    let mut lying = file.to_vec();
    for &at in at {
        lying[at..at + bytes.len()].copy_from_slice(bytes);
    }
    read(&lying)
}

const LOCAL: &[u8] = b"PK\x03\x04";
const LISTED: &[u8] = b"PK\x01\x02";
const END: &[u8] = b"PK\x05\x06";

#[test]
fn numpys_files_are_read_in_their_order() {
    for name in ["stored", "compressed", "streamed", "zip64"] {
        let arrays = npz::load(fixture(&format!("npz/{name}.npz"))).unwrap();
        let names: Vec<&str> = arrays.iter().map(|(name, _)| &name[..]).collect();
        assert_eq!(names, ["weight", "layer/bias", "größe"], "{name}");
        let cube = Tensor::arange(0.0, 24.0, 1.0, DType::F32).unwrap();
        assert_same(&arrays[0].1, &cube.reshape([2, 3, 4]).unwrap());
        assert_same(&arrays[1].1, &Tensor::from([1, 2, 3]));
        assert_same(&arrays[2].1, &Tensor::from(true));
    }
    assert!(npz::load(fixture("npz/none.npz")).unwrap().is_empty());
}

#[test]
fn every_dtype_and_shape_comes_back() {
    let folder = Folder::new("npz-back");
    let path = folder.file("x.npz");
    let tensors: Vec<(String, Tensor)> = DType::ALL
        .into_iter()
        .flat_map(shapes)
        .enumerate()
        // Names that mean something to a file system, and some that end as an entry's does.
        .map(|(i, t)| (format!("../{i}\\ größe/{}", [".npy", "", "/"][i % 3]), t))
        .collect();
    let named = || tensors.iter().map(|(name, t)| (name, t));
    npz::save(&path, named()).unwrap();
    let stored = npz::load(&path).unwrap();
    npz::save_compressed(&path, named()).unwrap();
    for back in [stored, npz::load(&path).unwrap()] {
        assert_eq!(back.len(), tensors.len());
        for ((name, tensor), (expected_name, expected)) in back.iter().zip(&tensors) {
            assert_eq!(name, expected_name);
            assert_same(tensor, expected);
        }
    }
    let long = Tensor::arange(0.0, 100_000.0, 1.0, DType::F64).unwrap();
    for compression in [Compression::Stored, Compression::Deflated] {
        let bytes = written(&[("long", &long), ("again", &long)], compression);
        assert_same(&read(&bytes).unwrap()[1].1, &long);
        assert_eq!(
            bytes,
            written(&[("long", &long), ("again", &long)], compression)
        );
    }
    assert!(read(&written(&[], Compression::Stored)).unwrap().is_empty());
}

#[test]
fn names_must_differ_and_be_short_enough() {
    let folder = Folder::new("npz-names");
    let path = folder.file("x.npz");
    let x = Tensor::ones([1]);
    let twice = npz::save(&path, [("a", &x), ("a", &x)]);
    refused(twice, "a name twice", Kind::Value, "two tensors named 'a'");
    let long = npz::save(&path, [("a".repeat(65_501), &x)]);
    refused(long, "a long name", Kind::Value, "at most 65500");
    assert!(!path.exists());
    npz::save(&path, [("a".repeat(65_500), &x)]).unwrap();
    assert_eq!(npz::load(&path).unwrap()[0].0.len(), 65_500);
}

#[test]
fn names_that_become_one_key_are_refused() {
    let mut file = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for name in ["x", "x.npy"] {
        let options = zip::write::SimpleFileOptions::default();
        file.start_file(name, options).unwrap();
        npy::write(&mut file, &Tensor::ones([1])).unwrap();
    }
    let file = file.finish().unwrap().into_inner();
    refused(
        read(&file),
        "x twice",
        Kind::Data,
        "two arrays are named 'x'",
    );
}

#[test]
fn a_file_saved_and_one_written_hold_the_same() {
    let folder = Folder::new("npz-written");
    let path = folder.file("x.npz");
    let x = Tensor::arange(0.0, 1e5, 1.0, DType::F64).unwrap();
    for compression in [Compression::Stored, Compression::Deflated] {
        let named = [("x", &x), ("y", &x)];
        match compression {
            Compression::Stored => npz::save(&path, named).unwrap(),
            Compression::Deflated => npz::save_compressed(&path, named).unwrap(),
        }
        let saved = npz::load(&path).unwrap();
        let written = read(&written(&named, compression)).unwrap();
        for ((name, tensor), (other_name, other)) in saved.iter().zip(&written) {
            assert_eq!(name, other_name);
            assert_same(tensor, other);
        }
        assert_eq!(saved.len(), written.len());
    }
}

#[test]
fn a_file_has_any_number_of_arrays() {
    let none = Tensor::zeros([0]);
    // About what 16 bits count.
    for n in [65_535, 65_536] {
        let mut bytes = Vec::new();
        let named = (0..n).map(|i| (i.to_string(), &none));
        npz::write(&mut bytes, named, Compression::Stored).unwrap();
        let back = read(&bytes).unwrap();
        assert_eq!(back.len(), n);
        assert_eq!(back[n - 1].0, (n - 1).to_string());
    }
}

#[test]
fn an_output_that_fails_is_an_error_and_not_finished() {
    struct Full(Vec<u8>);
    impl Write for Full {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            if self.0.len() + bytes.len() > 1000 {
                return Err(std::io::ErrorKind::StorageFull.into());
            }
            self.0.write(bytes)
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let (small, large) = (Tensor::ones([1]), Tensor::ones([1000]));
    let mut full = Full(Vec::new());
    let result = npz::write(
        &mut full,
        [("a", &small), ("b", &large)],
        Compression::Stored,
    );
    refused(result, "a full disk", Kind::Io, "'b.npy': ");
    assert!(
        full.0
            .windows(4)
            .all(|bytes| bytes != LISTED && bytes != END)
    );
}

#[test]
fn a_file_cut_short_anywhere_is_refused() {
    for name in ["stored", "compressed", "streamed", "zip64"] {
        let whole = std::fs::read(fixture(&format!("npz/{name}.npz"))).unwrap();
        for n in 0..whole.len() {
            let cut = read(&whole[..n]);
            refused(cut, format!("{n} bytes of {name}"), Kind::Data, "zip file");
        }
        let later = [b"#!/bin/sh\n", &whole[..]].concat();
        let later = read(&later);
        refused(later, "bytes before the beginning", Kind::Data, "zip file");
    }
    // A comment belongs to the format.
    let mut commented = written(&[("x", &Tensor::ones([1]))], Compression::Stored);
    let at = commented.len() - 2;
    commented[at] = 4;
    commented.extend(b"note");
    assert_eq!(read(&commented).unwrap().len(), 1);
}

#[test]
fn a_flipped_bit_is_refused_or_harmless() {
    let (x, y) = (Tensor::from([1.0, 2.0]), Tensor::from([[3]]));
    for compression in [Compression::Stored, Compression::Deflated] {
        let whole = written(&[("x", &x), ("y", &y)], compression);
        let mut accepted = 0;
        for at in 0..whole.len() {
            for bit in 0..8 {
                let mut damaged = whole.clone();
                damaged[at] ^= 1 << bit;
                // A date, a version or the like.
                if let Ok(arrays) = read(&damaged) {
                    accepted += 1;
                    let flat: Vec<f64> = arrays.iter().flat_map(|(_, t)| values(t)).collect();
                    assert_eq!(flat, [1.0, 2.0, 3.0], "byte {at}, bit {bit}");
                    let names: String = arrays.iter().map(|(name, _)| &name[..]).collect();
                    assert_eq!(names, "xy", "byte {at}, bit {bit}");
                }
            }
        }
        assert!(
            accepted < 3 * whole.len(),
            "{accepted} of {}",
            8 * whole.len()
        );
    }
}

#[test]
fn lists_that_lie_are_refused() {
    let x = Tensor::from([1.0, 2.0]);
    let folder = Folder::new("npz-lies");
    let path = folder.file("lies.npz");
    npz::save(&path, [("x", &x), ("y", &x)]).unwrap();
    let whole = std::fs::read(&path).unwrap();
    let [local, later] = [0, 1].map(|n| find(&whole, LOCAL, n));
    let [listed, second] = [0, 1].map(|n| find(&whole, LISTED, n));
    let end = find(&whole, END, 0);
    let list = (listed as u32).to_le_bytes();
    // What the list says, without what stands in front of the array.
    for (what, at, bytes, says) in [
        (
            "another method",
            listed + 10,
            &[8, 0][..],
            "method mismatch",
        ),
        (
            "another sum",
            listed + 16,
            &[0; 4],
            "CRC32 checksum mismatch",
        ),
        ("longer", listed + 24, &[255, 255, 0, 0], "size mismatch"),
        ("4 GiB", listed + 20, &[255; 8], "size mismatch"),
        (
            "starts late",
            listed + 42,
            &[1, 0, 0, 0],
            "local file header",
        ),
        (
            "starts at the list",
            second + 42,
            &list,
            "local file header",
        ),
        ("starts nowhere", second + 42, &[255; 4], "zip file"),
        (
            "both at one place",
            second + 42,
            &[0; 4],
            "filename mismatch",
        ),
        ("another name", listed + 46, b"z", "filename mismatch"),
        ("one name twice", second + 46, b"x", "duplicate file names"),
        (
            "a long name",
            listed + 28,
            &[255, 255],
            "beyond file boundary",
        ),
        (
            "a long extra field",
            listed + 30,
            &[255; 2],
            "beyond file boundary",
        ),
        (
            "a long comment",
            second + 32,
            &[255; 2],
            "beyond file boundary",
        ),
        (
            "a long local name",
            local + 26,
            &[255, 0],
            "filename mismatch",
        ),
        ("no local entry", local, b"PK\x03\x05", "local file header"),
        (
            "no entry",
            second,
            b"PK\x01\x03",
            "Central Directory header",
        ),
        (
            "fewer",
            end + 8,
            &[1, 0, 1, 0],
            "missing from central directory",
        ),
        ("more", end + 8, &[255, 0, 255, 0], "zip file"),
        ("65535", end + 8, &[255; 4], "zip file"),
        ("of two disks", end + 4, &[1], "Multi-disk"),
        ("a list elsewhere", end + 16, &[0], "zip file"),
        ("a list beyond the end", end + 16, &[255; 4], "zip file"),
        ("no end", end, b"PK\x05\x07", "zip file"),
    ] {
        refused(read_with(&whole, &[at], bytes), what, Kind::Data, says);
    }
    // What both say.
    for (what, at, bytes, says) in [
        (
            "encrypted",
            [local + 6, listed + 8],
            &[1][..],
            "Password required",
        ),
        (
            "bzip2",
            [local + 8, listed + 10],
            &[12],
            "'x.npy': it is compressed by Bzip2",
        ),
        (
            "a wrong sum",
            [local + 14, listed + 16],
            &[0; 4],
            "'x.npy': damaged",
        ),
        (
            "longer compressed",
            [local + 18, listed + 20],
            &[255, 0],
            "overlapping",
        ),
        (
            "longer",
            [local + 22, listed + 24],
            &[255; 2],
            "claims to become 65535 bytes",
        ),
        (
            "4 GiB",
            [local + 22, listed + 24],
            &[255; 4],
            "claims to become 4294967295 bytes",
        ),
        (
            "4 GiB twice",
            [local + 18, listed + 20],
            &[255; 8],
            "overlapping",
        ),
        (
            "one name twice",
            [later + 30, second + 46],
            b"x",
            "duplicate file names",
        ),
    ] {
        refused(read_with(&whole, &at, bytes), what, Kind::Data, says);
    }
    std::fs::write(&path, &whole[1..]).unwrap();
    refused(npz::load(&path), "a cut file", Kind::Data, "lies.npz: ");
}

#[test]
fn long_forms_that_lie_are_refused() {
    let mut whole = std::fs::read(fixture("npz/zip64.npz")).unwrap();
    // Its long forms are asked for only where the short ones are at their end.
    let end = find(&whole, END, 0);
    whole[end + 8..end + 20].fill(255);
    assert_eq!(read(&whole).unwrap().len(), 3);
    let end64 = find(&whole, b"PK\x06\x06", 0);
    let locator = find(&whole, b"PK\x06\x07", 0);
    let local = find(&whole, LOCAL, 0) + 30 + "weight.npy".len();
    let extra = find(&whole, LISTED, 0) + 46 + "weight.npy".len();
    let second = find(&whole, LISTED, 1) + 46 + "layer/bias.npy".len();
    for (what, at, bytes, says) in [
        (
            "a short extra field",
            extra + 2,
            &[4][..],
            "extra field truncated",
        ),
        ("no extra field", extra, &[9], "size mismatch"),
        ("another size", extra + 4, &[1; 8], "size mismatch"),
        ("starts nowhere", second + 20, &[255; 8], "too large"),
        ("another end", locator + 8, &[0], "zip file"),
        ("an end beyond", locator + 8, &[255; 8], "zip file"),
        ("no end", end64, b"PK\x06\x05", "zip file"),
        ("a long end", end64 + 4, &[255; 8], "zip file"),
        ("no locator", locator, b"PK\x06\x05", "zip file"),
        ("more", end64 + 24, &[255; 16], "zip file"),
        ("a list beyond", end64 + 48, &[255; 8], "zip file"),
    ] {
        refused(read_with(&whole, &[at], bytes), what, Kind::Data, says);
    }
    for (what, at, bytes, says) in [
        (
            "2^56 bytes",
            [local + 11, extra + 11],
            &[1][..],
            "cannot stand for",
        ),
        (
            "2^56 bytes there",
            [local + 19, extra + 19],
            &[1],
            "overlapping",
        ),
        (
            "2^64 bytes there",
            [local + 12, extra + 12],
            &[255; 8],
            "zip file",
        ),
    ] {
        refused(read_with(&whole, &at, bytes), what, Kind::Data, says);
    }
}

/// An entry, whatever it holds and claims.
struct Claim<'a> {
    name: &'a str,
    content: &'a [u8],
    method: u16,
    becomes: &'a [u8],
    size: usize,
}

impl Claim<'_> {
    fn header(&self) -> Vec<u8> {
        let mut crc = flate2::Crc::new();
        crc.update(self.becomes);
        [
            &[45, 0, 0, 8][..],
            &self.method.to_le_bytes(),
            &[0, 0, 33, 0],
            &crc.sum().to_le_bytes(),
            &(self.content.len() as u32).to_le_bytes(),
            &(self.size as u32).to_le_bytes(),
            &(self.name.len() as u32).to_le_bytes(),
        ]
        .concat()
    }

    fn local(&self) -> Vec<u8> {
        [LOCAL, &self.header(), self.name.as_bytes(), self.content].concat()
    }

    fn listed(&self, at: usize) -> Vec<u8> {
        let at = (at as u32).to_le_bytes();
        let (header, name) = (self.header(), self.name.as_bytes());
        [LISTED, &[45, 0], &header, &[0; 10], &at, name].concat()
    }
}

/// A zip file of these entries, and the list of them.
fn file(entries: &[u8], list: &[Vec<u8>]) -> Vec<u8> {
    let n = [list.len() as u8, 0];
    let list = list.concat();
    let sizes = [list.len() as u32, entries.len() as u32].map(u32::to_le_bytes);
    let end = [END, &[0; 4], &n, &n, &sizes.concat(), &[0, 0]].concat();
    [entries, &list, &end].concat()
}

/// A zip file of one entry.
fn entry(content: &[u8], method: u16, becomes: &[u8], size: usize) -> Vec<u8> {
    let name = "x.npy";
    let entry = Claim {
        name,
        content,
        method,
        becomes,
        size,
    };
    file(&entry.local(), &[entry.listed(0)])
}

#[test]
fn entries_inside_others_are_refused() {
    let mut array = Vec::new();
    npy::write(&mut array, &Tensor::from([1.0, 2.0])).unwrap();
    let stored = |name, content| Claim {
        name,
        content,
        method: 0,
        becomes: content,
        size: content.len(),
    };
    let inner = stored("inner.npy", &array[..]);
    let quoted = Tensor::from(inner.local());
    let mut outer_array = Vec::new();
    npy::write(&mut outer_array, &quoted).unwrap();
    let outer = stored("outer.npy", &outer_array[..]);
    let entries = outer.local();
    // Alone, it is an array of bytes.
    assert_same(
        &read(&file(&entries, &[outer.listed(0)])).unwrap()[0].1,
        &quoted,
    );
    let at = entries.len() - inner.local().len();
    let both = file(&entries, &[outer.listed(0), inner.listed(at)]);
    refused(
        read(&both),
        "an entry inside another",
        Kind::Data,
        "overlapping",
    );
}

fn deflated(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::DeflateEncoder::new(vec![], flate2::Compression::best());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn contents_that_are_not_what_they_claim_are_refused() {
    let mut array = Vec::new();
    npy::write(&mut array, &Tensor::from([1.0, 2.0])).unwrap();
    let n = array.len();
    let stored = |content: &[u8]| entry(content, 0, content, content.len());
    let packed = |content: &[u8], size: usize| entry(&deflated(content), 8, content, size);
    assert_eq!(read(&stored(&array)).unwrap().len(), 1);
    assert_eq!(read(&packed(&array, n)).unwrap().len(), 1);

    let longer = [&array[..], &[0; 4]].concat();
    let bomb = [&array[..], &[0; 1 << 20]].concat();
    let mut huge = array.clone();
    let at = find(&huge, b"(2,), }", 0);
    huge[at..at + 19].copy_from_slice(b"(1099511627776,), }");
    let not_deflate = entry(&[0xff; 99], 8, &array, n);
    let more_packed = entry(&[deflated(&array), vec![0; 9]].concat(), 8, &array, n);
    assert_eq!(
        read(&more_packed).unwrap().len(),
        1,
        "what follows the deflated bytes is not read"
    );
    let half_packed = entry(&deflated(&array)[..40], 8, &array, n);
    for (bytes, what, says) in [
        (
            stored(b"text, which is no array"),
            "a text",
            "'x.npy': not an npy file",
        ),
        (
            stored(b""),
            "nothing",
            "'x.npy': ends before its content does",
        ),
        (
            stored(&array[..n - 1]),
            "half an array",
            "'x.npy': cut short",
        ),
        (stored(&longer), "a longer entry", "4 bytes after the array"),
        (
            stored(&huge),
            "a header of a tebibyte",
            "promises 4398046511104 bytes",
        ),
        (
            packed(&huge, n),
            "a header of a tebibyte",
            "promises 4398046511104 bytes",
        ),
        (
            packed(&array, n - 1),
            "a shorter claim",
            "'x.npy': cut short",
        ),
        (
            packed(&array, n + 1),
            "a longer claim",
            "1 bytes after the array",
        ),
        (
            packed(&array[..n - 1], n),
            "half an array",
            "ends before its content does",
        ),
        (
            packed(&longer, n),
            "more than it claims",
            "larger than its declared",
        ),
        (
            packed(&bomb, n),
            "far more than it claims",
            "larger than its declared",
        ),
        (
            entry(&array, 0, &array, n + 1),
            "a longer claim of stored bytes",
            "cannot stand for",
        ),
        (
            entry(&array, 0, &array, n - 1),
            "a shorter claim of stored bytes",
            "'x.npy': cut short",
        ),
        (
            entry(&longer, 0, &array, n),
            "more stored bytes than it claims",
            "larger than its declared",
        ),
        (
            packed(&huge, u32::MAX as usize),
            "an impossible claim",
            "cannot stand for",
        ),
        (not_deflate, "no deflate", "'x.npy': damaged"),
        (half_packed, "half of the deflated bytes", "'x.npy': "),
        (entry(&array, 0, b"", n), "a wrong sum", "Invalid checksum"),
        (
            entry(&deflated(&array), 8, b"", n),
            "a wrong sum",
            "Invalid checksum",
        ),
    ] {
        refused(read(&bytes), what, Kind::Data, says);
    }
}

#[test]
fn the_most_that_deflate_can_do_is_not_taken_for_a_bomb() {
    let zeros = Tensor::zeros([1 << 20]);
    let bytes = written(&[("zeros", &zeros)], Compression::Deflated);
    assert!(bytes.len() * 900 < 1 << 22, "{} bytes", bytes.len());
    assert_eq!(read(&bytes).unwrap()[0].1.shape(), [1 << 20]);
}
