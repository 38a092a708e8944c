//! The samples that settings name: those of a data set known by name, pictures of one's own, or the rows
//! of a table.

mod table;

pub use table::{TABLES, is_table, read as read_table, some, target_name};

use crate::failure::{Failure, Result};
use crate::output::{self, shell_word};
use clap::Args;
use gradus::data::{self, DataLoader, Dataset, ImageDataset, ImageFolder, Split};
use gradus::train::{Config, Run, TableEncoding, Task};
use gradus::{Error, Kind};
use std::path::PathBuf;
use std::sync::Arc;

/// Samples of a batch when there is nothing to be learned from them.
const TEST_BATCH: usize = 256;

/// Samples to learn from, and others to measure with.
#[derive(Clone)]
pub struct Samples {
    pub train: Arc<dyn Dataset>,
    pub test: Arc<dyn Dataset>,
    /// What they ask of a model.
    pub task: Task,
    /// How they were made, if they are rows of a table.
    pub table: Option<TableEncoding>,
    /// What people should know about them.
    pub notes: Vec<String>,
}

impl Samples {
    /// Says what people should know.
    pub fn tell(&self) {
        self.notes.iter().for_each(output::note);
    }
}

impl From<Split> for Samples {
    fn from(split: Split) -> Self {
        let Split { train, test } = split;
        Self {
            task: task(&train),
            train: Arc::new(train),
            test: Arc::new(test),
            table: None,
            notes: Vec::new(),
        }
    }
}

#[derive(Args)]
pub struct DataDir {
    /// Directory that holds the data sets, each in a folder of its name
    /// [default: $GRADUS_DATA, else gradus in the user's cache directory]
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
}

impl DataDir {
    /// Reads the samples of these settings.
    pub fn load(&self, config: &Config) -> Result<Samples> {
        self.read(config).map_err(|e| match e.kind() {
            Kind::Value => Failure::usage(e),
            _ => Failure::data(e),
        })
    }

    /// The samples of an earlier run, which must be what they were.
    pub fn load_for(&self, run: &Run) -> Result<Samples> {
        let config = run.config();
        let samples = self.read(config).map_err(Failure::data)?;
        let what = if config.task.as_ref() != Some(&samples.task) {
            "takes other images or knows other classes"
        } else if config.table != samples.table {
            "was trained on other rows"
        } else {
            return Ok(samples);
        };
        Err(Failure::data(format_args!(
            "{}: its model {what} than the data set {} has",
            run.folder().display(),
            config.data
        )))
    }

    fn read(&self, config: &Config) -> gradus::Result<Samples> {
        if is_table(config) {
            return table::samples(config, self.data_dir.as_deref());
        }
        if config.target.is_some() {
            let message = format!("target is a setting of tables; {} is none", config.data);
            return Err(Error::new(Kind::Value, message));
        }
        if is_path(&config.data) {
            return Ok(pictures(config)?.into());
        }
        if config.resize.is_some() || config.grey || config.skip_corrupt {
            let message = "resize, grey and skip_corrupt are for pictures of one's own, not for a data set \
                           known by name";
            return Err(Error::new(Kind::Value, message));
        }
        Ok(data::load(&config.data, self.data_dir.as_deref())?.into())
    }

    /// The option as it must be repeated in a command that is proposed.
    pub fn again(&self) -> String {
        let dir = self.data_dir.as_ref();
        dir.map_or(String::new(), |dir| {
            format!(" --data-dir {}", shell_word(dir))
        })
    }
}

fn pictures(config: &Config) -> gradus::Result<Split> {
    let mut pictures = ImageFolder::new(&config.data).grey(config.grey);
    if config.skip_corrupt {
        pictures = pictures.skip_corrupt(|e| output::note(format_args!("passed over: {e}")));
    }
    match config.resize {
        Some([height, width]) => pictures.resize(height, width),
        None => pictures,
    }
    .split()
}

/// Whether this means a file or a folder, and not a data set known by name.
pub fn is_path(data: &str) -> bool {
    data.contains(['/', '\\']) || data.contains('.')
}

fn task(images: &ImageDataset) -> Task {
    Task {
        input: images.shape().to_vec(),
        classes: images.classes().to_vec(),
    }
}

/// The samples to test on, in order.
pub fn test_loader(samples: Arc<dyn Dataset>) -> gradus::Result<DataLoader> {
    DataLoader::new(samples, TEST_BATCH)
}
