//! The filter rules of one side of a transfer in their order, with the files
//! that they merge in, globally or directory by directory.

use std::rc::Rc;

use super::rule::{Anchor, Flags, Parsed, Prefixes, Rule, join, parse};
use super::{FilterArgument, RsyncCommand};

/// How deep merge files may name merge files.
const MERGE_DEPTH_MAX: usize = 16;

/// The names that `--cvs-exclude` ignores before any file adds to them.
const CVS_IGNORED: &str = "RCS SCCS CVS CVS.adm RCSLOG cvslog.* tags TAGS .make.state .nse_depinfo *~ #* .#* ,* _$* *$ \
    *.old *.bak *.BAK *.orig *.rej .del-* *.a *.olb *.o *.obj *.so *.exe *.Z *.elc *.ln core .svn/ .git/ .hg/ .bzr/";

/// Whose rules these are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Sender,
    Receiver,
}

/// Whether perishable rules count; in a directory that goes as a whole they do not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Perishable {
    Honoured,
    Ignored,
}

enum Entry {
    Rule(Rule),
    /// The list of the per-directory file of this name, wherever it stands now.
    DirMerge(String),
    Cvs,
}

/// A per-directory merge file: its name and what its rules inherit.
struct DirMerge {
    name: String,
    /// The absolute directory above the root of the transfer where the search begins, if
    /// it is asked for. A relative one asks for none: rsync keeps the last name of it alone.
    above: Option<String>,
    flags: Flags,
}

/// Rules in their order, shared between the directories that inherit them.
type Rules = Rc<Vec<Rc<Entry>>>;

/// The per-directory rules that hold in one directory.
#[derive(Clone, Default)]
pub(super) struct Scope {
    lists: Vec<(Rc<DirMerge>, Rules)>,
}

/// What the files of filter rules hold, by path.
pub(super) type Files<'a> = &'a dyn Fn(&str) -> Option<String>;

/// The rules of one side.
pub(super) struct Chain<'a> {
    side: Side,
    delete_excluded: bool,
    entries: Vec<Rc<Entry>>,
    cvs: Vec<Rc<Entry>>,
    dir_merges: Vec<Rc<DirMerge>>,
    /// Absolute path of the root of the transfer on this side.
    root: String,
    /// What stands before that path where it is on another host.
    host: String,
    files: Files<'a>,
}

