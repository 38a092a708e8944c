//! Pictures and signals in another size.

use super::scope::located;
use super::{Layer, Module};
use crate::pool::{Mode, Resize};
use crate::{Result, Tensor};

/// Images [n, c, h, w] (`N` = 2) or signals [n, c, length] (`N` = 1) in another size, by default each
/// element again and again. See [`Tensor::interpolate`].
///
/// ```
/// use gradus::nn::{Layer, Upsample};
/// use gradus::pool::Mode;
/// use gradus::Tensor;
/// let x = Tensor::from([[[[1.0, 2.0]]]]);
/// let twice = Upsample::scale([2.0, 2.0]);
/// assert_eq!(twice.forward(&x)?.to_vec::<f32>()?, [1.0, 1.0, 2.0, 2.0, 1.0, 1.0, 2.0, 2.0]);
/// let smooth = Upsample::size([1, 3]).mode(Mode::Linear { align_corners: true });
/// assert_eq!(smooth.forward(&x)?.to_vec::<f32>()?, [1.0, 1.5, 2.0]);
/// # Ok::<(), gradus::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Module)]
pub struct Upsample<const N: usize> {
    #[module(skip)]
    to: Resize<N>,
    #[module(skip)]
    mode: Mode,
}

impl<const N: usize> Upsample<N> {
    /// A layer whose results have this size.
    pub fn size(size: [usize; N]) -> Self {
        Self {
            to: Resize::Size(size),
            mode: Mode::default(),
        }
    }

    /// A layer that multiplies sizes by these factors.
    pub fn scale(factors: [f64; N]) -> Self {
        Self {
            to: Resize::Scale(factors),
            mode: Mode::default(),
        }
    }

    /// What is made of the elements around a place.
    #[must_use]
    pub fn mode(mut self, mode: Mode) -> Self {
        self.mode = mode;
        self
    }
}

impl<const N: usize> Layer for Upsample<N> {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        x.interpolate(self.to, self.mode)
            .map_err(|e| e.at(located(self)))
    }

    fn describe(&self) -> String {
        match self.to {
            Resize::Size(size) => format!("Upsample(to {size:?})"),
            Resize::Scale(factors) => format!("Upsample(by {factors:?})"),
        }
    }
}
