//! Looking at a recorded graph: as a list for programs, as text for the terminal, as DOT for Graphviz.

use super::engine::walk;
use super::grad_mode::no_grad;
use super::node::Node;
use crate::dtype::DType;
use crate::error::{Result, err};
use crate::tensor::Tensor;
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;

/// The history of a tensor, from the leaves to the result. Made by [`Tensor::graph`].
///
/// `Display` lists it for the terminal, one node a line.
///
/// ```
/// use gradus_core::{Tensor, autograd::trace};
/// let x = Tensor::from(3.0).requires_grad_(true)?;
/// let y = trace(|| x.mul(&x)?.log())?;
/// let graph = y.graph()?.name(&x, "x").name(&y, "y");
/// assert!(graph.to_string().contains("1  mul"));
/// assert!(graph.to_dot().starts_with("digraph"));
/// # Ok::<(), gradus_core::Error>(())
/// ```
pub struct Graph {
    nodes: Vec<GraphNode>,
    /// Where each node of the recorded graph is in the list.
    places: HashMap<u64, usize>,
}

/// A node as [`Graph`] shows it.
///
/// ```
/// # use gradus_core::Tensor;
/// let x = Tensor::from(3.0).requires_grad_(true)?;
/// let graph = x.exp()?.graph()?;
/// let node = &graph.nodes()[1];
/// assert_eq!((node.operation, &node.inputs[..]), ("exp", &[0][..]));
/// # Ok::<(), gradus_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct GraphNode {
    /// The operation, or `leaf`.
    pub operation: &'static str,
    /// The name that [`Graph::name`] gave it.
    pub name: Option<String>,
    /// The shape of the result.
    pub shape: Vec<usize>,
    /// Its dtype.
    pub dtype: DType,
    /// Its elements, if they are known; see [`trace`](super::trace).
    pub value: Option<Tensor>,
    /// The gradient of the graph's end with respect to it, if that end is one number.
    pub grad: Option<Tensor>,
    /// The nodes it was computed from, by their places in the list; constants are left out.
    pub inputs: Vec<usize>,
}

impl Tensor {
    /// What this tensor was computed from: operations, shapes, values and gradients.
    ///
    /// Values are those of leaves, those that gradients need, and all that was computed inside
    /// [`trace`](crate::autograd::trace). Gradients are computed here if this tensor is one number
    /// (hooks are called); no leaf is changed.
    ///
    /// # Errors
    /// If nothing was recorded, or `backward` would fail.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from(3.0).requires_grad_(true)?;
    /// let graph = x.mul(&x)?.graph()?;
    /// assert_eq!(graph.nodes()[0].grad.as_ref().unwrap().item::<f32>()?, 6.0);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn graph(&self) -> Result<Graph> {
        let end = self.node().ok_or_else(|| {
            err!(
                Autograd,
                "graph: nothing was recorded: this tensor does not require a gradient. Call requires_grad_(true) on \
                 the leaves first"
            )
        })?;
        let mut found = BTreeMap::new();
        let mut pending = vec![end.clone()];
        while let Some(node) = pending.pop() {
            if found.insert(node.id, node.clone()).is_none() {
                pending.extend(node.inputs().iter().flatten().cloned());
            }
        }
        // Ids grow along the graph: what a node needs stands before it.
        let found: Vec<Arc<Node>> = found.into_values().collect();
        let places: HashMap<u64, usize> = found
            .iter()
            .enumerate()
            .map(|(i, node)| (node.id, i))
            .collect();
        let mut nodes: Vec<GraphNode> = found
            .iter()
            .map(|node| GraphNode {
                operation: node.name(),
                name: None,
                shape: node.shape.to_vec(),
                dtype: node.dtype,
                value: node.value.get(),
                grad: None,
                inputs: node
                    .inputs()
                    .iter()
                    .flatten()
                    .map(|input| places[&input.id])
                    .collect(),
            })
            .collect();
        nodes[places[&end.id]].value = Some(self.detach());
        for node in &found {
            for saved in node.operation.iter().flat_map(|operation| &operation.saves) {
                let Some((of, value)) = saved.value() else {
                    continue;
                };
                // Without a node it is this one's own result, or a constant, which has no place.
                let of = of.or_else(|| saved.is_output.then(|| node.clone()));
                if let Some(&i) = of.and_then(|of| places.get(&of.id)) {
                    nodes[i].value.get_or_insert(value);
                }
            }
        }
        if self.numel() == 1 {
            let one = Tensor::full(self.shape(), 1.0, self.dtype())?;
            for (node, grad) in no_grad(|| walk(vec![(end, one)], Some(&found)))? {
                nodes[places[&node.id]].grad = Some(grad);
            }
        }
        Ok(Graph { nodes, places })
    }
}

