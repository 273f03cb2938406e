//! Filters whose output follows from known input: `base64 -d`, `xxd -r`, `tr`, `sed s///`, `cut`, …

use super::program_of;
use super::word::Word;

/// Longest text that is filtered, in bytes.
const TEXT_BYTES_MAX: usize = 256 * 1024;

/// What a filter makes of a text; `None` where it is none, or not modelled.
pub(crate) fn filtered(argv: &[Word], text: &str) -> Option<String> {
    let words: Vec<&str> = argv.iter().skip(1).map(Word::as_literal).collect::<Option<_>>()?;
    if text.len() > TEXT_BYTES_MAX {
        return None;
    }
    match program_of(argv) {
        "base64" if has(&words, &["-d", "-D", "--decode", "-di", "-id"]) => base64(text),
        "openssl" => (words.contains(&"-d") && words.iter().any(|w| w.contains("base64"))).then(|| base64(text))?,
        "xxd" => has(&words, &["-r", "-rp", "-pr", "-p -r"]).then(|| hex(text))?,
        "rev" => Some(by_line(text, |line| Some(line.chars().rev().collect()))),
        "tr" => translate(&words, text),
        "tac" => Some(text.lines().rev().map(|l| format!("{l}\n")).collect()),
        "nl" if words.is_empty() => {
            Some(text.lines().enumerate().map(|(i, line)| format!("{:6}\t{line}\n", i + 1)).collect())
        }
        "sort" | "uniq" | "fold" | "fmt" | "pv" | "buffer" if words.is_empty() => Some(text.to_owned()),
        "sed" => sed(&words, text),
        "cut" => cut(&words, text),
        "head" | "tail" => Some(ends(program_of(argv), &words, text)),
        "grep" | "egrep" | "fgrep" => grep(&words, text),
        "awk" | "gawk" | "mawk" => awk(&words, text),
        "envsubst" => (!text.contains('$')).then(|| text.to_owned()),
        _ => None,
    }
}

fn has(words: &[&str], options: &[&str]) -> bool {
    words.iter().any(|w| options.contains(w))
}

fn by_line(text: &str, map: impl Fn(&str) -> Option<String>) -> String {
    text.lines().filter_map(map).map(|line| line + "\n").collect()
}

fn base64(text: &str) -> Option<String> {
    let mut out = Vec::with_capacity(text.len() * 3 / 4);
    let mut bits = 0u32;
    let mut count = 0;
    for byte in text.bytes().filter(|b| !b.is_ascii_whitespace()).take_while(|b| *b != b'=') {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        };
        bits = (bits << 6 | u32::from(value)) & 0xff_ffff;
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push((bits >> count) as u8);
        }
    }
    String::from_utf8(out).ok()
}

/// Text that is encoded as base64, for other languages' decoders.
pub(crate) fn of_base64(text: &str) -> Option<String> {
    base64(text)
}

/// Text that is written as hexadecimal digits.
pub(crate) fn hex(text: &str) -> Option<String> {
    let digits: Vec<u32> =
        text.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_digit(16)).collect::<Option<_>>()?;
    String::from_utf8(digits.chunks_exact(2).map(|pair| (pair[0] * 16 + pair[1]) as u8).collect()).ok()
}

/// `tr SET1 SET2`, `tr -d SET`, `tr -s SET`.
fn translate(words: &[&str], text: &str) -> Option<String> {
    let (options, sets): (Vec<&str>, Vec<&str>) = words.iter().partition(|w| w.len() > 1 && w.starts_with('-'));
    let letters: String = options.concat();
    let complement = letters.contains(['c', 'C']);
    let from = set_of(sets.first()?)?;
    let inside = |c: char| from.contains(&c) != complement;
    if letters.contains('d') {
        return Some(text.chars().filter(|c| !inside(*c)).collect());
    }
    let Some(to) = sets.get(1) else {
        let mut out = String::new();
        for c in text.chars() {
            if !(letters.contains('s') && inside(c) && out.ends_with(c)) {
                out.push(c);
            }
        }
        return Some(out);
    };
    let to = set_of(to)?;
    let last = *to.last()?;
    let map = |c: char| match from.iter().position(|f| *f == c) {
        Some(at) if !complement => to.get(at).copied().unwrap_or(last),
        None if complement => last,
        _ => c,
    };
    Some(text.chars().map(map).collect())
}

/// Most characters of a set of `tr`.
const SET_CHARS_MAX: usize = 4_096;

fn set_of(text: &str) -> Option<Vec<char>> {
    let classes = [
        ("[:upper:]", "A-Z"),
        ("[:lower:]", "a-z"),
        ("[:digit:]", "0-9"),
        ("[:space:]", " \t\n\r"),
        ("[:blank:]", " \t"),
    ];
    let text = classes.iter().fold(super::expand::ansi(text), |text, (class, range)| text.replace(class, range));
    let chars: Vec<char> = text.chars().collect();
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(c) = chars.get(at) {
        match (chars.get(at + 1), chars.get(at + 2)) {
            (Some('-'), Some(end)) if end >= c => {
                out.extend(*c..=*end);
                at += 3;
            }
            _ => {
                out.push(*c);
                at += 1;
            }
        }
        if out.len() > SET_CHARS_MAX {
            return None;
        }
    }
    Some(out)
}

