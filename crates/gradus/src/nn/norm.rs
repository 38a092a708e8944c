//! Normalisation by the statistics of a batch, of a sample, or of groups of its channels.

use super::scope::located;
use super::{Buffer, Layer, Mode, Module, Parameter, constant_buffer, constant_parameter};
use crate::{DType, Error, IntoShape, Kind, Result, Tensor};

/// (x − mean)/√(variance + eps)·weight + bias for each channel, with mean and variance of the batch
/// while training, and running averages of them in evaluation (Ioffe and Szegedy, 2015). Inputs of
/// [`BatchNorm1d`] are [n, c] or [n, c, length], those of [`BatchNorm2d`] [n, c, h, w]; c is the
/// number of channels.
///
/// As in PyTorch, weight and running variance begin at 1, bias and running mean at 0.
#[derive(Module)]
pub struct BatchNorm<const DIMS: usize> {
    /// The scale of each channel, \[c\].
    pub weight: Parameter,
    /// What is added to each channel, \[c\].
    pub bias: Parameter,
    /// The average mean of each channel.
    pub running_mean: Buffer,
    /// The average variance of each channel, each divided by the number of elements less one.
    pub running_var: Buffer,
    /// The number of batches the averages have seen.
    pub num_batches_tracked: Buffer,
    /// What is added to the variance, by default 1e-5.
    pub eps: f64,
    momentum: Option<f64>,
    mode: Mode,
}

/// [`BatchNorm`] of vectors or sequences.
pub type BatchNorm1d = BatchNorm<1>;
/// [`BatchNorm`] of images.
pub type BatchNorm2d = BatchNorm<2>;

impl<const DIMS: usize> BatchNorm<DIMS> {
    /// A layer for inputs of this number of channels.
    ///
    /// # Errors
    /// If there is no memory for it.
    ///
    /// ```
    /// use gradus::nn::{BatchNorm2d, Layer, Module};
    /// use gradus::Tensor;
    /// let norm = BatchNorm2d::new(3)?;
    /// let x = Tensor::randn([8, 3, 4, 4])?.add(7.0)?;
    /// assert!(norm.forward(&x)?.mean(..)?.item::<f64>()?.abs() < 1e-5);
    /// norm.eval(); // The running mean has gone a tenth of the way to 7.
    /// assert!(norm.forward(&x)?.mean(..)?.item::<f64>()? > 5.0);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn new(channels: usize) -> Result<Self> {
        Ok(Self {
            weight: constant_parameter([channels], 1.0)?,
            bias: constant_parameter([channels], 0.0)?,
            running_mean: constant_buffer([channels], 0.0)?,
            running_var: constant_buffer([channels], 1.0)?,
            num_batches_tracked: Buffer::new(&Tensor::full((), 0.0, DType::I64)?),
            eps: 1e-5,
            momentum: Some(0.1),
            mode: Mode::default(),
        })
    }

    /// The share of each new batch in the running averages, by default 0.1; none: all batches
    /// count alike.
    #[must_use]
    pub fn momentum(mut self, momentum: impl Into<Option<f64>>) -> Self {
        self.momentum = momentum.into();
        self
    }

    /// The share that the present batch gets.
    fn share(&self) -> Result<f64> {
        self.num_batches_tracked.add_(1)?;
        match self.momentum {
            Some(momentum) => Ok(momentum),
            None => Ok(1.0 / self.num_batches_tracked.item::<f64>()?),
        }
    }

    /// The ranks that an input may have, and how they are written.
    fn ranks(&self) -> (std::ops::RangeInclusive<usize>, &'static str) {
        match DIMS {
            1 => (2..=3, "[n, channels] or [n, channels, length]"),
            _ => (4..=4, "[n, channels, height, width]"),
        }
    }
}

impl<const DIMS: usize> Layer for BatchNorm<DIMS> {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let (ranks, expected) = self.ranks();
        let channels = self.weight.numel();
        if !ranks.contains(&x.ndim()) || x.shape()[1] != channels {
            return Err(Error::new(
                Kind::Shape,
                format!(
                    "{}: got an input of shape {:?}, expected {expected} with {channels} channels",
                    located(self),
                    x.shape()
                ),
            ));
        }
        let training = self.mode.is_training();
        let run = || {
            let y = x.batch_norm(
                Some(&self.running_mean),
                Some(&self.running_var),
                Some(&self.weight),
                Some(&self.bias),
                training,
                if training { self.share()? } else { 0.0 },
                self.eps,
            )?;
            Ok(y)
        };
        run().map_err(|e: Error| e.at(located(self)))
    }

    fn describe(&self) -> String {
        format!("BatchNorm{DIMS}d({})", self.weight.numel())
    }
}

