//! Carriers whose command is the rest of their words: `nice`, `timeout`, `poetry run`, …
//!
//! They are data: which options take a value, how many operands come first, and
//! which words are text for a shell instead of a command.

use super::carrier::split_options;
use super::walk::Walker;
use super::word::Word;
use super::world::{Flow, Frame, World};
use super::{Carrier, program_of};

/// A carrier and where its command begins.
struct Prefix {
    name: &'static str,
    /// Sub-commands that carry; empty: the program itself does.
    verbs: &'static [&'static str],
    /// Options that take a separate value.
    valued: &'static [&'static str],
    /// Operands before the command, such as the time of `timeout`.
    operands: usize,
    /// Options whose value is text for a shell.
    texts: &'static [&'static str],
    rest: Rest,
}

/// What the words behind options and operands are.
#[derive(Clone, Copy, PartialEq)]
enum Rest {
    Words,
    /// Joined, they are text for a shell.
    Text,
    /// Each word is text for a shell of its own.
    Texts,
    Nothing,
}

impl Prefix {
    const fn verbs(mut self, verbs: &'static [&'static str]) -> Prefix {
        self.verbs = verbs;
        self
    }

    const fn texts(mut self, texts: &'static [&'static str]) -> Prefix {
        self.texts = texts;
        self
    }

    const fn rest(mut self, rest: Rest) -> Prefix {
        self.rest = rest;
        self
    }
}

