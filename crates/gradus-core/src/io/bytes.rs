//! Elements as the bytes of a file: read in either order of bytes, written in little-endian.

use crate::dtype::{DType, Element, dispatch};
use crate::error::{Error, Result, err};
use crate::storage::{Buffer, Mapped};
use crate::tensor::Tensor;
use std::io::{self, ErrorKind, Read, Write};

/// Bytes converted at a time, few enough to stay in the cache. A multiple of every element's size.
const CHUNK: usize = 1 << 16;

/// Which byte of a number comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Little,
    Big,
}

impl Order {
    const NATIVE: Self = if cfg!(target_endian = "little") {
        Self::Little
    } else {
        Self::Big
    };
}

/// How a file holds an element. What is not one of our dtypes becomes the smallest of them that
/// holds all of its values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Bool,
    U8,
    I8,
    U16,
    I16,
    U32,
    I32,
    U64,
    I64,
    F16,
    F32,
    F64,
}

impl Format {
    pub(super) fn size(self) -> usize {
        match self {
            Self::Bool | Self::U8 | Self::I8 => 1,
            Self::U16 | Self::I16 | Self::F16 => 2,
            Self::U32 | Self::I32 | Self::F32 => 4,
            Self::U64 | Self::I64 | Self::F64 => 8,
        }
    }

    /// The format of a dtype's own elements.
    pub(super) fn of(dtype: DType) -> Self {
        match dtype {
            DType::Bool => Self::Bool,
            DType::U8 => Self::U8,
            DType::I32 => Self::I32,
            DType::I64 => Self::I64,
            DType::F32 => Self::F32,
            DType::F64 => Self::F64,
        }
    }

    /// Reads `count` elements. The caller has made sure that there can be as many: their memory is
    /// asked for at once.
    pub(super) fn read(self, input: &mut dyn Read, order: Order, count: usize) -> Result<Buffer> {
        match self {
            Self::Bool => read(input, order, count, |[b]| match b {
                0 | 1 => Ok(b == 1),
                _ => Err(err!(
                    Data,
                    "a bool that is neither 0 nor 1: the file is damaged"
                )),
            }),
            Self::U8 => read(input, order, count, |b| Ok(u8::from_le_bytes(b))),
            Self::I8 => read(input, order, count, |b| Ok(i32::from(i8::from_le_bytes(b)))),
            Self::U16 => read(input, order, count, |b| {
                Ok(i32::from(u16::from_le_bytes(b)))
            }),
            Self::I16 => read(input, order, count, |b| {
                Ok(i32::from(i16::from_le_bytes(b)))
            }),
            Self::U32 => read(input, order, count, |b| {
                Ok(i64::from(u32::from_le_bytes(b)))
            }),
            Self::I32 => read(input, order, count, |b| Ok(i32::from_le_bytes(b))),
            Self::U64 => read(input, order, count, |b| {
                let x = u64::from_le_bytes(b);
                i64::try_from(x).map_err(|_| {
                    err!(
                        DType,
                        "the uint64 {x} is too large for int64; save the array as float64 or in parts"
                    )
                })
            }),
            Self::I64 => read(input, order, count, |b| Ok(i64::from_le_bytes(b))),
            Self::F16 => read(input, order, count, |b| Ok(half(u16::from_le_bytes(b)))),
            Self::F32 => read(input, order, count, |b| Ok(f32::from_le_bytes(b))),
            Self::F64 => read(input, order, count, |b| Ok(f64::from_le_bytes(b))),
        }
    }

    /// The elements of a part of a file that holds `count` of them: the part itself where its bytes
    /// are the elements as this machine has them, else a copy.
    pub(super) fn map(self, part: Mapped, order: Order, count: usize) -> Result<Buffer> {
        let own = DType::ALL.into_iter().find(|&d| Self::of(d) == self);
        let own = own.filter(|_| order == Order::NATIVE || self.size() == 1);
        let mapped = match own {
            Some(dtype) => dispatch!(dtype, T => Buffer::mapped::<T>(part)),
            None => Err(part),
        };
        mapped.or_else(|part| self.read(&mut part.bytes(), order, count))
    }
}

