//! Bars for named values, and for the counts of a histogram.

use super::axis::{Axis, LARGEST};
use super::frame::{BELOW, Frame, beside};
use super::legend::{Legend, Mark};
use super::look::{self, EDGE, card, colour, escape, heading, shorten, text_width};
use gradus_core::{Error, Kind, Result};
use std::fmt::Write;

/// Values of one colour, one for each name or bin.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Group {
    /// The name in the legend; may be empty if there is one group only.
    pub name: String,
    /// The lengths of its bars. What is not finite, or beyond ±1e100, has none.
    pub values: Vec<f64>,
}

/// Named values: one picture of horizontal bars.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bars {
    /// The heading; may be empty.
    pub title: String,
    /// What the bars measure, with its unit if it has one; may be empty.
    pub label: String,
    /// What the values are of, from top to bottom.
    pub names: Vec<String>,
    /// One or more values for each name.
    pub groups: Vec<Group>,
}

impl Bars {
    pub(super) fn values(&self) -> impl Iterator<Item = f64> {
        let values = self
            .groups
            .iter()
            .flat_map(|g| g.values.iter().take(self.names.len()));
        values.copied().filter(|v| v.abs() <= LARGEST)
    }
}

const WIDTH: f64 = 480.0;
const MARGIN: f64 = 16.0;
const TITLE: f64 = 26.0;
/// The widest name of a bar.
const NAME: f64 = 170.0;
/// Room behind a bar for its value.
const VALUE: f64 = 60.0;
/// The height of a histogram.
const HEIGHT: f64 = 228.0;

/// Draws the charts side by side and returns the SVG file as text. Each value is written behind its
/// bar.
///
/// ```
/// use gradus::plot::{Bars, Group, bars};
/// let svg = bars(&[Bars {
///     title: "Seconds an epoch".into(),
///     names: vec!["softmax".into(), "cnn".into()],
///     groups: vec![Group { name: "training".into(), values: vec![0.8, 14.2] }],
///     ..Bars::default()
/// }]);
/// assert!(svg.contains(">14.2<"));
/// ```
pub fn bars(charts: &[Bars]) -> String {
    let legends: Vec<_> = charts.iter().map(|chart| legend(&chart.groups)).collect();
    let top = top(&legends);
    let height = |chart: &Bars| chart.names.len() as f64 * row(chart);
    let highest = charts.iter().map(height).fold(40.0, f64::max);
    let mut svg = String::new();
    for (i, (chart, legend)) in charts.iter().zip(&legends).enumerate() {
        // Writing to a string cannot fail.
        let _ = draw(
            &mut svg,
            chart,
            legend,
            [i as f64 * WIDTH, top, height(chart)],
        );
    }
    let size = [WIDTH * charts.len().max(1) as f64, top + highest + BELOW];
    card(
        size,
        &look::together(charts.iter().map(|c| c.title.as_str()), "bars"),
        &svg,
    )
}

/// The legend, which one group without a name does not need.
fn legend(groups: &[Group]) -> Legend {
    let needed = groups.iter().any(|group| !group.name.is_empty());
    let names = groups.iter().take(if needed { usize::MAX } else { 0 });
    let names = names.map(|group| (group.name.as_str(), Mark::Block));
    Legend::new(names, WIDTH - 2.0 * MARGIN)
}

fn top(legends: &[Legend]) -> f64 {
    MARGIN + TITLE + legends.iter().map(Legend::height).fold(0.0, f64::max) + MARGIN / 2.0
}

/// What is above a frame.
fn header(svg: &mut String, title: &str, legend: &Legend, left: f64) -> std::fmt::Result {
    *svg += &heading(title, [left + MARGIN, MARGIN + 14.0], WIDTH - 2.0 * MARGIN);
    legend.draw(svg, [left + MARGIN, MARGIN + TITLE])
}

/// The height of the bars of a name.
fn row(chart: &Bars) -> f64 {
    match chart.groups.len() {
        0 | 1 => 24.0,
        n => 15.0 * n as f64 + 10.0,
    }
}

