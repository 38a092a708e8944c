//! Points in a plane, coloured by cluster.

use std::fmt::Write;

/// One picture of points; several stand side by side.
///
/// ```
/// use gradus::plot::{Cloud, scatter};
/// let cloud = Cloud {
///     title: "k = 2".into(),
///     points: vec![(0.0, 0.0), (1.0, 0.5), (9.0, 8.0)],
///     labels: vec![0, 0, 1],
///     centers: vec![(0.5, 0.25), (9.0, 8.0)],
///     ..Cloud::default()
/// };
/// assert!(scatter(&[cloud]).starts_with("<svg"));
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cloud {
    /// The heading; may be empty.
    pub title: String,
    /// What runs to the right, and what upwards; may be empty.
    pub axes: [String; 2],
    /// The points. Those that are not finite are left out.
    pub points: Vec<(f64, f64)>,
    /// The cluster of each, which gives the colour; negative is noise, in grey.
    pub labels: Vec<i64>,
    /// Points to be marked by a cross.
    pub centers: Vec<(f64, f64)>,
}

const SIDE: f64 = 420.0;
const LEFT: f64 = 56.0;
const TOP: f64 = 40.0;
const RIGHT: f64 = 14.0;
const BOTTOM: f64 = 48.0;
/// More points than this would make a file that nobody can open; the others are passed over evenly.
const MOST: usize = 6000;
/// Okabe and Ito's colours, and some more for many clusters.
const COLOURS: [&str; 12] = [
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7a5195", "#8c6d31",
    "#3b7d23", "#b22222", "#4d4d4d", "#1b9e9e",
];

/// Draws the clouds side by side and returns the SVG file as text. From the thirteenth cluster on the
/// colours repeat; of more than 6,000 points a part is drawn.
///
/// ```
/// use gradus::plot::{Cloud, scatter};
/// assert!(scatter(&[Cloud::default()]).ends_with("</svg>\n"));
/// ```
pub fn scatter(clouds: &[Cloud]) -> String {
    let width = LEFT + SIDE + RIGHT;
    let (total, height) = (width * clouds.len().max(1) as f64, TOP + SIDE + BOTTOM);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" width=\"{total}\" height=\"{height}\" \
         viewBox=\"0 0 {total} {height}\" font-family=\"sans-serif\" font-size=\"12\" fill=\"#333333\">\n\
         <rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"#ffffff\"/>\n"
    );
    for (i, cloud) in clouds.iter().enumerate() {
        // Writing to a string cannot fail.
        let _ = draw(&mut svg, cloud, i as f64 * width);
    }
    svg.push_str("</svg>\n");
    svg
}

fn draw(svg: &mut String, cloud: &Cloud, left: f64) -> std::fmt::Result {
    let finite = |p: &&(f64, f64)| p.0.is_finite() && p.1.is_finite();
    let all = || cloud.points.iter().chain(&cloud.centers).filter(finite);
    let x = Scale::new(all().map(|p| p.0), left + LEFT, left + LEFT + SIDE);
    let y = Scale::new(all().map(|p| p.1), TOP + SIDE, TOP);
    let (right, bottom) = (left + LEFT + SIDE, TOP + SIDE);
    let middle = left + LEFT + SIDE / 2.0;
    writeln!(
        svg,
        "<text x=\"{middle}\" y=\"24\" text-anchor=\"middle\" font-size=\"15\">{}</text>",
        escape(&cloud.title)
    )?;
    for tick in x.ticks() {
        let at = x.place(tick);
        writeln!(
            svg,
            "<path d=\"M{at:.1} {TOP}V{bottom}\" stroke=\"#e4e4e4\"/>"
        )?;
        let below = bottom + 16.0;
        writeln!(
            svg,
            "<text x=\"{at:.1}\" y=\"{below}\" text-anchor=\"middle\">{}</text>",
            x.name(tick)
        )?;
    }
    for tick in y.ticks() {
        let at = y.place(tick);
        let (from, beside) = (left + LEFT, left + LEFT - 6.0);
        writeln!(
            svg,
            "<path d=\"M{from} {at:.1}H{right}\" stroke=\"#e4e4e4\"/>"
        )?;
        let text = at + 4.0;
        writeln!(
            svg,
            "<text x=\"{beside}\" y=\"{text:.1}\" text-anchor=\"end\">{}</text>",
            y.name(tick)
        )?;
    }
    let (low, across, up) = (bottom + 36.0, left + 14.0, TOP + SIDE / 2.0);
    writeln!(
        svg,
        "<text x=\"{middle}\" y=\"{low}\" text-anchor=\"middle\">{}</text>\n\
         <text transform=\"translate({across} {up}) rotate(-90)\" text-anchor=\"middle\">{}</text>",
        escape(&cloud.axes[0]),
        escape(&cloud.axes[1])
    )?;
    let step = cloud.points.len().div_ceil(MOST).max(1);
    let radius = if cloud.points.len() > 1000 { 1.8 } else { 3.0 };
    // Cluster by cluster, so that the colour is written once.
    let shown: Vec<_> = (cloud.points.iter().zip(&cloud.labels).step_by(step))
        .filter(|(p, _)| finite(p))
        .collect();
    let mut labels: Vec<i64> = shown.iter().map(|(_, l)| **l).collect();
    labels.sort_unstable();
    labels.dedup();
    for label in labels {
        let colour = usize::try_from(label).map_or("#bbbbbb", |l| COLOURS[l % COLOURS.len()]);
        writeln!(svg, "<g fill=\"{colour}\" fill-opacity=\"0.75\">")?;
        for (p, _) in shown.iter().filter(|(_, l)| **l == label) {
            let (cx, cy) = (x.place(p.0), y.place(p.1));
            writeln!(
                svg,
                "<circle cx=\"{cx:.1}\" cy=\"{cy:.1}\" r=\"{radius}\"/>"
            )?;
        }
        writeln!(svg, "</g>")?;
    }
    for p in cloud.centers.iter().filter(finite) {
        let (cx, cy) = (x.place(p.0), y.place(p.1));
        for (width, colour) in [(6, "#ffffff"), (3, "#000000")] {
            writeln!(
                svg,
                "<path d=\"M{:.1} {:.1}l12 12m0 -12l-12 12\" stroke=\"{colour}\" stroke-width=\"{width}\"/>",
                cx - 6.0,
                cy - 6.0
            )?;
        }
    }
    Ok(())
}

