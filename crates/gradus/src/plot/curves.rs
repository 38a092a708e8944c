//! Lines over epochs or steps: what [`curves`] draws.

use super::axis::{Axis, drawable};
use super::look::COLOURS;
use gradus_core::{Error, Kind, Result};
use plotters::coord::Shift;
use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, ValueFormatter};
use plotters::prelude::*;
use std::ops::Range;

/// Named points that a line joins.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Series {
    /// The name in the legend, e.g. `"train"`.
    pub name: String,
    /// `(x, y)` in the order in which the line runs through them, e.g. epoch and loss.
    pub points: Vec<(f64, f64)>,
}

/// One coordinate system with its lines.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Panel {
    /// The heading, e.g. `"Loss"`; may be empty.
    pub title: String,
    /// What x counts, e.g. `"epoch"`; may be empty.
    pub x_label: String,
    /// What y measures, with its unit if it has one; may be empty.
    pub y_label: String,
    /// The lines, in the order of the legend. From the eighth on the colours repeat.
    pub series: Vec<Series>,
}

/// Plotters places everything on whole units. Ten of them to a pixel keep smooth curves smooth.
pub(super) const PX: i32 = 10;
const PANEL_WIDTH: i32 = 480 * PX;
/// Axes and their labels included.
const PLOT_HEIGHT: i32 = 280 * PX;
const MARGIN: i32 = 16 * PX;
const TITLE_HEIGHT: i32 = 26 * PX;
const LEGEND_ROW_HEIGHT: i32 = 18 * PX;
/// The line before a name in the legend, and the gap after it.
const LEGEND_MARK: i32 = 18 * PX;
const LEGEND_GAP: i32 = 6 * PX;

/// Font sizes as plotters takes them; it writes 1/1.24 of each into the file.
const TITLE_FONT: i32 = 19 * PX;
const TEXT_FONT: i32 = 15 * PX;
/// A generous mean width of a letter in [`TEXT_FONT`]; the true one depends on the reader's fonts.
const LETTER: i32 = 7 * PX;

const INK: RGBColor = RGBColor(0x33, 0x33, 0x33);
const AXIS: RGBColor = RGBColor(0x88, 0x88, 0x88);
const GRID: RGBColor = RGBColor(0xe4, 0xe4, 0xe4);

/// Up to this many points a line marks each of them; beyond it the marks would hide the line.
const MARKED_POINTS: usize = 30;
type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
/// Plotters has an error type for each of its backends; here it only passes through.
type Drawn<T> = Result<T, Box<dyn std::error::Error>>;

/// Draws the panels side by side and returns the SVG file as text.
///
/// A panel is 480 pixels wide and, with a legend of one row, 348 high; further rows add to that.
///
/// Points with a coordinate that is not finite, or beyond ±1e100, are left out and interrupt their
/// line: a diverged run shows where it broke off. A series may be empty, and so may a panel. Where
/// every x is a whole number, as epochs are, so are the marks on the axis. Names may hold any
/// characters; those too long for the picture are shortened.
///
/// # Errors
///
/// [`Kind::Value`] if the drawing library refuses, which no input is known to bring about.
///
/// ```
/// use gradus::plot::{Panel, Series, curves};
///
/// let svg = curves(&[Panel {
///     title: "Loss".into(),
///     x_label: "epoch".into(),
///     y_label: "cross-entropy (nats)".into(),
///     series: vec![Series {
///         name: "train".into(),
///         points: vec![(1.0, 0.60), (2.0, 0.31), (3.0, 0.24)],
///     }],
/// }])?;
/// assert!(svg.starts_with("<svg"));
/// # Ok::<(), gradus_core::Error>(())
/// ```
pub fn curves(panels: &[Panel]) -> Result<String> {
    draw(panels).map_err(|e| {
        let message = format!("the drawing library could not draw the curves: {e}");
        Error::new(Kind::Value, message)
    })
}

