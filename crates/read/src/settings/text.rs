//! Reads of the environment in languages without a grammar here, by their fixed phrases.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::Regex;

use super::comments::{self, Style};
use super::{Found, asks_for_development, is_variable_name};

/// A phrase; the patterns are constants, so that one which does not compile matches nothing.
fn phrase(pattern: &str) -> Option<Regex> {
    Regex::new(pattern).ok()
}

/// One variable is read, without a default inside the phrase.
static READ: LazyLock<Option<Regex>> = LazyLock::new(|| {
    phrase(
        r#"(?x)
        \b(?:process\.env|import\.meta\.env|Bun\.env|ENV)\??(?:\.([A-Z_][A-Z0-9_]*)\b|(?:\?\.)?\[\s*["']([A-Za-z_]\w*)["']\s*\])
        | \$_(?:ENV|SERVER)\[\s*["']([A-Za-z_]\w*)["']\s*\]
        | \b(?:os\.Getenv|os\.LookupEnv|getenv|System\.getenv|System\.get_env|GetEnvironmentVariable|env::var(?:_os)?|Deno\.env\.get|ENV\.fetch)
          \(\s*["']([A-Za-z_]\w*)["']\s*\)
        "#,
    )
});

/// What follows a read where a default stands: `|| "d"`, `?? "d"`, `.unwrap_or("d")`, `{ "d" }`.
static FALLBACK: LazyLock<Option<Regex>> = LazyLock::new(|| {
    phrase(
        r#"(?x)^[\s)!]*
        (?: (?:\|\||\?\?|\?:)\s*
          | \.(?:ok\(\)\s*\.)?(?:unwrap_or|unwrap_or_else|orElse|getOrElse|or_else)\s*\(\s*(?:\|[^|]*\|\s*)?(?:String::from\(\s*)?
          | (?:do|\{)\s*
          | ,\s* )"#,
    )
});

/// A function that takes a name and a default.
static HELPER: LazyLock<Option<Regex>> = LazyLock::new(|| {
    phrase(
        r#"\b([A-Za-z_][\w.:]*)\(\s*["']([A-Z_][A-Z0-9_]+)["']\s*,\s*(?:default\s*[:=]\s*|\{\s*default\s*:\s*|\w+\s*=>\s*)?"#,
    )
});

/// `NAME: z.string().default("d")`, `NAME: str({ default: "d" })`.
static SCHEMA: LazyLock<Option<Regex>> =
    LazyLock::new(|| phrase(r#"\b([A-Z_][A-Z0-9_]+)\s*:\s*[A-Za-z_][^,;\n]*?\bdefault\s*(?:\(|:)\s*"#));

/// `env:"NAME" envDefault:"d"` and `env:"NAME, default=d"` in tags of structs.
static TAG: LazyLock<Option<Regex>> = LazyLock::new(|| {
    phrase(
        r#"\b(?:env|envconfig):"([A-Z_][A-Z0-9_]+)(?:,[^"]*?default=([^",]*))?[^"]*"(?:[^`\n]*?\b(?:envDefault|default|env-default):"([^"]*)")?"#,
    )
});

/// `env = "NAME", default_value = "d"` in attributes.
static ATTRIBUTE: LazyLock<Option<Regex>> =
    LazyLock::new(|| phrase(r#"\benv\s*=\s*"([A-Z_][A-Z0-9_]+)"[^)\]]*?\bdefault_value\s*=\s*"([^"]*)""#));

/// A constant with a string.
static CONSTANT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    phrase(
        r#"(?m)^\s*(?:export\s+|public\s+|private\s+|static\s+|final\s+|pub\s+)*(?:const|let|var|val|String|string)?\s*([A-Za-z_]\w*)\s*(?::\s*[&\w']+\s*)?:?=\s*(["'`])"#,
    )
});

/// `const { A = "x", B: b = "y" } = process.env`.
static DESTRUCTURED: LazyLock<Option<Regex>> =
    LazyLock::new(|| phrase(r"\{([^{}]*)\}\s*=\s*(?:process\.env|import\.meta\.env|Bun\.env)\b"));

/// The name that takes a read: `url := os.Getenv("X")`, `let url = process.env.X`.
static TAKEN: LazyLock<Option<Regex>> = LazyLock::new(|| phrase(r"([A-Za-z_]\w*)\s*(?::\s*\w+\s*)?:?=\s*$"));

/// Finds what a text reads.
pub(super) fn read(raw: &str, style: Style) -> Vec<Found> {
    let text = comments::blank(raw, style);
    let source = Source { constants: constants(&text), text: &text };
    let mut found = Vec::new();
    source.reads(&mut found);
    source.helpers(&mut found);
    source.declared(&mut found);
    source.destructured(&mut found);
    for one in &mut found {
        one.development_only = guarded(&text, one.at);
    }
    found
}

struct Source<'t> {
    text: &'t str,
    constants: BTreeMap<&'t str, String>,
}

impl<'t> Source<'t> {
    /// The string that starts at an offset: a literal or a constant's name.
    fn string_at(&self, at: usize) -> Option<String> {
        literal(self.text, at).map(|(value, _)| value).or_else(|| {
            let rest = &self.text[at..];
            let length = rest.bytes().take_while(|b| b.is_ascii_alphanumeric() || *b == b'_').count();
            self.constants.get(&rest[..length]).cloned()
        })
    }

    fn reads(&self, found: &mut Vec<Found>) {
        for captures in READ.iter().flat_map(|r| r.captures_iter(self.text)) {
            let (Some(whole), Some(name)) = (captures.get(0), captures.iter().skip(1).flatten().next()) else {
                continue;
            };
            let after = &self.text[whole.end()..];
            let fallback = FALLBACK.as_ref().and_then(|r| r.find(after)).filter(|m| {
                // A comma or brace continues the read only where the phrase is a call's argument.
                let ends = m.as_str().trim();
                !matches!(ends, "," | ", ") || self.text[..whole.start()].trim_end().ends_with("cmp.Or(")
            });
            let when_empty = !fallback.is_some_and(|m| m.as_str().trim().starts_with("??"));
            let default = fallback
                .and_then(|m| self.string_at(whole.end() + m.end()))
                .or_else(|| self.assigned_when_empty(whole.start(), whole.end()));
            found.push(Found {
                variable: name.as_str().to_owned(),
                default,
                at: whole.start(),
                when_empty,
                ..Found::default()
            });
        }
    }

    /// `url := os.Getenv("X")` with a later `if url == "" { url = "d" }`.
    fn assigned_when_empty(&self, start: usize, end: usize) -> Option<String> {
        let line_start = self.text[..start].rfind('\n').map_or(0, |i| i + 1);
        let name = TAKEN.as_ref()?.captures(&self.text[line_start..start])?.get(1)?.as_str();
        let window = &self.text[end..self.text.floor_char_boundary((end + 400).min(self.text.len()))];
        let test = [
            format!("{name} == \"\""),
            format!("!{name}"),
            format!("{name} === undefined"),
            format!("{name} == nil"),
            format!("len({name}) == 0"),
            format!("not {name}"),
            format!("{name} is None"),
        ]
        .iter()
        .filter_map(|t| window.find(t.as_str()).map(|i| i + t.len()))
        .min()?;
        let assigned = window[test..].find(&format!("{name} = "))? + test + name.len() + 3;
        self.string_at(end + assigned)
    }

    fn helpers(&self, found: &mut Vec<Found>) {
        for captures in HELPER.iter().flat_map(|r| r.captures_iter(self.text)) {
            let (Some(whole), Some(callee), Some(name)) = (captures.get(0), captures.get(1), captures.get(2)) else {
                continue;
            };
            if names_environment(callee.as_str())
                && let Some(default) = self.string_at(whole.end())
            {
                found.push(Found {
                    variable: name.as_str().to_owned(),
                    default: Some(default),
                    at: whole.start(),
                    when_empty: true,
                    ..Found::default()
                });
            }
        }
    }

    fn declared(&self, found: &mut Vec<Found>) {
        for captures in SCHEMA.iter().flat_map(|r| r.captures_iter(self.text)) {
            let (Some(whole), Some(name)) = (captures.get(0), captures.get(1)) else { continue };
            if let Some(default) = self.string_at(whole.end()) {
                found.push(Found {
                    variable: name.as_str().to_owned(),
                    default: Some(default),
                    at: whole.start(),
                    ..Found::default()
                });
            }
        }
        for captures in [&*TAG, &*ATTRIBUTE].into_iter().flatten().flat_map(|r| r.captures_iter(self.text)) {
            let (Some(whole), Some(name)) = (captures.get(0), captures.get(1)) else { continue };
            let default = captures.iter().skip(2).flatten().next().map(|m| m.as_str().to_owned());
            found.push(Found { variable: name.as_str().to_owned(), default, at: whole.start(), ..Found::default() });
        }
    }

    fn destructured(&self, found: &mut Vec<Found>) {
        for captures in DESTRUCTURED.iter().flat_map(|r| r.captures_iter(self.text)) {
            let Some(inner) = captures.get(1) else { continue };
            let mut at = inner.start();
            for part in inner.as_str().split(',') {
                let name = part.trim_start();
                let name_at = at + part.len() - name.len();
                let length = name.bytes().take_while(|b| b.is_ascii_alphanumeric() || *b == b'_').count();
                if is_variable_name(&name[..length]) {
                    let value_at =
                        part.find('=').map(|i| at + i + 1 + part[i + 1..].len() - part[i + 1..].trim_start().len());
                    let default = value_at.and_then(|v| self.string_at(v));
                    found.push(Found { variable: name[..length].to_owned(), default, at: name_at, ..Found::default() });
                }
                at += part.len() + 1;
            }
        }
    }
}

/// Whether a function's name says that it reads the environment or configuration.
pub(super) fn names_environment(callee: &str) -> bool {
    let last = callee.rsplit(['.', ':']).next().unwrap_or(callee).to_ascii_lowercase();
    let owner = callee.to_ascii_lowercase();
    let by_owner = ["env.", "environ.", "config.", "settings.", "environment."].iter().any(|o| owner.contains(o));
    last.contains("env") || last.contains("config") || last.contains("setting") || by_owner || last == "getordefault"
}

/// The string literal at an offset and where it ends; templates keep their `${…}`.
fn literal(text: &str, at: usize) -> Option<(String, usize)> {
    let bytes = text.as_bytes();
    let quote = *bytes.get(at)?;
    if !matches!(quote, b'"' | b'\'' | b'`') {
        return None;
    }
    let mut end = at + 1;
    while end < bytes.len() && bytes[end] != quote {
        if bytes[end] == b'\n' && quote != b'`' {
            return None;
        }
        end += if bytes[end] == b'\\' { 2 } else { 1 };
    }
    (end < bytes.len()).then(|| (text[at + 1..end].replace("\\\"", "\"").replace("\\'", "'"), end + 1))
}

fn constants(text: &str) -> BTreeMap<&str, String> {
    CONSTANT
        .iter()
        .flat_map(|r| r.captures_iter(text))
        .filter_map(|c| {
            let (value, _) = literal(text, c.get(2)?.start())?;
            Some((c.get(1)?.as_str(), value))
        })
        .collect()
}

/// Whether a place stands in a block whose condition asks for development.
fn guarded(text: &str, at: usize) -> bool {
    let mut depth = 0usize;
    for (i, byte) in text.as_bytes()[..at].iter().enumerate().rev() {
        match byte {
            b'}' => depth += 1,
            b'{' if depth > 0 => depth -= 1,
            b'{' => {
                let head_from = text[..i].rfind(['\n', ';', '}']).map_or(0, |j| j + 1);
                let head = &text[head_from..i];
                let is_condition = head.split(|c: char| !c.is_ascii_alphanumeric()).any(|w| w == "if");
                if is_condition && asks_for_development(head) {
                    return true;
                }
            }
            _ => {}
        }
    }
    false
}
