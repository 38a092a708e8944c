//! What several commands share: options about the machine, signals, and the folder of a run.

use crate::failure::{Failure, Result};
use clap::Args;
use gradus::nn::Layer;
use gradus::train::Run;
use gradus::{Kind, set_num_threads};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

#[derive(Args)]
pub struct Threads {
    /// Threads that compute; results do not depend on it
    /// [default: $GRADUS_THREADS, else the number of processors]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    threads: Option<u16>,
}

impl Threads {
    pub fn apply(&self) {
        if let Some(n) = self.threads {
            set_num_threads(n.into());
        }
    }
}

/// Set by the first Ctrl-C or SIGTERM; the second ends the program.
pub fn stop_on_signal() -> Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    let seen = stop.clone();
    let handler = move || {
        if seen.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
    };
    ctrlc::set_handler(handler).map_err(|e| gradus::Error::new(Kind::Io, e.to_string()))?;
    Ok(stop)
}

/// The folder of an earlier run.
pub fn open(folder: &Path) -> Result<Run> {
    Run::open(folder).map_err(Failure::data)
}

/// Which of the saved weights of a run.
#[derive(Args, Clone, Copy)]
pub struct Weights {
    /// Use the weights of the epoch with the smallest test loss in place of the last ones
    #[arg(long)]
    best: bool,
}

/// The model of an earlier run.
pub fn model(run: &Run, weights: Weights) -> Result<Box<dyn Layer>> {
    let model = run.config().build_model().map_err(Failure::data)?;
    let load = match weights.best {
        true => run.load_best(&model),
        false => run.load_model(&model),
    };
    load.map_err(Failure::data)?;
    Ok(model)
}
