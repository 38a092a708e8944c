//! The recorded graph: a node for each operation that a gradient may flow through, and one for each
//! leaf that collects it.

use super::function::{Function, Saves};
use super::grad_mode::{is_grad_enabled, is_tracing};
use crate::dtype::DType;
use crate::error::Result;
use crate::shape::Dims;
use crate::tensor::{Tensor, WeakTensor};
use parking_lot::Mutex;
use smallvec::SmallVec;
use std::cell::RefCell;
use std::mem::ManuallyDrop;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

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
    pub(super) arrivals: Mutex<Arrivals>,
    /// Whether there are hooks or the mark to retain: asked at every node, so without the lock.
    pub(super) watched: AtomicBool,
    /// What pictures of the graph show.
    pub(super) value: Value,
    /// `None` for a leaf.
    pub(super) operation: Option<Operation>,
}

/// The tensor that a node stands for.
pub(super) enum Value {
    /// Gone with its last handle.
    Forgotten,
    /// A leaf, as long as somebody holds it.
    Leaf(WeakTensor),
    /// Kept, without its history.
    Kept(Tensor),
}

impl Value {
    pub(super) fn get(&self) -> Option<Tensor> {
        match self {
            Self::Forgotten => None,
            Self::Leaf(tensor) => tensor.upgrade().map(|t| t.detach()),
            Self::Kept(tensor) => Some(tensor.clone()),
        }
    }
}

/// What happens to the gradients that arrive at a node.
#[derive(Default)]
pub(super) struct Arrivals {
    /// Their sum, at leaves and where it was asked for.
    pub grad: Option<Tensor>,
    /// Whether a node that is no leaf collects it.
    pub retain: bool,
    /// What was registered by users, with the number of each.
    pub hooks: Vec<(u64, Arc<Hook>)>,
}

/// Sees the gradient of a tensor, and may replace it.
pub(super) type Hook = dyn Fn(&Tensor) -> Result<Option<Tensor>> + Send + Sync;

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
            arrivals: Mutex::default(),
            watched: AtomicBool::new(false),
            value: match operation {
                None => Value::Leaf(tensor.downgrade()),
                Some(_) if is_tracing() => Value::Kept(tensor.detach()),
                Some(_) => Value::Forgotten,
            },
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
        self.arrivals.lock().grad.clone()
    }

    pub(crate) fn set_grad(&self, grad: Option<Tensor>) {
        // The old one is dropped after the lock: it may hold a long history.
        let _old = std::mem::replace(&mut self.arrivals.lock().grad, grad);
    }

    /// Whether gradients are collected here.
    pub(super) fn collects(&self) -> bool {
        self.is_leaf() || (self.is_watched() && self.arrivals.lock().retain)
    }

    pub(super) fn is_watched(&self) -> bool {
        self.watched.load(Ordering::Acquire)
    }

    /// Changes what happens to gradients that arrive.
    pub(super) fn watch(&self, change: impl FnOnce(&mut Arrivals)) {
        change(&mut self.arrivals.lock());
        self.watched.store(true, Ordering::Release);
    }

    /// Adds to the gradient collected here. Its history is kept only while recording
    /// (`create_graph`): otherwise one that a user's backward has recorded might lead back here.
    pub(super) fn accumulate(&self, grad: Tensor) -> Result<()> {
        match &mut self.arrivals.lock().grad {
            Some(sum) => sum.accumulate(grad)?,
            none => *none = Some(grad.alone()?),
        }
        Ok(())
    }
}

impl Tensor {
    /// A gradient to hand out: as it is, unless somebody else holds its memory. Then a copy is made,
    /// so that changing one gradient in place changes no other, nor what was saved.
    pub(super) fn alone(self) -> Result<Tensor> {
        if self.is_sole_owner() && (is_grad_enabled() || !self.requires_grad()) {
            return Ok(self);
        }
        self.copy()
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
