//! Work that one repository alone holds: changed, untracked and ignored files, commits, stashes.
//!
//! What git has committed comes back from git, so a tracked and unchanged file is no loss.

use coroner_model::effect::{Effect, EffectKind, TargetClass};
use coroner_model::probe::{GitTable, Why};
use coroner_model::{Answers, Document, Probe};
use coroner_read::shell::Word;
use coroner_read::{tree, tsv};

use super::delete::{is_artefact, is_scratch};
use super::tool::quote;
use super::view::View;
use super::{Case, Story};
use crate::effect::path::below;
use crate::effect::{Extent, Filter, Hit, Paths, Place, Planned};

/// Most repositories below a tree that are looked into.
const REPOSITORIES_MAX: usize = 8;
/// Most files that an answer names.
const NAMED_MAX: usize = 3;

/// Where what is thrown away lies, in a directory of its own.
const TEMPORARY: [&str; 3] = ["/tmp", "/var/tmp", "/dev/shm"];

/// A repository, and the parts of it without which its commits are not found again.
const HISTORY: [&str; 5] = [".git", ".git/objects", ".git/refs", ".git/refs/heads", ".git/packed-refs"];

/// The columns of `git/refs.tsv`.
const REFS: [&str; 5] = ["ref", "commit", "upstream", "unpushed", "unmerged"];

/// How a file stands to git.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Standing {
    /// Tracked, and not as the last commit has it.
    Changed,
    Untracked,
    Ignored,
}

/// A file that no commit holds as it is.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Loose {
    pub(super) standing: Standing,
    /// Absolute; a directory that is untracked as a whole is one.
    pub(super) path: String,
    pub(super) is_directory: bool,
}

/// A branch by what only it holds.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Branch {
    pub(super) name: String,
    /// Commits that no remote-tracking branch has.
    pub(super) unpushed: Option<u64>,
    /// Commits that no other branch or tag has.
    pub(super) unmerged: Option<u64>,
}

pub(super) fn git(repository: &str, table: GitTable) -> Probe {
    Probe::Git { repository: repository.to_owned(), table, since: None, until: None }
}

/// What must be looked at before files go: git's view of them, once they are known to exist.
pub(super) fn probes(case: &Case<'_>, planned: &Planned, paths: &Paths, answers: &Answers, out: &mut Vec<Probe>) {
    let Some(directory) = directory_of(paths) else { return };
    let deletes = planned.kind == EffectKind::Delete;
    let named = paths.path.as_literal();
    let stat = named.map(|path| Probe::Stat { path: path.to_owned() });
    if stat.as_ref().is_some_and(|stat| !answers.has(stat)) || is_thrown_away(case, &directory) {
        return;
    }
    if stat.is_some_and(|stat| is_absent(answers, &stat)) {
        return;
    }
    out.extend([git(&directory, GitTable::Status), git(&directory, GitTable::Worktrees)]);
    if !deletes || paths.extent == Extent::Itself && paths.filter.is_none() {
        return;
    }
    out.push(Probe::Stat { path: format!("{}/.git", directory.trim_end_matches('/')) });
    for top in std::iter::once(directory.clone()).chain(repositories(answers, &directory)) {
        out.extend(
            [GitTable::Status, GitTable::Worktrees, GitTable::Refs, GitTable::Stash].map(|table| git(&top, table)),
        );
    }
}

/// The directory that git is asked about: the path, or what its pattern lies in.
fn directory_of(paths: &Paths) -> Option<String> {
    if paths.place != Place::Host || paths.narrowed || matches!(paths.filter, Some(Filter::Rsync(_) | Filter::Clean(_)))
    {
        return None;
    }
    let path = match paths.path.as_literal() {
        Some(path) => path.to_owned(),
        None => paths.path.as_pattern()?.split(['*', '?', '[']).next()?.rsplit_once('/')?.0.to_owned(),
    };
    (path.starts_with('/') && path.len() > 1 && !is_artefact(&path)).then_some(path)
}

