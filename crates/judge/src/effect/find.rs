//! `find`: which paths its expression acts on.
//!
//! Tests on names, paths, types and depth are evaluated; tests on time, size or
//! owner may hold or not. `-delete` walks depth first, so `-prune` is void with it.

use coroner_model::effect::EffectKind;
use coroner_read::shell::{Word, pattern_matches, program_of};

use super::path::{self, Extent, Filter};
use super::{Plan, Target};

/// What a `find` acts on below one root.
#[derive(Clone, Debug, PartialEq)]
pub struct Expression {
    /// The root as it was written, since `-path` matches against that.
    printed: String,
    node: Node,
    depth_min: usize,
    depth_max: usize,
    deletes: bool,
    /// Whether it takes only what is old or large, as rotation does.
    pub by_age: bool,
}

#[derive(Clone, Debug, PartialEq)]
enum Node {
    And(Vec<Node>),
    Or(Vec<Node>),
    Not(Box<Node>),
    Name {
        pattern: String,
        folded: bool,
    },
    Path {
        pattern: String,
        folded: bool,
    },
    Kind(Vec<char>),
    Empty,
    /// May hold for anything: time, size, owner, mode.
    Maybe,
    /// Holds for few: a regular expression, a link count.
    Selective,
    Always,
    Never,
    Prune,
    Act,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Truth {
    No,
    Maybe,
    Yes,
}

pub(super) fn plan(out: &mut Plan<'_>) {
    let call = out.call;
    let (roots, expression) = read(&call.argv);
    if !expression.deletes {
        return;
    }
    for root in roots {
        for mut paths in path::of_word(&root, &call.cwd, Extent::Itself) {
            paths.place = out.place();
            paths.filter = Some(Filter::Find(Expression { printed: root.show(), ..expression.clone() }));
            out.push(EffectKind::Delete, Target::Paths(paths));
        }
    }
}

/// Roots and expression of a `find` command; a command without roots has `.`.
pub fn read(argv: &[Word]) -> (Vec<Word>, Expression) {
    if program_of(argv) != "find" {
        return read_fd(argv);
    }
    let mut at = 1;
    while argv.get(at).is_some_and(|w| matches!(w.prefix(), "-H" | "-L" | "-P") || w.prefix().starts_with("-O")) {
        at += 1;
    }
    let from = at;
    while argv.get(at).is_some_and(|w| !w.prefix().starts_with(['-', '(', '!', ')'])) {
        at += 1;
    }
    let mut roots = argv[from..at].to_vec();
    if roots.is_empty() {
        roots.push(Word::literal("."));
    }
    let mut parser = Parser { words: &argv[at..], at: 0, out: Expression::everything() };
    let node = parser.either();
    let printed = roots[0].show();
    (roots, Expression { node, printed, ..parser.out })
}

/// `fd PATTERN ROOT…`: the pattern is a regular expression on names.
fn read_fd(argv: &[Word]) -> (Vec<Word>, Expression) {
    let options = super::options::Options::read(
        &argv[1..],
        &["-e", "-t", "-d", "-E", "-g", "--extension", "--type"],
        super::options::Order::Mixed,
    );
    let roots = match options.operands.get(1..) {
        Some([]) | None => vec![Word::literal(".")],
        Some(roots) => roots.to_vec(),
    };
    let all = options.operands.first().is_none_or(|p| matches!(p.as_literal(), Some("." | "" | ".*")))
        && !options.has(&["-e", "--extension"]);
    let node = if all { Node::Always } else { Node::Selective };
    (roots, Expression { node, ..Expression::everything() })
}

impl Expression {
    /// Whether it takes whatever lies there, as `-type f` alone does.
    pub fn takes_any(&self) -> bool {
        fn any(node: &Node) -> bool {
            match node {
                Node::And(all) => all.iter().all(any),
                Node::Always | Node::Kind(_) | Node::Act => true,
                _ => false,
            }
        }
        !self.by_age && any(&self.node)
    }
}

struct Parser<'w> {
    words: &'w [Word],
    at: usize,
    out: Expression,
}

