//! The folder that a run leaves: settings, model, metrics, curves, and the state to go on from.

use super::{Checkpoint, Config, Epoch, LOSS};
use crate::io::{safetensors, write_atomically};
use crate::nn::Module;
use crate::optim::{Ema, Optimizer};
use crate::plot::{self, Panel, Series};
use crate::{Error, Kind, Result};
use std::path::{Path, PathBuf};

const CONFIG: &str = "config.toml";
const MODEL: &str = "model.safetensors";
const BEST: &str = "best.safetensors";
const CHECKPOINT: &str = "checkpoint.safetensors";
const METRICS: &str = "metrics.jsonl";
const CURVES: &str = "curves.svg";

/// A run's folder:
///
/// - `config.toml`: the settings;
/// - `model.safetensors`: the weights after the last saved step, averaged if averages are kept;
/// - `checkpoint.safetensors`: weights, optimizer, averages and position, to go on from;
/// - `best.safetensors`: the same after the epoch with the smallest test loss;
/// - `metrics.jsonl`: one line an epoch;
/// - `curves.svg`: loss and score over the epochs.
///
/// Every file is replaced as a whole: after a crash each is either the old one or the new one, and
/// going on needs only `checkpoint.safetensors`.
#[derive(Clone, Debug)]
pub struct Run {
    folder: PathBuf,
    config: Config,
}

impl Run {
    /// Makes the folder of a new run.
    ///
    /// # Errors
    /// If it holds a run already, or cannot be made.
    pub fn create(folder: impl Into<PathBuf>, config: &Config) -> Result<Self> {
        let run = Self {
            folder: folder.into(),
            // Written out, so that the run stays what it is when defaults change.
            config: config.clone().resolved(),
        };
        if let Some(file) = [CONFIG, MODEL, CHECKPOINT, METRICS]
            .iter()
            .find(|f| run.path(f).exists())
        {
            return Err(Error::new(
                Kind::Value,
                format!(
                    "{} holds another run ({file}): resume it, or choose another folder",
                    run.folder.display()
                ),
            ));
        }
        std::fs::create_dir_all(&run.folder).map_err(|e| {
            Error::from(e).at(format!("cannot make the folder {}", run.folder.display()))
        })?;
        write_atomically(run.path(CONFIG), run.config.to_toml().as_bytes())?;
        Ok(run)
    }

    /// Opens the folder of an earlier run.
    ///
    /// # Errors
    /// If there is none, or its settings are not readable.
    pub fn open(folder: impl Into<PathBuf>) -> Result<Self> {
        let folder = folder.into();
        let path = folder.join(CONFIG);
        let text = std::fs::read_to_string(&path).map_err(|e| {
            Error::new(
                Kind::Data,
                format!(
                    "{} is not the folder of a run: {}: {e}",
                    folder.display(),
                    path.display()
                ),
            )
        })?;
        let config = Config::from_toml(&text)
            .map_err(|e| Error::new(Kind::Data, format!("{}: {e}", path.display())))?;
        Ok(Self { folder, config })
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The picture of loss and score over the epochs; there once an epoch is.
    pub fn curves(&self) -> PathBuf {
        self.path(CURVES)
    }

    /// The settings.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Changes the settings, for instance to train for more epochs.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn set_config(&mut self, config: Config) -> Result<()> {
        write_atomically(self.path(CONFIG), config.to_toml().as_bytes())?;
        self.config = config;
        Ok(())
    }

    /// Reads the saved weights into `model`.
    ///
    /// # Errors
    /// If there are none yet, the file is damaged, or it belongs to another model.
    pub fn load_model(&self, model: &dyn Module) -> Result<()> {
        self.load(MODEL, model)
    }

    /// Reads the weights of the epoch with the smallest test loss into `model`.
    ///
    /// # Errors
    /// As [`load_model`](Run::load_model).
    pub fn load_best(&self, model: &dyn Module) -> Result<()> {
        self.load(BEST, model)
    }

    fn load(&self, file: &str, model: &dyn Module) -> Result<()> {
        let path = self.path(file);
        if !path.exists() {
            return Err(Error::new(
                Kind::Data,
                format!(
                    "{} does not exist: the run has not finished an epoch yet",
                    path.display()
                ),
            ));
        }
        let contents = safetensors::load(&path)?;
        model
            .load_state_dict(&contents.tensors)
            .map_err(|e| Error::new(Kind::Data, format!("{}: {e}", path.display())))
    }

