//! Drafts an anti-pattern from what an investigation proved: rows, examples, neighbours.
//!
//! Nothing here is invented: a row comes from an effect that the guard saw or a fact
//! that was proven, an example from the evidence, a neighbour from the command itself.

use std::fmt::Write;
use std::sync::LazyLock;

use coroner_model::effect::{Circumstance, Effect, EffectKind, TargetClass};
use coroner_model::investigation::{Hypothesis, Investigation};
use coroner_model::{Category, IncidentId, Severity, Source};
use coroner_read::log;
use regex::Regex;
use serde::Serialize;

use crate::fact::{FactKind, Layer};
use crate::guard::quote_always;
use crate::investigate::replay::Replay;
use crate::investigate::timeline::moment;
use crate::pattern::AntiPattern;
use crate::pattern::header::{ConfirmRow, EffectRow, FactRow, Header, LookalikeRow, OneOrMany, TraceRow, When};
use crate::postmortem::slug;

/// Fewest literal characters of a log line that may become a trace.
const TRACE_LITERALS_MIN: usize = 12;
/// Most characters of an id.
const ID_CHARS_MAX: usize = 48;

/// What an anti-pattern is learned from.
pub struct Lesson<'a> {
    pub report: &'a Investigation,
    pub hypothesis: &'a Hypothesis,
    pub replay: &'a Replay,
    pub incident: &'a IncidentId,
    /// The built-in pattern that recognised it.
    pub known: Option<&'a AntiPattern>,
    /// What the guard sees in the explaining command.
    pub effects: &'a [Effect],
}

/// One example block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// `sh`, `case` or `log COMPONENT`.
    pub info: String,
    pub text: String,
}

/// A drafted anti-pattern, its examples still apart so that each can be tried.
#[derive(Clone, Debug)]
pub struct Draft {
    pub id: String,
    pub header: Header,
    pub why: String,
    pub do_instead: String,
    pub caught: Vec<Block>,
    pub passed: Vec<Block>,
}

/// Drafts it; `None` where nothing proven could become a row.
pub fn draft(lesson: &Lesson<'_>) -> Option<Draft> {
    let kind = kind_of(&lesson.replay.fact)?;
    let effect: Vec<EffectRow> = effect_row(lesson.effects).into_iter().collect();
    let mut when = When { effect, ..When::default() };
    let row = FactRow { fact: kind, is: vec![lesson.replay.is.clone()] };
    match kind.layers().first()? {
        Layer::Compose => when.compose.push(row),
        Layer::Env => when.env.push(row),
        Layer::Container => when.container.push(row),
        Layer::Host => when.host.push(row),
        Layer::File => when.file.push(row),
    }
    let known = lesson.known.map(|p| &p.header);
    let header = Header {
        number: None,
        title: lesson.hypothesis.title.replace('\n', " "),
        category: known.map_or_else(|| category(kind), |h| h.category),
        severity: known.map_or(Severity::Major, |h| h.severity),
        incidents: vec![lesson.incident.clone()],
        lesson: known
            .map_or_else(|| "Look at the state before the command, not after it.".to_owned(), |h| h.lesson.clone()),
        when,
        trace: traces(lesson),
        confirm: vec![ConfirmRow { probe: kind, is: vec![lesson.replay.is.clone()] }],
        lookalike: known.map(|h| h.lookalike.iter().map(copied).collect()).unwrap_or_default(),
    };
    Some(Draft {
        id: id(lesson),
        header,
        why: why(lesson),
        do_instead: do_instead(lesson),
        caught: caught(lesson),
        passed: passed(lesson),
    })
}

fn copied(row: &LookalikeRow) -> LookalikeRow {
    row.clone()
}

/// The fact kind of that name.
pub fn kind_of(name: &str) -> Option<FactKind> {
    FactKind::ALL.into_iter().find(|k| crate::pattern::header::name_of(*k) == name)
}

fn id(lesson: &Lesson<'_>) -> String {
    let full = slug(&format!("{} {}", lesson.replay.component, lesson.replay.fact));
    let mut id = String::new();
    for word in full.split('-') {
        if id.len() + word.len() + 9 > ID_CHARS_MAX {
            break;
        }
        id = if id.is_empty() { word.to_owned() } else { format!("{id}-{word}") };
    }
    match lesson.known {
        Some(known) if known.id.as_str() == id => format!("{id}-again"),
        _ => id,
    }
}

