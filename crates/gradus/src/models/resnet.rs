//! Residual networks for small images.

use crate::nn::{self, BatchNorm2d, Conv2d, Layer, Module, call, init};
use crate::{Padding, Result, Tensor};

/// relu(f(x) + shortcut(x)), where f is convolution – normalisation – relu – convolution –
/// normalisation. Where f halves the image and changes the channels, the shortcut takes every second
/// pixel of every second row and adds channels of zeros, half of them before and half behind
/// (option A of the paper); it has no parameters.
#[derive(Module)]
pub struct BasicBlock {
    conv1: Conv2d,
    bn1: BatchNorm2d,
    conv2: Conv2d,
    bn2: BatchNorm2d,
    stride: usize,
}

impl BasicBlock {
    fn new(input: usize, output: usize, stride: usize) -> Result<Self> {
        Ok(Self {
            conv1: conv(input, output, stride)?,
            bn1: BatchNorm2d::new(output)?,
            conv2: conv(output, output, 1)?,
            bn2: BatchNorm2d::new(output)?,
            stride,
        })
    }

    fn shortcut(&self, x: &Tensor) -> Result<Tensor> {
        let more = self.conv2.weight.shape()[0] - x.shape()[1];
        if self.stride == 1 && more == 0 {
            return Ok(x.clone());
        }
        let every = |x: &Tensor, dim| x.slice(dim, 0, isize::MAX, self.stride);
        let part = every(&every(x, 2)?, 3)?;
        let before = (more / 2) as isize;
        let behind = more as isize - before;
        part.pad([0, 0, 0, 0, before, behind], Padding::Constant(0.0))
    }
}

impl Layer for BasicBlock {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let y = call("conv1", &self.conv1, x)?;
        let y = call("bn1", &self.bn1, &y)?.relu()?;
        let y = call("conv2", &self.conv2, &y)?;
        let y = call("bn2", &self.bn2, &y)?;
        y.add(&self.shortcut(x)?)?.relu()
    }
}

/// A residual network for images of some tens of pixels, such as CIFAR-10's: a convolution to 16
/// channels, then three groups of [`BasicBlock`]s with 16, 32 and 64 channels, of which the second
/// and the third begin by halving the image, then the mean of each channel and a linear layer.
/// Shapes: input [n, channels, h, w] of any size, result [n, classes].
///
/// Source: He, Zhang, Ren and Sun, "Deep Residual Learning for Image Recognition" (2016), section
/// 4.2.
#[derive(Module)]
pub struct ResNet {
    conv1: Conv2d,
    bn1: BatchNorm2d,
    layer1: Vec<BasicBlock>,
    layer2: Vec<BasicBlock>,
    layer3: Vec<BasicBlock>,
    linear: nn::Linear,
}

impl ResNet {
    /// A network of 6 · `blocks` + 2 layers with weights, for images of this number of channels.
    ///
    /// # Errors
    /// If there is no memory for it.
    pub fn new(channels: usize, blocks: usize, classes: usize) -> Result<Self> {
        let group = |input: usize, output: usize, stride: usize| {
            (0..blocks)
                .map(|i| match i {
                    0 => BasicBlock::new(input, output, stride),
                    _ => BasicBlock::new(output, output, 1),
                })
                .collect::<Result<Vec<_>>>()
        };
        Ok(Self {
            conv1: conv(channels, 16, 1)?,
            bn1: BatchNorm2d::new(16)?,
            layer1: group(16, 16, 1)?,
            layer2: group(16, 32, 2)?,
            layer3: group(32, 64, 2)?,
            linear: nn::Linear::new(if blocks == 0 { 16 } else { 64 }, classes)?,
        })
    }
}

impl Layer for ResNet {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let mut y = call("bn1", &self.bn1, &call("conv1", &self.conv1, x)?)?.relu()?;
        for (name, group) in [
            ("layer1", &self.layer1),
            ("layer2", &self.layer2),
            ("layer3", &self.layer3),
        ] {
            for (i, block) in group.iter().enumerate() {
                y = call(&format!("{name}.{i}"), block, &y)?;
            }
        }
        call("linear", &self.linear, &y.mean([2, 3])?)
    }
}

/// The residual network of 20 layers: [`ResNet`] with three blocks in each group.
///
/// # Errors
/// If there is no memory for it.
///
/// ```
/// use gradus::{models, nn::Module};
/// assert_eq!(models::resnet20([3, 32, 32], 10)?.num_parameters(), 269_722);
/// # Ok::<(), gradus::Error>(())
/// ```
pub fn resnet20([channels, ..]: [usize; 3], classes: usize) -> Result<ResNet> {
    ResNet::new(channels, 3, classes)
}

/// A convolution of 3×3 that keeps the size but for its stride, before a normalisation.
fn conv(input: usize, output: usize, stride: usize) -> Result<Conv2d> {
    let conv = Conv2d::without_bias(input, output, 3)?;
    init::kaiming_normal_(&conv.weight)?;
    Ok(conv.stride(stride).padding(1))
}
