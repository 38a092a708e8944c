//! From a table to a model and to predictions: `train --target`, `eval` and `predict` on CSV files.

mod common;

use common::{Said, fails, folder, ok, read, run};
use std::fmt::Write;
use std::fs;
use std::path::Path;

/// Passengers of a ship: words, holes, a name for each, and who survived follows from sex and class.
fn passengers(dir: &Path) {
    let mut csv = String::from("name,sex,class,age,deck,survived\n");
    for i in 0..200usize {
        let (sex, class) = (["male", "female"][i % 2], 1 + i / 2 % 3);
        let age = if i % 7 == 3 {
            String::new()
        } else {
            format!("{}", 18 + i * 7 % 50)
        };
        let deck = ["A", "B", ""][i % 3];
        let survived = if sex == "female" || class == 1 && i % 5 > 0 {
            "yes"
        } else {
            "no"
        };
        writeln!(
            csv,
            "\"Passenger {i}, Ms\",{sex},{class},{age},{deck},{survived}"
        )
        .unwrap();
    }
    fs::write(dir.join("ship.csv"), csv).unwrap();
}

/// A plane with a little noise: y = 100 + 20 a − 30 b, and words that move it by 50.
fn houses(dir: &Path) {
    let mut csv = String::from("a,b,place,y\n");
    for i in 0..300usize {
        let (a, b) = ((i * 37 % 101) as f64 / 10.0, (i * 53 % 89) as f64 / 10.0);
        let place = ["town", "country"][i % 3 % 2];
        let noise = (i * 29 % 13) as f64 - 6.0;
        let y = 100.0 + 20.0 * a - 30.0 * b + if place == "town" { 50.0 } else { 0.0 } + noise;
        writeln!(csv, "{a},{b},{place},{y}").unwrap();
    }
    fs::write(dir.join("houses.csv"), csv).unwrap();
}

fn number(json: &serde_json::Value, key: &str) -> f64 {
    json[key]
        .as_f64()
        .unwrap_or_else(|| panic!("{key} in {json}"))
}

/// Four commands of a newcomer whose table has words and holes.
#[test]
fn words_and_holes_lead_to_a_classifier() {
    let dir = folder();
    let dir = dir.path();
    passengers(dir);
    let said = ok(dir, "train --data ship.csv --target survived");
    for note in [
        "ship.csv: 200 rows; survived is predicted, one of 2 classes (no, yes), from 4 columns",
        "column age: 29 of 200 values are missing, filled with the mean",
        "column deck: 66 of 200 values are missing, taken for a word",
        "column name has 160 words in 160 rows: left out",
    ] {
        assert!(said.err.contains(note), "{note:?} is not in {}", said.err);
    }
    assert!(
        said.out.contains("gradus predict runs/ship-mlp NEW.csv"),
        "{}",
        said.out
    );
    let json = ok(dir, "eval runs/ship-mlp --json").json();
    assert!(number(&json, "test_accuracy") > 0.9, "{json}");
    assert_eq!(json["samples"], 40);
    assert_eq!(json["classes"][1]["class"], "yes");

    // Columns in another order, without the target and the name, with a new word.
    let new = "class,deck,sex,age\n3,A,male,30\n1,Z,female,\n";
    fs::write(dir.join("new.csv"), new).unwrap();
    let said = ok(dir, "predict runs/ship-mlp new.csv");
    let lines: Vec<_> = said.out.lines().collect();
    assert_eq!(
        lines[0],
        "class,deck,sex,age,predicted_survived,probability_no,probability_yes"
    );
    assert!(lines[1].starts_with("3,A,male,30,no,"), "{}", said.out);
    assert!(lines[2].starts_with("1,Z,female,,yes,"), "{}", said.out);
    assert!(
        said.err
            .contains("words that training did not show, or too seldom, count as none: deck Z")
    );

    let said = ok(dir, "predict runs/ship-mlp new.csv --out found.json");
    assert_eq!(
        (said.out.as_str(), said.err.lines().last()),
        ("", Some("2 predictions in found.json"))
    );
    let found: serde_json::Value = serde_json::from_slice(&read(dir.join("found.json"))).unwrap();
    assert_eq!(
        (&found[1]["line"], &found[1]["class"]),
        (&3.into(), &"yes".into())
    );
    let sum: f64 = found[0]["probabilities"]
        .as_object()
        .unwrap()
        .values()
        .map(|p| p.as_f64().unwrap())
        .sum();
    assert!((sum - 1.0).abs() < 1e-5, "{found}");
    ok(dir, "predict runs/ship-mlp new.csv --out found.csv --best");
    assert!(read(dir.join("found.csv")).starts_with(b"class,deck,"));
}

