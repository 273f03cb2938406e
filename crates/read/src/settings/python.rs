//! Reads of the environment in Python, on its grammar: calls, subscripts, settings classes.

use std::collections::{BTreeMap, BTreeSet};

use tree_sitter::{Node, Parser};

use super::text::names_environment;
use super::{Found, asks_for_development, asks_for_production, is_variable_name};

/// Finds what a module reads.
pub(super) fn read(text: &str) -> Vec<Found> {
    let mut parser = Parser::new();
    if parser.set_language(&tree_sitter_python::LANGUAGE.into()).is_err() {
        return Vec::new();
    }
    let Some(tree) = parser.parse(text, None) else { return Vec::new() };
    let mut module = Module {
        text,
        constants: BTreeMap::new(),
        aliases: BTreeMap::new(),
        settings: BTreeSet::new(),
        found: Vec::new(),
    };
    let root = tree.root_node();
    module.each(root, &mut Module::names);
    module.each(root, &mut Module::settings_class);
    module.each(root, &mut Module::reads);
    module.found
}

struct Module<'t> {
    text: &'t str,
    /// Names that stand for a string.
    constants: BTreeMap<String, String>,
    /// Imported names: `g` → `os.getenv`.
    aliases: BTreeMap<String, String>,
    /// Classes whose fields are settings.
    settings: BTreeSet<String>,
    found: Vec<Found>,
}

impl<'t> Module<'t> {
    /// Visits every node in the order of the text.
    fn each(&mut self, root: Node, visit: &mut dyn FnMut(&mut Module<'t>, Node)) {
        let mut open = vec![root];
        while let Some(node) = open.pop() {
            visit(self, node);
            let mut cursor = node.walk();
            let children: Vec<Node> = node.named_children(&mut cursor).collect();
            open.extend(children.into_iter().rev());
        }
    }

    fn source(&self, node: Node) -> &'t str {
        self.text.get(node.byte_range()).unwrap_or("")
    }

    /// Imports and assigned strings.
    fn names(&mut self, node: Node) {
        match node.kind() {
            "import_statement" => {
                for child in children(node) {
                    if let (Some(name), Some(alias)) =
                        (child.child_by_field_name("name"), child.child_by_field_name("alias"))
                    {
                        self.aliases.insert(self.source(alias).to_owned(), self.source(name).to_owned());
                    }
                }
            }
            "import_from_statement" => {
                let module = node.child_by_field_name("module_name").map_or("", |m| self.source(m)).to_owned();
                for child in children(node).into_iter().skip(1) {
                    let (name, alias) = match (child.child_by_field_name("name"), child.child_by_field_name("alias")) {
                        (Some(name), Some(alias)) => (self.source(name), self.source(alias)),
                        _ => (self.source(child), self.source(child)),
                    };
                    self.aliases.insert(alias.to_owned(), format!("{module}.{name}"));
                }
            }
            "assignment" => {
                let (Some(left), Some(right)) = (node.child_by_field_name("left"), node.child_by_field_name("right"))
                else {
                    return;
                };
                if left.kind() == "identifier" && !within(node, "function_definition") {
                    let value = self.string(right).or_else(|| self.read_of(right).and_then(|f| f.default));
                    if let Some(value) = value {
                        self.constants.insert(self.source(left).to_owned(), value);
                    }
                }
            }
            _ => {}
        }
    }

    /// The text with a leading imported name replaced by what it stands for.
    fn resolved(&self, name: &str) -> String {
        let (head, rest) = name.split_once('.').map_or((name, ""), |(h, r)| (h, r));
        match (self.aliases.get(head), rest) {
            (Some(full), "") => full.clone(),
            (Some(full), rest) => format!("{full}.{rest}"),
            (None, _) => name.to_owned(),
        }
    }

    /// Fields of settings classes.
    fn settings_class(&mut self, node: Node) {
        if node.kind() != "class_definition" {
            return;
        }
        let bases = node.child_by_field_name("superclasses").map(children).unwrap_or_default();
        let is_settings = bases.iter().any(|b| {
            let name = self.resolved(self.source(*b));
            name.rsplit('.').next().is_some_and(|n| n.ends_with("BaseSettings")) || self.settings.contains(&name)
        });
        if !is_settings {
            return;
        }
        if let Some(name) = node.child_by_field_name("name") {
            self.settings.insert(self.source(name).to_owned());
        }
        let Some(body) = node.child_by_field_name("body") else { return };
        let prefix = self.env_prefix(body);
        for statement in children(body) {
            let assignment =
                if statement.kind() == "expression_statement" { statement.named_child(0) } else { Some(statement) };
            let Some(assignment) = assignment.filter(|a| a.kind() == "assignment") else { continue };
            let (Some(left), Some(_)) =
                (assignment.child_by_field_name("left"), assignment.child_by_field_name("type"))
            else {
                continue;
            };
            self.field(self.source(left), assignment, &prefix);
        }
    }

