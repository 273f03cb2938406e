//! The cause as a small drawing: symptom → component → state → change.
//!
//! Edges of a confirmed cause are solid, of a likely one dashed, and what was
//! ruled out is faint. Everything drawn is said in words below it as well.

use coroner_model::investigation::{Hypothesis, LookalikeVerdict, Status};

use crate::markdown::{Html, escaped};

/// Most causes that are drawn.
const CAUSES_COUNT_MAX: usize = 5;
/// Most ruled-out look-alikes that are drawn beside a cause.
const LOOKALIKES_COUNT_MAX: usize = 2;
const LINE_CHARS_MAX: usize = 24;
const LINES_COUNT_MAX: usize = 5;
const NODE_WIDTH: usize = 176;
const LINE_HEIGHT: usize = 16;
const PADDING: usize = 8;
const GAP_X: usize = 44;
const GAP_Y: usize = 14;
/// How far each column stands to the right where the drawing goes down.
const STEP_DOWN: usize = 26;
/// Room for the names of the columns.
const TOP: usize = 26;
const COLUMNS: [&str; 4] = ["symptom", "component", "state", "change"];

/// Which way the causes are drawn: across on wide screens, down on narrow ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Across,
    Down,
}

#[derive(Clone, Debug)]
struct Node {
    column: usize,
    x: usize,
    /// Vertical middle.
    y: usize,
    lines: Vec<String>,
    class: &'static str,
}

#[derive(Clone, Debug)]
struct Edge {
    from: usize,
    to: usize,
    class: &'static str,
}

impl Node {
    fn new(column: usize, text: &str, class: &'static str) -> Node {
        Node { column, x: column * (NODE_WIDTH + GAP_X), y: 0, lines: wrap(text), class }
    }

    fn height(&self) -> usize {
        self.lines.len() * LINE_HEIGHT + 2 * PADDING
    }

    fn top(&self) -> usize {
        self.y.saturating_sub(self.height() / 2)
    }

    fn bottom(&self) -> usize {
        self.top() + self.height()
    }
}

/// Draws the causes, once for each kind of screen; nothing where there is none.
pub fn draw(symptom: &str, hypotheses: &[Hypothesis]) -> Option<Html> {
    if hypotheses.is_empty() {
        return None;
    }
    let (nodes, edges) = lay_out(symptom, &hypotheses[..hypotheses.len().min(CAUSES_COUNT_MAX)]);
    let across = svg(Way::Across, &nodes, &edges);
    let down = svg(Way::Down, &downwards(&nodes, &edges), &edges);
    Some(Html(across + &down))
}

fn svg(way: Way, nodes: &[Node], edges: &[Edge]) -> String {
    let width = nodes.iter().map(|n| n.x + NODE_WIDTH).max().unwrap_or(0) + 2;
    let height = nodes.iter().map(Node::bottom).max().unwrap_or(0) + 2;
    let class = if way == Way::Across { "across" } else { "down" };
    let mut svg = format!(
        "<svg class=\"graph {class}\" viewBox=\"-1 0 {width} {height}\" width=\"{width}\" height=\"{height}\" role=\"img\" aria-label=\"From the symptom to its causes; the list below says the same in words\">"
    );
    if way == Way::Across {
        let columns = nodes.iter().map(|n| n.column).max().unwrap_or(0) + 1;
        for (at, name) in COLUMNS.iter().enumerate().take(columns) {
            svg.push_str(&format!("<text class=\"column\" x=\"{}\" y=\"12\">{name}</text>", at * (NODE_WIDTH + GAP_X)));
        }
    }
    for edge in edges {
        let (from, to) = (&nodes[edge.from], &nodes[edge.to]);
        svg.push_str(&if way == Way::Across {
            edge_across(from, to, edge.class)
        } else {
            edge_down(from, to, edge.class)
        });
    }
    for node in nodes {
        svg.push_str(&node_svg(node));
    }
    svg.push_str("</svg>");
    svg
}

