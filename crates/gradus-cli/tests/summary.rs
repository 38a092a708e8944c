//! `gradus summary`, and models that are written down.

mod common;

use common::{fails, folder, ok};
use std::fs;

const NET: &str = "\
[[layers]]
type = \"conv2d\"
out = 8
kernel = 3
padding = \"same\"

[[layers]]
type = \"relu\"

[[layers]]
type = \"max_pool2d\"
kernel = 2

[[layers]]
type = \"flatten\"

[[layers]]
type = \"linear\"
";

#[test]
fn settings_and_runs_are_shown_alike() {
    let dir = folder();
    let dir = dir.path();
    let text = ok(dir, "summary --model resnet20 --input 3x32x32 --classes 10").out;
    assert!(text.contains("269,722 parameters"), "{text}");
    assert!(
        text.contains("layer2.0.conv1    Conv2d(16→32, 3×3, stride 2×2, padding 1×1)"),
        "{text}"
    );

    // The data are not needed, nor there.
    assert_eq!(
        ok(dir, "summary --model resnet20 --data cifar-10").out,
        text
    );

    ok(dir, "train -q --epochs 1 --hidden 20 --out a");
    let run = ok(dir, "summary a").out;
    assert_eq!(ok(dir, "summary --hidden 20").out, run);
    assert_eq!(
        ok(dir, "summary --hidden 20 --input 1x8x8 --classes 10").out,
        run
    );
    let json = ok(dir, "summary a --json").json();
    assert_eq!(
        (&json["parameters"], &json["multiply_adds"]),
        (&1510.into(), &1480.into())
    );
    assert_eq!(json["layers"][1]["output"], serde_json::json!([20]));
    assert_eq!(json["input"], serde_json::json!([1, 8, 8]));

    for (args, code, expected) in [
        (
            "summary --input 3x0 --classes 2",
            2,
            "expected numbers, such as 3x32x32",
        ),
        (
            "summary --input 3x8",
            2,
            "required arguments were not provided",
        ),
        (
            "summary --input 8 --classes 2 --data mnist",
            2,
            "cannot be used with",
        ),
        ("summary a --hidden 3", 2, "cannot be used with"),
        (
            "summary --model cnn --input 1x8x8 --classes 10",
            2,
            "cnn: images of 8×8 pixels are too small",
        ),
        ("summary none", 3, "none is not the folder of a run"),
    ] {
        let error = fails(dir, code, args);
        assert!(error.contains(expected), "{args}: {error}");
    }
}

/// A run whose model is written down needs its file no more.
#[test]
fn a_written_model_is_trained_and_kept_in_the_run() {
    let dir = folder();
    let dir = dir.path();
    fs::write(dir.join("net.toml"), NET).unwrap();
    let said = ok(dir, "train -q --model net.toml --epochs 5 --json");
    let json = said.json();
    assert_eq!(
        (&json["model"], &json["out"]),
        (&"net".into(), &"runs/digits-net".into())
    );
    assert_eq!(json["parameters"], 8 * 9 + 8 + 8 * 16 * 10 + 10);
    assert!(json["test_accuracy"].as_f64() > Some(0.9), "{json}");
    fs::remove_file(dir.join("net.toml")).unwrap();
    let again = ok(dir, "eval runs/digits-net --json").json();
    assert_eq!(again["test_accuracy"], json["test_accuracy"]);
    ok(dir, "train -q --resume runs/digits-net --epochs 6");
    // A settings file can hold the layers itself; the option of a name wins.
    fs::write(
        dir.join("all.toml"),
        format!("epochs = 1\nmodel = \"mine\"\n{NET}"),
    )
    .unwrap();
    assert_eq!(
        ok(dir, "train -q --config all.toml --json").json()["model"],
        "mine"
    );
    let said = ok(dir, "train -q --config all.toml --model softmax --json");
    assert_eq!(said.json()["parameters"], 650);
}

#[test]
fn mistakes_in_a_written_model_are_told() {
    let dir = folder();
    let dir = dir.path();
    for (text, options, expected) in [
        (
            NET.replace("kernel = 3\npadding = \"same\"", "kernel = 30"),
            "",
            "net: layer 1 (conv2d): ",
        ),
        (
            NET.replace("\"relu\"", "\"rleu\""),
            "",
            "net.toml: line 7: layer 2: unknown type 'rleu'; the known ones are linear, conv2d",
        ),
        (
            NET.replace("out = 8\n", ""),
            "",
            "net.toml: line 1: layer 1: conv2d: missing field `out`",
        ),
        (
            NET.replace("[[layers]]\ntype = \"linear\"", ""),
            "",
            "net: the layers give results of shape [128]",
        ),
        ("[[layers".into(), "", "net.toml: line 1: "),
        (
            NET.into(),
            "--hidden 3",
            "--hidden and --activation are settings of mlp, not of net",
        ),
    ] {
        fs::write(dir.join("net.toml"), text).unwrap();
        let error = fails(dir, 2, &format!("train --model net.toml {options}"));
        assert!(error.contains(expected), "{expected:?} is not in {error}");
    }
    assert!(fails(dir, 2, "train --model absent.toml").contains("absent.toml: "));
    assert!(!dir.join("runs").exists());
}
