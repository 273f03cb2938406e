//! Things known by name, against the state that decides how bad it is.

use coroner_model::effect::{Circumstance, Effect, EffectKind, TargetClass};
use coroner_model::probe::{GitTable, HostTable};
use coroner_model::{Citation, Probe};
use coroner_read::df::{self, Filesystem};
use coroner_read::shell::Word;

use super::view::{View, size, told};
use super::{Judged, Story};
use crate::effect::git_push::{Care, Push, Reach, is_shared_branch};
use crate::effect::named::{is_test_name, shown};
use crate::effect::path::below;
use crate::effect::{Containers, Deciding, Named, Place, Planned};

/// Mount points that a host does not run without.
const IS_OF_THE_HOST: [&str; 6] = ["/", "/boot", "/boot/efi", "/usr", "/var", "/home"];

/// Most files with secrets that an answer names.
const SECRETS_NAMED_MAX: usize = 4;

/// What git says of the branch that a directory is on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Branch {
    pub(super) head: String,
    pub(super) upstream: Option<String>,
    /// Commits that only this side has.
    pub(super) ahead: u64,
}

/// What must be looked at for a named thing.
pub(super) fn probes(named: &Named, out: &mut Vec<Probe>) -> bool {
    if named.place != Place::Host && !matches!(named.deciding, Deciding::Database(_)) {
        return false;
    }
    match &named.deciding {
        Deciding::Nothing => false,
        Deciding::Database(database) => super::database::probes(database, out),
        Deciding::Push(push) => status(&push.directory, out),
        Deciding::Published { directory, .. } => status(directory, out),
        Deciding::Unpushed { directory } => {
            out.extend(git(directory, GitTable::Refs));
            status(directory, out)
        }
        Deciding::Stash { directory } => {
            out.extend(git(directory, GitTable::Stash));
            status(directory, out)
        }
        Deciding::Branches { directory, .. } => {
            out.extend(git(directory, GitTable::Refs));
            false
        }
        Deciding::MovedBranch { directory, .. } => {
            out.extend(git(directory, GitTable::Refs));
            status(directory, out)
        }
        Deciding::Remote { directory, .. } => status(directory, out),
        Deciding::WorkTree { path } => status(path, out),
        Deciding::Space(growth) => {
            super::space::probes(growth, out);
            false
        }
        Deciding::Login { .. } => false,
        Deciding::HoldsSecrets { path, .. } if super::printed::may_hold_secrets(path) => false,
        Deciding::HoldsSecrets { directory, .. } => status(directory, out),
        Deciding::Unmount { .. } => {
            out.push(Probe::Host(HostTable::Df));
            true
        }
        Deciding::Mounted { .. } | Deciding::InUse { .. } => {
            out.push(Probe::Host(HostTable::Df));
            out.push(Probe::Config);
            false
        }
        Deciding::Engine => true,
        // The sessions are asked for where the request names one.
        Deciding::Repeated(_) | Deciding::Local { .. } => false,
        Deciding::Exists { path } | Deciding::Absent { path } => {
            out.push(Probe::Stat { path: path.clone() });
            false
        }
        Deciding::CallsCoroner { path } => {
            out.push(Probe::File { path: path.clone() });
            false
        }
    }
}

fn status(directory: &Word, out: &mut Vec<Probe>) -> bool {
    out.extend(git(directory, GitTable::Status));
    false
}

fn git(directory: &Word, table: GitTable) -> Option<Probe> {
    let repository = directory.as_literal()?.to_owned();
    Some(Probe::Git { repository, table, since: None, until: None })
}

