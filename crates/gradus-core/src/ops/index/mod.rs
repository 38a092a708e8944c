//! Parts of a tensor, for reading and for writing.
//!
//! Whatever names the part (slices, lists of positions, masks) becomes a `Selection`, and three
//! recorded operations work on selections: `Read` takes the elements out, `Spread` is its adjoint
//! (zeros with the elements added in their places), and `Write` puts other elements there. The
//! gradient of each is made of the others, so it can be differentiated in turn.

pub(super) mod access;
pub(super) mod along;
pub(super) mod flat;
mod indices;
pub(super) mod mask;
pub(super) mod parts;
pub(super) mod rows;
pub(super) mod scatter_reduce;
pub(super) mod search;
mod selection;

pub use indices::{Index, Indices, Slice, s};
pub use rows::Positions;
pub use scatter_reduce::ScatterReduce;

use crate::error::{Result, err};
use crate::ops::Operand;
use crate::shape::resolve_dim;
use crate::tensor::Tensor;
use std::borrow::Cow;

impl Tensor {
    /// Dimension `dim` and its size; a 0-d tensor has none.
    pub(in crate::ops) fn dimension(&self, op: &str, dim: isize) -> Result<(usize, usize)> {
        let d = resolve_dim(dim, self.ndim()).map_err(|e| e.at(op))?;
        let n = self
            .shape()
            .get(d)
            .ok_or_else(|| err!(Index, "{op}: a 0-dim tensor has no positions to pick"))?;
        Ok((d, *n))
    }

    /// `value` as a tensor of this one's dtype: numbers are converted, tensors must have it.
    fn same_dtype<'a>(&self, op: &str, value: Operand<'a>) -> Result<Cow<'a, Tensor>> {
        if let Operand::Tensor(t) = value
            && t.dtype() != self.dtype()
        {
            return Err(err!(
                DType,
                "{op}: self and source expected to have the same dtype, but got (self) {} and (source) {}; convert \
                 with to_dtype",
                self.dtype(),
                t.dtype()
            ));
        }
        value.to_tensor(self.dtype())
    }

    /// `value` as a tensor of this one's dtype, if it is a number or a 0-d tensor.
    fn one_value<'a>(&self, op: &str, value: Operand<'a>) -> Result<Cow<'a, Tensor>> {
        match value {
            Operand::Tensor(t) if t.ndim() > 0 => Err(err!(
                Shape,
                "{op}: only supports a 0-dimensional value tensor, but got tensor with {} dimension(s)",
                t.ndim()
            )),
            value => value.to_tensor(self.dtype()),
        }
    }
}