fn category(kind: FactKind) -> Category {
    match kind {
        FactKind::CredentialFallback | FactKind::CredentialStale => Category::Auth,
        FactKind::EnvDrift => Category::ConfigDrift,
        FactKind::MountSourceMissing => Category::DataLoss,
        FactKind::ProxyUnreachable | FactKind::BackendPort => Category::Docker,
        FactKind::DiskUsage | FactKind::LogUnbounded => Category::Disk,
        FactKind::SecretCopiesDiffer => Category::ConfigDrift,
        FactKind::HealthcheckLocalhost | FactKind::DependencyMissing | FactKind::ReadOnlyData => Category::Docker,
        FactKind::RouteNotLoaded | FactKind::CallerPort => Category::Deploy,
        FactKind::SecretInFile => Category::Auth,
    }
}

/// Classes that make a target worth a row, the narrowest first.
const CLASSES: [TargetClass; 6] = [
    TargetClass::LiveData,
    TargetClass::Backup,
    TargetClass::OnlyCopy,
    TargetClass::Protected,
    TargetClass::Production,
    TargetClass::SecretStore,
];

/// One row for everything that the command would have done to state that matters.
fn effect_row(effects: &[Effect]) -> Option<EffectRow> {
    let mut kinds: Vec<EffectKind> = Vec::new();
    let mut target: Vec<TargetClass> = Vec::new();
    let mut circumstance: Vec<Circumstance> = Vec::new();
    for effect in effects {
        let classes: Vec<TargetClass> = CLASSES.into_iter().filter(|c| effect.class.contains(c)).collect();
        let telling: Vec<Circumstance> = effect.circumstance.iter().copied().filter(tells).collect();
        if classes.is_empty() && telling.is_empty() {
            continue;
        }
        kinds.push(effect.kind);
        // A class says what would be lost; a circumstance is the reason where no class does.
        match classes.first() {
            Some(first) => target.push(*first),
            None => circumstance.extend(telling),
        }
    }
    // Rows are AND: effects with a class and effects without one do not fit in one row.
    if !target.is_empty() {
        circumstance.clear();
        kinds = effects.iter().filter(|e| target.iter().any(|t| e.class.contains(t))).map(|e| e.kind).collect();
    }
    kinds.sort();
    kinds.dedup();
    target.sort();
    target.dedup();
    circumstance.sort();
    circumstance.dedup();
    let kind = match kinds.as_slice() {
        [] => return None,
        [one] => OneOrMany::One(*one),
        _ => OneOrMany::Many(kinds),
    };
    Some(EffectRow {
        kind,
        target,
        not_target: Vec::new(),
        circumstance,
        not_circumstance: Vec::new(),
        program: Vec::new(),
        permission: coroner_model::permission::Strength::Deny,
    })
}

/// Circumstances that are bad by themselves.
fn tells(circumstance: &Circumstance) -> bool {
    matches!(
        circumstance,
        Circumstance::EnvChangePending
            | Circumstance::ResemblesService
            | Circumstance::OffProxyNetwork
            | Circumstance::CrossesException
    )
}

#[allow(clippy::expect_used, reason = "a constant expression, compiled in the tests")]
static VARYING: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#""[^"]*"|'[^']*'|hmac:[0-9a-f]{16}|(?:/[\w.@-]+){2,}|\d[\d.:]*|[0-9a-f]{12,}"#)
        .expect("constant pattern")
});

/// The signature lines, with numbers and paths left open.
///
/// Where a general rule knows the signature, the names stay as they were: two rules for
/// every such line would present one failure as two causes.
fn traces(lesson: &Lesson<'_>) -> Vec<TraceRow> {
    let mut rows: Vec<TraceRow> = Vec::new();
    let names = names_of(lesson);
    let lines = lesson.hypothesis.because.iter().flat_map(|r| &r.evidence);
    for citation in lines.filter(|c| matches!(c.source, Source::ContainerLog | Source::Log)) {
        let Some(matches) = generalised(&log::line(&citation.text, None).message, names) else { continue };
        if !rows.iter().any(|r| r.matches == matches) {
            rows.push(TraceRow { source: vec![citation.source], matches });
        }
    }
    rows.truncate(2);
    rows
}

/// Whether quoted names in a signature vary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Names {
    Open,
    Kept,
}

fn names_of(lesson: &Lesson<'_>) -> Names {
    if lesson.known.is_some_and(|p| !p.header.trace.is_empty()) { Names::Kept } else { Names::Open }
}

