//! Steps by the size of recent gradients.

use super::{Optimizer, Slots, check};
use crate::nn::Parameter;
use crate::ops::Update;
use crate::{Float, Result};

/// RMSprop (Tieleman and Hinton, Coursera lecture 6.5, 2012), in the form that PyTorch uses:
///
/// g ← g + weight_decay·p; s ← alpha·s + (1 − alpha)·g²; p ← p − lr·g/(√s + eps).
///
/// ```
/// use gradus::nn::Parameter;
/// use gradus::optim::{Optimizer, Rmsprop};
/// use gradus::Tensor;
/// let w = Parameter::new(Tensor::from(1.0))?;
/// let mut rmsprop = Rmsprop::new(vec![w.clone()], 0.01);
/// w.mul(&w)?.backward()?;
/// rmsprop.step()?;
/// // The average begins at 0 and has a hundredth of the square: ten times lr.
/// assert!((w.item::<f32>()? - 0.9).abs() < 1e-6);
/// # Ok::<(), gradus::Error>(())
/// ```
pub struct Rmsprop {
    slots: Slots,
    alpha: f64,
    eps: f64,
    weight_decay: f64,
    momentum: f64,
    centered: bool,
}

impl Rmsprop {
    /// With this learning rate (often 0.01), alpha 0.99 and eps 1e-8.
    pub fn new(parameters: Vec<Parameter>, lr: f64) -> Self {
        Self {
            slots: Slots::new("Rmsprop", &["square_avg"], parameters, lr),
            alpha: 0.99,
            eps: 1e-8,
            weight_decay: 0.0,
            momentum: 0.0,
            centered: false,
        }
    }

    /// How slowly the average of the square forgets; 0.99 by default.
    #[must_use]
    pub fn alpha(mut self, alpha: f64) -> Self {
        self.alpha = alpha;
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

    /// With momentum: p follows lr·v, v ← momentum·v + g/(√s + eps); 0 (none) by default.
    #[must_use]
    pub fn momentum(mut self, momentum: f64) -> Self {
        self.momentum = momentum;
        self.remember()
    }

    /// With the variance of the gradient in place of its average square (Graves, 2013); its average
    /// is remembered too. Not by default.
    #[must_use]
    pub fn centered(mut self, centered: bool) -> Self {
        self.centered = centered;
        self.remember()
    }

    /// What the settings need, in the order in which [`Rule`] takes it.
    fn remember(mut self) -> Self {
        self.slots
            .remember(match (self.centered, self.momentum != 0.0) {
                (false, false) => &["square_avg"],
                (false, true) => &["square_avg", "momentum_buffer"],
                (true, false) => &["square_avg", "grad_avg"],
                (true, true) => &["square_avg", "grad_avg", "momentum_buffer"],
            });
        self
    }
}

impl Optimizer for Rmsprop {
    fn step(&mut self) -> Result<()> {
        let lr = self.slots.lr;
        let Self {
            alpha,
            eps,
            weight_decay,
            momentum,
            ..
        } = *self;
        for (name, value) in [
            ("momentum value", momentum),
            ("alpha value", alpha),
            ("epsilon value", eps),
            ("weight_decay value", weight_decay),
        ] {
            check("Rmsprop", name, value, value >= 0.0)?;
        }
        let settings = Settings {
            lr,
            alpha,
            eps,
            weight_decay,
            momentum,
        };
        match (self.centered, momentum != 0.0) {
            (false, false) => self.slots.step::<1, _>(|_| Rule::<false, false>(settings)),
            (false, true) => self.slots.step::<2, _>(|_| Rule::<false, true>(settings)),
            (true, false) => self.slots.step::<2, _>(|_| Rule::<true, false>(settings)),
            (true, true) => self.slots.step::<3, _>(|_| Rule::<true, true>(settings)),
        }
    }
    fn slots(&self) -> &Slots {
        &self.slots
    }
    fn slots_mut(&mut self) -> &mut Slots {
        &mut self.slots
    }
}

#[derive(Clone, Copy)]
struct Settings {
    lr: f64,
    alpha: f64,
    eps: f64,
    weight_decay: f64,
    momentum: f64,
}

/// One step of one number. Whether there are further averages is known to the compiler, so that the
/// loop over the numbers has no branch.
#[derive(Clone, Copy)]
struct Rule<const CENTERED: bool, const MOMENTUM: bool>(Settings);

impl<const N: usize, const CENTERED: bool, const MOMENTUM: bool> Update<N>
    for Rule<CENTERED, MOMENTUM>
{
    #[inline(always)]
    fn update<T: Float>(&self, p: T, g: T, state: [&mut T; N]) -> T {
        let c = T::from_f64;
        let (alpha, rest) = (c(self.0.alpha), c(1.0 - self.0.alpha));
        let g = g + c(self.0.weight_decay) * p;
        *state[0] = alpha * *state[0] + rest * g * g;
        let mut square = *state[0];
        if CENTERED {
            *state[1] = *state[1] + rest * (g - *state[1]);
            let variance = square - *state[1] * *state[1];
            // Rounding can take that of equal gradients below 0.
            square = if variance > c(0.0) { variance } else { c(0.0) };
        }
        let mut step = g / (square.sqrt() + c(self.0.eps));
        if MOMENTUM {
            let velocity = &mut *state[N - 1];
            *velocity = c(self.0.momentum) * *velocity + step;
            step = *velocity;
        }
        p - c(self.0.lr) * step
    }
}
