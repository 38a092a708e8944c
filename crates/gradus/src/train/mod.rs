//! Training: the loop, what it tells, and the folder it leaves.
//!
//! [`Trainer`] runs epochs and sends one stream of [`Event`]s; whatever shows or records progress
//! ([`Progress`], [`Run`]) only listens.

mod checkpoint;
mod config;
mod data_module;
pub mod doctor;
mod event;
mod lr_find;
mod objective;
mod progress;
mod run;
mod schedule;
pub mod sweep;
mod trainer;

pub use crate::models::MODELS;
pub use checkpoint::Checkpoint;
pub use config::{Config, OBJECTIVES, TableEncoding, Task};
pub use data_module::DataModule;
pub use event::{Epoch, Event, Listener, Outcome, Summary};
pub use lr_find::{LrFind, lr_find};
pub use objective::{Classification, LOSS, Objective, Regression};
pub use progress::Progress;
pub use run::Run;
pub use schedule::{SCHEDULERS, Schedule};
pub use trainer::{Score, Trainer, evaluate, evaluate_with};