fn draw(svg: &mut String, chart: &Bars, legend: &Legend, at: [f64; 3]) -> std::fmt::Result {
    let [left, top, height] = at;
    header(svg, &chart.title, legend, left)?;
    let names: Vec<String> = chart.names.iter().map(|name| shorten(name, NAME)).collect();
    let widest = names
        .iter()
        .map(|name| text_width(name))
        .fold(0.0, f64::max);
    let beside = MARGIN + widest + 6.0;
    let frame = Frame {
        left: left + beside,
        top,
        width: WIDTH - beside - VALUE,
        height: height.max(40.0),
        x: Axis::from_zero(chart.values(), 5, false),
        y: Axis::between(0.0, 1.0, 1, false),
    };
    frame.draw_x(svg, &chart.label)?;
    let zero = frame.place(&(0.0, 0.0)).0;
    let row = row(chart);
    let thick = (row - 8.0) / chart.groups.len().max(1) as f64;
    for (i, name) in names.iter().enumerate() {
        let middle = top + (i as f64 + 0.5) * row;
        writeln!(
            svg,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            frame.left - 6.0,
            middle + 4.0,
            escape(name)
        )?;
        for (j, group) in chart.groups.iter().enumerate() {
            let Some(&value) = group.values.get(i).filter(|v| v.abs() <= LARGEST) else {
                continue;
            };
            let end = frame.place(&(value, 0.0)).0;
            let upper = middle - row / 2.0 + 4.0 + j as f64 * thick;
            writeln!(
                svg,
                "<rect x=\"{:.1}\" y=\"{upper:.1}\" width=\"{:.1}\" height=\"{:.1}\" fill=\"{}\"/>\n\
                 <text x=\"{:.1}\" y=\"{:.1}\">{}</text>",
                zero.min(end),
                (end - zero).abs(),
                thick - 1.0,
                colour(j),
                zero.max(end) + 4.0,
                upper + thick / 2.0 + 4.0,
                look::number(value)
            )?;
        }
    }
    let bottom = frame.bottom();
    writeln!(
        svg,
        "<path d=\"M{zero:.1} {top:.1}V{bottom:.1}\" stroke=\"{EDGE}\"/>"
    )
}

/// How often values fall into bins: one picture of bars that stand side by side.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Histogram {
    /// The heading; may be empty.
    pub title: String,
    /// What is counted, with its unit if it has one; may be empty.
    pub label: String,
    /// Where bins begin and end: one more than there are bins, rising.
    pub edges: Vec<f64>,
    /// Counts for each bin; several groups are drawn over each other.
    pub groups: Vec<Group>,
}

/// More bins than this are of no use in a picture.
const MOST_BINS: usize = 1000;

impl Histogram {
    /// Counts named lists of values in common bins of equal widths, from the least to the greatest
    /// value, as `numpy.histogram` does: a bin holds its lower edge, the last one both. Without
    /// `bins` they are as many as NumPy's rule `"auto"` says, the larger number of Sturges'
    /// and Freedman and Diaconis' rules, 1,000 at most. Values that are not finite, or beyond
    /// ±1e100, are left out.
    ///
    /// # Errors
    /// [`Kind::Value`] for 0 bins, or more than 1,000.
    ///
    /// ```
    /// use gradus::plot::Histogram;
    /// let counted = Histogram::new(&[("", &[1.0, 2.0, 2.5, 3.0])], Some(2))?;
    /// assert_eq!(counted.edges, [1.0, 2.0, 3.0]);
    /// assert_eq!(counted.groups[0].values, [1.0, 3.0]);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn new(lists: &[(&str, &[f64])], bins: Option<usize>) -> Result<Self> {
        if bins.is_some_and(|bins| !(1..=MOST_BINS).contains(&bins)) {
            let message = format!("histogram: expected 1 to {MOST_BINS} bins");
            return Err(Error::new(Kind::Value, message));
        }
        let finite = |list: &[f64]| -> Vec<f64> {
            let values = list.iter().copied();
            values.filter(|v| v.abs() <= LARGEST).collect()
        };
        let mut all: Vec<f64> = lists.iter().flat_map(|(_, list)| finite(list)).collect();
        all.sort_unstable_by(f64::total_cmp);
        let (low, high) = all
            .first()
            .zip(all.last())
            .map_or((0.0, 1.0), |(a, b)| (*a, *b));
        let (low, high) = if low < high {
            (low, high)
        } else {
            (low - 0.5, low + 0.5)
        };
        let bins = bins.unwrap_or_else(|| auto(&all));
        let width = (high - low) / bins as f64;
        let mut edges: Vec<f64> = (0..bins).map(|i| low + i as f64 * width).collect();
        edges.push(high);
        let count = |(name, list): &(&str, &[f64])| {
            let mut values = vec![0.0; bins];
            for value in finite(list) {
                // The last edge belongs to the last bin.
                let bin = edges.partition_point(|edge| *edge <= value);
                values[bin.clamp(1, bins) - 1] += 1.0;
            }
            Group {
                name: name.to_string(),
                values,
            }
        };
        let groups = lists.iter().map(count).collect();
        Ok(Self {
            groups,
            edges,
            ..Self::default()
        })
    }
}

