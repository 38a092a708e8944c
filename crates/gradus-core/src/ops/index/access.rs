//! Reading and writing what an indexing expression selects.

use super::indices::Indices;
use super::selection::Selection;
use crate::autograd::{Context, Function, Grad, Grads, Saved, apply, is_grad_enabled};
use crate::dtype::{Element, Number, dispatch, dispatch_number};
use crate::error::{Result, err};
use crate::kernels::View;
use crate::ops::Operand;
use crate::ops::registry::{Case, Input};
use crate::shape::{Dims, Layout, Show};
use crate::tensor::Tensor;
use crate::{Index, s};
use std::sync::Arc;

const ROWS: [i64; 3] = [2, 0, 2];

pub(in crate::ops) const CASES: &[Case] = &[
    Case::new("slice", &[Input::real(&[3, 5])], |x| x[0].i((1.., -2))).torch("x[0][1:, -2]"),
    Case::new("slice", &[Input::real(&[3, 5])], |x| {
        x[0].i((Index::NewAxis, s(.., -2), Index::Ellipsis, Index::NewAxis))
    })
    .torch("x[0].flip(0)[None, ::2, ..., None]"),
    Case::new("index", &[Input::real(&[4, 3])], |x| x[0].i(ROWS)).torch("x[0][[2, 0, 2]]"),
    Case::new("index", &[Input::real(&[2, 4, 3])], |x| {
        x[0].i((1.., &Tensor::from([[0, 3], [-1, 0]]), [0, 2]))
    })
    .torch("x[0][1:, torch.tensor([[0, 3], [-1, 0]]), [0, 2]]"),
    Case::new("index", &[Input::real(&[3, 4, 2, 3])], |x| {
        x[0].i(([0, 2, 0], s(.., 2), 1, ROWS))
    })
    .torch("x[0][[0, 2, 0], ::2, 1, [2, 0, 2]]"),
    Case::new("index", &[Input::real(&[2, 3, 2]), Input::bools(&[2, 3])], |x| {
        x[0].i((&x[1], s(.., -1)))
    })
    .torch("x[0].flip(2)[x[1]]"),
    Case::new("index_put", &[Input::real(&[4, 3]), Input::real(&[2])], |x| {
        x[0].index_put((s(.., 2), 1), &x[1], false)
    })
    .torch("x[0].select_scatter(x[0][:, 1].slice_scatter(x[1], 0, 0, 4, 2), 1, 1)"),
    Case::new("index_put", &[Input::real(&[4, 3]), Input::real(&[2, 3])], |x| {
        x[0].index_put([3, 1], &x[1], false)
    })
    .torch("x[0].index_put((torch.tensor([3, 1]),), x[1])"),
    // PyTorch leaves the gradient of a value that was overwritten undefined; here it is 0.
    Case::new("index_put", &[Input::real(&[4, 3]), Input::real(&[3, 1])], |x| {
        x[0].index_put(ROWS, &x[1], false)
    }),
    Case::new("index_put", &[Input::real(&[4, 3]), Input::real(&[3])], |x| {
        x[0].index_put((ROWS, [1, 1, 1]), &x[1], true)
    })
    .torch("x[0].index_put((torch.tensor([2, 0, 2]), torch.tensor([1, 1, 1])), x[1], accumulate=True)"),
    Case::new("index_put", &[Input::real(&[3, 4]), Input::real(&[])], |x| {
        x[0].index_put((.., [0, 0, 2]), &x[1], true)
    })
    .torch("x[0].index_put((torch.arange(3)[:, None], torch.tensor([0, 0, 2])), x[1], accumulate=True)"),
    // What the gradient of x[[2, 0, 2]] is made by, x having 4 rows.
    Case::new("index_backward", &[Input::real(&[3, 2])], |x| {
        let selection = Arc::new(Selection::new("i", &[4, 2], &ROWS.indices())?);
        apply(Spread { selection }, &[&x[0]])
    })
    .torch("torch.zeros(4, 2, dtype=x[0].dtype).index_add(0, torch.tensor([2, 0, 2]), x[0])"),
];

