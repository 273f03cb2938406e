//! `guard`: judges a command or tool call before it runs.
//!
//! The world is opened only when an effect asks for state, so that a harmless
//! command costs nothing but its own parsing.

mod session;
mod written;

pub mod lift;

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::io::{BufRead, Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};

use coroner_collect::{Casefile, Limits, Live, LiveSettings, World};
use coroner_judge::guard::{self, Action, Case, Deed, LastReading, Loss};
use coroner_judge::pattern::Library;
use coroner_model::permission::{Permission, PermissionAnswer, PermissionRequest};
use coroner_model::{Answer, Answers, Probe};
use coroner_read::transcript;
use serde_json::Value;

use crate::library;
use crate::workspace::{WorkspaceError, WorkspaceRequest};

/// Longest line of a batch that is read, in bytes.
pub const LINE_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Most earlier requests that a session is remembered by.
const DEEDS_MAX: usize = 500;

/// Judges requests one after the other; those of a session see each other.
#[derive(Debug)]
pub struct Guard {
    /// Opened for the first effect: most commands have none, and a hook starts anew for each.
    patterns: OnceCell<Library>,
    request: WorkspaceRequest,
    world: OnceCell<World>,
    /// Answers of a casefile, which do not change.
    kept: BTreeMap<Probe, Answer>,
    past: BTreeMap<String, Vec<Deed>>,
    /// What was denied and let through, by session.
    journals: session::Journals,
    count: usize,
    /// What the last request would lose; only where copies are kept.
    losses: Option<Vec<Loss>>,
    /// Whether a judgement broke off.
    failed: bool,
}

impl Guard {
    /// Opens the casefile where one is named; patterns and host only once they are needed.
    pub fn open(request: WorkspaceRequest) -> Result<Guard, WorkspaceError> {
        let world = OnceCell::new();
        if let Some(path) = &request.casefile {
            let casefile = Casefile::open(path, Limits::default())?;
            let _ = world.set(World::Casefile(casefile));
        }
        Ok(Guard::new(request, world, OnceCell::new()))
    }

    /// A guard over a world that is open already.
    pub fn over(world: World, patterns: Library) -> Guard {
        let cell = OnceCell::new();
        let _ = cell.set(world);
        Guard::new(WorkspaceRequest::default(), cell, OnceCell::from(patterns))
    }

    fn new(request: WorkspaceRequest, world: OnceCell<World>, patterns: OnceCell<Library>) -> Guard {
        Guard {
            patterns,
            request,
            world,
            kept: BTreeMap::new(),
            past: BTreeMap::new(),
            journals: session::Journals::default(),
            count: 0,
            losses: None,
            failed: false,
        }
    }

    /// Judges a request; its own failure asks.
    pub fn judge(&mut self, request: PermissionRequest) -> PermissionAnswer {
        self.judge_with(request, None)
    }

    /// The same with the transcript of the session, where the caller names it.
    pub fn judge_with(&mut self, request: PermissionRequest, transcript: Option<&str>) -> PermissionAnswer {
        let id = request.id.clone();
        let (agent_id, agent_type) = (request.agent_id.clone(), request.agent_type.clone());
        let judged = catch_unwind(AssertUnwindSafe(|| self.decide(request, transcript)));
        let answer = judged.unwrap_or_else(|_| {
            self.failed = true;
            PermissionAnswer::ask(id, "Coroner failed while it judged this command; have a person look at it.")
        });
        PermissionAnswer { agent_id, agent_type, ..answer }
    }

