//! Programs with a language of their own that has a way out to the shell: `\!` of a database
//! client, `e` of `sed`, `shell` of a debugger, modules of a fleet's tools.

use super::carrier::split_options;
use super::walk::Walker;
use super::word::{Part, Word};
use super::world::{Frame, World};
use super::{Carrier, Stdin, program_of};

/// Most texts of one command that are followed.
const TEXTS_MAX: usize = 32;

/// Where a program takes its own text from, and how a line of it leads out.
struct Way {
    programs: &'static [&'static str],
    /// Options whose value is such text.
    options: &'static [&'static str],
    /// Whether operands are such text as well.
    operands: bool,
    /// What stands before a command in a line.
    marks: &'static [&'static str],
}

const WAYS: &[Way] = &[
    Way { programs: &["psql", "pgcli"], options: &["-c", "--command"], operands: false, marks: &["\\!"] },
    Way {
        programs: &["mysql", "mariadb", "mycli"],
        options: &["-e", "--execute"],
        operands: false,
        marks: &["\\!", "system "],
    },
    Way {
        programs: &["sqlite3", "sqlite", "litecli"],
        options: &["-cmd"],
        operands: true,
        marks: &[".shell ", ".system "],
    },
    Way {
        programs: &["gdb", "lldb"],
        options: &["-ex", "-eval-command", "--eval-command", "-o"],
        operands: false,
        marks: &["shell ", "!", "platform shell "],
    },
    Way {
        programs: &["ed", "red", "ftp", "sftp", "lftp", "telnet", "mail", "bc", "dc"],
        options: &["-e", "-c"],
        operands: false,
        marks: &["!"],
    },
    Way { programs: &["less", "more"], options: &[], operands: true, marks: &["+!"] },
    Way {
        programs: &["nvim", "vim", "vi", "ex"],
        options: &["-c", "--cmd"],
        operands: true,
        marks: &["call system(", ":call system(", "+call system(", "lua os.execute(", "py3 import os; os.system("],
    },
];

/// Programs whose operand or option names a command with a word before it.
const NAMED: &[(&[&str], &[&str])] = &[(&["socat"], &["EXEC:", "SYSTEM:", "exec:", "system:"]), (&["git"], &["ext::"])];

/// Follows what leads out to a shell; the program itself stays.
pub(crate) fn follow(walker: &mut Walker<'_>, argv: &[Word], world: &World, frame: &Frame) {
    let name = program_of(argv);
    let mut texts: Vec<Word> = Vec::new();
    for way in WAYS.iter().filter(|way| way.programs.contains(&name)) {
        for text in own_texts(way, argv, frame) {
            texts.extend(text.lines().filter_map(|line| behind(line.trim(), way.marks)).map(Word::literal));
            texts.extend(from_program(&text).map(Word::literal));
        }
    }
    for (programs, words) in NAMED {
        if programs.contains(&name) {
            let found = argv.iter().skip(1).filter_map(Word::as_literal);
            texts.extend(found.filter_map(|w| words.iter().find_map(|mark| w.strip_prefix(mark))).map(Word::literal));
        }
    }
    match name {
        "sed" | "gsed" => {
            texts.extend(argv.iter().skip(1).filter_map(Word::as_literal).flat_map(of_sed).map(Word::literal))
        }
        "nc" | "ncat" | "netcat" => texts.extend(value(argv, &["-e", "-c", "--exec", "--sh-exec"])),
        "npm" if argv.iter().filter_map(Word::as_literal).take(3).eq(["npm", "pkg", "set"]) => {
            let scripts = argv.iter().filter_map(Word::as_literal).filter_map(|w| w.strip_prefix("scripts."));
            texts.extend(scripts.filter_map(|s| s.split_once('=')).map(|(_, text)| Word::literal(text)));
        }
        "git" => texts.extend(of_git(argv)),
        _ => {}
    }
    let inside = Frame { stdin: Stdin::Inherited, ..frame.through(Carrier::Wrapped { program: name.to_owned() }) };
    for text in texts.into_iter().take(TEXTS_MAX) {
        walker.run_text(&text, name, world.clone(), &inside);
    }
    elsewhere(walker, argv, world, frame);
}

