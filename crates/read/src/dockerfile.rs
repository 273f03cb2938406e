//! Reads a Dockerfile: its stages with their base image, what they run, and their health check.

use std::collections::BTreeMap;

use crate::compose::interpolate::interpolate;

/// Deepest chain of stages that build on each other.
const STAGES_MAX: usize = 20;

/// One Dockerfile, stage by stage.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dockerfile {
    pub stages: Vec<Stage>,
}

/// One `FROM` and what follows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stage {
    /// The image or the stage that it builds on.
    pub base: String,
    pub name: String,
    /// Texts of its `RUN` instructions.
    pub runs: Vec<String>,
    pub environment: Vec<(String, String)>,
    pub healthcheck: Option<Healthcheck>,
    /// Words of `ENTRYPOINT` and `CMD`.
    pub command: Vec<String>,
}

/// A health check as an image carries it, in the form in which the engine keeps it:
/// `CMD` with words, `CMD-SHELL` with a text, or `NONE`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Healthcheck {
    pub test: Vec<String>,
    /// 1-based.
    pub line: u64,
}

impl Dockerfile {
    /// The last stage and the stages that it builds on, nearest first.
    pub fn chain(&self) -> Vec<&Stage> {
        let mut chain: Vec<&Stage> = Vec::new();
        let mut next = self.stages.len().checked_sub(1);
        while let Some(index) = next.filter(|_| chain.len() < STAGES_MAX) {
            let Some(stage) = self.stages.get(index) else { break };
            chain.push(stage);
            next = self.stages[..index].iter().rposition(|s| !s.name.is_empty() && s.name == stage.base);
        }
        chain
    }

    /// The image that everything stands on; empty where no stage names one.
    pub fn image(&self) -> &str {
        self.chain().last().map_or("", |stage| &stage.base)
    }

    /// The health check that the image gets.
    pub fn healthcheck(&self) -> Option<&Healthcheck> {
        self.chain().into_iter().find_map(|stage| stage.healthcheck.as_ref())
    }
}

/// Reads the instructions; what is none is left alone.
pub fn read(text: &str) -> Dockerfile {
    let mut file = Dockerfile::default();
    let mut arguments: BTreeMap<String, String> = BTreeMap::new();
    for (line, word, rest) in instructions(text) {
        let stage = file.stages.last_mut();
        match (word.as_str(), stage) {
            ("ARG", None) => {
                let (name, value) = rest.split_once('=').unwrap_or((&rest, ""));
                arguments.insert(name.trim().to_owned(), value.trim().trim_matches('"').to_owned());
            }
            ("FROM", _) => {
                let words: Vec<&str> = rest.split_whitespace().filter(|w| !w.starts_with("--")).collect();
                let base = words.first().copied().unwrap_or_default();
                let base = interpolate(base, &|name| arguments.get(name).cloned()).value;
                let named = words.get(1).is_some_and(|w| w.eq_ignore_ascii_case("as"));
                let name = words.get(2).filter(|_| named).map(|w| (*w).to_owned()).unwrap_or_default();
                file.stages.push(Stage { base, name, ..Stage::default() });
            }
            ("RUN", Some(stage)) => stage.runs.push(rest),
            ("ENV", Some(stage)) => {
                let words = crate::compose::split_words(&rest);
                stage
                    .environment
                    .extend(words.iter().filter_map(|w| w.split_once('=')).map(|(k, v)| (k.to_owned(), v.to_owned())));
            }
            ("CMD" | "ENTRYPOINT", Some(stage)) => stage.command.extend(test_of(&rest).into_iter().skip(1)),
            ("HEALTHCHECK", Some(stage)) => {
                let rest = rest.trim_start();
                let mut at = rest;
                while at.starts_with("--") {
                    at = at.split_once(char::is_whitespace).map_or("", |(_, rest)| rest.trim_start());
                }
                let test = match at.strip_prefix("CMD") {
                    Some(command) => test_of(command),
                    None => vec!["NONE".to_owned()],
                };
                stage.healthcheck = Some(Healthcheck { test, line });
            }
            _ => {}
        }
    }
    file
}

/// A command in the form of words or in that of the shell.
fn test_of(text: &str) -> Vec<String> {
    let text = text.trim();
    match serde_json::from_str::<Vec<String>>(text) {
        Ok(words) => std::iter::once("CMD".to_owned()).chain(words).collect(),
        Err(_) => vec!["CMD-SHELL".to_owned(), text.to_owned()],
    }
}

/// Instructions with their first line, continued lines joined.
fn instructions(text: &str) -> Vec<(u64, String, String)> {
    let mut all = Vec::new();
    let mut open: Option<(u64, String)> = None;
    for (index, line) in text.lines().enumerate() {
        let trimmed = line.trim();
        if trimmed.starts_with('#') || (trimmed.is_empty() && open.is_none()) {
            continue;
        }
        let (from, mut whole) = open.take().unwrap_or((index as u64 + 1, String::new()));
        if let Some(front) = trimmed.strip_suffix('\\') {
            whole.push_str(front);
            whole.push(' ');
            open = Some((from, whole));
            continue;
        }
        whole.push_str(trimmed);
        let (word, rest) = whole.trim().split_once(char::is_whitespace).unwrap_or((whole.trim(), ""));
        all.push((from, word.to_ascii_uppercase(), rest.trim().to_owned()));
    }
    all
}

/// Whether a file of that name is a Dockerfile.
pub fn is_dockerfile(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    ["dockerfile", "containerfile"]
        .iter()
        .any(|known| name == *known || name.starts_with(&format!("{known}.")) || name.ends_with(&format!(".{known}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_build_on_each_other() {
        let file = read(
            "ARG NODE=20-alpine\nFROM --platform=linux/amd64 node:${NODE} AS base\nRUN apk add --no-cache \\\n  # the real one\n  wget\n\nFROM golang:1.23 as tools\nFROM base\nHEALTHCHECK --interval=5s --timeout=2s \\\n  CMD wget -qO- http://localhost/ || exit 1\nCMD [\"node\", \"a.js\"]\n",
        );
        assert_eq!(file.image(), "node:20-alpine");
        assert_eq!(file.chain().len(), 2);
        assert!(file.chain()[1].runs[0].contains("wget"));
        let check = file.healthcheck().unwrap();
        assert_eq!(check.test, ["CMD-SHELL", "wget -qO- http://localhost/ || exit 1"]);
        assert_eq!(check.line, 9);
        assert_eq!(file.stages[2].command, ["node", "a.js"]);
    }

    #[test]
    fn a_check_may_be_words_or_none() {
        let check = |text: &str| read(&format!("FROM x\n{text}\n")).healthcheck().map(|c| c.test.clone());
        assert_eq!(check("HEALTHCHECK CMD [\"nc\", \"-z\", \"localhost\", \"80\"]").unwrap()[1], "nc");
        assert_eq!(check("HEALTHCHECK NONE").unwrap(), ["NONE"]);
        assert!(check("RUN true").is_none());
        assert!(read("").image().is_empty());
        assert!(is_dockerfile("a/Dockerfile.api") && is_dockerfile("api.dockerfile") && !is_dockerfile("docker.md"));
    }
}
