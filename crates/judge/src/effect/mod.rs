//! Effects: what a command would do, from its text alone.
//!
//! One file a program. Nothing is known of the state here: an effect says *what
//! it would touch* ([`Target`]); the guard looks whether that matters, and
//! `investigate` asks whether a recorded command explains a damage.

mod compose;
mod copy;
pub mod docker;
mod execute;
pub mod find;
pub mod git;
mod mv;
pub mod options;
mod owner;
pub mod path;
mod rm;
pub mod rsync;
mod service;

use std::collections::BTreeMap;

use coroner_model::effect::EffectKind;
use coroner_read::shell::{self, Carrier, Context, Invocation, Mounted, RedirectKind, Script, Word};

pub use compose::ComposeTarget;
pub use docker::{Containers, RunSpec, Volumes, repository};
pub use execute::{Execution, Source};
pub use git::Discard;
pub use owner::Ownership;
pub use path::{Extent, Filter, Hit, Paths, Place};

/// Everything that a text would do.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Effects {
    pub script: Script,
    /// In the order of the text.
    pub planned: Vec<Planned>,
}

/// One thing that a command would do.
#[derive(Clone, Debug, PartialEq)]
pub struct Planned {
    pub kind: EffectKind,
    pub target: Target,
    pub program: String,
    /// Index into the script's invocations.
    pub invocation: usize,
}

/// To what it would be done.
#[derive(Clone, Debug, PartialEq)]
pub enum Target {
    Paths(Paths),
    Containers(Containers),
    Compose(ComposeTarget),
    /// A container made by hand.
    Run(Box<RunSpec>),
    Volumes(Volumes),
    Ownership(Ownership),
    Discard(Discard),
    /// Text that a shell or interpreter would run and that could not be read.
    Execution(Execution),
}

/// What a command does, by its text alone.
pub fn of_command(text: &str, cwd: &str, env: &BTreeMap<String, String>) -> Effects {
    of_command_with(text, &Context { cwd, env, files: &BTreeMap::new() })
}

/// The same with the texts of scripts that were read meanwhile.
pub fn of_command_with(text: &str, context: &Context<'_>) -> Effects {
    let script = shell::read(text, context);
    let planned = script.invocations.iter().enumerate().flat_map(|(index, call)| of_invocation(index, call)).collect();
    Effects { script, planned }
}

fn of_invocation(index: usize, call: &Invocation) -> Vec<Planned> {
    let mut out = Plan { call, index, planned: Vec::new() };
    match call.program() {
        "rm" | "unlink" | "shred" | "truncate" | "trash" | "srm" | "wipe" => rm::plan(&mut out),
        "find" | "fd" | "fdfind" => find::plan(&mut out),
        "mv" => mv::plan(&mut out),
        "cp" | "install" | "dd" | "tee" | "sed" | "ln" | "perl" => copy::plan(&mut out),
        "chown" | "chgrp" | "chmod" => owner::plan(&mut out),
        "rsync" => rsync::plan(&mut out),
        "git" => git::plan(&mut out),
        "docker" | "podman" | "nerdctl" => docker::plan(&mut out),
        "docker-compose" | "podman-compose" => compose::plan(&mut out, &call.argv[1..]),
        "systemctl" | "service" | "rc-service" | "snap" => service::plan(&mut out),
        _ => {}
    }
    execute::plan(&mut out);
    redirects(&mut out);
    out.planned
}

/// `> file` empties the file before the command even starts.
fn redirects(out: &mut Plan<'_>) {
    let call = out.call;
    for redirect in &call.redirects {
        let kind = match redirect.kind {
            RedirectKind::Write => EffectKind::Overwrite,
            RedirectKind::Append | RedirectKind::Read => continue,
        };
        if redirect.target.prefix().starts_with("/dev/") {
            continue;
        }
        out.paths(kind, &redirect.target, Extent::Itself, None);
    }
}

/// Collects the effects of one command.
pub(crate) struct Plan<'a> {
    pub(crate) call: &'a Invocation,
    index: usize,
    planned: Vec<Planned>,
}

