//! Expands raw words: braces, tildes, parameters, substitutions, splitting, quotes.

use brush_parser::word::{
    self as brush, BraceExpressionMember, BraceExpressionOrText, Parameter, ParameterExpr, SpecialParameter, TildeExpr,
    WordPiece, WordPieceWithSource,
};

use super::grammar;
use super::walk::Walker;
use super::word::{Part, Unknown, Word, pattern_matches};
use super::world::{Frame, Value, World};

/// Most words that braces of one word make.
const BRACE_WORDS_MAX: usize = 256;
/// Longest text that one raw word becomes, in bytes; values that double would fill the memory.
const VALUE_BYTES_MAX: usize = 64 * 1024;
/// Most text that all raw words become together, in bytes.
const VALUES_BYTES_MAX: usize = 1024 * 1024;
/// Longest raw word that is taken apart, in bytes; longer ones are data.
const WORD_BYTES_MAX: usize = 64 * 1024;

/// Words under construction: finished ones, and the one that is growing.
#[derive(Default)]
struct Fields {
    done: Vec<Word>,
    current: Word,
    /// Whether the current word exists even when it is empty, as `""` does.
    started: bool,
    /// How much text is in all of them.
    bytes: usize,
}

impl Fields {
    /// Whether there is room for a word; what is too long is not known.
    fn fits(&mut self, word: &Word) -> bool {
        let before = self.bytes;
        self.bytes += word.text_bytes();
        let fits = self.bytes <= VALUE_BYTES_MAX;
        if !fits && before <= VALUE_BYTES_MAX {
            self.current.push(Part::Unknown(Unknown::Other));
        }
        fits
    }

    fn add(&mut self, word: Word) {
        self.started = true;
        if self.fits(&word) {
            self.current.extend(word);
        }
    }

    fn cut(&mut self) {
        if self.started || !self.current.parts.is_empty() {
            self.done.push(std::mem::take(&mut self.current));
        }
        self.started = false;
    }

    /// A value that was not quoted: it is split, and its patterns are live.
    fn add_split(&mut self, word: Word) {
        if !self.fits(&word) {
            return;
        }
        for part in word.parts {
            let Part::Text(text) = part else {
                self.current.push(part);
                continue;
            };
            for (i, piece) in text.split([' ', '\t', '\n']).enumerate() {
                if i > 0 {
                    self.cut();
                }
                self.current.push_unquoted(piece);
            }
        }
    }

    fn add_all(&mut self, words: Vec<Word>, quoted: bool) {
        for (i, word) in words.into_iter().enumerate() {
            if i > 0 {
                self.cut();
            }
            if quoted { self.add(word.quoted()) } else { self.add_split(word) }
        }
    }

    fn finish(mut self) -> Vec<Word> {
        self.cut();
        self.done
    }
}

/// What a parameter expansion yields.
enum Expanded {
    One(Word),
    /// `"${A[@]}"`: as many words as there are elements.
    Many(Vec<Word>),
}

