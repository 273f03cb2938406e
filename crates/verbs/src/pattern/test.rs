//! `pattern test`: walks every file and holds it to its own examples.
//!
//! Each example is a casefile in memory, and what is tried on it is what the verbs
//! do: commands go to the guard, lines to the traces, states to the detectors.

use std::collections::BTreeSet;

use coroner_collect::{Casefile, Limits, World};
use coroner_judge::pattern::{AntiPattern, Example, ExampleKind, Library, Origin};
use coroner_judge::scene::{Goal, Scene};
use coroner_judge::{check, fact};
use coroner_model::investigation::Status;
use coroner_model::permission::{Permission, PermissionAnswer, PermissionRequest};
use coroner_model::{IncidentId, PatternId};
use pulldown_cmark::{Event, Parser, Tag, TagEnd};
use serde::Serialize;

use crate::guard::Guard;
use crate::investigate::{self, InvestigateRequest};
use crate::look;

/// Least number of examples on each side.
pub const EXAMPLE_COUNT_MIN: usize = 2;

/// What the walk found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct PatternTestReport {
    pub schema: String,
    pub patterns: usize,
    /// Commands, log lines and cases that were tried.
    pub tried: usize,
    pub problems: Vec<PatternProblem>,
}

/// An example that does not hold, or a link that leads nowhere.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct PatternProblem {
    pub pattern: PatternId,
    pub path: String,
    /// 1-based; 0 where the whole file is meant.
    pub line: usize,
    pub text: String,
}

/// Tests all patterns, or only one; `incidents` are those that links may name.
pub fn test(library: &Library, only: Option<&PatternId>, incidents: &BTreeSet<IncidentId>) -> PatternTestReport {
    let mut report = PatternTestReport { schema: "coroner/pattern-test/v1".to_owned(), ..PatternTestReport::default() };
    for pattern in library.iter().filter(|p| only.is_none_or(|id| *id == p.id)) {
        report.patterns += 1;
        let mut trial = Trial { pattern, library, tried: 0, problems: Vec::new() };
        trial.run(incidents);
        report.tried += trial.tried;
        report.problems.extend(trial.problems);
    }
    report.problems.sort();
    report
}

/// One pattern on trial.
struct Trial<'a> {
    pattern: &'a AntiPattern,
    library: &'a Library,
    tried: usize,
    problems: Vec<PatternProblem>,
}

/// Which side an example stands on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Caught,
    Passed,
}

