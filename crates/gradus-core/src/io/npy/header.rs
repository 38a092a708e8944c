//! What stands in front of the elements: a Python dictionary as text, with dtype, order and shape.

use crate::dtype::DType;
use crate::error::{Result, err};
use crate::io::bytes::{Format, Order, read_exact};
use crate::io::shown;
use crate::shape::{Dims, numel};
use std::io::Read;

const MAGIC: &[u8; 6] = b"\x93NUMPY";
/// The longest text that is read. Those of our dtypes have some hundred bytes, and a header of
/// format 1.0 cannot be longer.
const LONGEST: u32 = 0xffff;
/// The elements begin at a multiple of this, so that a mapping of the file has them aligned.
const ALIGN: usize = 64;
/// The most dimensions NumPy has.
const DIMENSIONS: usize = 64;

/// The dtypes by NumPy's code: kind and bytes.
const CODES: [(&str, Format); 12] = [
    ("b1", Format::Bool),
    ("u1", Format::U8),
    ("i1", Format::I8),
    ("u2", Format::U16),
    ("i2", Format::I16),
    ("u4", Format::U32),
    ("i4", Format::I32),
    ("u8", Format::U64),
    ("i8", Format::I64),
    ("f2", Format::F16),
    ("f4", Format::F32),
    ("f8", Format::F64),
];

/// How the elements lie in the file.
#[derive(Debug)]
pub(super) struct Header {
    pub format: Format,
    pub order: Order,
    /// Whether the first dimension is the one whose neighbours are neighbours in the file.
    pub fortran: bool,
    pub shape: Dims,
    pub numel: usize,
    /// Bytes of the header itself.
    pub len: usize,
}

impl Header {
    /// Bytes of the elements.
    pub(super) fn bytes(&self) -> u64 {
        // Neither factor is large: `numel` checks the shape.
        self.numel as u64 * self.format.size() as u64
    }

    pub(super) fn read(input: &mut dyn Read) -> Result<Self> {
        let mut start = [0; 8];
        let magic = read_exact(input, &mut start).map(|()| &start[..6] == MAGIC);
        if !magic? {
            return Err(err!(Data, "not an npy file: it begins with other bytes"));
        }
        let mut len = [0; 4];
        let field = match start[6] {
            1 => 2,
            2 | 3 => 4,
            version => {
                return Err(err!(
                    Data,
                    "npy format {version}.{} is not known, only 1.0, 2.0 and 3.0; save it again with NumPy",
                    start[7]
                ));
            }
        };
        read_exact(input, &mut len[..field])?;
        let len = u32::from_le_bytes(len);
        if len > LONGEST {
            return Err(err!(
                Data,
                "an npy header of {len} bytes, at most {LONGEST} are read: no array of numbers needs as many"
            ));
        }
        let mut text = vec![0; len as usize];
        read_exact(input, &mut text)?;
        let text = std::str::from_utf8(&text)
            .map_err(|_| err!(Data, "an npy header that is not text: the file is damaged"))?;
        let mut header = Text(text).header()?;
        header.len = 8 + field + text.len();
        Ok(header)
    }

    /// The header, in format 1.0, of an array of this dtype and shape in C order.
    pub(super) fn write(dtype: DType, shape: &[usize]) -> Result<Vec<u8>> {
        check_dimensions(shape.len())?;
        let format = Format::of(dtype);
        let code = CODES.iter().find(|(_, f)| *f == format);
        let (code, _) = code.expect("every dtype's format has a code");
        let order = if format.size() == 1 { '|' } else { '<' };
        let sizes: String = shape.iter().map(|n| format!("{n}, ")).collect();
        // Python's tuples: (), (2,), (2, 3).
        let sizes = match shape.len() {
            1 => sizes.trim_end(),
            _ => sizes.trim_end_matches(", "),
        };
        let mut text =
            format!("{{'descr': '{order}{code}', 'fortran_order': False, 'shape': ({sizes}), }}");
        let len = (10 + text.len() + 1).next_multiple_of(ALIGN) - 10;
        text.extend(std::iter::repeat_n(' ', len - 1 - text.len()));
        text.push('\n');
        let len = u16::try_from(len).expect("64 sizes are far fewer than 65536 bytes");
        Ok([MAGIC, &[1, 0][..], &len.to_le_bytes(), text.as_bytes()].concat())
    }
}

fn check_dimensions(n: usize) -> Result<()> {
    if n <= DIMENSIONS {
        return Ok(());
    }
    Err(err!(
        Shape,
        "an array of {n} dimensions: npy files have at most {DIMENSIONS}; reshape it first"
    ))
}

/// The part of the text that is not read yet.
struct Text<'a>(&'a str);

