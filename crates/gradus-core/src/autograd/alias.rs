//! Tensors that share memory: what a change in place does to their histories.
//!
//! A view made while recording knows its *base*, the tensor that owns the memory. A recorded change
//! of a view is a change of its base: the base's new history is "the old one, with this part
//! replaced" ([`Overlay`]). Other views of that base find out when they are next used, and take
//! "this part of the base" ([`Part`]) for their history. PyTorch does the same.

use super::function::{Context, Function, Grad, Grads, Saved, apply};
use super::grad_mode::is_grad_enabled;
use super::node::{Node, Operation};
use crate::dtype::DType;
use crate::error::{Result, err};
use crate::shape::{Dims, Layout};
use crate::tensor::{Tensor, WeakTensor};
use smallvec::SmallVec;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// Whose memory a tensor looks at.
pub(crate) enum Origin {
    /// Its own; or somebody's whose history it shall have no part in (`detach`).
    Own,
    /// That of `base`, whose history had been changed in place `seen` times when this view took its
    /// own from it.
    View { base: Tensor, seen: AtomicU32 },
    /// That of a tensor which was looked at without recording.
    Unrecorded(WeakTensor),
}

impl Tensor {
    /// The origin of a view of this tensor.
    pub(crate) fn origin_of_views(&self, recorded: bool) -> Origin {
        let view = |base: &Tensor| Origin::View {
            base: base.clone(),
            seen: AtomicU32::new(base.rebased().load(Ordering::Acquire)),
        };
        match self.origin() {
            Origin::Own if recorded => view(self),
            Origin::Own => Origin::Unrecorded(self.downgrade()),
            Origin::View { base, .. } if recorded => view(base),
            Origin::View { base, .. } => Origin::Unrecorded(base.downgrade()),
            Origin::Unrecorded(base) => Origin::Unrecorded(
                base.upgrade()
                    .map_or_else(|| self.downgrade(), |b| b.downgrade()),
            ),
        }
    }

    /// Takes a new history from the base if a change in place gave it one.
    #[inline]
    pub(crate) fn follow_base(&self) {
        if let Origin::View { base, seen } = self.origin() {
            let now = base.rebased().load(Ordering::Acquire);
            if seen.swap(now, Ordering::AcqRel) != now {
                let history = base.node();
                let part = || Part::of(self, base);
                self.set_node(history.map(|base| record(part(), self, [Some(base)])));
            }
        }
    }

    /// Whether autograd allows a change in place.
    ///
    /// # Errors
    /// For leaves that require a gradient and their views, while recording.
    pub(crate) fn expect_changeable(&self, op: &str) -> Result<()> {
        let leaf = |t: &Tensor| t.requires_grad() && t.is_leaf();
        let what = match self.origin() {
            _ if !is_grad_enabled() => return Ok(()),
            _ if leaf(self) => "a leaf",
            Origin::View { base, .. } if leaf(base) => "a view of a leaf",
            _ => return Ok(()),
        };
        Err(err!(
            Autograd,
            "{op}: {what} Variable that requires grad is being used in an in-place operation. Wrap it in no_grad if no \
             gradient should know of it"
        ))
    }

    /// Whether a change to the elements of `new` can be told to everybody who shares this memory.
    ///
    /// # Errors
    /// For a view of which no record was made, if the change or its base has a history.
    pub(crate) fn expect_traceable(&self, op: &str, new: &Tensor) -> Result<()> {
        let Origin::Unrecorded(base) = self.origin() else {
            return Ok(());
        };
        let lost = |base: Tensor| base.requires_grad() || new.requires_grad();
        if !is_grad_enabled() || !base.upgrade().is_some_and(lost) {
            return Ok(());
        }
        Err(err!(
            Autograd,
            "{op}: this view was created in no_grad mode, so its base would not know of the change and its gradient. Make \
             the view outside no_grad, or change it inside"
        ))
    }

    /// Gives this tensor, whose memory has just been overwritten with the elements of `new`, the
    /// history of `new`.
    pub(crate) fn rebase(&self, new: Tensor) {
        let history = match new.node() {
            None if !self.requires_grad() => return,
            None => None,
            // A node that nobody else can reach: hooks on this tensor must not see another's gradient.
            Some(node) if !node.is_leaf() && new.handles() == 1 => Some(node),
            Some(node) => Some(record(Same, self, [Some(node)])),
        };
        let base = match self.origin() {
            Origin::View { base, .. } => base,
            Origin::Own | Origin::Unrecorded(_) => self,
        };
        let node = match history {
            Some(node) if base.is_same(self) => node,
            part => record(Overlay(Part::of(self, base)), base, [base.node(), part]),
        };
        base.set_node(Some(node));
        base.rebased().fetch_add(1, Ordering::AcqRel);
    }
}

/// The same elements in memory of their own.
struct Same;

