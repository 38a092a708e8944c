//! Pooling: a window becomes its maximum or its mean.

use super::scope::located;
use super::sizes::{times, unless};
use super::{Layer, Module, Sizes};
use crate::{Result, Tensor, pool};

/// The maximum of each window. See [`Tensor::max_pool2d`].
///
/// ```
/// use gradus::nn::{Layer, MaxPool2d};
/// use gradus::Tensor;
/// let x = Tensor::from([[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]]);
/// assert_eq!(MaxPool2d::new(2).forward(&x)?.to_vec::<f32>()?, [5.0]);
/// assert_eq!(MaxPool2d::new(2).stride(1).forward(&x)?.to_vec::<f32>()?, [5.0, 6.0]);
/// # Ok::<(), gradus::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Module)]
pub struct MaxPool<const N: usize> {
    #[module(skip)]
    kernel: [usize; N],
    #[module(skip)]
    options: pool::MaxPool<N>,
}

/// [`MaxPool`] of sequences, [n, c, length].
pub type MaxPool1d = MaxPool<1>;
/// [`MaxPool`] of images, [n, c, h, w].
pub type MaxPool2d = MaxPool<2>;

impl<const N: usize> MaxPool<N> {
    /// A layer with windows of this size, side by side unless [`stride`](MaxPool::stride) says
    /// otherwise.
    pub fn new(kernel: impl Sizes<N>) -> Self {
        Self {
            kernel: kernel.sizes(),
            options: pool::MaxPool::default(),
        }
    }

    /// From one window to the next.
    #[must_use]
    pub fn stride(mut self, stride: impl Sizes<N>) -> Self {
        self.options.stride = Some(stride.sizes());
        self
    }

    /// Positions of −∞ on both sides of each dimension, at most half a window.
    #[must_use]
    pub fn padding(mut self, padding: impl Sizes<N>) -> Self {
        self.options.padding = padding.sizes();
        self
    }

    /// From one element of a window to the next.
    #[must_use]
    pub fn dilation(mut self, dilation: impl Sizes<N>) -> Self {
        self.options.dilation = dilation.sizes();
        self
    }

    /// Whether a last window may hang over the end.
    #[must_use]
    pub fn ceil_mode(mut self, ceil_mode: bool) -> Self {
        self.options.ceil_mode = ceil_mode;
        self
    }

    fn text(&self) -> String {
        let options = &self.options;
        let stride = options.stride.unwrap_or(self.kernel);
        format!(
            "MaxPool{N}d({}, stride {}{}{})",
            times(&self.kernel),
            times(&stride),
            unless("padding", options.padding, 0),
            unless("dilation", options.dilation, 1)
        )
    }
}

impl Layer for MaxPool<1> {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        x.max_pool1d(self.kernel, &self.options)
            .map_err(|e| e.at(located(self)))
    }

    fn describe(&self) -> String {
        self.text()
    }
}

impl Layer for MaxPool<2> {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        x.max_pool2d(self.kernel, &self.options)
            .map_err(|e| e.at(located(self)))
    }

    fn describe(&self) -> String {
        self.text()
    }
}

/// The mean of each window. See [`Tensor::avg_pool2d`].
///
/// ```
/// use gradus::nn::{AvgPool1d, Layer};
/// use gradus::Tensor;
/// let x = Tensor::from([[1.0, 3.0, 6.0, 8.0]]);
/// assert_eq!(AvgPool1d::new(2).forward(&x)?.to_vec::<f32>()?, [2.0, 7.0]);
/// # Ok::<(), gradus::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Module)]
pub struct AvgPool<const N: usize> {
    #[module(skip)]
    kernel: [usize; N],
    #[module(skip)]
    options: pool::AvgPool<N>,
}

/// [`AvgPool`] of sequences, [n, c, length].
pub type AvgPool1d = AvgPool<1>;
/// [`AvgPool`] of images, [n, c, h, w].
pub type AvgPool2d = AvgPool<2>;

impl<const N: usize> AvgPool<N> {
    /// A layer with windows of this size, side by side unless [`stride`](AvgPool::stride) says
    /// otherwise.
    pub fn new(kernel: impl Sizes<N>) -> Self {
        Self {
            kernel: kernel.sizes(),
            options: pool::AvgPool::default(),
        }
    }

    /// From one window to the next.
    #[must_use]
    pub fn stride(mut self, stride: impl Sizes<N>) -> Self {
        self.options.stride = Some(stride.sizes());
        self
    }

