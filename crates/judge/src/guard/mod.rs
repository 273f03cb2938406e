//! The guard: what would this command do, to what state, and is that known to end badly?
//!
//! Parse → effects → what state must be known ([`ask`]) → look → judge ([`judge`]).
//! Nothing is asked for where no effect needs it, so a harmless command costs no look.

pub(crate) mod backup;
pub mod change;
mod database;
mod declared;
mod delete;
mod discard;
mod edit;
mod engine;
pub mod evasion;
mod execute;
mod foreign;
mod ground;
mod live;
mod loss;
mod made;
mod named;
mod need;
mod own;
mod owner;
mod past;
mod port;
mod printed;
pub mod reason;
mod repeat;
mod restart;
mod run;
mod secret;
mod space;
mod spare;
mod tool;
mod upgrade;
mod view;
mod volume;
pub mod weaken;
mod work;
pub mod written;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use coroner_model::effect::{Effect, EffectKind};
use coroner_model::permission::{Permission, PermissionAnswer, PermissionFinding, PermissionRequest, Strength};
use coroner_model::{Answers, Citation, CouldNotLook, Probe};
use coroner_read::shell::Context;

use crate::effect::{self, Effects};
use crate::pattern::{AntiPattern, Library};

pub use loss::{Landing, Loss, Lost, MadeAnew, losses, made_anew};
pub use own::{SYSTEM_FOLDER, is_agent_settings};
pub use past::{Deed, deeds_of};
pub use spare::{Spared, config_of, spared};
pub(crate) use tool::quote_always;
pub use tool::{Action, action, quote};

/// Most rounds of asking and looking for one command.
pub const ROUNDS_MAX: usize = 4;

/// One request with what is known around it.
#[derive(Clone, Debug)]
pub struct Case<'a> {
    pub request: &'a PermissionRequest,
    /// What the same session did before, oldest first; the transcript's part comes from the answers.
    pub past: &'a [Deed],
    /// What files would hold afterwards, as far as that was worked out.
    pub outcomes: &'a BTreeMap<String, written::Outcome>,
    /// What those files hold now, as far as they were read.
    pub before: &'a BTreeMap<String, written::Now>,
    /// What the text was last read as.
    pub reading: &'a LastReading,
}

/// The last reading of a request's text. Each round asks for it, and it changes only when
/// the text of a script came in between.
#[derive(Debug, Default)]
pub struct LastReading(RefCell<Option<Reading>>);

#[derive(Debug)]
struct Reading {
    command: String,
    files: BTreeMap<String, String>,
    effects: Rc<Effects>,
}

/// One effect with what is to be told of it.
#[derive(Clone, Debug)]
pub(crate) struct Judged {
    pub(crate) effect: Effect,
    pub(crate) story: Story,
}

/// What is told of an effect when it is not simply allowed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Story {
    /// What would happen: "delete 2 directories that running services use".
    pub(crate) would: String,
    /// Names and numbers, one line each.
    pub(crate) lines: Vec<String>,
    /// Why that is bad here.
    pub(crate) why: String,
    /// Commands to run instead, the first one doing the same without the harm.
    pub(crate) instead: Vec<String>,
    /// A command that only shows what would happen.
    pub(crate) preview: Option<String>,
    pub(crate) evidence: Vec<Citation>,
    /// The state that decides and could not be had: asks, whatever the patterns say.
    pub(crate) undecided: Option<String>,
}

/// What must be looked at before the request can be judged; empty when enough was asked.
pub fn ask(case: &Case<'_>, answers: &Answers) -> Vec<Probe> {
    let Some(command) = action(case.request).as_shell() else { return Vec::new() };
    let files = scripts(case, answers);
    let effects = effects_of(case, &command, &files);
    let mut probes = need::probes(case, &effects, answers);
    probes.extend(printed::probes(case, &effects, answers));
    probes.retain(|p| !answers.has(p));
    probes.sort();
    probes.dedup();
    probes
}

