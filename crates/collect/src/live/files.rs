//! Files of the host: their text, their state, and which there are.

use std::fs::FileType;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use coroner_model::probe::FileClass;
use coroner_model::{CouldNotLook, Why};
use ignore::WalkBuilder;
use jiff::Timestamp;

use super::host::accounts::Accounts;
use super::{Inner, Raw, blocked};
use crate::casefile::{TREE_HEADER, obstacle, read_bounded};
use crate::class;
use crate::seen::Seen;

/// Bytes of a YAML file that is looked into for its `services`.
const PEEK_BYTES_MAX: u64 = 256 * 1024;
/// File systems of the kernel, which hold no files.
const KERNEL: &[&str] = &["/proc", "/sys", "/dev"];
/// Milliseconds of the walk that looks for secrets to learn.
const LEARN_MS_MAX: u64 = 1_000;
/// Directories above the working directory that are tried as project root.
const ROOT_LEVELS_MAX: usize = 32;

/// The nearest directory at or above a path that looks like a project's root.
pub fn project_root(cwd: &Path) -> PathBuf {
    let above = || cwd.ancestors().take(ROOT_LEVELS_MAX);
    let marked = |mark: &str| above().find(|directory| directory.join(mark).exists()).map(Path::to_path_buf);
    let composed = || above().find(|directory| has_compose(directory)).map(Path::to_path_buf);
    marked(".coroner").or_else(composed).or_else(|| marked(".git")).unwrap_or_else(|| cwd.to_path_buf())
}

fn has_compose(directory: &Path) -> bool {
    let names = ["compose.yml", "compose.yaml", "docker-compose.yml", "docker-compose.yaml"];
    names.iter().any(|name| directory.join(name).is_file())
}

/// The project's own configuration; none is an answer.
pub(super) fn config(inner: &Inner) -> Raw {
    let path = project_root(&inner.settings.cwd).join(".coroner/coroner.toml");
    match file(inner, &path) {
        Ok(seen) => Ok(vec![seen]),
        Err(why) if why.why == Why::Absent => Ok(Vec::new()),
        Err(why) => Err(why),
    }
}

/// Texts of the project's env, compose and proxy files, as far as the bounds for learning go.
pub(super) fn settings(inner: &Inner) -> Vec<String> {
    let root = project_root(&inner.settings.cwd);
    let wanted = |path: &Path| {
        let name = path.to_string_lossy();
        [FileClass::Env, FileClass::Compose, FileClass::Proxy].iter().any(|class| class::holds(*class, &name))
    };
    let walk =
        Walk { depth_max: inner.limits.learn_depth_max, ms_max: LEARN_MS_MAX, entries_max: inner.limits.entries_max };
    let mut left = inner.limits.learn_bytes_max;
    let mut texts = Vec::new();
    walk.run(&root, class::is_walked, |path, kind| {
        if kind.is_dir() || !wanted(path) {
            return;
        }
        let Ok(seen) = file(inner, path) else { return };
        let bytes = seen.raw.len() as u64;
        if bytes <= left {
            left -= bytes;
            texts.push(String::from_utf8_lossy(&seen.raw).into_owned());
        }
    });
    texts
}

/// A bounded walk, names in order, links not followed, kernel file systems left out.
struct Walk {
    depth_max: usize,
    ms_max: u64,
    entries_max: usize,
}

impl Walk {
    /// Hands over everything below a directory; whether a bound cut the walk short.
    fn run(
        &self,
        root: &Path,
        enters: impl Fn(&str) -> bool + Send + Sync + 'static,
        mut each: impl FnMut(&Path, FileType),
    ) -> bool {
        let until = Instant::now() + Duration::from_millis(self.ms_max);
        let walk = WalkBuilder::new(root)
            .standard_filters(false)
            .follow_links(false)
            .max_depth(Some(self.depth_max))
            .sort_by_file_name(|a, b| a.cmp(b))
            .filter_entry(move |entry| {
                let is_dir = entry.file_type().is_some_and(|kind| kind.is_dir());
                entry.depth() == 0
                    || !is_dir
                    || (enters(&entry.file_name().to_string_lossy())
                        && !KERNEL.iter().any(|path| entry.path() == Path::new(path))
                        && !keeps_copies(entry.path()))
            })
            .build();
        for (count, entry) in walk.flatten().filter(|entry| entry.depth() > 0).enumerate() {
            if count >= self.entries_max || Instant::now() > until {
                return true;
            }
            if let Some(kind) = entry.file_type() {
                each(entry.path(), kind);
            }
        }
        false
    }
}

/// Whether a directory is the area in which copies are kept for `undo`: they never leave it.
fn keeps_copies(directory: &Path) -> bool {
    directory.file_name().is_some_and(|name| name == "undo") && directory.join("CACHEDIR.TAG").is_file()
}

