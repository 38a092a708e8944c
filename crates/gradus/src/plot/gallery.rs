//! Pictures with captions, among them weights, and what a network takes them for.

use super::image;
use super::look::{EDGE, INK, card, escape, shorten};
use crate::data::Picture;
use gradus_core::{DType, Error, Kind, Result, Tensor};

/// A picture and what is written below it.
#[derive(Clone, Debug, PartialEq)]
pub struct Tile {
    /// The picture.
    pub picture: Picture,
    /// The text; may be empty.
    pub caption: String,
    /// Whether it tells something right, in blue, or wrong, in red; otherwise it is dark.
    pub right: Option<bool>,
}

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

const PICTURE: f64 = 120.0;
const BARS: f64 = 100.0;
const GAP: f64 = 16.0;
const CAPTION: f64 = 24.0;

const RIGHT: &str = "#0072b2";
const WRONG: &str = "#d50000";
const OTHER: &str = "#bbbbbb";

/// Draws the pictures in rows of `columns`, each with its caption below, and returns the SVG file
/// as text.
///
/// # Errors
/// [`Kind::Value`] if `columns` is 0, or the bytes of a picture are not as many as its sizes say.
///
/// ```
/// use gradus::data::Picture;
/// use gradus::plot::{Tile, images};
/// let picture = Picture { height: 2, width: 2, channels: 1, bytes: vec![0, 255, 255, 0] };
/// let svg = images(&[Tile { picture, caption: "squares".into(), right: None }], 3)?;
/// assert!(svg.contains(">squares<"));
/// # Ok::<(), gradus::Error>(())
/// ```
pub fn images(tiles: &[Tile], columns: usize) -> Result<String> {
    sheet("images", tiles.len(), columns, PICTURE, |i, at| {
        let Tile {
            picture,
            caption,
            right,
        } = &tiles[i];
        let colour = right.map_or(INK, |right| if right { RIGHT } else { WRONG });
        tile(picture, caption, colour, PICTURE, at)
    })
}

/// Draws the weights of each of k classes or filters as a picture, `weights` being [k, height,
/// width] or [k, channels, height, width] with 1 or 3 channels, and returns the SVG file as text.
/// Black is the least weight and white the greatest: of all, if they are to be compared
/// (`common`), otherwise of each.
///
/// # Errors
/// [`Kind::Value`] for another shape or number of captions, for 0 columns, and for weights that are
/// not finite.
///
/// ```
/// use gradus::{DType, Tensor, plot};
/// // The columns of a linear classifier's W of 12 pixels by 2 classes.
/// let w = Tensor::arange(0.0, 24.0, 1.0, DType::F32)?.reshape([12, 2])?;
/// let pictures = w.t()?.reshape([2, 3, 2, 2])?;
/// assert!(plot::weights(&pictures, &["cat", "dog"], 5, false)?.contains(">dog<"));
/// # Ok::<(), gradus::Error>(())
/// ```
pub fn weights(
    weights: &Tensor,
    captions: &[impl AsRef<str>],
    columns: usize,
    common: bool,
) -> Result<String> {
    let weights = match weights.shape() {
        [_, _, _] => weights.unsqueeze(1)?,
        _ => weights.clone(),
    };
    if weights.ndim() != 4 || weights.shape()[0] != captions.len() {
        let message = format!(
            "weights: expected [k, channels, height, width] with k = {}, the number of captions, got {:?}",
            captions.len(),
            weights.shape()
        );
        return Err(Error::new(Kind::Value, message));
    }
    let all = weights.to_dtype(DType::F64)?.to_vec::<f64>()?;
    let ends = |(low, high), &v: &f64| (f64::min(low, v), f64::max(high, v));
    let range = common.then(|| all.iter().fold((f64::INFINITY, f64::NEG_INFINITY), ends));
    let tiles = captions.iter().enumerate().map(|(i, caption)| {
        Ok(Tile {
            picture: Picture::from_tensor(&weights.select(0, i as isize)?, range)?,
            caption: caption.as_ref().into(),
            right: None,
        })
    });
    images(&tiles.collect::<Result<Vec<_>>>()?, columns)
}

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
    let width = PICTURE + GAP / 2.0 + BARS;
    sheet("guesses", guesses.len(), columns, width, |i, at| {
        let guess = &guesses[i];
        let colour = if guess.right { RIGHT } else { WRONG };
        let bars = bars(guess, [at[0] + PICTURE + GAP / 2.0, at[1]]);
        Ok(tile(&guess.picture, &guess.caption, colour, width, at)? + &bars)
    })
}

