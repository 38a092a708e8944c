//! The names of colours: a row of marks with text, broken where the picture ends.

use super::look::{colour, escape, shorten, text_width};
use std::fmt::{Result, Write};

/// How a legend shows a colour.
#[derive(Clone, Copy)]
pub(super) enum Mark {
    Line,
    Dot,
    Block,
}

/// The mark before a name, and the gap after it.
const MARK: f64 = 18.0;
const GAP: f64 = 6.0;
const ROW: f64 = 18.0;

/// Where one entry stands: its left edge, its row from the top.
struct Entry {
    name: String,
    mark: Mark,
    left: f64,
    row: usize,
}

/// Entries in the order of the colours, set one after the other.
pub(super) struct Legend {
    entries: Vec<Entry>,
}

impl Legend {
    /// Sets the names, with breaks where the room ends.
    pub(super) fn new<'a>(names: impl Iterator<Item = (&'a str, Mark)>, room: f64) -> Self {
        let (mut row, mut right) = (0, 0.0);
        let mut entries = Vec::new();
        for (name, mark) in names {
            let name = shorten(name, room - MARK - GAP);
            let width = MARK + GAP + text_width(&name);
            if right > 0.0 && right + width > room {
                (row, right) = (row + 1, 0.0);
            }
            entries.push(Entry {
                name,
                mark,
                left: right,
                row,
            });
            right += width + 2.0 * GAP;
        }
        Self { entries }
    }

    pub(super) fn height(&self) -> f64 {
        self.entries
            .last()
            .map_or(0.0, |last| (last.row + 1) as f64 * ROW)
    }

    /// Draws it with its upper left corner there.
    pub(super) fn draw(&self, svg: &mut String, [x, y]: [f64; 2]) -> Result {
        for (i, entry) in self.entries.iter().enumerate() {
            let (left, middle) = (x + entry.left, y + entry.row as f64 * ROW + ROW / 2.0);
            let colour = colour(i);
            match entry.mark {
                Mark::Line => write!(
                    svg,
                    "<path d=\"M{left:.1} {middle:.1}h{MARK}\" stroke=\"{colour}\" stroke-width=\"2\"/>"
                ),
                Mark::Dot => write!(
                    svg,
                    "<circle cx=\"{:.1}\" cy=\"{middle:.1}\" r=\"4\" fill=\"{colour}\"/>",
                    left + MARK / 2.0
                ),
                Mark::Block => write!(
                    svg,
                    "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"12\" height=\"12\" fill=\"{colour}\"/>",
                    left + MARK - 12.0,
                    middle - 6.0
                ),
            }?;
            let (text, low) = (left + MARK + GAP, middle + 4.0);
            let name = escape(&entry.name);
            writeln!(svg, "<text x=\"{text:.1}\" y=\"{low:.1}\">{name}</text>")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Names that run over each other or out of the picture.
    #[test]
    fn legends_break_where_the_room_ends() {
        let long = "x".repeat(10_000);
        let names = ["some name", &long, "", "b"];
        let legend = Legend::new(names.into_iter().map(|name| (name, Mark::Line)), 300.0);
        for entry in &legend.entries {
            let right = entry.left + MARK + GAP + text_width(&entry.name);
            assert!(right <= 300.0, "{} ends at {right}", entry.name);
        }
        let rows: Vec<_> = legend.entries.iter().map(|e| e.row).collect();
        assert_eq!(rows, [0, 1, 2, 2]);
        assert_eq!(legend.height(), 3.0 * ROW);
    }
}
