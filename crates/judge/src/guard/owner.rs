//! Trees that would change hands, against what in them is another's on purpose.

use coroner_model::effect::{Circumstance, Effect, EffectKind, TargetClass};

use super::tool::absolute;
use super::view::{View, told};
use super::{Judged, Story};
use crate::detect::credential::is_server_image;
use crate::effect::{Hit, Ownership, Planned};

/// A path in the tree that should keep its owner or mode.
struct Exception {
    path: String,
    why: String,
}

impl View<'_> {
    pub(super) fn ownership(&self, planned: &Planned, change: &Ownership) -> Vec<Judged> {
        let mut effect = Effect::new(planned.kind, change.paths.path.show(), &planned.program);
        if change.recursive {
            effect.add_circumstance(Circumstance::Recursive);
        }
        let Some(paths) = self.on_this_host(&change.paths) else { return vec![told(effect)] };
        let mut story = Story {
            would: format!("make everything under {} {}", paths.path.show(), change.to),
            why: "A server does not start on files that are not its own.".into(),
            ..Story::default()
        };
        if change.recursive && paths.filter.is_none() {
            let whole = ["/", "/etc", "/usr", "/bin", "/var", "/home", "/opt", "/root", "/lib"];
            if whole.iter().any(|top| paths.hits(top, &[]) == Some(Hit::Whole)) {
                effect.add_class(TargetClass::System);
                story.lines.push(format!("{}  what the host lives on", paths.path.show()));
            }
        }
        if planned.kind == EffectKind::ChangeMode && opens_to_all(&change.to) {
            self.opens(change, &paths, &mut effect, &mut story);
        }
        self.locks_out(planned.kind, change, &paths, &mut effect, &mut story);
        let crossed: Vec<Exception> = self
            .exceptions(planned.kind, change)
            .into_iter()
            .filter(|e| paths.hits(&e.path, &[]).is_some_and(|hit| change.recursive || hit == Hit::Whole))
            .collect();
        if !crossed.is_empty() {
            effect.add_circumstance(Circumstance::CrossesException);
            story.lines.extend(crossed.iter().take(4).map(|e| format!("{}  {}", e.path, e.why)));
            // What opens the rest of the tree to everybody is no remedy either.
            let opens = planned.kind == EffectKind::ChangeMode && opens_to_all(&change.to);
            story.instead.extend(self.without(change, &crossed).filter(|_| !opens));
            for exception in &crossed {
                story
                    .evidence
                    .extend(self.live.iter().filter(|l| l.path == exception.path).filter_map(|l| l.cited.clone()));
                story.evidence.extend(self.scene.paths.get(&exception.path).and_then(|s| s.at.clone()));
            }
        }
        vec![Judged { effect, story }]
    }

    /// A tree that anybody may write to, or a file that the host trusts.
    fn opens(&self, change: &Ownership, paths: &crate::effect::Paths, effect: &mut Effect, story: &mut Story) {
        let path = paths.path.as_literal().unwrap_or_default();
        let trusted = ["/etc", "/usr", "/bin", "/sbin", "/lib", "/boot", "/root"]
            .iter()
            .any(|top| crate::effect::path::below(path, top).is_some());
        if super::delete::is_scratch(path) {
            effect.add_class(TargetClass::Scratch);
        } else if change.recursive || paths.filter.is_some() || trusted || path == "/" {
            effect.add_circumstance(Circumstance::OpensToAll);
            story.why = "Anybody who gets onto the host can change what runs there.".into();
        }
        if trusted || path == "/" {
            effect.add_class(TargetClass::System);
        }
    }

    /// Keys that everybody may change, and trees that nobody may read any more or that lose their user.
    fn locks_out(
        &self,
        kind: EffectKind,
        change: &Ownership,
        paths: &crate::effect::Paths,
        effect: &mut Effect,
        story: &mut Story,
    ) {
        let path = paths.path.as_literal().unwrap_or_default().trim_end_matches('/');
        let keys = path.split('/').any(|name| matches!(name, ".ssh" | ".gnupg" | ".aws" | ".kube"));
        if kind == EffectKind::ChangeMode && keys && opens_to_all(&change.to) {
            effect.add_class(TargetClass::SecretStore);
            effect.add_circumstance(Circumstance::OpensToAll);
            story.why = "Programs refuse keys that others may change.".into();
        }
        let trusted = ["/etc", "/usr", "/bin"].iter().any(|top| crate::effect::path::below(path, top).is_some());
        let closes = kind == EffectKind::ChangeMode
            && (change.to.chars().all(|c| c == '0')
                || matches!(change.to.as_str(), "a-rwx" | "ugo-rwx" | "-rwx" | "a="));
        let home = self.case.request.env.get("HOME").is_some_and(|home| home == path && home.len() > 1);
        let taken = kind == EffectKind::ChangeOwner && change.recursive && home && change.to.starts_with("root");
        if closes && (change.recursive || trusted) && !super::delete::is_scratch(path) || taken {
            effect.add_class(TargetClass::System);
            story.undecided = Some(format!("who needs {} could not be looked at", paths.path.show()));
        }
    }

    /// Everything that should keep its owner (or mode) when a tree changes to another.
    fn exceptions(&self, kind: EffectKind, change: &Ownership) -> Vec<Exception> {
        let mut all: Vec<Exception> = Vec::new();
        for policy in &self.config.ownership {
            for exception in &policy.exceptions {
                let kept = match kind {
                    EffectKind::ChangeMode => &exception.mode,
                    _ => &exception.owner,
                };
                if kept.is_empty()
                    || same_mode(kept, &change.to)
                    || same_owner(kept, &change.to)
                    || change.from.as_ref().is_some_and(|f| !same_owner(kept, f))
                {
                    continue;
                }
                let path = absolute(&policy.root, exception.path.trim_end_matches('/'));
                all.push(Exception { path, why: format!("kept {kept} by the ownership policy") });
            }
        }
        for live in &self.live {
            if all.iter().any(|e| e.path == live.path) {
                continue;
            }
            let state = self.scene.paths.get(&live.path);
            let owner = state.and_then(|s| Some(format!("{}:{}", s.uid?, s.gid.or(s.uid)?)));
            let named = state
                .and_then(|s| Some(format!("{}:{}", s.user.clone()?, s.group.clone().or_else(|| s.user.clone())?)));
            let unseen = owner.is_none() && named.is_none();
            let given_back = unseen && change.paths.path.as_literal().is_some_and(|p| p == live.path);
            let same =
                given_back || [&owner, &named].iter().any(|o| o.as_ref().is_some_and(|o| same_owner(o, &change.to)));
            let foreign = match (kind, &owner, &named) {
                // The mode of a data directory is its server's affair.
                (EffectKind::ChangeMode, ..) => loosens(&change.to),
                // Nobody saw whose it is: a database server's data belongs to the server, as
                // its image has it, and hardly to whom a whole tree is given.
                (_, None, None) => !same && self.is_database(&live.owner),
                _ => !same && !self.is_policy_owner(&live.path, owner.as_deref(), named.as_deref()),
            };
            if foreign {
                let whose = named.or(owner).map(|o| format!("owned by {o}, ")).unwrap_or_default();
                all.push(Exception { path: live.path.clone(), why: format!("{whose}data of \"{}\"", live.owner) });
            }
        }
        all
    }

    /// Whether a service or container runs a database server, by its image.
    fn is_database(&self, owner: &str) -> bool {
        let running = self.scene.container(owner).map(|c| c.image.as_str());
        let declared = self.scene.projects.iter().find_map(|p| p.service(owner)).map(|s| s.image.as_str());
        running.or(declared).is_some_and(is_server_image)
    }

    /// Whether a path belongs to whom the policy of its tree names.
    fn is_policy_owner(&self, path: &str, owner: Option<&str>, named: Option<&str>) -> bool {
        self.config.ownership.iter().any(|policy| {
            crate::effect::path::below(path, &policy.root).is_some()
                && [owner, named].iter().flatten().any(|o| same_owner(&policy.owner, o))
        })
    }

    /// The same change that leaves the exceptions alone.
    fn without(&self, change: &Ownership, crossed: &[Exception]) -> Option<String> {
        let root = change.paths.path.as_literal()?;
        if crossed.iter().any(|e| crate::effect::path::below(root, &e.path).is_some()) {
            return None;
        }
        let program = if change.to.starts_with(':') {
            "chgrp"
        } else if change.to.chars().next().is_some_and(|c| c.is_ascii_digit() || "ugoa+-=".contains(c))
            && !change.to.contains(':')
        {
            "chmod"
        } else {
            "chown"
        };
        let to = change.to.trim_start_matches(':');
        let prunes: Vec<String> = crossed.iter().map(|e| format!("-path {}", super::tool::quote(&e.path))).collect();
        Some(format!(
            "find {} \\( {} \\) -prune -o -exec {program} {} {{}} +",
            super::tool::quote(root),
            prunes.join(" -o "),
            super::tool::quote(to)
        ))
    }
}

