//! The recorded graph: a node for each operation that a gradient may flow through, and one for each
//! leaf that collects it.

use super::function::{Function, Saves};
use crate::dtype::DType;
use crate::error::Result;
use crate::shape::Dims;
use crate::tensor::Tensor;
use parking_lot::Mutex;
use smallvec::SmallVec;
use std::cell::RefCell;
use std::mem::ManuallyDrop;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A place in the graph: where a tensor came from, or a leaf.
///
/// Ids grow as nodes are made, and an operation is recorded after its inputs: walking from the
/// largest id down visits every node before the nodes it depends on.
///
/// ```
/// # use gradus_core::Tensor;
/// let x = Tensor::ones([2]).requires_grad_(true)?;
/// let node = x.exp()?.sum(..)?.grad_fn().unwrap();
/// assert_eq!(format!("{node:?}"), "<sumBackward>");
/// assert_eq!(node.inputs()[0].as_ref().unwrap().name(), "exp");
/// # Ok::<(), gradus_core::Error>(())
/// ```
pub struct Node {
    pub(super) id: u64,
    pub(super) shape: Dims,
    pub(super) dtype: DType,
    /// The gradient collected here (leaves only).
    pub(super) grad: Mutex<Option<Tensor>>,
    /// `None` for a leaf.
    pub(super) operation: Option<Operation>,
}

/// What a node that is no leaf holds.
pub(super) struct Operation {
    pub function: Box<dyn Function>,
    /// Where the inputs came from; `None` for those that need no gradient.
    pub inputs: SmallVec<[Option<Arc<Node>>; 2]>,
    pub saves: Saves,
}

impl Node {
    pub(super) fn new(tensor: &Tensor, operation: Option<Operation>) -> Arc<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Arc::new(Self {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            shape: Dims::from_slice(tensor.shape()),
            dtype: tensor.dtype(),
            grad: Mutex::new(None),
            operation,
        })
    }

    /// A node that collects the gradient of `tensor`.
    pub(crate) fn leaf(tensor: &Tensor) -> Arc<Self> {
        Self::new(tensor, None)
    }

    /// Whether this node stands for a tensor made by hand, not by an operation.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::ones([2]).requires_grad_(true)?;
    /// let node = x.exp()?.grad_fn().unwrap();
    /// assert!(!node.is_leaf() && node.inputs()[0].as_ref().unwrap().is_leaf());
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn is_leaf(&self) -> bool {
        self.operation.is_none()
    }

    /// The operation's name, or `leaf`.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::ones([2]).requires_grad_(true)?;
    /// assert_eq!(x.exp()?.grad_fn().unwrap().name(), "exp");
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn name(&self) -> &'static str {
        self.operation
            .as_ref()
            .map_or("leaf", |op| op.function.name())
    }

    /// The nodes that this node's inputs came from; `None` for inputs that need no gradient.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::ones([2]).requires_grad_(true)?;
    /// let node = x.mul(2.0)?.grad_fn().unwrap();
    /// assert!(node.inputs()[0].is_some() && node.inputs()[1].is_none());
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn inputs(&self) -> &[Option<Arc<Node>>] {
        self.operation.as_ref().map_or(&[], |op| &op.inputs)
    }

    pub(crate) fn grad(&self) -> Option<Tensor> {
        self.grad.lock().clone()
    }

    pub(crate) fn set_grad(&self, grad: Option<Tensor>) {
        *self.grad.lock() = grad;
    }

    /// Adds to the gradient collected here. The first one is kept as it is, unless somebody else
    /// holds the same memory: then a copy is, so that changing one gradient in place changes no
    /// other. A history that a user's backward recorded goes too: it might lead back here.
    pub(super) fn accumulate(&self, grad: Tensor) -> Result<()> {
        let mut slot = self.grad.lock();
        *slot = Some(match slot.take() {
            Some(sum) => sum.add_into(&grad)?,
            None if grad.is_sole_owner() && !grad.requires_grad() => grad,
            None => grad.detach().copy()?,
        });
        Ok(())
    }
}

impl std::fmt::Debug for Node {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "<{}Backward>", self.name())
    }
}

thread_local! {
    /// What dropped nodes held, while the outermost drop on this thread works it off. It needs no
    /// drop of its own (it is `None` by then), so it also serves other thread-locals that are
    /// dropped while the thread ends.
    static DROPPED: RefCell<ManuallyDrop<Option<Vec<Operation>>>> =
        const { RefCell::new(ManuallyDrop::new(None)) };
}

/// Dropping a node may drop the nodes before it, and so on for a million of them. Instead of
/// recursing, each hands what it holds to the outermost drop, which works in a loop.
impl Drop for Node {
    fn drop(&mut self) {
        let Some(operation) = self.operation.take() else {
            return;
        };
        let outermost = DROPPED.with_borrow_mut(|dropped| match &mut **dropped {
            Some(waiting) => {
                waiting.push(operation);
                None
            }
            none => {
                *none = Some(Vec::new());
                Some(operation)
            }
        });
        let mut next = outermost;
        if next.is_none() {
            return;
        }
        // Also when a user's operation panics in its own drop, later drops start afresh.
        struct Finish;
        impl Drop for Finish {
            fn drop(&mut self) {
                let rest = DROPPED.with_borrow_mut(|dropped| dropped.take());
                drop(rest);
            }
        }
        let _finish = Finish;
        while let Some(operation) = next {
            drop(operation);
            next = DROPPED.with_borrow_mut(|dropped| dropped.as_mut().and_then(Vec::pop));
        }
    }
}
