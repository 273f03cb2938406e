//! JavaScript programs: the calls by which they delete, move, empty or run something else.
//!
//! TypeScript is read by the same tolerant grammar: its annotations are skipped
//! as errors, and the calls around them stay.

use std::collections::BTreeMap;

use tree_sitter::{Node, Parser};

use super::interpret::{Act, Around, Client, PROGRAM_BYTES_MAX, joined, run, sql, within};
use super::word::{Unknown, Word};

/// Deepest level of the tree that is descended into.
const DEPTH_MAX: usize = 80;
/// Most rounds of a loop over a list.
const ROUNDS_MAX: usize = 16;
/// Most nodes that are visited, loops counted each time.
const VISITS_MAX: usize = 60_000;

/// The acts of a program, in the order of the text.
pub(crate) fn acts(program: &str, around: &Around<'_>) -> Vec<Act> {
    let program = &without_types(program);
    let mut parser = Parser::new();
    let language = tree_sitter_javascript::LANGUAGE.into();
    let read = parser.set_language(&language).is_ok() && program.len() <= PROGRAM_BYTES_MAX;
    let Some(tree) = read.then(|| parser.parse(program, None)).flatten() else { return Vec::new() };
    let mut reader = Reader {
        text: program,
        around,
        names: BTreeMap::new(),
        imports: BTreeMap::new(),
        client: None,
        visits: 0,
        acts: Vec::new(),
    };
    reader.visit(tree.root_node(), 0);
    reader.acts
}

#[derive(Clone)]
enum Value {
    One(Word),
    Many(Vec<Word>),
}

struct Reader<'a> {
    text: &'a str,
    around: &'a Around<'a>,
    names: BTreeMap<String, Value>,
    /// Names that stand for modules or for what is in them.
    imports: BTreeMap<String, String>,
    client: Option<Client>,
    visits: usize,
    acts: Vec<Act>,
}

fn unknown() -> Word {
    Word::unknown(Unknown::Other)
}

fn children<'t>(node: Node<'t>) -> Vec<Node<'t>> {
    let mut cursor = node.walk();
    node.named_children(&mut cursor).collect()
}

