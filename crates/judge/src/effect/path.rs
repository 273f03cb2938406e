//! Paths that an effect would touch, and whether that hits a path that matters.

use coroner_read::shell::{self, Mounted, Word, components, glob_matches};

use super::find::Expression;
use crate::simulate::rsync::RsyncCommand;

/// Paths with what limits them.
#[derive(Clone, Debug, PartialEq)]
pub struct Paths {
    /// Absolute where it is known; may hold patterns and unknown parts.
    pub path: Word,
    pub place: Place,
    pub extent: Extent,
    /// Which of the paths below are meant.
    pub filter: Option<Filter>,
    /// Only some of them, chosen by a filter that is not modelled (`| head`, `| grep`).
    pub narrowed: bool,
}

/// On which machine a path lies.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Place {
    #[default]
    Host,
    Remote {
        host: String,
    },
    Container {
        name: String,
        mounts: Vec<Mounted>,
    },
}

/// How far an effect reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// One file or one name, never what lies in a directory.
    Itself,
    /// The path and everything below it.
    Tree,
    /// Everything below the path, which itself stays.
    Contents,
}

/// Chooses among the paths below a root.
#[derive(Clone, Debug, PartialEq)]
pub enum Filter {
    Find(Expression),
    /// `git clean`: what git does not track.
    Clean(CleanFilter),
    Rsync(Box<RsyncCommand>),
}

/// What `git clean` takes.
#[derive(Clone, Debug, PartialEq)]
pub struct CleanFilter {
    pub directories: bool,
    /// `-x` or `-X`: ignored paths as well.
    pub ignored: bool,
    pub excludes: Vec<String>,
}

/// How a path is hit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Hit {
    /// Something inside it goes.
    Part,
    /// It goes as a whole.
    Whole,
}

/// How a pattern lies to a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    Same,
    /// The pattern names a directory above the path.
    Above,
    /// The pattern names something inside the path.
    Below,
    Apart,
}

impl Paths {
    /// Whether the effect would hit a path; `known` are paths that are known to lie in it.
    pub fn hits(&self, path: &str, known: &[&str]) -> Option<Hit> {
        match &self.filter {
            Some(Filter::Find(expression)) => self.found(expression, path, known),
            Some(Filter::Clean(clean)) => self.cleaned(clean, path),
            Some(Filter::Rsync(command)) => super::rsync::hits(command, self.path.as_literal()?, path),
            None => self.plain(path),
        }
    }

    /// Whether nothing certain can be said of where it is.
    pub fn is_unresolved(&self) -> bool {
        self.path.is_unresolved()
    }

    fn plain(&self, path: &str) -> Option<Hit> {
        match (relation(&self.path, path), self.extent) {
            (Relation::Same, Extent::Contents) => Some(Hit::Part),
            (Relation::Same, _) => Some(Hit::Whole),
            (Relation::Above, Extent::Tree | Extent::Contents) => Some(Hit::Whole),
            (Relation::Above, Extent::Itself) => None,
            (Relation::Below, _) => Some(Hit::Part),
            (Relation::Apart, _) => None,
        }
    }

    fn found(&self, expression: &Expression, path: &str, known: &[&str]) -> Option<Hit> {
        match relation(&self.path, path) {
            Relation::Apart => None,
            Relation::Below => {
                let inside: Vec<&&str> = known.iter().filter(|k| relation(&self.path, k) != Relation::Apart).collect();
                let root = self.path.as_literal().unwrap_or(path);
                let generic = inside.is_empty() && expression.takes_anything_in(root, root, self.extent);
                (generic || inside.iter().any(|k| expression.takes(root, k, self.extent))).then_some(Hit::Part)
            }
            Relation::Same | Relation::Above => {
                let root = self.path.as_literal().unwrap_or("/");
                if expression.takes(root, path, self.extent) {
                    return Some(Hit::Whole);
                }
                let inside: Vec<&&str> =
                    known.iter().filter(|k| below(k, path).is_some_and(|r| !r.is_empty())).collect();
                let hit = match inside.is_empty() {
                    true => expression.takes_anything_in(root, path, self.extent),
                    false => inside.iter().any(|k| expression.takes(root, k, self.extent)),
                };
                hit.then_some(Hit::Part)
            }
        }
    }

    fn cleaned(&self, clean: &CleanFilter, path: &str) -> Option<Hit> {
        let name = path.rsplit('/').next().unwrap_or(path);
        let kept = clean.excludes.iter().any(|pattern| {
            let bare = pattern.trim_matches('/');
            path.split('/').any(|part| glob_matches(bare, part)) || path.ends_with(&format!("/{bare}")) || bare == name
        });
        if kept || !clean.directories || !clean.ignored {
            return None;
        }
        self.plain(path)
    }
}