impl Graph {
    /// The nodes; each after those it was computed from, the last one the tensor itself.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from(3.0).requires_grad_(true)?;
    /// assert_eq!(x.sin()?.graph()?.nodes().len(), 2);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn nodes(&self) -> &[GraphNode] {
        &self.nodes
    }

    /// Shows `tensor` under a name; one that is not part of the graph is passed over.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from(3.0).requires_grad_(true)?;
    /// let graph = x.sin()?.graph()?.name(&x, "angle");
    /// assert_eq!(graph.nodes()[0].title(), "angle");
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    #[must_use]
    pub fn name(mut self, tensor: &Tensor, name: &str) -> Self {
        let place = tensor.node().and_then(|node| self.places.get(&node.id));
        if let Some(&i) = place {
            self.nodes[i].name = Some(name.to_string());
        }
        self
    }

    /// The graph in the language of Graphviz, from left to right in the direction of the data.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from(3.0).requires_grad_(true)?;
    /// assert!(x.sin()?.graph()?.to_dot().contains("n0 -> n1;"));
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn to_dot(&self) -> String {
        let mut dot = String::from("digraph {\n  rankdir=LR;\n  node [shape=box];\n");
        for (i, node) in self.nodes.iter().enumerate() {
            let lines = node.lines().join("\n");
            let label = lines
                .replace('\\', "\\\\")
                .replace('"', "\\\"")
                .replace('\n', "\\n");
            dot += &format!("  n{i} [label=\"{label}\"];\n");
        }
        for (i, node) in self.nodes.iter().enumerate() {
            for input in &node.inputs {
                dot += &format!("  n{input} -> n{i};\n");
            }
        }
        dot + "}\n"
    }
}

impl fmt::Display for Graph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cells: Vec<[String; 5]> = self
            .nodes
            .iter()
            .enumerate()
            .map(|(i, node)| {
                let inputs: Vec<String> = node.inputs.iter().map(usize::to_string).collect();
                let or_dash = |t: &Option<Tensor>| t.as_ref().map_or("–".into(), brief);
                [
                    i.to_string(),
                    format!("{}({})", node.title(), inputs.join(", ")).replace("()", ""),
                    format!("{} {:?}", node.dtype, node.shape),
                    or_dash(&node.value),
                    or_dash(&node.grad),
                ]
            })
            .collect();
        let head = ["", "operation(inputs)", "dtype shape", "value", "gradient"];
        let width = |c: usize| {
            let cells = cells.iter().map(|row| row[c].chars().count());
            cells.max().unwrap_or(0).max(head[c].len())
        };
        let widths: [usize; 5] = std::array::from_fn(width);
        let mut line = |row: [&str; 5]| {
            let padded: Vec<String> = (0..5)
                .map(|c| format!("{:<1$}", row[c], widths[c]))
                .collect();
            writeln!(f, "{}", padded.join("  ").trim_end())
        };
        line(head)?;
        cells
            .iter()
            .try_for_each(|row| line(row.each_ref().map(String::as_str)))
    }
}

