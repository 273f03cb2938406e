//! Which database a client or migration tool would reach, as far as its words say.

use coroner_model::effect::{Circumstance, EffectKind};
use coroner_read::shell::{self, Stdin, Word, program_of};

use super::named::{Deciding, Named};
use super::options::Options;
use super::runner::Tool;
use super::sql::{self, Act, Flavour};
use super::{Place, Plan};

/// A database by everything that names it; state fills in the rest.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Database {
    pub url: Option<Word>,
    pub host: Option<Word>,
    pub name: Option<Word>,
    /// The file of an embedded database.
    pub file: Option<Word>,
    /// Variables that the program would take its address from, strongest first.
    pub variables: &'static [&'static str],
    /// Variables set for the command alone.
    pub assignments: Vec<(String, Word)>,
    /// Where its settings are looked for.
    pub directory: Word,
    /// Env files that are loaded, absolute.
    pub env_files: Vec<Word>,
    /// Whether it reads `.env` of its directory by itself.
    pub reads_dotenv: bool,
    /// The environment that is chosen by an option.
    pub environment: Option<Word>,
    /// How an environment of its own changes which env file is read.
    pub chain: Chain,
    /// Where its framework says which database an environment has.
    pub settings: Settings,
    pub place: Place,
}

/// The settings of a framework that give each environment a database of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Settings {
    /// It takes what the variables say.
    #[default]
    None,
    /// `config/database.yml`, a section an environment.
    Sections,
    /// `config/NAME.exs`, a file an environment.
    Files,
}

/// What `.env.NAME` is to `.env`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Chain {
    /// Nothing: the tool knows `.env` alone.
    #[default]
    None,
    /// It lies over it.
    Layered,
    /// It takes its place where it exists, else `.env` is read all the same.
    Replaces,
}

/// Variables that choose an environment.
pub const ENVIRONMENTS: &[&str] = &[
    "NODE_ENV",
    "RAILS_ENV",
    "RACK_ENV",
    "APP_ENV",
    "DJANGO_ENV",
    "ENVIRONMENT",
    "ENV",
    "FLASK_ENV",
    "DEPLOY_ENV",
    "DJANGO_SETTINGS_MODULE",
    "SYMFONY_ENV",
    "STAGE",
];

/// Variables that hold the address of a database.
pub const URLS: &[&str] = &[
    "DATABASE_URL",
    "DB_URL",
    "DIRECT_URL",
    "POSTGRES_URL",
    "DATABASE_URI",
    "SQLALCHEMY_DATABASE_URI",
    "POSTGRES_URI",
    "PG_URL",
    "MYSQL_URL",
    "MONGODB_URI",
    "MONGO_URL",
    "REDIS_URL",
];

/// Variables that hold its host, where there is no address.
pub const HOSTS: &[&str] =
    &["PGHOST", "DB_HOST", "DATABASE_HOST", "POSTGRES_HOST", "MYSQL_HOST", "REDIS_HOST", "MONGO_HOST"];

/// Variables that hold its name, where there is no address.
pub const NAMES: &[&str] = &["PGDATABASE", "DB_NAME", "DB_DATABASE", "DATABASE_NAME", "POSTGRES_DB", "MYSQL_DATABASE"];

impl Database {
    /// The database of a client that is told where to go.
    pub(super) fn of_client(out: &Plan<'_>) -> Database {
        Database {
            assignments: out.call.assignments.clone(),
            directory: out.call.cwd.clone(),
            place: out.place(),
            ..Database::default()
        }
    }

    /// The database of a project's tool, which reads the project's settings.
    pub(super) fn of_tool(out: &Plan<'_>, tool: &Tool) -> Database {
        let mut database = Database::of_client(out);
        database.assignments.extend(tool.assignments.iter().cloned());
        database.env_files = tool.env_files.iter().map(|f| shell::join(&out.call.cwd, f)).collect();
        database.reads_dotenv = true;
        database.variables = URLS;
        database
    }

