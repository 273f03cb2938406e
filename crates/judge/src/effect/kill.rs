//! `kill`, `pkill`, `killall`, `fuser -k`: one process, or many at a stroke.

use coroner_model::effect::{Circumstance, EffectKind};
use coroner_read::shell::{Word, program_of};

use super::Plan;
use super::named::{Named, shown};
use super::options::{Options, Order};

pub(super) fn plan(out: &mut Plan<'_>) {
    let call = out.call;
    match call.program() {
        "kill" => kill(out),
        "killall5" => {
            let named = Named::of("every process", "kill every process of the host").with(Circumstance::Everything);
            out.named(EffectKind::KillProcess, named);
        }
        "pkill" => by_name(out, &call.argv[1..], true),
        // They take names, users and terminals alike, and no pattern.
        "skill" | "slay" => by_name(out, &call.argv[1..], false),
        _ => by_name(out, &call.argv[1..], false),
    }
}

fn kill(out: &mut Plan<'_>) {
    let words = &out.call.argv[1..];
    let mut at = 0;
    let mut ends = true;
    match words.first().map(Word::prefix) {
        Some("-l" | "-L" | "--list" | "--table" | "--help") => return,
        Some("-s" | "-n" | "--signal") => {
            ends = words.get(1).is_none_or(|w| w.as_literal() != Some("0"));
            at = 2;
        }
        // The first word with a dash is the signal, unless it is all there is.
        Some(text) if text.starts_with('-') && text != "--" && words.len() > 1 => {
            ends = !matches!(text, "-0");
            at = 1;
        }
        _ => {}
    }
    if words.get(at).and_then(Word::as_literal) == Some("--") {
        at += 1;
    }
    let targets = words.get(at..).unwrap_or_default().to_vec();
    if !ends {
        return;
    }
    let signal = words.first().map(Word::show).unwrap_or_default();
    let signal = if at == 2 { words.get(1).map(Word::show).unwrap_or_default() } else { signal };
    let harmless = matches!(
        signal.trim_start_matches('-').trim_start_matches("SIG"),
        "HUP" | "USR1" | "USR2" | "WINCH" | "CONT" | "1" | "10" | "12"
    ) && at > 0;
    for target in &targets {
        // The parent of the shell is the agent that started it.
        let agent = matches!(target.parts.as_slice(), [coroner_read::shell::Part::Unknown(coroner_read::shell::Unknown::Variable(name))] if name == "PPID");
        // The first process only reads its settings anew on such a signal.
        let told = target.as_literal() == Some("1") && harmless;
        let every = agent
            || matches!(target.as_literal(), Some("1" | "-1")) && !told
            || target.produced_by().is_some_and(lists_broadly);
        let name = target.show();
        let named = Named::of(
            name.clone(),
            format!("kill {}", if every { "many processes at a stroke".to_owned() } else { name }),
        )
        .when(every, Circumstance::Everything);
        out.named(EffectKind::KillProcess, named);
    }
}

/// `pm2 delete all`, `supervisorctl stop all`: everything that a manager keeps running.
pub(super) fn managed(out: &mut Plan<'_>) {
    let words: Vec<&str> = out.call.argv.iter().skip(1).filter_map(Word::as_literal).collect();
    let stops = words.iter().any(|w| matches!(*w, "stop" | "delete" | "del" | "remove" | "shutdown"));
    let every = words.contains(&"all") && stops || matches!(words.as_slice(), ["kill" | "shutdown", ..]);
    if every {
        let would = "stop every process that the manager keeps running";
        out.named(EffectKind::KillProcess, Named::of("every process", would).with(Circumstance::Everything));
    }
}

/// Whether the process ids come from a listing that chooses little.
fn lists_broadly(commands: &[Vec<Word>]) -> bool {
    let Some((source, filters)) = commands.split_first() else { return false };
    match program_of(source) {
        "pgrep" => Choice::read(&source[1..], true).is_broad(),
        "pidof" => source[1..].iter().filter(|w| !w.prefix().starts_with('-')).any(|w| is_common(&w.show())),
        "ps" => {
            let greps = filters.iter().filter(|argv| matches!(program_of(argv), "grep" | "egrep" | "awk" | "rg"));
            let patterns: Vec<String> = greps
                .flat_map(|argv| argv[1..].iter().filter(|w| !w.prefix().starts_with('-')).map(Word::show).take(1))
                .filter(|p| p != "grep" && !p.starts_with('{'))
                .collect();
            patterns.is_empty() || patterns.iter().all(|p| is_common(p.trim_matches(['/', '[', ']'])))
        }
        "lsof" | "fuser" => false,
        _ => false,
    }
}

fn by_name(out: &mut Plan<'_>, words: &[Word], pattern: bool) {
    if out.call.program() == "fuser" {
        // `fuser -k 3000/tcp` names one port; `-m` takes a whole filesystem.
        let options = Options::read(words, &["-n", "-s"], Order::Mixed);
        if options.has(&["-k", "--kill"]) {
            let named = Named::of(shown(&options.operands), "kill every process that uses a filesystem")
                .when(options.has(&["-m", "--mount", "-c"]), Circumstance::Everything);
            out.named(EffectKind::KillProcess, named);
        }
        return;
    }
    let choice = Choice::read(words, pattern);
    if choice.only_shows {
        return;
    }
    let name = if choice.names.is_empty() { "every process of a user".to_owned() } else { choice.names.join(" ") };
    let coroner = choice.names.iter().any(|n| n == "coroner");
    let named = Named::of(name.clone(), format!("kill every process that {name} matches"))
        .when(choice.is_broad() || coroner, Circumstance::Everything);
    let kind = if coroner { EffectKind::EditGuard } else { EffectKind::KillProcess };
    out.named(kind, named);
}