impl Reader<'_> {
    fn raw(&self, node: Node<'_>) -> &str {
        self.text.get(node.byte_range()).unwrap_or_default()
    }

    fn visit(&mut self, node: Node<'_>, depth: usize) {
        self.visits += 1;
        if depth > DEPTH_MAX || self.visits > VISITS_MAX {
            return;
        }
        match node.kind() {
            "import_statement" => return self.import(node),
            "variable_declarator" => self.declare(node),
            "for_in_statement" => return self.rounds(node, depth),
            "call_expression" => {
                self.then(node);
                self.call(node);
                if self.each(node, depth) {
                    return;
                }
            }
            "new_expression" => self.make(node),
            _ => {}
        }
        for child in children(node) {
            self.visit(child, depth + 1);
        }
    }

    /// `import { a as b } from "m"`, `import m from "m"`, `import * as m from "m"`.
    fn import(&mut self, node: Node<'_>) {
        let module = node.child_by_field_name("source").map(|s| bare(&self.one(s).show())).unwrap_or_default();
        self.note_client(&module);
        let mut pending = children(node);
        while let Some(next) = pending.pop() {
            match next.kind() {
                "identifier" => drop(self.imports.insert(self.raw(next).to_owned(), module.clone())),
                "import_specifier" => {
                    let name = next.child_by_field_name("name").map(|n| self.raw(n).to_owned()).unwrap_or_default();
                    let alias =
                        next.child_by_field_name("alias").map_or_else(|| name.clone(), |a| self.raw(a).to_owned());
                    self.imports.insert(alias, format!("{module}.{name}"));
                }
                "string" => {}
                _ => pending.extend(children(next)),
            }
        }
    }

    fn note_client(&mut self, module: &str) {
        self.client = self.client.take().or_else(|| match module {
            "pg" | "postgres" | "pg-promise" | "@prisma/client" | "knex" | "sequelize" | "typeorm" | "slonik" => {
                Some(Client::Postgres(Vec::new()))
            }
            "mysql" | "mysql2" | "mysql2/promise" | "mariadb" => Some(Client::MySql(Vec::new())),
            "better-sqlite3" | "sqlite3" | "bun:sqlite" | "node:sqlite" | "sqlite" => Some(Client::Sqlite(unknown())),
            _ => None,
        });
    }

    /// `const x = …`, `const { a, b: c } = require("m")`.
    fn declare(&mut self, node: Node<'_>) {
        let (Some(name), Some(value)) = (node.child_by_field_name("name"), node.child_by_field_name("value")) else {
            return;
        };
        if let Some(module) = self.module_of(value) {
            self.note_client(&module);
            self.bind(name, &module);
            return;
        }
        let value = self.value(value);
        let name = self.raw(name).to_owned();
        self.names.insert(name, value);
    }

    fn bind(&mut self, pattern: Node<'_>, module: &str) {
        if pattern.kind() == "identifier" {
            self.imports.insert(self.raw(pattern).to_owned(), module.to_owned());
            return;
        }
        for child in children(pattern) {
            match child.kind() {
                "shorthand_property_identifier_pattern" => {
                    let name = self.raw(child).to_owned();
                    self.imports.insert(name.clone(), format!("{module}.{name}"));
                }
                "pair_pattern" => {
                    let key = child.child_by_field_name("key").map(|k| self.raw(k).to_owned()).unwrap_or_default();
                    let name = child.child_by_field_name("value").map(|v| self.raw(v).to_owned()).unwrap_or_default();
                    self.imports.insert(name, format!("{module}.{key}"));
                }
                _ => {}
            }
        }
    }

    /// The module that an expression is, or what of it: `require("fs").promises`, `promisify(cp.exec)`.
    fn module_of(&self, node: Node<'_>) -> Option<String> {
        match node.kind() {
            "call_expression" => {
                let function = node.child_by_field_name("function")?;
                let first = children(node.child_by_field_name("arguments")?).into_iter().next()?;
                match self.raw(function) {
                    "require" => Some(bare(&self.one(first).show())),
                    "import" => Some(bare(&self.one(first).show())),
                    name if name.ends_with("promisify") => Some(self.full_name(first)),
                    _ => None,
                }
            }
            "await_expression" | "parenthesized_expression" => self.module_of(node.named_child(0)?),
            "member_expression" => {
                let object = self.module_of(node.child_by_field_name("object")?)?;
                Some(format!("{object}.{}", self.raw(node.child_by_field_name("property")?)))
            }
            "identifier" => self.imports.get(self.raw(node)).cloned(),
            _ => None,
        }
    }

    /// `import("m").then(m => …)`: the parameter is the module.
    fn then(&mut self, node: Node<'_>) {
        let Some(function) = node.child_by_field_name("function") else { return };
        let object = function.child_by_field_name("object");
        let property = function.child_by_field_name("property").map(|p| self.raw(p));
        let Some(module) = object.filter(|_| property == Some("then")).and_then(|o| self.module_of(o)) else { return };
        let callback = node.child_by_field_name("arguments").and_then(|a| a.named_child(0));
        let parameter = callback.and_then(|c| {
            c.child_by_field_name("parameter").or_else(|| c.child_by_field_name("parameters")?.named_child(0))
        });
        if let Some(parameter) = parameter {
            self.bind(parameter, &module);
        }
    }

    /// `for (const x of [...])`.
    fn rounds(&mut self, node: Node<'_>, depth: usize) {
        let (Some(left), Some(right)) = (node.child_by_field_name("left"), node.child_by_field_name("right")) else {
            return;
        };
        self.visit(right, depth + 1);
        let Some(body) = node.child_by_field_name("body") else { return };
        let name = self.raw(left).to_owned();
        self.follow_each(right, &name, body, depth);
    }

    /// `[...].forEach(x => …)`; true where its body was followed.
    fn each(&mut self, node: Node<'_>, depth: usize) -> bool {
        let Some(function) = node.child_by_field_name("function") else { return false };
        let property = function.child_by_field_name("property").map(|p| self.raw(p));
        if !matches!(property, Some("forEach" | "map")) {
            return false;
        }
        let callback = node.child_by_field_name("arguments").and_then(|a| a.named_child(0));
        let parts = (|| {
            let callback = callback?;
            let parameter = callback
                .child_by_field_name("parameter")
                .or_else(|| callback.child_by_field_name("parameters")?.named_child(0))?;
            Some((function.child_by_field_name("object")?, parameter, callback.child_by_field_name("body")?))
        })();
        let Some((object, parameter, body)) = parts else { return false };
        let name = self.raw(parameter).to_owned();
        self.visit(object, depth + 1);
        self.follow_each(object, &name, body, depth);
        true
    }

    fn follow_each(&mut self, list: Node<'_>, name: &str, body: Node<'_>, depth: usize) {
        let values = match self.value(list) {
            Value::Many(all) => all,
            Value::One(word) => vec![word],
        };
        for value in values.into_iter().take(ROUNDS_MAX) {
            self.names.insert(name.to_owned(), Value::One(value));
            self.visit(body, depth + 1);
        }
    }

    /// The full name of a function: aliases of imports put in.
    fn full_name(&self, function: Node<'_>) -> String {
        if let Some(module) = self.module_of(function) {
            return module;
        }
        if function.kind() == "member_expression"
            && let (Some(object), Some(property)) =
                (function.child_by_field_name("object"), function.child_by_field_name("property"))
        {
            return format!("{}.{}", self.full_name(object), self.raw(property));
        }
        self.raw(function).replace("?.", ".")
    }

    fn call(&mut self, node: Node<'_>) {
        let Some(function) = node.child_by_field_name("function") else { return };
        let Some(list) = node.child_by_field_name("arguments") else { return };
        let name = self.full_name(function);
        let name = name.replace("fs/promises", "fs").replace("fs.promises", "fs").replace("fs-extra", "fs");
        if list.kind() == "template_string" {
            let shells = matches!(name.as_str(), "$" | "Bun.$" | "zx.$" | "bun.$" | "execa.$" | "execa.execaCommand");
            let text = self.word(list);
            self.acts.extend(shells.then_some(Act::Shell(text)));
            return;
        }
        let given: Vec<Value> = children(list)
            .into_iter()
            .filter(|c| c.kind() != "comment")
            .flat_map(|a| match (a.kind(), self.value(a)) {
                ("spread_element", Value::Many(all)) => all.into_iter().map(Value::One).collect(),
                (_, value) => vec![value],
            })
            .collect();
        let one = |at: usize| match given.get(at) {
            Some(Value::One(word)) => Some(word.clone()),
            _ => None,
        };
        let module = name.rsplit_once('.').map_or("", |(module, _)| module);
        let last = name.rsplit('.').next().unwrap_or_default();
        let act = match (module, last) {
            ("fs", "rm" | "rmSync" | "remove" | "removeSync" | "emptyDir" | "emptyDirSync" | "rmdir" | "rmdirSync")
            | ("", "rimraf" | "del")
            | ("rimraf", "rimraf" | "rimrafSync" | "sync" | "native" | "manual")
            | ("del", "deleteAsync" | "deleteSync") => {
                let recursive = !last.contains("rmdir") || self.raw(list).contains("recursive");
                one(0).filter(|_| recursive).map(|p| run(["rm", "-rf"], [p]))
            }
            ("fs", "unlink" | "unlinkSync") | ("Deno", "removeSync" | "remove") => {
                one(0).map(|p| run(["rm", "-rf"], [p]))
            }
            ("fs", "rename" | "renameSync" | "move" | "moveSync") => {
                one(0).zip(one(1)).map(|(from, to)| run(["mv"], [from, to]))
            }
            ("fs", "copyFile" | "copyFileSync" | "copy" | "copySync" | "cp" | "cpSync") => {
                one(0).zip(one(1)).map(|(from, to)| run(["cp"], [from, to]))
            }
            (
                "fs",
                "writeFile" | "writeFileSync" | "truncate" | "truncateSync" | "createWriteStream" | "outputFile",
            )
            | ("Deno", "writeTextFile" | "writeTextFileSync" | "truncate")
            | ("Bun", "write") => {
                one(0).filter(|_| !self.raw(list).contains("flag")).map(|p| run(["truncate", "-s", "0"], [p]))
            }
            ("fs", "chown" | "chownSync") => match (one(0), one(1), one(2)) {
                (Some(p), Some(u), Some(g)) => Some(run(["chown"], [joined(vec![u, g], ":"), p])),
                _ => None,
            },
            ("process", "chdir") => one(0).map(|d| run(["cd"], [d])),
            ("child_process", "exec" | "execSync")
            | ("shelljs" | "shell", "exec")
            | ("execa", "execaCommand" | "execaCommandSync") => one(0).map(Act::Shell),
            ("child_process", "spawn" | "spawnSync" | "execFile" | "execFileSync")
            | ("execa", "execa" | "execaSync" | "sync")
            | ("cross-spawn" | "", "execa" | "sync" | "cross-spawn") => command(one(0), given.get(1)),
            ("Bun", "spawn" | "spawnSync") => match given.first() {
                Some(Value::Many(words)) => Some(Act::Run(words.clone())),
                _ => None,
            },
            ("shelljs" | "shell", "rm") => Some(run(["rm"], given.iter().flat_map(words))),
            ("shelljs" | "shell", "mv") => Some(run(["mv"], given.iter().flat_map(words))),
            (_, "query" | "execute" | "$executeRawUnsafe" | "$queryRawUnsafe" | "raw" | "unsafe" | "exec" | "run") => {
                let text = one(0).filter(|t| t.prefix().contains(' '));
                self.client.clone().zip(text).map(|(client, text)| sql(&client, text))
            }
            _ if name == "execa" => command(one(0), given.get(1)),
            _ => None,
        };
        let writes = matches!(
            (module, last),
            ("fs", "writeFile" | "writeFileSync" | "outputFile")
                | ("Deno", "writeTextFile" | "writeTextFileSync")
                | ("Bun", "write")
        );
        let text = one(0).zip(one(1)).filter(|_| writes && act.is_some());
        let options = children(list).into_iter().rfind(|c| c.kind() == "object");
        let directory = options.and_then(|o| self.property(o, "cwd")).map(|d| self.one(d));
        self.acts.extend(act.map(|act| within(act, directory)));
        self.acts.extend(text.map(|(path, text)| Act::Append { path, text }));
    }

    /// `new Deno.Command("rm", { args: [...] })`, `new Database("file")`, `new Client({ … })`.
    fn make(&mut self, node: Node<'_>) {
        let Some(constructor) = node.child_by_field_name("constructor") else { return };
        let Some(list) = node.child_by_field_name("arguments") else { return };
        let arguments = children(list);
        let name = self.full_name(constructor);
        let Some(first) = arguments.first().copied() else { return };
        if name == "Deno.Command" {
            let given = arguments.get(1).and_then(|o| self.property(*o, "args"));
            let program = self.one(first);
            let words = given.map(|g| self.value(g));
            self.acts.extend(command(Some(program), words.as_ref()));
            return;
        }
        match &self.client {
            Some(Client::Sqlite(_)) if first.kind() == "string" => self.client = Some(Client::Sqlite(self.one(first))),
            Some(Client::Postgres(_)) => {
                let address = match self.property(first, "connectionString") {
                    Some(value) => vec![self.one(value)],
                    None => ["host", "database"]
                        .iter()
                        .zip(["-h", "-d"])
                        .filter_map(|(key, option)| Some([Word::literal(option), self.one(self.property(first, key)?)]))
                        .flatten()
                        .collect(),
                };
                self.client = Some(Client::Postgres(address));
            }
            _ => {}
        }
    }

    fn property<'t>(&self, object: Node<'t>, key: &str) -> Option<Node<'t>> {
        children(object).into_iter().find_map(|pair| {
            let name = pair.child_by_field_name("key").map(|k| self.raw(k).trim_matches(['"', '\'']))?;
            (name == key).then(|| pair.child_by_field_name("value")).flatten()
        })
    }

    /// The value of an expression, as far as it is plain in the text.
    fn value(&self, node: Node<'_>) -> Value {
        match node.kind() {
            "array" => Value::Many(
                children(node)
                    .into_iter()
                    .flat_map(|item| match (item.kind(), self.value(item)) {
                        ("spread_element", Value::Many(all)) => all,
                        (_, Value::One(word)) => vec![word],
                        _ => vec![unknown()],
                    })
                    .collect(),
            ),
            "identifier" => self.names.get(self.raw(node)).cloned().unwrap_or_else(|| Value::One(self.word(node))),
            "spread_element" | "await_expression" | "parenthesized_expression" => {
                node.named_child(0).map_or_else(|| Value::One(unknown()), |inner| self.value(inner))
            }
            "call_expression" => self.returned(node),
            _ => Value::One(self.word(node)),
        }
    }

    fn one(&self, node: Node<'_>) -> Word {
        match self.value(node) {
            Value::One(word) => word,
            Value::Many(_) => unknown(),
        }
    }

    fn word(&self, node: Node<'_>) -> Word {
        match node.kind() {
            "string" | "template_string" => {
                let mut word = Word::default();
                for part in children(node) {
                    match part.kind() {
                        "string_fragment" => word.push_text(self.raw(part)),
                        "escape_sequence" => word.push_text(&super::expand::ansi(self.raw(part))),
                        "template_substitution" => {
                            word.extend(part.named_child(0).map_or_else(unknown, |inner| self.one(inner)));
                        }
                        _ => {}
                    }
                }
                word
            }
            "number" => Word::literal(self.raw(node)),
            "identifier" if self.raw(node) == "__dirname" => {
                super::path::join(&self.around.arguments.first().cloned().unwrap_or_default(), &Word::literal(".."))
            }
            "identifier" => Word::unknown(Unknown::Variable(self.raw(node).to_owned())),
            "binary_expression" => {
                let (Some(left), Some(right)) = (node.child_by_field_name("left"), node.child_by_field_name("right"))
                else {
                    return unknown();
                };
                match node.child_by_field_name("operator").map(|o| self.raw(o)) {
                    Some("+") => joined(vec![self.one(left), self.one(right)], ""),
                    Some("||" | "??") => {
                        let value = self.one(left);
                        if value.is_unresolved() { self.one(right) } else { value }
                    }
                    _ => unknown(),
                }
            }
            "member_expression" | "subscript_expression" => {
                let raw = self.raw(node);
                match raw.strip_prefix("process.env.") {
                    Some(name) => (self.around.variable)(name),
                    None => argument(raw).and_then(|n| self.around.arguments.get(n).cloned()).unwrap_or_else(unknown),
                }
            }
            _ => unknown(),
        }
    }

    /// What a call gives back: joined paths and texts.
    fn returned(&self, node: Node<'_>) -> Value {
        let Some(function) = node.child_by_field_name("function") else { return Value::One(unknown()) };
        let arguments = node.child_by_field_name("arguments").map(children).unwrap_or_default();
        let values = || arguments.iter().map(|a| self.one(*a)).collect::<Vec<_>>();
        let object = function.child_by_field_name("object");
        let name = self.full_name(function);
        let last = name.rsplit('.').next().unwrap_or_default().to_owned();
        match (name.as_str(), last.as_str(), object.map(|o| self.value(o))) {
            ("path.join" | "path.resolve" | "path.posix.join", ..) => Value::One(joined(values(), "/")),
            ("process.cwd", ..) => Value::One(Word::literal(".")),
            ("os.homedir", ..) => Value::One((self.around.variable)("HOME")),
            ("os.tmpdir", ..) | (_, "mkdtempSync" | "mkdtemp", _) => Value::One(Word::literal("/tmp/node-temporary")),
            (_, "join", Some(Value::Many(all))) => {
                let between = arguments.first().map(|a| self.one(*a).show()).unwrap_or_else(|| ",".to_owned());
                Value::One(joined(all, &between))
            }
            (_, "concat", Some(Value::Many(mut all))) => {
                for argument in &arguments {
                    match self.value(*argument) {
                        Value::Many(more) => all.extend(more),
                        Value::One(word) => all.push(word),
                    }
                }
                Value::Many(all)
            }
            (_, "split", Some(Value::One(word))) => match word.as_literal() {
                Some(text) => Value::Many(text.split_whitespace().map(Word::literal).collect()),
                None => Value::One(unknown()),
            },
            ("Buffer.from", ..) => match values().as_slice() {
                [text, encoding] if encoding.as_literal() == Some("base64") => {
                    let text = text.as_literal().and_then(super::decode::of_base64);
                    Value::One(text.map_or_else(unknown, Word::literal))
                }
                [text, encoding] if encoding.as_literal() == Some("hex") => {
                    let text = text.as_literal().and_then(super::decode::hex);
                    Value::One(text.map_or_else(unknown, Word::literal))
                }
                _ => Value::One(unknown()),
            },
            ("atob", ..) => {
                let text = values().first().and_then(|w| w.as_literal().and_then(super::decode::of_base64));
                Value::One(text.map_or_else(unknown, Word::literal))
            }
            (_, "toString" | "trim", Some(Value::One(word))) => Value::One(word),
            _ => Value::One(unknown()),
        }
    }
}

