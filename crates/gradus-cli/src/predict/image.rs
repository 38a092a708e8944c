//! Images as a model's training images look.

use crate::output;
use gradus::Tensor;
use gradus::data::Picture;
use image::imageops::{self, FilterType};
use image::{GrayImage, Luma};
use std::path::Path;

/// The image as an input of this shape, [1, channels, height, width]; what was done to it is said.
pub fn input(path: &Path, [channels, height, width]: [usize; 3]) -> Result<Tensor, String> {
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
    Tensor::from_vec(pixels, [1, channels, height, width]).map_err(|e| e.to_string())
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
