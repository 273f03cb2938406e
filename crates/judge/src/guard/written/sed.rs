//! `sed -i`: the commands that people use on configuration, applied as GNU sed would.
//!
//! Whatever is not modelled makes the whole script unknown.

use coroner_read::shell::Word;
use regex::Regex;

/// Most commands of one script.
const COMMANDS_MAX: usize = 64;

/// A script that was read whole.
#[derive(Clone, Debug)]
pub struct Sed {
    commands: Vec<Command>,
    /// `-n`: lines are printed only where the script says so.
    quiet: bool,
}

impl PartialEq for Sed {
    fn eq(&self, other: &Sed) -> bool {
        format!("{self:?}") == format!("{other:?}")
    }
}

#[derive(Clone, Debug)]
struct Command {
    from: Option<Address>,
    to: Option<Address>,
    negated: bool,
    what: What,
}

#[derive(Clone, Debug)]
enum Address {
    Line(usize),
    Last,
    Matches(Regex),
    /// `addr,+N`
    More(usize),
}

#[derive(Clone, Debug)]
enum What {
    Substitute {
        from: Regex,
        to: Vec<Piece>,
        which: Which,
        prints: bool,
    },
    Delete,
    Print,
    Before(String),
    After(String),
    Change(String),
    Quit,
    /// `{ … }`
    Block(Vec<Command>),
}

/// Which matches of a line are replaced.
#[derive(Clone, Copy, Debug)]
enum Which {
    /// The one of this number, 1-based.
    Only(usize),
    /// All.
    Every,
}

#[derive(Clone, Debug)]
enum Piece {
    Text(String),
    Group(usize),
}

/// The script and the files of a `sed` that edits in place; `None` where it only prints.
pub(super) fn in_place(words: &[Word]) -> Option<(Option<Sed>, Vec<&Word>)> {
    let (edits, script, files) = parse(words)?;
    edits.then_some((script, files))
}

/// What a `sed` that prints makes of a text; `None` where that is not known.
pub(crate) fn printed(words: &[Word], text: &str) -> Option<String> {
    let (edits, script, _) = parse(words)?;
    script.filter(|_| !edits)?.apply(text)
}

/// Whether files are edited, the script where it can be read, and the files.
fn parse(words: &[Word]) -> Option<(bool, Option<Sed>, Vec<&Word>)> {
    let mut scripts: Vec<Option<String>> = Vec::new();
    let mut operands: Vec<&Word> = Vec::new();
    let (mut edits, mut extended, mut quiet, mut known) = (false, false, false, true);
    let mut at = 0;
    while let Some(word) = words.get(at) {
        at += 1;
        let text = word.prefix();
        if text == "--" {
            operands.extend(&words[at..]);
            break;
        }
        if let Some(long) = text.strip_prefix("--") {
            match long.split_once('=').map_or((long, None), |(name, value)| (name, Some(value))) {
                ("in-place", _) => edits = true,
                ("regexp-extended", _) => extended = true,
                ("quiet" | "silent", _) => quiet = true,
                ("expression", Some(value)) => scripts.push(word.as_literal().map(|_| value.to_owned())),
                ("expression", None) => {
                    scripts.push(words.get(at).and_then(Word::as_literal).map(str::to_owned));
                    at += 1;
                }
                ("separate" | "follow-symlinks" | "posix" | "sandbox" | "unbuffered", _) => {}
                _ => known = false,
            }
            continue;
        }
        if !text.starts_with('-') || text.len() == 1 {
            operands.push(word);
            continue;
        }
        for (i, c) in text.char_indices().skip(1) {
            match c {
                // The rest of the word is a suffix for the copy that is kept.
                'i' => {
                    edits = true;
                    // BSD takes the suffix from the next word, which then is mostly empty.
                    if i + 1 == text.len() && words.get(at).is_some_and(|w| w.as_literal() == Some("")) {
                        at += 1;
                    }
                    break;
                }
                'E' | 'r' => extended = true,
                'n' => quiet = true,
                's' | 'u' => {}
                'e' => {
                    let rest = &text[i + 1..];
                    if rest.is_empty() && word.parts.len() == 1 {
                        scripts.push(words.get(at).and_then(Word::as_literal).map(str::to_owned));
                        at += 1;
                    } else {
                        scripts.push(word.as_literal().map(|_| rest.to_owned()));
                    }
                    break;
                }
                'f' => {
                    known = false;
                    at += usize::from(i + 1 == text.len());
                    break;
                }
                _ => known = false,
            }
        }
    }
    if scripts.is_empty() && known {
        let script = (!operands.is_empty()).then(|| operands.remove(0))?;
        scripts.push(script.as_literal().map(str::to_owned));
    }
    let script: Option<String> = scripts.into_iter().collect::<Option<Vec<_>>>().map(|all| all.join("\n"));
    let read = script.filter(|_| known).and_then(|text| Sed::read(&text, extended, quiet));
    Some((edits, read, operands))
}

