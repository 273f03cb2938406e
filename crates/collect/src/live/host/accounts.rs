//! Names of users and groups, from the files that every host has.

use std::collections::BTreeMap;
use std::fs;

use rustix::process::{getegid, geteuid, getgroups};

/// Names by number.
pub(in crate::live) struct Accounts {
    users: BTreeMap<u32, String>,
    groups: BTreeMap<u32, String>,
}

impl Accounts {
    /// Reads `/etc/passwd` and `/etc/group`; what cannot be read has no names.
    pub(in crate::live) fn read() -> Accounts {
        Accounts { users: names("/etc/passwd"), groups: names("/etc/group") }
    }

    /// A user's name, or the number where it has none.
    pub(in crate::live) fn user(&self, id: u32) -> String {
        self.users.get(&id).cloned().unwrap_or_else(|| id.to_string())
    }

    /// A group's name, or the number where it has none.
    pub(in crate::live) fn group(&self, id: u32) -> String {
        self.groups.get(&id).cloned().unwrap_or_else(|| id.to_string())
    }
}

fn names(path: &str) -> BTreeMap<u32, String> {
    let text = fs::read_to_string(path).unwrap_or_default();
    let line = |line: &str| {
        let mut fields = line.split(':');
        let name = fields.next()?.to_owned();
        Some((fields.nth(1)?.parse().ok()?, name))
    };
    text.lines().rev().filter_map(line).collect()
}

/// `id`.
pub(super) fn id() -> String {
    let accounts = Accounts::read();
    let (user, group) = (geteuid().as_raw(), getegid().as_raw());
    let mut groups: Vec<u32> = getgroups().unwrap_or_default().iter().map(|group| group.as_raw()).collect();
    groups.retain(|other| *other != group);
    groups.insert(0, group);
    let groups: Vec<String> = groups.iter().map(|group| format!("{group}({})", accounts.group(*group))).collect();
    format!("uid={user}({}) gid={group}({}) groups={}\n", accounts.user(user), accounts.group(group), groups.join(","))
}
