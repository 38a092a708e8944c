//! Choice by a bool tensor: `where_cond`, `masked_…`.

use super::selection::Selection;
use crate::autograd::{Context, Function, Grad, Grads, Saved, apply};
use crate::dtype::{DType, dispatch};
use crate::error::{Result, err};
use crate::kernels::View;
use crate::kernels::map::{self, Cost};
use crate::ops::binary::stretched;
use crate::ops::registry::{Case, Input};
use crate::ops::{Operand, promoted};
use crate::shape::broadcast;
use crate::tensor::Tensor;

pub(in crate::ops) const CASES: &[Case] = &[
    Case::new(
        "where",
        &[
            Input::bools(&[2, 3]),
            Input::real(&[2, 3]),
            Input::real(&[2, 3]),
        ],
        |x| x[0].where_cond(&x[1], &x[2]),
    )
    .torch("torch.where(x[0], x[1], x[2])"),
    Case::new(
        "where",
        &[
            Input::bools(&[3, 1]),
            Input::real(&[4]),
            Input::real(&[2, 1, 1]),
        ],
        |x| x[0].where_cond(&x[1], &x[2]),
    )
    .torch("torch.where(x[0], x[1], x[2])"),
    Case::new("where", &[Input::bools(&[2, 3]), Input::real(&[3])], |x| {
        x[0].where_cond(1.5, &x[1])
    })
    .torch("torch.where(x[0], 1.5, x[1])"),
    Case::new(
        "where",
        &[
            Input::bools(&[2, 3]),
            Input::real(&[2, 3]),
            Input::real(&[]),
        ],
        |x| x[0].where_cond(&x[1], &x[2]),
    )
    .torch("torch.where(x[0], x[1], x[2])"),
    Case::new(
        "where",
        &[Input::real(&[2, 3]), Input::bools(&[3]), Input::real(&[])],
        |x| x[0].masked_fill(&x[1], &x[2]),
    )
    .torch("x[0].masked_fill(x[1], x[2])"),
    Case::new(
        "masked_select",
        &[Input::real(&[2, 3]), Input::bools(&[2, 3])],
        |x| x[0].masked_select(&x[1]),
    )
    .torch("x[0].masked_select(x[1])"),
    Case::new(
        "masked_select",
        &[Input::real(&[3]), Input::bools(&[4, 1])],
        |x| x[0].masked_select(&x[1]),
    )
    .torch("x[0].masked_select(x[1])"),
    Case::new(
        "masked_scatter",
        &[
            Input::real(&[2, 3]),
            Input::bools(&[2, 3]),
            Input::real(&[2, 4]),
        ],
        |x| x[0].masked_scatter(&x[1], &x[2]),
    )
    .torch("x[0].masked_scatter(x[1], x[2])"),
];

