//! Points in a plane, drawn with letters: what [`scatter_text`] makes for a terminal.

use super::axis::drawable;
use super::scatter::{COLOURS, Cloud};
use std::fmt::Write;

/// Clusters in the legend at most.
const ENTRIES: usize = 20;
const CENTRE: char = '×';
const NOISE: char = '·';

/// Draws the cloud as text that is at most `columns` wide, with `rows` rows of points; title, axes and legend
/// come around it. Less than 30 columns and 4 rows count as so many, and more than 1,000 as 1,000.
///
/// With `colour` a character holds eight dots (Braille) in its cluster's colour by ANSI's codes; there
/// are six colours, in turn, and noise is dim. Without, it is the number of the cluster: 0 to 9, then a
/// to z, then `#`; noise is `·`. Where several clusters meet in a character it shows the one with most
/// points, and noise only where there is nothing else. Centres are `×`.
///
/// ```
/// use gradus::plot::{Cloud, scatter_text};
/// let cloud = Cloud {
///     points: vec![(0.0, 0.0), (1.0, 0.5), (9.0, 8.0)],
///     labels: vec![0, 0, 1],
///     ..Cloud::default()
/// };
/// let text = scatter_text(&cloud, 40, 10, false);
/// assert!(text.contains("0 = cluster 0: 2"));
/// ```
pub fn scatter_text(cloud: &Cloud, columns: usize, rows: usize, colour: bool) -> String {
    let (columns, rows) = (columns.clamp(30, 1000), rows.clamp(4, 1000));
    let [x, y] = cloud.axes([columns / 12, rows.div_ceil(2)]);
    let names: Vec<(usize, String)> = (y.ticks.iter())
        .map(|&tick| (cell(1.0 - y.share(tick), rows), y.name(tick)))
        .collect();
    let margin = names.iter().map(|(_, name)| name.len()).max().unwrap_or(0);
    let width = columns - margin - 1;
    let place = |p: &(f64, f64), across: usize, down: usize| {
        (
            cell(x.share(p.0), across * width),
            cell(1.0 - y.share(p.1), down * rows),
        )
    };

    // Who is in which cell, and which of its dots are set.
    let mut guests: Vec<(usize, i64)> = Vec::new();
    let mut dots = vec![0u8; width * rows];
    for (p, label) in cloud.labelled() {
        let (across, down) = place(p, 2, 4);
        let at = down / 4 * width + across / 2;
        dots[at] |= DOTS[across % 2][down % 4];
        guests.push((at, label));
    }
    guests.sort_unstable();
    let mut cells = vec![String::from(" "); width * rows];
    for here in guests.chunk_by(|a, b| a.0 == b.0) {
        let same = here.chunk_by(|a, b| a.1 == b.1);
        // Of equally many the first counts.
        let most = same.rev().max_by_key(|same| (same[0].1 >= 0, same.len()));
        let (at, label) = most.unwrap_or(here)[0];
        cells[at] = if colour {
            let dots = char::from_u32(0x2800 + u32::from(dots[at])).unwrap_or(NOISE);
            painted(label, dots)
        } else {
            letter(label).into()
        };
    }
    for p in cloud.centers.iter().filter(|p| drawable(p)) {
        let (across, down) = place(p, 1, 1);
        cells[down * width + across] = if colour {
            format!("\x1b[1m{CENTRE}\x1b[0m")
        } else {
            CENTRE.into()
        };
    }

    let mut lines = Vec::new();
    lines.extend((!cloud.title.is_empty()).then(|| plain(&cloud.title)));
    for (row, cells) in cells.chunks_exact(width).enumerate() {
        let tick = names.iter().find(|(at, _)| *at == row);
        let (name, edge) = tick.map_or(("", '│'), |(_, name)| (name, '┤'));
        let cells = cells.concat();
        lines.push(format!("{name:>margin$}{edge}{}", cells.trim_end()));
    }
    // The axis below, and its numbers where there is room for them.
    let mut edge = vec!['─'; width];
    let mut numbers = String::new();
    for &tick in &x.ticks {
        let (at, name) = (cell(x.share(tick), width), x.name(tick));
        let from = (margin + 1 + at).saturating_sub(name.len() / 2);
        if (numbers.is_empty() || from > numbers.len()) && from + name.len() <= columns {
            edge[at] = '┬';
            // Writing to a string cannot fail.
            let _ = write!(numbers, "{:1$}{name}", "", from - numbers.len());
        }
    }
    let edge: String = edge.into_iter().collect();
    lines.push(format!("{:margin$}└{edge}", ""));
    lines.push(numbers);
    let axes = [("→", &cloud.axes[0]), ("↑", &cloud.axes[1])];
    let axes = axes.into_iter().filter(|(_, name)| !name.is_empty());
    let axes = axes.map(|(arrow, name)| {
        let text = plain(&format!("{arrow} {name}"));
        (text.chars().count(), text)
    });
    lines.extend(wrapped(axes, columns));
    lines.extend(wrapped(legend(cloud, colour).into_iter(), columns));
    lines.join("\n") + "\n"
}

/// The bit of each dot in a Braille character: the left column downwards, and the right one.
const DOTS: [[u8; 4]; 2] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]];

/// Which of `count` cells a share, 0 to 1, falls in.
fn cell(share: f64, count: usize) -> usize {
    ((share * count as f64) as usize).min(count - 1)
}

