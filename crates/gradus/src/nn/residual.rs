//! A layer and a way around it.

use super::{Identity, Layer, Module, call};
use crate::{Result, Tensor};

/// body(x) + shortcut(x): the shortcut is the identity, or what makes the shapes agree (He et al.,
/// "Deep Residual Learning for Image Recognition", 2016).
///
/// ```
/// use gradus::nn::{self, Layer, Module, Residual};
/// use gradus::Tensor;
/// let body = || Ok::<_, gradus::Error>(nn::Sequential::new().add(nn::Linear::new(4, 4)?).add(nn::Tanh));
/// let net = nn::Sequential::new()
///     .add(Residual::new(body()?))
///     .add(Residual::with_shortcut(nn::Linear::new(4, 2)?, nn::Linear::without_bias(4, 2)?));
/// assert_eq!(net.forward(&Tensor::zeros([3, 4]))?.shape(), [3, 2]);
/// assert_eq!(net.named_parameters()[4].0, "1.shortcut.weight");
/// # Ok::<(), gradus::Error>(())
/// ```
#[derive(Module)]
pub struct Residual<B, S = Identity> {
    /// What is added to the shortcut.
    pub body: B,
    /// What carries the input past the body.
    pub shortcut: S,
}

impl<B: Layer> Residual<B> {
    /// body(x) + x.
    pub fn new(body: B) -> Self {
        Self {
            body,
            shortcut: Identity,
        }
    }
}

impl<B: Layer, S: Layer> Residual<B, S> {
    /// body(x) + shortcut(x).
    pub fn with_shortcut(body: B, shortcut: S) -> Self {
        Self { body, shortcut }
    }
}

impl<B: Layer, S: Layer> Layer for Residual<B, S> {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let (body, past) = (
            call("body", &self.body, x)?,
            call("shortcut", &self.shortcut, x)?,
        );
        body.add(&past)
            .map_err(|e| e.at(super::scope::located(self)))
    }

    fn describe(&self) -> String {
        "Residual".into()
    }
}
