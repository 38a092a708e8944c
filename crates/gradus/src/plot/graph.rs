//! A recorded graph as a picture: boxes with operation, shape, value and gradient, from left to
//! right in the direction of the data.

use super::look::{card, escape};
use gradus_core::autograd::{Graph, GraphNode};
use gradus_core::{Error, Kind, Result};
use layout::core::base::Orientation;
use layout::core::color::Color;
use layout::core::format::{ClipHandle, RenderBackend};
use layout::core::geometry::Point;
use layout::core::style::StyleAttr;
use layout::std_shapes::shapes::{Arrow, Element, ShapeKind};
use layout::topo::layout::VisualGraph;
use std::fmt::Write;

/// Beyond this nobody could read the picture, and placing the boxes would take minutes.
const MOST_NODES: usize = 300;
/// A generous width of a letter and height of a line at font size 13.
const LETTER: f64 = 7.5;
const LINE: f64 = 17.0;
const MARGIN: f64 = 12.0;

/// Fill colours: leaves that collect a gradient, results on the way, the end. Light tints of three
/// of the colours of Okabe and Ito.
const LEAF: u32 = 0xcfe8_ddff;
const STEP: u32 = 0xffff_ffff;
const END: u32 = 0xcfe2_f3ff;
const INK: u32 = 0x3333_33ff;

/// Draws the history of a tensor and returns the SVG file as text.
///
/// Leaves are green, the tensor itself is blue. Values are known inside
/// [`trace`](gradus_core::autograd::trace); gradients if the tensor is one number.
///
/// # Errors
/// For more than 300 nodes: [`Graph::to_dot`] and Graphviz cope with those.
///
/// ```
/// use gradus::{Tensor, autograd::trace, plot};
/// let x = Tensor::from(3.0).requires_grad_(true)?;
/// let y = trace(|| x.mul(&x)?.sin())?;
/// let svg = plot::graph(&y.graph()?.name(&x, "x").name(&y, "y"))?;
/// assert!(svg.contains(">y = sin<"));
/// # Ok::<(), gradus::Error>(())
/// ```
pub fn graph(graph: &Graph) -> Result<String> {
    let nodes = graph.nodes();
    if nodes.len() > MOST_NODES {
        return Err(Error::new(
            Kind::Value,
            format!(
                "graph: {} nodes are too many for a picture (at most {MOST_NODES}); draw a smaller part, or give \
                 to_dot() to Graphviz",
                nodes.len()
            ),
        ));
    }
    let mut picture = VisualGraph::new(Orientation::LeftToRight);
    let boxes: Vec<_> = nodes
        .iter()
        .enumerate()
        .map(|(i, node)| picture.add_node(element(node, i + 1 == nodes.len())))
        .collect();
    for (node, &to) in nodes.iter().zip(&boxes) {
        for &input in &node.inputs {
            picture.add_edge(Arrow::simple(""), boxes[input], to);
        }
    }
    let mut canvas = Canvas::default();
    picture.do_it(false, false, false, &mut canvas);
    let end = nodes
        .last()
        .and_then(|node| node.lines().into_iter().next());
    Ok(canvas.finish(&format!("graph of {}", end.unwrap_or_default())))
}

/// The box of a node.
fn element(node: &GraphNode, end: bool) -> Element {
    let lines = node.lines();
    let letters = lines.iter().map(|line| line.chars().count()).max();
    let size = Point::new(
        letters.unwrap_or(0) as f64 * LETTER + 2.0 * MARGIN,
        lines.len() as f64 * LINE + MARGIN,
    );
    let fill = match node.operation {
        _ if end => END,
        "leaf" => LEAF,
        _ => STEP,
    };
    let look = StyleAttr::new(Color::new(INK), 1, Some(Color::new(fill)), 6, 13);
    let shape = ShapeKind::new_box(&lines.join("\n"));
    Element::create(shape, look, Orientation::LeftToRight, size)
}

/// Collects what the layout draws, as SVG.
#[derive(Default)]
struct Canvas {
    body: String,
    size: (f64, f64),
}

impl Canvas {
    /// Makes room for a point.
    fn reach(&mut self, x: f64, y: f64) {
        self.size = (self.size.0.max(x + MARGIN), self.size.1.max(y + MARGIN));
    }

    fn draw(&mut self, element: std::fmt::Arguments<'_>) {
        writeln!(self.body, "{element}").expect("writing to a string cannot fail");
    }

    fn finish(self, title: &str) -> String {
        let body = format!(
            "<defs><marker id=\"head\" markerWidth=\"10\" markerHeight=\"8\" refX=\"9\" refY=\"4\" \
             orient=\"auto\"><path d=\"M0 0L10 4L0 8z\"/></marker></defs>\n\
             <g text-anchor=\"middle\">\n{}</g>\n",
            self.body
        );
        card([self.size.0, self.size.1], title, &body)
    }
}

