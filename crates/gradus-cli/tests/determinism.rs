//! The same settings give the same bits: whatever the number of threads, and however often the run
//! was interrupted.

mod common;

use common::{finish, folder, gradus, mnist, ok, read, signal};
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

/// Small steps, so that a second holds many of them and a signal comes in the middle of an epoch.
const LONG: &str = "--hidden 32 --batch-size 2 --lr 0.01 --epochs 12";

fn model(dir: &Path, run: &str) -> Vec<u8> {
    read(dir.join(run).join("model.safetensors"))
}

#[test]
fn threads_and_workers_change_nothing() {
    let dir = folder();
    let dir = dir.path();
    // The first layer's products are large enough to be divided among threads.
    let settings = "--hidden 512 --batch-size 256 --epochs 3 -q";
    for (name, machine) in [
        ("one", "--threads 1 --workers 0"),
        ("two", "--threads 2 --workers 0"),
        ("ahead", "--threads 2 --workers 2"),
        ("many", "--threads 7 --workers 3"),
    ] {
        ok(dir, &format!("train {settings} {machine} --out {name}"));
        assert!(model(dir, name) == model(dir, "one"), "{machine}");
    }
    ok(dir, &format!("train {settings} --seed 1 --out other"));
    assert!(
        model(dir, "other") != model(dir, "one"),
        "the seed is ignored"
    );
}

#[test]
fn more_epochs_later_are_as_many_at_once() {
    let dir = folder();
    let dir = dir.path();
    for optimizer in ["sgd", "adam"] {
        let train = format!("train -q --optimizer {optimizer}");
        ok(dir, &format!("{train} --epochs 5 --out {optimizer}-once"));
        ok(dir, &format!("{train} --epochs 2 --out {optimizer}"));
        ok(
            dir,
            &format!("train -q --resume {optimizer} --epochs 5 --threads 1"),
        );
        let [once, twice] = [format!("{optimizer}-once"), optimizer.to_string()];
        assert!(model(dir, &once) == model(dir, &twice), "{optimizer}");
        // Everything in the settings but nothing else.
        assert_eq!(
            read(dir.join(&once).join("config.toml")),
            read(dir.join(&twice).join("config.toml"))
        );
    }
}

/// Convolutions, and running statistics that are part of the state but no weights.
#[test]
fn networks_for_images_are_as_reproducible() {
    let dir = folder();
    let dir = dir.path();
    mnist(dir, 12);
    for name in ["cnn", "lenet", "resnet20"] {
        let train = format!("train -q --data mnist --data-dir data --model {name} --batch-size 16");
        ok(
            dir,
            &format!("{train} --epochs 2 --threads 1 --out {name}-once"),
        );
        ok(
            dir,
            &format!("{train} --epochs 1 --threads 2 --workers 2 --out {name}"),
        );
        ok(
            dir,
            &format!("train -q --resume {name} --epochs 2 --threads 2 --data-dir data"),
        );
        assert!(
            model(dir, name) == model(dir, &format!("{name}-once")),
            "{name}"
        );
        let once = ok(dir, &format!("eval {name}-once --json --data-dir data")).json();
        let twice = ok(dir, &format!("eval {name} --json --data-dir data")).json();
        assert_eq!(once["test_loss"], twice["test_loss"], "{name}");
    }
}

/// Starts a run and returns when its first checkpoint is there.
#[cfg(unix)]
fn started(dir: &Path, args: &str) -> Child {
    let mut command = gradus();
    command.current_dir(dir).args(args.split_whitespace());
    let child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let begin = Instant::now();
    while !dir.join("stopped/checkpoint.safetensors").exists() {
        assert!(begin.elapsed() < Duration::from_secs(60), "no checkpoint");
        std::thread::sleep(Duration::from_millis(1));
    }
    child
}

#[cfg(unix)]
#[test]
fn an_interrupted_run_goes_on_with_the_same_bits() {
    let dir = folder();
    let dir = dir.path();
    ok(dir, &format!("train -q {LONG} --out whole"));
    for name in ["-INT", "-TERM"] {
        let child = started(dir, &format!("train -q --json {LONG} --out stopped"));
        signal(&child, name);
        let output = child.wait_with_output().unwrap();
        let err = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(130), "{err}");
        assert!(err.starts_with("interrupted after epoch "), "{err}");
        assert!(
            err.contains("; go on with: gradus train --resume stopped"),
            "{err}"
        );
        let said: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(said["outcome"], "interrupted");
        assert!(said["epochs"].as_u64().unwrap() < 12);

        let said = finish(
            gradus()
                .current_dir(dir)
                .args(["train", "--resume", "stopped", "--json"]),
        );
        assert_eq!(said.code, Some(0), "{}", said.err);
        assert!(said.err.contains("going on after epoch"), "{}", said.err);
        assert_eq!(said.json()["epochs"], 12);
        assert!(model(dir, "stopped") == model(dir, "whole"), "{name}");
        std::fs::remove_dir_all(dir.join("stopped")).unwrap();
    }
}

/// A power cut: nothing is saved at the end, so the epoch that was cut is trained again.
#[cfg(unix)]
#[test]
fn a_killed_run_goes_on_with_the_same_bits() {
    let dir = folder();
    let dir = dir.path();
    ok(dir, &format!("train -q {LONG} --out whole"));
    let mut child = started(dir, &format!("train -q {LONG} --out stopped"));
    std::thread::sleep(Duration::from_millis(20));
    signal(&child, "-KILL");
    assert_eq!(
        child.wait().unwrap().code(),
        None,
        "it was over before it was killed"
    );
    ok(dir, "train -q --resume stopped");
    assert!(model(dir, "stopped") == model(dir, "whole"));
}