impl View<'_> {
    pub(super) fn named(&self, planned: &Planned, named: &Named) -> Vec<Judged> {
        let mut effect = Effect::new(planned.kind, named.name.clone(), &planned.program);
        named.class.iter().for_each(|class| effect.add_class(*class));
        named.circumstance.iter().for_each(|circumstance| effect.add_circumstance(*circumstance));
        let mut story = Story { would: named.would.clone(), ..Story::default() };
        match &named.place {
            Place::Remote { host } => story.would = format!("{} on {host}", story.would),
            Place::Container { name, .. } => self.in_container(planned, name, &mut effect),
            Place::Host => {}
        }
        match &named.deciding {
            Deciding::Nothing => {}
            Deciding::Database(database) => self.database(database, &mut effect, &mut story),
            Deciding::Push(push) => self.push(push, &mut effect, &mut story),
            Deciding::Published { directory, commits } => self.published(directory, *commits, &mut effect, &mut story),
            Deciding::Unpushed { directory } => self.unpushed(directory, &mut effect, &mut story),
            Deciding::Stash { directory } => self.stash(planned, directory, &mut effect),
            Deciding::Branches { directory, names } => self.lost_branches(directory, names, &mut effect, &mut story),
            Deciding::MovedBranch { directory, name, stays } => {
                self.moved_branch(directory, name, *stays, &mut effect, &mut story);
            }
            Deciding::Remote { directory, remote } => self.remote(directory, remote, &mut effect, &mut story),
            Deciding::InUse { device } => {
                self.mounted(device, &mut effect, &mut story);
                if !effect.class.is_empty() {
                    effect.add_circumstance(Circumstance::Device);
                } else if self.answers.document(&Probe::Host(HostTable::Df)).is_none() {
                    story.undecided = Some(format!("whether {device} is mounted could not be looked at"));
                }
            }
            Deciding::Unmount { device } => self.unmounted(device, &mut effect, &mut story),
            Deciding::HoldsSecrets { path, directory } => {
                if !self.adds_secrets(path, directory, &mut story) {
                    return Vec::new();
                }
                story.why = "Git was told to leave it out, since it holds secrets.".into();
            }
            Deciding::Absent { path } => self.one_name(planned, path, &mut effect, &mut story),
            Deciding::Login { asks } => self.login(planned, named, *asks, &mut effect),
            Deciding::WorkTree { path } => self.lost_worktree(path, &mut effect, &mut story),
            Deciding::Mounted { device } => self.mounted(device, &mut effect, &mut story),
            Deciding::Local { port } if named.place == Place::Host => return self.local_request(planned, *port),
            Deciding::Local { .. } => return Vec::new(),
            Deciding::Repeated(sent) => return self.repeated(planned, sent, effect),
            Deciding::Engine => self.engine(&mut effect, &mut story),
            Deciding::Exists { path } => {
                if self.exists(path) != Some(false) {
                    effect.add_circumstance(Circumstance::Everything);
                }
            }
            Deciding::CallsCoroner { path } => self.calls_coroner(path, &mut effect),
            // Started from an image that is mostly there already, it matters by what it grows to.
            Deciding::Space(growth) if planned.kind == EffectKind::FillDisk && self.need_of(growth).is_none() => {
                return Vec::new();
            }
            Deciding::Space(growth) => self.space(growth, &mut effect, &mut story),
        }
        vec![Judged { effect, story }]
    }

    /// What happens inside a container leaves the host itself alone.
    fn in_container(&self, planned: &Planned, name: &str, effect: &mut Effect) {
        let spares_host = matches!(
            planned.kind,
            EffectKind::StopService
                | EffectKind::KillProcess
                | EffectKind::Install
                | EffectKind::Delete
                | EffectKind::ChangeFirewall
        );
        let made_for_it = name.is_empty();
        if spares_host && (made_for_it || planned.kind != EffectKind::Delete) {
            effect.circumstance.clear();
        }
    }

    pub(super) fn exists(&self, path: &str) -> Option<bool> {
        match self.answers.get(&Probe::Stat { path: path.to_owned() }) {
            Some(Ok(_)) => self.scene.paths.get(path).map(|s| s.exists).or(Some(false)),
            _ => None,
        }
    }

    pub(super) fn branch(&self, directory: &Word) -> Option<Branch> {
        let probe = git(directory, GitTable::Status)?;
        let Some(Ok(documents)) = self.answers.get(&probe) else { return None };
        let mut branch = Branch::default();
        for line in documents.iter().flat_map(|d| d.text.as_str().lines()) {
            if let Some(head) = line.strip_prefix("# branch.head ") {
                branch.head = head.trim().to_owned();
            } else if let Some(upstream) = line.strip_prefix("# branch.upstream ") {
                branch.upstream = Some(upstream.trim().to_owned());
            } else if let Some(counts) = line.strip_prefix("# branch.ab ") {
                branch.ahead =
                    counts.split_whitespace().next().and_then(|n| n.trim_start_matches('+').parse().ok()).unwrap_or(0);
            }
        }
        (!branch.head.is_empty()).then_some(branch)
    }

    /// The lines of git's answer that name the branch and what it follows.
    fn cite_status(&self, directory: &Word) -> Vec<Citation> {
        let document = git(directory, GitTable::Status).and_then(|probe| self.answers.document(&probe));
        document.map_or_else(Vec::new, |document| {
            let lines = document.text.as_str().lines().zip(1u64..);
            let named = |line: &str| {
                ["# branch.head ", "# branch.upstream ", "# branch.ab "].iter().any(|p| line.starts_with(p))
            };
            lines.filter(|(line, _)| named(line)).map(|(_, number)| document.cite_line(number)).collect()
        })
    }

    fn push(&self, push: &Push, effect: &mut Effect, story: &mut Story) {
        let current = self.branch(&push.directory);
        let mut names: Vec<Option<String>> = push
            .branches
            .iter()
            .map(|w| match w.as_literal() {
                Some("HEAD" | "@") => current.as_ref().map(|b| b.head.clone()),
                other => other.map(str::to_owned),
            })
            .collect();
        if names.is_empty() && push.reach == Reach::Named {
            let tracked = |b: &Branch| b.upstream.as_deref().and_then(|u| u.split_once('/')).map(|(_, n)| n.to_owned());
            names.push(current.as_ref().map(|b| tracked(b).unwrap_or_else(|| b.head.clone())));
        }
        let shared = push.reach == Reach::Every || names.iter().flatten().any(|n| is_shared_branch(n));
        let unknown = names.iter().any(Option::is_none);
        story.why = "What others pushed there is gone for everybody who fetches next.".into();
        match (shared, push.care) {
            (true, Care::Lease) => effect.add_circumstance(Circumstance::InUse),
            (true, _) => effect.add_circumstance(Circumstance::Shared),
            (false, Care::Lease) if !unknown => {}
            (false, _) => effect.add_circumstance(Circumstance::Irreversible),
        }
        story.evidence.extend(self.cite_status(&push.directory));
        if let Some(name) = names.iter().flatten().find(|n| is_shared_branch(n)) {
            story.lines.push(format!("{name}  a branch that others work on"));
        }
    }

    /// Commits that are on the other side already should stay as they are.
    fn published(&self, directory: &Word, commits: u64, effect: &mut Effect, story: &mut Story) {
        let Some(branch) = self.branch(directory) else { return };
        let Some(upstream) = &branch.upstream else { return };
        if commits > branch.ahead {
            effect.add_circumstance(Circumstance::Shared);
            story.evidence.extend(self.cite_status(directory));
            story.why = format!("The commit is on {upstream} already; a rewritten one needs a forced push.");
        }
    }

    fn unpushed(&self, directory: &Word, effect: &mut Effect, story: &mut Story) {
        let branch = self.branch(directory);
        let kept = directory.as_literal().and_then(|d| self.branches(d)).and_then(|all| {
            let head = &branch.as_ref()?.head;
            all.into_iter().find(|one| one.name == *head)?.unmerged
        });
        if kept == Some(0) {
            return;
        }
        match branch {
            Some(branch) if branch.upstream.is_some() && branch.ahead == 0 => {}
            Some(branch) => {
                effect.add_class(TargetClass::Unpushed);
                story.evidence.extend(self.cite_status(directory));
                story.why = match (kept, branch.upstream) {
                    (Some(count), None) => format!("{count} commits are on no other branch."),
                    (_, Some(_)) => format!("{} commits are in no other place.", branch.ahead),
                    (None, None) => "The branch was never pushed.".into(),
                };
            }
            None => {
                story.undecided =
                    Some(format!("whether commits of {} are anywhere else could not be looked at", directory.show()));
            }
        }
    }

    /// Branches whose commits another branch, tag or remote has are no loss.
    fn lost_branches(&self, directory: &Word, names: &[Word], effect: &mut Effect, story: &mut Story) {
        let Some(known) = directory.as_literal().and_then(|d| self.branches(d)) else { return };
        let mut lost = false;
        for name in names {
            let found = name.as_literal().and_then(|n| known.iter().find(|b| b.name == n));
            match (name.as_literal(), found.map(|b| b.unmerged)) {
                // A branch that is not there cannot be deleted.
                (Some(_), None) | (_, Some(Some(0))) => {}
                (_, Some(Some(count))) => {
                    lost = true;
                    story.lines.push(format!("{}  {count} commits that are on no other branch", name.show()));
                }
                (None, None) | (_, Some(None)) => lost = true,
            }
        }
        match lost {
            true => story.why = "Its commits are in no other place.".into(),
            false => effect.circumstance.clear(),
        }
    }

    /// A branch that is set elsewhere leaves behind what only it holds.
    fn moved_branch(&self, directory: &Word, name: &Word, stays: bool, effect: &mut Effect, story: &mut Story) {
        let current = self.branch(directory);
        let is_current = current.as_ref().is_some_and(|b| name.as_literal() == Some(b.head.as_str()));
        if is_current && stays {
            return;
        }
        if directory.as_literal().and_then(|d| self.branches(d)).is_some() {
            effect.add_circumstance(Circumstance::Irreversible);
            return self.lost_branches(directory, std::slice::from_ref(name), effect, story);
        }
        // Of another branch nothing is known; most often it is a new one.
        if is_current || current.is_none() && !stays {
            self.unpushed(directory, effect, story);
        }
    }

    /// Commits that were meant for a remote have nowhere to go without it.
    fn remote(&self, directory: &Word, remote: &Word, effect: &mut Effect, story: &mut Story) {
        let Some(branch) = self.branch(directory).filter(|b| b.ahead > 0) else { return };
        let follows = branch.upstream.as_deref().and_then(|u| u.split_once('/')).map(|(name, _)| name);
        if follows.is_some() && follows == remote.as_literal() {
            effect.add_class(TargetClass::Unpushed);
            story.evidence.extend(self.cite_status(directory));
            story.why = format!("{} commits of {} were never pushed there.", branch.ahead, branch.head);
        }
    }

    /// Files that take one name in turn leave only the last of them.
    fn one_name(&self, planned: &Planned, path: &str, effect: &mut Effect, story: &mut Story) {
        let makes = |call: &coroner_read::shell::Invocation| {
            let target = |w: &Word| coroner_read::shell::join(&call.cwd, w).as_literal() == Some(path);
            matches!(call.program(), "mkdir" | "install" | "git" | "tar" | "unzip" | "cp")
                && call.argv.iter().any(target)
        };
        let made = self.effects.script.invocations.iter().take(planned.invocation).any(makes);
        if self.exists(path) == Some(false) && !made {
            effect.add_circumstance(Circumstance::Everything);
            story.why = format!("{path} is no directory, so that each file lies over the one before.");
            story.instead.push(format!("mkdir -p {}", super::tool::quote(path)));
        }
    }

    /// A firewall that comes up closes the way in, unless a rule before lets it open.
    fn login(&self, planned: &Planned, named: &Named, asks: bool, effect: &mut Effect) {
        let env = &self.case.request.env;
        let by_network = matches!(named.place, Place::Remote { .. })
            || ["SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY"].iter().any(|name| env.contains_key(*name));
        let here = self.effects.script.invocations.iter().take(planned.invocation).any(crate::effect::lets_in);
        let before = || {
            self.past.iter().filter_map(|deed| Some((deed, deed.command.as_ref()?))).any(|(deed, command)| {
                let effects = crate::effect::of_command(command, &deed.cwd, &std::collections::BTreeMap::new());
                effects.script.invocations.iter().any(crate::effect::lets_in)
            })
        };
        if (by_network || !asks) && !here && !before() {
            effect.add_circumstance(Circumstance::WholeHost);
        }
    }

    /// A work tree without changes is made anew with one command.
    fn lost_worktree(&self, path: &Word, effect: &mut Effect, story: &mut Story) {
        let Some(asked) = path.as_literal() else { return };
        let Some(loose) = self.loose(asked, asked) else { return };
        let lost: Vec<_> = loose
            .iter()
            .filter(|one| one.standing != super::work::Standing::Ignored || super::work::is_kept_aside(&one.path))
            .filter(|one| !super::delete::is_artefact(&one.path))
            .collect();
        if lost.is_empty() {
            return effect.circumstance.clear();
        }
        effect.add_class(TargetClass::Uncommitted);
        story.lines.push(format!("{} files in {asked} that no commit holds", lost.len()));
    }

    /// A stash is no loss where there is none, or where it was put back just before.
    fn stash(&self, planned: &Planned, directory: &Word, effect: &mut Effect) {
        let stashed = git(directory, GitTable::Stash).and_then(|probe| match self.answers.get(&probe) {
            Some(Ok(documents)) => {
                Some(documents.iter().flat_map(|d| d.text.as_str().lines()).filter(|l| !l.trim().is_empty()).count())
            }
            _ => None,
        });
        let drops_one = !self
            .effects
            .script
            .invocations
            .get(planned.invocation)
            .is_some_and(|call| call.argv.iter().any(|w| w.as_literal() == Some("clear")));
        let kept = match self.last_stash(planned) {
            // What was just put aside is all that the work tree had.
            Some(StashStep::Pushed) => {
                let asked = directory.as_literal().unwrap_or_default();
                let changed = self
                    .loose(asked, asked)
                    .map(|all| all.iter().any(|one| one.standing == super::work::Standing::Changed));
                changed == Some(false) && stashed == Some(0)
            }
            Some(StashStep::Applied) => drops_one || stashed.is_some_and(|n| n <= 1),
            None => stashed == Some(0),
        };
        if kept {
            effect.circumstance.clear();
        }
    }

    /// What the session last did with the stash, before a command of this text.
    fn last_stash(&self, planned: &Planned) -> Option<StashStep> {
        let here = self.effects.script.invocations.iter().take(planned.invocation).rev().find_map(stash_step);
        here.or_else(|| {
            let deeds = self.past.iter().rev().filter_map(|deed| deed.command.as_ref().map(|c| (deed, c)));
            let steps = deeds.filter_map(|(deed, command)| {
                let effects = crate::effect::of_command(command, &deed.cwd, &std::collections::BTreeMap::new());
                effects.script.invocations.iter().rev().find_map(stash_step)
            });
            // What was put aside by an earlier call shows in the list of stashes.
            steps.take(1).find(|step| *step == StashStep::Applied)
        })
    }

    /// A disk whose filesystem is mounted is the host's own.
    fn mounted(&self, device: &str, effect: &mut Effect, story: &mut Story) {
        let probe = Probe::Host(HostTable::Df);
        let Some(document) = self.answers.document(&probe) else { return };
        let mounted: Vec<Filesystem> = df::read(document).into_iter().filter(|f| is_on(&f.device, device)).collect();
        for one in &mounted {
            let system = IS_OF_THE_HOST.contains(&one.mount.as_str());
            effect.add_class(if system { TargetClass::System } else { TargetClass::LiveData });
            story.lines.push(format!("{}  mounted at {}, {} used", one.device, one.mount, size(one.used)));
            story.evidence.push(one.at.clone());
        }
        if !mounted.is_empty() {
            story.why = "The filesystem is in use.".into();
        }
    }

    /// What services and the host keep on the filesystem of a disk.
    fn unmounted(&self, device: &str, effect: &mut Effect, story: &mut Story) {
        let Some(document) = self.answers.document(&Probe::Host(HostTable::Df)) else { return };
        for one in df::read(document).into_iter().filter(|f| is_on(&f.device, device)) {
            if IS_OF_THE_HOST.contains(&one.mount.as_str()) {
                effect.add_class(TargetClass::System);
            }
            for live in self.live.iter().filter(|live| below(&live.path, &one.mount).is_some()) {
                effect.add_class(TargetClass::LiveData);
                story.lines.push(format!("{}  data of \"{}\"", live.path, live.owner));
                story.evidence.extend(live.cited.iter().cloned());
            }
            story.lines.push(format!("{}  mounted at {}, {} used", one.device, one.mount, size(one.used)));
            story.evidence.push(one.at.clone());
        }
    }

    /// Whether a path that git is to take against its ignore rules holds secrets, itself or below it.
    fn adds_secrets(&self, path: &str, directory: &Word, story: &mut Story) -> bool {
        if super::printed::may_hold_secrets(path) {
            return true;
        }
        let top = path.split(['*', '?', '[']).next().unwrap_or(path);
        let top = if top.len() < path.len() { top.rsplit_once('/').map_or("/", |(above, _)| above) } else { path };
        let asked = directory.as_literal().unwrap_or_default();
        let repository = self.top_of(asked).unwrap_or_else(|| asked.to_owned());
        let ignored = self.loose(asked, &repository).unwrap_or_default();
        let taken: Vec<String> = ignored
            .into_iter()
            .filter(|one| one.standing == super::work::Standing::Ignored && below(&one.path, top).is_some())
            .map(|one| one.path)
            .filter(|path| super::printed::may_hold_secrets(path))
            .collect();
        story.lines.extend(taken.iter().take(SECRETS_NAMED_MAX).map(|path| format!("{path}  ignored by git")));
        !taken.is_empty()
    }

    fn engine(&self, effect: &mut Effect, story: &mut Story) {
        let running: Vec<&str> =
            self.scene.containers.iter().filter(|c| c.is_running()).map(|c| c.component()).collect();
        if running.is_empty() && self.knows_containers() {
            return;
        }
        effect.add_circumstance(Circumstance::WholeHost);
        story.why = match running.len() {
            0 => "Which containers run could not be looked at.".into(),
            n => {
                format!("{n} containers run in it: {}.", running.iter().take(5).copied().collect::<Vec<_>>().join(", "))
            }
        };
    }

    fn calls_coroner(&self, path: &str, effect: &mut Effect) {
        let known = self.answers.document(&Probe::File { path: path.to_owned() });
        if known.is_some_and(|d| d.text.as_str().contains("coroner")) {
            effect.add_circumstance(Circumstance::Everything);
        }
    }

    /// Containers that would go; one that runs goes with what it does.
    pub(super) fn remove_containers(&self, planned: &Planned, containers: &Containers) -> Vec<Judged> {
        let every = |mut effect: Effect| {
            effect.add_circumstance(Circumstance::Everything);
            let story =
                Story { would: format!("{} every container of the host", verb(planned.kind)), ..Story::default() };
            Judged { effect, story }
        };
        if containers.all {
            let target =
                if containers.names.is_empty() { "every container".to_owned() } else { shown(&containers.names) };
            return vec![every(Effect::new(planned.kind, target, &planned.program))];
        }
        containers.names.iter().map(|name| self.remove_container(planned, containers, name)).collect()
    }

    fn remove_container(&self, planned: &Planned, containers: &Containers, name: &Word) -> Judged {
        let mut effect = Effect::new(planned.kind, name.show(), &planned.program);
        let running = name.as_literal().and_then(|n| self.scene.container(n)).filter(|c| c.is_running());
        // What the same text kills first need not be forced.
        let killed = || {
            self.effects.planned.iter().any(|p| {
                p.invocation < planned.invocation
                    && p.kind == EffectKind::StopService
                    && matches!(&p.target, crate::effect::Target::Containers(c) if c.names(&[&name.show()]))
            })
        };
        let forced = containers.forced || killed();
        if planned.kind != EffectKind::RemoveContainer || !forced || containers.place != Place::Host {
            return told(effect);
        }
        let Some(container) = running else {
            // Its volumes go along, or it ran a moment ago.
            let with_volumes = self
                .effects
                .planned
                .iter()
                .any(|p| p.invocation == planned.invocation && p.kind == EffectKind::RemoveVolume);
            let mut judged = told(effect);
            if !self.knows_containers() && (killed() || with_volumes) && !is_test_name(&name.show()) {
                judged.story.would = format!("remove the container {}, whether or not it runs", name.show());
                judged.story.undecided = Some(format!("what {} keeps could not be looked at", name.show()));
            }
            return judged;
        };
        effect.add_circumstance(Circumstance::InUse);
        let story = Story {
            would: format!("remove the container of \"{}\" while it runs", container.component()),
            why: "What it wrote outside of its volumes goes with it.".into(),
            ..Story::default()
        };
        Judged { effect, story }
    }
}

