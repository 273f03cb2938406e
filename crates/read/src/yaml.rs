//! Reads YAML into a tree that remembers the line of every key and value.
//!
//! Scalars keep their text as written: whether `1.10` is a version or a number is
//! for the reader of the format to say, and a finding must cite the very line.

use granit_parser::{Event, Parser, ScalarStyle, Tag};

/// Most nodes in one document, aliases expanded; more is an attack or no configuration.
pub const NODES_MAX: usize = 200_000;

/// One value with the place where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// 1-based line where the value begins; where an alias stands for it, the anchor's.
    pub line: u64,
    /// Which of several merged files it came from; 0 unless a reader sets it.
    pub file: usize,
    /// A local tag such as `reset` or `override`, without its `!`.
    pub tag: Option<String>,
    pub value: Value,
}

/// What a node holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Null,
    Scalar {
        text: String,
        /// Not quoted and no block: a reader may take it for a number or truth value.
        plain: bool,
    },
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// One pair of a mapping.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    pub key: String,
    /// 1-based line of the key.
    pub line: u64,
    pub value: Node,
}

/// Text that is no YAML, and where it stops being it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {reason}")]
pub struct YamlError {
    /// 1-based.
    pub line: u64,
    /// 1-based.
    pub column: u64,
    pub reason: String,
}

impl Node {
    /// A node that no file holds.
    pub fn null(line: u64) -> Node {
        Node { line, file: 0, tag: None, value: Value::Null }
    }

    /// The value under a key of a mapping.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entries().iter().find(|e| e.key == key).map(|e| &e.value)
    }

    /// The value at a path of keys.
    pub fn at(&self, path: &[&str]) -> Option<&Node> {
        path.iter().try_fold(self, |node, key| node.get(key))
    }

    /// The pairs of a mapping; nothing for any other value.
    pub fn entries(&self) -> &[Entry] {
        match &self.value {
            Value::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The items of a list; nothing for any other value.
    pub fn items(&self) -> &[Node] {
        match &self.value {
            Value::List(items) => items,
            _ => &[],
        }
    }

    /// The text of a scalar.
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar { text, .. } => Some(text),
            _ => None,
        }
    }

    /// Whether nothing stands here.
    pub fn is_null(&self) -> bool {
        self.value == Value::Null
    }

    /// The texts of a list of scalars; a single scalar counts as a list of one.
    pub fn texts(&self) -> Vec<&str> {
        match &self.value {
            Value::List(items) => items.iter().filter_map(Node::text).collect(),
            Value::Scalar { text, .. } => vec![text],
            _ => Vec::new(),
        }
    }

    /// Calls `visit` on every scalar below, with its text replaced by what it returns.
    pub fn map_scalars(&mut self, visit: &mut dyn FnMut(&str, u64) -> Option<String>) {
        match &mut self.value {
            Value::Scalar { text, .. } => {
                if let Some(new) = visit(text, self.line) {
                    *text = new;
                }
            }
            Value::List(items) => items.iter_mut().for_each(|n| n.map_scalars(visit)),
            Value::Map(entries) => entries.iter_mut().for_each(|e| e.value.map_scalars(visit)),
            Value::Null => {}
        }
    }

    /// Marks this node and all below as coming from one of several files.
    pub fn set_file(&mut self, file: usize) {
        self.file = file;
        match &mut self.value {
            Value::List(items) => items.iter_mut().for_each(|n| n.set_file(file)),
            Value::Map(entries) => entries.iter_mut().for_each(|e| e.value.set_file(file)),
            _ => {}
        }
    }

    fn size(&self) -> usize {
        match &self.value {
            Value::List(items) => 1 + items.iter().map(Node::size).sum::<usize>(),
            Value::Map(entries) => 1 + entries.iter().map(|e| e.value.size()).sum::<usize>(),
            _ => 1,
        }
    }
}

/// Reads every document of a text; an empty text has none.
pub fn documents(text: &str) -> Result<Vec<Node>, YamlError> {
    let mut builder = Builder::default();
    for next in Parser::new_from_str(text.trim_start_matches('\u{feff}')) {
        let (event, span) = next.map_err(|e| YamlError {
            line: e.marker().line() as u64,
            column: e.marker().col() as u64 + 1,
            reason: e.to_string(),
        })?;
        let (line, column) = (span.start.line() as u64, span.start.col() as u64 + 1);
        builder.take(event, line).map_err(|reason| YamlError { line, column, reason })?;
    }
    Ok(builder.documents)
}

/// Reads the first document; `None` where the text holds none.
pub fn document(text: &str) -> Result<Option<Node>, YamlError> {
    Ok(documents(text)?.into_iter().next())
}

/// A collection that is still open.
struct Open {
    node: Node,
    anchor: usize,
    /// The key that waits for its value.
    key: Option<(String, u64)>,
}

#[derive(Default)]
struct Builder {
    documents: Vec<Node>,
    open: Vec<Open>,
    anchors: std::collections::HashMap<usize, Node>,
    nodes: usize,
}

