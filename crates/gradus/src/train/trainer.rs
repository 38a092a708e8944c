//! The training loop.

use super::doctor::{self, finite};
use super::{
    Checkpoint, Classification, DataModule, Epoch, Event, Listener, Objective, Outcome, Run,
    Schedule, Summary,
};
use crate::data::DataLoader;
use crate::nn::{self, Layer, Parameter, copied};
use crate::optim::{Ema, Optimizer};
use crate::random::{self, Generator};
use crate::{Error, Kind, Result, Tensor, no_grad};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// Trains a model: one optimizer step a batch, a test after each epoch. A classifier by default, see
/// [`objective`](Trainer::objective).
///
/// Every random number of a step follows from the seed, the epoch and the step, so a run that was
/// interrupted or killed goes on with the bits it would have had.
///
/// ```
/// use gradus::data::{self, DataLoader};
/// use gradus::nn::{self, Module};
/// use gradus::optim::Sgd;
/// use gradus::train::Trainer;
/// use std::sync::Arc;
///
/// let digits = data::digits()?;
/// let train = DataLoader::new(Arc::new(digits.train), 64)?.shuffle(0);
/// let test = DataLoader::new(Arc::new(digits.test), 256)?;
/// let net = nn::Sequential::new().add(nn::Flatten).add(nn::Linear::new(64, 10)?);
/// let mut sgd = Sgd::new(net.parameters(), 0.5);
/// let summary = Trainer::new(3).fit(&net, &mut sgd, &train, &test)?;
/// assert!(summary.history[2].train_loss < summary.history[0].train_loss);
/// # Ok::<(), gradus::Error>(())
/// ```
pub struct Trainer<'a> {
    epochs: usize,
    pub(super) objective: Box<dyn Objective + 'a>,
    seed: u64,
    schedule: Option<Schedule>,
    clip_grad_norm: Option<f64>,
    clip_grad_value: Option<f64>,
    ema: Option<f64>,
    accumulate: usize,
    early_stopping: Option<usize>,
    listeners: Vec<Box<dyn Listener + 'a>>,
    run: Option<&'a Run>,
    stop: Arc<AtomicBool>,
    /// Whether training ended because numbers were no longer finite.
    pub(super) diverged: bool,
}

/// Mean loss and score over some samples.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// The mean loss.
    pub loss: f64,
    /// The objective's score: of a classifier the share of samples that it classified rightly.
    pub score: f64,
    /// The number of samples.
    pub samples: usize,
}

impl<'a> Trainer<'a> {
    /// A trainer for this number of epochs.
    pub fn new(epochs: usize) -> Self {
        Self {
            epochs,
            objective: Box::new(Classification),
            seed: 0,
            schedule: None,
            clip_grad_norm: None,
            clip_grad_value: None,
            ema: None,
            accumulate: 1,
            early_stopping: None,
            listeners: Vec::new(),
            run: None,
            stop: Arc::default(),
            diverged: false,
        }
    }

    /// What to train for: [`Classification`] by default, [`Regression`](super::Regression), or a loss of
    /// one's own.
    #[must_use]
    pub fn objective(mut self, objective: impl Objective + 'a) -> Self {
        self.objective = Box::new(objective);
        self
    }

    /// The seed of the random numbers that layers draw (dropout); the order of the samples is the
    /// loader's. 0 by default.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Changes the learning rate by this schedule, from the optimizer's own on; that is what the
    /// optimizer has again at the end. None by default.
    #[must_use]
    pub fn schedule(mut self, schedule: Schedule) -> Self {
        self.schedule = Some(schedule);
        self
    }

    /// Scales the gradients of each step to this norm at most
    /// ([`clip_grad_norm_`](nn::clip_grad_norm_)). Not by default.
    #[must_use]
    pub fn clip_grad_norm(mut self, max_norm: f64) -> Self {
        self.clip_grad_norm = Some(max_norm);
        self
    }

