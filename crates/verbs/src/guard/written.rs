//! What a request would write, judged as `check` judges files: only what would be new is told.

use std::collections::{BTreeMap, BTreeSet};

use coroner_collect::{World, is_of_class};
use coroner_judge::check;
use coroner_judge::fact::{self, Fact};
use coroner_judge::guard::written::{self, Now, Outcome, Write};
use coroner_judge::guard::{self, reason};
use coroner_judge::pattern::Library;
use coroner_judge::scene::{Goal, Scene};
use coroner_model::effect::{Effect, EffectKind};
use coroner_model::evidence::ContentHash;
use coroner_model::permission::{Permission, PermissionAnswer, PermissionFinding, Strength};
use coroner_model::probe::{DockerTable, FileClass};
use coroner_model::{Answer, Answers, CouldNotLook, Document, Finding, Probe, Why};
use coroner_read::settings;

use crate::look::{self, ROUNDS_MAX};

/// Most files of one request that are judged.
const FILES_MAX: usize = 16;

/// Words without which a command writes nothing that is followed.
const WRITERS: &[&str] =
    &[">", "tee", "sed", "perl", "cp", "mv", "install", "rm", "unlink", "patch", "apply", "write", "open("];

/// Whether a command may write files at all; cheap, and wrong only on the safe side.
pub(super) fn may_write(command: &str) -> bool {
    WRITERS.iter().any(|word| command.contains(word))
}

/// Whether `check` reads a file of this name.
fn is_checked(path: &str) -> bool {
    let scratch = ["/tmp/", "/var/tmp/", "/dev/", "/proc/"].iter().any(|top| path.starts_with(top));
    !scratch && is_of_class(FileClass::All, path)
}

/// What files hold and would hold.
#[derive(Debug, Default)]
pub(super) struct Worked {
    pub(super) outcomes: BTreeMap<String, Outcome>,
    pub(super) before: BTreeMap<String, Now>,
    pub(super) could_not_look: Vec<CouldNotLook>,
}

/// Works out what files would hold; only those that somebody judges are read.
pub(super) fn work_out<'w>(world: impl FnOnce() -> &'w World, writes: Vec<Write>) -> Worked {
    let mut worked = Worked::default();
    let wanted = |write: &Write| {
        // Of a file that a tool writes, what is lost of it counts as well.
        let by_tool = write.opening.is_none() && matches!(write.how, written::How::Text(_) | written::How::Edits(_));
        let watched = is_checked(&write.path) || guard::is_agent_settings(&write.path);
        watched || by_tool || guard::weaken::is_watched(&write.path)
    };
    let mut paths: BTreeSet<String> = writes.iter().filter(|w| wanted(w)).map(|w| w.path.clone()).collect();
    if !paths.is_empty() || writes.iter().any(|w| matches!(w.how, written::How::PatchFile { .. })) {
        paths.extend(written::sources(&writes));
    }
    if paths.is_empty() {
        // Nobody judges these texts; the calls that follow in the session may run them.
        worked.outcomes = written::outcome(&writes, &|_| Now::Unread, &str::to_owned);
        return worked;
    }
    let world = world();
    read(world, &paths, &mut worked);
    let writes = written::with_patches(writes, &|path| worked.now(path));
    let more: BTreeSet<String> =
        writes.iter().filter(|w| wanted(w)).map(|w| w.path.clone()).filter(|p| !paths.contains(p)).collect();
    read(world, &more, &mut worked);
    let redactor = world.redactor();
    let clean = |text: &str| redactor.redact(text).as_str().to_owned();
    worked.outcomes = written::outcome(&writes, &|path| worked.now(path), &clean);
    worked
}

fn read(world: &World, paths: &BTreeSet<String>, worked: &mut Worked) {
    let probes: Vec<Probe> = paths.iter().map(|path| Probe::File { path: path.clone() }).collect();
    if probes.is_empty() {
        return;
    }
    for (probe, answer) in world.answer_all(&probes) {
        let Probe::File { path } = probe else { continue };
        let now = match answer {
            Ok(documents) => match documents.first().filter(|d| d.bytes_left_out == 0) {
                Some(document) => Now::Text(document.text.as_str().to_owned()),
                None => Now::Unread,
            },
            Err(why) if why.why == Why::Absent => Now::Absent,
            // A case records what matters of a project; of an agent's settings it may say nothing.
            Err(why) if why.why == Why::NotRecorded => {
                if guard::is_agent_settings(&path) {
                    Now::Unread
                } else {
                    Now::Absent
                }
            }
            Err(why) => {
                worked.could_not_look.push(why);
                Now::Unread
            }
        };
        worked.before.insert(path, now);
    }
}