/// Which processes are chosen.
struct Choice {
    names: Vec<String>,
    whole_user: bool,
    full_line: bool,
    exact: bool,
    /// A parent, session, terminal or age narrows it down.
    narrowed: bool,
    only_shows: bool,
}

impl Choice {
    fn read(words: &[Word], pattern: bool) -> Choice {
        let valued: &[&str] = if pattern {
            &[
                "--signal",
                "-u",
                "--euid",
                "-U",
                "--uid",
                "-P",
                "--parent",
                "-t",
                "--terminal",
                "-s",
                "--session",
                "-g",
                "--pgroup",
                "-G",
                "--group",
                "-F",
                "--pidfile",
                "--ns",
                "-O",
                "--older",
            ]
        } else {
            &["-s", "--signal", "-u", "--user", "-y", "--younger-than", "-o", "--older-than", "-Z", "-n", "--ns"]
        };
        // `-9` and `-KILL` are signals, no clusters of options.
        let signal = |w: &&Word| {
            let text = w.prefix();
            text.len() > 1
                && text.starts_with('-')
                && text[1..].chars().all(|c| c.is_ascii_digit() || c.is_ascii_uppercase())
                && text.len() > 2
                || text.len() == 2 && text.starts_with('-') && text[1..].chars().all(|c| c.is_ascii_digit())
        };
        let none = words.iter().filter(signal).any(|w| w.prefix() == "-0");
        let kept: Vec<Word> = words.iter().filter(|w| !signal(w)).cloned().collect();
        let options = Options::read(&kept, valued, Order::Mixed);
        let narrow: &[&str] = if pattern {
            &[
                "-P",
                "--parent",
                "-t",
                "--terminal",
                "-s",
                "--session",
                "-F",
                "--pidfile",
                "-g",
                "--pgroup",
                "-n",
                "--newest",
                "-o",
                "--oldest",
            ]
        } else {
            &["-y", "--younger-than", "-o", "--older-than"]
        };
        Choice {
            names: options.operands.iter().map(Word::show).collect(),
            whole_user: options.has(&["-u", "--euid", "--user", "-U", "--uid"]),
            full_line: pattern && options.has(&["-f", "--full"]),
            exact: options.has(&["-x", "--exact"]) || !pattern,
            narrowed: options.has(narrow),
            only_shows: none
                || options.has(&["--help"])
                || options.has(&["-l", "--list"]) && !pattern
                || options.has(&["-V", "--version"]),
        }
    }

    fn is_broad(&self) -> bool {
        if self.narrowed {
            return false;
        }
        if self.names.is_empty() {
            return self.whole_user;
        }
        self.names.iter().any(|name| is_common(name) || self.matches_much(name))
    }

    /// A pattern so short that it is part of many names.
    fn matches_much(&self, name: &str) -> bool {
        let letters = name.chars().filter(char::is_ascii_alphanumeric).count();
        !self.exact && (letters < 3 || self.full_line && letters < 4 && !name.contains(' '))
    }
}

/// Programs that many services run in, or the host itself.
fn is_common(name: &str) -> bool {
    let name = name.trim_matches(['^', '$', '.', '*']).rsplit('/').next().unwrap_or(name).to_ascii_lowercase();
    let base = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    matches!(
        base,
        "" | "node"
            | "nodejs"
            | "python"
            | "java"
            | "ruby"
            | "php"
            | "php-fpm"
            | "perl"
            | "deno"
            | "bun"
            | "dotnet"
            | "bash"
            | "sh"
            | "zsh"
            | "ssh"
            | "sshd"
            | "systemd"
            | "init"
            | "docker"
            | "dockerd"
            | "containerd"
            | "containerd-shim"
            | "docker-proxy"
            | "postgres"
            | "mysqld"
            | "mariadbd"
            | "redis-server"
            | "mongod"
            | "tmux"
            | "screen"
            | "claude"
            | "npm"
            | "beam.smp"
            | "kubelet"
            | "root"
            | "runc"
            | "supervisord"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broad(line: &str) -> bool {
        let words: Vec<Word> = line.split(' ').map(Word::literal).collect();
        Choice::read(&words[1..], words[0].show() == "pkill").is_broad()
    }

    #[test]
    fn a_pattern_is_broad_or_names_one_thing() {
        for line in
            ["pkill -f python", "pkill -9 node", "killall -9 python3", "pkill -u app", "pkill -f .", "killall -u app"]
        {
            assert!(broad(line), "{line}");
        }
        for line in
            ["pkill -f vite", "pkill -f next-server", "killall nginx", "pkill -P 123 node", "pkill -HUP -x my-daemon"]
        {
            assert!(!broad(line), "{line}");
        }
    }
}