impl RenderBackend for Canvas {
    fn draw_rect(
        &mut self,
        at: Point,
        size: Point,
        look: &StyleAttr,
        _: Option<String>,
        _: Option<ClipHandle>,
    ) {
        self.reach(at.x + size.x, at.y + size.y);
        let fill = look.fill_color.unwrap_or(Color::new(STEP)).to_web_color();
        self.draw(format_args!(
            "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\" rx=\"{}\" fill=\"{fill}\" stroke=\"#333\"/>",
            at.x, at.y, size.x, size.y, look.rounded
        ));
    }

    fn draw_text(&mut self, at: Point, text: &str, look: &StyleAttr) {
        let lines = text.lines().count() as f64;
        for (i, line) in text.lines().enumerate() {
            let y = at.y + (i as f64 - (lines - 1.0) / 2.0) * LINE + look.font_size as f64 / 3.0;
            let line = escape(line);
            let weight = if i == 0 { " font-weight=\"bold\"" } else { "" };
            self.draw(format_args!(
                "<text x=\"{:.1}\" y=\"{y:.1}\" font-size=\"{}\"{weight}>{line}</text>",
                at.x, look.font_size
            ));
        }
    }

    fn draw_arrow(
        &mut self,
        path: &[(Point, Point)],
        _: bool,
        _: (bool, bool),
        _: &StyleAttr,
        _: Option<String>,
        _: &str,
    ) {
        // Each step is a point and the handle of the curve at it; the first handle leads out.
        let [(start, out), (first, into), rest @ ..] = path else {
            return;
        };
        let mut d = format!(
            "M{:.1} {:.1}C{:.1} {:.1} {:.1} {:.1} {:.1} {:.1}",
            start.x, start.y, out.x, out.y, first.x, first.y, into.x, into.y
        );
        for (handle, point) in rest {
            write!(
                d,
                "S{:.1} {:.1} {:.1} {:.1}",
                handle.x, handle.y, point.x, point.y
            )
            .expect("writing to a string cannot fail");
        }
        for (a, b) in path {
            self.reach(a.x.max(b.x), a.y.max(b.y));
        }
        self.draw(format_args!(
            "<path d=\"{d}\" fill=\"none\" stroke=\"#333\" marker-end=\"url(#head)\"/>"
        ));
    }

    // Boxes, text and arrows are all that a graph is made of.
    fn draw_line(&mut self, _: Point, _: Point, _: &StyleAttr, _: Option<String>) {}
    fn draw_circle(&mut self, _: Point, _: Point, _: &StyleAttr, _: Option<String>) {}
    fn create_clip(&mut self, _: Point, _: Point, _: usize) -> ClipHandle {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gradus_core::Tensor;

    /// The left edges of the boxes, in the order of the graph's nodes.
    fn left_edges(svg: &str) -> Vec<f64> {
        let boxes = svg.lines().filter(|line| line.starts_with("<rect x="));
        boxes
            .map(|line| line.split('"').nth(1).unwrap().parse().unwrap())
            .collect()
    }

    #[test]
    fn what_is_computed_from_something_stands_to_its_right() -> Result<()> {
        let x = Tensor::from(0.5).requires_grad_(true)?;
        let mut y = x.clone();
        for _ in 0..5 {
            y = y.sin()?.mul(&x)?.add(&y)?;
        }
        let history = y.graph()?;
        let svg = graph(&history)?;
        let lefts = left_edges(&svg);
        assert_eq!(lefts.len(), history.nodes().len());
        for (node, left) in history.nodes().iter().zip(&lefts) {
            for &input in &node.inputs {
                assert!(lefts[input] < *left, "{svg}");
            }
        }
        let arrows = history
            .nodes()
            .iter()
            .map(|node| node.inputs.len())
            .sum::<usize>();
        assert_eq!(svg.matches("marker-end").count(), arrows);
        Ok(())
    }

    #[test]
    fn names_are_escaped_and_too_many_nodes_refused() -> Result<()> {
        let x = Tensor::from(0.5).requires_grad_(true)?;
        let svg = graph(&x.sin()?.graph()?.name(&x, "a<b&c"))?;
        assert!(svg.contains(">a&lt;b&amp;c<"), "{svg}");
        let mut y = x.clone();
        for _ in 0..MOST_NODES {
            y = y.sin()?;
        }
        let error = graph(&y.graph()?).unwrap_err();
        assert!(error.to_string().contains("301 nodes"), "{error}");
        Ok(())
    }
}
