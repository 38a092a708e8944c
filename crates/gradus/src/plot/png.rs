//! Pictures as pixels, for what cannot show SVG.

use gradus_core::{Error, Kind, Result};
use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::fontdb::{Database, Source};
use resvg::usvg::{ImageHrefResolver, Options, Tree};
use std::fmt::Display;
use std::sync::Arc;

const FONT: &str = "DejaVu Sans";
/// 400 MB of memory.
const MOST_PIXELS: f32 = 1e8;

/// Turns a picture of this module into a PNG file, with `scale` pixels for each pixel of the SVG; 2
/// looks sharp on today's screens. Outside the card it is transparent.
///
/// The letters are those of DejaVu Sans, which is part of the library: the picture is the same on
/// every machine, also on one without fonts. Of other SVG files, text is drawn with these letters
/// too, and images only if the file holds them.
///
/// # Errors
/// [`Kind::Value`] for a text that is no SVG, and for a scale that leaves no pixel or makes more than
/// 100 million.
///
/// ```
/// use gradus::plot::{Panel, Series, curves, png};
/// let points = vec![(1.0, 2.3), (2.0, 0.4)];
/// let series = vec![Series { name: "train".into(), points }];
/// let svg = curves(&[Panel { title: "loss".into(), series, ..Panel::default() }]);
/// assert!(png(&svg, 2.0)?.starts_with(b"\x89PNG"));
/// # Ok::<(), gradus::Error>(())
/// ```
pub fn png(svg: &str, scale: f32) -> Result<Vec<u8>> {
    let tree = Tree::from_str(svg, &options()).map_err(|e| wrong(format_args!("no SVG: {e}")))?;
    let size = tree.size();
    let [width, height] = [size.width(), size.height()].map(|side| (side * scale).ceil());
    // Comparisons with NaN are false.
    let fits = width >= 1.0 && height >= 1.0 && width * height <= MOST_PIXELS;
    let mut pixels = fits
        .then(|| Pixmap::new(width as u32, height as u32))
        .flatten()
        .ok_or_else(|| {
            wrong(format_args!(
                "{width} × {height} pixels at scale {scale}; expected 1 to 100 million of them"
            ))
        })?;
    let enlarged = Transform::from_scale(scale, scale);
    resvg::render(&tree, enlarged, &mut pixels.as_mut());
    pixels.encode_png().map_err(wrong)
}

fn wrong(what: impl Display) -> Error {
    Error::new(Kind::Value, format!("png: {what}"))
}

