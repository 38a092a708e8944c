//! Whether another learning rate would do: each is tried for some steps.

use crate::data::DataLoader;
use crate::nn::{Layer, copied};
use crate::optim::Optimizer;
use crate::random::{self, Generator};
use crate::train::Objective;
use crate::{Result, Tensor};

/// Steps with each learning rate, over so many batches.
const STEPS: usize = 60;
const BATCHES: usize = 30;

/// Powers of ten that are tried.
const EXPONENTS: std::ops::RangeInclusive<i32> = -5..=0;

/// What a learning rate did.
#[derive(Clone, Copy)]
pub(super) struct Tried {
    pub(super) lr: f64,
    /// The loss over the last quarter of the steps; infinite if it was no number.
    pub(super) loss: f64,
}

/// What the optimizer's own learning rate and the best of others lead to, from the present weights on,
/// which are kept.
pub(super) fn compare(
    model: &dyn Layer,
    optimizer: &mut dyn Optimizer,
    objective: &dyn Objective,
    data: &DataLoader,
) -> Result<(Tried, Tried)> {
    let batches: Vec<_> = data.iter_from(0, 0).take(BATCHES).collect::<Result<_>>()?;
    let (weights, moments) = (
        copied(&model.state_dict())?,
        copied(&optimizer.state_dict())?,
    );
    let own = optimizer.lr();
    let mut attempt = |lr: f64| {
        optimizer.set_lr(lr);
        model.train(true);
        let losses = descend(model, optimizer, objective, &batches, STEPS);
        optimizer.set_lr(own);
        model.load_state_dict(&weights)?;
        optimizer.load_state_dict(&moments)?;
        let losses = losses?;
        let last = &losses[losses.len() - losses.len().div_ceil(4)..];
        let loss = last.iter().sum::<f64>() / last.len() as f64;
        let loss = if loss.is_finite() {
            loss
        } else {
            f64::INFINITY
        };
        Ok(Tried { lr, loss })
    };
    let mine = attempt(own)?;
    let others: Vec<Tried> = EXPONENTS
        .map(|exponent| attempt(10f64.powi(exponent)))
        .collect::<Result<_>>()?;
    let best = others.into_iter().min_by(|a, b| a.loss.total_cmp(&b.loss));
    Ok((mine, best.unwrap_or(mine)))
}

/// Trains on these batches in turns; the loss before each step, until it is no number.
pub(super) fn descend(
    model: &dyn Layer,
    optimizer: &mut dyn Optimizer,
    objective: &dyn Objective,
    batches: &[(Tensor, Tensor)],
    steps: usize,
) -> Result<Vec<f64>> {
    let mut losses = Vec::new();
    for (step, (x, y)) in batches.iter().cycle().take(steps).enumerate() {
        let loss = random::scoped(Generator::from_parts(&[step as u64]), || {
            objective.loss(&model.forward(x)?, y)
        })?;
        let value = loss.item::<f64>()?;
        losses.push(value);
        if !value.is_finite() {
            break;
        }
        optimizer.zero_grad();
        loss.backward()?;
        optimizer.step()?;
    }
    Ok(losses)
}
