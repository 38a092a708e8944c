//! The examples that need real data reach the figures they promise. Ignored where the data are
//! missing; of the long runs, only where they take seconds (not in a debug build).

mod common;

#[allow(dead_code)] // Its main.
#[path = "../../../examples/b4_mnist_mlp.rs"]
mod b4_mnist_mlp;

use gradus::data;
use libtest_mimic::{Arguments, Failed, Trial};

fn main() {
    let arguments = Arguments::from_args();
    let missing = !common::has("mnist");
    let slow = cfg!(debug_assertions);
    let trials = vec![
        Trial::test("b4_two_epochs", b4_two_epochs).with_ignored_flag(missing),
        Trial::test("b4_twenty_epochs", b4_twenty_epochs).with_ignored_flag(missing || slow),
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

/// The loss begins near 0.60 and falls steeply.
fn b4_two_epochs() -> Result<(), Failed> {
    let (loss, accuracy, text) = b4(2)?;
    assert_eq!(text.lines().count(), 2, "{text}");
    assert!(
        text.starts_with("epoch  1  loss 0.6") || text.starts_with("epoch  1  loss 0.5"),
        "{text}"
    );
    assert!(loss < 0.26 && accuracy >= 0.93, "{text}");
    Ok(())
}

fn b4_twenty_epochs() -> Result<(), Failed> {
    let (loss, accuracy, text) = b4(20)?;
    assert!(loss <= 0.0096 && accuracy >= 0.9795, "{text}");
    Ok(())
}
