//! Looking at gradients on their way: hooks, and gradients kept at results.

use super::node::Node;
use crate::error::{Result, err};
use crate::tensor::Tensor;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

/// A registered hook; see [`Tensor::register_hook`]. Dropping it leaves the hook where it is.
///
/// ```
/// use gradus_core::Tensor;
/// let x = Tensor::from(1.0).requires_grad_(true)?;
/// let hook = x.register_hook(|g| g.mul(10.0).map(Some))?;
/// x.mul(2.0)?.backward()?;
/// hook.remove();
/// x.mul(2.0)?.backward()?;
/// assert_eq!(x.grad().unwrap().item::<f32>()?, 20.0 + 2.0);
/// # Ok::<(), gradus_core::Error>(())
/// ```
#[derive(Debug)]
pub struct Hook {
    node: Weak<Node>,
    number: u64,
}

impl Hook {
    /// Takes the hook away.
    ///
    /// ```
    /// # let x = gradus_core::Tensor::from(1.0).requires_grad_(true)?;
    /// x.register_hook(|_| Ok(None))?.remove();
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn remove(self) {
        if let Some(node) = self.node.upgrade() {
            let mut arrivals = node.arrivals.lock();
            let at = arrivals.hooks.iter().position(|(n, _)| *n == self.number);
            // Dropped after the lock: a hook may hold anything, this node too.
            let _removed = at.map(|at| arrivals.hooks.remove(at));
            drop(arrivals);
        }
    }
}

impl Tensor {
    /// Calls `hook` with this tensor's gradient whenever `backward` or
    /// [`grad`](crate::autograd::grad) has computed it, before it goes on. What the hook returns
    /// replaces the gradient, `None` leaves it as it is. Several hooks run in their order.
    ///
    /// # Errors
    /// If the tensor requires no gradient. An error of the hook becomes that of `backward`, and so
    /// does a gradient of another shape.
    ///
    /// ```
    /// use gradus_core::Tensor;
    /// let x = Tensor::from([3.0, -4.0]).requires_grad_(true)?;
    /// let y = x.mul(2.0)?;
    /// y.register_hook(|g| Ok(Some(g.mul(0.5)?)))?;
    /// y.sum(..)?.backward()?;
    /// assert_eq!(x.grad().unwrap().to_vec::<f32>()?, [1.0, 1.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn register_hook(
        &self,
        hook: impl Fn(&Tensor) -> Result<Option<Tensor>> + Send + Sync + 'static,
    ) -> Result<Hook> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let node = self.node().ok_or_else(|| {
            err!(
                Autograd,
                "register_hook: cannot register a hook on a tensor that doesn't require gradient"
            )
        })?;
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        node.watch(|arrivals| arrivals.hooks.push((number, Arc::new(hook))));
        Ok(Hook {
            node: Arc::downgrade(&node),
            number,
        })
    }

    /// Makes [`grad`](Tensor::grad) work for this result, as it does for leaves.
    ///
    /// # Errors
    /// If the tensor requires no gradient.
    ///
    /// ```
    /// use gradus_core::Tensor;
    /// let x = Tensor::from(3.0).requires_grad_(true)?;
    /// let y = x.mul(2.0)?;
    /// y.retain_grad()?;
    /// y.mul(&y)?.backward()?;
    /// assert_eq!(y.grad().unwrap().item::<f32>()?, 12.0);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn retain_grad(&self) -> Result<()> {
        let node = self.node().ok_or_else(|| {
            err!(
                Autograd,
                "retain_grad: can't retain_grad on a tensor that has requires_grad=False"
            )
        })?;
        node.watch(|arrivals| arrivals.retain = true);
        Ok(())
    }
}

impl Node {
    /// The gradient as the hooks leave it.
    pub(super) fn run_hooks(&self, mut gradient: Tensor) -> Result<Tensor> {
        if !self.is_watched() {
            return Ok(gradient);
        }
        // A copy of the list: a hook may register another one.
        let hooks = self.arrivals.lock().hooks.clone();
        for (_, hook) in hooks {
            let Some(new) = hook(&gradient)? else {
                continue;
            };
            if new.shape() != gradient.shape() || new.dtype() != gradient.dtype() {
                return Err(err!(
                    Autograd,
                    "a hook on {}: it has changed the gradient from {} of shape {:?} to {} of shape {:?}",
                    self.name(),
                    gradient.dtype(),
                    gradient.shape(),
                    new.dtype(),
                    new.shape()
                ));
            }
            gradient = new;
        }
        Ok(gradient)
    }
}
