//! Optimizers: how parameters follow their gradients. In order of difficulty: [`Sgd`], [`Adagrad`],
//! [`Rmsprop`], [`Adadelta`], [`Adam`], [`AdamW`]. For a few parameters and many measurements there is
//! [`least_squares`].

mod adadelta;
mod adagrad;
mod adam;
mod ema;
mod least_squares;
pub mod lr_scheduler;
mod rmsprop;
mod sgd;
mod slots;

pub use adadelta::Adadelta;
pub use adagrad::Adagrad;
pub use adam::{Adam, AdamW};
pub use ema::Ema;
pub use least_squares::{LeastSquares, LevenbergMarquardt, Status, least_squares};
pub use rmsprop::Rmsprop;
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
pub const OPTIMIZERS: &[&str] = &["sgd", "adam", "adamw", "rmsprop", "adagrad", "adadelta"];

/// Those of [`OPTIMIZERS`] that take a momentum.
pub const WITH_MOMENTUM: &[&str] = &["sgd", "rmsprop"];

/// The optimizer of this name. `momentum` is for those of [`WITH_MOMENTUM`]; `weight_decay` is
/// decoupled for `adamw`, an L2 penalty otherwise.
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
    if momentum != 0.0 {
        check_momentum(name)?;
    }
    Ok(match name {
        "sgd" => Box::new(
            Sgd::new(parameters, lr)
                .momentum(momentum)
                .weight_decay(weight_decay),
        ),
        "adam" => Box::new(Adam::new(parameters, lr).weight_decay(weight_decay)),
        "adamw" => Box::new(AdamW::new(parameters, lr).weight_decay(weight_decay)),
        "rmsprop" => Box::new(
            Rmsprop::new(parameters, lr)
                .momentum(momentum)
                .weight_decay(weight_decay),
        ),
        "adagrad" => Box::new(Adagrad::new(parameters, lr).weight_decay(weight_decay)),
        "adadelta" => Box::new(Adadelta::new(parameters, lr).weight_decay(weight_decay)),
        _ => {
            return Err(Error::new(
                Kind::Value,
                format!(
                    "unknown optimizer '{name}'; the known ones are {}",
                    OPTIMIZERS.join(", ")
                ),
            ));
        }
    })
}

/// An error unless the optimizer of this name takes a momentum.
pub(crate) fn check_momentum(name: &str) -> Result<()> {
    if WITH_MOMENTUM.contains(&name) {
        return Ok(());
    }
    let owners = WITH_MOMENTUM.join(" and ");
    let message = format!("momentum is a setting of {owners}, not of {name}");
    Err(Error::new(Kind::Value, message))
}

/// A learning rate that suits the optimizer of this name: PyTorch's, but 0.1 for `sgd`.
pub(crate) fn usual_lr(name: &str) -> f64 {
    match name {
        "sgd" => 0.1,
        "rmsprop" | "adagrad" => 0.01,
        "adadelta" => 1.0,
        _ => 0.001,
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
