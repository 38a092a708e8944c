//! Which learning rate to train with: a short run in which it rises.

use super::Objective;
use crate::data::DataLoader;
use crate::nn::{Layer, copied};
use crate::optim::Optimizer;
use crate::plot::{self, Panel, Series};
use crate::random::{self, Generator};
use crate::{Error, Kind, Result, no_grad};
use std::ops::RangeInclusive;

/// How slowly the average of the losses forgets.
const SMOOTH: f64 = 0.9;

/// Batches whose loss is measured before the first step: where the average begins.
const BEFORE: usize = 20;

/// What [`lr_find`] saw.
#[derive(Clone, Debug, PartialEq)]
pub struct LrFind {
    /// Learning rates, and the training loss at each, averaged over those before.
    pub points: Vec<(f64, f64)>,
    /// A tenth of the learning rate at which the loss was smallest: there it still falls. None if it never
    /// fell by more than batches differ.
    pub suggestion: Option<f64>,
}

/// The learning-rate range test (Smith, "Cyclical learning rates", 2017): trains a model for
/// `steps` batches while the learning rate rises by equal factors over `range`, and ends when the loss
/// is four times the smallest. The model and the optimizer are as before then.
///
/// # Errors
/// If the range is not above 0 and rising, there are fewer than two steps or no batches, a sample
/// cannot be read, shapes do not fit, or the first losses are not finite.
///
/// ```
/// use gradus::data::{self, DataLoader};
/// use gradus::nn::{self, Module};
/// use gradus::{optim::Sgd, train};
/// let data = DataLoader::new(data::digits()?.train, 64)?.shuffle(0);
/// let net = nn::Sequential::new().add(nn::Flatten).add(nn::Linear::new(64, 10)?);
/// let mut sgd = Sgd::new(net.parameters(), 0.1);
/// let found = train::lr_find(&net, &mut sgd, &train::Classification, &data, 1e-4..=10.0, 60)?;
/// assert!(found.suggestion.is_some_and(|lr| lr > 1e-3 && lr < 10.0));
/// assert!(found.svg().starts_with("<svg"));
/// # Ok::<(), gradus::Error>(())
/// ```
pub fn lr_find(
    model: &dyn Layer,
    optimizer: &mut dyn Optimizer,
    objective: &dyn Objective,
    data: &DataLoader,
    range: RangeInclusive<f64>,
    steps: usize,
) -> Result<LrFind> {
    let (least, most) = (*range.start(), *range.end());
    if !(least > 0.0 && least < most && most.is_finite()) || steps < 2 || data.is_empty() {
        let message = format!(
            "lr_find: expected a range of learning rates above 0, at least 2 steps and some data, got \
             {least} to {most}, {steps} steps and {} batches",
            data.len()
        );
        return Err(Error::new(Kind::Value, message));
    }
    let (state, lr) = (copied(&model.state_dict())?, optimizer.lr());
    let moments = copied(&optimizer.state_dict())?;
    let factor = (most / least).powf(1.0 / (steps - 1) as f64);
    let points = rise(
        model,
        optimizer,
        objective,
        data,
        (0..steps).map(|i| least * factor.powf(i as f64)),
    );
    // Also after an error.
    optimizer.set_lr(lr);
    optimizer.zero_grad();
    model.load_state_dict(&state)?;
    optimizer.load_state_dict(&moments)?;
    let (points, noise) = points?;
    let first = points.first().map_or(0.0, |point| point.1);
    let least = points.iter().min_by(|a, b| a.1.total_cmp(&b.1));
    let fell = least.filter(|point| first - point.1 > 3.0 * noise);
    let suggestion = fell.map(|(lr, _)| lr / 10.0);
    Ok(LrFind { points, suggestion })
}

/// A step at each learning rate and the average loss at each, and how much the average would vary if
/// nothing was learned (one standard deviation).
fn rise(
    model: &dyn Layer,
    optimizer: &mut dyn Optimizer,
    objective: &dyn Objective,
    data: &DataLoader,
    rates: impl Iterator<Item = f64>,
) -> Result<(Vec<(f64, f64)>, f64)> {
    model.train(true);
    let mut batches = (0..).flat_map(|epoch| data.iter_from(epoch, 0));
    let mut step = 0;
    let mut next = || {
        let Some(batch) = batches.next() else {
            return Err(Error::new(Kind::Data, "lr_find: there are no batches"));
        };
        let (x, y) = batch?;
        step += 1;
        random::scoped(Generator::from_parts(&[step]), || {
            objective.loss(&model.forward(&x)?, &y)
        })
    };
    let before = (0..BEFORE).map(|_| no_grad(&mut next)?.item::<f64>());
    let before = before.collect::<Result<Vec<f64>>>()?;
    let mut average = before.iter().sum::<f64>() / BEFORE as f64;
    if !average.is_finite() {
        let message = format!("lr_find: the loss of the first batches is {average} already");
        return Err(Error::new(Kind::Value, message));
    }
    let squares = before
        .iter()
        .map(|loss| (loss - average).powi(2))
        .sum::<f64>();
    let deviation = (squares / (BEFORE - 1) as f64).sqrt();
    let mut points: Vec<(f64, f64)> = vec![];
    let mut least = average;
    for lr in rates {
        let loss = next()?;
        average = SMOOTH * average + (1.0 - SMOOTH) * loss.item::<f64>()?;
        least = least.min(average);
        if !average.is_finite() || average > 4.0 * least {
            break;
        }
        points.push((lr, average));
        optimizer.set_lr(lr);
        optimizer.zero_grad();
        loss.backward()?;
        optimizer.step()?;
    }
    // An average that forgets so varies by this share of what it is of.
    let noise = deviation * ((1.0 - SMOOTH) / (1.0 + SMOOTH)).sqrt();
    Ok((points, noise))
}

impl LrFind {
    /// The loss over the learning rate, on a logarithmic axis, as an SVG picture.
    pub fn svg(&self) -> String {
        plot::curves(&[self.panel()])
    }

    /// What [`svg`](LrFind::svg) draws: for [`plot::curves_text`], or beside others.
    pub fn panel(&self) -> Panel {
        // As people would type it: the test is no more exact.
        let short = |lr: f64| format!("{lr:.2e}").parse().unwrap_or(lr);
        let suggested = self
            .suggestion
            .map(|lr| format!(", suggested: {:?}", short(lr)));
        // The point beside it.
        let mark = self.suggestion.and_then(|lr| {
            let apart = |point: &(f64, f64)| (point.0 / lr).ln().abs();
            let points = self.points.iter();
            points.min_by(|a, b| apart(a).total_cmp(&apart(b)))
        });
        Panel {
            title: format!("learning-rate range test{}", suggested.unwrap_or_default()),
            x_label: "learning rate".into(),
            y_label: "training loss".into(),
            series: vec![Series {
                name: "loss".into(),
                points: self.points.clone(),
            }],
            dots: Vec::from_iter(mark.map(|&point| Series {
                name: "suggested".into(),
                points: vec![point],
            })),
            log: [true, false],
        }
    }
}