fn draw(panels: &[Panel]) -> Drawn<String> {
    // The deepest legend sets the height of all headers, so that the plots stand in line.
    let legends: Vec<_> = panels.iter().map(legend_layout).collect();
    let rows = (legends.iter().flatten()).map(|entry| entry.row + 1).max();
    let header = MARGIN + TITLE_HEIGHT + LEGEND_ROW_HEIGHT * rows.unwrap_or(0) + MARGIN / 2;
    let columns = panels.len().max(1);
    let (width, height) = (PANEL_WIDTH * columns as i32, header + PLOT_HEIGHT);

    let mut drawing = String::new();
    let size = (width as u32, height as u32);
    let root = SVGBackend::with_string(&mut drawing, size).into_drawing_area();
    let areas = root.split_evenly((1, columns));
    for ((panel, legend), area) in panels.iter().zip(&legends).zip(&areas) {
        let (top, bottom) = area.split_vertically(header);
        draw_header(panel, legend, &top)?;
        draw_plot(panel, &bottom)?;
    }
    root.present()?;
    drop((root, areas)); // They borrow the text.

    // The outer element scales the units to pixels and paints the card.
    Ok(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" width=\"{}\" height=\"{}\" \
         viewBox=\"0 0 {width} {height}\">\n\
         <rect width=\"100%\" height=\"100%\" rx=\"{}\" fill=\"#ffffff\"/>\n\
         {drawing}</svg>\n",
        width / PX,
        height / PX,
        8 * PX,
    ))
}

/// Where one entry of a legend stands: its row from the top, its left edge in units.
struct LegendEntry {
    name: String,
    row: i32,
    left: i32,
}

/// Sets the entries of a legend one after the other and breaks the row where the panel ends.
fn legend_layout(panel: &Panel) -> Vec<LegendEntry> {
    let room = PANEL_WIDTH - 2 * MARGIN;
    let (mut row, mut right) = (0, 0);
    let mut entries = Vec::new();
    for series in &panel.series {
        let name = shorten(&series.name, room - LEGEND_MARK - LEGEND_GAP);
        let width = LEGEND_MARK + LEGEND_GAP + text_width(&name);
        if right > 0 && right + width > room {
            (row, right) = (row + 1, 0);
        }
        let left = MARGIN + right;
        right += width + 2 * LEGEND_GAP;
        entries.push(LegendEntry { name, row, left });
    }
    entries
}

fn draw_header(panel: &Panel, legend: &[LegendEntry], area: &Area) -> Drawn<()> {
    // The title's letters are a quarter wider than those `shorten` counts with.
    let title = shorten(&panel.title, (PANEL_WIDTH - 2 * MARGIN) * 4 / 5);
    area.draw(&Text::new(title, (MARGIN, MARGIN), font(TITLE_FONT)))?;
    for (entry, colour) in legend.iter().zip(colours()) {
        let (left, right) = (entry.left, entry.left + LEGEND_MARK);
        let top = MARGIN + TITLE_HEIGHT + entry.row * LEGEND_ROW_HEIGHT;
        let middle = top + LEGEND_ROW_HEIGHT / 3;
        let line = vec![(left, middle), (right, middle)];
        area.draw(&PathElement::new(line, line_style(&colour)))?;
        let text = (right + LEGEND_GAP, top);
        area.draw(&Text::new(entry.name.as_str(), text, font(TEXT_FONT)))?;
    }
    Ok(())
}

/// Draws axes, grid and lines.
fn draw_plot(panel: &Panel, area: &Area) -> Drawn<()> {
    let points = || panel.series.iter().flat_map(|s| &s.points);
    let drawn = || points().filter(|point| drawable(point));
    let whole = drawn().all(|(x, _)| x.fract() == 0.0);
    let x = Axis::new(drawn().map(|point| point.0), 8, whole);
    let y = Axis::new(drawn().map(|point| point.1), 6, false);

    let tick_width = y
        .ticks
        .iter()
        .map(|&tick| text_width(&y.format_ext(&tick)))
        .max();
    let mut chart = ChartBuilder::on(area)
        .margin_left(MARGIN)
        .margin_right(MARGIN)
        .margin_bottom(MARGIN / 2)
        .x_label_area_size(44 * PX)
        .y_label_area_size(tick_width.unwrap_or(0) + 28 * PX)
        .build_cartesian_2d(x, y)?;
    chart
        .configure_mesh()
        .x_desc(shorten(&panel.x_label, PANEL_WIDTH * 3 / 4))
        .y_desc(shorten(&panel.y_label, PLOT_HEIGHT * 4 / 5))
        .label_style(font(TEXT_FONT))
        .axis_desc_style(font(TEXT_FONT))
        .axis_style(AXIS.stroke_width(PX as u32))
        .bold_line_style(GRID.stroke_width(PX as u32))
        .set_all_tick_mark_size(5 * PX)
        .draw()?;

    for (series, colour) in panel.series.iter().zip(colours()) {
        // Each run of drawable points is a line of its own.
        for run in series.points.split(|point| !drawable(point)) {
            chart.draw_series(LineSeries::new(run.iter().copied(), line_style(&colour)))?;
            if run.len() == 1 || series.points.len() <= MARKED_POINTS {
                let mark = |&point| Circle::new(point, 7 * PX / 2, colour.filled());
                chart.draw_series(run.iter().map(mark))?;
            }
        }
    }
    Ok(())
}

