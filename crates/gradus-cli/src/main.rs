//! The `gradus` program: train, evaluate and use models from the command line.

#![forbid(unsafe_code)]

mod bench;
mod cluster;
mod common;
mod completions;
mod data;
mod doctor;
mod eval;
mod failure;
mod lr_find;
mod output;
mod plot;
mod predict;
mod samples;
mod summary;
mod sweep;
mod train;

use clap::{CommandFactory, Parser, Subcommand};
use failure::Result;
use std::process::ExitCode;

/// Deep learning one step at a time: train a model, see how good it is, use it.
#[derive(Parser)]
#[command(name = "gradus", version, after_help = AFTER_HELP, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

const AFTER_HELP: &str = "\
Examples:
  gradus train                          train on the digits that are part of the program
  gradus eval runs/digits-mlp           how good the model is, class by class
  gradus predict runs/digits-mlp a.png  what is on the image
  gradus train --data houses.csv --target price   learn to predict a column of a table
  gradus summary --model resnet20 --input 3x32x32 --classes 10   layers, sizes, costs
  gradus doctor                         what is wrong with a training, if anything is
  gradus sweep --vary 'lr=0.01|0.1'     train with several settings and compare
  gradus cluster kmeans points.csv --k 3      round groups of points, so many
  gradus cluster dbscan points.csv --suggest  dense groups of any shape, and noise
  gradus plot runs/digits-mlp           how it learned; also the columns of a CSV file

Results go to standard output, progress and messages to standard error.

Exit codes:
  0    done
  1    failed, for instance because the loss is no longer a number; doctor: something is wrong
  2    wrong usage: options, their values, a settings file, a folder that is taken
  3    missing or broken: a data set, an image, the folder of a run, a file in it
  130  interrupted (Ctrl-C or SIGTERM); the state is saved, of clusters the best so far";

#[derive(Subcommand)]
enum Command {
    Train(Box<train::Train>),
    Eval(eval::Eval),
    Predict(predict::Predict),
    Summary(Box<summary::Summary>),
    Sweep(Box<sweep::Sweep>),
    LrFind(Box<lr_find::LrFind>),
    Doctor(Box<doctor::Doctor>),
    #[command(subcommand)]
    Cluster(Box<cluster::Cluster>),
    #[command(subcommand)]
    Data(data::Data),
    Plot(plot::Plot),
    Bench(bench::Bench),
    Completions(completions::Completions),
}

impl Command {
    fn run(self) -> Result {
        match self {
            Self::Train(command) => command.run(),
            Self::Eval(command) => command.run(),
            Self::Predict(command) => command.run(),
            Self::Summary(command) => command.run(),
            Self::Sweep(command) => command.run(),
            Self::LrFind(command) => command.run(),
            Self::Doctor(command) => command.run(),
            Self::Cluster(command) => command.run(),
            Self::Data(command) => command.run(),
            Self::Plot(command) => command.run(),
            Self::Bench(command) => command.run(),
            Self::Completions(command) => command.run(),
        }
    }
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Some(command) => command.run(),
        None => output::line(Cli::command().render_help()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.tell(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gradus::train::{Config, Task};

    /// Options that contradict each other or share a name are found by clap, but only when asked.
    #[test]
    fn the_options_are_consistent() {
        Cli::command().debug_assert();
    }

    /// A setting, other than its length, that could be changed in the middle of a run.
    #[test]
    fn no_setting_goes_with_resume() {
        let cli = Cli::command();
        let train = cli.find_subcommand("train").unwrap();
        let group = train
            .get_groups()
            .find(|g| g.get_id() == "Settings")
            .unwrap();
        let settings: Vec<_> = group.get_args().map(|id| id.as_str()).collect();
        assert!(
            settings.len() > 5
                && (settings.iter()).all(|s| *s == "epochs" || train::SETTINGS.contains(s)),
            "{settings:?}"
        );
    }

    /// Help that promises other defaults than the settings have.
    #[test]
    fn help_names_the_real_defaults() {
        let mut cli = Cli::command();
        let help = cli.find_subcommand_mut("train").unwrap().render_help();
        let help = help.to_string();
        let Config {
            data,
            model,
            hidden,
            activation,
            epochs,
            batch_size,
            optimizer,
            seed,
            ..
        } = Config::default();
        let names = ["sgd", "rmsprop", "adadelta", "adam"];
        let [sgd, rmsprop, adadelta, adam] = names.map(|name| {
            let optimizer = name.to_string();
            Config {
                optimizer,
                ..Config::default()
            }
            .resolved()
        });
        let momentum = sgd.momentum.unwrap();
        let of_number = Config {
            task: Some(Task {
                input: vec![1],
                classes: vec![],
            }),
            ..Config::default()
        };
        let of_number = of_number.resolved().lr.unwrap();
        let [sgd, rmsprop, adadelta, adam] =
            [sgd, rmsprop, adadelta, adam].map(|config| config.lr.unwrap());
        for promise in [
            format!("[default: {data}]"),
            format!("[default: {model}]"),
            format!(
                "[default: {}]",
                hidden
                    .iter()
                    .map(ToString::to_string)
                    .collect::<Vec<_>>()
                    .join(",")
            ),
            format!("[default: {activation}]"),
            format!("Passes over the training samples [default: {epochs}]"),
            format!("Samples in a step [default: {batch_size}]"),
            format!("[default: {optimizer}]"),
            format!(
                "[default: {sgd} for sgd (of a number {of_number}), {rmsprop} for rmsprop and adagrad, {adadelta} for \
                 adadelta, else {adam}]"
            ),
            format!("for sgd and rmsprop [default: {momentum} for sgd, else 0]"),
            format!("[default: {seed}]"),
        ] {
            // Lines are broken where they fill the terminal.
            let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(
                words(&help).contains(&words(&promise)),
                "{promise:?} is not in {help}"
            );
        }
    }
}
