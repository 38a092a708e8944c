//! Tensors by name in the safetensors format.

use super::atomic::replace;
use super::bytes::{self, Format, Order, read_exact};
use super::{open, shown};
use crate::dtype::DType;
use crate::error::{Error, Kind, Result, err};
use crate::shape::{Dims, numel};
use crate::storage::{Buffer, Mapped};
use crate::tensor::Tensor;
use ::safetensors::serialize;
use ::safetensors::tensor::{Dtype, Metadata, TensorInfo, TensorView};
use serde::de::{Deserialize, Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};
use std::collections::{BTreeMap, HashSet};
use std::fmt::{self, Display};
use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;

/// Named tensors and one line of text about them.
///
/// ```
/// use gradus_core::io::safetensors::Contents;
/// let contents = Contents::default();
/// assert!(contents.tensors.is_empty() && contents.note.is_none());
/// ```
#[derive(Debug, Default)]
pub struct Contents {
    /// The tensors by name.
    pub tensors: BTreeMap<String, Tensor>,
    /// The value of the metadata key `gradus`, if there is one.
    pub note: Option<String>,
}

/// The metadata key of [`Contents::note`]. One key only: the format's writer keeps them in no
/// particular order, and equal content should be equal bytes.
const NOTE: &str = "gradus";

/// The name under which the format keeps its metadata.
const RESERVED: &str = "__metadata__";

/// The longest header, in bytes, that the format allows.
const LONGEST: u64 = 100_000_000;

/// Writes tensors, with their names, and a note; atomically, equal content giving equal bytes.
///
/// # Errors
/// If two tensors have one name, or one the format's own `__metadata__`; if the file cannot be
/// written. The old file is then still there.
///
/// ```
/// use gradus_core::{Tensor, io::safetensors};
/// # let folder = std::env::temp_dir().join(format!("gradus-doc-save-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder)?;
/// let path = folder.join("model.safetensors");
/// let weight = Tensor::zeros([2, 3]);
/// safetensors::save(&path, [("weight", &weight)], Some("after 3 epochs"))?;
/// let contents = safetensors::load(&path)?;
/// assert_eq!(contents.tensors["weight"].shape(), [2, 3]);
/// assert_eq!(contents.note.as_deref(), Some("after 3 epochs"));
/// # std::fs::remove_dir_all(&folder)?;
/// # Ok::<(), gradus_core::Error>(())
/// ```
pub fn save<N: AsRef<str>, T: AsRef<Tensor>>(
    path: impl AsRef<Path>,
    tensors: impl IntoIterator<Item = (N, T)>,
    note: Option<&str>,
) -> Result<()> {
    replace(path.as_ref(), |file| write(file, tensors, note))
}

/// Writes tensors, with their names, and a note to `out`; see [`save`].
///
/// # Errors
/// If names are as [`save`] says, or `out` fails.
///
/// ```
/// use gradus_core::{Tensor, io::safetensors};
/// let mut bytes = Vec::new();
/// safetensors::write(&mut bytes, [("x", Tensor::ones([2]))], None)?;
/// assert_eq!(safetensors::parse(&bytes)?.tensors["x"].to_vec::<f32>()?, [1.0, 1.0]);
/// # Ok::<(), gradus_core::Error>(())
/// ```
pub fn write<N: AsRef<str>, T: AsRef<Tensor>>(
    mut out: impl Write,
    tensors: impl IntoIterator<Item = (N, T)>,
    note: Option<&str>,
) -> Result<()> {
    let named: Vec<(String, DType, Vec<usize>, Vec<u8>)> = tensors
        .into_iter()
        .map(|(name, tensor)| {
            let tensor = tensor.as_ref();
            let mut bytes = Vec::with_capacity(tensor.numel() * tensor.dtype().size());
            bytes::write(tensor, &mut bytes)?;
            Ok((
                name.as_ref().to_string(),
                tensor.dtype(),
                tensor.shape().to_vec(),
                bytes,
            ))
        })
        .collect::<Result<_>>()?;
    let mut names = HashSet::from([RESERVED]);
    if let Some((name, ..)) = named.iter().find(|(name, ..)| !names.insert(name)) {
        return Err(err!(
            Value,
            "cannot save two tensors named '{name}', or any named '{RESERVED}': each needs a name of its own"
        ));
    }
    let views = named
        .iter()
        .map(|(name, dtype, shape, bytes)| {
            TensorView::new(to_format(*dtype), shape.clone(), bytes)
                .map(|view| (name, view))
                .map_err(|e| foreign(&e))
        })
        .collect::<Result<Vec<_>>>()?;
    let metadata = note.map(|note| [(NOTE.to_string(), note.to_string())].into_iter().collect());
    Ok(out.write_all(&serialize(views, metadata).map_err(|e| foreign(&e))?)?)
}

