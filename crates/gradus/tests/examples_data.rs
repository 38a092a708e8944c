//! The examples that need real data reach the figures they promise. Ignored where the data are
//! missing.

mod common;

#[allow(dead_code)] // Its main.
#[path = "../../../examples/b4_mnist_mlp.rs"]
mod b4_mnist_mlp;

use gradus::data;
use libtest_mimic::{Arguments, Failed, Trial};

fn main() {
    let arguments = Arguments::from_args();
    let missing = !common::has("mnist");
    let trials = vec![
        Trial::test("b4_two_epochs", b4_two_epochs).with_ignored_flag(missing),
        Trial::test("b4_twenty_epochs", b4_twenty_epochs).with_ignored_flag(missing),
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