/// NumPy's number of bins for sorted values.
fn auto(sorted: &[f64]) -> usize {
    let (Some(low), Some(high)) = (sorted.first(), sorted.last()) else {
        return 1;
    };
    let n = sorted.len() as f64;
    let quantile = |q: f64| {
        let at = q * (n - 1.0);
        let (below, above) = (sorted[at as usize], sorted[at.ceil() as usize]);
        below + (above - below) * at.fract()
    };
    let sturges = (high - low) / (n.log2() + 1.0);
    let diaconis = 2.0 * (quantile(0.75) - quantile(0.25)) / n.cbrt();
    let width = if diaconis > 0.0 {
        sturges.min(diaconis)
    } else {
        sturges
    };
    let bins = ((high - low) / width).ceil();
    if bins.is_finite() {
        (bins as usize).clamp(1, MOST_BINS)
    } else {
        1
    }
}

/// Draws the histograms side by side and returns the SVG file as text.
///
/// ```
/// use gradus::plot::{Histogram, histogram};
/// let lengths = Histogram::new(&[("", &[1.0, 2.0, 2.5, 3.0])], None)?;
/// assert!(histogram(&[Histogram { label: "cm".into(), ..lengths }]).starts_with("<svg"));
/// # Ok::<(), gradus::Error>(())
/// ```
pub fn histogram(charts: &[Histogram]) -> String {
    let legends: Vec<_> = charts.iter().map(|chart| legend(&chart.groups)).collect();
    let top = top(&legends);
    let mut svg = String::new();
    for (i, (chart, legend)) in charts.iter().zip(&legends).enumerate() {
        // Writing to a string cannot fail.
        let _ = draw_histogram(&mut svg, chart, legend, [i as f64 * WIDTH, top]);
    }
    let size = [WIDTH * charts.len().max(1) as f64, top + HEIGHT + BELOW];
    card(
        size,
        &look::together(charts.iter().map(|c| c.title.as_str()), "histogram"),
        &svg,
    )
}