impl Parser<'_> {
    fn peek(&self) -> Option<&str> {
        self.words.get(self.at).map(Word::prefix)
    }

    fn value(&mut self) -> Option<String> {
        self.at += 1;
        self.words.get(self.at - 1).and_then(Word::as_pattern)
    }

    fn either(&mut self) -> Node {
        let mut all = vec![self.both()];
        while matches!(self.peek(), Some("-o" | "-or" | ",")) {
            self.at += 1;
            all.push(self.both());
        }
        if all.len() == 1 { all.remove(0) } else { Node::Or(all) }
    }

    fn both(&mut self) -> Node {
        let mut all = Vec::new();
        while let Some(word) = self.peek() {
            match word {
                "-o" | "-or" | "," | ")" => break,
                "-a" | "-and" => self.at += 1,
                _ => all.push(self.one()),
            }
        }
        Node::And(all)
    }

    fn one(&mut self) -> Node {
        let word = self.peek().unwrap_or_default().to_owned();
        self.at += 1;
        let pattern = |value: Option<String>, make: fn(String) -> Node| value.map_or(Node::Maybe, make);
        match word.as_str() {
            "(" => {
                let inner = self.either();
                self.at += usize::from(self.peek() == Some(")"));
                inner
            }
            "!" | "-not" => Node::Not(Box::new(self.one())),
            "-name" => pattern(self.value(), |pattern| Node::Name { pattern, folded: false }),
            "-iname" => pattern(self.value(), |pattern| Node::Name { pattern, folded: true }),
            "-path" | "-wholename" => pattern(self.value(), |pattern| Node::Path { pattern, folded: false }),
            "-ipath" | "-iwholename" => pattern(self.value(), |pattern| Node::Path { pattern, folded: true }),
            "-type" | "-xtype" => Node::Kind(self.value().unwrap_or_default().chars().filter(|c| *c != ',').collect()),
            "-mindepth" => {
                self.out.depth_min = self.value().and_then(|v| v.parse().ok()).unwrap_or(0);
                Node::Always
            }
            "-maxdepth" => {
                self.out.depth_max = self.value().and_then(|v| v.parse().ok()).unwrap_or(usize::MAX);
                Node::Always
            }
            "-empty" => Node::Empty,
            "-false" => Node::Never,
            "-prune" => Node::Prune,
            "-delete" => {
                self.out.deletes = true;
                Node::Act
            }
            "-print" | "-print0" => Node::Act,
            "-quit" | "-depth" | "-d" | "-mount" | "-xdev" | "-daystart" | "-noleaf" | "-true" | "-follow" | "-ls" => {
                Node::Always
            }
            "-mtime" | "-ctime" | "-atime" | "-mmin" | "-cmin" | "-amin" | "-size" | "-newer" | "-used" => {
                self.value();
                self.out.by_age = true;
                Node::Maybe
            }
            "-regex" | "-iregex" | "-links" | "-inum" | "-samefile" | "-lname" | "-ilname" => {
                self.value();
                Node::Selective
            }
            "-fprint" | "-printf" | "-fls" | "-regextype" | "-files0-from" => {
                self.value();
                Node::Always
            }
            newer if newer.starts_with("-newer") => {
                self.value();
                self.out.by_age = true;
                Node::Maybe
            }
            "-nouser" | "-nogroup" | "-readable" | "-writable" | "-executable" => Node::Maybe,
            _ => {
                self.value();
                Node::Maybe
            }
        }
    }
}

impl Expression {
    fn everything() -> Expression {
        Expression {
            printed: ".".to_owned(),
            node: Node::Always,
            depth_min: 0,
            depth_max: usize::MAX,
            deletes: false,
            by_age: false,
        }
    }

    /// The same expression below a root that was written in another way.
    pub fn printed_as(&self, root: &str) -> Expression {
        Expression { printed: root.to_owned(), ..self.clone() }
    }

    /// Whether it acts on a path, or with [`Extent::Tree`] on a directory above it.
    pub fn takes(&self, root: &str, path: &str, extent: Extent) -> bool {
        let Some(rest) = path::below(path, root) else { return false };
        let names: Vec<&str> = rest.split('/').filter(|n| !n.is_empty()).collect();
        for depth in 0..=names.len() {
            let at = Place { printed: self.shown(&names[..depth]), depth, last: depth == names.len(), inside: false };
            let (acts, pruned) = self.visit(&at);
            if acts && (at.last || extent == Extent::Tree) {
                return true;
            }
            if pruned {
                return false;
            }
        }
        false
    }