/// A line as an expression: what varies from run to run is left open.
fn generalised(message: &str, names: Names) -> Option<String> {
    let line = message.lines().next().unwrap_or("").trim();
    let mut out = String::new();
    let mut literals = 0;
    let mut done = 0;
    for found in VARYING.find_iter(line) {
        let literal = &line[done..found.start()];
        literals += literal.chars().filter(|c| c.is_alphabetic()).count();
        out.push_str(&regex::escape(literal));
        let quoted = found.as_str().starts_with(['"', '\'']);
        if quoted && names == Names::Kept && !found.as_str().contains("hmac:") {
            out.push_str(&regex::escape(found.as_str()));
            done = found.end();
            continue;
        }
        out.push_str(match found.as_str().chars().next() {
            Some('"') => "\"[^\"]*\"",
            Some('\'') => "'[^']*'",
            Some('0'..='9') => r"[\d.:]+",
            _ => r"\S+",
        });
        done = found.end();
    }
    literals += line[done..].chars().filter(|c| c.is_alphabetic()).count();
    out.push_str(&regex::escape(&line[done..]));
    (literals >= TRACE_LITERALS_MIN).then_some(out)
}

fn why(lesson: &Lesson<'_>) -> String {
    let symptom = &lesson.report.symptom;
    let mut text = String::new();
    if !symptom.evidence.is_empty() {
        let since = symptom.onset.map(|at| format!(", since {}", moment(at))).unwrap_or_default();
        let _ = write!(text, "Seen: {}{since}. ", symptom.observed.trim().trim_end_matches('.'));
    }
    let _ = write!(text, "The cause: {}.", lesson.hypothesis.title.trim().trim_end_matches('.'));
    if let Some(known) = lesson.known {
        let _ = write!(
            text,
            " The general rule is `{}`; this one keeps the case of {} and what it looked like.",
            known.id, lesson.incident
        );
    }
    text
}

fn do_instead(lesson: &Lesson<'_>) -> String {
    let own = lesson.hypothesis.remedy.trim();
    match (own.is_empty(), lesson.known) {
        (false, _) => own.to_owned(),
        (true, Some(known)) => known.do_instead.clone(),
        (true, None) => "Look at the state first; change nothing that a running service uses.".to_owned(),
    }
}

/// The command that did it, with its state; the state itself; the line that it was known by.
fn caught(lesson: &Lesson<'_>) -> Vec<Block> {
    let mut blocks = Vec::new();
    let replay = lesson.replay;
    // A command whose effects tell nothing is no example: the guard has nothing to stop it by.
    let guards = effect_row(lesson.effects).is_some();
    if let Some(command) = single_line(replay.command.as_deref()).filter(|_| guards) {
        if !replay.live_data.is_empty() {
            let state = format!("# cwd: {}   live-data: {}\n{command}\n", cwd(replay), replay.live_data.join(", "));
            blocks.push(Block { info: "sh".into(), text: state });
        }
        blocks.extend(case(replay, Some(&command)));
    }
    blocks.extend(case(replay, None));
    for citation in lesson.hypothesis.because.iter().flat_map(|r| &r.evidence) {
        let log = ["docker/logs/", "logs/"].iter().find_map(|folder| citation.locator.strip_prefix(folder));
        if matches!(citation.source, Source::ContainerLog | Source::Log)
            && let Some(component) = log.and_then(|l| l.split(".log").next())
            && generalised(&log::line(&citation.text, None).message, names_of(lesson)).is_some()
        {
            blocks.push(Block { info: format!("log {component}"), text: format!("{}\n", citation.text.trim_end()) });
            break;
        }
    }
    // One that does not hold is taken out again: there should be some to spare.
    if blocks.len() < 3 {
        blocks.extend(elsewhere(replay).and_then(|moved| case(&moved, None)));
    }
    blocks
}

/// The same state in another folder, where it is the same failure.
fn elsewhere(replay: &Replay) -> Option<Replay> {
    let folders = replay.files.keys().filter_map(|path| path.strip_prefix("files")?.rsplit_once('/'));
    let home = folders.map(|(folder, _)| folder).filter(|f| !f.is_empty()).min_by_key(|f| f.len())?;
    let moved = |text: &str| text.replace(home, &format!("/elsewhere{home}"));
    let files = replay.files.iter().map(|(path, text)| (moved(path), moved(text))).collect();
    Some(Replay { files, ..replay.clone() })
}

fn single_line(command: Option<&str>) -> Option<String> {
    let command = command?.trim();
    (!command.contains('\n') && !command.is_empty()).then(|| command.to_owned())
}

