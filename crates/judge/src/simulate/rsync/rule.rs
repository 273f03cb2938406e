//! One filter rule: its text taken apart, and whether it matches a path.

use super::wildcard::Wildcard;

/// What stands before the pattern of a rule, and what a merge file hands on to
/// the rules in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Flags {
    pub(super) include: bool,
    pub(super) negate: bool,
    pub(super) absolute: bool,
    pub(super) perishable: bool,
    pub(super) sender: bool,
    pub(super) receiver: bool,
    pub(super) xattr: bool,
    pub(super) no_prefixes: bool,
    pub(super) word_split: bool,
    pub(super) no_inherit: bool,
    pub(super) exclude_self: bool,
    pub(super) cvs: bool,
}

/// Which prefixes a rule text may carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Prefixes {
    /// `--filter`: every rule name.
    All,
    /// `--exclude` and its like: `- `, `+ ` and a lone `!`.
    Old,
}

/// A rule text taken apart.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Parsed<'a> {
    Pattern(Flags, &'a str),
    /// `-C`: the ignore list of CVS.
    Cvs(Flags),
    Clear,
    Merge(Flags, &'a str),
    DirMerge(Flags, &'a str),
}

const LONG_NAMES: [(&str, u8); 9] = [
    ("clear", b'!'),
    ("dir-merge", b':'),
    ("exclude", b'-'),
    ("hide", b'H'),
    ("include", b'+'),
    ("merge", b'.'),
    ("protect", b'P'),
    ("risk", b'R'),
    ("show", b'S'),
];

/// Takes apart the first rule of `text`; gives it and what follows it.
///
/// Without word splitting the rule takes the whole text. `Ok(None)` is an empty
/// text; an error is a rule at which rsync gives up before doing anything.
pub(super) fn parse<'a>(
    text: &'a str,
    container: Flags,
    prefixes: Prefixes,
) -> Result<Option<(Parsed<'a>, &'a str)>, String> {
    let text = if container.word_split { text.trim_start() } else { text };
    if text.is_empty() {
        return Ok(None);
    }
    let mut flags = Flags {
        include: container.include,
        negate: container.negate,
        absolute: container.absolute,
        perishable: container.perishable,
        ..Flags::default()
    };
    let (name, body) = if container.no_prefixes {
        (if container.cvs && text.starts_with('!') { b'!' } else { b' ' }, text)
    } else if prefixes == Prefixes::Old {
        match text.get(..2) {
            Some("- ") => {
                flags.include = false;
                (b' ', &text[2..])
            }
            Some("+ ") => {
                flags.include = true;
                (b' ', &text[2..])
            }
            _ => (if text.starts_with('!') { b'!' } else { b' ' }, text),
        }
    } else {
        named(text, container, &mut flags)?
    };
    if container.sender || container.receiver {
        if flags.sender || flags.receiver {
            return Err(format!("a rule names a side that its merge file names already: {text}"));
        }
        (flags.sender, flags.receiver) = (container.sender, container.receiver);
    }
    let end = if container.word_split { body.find(char::is_whitespace).unwrap_or(body.len()) } else { body.len() };
    let (pattern, rest) = body.split_at(end);
    let rest = if container.word_split { rest } else { "" };
    let full = !container.no_prefixes && prefixes == Prefixes::All;
    let parsed = match name {
        b'!' if full && !pattern.is_empty() => return Err(format!("a clearing rule takes no pattern: {text}")),
        b'!' if full || pattern == "!" => Parsed::Clear,
        b'.' if pattern.is_empty() && !flags.cvs => return Err(format!("a merge rule names no file: {text}")),
        b':' if pattern.is_empty() && !flags.cvs => return Err(format!("a merge rule names no file: {text}")),
        b'.' => Parsed::Merge(flags, cvs_default(pattern)),
        b':' => Parsed::DirMerge(flags, cvs_default(pattern)),
        _ if flags.cvs => Parsed::Cvs(flags),
        _ if pattern.is_empty() => return Err(format!("a rule has no pattern: {text}")),
        _ => Parsed::Pattern(flags, pattern),
    };
    Ok(Some((parsed, rest)))
}

fn cvs_default(file: &str) -> &str {
    if file.is_empty() { ".cvsignore" } else { file }
}

/// Reads the rule name and its modifiers; gives the short name and the pattern.
fn named<'a>(text: &'a str, container: Flags, flags: &mut Flags) -> Result<(u8, &'a str), String> {
    let unknown = || format!("unknown filter rule: {text}");
    let (name, modifiers) = if text.starts_with(|c: char| "cdehimprs".contains(c)) {
        LONG_NAMES
            .iter()
            .find_map(|(long, short)| {
                let rest = text.strip_prefix(long)?;
                match rest.chars().next() {
                    None | Some('_') => Some((*short, rest)),
                    Some(',') => Some((*short, &rest[1..])),
                    Some(c) if c.is_ascii_whitespace() => Some((*short, rest)),
                    Some(_) => None,
                }
            })
            .ok_or_else(unknown)?
    } else {
        let short = text.as_bytes()[0];
        let rest = text.get(1..).ok_or_else(unknown)?;
        (short, rest.strip_prefix(',').unwrap_or(rest))
    };
    match name {
        b'!' => return Ok((name, modifiers)),
        b'+' => flags.include = true,
        b'-' | b'.' | b':' => flags.include = false,
        b'S' | b'H' => (flags.include, flags.sender) = (name == b'S', true),
        b'R' | b'P' => (flags.include, flags.receiver) = (name == b'R', true),
        _ => return Err(unknown()),
    }
    let merge = matches!(name, b'.' | b':');
    let sided = flags.sender || flags.receiver;
    for (at, modifier) in modifiers.char_indices() {
        if matches!(modifier, ' ' | '_') {
            return Ok((name, &modifiers[at + 1..]));
        }
        if container.word_split && modifier.is_whitespace() {
            return Ok((name, &modifiers[at..]));
        }
        match modifier {
            '-' if merge && !flags.no_prefixes => flags.no_prefixes = true,
            '+' if merge && !flags.no_prefixes => (flags.no_prefixes, flags.include) = (true, true),
            '/' => flags.absolute = true,
            '!' if !merge => flags.negate = true,
            'C' if !flags.no_prefixes && !sided => {
                (flags.no_prefixes, flags.word_split, flags.no_inherit, flags.cvs) = (true, true, true, true);
            }
            'e' if merge => flags.exclude_self = true,
            'n' if merge => flags.no_inherit = true,
            'p' => flags.perishable = true,
            'r' if !sided => flags.receiver = true,
            's' if !sided => flags.sender = true,
            'w' if merge => flags.word_split = true,
            'x' => flags.xattr = true,
            _ => return Err(format!("unknown modifier {modifier} in filter rule: {text}")),
        }
    }
    Ok((name, ""))
}