    /// Brings every number of each step's gradients into −`clip_value` … `clip_value`
    /// ([`clip_grad_value_`](nn::clip_grad_value_)), before their norm is looked at. Not by default.
    #[must_use]
    pub fn clip_grad_value(mut self, clip_value: f64) -> Self {
        self.clip_grad_value = Some(clip_value);
        self
    }

    /// Averages the weights over the steps with this decay, such as 0.999 ([`Ema`]). The optimizer
    /// goes on with its own weights; what is tested, kept as the model, and left in it at the end are
    /// the averages. Not by default.
    #[must_use]
    pub fn ema(mut self, decay: f64) -> Self {
        self.ema = Some(decay);
        self
    }

    /// One step of the optimizer for so many batches, with the mean gradient over all their samples:
    /// that of one large batch, without its memory. The last step of an epoch may have fewer. 1 by
    /// default. It stops when asked only after a step, so that no gradient is lost.
    #[must_use]
    pub fn accumulate(mut self, batches: usize) -> Self {
        self.accumulate = batches;
        self
    }

    /// Ends when the test loss has not become smaller for `patience` epochs (Prechelt, "Early
    /// stopping", 1998). Not by default. A run's folder has the model of the smallest test loss as
    /// `best.safetensors`, with early stopping or without.
    #[must_use]
    pub fn early_stopping(mut self, patience: usize) -> Self {
        self.early_stopping = Some(patience);
        self
    }

    /// With somebody to tell what happens; several are told in the order in which they were added.
    #[must_use]
    pub fn listen(mut self, listener: impl Listener + 'a) -> Self {
        self.listeners.push(Box::new(listener));
        self
    }

    /// Saves the state to this run's folder after every epoch and on an interruption, and begins
    /// with the state that the folder holds.
    #[must_use]
    pub fn run(mut self, run: &'a Run) -> Self {
        self.run = Some(run);
        self
    }

    /// Stops after the present step when somebody sets `stop` (a Ctrl-C handler, another thread).
    #[must_use]
    pub fn stop_when(mut self, stop: Arc<AtomicBool>) -> Self {
        self.stop = stop;
        self
    }

    /// Trains `model` on the batches of `train` and scores it on those of `test` after each epoch.
    ///
    /// # Errors
    /// If a sample cannot be read, shapes do not fit, the state cannot be saved, or the loss is no
    /// longer finite; the last saved state is then kept.
    pub fn fit(
        mut self,
        model: &dyn Layer,
        optimizer: &mut dyn Optimizer,
        train: &DataLoader,
        test: &DataLoader,
    ) -> Result<Summary> {
        self.fit_mut(model, optimizer, train, test)
    }

    pub(super) fn fit_mut(
        &mut self,
        model: &dyn Layer,
        optimizer: &mut dyn Optimizer,
        train: &DataLoader,
        test: &DataLoader,
    ) -> Result<Summary> {
        if self.accumulate == 0 || self.early_stopping == Some(0) {
            let message = "accumulate and early_stopping must be at least 1";
            return Err(Error::new(Kind::Value, message));
        }
        let base = optimizer.lr();
        let ema = self.ema.map(|decay| Ema::new(model, decay)).transpose()?;
        let mut learner = Learner {
            model,
            optimizer,
            ema,
        };
        let summary = self.fit_from(base, &mut learner, train, test);
        learner.optimizer.set_lr(base);
        if let Some(ema) = learner.ema.filter(|_| summary.is_ok()) {
            model.load_state_dict(&ema.averages())?;
        }
        summary
    }

    /// [`fit`](Trainer::fit) on the batches of a data module.
    ///
    /// # Errors
    /// As [`fit`](Trainer::fit), or if the data cannot be read.
    pub fn fit_data(
        self,
        model: &dyn Layer,
        optimizer: &mut dyn Optimizer,
        data: &dyn DataModule,
    ) -> Result<Summary> {
        self.fit(model, optimizer, &data.train_loader()?, &data.val_loader()?)
    }