fn cwd(replay: &Replay) -> &str {
    if replay.cwd.is_empty() { "/" } else { &replay.cwd }
}

/// The state as a `case` block; `None` where a file of it could not stand in one.
fn case(replay: &Replay, command: Option<&str>) -> Option<Block> {
    if replay.files.is_empty()
        || replay.files.values().any(|t| t.lines().any(|l| l.starts_with("--- ") || l.starts_with("```")))
    {
        return None;
    }
    let mut text = String::new();
    for (path, content) in &replay.files {
        let _ = writeln!(text, "--- {path}\n{}", content.trim_end());
    }
    if let Some(command) = command {
        let _ = writeln!(text, "--- command in {}\n{command}", cwd(replay));
    }
    Some(Block { info: "case".into(), text })
}

/// Harmless neighbours of the command, each in a block of its own so that each can be tried.
fn passed(lesson: &Lesson<'_>) -> Vec<Block> {
    let replay = lesson.replay;
    let mut commands: Vec<String> = Vec::new();
    if let Some(command) = single_line(replay.command.as_deref()) {
        commands.extend(dry_run(&command));
        commands.extend(on_scratch(&command, &replay.live_data));
        commands.push(format!("echo {}", quote_always(&command)));
    }
    commands.extend(of_remedy(&do_instead(lesson)));
    commands.extend(replay.live_data.iter().map(|path| format!("ls -la {path}")));
    commands.push(format!("docker logs --tail 50 {}", replay.component));
    commands.dedup();
    let in_state = |command: &String| match (replay.live_data.is_empty(), case(replay, Some(command))) {
        (true, Some(block)) if block.text.len() < 3_000 => block,
        (true, _) => Block { info: "sh".into(), text: format!("# cwd: {}\n{command}\n", cwd(replay)) },
        (false, _) => Block {
            info: "sh".into(),
            text: format!("# cwd: {}   live-data: {}\n{command}\n", cwd(replay), replay.live_data.join(", ")),
        },
    };
    commands.iter().map(in_state).collect()
}

/// The same command as a dry run, where its program has one.
fn dry_run(command: &str) -> Option<String> {
    let at = word(command, "rsync")?;
    Some(format!("{} -n{}", &command[..at], &command[at..]))
}

/// Where a word ends that stands alone.
fn word(text: &str, wanted: &str) -> Option<usize> {
    text.match_indices(wanted).map(|(at, w)| (at, at + w.len())).find_map(|(from, to)| {
        let before = text[..from].chars().next_back().is_none_or(|c| c.is_whitespace() || c == '/');
        let after = text[to..].chars().next().is_none_or(char::is_whitespace);
        (before && after).then_some(to)
    })
}

/// The same command on a folder that nobody uses.
fn on_scratch(command: &str, live: &[String]) -> Option<String> {
    let mut changed = false;
    let words: Vec<String> = command
        .split(' ')
        .map(|w| {
            let bare = w.trim_matches(['\'', '"']).trim_end_matches(['*', '/']);
            let covers = bare.len() > 1
                && live
                    .iter()
                    .any(|l| l == bare || l.starts_with(&format!("{bare}/")) || bare.starts_with(&format!("{l}/")));
            if covers {
                changed = true;
                w.replace(bare, "/tmp/scratch")
            } else {
                w.to_owned()
            }
        })
        .collect();
    changed.then(|| words.join(" "))
}

/// Commands in backticks or fences.
fn of_remedy(markdown: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut fenced = false;
    for line in markdown.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if fenced {
            found.push(line.trim().to_owned());
        } else {
            found.extend(line.split('`').skip(1).step_by(2).map(str::to_owned));
        }
    }
    found.retain(|c| c.contains(' ') && !c.contains('<') && !c.contains('…') && !c.starts_with("coroner "));
    found
}

impl Draft {
    /// Takes the commands of the remedy out of its backticks: what stays is advice to a person.
    pub fn quote_remedy(&mut self) {
        self.do_instead = self.do_instead.replace('`', "\"").replace("\"\"\"sh", "").replace("\"\"\"", "");
    }

    /// The file as it will stand.
    pub fn text(&self) -> Result<String, toml::ser::Error> {
        let mut out =
            format!("+++\n{}+++\n{}\n\n## Do instead\n{}\n", header_text(&self.header)?, self.why, self.do_instead);
        for (title, blocks) in [("Caught", &self.caught), ("Passed", &self.passed)] {
            let _ = write!(out, "\n## {title}\n");
            for block in merged(blocks) {
                let _ = write!(out, "```{}\n{}```\n", block.info, block.text);
            }
        }
        Ok(out)
    }
}