/// From numbers to places.
struct Scale {
    low: f64,
    high: f64,
    from: f64,
    to: f64,
    step: f64,
}

impl Scale {
    fn new(values: impl Iterator<Item = f64>, from: f64, to: f64) -> Self {
        let range = values.fold(None, |range: Option<(f64, f64)>, v| {
            Some(range.map_or((v, v), |(low, high)| (low.min(v), high.max(v))))
        });
        let (low, high) = range.unwrap_or((0.0, 1.0));
        let largest = low.abs().max(high.abs());
        let span = high / 2.0 - low / 2.0;
        let margin = if span > 1e-9 * largest {
            0.08 * span
        } else {
            (0.1 * largest).max(0.5)
        };
        let (low, high) = (low - margin, high + margin);
        let rough = (high / 6.0 - low / 6.0).max(f64::MIN_POSITIVE);
        let power = 10f64.powf(rough.log10().floor());
        let nice = [1.0, 2.0, 5.0, 10.0]
            .into_iter()
            .map(|f| f * power)
            .find(|&s| s >= rough);
        Self {
            low,
            high,
            from,
            to,
            step: nice.unwrap_or(rough),
        }
    }

    fn place(&self, value: f64) -> f64 {
        let share = (value / 2.0 - self.low / 2.0) / (self.high / 2.0 - self.low / 2.0);
        self.from + share * (self.to - self.from)
    }

    fn ticks(&self) -> Vec<f64> {
        let (first, last) = (
            (self.low / self.step).ceil(),
            (self.high / self.step).floor(),
        );
        (0..20)
            .map(|i| first + f64::from(i))
            .take_while(|k| *k <= last)
            .map(|k| k * self.step)
            .collect()
    }

    fn name(&self, tick: f64) -> String {
        if self.low.abs().max(self.high.abs()) < 1e5 && self.step > 1e-4 {
            let digits = (-(self.step.log10() + 1e-9).floor()).max(0.0) as usize;
            // Not −0.
            format!("{:.digits$}", tick + 0.0)
        } else {
            format!("{tick:.1e}")
        }
    }
}

/// Text that XML can hold.
fn escape(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file that no viewer opens because a number or a name broke it.
    #[test]
    fn odd_points_and_names_draw_something() {
        let odd = [
            f64::NAN,
            f64::INFINITY,
            0.0,
            f64::MAX,
            f64::MIN,
            5e-324,
            1e300,
        ];
        for a in odd {
            for b in odd {
                let svg = scatter(&[Cloud {
                    title: "a<b & \u{1}".into(),
                    points: vec![(a, b), (b, a)],
                    labels: vec![0, -1],
                    centers: vec![(b, b)],
                    ..Cloud::default()
                }]);
                assert!(svg.contains("a&lt;b &amp;"));
                assert!(
                    !svg.contains("NaN") && !svg.contains("inf"),
                    "{a} {b}: {svg}"
                );
            }
        }
    }

    #[test]
    fn each_point_has_the_colour_of_its_cluster() {
        let svg = scatter(&[Cloud {
            points: vec![(0.0, 0.0), (1.0, 1.0), (2.0, 2.0)],
            labels: vec![1, -1, 1],
            centers: vec![(1.0, 1.0)],
            ..Cloud::default()
        }]);
        assert_eq!(svg.matches("<circle").count(), 3);
        assert_eq!(svg.matches("<g fill=").count(), 2);
        assert!(svg.contains("#bbbbbb") && svg.contains("#d55e00"));
    }
}