/// Reads every tensor of a file.
///
/// # Errors
/// If the file cannot be read, is no safetensors file, is damaged, or holds a dtype that is not
/// one of ours. Whatever a header claims, no more memory is asked for than the file's bytes and the
/// tensors made of them take.
///
/// ```
/// use gradus_core::{Kind, io::safetensors};
/// let error = safetensors::load("no/such/file").unwrap_err();
/// assert_eq!(error.kind(), Kind::Io);
/// assert!(error.to_string().starts_with("no/such/file: "));
/// ```
pub fn load(path: impl AsRef<Path>) -> Result<Contents> {
    let path = path.as_ref();
    let read = || {
        let (mut file, len) = open(path)?;
        read(&mut file, len)
    };
    read().map_err(|e: Error| e.at(path.display()))
}

/// Reads every tensor of a file from a mapping of it: at once, whatever its size. Elements are
/// fetched from the disk when they are first used, and can be dropped again when memory is short.
///
/// In-place changes of the tensors stay in memory; they never reach the file. Bools, and tensors
/// that are not aligned for their elements, are copied; the format's own writers align them.
///
/// The file must stay as it is while one of the tensors is in use. If somebody shortens it, the
/// system ends this program (SIGBUS on Unix) when a part that is gone is used; if somebody writes to
/// it, elements may change at any time. Replacing the file by another of its name, as [`save`] does,
/// is safe: the tensors keep the old one. Windows refuses to shorten a mapped file.
///
/// # Errors
/// As [`load`]; also if the file is not a regular one, such as a pipe.
///
/// ```
/// use gradus_core::{Tensor, io::safetensors};
/// # let folder = std::env::temp_dir().join(format!("gradus-doc-stmap-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder)?;
/// let path = folder.join("model.safetensors");
/// safetensors::save(&path, [("bias", Tensor::ones([2]))], None)?;
/// let bias = &safetensors::load_mmap(&path)?.tensors["bias"];
/// bias.mul_(10.0)?;
/// assert_eq!(bias.to_vec::<f32>()?, [10.0, 10.0]);
/// assert_eq!(safetensors::load(&path)?.tensors["bias"].to_vec::<f32>()?, [1.0, 1.0]);
/// # std::fs::remove_dir_all(&folder)?;
/// # Ok::<(), gradus_core::Error>(())
/// ```
pub fn load_mmap(path: impl AsRef<Path>) -> Result<Contents> {
    let path = path.as_ref();
    let read = || {
        let mut part = Mapped::new(&File::open(path)?)?;
        let header = Header::read(&mut part.bytes(), part.bytes().len() as u64)?;
        part = part.split_off(header.len);
        header.contents(|format, count| {
            let rest = part.split_off(count * format.size());
            format.map(std::mem::replace(&mut part, rest), Order::Little, count)
        })
    };
    read().map_err(|e: Error| e.at(path.display()))
}

/// Reads every tensor of a file's bytes; see [`load`].
///
/// # Errors
/// As [`load`].
///
/// ```
/// use gradus_core::{Kind, io::safetensors};
/// let header = br#"{"x":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}"#;
/// let bytes = [&(header.len() as u64).to_le_bytes()[..], header, &[7, 8]].concat();
/// assert_eq!(safetensors::parse(&bytes)?.tensors["x"].to_vec::<u8>()?, [7, 8]);
/// assert_eq!(safetensors::parse(&bytes[1..]).unwrap_err().kind(), Kind::Data);
/// # Ok::<(), gradus_core::Error>(())
/// ```
pub fn parse(bytes: &[u8]) -> Result<Contents> {
    read(&mut &bytes[..], bytes.len() as u64)
}

