//! Stochastic gradient descent.

use super::{Optimizer, Slots, check};
use crate::nn::Parameter;
use crate::ops::Update;
use crate::{Float, Result};

/// Stochastic gradient descent: p ← p − lr·g, with momentum (Polyak, 1964; Nesterov, 1983) in the
/// form that PyTorch uses:
///
/// g ← g + weight_decay·p; v ← momentum·v + g; p ← p − lr·v (Nesterov: p − lr·(g + momentum·v)).
///
/// ```
/// use gradus::nn::Parameter;
/// use gradus::optim::{Optimizer, Sgd};
/// use gradus::Tensor;
/// let w = Parameter::new(Tensor::from(1.0))?;
/// let mut sgd = Sgd::new(vec![w.clone()], 0.1);
/// w.mul(&w)?.backward()?;
/// sgd.step()?;
/// assert_eq!(w.item::<f32>()?, 0.8);
/// # Ok::<(), gradus::Error>(())
/// ```
pub struct Sgd {
    slots: Slots,
    momentum: f64,
    nesterov: bool,
    weight_decay: f64,
}

impl Sgd {
    /// Plain gradient descent with this learning rate.
    pub fn new(parameters: Vec<Parameter>, lr: f64) -> Self {
        let slots = Slots::new("Sgd", &[], parameters, lr);
        Self {
            slots,
            momentum: 0.0,
            nesterov: false,
            weight_decay: 0.0,
        }
    }

    /// With momentum; 0 (none) by default, often 0.9.
    #[must_use]
    pub fn momentum(mut self, momentum: f64) -> Self {
        self.momentum = momentum;
        self.slots.remember(if momentum == 0.0 {
            &[]
        } else {
            &["momentum_buffer"]
        });
        self
    }

    /// With Nesterov's variant of momentum.
    #[must_use]
    pub fn nesterov(mut self, nesterov: bool) -> Self {
        self.nesterov = nesterov;
        self
    }

    /// With an L2 penalty of weight_decay/2·|p|²; 0 by default.
    #[must_use]
    pub fn weight_decay(mut self, weight_decay: f64) -> Self {
        self.weight_decay = weight_decay;
        self
    }
}

impl Optimizer for Sgd {
    fn step(&mut self) -> Result<()> {
        let lr = self.slots.lr;
        let Self {
            momentum,
            nesterov,
            weight_decay,
            ..
        } = *self;
        check("Sgd", "momentum value", momentum, momentum >= 0.0)?;
        check(
            "Sgd",
            "weight_decay value",
            weight_decay,
            weight_decay >= 0.0,
        )?;
        check(
            "Sgd",
            "momentum value (Nesterov momentum requires a momentum)",
            momentum,
            !nesterov || momentum > 0.0,
        )?;
        let plain = Plain { lr, weight_decay };
        if momentum == 0.0 {
            self.slots.step(|_| plain)
        } else {
            self.slots.step(|_| Momentum {
                plain,
                momentum,
                nesterov,
            })
        }
    }
    fn slots(&self) -> &Slots {
        &self.slots
    }
    fn slots_mut(&mut self) -> &mut Slots {
        &mut self.slots
    }
}

/// Down the gradient.
#[derive(Clone, Copy)]
struct Plain {
    lr: f64,
    weight_decay: f64,
}

impl Plain {
    #[inline(always)]
    fn slope<T: Float>(&self, p: T, g: T) -> T {
        g + T::from_f64(self.weight_decay) * p
    }
    #[inline(always)]
    fn down<T: Float>(&self, p: T, slope: T) -> T {
        p - T::from_f64(self.lr) * slope
    }
}

impl Update<0> for Plain {
    #[inline(always)]
    fn update<T: Float>(&self, p: T, g: T, []: [&mut T; 0]) -> T {
        self.down(p, self.slope(p, g))
    }
}

/// Down a velocity that the gradient changes slowly.
#[derive(Clone, Copy)]
struct Momentum {
    plain: Plain,
    momentum: f64,
    nesterov: bool,
}

impl Update<1> for Momentum {
    #[inline(always)]
    fn update<T: Float>(&self, p: T, g: T, [velocity]: [&mut T; 1]) -> T {
        let (slope, momentum) = (self.plain.slope(p, g), T::from_f64(self.momentum));
        *velocity = momentum * *velocity + slope;
        self.plain.down(
            p,
            if self.nesterov {
                slope + momentum * *velocity
            } else {
                *velocity
            },
        )
    }
}
