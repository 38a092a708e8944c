//! Where in a model a computation is: layers that run through [`call`] know their path for their
//! messages, and [`observe`] shows what each of them returned.

use super::Layer;
use crate::{Result, Tensor};
use std::cell::RefCell;

/// What one layer returned.
#[derive(Clone, Debug)]
pub struct Observation {
    /// The layer's path, such as `2` or `encoder.0`.
    pub path: String,
    /// The layer's [`describe`](Layer::describe).
    pub layer: String,
    /// Its result.
    pub output: Tensor,
    /// Its [`multiply_adds`](Layer::multiply_adds).
    pub multiply_adds: u64,
}

thread_local! {
    static PATH: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
    static SEEN: RefCell<Option<Vec<Observation>>> = const { RefCell::new(None) };
}

/// Runs `layer` on `x` as the part `name` of whatever runs now. [`Sequential`](super::Sequential)
/// calls its layers so; a module of one's own gets the same service by
/// `nn::call("fc1", &self.fc1, x)` instead of `self.fc1.forward(x)`.
///
/// # Errors
/// Those of the layer.
pub fn call(name: &str, layer: &(impl Layer + ?Sized), x: &Tensor) -> Result<Tensor> {
    within(name, || {
        let output = layer.forward(x)?;
        SEEN.with_borrow_mut(|seen| {
            if let Some(seen) = seen {
                seen.push(Observation {
                    path: path(),
                    layer: layer.describe(),
                    output: output.clone(),
                    multiply_adds: layer.multiply_adds(x.shape(), output.shape()),
                });
            }
        });
        Ok(output)
    })
}

/// Runs `f` as the part `name` of whatever runs now, without showing its result.
pub(super) fn within<R>(name: &str, f: impl FnOnce() -> R) -> R {
    struct Leave;
    impl Drop for Leave {
        fn drop(&mut self) {
            PATH.with_borrow_mut(Vec::pop);
        }
    }
    PATH.with_borrow_mut(|path| path.push(name.to_string()));
    let _leave = Leave;
    f()
}

/// Whether somebody looks at what each layer returns.
pub(super) fn is_observed() -> bool {
    SEEN.with_borrow(Option::is_some)
}

/// Runs `f` and returns, beside its result, what every layer called meanwhile returned, in the order
/// in which they finished.
///
/// ```
/// use gradus::nn::{self, Layer};
/// use gradus::Tensor;
/// let net = nn::Sequential::new().add(nn::Relu).add(nn::Tanh);
/// let (_, seen) = nn::observe(|| net.forward(&Tensor::from([-1.0, 1.0])));
/// assert_eq!((seen[0].path.as_str(), seen[0].layer.as_str()), ("0", "Relu"));
/// assert_eq!(seen[0].output.to_vec::<f32>()?, [0.0, 1.0]);
/// # Ok::<(), gradus::Error>(())
/// ```
pub fn observe<R>(f: impl FnOnce() -> R) -> (R, Vec<Observation>) {
    struct Restore(Option<Vec<Observation>>);
    impl Drop for Restore {
        fn drop(&mut self) {
            SEEN.set(self.0.take());
        }
    }
    let _restore = Restore(SEEN.replace(Some(Vec::new())));
    let result = f();
    (result, SEEN.take().unwrap_or_default())
}

/// The path of the layer that runs now; empty outside of [`call`].
fn path() -> String {
    PATH.with_borrow(|path| path.join("."))
}

/// A layer's path and description, for its error messages.
pub(super) fn located(layer: &impl Layer) -> String {
    let (path, layer) = (path(), layer.describe());
    if path.is_empty() {
        layer
    } else {
        format!("{path} {layer}")
    }
}