/// Tools of a fleet: the text runs on the hosts that are named, or on this one.
fn elsewhere(walker: &mut Walker<'_>, argv: &[Word], world: &World, frame: &Frame) {
    let name = program_of(argv);
    let words: Vec<&str> = argv.iter().map(|w| w.as_literal().unwrap_or_default()).collect();
    let (text, host) = match name {
        "ansible" => {
            let module = value(argv, &["-m", "--module-name"]).map(|w| w.show()).unwrap_or_else(|| "command".into());
            let runs = ["shell", "command", "raw", "script"].iter().any(|m| module.ends_with(m));
            let local = words.windows(2).any(|w| matches!(w[0], "-c" | "--connection") && w[1] == "local");
            let text = value(argv, &["-a", "--args"]).filter(|_| runs);
            (text, if local { "localhost".to_owned() } else { words.get(1).copied().unwrap_or_default().to_owned() })
        }
        "salt-call" | "salt" => {
            let at = words.iter().position(|w| matches!(*w, "cmd.run" | "cmd.shell" | "cmd.run_all"));
            let local = name == "salt-call" || words.contains(&"localhost");
            let host = if local { "localhost" } else { words.get(1).copied().unwrap_or_default() };
            (at.and_then(|at| argv.get(at + 1)).cloned(), host.to_owned())
        }
        "pssh" | "parallel-ssh" | "clush" | "pdsh" | "dsh" | "mussh" => {
            let host = value(argv, &["-H", "-w", "-h", "-m", "--host"]).map(|w| w.show()).unwrap_or_default();
            (argv.last().filter(|_| argv.len() > 2).cloned(), host)
        }
        "gcloud" if words.contains(&"ssh") => (value(argv, &["--command"]), "a machine of the cloud".to_owned()),
        "fly" | "flyctl" if words.contains(&"ssh") => {
            (value(argv, &["-C", "--command"]), "a machine of the cloud".to_owned())
        }
        "vagrant" if words.contains(&"ssh") => (value(argv, &["-c", "--command"]), "the machine".to_owned()),
        _ => return,
    };
    let Some(text) = text else { return };
    let here = matches!(host.as_str(), "localhost" | "127.0.0.1" | "localhost,");
    let inside = frame.through(match here {
        true => Carrier::Wrapped { program: name.to_owned() },
        false => Carrier::Remote { host },
    });
    walker.run_text(&text, name, world.clone(), &inside);
}

/// The texts in its own language that a program is given.
fn own_texts(way: &Way, argv: &[Word], frame: &Frame) -> Vec<String> {
    let mut out = Vec::new();
    let mut at = 1;
    while let Some(word) = argv.get(at) {
        at += 1;
        let text = word.show();
        if way.options.contains(&word.prefix()) {
            out.extend(argv.get(at).map(Word::show));
            at += 1;
        } else if let Some(value) = way.options.iter().find_map(|o| text.strip_prefix(o)?.strip_prefix('=')) {
            out.push(value.to_owned());
        } else if way.operands && !text.starts_with('-') {
            out.push(text);
        }
    }
    if let Stdin::Text(text) = &frame.stdin {
        out.push(text.show());
    }
    out
}

/// What stands behind a mark, up to the end of the line.
fn behind(line: &str, marks: &[&str]) -> Option<String> {
    marks.iter().find_map(|mark| {
        let rest = line.strip_prefix(mark)?;
        Some(match mark.ends_with('(') {
            true => rest.trim_end_matches(')').trim_matches(['\'', '"']).to_owned(),
            false => rest.trim().to_owned(),
        })
    })
}

/// `COPY t FROM PROGRAM '…'`, where the server runs a shell.
fn from_program(text: &str) -> Option<String> {
    let upper = text.to_ascii_uppercase();
    let at = upper.find(" PROGRAM ").filter(|_| upper.trim_start().starts_with("COPY") || upper.contains("\\COPY"))?;
    let quoted = text.get(at + 9..)?.trim_start().strip_prefix('\'')?;
    let inner = quoted.rsplit_once('\'').map_or(quoted, |(inner, _)| inner);
    Some(inner.replace("''", "'"))
}

/// `1e COMMAND`, `s/x/COMMAND/e`: what GNU `sed` runs.
fn of_sed(script: &str) -> Vec<String> {
    let mut out = Vec::new();
    for line in script.lines() {
        let line = line.trim_start_matches(|c: char| c.is_ascii_digit() || matches!(c, '$' | ',' | ' '));
        if let Some(command) = line.strip_prefix("e ") {
            out.push(command.to_owned());
        }
        let Some(rest) = line.strip_prefix('s') else { continue };
        let Some(mark) = rest.chars().next().filter(|c| !c.is_alphanumeric() && !c.is_whitespace()) else { continue };
        let mut parts = vec![String::new()];
        let mut escaped = false;
        for c in rest[mark.len_utf8()..].chars() {
            if c == mark && !escaped {
                parts.push(String::new());
                continue;
            }
            let Some(last) = parts.last_mut() else { break };
            if escaped && c != mark {
                last.push('\\');
            }
            escaped = c == '\\' && !escaped;
            if !escaped {
                last.push(c);
            }
        }
        if let [_, command, flags, ..] = parts.as_slice()
            && flags.contains('e')
            && flags.chars().all(|c| c.is_ascii_alphanumeric())
        {
            out.push(command.clone());
        }
    }
    out
}

