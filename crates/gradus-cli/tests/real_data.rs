//! An epoch of MNIST and of Fashion-MNIST through the program. Ignored where they are missing.

// How tests find real data is the same everywhere.
#[path = "../../gradus/tests/common/mod.rs"]
mod real;

mod common;

use common::{folder, run};
use libtest_mimic::{Arguments, Failed, Trial};

fn main() {
    let arguments = Arguments::from_args();
    // An epoch of the settings that the README names, and the accuracy that any seed reaches.
    let trials = [("mnist", 0.95), ("fashion-mnist", 0.80)].map(|(name, accuracy)| {
        let missing = !real::has(name);
        let learn = move || learns_in_an_epoch(name, accuracy);
        Trial::test(format!("{name}::learns_in_an_epoch"), learn).with_ignored_flag(missing)
    });
    let missing = !real::has("abalone");
    let table = Trial::test("abalone::is_predicted_as_is_usual", abalone_is_predicted);
    let trials = trials.into_iter().chain([table.with_ignored_flag(missing)]);
    libtest_mimic::run(&arguments, trials.collect()).exit();
}

fn learns_in_an_epoch(name: &str, accuracy: f64) -> Result<(), Failed> {
    let dir = folder();
    let data = std::path::absolute(real::data_dir())?;
    let data = data.to_str().ok_or("the path is not UTF-8")?;
    let train = [
        "train",
        "--quiet",
        "--json",
        "--epochs",
        "1",
        "--hidden",
        "256",
        "--batch-size",
        "128",
        "--data",
        name,
        "--data-dir",
        data,
        "--out",
        "run",
    ];
    let said = run(dir.path(), train);
    assert_eq!(said.code, Some(0), "{}", said.err);
    let trained = said.json();
    assert!(
        trained["test_accuracy"].as_f64() >= Some(accuracy),
        "{trained}"
    );

    let said = run(dir.path(), ["eval", "run", "--json", "--data-dir", data]);
    let evaluated = said.json();
    assert_eq!(
        evaluated["test_accuracy"], trained["test_accuracy"],
        "{}",
        said.err
    );
    assert_eq!(evaluated["samples"], 10_000);
    Ok(())
}

/// The age of abalones from their measures: others report an R² of 0.55 to 0.58, over which a test part of
/// 836 scatters by 0.02.
fn abalone_is_predicted() -> Result<(), Failed> {
    let dir = folder();
    let file = std::path::absolute(real::data_dir().join("abalone/abalone.data"))?;
    let file = file.to_str().ok_or("the path is not UTF-8")?;
    let said = run(
        dir.path(),
        [
            "train", "--json", "--data", file, "--target", "9", "--out", "run",
        ],
    );
    assert_eq!(said.code, Some(0), "{}", said.err);
    assert!(
        said.err
            .contains("4177 rows; column 9 is predicted, a number (regression), from 8 columns")
    );
    let r2 = said.json()["test_r2"].as_f64();
    assert!(r2 > Some(0.54) && r2 < Some(0.65), "{r2:?}");
    Ok(())
}