/// A card with `n` cells of a picture's height and this width, and what is drawn in each.
fn sheet(
    title: &str,
    n: usize,
    columns: usize,
    width: f64,
    draw: impl Fn(usize, [f64; 2]) -> Result<String>,
) -> Result<String> {
    if columns == 0 {
        let message = format!("{title}: expected at least 1 column");
        return Err(Error::new(Kind::Value, message));
    }
    let (across, down) = (width + GAP, PICTURE + CAPTION + GAP);
    let cell = |i| {
        let (x, y) = ((i % columns) as f64, (i / columns) as f64);
        draw(i, [GAP + x * across, GAP + y * down])
    };
    let cells: String = (0..n).map(cell).collect::<Result<_>>()?;
    let (columns, rows) = (columns.min(n) as f64, n.div_ceil(columns) as f64);
    Ok(card(
        [GAP + columns * across, GAP + rows * down],
        title,
        &cells,
    ))
}

/// A picture in its own proportions, and its caption.
fn tile(
    picture: &Picture,
    caption: &str,
    colour: &str,
    room: f64,
    [x, y]: [f64; 2],
) -> Result<String> {
    let longest = picture.height.max(picture.width).max(1) as f64;
    let [width, height] = [picture.width, picture.height].map(|n| PICTURE * n as f64 / longest);
    let place = [
        x + (PICTURE - width) / 2.0,
        y + (PICTURE - height) / 2.0,
        width,
        height,
    ];
    Ok(format!(
        "{}<text x=\"{x:.1}\" y=\"{:.1}\" fill=\"{colour}\">{}</text>\n",
        image::element(picture, place)?,
        y + PICTURE + CAPTION * 2.0 / 3.0,
        escape(&shorten(caption, room + GAP / 2.0))
    ))
}

/// The probabilities of a guess, with the upper left corner there.
fn bars(guess: &Guess, [x, y]: [f64; 2]) -> String {
    let step = BARS / guess.probabilities.len().max(1) as f64;
    let bar = |(class, &p): (usize, &f64)| {
        let fill = match class {
            c if c == guess.truth => RIGHT,
            c if c == guess.found => WRONG,
            _ => OTHER,
        };
        // What is no probability has no bar.
        let p = if p.is_finite() {
            p.clamp(0.0, 1.0)
        } else {
            0.0
        };
        let (left, high) = (x + class as f64 * step, p * PICTURE);
        format!(
            "<rect x=\"{left:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{high:.1}\" fill=\"{fill}\"/>\n",
            y + PICTURE - high,
            0.8 * step,
        )
    };
    let bars: String = guess.probabilities.iter().enumerate().map(bar).collect();
    format!(
        "{bars}<path d=\"M{x:.1} {:.1}h{BARS}\" stroke=\"{EDGE}\"/>\n",
        y + PICTURE
    )
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

    #[test]
    fn right_is_blue_wrong_is_red_and_the_text_is_safe() {
        let svg = gallery(&[guess(true), guess(false), guess(true)], 2).unwrap();
        assert_eq!(svg.matches("<image ").count(), 3);
        assert_eq!(
            svg.matches(&format!("<text x=\"16.0\" y=\"152.0\" fill=\"{RIGHT}\""))
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
        assert!(svg.contains("width=\"504\" height=\"336\""), "{svg}");
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

    /// Pictures out of shape, or weights that are drawn in the wrong range.
    #[test]
    fn weights_are_scaled_each_or_together() {
        let w = Tensor::from_vec(vec![0.0, 1.0, 2.0, 4.0], [2, 1, 1, 2]).unwrap();
        let shown = |common| weights(&w, &["a", "b"], 2, common).unwrap();
        assert_ne!(shown(false), shown(true));
        assert!(shown(true).contains("width=\"120.0\" height=\"60.0\""));
        // Black and white each: the same picture twice.
        let svg = shown(false);
        let href: Vec<&str> = svg
            .split("base64,")
            .skip(1)
            .map(|s| s.split('"').next().unwrap())
            .collect();
        assert_eq!(href[0], href[1]);
        assert!(weights(&w, &["a"], 2, true).is_err());
        let two = Tensor::from_vec(vec![0.0; 4], [1, 2, 1, 2]).unwrap();
        assert!(
            weights(&two, &["a"], 2, true).is_err(),
            "two channels are no colours"
        );
    }
}
