//! Perl, Ruby, PHP, awk and Lua: their calls, found in a stream of tokens.
//!
//! No grammar is at hand for these; a lexer knows strings, comments and names
//! apart, which is enough to see what is handed to a shell or deleted.

use super::interpret::{Act, PROGRAM_BYTES_MAX, run};
use super::word::{Unknown, Word};

/// Most tokens that are read.
const TOKENS_MAX: usize = 50_000;

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Name(String),
    Text(Word),
    /// Text between backquotes, which a shell runs.
    Command(Word),
    Mark(char),
}

/// How a language writes what matters here.
struct Form {
    /// `#` begins a comment.
    hash: bool,
    /// `//` and `/* */` are comments.
    slashes: bool,
    /// `--` begins a comment.
    dashes: bool,
    /// `'…'` is a string.
    single: bool,
    backquotes: bool,
    /// `q(…)`, `qw(…)`, `qx(…)`, `%w[…]`, `%x(…)`.
    quoted: bool,
    /// What begins a variable within a string.
    interpolates: &'static [&'static str],
    /// Calls of a shell, by name.
    shells: &'static [&'static str],
    deletes: &'static [&'static str],
    trees: &'static [&'static str],
    moves: &'static [&'static str],
    /// `open` starts a command where a pipe stands beside it.
    pipes: bool,
}

const PERL: Form = Form {
    hash: true,
    slashes: false,
    dashes: false,
    single: true,
    backquotes: true,
    quoted: true,
    interpolates: &["$", "@"],
    shells: &["system", "exec", "popen"],
    deletes: &["unlink"],
    trees: &["rmtree", "remove_tree"],
    moves: &["rename", "move"],
    pipes: true,
};
const RUBY: Form = Form {
    interpolates: &["#{"],
    shells: &["system", "exec", "spawn", "popen", "capture2", "capture2e", "capture3", "sh", "run"],
    deletes: &["delete", "unlink", "rm", "rm_f"],
    trees: &["rm_rf", "rm_r", "remove_dir", "remove_entry", "remove_entry_secure"],
    moves: &["rename", "mv"],
    ..PERL
};
const PHP: Form = Form {
    slashes: true,
    quoted: false,
    interpolates: &["$", "{$"],
    shells: &["system", "exec", "shell_exec", "passthru", "popen", "proc_open"],
    deletes: &["unlink"],
    trees: &["deleteDirectory", "cleanDirectory"],
    moves: &["rename"],
    ..PERL
};
const AWK: Form = Form {
    single: false,
    backquotes: false,
    quoted: false,
    interpolates: &[],
    shells: &["system"],
    deletes: &[],
    trees: &[],
    moves: &[],
    ..PERL
};
const LUA: Form = Form {
    hash: false,
    dashes: true,
    backquotes: false,
    quoted: false,
    interpolates: &[],
    shells: &["execute", "popen"],
    deletes: &["remove"],
    trees: &[],
    moves: &["rename"],
    ..PERL
};

const R: Form = Form {
    backquotes: false,
    quoted: false,
    interpolates: &[],
    shells: &["system", "system2", "shell"],
    deletes: &["unlink"],
    trees: &[],
    moves: &[],
    pipes: false,
    ..PERL
};
const JULIA: Form = Form {
    quoted: false,
    single: false,
    interpolates: &["$"],
    shells: &[],
    deletes: &["rm"],
    trees: &[],
    moves: &["mv"],
    pipes: false,
    ..PERL
};
const ELIXIR: Form = Form {
    backquotes: false,
    quoted: false,
    interpolates: &["#{"],
    shells: &["cmd", "shell"],
    deletes: &["rm"],
    trees: &["rm_rf"],
    moves: &["rename"],
    pipes: false,
    ..PERL
};
const LISP: Form = Form {
    hash: false,
    single: false,
    backquotes: false,
    quoted: false,
    interpolates: &[],
    shells: &["command", "process"],
    deletes: &[],
    trees: &[],
    moves: &[],
    pipes: false,
    ..PERL
};
const APPLE: Form = Form { dashes: true, shells: &["script"], ..LISP };

pub(crate) fn r(program: &str) -> Vec<Act> {
    acts(program, &R)
}

pub(crate) fn julia(program: &str) -> Vec<Act> {
    acts(program, &JULIA)
}

pub(crate) fn elixir(program: &str) -> Vec<Act> {
    acts(program, &ELIXIR)
}

pub(crate) fn lisp(program: &str) -> Vec<Act> {
    acts(program, &LISP)
}