impl<'a> Chain<'a> {
    /// Reads the rules of the command line; an error is a rule that rsync refuses.
    pub(super) fn new(
        command: &RsyncCommand,
        side: Side,
        root: &str,
        host: &str,
        files: Files<'a>,
    ) -> Result<Chain<'a>, String> {
        let mut chain = Chain {
            side,
            delete_excluded: command.delete_excluded,
            entries: Vec::new(),
            cvs: Vec::new(),
            dir_merges: Vec::new(),
            root: root.to_owned(),
            host: host.to_owned(),
            files,
        };
        let open = |name: &str| files(&command.absolute(name));
        let mut list = List::new(&open, Anchor::Below(String::new()), Vec::new());
        let include = Flags { include: true, ..Flags::default() };
        for argument in &command.filters {
            match argument {
                FilterArgument::Rule(text) => list.add_text(text, Flags::default(), Prefixes::All)?,
                FilterArgument::Exclude(text) => list.add_text(text, Flags::default(), Prefixes::Old)?,
                FilterArgument::Include(text) => list.add_text(text, include, Prefixes::Old)?,
                FilterArgument::ExcludeFrom(file) => list.add_file(file, Flags::default(), Prefixes::Old)?,
                FilterArgument::IncludeFrom(file) => list.add_file(file, include, Prefixes::Old)?,
                FilterArgument::Implied(text) => list.add_implied(text)?,
            }
        }
        if command.cvs_exclude {
            list.add_implied(":C")?;
            list.add_implied("-C")?;
        }
        if list.entries.iter().any(|entry| matches!(**entry, Entry::Cvs)) {
            chain.cvs = cvs_rules(files, list.cvs_flags)?;
        }
        (chain.entries, chain.dir_merges) = (list.entries, list.dir_merges);
        Ok(chain)
    }

    /// Whether the rules keep the path out: hidden at the sender, protected at the receiver.
    pub(super) fn excludes(&self, scope: &Scope, path: &str, is_dir: bool, perishable: Perishable) -> bool {
        let decided = self.decide(&self.entries, scope, perishable, &|rule| rule.matches(path, is_dir, &self.root));
        decided.is_some_and(|rule| !rule.flags.include)
    }

    /// The rules given by hand that keep paths out on this side.
    pub(super) fn excluding_rules(&self) -> impl Iterator<Item = &Rule> {
        self.entries.iter().filter_map(|entry| match &**entry {
            Entry::Rule(rule) if rule.by_hand && !rule.flags.include && self.applies(rule) => Some(rule),
            _ => None,
        })
    }

    fn decide<'r>(
        &'r self,
        entries: &'r [Rc<Entry>],
        scope: &'r Scope,
        perishable: Perishable,
        hits: &dyn Fn(&Rule) -> bool,
    ) -> Option<&'r Rule> {
        entries.iter().find_map(|entry| match &**entry {
            Entry::Rule(rule) => {
                let counts = self.applies(rule) && (perishable == Perishable::Honoured || !rule.flags.perishable);
                (counts && hits(rule)).then_some(rule)
            }
            Entry::DirMerge(name) => {
                let (_, list) = scope.lists.iter().find(|(merge, _)| merge.name == *name)?;
                self.decide(list, scope, perishable, hits)
            }
            Entry::Cvs => self.decide(&self.cvs, scope, perishable, hits),
        })
    }

    fn applies(&self, rule: &Rule) -> bool {
        match (rule.flags.sender, rule.flags.receiver, self.side) {
            (false, false, Side::Sender) | (true, true, _) => true,
            (false, false, Side::Receiver) => !self.delete_excluded,
            (sender, _, Side::Sender) => sender,
            (_, receiver, Side::Receiver) => receiver,
        }
    }

    /// The scope above the first directory that the transfer enters: what the
    /// directories from the asked-for start down to its parent say.
    pub(super) fn scope_above(&self, first: &str) -> Result<Scope, String> {
        let mut scope = Scope::default();
        let first = join(&self.root, first);
        for merge in &self.dir_merges {
            let mut list: Rules = Rc::default();
            let above = merge.above.as_deref().filter(|_| self.root.starts_with('/'));
            for dir in above.map(|start| ancestors(&resolve(&self.root, start), &first)).unwrap_or_default() {
                let prefix = super::rule::below(dir.trim_end_matches('/'), &self.root).unwrap_or_default();
                let anchor = match dir.trim_end_matches('/') == self.root.trim_end_matches('/') {
                    true => Anchor::Below(String::new()),
                    false => Anchor::Above(prefix.to_owned()),
                };
                let open = |name: &str| (self.files)(&format!("{}{}", self.host, resolve(&dir, name)));
                list = self.read(merge, &open, anchor, &list, &mut Vec::new())?;
                if merge.flags.no_inherit {
                    list = Rc::default();
                }
            }
            scope.lists.push((Rc::clone(merge), list));
        }
        Ok(scope)
    }

    /// The scope when all directories are left: their files no longer say anything.
    pub(super) fn scope_left(&self) -> Scope {
        Scope { lists: self.dir_merges.iter().map(|merge| (Rc::clone(merge), Rules::default())).collect() }
    }

    /// The scope in a directory, given that of the one above and what the files in it hold.
    pub(super) fn enter(&self, above: &Scope, dir: &str, open: Files) -> Result<Scope, String> {
        let mut scope = above.clone();
        let mut at = 0;
        while at < scope.lists.len() {
            let (merge, inherited) = scope.lists[at].clone();
            let inherited = if merge.flags.no_inherit { Rc::default() } else { inherited };
            let mut found = scope.lists.iter().map(|(merge, _)| Rc::clone(merge)).collect();
            scope.lists[at].1 = self.read(&merge, open, Anchor::Below(dir.to_owned()), &inherited, &mut found)?;
            for merge in found.into_iter().skip(scope.lists.len()) {
                scope.lists.push((merge, Rc::default()));
            }
            at += 1;
        }
        Ok(scope)
    }

    /// Reads one per-directory file: its own rules, then the inherited ones.
    fn read(
        &self,
        merge: &DirMerge,
        open: Files,
        anchor: Anchor,
        inherited: &Rules,
        found: &mut Vec<Rc<DirMerge>>,
    ) -> Result<Rules, String> {
        let Some(text) = open(&merge.name) else { return Ok(Rc::clone(inherited)) };
        let mut list = List::new(open, anchor, std::mem::take(found));
        list.add_lines(&text, merge.flags, Prefixes::All)?;
        if !list.cleared {
            list.entries.extend(inherited.iter().cloned());
        }
        *found = list.dir_merges;
        Ok(Rc::new(list.entries))
    }
}

/// The global ignore list of CVS, its defaults perishable.
fn cvs_rules(files: Files, sides: Flags) -> Result<Vec<Rc<Entry>>, String> {
    let flags = Flags { no_prefixes: true, word_split: true, cvs: true, ..sides };
    let open = |name: &str| files(name);
    let mut list = List::new(&open, Anchor::Below(String::new()), Vec::new());
    list.add_text(CVS_IGNORED, Flags { perishable: true, ..flags }, Prefixes::All)?;
    list.add_file("~/.cvsignore", flags, Prefixes::All)?;
    Ok(list.entries)
}

