//! `perl -pi -e 's/…/…/'`: substitutions line by line, and nothing else of Perl.

use coroner_read::shell::Word;
use regex::Regex;

use super::Sed;

/// The script and the files of a `perl` that edits in place; `None` where it does not.
pub(super) fn in_place(words: &[Word]) -> Option<(Option<Sed>, Vec<&Word>)> {
    let (mut edits, mut loops, mut known) = (false, false, true);
    let mut programs: Vec<Option<&str>> = Vec::new();
    let mut operands: Vec<&Word> = Vec::new();
    let mut at = 0;
    while let Some(word) = words.get(at) {
        at += 1;
        let text = word.prefix();
        if !text.starts_with('-') || text.len() == 1 || !programs.is_empty() && !operands.is_empty() {
            operands.push(word);
            continue;
        }
        for (i, c) in text.char_indices().skip(1) {
            match c {
                'p' => loops = true,
                'i' => {
                    edits = true;
                    // A suffix for the copy that is kept, unless other switches follow.
                    if text[i + 1..].starts_with('.') {
                        break;
                    }
                }
                'e' | 'E' => {
                    programs.push(words.get(at).and_then(Word::as_literal));
                    at += 1;
                    break;
                }
                'w' => {}
                _ => known = false,
            }
        }
    }
    if !edits {
        return None;
    }
    let program: Option<Vec<&str>> = programs.into_iter().collect();
    let script = program.filter(|all| known && loops && !all.is_empty()).and_then(|all| substitutions(&all.join(";")));
    Some((script, operands))
}

fn substitutions(program: &str) -> Option<Sed> {
    let mut rest = program.trim();
    let mut all = Vec::new();
    while !rest.is_empty() {
        let body = rest.strip_prefix('s')?;
        let mark = body.chars().next().filter(|c| !c.is_alphanumeric() && !c.is_whitespace())?;
        if "([{<".contains(mark) {
            return None;
        }
        let body = &body[mark.len_utf8()..];
        let (from, body) = part(body, mark)?;
        let (to, body) = part(body, mark)?;
        let flags: String = body.chars().take_while(char::is_ascii_alphabetic).collect();
        if flags.chars().any(|c| !matches!(c, 'g' | 'i')) {
            return None;
        }
        let insensitive = if flags.contains('i') { "(?i)" } else { "" };
        // Names of variables stand for what is not known here.
        let variable = from.contains('@')
            || from
                .match_indices('$')
                .any(|(at, _)| from[at + 1..].starts_with(|c: char| c.is_alphabetic() || c == '{'));
        let regex = Regex::new(&format!("{insensitive}{from}")).ok().filter(|_| !variable)?;
        rest = body[flags.len()..].trim_start_matches([';', ' ', '\n']);
        all.push((regex, to, flags));
    }
    (!all.is_empty()).then(|| Sed::of_substitutions(all)).flatten()
}

/// Text up to an unescaped mark, and what follows.
fn part(text: &str, mark: char) -> Option<(String, &str)> {
    let mut out = String::new();
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        if std::mem::take(&mut escaped) {
            if c != mark {
                out.push('\\');
            }
            out.push(c);
        } else if c == '\\' {
            escaped = true;
        } else if c == mark {
            return Some((out, &text[at + c.len_utf8()..]));
        } else {
            out.push(c);
        }
    }
    None
}
