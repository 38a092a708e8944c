//! The examples that need real data reach the figures they promise. Ignored where the data are
//! missing.
//!
//! The long ones are cut short, with figures that are asked of their beginnings; with the environment
//! variable `GRADUS_FULL` they run for as long as the exercises say.

mod common;

#[allow(dead_code)] // Its main.
#[path = "../../../examples/b4_mnist_mlp.rs"]
mod b4_mnist_mlp;

#[allow(dead_code)]
#[path = "../../../examples/b5_cifar.rs"]
mod b5_cifar;

#[allow(dead_code)]
#[path = "../../../examples/c3_linear_classifier.rs"]
mod c3_linear_classifier;

#[allow(dead_code)]
#[path = "../../../examples/c6_training.rs"]
mod c6_training;

#[allow(dead_code)]
#[path = "../../../examples/d2_preprocessing.rs"]
mod d2_preprocessing;

#[allow(dead_code)]
#[path = "../../../examples/d6_fashion.rs"]
mod d6_fashion;

#[allow(dead_code)]
#[path = "../../../examples/d8_mlp.rs"]
mod d8_mlp;

#[allow(dead_code)]
#[path = "../../../examples/d9_cnn.rs"]
mod d9_cnn;

#[allow(dead_code)]
#[path = "../../../examples/e2_mlp_by_hand.rs"]
mod e2_mlp_by_hand;

#[allow(dead_code)]
#[path = "../../../examples/e3_mlp_modules.rs"]
mod e3_mlp_modules;

#[allow(dead_code)]
#[path = "../../../examples/e4_leaky_adam.rs"]
mod e4_leaky_adam;

#[allow(dead_code)]
#[path = "../../../examples/f2_mnist_mlp.rs"]
mod f2_mnist_mlp;

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
    let (no_snails, no_subset) = (!abalone().exists(), !cifar_subset().exists());
    let trials = vec![
        Trial::test("b4_accuracy", b4_accuracy).with_ignored_flag(missing),
        Trial::test("b5_one_epoch", b5_one_epoch).with_ignored_flag(no_pictures),
        Trial::test("c3_twenty", c3_twenty).with_ignored_flag(no_subset),
        Trial::test("c3_ten_thousand", c3_ten_thousand).with_ignored_flag(no_subset),
        Trial::test("c6_accuracy", c6_accuracy).with_ignored_flag(no_subset),
        Trial::test("d2_abalone", d2_abalone).with_ignored_flag(no_snails),
        Trial::test("d6_ten_epochs", d6_ten_epochs).with_ignored_flag(no_clothes),
        Trial::test("d8_accuracy", d8_accuracy).with_ignored_flag(no_clothes),
        Trial::test("d9_dense", d9_dense).with_ignored_flag(no_clothes),
        Trial::test("e2_steps", e2_steps).with_ignored_flag(missing),
        Trial::test("e3_accuracy", e3_accuracy).with_ignored_flag(missing),
        Trial::test("e4_two_rates", e4_two_rates).with_ignored_flag(missing),
        Trial::test("f2_3000_iterations", f2_3000_iterations).with_ignored_flag(missing),
        Trial::test("f3_5000_iterations", f3_5000_iterations).with_ignored_flag(missing),
    ];
    libtest_mimic::run(&arguments, trials).exit();
}

