//! Programs that bring text from elsewhere, or make text of what nobody can read.

use super::program_of;
use super::word::Word;

/// Whether a command brings text from another host.
pub fn fetches(argv: &[Word]) -> bool {
    let second = || argv.get(1).and_then(Word::as_literal).unwrap_or_default();
    match program_of(argv) {
        "curl" | "wget" | "wget2" | "http" | "https" | "xh" | "aria2c" | "lynx" | "nc" | "ncat" | "socat" | "ftp"
        | "lftp" => true,
        "aws" => second() == "s3",
        "gsutil" => second() == "cat",
        _ => false,
    }
}

/// Whether a command turns unreadable text into readable text.
pub fn decodes(argv: &[Word]) -> bool {
    matches!(
        program_of(argv),
        "base64"
            | "base32"
            | "basenc"
            | "xxd"
            | "uudecode"
            | "openssl"
            | "gpg"
            | "gunzip"
            | "gzip"
            | "zcat"
            | "bzcat"
            | "xzcat"
            | "rev"
    )
}

/// The file that a fetching command writes, where it writes one.
pub(crate) fn file(argv: &[Word]) -> Option<Word> {
    let (short, long) = match program_of(argv) {
        "curl" => ('o', "--output"),
        "wget" | "wget2" => ('O', "--output-document"),
        _ => return None,
    };
    let mut words = argv.iter().skip(1);
    let mut named = program_of(argv) != "curl";
    while let Some(word) = words.next() {
        let text = word.prefix();
        if let Some(value) = text.strip_prefix(long).and_then(|t| t.strip_prefix('=')) {
            return destination(Word::literal(value));
        }
        if text == long {
            return destination(words.next()?.clone());
        }
        named |= text == "--remote-name";
        let Some(cluster) = text.strip_prefix('-').filter(|t| !t.starts_with('-')) else { continue };
        if let Some(at) = cluster.find(short) {
            let rest = &cluster[at + 1..];
            return destination(if rest.is_empty() { words.next()?.clone() } else { Word::literal(rest) });
        }
        named |= short == 'o' && cluster.contains('O');
    }
    let url = argv.iter().skip(1).filter_map(Word::as_literal).find(|w| w.contains("://"))?;
    let path = url.split(['?', '#']).next()?.trim_end_matches('/');
    named.then(|| Word::literal(path.rsplit('/').next().unwrap_or_default()))
}

fn destination(word: Word) -> Option<Word> {
    (!matches!(word.as_literal(), Some("-" | "/dev/stdout" | "/dev/null"))).then_some(word)
}