    /// Every recorded epoch.
    ///
    /// # Errors
    /// If the file cannot be read, or a line is none of ours; the message has its number.
    pub fn history(&self) -> Result<Vec<Epoch>> {
        let path = self.path(METRICS);
        if !path.exists() {
            return Ok(Vec::new());
        }
        let text = std::fs::read_to_string(&path).map_err(|e| Error::from(e).at(path.display()))?;
        let lines = text.lines().enumerate();
        lines
            .map(|(i, line)| {
                serde_json::from_str(line).map_err(|e| {
                    Error::new(
                        Kind::Data,
                        format!("{} line {}: {e}", path.display(), i + 1),
                    )
                })
            })
            .collect()
    }

    /// The curves of the recorded epochs, to be drawn by [`plot::curves`] or beside those of others.
    ///
    /// # Errors
    /// As [`history`](Run::history).
    pub fn panels(&self) -> Result<Vec<Panel>> {
        Ok(panels(&self.history()?))
    }

    /// Takes up the saved state: the position and the epochs before it. A new run is at the
    /// beginning.
    pub(super) fn restore(
        &self,
        model: &dyn Module,
        optimizer: &mut dyn Optimizer,
        ema: Option<&mut Ema>,
    ) -> Result<(Checkpoint, Vec<Epoch>)> {
        let path = self.path(CHECKPOINT);
        if !path.exists() {
            return Ok((Checkpoint::default(), Vec::new()));
        }
        let at = Checkpoint::load(&path, model, optimizer, ema)?;
        // Metrics are written before the checkpoint: an epoch that was cut in between comes again.
        let mut history = self.history()?;
        history.truncate(at.epochs);
        if history.len() < at.epochs {
            return Err(Error::new(
                Kind::Data,
                format!(
                    "{}: {} epochs are finished, but only {} are recorded",
                    self.path(METRICS).display(),
                    at.epochs,
                    history.len()
                ),
            ));
        }
        Ok((at, history))
    }

    /// Writes metrics and curves.
    pub(super) fn record(&self, history: &[Epoch]) -> Result<()> {
        let mut lines = String::new();
        for epoch in history {
            lines +=
                &serde_json::to_string(epoch).map_err(|e| Error::new(Kind::Data, e.to_string()))?;
            lines.push('\n');
        }
        write_atomically(self.path(METRICS), lines.as_bytes())?;
        write_atomically(self.path(CURVES), plot::curves(&panels(history)).as_bytes())
    }

    /// Writes the state and the model, and returns the path of the former.
    pub(super) fn save(
        &self,
        at: &Checkpoint,
        model: &dyn Module,
        optimizer: &dyn Optimizer,
        ema: Option<&Ema>,
    ) -> Result<PathBuf> {
        let path = self.path(CHECKPOINT);
        at.save(&path, model, optimizer, ema)?;
        let weights = ema.map_or_else(|| model.state_dict(), Ema::averages);
        safetensors::save(self.path(MODEL), &weights, None)?;
        Ok(path)
    }

    /// Writes the model as the best so far.
    pub(super) fn save_best(&self, model: &dyn Module) -> Result<()> {
        safetensors::save(self.path(BEST), &model.state_dict(), None)
    }

    fn path(&self, file: &str) -> PathBuf {
        self.folder.join(file)
    }
}

/// Loss and score over the epochs.
fn panels(history: &[Epoch]) -> Vec<Panel> {
    let series = |name: &str, value: fn(&Epoch) -> f64| Series {
        name: name.into(),
        points: history.iter().map(|e| (e.epoch as f64, value(e))).collect(),
    };
    let panel = |title: &str, series| Panel {
        title: title.into(),
        x_label: "epoch".into(),
        y_label: title.into(),
        series,
        ..Panel::default()
    };
    let mut panels = vec![panel(
        LOSS,
        vec![
            series("train", |e| e.train_loss),
            series("test", |e| e.test_loss),
        ],
    )];
    let metric = history.last().map_or(LOSS, |e| &e.metric);
    if metric != LOSS {
        let title = if metric == "r2" { "R²" } else { metric };
        panels.push(panel(
            title,
            vec![
                series("train", |e| e.train_score),
                series("test", |e| e.test_score),
            ],
        ));
    }
    panels
}
