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
    let long = npz::save(&path, [("a".repeat(65_532), &x)]);
    refused(long, "a long name", Kind::Value, "at most 65535");
    assert!(!path.exists());
    npz::save(&path, [("a".repeat(65_531), &x)]).unwrap();
    assert_eq!(npz::load(&path).unwrap()[0].0.len(), 65_531);
}

#[test]
fn a_file_cut_short_anywhere_or_longer_is_refused() {
    for name in ["stored", "compressed", "streamed", "zip64"] {
        let whole = std::fs::read(fixture(&format!("npz/{name}.npz"))).unwrap();
        for n in 0..whole.len() {
            let cut = read(&whole[..n]);
            refused(cut, format!("{n} bytes of {name}"), Kind::Data, "zip file");
        }
        let longer = [&whole[..], b"\0"].concat();
        refused(
            read(&longer),
            "a byte after the end",
            Kind::Data,
            "bytes after its end",
        );
        let later = [b"#!/bin/sh\n", &whole[..]].concat();
        refused(
            read(&later),
            "bytes before the beginning",
            Kind::Data,
            "somewhere else",
        );
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
    let whole = written(&[("x", &x), ("y", &x)], Compression::Stored);
    let (listed, end) = (find(&whole, LISTED, 0), find(&whole, END, 0));
    let second = find(&whole, LISTED, 1);
    let local = find(&whole, LOCAL, 0);
    let list = (listed as u32).to_le_bytes();
    for (what, at, bytes, says) in [
        (
            "encrypted",
            listed + 8,
            &[1, 8][..],
            "'x.npy': it is encrypted",
        ),
        ("bzip2", listed + 10, &[12, 0], "compressed by method 12"),
        (
            "wrong sum",
            listed + 16,
            &[0; 4],
            "'x.npy': damaged: its checksum",
        ),
        (
            "longer compressed",
            listed + 20,
            &[255, 255, 0, 0],
            "cannot stand for",
        ),
        (
            "longer",
            listed + 24,
            &[255, 255, 0, 0],
            "claims to become 65535 bytes",
        ),
        (
            "4 GiB",
            listed + 24,
            &[255; 4],
            "claims to become 4294967295 bytes",
        ),
        (
            "4 GiB twice",
            listed + 20,
            &[255; 8],
            "reaches into what follows",
        ),
        (
            "a bomb",
            listed + 10,
            &[8, 0, 0, 0, 33, 0, 0, 0, 0, 0, 136, 0, 0, 0, 0, 0, 0, 1],
            "claims to become 16777216",
        ),
        (
            "starts late",
            listed + 42,
            &[1, 0, 0, 0],
            "'x.npy': damaged: it reaches into",
        ),
        (
            "starts at the list",
            second + 42,
            &list,
            "'y.npy': damaged: it reaches into",
        ),
        (
            "starts nowhere",
            second + 42,
            &[255; 4],
            "'y.npy': damaged: it reaches into",
        ),
        (
            "both at one place",
            second + 42,
            &[0; 4],
            "reaches into what follows",
        ),
        (
            "one name twice",
            second + 46,
            b"x",
            "two arrays are named 'x'",
        ),
        (
            "another name",
            local + 30,
            b"z",
            "'x.npy': damaged: it has another name",
        ),
        (
            "no UTF-8",
            listed + 46,
            b"\xff",
            "the name '\\xff.npy' is not in UTF-8",
        ),
        (
            "a long name",
            listed + 28,
            &[255, 255],
            "a record is cut short",
        ),
        (
            "a long extra field",
            listed + 30,
            &[255, 255],
            "a record is cut short",
        ),
        (
            "a long comment",
            second + 32,
            &[255, 255],
            "a record is cut short",
        ),
        ("a long local name", local + 26, &[255, 0], "is not where"),
        ("no local entry", local, b"PK\x03\x05", "is not where"),
        (
            "no entry",
            second,
            b"PK\x01\x03",
            "its list of entries is broken",
        ),
        ("fewer", end + 8, &[1, 0, 1, 0], "another number of entries"),
        (
            "more",
            end + 8,
            &[255, 255, 255, 255],
            "another number of entries",
        ),
        ("of two disks", end + 4, &[1], "one part of a zip file"),
        (
            "a list elsewhere",
            end + 16,
            &[0],
            "list of entries is somewhere else",
        ),
        (
            "a list of 4 GiB",
            end + 12,
            &[255; 4],
            "list of entries is somewhere else",
        ),
        (
            "a list beyond the end",
            end + 16,
            &[255; 4],
            "list of entries is somewhere else",
        ),
        ("no end", end, b"PK\x05\x07", "not a complete zip file"),
    ] {
        let mut lying = whole.clone();
        lying[at..at + bytes.len()].copy_from_slice(bytes);
        refused(read(&lying), what, Kind::Data, says);
    }
    let folder = Folder::new("npz-lies");
    let path = folder.file("lies.npz");
    std::fs::write(&path, &whole[1..]).unwrap();
    refused(npz::load(&path), "a cut file", Kind::Data, "lies.npz: ");
}

#[test]
fn long_forms_that_lie_are_refused() {
    let whole = std::fs::read(fixture("npz/zip64.npz")).unwrap();
    let (end64, locator) = (
        find(&whole, b"PK\x06\x06", 0),
        find(&whole, b"PK\x06\x07", 0),
    );
    let extra = find(&whole, LISTED, 0) + 46 + "weight.npy".len();
    let second = find(&whole, LISTED, 1) + 46 + "layer/bias.npy".len();
    for (what, at, bytes, says) in [
        (
            "a short extra field",
            extra + 2,
            &[4][..],
            "'weight.npy': damaged: a record is cut",
        ),
        (
            "no extra field",
            extra,
            &[9],
            "'weight.npy': damaged: it reaches into",
        ),
        (
            "another size",
            extra + 4,
            &[1; 8],
            "which its 224 bytes cannot stand for",
        ),
        (
            "starts nowhere",
            second + 20,
            &[255; 8],
            "'layer/bias.npy': damaged: it reaches",
        ),
        (
            "another end",
            locator + 8,
            &[0],
            "its end is somewhere else",
        ),
        (
            "an end beyond",
            locator + 8,
            &[255; 8],
            "its end is somewhere else",
        ),
        ("no end", end64, b"PK\x06\x05", "its end is somewhere else"),
        (
            "a long end",
            end64 + 4,
            &[255; 8],
            "its end is somewhere else",
        ),
        (
            "no locator",
            locator,
            b"PK\x06\x05",
            "list of entries is somewhere else",
        ),
        ("more", end64 + 32, &[255; 8], "another number of entries"),
        (
            "a large list",
            end64 + 40,
            &[255; 8],
            "list of entries is somewhere else",
        ),
        (
            "a list beyond",
            end64 + 48,
            &[255; 8],
            "list of entries is somewhere else",
        ),
    ] {
        let mut lying = whole.clone();
        lying[at..at + bytes.len()].copy_from_slice(bytes);
        refused(read(&lying), what, Kind::Data, says);
    }
}

/// A zip file of one entry, whatever it holds and claims.
fn entry(content: &[u8], method: u16, becomes: &[u8], size: usize) -> Vec<u8> {
    let mut crc = flate2::Crc::new();
    crc.update(becomes);
    let common = [
        &[45, 0, 0, 8][..],
        &method.to_le_bytes(),
        &[0, 0, 33, 0],
        &crc.sum().to_le_bytes(),
        &(content.len() as u32).to_le_bytes(),
        &(size as u32).to_le_bytes(),
        &[5, 0, 0, 0],
    ]
    .concat();
    let local = [LOCAL, &common, b"x.npy", content].concat();
    let list = [LISTED, &[45, 0], &common, &[0; 14], b"x.npy"].concat();
    let sizes = [list.len() as u32, local.len() as u32].map(u32::to_le_bytes);
    let end = [END, &[0, 0, 0, 0, 1, 0, 1, 0], &sizes.concat(), &[0, 0]].concat();
    [local, list, end].concat()
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
            "does not end where it should",
        ),
        (
            packed(&bomb, n),
            "far more than it claims",
            "does not end where it should",
        ),
        (
            packed(&huge, u32::MAX as usize),
            "an impossible claim",
            "cannot stand for",
        ),
        (not_deflate, "no deflate", "'x.npy': damaged"),
        (
            more_packed,
            "bytes after the deflated ones",
            "does not end where it should",
        ),
        (half_packed, "half of the deflated bytes", "'x.npy': "),
        (
            entry(&array, 0, b"", n),
            "a wrong sum",
            "its checksum is wrong",
        ),
        (
            entry(&deflated(&array), 8, b"", n),
            "a wrong sum",
            "its checksum is wrong",
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
