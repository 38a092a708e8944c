//! What optimizers share: the parameters, what is remembered about each, the learning rate, and the
//! step over all.

use super::check;
use crate::nn::{Parameter, StateDict};
use crate::ops::Update;
use crate::{DType, Error, Kind, Result, Tensor};

/// Parameters, what an optimizer remembers about each of them, and the learning rate.
pub struct Slots {
    optimizer: &'static str,
    names: &'static [&'static str],
    slots: Vec<Slot>,
    /// The learning rate.
    pub(super) lr: f64,
}

struct Slot {
    parameter: Parameter,
    /// Steps this parameter has taken.
    steps: u64,
    /// One tensor for each of the names, from the first step on.
    state: Vec<Tensor>,
}

impl Slots {
    /// `optimizer` is for messages; `names` are what is remembered, zeros at first.
    pub(super) fn new(
        optimizer: &'static str,
        names: &'static [&'static str],
        parameters: Vec<Parameter>,
        lr: f64,
    ) -> Self {
        let slots = parameters.into_iter().map(|parameter| Slot {
            parameter,
            steps: 0,
            state: Vec::new(),
        });
        Self {
            optimizer,
            names,
            slots: slots.collect(),
            lr,
        }
    }

    /// Changes what is remembered, before the first step.
    pub(super) fn remember(&mut self, names: &'static [&'static str]) {
        self.names = names;
    }

    /// The parameters in the order they were given.
    pub fn parameters(&self) -> impl Iterator<Item = &Parameter> {
        self.slots.iter().map(|slot| &slot.parameter)
    }

    /// Changes every parameter that is not frozen by `rule(number of this step)`, steps counting
    /// from 1. N is the number of tensors remembered.
    pub(super) fn step<const N: usize, U: Update<N>>(
        &mut self,
        rule: impl Fn(u64) -> U,
    ) -> Result<()> {
        check(self.optimizer, "learning rate", self.lr, self.lr >= 0.0)?;
        let missing = self
            .slots
            .iter()
            .position(|slot| slot.parameter.requires_grad() && slot.parameter.grad().is_none());
        if let Some(i) = missing {
            let parameter = &self.slots[i].parameter;
            let name = parameter
                .name()
                .map_or(format!("number {i}"), |name| format!("'{name}'"));
            return Err(Error::new(
                Kind::Autograd,
                format!(
                    "{}: parameter {name} of shape {:?} got no gradient: the loss does not depend on it, or backward() \
                     was not called since zero_grad(). Use it in forward, or freeze() it",
                    self.optimizer,
                    parameter.shape()
                ),
            ));
        }
        for Slot {
            parameter,
            steps,
            state,
        } in &mut self.slots
        {
            let Some(grad) = parameter.grad().filter(|_| parameter.requires_grad()) else {
                continue;
            };
            if state.len() != N {
                *state = (0..N)
                    .map(|_| parameter.zeros_like())
                    .collect::<Result<_>>()?;
            }
            *steps += 1;
            parameter.update_(
                &grad,
                std::array::from_fn::<_, N, _>(|i| &state[i]),
                &rule(*steps),
            )?;
        }
        Ok(())
    }

    pub(super) fn state_dict(&self) -> StateDict {
        let mut dict = StateDict::new();
        for (i, slot) in self
            .slots
            .iter()
            .enumerate()
            .filter(|(_, slot)| slot.steps > 0)
        {
            // Steps beyond 2⁵³ would lose digits; at a million a second that takes 285 years.
            let steps =
                Tensor::full((), slot.steps as f64, DType::I64).expect("one number fits in memory");
            dict.insert(format!("{i}.step"), steps);
            for (name, tensor) in self.names.iter().zip(&slot.state) {
                dict.insert(format!("{i}.{name}"), tensor.clone());
            }
        }
        dict
    }

    pub(super) fn load_state_dict(&mut self, dict: &StateDict) -> Result<()> {
        let foreign = |what: String| {
            Error::new(
                Kind::Data,
                format!(
                    "{}: the saved state is that of another optimizer or of other parameters: {what}",
                    self.optimizer
                ),
            )
        };
        let mut loaded = Vec::new();
        let mut known = 0;
        for (i, slot) in self.slots.iter().enumerate() {
            let Some(steps) = dict.get(&format!("{i}.step")) else {
                loaded.push((0, Vec::new()));
                continue;
            };
            let steps = u64::try_from(steps.item::<i64>()?)
                .map_err(|_| foreign(format!("{i}.step is negative")))?;
            let state = self.names.iter().map(|name| {
                let key = format!("{i}.{name}");
                let tensor = dict
                    .get(&key)
                    .ok_or_else(|| foreign(format!("'{key}' is missing")))?;
                if tensor.shape() != slot.parameter.shape()
                    || tensor.dtype() != slot.parameter.dtype()
                {
                    return Err(foreign(format!(
                        "'{key}' is {} of shape {:?}, the parameter is {} of shape {:?}",
                        tensor.dtype(),
                        tensor.shape(),
                        slot.parameter.dtype(),
                        slot.parameter.shape()
                    )));
                }
                // A copy of its own: the optimizer will write to it.
                let own = tensor.zeros_like()?;
                own.copy_(tensor)?;
                Ok(own)
            });
            loaded.push((steps, state.collect::<Result<_>>()?));
            known += 1 + self.names.len();
        }
        if known != dict.len() {
            return Err(foreign(format!(
                "it has {} entries, {known} are known",
                dict.len()
            )));
        }
        for (slot, (steps, state)) in self.slots.iter_mut().zip(loaded) {
            (slot.steps, slot.state) = (steps, state);
        }
        Ok(())
    }
}
