//! Tools that a server of somebody else's offers: what name, verb and arguments say is put as the command that does
//! the same, so that one model judges both.

use serde_json::Value;

use super::tool::{Action, absolute, quote};

/// Longest text of an argument that is taken over, in bytes.
const TEXT_BYTES_MAX: usize = 1024 * 1024;
/// Most items of a list that are taken over.
const ITEMS_MAX: usize = 200;

/// The agents' own tools whose names sound like harm and do none to anything but the session itself.
const OF_THE_SESSION: &[&str] = &[
    "killshell",
    "killbash",
    "bashoutput",
    "taskstop",
    "taskupdate",
    "todowrite",
    "crondelete",
    "teamdelete",
    "exitplanmode",
    "stopbash",
    "killterminal",
    "kill_session",
    "close_terminal",
];

/// Verbs after which nothing is lost, wherever danger is mentioned behind them.
const READS: &[&str] = &[
    "list",
    "get",
    "search",
    "describe",
    "read",
    "find",
    "show",
    "view",
    "count",
    "check",
    "status",
    "inspect",
    "lookup",
    "browse",
    "preview",
    "explain",
    "validate",
    "lint",
    "diff",
    "compare",
    "analyze",
    "analyse",
    "help",
    "info",
    "stat",
    "exists",
    "watch",
    "tail",
    "logs",
    "resolve",
    "grep",
    "glob",
    "head",
    "ls",
    "download",
    "export",
    "plan",
    "suggest",
    "summarize",
    "ask",
    "generate",
    "is",
    "has",
    "can",
];
/// Verbs that make or change something and take nothing away.
const MAKES: &[&str] = &[
    "create", "add", "insert", "write", "update", "edit", "set", "open", "start", "send", "post", "comment", "upload",
    "append", "assign", "enable", "save", "submit", "click", "type", "navigate", "undelete", "restore", "unset",
    "cancel",
];
/// Verbs that take something away.
const DESTROYS: &[&str] = &[
    "delete",
    "drop",
    "remove",
    "purge",
    "truncate",
    "destroy",
    "reset",
    "terminate",
    "wipe",
    "erase",
    "flush",
    "kill",
    "prune",
    "empty",
    "unlink",
    "rm",
    "rmdir",
    "del",
    "uninstall",
    "revoke",
    "nuke",
    "deprovision",
    "decommission",
];
/// Small things that are put on again as easily as they are taken off.
const SMALL: &[&str] = &[
    "label",
    "labels",
    "reaction",
    "reactions",
    "assignee",
    "assignees",
    "reviewer",
    "reviewers",
    "filter",
    "filters",
    "selection",
    "highlight",
    "highlights",
    "breakpoint",
    "breakpoints",
    "bookmark",
    "zoom",
    "view",
    "viewport",
    "cursor",
    "timer",
    "todo",
    "todos",
    "star",
    "watch",
    "notification",
    "notifications",
    "subscription",
    "focus",
    "hover",
    "layout",
    "context",
    "conversation",
    "tab",
    "browser",
    "cell",
    "vote",
    "pin",
    "duplicates",
    "background",
    "whitespace",
    "comments",
    "formatting",
];

/// A call of a tool, taken apart.
struct Call<'i> {
    /// Words of the whole name, server included.
    all: Vec<String>,
    /// Words of the tool's own name.
    own: Vec<String>,
    input: &'i Value,
    cwd: &'i str,
}

/// What a foreign tool amounts to; `None` where its name says nothing.
pub(super) fn action(tool: &str, input: &Value, cwd: &str) -> Option<Action> {
    let lower = tool.to_ascii_lowercase();
    if OF_THE_SESSION.contains(&lower.as_str()) {
        return None;
    }
    let call = Call { all: words(tool), own: words(own_name(tool)), input, cwd };
    if let Some(paths) = call.read_files() {
        return Some(Action::Reads { paths });
    }
    let first = call.own.iter().find(|w| is_verb(w)).map(String::as_str).unwrap_or_default();
    if READS.contains(&first) {
        return call.says_it_reads().then_some(Action::Harmless);
    }
    let command = call
        .shell()
        .or_else(|| call.sql())
        .or_else(|| call.http())
        .or_else(|| call.git())
        .or_else(|| call.cluster())
        .or_else(|| call.container())
        .or_else(|| call.data())
        .or_else(|| call.files());
    if let Some(command) = command {
        return Some(Action::Command(call.in_place(command)));
    }
    let destroys = DESTROYS.contains(&first) && !call.own.iter().any(|w| SMALL.contains(&w.as_str()));
    destroys.then(|| Action::Remote { tool: tool.to_owned(), verb: first.to_owned(), target: call.target() })
}