impl Worked {
    /// Texts that are known, for the calls that follow in the session.
    pub(super) fn texts(&self) -> Vec<(String, String)> {
        let known = self.outcomes.iter().filter_map(|(path, outcome)| match outcome {
            Outcome::Text(text) => Some((path.clone(), text.clone())),
            Outcome::Gone | Outcome::Unknown => None,
        });
        known.collect()
    }

    fn now(&self, path: &str) -> Now {
        self.before.get(path).cloned().unwrap_or(Now::Unread)
    }

    /// Files whose new text `check` would read otherwise than the old one.
    fn changed(&self, world: &World) -> BTreeMap<String, Option<Document>> {
        let redactor = world.redactor();
        let mut out = BTreeMap::new();
        for (path, outcome) in self.outcomes.iter().filter(|(path, _)| is_checked(path)) {
            let before = match self.before.get(path) {
                Some(Now::Text(text)) => Some(text.as_str()),
                Some(Now::Absent) => None,
                _ => continue,
            };
            let document = |raw: &str| Document {
                path: format!("files{path}"),
                observed_at: None,
                host: String::new(),
                text: redactor.redact(raw),
                hash: ContentHash::hmac(redactor.hash_key(), raw.as_bytes()),
                bytes_left_out: 0,
                first_line: 1,
            };
            let after = match outcome {
                Outcome::Text(text) => Some(document(text)),
                Outcome::Gone if before.is_some() => None,
                Outcome::Gone | Outcome::Unknown => continue,
            };
            let old = before.map(document);
            if old.as_ref().map(|d| &d.text) == after.as_ref().map(|d| &d.text) {
                continue;
            }
            let says_more = is_declaration(path) || says(old.as_ref()) != says(after.as_ref());
            if says_more && out.len() < FILES_MAX {
                out.insert(path.clone(), after);
            }
        }
        out
    }
}

/// Whether a file declares what runs; of any other only what it says of settings counts.
fn is_declaration(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    // The template of a file declares what the file will.
    let name =
        [".j2", ".jinja", ".jinja2", ".tpl", ".tmpl"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(&name);
    [FileClass::Compose, FileClass::Env, FileClass::Proxy].iter().any(|class| is_of_class(*class, path))
        || name.starts_with("dockerfile")
        || name.starts_with("containerfile")
        || name.ends_with(".yml")
        || name.ends_with(".yaml")
}

/// What a source text says of settings, wherever it stands in it.
fn says(document: Option<&Document>) -> Vec<(String, Option<String>, bool)> {
    let Some(document) = document else { return Vec::new() };
    settings::read(document).into_iter().map(|r| (r.variable, r.default, r.development_only)).collect()
}

/// Adds to an answer what the written files would newly be found with.
pub(super) fn weigh<'l>(
    world: &World,
    patterns: impl Fn() -> &'l Library,
    worked: &Worked,
    answer: &mut PermissionAnswer,
) {
    let changed = worked.changed(world);
    answer.could_not_look.extend(worked.could_not_look.iter().cloned());
    if changed.is_empty() {
        return;
    }
    let goal = goal(world, changed.keys());
    let before = look::look(world, &goal, Vec::new());
    let overlay = Overlay { world, files: changed };
    let after = overlay.look(&goal, &before);
    let path = overlay.files.keys().next().cloned().unwrap_or_default();
    let (old, new) = (Scene::read(&before), Scene::read(&after));
    guard::change::weigh(&old, &new, &path, &patterns, answer);
    let fresh = fresh(&old, &before, &new, &after);
    if fresh.is_empty() {
        return;
    }
    let patterns = patterns();
    for finding in check::judge(&fresh, patterns) {
        let place = finding.location.path.strip_prefix("files").filter(|p| overlay.files.contains_key(*p));
        add(answer, patterns, &finding, place.unwrap_or(&path));
    }
}

fn add(answer: &mut PermissionAnswer, patterns: &Library, finding: &Finding, path: &str) {
    if answer.findings.iter().any(|known| known.pattern == finding.pattern) {
        return;
    }
    let Some(pattern) = patterns.get(&finding.pattern) else { return };
    let reason = reason::of_written(pattern, path, &finding.message);
    if answer.permission == Permission::Allow {
        answer.permission = Permission::Ask;
        answer.pattern = Some(finding.pattern.clone());
        answer.reason.clone_from(&reason);
        answer.remedy.clone_from(&finding.remedy);
    }
    if !answer.effects.iter().any(|effect| effect.target == path) {
        answer.effects.push(Effect::new(EffectKind::Overwrite, path, ""));
    }
    answer.findings.push(PermissionFinding { pattern: finding.pattern.clone(), permission: Strength::Ask, reason });
    for citation in &finding.evidence {
        if !answer.evidence.contains(citation) {
            answer.evidence.push(citation.clone());
        }
    }
}