    /// Its name as the answer gives it.
    pub(super) fn shown(&self) -> String {
        let name = self.url.as_ref().or(self.file.as_ref()).or(self.name.as_ref()).map(Word::show);
        match (name, &self.host) {
            (Some(name), Some(host)) => format!("{name} on {}", host.show()),
            (Some(name), None) => name,
            (None, Some(host)) => host.show(),
            (None, None) => format!("database of {}", self.directory.show()),
        }
    }
}

/// Adds what SQL text would destroy.
pub(super) fn of_sql(out: &mut Plan<'_>, text: &str, flavour: Flavour, database: &Database) {
    for loss in sql::losses(text, flavour) {
        let named =
            Named::of(loss.object.clone(), format!("{} {} in {}", loss.act.words(), loss.object, database.shown()))
                .when(matches!(loss.act, Act::DeleteEvery | Act::UpdateEvery), Circumstance::Everything)
                .with(Circumstance::Irreversible)
                .decided_by(Deciding::Database(Box::new(target_of(database, &loss))));
        out.named(EffectKind::DropData, named);
    }
}

/// A dropped database is the one that is named, not the one that the client is in.
fn target_of(database: &Database, loss: &sql::Loss) -> Database {
    let mut target = database.clone();
    if loss.act == Act::DropDatabase {
        target.name = Some(Word::literal(loss.object.trim_matches(['"', '`'])));
        target.url = database.url.clone();
    }
    target
}

/// Adds an effect on a whole database.
pub(super) fn whole(out: &mut Plan<'_>, kind: EffectKind, would: &str, database: Database) {
    let named = Named::of(database.shown(), format!("{would} {}", database.shown()))
        .with(Circumstance::Irreversible)
        .decided_by(Deciding::Database(Box::new(database)));
    out.named(kind, named);
}

/// What a client reads on its standard input, as text, where that is known.
pub(super) fn standard_input(out: &mut Plan<'_>) -> Option<String> {
    match &out.call.stdin {
        Stdin::Text(text) => Some(text.show()),
        Stdin::File(file) => out.text_fed(file),
        Stdin::Output(commands) => {
            let source = commands.first()?;
            // Django prints the statements that empty every table.
            if source.iter().any(|w| w.as_literal() == Some("sqlflush")) {
                return Some("TRUNCATE TABLE every_table;".to_owned());
            }
            if let Some(text) = generated(source) {
                return Some(text);
            }
            let plain = commands.len() == 1 && program_of(source) == "cat";
            let file = source.get(1).filter(|_| plain && source.len() == 2)?.clone();
            out.text_fed(&file)
        }
        Stdin::Inherited => None,
    }
}

/// Statements that a query builds from text, as `SELECT 'drop table ' || name` does, its unknown
/// part under a name that no table has.
fn generated(source: &[Word]) -> Option<String> {
    let queries = matches!(program_of(source), "psql" | "mysql" | "mariadb" | "sqlite3" | "pgcli" | "mycli");
    let quoted = source.iter().filter(|_| queries).filter_map(Word::as_literal).flat_map(|text| {
        // Between quotes of a kind stands text, beside them the query.
        ['\'', '"'].into_iter().flat_map(move |quote| text.split(quote).skip(1).step_by(2))
    });
    let destroys = |text: &&str| {
        let first = text.split_whitespace().next().unwrap_or_default().to_ascii_lowercase();
        text.contains(char::is_whitespace) && matches!(first.as_str(), "drop" | "truncate" | "delete")
    };
    let statements: Vec<String> = quoted.filter(destroys).map(|text| format!("{text} every_one;")).collect();
    (!statements.is_empty()).then(|| statements.join("\n"))
}

/// Texts of the files that options name.
pub(super) fn files_of(out: &mut Plan<'_>, options: &Options, names: &[&str]) -> Vec<String> {
    let files: Vec<Word> = options.values(names).cloned().collect();
    files.iter().filter_map(|file| out.text_of(file)).collect()
}
