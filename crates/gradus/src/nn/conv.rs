//! Convolutions and transposed convolutions.

use super::linear::product;
use super::scope::located;
use super::sizes::{expect_channels, times, unless};
use super::{Layer, Module, Parameter, Sizes, uniform_parameter};
use crate::conv::{self, Padding};
use crate::{Activation, Error, Kind, Result, Tensor};

/// A convolution over `N` dimensions. Shapes of [`Conv2d`]: input [n, in, h, w], weight
/// [out, in / groups, kh, kw], bias \[out\], result [n, out, h', w']; one of [`Conv1d`] has one
/// dimension in place of h and w. An input may also come alone, without n.
///
/// As in PyTorch, stride and dilation are 1 and there is no padding unless said, and weight and bias
/// begin uniform in ±1/√(in / groups · kh · kw). [`init`](super::init) has other beginnings. See
/// [`Tensor::conv2d`].
///
/// ```
/// use gradus::nn::{Conv2d, Layer};
/// use gradus::Tensor;
/// let x = Tensor::zeros([8, 3, 32, 32]);
/// assert_eq!(Conv2d::new(3, 16, 3)?.forward(&x)?.shape(), [8, 16, 30, 30]);
/// let half = Conv2d::new(3, 16, [5, 3])?.stride(2).padding([2, 1]);
/// assert_eq!(half.forward(&x)?.shape(), [8, 16, 16, 16]);
/// # Ok::<(), gradus::Error>(())
/// ```
#[derive(Module)]
pub struct Conv<const N: usize> {
    /// The kernels, [out, in / groups, ..].
    pub weight: Parameter,
    /// What is added to each output channel, \[out\], unless the layer has none.
    pub bias: Option<Parameter>,
    #[module(skip)]
    options: conv::Conv<N>,
}

/// [`Conv`] of sequences.
pub type Conv1d = Conv<1>;
/// [`Conv`] of images.
pub type Conv2d = Conv<2>;

impl<const N: usize> Conv<N> {
    /// A convolution from `input` to `output` channels with a kernel of this size.
    ///
    /// # Errors
    /// If there is no memory for it.
    pub fn new(input: usize, output: usize, kernel: impl Sizes<N>) -> Result<Self> {
        Self::build(input, output, kernel.sizes(), 1, true)
    }

    /// A convolution to which nothing is added, as before a normalisation, which would take it away
    /// again.
    ///
    /// # Errors
    /// If there is no memory for it.
    pub fn without_bias(input: usize, output: usize, kernel: impl Sizes<N>) -> Result<Self> {
        Self::build(input, output, kernel.sizes(), 1, false)
    }

    /// `groups` convolutions side by side, each from its share of the input's channels to its share
    /// of the output's. With as many groups as input channels it is a depthwise convolution.
    ///
    /// # Errors
    /// If `groups` does not divide both numbers of channels, or there is no memory for the layer.
    ///
    /// ```
    /// use gradus::nn::Conv2d;
    /// let depthwise = Conv2d::grouped(32, 32, 3, 32)?.same_padding();
    /// assert_eq!(depthwise.weight.shape(), [32, 1, 3, 3]);
    /// assert!(Conv2d::grouped(32, 32, 3, 5).is_err());
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn grouped(
        input: usize,
        output: usize,
        kernel: impl Sizes<N>,
        groups: usize,
    ) -> Result<Self> {
        Self::build(input, output, kernel.sizes(), groups, true)
    }