/// The entries of the legend, with their widths.
fn legend(cloud: &Cloud, colour: bool) -> Vec<(usize, String)> {
    let (entries, more) = cloud.legend(ENTRIES);
    let mut legend: Vec<_> = (entries.into_iter())
        .map(|(label, name)| {
            let width = name.chars().count();
            if colour {
                let mark = if label < 0 { NOISE } else { '●' };
                (width + 2, format!("{} {name}", painted(label, mark)))
            } else {
                (width + 4, format!("{} = {name}", letter(label)))
            }
        })
        .collect();
    let centres = (!cloud.centers.is_empty()).then(|| format!("{CENTRE} centres"));
    let rest = more.into_iter().chain(centres);
    legend.extend(rest.map(|text| (text.chars().count(), text)));
    legend
}

/// Puts texts of known widths side by side, on as many lines as it takes.
fn wrapped(texts: impl Iterator<Item = (usize, String)>, columns: usize) -> Vec<String> {
    let mut lines: Vec<(usize, String)> = Vec::new();
    for (width, text) in texts {
        match lines.last_mut() {
            Some((filled, line)) if *filled + 3 + width <= columns => {
                *filled += 3 + width;
                line.push_str("   ");
                line.push_str(&text);
            }
            _ => lines.push((width, text)),
        }
    }
    lines.into_iter().map(|(_, line)| line).collect()
}

/// What a name may not do to a terminal.
fn plain(text: &str) -> String {
    text.replace(char::is_control, " ")
}

fn letter(label: i64) -> char {
    match u32::try_from(label) {
        Ok(label) => char::from_digit(label, 36).unwrap_or('#'),
        Err(_) if label < 0 => NOISE,
        Err(_) => '#',
    }
}

/// A character in the colour of its cluster.
fn painted(label: i64, c: char) -> String {
    let Ok(label) = usize::try_from(label) else {
        return format!("\x1b[2m{c}\x1b[0m");
    };
    // The nearest in the cube of 6×6×6 colours that terminals have from number 16 on.
    let level = |x: u8| match x {
        0..48 => 0,
        48..115 => 1,
        _ => (u16::from(x) - 35) / 40,
    };
    let [r, g, b] = COLOURS[label % COLOURS.len()].map(level);
    format!("\x1b[38;5;{}m{c}\x1b[0m", 16 + 36 * r + 6 * g + b)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn corners() -> Cloud {
        Cloud {
            title: "four\u{1b}[31m".into(),
            axes: ["length".into(), "width".into()],
            points: vec![(0.0, 0.0), (0.0, 10.0), (10.0, 0.0), (10.0, 10.0)],
            labels: vec![0, 11, -1, 40],
            centers: vec![(5.0, 5.0)],
            ..Cloud::default()
        }
    }

    /// Points that lie elsewhere than they should, upside down for instance.
    #[test]
    fn each_corner_holds_its_point() {
        let text = scatter_text(&corners(), 41, 9, false);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "four [31m");
        let rows: Vec<Vec<char>> = (lines[1..10].iter())
            .map(|line| line.split(['│', '┤']).nth(1).unwrap().chars().collect())
            .collect();
        let found = |c| {
            let (row, line) = rows
                .iter()
                .enumerate()
                .find(|(_, l)| l.contains(&c))
                .unwrap();
            (row, line.iter().position(|x| *x == c).unwrap())
        };
        let width = 41 - 3;
        assert_eq!(found('0'), (8, 1));
        assert_eq!(found('b'), (0, 1));
        assert_eq!(found('·'), (8, width - 2));
        assert_eq!(found('#'), (0, width - 2));
        assert_eq!(found('×'), (4, width / 2));
        assert_eq!(lines[12], "→ length   ↑ width");
        assert!(
            text.contains("0 = cluster 0: 1   b = cluster 11: 1"),
            "{text}"
        );
        assert!(
            text.contains("· = noise: 1") && text.contains("× centres"),
            "{text}"
        );
        let wide = lines.iter().map(|line| line.chars().count()).max();
        assert_eq!(wide, Some(41), "{text}");
    }

    /// Codes where nobody asked for them, none where they are wanted, or dots in the wrong place.
    #[test]
    fn colours_are_codes_and_dots_are_braille() {
        assert!(!scatter_text(&corners(), 40, 9, false).contains('\u{1b}'));
        let text = scatter_text(&corners(), 40, 9, true);
        // The third row of dots from below: the axis begins a twentieth of the range before 0.
        assert!(text.contains("\u{1b}[38;5;25m\u{2820}\u{1b}[0m"), "{text}");
        assert!(
            text.contains("\u{1b}[2m") && text.contains("\u{1b}[1m×"),
            "{text}"
        );
        assert_eq!(painted(1, '●'), "\u{1b}[38;5;166m●\u{1b}[0m");
    }

    /// Noise that hides a cluster, or a cluster of one point that hides one of two.
    #[test]
    fn a_character_shows_most_points() {
        let text = scatter_text(
            &Cloud {
                points: vec![(1.0, 1.0); 6],
                labels: vec![-1, -1, -1, 2, 7, 7],
                ..Cloud::default()
            },
            40,
            5,
            false,
        );
        let row = text
            .lines()
            .find(|line| line.contains(['│', '┤']) && line.ends_with('7'));
        assert!(row.is_some(), "{text}");
    }

    /// Numbers at the end of the range, or no points, end the program.
    #[test]
    fn odd_points_draw_something() {
        for odd in [f64::NAN, f64::INFINITY, f64::MAX, 5e-324, 1e99, 0.0] {
            for (columns, rows) in [(0, 0), (usize::MAX, 1), (80, 24)] {
                let cloud = Cloud {
                    points: vec![(odd, 1.0), (-odd, odd)],
                    labels: vec![0],
                    centers: vec![(odd, odd)],
                    ..Cloud::default()
                };
                let text = scatter_text(&cloud, columns, rows, true);
                assert!(text.ends_with('\n') && text.lines().count() >= 6);
            }
        }
        scatter_text(&Cloud::default(), 80, 24, false);
    }
}
