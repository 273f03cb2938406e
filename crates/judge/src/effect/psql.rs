//! `psql`, and PostgreSQL's other programs: `createdb`, `dropdb`, `dropuser`, `pg_restore`.

use coroner_model::effect::EffectKind;
use coroner_read::shell::Word;

use super::Plan;
use super::database::{self, Database, HOSTS, NAMES};
use super::options::{Options, Order};
use super::sql::Flavour;

const VALUED: &[&str] = &[
    "-h",
    "--host",
    "-p",
    "--port",
    "-U",
    "--username",
    "-d",
    "--dbname",
    "-c",
    "--command",
    "-f",
    "--file",
    "-v",
    "--set",
    "--variable",
    "-o",
    "--output",
    "-L",
    "--log-file",
    "-F",
    "--field-separator",
    "-P",
    "--pset",
    "-R",
    "--record-separator",
    "-T",
    "--table-attr",
];

pub(super) fn plan(out: &mut Plan<'_>) {
    let call = out.call;
    let words = &call.argv[1..];
    match call.program() {
        "dropdb" | "dropuser" => {
            let valued = ["-h", "--host", "-p", "--port", "-U", "--username", "--maintenance-db"];
            let options = Options::read(words, &valued, Order::Mixed);
            if is_only_asking(&options) {
                return;
            }
            let mut database = of_options(out, &options);
            database.name = options.operands.first().cloned();
            let would = if call.program() == "dropdb" { "drop the database" } else { "drop a role of" };
            database::whole(out, EffectKind::DropData, would, database);
        }
        "pg_restore" => restore(out, words),
        "createdb" => {}
        _ => client(out, words),
    }
}

fn client(out: &mut Plan<'_>, words: &[Word]) {
    let options = Options::read(words, VALUED, Order::Mixed);
    if is_only_asking(&options) || options.has(&["-l", "--list"]) {
        return;
    }
    let mut database = of_options(out, &options);
    if database.name.is_none() && database.url.is_none() {
        of_operand(&mut database, options.operands.first());
    }
    let commands: Vec<String> = options.values(&["-c", "--command"]).map(Word::show).collect();
    let mut texts = commands;
    texts.extend(database::files_of(out, &options, &["-f", "--file"]));
    if texts.is_empty() {
        texts.extend(database::standard_input(out));
    }
    for text in texts {
        database::of_sql(out, &text, Flavour::Postgres, &database);
    }
}

/// `pg_restore --clean` drops what it is about to restore.
fn restore(out: &mut Plan<'_>, words: &[Word]) {
    let valued = [
        "-h",
        "--host",
        "-p",
        "--port",
        "-U",
        "--username",
        "-d",
        "--dbname",
        "-f",
        "--file",
        "-F",
        "--format",
        "-j",
        "--jobs",
        "-n",
        "--schema",
        "-N",
        "--exclude-schema",
        "-t",
        "--table",
        "-L",
        "--use-list",
        "-I",
        "--index",
        "-P",
        "--function",
        "-T",
        "--trigger",
        "--role",
        "--section",
        "-S",
        "--superuser",
    ];
    let options = Options::read(words, &valued, Order::Mixed);
    let lists = options.has(&["-l", "--list"]) || options.value(&["-f", "--file"]).is_some();
    if is_only_asking(&options) || lists || !options.has(&["-c", "--clean"]) {
        return;
    }
    let database = of_options(out, &options);
    if database.name.is_some() || database.url.is_some() {
        database::whole(out, EffectKind::DropData, "drop every object that the dump holds, in", database);
    }
}

fn is_only_asking(options: &Options) -> bool {
    options.has(&["--help", "-?"]) || options.has(&["--version", "-V"])
}

fn of_options(out: &Plan<'_>, options: &Options) -> Database {
    let mut database = Database::of_client(out);
    database.host = options.value(&["-h", "--host"]).cloned();
    let name = options.value(&["-d", "--dbname"]).cloned();
    of_operand(&mut database, name.as_ref());
    database.variables = if database.host.is_none() { HOSTS } else { NAMES };
    database
}

/// A name, an address, or words such as `host=db dbname=shop`.
fn of_operand(database: &mut Database, word: Option<&Word>) {
    let Some(word) = word else { return };
    let text = word.show();
    if text.contains("://") || word.is_unresolved() {
        database.url = Some(word.clone());
    } else if text.contains('=') {
        let value = |key: &str| text.split_whitespace().find_map(|p| p.strip_prefix(key)?.strip_prefix('='));
        database.host = value("host").map(Word::literal).or_else(|| database.host.clone());
        database.name = value("dbname").map(Word::literal);
    } else {
        database.name = Some(word.clone());
    }
}