/// Temporary, and not where the session works.
pub(super) fn is_thrown_away(case: &Case<'_>, path: &str) -> bool {
    let place = |path: &str| {
        let top = TEMPORARY.iter().find(|top| below(path, top).is_some())?;
        let name = below(path, top)?.split('/').nth(1).filter(|name| !name.is_empty())?;
        Some(format!("{top}/{name}"))
    };
    is_artefact(path) || is_scratch(path) && place(path) != place(&case.request.cwd)
}

fn is_absent(answers: &Answers, stat: &Probe) -> bool {
    matches!(answers.get(stat), Some(Ok(documents)) if documents.iter().all(|d| tree::read(d).iter().all(|e| e.kind == Some('N'))))
}

/// Repositories below a directory, as its listing shows them.
fn repositories(answers: &Answers, directory: &str) -> Vec<String> {
    let trees = answers.iter().filter(|(probe, _)| matches!(probe, Probe::Tree { root, .. } if root == directory));
    let documents = trees.filter_map(|(_, answer)| answer.as_ref().ok()).flatten();
    let mut found: Vec<String> = documents
        .flat_map(tree::read)
        .filter(|entry| entry.kind != Some('N'))
        .filter_map(|entry| entry.path.strip_suffix("/.git").map(str::to_owned))
        .filter(|top| top != directory && !is_artefact(top))
        .collect();
    found.sort();
    found.dedup();
    found.truncate(REPOSITORIES_MAX);
    found
}

