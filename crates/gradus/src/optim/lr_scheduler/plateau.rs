//! A learning rate that falls when nothing gets better any more.

use super::invalid;
use crate::Result;

/// Times `factor` when a metric has not become better for more than `patience` epochs. It is a function
/// of all metrics so far, so it has nothing to save.
///
/// ```
/// use gradus::optim::lr_scheduler::ReduceLrOnPlateau;
/// let plateau = ReduceLrOnPlateau::new(2).factor(0.5)?;
/// assert_eq!(plateau.lr(1.0, &[0.9, 0.8, 0.8, 0.8]), 1.0);
/// assert_eq!(plateau.lr(1.0, &[0.9, 0.8, 0.8, 0.8, 0.8]), 0.5);
/// # Ok::<(), gradus::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct ReduceLrOnPlateau {
    mode: Mode,
    factor: f64,
    patience: usize,
    threshold: Threshold,
    cooldown: usize,
    min_lr: f64,
    eps: f64,
}

/// Which metrics are the better ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The smaller ones, such as losses.
    Min,
    /// The larger ones, such as accuracies.
    Max,
}

/// By how much a metric must be better than the best to count as better.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Threshold {
    /// By this share of the best.
    Rel(f64),
    /// By this.
    Abs(f64),
}

impl Mode {
    /// Whether `metric` is better than `best` by the threshold.
    pub(crate) fn is_better(self, metric: f64, best: Option<f64>, threshold: Threshold) -> bool {
        let Some(best) = best else {
            return !metric.is_nan();
        };
        match (self, threshold) {
            (Self::Min, Threshold::Rel(share)) => metric < best * (1.0 - share),
            (Self::Min, Threshold::Abs(by)) => metric < best - by,
            (Self::Max, Threshold::Rel(share)) => metric > best * (1.0 + share),
            (Self::Max, Threshold::Abs(by)) => metric > best + by,
        }
    }
}

impl ReduceLrOnPlateau {
    /// With this patience (10 in PyTorch): for metrics whose smaller values are better, factor 0.1,
    /// threshold 1e-4 of the best, without cooldown or least learning rate.
    pub fn new(patience: usize) -> Self {
        Self {
            mode: Mode::Min,
            factor: 0.1,
            patience,
            threshold: Threshold::Rel(1e-4),
            cooldown: 0,
            min_lr: 0.0,
            eps: 1e-8,
        }
    }

    /// Which metrics are better; the smaller ones by default.
    #[must_use]
    pub fn mode(mut self, mode: Mode) -> Self {
        self.mode = mode;
        self
    }

    /// The factor; 0.1 by default.
    ///
    /// # Errors
    /// If it is not at least 0 and below 1.
    pub fn factor(mut self, factor: f64) -> Result<Self> {
        if !(0.0..1.0).contains(&factor) {
            let rule = format_args!("factor must be at least 0 and below 1, not {factor}");
            return Err(invalid("ReduceLrOnPlateau", rule));
        }
        self.factor = factor;
        Ok(self)
    }

    /// By how much a metric must be better; by 1e-4 of the best by default.
    #[must_use]
    pub fn threshold(mut self, threshold: Threshold) -> Self {
        self.threshold = threshold;
        self
    }

    /// The epochs after a fall in which nothing is counted; 0 by default.
    #[must_use]
    pub fn cooldown(mut self, cooldown: usize) -> Self {
        self.cooldown = cooldown;
        self
    }

    /// The least learning rate; 0 by default.
    #[must_use]
    pub fn min_lr(mut self, min_lr: f64) -> Self {
        self.min_lr = min_lr;
        self
    }

    /// The least change: a fall by less is left out; 1e-8 by default.
    #[must_use]
    pub fn eps(mut self, eps: f64) -> Self {
        self.eps = eps;
        self
    }

    /// The learning rate after these metrics, one an epoch; `base` is the optimizer's own.
    pub fn lr(&self, base: f64, metrics: &[f64]) -> f64 {
        let (mut lr, mut best, mut bad, mut cooldown) = (base, None, 0, 0);
        for &metric in metrics {
            if self.mode.is_better(metric, best, self.threshold) {
                best = Some(metric);
                bad = 0;
            } else {
                bad += 1;
            }
            if cooldown > 0 {
                cooldown -= 1;
                bad = 0;
            }
            if bad > self.patience {
                let lower = (lr * self.factor).max(self.min_lr);
                if lr - lower > self.eps {
                    lr = lower;
                }
                cooldown = self.cooldown;
                bad = 0;
            }
        }
        lr
    }
}