impl Walker<'_> {
    /// The words that a raw word becomes.
    pub(crate) fn expand(&mut self, raw: &str, world: &mut World, frame: &Frame) -> Vec<Word> {
        if is_plain(raw) {
            return vec![Word::literal(raw)];
        }
        if raw.len() > WORD_BYTES_MAX || is_deep(raw) {
            return vec![unquote(raw)];
        }
        let mut words = Vec::new();
        for raw in braces(raw) {
            let mut fields = Fields::default();
            match brush::parse(&raw, &grammar::options()) {
                Ok(pieces) => self.pieces(&pieces, world, frame, false, &mut fields),
                Err(_) => fields.add(unquote(&raw)),
            }
            words.extend(fields.finish());
        }
        if self.is_spent(&words) {
            return vec![Word::unknown(Unknown::Other)];
        }
        words
    }

    /// The one word that a raw word becomes where the shell does not split.
    pub(crate) fn expand_one(&mut self, raw: &str, world: &mut World, frame: &Frame) -> Word {
        if is_plain(raw) {
            return Word::literal(raw);
        }
        if raw.len() > WORD_BYTES_MAX || is_deep(raw) {
            return unquote(raw);
        }
        let mut fields = Fields::default();
        match brush::parse(raw, &grammar::options()) {
            Ok(pieces) => self.pieces(&pieces, world, frame, true, &mut fields),
            Err(_) => fields.add(unquote(raw)),
        }
        let words = fields.finish();
        if self.is_spent(&words) {
            return Word::unknown(Unknown::Other);
        }
        one(words)
    }

    /// Counts what words became; true once it is more than is followed.
    fn is_spent(&mut self, words: &[Word]) -> bool {
        self.expanded_bytes += words.iter().map(Word::text_bytes).sum::<usize>();
        let spent = self.expanded_bytes > VALUES_BYTES_MAX;
        if spent {
            self.limit(super::Limit::Bytes);
        }
        spent
    }

    /// The text of a here-document: only parameters and substitutions count.
    pub(crate) fn expand_here(&mut self, body: &str, world: &mut World, frame: &Frame) -> Word {
        if body.len() > WORD_BYTES_MAX || is_deep(body) || !body.contains(['$', '`', '\\']) {
            return Word::literal(body);
        }
        let mut fields = Fields::default();
        match brush::parse_heredoc(body, &grammar::options()) {
            Ok(pieces) => self.pieces(&pieces, world, frame, true, &mut fields),
            Err(_) => return Word::literal(body),
        }
        one(fields.finish())
    }

    /// `whole`: the result is one word, so values are neither split nor matched.
    fn pieces(
        &mut self,
        pieces: &[WordPieceWithSource],
        world: &mut World,
        frame: &Frame,
        whole: bool,
        out: &mut Fields,
    ) {
        for piece in pieces {
            match &piece.piece {
                WordPiece::Text(text) => out.current.push_unquoted(text),
                WordPiece::SingleQuotedText(text) => out.add(Word::literal(text.clone())),
                WordPiece::AnsiCQuotedText(text) => out.add(Word::literal(ansi(text))),
                WordPiece::EscapeSequence(text) => {
                    let text = text.strip_prefix('\\').unwrap_or(text);
                    out.add(Word::literal(if text == "\n" { "" } else { text }));
                }
                WordPiece::DoubleQuotedSequence(inner) | WordPiece::GettextDoubleQuotedSequence(inner) => {
                    out.started |= inner.is_empty();
                    self.quoted(inner, world, frame, out);
                }
                WordPiece::TildeExpansion(tilde) => out.add(self.tilde(tilde, world)),
                WordPiece::ParameterExpansion(expr) => match self.parameter(expr, world, frame) {
                    Expanded::One(word) if whole => out.add(word),
                    Expanded::One(word) => out.add_split(word),
                    Expanded::Many(words) if whole => out.add(joined(words)),
                    Expanded::Many(words) => out.add_all(words, false),
                },
                WordPiece::CommandSubstitution(text) => self.substituted(text, world, frame, whole, out),
                WordPiece::BackquotedCommandSubstitution(text) => {
                    let text = text.replace("\\`", "`").replace("\\\\", "\\").replace("\\$", "$");
                    self.substituted(&text, world, frame, whole, out);
                }
                WordPiece::ArithmeticExpression(expr) => {
                    if expr.value.contains(['`', '$']) {
                        self.expand_here(&expr.value, world, frame);
                    }
                    out.add(arithmetic(&expr.value));
                }
            }
        }
    }

    fn substituted(&mut self, text: &str, world: &World, frame: &Frame, whole: bool, out: &mut Fields) {
        let word = self.substitute_text(text, world, frame);
        if whole { out.add(word) } else { out.add_split(word) }
    }

    /// Inside double quotes nothing is split, but `"$@"` still makes several words.
    fn quoted(&mut self, pieces: &[WordPieceWithSource], world: &mut World, frame: &Frame, out: &mut Fields) {
        for piece in pieces {
            match &piece.piece {
                WordPiece::Text(text) => out.add(Word::literal(text.clone())),
                WordPiece::ParameterExpansion(expr) => match self.parameter(expr, world, frame) {
                    Expanded::One(word) if is_matched(expr, world) => out.add(word),
                    Expanded::Many(words) if is_matched(expr, world) => out.add_all(words, false),
                    Expanded::One(word) => out.add(word.quoted()),
                    Expanded::Many(words) => out.add_all(words, true),
                },
                _ => {
                    let mut inner = Fields::default();
                    self.pieces(std::slice::from_ref(piece), world, frame, true, &mut inner);
                    out.add(one(inner.finish()).quoted());
                }
            }
        }
    }

    fn tilde(&self, tilde: &TildeExpr, world: &World) -> Word {
        match tilde {
            TildeExpr::Home => self.variable("HOME", world),
            TildeExpr::UserHome(user) if user == "root" => Word::literal("/root"),
            TildeExpr::UserHome(user) => Word::literal(format!("/home/{user}")),
            TildeExpr::WorkingDir => world.cwd.clone(),
            TildeExpr::OldWorkingDir => world.previous.clone().unwrap_or_else(|| Word::unknown(Unknown::Other)),
            _ => Word::unknown(Unknown::Other),
        }
    }

    /// The value of a variable, or a word that says that it is not known.
    pub(crate) fn variable(&self, name: &str, world: &World) -> Word {
        self.known(name, world).unwrap_or_else(|| Word::unknown(Unknown::Variable(name.to_owned())))
    }

    fn known(&self, name: &str, world: &World) -> Option<Word> {
        match world.vars.get(name) {
            Some(Value::Scalar(word)) => return Some(word.clone()),
            Some(Value::Array(items)) => return items.first().map(|(_, word)| word.clone()),
            None => {}
        }
        match name {
            "PWD" => return Some(world.cwd.clone()),
            "OLDPWD" if world.previous.is_some() => return world.previous.clone(),
            "IFS" => return Some(Word::literal(" \t\n")),
            _ => {}
        }
        self.context.env.get(name).map(|value| Word::literal(value.clone()))
    }

    fn lookup(&self, parameter: &Parameter, indirect: bool, world: &World) -> Option<Expanded> {
        let value = match parameter {
            Parameter::Positional(n) => Expanded::One(world.arguments.get(*n as usize)?.clone()),
            Parameter::Special(SpecialParameter::AllPositionalParameters { concatenate }) => {
                let words: Vec<Word> = world.arguments.iter().skip(1).cloned().collect();
                if *concatenate { Expanded::One(joined(words)) } else { Expanded::Many(words) }
            }
            Parameter::Special(SpecialParameter::PositionalParameterCount) => {
                Expanded::One(Word::literal(world.arguments.len().saturating_sub(1).to_string()))
            }
            Parameter::Special(SpecialParameter::ShellName) => Expanded::One(world.arguments.first()?.clone()),
            Parameter::Special(_) => return None,
            Parameter::Named(name) => Expanded::One(self.known(name, world)?),
            Parameter::NamedWithIndex { name, index } => match world.vars.get(name)? {
                Value::Array(items) => Expanded::One(items.iter().find(|(key, _)| key == index)?.1.clone()),
                Value::Scalar(word) if index == "0" => Expanded::One(word.clone()),
                Value::Scalar(_) => return None,
            },
            Parameter::NamedWithAllIndices { name, concatenate } => {
                let words: Vec<Word> = match world.vars.get(name)? {
                    Value::Array(items) => items.iter().map(|(_, word)| word.clone()).collect(),
                    Value::Scalar(word) => vec![word.clone()],
                };
                if *concatenate { Expanded::One(joined(words)) } else { Expanded::Many(words) }
            }
        };
        match value {
            Expanded::One(word) if indirect => {
                let name = word.as_literal()?.to_owned();
                Some(Expanded::One(self.known(&name, world)?))
            }
            value => Some(value),
        }
    }

    fn parameter(&mut self, expr: &ParameterExpr, world: &mut World, frame: &Frame) -> Expanded {
        use ParameterExpr as E;
        match expr {
            E::Parameter { parameter, indirect } => {
                self.lookup(parameter, *indirect, world).unwrap_or_else(|| unset(parameter))
            }
            E::UseDefaultValues { parameter, indirect, default_value: other, .. } => {
                match self.lookup(parameter, *indirect, world) {
                    Some(value) if !is_empty(&value) => value,
                    _ => Expanded::One(self.operand(other.as_deref(), world, frame)),
                }
            }
            E::AssignDefaultValues { parameter, indirect, default_value, .. } => {
                match self.lookup(parameter, *indirect, world) {
                    Some(value) if !is_empty(&value) => value,
                    _ => {
                        let word = self.operand(default_value.as_deref(), world, frame);
                        if let Parameter::Named(name) = parameter {
                            world.set(name, word.clone());
                        }
                        Expanded::One(word)
                    }
                }
            }
            E::IndicateErrorIfNullOrUnset { parameter, indirect, .. } => {
                self.lookup(parameter, *indirect, world).unwrap_or_else(|| unset(parameter))
            }
            E::UseAlternativeValue { parameter, indirect, alternative_value, .. } => {
                match self.lookup(parameter, *indirect, world) {
                    Some(value) if !is_empty(&value) => {
                        Expanded::One(self.operand(alternative_value.as_deref(), world, frame))
                    }
                    // Whether it is set is not known here; a flag that it adds is taken as given.
                    _ => Expanded::One(Word::default()),
                }
            }
            E::Transform { parameter, indirect, .. } => {
                self.lookup(parameter, *indirect, world).unwrap_or_else(|| unset(parameter))
            }
            _ => self.edited(expr, world, frame),
        }
    }

    /// Expansions that change a value: trimmed, replaced, cut, in another case.
    fn edited(&mut self, expr: &ParameterExpr, world: &mut World, frame: &Frame) -> Expanded {
        use ParameterExpr as E;
        let (parameter, indirect) = match expr {
            E::RemoveSmallestSuffixPattern { parameter, indirect, .. }
            | E::RemoveLargestSuffixPattern { parameter, indirect, .. }
            | E::RemoveSmallestPrefixPattern { parameter, indirect, .. }
            | E::RemoveLargestPrefixPattern { parameter, indirect, .. }
            | E::ReplaceSubstring { parameter, indirect, .. }
            | E::Substring { parameter, indirect, .. }
            | E::LowercasePattern { parameter, indirect, .. }
            | E::UppercasePattern { parameter, indirect, .. } => (parameter, *indirect),
            _ => return Expanded::One(Word::unknown(Unknown::Other)),
        };
        let Some(Expanded::One(value)) = self.lookup(parameter, indirect, world) else { return unset(parameter) };
        let Some(text) = value.as_literal().map(str::to_owned) else {
            return Expanded::One(Word::unknown(Unknown::Other));
        };
        let mut operand = |raw: &Option<String>| {
            let word = self.operand(raw.as_deref(), world, frame);
            word.as_pattern()
        };
        let edited = match expr {
            E::RemoveSmallestSuffixPattern { pattern, .. } => operand(pattern).map(|p| trim_end(&text, &p, false)),
            E::RemoveLargestSuffixPattern { pattern, .. } => operand(pattern).map(|p| trim_end(&text, &p, true)),
            E::RemoveSmallestPrefixPattern { pattern, .. } => operand(pattern).map(|p| trim_start(&text, &p, false)),
            E::RemoveLargestPrefixPattern { pattern, .. } => operand(pattern).map(|p| trim_start(&text, &p, true)),
            E::LowercasePattern { .. } => Some(text.to_lowercase()),
            E::UppercasePattern { .. } => Some(text.to_uppercase()),
            E::ReplaceSubstring { pattern, replacement, match_kind, .. } => {
                let from = operand(&Some(pattern.clone()));
                let to = operand(replacement);
                match (from, to) {
                    (Some(from), Some(to)) if !from.is_empty() && !from.contains(['*', '?', '[']) => {
                        Some(match match_kind {
                            brush::SubstringMatchKind::Anywhere => text.replace(&from, &to),
                            _ => text.replacen(&from, &to, 1),
                        })
                    }
                    _ => None,
                }
            }
            E::Substring { offset, length, .. } => {
                substring(&text, &offset.value, length.as_ref().map(|l| l.value.as_str()))
            }
            _ => None,
        };
        Expanded::One(edited.map_or_else(|| Word::unknown(Unknown::Other), Word::literal))
    }

    fn operand(&mut self, raw: Option<&str>, world: &mut World, frame: &Frame) -> Word {
        match raw {
            Some(raw) => self.expand_one(raw, world, frame),
            None => Word::default(),
        }
    }
}

