//! Python programs: the calls by which they delete, move, empty or run something else.
//!
//! Values that are plain in the text are followed through variables, lists, loops
//! over lists and calls of the program's own functions; the rest stays unknown.

mod name;
mod value;

use std::collections::{BTreeMap, BTreeSet};

use tree_sitter::{Node, Parser};

use super::interpret::{Act, Around, Client, PROGRAM_BYTES_MAX, joined, run, sql, within};
use super::word::{Part, Unknown, Word};

/// Deepest level of the tree that is descended into.
const DEPTH_MAX: usize = 60;
/// Most rounds of a loop over a list.
const ROUNDS_MAX: usize = 16;
/// Deepest chain of the program's own functions.
const CALLS_MAX: usize = 6;
/// Most nodes that are visited, loops and calls counted each time.
const VISITS_MAX: usize = 60_000;

/// The acts of a program, in the order of the text.
pub(crate) fn acts(program: &str, around: &Around<'_>) -> Vec<Act> {
    acts_within(program, around, 0)
}

fn acts_within(program: &str, around: &Around<'_>, calls: usize) -> Vec<Act> {
    let mut parser = Parser::new();
    let read = parser.set_language(&tree_sitter_python::LANGUAGE.into()).is_ok() && program.len() <= PROGRAM_BYTES_MAX;
    let Some(tree) = read.then(|| parser.parse(program, None)).flatten() else { return Vec::new() };
    let mut reader = Reader {
        text: program,
        around,
        names: BTreeMap::new(),
        imports: BTreeMap::new(),
        functions: BTreeMap::new(),
        called: called(program),
        opened: BTreeMap::new(),
        client: None,
        calls,
        visits: 0,
        acts: Vec::new(),
    };
    let script = around.arguments.first().cloned().unwrap_or_default();
    reader.names.insert("__file__".into(), Value::One(script));
    reader.visit(tree.root_node(), 0);
    reader.acts
}

/// The names in front of a bracket.
fn called(program: &str) -> BTreeSet<String> {
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    program
        .lines()
        .filter(|line| !line.trim_start().starts_with("def ") && !line.trim_start().starts_with("async def "))
        .flat_map(|line| {
            line.match_indices('(').map(|(at, _)| line[..at].rsplit(|c| !is_name(c)).next().unwrap_or_default())
        })
        .map(str::to_owned)
        .collect()
}

#[derive(Clone, Debug)]
enum Value {
    One(Word),
    Many(Vec<Word>),
}

struct Reader<'a, 't> {
    text: &'a str,
    around: &'a Around<'a>,
    names: BTreeMap<String, Value>,
    /// Names that stand for modules or for what is in them.
    imports: BTreeMap<String, String>,
    functions: BTreeMap<String, Node<'t>>,
    called: BTreeSet<String>,
    /// Paths of files that are open to be written, by the name that each is bound to.
    opened: BTreeMap<String, Word>,
    /// The database that was connected to, or the module for one that was imported.
    client: Option<Client>,
    calls: usize,
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

impl<'t> Reader<'_, 't> {
    fn raw(&self, node: Node<'_>) -> &str {
        self.text.get(node.byte_range()).unwrap_or_default()
    }

    fn visit(&mut self, node: Node<'t>, depth: usize) {
        self.visits += 1;
        if depth > DEPTH_MAX || self.visits > VISITS_MAX {
            return;
        }
        match node.kind() {
            "import_statement" | "import_from_statement" => return self.import(node),
            "assignment" => self.assign(node),
            "augmented_assignment" => self.augment(node),
            "with_item" => self.bind_as(node),
            "for_statement" => return self.rounds(node, depth),
            "list_comprehension" | "set_comprehension" | "generator_expression" => {
                return self.comprehension(node, depth);
            }
            "function_definition" => {
                let name = node.child_by_field_name("name").map(|n| self.raw(n).to_owned()).unwrap_or_default();
                let used = self.called.contains(&name);
                self.functions.insert(name, node);
                if used {
                    return;
                }
            }
            // What is called on, and with, comes about first.
            "call" => {
                children(node).into_iter().for_each(|child| self.visit(child, depth + 1));
                return self.call(node, depth);
            }
            _ => {}
        }
        for child in children(node) {
            self.visit(child, depth + 1);
        }
    }

