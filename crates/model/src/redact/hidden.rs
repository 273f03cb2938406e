//! Secrets that do not stand in a text as they are: in Base64, or cut into pieces that a
//! language joins again.

use std::ops::Range;

use super::{Secret, direct, spelling};

/// Shortest word that is read as Base64, in bytes.
const WORD_BYTES_MIN: usize = 24;
/// Longest word that is read as Base64, in bytes.
const WORD_BYTES_MAX: usize = 256 * 1024;
/// How often Base64 is taken off: a text in a text.
const LAYERS_MAX: usize = 2;
/// Most words of one text that are read as Base64.
const WORDS_MAX: usize = 5_000;
/// Longest stretch between two pieces, in bytes.
const JOINT_BYTES_MAX: usize = 64;

/// Adds what is found in words of Base64; the span is the whole word.
pub(super) fn encoded(text: &str, found: &mut Vec<Secret>) {
    let mut left = WORDS_MAX;
    encoded_layer(text, LAYERS_MAX, &mut left, found);
}

fn encoded_layer(text: &str, layers: usize, left: &mut usize, found: &mut Vec<Secret>) {
    for word in words(text) {
        if *left == 0 {
            return;
        }
        let known = |secret: &Secret| secret.span.start < word.end && word.start < secret.span.end;
        if found.iter().any(known) {
            continue;
        }
        *left -= 1;
        let Some(plain) = decoded(&text[word.clone()]) else { continue };
        let mut inner = Vec::new();
        direct(&plain, &mut inner);
        if inner.is_empty() && layers > 1 {
            encoded_layer(&plain, layers - 1, left, &mut inner);
        }
        if let Some(first) = inner.into_iter().min_by_key(|secret| secret.level) {
            found.push(Secret { span: word, ..first });
        }
    }
}

/// Words that could be Base64 of a text.
fn words(text: &str) -> impl Iterator<Item = Range<usize>> + '_ {
    let bytes = text.as_bytes();
    let mut at = 0;
    std::iter::from_fn(move || {
        while at < bytes.len() {
            // A word of enough length has a digit at each such distance, so most bytes are skipped.
            let probe = at + WORD_BYTES_MIN - 1;
            if probe >= bytes.len() {
                return None;
            }
            if let Some(stop) = bytes[at..=probe].iter().rposition(|b| !is_digit(*b)) {
                at += stop + 1;
                continue;
            }
            let end = at + bytes[at..].iter().take_while(|b| is_digit(**b)).count();
            let padding = bytes[end..].iter().take(2).take_while(|b| **b == b'=').count();
            let word = at..end + padding;
            at = end + padding;
            let hex = bytes[word.clone()].iter().all(u8::is_ascii_hexdigit);
            if !hex && word.len() <= WORD_BYTES_MAX {
                return Some(word);
            }
        }
        None
    })
}

fn is_digit(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_')
}

fn decoded(word: &str) -> Option<String> {
    let plain = spelling::of_base64_lines(word)?;
    let printable = plain.bytes().filter(|b| b.is_ascii_graphic() || b.is_ascii_whitespace()).count();
    (printable * 100 >= plain.len() * 95).then_some(plain)
}

/// Adds what is found once pieces are joined: `"abc" + "def"`, `'abc''def'`, lines that go on.
pub(super) fn joined(text: &str, found: &mut Vec<Secret>) {
    let joints = joints(text);
    if joints.is_empty() {
        return;
    }
    let mut inner = Vec::new();
    let joined = Joined::of(text, &joints);
    direct(&joined.whole, &mut inner);
    for secret in inner {
        let Some(span) = joined.place(&secret.span) else { continue };
        if text.is_char_boundary(span.start) && text.is_char_boundary(span.end) {
            // A piece that was taken for the whole.
            found.retain(|known| known.span == span || known.span.start < span.start || span.end < known.span.end);
            found.push(Secret { span, ..secret });
        }
    }
}

/// The lines around joints, without the joints.
struct Joined {
    whole: String,
    cuts: Vec<Cut>,
}

/// Where something was left out.
struct Cut {
    /// In the joined text.
    at: usize,
    /// Bytes that were left out up to here.
    left_out: usize,
    /// Whether it was a joint; else lines without one.
    joint: bool,
}

