//! Averages of weights.

use crate::nn::{Module, Parameter, StateDict, copied};
use crate::ops::Update;
use crate::{DType, Error, Float, Kind, Result, Tensor};

/// An exponential moving average of a model's parameters, often better at the end of training than the
/// parameters themselves (Polyak and Juditsky, 1992): a ← decay·a + (1 − decay)·p. The first update
/// copies, and buffers are copied always, as by PyTorch's `AveragedModel` with `get_ema_multi_avg_fn`.
///
/// ```
/// use gradus::nn::{Module, Parameter};
/// use gradus::optim::Ema;
/// use gradus::{Tensor, no_grad};
/// let w = Parameter::new(Tensor::from(1.0))?;
/// let mut ema = Ema::new(&w, 0.75)?;
/// ema.update(&w)?;
/// no_grad(|| w.copy_(&Tensor::from(5.0)))?;
/// ema.update(&w)?;
/// // Evaluate, or save, the average: a model of the same kind takes it up.
/// w.load_state_dict(&ema.averages())?;
/// assert_eq!(w.item::<f32>()?, 2.0);
/// # Ok::<(), gradus::Error>(())
/// ```
pub struct Ema {
    decay: f64,
    /// Updates so far.
    updates: u64,
    averages: StateDict,
}

const UPDATES: &str = "n_averaged";
const AVERAGE: &str = "module.";

impl Ema {
    /// Of this model, with a decay such as 0.999: the average is over about 1/(1 − decay) updates.
    ///
    /// # Errors
    /// If the decay is not from 0 to 1, or there is no memory for a copy of the model.
    pub fn new(model: &dyn Module, decay: f64) -> Result<Self> {
        if !(0.0..=1.0).contains(&decay) {
            let message = format!("Ema: decay must be from 0 to 1, not {decay}");
            return Err(Error::new(Kind::Value, message));
        }
        Ok(Self {
            decay,
            updates: 0,
            averages: copied(&model.state_dict())?,
        })
    }

    /// Takes up the present parameters, after a step of the optimizer.
    ///
    /// # Errors
    /// If the model is another one than the first.
    pub fn update(&mut self, model: &dyn Module) -> Result<()> {
        let state = model.state_dict();
        fits(&self.averages, &state)?;
        let learned = model.named_parameters();
        let is_learned = |name: &str| learned.iter().any(|(n, _): &(String, Parameter)| n == name);
        for (name, average) in &self.averages {
            let new = &state[name];
            if self.updates > 0 && is_learned(name) {
                average.update_(new, [], &Towards(1.0 - self.decay))?;
            } else {
                average.copy_(new)?;
            }
        }
        self.updates += 1;
        Ok(())
    }

    /// The averages by path: what [`load_state_dict`](Module::load_state_dict) of a model takes. The
    /// tensors are its own: copy one to keep its present values.
    pub fn averages(&self) -> StateDict {
        self.averages.clone()
    }

    /// What is needed to go on, by PyTorch's names: `n_averaged`, and the averages below `module.`.
    pub fn state_dict(&self) -> StateDict {
        let updates = Tensor::full((), self.updates as f64, DType::I64);
        let averages = self.averages.iter();
        averages
            .map(|(name, t)| (format!("{AVERAGE}{name}"), t.clone()))
            .chain([(UPDATES.into(), updates.expect("one number fits in memory"))])
            .collect()
    }

    /// Takes up what another run averaged.
    ///
    /// # Errors
    /// If it belongs to another model; then nothing is changed.
    pub fn load_state_dict(&mut self, state: &StateDict) -> Result<()> {
        let updates = state.get(UPDATES).map(Tensor::item::<i64>).transpose()?;
        let updates = updates.and_then(|n| u64::try_from(n).ok());
        let updates = updates.ok_or_else(|| foreign(UPDATES))?;
        let averages = state.iter().filter(|(name, _)| *name != UPDATES);
        let averages = averages.map(|(name, t)| {
            let path = name.strip_prefix(AVERAGE).ok_or_else(|| foreign(name))?;
            Ok((path.to_string(), t.clone()))
        });
        let averages = averages.collect::<Result<StateDict>>()?;
        fits(&self.averages, &averages)?;
        (self.updates, self.averages) = (updates, copied(&averages)?);
        Ok(())
    }
}

/// An error unless both have the same names, shapes and dtypes.
fn fits(own: &StateDict, other: &StateDict) -> Result<()> {
    let alike = |name: &String| match (own.get(name), other.get(name)) {
        (Some(a), Some(b)) => a.shape() == b.shape() && a.dtype() == b.dtype(),
        _ => false,
    };
    match own.keys().chain(other.keys()).find(|name| !alike(name)) {
        Some(name) => Err(foreign(name)),
        None => Ok(()),
    }
}

fn foreign(name: &str) -> Error {
    let message = format!("Ema: '{name}' is not the same in both: they are of different models");
    Error::new(Kind::Data, message)
}

/// A share of the way to another number.
#[derive(Clone, Copy)]
struct Towards(f64);

impl Update<0> for Towards {
    #[inline(always)]
    fn update<T: Float>(&self, average: T, new: T, []: [&mut T; 0]) -> T {
        average + T::from_f64(self.0) * (new - average)
    }
}
