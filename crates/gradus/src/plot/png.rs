//! Pictures as pixels, for what cannot show SVG.

use gradus_core::{Error, Kind, Result};
use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree, fontdb::Database};
use std::sync::Arc;

/// Turns a picture of this module into a PNG file, with `scale` pixels for each pixel of the SVG;
/// 2 looks sharp on today's screens. The letters are DejaVu Sans, which is part of the library: the
/// picture is the same on a machine without fonts.
///
/// # Errors
/// [`Kind::Value`] if the text is no SVG, and for a scale that is not positive or makes a picture of more
/// than 16,384 pixels on a side.
///
/// ```
/// use gradus::plot::{Bars, bars, png};
/// let file = png(&bars(&[Bars::default()]), 2.0)?;
/// assert!(file.starts_with(b"\x89PNG"));
/// # Ok::<(), gradus::Error>(())
/// ```
pub fn png(svg: &str, scale: f32) -> Result<Vec<u8>> {
    let wrong = |what: String| Error::new(Kind::Value, format!("png: {what}"));
    let mut fonts = Database::new();
    for font in [dejavu::sans::regular(), dejavu::sans::bold()] {
        fonts.load_font_data(font.to_vec());
    }
    fonts.set_sans_serif_family("DejaVu Sans");
    let options = Options {
        fontdb: Arc::new(fonts),
        ..Options::default()
    };
    let tree = Tree::from_str(svg, &options).map_err(|e| wrong(e.to_string()))?;
    let side = |length: f32| {
        let pixels = (length * scale).ceil();
        (1.0..=16_384.0).contains(&pixels).then_some(pixels as u32)
    };
    let size = side(tree.size().width()).zip(side(tree.size().height()));
    let pixels = size.and_then(|(width, height)| Pixmap::new(width, height));
    let mut pixels = pixels.ok_or_else(|| {
        wrong(format!(
            "a picture of no size, or too large, at scale {scale}"
        ))
    })?;
    resvg::render(
        &tree,
        Transform::from_scale(scale, scale),
        &mut pixels.as_mut(),
    );
    pixels.encode_png().map_err(|e| wrong(e.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Picture;
    use crate::plot::{Panel, Tile, curves, images};

    /// Text or embedded pictures that are not there.
    #[test]
    fn letters_and_images_are_drawn() {
        let dark = |svg: &str| {
            let picture = Picture::decode(&png(svg, 1.0).unwrap(), 1).unwrap();
            picture.bytes.iter().filter(|byte| **byte < 128).count()
        };
        let panel = |title: &str| {
            curves(&[Panel {
                title: title.into(),
                ..Panel::default()
            }])
        };
        assert!(dark(&panel("heading")) > dark(&panel("")) + 100);
        let black = Picture {
            height: 1,
            width: 1,
            channels: 1,
            bytes: vec![0],
        };
        let svg = images(
            &[Tile {
                picture: black,
                caption: String::new(),
                right: None,
            }],
            1,
        )
        .unwrap();
        assert!(dark(&svg) >= 120 * 120);
    }

    #[test]
    fn mistakes_are_errors() {
        let svg = curves(&[]);
        for scale in [0.0, -1.0, f32::NAN, f32::INFINITY, 1e6] {
            assert!(png(&svg, scale).is_err(), "{scale}");
        }
        assert!(png("no picture", 1.0).is_err());
    }
}
