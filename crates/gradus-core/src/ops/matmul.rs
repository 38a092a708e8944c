//! Matrix products.

use super::registry::{Case, Input};
use crate::autograd::{Context, Function, Grads, Saved, apply};
use crate::dtype::{DType, Element, dispatch_number};
use crate::error::{Result, err};
use crate::kernels::View;
use crate::kernels::matmul::{Matrix, products};
use crate::shape::{Dims, Layout, broadcast, numel};
use crate::storage::Buffer;
use crate::tensor::Tensor;

pub(super) const CASES: &[Case] = &[
    Case::new(
        "matmul",
        &[Input::real(&[2, 3]), Input::real(&[3, 4])],
        |x| x[0].matmul(&x[1]),
    )
    .torch("x[0] @ x[1]"),
    Case::new("matmul", &[Input::real(&[3]), Input::real(&[3])], |x| {
        x[0].matmul(&x[1])
    })
    .torch("x[0] @ x[1]"),
    Case::new("matmul", &[Input::real(&[2, 3]), Input::real(&[3])], |x| {
        x[0].matmul(&x[1])
    })
    .torch("x[0] @ x[1]"),
    Case::new("matmul", &[Input::real(&[3]), Input::real(&[3, 2])], |x| {
        x[0].matmul(&x[1])
    })
    .torch("x[0] @ x[1]"),
    Case::new(
        "matmul",
        &[Input::real(&[2, 2, 3]), Input::real(&[3, 2])],
        |x| x[0].matmul(&x[1]),
    )
    .torch("x[0] @ x[1]"),
    Case::new(
        "matmul",
        &[Input::real(&[2, 1, 2, 3]), Input::real(&[2, 3, 2])],
        |x| x[0].matmul(&x[1]),
    )
    .torch("x[0] @ x[1]"),
    Case::new(
        "matmul",
        &[
            Input::integers(&[2, 2, 3], -9, 9),
            Input::integers(&[3, 4], -9, 9),
        ],
        |x| x[0].matmul(&x[1]),
    )
    .torch("x[0] @ x[1]")
    .constant(),
];

impl Tensor {
    /// The matrix product, with PyTorch's rules for every rank: two vectors give their dot product;
    /// a vector on the left is a row, on the right a column; leading dimensions are batches, which
    /// broadcast. Shapes `[.., m, k]` · `[.., k, n]` → `[.., m, n]`. Integers wrap.
    ///
    /// # Errors
    /// For a 0-d operand, inner sizes that differ, dtypes that differ, or bools.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let a = Tensor::from([[1.0, 2.0], [3.0, 4.0]]);
    /// assert_eq!(a.matmul(&Tensor::from([1.0, 1.0]))?.to_vec::<f32>()?, [3.0, 7.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn matmul(&self, other: &Tensor) -> Result<Tensor> {
        if self.ndim() == 0 || other.ndim() == 0 {
            return Err(err!(
                Shape,
                "matmul: both arguments need to be at least 1D, but they are {}D and {}D",
                self.ndim(),
                other.ndim()
            ));
        }
        same_dtype("matmul", self, other)?;
        if self.dtype() == DType::Bool {
            return Err(err!(
                DType,
                "matmul: not implemented for 'bool' tensors; convert with to_dtype first"
            ));
        }
        let a = if self.ndim() == 1 {
            self.unsqueeze(0)?
        } else {
            self.clone()
        };
        let b = if other.ndim() == 1 {
            other.unsqueeze(1)?
        } else {
            other.clone()
        };
        let (k, inner) = (a.shape()[a.ndim() - 1], b.shape()[b.ndim() - 2]);
        if k != inner {
            return Err(err!(
                Shape,
                "matmul: mat1 and mat2 shapes cannot be multiplied: the last size of {:?} is {k}, the {} of {:?} is {inner}",
                self.shape(),
                if other.ndim() == 1 {
                    "size"
                } else {
                    "last but one"
                },
                other.shape()
            ));
        }
        let product = if b.ndim() == 2 && a.ndim() > 2 {
            // One product of tall matrices instead of many small ones.
            let mut shape = Dims::from_slice(&a.shape()[..a.ndim() - 1]);
            shape.push(b.shape()[1]);
            apply(MatMul, &[&a.flatten(0, -2)?, &b])?.reshape(&shape)?
        } else {
            apply(MatMul, &[&a, &b])?
        };
        let product = if other.ndim() == 1 {
            product.squeeze(-1)?
        } else {
            product
        };
        if self.ndim() == 1 {
            product.squeeze(if other.ndim() == 1 { -1 } else { -2 })
        } else {
            Ok(product)
        }
    }
}

