//! Activations with settings or weights as layers.

use crate::nn::scope::located;
use crate::nn::{Layer, Module, Parameter, constant_parameter};
use crate::{Result, Tensor};

/// x, or slope·x below 0. See [`Tensor::leaky_relu`].
///
/// ```
/// use gradus::nn::{Layer, LeakyRelu};
/// use gradus::Tensor;
/// assert_eq!(LeakyRelu(0.5).forward(&Tensor::from([-2.0, 3.0]))?.to_vec::<f32>()?, [-1.0, 3.0]);
/// # Ok::<(), gradus::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Module)]
pub struct LeakyRelu(
    /// The slope below 0, by default 0.01.
    pub f64,
);

impl Default for LeakyRelu {
    fn default() -> Self {
        Self(0.01)
    }
}

impl Layer for LeakyRelu {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        x.leaky_relu(self.0)
    }
}

/// x, or alpha·(eˣ − 1) below 0. See [`Tensor::elu`].
#[derive(Clone, Copy, Debug, Module)]
pub struct Elu(
    /// Minus the limit at −∞, by default 1.
    pub f64,
);

impl Default for Elu {
    fn default() -> Self {
        Self(1.0)
    }
}

impl Layer for Elu {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        x.elu(self.0)
    }
}

/// x, or alpha·(e^(x/alpha) − 1) below 0. See [`Tensor::celu`].
#[derive(Clone, Copy, Debug, Module)]
pub struct Celu(
    /// Minus the limit at −∞, by default 1.
    pub f64,
);

impl Default for Celu {
    fn default() -> Self {
        Self(1.0)
    }
}

impl Layer for Celu {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        x.celu(self.0).map_err(|e| e.at(located(self)))
    }
}

/// x cut off at both ends. See [`Tensor::hardtanh`].
#[derive(Clone, Copy, Debug, Module)]
pub struct Hardtanh {
    /// The least value, by default −1.
    pub min: f64,
    /// The greatest value, by default 1.
    pub max: f64,
}

impl Default for Hardtanh {
    fn default() -> Self {
        Self {
            min: -1.0,
            max: 1.0,
        }
    }
}

impl Layer for Hardtanh {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        x.hardtanh(self.min, self.max)
            .map_err(|e| e.at(located(self)))
    }
}

/// x where it is more than this far from 0, else 0. See [`Tensor::hardshrink`].
#[derive(Clone, Copy, Debug, Module)]
pub struct Hardshrink(
    /// The distance, by default 0.5.
    pub f64,
);

impl Default for Hardshrink {
    fn default() -> Self {
        Self(0.5)
    }
}

impl Layer for Hardshrink {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        x.hardshrink(self.0).map_err(|e| e.at(located(self)))
    }
}

/// x moved towards 0 by this much. See [`Tensor::softshrink`].
#[derive(Clone, Copy, Debug, Module)]
pub struct Softshrink(
    /// How far, by default 0.5.
    pub f64,
);

impl Default for Softshrink {
    fn default() -> Self {
        Self(0.5)
    }
}

impl Layer for Softshrink {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        x.softshrink(self.0).map_err(|e| e.at(located(self)))
    }
}

/// Half of the dimension times the sigmoid of its other half. See [`Tensor::glu`].
#[derive(Clone, Copy, Debug, Module)]
pub struct Glu(
    /// The dimension, by default the last.
    pub isize,
);

impl Default for Glu {
    fn default() -> Self {
        Self(-1)
    }
}

impl Layer for Glu {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        x.glu(self.0).map_err(|e| e.at(located(self)))
    }
}

/// eˣ divided by the sum along a dimension. See [`Tensor::softmax`].
#[derive(Clone, Copy, Debug, Module)]
pub struct Softmax(
    /// The dimension along which the sum is 1.
    pub isize,
);

impl Layer for Softmax {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        x.softmax(self.0).map_err(|e| e.at(located(self)))
    }
}

/// The logarithm of [`Softmax`], without its overflow. See [`Tensor::log_softmax`].
#[derive(Clone, Copy, Debug, Module)]
pub struct LogSoftmax(
    /// The dimension.
    pub isize,
);

impl Layer for LogSoftmax {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        x.log_softmax(self.0).map_err(|e| e.at(located(self)))
    }
}

/// x, or weight·x below 0, with a weight that is learned: one, or one for each channel. See
/// [`Tensor::prelu`].
#[derive(Module)]
pub struct Prelu {
    /// The slopes below 0, \[1\] or \[channels\].
    pub weight: Parameter,
}

impl Prelu {
    /// A layer with `parameters` slopes (1, or as many as dimension 1 of the input has), which begin
    /// at 0.25.
    ///
    /// # Errors
    /// If there is no memory for them.
    ///
    /// ```
    /// use gradus::nn::{Layer, Prelu};
    /// use gradus::Tensor;
    /// assert_eq!(Prelu::new(1)?.forward(&Tensor::from([-2.0, 3.0]))?.to_vec::<f32>()?, [-0.5, 3.0]);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn new(parameters: usize) -> Result<Self> {
        Ok(Self {
            weight: constant_parameter([parameters], 0.25)?,
        })
    }
}

impl Layer for Prelu {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        x.prelu(&self.weight).map_err(|e| e.at(located(self)))
    }

    fn describe(&self) -> String {
        format!("Prelu({})", self.weight.numel())
    }
}