impl View<'_> {
    /// Adds what git has no copy of.
    pub(super) fn work(&self, planned: &Planned, paths: &Paths, effect: &mut Effect, story: &mut Story) {
        let lossy = matches!(planned.kind, EffectKind::Delete | EffectKind::Truncate | EffectKind::Overwrite);
        // Git was asked about the path as the command names it, before links were followed.
        let crate::effect::Target::Paths(named) = &planned.target else { return };
        let Some(directory) = directory_of(named).filter(|_| lossy && !self.edits_in_place(planned, paths)) else {
            return;
        };
        // `git rm` takes what is tracked, and of that only what did not change.
        if is_thrown_away(self.case, &directory) || planned.program == "git" {
            return;
        }
        let nested = repositories(self.answers, &directory);
        let mut loose: Vec<Loose> = Vec::new();
        for root in std::iter::once(&directory).chain(&nested) {
            let Some(top) = self.top_of(root) else { continue };
            let own = self.loose(root, &top).unwrap_or_default();
            loose.extend(own.into_iter().filter(|one| self.is_lost(planned, paths, one)));
            let own = top.trim_end_matches('/');
            let struck = |part: &str| paths.hits(&format!("{own}/{part}"), &[]) == Some(Hit::Whole);
            if planned.kind == EffectKind::Delete && HISTORY.iter().any(|part| struck(part)) {
                self.history(root, &top, effect, story);
            }
        }
        loose.sort_by(|a, b| (a.standing, &a.path).cmp(&(b.standing, &b.path)));
        loose.dedup();
        self.tell_loose(&loose, effect, story);
    }

    fn tell_loose(&self, loose: &[Loose], effect: &mut Effect, story: &mut Story) {
        if loose.is_empty() {
            return;
        }
        for one in loose {
            effect.add_class(match one.standing {
                Standing::Changed => TargetClass::Uncommitted,
                Standing::Untracked | Standing::Ignored => TargetClass::UntrackedIgnored,
            });
        }
        story.lines.extend(loose.iter().take(NAMED_MAX).map(|one| {
            let how = match one.standing {
                Standing::Changed => "changed since the last commit",
                Standing::Untracked => "in no commit",
                Standing::Ignored => "ignored by git, so in no commit",
            };
            format!("{}  {how}", one.path)
        }));
        if loose.len() > NAMED_MAX {
            story.lines.push(format!("and {} more", loose.len() - NAMED_MAX));
        }
        if story.why.is_empty() {
            story.why = "git has no copy of it as it is now.".into();
        }
        if story.instead.is_empty()
            && let Some(first) = loose.first().and_then(|one| self.top_of(&one.path))
        {
            story.instead.push(format!("git -C {} stash push --include-untracked", quote(&first)));
        }
    }

    /// `sed -i` changes a file, and takes nothing but what it is told to.
    fn edits_in_place(&self, planned: &Planned, paths: &Paths) -> bool {
        let Some(call) = self.effects.script.invocations.get(planned.invocation) else { return false };
        let redirected = call
            .redirects
            .iter()
            .any(|r| coroner_read::shell::join(&call.cwd, &r.target).as_literal() == paths.path.as_literal());
        // A script that deletes every line leaves nothing of it.
        let emptied = call.argv.iter().filter_map(Word::as_literal).any(|w| {
            matches!(w, "d" | "1,$d" | "s/.*//" | "s/.*//g" | "s/^.*$//")
                || w.starts_with("$_=\"\"")
                || w.starts_with("$_=''")
        });
        planned.kind == EffectKind::Overwrite
            && matches!(planned.program.as_str(), "sed" | "perl")
            && !redirected
            && !emptied
    }

    fn is_lost(&self, planned: &Planned, paths: &Paths, one: &Loose) -> bool {
        // A test before it says that nothing lies there yet.
        let tested = self.effects.script.invocations.get(planned.invocation).is_some_and(|call| {
            let path = paths.path.as_literal().unwrap_or_default();
            call.absent.iter().any(|absent| absent == path)
        });
        if tested {
            return false;
        }
        let inside = one.is_directory && paths.path.as_literal().is_some_and(|p| below(p, &one.path).is_some());
        let hit = paths.hits(&one.path, &[]) == Some(Hit::Whole) || inside;
        // What is named may be one file of an untracked directory.
        let path = if inside { paths.path.as_literal().unwrap_or(&one.path) } else { &one.path };
        let replaces = planned.kind == EffectKind::Overwrite;
        let matters = match one.standing {
            Standing::Changed => true,
            Standing::Untracked if replaces => !is_output(path),
            Standing::Untracked => !is_by_product(path),
            Standing::Ignored => is_kept_aside(path),
        };
        // A directory takes a file in; what it replaces there must be known to be there.
        if replaces && one.is_directory && !(inside && path != one.path && self.exists(path) == Some(true)) {
            return false;
        }
        hit && matters && !is_artefact(path) && !self.was_made(planned, path)
    }

    /// The directory whose repository a path belongs to.
    pub(super) fn top_of(&self, path: &str) -> Option<String> {
        let related = |top: &&str| below(path, top).is_some() || below(top, path).is_some();
        let listed = self.worktrees(path);
        let above = |top: &&String| below(path, top).is_some();
        if let Some(top) = listed.iter().filter(above).max_by_key(|top| top.len()) {
            return Some(top.clone());
        }
        let mut at = path;
        while !at.is_empty() {
            if self.scene.paths.get(&format!("{at}/.git")).is_some_and(|state| state.exists) {
                return Some(at.to_owned());
            }
            at = at.rsplit_once('/').map_or("", |(above, _)| above);
        }
        let root = self.config.root.split_whitespace().next().filter(|root| root.starts_with('/'));
        let known = listed.first().map(String::as_str).or(root);
        known.or(Some(self.case.request.cwd.as_str())).filter(related).map(str::to_owned)
    }

    /// Work trees of the repository that holds a path, the main one first.
    fn worktrees(&self, path: &str) -> Vec<String> {
        let lines =
            self.answers.documents(&git(path, GitTable::Worktrees)).iter().flat_map(|d| d.text.as_str().lines());
        lines
            // `git worktree list`, or what `--porcelain` makes of it.
            .filter_map(|line| line.trim().trim_start_matches("worktree ").split("  ").next())
            .map(|top| top.trim().to_owned())
            .filter(|t| t.starts_with('/'))
            .collect()
    }

    /// Every file that no commit holds as it is; `None` where git could not be asked.
    pub(super) fn loose(&self, asked: &str, top: &str) -> Option<Vec<Loose>> {
        let Some(Ok(documents)) = self.answers.get(&git(asked, GitTable::Status)) else { return None };
        let lines = documents.iter().flat_map(|d| d.text.as_str().lines());
        Some(lines.filter_map(|line| loose_of(line, top)).collect())
    }

    /// Branches with what only they hold; `None` where nobody counted.
    pub(super) fn branches(&self, directory: &str) -> Option<Vec<Branch>> {
        let documents = self.refs(directory)?;
        let rows = documents.iter().flat_map(|d| tsv::rows(d.text.as_str(), &REFS));
        let branch = |row: tsv::Row<'_>| {
            let name = row.get("ref")?.strip_prefix("refs/heads/")?.to_owned();
            Some(Branch { name, unpushed: row.number("unpushed"), unmerged: row.number("unmerged") })
        };
        Some(rows.filter_map(branch).collect())
    }

    fn refs(&self, directory: &str) -> Option<&[Document]> {
        match self.answers.get(&git(directory, GitTable::Refs)) {
            Some(Ok(documents)) => Some(documents),
            _ => None,
        }
    }

    /// What goes with a repository as a whole: commits, stashes, the trees that hang on it.
    fn history(&self, asked: &str, top: &str, effect: &mut Effect, story: &mut Story) {
        let worktrees = self.worktrees(asked);
        // The commits of a linked work tree live in the main one.
        if worktrees.iter().skip(1).any(|tree| tree == top) {
            return;
        }
        let before = story.lines.len();
        let branch = self.branch(&Word::literal(asked));
        match self.branches(asked) {
            Some(branches) => {
                let ahead: Vec<&Branch> = branches.iter().filter(|b| b.unpushed.unwrap_or(0) > 0).collect();
                story.lines.extend(ahead.iter().take(NAMED_MAX).map(|b| ahead_of(&b.name, b.unpushed.unwrap_or(0))));
            }
            None => match &branch {
                Some(b) if b.upstream.is_none() => story.lines.push(format!("branch {}  was never pushed", b.head)),
                Some(b) if b.ahead > 0 => {
                    story.lines.push(ahead_of(&b.head, b.ahead));
                }
                Some(_) => {}
                None => self.unseen_history(asked, top, story),
            },
        }
        if let Some(Ok(documents)) = self.answers.get(&git(asked, GitTable::Stash)) {
            let stashes =
                documents.iter().flat_map(|d| d.text.as_str().lines()).filter(|l| !l.trim().is_empty()).count();
            story.lines.extend((stashes > 0).then(|| format!("{stashes} stashed")));
        }
        // Several paths of one repository may ask for it.
        story.lines.dedup();
        let others = worktrees.len().saturating_sub(1);
        story.lines.extend((others > 0).then(|| format!("{others} other work trees hang on it")));
        if story.lines.len() > before {
            effect.add_class(TargetClass::Unpushed);
            story.why = "What was never pushed is in no other place.".into();
            story.instead.push(format!(
                "git -C {} bundle create {} --all",
                quote(top),
                quote(&format!("{top}.bundle"))
            ));
        }
    }

    /// A repository of which nothing can be said.
    fn unseen_history(&self, asked: &str, top: &str, story: &mut Story) {
        let is_repository = self.scene.paths.get(&format!("{top}/.git")).is_some_and(|state| state.exists);
        let absent =
            matches!(self.answers.get(&git(asked, GitTable::Status)), Some(Err(why)) if why.why == Why::Absent);
        if is_repository && !absent {
            story.undecided = Some(format!("whether the commits of {top} are anywhere else could not be looked at"));
        }
    }
}

