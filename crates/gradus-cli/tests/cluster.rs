//! `gradus cluster`, from outside.

mod common;

use common::{Said, fails, folder, gradus, ok, run, said, signal};
use serde_json::json;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

const FLOWERS: &str =
    "name,length,width,same\nrose,1,1,7\nlily,1.5,2,7\npoppy,9,8,7\naster,10,9,7\n";

const PLACES: &str = "x,y,name\n1,1,a\n1,2,b\n2,2,c\n9,8,d\n9,9,e\n26,81,f\n";

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
        4 + 2,
        "points, and clusters in the legend"
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
        ("1,2\n3,4,5\n", "line 2: 3 fields, expected 2"),
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

/// Dense places that are not found, noise that is not told, or results elsewhere than asked.
#[test]
fn dense_places_are_found() {
    let dir = folder();
    let dir = dir.path();
    fs::write(dir.join("a.csv"), PLACES).unwrap();
    let command = "cluster dbscan a.csv --columns x,y --eps 1.5 --min-samples 2";
    let said = ok(dir, &format!("{command} --out l.csv --plot p.svg --json"));
    let json = said.json();
    for (field, value) in [
        ("data", json!("a.csv")),
        ("points", json!(6)),
        ("columns", json!(["x", "y"])),
        ("eps", json!(1.5)),
        ("min_samples", json!(2)),
        ("metric", json!("euclidean")),
        ("algorithm", json!("grid")),
        ("clusters", json!(2)),
        ("sizes", json!([3, 2])),
        ("noise", json!(1)),
        ("core_points", json!(5)),
        ("suggestion", json!(null)),
        ("interrupted", json!(false)),
    ] {
        assert_eq!(json[field], value, "{field}");
    }
    assert!(json["seconds"].as_f64().unwrap() >= 0.0);
    assert_eq!(json["estimate"]["algorithm"], "grid");
    assert!(json["estimate"]["memory"].as_u64().unwrap() > 0);
    assert!(json["estimate"]["seconds"].as_f64().unwrap() > 0.0);
    let labels = fs::read_to_string(dir.join("l.csv")).unwrap();
    assert_eq!(labels, "label\n0\n0\n0\n1\n1\n-1\n");
    let svg = fs::read_to_string(dir.join("p.svg")).unwrap();
    assert!(svg.contains(">noise: 1<") && svg.contains(">x<"), "{svg}");

    let text = ok(dir, command).out;
    assert!(
        text.starts_with("6 points of 2 columns in 2 clusters: eps 1.5, "),
        "{text}"
    );
    assert!(text.contains("noise:         1 points"), "{text}");
    for algorithm in ["auto", "grid", "kd-tree", "brute"] {
        let again = ok(dir, &format!("{command} --algorithm {algorithm} --json")).json();
        assert_eq!(again["sizes"], json["sizes"], "{algorithm}");
    }
    // One step to the right and one upwards: 2 away, or 1.
    for (metric, cores) in [("manhattan", 1), ("chebyshev", 3), ("cosine", 6)] {
        let command = "cluster dbscan a.csv --columns x,y --eps 1 --min-samples 3 --json";
        let json = ok(dir, &format!("{command} --metric {metric}")).json();
        assert_eq!(json["metric"], metric);
        assert_eq!(json["core_points"], cores, "{json}");
    }
    let cost = ok(dir, &format!("{command} --estimate")).out;
    assert!(
        cost.starts_with("6 points of 2 columns by grid: about "),
        "{cost}"
    );
}

/// A table of distances that is taken for points.
#[test]
fn distances_are_clustered() {
    let dir = folder();
    let dir = dir.path();
    fs::write(dir.join("d.csv"), "0,0.4,9\n0.4,0,9\n9,9,0\n").unwrap();
    let command = "cluster dbscan d.csv --metric precomputed --eps 0.5 --min-samples 2";
    let json = ok(dir, &format!("{command} --json")).json();
    assert_eq!((&json["sizes"], &json["noise"]), (&json!([2]), &1.into()));
    for wrong in ["--suggest", "--plot p.svg", "--standardize"] {
        let error = fails(dir, 2, &format!("{command} {wrong}"));
        assert!(error.contains("not distances"), "{error}");
    }
    fs::write(dir.join("d.csv"), "0,0.4\n0.5,0\n").unwrap();
    let error = fails(dir, 3, command);
    assert!(
        error.contains("d.csv") && error.contains("row 0, column 1"),
        "{error}"
    );
}

