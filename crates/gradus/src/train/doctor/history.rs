//! What the figures of the epochs show: nothing learned, learned by heart, learned too long.

use super::{Finding, Percent, Sickness};
use crate::data::DataLoader;
use crate::train::{Classification, Epoch, Objective, Regression};
use crate::{Result, Tensor};

/// Targets that are looked at.
const SAMPLES: usize = 4096;

/// What guessing would give: the most frequent class, or the mean.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Guess {
    /// The loss: the entropy of the classes' frequencies, or the targets' variance.
    pub loss: f64,
    /// The score: the share of the most frequent class, or an R² of 0.
    pub score: f64,
}

/// What guessing would give for the targets of `data`, by the frequencies in its first 4096 or so;
/// none for a loss of one's own, of which that is not known.
///
/// # Errors
/// If a sample cannot be read.
///
/// ```
/// use gradus::data::{self, DataLoader};
/// use gradus::train::{Classification, doctor};
/// let digits = DataLoader::new(data::digits()?.train, 256)?;
/// let guess = doctor::guess(&Classification, &digits)?.unwrap();
/// assert!((guess.loss - 10f64.ln()).abs() < 0.01 && guess.score < 0.11);
/// # Ok::<(), gradus::Error>(())
/// ```
pub fn guess(objective: &dyn Objective, data: &DataLoader) -> Result<Option<Guess>> {
    let is = |known: &dyn Objective| objective.metric() == known.metric();
    let (classes, numbers) = (is(&Classification), is(&Regression));
    if !classes && !numbers {
        return Ok(None);
    }
    let mut targets = Vec::new();
    for batch in data.iter_from(0, 0) {
        let (_, y) = batch?;
        targets.extend(of_samples(&y, classes)?);
        if targets.len() >= SAMPLES {
            break;
        }
    }
    let n = targets.len() as f64;
    if numbers {
        let mean = targets.iter().sum::<f64>() / n;
        let loss = targets.iter().map(|t| (t - mean).powi(2)).sum::<f64>() / n;
        return Ok(Some(Guess { loss, score: 0.0 }));
    }
    let mut counts = std::collections::BTreeMap::<i64, usize>::new();
    for class in targets {
        *counts.entry(class as i64).or_default() += 1;
    }
    let shares = || counts.values().map(|&count| count as f64 / n);
    Ok(Some(Guess {
        loss: shares().map(|p| -p * p.ln()).sum(),
        score: shares().fold(0.0, f64::max),
    }))
}

/// Targets as numbers; of probabilities the likeliest class.
pub(super) fn of_samples(y: &Tensor, classes: bool) -> Result<Vec<f64>> {
    match classes && y.ndim() > 1 {
        true => y.argmax(1)?.to_vec(),
        false => y.to_vec(),
    }
}

/// Looks at the figures of some epochs. `guess` is what guessing would give ([`guess`]); without it
/// only overfitting is found. `samples` is the number of test samples: the fewer, the more a score can
/// be luck.
///
/// ```
/// use gradus::train::{Epoch, doctor};
/// let epoch = |epoch: usize, train_loss: f64, test_loss: f64| Epoch {
///     epoch,
///     train_loss,
///     test_loss,
///     train_score: 0.9,
///     test_score: 0.8,
///     metric: "accuracy".into(),
///     lr: 0.1,
///     seconds: 1.0,
///     samples_per_second: 1000.0,
/// };
/// let history = [epoch(1, 1.0, 1.0), epoch(2, 0.5, 0.7), epoch(3, 0.3, 0.8), epoch(4, 0.1, 0.9), epoch(5, 0.05, 1.1)];
/// let findings = doctor::check_history(&history, None, 1000);
/// assert!(findings[0].symptom.contains("since epoch 2"));
/// ```
pub fn check_history(history: &[Epoch], guess: Option<Guess>, samples: usize) -> Vec<Finding> {
    let Some(last) = history.last() else {
        return Vec::new();
    };
    let stuck = guess.and_then(|guess| stuck(history, last, guess, samples));
    // What was never learned cannot have been learned too well.
    let found = stuck.or_else(|| overfitting(history, last));
    found.into_iter().collect()
}

fn stuck(history: &[Epoch], last: &Epoch, guess: Guess, samples: usize) -> Option<Finding> {
    let epochs = match history.len() {
        1 => "1 epoch".to_string(),
        n => format!("{n} epochs"),
    };
    let metric = last.metric.as_str();
    let show = |score: f64| match metric {
        "r2" => format!("R² {score:.3}"),
        _ => format!("{metric} {}", Percent(score)),
    };
    // Three standard deviations of a share of so many samples.
    let luck = |n: usize| 0.02 + 3.0 * (guess.score * (1.0 - guess.score) / n.max(1) as f64).sqrt();
    let guessing = format!(
        "guessing would give loss {:.4}, {}",
        guess.loss,
        show(guess.score)
    );
    if last.train_loss > 1.1 * guess.loss {
        return Some(Finding::new(
            Sickness::LearningRateTooLarge,
            format!(
                "after {epochs} the training loss is {:.4}, above that of guessing ({:.4})",
                last.train_loss, guess.loss
            ),
            "steps that go beyond what they aim at",
            "a smaller learning rate, a tenth of it for instance",
        ));
    }
    let test_is_luck =
        last.test_score <= guess.score + luck(samples) && last.test_loss >= 0.97 * guess.loss;
    let learned = last.train_loss < 0.97 * guess.loss;
    if !test_is_luck {
        return None;
    }
    if !learned {
        return Some(Finding::new(
            Sickness::AtChance,
            format!(
                "after {epochs} the training loss is {:.4} ({}): {guessing}",
                last.train_loss,
                show(last.train_score)
            ),
            "a learning rate that does not suit, gradients that do not reach the weights, or labels \
             that do not belong to their samples",
            "a range test of the learning rate, one batch to be learned by heart, a look at some \
             samples with their labels",
        ));
    }
    Some(Finding::new(
        Sickness::ShuffledLabels,
        format!(
            "after {epochs} the training loss is {:.4} ({}), but the test loss {:.4} ({}): \
             {guessing}",
            last.train_loss,
            show(last.train_score),
            last.test_loss,
            show(last.test_score)
        ),
        "labels that do not belong to their samples are learned by heart; or the test samples are of \
         another kind",
        "a look at some samples of both with their labels",
    ))
}

/// Whether the test loss has risen by a quarter since its smallest value, at least three epochs ago,
/// while the training loss went on falling.
fn overfitting(history: &[Epoch], last: &Epoch) -> Option<Finding> {
    let best = history
        .iter()
        .min_by(|a, b| a.test_loss.total_cmp(&b.test_loss))?;
    let risen = last.test_loss > 1.25 * best.test_loss && last.test_loss > 2.0 * last.train_loss;
    if !risen || last.epoch < best.epoch + 3 || last.train_loss >= best.train_loss {
        return None;
    }
    Some(Finding::new(
        Sickness::Overfitting,
        format!(
            "since epoch {} the test loss has risen from {:.4} to {:.4}, while the training loss fell \
             from {:.4} to {:.4}",
            best.epoch, best.test_loss, last.test_loss, best.train_loss, last.train_loss
        ),
        "a model with room to learn the training samples by heart",
        "early stopping, more or augmented samples, weight decay, dropout, or a smaller model",
    ))
}
