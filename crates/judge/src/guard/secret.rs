//! Secrets that stand in the text of a command: every transcript, history and process list
//! that sees the command keeps them.

use coroner_model::effect::{Effect, EffectKind};
use coroner_model::redact::{Level, secrets};
use coroner_read::shell::Word;

use super::{Judged, Story};
use crate::effect::Effects;

/// Most secrets of one command that are counted.
const COUNT_MAX: usize = 20;

/// What is to be told of secrets in a command; nothing where there is none.
///
/// The text is read as it stands and as the shell would join it, so that quotes in the middle
/// of a value hide nothing.
pub(super) fn inline(command: &str, effects: &Effects) -> Option<Judged> {
    let mut values: Vec<String> = Vec::new();
    for text in readings(command, effects) {
        for secret in secrets(&text).into_iter().filter(|s| s.level != Level::Identifier) {
            let value = &text[secret.span];
            if values.len() < COUNT_MAX && !values.iter().any(|v| v.contains(value)) {
                values.push(value.to_owned());
            }
        }
    }
    let program = effects.script.invocations.first().map(|call| call.program().to_owned()).unwrap_or_default();
    let count = values.len();
    if count == 0 {
        return None;
    }
    let name = variable(command, &values[0]).unwrap_or_else(|| "API_KEY".to_owned());
    let what = if count == 1 { "a secret".to_owned() } else { format!("{count} secrets") };
    let story = Story {
        would: format!("write {what} into the command line"),
        why: "The transcript, the shell's history and the process list keep what a command line holds.".to_owned(),
        instead: vec!["set -a; . ./.env; set +a".to_owned()],
        lines: vec![format!(
            "  use \"${name}\" once the env file (mode 0600) is loaded; the value shown is to be rotated"
        )],
        ..Story::default()
    };
    Some(Judged { effect: Effect::new(EffectKind::InlineSecret, "the command line", &program), story })
}

/// The text, its words one a line as an env file would have them, and what the shell makes of it.
fn readings(command: &str, effects: &Effects) -> Vec<String> {
    let lines = command.split_whitespace().collect::<Vec<_>>().join("\n");
    let mut all = vec![command.to_owned(), lines];
    for call in &effects.script.invocations {
        let given = call.assignments.iter().map(|(name, value)| format!("{name}={}", literal(value)));
        let words: Vec<String> = given.chain(call.argv.iter().map(literal)).collect();
        // Most commands say the same in each reading.
        for text in [words.join(" "), words.join("\n")] {
            if !all.contains(&text) {
                all.push(text);
            }
        }
    }
    all
}

fn literal(word: &Word) -> String {
    word.as_literal().map_or_else(|| word.show(), str::to_owned)
}

/// The variable that the command gives a value to.
fn variable(command: &str, value: &str) -> Option<String> {
    let before = command[..command.find(value)?].trim_end_matches(['"', '\'']).strip_suffix('=')?;
    let start = before.rfind(|c: char| !c.is_ascii_alphanumeric() && c != '_').map_or(0, |i| i + 1);
    let name = &before[start..];
    (!name.is_empty() && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_'))
        .then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn found(command: &str) -> bool {
        let effects = crate::effect::of_command(command, "/srv", &BTreeMap::new());
        inline(command, &effects).is_some()
    }

    #[test]
    fn a_key_is_seen_however_it_is_given() {
        let random: String = (0..33).map(|i| char::from(b"k3Vn8QzL5wRt2Yp7"[(i * 7 + i / 3) % 16])).collect();
        let google = ["AI", "za", &random].concat();
        for command in [
            format!("export GOOGLE_API_KEY={google}"),
            format!("GOOGLE_API_KEY='{google}'; python t.py"),
            format!("curl 'https://maps.example.org/v1?key={google}'"),
            format!("cat > .env <<'E'\nDB_PASSWORD={random}\nE"),
            format!("mysql -u root --password={random} shop"),
            format!("curl -u 'me:{random}' -H 'X-Api-Key: {random}' https://api.example.org"),
            format!("redis-cli -u redis://default:{random}@cache:6379 ping"),
        ] {
            assert!(found(&command), "{}", command.replace(&random, "…"));
        }
    }

    #[test]
    fn references_placeholders_and_digests_are_no_secrets() {
        for command in [
            "curl -H \"Authorization: Bearer $TOKEN\" https://api.example.org",
            "export API_KEY=your-api-key-here",
            "API_KEY=${API_KEY:?set it} ./run",
            "sha256sum -c <<< 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  a'",
            "docker pull shop/api@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "git show 9fceb02d0ae598e95dc970b74767f19372d61af8",
            "openssl rand -hex 32 > token.txt",
        ] {
            assert!(!found(command), "{command}");
        }
    }
}