pub(super) fn same_dtype(op: &str, a: &Tensor, b: &Tensor) -> Result<()> {
    if a.dtype() == b.dtype() {
        return Ok(());
    }
    Err(err!(
        DType,
        "{op}: expected both operands to have the same dtype, but got {} and {}",
        a.dtype(),
        b.dtype()
    ))
}

/// The matrix in the last two dimensions of a view, at the batch that starts at `offset`.
pub(super) fn matrix<'a, T: Element>(x: View<'a, T>, offset: usize) -> Matrix<'a, T> {
    let rank = x.layout.rank();
    Matrix {
        data: x.data,
        offset,
        row: x.layout.strides[rank - 2],
        col: x.layout.strides[rank - 1],
    }
}

/// The product of [.., m, k] and [.., k, n].
pub(super) struct MatMul;

impl Function for MatMul {
    fn name(&self) -> &'static str {
        "matmul"
    }

    fn forward(&self, ctx: &mut Context, x: &[&Tensor]) -> Result<Tensor> {
        let (a, b) = (x[0], x[1]);
        ctx.save(a);
        ctx.save(b);
        let (m, k, n) = (
            a.shape()[a.ndim() - 2],
            a.shape()[a.ndim() - 1],
            b.shape()[b.ndim() - 1],
        );
        let mut shape = broadcast(&a.shape()[..a.ndim() - 2], &b.shape()[..b.ndim() - 2])
            .map_err(|e| e.at("matmul"))?;
        let with = |rows, cols| shape.iter().copied().chain([rows, cols]).collect::<Dims>();
        let (la, lb) = (
            a.layout().broadcast_to(&with(m, k))?,
            b.layout().broadcast_to(&with(k, n))?,
        );
        let batches = shape.clone();
        shape.extend([m, n]);
        let len = numel(&shape)?;
        let out = dispatch_number!("matmul", a.dtype(), T => a.with::<T, _>(|a| b.with::<T, _>(|b| {
            let (a, b) = (View::new(a.data, &la), View::new(b.data, &lb));
            let mut out = Buffer::new::<T>(len)?;
            products(out.slice_mut(), (m, k, n), |i| {
                (matrix(a, batch_offset(&la, &batches, i)), matrix(b, batch_offset(&lb, &batches, i)))
            })?;
            Ok(out)
        })))?;
        Ok(Tensor::from_buffer(out, shape))
    }

    fn backward(&self, saved: &Saved<'_>, g: &Tensor) -> Result<Grads> {
        let da = saved.grad(0, || apply(MatMul, &[g, &saved.get(1)?.mt()?]))?;
        let db = saved.grad(1, || apply(MatMul, &[&saved.get(0)?.mt()?, g]))?;
        Ok([da, db].into())
    }
}

/// Where batch number `i` begins.
fn batch_offset(layout: &Layout, batches: &[usize], mut i: usize) -> usize {
    let mut offset = layout.offset;
    for (d, &n) in batches.iter().enumerate().rev() {
        offset = offset.wrapping_add_signed((i % n) as isize * layout.strides[d]);
        i /= n;
    }
    offset
}
