//! Pictures with what a network takes them for.

use std::fmt::Write;
use std::io::Cursor;

use gradus_core::{Error, Kind, Result};
use image::{ExtendedColorType, ImageEncoder, codecs::png::PngEncoder};

use super::look::escape;
use crate::data::Picture;

/// A picture, what was said about it, and how sure.
#[derive(Clone, Debug, PartialEq)]
pub struct Guess {
    /// The picture.
    pub picture: Picture,
    /// What is written below it, e.g. `Sneaker 97% (Sneaker)`.
    pub caption: String,
    /// Whether it was right: blue if so, otherwise red.
    pub right: bool,
    /// The probability of each class, drawn as bars.
    pub probabilities: Vec<f64>,
    /// The class found, whose bar has the colour of the caption.
    pub found: usize,
    /// The class it is, whose bar is blue.
    pub truth: usize,
}

const PICTURE: usize = 120;
const BARS: usize = 100;
const GAP: usize = 16;
const CAPTION: usize = 24;

const RIGHT: &str = "#0072b2";
const WRONG: &str = "#d50000";
const OTHER: &str = "#bbbbbb";

/// Draws the guesses in rows of `columns`, each a picture with its caption below and bars of its
/// probabilities beside it, and returns the SVG file as text.
///
/// # Errors
/// [`Kind::Value`] if `columns` is 0, or the bytes of a picture are not as many as its sizes say.
///
/// ```
/// use gradus::data::Picture;
/// use gradus::plot::{Guess, gallery};
/// let guess = Guess {
///     picture: Picture { height: 2, width: 2, channels: 1, bytes: vec![0, 255, 255, 0] },
///     caption: "cat 90% (cat)".into(),
///     right: true,
///     probabilities: vec![0.9, 0.1],
///     found: 0,
///     truth: 0,
/// };
/// let svg = gallery(&[guess], 3)?;
/// assert!(svg.starts_with("<svg") && svg.contains("cat 90% (cat)"));
/// # Ok::<(), gradus::Error>(())
/// ```
pub fn gallery(guesses: &[Guess], columns: usize) -> Result<String> {
    if columns == 0 {
        return Err(Error::new(
            Kind::Value,
            "gallery: expected at least 1 column",
        ));
    }
    let (cell_width, cell_height) = (PICTURE + BARS + 2 * GAP, PICTURE + CAPTION + GAP);
    let (width, height) = (
        cell_width * columns.min(guesses.len()),
        cell_height * guesses.len().div_ceil(columns),
    );
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\" font-size=\"13\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
    );
    for (i, guess) in guesses.iter().enumerate() {
        let (x, y) = (i % columns * cell_width, i / columns * cell_height);
        cell(&mut svg, guess, x + GAP / 2, y + GAP / 2)?;
    }
    svg += "</svg>\n";
    Ok(svg)
}

fn cell(svg: &mut String, guess: &Guess, x: usize, y: usize) -> Result<()> {
    let failed = |e: std::fmt::Error| Error::new(Kind::Value, e.to_string());
    let colour = if guess.right { RIGHT } else { WRONG };
    writeln!(
        svg,
        "<image x=\"{x}\" y=\"{y}\" width=\"{PICTURE}\" height=\"{PICTURE}\" \
         style=\"image-rendering:pixelated\" href=\"data:image/png;base64,{}\"/>",
        base64(&png(&guess.picture)?)
    )
    .map_err(failed)?;
    writeln!(
        svg,
        "<text x=\"{x}\" y=\"{}\" fill=\"{colour}\">{}</text>",
        y + PICTURE + CAPTION * 2 / 3,
        escape(&guess.caption)
    )
    .map_err(failed)?;
    let left = (x + PICTURE + GAP / 2) as f64;
    let step = BARS as f64 / guess.probabilities.len().max(1) as f64;
    for (class, &p) in guess.probabilities.iter().enumerate() {
        let fill = match class {
            c if c == guess.truth => RIGHT,
            c if c == guess.found => WRONG,
            _ => OTHER,
        };
        // What is no probability has no bar.
        let high = if p.is_finite() {
            p.clamp(0.0, 1.0)
        } else {
            0.0
        } * PICTURE as f64;
        writeln!(
            svg,
            "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{high:.1}\" fill=\"{fill}\"/>",
            left + class as f64 * step,
            (y + PICTURE) as f64 - high,
            0.8 * step,
        )
        .map_err(failed)?;
    }
    writeln!(
        svg,
        "<path d=\"M{left:.1} {0}h{BARS}\" stroke=\"#888888\" fill=\"none\"/>",
        y + PICTURE
    )
    .map_err(failed)
}

