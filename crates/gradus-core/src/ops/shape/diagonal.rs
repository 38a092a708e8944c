//! Diagonals and triangles of matrices.

use super::super::registry::{Case, Input};
use super::framed;
use crate::autograd::{Context, Function, Grad, Grads, Saved, apply};
use crate::dtype::dispatch;
use crate::error::{Result, err};
use crate::kernels::triangle::triangle;
use crate::shape::{Dims, Layout, numel, resolve_dim};
use crate::tensor::Tensor;

pub(in crate::ops) const CASES: &[Case] = &[
    Case::new("diagonal", &[Input::real(&[3, 4])], |x| {
        x[0].diagonal(0, 0, 1)
    })
    .torch("x[0].diagonal()"),
    Case::new("diagonal", &[Input::real(&[4, 2, 3])], |x| {
        x[0].diagonal(-1, 0, -1)
    })
    .torch("x[0].diagonal(-1, 0, -1)"),
    Case::new("diagonal", &[Input::real(&[2, 3, 4])], |x| {
        x[0].diagonal(1, 2, 1)?.exp()
    })
    .torch("x[0].diagonal(1, 2, 1).exp()"),
    Case::new("diagonal", &[Input::real(&[3, 3])], |x| x[0].diag(1)).torch("x[0].diag(1)"),
    Case::new("diag_embed", &[Input::real(&[3])], |x| x[0].diag(0)).torch("x[0].diag()"),
    Case::new("diag_embed", &[Input::real(&[2, 3])], |x| {
        x[0].diag_embed(1, -2, -1)
    })
    .torch("x[0].diag_embed(1)"),
    Case::new("diag_embed", &[Input::real(&[2, 3])], |x| {
        x[0].diag_embed(-2, 2, 0)?.exp()
    })
    .torch("x[0].diag_embed(-2, 2, 0).exp()"),
    Case::new("tril", &[Input::real(&[3, 4])], |x| x[0].tril(0)).torch("x[0].tril()"),
    Case::new("tril", &[Input::real(&[2, 4, 3])], |x| x[0].tril(-1)?.exp())
        .torch("x[0].tril(-1).exp()"),
    Case::new("triu", &[Input::real(&[4, 3])], |x| x[0].triu(0)).torch("x[0].triu()"),
    Case::new("triu", &[Input::real(&[2, 2, 3])], |x| x[0].triu(1)?.exp())
        .torch("x[0].triu(1).exp()"),
];

impl Tensor {
    /// A view of the diagonals of the matrices that dimensions `row` and `col` make; they disappear,
    /// and the diagonal becomes the last dimension. Diagonal 0 is the main one, positive `offset`s are
    /// to the right of it, negative ones to the left. PyTorch's defaults are 0, 0, 1.
    ///
    /// # Errors
    /// If the dimensions are out of range or the same.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([[1, 2, 3], [4, 5, 6]]);
    /// assert_eq!(x.diagonal(0, 0, 1)?.to_vec::<i64>()?, [1, 5]);
    /// assert_eq!(x.diagonal(-1, 0, 1)?.to_vec::<i64>()?, [4]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn diagonal(&self, offset: isize, row: isize, col: isize) -> Result<Tensor> {
        // A vector has no second dimension, which `resolve_dim` lets a 0-d tensor have.
        let (row, col) = plane("diagonal", row, col, self.ndim())?;
        let diagonal = Diagonal { offset, row, col };
        apply(diagonal, &[self])
    }

    /// The matrix with this vector as its diagonal number `offset`, or a copy of that diagonal of
    /// this matrix.
    ///
    /// # Errors
    /// If the tensor has neither one nor two dimensions.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([1, 2]).diag(0)?;
    /// assert_eq!(x.to_vec::<i64>()?, [1, 0, 0, 2]);
    /// assert_eq!(x.diag(0)?.to_vec::<i64>()?, [1, 2]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn diag(&self, offset: isize) -> Result<Tensor> {
        match self.ndim() {
            1 => self.diag_embed(offset, 0, 1),
            2 => self.diagonal(offset, 0, 1)?.copy(),
            n => Err(err!(
                Shape,
                "diag: Supports 1D or 2D tensors. Got {n}D; use diagonal or diag_embed"
            )),
        }
    }

    /// Matrices, 0 but for diagonal number `offset`, which the last dimension becomes; their rows and
    /// columns are dimensions `row` and `col` of the result. PyTorch's defaults are 0, -2, -1.
    ///
    /// # Errors
    /// If the dimensions are out of range or the same, or the tensor is 0-d.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([[1, 2], [3, 4]]);
    /// assert_eq!(x.diag_embed(0, -2, -1)?.to_vec::<i64>()?, [1, 0, 0, 2, 3, 0, 0, 4]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn diag_embed(&self, offset: isize, row: isize, col: isize) -> Result<Tensor> {
        let (row, col) = plane("diag_embed", row, col, self.ndim() + 1)?;
        let mut shape = self.layout().shape.clone();
        let n = shape
            .pop()
            .unwrap_or(0)
            .saturating_add(offset.unsigned_abs());
        shape.insert(row.min(col), n);
        shape.insert(row.max(col), n);
        numel(&shape).map_err(|e| e.at("diag_embed"))?;
        let diagonal = Diagonal { offset, row, col };
        apply(DiagEmbed { diagonal, shape }, &[self])
    }

    /// The lower triangle of the matrices in the last two dimensions: 0 to the right of diagonal
    /// number `diagonal`.
    ///
    /// # Errors
    /// For less than two dimensions.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([[1, 2], [3, 4]]).tril(0)?.to_vec::<i64>()?, [1, 0, 3, 4]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn tril(&self, diagonal: isize) -> Result<Tensor> {
        Triangle::of(self, diagonal, false)
    }

    /// The upper triangle of the matrices in the last two dimensions: 0 to the left of diagonal
    /// number `diagonal`.
    ///
    /// # Errors
    /// For less than two dimensions.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([[1, 2], [3, 4]]).triu(0)?.to_vec::<i64>()?, [1, 2, 0, 4]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn triu(&self, diagonal: isize) -> Result<Tensor> {
        Triangle::of(self, diagonal, true)
    }
}

