//! Which class is taken for which.

use super::look::{EDGE, card, escape, heading, hex, shorten, text_width};
use gradus_core::{DType, Error, Kind, Result, Tensor};
use std::fmt::Write;

/// What is right has the first colour, what is wrong the second.
const RIGHT: [u8; 3] = [0x00, 0x72, 0xb2];
const WRONG: [u8; 3] = [0xd5, 0x5e, 0x00];

const MARGIN: f64 = 16.0;
const TOP: f64 = 44.0;
/// The widest name of a class.
const NAME: f64 = 120.0;
/// Cells that are smaller have no numbers, names that are nearer to each other are left out.
const NUMBERED: f64 = 22.0;
const NAMED: f64 = 13.0;
/// More classes than this are less than four pixels each.
const MOST: usize = 200;

/// The counts of a confusion matrix, row by row, once it and the names of its classes are right.
pub(super) fn counts(matrix: &Tensor, classes: &[impl AsRef<str>]) -> Result<Vec<Vec<f64>>> {
    let k = classes.len();
    let wrong = |what: String| Err(Error::new(Kind::Value, format!("confusion: {what}")));
    if !(1..=MOST).contains(&k) {
        return wrong(format!("{k} classes; expected 1 to {MOST}"));
    }
    if matrix.shape() != [k, k] {
        return wrong(format!(
            "a matrix of shape {:?} for {k} classes; expected [{k}, {k}], as metrics::confusion_matrix gives it",
            matrix.shape()
        ));
    }
    let counts = matrix.to_dtype(DType::F64)?.to_vec::<f64>()?;
    if let Some(odd) = counts.iter().find(|n| !n.is_finite() || **n < 0.0) {
        return wrong(format!("a count of {odd}"));
    }
    Ok(counts.chunks(k).map(<[f64]>::to_vec).collect())
}

/// Draws a confusion matrix, as [`metrics::confusion_matrix`](crate::metrics::confusion_matrix)
/// counts it: a row for each true class, a column for each predicted one, what is right on the
/// diagonal and blue, mistakes vermilion. Colours show the square root of the share of
/// a row, so that rare mistakes can be seen. Up to about 24 classes have their counts written in; of more
/// classes a pointer over a cell shows them.
///
/// # Errors
/// [`Kind::Value`] if the matrix is not [k, k] for k names, for more than 200 classes, and for counts that are
/// negative or not finite.
///
/// ```
/// use gradus::{Tensor, metrics, plot};
/// let counts = metrics::confusion_matrix(&Tensor::from([0, 1, 1]), &Tensor::from([0, 1, 0]))?;
/// let svg = plot::confusion("Test set", &counts, &["cat", "dog"])?;
/// assert!(svg.contains("dog taken for cat: 1 of 2"));
/// # Ok::<(), gradus::Error>(())
/// ```
pub fn confusion(title: &str, matrix: &Tensor, classes: &[impl AsRef<str>]) -> Result<String> {
    let counts = counts(matrix, classes)?;
    let k = counts.len() as f64;
    let side = (480.0 / k).clamp(4.0, 48.0);
    let names: Vec<String> = classes
        .iter()
        .map(|name| shorten(name.as_ref(), NAME))
        .collect();
    let widest = names
        .iter()
        .map(|name| text_width(name))
        .fold(0.0, f64::max);
    let left = MARGIN + 20.0 + widest + 6.0;
    // Names that are wider than their columns stand on end.
    let upright = widest > side - 4.0;
    let below = 6.0 + if upright { widest } else { 14.0 } + 22.0;
    let (right, bottom) = (left + k * side, TOP + k * side);
    let width = f64::max(right + MARGIN, left + text_width(title) * 1.3 + MARGIN).min(900.0);

    let mut svg = heading(title, [left, 28.0], width - left - MARGIN);
    // Writing to a string cannot fail.
    let _ = cells(&mut svg, &counts, classes, [left, TOP, side]);
    let _ = writeln!(
        svg,
        "<rect x=\"{left:.1}\" y=\"{TOP:.1}\" width=\"{:.1}\" height=\"{:.1}\" fill=\"none\" stroke=\"{EDGE}\"/>",
        right - left,
        bottom - TOP
    );
    let every = (NAMED / side).ceil().max(1.0) as usize;
    for (i, name) in names.iter().enumerate().step_by(every) {
        let (middle, name) = ((i as f64 + 0.5) * side, escape(name));
        let (x, y) = (left + middle, bottom + 6.0);
        let _ = writeln!(
            svg,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{name}</text>",
            left - 6.0,
            TOP + middle + 4.0
        );
        let _ = match upright {
            true => writeln!(
                svg,
                "<text transform=\"translate({:.1} {y:.1}) rotate(-90)\" text-anchor=\"end\">{name}</text>",
                x + 4.0
            ),
            false => writeln!(
                svg,
                "<text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{name}</text>",
                y + 10.0
            ),
        };
    }
    let (across, down) = ((left + right) / 2.0, (TOP + bottom) / 2.0);
    let _ = writeln!(
        svg,
        "<text x=\"{across:.1}\" y=\"{:.1}\" text-anchor=\"middle\">predicted class</text>\n\
         <text transform=\"translate({:.1} {down:.1}) rotate(-90)\" text-anchor=\"middle\">true class</text>",
        bottom + below - 6.0,
        MARGIN + 8.0
    );
    let title = if title.is_empty() {
        "confusion matrix"
    } else {
        title
    };
    Ok(card([width, bottom + below + MARGIN / 2.0], title, &svg))
}

