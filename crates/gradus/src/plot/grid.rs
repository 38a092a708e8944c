//! Several pictures as one.

use super::look::card;
use gradus_core::{Error, Kind, Result};

/// Puts pictures of this module side by side, `columns` to a row, and returns one SVG file as text.
///
/// # Errors
/// [`Kind::Value`] if `columns` is 0, or a text is no picture of this module.
///
/// ```
/// use gradus::plot::{Bars, Panel, bars, curves, grid};
/// let svg = grid(&[curves(&[Panel::default()]), bars(&[Bars::default()])], 2)?;
/// assert_eq!(svg.matches("<svg").count(), 3);
/// # Ok::<(), gradus::Error>(())
/// ```
pub fn grid(pictures: &[String], columns: usize) -> Result<String> {
    if columns == 0 {
        return Err(Error::new(Kind::Value, "grid: expected at least 1 column"));
    }
    let (mut svg, mut titles) = (String::new(), Vec::new());
    let (mut width, mut top) = (0.0, 0.0);
    for row in pictures.chunks(columns) {
        let (mut left, mut height) = (0.0, 0.0);
        for picture in row {
            let (w, h) = size(picture).ok_or_else(|| {
                Error::new(
                    Kind::Value,
                    "grid: a text that is no picture of gradus::plot",
                )
            })?;
            svg += &picture.replacen("<svg", &format!("<svg x=\"{left}\" y=\"{top}\""), 1);
            titles.extend(between(picture, "<title>", "</title>"));
            (left, height) = (left + w, f64::max(height, h));
        }
        (width, top) = (f64::max(width, left), top + height);
    }
    // The titles are escaped already.
    let title = titles.join(", ");
    Ok(card([width, top], "", &svg).replacen(
        "<title></title>",
        &format!("<title>{title}</title>"),
        1,
    ))
}

/// Width and height as a picture of ours tells them.
fn size(picture: &str) -> Option<(f64, f64)> {
    let head = between(picture, "<svg", ">")?;
    let number = |name| {
        between(head, name, "\"")?
            .parse::<f64>()
            .ok()
            .filter(|n| n.is_finite())
    };
    number(" width=\"").zip(number(" height=\""))
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> Option<&'a str> {
    Some(text.split_once(start)?.1.split_once(end)?.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pictures over each other, or cut off.
    #[test]
    fn pictures_stand_beside_and_below_each_other() {
        let picture = |w, h, title: &str| card([w, h], title, "");
        let parts = [
            picture(10.0, 20.0, "a&b"),
            picture(30.0, 5.0, "c"),
            picture(15.0, 7.0, "d"),
        ];
        let svg = grid(&parts, 2).unwrap();
        assert!(
            svg.starts_with("<svg") && svg.contains("viewBox=\"0 0 40 27\""),
            "{svg}"
        );
        assert!(svg.contains("<svg x=\"10\" y=\"0\"") && svg.contains("<svg x=\"0\" y=\"20\""));
        assert!(svg.contains("<title>a&amp;b, c, d</title>"), "{svg}");
        assert!(grid(&[], 1).is_ok() && grid(&parts, 0).is_err());
        assert!(grid(&["<svg>".into()], 1).is_err());
    }
}
