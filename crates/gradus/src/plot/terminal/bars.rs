//! Bars made of block characters.

use super::super::axis::LARGEST;
use super::super::bars::{Bars, Histogram};
use super::super::look::number;
use super::sheet::{painted, plain, wrapped};
use std::iter;

/// What the groups are drawn with where there are no colours.
const FILLS: [char; 4] = ['█', '▒', '▓', '░'];
/// Parts of a character, in eighths of its width.
const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/// Draws the bars as text that is at most `columns` wide (less than 30 count as so many), a line
/// for each value. Groups differ by colour, by ANSI's codes, or by shade.
///
/// ```
/// use gradus::plot::{Bars, Group, bars_text};
/// let text = bars_text(
///     &Bars {
///         names: vec!["a".into(), "b".into()],
///         groups: vec![Group { name: String::new(), values: vec![10.0, 5.0] }],
///         ..Bars::default()
///     },
///     30,
///     false,
/// );
/// assert_eq!(text, "a │████████████████████████ 10\nb │████████████ 5\n");
/// ```
pub fn bars_text(bars: &Bars, columns: usize, colour: bool) -> String {
    let columns = columns.clamp(30, 1000);
    let mut lines: Vec<String> = Vec::new();
    lines.extend((!bars.title.is_empty()).then(|| plain(&bars.title)));
    let margin = bars
        .names
        .iter()
        .map(|name| name.chars().count())
        .max()
        .unwrap_or(0);
    let margin = margin.min(columns / 3);
    let digits = bars
        .values()
        .map(|value| number(value).chars().count())
        .max()
        .unwrap_or(0);
    let room = columns.saturating_sub(margin + digits + 3).max(5);
    let (low, high) = bars.values().fold((0.0, 0.0), |(low, high), v| {
        (f64::min(low, v), f64::max(high, v))
    });
    let unit = if high > low {
        room as f64 / (high - low)
    } else {
        0.0
    };
    // Where zero lies, in whole characters.
    let zero = (-low * unit).ceil() as usize;
    for (i, name) in bars.names.iter().enumerate() {
        let mut name = shortened(name, margin);
        for (j, group) in bars.groups.iter().enumerate() {
            let value = group.values.get(i).copied().filter(|v| v.abs() <= LARGEST);
            let bar = value.map_or(String::new(), |value| {
                let fill = if colour {
                    FILLS[0]
                } else {
                    FILLS[j % FILLS.len()]
                };
                let (before, bar) = blocks(value * unit, zero, fill);
                let bar = if colour && !bar.is_empty() {
                    paint(j, &bar)
                } else {
                    bar
                };
                format!("{before}{bar} {}", number(value))
            });
            lines.push(format!("{name} │{bar}"));
            name = " ".repeat(margin);
        }
    }
    let named = bars.groups.iter().any(|group| !group.name.is_empty());
    let entries = bars
        .groups
        .iter()
        .enumerate()
        .filter(|_| named)
        .map(|(j, group)| {
            let name = plain(&group.name);
            let mark = if colour {
                painted(j as i64, FILLS[0])
            } else {
                FILLS[j % FILLS.len()].into()
            };
            (name.chars().count() + 2, format!("{mark} {name}"))
        });
    let label = Some(plain(&bars.label)).filter(|label| !label.is_empty());
    let label = label.map(|label| (label.chars().count() + 2, format!("→ {label}")));
    lines.extend(wrapped(label.into_iter().chain(entries), columns));
    lines.join("\n") + "\n"
}