/// The dimensions of matrices among `rank`.
fn plane(op: &str, row: isize, col: isize, rank: usize) -> Result<(usize, usize)> {
    let resolve = |dim| resolve_dim(dim, rank).map_err(|e| e.at(op));
    let (r, c) = (resolve(row)?, resolve(col)?);
    if r == c {
        return Err(err!(
            Value,
            "{op}: diagonal dimensions cannot be identical {row}, {col}"
        ));
    }
    Ok((r, c))
}

/// The diagonals of matrices. The gradient is 0 beside them.
#[derive(Clone, Copy)]
struct Diagonal {
    offset: isize,
    row: usize,
    col: usize,
}

impl Diagonal {
    fn layout(&self, of: &Layout) -> Layout {
        of.diagonal(self.offset, self.row, self.col)
    }
}

impl Function for Diagonal {
    fn name(&self) -> &'static str {
        "diagonal"
    }
    fn forward(&self, _: &mut Context, x: &[&Tensor]) -> Result<Tensor> {
        Ok(x[0].with_layout(self.layout(x[0].layout())))
    }
    fn backward(&self, saved: &Saved<'_>, grad: &Tensor) -> Result<Grads> {
        let shape = saved.input_shape(0)?;
        let places = self.layout(&Layout::contiguous(Dims::from_slice(shape)));
        Ok([Grad::Part(Box::new(places), grad.clone())].into())
    }
}

/// Matrices that are 0 beside a diagonal. The gradient is their diagonal.
struct DiagEmbed {
    diagonal: Diagonal,
    shape: Dims,
}

impl Function for DiagEmbed {
    fn name(&self) -> &'static str {
        "diag_embed"
    }
    fn forward(&self, _: &mut Context, x: &[&Tensor]) -> Result<Tensor> {
        let places = |whole: &Layout| self.diagonal.layout(whole);
        framed(x[0], self.shape.clone(), 0.0, places)
    }
    fn backward(&self, _: &Saved<'_>, grad: &Tensor) -> Result<Grads> {
        Ok([Grad::Of(apply(self.diagonal, &[grad])?)].into())
    }
}

/// Matrices with 0 on one side of a diagonal. The gradient is 0 there too.
struct Triangle {
    diagonal: isize,
    upper: bool,
}

impl Triangle {
    fn of(x: &Tensor, diagonal: isize, upper: bool) -> Result<Tensor> {
        let triangle = Self { diagonal, upper };
        if x.ndim() < 2 {
            return Err(err!(
                Shape,
                "{}: input tensor must have at least 2 dimensions, got shape {:?}",
                triangle.name(),
                x.shape()
            ));
        }
        apply(triangle, &[x])
    }
}

impl Function for Triangle {
    fn name(&self) -> &'static str {
        if self.upper { "triu" } else { "tril" }
    }
    fn forward(&self, _: &mut Context, x: &[&Tensor]) -> Result<Tensor> {
        let shape = &x[0].layout().shape;
        let size = (shape[shape.len() - 2], shape[shape.len() - 1]);
        let out = dispatch!(x[0].dtype(), T => x[0].with_slice::<T, _>(|x| {
            triangle(x, size, self.diagonal, self.upper)
        }))?;
        Ok(Tensor::from_buffer(out, shape.clone()))
    }
    fn backward(&self, _: &Saved<'_>, grad: &Tensor) -> Result<Grads> {
        Ok([Grad::Of(Self::of(grad, self.diagonal, self.upper)?)].into())
    }
}
