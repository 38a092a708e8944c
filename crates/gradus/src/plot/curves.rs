//! Lines over epochs, steps or any x: what [`curves`] draws.

use super::axis::{Axis, has_place};
use super::frame::{BELOW, Frame, beside};
use super::legend::{Legend, Mark};
use super::look::{self, card, colour, heading};
use std::fmt::Write;

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
    /// Points that no line joins, such as the samples that a line was fitted to; in the legend
    /// behind the lines.
    pub dots: Vec<Series>,
    /// Whether x, and whether y, is logarithmic: equal steps are equal factors. What is not
    /// positive has no place there.
    pub log: [bool; 2],
}

impl Panel {
    /// Every series, the lines first.
    pub(super) fn all(&self) -> impl Iterator<Item = &Series> + Clone {
        self.series.iter().chain(&self.dots)
    }

    pub(super) fn has_place(&self, point: &(f64, f64)) -> bool {
        has_place(point, self.log)
    }

    /// The axes that hold all points, with about so many marks.
    pub(super) fn axes(&self, marks: [usize; 2]) -> [Axis; 2] {
        let points = self.all().flat_map(|s| &s.points);
        let points = points.filter(|point| self.has_place(point));
        let (x, y) = (points.clone().map(|p| p.0), points.map(|p| p.1));
        let whole = x.clone().all(|x| x.fract() == 0.0);
        [
            match self.log[0] {
                true => Axis::log(x, marks[0]),
                false => Axis::new(x, marks[0], whole),
            },
            match self.log[1] {
                true => Axis::log(y, marks[1]),
                false => Axis::new(y, marks[1], false),
            },
        ]
    }
}

const WIDTH: f64 = 480.0;
const MARGIN: f64 = 16.0;
const TITLE: f64 = 26.0;
/// The frame of the coordinate system, without numbers and names.
const HEIGHT: f64 = 228.0;

/// Up to this many points a line marks each of them; beyond it the marks would hide the line.
const MARKED_POINTS: usize = 30;
/// Of more dots than this a part is drawn.
const MOST_DOTS: usize = 6000;
/// Lines with more points than this are thinned where nobody can see it.
const FINE: usize = 2000;

/// Draws the panels side by side and returns the SVG file as text.
///
/// A panel is 480 pixels wide and, with a legend of one row, about 350 high; further rows add to
/// that.
///
/// Points with a coordinate that is not finite, or beyond ±1e100, are left out and interrupt their
/// line: a diverged run shows where it broke off. A series may be empty, and so may a panel. Where
/// every x is a whole number, as epochs are, so are the marks on the axis. Names may hold any
/// characters; those too long for the picture are shortened.
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
///     ..Panel::default()
/// }]);
/// assert!(svg.starts_with("<svg"));
/// ```
pub fn curves(panels: &[Panel]) -> String {
    // The deepest legend sets the height of all headers, so that the frames stand in line.
    let legends: Vec<_> = panels.iter().map(legend).collect();
    let deepest = legends.iter().map(Legend::height).fold(0.0, f64::max);
    let top = MARGIN + TITLE + deepest + MARGIN / 2.0;
    let mut svg = String::new();
    for (i, (panel, legend)) in panels.iter().zip(&legends).enumerate() {
        // Writing to a string cannot fail.
        let _ = draw(&mut svg, panel, legend, [i as f64 * WIDTH, top]);
    }
    let size = [WIDTH * panels.len().max(1) as f64, top + HEIGHT + BELOW];
    let title = look::together(panels.iter().map(|panel| panel.title.as_str()), "curves");
    card(size, &title, &svg)
}

fn legend(panel: &Panel) -> Legend {
    let lines = panel.series.iter().map(|s| (s.name.as_str(), Mark::Line));
    let dots = panel.dots.iter().map(|s| (s.name.as_str(), Mark::Dot));
    Legend::new(lines.chain(dots), WIDTH - 2.0 * MARGIN)
}

fn draw(svg: &mut String, panel: &Panel, legend: &Legend, at: [f64; 2]) -> std::fmt::Result {
    let [left, top] = at;
    *svg += &heading(
        &panel.title,
        [left + MARGIN, MARGIN + 14.0],
        WIDTH - 2.0 * MARGIN,
    );
    legend.draw(svg, [left + MARGIN, MARGIN + TITLE])?;
    let [x, y] = panel.axes([8, 6]);
    let beside = beside(&y);
    let frame = Frame {
        left: left + beside,
        top,
        width: WIDTH - beside - MARGIN,
        height: HEIGHT,
        x,
        y,
    };
    frame.draw_x(svg, &panel.x_label)?;
    frame.draw_y(svg, &panel.y_label)?;
    let place = |point: &(f64, f64)| frame.place(point);

    for (i, dots) in panel.dots.iter().enumerate() {
        let colour = colour(panel.series.len() + i);
        writeln!(svg, "<g fill=\"{colour}\" fill-opacity=\"0.75\">")?;
        let drawn = dots.points.iter().filter(|point| panel.has_place(point));
        let step = dots.points.len().div_ceil(MOST_DOTS).max(1);
        for (x, y) in drawn.step_by(step).map(place) {
            writeln!(svg, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\"/>")?;
        }
        writeln!(svg, "</g>")?;
    }
    for (i, series) in panel.series.iter().enumerate() {
        let colour = colour(i);
        // Each run of points that have a place is a line of its own.
        for run in series.points.split(|point| !panel.has_place(point)) {
            let run: Vec<_> = run.iter().map(place).collect();
            if run.len() > 1 {
                polyline(svg, &run, &colour)?;
            }
            if run.len() == 1 || series.points.len() <= MARKED_POINTS {
                for (x, y) in &run {
                    writeln!(
                        svg,
                        "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3.5\" fill=\"{colour}\"/>"
                    )?;
                }
            }
        }
    }
    Ok(())
}

