//! Inline programs of other languages that print the environment or a file with secrets.

use coroner_read::shell::{self, Stdin, Word};

use super::path;
use super::source::{Kind, Source, is_secret_variable};

/// Longest program that is looked through, in bytes.
const PROGRAM_BYTES_MAX: usize = 64 * 1024;

/// Names under which languages keep the environment.
const ENVIRONMENTS: &[&str] = &["os.environ", "process.env", "ENV", "%ENV", "$_ENV", "getenv()", "Deno.env.toObject()"];
/// What prints.
const PRINTS: &[&str] =
    &["print", "console.", "puts ", "puts(", "echo ", "stdout.write", "pp ", "p ENV", "var_dump", "say ", "dump("];

/// The sources in a program that is given with the command.
pub(super) fn of(argv: &[Word], cwd: &Word, stdin: Option<&Stdin>) -> Vec<Source> {
    let given = argv.iter().skip(1).zip(argv.iter().skip(2)).find(|(flag, _)| {
        let flag = flag.prefix();
        matches!(flag, "--eval" | "--print")
            || flag.starts_with('-') && !flag.starts_with("--") && flag.ends_with(['c', 'e', 'p', 'r', 'E'])
    });
    let evaluates = given.is_some_and(|(flag, _)| matches!(flag.prefix(), "-p" | "-pe" | "--print"));
    let text = given.and_then(|(_, text)| text.as_literal()).or(match stdin {
        Some(Stdin::Text(text)) => text.as_literal(),
        _ => None,
    });
    let Some(text) = text.filter(|t| t.len() <= PROGRAM_BYTES_MAX) else { return Vec::new() };
    if !evaluates && !PRINTS.iter().any(|word| text.contains(word)) {
        return Vec::new();
    }
    let mut out = Vec::new();
    if prints_environment(text) {
        out.push(Source::of(Kind::Program));
    }
    // What is printed of a file is some of it; which part is not followed.
    if text.contains("open(") || text.contains("readFile") || text.contains("read_text") || text.contains("File.read") {
        for quoted in text.split(['"', '\'']).skip(1).step_by(2).filter(|q| !q.contains(char::is_whitespace)) {
            let full = shell::join(cwd, &Word::literal(quoted)).show();
            if path::may_hold_secrets(&full) && !text.contains("open('w") && !names_only(text) {
                out.push(Source::of(Kind::File(full)));
            }
        }
    }
    out
}

fn names_only(text: &str) -> bool {
    text.contains("split('=')[0]") || text.contains("split(\"=\")[0]") || text.contains(".keys()")
}

/// Whether the values of the environment, or one that is a secret by its name, may be printed.
fn prints_environment(text: &str) -> bool {
    ENVIRONMENTS.iter().any(|environment| {
        text.match_indices(environment).any(|(at, _)| {
            let before = text[..at].trim_end();
            let after = &text[at + environment.len()..];
            if text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_') {
                return false;
            }
            // Only the length, the type or the presence is asked for.
            if ["len(", "bool(", "type(", "!!", " in", "sorted(", "list(", "set(", "typeof"]
                .iter()
                .any(|w| before.ends_with(w))
            {
                return before.ends_with("list(") && after.starts_with(".items")
                    || before.ends_with("sorted(") && after.starts_with(".items");
            }
            if ["Object.keys(", "keys(", "keys"].iter().any(|w| before.ends_with(w)) {
                return false;
            }
            whole_or_secret(after)
        })
    })
}

/// What is taken of the environment, by the text behind its name.
fn whole_or_secret(after: &str) -> bool {
    let after = after.trim_start();
    for (opening, closing) in [(".get(", [',', ')']), ("[", [']', ']']), (".fetch(", [',', ')'])] {
        if let Some(rest) = after.strip_prefix(opening) {
            let name = rest.split(closing).next().unwrap_or_default().trim();
            let quoted = name.starts_with(['"', '\'']);
            // A name that is worked out may be any.
            return !quoted || is_secret_variable(name.trim_matches(['"', '\'']));
        }
    }
    if let Some(rest) = after.strip_prefix('.') {
        let name: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        return match name.as_str() {
            "items" | "values" | "copy" | "to_h" | "inspect" | "each" | "map" | "entries" => true,
            name => is_secret_variable(name),
        };
    }
    !after.starts_with(':') && !after.starts_with("={") && !after.starts_with("{'") || after.starts_with(')')
}
