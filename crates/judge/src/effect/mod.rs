//! Effects: what a command would do, from its text alone.
//!
//! One file a program. Nothing is known of the state here: an effect says *what
//! it would touch* ([`Target`]); the guard looks whether that matters, and
//! `investigate` asks whether a recorded command explains a damage.

mod account;
mod acl;
mod alembic;
mod artisan;
mod backup_tool;
mod cloud;
mod compose;
mod copy;
mod coroner;
mod crontab;
pub mod database;
mod device;
mod django;
pub mod docker;
mod drizzle;
mod execute;
pub mod find;
mod firewall;
mod gh;
pub mod git;
mod git_alias;
mod git_history;
mod git_hooks;
pub mod git_push;
mod git_signing;
pub mod growth;
pub(crate) mod guard_files;
mod halt;
mod helm;
mod http;
mod image;
mod keeper;
mod kill;
mod knex;
mod kubectl;
mod migrator;
mod mongo;
mod mv;
mod mysql;
pub mod named;
pub mod options;
mod owner;
mod package;
pub mod path;
mod prisma;
mod protection;
mod psql;
mod rails;
mod rclone;
mod redis;
mod rm;
pub mod rsync;
mod runner;
mod sent;
mod sequelize;
mod service;
pub mod sql;
mod sql_client;
mod sqlite;
mod supabase;
mod tar;
mod terraform;
mod transfer;
mod typeorm;

use std::collections::BTreeMap;

use coroner_model::effect::EffectKind;
use coroner_read::shell::{self, Carrier, Context, Invocation, Mounted, RedirectKind, Script, Word};

pub use compose::ComposeTarget;
pub use docker::{Containers, RunSpec, Volumes};
pub use execute::{Execution, Source};
pub(crate) use firewall::lets_in;
pub use git::Discard;
pub use image::{major_of, repository, tag_of};
pub use named::{Deciding, Named};
pub use owner::Ownership;
pub use path::{Extent, Filter, Hit, Paths, Place};
pub use sent::Sent;

/// Everything that a text would do.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Effects {
    pub script: Script,
    /// In the order of the text.
    pub planned: Vec<Planned>,
    /// Files whose text decides and is not at hand: SQL that a client would run, absolute.
    pub unread: Vec<String>,
    /// Files that may say what a word stands for; most of them are not there.
    pub looked_up: Vec<String>,
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
    /// A thing that only its name is known of.
    Named(Box<Named>),
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
    let mut effects = Effects { script, ..Effects::default() };
    for (index, call) in effects.script.invocations.iter().enumerate() {
        let mut out = Plan {
            call,
            index,
            planned: Vec::new(),
            tool: None,
            files: context.files,
            cwd: context.cwd,
            unread: Vec::new(),
            home: context.env.get("HOME").map(String::as_str),
            looked_up: Vec::new(),
        };
        of_invocation(&mut out);
        effects.planned.append(&mut out.planned);
        effects.unread.append(&mut out.unread);
        effects.looked_up.append(&mut out.looked_up);
    }
    execute::follow_fetched(&effects.script.invocations, &mut effects.planned);
    effects.unread.sort();
    effects.unread.dedup();
    effects.planned.extend(effects.script.multiplies.map(halt::multiplying));
    effects
}

fn of_invocation(out: &mut Plan<'_>) {
    let call = out.call;
    match call.program() {
        "rm" | "unlink" | "shred" | "truncate" | "trash" | "srm" | "wipe" => rm::plan(out),
        "find" | "fd" | "fdfind" => find::plan(out),
        "mv" => mv::plan(out),
        "cp" | "install" | "dd" | "tee" | "sed" | "ln" | "perl" => copy::plan(out),
        "chown" | "chgrp" | "chmod" => owner::plan(out),
        "rsync" => rsync::plan(out),
        "git" => git::plan(out),
        "docker" | "podman" | "nerdctl" => docker::plan(out),
        "docker-compose" | "podman-compose" => compose::plan(out, &call.argv[1..]),
        "snap"
            if call.argv.get(1).is_some_and(|w| matches!(w.as_literal(), Some("install" | "remove" | "refresh"))) =>
        {
            package::plan(out);
        }
        "systemctl" | "service" | "rc-service" | "invoke-rc.d" | "snap" => service::plan(out),
        name => of_named(out, name),
    }
    if let Some(tool) = out.tool.take() {
        let argv = runner::Tool::of(&call.argv).argv;
        out.tool = Some(tool);
        keeper::plan(out, &argv);
    } else {
        keeper::plan(out, &call.argv);
    }
    out.tool = None;
    migrator::plan(out);
    growth::endless(out);
    protection::plan(out, &call.argv);
    protection::written(out);
    execute::plan(out);
    redirects(out);
    device::of_paths(&mut out.planned);
    guard_files::plan(call, &mut out.planned);
    guard_files::written(out);
}

