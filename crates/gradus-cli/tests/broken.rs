//! Broken files: one line that names the file, exit code 3, nothing left behind.

mod common;

use common::{fails, folder, idx, ok, read, small_mnist};
use std::fs;
use std::path::Path;

#[test]
fn a_missing_data_set_is_named_with_files_place_and_remedy() {
    let dir = folder();
    let error = fails(dir.path(), 3, "train --data fashion-mnist --data-dir here");
    for part in [
        "here/fashion-mnist",
        "t10k-images-idx3-ubyte",
        "https://",
        "GRADUS_DATA",
    ] {
        assert!(error.contains(part), "{part:?} is not in {error}");
    }
    assert!(!dir.path().join("runs").exists());
}

#[test]
fn every_damage_to_a_data_set_is_told() {
    const IMAGES: &str = "train-images-idx3-ubyte";
    const LABELS: &str = "train-labels-idx1-ubyte";
    let dir = folder();
    let dir = dir.path();
    let data = small_mnist(dir);
    let [images, labels] = [IMAGES, LABELS].map(|name| read(data.join(name)));
    let with = |bytes: &[u8], change: fn(&mut Vec<u8>)| {
        let mut bytes = bytes.to_vec();
        change(&mut bytes);
        bytes
    };
    for (file, content, expected) in [
        (IMAGES, with(&images, |b| b.truncate(100)), "truncated data"),
        (IMAGES, with(&images, |b| b.truncate(9)), "truncated header"),
        (IMAGES, with(&images, |b| b.clear()), "the file is empty"),
        (
            IMAGES,
            with(&images, |b| b.push(0)),
            "extra bytes after the data",
        ),
        (IMAGES, with(&images, |b| b[0] = 7), "not an IDX file"),
        (
            IMAGES,
            with(&images, |b| b[2] = 13),
            "32-bit float) are not supported",
        ),
        (IMAGES, with(&images, |b| b[4] = 255), "truncated data"),
        (
            IMAGES,
            idx(&[u32::MAX; 3], &[]),
            "overflow the address space",
        ),
        (
            IMAGES,
            with(&images, |b| b[..2].copy_from_slice(&[0x1f, 0x8b])),
            "damaged gzip stream",
        ),
        (
            LABELS,
            with(&labels, |b| b[8] = 10),
            "label 10 of image 0 is none of the 10 classes",
        ),
        (LABELS, idx(&[2], &[1, 2]), "40 images but 2 labels"),
        (LABELS, images.clone(), "expected an array of 1 dimensions"),
    ] {
        let whole = read(data.join(file));
        fs::write(data.join(file), content).unwrap();
        let error = fails(dir, 3, "train --data mnist --data-dir data");
        assert!(
            error.contains(expected) && error.contains(file),
            "{expected:?}: {error}"
        );
        fs::write(data.join(file), whole).unwrap();
    }
    assert!(!dir.join("runs").exists());
}

/// A copy of the folder of a run.
fn copy(from: &Path, to: &Path) {
    let _ = fs::remove_dir_all(to);
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, to.join(path.file_name().unwrap())).unwrap();
    }
}

#[test]
fn every_damage_to_the_folder_of_a_run_is_told() {
    const MODEL: &str = "model.safetensors";
    const CHECKPOINT: &str = "checkpoint.safetensors";
    let dir = folder();
    let dir = dir.path();
    ok(dir, "train -q --epochs 2 --hidden 8 --out good");
    ok(dir, "train -q --epochs 2 --hidden 9 --out other");
    ok(
        dir,
        "train -q --epochs 2 --hidden 8 --optimizer adam --out adam",
    );
    let image = image::GrayImage::new(8, 8);
    image.save(dir.join("a.png")).unwrap();

    type Damage = fn(&Path);
    // Which commands meet the damage: eval (e), predict (p), train --resume (r).
    let cases: [(&str, Damage, &str); 13] = [
        (
            "epr",
            |run| fs::remove_dir_all(run).unwrap(),
            "bad is not the folder of a run",
        ),
        (
            "epr",
            |run| fs::remove_file(run.join("config.toml")).unwrap(),
            "bad is not the folder of a run",
        ),
        (
            "epr",
            |run| fs::write(run.join("config.toml"), "model = 3").unwrap(),
            "config.toml: line 1: ",
        ),
        (
            "epr",
            |run| fs::write(run.join("config.toml"), [0xff]).unwrap(),
            "config.toml: ",
        ),
        (
            "ep",
            |run| fs::write(run.join("config.toml"), "").unwrap(),
            "name no task",
        ),
        (
            "r",
            |run| fs::write(run.join("config.toml"), "").unwrap(),
            "other images or knows other classes",
        ),
        (
            "epr",
            |run| {
                let task = "[task]\ninput = [4294967296, 4294967296]\nclasses = [\"a\"]";
                fs::write(run.join("config.toml"), task).unwrap();
            },
            "the task has inputs of shape",
        ),
        (
            "ep",
            |run| fs::remove_file(run.join(MODEL)).unwrap(),
            "model.safetensors does not exist",
        ),
        (
            "ep",
            |run| fs::write(run.join(MODEL), "nonsense").unwrap(),
            "not a complete safetensors file",
        ),
        (
            "r",
            |run| fs::write(run.join(CHECKPOINT), []).unwrap(),
            "not a complete safetensors file",
        ),
        (
            "r",
            |run| {
                fs::copy(run.join(MODEL), run.join(CHECKPOINT)).unwrap();
            },
            "not a training checkpoint",
        ),
        (
            "r",
            |run| fs::write(run.join("metrics.jsonl"), "{}\n").unwrap(),
            "metrics.jsonl line 1",
        ),
        (
            "r",
            |run| fs::remove_file(run.join("metrics.jsonl")).unwrap(),
            "2 epochs are finished, but only 0",
        ),
    ];
    let bad = dir.join("bad");
    let check = |commands: &str, expected: &str| {
        for (letter, args) in [
            ('e', "eval bad"),
            ('p', "predict bad a.png"),
            ('r', "train -q --resume bad --epochs 3"),
        ] {
            if commands.contains(letter) {
                let error = fails(dir, 3, args);
                assert!(
                    error.contains(expected),
                    "{args}: {expected:?} is not in {error}"
                );
            }
        }
    };
    for (commands, damage, expected) in cases {
        copy(&dir.join("good"), &bad);
        damage(&bad);
        check(commands, expected);
    }
    for (commands, file) in [("ep", MODEL), ("r", CHECKPOINT)] {
        copy(&dir.join("good"), &bad);
        let bytes = read(bad.join(file));
        fs::write(bad.join(file), &bytes[..bytes.len() / 2]).unwrap();
        check(commands, "not a complete safetensors file");

        copy(&dir.join("good"), &bad);
        fs::copy(dir.join("other").join(file), bad.join(file)).unwrap();
        check(commands, "has shape [9, 64], the module needs [8, 64]");
    }
    copy(&dir.join("good"), &bad);
    fs::copy(dir.join("adam").join(CHECKPOINT), bad.join(CHECKPOINT)).unwrap();
    check("r", "that of another optimizer");
}
