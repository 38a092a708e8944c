//! The IDX format of MNIST and its successors: arrays of unsigned bytes, plain or gzipped.
//!
//! A file is a magic number of four bytes (two zeros, the type of the elements, the number of
//! dimensions), then the size of each dimension as a big-endian `u32`, then the elements in
//! row-major order. Source: LeCun, Cortes and Burges, "The MNIST database of handwritten digits",
//! section "File formats".
//!
//! Nothing the header says is believed before the bytes have arrived: memory grows with the
//! content of the file, so a damaged or hostile file costs an error and nothing else.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;
use gradus_core::{Error, Kind, Result};

/// The first two bytes of every gzip stream (RFC 1952, section 2.3.1).
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];
/// The type code of the only element type read here.
const UNSIGNED_BYTE: u8 = 0x08;
/// As much is allocated on the header's word alone; past it, memory grows as data arrives.
const FIRST_ALLOCATION: usize = 1 << 20;

/// An array of unsigned bytes as an IDX file holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Idx {
    /// The size of each dimension, e.g. `[60000, 28, 28]` for the images of MNIST.
    pub shape: Vec<usize>,
    /// The elements in row-major order; as many as the product of `shape`.
    pub bytes: Vec<u8>,
}

/// Reads the IDX file at `path`; a gzipped file is recognised by its first bytes, not by its name.
///
/// # Errors
///
/// The message starts with the path. [`Kind::Io`] when the file cannot be opened or read,
/// otherwise as [`parse`].
pub fn read(path: &Path) -> Result<Idx> {
    let file = File::open(path).map_err(Error::from);
    file.and_then(|file| decode(BufReader::new(file)))
        .map_err(|e| e.at(path.display()))
}

/// Reads the content of an IDX file, plain or gzipped, that is already in memory.
///
/// # Errors
///
/// [`Kind::Data`], saying what was found and what was expected, when the content is not IDX, holds
/// elements other than unsigned bytes, has fewer or more bytes than its header declares, or is a
/// damaged gzip stream.
pub fn parse(bytes: &[u8]) -> Result<Idx> {
    decode(bytes)
}

/// Takes the gzip layer off, if there is one.
fn decode(mut file: impl BufRead) -> Result<Idx> {
    let start = up_to(GZIP_MAGIC.len(), &mut file)?;
    let whole = start.chain(file);
    if start == GZIP_MAGIC {
        array(MultiGzDecoder::new(whole))
    } else {
        array(whole)
    }
}

/// Reads the header and the elements, and makes sure that nothing follows them.
fn array(mut content: impl Read) -> Result<Idx> {
    let shape = shape(&mut content)?;
    let elements = (shape.iter())
        .try_fold(1usize, |product, &size| product.checked_mul(size))
        .filter(|&elements| elements < isize::MAX as usize)
        .ok_or_else(|| data(format!("the sizes {shape:?} overflow the address space")))?;

    // One byte more than declared: it tells a file that is too long, and asking for it takes a
    // gzip stream to its end, where the checksum is.
    let bytes = up_to(elements + 1, &mut content)?;
    if bytes.len() > elements {
        return Err(data(format!(
            "extra bytes after the data: the shape {shape:?} needs {elements} bytes, found more"
        )));
    }
    if bytes.len() < elements {
        return Err(data(format!(
            "truncated data: the shape {shape:?} needs {elements} bytes, found {} ({} missing)",
            bytes.len(),
            elements - bytes.len()
        )));
    }
    Ok(Idx { shape, bytes })
}

/// Reads the magic number and the sizes.
fn shape(content: &mut impl Read) -> Result<Vec<usize>> {
    let magic = up_to(4, content)?;
    let rank = match magic[..] {
        [] => {
            let message = "the file is empty, expected an IDX file (plain or gzipped)";
            return Err(data(message));
        }
        [0, 0, UNSIGNED_BYTE, rank] => usize::from(rank),
        [0, 0, code, _] => {
            return Err(data(format!(
                "IDX elements of type 0x{code:02x} ({}) are not supported, \
                 expected 0x{UNSIGNED_BYTE:02x} (unsigned byte)",
                type_name(code)
            )));
        }
        [0] | [0, 0] | [0, 0, _] => {
            return Err(data(format!(
                "truncated header: {} bytes of the magic number, expected 4",
                magic.len()
            )));
        }
        _ => {
            return Err(data(format!(
                "not an IDX file: it starts with the bytes {magic:02x?}, \
                 expected [00, 00, {UNSIGNED_BYTE:02x}] and the number of dimensions"
            )));
        }
    };
    let sizes = up_to(4 * rank, content)?;
    if sizes.len() < 4 * rank {
        return Err(data(format!(
            "truncated header: {} bytes of sizes for {rank} dimensions, expected {}",
            sizes.len(),
            4 * rank
        )));
    }
    let (sizes, _) = sizes.as_chunks();
    Ok((sizes.iter())
        .map(|&size| u32::from_be_bytes(size) as usize)
        .collect())
}

