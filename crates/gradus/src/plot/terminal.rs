//! Pictures for a terminal, drawn with characters.

mod bars;
mod confusion;
mod sheet;

pub use bars::{bars_text, histogram_text};
pub use confusion::confusion_text;

use super::axis::drawable;
use super::curves::Panel;
use super::scatter::Cloud;
use sheet::{CENTRE, Ink, NOISE, Sheet, letter, painted, wrapped};

/// Clusters in the legend at most.
const ENTRIES: usize = 20;

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
    let mut sheet = Sheet::new(columns, rows, |marks| cloud.axes(marks));
    for (p, label) in cloud.labelled() {
        sheet.point(p, label);
    }
    for p in cloud.centers.iter().filter(|p| drawable(p)) {
        sheet.centre(p);
    }
    let ink = if colour { Ink::Colours } else { Ink::Letters };
    let mut lines = sheet.draw(&cloud.title, [&cloud.axes[0], &cloud.axes[1]], ink);
    lines.extend(wrapped(
        legend(cloud, colour).into_iter(),
        columns.clamp(30, 1000),
    ));
    lines.join("\n") + "\n"
}

/// Draws the lines and dots as text that is at most `columns` wide, with `rows` rows between the
/// axes; see [`scatter_text`] for the limits.
///
/// A character holds eight dots (Braille). With `colour` each line has its own by ANSI's codes, six
/// in turn; without, one line alone is dots, and several are drawn with their numbers.
///
/// ```
/// use gradus::plot::{Panel, Series, curves_text};
/// let line = |name: &str, k: f64| Series {
///     name: name.into(),
///     points: (0..50).map(|i| (f64::from(i), k * f64::from(i))).collect(),
/// };
/// let panel = Panel { series: vec![line("slow", 1.0), line("fast", 2.0)], ..Panel::default() };
/// let text = curves_text(&panel, 60, 12, false);
/// assert!(text.contains("0 = slow   1 = fast"));
/// ```
pub fn curves_text(panel: &Panel, columns: usize, rows: usize, colour: bool) -> String {
    let mut sheet = Sheet::new(columns, rows, |marks| panel.axes(marks));
    for (i, series) in panel.all().enumerate() {
        let joined = i < panel.series.len();
        for run in series.points.split(|point| !panel.has_place(point)) {
            for p in run {
                sheet.point(p, i as i64);
            }
            for pair in run.windows(2).filter(|_| joined) {
                sheet.line(&pair[0], &pair[1], i as i64);
            }
        }
    }
    let ink = match colour {
        true => Ink::Colours,
        false if panel.all().count() == 1 => Ink::Plain,
        false => Ink::Letters,
    };
    let mut lines = sheet.draw(&panel.title, [&panel.x_label, &panel.y_label], ink);
    let entries = panel.all().enumerate();
    let entries = entries.map(|(i, series)| entry(i as i64, &series.name, ink));
    lines.extend(wrapped(entries, columns.clamp(30, 1000)));
    lines.join("\n") + "\n"
}

/// An entry of a legend, with its width.
fn entry(label: i64, name: &str, ink: Ink) -> (usize, String) {
    let name = sheet::plain(name);
    let width = name.chars().count();
    let mark = if label < 0 { NOISE } else { '●' };
    match ink {
        Ink::Colours => (width + 2, format!("{} {name}", painted(label, mark))),
        Ink::Plain => (width, name),
        Ink::Letters => (width + 4, format!("{} = {name}", letter(label))),
    }
}

/// The entries of the legend, with their widths.
fn legend(cloud: &Cloud, colour: bool) -> Vec<(usize, String)> {
    let ink = if colour { Ink::Colours } else { Ink::Letters };
    let (entries, more) = cloud.legend(ENTRIES);
    let entries = entries
        .into_iter()
        .map(|(label, name)| entry(label, &name, ink));
    let centres = (!cloud.centers.is_empty()).then(|| format!("{CENTRE} centres"));
    let rest = more.into_iter().chain(centres);
    entries
        .chain(rest.map(|text| (text.chars().count(), text)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::Series;

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

    /// A line with holes, one that runs the wrong way, or a name that is not there.
    #[test]
    fn lines_run_from_point_to_point() {
        let series = |name: &str, points: &[(f64, f64)]| Series {
            name: name.into(),
            points: points.to_vec(),
        };
        let rising = series("up\u{1b}", &[(0.0, 0.0), (10.0, 10.0)]);
        let mut panel = Panel {
            x_label: "epoch".into(),
            series: vec![rising],
            ..Panel::default()
        };
        let rows = |text: &str| -> Vec<Option<usize>> {
            let rows = text.lines().filter(|line| line.contains(['│', '┤']));
            let rows = rows.map(|line| line.split(['│', '┤']).nth(1).unwrap());
            rows.map(|row| row.chars().position(|c| c != ' ')).collect()
        };
        let text = curves_text(&panel, 43, 10, false);
        let from: Vec<usize> = rows(&text).into_iter().flatten().collect();
        assert_eq!(from.len(), 10, "{text}");
        assert!(from.windows(2).all(|pair| pair[0] > pair[1]), "{text}");
        assert!(
            text.ends_with("→ epoch\nup \n") && !text.contains('\u{1b}'),
            "{text}"
        );

        panel.series.push(series("nan", &[(5.0, f64::NAN)]));
        panel.dots.push(series("dots", &[(0.0, 10.0), (10.0, 0.0)]));
        let text = curves_text(&panel, 43, 10, false);
        assert!(text.contains("0 = up    1 = nan   2 = dots"), "{text}");
        let rows = text.lines().filter_map(|line| line.split_once(['│', '┤']));
        let dots: usize = rows.map(|(_, row)| row.matches('2').count()).sum();
        assert_eq!(dots, 2, "{text}");
        assert!(curves_text(&panel, 43, 10, true).contains("\u{1b}[38;5;25m"));
        for odd in [f64::NAN, f64::INFINITY, f64::MAX, 5e-324, 1e99, 0.0] {
            panel.series[1].points = vec![(odd, 1.0), (1.0, odd), (-odd, odd)];
            for log in [false, true] {
                panel.log = [log, log];
                assert!(curves_text(&panel, 0, 0, true).lines().count() >= 6);
            }
        }
        curves_text(&Panel::default(), 80, 24, false);
    }
}
