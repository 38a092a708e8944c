//! `gradus bench`: what it prints, not how fast it is.

mod common;

use common::{fails, folder, gradus, ok};
use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;

/// Workloads that take no time even without optimisation.
const SMALL: &str = "bench --quick --only add_10,graph_10,softmax";

#[test]
fn the_list_says_what_a_peer_must_know() {
    let dir = folder();
    let text = ok(dir.path(), "bench --list").out;
    let json = ok(dir.path(), "bench --list --json").out;
    assert_eq!(text.lines().count(), json.lines().count());
    for (text, json) in text.lines().zip(json.lines()) {
        let json: serde_json::Value = serde_json::from_str(json).unwrap();
        let (name, about) = (json["name"].as_str(), json["about"].as_str());
        assert!(text.starts_with(name.unwrap()) && text.ends_with(about.unwrap()));
        let known = match json["kind"].as_str().unwrap() {
            "dense" => json["sizes"].is_array() && json["batch"].is_u64() && json["l2"].is_f64(),
            "cnn" => json["batch"].is_u64(),
            "add" | "exp" | "sum" | "graph" => json["size"].is_u64(),
            other => panic!("{other}"),
        };
        let counted = json["flop"].is_f64() && json["bytes"].is_f64();
        assert!(known && counted && json["dtype"].is_string(), "{json}");
    }
}

#[test]
fn each_workload_has_a_line_below_the_limits_of_the_machine() {
    let dir = folder();
    let text = ok(dir.path(), &format!("{SMALL} --threads 1")).out;
    let lines: Vec<_> = text.lines().collect();
    assert!(lines[0].starts_with("1 thread; at most "), "{text}");
    assert!(lines[2].starts_with("workload "), "{text}");
    let names: Vec<_> = lines[3..].iter().map(|l| l.split(' ').next()).collect();
    let expected = ["softmax_784_10_b256", "add_10", "graph_10"].map(Some);
    assert_eq!(names, expected, "{text}");
    let width = |line: &str| line.chars().count();
    assert!(
        lines[3..].iter().all(|l| width(l) == width(lines[2])),
        "{text}"
    );
}

#[test]
fn json_has_an_object_a_line_and_figures_that_fit_together() {
    let dir = folder();
    let text = ok(dir.path(), &format!("{SMALL} --threads 2 --json")).out;
    let lines: Vec<serde_json::Value> = (text.lines())
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let number = |json: &serde_json::Value, name: &str| json[name].as_f64().unwrap();
    let machine = &lines[0];
    assert_eq!(machine["threads"], 2);
    let (peak, speed) = (
        number(machine, "peak_gflops"),
        number(machine, "gigabytes_per_second"),
    );
    assert!(peak > 0.0 && speed > 0.0);
    assert_eq!(lines.len(), 4);
    for line in &lines[1..] {
        assert!(line["samples"].as_u64() > Some(0), "{line}");
        assert!(
            number(line, "min_us") <= number(line, "median_us"),
            "{line}"
        );
        if cfg!(target_os = "linux") && !line["peak_mib"].is_null() {
            assert!(
                number(line, "peak_mib") >= number(line, "base_mib"),
                "{line}"
            );
        }
    }
    // 8 million operations; its floor is that of memory or of arithmetic, whichever is higher here.
    let softmax = &lines[1];
    let us = number(softmax, "median_us");
    let gflops = 2.0 * 2.0 * 256.0 * 7840.0 / us / 1e3;
    assert!((number(softmax, "gflops") / gflops - 1.0).abs() < 1e-9);
    assert!((number(softmax, "of_peak") * peak / gflops - 1.0).abs() < 1e-9);
    assert!((number(softmax, "of_floor") * us / number(softmax, "floor_us") - 1.0).abs() < 1e-9);
    assert!(number(softmax, "of_floor") >= number(softmax, "of_peak"));
    assert!(lines[2]["gflops"].is_null() && lines[2]["of_floor"].is_null());
}

#[test]
fn wrong_options_are_told() {
    let dir = folder();
    for (args, expected) in [
        (
            "bench --only softmax,rnn",
            "no workload has 'rnn' in its name; there are softmax_",
        ),
        ("bench --only= --list", "no workload has ''"),
        ("bench --seconds 0", "expected a number above 0"),
        ("bench --seconds nan", "expected a number above 0"),
        ("bench --seconds 1e9", "at most 3600"),
    ] {
        let error = fails(dir.path(), 2, args);
        assert!(error.contains(expected), "{args}: {error}");
    }
}

/// What was measured before Ctrl-C must be there, and nothing after it.
#[cfg(unix)]
#[test]
fn an_interruption_keeps_what_there_is() {
    let dir = folder();
    let mut command = gradus();
    command
        .current_dir(dir.path())
        .args("bench --seconds 600 --only add_10,graph_10 --json".split(' '))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut program = command.spawn().unwrap();
    let mut out = BufReader::new(program.stdout.take().unwrap());
    let mut line = String::new();
    out.read_line(&mut line).unwrap(); // The machine; the first workload has begun.
    common::signal(&program, "-INT");
    let mut rest = String::new();
    out.read_to_string(&mut rest).unwrap();
    let done = program.wait_with_output().unwrap();
    assert_eq!(done.status.code(), Some(130));
    assert_eq!(String::from_utf8(done.stderr).unwrap(), "interrupted\n");
    let names: Vec<serde_json::Value> = (rest.lines())
        .map(|l| serde_json::from_str::<serde_json::Value>(l).unwrap()["name"].clone())
        .collect();
    assert_eq!(names, ["add_10"], "{rest}");
}
