//! Scenarios: one Markdown file each, with the files of a stack, what an agent did, and what must be found.

use std::path::{Path, PathBuf};

use serde::Deserialize;

/// One scenario file, taken apart.
#[derive(Debug, Default)]
pub struct Scenario {
    pub name: String,
    pub files: Vec<(String, String)>,
    pub up: String,
    pub broken: String,
    /// Subagent's name where one acted, and the commands, one a line.
    pub agent: (Option<String>, Vec<String>),
    pub expect: Expect,
}

/// What an investigation of it must find.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Expect {
    /// The project's name in a recording.
    pub project: String,
    pub symptom: String,
    pub pattern: String,
    pub status: String,
    pub component: String,
    /// A part of the command that explains it.
    pub command: Option<String>,
    pub subagent: Option<String>,
    /// Words that the first hypothesis must hold.
    pub says: Vec<String>,
    /// Components that no confirmed or likely cause may be about.
    pub never: Vec<String>,
    pub not_first: Vec<String>,
}

impl Scenario {
    /// Reads a scenario from the repository's folder.
    pub fn read(name: &str) -> Scenario {
        let path = root().join("scenarios/engine").join(format!("{name}.md"));
        let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let mut scenario = Scenario { name: name.to_owned(), ..Scenario::default() };
        let mut block: Option<(String, String)> = None;
        for line in text.lines() {
            match (&mut block, line.strip_prefix("```")) {
                (None, Some(info)) => block = Some((info.trim().to_owned(), String::new())),
                (Some(_), Some("")) => {
                    let (info, body) = block.take().unwrap();
                    scenario.keep(&info, body);
                }
                (Some((_, body)), _) => {
                    body.push_str(line);
                    body.push('\n');
                }
                (None, None) => {}
            }
        }
        assert!(!scenario.expect.pattern.is_empty(), "{name}: no `toml expect` block");
        scenario
    }

    fn keep(&mut self, info: &str, body: String) {
        let (language, rest) = info.split_once(' ').unwrap_or((info, ""));
        match (language, rest) {
            ("sh", "up") => self.up = body,
            ("sh", "broken") => self.broken = body,
            ("toml", "expect") => self.expect = toml::from_str(&body).unwrap_or_else(|e| panic!("{}: {e}", self.name)),
            ("agent", who) => {
                let who = (!who.is_empty()).then(|| who.to_owned());
                self.agent = (who, body.lines().map(str::to_owned).collect());
            }
            (_, path) => self.files.push((path.to_owned(), body)),
        }
    }
}

/// The repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Holds an investigation against what a scenario expects; the error says what differs.
pub fn judge(expect: &Expect, report: &serde_json::Value, secrets: &[String]) -> Result<(), String> {
    let text = report.to_string();
    for secret in secrets {
        if text.contains(secret.as_str()) {
            return Err("a secret stands in the report".to_owned());
        }
    }
    let hypotheses = report["hypotheses"].as_array().cloned().unwrap_or_default();
    let first = hypotheses.first().ok_or("no hypothesis at all")?;
    let of = |key: &str| first[key].as_str().unwrap_or("").to_owned();
    if of("pattern") != expect.pattern {
        return Err(format!("first is {} ({}), not {}", of("pattern"), of("title"), expect.pattern));
    }
    if of("status") != expect.status {
        return Err(format!("{} is {}, not {}", expect.pattern, of("status"), expect.status));
    }
    if of("component") != expect.component {
        return Err(format!("it is about {}, not {}", of("component"), expect.component));
    }
    if first["because"].as_array().is_none_or(|b| b.iter().all(|r| r["evidence"].as_array().is_none_or(Vec::is_empty)))
    {
        return Err("the cause cites nothing".to_owned());
    }
    let words = first.to_string();
    for word in &expect.says {
        if !words.contains(word.as_str()) {
            return Err(format!("the first cause does not say {word:?}"));
        }
    }
    if let Some(command) = &expect.command {
        let by = &first["explained_by"];
        if !by["command"].as_str().unwrap_or("").contains(command.as_str()) {
            return Err(format!("explained by {by}, not by {command:?}"));
        }
        if by["session"].as_str().is_none_or(str::is_empty) || by["tool_call"].as_str().is_none_or(str::is_empty) {
            return Err(format!("the explaining change names no session or call: {by}"));
        }
        if let Some(subagent) = &expect.subagent
            && !by["agent"].as_str().unwrap_or("").contains(subagent.as_str())
        {
            return Err(format!("explained by agent {}, not by subagent {subagent}", by["agent"]));
        }
    }
    for other in &hypotheses {
        let component = other["component"].as_str().unwrap_or("");
        if expect.never.iter().any(|n| n == component) && other["status"] != "open" {
            return Err(format!("{component} is blamed: {}", other["title"]));
        }
    }
    Ok(())
}
