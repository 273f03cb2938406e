//! Reads of the environment in languages without a grammar here, by their fixed phrases.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::Regex;

use super::comments::{self, Style};
use super::viper;
use super::{Found, asks_for_development, asks_for_production, is_variable_name};

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
static TAKEN: LazyLock<Option<Regex>> =
    LazyLock::new(|| phrase(r"([A-Za-z_]\w*)\s*(?:,\s*([A-Za-z_]\w*)\s*)?(?::\s*\w+\s*)?:?=\s*$"));

/// Finds what a text reads.
pub(super) fn read(raw: &str, style: Style) -> Vec<Found> {
    let text = comments::blank(raw, style);
    let source = Source { constants: constants(&text), text: &text };
    let mut found = Vec::new();
    source.reads(&mut found);
    source.helpers(&mut found);
    source.declared(&mut found);
    source.destructured(&mut found);
    viper::read(&text, &mut found);
    for one in &mut found {
        one.development_only |= guarded(&text, one.at) || refused(&text, &one.variable);
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
            let later = || self.assigned_when_empty(whole.start(), whole.end());
            let beside = fallback
                .and_then(|m| self.string_at(whole.end() + m.end()))
                .or_else(|| self.other_branch(whole.start(), whole.end()))
                .map(|default| (default, false));
            let (default, stopped) = beside.or_else(later).map_or((None, false), |(d, stopped)| (Some(d), stopped));
            found.push(Found {
                variable: name.as_str().to_owned(),
                default,
                at: whole.start(),
                when_empty,
                development_only: stopped,
                ..Found::default()
            });
        }
    }

    /// The other branch of `test ? read : "d"`, which stands behind the read.
    fn other_branch(&self, start: usize, end: usize) -> Option<String> {
        let chosen = self.text[..start].trim_end().ends_with('?');
        let after = &self.text[end..];
        let rest = after.trim_start().strip_prefix(':').filter(|_| chosen)?;
        self.string_at(self.text.len() - rest.trim_start().len())
    }

    /// `url := os.Getenv("X")` with a later `if url == "" { url = "d" }`, or with a return of
    /// what is set and then of a default; and whether production is stopped in between.
    fn assigned_when_empty(&self, start: usize, end: usize) -> Option<(String, bool)> {
        let line_start = self.text[..start].rfind('\n').map_or(0, |i| i + 1);
        let taken = TAKEN.as_ref()?.captures(&self.text[line_start..start])?;
        let (name, found) = (taken.get(1)?.as_str(), taken.get(2).map(|m| m.as_str()));
        let window = &self.text[end..self.text.floor_char_boundary((end + 400).min(self.text.len()))];
        let given: Vec<String> =
            std::iter::once(format!("{name} != \"\"")).chain(found.map(|flag| format!("; {flag}"))).collect();
        let (at, value) =
            self.assigned_in(window, end, name, found).or_else(|| self.returned_after(window, end, &given))?;
        Some((value, stops_production(&window[..at])))
    }

    /// `if v := os.Getenv("X"); v != "" { return v }` and then `return "d"`.
    fn returned_after(&self, window: &str, end: usize, tests: &[String]) -> Option<(usize, String)> {
        let test = tests.iter().filter_map(|t| window.find(t.as_str()).map(|i| i + t.len())).min()?;
        let opens = window[test..].trim_start().starts_with('{');
        let closed = window[test..].find('}').filter(|_| opens)? + test + 1;
        let rest = window[closed..].trim_start().strip_prefix("return ")?;
        let at = window.len() - rest.len();
        Some((at, self.string_at(end + at)?))
    }

    fn assigned_in(&self, window: &str, end: usize, name: &str, found: Option<&str>) -> Option<(usize, String)> {
        let mut tests: Vec<String> = found.map(|flag| format!("!{flag}")).into_iter().collect();
        let empty = [
            format!("{name} == \"\""),
            format!("!{name}"),
            format!("{name} === undefined"),
            format!("{name} == nil"),
            format!("len({name}) == 0"),
            format!("not {name}"),
            format!("{name} is None"),
        ];
        tests.extend(empty);
        let test = tests.iter().filter_map(|t| window.find(t.as_str()).map(|i| i + t.len())).min()?;
        let assigned = window[test..].find(&format!("{name} = "))? + test + name.len() + 3;
        Some((assigned, self.string_at(end + assigned)?))
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
pub(super) fn literal(text: &str, at: usize) -> Option<(String, usize)> {
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

/// An `if` whose branch ends the program or the function.
static STOPS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    phrase(
        r"(?x)\bif\b([^{};\n]*)\{?\s*(?:throw\b|panic!?\(|raise\b|abort\b|exit\b|die\b
        |(?:process|os|System)\.(?:exit|Exit)\(|log\.(?:Fatal|Panic)|return\s+(?:nil\s*,|Err\(|\w*[Ee]rr))",
    )
});

/// Whether a text stops a production run before it goes on.
fn stops_production(text: &str) -> bool {
    let mut stops = STOPS.iter().flat_map(|r| r.captures_iter(text));
    stops.any(|c| c.get(1).is_some_and(|condition| asks_for_production(condition.as_str())))
}

/// Whether a production run is stopped where the variable is missing, wherever that is tested.
fn refused(text: &str, variable: &str) -> bool {
    let mut stops = STOPS.iter().flat_map(|r| r.captures_iter(text));
    stops.any(|c| {
        let condition = c.get(1).map_or("", |m| m.as_str());
        let mut words = condition.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
        asks_for_production(condition) && words.any(|w| w == variable)
    })
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