/// The file of a status line, if no commit holds it as it is.
fn loose_of(line: &str, top: &str) -> Option<Loose> {
    let (kind, rest) = line.split_once(' ')?;
    let (standing, name) = match kind {
        "?" => (Standing::Untracked, Some(rest)),
        "!" => (Standing::Ignored, Some(rest)),
        "1" => (Standing::Changed, rest.splitn(8, ' ').nth(7)),
        "2" => (Standing::Changed, rest.splitn(9, ' ').nth(8).and_then(|p| p.split('\t').next())),
        "u" => (Standing::Changed, rest.splitn(10, ' ').nth(9)),
        _ => return None,
    };
    // A file that is only gone from the work tree has nothing left to lose.
    if kind == "1" && rest.starts_with(".D") {
        return None;
    }
    let name = name?.trim_matches('"');
    let is_directory = name.ends_with('/');
    let path = format!("{}/{}", top.trim_end_matches('/'), name.trim_end_matches('/'));
    Some(Loose { standing, path, is_directory })
}

fn name_of(path: &str) -> String {
    path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase()
}

fn ends_in(name: &str, ends: &[&str]) -> bool {
    name.rsplit_once('.').is_some_and(|(_, end)| ends.contains(&end))
}

/// What running something leaves behind.
pub(super) fn is_by_product(path: &str) -> bool {
    let name = name_of(path);
    // A repository that lies in a temporary directory is not temporary for that.
    let inner = TEMPORARY.iter().find_map(|top| below(path, top)).unwrap_or(path);
    ends_in(
        &name,
        &[
            "log",
            "tmp",
            "temp",
            "swp",
            "swo",
            "pid",
            "lock",
            "pyc",
            "o",
            "orig",
            "rej",
            "bak",
            "out",
            "cache",
            "tsbuildinfo",
        ],
    ) || name.ends_with('~')
        || name.starts_with("core.")
        || matches!(
            name.as_str(),
            ".ds_store" | "thumbs.db" | "nohup.out" | ".coverage" | "coverage.xml" | "logs" | "log"
        )
        || inner
            .split('/')
            .any(|part| matches!(part, "tmp" | "temp" | "logs" | ".tmp" | "test-results" | "playwright-report"))
}