/// Reads every tensor of an input of `len` bytes, straight into the tensors' memory.
fn read(input: &mut dyn Read, len: u64) -> Result<Contents> {
    let header = Header::read(input, len)?;
    header.contents(|format, count| format.read(input, Order::Little, count))
}

/// What a file says it holds.
struct Header {
    note: Option<String>,
    /// In the order of the data, which has no gaps.
    tensors: Vec<(String, TensorInfo)>,
    /// Bytes in front of the data.
    len: usize,
}

impl Header {
    /// The header of a file of `len` bytes, which agrees with that length.
    fn read(input: &mut dyn Read, len: u64) -> Result<Self> {
        let damaged = |e: &dyn Display| {
            err!(
                Data,
                "not a complete safetensors file ({}): it was cut short, damaged, or is something else",
                shown(&e.to_string())
            )
        };
        let mut size = [0; 8];
        read_exact(input, &mut size).map_err(|e| damaged(&e))?;
        let size = u64::from_le_bytes(size);
        let data = len.checked_sub(8).and_then(|rest| rest.checked_sub(size));
        let data = data
            .filter(|_| size <= LONGEST)
            .ok_or_else(|| damaged(&format_args!("a header of {size} bytes in a file of {len}")))?;
        let mut text = vec![0; size as usize];
        read_exact(input, &mut text).map_err(|e| damaged(&e))?;
        serde_json::from_slice::<NoKeyTwice>(&text).map_err(|e| damaged(&e))?;
        let header: Metadata = serde_json::from_slice(&text).map_err(|e| damaged(&e))?;
        if header.data_len() as u64 != data {
            return Err(damaged(&format_args!(
                "its tensors take {} bytes, {data} are there",
                header.data_len()
            )));
        }
        let note = header.metadata().as_ref().and_then(|m| m.get(NOTE));
        let tensors = header.offset_keys().into_iter().map(|name| {
            let info = header.info(&name).expect("a name of its own").clone();
            (name, info)
        });
        Ok(Self {
            note: note.cloned(),
            tensors: tensors.collect(),
            len: 8 + text.len(),
        })
    }

    /// The tensors, `next` giving the elements of one after the other.
    fn contents(self, mut next: impl FnMut(Format, usize) -> Result<Buffer>) -> Result<Contents> {
        let tensors = self.tensors.into_iter().map(|(name, info)| {
            let mut tensor = || {
                let dtype = DType::ALL.into_iter().find(|&d| to_format(d) == info.dtype);
                let dtype = dtype.ok_or_else(|| {
                    err!(
                        Data,
                        "dtype {:?} is not supported; save the tensor as F32",
                        info.dtype
                    )
                })?;
                let shape = Dims::from_slice(&info.shape);
                let buffer = next(Format::of(dtype), numel(&shape)?)?;
                Ok(Tensor::from_buffer(buffer, shape))
            };
            let tensor = tensor().map_err(|e: Error| e.at(format!("tensor '{}'", shown(&name))))?;
            Ok((name, tensor))
        });
        Ok(Contents {
            tensors: tensors.collect::<Result<_>>()?,
            note: self.note,
        })
    }
}

/// A JSON object without a key that occurs twice, of which a map would silently keep the last.
struct NoKeyTwice;

impl<'de> Deserialize<'de> for NoKeyTwice {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        json.deserialize_map(Self)
    }
}

impl<'de> Visitor<'de> for NoKeyTwice {
    type Value = Self;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self, A::Error> {
        let mut seen = HashSet::new();
        while let Some((key, _)) = map.next_entry::<String, IgnoredAny>()? {
            if let Some(key) = seen.replace(key) {
                return Err(A::Error::custom(format_args!("'{key}' occurs twice")));
            }
        }
        Ok(self)
    }
}

fn to_format(dtype: DType) -> Dtype {
    match dtype {
        DType::Bool => Dtype::BOOL,
        DType::U8 => Dtype::U8,
        DType::I32 => Dtype::I32,
        DType::I64 => Dtype::I64,
        DType::F32 => Dtype::F32,
        DType::F64 => Dtype::F64,
    }
}

