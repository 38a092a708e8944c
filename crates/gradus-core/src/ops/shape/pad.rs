//! Tensors with a margin.

use super::super::registry::{Case, Input};
use super::framed;
use crate::autograd::{Context, Function, Grad, Grads, Saved, apply};
use crate::error::{Result, err};
use crate::shape::{Dims, numel};
use crate::tensor::Tensor;

pub(in crate::ops) const CASES: &[Case] = &[
    Case::new("pad", &[Input::real(&[2, 3])], |x| {
        x[0].pad([1, 2], Padding::Constant(0.5))
    })
    .torch("F.pad(x[0], (1, 2), value=0.5)"),
    Case::new("pad", &[Input::real(&[2, 3, 2])], |x| {
        x[0].pad([1, 0, 0, 2, 1, 1], Padding::Constant(0.0))?.exp()
    })
    .torch("F.pad(x[0], (1, 0, 0, 2, 1, 1)).exp()"),
    Case::new("pad", &[Input::real(&[3, 4])], |x| {
        x[0].pad([-1, 2, 1, -2], Padding::Constant(-1.0))
    })
    .torch("F.pad(x[0], (-1, 2, 1, -2), value=-1.0)"),
    Case::new("cat", &[Input::real(&[2, 4])], |x| {
        x[0].pad([2, 3], Padding::Reflect)
    })
    .torch("F.pad(x[0], (2, 3), mode='reflect')"),
    Case::new("cat", &[Input::real(&[2, 3, 4])], |x| {
        x[0].pad([3, -2, 0, 2], Padding::Reflect)
    })
    .torch("F.pad(x[0], (3, -2, 0, 2), mode='reflect')"),
    Case::new("cat", &[Input::real(&[2, 3, 2])], |x| {
        x[0].pad([1, 3, 2, 0], Padding::Replicate)
    })
    .torch("F.pad(x[0], (1, 3, 2, 0), mode='replicate')"),
    Case::new("cat", &[Input::real(&[2, 3])], |x| {
        x[0].pad([-1, 2], Padding::Replicate)
    })
    .torch("F.pad(x[0], (-1, 2), mode='replicate')"),
    Case::new("cat", &[Input::real(&[2, 3, 2])], |x| {
        x[0].pad([2, 1, 1, 3], Padding::Circular)
    })
    .torch("F.pad(x[0], (2, 1, 1, 3), mode='circular')"),
    Case::new("cat", &[Input::real(&[2, 4])], |x| {
        x[0].pad([-1, 2], Padding::Circular)
    })
    .torch("F.pad(x[0], (-1, 2), mode='circular')"),
];

/// What stands in the margin that [`Tensor::pad`] adds: for 1 2 3 and a margin of two on each side.
///
/// ```
/// use gradus_core::{Padding, Tensor};
/// let x = Tensor::from([1, 2, 3]);
/// assert_eq!(x.pad([2, 2], Padding::Circular)?.to_vec::<i64>()?, [2, 3, 1, 2, 3, 1, 2]);
/// # Ok::<(), gradus_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Padding {
    /// This number: 0 0 1 2 3 0 0.
    Constant(f64),
    /// The elements beyond the edge, mirrored in it: 3 2 1 2 3 2 1.
    Reflect,
    /// The element at the edge: 1 1 1 2 3 3 3.
    Replicate,
    /// The elements from the other end: 2 3 1 2 3 1 2.
    Circular,
}

impl Tensor {
    /// Adds a margin. As in PyTorch, `margins` has a pair of numbers for each dimension from the last
    /// one backwards, how many positions to add before and behind: `[left, right, top, bottom]`. A
    /// negative number cuts positions off.
    ///
    /// A constant is converted to the tensor's dtype. With [`Padding::Reflect`] a margin must be
    /// smaller than the dimension, with [`Padding::Circular`] at most as large. PyTorch restricts the
    /// modes but the constant one to certain numbers of dimensions; here there may be any.
    ///
    /// # Errors
    /// For an odd number of margins or more than two a dimension, margins too large for the mode, or
    /// positions cut off that are not there.
    ///
    /// ```
    /// # use gradus_core::{Padding, Tensor};
    /// let x = Tensor::from([[1, 2], [3, 4]]);
    /// let y = x.pad([1, 0], Padding::Constant(9.0))?;
    /// assert_eq!(y.to_vec::<i64>()?, [9, 1, 2, 9, 3, 4]);
    /// assert_eq!(x.pad([0, 0, 1, 2], Padding::Replicate)?.shape(), [5, 2]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn pad(&self, margins: impl AsRef<[isize]>, mode: Padding) -> Result<Tensor> {
        let margins = margins.as_ref();
        if !margins.len().is_multiple_of(2) {
            return Err(err!(
                Value,
                "pad: Padding length must be divisible by 2, got {margins:?}"
            ));
        }
        if margins.is_empty() {
            return self.copy();
        }
        if margins.len() > 2 * self.ndim() {
            return Err(err!(
                Value,
                "pad: Padding length should be less than or equal to two times the input dimension but got padding \
                 length {} and input of dimension {}",
                margins.len(),
                self.ndim()
            ));
        }
        let pairs = margins.chunks(2).map(|pair| Margin::new(pair[0], pair[1]));
        let dims = (0..self.ndim()).rev();
        let value = match mode {
            Padding::Constant(value) => value,
            _ => {
                return dims
                    .zip(pairs)
                    .try_fold(self.clone(), |x, (d, margin)| margin.around(&x, d, mode));
            }
        };
        let mut inner = self.clone();
        let mut before = Dims::from_elem(0, self.ndim());
        let mut shape = self.layout().shape.clone();
        for (d, margin) in dims.zip(pairs) {
            inner = margin.cut(&inner, d)?;
            before[d] = margin.before;
            shape[d] =
                (inner.shape()[d].saturating_add(margin.before)).saturating_add(margin.behind);
        }
        numel(&shape).map_err(|e| e.at("pad"))?;
        let shape = Dims::from_slice(&shape);
        apply(
            Pad {
                before,
                shape,
                value,
            },
            &[&inner],
        )
    }
}

