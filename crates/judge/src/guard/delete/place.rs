//! Where a path leads on this host: through containers, volumes and links.

use coroner_read::shell::{Part, Word};

use crate::effect::{Extent, Filter, Paths, Place, Planned, host_path};
use crate::guard::need::literal_path;
use crate::guard::tool;
use crate::guard::view::View;

impl View<'_> {
    /// The same paths as this host sees them; `None` for another host or a container's own layer.
    pub(in crate::guard) fn on_this_host(&self, paths: &Paths) -> Option<Paths> {
        let mut here = paths.clone();
        match &paths.place {
            Place::Host => {}
            Place::Remote { .. } => return None,
            Place::Container { name, mounts } => {
                let inside =
                    literal_path(&paths.path).map(str::to_owned).or_else(|| Some(paths.path.prefix().to_owned()))?;
                let mapped = if name.is_empty() {
                    self.volume_path(host_path(mounts, inside.trim_end_matches('/'))?)
                } else {
                    let container = self.scene.container(name)?;
                    let mounted = container.mounts.iter().filter(|m| m.writable).map(|m| {
                        coroner_read::shell::Mounted { source: m.source.clone(), target: m.destination.clone() }
                    });
                    host_path(&mounted.collect::<Vec<_>>(), inside.trim_end_matches('/'))?
                };
                let ends = if inside.ends_with('/') && inside.len() > 1 { "/" } else { "" };
                here.path = with_prefix(&paths.path, format!("{mapped}{ends}"));
                here.place = Place::Host;
            }
        }
        if let Some(path) = here.path.as_literal() {
            let (resolved, is_link) = self.resolve(path);
            here.path = Word::literal(resolved);
            if is_link && here.filter.is_none() {
                // Only the link itself goes.
                here.extent = Extent::Itself;
            }
        } else if let Some((directory, rest)) = here.path.prefix().rsplit_once('/').filter(|(d, _)| !d.is_empty()) {
            // A pattern behind a link matches what the link leads to.
            let (resolved, _) = self.resolve(&format!("{directory}/."));
            let prefix = format!("{}/{rest}", resolved.trim_end_matches("/."));
            if matches!(here.path.parts.first(), Some(Part::Text(_))) {
                here.path = with_prefix(&here.path, prefix);
            }
        }
        Some(here)
    }

    /// The mount point of a volume that a new container is given by name.
    fn volume_path(&self, mapped: String) -> String {
        if mapped.starts_with('/') {
            return mapped;
        }
        let (name, rest) = mapped.split_once('/').unwrap_or((&mapped, ""));
        let found = self.scene.volumes.iter().find(|v| v.name == name).map(|v| v.mountpoint.clone());
        let used = || self.live.iter().find(|l| l.volume.as_deref() == Some(name)).map(|l| l.path.clone());
        let root = found.or_else(used).unwrap_or_else(|| format!("/var/lib/docker/volumes/{name}/_data"));
        if rest.is_empty() { root } else { format!("{root}/{rest}") }
    }

    /// Follows links on the way to a path; also whether the path itself is a link.
    pub(in crate::guard) fn resolve(&self, path: &str) -> (String, bool) {
        let mut out = String::new();
        let names: Vec<&str> = path.split('/').filter(|n| !n.is_empty()).collect();
        for (i, name) in names.iter().enumerate() {
            let next = format!("{out}/{name}");
            let link = self.scene.paths.get(&next).filter(|s| s.kind == Some('l')).and_then(|s| s.link_target.clone());
            let link = link.or_else(|| self.linked(&next));
            match link {
                Some(_) if i + 1 == names.len() => return (next, true),
                Some(target) => out = tool::absolute(if out.is_empty() { "/" } else { &out }, &target),
                None => out = next,
            }
        }
        (if out.is_empty() { "/".to_owned() } else { out }, false)
    }

    /// With a slash behind its name a link is entered, and what it leads to is emptied.
    pub(in crate::guard) fn entered(&self, planned: &Planned, paths: &Paths) -> Option<Paths> {
        let walks = matches!(paths.filter, Some(Filter::Find(_)));
        let path =
            paths.path.as_literal().filter(|_| walks || paths.extent == Extent::Tree && paths.filter.is_none())?;
        let call = self.effects.script.invocations.get(planned.invocation)?;
        let slashed = call
            .argv
            .iter()
            .any(|w| w.suffix().ends_with('/') && coroner_read::shell::join(&call.cwd, w).as_literal() == Some(path));
        let is_link = slashed && self.resolve(path).1;
        if walks {
            let (inside, _) = self.resolve(&format!("{path}/."));
            let path = Word::literal(inside.trim_end_matches("/."));
            return is_link.then(|| Paths { path, ..paths.clone() });
        }
        let inside = Word { parts: vec![Part::Text(format!("{path}/")), Part::Glob("*".into())] };
        is_link.then(|| Paths { path: inside, ..paths.clone() })
    }

    /// Where a link leads that the same text makes with `ln -s`.
    fn linked(&self, path: &str) -> Option<String> {
        self.effects.script.invocations.iter().filter(|call| call.program() == "ln" && call.is_local()).find_map(
            |call| {
                let symbolic = call.argv.iter().any(|w| {
                    let text = w.prefix();
                    text == "--symbolic" || text.starts_with('-') && !text.starts_with("--") && text.contains('s')
                });
                let operands: Vec<&Word> = call.argv[1..].iter().filter(|w| !w.prefix().starts_with('-')).collect();
                let [target, name] = operands.as_slice() else { return None };
                let named = coroner_read::shell::join(&call.cwd, name).as_literal() == Some(path);
                (symbolic && named).then(|| target.as_literal().map(str::to_owned))?
            },
        )
    }
}

fn with_prefix(word: &Word, prefix: String) -> Word {
    let mut parts = word.parts.clone();
    match parts.first_mut() {
        Some(Part::Text(text)) => *text = prefix,
        _ => parts.insert(0, Part::Text(prefix)),
    }
    Word { parts }
}
