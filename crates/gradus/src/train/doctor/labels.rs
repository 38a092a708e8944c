//! Whether labels have to do with their samples.

use super::Percent;
use super::history::of_samples;
use crate::data::DataLoader;
use crate::train::{Classification, Objective};
use crate::{Result, Tensor, no_grad};
use std::fmt;

/// Samples that are compared, each with each.
const SAMPLES: usize = 1000;

/// How often the nearest neighbour is of the same class.
pub(super) struct Agreement {
    share: f64,
    /// If labels had nothing to do with inputs: that two samples are of one class.
    expected: f64,
    samples: usize,
}

impl Agreement {
    /// Whether it is no more than luck, three standard deviations of it.
    pub(super) fn is_chance(&self) -> bool {
        let p = self.expected;
        self.share <= p + 3.0 * (p * (1.0 - p) / self.samples as f64).sqrt()
    }
}

impl fmt::Display for Agreement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "of {} samples {} have the class of their nearest neighbour, by chance {} would",
            self.samples,
            Percent(self.share),
            Percent(self.expected)
        )
    }
}

/// Of the first samples of `data`; none unless they are of classes.
pub(super) fn agreement(objective: &dyn Objective, data: &DataLoader) -> Result<Option<Agreement>> {
    if objective.metric() != Classification.metric() {
        return Ok(None);
    }
    let (mut inputs, mut classes) = (Vec::new(), Vec::new());
    for batch in data.iter_from(0, 0) {
        let (x, y) = batch?;
        inputs.push(x.flatten(1, -1)?);
        classes.extend(of_samples(&y, true)?.into_iter().map(|c| c as usize));
        if classes.len() >= SAMPLES {
            break;
        }
    }
    let inputs: Vec<&Tensor> = inputs.iter().collect();
    let x = Tensor::cat(&inputs, 0)?;
    let (n, dtype) = (x.shape()[0], x.dtype());
    if n < 2 {
        return Ok(None);
    }
    let nearest: Vec<i64> = no_grad(|| {
        // Nobody is a neighbour of oneself.
        let oneself = Tensor::eye([n, n], dtype)?.mul(1e30)?;
        // |a − b|² without |a|², which is the same for every neighbour of a.
        let products = x.matmul(&x.transpose(0, 1)?)?;
        let squares = x.mul(&x)?.sum(1)?;
        squares
            .sub(&products.mul(2.0)?)?
            .add(&oneself)?
            .argmin(1)?
            .to_vec()
    })?;
    let same = (0..n).filter(|&i| classes[i] == classes[nearest[i] as usize]);
    let share = same.count() as f64 / n as f64;
    let mut counts = vec![0usize; classes.iter().max().map_or(0, |most| most + 1)];
    classes.iter().for_each(|&class| counts[class] += 1);
    let pairs: usize = counts.iter().map(|&k| k * k.saturating_sub(1)).sum();
    Ok(Some(Agreement {
        share,
        expected: pairs as f64 / (n * (n - 1)) as f64,
        samples: n,
    }))
}
