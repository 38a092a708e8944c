//! How the program ends when it does not end well.

use crate::output;
use gradus::{Error, Kind};
use std::fmt::Display;
use std::io;
use std::process::ExitCode;

/// What every command returns.
pub type Result<T = (), E = Failure> = std::result::Result<T, E>;

const FAILED: u8 = 1;
const USAGE: u8 = 2;
const DATA: u8 = 3;
const INTERRUPTED: u8 = 130;

/// An exit code, and a line for standard error unless everything was said.
pub struct Failure {
    code: u8,
    message: Option<String>,
}

impl Failure {
    /// Wrong options, or values that are out of range.
    pub fn usage(message: impl Display) -> Self {
        Self::new(USAGE, format!("error: {message}"))
    }

    /// Something to be read is missing or broken.
    pub fn data(message: impl Display) -> Self {
        Self::new(DATA, format!("error: {message}"))
    }

    /// What settings lead to: a value or a size that does not fit is the user's.
    pub fn of_settings(e: Error) -> Self {
        match e.kind() {
            Kind::Value | Kind::Shape => Self::usage(e),
            _ => e.into(),
        }
    }

    /// As [`data`](Failure::data), after each of the problems was told.
    pub fn data_told() -> Self {
        Self {
            code: DATA,
            message: None,
        }
    }

    /// It did not go well, and that was said on standard output.
    pub fn told() -> Self {
        Self {
            code: FAILED,
            message: None,
        }
    }

    /// The user asked for the end.
    pub fn interrupted(message: impl Display) -> Self {
        Self::new(INTERRUPTED, message)
    }

    fn new(code: u8, message: impl Display) -> Self {
        Self {
            code,
            message: Some(message.to_string()),
        }
    }

    /// Tells the user, and gives the code to the system.
    pub fn tell(self) -> ExitCode {
        if let Some(message) = self.message {
            output::note(message);
        }
        self.code.into()
    }
}

impl From<Error> for Failure {
    fn from(e: Error) -> Self {
        match e.kind() {
            Kind::Data => Self::data(e),
            _ => Self::new(FAILED, format!("error: {e}")),
        }
    }
}

/// Standard output could not be written.
impl From<io::Error> for Failure {
    fn from(e: io::Error) -> Self {
        // Who closes the pipe (`gradus data list | head -1`) has seen enough: nothing to complain of.
        if e.kind() == io::ErrorKind::BrokenPipe {
            return Self {
                code: 0,
                message: None,
            };
        }
        Self::new(
            FAILED,
            format!("error: cannot write to standard output: {e}"),
        )
    }
}