/// The cells in which something was counted.
fn cells(
    svg: &mut String,
    counts: &[Vec<f64>],
    classes: &[impl AsRef<str>],
    [left, top, side]: [f64; 3],
) -> std::fmt::Result {
    let name = |i: usize| escape(classes[i].as_ref());
    let numbers = counts
        .iter()
        .flatten()
        .map(|&n| text_width(&format!("{n}")));
    let widest = numbers.fold(0.0, f64::max);
    let font = f64::min(12.0, 12.0 * (side - 4.0) / widest);
    for (i, row) in counts.iter().enumerate() {
        let all: f64 = row.iter().sum();
        for (j, &n) in row.iter().enumerate().filter(|(_, n)| **n > 0.0) {
            let strength = (n / all).sqrt();
            let full = if i == j { RIGHT } else { WRONG };
            let fill = full.map(|c| (255.0 - (255.0 - f64::from(c)) * strength) as u8);
            let (x, y) = (left + j as f64 * side, top + i as f64 * side);
            writeln!(
                svg,
                "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{side:.1}\" height=\"{side:.1}\" fill=\"{}\" \
                 shape-rendering=\"crispEdges\"><title>{} taken for {}: {n} of {all}</title></rect>",
                hex(fill),
                name(i),
                name(j)
            )?;
            if side >= NUMBERED && font >= 7.0 {
                let ink = if strength > 0.6 { "#ffffff" } else { "#333333" };
                writeln!(
                    svg,
                    "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\" font-size=\"{font:.1}\" \
                     fill=\"{ink}\" pointer-events=\"none\">{n}</text>",
                    x + side / 2.0,
                    y + side / 2.0 + font / 3.0
                )?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matrix(counts: &[f64]) -> Tensor {
        let k = (counts.len() as f64).sqrt() as usize;
        Tensor::from_vec(counts, [k, k]).unwrap()
    }

    /// Mistakes that look right, or a class that stands where another does.
    #[test]
    fn the_diagonal_is_blue_and_cells_say_what_they_are() {
        let svg = confusion("a<b", &matrix(&[9.0, 0.0, 2.0, 6.0]), &["<cat>", "dog"]).unwrap();
        assert!(
            svg.contains("fill=\"#0072b2\" shape-rendering"),
            "all of a row: {svg}"
        );
        assert!(
            svg.contains("<title>dog taken for &lt;cat&gt;: 2 of 8</title>"),
            "{svg}"
        );
        assert!(!svg.contains(">0<") && svg.contains("<title>a&lt;b</title>"));
        assert_eq!(svg.matches("<rect x").count(), 3 + 1);
    }

    /// Numbers that run over each other, and names that nobody can read.
    #[test]
    fn many_classes_have_no_numbers_and_fewer_names() {
        let k = 100;
        let names: Vec<String> = (0..k).map(|i| format!("class {i}")).collect();
        let counts = Tensor::full([k, k], 3.0, DType::F64).unwrap();
        let svg = confusion("", &counts, &names).unwrap();
        assert!(!svg.contains(">3<") && svg.contains(">class 99<") != svg.contains(">class 98<"));
    }

    #[test]
    fn mistakes_are_errors() {
        let one = matrix(&[1.0]);
        assert!(confusion("", &one, &["a", "b"]).is_err());
        assert!(confusion("", &one, &[""; 0]).is_err());
        assert!(confusion("", &matrix(&[-1.0]), &["a"]).is_err());
        assert!(confusion("", &matrix(&[f64::NAN]), &["a"]).is_err());
        let empty = confusion("", &matrix(&[0.0; 4]), &["a", "b"]).unwrap();
        assert!(!empty.contains("NaN"), "{empty}");
    }
}