/// (x − mean)/√(variance + eps)·weight + bias over the last dimensions of each sample (Ba, Kiros and
/// Hinton, 2016). See [`Tensor::layer_norm`].
#[derive(Module)]
pub struct LayerNorm {
    /// The scale of each element, of the normalised shape.
    pub weight: Parameter,
    /// What is added to each element, likewise.
    pub bias: Parameter,
    /// What is added to the variance, by default 1e-5.
    pub eps: f64,
}

impl LayerNorm {
    /// A layer for inputs whose last sizes are `normalized_shape`.
    ///
    /// # Errors
    /// If there is no memory for it.
    ///
    /// ```
    /// use gradus::nn::{Layer, LayerNorm};
    /// use gradus::Tensor;
    /// let y = LayerNorm::new([2])?.forward(&Tensor::from([[1.0, 3.0], [5.0, 5.0]]))?;
    /// assert!((y.select(0, 0)?.to_vec::<f32>()?[1] - 1.0).abs() < 1e-4);
    /// assert_eq!(y.select(0, 1)?.to_vec::<f32>()?, [0.0, 0.0]);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn new(normalized_shape: impl IntoShape) -> Result<Self> {
        let shape = normalized_shape.into_shape();
        Ok(Self {
            weight: constant_parameter(&shape[..], 1.0)?,
            bias: constant_parameter(&shape[..], 0.0)?,
            eps: 1e-5,
        })
    }
}

impl Layer for LayerNorm {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let shape = self.weight.shape();
        x.layer_norm(shape, Some(&self.weight), Some(&self.bias), self.eps)
            .map_err(|e| e.at(located(self)))
    }

    fn describe(&self) -> String {
        format!("LayerNorm({:?})", self.weight.shape())
    }
}

/// x/√(mean x² + eps)·weight over the last dimensions of each sample (Zhang and Sennrich, 2019). See
/// [`Tensor::rms_norm`].
#[derive(Module)]
pub struct RmsNorm {
    /// The scale of each element, of the normalised shape.
    pub weight: Parameter,
    /// What is added to the mean square; none: the distance from 1 to the next number of the dtype.
    pub eps: Option<f64>,
}

impl RmsNorm {
    /// A layer for inputs whose last sizes are `normalized_shape`.
    ///
    /// # Errors
    /// If there is no memory for it.
    ///
    /// ```
    /// use gradus::nn::{Layer, RmsNorm};
    /// use gradus::Tensor;
    /// let y = RmsNorm::new([2])?.forward(&Tensor::from([1.0, 7.0]))?;
    /// assert!((y.to_vec::<f32>()?[0] - 0.2).abs() < 1e-6);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn new(normalized_shape: impl IntoShape) -> Result<Self> {
        Ok(Self {
            weight: constant_parameter(normalized_shape, 1.0)?,
            eps: None,
        })
    }
}

impl Layer for RmsNorm {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        x.rms_norm(self.weight.shape(), Some(&self.weight), self.eps)
            .map_err(|e| e.at(located(self)))
    }

    fn describe(&self) -> String {
        format!("RmsNorm({:?})", self.weight.shape())
    }
}

/// (x − mean)/√(variance + eps)·weight + bias with mean and variance over each of several groups of
/// channels of each sample (Wu and He, 2018). See [`Tensor::group_norm`].
#[derive(Module)]
pub struct GroupNorm {
    /// The scale of each channel, \[c\].
    pub weight: Parameter,
    /// What is added to each channel, \[c\].
    pub bias: Parameter,
    /// What is added to the variance, by default 1e-5.
    pub eps: f64,
    groups: usize,
}

impl GroupNorm {
    /// A layer that divides `channels` into `groups`.
    ///
    /// # Errors
    /// If the channels cannot be divided so, or there is no memory for the layer.
    ///
    /// ```
    /// use gradus::nn::{GroupNorm, Layer};
    /// use gradus::Tensor;
    /// let x = Tensor::randn([2, 6, 5, 5])?;
    /// assert_eq!(GroupNorm::new(3, 6)?.forward(&x)?.shape(), [2, 6, 5, 5]);
    /// assert!(GroupNorm::new(4, 6).is_err());
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn new(groups: usize, channels: usize) -> Result<Self> {
        if groups == 0 || !channels.is_multiple_of(groups) {
            let message = format!(
                "GroupNorm: num_channels must be divisible by num_groups, got {channels} channels \
                 and {groups} groups"
            );
            return Err(Error::new(Kind::Value, message));
        }
        Ok(Self {
            weight: constant_parameter([channels], 1.0)?,
            bias: constant_parameter([channels], 0.0)?,
            eps: 1e-5,
            groups,
        })
    }
}

impl Layer for GroupNorm {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        x.group_norm(self.groups, Some(&self.weight), Some(&self.bias), self.eps)
            .map_err(|e| e.at(located(self)))
    }

    fn describe(&self) -> String {
        format!("GroupNorm({}, {})", self.groups, self.weight.numel())
    }
}