/// The files that a request would write, for [`written::outcome`].
pub fn writes(case: &Case<'_>, answers: &Answers) -> Vec<written::Write> {
    let files = scripts(case, answers);
    let command = action(case.request).as_shell().unwrap_or_default();
    written::plan(case.request, &effects_of(case, &command, &files))
}

/// Judges a request by what was answered so far; the patterns are opened only for an effect.
pub fn judge<'l>(case: &Case<'_>, answers: &Answers, library: impl FnOnce() -> &'l Library) -> PermissionAnswer {
    let id = case.request.id.clone();
    let action = action(case.request);
    let command = match (&action, action.as_shell()) {
        (Action::Unreadable(why), _) => return PermissionAnswer::ask(id, why.clone()),
        (_, None) => return PermissionAnswer::allow(id),
        (_, Some(command)) => command,
    };
    let files = scripts(case, answers);
    let effects = effects_of(case, &command, &files);
    let view = view::View::new(case, answers, &effects);
    let mut judged: Vec<Judged> = effects.planned.iter().flat_map(|planned| view.judge(planned)).collect();
    judged.extend(view.engine_elsewhere());
    own::add(&view, &mut judged);
    declared::mark(&view, &mut judged);
    evasion::touch(&view, &mut judged);
    weaken::judge(&view, &action, &mut judged);
    match action {
        // An edit of one's files is one's work; what it may not touch is what keeps watch.
        Action::Edits { .. } => {
            judged.retain(|j| {
                matches!(j.effect.kind, EffectKind::EditGuard | EffectKind::BypassHook | EffectKind::WeakenTests)
                    || j.effect.class.contains(&coroner_model::effect::TargetClass::Evidence)
                    || j.effect.kind == EffectKind::Overwrite
                        && !j.effect.class.is_empty()
                        && weaken::shrinks(&view, &j.effect.target)
            });
            weaken::secrets_cut(&view, &mut judged);
            judged.extend(edit::judge(case.request));
        }
        Action::Reads { .. } => judged.clear(),
        Action::Remote { tool, verb, target } => judged.push(tool::remote(&tool, &verb, &target)),
        _ => judged.extend(secret::inline(&command, &effects)),
    }
    judged.extend(printed::judge(&view));
    let met = if judged.is_empty() { Vec::new() } else { meet(&judged, library()) };
    let mut answer = PermissionAnswer::allow(id);
    answer.effects = unique(judged.iter().map(|j| j.effect.clone()));
    answer.could_not_look = view.could_not_look();
    decide(&mut answer, &judged, &met);
    unread(&mut answer, &effects);
    answer
}

/// Texts of scripts that were looked at, by path; what the session itself wrote since is newer.
fn scripts(case: &Case<'_>, answers: &Answers) -> BTreeMap<String, String> {
    let read = answers.iter().filter_map(|(probe, answer)| match (probe, answer) {
        (Probe::File { path }, Ok(documents)) => Some((path.clone(), documents.first()?.text.as_str().to_owned())),
        _ => None,
    });
    read.chain(case.past.iter().flat_map(|deed| deed.texts.iter().cloned())).collect()
}

fn effects_of(case: &Case<'_>, command: &str, files: &BTreeMap<String, String>) -> Rc<Effects> {
    let mut last = case.reading.0.borrow_mut();
    if let Some(reading) = last.as_ref().filter(|r| r.command == command && r.files == *files) {
        return Rc::clone(&reading.effects);
    }
    let context = Context { cwd: &case.request.cwd, env: &case.request.env, files };
    let effects = Rc::new(effect::of_command_with(command, &context));
    *last = Some(Reading { command: command.to_owned(), files: files.clone(), effects: Rc::clone(&effects) });
    effects
}

/// A pattern that an effect met.
struct Met<'p> {
    pattern: &'p AntiPattern,
    strength: Strength,
    /// Index of the judged effect.
    judged: usize,
    /// How many fields the row that matched asks for.
    fields: usize,
}

