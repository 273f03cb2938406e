//! Secrets that a command would print where the model reads: into the transcript.
//!
//! A *source* holds secrets, the *stages* behind it let them through or not. Where the text of a
//! source is known, the stages are run over its redacted form, and what counts is whether a token
//! comes out at the end.

mod inline;
mod manager;
mod path;
mod source;
mod stage;

pub(super) use path::may_hold_secrets;

use std::collections::BTreeMap;

use coroner_model::effect::{Effect, EffectKind, TargetClass};
use coroner_model::probe::{DockerTable, Why};
use coroner_model::redact::{is_placeholder, secrets};
use coroner_model::{Answers, Probe};
use coroner_read::shell::{Carrier, Invocation, Part, RedirectKind, Stdin, Unknown, Word};

use super::tool::{action, quote};
use super::view::View;
use super::{Case, Judged, Story};
use crate::effect::{self, Effects};
use source::{Kind, Source};

/// What stands for a secret in a text that is made here.
const TOKEN: &str = "hmac:0000000000000000";
/// How a redacted secret begins.
const TOKEN_MARK: &str = "hmac:";
/// Most printing commands of one text that are judged.
const PRINTS_MAX: usize = 16;
/// Most names that an answer lists.
const NAMES_MAX: usize = 4;
/// Fewest bytes of a value that a name alone makes a secret.
const VALUE_BYTES_MIN: usize = 6;

/// A source whose output reaches the transcript through some stages.
#[derive(Clone, Debug)]
struct Print {
    source: Source,
    stages: Vec<Vec<Word>>,
    program: String,
    carriers: Vec<Carrier>,
}

/// What must be looked at to tell whether there is a secret.
pub(super) fn probes(case: &Case<'_>, effects: &Effects, answers: &Answers) -> Vec<Probe> {
    let mut out = Vec::new();
    for print in prints(case, effects) {
        let elsewhere = place(&print);
        match &print.source.kind {
            Kind::File(path) if elsewhere == Place::Host && !path.contains('*') => {
                out.push(Probe::File { path: path.clone() });
            }
            Kind::Environment if matches!(elsewhere, Place::Container(_)) => {
                out.push(Probe::Docker(DockerTable::Inspect));
            }
            Kind::Containers(_) if elsewhere == Place::Host => out.push(Probe::Docker(DockerTable::Inspect)),
            Kind::Compose if elsewhere == Place::Host => super::need::of_services(answers, &mut out),
            _ => {}
        }
    }
    out
}

/// What is to be told of secrets that would be printed.
pub(super) fn judge(view: &View<'_>) -> Vec<Judged> {
    let mut out: Vec<Judged> = Vec::new();
    for print in prints(view.case, view.effects) {
        if let Some(judged) = of_print(view, &print).filter(|j| !out.iter().any(|o| o.effect == j.effect)) {
            out.push(judged);
        }
    }
    out
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    Host,
    Container(String),
    Remote,
}

fn place(print: &Print) -> Place {
    print
        .carriers
        .iter()
        .rev()
        .find_map(|carrier| match carrier {
            Carrier::Container { name, .. } => Some(Place::Container(name.clone())),
            Carrier::Remote { .. } => Some(Place::Remote),
            _ => None,
        })
        .unwrap_or(Place::Host)
}

/// Every source whose output nothing keeps from the transcript.
fn prints(case: &Case<'_>, effects: &Effects) -> Vec<Print> {
    let mut out = of_effects(effects);
    if let Some(again) = with_hidden_values(case) {
        out.extend(of_effects(&again).into_iter().filter(|p| matches!(p.source.kind, Kind::Variable(_))));
    }
    out.truncate(PRINTS_MAX);
    out
}

/// The same text with the secret variables of the environment unknown: their names must show.
fn with_hidden_values(case: &Case<'_>) -> Option<Effects> {
    let command = action(case.request).as_shell().filter(|c| c.contains('$'))?;
    let hidden = |name: &String| source::is_secret_variable(name) && command.contains(name.as_str());
    if !case.request.env.keys().any(hidden) {
        return None;
    }
    let env: BTreeMap<String, String> =
        case.request.env.iter().filter(|(name, _)| !hidden(name)).map(|(k, v)| (k.clone(), v.clone())).collect();
    Some(effect::of_command(&command, &case.request.cwd, &env))
}

/// How far apart the commands of one pipeline may stand.
const STAGES_MAX: usize = 64;

