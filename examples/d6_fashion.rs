//! D6: Fashion-MNIST: what is in it, how long a pass over it takes, and softmax regression with a look
//! at its mistakes.

use clap::Parser;
use gradus::data::{self, DataLoader, Dataset, ImageDataset, Picture, Transform};
use gradus::nn::{self, Layer, Module, Sequential};
use gradus::optim::Sgd;
use gradus::plot::{Guess, Tile, gallery, images};
use gradus::train::{Listener, Progress, Trainer};
use gradus::{Result, no_grad, random};
use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    time::Instant,
};

const BATCH: usize = 256;
const LR: f64 = 0.1;

/// A pass over the images in another size; returns its seconds.
pub fn pass(out: &mut impl Write, train: &ImageDataset) -> Result<f64> {
    let resized = train.clone().transforms(&[Transform::Resize([32, 32])])?;
    let loader = DataLoader::new(resized, 64)?.shuffle(0).workers(2);
    let (start, mut shapes) = (Instant::now(), Vec::new());
    for (x, y) in &loader {
        shapes.push((x.shape().to_vec(), y.numel()));
    }
    let seconds = start.elapsed().as_secs_f64();
    let samples: usize = shapes.iter().map(|(_, n)| n).sum();
    writeln!(
        out,
        "{samples} images in batches of {:?}: {seconds:.2} s",
        shapes[0].0
    )?;
    Ok(seconds)
}

/// Image number `i` as it is in the file.
fn picture(set: &ImageDataset, i: usize) -> Result<Picture> {
    Picture::from_tensor(&set.images().select(0, i as isize)?, Some((0.0, 255.0)))
}

/// Up to eight images that are taken for something else, with the probabilities of all classes.
fn mistakes(net: &Sequential, set: &ImageDataset) -> Result<Vec<Guess>> {
    let (x, y) = set.batch(&(0..set.len().min(500)).collect::<Vec<_>>())?;
    let probabilities = no_grad(|| net.forward(&x))?.softmax(1)?;
    let found = probabilities.argmax(1)?.to_vec::<i64>()?;
    let rows = probabilities.to_vec2::<f64>()?.into_iter();
    let all = rows.zip(found).zip(y.to_vec::<i64>()?).enumerate();
    let wrong = all.filter(|(_, ((_, found), truth))| found != truth);
    let guess = |(i, ((probabilities, found), truth)): (usize, ((Vec<f64>, i64), i64))| {
        let (found, truth, names) = (found as usize, truth as usize, set.classes());
        Ok(Guess {
            picture: picture(set, i)?,
            caption: format!("{}, not {}", names[truth], names[found]),
            right: false,
            probabilities,
            found,
            truth,
        })
    };
    wrong.take(8).map(guess).collect()
}

/// Trains softmax regression and draws; returns the accuracy on the images to validate on.
pub fn run(
    out: &mut impl Write,
    fashion: data::Split,
    epochs: usize,
    folder: &Path,
    progress: impl Listener,
) -> Result<f64> {
    let data::Split { train, test } = fashion;
    writeln!(
        out,
        "{} images to train on, {} to validate on: {}",
        train.len(),
        test.len(),
        test.classes().join(", ")
    )?;
    let captioned = |i: usize| {
        Ok(Tile {
            picture: picture(&train, i)?,
            caption: train.classes()[train.labels()[i] as usize].clone(),
            right: None,
        })
    };
    let row: Vec<Tile> = (0..8).map(captioned).collect::<Result<_>>()?;
    fs::write(folder.join("d6_samples.svg"), images(&row, 8)?)?;

    random::manual_seed(0);
    let net = Sequential::new()
        .add(nn::Flatten)
        .add(nn::Linear::new(784, 10)?);
    let mut sgd = Sgd::new(net.parameters(), LR);
    let train = DataLoader::new(train, BATCH)?.shuffle(0);
    let validation = DataLoader::new(test.clone(), BATCH)?;
    let trainer = Trainer::new(epochs).listen(progress);
    let summary = trainer.fit(&net, &mut sgd, &train, &validation)?;

    let wrong = gallery(&mistakes(&net, &test)?, 4)?;
    fs::write(folder.join("d6_mistakes.svg"), wrong)?;
    let accuracy = summary.history.last().map_or(0.0, |epoch| epoch.test_score);
    writeln!(out, "validation accuracy {accuracy:.4}")?;
    Ok(accuracy)
}

/// Fashion-MNIST: a pass over it, and softmax regression.
#[derive(Parser)]
struct Args {
    /// Folder with the data set fashion-mnist in it [default: GRADUS_DATA, or the user's own]
    #[arg(long)]
    data_dir: Option<PathBuf>,
    /// Passes over the images
    #[arg(long, default_value_t = 10)]
    epochs: usize,
    /// Folder for d6_samples.svg and d6_mistakes.svg
    #[arg(long, default_value = ".")]
    out: PathBuf,
}

fn main() -> Result<()> {
    let args = Args::parse();
    let fashion = data::fashion_mnist(args.data_dir.as_deref())?;
    let out = &mut std::io::stdout();
    pass(out, &fashion.train)?;
    fs::create_dir_all(&args.out)?;
    run(out, fashion, args.epochs, &args.out, Progress::new())?;
    Ok(())
}
