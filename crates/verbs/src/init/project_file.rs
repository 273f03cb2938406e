//! The commented configuration of a project, as text.

use coroner_judge::found::{Found, Owned};
use coroner_read::config::{Backup, Config, Ownership, OwnershipException, SecretCopies};

/// A text with what it is to mean.
pub(super) struct Written {
    pub(super) text: String,
    /// What the new tables say.
    pub(super) expected: Config,
    /// What belongs into a table that the file has already.
    pub(super) left: Vec<String>,
}

const HEAD: &str =
    "# What Coroner should know of this project. `coroner init` wrote what it saw; change it as you like.
# Everything may be left out: what is not here is looked at anew each time.
";

/// The file: new, or what is there with the tables that it lacks.
pub(super) fn write(found: &Found, agents: &[String], before: Option<&str>) -> Written {
    let has: toml::Table = before.and_then(|text| toml::from_str(text).ok()).unwrap_or_default();
    let mut out = Written { text: before.unwrap_or(HEAD).to_owned(), expected: Config::default(), left: Vec::new() };
    if before.is_none() {
        out.text.push_str(&seen(found, agents));
    }
    let known = before.unwrap_or_default();
    for part in [protect, backups, ownership, secrets, urls, disk] {
        let one = part(found);
        if has.contains_key(one.table) {
            let missing = one.values.iter().filter(|value| !known.contains(value.as_str()));
            out.left.extend(missing.map(|value| format!("[{}] lacks {value}", one.table)));
            continue;
        }
        // A file that was there gets what was seen, and no samples again.
        if before.is_some() && one.values.is_empty() {
            continue;
        }
        if !out.text.ends_with('\n') {
            out.text.push('\n');
        }
        out.text.push('\n');
        out.text.push_str(&one.text);
        (one.mean)(found, &mut out.expected);
    }
    out
}

/// One table.
struct Part {
    table: &'static str,
    text: String,
    values: Vec<String>,
    mean: fn(&Found, &mut Config),
}

/// What has no table, as comments.
fn seen(found: &Found, agents: &[String]) -> String {
    let mut out = String::new();
    for (name, files) in &found.projects {
        out.push_str(&format!("# Compose project {}: {}\n", comment(name), comment(&files.join(", "))));
    }
    if !agents.is_empty() {
        out.push_str(&format!("# Agents here: {}. Let them ask first: coroner init --hooks\n", agents.join(", ")));
    }
    if !found.secret_files.is_empty() {
        out.push_str(&format!("# Files with secrets: {}\n", comment(&found.secret_files.join(", "))));
    }
    out
}

/// Foreign text on one line of a comment.
fn comment(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '?' } else { c }).collect()
}

fn text(value: &str) -> String {
    toml::Value::String(value.to_owned()).to_string()
}

fn list(values: &[String]) -> String {
    match values {
        [] => "[]".to_owned(),
        [one] => format!("[{}]", text(one)),
        many => format!("[\n{}]", many.iter().map(|value| format!("    {},\n", text(value))).collect::<String>()),
    }
}

fn protect(found: &Found) -> Part {
    let head = "# Never to be deleted, beyond what is found by itself.\n[protect]\n";
    let rows: String =
        found.data.iter().map(|(path, whose)| format!("    {}, # {}\n", text(path), comment(whose))).collect();
    let body = match rows.is_empty() {
        true => "# paths = [\"/srv/app/data\"]\npaths = []\n".to_owned(),
        false => format!("paths = [\n{rows}]\n"),
    };
    let values = found.data.iter().map(|(path, _)| path.clone()).collect();
    let mean = |found: &Found, config: &mut Config| {
        config.protect.paths = found.data.iter().map(|(path, _)| path.clone()).collect();
    };
    Part { table: "protect", text: format!("{head}{body}"), values, mean }
}

fn backups(found: &Found) -> Part {
    let head = "# Where backups lie; one table a destination. The age and the size below are off until you set them.\n";
    let table = |(name, glob): &(String, String)| {
        format!(
            "[[backups]]\nname = {}\nglob = {}\n# max_age = \"26h\"\n# min_ratio_to_previous = 0.5\n",
            text(name),
            text(glob)
        )
    };
    let body = match found.backups.is_empty() {
        true => {
            "# [[backups]]\n# name = \"nightly\"\n# glob = \"/srv/backups/*.dump\"\n# max_age = \"26h\"\n".to_owned()
        }
        false => found.backups.iter().map(table).collect(),
    };
    let values = found.backups.iter().map(|(_, glob)| glob.clone()).collect();
    let mean = |found: &Found, config: &mut Config| {
        config.backups = found
            .backups
            .iter()
            .map(|(name, glob)| Backup { name: name.clone(), glob: glob.clone(), ..Backup::default() })
            .collect();
    };
    Part { table: "backups", text: format!("{head}{body}"), values, mean }
}

/// The policy, where the tree is not the administrator's own.
fn policy(found: &Found) -> Option<&Owned> {
    found.ownership.as_ref().filter(|own| !own.owner.starts_with("root:") && !own.owner.starts_with("0:"))
}

