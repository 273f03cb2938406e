//! Sources and destinations: a path here, or one on another host.

use std::fmt;

/// Where a tree lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    Local(String),
    /// Reached by a remote shell (`host:path`) or a daemon (`host::module/path`, `rsync://…`).
    Remote {
        host: String,
        path: String,
        daemon: bool,
    },
}

impl Place {
    /// Understands one argument: a colon before the first slash leads to a host.
    pub fn new(argument: &str) -> Place {
        let scheme = argument.get(..8).filter(|start| start.eq_ignore_ascii_case("rsync://"));
        if let Some(start) = scheme {
            let rest = &argument[start.len()..];
            let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
            return Place::Remote { host: host.to_owned(), path: path.to_owned(), daemon: true };
        }
        // The colons of an IPv6 address in brackets are its own.
        let address = argument.find('[').filter(|at| *at == 0 || argument[..*at].ends_with('@'));
        let from = address.and_then(|_| argument.find(']')).unwrap_or(0);
        let Some(colon) = argument[from..].find(':').map(|at| at + from) else {
            return Place::Local(argument.to_owned());
        };
        if argument[..colon].contains('/') {
            return Place::Local(argument.to_owned());
        }
        let path = &argument[colon + 1..];
        let (path, daemon) = path.strip_prefix(':').map_or((path, false), |path| (path, true));
        Place::Remote { host: argument[..colon].to_owned(), path: path.to_owned(), daemon }
    }

    /// The path without its host.
    pub fn path(&self) -> &str {
        match self {
            Place::Local(path) | Place::Remote { path, .. } => path,
        }
    }

    /// What stands before the path: nothing, or the host and its colon.
    pub(super) fn host_prefix(&self) -> String {
        match self {
            Place::Local(_) => String::new(),
            Place::Remote { host, daemon: false, .. } => format!("{host}:"),
            Place::Remote { host, daemon: true, .. } => format!("{host}::"),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.host_prefix(), self.path())
    }
}
