//! What a transfer with `--delete` takes at its destination, and the same line without the harm.

use coroner_model::Probe;
use coroner_model::effect::{Circumstance, Effect, TargetClass};
use coroner_read::tree;

use super::Struck;
use crate::effect::path::below;
use crate::effect::{Filter, rsync as transfer};
use crate::guard::Story;
use crate::guard::tool::{quote, quote_always};
use crate::guard::view::View;
use crate::simulate::rsync::{self, RsyncCommand, SourceTree, TreeEntry};

impl View<'_> {
    /// What a transfer would delete, as absolute paths; paths that matter stand in for what no listing shows.
    pub(in crate::guard) fn simulated(&self, command: &RsyncCommand, root: &str) -> Vec<String> {
        let mut entries: Vec<TreeEntry> = self.listed(root).unwrap_or_default();
        let matter = self.live.iter().map(|l| (&l.path, true)).chain(self.scene.protected.iter().map(|p| (p, true)));
        let matter = matter
            .chain(self.config.protect.paths.iter().map(|p| (p, true)))
            .chain(self.backups.files.iter().map(|f| (f, false)));
        for (path, is_dir) in matter {
            let Some(rest) = below(path, root).map(|r| r.trim_start_matches('/')).filter(|r| !r.is_empty()) else {
                continue;
            };
            let mut at = rest;
            let mut directory = is_dir;
            while !at.is_empty() {
                if !entries.iter().any(|e| e.path == at) {
                    entries.push(TreeEntry { path: at.to_owned(), is_dir: directory });
                }
                directory = true;
                at = at.rsplit_once('/').map_or("", |(above, _)| above);
            }
        }
        entries.sort();
        let sources = command.sources.iter().map_while(|source| self.source(command, source)).collect();
        let files = self.answers.iter().filter_map(|(probe, answer)| match (probe, answer) {
            (Probe::File { path }, Ok(documents)) => Some((path.clone(), documents.first()?.text.as_str().to_owned())),
            _ => None,
        });
        let sides = transfer::Sides { files: files.collect(), sources, destination: Some(entries) };
        transfer::deletions(command, root, &sides).unwrap_or_default()
    }

    pub(in crate::guard) fn source(&self, command: &RsyncCommand, source: &rsync::Place) -> Option<SourceTree> {
        let rsync::Place::Local(path) = source else { return None };
        let path = command.absolute(path);
        let path = if path.len() > 1 { path.trim_end_matches('/') } else { &path };
        let entries = self.listed(path)?;
        // A listing that knows nothing of the source says nothing about it.
        (!entries.is_empty()).then_some(SourceTree::Directory(entries))
    }

    /// Everything that is known to lie below a root, relative to it.
    pub(in crate::guard) fn listed(&self, root: &str) -> Option<Vec<TreeEntry>> {
        let probe =
            self.answers.iter().find(|(p, a)| matches!(p, Probe::Tree { root: r, .. } if r == root) && a.is_ok())?.0;
        let mut out: Vec<TreeEntry> = self
            .answers
            .documents(probe)
            .iter()
            .flat_map(tree::read)
            .filter_map(|entry| {
                let rest = below(&entry.path, root)?.trim_start_matches('/').to_owned();
                (!rest.is_empty()).then_some(TreeEntry { path: rest, is_dir: entry.kind == Some('d') })
            })
            .collect();
        out.sort();
        out.dedup();
        Some(out)
    }

    /// Excludes that match nothing, and the same line without the harm.
    pub(super) fn tell_transfer(
        &self,
        command: &RsyncCommand,
        root: &str,
        struck: &[Struck<'_>],
        effect: &mut Effect,
        story: &mut Story,
    ) {
        let Some(index) = self.effects.planned.iter().find(|p| matches!(&p.target, crate::effect::Target::Paths(x) if matches!(&x.filter, Some(Filter::Rsync(c)) if **c == *command))).map(|p| p.invocation) else { return };
        let mut tops: Vec<String> = Vec::new();
        let lost = struck
            .iter()
            .map(|s| s.live.path.clone())
            .chain(self.config.protect.paths.iter().filter(|p| below(p, root).is_some()).cloned());
        let lost = lost.chain(
            self.backups
                .directories
                .iter()
                .filter(|d| effect.class.contains(&TargetClass::Backup) && below(d, root).is_some())
                .cloned(),
        );
        for path in lost {
            let Some(rest) = below(&path, root).map(|r| r.trim_start_matches('/')).filter(|r| !r.is_empty()) else {
                continue;
            };
            let top = format!("/{}/", rest.split('/').next().unwrap_or(rest));
            if !tops.contains(&top) {
                tops.push(top);
            }
        }
        let entries: Vec<TreeEntry> = self
            .listed(root)
            .unwrap_or_default()
            .into_iter()
            .chain(tops.iter().map(|t| TreeEntry { path: t.trim_matches('/').to_owned(), is_dir: true }))
            .collect();
        let idle = rsync::idle_excludes(command, &|_| None, &entries);
        if let Some(one) = idle.first() {
            effect.add_circumstance(Circumstance::ExcludeMatchesNothing);
            let nearest = one.nearest.as_deref().map(|n| format!("; it does not match \"{n}\"")).unwrap_or_default();
            story.why = format!("The exclude \"{}\" matches nothing there{nearest}.", one.pattern);
        }
        if let Some(call) = self.effects.script.invocations.get(index) {
            let words = call.argv.iter().map(|w| quote(&w.show()));
            let mut line: Vec<String> = words.collect();
            let excludes = tops.iter().map(|top| format!("--exclude={}", quote_always(top)));
            line.splice(1..1, excludes);
            if !tops.is_empty() && !command.delete_excluded {
                story.instead.push(line.join(" "));
            }
            story.preview = self.dry_run(index);
        }
    }

    pub(in crate::guard) fn dry_run(&self, index: usize) -> Option<String> {
        let call = self.effects.script.invocations.get(index)?;
        let mut words: Vec<String> = call.argv.iter().map(|w| quote(&w.show())).collect();
        words.insert(1, "-n -i".to_owned());
        Some(words.join(" "))
    }
}