impl Trial<'_> {
    fn run(&mut self, incidents: &BTreeSet<IncidentId>) {
        for (side, examples, name) in
            [(Side::Caught, &self.pattern.caught, "Caught"), (Side::Passed, &self.pattern.passed, "Passed")]
        {
            let count: usize = examples.iter().map(count_of).sum();
            if count < EXAMPLE_COUNT_MIN {
                self.problem(0, format!("{count} examples under {name}; there must be {EXAMPLE_COUNT_MIN}"));
            }
            for example in examples {
                self.example(side, example);
            }
        }
        self.remedy();
        self.links(incidents);
    }

    fn problem(&mut self, line: usize, text: String) {
        let path = match &self.pattern.origin {
            Origin::BuiltIn => format!("antipatterns/{}.md", self.pattern.id),
            Origin::File(path) => path.clone(),
        };
        self.problems.push(PatternProblem { pattern: self.pattern.id.clone(), path, line, text });
    }

    fn example(&mut self, side: Side, example: &Example) {
        match example.kind {
            ExampleKind::Commands => self.commands(side, example),
            ExampleKind::LogLines => self.log(side, example),
            ExampleKind::Case if !example.commands.is_empty() => self.commands(side, example),
            ExampleKind::Case => self.state(side, example),
        }
    }

    fn world(&mut self, example: &Example) -> Option<World> {
        let texts = example.files.iter().map(|(path, text)| (path.as_str(), text.as_str()));
        match Casefile::of_texts(texts, Limits::default()) {
            Ok(casefile) => Some(World::Casefile(casefile)),
            Err(error) => {
                self.problem(example.line, format!("the example is no casefile: {error}"));
                None
            }
        }
    }

    fn commands(&mut self, side: Side, example: &Example) {
        let Some(world) = self.world(example) else { return };
        let mut guard = Guard::over(world, self.library.clone());
        for (line, command) in &example.commands {
            self.tried += 1;
            let session = (!example.before.is_empty()).then(|| format!("example {line}"));
            let request = |text: &str| PermissionRequest { session: session.clone(), ..request(text, &example.cwd) };
            for earlier in &example.before {
                guard.judge(request(earlier));
            }
            let answer = guard.judge(request(command));
            let names: Vec<&str> = answer.findings.iter().map(|f| f.pattern.as_str()).collect();
            let by_this = names.contains(&self.pattern.id.as_str());
            match side {
                Side::Caught if !by_this => {
                    self.problem(*line, format!("not caught by this pattern ({}): {command}", met(&answer, &names)));
                }
                Side::Passed if answer.permission != Permission::Allow || !names.is_empty() => {
                    self.problem(*line, format!("should pass, yet {}: {command}", met(&answer, &names)));
                }
                _ => {}
            }
        }
    }

    fn log(&mut self, side: Side, example: &Example) {
        let Some((component, lines)) = &example.log else { return };
        for (line, text) in lines {
            self.tried += 1;
            let path = format!("logs/{component}.log");
            let body = format!("{text}\n");
            let Ok(casefile) = Casefile::of_texts([(path.as_str(), body.as_str())], Limits::default()) else {
                continue;
            };
            let (judged, _) =
                investigate::look(&World::Casefile(casefile), self.library, &InvestigateRequest::default());
            let named: Vec<&PatternId> = judged
                .report
                .hypotheses
                .iter()
                .filter(|h| h.status != Status::Open)
                .filter_map(|h| h.pattern.as_ref())
                .collect();
            match side {
                Side::Caught if !named.contains(&&self.pattern.id) => {
                    self.problem(*line, format!("no trace of this pattern matches: {text}"));
                }
                Side::Passed if !named.is_empty() => {
                    self.problem(*line, format!("should be silent, yet {named:?}: {text}"))
                }
                _ => {}
            }
        }
    }

    fn state(&mut self, side: Side, example: &Example) {
        let Some(world) = self.world(example) else { return };
        self.tried += 1;
        let answers = look::look(&world, &Goal::Check, Vec::new());
        let findings = check::judge(&fact::all(&Scene::read(&answers)), self.library);
        let names: Vec<&str> = findings.iter().map(|f| f.pattern.as_str()).collect();
        match side {
            Side::Caught if !names.contains(&self.pattern.id.as_str()) => {
                self.problem(example.line, format!("this state is not found (found: {names:?})"));
            }
            Side::Passed if !names.is_empty() => {
                let messages: Vec<&str> = findings.iter().map(|f| f.message.as_str()).collect();
                self.problem(example.line, format!("this state is in order, yet found: {messages:?}"));
            }
            _ => {}
        }
    }

    /// Every command that *Do instead* offers passes in the state of the first caught commands.
    fn remedy(&mut self) {
        let state = self.pattern.caught.iter().find(|e| !e.commands.is_empty());
        for command in commands_of(&self.pattern.do_instead) {
            let Some(world) = state.map_or_else(empty_world, |example| self.world(example)) else { return };
            self.tried += 1;
            let cwd = state.map_or("/", |e| e.cwd.as_str());
            let answer = Guard::over(world, self.library.clone()).judge(request(&command, cwd));
            if answer.permission != Permission::Allow {
                self.problem(0, format!("its own remedy is stopped: {command}: {}", answer.reason));
            }
        }
    }

    fn links(&mut self, incidents: &BTreeSet<IncidentId>) {
        for id in &self.pattern.header.incidents {
            if !incidents.contains(id) {
                self.problem(0, format!("there is no incident `{id}`"));
            }
        }
        for row in &self.pattern.header.lookalike {
            if self.library.get(&row.pattern).is_none() {
                self.problem(0, format!("there is no anti-pattern `{}` to be mistaken for", row.pattern));
            }
        }
    }
}

fn count_of(example: &Example) -> usize {
    match example.kind {
        ExampleKind::Commands => example.commands.len(),
        ExampleKind::Case if !example.commands.is_empty() => example.commands.len(),
        ExampleKind::LogLines => example.log.as_ref().map_or(0, |(_, lines)| lines.len()),
        ExampleKind::Case => 1,
    }
}

fn request(command: &str, cwd: &str) -> PermissionRequest {
    PermissionRequest { command: Some(command.to_owned()), cwd: cwd.to_owned(), ..PermissionRequest::default() }
}

fn met(answer: &PermissionAnswer, names: &[&str]) -> String {
    let permission = format!("{:?}", answer.permission).to_lowercase();
    if names.is_empty() { permission } else { format!("{permission} by {}", names.join(", ")) }
}

fn empty_world() -> Option<World> {
    Casefile::of_texts([], Limits::default()).ok().map(World::Casefile)
}

/// Code spans that look like commands, and the lines of fenced shell blocks.
pub fn commands_of(markdown: &str) -> Vec<String> {
    let mut commands = Vec::new();
    let mut in_block = false;
    for event in Parser::new(markdown) {
        match event {
            Event::Start(Tag::CodeBlock(_)) => in_block = true,
            Event::End(TagEnd::CodeBlock) => in_block = false,
            Event::Code(text) if text.contains(' ') => commands.push(text.into_string()),
            Event::Text(text) if in_block => {
                commands.extend(
                    text.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#')).map(str::to_owned),
                );
            }
            _ => {}
        }
    }
    commands
}
