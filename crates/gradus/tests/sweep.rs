//! Sweeps: which settings are tried, and what is left of them.

use gradus::data::{DataLoader, digits};
use gradus::train::sweep::{Sweep, Table, Trial};
use gradus::train::{Config, Outcome, Summary, Task, Trainer};
use gradus::{Kind, Result};
use std::fs;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

fn base() -> Config {
    Config {
        model: "softmax".into(),
        epochs: 2,
        task: Some(Task {
            input: vec![1, 8, 8],
            classes: (0..10).map(|c| c.to_string()).collect(),
        }),
        ..Config::default()
    }
}

fn train(trial: &Trial) -> Result<Summary> {
    let digits = digits()?;
    let train = DataLoader::new(digits.train, 500)?.shuffle(0);
    let model = trial.config.build_model()?;
    let mut optimizer = trial.config.build_optimizer(&model)?;
    Trainer::new(2).fit(
        &model,
        &mut *optimizer,
        &train,
        &DataLoader::new(digits.test, 360)?,
    )
}

fn values(trials: &[Trial]) -> Vec<String> {
    trials.iter().map(ToString::to_string).collect()
}

#[test]
fn a_grid_has_all_combinations_in_order() {
    let sweep = Sweep::new(
        base(),
        &[
            "hidden=64|64,32",
            "lr=0.01..1:log:3",
            "scheduler=none|cosine",
        ],
    )
    .unwrap();
    let trials = sweep.grid().unwrap();
    assert_eq!(trials.len(), 12);
    assert_eq!(
        values(&trials[..4]),
        [
            "hidden=64 lr=0.01 scheduler=none",
            "hidden=64 lr=0.01 scheduler=cosine",
            "hidden=64 lr=0.1 scheduler=none",
            "hidden=64 lr=0.1 scheduler=cosine",
        ]
    );
    let last = &trials[11].config;
    assert_eq!((&last.hidden[..], last.lr), (&[64, 32][..], Some(1.0)));
    assert_eq!(last.scheduler.as_deref(), Some("cosine"));
    assert_eq!(
        (&trials[0].config.hidden[..], &trials[0].config.scheduler),
        (&[64][..], &None)
    );
    // A range of whole numbers has whole points, each once.
    let whole = Sweep::new(base(), &["batch-size=1..3:5"])
        .unwrap()
        .grid()
        .unwrap();
    assert_eq!(
        values(&whole),
        ["batch_size=1", "batch_size=2", "batch_size=3"]
    );
}

/// Drawn evenly where a logarithm was asked for, nine of ten would lie above a tenth of the range.
#[test]
fn random_draws_are_spread_as_they_should_be() {
    let vary = [
        "lr=0.0001..1:log",
        "momentum=0..0.5",
        "batch_size=16..64",
        "optimizer=sgd|rmsprop",
    ];
    let sweep = Sweep::new(base(), &vary).unwrap();
    let trials = sweep.random(400, 7).unwrap();
    let share = |yes: &dyn Fn(&Config) -> bool| {
        trials.iter().filter(|trial| yes(&trial.config)).count() as f64 / 400.0
    };
    for (name, share) in [
        ("lr", share(&|c| c.lr.unwrap() < 0.01)),
        ("momentum", share(&|c| c.momentum.unwrap() < 0.25)),
        ("batch_size", share(&|c| c.batch_size < 40)),
        ("optimizer", share(&|c| c.optimizer == "sgd")),
    ] {
        // Four standard deviations.
        assert!((share - 0.5).abs() < 0.1, "{name}: {share}");
    }
    assert!(
        trials
            .iter()
            .all(|t| (16..=64).contains(&t.config.batch_size))
    );
    assert!(
        trials
            .iter()
            .all(|t| (1e-4..=1.0).contains(&t.config.lr.unwrap()))
    );
    // Written and trained are the same number.
    assert!(
        trials
            .iter()
            .all(|t| t.settings[0].1.parse() == Ok(t.config.lr.unwrap()))
    );
    assert_eq!(sweep.random(10, 7).unwrap(), trials[..10]);
    assert_ne!(sweep.random(10, 8).unwrap(), trials[..10]);
}

#[test]
fn what_cannot_vary_so_is_refused_with_the_reason() {
    for (vary, expected) in [
        ("lr", "'lr': there is no =; expected NAME=A|B|C"),
        ("lr=0.1|", "a value is empty"),
        ("lr=1..0.1", "a range goes up"),
        ("lr=0..1:log", "logarithms need numbers above 0"),
        ("lr=0.1..one", "the ends of a range are numbers"),
        (
            "lr=0.1..1:lin",
            "'lin' is neither log nor a number of points",
        ),
        ("lr=0.1|fast", "lr=fast: invalid type"),
        ("hiden=64", "hiden=64: unknown field `hiden`"),
        ("batch_size=1.5..9.5", "batch_size=1.5: invalid type"),
    ] {
        let error = Sweep::new(base(), &[vary]).unwrap_err();
        assert_eq!(error.kind(), Kind::Value);
        assert!(error.to_string().contains(expected), "{vary}: {error}");
    }
    let none: [&str; 0] = [];
    assert!(Sweep::new(base(), &none).is_err());
    let twice = Sweep::new(base(), &["lr=1|2", "lr=3"]).unwrap_err();
    assert!(twice.to_string().contains("lr varies twice"));
    let range = Sweep::new(base(), &["lr=0.1..1"])
        .unwrap()
        .grid()
        .unwrap_err();
    assert!(
        range.to_string().contains("say how many of its values"),
        "{range}"
    );
    let many = ["seed=0..999:1000", "batch_size=1..999:999"];
    assert!(Sweep::new(base(), &many).unwrap().grid().is_err());
}