/// A list of rules while it is being read.
struct List<'a> {
    open: Files<'a>,
    anchor: Anchor,
    entries: Vec<Rc<Entry>>,
    dir_merges: Vec<Rc<DirMerge>>,
    cvs_flags: Flags,
    /// A clearing rule was met, which takes what is inherited with it.
    cleared: bool,
    depth: usize,
}

impl<'a> List<'a> {
    fn new(open: Files<'a>, anchor: Anchor, dir_merges: Vec<Rc<DirMerge>>) -> List<'a> {
        List { open, anchor, entries: Vec::new(), dir_merges, cvs_flags: Flags::default(), cleared: false, depth: 0 }
    }

    fn add_file(&mut self, name: &str, container: Flags, prefixes: Prefixes) -> Result<(), String> {
        let Some(text) = (self.open)(name) else { return Ok(()) };
        if self.depth == MERGE_DEPTH_MAX {
            return Err(format!("merge files are nested too deep at {name}"));
        }
        self.depth += 1;
        let added = self.add_lines(&text, container, prefixes);
        self.depth -= 1;
        added
    }

    fn add_lines(&mut self, text: &str, container: Flags, prefixes: Prefixes) -> Result<(), String> {
        for line in text.split(['\n', '\r', '\0']) {
            let comment = !container.word_split && line.starts_with(['#', ';']);
            if !line.is_empty() && !comment {
                self.add_text(line, container, prefixes)?;
            }
        }
        Ok(())
    }

    /// Adds a rule that an option stands for, which is not one given by hand.
    fn add_implied(&mut self, text: &str) -> Result<(), String> {
        let before = self.entries.len();
        self.add_text(text, Flags::default(), Prefixes::All)?;
        for entry in self.entries.iter_mut().skip(before) {
            if let Some(Entry::Rule(rule)) = Rc::get_mut(entry) {
                rule.by_hand = false;
            }
        }
        Ok(())
    }

    fn add_text(&mut self, text: &str, container: Flags, prefixes: Prefixes) -> Result<(), String> {
        let mut rest = text;
        while let Some((parsed, after)) = parse(rest, container, prefixes)? {
            self.add(parsed)?;
            rest = after;
        }
        Ok(())
    }

    fn add(&mut self, parsed: Parsed) -> Result<(), String> {
        match parsed {
            Parsed::Clear => {
                self.entries.clear();
                self.dir_merges.clear();
                self.cleared = true;
            }
            Parsed::Pattern(flags, text) => self.push(Entry::Rule(Rule::new(flags, text, &self.anchor))),
            Parsed::Cvs(flags) => {
                self.cvs_flags = Flags { sender: flags.sender, receiver: flags.receiver, ..Flags::default() };
                self.push(Entry::Cvs);
            }
            Parsed::Merge(flags, file) => {
                self.exclude_self(flags, file);
                self.add_file(file, flags, Prefixes::All)?;
            }
            Parsed::DirMerge(flags, file) => {
                self.exclude_self(flags, file);
                let (above, name) = match file.rsplit_once('/') {
                    Some(("", name)) => (Some("/".to_owned()), name),
                    Some((dir, name)) => (dir.starts_with('/').then(|| dir.to_owned()), name),
                    None => (None, file),
                };
                if self.dir_merges.iter().all(|merge| merge.name != name) {
                    self.dir_merges.push(Rc::new(DirMerge { name: name.to_owned(), above, flags }));
                    self.push(Entry::DirMerge(name.to_owned()));
                }
            }
        }
        Ok(())
    }

    fn exclude_self(&mut self, flags: Flags, file: &str) {
        if flags.exclude_self {
            let name = file.rsplit('/').next().unwrap_or(file);
            self.push(Entry::Rule(Rule::new(Flags::default(), name, &self.anchor)));
        }
    }

    fn push(&mut self, entry: Entry) {
        self.entries.push(Rc::new(entry));
    }
}

/// An absolute path from a path that may be relative to a directory, without `.` and `..`.
pub(super) fn resolve(dir: &str, path: &str) -> String {
    let full = if path.starts_with('/') { path.to_owned() } else { format!("{dir}/{path}") };
    let mut names: Vec<&str> = Vec::new();
    for name in full.split('/') {
        match name {
            "" | "." => {}
            ".." => {
                names.pop();
            }
            _ => names.push(name),
        }
    }
    format!("/{}", names.join("/"))
}

/// The directories from `start` down to the parent of `path`; none where `start` is not above it.
fn ancestors(start: &str, path: &str) -> Vec<String> {
    let start = start.trim_end_matches('/');
    let Some(rest) = path.strip_prefix(start).filter(|rest| rest.starts_with('/')) else { return Vec::new() };
    let mut dirs = Vec::new();
    for (at, _) in rest.trim_end_matches('/').match_indices('/') {
        let dir = &path[..start.len() + at];
        dirs.push(if dir.is_empty() { "/".to_owned() } else { dir.to_owned() });
    }
    dirs
}