/// `sed` with substitutions alone.
fn sed(words: &[&str], text: &str) -> Option<String> {
    let mut scripts = Vec::new();
    let mut at = 0;
    let mut extended = false;
    while let Some(word) = words.get(at) {
        at += 1;
        match *word {
            "-e" | "--expression" => {
                scripts.push(*words.get(at)?);
                at += 1;
            }
            "-E" | "-r" => extended = true,
            w if w.starts_with('-') => return None,
            script if scripts.is_empty() => scripts.push(script),
            _ => return None,
        }
    }
    let mut out = text.to_owned();
    for script in scripts.iter().flat_map(|s| s.split(['\n'])) {
        out = substituted(script.trim(), &out, extended)?;
    }
    Some(out)
}

/// Applies one `s/from/to/flags` to each line.
fn substituted(script: &str, text: &str, extended: bool) -> Option<String> {
    // `/pattern/d` and `/pattern/!d` choose lines.
    if let Some((pattern, end)) = script.strip_prefix('/').and_then(|rest| rest.rsplit_once('/')) {
        let kept = match end {
            "d" => false,
            "!d" => true,
            _ => return None,
        };
        let pattern = if extended { pattern.to_owned() } else { basic(pattern) };
        let regex = regex::Regex::new(&pattern).ok()?;
        return Some(by_line(text, |line| (regex.is_match(line) == kept).then(|| line.to_owned())));
    }
    let body = script.strip_prefix('s')?;
    let mark = body.chars().next().filter(|c| !c.is_alphanumeric())?;
    let mut parts = vec![String::new()];
    let mut escaped = false;
    for c in body[mark.len_utf8()..].chars() {
        let last = parts.last_mut()?;
        match c {
            _ if std::mem::take(&mut escaped) => {
                if c != mark {
                    last.push('\\');
                }
                last.push(c);
            }
            '\\' => escaped = true,
            c if c == mark => parts.push(String::new()),
            c => last.push(c),
        }
    }
    let [from, to, flags] = parts.as_slice() else { return None };
    let flags = flags.trim_end_matches(';');
    if flags.chars().any(|c| !matches!(c, 'g' | 'i' | 'I')) {
        return None;
    }
    let insensitive = if flags.contains(['i', 'I']) { "(?i)" } else { "" };
    let from = if extended { from.clone() } else { basic(from) };
    let regex = regex::Regex::new(&format!("{insensitive}{from}")).ok()?;
    let to = replacement(to);
    let count = if flags.contains('g') { 0 } else { 1 };
    Some(by_line(text, |line| Some(regex.replacen(line, count, to.as_str()).into_owned())))
}

/// A basic expression as an extended one: what is escaped there is plain here.
fn basic(pattern: &str) -> String {
    let mut out = String::new();
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some(c @ ('(' | ')' | '{' | '}' | '+' | '?' | '|')) => out.push(c),
                Some(c) => out.extend(['\\', c]),
                None => {}
            },
            '(' | ')' | '{' | '}' | '+' | '?' | '|' => out.extend(['\\', c]),
            c => out.push(c),
        }
    }
    out
}

fn replacement(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('n') => out.push('\n'),
                Some('t') => out.push('\t'),
                Some(digit @ '0'..='9') => out.push_str(&format!("${{{digit}}}")),
                Some('$') => out.push_str("$$"),
                Some(other) => out.push(other),
                None => {}
            },
            '&' => out.push_str("${0}"),
            '$' => out.push_str("$$"),
            c => out.push(c),
        }
    }
    out
}

/// `cut -d: -f2-`, `cut -c3-`: one list of fields or characters.
fn cut(words: &[&str], text: &str) -> Option<String> {
    let value = |short: &str, long: &str| {
        words.iter().enumerate().find_map(|(at, word)| {
            if *word == short {
                return words.get(at + 1).map(|w| (*w).to_owned());
            }
            word.strip_prefix(&format!("{long}=")).or_else(|| word.strip_prefix(short)).map(str::to_owned)
        })
    };
    let delimiter = value("-d", "--delimiter").unwrap_or_else(|| "\t".to_owned());
    let chars = value("-c", "--characters").or_else(|| value("-b", "--bytes"));
    let list = chars.clone().or_else(|| value("-f", "--fields"))?;
    let mut ranges = Vec::new();
    for part in list.split(',') {
        let (from, to) = part.split_once('-').unwrap_or((part, part));
        let from: usize = if from.is_empty() { 1 } else { from.parse().ok()? };
        let to: usize = if to.is_empty() { usize::MAX } else { to.parse().ok()? };
        ranges.push((from, to));
    }
    let taken = |n: usize| ranges.iter().any(|(from, to)| (*from..=*to).contains(&n));
    Some(by_line(text, |line| {
        if chars.is_some() {
            return Some(line.chars().enumerate().filter(|(i, _)| taken(i + 1)).map(|(_, c)| c).collect());
        }
        let fields: Vec<&str> =
            line.split(&delimiter).enumerate().filter(|(i, _)| taken(i + 1)).map(|(_, f)| f).collect();
        Some(fields.join(&delimiter))
    }))
}

