//! Names of functions and modules that a program puts together as it runs.

use tree_sitter::Node;

use super::{Reader, children};

impl Reader<'_, '_> {
    /// The name of a function that is looked up by a value, as far as the value is plain.
    pub(super) fn folded_name(&self, function: Node<'_>) -> Option<String> {
        match function.kind() {
            "attribute" => {
                let object = function.child_by_field_name("object")?;
                let module = self.named_by_value(object)?;
                Some(format!("{module}.{}", self.raw(function.child_by_field_name("attribute")?)))
            }
            _ => self.named_by_value(function),
        }
    }

    /// What an expression stands for: `getattr(os, NAME)`, `os.__dict__[NAME]`, `__import__(NAME)`.
    pub(super) fn named_by_value(&self, node: Node<'_>) -> Option<String> {
        match node.kind() {
            "parenthesized_expression" => self.named_by_value(node.named_child(0)?),
            "call" => {
                let function = node.child_by_field_name("function")?;
                let given = children(node.child_by_field_name("arguments")?);
                let plain = |at: usize| given.get(at).and_then(|a| self.one(*a).as_literal().map(str::to_owned));
                match self.raw(function) {
                    "__import__" | "importlib.import_module" | "import_module" => plain(0),
                    "getattr" => Some(format!("{}.{}", self.module(*given.first()?)?, plain(1)?)),
                    _ => None,
                }
            }
            "subscript" => {
                let table = node.child_by_field_name("value")?;
                let name = self.one(node.child_by_field_name("subscript")?).as_literal()?.to_owned();
                Some(format!("{}.{name}", self.table_of(table)?))
            }
            _ => None,
        }
    }

    /// The module whose names a table holds: `os.__dict__`, `vars(os)`.
    fn table_of(&self, table: Node<'_>) -> Option<String> {
        match table.kind() {
            "attribute" if self.raw(table.child_by_field_name("attribute")?) == "__dict__" => {
                self.module(table.child_by_field_name("object")?)
            }
            "call" if self.raw(table.child_by_field_name("function")?) == "vars" => {
                self.module(children(table.child_by_field_name("arguments")?).first().copied()?)
            }
            _ => None,
        }
    }

    fn module(&self, node: Node<'_>) -> Option<String> {
        match node.kind() {
            "identifier" => self.imports.get(self.raw(node)).cloned(),
            _ => self.named_by_value(node),
        }
    }
}