    /// [`grouped`](Conv::grouped), and nothing added, as in the depthwise convolutions before a
    /// normalisation.
    ///
    /// # Errors
    /// As [`grouped`](Conv::grouped).
    ///
    /// ```
    /// use gradus::nn::{Conv2d, Module};
    /// assert_eq!(Conv2d::grouped_without_bias(32, 32, 3, 32)?.num_parameters(), 32 * 9);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn grouped_without_bias(
        input: usize,
        output: usize,
        kernel: impl Sizes<N>,
        groups: usize,
    ) -> Result<Self> {
        Self::build(input, output, kernel.sizes(), groups, false)
    }

    fn build(
        input: usize,
        output: usize,
        kernel: [usize; N],
        groups: usize,
        bias: bool,
    ) -> Result<Self> {
        check_groups("Conv", input, output, groups)?;
        let (weight, bias) = weights([output, input / groups], kernel, output, bias)?;
        let options = conv::Conv {
            groups,
            ..Default::default()
        };
        Ok(Self {
            weight,
            bias,
            options,
        })
    }

    /// Positions of the input between neighbours of the output.
    #[must_use]
    pub fn stride(mut self, stride: impl Sizes<N>) -> Self {
        self.options.stride = stride.sizes();
        self
    }

    /// Zeros on both sides of each dimension of the input.
    #[must_use]
    pub fn padding(mut self, zeros: impl Sizes<N>) -> Self {
        self.options.padding = Padding::Each(zeros.sizes());
        self
    }

    /// As many zeros around the input as make the output as large; for strides of 1. PyTorch's
    /// `padding="same"`.
    #[must_use]
    pub fn same_padding(mut self) -> Self {
        self.options.padding = Padding::Same;
        self
    }

    /// Positions of the input between neighbours of the kernel.
    #[must_use]
    pub fn dilation(mut self, dilation: impl Sizes<N>) -> Self {
        self.options.dilation = dilation.sizes();
        self
    }

    fn run(
        &self,
        x: &Tensor,
        operation: impl Fn(&Tensor, &Tensor, Option<&Tensor>, &conv::Conv<N>) -> Result<Tensor>,
    ) -> Result<Tensor>
    where
        Self: Layer,
    {
        expect_channels::<N>(self, x, self.weight.shape()[1] * self.options.groups)?;
        operation(x, &self.weight, self.bias.as_deref(), &self.options)
            .map_err(|e| e.at(located(self)))
    }

    fn text(&self) -> String {
        let (shape, options) = (self.weight.shape(), &self.options);
        let padding = match options.padding {
            Padding::Valid => String::new(),
            Padding::Same => ", same padding".into(),
            Padding::Each(zeros) => unless("padding", zeros, 0),
        };
        format!(
            "Conv{N}d({}→{}, {}{}{padding}{}{})",
            shape[1] * options.groups,
            shape[0],
            times(&shape[2..]),
            unless("stride", options.stride, 1),
            unless("dilation", options.dilation, 1),
            unless("groups", [options.groups], 1),
        )
    }
}

impl Layer for Conv<1> {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        self.run(x, Tensor::conv1d)
    }

    fn forward_then(&self, x: &Tensor, activation: Activation) -> Result<Tensor> {
        self.run(x, |x, weight, bias, options| {
            x.conv1d_then(weight, bias, options, activation)
        })
    }

    /// Each element of the output has looked at the kernel's elements in its group.
    fn multiply_adds(&self, _: &[usize], output: &[usize]) -> u64 {
        product(output) * product(&self.weight.shape()[1..])
    }

    fn describe(&self) -> String {
        self.text()
    }
}

impl Layer for Conv<2> {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        self.run(x, Tensor::conv2d)
    }

    fn forward_then(&self, x: &Tensor, activation: Activation) -> Result<Tensor> {
        self.run(x, |x, weight, bias, options| {
            x.conv2d_then(weight, bias, options, activation)
        })
    }

    /// Each element of the output has looked at the kernel's elements in its group.
    fn multiply_adds(&self, _: &[usize], output: &[usize]) -> u64 {
        product(output) * product(&self.weight.shape()[1..])
    }

    fn describe(&self) -> String {
        self.text()
    }
}

/// The transpose of a [`Conv`] over `N` dimensions, used to enlarge. Shapes of [`ConvTranspose2d`]:
/// input [n, in, h, w], weight [in, out / groups, kh, kw], bias \[out\], result [n, out, h', w'].
///
/// As in PyTorch, weight and bias begin uniform in ±1/√(out / groups · kh · kw). See
/// [`Tensor::conv_transpose2d`].
///
/// ```
/// use gradus::nn::{ConvTranspose2d, Layer};
/// use gradus::Tensor;
/// let twice = ConvTranspose2d::new(16, 3, 2)?.stride(2);
/// assert_eq!(twice.forward(&Tensor::zeros([8, 16, 7, 7]))?.shape(), [8, 3, 14, 14]);
/// # Ok::<(), gradus::Error>(())
/// ```
#[derive(Module)]
pub struct ConvTranspose<const N: usize> {
    /// The kernels, [in, out / groups, ..].
    pub weight: Parameter,
    /// What is added to each output channel, \[out\], unless the layer has none.
    pub bias: Option<Parameter>,
    #[module(skip)]
    options: conv::ConvTranspose<N>,
}

/// [`ConvTranspose`] of sequences.
pub type ConvTranspose1d = ConvTranspose<1>;
/// [`ConvTranspose`] of images.
pub type ConvTranspose2d = ConvTranspose<2>;

impl<const N: usize> ConvTranspose<N> {
    /// A transposed convolution from `input` to `output` channels with a kernel of this size.
    ///
    /// # Errors
    /// If there is no memory for it.
    pub fn new(input: usize, output: usize, kernel: impl Sizes<N>) -> Result<Self> {
        Self::build(input, output, kernel.sizes(), 1, true)
    }

    /// A transposed convolution to which nothing is added.
    ///
    /// # Errors
    /// If there is no memory for it.
    pub fn without_bias(input: usize, output: usize, kernel: impl Sizes<N>) -> Result<Self> {
        Self::build(input, output, kernel.sizes(), 1, false)
    }

    /// `groups` transposed convolutions side by side.
    ///
    /// # Errors
    /// If `groups` does not divide both numbers of channels, or there is no memory for the layer.
    pub fn grouped(
        input: usize,
        output: usize,
        kernel: impl Sizes<N>,
        groups: usize,
    ) -> Result<Self> {
        Self::build(input, output, kernel.sizes(), groups, true)
    }