impl Joined {
    fn of(text: &str, joints: &[Range<usize>]) -> Joined {
        let mut joined = Joined { whole: String::new(), cuts: Vec::with_capacity(joints.len()) };
        let mut done = 0;
        for (number, joint) in joints.iter().enumerate() {
            // A line before and a line behind are kept, since some values say over lines what they are.
            joined.leave_out(done, line_before(text, joint.start).max(done), false);
            let from = line_before(text, joint.start).max(done);
            joined.whole.push_str(&text[from..joint.start]);
            joined.leave_out(joint.start, joint.end, true);
            done = joint.end;
            let next = joints.get(number + 1).map_or(text.len(), |next| next.start);
            let end = line_behind(text, done).min(next);
            joined.whole.push_str(&text[done..end]);
            done = end;
        }
        joined
    }

    fn leave_out(&mut self, from: usize, to: usize, joint: bool) {
        if from < to {
            let before = self.cuts.last().map_or(0, |cut| cut.left_out);
            self.cuts.push(Cut { at: self.whole.len(), left_out: before + to - from, joint });
        }
    }

    /// Where in the text a part of the joined text stands, if it goes over a joint and over nothing else.
    fn place(&self, span: &Range<usize>) -> Option<Range<usize>> {
        let within = |cut: &&Cut| span.start < cut.at && cut.at < span.end;
        let over: Vec<&Cut> = self.cuts.iter().filter(within).collect();
        if over.is_empty() || over.iter().any(|cut| !cut.joint) {
            return None;
        }
        let before = |count: usize| count.checked_sub(1).map_or(0, |last| self.cuts[last].left_out);
        let start = span.start + before(self.cuts.partition_point(|cut| cut.at <= span.start));
        let end = span.end + before(self.cuts.partition_point(|cut| cut.at < span.end));
        Some(start..end)
    }
}

/// The start of the line before the one that holds a place.
fn line_before(text: &str, at: usize) -> usize {
    let own = text[..at].rfind('\n').unwrap_or(0);
    text[..own].rfind('\n').map_or(0, |newline| newline + 1)
}

/// The end of the line behind the one that holds a place.
fn line_behind(text: &str, at: usize) -> usize {
    let own = text[at..].find('\n').map_or(text.len(), |length| at + length + 1);
    text[own..].find('\n').map_or(text.len(), |length| own + length + 1)
}

/// What stands between pieces of one string.
fn joints(text: &str) -> Vec<Range<usize>> {
    let bytes = text.as_bytes();
    let mut joints: Vec<Range<usize>> = Vec::new();
    let mut at = 0;
    while let Some(next) = bytes[at..].iter().position(|b| b"\"'`\\".contains(b)) {
        at += next;
        let end = match bytes[at] {
            b'"' | b'\'' | b'`' if at > 0 => between_quotes(bytes, at),
            b'\\' => line_goes_on(bytes, at),
            _ => None,
        };
        match end {
            Some(end) => {
                joints.push(at..end);
                at = end;
            }
            None => at += 1,
        }
    }
    joints
}

/// `" + "`, `""`, `" . "`, `"`, a new line and `"`: the end behind the quote that opens again.
fn between_quotes(bytes: &[u8], at: usize) -> Option<usize> {
    let reach = &bytes[at + 1..bytes.len().min(at + 1 + JOINT_BYTES_MAX)];
    let length = reach.iter().position(|b| !b" \t\r\n\\+.&|~<>".contains(b))?;
    let between = &reach[..length];
    let operators = between.iter().filter(|b| b"+.&|~<>".contains(b)).count();
    let spaces_only = operators == 0 && !between.is_empty() && !between.contains(&b'\n');
    let value_before = bytes[at - 1].is_ascii_alphanumeric() || b"+/=_-.$".contains(&bytes[at - 1]);
    let opens = matches!(reach[length], b'"' | b'\'' | b'`');
    let value_behind = reach.get(length + 1).is_some_and(|b| b.is_ascii_alphanumeric() || b"+/=_-.$".contains(b));
    (opens && value_before && value_behind && operators <= 2 && !spaces_only).then_some(at + 1 + length + 1)
}

/// A backslash at the end of a line, with the space that the next one begins with.
fn line_goes_on(bytes: &[u8], at: usize) -> Option<usize> {
    let newline = at + 1 + usize::from(bytes.get(at + 1) == Some(&b'\r'));
    if bytes.get(newline) != Some(&b'\n') || at == 0 || bytes[at - 1].is_ascii_whitespace() {
        return None;
    }
    let indent = bytes[newline + 1..].iter().take(JOINT_BYTES_MAX).take_while(|b| matches!(b, b' ' | b'\t')).count();
    Some(newline + 1 + indent)
}
