//! What `gradus train` leaves and says, and what it refuses.

mod common;

use common::{fails, finish, folder, gradus, ok, read, small_mnist};
use std::fs;

/// The promise of the first command that anybody tries.
#[test]
fn the_digits_are_learned_without_any_option() {
    let dir = folder();
    let dir = dir.path();
    let said = ok(dir, "train");
    assert!(said.out.starts_with("test accuracy 9"), "{}", said.out);
    for next in [
        "gradus eval runs/digits-mlp\n",
        "gradus predict runs/digits-mlp IMAGE.png",
    ] {
        assert!(said.out.contains(next), "{}", said.out);
    }
    // A second run takes the next name.
    let said = ok(dir, "train --json --seed 1");
    let json = said.json();
    assert_eq!(json["out"], "runs/digits-mlp-2");
    assert_eq!(
        (&json["data"], &json["model"]),
        (&"digits".into(), &"mlp".into())
    );
    assert_eq!(
        (&json["epochs"], &json["parameters"]),
        (&30.into(), &9610.into())
    );
    assert!(json["test_accuracy"].as_f64().unwrap() >= 0.95, "{json}");
    for number in [
        "train_loss",
        "train_accuracy",
        "test_loss",
        "seconds",
        "samples_per_second",
    ] {
        assert!(json[number].as_f64().is_some(), "{number} in {json}");
    }
    assert_eq!(said.out.lines().count(), 1);
    for file in [
        "config.toml",
        "model.safetensors",
        "checkpoint.safetensors",
        "metrics.jsonl",
        "curves.svg",
    ] {
        assert!(dir.join("runs/digits-mlp").join(file).exists(), "{file}");
    }
    assert_eq!(
        read(dir.join("runs/digits-mlp/metrics.jsonl"))
            .iter()
            .filter(|&&b| b == b'\n')
            .count(),
        30
    );
}

/// A log file full of control characters, or progress where none was wanted.
#[test]
fn elsewhere_than_on_a_terminal_progress_is_a_line_an_epoch() {
    let dir = folder();
    let dir = dir.path();
    let said = ok(dir, "train --epochs 3 --model softmax --json");
    let lines: Vec<_> = said.err.lines().collect();
    assert_eq!(lines.len(), 4, "{}", said.err);
    assert_eq!(lines[0], "650 parameters, 3 epochs of 45 steps");
    for (i, line) in lines[1..].iter().enumerate() {
        assert!(
            line.starts_with(&format!("epoch {}/3  train loss ", i + 1)),
            "{line}"
        );
    }
    assert!(
        !said.err.chars().any(|c| c.is_control() && c != '\n'),
        "{:?}",
        said.err
    );
    assert_eq!(ok(dir, "train --epochs 1 --quiet").err, "");
}

#[test]
fn options_win_over_the_file_and_the_file_over_the_defaults() {
    let dir = folder();
    let dir = dir.path();
    fs::write(
        dir.join("my.toml"),
        "hidden = [16]\nepochs = 2\noptimizer = \"adam\"\n",
    )
    .unwrap();
    let said = ok(dir, "train --config my.toml --epochs 1 --out a --json");
    assert!(
        said.err
            .starts_with("learning rate 0.001, the default for adam\n"),
        "{}",
        said.err
    );
    let json = said.json();
    assert_eq!(
        (&json["epochs"], &json["lr"], &json["batch_size"]),
        (&1.into(), &0.001.into(), &32.into())
    );
    assert_eq!(json["parameters"], 64 * 16 + 16 + 160 + 10);
    // The folder's settings say all of it, and can be a settings file themselves.
    let said = ok(dir, "train --config a/config.toml --out b --json");
    assert_eq!(said.json()["test_loss"], json["test_loss"]);
}

