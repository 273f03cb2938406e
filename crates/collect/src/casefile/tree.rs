//! `host/tree.tsv`: what exists, what does not, and what nobody looked at.

use std::collections::{BTreeMap, HashMap};

use coroner_model::Why;

use super::shelf::{Node, Shelf};
use super::{Casefile, Part, Raw, not_recorded, obstacle};
use crate::class;
use crate::seen::Seen;

pub(super) const PATH: &str = "host/tree.tsv";
/// The columns where the file has no header.
pub(crate) const HEADER: &str =
    "type\tmode\tuid\tuser\tgid\tgroup\tsize\tmtime\tinode\tdev\tpath\tlink-target\ttarget-type";
/// The type of a path that was looked for and is not there, after `find`'s letter
/// for a link that leads nowhere.
const ABSENT: &str = "N";
/// Links followed to find out what covers a path.
const LINK_HOPS_MAX: usize = 20;

/// The rows of the table with their places.
#[derive(Debug)]
pub(super) struct Table {
    header: String,
    rows: Vec<Row>,
    bytes_left_out: u64,
    /// Only paths that were asked for: silence about another one says nothing.
    sampled: bool,
    by_path: HashMap<String, usize>,
    /// Rows below each directory, those apart that say that something is absent.
    children: HashMap<String, Vec<usize>>,
}

#[derive(Debug)]
struct Row {
    /// 1-based line of the file.
    number: u64,
    text: String,
    path: String,
    kind: String,
    target: String,
}

/// Whether a path exists, as far as the table tells.
enum Known {
    Exists(usize),
    Absent,
    Unknown,
}

/// Bytes at the start of the table by which it is known to be none.
const START_BYTES: u64 = 64 * 1024;

/// Why the table of a casefile cannot be read: it has rows, and none of them has a path.
pub(super) fn fault(shelf: &Shelf) -> Option<String> {
    let piece = shelf.head(PATH, START_BYTES).ok()?;
    let text = String::from_utf8_lossy(&piece.bytes);
    let (header, has_header) = header_of(&text);
    let path_at = header.split('\t').position(|column| column.trim() == "path")?;
    let mut rows = text.lines().skip(usize::from(has_header)).filter(|line| !line.trim().is_empty()).peekable();
    let is_table =
        rows.peek().is_none() || rows.any(|line| line.split('\t').nth(path_at).is_some_and(|p| !p.is_empty()));
    (!is_table).then(|| format!("{PATH}: no row has a path in its column"))
}

fn header_of(text: &str) -> (&str, bool) {
    let first = text.lines().next().unwrap_or("");
    let has_header = first.split('\t').any(|column| column.trim() == "path");
    (if has_header { first } else { HEADER }, has_header)
}

impl Table {
    /// Reads the table of a casefile, if it has one.
    pub(super) fn read(case: &Casefile) -> Option<Table> {
        if fault(&case.shelf).is_some() {
            return None;
        }
        let seen = case.read(PATH, Part::Whole).ok()?;
        let text = String::from_utf8_lossy(&seen.raw);
        let (header, has_header) = header_of(&text);
        let column = |name: &str| header.split('\t').position(|column| column.trim() == name);
        let (path_at, kind_at, target_at) = (column("path")?, column("type"), column("link-target"));
        let field = |line: &str, at: Option<usize>| at.and_then(|at| line.split('\t').nth(at)).unwrap_or("").to_owned();
        let rows: Vec<Row> = text
            .lines()
            .zip(1u64..)
            .skip(usize::from(has_header))
            .filter(|(line, _)| !line.trim().is_empty())
            .map(|(line, number)| Row {
                number,
                text: line.to_owned(),
                path: format!("/{}", field(line, Some(path_at)).trim_matches('/')),
                kind: field(line, kind_at),
                target: field(line, target_at),
            })
            .collect();
        let mut by_path = HashMap::new();
        let mut children: HashMap<String, Vec<usize>> = HashMap::new();
        for (at, row) in rows.iter().enumerate() {
            by_path.entry(row.path.clone()).or_insert(at);
            if row.kind != ABSENT && row.path != "/" {
                children.entry(parent_of(&row.path).to_owned()).or_default().push(at);
            }
        }
        let (header, sampled) = (header.to_owned(), case.meta.sampled_tree);
        Some(Table { header, rows, bytes_left_out: seen.bytes_left_out, sampled, by_path, children })
    }