    fn import(&mut self, node: Node<'_>) {
        let module = node.child_by_field_name("module_name").map(|m| self.raw(m).to_owned());
        for child in children(node) {
            let (name, alias) = match child.kind() {
                "aliased_import" => (
                    child.child_by_field_name("name").map(|n| self.raw(n).to_owned()).unwrap_or_default(),
                    child.child_by_field_name("alias").map(|n| self.raw(n).to_owned()).unwrap_or_default(),
                ),
                _ => (self.raw(child).to_owned(), self.raw(child).to_owned()),
            };
            let full = match &module {
                Some(module) if *module != name => format!("{module}.{name}"),
                _ => name,
            };
            let top = full.split('.').next().unwrap_or_default();
            self.client = self.client.take().or_else(|| match top {
                "sqlite3" => Some(Client::Sqlite(unknown())),
                "pymysql" | "MySQLdb" | "mysql" | "aiomysql" => Some(Client::MySql(Vec::new())),
                "psycopg" | "psycopg2" | "asyncpg" | "sqlalchemy" | "django" | "peewee" | "pg8000" => {
                    Some(Client::Postgres(Vec::new()))
                }
                _ => None,
            });
            self.imports.insert(alias, full);
        }
    }

    fn assign(&mut self, node: Node<'_>) {
        let (Some(left), Some(right)) = (node.child_by_field_name("left"), node.child_by_field_name("right")) else {
            return;
        };
        let value = self.value(right);
        let opened = self.opened_path(right);
        let left = self.raw(left).to_owned();
        opened.into_iter().for_each(|path| drop(self.opened.insert(left.clone(), path)));
        if let Some(name) = self.named_by_value(right) {
            self.imports.insert(left.clone(), name);
        }
        self.names.insert(left, value);
    }

    /// `names += [...]`, `text += "..."`.
    fn augment(&mut self, node: Node<'_>) {
        let (Some(left), Some(right)) = (node.child_by_field_name("left"), node.child_by_field_name("right")) else {
            return;
        };
        let name = self.raw(left).to_owned();
        let value = match (self.names.get(&name).cloned(), self.value(right)) {
            (Some(Value::Many(mut all)), Value::Many(more)) => {
                all.extend(more);
                Value::Many(all)
            }
            (Some(Value::One(word)), Value::One(more)) => Value::One(joined(vec![word, more], "")),
            _ => Value::One(unknown()),
        };
        self.names.insert(name, value);
    }

    /// `with X as name`.
    fn bind_as(&mut self, node: Node<'_>) {
        let Some(pattern) = children(node).into_iter().find(|c| c.kind() == "as_pattern") else { return };
        let parts = children(pattern);
        if let (Some(value), Some(name)) = (parts.first(), parts.get(1)) {
            let opened = self.opened_path(*value);
            let value = self.value(*value);
            let name = self.raw(*name).to_owned();
            opened.into_iter().for_each(|path| drop(self.opened.insert(name.clone(), path)));
            self.names.insert(name, value);
        }
    }

    /// A loop over values that are plain runs once for each.
    fn rounds(&mut self, node: Node<'t>, depth: usize) {
        let (Some(left), Some(right)) = (node.child_by_field_name("left"), node.child_by_field_name("right")) else {
            return;
        };
        self.visit(right, depth + 1);
        for value in self.values_of(right) {
            self.bind(left, right, &value);
            for part in ["body", "alternative"] {
                node.child_by_field_name(part).iter().for_each(|body| self.visit(*body, depth + 1));
            }
        }
    }

    /// `[os.remove(p) for p in paths]` does for each what a loop does.
    fn comprehension(&mut self, node: Node<'t>, depth: usize) {
        let (clauses, parts): (Vec<_>, Vec<_>) = children(node).into_iter().partition(|c| c.kind() == "for_in_clause");
        let outside = self.names.clone();
        self.turns(&clauses, &parts, depth);
        self.names = outside;
    }

    fn turns(&mut self, clauses: &[Node<'t>], parts: &[Node<'t>], depth: usize) {
        let Some((clause, rest)) = clauses.split_first() else {
            return parts.iter().for_each(|part| self.visit(*part, depth + 1));
        };
        let (Some(left), Some(right)) = (clause.child_by_field_name("left"), clause.child_by_field_name("right"))
        else {
            return;
        };
        self.visit(right, depth + 1);
        for value in self.values_of(right) {
            self.bind(left, right, &value);
            self.turns(rest, parts, depth + 1);
        }
    }