/// Every pattern that is met, strongest and most specific first, each once.
fn meet<'p>(judged: &[Judged], library: &'p Library) -> Vec<Met<'p>> {
    let kinds: Vec<EffectKind> = judged.iter().map(|one| one.effect.kind).collect();
    let patterns: Vec<&AntiPattern> = library.on_effects(&kinds).collect();
    let mut met = Vec::new();
    for (index, one) in judged.iter().enumerate() {
        for pattern in patterns.iter().copied() {
            for row in pattern.header.when.effect.iter().filter(|row| row.matches(&one.effect)) {
                let lists =
                    [row.target.len(), row.not_target.len(), row.circumstance.len(), row.not_circumstance.len()];
                let fields = 2 * usize::from(!row.program.is_empty()) + lists.iter().filter(|n| **n > 0).count();
                met.push(Met { pattern, strength: row.permission, judged: index, fields });
            }
        }
    }
    met.sort_by(|a, b| {
        let key = |m: &Met<'_>| (std::cmp::Reverse(m.strength), std::cmp::Reverse(m.fields), m.pattern.header.severity);
        key(a).cmp(&key(b)).then_with(|| a.pattern.id.cmp(&b.pattern.id)).then(a.judged.cmp(&b.judged))
    });
    let mut seen = std::collections::BTreeSet::new();
    met.retain(|m| seen.insert(m.pattern.id.clone()));
    met
}

fn decide(answer: &mut PermissionAnswer, judged: &[Judged], met: &[Met<'_>]) {
    for one in met {
        let story = &judged[one.judged].story;
        answer.findings.push(PermissionFinding {
            pattern: one.pattern.id.clone(),
            permission: one.strength,
            reason: reason::of_pattern(one.pattern, story, one.strength),
        });
        answer.evidence.extend(story.evidence.iter().cloned());
    }
    if let Some(first) = met.first() {
        let story = &judged[first.judged].story;
        answer.permission = first.strength.permission();
        answer.pattern = Some(first.pattern.id.clone());
        answer.reason = reason::of_pattern(first.pattern, story, first.strength);
        answer.remedy = reason::remedy(first.pattern, story);
    }
    if answer.permission == Permission::Allow
        && let Some(one) = judged.iter().find(|j| j.story.undecided.is_some())
    {
        answer.permission = Permission::Ask;
        answer.reason = reason::undecided(&one.story);
        answer.remedy = reason::remedy_of(&one.story);
    }
    answer.evidence = unique(std::mem::take(&mut answer.evidence));
}

/// What of the text itself could not be read whole.
fn unread(answer: &mut PermissionAnswer, effects: &Effects) {
    use coroner_read::shell::Limit;
    if effects.script.limits.contains(&Limit::File) {
        answer.could_not_look.push(CouldNotLook {
            what: "the whole of a script".into(),
            why: coroner_model::Why::TooMuch,
            detail: "it is longer, deeper or does more than what is followed".into(),
        });
    }
    let rules_left_out = effects.planned.iter().any(|planned| match &planned.target {
        effect::Target::Paths(paths) => {
            matches!(&paths.filter, Some(effect::Filter::Rsync(command)) if command.rules_left_out > 0)
        }
        _ => false,
    });
    let why = match effects.script.limits.iter().find(|l| matches!(l, Limit::Bytes | Limit::Nesting | Limit::Steps)) {
        None if rules_left_out => "it holds more filter rules than are followed",
        Some(Limit::Bytes) => "it is longer than what is read as shell",
        Some(Limit::Steps) => "it holds more commands than are followed",
        Some(_) => "it nests deeper than what is read as shell",
        None => return,
    };
    answer.could_not_look.push(CouldNotLook {
        what: "the whole command".into(),
        why: coroner_model::Why::TooMuch,
        detail: why.into(),
    });
    if answer.permission == Permission::Allow {
        answer.permission = Permission::Ask;
        answer.reason = format!("The command could not be read whole: {why}. Split it, or have a person look at it.");
    }
}

fn unique<T: PartialEq>(all: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut kept = Vec::new();
    for one in all {
        if !kept.contains(&one) {
            kept.push(one);
        }
    }
    kept
}
