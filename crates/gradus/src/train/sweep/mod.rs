//! Many trainings with different settings, and one table of what came out.
//!
//! A [`Sweep`] says what varies and gives [`Trial`]s, all combinations or random ones; a [`Table`] takes
//! what each came to. It is written anew after every run, so that an interrupted sweep goes on.

mod table;
mod vary;

pub use table::{Figures, Row, Table};
pub use vary::Vary;

use super::{Config, Outcome, Summary};
use crate::random::Generator;
use crate::{Error, Kind, Result};
use std::path::Path;

/// So many runs at most: more are a slip of the keyboard.
const MOST: usize = 100_000;

/// Settings, some of which vary.
///
/// ```
/// use gradus::train::{Config, sweep::Sweep};
/// let sweep = Sweep::new(Config::default(), &["lr=0.01..1:log", "hidden=64|128|64,32"])?;
/// let trials = sweep.random(5, 0)?;
/// assert_eq!(trials.len(), 5);
/// // The numbers of a run follow from the seed and its number.
/// assert_eq!(sweep.random(3, 0)?, trials[..3]);
/// let sweep = Sweep::new(Config::default(), &["lr=0.01..1:log:3", "optimizer=sgd|adam"])?;
/// let trials = sweep.grid()?;
/// assert_eq!(trials.len(), 6);
/// assert_eq!(trials[3].to_string(), "lr=0.1 optimizer=adam");
/// # Ok::<(), gradus::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Sweep {
    base: Config,
    vary: Vec<Vary>,
}

/// One of the trainings of a sweep.
#[derive(Clone, Debug, PartialEq)]
pub struct Trial {
    /// Its number, from 1.
    pub run: usize,
    /// What differs: names and values as they are written.
    pub settings: Vec<(String, String)>,
    /// All settings. Whether they go together is not checked yet.
    pub config: Config,
}

/// `lr=0.1 optimizer=adam`.
impl std::fmt::Display for Trial {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let settings = self.settings.iter();
        let words = settings.map(|(name, value)| format!("{name}={value}"));
        f.write_str(&Vec::from_iter(words).join(" "))
    }
}

impl Sweep {
    /// These settings, of which each of `vary` takes several values, see [`Vary`].
    ///
    /// # Errors
    /// If nothing varies, a setting does so twice, is unknown, or cannot have one of its values.
    pub fn new(base: Config, vary: &[impl AsRef<str>]) -> Result<Self> {
        let vary: Vec<Vary> = vary
            .iter()
            .map(|text| text.as_ref().parse())
            .collect::<Result<_>>()?;
        if vary.is_empty() {
            return Err(invalid(
                "sweep: name at least one setting that varies, such as lr=0.01|0.1".into(),
            ));
        }
        for (i, one) in vary.iter().enumerate() {
            if vary[..i].iter().any(|other| other.name() == one.name()) {
                return Err(invalid(format!("sweep: {} varies twice", one.name())));
            }
            for value in one.examples() {
                vary::apply(&base, &[(one.name().into(), value)])?;
            }
        }
        Ok(Self { base, vary })
    }

    /// The names of the settings that vary.
    pub fn names(&self) -> Vec<String> {
        self.vary
            .iter()
            .map(|vary| vary.name().to_string())
            .collect()
    }

    /// All combinations, the last setting varying fastest.
    ///
    /// # Errors
    /// If a range has no number of points, or there are more than 100,000 combinations.
    pub fn grid(&self) -> Result<Vec<Trial>> {
        let lists: Vec<Vec<String>> = self.vary.iter().map(Vary::points).collect::<Result<_>>()?;
        let count = lists
            .iter()
            .try_fold(1usize, |n, list| n.checked_mul(list.len()));
        let count = count.filter(|&n| n <= MOST);
        let count =
            count.ok_or_else(|| invalid(format!("sweep: more than {MOST} combinations")))?;
        (0..count)
            .map(|run| {
                let mut rest = run;
                let mut values: Vec<String> = Vec::new();
                for list in lists.iter().rev() {
                    values.push(list[rest % list.len()].clone());
                    rest /= list.len();
                }
                values.reverse();
                self.trial(run + 1, values)
            })
            .collect()
    }

    /// So many combinations drawn at random (Bergstra and Bengio, 2012). What a run draws follows from
    /// the seed and its number alone: a longer sweep begins with the same runs.
    ///
    /// # Errors
    /// If there are more than 100,000.
    pub fn random(&self, runs: usize, seed: u64) -> Result<Vec<Trial>> {
        if runs > MOST {
            return Err(invalid(format!("sweep: more than {MOST} runs")));
        }
        (1..=runs)
            .map(|run| {
                let mut stream = Generator::from_parts(&[seed, run as u64]);
                let values = self.vary.iter().map(|vary| vary.draw(&mut stream));
                self.trial(run, values.collect())
            })
            .collect()
    }

    fn trial(&self, run: usize, values: Vec<String>) -> Result<Trial> {
        let settings: Vec<_> = self.names().into_iter().zip(values).collect();
        let config = vary::apply(&self.base, &settings)?;
        Ok(Trial {
            run,
            settings,
            config,
        })
    }

    /// Runs by `train` the trials that `folder` has no row of yet, and returns its table. A trial whose
    /// settings do not go together or whose training fails is a row with the error; one that was
    /// interrupted is none, and ends the sweep.
    ///
    /// # Errors
    /// Those of [`Table::open`], or if the table cannot be written.
    ///
    /// ```
    /// use gradus::data::{self, DataLoader};
    /// use gradus::train::{Config, Task, Trainer, sweep::Sweep};
    ///
    /// let digits = data::digits()?;
    /// let (train, test) = (DataLoader::new(digits.train, 64)?, DataLoader::new(digits.test, 256)?);
    /// let task = Task { input: vec![1, 8, 8], classes: (0..10).map(|c| c.to_string()).collect() };
    /// let base = Config { model: "softmax".into(), task: Some(task), ..Config::default() };
    /// let sweep = Sweep::new(base, &["lr=0.0001|0.1"])?;
    /// let folder = std::env::temp_dir().join(format!("gradus-sweep-{}", std::process::id()));
    /// let table = sweep.run(&sweep.grid()?, &folder, |trial| {
    ///     let model = trial.config.build_model()?;
    ///     let mut optimizer = trial.config.build_optimizer(&model)?;
    ///     Trainer::new(1).fit(&model, &mut *optimizer, &train, &test)
    /// })?;
    /// assert_eq!(table.best().unwrap().settings, ["0.1"]);
    /// # std::fs::remove_dir_all(folder).ok();
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn run(
        &self,
        trials: &[Trial],
        folder: &Path,
        mut train: impl FnMut(&Trial) -> Result<Summary>,
    ) -> Result<Table> {
        let mut table = Table::open(self, folder)?;
        for trial in trials {
            if table.has(trial)? {
                continue;
            }
            let result = trial.config.check().and_then(|()| train(trial));
            if let Ok(summary) = &result
                && summary.outcome == Outcome::Interrupted
            {
                break;
            }
            table.record(trial, &result)?;
        }
        Ok(table)
    }
}

fn invalid(message: String) -> Error {
    Error::new(Kind::Value, message)
}