#[test]
fn wrong_usage_is_told_in_a_line_and_leaves_nothing_behind() {
    let dir = folder();
    let dir = dir.path();
    for (name, text) in [
        ("key.toml", "epochs = 3\nhiden = [3]\n"),
        ("value.toml", "epochs = 0\n"),
        ("type.toml", "lr = \"fast\"\n"),
        ("name.toml", "data = \"mnits\"\n"),
        ("broken.toml", "lr = = 3\n"),
        ("nan.toml", "lr = nan\n"),
    ] {
        fs::write(dir.join(name), text).unwrap();
    }
    for (args, expected) in [
        (
            "--config key.toml",
            "key.toml: line 2: unknown field `hiden`",
        ),
        (
            "--config value.toml",
            "value.toml: epochs must be at least 1",
        ),
        (
            "--config type.toml",
            "type.toml: line 1: invalid type: string \"fast\"",
        ),
        ("--config name.toml", "unknown data set 'mnits'"),
        ("--config broken.toml", "broken.toml: line 1: "),
        (
            "--config nan.toml",
            "nan.toml: lr must be a number of at least 0, not NaN",
        ),
        ("--config absent.toml", "absent.toml: "),
        ("--data cifar", "invalid value 'cifar'"),
        ("--model alexnet", "invalid value 'alexnet'"),
        (
            "--model cnn",
            "cnn: images of 8×8 pixels are too small, it needs 10×10",
        ),
        ("--model lenet --hidden 3", "settings of mlp, not of lenet"),
        ("--resize 8", "invalid value '8'"),
        (
            "--resize 8x8",
            "resize, grey and skip_corrupt are for pictures of one's own",
        ),
        (
            "--data ./no.tar --resize 0x8",
            "every size in resize must be at least 1",
        ),
        ("--activation rleu", "invalid value 'rleu'"),
        ("--optimizer adamm", "invalid value 'adamm'"),
        ("--hidden 3,x", "invalid value 'x'"),
        ("--hidden 3,0", "every size in hidden must be at least 1"),
        ("--epochs 0", "epochs must be at least 1"),
        ("--batch-size 0", "batch_size must be at least 1"),
        ("--lr=-1", "lr must be a number of at least 0, not -1"),
        ("--seed 9999999999999999999", "seed must be at most"),
        ("--scheduler sine", "invalid value 'sine'"),
        ("--clip-value 0", "clip_value must be above 0, not 0"),
        ("--ema 1", "ema must be at least 0 and below 1, not 1"),
        ("--clip-norm 0", "clip_norm must be above 0, not 0"),
        ("--early-stopping 0", "early_stopping must be at least 1"),
        ("--accumulate 0", "accumulate must be at least 1"),
        (
            "--resume x --scheduler step",
            "cannot be used with '--scheduler <NAME>'",
        ),
        ("--threads 0", "invalid value '0'"),
        (
            "--optimizer adam --momentum 0.9",
            "momentum is a setting of sgd and rmsprop, not of adam",
        ),
        ("--model softmax --hidden 3", "settings of mlp"),
        ("--resume x --seed 1", "cannot be used with '--seed <N>'"),
        ("--resume x --out y", "cannot be used with '--out <DIR>'"),
        ("--no-such-option", "unexpected argument"),
    ] {
        let error = fails(dir, 2, &format!("train {args}"));
        assert!(error.contains(expected), "{args}: {error}");
    }
    assert!(!dir.join("runs").exists());
}

/// Options of the loop that are taken and then forgotten. With a learning rate of 0 nothing becomes
/// better, so the first model stays the best.
#[test]
fn a_run_that_learns_no_more_ends_early_and_keeps_its_best_model() {
    let dir = folder();
    let dir = dir.path();
    let options = "--scheduler cosine --clip-norm 1 --accumulate 2 --early-stopping 2";
    let said = ok(dir, &format!("train -q --lr 0 {options} --out a"));
    assert!(said.out.contains("ended early"), "{}", said.out);
    let (best, last) = ("a/best.safetensors", "a/model.safetensors");
    assert_eq!(read(dir.join(best)), read(dir.join(last)));
    let json = ok(dir, "train -q --json --resume a --epochs 40").json();
    assert_eq!(json["outcome"], "early_stopped");
    assert_eq!(json["epochs"], 3);
    let settings = String::from_utf8(read(dir.join("a/config.toml"))).unwrap();
    for setting in [
        "scheduler = \"cosine\"",
        "clip_norm = 1.0",
        "accumulate = 2",
        "early_stopping = 2",
    ] {
        assert!(settings.contains(setting), "{settings}");
    }
    // The rate falls from step to step: in the second epoch it is not the first's.
    ok(dir, "train -q --epochs 4 --scheduler one-cycle --out b");
    let metrics = String::from_utf8(read(dir.join("b/metrics.jsonl"))).unwrap();
    let rates = metrics.lines().map(|line| {
        let json: serde_json::Value = serde_json::from_str(line).unwrap();
        json["lr"].as_f64().unwrap()
    });
    let rates: Vec<f64> = rates.collect();
    assert!(rates[0] > 0.09 && rates[3] < 1e-4, "{rates:?}");
}