const fn prefix(name: &'static str, valued: &'static [&'static str], operands: usize) -> Prefix {
    Prefix { name, verbs: &[], valued, operands, texts: &[], rest: Rest::Words }
}

const RUN: &[&str] = &["run"];
const EXEC: &[&str] = &["exec"];

const PREFIXES: &[Prefix] = &[
    // The shell's own.
    prefix("command", &[], 0),
    prefix("builtin", &[], 0),
    prefix("exec", &["-a"], 0),
    prefix("noglob", &[], 0),
    prefix("nocorrect", &[], 0),
    prefix("-", &[], 0),
    // When and how.
    prefix("nohup", &[], 0),
    prefix("setsid", &[], 0),
    prefix("coroner", &["--store", "--casefile", "--format"], 0).verbs(EXEC).texts(&["-c"]),
    prefix("time", &["-f", "--format", "-o", "--output"], 0),
    prefix("gtime", &["-f", "--format", "-o", "--output"], 0),
    prefix("nice", &["-n", "--adjustment"], 0),
    prefix("ionice", &["-c", "--class", "-n", "--classdata"], 0),
    prefix("timeout", &["-s", "--signal", "-k", "--kill-after"], 1),
    prefix("gtimeout", &["-s", "--signal", "-k", "--kill-after"], 1),
    prefix("stdbuf", &["-i", "-o", "-e", "--input", "--output", "--error"], 0),
    prefix("unbuffer", &[], 0),
    prefix("rlwrap", &["-f", "-H", "-s"], 0),
    prefix("winpty", &[], 0),
    prefix("chrt", &["-T", "-P", "-D"], 1),
    prefix("taskset", &[], 1),
    prefix("numactl", &["-N", "-m", "-C", "-i", "-p"], 0),
    prefix("cpulimit", &["-l", "--limit", "-e", "--exe"], 0),
    prefix("chronic", &[], 0),
    prefix("caffeinate", &["-t", "-w"], 0),
    prefix("retry", &["-t", "--times", "-d", "--delay", "-m", "--max-time"], 0),
    prefix("logsave", &[], 1),
    prefix("faketime", &["-f"], 1),
    prefix("flock", &["-w", "--wait", "--timeout", "-E", "--conflict-exit-code"], 1).texts(&["-c", "--command"]),
    prefix("script", &["-O", "-I", "-B", "-E", "-T", "-m", "-o", "--log-out"], 1)
        .texts(&["-c", "--command"])
        .rest(Rest::Nothing),
    prefix("watch", &["-n", "--interval", "-q", "--equexit", "-s", "--shotsdir"], 0).rest(Rest::Text),
    prefix("hyperfine", &["-w", "-r", "-m", "-M", "-n", "--warmup", "--runs", "--export-json"], 0)
        .texts(&["-p", "--prepare", "-c", "--cleanup", "-s", "--setup"])
        .rest(Rest::Texts),
    prefix("entr", &[], 0),
    prefix("watchexec", &["-e", "--exts", "-w", "--watch", "-i", "--ignore", "-f", "--filter", "-d"], 0)
        .rest(Rest::Text),
    prefix("nodemon", &["-w", "--watch", "-e", "--ext", "-i", "--ignore"], 0)
        .texts(&["-x", "--exec"])
        .rest(Rest::Nothing),
    prefix("concurrently", &["-n", "--names", "-c", "-p", "--prefix"], 0).rest(Rest::Texts),
    // In which surroundings.
    prefix("busybox", &[], 0),
    prefix("ld-linux-x86-64.so.2", &["--library-path", "--preload", "--argv0"], 0),
    prefix("ld-linux-aarch64.so.1", &["--library-path", "--preload", "--argv0"], 0),
    prefix("ld-musl-x86_64.so.1", &["--library-path", "--preload", "--argv0"], 0),
    prefix("toybox", &[], 0),
    prefix("strace", &["-o", "-e", "-p", "-s", "-u", "-E"], 0),
    prefix("ltrace", &["-o", "-e", "-p", "-s", "-u"], 0),
    prefix("perf", &["-e", "-o", "-F", "-p", "-r", "--repeat"], 0).verbs(&["stat", "record", "trace"]),
    prefix("valgrind", &[], 0),
    prefix("eatmydata", &[], 0),
    prefix("fakeroot", &["-l", "-s", "-i", "-b"], 0),
    prefix("firejail", &[], 0),
    prefix("bwrap", &[], 0),
    prefix("torsocks", &[], 0),
    prefix("proxychains", &["-f"], 0),
    prefix("proxychains4", &["-f"], 0),
    prefix("xvfb-run", &["-n", "-e", "-s", "-f", "--server-args"], 0),
    prefix("cgexec", &["-g"], 0),
    prefix("setarch", &[], 0),
    prefix("linux32", &[], 0),
    prefix("linux64", &[], 0),
    prefix("unshare", &["-S", "-G", "-R", "-w", "--root", "--wd"], 0),
    prefix("prlimit", &["-p"], 0),
    prefix("setpriv", &[], 0),
    prefix("capsh", &[], 0).texts(&["-c"]).rest(Rest::Nothing),
    prefix("pkexec", &["--user"], 0),
    prefix("run0", &["-u", "--user", "-g", "--group", "-D", "--chdir", "--unit"], 0),
    prefix("gosu", &[], 1),
    prefix("su-exec", &[], 1),
    prefix("setuidgid", &[], 1),
    prefix("s6-setuidgid", &[], 1),
    prefix("chpst", &["-u", "-U", "-e", "-/", "-n", "-l", "-L"], 0),
    prefix("sg", &[], 1).texts(&["-c"]),
    prefix("tini", &["-p", "-e"], 0),
    prefix("dumb-init", &[], 0),
    prefix("ssh-agent", &["-a", "-t", "-P"], 0),
    prefix("dbus-run-session", &[], 0),
    prefix(
        "systemd-run",
        &[
            "-p",
            "--property",
            "-u",
            "--unit",
            "--slice",
            "-E",
            "--setenv",
            "--uid",
            "--gid",
            "-M",
            "--machine",
            "--description",
            "--on-active",
            "--on-calendar",
            "--on-boot",
            "--working-directory",
            "--nice",
        ],
        0,
    ),
    prefix("systemd-inhibit", &["--what", "--who", "--why", "--mode"], 0),
    prefix("wsl", &["-d", "-u", "--distribution", "--user"], 0),
    // Of development.
    prefix("direnv", &[], 1).verbs(EXEC),
    prefix("mise", &[], 0).verbs(&["exec", "x"]),
    prefix("asdf", &[], 0).verbs(EXEC),
    prefix("pyenv", &[], 0).verbs(EXEC),
    prefix("rbenv", &[], 0).verbs(EXEC),
    prefix("rustup", &["--install"], 1).verbs(RUN),
    prefix("poetry", &["-C", "-P", "--directory", "--project"], 0).verbs(RUN),
    prefix("uv", &["-p", "--python", "--with", "--project", "--directory", "--extra", "--group", "--env-file"], 0)
        .verbs(RUN),
    prefix("pipenv", &[], 0).verbs(RUN),
    prefix("pdm", &["-p"], 0).verbs(RUN),
    prefix("hatch", &["-e", "--env"], 0).verbs(RUN),
    prefix("rye", &[], 0).verbs(RUN),
    prefix("pixi", &["-e", "--environment", "--manifest-path"], 0).verbs(RUN),
    prefix("conda", &["-n", "--name", "-p", "--prefix"], 0).verbs(RUN),
    prefix("mamba", &["-n", "--name", "-p", "--prefix"], 0).verbs(RUN),
    prefix("micromamba", &["-n", "--name", "-p", "--prefix"], 0).verbs(RUN),
    prefix("bundle", &[], 0).verbs(EXEC),
    prefix("npx", &["-p", "--package"], 0).texts(&["-c", "--call"]),
    prefix("bunx", &[], 0),
    prefix("shx", &[], 0),
    prefix("pnpx", &[], 0),
    prefix("npm", &["-w", "--workspace", "--prefix", "-p", "--package"], 0)
        .verbs(&["exec", "x"])
        .texts(&["-c", "--call"]),
    prefix("pnpm", &["-C", "--dir", "--filter", "-F"], 0).verbs(&["exec", "dlx"]).texts(&["-c", "--shell-mode"]),
    prefix("yarn", &["--cwd"], 0).verbs(&["exec", "dlx"]),
    prefix("nix-shell", &["-I", "--arg", "--argstr"], usize::MAX).texts(&["--run", "--command"]).rest(Rest::Nothing),
    prefix("dotenv", &["-f", "-e", "-c"], 0),
    prefix("dotenvx", &["-f"], 0).verbs(RUN),
    prefix("doppler", &["-p", "--project", "-c", "--config"], 0).verbs(RUN).texts(&["--command"]),
    prefix("op", &["--env-file", "--account"], 0).verbs(RUN),
    prefix("aws-vault", &["-d", "--duration"], 1).verbs(EXEC),
    prefix("infisical", &["--env", "--path", "--projectId"], 0).verbs(RUN).texts(&["--command"]),
    prefix("sops", &[], 1).verbs(&["exec-env", "exec-file"]).rest(Rest::Text),
    prefix("sem", &["-j", "--id"], 0).rest(Rest::Text),
];

/// Programs with an option whose value is text for a shell, beside what else they do.
const HOOKED: &[(&[&str], &[&str])] = &[
    (&["tar", "gtar", "bsdtar"], &["--checkpoint-action=exec", "--to-command", "-I", "--use-compress-program"]),
    (&["split", "gsplit"], &["--filter"]),
    (&["sort", "gsort"], &["--compress-program"]),
    (&["rsync"], &["-e", "--rsh", "--rsync-path"]),
    (&["zip"], &["-TT", "--unzip-command"]),
    (&["ssh", "scp", "sftp"], &["-oProxyCommand", "-oLocalCommand", "-oKnownHostsCommand"]),
    (&["man"], &["-P", "--pager"]),
];

/// Carriers that give the variables of files to their command, by `-e` or `-f`.
const ENV_FILES: [&str; 3] = ["dotenv", "dotenvx", "env-cmd"];

/// Follows the command of a carrier; gives the world back where the program is none.
#[allow(clippy::result_large_err, reason = "the world goes back to the caller, it is no error on its way up")]
pub(crate) fn unwrap(walker: &mut Walker<'_>, argv: &[Word], world: World, frame: &Frame) -> Result<Flow, World> {
    let name = program_of(argv);
    hooks(walker, argv, &world, frame);
    let Some(spec) = PREFIXES.iter().find(|p| p.name == name) else { return Err(world) };
    let asks_only = name == "command" && argv.get(1).is_some_and(|w| matches!(w.as_literal(), Some("-v" | "-V")));
    let mut inside = frame.through(Carrier::Wrapped { program: name.to_owned() });
    let Some(words) = behind_verb(spec, &argv[1..]).filter(|_| !asks_only) else { return Err(world) };
    if let Some(text) = text_of(spec, words) {
        return Ok(walker.run_text(&text, name, world, &inside));
    }
    let (options, rest) = split_options(words, spec.valued);
    if ENV_FILES.contains(&name) {
        let files = options.iter().filter(|(option, _)| matches!(*option, "-e" | "-f")).filter_map(|(_, file)| *file);
        inside.carriers.extend(files.map(|file| Carrier::EnvFile { file: file.clone() }));
    }
    let rest = rest.get(spec.operands..).unwrap_or_default();
    let rest = match rest.first().and_then(Word::as_literal) {
        Some("--") => &rest[1..],
        _ if spec.operands > 0 => split_options(rest, spec.valued).1,
        _ => rest,
    };
    if rest.is_empty() {
        return Err(world);
    }
    match spec.rest {
        Rest::Words => Ok(walker.dispatch(rest.to_vec(), world, &inside)),
        Rest::Text => Ok(walker.run_text(&spaced(rest), name, world, &inside)),
        Rest::Texts => {
            for text in rest {
                walker.run_text(text, name, world.clone(), &inside);
            }
            Ok(Flow::either(world))
        }
        Rest::Nothing => Err(world),
    }
}

/// What a program runs on the side, by an option made for it.
fn hooks(walker: &mut Walker<'_>, argv: &[Word], world: &World, frame: &Frame) {
    let name = program_of(argv);
    for (_, options) in HOOKED.iter().filter(|(programs, _)| programs.contains(&name)) {
        for option in *options {
            let texts: Vec<Word> =
                argv.iter().enumerate().skip(1).filter_map(|(at, _)| value_at(argv, at, option)).collect();
            for text in texts {
                walker.run_text(
                    &text,
                    name,
                    world.clone(),
                    &frame.through(Carrier::Wrapped { program: name.to_owned() }),
                );
            }
        }
    }
}

/// The words behind the sub-command, its options before it taken off.
fn behind_verb<'w>(spec: &Prefix, words: &'w [Word]) -> Option<&'w [Word]> {
    if spec.verbs.is_empty() {
        return Some(words);
    }
    let (_, rest) = split_options(words, spec.valued);
    let (verb, rest) = rest.split_first()?;
    spec.verbs.contains(&verb.as_literal()?).then_some(rest)
}

