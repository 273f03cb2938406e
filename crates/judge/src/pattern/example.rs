//! Examples in anti-pattern files: small cases that must be caught, or must pass.
//!
//! ```` ```sh ```` holds one command a line; comment lines before them give the state
//! (`# cwd: /srv   live-data: /opt/db`). ```` ```log COMPONENT ```` holds log lines.
//! ```` ```case ```` holds a casefile as text: `--- PATH` starts a file of it,
//! `--- command` the commands to be judged, `--- before` those that the session gave before each
//! of them, `--- log COMPONENT` log lines.
//!
//! Where a secret is wanted, `{made:20}` stands for twenty letters and digits that are made when
//! the example is read, `{made:20:b}` for others: no file holds anything that looks like a key.

use std::collections::BTreeMap;
use std::fmt::Write;

/// What is tried on an example.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExampleKind {
    /// Each command is judged by the guard.
    Commands,
    /// Each line is offered to the traces.
    LogLines,
    /// The files are checked; with a `command` section, its lines go to the guard.
    Case,
}

/// One fenced block under *Caught* or *Passed*.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    pub kind: ExampleKind,
    /// 1-based line of the file where the block's content begins.
    pub line: usize,
    /// Commands, each with its 1-based line in the file. A command that ends in a
    /// backslash, or opens a here-document or quote, goes on in the next lines of a
    /// `case` block's `--- command` section only when that section is `--- command text`.
    pub commands: Vec<(usize, String)>,
    /// Commands that the same session gave before.
    pub before: Vec<String>,
    /// Component and lines.
    pub log: Option<(String, Vec<(usize, String)>)>,
    pub cwd: String,
    /// The state as a casefile in memory: path → text.
    pub files: BTreeMap<String, String>,
}

/// Keys that the state line of a `sh` block knows.
const STATE_KEYS: [&str; 6] = ["cwd", "live-data", "backup", "protected", "dir", "file"];

impl Example {
    /// Reads a block by its info string; an error says what is wrong with it.
    pub fn read(info: &str, text: &str, line: usize) -> Result<Example, String> {
        let text = &filled(text);
        let (kind, rest) = info.split_once(' ').unwrap_or((info, ""));
        match kind {
            "sh" | "bash" => commands(text, line),
            "log" if !rest.trim().is_empty() => Ok(Example {
                log: Some((rest.trim().to_owned(), numbered(text, line))),
                ..empty(ExampleKind::LogLines, line)
            }),
            "log" => Err("a `log` block names its component: ```log postgres".to_owned()),
            "case" => case(text, line),
            other => Err(format!("`{other}` is no kind of example")),
        }
    }
}

/// Longest value that is made up, in characters.
const MADE_CHARS_MAX: usize = 200;

/// A text with its made-up values in place.
fn filled(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{made:") {
        out.push_str(before);
        match after.split_once('}').and_then(|(asked, behind)| Some((made(asked)?, behind))) {
            Some((value, behind)) => {
                out.push_str(&value);
                rest = behind;
            }
            None => {
                out.push_str("{made:");
                rest = after;
            }
        }
    }
    out + rest
}

/// The value that is asked for by its length and, after a colon, a name: the same each time.
fn made(asked: &str) -> Option<String> {
    const SET: &[u8] = b"abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";
    let length: usize = asked.split(':').next()?.parse().ok()?;
    let hash = blake3::Hasher::new().update(asked.as_bytes()).finalize_xof();
    let mut bytes = vec![0; length.min(MADE_CHARS_MAX)];
    std::io::Read::read_exact(&mut { hash }, &mut bytes).ok()?;
    let mut value: Vec<u8> = bytes.iter().map(|b| SET[usize::from(*b) % SET.len()]).collect();
    // A digit and both cases are in every key of some length.
    for (at, one) in value.iter_mut().zip(*b"k7Q") {
        *at = one;
    }
    String::from_utf8(value).ok()
}

fn empty(kind: ExampleKind, line: usize) -> Example {
    Example {
        kind,
        line,
        commands: Vec::new(),
        before: Vec::new(),
        log: None,
        cwd: "/".to_owned(),
        files: BTreeMap::new(),
    }
}

fn numbered(text: &str, line: usize) -> Vec<(usize, String)> {
    text.lines().enumerate().filter(|(_, l)| !l.trim().is_empty()).map(|(i, l)| (line + i, l.to_owned())).collect()
}

fn commands(text: &str, line: usize) -> Result<Example, String> {
    let mut state = State::default();
    let mut example = empty(ExampleKind::Commands, line);
    for (number, l) in numbered(text, line) {
        match l.strip_prefix('#') {
            Some(comment) => state.read(comment)?,
            None => example.commands.push((number, l)),
        }
    }
    example.cwd = state.one("cwd").unwrap_or_else(|| "/".to_owned());
    example.files = state.files();
    Ok(example)
}

