//! Layers one after the other.

use super::scope::{is_observed, within};
use super::{Layer, Module, Part, call, join};
use crate::{Result, Tensor};

/// A chain of layers: each gets what the one before returned. Paths are `0`, `1`, …
///
/// ```
/// use gradus::nn::{self, Layer, Module};
/// use gradus::Tensor;
/// let net = nn::Sequential::new().add(nn::Linear::new(4, 3)?).add(nn::Relu).add(nn::Linear::new(3, 2)?);
/// assert_eq!(net.forward(&Tensor::zeros([5, 4]))?.shape(), [5, 2]);
/// assert_eq!(net.named_parameters()[2].0, "2.weight");
/// // Messages say where in the chain they come from.
/// let error = net.forward(&Tensor::zeros([5, 7])).unwrap_err().to_string();
/// assert!(error.starts_with("0 Linear(4→3): got 7 features"), "{error}");
/// # Ok::<(), gradus::Error>(())
/// ```
#[derive(Default)]
pub struct Sequential {
    layers: Vec<Box<dyn Layer>>,
}

impl Sequential {
    /// A chain of no layers, which returns its input.
    pub fn new() -> Self {
        Self::default()
    }

    /// The chain with one more layer at its end.
    #[must_use]
    #[allow(clippy::should_implement_trait)] // The name is that of the field's other libraries.
    pub fn add(mut self, layer: impl Layer + 'static) -> Self {
        self.layers.push(Box::new(layer));
        self
    }

    /// The layers in order.
    pub fn layers(&self) -> &[Box<dyn Layer>] {
        &self.layers
    }
}

impl Module for Sequential {
    fn visit(&self, path: &str, f: &mut dyn FnMut(&str, Part<'_>)) {
        for (i, layer) in self.layers.iter().enumerate() {
            layer.visit(&join(path, &i.to_string()), f);
        }
    }
}

impl Layer for Sequential {
    /// Layer by layer; an activation together with the layer before it, unless somebody looks at
    /// what each returns ([`observe`](super::observe)).
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let mut x = x.clone();
        let mut layers = self.layers.iter().enumerate().peekable();
        while let Some((i, layer)) = layers.next() {
            let name = i.to_string();
            let behind = layers.peek().and_then(|(_, layer)| layer.activation());
            x = match behind.filter(|_| !is_observed()) {
                Some(activation) => {
                    layers.next();
                    within(&name, || layer.forward_then(&x, activation))?
                }
                None => call(&name, layer, &x)?,
            };
        }
        Ok(x)
    }
}