/// The colours of lines, again and again.
fn colours() -> impl Iterator<Item = RGBColor> {
    COLOURS
        .into_iter()
        .map(|[r, g, b]| RGBColor(r, g, b))
        .cycle()
}

fn font(size: i32) -> TextStyle<'static> {
    ("sans-serif", size).into_font().color(&INK)
}

fn line_style(colour: &RGBColor) -> ShapeStyle {
    colour.stroke_width(2 * PX as u32)
}

/// How wide `text` is in [`TEXT_FONT`], in units. Scripts beyond Latin may have letters twice as
/// wide; it is enough that they never get too little room.
fn text_width(text: &str) -> i32 {
    let letters: usize = text.chars().map(|c| 1 + usize::from(c > '\u{24f}')).sum();
    i32::try_from(letters).map_or(i32::MAX / 2, |letters| letters.saturating_mul(LETTER))
}

/// `text` on one line of at most `room` units, with an ellipsis for what had to go.
pub(super) fn shorten(text: &str, room: i32) -> String {
    // XML forbids most control characters even in escaped form, and two more code points.
    let visible = |c: char| !c.is_control() && !matches!(c, '\u{fffe}' | '\u{ffff}');
    let mut text: String = (text.chars())
        .map(|c| if visible(c) { c } else { ' ' })
        .take(room as usize / LETTER as usize + 1)
        .collect();
    if text_width(&text) > room {
        while text_width(&text) > room - 2 * LETTER && text.pop().is_some() {}
        text.push('…');
    }
    text
}

impl Ranged for Axis {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, (start, end): (i32, i32)) -> i32 {
        start + (self.share(*value) * f64::from(end - start)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        // Plotters asks a second time for a finer grid, which would only add noise.
        if hint.weight().allow_light_points() {
            return Vec::new();
        }
        self.ticks.clone()
    }

    fn range(&self) -> Range<f64> {
        self.low..self.high
    }
}

