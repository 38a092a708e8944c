//! Whether a model can learn anything at all: a single batch, by heart.

use super::rates::descend;
use super::{Finding, Sickness};
use crate::Result;
use crate::data::DataLoader;
use crate::nn::{Layer, copied};
use crate::optim::Optimizer;
use crate::train::Objective;

/// The share of the first loss that has to be left at most.
const LEFT: f64 = 0.1;

/// Trains on the first batch of `data` alone, for so many steps, 200 for instance: a model that cannot
/// learn even that by heart is not wired as it should be. The model and the optimizer are as before
/// then.
///
/// # Errors
/// If a sample cannot be read or shapes do not fit.
///
/// ```
/// use gradus::data::{self, DataLoader};
/// use gradus::nn::{self, Module};
/// use gradus::{optim::Adam, train::{Classification, doctor}};
/// let data = DataLoader::new(data::digits()?.train, 32)?;
/// let net = nn::Sequential::new().add(nn::Flatten).add(nn::Linear::new(64, 10)?);
/// let mut adam = Adam::new(net.parameters(), 0.01);
/// assert_eq!(doctor::check_one_batch(&net, &mut adam, &Classification, &data, 200)?, None);
/// # Ok::<(), gradus::Error>(())
/// ```
pub fn check_one_batch(
    model: &dyn Layer,
    optimizer: &mut dyn Optimizer,
    objective: &dyn Objective,
    data: &DataLoader,
    steps: usize,
) -> Result<Option<Finding>> {
    let Some(batch) = data.iter_from(0, 0).next() else {
        return Ok(None);
    };
    let (x, y) = batch?;
    let weights = copied(&model.state_dict())?;
    let moments = copied(&optimizer.state_dict())?;
    model.train(true);
    let samples = x.shape().first().copied().unwrap_or(1);
    let losses = descend(model, optimizer, objective, &[(x, y)], steps);
    optimizer.zero_grad();
    model.load_state_dict(&weights)?;
    optimizer.load_state_dict(&moments)?;
    let losses = losses?;
    let (Some(first), least) = (
        losses.first(),
        losses.iter().copied().fold(f64::NAN, f64::min),
    ) else {
        return Ok(None);
    };
    if least <= LEFT * first {
        return Ok(None);
    }
    Ok(Some(Finding::new(
        Sickness::CannotLearnOneBatch,
        format!(
            "in {steps} steps on one batch of {samples} samples the loss came from {first:.4} to \
             {least:.4} only"
        ),
        "gradients that do not reach the weights, a model that is too small, a learning rate that \
         does not suit, or equal inputs with different targets",
        "check_model for its layers, a range test of the learning rate, a larger model",
    )))
}
