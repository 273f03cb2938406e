//! `just`: recipes of a justfile, with parameters, variables and dependencies.

use std::collections::BTreeMap;

use super::super::path;
use super::super::walk::Walker;
use super::super::word::Word;
use super::super::world::{Frame, World};
use super::{Call, Texts, first_file, named_file, sorted, value_of};

/// Deepest chain of dependencies that is followed.
const DEPTH_MAX: usize = 16;

/// What `just` would run.
pub(crate) fn read(walker: &mut Walker<'_>, words: &[Word], world: &World, frame: &Frame) -> Option<(Call, Texts)> {
    let (options, operands) = sorted(words, &["-f", "--justfile", "-d", "--working-directory", "--set", "--shell"]);
    if options
        .iter()
        .any(|(name, _)| matches!(*name, "-n" | "--dry-run" | "-l" | "--list" | "--show" | "-s" | "--summary"))
    {
        return None;
    }
    let named = value_of(&options, &["-f", "--justfile"]);
    let text = match &named {
        Some(file) => named_file(walker, file, &world.cwd, frame)?,
        None => first_file(walker, &world.cwd, &["justfile", "Justfile", ".justfile"])?,
    };
    let beside = named.as_ref().map(|file| path::join(&world.cwd, &path::join(file, &Word::literal(".."))));
    let directory = value_of(&options, &["-d", "--working-directory"]).map(|d| path::join(&world.cwd, &d));
    let directory = directory.or(beside).unwrap_or_else(|| world.cwd.clone());
    let mut file = Justfile::read(&text);
    let mut names = Vec::new();
    let mut arguments = Vec::new();
    for operand in operands {
        let shown = operand.show();
        match shown.split_once('=') {
            Some((name, value)) if names.is_empty() => drop(file.variables.insert(name.to_owned(), value.to_owned())),
            _ if names.is_empty() || file.recipes.iter().any(|r| r.name == shown) => names.push(shown),
            _ => arguments.push(shown),
        }
    }
    if names.is_empty() {
        names.extend(file.recipes.first().map(|r| r.name.clone()));
    }
    let mut out = Texts::new();
    for name in &names {
        file.follow(name, &arguments, &mut out, 0);
    }
    Some((Call { directory, also: false }, out))
}

#[derive(Default)]
struct Justfile {
    variables: BTreeMap<String, String>,
    recipes: Vec<Recipe>,
}

struct Recipe {
    name: String,
    /// Names with their defaults.
    parameters: Vec<(String, Option<String>)>,
    needs: Vec<String>,
    lines: Vec<String>,
}

impl Justfile {
    fn read(text: &str) -> Justfile {
        let mut out = Justfile::default();
        for line in text.lines() {
            if line.starts_with([' ', '\t']) {
                out.recipes.last_mut().iter_mut().for_each(|r| r.lines.push(line.trim().to_owned()));
                continue;
            }
            let line = line.trim();
            if line.is_empty()
                || line.starts_with(['#', '['])
                || line.starts_with("set ")
                || line.starts_with("import ")
            {
                continue;
            }
            if let Some((name, value)) = line.split_once(":=") {
                let name = name.trim().trim_start_matches("export ").trim_start_matches("alias ").trim();
                out.variables.insert(name.to_owned(), plain(value.trim()));
            } else if let Some((head, needs)) = line.split_once(':') {
                out.recipe(head, needs);
            }
        }
        out
    }

    fn recipe(&mut self, head: &str, needs: &str) {
        let mut words = head.trim_start_matches('@').split_whitespace();
        let Some(name) = words.next() else { return };
        let parameters = words
            .map(|w| w.trim_start_matches(['*', '+', '$']))
            .map(|w| match w.split_once('=') {
                Some((name, value)) => (name.to_owned(), Some(plain(value))),
                None => (w.to_owned(), None),
            })
            .collect();
        let needs = needs.split_whitespace().map(|w| w.trim_matches(['(', ')'])).filter(|w| *w != "&&");
        let needs = needs.map(str::to_owned).collect();
        self.recipes.push(Recipe { name: name.to_owned(), parameters, needs, lines: Vec::new() });
    }

    fn follow(&self, name: &str, arguments: &[String], out: &mut Texts, depth: usize) {
        let name = self.variables.get(name).filter(|_| self.recipes.iter().all(|r| r.name != name)).map_or(name, |n| n);
        let Some(recipe) = self.recipes.iter().find(|r| r.name == name).filter(|_| depth <= DEPTH_MAX) else { return };
        for need in &recipe.needs {
            self.follow(need, &[], out, depth + 1);
        }
        let mut variables = self.variables.clone();
        for (at, (name, default)) in recipe.parameters.iter().enumerate() {
            let value = arguments.get(at).or(default.as_ref());
            value.iter().for_each(|value| drop(variables.insert(name.clone(), (*value).clone())));
        }
        let lines: Vec<String> = recipe.lines.iter().map(|line| put_in(line, &variables)).collect();
        if lines.first().is_some_and(|first| first.starts_with("#!")) {
            out.push(lines.join("\n"));
        } else {
            out.extend(lines.iter().map(|l| l.trim_start_matches(['@', '-']).to_owned()));
        }
    }
}

/// The text of a quoted value.
fn plain(value: &str) -> String {
    let bare = value.trim_matches(['"', '\'']);
    if bare.len() < value.len() { bare.to_owned() } else { value.to_owned() }
}

/// Puts `{{ name }}` in; what is not known becomes a variable of the shell.
fn put_in(line: &str, variables: &BTreeMap<String, String>) -> String {
    let mut out = String::new();
    let mut rest = line;
    while let Some((before, after)) = rest.split_once("{{") {
        out.push_str(before);
        let Some((name, tail)) = after.split_once("}}") else { break };
        let name = name.trim();
        match variables.get(name) {
            Some(value) => out.push_str(value),
            None => {
                let letters: String = name.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
                out.push_str(&format!("${{{letters}}}"));
            }
        }
        rest = tail;
    }
    out.push_str(rest);
    out
}