/// The text that an option gives to a shell, before the command begins.
fn text_of(spec: &Prefix, words: &[Word]) -> Option<Word> {
    let mut operands = 0;
    let mut at = 0;
    while let Some(word) = words.get(at) {
        let text = word.prefix();
        if spec.texts.is_empty() || operands > spec.operands {
            return None;
        }
        if let Some(value) = spec.texts.iter().find_map(|option| value_at(words, at, option)) {
            return Some(value);
        }
        if !text.starts_with('-') {
            operands += 1;
        }
        at += 1 + usize::from(spec.valued.contains(&text));
    }
    None
}

/// The value of an option where it stands at a place: `-c V`, `-qc V`, `--opt=V`, `--opt V`.
fn value_at(words: &[Word], at: usize, option: &str) -> Option<Word> {
    let word = words.get(at)?;
    let text = word.prefix();
    if text == option {
        return words.get(at + 1).cloned();
    }
    if let Some(value) = text.strip_prefix(option).and_then(|rest| rest.strip_prefix('=')) {
        let mut whole = Word::literal(value);
        word.parts.iter().skip(1).for_each(|p| whole.push(p.clone()));
        return Some(whole);
    }
    let letter = option.strip_prefix('-').filter(|o| o.chars().count() == 1)?;
    let cluster = text.strip_prefix('-').filter(|c| !c.starts_with('-'))?;
    (cluster.ends_with(letter) && cluster.chars().all(char::is_alphabetic))
        .then(|| words.get(at + 1).cloned())
        .flatten()
}

/// Words as one, with spaces between them.
pub(crate) fn spaced(words: &[Word]) -> Word {
    let mut out = Word::default();
    for (i, word) in words.iter().enumerate() {
        if i > 0 {
            out.push_text(" ");
        }
        out.extend(word.clone());
    }
    out
}