/// The program with the types of its declarations blanked out.
fn without_types(program: &str) -> String {
    let pattern = r"(?:const|let|var)\s+[A-Za-z_$][\w$]*(\s*:\s*[\w<>\[\]|., ]+?)\s*=[^=>]";
    let Ok(declared) = regex::Regex::new(pattern) else { return program.to_owned() };
    let mut out = program.to_owned();
    for found in declared.captures_iter(program).filter_map(|c| c.get(1)) {
        out.replace_range(found.range(), &" ".repeat(found.len()));
    }
    out
}

/// A module's name without `node:`.
fn bare(module: &str) -> String {
    module.strip_prefix("node:").unwrap_or(module).to_owned()
}

/// The number of `process.argv[2]` among the program's own arguments.
fn argument(raw: &str) -> Option<usize> {
    raw.strip_prefix("process.argv[")?.strip_suffix(']')?.parse::<usize>().ok()?.checked_sub(1)
}

fn words(value: &Value) -> Vec<Word> {
    match value {
        Value::One(word) => vec![word.clone()],
        Value::Many(all) => all.clone(),
    }
}

/// A program and its words; a program alone may be text for a shell.
fn command(program: Option<Word>, rest: Option<&Value>) -> Option<Act> {
    let program = program?;
    Some(match rest {
        Some(Value::Many(all)) => Act::Run(std::iter::once(program).chain(all.iter().cloned()).collect()),
        _ => Act::Shell(program),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(program: &str) -> Vec<String> {
        let variable = |name: &str| Word::unknown(Unknown::Variable(name.to_owned()));
        acts(program, &Around { arguments: &[Word::literal("/srv/x/run.js")], variable: &variable })
            .iter()
            .map(|act| match act {
                Act::Run(words) => super::super::show_argv(words),
                Act::Shell(text) => format!("sh: {}", text.show()),
                Act::Append { path, text } => format!("{} << {}", path.show(), text.show()),
            })
            .collect()
    }

    #[test]
    fn calls_that_delete_or_run_are_found() {
        for (program, expected) in [
            ("require('fs').rmSync('/a/b', {recursive: true, force: true})", "rm -rf /a/b"),
            ("const fs = require('node:fs'); fs.promises.rm('/a', {recursive:true})", "rm -rf /a"),
            ("import { rm } from 'fs/promises'; await rm(`/a/${'b'}`)", "rm -rf /a/b"),
            ("import fs from 'fs'; fs.unlinkSync('/a')", "rm -rf /a"),
            ("const rimraf = require('rimraf'); rimraf.sync('/a')", "rm -rf /a"),
            ("import { rimraf } from 'rimraf'; await rimraf('/a')", "rm -rf /a"),
            ("const path = require('path'); require('fs').rmSync(path.join(__dirname, 'data'))", "rm -rf /srv/x/data"),
            ("for (const d of ['/a', '/b']) require('fs').rmSync(d)", "rm -rf /b"),
            ("['/a'].forEach(d => require('fs').rmSync(d))", "rm -rf /a"),
            ("require('fs').renameSync('/a', '/b')", "mv /a /b"),
            ("require('fs').writeFileSync('/a', '')", "truncate -s 0 /a"),
            ("require('fs').writeFileSync('/a', 'x=1')", "/a << x=1"),
            ("require('child_process').execSync('ls')", "sh: ls"),
            ("const {spawnSync: s} = require('child_process'); s('ls', ['-l'])", "ls -l"),
            ("import('child_process').then(cp => cp.execFileSync('ls', ['-l']))", "ls -l"),
            ("import { execSync as x } from 'node:child_process'; x('ls')", "sh: ls"),
            ("const ex = require('util').promisify(require('child_process').exec); ex('ls')", "sh: ls"),
            ("new Deno.Command('ls', {args: ['-l']}).outputSync()", "ls -l"),
            ("import { $ } from 'bun'; await $`ls -l`", "sh: ls -l"),
            ("import cp from 'child_process'; const c: string = 'ls'; cp.execSync(c)", "sh: ls"),
            (
                "const { Pool } = require('pg'); const p = new Pool({connectionString: 'postgres://h/d'}); p.query('DROP TABLE t')",
                "psql postgres://h/d -c DROP TABLE t",
            ),
        ] {
            assert!(shown(program).iter().any(|l| l == expected), "{program}\n {:?}", shown(program));
        }
    }

    #[test]
    fn text_and_reading_are_no_acts() {
        for program in [
            "console.log(\"fs.rmSync('/a')\") // execSync('rm')",
            "const fs = require('fs'); fs.readFileSync('/a'); fs.rmdirSync('/a')",
            "/rm -rf/.exec('x'); list.map(x => x + 1); map.delete('/a')",
            "JSON.parse(require('fs').readFileSync(0)).items.forEach(i => console.log(i))",
            "(((",
        ] {
            assert!(shown(program).is_empty(), "{program}\n {:?}", shown(program));
        }
    }
}