impl Function for Same {
    fn name(&self) -> &'static str {
        "copy_"
    }
    fn forward(&self, _: &mut Context, x: &[&Tensor]) -> Result<Tensor> {
        x[0].copy()
    }
    fn backward(&self, _: &Saved<'_>, grad: &Tensor) -> Result<Grads> {
        Ok([Grad::Of(grad.clone())].into())
    }
}

/// The elements of a base at which a view looks. The layouts are places in the storage of both.
#[derive(Clone)]
struct Part {
    whole: Layout,
    part: Layout,
}

impl Part {
    fn of(view: &Tensor, base: &Tensor) -> Self {
        Self {
            whole: base.layout().clone(),
            part: view.layout().clone(),
        }
    }

    /// Zeros for the storage, as far as either looks at it.
    fn storage(&self, dtype: DType) -> Result<Tensor> {
        let end = |layout: &Layout| {
            let steps = layout.shape.iter().zip(&layout.strides);
            let last: isize = steps.map(|(&n, &s)| (n as isize - 1) * s.max(0)).sum();
            match layout.numel() {
                0 => 0,
                _ => layout.offset + last as usize + 1,
            }
        };
        Tensor::full(end(&self.whole).max(end(&self.part)), 0.0, dtype)
    }

    /// The storage with `x` in the places of the base.
    fn storage_of(&self, x: &Tensor) -> Result<Tensor> {
        let storage = self.storage(x.dtype())?;
        storage
            .with_layout(self.whole.clone())
            .overwrite(x, false)?;
        Ok(storage)
    }
}

impl Function for Part {
    fn name(&self) -> &'static str {
        "view"
    }
    fn forward(&self, _: &mut Context, x: &[&Tensor]) -> Result<Tensor> {
        let same_places = self.whole.offset == 0 && self.whole.is_contiguous();
        if same_places && x[0].is_contiguous() && x[0].layout().offset == 0 {
            return x[0].with_layout(self.part.clone()).copy();
        }
        self.storage_of(x[0])?.with_layout(self.part.clone()).copy()
    }
    fn backward(&self, _: &Saved<'_>, grad: &Tensor) -> Result<Grads> {
        Ok([Grad::Of(apply(Embed(self.clone()), &[grad])?)].into())
    }
}

/// Zeros in the shape of the base with something added to one part: the gradient of [`Part`].
struct Embed(Part);

impl Function for Embed {
    fn name(&self) -> &'static str {
        "view_backward"
    }
    fn forward(&self, _: &mut Context, x: &[&Tensor]) -> Result<Tensor> {
        let storage = self.0.storage(x[0].dtype())?;
        storage
            .with_layout(self.0.part.clone())
            .overwrite(x[0], true)?;
        let whole = storage.with_layout(self.0.whole.clone());
        if whole.is_contiguous() {
            Ok(whole)
        } else {
            whole.copy()
        }
    }
    fn backward(&self, _: &Saved<'_>, grad: &Tensor) -> Result<Grads> {
        Ok([Grad::Of(apply(self.0.clone(), &[grad])?)].into())
    }
}

/// The gradient of any view: zeros of `shape` to which `grad` is added at the places that `view`
/// says of a contiguous tensor of that shape.
pub(super) fn embed(shape: &[usize], view: Layout, grad: &Tensor) -> Result<Tensor> {
    let whole = Layout::contiguous(Dims::from_slice(shape));
    if view.shape[..] != *grad.shape() || !view.lies_within(whole.numel()) {
        return Err(err!(
            Autograd,
            "backward returned a gradient of shape {:?} for a part of shape {:?} of an input of shape {shape:?}",
            grad.shape(),
            view.shape.as_slice()
        ));
    }
    apply(Embed(Part { whole, part: view }), &[grad])
}

/// A base with one part replaced. The gradient of what was there is 0.
struct Overlay(Part);

impl Function for Overlay {
    fn name(&self) -> &'static str {
        "copy_slices"
    }
    fn forward(&self, _: &mut Context, x: &[&Tensor]) -> Result<Tensor> {
        let storage = self.0.storage_of(x[0])?;
        storage
            .with_layout(self.0.part.clone())
            .overwrite(x[1], false)?;
        storage.with_layout(self.0.whole.clone()).copy()
    }
    fn backward(&self, saved: &Saved<'_>, grad: &Tensor) -> Result<Grads> {
        let base = saved.grad(0, || {
            let zeros = Tensor::full(&self.0.part.shape, 0.0, grad.dtype())?;
            apply(Overlay(self.0.clone()), &[grad, &zeros])
        })?;
        let part = saved.grad(1, || apply(self.0.clone(), &[grad]))?;
        Ok([base, part].into())
    }
}

/// The node of an operation that has already happened: its result is the memory as it is.
fn record<const N: usize>(
    function: impl Function,
    result: &Tensor,
    inputs: [Option<Arc<Node>>; N],
) -> Arc<Node> {
    let operation = Operation {
        function: Box::new(function),
        inputs: inputs.into_iter().collect(),
        saves: SmallVec::new(),
    };
    Node::new(result, Some(operation))
}
