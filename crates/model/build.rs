//! Compiles the rules for secrets into tables: an index of all keywords, and the rules behind
//! it, so that nothing is parsed or built when a program starts.
//!
//! The tables hold places in one text instead of pointers: pointers would have to be set right
//! at each start, also those of rules that no text ever meets.

#![allow(clippy::print_stdout, reason = "a build script speaks to cargo this way")]

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

#[derive(serde::Deserialize)]
struct File {
    rules: Vec<Rule>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    id: String,
    description: String,
    regex: Option<String>,
    value: Option<String>,
    #[serde(default)]
    names: Vec<String>,
    #[serde(rename = "secretGroup")]
    group: Option<usize>,
    #[serde(default)]
    entropy: f64,
    keywords: Vec<String>,
    level: Option<String>,
    content: Option<String>,
    #[serde(default)]
    near: Vec<String>,
    #[serde(default)]
    allowlists: Vec<Allow>,
    #[serde(rename = "example")]
    _example: Vec<String>,
    #[serde(default, rename = "silent")]
    _silent: Vec<String>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Allow {
    #[serde(default)]
    regexes: Vec<String>,
    #[serde(default)]
    stopwords: Vec<String>,
}

fn main() -> std::io::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../facts/secrets").canonicalize()?;
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut files: Vec<_> = std::fs::read_dir(&folder)?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|e| e == "toml"))
        .collect();
    files.sort();
    let mut rules = Vec::new();
    for path in files {
        let text = std::fs::read_to_string(&path)?;
        let file: File =
            toml::from_str(&text).map_err(|error| std::io::Error::other(format!("{}: {error}", path.display())))?;
        rules.extend(file.rules);
    }
    let words = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/redact/shapes/announcers.txt");
    println!("cargo::rerun-if-changed={}", words.display());
    let words = std::fs::read_to_string(&words)?;
    let mut code = String::new();
    let mut text = Text::default();
    write_rules(&rules, &mut text, &mut code)?;
    write_keywords(&rules, words.lines().filter(|line| !line.is_empty()), &mut text, &mut code);
    text.write(&mut code);
    let out = std::env::var("OUT_DIR").map_err(std::io::Error::other)?;
    std::fs::write(Path::new(&out).join("secret_rules.rs"), code)
}

/// All texts of the tables, run together, and the lists of them.
#[derive(Default)]
struct Text {
    whole: String,
    lists: Vec<(usize, usize)>,
    known: BTreeMap<String, usize>,
}

impl Text {
    /// Where a text stands.
    fn place(&mut self, text: &str) -> (usize, usize) {
        let at = *self.known.entry(text.to_owned()).or_insert_with(|| {
            self.whole.push_str(text);
            self.whole.len() - text.len()
        });
        (at, text.len())
    }

    fn span(&mut self, text: &str) -> String {
        let (at, length) = self.place(text);
        format!("Span({at}, {length})")
    }

    fn list<'a>(&mut self, texts: impl IntoIterator<Item = &'a String>) -> String {
        let at = self.lists.len();
        for text in texts {
            let place = self.place(text);
            self.lists.push(place);
        }
        format!("List({at}, {})", self.lists.len() - at)
    }

    fn write(&self, code: &mut String) {
        let _ = writeln!(code, "static TEXT: &str = {:?};", self.whole);
        let _ = writeln!(code, "static LISTS: [Span; {}] = [", self.lists.len());
        for (at, length) in &self.lists {
            let _ = writeln!(code, "    Span({at}, {length}),");
        }
        code.push_str("];\n");
    }
}