impl ValueFormatter<f64> for Axis {
    fn format_ext(&self, &tick: &f64) -> String {
        self.name(tick)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::axis::LARGEST;

    fn series(name: &str, ys: &[f64]) -> Series {
        let epochs = (1..=ys.len()).map(|epoch| epoch as f64);
        Series {
            name: name.into(),
            points: epochs.zip(ys.iter().copied()).collect(),
        }
    }

    fn panel(series: Vec<Series>) -> Panel {
        Panel {
            title: "Loss".into(),
            x_label: "epoch".into(),
            y_label: "cross-entropy".into(),
            series,
        }
    }

    fn draw_one(series: Vec<Series>) -> String {
        curves(&[panel(series)]).unwrap()
    }

    fn count(svg: &str, what: &str) -> usize {
        svg.matches(what).count()
    }

    /// The lines of the plot; those of the legend are the first of their colour.
    fn lines(svg: &str, colour: &str) -> usize {
        let stroke = format!("stroke=\"{colour}\"");
        let drawn = |line: &&str| line.starts_with("<polyline") && line.contains(&stroke);
        svg.lines().filter(drawn).count().saturating_sub(1)
    }

    /// A panel, a curve, a label or the card is missing from the picture.
    #[test]
    fn two_panels_hold_all_their_parts() {
        let curve = |name| series(name, &[2.0, 1.0, 0.5]);
        let loss = panel(vec![curve("train"), curve("test")]);
        let accuracy = Panel {
            title: "Accuracy".into(),
            ..loss.clone()
        };
        let svg = curves(&[loss, accuracy]).unwrap();
        assert!(svg.contains("width=\"960\" height=\"348\""), "{svg}");
        assert!(svg.contains("fill=\"#ffffff\""));
        for (text, times) in [
            ("Loss", 1),
            ("Accuracy", 1),
            ("train", 2),
            ("test", 2),
            ("epoch", 2),
        ] {
            assert_eq!(count(&svg, &format!(">\n{text}\n<")), times, "{text}");
        }
        assert_eq!((lines(&svg, "#0072B2"), lines(&svg, "#D55E00")), (3, 3));
        assert_eq!(count(&svg, "<circle"), 12);
    }

    /// The picture changes from run to run or fetches something.
    #[test]
    fn the_picture_is_reproducible_and_self_contained() {
        let draw = || draw_one(vec![series("train", &[2.0, 1.0])]);
        let svg = draw();
        assert_eq!(svg, draw());
        let namespace = "xmlns=\"http://www.w3.org/2000/svg\"";
        assert_eq!(count(&svg, "http"), count(&svg, namespace));
        assert_eq!(count(&svg, "href") + count(&svg, "url("), 0);
    }

    /// After one epoch there is no line yet: without a mark the picture would be empty.
    #[test]
    fn a_single_point_is_marked_and_many_are_not() {
        assert_eq!(count(&draw_one(vec![series("a", &[1.0])]), "<circle"), 1);
        let many = vec![1.0; MARKED_POINTS + 1];
        assert_eq!(count(&draw_one(vec![series("a", &many)]), "<circle"), 0);
    }

    /// A line is drawn across the epochs in which the loss was NaN, as if it had been known.
    #[test]
    fn points_that_are_not_finite_break_the_line() {
        let mut ys = [1.0; 40];
        (ys[10], ys[12], ys[39]) = (f64::NAN, f64::INFINITY, 1e200);
        let svg = draw_one(vec![series("a", &ys)]);
        assert_eq!(count(&svg, "<circle"), 1, "the lone point between the gaps");
        let through = svg.lines().filter(|line| line.starts_with("<polyline"));
        let most = through.map(|line| count(line, ",")).max();
        assert_eq!(most, Some(26), "epochs 14 to 39 are the longest stretch");
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
    }

    /// A run without data, or with figures at the ends of the range, ends the program or hangs.
    #[test]
    fn extreme_input_is_drawn() {
        assert!(curves(&[]).unwrap().ends_with("</svg>\n"));
        assert!(curves(&[Panel::default()]).unwrap().contains("<svg"));
        draw_one(vec![series("", &[]), series("nan", &[f64::NAN; 3])]);
        let extremes = [f64::MAX, f64::MIN, LARGEST, -LARGEST, 0.0, -0.0];
        let tiny = [f64::MIN_POSITIVE, 5e-324, 1e-100, 1.0, 1.0 + f64::EPSILON];
        for a in extremes.into_iter().chain(tiny) {
            for b in extremes.into_iter().chain(tiny) {
                let points = vec![(a, b), (b, a), (a, a), (1.0, b)];
                let svg = draw_one(vec![Series {
                    name: "a".into(),
                    points,
                }]);
                assert!(svg.len() < 20_000, "{a:e}, {b:e}: {} bytes", svg.len());
            }
        }
    }

    /// A name breaks out of its element, or makes the file one that no reader takes.
    #[test]
    fn names_are_escaped() {
        let svg = draw_one(vec![series("<b>&\"\u{0}\u{fffe}\n", &[1.0])]);
        assert!(svg.contains("&lt;b&gt;&amp;&quot;   "), "{svg}");
        assert!(!svg.contains("<b>") && !svg.contains('\u{0}') && !svg.contains('\u{fffe}'));
    }

    /// Long names run over each other or out of the picture.
    #[test]
    fn long_names_are_shortened_and_legends_wrap() {
        let long = "x".repeat(10_000);
        for room in [0, LETTER, 10 * LETTER] {
            assert!(text_width(&shorten(&long, room)) <= room.max(2 * LETTER));
            assert!(text_width(&shorten("損失関数損失関数", room)) <= room.max(2 * LETTER));
        }
        assert_eq!(shorten("train", 5 * LETTER), "train");

        let many = panel(vec![
            series("some name", &[]),
            series(&long, &[]),
            series("", &[]),
        ]);
        for entry in legend_layout(&many) {
            let right = entry.left + LEGEND_MARK + LEGEND_GAP + text_width(&entry.name);
            assert!(
                right <= PANEL_WIDTH - MARGIN,
                "{} ends at {right}",
                entry.name
            );
        }
        let rows: Vec<_> = legend_layout(&many).iter().map(|e| e.row).collect();
        assert_eq!(rows, [0, 1, 2]);
    }
}