impl Tensor {
    /// The elements of `a` where this bool tensor is true, else those of `b`: PyTorch's
    /// `where(self, a, b)`. Both are tensors or numbers; all three shapes broadcast, and the dtypes
    /// of `a` and `b` promote. No gradient flows to the element that is not taken, not even NaN.
    ///
    /// # Errors
    /// If this is no bool tensor or the shapes do not broadcast.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([-1.0, 2.0]);
    /// assert_eq!(x.gt(0)?.where_cond(&x, 0)?.to_vec::<f32>()?, [0.0, 2.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn where_cond<'a>(
        &self,
        a: impl Into<Operand<'a>>,
        b: impl Into<Operand<'a>>,
    ) -> Result<Tensor> {
        self.expect_mask("where_cond")?;
        let (a, b) = promoted(a, b)?;
        apply(Where, &[self, &a, &b]).map_err(|e| e.at("where_cond"))
    }

    /// The elements where `mask` is true, as a vector in row-major order. Both shapes broadcast.
    ///
    /// # Errors
    /// If `mask` is no bool tensor or the shapes do not broadcast.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([[1, 2], [3, 4]]);
    /// assert_eq!(x.masked_select(&x.ne(2)?)?.to_vec::<i64>()?, [1, 3, 4]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn masked_select(&self, mask: &Tensor) -> Result<Tensor> {
        let (x, places) = self.masked("masked_select", mask)?;
        x.read("masked_select", places)
    }

    /// A copy with `value`, a number or a 0-d tensor, where `mask` is true. The value is converted;
    /// both shapes broadcast.
    ///
    /// # Errors
    /// If `mask` is no bool tensor, the value has dimensions, or the shapes do not broadcast.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([1, 2, 3]);
    /// assert_eq!(x.masked_fill(&x.gt(1)?, 0)?.to_vec::<i64>()?, [1, 0, 0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn masked_fill<'a>(&self, mask: &Tensor, value: impl Into<Operand<'a>>) -> Result<Tensor> {
        mask.expect_mask("masked_fill")?;
        let value = self.one_value("masked_fill", value.into())?;
        apply(Where, &[mask, &value, self]).map_err(|e| e.at("masked_fill"))
    }

    /// [`masked_fill`](Tensor::masked_fill) in place; only the mask is stretched.
    ///
    /// # Errors
    /// As [`masked_fill`](Tensor::masked_fill) and [`add_`](Tensor::add_).
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([1, 2, 3]);
    /// x.masked_fill_(&x.gt(1)?, 0)?;
    /// assert_eq!(x.to_vec::<i64>()?, [1, 0, 0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn masked_fill_<'a>(&self, mask: &Tensor, value: impl Into<Operand<'a>>) -> Result<()> {
        let value = value.into();
        self.in_place("masked_fill_", |x| x.masked_fill(mask, value))
    }

    /// A copy in which the places where `mask` is true hold the first elements of `source`, in
    /// row-major order. Both shapes broadcast.
    ///
    /// # Errors
    /// If `mask` is no bool tensor, `source` has fewer elements than it has true ones or another
    /// dtype, or the shapes do not broadcast.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([1, 2, 3]);
    /// let y = x.masked_scatter(&x.ne(2)?, &Tensor::from([7, 8, 9]))?;
    /// assert_eq!(y.to_vec::<i64>()?, [7, 2, 8]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn masked_scatter(&self, mask: &Tensor, source: &Tensor) -> Result<Tensor> {
        const OP: &str = "masked_scatter";
        let source = self.same_dtype(OP, source.into())?;
        let (x, places) = self.masked(OP, mask)?;
        let count: usize = places.shape()?.iter().product();
        if source.numel() < count {
            return Err(err!(
                Shape,
                "{OP}: Number of elements of source < number of ones in mask: {} < {count}",
                source.numel()
            ));
        }
        let first = source.reshape([-1])?.narrow(0, 0, count)?;
        x.write(OP, places, &first, false)
    }

    /// [`masked_scatter`](Tensor::masked_scatter) in place; only the mask is stretched.
    ///
    /// # Errors
    /// As [`masked_scatter`](Tensor::masked_scatter) and [`add_`](Tensor::add_).
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([1, 2, 3]);
    /// x.masked_scatter_(&x.ne(2)?, &Tensor::from([7, 8]))?;
    /// assert_eq!(x.to_vec::<i64>()?, [7, 2, 8]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn masked_scatter_(&self, mask: &Tensor, source: &Tensor) -> Result<()> {
        self.in_place("masked_scatter_", |x| x.masked_scatter(mask, source))
    }

    fn expect_mask(&self, op: &str) -> Result<()> {
        if self.dtype() == DType::Bool {
            return Ok(());
        }
        Err(err!(
            DType,
            "{op}: expected a bool tensor as mask, got {}; compare, e.g. with ne(0)",
            self.dtype()
        ))
    }

    /// This tensor stretched to the shape it shares with `mask`, and where the mask is true in it.
    fn masked(&self, op: &str, mask: &Tensor) -> Result<(Tensor, Selection)> {
        mask.expect_mask(op)?;
        let shape = broadcast(self.shape(), mask.shape()).map_err(|e| e.at(op))?;
        let (x, mask) = (self.broadcast_to(&shape)?, mask.broadcast_to(&shape)?);
        let at = mask.true_positions()?;
        let count = at.len();
        Ok((x, Selection::flat(&shape, at, &[count])))
    }
}

/// The second input where the first is true, else the third.
struct Where;

impl Function for Where {
    fn name(&self) -> &'static str {
        "where"
    }

    fn forward(&self, ctx: &mut Context, x: &[&Tensor]) -> Result<Tensor> {
        let (cond, a, b) = (x[0], x[1], x[2]);
        ctx.save(cond);
        let [lc, la, lb] = stretched([cond, a, b])?;
        let out = dispatch!(a.dtype(), T => {
            cond.with::<bool, _>(|c| a.with::<T, _>(|a| b.with::<T, _>(|b| {
                let cond = View::new(c.data, &lc);
                // One value for all: two operands are left, which have the faster loops.
                if a.layout.numel() == 1 {
                    let a = a.data[a.layout.offset];
                    return map::zip(cond, View::new(b.data, &lb), Cost::Low, |c, b| if c { a } else { b });
                }
                if b.layout.numel() == 1 {
                    let b = b.data[b.layout.offset];
                    return map::zip(cond, View::new(a.data, &la), Cost::Low, |c, a| if c { a } else { b });
                }
                let (a, b) = (View::new(a.data, &la), View::new(b.data, &lb));
                map::zip3(cond, a, b, Cost::Low, |c, a: T, b| if c { a } else { b })
            })))
        })?;
        Ok(Tensor::from_dense(out))
    }

    fn backward(&self, saved: &Saved<'_>, grad: &Tensor) -> Result<Grads> {
        let cond = saved.get(0)?;
        let da = saved.grad(1, || cond.where_cond(grad, 0.0))?;
        let db = saved.grad(2, || cond.where_cond(0.0, grad))?;
        Ok([Grad::Zero, da, db].into())
    }
}
