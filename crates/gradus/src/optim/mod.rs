//! Optimizers: how parameters follow their gradients. In order of difficulty: [`Sgd`], [`Adam`],
//! [`AdamW`].

mod adam;
mod sgd;
mod slots;

pub use adam::{Adam, AdamW};
pub use sgd::Sgd;
pub use slots::Slots;

use crate::nn::{Parameter, StateDict};
use crate::{Error, Kind, Result};

/// What every optimizer does.
pub trait Optimizer: Send {
    /// Changes every parameter by its gradient.
    ///
    /// # Errors
    /// If a parameter that is not frozen got no gradient (the message names it), or a setting is out
    /// of range. No parameter is changed then.
    fn step(&mut self) -> Result<()>;

    /// The parameters and what is remembered about each.
    fn slots(&self) -> &Slots;

    /// The same, to be changed.
    fn slots_mut(&mut self) -> &mut Slots;

    /// The learning rate.
    fn lr(&self) -> f64 {
        self.slots().lr
    }

    /// Changes the learning rate.
    fn set_lr(&mut self, lr: f64) {
        self.slots_mut().lr = lr;
    }

    /// Clears the gradient of every parameter.
    fn zero_grad(&self) {
        self.slots().parameters().for_each(|p| p.zero_grad());
    }

    /// What the optimizer remembers, by parameter number and name, such as `0.momentum_buffer`.
    fn state_dict(&self) -> StateDict {
        self.slots().state_dict()
    }

    /// Takes up what another run remembered.
    ///
    /// # Errors
    /// If it belongs to another optimizer or to other parameters; then nothing is changed.
    fn load_state_dict(&mut self, state: &StateDict) -> Result<()> {
        self.slots_mut().load_state_dict(state)
    }
}

/// The names that [`optimizer`] knows.
pub const OPTIMIZERS: &[&str] = &["sgd", "adam", "adamw"];

/// The optimizer of this name. `momentum` is for `sgd` alone; `weight_decay` is decoupled for
/// `adamw`, an L2 penalty otherwise.
///
/// # Errors
/// For an unknown name, or a momentum where there is none.
pub fn optimizer(
    name: &str,
    parameters: Vec<Parameter>,
    lr: f64,
    momentum: f64,
    weight_decay: f64,
) -> Result<Box<dyn Optimizer>> {
    if momentum != 0.0 && name != "sgd" {
        return Err(Error::new(
            Kind::Value,
            format!("momentum is a setting of sgd, not of {name}"),
        ));
    }
    match name {
        "sgd" => Ok(Box::new(
            Sgd::new(parameters, lr)
                .momentum(momentum)
                .weight_decay(weight_decay),
        )),
        "adam" => Ok(Box::new(
            Adam::new(parameters, lr).weight_decay(weight_decay),
        )),
        "adamw" => Ok(Box::new(
            AdamW::new(parameters, lr).weight_decay(weight_decay),
        )),
        _ => Err(Error::new(
            Kind::Value,
            format!(
                "unknown optimizer '{name}'; the known ones are {}",
                OPTIMIZERS.join(", ")
            ),
        )),
    }
}

/// An error unless `value` is within the range of a setting.
fn check(optimizer: &str, name: &str, value: f64, valid: bool) -> Result<()> {
    if valid {
        return Ok(());
    }
    Err(Error::new(
        Kind::Value,
        format!("{optimizer}: Invalid {name}: {value}"),
    ))
}
