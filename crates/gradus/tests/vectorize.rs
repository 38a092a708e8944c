//! Tables as matrices for a model, and columns as targets.

use gradus::data::{Table, TableVectorizer, Target};
use gradus::train::{Config, TableEncoding};

fn table(csv: &str) -> Table {
    Table::from_reader(csv.as_bytes()).unwrap()
}

/// Other rows are brought to the scale of those that were learned from, whatever their order of
/// columns, and what is not known counts as nothing.
#[test]
fn rows_are_encoded_by_what_was_learned() {
    let learned = table("deck,age,name,empty\nB,20,x,\n,40,y,\nA,NA,z,\nB,30,w,\n");
    let vectorizer = TableVectorizer::fit(&learned).unwrap();
    assert_eq!(
        vectorizer.feature_names(),
        ["deck_A", "deck_B", "deck_nan", "age"]
    );
    let left_out: Vec<_> = vectorizer.left_out().collect();
    assert_eq!(
        left_out,
        [
            ("empty", "has no values"),
            ("name", "has 4 words in 4 rows")
        ]
    );

    // Mean 30, standard deviation √(200/3).
    let new = table("age,deck\n30,A\n,\n46.329931618554521,Z\n");
    let x = vectorizer.transform(&new).unwrap();
    assert_eq!(
        x.to_vec2::<f32>().unwrap(),
        [
            [1.0, 0.0, 0.0, 0.0],
            [0.0, 0.0, 1.0, 0.0],
            [0.0, 0.0, 0.0, 2.0]
        ]
    );
    assert_eq!(
        vectorizer.unseen(&new).unwrap(),
        [("deck", "Z".to_string())]
    );

    for (csv, expected) in [
        (
            "age\n3\n",
            "the table has no column \"deck\"; there are age",
        ),
        (
            "deck,age\nA,old\n",
            "line 2: column age holds \"old\", which is no number",
        ),
        (
            "deck,age\nA,inf\n",
            "line 2: column age holds inf, which is not finite",
        ),
    ] {
        let error = vectorizer.transform(&table(csv)).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

/// Words that look like numbers in a part of a file are still words.
#[test]
fn a_column_of_words_may_hold_numbers_only() {
    let vectorizer = TableVectorizer::fit(&table("cabin\n12\nB4\n12\nB4\nB4\n")).unwrap();
    let x = vectorizer.transform(&table("cabin\n12\n7\n")).unwrap();
    assert_eq!(x.to_vec2::<f32>().unwrap(), [[1.0, 0.0], [0.0, 0.0]]);
}

#[test]
fn of_many_words_the_frequent_ones_have_columns() {
    let rare = (0..120).map(|i| format!("w{i:03}\nw{i:03}\n"));
    let csv = format!("x\n{}often\noften\noften\n", rare.collect::<String>());
    let names = TableVectorizer::fit(&table(&csv)).unwrap().feature_names();
    assert_eq!(names.len(), 100);
    assert!(names.contains(&"x_often".into()) && !names.contains(&"x_w110".into()));
}

#[test]
fn tables_of_which_nothing_can_be_learned_are_refused() {
    for (csv, expected) in [
        ("a,b\n", "there are no rows"),
        (
            "a,b\n,\n,\n",
            "no column to learn from: a has no values, b has no values",
        ),
        ("a\n1\ninf\n", "line 3: column a holds inf"),
    ] {
        let error = TableVectorizer::fit(&table(csv)).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn words_and_few_whole_numbers_are_classes() {
    let rows = |values: &[&str], times: usize| {
        let all = (0..times).flat_map(|_| values.iter().map(|v| format!("{v}\n")));
        table(&format!("y\n{}", all.collect::<String>()))
    };
    for (values, times, classes) in [
        (&["no", "yes"][..], 1, true),
        (&["0", "1"], 5, true),
        (&["0", "1"], 4, false),
        (&["0", "1.5"], 9, false),
        (
            &["1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11"],
            9,
            false,
        ),
    ] {
        let found = Target::is_classes(&rows(values, times), "y").unwrap();
        assert_eq!(found, classes, "{values:?} {times} times");
    }
    // In the order of numbers, not of text.
    let target = Target::of_classes(&rows(&["10", "9"], 2), "y").unwrap();
    assert_eq!(
        target,
        Target::Classes {
            classes: vec!["9".into(), "10".into()]
        }
    );
}

#[test]
fn targets_that_cannot_be_learned_are_told_by_line() {
    type Find = fn(&Table, &str) -> gradus::Result<Target>;
    let (classes, numbers): (Find, Find) = (Target::of_classes, Target::of_numbers);
    for (find, csv, expected) in [
        (
            numbers,
            "y\n1\n",
            "the table has no column \"z\"; there are y",
        ),
        (
            numbers,
            "z,x\n1,1\n,2\n3,3\n,4\n",
            "line 3: column z is missing, and is to be predicted; 2 of 4 rows have none (lines 3, 5)",
        ),
        (
            classes,
            "z,x\n,2\n,4\n",
            "column z, which is to be predicted, has no values",
        ),
        (
            numbers,
            "z\n1\n2\n3\n4\ntwo\n",
            "line 6: column z holds \"two\", which is no number",
        ),
        (classes, "z\na\na\n", "column z holds \"a\" in every row"),
        (
            classes,
            "z\na\na\nb\na\nb\nc\n",
            "line 7: column z holds class \"c\", which no other row has",
        ),
        (
            classes,
            "z\na\nb\nc\n",
            "column z has 3 classes in 3 rows, most with a single row",
        ),
        (
            numbers,
            "z\n1\n-inf\n",
            "line 3: column z holds -inf, which is not finite",
        ),
    ] {
        let error = find(&table(csv), "z").unwrap_err().to_string();
        assert!(error.contains(expected), "{expected:?} is not in {error}");
    }
    let target = Target::of_classes(&table("z\na\nb\nb\na\n"), "z").unwrap();
    let error = target
        .labels(&table("z\na\nc\n"), "z")
        .unwrap_err()
        .to_string();
    assert_eq!(error, "line 3: column z holds \"c\"; the classes are a, b");
}

/// A run whose rows are prepared a little differently when it is opened again.
#[test]
fn settings_keep_the_encoding_to_the_last_bit() {
    let rows = table("a,b,c,y\n0.1,u,,3\n0.7,v,w,1e-7\n1e300,u,w,2\n");
    let encoding = TableEncoding {
        target: Target::of_numbers(&rows, "y").unwrap(),
        features: TableVectorizer::fit(&rows.select(&["b", "c"]).unwrap()).unwrap(),
    };
    let config = Config {
        table: Some(encoding),
        ..Config::default()
    };
    assert_eq!(Config::from_toml(&config.to_toml()).unwrap(), config);
}