    /// What a loop goes over, bounded.
    fn values_of(&self, from: Node<'_>) -> Vec<Word> {
        match self.value(from) {
            Value::Many(all) => all.into_iter().take(ROUNDS_MAX).collect(),
            Value::One(word) => vec![word],
        }
    }

    /// Gives the names of a loop one value of what it goes over.
    fn bind(&mut self, left: Node<'_>, right: Node<'_>, value: &Word) {
        let names: Vec<String> = match left.kind() {
            "identifier" => vec![self.raw(left).to_owned()],
            _ => children(left).iter().map(|n| self.raw(*n).to_owned()).collect(),
        };
        let walks = self.raw(right).contains("walk(") && names.len() == 3;
        for (at, name) in names.into_iter().enumerate() {
            let part = match (walks, at) {
                (true, 0) | (false, _) => value.clone(),
                (true, _) => Word { parts: vec![Part::Glob("*".into())] },
            };
            self.names.insert(name, Value::One(part));
        }
    }

    /// The full name of a function: aliases of imports put in.
    fn full_name(&self, function: Node<'_>) -> String {
        if let Some(name) = self.folded_name(function) {
            return name;
        }
        let raw = self.raw(function);
        let (head, tail) = raw.split_once('.').map_or((raw, ""), |(head, tail)| (head, tail));
        match self.imports.get(head) {
            Some(full) if tail.is_empty() => full.clone(),
            Some(full) => format!("{full}.{tail}"),
            None => raw.to_owned(),
        }
    }

    fn call(&mut self, node: Node<'t>, depth: usize) {
        let Some(function) = node.child_by_field_name("function") else { return };
        let Some(list) = node.child_by_field_name("arguments") else { return };
        let name = self.full_name(function);
        if let Some(own) = self.functions.get(&name).copied() {
            return self.own(own, list, depth);
        }
        let given = Given::of(self, list);
        let last = name.rsplit('.').next().unwrap_or_default().to_owned();
        let object = function.child_by_field_name("object");
        self.connect(&name, &given);
        let one = |at: usize| given.one(at);
        let acts: Vec<Act> = match name.as_str() {
            "shutil.rmtree" | "rmtree" => one(0).map(|p| run(["rm", "-rf"], [p])).into_iter().collect(),
            "os.remove" | "os.unlink" => one(0).map(|p| run(["rm", "-f"], [p])).into_iter().collect(),
            "os.rename" | "os.replace" | "os.renames" | "shutil.move" => pair(&given, ["mv"]),
            "shutil.copy" | "shutil.copy2" | "shutil.copyfile" => pair(&given, ["cp"]),
            "shutil.chown" => {
                one(0).zip(given.named("user").or(one(1))).map(|(p, u)| run(["chown"], [u, p])).into_iter().collect()
            }
            "os.chown" => match (one(0), one(1), one(2)) {
                (Some(p), Some(u), Some(g)) => vec![run(["chown"], [joined(vec![u, g], ":"), p])],
                _ => Vec::new(),
            },
            "os.chdir" => one(0).map(|d| run(["cd"], [d])).into_iter().collect(),
            "os.truncate" => one(0).map(emptied).into_iter().collect(),
            "open" | "io.open" | "codecs.open" => {
                let mode = given.named("mode").or(one(1)).map(|m| m.show()).unwrap_or_default();
                one(0).filter(|_| mode.contains('w')).map(emptied).into_iter().collect()
            }
            "os.system"
            | "os.popen"
            | "subprocess.getoutput"
            | "subprocess.getstatusoutput"
            | "asyncio.create_subprocess_shell"
            | "commands.getoutput" => one(0).map(Act::Shell).into_iter().collect(),
            "subprocess.run"
            | "subprocess.call"
            | "subprocess.check_call"
            | "subprocess.check_output"
            | "subprocess.Popen"
            | "pty.spawn" => given.command(0).into_iter().collect(),
            "asyncio.create_subprocess_exec" => vec![Act::Run(given.all())],
            "os.execl" | "os.execlp" | "os.execle" | "os.execlpe" => {
                vec![Act::Run(given.all().split_off(1.min(given.plain.len())))]
            }
            "os.execv" | "os.execvp" | "os.execve" | "os.execvpe" | "os.posix_spawn" | "os.posix_spawnp" => {
                given.command(1).into_iter().collect()
            }
            "os.spawnl" | "os.spawnlp" | "os.spawnle" | "os.spawnlpe" => {
                vec![Act::Run(given.all().split_off(2.min(given.plain.len())))]
            }
            "os.spawnv" | "os.spawnvp" | "os.spawnve" | "os.spawnvpe" => given.command(2).into_iter().collect(),
            // A request is told as the command line would send it; what it carries stays text.
            "requests.post" | "requests.put" | "requests.delete" | "requests.patch" | "httpx.post" | "httpx.put"
            | "httpx.delete" | "httpx.patch" => {
                let carried = Word::literal(self.raw(list));
                one(0)
                    .map(|url| {
                        run(
                            ["curl", "-X"],
                            [Word::literal(last.to_ascii_uppercase()), Word::literal("-d"), carried, url],
                        )
                    })
                    .into_iter()
                    .collect()
            }
            "exec" | "eval" if given.one(0).is_none_or(|text| text.is_unresolved()) => {
                self.fetched(list).into_iter().collect()
            }
            "exec" | "eval" => {
                let inner = one(0).and_then(|text| text.as_literal().map(str::to_owned));
                inner
                    .filter(|_| self.calls < CALLS_MAX)
                    .map(|text| acts_within(&text, self.around, self.calls + 1))
                    .unwrap_or_default()
            }
            _ => self.method(&last, object, &given),
        };
        let directory = given.named("cwd");
        self.acts.extend(acts.into_iter().map(|act| within(act, directory.clone())));
    }