    fn fit_from(
        &mut self,
        base: f64,
        learner: &mut Learner<'_>,
        train: &DataLoader,
        test: &DataLoader,
    ) -> Result<Summary> {
        let (mut at, mut history) = match self.run {
            Some(run) => run.restore(learner.model, learner.optimizer, learner.ema.as_mut())?,
            None => (Checkpoint::default(), Vec::new()),
        };
        let (epochs, steps, parameters) =
            (self.epochs, train.len(), learner.model.num_parameters());
        let start = Event::Start {
            epochs,
            steps,
            parameters,
            metric: self.objective.metric(),
            done: (at.epochs, at.steps),
        };
        tell(&mut self.listeners, start)?;
        let mut outcome = Outcome::Finished;
        while at.epochs < self.epochs {
            if self.is_stale(&history) {
                outcome = Outcome::EarlyStopped;
                break;
            }
            let lr = |schedule: &Schedule, steps| schedule.lr(base, &history, steps);
            if !self.train_epoch(&mut at, learner, train, lr)? {
                outcome = Outcome::Interrupted;
                self.save(&at, learner)?;
                break;
            }
            let epoch = at.epochs + 1;
            self.tell(Event::Validation { epoch })?;
            let train = at.score(&*self.objective);
            let lr = learner.optimizer.lr();
            let test = learner.averaged(|model| evaluate(model, &*self.objective, test))?;
            if !test.loss.is_finite() {
                return Err(self.lost(format!(
                    "the test loss after epoch {epoch} is {}: {}",
                    test.loss,
                    slower(lr)
                )));
            }
            history.push(Epoch {
                epoch,
                train_loss: train.loss,
                train_score: train.score,
                test_loss: test.loss,
                test_score: test.score,
                metric: self.objective.metric().into(),
                lr,
                seconds: at.seconds,
                samples_per_second: train.samples as f64 / at.seconds.max(f64::MIN_POSITIVE),
            });
            at = Checkpoint {
                epochs: epoch,
                ..Checkpoint::default()
            };
            if let Some(run) = self.run {
                run.record(&history)?;
                if best(&history) == Some(epoch) {
                    learner.averaged(|model| run.save_best(model))?;
                }
            }
            self.tell(Event::Epoch(&history[history.len() - 1]))?;
            self.save(&at, learner)?;
        }
        let summary = Summary {
            outcome,
            history,
            done: (at.epochs, at.steps),
        };
        self.tell(Event::Done(&summary))?;
        Ok(summary)
    }

    /// Whether the last so many epochs were no better.
    fn is_stale(&self, history: &[Epoch]) -> bool {
        let since = best(history).map_or(0, |best| history.len() - best);
        self.early_stopping
            .is_some_and(|patience| since >= patience)
    }

