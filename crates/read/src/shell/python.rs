//! Inline Python: the calls by which it deletes, moves or runs something else.
//!
//! Only calls with arguments that are plain in the text are followed; everything
//! else in the program is left alone.

use std::collections::BTreeMap;

use tree_sitter::{Node, Parser};

use super::word::{Unknown, Word};

/// Longest program that is read, in bytes.
const PROGRAM_BYTES_MAX: usize = 64 * 1024;
/// Deepest level of the tree that is descended into.
const DEPTH_MAX: usize = 60;

/// What a program would run in a shell's terms.
#[derive(Debug, PartialEq)]
pub(crate) enum Act {
    /// A command by its words, such as `rm -rf PATH`.
    Run(Vec<Word>),
    /// Text for a shell.
    Shell(Word),
}

/// The acts of a program, in the order of the text.
pub(crate) fn acts(program: &str) -> Vec<Act> {
    let mut parser = Parser::new();
    let read = parser.set_language(&tree_sitter_python::LANGUAGE.into()).is_ok() && program.len() <= PROGRAM_BYTES_MAX;
    let Some(tree) = read.then(|| parser.parse(program, None)).flatten() else { return Vec::new() };
    let mut reader = Reader { text: program, names: BTreeMap::new(), acts: Vec::new() };
    reader.visit(tree.root_node(), 0);
    reader.acts
}

struct Reader<'a> {
    text: &'a str,
    /// Variables that were given plain values.
    names: BTreeMap<String, Word>,
    acts: Vec<Act>,
}

