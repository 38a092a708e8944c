//! `gradus cluster kmeans`, from outside.

mod common;

use common::{fails, folder, ok, run};
use std::fs;

const FLOWERS: &str =
    "name,length,width,same\nrose,1,1,7\nlily,1.5,2,7\npoppy,9,8,7\naster,10,9,7\n";

/// Clusters that are not found, or are written elsewhere than asked.
#[test]
fn a_table_is_clustered() {
    let dir = folder();
    let dir = dir.path();
    fs::write(dir.join("a.csv"), FLOWERS).unwrap();
    let said = ok(
        dir,
        "cluster kmeans a.csv --columns length,width --k 2 --out l.csv --plot p.svg --json",
    );
    let json = said.json();
    assert_eq!(json["points"], 4);
    assert_eq!(json["columns"], serde_json::json!(["length", "width"]));
    assert_eq!(json["sizes"], serde_json::json!([2, 2]));
    assert!((json["inertia"].as_f64().unwrap() - 1.625).abs() < 1e-12);
    assert!(json["seconds"].as_f64().unwrap() > 0.0);
    let labels = fs::read_to_string(dir.join("l.csv")).unwrap();
    let labels: Vec<_> = labels.lines().collect();
    assert_eq!(labels[0], "label");
    assert!(labels[1] == labels[2] && labels[3] == labels[4] && labels[1] != labels[3]);
    assert_eq!(
        fs::read_to_string(dir.join("p.svg"))
            .unwrap()
            .matches("<circle")
            .count(),
        4
    );
    // The same without header, with another delimiter and by numbers of columns.
    fs::write(dir.join("b.csv"), "a;1;1\nb;1.5;2\nc;9;8\nd;10;9\n").unwrap();
    let again = ok(dir, "cluster kmeans b.csv --columns 2,3 --k 2 --json").json();
    assert_eq!(again["centers"], json["centers"]);
    let text = ok(
        dir,
        "cluster kmeans b.csv --columns 2,3 --k 2 --standardize",
    )
    .out;
    assert!(
        text.starts_with("4 points of 2 columns in 2 clusters: inertia "),
        "{text}"
    );
    let note = ok(
        dir,
        "cluster kmeans a.csv --columns 2,3,same --k 2 --standardize --plot p.svg",
    )
    .err;
    assert!(
        note.contains("column same is constant") && note.contains("3 columns drawn along"),
        "{note}"
    );
}

/// Broken tables that are computed with, or an error that does not help.
#[test]
fn broken_tables_are_refused() {
    let dir = folder();
    let dir = dir.path();
    for (text, words) in [
        ("", "is empty"),
        ("a,b\n", "no points"),
        (FLOWERS, "--columns length,width,same"),
        ("1,2\n3,x\n", "line 2: column 2 holds \"x\""),
        ("1,2\n3,\n", "line 2: column 2 is empty"),
        (
            "1,2\n3,nan\n",
            "line 2: column 2 holds nan, which is not finite",
        ),
        ("1,2\n3,4,5\n", "3 fields"),
    ] {
        fs::write(dir.join("a.csv"), text).unwrap();
        let error = fails(dir, 3, "cluster kmeans a.csv --k 1");
        assert!(error.contains(words) && error.contains("a.csv"), "{error}");
    }
    fs::write(dir.join("a.npy"), "no array").unwrap();
    fails(dir, 3, "cluster kmeans a.npy --k 1");
    fails(dir, 3, "cluster kmeans missing.csv --k 1");
    fs::write(dir.join("a.csv"), "1,2\n3,4\n").unwrap();
    for wrong in [
        "--k 3",
        "--k 0",
        "--k 1 --init nonsense",
        "--k 1 --columns 5",
        "--k 1 --tol -1",
        "--k 1 --n-init 0",
    ] {
        fails(dir, 2, &format!("cluster kmeans a.csv {wrong}"));
    }
    assert_eq!(run(dir, ["cluster", "kmeans", "a.csv"]).code, Some(2));
}

/// Sets to try that differ from run to run or with the threads, and suggestions without reason.
#[test]
fn sets_to_try_are_clustered_and_the_number_is_suggested() {
    let dir = folder();
    let dir = dir.path();
    for name in [
        "blobs",
        "moons",
        "circles",
        "varied",
        "anisotropic",
        "uneven",
    ] {
        let fit = |threads| {
            let command = format!(
                "cluster kmeans --data {name} --k 3 --random-state 170 --threads {threads} --json"
            );
            let mut json = ok(dir, &command).json();
            json["seconds"] = 0.into();
            json
        };
        assert_eq!(fit(1), fit(2), "{name}");
    }
    let json = ok(dir, "cluster kmeans --data blobs --random-state 170 --samples 400 --suggest --max-k 6 --plot p.svg --json").json();
    assert_eq!(
        (&json["k"], json["suggestions"].as_array().unwrap().len()),
        (&3.into(), 3)
    );
    assert!(
        fs::read_to_string(dir.join("p-k.svg"))
            .unwrap()
            .contains("silhouette")
    );
}
