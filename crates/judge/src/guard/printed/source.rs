//! Commands whose output holds secrets.

use coroner_read::shell::{self, Stdin, Word, program_of};

use super::{inline, manager, path};
use crate::effect::options::{Options, Order};

/// One source of secrets.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Source {
    pub(super) kind: Kind,
    /// The command itself as a filter of its file, such as `grep PATTERN`.
    pub(super) own: Option<Vec<Word>>,
    /// The secret part is named in the command.
    pub(super) asked: bool,
}

/// Where the secrets come from.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    /// A file by its absolute path; may hold `*`.
    File(String),
    /// All variables.
    Environment,
    /// The environments of other processes.
    Processes,
    Variable(String),
    /// What the engine says of containers.
    Containers(Vec<String>),
    /// The configuration with its variables put in.
    Compose,
    /// A store of secrets, with quieter commands.
    Manager {
        what: String,
        quiet: Vec<String>,
    },
    /// A program in another language.
    Program,
}

impl Source {
    pub(super) fn of(kind: Kind) -> Source {
        Source { kind, own: None, asked: true }
    }
}

impl Kind {
    pub(super) fn target(&self) -> String {
        match self {
            Kind::File(path) => path.clone(),
            Kind::Environment | Kind::Program => "the environment".into(),
            Kind::Processes => "environments of processes".into(),
            Kind::Variable(name) => name.clone(),
            Kind::Containers(names) => names.join(" "),
            Kind::Compose => "the compose configuration".into(),
            Kind::Manager { what, .. } => what.clone(),
        }
    }

    pub(super) fn what(&self) -> String {
        match self {
            Kind::File(path) => format!("the secrets in {path}"),
            Kind::Environment | Kind::Program => "secrets of the environment".into(),
            Kind::Processes => "the environments of processes".into(),
            Kind::Variable(name) => format!("the value of {name}"),
            Kind::Containers(names) => format!("the environment of {}", names.join(" and ")),
            Kind::Compose => "the secrets of the compose configuration".into(),
            Kind::Manager { what, .. } => what.clone(),
        }
    }
}

/// Whether a variable's name says that its value is a secret.
pub(super) fn is_secret_variable(name: &str) -> bool {
    if !name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_') {
        return false;
    }
    let words: Vec<&str> = name.split('_').filter(|w| !w.is_empty()).collect();
    let words: Vec<&str> = words.iter().map(|w| w.trim_end_matches(|c: char| c.is_ascii_digit())).collect();
    let Some((last, before)) = words.split_last() else { return false };
    let address = matches!(*last, "URL" | "URI" | "DSN")
        && before.iter().any(|w| {
            matches!(
                *w,
                "DATABASE" | "DB" | "POSTGRES" | "PG" | "MYSQL" | "MONGO" | "MONGODB" | "REDIS" | "AMQP" | "SENTRY"
            )
        });
    let key = *last == "KEY"
        && before
            .last()
            .is_some_and(|w| !matches!(*w, "PUBLIC" | "PRIMARY" | "SORT" | "CACHE" | "PARTITION" | "FOREIGN"));
    address
        || key
        || matches!(*last, "PASSWORD" | "PASSWD" | "PASSPHRASE" | "SECRET" | "TOKEN" | "APIKEY" | "CREDENTIALS" | "PAT")
        || matches!(*last, "PASS" | "PWD") && !before.is_empty() && before != ["OLD"]
        || matches!(*last, "PGPASSWORD" | "DBPASSWORD" | "PASSWORDS" | "SECRETS")
}

/// The sources in the words of one command.
pub(super) fn of(argv: &[Word], cwd: &Word, stdin: Option<&Stdin>) -> Vec<Source> {
    let words = argv.get(1..).unwrap_or_default();
    let one = |kind| vec![Source::of(kind)];
    match program_of(argv) {
        "env" => environment(words),
        "printenv" => printenv(words),
        "set" if words.is_empty() => one(Kind::Environment),
        "export" | "declare" | "typeset" => declared(words),
        "ps" => processes(words),
        "docker" | "podman" | "nerdctl" | "docker-compose" | "podman-compose" => docker(argv),
        name if shell::is_interpreter(name) && !matches!(name, "awk" | "gawk" | "mawk" | "nawk") => {
            let files = files(argv, cwd, stdin);
            if files.is_empty() { inline::of(argv, cwd, stdin) } else { files }
        }
        _ => match manager::of(argv) {
            Some(manager) => vec![manager],
            None => files(argv, cwd, stdin),
        },
    }
}