    /// A program that is fetched as it runs.
    fn fetched(&self, list: Node<'_>) -> Option<Act> {
        let mut pending = vec![list];
        while let Some(node) = pending.pop() {
            let function = node.child_by_field_name("function").filter(|_| node.kind() == "call");
            let name = function.map(|f| self.full_name(f)).unwrap_or_default();
            let fetches = name.ends_with("urlopen") || (name.ends_with(".get") && name.starts_with(['r', 'h']));
            if fetches {
                let given = node.child_by_field_name("arguments").map(|a| Given::of(self, a))?;
                let words = vec![Word::literal("curl"), given.one(0).unwrap_or_else(unknown)];
                return Some(Act::Shell(Word::unknown(Unknown::Output(vec![words]))));
            }
            pending.extend(children(node));
        }
        None
    }

    /// Calls on objects: paths, and connections to databases.
    fn method(&mut self, name: &str, object: Option<Node<'_>>, given: &Given) -> Vec<Act> {
        let Some(object) = object else { return Vec::new() };
        let value = || match self.value(object) {
            Value::One(word) => word,
            Value::Many(_) => unknown(),
        };
        // A path is known to be one; any other object may have methods of these names.
        let is_path =
            |word: &Word| !matches!(word.parts.as_slice(), [] | [Part::Unknown(Unknown::Variable(_) | Unknown::Other)]);
        let act = match name {
            "unlink" => Some(value()).filter(is_path).map(|p| run(["rm", "-f"], [p])),
            "rmtree" => Some(given.one(0).unwrap_or_else(value)).filter(is_path).map(|p| run(["rm", "-rf"], [p])),
            "rename" | "replace" if given.plain.len() == 1 => given
                .one(0)
                .zip(Some(value()).filter(|p| is_path(p) && self.is_path(object)))
                .map(|(to, from)| run(["mv"], [from, to])),
            "write_text" | "write_bytes" => {
                let Some(path) = Some(value()).filter(is_path) else { return Vec::new() };
                let text = given.one(0).unwrap_or_else(unknown);
                return vec![emptied(path.clone()), Act::Append { path, text }];
            }
            "write" | "writelines" => {
                let text = given.one(0).filter(|_| name == "write").unwrap_or_else(unknown);
                self.opened_path(object).map(|path| Act::Append { path, text })
            }
            "open" if given.one(0).is_some_and(|m| m.show().contains('w')) => {
                Some(value()).filter(|p| is_path(p) && self.is_path(object)).map(emptied)
            }
            "execute" | "executemany" | "executescript" | "exec_driver_sql" | "fetch" | "fetchrow" | "raw" => {
                let text = given.one(0).filter(|t| t.prefix().contains(' '));
                self.client.clone().zip(text).map(|(client, text)| sql(&client, text))
            }
            "prune" | "remove" if self.imports.values().any(|module| module == "docker") => {
                self.engine(name, self.raw(object), given)
            }
            _ => None,
        };
        act.into_iter().collect()
    }

