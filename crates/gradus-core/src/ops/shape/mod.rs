//! The same elements in another shape, order or number. A view where the memory allows it.

pub(super) mod diagonal;
pub(super) mod expand;
pub(super) mod join;
pub(super) mod order;
pub(super) mod pad;
pub(super) mod reshape;
pub(super) mod split;
pub(super) mod window;

pub use pad::Padding;
pub use reshape::NewShape;

use crate::dtype::{Element, dispatch};
use crate::error::Result;
use crate::kernels::map;
use crate::shape::{Dims, Layout, numel};
use crate::storage::Buffer;
use crate::tensor::Tensor;

/// One integer or several, as lists of dimensions are: `1`, `[0, -1]`, a slice or a `Vec`.
///
/// ```
/// # use gradus_core::Tensor;
/// let x = Tensor::from([[1, 2], [3, 4]]);
/// assert_eq!(x.roll(1, 0)?.to_vec::<i64>()?, [3, 4, 1, 2]);
/// assert_eq!(x.roll([1, 1], [0, 1])?.to_vec::<i64>()?, [4, 3, 2, 1]);
/// # Ok::<(), gradus_core::Error>(())
/// ```
pub trait Integers {
    /// All of them.
    fn as_list(&self) -> &[isize];
}

impl Integers for isize {
    fn as_list(&self) -> &[isize] {
        std::slice::from_ref(self)
    }
}
impl<const N: usize> Integers for [isize; N] {
    fn as_list(&self) -> &[isize] {
        self
    }
}
impl Integers for &[isize] {
    fn as_list(&self) -> &[isize] {
        self
    }
}
impl Integers for Vec<isize> {
    fn as_list(&self) -> &[isize] {
        self
    }
}

/// A tensor of `shape` full of `value`, but for the part of it that `part` picks: there are the
/// elements of `x`.
fn framed(
    x: &Tensor,
    shape: Dims,
    value: f64,
    part: impl FnOnce(&Layout) -> Layout,
) -> Result<Tensor> {
    let n = numel(&shape)?;
    let whole = Layout::contiguous(shape);
    let part = part(&whole);
    let buffer = dispatch!(x.dtype(), T => x.with::<T, _>(|x| {
        Buffer::build(n, |out: &mut [T]| {
            out.fill(T::from_f64(value));
            map::write(out, &part, x);
        })
    }))?;
    Ok(Tensor::from_buffer(buffer, whole.shape))
}
