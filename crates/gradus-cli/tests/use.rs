//! `gradus eval`, `predict`, `data`, `completions` and help.

mod common;

use common::{fails, folder, gradus, ok, run};
use gradus::data;
use image::{GrayImage, Luma, Rgba, RgbaImage};
use std::fs;
use std::path::Path;
use std::process::Stdio;

#[test]
fn eval_agrees_with_the_end_of_the_training() {
    let dir = folder();
    let dir = dir.path();
    let trained = ok(dir, "train -q --epochs 3 --out a --json").json();
    let json = ok(dir, "eval a --json --threads 1").json();
    for figure in ["test_loss", "test_accuracy"] {
        assert_eq!(json[figure], trained[figure]);
    }
    let classes = json["classes"].as_array().unwrap();
    let sum = |what: &str| {
        classes
            .iter()
            .map(|c| c[what].as_u64().unwrap())
            .sum::<u64>()
    };
    assert_eq!((classes.len(), sum("samples")), (10, 360));
    assert_eq!(
        sum("right") as f64 / 360.0,
        json["test_accuracy"].as_f64().unwrap()
    );
    let said = ok(dir, "eval a --out pictures");
    let text = said.out;
    assert!(
        text.starts_with("a on the 360 test images of digits: accuracy "),
        "{text}"
    );
    // A report: a heading, ten classes, three averages.
    assert_eq!(text.lines().count(), 2 + 2 + 10 + 1 + 3, "{text}");
    assert!(
        text.contains("precision    recall  f1-score   support"),
        "{text}"
    );
    for file in ["confusion.svg", "mistakes.svg"] {
        assert!(
            said.err.contains(&format!("in pictures/{file}")),
            "{}",
            said.err
        );
        // Beside the run, unless a folder is named.
        let picture = fs::read(dir.join("pictures").join(file)).unwrap();
        assert!(picture.starts_with(b"<svg"), "{file}");
        assert_eq!(fs::read(dir.join("a").join(file)).unwrap(), picture);
    }
}

/// The weights of the best epoch are others than the last ones, and both are what they were.
#[test]
fn the_best_weights_can_be_used() {
    let dir = folder();
    let dir = dir.path();
    // So large a rate that it becomes worse again.
    ok(dir, "train -q --epochs 6 --lr 0.3 --hidden 12 --out a");
    let lines = fs::read_to_string(dir.join("a/metrics.jsonl")).unwrap();
    let losses = lines.lines().map(|line| {
        let json: serde_json::Value = serde_json::from_str(line).unwrap();
        json["test_loss"].as_f64().unwrap()
    });
    let losses: Vec<f64> = losses.collect();
    let best = losses.iter().copied().fold(f64::INFINITY, f64::min);
    let loss = |args: &str| ok(dir, args).json()["test_loss"].as_f64().unwrap();
    assert_eq!(loss("eval a --json"), losses[5]);
    assert_eq!(loss("eval a --json --best"), best);
    fs::remove_file(dir.join("a/best.safetensors")).unwrap();
    let error = fails(dir, 3, "eval a --best");
    assert!(error.contains("best.safetensors does not exist"), "{error}");
}

/// A test image of the digits, `scale` times as large, as dark strokes on light paper or the
/// other way round.
fn digit(number: usize, scale: u32, dark_on_light: bool) -> (GrayImage, i64) {
    let test = data::digits().unwrap().test;
    let pixels = test
        .images()
        .select(0, number as isize)
        .unwrap()
        .to_vec::<u8>()
        .unwrap();
    let image = GrayImage::from_fn(8 * scale, 8 * scale, |x, y| {
        let ink = pixels[(y / scale * 8 + x / scale) as usize].saturating_mul(16);
        Luma([if dark_on_light { 255 - ink } else { ink }])
    });
    (image, test.labels()[number])
}

fn trained(dir: &Path) {
    ok(dir, "train -q --out a");
}

#[test]
fn predict_sees_the_same_digit_in_every_form() {
    let dir = folder();
    let dir = dir.path();
    trained(dir);
    for number in [3, 77] {
        let (plain, label) = digit(number, 1, false);
        plain.save(dir.join("plain.png")).unwrap();
        digit(number, 35, true)
            .0
            .save(dir.join("large.png"))
            .unwrap();
        digit(number, 10, true)
            .0
            .save(dir.join("photo.jpg"))
            .unwrap();
        // Higher than wide: paper is added at both sides.
        let mut high = GrayImage::from_pixel(80, 160, Luma([255]));
        image::imageops::replace(&mut high, &digit(number, 10, true).0, 0, 40);
        image::imageops::crop_imm(&high, 0, 40, 80, 82)
            .to_image()
            .save(dir.join("high.png"))
            .unwrap();
        // Black strokes on nothing.
        let ink = digit(number, 10, false).0;
        RgbaImage::from_fn(80, 80, |x, y| Rgba([0, 0, 0, ink.get_pixel(x, y).0[0]]))
            .save(dir.join("clear.png"))
            .unwrap();
        let said = ok(
            dir,
            "predict a --json --threads 1 plain.png large.png photo.jpg high.png clear.png",
        );
        assert_eq!(said.out.lines().count(), 5);
        for line in said.out.lines() {
            let json: serde_json::Value = serde_json::from_str(line).unwrap();
            assert_eq!(json["class"], label.to_string(), "{line}");
            let all = json["probabilities"].as_object().unwrap();
            let sum: f64 = all.values().map(|p| p.as_f64().unwrap()).sum();
            assert!(all.len() == 10 && (sum - 1.0).abs() < 1e-5, "{line}");
            assert_eq!(json["probability"], all[&label.to_string()]);
        }
        assert_eq!(
            said.err,
            "large.png: scaled from 280×280 to 8×8, inverted (dark on light)\n\
             photo.jpg: scaled from 80×80 to 8×8, inverted (dark on light)\n\
             high.png: padded from 80×82 to 82×82, scaled from 82×82 to 8×8, inverted (dark on light)\n\
             clear.png: scaled from 80×80 to 8×8, inverted (dark on light)\n"
        );
        let text = ok(dir, "predict a plain.png").out;
        assert!(
            text.starts_with(&format!("plain.png: {label}\n  {label}  ")),
            "{text}"
        );
        assert!(text.lines().count() == 4 && text.contains('█'), "{text}");
    }
}

