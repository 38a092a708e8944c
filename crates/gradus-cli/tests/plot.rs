//! Runs and tables drawn by `gradus plot`.

mod common;

use common::{fails, folder, ok, read};
use std::fs;
use std::path::Path;

fn csv(dir: &Path, name: &str, text: &str) {
    fs::write(dir.join(name), text).unwrap();
}

const FLOWERS: &str =
    "length,width,species\n5.1,3.5,setosa\n4.9,3.0,setosa\n7.0,3.2,virginica\n6.4,,virginica\n";

#[test]
fn the_way_of_drawing_follows_from_the_columns() {
    let dir = folder();
    let dir = dir.path();
    csv(
        dir,
        "losses.csv",
        "step,train,test\n1,0.9,1.0\n2,0.5,0.7\n3,0.2,0.6\n",
    );
    csv(dir, "flowers.csv", FLOWERS);
    for (args, there, not_there) in [
        (
            "losses.csv --x step --y train,test",
            "0 = train   1 = test",
            "█",
        ),
        ("losses.csv --y train", "→ row   ↑ train", "█"),
        (
            "flowers.csv --x length --y width --by species",
            "0 = setosa   1 = virginica",
            "█",
        ),
        ("flowers.csv --x species", "virginica │█", "┤"),
        ("flowers.csv --x species --y width", "   setosa │█", "┤"),
        ("flowers.csv --x length --bins 2", "4.9 – 6.0 │", "┤"),
        ("losses.csv --x step --y test --kind bar", "3 │█", "┤"),
    ] {
        let said = ok(dir, &format!("plot {args}"));
        assert!(said.out.contains(there), "{args}: {}", said.out);
        assert!(!said.out.contains(not_there), "{args}: {}", said.out);
        assert!(
            !said.out.contains('\u{1b}'),
            "codes although it is no terminal: {args}"
        );
    }
    let summed = ok(dir, "plot flowers.csv --x species --y width");
    assert!(
        summed.err.contains("rows of the same species are added up"),
        "{}",
        summed.err
    );
    assert!(
        summed.out.contains(" 6.5\n") && summed.out.contains(" 3.2\n"),
        "{}",
        summed.out
    );
}

#[test]
fn files_are_svg_with_every_series() {
    let dir = folder();
    let dir = dir.path();
    csv(dir, "flowers.csv", FLOWERS);
    let said = ok(
        dir,
        "plot flowers.csv --x length --y width --by species --title a<b --out out.svg",
    );
    assert_eq!(
        (said.out.as_str(), said.err.as_str()),
        ("", "picture in out.svg\n")
    );
    let svg = String::from_utf8(read(dir.join("out.svg"))).unwrap();
    assert!(
        svg.contains("<title>a&lt;b</title>") && svg.contains(">virginica<"),
        "{svg}"
    );
    // Three points that are known, two marks in the legend.
    assert_eq!(svg.matches("<circle").count(), 3 + 2);
    ok(
        dir,
        "plot flowers.csv --x length --y width --kind line --log xy --out log.svg",
    );
}

/// Mistakes that end without saying what to do, or leave half a file.
#[test]
fn mistakes_are_named() {
    let dir = folder();
    let dir = dir.path();
    csv(dir, "flowers.csv", FLOWERS);
    csv(dir, "ragged.csv", "x,y\n1,2\n3\n");
    csv(dir, "empty.csv", "x,y\n");
    csv(dir, "words.csv", "x,y\n1,2\n3,two\n");
    for (code, args, expected) in [
        (
            2,
            "flowers.csv",
            "Give --x or --y; there are length, width, species",
        ),
        (
            2,
            "flowers.csv --x size",
            "no column \"size\"; there are length, width",
        ),
        (
            2,
            "flowers.csv --x length --y width --out a.jpg",
            "ends in .svg",
        ),
        (
            2,
            "flowers.csv --x length --y width --out no/a.svg",
            "no/a.svg",
        ),
        (2, "flowers.csv --x length --kind line", "need --y"),
        (2, "flowers.csv --y length --kind bar", "bars need --x"),
        (
            2,
            "flowers.csv --x length --y width --kind hist",
            "without --y",
        ),
        (
            2,
            "flowers.csv --x length --y width --bins 3",
            "--bins is for histograms",
        ),
        (2, "flowers.csv --x species --log y", "--log is for lines"),
        (2, "flowers.csv words.csv --x x", "a file is drawn alone"),
        (2, ". --x x", "--x is for CSV files"),
        (3, "absent.csv --x x", "absent.csv"),
        (3, "ragged.csv --x x", "line 3"),
        (3, "empty.csv --x x", "no rows"),
        (3, "words.csv --x x --y y", "line 3: column y holds \"two\""),
        (3, ".", "not the folder of a run"),
    ] {
        let error = fails(dir, code, &format!("plot {args}"));
        assert!(error.contains(expected), "{args}: {error}");
    }
    assert!(!dir.join("a.jpg").exists());
}

/// An SVG in a file that is called PNG, or a refusal that does not say what to do.
#[test]
fn png_is_a_feature() {
    let dir = folder();
    let dir = dir.path();
    csv(dir, "flowers.csv", FLOWERS);
    let commands = [
        "plot flowers.csv --x length --y width --out a.PNG",
        "cluster kmeans --data blobs --samples 60 --suggest --max-k 2 --plot a.PNG",
        "lr-find --steps 2 --out a.PNG",
    ];
    for command in commands {
        if cfg!(feature = "png") {
            ok(dir, command);
            image::open(dir.join("a.PNG")).unwrap();
            fs::remove_file(dir.join("a.PNG")).unwrap();
        } else {
            let error = fails(dir, 2, command);
            assert!(
                error.contains("a.PNG: ") && error.contains("--features png"),
                "{error}"
            );
            assert!(!dir.join("a.PNG").exists());
        }
    }
    assert_eq!(dir.join("a-k.PNG").exists(), cfg!(feature = "png"));
}

#[test]
fn runs_are_drawn_alone_and_compared() {
    let dir = folder();
    let dir = dir.path();
    ok(dir, "train -q --epochs 2 --model softmax --out a");
    ok(dir, "train -q --epochs 3 --model softmax --lr 0.01 --out b");
    let one = ok(dir, "plot a").out;
    assert!(
        one.contains("a: loss") && one.contains("a: accuracy"),
        "{one}"
    );
    assert!(one.contains("0 = train   1 = test"), "{one}");
    ok(dir, "plot a b --out both.svg");
    let svg = String::from_utf8(read(dir.join("both.svg"))).unwrap();
    for panel in [
        "loss, train",
        "loss, test",
        "accuracy, train",
        "accuracy, test",
    ] {
        assert!(svg.contains(&format!(">{panel}<")), "{panel}: {svg}");
    }
    // Two epochs of one run and three of the other, in four panels.
    assert_eq!(svg.matches("<circle").count(), 4 * (2 + 3));
    fs::write(dir.join("b/metrics.jsonl"), "{\"epoch\":1}\n").unwrap();
    let error = fails(dir, 3, "plot a b");
    assert!(error.contains("metrics.jsonl line 1"), "{error}");
    fs::remove_file(dir.join("b/metrics.jsonl")).unwrap();
    assert!(fails(dir, 3, "plot b").contains("not finished an epoch"));
}
