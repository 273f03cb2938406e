//! A casefile as a world: every probe is answered from what it holds, and from nowhere else.

mod clock;
mod containers;
mod git;
mod http;
mod listing;
mod meta;
mod shelf;
mod tree;
mod unpack;
mod write;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use coroner_model::probe::{DockerTable, FileClass, GitTable, HostTable, ProxyTable};
use coroner_model::{Answer, CouldNotLook, Probe, Redactor, Why};
use jiff::Timestamp;
use thiserror::Error;

use crate::git::Window;
use crate::limits::Limits;
use crate::named_log;
use crate::seen::Seen;

pub use meta::CasefileMeta;
pub(crate) use shelf::{newlines, read_bounded};
pub(crate) use tree::HEADER as TREE_HEADER;
pub use write::{WriteError, Written, write_answers, write_casefile};

/// Why a casefile could not be opened.
#[derive(Debug, Error)]
pub enum OpenError {
    /// It is not there, or may not be read.
    #[error("cannot read casefile {path}: {error}", path = path.display())]
    Unreadable { path: PathBuf, error: io::Error },
    /// It is a file, but no archive.
    #[error("{path} is no casefile: neither a folder nor a .tar.zst or .tar archive", path = path.display())]
    NoCasefile { path: PathBuf },
    /// It is too large to be one.
    #[error("casefile {path} is refused: {what}", path = path.display())]
    TooMuch { path: PathBuf, what: String },
}

impl OpenError {
    /// What a person can do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            OpenError::Unreadable { .. } => "check the path and that you may read it",
            OpenError::NoCasefile { .. } => "make one with `coroner record --to case.tar.zst`",
            OpenError::TooMuch { .. } => "unpack it yourself and give the folder, if you trust where it came from",
        }
    }
}

/// A portable set of answers: a folder, or the same folder as an archive.
#[derive(Debug)]
pub struct Casefile {
    shelf: shelf::Shelf,
    meta: CasefileMeta,
    clock: Option<Timestamp>,
    redactor: Arc<Redactor>,
    limits: Limits,
    notes: Vec<CouldNotLook>,
    /// Read when first asked for.
    tree: OnceLock<Option<tree::Table>>,
}

/// Most links named that lead to nothing.
const DANGLING_COUNT_MAX: usize = 20;

/// What was read, or why not, before redaction.
type Raw = Result<Vec<Seen>, CouldNotLook>;

impl Casefile {
    /// Opens a folder or an archive and learns which of its values are secrets.
    pub fn open(path: &Path, limits: Limits) -> Result<Casefile, OpenError> {
        let unreadable = |error| OpenError::Unreadable { path: path.to_path_buf(), error };
        let mut refused = Vec::new();
        let shelf = if std::fs::metadata(path).map_err(unreadable)?.is_dir() {
            shelf::of_folder(path, limits.entries_max, &mut refused).map_err(unreadable)?
        } else if unpack::is_archive(path) {
            unpack::of_archive(path, &limits, &mut refused)?
        } else {
            return Err(OpenError::NoCasefile { path: path.to_path_buf() });
        };
        Ok(Casefile::over(shelf, limits, refused))
    }

    /// A casefile out of the bytes of an archive that the program carries.
    pub fn of_archive(bytes: &'static [u8], limits: Limits) -> Result<Casefile, OpenError> {
        let mut refused = Vec::new();
        let shelf = unpack::of_reader(std::io::Cursor::new(bytes), Path::new("archive"), &limits, &mut refused)?;
        Ok(Casefile::over(shelf, limits, refused))
    }

