//! Everything a run needs to go on with the same bits, in one file: when it was renamed into place,
//! all of it is there.

use crate::io::safetensors;
use crate::nn::{Module, StateDict};
use crate::optim::{Ema, Optimizer};
use crate::{DType, Error, Kind, Result, Tensor};
use std::path::Path;

/// Says what the file is, in its metadata.
const NOTE: &str = "training checkpoint 2";

/// Where a run is. Random numbers need no saving: they follow from the seed, the epoch and the step.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Checkpoint {
    /// Epochs that are finished.
    pub epochs: usize,
    /// Steps done of the next epoch …
    pub steps: usize,
    /// … the samples of these steps …
    pub samples: usize,
    /// … the sum of their losses …
    pub loss_sum: f64,
    /// … what their score is made of (see [`Objective::update`](super::Objective::update)) …
    pub score_sums: Vec<f64>,
    /// … and the seconds they took.
    pub seconds: f64,
}

impl Checkpoint {
    /// Writes this, the model, the optimizer and the averages of weights, if there are any, to `path`,
    /// atomically.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn save(
        &self,
        path: &Path,
        model: &dyn Module,
        optimizer: &dyn Optimizer,
        ema: Option<&Ema>,
    ) -> Result<()> {
        let counts = [self.epochs, self.steps, self.samples].map(|n| n as i64);
        let sums = [self.loss_sum, self.seconds];
        let (score, n) = (self.score_sums.clone(), self.score_sums.len());
        let mut all = StateDict::from([
            ("progress.counts".into(), Tensor::from_vec(counts, [3])?),
            ("progress.sums".into(), Tensor::from_vec(sums, [2])?),
            ("progress.score".into(), Tensor::from_vec(score, [n])?),
        ]);
        let averages = ema.map(Ema::state_dict).unwrap_or_default();
        for (part, state) in [
            ("model", model.state_dict()),
            ("optimizer", optimizer.state_dict()),
            ("ema", averages),
        ] {
            let state = state.into_iter();
            all.extend(state.map(|(name, t)| (format!("{part}.{name}"), t)));
        }
        safetensors::save(path, &all, Some(NOTE))
    }

    /// Reads what [`save`](Checkpoint::save) wrote into a model, an optimizer and averages of the same
    /// kind.
    ///
    /// # Errors
    /// If the file is missing, damaged, or belongs to another model or optimizer, or only one of both
    /// has averages. If only the optimizer is another one, the model has its saved weights already.
    pub fn load(
        path: &Path,
        model: &dyn Module,
        optimizer: &mut dyn Optimizer,
        ema: Option<&mut Ema>,
    ) -> Result<Self> {
        let contents = safetensors::load(path)?;
        let fail = |what: &str| Error::new(Kind::Data, format!("{}: {what}", path.display()));
        if contents.note.as_deref() != Some(NOTE) {
            return Err(fail("not a training checkpoint of this program"));
        }
        let part = |prefix: &str| -> StateDict {
            let named = contents.tensors.iter();
            named
                .filter_map(|(name, t)| Some((name.strip_prefix(prefix)?.to_string(), t.clone())))
                .collect()
        };
        let progress = part("progress.");
        // None: any number of them.
        let numbers = |name: &str, dtype, len: Option<usize>| match progress.get(name) {
            Some(t)
                if t.dtype() == dtype && t.ndim() == 1 && t.numel() == len.unwrap_or(t.numel()) =>
            {
                Ok(t)
            }
            _ => Err(fail("its progress is not readable")),
        };
        let counts = numbers("counts", DType::I64, Some(3))?.to_vec::<i64>()?;
        let sums = numbers("sums", DType::F64, Some(2))?.to_vec::<f64>()?;
        let score_sums = numbers("score", DType::F64, None)?.to_vec::<f64>()?;
        let counts: Vec<usize> = counts
            .into_iter()
            .map(usize::try_from)
            .collect::<Result<_, _>>()
            .map_err(|_| fail("its progress is negative"))?;
        let averages = part("ema.");
        if averages.is_empty() && ema.is_some() {
            return Err(fail("it has no averages of weights: it was made without"));
        }
        if !averages.is_empty() && ema.is_none() {
            return Err(fail(
                "it has averages of weights: go on with the same decay",
            ));
        }
        model
            .load_state_dict(&part("model."))
            .map_err(|e| e.at(path.display()))?;
        optimizer
            .load_state_dict(&part("optimizer."))
            .map_err(|e| e.at(path.display()))?;
        if let Some(ema) = ema {
            (ema.load_state_dict(&averages)).map_err(|e| e.at(path.display()))?;
        }
        Ok(Self {
            epochs: counts[0],
            steps: counts[1],
            samples: counts[2],
            loss_sum: sums[0],
            score_sums,
            seconds: sums[1],
        })
    }
}
