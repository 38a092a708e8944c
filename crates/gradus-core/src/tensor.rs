//! The handle: a layout over a shared storage, and a place in the recorded graph.
//!
//! Everything a tensor *does* is in `ops`; here is what it *is*.

mod convert;
mod create;
mod display;
mod literal;
mod operators;

use crate::autograd::{Node, Origin, is_inference_mode_enabled};
use crate::dtype::{DType, Element, dispatch};
use crate::error::{Error, Kind, Result, err};
use crate::kernels::{Dense, View, map};
use crate::shape::{Dims, Layout};
use crate::storage::{Buffer, Storage};
use parking_lot::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Weak};

/// An n-dimensional array of one dtype, with a gradient if it is asked for.
///
/// Cloning copies the handle, not the data: both handles are the same tensor. Slices, transposes
/// and reshapes are new tensors that share the memory of the old one. Tensors can be sent to and
/// shared between threads.
///
/// ```
/// use gradus_core::Tensor;
/// let x = Tensor::from([[1.0, 2.0], [3.0, 4.0]]);
/// let row = x.select(0, 1)?;
/// x.fill_(7.0)?;
/// assert_eq!(row.to_vec::<f32>()?, [7.0, 7.0]);
/// # Ok::<(), gradus_core::Error>(())
/// ```
#[derive(Clone)]
pub struct Tensor(Arc<Inner>);

/// A tensor that somebody else holds, or no longer does.
pub(crate) struct WeakTensor(Weak<Inner>);

impl WeakTensor {
    pub(crate) fn upgrade(&self) -> Option<Tensor> {
        self.0.upgrade().map(Tensor)
    }
}

struct Inner {
    storage: Arc<Storage>,
    layout: Layout,
    dtype: DType,
    /// Whose memory this is, for changes in place (`autograd/alias.rs`).
    origin: Origin,
    /// How often a change in place has given this tensor a new history.
    rebased: AtomicU32,
    /// Made in inference mode: never to be part of a recorded graph.
    inference: bool,
    /// Whether `node` holds something: asked at every operation, so without taking the lock.
    tracked: AtomicBool,
    node: Mutex<Option<Arc<Node>>>,
}

impl Tensor {
    fn new(storage: Arc<Storage>, layout: Layout, origin: Origin, node: Option<Arc<Node>>) -> Self {
        let dtype = storage.dtype();
        let tracked = AtomicBool::new(node.is_some());
        Self(Arc::new(Inner {
            storage,
            layout,
            dtype,
            origin,
            rebased: AtomicU32::new(0),
            inference: is_inference_mode_enabled(),
            tracked,
            node: Mutex::new(node),
        }))
    }

    /// A tensor of this shape over a buffer of as many elements.
    pub(crate) fn from_buffer(buffer: Buffer, shape: Dims) -> Self {
        Self::from_buffer_as(buffer, Layout::contiguous(shape))
    }

    /// A tensor whose elements lie in a buffer as `layout` says, which must not leave it.
    pub(crate) fn from_buffer_as(buffer: Buffer, layout: Layout) -> Self {
        Self::new(Arc::new(Storage::new(buffer)), layout, Origin::Own, None)
    }

    /// What a kernel of elements has made.
    pub(crate) fn from_dense(made: Dense) -> Self {
        Self::from_buffer_as(made.buffer, made.layout)
    }

    /// Another tensor on the same memory. `apply` makes it a view of its input.
    pub(crate) fn with_layout(&self, layout: Layout) -> Self {
        Self::new(
            self.0.storage.clone(),
            layout,
            self.origin_of_views(false),
            None,
        )
    }

    /// The same elements with another history.
    pub(crate) fn with_node(&self, node: Option<Arc<Node>>) -> Self {
        let (storage, layout) = (self.0.storage.clone(), self.0.layout.clone());
        Self::new(storage, layout, Origin::Own, node)
    }