impl Builder {
    fn take(&mut self, event: Event, line: u64) -> Result<(), String> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let value = scalar(text.into_owned(), style, tag.as_deref());
                self.finish(Node { line, file: 0, tag: local_tag(tag.as_deref()), value }, anchor)
            }
            Event::SequenceStart(_, anchor, tag) => {
                let node = Node { line, file: 0, tag: local_tag(tag.as_deref()), value: Value::List(Vec::new()) };
                self.open.push(Open { node, anchor, key: None });
                Ok(())
            }
            Event::MappingStart(_, anchor, tag) => {
                let node = Node { line, file: 0, tag: local_tag(tag.as_deref()), value: Value::Map(Vec::new()) };
                self.open.push(Open { node, anchor, key: None });
                Ok(())
            }
            Event::SequenceEnd | Event::MappingEnd => match self.open.pop() {
                Some(done) => {
                    let mut node = done.node;
                    merge_keys(&mut node);
                    self.finish(node, done.anchor)
                }
                None => Ok(()),
            },
            Event::Alias(anchor) => {
                let node = self.anchors.get(&anchor).cloned().ok_or("an alias before its anchor is complete")?;
                self.nodes += node.size();
                self.finish(node, 0)
            }
            _ => Ok(()),
        }
    }

    /// Puts a complete node where it belongs.
    fn finish(&mut self, node: Node, anchor: usize) -> Result<(), String> {
        self.nodes += 1;
        if self.nodes > NODES_MAX {
            return Err(format!("more than {NODES_MAX} values"));
        }
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        let Some(parent) = self.open.last_mut() else {
            self.documents.push(node);
            return Ok(());
        };
        match &mut parent.node.value {
            Value::List(items) => items.push(node),
            Value::Map(entries) => match parent.key.take() {
                None => parent.key = Some((key_text(&node), node.line)),
                Some((key, line)) => {
                    // A repeated key: compose and the common parsers keep the last, or refuse the file.
                    if key != "<<" {
                        entries.retain(|e| e.key != key);
                    }
                    entries.push(Entry { key, line, value: node });
                }
            },
            _ => {}
        }
        Ok(())
    }
}

fn key_text(node: &Node) -> String {
    node.text().unwrap_or("").to_owned()
}

fn scalar(text: String, style: ScalarStyle, tag: Option<&Tag>) -> Value {
    let plain = style == ScalarStyle::Plain && tag.is_none_or(|t| t.suffix() != "str");
    if plain && matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL") {
        return Value::Null;
    }
    Value::Scalar { text, plain }
}

fn local_tag(tag: Option<&Tag>) -> Option<String> {
    tag.filter(|t| t.handle() == "!").map(|t| t.suffix().to_owned())
}

/// Resolves `<<`: what the mapping says itself stands, of several bases the first.
fn merge_keys(node: &mut Node) {
    let Value::Map(entries) = &mut node.value else { return };
    if !entries.iter().any(|e| e.key == "<<") {
        return;
    }
    let all = std::mem::take(entries);
    let (bases, own): (Vec<Entry>, Vec<Entry>) = all.into_iter().partition(|e| e.key == "<<");
    *entries = own;
    for base in bases {
        let maps = match base.value.value {
            Value::List(items) => items,
            _ => vec![base.value],
        };
        for entry in maps.into_iter().flat_map(|m| match m.value {
            Value::Map(inner) => inner,
            _ => Vec::new(),
        }) {
            if !entries.iter().any(|e| e.key == entry.key) {
                entries.push(entry);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_remember_their_lines() {
        let tree = document("a:\n  b: 1 # one\n  c:\n    - x\n    - \"y z\"\nd:\n").unwrap().unwrap();
        assert_eq!(tree.at(&["a", "b"]).unwrap().text(), Some("1"));
        let list = tree.at(&["a", "c"]).unwrap();
        assert_eq!(list.items()[1].line, 5);
        assert_eq!(list.texts(), ["x", "y z"]);
        assert!(tree.get("d").unwrap().is_null());
        assert_eq!(tree.entries()[1].line, 6);
    }

    #[test]
    fn anchors_and_merge_keys_resolve() {
        let text = "x: &base\n  a: 1\n  b: 2\ny:\n  <<: *base\n  b: 3\nz:\n  <<: [*base, {c: 4}]\n";
        let tree = document(text).unwrap().unwrap();
        assert_eq!(tree.at(&["y", "b"]).unwrap().text(), Some("3"));
        assert_eq!(tree.at(&["y", "a"]).unwrap().line, 2);
        assert_eq!(tree.at(&["z", "c"]).unwrap().text(), Some("4"));
    }

    #[test]
    fn broken_text_names_its_line() {
        let error = document("services:\n  api:\n    image: \"x\n  db:\n").unwrap_err();
        assert!(error.line >= 3, "{error}");
        assert!(documents("").unwrap().is_empty());
        assert!(document("a: !reset null\n").unwrap().unwrap().get("a").unwrap().tag.as_deref() == Some("reset"));
    }

    #[test]
    fn aliases_cannot_explode() {
        let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for i in 1..9 {
            let of = format!("*a{}", i - 1);
            text += &format!("a{i}: &a{i} [{}]\n", vec![of; 10].join(", "));
        }
        assert!(document(&text).unwrap_err().reason.contains("more than"));
    }
}
