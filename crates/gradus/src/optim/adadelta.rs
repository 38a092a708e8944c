//! Steps in the unit of the parameter.

use super::{Optimizer, Slots, check};
use crate::nn::Parameter;
use crate::ops::Update;
use crate::{Float, Result};

/// Adadelta (Zeiler, 2012): steps of the size of recent steps, by the gradient over the size of recent
/// gradients, so that hardly a learning rate is needed:
///
/// g ← g + weight_decay·p; s ← rho·s + (1 − rho)·g²; d = √(u + eps)/√(s + eps)·g;
/// u ← rho·u + (1 − rho)·d²; p ← p − lr·d.
///
/// ```
/// use gradus::nn::Parameter;
/// use gradus::optim::{Adadelta, Optimizer};
/// use gradus::Tensor;
/// let w = Parameter::new(Tensor::from(1.0))?;
/// let mut adadelta = Adadelta::new(vec![w.clone()], 1.0);
/// w.mul(&w)?.backward()?;
/// adadelta.step()?;
/// // It begins slowly: the first step is √(eps/(1 − rho)).
/// assert!((w.item::<f32>()? - (1.0 - 1e-5f32.sqrt())).abs() < 1e-6);
/// # Ok::<(), gradus::Error>(())
/// ```
pub struct Adadelta {
    slots: Slots,
    rho: f64,
    eps: f64,
    weight_decay: f64,
}

impl Adadelta {
    /// With this learning rate (often 1), rho 0.9 and eps 1e-6.
    pub fn new(parameters: Vec<Parameter>, lr: f64) -> Self {
        Self {
            slots: Slots::new("Adadelta", &["square_avg", "acc_delta"], parameters, lr),
            rho: 0.9,
            eps: 1e-6,
            weight_decay: 0.0,
        }
    }

    /// How slowly both averages forget, from 0 to 1; 0.9 by default.
    #[must_use]
    pub fn rho(mut self, rho: f64) -> Self {
        self.rho = rho;
        self
    }

    /// What is added to both averages; 1e-6 by default.
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

impl Optimizer for Adadelta {
    fn step(&mut self) -> Result<()> {
        let lr = self.slots.lr;
        let Self {
            rho,
            eps,
            weight_decay,
            ..
        } = *self;
        check("Adadelta", "rho value", rho, (0.0..=1.0).contains(&rho))?;
        check("Adadelta", "epsilon value", eps, eps >= 0.0)?;
        check(
            "Adadelta",
            "weight_decay value",
            weight_decay,
            weight_decay >= 0.0,
        )?;
        self.slots.step(|_| Rule {
            lr,
            rho,
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
    rho: f64,
    eps: f64,
    weight_decay: f64,
}

impl Update<2> for Rule {
    #[inline(always)]
    fn update<T: Float>(&self, p: T, g: T, [square, delta]: [&mut T; 2]) -> T {
        let c = T::from_f64;
        let (rho, rest, eps) = (c(self.rho), c(1.0 - self.rho), c(self.eps));
        let g = g + c(self.weight_decay) * p;
        *square = rho * *square + rest * g * g;
        let step = (*delta + eps).sqrt() / (*square + eps).sqrt() * g;
        *delta = rho * *delta + rest * step * step;
        p - c(self.lr) * step
    }
}
