//! What a model shows on a few batches: numbers that are none, units that are dead, gradients that
//! vanish or explode.

use super::{Finding, Percent, Sickness};
use crate::data::DataLoader;
use crate::nn::{self, Layer, Observation, copied};
use crate::random::{self, Generator};
use crate::train::Objective;
use crate::{Result, Tensor, no_grad};
use std::collections::BTreeMap;

/// Samples that are looked at, in whole batches.
const SAMPLES: usize = 512;

/// The share of units from which on they are dead units.
const DEAD: f64 = 0.5;

/// Of the largest gradient, root mean square.
const VANISHED: f64 = 1e-4;

/// Of a weight's norm.
const EXPLODED: f64 = 50.0;

/// Runs some batches of `data` through the model, there and back, and says what is wrong with it as it
/// is. Layers are seen that run by [`nn::call`], as those of a [`Sequential`](nn::Sequential) do.
/// Gradients are cleared; otherwise the model is as before then.
///
/// # Errors
/// If a sample cannot be read or shapes do not fit.
///
/// ```
/// use gradus::data::{self, DataLoader};
/// use gradus::nn::{self, Module};
/// use gradus::train::{Classification, doctor};
/// use gradus::{Tensor, no_grad};
///
/// let data = DataLoader::new(data::digits()?.train, 64)?;
/// let hidden = nn::Linear::new(64, 20)?;
/// no_grad(|| hidden.state_dict()["bias"].copy_(&Tensor::from(-100.0)))?;
/// let net = nn::Sequential::new().add(nn::Flatten).add(hidden).add(nn::Relu).add(nn::Linear::new(20, 10)?);
/// let findings = doctor::check_model(&net, &Classification, &data)?;
/// assert_eq!(findings[0].layer.as_deref(), Some("2"));
/// assert!(findings[0].symptom.contains("20 of 20 units"));
/// # Ok::<(), gradus::Error>(())
/// ```
pub fn check_model(
    model: &dyn Layer,
    objective: &dyn Objective,
    data: &DataLoader,
) -> Result<Vec<Finding>> {
    // Normalisations learn from every batch.
    let state = copied(&model.state_dict())?;
    model.train(true);
    model.parameters().iter().for_each(|p| p.zero_grad());
    let findings = random::scoped(Generator::new(0), || look(model, objective, data));
    model.parameters().iter().for_each(|p| p.zero_grad());
    model.load_state_dict(&state)?;
    findings
}

fn look(model: &dyn Layer, objective: &dyn Objective, data: &DataLoader) -> Result<Vec<Finding>> {
    let mut units = BTreeMap::<String, Vec<bool>>::new();
    let (mut batches, mut samples, mut saturating) = (0, 0, false);
    let mut scale = 0.0f64;
    for batch in data.iter_from(0, 0) {
        let (x, y) = batch?;
        let (outputs, seen) = nn::observe(|| nn::call("model", model, &x));
        let outputs = outputs?;
        let loss = objective.loss(&outputs, &y)?;
        if !loss.item::<f64>()?.is_finite() {
            let why = match not_finite(&seen, &x) {
                None if !finite(&y) => Some(Finding::new(
                    Sickness::NotFinite,
                    "the targets are not finite".into(),
                    "missing values in the data",
                    "fill them or leave these samples out",
                )),
                why => why,
            };
            let loss_alone = || {
                Finding::new(
                    Sickness::NotFinite,
                    "the loss is not finite although every layer's output is".into(),
                    "a loss that is not defined for these outputs, such as the logarithm of 0",
                    "the loss that takes logits instead of probabilities",
                )
            };
            return Ok(vec![why.unwrap_or_else(loss_alone)]);
        }
        for seen in &seen {
            saturating |= matches!(&seen.layer[..], "Sigmoid" | "Tanh");
            if matches!(&seen.layer[..], "Relu" | "Relu6") && seen.output.ndim() > 1 {
                let alive = alive(&seen.output)?;
                let before = units
                    .entry(path(seen))
                    .or_insert_with(|| vec![false; alive.len()]);
                before.iter_mut().zip(alive).for_each(|(a, b)| *a |= b);
            }
        }
        loss.backward()?;
        scale = scale.max(root_mean_square(&x)?);
        batches += 1;
        samples += x.shape().first().copied().unwrap_or(1);
        if samples >= SAMPLES {
            break;
        }
    }
    let mut findings = dead(&units, samples);
    let all_dead = |alive: &Vec<bool>| alive.iter().all(|alive| !alive);
    findings.extend(gradients(
        model,
        batches.max(1),
        scale,
        saturating,
        units.values().any(all_dead),
    )?);
    Ok(findings)
}

/// Whether each unit, or channel, was above 0 anywhere.
fn alive(output: &Tensor) -> Result<Vec<bool>> {
    let by_unit = output.detach().transpose(0, 1)?.flatten(1, -1)?;
    let largest = by_unit.amax(1)?.to_vec::<f64>()?;
    Ok(largest.into_iter().map(|x| x > 0.0).collect())
}

