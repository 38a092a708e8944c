//! One array in NumPy's `.npy` format, versions 1.0, 2.0 and 3.0.
//!
//! | NumPy | becomes |
//! |---|---|
//! | bool, uint8, int32, int64, float32, float64 | the same |
//! | int8, int16, uint16 | int32 |
//! | uint32 | int64 |
//! | uint64 | int64, if every element fits |
//! | float16 | float32 |
//!
//! Both orders of bytes and both C and Fortran order are read; an array in Fortran order becomes a
//! tensor with the strides to match, without a copy. Other dtypes are refused; Python objects in
//! particular, which would have to be unpickled. Files are written in format 1.0, little-endian and
//! C order.
//!
//! The format is described in
//! [NumPy's documentation](https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html).

mod header;

use super::atomic::replace;
use super::{bytes, open};
use crate::error::{Error, Result, err};
use crate::shape::Dims;
use crate::storage::{Buffer, Mapped};
use crate::tensor::Tensor;
use header::Header;
use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;

/// Writes a tensor to a file; atomically, as [`write_atomically`](super::write_atomically) does.
///
/// # Errors
/// If the tensor has more than 64 dimensions, or the file cannot be written. The old file is then
/// still there.
///
/// ```
/// use gradus_core::{Tensor, io::npy};
/// # let folder = std::env::temp_dir().join(format!("gradus-doc-npy-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder)?;
/// let path = folder.join("x.npy");
/// npy::save(&path, &Tensor::from([[1.0, 2.0], [3.0, 4.0]]))?;
/// assert_eq!(npy::load(&path)?.to_vec::<f32>()?, [1.0, 2.0, 3.0, 4.0]);
/// # std::fs::remove_dir_all(&folder)?;
/// # Ok::<(), gradus_core::Error>(())
/// ```
pub fn save(path: impl AsRef<Path>, tensor: &Tensor) -> Result<()> {
    replace(path.as_ref(), |file| write(file, tensor))
}

/// Reads the array of a file.
///
/// # Errors
/// If the file cannot be read, is damaged or cut short, holds more than one array (see [`read`]) or
/// a dtype that the [module](self) does not list.
///
/// ```
/// use gradus_core::{Kind, io::npy};
/// let error = npy::load("no/such/file").unwrap_err();
/// assert_eq!(error.kind(), Kind::Io);
/// assert!(error.to_string().starts_with("no/such/file: "));
/// ```
pub fn load(path: impl AsRef<Path>) -> Result<Tensor> {
    let path = path.as_ref();
    let read = || {
        let (mut file, len) = open(path)?;
        read_whole(&mut file, len)
    };
    read().map_err(|e: Error| e.at(path.display()))
}

/// Reads the array of a file from a mapping of it: at once, whatever its size. Elements are fetched
/// from the disk when they are first used, and can be dropped again when memory is short.
///
/// In-place changes of the tensor stay in memory, where they take a copy of the pages they touch;
/// they never reach the file. Arrays of bool, of a dtype that has to be converted, in the other
/// order of bytes, or not aligned for their elements (NumPy and [`save`] align them) are read as
/// [`load`] does.
///
/// The file must stay as it is while the tensor or a view of it is in use. If somebody shortens it,
/// the system ends this program (SIGBUS on Unix) when a part that is gone is used; if somebody
/// writes to it, elements may change at any time. Replacing the file by another of its name, as
/// [`save`] does, is safe: the tensor keeps the old one. Windows refuses to shorten a mapped file.
///
/// # Errors
/// As [`load`]; also if the file is not a regular one, such as a pipe.
///
/// ```
/// use gradus_core::{Tensor, io::npy};
/// # let folder = std::env::temp_dir().join(format!("gradus-doc-mmap-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder)?;
/// let path = folder.join("x.npy");
/// npy::save(&path, &Tensor::from([1.0, 2.0]))?;
/// let x = npy::load_mmap(&path)?;
/// x.mul_(10.0)?;
/// assert_eq!(x.to_vec::<f32>()?, [10.0, 20.0]);
/// assert_eq!(npy::load(&path)?.to_vec::<f32>()?, [1.0, 2.0]);
/// # std::fs::remove_dir_all(&folder)?;
/// # Ok::<(), gradus_core::Error>(())
/// ```
pub fn load_mmap(path: impl AsRef<Path>) -> Result<Tensor> {
    let path = path.as_ref();
    let read = || {
        let mut file = Mapped::new(&File::open(path)?)?;
        let header = Header::read(&mut file.bytes())?;
        check_size(&header, file.bytes().len() as u64)?;
        let elements = file.split_off(header.len);
        let buffer = header.format.map(elements, header.order, header.numel)?;
        Ok(into_tensor(&header, buffer))
    };
    read().map_err(|e: Error| e.at(path.display()))
}