impl Sed {
    fn read(text: &str, extended: bool, quiet: bool) -> Option<Sed> {
        let mut reader = Reader { text: text.chars().collect(), at: 0, extended, count: 0 };
        let commands = reader.commands(false)?;
        Some(Sed { commands, quiet })
    }

    /// A script of substitutions in the regular expressions of Perl.
    pub(super) fn of_substitutions(all: Vec<(Regex, String, String)>) -> Option<Sed> {
        let commands = all
            .into_iter()
            .map(|(from, to, flags)| {
                let which = if flags.contains('g') { Which::Every } else { Which::Only(1) };
                let what = What::Substitute { from, to: perl_pieces(&to)?, which, prints: false };
                Some(Command { from: None, to: None, negated: false, what })
            })
            .collect::<Option<Vec<_>>>()?;
        Some(Sed { commands, quiet: false })
    }

    /// The text after the script ran over it.
    pub(super) fn apply(&self, text: &str) -> Option<String> {
        let ends = text.is_empty() || text.ends_with('\n');
        let lines: Vec<&str> = text.strip_suffix('\n').unwrap_or(text).split('\n').collect();
        let lines: &[&str] = if text.is_empty() { &[] } else { &lines };
        let mut ranges = vec![None; count(&self.commands)];
        let mut out: Vec<String> = Vec::new();
        for (index, line) in lines.iter().enumerate() {
            let mut cycle = Cycle {
                line: (*line).to_owned(),
                number: index + 1,
                last: index + 1 == lines.len(),
                before: Vec::new(),
                after: Vec::new(),
                deleted: false,
                quits: false,
            };
            run(&self.commands, &mut cycle, &mut ranges, &mut 0);
            out.append(&mut cycle.before);
            if !cycle.deleted && !self.quiet {
                out.push(cycle.line);
            }
            out.append(&mut cycle.after);
            if cycle.quits {
                return None;
            }
        }
        let mut text = out.join("\n");
        if !out.is_empty() && ends {
            text.push('\n');
        }
        Some(text)
    }
}

/// One line on its way through the script.
struct Cycle {
    line: String,
    number: usize,
    last: bool,
    before: Vec<String>,
    after: Vec<String>,
    deleted: bool,
    quits: bool,
}

fn count(commands: &[Command]) -> usize {
    commands
        .iter()
        .map(|c| match &c.what {
            What::Block(inner) => 1 + count(inner),
            _ => 1,
        })
        .sum()
}

fn run(commands: &[Command], cycle: &mut Cycle, ranges: &mut [Option<usize>], at: &mut usize) {
    for command in commands {
        let slot = *at;
        *at += 1;
        let chosen = chooses(command, cycle, &mut ranges[slot]) != command.negated;
        if let What::Block(inner) = &command.what {
            if chosen && !cycle.deleted {
                run(inner, cycle, ranges, at);
            } else {
                *at += count(inner);
            }
            continue;
        }
        if !chosen || cycle.deleted {
            continue;
        }
        match &command.what {
            What::Substitute { from, to, which, prints } => {
                if let Some(line) = substituted(&cycle.line, from, to, *which) {
                    cycle.line = line;
                    if *prints {
                        cycle.before.push(cycle.line.clone());
                    }
                }
            }
            What::Delete => cycle.deleted = true,
            What::Print => cycle.before.push(cycle.line.clone()),
            What::Before(text) => cycle.before.push(text.clone()),
            What::After(text) => cycle.after.push(text.clone()),
            What::Change(text) => {
                cycle.before.push(text.clone());
                cycle.deleted = true;
            }
            What::Quit => cycle.quits = true,
            What::Block(_) => {}
        }
    }
}

