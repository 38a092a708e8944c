//! What the runs of a sweep came to.

use super::{Sweep, Trial, invalid};
use crate::io::write_atomically;
use crate::train::{Epoch, LOSS, Summary};
use crate::{Error, Kind, Result};
use std::path::{Path, PathBuf};

const TABLE: &str = "sweep.csv";
const SETTINGS: &str = "sweep.toml";

/// The table of a sweep in its folder: `sweep.csv`, a row for each run; beside it `sweep.toml`, the
/// settings that do not vary.
#[derive(Clone, Debug)]
pub struct Table {
    folder: PathBuf,
    names: Vec<String>,
    metric: Option<String>,
    rows: Vec<Row>,
}

/// A run and what it came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The trial's number.
    pub run: usize,
    /// The values of the settings that vary.
    pub settings: Vec<String>,
    /// Its figures, or why there are none.
    pub result: Result<Figures, String>,
}

/// The figures of the epoch with the smallest test loss.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Figures {
    /// Epochs that were trained.
    pub epochs: usize,
    /// The epoch with the smallest test loss.
    pub best_epoch: usize,
    /// Its test loss.
    pub test_loss: f64,
    /// Its test score.
    pub test_score: f64,
    /// Its training loss.
    pub train_loss: f64,
    /// Its training score.
    pub train_score: f64,
    /// Seconds of training in all.
    pub seconds: f64,
}

impl Figures {
    fn of(history: &[Epoch]) -> Option<Self> {
        let best = history
            .iter()
            .min_by(|a, b| a.test_loss.total_cmp(&b.test_loss))?;
        Some(Self {
            epochs: history.len(),
            best_epoch: best.epoch,
            test_loss: best.test_loss,
            test_score: best.test_score,
            train_loss: best.train_loss,
            train_score: best.train_score,
            seconds: history.iter().map(|epoch| epoch.seconds).sum(),
        })
    }
}

impl Table {
    /// The table in `folder`, which is made if there is none.
    ///
    /// # Errors
    /// If the folder holds another sweep or something else, or cannot be made or read.
    pub fn open(sweep: &Sweep, folder: &Path) -> Result<Self> {
        let mut table = Self {
            folder: folder.into(),
            names: sweep.names(),
            metric: None,
            rows: Vec::new(),
        };
        let (settings, path) = (sweep.base.to_toml(), folder.join(SETTINGS));
        if !path.exists() {
            if table.path().exists() {
                let message = format!(
                    "{} is there already: choose another folder",
                    table.path().display()
                );
                return Err(invalid(message));
            }
            std::fs::create_dir_all(folder).map_err(|e| {
                Error::from(e).at(format!("cannot make the folder {}", folder.display()))
            })?;
            write_atomically(&path, settings.as_bytes())?;
            return Ok(table);
        }
        let before =
            std::fs::read_to_string(&path).map_err(|e| Error::from(e).at(path.display()))?;
        if before != settings {
            return Err(table.another("has other settings"));
        }
        if table.path().exists() {
            table.read()?;
        }
        Ok(table)
    }

    /// Where it is.
    pub fn path(&self) -> PathBuf {
        self.folder.join(TABLE)
    }

    /// The names of the settings that vary.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The name of the scores, [`LOSS`] if there are none.
    pub fn metric(&self) -> &str {
        self.metric.as_deref().unwrap_or(LOSS)
    }

    /// The rows, in the order in which the runs ended.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// The run with the smallest test loss; none if all failed.
    pub fn best(&self) -> Option<&Row> {
        let loss = |row: &Row| row.result.as_ref().map_or(f64::INFINITY, |f| f.test_loss);
        let done = self.rows.iter().filter(|row| row.result.is_ok());
        done.min_by(|a, b| loss(a).total_cmp(&loss(b)))
    }

    /// Whether this trial has a row.
    ///
    /// # Errors
    /// If a run of this number had other settings: it is another sweep.
    pub fn has(&self, trial: &Trial) -> Result<bool> {
        let Some(row) = self.rows.iter().find(|row| row.run == trial.run) else {
            return Ok(false);
        };
        let same = row
            .settings
            .iter()
            .eq(trial.settings.iter().map(|(_, value)| value));
        match same {
            true => Ok(true),
            false => Err(self.another(&format!(
                "had {} in run {}",
                row.settings.join(", "),
                row.run
            ))),
        }
    }