/// A suggestion that is not used or not drawn, or goes before what the user says.
#[test]
fn a_distance_is_suggested() {
    let dir = folder();
    let dir = dir.path();
    let command = "cluster dbscan --data moons --samples 400 --suggest --plot p.svg";
    let said = ok(dir, &format!("{command} --json"));
    let json = said.json();
    let eps = json["eps"].as_f64().unwrap();
    assert!((0.05..0.3).contains(&eps), "{eps}");
    assert_eq!(json["suggestion"]["eps"], json["eps"]);
    assert!(
        json["suggestion"]["words"]
            .as_str()
            .unwrap()
            .contains("bends most")
    );
    let curve = fs::read_to_string(dir.join("p-eps.svg")).unwrap();
    assert!(curve.contains("knee: eps 0."), "{curve}");
    let text = ok(dir, &format!("{command} --eps 0.25")).out;
    assert!(
        text.starts_with("eps 0.") && text.contains("in 2 clusters: eps 0.25,"),
        "{text}"
    );
}

/// Settings and data that make no sense are computed with, or an error does not help.
#[test]
fn what_cannot_be_clustered_by_density_is_refused() {
    let dir = folder();
    let dir = dir.path();
    for (text, words) in [
        (&b""[..], "is empty"),
        (b"x,y\n", "no points"),
        (b"1,2\n3,x\n", "line 2: column 2 holds \"x\""),
        (
            b"1,2\n3,nan\n",
            "line 2: column 2 holds nan, which is not finite",
        ),
        (
            b"1,2\n-inf,3\n",
            "line 2: column 1 holds -inf, which is not finite",
        ),
        (b"1,2\n3\n", "line 2: 1 field, expected 2"),
        (b"1,2\n3,\xff\n", "line 2: column 2 is not UTF-8"),
    ] {
        fs::write(dir.join("a.csv"), text).unwrap();
        let error = fails(dir, 3, "cluster dbscan a.csv --eps 1");
        assert!(error.contains(words) && error.contains("a.csv"), "{error}");
    }
    fs::write(dir.join("a.csv"), "1,2\n3,4\n0,0\n").unwrap();
    for (wrong, words) in [
        ("--eps 0", "above 0"),
        ("--eps -1", "above 0"),
        ("--eps nan", "above 0"),
        ("--eps 1 --min-samples 0", "from 1 on"),
        ("--eps 1 --metric nonsense", "manhattan"),
        ("--eps 1 --plot missing/p.svg", "missing/p.svg"),
        ("--eps 1 --out .", "no file"),
        ("--suggest --min-samples 9", "at most 3"),
        ("", "--eps"),
    ] {
        let said = run(
            dir,
            format!("cluster dbscan a.csv {wrong}").split_whitespace(),
        );
        assert_eq!(
            (said.code, said.out.as_str()),
            (Some(2), ""),
            "{wrong}: {}",
            said.err
        );
        assert!(said.err.contains(words), "{wrong}: {}", said.err);
    }
    let error = fails(dir, 3, "cluster dbscan a.csv --eps 1 --metric cosine");
    assert!(error.contains("row 2 is all zeros"), "{error}");
    // All in one place: no curve, no suggestion, one cluster.
    fs::write(dir.join("a.csv"), "1,2\n".repeat(20)).unwrap();
    let error = fails(dir, 2, "cluster dbscan a.csv --suggest");
    assert!(
        error.contains("no suggestion") && error.contains("--eps says one"),
        "{error}"
    );
    let json = ok(dir, "cluster dbscan a.csv --eps 1 --plot p.svg --json").json();
    assert_eq!((&json["sizes"], &json["noise"]), (&json!([20]), &0.into()));
}

/// A seed that changes nothing or too much, or the teaching variant where nobody asked for it.
#[test]
fn visits_decide_about_border_points_only() {
    let dir = folder();
    let dir = dir.path();
    // Only the point in the middle has three points around it.
    fs::write(dir.join("a.csv"), "0\n1\n2\n").unwrap();
    let noise = |more: &str| {
        let command = format!("cluster dbscan a.csv --eps 1 --min-samples 3 --json {more}");
        ok(dir, &command).json()["noise"].clone()
    };
    assert_eq!(noise(""), 0);
    assert_eq!(noise("--random-state 1"), 0);
    assert_eq!(noise("--noise-is-final"), 1);
    let of_seeds: Vec<_> = (0..10)
        .map(|seed| noise(&format!("--noise-is-final --random-state {seed}")))
        .collect();
    assert!(of_seeds.iter().any(|n| *n != of_seeds[0]), "{of_seeds:?}");
}

