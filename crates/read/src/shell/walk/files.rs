//! Files that a text writes, copies, prints or runs, as far as their text is known.

use std::collections::BTreeMap;

use super::super::word::Word;
use super::super::world::{Frame, World};
use super::super::{
    Carrier, RedirectKind, Stdin, Wanted, carrier, fetch, interpret, path, produce, program_of, schedule,
};
use super::{WRITTEN_FILES_MAX, Walker};

/// Programs that a pattern such as `/bin/r?` is looked up among, as a shell sorts them.
const PROGRAMS: &[&str] = &[
    "bash",
    "cat",
    "chgrp",
    "chmod",
    "chown",
    "cp",
    "crontab",
    "curl",
    "dd",
    "docker",
    "find",
    "git",
    "kill",
    "killall",
    "kubectl",
    "ln",
    "mkfs",
    "mv",
    "mysql",
    "node",
    "perl",
    "pkill",
    "psql",
    "python3",
    "reboot",
    "rm",
    "rmdir",
    "rsync",
    "sed",
    "sh",
    "shred",
    "shutdown",
    "systemctl",
    "tee",
    "terraform",
    "truncate",
    "wget",
    "xargs",
];

impl Walker<'_> {
    /// Remembers the text of files that are written before they are run.
    pub(super) fn note_written(&mut self, argv: &[Word], output: Option<&Word>, world: &World, frame: &Frame) {
        let tees = program_of(argv) == "tee";
        let operands = argv.iter().skip(1).filter(|w| tees && !w.prefix().starts_with('-'));
        let redirects = frame.redirects.iter().map(|r| (&r.target, r.kind));
        let fetched = fetch::file(argv);
        let named = operands.chain(&fetched).map(|w| (w, RedirectKind::Write));
        let mut full = Vec::new();
        for (file, kind) in named.chain(redirects).filter(|(_, kind)| *kind != RedirectKind::Read) {
            let path = path::join(&world.cwd, file);
            full.extend(path.as_literal().map(|path| (path.to_owned(), kind)));
        }
        for (path, kind) in full {
            if let Some(text) = output.filter(|_| schedule::is_table(&path)) {
                schedule::table(self, &text.clone(), schedule::has_users(&path), world, frame);
            }
            self.note_text(path, kind, argv, output, frame);
        }
        if program_of(argv) == "cp" || program_of(argv) == "install" {
            self.note_copied(argv, world, &frame.stdin);
        }
        self.note_renamed(argv, world);
    }

    /// `cp /bin/rm x`, `ln -s /bin/rm x`, `hash -p /bin/rm x`: the program goes by another name.
    fn note_renamed(&mut self, argv: &[Word], world: &World) {
        if !matches!(program_of(argv), "cp" | "ln" | "install" | "mv" | "hash")
            || self.renamed.len() >= WRITTEN_FILES_MAX
        {
            return;
        }
        let operands: Vec<&Word> = argv.iter().skip(1).filter(|w| !w.prefix().starts_with('-')).collect();
        let [from, to] = operands.as_slice() else { return };
        let (Some(from), Some(to)) = (from.as_literal(), to.as_literal()) else { return };
        let (directory, program) = from.rsplit_once('/').unwrap_or(("", from));
        // `which` gives the bare name back.
        let known = matches!(directory, "/bin" | "/usr/bin" | "/sbin" | "/usr/sbin" | "/usr/local/bin")
            || PROGRAMS.contains(&from);
        if !known || program.is_empty() {
            return;
        }
        let name = match program_of(argv) {
            "hash" => to.to_owned(),
            _ => path::join(&world.cwd, &Word::literal(to)).as_literal().unwrap_or(to).to_owned(),
        };
        self.renamed.insert(name, program.to_owned());
    }

    /// The program that a name leads to: one that was put there, or the first that a pattern matches.
    pub(super) fn program_behind(&self, word: &Word, world: &World) -> Option<String> {
        if word.has_glob() {
            let pattern = word.as_pattern()?;
            let (directory, name) = pattern.rsplit_once('/')?;
            let programs = directory.ends_with("bin") && !name.starts_with('*');
            return PROGRAMS
                .iter()
                .find(|program| programs && super::super::pattern_matches(name, program))
                .map(|program| (*program).to_owned());
        }
        let name = word.as_literal().filter(|_| !self.renamed.is_empty())?;
        let full = path::join(&world.cwd, word);
        self.renamed.get(name).or_else(|| self.renamed.get(full.as_literal()?)).cloned()
    }

    /// The text of a hook that this text itself wrote.
    pub(crate) fn written_hook(&self, directory: &Word, name: &str) -> Option<String> {
        let path = path::join(directory, &Word::literal(format!(".git/hooks/{name}")));
        self.written.get(path.as_literal()?).cloned()
    }

    fn note_text(&mut self, path: String, kind: RedirectKind, argv: &[Word], output: Option<&Word>, frame: &Frame) {
        if self.written.len() + self.printed.len() >= WRITTEN_FILES_MAX {
            return;
        }
        if kind == RedirectKind::Write {
            self.printed.remove(&path);
            self.written.remove(&path);
        }
        match output.and_then(Word::as_literal) {
            Some(text) => self.written.entry(path).or_default().push_str(text),
            None => {
                let mut commands = match &frame.stdin {
                    Stdin::Output(before) => before.clone(),
                    _ => Vec::new(),
                };
                commands.push(argv.to_vec());
                self.printed.insert(path, commands);
            }
        }
    }

    /// `cp SCRIPT COPY`: running the copy runs the same text.
    fn note_copied(&mut self, argv: &[Word], world: &World, stdin: &Stdin) {
        let operands: Vec<&Word> = argv.iter().skip(1).filter(|w| !w.prefix().starts_with('-')).collect();
        let [from, to] = operands.as_slice() else { return };
        let (from, to) = (path::join(&world.cwd, from), path::join(&world.cwd, to));
        let (Some(from), Some(to)) = (from.as_literal(), to.as_literal()) else { return };
        let text = match stdin {
            Stdin::Text(text) if from == "/dev/stdin" => text.as_literal().map(str::to_owned),
            _ => self.written.get(from).or_else(|| self.context.files.get(from)).cloned(),
        };
        if let Some(commands) = self.printed.get(from).cloned() {
            self.printed.insert(to.to_owned(), commands);
        } else if let Some(text) = text {
            self.written.insert(to.to_owned(), text);
        } else {
            self.copied.push((to.to_owned(), from.to_owned()));
        }
    }

    /// What a filter prints of an env file inside a substitution: variables that others are then given.
    pub(super) fn printed_file(&mut self, argv: &[Word], world: &World, frame: &Frame) -> Option<Word> {
        if !frame.carriers.contains(&Carrier::Substitution) {
            return None;
        }
        let full = |word: &Word| path::join(&world.cwd, word);
        let read = frame.redirects.iter().find(|r| r.kind == RedirectKind::Read).map(|r| full(&r.target));
        let (argv, file) = match read {
            Some(file) => (argv, file),
            None => {
                let (last, front) = argv.split_last()?;
                (front, full(last))
            }
        };
        let file = file.as_literal().filter(|path| is_env_file(path))?.to_owned();
        let name = program_of(argv);
        if !matches!(name, "cat" | "grep" | "egrep" | "sed" | "xargs" | "tail" | "head" | "sort") {
            return None;
        }
        let text = Word::literal(self.file(&file, false)?);
        if name == "cat" { Some(text) } else { produce::output(argv, world, &Stdin::Text(text)) }
    }

    /// The text of a file, where it was written or read meanwhile; otherwise it is wanted.
    pub(crate) fn file(&mut self, path: &str, shell: bool) -> Option<String> {
        if self.printed.contains_key(path) {
            return None;
        }
        let text = self.written.get(path).or_else(|| self.context.files.get(path)).cloned();
        if text.is_none() {
            let from = self.copied.iter().rev().find(|(to, _)| to == path).map_or(path, |(_, from)| from);
            self.script.wanted.push(Wanted { path: from.to_owned(), shell });
        }
        text
    }

    /// Runs a script file whose text is at hand, or notes that it is wanted.
    pub(crate) fn script_file(&mut self, argv: &[Word], shell: bool, world: &World, frame: &Frame) -> bool {
        let Some(file) = argv.first() else { return false };
        let full = path::join(&world.cwd, file);
        let Some(full) = full.as_literal() else { return false };
        if let Some(commands) = self.printed.get(full).cloned() {
            // The file holds what other commands print.
            let inside = Frame { stdin: Stdin::Output(commands), ..frame.clone() };
            self.emit(vec![Word::literal("sh")], world.clone(), &inside);
            return true;
        }
        let Some(text) = self.file(full, shell) else { return false };
        if !(shell || is_shell_script(full, &text)) {
            return interpret::script(self, full, &text, world, frame);
        }
        let mut inside =
            World { arguments: argv.to_vec(), functions: BTreeMap::new(), aliases: BTreeMap::new(), ..world.clone() };
        inside.set("BASH_SOURCE", file.clone());
        self.files += 1;
        self.text(&text, inside, &frame.through(Carrier::Script { path: full.to_owned() }));
        self.files -= 1;
        true
    }

    /// The text of the files that `cat` prints and nothing else changes.
    pub(super) fn cat(&mut self, commands: &[Vec<Word>], world: &World) -> Option<String> {
        let [argv] = commands else { return None };
        if program_of(argv) != "cat" || argv.len() < 2 {
            return None;
        }
        let mut out = String::new();
        for file in &argv[1..] {
            let full = path::join(&world.cwd, file);
            out.push_str(&self.file(full.as_literal()?, true)?);
        }
        Some(out)
    }
}

fn is_shell_script(path: &str, text: &str) -> bool {
    let first = text.lines().next().unwrap_or_default();
    match first.strip_prefix("#!") {
        Some(line) => line.split_whitespace().any(|w| carrier::is_shell(w.rsplit('/').next().unwrap_or(w))),
        None => [".sh", ".bash"].iter().any(|end| path.ends_with(end)),
    }
}

/// Whether a file holds variables by its name: `.env.test`, `api.env`.
fn is_env_file(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    name == ".env" || name.starts_with(".env.") || name.ends_with(".env")
}
