//! Points in a plane, coloured by cluster.

use super::axis::{Axis, drawable};
use super::frame::{BELOW, Frame};
use super::image;
use super::look::{self, card, escape, heading, shorten};
use super::regions::Regions;
use std::collections::BTreeMap;
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
    /// The points. Those that are not finite, or beyond ±1e100, are left out.
    pub points: Vec<(f64, f64)>,
    /// The cluster of each, which gives the colour; negative is noise, in grey.
    pub labels: Vec<i64>,
    /// Points to be marked by a cross.
    pub centers: Vec<(f64, f64)>,
    /// What the clusters are called in the legend, such as the names of classes; those without a
    /// name by their numbers.
    pub names: Vec<String>,
    /// The background: what a model takes each place for, in light tints of the colours of the
    /// points.
    pub regions: Option<Regions>,
}

impl Cloud {
    /// What is drawn: the points with their labels, noise being −1.
    pub(super) fn labelled(&self) -> impl Iterator<Item = (&(f64, f64), i64)> + Clone {
        let pairs = self.points.iter().zip(&self.labels);
        pairs
            .filter(|(p, _)| drawable(p))
            .map(|(p, &label)| (p, label.max(-1)))
    }

    /// The axes that hold all points and centres, with about so many marks.
    pub(super) fn axes(&self, marks: [usize; 2]) -> [Axis; 2] {
        if let Some(axes) = self
            .regions
            .as_ref()
            .and_then(|regions| regions.axes(marks))
        {
            return axes;
        }
        let all = || (self.points.iter().chain(&self.centers)).filter(|p| drawable(p));
        [
            Axis::new(all().map(|p| p.0), marks[0], false),
            Axis::new(all().map(|p| p.1), marks[1], false),
        ]
    }

    /// The legend: clusters with their numbers of points, noise last. If they are more than
    /// `most`, the first of them, and in the end how many are left out.
    pub(super) fn legend(&self, most: usize) -> (Vec<(i64, String)>, Option<String>) {
        let mut sizes = BTreeMap::new();
        for &label in &self.labels {
            *sizes.entry(label.max(-1)).or_insert(0usize) += 1;
        }
        let noise = sizes.remove(&-1);
        let left = sizes.len().saturating_sub(most);
        let mut entries: Vec<_> = (sizes.iter().take(most))
            .map(|(&label, size)| {
                let name = usize::try_from(label)
                    .ok()
                    .and_then(|label| self.names.get(label));
                match name {
                    Some(name) => (label, format!("{name}: {size}")),
                    None => (label, format!("cluster {label}: {size}")),
                }
            })
            .collect();
        entries.extend(noise.map(|size| (-1, format!("noise: {size}"))));
        (
            entries,
            (left > 0).then(|| format!("and {left} more clusters")),
        )
    }
}

/// The colours that clusters have in turn. Black is for centres.
pub(super) const COLOURS: &[[u8; 3]] = look::COLOURS.split_at(6).0;
const NOISE: &str = "#b0b0b0";

const SIDE: f64 = 420.0;
const LEFT: f64 = 64.0;
const TOP: f64 = 40.0;
const LEGEND: f64 = 180.0;
/// Lines of a legend, and their height.
const LINES: usize = 20;
const LINE: f64 = 19.0;
/// More points than this would make a file that nobody can open; the others are passed over evenly.
const MOST: usize = 6000;

/// Draws the clouds side by side and returns the SVG file as text. Six clusters have a colour each; the
/// next ones have them again with squares, triangles and diamonds instead of dots, and from the
/// twenty-fifth on the marks repeat. Of more than 6,000 points a part is drawn; the numbers in the legend are
/// those of all.
///
/// ```
/// use gradus::plot::{Cloud, scatter};
/// assert!(scatter(&[Cloud::default()]).ends_with("</svg>\n"));
/// ```
pub fn scatter(clouds: &[Cloud]) -> String {
    let width = LEFT + SIDE + LEGEND;
    let mut svg = String::new();
    for (i, cloud) in clouds.iter().enumerate() {
        // Writing to a string cannot fail.
        let _ = draw(&mut svg, cloud, i as f64 * width + LEFT);
    }
    let size = [width * clouds.len().max(1) as f64, TOP + SIDE + BELOW];
    let title = look::together(clouds.iter().map(|cloud| cloud.title.as_str()), "points");
    card(size, &title, &svg)
}