pub(crate) fn apple(program: &str) -> Vec<Act> {
    acts(program, &APPLE)
}

/// `"…".execute()`, `['sh', '-c', '…'].execute()`.
pub(crate) fn groovy(program: &str) -> Vec<Act> {
    let tokens = tokens(program, &PHP);
    let mut all = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        if *token != Token::Name("execute".into()) {
            continue;
        }
        let before: Vec<Word> = tokens[..at]
            .iter()
            .rev()
            .skip(1)
            .take_while(|t| matches!(t, Token::Text(_) | Token::Mark('[' | ']')))
            .filter_map(|t| match t {
                Token::Text(word) => Some(word.clone()),
                _ => None,
            })
            .collect();
        match before.len() {
            0 => {}
            1 => all.push(Act::Shell(before[0].clone())),
            _ => all.push(Act::Run(before.into_iter().rev().collect())),
        }
    }
    all
}

pub(crate) fn perl(program: &str) -> Vec<Act> {
    acts(program, &PERL)
}

pub(crate) fn ruby(program: &str) -> Vec<Act> {
    acts(program, &RUBY)
}

pub(crate) fn php(program: &str) -> Vec<Act> {
    acts(program, &PHP)
}

pub(crate) fn lua(program: &str) -> Vec<Act> {
    acts(program, &LUA)
}

/// `system("…")`, `"…" | getline`, `print "…" | "sh"`.
pub(crate) fn awk(program: &str) -> Vec<Act> {
    let mut all = acts(program, &AWK);
    let tokens = tokens(program, &AWK);
    for (at, token) in tokens.iter().enumerate() {
        let Token::Text(text) = token else { continue };
        let next = (tokens.get(at + 1), tokens.get(at + 2));
        match next {
            (Some(Token::Mark('|')), Some(Token::Name(name))) if name == "getline" => {
                all.push(Act::Shell(text.clone()))
            }
            (Some(Token::Mark('|')), Some(Token::Text(shell))) => {
                let shell = shell.as_literal().unwrap_or_default();
                let reads = super::carrier::is_shell(shell.rsplit('/').next().unwrap_or(shell));
                all.extend(reads.then(|| Act::Shell(text.clone())));
            }
            _ => {}
        }
    }
    // `print | "command"` starts the command, whatever it is given.
    for pair in tokens.windows(2) {
        if let [Token::Mark('|'), Token::Text(command)] = pair {
            all.push(Act::Shell(command.clone()));
        }
    }
    all
}

fn acts(program: &str, form: &Form) -> Vec<Act> {
    if program.len() > PROGRAM_BYTES_MAX {
        return Vec::new();
    }
    let tokens = tokens(program, form);
    let mut names: Vec<(String, Vec<Word>)> = Vec::new();
    let mut all = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        match token {
            Token::Command(text) => all.push(Act::Shell(text.clone())),
            Token::Name(name) => {
                if assigns(&tokens, at) {
                    let (values, _) = values(&tokens, at + 2, &names);
                    names.push((name.clone(), values));
                    continue;
                }
                // A method of an object may share a name; what is called on a value is no call of the system's.
                let called = matches!(tokens.get(at + 1), Some(Token::Mark('(') | Token::Text(_) | Token::Name(_)));
                if !called || defines(&tokens, at) {
                    continue;
                }
                let (words, _) = values(&tokens, at + 1, &names);
                all.extend(act(name, words, form));
            }
            _ => {}
        }
    }
    all
}

fn act(name: &str, mut words: Vec<Word>, form: &Form) -> Option<Act> {
    let has = |all: &[&str]| all.contains(&name);
    let first = words.first().cloned()?;
    if name == "open" && form.pipes {
        return opened(&words);
    }
    if has(form.shells) {
        // `open` modes and options behind the command are no words of it.
        words.retain(|w| !matches!(w.as_literal(), Some("r" | "w" | "-|" | "|-")));
        return Some(if words.len() > 1 && !first.show().contains(' ') { Act::Run(words) } else { Act::Shell(first) });
    }
    if has(form.trees) {
        return Some(run(["rm", "-rf"], words));
    }
    if has(form.deletes) {
        // What is deleted must look like a path: hashes have methods of these names.
        return first.show().contains('/').then(|| run(["rm", "-f"], words));
    }
    (has(form.moves) && words.len() == 2).then(|| run(["mv"], words))
}

