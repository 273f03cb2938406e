//! `make`: rules of a makefile, with variables, pattern rules and prerequisites.

use std::collections::BTreeMap;

use super::super::path;
use super::super::walk::Walker;
use super::super::word::Word;
use super::super::world::{Frame, World};
use super::{Call, Texts, first_file, named_file, sorted, value_of};

/// Deepest chain of prerequisites that is followed.
const DEPTH_MAX: usize = 16;
/// Most rounds of putting variables in.
const ROUNDS_MAX: usize = 8;

/// What `make` would run.
pub(crate) fn read(walker: &mut Walker<'_>, words: &[Word], world: &World, frame: &Frame) -> Option<(Call, Texts)> {
    let valued = ["-C", "--directory", "-f", "--file", "--makefile", "-I", "-o", "-W", "-l", "--eval", "-E"];
    let (options, operands) = sorted(words, &valued);
    let dry = |o: &&str| matches!(*o, "-n" | "--just-print" | "--dry-run" | "--recon" | "-q" | "--help" | "--version");
    if options.iter().any(|(name, _)| dry(name)) {
        return None;
    }
    let directory =
        value_of(&options, &["-C", "--directory"]).map_or_else(|| world.cwd.clone(), |d| path::join(&world.cwd, &d));
    let file = value_of(&options, &["-f", "--file", "--makefile"]);
    let text = match &file {
        Some(file) => named_file(walker, file, &directory, frame)?,
        None => first_file(walker, &directory, &["GNUmakefile", "makefile", "Makefile"])?,
    };
    let evaluated: Vec<String> = options
        .iter()
        .filter_map(|(name, value)| match *name {
            "--eval" | "-E" => value.map(Word::show),
            name => name.strip_prefix("--eval=").map(str::to_owned),
        })
        .collect();
    let text = std::iter::once(text).chain(evaluated).collect::<Vec<_>>().join("\n");
    let mut makefile = Makefile::read(&text);
    let mut names = Vec::new();
    for operand in operands {
        match operand.show().split_once('=') {
            Some((name, value)) => {
                drop(makefile.variables.insert(name.trim_end_matches(':').to_owned(), value.to_owned()))
            }
            None => names.push(operand.show()),
        }
    }
    makefile.variables.insert("MAKE".to_owned(), "make".to_owned());
    makefile.variables.entry("CURDIR".to_owned()).or_insert_with(|| directory.show());
    if names.is_empty() {
        names.extend(makefile.goal());
    }
    let mut out: Texts = assigned(&text);
    let mut done = Vec::new();
    for name in &names {
        makefile.follow(name, &mut done, &mut out, 0);
    }
    let call = Call { directory, also: false };
    Some((call, out))
}

/// What `X := $(shell …)` runs while the makefile is read.
fn assigned(text: &str) -> Texts {
    text.lines()
        .filter(|line| !line.starts_with(['\t', '#']))
        .filter_map(|line| {
            let (name, command) = line.split_once("$(shell ")?;
            let end = command.rfind(')')?;
            let at_once = name.contains(":=") || name.contains("!=") || name.trim().is_empty();
            (at_once && !command[..end].contains('$')).then(|| command[..end].to_owned())
        })
        .take(super::TEXTS_MAX)
        .collect()
}

#[derive(Default)]
struct Makefile {
    variables: BTreeMap<String, String>,
    rules: Vec<Rule>,
    one_shell: bool,
}

struct Rule {
    targets: Vec<String>,
    needs: Vec<String>,
    recipe: Vec<String>,
}

impl Makefile {
    fn read(text: &str) -> Makefile {
        let mut out = Makefile::default();
        let joined = text.replace("\r\n", "\n").replace("\\\n", " ");
        let mut defining: Option<(String, Vec<&str>)> = None;
        for line in joined.lines() {
            if let Some((name, lines)) = &mut defining {
                if line.trim() == "endef" {
                    out.variables.insert(name.clone(), lines.join("\n"));
                    defining = None;
                } else {
                    lines.push(line);
                }
                continue;
            }
            if let Some(command) = line.strip_prefix('\t') {
                out.rules.last_mut().iter_mut().for_each(|rule| rule.recipe.push(command.to_owned()));
                continue;
            }
            let line = line.split(" #").next().unwrap_or_default();
            let line = line.trim();
            let bare = line.strip_prefix("export ").or_else(|| line.strip_prefix("override ")).unwrap_or(line);
            if let Some(name) = bare.strip_prefix("define ") {
                defining = Some((name.trim_end_matches('=').trim().to_owned(), Vec::new()));
            } else if !line.starts_with('#') && !out.assign(bare) {
                out.rule(line);
            }
        }
        out
    }

    /// Reads `NAME = value` and its kin; false where the line is none.
    fn assign(&mut self, line: &str) -> bool {
        let Some(at) = line.find('=') else { return false };
        let (left, value) = (&line[..at], line[at + 1..].trim());
        let name = left.trim_end_matches([':', '?', '+', '!']).trim();
        if name.is_empty() || name.contains([' ', ':', '\t', '(']) {
            return false;
        }
        if left.ends_with('+') {
            let old = self.variables.entry(name.to_owned()).or_default();
            old.push(' ');
            old.push_str(value);
        } else if !(left.ends_with('?') && self.variables.contains_key(name)) {
            self.variables.insert(name.to_owned(), value.to_owned());
        }
        true
    }

    fn rule(&mut self, line: &str) {
        let Some((targets, rest)) = line.split_once(':') else { return };
        let (rest, command) = rest.split_once(';').map_or((rest, None), |(r, c)| (r, Some(c)));
        let words = |text: &str| self.put_in(text, None).split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        let (targets, needs) = (words(targets), words(rest.trim_start_matches(':')));
        let needs = needs.into_iter().filter(|n| n != "|").collect();
        self.one_shell |= targets.iter().any(|t| t == ".ONESHELL");
        self.rules.push(Rule { targets, needs, recipe: command.map(str::to_owned).into_iter().collect() });
    }