/// Nodes with their places and the edges between them.
fn lay_out(symptom: &str, hypotheses: &[Hypothesis]) -> (Vec<Node>, Vec<Edge>) {
    let mut nodes = vec![Node::new(0, symptom, "symptom")];
    let mut edges: Vec<Edge> = Vec::new();
    let mut components: Vec<(&str, usize)> = Vec::new();
    let mut below = TOP;
    for hypothesis in hypotheses {
        let class = class_of(hypothesis.status);
        let name = if hypothesis.component.is_empty() { "unknown component" } else { &hypothesis.component };
        let component = components.iter().find(|(n, _)| *n == name).map(|(_, at)| *at).unwrap_or_else(|| {
            nodes.push(Node::new(1, name, class));
            edges.push(Edge { from: 0, to: nodes.len() - 1, class });
            components.push((name, nodes.len() - 1));
            nodes.len() - 1
        });
        let state = nodes.len();
        nodes.push(Node::new(2, &hypothesis.title, class));
        edges.push(Edge { from: component, to: state, class });
        let mut row = nodes[state].height();
        if let Some(change) = &hypothesis.explained_by {
            let text = [&change.command, &change.path, &change.commit].into_iter().flatten().next();
            let node = Node::new(3, text.map_or("a change", |t| t.as_str()), class);
            row = row.max(node.height());
            nodes.push(node);
            edges.push(Edge { from: state, to: nodes.len() - 1, class });
        }
        for node in &mut nodes[state..] {
            node.y = below + row / 2;
        }
        below += row + GAP_Y;
        let ruled_out = hypothesis.lookalikes.iter().filter(|l| l.verdict == LookalikeVerdict::RuledOut);
        for lookalike in ruled_out.take(LOOKALIKES_COUNT_MAX) {
            let mut node = Node::new(2, &format!("ruled out: {}", lookalike.title), "ruled-out");
            node.y = below + node.height() / 2;
            below += node.height() + GAP_Y;
            nodes.push(node);
            edges.push(Edge { from: component, to: nodes.len() - 1, class: "ruled-out" });
        }
    }
    place_left(&mut nodes, &edges);
    // What counts is drawn over what is faint.
    edges.sort_by_key(|e| {
        std::cmp::Reverse(["confirmed", "likely", "open"].iter().position(|c| *c == e.class).unwrap_or(3))
    });
    (nodes, edges)
}

/// Puts components beside the middle of their states, one below the other, and the symptom beside them.
fn place_left(nodes: &mut [Node], edges: &[Edge]) {
    for column in [1, 0] {
        let mut below = TOP;
        for at in (0..nodes.len()).filter(|at| nodes[*at].column == column).collect::<Vec<_>>() {
            let to: Vec<usize> = edges.iter().filter(|e| e.from == at).map(|e| nodes[e.to].y).collect();
            let (Some(least), Some(most)) = (to.iter().min(), to.iter().max()) else { continue };
            nodes[at].y = usize::midpoint(*least, *most).max(below + nodes[at].height().div_ceil(2));
            below = nodes[at].bottom() + GAP_Y;
        }
    }
}

/// The same nodes one below the other, each under what it hangs from and a step to the right.
fn downwards(nodes: &[Node], edges: &[Edge]) -> Vec<Node> {
    let mut placed = nodes.to_vec();
    let mut below = 1;
    let mut waiting = vec![0];
    while let Some(at) = waiting.pop() {
        placed[at].x = placed[at].column * STEP_DOWN;
        placed[at].y = below + placed[at].height() / 2;
        below += placed[at].height() + GAP_Y;
        let mut next: Vec<usize> = edges.iter().filter(|e| e.from == at).map(|e| e.to).collect();
        next.sort_unstable_by(|a, b| b.cmp(a));
        waiting.extend(next);
    }
    placed
}

fn class_of(status: Status) -> &'static str {
    match status {
        Status::Confirmed => "confirmed",
        Status::Likely => "likely",
        Status::Open => "open",
    }
}