/// Nothing is taken from the machine: no fonts, no files.
fn options() -> Options<'static> {
    let mut fonts = Database::new();
    for font in [dejavu::sans::regular(), dejavu::sans::bold()] {
        fonts.load_font_source(Source::Binary(Arc::new(font)));
    }
    fonts.set_sans_serif_family(FONT);
    // What is used where no font is named, or one that is not there.
    fonts.set_serif_family(FONT);
    Options {
        font_family: FONT.into(),
        fontdb: Arc::new(fonts),
        image_href_resolver: ImageHrefResolver {
            resolve_string: Box::new(|_, _| None),
            ..ImageHrefResolver::default()
        },
        ..Options::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Picture;
    use crate::metrics::confusion_matrix;
    use crate::plot::{
        Bars, Cloud, Group, Guess, Histogram, Panel, Regions, Series, Tile, bars, confusion,
        curves, gallery, graph, grid, histogram, images, scatter, weights,
    };
    use gradus_core::autograd::trace;
    use gradus_core::{DType, Tensor};

    fn rendered(svg: &str, scale: f32) -> Picture {
        Picture::decode(&png(svg, scale).unwrap(), 3).unwrap()
    }

    /// Half black, half white.
    fn pixels() -> Picture {
        Picture {
            height: 1,
            width: 2,
            channels: 1,
            bytes: vec![0, 255],
        }
    }

    fn tiles() -> Result<String> {
        let tile = Tile {
            picture: pixels(),
            caption: String::new(),
            right: None,
        };
        images(&[tile], 1)
    }

    /// One picture of each kind.
    fn kinds() -> Result<Vec<(&'static str, String)>> {
        let points = vec![(0.0, 1.0), (1.0, 3.0)];
        let curve = curves(&[Panel {
            title: "σ(x) < 1".into(),
            series: vec![Series {
                name: "train".into(),
                points: points.clone(),
            }],
            ..Panel::default()
        }]);
        let sides = |points: &[(f64, f64)]| Ok(points.iter().map(|p| (p.0 > 0.5).into()).collect());
        let cloud = Cloud {
            labels: vec![0, 1],
            regions: Some(Regions::around(&points, 20, sides)?),
            points,
            ..Cloud::default()
        };
        let chart = Bars {
            names: vec!["one".into()],
            groups: vec![Group {
                name: String::new(),
                values: vec![2.0],
            }],
            ..Bars::default()
        };
        let guess = Guess {
            picture: pixels(),
            caption: "7".into(),
            right: false,
            probabilities: vec![0.25, 0.75],
            found: 1,
            truth: 0,
        };
        let counts = confusion_matrix(&Tensor::from([0, 1, 1]), &Tensor::from([0, 1, 0]))?;
        let filters = Tensor::arange(0.0, 24.0, 1.0, DType::F32)?.reshape([2, 3, 2, 2])?;
        let x = Tensor::from(3.0).requires_grad_(true)?;
        let y = trace(|| x.mul(&x)?.sin())?;
        let bins = Histogram::new(&[("", &[1.0, 2.0, 2.5])], None)?;
        Ok(vec![
            ("grid", grid(&[curve.clone(), curve.clone()], 2)?),
            ("curves", curve),
            ("scatter", scatter(&[cloud])),
            ("bars", bars(&[chart])),
            ("histogram", histogram(&[bins])),
            ("confusion", confusion("", &counts, &["cat", "dog"])?),
            ("gallery", gallery(&[guess], 1)?),
            ("weights", weights(&filters, &["a", "b"], 2, false)?),
            ("graph", graph(&y.graph()?)?),
        ])
    }

    /// A kind that resvg cannot read, that has no letters, or letters only.
    #[test]
    fn every_kind_is_drawn_with_its_letters() {
        for (kind, svg) in kinds().unwrap() {
            let mute = svg.replace("<text", "<desc").replace("</text", "</desc");
            let [whole, mute] = [&svg, &mute].map(|svg| rendered(svg, 1.0));
            let pairs = whole.bytes.iter().zip(&mute.bytes);
            let letters = pairs.filter(|(a, b)| a != b).count();
            assert!(letters > 50, "{kind}: {letters} bytes of letters");
            let drawn = mute.bytes.iter().filter(|&&byte| byte < 250).count();
            assert!(drawn > 500, "{kind}: {drawn} bytes that are no letters");
        }
    }

    /// Titles as thin as the rest.
    #[test]
    fn headings_are_bold() {
        let ink = |weight| {
            let svg = format!(
                "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"90\" height=\"30\" font-family=\"sans-serif\">\
                 <text y=\"20\" font-weight=\"{weight}\">heading</text></svg>"
            );
            let bytes = rendered(&svg, 1.0).bytes;
            bytes.iter().map(|&byte| 255 - u32::from(byte)).sum::<u32>()
        };
        assert!(ink("600") > ink("400") + ink("400") / 5);
    }

    /// Pixels of small images that run into each other.
    #[test]
    fn pixels_of_images_stay_squares() {
        let picture = rendered(&tiles().unwrap(), 1.0);
        let black = picture.bytes.chunks(3).filter(|p| **p == [0, 0, 0]).count();
        assert!(black >= 60 * 60, "{black}");
    }

    #[test]
    fn scale_is_pixels_of_the_file_for_one_of_the_picture() {
        let svg = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"30\" height=\"21\"/>";
        for (scale, width, height) in [(1.0, 30, 21), (2.0, 60, 42), (0.5, 15, 11), (0.01, 1, 1)] {
            let picture = rendered(svg, scale);
            assert_eq!((picture.width, picture.height), (width, height), "{scale}");
        }
    }

    /// A picture from elsewhere that shows a file of this machine.
    #[test]
    fn no_files_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret.png");
        std::fs::write(&path, png(&tiles().unwrap(), 1.0).unwrap()).unwrap();
        let svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"90\" height=\"90\">\
             <image width=\"90\" height=\"90\" href=\"{}\"/></svg>",
            path.display()
        );
        let picture = rendered(&svg, 1.0);
        assert!(picture.bytes.iter().all(|&byte| byte == 255));
    }

    #[test]
    fn mistakes_are_errors() {
        let svg = curves(&[]);
        for scale in [0.0, -1.0, f32::NAN, f32::INFINITY, 1e6] {
            let error = png(&svg, scale).unwrap_err();
            assert_eq!(error.kind(), Kind::Value);
            assert!(error.to_string().contains("pixels at scale"), "{error}");
        }
        for broken in ["no picture", &svg[..svg.len() / 2], "<html/>", ""] {
            let error = png(broken, 1.0).unwrap_err();
            assert!(error.to_string().starts_with("png: no SVG"), "{error}");
        }
    }
}