#[test]
fn bad_images_are_named_and_the_good_ones_shown() {
    let dir = folder();
    let dir = dir.path();
    trained(dir);
    let (image, label) = digit(0, 4, true);
    image.save(dir.join("good.png")).unwrap();
    let bytes = fs::read(dir.join("good.png")).unwrap();
    fs::write(dir.join("cut.png"), &bytes[..bytes.len() / 2]).unwrap();
    fs::write(dir.join("text.png"), "no image").unwrap();
    fs::write(dir.join("empty.jpg"), "").unwrap();
    // A header that promises 60,000 × 60,000 pixels.
    let mut bomb = bytes.clone();
    bomb[16..24].copy_from_slice(&[0, 0, 0xea, 0x60, 0, 0, 0xea, 0x60]);
    fs::write(dir.join("bomb.png"), bomb).unwrap();
    let said = run(
        dir,
        "predict a cut.png text.png good.png empty.jpg bomb.png absent.png .".split(' '),
    );
    assert_eq!(said.code, Some(3), "{}", said.err);
    assert!(
        said.out.starts_with(&format!("good.png: {label}\n")),
        "{}",
        said.out
    );
    let errors: Vec<_> = said
        .err
        .lines()
        .filter(|line| line.starts_with("error: "))
        .collect();
    let names = [
        "cut.png",
        "text.png",
        "empty.jpg",
        "bomb.png",
        "absent.png",
        ".",
    ];
    assert_eq!(errors.len(), names.len(), "{}", said.err);
    for (error, name) in errors.iter().zip(names) {
        assert!(error.starts_with(&format!("error: {name}: ")), "{error}");
    }
}

#[test]
fn the_list_of_data_sets_says_where_they_are() {
    let dir = folder();
    let dir = dir.path();
    common::small_mnist(dir);
    let text = ok(dir, "data list --data-dir data").out;
    for part in [
        "digits: handwritten digits, grey, 8×8; 1,437 images to train on, 360 to test on\n  part of the program",
        "present in data/mnist",
        "missing: looked in data/fashion-mnist for train-images-idx3-ubyte",
        "`gradus data get fashion-mnist` fetches it (from https://",
        "abalone: sea snails",
    ] {
        assert!(text.contains(part), "{part:?} is not in {text}");
    }
    let json = ok(dir, "data list --data-dir data --json").json();
    let present: Vec<_> = json
        .as_array()
        .unwrap()
        .iter()
        .map(|e| e["present"].as_bool())
        .collect();
    assert_eq!(present, [true, true, false, false, false].map(Some));
}

#[test]
fn help_teaches_and_documents_the_exit_codes() {
    let dir = folder();
    let dir = dir.path();
    let help = ok(dir, "--help").out;
    assert_eq!(ok(dir, "").out.trim_end(), help.trim_end());
    for part in [
        "Usage: gradus [COMMAND]",
        "Exit codes:",
        "130  interrupted",
        "Examples:",
    ] {
        assert!(help.contains(part), "{part:?} is not in {help}");
    }
    for command in [
        "train",
        "eval",
        "predict",
        "data list",
        "data get",
        "completions",
    ] {
        let help = ok(dir, &format!("{command} --help")).out;
        let examples = help
            .lines()
            .filter(|line| line.starts_with("  gradus "))
            .count();
        assert!(examples >= 2, "{help}");
        // 2 for a line of an example that cannot be broken.
        assert!(
            help.lines().all(|line| line.chars().count() <= 102),
            "{help}"
        );
    }
    assert!(ok(dir, "--version").out.starts_with("gradus 0."));
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        assert!(
            ok(dir, &format!("completions {shell}"))
                .out
                .contains("predict")
        );
    }
    fails(dir, 2, "completions tcsh");
    fails(dir, 2, "no-such-command");
}

/// `gradus … | head -1` must not end in a panic.
#[test]
fn a_closed_pipe_is_no_error() {
    for args in [
        "data list",
        "completions bash",
        "--help",
        "train -q --epochs 1 --out a",
        "",
    ] {
        let dir = folder();
        let mut command = gradus();
        command
            .current_dir(dir.path())
            .args(args.split_whitespace());
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        let err = String::from_utf8(output.stderr).unwrap();
        assert_eq!(
            (output.status.code(), err.as_str()),
            (Some(0), ""),
            "{args}"
        );
    }
}