/// `open(F, "command |")`, `open(F, "-|", "command")`.
fn opened(words: &[Word]) -> Option<Act> {
    if let Some(at) = words.iter().position(|w| matches!(w.as_literal(), Some("-|" | "|-"))) {
        let rest = words.get(at + 1..).filter(|rest| !rest.is_empty())?;
        return Some(if rest.len() > 1 { Act::Run(rest.to_vec()) } else { Act::Shell(rest[0].clone()) });
    }
    words.iter().filter_map(Word::as_literal).find_map(|text| {
        let text = text.trim();
        let command = text.strip_suffix('|').or_else(|| text.strip_prefix('|'))?;
        Some(Act::Shell(Word::literal(command.trim())))
    })
}

/// `$name = …`, `name = …`.
fn assigns(tokens: &[Token], at: usize) -> bool {
    tokens.get(at + 1) == Some(&Token::Mark('='))
        && !matches!(tokens.get(at + 2), Some(Token::Mark('=' | '~' | '>')))
        && !matches!(at.checked_sub(1).and_then(|b| tokens.get(b)), Some(Token::Mark('.' | '>' | '!' | '<')))
}

/// `def name`, `sub name`, `function name`.
fn defines(tokens: &[Token], at: usize) -> bool {
    let before = at.checked_sub(1).and_then(|b| tokens.get(b));
    matches!(before, Some(Token::Name(name)) if matches!(name.as_str(), "def" | "sub" | "function"))
}

/// The plain values from a place on, up to the end of the call or statement.
fn values(tokens: &[Token], from: usize, names: &[(String, Vec<Word>)]) -> (Vec<Word>, usize) {
    let mut out: Vec<Word> = Vec::new();
    let mut depth = 0usize;
    let mut joins = false;
    let opens = tokens.get(from) == Some(&Token::Mark('('));
    let mut at = from;
    while let Some(token) = tokens.get(at) {
        at += 1;
        let mut put = |word: Word, joins: &mut bool| match (std::mem::take(joins), out.last_mut()) {
            (true, Some(last)) => last.extend(word),
            _ => out.push(word),
        };
        match token {
            Token::Mark('(' | '[') => depth += 1,
            Token::Mark(')' | ']') => {
                depth = depth.saturating_sub(1);
                if depth == 0 && opens {
                    break;
                }
            }
            Token::Mark(';' | '}' | '{' | '|' | '&' | '?') if depth == 0 => break,
            Token::Mark('.' | '+') => joins = true,
            Token::Text(word) | Token::Command(word) => {
                let encoded = tokens[from..at - 1].iter().rev().find_map(|t| match t {
                    Token::Name(name) => Some(name.contains("64") && name.contains("decode")),
                    Token::Mark('(') | Token::Mark('.') => None,
                    _ => Some(false),
                });
                let decoded = word
                    .as_literal()
                    .filter(|_| encoded == Some(true))
                    .and_then(super::decode::of_base64)
                    .map_or_else(|| word.clone(), Word::literal);
                put(decoded, &mut joins);
            }
            Token::Name(name) if matches!(name.as_str(), "or" | "and" | "if" | "unless" | "do" | "end") => break,
            Token::Name(name) => match names.iter().rev().find(|(n, _)| n == name) {
                Some((_, words)) if words.len() == 1 => put(words[0].clone(), &mut joins),
                Some((_, words)) => out.extend(words.iter().cloned()),
                None => {}
            },
            Token::Mark(_) => {}
        }
    }
    (out, at)
}

fn tokens(program: &str, form: &Form) -> Vec<Token> {
    let mut lexer = Lexer { rest: program, form, out: Vec::new(), heredocs: Vec::new() };
    while lexer.out.len() < TOKENS_MAX && lexer.step() {}
    lexer.out
}

struct Lexer<'a> {
    rest: &'a str,
    form: &'a Form,
    out: Vec<Token>,
    heredocs: Vec<String>,
}