fn of_effects(effects: &Effects) -> Vec<Print> {
    let calls = &effects.script.invocations;
    let mut out = Vec::new();
    for (index, call) in calls.iter().enumerate() {
        let printed = coroner_read::shell::printed(call);
        let read_later = calls[index + 1..].iter().take(STAGES_MAX).any(|later| {
            let takes = match &later.stdin {
                Stdin::Output(commands) => commands.contains(&call.argv),
                Stdin::Text(text) => printed.as_ref() == Some(text),
                Stdin::File(_) | Stdin::Inherited => false,
            };
            takes
                && later.carriers.iter().filter(|c| **c == Carrier::Substitution).count()
                    == call.carriers.iter().filter(|c| **c == Carrier::Substitution).count()
        });
        if read_later || call.carriers.contains(&Carrier::Substitution) || is_kept(call) {
            continue;
        }
        let mut stages: Vec<Vec<Word>> = match &call.stdin {
            Stdin::Output(commands) => commands.clone(),
            _ => Vec::new(),
        };
        stages.push(call.argv.clone());
        for (at, argv) in stages.iter().enumerate() {
            let own = if at + 1 == stages.len() {
                Some(call)
            } else {
                calls[..index].iter().rev().take(STAGES_MAX).find(|c| c.argv == *argv)
            };
            if own.is_some_and(|own| at + 1 < stages.len() && is_kept(own)) {
                continue;
            }
            let cwd = own.map_or(&call.cwd, |own| &own.cwd);
            let stdin = own.map(|own| &own.stdin).filter(|s| matches!(s, Stdin::File(_) | Stdin::Text(_)));
            for source in source::of(argv, cwd, stdin) {
                let carriers = own.map_or_else(|| call.carriers.clone(), |own| own.carriers.clone());
                let program = coroner_read::shell::program_of(argv).to_owned();
                out.push(Print { source, stages: stages[at + 1..].to_vec(), program, carriers });
            }
        }
        out.extend(echoed(call));
    }
    out
}

/// Whether what a command prints goes to a file that is none of the terminal's.
fn is_kept(call: &Invocation) -> bool {
    call.redirects.iter().rev().find(|r| r.stream == 1 && r.kind != RedirectKind::Read).is_some_and(|redirect| {
        let path = redirect.target.show();
        !matches!(
            path.as_str(),
            "/dev/stdout" | "/dev/stderr" | "/dev/tty" | "/dev/fd/1" | "/dev/fd/2" | "/proc/self/fd/1"
        )
    })
}

/// `echo "$TOKEN"`, `printf '%s' "$(cat .env)"`.
fn echoed(call: &Invocation) -> Vec<Print> {
    let fed = match &call.stdin {
        Stdin::Text(text) => text.parts.as_slice(),
        _ => &[],
    };
    let said = matches!(call.program(), "echo" | "printf" | "print");
    let own = call.argv.iter().skip(1).filter(|_| said).flat_map(|word| &word.parts).map(|part| (part, Vec::new()));
    // What is known of the standard input goes through the command itself.
    let fed = fed.iter().map(|part| (part, vec![call.argv.clone()]));
    let print =
        |source, stages| Print { source, stages, program: call.program().to_owned(), carriers: call.carriers.clone() };
    let mut out = Vec::new();
    for (part, through) in own.chain(fed) {
        match part {
            Part::Unknown(Unknown::Variable(name)) if source::is_secret_variable(name) => {
                out.push(print(Source::of(Kind::Variable(name.clone())), through));
            }
            Part::Unknown(Unknown::Output(commands)) => {
                for (at, argv) in commands.iter().enumerate() {
                    let mut stages = commands[at + 1..].to_vec();
                    stages.extend(through.iter().cloned());
                    out.extend(source::of(argv, &call.cwd, None).into_iter().map(|s| print(s, stages.clone())));
                }
            }
            _ => {}
        }
    }
    out
}

fn of_print(view: &View<'_>, print: &Print) -> Option<Judged> {
    let place = place(print);
    let text = known(view, print, &place)?;
    let source = &print.source;
    let stages = source.own.iter().chain(&print.stages);
    let shown = stage::through(stages, text.as_deref(), matches!(source.kind, Kind::Environment))?;
    let names: Vec<String> = match &shown {
        Some(text) if !text.contains(TOKEN_MARK) => return None,
        Some(text) => secret_names(text),
        None => Vec::new(),
    };
    let mut effect = Effect::new(EffectKind::PrintSecret, source.kind.target(), &print.program);
    effect.add_class(TargetClass::SecretStore);
    let mut story = Story {
        would: format!("print {} into the transcript", source.kind.what()),
        why: "What is printed stays in the transcript and is sent on with it; a key that was shown has to be changed."
            .into(),
        instead: quiet(view, &source.kind),
        ..Story::default()
    };
    if let Place::Container(name) = &place
        && !name.is_empty()
    {
        story.would = format!("print {} of {name} into the transcript", source.kind.what());
        story.instead = vec![format!("docker exec {} sh -c 'env | cut -d= -f1'", quote(name))];
    }
    if !names.is_empty() {
        let more = names.len().saturating_sub(NAMES_MAX);
        let shown: Vec<&str> = names.iter().take(NAMES_MAX).map(String::as_str).collect();
        let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
        story.lines.push(format!("{}{rest}", shown.join(", ")));
    }
    Some(Judged { effect, story })
}