    /// The same elements as a view with this origin.
    pub(crate) fn with_origin(self, origin: Origin) -> Self {
        let Self(mut inner) = self;
        match Arc::get_mut(&mut inner) {
            Some(inner) => inner.origin = origin,
            None => return Self::new(inner.storage.clone(), inner.layout.clone(), origin, None),
        }
        Self(inner)
    }

    pub(crate) fn origin(&self) -> &Origin {
        &self.0.origin
    }

    pub(crate) fn rebased(&self) -> &AtomicU32 {
        &self.0.rebased
    }

    /// A reference that keeps neither memory nor history alive.
    pub(crate) fn downgrade(&self) -> WeakTensor {
        WeakTensor(Arc::downgrade(&self.0))
    }

    /// Whether this tensor was made in [`inference_mode`](crate::inference_mode).
    ///
    /// ```
    /// # use gradus_core::{Tensor, inference_mode};
    /// assert!(inference_mode(|| Tensor::ones([2])).is_inference());
    /// ```
    pub fn is_inference(&self) -> bool {
        self.0.inference
    }

    /// The sizes of the dimensions; empty for a 0-d tensor.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::zeros([2, 3]).shape(), [2, 3]);
    /// ```
    pub fn shape(&self) -> &[usize] {
        &self.0.layout.shape
    }

    /// The shape, to be that of another tensor.
    pub(crate) fn dims(&self) -> Dims {
        // As a whole: `clone` copies one size after the other.
        Dims::from_slice(self.shape())
    }

