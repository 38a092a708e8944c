//! Card, colours and text, which all pictures have in common. Lengths are pixels.

/// Okabe and Ito, "Color Universal Design" (2008), without the yellow that drowns on white.
pub(super) const COLOURS: [[u8; 3]; 7] = [
    [0x00, 0x72, 0xb2], // blue
    [0xd5, 0x5e, 0x00], // vermilion
    [0x00, 0x9e, 0x73], // bluish green
    [0xcc, 0x79, 0xa7], // reddish purple
    [0xe6, 0x9f, 0x00], // orange
    [0x56, 0xb4, 0xe9], // sky blue
    [0x00, 0x00, 0x00],
];
pub(super) const INK: &str = "#333333";
pub(super) const EDGE: &str = "#888888";
pub(super) const GRID: &str = "#e4e4e4";

/// Font sizes of headings and of everything else.
const HEADING: f64 = 15.0;
const FONT: f64 = 12.0;
/// A generous mean width of a letter, in font sizes; the true one depends on the reader's fonts.
const LETTER: f64 = 0.58;

/// A stand-alone picture: a white card with these elements on it. Whoever cannot see it is told
/// `title`.
pub(super) fn card([width, height]: [f64; 2], title: &str, body: &str) -> String {
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" width=\"{width:.0}\" height=\"{height:.0}\" \
         viewBox=\"0 0 {width:.0} {height:.0}\" font-family=\"sans-serif\" font-size=\"{FONT}\" \
         fill=\"{INK}\">\n<title>{}</title>\n\
         <rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"#ffffff\"/>\n{body}</svg>\n",
        escape(title)
    )
}

/// The names of several parts as one, `kind` if they have none.
pub(super) fn together<'a>(names: impl Iterator<Item = &'a str>, kind: &str) -> String {
    let names: Vec<&str> = names.filter(|name| !name.is_empty()).collect();
    match names.is_empty() {
        true => kind.into(),
        false => names.join(", "),
    }
}

/// The title above a part of a picture.
pub(super) fn heading(text: &str, [x, y]: [f64; 2], room: f64) -> String {
    let text = escape(&shorten(text, room * FONT / HEADING));
    format!(
        "<text x=\"{x:.1}\" y=\"{y:.1}\" font-size=\"{HEADING}\" font-weight=\"600\">{text}</text>\n"
    )
}

/// A colour as SVG has it.
pub(super) fn hex([r, g, b]: [u8; 3]) -> String {
    format!("#{r:02x}{g:02x}{b:02x}")
}

/// The colour of the line, bar or class with this number; they repeat.
pub(super) fn colour(i: usize) -> String {
    hex(COLOURS[i % COLOURS.len()])
}

/// How wide `text` is. Scripts beyond Latin may have letters twice as wide; it is enough that they
/// never get too little room.
pub(super) fn text_width(text: &str) -> f64 {
    let letters: usize = text.chars().map(|c| 1 + usize::from(c > '\u{24f}')).sum();
    letters as f64 * LETTER * FONT
}

/// `text` on one line of at most `room`, with an ellipsis for what had to go.
pub(super) fn shorten(text: &str, room: f64) -> String {
    // No more of a long text than could fit.
    let mut text: String = text
        .chars()
        .take((room / LETTER / FONT) as usize + 1)
        .collect();
    if text_width(&text) > room {
        while text_width(&text) > room - 2.0 * LETTER * FONT && text.pop().is_some() {}
        text.push('…');
    }
    text
}

/// Text that XML can hold.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

/// A number as it is written beside a bar: whole as it is, otherwise with four digits at most.
pub(super) fn number(value: f64) -> String {
    let size = value.abs();
    if value.fract() == 0.0 && size < 1e7 {
        format!("{value}")
    } else if (1e-3..1e7).contains(&size) {
        let digits = (3.0 - size.log10().floor()).max(0.0) as usize;
        let text = format!("{value:.digits$}");
        match text.contains('.') {
            true => text.trim_end_matches('0').trim_end_matches('.').into(),
            false => text,
        }
    } else {
        format!("{value:.2e}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Long names run over each other or out of the picture.
    #[test]
    fn long_names_are_shortened() {
        let letter = LETTER * FONT;
        for room in [0.0, letter, 10.0 * letter] {
            for long in [&"x".repeat(10_000), "損失関数損失関数"] {
                assert!(text_width(&shorten(long, room)) <= f64::max(room, 2.0 * letter));
            }
        }
        assert_eq!(shorten("train", 5.0 * letter), "train");
    }

    /// Digits that say nothing, or none that do.
    #[test]
    fn numbers_are_short() {
        for (value, text) in [
            (0.0, "0"),
            (-1200.0, "-1200"),
            (0.5, "0.5"),
            (97.953, "97.95"),
            (0.00123456, "0.001235"),
            (123456.7, "123457"),
            (12.0001, "12"),
            (1200.5, "1200"),
            (1.5e-7, "1.50e-7"),
            (3e9, "3.00e9"),
            (f64::NAN, "NaN"),
        ] {
            assert_eq!(number(value), text);
        }
    }
}
