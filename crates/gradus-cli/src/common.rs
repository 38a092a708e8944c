//! What several commands share: options about the machine, data sets, and the folder of a run.

use crate::failure::{Failure, Result};
use crate::output::shell_word;
use clap::Args;
use gradus::data::{self, DataLoader, ImageDataset, ImageFolder, Split};
use gradus::nn::Layer;
use gradus::train::{Config, Run, Task};
use gradus::{Kind, set_num_threads};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Images of a batch when there is nothing to be learned from them.
const TEST_BATCH: usize = 256;

#[derive(Args)]
pub struct DataDir {
    /// Directory that holds the data sets, each in a folder of its name
    /// [default: $GRADUS_DATA, else gradus in the user's cache directory]
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
}

impl DataDir {
    /// Reads the data set of these settings.
    pub fn load(&self, config: &Config) -> Result<Split> {
        self.read(config).map_err(|e| match e.kind() {
            Kind::Value => Failure::usage(e),
            _ => Failure::data(e),
        })
    }

    /// The data set of an earlier run, which must be what it was.
    pub fn load_for(&self, run: &Run) -> Result<Split> {
        let config = run.config();
        let split = self.read(config).map_err(Failure::data)?;
        if config.task != Some(task(&split.train)) {
            return Err(Failure::data(format_args!(
                "{}: its model takes other images or knows other classes than the data set {} has",
                run.folder().display(),
                config.data
            )));
        }
        Ok(split)
    }

    fn read(&self, config: &Config) -> gradus::Result<Split> {
        if !is_path(&config.data) {
            if config.resize.is_some() || config.grey {
                let message = "resize and grey are for pictures of one's own, not for a data set \
                               known by name";
                return Err(gradus::Error::new(Kind::Value, message));
            }
            return data::load(&config.data, self.data_dir.as_deref());
        }
        let pictures = ImageFolder::new(&config.data).grey(config.grey);
        match config.resize {
            Some([height, width]) => pictures.resize(height, width),
            None => pictures,
        }
        .split()
    }

    /// The option as it must be repeated in a command that is proposed.
    pub fn again(&self) -> String {
        let dir = self.data_dir.as_ref();
        dir.map_or(String::new(), |dir| {
            format!(" --data-dir {}", shell_word(dir))
        })
    }
}

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

/// Whether this means a folder or an archive of pictures and not a data set known by name.
pub fn is_path(data: &str) -> bool {
    data.contains(['/', '\\'])
        || [".tar", ".tar.gz", ".tgz"]
            .iter()
            .any(|end| data.ends_with(end))
}

/// What a data set asks of a model.
pub fn task(images: &ImageDataset) -> Task {
    Task {
        input: images.shape().to_vec(),
        classes: images.classes().to_vec(),
    }
}

/// The images to test on, in order.
pub fn test_loader(images: ImageDataset) -> Result<DataLoader> {
    Ok(DataLoader::new(images, TEST_BATCH)?)
}

/// The folder of an earlier run.
pub fn open(folder: &Path) -> Result<Run> {
    Run::open(folder).map_err(Failure::data)
}

/// The model of an earlier run.
pub fn model(run: &Run) -> Result<Box<dyn Layer>> {
    let model = run.config().build_model().map_err(Failure::data)?;
    run.load_model(&model).map_err(Failure::data)?;
    Ok(model)
}
