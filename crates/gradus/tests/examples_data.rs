//! The examples that need real data reach the figures they promise. Ignored where the data are
//! missing.

mod common;

#[allow(dead_code)] // Its main.
#[path = "../../../examples/b4_mnist_mlp.rs"]
mod b4_mnist_mlp;

#[allow(dead_code)]
#[path = "../../../examples/b5_cifar.rs"]
mod b5_cifar;

#[allow(dead_code)]
#[path = "../../../examples/d2_preprocessing.rs"]
mod d2_preprocessing;

#[allow(dead_code)]
#[path = "../../../examples/d9_cnn.rs"]
mod d9_cnn;

#[allow(dead_code)]
#[path = "../../../examples/f3_cnn.rs"]
mod f3_cnn;

use gradus::data;
use gradus::train::Event;
use libtest_mimic::{Arguments, Failed, Trial};
use std::path::PathBuf;

fn main() {
    let arguments = Arguments::from_args();
    let missing = !common::has("mnist");
    let (no_clothes, no_pictures) = (!common::has("fashion-mnist"), !common::has("cifar-10"));
    let no_snails = !abalone().exists();
    let trials = vec![
        Trial::test("b4_two_epochs", b4_two_epochs).with_ignored_flag(missing),
        Trial::test("b4_twenty_epochs", b4_twenty_epochs).with_ignored_flag(missing),
        Trial::test("b5_one_epoch", b5_one_epoch).with_ignored_flag(no_pictures),
        Trial::test("d2_abalone", d2_abalone).with_ignored_flag(no_snails),
        Trial::test("d9_dense", d9_dense).with_ignored_flag(no_clothes),
        Trial::test("f3_5000_iterations", f3_5000_iterations).with_ignored_flag(missing),
    ];
    libtest_mimic::run(&arguments, trials).exit();
}

/// The last mean loss and test accuracy, and the lines printed.
fn b4(epochs: usize) -> Result<(f64, f64, String), Failed> {
    let mnist = data::mnist(Some(&common::data_dir()))?;
    let mut out = Vec::new();
    let (loss, accuracy) = b4_mnist_mlp::run(&mut out, mnist, epochs, 0)?;
    Ok((loss, accuracy, String::from_utf8(out)?))
}

/// The mean loss of an epoch, as its line says.
fn loss(line: &str) -> Option<f64> {
    line.split_whitespace().nth(3)?.parse().ok()
}

/// The loss begins near 0.60 and falls steeply.
fn b4_two_epochs() -> Result<(), Failed> {
    let (last, accuracy, text) = b4(2)?;
    let losses: Vec<_> = text.lines().filter_map(loss).collect();
    assert!(
        matches!(losses[..], [first, _] if (0.5..0.75).contains(&first)),
        "{text}"
    );
    assert!(last < 0.2 && accuracy >= 0.95, "{text}");
    Ok(())
}

/// The figures that the exercise asks for.
fn b4_twenty_epochs() -> Result<(), Failed> {
    let (last, accuracy, text) = b4(20)?;
    assert!(last <= 0.0096 && accuracy >= 0.9795, "{text}");
    Ok(())
}

/// The beginning of the exercise, whose thirty epochs take minutes.
fn b5_one_epoch() -> Result<(), Failed> {
    let cifar = data::cifar10(Some(&common::data_dir()))?;
    let mut out = Vec::new();
    let (loss, accuracy) = b5_cifar::run(&mut out, cifar, 1, 0)?;
    assert!(loss < 1.6 && accuracy > 0.5, "{}", String::from_utf8(out)?);
    Ok(())
}

/// No set of images, so none that is known by name.
fn abalone() -> PathBuf {
    common::data_dir().join("abalone/abalone.data")
}

/// Rows or columns that are lost, or figures that are not pandas'.
fn d2_abalone() -> Result<(), Failed> {
    let mut out = Vec::new();
    d2_preprocessing::abalone(&mut out, &abalone())?;
    let text = String::from_utf8(out)?;
    for line in [
        "abalone: 4177 rows, 9 columns",
        "  categorical: 1",
        "  continuous: 7",
        "  integer: 1",
        "  missing: 0, a fraction of 0",
        "Length    continuous   4177        0  0.523992   0.120093   0.075    0.45   0.545  0.615   0.815",
        "Rings     integer      4177        0   9.93368    3.22417       1       8       9     11      29",
        "Sex  categorical   4177        0       3    M  1528",
        "2    F      9",
        "inputs: Length, Diameter, Height, Whole, Shucked, Viscera, Shell, Sex_F, Sex_I, Sex_M",
        "836 rows for testing, on the scale of the others",
        "  part 4: 835 rows, 289 of more than 10 rings",
    ] {
        assert!(text.lines().any(|l| l == line), "{line:?} is not in {text}");
    }
    Ok(())
}

/// The figure that the exercise asks for, and a picture whose captions have their colours.
fn d9_dense() -> Result<(), Failed> {
    let fashion = data::fashion_mnist(Some(&common::data_dir()))?;
    let (mut out, quiet) = (Vec::new(), |_: Event<'_>| Ok(()));
    let (accuracy, picture) = d9_cnn::run(&mut out, fashion, d9_cnn::Model::Dense, 10, 0, quiet)?;
    assert!(accuracy >= 0.87, "{}", String::from_utf8(out)?);
    assert_eq!(picture.matches("<image ").count(), 15);
    Ok(())
}

/// The figure that the exercise asks for.
fn f3_5000_iterations() -> Result<(), Failed> {
    let mnist = data::mnist(Some(&common::data_dir()))?;
    let (mut out, mut quiet) = (Vec::new(), |_: Event<'_>| Ok(()));
    let scores = f3_cnn::run(&mut out, mnist, 5000, 0, &mut quiet)?;
    assert!(scores.macro_f1 >= 0.93, "{}", String::from_utf8(out)?);
    Ok(())
}