    /// [`grouped`](ConvTranspose::grouped), and nothing added.
    ///
    /// # Errors
    /// As [`grouped`](ConvTranspose::grouped).
    ///
    /// ```
    /// use gradus::nn::{ConvTranspose2d, Module};
    /// assert_eq!(ConvTranspose2d::grouped_without_bias(8, 4, 3, 2)?.num_parameters(), 8 * 2 * 9);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn grouped_without_bias(
        input: usize,
        output: usize,
        kernel: impl Sizes<N>,
        groups: usize,
    ) -> Result<Self> {
        Self::build(input, output, kernel.sizes(), groups, false)
    }

    fn build(
        input: usize,
        output: usize,
        kernel: [usize; N],
        groups: usize,
        bias: bool,
    ) -> Result<Self> {
        check_groups("ConvTranspose", input, output, groups)?;
        let (weight, bias) = weights([input, output / groups], kernel, output, bias)?;
        let options = conv::ConvTranspose {
            groups,
            ..Default::default()
        };
        Ok(Self {
            weight,
            bias,
            options,
        })
    }

    /// Positions of the output between neighbours of the input.
    #[must_use]
    pub fn stride(mut self, stride: impl Sizes<N>) -> Self {
        self.options.stride = stride.sizes();
        self
    }

    /// Positions left out on both sides of the output.
    #[must_use]
    pub fn padding(mut self, padding: impl Sizes<N>) -> Self {
        self.options.padding = padding.sizes();
        self
    }

    /// Positions added at the end of the output.
    #[must_use]
    pub fn output_padding(mut self, padding: impl Sizes<N>) -> Self {
        self.options.output_padding = padding.sizes();
        self
    }

    /// Positions of the output between neighbours of the kernel.
    #[must_use]
    pub fn dilation(mut self, dilation: impl Sizes<N>) -> Self {
        self.options.dilation = dilation.sizes();
        self
    }

    fn run(
        &self,
        x: &Tensor,
        operation: impl Fn(&Tensor, &Tensor, Option<&Tensor>, &conv::ConvTranspose<N>) -> Result<Tensor>,
    ) -> Result<Tensor>
    where
        Self: Layer,
    {
        expect_channels::<N>(self, x, self.weight.shape()[0])?;
        operation(x, &self.weight, self.bias.as_deref(), &self.options)
            .map_err(|e| e.at(located(self)))
    }

    fn text(&self) -> String {
        let (shape, options) = (self.weight.shape(), &self.options);
        format!(
            "ConvTranspose{N}d({}→{}, {}{}{}{}{}{})",
            shape[0],
            shape[1] * options.groups,
            times(&shape[2..]),
            unless("stride", options.stride, 1),
            unless("padding", options.padding, 0),
            unless("output padding", options.output_padding, 0),
            unless("dilation", options.dilation, 1),
            unless("groups", [options.groups], 1),
        )
    }
}

impl Layer for ConvTranspose<1> {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        self.run(x, Tensor::conv_transpose1d)
    }

    /// Each element of the input has met the kernel's elements in its group.
    fn multiply_adds(&self, input: &[usize], _: &[usize]) -> u64 {
        product(input) * product(&self.weight.shape()[1..])
    }

    fn describe(&self) -> String {
        self.text()
    }
}

impl Layer for ConvTranspose<2> {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        self.run(x, Tensor::conv_transpose2d)
    }

    /// Each element of the input has met the kernel's elements in its group.
    fn multiply_adds(&self, input: &[usize], _: &[usize]) -> u64 {
        product(input) * product(&self.weight.shape()[1..])
    }

    fn describe(&self) -> String {
        self.text()
    }
}

fn check_groups(layer: &str, input: usize, output: usize, groups: usize) -> Result<()> {
    let divides = |channels: usize| groups > 0 && channels.is_multiple_of(groups);
    if divides(input) && divides(output) {
        return Ok(());
    }
    let message = format!(
        "{layer}: in_channels and out_channels must be divisible by groups, got {input}, {output} \
         and {groups} groups"
    );
    Err(Error::new(Kind::Value, message))
}

/// A weight of these channels and this kernel, and a bias for the output. Both begin as the second
/// of the channels, which are the inputs of one output, asks for.
fn weights<const N: usize>(
    channels: [usize; 2],
    kernel: [usize; N],
    output: usize,
    bias: bool,
) -> Result<(Parameter, Option<Parameter>)> {
    let fan_in = (kernel.iter()).fold(channels[1], |n, &size| n.saturating_mul(size));
    let shape = [&channels[..], &kernel[..]].concat();
    let weight = uniform_parameter(shape, fan_in)?;
    let bias = bias.then(|| uniform_parameter([output], fan_in));
    Ok((weight, bias.transpose()?))
}
