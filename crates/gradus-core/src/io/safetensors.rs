//! Tensors by name in the safetensors format.

use super::write_atomically;
use crate::dtype::{DType, Element, dispatch};
use crate::error::{Error, Kind, Result, err};
use crate::tensor::Tensor;
use ::safetensors::tensor::{Dtype, TensorView};
use ::safetensors::{SafeTensors, serialize};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

/// Named tensors and one line of text about them.
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

/// Writes tensors, with their names, and a note; atomically, equal content giving equal bytes.
///
/// # Errors
/// If the file cannot be written; the old one is then still there.
///
/// ```no_run
/// use gradus_core::{Tensor, io::safetensors};
/// let weight = Tensor::zeros([2, 3]);
/// safetensors::save("model.safetensors", [("weight", &weight)], None)?;
/// assert_eq!(safetensors::load("model.safetensors")?.tensors["weight"].shape(), [2, 3]);
/// # Ok::<(), gradus_core::Error>(())
/// ```
pub fn save<N: AsRef<str>, T: AsRef<Tensor>>(
    path: impl AsRef<Path>,
    tensors: impl IntoIterator<Item = (N, T)>,
    note: Option<&str>,
) -> Result<()> {
    let named: Vec<(String, DType, Vec<usize>, Vec<u8>)> = tensors
        .into_iter()
        .map(|(name, tensor)| {
            let tensor = tensor.as_ref();
            Ok((
                name.as_ref().to_string(),
                tensor.dtype(),
                tensor.shape().to_vec(),
                to_bytes(tensor)?,
            ))
        })
        .collect::<Result<_>>()?;
    let views = named
        .iter()
        .map(|(name, dtype, shape, bytes)| {
            TensorView::new(to_format(*dtype), shape.clone(), bytes)
                .map(|view| (name, view))
                .map_err(|e| foreign(&e))
        })
        .collect::<Result<Vec<_>>>()?;
    let metadata = note.map(|note| HashMap::from([(NOTE.to_string(), note.to_string())]));
    write_atomically(path, &serialize(views, metadata).map_err(|e| foreign(&e))?)
}

/// Reads every tensor of a file.
///
/// # Errors
/// If the file cannot be read, is no safetensors file, is damaged, or holds a dtype that is not
/// one of ours. Memory beyond the file's own size is not asked for.
pub fn load(path: impl AsRef<Path>) -> Result<Contents> {
    let path = path.as_ref();
    let read = || {
        let bytes = std::fs::read(path)?;
        parse(&bytes)
    };
    read().map_err(|e| e.at(path.display()))
}

/// Reads every tensor of a file's bytes; see [`load`].
///
/// # Errors
/// As [`load`].
pub fn parse(bytes: &[u8]) -> Result<Contents> {
    let damaged = |e: ::safetensors::SafeTensorError| {
        err!(
            Data,
            "not a complete safetensors file ({e}): it was cut short, damaged, or is something else"
        )
    };
    let file = SafeTensors::deserialize(bytes).map_err(damaged)?;
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(damaged)?;
    let note = header
        .metadata()
        .as_ref()
        .and_then(|m| m.get(NOTE).cloned());
    let tensors = file.iter().map(|(name, view)| {
        let tensor = from_view(&view).map_err(|e| e.at(format!("tensor '{name}'")))?;
        Ok((name.to_string(), tensor))
    });
    Ok(Contents {
        tensors: tensors.collect::<Result<_>>()?,
        note,
    })
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

fn from_view(view: &TensorView<'_>) -> Result<Tensor> {
    let dtype = DType::ALL
        .into_iter()
        .find(|&d| to_format(d) == view.dtype());
    let dtype = dtype.ok_or_else(|| err!(Data, "dtype {:?} is not supported", view.dtype()))?;
    if dtype == DType::Bool && view.data().iter().any(|&b| b > 1) {
        return Err(err!(Data, "a bool that is neither 0 nor 1"));
    }
    dispatch!(dtype, T => {
        let values: Vec<T> = view.data().chunks_exact(size_of::<T>()).map(<T as LittleEndian>::read).collect();
        Tensor::from_vec(values, view.shape())
    })
}

fn to_bytes(tensor: &Tensor) -> Result<Vec<u8>> {
    dispatch!(tensor.dtype(), T => tensor.with_slice::<T, _>(|x| {
        let mut bytes = Vec::with_capacity(size_of_val(x));
        x.iter().for_each(|x| x.write(&mut bytes));
        Ok(bytes)
    }))
}

/// The format is little-endian whatever the machine is.
trait LittleEndian: Element {
    fn read(bytes: &[u8]) -> Self;
    fn write(self, out: &mut Vec<u8>);
}

macro_rules! little_endian {
    ($($t:ident),+) => {$(
        impl LittleEndian for $t {
            fn read(bytes: &[u8]) -> Self {
                $t::from_le_bytes(bytes.try_into().expect("chunks of this size"))
            }
            fn write(self, out: &mut Vec<u8>) { out.extend(self.to_le_bytes()) }
        }
    )+};
}
little_endian!(u8, i32, i64, f32, f64);

impl LittleEndian for bool {
    fn read(bytes: &[u8]) -> Self {
        bytes[0] != 0
    }
    fn write(self, out: &mut Vec<u8>) {
        out.push(self.into());
    }
}

fn foreign(e: &::safetensors::SafeTensorError) -> Error {
    Error::new(Kind::Data, format!("safetensors: {e}"))
}
