//! `gradus data`.

mod get;
mod list;

use crate::failure::Result;
use clap::Subcommand;

/// Show the data sets, and fetch them
#[derive(Subcommand)]
pub enum Data {
    List(list::List),
    Get(get::Get),
}

impl Data {
    pub fn run(self) -> Result {
        match self {
            Self::List(list) => list.run(),
            Self::Get(get) => get.run(),
        }
    }
}
