//! Values of Python expressions, as far as they are plain in the text.

use tree_sitter::Node;

use super::super::interpret::joined;
use super::super::word::{Part, Unknown, Word};
use super::{Reader, Value, children, unknown};

impl Reader<'_, '_> {
    /// The value of an expression, as far as it is plain in the text.
    pub(super) fn value(&self, node: Node<'_>) -> Value {
        match node.kind() {
            "list" | "tuple" | "set" => Value::Many(self.items(node)),
            "identifier" | "attribute" if self.names.contains_key(self.raw(node)) => self.names[self.raw(node)].clone(),
            "parenthesized_expression" | "await" => {
                node.named_child(0).map_or_else(|| Value::One(unknown()), |inner| self.value(inner))
            }
            "binary_operator" => self.operated(node),
            "call" => self.returned(node),
            "generator_expression" | "list_comprehension" => self.comprehended(node),
            "as_pattern_target" | "list_splat" => {
                node.named_child(0).map_or_else(|| Value::One(unknown()), |n| self.value(n))
            }
            _ => Value::One(self.word(node)),
        }
    }

    pub(super) fn one(&self, node: Node<'_>) -> Word {
        match self.value(node) {
            Value::One(word) => word,
            Value::Many(_) => unknown(),
        }
    }

    /// `chr(c) for c in [115, 121]`: characters by their numbers.
    fn comprehended(&self, node: Node<'_>) -> Value {
        let body = node.child_by_field_name("body");
        let from = children(node).into_iter().find(|c| c.kind() == "for_in_clause");
        let (Some(body), Some(from)) = (body, from) else { return Value::One(unknown()) };
        let names = from.child_by_field_name("left").map(|n| self.raw(n)).unwrap_or_default();
        let values = from.child_by_field_name("right").map(|n| self.value(n));
        match values {
            Some(Value::Many(all)) if self.raw(body) == format!("chr({names})") => {
                Value::Many(all.iter().map(character).collect())
            }
            Some(Value::Many(all)) if self.raw(body) == names => Value::Many(all),
            _ => Value::One(unknown()),
        }
    }

    fn items(&self, node: Node<'_>) -> Vec<Word> {
        children(node)
            .into_iter()
            .flat_map(|item| match (item.kind(), self.value(item)) {
                ("list_splat", Value::Many(all)) => all,
                (_, Value::One(word)) => vec![word],
                (_, Value::Many(_)) => vec![unknown()],
            })
            .collect()
    }

    fn word(&self, node: Node<'_>) -> Word {
        match node.kind() {
            "string" => {
                let mut word = Word::default();
                for part in children(node) {
                    match part.kind() {
                        "string_content" => word.extend(self.content(part, self.raw(node))),
                        "interpolation" => {
                            let inner = part.child_by_field_name("expression").map(|e| self.one(e));
                            word.extend(inner.unwrap_or_else(unknown));
                        }
                        _ => {}
                    }
                }
                word
            }
            "concatenated_string" => joined(self.items(node), ""),
            "integer" => Word::literal(self.raw(node)),
            "identifier" => Word::unknown(Unknown::Variable(self.raw(node).to_owned())),
            "attribute" => {
                let object = node.child_by_field_name("object");
                match (node.child_by_field_name("attribute").map(|a| self.raw(a)), object) {
                    (Some("parent"), Some(object)) => parent(self.one(object)),
                    _ => unknown(),
                }
            }
            "subscript" => self.element(node),
            _ => unknown(),
        }
    }

    /// The text of a string, its escapes read where it is no raw one.
    fn content(&self, part: Node<'_>, whole: &str) -> Word {
        let raw = self.raw(part);
        let head = whole.find(['"', '\'']).map_or("", |at| &whole[..at]);
        if head.contains(['r', 'R']) || !raw.contains('\\') {
            return Word::literal(raw);
        }
        Word::literal(super::super::expand::ansi(&raw.replace("\\\n", "")))
    }

    /// `sys.argv[1]`, `os.environ["X"]`, an element of a list.
    fn element(&self, node: Node<'_>) -> Word {
        let Some(object) = node.child_by_field_name("value") else { return unknown() };
        let Some(index) = node.child_by_field_name("subscript") else { return unknown() };
        if self.raw(index).replace(' ', "") == "::-1" {
            return reversed(&self.one(object));
        }
        let number = || self.raw(index).parse::<usize>().ok();
        match self.full_name(object).as_str() {
            "sys.argv" => number().and_then(|n| self.around.arguments.get(n).cloned()).unwrap_or_else(unknown),
            "os.environ" => match self.one(index).as_literal() {
                Some(name) => (self.around.variable)(name),
                None => unknown(),
            },
            _ => match (self.value(object), number()) {
                (Value::Many(all), Some(n)) => all.get(n).cloned().unwrap_or_else(unknown),
                _ => unknown(),
            },
        }
    }

