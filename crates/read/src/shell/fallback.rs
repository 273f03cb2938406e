//! Reads what the real grammar refuses: a tolerant tree first, then flat words.
//!
//! A guard must not go blind because of a stray quote. The tolerant tree keeps
//! the commands around an error; the flat reading needs no recursion at all and
//! therefore takes any depth and any length.

use std::rc::Rc;

use tree_sitter::{Node as Syntax, Parser};

use super::tree::{Assign, AssignValue, Item, Join, Node, Redir, Simple};

/// Deepest level of the tolerant tree that is descended into.
const TREE_DEPTH_MAX: usize = 80;
/// Bytes that are read flat at either end of a text; whoever gives more says that not all was read.
const FLAT_BYTES_MAX: usize = 128 * 1024;
/// Most words of one command that the flat reading keeps.
const FLAT_WORDS_MAX: usize = 10_000;
/// Most simple commands that the flat reading collects.
const FLAT_COMMANDS_MAX: usize = 20_000;

/// Parses with the tolerant grammar; `None` where even that yields nothing.
pub(crate) fn parse(text: &str) -> Option<Node> {
    let mut parser = Parser::new();
    parser.set_language(&tree_sitter_bash::LANGUAGE.into()).ok()?;
    let tree = parser.parse(text, None)?;
    Some(Lower { text }.list(tree.root_node(), 0))
}

struct Lower<'a> {
    text: &'a str,
}

