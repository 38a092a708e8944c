//! MNIST, Fashion-MNIST and CIFAR-10 as they are: read, counted, measured. Ignored where they are missing.

mod common;

use gradus::data::{self, DataLoader, Dataset, Split};
use gradus::{DType, Tensor};
use libtest_mimic::{Arguments, Failed, Trial};
use std::path::PathBuf;

/// What is known about a set independently of this library.
struct Expected {
    name: &'static str,
    /// Of the training pixels over 255, as everybody quotes them.
    mean_std: &'static str,
    /// The first labels to train on, and the first to test on.
    first_labels: [[i64; 5]; 2],
    /// Images of each class to train on.
    counts: [usize; 10],
}

const EXPECTED: [Expected; 2] = [
    Expected {
        name: "mnist",
        mean_std: "0.1307 0.3081",
        first_labels: [[5, 0, 4, 1, 9], [7, 2, 1, 0, 4]],
        counts: [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949],
    },
    Expected {
        name: "fashion-mnist",
        mean_std: "0.2860 0.3530",
        first_labels: [[9, 0, 0, 3, 0], [9, 2, 1, 1, 6]],
        counts: [6000; 10],
    },
];

fn main() {
    let arguments = Arguments::from_args();
    let trials = EXPECTED.iter().flat_map(|expected| {
        let missing = !common::has(expected.name);
        let trial = |name, check: fn(&Expected, Split) -> Result<(), Failed>| {
            let run = move || {
                let dir = common::data_dir();
                check(expected, data::load(expected.name, Some(&dir))?)
            };
            Trial::test(format!("{}::{name}", expected.name), run).with_ignored_flag(missing)
        };
        [
            trial("is_complete_and_in_order", is_complete_and_in_order),
            trial("has_the_known_pixels", has_the_known_pixels),
            trial("gives_whole_epochs", gives_whole_epochs),
        ]
    });
    let missing = !common::has("cifar-10");
    let cifar = [
        Trial::test("cifar-10::is_complete", cifar_is_complete).with_ignored_flag(missing),
        Trial::test("cifar-10::layouts_agree", cifar_layouts_agree)
            .with_ignored_flag(!cifar_subset().exists()),
    ];
    libtest_mimic::run(&arguments, trials.chain(cifar).collect()).exit();
}

/// Labels that belong to other images, or parts that are mixed up.
fn is_complete_and_in_order(expected: &Expected, split: Split) -> Result<(), Failed> {
    assert_eq!((split.train.len(), split.test.len()), (60_000, 10_000));
    assert_eq!(split.train.shape(), [1, 28, 28]);
    assert_eq!(split.train.classes().len(), 10);
    for (set, first) in [&split.train, &split.test]
        .into_iter()
        .zip(expected.first_labels)
    {
        assert_eq!(set.labels()[..5], first);
    }
    let mut counts = [0; 10];
    for &label in split.train.labels() {
        counts[label as usize] += 1;
    }
    assert_eq!(counts, expected.counts);
    Ok(())
}

/// Pixels lost, shifted or scaled wrongly: batches must show the mean that the bytes have.
fn has_the_known_pixels(expected: &Expected, split: Split) -> Result<(), Failed> {
    let (mean, std) = split.train.mean_std()?;
    assert_eq!(format!("{mean:.4} {std:.4}"), expected.mean_std);

    let normalized = split.train.normalize(mean, std)?;
    let (mut sum, mut squares, mut pixels) = (0.0, 0.0, 0.0);
    for batch in DataLoader::new(normalized, 1000)?.iter() {
        let x = batch?.0.to_dtype(DType::F64)?;
        sum += x.sum(..)?.item::<f64>()?;
        squares += x.mul(&x)?.sum(..)?.item::<f64>()?;
        pixels += x.numel() as f64;
    }
    let (mean, variance) = (sum / pixels, squares / pixels);
    assert!(mean.abs() < 1e-6, "{mean}");
    assert!((variance - 1.0).abs() < 1e-6, "{variance}");
    Ok(())
}

