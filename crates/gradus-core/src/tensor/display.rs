//! How tensors print: as PyTorch does, large ones summarised.

use super::Tensor;
use crate::dtype::DType;
use crate::error::Result;
use crate::shape::Dims;
use std::fmt;

/// Larger tensors show only the ends of each dimension …
const THRESHOLD: usize = 1000;
/// … this many elements of each.
const EDGE: usize = 3;

impl fmt::Display for Tensor {
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([[1.0, 2.5], [3.0, 4.0]]).to_string(), "tensor([[1.0000, 2.5000],\n        [3.0000, 4.0000]])");
    /// ```
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tensor(")?;
        if self.numel() == 0 {
            write!(f, "[]")?;
        } else {
            self.shown()
                .and_then(|shown| Block::new(&shown))
                .map_err(|_| fmt::Error)?
                .write(f, self.shape(), 0, 1)?;
        }
        if self.numel() == 0 && self.ndim() > 1 {
            write!(f, ", size={:?}", self.shape())?;
        }
        if !matches!(self.dtype(), DType::F32 | DType::I64 | DType::Bool) {
            write!(f, ", dtype={}", self.dtype())?;
        }
        match self.grad_fn() {
            Some(node) => write!(f, ", grad_fn={node:?}")?,
            None if self.requires_grad() => write!(f, ", requires_grad=true")?,
            None => {}
        }
        write!(f, ")")
    }
}

impl fmt::Debug for Tensor {
    /// Short: dtype, shape and whether a gradient is asked for; the elements are `Display`'s.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tensor({}, {:?}", self.dtype(), self.shape())?;
        match self.grad_fn() {
            Some(node) => write!(f, ", grad_fn={node:?})"),
            None if self.requires_grad() => write!(f, ", requires_grad)"),
            None => write!(f, ")"),
        }
    }
}

impl Tensor {
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

/// The printed elements as text, and how wide their columns are.
struct Block {
    texts: Vec<String>,
    shape: Dims,
    width: usize,
}

impl Block {
    fn new(shown: &Tensor) -> Result<Self> {
        // Like PyTorch, only the ordinary numbers among floats set the width of the columns.
        let mut ordinary = vec![true; shown.numel()];
        let texts: Vec<String> = match shown.dtype() {
            DType::Bool => texts(&shown.to_vec::<bool>()?),
            DType::F32 | DType::F64 => {
                let values = shown.to_vec::<f64>()?;
                ordinary = (values.iter().map(|x| x.is_finite() && *x != 0.0)).collect();
                let style = Style::of(&values);
                values.iter().map(|&x| style.number(x)).collect()
            }
            _ => texts(&shown.to_vec::<i64>()?),
        };
        let widths = texts.iter().zip(ordinary).filter(|(_, counts)| *counts);
        Ok(Self {
            width: widths.map(|(text, _)| text.len()).max().unwrap_or(0),
            shape: shown.layout().shape.clone(),
            texts,
        })
    }

    /// Writes the printed elements from number `start` on that belong to `full`, the last dimensions
    /// of the tensor's shape, inside of `depth` brackets.
    fn write(
        &self,
        f: &mut fmt::Formatter<'_>,
        full: &[usize],
        start: usize,
        depth: usize,
    ) -> fmt::Result {
        let Some((&all, inner)) = full.split_first() else {
            let width = if self.shape.is_empty() { 0 } else { self.width };
            return write!(f, "{:>width$}", self.texts[start]);
        };
        let sizes = &self.shape[self.shape.len() - full.len()..];
        let step: usize = sizes[1..].iter().product();
        // Rows go on their own lines, blocks are set apart by empty ones.
        let separator = if inner.is_empty() {
            ", ".to_string()
        } else {
            format!(",{}{}", "\n".repeat(inner.len()), " ".repeat(depth + 7))
        };
        write!(f, "[")?;
        for i in 0..sizes[0] {
            if i > 0 {
                write!(f, "{separator}")?;
            }
            if i == EDGE && sizes[0] < all {
                write!(f, "...{separator}")?;
            }
            self.write(f, inner, start + i * step, depth + 1)?;
        }
        write!(f, "]")
    }
}

fn texts<T: ToString>(values: &[T]) -> Vec<String> {
    values.iter().map(T::to_string).collect()
}

/// How the floating point numbers of one tensor are written, all alike.
struct Style {
    whole: bool,
    scientific: bool,
}

impl Style {
    fn of(values: &[f64]) -> Self {
        let finite = || values.iter().filter(|x| x.is_finite()).map(|x| x.abs());
        let (low, high) = finite()
            .filter(|&x| x > 0.0)
            .fold((f64::MAX, 0.0), |(l, h): (f64, f64), x| {
                (l.min(x), h.max(x))
            });
        let whole = finite().all(|x| x.fract() == 0.0);
        let scientific =
            high > 0.0 && (high >= 1e8 || !whole && (low < 1e-4 || high / low > 1000.0));
        Self { whole, scientific }
    }

    fn number(&self, x: f64) -> String {
        match () {
            () if x.is_nan() => "nan".into(),
            () if x.is_infinite() => if x > 0.0 { "inf" } else { "-inf" }.into(),
            () if self.scientific => scientific(x),
            () if self.whole => format!("{x:.0}."),
            () => format!("{x:.4}"),
        }
    }
}

/// C's `%.4e`: two digits of exponent at least.
fn scientific(x: f64) -> String {
    let text = format!("{x:.4e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (sign, digits) = exponent
        .strip_prefix('-')
        .map_or(('+', exponent), |d| ('-', d));
    format!("{mantissa}e{sign}{digits:0>2}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_as_pytorch_does() {
        for (tensor, text) in [
            (Tensor::from(3.0), "tensor(3.)"),
            (Tensor::from([1, -20]), "tensor([  1, -20])"),
            (Tensor::from([true, false]), "tensor([ true, false])"),
            (Tensor::from([1.0, f64::NAN]), "tensor([1., nan])"),
            (
                Tensor::from([1e-9, 1.0]),
                "tensor([1.0000e-09, 1.0000e+00])",
            ),
            (Tensor::zeros([0, 3]), "tensor([], size=[0, 3])"),
            (
                Tensor::full([1], 2.0, DType::F64).unwrap(),
                "tensor([2.], dtype=float64)",
            ),
        ] {
            assert_eq!(tensor.to_string(), text);
        }
        let large = Tensor::arange(0.0, 2000.0, 1.0, DType::I64).unwrap();
        assert_eq!(
            large.to_string(),
            "tensor([   0,    1,    2, ..., 1997, 1998, 1999])"
        );
        let square = large.reshape([4, 500]).unwrap();
        assert_eq!(
            square.to_string(),
            "tensor([[   0,    1,    2, ...,  497,  498,  499],\n        \
             [ 500,  501,  502, ...,  997,  998,  999],\n        \
             [1000, 1001, 1002, ..., 1497, 1498, 1499],\n        \
             [1500, 1501, 1502, ..., 1997, 1998, 1999]])"
        );
        let row = square.t().unwrap().to_string();
        assert!(
            row.contains("[   2,  502, 1002, 1502],\n        ...,\n        [ 497,"),
            "{row}"
        );
        // Only what is printed is looked at: a view may be larger than the memory.
        let view = Tensor::ones([1]).broadcast_to([1 << 50, 1]).unwrap();
        assert_eq!(view.to_string().matches("[1.]").count(), 6);
        let y = Tensor::from([1.0])
            .requires_grad_(true)
            .unwrap()
            .exp()
            .unwrap();
        assert_eq!(y.to_string(), "tensor([2.7183], grad_fn=<expBackward>)");
    }
}