/// Whether two owners are one; a part that one of them leaves out does not differ.
fn same_owner(a: &str, b: &str) -> bool {
    if a == b {
        return true;
    }
    let split = |o: &str| {
        let (user, group) = o.split_once([':', '.']).map_or((o, None), |(u, g)| (u, Some(g)));
        (user.to_owned(), group.filter(|g| !g.is_empty()).map(str::to_owned))
    };
    let ((user_a, group_a), (user_b, group_b)) = (split(a), split(b));
    let users = user_a == user_b || user_b.is_empty();
    users && (group_a.is_none() || group_b.is_none() || group_a == group_b)
}

/// Whether two numeric modes are one: `0600` and `600`.
fn same_mode(a: &str, b: &str) -> bool {
    let number = |mode: &str| u32::from_str_radix(mode, 8).ok();
    number(a).is_some() && number(a) == number(b)
}

/// Whether a mode lets everybody write.
fn opens_to_all(mode: &str) -> bool {
    if !mode.is_empty() && mode.chars().all(|c| c.is_ascii_digit()) {
        let sticky = mode.len() == 4 && mode.starts_with('1');
        return !sticky && mode.chars().last().and_then(|c| c.to_digit(8)).is_some_and(|d| d & 2 != 0);
    }
    mode.split(',').any(|part| {
        let Some(at) = part.find(['+', '=']) else { return false };
        let (who, what) = part.split_at(at);
        (who.contains(['o', 'a'])) && what.contains('w')
    })
}

/// Whether a mode opens a data directory to others, as `777` and `o+w` do.
fn loosens(mode: &str) -> bool {
    // An access list shows as the group's part of the mode, which a database server refuses.
    if mode.starts_with("acl ") {
        return true;
    }
    if mode.chars().all(|c| c.is_ascii_digit()) {
        return mode.chars().last().is_some_and(|c| c != '0');
    }
    mode.split(',').any(|part| {
        let who = part.split(['+', '=', '-']).next().unwrap_or_default();
        part.contains(['+', '=']) && (who.is_empty() || who.contains(['o', 'a'])) && !part.ends_with('X')
    })
}
