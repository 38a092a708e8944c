//! Whether operations are recorded, per thread.

use std::cell::Cell;

thread_local! {
    static RECORDING: Cell<bool> = const { Cell::new(true) };
    static INFERENCE: Cell<bool> = const { Cell::new(false) };
    static TRACING: Cell<bool> = const { Cell::new(false) };
}

/// Whether operations on this thread are recorded for `backward`.
///
/// ```
/// assert!(gradus_core::is_grad_enabled());
/// assert!(!gradus_core::no_grad(gradus_core::is_grad_enabled));
/// ```
#[inline]
pub fn is_grad_enabled() -> bool {
    RECORDING.get()
}

/// Switches recording on this thread on or off, and returns what it was. [`no_grad`] is safer: it
/// switches back by itself.
///
/// ```
/// let before = gradus_core::set_grad_enabled(false);
/// assert!(before && !gradus_core::is_grad_enabled());
/// gradus_core::set_grad_enabled(before);
/// ```
pub fn set_grad_enabled(enabled: bool) -> bool {
    RECORDING.replace(enabled)
}

/// Runs `f` without recording, as PyTorch's `torch.no_grad()` does; also when `f` panics, recording
/// is as before afterwards.
///
/// ```
/// use gradus_core::{Tensor, no_grad};
/// let w = Tensor::ones([2]).requires_grad_(true)?;
/// assert!(!no_grad(|| w.mul(2.0))?.requires_grad());
/// assert!(w.mul(2.0)?.requires_grad());
/// # Ok::<(), gradus_core::Error>(())
/// ```
pub fn no_grad<R>(f: impl FnOnce() -> R) -> R {
    let _restore = Restore(&RECORDING, set_grad_enabled(false));
    f()
}

/// Runs `f` with recording on, inside [`no_grad`] for example.
///
/// ```
/// use gradus_core::{Tensor, enable_grad, no_grad};
/// let w = Tensor::ones([2]).requires_grad_(true)?;
/// assert!(no_grad(|| enable_grad(|| w.mul(2.0)))?.requires_grad());
/// # Ok::<(), gradus_core::Error>(())
/// ```
pub fn enable_grad<R>(f: impl FnOnce() -> R) -> R {
    let _restore = Restore(&RECORDING, set_grad_enabled(true));
    f()
}

/// Whether this thread is inside [`inference_mode`].
///
/// ```
/// assert!(!gradus_core::is_inference_mode_enabled());
/// ```
#[inline]
pub fn is_inference_mode_enabled() -> bool {
    INFERENCE.get()
}

/// Runs `f` without recording, like [`no_grad`], and marks the tensors it makes: they can never be
/// saved for a gradient, not even later. So nothing computed here finds its way into training by
/// mistake.
///
/// ```
/// use gradus_core::{Tensor, inference_mode};
/// let w = Tensor::ones([2]).requires_grad_(true)?;
/// let y = inference_mode(|| w.mul(2.0))?;
/// assert!(y.requires_grad_(true).is_err());
/// # Ok::<(), gradus_core::Error>(())
/// ```
pub fn inference_mode<R>(f: impl FnOnce() -> R) -> R {
    let _restore = Restore(&INFERENCE, INFERENCE.replace(true));
    no_grad(f)
}

/// Runs `f` so that everything it records keeps its value, which [`Tensor::graph`] can then show.
/// Without, a graph knows only the values that gradients need.
///
/// ```
/// use gradus_core::{Tensor, autograd::trace};
/// let x = Tensor::from(2.0).requires_grad_(true)?;
/// let y = trace(|| x.add(1.0)?.sin())?;
/// assert!(y.graph()?.nodes().iter().all(|node| node.value.is_some()));
/// # Ok::<(), gradus_core::Error>(())
/// ```
///
/// [`Tensor::graph`]: crate::Tensor::graph
pub fn trace<R>(f: impl FnOnce() -> R) -> R {
    let _restore = Restore(&TRACING, TRACING.replace(true));
    f()
}

/// Whether this thread is inside [`trace`].
#[inline]
pub(super) fn is_tracing() -> bool {
    TRACING.get()
}

/// Puts a switch back to what it was, also when `f` panics.
struct Restore(&'static std::thread::LocalKey<Cell<bool>>, bool);

impl Drop for Restore {
    fn drop(&mut self) {
        self.0.set(self.1);
    }
}