/// What is added to and cut off from one dimension.
struct Margin {
    before: usize,
    behind: usize,
    cut_before: usize,
    cut_behind: usize,
}

impl Margin {
    fn new(before: isize, behind: isize) -> Self {
        let added = |n: isize| n.max(0).unsigned_abs();
        let cut = |n: isize| n.min(0).unsigned_abs();
        Self {
            before: added(before),
            behind: added(behind),
            cut_before: cut(before),
            cut_behind: cut(behind),
        }
    }

    /// `x` without what is cut off.
    fn cut(&self, x: &Tensor, d: usize) -> Result<Tensor> {
        let n = x.shape()[d];
        let rest = n
            .checked_sub(self.cut_before)
            .and_then(|n| n.checked_sub(self.cut_behind))
            .ok_or_else(|| {
                err!(
                    Value,
                    "pad: a padding of -{} and -{} cuts off more than the {n} positions of dimension {d}",
                    self.cut_before,
                    self.cut_behind
                )
            })?;
        x.narrow(d as isize, self.cut_before, rest)
    }

    /// `x` with a margin made of its own elements.
    fn around(&self, x: &Tensor, d: usize, mode: Padding) -> Result<Tensor> {
        // A circle closes behind what was cut off; the other margins are made of what was there.
        let x = if mode == Padding::Circular {
            self.cut(x, d)?
        } else {
            x.clone()
        };
        let (n, dim) = (x.shape()[d], d as isize);
        let (before, behind) = (self.before, self.behind);
        let largest = before.max(behind);
        let (fits, rule) = match mode {
            Padding::Reflect => (
                largest < n.max(1),
                "less than the corresponding input dimension",
            ),
            Padding::Circular => (largest <= n, "at most the corresponding input dimension"),
            _ => (largest == 0 || n > 0, "0 where the input has no elements"),
        };
        if !fits {
            return Err(err!(
                Value,
                "pad: Padding size should be {rule}, but got: padding ({before}, {behind}) at dimension {d} of input \
                 {:?}",
                x.shape()
            ));
        }
        let mut wide = x.layout().shape.clone();
        wide[d] = n.saturating_add(before).saturating_add(behind);
        numel(&wide).map_err(|e| e.at("pad"))?;
        let margin = |start: usize, len: usize, edge: usize| -> Result<Tensor> {
            if len == 0 {
                return x.narrow(dim, 0, 0);
            }
            match mode {
                Padding::Reflect => x.narrow(dim, start, len)?.flip(dim),
                Padding::Circular => x.narrow(dim, start, len),
                _ => {
                    let mut shape = x.layout().shape.clone();
                    shape[d] = len;
                    x.narrow(dim, edge, 1)?.broadcast_to(shape)
                }
            }
        };
        let (left, right) = match mode {
            Padding::Reflect => (1, n.saturating_sub(1 + behind)),
            _ => (n.saturating_sub(before), 0),
        };
        let left = margin(left, before, 0)?;
        let right = margin(right, behind, n.saturating_sub(1))?;
        let padded = Tensor::cat(&[&left, &x, &right], dim)?;
        if mode == Padding::Circular {
            Ok(padded)
        } else {
            self.cut(&padded, d)
        }
    }
}

/// A tensor inside of a larger one full of a number. Its gradient is the part where it is.
struct Pad {
    before: Dims,
    shape: Dims,
    value: f64,
}

impl Function for Pad {
    fn name(&self) -> &'static str {
        "pad"
    }
    fn forward(&self, _: &mut Context, x: &[&Tensor]) -> Result<Tensor> {
        framed(x[0], self.shape.clone(), self.value, |whole| {
            let dims = self.before.iter().zip(x[0].shape()).enumerate();
            dims.fold(whole.clone(), |part, (d, (&start, &n))| {
                part.narrow(d, start, n)
            })
        })
    }
    fn backward(&self, saved: &Saved<'_>, grad: &Tensor) -> Result<Grads> {
        let mut dims = self.before.iter().zip(saved.input_shape(0)?).enumerate();
        let part = dims.try_fold(grad.clone(), |part, (d, (&start, &n))| {
            part.narrow(d as isize, start, n)
        });
        Ok([Grad::Of(part?)].into())
    }
}