/// The picture as a PNG file.
fn png(picture: &Picture) -> Result<Vec<u8>> {
    let colours = match picture.channels {
        1 => ExtendedColorType::L8,
        _ => ExtendedColorType::Rgb8,
    };
    let [width, height] = [picture.width, picture.height].map(|n| u32::try_from(n).unwrap_or(0));
    let needed = picture.width.checked_mul(picture.height);
    let needed = needed.and_then(|n| n.checked_mul(picture.channels));
    if needed != Some(picture.bytes.len()) || ![1, 3].contains(&picture.channels) {
        let message = "gallery: the bytes of a picture are not as many as its sizes say";
        return Err(Error::new(Kind::Value, message));
    }
    let mut file = Cursor::new(Vec::new());
    PngEncoder::new(&mut file)
        .write_image(&picture.bytes, width, height, colours)
        .map_err(|e| Error::new(Kind::Value, format!("gallery: {e}")))?;
    Ok(file.into_inner())
}

/// RFC 4648, section 4.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for part in bytes.chunks(3) {
        let three = [0, 1, 2].map(|i| u32::from(part.get(i).copied().unwrap_or(0)));
        let bits = three[0] << 16 | three[1] << 8 | three[2];
        for i in 0..4 {
            text.push(if i <= part.len() {
                char::from(DIGITS[(bits >> (18 - 6 * i) & 63) as usize])
            } else {
                '='
            });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guess(right: bool) -> Guess {
        Guess {
            picture: Picture {
                height: 1,
                width: 2,
                channels: 3,
                bytes: vec![1, 2, 3, 4, 5, 6],
            },
            caption: "a <b> & c\u{7}".into(),
            right,
            probabilities: vec![0.25, f64::NAN, 0.5],
            found: 2,
            truth: if right { 2 } else { 0 },
        }
    }

    /// The examples of RFC 4648, section 10.
    #[test]
    fn base64_is_that_of_the_standard() {
        for (bytes, text) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
    }

    #[test]
    fn right_is_blue_wrong_is_red_and_the_text_is_safe() {
        let svg = gallery(&[guess(true), guess(false), guess(true)], 2).unwrap();
        assert_eq!(svg.matches("<image ").count(), 3);
        assert_eq!(
            svg.matches(&format!("<text x=\"8\" y=\"144\" fill=\"{RIGHT}\""))
                .count(),
            1
        );
        assert_eq!(
            svg.matches(&format!("fill=\"{WRONG}\">a &lt;b&gt; &amp; c </text>"))
                .count(),
            1
        );
        assert!(
            svg.contains("height=\"60.0\"") && svg.contains("height=\"0.0\""),
            "{svg}"
        );
        assert!(svg.contains("width=\"504\" height=\"320\""), "{svg}");
        assert!(!svg.contains("NaN"));
        assert!(gallery(&[], 3).is_ok());
    }

    #[test]
    fn mistakes_are_errors() {
        assert!(gallery(&[guess(true)], 0).is_err());
        let mut short = guess(true);
        short.picture.bytes.pop();
        assert!(gallery(&[short.clone()], 1).is_err());
        short.picture.width = usize::MAX;
        assert!(gallery(&[short], 1).is_err());
    }
}
