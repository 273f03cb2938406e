//! `mysql`, `mariadb` and `mysqladmin`.

use coroner_model::effect::EffectKind;
use coroner_read::shell::Word;

use super::Plan;
use super::database::{self, Database, HOSTS};
use super::options::{Options, Order};
use super::sql::Flavour;

/// `-p` and `-u` may hold their value in the same word; only `-u` takes the next one.
const VALUED: &[&str] = &[
    "-h",
    "--host",
    "-P",
    "--port",
    "-u",
    "--user",
    "-p?",
    "-D",
    "--database",
    "-e",
    "--execute",
    "-S",
    "--socket",
    "--protocol",
    "--default-character-set",
    "--defaults-file",
    "--defaults-extra-file",
    "--defaults-group-suffix",
    "--init-command",
    "--delimiter",
    "--ssl-ca",
    "--ssl-mode",
    "--login-path",
];

pub(super) fn plan(out: &mut Plan<'_>) {
    let call = out.call;
    let options = Options::read(&call.argv[1..], VALUED, Order::Mixed);
    if options.has(&["--help", "-?"]) || options.has(&["--version", "-V"]) {
        return;
    }
    let mut database = Database::of_client(out);
    database.host = options.value(&["-h", "--host"]).cloned();
    database.variables = HOSTS;
    if matches!(call.program(), "mysqladmin" | "mariadb-admin") {
        let dropped = options.operands.iter().position(|w| w.as_literal() == Some("drop"));
        if let Some(at) = dropped {
            database.name = options.operands.get(at + 1).cloned();
            database::whole(out, EffectKind::DropData, "drop the database", database);
        }
        return;
    }
    database.name = options.value(&["-D", "--database"]).or(options.operands.first()).cloned();
    let mut texts: Vec<String> = options.values(&["-e", "--execute"]).map(Word::show).collect();
    if texts.is_empty() {
        texts.extend(database::standard_input(out));
    }
    for text in texts {
        database::of_sql(out, &text, Flavour::Mysql, &database);
    }
}