#[test]
fn the_folder_of_another_run_is_left_alone() {
    let dir = folder();
    let dir = dir.path();
    ok(dir, "train -q --epochs 1 --out mine");
    let before = read(dir.join("mine/checkpoint.safetensors"));
    let error = fails(dir, 2, "train -q --epochs 1 --seed 5 --out mine");
    assert!(
        error.contains("mine holds another run (config.toml)"),
        "{error}"
    );
    assert_eq!(read(dir.join("mine/checkpoint.safetensors")), before);

    fs::write(dir.join("file"), "").unwrap();
    let error = fails(dir, 1, "train -q --epochs 1 --out file/run");
    assert!(error.contains("cannot make the folder file/run"), "{error}");
}

#[test]
fn a_run_cannot_be_shortened() {
    let dir = folder();
    let dir = dir.path();
    ok(dir, "train -q --epochs 3 --out a");
    let error = fails(dir, 2, "train -q --resume a --epochs 2");
    assert!(
        error.contains("a has trained for 3 epochs already"),
        "{error}"
    );
    // Nothing left to do is no mistake, and says what there is.
    assert_eq!(ok(dir, "train -q --resume a --json").json()["epochs"], 3);
}

/// A loss that is no number ends the run with its cause and keeps the last good state.
#[test]
fn divergence_is_diagnosed_and_the_last_good_state_kept() {
    let dir = folder();
    let dir = dir.path();
    let error = fails(dir, 1, "train -q --hidden 64,64 --lr 1e6");
    assert!(
        error.starts_with("error: the loss became NaN at step "),
        "{error}"
    );
    assert!(
        error.contains("of epoch 1: the first module whose output was not finite is "),
        "{error}"
    );
    assert!(
        error.contains("Linear(64→") && error.contains("smaller learning rate than 1000000.0"),
        "{error}"
    );

    ok(dir, "train -q --hidden 64,64 --epochs 1 --out a");
    let good = read(dir.join("a/model.safetensors"));
    let config = fs::read_to_string(dir.join("a/config.toml")).unwrap();
    fs::write(
        dir.join("a/config.toml"),
        config.replace("lr = 0.1", "lr = 1e6"),
    )
    .unwrap();
    let error = fails(dir, 1, "train -q --resume a --epochs 3");
    assert!(error.contains("of epoch 2"), "{error}");
    assert_eq!(read(dir.join("a/model.safetensors")), good);
}

#[test]
fn a_run_that_learns_nothing_is_called_that() {
    let dir = folder();
    let said = ok(dir.path(), "train -q --lr 1e6 --epochs 3");
    assert!(
        said.err
            .starts_with("warning: the training loss is above 2.3"),
        "{}",
        said.err
    );
}

/// A data set from files, with the option that names their place proposed again.
#[test]
fn data_from_files_is_found_by_option_and_by_variable() {
    let dir = folder();
    let dir = dir.path();
    small_mnist(dir);
    let said = ok(
        dir,
        "train -q --data mnist --data-dir data --hidden 8 --out a",
    );
    assert!(
        said.out.contains("gradus eval a --data-dir data"),
        "{}",
        said.out
    );
    let args = ["eval", "a", "--json"];
    let said = finish(
        gradus()
            .current_dir(dir)
            .env("GRADUS_DATA", "data")
            .args(args),
    );
    assert_eq!(said.json()["test_accuracy"], 1.0, "{}", said.err);
}