impl Plan<'_> {
    fn push(&mut self, kind: EffectKind, target: Target) {
        let program = self.call.program().to_owned();
        self.planned.push(Planned { kind, target, program, invocation: self.index });
    }

    /// An effect on what a word names, wherever the command runs.
    fn paths(&mut self, kind: EffectKind, word: &Word, extent: Extent, filter: Option<Filter>) {
        for mut paths in path::of_word(word, &self.call.cwd, extent) {
            paths.place = self.place();
            if filter.is_some() {
                paths.filter.clone_from(&filter);
            }
            self.push(kind, Target::Paths(paths));
        }
    }

    fn place(&self) -> Place {
        place_of(self.call)
    }
}

fn place_of(call: &Invocation) -> Place {
    call.carriers
        .iter()
        .find_map(|carrier| match carrier {
            Carrier::Remote { host } => Some(Place::Remote { host: host.clone() }),
            Carrier::Container { name, mounts } => {
                Some(Place::Container { name: name.clone(), mounts: mounts.clone() })
            }
            _ => None,
        })
        .unwrap_or(Place::Host)
}

impl Effects {
    /// The effect that would delete, move away or empty a path of this host.
    pub fn destroys(&self, path: &str) -> Option<(&Planned, Hit)> {
        self.planned.iter().find_map(|planned| {
            let lossy = matches!(
                planned.kind,
                EffectKind::Delete | EffectKind::Move | EffectKind::Truncate | EffectKind::Overwrite
            );
            match &planned.target {
                Target::Paths(paths) if lossy && paths.place == Place::Host => Some((planned, paths.hits(path, &[])?)),
                _ => None,
            }
        })
    }

    /// The effect that would restart a container known under any of these names.
    pub fn restarts(&self, names: &[&str]) -> Option<&Planned> {
        self.planned.iter().find(|planned| planned.kind == EffectKind::RestartContainer && planned.touches(names))
    }

    /// The effect that would make a container anew from its compose files.
    pub fn recreates(&self, names: &[&str]) -> Option<&Planned> {
        self.planned.iter().find(|planned| planned.kind == EffectKind::RecreateContainer && planned.touches(names))
    }

    /// The effect that would start a container by hand under one of these names or images.
    pub fn runs(&self, names: &[&str]) -> Option<&Planned> {
        self.planned.iter().find(|planned| match &planned.target {
            Target::Run(spec) => spec.answers_to(names),
            _ => false,
        })
    }

    /// The effect that would remove a volume.
    pub fn removes_volume(&self, name: &str) -> Option<&Planned> {
        self.planned.iter().find(|planned| match &planned.target {
            Target::Volumes(volumes) => planned.kind == EffectKind::RemoveVolume && volumes.names(name),
            Target::Compose(_) => planned.kind == EffectKind::RemoveVolume,
            _ => false,
        })
    }

    /// Whether a command would write to a file: `>`, `>>`, `tee`, `sed -i`, `cp`, `mv`.
    pub fn writes(&self, path: &str) -> bool {
        let appended = self.script.invocations.iter().any(|call| {
            place_of(call) == Place::Host
                && call.redirects.iter().any(|r| {
                    r.kind != RedirectKind::Read && shell::join(&call.cwd, &r.target).as_literal() == Some(path)
                })
        });
        appended
            || self.planned.iter().any(|planned| match &planned.target {
                Target::Paths(paths) => {
                    let kind = matches!(planned.kind, EffectKind::Overwrite | EffectKind::Truncate);
                    kind && paths.place == Place::Host && paths.hits(path, &[]).is_some()
                }
                _ => false,
            })
    }
}

impl Planned {
    /// Whether it is about a container known under any of these names.
    pub fn touches(&self, names: &[&str]) -> bool {
        match &self.target {
            Target::Containers(containers) => containers.names(names),
            Target::Compose(compose) => compose.names(names),
            _ => false,
        }
    }
}

/// What a new container is given of the host, as the guard maps paths back.
pub(crate) fn host_path(mounts: &[Mounted], inside: &str) -> Option<String> {
    mounts
        .iter()
        .filter_map(|m| {
            let rest = path::below(inside, &m.target)?;
            Some((m.target.len(), format!("{}{rest}", m.source.trim_end_matches('/'))))
        })
        .max()
        .map(|(_, path)| path)
}

#[cfg(test)]
mod tests;