/// How the pattern of a word lies to an absolute path.
pub fn relation(pattern: &Word, path: &str) -> Relation {
    if !pattern.prefix().starts_with('/') {
        return Relation::Apart;
    }
    let pattern = components(pattern);
    let path: Vec<&str> = path.split('/').filter(|p| !p.is_empty()).collect();
    let same = pattern.iter().zip(&path).all(|(piece, name)| {
        piece
            .as_literal()
            .map_or_else(|| piece.as_pattern().is_some_and(|p| glob_matches(&p, name)), |literal| literal == *name)
    });
    match (same, pattern.len().cmp(&path.len())) {
        (false, _) => Relation::Apart,
        (true, std::cmp::Ordering::Equal) => Relation::Same,
        (true, std::cmp::Ordering::Less) => Relation::Above,
        // What the pattern adds below the path must at least be known to be something.
        (true, std::cmp::Ordering::Greater) => Relation::Below,
    }
}

/// The rest of a path below a directory (`""` where they are the same).
pub fn below<'p>(path: &'p str, directory: &str) -> Option<&'p str> {
    let directory = directory.trim_end_matches('/');
    let rest = path.trim_end_matches('/').strip_prefix(directory)?;
    (rest.is_empty() || rest.starts_with('/')).then_some(rest)
}

/// The paths that a word names: its own text, or what the commands in it would print.
pub(crate) fn of_word(word: &Word, cwd: &Word, extent: Extent) -> Vec<Paths> {
    let one = |path: Word, filter, narrowed| Paths { path, place: Place::Host, extent, filter, narrowed };
    let Some(commands) = word.produced_by() else { return vec![one(shell::join(cwd, word), None, false)] };
    let Some((source, filters)) = commands.split_first() else { return Vec::new() };
    let narrowed =
        !filters.iter().all(|argv| matches!(shell::program_of(argv), "sort" | "uniq" | "tac" | "cat" | "tr"));
    match shell::program_of(source) {
        "find" | "fd" | "fdfind" => {
            let (roots, expression) = super::find::read(source);
            roots
                .into_iter()
                .map(|root| {
                    let filter = Filter::Find(expression.printed_as(&root.show()));
                    one(shell::join(cwd, &root), Some(filter), narrowed)
                })
                .collect()
        }
        "ls" => listed(source, cwd).into_iter().map(|path| one(path, None, narrowed)).collect(),
        _ => vec![one(word.clone(), None, narrowed)],
    }
}

/// The paths that `ls` prints, as far as its words say.
fn listed(argv: &[Word], cwd: &Word) -> Vec<Word> {
    let options: String =
        argv[1..].iter().map(Word::prefix).filter(|w| w.starts_with('-') && !w.starts_with("--")).collect();
    let operands: Vec<&Word> = argv[1..].iter().filter(|w| !w.prefix().starts_with('-')).collect();
    if operands.is_empty() {
        let all = |pattern: &str| shell::join(cwd, &Word { parts: vec![shell::Part::Glob(pattern.to_owned())] });
        let hidden = options.contains(['a', 'A']).then(|| all(".*"));
        return std::iter::once(all("*")).chain(hidden).collect();
    }
    operands.into_iter().filter(|w| w.has_glob() || options.contains('d')).map(|w| shell::join(cwd, w)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_lie_above_at_and_below() {
        let path = "/opt/app/.data/pg";
        let lies = |text: &str| {
            let mut word = Word::default();
            for (i, piece) in text.split('*').enumerate() {
                if i > 0 {
                    word.parts.push(shell::Part::Glob("*".into()));
                }
                if !piece.is_empty() {
                    word.parts.push(shell::Part::Text(piece.into()));
                }
            }
            relation(&word, path)
        };
        assert_eq!(lies("/opt/app"), Relation::Above);
        assert_eq!(lies("/opt/app/.data/pg"), Relation::Same);
        assert_eq!(lies("/opt/app/.data/pg/base"), Relation::Below);
        assert_eq!(lies("/opt/app/*"), Relation::Apart);
        assert_eq!(lies("/opt/app/.*"), Relation::Above);
        assert_eq!(lies("/opt/*/.data/*"), Relation::Same);
        assert_eq!(lies("/opt/app2"), Relation::Apart);
        assert_eq!(lies("relative"), Relation::Apart);
    }
}
