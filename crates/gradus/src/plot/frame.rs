//! A coordinate system on a card: grid, edge, numbers and names of its two axes.

use super::axis::Axis;
use super::look::{EDGE, GRID, escape, shorten, text_width};
use std::fmt::{Result, Write};

/// Where the axes stand, in pixels, and what they are.
pub(super) struct Frame {
    pub left: f64,
    pub top: f64,
    pub width: f64,
    pub height: f64,
    pub x: Axis,
    pub y: Axis,
}

/// What lies below a frame: the numbers of the axis and its name.
pub(super) const BELOW: f64 = 48.0;

/// What lies to the left of a frame: the name of an axis and its widest number.
pub(super) fn beside(y: &Axis) -> f64 {
    let widths = y.names().map(|(_, name)| text_width(&name));
    36.0 + widths.fold(0.0, f64::max)
}

impl Frame {
    pub(super) fn right(&self) -> f64 {
        self.left + self.width
    }

    pub(super) fn bottom(&self) -> f64 {
        self.top + self.height
    }

    /// The pixel at which a point lies.
    pub(super) fn place(&self, &(x, y): &(f64, f64)) -> (f64, f64) {
        (
            self.left + self.width * self.x.share(x),
            self.bottom() - self.height * self.y.share(y),
        )
    }

    /// Grid, numbers and edge of the axis that runs to the right, and its name.
    pub(super) fn draw_x(&self, svg: &mut String, name: &str) -> Result {
        let (left, top, right, bottom) = (self.left, self.top, self.right(), self.bottom());
        let mut filled = f64::NEG_INFINITY;
        for (tick, name) in self.x.names() {
            let at = left + self.width * self.x.share(tick);
            writeln!(
                svg,
                "<path d=\"M{at:.1} {top:.1}V{bottom:.1}\" stroke=\"{GRID}\"/>"
            )?;
            let half = text_width(&name) / 2.0;
            if at - half > filled {
                filled = at + half;
                let y = bottom + 16.0;
                writeln!(
                    svg,
                    "<text x=\"{at:.1}\" y=\"{y:.1}\" text-anchor=\"middle\">{name}</text>"
                )?;
            }
        }
        let (middle, low) = (left + self.width / 2.0, bottom + 37.0);
        let name = escape(&shorten(name, self.width));
        writeln!(
            svg,
            "<path d=\"M{left:.1} {bottom:.1}H{right:.1}\" stroke=\"{EDGE}\"/>\n\
             <text x=\"{middle:.1}\" y=\"{low:.1}\" text-anchor=\"middle\">{name}</text>"
        )
    }

    /// The same for the axis that runs upwards.
    pub(super) fn draw_y(&self, svg: &mut String, name: &str) -> Result {
        let (left, top, right, bottom) = (self.left, self.top, self.right(), self.bottom());
        for (tick, name) in self.y.names() {
            let at = bottom - self.height * self.y.share(tick);
            let (beside, low) = (left - 6.0, at + 4.0);
            writeln!(
                svg,
                "<path d=\"M{left:.1} {at:.1}H{right:.1}\" stroke=\"{GRID}\"/>\n\
                 <text x=\"{beside:.1}\" y=\"{low:.1}\" text-anchor=\"end\">{name}</text>"
            )?;
        }
        let (across, up) = (left - beside(&self.y) + 14.0, top + self.height / 2.0);
        let name = escape(&shorten(name, self.height));
        writeln!(
            svg,
            "<path d=\"M{left:.1} {top:.1}V{bottom:.1}\" stroke=\"{EDGE}\"/>\n\
             <text transform=\"translate({across:.1} {up:.1}) rotate(-90)\" text-anchor=\"middle\">{name}</text>"
        )
    }
}
