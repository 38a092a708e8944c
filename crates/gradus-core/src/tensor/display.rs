//! How tensors print: as PyTorch does, large ones summarised.
//!
//! PyTorch's rules, which are not written down elsewhere: all numbers of a tensor are written alike
//! and right-aligned. Floats have four digits behind the point, or none when all are whole; they are
//! in scientific notation when the largest is above 10⁸ or over a thousand times the smallest, or
//! the smallest below 10⁻⁴, zeros and what is not finite left aside. Lines end before column 80.

use super::Tensor;
use crate::dtype::DType;
use crate::error::Result;
use crate::shape::Dims;
use std::fmt::{self, Write};

/// Larger tensors show only the ends of each dimension …
const THRESHOLD: usize = 1000;
/// … this many elements of each.
const EDGE: usize = 3;
/// Columns of a line.
const WIDTH: usize = 80;
/// Digits behind the point.
const PRECISION: usize = 4;
/// `Debug` shows the elements of tensors that have no more than these.
const SMALL: usize = 8;

impl fmt::Display for Tensor {
    /// As PyTorch prints, but for dtypes, which have no `torch.` in front. `{:.8}` writes eight
    /// digits instead of four.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([[1.0, 2.5], [3.0, 4.0]]);
    /// assert_eq!(x.to_string(), "tensor([[1.0000, 2.5000],\n        [3.0000, 4.0000]])");
    /// assert_eq!(format!("{:.1}", Tensor::from(2.5)), "tensor(2.5)");
    /// ```
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.print(f, None)
    }
}

impl fmt::LowerExp for Tensor {
    /// As `Display`, always in scientific notation.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(format!("{:.2e}", Tensor::from([1500.0])), "tensor([1.50e+03])");
    /// ```
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.print(f, Some(Notation::Scientific))
    }
}

impl fmt::Debug for Tensor {
    /// One line: dtype, shape, the elements if they are few, and where a gradient goes.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(format!("{:?}", Tensor::from([[1], [20]])), "Tensor(int64, [2, 1], [[1], [20]])");
    /// assert_eq!(format!("{:?}", Tensor::zeros([3, 5])), "Tensor(float32, [3, 5])");
    /// ```
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tensor({}, {:?}", self.dtype(), self.shape())?;
        if (1..=SMALL).contains(&self.numel()) {
            let block = Block::new(&self.detach(), PRECISION, None).map_err(|_| fmt::Error)?;
            f.write_str(", ")?;
            block.write_line(f, self.shape(), 0)?;
        }
        if let Some(note) = self.gradient_note() {
            write!(f, ", {note}")?;
        }
        f.write_str(")")
    }
}

impl Tensor {
    fn print(&self, f: &mut fmt::Formatter<'_>, notation: Option<Notation>) -> fmt::Result {
        let mut notes = Vec::new();
        let mut text = String::from("tensor(");
        // Elements that are no f32 show that they are i64 or bool.
        let mut obvious = self.dtype() == DType::F32;
        if self.numel() == 0 {
            text += "[]";
            if self.ndim() != 1 {
                notes.push(format!("size={}", tuple(self.shape())));
            }
        } else {
            let precision = f.precision().unwrap_or(PRECISION);
            self.shown()
                .and_then(|shown| Block::new(&shown, precision, notation))
                .map_err(|_| fmt::Error)?
                .write(&mut text, self.shape(), 0, 1)?;
            obvious |= matches!(self.dtype(), DType::I64 | DType::Bool);
        }
        if !obvious {
            notes.push(format!("dtype={}", self.dtype()));
        }
        notes.extend(self.gradient_note());
        // PyTorch counts two columns more than there are on the last line.
        let mut column = text.len() - text.rfind('\n').map_or(0, |i| i + 1) + 2;
        for note in notes {
            if column + note.len() + 2 > WIDTH {
                write!(text, ",\n{:7}{note}", "")?;
                column = "tensor(".len() + note.len();
            } else {
                write!(text, ", {note}")?;
                column += note.len() + 2;
            }
        }
        text += ")";
        f.write_str(&text)
    }

    /// What is printed about the gradient.
    fn gradient_note(&self) -> Option<String> {
        match self.grad_fn() {
            Some(node) => Some(format!("grad_fn={node:?}")),
            None => self.requires_grad().then(|| "requires_grad=True".into()),
        }
    }

    /// The elements that are printed: all, or the ends of each dimension of a large tensor.
    fn shown(&self) -> Result<Tensor> {
        let mut shown = self.detach();
        if self.numel() <= THRESHOLD {
            return Ok(shown);
        }
        for (d, &n) in self.shape().iter().enumerate() {
            if n > 2 * EDGE {
                let end = |start| shown.narrow(d as isize, start, EDGE);
                shown = Tensor::cat(&[&end(0)?, &end(n - EDGE)?], d as isize)?;
            }
        }
        Ok(shown)
    }
}

/// A shape as Python writes tuples.
fn tuple(shape: &[usize]) -> String {
    let sizes: Vec<String> = shape.iter().map(usize::to_string).collect();
    format!("({})", sizes.join(", "))
}

/// The printed elements as text, and how wide their columns are.
struct Block {
    texts: Vec<String>,
    shape: Dims,
    width: usize,
}

