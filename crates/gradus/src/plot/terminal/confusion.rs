//! A confusion matrix made of numbers or shades.

use super::super::confusion::counts;
use super::bars::shortened;
use super::sheet::plain;
use gradus_core::{Result, Tensor};

/// Parts of a row, from none to all.
const SHADES: [char; 5] = ['·', '░', '▒', '▓', '█'];
/// Mistakes that are listed where a matrix has no room.
const LISTED: usize = 20;

/// Writes a confusion matrix as text that is at most `columns` wide (less than 30 count as so
/// many): a row for each true class, a column for each predicted one, in the same order. Where the
/// counts have no room, shades show the square root of their share of the row; where even those
/// have none, the most frequent mistakes are listed. With `colour` what is right is blue and mistakes are
/// vermilion, by ANSI's codes.
///
/// # Errors
/// As [`confusion`](crate::plot::confusion()).
///
/// ```
/// use gradus::{Tensor, plot};
/// let counts = Tensor::from([[8, 1], [0, 9]]);
/// let text = plot::confusion_text("Test", &counts, &["cat", "dog"], 40, false)?;
/// assert_eq!(text, "Test\n         0  1\n  0 cat  8  1\n  1 dog  ·  9\n↓ true   → predicted\n");
/// # Ok::<(), gradus::Error>(())
/// ```
pub fn confusion_text(
    title: &str,
    matrix: &Tensor,
    classes: &[impl AsRef<str>],
    columns: usize,
    colour: bool,
) -> Result<String> {
    let counts = counts(matrix, classes)?;
    let columns = columns.clamp(30, 1000);
    let k = counts.len();
    let digits = |n: &f64| format!("{n}").len();
    let widest = counts.iter().flatten().map(digits).max().unwrap_or(1);
    let width = widest.max((k - 1).to_string().len());
    let name = classes
        .iter()
        .map(|name| name.as_ref().chars().count())
        .max()
        .unwrap_or(0);
    let name = name.min(columns / 4);
    let beside = name + 5;
    let paint = |text: String, i: usize, j: usize| match colour {
        true if i == j => format!("\x1b[38;5;25m{text}\x1b[0m"),
        true => format!("\x1b[38;5;166m{text}\x1b[0m"),
        false => text,
    };

    let mut lines: Vec<String> = Vec::new();
    lines.extend((!title.is_empty()).then(|| plain(title)));
    let row = |i: usize, cells: String| {
        format!("{i:>3} {} {cells}", shortened(classes[i].as_ref(), name))
    };
    if beside + k * (width + 2) <= columns {
        let numbers: String = (0..k).map(|j| format!("  {j:>width$}")).collect();
        lines.push(format!("{:1$}{numbers}", "", beside - 1));
        lines.extend(counts.iter().enumerate().map(|(i, counts)| {
            let cells = counts.iter().enumerate().map(|(j, n)| match *n {
                0.0 => format!("  {:>width$}", SHADES[0]),
                n => paint(format!("  {n:>width$}"), i, j),
            });
            row(i, cells.collect::<String>()[1..].into())
        }));
    } else if beside + k <= columns {
        lines.extend(counts.iter().enumerate().map(|(i, counts)| {
            let all: f64 = counts.iter().sum();
            let cells = counts.iter().enumerate().map(|(j, n)| match *n {
                0.0 => SHADES[0].into(),
                n => paint(
                    SHADES[((n / all).sqrt() * 4.0).ceil() as usize].into(),
                    i,
                    j,
                ),
            });
            row(i, cells.collect())
        }));
    } else {
        lines.extend(mistakes(&counts, classes));
        return Ok(lines.join("\n") + "\n");
    }
    lines.push("↓ true   → predicted".into());
    Ok(lines.join("\n") + "\n")
}

/// What is most often taken for what.
fn mistakes(counts: &[Vec<f64>], classes: &[impl AsRef<str>]) -> Vec<String> {
    let mut all: Vec<_> = (counts.iter().enumerate())
        .flat_map(|(i, row)| row.iter().enumerate().map(move |(j, n)| (*n, i, j)))
        .filter(|&(n, i, j)| i != j && n > 0.0)
        .collect();
    all.sort_by(|a, b| b.0.total_cmp(&a.0));
    let name = |i: usize| plain(classes[i].as_ref());
    let lines = all.iter().take(LISTED).map(|&(n, i, j)| {
        let row: f64 = counts[i].iter().sum();
        format!("{} taken for {}: {n} of {row}", name(i), name(j))
    });
    let more = all.len().saturating_sub(LISTED);
    let more = (more > 0).then(|| format!("and {more} more kinds of mistakes"));
    lines.chain(more).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn square(k: usize) -> (Tensor, Vec<String>) {
        let counts = (0..k * k).map(|i| if i / k == i % k { 90.0 } else { (i % 3) as f64 });
        let names = (0..k).map(|i| format!("class {i}")).collect();
        (
            Tensor::from_vec(counts.collect::<Vec<f64>>(), [k, k]).unwrap(),
            names,
        )
    }

    /// Lines that the terminal breaks, or a matrix that is not there.
    #[test]
    fn every_size_has_a_form_that_fits() {
        for (k, columns, expected) in [
            (3, 30, "  0 class 0  90   1   2"),
            (20, 60, "  0  class 0 █"),
            (150, 80, "class 0 taken for class 2: 2 of "),
        ] {
            let (counts, names) = square(k);
            let text = confusion_text("", &counts, &names, columns, false).unwrap();
            assert!(
                text.contains(expected) || text.contains(&expected.replace("  class", " class")),
                "{text}"
            );
            assert!(
                text.lines().all(|line| line.chars().count() <= columns),
                "{text}"
            );
        }
        let (counts, names) = square(3);
        let text = confusion_text("", &counts, &names, 40, true).unwrap();
        assert!(text.contains("\u{1b}[38;5;25m  90") && text.contains("\u{1b}[38;5;166m"));
        assert!(confusion_text("", &counts, &names[..2], 40, true).is_err());
    }
}