/// Settings of git that name a program, and what it calls at the other end.
fn of_git(argv: &[Word]) -> Vec<Word> {
    const SETTINGS: &[&str] = &[
        "core.editor",
        "core.pager",
        "core.sshcommand",
        "sequence.editor",
        "diff.external",
        "core.fsmonitor",
        "credential.helper",
        "core.askpass",
        "gpg.program",
    ];
    let mut out = Vec::new();
    for pair in argv.windows(2).filter(|pair| pair[0].prefix() == "-c") {
        let Some((name, text)) = pair[1].prefix().split_once('=') else { continue };
        let lower = name.to_ascii_lowercase();
        if SETTINGS.contains(&lower.as_str()) || lower.starts_with("pager.") {
            let mut word = Word::literal(text.trim_start_matches('!'));
            pair[1].parts.iter().skip(1).for_each(|part| word.push(part.clone()));
            out.push(word);
        }
    }
    out.extend(value(argv, &["--upload-pack", "--receive-pack", "--exec"]));
    out
}

/// The value of an option, separate or behind `=`; the rest of the line where it is several words.
fn value(argv: &[Word], options: &[&str]) -> Option<Word> {
    argv.iter().enumerate().skip(1).find_map(|(at, word)| {
        if options.contains(&word.prefix()) && word.parts.len() <= 1 {
            return argv.get(at + 1).cloned();
        }
        let text = options.iter().find_map(|o| word.prefix().strip_prefix(o)?.strip_prefix('='))?;
        let mut out = Word::literal(text);
        word.parts.iter().skip(1).for_each(|part: &Part| out.push(part.clone()));
        Some(out)
    })
}

/// Terminals and shells of environments: the words behind an option are a command or a text for a shell.
pub(crate) fn rest_behind(argv: &[Word]) -> Option<Vec<Word>> {
    let option: &[&str] = match program_of(argv) {
        "xterm" | "konsole" | "alacritty" | "urxvt" | "st" | "terminator" | "x-terminal-emulator" => &["-e", "-x"],
        "gnome-terminal" | "kitty" | "foot" | "wezterm" => &["--", "-e", "-x"],
        "nix" if argv.get(1).is_some_and(|w| matches!(w.as_literal(), Some("develop" | "shell" | "run"))) => {
            &["-c", "--command"]
        }
        "ip" if argv.get(1).and_then(Word::as_literal) == Some("netns") && argv.len() > 4 => {
            return Some(argv[4..].to_vec());
        }
        "lxc" | "incus" | "multipass" | "limactl" if argv.get(1).and_then(Word::as_literal) == Some("exec") => &["--"],
        _ => return None,
    };
    let at = argv.iter().position(|w| w.as_literal().is_some_and(|w| option.contains(&w)))?;
    let rest = argv.get(at + 1..).filter(|rest| !rest.is_empty())?;
    // One word with spaces is a text for a shell.
    match rest {
        [text] if text.show().contains(' ') => Some(vec![Word::literal("sh"), Word::literal("-c"), text.clone()]),
        _ => Some(split_options(rest, &[]).1.to_vec()),
    }
}

/// `tclsh` and `expect`: what `exec`, `spawn` and `system` start.
pub(crate) fn tcl(program: &str) -> Vec<Word> {
    let mut out = Vec::new();
    for line in program.split(['\n', ';']) {
        let line = line.trim().trim_start_matches(['{', '[']);
        let command = ["exec ", "spawn ", "system ", "catch {exec "].iter().find_map(|mark| {
            line.find(mark)
                .filter(|at| *at == 0 || line[..*at].ends_with(['[', '{', ' ']))
                .map(|at| &line[at + mark.len()..])
        });
        if let Some(command) = command {
            let text = command.trim().trim_start_matches("-noecho ").trim_end_matches(']');
            out.push(Word::literal(text.replace(['{', '}'], "'")));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sed_runs_what_it_is_told_to() {
        assert_eq!(of_sed("s/x/ls \\/tmp/e"), ["ls /tmp"]);
        assert_eq!(of_sed("1e ls -l"), ["ls -l"]);
        for text in ["s/x/ls/g", "s/e/e/", "/e/d", "s#a#b#", "1,3p", "s/a/echo x/w out"] {
            assert!(of_sed(text).is_empty(), "{text}");
        }
    }

    #[test]
    fn lines_lead_out_by_their_mark() {
        assert_eq!(behind("\\! ls", &["\\!"]).as_deref(), Some("ls"));
        assert_eq!(behind("call system('ls -l')", &["call system("]).as_deref(), Some("ls -l"));
        assert_eq!(behind("SELECT 'system ls'", &["system "]), None);
        assert_eq!(from_program("COPY t FROM PROGRAM 'ls ''a'''").as_deref(), Some("ls 'a'"));
        assert_eq!(from_program("SELECT ' PROGRAM ' , 'ls'"), None);
    }

    #[test]
    fn tcl_starts_programs() {
        let shown: Vec<String> =
            tcl("spawn sh -c {ls -l}; expect eof\nset x [exec ls]\nputs \"exec\"").iter().map(Word::show).collect();
        assert_eq!(shown, ["sh -c 'ls -l'", "ls"]);
    }
}
