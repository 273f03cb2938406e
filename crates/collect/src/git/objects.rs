//! Objects of a repository, those of a push that is not accepted yet among them, and walks over
//! what commits bring in.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet};
use std::path::{Path, PathBuf};

use gix::bstr::ByteSlice;
use gix::objs::{CommitRef, Find, Kind, TagRef, TreeRefIter};
use gix::{ObjectId, oid};

/// Most objects that a tag may point through.
const TAGS_MAX: usize = 8;
/// Deepest directory of a tree.
const DEPTH_MAX: usize = 64;

/// Objects by id.
pub(crate) struct Objects {
    pub(crate) repository: gix::Repository,
    /// Other places: the quarantine of a push that is being received.
    more: Vec<gix::odb::Handle>,
}

/// What is needed of a commit.
#[derive(Clone, Debug)]
pub(crate) struct Commit {
    pub id: ObjectId,
    pub tree: ObjectId,
    pub parents: Vec<ObjectId>,
    pub message: Vec<u8>,
    /// Author date as RFC 3339; empty where it cannot be read.
    pub date: String,
    /// Seconds of the commit date.
    pub seconds: i64,
}

/// A walk over commits, newest first.
#[derive(Default)]
struct Walk {
    queue: BinaryHeap<(i64, Reverse<ObjectId>)>,
    known: HashMap<ObjectId, Commit>,
    hidden: HashSet<ObjectId>,
}

impl Walk {
    fn enter(&mut self, objects: &Objects, id: &oid, hide: bool) {
        let known = self.known.get(id).map(|commit| (commit.id, commit.seconds));
        let fresh = known.is_none();
        let (id, seconds) = match known {
            Some(known) => known,
            None => {
                let Some(commit) = objects.commit(id) else { return };
                let known = (commit.id, commit.seconds);
                self.known.insert(commit.id, commit);
                known
            }
        };
        if hide && self.hidden.insert(id) || fresh {
            self.queue.push((seconds, Reverse(id)));
        }
    }
}

impl Objects {
    /// Opens the repository at a git directory or work tree.
    pub(crate) fn open(at: &Path, more: &[PathBuf]) -> Result<Objects, String> {
        let options = gix::open::Options::isolated().lossy_config(true).strict_config(false);
        let repository = gix::open_opts(at, options).map_err(|error| error.to_string())?;
        let hash = repository.object_hash();
        let more = more.iter().filter_map(|place| gix::odb::at(place, hash).ok()).collect();
        Ok(Objects { repository, more })
    }

    /// Kind and content of an object.
    pub(crate) fn find(&self, id: &oid) -> Option<(Kind, Vec<u8>)> {
        let mut buffer = Vec::new();
        if let Ok(Some(data)) = self.repository.objects.try_find(id, &mut buffer) {
            let kind = data.kind;
            return Some((kind, buffer));
        }
        for place in &self.more {
            if let Ok(Some(data)) = place.try_find(id, &mut buffer) {
                let kind = data.kind;
                return Some((kind, buffer));
            }
        }
        None
    }

    /// The commit that an id leads to, through tags.
    pub(crate) fn commit(&self, id: &oid) -> Option<Commit> {
        let hash = self.repository.object_hash();
        let mut id = id.to_owned();
        for _ in 0..TAGS_MAX {
            let (kind, data) = self.find(&id)?;
            match kind {
                Kind::Commit => {
                    let commit = CommitRef::from_bytes(&data, hash).ok()?;
                    let date = commit.author().ok().and_then(|a| a.time().ok());
                    return Some(Commit {
                        id,
                        tree: commit.tree(),
                        parents: commit.parents().collect(),
                        message: commit.message.to_vec(),
                        date: date
                            .map(|time| time.format_or_unix(gix::date::time::format::ISO8601_STRICT))
                            .unwrap_or_default(),
                        seconds: commit.time().map(|time| time.seconds).unwrap_or(0),
                    });
                }
                Kind::Tag => id = TagRef::from_bytes(&data, hash).ok()?.target(),
                Kind::Tree | Kind::Blob => return None,
            }
        }
        None
    }

    /// Ids of references whose full name begins with a prefix.
    pub(crate) fn references(&self, prefix: &str) -> Vec<ObjectId> {
        let Ok(platform) = self.repository.references() else { return Vec::new() };
        let Ok(all) = platform.all() else { return Vec::new() };
        all.filter_map(Result::ok)
            .filter(|reference| reference.name().as_bstr().to_str_lossy().starts_with(prefix))
            .filter_map(|reference| reference.try_id().map(|id| id.detach()))
            .collect()
    }

    /// Commits that lead from `tips` and not from `hidden`, oldest first, and whether a bound
    /// was hit.
    pub(crate) fn commits(&self, tips: &[ObjectId], hidden: &[ObjectId], count_max: usize) -> (Vec<Commit>, bool) {
        let mut walk = Walk::default();
        tips.iter().for_each(|id| walk.enter(self, id, false));
        hidden.iter().for_each(|id| walk.enter(self, id, true));
        let mut order: Vec<ObjectId> = Vec::new();
        let mut done: HashSet<(ObjectId, bool)> = HashSet::new();
        while let Some((_, Reverse(id))) = walk.queue.pop() {
            let hide = walk.hidden.contains(&id);
            if !done.insert((id, hide)) {
                continue;
            }
            if !hide {
                order.push(id);
            }
            let parents = walk.known.get(&id).map(|commit| commit.parents.clone()).unwrap_or_default();
            parents.iter().for_each(|parent| walk.enter(self, parent, hide));
            // Once only hidden commits wait, everything else was met.
            if order.len() > count_max || walk.queue.iter().all(|(_, Reverse(id))| walk.hidden.contains(id)) {
                break;
            }
        }
        let cut = order.len() > count_max;
        order.retain(|id| !walk.hidden.contains(id));
        order.reverse();
        (order.iter().filter_map(|id| walk.known.remove(id)).collect(), cut)
    }

    /// Every file of a tree that was not met before: its blob and path.
    pub(crate) fn blobs(&self, tree: &oid, seen: &mut HashSet<ObjectId>, each: &mut impl FnMut(ObjectId, String)) {
        self.blobs_below(tree, "", DEPTH_MAX, seen, each);
    }

    fn blobs_below(
        &self,
        tree: &oid,
        above: &str,
        depth: usize,
        seen: &mut HashSet<ObjectId>,
        each: &mut impl FnMut(ObjectId, String),
    ) {
        if depth == 0 || !seen.insert(tree.to_owned()) {
            return;
        }
        let Some((Kind::Tree, data)) = self.find(tree) else { return };
        for entry in TreeRefIter::from_bytes(&data, self.repository.object_hash()).filter_map(Result::ok) {
            let path = format!("{above}{}", entry.filename.to_str_lossy());
            if entry.mode.is_tree() {
                self.blobs_below(entry.oid, &format!("{path}/"), depth - 1, seen, each);
            } else if !entry.mode.is_commit() && seen.insert(entry.oid.to_owned()) {
                each(entry.oid.to_owned(), path);
            }
        }
    }

    /// The blob at a path of a tree.
    pub(crate) fn blob_at(&self, tree: &oid, path: &str) -> Option<ObjectId> {
        let mut at = tree.to_owned();
        for part in path.split('/') {
            let (Kind::Tree, data) = self.find(&at)? else { return None };
            at = TreeRefIter::from_bytes(&data, self.repository.object_hash())
                .filter_map(Result::ok)
                .find(|entry| entry.filename.as_bytes() == part.as_bytes())
                .map(|entry| entry.oid.to_owned())?;
        }
        Some(at)
    }
}