    /// Whether the children of a directory were listed, so that a missing one is absent.
    fn lists(&self, directory: &str) -> bool {
        if self.sampled {
            return false;
        }
        let children = self.children.get(directory).map(Vec::as_slice).unwrap_or_default();
        // Without a row of its own a directory was not walked: what lies in it is where walks
        // began, unless no walk went into any of it: then somebody listed it flat.
        let is_dir = |at: &usize| self.rows[*at].kind == "d";
        let entered = |at: &usize| self.children.contains_key(&self.rows[*at].path);
        match self.by_path.contains_key(directory) {
            true => !children.is_empty(),
            // Nobody lists the root flat; a lone directory of it was looked at for itself.
            false => directory != "/" && children.iter().any(is_dir) && !children.iter().any(entered),
        }
    }

    /// Whether the listing went deep enough to have shown children of a directory beside others.
    fn reaches_below(&self, directory: &str) -> bool {
        let beside = self.children.get(parent_of(directory)).map(Vec::as_slice).unwrap_or_default();
        let walked = |at: &&usize| class::is_walked(name_of(&self.rows[**at].path));
        !self.sampled && beside.iter().filter(walked).any(|at| self.children.contains_key(&self.rows[*at].path))
    }

    fn known(&self, path: &str, hops: usize) -> Known {
        if let Some(at) = self.by_path.get(path).copied() {
            return if self.rows[at].kind == ABSENT { Known::Absent } else { Known::Exists(at) };
        }
        if path == "/" || hops > LINK_HOPS_MAX {
            return Known::Unknown;
        }
        let parent = parent_of(path);
        if self.lists(parent) {
            return Known::Absent;
        }
        match self.known(parent, hops + 1) {
            Known::Absent => Known::Absent,
            Known::Unknown => Known::Unknown,
            Known::Exists(at) => self.known_below(&self.rows[at], path, hops),
        }
    }

    /// What is known of a path whose parent is listed, but none of the parent's children.
    fn known_below(&self, parent: &Row, path: &str, hops: usize) -> Known {
        match parent.kind.as_str() {
            "" => Known::Unknown,
            "d" if self.reaches_below(&parent.path) => Known::Absent,
            "d" => Known::Unknown,
            "l" if parent.target.is_empty() => Known::Unknown,
            "l" => {
                let target = format!("{}/{}", parent.target, name_of(path));
                self.known(&joined(parent_of(&parent.path), &target), hops + 1)
            }
            // A file has no children.
            _ => Known::Absent,
        }
    }
}

/// The state of one path.
pub(super) fn stat(case: &Casefile, path: &str) -> Raw {
    let table = case.tree();
    let known = table.map_or(Known::Unknown, |table| table.known(path, 0));
    match (table, known) {
        (Some(table), Known::Exists(at)) => {
            let row = &table.rows[at];
            let mut seen = Seen::text(PATH, format!("{}\n{}\n", table.header, row.text));
            seen.first_line = row.number.saturating_sub(1);
            Ok(vec![seen])
        }
        (table, known) => match (copy_of(case, path), known, table) {
            (Some(seen), ..) => Ok(vec![seen]),
            (None, Known::Absent, Some(table)) => Ok(vec![Seen::text(PATH, format!("{}\n", table.header))]),
            (None, _, None) => Err(not_recorded(PATH)),
            (None, ..) => Err(obstacle(Why::NotRecorded, format!("{PATH} does not say whether {path} exists"))),
        },
    }
}

/// Whether the table says that a path does not exist.
pub(super) fn is_absent(case: &Casefile, path: &str) -> bool {
    case.tree().is_some_and(|table| matches!(table.known(path, 0), Known::Absent))
}

