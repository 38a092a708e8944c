//! Steps by the size of all gradients so far.

use super::{Optimizer, Slots, check};
use crate::nn::Parameter;
use crate::ops::Update;
use crate::{Float, Result};

/// Adagrad (Duchi, Hazan and Singer, 2011), in the form that PyTorch uses; `t` counts steps from 1:
///
/// g ← g + weight_decay·p; s ← s + g²; p ← p − lr/(1 + (t − 1)·lr_decay)·g/(√s + eps).
///
/// ```
/// use gradus::nn::Parameter;
/// use gradus::optim::{Adagrad, Optimizer};
/// use gradus::Tensor;
/// let w = Parameter::new(Tensor::from(1.0))?;
/// let mut adagrad = Adagrad::new(vec![w.clone()], 0.1);
/// w.mul(&w)?.backward()?;
/// adagrad.step()?;
/// assert!((w.item::<f32>()? - 0.9).abs() < 1e-6);
/// # Ok::<(), gradus::Error>(())
/// ```
pub struct Adagrad {
    slots: Slots,
    lr_decay: f64,
    eps: f64,
    weight_decay: f64,
}

impl Adagrad {
    /// With this learning rate (often 0.01) and eps 1e-10.
    pub fn new(parameters: Vec<Parameter>, lr: f64) -> Self {
        Self {
            slots: Slots::new("Adagrad", &["sum"], parameters, lr),
            lr_decay: 0.0,
            eps: 1e-10,
            weight_decay: 0.0,
        }
    }

    /// How fast the learning rate itself falls; 0 by default.
    #[must_use]
    pub fn lr_decay(mut self, lr_decay: f64) -> Self {
        self.lr_decay = lr_decay;
        self
    }

    /// What is added to the root of the sum; 1e-10 by default.
    #[must_use]
    pub fn eps(mut self, eps: f64) -> Self {
        self.eps = eps;
        self
    }

    /// With an L2 penalty of weight_decay/2·|p|²; 0 by default.
    #[must_use]
    pub fn weight_decay(mut self, weight_decay: f64) -> Self {
        self.weight_decay = weight_decay;
        self
    }
}

impl Optimizer for Adagrad {
    fn step(&mut self) -> Result<()> {
        let lr = self.slots.lr;
        let Self {
            lr_decay,
            eps,
            weight_decay,
            ..
        } = *self;
        for (name, value) in [
            ("lr_decay value", lr_decay),
            ("epsilon value", eps),
            ("weight_decay value", weight_decay),
        ] {
            check("Adagrad", name, value, value >= 0.0)?;
        }
        self.slots.step(|step| Rule {
            lr: lr / (1.0 + (step - 1) as f64 * lr_decay),
            eps,
            weight_decay,
        })
    }
    fn slots(&self) -> &Slots {
        &self.slots
    }
    fn slots_mut(&mut self) -> &mut Slots {
        &mut self.slots
    }
}

/// One step of one number.
#[derive(Clone, Copy)]
struct Rule {
    lr: f64,
    eps: f64,
    weight_decay: f64,
}

impl Update<1> for Rule {
    #[inline(always)]
    fn update<T: Float>(&self, p: T, g: T, [sum]: [&mut T; 1]) -> T {
        let c = T::from_f64;
        let g = g + c(self.weight_decay) * p;
        *sum = *sum + g * g;
        p - c(self.lr) * g / (sum.sqrt() + c(self.eps))
    }
}