fn draw_histogram(
    svg: &mut String,
    chart: &Histogram,
    legend: &Legend,
    [left, top]: [f64; 2],
) -> std::fmt::Result {
    header(svg, &chart.title, legend, left)?;
    let edges = chart.edges.iter().copied().filter(|e| e.abs() <= LARGEST);
    let counts = chart.groups.iter().flat_map(|g| &g.values).copied();
    let y = Axis::from_zero(counts.filter(|v| v.abs() <= LARGEST), 5, true);
    let beside = beside(&y);
    let frame = Frame {
        left: left + beside,
        top,
        width: WIDTH - beside - MARGIN,
        height: HEIGHT,
        x: Axis::new(edges, 7, false),
        y,
    };
    frame.draw_x(svg, &chart.label)?;
    frame.draw_y(svg, "count")?;
    for (i, group) in chart.groups.iter().enumerate() {
        writeln!(
            svg,
            "<g fill=\"{}\" fill-opacity=\"{}\" stroke=\"#ffffff\" stroke-width=\"0.5\">",
            colour(i),
            if chart.groups.len() > 1 { 0.6 } else { 1.0 }
        )?;
        for (edges, &count) in chart.edges.windows(2).zip(&group.values) {
            if !(edges[0].abs() <= LARGEST && edges[1].abs() <= LARGEST && count.abs() <= LARGEST) {
                continue;
            }
            let (x, y) = frame.place(&(edges[0], count));
            let (right, bottom) = frame.place(&(edges[1], 0.0));
            writeln!(
                svg,
                "<rect x=\"{x:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\"/>",
                y.min(bottom),
                (right - x).max(0.0),
                (bottom - y).abs()
            )?;
        }
        writeln!(svg, "</g>")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(values: &[f64]) -> Bars {
        Bars {
            title: "a<b".into(),
            label: "s".into(),
            names: (0..values.len()).map(|i| format!("name & {i}")).collect(),
            groups: vec![Group {
                name: String::new(),
                values: values.to_vec(),
            }],
        }
    }

    /// The left edges and widths of the bars of a colour.
    fn rects(svg: &str, colour: &str) -> Vec<(f64, f64)> {
        let lines = svg
            .lines()
            .filter(|l| l.starts_with("<rect x") && l.contains(colour));
        let number = |line: &str, name: &str| {
            let value = line.split(&format!(" {name}=\"")).nth(1).unwrap();
            value.split('"').next().unwrap().parse().unwrap()
        };
        lines
            .map(|line| (number(line, "x"), number(line, "width")))
            .collect()
    }

    /// Bars whose lengths say something else than their values.
    #[test]
    fn lengths_are_values_from_zero() {
        let svg = bars(&[chart(&[2.0, 4.0, -1.0, 0.0])]);
        let bars = rects(&svg, "#0072b2");
        assert_eq!(bars.len(), 4);
        assert!((bars[1].1 - 2.0 * bars[0].1).abs() < 0.2, "{bars:?}");
        assert!(
            (bars[2].1 - 0.5 * bars[0].1).abs() < 0.2 && bars[3].1 == 0.0,
            "{bars:?}"
        );
        assert!(
            (bars[2].0 + bars[2].1 - bars[0].0).abs() < 0.2,
            "it ends at zero: {bars:?}"
        );
        assert!(svg.contains(">-1<") && svg.contains("name &amp; 2") && svg.contains("a&lt;b"));
    }

    /// Groups without a legend, or a value that stands for another one's name.
    #[test]
    fn groups_have_colours_and_may_be_short() {
        let mut chart = chart(&[1.0, 2.0, 3.0]);
        chart.groups[0].name = "torch".into();
        chart.groups.push(Group {
            name: "gradus".into(),
            values: vec![0.5],
        });
        let svg = bars(&[chart]);
        assert_eq!(rects(&svg, "#0072b2").len(), 3 + 1);
        assert_eq!(rects(&svg, "#d55e00").len(), 1 + 1);
        assert!(svg.contains(">gradus<") && svg.contains("<title>a&lt;b</title>"));
    }

    #[test]
    fn odd_values_have_no_bar() {
        for odd in [f64::NAN, f64::INFINITY, f64::MAX, 5e-324, 1e99, -1e99, 0.0] {
            let svg = bars(&[chart(&[odd, 1.0]), Bars::default()]);
            assert!(!svg.contains("NaN") && !svg.contains("inf"), "{odd}: {svg}");
            let counted = Histogram::new(&[("a", &[odd, 1.0]), ("b", &[odd])], None).unwrap();
            let svg = histogram(&[counted, Histogram::default()]);
            assert!(!svg.contains("NaN") && !svg.contains("inf"), "{odd}: {svg}");
        }
        assert!(bars(&[]).ends_with("</svg>\n") && histogram(&[]).ends_with("</svg>\n"));
    }

    /// Figures of numpy.histogram: a value on an edge counts in the bin that begins there.
    #[test]
    fn counts_are_those_of_numpy() {
        let values = [0.0, 0.25, 0.5, 0.75, 1.0, f64::NAN];
        let counted = Histogram::new(&[("", &values)], Some(4)).unwrap();
        assert_eq!(counted.groups[0].values, [1.0, 1.0, 1.0, 2.0]);
        // (i * i) % 17 for 40 numbers; numpy.histogram_bin_edges(..., "auto") has 7 bins.
        let squares: Vec<f64> = (0..40).map(|i| f64::from(i * i % 17)).collect();
        let counted = Histogram::new(&[("", &squares)], None).unwrap();
        assert_eq!(counted.edges.len() - 1, 7);
        assert_eq!(counted.groups[0].values.iter().sum::<f64>(), 40.0);
        let one = Histogram::new(&[("", &[7.0, 7.0])], Some(2)).unwrap();
        assert_eq!(
            (one.edges, one.groups[0].values.clone()),
            (vec![6.5, 7.0, 7.5], vec![0.0, 2.0])
        );
        assert!(Histogram::new(&[], Some(0)).is_err());
    }
}