/// R² and errors in the target's own unit, the same in training, `eval` and by hand from `predict`.
#[test]
fn numbers_are_predicted_in_their_own_unit() {
    let dir = folder();
    let dir = dir.path();
    houses(dir);
    let said = ok(
        dir,
        "train --data houses.csv --target y --epochs 60 --json --out a",
    );
    assert!(
        said.err
            .contains("y is predicted, a number (regression), from 3 columns, 4 numbers"),
        "{}",
        said.err
    );
    assert!(
        said.err
            .contains("learning rate 0.003, the default for sgd in a regression"),
        "{}",
        said.err
    );
    let trained = said.json();
    assert!(number(&trained, "test_r2") > 0.98, "{trained}");
    assert!(
        (3.0..15.0).contains(&number(&trained, "test_rmse")),
        "{trained}"
    );
    assert!(trained["test_accuracy"].is_null());
    let json = ok(dir, "eval a --json --out pictures").json();
    for key in ["test_r2", "test_rmse"] {
        let (one, other) = (number(&json, key), number(&trained, key));
        assert!(
            (one - other).abs() < 1e-4 * other,
            "{key}: {one} and {other}"
        );
    }
    assert!(read(dir.join("pictures/predicted.svg")).starts_with(b"<svg"));
    let text = ok(dir, "eval a").out;
    assert!(
        text.starts_with("a on the 60 test rows of houses.csv: R² 0.9"),
        "{text}"
    );

    fs::write(dir.join("new.csv"), "place,b,a\ntown,2,5\n").unwrap();
    let line = ok(dir, "predict a new.csv --json").json();
    assert!((number(&line, "value") - 190.0).abs() < 20.0, "{line}");
    let csv = ok(dir, "predict a new.csv").out;
    assert!(csv.starts_with("place,b,a,predicted_y\ntown,2,5,"), "{csv}");
}

/// The kind of the target is the user's to say, and so are the columns.
#[test]
fn task_and_columns_can_be_chosen() {
    let dir = folder();
    let dir = dir.path();
    let rows = (0..60).map(|i| format!("{i},{},{}\n", i % 3, i * 7 % 20));
    fs::write(
        dir.join("t.csv"),
        format!("id,grade,x\n{}", rows.collect::<String>()),
    )
    .unwrap();
    let train = "train --epochs 2 --data t.csv --target grade";
    let said = ok(dir, &format!("{train} --json --out a"));
    assert!(
        said.err
            .contains("one of 3 classes (0, 1, 2), from 2 columns"),
        "{}",
        said.err
    );
    assert!(
        said.err
            .contains("--task regression takes them for numbers"),
        "{}",
        said.err
    );
    let said = ok(
        dir,
        &format!("{train} --task regression --drop id --test-size 0.5 --json --out b"),
    );
    assert!(
        said.err.contains("a number (regression), from 1 columns"),
        "{}",
        said.err
    );
    assert!(said.json()["test_r2"].is_number());
    assert_eq!(ok(dir, "eval b --json").json()["samples"], 30);
    // By number, and from a settings file.
    ok(dir, "train -q --epochs 1 --data t.csv --target 2 --out c");
    ok(dir, "train -q --config a/config.toml --out d");
    assert_eq!(
        read(dir.join("a/model.safetensors")),
        read(dir.join("d/model.safetensors"))
    );
}

