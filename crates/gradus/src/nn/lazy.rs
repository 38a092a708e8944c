//! Layers that take their size from the first input they see.

use super::module::Part;
use super::{Conv2d, Layer, Linear, Module, Sizes};
use crate::{Activation, Error, Kind, Result, Tensor};
use std::sync::OnceLock;

/// A layer that is made when it sees its first input: PyTorch's lazy modules.
///
/// Until then it has no parameters, so an optimizer must be made after a batch went through: asking for
/// the parameters earlier panics instead of leaving the layer untrained.
///
/// ```
/// use gradus::nn::{self, Layer, Module, Sequential};
/// use gradus::Tensor;
/// let net = Sequential::new()
///     .add(nn::LazyConv2d::new(8, 3))
///     .add(nn::Flatten)
///     .add(nn::LazyLinear::new(10))
///     .add(nn::Lazy::of(|x| nn::LayerNorm::new(x.shape()[1])));
/// assert_eq!(net.forward(&Tensor::zeros([1, 3, 6, 6]))?.shape(), [1, 10]);
/// assert_eq!(net.state_dict()["2.weight"].shape(), [10, 8 * 4 * 4]);
/// # Ok::<(), gradus::Error>(())
/// ```
pub struct Lazy<L> {
    layer: OnceLock<L>,
    make: Box<Make<L>>,
}

type Make<L> = dyn Fn(&Tensor) -> Result<L> + Send + Sync;

/// [`Linear`] whose input size is that of the first input's last dimension.
pub type LazyLinear = Lazy<Linear>;

/// [`Conv2d`] with as many input channels as the first input has.
pub type LazyConv2d = Lazy<Conv2d>;

impl<L: Layer> Lazy<L> {
    /// The layer that `make` makes of the first input.
    pub fn of(make: impl Fn(&Tensor) -> Result<L> + Send + Sync + 'static) -> Self {
        Self {
            layer: OnceLock::new(),
            make: Box::new(make),
        }
    }

    fn layer(&self, x: &Tensor) -> Result<&L> {
        if let Some(layer) = self.layer.get() {
            return Ok(layer);
        }
        let layer = (self.make)(x)?;
        // Of two threads with a first input one is first.
        Ok(self.layer.get_or_init(|| layer))
    }
}

impl Lazy<Linear> {
    /// A layer to `out_features` numbers.
    pub fn new(out_features: usize) -> Self {
        Self::of(move |x| {
            Linear::new(
                size(x, "LazyLinear", x.ndim().checked_sub(1))?,
                out_features,
            )
        })
    }
}

impl Lazy<Conv2d> {
    /// A layer to `output` channels. For a stride, padding and so on say
    /// `Lazy::of(|x| Ok(Conv2d::new(x.shape()[1], 8, 3)?.padding(1)))`.
    pub fn new(output: usize, kernel: impl Sizes<2>) -> Self {
        let kernel = kernel.sizes();
        Self::of(move |x| {
            let channels = x.ndim().checked_sub(3);
            Conv2d::new(size(x, "LazyConv2d", channels)?, output, kernel)
        })
    }
}

/// The size of a dimension, if the input has it.
fn size(x: &Tensor, layer: &str, dim: Option<usize>) -> Result<usize> {
    dim.map(|dim| x.shape()[dim]).ok_or_else(|| {
        let message = format!(
            "{layer}: an input of shape {:?} has too few dimensions",
            x.shape()
        );
        Error::new(Kind::Shape, message)
    })
}

impl<L: Layer> Module for Lazy<L> {
    fn visit(&self, path: &str, f: &mut dyn FnMut(&str, Part<'_>)) {
        match self.layer.get() {
            Some(layer) => layer.visit(path, f),
            None => f(path, Part::Unmade),
        }
    }
}

impl<L: Layer> Layer for Lazy<L> {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        self.layer(x)?.forward(x)
    }

    fn forward_then(&self, x: &Tensor, activation: Activation) -> Result<Tensor> {
        self.layer(x)?.forward_then(x, activation)
    }

    fn describe(&self) -> String {
        match self.layer.get() {
            Some(layer) => layer.describe(),
            None => "Lazy".into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::{Relu, Sequential};

    /// A layer whose weights no optimizer knows of, or that changes its size with each input.
    #[test]
    fn the_first_input_decides() {
        let net = Sequential::new().add(LazyLinear::new(3)).add(Relu);
        net.eval();
        assert!(net.state_dict().is_empty());
        let asked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| net.parameters()));
        let message = *asked.unwrap_err().downcast::<String>().unwrap();
        assert!(
            message.contains("the lazy layer '0' has no parameters yet"),
            "{message}"
        );

        net.forward(&Tensor::zeros([2, 4])).unwrap();
        assert_eq!(net.num_parameters(), 3 * 4 + 3);
        let weights = net.state_dict()["0.weight"].to_vec::<f32>().unwrap();
        net.forward(&Tensor::ones([5, 4])).unwrap();
        assert_eq!(
            net.state_dict()["0.weight"].to_vec::<f32>().unwrap(),
            weights
        );
        assert!(net.forward(&Tensor::ones([5, 7])).is_err());
    }

    #[test]
    fn too_few_dimensions_are_an_error() {
        let error = LazyLinear::new(3).forward(&Tensor::zeros([])).unwrap_err();
        assert!(
            error
                .to_string()
                .contains("LazyLinear: an input of shape []"),
            "{error}"
        );
        let error = LazyConv2d::new(3, 2)
            .forward(&Tensor::zeros([4, 4]))
            .unwrap_err();
        assert!(
            error
                .to_string()
                .contains("LazyConv2d: an input of shape [4, 4]"),
            "{error}"
        );
    }
}