/// `env` and `env -0`: all else carries a command.
fn environment(words: &[Word]) -> Vec<Source> {
    let plain = words.iter().all(|w| w.prefix().starts_with('-') || w.prefix().contains('='));
    let emptied = words
        .iter()
        .any(|w| matches!(w.as_literal(), Some("-i" | "-" | "--ignore-environment" | "--help" | "--version")));
    if plain && !emptied { vec![Source::of(Kind::Environment)] } else { Vec::new() }
}

fn printenv(words: &[Word]) -> Vec<Source> {
    let names: Vec<&str> = words.iter().filter_map(Word::as_literal).filter(|w| !w.starts_with('-')).collect();
    if names.is_empty() {
        return vec![Source::of(Kind::Environment)];
    }
    let secret = names.into_iter().filter(|name| is_secret_variable(name));
    secret.map(|name| Source::of(Kind::Variable(name.to_owned()))).collect()
}

/// `export -p`, `declare -x`, `declare -p NAME`.
fn declared(words: &[Word]) -> Vec<Source> {
    let (options, names): (Vec<&Word>, Vec<&Word>) = words.iter().partition(|w| w.prefix().starts_with('-'));
    let letters: String = options.iter().map(|w| w.prefix().trim_start_matches('-')).collect();
    if names.is_empty() && !letters.contains(['f', 'F']) {
        return vec![Source::of(Kind::Environment)];
    }
    let secret = names.iter().filter_map(|w| w.as_literal()).filter(|n| letters.contains('p') && is_secret_variable(n));
    secret.map(|name| Source::of(Kind::Variable(name.to_owned()))).collect()
}

/// `ps e`, `ps auxe`: the letter without a dash shows environments.
fn processes(words: &[Word]) -> Vec<Source> {
    let shows = words
        .iter()
        .filter_map(Word::as_literal)
        .any(|w| !w.starts_with('-') && w.contains('e') && w.chars().all(|c| c.is_ascii_alphabetic()) || w == "-E");
    if shows { vec![Source::of(Kind::Processes)] } else { Vec::new() }
}

fn docker(argv: &[Word]) -> Vec<Source> {
    let compose = program_of(argv).ends_with("-compose");
    let words: Vec<&Word> = argv.iter().skip(1).collect();
    let texts: Vec<String> = words.iter().map(|w| w.show()).collect();
    let has = |flag: &str| texts.iter().any(|t| t == flag || t.starts_with(&format!("{flag}=")));
    if compose || texts.iter().any(|t| t == "compose") {
        let command = texts.iter().any(|t| t == "config" || t == "convert");
        let quiet = [
            "-q",
            "--quiet",
            "--services",
            "--images",
            "--volumes",
            "--profiles",
            "--networks",
            "--hash",
            "-o",
            "--output",
            "--no-interpolate",
            "--help",
            "-h",
        ];
        // A file of that name is no sub-command.
        return match command && !quiet.iter().any(|flag| has(flag)) {
            true => vec![Source::of(Kind::Compose)],
            false => Vec::new(),
        };
    }
    let operands: Vec<&str> = texts.iter().map(String::as_str).filter(|t| !t.starts_with('-')).collect();
    let rest = match operands.as_slice() {
        ["inspect", rest @ ..] | ["container", "inspect", rest @ ..] => rest,
        _ => return Vec::new(),
    };
    let options = Options::read(&argv[1..], &["-f", "--format", "--type"], Order::Mixed);
    let typed = options.value(&["--type"]).and_then(Word::as_literal).unwrap_or("container");
    if typed != "container" {
        return Vec::new();
    }
    let format = options.value(&["-f", "--format"]).map(Word::show);
    let asked = match &format {
        None => false,
        Some(f) => f.contains(".Env") || f.contains("json .Config}") || f.contains("json .}") || f.contains("json . }"),
    };
    if format.is_some() && !asked {
        return Vec::new();
    }
    let names: Vec<String> =
        rest.iter().filter(|n| Some(**n) != format.as_deref() && **n != typed).map(|n| (*n).to_owned()).collect();
    if names.is_empty() { Vec::new() } else { vec![Source { kind: Kind::Containers(names), own: None, asked }] }
}