/// What commands are used to print into.
pub(super) fn is_output(path: &str) -> bool {
    is_by_product(path)
        || ends_in(
            &name_of(path),
            &[
                "txt", "json", "jsonl", "csv", "tsv", "xml", "html", "pdf", "png", "jpg", "svg", "diff", "patch",
                "md5", "sha256", "err",
            ],
        )
}

/// What is kept out of git because it is secret, local or data, and not because it is made anew.
pub(super) fn is_kept_aside(path: &str) -> bool {
    let name = name_of(path);
    let env = name == ".env" || name.starts_with(".env.") || name.ends_with(".env");
    let sample = ["example", "sample", "template", "dist"].iter().any(|w| name.ends_with(w));
    (env && !sample)
        || ends_in(
            &name,
            &[
                "pem", "key", "p12", "pfx", "jks", "keystore", "db", "sqlite", "sqlite3", "sql", "dump", "rdb",
                "tfstate", "tfvars", "ipynb", "gpg", "age",
            ],
        )
        || name.contains("secret")
        || name.contains("credential")
        || name.starts_with("id_rsa")
        || name.starts_with("id_ed25519")
        || matches!(name.as_str(), "data" | "uploads" | "storage" | ".data" | "db" | "backups" | "secrets")
}

/// What only a branch here holds.
fn ahead_of(branch: &str, commits: impl std::fmt::Display) -> String {
    let commits = commits.to_string();
    let noun = if commits == "1" { "commit that was" } else { "commits that were" };
    format!("branch {branch}  {commits} {noun} never pushed")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_lines_name_what_is_loose() {
        let of = |line: &str| loose_of(line, "/srv/app").map(|l| (l.standing, l.path));
        assert_eq!(
            of("1 .M N... 100644 100644 100644 a b src/a b.rs"),
            Some((Standing::Changed, "/srv/app/src/a b.rs".into()))
        );
        assert_eq!(of("? new/"), Some((Standing::Untracked, "/srv/app/new".into())));
        assert_eq!(of("! .env"), Some((Standing::Ignored, "/srv/app/.env".into())));
        assert_eq!(of("1 .D N... 100644 100644 000000 a b gone.rs"), None);
        assert_eq!(of("# branch.head main"), None);
    }

    #[test]
    fn names_tell_by_products_from_what_is_kept_aside() {
        for path in ["/a/app.log", "/a/tmp/x.py", "/a/x~", "/a/nohup.out"] {
            assert!(is_by_product(path), "{path}");
        }
        for path in ["/a/notes.md", "/a/blog.py", "/a/outline.rs"] {
            assert!(!is_by_product(path), "{path}");
        }
        for path in ["/a/.env", "/a/.env.local", "/a/app.sqlite3", "/a/server.key"] {
            assert!(is_kept_aside(path), "{path}");
        }
        for path in ["/a/.env.example", "/a/build.js", "/a/environment.ts"] {
            assert!(!is_kept_aside(path), "{path}");
        }
    }
}