fn is_verb(word: &str) -> bool {
    READS.contains(&word) || MAKES.contains(&word) || DESTROYS.contains(&word)
}

/// The tool's own name behind that of its server, where the spelling tells them apart.
fn own_name(tool: &str) -> &str {
    if let Some((_, own)) = tool.rsplit_once("__") {
        return own;
    }
    if let Some((_, own)) = tool.rsplit_once(['.', '/', ':']) {
        return own;
    }
    // `server-some_tool`: what follows the last dash is a name of several words.
    match tool.rsplit_once('-') {
        Some((_, own)) if own.contains('_') || own.chars().skip(1).any(|c| c.is_ascii_uppercase()) => own,
        _ => tool,
    }
}

/// `deleteFile`, `delete-file` and `delete_file` alike; what marks a foreign tool is left out.
fn words(name: &str) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let chars: Vec<char> = name.chars().collect();
    let mut word = String::new();
    for (at, c) in chars.iter().enumerate() {
        if !c.is_ascii_alphanumeric() {
            out.extend((!word.is_empty()).then(|| std::mem::take(&mut word)));
            continue;
        }
        let before = at.checked_sub(1).map(|b| chars[b]);
        let next = chars.get(at + 1);
        let begins = c.is_ascii_uppercase()
            && (before.is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
                || before.is_some_and(|b| b.is_ascii_uppercase()) && next.is_some_and(char::is_ascii_lowercase));
        if begins && !word.is_empty() {
            out.push(std::mem::take(&mut word));
        }
        word.push(c.to_ascii_lowercase());
    }
    out.extend((!word.is_empty()).then_some(word));
    out.retain(|w| w != "mcp");
    out
}

