//! Which learning rate to train with: a short run in which it rises.

use super::Objective;
use crate::data::DataLoader;
use crate::nn::{Layer, copied};
use crate::optim::Optimizer;
use crate::plot::{self, Panel, Series};
use crate::random::{self, Generator};
use crate::{Error, Kind, Result};
use std::ops::RangeInclusive;

/// How slowly the average of the losses forgets.
const SMOOTH: f64 = 0.9;

/// What [`lr_find`] saw.
#[derive(Clone, Debug, PartialEq)]
pub struct LrFind {
    /// Learning rates, and the training loss at each, averaged over those before.
    pub points: Vec<(f64, f64)>,
    /// The learning rate at which the loss fell fastest on its way to the smallest; none if it never
    /// fell.
    pub suggestion: Option<f64>,
}

/// The learning-rate range test (Smith, "Cyclical learning rates", 2017): trains a model for
/// `steps` batches while the learning rate rises by equal factors over `range`, and ends when the loss
/// is four times the smallest. The model and the optimizer are as before then.
///
/// # Errors
/// If the range is not above 0 and rising, there are fewer than two steps or no batches, a sample
/// cannot be read, shapes do not fit, or the first loss is not finite.
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
    let points = points?;
    // Beyond the smallest loss it only falls back from where it had leapt to.
    let least = points
        .iter()
        .enumerate()
        .min_by(|a, b| a.1.1.total_cmp(&b.1.1));
    let until = least.map_or(0, |(at, _)| at + 1);
    let falls = points[..until].windows(2);
    let falls = falls.map(|two| (two[0].1 - two[1].1, two[0].0));
    let steepest = falls.max_by(|a, b| a.0.total_cmp(&b.0));
    let suggestion = steepest.filter(|(fall, _)| *fall > 0.0).map(|(_, lr)| lr);
    Ok(LrFind { points, suggestion })
}

/// A step at each learning rate, and the average loss at each.
fn rise(
    model: &dyn Layer,
    optimizer: &mut dyn Optimizer,
    objective: &dyn Objective,
    data: &DataLoader,
    rates: impl Iterator<Item = f64>,
) -> Result<Vec<(f64, f64)>> {
    model.train(true);
    let mut points: Vec<(f64, f64)> = Vec::new();
    let (mut average, mut least) = (0.0, f64::INFINITY);
    let mut epoch = 0;
    let mut batches = data.iter_from(epoch, 0);
    for (step, lr) in rates.enumerate() {
        let batch = match batches.next() {
            Some(batch) => batch,
            None => {
                epoch += 1;
                batches = data.iter_from(epoch, 0);
                let Some(batch) = batches.next() else { break };
                batch
            }
        };
        let (x, y) = batch?;
        let loss = random::scoped(Generator::from_parts(&[step as u64]), || {
            objective.loss(&model.forward(&x)?, &y)
        })?;
        average = SMOOTH * average + (1.0 - SMOOTH) * loss.item::<f64>()?;
        // The average begins at 0; this undoes it.
        let smooth = average / (1.0 - SMOOTH.powf((step + 1) as f64));
        if step == 0 && !smooth.is_finite() {
            let message = format!("lr_find: the loss of the first batch is {smooth} already");
            return Err(Error::new(Kind::Value, message));
        }
        least = least.min(smooth);
        if !smooth.is_finite() || smooth > 4.0 * least {
            break;
        }
        points.push((lr, smooth));
        optimizer.set_lr(lr);
        optimizer.zero_grad();
        loss.backward()?;
        optimizer.step()?;
    }
    Ok(points)
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
        let at = |point: &&(f64, f64)| Some(point.0) == self.suggestion;
        Panel {
            title: format!("learning-rate range test{}", suggested.unwrap_or_default()),
            x_label: "learning rate".into(),
            y_label: "training loss".into(),
            series: vec![Series {
                name: "loss".into(),
                points: self.points.clone(),
            }],
            dots: Vec::from_iter(self.points.iter().find(at).map(|&point| Series {
                name: "suggested".into(),
                points: vec![point],
            })),
            log: [true, false],
        }
    }
}
