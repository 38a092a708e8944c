//! Pictures of one's own: trained on, and recognised.

mod common;

use common::{fails, folder, ok};
use image::{Rgb, RgbImage};
use std::fs;
use std::path::Path;

/// Pictures that are red or green, of different sizes.
fn pictures(dir: &Path) {
    for (part, n) in [("train", 8), ("test", 3)] {
        for (class, colour) in [("red", [200, 30, 20]), ("green", [20, 180, 40])] {
            let folder = dir.join("my.pictures").join(part).join(class);
            fs::create_dir_all(&folder).unwrap();
            for i in 0..n {
                let colour = colour.map(|c| c + 5 * i as u8);
                let image = RgbImage::from_pixel(8 + i, 6, Rgb(colour));
                image.save(folder.join(format!("{i}.png"))).unwrap();
            }
        }
    }
}

#[test]
fn pictures_in_folders_are_learned_and_recognised() {
    let dir = folder();
    let dir = dir.path();
    pictures(dir);
    let train = "train --data ./my.pictures --batch-size 4 --epochs 20 --model softmax";
    let error = fails(dir, 3, train);
    assert!(error.contains("give a size to resize them to"), "{error}");
    assert!(!dir.join("runs").exists());

    let said = ok(dir, &format!("{train} --resize 6x4 --json")).json();
    assert_eq!(said["out"], "runs/my.pictures-softmax");
    assert_eq!(
        (&said["parameters"], &said["test_accuracy"]),
        (&146.into(), &1.0.into())
    );
    let evaluated = ok(dir, "eval runs/my.pictures-softmax --json").json();
    assert_eq!(evaluated["classes"][0]["class"], "green");

    let large = RgbImage::from_pixel(50, 70, Rgb([10, 190, 30]));
    large.save(dir.join("large.jpg")).unwrap();
    let said = common::run(dir, ["predict", "runs/my.pictures-softmax", "large.jpg"]);
    assert!(
        said.out.starts_with("large.jpg: green\n"),
        "{} {}",
        said.out,
        said.err
    );
    assert!(
        said.err
            .contains("cut from 50×70 to 50×34, scaled from 50×34 to 6×4"),
        "{}",
        said.err
    );

    // Grey, and with shortcuts; the settings go with the run.
    ok(
        dir,
        "train -q --data ./my.pictures --grey --resize 8x8 --model resnet20 --epochs 1 --out grey",
    );
    ok(dir, "train -q --resume grey --epochs 2");
    let said = ok(dir, "predict grey large.jpg --json").json();
    assert_eq!(said["probabilities"].as_object().unwrap().len(), 2);
}

/// A broken picture among good ones: named, and passed over only if that is asked for, then in
/// everything that is done with the run.
#[test]
fn corrupt_pictures_are_named_and_skipped_on_request() {
    let dir = folder();
    let dir = dir.path();
    pictures(dir);
    let broken = dir.join("my.pictures/train/red/broken.png");
    fs::write(&broken, "no picture").unwrap();
    let train = "train --data ./my.pictures --resize 6x4 --batch-size 4 --epochs 2 --model softmax";
    let error = fails(dir, 3, train);
    assert!(error.contains("train/red/broken.png"), "{error}");
    assert!(!dir.join("runs").exists());
    let said = ok(dir, &format!("{train} --skip-corrupt --out a"));
    assert!(
        said.err.contains("passed over: ") && said.err.contains("train/red/broken.png"),
        "{}",
        said.err
    );
    let json = ok(dir, "eval a --json").json();
    assert_eq!(json["samples"], 6);
}

#[test]
fn what_is_not_there_is_missing_data() {
    let dir = folder();
    let dir = dir.path();
    let error = fails(dir, 3, "train --data ./absent");
    assert!(error.contains("./absent: "), "{error}");
    fs::write(dir.join("some.tar"), "no archive").unwrap();
    let error = fails(dir, 3, "train --data some.tar");
    assert!(error.contains("some.tar: "), "{error}");
}