    /// What the engine's client would remove, as the command line says it.
    fn engine(&self, name: &str, object: &str, given: &Given) -> Option<Act> {
        let ends_in = |kind: &str| object.ends_with(kind);
        let yes = |option: &str| given.named(option).is_some_and(|w| w.as_literal() == Some("True"));
        if name == "prune" {
            let kinds = [(".volumes", "volume"), (".containers", "container"), (".images", "image")];
            let (_, kind) = kinds.iter().find(|(end, _)| ends_in(end))?;
            return Some(run(["docker", kind, "prune", "-a", "-f"], []));
        }
        // `containers.get(NAME)` and `volumes.get(NAME)`, with the name where it is plain.
        let (before, named) = object.rsplit_once(".get(").unwrap_or((object, ""));
        let thing = match named.trim_end_matches(')').trim_matches(['"', '\'']) {
            plain if !plain.is_empty() && plain.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c)) => {
                Word::literal(plain)
            }
            _ => unknown(),
        };
        let volume = before.ends_with(".volumes");
        let container = before.ends_with(".containers") || yes("v") || yes("force");
        match (volume, container) {
            (true, _) => Some(run(["docker", "volume", "rm"], [thing])),
            (_, true) if yes("v") => Some(run(["docker", "rm", "-f", "-v"], [thing])),
            (_, true) => Some(run(["docker", "rm", "-f"], [thing])),
            _ => None,
        }
    }

    /// The path of an expression that is a file opened to be written anew.
    fn opened_path(&self, node: Node<'_>) -> Option<Word> {
        if node.kind() == "identifier" {
            return self.opened.get(self.raw(node)).cloned();
        }
        let function = node.child_by_field_name("function").filter(|_| node.kind() == "call")?;
        let given = Given::of(self, node.child_by_field_name("arguments")?);
        let object = function.child_by_field_name("object").filter(|object| self.is_path(*object));
        let (path, mode) = match (self.full_name(function).as_str(), object) {
            ("open" | "io.open" | "codecs.open", _) => (given.one(0)?, given.one(1)),
            (name, Some(object)) if name.ends_with(".open") => match self.value(object) {
                Value::One(path) => (path, given.one(0)),
                Value::Many(_) => return None,
            },
            _ => return None,
        };
        let mode = given.named("mode").or(mode)?.show();
        mode.contains('w').then_some(path)
    }

    /// Whether an expression is a path by how it is made.
    fn is_path(&self, node: Node<'_>) -> bool {
        let raw = self.raw(node);
        raw.contains("Path(") || raw.contains(" / ") || self.names.contains_key(raw)
    }

    /// Follows a function of the program itself with what it is given.
    fn own(&mut self, function: Node<'t>, list: Node<'t>, depth: usize) {
        let Some(body) = function.child_by_field_name("body").filter(|_| self.calls < CALLS_MAX) else { return };
        let before = self.names.clone();
        let names: Vec<Node<'_>> = function.child_by_field_name("parameters").map(children).unwrap_or_default();
        let mut plain = Vec::new();
        for argument in children(list) {
            if argument.kind() == "keyword_argument" {
                let name = argument.child_by_field_name("name").map(|n| self.raw(n).to_owned());
                let value = argument.child_by_field_name("value").map(|v| self.value(v));
                name.zip(value).into_iter().for_each(|(name, value)| drop(self.names.insert(name, value)));
            } else {
                plain.push(self.value(argument));
            }
        }
        let mut plain = plain.into_iter();
        for parameter in names {
            let own_name =
                parameter.child_by_field_name("name").or_else(|| parameter.named_child(0)).unwrap_or(parameter);
            let own_name = self.raw(own_name).to_owned();
            if let Some(value) = plain.next() {
                self.names.insert(own_name, value);
            } else if let Some(value) = parameter.child_by_field_name("value") {
                let value = self.value(value);
                self.names.entry(own_name).or_insert(value);
            }
        }
        self.calls += 1;
        self.visit(body, depth + 1);
        self.calls -= 1;
        self.names = before;
    }

    /// Notes the database that a program connects to.
    fn connect(&mut self, name: &str, given: &Given) {
        let connects = name.ends_with(".connect") || name.ends_with("create_engine") || name.ends_with("create_pool");
        if !connects && !name.ends_with("ConnectionPool") {
            return;
        }
        let address = given.one(0).filter(|w| !w.parts.is_empty()).or_else(|| given.named("dsn"));
        let option = |option: &str, names: &[&str]| {
            let value = names.iter().find_map(|n| given.named(n));
            value.map(|v| vec![Word::literal(option), v]).unwrap_or_default()
        };
        let mut options = [
            option("-h", &["host"]),
            option("-U", &["user"]),
            option(
                if matches!(self.client, Some(Client::MySql(_))) { "-D" } else { "-d" },
                &["dbname", "database", "db"],
            ),
        ]
        .concat();
        match &self.client {
            Some(Client::Sqlite(_)) => self.client = address.map(Client::Sqlite),
            Some(Client::MySql(_)) => self.client = Some(Client::MySql(options)),
            _ => {
                options.extend(address);
                self.client = Some(Client::Postgres(options));
            }
        }
    }
}