impl Lower<'_> {
    fn raw(&self, node: Syntax<'_>) -> String {
        self.text.get(node.byte_range()).unwrap_or_default().to_owned()
    }

    fn children<'t>(&self, node: Syntax<'t>) -> Vec<Syntax<'t>> {
        let mut cursor = node.walk();
        node.named_children(&mut cursor).collect()
    }

    fn list(&self, node: Syntax<'_>, depth: usize) -> Node {
        if depth > TREE_DEPTH_MAX {
            return flat(&self.raw(node));
        }
        Node::List(self.children(node).into_iter().filter_map(|child| self.statement(child, depth + 1)).collect())
    }

    fn statement(&self, node: Syntax<'_>, depth: usize) -> Option<Node> {
        if depth > TREE_DEPTH_MAX {
            return Some(flat(&self.raw(node)));
        }
        Some(match node.kind() {
            "comment" | "heredoc_body" | "heredoc_end" | "heredoc_start" => return None,
            "command" | "declaration_command" | "unset_command" | "variable_assignment" | "variable_assignments" => {
                Node::Simple(self.simple(node))
            }
            "redirected_statement" => self.redirected(node, depth),
            "pipeline" => {
                let stages = self.children(node).into_iter().filter_map(|c| self.statement(c, depth + 1)).collect();
                Node::Pipeline(stages)
            }
            "list" => self.and_or(node, depth)?,
            "negated_command" => Node::Not(Box::new(self.list(node, depth))),
            "subshell" | "command_substitution" | "process_substitution" => {
                Node::Subshell(Box::new(self.list(node, depth)))
            }
            "test_command" => Node::Test(vec![self.raw(node)]),
            "for_statement" => self.for_loop(node, depth),
            "while_statement" => Node::While {
                condition: Box::new(self.field(node, "condition", depth)),
                body: Box::new(self.field(node, "body", depth)),
            },
            "if_statement" => self.branches(node, depth),
            "case_statement" => self.case(node, depth),
            "function_definition" => Node::Function {
                name: node.child_by_field_name("name").map(|n| self.raw(n)).unwrap_or_default(),
                body: Rc::new(self.field(node, "body", depth)),
            },
            // Where the tolerant tree itself gave up, its words are still commands.
            "ERROR" => Node::List(vec![self.list(node, depth), flat(&self.raw(node))]),
            "word" | "string" | "concatenation" | "raw_string" | "number" => return None,
            _ => self.list(node, depth),
        })
    }

    fn field(&self, node: Syntax<'_>, name: &str, depth: usize) -> Node {
        let mut cursor = node.walk();
        let parts: Vec<_> = node.children_by_field_name(name, &mut cursor).filter(|n| n.is_named()).collect();
        Node::List(parts.into_iter().filter_map(|part| self.statement(part, depth + 1)).collect())
    }

    fn and_or(&self, node: Syntax<'_>, depth: usize) -> Option<Node> {
        let mut first = None;
        let mut rest = Vec::new();
        let mut join = Join::And;
        let mut cursor = node.walk();
        for child in node.children(&mut cursor) {
            match child.kind() {
                "&&" => join = Join::And,
                "||" => join = Join::Or,
                _ if child.is_named() => match (self.statement(child, depth + 1), &first) {
                    (Some(lowered), None) => first = Some(lowered),
                    (Some(lowered), Some(_)) => rest.push((join, lowered)),
                    (None, _) => {}
                },
                _ => {}
            }
        }
        Some(Node::AndOr(Box::new(first?), rest))
    }

    fn redirected(&self, node: Syntax<'_>, depth: usize) -> Node {
        let body = self.field(node, "body", depth);
        let redirs = self.children(node).into_iter().filter_map(|child| self.redirect(child)).collect();
        Node::Redirected(Box::new(body), redirs)
    }

    fn redirect(&self, node: Syntax<'_>) -> Option<Redir> {
        let destination = || node.child_by_field_name("destination").map(|n| self.raw(n));
        match node.kind() {
            "file_redirect" => {
                let whole = self.raw(node);
                let operator = whole.trim_start_matches(|c: char| c.is_ascii_digit());
                let stream = whole[..whole.len() - operator.len()].parse().unwrap_or(1);
                match operator {
                    o if o.starts_with(">>") || o.starts_with("&>>") => {
                        destination().map(|raw| Redir::Append(stream, raw))
                    }
                    o if o.starts_with(">&") => None,
                    o if o.starts_with('>') || o.starts_with("&>") => {
                        destination().map(|raw| Redir::Write(stream, raw))
                    }
                    _ => destination().map(Redir::Read),
                }
            }
            "herestring_redirect" => self.children(node).last().map(|n| Redir::HereString(self.raw(*n))),
            "heredoc_redirect" => {
                let parts = self.children(node);
                let start = parts.iter().find(|n| n.kind() == "heredoc_start").map(|n| self.raw(*n))?;
                let body = parts.iter().find(|n| n.kind() == "heredoc_body").map(|n| self.raw(*n)).unwrap_or_default();
                Some(Redir::Here { text: body, expands: !start.contains(['\'', '"', '\\']) })
            }
            _ => None,
        }
    }

    fn for_loop(&self, node: Syntax<'_>, depth: usize) -> Node {
        let mut cursor = node.walk();
        let words: Vec<_> = node.children_by_field_name("value", &mut cursor).map(|n| self.raw(n)).collect();
        Node::For {
            variable: node.child_by_field_name("variable").map(|n| self.raw(n)).unwrap_or_default(),
            words: Some(words),
            body: Box::new(self.field(node, "body", depth)),
        }
    }

    fn branches(&self, node: Syntax<'_>, depth: usize) -> Node {
        let condition = self.field(node, "condition", depth);
        let rest = Node::List(
            self.children(node)
                .into_iter()
                .enumerate()
                .filter(|(i, _)| node.field_name_for_named_child(*i as u32) != Some("condition"))
                .filter_map(|(_, child)| self.statement(child, depth + 1))
                .collect(),
        );
        Node::If(vec![(Some(condition), rest)])
    }

    fn case(&self, node: Syntax<'_>, depth: usize) -> Node {
        let arms = self.children(node).into_iter().filter(|n| n.kind() == "case_item").map(|item| {
            let pattern = item.child_by_field_name("value").map(|n| self.raw(n)).unwrap_or_default();
            (vec![pattern], self.list(item, depth + 1))
        });
        let value = node.child_by_field_name("value").map(|n| self.raw(n)).unwrap_or_default();
        Node::Case { value, arms: arms.collect() }
    }

    fn simple(&self, node: Syntax<'_>) -> Simple {
        let mut out = Simple { span: node.byte_range(), ..Simple::default() };
        if matches!(node.kind(), "declaration_command" | "unset_command") {
            let keyword = self.raw(node).split_whitespace().next().unwrap_or_default().to_owned();
            out.items.push(Item::Word(keyword));
        }
        if node.kind() == "variable_assignment" {
            out.assigns.extend(self.assign(node));
            return out;
        }
        for child in self.children(node) {
            match child.kind() {
                "variable_assignment" if out.items.is_empty() => out.assigns.extend(self.assign(child)),
                "variable_assignment" => match self.assign(child) {
                    Some(assign) => out.items.push(Item::Assign(assign, self.raw(child))),
                    None => out.items.push(Item::Word(self.raw(child))),
                },
                "file_redirect" | "herestring_redirect" | "heredoc_redirect" => out.redirs.extend(self.redirect(child)),
                "process_substitution" => out.items.push(Item::Process(self.list(child, 0))),
                "comment" => {}
                _ => out.items.push(Item::Word(self.raw(child))),
            }
        }
        out
    }

    fn assign(&self, node: Syntax<'_>) -> Option<Assign> {
        let name = node.child_by_field_name("name").map(|n| self.raw(n))?;
        let value = match node.child_by_field_name("value") {
            Some(n) if n.kind() == "array" => {
                AssignValue::Array(self.children(n).into_iter().map(|item| (None, self.raw(item))).collect())
            }
            Some(n) => AssignValue::Scalar(self.raw(n)),
            None => AssignValue::Scalar(String::new()),
        };
        let append = self.raw(node).contains("+=");
        Some(Assign { name, index: None, value, append })
    }
}