/// What an IDX type code stands for.
fn type_name(code: u8) -> &'static str {
    match code {
        0x08 => "unsigned byte",
        0x09 => "signed byte",
        0x0b => "16-bit integer",
        0x0c => "32-bit integer",
        0x0d => "32-bit float",
        0x0e => "64-bit float",
        _ => "unknown",
    }
}

/// The next `count` bytes, or all that are left if they are fewer.
fn up_to(count: usize, content: &mut impl Read) -> Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(count.min(FIRST_ALLOCATION));
    match content.take(count as u64).read_to_end(&mut bytes) {
        Ok(_) => Ok(bytes),
        // Errors of the operating system carry its code; those of the gzip decoder do not.
        Err(e) if e.raw_os_error().is_some() => Err(e.into()),
        Err(e) if e.kind() == io::ErrorKind::OutOfMemory => {
            Err(Error::new(Kind::Memory, e.to_string()))
        }
        Err(e) => Err(data(format!("damaged gzip stream: {e}"))),
    }
}

fn data(message: impl Into<String>) -> Error {
    Error::new(Kind::Data, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, write::GzEncoder};
    use std::io::Write;

    const IMAGES: &[u8] = include_bytes!("../../assets/digits-images-idx3-ubyte.gz");
    const LABELS: &[u8] = include_bytes!("../../assets/digits-labels-idx1-ubyte.gz");

    /// The IDX file that declares `sizes` and holds `elements`, whether they agree or not.
    fn idx(sizes: &[u32], elements: &[u8]) -> Vec<u8> {
        let mut file = vec![0, 0, UNSIGNED_BYTE, sizes.len() as u8];
        file.extend(sizes.iter().flat_map(|size| size.to_be_bytes()));
        file.extend(elements);
        file
    }

    fn gzip(content: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap()
    }

    /// The message of the [`Kind::Data`] error that `file` must give.
    fn complaint(file: &[u8]) -> String {
        let error = parse(file).expect_err("the file is broken");
        assert_eq!(error.kind(), Kind::Data, "{error}");
        let message = error.to_string();
        assert!(!message.contains('\n'), "more than one line: {message}");
        message
    }

    /// A loader that gets the header, the order of the elements or the gzip layer wrong.
    #[test]
    fn plain_and_gzipped_files_give_the_same_array() {
        let file = idx(&[2, 3], b"abcdef");
        let expected = Idx {
            shape: vec![2, 3],
            bytes: b"abcdef".to_vec(),
        };
        assert_eq!(parse(&file).unwrap(), expected);
        assert_eq!(parse(&gzip(&file)).unwrap(), expected);
    }

    /// A gzip file may consist of several streams; reading the first alone would truncate.
    #[test]
    fn a_gzip_file_of_two_streams_is_one_array() {
        let file = idx(&[4], b"abcd");
        let (head, tail) = file.split_at(10);
        let array = parse(&[gzip(head), gzip(tail)].concat()).unwrap();
        assert_eq!(array.bytes, b"abcd");
    }

    /// An empty set is a set, not an error.
    #[test]
    fn a_size_of_zero_gives_no_elements() {
        let array = parse(&idx(&[0, 28, 28], b"")).unwrap();
        assert_eq!((array.shape, array.bytes), (vec![0, 28, 28], vec![]));
    }

    /// The digits shipped with the crate are not those of scikit-learn.
    #[test]
    fn the_embedded_digits_are_complete() {
        let images = parse(IMAGES).unwrap();
        assert_eq!(images.shape, [1797, 8, 8]);
        assert_eq!(images.bytes.iter().max(), Some(&16));
        assert_eq!(images.bytes[..8], [0, 0, 5, 13, 9, 1, 0, 0]);

        let labels = parse(LABELS).unwrap();
        assert_eq!(labels.shape, [1797]);
        assert_eq!(labels.bytes[..5], [0, 1, 2, 3, 4]);
        let mut counts = [0; 10];
        for &label in &labels.bytes {
            counts[usize::from(label)] += 1;
        }
        let expected = [178, 182, 177, 183, 181, 182, 181, 179, 174, 180];
        assert_eq!(counts, expected);
    }

    /// A message that leaves the reader guessing which of the many mistakes was made.
    #[test]
    fn each_mistake_is_named() {
        let cases: &[(Vec<u8>, &str)] = &[
            (vec![], "the file is empty"),
            (gzip(b""), "the file is empty"),
            (
                vec![0, 0, 8],
                "truncated header: 3 bytes of the magic number, expected 4",
            ),
            (
                b"\x89PNG\r\n".to_vec(),
                "not an IDX file: it starts with the bytes [89, 50, 4e, 47], expected [00, 00, 08]",
            ),
            (
                vec![0, 0, 0x0d, 1],
                "type 0x0d (32-bit float) are not supported, expected 0x08",
            ),
            (vec![0, 0, 0x42, 1], "type 0x42 (unknown)"),
            (
                vec![0, 0, 8, 3, 0, 0],
                "2 bytes of sizes for 3 dimensions, expected 12",
            ),
            (
                idx(&[2, 3], b"abc"),
                "the shape [2, 3] needs 6 bytes, found 3 (3 missing)",
            ),
            (
                idx(&[2], b"abc"),
                "extra bytes after the data: the shape [2] needs 2 bytes",
            ),
            (gzip(&idx(&[2], b"abc")), "extra bytes after the data"),
            (
                idx(&[u32::MAX; 3], b""),
                "[4294967295, 4294967295, 4294967295] overflow",
            ),
            (idx(&[u32::MAX; 255], b""), "overflow"),
        ];
        for (file, expected) in cases {
            let message = complaint(file);
            assert!(message.contains(expected), "{message:?} lacks {expected:?}");
        }
    }

    /// A header that promises 4 GiB must not cost 4 GiB, nor a stream of zeros what it unpacks to.
    #[test]
    fn the_header_is_not_trusted() {
        assert!(complaint(&idx(&[u32::MAX], b"abc")).contains("4294967292 missing"));
        assert!(complaint(&gzip(&idx(&[10], &[0; 1 << 20]))).contains("extra bytes"));
        let array = parse(&idx(&[3], b"abc")).unwrap();
        assert!(array.bytes.capacity() < 64, "{}", array.bytes.capacity());
    }

    /// A file cut off at any point is taken for a whole one, or ends the program.
    #[test]
    fn every_truncation_is_an_error() {
        let plain = idx(&[2, 3], b"abcdef");
        for file in [gzip(&plain), plain] {
            for length in 0..file.len() {
                complaint(&file[..length]);
            }
        }
    }

    /// A flipped bit in a gzip stream gives a different array instead of an error. (A few bits of
    /// its header, such as the time stamp, mean nothing.)
    #[test]
    fn no_flipped_bit_changes_the_array() {
        let whole = parse(LABELS).unwrap();
        for bit in 0..8 * LABELS.len() {
            let mut file = LABELS.to_vec();
            file[bit / 8] ^= 1 << (bit % 8);
            match parse(&file) {
                Ok(array) => assert!(array == whole, "bit {bit} changed the array"),
                Err(e) => assert_eq!(e.kind(), Kind::Data, "bit {bit}: {e}"),
            }
        }
    }

    /// A user with four files cannot tell which of them is broken.
    #[test]
    fn errors_of_a_file_name_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("labels-idx1-ubyte");
        let place = path.display().to_string();

        let missing = read(&path).unwrap_err();
        assert_eq!(missing.kind(), Kind::Io);
        assert!(missing.to_string().starts_with(&place), "{missing}");

        std::fs::write(&path, idx(&[2], b"a")).unwrap();
        let broken = read(&path).unwrap_err();
        assert_eq!(broken.kind(), Kind::Data);
        assert!(broken.to_string().starts_with(&place), "{broken}");

        std::fs::write(&path, idx(&[2], b"ab")).unwrap();
        assert_eq!(read(&path).unwrap().bytes, b"ab");

        // A directory opens like a file on some systems and fails only when it is read.
        assert_eq!(read(folder.path()).unwrap_err().kind(), Kind::Io);
    }
}