/// The arguments of a call.
struct Given {
    plain: Vec<Value>,
    named: Vec<(String, Value)>,
}

impl Given {
    fn of(reader: &Reader<'_, '_>, list: Node<'_>) -> Given {
        let mut out = Given { plain: Vec::new(), named: Vec::new() };
        for argument in children(list) {
            match argument.kind() {
                "keyword_argument" => {
                    let name = argument.child_by_field_name("name").map(|n| reader.raw(n).to_owned());
                    let value = argument.child_by_field_name("value").map(|v| reader.value(v));
                    out.named.extend(name.zip(value));
                }
                "list_splat" => match reader.value(argument) {
                    Value::Many(all) => out.plain.extend(all.into_iter().map(Value::One)),
                    other => out.plain.push(other),
                },
                _ => out.plain.push(reader.value(argument)),
            }
        }
        out
    }

    fn one(&self, at: usize) -> Option<Word> {
        match self.plain.get(at)? {
            Value::One(word) => Some(word.clone()),
            Value::Many(_) => None,
        }
    }

    fn named(&self, name: &str) -> Option<Word> {
        match &self.named.iter().find(|(n, _)| n == name)?.1 {
            Value::One(word) => Some(word.clone()),
            Value::Many(_) => None,
        }
    }

    fn all(&self) -> Vec<Word> {
        (0..self.plain.len()).map(|at| self.one(at).unwrap_or_else(unknown)).collect()
    }

    /// The command at a place: words, or text for a shell.
    fn command(&self, at: usize) -> Option<Act> {
        let value = self.plain.get(at).or_else(|| Some(&self.named.iter().find(|(n, _)| n == "args")?.1))?;
        Some(match value {
            Value::Many(words) => Act::Run(words.clone()),
            Value::One(word) => Act::Shell(word.clone()),
        })
    }
}

fn pair<const N: usize>(given: &Given, program: [&str; N]) -> Vec<Act> {
    given.one(0).zip(given.one(1)).map(|(from, to)| run(program, [from, to])).into_iter().collect()
}