fn polyline(svg: &mut String, run: &[(f64, f64)], colour: &str) -> std::fmt::Result {
    *svg += "<polyline points=\"";
    let mut point = |(x, y): &(f64, f64)| write!(svg, "{x:.1},{y:.1} ");
    if run.len() <= FINE {
        run.iter().try_for_each(point)?;
    } else {
        // Of those above each other in half a pixel the ends, the lowest and the highest.
        for column in run.chunk_by(|a, b| (2.0 * a.0) as i64 == (2.0 * b.0) as i64) {
            let mut kept = [0; 4];
            kept[3] = column.len() - 1;
            for (i, (_, y)) in column.iter().enumerate() {
                kept[1] = if *y < column[kept[1]].1 { i } else { kept[1] };
                kept[2] = if *y > column[kept[2]].1 { i } else { kept[2] };
            }
            kept.sort_unstable();
            let mut last = None;
            for i in kept {
                if last.replace(i) != Some(i) {
                    point(&column[i])?;
                }
            }
        }
    }
    writeln!(
        svg,
        "\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\" stroke-linejoin=\"round\"/>"
    )
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
            ..Panel::default()
        }
    }

    fn draw_one(series: Vec<Series>) -> String {
        curves(&[panel(series)])
    }

    fn count(svg: &str, what: &str) -> usize {
        svg.matches(what).count()
    }

    /// The lines of the plot.
    fn lines(svg: &str, colour: &str) -> usize {
        let stroke = format!("stroke=\"{colour}\"");
        let drawn = |line: &&str| line.starts_with("<polyline") && line.contains(&stroke);
        svg.lines().filter(drawn).count()
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
        let svg = curves(&[loss, accuracy]);
        assert!(svg.contains("width=\"960\" height=\"344\""), "{svg}");
        assert!(svg.contains("<title>Loss, Accuracy</title>"), "{svg}");
        assert!(svg.contains("fill=\"#ffffff\""));
        for (text, times) in [
            ("Loss", 1),
            ("Accuracy", 1),
            ("train", 2),
            ("test", 2),
            ("epoch", 2),
        ] {
            assert_eq!(count(&svg, &format!(">{text}<")), times, "{text}");
        }
        assert_eq!((lines(&svg, "#0072b2"), lines(&svg, "#d55e00")), (2, 2));
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
        assert!(curves(&[]).ends_with("</svg>\n"));
        assert!(curves(&[Panel::default()]).contains("<svg"));
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

    /// Samples joined by a line that means nothing, or without the colour of their legend.
    #[test]
    fn dots_are_not_joined_and_have_colours_of_their_own() {
        let svg = curves(&[Panel {
            series: vec![series("fit", &[1.0; 40])],
            dots: vec![series("samples", &[2.0, f64::NAN, 1.0])],
            ..Panel::default()
        }]);
        assert_eq!(lines(&svg, "#0072b2"), 1);
        assert_eq!(count(&svg, "<circle"), 2 + 1);
        assert_eq!(count(&svg, "fill=\"#d55e00\""), 2);
    }

    /// Logarithms of what has none.
    #[test]
    fn what_is_not_positive_has_no_place_on_a_logarithmic_axis() {
        let draw = |log| {
            curves(&[Panel {
                series: vec![series("a", &[10.0, 0.0, -1.0, 1e-3, 1e-300])],
                log,
                ..Panel::default()
            }])
        };
        let svg = draw([true, true]);
        assert!(
            svg.contains(">0.1<") && !svg.contains("NaN") && !svg.contains("inf"),
            "{svg}"
        );
        assert_eq!(count(&svg, "<circle"), 2);
        assert_eq!(count(&draw([true, false]), "<circle"), 5);
    }

    /// Peaks that are lost, or files that nobody can open.
    #[test]
    fn long_lines_keep_their_shape() {
        let mut ys = vec![1.0; 1_000_000];
        (ys[500_001], ys[700_003]) = (9.0, -9.0);
        let svg = draw_one(vec![series("a", &ys)]);
        assert!(svg.len() < 50_000, "{}", svg.len());
        let line = svg
            .lines()
            .find(|line| line.starts_with("<polyline"))
            .unwrap();
        let ys: Vec<&str> = line.split([',', ' ']).skip(2).step_by(2).collect();
        let ys: std::collections::HashSet<_> = ys.into_iter().collect();
        // The highest, the lowest and the others.
        assert!(ys.len() >= 3, "{ys:?}");
    }
}