/// An epoch of shuffled batches that loses images, or differs between one thread and several.
fn gives_whole_epochs(expected: &Expected, split: Split) -> Result<(), Failed> {
    let mut fingerprints = Vec::new();
    for workers in [0, 3] {
        let loader = DataLoader::new(split.train.clone(), 256)?
            .shuffle(1)
            .workers(workers);
        assert_eq!(loader.len(), 235);
        let mut counts = [0; 10];
        // The order of the batches counts, too.
        let mut fingerprint = Tensor::zeros([1, 28, 28]);
        for batch in loader.epoch(0) {
            let (x, y) = batch?;
            fingerprint = fingerprint.mul(0.5)?.add(&x.sum(0)?)?;
            for label in y.to_vec::<i64>()? {
                counts[label as usize] += 1;
            }
        }
        assert_eq!(counts, expected.counts);
        fingerprints.push(fingerprint.to_vec::<f32>()?);
    }
    assert_eq!(fingerprints[0], fingerprints[1]);
    Ok(())
}

/// A part of CIFAR-10 in its authors' layout, of pixels that went through JPEG.
fn cifar_subset() -> PathBuf {
    common::data_dir().join("cifar-10/cifar-10-binary-subset.tar.gz")
}

/// Colours that are exchanged, or images of another class.
fn cifar_is_complete() -> Result<(), Failed> {
    let Split { train, test } = data::cifar10(Some(&common::data_dir()))?;
    assert_eq!((train.len(), test.len()), (50_000, 10_000));
    assert_eq!(
        (train.shape(), test.shape()),
        (&[3, 32, 32][..], &[3, 32, 32][..])
    );
    for (set, images) in [(&train, 5000), (&test, 1000)] {
        for class in 0..10 {
            let n = set.labels().iter().filter(|&&label| label == class).count();
            assert_eq!(n, images, "class {class}");
        }
    }
    // As everybody quotes them; compression moves them by less than half a grey level.
    let known = [(0.4914, 0.2470), (0.4822, 0.2435), (0.4465, 0.2616)];
    for ((mean, std), (known_mean, known_std)) in train.channel_mean_std()?.iter().zip(known) {
        assert!(
            (mean - known_mean).abs() < 0.002,
            "{mean} instead of {known_mean}"
        );
        assert!(
            (std - known_std).abs() < 0.004,
            "{std} instead of {known_std}"
        );
    }
    Ok(())
}

/// The two layouts read differently.
fn cifar_layouts_agree() -> Result<(), Failed> {
    let subset = data::cifar10_binary(&cifar_subset())?;
    assert_eq!((subset.train.len(), subset.test.len()), (10_000, 2_000));
    let all = data::cifar10(Some(&common::data_dir()))?.test;
    let (pixels, all_pixels) = (subset.test.images(), all.images());
    // Decoders differ by a grey level or two: a coarse picture finds an image among those of its class.
    let coarse = |images: &Tensor| {
        let images = images.to_dtype(DType::F32)?;
        images
            .reshape([-1, 3, 4, 8, 4, 8])?
            .mean([3, 5])?
            .flatten(1, -1)
    };
    let (few, many) = (coarse(&pixels.slice(0, 0, 40, 1)?)?, coarse(all_pixels)?);
    let nearest = few.cdist(&many)?.argmin(1)?.to_vec::<i64>()?;
    for (i, at) in nearest.into_iter().enumerate() {
        assert_eq!(
            subset.test.labels()[i],
            all.labels()[at as usize],
            "image {i}"
        );
        let apart = pixels.select(0, i as isize)?.to_dtype(DType::F32)?;
        let apart = apart.sub(&all_pixels.select(0, at as isize)?)?.abs()?;
        assert!(apart.mean(..)?.item::<f64>()? < 3.0, "image {i}");
    }
    Ok(())
}