/// Reads `count` elements of `N` bytes; `convert` gets them in little-endian.
fn read<const N: usize, T: Element>(
    input: &mut dyn Read,
    order: Order,
    count: usize,
    convert: impl Fn([u8; N]) -> Result<T>,
) -> Result<Buffer> {
    let mut buffer = Buffer::new::<T>(count)?;
    let mut chunk = vec![0; CHUNK.min(N * count)];
    for out in buffer.slice_mut::<T>().chunks_mut(CHUNK / N) {
        let bytes = &mut chunk[..N * out.len()];
        read_exact(input, bytes)?;
        let (elements, _) = bytes.as_chunks_mut::<N>();
        for (o, element) in out.iter_mut().zip(elements) {
            if order == Order::Big {
                element.reverse();
            }
            *o = convert(*element)?;
        }
    }
    Ok(buffer)
}

/// The bytes of a file that are expected to be there.
pub(super) fn read_exact(input: &mut dyn Read, bytes: &mut [u8]) -> Result<()> {
    input.read_exact(bytes).map_err(unreadable)
}

/// What is wrong with a file that could not be read: its content, or the reading.
pub(super) fn unreadable(e: io::Error) -> Error {
    match e.kind() {
        ErrorKind::UnexpectedEof => err!(
            Data,
            "ends before its content does: it was cut short; get or write it again"
        ),
        // What a decompressor says of its input.
        ErrorKind::InvalidInput | ErrorKind::InvalidData => {
            err!(Data, "damaged ({e}); get or write it again")
        }
        _ => e.into(),
    }
}

/// The number that a 16-bit float stands for.
fn half(bits: u16) -> f32 {
    let sign = u32::from(bits & 0x8000) << 16;
    let (exponent, fraction) = (u32::from(bits >> 10 & 0x1f), u32::from(bits & 0x3ff));
    let magnitude = match exponent {
        // Below the normal numbers: a multiple of the smallest one.
        0 => (fraction as f32 * 2f32.powi(-24)).to_bits(),
        0x1f => 0xff << 23 | fraction << 13,
        _ => (exponent + 127 - 15) << 23 | fraction << 13,
    };
    f32::from_bits(sign | magnitude)
}

/// Writes the elements in row-major order.
pub(super) fn write(tensor: &Tensor, out: &mut dyn Write) -> Result<()> {
    dispatch!(tensor.dtype(), T => tensor.with_slice::<T, _>(|x| {
        let mut bytes = Vec::with_capacity(CHUNK.min(size_of_val(x)));
        for part in x.chunks(CHUNK / size_of::<T>()) {
            bytes.clear();
            part.iter().for_each(|x| x.write(&mut bytes));
            out.write_all(&bytes)?;
        }
        Ok(())
    }))
}

trait LittleEndian {
    fn write(self, out: &mut Vec<u8>);
}

macro_rules! little_endian {
    ($($t:ident),+) => {$(
        impl LittleEndian for $t {
            fn write(self, out: &mut Vec<u8>) { out.extend(self.to_le_bytes()) }
        }
    )+};
}
little_endian!(u8, i32, i64, f32, f64);

impl LittleEndian for bool {
    fn write(self, out: &mut Vec<u8>) {
        out.push(self.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_half_is_the_number_its_bits_spell() {
        for bits in 0..=u16::MAX {
            let (exponent, fraction) = (i32::from(bits >> 10 & 31), f64::from(bits & 1023));
            let magnitude = match exponent {
                0 => fraction / 1024.0 * 2f64.powi(-14),
                31 if fraction == 0.0 => f64::INFINITY,
                31 => f64::NAN,
                _ => (1.0 + fraction / 1024.0) * 2f64.powi(exponent - 15),
            };
            let (got, sign) = (half(bits), bits >> 15 == 1);
            assert!(
                got.is_nan() && magnitude.is_nan() || f64::from(got).abs() == magnitude,
                "{bits:#x} became {got}"
            );
            assert_eq!(got.is_sign_negative(), sign, "{bits:#x}");
        }
    }
}
