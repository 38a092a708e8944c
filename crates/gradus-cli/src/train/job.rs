//! What is to be trained, ready to begin.

use crate::failure::{Failure, Result};
use crate::samples::{DataDir, Samples, test_loader};
use clap::Args;
use gradus::data::DataLoader;
use gradus::nn::Layer;
use gradus::optim::Optimizer;
use gradus::train::{Config, Run};

/// Settings with the samples and the model that follow from them.
pub struct Job {
    /// The settings, with the task that the samples set.
    pub config: Config,
    /// What to learn from, and what to measure with.
    pub samples: Samples,
    /// The model, with its initial weights.
    pub model: Box<dyn Layer>,
}

impl Job {
    /// What these settings ask for. The samples are read.
    pub fn new(config: Config, data_dir: &DataDir) -> Result<Self> {
        let samples = data_dir.load(&config)?;
        Self::with(config, samples)
    }

    /// What these settings ask for, with samples that are read already.
    pub fn with(mut config: Config, samples: Samples) -> Result<Self> {
        config.task = Some(samples.task.clone());
        config.table.clone_from(&samples.table);
        let model = config.build_model().map_err(Failure::of_settings)?;
        Ok(Self {
            config,
            samples,
            model,
        })
    }

    /// What an earlier run was to train. The model has its initial weights.
    pub fn of(run: &Run, data_dir: &DataDir) -> Result<Self> {
        let samples = data_dir.load_for(run)?;
        let config = run.config().clone();
        let model = config.build_model().map_err(Failure::data)?;
        Ok(Self {
            config,
            samples,
            model,
        })
    }

    /// The batches to train on and those to test on.
    pub fn loaders(&self, workers: &Workers) -> gradus::Result<(DataLoader, DataLoader)> {
        let Samples { train, test, .. } = &self.samples;
        let train = DataLoader::new(train.clone(), self.config.batch_size)?
            .shuffle(self.config.seed)
            .workers(workers.number());
        Ok((train, test_loader(test.clone())?))
    }

    /// The optimizer of the model's parameters.
    pub fn optimizer(&self) -> Result<Box<dyn Optimizer>> {
        Ok(self.config.build_optimizer(&self.model)?)
    }
}

#[derive(Args)]
pub struct Workers {
    /// Threads that make batches ahead; results do not depend on it [default: 0, none]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(..=64))]
    workers: Option<u16>,
}

impl Workers {
    /// How many.
    fn number(&self) -> usize {
        self.workers.unwrap_or(0).into()
    }
}