/// The text of a source with its secrets as tokens; the inner `None` where it is not known,
/// the outer one where it is known that there is no secret.
fn known(view: &View<'_>, print: &Print, place: &Place) -> Option<Option<String>> {
    match (&print.source.kind, place) {
        (Kind::File(path), Place::Host) if !path.contains('*') => {
            match view.answers.get(&Probe::File { path: path.clone() }) {
                Some(Ok(documents)) => {
                    let text: String = documents.iter().map(|d| d.text.as_str()).collect();
                    // What is no text cannot be looked through.
                    (text.contains(TOKEN_MARK) || text.contains('\u{fffd}'))
                        .then(|| Some(text).filter(|t| t.contains(TOKEN_MARK)))
                }
                Some(Err(why)) if why.why == Why::Absent => None,
                _ => Some(None),
            }
        }
        (Kind::Environment, Place::Host) => environment(&view.case.request.env),
        (Kind::Environment, Place::Container(name)) if name.is_empty() => None,
        (Kind::Environment, Place::Container(name)) => match view.scene.container(name) {
            Some(container) if container.listed_at.is_none() => {
                let text: String = container.env.iter().map(|(k, v)| format!("{k}={v}\n")).collect();
                text.contains(TOKEN_MARK).then_some(Some(text))
            }
            _ => Some(None),
        },
        // What somebody's shell on another host is given is rarely more than its paths.
        (Kind::Environment, Place::Remote) => None,
        (Kind::Variable(name), Place::Host) => {
            let env = &view.case.request.env;
            match env.get(name) {
                Some(value) if is_placeholder(value) || value.len() < VALUE_BYTES_MIN => None,
                _ => Some(None),
            }
        }
        (Kind::Containers(names), Place::Host) => containers(view, names, print.source.asked),
        (Kind::Compose, Place::Host) => compose(view),
        _ => Some(None),
    }
}

/// The environment of this process as text; a part of one says nothing of the rest.
fn environment(env: &BTreeMap<String, String>) -> Option<Option<String>> {
    if !env.contains_key("PATH") {
        return Some(None);
    }
    let secret = |name: &str, value: &str| {
        !secrets(&format!("{name}={value}")).is_empty()
            || source::is_secret_variable(name) && value.len() >= VALUE_BYTES_MIN && !is_placeholder(value)
    };
    let mut any = false;
    let mut text = String::new();
    for (name, value) in env {
        let hidden = secret(name, value);
        any |= hidden;
        text.push_str(&format!("{name}={}\n", if hidden { TOKEN } else { value.lines().next().unwrap_or_default() }));
    }
    any.then_some(Some(text))
}

fn containers(view: &View<'_>, names: &[String], asked: bool) -> Option<Option<String>> {
    let found: Vec<_> = names.iter().filter_map(|name| view.scene.container(name)).collect();
    if found.len() < names.len() || found.iter().any(|c| c.listed_at.is_some()) {
        // Where nothing is known of the container, only who asks for its environment is stopped.
        return asked.then_some(None);
    }
    let line = |(name, value): &(String, String)| format!("            \"{name}={value}\",\n");
    let text: String = found.iter().flat_map(|c| c.env.iter().map(line)).collect();
    text.contains(TOKEN_MARK).then_some(Some(text))
}

fn compose(view: &View<'_>) -> Option<Option<String>> {
    if view.scene.projects.is_empty() {
        return Some(None);
    }
    let values = view.scene.projects.iter().flat_map(|p| &p.services).flat_map(|s| &s.environment);
    let text: String = values.map(|(name, variable)| format!("      {name}: {}\n", variable.value)).collect();
    text.contains(TOKEN_MARK).then_some(Some(text))
}

/// Names in front of the tokens of a text, each once.
fn secret_names(text: &str) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for line in text.lines() {
        let Some(at) = line.find(TOKEN_MARK) else { continue };
        let before = line[..at].split(['=', ':']).next().unwrap_or_default();
        let name = before.trim().trim_start_matches("export ").trim_matches(['"', '\'', ' ', '{', '-']);
        if !name.chars().all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c)) {
            continue;
        }
        if !name.is_empty() && !out.iter().any(|n| n == name) {
            out.push(name.to_owned());
        }
    }
    out
}

/// Commands that say as much as is mostly wanted, without the values.
fn quiet(view: &View<'_>, kind: &Kind) -> Vec<String> {
    match kind {
        Kind::File(path) => {
            let lines = view.answers.document(&Probe::File { path: path.clone() }).map_or("", |d| d.text.as_str());
            let assigns = lines.lines().any(|line| line.contains('=')) || path.contains(".env");
            if assigns && !path.contains('*') {
                vec![format!("cut -d= -f1 {}", quote(path))]
            } else {
                vec![format!("ls -l {}", quote(path.trim_end_matches('*')))]
            }
        }
        Kind::Environment => vec!["env | cut -d= -f1".into()],
        Kind::Processes => vec!["ps -ef".into()],
        Kind::Variable(name) => vec![format!("[ -n \"${name}\" ] && echo set")],
        Kind::Containers(names) => {
            let names: Vec<String> = names.iter().map(|n| quote(n)).collect();
            vec![format!("docker inspect --format '{{{{json .State}}}}' {}", names.join(" "))]
        }
        Kind::Compose => vec!["docker compose config --services".into()],
        Kind::Manager { quiet, .. } => quiet.clone(),
        Kind::Program => Vec::new(),
    }
}

#[cfg(test)]
mod tests;