fn dead(units: &BTreeMap<String, Vec<bool>>, samples: usize) -> Vec<Finding> {
    let sick = units.iter().filter_map(|(path, alive)| {
        let (dead, all) = (alive.iter().filter(|alive| !*alive).count(), alive.len());
        let share = dead as f64 / all.max(1) as f64;
        (share >= DEAD).then(|| {
            let finding = Finding::new(
                Sickness::DeadUnits,
                format!(
                    "at {path}, {dead} of {all} units ({}) are 0 for all of {samples} samples: \
                     nothing comes through, and no gradient comes back",
                    Percent(share)
                ),
                "a step that was too long, or a bias or weights that begin far below 0",
                "a smaller learning rate, He initialisation, leaky-relu, or a normalisation before it",
            );
            finding.at(path)
        })
    });
    sick.collect()
}

/// The sizes of the gradients of weights, which are as many walks' sums as there were batches.
fn gradients(
    model: &dyn Layer,
    batches: usize,
    scale: f64,
    saturating: bool,
    blocked: bool,
) -> Result<Vec<Finding>> {
    let mut sizes = Vec::new();
    for (path, weight) in model.named_parameters() {
        // A bias before a normalisation has no gradient, and that is as it should be.
        let Some(grad) = weight.grad().filter(|_| weight.ndim() > 1) else {
            continue;
        };
        let size = root_mean_square(&grad)? / batches as f64;
        sizes.push((path, size, root_mean_square(&weight)?));
    }
    let mut findings = Vec::new();
    let by_size = |a: &&(String, f64, f64), b: &&(String, f64, f64)| a.1.total_cmp(&b.1);
    let (Some(least), Some(most)) = (sizes.iter().min_by(by_size), sizes.iter().max_by(by_size))
    else {
        return Ok(findings);
    };
    if least.1 < VANISHED * most.1 && !blocked {
        let (path, size, _) = least;
        let cause = match saturating {
            true => "sigmoid or tanh one after the other, each of which makes gradients smaller",
            false => {
                "weights that begin too small, or a layer that lets hardly any gradient through"
            }
        };
        let finding = Finding::new(
            Sickness::VanishingGradients,
            format!(
                "the gradient of {path} is {size:.1e} (root mean square), that of {} is {:.1e}: \
                 this layer hardly learns",
                most.0, most.1
            ),
            cause,
            "relu with He initialisation, a normalisation after each layer, residual connections",
        );
        findings.push(finding.at(path));
    }
    let ratio = |(_, gradient, weight): &(String, f64, f64)| gradient / weight;
    let worst = sizes
        .iter()
        .filter(|s| s.2 > 0.0)
        .max_by(|a, b| ratio(a).total_cmp(&ratio(b)));
    if let Some(worst) = worst.filter(|worst| ratio(worst) > EXPLODED) {
        let (path, size, weight) = worst;
        let (cause, advice) = if scale > 10.0 {
            let cause = format!("inputs that are large, {scale:.1e} (root mean square)");
            (cause, "inputs brought to mean 0 and standard deviation 1")
        } else {
            let cause = "weights that begin too large, or targets of large numbers".to_string();
            (
                cause,
                "the usual initial weights, targets brought to standard deviation 1, gradients \
                 clipped to a norm of 1",
            )
        };
        let finding = Finding::new(
            Sickness::ExplodingGradients,
            format!(
                "the gradient of {path} is {size:.1e} (root mean square), {:.0} times as large as \
                 its weights ({weight:.1e})",
                ratio(worst)
            ),
            cause,
            advice,
        );
        findings.push(finding.at(path));
    }
    Ok(findings)
}

fn root_mean_square(x: &Tensor) -> Result<f64> {
    let norm = no_grad(|| x.to_dtype(crate::DType::F64)?.norm(2, ..)?.item::<f64>())?;
    Ok(norm / (x.numel().max(1) as f64).sqrt())
}

/// What was the first that was infinite or NaN: the input, or a layer's output.
pub(in crate::train) fn not_finite(seen: &[Observation], x: &Tensor) -> Option<Finding> {
    if !finite(x) {
        return Some(Finding::new(
            Sickness::NotFinite,
            "the input itself is not finite".into(),
            "missing values in the data",
            "fill them or leave these samples out",
        ));
    }
    let first = seen.iter().find(|seen| !finite(&seen.output))?;
    let path = path(first);
    let finding = Finding::new(
        Sickness::NotFinite,
        format!(
            "the first module whose output was not finite is {path} {}",
            first.layer
        ),
        "weights that became too large or are no numbers themselves, or a function that is not \
         defined there",
        "a smaller learning rate, gradients clipped to a norm of 1",
    );
    Some(finding.at(&path))
}

fn path(seen: &Observation) -> String {
    let path = seen.path.strip_prefix("model.");
    path.unwrap_or(&seen.path).to_string()
}

/// Whether every element is neither infinite nor NaN.
pub(in crate::train) fn finite(x: &Tensor) -> bool {
    x.to_vec::<f64>()
        .is_ok_and(|x| x.iter().all(|x| x.is_finite()))
}
