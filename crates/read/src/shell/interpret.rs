//! Interpreters other than shells: what their programs run, delete or empty in turn.

#![allow(clippy::result_large_err, reason = "the world goes back to the caller, it is no error on its way up")]

use super::carrier::{printed, split_options};
use super::walk::Walker;
use super::word::{Part, Word};
use super::world::{Flow, Frame, World};
use super::{Carrier, Stdin, javascript, lexed, path, program_of, python};

/// What a program would run, in a shell's terms.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Act {
    /// A command by its words, such as `rm -rf PATH`.
    Run(Vec<Word>),
    /// Text for a shell.
    Shell(Word),
    /// Text that is put at the end of a file.
    Append { path: Word, text: Word },
}

/// What a program is given from around it.
pub(crate) struct Around<'a> {
    /// Its own path and its arguments.
    pub(crate) arguments: &'a [Word],
    /// The value of an environment variable, where it is known.
    pub(crate) variable: &'a dyn Fn(&str) -> Word,
}

/// Longest program that is read, in bytes.
pub(crate) const PROGRAM_BYTES_MAX: usize = 256 * 1024;
/// Most acts of one program that are followed.
const ACTS_MAX: usize = 256;

#[derive(Clone, Copy, PartialEq)]
enum Language {
    Python,
    JavaScript,
    Perl,
    Ruby,
    Php,
    Awk,
    Lua,
    R,
    Julia,
    Elixir,
    Groovy,
    Tcl,
    Lisp,
    Apple,
}

fn language(name: &str) -> Option<Language> {
    let bare = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    Some(match bare {
        "python" | "pypy" | "ipython" => Language::Python,
        "node" | "nodejs" | "bun" | "deno" | "tsx" | "ts-node" | "zx" => Language::JavaScript,
        "perl" => Language::Perl,
        "ruby" | "jruby" => Language::Ruby,
        "php" => Language::Php,
        "awk" | "gawk" | "mawk" | "nawk" => Language::Awk,
        "lua" | "luajit" => Language::Lua,
        "R" | "Rscript" => Language::R,
        "julia" => Language::Julia,
        "elixir" => Language::Elixir,
        "groovy" => Language::Groovy,
        "tclsh" | "expect" => Language::Tcl,
        "emacs" | "emacsclient" => Language::Lisp,
        "osascript" => Language::Apple,
        _ => return None,
    })
}

/// Whether a program reads programs of another language than the shell's.
pub fn is_interpreter(name: &str) -> bool {
    language(name).is_some()
}

/// Options that take a separate value, and those whose value is a program.
fn options_of(language: Language) -> (&'static [&'static str], &'static [&'static str]) {
    match language {
        Language::Python => (&["-c", "-W", "-X"], &["-c"]),
        Language::JavaScript => (
            &["-e", "--eval", "-p", "--print", "-r", "--require", "--import", "--loader", "--conditions", "-C"],
            &["-e", "--eval", "-p", "--print"],
        ),
        Language::Perl => (&["-e", "-E"], &["-e", "-E"]),
        Language::Ruby => (&["-e", "-C"], &["-e"]),
        Language::Php => (&["-r", "-d", "-c", "-f", "-B", "-R", "-E"], &["-r", "-B", "-R", "-E"]),
        Language::Awk => (&["-v", "-F", "-f", "-e", "--source"], &["-e", "--source"]),
        Language::Lua => (&["-e", "-l"], &["-e"]),
        Language::R => (&["-e", "-f", "--file"], &["-e"]),
        Language::Julia => (&["-e", "-E", "--eval", "--print", "-L", "--project"], &["-e", "-E", "--eval", "--print"]),
        Language::Elixir | Language::Groovy => (&["-e", "--eval", "-r", "-cp"], &["-e", "--eval"]),
        Language::Tcl => (&["-c"], &["-c"]),
        Language::Lisp => (&["--eval", "-eval", "--load", "-l", "-f", "-Q"], &["--eval", "-eval"]),
        Language::Apple => (&["-e", "-l"], &["-e"]),
    }
}

