//! rsync's wildcards: `?` and `*` stop at a slash, `**` does not, `[…]` never
//! matches one.
//!
//! Matching is byte by byte, as rsync does it, with all alternatives followed at
//! once, so that no pattern takes more than pattern length × text length steps.

enum Token {
    Byte(u8),
    /// `?`
    One,
    /// `*`
    Run,
    /// `**`
    RunWithSlashes,
    Class(Box<[bool; 256]>),
}

/// A compiled wildcard pattern. One that can never match (an open bracket, a
/// trailing backslash) has no tokens to follow and matches nothing.
pub(super) struct Wildcard {
    tokens: Option<Vec<Token>>,
}

impl Wildcard {
    pub(super) fn new(pattern: &str) -> Wildcard {
        Wildcard { tokens: tokens(pattern.as_bytes()) }
    }

    /// Whether the whole text matches.
    pub(super) fn matches(&self, text: &str) -> bool {
        let Some(tokens) = &self.tokens else { return false };
        let mut reached = vec![false; tokens.len() + 1];
        reached[0] = true;
        skip_empty_runs(tokens, &mut reached);
        for &byte in text.as_bytes() {
            let mut next = vec![false; tokens.len() + 1];
            for (at, token) in tokens.iter().enumerate().filter(|(at, _)| reached[*at]) {
                match token {
                    Token::Byte(wanted) => next[at + 1] |= *wanted == byte,
                    Token::One => next[at + 1] |= byte != b'/',
                    Token::Run => next[at] |= byte != b'/',
                    Token::RunWithSlashes => next[at] = true,
                    Token::Class(members) => next[at + 1] |= byte != b'/' && members[usize::from(byte)],
                }
            }
            skip_empty_runs(tokens, &mut next);
            reached = next;
        }
        reached[tokens.len()]
    }
}

/// A run may be empty: whoever stands before one also stands behind it.
fn skip_empty_runs(tokens: &[Token], reached: &mut [bool]) {
    for (at, token) in tokens.iter().enumerate() {
        if reached[at] && matches!(token, Token::Run | Token::RunWithSlashes) {
            reached[at + 1] = true;
        }
    }
}

fn tokens(pattern: &[u8]) -> Option<Vec<Token>> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(&byte) = pattern.get(at) {
        at += 1;
        match byte {
            b'\\' => {
                found.push(Token::Byte(*pattern.get(at)?));
                at += 1;
            }
            b'?' => found.push(Token::One),
            b'*' => {
                let stars = pattern[at..].iter().take_while(|b| **b == b'*').count();
                at += stars;
                found.push(if stars == 0 { Token::Run } else { Token::RunWithSlashes });
            }
            b'[' => {
                let (members, after) = class(pattern, at)?;
                found.push(Token::Class(members));
                at = after;
            }
            other => found.push(Token::Byte(other)),
        }
    }
    Some(found)
}

/// Reads a bracket expression whose first byte after `[` is at `at`; gives its
/// members and where the pattern goes on.
fn class(pattern: &[u8], mut at: usize) -> Option<(Box<[bool; 256]>, usize)> {
    let negated = matches!(pattern.get(at)?, b'!' | b'^');
    at += usize::from(negated);
    let mut members = Box::new([false; 256]);
    let mut previous: Option<u8> = None;
    let first = at;
    loop {
        let byte = *pattern.get(at)?;
        match byte {
            b']' if at > first => break,
            b'[' if pattern.get(at + 1) == Some(&b':') => {
                let name_at = at + 2;
                let end = name_at + pattern[name_at..].iter().position(|b| *b == b']')?;
                match pattern[name_at..end].strip_suffix(b":") {
                    Some(name) => {
                        add_named(&mut members, name)?;
                        previous = None;
                        at = end + 1;
                    }
                    // No `:]`: the bracket stands for itself.
                    None => {
                        members[usize::from(b'[')] = true;
                        previous = Some(b'[');
                        at += 1;
                    }
                }
                continue;
            }
            b'-' if previous.is_some() && pattern.get(at + 1).is_some_and(|b| *b != b']') => {
                at += 1;
                if pattern[at] == b'\\' {
                    at += 1;
                }
                let last = *pattern.get(at)?;
                for member in previous.unwrap_or(last)..=last {
                    members[usize::from(member)] = true;
                }
                previous = None;
            }
            b'\\' => {
                at += 1;
                let escaped = *pattern.get(at)?;
                members[usize::from(escaped)] = true;
                previous = Some(escaped);
            }
            other => {
                members[usize::from(other)] = true;
                previous = Some(other);
            }
        }
        at += 1;
    }
    if negated {
        members.iter_mut().for_each(|member| *member = !*member);
    }
    Some((members, at + 1))
}

/// Adds a named class such as `alpha`; an unknown name spoils the pattern.
fn add_named(members: &mut [bool; 256], name: &[u8]) -> Option<()> {
    let holds: fn(&u8) -> bool = match name {
        b"alnum" => u8::is_ascii_alphanumeric,
        b"alpha" => u8::is_ascii_alphabetic,
        b"blank" => |b| matches!(b, b' ' | b'\t'),
        b"cntrl" => u8::is_ascii_control,
        b"digit" => u8::is_ascii_digit,
        b"graph" => u8::is_ascii_graphic,
        b"lower" => u8::is_ascii_lowercase,
        b"print" => |b| b.is_ascii_graphic() || *b == b' ',
        b"punct" => u8::is_ascii_punctuation,
        b"space" => |b| b.is_ascii_whitespace() || *b == 0x0b,
        b"upper" => u8::is_ascii_uppercase,
        b"xdigit" => u8::is_ascii_hexdigit,
        _ => return None,
    };
    for byte in 0..=255u8 {
        members[usize::from(byte)] |= holds(&byte);
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::Wildcard;

    #[test]
    fn a_star_stops_at_a_slash_and_two_do_not() {
        assert!(Wildcard::new("*.log").matches("a.log"));
        assert!(!Wildcard::new("a*c").matches("a/c"));
        assert!(Wildcard::new("a**c").matches("a/b/c"));
        assert!(!Wildcard::new("a?c").matches("a/c"));
        assert!(Wildcard::new("**/c").matches("/c"));
    }

    #[test]
    fn brackets_hold_ranges_names_and_negations() {
        assert!(Wildcard::new("[a-c]x").matches("bx"));
        assert!(Wildcard::new("[]x]").matches("]"));
        assert!(!Wildcard::new("[!a]").matches("a"));
        assert!(!Wildcard::new("a[^x]c").matches("a/c"));
        assert!(Wildcard::new("[[:digit:]]*").matches("7z"));
        assert!(!Wildcard::new("[a").matches("[a"));
        assert!(Wildcard::new("\\*").matches("*"));
    }

    #[test]
    fn many_stars_stay_quick() {
        assert!(!Wildcard::new(&"*a".repeat(40)).matches(&"a".repeat(30)));
    }
}
