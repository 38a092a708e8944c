//! A coordinate system made of letters, and what else drawings for a terminal share.

use super::super::axis::Axis;
use super::super::scatter::COLOURS;
use std::fmt::Write;

pub(super) const CENTRE: char = '×';
pub(super) const NOISE: char = '·';

/// How marks are told apart.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Ink {
    /// Eight dots (Braille) to a character, by colours.
    Colours,
    /// The same in the terminal's own colour, for what needs no telling apart.
    Plain,
    /// A character is the number of what it belongs to.
    Letters,
}

/// Rows of characters between two axes.
pub(super) struct Sheet {
    columns: usize,
    rows: usize,
    /// Characters before the axis that runs upwards, and in a row behind it.
    margin: usize,
    width: usize,
    x: Axis,
    y: Axis,
    /// Which cell, which of its dots, who is there.
    guests: Vec<(usize, u8, i64)>,
    centres: Vec<usize>,
}

impl Sheet {
    /// `axes` is given how many marks are to be on each.
    pub(super) fn new(
        columns: usize,
        rows: usize,
        axes: impl FnOnce([usize; 2]) -> [Axis; 2],
    ) -> Self {
        let (columns, rows) = (columns.clamp(30, 1000), rows.clamp(4, 1000));
        let [x, y] = axes([columns / 12, rows.div_ceil(2)]);
        let margin = y.names().map(|(_, name)| name.len()).max().unwrap_or(0);
        Self {
            columns,
            rows,
            margin,
            width: columns - margin - 1,
            x,
            y,
            guests: Vec::new(),
            centres: Vec::new(),
        }
    }

    /// The column and row of a point, with so many to a character.
    fn place(&self, p: &(f64, f64), [across, down]: [usize; 2]) -> (usize, usize) {
        (
            cell(self.x.share(p.0), across * self.width),
            cell(1.0 - self.y.share(p.1), down * self.rows),
        )
    }

    fn dot(&mut self, (across, down): (usize, usize), label: i64) {
        let at = down / 4 * self.width + across / 2;
        self.guests.push((at, DOTS[across % 2][down % 4], label));
    }

    pub(super) fn point(&mut self, p: &(f64, f64), label: i64) {
        self.dot(self.place(p, [2, 4]), label);
    }

    pub(super) fn centre(&mut self, p: &(f64, f64)) {
        let (across, down) = self.place(p, [1, 1]);
        self.centres.push(down * self.width + across);
    }

    /// A line from one point to another.
    pub(super) fn line(&mut self, from: &(f64, f64), to: &(f64, f64), label: i64) {
        let [from, to] = [from, to].map(|p| self.place(p, [2, 4]));
        let steps = from.0.abs_diff(to.0).max(from.1.abs_diff(to.1)).max(1);
        let between = |a: usize, b: usize, i: usize| {
            let way = (b as f64 - a as f64) * i as f64 / steps as f64;
            (a as f64 + way).round() as usize
        };
        for i in 0..=steps {
            self.dot((between(from.0, to.0, i), between(from.1, to.1, i)), label);
        }
    }

    /// The lines of the drawing. Where several meet in a character it shows the one with most dots,
    /// and noise only where there is nothing else.
    pub(super) fn draw(mut self, title: &str, names: [&str; 2], ink: Ink) -> Vec<String> {
        let mut cells = vec![String::from(" "); self.width * self.rows];
        self.guests
            .sort_unstable_by_key(|&(at, _, label)| (at, label));
        for here in self.guests.chunk_by(|a, b| a.0 == b.0) {
            let same = here.chunk_by(|a, b| a.2 == b.2);
            // Of equally many the first counts.
            let most = same.rev().max_by_key(|same| (same[0].2 >= 0, same.len()));
            let (at, _, label) = most.unwrap_or(here)[0];
            let dots = here.iter().fold(0, |dots, (_, dot, _)| dots | dot);
            let dots = char::from_u32(0x2800 + u32::from(dots)).unwrap_or(NOISE);
            cells[at] = match ink {
                Ink::Colours => painted(label, dots),
                Ink::Plain => dots.into(),
                Ink::Letters => letter(label).into(),
            };
        }
        for &at in &self.centres {
            cells[at] = match ink {
                Ink::Colours => format!("\x1b[1m{CENTRE}\x1b[0m"),
                _ => CENTRE.into(),
            };
        }
        self.frame(&cells, title, names)
    }

    /// Title, axes, and what they are called.
    fn frame(&self, cells: &[String], title: &str, names: [&str; 2]) -> Vec<String> {
        let (margin, columns) = (self.margin, self.columns);
        let ticks: Vec<_> = (self.y.names())
            .map(|(tick, name)| (cell(1.0 - self.y.share(tick), self.rows), name))
            .collect();
        let mut lines = Vec::new();
        lines.extend((!title.is_empty()).then(|| plain(title)));
        for (row, cells) in cells.chunks_exact(self.width).enumerate() {
            let tick = ticks.iter().find(|(at, _)| *at == row);
            let (name, edge) = tick.map_or(("", '│'), |(_, name)| (name, '┤'));
            let cells = cells.concat();
            lines.push(format!("{name:>margin$}{edge}{}", cells.trim_end()));
        }
        // The axis below, and its numbers where there is room for them.
        let mut edge = vec!['─'; self.width];
        let mut numbers = String::new();
        for (tick, name) in self.x.names() {
            let at = cell(self.x.share(tick), self.width);
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
        let named = [("→", names[0]), ("↑", names[1])].into_iter();
        let named = named
            .filter(|(_, name)| !name.is_empty())
            .map(|(arrow, name)| {
                let text = plain(&format!("{arrow} {name}"));
                (text.chars().count(), text)
            });
        lines.extend(wrapped(named, columns));
        lines
    }
}

/// The bit of each dot in a Braille character: the left column downwards, and the right one.
const DOTS: [[u8; 4]; 2] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]];

/// Which of `count` cells a share, 0 to 1, falls in.
fn cell(share: f64, count: usize) -> usize {
    ((share * count as f64) as usize).min(count - 1)
}

/// Puts texts of known widths side by side, on as many lines as it takes.
pub(super) fn wrapped(texts: impl Iterator<Item = (usize, String)>, columns: usize) -> Vec<String> {
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
pub(super) fn plain(text: &str) -> String {
    text.replace(char::is_control, " ")
}

pub(super) fn letter(label: i64) -> char {
    match u32::try_from(label) {
        Ok(label) => char::from_digit(label, 36).unwrap_or('#'),
        Err(_) if label < 0 => NOISE,
        Err(_) => '#',
    }
}

/// A character in the colour of its cluster.
pub(super) fn painted(label: i64, c: char) -> String {
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