/// Options of readers that take a value, so that the value is no file.
fn valued(program: &str) -> &'static [&'static str] {
    match program {
        "head" | "tail" => &["-n", "-c", "--lines", "--bytes"],
        "grep" | "egrep" | "fgrep" | "rg" | "ag" | "zgrep" => {
            &["-A", "-B", "-C", "-m", "-e", "-f", "--color", "-g", "--include", "--exclude", "-t"]
        }
        "cut" => &["-d", "-f", "-c", "-b"],
        "sort" => &["-k", "-t", "-o", "-S"],
        "xxd" => &["-l", "-s", "-c", "-g"],
        "hexdump" | "hd" => &["-n", "-s", "-e", "-f"],
        "od" => &["-A", "-t", "-N", "-j", "-w"],
        "sed" => &["-e", "-f", "--expression"],
        "awk" | "gawk" | "mawk" => &["-F", "-v", "-f"],
        "base64" | "base32" | "fold" => &["-w"],
        "strings" => &["-n"],
        "bat" | "batcat" => &["-l", "-r", "--line-range", "--style", "--paging", "--theme"],
        "column" => &["-s", "-o", "-c"],
        "jq" | "yq" => &["--indent"],
        _ => &[],
    }
}

/// Programs that print their files, and how many operands come before the files.
fn operands_before(program: &str) -> Option<usize> {
    Some(match program {
        "cat" | "tac" | "less" | "more" | "most" | "bat" | "batcat" | "nl" | "strings" | "xxd" | "hexdump" | "hd"
        | "od" | "base64" | "base32" | "head" | "tail" | "sort" | "uniq" | "column" | "fold" | "fmt" | "rev"
        | "paste" | "cut" | "pr" | "tr" | "zcat" | "diff" | "sdiff" | "comm" | "join" | "expand" | "look" | "tee" => 0,
        "grep" | "egrep" | "fgrep" | "rg" | "ag" | "zgrep" | "sed" | "awk" | "gawk" | "mawk" | "jq" | "yq" => 1,
        _ => return None,
    })
}

/// Files that a program prints, as a whole or filtered.
fn files(argv: &[Word], cwd: &Word, stdin: Option<&Stdin>) -> Vec<Source> {
    let program = program_of(argv);
    let words = argv.get(1..).unwrap_or_default();
    let source = |word: &Word, own: Option<Vec<Word>>| {
        let full = shell::join(cwd, word);
        let shown = full.as_pattern()?;
        if shown.starts_with("/proc/") && shown.ends_with("/environ") {
            let own_process = ["/proc/self/", "/proc/thread-self/", "/proc/$$/"].iter().any(|p| shown.starts_with(p));
            let kind = if own_process { Kind::Environment } else { Kind::Processes };
            return Some(Source { kind, own: None, asked: true });
        }
        path::may_hold_secrets(&shown).then_some(Source { kind: Kind::File(shown), own, asked: true })
    };
    if program == "dd" {
        let given = |name: &str| words.iter().find_map(|w| w.as_literal()?.strip_prefix(name).map(Word::literal));
        let printed = given("of=").is_none_or(|to| matches!(to.as_literal(), Some("/dev/stdout" | "/dev/tty")));
        return given("if=").filter(|_| printed).and_then(|from| source(&from, None)).into_iter().collect();
    }
    if matches!(program, "cp" | "install") {
        let to_terminal =
            words.last().is_some_and(|w| matches!(w.as_literal(), Some("/dev/stdout" | "/dev/stderr" | "/dev/tty")));
        return words.iter().filter(|_| to_terminal).filter_map(|w| source(w, None)).collect();
    }
    let module = program.starts_with("python") && words.iter().any(|w| w.as_literal() == Some("json.tool"));
    if module {
        return words.iter().filter(|w| !w.prefix().starts_with('-')).filter_map(|w| source(w, None)).collect();
    }
    let Some(before) = operands_before(program) else { return Vec::new() };
    if program == "sed" && words.iter().any(|w| w.prefix().starts_with("-i") || w.prefix().starts_with("--in-place")) {
        return Vec::new();
    }
    if matches!(program, "tr" | "tee") {
        // It reads no file by name, only its standard input; `tee` writes to those that it is given.
        let Some(Stdin::File(file)) = stdin else { return Vec::new() };
        return source(file, Some(argv.to_vec())).into_iter().collect();
    }
    let options = Options::read(words, valued(program), Order::Mixed);
    let scripted = before > 0 && options.has(&["-e", "-f", "--expression", "--regexp", "--file"]);
    let skipped = if scripted { 0 } else { before };
    let operands = options.operands.get(skipped..).unwrap_or_default();
    // The command without its files is what filters their text.
    let own: Vec<Word> = argv.iter().filter(|w| !operands.contains(w)).cloned().collect();
    let mut found: Vec<Source> = operands.iter().filter_map(|w| source(w, Some(own.clone()))).collect();
    if let (Some(Stdin::File(file)), true) = (stdin, operands.is_empty()) {
        found.extend(source(file, Some(own)));
    }
    found
}