    /// `env_prefix` of `model_config` or of an inner `Config`.
    fn env_prefix(&self, body: Node) -> String {
        let mut prefix = String::new();
        let mut open = vec![body];
        while let Some(node) = open.pop() {
            let (name, value) = match node.kind() {
                "keyword_argument" => (node.child_by_field_name("name"), node.child_by_field_name("value")),
                "assignment" => (node.child_by_field_name("left"), node.child_by_field_name("right")),
                "pair" => (node.child_by_field_name("key"), node.child_by_field_name("value")),
                _ => (None, None),
            };
            if let (Some(name), Some(value)) = (name, value)
                && self.source(name).trim_matches(['"', '\'']) == "env_prefix"
                && let Some(text) = self.string(value)
            {
                prefix = text;
            }
            open.extend(children(node));
        }
        prefix
    }

    fn field(&mut self, name: &str, assignment: Node, prefix: &str) {
        let right = assignment.child_by_field_name("right");
        let mut variables = vec![format!("{prefix}{name}").to_ascii_uppercase()];
        let mut default = None;
        if let Some(right) = right {
            default = self.value(right);
            if right.kind() == "call" && self.callee(right).rsplit('.').next() == Some("Field") {
                let arguments = right.child_by_field_name("arguments").map(children).unwrap_or_default();
                default = arguments.first().filter(|a| a.kind() != "keyword_argument").and_then(|a| self.value(*a));
                for argument in arguments.iter().filter(|a| a.kind() == "keyword_argument") {
                    let (Some(key), Some(value)) =
                        (argument.child_by_field_name("name"), argument.child_by_field_name("value"))
                    else {
                        continue;
                    };
                    match self.source(key) {
                        "default" => default = self.value(value),
                        "alias" | "validation_alias" | "env" => {
                            let names = self.strings_within(value);
                            if !names.is_empty() {
                                variables = names;
                            }
                        }
                        _ => {}
                    }
                }
            }
        }
        for variable in variables {
            let (default, at) = (default.clone(), assignment.start_byte());
            self.found.push(Found { variable, default, at, any_case: true, ..Found::default() });
        }
    }

    /// A default: a string, or one in a wrapper such as `SecretStr("…")`.
    fn value(&self, node: Node) -> Option<String> {
        if let Some(text) = self.string(node) {
            return Some(text);
        }
        if node.kind() == "call" {
            if let Some(read) = self.read_of(node) {
                return read.default;
            }
            let arguments = node.child_by_field_name("arguments").map(children).unwrap_or_default();
            if let [only] = arguments.as_slice() {
                return self.string(*only);
            }
        }
        None
    }

    fn strings_within(&self, node: Node) -> Vec<String> {
        match self.string(node) {
            Some(one) => vec![one],
            None => children(node).into_iter().flat_map(|c| self.strings_within(c)).collect(),
        }
    }

    /// Calls and subscripts that read a variable.
    fn reads(&mut self, node: Node) {
        if let Some(mut read) = self.read_of(node) {
            if read.default.is_none() {
                read.default = self.alternative(node);
                read.when_empty = read.default.is_some();
            }
            read.development_only = self.in_development(node);
            self.found.push(read);
        }
    }

    fn callee(&self, call: Node) -> String {
        call.child_by_field_name("function").map(|f| self.resolved(self.source(f))).unwrap_or_default()
    }

    /// The read that a node is, if it is one.
    fn read_of(&self, node: Node) -> Option<Found> {
        let at = node.start_byte();
        if node.kind() == "subscript" {
            let of = self.resolved(self.source(node.child_by_field_name("value")?));
            let key = self.string(node.child_by_field_name("subscript")?)?;
            let reads = of == "environ" || of.ends_with(".environ");
            return reads.then(|| Found { variable: key, at, ..Found::default() });
        }
        if node.kind() != "call" {
            return None;
        }
        let callee = self.callee(node);
        let direct = callee.ends_with("getenv") || callee.contains("environ.");
        if !direct && !names_environment(&callee) {
            return None;
        }
        let arguments = children(node.child_by_field_name("arguments")?);
        let variable = self.string(*arguments.first()?)?;
        if !direct && !is_variable_name(&variable) {
            return None;
        }
        let keyword = arguments.iter().find(|a| {
            a.kind() == "keyword_argument" && a.child_by_field_name("name").is_some_and(|n| self.source(n) == "default")
        });
        let given = keyword
            .and_then(|k| k.child_by_field_name("value"))
            .or_else(|| arguments.get(1).copied().filter(|a| a.kind() != "keyword_argument"));
        Some(Found { variable, default: given.and_then(|g| self.value(g)), at, ..Found::default() })
    }

