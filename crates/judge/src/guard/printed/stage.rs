//! What the stages of a pipeline let through.

use coroner_read::shell::{self, Word, program_of};
use regex::Regex;

use crate::guard::written::sed;

/// What reaches the end: `None` where a stage keeps it, `Some(None)` where it gets through as an
/// unknown text.
pub(super) fn through<'w>(
    stages: impl Iterator<Item = &'w Vec<Word>>,
    text: Option<&str>,
    variables: bool,
) -> Option<Option<String>> {
    let mut text = text.map(str::to_owned);
    for argv in stages {
        let words: Vec<String> = argv.iter().skip(1).map(Word::show).collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        if keeps(program_of(argv), &words, text.is_none(), variables) {
            return None;
        }
        if let Some(known) = &text {
            let sed = || (program_of(argv) == "sed").then(|| sed::printed(&argv[1..], known)).flatten();
            let filtered = grep(program_of(argv), &words, known).or_else(sed).or_else(|| shell::filtered(argv, known));
            text = match filtered {
                // What is spelled otherwise does not show its tokens any more.
                Some(after) if !respells(program_of(argv)) => Some(after),
                _ => text,
            };
        }
    }
    Some(text)
}

fn respells(program: &str) -> bool {
    matches!(program, "tr" | "rev" | "base64" | "base32" | "xxd" | "fold" | "openssl" | "hexdump" | "od")
}

/// Whether a program prints nothing of the values that it is given.
fn keeps(program: &str, words: &[&str], unknown: bool, variables: bool) -> bool {
    let short = |letters: &[char]| {
        words.iter().any(|w| w.starts_with('-') && !w.starts_with("--") && w.len() > 1 && w.contains(letters))
    };
    let long = |names: &[&str]| words.iter().any(|w| names.contains(w));
    match program {
        "grep" | "egrep" | "fgrep" | "rg" | "ag" | "zgrep" => {
            let silent = short(&['c', 'q', 'l', 'L'])
                || long(&["--count", "--quiet", "--silent", "--files-with-matches", "--files-without-match"]);
            silent || unknown && (names_only(words) || variables && is_harmless_choice(words))
        }
        "cut" => unknown && cuts_values(words),
        "sed" => unknown && words.iter().any(|w| w.contains("=.*") || w.contains("=[^")),
        "awk" | "gawk" | "mawk" | "nawk" => {
            let separated =
                words.iter().any(|w| *w == "-F=" || w.starts_with("-F") && w.contains('=')) || words.contains(&"=");
            unknown
                && words.iter().any(|w| w.contains("$1"))
                && separated
                && !words.iter().any(|w| w.contains("$2") || w.contains("$0"))
        }
        "jq" | "yq" => words.iter().any(|w| picks_no_value(w)),
        "tr" => short(&['d']) && words.contains(&"-c"),
        "cat" | "tac" | "less" | "more" | "most" | "bat" | "batcat" | "nl" | "strings" | "xxd" | "hexdump" | "hd"
        | "od" | "base64" | "base32" | "head" | "tail" | "sort" | "uniq" | "column" | "fold" | "fmt" | "rev"
        | "paste" | "tee" | "pr" | "expand" | "iconv" | "zcat" | "gunzip" | "dos2unix" | "diff" | "sdiff" | "comm"
        | "join" | "look" | "dd" | "xargs" | "echo" | "printf" => false,
        name if name.starts_with("python") => !long(&["json.tool"]),
        _ => true,
    }
}

/// `grep -o '^[A-Z_]*='`: only the names come out.
fn names_only(words: &[&str]) -> bool {
    let only = words.iter().any(|w| w.starts_with('-') && !w.starts_with("--") && w.contains('o'));
    only && words.iter().any(|w| w.starts_with('^') && (w.ends_with("]*") || w.ends_with("]+") || w.ends_with('=')))
}

/// A choice among variables of which none is a secret by its name.
fn is_harmless_choice(words: &[&str]) -> bool {
    const SECRET: &[&str] = &[
        "pass",
        "secret",
        "token",
        "key",
        "cred",
        "auth",
        "api",
        "database",
        "db",
        "postgres",
        "pg",
        "mysql",
        "redis",
        "mongo",
        "aws",
        "azure",
        "openai",
        "anthropic",
        "stripe",
        "github",
        "gitlab",
        "smtp",
        "mail",
        "jwt",
        "sentry",
        "url",
        "dsn",
        "conn",
        "login",
        "private",
        "sql",
        "amqp",
        "twilio",
        "slack",
        "discord",
        "telegram",
        "cookie",
    ];
    let inverted = words.iter().any(|w| w.starts_with('-') && !w.starts_with("--") && w.contains('v'));
    let patterns: Vec<String> = words.iter().filter(|w| !w.starts_with('-')).map(|w| w.to_ascii_lowercase()).collect();
    let letters = |pattern: &String| pattern.chars().filter(char::is_ascii_alphabetic).count() >= 2;
    !inverted
        && !patterns.is_empty()
        && patterns.iter().all(|p| letters(p) && !SECRET.iter().any(|word| p.contains(word)) && !p.contains(".*"))
}

/// `cut -d= -f1`.
fn cuts_values(words: &[&str]) -> bool {
    let value = |flag: &str| {
        let at = words.iter().position(|w| w.starts_with(flag))?;
        let rest = &words[at][flag.len()..];
        if rest.is_empty() { words.get(at + 1).copied() } else { Some(rest) }
    };
    let separator = value("-d").or_else(|| value("--delimiter="));
    separator == Some("=") && (value("-f") == Some("1") || value("--fields=") == Some("1"))
        || value("-c").is_some_and(|c| c == "1-3" || c == "1-4")
}

/// A filter of JSON that asks for something else than values.
fn picks_no_value(word: &str) -> bool {
    if word.starts_with('-') || !word.contains(['.', '|']) && word != "keys" && word != "length" {
        return word == "keys" || word == "length";
    }
    if ["keys", "length", "has(", "| type", "paths"].iter().any(|w| word.contains(w)) {
        return true;
    }
    let lower = word.to_ascii_lowercase();
    let all = matches!(word.trim(), "." | ".[]" | ".[0]" | ".data" | ".data.data");
    let secret =
        ["env", "config", "secret", "data", "value", "pass", "token", "key", "cred", "auth", "login", "fields"];
    !all && !secret.iter().any(|w| lower.contains(w))
}

/// `grep` with the options that the general reader of filters leaves out.
fn grep(program: &str, words: &[&str], text: &str) -> Option<String> {
    if !matches!(program, "grep" | "egrep" | "rg") {
        return None;
    }
    let (options, operands): (Vec<&str>, Vec<&str>) = words.iter().partition(|w| w.len() > 1 && w.starts_with('-'));
    let letters: String = options.iter().map(|o| o.trim_start_matches('-')).collect();
    let only = letters.contains('o') && options.iter().all(|o| !o.starts_with("--"));
    let pattern = operands.first().filter(|_| only)?;
    let pattern = pattern.replace("\\+", "+").replace("\\|", "|");
    let regex = Regex::new(&format!("{}{pattern}", if letters.contains('i') { "(?i)" } else { "" })).ok()?;
    Some(text.lines().flat_map(|line| regex.find_iter(line).map(|m| format!("{}\n", m.as_str()))).collect())
}