/// Splits text at everything that can begin a command, outside single quotes.
///
/// A quote that is not closed on its own line is no quote: the line is read once
/// more with it as plain text. Nothing is nested and nothing fails.
pub(crate) fn flat(text: &str) -> Node {
    if text.len() <= 2 * FLAT_BYTES_MAX {
        return flat_part(text);
    }
    let head = &text[..text.floor_char_boundary(FLAT_BYTES_MAX)];
    let tail = &text[text.ceil_char_boundary(text.len() - FLAT_BYTES_MAX)..];
    Node::List(vec![flat_part(head), flat_part(tail)])
}

fn flat_part(text: &str) -> Node {
    let mut commands = Vec::new();
    for line in text.split_inclusive('\n') {
        if commands.len() >= FLAT_COMMANDS_MAX {
            break;
        }
        if let Some(at) = flat_line(line, &mut commands) {
            flat_line(&line[at + 1..], &mut commands);
        }
    }
    Node::List(commands)
}

/// Reads one line; gives back where a quote begins that is not closed.
fn flat_line(text: &str, commands: &mut Vec<Node>) -> Option<usize> {
    let mut simple = Simple::default();
    let mut word = String::new();
    let mut quote: Option<(usize, char)> = None;
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        if commands.len() >= FLAT_COMMANDS_MAX {
            break;
        }
        let separates = matches!(c, '\n' | ';' | '&' | '|' | '(' | ')' | '`');
        match quote {
            _ if escaped => {
                escaped = false;
                if c != '\n' {
                    word.push('\\');
                    word.push(c);
                }
            }
            Some((_, '\'')) if c != '\'' && c != '\n' => word.push_str(&quoted(c)),
            Some((_, open)) if c == open => quote = None,
            Some(_) if c.is_whitespace() && c != '\n' => word.push_str(&quoted(c)),
            _ if c == '\\' => escaped = true,
            None if c == '\'' || c == '"' => quote = Some((at, c)),
            _ if separates => {
                if c != '\n' {
                    quote = None;
                }
                end_word(&mut simple, &mut word);
                if !simple.items.is_empty() {
                    commands.push(Node::Simple(std::mem::take(&mut simple)));
                }
            }
            _ if c.is_whitespace() => end_word(&mut simple, &mut word),
            _ => word.push(c),
        }
    }
    end_word(&mut simple, &mut word);
    if !simple.items.is_empty() {
        commands.push(Node::Simple(simple));
    }
    quote.map(|(at, _)| at)
}

fn quoted(c: char) -> String {
    format!("\\{c}")
}

fn end_word(simple: &mut Simple, word: &mut String) {
    let trimmed = word.trim_end_matches('$');
    if !trimmed.is_empty() && simple.items.len() < FLAT_WORDS_MAX {
        simple.items.push(Item::Word(trimmed.to_owned()));
    }
    word.clear();
}