    /// The size of dimension `dim`, counted from the end if negative.
    ///
    /// # Errors
    /// If there is no such dimension.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::zeros([2, 3]).size(-1)?, 3);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn size(&self, dim: isize) -> Result<usize> {
        let d = crate::shape::resolve_dim(dim, self.ndim()).map_err(|e| e.at("size"))?;
        self.shape()
            .get(d)
            .copied()
            .ok_or_else(|| err!(Index, "size: a 0-d tensor has no dimension {dim}"))
    }

    /// The number of dimensions.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::zeros([2, 3]).ndim(), 2);
    /// ```
    pub fn ndim(&self) -> usize {
        self.shape().len()
    }

    /// The number of elements.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::zeros([2, 3]).numel(), 6);
    /// ```
    pub fn numel(&self) -> usize {
        self.0.layout.numel()
    }

    /// The dtype of the elements.
    ///
    /// ```
    /// # use gradus_core::{DType, Tensor};
    /// assert_eq!(Tensor::zeros([2]).dtype(), DType::F32);
    /// ```
    pub fn dtype(&self) -> DType {
        self.0.dtype
    }

    /// Steps in memory between neighbours along each dimension, in elements.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::zeros([2, 3]).t()?.stride(), [1, 3]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn stride(&self) -> &[isize] {
        &self.0.layout.strides
    }

    /// Whether the elements lie row-major without gaps.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert!(!Tensor::zeros([2, 3]).t()?.is_contiguous());
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn is_contiguous(&self) -> bool {
        self.0.layout.is_contiguous()
    }

    pub(crate) fn layout(&self) -> &Layout {
        &self.0.layout
    }

    pub(crate) fn storage(&self) -> &Storage {
        &self.0.storage
    }

    /// Whether both handles are one tensor (not merely equal).
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::zeros([2]);
    /// assert!(x.is_same(&x.clone()) && !x.is_same(&x.detach()));
    /// ```
    pub fn is_same(&self, other: &Tensor) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Whether the two share memory, as a view and its base do.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::zeros([2, 3]);
    /// assert!(x.shares_memory(&x.t()?) && !x.shares_memory(&x.add(0.0)?));
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn shares_memory(&self, other: &Tensor) -> bool {
        Arc::ptr_eq(&self.0.storage, &other.0.storage)
    }

    /// How many handles of this very tensor there are.
    pub(crate) fn handles(&self) -> usize {
        Arc::strong_count(&self.0)
    }

    /// Whether nobody else can see this tensor's memory, so that it may be written unnoticed.
    pub(crate) fn is_sole_owner(&self) -> bool {
        Arc::strong_count(&self.0) == 1
            && Arc::strong_count(&self.0.storage) == 1
            && self.layout().is_dense()
    }

    /// Whether the elements of both, which have one shape, lie in the same order without gaps, so that
    /// their memory can be gone through side by side.
    pub(crate) fn lies_like(&self, other: &Tensor) -> bool {
        self.is_contiguous() && other.is_contiguous()
            || self.stride() == other.stride() && self.layout().is_dense()
    }

    /// The same elements, without history, in memory of their own and in the order in which those of
    /// `other` lie, which has the same shape.
    pub(crate) fn arranged_like(&self, other: &Tensor) -> Result<Tensor> {
        let rows = Dims::from_iter(0..self.ndim());
        let order = Layout::memory_order([other.layout()]).unwrap_or(rows);
        let permuted = self.layout().permute(&order);
        let buffer = dispatch!(self.dtype(), T => self.with::<T, _>(|x| {
            map::copy(View::new(x.data, &permuted))
        }))?;
        let layout = Layout::in_order(self.layout().shape.clone(), &order);
        Ok(Self::from_buffer_as(buffer, layout))
    }

    /// How often the memory was changed in place.
    pub(crate) fn version(&self) -> u64 {
        self.0.storage.version()
    }

    /// Calls `f` with the elements. `T` must be the type of the dtype: callers dispatch on it.
    #[inline]
    pub(crate) fn with<T: Element, R>(&self, f: impl FnOnce(View<'_, T>) -> R) -> R {
        f(View::new(&self.0.storage.read::<T>(), self.layout()))
    }

    /// Calls `f` with the elements in row-major order, copied first if they lie otherwise.
    pub(crate) fn with_slice<T: Element, R>(&self, f: impl FnOnce(&[T]) -> Result<R>) -> Result<R> {
        self.with::<T, _>(|x| match x.as_slice() {
            Some(x) => f(x),
            None => f(map::copy(x)?.slice()),
        })
    }

    // ---- gradients -------------------------------------------------------------------------

    /// Whether operations on this tensor are recorded.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::ones([2]).requires_grad_(true)?;
    /// assert!(x.requires_grad() && x.mul(2.0)?.requires_grad());
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    #[inline]
    pub fn requires_grad(&self) -> bool {
        self.follow_base();
        self.0.tracked.load(Ordering::Acquire)
    }

    /// Asks for a gradient of this tensor (or no longer) and returns it.
    ///
    /// # Errors
    /// For integer and bool tensors, and for results of recorded operations, whose history cannot
    /// be switched off (use [`detach`](Tensor::detach)).
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::ones([2]).requires_grad_(true)?;
    /// assert!(!x.requires_grad_(false)?.requires_grad());
    /// assert!(Tensor::from([1, 2]).requires_grad_(true).is_err());
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn requires_grad_(self, requires_grad: bool) -> Result<Self> {
        if requires_grad && !self.dtype().is_float() {
            return Err(err!(
                DType,
                "requires_grad_: only Tensors of floating point dtype can require gradients, this one is {}; convert it \
                 with to_dtype",
                self.dtype()
            ));
        }
        if requires_grad && self.is_inference() && !is_inference_mode_enabled() {
            return Err(err!(
                Autograd,
                "requires_grad_: setting requires_grad=True on an inference tensor outside inference_mode is not \
                 allowed; make a copy outside of it"
            ));
        }
        match (requires_grad, self.node()) {
            (true, None) => self.set_node(Some(Node::leaf(&self))),
            (false, Some(node)) if node.is_leaf() => self.set_node(None),
            (false, Some(node)) => {
                return Err(err!(
                    Autograd,
                    "requires_grad_: you can only change requires_grad flags of leaf variables; this is the result of {}. \
                     Use detach() for a tensor without history",
                    node.name()
                ));
            }
            _ => {}
        }
        Ok(self)
    }

    /// Whether this tensor was made by hand rather than by a recorded operation.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::ones([2]).requires_grad_(true)?;
    /// assert!(x.is_leaf() && !x.mul(2.0)?.is_leaf());
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn is_leaf(&self) -> bool {
        self.node().is_none_or(|node| node.is_leaf())
    }

    /// The recorded operation that made this tensor, if any.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::ones([2]).requires_grad_(true)?;
    /// assert_eq!(x.mul(2.0)?.grad_fn().unwrap().name(), "mul");
    /// assert!(x.grad_fn().is_none());
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn grad_fn(&self) -> Option<Arc<Node>> {
        self.node().filter(|node| !node.is_leaf())
    }

    /// The gradient that `backward` has collected in this leaf, or in a result after
    /// [`retain_grad`](Tensor::retain_grad).
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::ones([2]).requires_grad_(true)?;
    /// assert!(x.grad().is_none());
    /// x.sum(..)?.backward()?;
    /// assert_eq!(x.grad().unwrap().to_vec::<f32>()?, [1.0, 1.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn grad(&self) -> Option<Tensor> {
        self.node()?.grad()
    }

    /// Replaces the collected gradient; `None` clears it.
    ///
    /// # Errors
    /// If this is no leaf that requires a gradient, or shape or dtype differ from its own.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::ones([2]).requires_grad_(true)?;
    /// x.set_grad(Some(Tensor::from([3.0, 4.0])))?;
    /// assert_eq!(x.grad().unwrap().to_vec::<f32>()?, [3.0, 4.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn set_grad(&self, grad: Option<Tensor>) -> Result<()> {
        let node = self.node().filter(|node| node.is_leaf());
        let node = node.ok_or_else(|| {
            err!(
                Autograd,
                "set_grad: only a leaf that requires a gradient holds one"
            )
        })?;
        if let Some(g) = &grad {
            let kind = match () {
                () if g.shape() != self.shape() => Some(Kind::Shape),
                () if g.dtype() != self.dtype() => Some(Kind::DType),
                () => None,
            };
            if let Some(kind) = kind {
                let message = format!(
                    "set_grad: assigned grad has {} of shape {:?} but the tensor has {} of shape {:?}",
                    g.dtype(),
                    g.shape(),
                    self.dtype(),
                    self.shape()
                );
                return Err(Error::new(kind, message));
            }
        }
        node.set_grad(grad.map(|g| g.detach()));
        Ok(())
    }

    /// Clears the collected gradient, as PyTorch's `zero_grad(set_to_none=True)` does.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::ones([2]).requires_grad_(true)?;
    /// x.sum(..)?.backward()?;
    /// x.zero_grad();
    /// assert!(x.grad().is_none());
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn zero_grad(&self) {
        if let Some(node) = self.node() {
            node.set_grad(None);
        }
    }

    /// The same elements without history: a tensor that shares this one's memory and from which no
    /// gradient flows back.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::ones([2]).requires_grad_(true)?;
    /// let y = x.detach();
    /// assert!(!y.requires_grad() && y.shares_memory(&x));
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    #[must_use]
    pub fn detach(&self) -> Tensor {
        self.with_node(None)
    }

    /// The node of the recorded graph that stands for this tensor.
    pub(crate) fn node(&self) -> Option<Arc<Node>> {
        if self.requires_grad() {
            self.0.node.lock().clone()
        } else {
            None
        }
    }

    pub(crate) fn set_node(&self, node: Option<Arc<Node>>) {
        let mut slot = self.0.node.lock();
        self.0.tracked.store(node.is_some(), Ordering::Release);
        // The old node is dropped after the lock: it may hold a long history.
        let _old = std::mem::replace(&mut *slot, node);
        drop(slot);
    }
}

impl AsRef<Tensor> for Tensor {
    fn as_ref(&self) -> &Tensor {
        self
    }
}