fn ends(program: &str, words: &[&str], text: &str) -> String {
    let digits = |w: &&str| w.trim_start_matches(['-', 'n', '+']).parse::<usize>().ok();
    let count = words.iter().find_map(digits).unwrap_or(10);
    let lines: Vec<&str> = text.lines().collect();
    let from_start = words.iter().any(|w| w.contains('+'));
    let kept: &[&str] = match program {
        "head" => &lines[..count.min(lines.len())],
        _ if from_start => &lines[count.saturating_sub(1).min(lines.len())..],
        _ => &lines[lines.len().saturating_sub(count)..],
    };
    kept.iter().map(|l| format!("{l}\n")).collect()
}

fn grep(words: &[&str], text: &str) -> Option<String> {
    let (options, operands): (Vec<&str>, Vec<&str>) = words.iter().partition(|w| w.len() > 1 && w.starts_with('-'));
    let letters: String = options.concat();
    if operands.len() != 1 || letters.contains(['o', 'c', 'q', 'l', 'A', 'B', 'C']) {
        return None;
    }
    let pattern = if letters.contains('F') { regex::escape(operands[0]) } else { operands[0].to_owned() };
    let pattern = if letters.contains(['E', 'P', 'F']) { pattern } else { basic(&pattern) };
    let insensitive = if letters.contains('i') { "(?i)" } else { "" };
    let regex = regex::Regex::new(&format!("{insensitive}{pattern}")).ok()?;
    Some(by_line(text, |line| (regex.is_match(line) != letters.contains('v')).then(|| line.to_owned())))
}

/// `awk '{print}'`, `awk '{print $0}'`, `awk '{print $2}'`.
fn awk(words: &[&str], text: &str) -> Option<String> {
    let (separator, rest) = match words {
        ["-F", separator, rest @ ..] => (Some(*separator), rest),
        [first, rest @ ..] if first.starts_with("-F") => (Some(&first[2..]), rest),
        rest => (None, rest),
    };
    let [program] = rest else { return None };
    let inner = program.trim().strip_prefix('{')?.strip_suffix('}')?.trim().trim_end_matches(';').trim();
    let field = inner.strip_prefix("print")?.trim();
    let number: usize = if field.is_empty() { 0 } else { field.strip_prefix('$')?.parse().ok()? };
    Some(by_line(text, |line| {
        let field = match (number, separator) {
            (0, _) => Some(line),
            (n, Some(separator)) => line.split(separator).nth(n - 1),
            (n, None) => line.split_whitespace().nth(n - 1),
        };
        Some(field.unwrap_or_default().to_owned())
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn through(command: &str, text: &str) -> Option<String> {
        filtered(&command.split(' ').map(Word::literal).collect::<Vec<_>>(), text)
    }

    #[test]
    fn filters_are_followed() {
        for (command, text, expected) in [
            ("base64 -d", "bHM=", "ls"),
            ("openssl base64 -d -A", "bHM=", "ls"),
            ("xxd -r -p", "6c73", "ls"),
            ("rev", "sl", "ls\n"),
            ("tr A-Za-z N-ZA-Mn-za-m", "yf", "ls"),
            ("tr -d #", "l#s", "ls"),
            ("tr [:upper:] [:lower:]", "LS", "ls"),
            ("sed s/@//g", "@l@s", "ls\n"),
            ("sed -e s/\\(l\\)x/\\1s/", "lx", "ls\n"),
            ("sed /^#/d", "#x\nls\n", "ls\n"),
            ("sed /^l/!d", "#x\nls\n", "ls\n"),
            ("cut -d: -f2-", "a:b:c", "b:c\n"),
            ("cut -c3-", "xxls", "ls\n"),
            ("head -1", "ls\ncd\n", "ls\n"),
            ("tail -n +2", "ls\ncd\n", "cd\n"),
            ("grep -v ^#", "#x\nls\n", "ls\n"),
            ("tac", "a\nb\n", "b\na\n"),
        ] {
            assert_eq!(through(command, text).as_deref(), Some(expected), "{command}");
        }
        assert_eq!(awk(&["-F:", "{print $2}"], "a:ls").as_deref(), Some("ls\n"));
        assert_eq!(through("sed -n p", "x"), None);
        assert_eq!(through("base64", "x"), None);
    }
}