/// Where a leading slash of a pattern ties it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Anchor {
    /// To the directory at this path below the root of the transfer, `""` being the root.
    Below(String),
    /// To a directory above the root, which is at this path as seen from there.
    Above(String),
}

/// How much of a path a pattern is held against.
enum Span {
    Name,
    Whole,
    /// The last so many names of the path.
    Last(usize),
    /// From the start and from behind every slash.
    Anywhere,
}

/// A rule that is ready to be held against paths.
pub(super) struct Rule {
    pub(super) flags: Flags,
    /// The pattern as written.
    pub(super) text: String,
    /// Given on the command line or in a file, not added by rsync itself.
    pub(super) by_hand: bool,
    directory: bool,
    literal: String,
    wildcard: Option<Wildcard>,
    span: Span,
    /// `dir/***` matches the directory itself, too.
    directory_slash: bool,
    leading_slash: bool,
    anchor: Anchor,
}

impl Rule {
    pub(super) fn new(flags: Flags, text: &str, anchor: &Anchor) -> Rule {
        let directory = text.len() > 1 && text.ends_with('/');
        let pattern = if directory { &text[..text.len() - 1] } else { text };
        let slashes = pattern.matches('/').count();
        let wild = pattern.contains(['*', '[', '?']);
        let two_stars = pattern.contains("**");
        let starts_with_two = pattern.starts_with("**");
        let rooted = pattern.strip_prefix('/');
        let span = match rooted {
            _ if slashes == 0 && !two_stars => Span::Name,
            Some(_) => Span::Whole,
            None if !two_stars => Span::Last(slashes + 1),
            None if starts_with_two => Span::Whole,
            None => Span::Anywhere,
        };
        let body = rooted.unwrap_or(pattern);
        Rule {
            flags,
            text: text.to_owned(),
            by_hand: true,
            directory,
            literal: body.to_owned(),
            wildcard: wild.then(|| Wildcard::new(body)),
            span,
            directory_slash: wild && pattern.ends_with("***"),
            leading_slash: starts_with_two && !flags.absolute,
            anchor: if rooted.is_some() && !flags.absolute { anchor.clone() } else { Anchor::Below(String::new()) },
        }
    }

    /// Whether the rule decides about the path, which is relative to the root of
    /// the transfer; `root` is that root's own absolute path.
    pub(super) fn matches(&self, path: &str, is_dir: bool, root: &str) -> bool {
        if path.is_empty() || self.flags.xattr {
            return false;
        }
        let hit = (is_dir || !self.directory) && self.hits(path, is_dir, root);
        hit != self.flags.negate
    }

    fn hits(&self, path: &str, is_dir: bool, root: &str) -> bool {
        let mut subject = match (&self.span, &self.anchor) {
            (Span::Name, _) => path.rsplit('/').next().unwrap_or(path).to_owned(),
            _ if self.flags.absolute => join(root.trim_matches('/'), path),
            (_, Anchor::Above(prefix)) => join(prefix, path),
            (_, Anchor::Below(dir)) => match below(dir, path) {
                Some(rest) => rest.to_owned(),
                None => return false,
            },
        };
        if self.leading_slash {
            subject.insert(0, '/');
        }
        if is_dir && self.directory_slash {
            subject.push('/');
        }
        match self.span {
            Span::Name | Span::Whole => self.equals(&subject),
            Span::Last(names) => last_names(&subject, names).is_some_and(|tail| self.equals(tail)),
            Span::Anywhere => {
                self.equals(&subject) || subject.match_indices('/').any(|(at, _)| self.equals(&subject[at + 1..]))
            }
        }
    }

    fn equals(&self, text: &str) -> bool {
        self.wildcard.as_ref().map_or(self.literal == text, |wildcard| wildcard.matches(text))
    }
}

/// Joins two path parts, either of which may be empty.
pub(super) fn join(parent: &str, child: &str) -> String {
    match (parent, child) {
        ("", _) => child.to_owned(),
        (_, "") => parent.to_owned(),
        _ if parent.ends_with('/') => format!("{parent}{child}"),
        _ => format!("{parent}/{child}"),
    }
}

/// The path as seen from a directory, if it lies in it.
pub(super) fn below<'a>(dir: &str, path: &'a str) -> Option<&'a str> {
    if dir.is_empty() {
        return Some(path);
    }
    path.strip_prefix(dir)?.strip_prefix('/')
}

fn last_names(path: &str, names: usize) -> Option<&str> {
    match path.rmatch_indices('/').nth(names - 1) {
        Some((at, _)) => Some(&path[at + 1..]),
        None => (path.matches('/').count() + 1 == names).then_some(path),
    }
}