    /// A casefile that consists of texts by path: an example, or a case under construction.
    pub fn of_texts<'a>(
        texts: impl IntoIterator<Item = (&'a str, &'a str)>,
        limits: Limits,
    ) -> Result<Casefile, OpenError> {
        let shelf = shelf::of_texts(texts)
            .map_err(|error| OpenError::Unreadable { path: std::path::PathBuf::from("example"), error })?;
        Ok(Casefile::over(shelf, limits, Vec::new()))
    }

    fn over(shelf: shelf::Shelf, limits: Limits, mut refused: Vec<String>) -> Casefile {
        let (meta, problem) = meta::read(&shelf, &limits);
        refused.extend(problem);
        let lost = shelf.dangling().into_iter().take(DANGLING_COUNT_MAX);
        refused.extend(lost.map(|path| format!("{path}: a link to nothing in the casefile; not followed")));
        refused.extend(tree::fault(&shelf));
        let redactor = Arc::new(meta::redactor(&shelf, &limits));
        let clock = meta.collected_at.or_else(|| clock::newest(&shelf));
        let notes = refused
            .into_iter()
            .map(|detail| CouldNotLook {
                what: "casefile".into(),
                why: Why::Unreadable,
                detail: redactor.redact(&detail).as_str().to_owned(),
            })
            .collect();
        Casefile { shelf, meta, clock, redactor, limits, notes, tree: OnceLock::new() }
    }

    /// What `casefile.toml` says.
    pub fn meta(&self) -> &CasefileMeta {
        &self.meta
    }

    /// When it was collected, or the newest time seen in it.
    pub fn clock(&self) -> Option<Timestamp> {
        self.clock
    }

    /// The project root on the host: as declared, else the only directory with a compose file,
    /// else the only one that compose itself names.
    pub fn root(&self) -> Option<String> {
        let seen = || listing::only_project(&self.shelf).or_else(|| containers::only_working_directory(self));
        self.meta.root.clone().or_else(seen)
    }

    /// The redactor that every document goes through.
    pub fn redactor(&self) -> &Arc<Redactor> {
        &self.redactor
    }

    /// Entries that were refused, and `casefile.toml` if it could not be parsed.
    pub fn notes(&self) -> &[CouldNotLook] {
        &self.notes
    }

    /// Answers one probe.
    pub fn answer(&self, probe: &Probe) -> Answer {
        let seen = self.look(probe).map_err(|mut obstacle| {
            obstacle.what = self.redactor.redact(&probe.subject()).as_str().to_owned();
            obstacle.detail = self.redactor.redact(&obstacle.detail).as_str().to_owned();
            obstacle
        })?;
        Ok(seen.into_iter().map(|one| one.into_document(&self.redactor, &self.meta.host, self.clock)).collect())
    }

    fn look(&self, probe: &Probe) -> Raw {
        match probe {
            Probe::Config => self.config(),
            Probe::File { path } => self.file(path),
            Probe::Files { root, class } => self.files(root.as_deref(), *class),
            Probe::Stat { path } => tree::stat(self, &self.absolute(path)),
            Probe::Tree { root, depth_max } => tree::tree(self, &self.absolute(root), *depth_max),
            Probe::Host(table) => self.first_of(host_paths(*table)),
            Probe::Docker(DockerTable::Context) => self.any_of(&["docker/context.json", "docker/context"]),
            Probe::Docker(table) => self.first_of(docker_paths(*table)),
            Probe::ContainerLog { container } => containers::log(self, container),
            Probe::ContainerFile { container, path } => self.first_of(&[&format!(
                "docker/files/{}/{}",
                container.trim_start_matches('/'),
                path.trim_start_matches('/')
            )]),
            Probe::Logs => self.other_logs(),
            Probe::LogFile { path } => self.log_file(path),
            Probe::Proxy(table) => self.first_of(proxy_paths(*table)),
            Probe::HttpGet { url } => http::exchanges_of(self, url),
            Probe::HttpRecorded => self.all_under("http", Part::Whole),
            Probe::Git { table, since, until, .. } => {
                git::answer(self, *table, Window { since: *since, until: *until })
            }
            Probe::Sessions { .. } => self.all_under("sessions", Part::Tail),
            Probe::Backups => self.first_of(&["backups/listing.tsv"]),
            // A case without the table was not searched, and nobody asked for that.
            Probe::Secrets => self.first_of(&["secrets.tsv"]).or_else(|_| Ok(Vec::new())),
        }
    }

    fn tree(&self) -> Option<&tree::Table> {
        self.tree.get_or_init(|| tree::Table::read(self)).as_ref()
    }

    /// A path of the host, absolute: a relative one lies under the project root.
    fn absolute(&self, path: &str) -> String {
        let full = match path.starts_with('/') {
            true => path.to_owned(),
            false => format!("{}/{path}", self.root().unwrap_or_default()),
        };
        let mut parts: Vec<&str> = Vec::new();
        for part in full.split('/') {
            match part {
                "" | "." => {}
                ".." => drop(parts.pop()),
                _ => parts.push(part),
            }
        }
        format!("/{}", parts.join("/"))
    }

    /// Both configurations that a case can have; none of them is an answer: nothing is configured.
    fn config(&self) -> Raw {
        let project = self.root().map(|root| format!("files{root}/.coroner/coroner.toml"));
        let there = |path: &&str| self.shelf.file_bytes(path).is_some();
        std::iter::once("casefile.toml")
            .chain(project.as_deref())
            .filter(there)
            .map(|path| self.read(path, Part::Head))
            .collect()
    }

    fn file(&self, path: &str) -> Raw {
        let path = self.absolute(path);
        let at = format!("files{path}");
        if self.shelf.is_dir(&at) {
            return Err(obstacle(Why::Unreadable, format!("{path} is a directory")));
        }
        if self.shelf.file_bytes(&at).is_none() && tree::is_absent(self, &path) {
            return Err(obstacle(Why::Absent, format!("{path} does not exist on the host")));
        }
        self.first_of(&[&at])
    }

    fn files(&self, root: Option<&str>, class: FileClass) -> Raw {
        let root = root.map(|root| self.absolute(root)).unwrap_or_default();
        let directory = format!("files{}", root.trim_end_matches('/'));
        if !self.shelf.is_dir(&directory) {
            return Err(not_recorded(&format!("{directory}/")));
        }
        Ok(vec![listing::files(self, &directory, class)])
    }

    /// Logs under `logs/`, and those of containers that no other file names.
    fn other_logs(&self) -> Raw {
        let unclaimed = containers::unclaimed_logs(self);
        let mut seen = match self.all_under("logs", Part::Tail) {
            Err(_) if !unclaimed.is_empty() => Vec::new(),
            other => other?,
        };
        for path in unclaimed {
            seen.push(self.read(&path, Part::Tail)?);
        }
        Ok(seen)
    }

    fn log_file(&self, path: &str) -> Raw {
        if path != "-" && !Path::new(path).exists() && self.shelf.file_bytes(path).is_some() {
            return self.read(path, Part::Tail).map(|seen| vec![seen]);
        }
        named_log::read(path, &self.limits).map(|seen| vec![seen])
    }

    /// The first of several spellings that is there.
    fn first_of(&self, paths: &[&str]) -> Raw {
        match paths.iter().find(|path| self.shelf.file_bytes(path).is_some()) {
            Some(path) => self.read(path, part_of(path)).map(|seen| vec![seen]),
            None => Err(not_recorded(paths.first().unwrap_or(&""))),
        }
    }

    /// All of several files that are there; at least one must be.
    fn any_of(&self, paths: &[&str]) -> Raw {
        let there: Vec<_> = paths.iter().filter(|path| self.shelf.file_bytes(path).is_some()).collect();
        if there.is_empty() {
            return Err(not_recorded(paths.first().unwrap_or(&"")));
        }
        there.into_iter().map(|path| self.read(path, part_of(path))).collect()
    }

    /// Every file under a directory; none where the directory is there and empty.
    fn all_under(&self, directory: &str, part: Part) -> Raw {
        if !self.shelf.is_dir(directory) {
            return Err(not_recorded(&format!("{directory}/")));
        }
        let mut seen = Vec::new();
        let mut left = self.limits.answer_bytes_max;
        for path in self.shelf.files_under(directory) {
            let mut one = match self.read(path, part) {
                Err(obstacle) if obstacle.why == Why::TooMuch => Seen {
                    path: path.to_owned(),
                    bytes_left_out: self.shelf.file_bytes(path).unwrap_or(1),
                    ..Seen::text("", "")
                },
                other => other?,
            };
            let bytes = one.raw.len() as u64;
            if bytes > left {
                one.bytes_left_out += bytes;
                one.raw.clear();
            }
            left = left.saturating_sub(bytes);
            seen.push(one);
        }
        Ok(seen)
    }

    /// Reads one file within the bound for its kind.
    fn read(&self, path: &str, part: Part) -> Result<Seen, CouldNotLook> {
        let unreadable = |error: io::Error| obstacle(Why::Unreadable, format!("{path}: {error}"));
        let piece = match part {
            Part::Head => self.shelf.head(path, self.limits.file_bytes_max).map_err(unreadable)?,
            Part::Tail => self.shelf.tail(path, self.limits.log_bytes_max).map_err(unreadable)?,
            Part::Whole => self.shelf.head(path, self.limits.json_bytes_max).map_err(unreadable)?,
        };
        if part == Part::Whole && piece.left_out > 0 {
            return Err(obstacle(Why::TooMuch, format!("{path} has more than {} bytes", self.limits.json_bytes_max)));
        }
        Ok(Seen {
            path: path.to_owned(),
            raw: piece.bytes,
            bytes_left_out: piece.left_out,
            first_line: piece.first_line,
        })
    }
}