impl GraphNode {
    /// The name, or the operation.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from(3.0).requires_grad_(true)?;
    /// assert_eq!(x.sin()?.graph()?.nodes()[1].title(), "sin");
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn title(&self) -> String {
        match &self.name {
            Some(name) if self.operation == "leaf" => name.clone(),
            Some(name) => format!("{name} = {}", self.operation),
            None => self.operation.to_string(),
        }
    }

    /// What pictures write on the node: title, shape, value and gradient, a line each.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from(3.0).requires_grad_(true)?;
    /// assert_eq!(x.mul(&x)?.graph()?.nodes()[0].lines()[2..], ["value 3.0000", "gradient 6.0000"]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn lines(&self) -> Vec<String> {
        let mut lines = vec![self.title(), format!("{} {:?}", self.dtype, self.shape)];
        let of = |what: &str, t: &Tensor| format!("{what} {}", brief(t));
        lines.extend(self.value.as_ref().map(|t| of("value", t)));
        lines.extend(self.grad.as_ref().map(|t| of("gradient", t)));
        lines
    }
}

/// The elements of a small tensor, the range of a large one.
fn brief(t: &Tensor) -> String {
    let number = |x: f64| match x.abs() {
        a if a != 0.0 && !(1e-3..1e6).contains(&a) => format!("{x:.4e}"),
        _ => format!("{x:.4}"),
    };
    let Ok(values) = t.to_vec::<f64>() else {
        return "?".into();
    };
    match values[..] {
        [x] => number(x),
        _ if values.len() <= 4 => {
            let list: Vec<String> = values.into_iter().map(number).collect();
            format!("[{}]", list.join(", "))
        }
        _ => {
            let low = values.iter().copied().fold(f64::INFINITY, f64::min);
            let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            format!("{} … {}", number(low), number(high))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::trace;
    use crate::no_grad;

    #[test]
    fn values_that_gradients_need_are_shown_and_others_only_when_traced() -> Result<()> {
        let x = Tensor::from([1.0, 2.0]).requires_grad_(true)?;
        // add saves nothing; sin saves its input, which is the sum.
        let f = || x.add(1.0)?.sin()?.mul(3.0)?.sum(..);
        let known = |graph: &Graph| -> Vec<bool> {
            graph.nodes().iter().map(|n| n.value.is_some()).collect()
        };
        let plain = f()?.graph()?;
        assert_eq!(known(&plain), [true, true, true, false, true]);
        assert_eq!(known(&trace(f)?.graph()?), [true; 5]);
        let gradient = |i: usize| plain.nodes()[i].grad.as_ref().unwrap().to_vec::<f32>();
        assert_eq!((gradient(3)?, gradient(2)?), (vec![1.0; 2], vec![3.0; 2]));
        assert!(x.grad().is_none());
        Ok(())
    }

    #[test]
    fn what_has_changed_since_it_was_saved_is_not_shown() -> Result<()> {
        let x = Tensor::from([1.0, 2.0]).requires_grad_(true)?;
        let sum = x.add(1.0)?;
        let y = sum.sin()?;
        no_grad(|| sum.fill_(7.0))?;
        assert!(y.graph()?.nodes()[1].value.is_none());
        Ok(())
    }

    #[test]
    fn a_long_history_is_listed_without_recursion() -> Result<()> {
        let x = Tensor::from(1.0).requires_grad_(true)?;
        let mut y = x.clone();
        for _ in 0..100_000 {
            y = y.add(&x)?;
        }
        assert_eq!(y.graph()?.nodes().len(), 100_001);
        Ok(())
    }

    #[test]
    fn dot_quotes_what_it_must() -> Result<()> {
        let x = Tensor::from(1.0).requires_grad_(true)?;
        let dot = x.sin()?.graph()?.name(&x, "a\"b\\c").to_dot();
        assert!(dot.contains(r#"label="a\"b\\c\nfloat32 []"#), "{dot}");
        Ok(())
    }
}