/// `python -c PROGRAM`, `node FILE`, `perl <<EOF`: follows what the program does; the interpreter itself stays.
pub(crate) fn unwrap(walker: &mut Walker<'_>, argv: &[Word], world: World, frame: &Frame) -> Result<Flow, World> {
    let Some(language) = language(program_of(argv)) else { return Err(world) };
    let (valued, inline) = options_of(language);
    if let Some(module) = module_of(language, &argv[1..]) {
        let file = path::join(&world.cwd, &Word::literal(format!("{}.py", module.replace('.', "/"))));
        follow_file(walker, language, &file, &argv[1..], &world, frame);
        return Err(world);
    }
    let (options, mut rest) = split_options(&argv[1..], valued);
    let given = options.iter().rev().find(|(name, value)| value.is_some() && is_inline(name, inline));
    if let Some(text) = given.and_then(|(_, value)| *value).cloned() {
        follow(walker, language, &text, rest, &world, frame);
        return Err(world);
    }
    if language == Language::JavaScript {
        match rest.first().and_then(Word::as_literal) {
            Some("eval") if program_of(argv) == "deno" => {
                let text = split_options(&rest[1..], &[]).1.first().cloned();
                text.iter().for_each(|text| follow(walker, language, text, &[], &world, frame));
                return Err(world);
            }
            Some("run" | "watch") if program_of(argv) != "node" => rest = split_options(&rest[1..], valued).1,
            _ => {}
        }
    }
    if language == Language::Awk {
        let file = options.iter().find(|(name, _)| *name == "-f").and_then(|(_, value)| value.cloned());
        match (file, rest.first().cloned()) {
            (Some(file), _) => follow_file(walker, language, &path::join(&world.cwd, &file), &[], &world, frame),
            (None, Some(text)) => follow(walker, language, &text, &[], &world, frame),
            (None, None) => {}
        }
        return Err(world);
    }
    if language == Language::Lisp {
        // What an editor is given is mostly text to edit.
        return Err(world);
    }
    match rest.first() {
        Some(file) if file.as_literal() != Some("-") => match printed(file, frame) {
            Some(text) => follow(walker, language, &text, rest, &world, frame),
            None => follow_file(walker, language, &path::join(&world.cwd, file), rest, &world, frame),
        },
        _ => match &frame.stdin {
            Stdin::Text(text) => follow(walker, language, &text.clone(), rest, &world, frame),
            Stdin::File(file) => follow_file(walker, language, &path::join(&world.cwd, file), rest, &world, frame),
            Stdin::Output(commands) => {
                let source = commands.first().filter(|argv| program_of(argv) == "cat" && commands.len() == 1);
                if let Some(file) = source.and_then(|argv| argv.get(1)) {
                    follow_file(walker, language, &path::join(&world.cwd, file), rest, &world, frame);
                }
            }
            Stdin::Inherited => {}
        },
    }
    Err(world)
}

/// `-c`, and `-ne` or `-we` where the last letter takes the program.
fn is_inline(name: &str, inline: &[&str]) -> bool {
    inline
        .iter()
        .any(|option| name == *option || (!name.starts_with("--") && option.len() == 2 && name.ends_with(&option[1..])))
}

/// The module of `python -m`.
fn module_of(language: Language, words: &[Word]) -> Option<String> {
    let at = words.iter().position(|w| !w.prefix().starts_with('-') || w.as_literal() == Some("-m"))?;
    let is_module = language == Language::Python && words[at].as_literal() == Some("-m");
    is_module.then(|| words.get(at + 1).map(Word::show)).flatten()
}

fn follow_file(
    walker: &mut Walker<'_>,
    language: Language,
    file: &Word,
    arguments: &[Word],
    world: &World,
    frame: &Frame,
) {
    let Some(path) = file.as_literal().map(str::to_owned) else { return };
    let Some(text) = walker.file(&path, false) else { return };
    let inside = frame.through(Carrier::Script { path });
    let mut own = vec![file.clone()];
    own.extend(arguments.iter().skip(1).cloned());
    follow(walker, language, &Word::literal(text), &own, world, &inside);
}

/// Follows a script by its first line or its name; false where it is in no language that is read.
pub(crate) fn script(walker: &mut Walker<'_>, path: &str, text: &str, world: &World, frame: &Frame) -> bool {
    let first = text.lines().next().unwrap_or_default();
    let by_line = first
        .strip_prefix("#!")
        .and_then(|line| line.split_whitespace().map(|w| w.rsplit('/').next().unwrap_or(w)).find_map(language));
    let by_name = || match path.rsplit_once('.')?.1 {
        "py" => Some(Language::Python),
        "js" | "mjs" | "cjs" | "ts" | "mts" => Some(Language::JavaScript),
        "pl" => Some(Language::Perl),
        "rb" => Some(Language::Ruby),
        "php" => Some(Language::Php),
        _ => None,
    };
    let Some(language) = by_line.or_else(by_name) else { return false };
    let inside = frame.through(Carrier::Script { path: path.to_owned() });
    follow(walker, language, &Word::literal(text), &[Word::literal(path)], world, &inside);
    true
}

