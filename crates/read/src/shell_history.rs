//! What a person typed into a shell: the history files of bash, zsh and fish.

use jiff::Timestamp;

/// Longest history that is read, in entries; the newest are kept.
pub const ENTRIES_MAX: usize = 200_000;
/// Lines looked at to tell one shell's file from another's.
const LINES_LOOKED_AT_MAX: usize = 200;

/// Whose file it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shell {
    Bash,
    Zsh,
    Fish,
}

/// One command as it was typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Typed {
    pub command: String,
    /// When it was started; `None` where the file keeps no times.
    pub at: Option<Timestamp>,
    /// How long it ran, in seconds; only zsh says so.
    pub elapsed_s: Option<u64>,
    /// 1-based line on which the entry begins, its time included.
    pub line: u64,
}

/// The shell that wrote a history, by its text; bash and a plain zsh look the same.
pub fn shell(bytes: &[u8]) -> Shell {
    let text = String::from_utf8_lossy(bytes);
    let mut lines = text.lines().take(LINES_LOOKED_AT_MAX);
    if lines.clone().any(|line| line.starts_with("- cmd:")) {
        return Shell::Fish;
    }
    if lines.any(|line| extended(line).is_some()) { Shell::Zsh } else { Shell::Bash }
}

/// The commands of a history in the order of the file.
pub fn read(shell: Shell, bytes: &[u8]) -> Vec<Typed> {
    let mut all = match shell {
        Shell::Bash => bash(&String::from_utf8_lossy(bytes)),
        Shell::Zsh => zsh(&String::from_utf8_lossy(&unmetafied(bytes))),
        Shell::Fish => fish(&String::from_utf8_lossy(bytes)),
    };
    all.retain(|typed| !typed.command.trim().is_empty());
    all.drain(..all.len().saturating_sub(ENTRIES_MAX));
    all
}

/// With HISTTIMEFORMAT each entry has its time on a line before it, and all lines up to the next belong to it.
fn bash(text: &str) -> Vec<Typed> {
    let mut all: Vec<Typed> = Vec::new();
    let mut is_open = false;
    for (line, number) in text.lines().zip(1..) {
        if let Some(at) = stamp(line) {
            all.push(Typed { command: String::new(), at: Some(at), elapsed_s: None, line: number });
            is_open = true;
            continue;
        }
        match all.last_mut().filter(|_| is_open) {
            Some(last) => append(&mut last.command, line),
            None => all.push(Typed { command: line.to_owned(), at: None, elapsed_s: None, line: number }),
        }
    }
    all
}

/// `#1770000000`, and nothing else.
fn stamp(line: &str) -> Option<Timestamp> {
    let digits = line.strip_prefix('#')?.trim_end();
    // Ten digits until the year 2286; a shorter number is a comment.
    let is_time = digits.len() >= 9 && digits.len() <= 11 && digits.bytes().all(|b| b.is_ascii_digit());
    is_time.then(|| seconds(digits)).flatten()
}

fn zsh(text: &str) -> Vec<Typed> {
    let mut all: Vec<Typed> = Vec::new();
    let mut goes_on = false;
    for (line, number) in text.lines().zip(1..) {
        // A line break inside a command is written with a backslash before it.
        let ends_open = line.ends_with('\\');
        let bare = if ends_open { &line[..line.len() - 1] } else { line };
        match all.last_mut().filter(|_| goes_on) {
            Some(last) => {
                last.command.push('\n');
                last.command.push_str(bare);
            }
            None => all.push(entry(bare, number)),
        }
        goes_on = ends_open;
    }
    all
}

fn entry(line: &str, number: u64) -> Typed {
    match extended(line) {
        Some((at, elapsed_s, command)) => {
            Typed { command: command.to_owned(), at: Some(at), elapsed_s: Some(elapsed_s), line: number }
        }
        None => Typed { command: line.to_owned(), at: None, elapsed_s: None, line: number },
    }
}

/// `: 1770000000:4;command`.
fn extended(line: &str) -> Option<(Timestamp, u64, &str)> {
    let (head, command) = line.strip_prefix(": ")?.split_once(';')?;
    let (at, elapsed) = head.split_once(':')?;
    Some((seconds(at.trim())?, elapsed.trim().parse().ok()?, command))
}