    /// Trains what is left of an epoch, with the learning rate that `lr` gives for a schedule and a
    /// number of steps. False if it was asked to stop before the end.
    fn train_epoch(
        &mut self,
        at: &mut Checkpoint,
        learner: &mut Learner<'_>,
        train: &DataLoader,
        lr: impl Fn(&Schedule, usize) -> f64,
    ) -> Result<bool> {
        let model = learner.model;
        model.train(true);
        let parameters = model.parameters();
        let epoch = at.epochs + 1;
        let (before, start) = (at.seconds, Instant::now());
        // Samples whose gradients wait for the optimizer's next step.
        let mut waiting = 0;
        for batch in train.iter_from(at.epochs as u64, at.steps) {
            let (x, y) = batch?;
            if let Some(schedule) = &self.schedule {
                let steps = at.epochs * train.len().div_ceil(self.accumulate);
                let optimizer = &mut learner.optimizer;
                optimizer.set_lr(lr(schedule, steps + at.steps / self.accumulate));
            }
            let stream = Generator::from_parts(&[self.seed, at.epochs as u64, at.steps as u64]);
            let (outputs, loss) = random::scoped(stream, || {
                let outputs = model.forward(&x)?;
                let loss = self.objective.loss(&outputs, &y)?;
                Ok::<_, Error>((outputs, loss))
            })?;
            let (value, samples) = (loss.item::<f64>()?, samples(&y));
            if !value.is_finite() {
                let (step, lr) = (at.steps + 1, learner.optimizer.lr());
                return Err(self.lost(diverged(value, epoch, step, model, &x, lr)));
            }
            if waiting == 0 {
                learner.optimizer.zero_grad();
            }
            waiting += samples;
            at.steps += 1;
            let is_step = at.steps.is_multiple_of(self.accumulate) || at.steps == train.len();
            if self.accumulate == 1 {
                loss.backward()?;
            } else {
                // Batches count by their samples, as they would in one large batch.
                loss.mul(samples as f64)?.backward()?;
            }
            if is_step {
                self.step(&parameters, learner, waiting)?;
                waiting = 0;
            }
            at.add(value, samples);
            (self.objective).update(&mut at.score_sums, &outputs.detach(), &y)?;
            at.seconds = before + start.elapsed().as_secs_f64();
            self.tell(Event::Step {
                epoch,
                step: at.steps,
                score: at.score(&*self.objective),
            })?;
            if is_step && self.stop.load(Ordering::Relaxed) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// A step of the optimizer by the gradients of so many samples.
    fn step(
        &self,
        parameters: &[Parameter],
        learner: &mut Learner<'_>,
        samples: usize,
    ) -> Result<()> {
        if self.accumulate > 1 {
            nn::clip::change(parameters, |grad| grad.mul(1.0 / samples as f64))?;
        }
        if let Some(clip_value) = self.clip_grad_value {
            nn::clip_grad_value_(parameters, clip_value)?;
        }
        if let Some(max_norm) = self.clip_grad_norm {
            nn::clip_grad_norm_(parameters, max_norm)?;
        }
        learner.optimizer.step()?;
        match &mut learner.ema {
            Some(ema) => ema.update(learner.model),
            None => Ok(()),
        }
    }

    fn save(&mut self, at: &Checkpoint, learner: &Learner<'_>) -> Result<()> {
        let Some(run) = self.run else { return Ok(()) };
        let Learner {
            model,
            optimizer,
            ema,
        } = learner;
        // The last step may have broken what its own loss did not show yet.
        if let Some((name, _)) = model.named_parameters().iter().find(|(_, p)| !finite(p)) {
            let (steps, epochs) = (at.steps, at.epochs);
            let message = format!(
                "the parameter '{name}' is no longer finite after epoch {epochs} and {steps} steps, \
                 nothing was saved: {}",
                slower(optimizer.lr())
            );
            return Err(self.lost(message));
        }
        let path = run.save(at, *model, *optimizer, ema.as_ref())?;
        self.tell(Event::Checkpoint { path: &path })
    }

    /// The error for numbers that are no longer finite.
    fn lost(&mut self, message: String) -> Error {
        self.diverged = true;
        Error::new(Kind::Value, message)
    }

    fn tell(&mut self, event: Event<'_>) -> Result<()> {
        tell(&mut self.listeners, event)
    }
}

/// What changes while it learns.
struct Learner<'m> {
    model: &'m dyn Layer,
    optimizer: &'m mut dyn Optimizer,
    ema: Option<Ema>,
}

impl Learner<'_> {
    /// Runs `f` on the model while it has the averaged weights, if averages are kept.
    fn averaged<R>(&self, f: impl FnOnce(&dyn Layer) -> Result<R>) -> Result<R> {
        let Some(ema) = &self.ema else {
            return f(self.model);
        };
        let own = copied(&self.model.state_dict())?;
        self.model.load_state_dict(&ema.averages())?;
        let result = f(self.model);
        self.model.load_state_dict(&own)?;
        result
    }
}