impl Tensor {
    /// The elements that `index` names, as `x[index]` in Python. It is one of these, or a tuple of
    /// them, of which each stands for the next dimension; dimensions that are left stay whole:
    ///
    /// - an integer: that position, and the dimension disappears;
    /// - a range, or [`s`](crate::s) of a range and a step;
    /// - [`Index::NewAxis`], [`Index::Ellipsis`];
    /// - a tensor of integers, an array or a `Vec` of them: these positions, in this order;
    /// - a tensor of bools, for as many dimensions as it has: the positions where it is true.
    ///
    /// Negative positions count from the end. Without tensors and lists the result is a view. With
    /// them it is a copy: they broadcast together, their shape stands where they stood, or in front
    /// if something other than an integer lies between them. An integer is no list in this: as in
    /// PyTorch, and unlike in NumPy, it is applied first, so `x[0, :, [1, 2]]` is `x[0][:, [1, 2]]`.
    ///
    /// # Errors
    /// For positions out of range, more indices than dimensions, a mask of another shape than what
    /// it covers, lists that do not broadcast, a tensor of floating point numbers, a step of 0.
    ///
    /// ```
    /// # use gradus_core::{Index, Tensor, s};
    /// let x = Tensor::from([[1, 2, 3], [4, 5, 6]]);
    /// assert_eq!(x.i((1, -1))?.item::<i64>()?, 6);
    /// assert_eq!(x.i((.., s(.., -2)))?.to_vec::<i64>()?, [3, 1, 6, 4]);
    /// assert_eq!(x.i((Index::Ellipsis, [2, 0, 2]))?.shape(), [2, 3]);
    /// assert_eq!(x.i(([0, 1], [1, 2]))?.to_vec::<i64>()?, [2, 6]);
    /// assert_eq!(x.i(&x.gt(4)?)?.to_vec::<i64>()?, [5, 6]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn i(&self, index: impl Indices) -> Result<Tensor> {
        let selection = Selection::new("i", self.shape(), &index.indices())?;
        let name = if selection.is_view() {
            "slice"
        } else {
            "index"
        };
        self.read(name, selection)
    }

    /// A copy in which `value`, a tensor or a number, stands in the places that `index` names (see
    /// [`i`](Tensor::i)), or is added to them if `accumulate` says so. `value` broadcasts to what
    /// `x.i(index)` has for a shape; a tensor must have this one's dtype, a number is converted.
    /// Where a place is named several times the last value stays, or all are added.
    ///
    /// The gradient of overwritten elements is 0, that of values that did not stay as well.
    ///
    /// # Errors
    /// Those of [`i`](Tensor::i); if the value does not broadcast or has another dtype; for bool
    /// with `accumulate`.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::zeros([4]);
    /// let ones = Tensor::ones([3]);
    /// assert_eq!(x.index_put([1, 3, 1], &ones, false)?.to_vec::<f32>()?, [0.0, 1.0, 0.0, 1.0]);
    /// assert_eq!(x.index_put([1, 3, 1], &ones, true)?.to_vec::<f32>()?, [0.0, 2.0, 0.0, 1.0]);
    /// assert_eq!(x.index_put(..2, 5, false)?.to_vec::<f32>()?, [5.0, 5.0, 0.0, 0.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn index_put<'a>(
        &self,
        index: impl Indices,
        value: impl Into<Operand<'a>>,
        accumulate: bool,
    ) -> Result<Tensor> {
        let selection = Selection::new("index_put", self.shape(), &index.indices())?;
        let value = self.same_dtype("index_put", value.into())?;
        self.write("index_put", selection, &value, accumulate)
    }

    /// Overwrites the elements that `index` names (see [`i`](Tensor::i)) with `value`, a tensor or a
    /// number, which broadcasts and is converted: `x[index] = value` in Python.
    ///
    /// # Errors
    /// Those of [`i`](Tensor::i); if the value does not broadcast; if the tensor may not be changed
    /// (see [`add_`](Tensor::add_)).
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::zeros([2, 3]);
    /// x.set((0, 1..), 5)?;
    /// x.set((1, [2, 0]), &Tensor::from([7, 8]))?;
    /// x.set(&x.eq(0)?, -1)?;
    /// assert_eq!(x.to_vec::<f32>()?, [-1.0, 5.0, 5.0, 8.0, -1.0, 7.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn set<'a>(&self, index: impl Indices, value: impl Into<Operand<'a>>) -> Result<()> {
        let selection = Selection::new("set", self.shape(), &index.indices())?;
        let value = value.into().to_tensor(self.dtype())?;
        self.write_("set", selection, &value, false)
    }

    /// What is selected, recorded as `name`.
    pub(super) fn read(
        &self,
        name: &'static str,
        selection: impl Into<Arc<Selection>>,
    ) -> Result<Tensor> {
        let selection = selection.into();
        apply(Read { name, selection }, &[self])
    }

    /// A copy with `value` in (or added to) what is selected, recorded as `name`.
    pub(super) fn write(
        &self,
        name: &'static str,
        selection: impl Into<Arc<Selection>>,
        value: &Tensor,
        accumulate: bool,
    ) -> Result<Tensor> {
        let selection = selection.into();
        let value = fit(name, value, &selection.shape()?)?;
        let write = Write {
            name,
            selection,
            accumulate,
        };
        apply(write, &[self, &value])
    }

    /// The change that [`write`](Tensor::write) makes, in place: in the memory alone where no
    /// gradient is asked for, so that it costs no more than the elements that change.
    pub(super) fn write_(
        &self,
        op: &str,
        selection: Selection,
        value: &Tensor,
        accumulate: bool,
    ) -> Result<()> {
        let value = fit(op, value, &selection.shape()?)?;
        if is_grad_enabled() && (self.requires_grad() || value.requires_grad()) {
            let selection = Arc::new(selection);
            return self.in_place(op, |x| {
                x.write("index_put", selection.clone(), &value, accumulate)
            });
        }
        self.expect_writable(op)?;
        self.expect_traceable(op, &value)?;
        if value.shares_memory(self) {
            self.put_unrecorded(op, &selection, &value.copy()?, accumulate)
        } else {
            self.put_unrecorded(op, &selection, &value, accumulate)
        }
    }

    /// Overwrites the selected elements in this tensor's memory with `values`, which broadcast and
    /// lie in other memory, or adds these to them.
    fn put_unrecorded(
        &self,
        op: &str,
        selection: &Selection,
        values: &Tensor,
        add: bool,
    ) -> Result<()> {
        if add {
            dispatch_number!(op, self.dtype(), T => self.change_at(selection, values, T::plus))
        } else {
            dispatch!(self.dtype(), T => self.change_at(selection, values, |_, x: T| x))
        }
    }

    /// Changes the selected elements in this tensor's memory to `f` of themselves and of `values`,
    /// which broadcast and lie in other memory.
    pub(super) fn change_at<T: Element>(
        &self,
        selection: &Selection,
        values: &Tensor,
        f: impl Fn(T, T) -> T + Sync,
    ) -> Result<()> {
        let from = values.layout().broadcast_to(&selection.shape()?)?;
        self.storage()
            .update([], values.storage(), |target: &mut [T], [], x: &[T]| {
                selection.change(target, self.layout(), View::new(x, &from), f)
            })
    }
}

