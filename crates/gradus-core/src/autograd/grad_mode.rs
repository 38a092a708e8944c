//! Whether operations are recorded, per thread.

use std::cell::Cell;

thread_local! {
    static ENABLED: Cell<bool> = const { Cell::new(true) };
}

/// Whether operations on this thread are recorded for `backward`.
///
/// ```
/// assert!(gradus_core::is_grad_enabled());
/// assert!(!gradus_core::no_grad(gradus_core::is_grad_enabled));
/// ```
#[inline]
pub fn is_grad_enabled() -> bool {
    ENABLED.get()
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
    ENABLED.replace(enabled)
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
    struct Restore(bool);
    impl Drop for Restore {
        fn drop(&mut self) {
            set_grad_enabled(self.0);
        }
    }
    let _restore = Restore(set_grad_enabled(false));
    f()
}