/// A drawing that is no text, is lost in the JSON, or has codes that only a terminal understands.
#[test]
fn clusters_are_drawn_in_the_terminal() {
    let dir = folder();
    let dir = dir.path();
    for command in ["kmeans --k 2", "dbscan --eps 0.3"] {
        let command = format!("cluster {command} --data moons --samples 200 --plot term");
        let text = ok(dir, &command).out;
        assert!(text.starts_with("moons: 2 clusters"), "{text}");
        assert!(
            text.contains("0 = cluster 0: ") && text.contains('┤'),
            "{text}"
        );
        assert!(!text.contains('\u{1b}'), "{text}");
        let said = ok(dir, &format!("{command} --json"));
        assert_eq!(said.out.lines().count(), 1);
        assert!(said.err.contains("1 = cluster 1: ") && said.json()["points"] == 200);
    }
    assert!(!dir.join("term").exists());
}

/// Batches that change nothing, or that nobody is told of.
#[test]
fn batches_are_clustered() {
    let dir = folder();
    let dir = dir.path();
    let command = "cluster kmeans --data blobs --random-state 170 --k 3 --mini-batch 100";
    let json = ok(dir, &format!("{command} --json")).json();
    assert_eq!(json["mini_batch"], 100);
    let whole = ok(
        dir,
        "cluster kmeans --data blobs --random-state 170 --k 3 --json",
    )
    .json();
    assert_eq!(whole["mini_batch"], json!(null));
    let [batches, whole] = [json, whole].map(|json| json["inertia"].as_f64().unwrap());
    assert!(
        batches > whole && batches < 1.2 * whole,
        "{batches}, {whole}"
    );
    let text = ok(dir, command).out;
    assert!(
        text.contains("by batches of 100: ") && text.contains(" batches, "),
        "{text}"
    );
    assert_eq!(
        run(dir, format!("{command} --n-init 3").split_whitespace()).code,
        Some(2)
    );
}

/// Begins `gradus ARGS` and interrupts it: after a second, or a moment after it has told what to expect.
#[cfg(unix)]
fn interrupted(dir: &Path, args: &str, tells: bool) -> Said {
    let mut child = gradus()
        .current_dir(dir)
        .args(args.split_whitespace())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut err = BufReader::new(child.stderr.take().unwrap());
    let mut told = String::new();
    if tells {
        err.read_line(&mut told).unwrap();
    }
    std::thread::sleep(Duration::from_millis(if tells { 300 } else { 1000 }));
    signal(&child, "-INT");
    err.read_to_string(&mut told).unwrap();
    let mut said = said(child.wait_with_output().unwrap());
    said.err = told;
    assert_eq!(said.code, Some(130), "{args}: {}", said.err);
    said
}

/// Work that cannot be ended, or whose result is lost when it is.
#[cfg(unix)]
#[test]
fn an_interrupted_search_gives_what_it_has() {
    let dir = folder();
    let dir = dir.path();
    // Both would take minutes, the second in many small parts.
    for (command, tells, words) in [
        (
            "kmeans --data blobs --samples 20000 --k 9 --tol 0 --n-init 1000000",
            false,
            "these are the best clusters so far",
        ),
        (
            "dbscan --data blobs --samples 1000000 --eps 0.1 --min-samples 30000 --threads 1",
            true,
            "% of the work",
        ),
    ] {
        let command = format!("cluster {command} --out l.csv --plot p.svg --json");
        let said = interrupted(dir, &command, tells);
        assert!(
            said.err.contains("interrupted") && said.err.contains(words),
            "{command}: {}",
            said.err
        );
        let json = said.json();
        assert_eq!(json["interrupted"], true);
        let labels = fs::read_to_string(dir.join("l.csv")).unwrap();
        assert_eq!(
            labels.lines().count() as u64,
            1 + json["points"].as_u64().unwrap()
        );
        for file in ["l.csv", "p.svg"] {
            fs::remove_file(dir.join(file)).unwrap();
        }
    }
    let command = "cluster kmeans --data blobs --samples 200000 --suggest --n-init 1000 --tol 0";
    let said = interrupted(dir, command, false);
    assert_eq!(said.out, "");
    assert!(
        said.err.contains("before a number of clusters was found"),
        "{}",
        said.err
    );
}