    /// Whether it acts on paths of any name inside a directory of which nothing is known.
    pub fn takes_anything_in(&self, root: &str, path: &str, extent: Extent) -> bool {
        let Some(rest) = path::below(path, root) else { return false };
        let mut names: Vec<&str> = rest.split('/').filter(|n| !n.is_empty()).collect();
        for depth in 0..=names.len() {
            let at = Place { printed: self.shown(&names[..depth]), depth, last: false, inside: false };
            let (acts, pruned) = self.visit(&at);
            if pruned {
                return false;
            }
            if acts && extent == Extent::Tree {
                return true;
            }
        }
        names.push(ANY_NAME);
        // Anything may lie deeper still, so a least depth is reached in the end.
        let depth = names.len().max(self.depth_min);
        self.visit(&Place { printed: self.shown(&names), depth, last: true, inside: true }).0
    }

    fn shown(&self, names: &[&str]) -> String {
        let mut out = self.printed.clone();
        for name in names {
            if !out.ends_with('/') {
                out.push('/');
            }
            out.push_str(name);
        }
        out
    }

    /// Whether it acts on a place, and whether it goes no deeper.
    fn visit(&self, at: &Place) -> (bool, bool) {
        if at.depth > self.depth_max {
            return (false, true);
        }
        let mut visit = Visit { at, acted: Truth::No, pruned: false };
        let truth = visit.eval(&self.node, Truth::Yes);
        let acted = if has_act(&self.node) { visit.acted } else { truth };
        (acted > Truth::No && at.depth >= self.depth_min, visit.pruned && !self.deletes)
    }
}

/// Stands for a name of which nothing is known.
const ANY_NAME: &str = "\u{1}";

struct Place {
    printed: String,
    depth: usize,
    /// Whether this is the path that is asked for, not a directory above it.
    last: bool,
    /// Whether it is an unknown path inside: of any type.
    inside: bool,
}

struct Visit<'a> {
    at: &'a Place,
    acted: Truth,
    pruned: bool,
}

impl Visit<'_> {
    fn eval(&mut self, node: &Node, reach: Truth) -> Truth {
        let yes = |holds: bool| if holds { Truth::Yes } else { Truth::No };
        match node {
            Node::And(all) => {
                let mut whole = Truth::Yes;
                for node in all {
                    whole = whole.min(self.eval(node, reach.min(whole)));
                    if whole == Truth::No {
                        break;
                    }
                }
                whole
            }
            Node::Or(all) => {
                let mut whole = Truth::No;
                let mut reach = reach;
                for node in all {
                    let truth = self.eval(node, reach);
                    whole = whole.max(truth);
                    match truth {
                        Truth::Yes => break,
                        Truth::Maybe => reach = reach.min(Truth::Maybe),
                        Truth::No => {}
                    }
                }
                whole
            }
            Node::Not(inner) => match self.eval(inner, reach) {
                Truth::Yes => Truth::No,
                Truth::No => Truth::Yes,
                Truth::Maybe => Truth::Maybe,
            },
            Node::Name { pattern, folded } => {
                let name = self.at.printed.rsplit('/').next().unwrap_or_default();
                yes(holds(pattern, name, *folded))
            }
            Node::Path { pattern, folded } => yes(holds(pattern, &self.at.printed, *folded)),
            Node::Kind(kinds) if self.at.inside => {
                if kinds.iter().any(|k| matches!(k, 'f' | 'd')) {
                    Truth::Maybe
                } else {
                    Truth::No
                }
            }
            // A path that holds data is a directory, or one of the files listed.
            Node::Kind(kinds) if !self.at.last => yes(kinds.contains(&'d')),
            Node::Kind(kinds) => {
                if kinds.iter().any(|k| matches!(k, 'f' | 'd')) {
                    Truth::Maybe
                } else {
                    Truth::No
                }
            }
            Node::Empty | Node::Never => Truth::No,
            Node::Maybe => Truth::Maybe,
            Node::Selective => yes(false),
            Node::Always => Truth::Yes,
            Node::Prune => {
                self.pruned |= reach == Truth::Yes;
                Truth::Yes
            }
            Node::Act => {
                self.acted = self.acted.max(reach);
                Truth::Yes
            }
        }
    }
}

fn holds(pattern: &str, text: &str, folded: bool) -> bool {
    if folded {
        return pattern_matches(&pattern.to_lowercase(), &text.to_lowercase());
    }
    pattern_matches(pattern, text)
}

fn has_act(node: &Node) -> bool {
    match node {
        Node::And(all) | Node::Or(all) => all.iter().any(has_act),
        Node::Not(inner) => has_act(inner),
        Node::Act => true,
        _ => false,
    }
}