/// Programs whose targets are known by name.
fn of_named(out: &mut Plan<'_>, name: &str) {
    match name {
        "setfacl" | "chattr" => acl::plan(out),
        "tar" | "bsdtar" | "gtar" | "zip" | "unzip" => tar::plan(out),
        "rclone" => rclone::plan(out),
        "fsck" | "e2fsck" | "xfs_repair" | "ntfsfix" | "umount" | "efibootmgr" => device::plan(out),
        name if name.starts_with("fsck.") => device::plan(out),
        "bfg" | "git-filter-repo" | "java" => git_history::rewriter(out),
        "sftp" | "lftp" => transfer::plan(out),
        "wipefs" | "sgdisk" | "sfdisk" | "fdisk" | "gdisk" | "cfdisk" | "parted" | "blkdiscard" | "mkswap" | "nvme"
        | "hdparm" | "cryptsetup" | "mdadm" | "lvremove" | "vgremove" | "pvremove" | "pvcreate" | "lvreduce"
        | "zfs" | "zpool" | "btrfs" | "mke2fs" => device::plan(out),
        name if name.starts_with("mkfs") => device::plan(out),
        "kubectl" | "oc" => kubectl::plan(out),
        "helm" => helm::plan(out),
        "aws" => cloud::aws(out, &out.call.argv.clone()),
        "gsutil" => cloud::gsutil(out, &out.call.argv.clone()),
        "gh" | "glab" => gh::plan(out),
        "psql" | "dropdb" | "dropuser" | "createdb" | "pg_restore" | "pgcli" => psql::plan(out),
        "mysql" | "mariadb" | "mysqladmin" | "mariadb-admin" | "mycli" => mysql::plan(out),
        "sqlite3" | "sqlite" | "litecli" | "duckdb" => sqlite::plan(out),
        "redis-cli" | "valkey-cli" | "keydb-cli" => redis::plan(out),
        "mongosh" | "mongo" | "mongorestore" => mongo::plan(out),
        "ollama" | "hf" | "huggingface-cli" => growth::model(out),
        "fallocate" => growth::allocated(out),
        "reboot" | "poweroff" | "halt" | "shutdown" | "init" | "telinit" | "ip" | "ifdown" | "ifconfig" | "nmcli" => {
            halt::plan(out);
        }
        "kill" | "pkill" | "killall" | "killall5" | "fuser" | "skill" | "slay" => kill::plan(out),
        "pm2" | "supervisorctl" | "overmind" | "foreman" | "circusctl" => kill::managed(out),
        "userdel" | "deluser" | "passwd" | "usermod" | "chage" | "loginctl" => account::plan(out),
        "curl" | "wget" | "http" | "https" | "xh" => http::plan(out),
        "iptables" | "ip6tables" | "iptables-nft" | "iptables-legacy" | "iptables-restore" | "ip6tables-restore"
        | "nft" | "ufw" | "firewall-cmd" => firewall::plan(out),
        "coroner" => coroner::plan(out),
        "crontab" => crontab::plan(out),
        "restic" | "borg" | "borgmatic" | "logrotate" | "journalctl" => backup_tool::plan(out),
        "apt" | "apt-get" | "aptitude" | "nala" | "dnf" | "yum" | "microdnf" | "zypper" | "apk" | "pacman" | "dpkg"
        | "rpm" | "brew" | "flatpak" | "pip" | "pip3" | "cargo" | "do-release-upgrade" => package::plan(out),
        "twine" | "gem" | "hatch" | "flit" | "maturin" => package::publishes(out),
        _ => of_tool(out),
    }
}

/// Tools of a project, whatever runs them.
fn of_tool(out: &mut Plan<'_>) {
    let mut tool = runner::Tool::of(&out.call.argv);
    git_hooks::of_tool(out, &tool.argv);
    tool.env_files.extend(out.call.carriers.iter().filter_map(|carrier| match carrier {
        Carrier::EnvFile { file } => Some(file.clone()),
        _ => None,
    }));
    out.tool = Some(tool.name().to_owned());
    if sql_client::plan(out, &tool) {
        return;
    }
    match tool.name() {
        "alembic" | "flask" => alembic::plan(out, &tool),
        "prisma" => prisma::plan(out, &tool),
        "drizzle-kit" => drizzle::plan(out, &tool),
        "sequelize" | "sequelize-cli" => sequelize::plan(out, &tool),
        "knex" => knex::plan(out, &tool),
        "typeorm" | "typeorm-ts-node-commonjs" | "typeorm-ts-node-esm" | "mikro-orm" => typeorm::plan(out, &tool),
        "rails" | "rake" => rails::plan(out, &tool),
        "manage.py" | "django-admin" | "django-admin.py" => django::plan(out, &tool),
        "artisan" | "console" => artisan::plan(out, &tool),
        "supabase" => supabase::plan(out, &tool),
        "terraform" | "tofu" | "terragrunt" | "pulumi" | "cdk" | "cdktf" | "serverless" | "sls" | "vagrant" | "sst" => {
            terraform::plan(out, &tool);
        }
        "gcloud" | "az" | "doctl" | "hcloud" | "flyctl" | "fly" | "heroku" | "vercel" | "netlify" | "wrangler"
        | "linode-cli" | "scw" | "oci" | "ibmcloud" | "eksctl" | "kops" | "railway" | "render" | "firebase"
        | "s3cmd" | "mc" | "vultr-cli" => {
            cloud::plan(out, &tool.argv);
        }
        "husky" | "lefthook" | "pre-commit" | "pre_commit" | "overcommit" | "prek" | "simple-git-hooks" => {
            removes_hooks(out, &tool.argv);
        }
        "npm" | "pnpm" | "yarn" | "bun" => package::plan(out),
        "lerna" | "changeset" | "np" | "vsce" | "ovsx" | "semantic-release" => package::releases(out, &tool.argv),
        "poetry" | "uv" => package::plan(out),
        name => growth::node(out, name),
    }
}

