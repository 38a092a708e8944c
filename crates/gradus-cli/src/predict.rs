//! `gradus predict`.

use crate::common::{self, Threads};
use crate::failure::{Failure, Result};
use crate::output;
use clap::Args;
use gradus::data::Picture;
use gradus::nn::Layer;
use gradus::train::Task;
use gradus::{Tensor, no_grad};
use image::imageops::{self, FilterType};
use image::{GrayImage, Luma};
use serde_json::json;
use std::path::{Path, PathBuf};

/// Say what is on images, with the model of a run
#[derive(Args)]
#[command(after_help = "\
Examples:
  gradus predict runs/digits-mlp three.png
  gradus predict runs/mnist-mlp scans/*.jpg
  gradus predict runs/digits-mlp three.png --json

For a model of grey images an image is made grey, padded to the shape of those the model was trained
on, scaled to their size, and inverted if its border is light: the models learn from light strokes on
dark ground. For a model of colour images its middle is taken, of their proportions, and scaled.
Of several images the good ones are shown even if others cannot be read; the exit code is then 3.")]
pub struct Predict {
    /// Folder of the run
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// Images, PNG or JPEG
    #[arg(value_name = "IMAGE", required = true)]
    images: Vec<PathBuf>,
    #[command(flatten)]
    threads: Threads,
    /// Print one JSON object for each image, a line each
    #[arg(long)]
    json: bool,
}

/// Classes shown as text.
const SHOWN: usize = 3;
/// Characters of a bar for probability 1.
const BAR: f64 = 30.0;

impl Predict {
    pub fn run(self) -> Result {
        self.threads.apply();
        let run = common::open(&self.run)?;
        let model = common::model(&run)?;
        let task = run.config().task.as_ref();
        let Some(task @ Task { input, .. }) = task else {
            return Err(Failure::data(format_args!(
                "{}: no task",
                self.run.display()
            )));
        };
        let &[channels @ (1 | 3), height, width] = &input[..] else {
            return Err(Failure::data(format_args!(
                "{}: its model takes inputs of shape {input:?}, which are no grey or colour images",
                self.run.display()
            )));
        };
        let mut broken = false;
        for path in &self.images {
            match probabilities(&*model, path, [channels, height, width]) {
                Ok(probabilities) => output::line(if self.json {
                    as_json(path, task, &probabilities)
                } else {
                    as_text(path, task, &probabilities)
                })?,
                Err(e) => {
                    output::note(format_args!("error: {}: {e}", path.display()));
                    broken = true;
                }
            }
        }
        if broken {
            Err(Failure::data_told())
        } else {
            Ok(())
        }
    }
}

/// The probability of every class.
fn probabilities(
    model: &dyn Layer,
    path: &Path,
    [channels, height, width]: [usize; 3],
) -> Result<Vec<f64>, String> {
    let picture = Picture::open(path, channels).map_err(|e| e.to_string())?;
    let (pixels, changes) = if channels == 1 {
        let image = GrayImage::from_raw(picture.width as u32, picture.height as u32, picture.bytes);
        let image = image.ok_or("the image has no pixels")?;
        let (image, changes) = fit(image, [height, width]);
        (image.into_raw(), changes)
    } else {
        middle(picture, [height, width])?
    };
    if !changes.is_empty() {
        output::note(format_args!("{}: {}", path.display(), changes.join(", ")));
    }
    let pixels: Vec<f32> = pixels.into_iter().map(|x| f32::from(x) / 255.0).collect();
    model.eval();
    let compute = || {
        let x = Tensor::from_vec(pixels, [1, channels, height, width])?;
        model.forward(&x)?.softmax(1)?.to_vec::<f64>()
    };
    let probabilities = no_grad(compute).map_err(|e| e.to_string())?;
    if probabilities.iter().any(|p| !p.is_finite()) {
        return Err("the model's result is not finite: its weights are damaged".into());
    }
    Ok(probabilities)
}

/// The middle of a colour image in another size, channel by channel, and what was done to it.
fn middle(picture: Picture, [height, width]: [usize; 2]) -> Result<(Vec<u8>, Vec<String>), String> {
    let mut changes = Vec::new();
    let (w, h) = (picture.width, picture.height);
    // The largest part of the proportions that are asked for.
    let part = [
        h.saturating_mul(width).div_ceil(height).clamp(1, w.max(1)),
        w.saturating_mul(height).div_ceil(width).clamp(1, h.max(1)),
    ];
    let picture = picture.cropped(part[1], part[0]);
    if part != [w, h] {
        changes.push(format!("cut from {w}×{h} to {}×{}", part[0], part[1]));
    }
    if part != [width, height] {
        let [w, h] = part;
        changes.push(format!("scaled from {w}×{h} to {width}×{height}"));
    }
    let picture = picture.resized(height, width).map_err(|e| e.to_string())?;
    Ok((picture.planes(), changes))
}

/// The image as the model's training images look, and what was done to it.
fn fit(image: GrayImage, [height, width]: [usize; 2]) -> (GrayImage, Vec<String>) {
    let mut changes = Vec::new();
    let (height, width) = (height as u32, width as u32);
    let ground = ground(&image);
    let mut image = pad(image, ground, height, width, &mut changes);
    if image.dimensions() != (width, height) {
        let (w, h) = image.dimensions();
        changes.push(format!("scaled from {w}×{h} to {width}×{height}"));
        // Its window grows with the factor, so that every pixel counts and thin strokes stay.
        image = imageops::resize(&image, width, height, FilterType::Triangle);
    }
    if ground > 127 {
        changes.push("inverted (dark on light)".into());
        imageops::invert(&mut image);
    }
    (image, changes)
}

/// The grey of the ground: the median of the border, which hardly a stroke reaches.
fn ground(image: &GrayImage) -> u8 {
    let (w, h) = image.dimensions();
    let border = |x, y| x == 0 || y == 0 || x + 1 == w || y + 1 == h;
    let mut counts = [0usize; 256];
    for (x, y, pixel) in image.enumerate_pixels() {
        counts[usize::from(pixel.0[0])] += usize::from(border(x, y));
    }
    let total: usize = counts.iter().sum();
    let mut seen = 0;
    let median = counts.iter().position(|count| {
        seen += count;
        2 * seen >= total
    });
    median.unwrap_or(0) as u8
}

/// Puts ground at two sides of an image whose sides are in another proportion: stretched, a digit
/// would be another one.
fn pad(
    image: GrayImage,
    ground: u8,
    height: u32,
    width: u32,
    changes: &mut Vec<String>,
) -> GrayImage {
    let (w, h) = image.dimensions();
    let (wide, high) = (
        u64::from(w) * u64::from(height),
        u64::from(h) * u64::from(width),
    );
    if wide == high {
        return image;
    }
    let (padded_w, padded_h) = if wide > high {
        (w, wide.div_ceil(u64::from(width)) as u32)
    } else {
        (high.div_ceil(u64::from(height)) as u32, h)
    };
    changes.push(format!("padded from {w}×{h} to {padded_w}×{padded_h}"));
    let mut padded = GrayImage::from_pixel(padded_w, padded_h, Luma([ground]));
    let corner = [(padded_w - w) / 2, (padded_h - h) / 2].map(i64::from);
    imageops::replace(&mut padded, &image, corner[0], corner[1]);
    padded
}

/// The classes, the most probable first.
fn ranked(probabilities: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..probabilities.len()).collect();
    order.sort_by(|&a, &b| probabilities[b].total_cmp(&probabilities[a]));
    order
}

fn as_json(path: &Path, task: &Task, probabilities: &[f64]) -> String {
    let best = ranked(probabilities)[0];
    let all: serde_json::Map<_, _> = (task.classes.iter().cloned())
        .zip(probabilities.iter().map(|&p| p.into()))
        .collect();
    let object = json!({
        "image": path.display().to_string(),
        "class": task.classes[best],
        "probability": probabilities[best],
        "probabilities": all,
    });
    object.to_string()
}

fn as_text(path: &Path, task: &Task, probabilities: &[f64]) -> String {
    let order = ranked(probabilities);
    let shown = &order[..SHOWN.min(order.len())];
    let width = shown
        .iter()
        .map(|&i| task.classes[i].chars().count())
        .max()
        .unwrap_or(0);
    let mut text = format!("{}: {}", path.display(), task.classes[order[0]]);
    for &i in shown {
        let bar = "█".repeat((BAR * probabilities[i]).round() as usize);
        text += &format!(
            "\n  {:width$}  {:5.1} %  {bar}",
            task.classes[i],
            100.0 * probabilities[i]
        );
        // No blanks at the end where there is no bar.
        text.truncate(text.trim_end().len());
    }
    text
}
