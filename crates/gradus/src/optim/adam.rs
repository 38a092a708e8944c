//! Adaptive moments.

use super::{Optimizer, Slots, check};
use crate::nn::Parameter;
use crate::ops::Update;
use crate::{Float, Result};

/// Adam (Kingma and Ba, 2015): steps of about `lr`, by the average gradient over the root of the
/// average square.
///
/// ```
/// use gradus::nn::Parameter;
/// use gradus::optim::{Adam, Optimizer};
/// use gradus::Tensor;
/// let w = Parameter::new(Tensor::from(1.0))?;
/// let mut adam = Adam::new(vec![w.clone()], 0.1);
/// w.mul(&w)?.backward()?;
/// adam.step()?;
/// // The first step is lr in the direction of the gradient, whatever its size.
/// assert!((w.item::<f32>()? - 0.9).abs() < 1e-6);
/// # Ok::<(), gradus::Error>(())
/// ```
pub struct Adam {
    name: &'static str,
    slots: Slots,
    betas: (f64, f64),
    eps: f64,
    weight_decay: f64,
    /// Whether the weight decay leaves the moments alone.
    decoupled: bool,
}

impl Adam {
    /// With this learning rate (often 0.001), betas (0.9, 0.999) and eps 1e-8.
    pub fn new(parameters: Vec<Parameter>, lr: f64) -> Self {
        Self::named("Adam", parameters, lr)
    }

    fn named(name: &'static str, parameters: Vec<Parameter>, lr: f64) -> Self {
        let slots = Slots::new(name, &["exp_avg", "exp_avg_sq"], parameters, lr);
        Self {
            name,
            slots,
            betas: (0.9, 0.999),
            eps: 1e-8,
            weight_decay: 0.0,
            decoupled: false,
        }
    }

    /// How slowly the averages of the gradient and of its square forget; (0.9, 0.999) by default.
    #[must_use]
    pub fn betas(mut self, beta1: f64, beta2: f64) -> Self {
        self.betas = (beta1, beta2);
        self
    }

    /// What is added to the root of the average square; 1e-8 by default.
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

impl Optimizer for Adam {
    fn step(&mut self) -> Result<()> {
        let lr = self.slots.lr;
        let Self {
            name,
            betas: (beta1, beta2),
            eps,
            weight_decay,
            decoupled,
            ..
        } = *self;
        check(
            name,
            "beta parameter at index 0",
            beta1,
            (0.0..1.0).contains(&beta1),
        )?;
        check(
            name,
            "beta parameter at index 1",
            beta2,
            (0.0..1.0).contains(&beta2),
        )?;
        check(name, "epsilon value", eps, eps >= 0.0)?;
        check(
            name,
            "weight_decay value",
            weight_decay,
            weight_decay >= 0.0,
        )?;
        self.slots.step(|step| Rule {
            beta1,
            beta2,
            eps,
            // The averages begin at 0; these two factors undo it.
            scale: lr / (1.0 - beta1.powf(step as f64)),
            root: (1.0 - beta2.powf(step as f64)).sqrt(),
            shrink: if decoupled {
                1.0 - lr * weight_decay
            } else {
                1.0
            },
            l2: if decoupled { 0.0 } else { weight_decay },
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
    beta1: f64,
    beta2: f64,
    eps: f64,
    scale: f64,
    root: f64,
    shrink: f64,
    l2: f64,
}

impl Update<2> for Rule {
    #[inline(always)]
    fn update<T: Float>(&self, p: T, g: T, [m, v]: [&mut T; 2]) -> T {
        let c = T::from_f64;
        let g = g + c(self.l2) * p;
        *m = c(self.beta1) * *m + c(1.0 - self.beta1) * g;
        *v = c(self.beta2) * *v + c(1.0 - self.beta2) * g * g;
        c(self.shrink) * p - c(self.scale) * *m / (v.sqrt() / c(self.root) + c(self.eps))
    }
}

/// Adam with decoupled weight decay (Loshchilov and Hutter, 2019): parameters also shrink by
/// lr·weight_decay a step, however large their gradients are.
///
/// ```
/// use gradus::nn::Parameter;
/// use gradus::optim::{AdamW, Optimizer};
/// use gradus::Tensor;
/// let w = Parameter::new(Tensor::from(1.0))?;
/// let mut adam = AdamW::new(vec![w.clone()], 0.1).weight_decay(0.5);
/// w.mul(0.0)?.backward()?;
/// adam.step()?;
/// assert_eq!(w.item::<f32>()?, 0.95);
/// # Ok::<(), gradus::Error>(())
/// ```
pub struct AdamW(Adam);

impl AdamW {
    /// With this learning rate, betas (0.9, 0.999), eps 1e-8 and weight decay 0.01.
    pub fn new(parameters: Vec<Parameter>, lr: f64) -> Self {
        Self(Adam {
            decoupled: true,
            weight_decay: 0.01,
            ..Adam::named("AdamW", parameters, lr)
        })
    }

    /// See [`Adam::betas`].
    #[must_use]
    pub fn betas(self, beta1: f64, beta2: f64) -> Self {
        Self(self.0.betas(beta1, beta2))
    }

    /// See [`Adam::eps`].
    #[must_use]
    pub fn eps(self, eps: f64) -> Self {
        Self(self.0.eps(eps))
    }

    /// How fast parameters shrink; 0.01 by default.
    #[must_use]
    pub fn weight_decay(self, weight_decay: f64) -> Self {
        Self(self.0.weight_decay(weight_decay))
    }
}

impl Optimizer for AdamW {
    fn step(&mut self) -> Result<()> {
        self.0.step()
    }
    fn slots(&self) -> &Slots {
        self.0.slots()
    }
    fn slots_mut(&mut self) -> &mut Slots {
        self.0.slots_mut()
    }
}
