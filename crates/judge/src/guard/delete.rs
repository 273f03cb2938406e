//! Paths that would be deleted, moved, emptied or overwritten, against what lies there.

use coroner_model::Probe;
use coroner_model::effect::{Circumstance, Effect, EffectKind, TargetClass};
use coroner_read::shell::{Part, Word};
use coroner_read::tree;

use super::live::LivePath;
use super::need::literal_path;
use super::tool::quote;
use super::view::{View, size};
use super::{Judged, Story};
use crate::effect::path::{Relation, below, relation};
use crate::effect::{Extent, Filter, Hit, Paths, Place, Planned, host_path, rsync as transfer};
use crate::simulate::rsync::{self, RsyncCommand, SourceTree, TreeEntry};

/// Most hit paths that an answer names.
const LINES_MAX: usize = 4;

/// Names of directories that tools make anew.
const ARTEFACTS: [&str; 24] = [
    "node_modules",
    "__pycache__",
    ".pytest_cache",
    ".mypy_cache",
    ".ruff_cache",
    ".tox",
    ".venv",
    "venv",
    ".cache",
    ".next",
    ".nuxt",
    ".turbo",
    ".parcel-cache",
    ".gradle",
    ".terraform",
    "target",
    "build",
    "dist",
    "out",
    "coverage",
    ".svelte-kit",
    ".eggs",
    "htmlcov",
    ".npm",
];

/// Directories directly under the root that a system cannot do without.
pub(super) const SYSTEM: [&str; 20] = [
    "/",
    "/etc",
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib64",
    "/boot",
    "/var",
    "/home",
    "/root",
    "/opt",
    "/srv",
    "/dev",
    "/proc",
    "/sys",
    "/var/lib",
    "/var/lib/docker",
    "/usr/lib",
    "/usr/bin",
];

/// Files that hosts have: a choice that meets one of them meets what the host lives on.
const SYSTEM_FILES: [&str; 14] = [
    "/etc/passwd",
    "/etc/fstab",
    "/etc/hosts",
    "/etc/ssh/sshd_config",
    "/etc/sysctl.conf",
    "/etc/nginx/nginx.conf",
    "/etc/systemd/system/ssh.service",
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/profile.d/bash_completion.sh",
    "/etc/docker/daemon.json",
    "/usr/bin/env",
    "/usr/lib/os-release",
    "/usr/lib/python3/dist-packages/apt/__init__.py",
    "/usr/lib/x86_64-linux-gnu/libc.so.6",
];

/// Whether a path is made anew by the tool that made it.
pub(super) fn is_artefact(path: &str) -> bool {
    path.split('/').any(|name| ARTEFACTS.contains(&name) || name.ends_with(".pyc") || name.ends_with(".egg-info"))
}

/// Whether a path is meant to be lost: temporary, or made anew.
pub(super) fn is_scratch(path: &str) -> bool {
    is_artefact(path)
        || ["/tmp", "/var/tmp", "/dev/shm"].iter().any(|top| below(path, top).is_some_and(|rest| !rest.is_empty()))
}

/// Whether a name says that somebody keeps something there.
pub(super) fn looks_like_data(path: &str) -> bool {
    path.to_ascii_lowercase().split(['/', '-', '_', '.']).any(|word| {
        [
            "data",
            "db",
            "database",
            "databases",
            "postgres",
            "postgresql",
            "pgdata",
            "mysql",
            "mariadb",
            "redis",
            "mongo",
            "mongodb",
            "volumes",
            "volume",
            "backup",
            "backups",
            "dump",
            "dumps",
            "storage",
            "uploads",
            "minio",
            "clickhouse",
            "elasticsearch",
            "prometheus",
            "grafana",
            "rabbitmq",
            "influxdb",
            "sqlite",
        ]
        .contains(&word)
    })
}