impl Call<'_> {
    fn has(&self, words: &[&str]) -> bool {
        self.own.iter().any(|w| words.contains(&w.as_str()))
    }

    fn anywhere(&self, words: &[&str]) -> bool {
        self.all.iter().any(|w| words.contains(&w.as_str()))
    }

    fn text(&self, keys: &[&str]) -> Option<String> {
        let value = keys.iter().find_map(|key| self.input.get(*key))?;
        match value {
            Value::String(text) if !text.is_empty() && text.len() <= TEXT_BYTES_MAX => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }

    /// Texts under a key, one or a list of them.
    fn texts(&self, keys: &[&str]) -> Vec<String> {
        let listed = keys.iter().find_map(|key| self.input.get(*key)?.as_array());
        match listed {
            Some(all) => all.iter().filter_map(Value::as_str).take(ITEMS_MAX).map(str::to_owned).collect(),
            None => self.text(keys).into_iter().collect(),
        }
    }

    fn is_set(&self, keys: &[&str]) -> bool {
        keys.iter().any(|key| match self.input.get(*key) {
            Some(Value::Bool(set)) => *set,
            Some(Value::String(text)) => text.eq_ignore_ascii_case("true"),
            _ => false,
        })
    }

    /// What the arguments name, for a person to read.
    fn target(&self) -> String {
        let keys = ["name", "id", "path", "key", "table", "collection", "database", "branch", "resource", "uri", "url"];
        let named = self.text(&keys).or_else(|| {
            let object = self.input.as_object()?;
            object
                .iter()
                .find(|(key, value)| {
                    value.is_string() && (key.ends_with("id") || key.ends_with("name") || key.ends_with("Id"))
                })
                .and_then(|(_, v)| v.as_str().map(str::to_owned))
        });
        let noun = self.own.iter().filter(|w| !is_verb(w)).cloned().collect::<Vec<_>>().join(" ");
        [Some(noun).filter(|n| !n.is_empty()), named].into_iter().flatten().collect::<Vec<_>>().join(" ")
    }

    /// Of a tool that only reads: an agent's own tool of that name keeps its own rules.
    fn says_it_reads(&self) -> bool {
        !self.has(&["file", "files"]) || self.input.get("owner").is_some()
    }

    fn is_remote(&self) -> bool {
        self.input.get("owner").is_some() && self.input.get("repo").is_some()
            || self.input.get("project_id").is_some() && self.anywhere(&["gitlab"])
    }

    fn read_files(&self) -> Option<Vec<String>> {
        let reads = self.own.first().is_some_and(|w| w == "read" || w == "view" || w == "cat")
            && self.has(&["file", "files", "cat"])
            && !self.is_remote();
        let paths = if reads { self.paths(&["path", "file_path", "filePath", "paths", "file"]) } else { Vec::new() };
        (!paths.is_empty()).then_some(paths)
    }

    fn paths(&self, keys: &[&str]) -> Vec<String> {
        keys.iter().flat_map(|key| self.texts(&[*key])).map(|path| absolute(self.cwd, &path)).collect()
    }

    /// The command in the folder that the arguments name.
    fn in_place(&self, command: String) -> String {
        match self.text(&[
            "cwd",
            "workdir",
            "working_directory",
            "workingDirectory",
            "working_dir",
            "directory",
            "repo_path",
            "repoPath",
        ]) {
            Some(folder) => format!("cd {} && {command}", quote(&folder)),
            None => command,
        }
    }

    /// Tools that run shell text or a program's.
    fn shell(&self) -> Option<String> {
        let runs = self.has(&["bash", "shell", "sh", "zsh", "terminal", "exec", "ssh", "powershell"])
            || self.has(&["run", "execute", "start", "spawn", "launch"])
                && self.has(&["command", "commands", "cmd", "script", "process", "program"])
            || self.own == ["command"]
            || self.own == ["run"]
            || self.own == ["execute"];
        if self.has(&["python", "ipython", "jupyter"])
            && self.has(&["run", "execute", "exec", "eval", "code", "python"])
        {
            let code = self.text(&["code", "script", "source", "python"])?;
            return Some(format!("python3 -c {}", quote(&code)));
        }
        if !runs {
            return None;
        }
        let mut command = match self.input.get("command").and_then(Value::as_array) {
            Some(words) => {
                let words: Option<Vec<&str>> = words.iter().map(Value::as_str).collect();
                words?.iter().map(|w| quote(w)).collect::<Vec<_>>().join(" ")
            }
            None => self.texts(&["command", "cmd", "commands", "script", "shell_command", "commandLine"]).join("\n"),
        };
        if command.is_empty() {
            return None;
        }
        for argument in self.texts(&["args", "arguments"]) {
            command.push(' ');
            command.push_str(&quote(&argument));
        }
        match self.text(&["host", "hostname", "server"]) {
            Some(host) if self.anywhere(&["ssh", "remote"]) => {
                Some(format!("ssh {} {}", quote(&host), quote(&command)))
            }
            _ => Some(command),
        }
    }

    /// Tools that hand SQL to a database.
    fn sql(&self) -> Option<String> {
        let hands = [
            "sql",
            "query",
            "queries",
            "execute",
            "exec",
            "run",
            "migration",
            "statement",
            "ddl",
            "dml",
            "psql",
            "mutate",
        ];
        if !self.has(&hands) {
            return None;
        }
        let texts = self.texts(&["sql", "query", "queries", "statement", "statements", "sql_query", "sqlQuery", "ddl"]);
        let text = texts.join(";\n");
        is_sql(&text).then(|| self.to_database(&text))
    }

    /// A statement as the client of the database would be given it.
    fn to_database(&self, statement: &str) -> String {
        let statement = quote(statement);
        let address =
            self.text(&["connection_string", "connectionString", "database_url", "databaseUrl", "dsn", "url", "uri"]);
        let address = address.filter(|address| address.contains("://"));
        let name = self.text(&["database", "db", "database_name", "dbName", "databaseName"]);
        if self.anywhere(&["mysql", "mariadb"]) {
            let name = name.map(|name| format!(" {}", quote(&name))).unwrap_or_default();
            return format!("mysql{name} -e {statement}");
        }
        if self.anywhere(&["sqlite", "sqlite3"]) {
            let file =
                self.text(&["db_path", "dbPath", "path", "file"]).or(name).unwrap_or_else(|| "database.db".to_owned());
            return format!("sqlite3 {} {statement}", quote(&file));
        }
        match (address, name) {
            (Some(address), _) => format!("psql {} -c {statement}", quote(&address)),
            (None, Some(name)) => format!("psql -d {} -c {statement}", quote(&name)),
            (None, None) => format!("psql -c {statement}"),
        }
    }

    /// Tools that send a request.
    fn http(&self) -> Option<String> {
        if !self.anywhere(&["http", "https", "fetch", "request", "rest", "api", "curl", "webhook"]) {
            return None;
        }
        let url = self.text(&["url", "uri", "endpoint"])?;
        let by_name = self.own.iter().find(|w| ["delete", "post", "put", "patch"].contains(&w.as_str())).cloned();
        let method = self.text(&["method", "verb", "http_method"]).or(by_name)?.to_ascii_uppercase();
        if !["DELETE", "POST", "PUT", "PATCH"].contains(&method.as_str()) {
            return None;
        }
        let body = ["body", "data", "json", "payload"].iter().find_map(|key| self.input.get(*key));
        let body = body.map(|body| body.as_str().map_or_else(|| body.to_string(), str::to_owned));
        let body = body.filter(|b| !b.is_empty() && b.len() <= TEXT_BYTES_MAX);
        let body = body.map(|body| format!(" -d {}", quote(&body))).unwrap_or_default();
        Some(format!("curl -X {method} {}{body}", quote(&url)))
    }

    /// Tools of git and of its forges.
    fn git(&self) -> Option<String> {
        let branch = || {
            self.text(&["branch", "branch_name", "branchName", "ref", "name"])
                .map(|b| b.trim_start_matches("refs/heads/").to_owned())
        };
        let repository = || Some(format!("{}/{}", self.text(&["owner"])?, self.text(&["repo"])?));
        let forced = self.is_set(&["force", "force_push", "forcePush"]);
        let deletes = self.has(&["delete", "remove", "destroy"]);
        if self.is_remote() {
            let repository = repository().unwrap_or_default();
            return match () {
                () if deletes && self.has(&["branch", "ref", "reference", "tag"]) => {
                    let kind = if self.has(&["tag"]) { "tags" } else { "heads" };
                    Some(format!(
                        "gh api -X DELETE {}",
                        quote(&format!("repos/{repository}/git/refs/{kind}/{}", branch().unwrap_or_default()))
                    ))
                }
                () if deletes && self.has(&["repo", "repository"]) => {
                    Some(format!("gh repo delete {} --yes", quote(&repository)))
                }
                () if forced && self.has(&["push", "update", "ref", "branch", "files"]) => {
                    Some(format!("git push --force origin {}", quote(&branch().unwrap_or_else(|| "main".to_owned()))))
                }
                () if self.has(&["merge"]) && self.is_set(&["admin", "bypass"]) => {
                    let number = self.text(&["pull_number", "pullNumber", "number"]).unwrap_or_default();
                    Some(format!("gh pr merge {} --admin", quote(&number)))
                }
                () => None,
            };
        }
        if !self.anywhere(&["git"]) {
            return None;
        }
        let hard = || {
            self.text(&["mode", "type"]).is_some_and(|mode| mode.trim_start_matches('-') == "hard")
                || self.is_set(&["hard"])
        };
        match () {
            () if self.has(&["push"]) && forced => {
                Some(format!("git push --force origin {}", quote(&branch().unwrap_or_else(|| "HEAD".to_owned()))))
            }
            () if self.has(&["push"]) && self.is_set(&["delete"]) => {
                Some(format!("git push origin --delete {}", quote(&branch()?)))
            }
            () if self.has(&["reset"]) && hard() => Some("git reset --hard".to_owned()),
            () if self.has(&["reset"]) => Some("git reset".to_owned()),
            () if self.has(&["clean"]) => Some("git clean -fd".to_owned()),
            () if self.has(&["stash"]) && self.has(&["drop", "clear"]) => Some("git stash clear".to_owned()),
            () if self.has(&["branch"]) && (deletes || self.is_set(&["delete"])) => {
                Some(format!("git branch -D {}", quote(&branch()?)))
            }
            () if self.has(&["commit"]) && self.is_set(&["no_verify", "noVerify", "skip_hooks"]) => {
                Some("git commit --no-verify -m x".to_owned())
            }
            () => None,
        }
    }

    /// Tools of a cluster.
    fn cluster(&self) -> Option<String> {
        if !self.anywhere(&["kubectl", "kubernetes", "k8s", "kube"]) {
            return None;
        }
        if let Some(command) = self.text(&["command"]).filter(|command| command.contains(' ')) {
            return Some(if command.starts_with("kubectl") { command } else { format!("kubectl {command}") });
        }
        let deletes =
            self.has(&["delete", "remove"]) || self.text(&["command", "operation"]).as_deref() == Some("delete");
        if !deletes {
            return None;
        }
        let of_name = || self.own.iter().find(|w| !is_verb(w) && *w != "kubectl" && *w != "resource").cloned();
        let kind = self.text(&["resourceType", "resource_type", "kind", "resource"]).or_else(of_name)?;
        let name = self.text(&["name", "resource_name", "resourceName", "pod", "namespace_name"]);
        let name = name
            .or_else(|| if kind == "namespace" { self.text(&["namespace"]) } else { None })
            .unwrap_or_else(|| "--all".to_owned());
        let space = self.text(&["namespace"]).filter(|space| *space != name);
        let space = space.map(|space| format!(" -n {}", quote(&space))).unwrap_or_default();
        Some(format!("kubectl delete {} {}{space}", quote(&kind), quote(&name)))
    }

    /// Tools of a container engine.
    fn container(&self) -> Option<String> {
        if !self.anywhere(&["docker", "podman", "compose"])
            && !self.has(&["container", "containers", "volume", "volumes"])
        {
            return None;
        }
        let name = || {
            let keys = [
                "container",
                "container_id",
                "containerId",
                "volume",
                "volume_name",
                "volumeName",
                "name",
                "id",
                "image",
            ];
            self.text(&keys).map(|name| quote(&name))
        };
        let removes = self.has(&["remove", "delete", "rm", "destroy"]);
        match () {
            () if self.has(&["prune"]) && self.has(&["volume", "volumes"]) => {
                Some("docker volume prune -af".to_owned())
            }
            () if self.has(&["prune"]) => Some("docker system prune -af".to_owned()),
            () if self.has(&["down"]) && self.is_set(&["volumes", "remove_volumes", "removeVolumes"]) => {
                Some("docker compose down -v".to_owned())
            }
            () if self.has(&["down"]) => Some("docker compose down".to_owned()),
            () if removes && self.has(&["volume", "volumes"]) => Some(format!("docker volume rm {}", name()?)),
            () if removes && self.has(&["image", "images"]) => Some(format!("docker rmi {}", name()?)),
            () if removes && self.has(&["container", "containers"]) => Some(format!("docker rm -f {}", name()?)),
            () if self.has(&["stop", "kill"]) => Some(format!("docker stop {}", name()?)),
            () if self.has(&["restart"]) => Some(format!("docker restart {}", name()?)),
            () => None,
        }
    }

    /// Tools that take data away by its name.
    fn data(&self) -> Option<String> {
        if self.has(&["flush", "flushall", "flushdb"]) && self.anywhere(&["redis", "valkey", "cache"]) {
            return Some("redis-cli flushall".to_owned());
        }
        let named = |keys: &[&str]| self.text(keys).map(|name| identifier(&name));
        let destroys = self.has(&["drop", "delete", "remove", "destroy", "purge", "wipe", "reset"]);
        let rows = self.has(&["rows", "row", "records", "record", "many", "documents"]);
        let table =
            || named(&["table", "table_name", "tableName", "collection", "collection_name", "collectionName", "name"]);
        if self.has(&["truncate"]) {
            return Some(self.to_database(&format!("TRUNCATE {}", table()?)));
        }
        if destroys && rows && self.anywhere(&["table", "collection", "many", "rows", "records", "documents"]) {
            let filter =
                ["filter", "where", "condition", "query", "ids", "id"].iter().find_map(|key| self.input.get(*key));
            let all = match filter {
                None | Some(Value::Null) => true,
                Some(Value::String(text)) => text.trim().is_empty(),
                Some(Value::Object(map)) => map.is_empty(),
                Some(Value::Array(list)) => list.is_empty(),
                Some(_) => false,
            };
            let condition = if all { "" } else { " WHERE id = 1" };
            return Some(self.to_database(&format!("DELETE FROM {}{condition}", table()?)));
        }
        let kind = match () {
            () if self.has(&["database", "databases", "db"]) => "DATABASE",
            () if self.has(&["schema"]) => "SCHEMA",
            () if self.has(&["table", "tables", "collection", "collections"]) => "TABLE",
            () => return None,
        };
        if !destroys {
            return None;
        }
        let name = match kind {
            "DATABASE" => named(&["database", "db", "database_name", "databaseName", "name"]),
            "SCHEMA" => named(&["schema", "schema_name", "name"]),
            _ => table(),
        };
        Some(self.to_database(&format!("DROP {kind} {}", name.unwrap_or_else(|| "unnamed".to_owned()))))
    }

    /// Tools on files of this host.
    fn files(&self) -> Option<String> {
        if self.is_remote() {
            return None;
        }
        let things = [
            "file",
            "files",
            "directory",
            "directories",
            "dir",
            "folder",
            "path",
            "paths",
            "rm",
            "rmdir",
            "unlink",
            "tree",
        ];
        let from = || self.text(&["source", "src", "from", "old_path", "oldPath", "source_path", "sourcePath"]);
        let to =
            || self.text(&["destination", "dest", "dst", "to", "new_path", "newPath", "target", "destination_path"]);
        if self.has(&["move", "rename", "mv"])
            && self.has(&["file", "files", "directory", "folder", "path", "mv", "move"])
        {
            return Some(format!("mv {} {}", quote(&absolute(self.cwd, &from()?)), quote(&absolute(self.cwd, &to()?))));
        }
        if self.has(&["copy", "cp"]) && self.has(&things) {
            return Some(format!(
                "cp -r {} {}",
                quote(&absolute(self.cwd, &from()?)),
                quote(&absolute(self.cwd, &to()?))
            ));
        }
        let removes = self.has(&["delete", "remove", "rm", "rmdir", "unlink", "erase", "destroy", "wipe", "trash"]);
        let paths = self.paths(&[
            "path",
            "paths",
            "file_path",
            "filePath",
            "file",
            "files",
            "directory",
            "dir",
            "folder",
            "target_file",
        ]);
        (removes && self.has(&things) && !paths.is_empty()).then(|| {
            let words: Vec<String> = paths.iter().map(|path| quote(path)).collect();
            format!("rm -rf {}", words.join(" "))
        })
    }
}