fn foreign(e: &::safetensors::SafeTensorError) -> Error {
    Error::new(Kind::Data, format!("safetensors: {e}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io::test_folder;
    use std::fs;

    /// The bytes of a file with these tensors.
    fn saved(tensors: &[(&str, &Tensor)], note: Option<&str>) -> Vec<u8> {
        let folder = test_folder(&format!("{:?}", std::thread::current().id()));
        let path = folder.join("file");
        save(&path, tensors.iter().copied(), note).unwrap();
        let bytes = fs::read(&path).unwrap();
        fs::remove_dir_all(folder).unwrap();
        bytes
    }

    /// A file with this header, as long as it says it is, and this data.
    fn file(header: &str, data: &[u8]) -> Vec<u8> {
        let length = (header.len() as u64).to_le_bytes();
        [&length, header.as_bytes(), data].concat()
    }

    fn small() -> Vec<u8> {
        let (w, b) = (Tensor::from([[1.0, -2.0]]), Tensor::from([true, false]));
        saved(&[("w", &w), ("b", &b)], Some("note"))
    }

    /// Damage must give an error of its kind, never a panic.
    fn refused(bytes: &[u8], what: impl std::fmt::Display) {
        match parse(bytes) {
            Ok(_) => panic!("{what} was accepted"),
            Err(e) => assert!(matches!(e.kind(), Kind::Data), "{what}: {e:?}"),
        }
    }

    #[test]
    fn every_dtype_and_shape_comes_back() {
        for dtype in DType::ALL {
            let wide = Tensor::arange(-3.0, 9.0, 1.0, DType::F64).unwrap();
            let matrix = wide.to_dtype(dtype).unwrap().reshape([3, 4]).unwrap();
            for tensor in [
                matrix.clone(),
                matrix.t().unwrap(),
                matrix.slice(1, 1, 4, 2).unwrap(),
                matrix.select(0, 1).unwrap().select(0, 2).unwrap(),
                matrix.narrow(0, 3, 0).unwrap(),
                matrix
                    .unsqueeze(0)
                    .unwrap()
                    .broadcast_to([2, 3, 4])
                    .unwrap(),
            ] {
                let contents = parse(&saved(&[("x", &tensor)], None)).unwrap();
                let back = &contents.tensors["x"];
                assert_eq!((back.dtype(), back.shape()), (dtype, tensor.shape()));
                let values = |t: &Tensor| t.to_vec::<f64>().unwrap();
                assert_eq!(
                    values(back),
                    values(&tensor),
                    "{dtype} {:?}",
                    tensor.shape()
                );
                assert!(contents.note.is_none() && contents.tensors.len() == 1);
            }
        }
        // Bits that an f64 on the way would lose.
        let ends = Tensor::from_vec([i64::MIN, i64::MAX], [2]).unwrap();
        let odd = Tensor::from_vec([f32::from_bits(0x7fc1_2345), -0.0], [2]).unwrap();
        let contents = parse(&saved(&[("ends", &ends), ("odd", &odd)], Some(""))).unwrap();
        let back = contents.tensors["ends"].to_vec::<i64>().unwrap();
        assert_eq!(back, [i64::MIN, i64::MAX]);
        let bits = |t: &Tensor| {
            t.to_vec::<f32>()
                .unwrap()
                .iter()
                .map(|x| x.to_bits())
                .collect::<Vec<_>>()
        };
        assert_eq!(bits(&contents.tensors["odd"]), bits(&odd));
        assert_eq!(contents.note.as_deref(), Some(""));
        assert!(parse(&saved(&[], None)).unwrap().tensors.is_empty());
    }

    #[test]
    fn equal_content_is_equal_bytes_in_whatever_order_it_is_given() {
        let x: Vec<Tensor> = (0..20).map(|i| Tensor::from([i, i])).collect();
        let names: Vec<String> = (0..20).map(|i| format!("layer.{i}")).collect();
        let mut tensors: Vec<_> = names.iter().map(String::as_str).zip(&x).collect();
        let once = saved(&tensors, Some("the note"));
        tensors.reverse();
        assert_eq!(saved(&tensors, Some("the note")), once);
        assert_ne!(saved(&tensors, None), once);
    }

    #[test]
    fn names_must_differ() {
        let x = Tensor::ones([1]);
        for names in [["a", "a", "b"], ["a", "b", RESERVED]] {
            let folder = test_folder(names[2]);
            let path = folder.join("file");
            let error = save(&path, names.map(|name| (name, &x)), None).unwrap_err();
            assert!(error.kind() == Kind::Value && !path.exists(), "{error}");
            fs::remove_dir_all(folder).unwrap();
        }
    }

    #[test]
    fn a_file_cut_short_anywhere_or_too_long_is_refused() {
        let whole = small();
        parse(&whole).unwrap();
        (0..whole.len()).for_each(|n| refused(&whole[..n], format!("a file cut to {n} bytes")));
        refused(&[&whole[..], &[0]].concat(), "a byte too many");
        refused(b"", "an empty file");
        refused(b"Dear reader, this is a text of some length.", "a text");
        refused(&[0xff; 100], "a file of ones");
    }

    #[test]
    fn a_flipped_bit_is_refused_or_gives_tensors_but_no_panic() {
        let whole = small();
        let header = 8 + u64::from_le_bytes(whole[..8].try_into().unwrap()) as usize;
        let mut accepted = 0;
        for byte in 0..header {
            for bit in 0..8 {
                let mut damaged = whole.clone();
                damaged[byte] ^= 1 << bit;
                // A flip within a name or the note makes another valid file.
                accepted += usize::from(parse(&damaged).is_ok());
            }
        }
        assert!(accepted < header, "{accepted} of {} flips", 8 * header);
        let bool_at = whole.len() - 1;
        let damaged = [&whole[..bool_at], &[2]].concat();
        let error = parse(&damaged).unwrap_err();
        assert!(error.to_string().contains("tensor 'b'"), "{error}");
    }

    #[test]
    fn headers_that_lie_are_refused() {
        let tensor = |dtype: &str, shape: &str, offsets: &str| {
            format!(r#"{{"x":{{"dtype":"{dtype}","shape":{shape},"data_offsets":{offsets}}}}}"#)
        };
        parse(&file(&tensor("U8", "[4]", "[0,4]"), &[0; 4])).unwrap();
        for (dtype, shape, offsets) in [
            ("U8", "[1099511627776]", "[0,1099511627776]"),
            ("F64", "[18446744073709551615,2]", "[0,4]"),
            ("U8", "[18446744073709551616]", "[0,4]"),
            ("U8", "[1099511627776]", "[0,4]"),
            ("U8", "[-4]", "[0,4]"),
            ("U8", "[4.0]", "[0,4]"),
            ("U8", "[4]", "[0,18446744073709551615]"),
            ("U8", "[4]", "[4,0]"),
            ("U8", "[4]", "[1,5]"),
            ("U8", "[3]", "[0,3]"),
            ("F32", "[4]", "[0,4]"),
            ("F16", "[2]", "[0,4]"),
            ("I128", "[4]", "[0,4]"),
        ] {
            let header = tensor(dtype, shape, offsets);
            refused(&file(&header, &[0; 4]), &header);
        }
        // Many dimensions, the sizes overflowing beside a 0.
        let header = tensor("U8", "[0,4294967296,4294967296]", "[0,0]");
        assert!(parse(&file(&header, &[])).is_err());
        let overlapping = r#"{"x":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},
            "y":{"dtype":"U8","shape":[4],"data_offsets":[2,6]}}"#;
        refused(&file(overlapping, &[0; 6]), "overlapping tensors");
        let mut huge = file("{}", &[]);
        huge[..8].copy_from_slice(&u64::MAX.to_le_bytes());
        refused(&huge, "a header of 2^64 bytes");
        refused(&file(&"[".repeat(100_000), &[]), "deep nesting");
    }

    #[test]
    fn errors_name_the_file_and_the_tensor() {
        let folder = test_folder("names-the-file");
        let path = folder.join("model.safetensors");
        fs::write(&path, small()).unwrap();
        load(&path).unwrap();
        fs::write(&path, "text").unwrap();
        let error = load(&path).unwrap_err();
        assert!(error.kind() == Kind::Data && error.to_string().contains("model.safetensors"));
        fs::remove_dir_all(folder).unwrap();
    }
}