/// Files whose first line is a row: columns are called by their numbers, and where a new file has no
/// target they are still the same columns.
#[test]
fn tables_without_names_have_numbers() {
    let dir = folder();
    let dir = dir.path();
    // The target is in the middle: 2 = twice the first, whatever the third.
    let row = |i: usize| (i % 11, 10 * (i % 11) + i % 2, i * 5 % 7);
    let rows = (0..120).map(|i| format!("{},{},{}\n", row(i).0, row(i).1, row(i).2));
    fs::write(dir.join("t.data"), rows.collect::<String>()).unwrap();
    ok(dir, "train -q --data t.data --target 2 --epochs 40 --out a");
    fs::write(dir.join("with.csv"), "9,0,1\n1,0,5\n").unwrap();
    fs::write(dir.join("without.csv"), "9,1\n1,5\n").unwrap();
    let last = |said: Said| -> Vec<String> {
        let rows = said.out.lines().skip(1);
        rows.map(|row| row.rsplit(',').next().unwrap().to_string())
            .collect()
    };
    let with = last(ok(dir, "predict a with.csv"));
    assert_eq!(last(ok(dir, "predict a without.csv")), with);
    let first: f64 = with[0].parse().unwrap();
    assert!((first - 90.0).abs() < 25.0, "{with:?}");
    // Words only: that these are no names has to be said.
    let rows = (0..40).map(|i| ["a,x\n", "b,y\n"][i % 2]);
    fs::write(dir.join("words.csv"), rows.collect::<String>()).unwrap();
    let said = ok(
        dir,
        "train --data words.csv --no-header --target 2 --epochs 1 --out w",
    );
    assert!(said.err.contains("words.csv: 40 rows"), "{}", said.err);
    fs::write(dir.join("one.csv"), "a\n").unwrap();
    assert_eq!(ok(dir, "predict w one.csv").out.lines().count(), 2);
}

/// A run that was interrupted, on other threads, or from another place in the file's history.
#[test]
fn runs_on_tables_go_on_with_the_same_bits() {
    let dir = folder();
    let dir = dir.path();
    houses(dir);
    let train = "train -q --data houses.csv --target y --batch-size 16";
    ok(dir, &format!("{train} --epochs 6 --threads 1 --out once"));
    ok(
        dir,
        &format!("{train} --epochs 2 --threads 2 --workers 2 --out twice"),
    );
    ok(dir, "train -q --resume twice --epochs 6 --threads 2");
    for file in ["model.safetensors", "config.toml"] {
        assert!(
            read(dir.join("once").join(file)) == read(dir.join("twice").join(file)),
            "{file}"
        );
    }
    // A file that has become another one.
    let csv = fs::read_to_string(dir.join("houses.csv")).unwrap();
    fs::write(dir.join("houses.csv"), csv.replace("town", "city")).unwrap();
    for args in ["eval once", "train --resume once --epochs 7"] {
        let error = fails(dir, 3, args);
        assert!(
            error.contains("was trained on other rows than the data set houses.csv has"),
            "{error}"
        );
    }
}