fn draw(svg: &mut String, cloud: &Cloud, left: f64) -> std::fmt::Result {
    let [x, y] = cloud.axes([6, 6]);
    let frame = Frame {
        left,
        top: TOP,
        width: SIDE,
        height: SIDE,
        x,
        y,
    };
    let right = frame.right();
    *svg += &heading(&cloud.title, [left, 26.0], SIDE + LEGEND);
    let background = cloud
        .regions
        .as_ref()
        .and_then(|regions| regions.picture(COLOURS));
    if let Some(picture) = background {
        // What has as many bytes as its sizes say can be drawn.
        *svg += &image::element(&picture, [left, TOP, SIDE, SIDE]).unwrap_or_default();
    }
    frame.draw_x(svg, &cloud.axes[0])?;
    frame.draw_y(svg, &cloud.axes[1])?;
    let place = |p: &(f64, f64)| frame.place(p);

    let radius = if cloud.points.len() > 1000 { 2.0 } else { 3.0 };
    let step = cloud.points.len().div_ceil(MOST).max(1);
    // Cluster by cluster, so that the colour is written once; noise, the first, lies below.
    let mut groups: BTreeMap<i64, Vec<_>> = BTreeMap::new();
    for (p, label) in cloud.labelled().step_by(step) {
        groups.entry(label).or_default().push(place(p));
    }
    for (label, places) in groups {
        // On a background of its own colour a point needs an edge.
        let edge = cloud
            .regions
            .as_ref()
            .map_or("", |_| " stroke=\"#ffffff\" stroke-width=\"0.8\"");
        writeln!(
            svg,
            "<g fill=\"{}\" fill-opacity=\"0.75\"{edge}>",
            colour(label)
        )?;
        for at in places {
            writeln!(svg, "{}", mark(label, at, radius))?;
        }
        writeln!(svg, "</g>")?;
    }
    for p in cloud.centers.iter().filter(|p| drawable(p)) {
        cross(svg, place(p), 6.0)?;
    }

    let (entries, more) = cloud.legend(LINES);
    let (at, text) = (right + 18.0, right + 28.0);
    let mut middle = TOP + 8.0;
    for (label, name) in entries {
        let mark = mark(label, (at, middle), 4.0);
        writeln!(svg, "<g fill=\"{}\">{mark}</g>", colour(label))?;
        let name = escape(&shorten(&name, LEGEND - 28.0));
        writeln!(
            svg,
            "<text x=\"{text}\" y=\"{}\">{name}</text>",
            middle + 4.0
        )?;
        middle += LINE;
    }
    let centre = (!cloud.centers.is_empty()).then(|| "centre".to_string());
    if centre.is_some() {
        cross(svg, (at, middle), 4.0)?;
    }
    for name in centre.into_iter().chain(more) {
        let name = escape(&shorten(&name, LEGEND - 28.0));
        writeln!(
            svg,
            "<text x=\"{text}\" y=\"{}\">{name}</text>",
            middle + 4.0
        )?;
        middle += LINE;
    }
    Ok(())
}

/// A black cross with a white edge, to be seen on any colour.
fn cross(svg: &mut String, (x, y): (f64, f64), r: f64) -> std::fmt::Result {
    let (left, top, side) = (x - r, y - r, 2.0 * r);
    for (width, colour) in [(r, "#ffffff"), (r / 2.0, "#000000")] {
        writeln!(
            svg,
            "<path d=\"M{left:.1} {top:.1}l{side} {side}m0 -{side}l-{side} {side}\" stroke=\"{colour}\" \
             stroke-width=\"{width}\"/>"
        )?;
    }
    Ok(())
}

fn colour(label: i64) -> String {
    match usize::try_from(label) {
        Ok(label) => look::hex(COLOURS[label % COLOURS.len()]),
        Err(_) => NOISE.into(),
    }
}

/// A dot, or another shape of about its area.
fn mark(label: i64, (x, y): (f64, f64), radius: f64) -> String {
    let shape = usize::try_from(label).map_or(0, |label| label / COLOURS.len() % 4);
    let r = match shape {
        0 => return format!("<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{radius}\"/>"),
        1 => 0.9 * radius,
        _ => 1.3 * radius,
    };
    let (left, top, side) = (x - r, y - r, 2.0 * r);
    match shape {
        1 => format!("<path d=\"M{left:.1} {top:.1}h{side:.1}v{side:.1}h-{side:.1}z\"/>"),
        2 => format!("<path d=\"M{x:.1} {top:.1}l{r:.1} {side:.1}h-{side:.1}z\"/>"),
        _ => {
            format!("<path d=\"M{left:.1} {y:.1}l{r:.1} -{r:.1}l{r:.1} {r:.1}l-{r:.1} {r:.1}z\"/>")
        }
    }
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
            1e99,
        ];
        for a in odd {
            for b in odd {
                let svg = scatter(&[Cloud {
                    title: "a<b & \u{1}".into(),
                    points: vec![(a, b), (b, a)],
                    labels: vec![0, i64::MIN],
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

    /// Points that lose their cluster's colour, or a legend that counts wrong.
    #[test]
    fn each_point_has_the_colour_of_its_cluster() {
        let svg = scatter(&[Cloud {
            points: vec![(0.0, 0.0), (1.0, 1.0), (2.0, 2.0)],
            labels: vec![1, -1, 1],
            centers: vec![(1.0, 1.0)],
            ..Cloud::default()
        }]);
        assert_eq!(svg.matches("<circle").count(), 3 + 2);
        assert_eq!(svg.matches("<g fill=\"#d55e00\"").count(), 2);
        assert_eq!(svg.matches("<g fill=\"#b0b0b0\"").count(), 2);
        assert!(svg.contains(">cluster 1: 2<") && svg.contains(">noise: 1<"));
    }

    /// Clusters that look the same, or a legend that runs out of the picture.
    #[test]
    fn many_clusters_have_marks_of_their_own() {
        let looks: std::collections::HashSet<_> = (0..24)
            .map(|l| colour(l) + &mark(l, (0.0, 0.0), 1.0))
            .collect();
        assert_eq!(looks.len(), 24);
        let svg = scatter(&[Cloud {
            points: vec![(0.0, 0.0); 1000],
            labels: (0..1000).collect(),
            ..Cloud::default()
        }]);
        assert_eq!(svg.matches(">cluster ").count(), LINES);
        assert!(svg.contains(">and 980 more clusters<"));
    }
}