/// Which part of a file is kept where a bound is hit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// Its beginning: configuration, tables.
    Head,
    /// Its end: what happened last.
    Tail,
    /// All or nothing: JSON cannot be cut.
    Whole,
}

fn part_of(path: &str) -> Part {
    match path.rsplit('.').next() {
        Some("json") => Part::Whole,
        Some("log" | "jsonl") => Part::Tail,
        _ if path == "host/dmesg.txt" => Part::Tail,
        _ if path.starts_with("host/") || path.starts_with("git/") => Part::Whole,
        _ => Part::Head,
    }
}

/// An obstacle; what was to be looked at is filled in by the one who asked.
pub(crate) fn obstacle(why: Why, detail: impl Into<String>) -> CouldNotLook {
    CouldNotLook { what: String::new(), why, detail: detail.into() }
}

fn not_recorded(path: &str) -> CouldNotLook {
    obstacle(Why::NotRecorded, format!("the casefile has no {path}"))
}

/// Casefile paths of a host table, the one that is written first.
pub(crate) fn host_paths(table: HostTable) -> &'static [&'static str] {
    match table {
        HostTable::Df => &["host/df.txt"],
        HostTable::DfInodes => &["host/df-inodes.txt"],
        HostTable::Du => &["host/du.tsv"],
        HostTable::Growth => &["host/growth.tsv"],
        HostTable::OpenFiles => &["host/open-files.tsv"],
        HostTable::Listeners => &["host/listeners.txt", "host/listeners.tsv"],
        HostTable::Units => &["host/units.txt"],
        HostTable::Dns => &["host/dns.tsv"],
        HostTable::Whoami => &["host/whoami"],
        HostTable::Id => &["host/id.txt"],
        HostTable::Env => &["host/env.txt"],
        HostTable::Date => &["host/date"],
        HostTable::Virt => &["host/virt.txt"],
        HostTable::Annotations => &["host/annotations.tsv"],
        HostTable::Journal => &["host/journal.jsonl"],
        HostTable::Dmesg => &["host/dmesg.txt"],
        HostTable::Ps => &["host/ps.txt"],
        HostTable::Packages => &["host/packages.tsv"],
        HostTable::Versions => &["host/versions.tsv"],
    }
}

