//! `gradus sweep`.

mod common;

use common::{fails, folder, ok, run};
use std::fs;

/// The best is first, every run has its row, and the best run can be used.
#[test]
fn a_sweep_compares_runs_and_leaves_them() {
    let dir = folder();
    let dir = dir.path();
    let sweep = "sweep --model softmax --epochs 2 --vary lr=1e-6|0.1 --vary batch-size=32|64";
    let said = ok(dir, &format!("{sweep} -q"));
    let lines: Vec<&str> = said.out.lines().collect();
    assert!(
        lines[0].starts_with("run  lr    batch_size  test_loss  test_accuracy"),
        "{}",
        said.out
    );
    let first: Vec<&str> = lines[1].split_whitespace().collect();
    assert_eq!(first[1], "0.1", "{}", said.out);
    assert_eq!(said.err, "");
    let best = lines.last().unwrap();
    let best = best.strip_prefix("best: gradus ").unwrap();
    let json = ok(dir, &format!("{best} --json")).json();
    assert_eq!(json["model"], "softmax");
    let table = fs::read_to_string(dir.join("runs/sweep-digits-softmax/sweep.csv")).unwrap();
    assert_eq!(table.lines().count(), 5, "{table}");

    // Nothing is trained again; the figures are those of before.
    let json = ok(dir, &format!("{sweep} --json")).json();
    assert_eq!((&json["runs"], &json["failed"]), (&4.into(), &0.into()));
    assert_eq!(json["rows"][0]["settings"]["lr"], "1e-6");
    assert_eq!(
        fs::read_to_string(dir.join("runs/sweep-digits-softmax/sweep.csv")).unwrap(),
        table
    );
    let other = fails(dir, 2, &format!("{sweep} --seed 3"));
    assert!(
        other.contains("holds another sweep, which has other settings"),
        "{other}"
    );
}

#[test]
fn a_random_sweep_becomes_longer() {
    let dir = folder();
    let dir = dir.path();
    let sweep = |runs: usize| {
        let args =
            "sweep -q --json --model softmax --epochs 1 --vary lr=0.001..1:log --random --out s";
        ok(dir, &format!("{args} --runs {runs}")).json()
    };
    let (two, three) = (sweep(2), sweep(3));
    assert_eq!(three["runs"], 3);
    assert_eq!(three["rows"][1], two["rows"][1]);
    let lr: f64 = three["rows"][2]["settings"]["lr"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!((0.001..=1.0).contains(&lr), "{lr}");
}

/// One bad run must not hide the others, and a script must notice when all are bad.
#[test]
fn failing_runs_are_rows_and_the_exit_code_tells_when_all_are() {
    let dir = folder();
    let dir = dir.path();
    let said = ok(
        dir,
        "sweep --model softmax --epochs 1 --vary lr=1e300|0.1 --out some",
    );
    assert!(said.out.contains("\nrun 1 failed: "), "{}", said.out);
    assert!(
        said.err.contains("run 1 of 2  lr=1e300  failed: "),
        "{}",
        said.err
    );
    assert!(
        said.err.contains("run 2 of 2  lr=0.1  test loss "),
        "{}",
        said.err
    );
    let args = [
        "sweep",
        "-q",
        "--json",
        "--epochs",
        "1",
        "--vary",
        "lr=1e300|1e299",
        "--out",
        "all",
    ];
    let said = run(dir, args);
    assert_eq!(said.code, Some(1), "{}", said.err);
    assert_eq!(
        (&said.json()["failed"], &said.json()["best"]),
        (&2.into(), &serde_json::Value::Null)
    );
}

#[test]
fn what_cannot_vary_is_refused_before_anything_is_made() {
    let dir = folder();
    let dir = dir.path();
    for (args, expected) in [
        ("sweep --vary lr", "there is no ="),
        ("sweep --vary hiden=1|2", "unknown field `hiden`"),
        ("sweep --vary lr=0.1..1", "say how many of its values"),
        ("sweep --vary data=digits|mnist", "data cannot vary"),
        ("sweep --vary lr=0.1 --vary lr=0.2", "lr varies twice"),
    ] {
        let said = fails(dir, 2, args);
        assert!(said.contains(expected), "{said}");
    }
    assert_eq!(run(dir, ["sweep"]).code, Some(2));
    assert_eq!(fs::read_dir(dir).unwrap().count(), 0);
}

/// Ctrl-C keeps the table, and the same command goes on in the middle of a run.
#[cfg(unix)]
#[test]
fn an_interrupted_sweep_goes_on() {
    use common::{gradus, said, signal};
    use std::io::{BufRead, BufReader};
    use std::process::Stdio;

    let dir = folder();
    let dir = dir.path();
    let args = "sweep --epochs 2 --vary seed=1|2|3|4|5|6|7|8 --hidden 256,256 --out s";
    let mut child = gradus()
        .current_dir(dir)
        .args(args.split_whitespace())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // After its first run.
    let mut line = String::new();
    BufReader::new(child.stderr.as_mut().unwrap())
        .read_line(&mut line)
        .unwrap();
    assert!(line.starts_with("run 1 of 8  seed=1  test loss"), "{line}");
    signal(&child, "-INT");
    let stopped = said(child.wait_with_output().unwrap());
    assert_eq!(stopped.code, Some(130), "{}", stopped.out);
    let rows = || {
        fs::read_to_string(dir.join("s/sweep.csv"))
            .unwrap()
            .lines()
            .count()
            - 1
    };
    let done = rows();
    assert!((1..8).contains(&done), "{done}");
    let again = ok(dir, args);
    assert!(
        again
            .err
            .starts_with(&format!("{done} of 8 runs are done already\n")),
        "{}",
        again.err
    );
    assert_eq!(rows(), 8);
    // As if nothing had happened.
    let whole = ok(
        dir,
        "sweep -q --json --epochs 2 --vary seed=1|2|3|4|5|6|7|8 --hidden 256,256 --out t",
    )
    .json();
    let parts = ok(dir, &format!("{args} -q --json")).json();
    let losses = |json: &serde_json::Value| {
        let rows = json["rows"].as_array().unwrap();
        rows.iter()
            .map(|row| row["test_loss"].as_f64().unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!(losses(&whole), losses(&parts));
}