/// `pre-commit uninstall`, `husky uninstall`, `overcommit --uninstall`.
fn removes_hooks(out: &mut Plan<'_>, argv: &[Word]) {
    if argv.iter().skip(1).any(|w| matches!(w.as_literal(), Some("uninstall" | "--uninstall"))) {
        let named = Named::of(out.call.cwd.show(), "remove the hooks of the repository");
        out.named(EffectKind::BypassHook, named);
    }
}

/// `> file` empties the file before the command even starts.
fn redirects(out: &mut Plan<'_>) {
    let call = out.call;
    for redirect in &call.redirects {
        let kind = match redirect.kind {
            RedirectKind::Write => EffectKind::Overwrite,
            RedirectKind::Append if redirect.target.as_literal() == Some("/proc/sysrq-trigger") => {
                EffectKind::Overwrite
            }
            RedirectKind::Append | RedirectKind::Read => continue,
        };
        let device = redirect.target.prefix();
        if device.starts_with("/dev/") && !device::is_disk(device) {
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
    /// The tool that a runner such as `npx` runs.
    tool: Option<String>,
    files: &'a BTreeMap<String, String>,
    /// Where the text begins.
    cwd: &'a str,
    unread: Vec<String>,
    /// The home of who runs it.
    home: Option<&'a str>,
    looked_up: Vec<String>,
}

impl Plan<'_> {
    fn push(&mut self, kind: EffectKind, target: Target) {
        let program = self.tool.clone().unwrap_or_else(|| self.call.program().to_owned());
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

    /// The text of a file of this host that the command reads; what is not at hand is asked for.
    fn text_of(&mut self, file: &Word) -> Option<String> {
        if self.place() != Place::Host {
            return None;
        }
        self.text_at(&shell::join(&self.call.cwd, file))
    }

    /// The text of the file that standard input comes from: the shell outside opens it.
    fn text_fed(&mut self, file: &Word) -> Option<String> {
        let from = if self.place() == Place::Host { self.call.cwd.clone() } else { Word::literal(self.cwd) };
        self.text_at(&shell::join(&from, file))
    }

    fn text_at(&mut self, path: &Word) -> Option<String> {
        let path = path.as_literal().filter(|p| p.starts_with('/'))?.to_owned();
        let text = self.files.get(&path).cloned();
        if text.is_none() {
            self.unread.push(path);
        }
        text
    }

    /// The text of a file that need not be there.
    fn text_looked_up(&mut self, path: &str) -> Option<String> {
        if self.place() != Place::Host {
            return None;
        }
        let text = self.files.get(path).cloned();
        if text.is_none() {
            self.looked_up.push(path.to_owned());
        }
        text
    }

    /// Variables that are set for the command alone, as far as they are known.
    fn variables(&self) -> impl Iterator<Item = (&str, String)> {
        self.call.assignments.iter().map(|(name, value)| (name.as_str(), value.show()))
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

    /// The effect that would do so in a container that sees the path, or under the same
    /// path of a host that the command reaches from elsewhere.
    pub fn destroys_from_afar(&self, path: &str, seen_as: &[(&str, &str)]) -> Option<(&Planned, Hit)> {
        self.planned.iter().find_map(|planned| {
            let lossy = matches!(planned.kind, EffectKind::Delete | EffectKind::Move | EffectKind::Truncate);
            let Target::Paths(paths) = &planned.target else { return None };
            let inside: Vec<String> = match &paths.place {
                Place::Host => Vec::new(),
                Place::Remote { .. } => vec![path.to_owned()],
                Place::Container { name, mounts } => {
                    let given = mounts.iter().filter_map(|m| {
                        let rest = path::below(path, m.source.trim_end_matches('/'))?;
                        Some(format!("{}{rest}", m.target.trim_end_matches('/')))
                    });
                    let known = seen_as.iter().filter(|(container, _)| container == name).map(|(_, p)| (*p).to_owned());
                    given.chain(known).collect()
                }
            };
            let hit = inside.iter().filter_map(|p| paths.hits(p, &[])).max()?;
            lossy.then_some((planned, hit))
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