impl Reader<'_> {
    fn raw(&self, node: Node<'_>) -> &str {
        self.text.get(node.byte_range()).unwrap_or_default()
    }

    fn visit(&mut self, node: Node<'_>, depth: usize) {
        if depth > DEPTH_MAX {
            return;
        }
        match node.kind() {
            "assignment" => {
                if let (Some(left), Some(right)) = (node.child_by_field_name("left"), node.child_by_field_name("right"))
                {
                    let value = self.value(right);
                    self.names.insert(self.raw(left).to_owned(), value);
                }
            }
            "call" => self.call(node),
            _ => {}
        }
        let mut cursor = node.walk();
        for child in node.named_children(&mut cursor) {
            self.visit(child, depth + 1);
        }
    }

    fn call(&mut self, node: Node<'_>) {
        let Some(function) = node.child_by_field_name("function") else { return };
        let Some(arguments) = node.child_by_field_name("arguments") else { return };
        let name = self.raw(function).rsplit('.').next().unwrap_or_default().to_owned();
        let module = function.child_by_field_name("object").map(|o| self.raw(o).to_owned()).unwrap_or_default();
        let mut cursor = arguments.walk();
        let plain: Vec<Node<'_>> =
            arguments.named_children(&mut cursor).filter(|a| a.kind() != "keyword_argument").collect();
        let value = |at: usize| plain.get(at).map(|a| self.value(*a));
        let words = |program: &[&str], rest: Vec<Word>| {
            Act::Run(program.iter().map(|w| Word::literal(*w)).chain(rest).collect())
        };
        let act = match (module.as_str(), name.as_str()) {
            ("shutil" | "", "rmtree") => value(0).map(|path| words(&["rm", "-rf"], vec![path])),
            ("os" | "", "remove" | "unlink") => value(0).map(|path| words(&["rm", "-f"], vec![path])),
            ("os", "rename" | "replace") | ("shutil", "move") => {
                value(0).zip(value(1)).map(|(from, to)| words(&["mv"], vec![from, to]))
            }
            ("os", "system" | "popen") => value(0).map(Act::Shell),
            ("subprocess" | "", "run" | "call" | "check_call" | "check_output" | "Popen" | "getoutput") => {
                plain.first().map(|first| match first.kind() {
                    "list" | "tuple" => Act::Run(self.items(*first)),
                    _ => Act::Shell(self.value(*first)),
                })
            }
            (_, "unlink") if module.contains("Path(") => {
                function.child_by_field_name("object").map(|o| words(&["rm", "-f"], vec![self.value(o)]))
            }
            _ => None,
        };
        self.acts.extend(act);
    }

    fn items(&self, node: Node<'_>) -> Vec<Word> {
        let mut cursor = node.walk();
        node.named_children(&mut cursor).map(|item| self.value(item)).collect()
    }

    /// The value of an expression, as far as it is plain in the text.
    fn value(&self, node: Node<'_>) -> Word {
        let unknown = || Word::unknown(Unknown::Other);
        match node.kind() {
            "string" => {
                let mut cursor = node.walk();
                let mut word = Word::default();
                for part in node.named_children(&mut cursor) {
                    match part.kind() {
                        "string_content" => word.push_text(self.raw(part)),
                        "interpolation" => {
                            let inner = part.child_by_field_name("expression").map(|e| self.value(e));
                            word.extend(inner.unwrap_or_else(unknown));
                        }
                        _ => {}
                    }
                }
                word
            }
            "identifier" => self
                .names
                .get(self.raw(node))
                .cloned()
                .unwrap_or_else(|| Word::unknown(Unknown::Variable(self.raw(node).to_owned()))),
            "parenthesized_expression" => node.named_child(0).map_or_else(unknown, |inner| self.value(inner)),
            "concatenated_string" => self.joined(self.items(node), ""),
            "binary_operator" => {
                let (left, right) = (node.child_by_field_name("left"), node.child_by_field_name("right"));
                let operator = node.child_by_field_name("operator").map(|o| self.raw(o).to_owned()).unwrap_or_default();
                match (left, right, operator.as_str()) {
                    (Some(l), Some(r), "+") => self.joined(vec![self.value(l), self.value(r)], ""),
                    (Some(l), Some(r), "/") => self.joined(vec![self.value(l), self.value(r)], "/"),
                    _ => unknown(),
                }
            }
            "call" => {
                let name = node.child_by_field_name("function").map(|f| self.raw(f).to_owned()).unwrap_or_default();
                let arguments = node.child_by_field_name("arguments").map(|a| self.items(a)).unwrap_or_default();
                match name.rsplit('.').next().unwrap_or_default() {
                    "join" | "Path" | "PosixPath" => self.joined(arguments, "/"),
                    "str" | "expanduser" | "abspath" | "realpath" => self.joined(arguments, ""),
                    _ => unknown(),
                }
            }
            _ => unknown(),
        }
    }

    fn joined(&self, words: Vec<Word>, between: &str) -> Word {
        let mut out = Word::default();
        for (i, word) in words.into_iter().enumerate() {
            if i > 0 {
                out.push_text(between);
            }
            out.extend(word);
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(program: &str) -> Vec<String> {
        acts(program)
            .iter()
            .map(|act| match act {
                Act::Run(words) => super::super::show_argv(words),
                Act::Shell(text) => format!("sh: {}", text.show()),
            })
            .collect()
    }

    #[test]
    fn calls_that_delete_or_run_are_found() {
        assert_eq!(shown("import shutil\nshutil.rmtree('/a/b')"), ["rm -rf /a/b"]);
        assert_eq!(shown("from shutil import rmtree; d = '/a'; rmtree(d + '/b', ignore_errors=True)"), ["rm -rf /a/b"]);
        assert_eq!(shown("import os; os.system(f\"rm -rf {x}/y\")"), ["sh: rm -rf $x/y"]);
        assert_eq!(
            shown("import subprocess as s, subprocess\nsubprocess.run(['rm', '-rf', '/a'], check=True)"),
            ["rm -rf /a"]
        );
        assert_eq!(shown("os.remove(os.path.join('/a', 'b')); shutil.move('/a', '/b')"), ["rm -f /a/b", "mv /a /b"]);
        assert_eq!(shown("for p in x:\n    if True:\n        (Path('/a') / 'b').unlink()\n"), ["rm -f /a/b"]);
    }

    #[test]
    fn text_and_reading_are_no_acts() {
        assert!(shown("print('shutil.rmtree(\"/a\")')  # os.system('rm -rf /')").is_empty());
        assert!(shown("open('/a').read(); data.remove('/a'); run('x')").len() <= 1);
        assert!(shown("def (((").is_empty());
    }
}
