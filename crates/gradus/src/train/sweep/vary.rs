//! The values that a setting takes.

use super::invalid;
use crate::random::Generator;
use crate::train::Config;
use crate::{Error, Result};
use std::str::FromStr;
use toml::{Table, Value};

/// A setting and the values it takes, read from text by [`FromStr`]:
///
/// - `hidden=64|128|64,32`: one of these; `none` leaves an optional setting out;
/// - `lr=0.01..0.3`: numbers of this range, evenly spread; whole ones if both ends are whole;
/// - `lr=0.01..0.3:log`: their logarithms are;
/// - `lr=0.01..0.3:log:5`: these five of it, where all combinations are wanted.
#[derive(Clone, Debug, PartialEq)]
pub struct Vary {
    name: String,
    values: Values,
}

#[derive(Clone, Debug, PartialEq)]
enum Values {
    Choices(Vec<String>),
    Range {
        low: f64,
        high: f64,
        log: bool,
        whole: bool,
        points: Option<usize>,
    },
}

impl FromStr for Vary {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let fail = |what: &str| {
            Err(invalid(format!(
                "'{text}': {what}; expected NAME=A|B|C or NAME=LOW..HIGH, with :log and the number of \
                 points if wanted, such as lr=0.01..0.3:log:5"
            )))
        };
        let Some((name, values)) = text.split_once('=') else {
            return fail("there is no =");
        };
        let name = name.trim().replace('-', "_");
        let values = match values.split_once("..") {
            None => {
                let choices: Vec<String> =
                    values.split('|').map(|v| v.trim().to_string()).collect();
                if choices.iter().any(String::is_empty) {
                    return fail("a value is empty");
                }
                Values::Choices(choices)
            }
            Some((low, rest)) => {
                let mut parts = rest.split(':');
                let high = parts.next().unwrap_or_default();
                let (mut log, mut points) = (false, None);
                for part in parts {
                    match (part, part.parse()) {
                        ("log", _) => log = true,
                        (_, Ok(n)) if n >= 2 => points = Some(n),
                        _ => {
                            return fail(&format!(
                                "'{part}' is neither log nor a number of points"
                            ));
                        }
                    }
                }
                let whole = low.parse::<i64>().is_ok() && high.parse::<i64>().is_ok();
                let (Ok(low), Ok(high)) = (low.parse::<f64>(), high.parse::<f64>()) else {
                    return fail("the ends of a range are numbers");
                };
                if !(low.is_finite() && high.is_finite() && low < high) {
                    return fail("a range goes up");
                }
                if log && low <= 0.0 {
                    return fail("logarithms need numbers above 0");
                }
                Values::Range {
                    low,
                    high,
                    log,
                    whole,
                    points,
                }
            }
        };
        Ok(Self { name, values })
    }
}

impl Vary {
    /// The setting.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// All values, for a grid.
    pub(super) fn points(&self) -> Result<Vec<String>> {
        match &self.values {
            Values::Choices(choices) => Ok(choices.clone()),
            Values::Range { points: None, .. } => Err(invalid(format!(
                "{} is a range: for all combinations say how many of its values, such as \
                 {0}=LOW..HIGH:5, or draw them at random",
                self.name
            ))),
            Values::Range {
                points: Some(n), ..
            } => {
                let mut points: Vec<String> = (0..*n)
                    .map(|i| self.within(i as f64 / (n - 1) as f64))
                    .collect();
                // Whole numbers of a short range come more than once.
                points.dedup();
                Ok(points)
            }
        }
    }

    pub(super) fn draw(&self, stream: &mut Generator) -> String {
        match &self.values {
            Values::Choices(choices) => {
                choices[stream.below(choices.len() as u64) as usize].clone()
            }
            Values::Range { .. } => self.within(stream.uniform()),
        }
    }

    /// Values to try whether the setting can have them.
    pub(super) fn examples(&self) -> Vec<String> {
        match &self.values {
            Values::Choices(choices) => choices.clone(),
            Values::Range { .. } => vec![self.within(0.0), self.within(0.5)],
        }
    }

    /// The number at this share of a range, with three digits: what is written is what is trained.
    fn within(&self, share: f64) -> String {
        let Values::Range {
            low,
            high,
            log,
            whole,
            ..
        } = self.values
        else {
            return String::new();
        };
        let x = match log {
            true => (low.ln() + share * (high.ln() - low.ln())).exp(),
            false => low + share * (high - low),
        };
        if whole {
            return format!("{}", x.round());
        }
        let short: f64 = format!("{x:.2e}").parse().unwrap_or(x);
        short.clamp(low, high).to_string()
    }
}

/// The settings with these changes.
pub(super) fn apply(base: &Config, changes: &[(String, String)]) -> Result<Config> {
    let mut config = base.clone();
    for (name, text) in changes {
        let fail = |e: &dyn std::fmt::Display| {
            let e = e.to_string();
            invalid(format!(
                "{name}={text}: {}",
                e.lines().next().unwrap_or_default()
            ))
        };
        let mut table = Table::try_from(&config).map_err(|e| fail(&e))?;
        let mut with = |value: Option<Value>| {
            match value {
                Some(value) => table.insert(name.clone(), value),
                None => table.remove(name),
            };
            table.clone().try_into::<Config>()
        };
        let value = (text != "none").then(|| value(text));
        config = with(value.clone())
            // A list of one is written as its element.
            .or_else(|e| value.and_then(|v| with(Some(vec![v].into())).ok()).ok_or(e))
            .map_err(|e| fail(&e.message()))?;
    }
    Ok(config)
}

fn value(text: &str) -> Value {
    if text.contains(',') {
        return Value::Array(text.split(',').map(|part| value(part.trim())).collect());
    }
    (text.parse().map(Value::Integer).ok())
        .or_else(|| text.parse().map(Value::Float).ok())
        .or_else(|| text.parse().map(Value::Boolean).ok())
        .unwrap_or_else(|| Value::String(text.into()))
}