impl Lexer<'_> {
    fn step(&mut self) -> bool {
        let Some(c) = self.rest.chars().next() else { return false };
        let form = self.form;
        let two = self.rest.get(..2).unwrap_or_default();
        if c == '\n' && !self.heredocs.is_empty() {
            self.skip_heredocs();
        } else if (form.hash && c == '#') || (form.slashes && two == "//") || (form.dashes && two == "--") {
            self.skip_to('\n');
        } else if form.slashes && two == "/*" {
            self.rest = self.rest.split_once("*/").map_or("", |(_, rest)| rest);
        } else if c == '"' || (c == '\'' && form.single) || (c == '`' && form.backquotes) {
            self.string(c, c, c != '\'', c == '`');
        } else if c == '%' && form.quoted && self.percent() || two == "<<" && self.heredoc() {
        } else if c.is_alphabetic() || c == '_' {
            self.name();
        } else {
            self.rest = &self.rest[c.len_utf8()..];
            if !c.is_whitespace() && !matches!(c, '$' | '@' | ',' | ':' | '\\') {
                self.out.push(Token::Mark(c));
            } else if c == '\n' && !matches!(self.out.last(), Some(Token::Mark(_)) | None) {
                // The end of a line ends a statement where one can end.
                self.out.push(Token::Mark(';'));
            }
        }
        true
    }

    fn skip_to(&mut self, end: char) {
        self.rest = self.rest.find(end).map_or("", |at| &self.rest[at..]);
    }

    fn name(&mut self) {
        let end = self.rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(self.rest.len());
        let name = self.rest[..end].to_owned();
        self.rest = &self.rest[end..];
        if self.form.quoted && matches!(name.as_str(), "q" | "qq" | "qw" | "qx") {
            let trimmed = self.rest.trim_start();
            if let Some(open) =
                trimmed.chars().next().filter(|c| !c.is_alphanumeric() && !matches!(c, ',' | ';' | '=' | ')'))
            {
                self.rest = trimmed;
                self.quoted(open, name == "qw", name == "qx");
                return;
            }
        }
        self.out.push(Token::Name(name));
    }

    /// `%w[a b]`, `%x(…)`, `%q(…)`; false where it is a remainder.
    fn percent(&mut self) -> bool {
        let mut chars = self.rest.chars().skip(1);
        let (Some(kind), Some(open)) = (chars.next(), chars.next()) else { return false };
        if !matches!(kind, 'w' | 'W' | 'x' | 'q' | 'Q') || open.is_alphanumeric() || open.is_whitespace() {
            return false;
        }
        self.rest = &self.rest[2..];
        self.quoted(open, matches!(kind, 'w' | 'W'), kind == 'x');
        true
    }

    fn quoted(&mut self, open: char, words: bool, runs: bool) {
        let close = match open {
            '(' => ')',
            '[' => ']',
            '{' => '}',
            '<' => '>',
            other => other,
        };
        self.string(open, close, true, runs);
        if words && let Some(Token::Text(word)) = self.out.pop() {
            let text = word.show();
            self.out.extend(text.split_whitespace().map(|w| Token::Text(Word::literal(w))));
        }
    }

    fn string(&mut self, open: char, close: char, interpolates: bool, runs: bool) {
        let mut text = String::new();
        let mut depth = 1usize;
        let mut chars = self.rest.char_indices().skip(1);
        let mut end = self.rest.len();
        while let Some((at, c)) = chars.next() {
            if c == '\\' {
                let escaped = chars.next().map_or('\\', |(_, c)| c);
                match escaped {
                    'n' if interpolates => text.push('\n'),
                    't' if interpolates => text.push('\t'),
                    'x' if interpolates => {
                        let digits: String = self.rest[at + 2..].chars().take(2).collect();
                        match u8::from_str_radix(&digits, 16) {
                            Ok(code) => {
                                text.push(char::from(code));
                                chars.nth(1);
                            }
                            Err(_) => text.push('x'),
                        }
                    }
                    c if c == open || c == close || c == '\\' || interpolates => text.push(c),
                    c => text.extend(['\\', c]),
                }
                continue;
            }
            if c == close {
                depth -= 1;
                if depth == 0 {
                    end = at + c.len_utf8();
                    break;
                }
            } else if c == open {
                depth += 1;
            }
            text.push(c);
        }
        self.rest = &self.rest[end..];
        let word = if interpolates { self.interpolated(&text) } else { Word::literal(text) };
        self.out.push(if runs { Token::Command(word) } else { Token::Text(word) });
    }

    /// Text in which variables are unknown parts.
    fn interpolated(&self, text: &str) -> Word {
        let mut word = Word::default();
        let mut rest = text;
        while let Some((at, mark)) = self.form.interpolates.iter().filter_map(|m| Some((rest.find(m)?, *m))).min() {
            let after = &rest[at + mark.len()..];
            let is_name = |c: char| c.is_alphanumeric() || c == '_';
            let length = match mark.ends_with('{') || after.starts_with('{') {
                true => after.find('}').map_or(after.len(), |end| end + 1),
                false => after.find(|c| !is_name(c)).unwrap_or(after.len()),
            };
            word.push_text(&rest[..at]);
            if length == 0 {
                word.push_text(mark);
            } else {
                let name: String = after[..length].chars().filter(|c| is_name(*c)).collect();
                word.extend(self.known(&name));
            }
            rest = &after[length..];
        }
        word.push_text(rest);
        word
    }

    /// A variable that was given one plain text before.
    fn known(&self, name: &str) -> Word {
        let found = self.out.windows(3).rev().find_map(|three| match three {
            [Token::Name(n), Token::Mark('='), Token::Text(word)] if n == name => Some(word.clone()),
            _ => None,
        });
        found.unwrap_or_else(|| Word::unknown(Unknown::Variable(name.to_owned())))
    }

    /// `<<EOF`, `<<~EOF`, `<<"EOF"`: the body is text; false where it is a shift.
    fn heredoc(&mut self) -> bool {
        let after = self.rest[2..].trim_start_matches(['~', '-', '<']).trim_start_matches(['"', '\'']);
        let end = after.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(after.len());
        if end == 0 || !after.starts_with(|c: char| c.is_uppercase()) {
            return false;
        }
        self.heredocs.push(after[..end].to_owned());
        self.rest = after[end..].trim_start_matches(['"', '\'']);
        true
    }

    fn skip_heredocs(&mut self) {
        for label in std::mem::take(&mut self.heredocs) {
            let mut length = 0;
            for line in self.rest.split_inclusive('\n') {
                length += line.len();
                if line.trim().trim_end_matches([';', ')', ',']) == label {
                    break;
                }
            }
            self.rest = &self.rest[length..];
        }
        self.out.push(Token::Mark(';'));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(acts: Vec<Act>) -> Vec<String> {
        acts.iter()
            .map(|act| match act {
                Act::Run(words) => super::super::show_argv(words),
                Act::Shell(text) => format!("sh: {}", text.show()),
                Act::Append { path, text } => format!("{} << {}", path.show(), text.show()),
            })
            .collect()
    }

    #[test]
    fn calls_are_found() {
        for (acts, expected) in [
            (perl("system(\"ls -l\")"), "sh: ls -l"),
            (perl("my @a=('ls','-l'); system(@a);"), "ls -l"),
            (perl("exec qw(ls -l)"), "ls -l"),
            (perl("my $c = \"ls\"; system $c;"), "sh: ls"),
            (perl("print qx{ls}"), "sh: ls"),
            (perl("`ls`"), "sh: ls"),
            (perl("use File::Path; rmtree('/a');"), "rm -rf /a"),
            (perl("unlink glob('/a/*'), '/a/b'"), "rm -f /a/* /a/b"),
            (ruby("system('ls', '-l')"), "ls -l"),
            (ruby("puts `ls`"), "sh: ls"),
            (ruby("%x(ls)"), "sh: ls"),
            (ruby("require 'fileutils'; FileUtils.rm_rf('/a')"), "rm -rf /a"),
            (ruby("d = '/a'\nFileUtils.rm_rf \"#{d}/b\""), "rm -rf /a/b"),
            (ruby("Open3.capture2(\"ls -l\")"), "sh: ls -l"),
            (php("<?php system(\"ls -l\");"), "sh: ls -l"),
            (php("echo `ls`;"), "sh: ls"),
            (php("$c = \"ls -l\"; exec($c, $o);"), "sh: ls -l"),
            (awk("BEGIN{system(\"ls -l\")}"), "sh: ls -l"),
            (awk("BEGIN { \"ls\" | getline x }"), "sh: ls"),
            (awk("{ print \"ls\" | \"sh\" }"), "sh: ls"),
            (lua("os.execute('ls')"), "sh: ls"),
        ] {
            let all = shown(acts);
            assert!(all.iter().any(|l| l == expected), "{expected} {all:?}");
        }
    }

    #[test]
    fn text_and_other_calls_are_none() {
        for acts in [
            perl("print \"system('rm')\"; # system('x')\n s/rm -rf/x/g;"),
            ruby("puts 'system(1)'; h.delete('a'); File.read('/a')"),
            php("<?php echo 'unlink'; // system('x')\n /* exec('y') */ $a = 1;"),
            awk("{ print $1 } /rm -rf/ { n++ }"),
            perl("while(<>){ print if /x/ }"),
        ] {
            assert!(acts.is_empty(), "{:?}", shown(acts));
        }
    }
}
