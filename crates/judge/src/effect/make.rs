//! `make TARGET`: the recipes that the makefile holds for the target and for what it needs.

use std::collections::{BTreeMap, BTreeSet};

use coroner_read::shell::{self, Word};

use super::options::{Options, Order};
use super::{Plan, script};

/// Most targets that one call is followed through.
const TARGETS_MAX: usize = 40;
/// Most variables inside each other that are filled in.
const DEPTH_MAX: usize = 8;

/// A makefile, as far as its recipes need it.
#[derive(Debug, Default)]
struct Makefile {
    variables: BTreeMap<String, String>,
    rules: Vec<(String, Rule)>,
}

#[derive(Clone, Debug, Default)]
struct Rule {
    needs: Vec<String>,
    recipe: Vec<String>,
}

pub(super) fn plan(out: &mut Plan<'_>) {
    let valued = ["-C", "--directory", "-f", "--file", "--makefile", "-I", "-o", "-W", "-j?", "-l?"];
    let options = Options::read(&out.call.argv[1..], &valued, Order::Mixed);
    let shows =
        ["-n", "--just-print", "--dry-run", "--recon", "-q", "--question", "-t", "--touch", "-v", "--version", "-h"];
    if shows.iter().any(|o| options.has(&[o])) || out.depth >= script::DEPTH_MAX {
        return;
    }
    let directory =
        options.value(&["-C", "--directory"]).map_or_else(|| out.call.cwd.clone(), |d| shell::join(&out.call.cwd, d));
    let file = options.value(&["-f", "--file", "--makefile"]).cloned().unwrap_or_else(|| Word::literal("Makefile"));
    let Some(text) = out.text_of(&shell::join(&directory, &file)) else { return };
    let mut makefile = read(&text);
    let mut targets: Vec<String> = Vec::new();
    for word in &options.operands {
        let text = word.show();
        match text.split_once('=') {
            Some((name, value)) => {
                drop(makefile.variables.insert(name.trim_end_matches([':', '?']).to_owned(), value.to_owned()))
            }
            None => targets.push(text),
        }
    }
    if targets.is_empty() {
        targets.extend(makefile.rules.iter().map(|(name, _)| name.clone()).find(|name| !name.starts_with('.')));
    }
    for text in recipes(&makefile, targets) {
        script::run(out, &text, &directory);
    }
}

/// The recipes of the targets, those of what they need first.
fn recipes(makefile: &Makefile, targets: Vec<String>) -> Vec<String> {
    let mut out = Vec::new();
    let mut seen = BTreeSet::new();
    for target in targets {
        visit(makefile, &target, &mut seen, &mut out);
    }
    out
}

fn visit(makefile: &Makefile, target: &str, seen: &mut BTreeSet<String>, out: &mut Vec<String>) {
    if seen.len() >= TARGETS_MAX || !seen.insert(target.to_owned()) {
        return;
    }
    for (_, rule) in makefile.rules.iter().filter(|(name, _)| name == target) {
        for need in &rule.needs {
            visit(makefile, need, seen, out);
        }
        // Each line is a shell of its own.
        out.extend(rule.recipe.iter().map(|line| filled(line, target, makefile, 0)));
    }
}

fn read(text: &str) -> Makefile {
    let mut makefile = Makefile::default();
    let mut open: Vec<usize> = Vec::new();
    let joined = text.replace("\\\r\n", "\\\n");
    let mut lines = joined.lines();
    while let Some(first) = lines.next() {
        let mut line = first.to_owned();
        while line.ends_with('\\') {
            line.pop();
            line.push_str(lines.next().unwrap_or_default().trim_start());
        }
        if let Some(command) = line.strip_prefix('\t') {
            let command = command.trim_start_matches(['@', '-', '+', ' ']);
            open.iter().for_each(|at| makefile.rules[*at].1.recipe.push(command.to_owned()));
            continue;
        }
        let plain = line.split('#').next().unwrap_or_default().trim().to_owned();
        if plain.is_empty() {
            continue;
        }
        open = header(&plain, &mut makefile);
    }
    makefile
}

/// A variable or the head of a rule; gives the rules that recipe lines belong to.
fn header(line: &str, makefile: &mut Makefile) -> Vec<usize> {
    let line = line.strip_prefix("export ").unwrap_or(line);
    if let Some((name, value)) = line.split_once('=') {
        let name = name.trim_end_matches([':', '?', '+', '!', ' ']);
        if !name.contains([':', ' ', '$']) {
            makefile.variables.insert(name.to_owned(), value.trim().to_owned());
            return Vec::new();
        }
    }
    let Some((names, rest)) = line.split_once(':') else { return Vec::new() };
    let (needs, inline) = rest.trim_start_matches(':').split_once(';').unwrap_or((rest.trim_start_matches(':'), ""));
    let rule = Rule {
        needs: needs.split_whitespace().filter(|w| *w != "|").map(str::to_owned).collect(),
        recipe: Some(inline.trim()).filter(|c| !c.is_empty()).map(str::to_owned).into_iter().collect(),
    };
    names
        .split_whitespace()
        .map(|name| {
            makefile.rules.push((name.to_owned(), rule.clone()));
            makefile.rules.len() - 1
        })
        .collect()
}

/// A recipe line with its variables; what is not known stays a variable of the shell.
fn filled(line: &str, target: &str, makefile: &Makefile, depth: usize) -> String {
    let mut out = String::new();
    let mut rest = line;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        let close = match after.chars().next() {
            Some('(') => ')',
            Some('{') => '}',
            Some('$') => {
                out.push('$');
                rest = &after[1..];
                continue;
            }
            Some('@') => {
                out.push_str(target);
                rest = &after[1..];
                continue;
            }
            _ => {
                out.push('$');
                rest = after;
                continue;
            }
        };
        let Some(end) = after.find(close) else { break };
        let name = &after[1..end];
        match makefile.variables.get(name) {
            Some(value) if depth < DEPTH_MAX => out.push_str(&filled(value, target, makefile, depth + 1)),
            _ if name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') => out.push_str(&format!("${{{name}}}")),
            _ => out.push_str("$__made"),
        }
        rest = &after[end + 1..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
DIR ?= build
DB := shop
.PHONY: all clean
all: build

build: ; cc -o $(DIR)/x x.c
clean:
\t@rm -rf $(DIR)
reset: clean
\t-psql $(DB) \\
\t  -c 'DROP TABLE x'
\techo $$HOME $@
";

    #[test]
    fn recipes_are_found_with_what_they_need() {
        let makefile = read(TEXT);
        let of = |target: &str| recipes(&makefile, vec![target.to_owned()]);
        assert_eq!(of("all"), ["cc -o build/x x.c"]);
        assert_eq!(of("reset"), ["rm -rf build", "psql shop -c 'DROP TABLE x'", "echo $HOME reset"]);
        assert!(of("missing").is_empty());
    }
}