/// Reads one array from `input` and leaves it behind the array's last byte, so that several can be
/// read from one stream.
///
/// # Errors
/// As [`load`]. Memory is asked for as the bytes arrive, whatever the header says.
///
/// ```
/// use gradus_core::{Tensor, io::npy};
/// let mut bytes = Vec::new();
/// npy::write(&mut bytes, &Tensor::from([1, 2]))?;
/// npy::write(&mut bytes, &Tensor::from(true))?;
/// let mut input = &bytes[..];
/// assert_eq!(npy::read(&mut input)?.shape(), [2]);
/// assert_eq!(npy::read(&mut input)?.ndim(), 0);
/// assert!(npy::read(&mut input).is_err());
/// # Ok::<(), gradus_core::Error>(())
/// ```
pub fn read(mut input: impl Read) -> Result<Tensor> {
    let header = Header::read(&mut input)?;
    let mut elements = Vec::new();
    input.take(header.bytes()).read_to_end(&mut elements)?;
    check_size(&header, header.len as u64 + elements.len() as u64)?;
    read_elements(&header, &mut &elements[..])
}

/// Reads the array that an input of `len` bytes consists of. The caller vouches for `len`: no more
/// memory than that is asked for.
pub(super) fn read_whole(input: &mut dyn Read, len: u64) -> Result<Tensor> {
    let header = Header::read(input)?;
    check_size(&header, len)?;
    read_elements(&header, input)
}

/// Writes an array to `out`; see [`save`].
///
/// # Errors
/// If the tensor has more than 64 dimensions, or `out` fails.
///
/// ```
/// use gradus_core::{Tensor, io::npy};
/// let mut bytes = Vec::new();
/// npy::write(&mut bytes, &Tensor::from([1.0, 2.0]))?;
/// assert_eq!(bytes.len(), 128 + 8);
/// # Ok::<(), gradus_core::Error>(())
/// ```
pub fn write(mut out: impl Write, tensor: &Tensor) -> Result<()> {
    out.write_all(&Header::write(tensor.dtype(), tensor.shape())?)?;
    bytes::write(tensor, &mut out)
}

/// An error unless header and elements are `len` bytes.
fn check_size(header: &Header, len: u64) -> Result<()> {
    let found = len.saturating_sub(header.len as u64);
    let (promised, shape) = (header.bytes(), &header.shape);
    if found == promised {
        return Ok(());
    }
    Err(if found < promised {
        err!(
            Data,
            "cut short: its header promises {promised} bytes for the shape {shape:?}, {found} are there; get or write \
             it again"
        )
    } else {
        err!(
            Data,
            "{} bytes after the array of shape {shape:?}: if they are further arrays, read them one by one with \
             npy::read",
            found - promised
        )
    })
}

fn read_elements(header: &Header, input: &mut dyn Read) -> Result<Tensor> {
    let buffer = header.format.read(input, header.order, header.numel)?;
    Ok(into_tensor(header, buffer))
}

/// Elements in Fortran order are those of the transpose in C order.
fn into_tensor(header: &Header, buffer: Buffer) -> Tensor {
    let mut shape = header.shape.clone();
    if !header.fortran {
        return Tensor::from_buffer(buffer, shape);
    }
    shape.reverse();
    let order: Dims = (0..shape.len()).rev().collect();
    let transposed = Tensor::from_buffer(buffer, shape);
    let layout = transposed.layout().permute(&order);
    // Nobody else sees the memory: no view, though its strides are one's.
    transposed.with_layout(layout).detach()
}
