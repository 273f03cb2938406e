//! Reads shell text: which commands it would run, with which words, where.
//!
//! Nothing is run. The text is parsed by a real grammar and walked as a shell
//! would, with variables, functions, loops over words, `cd`, carriers such as
//! `sudo` and `bash -c`, and here-documents. What cannot be known stays a part of
//! the word that says so ([`Unknown`]), and both ways of a branch are taken.

mod builtin;
mod carrier;
mod decode;
mod escape;
mod expand;
mod fallback;
mod fetch;
mod git;
mod grammar;
mod inner;
mod interpret;
mod javascript;
mod lexed;
mod path;
mod prefix;
mod produce;
mod python;
mod scan;
mod schedule;
mod task;
mod tree;
mod walk;
mod word;
mod world;

use std::collections::BTreeMap;
use std::ops::Range;

pub use carrier::is_shell;
pub use fetch::{decodes, fetches};
pub use interpret::is_interpreter;
pub use path::{components, join};
pub use scan::{GRAMMAR_BYTES_MAX, NESTING_MAX};
pub use word::{Part, Unknown, Word, glob_matches, pattern_matches, show_argv};

/// What is known before the text runs.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// Absolute working directory; empty where unknown.
    pub cwd: &'a str,
    /// Environment variables, `HOME` among them.
    pub env: &'a BTreeMap<String, String>,
    /// Texts of scripts by absolute path, as far as they were read.
    pub files: &'a BTreeMap<String, String>,
}

/// Everything that a text would run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Script {
    /// In the order of the text; a command in a loop stands once for each round.
    pub invocations: Vec<Invocation>,
    /// Scripts that would run and whose text is not at hand, each once.
    pub wanted: Vec<Wanted>,
    /// Why not everything could be read; empty where it could.
    pub limits: Vec<Limit>,
    /// The invocation by which a function starts itself beside itself, again and again.
    pub multiplies: Option<usize>,
}

/// A script file that a command would run.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Wanted {
    /// Absolute path.
    pub path: String,
    /// Whether a shell was told to read it; otherwise it may be any program.
    pub shell: bool,
}

/// What made the reading of a text less than whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Limit {
    /// Longer than [`GRAMMAR_BYTES_MAX`]: read as flat words.
    Bytes,
    /// Deeper than [`NESTING_MAX`]: read as flat words.
    Nesting,
    /// The grammar refused it; the tolerant one read it.
    Grammar,
    /// More commands than are followed, or texts nested deeper than that.
    Steps,
    /// Not every round of a loop, or way through branches, was followed.
    Rounds,
    /// A script file is longer, deeper or busier than what is followed.
    File,
}

/// One command that would run.
#[derive(Clone, Debug, PartialEq)]
pub struct Invocation {
    /// The program and its arguments, carriers taken off.
    pub argv: Vec<Word>,
    /// The working directory, absolute where it is known.
    pub cwd: Word,
    /// Variables that the text gives the command: exported before, then set for it alone.
    pub assignments: Vec<(String, Word)>,
    pub redirects: Vec<Redirect>,
    pub stdin: Stdin,
    /// Through what it is run, outermost first.
    pub carriers: Vec<Carrier>,
    /// Whether it runs only when another command succeeds or fails.
    pub conditional: bool,
    /// Whether a loop may run it again, word for word the same.
    pub repeated: bool,
    /// Absolute paths that are not there when it runs: `[ -f x ] || cp y x`.
    pub absent: Vec<String>,
    /// Characters of the outermost text that lead to it.
    pub span: Range<usize>,
}

impl Invocation {
    /// The name of the program without its directory; empty where unknown.
    pub fn program(&self) -> &str {
        program_of(&self.argv)
    }

    /// Whether it runs on this host rather than on another or inside a container.
    pub fn is_local(&self) -> bool {
        !self.carriers.iter().any(|c| matches!(c, Carrier::Remote { .. } | Carrier::Container { .. }))
    }
}

/// The name of the program of some words, without its directory.
pub fn program_of(argv: &[Word]) -> &str {
    let name = argv.first().and_then(Word::as_literal).unwrap_or_default();
    name.rsplit('/').next().unwrap_or(name)
}

/// Where a command's standard input comes from.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Stdin {
    #[default]
    Inherited,
    /// Known text: a here-document, or what a known command prints.
    Text(Word),
    /// What other commands print, first the source, then the filters.
    Output(Vec<Vec<Word>>),
    File(Word),
}

/// One redirection to a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Redirect {
    pub kind: RedirectKind,
    pub target: Word,
    /// The stream that is redirected: 0, 1, 2; `&>` counts as 1.
    pub stream: u32,
    /// Which opening of the file it is: the commands of a group share one.
    pub opening: usize,
}

/// What a redirection does to its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RedirectKind {
    Read,
    /// What was there is gone.
    Write,
    Append,
}

/// Through what a command is run.
#[derive(Clone, Debug, PartialEq)]
pub enum Carrier {
    /// `sudo`, `doas`, `su`: as another user.
    As {
        user: String,
    },
    /// `env`, `nohup`, `timeout` and the like: the same command in other clothes.
    Wrapped {
        program: String,
    },
    /// `dotenv -e FILE`: with the variables of a file, as it was named.
    EnvFile {
        file: Word,
    },
    /// `bash -c`, `eval`, text fed to a shell.
    Shell {
        program: String,
    },
    /// A script file.
    Script {
        path: String,
    },
    /// `xargs`, `parallel`: words come from the standard input.
    Arguments {
        program: String,
    },
    /// `ssh`: on another host.
    Remote {
        host: String,
    },
    /// `docker exec` and the like: inside a container or service.
    Container {
        name: String,
        mounts: Vec<Mounted>,
    },
    /// `$( … )`.
    Substitution,
    Function {
        name: String,
    },
}

/// A writable part of the host, or a volume, that a new container is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mounted {
    /// A path of the host as written, or the name of a volume.
    pub source: String,
    /// Where it lies inside.
    pub target: String,
}

/// Reads a text as a shell would run it.
pub fn read(text: &str, context: &Context<'_>) -> Script {
    // No command line can hold a NUL; whatever is made of one, what stands behind it may run.
    match text.contains('\0') {
        true => walk::run(&text.replace('\0', "\n"), context),
        false => walk::run(text, context),
    }
}

/// What a command prints, where its words and its known input alone say it.
pub fn printed(call: &Invocation) -> Option<Word> {
    let world = world::World { cwd: call.cwd.clone(), ..world::World::default() };
    produce::output(&call.argv, &world, &call.stdin)
}

/// What a filter such as `grep`, `cut` or `sed s///` makes of a text; `None` where it is not modelled.
pub fn filtered(argv: &[Word], text: &str) -> Option<String> {
    decode::filtered(argv, text)
}

#[cfg(test)]
mod tests;