/// Follows what a program of a language does.
fn follow(
    walker: &mut Walker<'_>,
    language: Language,
    program: &Word,
    arguments: &[Word],
    world: &World,
    frame: &Frame,
) {
    let Some(text) = plain(program) else { return };
    if text.len() > PROGRAM_BYTES_MAX {
        return;
    }
    let acts = {
        let context = walker.context;
        let variable = |name: &str| match world.vars.get(name) {
            Some(super::world::Value::Scalar(word)) => word.clone(),
            _ => match context.env.get(name) {
                Some(value) => Word::literal(value.clone()),
                None => Word::unknown(super::Unknown::Variable(name.to_owned())),
            },
        };
        let around = Around { arguments, variable: &variable };
        match language {
            Language::Python => python::acts(&text, &around),
            Language::JavaScript => javascript::acts(&text, &around),
            Language::Perl => lexed::perl(&text),
            Language::Ruby => lexed::ruby(&text),
            Language::Php => lexed::php(&text),
            Language::Awk => lexed::awk(&text),
            Language::Lua => lexed::lua(&text),
            Language::R => lexed::r(&text),
            Language::Julia => lexed::julia(&text),
            Language::Elixir => lexed::elixir(&text),
            Language::Groovy => lexed::groovy(&text),
            Language::Lisp => lexed::lisp(&text),
            Language::Apple => lexed::apple(&text),
            Language::Tcl => super::escape::tcl(&text).into_iter().map(Act::Shell).collect(),
        }
    };
    let name = format!("{}", Name(language));
    let inside = Frame { stdin: Stdin::Inherited, ..frame.through(Carrier::Shell { program: name }) };
    let mut world = world.clone();
    for act in acts.into_iter().take(ACTS_MAX) {
        match act {
            Act::Run(words) if words.len() == 2 && program_of(&words) == "cd" => {
                world.cwd = path::join(&world.cwd, &words[1]);
            }
            Act::Run(words) if !words.is_empty() => drop(walker.dispatch(words, world.clone(), &inside)),
            Act::Run(_) => {}
            Act::Shell(text) => drop(walker.run_text(&text, "sh", world.clone(), &inside)),
            Act::Append { path, text } => {
                let fed = Frame { stdin: Stdin::Text(text), ..inside.clone() };
                let words = vec![Word::literal("tee"), Word::literal("-a"), path];
                walker.dispatch(words, world.clone(), &fed);
            }
        }
    }
}

struct Name(Language);

impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self.0 {
            Language::Python => "python",
            Language::JavaScript => "node",
            Language::Perl => "perl",
            Language::Ruby => "ruby",
            Language::Php => "php",
            Language::Awk => "awk",
            Language::Lua => "lua",
            Language::R => "R",
            Language::Julia => "julia",
            Language::Elixir => "elixir",
            Language::Groovy => "groovy",
            Language::Tcl => "tclsh",
            Language::Lisp => "emacs",
            Language::Apple => "osascript",
        })
    }
}

/// A program with a name in the place of what is not known of it.
fn plain(program: &Word) -> Option<String> {
    if program.parts.iter().all(|p| matches!(p, Part::Unknown(_))) {
        return None;
    }
    Some(program.parts.iter().fold(String::new(), |mut out, part| {
        match part {
            Part::Text(text) | Part::Glob(text) => out.push_str(text),
            Part::Unknown(_) => out.push_str("unknown"),
        }
        out
    }))
}

/// An action on paths by words of a command.
pub(crate) fn run<const N: usize>(program: [&str; N], rest: impl IntoIterator<Item = Word>) -> Act {
    Act::Run(program.into_iter().map(Word::literal).chain(rest).collect())
}

/// The same act in another directory.
pub(crate) fn within(act: Act, directory: Option<Word>) -> Act {
    let Some(directory) = directory else { return act };
    let words = match act {
        Act::Run(words) => words,
        Act::Shell(text) => vec![Word::literal("sh"), Word::literal("-c"), text],
        Act::Append { .. } => return act,
    };
    run(["env", "-C"], std::iter::once(directory).chain(words))
}

/// Words with something between them.
pub(crate) fn joined(words: Vec<Word>, between: &str) -> Word {
    let mut out = Word::default();
    for (i, word) in words.into_iter().enumerate() {
        // An absolute path begins anew.
        if between == "/" && word.prefix().starts_with('/') {
            out = Word::default();
        } else if i > 0 {
            out.push_text(between);
        }
        out.extend(word);
    }
    out
}

/// The command that runs SQL on a database, as far as it is named.
pub(crate) fn sql(client: &Client, text: Word) -> Act {
    match client {
        Client::Sqlite(file) => run(["sqlite3"], [file.clone(), text]),
        Client::MySql(options) => run(["mysql"], options.iter().cloned().chain([Word::literal("-e"), text])),
        Client::Postgres(options) => run(["psql"], options.iter().cloned().chain([Word::literal("-c"), text])),
    }
}

/// The database that a program talks to.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Client {
    Sqlite(Word),
    MySql(Vec<Word>),
    Postgres(Vec<Word>),
}
