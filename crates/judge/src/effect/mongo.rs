//! `mongosh` and `mongo`: JavaScript that drops or empties, read as words outside of strings.

use coroner_model::effect::{Circumstance, EffectKind};
use coroner_read::shell::Word;

use super::Plan;
use super::database::{self, Database};
use super::named::{Deciding, Named};
use super::options::{Options, Order};

const VALUED: &[&str] = &[
    "--eval",
    "--host",
    "--port",
    "-u",
    "--username",
    "-p",
    "--password",
    "--authenticationDatabase",
    "-f",
    "--file",
    "--tlsCAFile",
    "--tlsCertificateKeyFile",
    "--apiVersion",
    "--authenticationMechanism",
];

pub(super) fn plan(out: &mut Plan<'_>) {
    let call = out.call;
    let options = Options::read(&call.argv[1..], VALUED, Order::Mixed);
    let mut database = Database::of_client(out);
    database.host = options.value(&["--host"]).cloned();
    database.variables = &["MONGODB_URI", "MONGO_URL", "MONGO_HOST"];
    if call.program() == "mongorestore" {
        if options.has(&["--drop"]) && !options.has(&["--dryRun"]) {
            database.url = options.value(&["--uri"]).cloned();
            database::whole(out, EffectKind::DropData, "drop every collection that the dump holds, in", database);
        }
        return;
    }
    let is_script = |w: &Word| w.suffix().ends_with(".js");
    if let Some(address) = options.operands.iter().find(|w| !is_script(w)) {
        if address.show().contains("://") || address.is_unresolved() {
            database.url = Some(address.clone());
        } else {
            database.name = Some(address.clone());
        }
    }
    let mut texts: Vec<String> = options.values(&["--eval"]).map(Word::show).collect();
    texts.extend(database::files_of(out, &options, &["-f", "--file"]));
    let scripts: Vec<Word> = options.operands.iter().filter(|w| is_script(w)).cloned().collect();
    texts.extend(scripts.iter().filter_map(|w| out.text_of(w)));
    if texts.is_empty() {
        texts.extend(database::standard_input(out));
    }
    for text in texts {
        for (would, everything) in losses(&text) {
            let named = Named::of(database.shown(), format!("{would} in {}", database.shown()))
                .with(Circumstance::Irreversible)
                .when(everything, Circumstance::Everything)
                .decided_by(Deciding::Database(Box::new(database.clone())));
            out.named(EffectKind::DropData, named);
        }
    }
}

/// What a script destroys; whether it is every document of a collection.
fn losses(text: &str) -> Vec<(&'static str, bool)> {
    let words = words(text);
    let mut all = Vec::new();
    for (i, word) in words.iter().enumerate() {
        let called = words.get(i + 1).is_some_and(|w| w == "(") && i > 0 && words[i - 1] == ".";
        if !called {
            continue;
        }
        let empty = |from: usize| {
            let rest: Vec<&str> = words[from..].iter().take(3).map(String::as_str).collect();
            matches!(rest.as_slice(), ["{", "}", ..] | [")", ..])
        };
        match word.as_str() {
            "dropDatabase" => all.push(("drop the database", false)),
            "drop" => all.push(("drop a collection", false)),
            "dropUser" | "dropAllUsers" | "dropAllUsersFromDatabase" | "dropRole" | "dropAllRoles" => {
                all.push(("drop users", false))
            }
            "deleteMany" | "remove" if empty(i + 2) => all.push(("delete every document of a collection", true)),
            "updateMany" if empty(i + 2) => all.push(("overwrite every document of a collection", true)),
            _ => {}
        }
    }
    all
}

/// Names and signs of JavaScript; strings stand as `""`, comments not at all.
pub(super) fn words(text: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' | '\'' | '`' => {
                let mut escaped = false;
                for next in chars.by_ref() {
                    if next == c && !escaped {
                        break;
                    }
                    escaped = next == '\\' && !escaped;
                }
                out.push("\"\"".to_owned());
            }
            '/' if chars.peek() == Some(&'/') => {
                for next in chars.by_ref() {
                    if next == '\n' {
                        break;
                    }
                }
            }
            '/' if chars.peek() == Some(&'*') => {
                let mut last = ' ';
                for next in chars.by_ref() {
                    if last == '*' && next == '/' {
                        break;
                    }
                    last = next;
                }
            }
            c if c.is_alphanumeric() || c == '_' || c == '$' => {
                let mut word = c.to_string();
                while let Some(next) = chars.next_if(|n| n.is_alphanumeric() || *n == '_' || *n == '$') {
                    word.push(next);
                }
                out.push(word);
            }
            c if c.is_whitespace() => {}
            c => out.push(c.to_string()),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_count_and_text_does_not() {
        for text in
            ["db.dropDatabase()", "db.orders.drop()", "db.getCollection('a').deleteMany({})", "db.a.remove( { } )"]
        {
            assert_eq!(losses(text).len(), 1, "{text}");
        }
        for text in ["print('db.dropDatabase()')", "db.a.deleteMany({old: true})", "// db.a.drop()\ndb.a.find({})"] {
            assert_eq!(losses(text), [], "{text}");
        }
    }
}