    fn operated(&self, node: Node<'_>) -> Value {
        let (Some(left), Some(right)) = (node.child_by_field_name("left"), node.child_by_field_name("right")) else {
            return Value::One(unknown());
        };
        let operator = node.child_by_field_name("operator").map(|o| self.raw(o)).unwrap_or_default();
        match (self.value(left), operator, self.value(right)) {
            (Value::Many(mut a), "+", Value::Many(b)) => {
                a.extend(b);
                Value::Many(a)
            }
            (Value::One(a), "+", Value::One(b)) => Value::One(joined(vec![a, b], "")),
            (Value::One(a), "/", Value::One(b)) => Value::One(joined(vec![a, b], "/")),
            (Value::One(a), "%", Value::One(b)) => Value::One(filled(&a, &["%s"], vec![b])),
            (Value::One(a), "%", Value::Many(b)) => Value::One(filled(&a, &["%s"], b)),
            _ => Value::One(unknown()),
        }
    }

    /// What a call gives back.
    fn returned(&self, node: Node<'_>) -> Value {
        let Some(function) = node.child_by_field_name("function") else { return Value::One(unknown()) };
        // A lone generator stands without brackets of its own.
        let arguments = node.child_by_field_name("arguments").map_or_else(Vec::new, |list| match list.kind() {
            "generator_expression" => vec![list],
            _ => children(list),
        });
        let arguments: Vec<Node<'_>> = arguments.into_iter().filter(|a| a.kind() != "keyword_argument").collect();
        let values = || arguments.iter().map(|a| self.one(*a)).collect::<Vec<_>>();
        let first = || arguments.first().map_or_else(unknown, |a| self.one(*a));
        let name = self.full_name(function);
        let object = function.child_by_field_name("object");
        let words = |word: Word| match word.as_literal() {
            Some(text) => Value::Many(text.split_whitespace().map(Word::literal).collect()),
            None => Value::One(unknown()),
        };
        let listed = |word: Word, pattern: &str| {
            let mut inside = Word::default();
            inside.push_unquoted(pattern);
            Value::One(joined(vec![word, inside], "/"))
        };
        match (name.as_str(), name.rsplit('.').next().unwrap_or_default()) {
            ("chr", _) => Value::One(character(&first())),
            ("reversed", _) => match arguments.first().map(|a| self.value(*a)) {
                Some(Value::Many(all)) => Value::Many(all.into_iter().rev().collect()),
                _ => Value::One(reversed(&first())),
            },
            ("map", _) => match (arguments.first().map(|f| self.raw(*f)), arguments.get(1).map(|a| self.value(*a))) {
                (Some("chr"), Some(Value::Many(all))) => Value::Many(all.iter().map(character).collect()),
                (Some("str"), Some(values)) => values,
                _ => Value::One(unknown()),
            },
            ("bytes" | "bytearray", _) => match arguments.first().map(|a| self.value(*a)) {
                Some(Value::Many(all)) => Value::One(joined(all.iter().map(character).collect(), "")),
                _ => Value::One(first()),
            },
            ("shlex.split", _) => words(first()),
            ("sys.argv", _) => Value::Many(self.around.arguments.to_vec()),
            ("os.path.dirname", _) => Value::One(parent(first())),
            ("os.getcwd", _) | (_, "cwd") => Value::One(Word::literal(".")),
            (_, "home") => Value::One((self.around.variable)("HOME")),
            ("os.getenv" | "os.environ.get", _) => {
                let value = first().as_literal().map(|name| (self.around.variable)(name));
                let default = arguments.get(1).map(|a| self.one(*a));
                Value::One(match value {
                    Some(value) if !value.is_unresolved() => value,
                    value => default.or(value).unwrap_or_else(unknown),
                })
            }
            ("tempfile.mkdtemp" | "tempfile.TemporaryDirectory" | "tempfile.mkstemp" | "tempfile.gettempdir", _) => {
                Value::One(Word::literal("/tmp/python-temporary"))
            }
            ("tempfile.NamedTemporaryFile", _) => Value::One(Word::literal("/tmp/python-temporary")),
            ("glob.glob" | "glob.iglob", _) => {
                let mut word = Word::default();
                first().as_literal().iter().for_each(|text| word.push_unquoted(text));
                Value::One(word)
            }
            ("os.listdir", _) => Value::One(Word { parts: vec![Part::Glob("*".into())] }),
            ("os.scandir", _) => listed(first(), "*"),
            ("os.walk", _) => Value::One(first()),
            (_, "iterdir") => listed(object.map_or_else(unknown, |o| self.one(o)), "*"),
            (_, "rglob") => {
                let directory = object.map_or_else(unknown, |o| self.one(o));
                let words = [Word::literal("find"), directory, Word::literal("-name"), first()].to_vec();
                Value::One(Word::unknown(Unknown::Output(vec![words])))
            }
            (_, "glob") => listed(object.map_or_else(unknown, |o| self.one(o)), &first().show()),
            ("base64.b64decode", _) => {
                let text = first().as_literal().and_then(super::super::decode::of_base64);
                Value::One(text.map_or_else(unknown, Word::literal))
            }
            ("bytes.fromhex", _) => {
                let text = first().as_literal().and_then(super::super::decode::hex);
                Value::One(text.map_or_else(unknown, Word::literal))
            }
            (_, "split") if object.is_some() => words(object.map_or_else(unknown, |o| self.one(o))),
            (_, "format") => {
                Value::One(filled(&object.map_or_else(unknown, |o| self.one(o)), &["{}", "{0}"], values()))
            }
            (_, "join") => match (object.map(|o| self.one(o)), arguments.first().map(|a| self.value(*a))) {
                (Some(between), Some(Value::Many(all))) => Value::One(joined(all, &between.show())),
                // A text is joined letter by letter.
                (Some(between), Some(Value::One(text))) if between.as_literal() == Some("") => Value::One(text),
                _ => Value::One(joined(values(), "/")),
            },
            (_, "Path" | "PosixPath" | "joinpath") => {
                let mut all: Vec<Word> =
                    object.filter(|_| name.ends_with("joinpath")).map(|o| self.one(o)).into_iter().collect();
                all.extend(values());
                Value::One(if all.is_empty() { Word::literal(".") } else { joined(all, "/") })
            }
            (_, "expanduser") => {
                let word = if arguments.is_empty() { object.map_or_else(unknown, |o| self.one(o)) } else { first() };
                match word.as_literal().and_then(|t| t.strip_prefix('~')) {
                    Some(rest) => Value::One(joined(vec![(self.around.variable)("HOME"), Word::literal(rest)], "")),
                    None => Value::One(word),
                }
            }
            (_, "str" | "abspath" | "realpath" | "fspath" | "quote" | "list" | "sorted" | "text" | "SQL")
                if !arguments.is_empty() =>
            {
                arguments.first().map_or_else(|| Value::One(unknown()), |a| self.value(*a))
            }
            (_, "decode" | "encode" | "resolve" | "absolute" | "strip" | "as_posix") => {
                Value::One(object.map_or_else(unknown, |o| self.one(o)))
            }
            _ => Value::One(unknown()),
        }
    }
}

/// The character of a number that is plain in the text.
fn character(number: &Word) -> Word {
    let text = number.as_literal().unwrap_or_default();
    let value = match text.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    };
    value.and_then(char::from_u32).map_or_else(unknown, |c| Word::literal(c.to_string()))
}

fn reversed(text: &Word) -> Word {
    text.as_literal().map_or_else(unknown, |text| Word::literal(text.chars().rev().collect::<String>()))
}

/// The directory that something lies in.
fn parent(word: Word) -> Word {
    super::super::path::join(&word, &Word::literal(".."))
}

/// Text with values put where marks stand.
fn filled(text: &Word, marks: &[&str], values: Vec<Word>) -> Word {
    let Some(text) = text.as_literal() else { return unknown() };
    let mut out = Word::default();
    let mut rest = text;
    let mut values = values.into_iter();
    while let Some((at, mark)) = marks.iter().filter_map(|m| Some((rest.find(m)?, *m))).min() {
        out.push_text(&rest[..at]);
        out.extend(values.next().unwrap_or_else(unknown));
        rest = &rest[at + mark.len()..];
    }
    out.push_text(rest);
    out
}