/// Whether a path lies where hosts keep what they serve, and not what they fetch again.
fn is_kept_place(path: &str) -> bool {
    let kept = ["/var/www", "/var/lib", "/var/spool", "/var/mail", "/data", "/export"];
    let fetched = ["apt", "dpkg", "cache", "caches", "tmp", "temp", "lists", "logs", "log"];
    kept.iter().any(|top| below(path, top).is_some_and(|rest| rest.len() > 1))
        && !path.split('/').any(|part| fetched.contains(&part.trim_start_matches('.')))
}

/// A path that matters and how it is hit.
struct Struck<'v> {
    live: &'v LivePath,
    hit: Hit,
}

impl View<'_> {
    pub(super) fn paths(&self, planned: &Planned, paths: &Paths) -> Vec<Judged> {
        let entered = self.entered(planned, paths);
        let Some(paths) = self.on_this_host(entered.as_ref().unwrap_or(paths)) else {
            return self.elsewhere(planned, paths);
        };
        let mut effect = Effect::new(planned.kind, paths.path.show(), &planned.program);
        let mut story = Story::default();
        if paths.extent != Extent::Itself || paths.filter.is_some() {
            effect.add_circumstance(Circumstance::Recursive);
        }
        if paths.is_unresolved() {
            self.unresolved(&paths, &mut effect);
        }
        let path = paths.path.as_literal().unwrap_or_default().to_owned();
        if is_scratch(&path) {
            effect.add_class(TargetClass::Scratch);
        }
        let struck = self.struck(&paths);
        if !struck.is_empty() {
            effect.add_class(TargetClass::LiveData);
            let whole = struck.iter().any(|s| s.hit == Hit::Whole && s.live.running);
            if whole {
                effect.add_circumstance(Circumstance::InUse);
            }
            self.tell_live(&struck, &mut story);
        }
        self.protected(&paths, &mut effect, &mut story);
        if matches!(planned.kind, EffectKind::Delete | EffectKind::Truncate) {
            self.copies(&paths, &mut effect, &mut story);
        }
        if planned.kind != EffectKind::Overwrite {
            self.system(&paths, &mut effect, &mut story);
        }
        let tree = paths.extent != Extent::Itself || paths.filter.is_some();
        if is_record(&path) && (tree || path.ends_with(".jsonl")) {
            effect.add_class(TargetClass::Evidence);
        }
        story.would = self.would(planned, &paths, &struck);
        self.work(planned, &paths, &mut effect, &mut story);
        if let Some(Filter::Rsync(command)) = &paths.filter {
            self.tell_transfer(command, &path, &struck, &mut effect, &mut story);
        } else if let Some(one) = struck.first() {
            // Who uses it, by the names of this host.
            let used = one.live.volume.as_deref().unwrap_or(&one.live.path);
            story.instead.push(format!("docker ps -a --filter volume={}", quote(used)));
        }
        self.undecided(planned, &paths, &effect, &mut story);
        vec![Judged { effect, story }]
    }

    /// The same paths as this host sees them; `None` for another host or a container's own layer.
    pub(super) fn on_this_host(&self, paths: &Paths) -> Option<Paths> {
        let mut here = paths.clone();
        match &paths.place {
            Place::Host => {}
            Place::Remote { .. } => return None,
            Place::Container { name, mounts } => {
                let inside =
                    literal_path(&paths.path).map(str::to_owned).or_else(|| Some(paths.path.prefix().to_owned()))?;
                let mapped = if name.is_empty() {
                    self.volume_path(host_path(mounts, inside.trim_end_matches('/'))?)
                } else {
                    let container = self.scene.container(name)?;
                    let mounted = container.mounts.iter().filter(|m| m.writable).map(|m| {
                        coroner_read::shell::Mounted { source: m.source.clone(), target: m.destination.clone() }
                    });
                    host_path(&mounted.collect::<Vec<_>>(), inside.trim_end_matches('/'))?
                };
                let ends = if inside.ends_with('/') && inside.len() > 1 { "/" } else { "" };
                here.path = with_prefix(&paths.path, format!("{mapped}{ends}"));
                here.place = Place::Host;
            }
        }
        if let Some(path) = here.path.as_literal() {
            let (resolved, is_link) = self.resolve(path);
            here.path = Word::literal(resolved);
            if is_link && here.filter.is_none() {
                // Only the link itself goes.
                here.extent = Extent::Itself;
            }
        } else if let Some((directory, rest)) = here.path.prefix().rsplit_once('/').filter(|(d, _)| !d.is_empty()) {
            // A pattern behind a link matches what the link leads to.
            let (resolved, _) = self.resolve(&format!("{directory}/."));
            let prefix = format!("{}/{rest}", resolved.trim_end_matches("/."));
            if matches!(here.path.parts.first(), Some(Part::Text(_))) {
                here.path = with_prefix(&here.path, prefix);
            }
        }
        Some(here)
    }

    /// The mount point of a volume that a new container is given by name.
    fn volume_path(&self, mapped: String) -> String {
        if mapped.starts_with('/') {
            return mapped;
        }
        let (name, rest) = mapped.split_once('/').unwrap_or((&mapped, ""));
        let found = self.scene.volumes.iter().find(|v| v.name == name).map(|v| v.mountpoint.clone());
        let used = || self.live.iter().find(|l| l.volume.as_deref() == Some(name)).map(|l| l.path.clone());
        let root = found.or_else(used).unwrap_or_else(|| format!("/var/lib/docker/volumes/{name}/_data"));
        if rest.is_empty() { root } else { format!("{root}/{rest}") }
    }

    /// Follows links on the way to a path; also whether the path itself is a link.
    fn resolve(&self, path: &str) -> (String, bool) {
        let mut out = String::new();
        let names: Vec<&str> = path.split('/').filter(|n| !n.is_empty()).collect();
        for (i, name) in names.iter().enumerate() {
            let next = format!("{out}/{name}");
            let link = self.scene.paths.get(&next).filter(|s| s.kind == Some('l')).and_then(|s| s.link_target.clone());
            let link = link.or_else(|| self.linked(&next));
            match link {
                Some(_) if i + 1 == names.len() => return (next, true),
                Some(target) => out = super::tool::absolute(if out.is_empty() { "/" } else { &out }, &target),
                None => out = next,
            }
        }
        (if out.is_empty() { "/".to_owned() } else { out }, false)
    }

    /// With a slash behind its name a link is entered, and what it leads to is emptied.
    fn entered(&self, planned: &Planned, paths: &Paths) -> Option<Paths> {
        let walks = matches!(paths.filter, Some(Filter::Find(_)));
        let path =
            paths.path.as_literal().filter(|_| walks || paths.extent == Extent::Tree && paths.filter.is_none())?;
        let call = self.effects.script.invocations.get(planned.invocation)?;
        let slashed = call
            .argv
            .iter()
            .any(|w| w.suffix().ends_with('/') && coroner_read::shell::join(&call.cwd, w).as_literal() == Some(path));
        let is_link = slashed && self.resolve(path).1;
        if walks {
            let (inside, _) = self.resolve(&format!("{path}/."));
            let path = Word::literal(inside.trim_end_matches("/."));
            return is_link.then(|| Paths { path, ..paths.clone() });
        }
        let inside = Word { parts: vec![Part::Text(format!("{path}/")), Part::Glob("*".into())] };
        is_link.then(|| Paths { path: inside, ..paths.clone() })
    }

    /// Where a link leads that the same text makes with `ln -s`.
    fn linked(&self, path: &str) -> Option<String> {
        self.effects.script.invocations.iter().filter(|call| call.program() == "ln" && call.is_local()).find_map(
            |call| {
                let symbolic = call.argv.iter().any(|w| {
                    let text = w.prefix();
                    text == "--symbolic" || text.starts_with('-') && !text.starts_with("--") && text.contains('s')
                });
                let operands: Vec<&Word> = call.argv[1..].iter().filter(|w| !w.prefix().starts_with('-')).collect();
                let [target, name] = operands.as_slice() else { return None };
                let named = coroner_read::shell::join(&call.cwd, name).as_literal() == Some(path);
                (symbolic && named).then(|| target.as_literal().map(str::to_owned))?
            },
        )
    }

    fn elsewhere(&self, planned: &Planned, paths: &Paths) -> Vec<Judged> {
        let mut effect = Effect::new(planned.kind, paths.path.show(), &planned.program);
        let Place::Remote { host } = &paths.place else {
            let story = Story {
                would: format!("{} {}", verb(planned.kind), effect.target),
                undecided: self.unseen_inside(planned, paths),
                ..Story::default()
            };
            return vec![Judged { effect, story }];
        };
        effect.target = format!("{host}:{}", paths.path.show());
        let recursive = paths.extent != Extent::Itself || paths.filter.is_some();
        if recursive {
            effect.add_circumstance(Circumstance::Recursive);
        }
        let path = paths.path.as_literal().unwrap_or_default();
        let mut story =
            Story { would: format!("{} {} on {host}", verb(planned.kind), effect.target), ..Story::default() };
        if is_scratch(path) {
            effect.add_class(TargetClass::Scratch);
        } else if recursive && planned.kind == EffectKind::Delete {
            story.undecided =
                Some(format!("what lies in {} on {host} cannot be looked at from here", paths.path.show()));
            story.preview = match &paths.filter {
                Some(Filter::Rsync(_)) => self.dry_run(planned.invocation),
                _ => Some(format!("ssh {} ls -la {}", quote(host), quote(&paths.path.show()))),
            };
        }
        vec![Judged { effect, story }]
    }

    /// Live paths that are hit.
    fn struck(&self, paths: &Paths) -> Vec<Struck<'_>> {
        if let Some(Filter::Rsync(command)) = &paths.filter
            && let Some(root) = paths.path.as_literal()
        {
            let gone = self.simulated(command, root);
            let unlisted = self.listed(root).is_none();
            // A destination inside live data of which no listing is known: the rules alone say it.
            let inside =
                |live: &LivePath| (unlisted && below(root, &live.path).is_some()).then(|| paths.hits(&live.path, &[]));
            return self
                .live
                .iter()
                .filter_map(|live| {
                    let hit = hit_by(&gone, &live.path).or_else(|| inside(live).flatten())?;
                    Some(Struck { live, hit })
                })
                .collect();
        }
        let known: Vec<&str> = self.scene.paths.keys().map(String::as_str).collect();
        self.live
            .iter()
            .filter_map(|live| {
                let inside: Vec<&str> =
                    known.iter().copied().filter(|k| below(k, &live.path).is_some_and(|r| !r.is_empty())).collect();
                let hit = paths.hits(&live.path, &inside)?;
                let lost_on_purpose = relation(&paths.path, &live.path) == Relation::Below
                    && paths.path.as_literal().and_then(|p| below(p, &live.path)).is_some_and(is_scratch_inside);
                (!lost_on_purpose).then_some(Struck { live, hit })
            })
            .collect()
    }

    /// What a transfer would delete, as absolute paths; paths that matter stand in for what no listing shows.
    pub(super) fn simulated(&self, command: &RsyncCommand, root: &str) -> Vec<String> {
        let mut entries: Vec<TreeEntry> = self.listed(root).unwrap_or_default();
        let matter = self.live.iter().map(|l| (&l.path, true)).chain(self.scene.protected.iter().map(|p| (p, true)));
        let matter = matter
            .chain(self.config.protect.paths.iter().map(|p| (p, true)))
            .chain(self.backups.files.iter().map(|f| (f, false)));
        for (path, is_dir) in matter {
            let Some(rest) = below(path, root).map(|r| r.trim_start_matches('/')).filter(|r| !r.is_empty()) else {
                continue;
            };
            let mut at = rest;
            let mut directory = is_dir;
            while !at.is_empty() {
                if !entries.iter().any(|e| e.path == at) {
                    entries.push(TreeEntry { path: at.to_owned(), is_dir: directory });
                }
                directory = true;
                at = at.rsplit_once('/').map_or("", |(above, _)| above);
            }
        }
        entries.sort();
        let sources = command.sources.iter().map_while(|source| self.source(command, source)).collect();
        let files = self.answers.iter().filter_map(|(probe, answer)| match (probe, answer) {
            (Probe::File { path }, Ok(documents)) => Some((path.clone(), documents.first()?.text.as_str().to_owned())),
            _ => None,
        });
        let sides = transfer::Sides { files: files.collect(), sources, destination: Some(entries) };
        transfer::deletions(command, root, &sides).unwrap_or_default()
    }

    fn source(&self, command: &RsyncCommand, source: &rsync::Place) -> Option<SourceTree> {
        let rsync::Place::Local(path) = source else { return None };
        let path = command.absolute(path);
        let path = if path.len() > 1 { path.trim_end_matches('/') } else { &path };
        let entries = self.listed(path)?;
        // A listing that knows nothing of the source says nothing about it.
        (!entries.is_empty()).then_some(SourceTree::Directory(entries))
    }

    /// Everything that is known to lie below a root, relative to it.
    fn listed(&self, root: &str) -> Option<Vec<TreeEntry>> {
        let probe =
            self.answers.iter().find(|(p, a)| matches!(p, Probe::Tree { root: r, .. } if r == root) && a.is_ok())?.0;
        let mut out: Vec<TreeEntry> = self
            .answers
            .documents(probe)
            .iter()
            .flat_map(tree::read)
            .filter_map(|entry| {
                let rest = below(&entry.path, root)?.trim_start_matches('/').to_owned();
                (!rest.is_empty()).then_some(TreeEntry { path: rest, is_dir: entry.kind == Some('d') })
            })
            .collect();
        out.sort();
        out.dedup();
        Some(out)
    }

    fn protected(&self, paths: &Paths, effect: &mut Effect, story: &mut Story) {
        let configured = self.scene.protected.iter().chain(&self.config.protect.paths);
        let mut hit: Vec<&String> = configured.filter(|path| self.strikes(paths, path)).collect();
        hit.sort();
        hit.dedup();
        if hit.is_empty() {
            return;
        }
        effect.add_class(TargetClass::Protected);
        story.lines.extend(hit.iter().take(LINES_MAX).map(|path| format!("{path}  protected by the configuration")));
    }

    fn strikes(&self, paths: &Paths, path: &str) -> bool {
        match (&paths.filter, paths.path.as_literal()) {
            (Some(Filter::Rsync(command)), Some(root)) => hit_by(&self.simulated(command, root), path).is_some(),
            _ => paths.hits(path.trim_end_matches('/'), &[]).is_some(),
        }
    }

    /// Backups of which none would be left where they lie.
    fn copies(&self, paths: &Paths, effect: &mut Effect, story: &mut Story) {
        let rotates = paths.narrowed || matches!(&paths.filter, Some(Filter::Find(e)) if e.by_age);
        if rotates {
            return;
        }
        let gone = match (&paths.filter, paths.path.as_literal()) {
            (Some(Filter::Rsync(command)), Some(root)) => Some(self.simulated(command, root)),
            _ => None,
        };
        let strikes = |path: &str| match &gone {
            Some(gone) => hit_by(gone, path).is_some(),
            None => paths.hits(path, &[]).is_some(),
        };
        if gone.is_some() && paths.path.as_literal().is_some_and(|root| self.mirrors_into_backups(root)) {
            return;
        }
        let files: Vec<&String> = self.backups.files.iter().filter(|f| strikes(f)).collect();
        // What is left must be something that can be restored from.
        let good = |other: &String| !strikes(other) && self.backups.is_good(other);
        let emptied: Vec<&&String> = files
            .iter()
            .filter(|f| self.backups.is_good(f) || !self.backups.beside(f).any(|other| self.backups.is_good(other)))
            .filter(|f| !self.backups.beside(f).any(good))
            .collect();
        let directory = self
            .backups
            .directories
            .iter()
            .find(|d| paths.extent != Extent::Itself && strikes(d) && self.loses_whole(paths, d));
        if emptied.is_empty() && (directory.is_none() || !files.is_empty()) {
            return;
        }
        effect.add_class(TargetClass::Backup);
        let what = directory.cloned().unwrap_or_else(|| emptied[0].rsplit_once('/').map_or("/", |(d, _)| d).to_owned());
        let count =
            if emptied.is_empty() { String::new() } else { format!(", {} files, none would be left", emptied.len()) };
        story.lines.push(format!("{what}  backups{count}"));
    }

    /// A destination that is a place of backups itself: a mirror keeps it as its source is.
    fn mirrors_into_backups(&self, root: &str) -> bool {
        let named = root
            .split('/')
            .any(|name| matches!(name.trim_start_matches('.'), "backup" | "backups" | "mirror" | "snapshots"));
        named || self.backups.directories.iter().any(|d| below(root, d).is_some())
    }

    fn loses_whole(&self, paths: &Paths, directory: &str) -> bool {
        matches!(paths.hits(directory, &[]), Some(Hit::Whole)) || paths.extent == Extent::Contents
    }

    fn system(&self, paths: &Paths, effect: &mut Effect, story: &mut Story) {
        if paths.filter.is_some() && !matches!(paths.filter, Some(Filter::Find(_))) {
            return;
        }
        let home = self.case.request.env.get("HOME").map(String::as_str);
        let tops = SYSTEM.iter().copied().chain(home);
        let hit = tops.filter(|top| !top.is_empty()).find(|top| {
            let users = below(top, "/home").is_some_and(|r| r.matches('/').count() == 1);
            (paths.hits(top, &[]) == Some(Hit::Whole) && (paths.extent != Extent::Itself || paths.filter.is_some()))
                || (users && paths.hits(top, &[]) == Some(Hit::Whole))
        });
        let user_home = paths.path.as_literal().is_some_and(|p| {
            below(p, "/home").is_some_and(|r| r.matches('/').count() == 1)
                && paths.extent == Extent::Tree
                && paths.filter.is_none()
        });
        let deep = paths.extent != Extent::Itself;
        let chosen = || {
            matches!(paths.filter, Some(Filter::Find(_)))
                && SYSTEM_FILES.iter().any(|file| paths.hits(file, &[]) == Some(Hit::Whole))
        };
        if chosen() {
            effect.add_class(TargetClass::System);
            story.lines.push(format!("{}  files of the host among them", paths.path.show()));
            return;
        }
        let emptied =
            emptied(&paths.path).filter(|top| deep && (SYSTEM.contains(&top.as_str()) || home == Some(top.as_str())));
        if let Some(top) = hit.map(str::to_owned).or_else(|| user_home.then(|| paths.path.show())).or(emptied) {
            effect.add_class(TargetClass::System);
            story.lines.push(format!("{top}  what the host and its users live on"));
        }
    }

    /// Says that it cannot be said, unless the name tells that it is meant to be lost.
    fn unresolved(&self, paths: &Paths, effect: &mut Effect) {
        let shown = paths.path.show().to_ascii_lowercase();
        let temporary = ["tmp", "temp", "cache", "build", "dist", "out", "work", "mktemp"].iter().any(|word| {
            shown.split(|c: char| !c.is_ascii_alphanumeric()).any(|part| {
                part.ends_with(word)
                    || part.strip_prefix(word).is_some_and(|end| matches!(end, "dir" | "path" | "root" | "folder"))
            })
        });
        if temporary || is_artefact(paths.path.suffix()) {
            effect.add_class(TargetClass::Scratch);
            return;
        }
        effect.add_class(TargetClass::Unresolved);
    }

    fn tell_live(&self, struck: &[Struck<'_>], story: &mut Story) {
        for one in struck.iter().take(LINES_MAX) {
            let bytes = self.bytes.get(&one.live.path).map(|b| format!("{}, ", size(*b))).unwrap_or_default();
            let kind = match &one.live.volume {
                Some(name) => format!("volume {name}"),
                None => "bind mount".to_owned(),
            };
            let state = if one.live.running { "running" } else { "declared" };
            story.lines.push(format!("{}  {bytes}{kind} of \"{}\" ({state})", one.live.path, one.live.owner));
            story.evidence.extend(one.live.cited.iter().cloned());
        }
        if struck.len() > LINES_MAX {
            story.lines.push(format!("and {} more", struck.len() - LINES_MAX));
        }
        story.lines.extend(self.backups.newest(self.scene.now));
    }

    fn would(&self, planned: &Planned, paths: &Paths, struck: &[Struck<'_>]) -> String {
        let verb = verb(planned.kind);
        match struck {
            [] => format!("{verb} {}", paths.path.show()),
            [one] if one.hit == Hit::Part => format!("{verb} data of \"{}\" in {}", one.live.owner, one.live.path),
            [one] => format!("{verb} the data of \"{}\", {}", one.live.owner, one.live.path),
            many => format!("{verb} {} directories that services use", many.len()),
        }
    }

    /// Excludes that match nothing, and the same line without the harm.
    fn tell_transfer(
        &self,
        command: &RsyncCommand,
        root: &str,
        struck: &[Struck<'_>],
        effect: &mut Effect,
        story: &mut Story,
    ) {
        let Some(index) = self.effects.planned.iter().find(|p| matches!(&p.target, crate::effect::Target::Paths(x) if matches!(&x.filter, Some(Filter::Rsync(c)) if **c == *command))).map(|p| p.invocation) else { return };
        let mut tops: Vec<String> = Vec::new();
        let lost = struck
            .iter()
            .map(|s| s.live.path.clone())
            .chain(self.config.protect.paths.iter().filter(|p| below(p, root).is_some()).cloned());
        let lost = lost.chain(
            self.backups
                .directories
                .iter()
                .filter(|d| effect.class.contains(&TargetClass::Backup) && below(d, root).is_some())
                .cloned(),
        );
        for path in lost {
            let Some(rest) = below(&path, root).map(|r| r.trim_start_matches('/')).filter(|r| !r.is_empty()) else {
                continue;
            };
            let top = format!("/{}/", rest.split('/').next().unwrap_or(rest));
            if !tops.contains(&top) {
                tops.push(top);
            }
        }
        let entries: Vec<TreeEntry> = self
            .listed(root)
            .unwrap_or_default()
            .into_iter()
            .chain(tops.iter().map(|t| TreeEntry { path: t.trim_matches('/').to_owned(), is_dir: true }))
            .collect();
        let idle = rsync::idle_excludes(command, &|_| None, &entries);
        if let Some(one) = idle.first() {
            effect.add_circumstance(Circumstance::ExcludeMatchesNothing);
            let nearest = one.nearest.as_deref().map(|n| format!("; it does not match \"{n}\"")).unwrap_or_default();
            story.why = format!("The exclude \"{}\" matches nothing there{nearest}.", one.pattern);
        }
        if let Some(call) = self.effects.script.invocations.get(index) {
            let words = call.argv.iter().map(|w| quote(&w.show()));
            let mut line: Vec<String> = words.collect();
            let excludes = tops.iter().map(|top| format!("--exclude={}", quote_always(top)));
            line.splice(1..1, excludes);
            if !tops.is_empty() && !command.delete_excluded {
                story.instead.push(line.join(" "));
            }
            story.preview = self.dry_run(index);
        }
    }

    fn dry_run(&self, index: usize) -> Option<String> {
        let call = self.effects.script.invocations.get(index)?;
        let mut words: Vec<String> = call.argv.iter().map(|w| quote(&w.show())).collect();
        words.insert(1, "-n -i".to_owned());
        Some(words.join(" "))
    }

    /// Whether a delete would have to be decided by a state that nobody could see.
    fn undecided(&self, planned: &Planned, paths: &Paths, effect: &Effect, story: &mut Story) {
        let lossy = matches!(planned.kind, EffectKind::Delete | EffectKind::Truncate);
        let decided = !effect.class.is_empty() || !lossy || self.knows_services();
        // A single file is emptied or shredded on purpose, and nothing brings its bytes back.
        let emptied = planned.kind == EffectKind::Truncate || planned.program == "shred";
        let deep = paths.extent != Extent::Itself || paths.filter.is_some() || emptied;
        let shown = paths.path.show();
        let outside = below(&shown, &self.case.request.cwd).is_none() && is_kept_place(&shown);
        // Both sides are listed and nothing of the one is missing on the other.
        let spared = match (&paths.filter, paths.path.as_literal()) {
            (Some(Filter::Rsync(command)), Some(root)) => {
                let known = self.listed(root).is_some_and(|l| !l.is_empty());
                known
                    && command.sources.iter().all(|s| self.source(command, s).is_some())
                    && self.simulated(command, root).is_empty()
            }
            _ => false,
        };
        let absent = spared || paths.path.as_literal().is_some_and(|path| self.exists(path) == Some(false));
        if !decided && !absent && deep && (looks_like_data(&shown) || outside) {
            story.undecided = Some(format!("which services use {shown} could not be looked at"));
        }
        if effect.class.is_empty() && story.undecided.is_none() {
            story.undecided = self.unseen_loss(planned, paths);
        }
    }
}

/// The directory that a path such as `/home/dev/*` empties.
pub(super) fn emptied(path: &Word) -> Option<String> {
    let pattern = path.as_pattern()?;
    let (directory, last) = pattern.rsplit_once('/')?;
    (path.has_glob() && matches!(last, "*" | ".*" | "*.*") && !directory.contains('*')).then(|| directory.to_owned())
}

fn is_scratch_inside(rest: &str) -> bool {
    is_artefact(rest) || rest.split('/').any(|name| matches!(name, "tmp" | "temp" | "cache"))
}

/// How a list of deleted paths hits a path.
fn hit_by(gone: &[String], path: &str) -> Option<Hit> {
    let path = path.trim_end_matches('/');
    if gone.iter().any(|g| below(path, g).is_some()) {
        return Some(Hit::Whole);
    }
    gone.iter().any(|g| below(g, path).is_some()).then_some(Hit::Part)
}

/// Whether a path holds what agents or Coroner recorded.
fn is_record(path: &str) -> bool {
    let marks =
        ["/.claude", "/.claude/projects", "/.codex", "/.codex/sessions", "/.gemini", "/.coroner", "/share/coroner"];
    marks.iter().any(|mark| path.ends_with(mark) || path.contains(&format!("{mark}/")))
        && !["/commands", "/agents", "/skills", "/plugins", "/todos", "/shell-snapshots"]
            .iter()
            .any(|part| path.contains(part))
}

pub(super) fn verb(kind: EffectKind) -> &'static str {
    match kind {
        EffectKind::Delete => "delete",
        EffectKind::Move => "move away",
        EffectKind::Truncate => "empty",
        EffectKind::Overwrite => "overwrite",
        _ => "change",
    }
}

fn with_prefix(word: &Word, prefix: String) -> Word {
    let mut parts = word.parts.clone();
    match parts.first_mut() {
        Some(Part::Text(text)) => *text = prefix,
        _ => parts.insert(0, Part::Text(prefix)),
    }
    Word { parts }
}

fn quote_always(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}