    fn decide(&mut self, mut request: PermissionRequest, transcript: Option<&str>) -> PermissionAnswer {
        self.count += 1;
        self.surround(&mut request);
        let session = request.session.clone().unwrap_or_default();
        let given = request.command.clone();
        self.journals.define(&mut request);
        let mut past = self.past.get(&session).cloned().unwrap_or_default();
        let mut answers = Answers::new();
        let (nothing, unread) = (BTreeMap::new(), BTreeMap::new());
        let reading = &LastReading::default();
        for _ in 0..guard::ROUNDS_MAX {
            let case = Case { request: &request, past: &past, outcomes: &nothing, before: &unread, reading };
            let mut probes = guard::ask(&case, &answers);
            if probes.is_empty() {
                break;
            }
            if let (Some(path), true) = (transcript, probes.iter().any(|p| matches!(p, Probe::Sessions { .. }))) {
                past.splice(0..0, self.deeds_of_transcript(path, &session));
                self.answer_empty(&mut probes, &mut answers);
            }
            for (probe, answer) in self.look(&probes) {
                answers.insert(probe, answer);
            }
        }
        let worked = self.written(&request, &past, &answers, reading);
        let (outcomes, before) = (&worked.outcomes, &worked.before);
        let case = Case { request: &request, past: &past, outcomes, before, reading };
        let mut answer = guard::judge(&case, &answers, || self.library());
        if let Some(world) = self.world.get() {
            written::weigh(world, || self.library(), &worked, &mut answer);
        }
        // Also where it is denied: a person may have lifted that.
        if let Some(losses) = &mut self.losses {
            *losses = guard::losses(&case, &answers);
        }
        request.command = given;
        self.remember(&request, &mut answer);
        if answer.permission != Permission::Deny
            && !session.is_empty()
            && let Some(mut deed) = Deed::of_request(&request, self.count)
        {
            deed.texts = worked.texts();
            let deeds = self.past.entry(session).or_default();
            deeds.push(deed);
            let surplus = deeds.len().saturating_sub(DEEDS_MAX);
            deeds.drain(..surplus);
        }
        self.redact(&mut answer);
        answer
    }

    /// From now on tells what an allowed request would lose; on the live host only.
    pub(crate) fn tell_losses(&mut self) {
        self.losses = self.is_live().then(Vec::new);
    }

    /// What the last request would lose.
    pub(crate) fn take_losses(&mut self) -> Vec<Loss> {
        self.losses.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Whether a judgement broke off.
    pub(crate) fn has_failed(&self) -> bool {
        self.failed
    }

    fn is_live(&self) -> bool {
        self.request.casefile.is_none() && self.world.get().is_none_or(World::is_live)
    }

    /// What the caller knows of its surroundings.
    pub(crate) fn surroundings(&self) -> &WorkspaceRequest {
        &self.request
    }

    /// A text without secrets, by everything that was learned while looking.
    pub(crate) fn clean(&self, text: &str) -> String {
        let world = self.world.get_or_init(|| World::Live(live(&self.request)));
        world.redactor().redact(text).as_str().to_owned()
    }

    fn library(&self) -> &Library {
        self.patterns.get_or_init(|| library::open(&self.request.home, &self.request.cwd))
    }

    /// What the files that the request writes would hold.
    fn written(
        &self,
        request: &PermissionRequest,
        past: &[Deed],
        answers: &Answers,
        reading: &LastReading,
    ) -> written::Worked {
        if matches!(guard::action(request), Action::Command(command) if !written::may_write(&command)) {
            return written::Worked::default();
        }
        let case = Case { request, past, outcomes: &BTreeMap::new(), before: &BTreeMap::new(), reading };
        let writes = guard::writes(&case, answers);
        written::work_out(|| self.world.get_or_init(|| World::Live(live(&self.request))), writes)
    }

    /// Puts in what the request leaves out and this process knows.
    fn surround(&self, request: &mut PermissionRequest) {
        let live = self.is_live();
        if request.cwd.is_empty() {
            request.cwd = if live {
                self.request.cwd.to_string_lossy().into_owned()
            } else {
                self.world.get().and_then(World::root).unwrap_or_default()
            };
        }
        if live {
            for (name, value) in &self.request.env {
                request.env.entry(name.clone()).or_insert_with(|| value.clone());
            }
        }
    }

    fn look(&mut self, probes: &[Probe]) -> Vec<(Probe, Answer)> {
        let world = self.world.get_or_init(|| World::Live(live(&self.request)));
        if world.is_live() {
            return world.answer_all(probes);
        }
        let (known, asked): (Vec<&Probe>, Vec<&Probe>) = probes.iter().partition(|p| self.kept.contains_key(p));
        let asked: Vec<Probe> = asked.into_iter().cloned().collect();
        let mut all: Vec<(Probe, Answer)> =
            known.into_iter().filter_map(|p| Some((p.clone(), self.kept.get(p)?.clone()))).collect();
        let fresh = world.answer_all(&asked);
        self.kept.extend(fresh.iter().cloned());
        all.extend(fresh);
        all
    }

    /// The deeds in a transcript that the caller names; it takes the place of a search for it.
    fn deeds_of_transcript(&mut self, path: &str, session: &str) -> Vec<Deed> {
        let probe = Probe::File { path: path.to_owned() };
        let answers = self.look(&[probe]);
        let documents: Vec<_> = answers.into_iter().filter_map(|(_, a)| a.ok()).flatten().collect();
        guard::deeds_of(&transcript::read(&documents), session)
    }

    fn answer_empty(&self, probes: &mut Vec<Probe>, answers: &mut Answers) {
        probes.retain(|probe| {
            let sessions = matches!(probe, Probe::Sessions { .. });
            if sessions {
                answers.insert(probe.clone(), Ok(Vec::new()));
            }
            !sessions
        });
    }

    /// A command may carry a secret, and its words are quoted in the answer.
    fn redact(&self, answer: &mut PermissionAnswer) {
        let Some(world) = self.world.get() else { return };
        let redactor = world.redactor();
        let clean = |text: &mut String| *text = redactor.redact(text).as_str().to_owned();
        clean(&mut answer.reason);
        clean(&mut answer.remedy);
        answer.findings.iter_mut().for_each(|f| clean(&mut f.reason));
        answer.effects.iter_mut().for_each(|e| clean(&mut e.target));
    }
}

fn live(request: &WorkspaceRequest) -> Live {
    // Tokens need to be equal within this one run only, so the store stays closed.
    let redaction_key = coroner_store::fresh_key().unwrap_or_default();
    let home = request.env.get("HOME").map_or_else(|| request.home.clone(), std::path::PathBuf::from);
    let settings =
        LiveSettings { env: request.env.clone(), home, cwd: request.cwd.clone(), now: request.now, redaction_key };
    Live::new(settings, Limits::before_a_command())
}

/// Answers JSON Lines by JSON Lines, in order, until the input ends.
pub fn batch(guard: &mut Guard, mut input: impl BufRead, mut output: impl Write) -> std::io::Result<()> {
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = input.by_ref().take(LINE_BYTES_MAX as u64).read_until(b'\n', &mut line)?;
        if read == 0 {
            return Ok(());
        }
        let whole = line.ends_with(b"\n") || read < LINE_BYTES_MAX;
        let answer = if whole {
            match request_of(&line) {
                Ok(request) => guard.judge(request),
                Err((id, why)) => PermissionAnswer::ask(id, why),
            }
        } else {
            skip_line(&mut input)?;
            PermissionAnswer::ask(Value::Null, "The request is longer than what is read.")
        };
        serde_json::to_writer(&mut output, &answer)?;
        output.write_all(b"\n")?;
        output.flush()?;
    }
}