fn ownership(found: &Found) -> Part {
    let head =
        "# Whose a tree is, and what in it is another's on purpose; `coroner fix ownership` and the guard go by it.\n";
    let body = match policy(found) {
        None => {
            "# [[ownership]]\n# root = \"/srv/app\"\n# owner = \"app:app\"\n# exceptions = [{ path = \"data/postgres\", owner = \"999:999\" }]\n"
                .to_owned()
        }
        Some(own) => {
            let mode = |mode: &Option<String>| mode.as_ref().map(|m| format!(", mode = {}", text(m))).unwrap_or_default();
            let rows: String = own
                .exceptions
                .iter()
                .map(|(path, owner, m)| format!("    {{ path = {}, owner = {}{} }},\n", text(path), text(owner), mode(m)))
                .collect();
            let rows = if rows.is_empty() { "[]".to_owned() } else { format!("[\n{rows}]") };
            format!("[[ownership]]\nroot = {}\nowner = {}\nexceptions = {rows}\n", text(&own.root), text(&own.owner))
        }
    };
    let values = policy(found).map(|own| own.root.clone()).into_iter().collect();
    let mean = |found: &Found, config: &mut Config| {
        let row = |(path, owner, mode): &(String, String, Option<String>)| OwnershipException {
            path: path.clone(),
            owner: owner.clone(),
            mode: mode.clone().unwrap_or_default(),
        };
        config.ownership = policy(found)
            .map(|own| Ownership {
                root: own.root.clone(),
                owner: own.owner.clone(),
                exceptions: own.exceptions.iter().map(row).collect(),
            })
            .into_iter()
            .collect();
    };
    Part { table: "ownership", text: format!("{head}{body}"), values, mean }
}

fn secrets(found: &Found) -> Part {
    let head = "# Files that hold the same secrets: when one changes, the others must.\n";
    let body = match found.secret_copies.is_empty() {
        true => "# [[secrets]]\n# copies = [\"/srv/app/.env\", \"/etc/app/.env\"]\n".to_owned(),
        false => found.secret_copies.iter().map(|all| format!("[[secrets]]\ncopies = {}\n", list(all))).collect(),
    };
    let values = found.secret_copies.iter().flatten().cloned().collect();
    let mean = |found: &Found, config: &mut Config| {
        config.secrets = found.secret_copies.iter().map(|all| SecretCopies { copies: all.clone() }).collect();
    };
    Part { table: "secrets", text: format!("{head}{body}"), values, mean }
}

fn urls(found: &Found) -> Part {
    let head = "# Addresses that people use, from the proxy's routes.\n[urls]\n";
    let body = format!("public = {}\n", list(&found.urls));
    let mean = |found: &Found, config: &mut Config| config.urls.public.clone_from(&found.urls);
    Part { table: "urls", text: format!("{head}{body}"), values: found.urls.clone(), mean }
}

fn disk(_: &Found) -> Part {
    let text = "# When a disk counts as full, in percent, and what is known to grow.
# [disk]
# warn_percent = 80
# block_percent = 90
# [[disk.needs]]
# match = \"bitcoind\"
# bytes = \"500GB\"
";
    Part { table: "disk", text: text.to_owned(), values: Vec::new(), mean: |_, _| {} }
}

#[cfg(test)]
mod tests {
    use super::*;
    use coroner_read::config;

    fn found() -> Found {
        Found {
            projects: vec![("shop".into(), vec!["/opt/shop/compose.yml".into()])],
            data: vec![("/opt/shop/da\"ta'\\x".into(), "data of \"db\"".into())],
            backups: vec![("nightly".into(), "/srv/backups/*.dump".into())],
            secret_copies: vec![vec!["/opt/shop/.env".into(), "/etc/shop/.env".into()]],
            secret_files: vec!["/opt/shop/.env".into()],
            urls: vec!["https://shop.example.org/".into()],
            ownership: Some(Owned {
                root: "/opt/shop".into(),
                owner: "app:app".into(),
                exceptions: vec![
                    ("data".into(), "999:999".into(), None),
                    ("acme.json".into(), "0:0".into(), Some("0600".into())),
                ],
            }),
        }
    }

    #[test]
    fn what_is_written_reads_back_with_the_same_meaning() {
        for found in [found(), Found::default()] {
            let written = write(&found, &["Claude Code".to_owned()], None);
            assert_eq!(config::read(&written.text).unwrap(), written.expected, "{}", written.text);
            let again = write(&found, &[], Some(&written.text));
            assert_eq!(again.text.trim_end(), written.text.trim_end(), "a second time adds nothing");
            assert!(again.left.is_empty());
        }
    }

    #[test]
    fn a_file_that_is_there_keeps_every_line() {
        let mine = "# mine\n[protect]\npaths = [\"/x\"] # on purpose\n\n[claims.tools]\nfrom = \"tools.json\"";
        let written = write(&found(), &[], Some(mine));
        assert!(written.text.starts_with(mine) && written.text.contains("[[backups]]"), "{}", written.text);
        assert_eq!(config::read(&written.text).unwrap().protect.paths, ["/x"]);
        assert_eq!(written.left.len(), 1, "{:?}", written.left);
    }
}