fn edge_across(from: &Node, to: &Node, class: &str) -> String {
    let (x1, x2) = (from.x + NODE_WIDTH, to.x);
    let middle = usize::midpoint(x1, x2);
    format!(
        "<path class=\"edge {class}\" d=\"M{x1} {y1}C{middle} {y1} {middle} {y2} {tip} {y2}\"/><path class=\"tip {class}\" d=\"M{x2} {y2}l-7 -4v8z\"/>",
        y1 = from.y,
        y2 = to.y,
        tip = x2 - 6,
    )
}

/// Down from the left part of the upper node, then right into the lower one.
fn edge_down(from: &Node, to: &Node, class: &str) -> String {
    let (x, y, x2) = (from.x + STEP_DOWN / 2, to.y, to.x);
    format!(
        "<path class=\"edge {class}\" d=\"M{x} {top}V{y}H{tip}\"/><path class=\"tip {class}\" d=\"M{x2} {y}l-7 -4v8z\"/>",
        top = from.bottom(),
        tip = x2.saturating_sub(6),
    )
}

fn node_svg(node: &Node) -> String {
    let (x, top) = (node.x, node.top());
    let mut svg = format!(
        "<g class=\"node {}\"><rect x=\"{x}\" y=\"{top}\" width=\"{NODE_WIDTH}\" height=\"{}\" rx=\"4\"/><text>",
        node.class,
        node.height()
    );
    for (at, line) in node.lines.iter().enumerate() {
        let y = top + PADDING + (at + 1) * LINE_HEIGHT - 4;
        svg.push_str(&format!("<tspan x=\"{}\" y=\"{y}\">{}</tspan>", x + PADDING, escaped(line)));
    }
    svg.push_str("</text></g>");
    svg
}

/// Breaks a text into short lines; what does not fit ends in an ellipsis.
fn wrap(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = vec![String::new()];
    for word in text.split_whitespace() {
        let mut rest: Vec<char> = word.chars().collect();
        while !rest.is_empty() {
            let last = lines.last_mut().map_or(0, |l| l.chars().count());
            let room = LINE_CHARS_MAX.saturating_sub(last + usize::from(last > 0));
            if rest.len() > room && last > 0 {
                lines.push(String::new());
                continue;
            }
            let taken: String = rest.drain(..rest.len().min(LINE_CHARS_MAX)).collect();
            if let Some(line) = lines.last_mut() {
                if !line.is_empty() {
                    line.push(' ');
                }
                line.push_str(&taken);
            }
        }
    }
    if lines.len() > LINES_COUNT_MAX {
        lines.truncate(LINES_COUNT_MAX);
        if let Some(last) = lines.last_mut() {
            last.push('…');
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_words_break_and_long_texts_end() {
        assert_eq!(
            wrap("api falls back to a default database password"),
            ["api falls back to a", "default database", "password"]
        );
        let lines = wrap(&format!("rm {}", "x".repeat(400)));
        assert_eq!(lines.len(), LINES_COUNT_MAX);
        assert!(lines.iter().all(|l| l.chars().count() <= LINE_CHARS_MAX + 1));
        assert_eq!(wrap(""), [""]);
    }

    #[test]
    fn what_is_drawn_is_escaped() {
        let hypothesis = Hypothesis {
            rank: 1,
            pattern: None,
            title: "<script>".into(),
            status: Status::Confirmed,
            score: 1,
            component: "a&b".into(),
            because: Vec::new(),
            against: Vec::new(),
            explained_by: None,
            lookalikes: Vec::new(),
            remedy: String::new(),
        };
        let svg = draw("\"<x>", &[hypothesis.clone(), hypothesis]).unwrap().0;
        assert!(!svg.contains("<script>") && svg.contains("a&amp;b") && svg.contains("&lt;x&gt;"), "{svg}");
        assert!(draw("x", &[]).is_none());
    }
}