fn skip_line(input: &mut impl BufRead) -> std::io::Result<()> {
    loop {
        let buffer = input.fill_buf()?;
        if buffer.is_empty() {
            return Ok(());
        }
        let (used, done) = match buffer.iter().position(|b| *b == b'\n') {
            Some(at) => (at + 1, true),
            None => (buffer.len(), false),
        };
        input.consume(used);
        if done {
            return Ok(());
        }
    }
}

/// Reads one request; what is none comes back with its id, if that can be read, and why.
pub fn request_of(line: &[u8]) -> Result<PermissionRequest, (Value, String)> {
    let text = String::from_utf8_lossy(line);
    let value: Value = match serde_json::from_str(text.trim()) {
        Ok(value) => value,
        Err(error) => return Err((id_in(&text), format!("The request is no JSON that can be read: {error}."))),
    };
    let id = value.get("id").cloned().unwrap_or(Value::Null);
    let wrong = |why: &str| Err((id.clone(), why.to_owned()));
    let Some(object) = value.as_object() else { return wrong("The request is no JSON object.") };
    if std::str::from_utf8(line).is_err() {
        return wrong("The request holds bytes that are no text.");
    }
    if object.get("command").is_some_and(|c| !c.is_string()) {
        return wrong("The command is no string.");
    }
    if !object.contains_key("command") && !object.get("tool").is_some_and(Value::is_string) {
        return wrong("The request names neither a command nor a tool.");
    }
    let mut given = object.clone();
    // An absent value may be written as null.
    given.retain(|key, value| !value.is_null() || key == "id");
    // Variables may be given as numbers or switches; what is no text is left out.
    if let Some(env) = given.get_mut("env").and_then(Value::as_object_mut) {
        env.retain(|_, value| value.is_string());
    }
    match serde_json::from_value(Value::Object(given)) {
        Ok(request) => Ok(request),
        Err(error) => wrong(&format!("The request cannot be read: {error}.")),
    }
}

/// The id of a broken line, where it still stands there plainly.
fn id_in(text: &str) -> Value {
    let Some(at) = text.find("\"id\"") else { return Value::Null };
    let rest = text[at + 4..].trim_start();
    let Some(rest) = rest.strip_prefix(':') else { return Value::Null };
    serde_json::Deserializer::from_str(rest).into_iter::<Value>().next().and_then(Result::ok).unwrap_or(Value::Null)
}