/// Whether the addresses choose the line; `open` is where a range ends, while one is open.
fn chooses(command: &Command, cycle: &Cycle, open: &mut Option<usize>) -> bool {
    let hit = |address: &Address| match address {
        Address::Line(number) => cycle.number == *number,
        Address::Last => cycle.last,
        Address::Matches(regex) => regex.is_match(&cycle.line),
        Address::More(_) => false,
    };
    let Some(from) = &command.from else { return true };
    let Some(to) = &command.to else { return hit(from) };
    if let Some(end) = *open {
        let ends = match to {
            Address::Matches(_) | Address::Last => hit(to),
            _ => cycle.number >= end,
        };
        if ends {
            *open = None;
        }
        return true;
    }
    if !hit(from) {
        return false;
    }
    *open = match to {
        Address::Line(number) => (*number > cycle.number).then_some(*number),
        Address::More(more) => (*more > 0).then_some(cycle.number + more),
        Address::Last | Address::Matches(_) => (!cycle.last).then_some(usize::MAX),
    };
    true
}

fn substituted(line: &str, from: &Regex, to: &[Piece], which: Which) -> Option<String> {
    let mut out = String::new();
    let mut done = 0;
    let mut any = false;
    for (index, found) in from.captures_iter(line).enumerate() {
        let wanted = match which {
            Which::Every => true,
            Which::Only(number) => index + 1 == number,
        };
        let whole = found.get(0)?;
        if !wanted {
            continue;
        }
        out.push_str(&line[done..whole.start()]);
        for piece in to {
            match piece {
                Piece::Text(text) => out.push_str(text),
                Piece::Group(group) => out.push_str(found.get(*group).map_or("", |m| m.as_str())),
            }
        }
        done = whole.end();
        any = true;
    }
    out.push_str(&line[done..]);
    any.then_some(out)
}

struct Reader {
    text: Vec<char>,
    at: usize,
    extended: bool,
    count: usize,
}

impl Reader {
    fn peek(&self) -> Option<char> {
        self.text.get(self.at).copied()
    }

    fn take(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += 1;
        Some(c)
    }

    fn skip(&mut self, skipped: impl Fn(char) -> bool) {
        while self.peek().is_some_and(&skipped) {
            self.at += 1;
        }
    }

    fn commands(&mut self, inside: bool) -> Option<Vec<Command>> {
        let mut all = Vec::new();
        loop {
            self.skip(|c| c.is_whitespace() || c == ';');
            match self.peek() {
                None => return (!inside).then_some(all),
                Some('}') if inside => {
                    self.at += 1;
                    return Some(all);
                }
                Some('#') => {
                    self.skip(|c| c != '\n');
                    continue;
                }
                Some(_) => all.push(self.command()?),
            }
            self.count += 1;
            if self.count > COMMANDS_MAX {
                return None;
            }
        }
    }

    fn command(&mut self) -> Option<Command> {
        let from = self.address()?;
        self.skip(|c| c == ' ');
        let mut to = None;
        if from.is_some() && self.peek() == Some(',') {
            self.at += 1;
            self.skip(|c| c == ' ');
            to = Some(match self.peek()? {
                '+' => {
                    self.at += 1;
                    Address::More(self.number()?)
                }
                _ => self.address()??,
            });
        }
        self.skip(|c| c == ' ');
        let mut negated = false;
        while self.peek() == Some('!') {
            self.at += 1;
            negated = true;
            self.skip(|c| c == ' ');
        }
        let what = match self.take()? {
            's' => self.substitute()?,
            'd' => What::Delete,
            'p' => What::Print,
            'q' => What::Quit,
            'i' => What::Before(self.body()?),
            'a' => What::After(self.body()?),
            'c' if to.is_none() && !negated => What::Change(self.body()?),
            '{' => What::Block(self.commands(true)?),
            _ => return None,
        };
        if !matches!(what, What::Before(_) | What::After(_) | What::Change(_) | What::Block(_)) {
            self.skip(|c| c == ' ');
            if !matches!(self.peek(), None | Some(';' | '\n' | '}' | '#')) {
                return None;
            }
        }
        Some(Command { from, to, negated, what })
    }

    fn number(&mut self) -> Option<usize> {
        let start = self.at;
        self.skip(|c| c.is_ascii_digit());
        self.text[start..self.at].iter().collect::<String>().parse().ok()
    }