/// What a command does with the stash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum StashStep {
    Pushed,
    Applied,
}

fn stash_step(call: &coroner_read::shell::Invocation) -> Option<StashStep> {
    let words: Vec<&str> = call.argv.iter().filter_map(Word::as_literal).collect();
    let at = words.iter().position(|w| *w == "stash").filter(|_| call.program() == "git")?;
    match words.get(at + 1).copied() {
        None | Some("push" | "save") => Some(StashStep::Pushed),
        Some("apply") => Some(StashStep::Applied),
        Some(option) if option.starts_with('-') => Some(StashStep::Pushed),
        _ => None,
    }
}

fn verb(kind: EffectKind) -> &'static str {
    if kind == EffectKind::StopService { "stop" } else { "remove" }
}

/// Whether a filesystem lies on a disk, one of its partitions, or is the volume itself.
fn is_on(filesystem: &str, device: &str) -> bool {
    if filesystem == device || filesystem.trim_start_matches('/') == device {
        return true;
    }
    // `/dev/vg/data` is `/dev/mapper/vg-data`.
    if let Some((group, volume)) = device.strip_prefix("/dev/").unwrap_or(device).split_once('/') {
        let double = |s: &str| s.replace('-', "--");
        if filesystem == format!("/dev/mapper/{}-{}", double(group), double(volume)) {
            return true;
        }
    }
    let Some(rest) = filesystem.strip_prefix(device).filter(|_| device.starts_with("/dev/")) else { return false };
    let ends_in_digit = device.ends_with(|c: char| c.is_ascii_digit());
    let part = if ends_in_digit { rest.strip_prefix('p') } else { Some(rest) };
    part.is_some_and(|p| !p.is_empty() && p.chars().all(|c| c.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partitions_lie_on_their_disk() {
        for (filesystem, device) in [
            ("/dev/sda1", "/dev/sda"),
            ("/dev/nvme0n1p2", "/dev/nvme0n1"),
            ("/dev/mapper/vg0-data", "/dev/vg0/data"),
            ("tank/data", "tank/data"),
        ] {
            assert!(is_on(filesystem, device), "{filesystem} {device}");
        }
        for (filesystem, device) in
            [("/dev/sdb1", "/dev/sda"), ("/dev/sda11", "/dev/sda1"), ("/dev/nvme0n1", "/dev/nvme0")]
        {
            assert!(!is_on(filesystem, device), "{filesystem} {device}");
        }
    }
}
