//! Further clients that are given SQL: by an option, as an operand, or on the standard input.

use coroner_read::shell::Word;

use super::Plan;
use super::database::{self, Database};
use super::options::{Options, Order};
use super::runner::Tool;
use super::sql::Flavour;

/// How one client takes its text and its database.
struct Client {
    name: &'static str,
    /// Words that must come first.
    verbs: &'static [&'static str],
    text: &'static [&'static str],
    file: &'static [&'static str],
    host: &'static [&'static str],
    database: &'static [&'static str],
    url: &'static [&'static str],
    /// Which operand after the verbs is the text, if one is.
    operand: Option<usize>,
}

const CLIENTS: &[Client] = &[
    Client {
        name: "sqlcmd",
        verbs: &[],
        text: &["-Q", "-q"],
        file: &["-i"],
        host: &["-S"],
        database: &["-d"],
        url: &[],
        operand: None,
    },
    Client {
        name: "clickhouse-client",
        verbs: &[],
        text: &["-q", "--query"],
        file: &["--queries-file"],
        host: &["-h", "--host"],
        database: &["-d", "--database"],
        url: &[],
        operand: None,
    },
    Client {
        name: "cockroach",
        verbs: &["sql"],
        text: &["-e", "--execute"],
        file: &["-f", "--file"],
        host: &["--host"],
        database: &["-d", "--database"],
        url: &["--url"],
        operand: None,
    },
    Client {
        name: "usql",
        verbs: &[],
        text: &["-c", "--command"],
        file: &["-f", "--file"],
        host: &[],
        database: &[],
        url: &[],
        operand: None,
    },
    Client {
        name: "bq",
        verbs: &["query"],
        text: &[],
        file: &[],
        host: &["--project_id"],
        database: &["--dataset_id"],
        url: &[],
        operand: Some(0),
    },
    Client {
        name: "wrangler",
        verbs: &["d1", "execute"],
        text: &["--command"],
        file: &["--file"],
        host: &[],
        database: &[],
        url: &[],
        operand: None,
    },
    Client {
        name: "turso",
        verbs: &["db", "shell"],
        text: &[],
        file: &[],
        host: &[],
        database: &[],
        url: &[],
        operand: Some(1),
    },
    Client {
        name: "cqlsh",
        verbs: &[],
        text: &["-e", "--execute"],
        file: &["-f", "--file"],
        host: &[],
        database: &["-k", "--keyspace"],
        url: &[],
        operand: None,
    },
    Client {
        name: "snowsql",
        verbs: &[],
        text: &["-q", "--query"],
        file: &["-f", "--filename"],
        host: &["-a", "--accountname"],
        database: &["-d", "--dbname"],
        url: &[],
        operand: None,
    },
    Client {
        name: "snow",
        verbs: &["sql"],
        text: &["-q", "--query"],
        file: &["-f", "--filename"],
        host: &["--account"],
        database: &["--database"],
        url: &[],
        operand: None,
    },
    Client {
        name: "mysqlsh",
        verbs: &[],
        text: &["-e", "--execute"],
        file: &["-f", "--file"],
        host: &["-h", "--host"],
        database: &["-D", "--database"],
        url: &[],
        operand: None,
    },
    Client {
        name: "trino",
        verbs: &[],
        text: &["--execute"],
        file: &["-f", "--file"],
        host: &["--server"],
        database: &["--schema"],
        url: &[],
        operand: None,
    },
    Client {
        name: "beeline",
        verbs: &[],
        text: &["-e"],
        file: &["-f"],
        host: &[],
        database: &[],
        url: &["-u"],
        operand: None,
    },
    Client {
        name: "hive",
        verbs: &[],
        text: &["-e"],
        file: &["-f"],
        host: &["-h"],
        database: &["--database"],
        url: &[],
        operand: None,
    },
    Client {
        name: "spark-sql",
        verbs: &[],
        text: &["-e"],
        file: &["-f"],
        host: &[],
        database: &["--database"],
        url: &[],
        operand: None,
    },
    Client {
        name: "heroku",
        verbs: &["pg:psql"],
        text: &["-c", "--command"],
        file: &["-f", "--file"],
        host: &["-a", "--app"],
        database: &[],
        url: &[],
        operand: None,
    },
];

/// Whether the tool is such a client, and was read as one.
pub(super) fn plan(out: &mut Plan<'_>, tool: &Tool) -> bool {
    let Some(client) = CLIENTS.iter().find(|c| c.name == tool.name()) else { return false };
    let valued: Vec<&str> = [client.text, client.file, client.host, client.database, client.url]
        .iter()
        .flat_map(|all| all.iter().copied())
        .collect();
    let options = Options::read(&tool.argv[1..], &valued, Order::Mixed);
    let verbs = options.operands.iter().map(|w| w.as_literal().unwrap_or_default());
    if !verbs.take(client.verbs.len()).eq(client.verbs.iter().copied()) {
        return false;
    }
    let rest = options.operands.get(client.verbs.len()..).unwrap_or_default();
    let mut texts: Vec<String> = options.values(client.text).map(Word::show).collect();
    texts.extend(client.operand.and_then(|at| rest.get(at)).map(Word::show));
    texts.extend(database::files_of(out, &options, client.file));
    if texts.is_empty() {
        texts.extend(database::standard_input(out));
    }
    let database = of_options(out, client, &options, rest);
    for text in texts {
        database::of_sql(out, &text, Flavour::Any, &database);
    }
    true
}

fn of_options(out: &Plan<'_>, client: &Client, options: &Options, rest: &[Word]) -> Database {
    let mut database = Database::of_client(out);
    database.host = options.value(client.host).cloned();
    database.name = options.value(client.database).cloned();
    database.url = options.value(client.url).cloned();
    match client.name {
        "usql" => database.url = rest.first().cloned(),
        // Without `--remote` it is a copy on this host.
        "wrangler" => {
            database.name = rest.first().cloned();
            if options.has(&["--remote"]) {
                database.host = Some(Word::literal("the remote database"));
            } else {
                database.file = Some(Word::literal(":memory:"));
            }
        }
        "turso" => {
            database.name = rest.first().cloned();
            database.host = Some(Word::literal("the remote database"));
        }
        "heroku" | "bq" if database.host.is_none() => database.host = Some(Word::literal("the remote database")),
        _ => {}
    }
    database
}