/// The text of one file.
pub(super) fn file(inner: &Inner, path: &Path) -> Result<Seen, CouldNotLook> {
    let meta = std::fs::metadata(path).map_err(|error| match blocked(path, &error) {
        why if why.why == Why::Absent => obstacle(Why::Absent, "it does not exist"),
        why => why,
    })?;
    if !meta.is_file() {
        let what = if meta.is_dir() { "a directory" } else { "no regular file" };
        return Err(obstacle(Why::Unreadable, format!("{} is {what}", path.display())));
    }
    let bytes_max = match path.extension().is_some_and(|ext| ext == "json") {
        true => inner.limits.json_bytes_max,
        false => inner.limits.file_bytes_max,
    };
    let open = std::fs::File::open(path).map_err(|error| blocked(path, &error))?;
    let (raw, _) = read_bounded(open, bytes_max).map_err(|error| blocked(path, &error))?;
    let bytes_left_out = meta.len().saturating_sub(raw.len() as u64);
    Ok(Seen { path: format!("files{}", path.display()), raw, bytes_left_out, first_line: 1 })
}

/// The paths of one class under a directory, one a line.
pub(super) fn listing(inner: &Inner, root: &Path, wanted: FileClass) -> Result<Seen, CouldNotLook> {
    std::fs::read_dir(root).map_err(|error| blocked(root, &error))?;
    let mut seen = Seen::text("files/", "");
    let mut paths = 0usize;
    let cut = whole(inner, inner.limits.walk_depth_max).run(root, class::is_walked, |path, kind| {
        if kind.is_dir() || !is_of(wanted, path) {
            return;
        }
        let line = format!("{}\n", path.display());
        paths += 1;
        match paths <= inner.limits.listing_paths_max {
            true => seen.raw.extend_from_slice(line.as_bytes()),
            false => seen.bytes_left_out += line.len() as u64,
        }
    });
    seen.bytes_left_out += u64::from(cut);
    Ok(seen)
}

/// A walk that ends a little before its probe would be given up.
fn whole(inner: &Inner, depth_max: usize) -> Walk {
    Walk { depth_max, ms_max: inner.limits.probe_ms_max * 8 / 10, entries_max: inner.limits.entries_max }
}

fn is_of(wanted: FileClass, path: &Path) -> bool {
    let name = path.to_string_lossy();
    let by_content = matches!(wanted, FileClass::Compose | FileClass::All) && class::is_yaml(&name);
    class::holds(wanted, &name) || (by_content && holds_services(path))
}

fn holds_services(path: &Path) -> bool {
    let read = std::fs::File::open(path).and_then(|file| read_bounded(file, PEEK_BYTES_MAX));
    read.is_ok_and(|(bytes, _)| class::has_services(&String::from_utf8_lossy(&bytes)))
}

/// The state of one path, a link not followed.
pub(super) fn stat(path: &Path) -> Result<Seen, CouldNotLook> {
    let accounts = Accounts::read();
    match row(path, &accounts) {
        Ok(row) => Ok(Seen::text("host/tree.tsv", format!("{TREE_HEADER}\n{row}\n"))),
        Err(error) => match blocked(path, &error) {
            why if why.why == Why::Absent => Ok(Seen::text("host/tree.tsv", format!("{TREE_HEADER}\n"))),
            why => Err(why),
        },
    }
}

/// Everything at and under a directory.
pub(super) fn tree(inner: &Inner, root: &Path, depth_max: u32) -> Result<Seen, CouldNotLook> {
    let accounts = Accounts::read();
    let depth = usize::try_from(depth_max).unwrap_or(usize::MAX).min(inner.limits.walk_depth_max);
    let mut seen = stat(root)?;
    let cut = whole(inner, depth).run(
        root,
        |_| true,
        |path, _| {
            if let Ok(row) = row(path, &accounts) {
                seen.raw.extend_from_slice(format!("{row}\n").as_bytes());
            }
        },
    );
    seen.bytes_left_out += u64::from(cut);
    Ok(seen)
}

/// One line of `host/tree.tsv`.
fn row(path: &Path, accounts: &Accounts) -> std::io::Result<String> {
    let meta = std::fs::symlink_metadata(path)?;
    let link = std::fs::read_link(path).map(|target| target.display().to_string()).unwrap_or_default();
    let target = match (meta.is_symlink(), std::fs::metadata(path)) {
        (true, Ok(target)) => letter(target.file_type()),
        (true, Err(_)) => "N",
        (false, _) => letter(meta.file_type()),
    };
    let modified = Timestamp::new(meta.mtime(), i32::try_from(meta.mtime_nsec()).unwrap_or(0)).unwrap_or_default();
    Ok([
        letter(meta.file_type()).to_owned(),
        format!("{:04o}", meta.mode() & 0o7777),
        meta.uid().to_string(),
        accounts.user(meta.uid()),
        meta.gid().to_string(),
        accounts.group(meta.gid()),
        meta.len().to_string(),
        modified.to_string(),
        meta.ino().to_string(),
        meta.dev().to_string(),
        path.display().to_string().replace(['\t', '\n'], "?"),
        link.replace(['\t', '\n'], "?"),
        target.to_owned(),
    ]
    .join("\t"))
}

/// The letter that `find -printf %y` prints.
fn letter(kind: FileType) -> &'static str {
    match kind {
        kind if kind.is_symlink() => "l",
        kind if kind.is_dir() => "d",
        kind if kind.is_file() => "f",
        kind if kind.is_socket() => "s",
        kind if kind.is_fifo() => "p",
        kind if kind.is_block_device() => "b",
        kind if kind.is_char_device() => "c",
        _ => "U",
    }
}