/// Whether a raw word means just itself.
fn is_plain(raw: &str) -> bool {
    !raw.is_empty() && raw.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_./:,%".contains(&b))
}

/// Whether a parameter holds names that a pattern matched before.
fn is_matched(expr: &ParameterExpr, world: &World) -> bool {
    let ParameterExpr::Parameter { parameter, .. } = expr else { return false };
    match parameter {
        Parameter::Named(name)
        | Parameter::NamedWithIndex { name, .. }
        | Parameter::NamedWithAllIndices { name, .. } => world.matched.contains(name),
        _ => false,
    }
}

/// Whether a raw word would take the word grammar deeper than its stack allows.
fn is_deep(raw: &str) -> bool {
    let mut depth = 0usize;
    let mut deepest = 0;
    for byte in raw.bytes() {
        match byte {
            b'(' | b'{' => depth += 1,
            b')' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest > super::NESTING_MAX
}

fn unset(parameter: &Parameter) -> Expanded {
    let name = match parameter {
        Parameter::Named(name)
        | Parameter::NamedWithIndex { name, .. }
        | Parameter::NamedWithAllIndices { name, .. } => name.clone(),
        Parameter::Positional(n) => n.to_string(),
        Parameter::Special(special) => special.to_string(),
    };
    Expanded::One(Word::unknown(Unknown::Variable(name)))
}

fn is_empty(value: &Expanded) -> bool {
    match value {
        Expanded::One(word) => word.parts.is_empty(),
        Expanded::Many(words) => words.is_empty(),
    }
}

fn joined(words: Vec<Word>) -> Word {
    let mut out = Word::default();
    for (i, word) in words.into_iter().enumerate() {
        if i > 0 {
            out.push_text(" ");
        }
        out.extend(word);
    }
    out
}

fn one(words: Vec<Word>) -> Word {
    joined(words)
}

/// The raw words that braces make of one raw word.
fn braces(raw: &str) -> Vec<String> {
    if !raw.contains('{') {
        return vec![raw.to_owned()];
    }
    match brush::parse_brace_expansions(raw, &grammar::options()) {
        Ok(Some(pieces)) => {
            let mut all = combine(&pieces);
            all.truncate(BRACE_WORDS_MAX);
            all
        }
        _ => vec![raw.to_owned()],
    }
}

fn combine(pieces: &[BraceExpressionOrText]) -> Vec<String> {
    let mut all = vec![String::new()];
    for piece in pieces {
        let choices: Vec<String> = match piece {
            BraceExpressionOrText::Text(text) => vec![text.clone()],
            BraceExpressionOrText::Expr(members) => members.iter().flat_map(member).collect(),
        };
        all = all
            .iter()
            .flat_map(|head| choices.iter().map(move |tail| format!("{head}{tail}")))
            .take(BRACE_WORDS_MAX)
            .collect();
    }
    all
}

fn member(member: &BraceExpressionMember) -> Vec<String> {
    match member {
        BraceExpressionMember::NumberSequence { start, end, increment } => {
            let step = increment.unsigned_abs().max(1) as usize;
            let count = BRACE_WORDS_MAX;
            if start <= end {
                (*start..=*end).step_by(step).take(count).map(|n| n.to_string()).collect()
            } else {
                (*end..=*start).rev().step_by(step).take(count).map(|n| n.to_string()).collect()
            }
        }
        BraceExpressionMember::CharSequence { start, end, increment } => {
            let step = increment.unsigned_abs().max(1) as usize;
            let (low, high) = (*start.min(end), *start.max(end));
            let mut all: Vec<String> = (low..=high).map(String::from).collect();
            if start > end {
                all.reverse();
            }
            all.into_iter().step_by(step).collect()
        }
        BraceExpressionMember::Child(pieces) => combine(pieces),
    }
}

/// Takes quotes off a word that the grammar refused.
fn unquote(raw: &str) -> Word {
    let mut text = raw.to_owned();
    text.retain(|c| !matches!(c, '\'' | '"' | '\\'));
    let mut word = Word::default();
    match text.split_once('$') {
        Some((before, _)) => {
            word.push_text(before);
            word.push(Part::Unknown(Unknown::Other));
        }
        None => word.push_unquoted(&text),
    }
    word
}

fn arithmetic(expr: &str) -> Word {
    match expr.trim().parse::<i64>() {
        Ok(number) => Word::literal(number.to_string()),
        Err(_) => Word::unknown(Unknown::Other),
    }
}

fn trim_end(text: &str, pattern: &str, longest: bool) -> String {
    let mut cuts: Vec<usize> = text.char_indices().map(|(i, _)| i).chain([text.len()]).collect();
    if !longest {
        cuts.reverse();
    }
    let cut = cuts.into_iter().find(|i| pattern_matches(pattern, &text[*i..]));
    text[..cut.unwrap_or(text.len())].to_owned()
}

fn trim_start(text: &str, pattern: &str, longest: bool) -> String {
    let mut cuts: Vec<usize> = text.char_indices().map(|(i, _)| i).chain([text.len()]).collect();
    if longest {
        cuts.reverse();
    }
    let cut = cuts.into_iter().find(|i| pattern_matches(pattern, &text[..*i]));
    text[cut.unwrap_or(0)..].to_owned()
}

fn substring(text: &str, offset: &str, length: Option<&str>) -> Option<String> {
    let chars: Vec<char> = text.chars().collect();
    let count = chars.len() as i64;
    let offset: i64 = offset.trim().parse().ok()?;
    let start = if offset < 0 { count + offset } else { offset };
    let end = match length {
        None => count,
        Some(length) => match length.trim().parse::<i64>().ok()? {
            n if n < 0 => count + n,
            n => start + n,
        },
    };
    let start = usize::try_from(start.clamp(0, count)).ok()?;
    let end = usize::try_from(end.clamp(0, count)).ok()?;
    Some(chars.get(start..end)?.iter().collect())
}

/// Decodes the text between `$'` and `'`.
pub(crate) fn ansi(text: &str) -> String {
    let mut out = Vec::new();
    let mut chars = text.chars().peekable();
    let mut buffer = [0u8; 4];
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.extend_from_slice(c.encode_utf8(&mut buffer).as_bytes());
            continue;
        }
        let escape = chars.next();
        let mut digits = |radix: u32, most: usize, first: Option<char>| {
            let mut value = first.and_then(|c| c.to_digit(radix)).unwrap_or(0);
            for _ in usize::from(first.is_some())..most {
                let Some(digit) = chars.peek().and_then(|c| c.to_digit(radix)) else { break };
                value = value.wrapping_mul(radix).wrapping_add(digit);
                chars.next();
            }
            value
        };
        match escape {
            Some('n') => out.push(b'\n'),
            Some('t') => out.push(b'\t'),
            Some('r') => out.push(b'\r'),
            Some('a') => out.push(7),
            Some('b') => out.push(8),
            Some('e' | 'E') => out.push(27),
            Some('f') => out.push(12),
            Some('v') => out.push(11),
            Some('x') => out.push(digits(16, 2, None) as u8),
            Some(c @ '0'..='7') => out.push(digits(8, 3, Some(c)) as u8),
            Some(u @ ('u' | 'U')) => {
                let code = digits(16, if u == 'u' { 4 } else { 8 }, None);
                let c = char::from_u32(code).unwrap_or('\u{fffd}');
                out.extend_from_slice(c.encode_utf8(&mut buffer).as_bytes());
            }
            Some(other) => out.extend_from_slice(other.encode_utf8(&mut buffer).as_bytes()),
            None => out.push(b'\\'),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}