/// Whether to run for as long as the exercises say.
fn full() -> bool {
    std::env::var_os("GRADUS_FULL").is_some()
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

/// The loss begins near 0.60 and falls to what the exercise asks for, or steeply.
fn b4_accuracy() -> Result<(), Failed> {
    let (epochs, (most, least)) = match full() {
        true => (20, (0.0096, 0.9795)),
        false => (2, (0.2, 0.95)),
    };
    let (last, accuracy, text) = b4(epochs)?;
    let losses: Vec<_> = text.lines().filter_map(loss).collect();
    assert!((0.5..0.75).contains(&losses[0]), "{text}");
    assert_eq!(losses.len(), epochs);
    assert!(last <= most && accuracy >= least, "{text}");
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

/// A tenth of the set, in its authors' layout.
fn cifar_subset() -> PathBuf {
    common::data_dir().join("cifar-10/cifar-10-binary-subset.tar.gz")
}

/// Costs that differ from those of the NumPy program (`golden/linear_classifier_cifar20.json`).
fn c3_twenty() -> Result<(), Failed> {
    let cifar = data::cifar10_binary(&cifar_subset())?;
    let (costs, net) = c3_linear_classifier::full_batch(&mut Vec::new(), &cifar.train, 100)?;
    for (steps, cost) in [
        (0, 2.302585082994045),
        (1, 2.486647083452187),
        (10, 6.411609560216595),
        (100, 0.0063179605128822185),
    ] {
        let found: f64 = costs[steps];
        assert!(
            (found - cost).abs() <= 1e-9 * cost,
            "after {steps}: {found}"
        );
    }
    let bias = net.bias.to_vec::<f64>()?;
    let expected = [
        -0.01001059087082358,
        -0.05986612021739962,
        0.039422584794497444,
    ];
    for (found, expected) in bias.iter().zip(expected) {
        assert!((found - expected).abs() < 1e-9, "{bias:?}");
    }
    Ok(())
}

/// The figure that the exercise asks for, and a cost that falls.
fn c3_ten_thousand() -> Result<(), Failed> {
    let cifar = data::cifar10_binary(&cifar_subset())?;
    let mut out = Vec::new();
    let trained = c3_linear_classifier::mini_batches(&mut out, cifar, 5)?;
    assert!(trained.accuracy >= 0.35, "{}", String::from_utf8(out)?);
    let costs: Vec<f64> = trained.history.iter().map(|(_, cost)| *cost).collect();
    assert_eq!(costs.len(), 50);
    assert!(costs[49] < costs[0] - 0.2, "{costs:?}");
    let classes = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"].map(String::from);
    let picture = c3_linear_classifier::pictures(&trained.net, &classes)?;
    assert_eq!(picture.matches("<image ").count(), 10);
    Ok(())
}

/// The figures that the exercise asks for.
fn c6_accuracy() -> Result<(), Failed> {
    let cifar = data::cifar10_binary(&cifar_subset())?;
    let mut out = Vec::new();
    let (iterations, least) = match full() {
        true => (2000, (0.75, 0.42)),
        false => (400, (0.5, 0.38)),
    };
    let points = c6_training::run(&mut out, cifar, iterations, 2)?;
    let (_, known, new) = points[points.len() - 1];
    assert!(
        known >= least.0 && new >= least.1,
        "{}",
        String::from_utf8(out)?
    );
    assert!(c6_training::picture(&points).contains(">test<"));
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

/// Images that are lost on a pass, the accuracy that the exercise asks for, or pictures without captions.
fn d6_ten_epochs() -> Result<(), Failed> {
    let fashion = data::fashion_mnist(Some(&common::data_dir()))?;
    let (mut out, folder) = (Vec::new(), tempfile::tempdir()?);
    d6_fashion::pass(&mut out, &fashion.train)?;
    let quiet = |_: Event<'_>| Ok(());
    let accuracy = d6_fashion::run(&mut out, fashion, 10, folder.path(), quiet)?;
    let text = String::from_utf8(out)?;
    assert!(
        text.starts_with("60000 images in batches of [64, 1, 32, 32]: "),
        "{text}"
    );
    assert!(accuracy >= 0.83, "{text}");
    for (file, caption) in [
        ("d6_samples.svg", ">Ankle boot<"),
        ("d6_mistakes.svg", ", not "),
    ] {
        let picture = std::fs::read_to_string(folder.path().join(file))?;
        assert_eq!(picture.matches("<image ").count(), 8, "{file}");
        assert!(picture.contains(caption), "{file}");
    }
    Ok(())
}

/// The figures that the exercise asks for: both ways learn, and nothing is learned without `backward`.
fn d8_accuracy() -> Result<(), Failed> {
    let fashion = data::fashion_mnist(Some(&common::data_dir()))?;
    let (epochs, least) = if full() { (10, 0.85) } else { (3, 0.75) };
    for (kind, epochs, expected) in [
        (d8_mlp::Kind::Scratch, epochs, least..1.0),
        (d8_mlp::Kind::Concise, epochs, least..1.0),
        (d8_mlp::Kind::NoBackward, 1, 0.0..0.2),
    ] {
        let mut out = Vec::new();
        let accuracy = d8_mlp::run(&mut out, &fashion, kind, epochs, 1)?;
        assert!(expected.contains(&accuracy), "{}", String::from_utf8(out)?);
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

/// Figures that differ from those of the NumPy program (`golden/mlp3_mnist_fullbatch.json`).
fn e2_steps() -> Result<(), Failed> {
    let mnist = data::mnist(Some(&common::data_dir()))?;
    let steps = if full() { 10 } else { 2 };
    let figures = e2_mlp_by_hand::run(&mut Vec::new(), mnist, steps)?;
    let expected = [
        [2.300844272405594, 0.11236666666666667, 0.1135],
        [2.292442158735884, 0.11245, 0.1138],
        [2.2902849726623384, 0.11236666666666667, 0.1135],
        [2.288153431641888, 0.11241666666666666, 0.1136],
        [2.286004056631742, 0.1126, 0.1137],
        [2.283832879622668, 0.11291666666666667, 0.114],
        [2.2816362904981258, 0.11373333333333334, 0.1149],
        [2.2794106357952395, 0.115, 0.1164],
        [2.277152202668986, 0.11828333333333334, 0.1197],
        [2.27485720728849, 0.12383333333333334, 0.1253],
    ];
    for (found, expected) in figures.iter().zip(&expected) {
        let apart = found.iter().zip(expected).map(|(a, b)| (a - b).abs());
        assert!(
            apart.fold(0.0, f64::max) < 1e-6,
            "{found:?}, not {expected:?}"
        );
    }
    assert_eq!(figures.len(), steps);
    Ok(())
}

/// The figures that the exercise asks for within a hundred epochs, or ten.
fn e3_accuracy() -> Result<(), Failed> {
    let mnist = data::mnist(Some(&common::data_dir()))?;
    let (mut out, quiet) = (Vec::new(), |_: Event<'_>| Ok(()));
    let (epochs, least) = if full() { (100, 0.979) } else { (10, 0.974) };
    let best = e3_mlp_modules::run(&mut out, mnist, epochs, 0.5, 1, quiet)?;
    assert!(best >= least, "{}", String::from_utf8(out)?);
    Ok(())
}

/// A rate far too large that ends in NaN instead of learning nothing, or a sensible one that learns too
/// little.
fn e4_two_rates() -> Result<(), Failed> {
    let mnist = data::mnist(Some(&common::data_dir()))?;
    let mut runs = Vec::new();
    let (epochs, least) = if full() { (20, 0.978) } else { (3, 0.96) };
    for (lr, epochs) in [(0.5, 2), (3e-3, epochs)] {
        let (mut out, quiet) = (Vec::new(), |_: Event<'_>| Ok(()));
        runs.push((lr, e4_leaky_adam::run(&mut out, &mnist, epochs, lr, quiet)?));
    }
    let [(_, wild), (_, sensible)] = &runs[..] else {
        unreachable!("two rates")
    };
    assert_eq!(wild.len(), 2);
    assert!(
        wild.iter()
            .all(|e| e.train_loss.is_finite() && e.test_loss.is_finite())
    );
    let best = sensible.iter().map(|e| e.test_score).fold(0.0, f64::max);
    assert!(best >= least, "{best}");
    assert!(e4_leaky_adam::picture(&runs).contains("lr 0.003"));
    Ok(())
}

/// Scores that do not grow from validation to validation.
fn f2_3000_iterations() -> Result<(), Failed> {
    let mnist = data::mnist(Some(&common::data_dir()))?;
    let mut out = Vec::new();
    let validations = f2_mnist_mlp::run(&mut out, mnist, 3000, 1000, 0)?;
    let text = String::from_utf8(out)?;
    let [(_, first), _, (last_at, last)] = validations[..] else {
        return Err(text.into());
    };
    assert_eq!(last_at, 3000);
    assert!(
        last[0] > first[0] && last[0] >= 0.95 && last[1] >= 0.95,
        "{text}"
    );
    assert!(f2_mnist_mlp::picture(&validations).contains("macro"));
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
