//! `gradus doctor` and `gradus lr-find`.

mod common;

use common::{fails, folder, ok, run};
use std::fs;

/// A false alarm, or a sickness that nobody hears of because the program ends well.
#[test]
fn the_doctor_tells_healthy_from_sick_by_its_exit_code() {
    let dir = folder();
    let dir = dir.path();
    let said = ok(dir, "doctor -q --one-batch");
    assert_eq!(said.out, "mlp on digits, 3 epochs: nothing is wrong\n");
    assert_eq!(said.err, "");

    let said = run(
        dir,
        ["doctor", "-q", "--lr", "1e-7", "--epochs", "1", "--json"],
    );
    assert_eq!(said.code, Some(1), "{}", said.err);
    let json = said.json();
    assert_eq!(json["healthy"], false);
    assert_eq!(json["findings"][0]["sickness"], "learning-rate-too-small");

    let deep = "doctor -q --epochs 1 --hidden 16,16,16,16,16,16,16,16 --activation sigmoid";
    let said = run(dir, deep.split_whitespace());
    assert_eq!(said.code, Some(1));
    for part in [
        "mlp on digits, 1 epoch: ",
        "\nthe gradient of 1.weight is ",
        "\n  likely cause: sigmoid or tanh one after the other",
        "\n  try: relu with He initialisation",
    ] {
        assert!(said.out.contains(part), "{part:?} is not in {}", said.out);
    }
    // Nothing is kept of a training on trial.
    assert_eq!(fs::read_dir(dir).unwrap().count(), 0);
}

#[test]
fn the_doctor_looks_at_runs() {
    let dir = folder();
    let dir = dir.path();
    ok(dir, "train -q --epochs 3 --out good");
    let said = ok(dir, "doctor good");
    assert_eq!(said.out, "mlp on digits, 3 epochs: nothing is wrong\n");
    ok(dir, "train -q --epochs 2 --lr 1e-9 --out slow");
    let said = run(dir, ["doctor", "slow", "--json"]);
    assert_eq!(
        (said.code, said.json()["epochs"].as_u64()),
        (Some(1), Some(2))
    );
    assert_eq!(said.json()["findings"][0]["sickness"], "at-chance");
    assert!(fails(dir, 3, "doctor nowhere").contains("is not the folder of a run"));
    // A run has its settings.
    let said = run(dir, ["doctor", "good", "--lr", "1"]);
    assert_eq!(said.code, Some(2), "{}", said.out);
}

#[test]
fn a_learning_rate_is_suggested_and_drawn() {
    let dir = folder();
    let dir = dir.path();
    let json = ok(dir, "lr-find -q --json --out rates.svg").json();
    let suggestion = json["suggestion"].as_f64().unwrap();
    assert!(suggestion > 1e-3 && suggestion < 1.0, "{suggestion}");
    let points = json["points"].as_array().unwrap();
    assert!(points.len() > 50 && points[0]["lr"] == 1e-5);
    let svg = fs::read_to_string(dir.join("rates.svg")).unwrap();
    assert!(svg.contains("learning-rate range test, suggested"));

    let said = ok(
        dir,
        "lr-find --optimizer adam --from 1e-6 --to 0.1 --steps 60",
    );
    let last = said.out.lines().last().unwrap();
    assert!(
        last.starts_with("suggested learning rate for mlp with adam: "),
        "{last}"
    );
    assert!(said.out.lines().count() > 12, "no picture: {}", said.out);
    for args in [
        "lr-find --from 1 --to 0.1",
        "lr-find --from 0",
        "lr-find --out no/where.svg",
    ] {
        assert!(!fails(dir, 2, args).is_empty());
    }
    assert_eq!(fs::read_dir(dir).unwrap().count(), 1);
}