    /// An address, if there is one; the outer `None` stands for one that is not modelled.
    fn address(&mut self) -> Option<Option<Address>> {
        Some(match self.peek() {
            Some(c) if c.is_ascii_digit() => {
                let number = self.number()?;
                if number == 0 || self.peek() == Some('~') {
                    return None;
                }
                Some(Address::Line(number))
            }
            Some('$') => {
                self.at += 1;
                Some(Address::Last)
            }
            Some('/') => {
                self.at += 1;
                Some(self.matches('/')?)
            }
            Some('\\') => {
                self.at += 1;
                let mark = self.take()?;
                Some(self.matches(mark)?)
            }
            _ => None,
        })
    }

    fn matches(&mut self, mark: char) -> Option<Address> {
        let pattern = self.until(mark)?;
        let insensitive = self.peek() == Some('I');
        self.at += usize::from(insensitive);
        self.regex(&pattern, insensitive).map(Address::Matches)
    }

    fn regex(&self, pattern: &str, insensitive: bool) -> Option<Regex> {
        // An empty expression means the last one used.
        if pattern.is_empty() {
            return None;
        }
        let pattern = expression(pattern, self.extended)?;
        Regex::new(&format!("{}{pattern}", if insensitive { "(?i)" } else { "" })).ok()
    }

    /// Text up to an unescaped mark; an escaped mark loses its backslash.
    fn until(&mut self, mark: char) -> Option<String> {
        let mut out = String::new();
        let mut bracket = false;
        loop {
            let c = self.take()?;
            match c {
                '\\' => {
                    let next = self.take()?;
                    if next != mark {
                        out.push('\\');
                    }
                    out.push(next);
                }
                '\n' => return None,
                '[' if !bracket => {
                    bracket = self.text[self.at..].contains(&']');
                    out.push(c);
                }
                ']' => {
                    bracket = false;
                    out.push(c);
                }
                c if c == mark && !bracket => return Some(out),
                c => out.push(c),
            }
        }
    }

    /// The right side, which knows no brackets and may hold lines.
    fn replacement(&mut self, mark: char) -> Option<Vec<Piece>> {
        let mut out: Vec<Piece> = Vec::new();
        let mut text = String::new();
        loop {
            match self.take()? {
                '\\' => match self.take()? {
                    'n' if mark != 'n' => text.push('\n'),
                    't' => text.push('\t'),
                    digit @ '0'..='9' => {
                        out.push(Piece::Text(std::mem::take(&mut text)));
                        out.push(Piece::Group(digit.to_digit(10)? as usize));
                    }
                    // Changes of case are not modelled.
                    'U' | 'L' | 'u' | 'l' | 'E' => return None,
                    other => text.push(other),
                },
                '&' => {
                    out.push(Piece::Text(std::mem::take(&mut text)));
                    out.push(Piece::Group(0));
                }
                c if c == mark => {
                    out.push(Piece::Text(text));
                    return Some(out);
                }
                c => text.push(c),
            }
        }
    }

    fn substitute(&mut self) -> Option<What> {
        let mark = self.take().filter(|c| !c.is_alphanumeric() && *c != '\n' && *c != '\\')?;
        let from = self.until(mark)?;
        let to = self.replacement(mark)?;
        let (mut which, mut every, mut insensitive, mut prints) = (1, false, false, false);
        while let Some(c) = self.peek() {
            match c {
                'g' => every = true,
                'i' | 'I' => insensitive = true,
                'p' => prints = true,
                '1'..='9' => {
                    which = self.number()?;
                    continue;
                }
                _ => break,
            }
            self.at += 1;
        }
        // `2g` replaces the second match and all behind it.
        if every && which > 1 {
            return None;
        }
        let which = if every { Which::Every } else { Which::Only(which) };
        Some(What::Substitute { from: self.regex(&from, insensitive)?, to, which, prints })
    }

    /// The text of `a`, `i` and `c`: the rest of the line, or the lines behind a backslash.
    fn body(&mut self) -> Option<String> {
        self.skip(|c| c == ' ' || c == '\t');
        if self.peek() == Some('\\') {
            self.at += 1;
            self.skip(|c| c == ' ');
            if self.peek() == Some('\n') {
                self.at += 1;
            }
        }
        let mut out = String::new();
        while let Some(c) = self.take() {
            match c {
                '\\' => out.extend(self.take().map(|c| if c == 't' { '\t' } else { c })),
                '\n' => break,
                c => out.push(c),
            }
        }
        Some(out)
    }
}