fn tell(listeners: &mut [Box<dyn Listener + '_>], event: Event<'_>) -> Result<()> {
    listeners
        .iter_mut()
        .try_for_each(|listener| listener.on(event))
}

impl Checkpoint {
    /// Counts a batch of so many samples with this mean loss.
    fn add(&mut self, loss: f64, samples: usize) {
        self.samples += samples;
        self.loss_sum += loss * samples as f64;
    }

    /// Loss and score of the steps done.
    fn score(&self, objective: &dyn Objective) -> Score {
        let loss = self.loss_sum / self.samples.max(1) as f64;
        Score {
            loss,
            score: objective.score(&self.score_sums).unwrap_or(loss),
            samples: self.samples,
        }
    }
}

/// Mean loss and score of a model over all batches, without recording.
///
/// # Errors
/// If a sample cannot be read or shapes do not fit.
pub fn evaluate(model: &dyn Layer, objective: &dyn Objective, data: &DataLoader) -> Result<Score> {
    evaluate_with(model, objective, data, |_, _| Ok(()))
}

/// [`evaluate`] that shows every batch of outputs and targets to `see`, of a classifier logits
/// [n, classes] and classes \[n\]: to count by class, or to keep the samples that are classified
/// wrongly.
///
/// # Errors
/// If a sample cannot be read, shapes do not fit, or `see` fails.
///
/// ```
/// use gradus::data::{self, DataLoader};
/// use gradus::{nn, train};
/// let test = DataLoader::new(data::digits()?.test, 100)?;
/// let net = nn::Sequential::new().add(nn::Flatten).add(nn::Linear::new(64, 10)?);
/// let mut seen = 0;
/// let score = train::evaluate_with(&net, &train::Classification, &test, |logits, _| {
///     seen += logits.shape()[0];
///     Ok(())
/// })?;
/// assert_eq!((seen, score.samples), (360, 360));
/// # Ok::<(), gradus::Error>(())
/// ```
pub fn evaluate_with(
    model: &dyn Layer,
    objective: &dyn Objective,
    data: &DataLoader,
    mut see: impl FnMut(&Tensor, &Tensor) -> Result<()>,
) -> Result<Score> {
    model.eval();
    no_grad(|| {
        let mut sums = Checkpoint::default();
        for batch in data.iter_from(0, 0) {
            let (x, y) = batch?;
            let outputs = model.forward(&x)?;
            see(&outputs, &y)?;
            let loss = objective.loss(&outputs, &y)?;
            sums.add(loss.item::<f64>()?, samples(&y));
            objective.update(&mut sums.score_sums, &outputs, &y)?;
        }
        Ok(sums.score(objective))
    })
}

/// The number of the epoch with the smallest test loss, the first of equal ones.
fn best(history: &[Epoch]) -> Option<usize> {
    let best = history
        .iter()
        .min_by(|a, b| a.test_loss.total_cmp(&b.test_loss));
    best.map(|epoch| epoch.epoch)
}

/// How many samples a batch with these targets has.
fn samples(targets: &Tensor) -> usize {
    targets.shape().first().copied().unwrap_or(1)
}

/// What is said of a loss that is no number, with its likely cause.
fn diverged(
    loss: f64,
    epoch: usize,
    step: usize,
    model: &dyn Layer,
    x: &Tensor,
    lr: f64,
) -> String {
    let (_, seen) = nn::observe(|| no_grad(|| nn::call("model", model, x)));
    let cause = match doctor::not_finite(&seen, x) {
        Some(first) if first.layer.is_none() => {
            format!("{}: look for {}", first.symptom, first.cause)
        }
        Some(first) => format!("{}; {}", first.symptom, slower(lr)),
        None => format!("every module's output is finite; {}", slower(lr)),
    };
    format!("the loss became {loss} at step {step} of epoch {epoch}: {cause}")
}

fn slower(lr: f64) -> String {
    format!("try a smaller learning rate than {lr:?}, a tenth of it for instance")
}