fn case(text: &str, line: usize) -> Result<Example, String> {
    let mut example = empty(ExampleKind::Case, line);
    let mut section: Option<String> = None;
    for (index, l) in text.lines().enumerate() {
        if let Some(name) = l.strip_prefix("--- ") {
            let name = name.trim().to_owned();
            if let Some(cwd) = name.strip_prefix("command in ") {
                example.cwd = cwd.trim().to_owned();
            } else if !name.starts_with("command") && name != "before" && !name.starts_with("log ") {
                example.files.insert(name.clone(), String::new());
            }
            section = Some(name);
            continue;
        }
        match section.as_deref() {
            None if l.trim().is_empty() => {}
            None => return Err("a `case` block begins with `--- PATH`".to_owned()),
            Some(name) if name.starts_with("command") => {
                if !l.trim().is_empty() {
                    example.commands.push((line + index, l.to_owned()));
                }
            }
            Some("before") => example.before.extend(Some(l.to_owned()).filter(|l| !l.trim().is_empty())),
            Some(name) => match name.strip_prefix("log ") {
                Some(component) => {
                    let log = example.log.get_or_insert_with(|| (component.trim().to_owned(), Vec::new()));
                    log.1.push((line + index, l.to_owned()));
                }
                None => {
                    if let Some(file) = example.files.get_mut(name) {
                        let _ = writeln!(file, "{l}");
                    }
                }
            },
        }
    }
    Ok(example)
}

/// `key: value` pairs of comment lines, two spaces apart.
#[derive(Default)]
struct State {
    values: Vec<(String, String)>,
}

impl State {
    fn read(&mut self, comment: &str) -> Result<(), String> {
        for part in comment.trim().split("  ").map(str::trim).filter(|p| !p.is_empty()) {
            let Some((key, value)) = part.split_once(": ") else { continue };
            if !STATE_KEYS.contains(&key) {
                return Err(format!("`{key}` is no state; there are `{}`", STATE_KEYS.join("`, `")));
            }
            self.values.extend(value.split(',').map(|v| (key.to_owned(), v.trim().to_owned())));
        }
        Ok(())
    }

    fn one(&self, key: &str) -> Option<String> {
        self.all(key).next().map(str::to_owned)
    }

    fn all<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a str> {
        self.values.iter().filter(move |(k, _)| k == key).map(|(_, v)| v.as_str())
    }

    /// The state as files of a casefile: a running container for each live directory.
    fn files(&self) -> BTreeMap<String, String> {
        let mut files = BTreeMap::new();
        let containers: Vec<String> = self
            .all("live-data")
            .enumerate()
            .map(|(i, path)| {
                let name = path.rsplit('/').next().unwrap_or("data");
                format!(
                    r#"{{"Id":"{i:064x}","Name":"/{name}","Created":"2026-01-01T00:00:00Z","State":{{"Status":"running","Pid":{pid},"StartedAt":"2026-01-01T00:00:01Z"}},"Config":{{"Image":"{name}:1","Env":[],"Labels":{{}}}},"HostConfig":{{}},"Mounts":[{{"Type":"bind","Source":"{path}","Destination":"/data","RW":true}}],"NetworkSettings":{{"Networks":{{}}}}}}"#,
                    pid = 100 + i,
                )
            })
            .collect();
        files.insert("docker/inspect.json".to_owned(), format!("[{}]\n", containers.join(",\n")));
        files.insert("host/tree.tsv".to_owned(), self.tree());
        let list = |key: &str| self.all(key).map(|p| format!("{p:?}")).collect::<Vec<_>>().join(", ");
        let mut config = "schema = \"coroner/casefile/v1\"\ncollected_at = \"2026-01-02T00:00:00Z\"\n".to_owned();
        let _ = writeln!(config, "[protect]\npaths = [{}]", list("protected"));
        for path in self.all("backup") {
            let _ = writeln!(config, "[[backups]]\nname = \"example\"\nglob = \"{path}\"");
        }
        files.insert("casefile.toml".to_owned(), config);
        files
    }

    /// Every path of the state and its parents, as `host/tree.tsv`.
    fn tree(&self) -> String {
        let mut paths: BTreeMap<String, char> = BTreeMap::new();
        for (key, path) in &self.values {
            let kind = if matches!(key.as_str(), "file" | "backup") { 'f' } else { 'd' };
            paths.insert(path.trim_end_matches('/').to_owned(), kind);
            let mut at = path.as_str();
            while let Some((parent, _)) = at.rsplit_once('/') {
                if parent.is_empty() {
                    break;
                }
                paths.entry(parent.to_owned()).or_insert('d');
                at = parent;
            }
        }
        let mut out = "type\tmode\tsize\tpath\n".to_owned();
        for (path, kind) in paths {
            let mode = if kind == 'd' { "0755" } else { "0644" };
            let _ = writeln!(out, "{kind}\t{mode}\t4096\t{path}");
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn state_of_a_command_becomes_a_casefile() {
        let e = Example::read(
            "sh",
            "# cwd: /srv/src   live-data: /opt/app/.data/pg, /opt/app/.data/redis\nrm -rf /opt/app\n",
            10,
        )
        .unwrap();
        assert_eq!(e.cwd, "/srv/src");
        assert_eq!(e.commands, [(11, "rm -rf /opt/app".to_owned())]);
        assert!(e.files["docker/inspect.json"].contains("/opt/app/.data/redis"));
        assert!(e.files["host/tree.tsv"].contains("d\t0755\t4096\t/opt/app/.data\n"));
        assert!(Example::read("sh", "# nonsense: x\n", 1).is_err());
    }

    #[test]
    fn a_case_holds_files_and_commands() {
        let e = Example::read(
            "case",
            "--- files/opt/a/compose.yml\nservices: {}\n--- command in /opt/a\ndocker restart x\n",
            1,
        )
        .unwrap();
        assert_eq!(e.files["files/opt/a/compose.yml"], "services: {}\n");
        assert_eq!((e.cwd.as_str(), e.commands.len()), ("/opt/a", 1));
    }
}