/// Each names the file, the line and what was expected, and leaves no folder behind.
#[test]
fn bad_tables_are_told_by_line_and_leave_nothing() {
    let dir = folder();
    let dir = dir.path();
    let many = |row: &str, n: usize| row.repeat(n);
    for (csv, options, expected) in [
        (
            "a,b,y\n1,2,3\n1,2\n".to_string(),
            "--target y",
            "t.csv: line 3: 2 fields, expected 3",
        ),
        (
            "a,y\n1,2\n".into(),
            "--target z",
            "t.csv: there is no column \"z\" to predict; there are a, y",
        ),
        (
            "a,y\n1,\n2,3\n3,NA\n".into(),
            "--target y",
            "t.csv: line 2: column y is missing, and is to be predicted; 2 of 3 rows have none (lines 2, 4)",
        ),
        (
            "a,y\n,1\n,2\n,3\n,4\n".into(),
            "--target y",
            "t.csv: there is no column to learn from: a has no values",
        ),
        (
            "y\n1\n2\n".into(),
            "--target y",
            "t.csv: there is no column to learn from",
        ),
        (
            "a,y\n1,\n2,\n".into(),
            "--target y",
            "t.csv: column y, which is to be predicted, has no values",
        ),
        (
            "a,y\n1,u\n2,v\n3,w\n".into(),
            "--target y",
            "t.csv: column y has 3 classes in 3 rows, most with a single row",
        ),
        (
            "a,y\n1,u\n2,v\n3,u\n4,v\n5,w\n".into(),
            "--target y",
            "t.csv: line 6: column y holds class \"w\", which no other row has",
        ),
        (
            "a,y\n1,u\n2,v\n3,u\n4,v\n".into(),
            "--target y",
            "t.csv: train_test_split: 3 samples for training and 1 for testing",
        ),
        (
            format!("a,y\n{}x,2\n", many("1,2.5\n", 9)),
            "--target y",
            "t.csv: line 11: column a holds \"x\", which is no number, while 9 of",
        ),
        (
            format!("a,y\n{}1,x\n", many("1,2.5\n", 9)),
            "--target y",
            "t.csv: line 11: column y holds \"x\", which is no number",
        ),
        (
            format!("a,y\n{}inf,2\n", many("1,2.5\n", 9)),
            "--target y",
            "column a holds inf, which is not finite",
        ),
        ("a,y\n".into(), "--target y", "t.csv: there are no rows"),
        ("".into(), "--target y", "t.csv: the file is empty"),
        (
            "a,y\n\"1,2\n".into(),
            "--target y",
            "t.csv: line 2: a quote is opened and not closed",
        ),
    ] {
        fs::write(dir.join("t.csv"), &csv).unwrap();
        let error = fails(dir, 3, &format!("train --data t.csv {options}"));
        assert!(error.contains(expected), "{expected:?} is not in {error}");
    }
    fs::write(dir.join("t.csv"), b"a,y\n1,2\n\xff,3\n").unwrap();
    let error = fails(dir, 3, "train --data t.csv --target y");
    assert!(
        error.contains("t.csv: line 3: column a is not UTF-8"),
        "{error}"
    );
    let error = fails(dir, 3, "train --data absent.csv --target y");
    assert!(error.contains("absent.csv"), "{error}");

    fs::write(dir.join("t.csv"), "a,y\n1,2\n2,3\n3,5\n").unwrap();
    for (options, expected) in [
        (
            "--data t.csv",
            "t.csv is a table: say which column to predict, --target COLUMN; there are a, y",
        ),
        (
            "--data t.csv --target y --drop b",
            "drop: t.csv has no column \"b\"; there are a, y",
        ),
        (
            "--data t.csv --target y --test-size 1",
            "test_size must be between 0 and 1, not 1",
        ),
        (
            "--data t.csv --target y --task sort",
            "invalid value 'sort'",
        ),
        ("--data t.csv --target y --model cnn", "cnn: takes images"),
        (
            "--target y",
            "target is a setting of tables; digits is none",
        ),
        (
            "--resume x --target y",
            "cannot be used with '--target <COLUMN>'",
        ),
    ] {
        let error = fails(dir, 2, &format!("train {options}"));
        assert!(error.contains(expected), "{expected:?} is not in {error}");
    }
    assert!(!dir.join("runs").exists());
}

/// New rows that are not what the model learned from.
#[test]
fn bad_new_rows_are_told_by_line() {
    let dir = folder();
    let dir = dir.path();
    houses(dir);
    ok(
        dir,
        "train -q --data houses.csv --target y --epochs 1 --out a",
    );
    for (csv, expected) in [
        (
            "a,b\n1,2\n",
            "new.csv: the model needs a column it was trained on: the table has no column \"place\"; there are a, b",
        ),
        (
            "a,b,place\n1,two,town\n",
            "new.csv: line 2: column b holds \"two\", which is no number",
        ),
        ("a,b,place\n", "new.csv: there are no rows below the names"),
        ("a,b,place\n1,2\n", "new.csv: line 2: 2 fields, expected 3"),
    ] {
        fs::write(dir.join("new.csv"), csv).unwrap();
        let error = fails(dir, 3, "predict a new.csv --out found.csv");
        assert!(error.contains(expected), "{expected:?} is not in {error}");
    }
    assert!(!dir.join("found.csv").exists());
    fs::write(dir.join("new.csv"), "a,b,place\n1,2,town\n").unwrap();
    for (args, expected) in [
        (
            "predict a new.csv houses.csv",
            "expected one file with rows, got 2",
        ),
        (
            "predict a new.csv --out found.xls",
            "expected a name that ends in .csv or .json",
        ),
        (
            "predict a new.csv --out no/found.csv",
            "name one in a folder that exists",
        ),
    ] {
        let error = fails(dir, 2, args);
        assert!(error.contains(expected), "{expected:?} is not in {error}");
    }
    // A cell of many words is quoted again.
    fs::write(
        dir.join("new.csv"),
        "a,b,place,note\n1,2,town,\"old, \"\"good\"\"\"\n",
    )
    .unwrap();
    let said = run(dir, ["predict", "a", "new.csv"]);
    assert!(
        said.out.contains("\n1,2,town,\"old, \"\"good\"\"\","),
        "{}",
        said.out
    );
}
