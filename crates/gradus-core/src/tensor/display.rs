//! How tensors print: as PyTorch does, large ones summarised.

use super::Tensor;
use crate::dtype::DType;
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
        let values = self.to_vec::<f64>().map_err(|_| fmt::Error)?;
        let style = Style::of(self, &values);
        write!(f, "tensor(")?;
        if values.is_empty() {
            write!(f, "[]")?;
        } else {
            style.block(f, &values, self.shape(), 1)?;
        }
        if values.is_empty() && self.ndim() > 1 {
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

/// How the numbers of one tensor are written, all alike.
struct Style {
    dtype: DType,
    summarise: bool,
    whole: bool,
    scientific: bool,
    width: usize,
}

impl Style {
    fn of(tensor: &Tensor, values: &[f64]) -> Self {
        let finite = || values.iter().filter(|x| x.is_finite()).map(|x| x.abs());
        let (low, high) = finite()
            .filter(|&x| x > 0.0)
            .fold((f64::MAX, 0.0), |(l, h): (f64, f64), x| {
                (l.min(x), h.max(x))
            });
        let whole = finite().all(|x| x.fract() == 0.0);
        let scientific =
            high > 0.0 && (high >= 1e8 || !whole && (low < 1e-4 || high / low > 1000.0));
        let mut style = Self {
            dtype: tensor.dtype(),
            summarise: values.len() > THRESHOLD,
            whole,
            scientific,
            width: 0,
        };
        // Like PyTorch, only the ordinary numbers among floats set the width of the columns.
        let counts = |x: &&f64| !style.dtype.is_float() || x.is_finite() && **x != 0.0;
        let width = values
            .iter()
            .filter(counts)
            .map(|&x| style.number(x).len())
            .max();
        style.width = width.unwrap_or(0);
        style
    }

    fn number(&self, x: f64) -> String {
        match self.dtype {
            DType::Bool => (x != 0.0).to_string(),
            DType::F32 | DType::F64 => match () {
                () if x.is_nan() => "nan".into(),
                () if x.is_infinite() => if x > 0.0 { "inf" } else { "-inf" }.into(),
                () if self.scientific => scientific(x),
                () if self.whole => format!("{x:.0}."),
                () => format!("{x:.4}"),
            },
            _ => format!("{x}"),
        }
    }

    fn block(
        &self,
        f: &mut fmt::Formatter<'_>,
        values: &[f64],
        shape: &[usize],
        depth: usize,
    ) -> fmt::Result {
        let Some((&n, inner)) = shape.split_first() else {
            return write!(
                f,
                "{:>1$}",
                self.number(values[0]),
                if depth == 1 { 0 } else { self.width }
            );
        };
        let size = values.len() / n;
        // Rows go on their own lines, blocks are set apart by empty ones.
        let separator = if inner.is_empty() {
            ", ".to_string()
        } else {
            format!(",{}{}", "\n".repeat(inner.len()), " ".repeat(depth + 7))
        };
        write!(f, "[")?;
        for i in 0..n {
            let hidden = self.summarise && n > 2 * EDGE && (EDGE..n - EDGE).contains(&i);
            if hidden && i > EDGE {
                continue;
            }
            if i > 0 {
                write!(f, "{separator}")?;
            }
            if hidden {
                write!(f, "...")?;
            } else {
                self.block(f, &values[i * size..(i + 1) * size], inner, depth + 1)?;
            }
        }
        write!(f, "]")
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
        let y = Tensor::from([1.0])
            .requires_grad_(true)
            .unwrap()
            .exp()
            .unwrap();
        assert_eq!(y.to_string(), "tensor([2.7183], grad_fn=<expBackward>)");
    }
}
