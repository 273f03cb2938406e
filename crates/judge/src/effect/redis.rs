//! `redis-cli` and `valkey-cli`: commands that empty a database or turn its writing elsewhere.

use coroner_model::effect::{Circumstance, EffectKind};
use coroner_read::shell::{Word, program_of};

use super::Plan;
use super::database::{self, Database};
use super::named::{Deciding, Named};
use super::options::{Options, Order};

const VALUED: &[&str] = &[
    "-h",
    "-p",
    "-s",
    "-a",
    "-u",
    "-n",
    "-r",
    "-i",
    "-d",
    "-D",
    "--user",
    "--pass",
    "--tls-ca-cert",
    "--cacert",
    "--cert",
    "--key",
    "--sni",
    "--pattern",
    "--quoted-pattern",
    "--rdb",
    "--eval",
    "-t",
];

pub(super) fn plan(out: &mut Plan<'_>) {
    let call = out.call;
    let options = Options::read(&call.argv[1..], VALUED, Order::First);
    let mut database = Database::of_client(out);
    database.host = options.value(&["-h"]).cloned();
    database.url = options.value(&["-u"]).cloned();
    database.name = options.value(&["-n"]).map(|n| Word::literal(format!("redis database {}", n.show())));
    database.variables = &["REDIS_URL", "REDIS_HOST"];
    let mut commands: Vec<Vec<Word>> = Vec::new();
    if options.operands.is_empty() {
        let text = database::standard_input(out).unwrap_or_default();
        commands.extend(text.lines().map(|line| line.split_whitespace().map(Word::literal).collect()));
    } else {
        commands.push(options.operands.clone());
    }
    for command in commands {
        one(out, &command, &database);
    }
}

fn one(out: &mut Plan<'_>, command: &[Word], database: &Database) {
    let words: Vec<String> = command.iter().map(|w| w.show().to_ascii_uppercase()).collect();
    let at = |i: usize| words.get(i).map(String::as_str).unwrap_or_default();
    let shown = command.iter().map(Word::show).collect::<Vec<_>>().join(" ");
    let mut lose = |kind, would: String, circumstance| {
        let named = Named::of(shown.clone(), would)
            .with(circumstance)
            .decided_by(Deciding::Database(Box::new(database.clone())));
        out.named(kind, named);
    };
    match (at(0), at(1)) {
        ("FLUSHALL" | "FLUSHDB", _) => {
            lose(EffectKind::FlushCache, "remove every key".into(), Circumstance::Everything);
        }
        ("DEL" | "UNLINK", _) if takes_listed(command) => {
            lose(EffectKind::FlushCache, "remove every key that a pattern lists".into(), Circumstance::Everything);
        }
        ("CONFIG", "SET") if matches!(at(2), "DIR" | "DBFILENAME" | "SAVE" | "APPENDONLY") => {
            let would = format!("change where and whether the server keeps its data ({})", at(2).to_lowercase());
            lose(EffectKind::FlushCache, would, Circumstance::Irreversible);
        }
        (
            "DEBUG",
            "FLUSHALL" | "RELOAD" | "SEGFAULT" | "PANIC" | "LOADAOF" | "RESTART" | "CRASH-AND-RECOVER" | "OOM"
            | "SLEEP",
        )
        | ("SHUTDOWN", "NOSAVE") => {
            lose(EffectKind::FlushCache, "stop the server without saving".into(), Circumstance::Irreversible);
        }
        ("REPLICAOF" | "SLAVEOF", host) if host != "NO" => {
            lose(
                EffectKind::FlushCache,
                "replace every key by those of another server".into(),
                Circumstance::Everything,
            );
        }
        ("CLUSTER", "RESET" | "FLUSHSLOTS") | ("SWAPDB", _) | ("FUNCTION", "FLUSH") => {
            lose(EffectKind::FlushCache, "change what the keys of the server are".into(), Circumstance::Irreversible);
        }
        ("EVAL", _) if words.iter().any(|w| w.contains("FLUSHALL") || w.contains("FLUSHDB")) => {
            lose(EffectKind::FlushCache, "remove every key".into(), Circumstance::Everything);
        }
        _ => {}
    }
}

/// Whether keys come from a listing: `redis-cli KEYS '*' | xargs redis-cli DEL`.
fn takes_listed(command: &[Word]) -> bool {
    command[1..].iter().any(|key| {
        key.as_literal() == Some("*")
            || key.produced_by().is_some_and(|commands| {
                commands.iter().any(|argv| {
                    let lists = argv
                        .iter()
                        .filter_map(Word::as_literal)
                        .any(|w| w.eq_ignore_ascii_case("keys") || w == "--scan");
                    matches!(program_of(argv), "redis-cli" | "valkey-cli" | "docker" | "docker-compose") && lists
                })
            })
    })
}