/// What is looked at: everything of a casefile, the project of the file on a live host.
fn goal<'p>(world: &World, paths: impl Iterator<Item = &'p String>) -> Goal {
    if !world.is_live() {
        return Goal::Check;
    }
    let root = world.root().unwrap_or_default();
    let mut roots: Vec<String> = paths
        .map(|path| {
            let inside = !root.is_empty() && root != "/" && path.starts_with(&format!("{root}/"));
            let own = path.rsplit_once('/').map_or("/", |(directory, _)| directory);
            if inside { root.clone() } else { own.to_owned() }
        })
        .collect();
    roots.sort();
    roots.dedup();
    Goal::CheckPaths(roots)
}

/// Bad states of `after` that are not in `before`, with what runs and by the files alone: a service
/// that still runs hides what its next start would find.
fn fresh(old: &Scene, before: &Answers, new: &Scene, after: &Answers) -> Vec<Fact> {
    let mut all: Vec<Fact> = Vec::new();
    let of_files = |answers: &Answers| writable(&Scene::read(&without_what_runs(answers)));
    for (old, new) in [(writable(old), writable(new)), (of_files(before), of_files(after))] {
        let key = |fact: &Fact| (fact.kind, fact.is, fact.component.clone());
        let known: Vec<_> = old.iter().map(key).collect();
        for fact in new {
            if !known.contains(&key(&fact)) && !all.iter().any(|f| key(f) == key(&fact)) {
                all.push(fact);
            }
        }
    }
    all
}

fn writable(scene: &Scene) -> Vec<Fact> {
    let mut facts = fact::all(scene);
    facts.retain(|fact| fact.kind.can_be_written());
    facts
}

fn without_what_runs(answers: &Answers) -> Answers {
    let runs = |probe: &Probe| {
        matches!(
            probe,
            Probe::Docker(DockerTable::Inspect | DockerTable::Ps | DockerTable::Inodes | DockerTable::Samples)
                | Probe::ContainerFile { .. }
                | Probe::ContainerLog { .. }
        )
    };
    let mut chosen = Answers::new();
    for (probe, answer) in answers.iter().filter(|(probe, _)| !runs(probe)) {
        chosen.insert(probe.clone(), answer.clone());
    }
    chosen
}

/// The world as it would be once the files are written.
struct Overlay<'w> {
    world: &'w World,
    files: BTreeMap<String, Option<Document>>,
}

impl Overlay<'_> {
    fn look(&self, goal: &Goal, before: &Answers) -> Answers {
        let mut answers = Answers::new();
        for (probe, answer) in before.iter() {
            answers.insert(probe.clone(), self.lay(probe, answer.clone()));
        }
        for _ in 0..ROUNDS_MAX {
            let wanted = Scene::ask(goal, &answers);
            if wanted.is_empty() {
                break;
            }
            for (probe, answer) in self.world.answer_all(&wanted) {
                let answer = self.lay(&probe, answer);
                answers.insert(probe, answer);
            }
        }
        answers
    }

    fn lay(&self, probe: &Probe, answer: Answer) -> Answer {
        match probe {
            Probe::File { path } => match self.files.get(path) {
                Some(Some(document)) => Ok(vec![document.clone()]),
                Some(None) => {
                    Err(CouldNotLook { what: probe.subject(), why: Why::Absent, detail: "it would be gone".to_owned() })
                }
                None => answer,
            },
            Probe::Files { root, class } => self.listing(root.as_deref(), *class, answer),
            _ => answer,
        }
    }

    fn listing(&self, root: Option<&str>, class: FileClass, answer: Answer) -> Answer {
        let mut documents = answer?;
        let Some(first) = documents.first_mut() else { return Ok(documents) };
        let mut lines: BTreeSet<&str> = first.text.as_str().lines().collect();
        for (path, document) in &self.files {
            let below = root.is_none_or(|root| path.starts_with(&format!("{}/", root.trim_end_matches('/'))));
            if document.is_none() {
                lines.remove(path.as_str());
            } else if below && is_of_class(class, path) {
                lines.insert(path);
            }
        }
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        first.text = self.world.redactor().redact(&text);
        Ok(documents)
    }
}