    /// Zeros on both sides of each dimension, at most half a window.
    #[must_use]
    pub fn padding(mut self, padding: impl Sizes<N>) -> Self {
        self.options.padding = padding.sizes();
        self
    }

    /// Whether a last window may hang over the end.
    #[must_use]
    pub fn ceil_mode(mut self, ceil_mode: bool) -> Self {
        self.options.ceil_mode = ceil_mode;
        self
    }

    /// Whether the padding counts among the elements of a window; by default it does.
    #[must_use]
    pub fn count_include_pad(mut self, count: bool) -> Self {
        self.options.count_include_pad = count;
        self
    }

    /// What sums are divided by instead of the number of elements.
    #[must_use]
    pub fn divisor_override(mut self, divisor: usize) -> Self {
        self.options.divisor_override = Some(divisor);
        self
    }

    fn text(&self) -> String {
        let stride = self.options.stride.unwrap_or(self.kernel);
        format!(
            "AvgPool{N}d({}, stride {}{})",
            times(&self.kernel),
            times(&stride),
            unless("padding", self.options.padding, 0)
        )
    }
}

impl Layer for AvgPool<1> {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        x.avg_pool1d(self.kernel, &self.options)
            .map_err(|e| e.at(located(self)))
    }

    fn describe(&self) -> String {
        self.text()
    }
}

impl Layer for AvgPool<2> {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        x.avg_pool2d(self.kernel, &self.options)
            .map_err(|e| e.at(located(self)))
    }

    fn describe(&self) -> String {
        self.text()
    }
}

/// Means of windows that cover an input of any size, so many that the result has a given size. See
/// [`Tensor::adaptive_avg_pool2d`].
///
/// ```
/// use gradus::nn::{AdaptiveAvgPool2d, Layer};
/// use gradus::Tensor;
/// let x = Tensor::ones([2, 8, 5, 7]);
/// assert_eq!(AdaptiveAvgPool2d::new(1).forward(&x)?.shape(), [2, 8, 1, 1]);
/// # Ok::<(), gradus::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Module)]
pub struct AdaptiveAvgPool<const N: usize> {
    #[module(skip)]
    size: [usize; N],
}

/// [`AdaptiveAvgPool`] of sequences, [n, c, length].
pub type AdaptiveAvgPool1d = AdaptiveAvgPool<1>;
/// [`AdaptiveAvgPool`] of images, [n, c, h, w].
pub type AdaptiveAvgPool2d = AdaptiveAvgPool<2>;

impl<const N: usize> AdaptiveAvgPool<N> {
    /// A layer with results of this size.
    pub fn new(size: impl Sizes<N>) -> Self {
        Self { size: size.sizes() }
    }
}

impl Layer for AdaptiveAvgPool<1> {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        x.adaptive_avg_pool1d(self.size)
            .map_err(|e| e.at(located(self)))
    }

    fn describe(&self) -> String {
        format!("AdaptiveAvgPool1d({})", times(&self.size))
    }
}

impl Layer for AdaptiveAvgPool<2> {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        x.adaptive_avg_pool2d(self.size)
            .map_err(|e| e.at(located(self)))
    }

    fn describe(&self) -> String {
        format!("AdaptiveAvgPool2d({})", times(&self.size))
    }
}

/// Maxima of windows that cover an input of any size, so many that the result has a given size. See
/// [`Tensor::adaptive_max_pool2d`].
#[derive(Clone, Copy, Debug, Module)]
pub struct AdaptiveMaxPool<const N: usize> {
    #[module(skip)]
    size: [usize; N],
}

/// [`AdaptiveMaxPool`] of sequences, [n, c, length].
pub type AdaptiveMaxPool1d = AdaptiveMaxPool<1>;
/// [`AdaptiveMaxPool`] of images, [n, c, h, w].
pub type AdaptiveMaxPool2d = AdaptiveMaxPool<2>;

impl<const N: usize> AdaptiveMaxPool<N> {
    /// A layer with results of this size.
    pub fn new(size: impl Sizes<N>) -> Self {
        Self { size: size.sizes() }
    }
}

impl Layer for AdaptiveMaxPool<1> {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        x.adaptive_max_pool1d(self.size)
            .map_err(|e| e.at(located(self)))
    }

    fn describe(&self) -> String {
        format!("AdaptiveMaxPool1d({})", times(&self.size))
    }
}

impl Layer for AdaptiveMaxPool<2> {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        x.adaptive_max_pool2d(self.size)
            .map_err(|e| e.at(located(self)))
    }

    fn describe(&self) -> String {
        format!("AdaptiveMaxPool2d({})", times(&self.size))
    }
}