    /// Adds what a trial came to, and writes the table.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn record(&mut self, trial: &Trial, result: &Result<Summary>) -> Result<()> {
        let result = match result {
            Err(e) => Err(e.to_string()),
            Ok(summary) => {
                if let Some(epoch) = summary.history.first() {
                    self.metric.get_or_insert_with(|| epoch.metric.clone());
                }
                Figures::of(&summary.history).ok_or_else(|| "no epoch was finished".to_string())
            }
        };
        self.rows.push(Row {
            run: trial.run,
            settings: trial
                .settings
                .iter()
                .map(|(_, value)| value.clone())
                .collect(),
            result,
        });
        let fail = |e: csv::Error| Error::new(Kind::Io, format!("{}: {e}", self.path().display()));
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(self.header()).map_err(fail)?;
        for row in &self.rows {
            writer.write_record(self.fields(row)).map_err(fail)?;
        }
        let bytes = writer
            .into_inner()
            .map_err(|e| Error::new(Kind::Io, e.to_string()))?;
        write_atomically(self.path(), &bytes)
    }

    fn header(&self) -> Vec<String> {
        let metric = self.metric.as_deref().unwrap_or("score");
        let mut header = vec!["run".to_string()];
        header.extend(self.names.iter().cloned());
        header.extend(["epochs", "best_epoch", "test_loss"].map(String::from));
        header.push(format!("test_{metric}"));
        header.push("train_loss".into());
        header.push(format!("train_{metric}"));
        header.extend(["seconds", "error"].map(String::from));
        header
    }

    fn fields(&self, row: &Row) -> Vec<String> {
        let mut fields = vec![row.run.to_string()];
        fields.extend(row.settings.iter().cloned());
        match &row.result {
            Ok(f) => {
                fields.extend([f.epochs, f.best_epoch].map(|n| n.to_string()));
                let numbers = [
                    f.test_loss,
                    f.test_score,
                    f.train_loss,
                    f.train_score,
                    f.seconds,
                ];
                fields.extend(numbers.map(|x| x.to_string()));
                fields.push(String::new());
            }
            Err(e) => {
                fields.extend(vec![String::new(); 7]);
                // One line, whatever is in the message.
                fields.push(e.replace('\n', " "));
            }
        }
        fields
    }

    fn read(&mut self) -> Result<()> {
        let path = self.path();
        let mut reader = csv::Reader::from_path(&path)
            .map_err(|e| Error::new(Kind::Data, format!("{}: {e}", path.display())))?;
        let fail = |line: u64, what: &str| {
            Error::new(
                Kind::Data,
                format!("{} line {line}: {what}", path.display()),
            )
        };
        let header = reader
            .headers()
            .map_err(|e| fail(1, &e.to_string()))?
            .clone();
        let scores = header.get(self.names.len() + 4);
        let metric = scores
            .and_then(|name| name.strip_prefix("test_"))
            .map(String::from);
        self.metric = metric.filter(|metric| metric != "score");
        if header.iter().ne(self.header()) {
            return Err(self.another(&format!(
                "has the columns {}",
                Vec::from_iter(&header).join(", ")
            )));
        }
        let n = self.names.len();
        for record in reader.records() {
            let record = record
                .map_err(|e| fail(e.position().map_or(0, csv::Position::line), &e.to_string()))?;
            let line = record.position().map_or(0, csv::Position::line);
            let field = |i: usize| record.get(i).unwrap_or_default();
            fn number<T: std::str::FromStr>(text: &str) -> Result<T, String> {
                text.parse().map_err(|_| format!("'{text}' is no number"))
            }
            let figures = || -> Result<Figures, String> {
                Ok(Figures {
                    epochs: number(field(n + 1))?,
                    best_epoch: number(field(n + 2))?,
                    test_loss: number(field(n + 3))?,
                    test_score: number(field(n + 4))?,
                    train_loss: number(field(n + 5))?,
                    train_score: number(field(n + 6))?,
                    seconds: number(field(n + 7))?,
                })
            };
            let error = field(n + 8);
            self.rows.push(Row {
                run: number(field(0)).map_err(|e| fail(line, &e))?,
                settings: (1..=n).map(|i| field(i).to_string()).collect(),
                result: match error {
                    "" => Ok(figures().map_err(|e| fail(line, &e))?),
                    error => Err(error.to_string()),
                },
            });
        }
        Ok(())
    }

    fn another(&self, what: &str) -> Error {
        let folder = self.folder.display();
        invalid(format!(
            "{folder} holds another sweep, which {what}: choose another folder"
        ))
    }
}