/// `value` without the dimensions that it has more than `shape`, if they are of size 1; an error
/// unless it broadcasts to `shape`.
fn fit(op: &str, value: &Tensor, shape: &Dims) -> Result<Tensor> {
    let own = value.shape();
    let extra = own.len().saturating_sub(shape.len());
    let (more, rest) = own.split_at(extra);
    let pairs = rest.iter().rev().zip(shape.iter().rev());
    if more.iter().any(|&n| n != 1) || pairs.clone().any(|(&n, &m)| n != m && n != 1) {
        return Err(err!(
            Shape,
            "{op}: shape mismatch: value tensor of shape {} cannot be broadcast to indexing result of shape {}",
            Show(own),
            Show(shape)
        ));
    }
    value.reshape(rest)
}

/// The selected elements: a view or a copy. The gradient is 0 at all others, and summed where an
/// element was picked several times.
pub(super) struct Read {
    pub(super) name: &'static str,
    pub(super) selection: Arc<Selection>,
}

impl Function for Read {
    fn name(&self) -> &'static str {
        self.name
    }
    fn forward(&self, _: &mut Context, x: &[&Tensor]) -> Result<Tensor> {
        self.selection.take(x[0])
    }
    fn backward(&self, _: &Saved<'_>, grad: &Tensor) -> Result<Grads> {
        let selection = self.selection.clone();
        let dx = if selection.is_view() {
            let whole = Layout::contiguous(Dims::from_slice(selection.source_shape()));
            Grad::Part(Box::new(selection.layout(&whole)), grad.clone())
        } else {
            Grad::Of(apply(Spread { selection }, &[grad])?)
        };
        Ok([dx].into())
    }
}

/// The adjoint of [`Read`] where that copies: zeros to which its input is added in the selected
/// places.
pub(super) struct Spread {
    pub(super) selection: Arc<Selection>,
}

impl Function for Spread {
    fn name(&self) -> &'static str {
        "index_backward"
    }
    fn forward(&self, _: &mut Context, x: &[&Tensor]) -> Result<Tensor> {
        let out = Tensor::full(self.selection.source_shape(), 0.0, x[0].dtype())?;
        out.put_unrecorded(self.name(), &self.selection, x[0], true)?;
        Ok(out)
    }
    fn backward(&self, _: &Saved<'_>, grad: &Tensor) -> Result<Grads> {
        let read = Read {
            name: "index",
            selection: self.selection.clone(),
        };
        Ok([Grad::Of(apply(read, &[grad])?)].into())
    }
}

/// The first input with the second in the selected places, or added to them.
pub(super) struct Write {
    pub(super) name: &'static str,
    pub(super) selection: Arc<Selection>,
    pub(super) accumulate: bool,
}

impl Function for Write {
    fn name(&self) -> &'static str {
        self.name
    }

    fn forward(&self, _: &mut Context, x: &[&Tensor]) -> Result<Tensor> {
        let out = x[0].copy()?;
        out.put_unrecorded(self.name, &self.selection, x[1], self.accumulate)?;
        Ok(out)
    }

    fn backward(&self, saved: &Saved<'_>, grad: &Tensor) -> Result<Grads> {
        let selection = &self.selection;
        let dx = saved.grad(0, || {
            if self.accumulate {
                return Ok(grad.clone());
            }
            let write = Self {
                name: "index_put",
                selection: selection.clone(),
                accumulate: false,
            };
            apply(write, &[grad, &Tensor::full((), 0.0, grad.dtype())?])
        })?;
        let dvalue = saved.grad(1, || {
            let read = Read {
                name: "index",
                selection: selection.clone(),
            };
            let picked = apply(read, &[grad])?;
            match selection.last_ones()? {
                Some(last) if !self.accumulate => last.where_cond(&picked, 0.0),
                _ => Ok(picked),
            }
        })?;
        Ok([dx, dvalue].into())
    }
}