/// The rows at and under a path; lines in between that do not belong to it are
/// left empty, so that line numbers stay those of the file.
pub(super) fn under_rows(table_rows: &[(u64, &str, bool)], header: &str) -> Option<Seen> {
    let first = table_rows.iter().find(|row| row.2)?.0;
    let last = table_rows.iter().rfind(|row| row.2)?.0;
    let mut lines = vec![""; usize::try_from(last - first + 1).ok()?];
    for (number, text, wanted) in table_rows {
        if *wanted {
            lines[usize::try_from(number - first).ok()?] = text;
        }
    }
    let mut seen = Seen::text(PATH, format!("{header}\n{}\n", lines.join("\n")));
    seen.first_line = first.saturating_sub(1);
    Some(seen)
}

/// Everything at and under a path.
pub(super) fn tree(case: &Casefile, root: &str, depth_max: u32) -> Raw {
    let table = case.tree().ok_or_else(|| not_recorded(PATH))?;
    let depth = depth_of(root);
    let rows: Vec<(u64, &str, bool)> = table
        .rows
        .iter()
        .map(|row| {
            let near = under(&row.path, root) && depth_of(&row.path) - depth <= depth_max as usize;
            let inside = row.kind != ABSENT && (row.path == root || near);
            (row.number, row.text.as_str(), inside)
        })
        .collect();
    if let Some(mut seen) = under_rows(&rows, &table.header) {
        seen.bytes_left_out = table.bytes_left_out;
        return Ok(vec![seen]);
    }
    match table.known(root, 0) {
        Known::Absent => Ok(vec![Seen::text(PATH, format!("{}\n", table.header))]),
        _ => Err(obstacle(Why::NotRecorded, format!("{PATH} has nothing under {root}"))),
    }
}

/// One table from parts of it; all columns of the full header, rows by path, each once.
pub(super) fn merged(parts: &[String]) -> String {
    let mut rows: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for part in parts {
        let mut lines = part.lines();
        let columns: Vec<&str> = lines.next().unwrap_or("").split('\t').collect();
        for line in lines.filter(|line| !line.trim().is_empty()) {
            let fields: Vec<&str> = line.split('\t').collect();
            let field = |name: &str| {
                columns
                    .iter()
                    .position(|column| *column == name)
                    .and_then(|at| fields.get(at))
                    .unwrap_or(&"")
                    .to_string()
            };
            rows.insert(field("path"), HEADER.split('\t').map(field).collect());
        }
    }
    let mut out = format!("{HEADER}\n");
    for row in rows.values() {
        out.push_str(&row.join("\t"));
        out.push('\n');
    }
    out
}

/// Rows that say which paths do not exist.
pub(super) fn absent_rows(paths: impl Iterator<Item = String>) -> String {
    std::iter::once("type\tpath\n".to_owned()).chain(paths.map(|path| format!("{ABSENT}\t{path}\n"))).collect()
}

/// What the copies of files tell of a path: that it exists, and what it is.
fn copy_of(case: &Casefile, path: &str) -> Option<Seen> {
    let at = format!("files{path}");
    let (kind, bytes, target) = match case.shelf.entry(&at)? {
        Node::Dir => ("d", String::new(), String::new()),
        Node::File { bytes, .. } => ("f", bytes.to_string(), String::new()),
        Node::Link(target) => ("l", String::new(), target.clone()),
    };
    let mut seen = Seen::text(at, format!("type\tsize\tpath\tlink-target\n{kind}\t{bytes}\t{path}\t{target}\n"));
    seen.first_line = 0;
    Some(seen)
}

fn under(path: &str, directory: &str) -> bool {
    directory == "/" || path.strip_prefix(directory).is_some_and(|rest| rest.starts_with('/'))
}

fn name_of(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn parent_of(path: &str) -> &str {
    match path.rsplit_once('/') {
        Some(("", _)) | None => "/",
        Some((parent, _)) => parent,
    }
}

fn depth_of(path: &str) -> usize {
    path.split('/').filter(|part| !part.is_empty()).count()
}

fn joined(directory: &str, target: &str) -> String {
    let full = if target.starts_with('/') { target.to_owned() } else { format!("{directory}/{target}") };
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