/// Casefile paths of a Docker table.
pub(crate) fn docker_paths(table: DockerTable) -> &'static [&'static str] {
    match table {
        DockerTable::Ps => &["docker/ps.jsonl"],
        DockerTable::Inspect => &["docker/inspect.json"],
        DockerTable::Networks => &["docker/networks.json"],
        DockerTable::Volumes => &["docker/volumes.json"],
        DockerTable::Images => &["docker/images.json"],
        DockerTable::Context => &["docker/context.json", "docker/context"],
        DockerTable::Sockets => &["docker/sockets.tsv"],
        DockerTable::Inodes => &["docker/inodes.tsv"],
        DockerTable::Samples => &["docker/samples.jsonl"],
    }
}

/// Casefile paths of a proxy table.
pub(crate) fn proxy_paths(table: ProxyTable) -> &'static [&'static str] {
    match table {
        ProxyTable::Routers => &["proxy/routers.json"],
        ProxyTable::Services => &["proxy/services.json"],
        ProxyTable::Entrypoints => &["proxy/entrypoints.json"],
    }
}

/// Casefile path of a git table.
pub(crate) fn git_path(table: GitTable) -> &'static str {
    match table {
        GitTable::Log => "git/log.txt",
        GitTable::Status => "git/status.txt",
        GitTable::Stash => "git/stash.txt",
        GitTable::Worktrees => "git/worktrees.txt",
        GitTable::Refs => "git/refs.tsv",
    }
}