impl<'a> Text<'a> {
    fn header(mut self) -> Result<Header> {
        let (mut descr, mut fortran, mut shape) = (None, None, None);
        self.expect("{")?;
        while !self.eat("}") {
            let key = self.string()?;
            self.expect(":")?;
            let known = match key {
                "descr" => descr.replace(self.descr()?).is_none(),
                "fortran_order" => fortran.replace(self.bool()?).is_none(),
                "shape" => shape.replace(self.shape()?).is_none(),
                _ => {
                    let key = shown(key);
                    return Err(err!(Data, "an npy header with the unknown key '{key}'"));
                }
            };
            if !known {
                return Err(err!(Data, "an npy header with the key '{key}' twice"));
            }
            if !self.eat(",") {
                self.expect("}")?;
                break;
            }
        }
        if !self.0.trim_ascii().is_empty() {
            return Err(self.unexpected("the end"));
        }
        match (descr, fortran, shape) {
            (Some((format, order)), Some(fortran), Some(shape)) => Ok(Header {
                format,
                order,
                fortran,
                numel: numel(&shape)?,
                shape,
                len: 0,
            }),
            _ => Err(err!(
                Data,
                "an npy header without one of 'descr', 'fortran_order' and 'shape'"
            )),
        }
    }

    fn descr(&mut self) -> Result<(Format, Order)> {
        if self.eat("[") {
            return Err(err!(
                DType,
                "a structured dtype is not supported; save each field as an array of its own"
            ));
        }
        let descr = self.string()?;
        let (order, code) = match descr.as_bytes().first() {
            Some(b'<') => (Some(Order::Little), &descr[1..]),
            Some(b'>') => (Some(Order::Big), &descr[1..]),
            Some(b'|') => (None, &descr[1..]),
            _ => (None, descr),
        };
        let format = CODES.iter().find(|(c, _)| *c == code).map(|(_, f)| *f);
        let format = format.ok_or_else(|| unsupported(descr, code))?;
        // Where there is but one byte, none comes first.
        let order = order.or((format.size() == 1).then_some(Order::Little));
        let order = order.ok_or_else(|| {
            err!(
                Data,
                "dtype '{}' does not say in which order its bytes are, with < or >",
                shown(descr)
            )
        })?;
        Ok((format, order))
    }

    fn bool(&mut self) -> Result<bool> {
        match () {
            () if self.eat("True") => Ok(true),
            () if self.eat("False") => Ok(false),
            () => Err(self.unexpected("True or False")),
        }
    }

    fn shape(&mut self) -> Result<Dims> {
        let mut shape = Dims::new();
        self.expect("(")?;
        while !self.eat(")") {
            shape.push(self.size()?);
            if !self.eat(",") {
                self.expect(")")?;
                break;
            }
        }
        check_dimensions(shape.len())?;
        Ok(shape)
    }

    fn size(&mut self) -> Result<usize> {
        let rest = self.0.trim_ascii_start();
        let digits = rest.trim_start_matches(|c: char| c.is_ascii_digit());
        let number = &rest[..rest.len() - digits.len()];
        if number.is_empty() {
            return Err(self.unexpected("a size, which is not negative"));
        }
        // Python 2 wrote long integers as 3L.
        self.0 = digits.strip_prefix('L').unwrap_or(digits);
        number.parse().map_err(|_| {
            err!(
                Memory,
                "a size of {} is too large for this machine's memory",
                shown(number)
            )
        })
    }

    fn string(&mut self) -> Result<&'a str> {
        let rest = self.0.trim_ascii_start();
        let quote = rest.chars().next().filter(|c| matches!(c, '\'' | '"'));
        let found = quote.and_then(|quote| rest[1..].split_once(quote));
        let (string, rest) = found.ok_or_else(|| self.unexpected("a string"))?;
        self.0 = rest;
        Ok(string)
    }

    fn expect(&mut self, token: &str) -> Result<()> {
        if self.eat(token) {
            return Ok(());
        }
        Err(self.unexpected(token))
    }

    fn eat(&mut self, token: &str) -> bool {
        let rest = self.0.trim_ascii_start().strip_prefix(token);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    fn unexpected(&self, wanted: &str) -> crate::error::Error {
        err!(
            Data,
            "a damaged npy header: {wanted} expected at '{}'",
            shown(self.0.trim_ascii_start())
        )
    }
}

fn unsupported(descr: &str, code: &str) -> crate::error::Error {
    let (what, remedy) = match code.as_bytes().first() {
        Some(b'O') => (
            "Python objects",
            "they are pickled code and never read; save numbers",
        ),
        Some(b'U' | b'S' | b'a') => ("text", "save numbers"),
        Some(b'V') => ("raw bytes", "save them with view('uint8')"),
        Some(b'c') => (
            "complex numbers",
            "save real and imaginary part, or view('float64')",
        ),
        Some(b'M' | b'm') => ("dates or times", "save them with astype('int64')"),
        _ => ("unknown elements", "convert them in NumPy with astype"),
    };
    err!(
        DType,
        "dtype '{}' ({what}) is not supported: {remedy}",
        shown(descr)
    )
}