/// A name as SQL takes it.
fn identifier(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_.".contains(c);
    if !name.is_empty() && name.chars().all(plain) { name.to_owned() } else { format!("\"{}\"", name.replace('"', "")) }
}

/// Whether a text begins as a statement does; a question in words is none.
fn is_sql(text: &str) -> bool {
    let mut rest = text.trim_start();
    while rest.starts_with("--") || rest.starts_with("/*") {
        let end =
            if rest.starts_with("--") { rest.find('\n').map(|at| at + 1) } else { rest.find("*/").map(|at| at + 2) };
        match end {
            Some(end) => rest = rest[end..].trim_start(),
            None => return false,
        }
    }
    let first: String = rest.chars().take_while(char::is_ascii_alphabetic).collect();
    [
        "select", "insert", "update", "delete", "drop", "truncate", "alter", "create", "with", "begin", "grant",
        "revoke", "replace", "merge", "do", "call", "set", "vacuum", "reindex", "pragma", "start",
    ]
    .contains(&first.to_ascii_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn shell(tool: &str, input: &Value) -> Option<String> {
        match action(tool, input, "/srv/app")? {
            Action::Command(command) => Some(command),
            _ => None,
        }
    }

    #[test]
    fn names_are_read_in_every_spelling() {
        for tool in [
            "mcp__fs__delete_file",
            "deleteFile",
            "fs-delete_file",
            "mcp_fs_delete_file",
            "fs_delete_file",
            "delete-file",
            "fs.deleteFile",
            "DeleteFile",
        ] {
            assert_eq!(shell(tool, &json!({"path": "a b"})).as_deref(), Some("rm -rf '/srv/app/a b'"), "{tool}");
        }
        for tool in
            ["mcp__pg__execute_sql", "executeSQL", "pg-executeSql", "mcp_pg_execute_sql", "postgres_query", "run-sql"]
        {
            assert_eq!(
                shell(tool, &json!({"query": "DROP TABLE a", "sql": "DROP TABLE a"})).as_deref(),
                Some("psql -c 'DROP TABLE a'"),
                "{tool}"
            );
        }
    }

    #[test]
    fn calls_become_the_command_that_does_the_same() {
        for (tool, input, wanted) in [
            ("mcp__srv__run_command", json!({"command": "rm -rf /x", "cwd": "/y"}), "cd /y && rm -rf /x"),
            ("mcp__shell__exec", json!({"command": ["rm", "-rf", "a b"]}), "rm -rf 'a b'"),
            ("desktop-start_process", json!({"command": "rm", "args": ["-rf", "x"]}), "rm -rf x"),
            ("mcp__ssh__execute", json!({"host": "db1", "command": "reboot"}), "ssh db1 reboot"),
            ("mcp__py__run_python", json!({"code": "x"}), "python3 -c x"),
            (
                "http_request",
                json!({"method": "delete", "url": "https://a.example/x"}),
                "curl -X DELETE https://a.example/x",
            ),
            (
                "mcp__fetch__http_post",
                json!({"url": "https://a.example/x", "body": {"a": 1}}),
                "curl -X POST https://a.example/x -d '{\"a\":1}'",
            ),
            (
                "github-delete_branch",
                json!({"owner": "o", "repo": "r", "branch": "b"}),
                "gh api -X DELETE repos/o/r/git/refs/heads/b",
            ),
            (
                "mcp__github__push_files",
                json!({"owner": "o", "repo": "r", "branch": "main", "force": true}),
                "git push --force origin main",
            ),
            ("mcp__git__git_reset", json!({"repo_path": "/w", "mode": "hard"}), "cd /w && git reset --hard"),
            (
                "mcp__k8s__kubectl_delete",
                json!({"resourceType": "namespace", "name": "prod"}),
                "kubectl delete namespace prod",
            ),
            ("mcp__docker__remove_volume", json!({"volume": "pg"}), "docker volume rm pg"),
            (
                "mcp__mongo__drop-collection",
                json!({"database": "shop", "collection": "users"}),
                "psql -d shop -c 'DROP TABLE users'",
            ),
            (
                "mcp__mongo__delete-many",
                json!({"database": "shop", "collection": "users", "filter": {}}),
                "psql -d shop -c 'DELETE FROM users'",
            ),
            ("mcp__mysql__truncate_table", json!({"table": "a"}), "mysql -e 'TRUNCATE a'"),
            ("mcp__fs__move_file", json!({"source": "a", "destination": "/b"}), "mv /srv/app/a /b"),
            ("mcp__redis__flush", json!({}), "redis-cli flushall"),
        ] {
            assert_eq!(shell(tool, &input).as_deref(), Some(wanted), "{tool} {input}");
        }
    }

    #[test]
    fn what_only_sounds_dangerous_is_silent() {
        for (tool, input) in [
            ("mcp__github__list_branches", json!({"owner": "o", "repo": "r"})),
            ("mcp__github__search_code", json!({"query": "DROP TABLE users; rm -rf /"})),
            ("mcp__docs__get_page", json!({"title": "delete everything"})),
            ("mcp__pg__describe_table", json!({"table": "users", "note": "truncate"})),
            ("listDeletedFiles", json!({"path": "/etc"})),
            ("KillShell", json!({"shell_id": "1"})),
            ("mcp__github__remove_label", json!({"owner": "o", "repo": "r", "label": "x"})),
            ("mcp__slack__post_message", json!({"text": "please delete the database"})),
            ("mcp__github__create_issue", json!({"title": "drop database", "body": "rm -rf /"})),
            ("mcp__ai__query", json!({"query": "how do I delete a table?"})),
            ("http_request", json!({"method": "GET", "url": "https://a.example/delete"})),
            ("fetch", json!({"url": "https://a.example/delete", "prompt": "drop"})),
            ("Task", json!({"prompt": "delete the old files", "subagent_type": "x"})),
            ("mcp__browser__navigate", json!({"url": "https://a.example/remove"})),
            ("mcp__trash__restore_file", json!({"path": "/a"})),
            ("WebSearch", json!({"query": "drop database postgres"})),
        ] {
            let got = action(tool, &input, "/srv/app");
            assert!(matches!(got, None | Some(Action::Harmless)), "{tool} {input}: {got:?}");
        }
    }

    #[test]
    fn other_losses_are_a_persons_to_decide() {
        for (tool, input) in [
            ("mcp__cloud__terminate_instance", json!({"instance_id": "i-1"})),
            ("mcp__notion__delete_workspace", json!({"id": "1"})),
            ("mcp__s3__purge_bucket", json!({"name": "b"})),
            ("mcp__x__destroyEnvironment", json!({"name": "prod"})),
            ("mcp__github__delete_file", json!({"owner": "o", "repo": "r", "path": "a"})),
        ] {
            assert!(matches!(action(tool, &input, "/srv/app"), Some(Action::Remote { .. })), "{tool}");
        }
    }
}