impl Block {
    fn new(shown: &Tensor, precision: usize, notation: Option<Notation>) -> Result<Self> {
        // Like PyTorch, only the ordinary numbers among floats set the width of the columns.
        let mut ordinary = vec![true; shown.numel()];
        let texts: Vec<String> = match shown.dtype() {
            DType::Bool => {
                let name = |&x: &bool| if x { "True" } else { "False" }.to_string();
                shown.to_vec()?.iter().map(name).collect()
            }
            DType::F32 | DType::F64 => {
                let values = shown.to_vec::<f64>()?;
                ordinary = values.iter().map(|&x| is_ordinary(x)).collect();
                let notation = Notation::of(&values, notation);
                let write = |&x: &f64| notation.write(x, precision);
                values.iter().map(write).collect()
            }
            _ => shown.to_vec::<i64>()?.iter().map(i64::to_string).collect(),
        };
        let widths = texts.iter().zip(ordinary).filter(|(_, counts)| *counts);
        Ok(Self {
            width: widths.map(|(text, _)| text.len()).max().unwrap_or(1),
            shape: shown.layout().shape.clone(),
            texts,
        })
    }

    /// Writes the printed elements from number `start` on that belong to `full`, the last dimensions
    /// of the tensor's shape, inside of `depth` brackets.
    fn write(&self, f: &mut String, full: &[usize], start: usize, depth: usize) -> fmt::Result {
        let width = self.width;
        let Some((&all, inner)) = full.split_first() else {
            return write!(f, "{:>width$}", self.texts[start]);
        };
        let sizes = &self.shape[self.shape.len() - full.len()..];
        let left_out = (sizes[0] < all).then_some(EDGE);
        // Rows go on their own lines, blocks are set apart by empty ones.
        let margin = " ".repeat(depth + 7);
        f.push('[');
        if inner.is_empty() {
            let texts = self.texts[start..start + sizes[0]].iter();
            let mut row: Vec<String> = texts.map(|text| format!("{text:>width$}")).collect();
            if let Some(at) = left_out {
                row.insert(at, " ...".into());
            }
            let columns = (WIDTH.saturating_sub(depth + 6) / (width + 2)).max(1);
            let lines: Vec<String> = row.chunks(columns).map(|line| line.join(", ")).collect();
            f.push_str(&lines.join(&format!(",\n{margin}")));
        } else {
            let separator = format!(",{}{margin}", "\n".repeat(inner.len()));
            let step: usize = sizes[1..].iter().product();
            for i in 0..sizes[0] {
                if i > 0 {
                    f.push_str(&separator);
                }
                if left_out == Some(i) {
                    write!(f, "...{separator}")?;
                }
                self.write(f, inner, start + i * step, depth + 1)?;
            }
        }
        f.push(']');
        Ok(())
    }

    /// Writes all elements from number `start` on that belong to `shape` on one line.
    fn write_line(&self, f: &mut fmt::Formatter<'_>, shape: &[usize], start: usize) -> fmt::Result {
        let Some((&n, inner)) = shape.split_first() else {
            return f.write_str(&self.texts[start]);
        };
        let step: usize = inner.iter().product();
        for i in 0..n {
            f.write_str(if i == 0 { "[" } else { ", " })?;
            self.write_line(f, inner, start + i * step)?;
        }
        f.write_str("]")
    }
}

/// Whether the number counts when the notation is chosen.
fn is_ordinary(x: f64) -> bool {
    x.is_finite() && x != 0.0
}

/// How the floating point numbers of one tensor are written, all alike.
#[derive(Clone, Copy)]
enum Notation {
    /// `12.`
    Whole,
    /// `12.3457`
    Fixed,
    /// `1.2346e+01`
    Scientific,
}

impl Notation {
    /// The one `asked` for, else what suits the values. Where there is nothing but zeros and what is
    /// not finite, PyTorch does not care what was asked for.
    fn of(values: &[f64], asked: Option<Self>) -> Self {
        let ordinary = || values.iter().filter(|&&x| is_ordinary(x)).map(|x| x.abs());
        let low = ordinary().fold(f64::INFINITY, f64::min);
        let high = ordinary().fold(0.0, f64::max);
        match asked {
            _ if high == 0.0 => Self::Whole,
            Some(asked) => asked,
            None if high / low > 1000.0 || high > 1e8 || low < 1e-4 => Self::Scientific,
            None if ordinary().all(|x| x.fract() == 0.0) => Self::Whole,
            None => Self::Fixed,
        }
    }

    fn write(self, x: f64, precision: usize) -> String {
        match self {
            _ if x.is_nan() => "nan".into(),
            _ if x.is_infinite() => if x > 0.0 { "inf" } else { "-inf" }.into(),
            Self::Whole => format!("{x:.0}."),
            Self::Fixed => format!("{x:.precision$}"),
            Self::Scientific => scientific(x, precision),
        }
    }
}

/// C's `%e`: two digits of exponent at least.
fn scientific(x: f64, precision: usize) -> String {
    let text = format!("{x:.precision$e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (sign, digits) = exponent
        .strip_prefix('-')
        .map_or(('+', exponent), |d| ('-', d));
    format!("{mantissa}e{sign}{digits:0>2}")
}