/// `sh` blocks with the same state become one.
fn merged(blocks: &[Block]) -> Vec<Block> {
    let mut out: Vec<Block> = Vec::new();
    for block in blocks {
        let state =
            |b: &Block| b.text.lines().next().filter(|l| b.info == "sh" && l.starts_with('#')).map(str::to_owned);
        let same = out.iter_mut().find(|b| state(b).is_some() && state(b) == state(block));
        match same {
            Some(known) => known.text.extend(block.text.lines().skip(1).map(|l| format!("{l}\n"))),
            None => out.push(block.clone()),
        }
    }
    out
}

/// The header, plain values first, then tables, as TOML wants it.
fn header_text(header: &Header) -> Result<String, toml::ser::Error> {
    #[derive(Serialize)]
    struct Plain<'a> {
        title: &'a str,
        category: Category,
        severity: Severity,
        incidents: &'a [IncidentId],
        lesson: &'a str,
    }
    #[derive(Serialize)]
    struct Tables<'a> {
        when: &'a When,
        #[serde(skip_serializing_if = "<[_]>::is_empty")]
        trace: &'a [TraceRow],
        confirm: &'a [ConfirmRow],
        #[serde(skip_serializing_if = "<[_]>::is_empty")]
        lookalike: &'a [LookalikeRow],
    }
    let plain = Plain {
        title: &header.title,
        category: header.category,
        severity: header.severity,
        incidents: &header.incidents,
        lesson: &header.lesson,
    };
    let tables =
        Tables { when: &header.when, trace: &header.trace, confirm: &header.confirm, lookalike: &header.lookalike };
    Ok(format!("{}\n{}", toml::to_string(&plain)?, toml::to_string(&tables)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_becomes_an_expression_that_finds_its_like() {
        let expression = generalised("role \"ink\" was refused 3 times at /var/lib/ledger/base", Names::Open).unwrap();
        let regex = Regex::new(&expression).unwrap();
        assert!(regex.is_match("role \"zoe\" was refused 41 times at /srv/other/dir"));
        assert!(!regex.is_match("role \"zoe\" was accepted 41 times at /srv/other/dir"));
        assert_eq!(generalised("error 12", Names::Open), None);
        let kept = generalised("role \"ink\" was refused 3 times", Names::Kept).unwrap();
        assert!(Regex::new(&kept).unwrap().is_match("role \"ink\" was refused 9 times"));
        assert!(!Regex::new(&kept).unwrap().is_match("role \"zoe\" was refused 9 times"));
    }

    #[test]
    fn neighbours_come_from_the_command() {
        let live = ["/opt/desk/state".to_owned()];
        assert_eq!(dry_run("sudo rsync -a --delete ./ /opt/desk/").unwrap(), "sudo rsync -n -a --delete ./ /opt/desk/");
        assert_eq!(dry_run("rm -rf rsync-old"), None);
        assert_eq!(on_scratch("rm -rf /opt/desk/*", &live).unwrap(), "rm -rf /tmp/scratch/*");
        assert_eq!(on_scratch("rm -rf build", &live), None);
        assert_eq!(quote_always("echo 'a'"), r"'echo '\''a'\'''");
        assert_eq!(
            of_remedy("Run `docker compose up -d desk` or `x`.\n```sh\nls -la\n```"),
            ["docker compose up -d desk", "ls -la"]
        );
    }

    #[test]
    fn a_row_comes_from_what_the_guard_saw() {
        let mut delete = Effect::new(EffectKind::Delete, "/opt/desk/state", "rsync");
        delete.add_class(TargetClass::LiveData);
        let plain = Effect::new(EffectKind::Delete, "/opt/desk/old", "rsync");
        let row = effect_row(&[delete.clone(), plain.clone()]).unwrap();
        assert!(row.matches(&delete) && !row.matches(&plain));
        assert!(effect_row(&[plain]).is_none());
        let mut restart = Effect::new(EffectKind::RestartContainer, "desk", "docker");
        restart.add_circumstance(Circumstance::EnvChangePending);
        let row = effect_row(&[restart.clone()]).unwrap();
        assert!(row.matches(&restart) && !row.matches(&Effect::new(EffectKind::RestartContainer, "desk", "docker")));
    }
}
