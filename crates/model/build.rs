//! Compiles the rules for secrets into tables: one automaton over all keywords, and the rules
//! behind it, so that nothing is parsed or built when a program starts.

#![allow(clippy::print_stdout, reason = "a build script speaks to cargo this way")]

use std::collections::{BTreeMap, VecDeque};
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
    let mut code = String::new();
    write_rules(&rules, &mut code)?;
    Automaton::of(&rules).write(&mut code);
    let out = std::env::var("OUT_DIR").map_err(std::io::Error::other)?;
    std::fs::write(Path::new(&out).join("secret_rules.rs"), code)
}

fn write_rules(rules: &[Rule], code: &mut String) -> std::io::Result<()> {
    let _ = writeln!(code, "pub(super) static RULES: [Rule; {}] = [", rules.len());
    for rule in rules {
        let wrong = |why: &str| std::io::Error::other(format!("rule {}: {why}", rule.id));
        let level = match rule.level.as_deref() {
            None | Some("secret") => "Secret",
            Some("identifier") => "Identifier",
            Some("generic") => "Generic",
            Some(_) => return Err(wrong("its level is none")),
        };
        let shape = match (&rule.regex, &rule.value) {
            (Some(regex), None) => {
                let begins: &[String] = if begins_with_keyword(regex, &rule.keywords) { &rule.keywords } else { &[] };
                // An expression that takes white space into what it repeats reads on over lines.
                let lines = regex.contains(r"\s]{");
                format!("Shape::Pattern {{ regex: {regex:?}, begins: &{begins:?}, lines: {lines} }}")
            }
            (None, Some(value)) => format!("Shape::Value {{ form: {value:?}, names: &{:?} }}", rule.names),
            _ => return Err(wrong("either `regex` or `value`")),
        };
        if rule.keywords.is_empty() || rule.keywords.iter().any(|k| k.is_empty() || !k.is_ascii()) {
            return Err(wrong("a rule needs keywords, in ASCII"));
        }
        let regexes: Vec<&String> = rule.allowlists.iter().flat_map(|a| &a.regexes).collect();
        let stopwords: Vec<&String> = rule.allowlists.iter().flat_map(|a| &a.stopwords).collect();
        let _ = writeln!(
            code,
            "    Rule {{ id: {:?}, description: {:?}, shape: {shape}, group: {:?}, entropy: {:?}, level: Level::{level}, \
             allowed: &{regexes:?}, stopwords: &{stopwords:?} }},",
            rule.id, rule.description, rule.group, rule.entropy
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

/// The automaton of Aho and Corasick as one table, over bytes folded into classes.
struct Automaton {
    class: [u8; 256],
    classes: usize,
    next: Vec<usize>,
    /// What ends in a state: the keyword's length and the rule.
    ends: Vec<Vec<(usize, usize)>>,
}

impl Automaton {
    fn of(rules: &[Rule]) -> Automaton {
        let keywords: Vec<(Vec<u8>, usize)> = rules
            .iter()
            .enumerate()
            .flat_map(|(n, r)| r.keywords.iter().map(move |k| (k.to_ascii_lowercase().into_bytes(), n)))
            .collect();
        let mut class = [0u8; 256];
        let mut classes = 1;
        for byte in keywords.iter().flat_map(|(k, _)| k) {
            if class[usize::from(*byte)] == 0 {
                class[usize::from(*byte)] = u8::try_from(classes).unwrap_or(u8::MAX);
                classes += 1;
            }
        }
        for upper in b'A'..=b'Z' {
            class[usize::from(upper)] = class[usize::from(upper.to_ascii_lowercase())];
        }
        let mut trie: Vec<BTreeMap<u8, usize>> = vec![BTreeMap::new()];
        let mut ends: Vec<Vec<(usize, usize)>> = vec![Vec::new()];
        for (word, rule) in &keywords {
            let mut state = 0;
            for byte in word {
                let class = class[usize::from(*byte)];
                let fresh = trie.len();
                state = *trie[state].entry(class).or_insert(fresh);
                if state == fresh {
                    trie.push(BTreeMap::new());
                    ends.push(Vec::new());
                }
            }
            ends[state].push((word.len(), *rule));
        }
        let mut next = vec![0usize; trie.len() * classes];
        let mut failure = vec![0usize; trie.len()];
        let mut queue = VecDeque::from([0usize]);
        while let Some(state) = queue.pop_front() {
            for class in 0..classes {
                let fallback = if state == 0 { 0 } else { next[failure[state] * classes + class] };
                match trie[state].get(&u8::try_from(class).unwrap_or(0)).filter(|_| class > 0) {
                    Some(child) => {
                        failure[*child] = fallback;
                        let inherited = ends[fallback].clone();
                        ends[*child].extend(inherited);
                        next[state * classes + class] = *child;
                        queue.push_back(*child);
                    }
                    None => next[state * classes + class] = fallback,
                }
            }
        }
        Automaton { class, classes, next, ends }
    }

    fn write(&self, code: &mut String) {
        let mut lists: Vec<&Vec<(usize, usize)>> = vec![&self.ends[0]];
        let mut list_of = Vec::new();
        for ends in &self.ends {
            let known = if ends.is_empty() { Some(0) } else { None };
            list_of.push(known.unwrap_or_else(|| {
                lists.push(ends);
                lists.len() - 1
            }));
        }
        let _ = writeln!(code, "pub(super) const CLASSES: usize = {};", self.classes);
        let _ = writeln!(code, "pub(super) static CLASS: [u8; 256] = {:?};", self.class);
        let _ = writeln!(code, "pub(super) static NEXT: [u16; {}] = {:?};", self.next.len(), self.next);
        let _ = writeln!(code, "pub(super) static LIST: [u16; {}] = {:?};", list_of.len(), list_of);
        let _ = writeln!(code, "pub(super) static ENDS: [&[(u8, u16)]; {}] = [", lists.len());
        for list in lists {
            let _ = writeln!(code, "    &{list:?},");
        }
        code.push_str("];\n");
    }
}