fn write_rules(rules: &[Rule], text: &mut Text, code: &mut String) -> std::io::Result<()> {
    let _ = writeln!(code, "pub(super) static RULES: [Rule; {}] = [", rules.len());
    for rule in rules {
        let wrong = |why: &str| std::io::Error::other(format!("rule {}: {why}", rule.id));
        let level = match rule.level.as_deref() {
            None | Some("secret") => "Secret",
            Some("identifier") => "Identifier",
            Some("generic") => "Generic",
            Some(_) => return Err(wrong("its level is none")),
        };
        let content = match rule.content.as_deref() {
            None => "Any",
            Some("login") => "Login",
            Some("random") => "Random",
            Some(_) => return Err(wrong("its content is none")),
        };
        let shape = match (&rule.regex, &rule.value) {
            (Some(regex), None) => {
                let begins: &[String] = if begins_with_keyword(regex, &rule.keywords) { &rule.keywords } else { &[] };
                // An expression that takes white space into what it repeats reads on over lines.
                let lines = regex.contains(r"\s]{");
                let (regex, begins) = (text.span(regex), text.list(begins));
                format!("Shape::Pattern {{ regex: {regex}, begins: {begins}, lines: {lines} }}")
            }
            (None, Some(value)) => {
                format!("Shape::Value {{ form: {}, names: {} }}", text.span(value), text.list(&rule.names))
            }
            _ => return Err(wrong("either `regex` or `value`")),
        };
        if rule.keywords.is_empty() || rule.keywords.iter().any(|k| k.len() < 2 || !k.is_ascii()) {
            return Err(wrong("a rule needs keywords, in ASCII, of two letters or more"));
        }
        let near = text.list(&rule.near);
        let allowed = text.list(rule.allowlists.iter().flat_map(|a| &a.regexes));
        let stopwords = text.list(rule.allowlists.iter().flat_map(|a| &a.stopwords));
        let _ = writeln!(
            code,
            "    Rule {{ id: {}, description: {}, shape: {shape}, group: {:?}, entropy: {:?}, level: Level::{level}, \
             content: Content::{content}, near: {near}, \
             allowed: {allowed}, stopwords: {stopwords} }},",
            text.span(&rule.id),
            text.span(&rule.description),
            rule.group,
            rule.entropy
        );
    }
    code.push_str("];\n");
    Ok(())
}

/// Whether each match of an expression starts where a keyword does, written as it is.
fn begins_with_keyword(regex: &str, keywords: &[String]) -> bool {
    let Some(rest) = regex.strip_prefix(r"\b") else { return false };
    let begun = beginnings(rest);
    begun.iter().all(|(text, _)| keywords.iter().any(|k| text.starts_with(k.as_str())))
        && keywords.iter().all(|k| begun.iter().any(|(text, _)| text.starts_with(k.as_str())))
}

/// The literal texts that a match can begin with, and whether each could go on literally.
fn beginnings(regex: &str) -> Vec<(String, bool)> {
    let mut begun = vec![(String::new(), true)];
    let mut rest = regex;
    while begun.iter().any(|(_, open)| *open) && begun.len() < 100 {
        let Some(first) = rest.chars().next() else { break };
        let (next, behind): (Vec<(String, bool)>, &str) = if first == '(' {
            let Some(end) = closing(rest) else { break };
            let inner = rest[1..end].trim_start_matches("?:");
            (alternatives(inner).into_iter().flat_map(beginnings).collect(), &rest[end + 1..])
        } else if let Some(set) = rest.strip_prefix('[').and_then(|r| r.split(']').next()).filter(|s| is_small(s)) {
            (set.chars().map(|c| (c.to_string(), true)).collect(), &rest[set.len() + 2..])
        } else if let Some(escaped) =
            rest.strip_prefix('\\').filter(|r| r.starts_with(|c: char| c.is_ascii_punctuation()))
        {
            (vec![(escaped[..1].to_owned(), true)], &escaped[1..])
        } else if first.is_ascii_alphanumeric() || "_-/~:\" ".contains(first) {
            (vec![(first.to_string(), true)], &rest[1..])
        } else {
            break;
        };
        // What may be left out or repeated ends the text that is sure.
        if behind.starts_with(['?', '*', '{', '+']) {
            break;
        }
        begun = begun
            .iter()
            .flat_map(|(text, open)| match open {
                true => next.iter().map(|(more, open)| (format!("{text}{more}"), *open)).collect::<Vec<_>>(),
                false => vec![(text.clone(), false)],
            })
            .collect();
        rest = behind;
    }
    if !rest.is_empty() {
        begun.iter_mut().for_each(|(_, open)| *open = false);
    }
    begun
}

