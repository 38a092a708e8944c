//! Convolutional networks without shortcuts.

use crate::nn::{self, Parameter, Sequential, init};
use crate::{Error, Kind, Result};

/// Two convolutions and two linear layers: convolution to 32 channels – relu – maximum of 2×2 –
/// convolution to 64 channels – relu – maximum of 2×2 – linear to 128 – relu – linear to the classes,
/// this last one without bias. The kernels are 3×3, without padding. Weights begin as He et al.
/// (2015) propose, biases at 0.
///
/// # Errors
/// If the images are smaller than 10×10 pixels, or there is no memory for the network.
///
/// ```
/// use gradus::{models, nn::Module};
/// assert_eq!(models::cnn([1, 28, 28], 10)?.num_parameters(), 225_024);
/// assert!(models::cnn([1, 8, 8], 10).is_err());
/// # Ok::<(), gradus::Error>(())
/// ```
pub fn cnn([channels, height, width]: [usize; 3], classes: usize) -> Result<Sequential> {
    at_least("cnn", 10, [height, width])?;
    let after = |n: usize| ((n - 2) / 2 - 2) / 2;
    let features = 64usize.saturating_mul(after(height) * after(width));
    let net = Sequential::new()
        .add(he(nn::Conv2d::new(channels, 32, 3)?)?)
        .add(nn::Relu)
        .add(nn::MaxPool2d::new(2))
        .add(he(nn::Conv2d::new(32, 64, 3)?)?)
        .add(nn::Relu)
        .add(nn::MaxPool2d::new(2))
        .add(nn::Flatten)
        .add(he(nn::Linear::new(features, 128)?)?)
        .add(nn::Relu)
        .add(he(nn::Linear::without_bias(128, classes)?)?);
    Ok(net)
}

/// LeNet-5: convolution to 6 channels – tanh – mean of 2×2 – convolution to 16 channels – tanh – mean
/// of 2×2 – linear to 120 – tanh – linear to 84 – tanh – linear to the classes. The kernels are 5×5;
/// the first has a padding of 2, which makes the images of MNIST as large as the original's.
///
/// Source: LeCun, Bottou, Bengio and Haffner, "Gradient-Based Learning Applied to Document
/// Recognition" (1998), with what is usual today: the second convolution sees all six channels, a
/// mean has no weights, and the last layer is linear.
///
/// # Errors
/// If the images are smaller than 12×12 pixels, or there is no memory for the network.
///
/// ```
/// use gradus::{models, nn::Module};
/// assert_eq!(models::lenet([1, 28, 28], 10)?.num_parameters(), 61_706);
/// # Ok::<(), gradus::Error>(())
/// ```
pub fn lenet([channels, height, width]: [usize; 3], classes: usize) -> Result<Sequential> {
    at_least("lenet", 12, [height, width])?;
    let after = |n: usize| (n / 2 - 4) / 2;
    Ok(Sequential::new()
        .add(nn::Conv2d::new(channels, 6, 5)?.padding(2))
        .add(nn::Tanh)
        .add(nn::AvgPool2d::new(2))
        .add(nn::Conv2d::new(6, 16, 5)?)
        .add(nn::Tanh)
        .add(nn::AvgPool2d::new(2))
        .add(nn::Flatten)
        .add(nn::Linear::new(16 * after(height) * after(width), 120)?)
        .add(nn::Tanh)
        .add(nn::Linear::new(120, 84)?)
        .add(nn::Tanh)
        .add(nn::Linear::new(84, classes)?))
}

fn at_least(model: &str, side: usize, [height, width]: [usize; 2]) -> Result<()> {
    if height >= side && width >= side {
        return Ok(());
    }
    let message = format!(
        "{model}: images of {width}×{height} pixels are too small, it needs {side}×{side} at least; \
         enlarge them, or choose mlp or resnet20"
    );
    Err(Error::new(Kind::Value, message))
}

/// A layer whose weight begins as He et al. propose and whose bias begins at 0.
fn he<L: Weighted>(layer: L) -> Result<L> {
    init::kaiming_normal_(layer.weight())?;
    if let Some(bias) = layer.bias() {
        init::constant_(bias, 0.0)?;
    }
    Ok(layer)
}

trait Weighted {
    fn weight(&self) -> &Parameter;
    fn bias(&self) -> Option<&Parameter>;
}

impl Weighted for nn::Conv2d {
    fn weight(&self) -> &Parameter {
        &self.weight
    }
    fn bias(&self) -> Option<&Parameter> {
        self.bias.as_ref()
    }
}

impl Weighted for nn::Linear {
    fn weight(&self) -> &Parameter {
        &self.weight
    }
    fn bias(&self) -> Option<&Parameter> {
        self.bias.as_ref()
    }
}