    /// `read or "d"`, `read if … else "d"`, or a later `if not name: name = "d"`.
    fn alternative(&self, node: Node) -> Option<String> {
        let mut at = node;
        while let Some(parent) = at.parent() {
            match parent.kind() {
                "boolean_operator" => {
                    let right = parent.child_by_field_name("right")?;
                    let is_or = parent.child_by_field_name("operator").is_some_and(|o| self.source(o) == "or");
                    if is_or && right.id() != at.id() {
                        return self.value(right);
                    }
                }
                "conditional_expression" => {
                    let parts = children(parent);
                    return parts.last().filter(|p| p.id() != at.id()).and_then(|p| self.value(*p));
                }
                "assignment" => return self.assigned_when_empty(parent).or_else(|| self.assigned_on_error(parent)),
                "parenthesized_expression" => {}
                _ => return None,
            }
            at = parent;
        }
        None
    }

    fn assigned_when_empty(&self, assignment: Node) -> Option<String> {
        let name = self.source(assignment.child_by_field_name("left")?);
        let next = assignment.parent()?.next_named_sibling()?;
        if next.kind() != "if_statement" {
            return None;
        }
        let condition = self.source(next.child_by_field_name("condition")?);
        let empty = [format!("not {name}"), format!("{name} is None"), format!("{name} == \"\"")];
        if !empty.iter().any(|e| condition == e) {
            return None;
        }
        let statement = next.child_by_field_name("consequence")?.named_child(0)?.named_child(0)?;
        let left = statement.child_by_field_name("left")?;
        if self.source(left) != name {
            return None;
        }
        self.value(statement.child_by_field_name("right")?)
    }

    /// `except KeyError: name = "d"` of the `try` that reads it.
    fn assigned_on_error(&self, assignment: Node) -> Option<String> {
        let name = self.source(assignment.child_by_field_name("left")?);
        let tried = assignment.parent()?.parent()?.parent().filter(|t| t.kind() == "try_statement")?;
        let handlers = children(tried).into_iter().filter(|c| c.kind() == "except_clause");
        let statements = handlers.flat_map(children).filter(|c| c.kind() == "block").flat_map(children);
        let assigned = statements.filter_map(|s| s.named_child(0)).find(|a| {
            a.kind() == "assignment" && a.child_by_field_name("left").is_some_and(|l| self.source(l) == name)
        })?;
        self.value(assigned.child_by_field_name("right")?)
    }

    /// Whether an earlier statement of the same block stops a production run.
    fn after_stop(&self, node: Node) -> bool {
        let mut at = node;
        while let Some(before) = at.prev_named_sibling() {
            let condition = before.child_by_field_name("condition").filter(|_| before.kind() == "if_statement");
            let ends = before.child_by_field_name("consequence").and_then(|c| children(c).pop()).is_some_and(|last| {
                matches!(last.kind(), "raise_statement" | "return_statement") || self.source(last).contains("exit(")
            });
            if ends && condition.is_some_and(|c| asks_for_production(self.source(c))) {
                return true;
            }
            at = before;
        }
        false
    }

    fn in_development(&self, node: Node) -> bool {
        let mut at = node;
        while let Some(parent) = at.parent() {
            let condition = match parent.kind() {
                "if_statement" | "elif_clause" => parent
                    .child_by_field_name("condition")
                    .filter(|_| parent.child_by_field_name("consequence").is_some_and(|c| c.id() == at.id())),
                _ => None,
            };
            if condition.is_some_and(|c| asks_for_development(self.source(c))) || self.after_stop(at) {
                return true;
            }
            at = parent;
        }
        false
    }

    /// The string that an expression is; `{…}` of a formatted one is resolved where it can be.
    fn string(&self, node: Node) -> Option<String> {
        match node.kind() {
            "string" => Some(self.string_parts(node)),
            "concatenated_string" | "parenthesized_expression" => {
                let parts: Option<Vec<String>> = children(node).into_iter().map(|c| self.string(c)).collect();
                parts.map(|p| p.concat())
            }
            "binary_operator" => {
                let plus = node.child_by_field_name("operator").is_some_and(|o| self.source(o) == "+");
                let left = self.string(node.child_by_field_name("left")?)?;
                let right = self.string(node.child_by_field_name("right")?)?;
                plus.then(|| left + &right)
            }
            "identifier" => self.constants.get(self.source(node)).cloned(),
            _ => None,
        }
    }

    fn string_parts(&self, node: Node) -> String {
        let mut out = String::new();
        for part in children(node) {
            match part.kind() {
                "string_content" => out.push_str(self.source(part)),
                "interpolation" => {
                    let inner = part.child_by_field_name("expression").or_else(|| part.named_child(0));
                    let known = inner.and_then(|i| self.string(i).or_else(|| self.read_of(i).and_then(|r| r.default)));
                    out.push_str(&known.unwrap_or_else(|| self.source(part).to_owned()));
                }
                _ => {}
            }
        }
        out
    }
}

fn children(node: Node) -> Vec<Node> {
    let mut cursor = node.walk();
    node.named_children(&mut cursor).filter(|c| c.kind() != "comment").collect()
}

fn within(node: Node, kind: &str) -> bool {
    let mut at = node.parent();
    while let Some(parent) = at {
        if parent.kind() == kind {
            return true;
        }
        at = parent.parent();
    }
    false
}
