//! Words after expansion: text, globs, and what could not be known.

/// What kind of value a part of a word would have had.
#[derive(Clone, Debug, PartialEq)]
pub enum Unknown {
    /// A variable that nothing in the text or the environment sets.
    Variable(String),
    /// What other commands print: their words, first the source, then the filters.
    Output(Vec<Vec<Word>>),
    /// Arithmetic, or an expansion that is not modelled.
    Other,
}

/// One part of a word.
#[derive(Clone, Debug, PartialEq)]
pub enum Part {
    Text(String),
    /// An unquoted pattern character or bracket that the shell matches against names.
    Glob(String),
    Unknown(Unknown),
}

/// One word of a command, as far as it can be known without running anything.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Word {
    pub parts: Vec<Part>,
}

impl Word {
    /// A word that is plain text.
    pub fn literal(text: impl Into<String>) -> Word {
        let mut word = Word::default();
        word.push_text(&text.into());
        word
    }

    /// A word of which nothing is known but where it comes from.
    pub fn unknown(unknown: Unknown) -> Word {
        Word { parts: vec![Part::Unknown(unknown)] }
    }

    /// The text, where all of it is known and nothing is matched against names.
    pub fn as_literal(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [] => Some(""),
            [Part::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// The text with its patterns, where all of it is known.
    pub fn as_pattern(&self) -> Option<String> {
        self.parts
            .iter()
            .map(|part| match part {
                Part::Text(text) | Part::Glob(text) => Some(text.as_str()),
                Part::Unknown(_) => None,
            })
            .collect()
    }

    /// Whether some part is not known.
    pub fn is_unresolved(&self) -> bool {
        self.parts.iter().any(|part| matches!(part, Part::Unknown(_)))
    }

    /// Whether the shell matches the word against names.
    pub fn has_glob(&self) -> bool {
        self.parts.iter().any(|part| matches!(part, Part::Glob(_)))
    }

    /// The known text that the word begins with.
    pub fn prefix(&self) -> &str {
        match self.parts.first() {
            Some(Part::Text(text)) => text,
            _ => "",
        }
    }

    /// The known text that the word ends with.
    pub fn suffix(&self) -> &str {
        match self.parts.last() {
            Some(Part::Text(text)) => text,
            _ => "",
        }
    }

    /// The commands whose output the word is, where it is nothing else.
    pub fn produced_by(&self) -> Option<&[Vec<Word>]> {
        match self.parts.as_slice() {
            [Part::Unknown(Unknown::Output(commands))] => Some(commands),
            _ => None,
        }
    }

    /// The commands whose output the file holds that the word names: `<(pip freeze)`.
    pub fn file_produced_by(&self) -> Option<&[Vec<Word>]> {
        match self.parts.as_slice() {
            [Part::Text(start), Part::Unknown(Unknown::Output(commands))] if start == super::carrier::PROCESS_FILE => {
                Some(commands)
            }
            _ => None,
        }
    }

    /// How much text it holds, in bytes.
    pub(crate) fn text_bytes(&self) -> usize {
        self.parts
            .iter()
            .map(|part| match part {
                Part::Text(text) | Part::Glob(text) => text.len(),
                Part::Unknown(_) => 1,
            })
            .sum()
    }

    /// The word as a person would write it, with `$NAME` and `$(…)` where unknown.
    pub fn show(&self) -> String {
        self.parts.iter().fold(String::new(), |mut out, part| {
            match part {
                Part::Text(text) | Part::Glob(text) => out.push_str(text),
                Part::Unknown(Unknown::Variable(name)) => out.push_str(&format!("${name}")),
                Part::Unknown(Unknown::Output(commands)) => {
                    let shown: Vec<String> = commands.iter().map(|argv| show_argv(argv)).collect();
                    out.push_str(&format!("$({})", shown.join(" | ")));
                }
                Part::Unknown(Unknown::Other) => out.push_str("$(…)"),
            }
            out
        })
    }

    pub(crate) fn push_text(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        match self.parts.last_mut() {
            Some(Part::Text(last)) => last.push_str(text),
            _ => self.parts.push(Part::Text(text.to_owned())),
        }
    }

    pub(crate) fn push(&mut self, part: Part) {
        match part {
            Part::Text(text) => self.push_text(&text),
            other => self.parts.push(other),
        }
    }

    pub(crate) fn extend(&mut self, other: Word) {
        for part in other.parts {
            self.push(part);
        }
    }

    /// The same word with patterns as plain text, as inside double quotes.
    pub(crate) fn quoted(&self) -> Word {
        let mut word = Word::default();
        for part in &self.parts {
            match part {
                Part::Glob(text) => word.push_text(text),
                other => word.push(other.clone()),
            }
        }
        word
    }

    /// Text of unquoted pieces: pattern characters become patterns.
    pub(crate) fn push_unquoted(&mut self, text: &str) {
        let mut rest = text;
        while let Some(at) = rest.find(['*', '?', '[', '!', '@', '+']) {
            let (before, from) = rest.split_at(at);
            self.push_text(before);
            let length = glob_length(from);
            if length == 0 {
                let first = from.chars().next().map_or(0, char::len_utf8);
                self.push_text(&from[..first]);
                rest = &from[first..];
            } else {
                self.parts.push(Part::Glob(from[..length].to_owned()));
                rest = &from[length..];
            }
        }
        self.push_text(rest);
    }
}

/// The words of a command as one line.
pub fn show_argv(argv: &[Word]) -> String {
    argv.iter().map(Word::show).collect::<Vec<_>>().join(" ")
}

/// How many bytes at the start are one pattern element; 0 where it is none.
fn glob_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    if matches!(bytes, [b'*' | b'?' | b'!' | b'@' | b'+', b'(', ..]) {
        return text.find(')').map_or(0, |end| end + 1);
    }
    match bytes.first() {
        Some(b'*') => bytes.iter().take_while(|b| **b == b'*').count(),
        Some(b'?') => 1,
        Some(b'[') => {
            let skip = 1 + usize::from(matches!(bytes.get(1), Some(b'!' | b'^')));
            let from = skip + usize::from(bytes.get(skip) == Some(&b']'));
            text.get(from..).and_then(|t| t.find(']')).map_or(0, |end| from + end + 1)
        }
        _ => 0,
    }
}

/// Whether a name matches a shell pattern; `*` and `?` do not cross a slash.
///
/// A leading dot of a name is matched only by a dot, as the shell does by default.
pub fn glob_matches(pattern: &str, name: &str) -> bool {
    if name.starts_with('.') && !pattern.starts_with('.') && !pattern.starts_with("@(.") {
        return false;
    }
    matches_here(pattern.as_bytes(), name.as_bytes(), &mut 0, true)
}

/// The same over whole strings, where `*` crosses everything, as in `case`.
pub fn pattern_matches(pattern: &str, text: &str) -> bool {
    matches_here(pattern.as_bytes(), text.as_bytes(), &mut 0, false)
}

/// Most comparisons of one match; a pattern of many stars could take for ever.
const MATCH_STEPS_MAX: usize = 20_000;

fn matches_here(pattern: &[u8], text: &[u8], steps: &mut usize, names: bool) -> bool {
    *steps += 1;
    if *steps > MATCH_STEPS_MAX {
        // Too costly to tell: a guard takes it as a match.
        return true;
    }
    match pattern {
        [] => text.is_empty(),
        [open @ (b'*' | b'?' | b'@' | b'+' | b'!'), b'(', rest @ ..] => {
            let Some(end) = rest.iter().position(|b| *b == b')') else { return false };
            let tail = &rest[end + 1..];
            if *open == b'!' {
                let hit =
                    rest[..end].split(|b| *b == b'|').any(|p| matches_here(&[p, tail].concat(), text, steps, names));
                return !hit;
            }
            let optional = matches!(open, b'*' | b'?') && matches_here(tail, text, steps, names);
            optional || rest[..end].split(|b| *b == b'|').any(|p| matches_here(&[p, tail].concat(), text, steps, names))
        }
        [b'*', rest @ ..] => (0..=text.len())
            .take_while(|n| !names || *n == 0 || text[*n - 1] != b'/')
            .any(|n| matches_here(rest, &text[n..], steps, names)),
        [b'?', rest @ ..] => match text {
            [b'/', ..] if names => false,
            [_, tail @ ..] => matches_here(rest, tail, steps, names),
            [] => false,
        },
        [b'[', rest @ ..] => match (bracket(rest, text.first().copied()), text) {
            (Some((hit, length)), [_, tail @ ..]) => hit && matches_here(&rest[length..], tail, steps, names),
            (Some(_), []) => false,
            (None, [b'[', tail @ ..]) => matches_here(rest, tail, steps, names),
            (None, _) => false,
        },
        [b'\\', c, rest @ ..] => text.first() == Some(c) && matches_here(rest, &text[1..], steps, names),
        [c, rest @ ..] => text.first() == Some(c) && matches_here(rest, &text[1..], steps, names),
    }
}

/// Whether a byte is in a bracket whose opening was read, and the bracket's length.
fn bracket(pattern: &[u8], byte: Option<u8>) -> Option<(bool, usize)> {
    let negated = matches!(pattern.first(), Some(b'!' | b'^'));
    let start = usize::from(negated);
    let close = start + 1 + pattern.get(start + 1..)?.iter().position(|b| *b == b']')?;
    let members = &pattern[start..close];
    let byte = byte?;
    let mut hit = false;
    let mut at = 0;
    while at < members.len() {
        if members[at..].starts_with(b"[:") {
            let end = members[at..].windows(2).position(|w| w == b":]").map_or(members.len(), |e| at + e + 2);
            hit |= class_holds(&members[at..end], byte);
            at = end;
        } else if at + 2 < members.len() && members[at + 1] == b'-' {
            hit |= (members[at]..=members[at + 2]).contains(&byte);
            at += 3;
        } else {
            hit |= members[at] == byte;
            at += 1;
        }
    }
    Some((hit != negated, close + 1))
}

fn class_holds(class: &[u8], byte: u8) -> bool {
    match class {
        b"[:alpha:]" => byte.is_ascii_alphabetic(),
        b"[:digit:]" => byte.is_ascii_digit(),
        b"[:alnum:]" => byte.is_ascii_alphanumeric(),
        b"[:lower:]" => byte.is_ascii_lowercase(),
        b"[:upper:]" => byte.is_ascii_uppercase(),
        b"[:space:]" => byte.is_ascii_whitespace(),
        b"[:punct:]" => byte.is_ascii_punctuation(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_match_names_as_the_shell_does() {
        for (pattern, name, expected) in [
            ("*", "data", true),
            ("*", ".docker-data", false),
            (".*", ".docker-data", true),
            (".[!.]*", ".docker-data", true),
            (".??*", ".git", true),
            ("d[a-c]ta", "data", true),
            ("d[!a]ta", "data", false),
            ("pg_*", "pg_wal", true),
            ("@(a|b)", "b", true),
            ("!(keep)", "drop", true),
            ("!(keep)", "keep", false),
            ("?ata", "data", true),
            ("[abc", "[abc", true),
        ] {
            assert_eq!(glob_matches(pattern, name), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn many_stars_end() {
        let _ = glob_matches(&"*a".repeat(40), &"a".repeat(200));
    }

    #[test]
    fn unquoted_text_is_split_into_patterns() {
        let mut word = Word::default();
        word.push_unquoted("/opt/{x}/*.log");
        assert_eq!(word.parts.len(), 3);
        assert_eq!(word.as_pattern().as_deref(), Some("/opt/{x}/*.log"));
        let mut plain = Word::default();
        plain.push_unquoted("user@host:[x");
        assert_eq!(plain.as_literal(), Some("user@host:[x"));
    }
}