/// Draws the histogram as [`bars_text`] does, with a line for each bin and group, named by where it
/// begins.
///
/// ```
/// use gradus::plot::{Histogram, histogram_text};
/// let counted = Histogram::new(&[("", &[1.0, 2.0, 2.5, 3.0])], Some(2))?;
/// assert!(histogram_text(&counted, 30, false).starts_with("1.0 – 2.0 │"));
/// # Ok::<(), gradus::Error>(())
/// ```
pub fn histogram_text(histogram: &Histogram, columns: usize, colour: bool) -> String {
    // As many digits as tell edges from each other.
    let width = histogram
        .edges
        .windows(2)
        .map(|edges| edges[1] - edges[0])
        .fold(f64::MAX, f64::min);
    let name = |edge: f64| match (1e-9..1e7).contains(&width) && edge.abs() < 1e7 {
        true => format!("{edge:.*}", (1.0 - width.log10().floor()).max(0.0) as usize),
        false => number(edge),
    };
    let names: Vec<(String, String)> = (histogram.edges.windows(2))
        .map(|edges| (name(edges[0]), name(edges[1])))
        .collect();
    let widest = names
        .iter()
        .map(|(low, _)| low.chars().count())
        .max()
        .unwrap_or(0);
    let chart = Bars {
        title: histogram.title.clone(),
        label: match histogram.label.as_str() {
            "" => String::new(),
            label => format!("count of {label}"),
        },
        names: names
            .iter()
            .map(|(low, high)| format!("{low:>widest$} – {high}"))
            .collect(),
        groups: histogram.groups.clone(),
    };
    bars_text(&chart, columns, colour)
}

/// The blanks before a bar of this length, from `zero` characters on, and the bar.
fn blocks(length: f64, zero: usize, fill: char) -> (String, String) {
    let eighths = (length.abs() * 8.0).round() as usize;
    if length < 0.0 {
        // There are no blocks that are filled from the right.
        let whole = ((eighths + 4) / 8).min(zero);
        let bar = iter::repeat_n(fill, whole).collect();
        return (" ".repeat(zero - whole), bar);
    }
    let (whole, part) = (eighths / 8, eighths % 8);
    let mut bar: String = iter::repeat_n(fill, whole).collect();
    if fill == FILLS[0] {
        bar += EIGHTHS[part];
    } else if part >= 4 {
        bar.push(fill);
    }
    (" ".repeat(zero), bar)
}

/// A name in so many characters.
pub(super) fn shortened(name: &str, width: usize) -> String {
    let mut name = plain(name);
    if name.chars().count() > width {
        name = name
            .chars()
            .take(width.saturating_sub(1))
            .chain(['…'])
            .collect();
    }
    format!("{name:>width$}")
}

/// Text in the colour of its group.
fn paint(group: usize, text: &str) -> String {
    // Codes around a single character, with the text instead of it.
    painted(group as i64, '\0').replace('\0', text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::Group;

    fn chart(values: &[f64]) -> Bars {
        Bars {
            title: "t\u{1b}[31m".into(),
            label: "s".into(),
            names: (0..values.len())
                .map(|i| format!("a long name {i}"))
                .collect(),
            groups: vec![Group {
                name: "g".into(),
                values: values.to_vec(),
            }],
        }
    }

    /// Bars of other lengths than their values, or lines that the terminal breaks.
    #[test]
    fn lengths_are_values_and_lines_fit() {
        let text = bars_text(&chart(&[8.0, 4.0, -2.0]), 40, false);
        let long = |line: &str| line.matches('█').count();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "t [31m");
        assert_eq!(
            [long(lines[1]), long(lines[2])],
            [17, 8],
            "17.7 and 8.8: {text}"
        );
        assert_eq!(long(lines[3]), 4, "{text}");
        assert!(
            lines.iter().all(|line| line.chars().count() <= 40),
            "{text}"
        );
        assert_eq!(lines[4], "→ s   █ g");
        assert!(bars_text(&chart(&[1.0]), 40, true).contains("\u{1b}[38;5;25m█"));
    }

    /// Groups that cannot be told apart without colours.
    #[test]
    fn groups_have_shades() {
        let mut two = chart(&[8.0, 4.0]);
        two.groups.push(Group {
            name: "h".into(),
            values: vec![8.0],
        });
        let text = bars_text(&two, 50, false);
        assert!(
            text.lines().nth(2).is_some_and(|line| line.contains("▒▒▒")),
            "{text}"
        );
        assert!(text.contains("█ g   ▒ h"), "{text}");
    }

    #[test]
    fn odd_values_have_no_bar() {
        for odd in [f64::NAN, f64::INFINITY, f64::MAX, 5e-324, 1e99, -1e99, 0.0] {
            for columns in [0, 30, usize::MAX] {
                let text = bars_text(&chart(&[odd, 1.0]), columns, true);
                assert_eq!(text.lines().count(), 4, "{text}");
            }
        }
        assert_eq!(bars_text(&Bars::default(), 80, false), "\n");
    }
}
