//! Blanks out comments, keeping every byte offset and every string.

/// How a language writes comments.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// `//` and `/* */`.
    Slashes,
    /// `#`.
    Hash,
    /// All of them.
    Both,
}

/// The text with each comment replaced by spaces; newlines stay.
pub(super) fn blank(text: &str, style: Style) -> String {
    let bytes = text.as_bytes();
    let mut out = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let slashes = style != Style::Hash;
        let hash = style != Style::Slashes;
        match bytes[at] {
            quote @ (b'"' | b'\'' | b'`') => at = string_end(bytes, at, quote),
            b'/' if slashes && bytes.get(at + 1) == Some(&b'/') => at = wipe_line(bytes, &mut out, at),
            b'/' if slashes && bytes.get(at + 1) == Some(&b'*') => {
                let end = text[at + 2..].find("*/").map_or(bytes.len(), |i| at + 2 + i + 2);
                wipe(&mut out, at, end);
                at = end;
            }
            b'#' if hash && (at == 0 || bytes[at - 1].is_ascii_whitespace()) => at = wipe_line(bytes, &mut out, at),
            _ => at += 1,
        }
    }
    String::from_utf8(out).unwrap_or_else(|_| text.to_owned())
}

fn wipe_line(bytes: &[u8], out: &mut [u8], from: usize) -> usize {
    let end = bytes[from..].iter().position(|b| *b == b'\n').map_or(bytes.len(), |i| from + i);
    wipe(out, from, end);
    end
}

fn wipe(out: &mut [u8], from: usize, to: usize) {
    for byte in &mut out[from..to] {
        if *byte != b'\n' {
            *byte = b' ';
        }
    }
}

/// Offset after a string; an apostrophe that closes on no other of its line is none.
fn string_end(bytes: &[u8], from: usize, quote: u8) -> usize {
    let mut at = from + 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            b'\n' if quote != b'`' => return from + 1,
            b if b == quote => return at + 1,
            _ => at += 1,
        }
    }
    if quote == b'`' { bytes.len() } else { from + 1 }
}