/// Settings that do not go together, and a loss that runs away: the others are trained all the same.
#[test]
fn a_run_that_fails_is_a_row_with_its_error() {
    let dir = tempfile::tempdir().unwrap();
    let sweep = Sweep::new(
        base(),
        &["optimizer=sgd|adam", "momentum=0.5", "lr=0.1|1e300"],
    )
    .unwrap();
    let table = sweep
        .run(&sweep.grid().unwrap(), dir.path(), train)
        .unwrap();
    let errors: Vec<&str> = table
        .rows()
        .iter()
        .map(|r| r.result.as_ref().err().map_or("", |e| e))
        .collect();
    assert_eq!(errors[0], "");
    assert!(errors[1].contains("the loss became"), "{errors:?}");
    assert!(
        errors[2].contains("momentum is a setting of sgd and rmsprop"),
        "{errors:?}"
    );
    let best = table.best().unwrap();
    assert_eq!(
        (best.run, &best.settings[..]),
        (1, &["sgd", "0.5", "0.1"].map(String::from)[..])
    );
    assert_eq!(table.metric(), "accuracy");

    let text = fs::read_to_string(table.path()).unwrap();
    let mut lines = text.lines();
    assert_eq!(
        lines.next().unwrap(),
        "run,optimizer,momentum,lr,epochs,best_epoch,test_loss,test_accuracy,train_loss,train_accuracy,seconds,error"
    );
    assert!(
        lines.next().unwrap().starts_with("1,sgd,0.5,0.1,2,2,"),
        "{text}"
    );
    // Read again it is the same, to the last bit.
    let again = Table::open(&sweep, dir.path()).unwrap();
    assert_eq!((again.rows(), again.metric()), (table.rows(), "accuracy"));
}

/// An hour's runs must not be done twice because the twelfth was interrupted.
#[test]
fn a_sweep_goes_on_with_the_runs_that_are_missing() {
    let dir = tempfile::tempdir().unwrap();
    let sweep = Sweep::new(base(), &["lr=0.01..1:log"]).unwrap();
    let trials = sweep.random(4, 0).unwrap();
    let interrupted = |trial: &Trial| {
        if trial.run < 3 {
            return train(trial);
        }
        let digits = digits()?;
        let (train, test) = (
            DataLoader::new(digits.train, 500)?,
            DataLoader::new(digits.test, 360)?,
        );
        let model = trial.config.build_model()?;
        let mut optimizer = trial.config.build_optimizer(&model)?;
        Trainer::new(2)
            .stop_when(Arc::new(AtomicBool::new(true)))
            .fit(&model, &mut *optimizer, &train, &test)
    };
    assert_eq!(
        interrupted(&trials[3]).unwrap().outcome,
        Outcome::Interrupted
    );
    let table = sweep.run(&trials, dir.path(), interrupted).unwrap();
    assert_eq!(table.rows().len(), 2);
    let mut runs = Vec::new();
    let counted = |trial: &Trial| {
        runs.push(trial.run);
        train(trial)
    };
    let whole = sweep.run(&trials, dir.path(), counted).unwrap();
    assert_eq!(runs, [3, 4]);
    assert_eq!(whole.rows()[..2], table.rows()[..]);
    assert_eq!(whole.rows().len(), 4);
}

/// Rows of two sweeps in one table would be compared although they cannot be.
#[test]
fn another_sweeps_folder_is_not_taken() {
    let dir = tempfile::tempdir().unwrap();
    let sweep = Sweep::new(base(), &["lr=0.1|0.2"]).unwrap();
    sweep
        .run(&sweep.grid().unwrap(), dir.path(), train)
        .unwrap();
    let say = |sweep: Sweep| {
        let trials = sweep.grid().unwrap();
        let error = sweep
            .run(&trials, dir.path(), |_| panic!("nothing is to be trained"))
            .unwrap_err();
        assert_eq!(error.kind(), Kind::Value);
        error.to_string()
    };
    let longer = Config {
        epochs: 3,
        ..base()
    };
    for (sweep, expected) in [
        (Sweep::new(longer, &["lr=0.1|0.2"]), "has other settings"),
        (Sweep::new(base(), &["lr=0.2|0.1"]), "had 0.1 in run 1"),
        (
            Sweep::new(base(), &["momentum=0.1|0.2"]),
            "has the columns run, lr, epochs",
        ),
    ] {
        let said = say(sweep.unwrap());
        assert!(said.contains(expected), "{said}");
    }
    let path = dir.path().join("sweep.csv");
    let broken = fs::read_to_string(&path)
        .unwrap()
        .replace(",2,2,", ",2,two,");
    fs::write(&path, broken).unwrap();
    let error = Table::open(&sweep, dir.path()).unwrap_err();
    assert_eq!(error.kind(), Kind::Data);
    assert!(
        error
            .to_string()
            .ends_with("sweep.csv line 2: 'two' is no number"),
        "{error}"
    );
    fs::remove_file(dir.path().join("sweep.toml")).unwrap();
    assert!(
        Table::open(&sweep, dir.path())
            .unwrap_err()
            .to_string()
            .contains("is there already")
    );
}