/// A POSIX expression in the syntax of the engine; `None` where it has no counterpart.
fn expression(pattern: &str, extended: bool) -> Option<String> {
    let chars: Vec<char> = pattern.chars().collect();
    let mut out = String::new();
    let mut at = 0;
    while let Some(&c) = chars.get(at) {
        at += 1;
        match c {
            '\\' => {
                let next = *chars.get(at)?;
                at += 1;
                match next {
                    '(' | ')' | '{' | '}' | '+' | '?' | '|' if !extended => out.push(next),
                    '<' | '>' => out.push_str(r"\b"),
                    '`' => out.push_str(r"\A"),
                    'n' | 't' | 'w' | 'W' | 's' | 'S' | 'b' | 'B' => out.extend(['\\', next]),
                    c if c.is_ascii_alphanumeric() => return None,
                    '\'' => return None,
                    c => out.push_str(&regex::escape(&c.to_string())),
                }
            }
            '[' => {
                let end = bracket_end(&chars, at)?;
                out.push('[');
                let mut inner = at;
                if chars.get(inner) == Some(&'^') {
                    out.push('^');
                    inner += 1;
                }
                while inner < end {
                    if chars[inner] == '[' && chars.get(inner + 1) == Some(&':') {
                        let close = (inner + 2..end).find(|i| chars[*i] == ':' && chars.get(i + 1) == Some(&']'))?;
                        out.extend(&chars[inner..=close + 1]);
                        inner = close + 2;
                        continue;
                    }
                    match chars[inner] {
                        '\\' if matches!(chars.get(inner + 1), Some('n' | 't')) => {
                            out.extend(['\\', chars[inner + 1]]);
                            inner += 1;
                        }
                        c @ ('\\' | '[' | ']' | '&' | '~' | '^') => out.extend(['\\', c]),
                        c => out.push(c),
                    }
                    inner += 1;
                }
                out.push(']');
                at = end + 1;
            }
            '(' | ')' | '{' | '}' | '+' | '?' | '|' if !extended => out.extend(['\\', c]),
            '*' if out.is_empty() || out == "^" => out.push_str(r"\*"),
            '^' if !(extended || out.is_empty() || out.ends_with('(')) => out.push_str(r"\^"),
            '$' if !extended && at < chars.len() && chars.get(at) != Some(&'\\') => out.push_str(r"\$"),
            c => out.push(c),
        }
    }
    Some(out)
}

/// Where the bracket ends whose content begins at `start`.
fn bracket_end(chars: &[char], start: usize) -> Option<usize> {
    let mut at = start + usize::from(chars.get(start) == Some(&'^'));
    at += usize::from(chars.get(at) == Some(&']'));
    while let Some(c) = chars.get(at) {
        if *c == '[' && chars.get(at + 1) == Some(&':') {
            at = (at + 2..chars.len()).find(|i| chars[*i] == ':' && chars.get(i + 1) == Some(&']'))? + 2;
            continue;
        }
        if *c == ']' {
            return Some(at);
        }
        at += 1;
    }
    None
}

/// The right side of a substitution of Perl; other variables than groups are not known.
fn perl_pieces(text: &str) -> Option<Vec<Piece>> {
    let mut out = Vec::new();
    let mut plain = String::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '$' | '\\' if chars.peek().is_some_and(char::is_ascii_digit) => {
                out.push(Piece::Text(std::mem::take(&mut plain)));
                out.push(Piece::Group(chars.next()?.to_digit(10)? as usize));
            }
            '$' if chars.peek() == Some(&'&') => {
                chars.next();
                out.push(Piece::Text(std::mem::take(&mut plain)));
                out.push(Piece::Group(0));
            }
            '$' | '@' => return None,
            '\\' => match chars.next()? {
                'n' => plain.push('\n'),
                't' => plain.push('\t'),
                c if c.is_ascii_alphabetic() => return None,
                c => plain.push(c),
            },
            c => plain.push(c),
        }
    }
    out.push(Piece::Text(plain));
    Some(out)
}