/// zsh writes bytes that mean something to it as 0x83 and the byte with one bit turned.
fn unmetafied(bytes: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(bytes.len());
    let mut bytes = bytes.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            0x83 => plain.extend(bytes.next().map(|next| next ^ 0x20)),
            other => plain.push(*other),
        }
    }
    plain
}

/// Nearly YAML: `- cmd:` begins an entry, `when:` gives its time.
fn fish(text: &str) -> Vec<Typed> {
    let mut all: Vec<Typed> = Vec::new();
    for (line, number) in text.lines().zip(1..) {
        if let Some(command) = line.strip_prefix("- cmd: ") {
            all.push(Typed { command: unescaped(command), at: None, elapsed_s: None, line: number });
        } else if let (Some(when), Some(last)) = (line.trim_start().strip_prefix("when: "), all.last_mut()) {
            last.at = last.at.or_else(|| seconds(when.trim()));
        }
    }
    all
}

/// `\n` is a line break and `\\` a backslash; no other escape is written.
fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (c, chars.clone().next()) {
            ('\\', Some('n')) => plain.push('\n'),
            ('\\', Some('\\')) => plain.push('\\'),
            _ => {
                plain.push(c);
                continue;
            }
        }
        chars.next();
    }
    plain
}

fn seconds(digits: &str) -> Option<Timestamp> {
    Timestamp::from_second(digits.parse().ok()?).ok()
}

fn append(command: &mut String, line: &str) {
    if !command.is_empty() {
        command.push('\n');
    }
    command.push_str(line);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(shell: Shell, text: &[u8]) -> Vec<(String, Option<i64>, u64)> {
        assert_eq!(super::shell(text), shell);
        read(shell, text).into_iter().map(|t| (t.command, t.at.map(Timestamp::as_second), t.line)).collect()
    }

    fn typed(command: &str, at: Option<i64>, line: u64) -> (String, Option<i64>, u64) {
        (command.to_owned(), at, line)
    }

    #[test]
    fn bash_keeps_a_command_a_line_or_all_lines_after_a_time() {
        let plain = b"ls -l\n# 12 monkeys\n#12\ngit status\n";
        let expected = [typed("ls -l", None, 1), typed("# 12 monkeys", None, 2), typed("#12", None, 3)];
        assert_eq!(all(Shell::Bash, plain)[..3], expected);
        let stamped =
            b"echo old\n#1770000000\nfor x in a b\ndo echo $x\ndone\n#1770000009\nrm -rf build\n#1770000010\n";
        let expected = [
            typed("echo old", None, 1),
            typed("for x in a b\ndo echo $x\ndone", Some(1_770_000_000), 2),
            typed("rm -rf build", Some(1_770_000_009), 6),
        ];
        assert_eq!(all(Shell::Bash, stamped), expected);
    }

    #[test]
    fn zsh_says_when_and_how_long_and_bends_bytes() {
        let text = b": 1770000000:4;docker run \\\n  --rm api\necho plain; ls\n: 1770000009:0;echo \x83\xa3 : 1:2;x\n";
        let expected = [
            typed("docker run \n  --rm api", Some(1_770_000_000), 1),
            typed("echo plain; ls", None, 3),
            typed("echo \u{fffd} : 1:2;x", Some(1_770_000_009), 4),
        ];
        assert_eq!(all(Shell::Zsh, text), expected);
        assert_eq!(read(Shell::Zsh, text)[0].elapsed_s, Some(4));
        assert_eq!(unmetafied("é".as_bytes()), "é".as_bytes());
        assert_eq!(unmetafied(&[0xe2, 0x83, 0xa3, b'x']), [0xe2, 0x83, b'x']);
    }

    #[test]
    fn fish_escapes_line_breaks() {
        let text = b"- cmd: echo a\\nb \\\\n\n  when: 1770000000\n  paths:\n    - a\n- cmd: ls\n";
        let expected = [typed("echo a\nb \\n", Some(1_770_000_000), 1), typed("ls", None, 5)];
        assert_eq!(all(Shell::Fish, text), expected);
    }
}