fn emptied(path: Word) -> Act {
    run(["truncate", "-s", "0"], [path])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(program: &str) -> Vec<String> {
        let variable = |name: &str| match name {
            "HOME" => Word::literal("/home/dev"),
            _ => Word::unknown(Unknown::Variable(name.to_owned())),
        };
        let arguments = [Word::literal("/srv/x/run.py"), Word::literal("/arg")];
        acts(program, &Around { arguments: &arguments, variable: &variable })
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
            ("import shutil\nshutil.rmtree('/a/b')", "rm -rf /a/b"),
            ("from shutil import rmtree; d = '/a'; rmtree(d + '/b', ignore_errors=True)", "rm -rf /a/b"),
            ("import os; os.system(f\"rm -rf {x}/y\")", "sh: rm -rf $x/y"),
            ("import subprocess as s\ns.run(['rm', '-rf', '/a'], check=True)", "rm -rf /a"),
            ("import os; getattr(os, chr(115) + chr(121) + 'stem')('ls')", "sh: ls"),
            ("import os; getattr(os, 'metsys'[::-1])('ls')", "sh: ls"),
            ("import os; f = getattr(os, ''.join(map(chr, [115, 121, 115, 116, 101, 109]))); f('ls')", "sh: ls"),
            ("import os; getattr(os, ''.join(chr(c) for c in (115, 121, 115, 116, 101, 109)))('ls')", "sh: ls"),
            ("import os; os.__dict__['sys' + 'tem']('ls')", "sh: ls"),
            ("import os; vars(os)[bytes([115, 121, 115, 116, 101, 109]).decode()]('ls')", "sh: ls"),
            ("getattr(__import__('o' + 's'), ''.join(reversed('metsys')))('ls')", "sh: ls"),
            ("import importlib; importlib.import_module('s' 'hutil').rmtree('/a')", "rm -rf /a"),
            ("m = __import__('shutil'); m.rmtree('/a')", "rm -rf /a"),
            ("import os\nos.remove(os.path.join('/a', 'b'))", "rm -f /a/b"),
            ("import shutil as sh; sh.move('/a', '/b')", "mv /a /b"),
            (
                "from pathlib import Path\nfor p in x:\n    if True:\n        (Path('/a') / 'b').unlink()\n",
                "rm -f /a/b",
            ),
            ("from os import system as s\ns('ls')", "sh: ls"),
            ("__import__('os').system('ls')", "sh: ls"),
            ("import os; os.system('%s /a' % 'rm')", "sh: rm /a"),
            ("import os; os.system('{} {}'.format('rm', '/a'))", "sh: rm /a"),
            ("import os; os.system(' '.join(['rm', '/a']))", "sh: rm /a"),
            ("import subprocess; c=['sudo']; c+=['ls']; subprocess.call(c)", "sudo ls"),
            ("import subprocess; subprocess.call(['sudo', *['ls']])", "sudo ls"),
            ("import subprocess; subprocess.run(args=['ls'])", "ls"),
            ("import subprocess; subprocess.Popen('ls -l'.split())", "ls -l"),
            ("import os; os.execvp('ls', ['ls', '-l'])", "ls -l"),
            ("exec(\"import os; os.system('ls')\")", "sh: ls"),
            ("import shutil\ndef gone(p):\n    shutil.rmtree(p)\ngone('/a')", "rm -rf /a"),
            ("import shutil\nfor p in ['/a']:\n    shutil.rmtree(p)", "rm -rf /a"),
            ("import shutil, glob\nfor p in glob.glob('/a/*'):\n    shutil.rmtree(p)", "rm -rf /a/*"),
            ("from pathlib import Path; [p.unlink() for p in Path('/a').iterdir()]", "rm -f /a/*"),
            ("import os; list(os.remove(os.path.join('/a', n)) for n in os.listdir('/a'))", "rm -f /a/*"),
            ("import os; [os.unlink(d + '/' + n) for d, _, all in os.walk('/a') for n in all]", "rm -f /a/*"),
            ("open('/a', 'w').write('')", "truncate -s 0 /a"),
            ("from pathlib import Path; Path('/a').write_text('')", "truncate -s 0 /a"),
            ("open('/a', 'w').write('x=1\\n')", "/a << x=1\n"),
            ("with open('/a', 'w') as f:\n    f.write('x')\n", "/a << x"),
            ("from pathlib import Path; Path('/a').write_text('x')", "/a << x"),
            ("import sys, shutil; shutil.rmtree(sys.argv[1])", "rm -rf /arg"),
            ("import os, shutil; shutil.rmtree(os.path.expanduser('~/a'))", "rm -rf /home/dev/a"),
            (
                "import shutil\nfrom pathlib import Path\nshutil.rmtree(Path(__file__).parent / 'data')",
                "rm -rf /srv/x/data",
            ),
            (
                "import psycopg2\nc = psycopg2.connect('postgres://h/db')\nc.cursor().execute('DROP TABLE users')",
                "psql postgres://h/db -c DROP TABLE users",
            ),
            ("import sqlite3\nsqlite3.connect('/a.db').execute('DELETE FROM t')", "sqlite3 /a.db DELETE FROM t"),
        ] {
            assert!(shown(program).iter().any(|l| l == expected), "{program}\n {:?}", shown(program));
        }
    }

    #[test]
    fn text_and_reading_are_no_acts() {
        for program in [
            "print('shutil.rmtree(\"/a\")')  # os.system('rm -rf /')",
            "open('/a').read()\nopen('/a', 'r')\nopen('/a', 'a').write('x')",
            "data.remove('/a'); text.replace('a', 'b'); run('x')",
            "cursor.execute('DROP TABLE x')",
            "def (((",
            "import os; getattr(os, chr(103) + 'etcwd')()\ngetattr(obj, 'metsys'[::-1])('ls')",
            "import json,sys; print(json.load(sys.stdin)['a'])",
        ] {
            assert!(shown(program).is_empty(), "{program}\n {:?}", shown(program));
        }
    }
}