    /// The first target that is no special one.
    fn goal(&self) -> Option<String> {
        self.variables.get(".DEFAULT_GOAL").cloned().or_else(|| {
            self.rules.iter().flat_map(|r| &r.targets).find(|t| !t.starts_with('.') && !t.contains('%')).cloned()
        })
    }

    fn follow(&self, target: &str, done: &mut Vec<String>, out: &mut Texts, depth: usize) {
        if depth > DEPTH_MAX || done.iter().any(|d| d == target) {
            return;
        }
        done.push(target.to_owned());
        let exact = self.rules.iter().filter(|r| r.targets.iter().any(|t| t == target));
        let mut found: Vec<(&Rule, String)> = exact.map(|r| (r, String::new())).collect();
        if found.iter().all(|(r, _)| r.recipe.is_empty()) {
            found.extend(self.rules.iter().find_map(|r| r.targets.iter().find_map(|t| Some((r, stem(t, target)?)))));
        }
        for (rule, stem) in &found {
            for need in &rule.needs {
                self.follow(&need.replace('%', stem), done, out, depth + 1);
            }
        }
        for (rule, stem) in found {
            let automatic = Automatic { target, needs: &rule.needs, stem: &stem };
            let lines: Vec<String> = rule.recipe.iter().map(|l| bare(&self.put_in(l, Some(&automatic)))).collect();
            if self.one_shell { out.push(lines.join("\n")) } else { out.extend(lines) }
        }
    }

    /// Puts variables in; what is not known stays a variable of the shell.
    fn put_in(&self, text: &str, automatic: Option<&Automatic<'_>>) -> String {
        let mut text = text.to_owned();
        for _ in 0..ROUNDS_MAX {
            let next = self.put_in_once(&text, automatic);
            if next == text {
                break;
            }
            text = next;
        }
        text.replace(DOLLAR, "$")
    }

    fn put_in_once(&self, text: &str, automatic: Option<&Automatic<'_>>) -> String {
        let mut out = String::new();
        let mut rest = text;
        while let Some(at) = rest.find('$') {
            out.push_str(&rest[..at]);
            rest = &rest[at + 1..];
            let Some(first) = rest.chars().next() else { break };
            let close = match first {
                '$' => {
                    out.push_str(DOLLAR);
                    rest = &rest[1..];
                    continue;
                }
                '(' => ')',
                '{' => '}',
                _ => {
                    out.push_str(&automatic.map(|a| a.value(first)).unwrap_or_default());
                    rest = &rest[first.len_utf8()..];
                    continue;
                }
            };
            let Some(end) = closing(rest, first, close) else { break };
            let name = &rest[1..end];
            rest = &rest[end + 1..];
            match name.split_once(' ') {
                Some(("shell", command)) => out.push_str(&format!("{DOLLAR}({command})")),
                Some(("or" | "strip" | "abspath" | "realpath" | "info" | "warning", value)) => out.push_str(value),
                Some(_) => {}
                None => match self.variables.get(name) {
                    Some(value) => out.push_str(value),
                    None => out.push_str(&format!("{DOLLAR}{{{name}}}")),
                },
            }
        }
        out.push_str(rest);
        out
    }
}

/// Stands for a dollar that is the shell's.
const DOLLAR: &str = "\u{1}";

fn closing(text: &str, open: char, close: char) -> Option<usize> {
    let mut depth = 0usize;
    for (at, c) in text.char_indices() {
        if c == open {
            depth += 1;
        } else if c == close {
            depth -= 1;
            if depth == 0 {
                return Some(at);
            }
        }
    }
    None
}

struct Automatic<'a> {
    target: &'a str,
    needs: &'a [String],
    stem: &'a str,
}

impl Automatic<'_> {
    fn value(&self, name: char) -> String {
        match name {
            '@' => self.target.to_owned(),
            '<' => self.needs.first().map(|n| n.replace('%', self.stem)).unwrap_or_default(),
            '^' | '+' | '?' => self.needs.join(" ").replace('%', self.stem),
            '*' => self.stem.to_owned(),
            _ => String::new(),
        }
    }
}

/// What `%` of a pattern stands for in a target.
fn stem(pattern: &str, target: &str) -> Option<String> {
    let (before, after) = pattern.split_once('%')?;
    Some(target.strip_prefix(before)?.strip_suffix(after)?.to_owned())
}

/// A recipe line without `@`, `-` and `+` in front.
fn bare(line: &str) -> String {
    line.trim_start().trim_start_matches(['@', '-', '+']).trim_start().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str, target: &str) -> Vec<String> {
        let mut out = Texts::new();
        Makefile::read(text).follow(target, &mut Vec::new(), &mut out, 0);
        out
    }

    #[test]
    fn rules_are_followed_with_their_variables() {
        let text = "D ?= data\nDIRS := $(D) other\n.PHONY: clean\nall: clean\n\techo $@\nclean: pre ; ls\n\t@-rm -rf $(DIRS) \\\n\t  more\npre:\n\tfor d in a; do echo $$d; done\n%.x: %.y\n\tcc $< -o $@\n";
        assert_eq!(
            lines(text, "all"),
            ["for d in a; do echo $d; done", "ls", "rm -rf data other  \t  more", "echo all"]
        );
        assert_eq!(lines(text, "a.x"), ["cc a.y -o a.x"]);
        assert_eq!(Makefile::read(text).goal().as_deref(), Some("all"));
        assert!(lines("a: b\nb: a\n\tls\n", "a").len() == 1);
    }
}