/// A class of a few letters, such as `[ps]`.
fn is_small(set: &str) -> bool {
    set.len() <= 6 && set.chars().all(|c| c.is_ascii_alphanumeric())
}

/// The end of the group that opens a text.
fn closing(text: &str) -> Option<usize> {
    let (mut depth, mut escaped, mut class) = (0, false, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '[' => class = true,
            ']' => class = false,
            '(' if !class => depth += 1,
            ')' if !class => {
                depth -= 1;
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
    }
    None
}

/// The alternatives of a group, at its own level.
fn alternatives(text: &str) -> Vec<&str> {
    let (mut depth, mut escaped, mut start) = (0, false, 0);
    let mut parts = Vec::new();
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '(' | '[' => depth += 1,
            ')' | ']' => depth -= 1,
            '|' if depth == 0 => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

/// The class of a byte, letters without their case; 0 for bytes that no keyword holds.
fn class(byte: u8) -> usize {
    match byte.to_ascii_lowercase() {
        letter @ b'a'..=b'z' => usize::from(letter - b'a') + 1,
        b'0'..=b'9' => 27,
        b'_' => 28,
        b'-' => 29,
        b':' | b'/' => 30,
        b' ' | b'"' | b'$' | b'&' | b'+' | b'.' | b'=' | b'@' | b'~' => 31,
        _ => 0,
    }
}

/// Writes keywords by the classes of their first two bytes, and a set of the classes of their
/// first three, which alone a text is compared with at most of its places.
fn write_keywords<'a>(rules: &[Rule], words: impl Iterator<Item = &'a str>, text: &mut Text, code: &mut String) {
    let of_rules = rules.iter().enumerate().flat_map(|(n, r)| r.keywords.iter().map(move |k| (k.as_str(), n)));
    let words = words.enumerate().map(|(n, word)| (word, rules.len() + n));
    let head = |word: &str| class(word.as_bytes()[0]) << 5 | class(word.as_bytes()[1]);
    let mut keywords: Vec<(String, usize)> = of_rules.chain(words).map(|(k, n)| (k.to_ascii_lowercase(), n)).collect();
    // Of keywords that begin alike the longest comes first.
    keywords.sort_by_key(|(word, owner)| (head(word), std::cmp::Reverse(word.len()), word.clone(), *owner));
    let mut seen = vec![0u64; 512];
    let mut starts = vec![0usize; 1025];
    for (word, _) in &keywords {
        starts[head(word) + 1] += 1;
        let thirds = word.as_bytes().get(2).map_or(0..32, |third| class(*third)..class(*third) + 1);
        for third in thirds {
            let key = head(word) << 5 | third;
            seen[key / 64] |= 1 << (key % 64);
        }
    }
    for at in 1..starts.len() {
        starts[at] += starts[at - 1];
    }
    let classes: Vec<usize> = (0..=255).map(class).collect();
    let _ = writeln!(code, "static CLASS: [u8; 256] = {classes:?};");
    let _ = writeln!(code, "static SEEN: [u64; 512] = {seen:?};");
    let _ = writeln!(code, "static STARTS: [u16; 1025] = {starts:?};");
    let _ = writeln!(code, "static KEYWORDS: [Keyword; {}] = [", keywords.len());
    for (word, owner) in keywords {
        let third = word.as_bytes().get(2).map_or(32, |third| class(*third));
        let _ = writeln!(code, "    Keyword {{ word: {}, third: {third}, owner: {owner} }},", text.span(&word));
    }
    code.push_str("];\n");
}
