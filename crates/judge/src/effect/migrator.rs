//! Further tools that keep a schema: what drops, empties or rolls back everything.
//!
//! They are data, as the tools in `keeper` are, but the state of the database decides.

use coroner_model::effect::{Circumstance, EffectKind};
use coroner_read::shell::{Stdin, Word, program_of};

use super::Plan;
use super::database::{self, Database, Settings};
use super::named::{Deciding, Named};
use super::runner::Tool;

/// One way in which a tool loses what a database holds.
struct Row {
    tools: &'static [&'static str],
    /// Words in their order; `a|b` means either.
    verbs: &'static [&'static str],
    /// Options of which one must be given; none: always.
    options: &'static [&'static str],
    would: &'static str,
}

const fn row(
    tools: &'static [&'static str],
    verbs: &'static [&'static str],
    options: &'static [&'static str],
    would: &'static str,
) -> Row {
    Row { tools, verbs, options, would }
}

/// Options that name the database itself.
const ADDRESSES: &[&str] = &[
    "-database",
    "--database",
    "--database-url",
    "-D",
    "-u",
    "--url",
    "-url",
    "--connection",
    "--dsn",
    "-d",
    "--db-url",
];

/// Tools that read no `.env` by themselves.
const NO_DOTENV: &[&str] =
    &["mix", "dotnet", "dotnet-ef", "flyway", "liquibase", "mvn", "mvnw", "gradle", "gradlew", "wp", "drush", "bench"];

const ROWS: &[Row] = &[
    row(&["flyway"], &["clean"], &[], "drop every object of"),
    row(&["liquibase"], &["dropAll|drop-all|dropall"], &[], "drop every object of"),
    row(
        &["mvn", "mvnw", "gradle", "gradlew"],
        &["flyway:clean|flywayClean|liquibase:dropAll|dropAll"],
        &[],
        "drop every object of",
    ),
    row(&["dbmate"], &["drop"], &[], "drop"),
    row(&["goose"], &["reset"], &[], "undo every migration, with its data, of"),
    row(&["goose"], &["down-to", "0"], &[], "undo every migration, with its data, of"),
    row(&["migrate"], &["drop"], &[], "drop every object of"),
    row(&["migrate"], &["down"], &["-all", "--all"], "undo every migration, with its data, of"),
    row(&["sqlx"], &["database|db", "drop|reset"], &[], "drop"),
    row(&["cargo"], &["sqlx", "database|db", "drop|reset"], &[], "drop"),
    row(&["diesel"], &["database|db", "reset|drop"], &[], "drop and make anew"),
    row(&["diesel"], &["migration", "redo|revert"], &["--all", "-a"], "undo every migration, with its data, of"),
    row(&["sea-orm-cli"], &["migrate", "fresh|reset|refresh"], &[], "drop every table of"),
    row(&["atlas"], &["schema", "clean"], &[], "drop every object of"),
    row(&["atlas"], &["schema", "apply"], &["--auto-approve"], "make a schema equal, with drops, in"),
    row(&["dotnet", "dotnet-ef"], &["database", "drop"], &[], "drop"),
    row(&["dotnet", "dotnet-ef"], &["database", "update", "0"], &[], "undo every migration, with its data, of"),
    row(&["mix"], &["ecto.drop|ecto.reset|ash.reset|ash_postgres.drop"], &[], "drop"),
    row(&["mix"], &["ecto.rollback"], &["--all"], "undo every migration, with its data, of"),
    row(
        &["ace", "adonis"],
        &["migration:fresh|migration:reset|migration:refresh|db:wipe|db:truncate"],
        &[],
        "drop every table of",
    ),
    row(&["payload"], &["migrate:fresh|migrate:reset|migrate:refresh"], &[], "drop every table of"),
    row(&["medusa"], &["db:reset|db:drop"], &[], "drop"),
    row(&["strapi"], &["import"], &["--force", "-f"], "replace every entry of"),
    row(&["convex"], &["import"], &["--replace", "--replace-all"], "replace every table of"),
    row(&["hasura"], &["migrate", "delete"], &["--all", "--all-databases"], "forget every migration of"),
    row(&["hasura"], &["metadata", "clear"], &[], "clear the metadata of"),
    row(&["sequelize", "sequelize-cli"], &["db:migrate:undo:all"], &[], "undo every migration, with its data, of"),
    row(&["kysely"], &["migrate:rollback"], &["--all"], "undo every migration, with its data, of"),
    row(&["db-migrate"], &["reset|db:drop"], &[], "undo every migration, with its data, of"),
    row(&["node-pg-migrate"], &["down"], &["0"], "undo every migration, with its data, of"),
    row(
        &["doctrine", "doctrine-migrations"],
        &["orm:schema-tool:drop|dbal:database:drop"],
        &["--force", "--full-database"],
        "drop every table of",
    ),
    row(&["console"], &["doctrine:fixtures:load"], &["-n", "--no-interaction"], "empty every table of"),
    row(&["phinx"], &["rollback"], &["-t", "--target"], "undo migrations, with their data, of"),
    row(&["wp"], &["db", "reset|drop|clean"], &[], "drop every table of"),
    row(&["wp"], &["site", "empty|delete"], &[], "delete every post of"),
    row(&["drush"], &["sql-drop|sql:drop|site:install|site-install|si"], &[], "drop every table of"),
    row(&["magento"], &["setup:uninstall"], &[], "drop every table of"),
    row(&["bench"], &["drop-site|reinstall"], &[], "drop"),
    row(&["odoo", "odoo-bin", "click-odoo-dropdb"], &["drop|dropdb"], &[], "drop"),
    row(&["aerich"], &["downgrade"], &["-v", "--delete"], "undo migrations, with their data, of"),
    row(&["piccolo"], &["migrations", "backwards"], &[], "undo migrations, with their data, of"),
    row(&["yoyo"], &["rollback"], &["-a", "--all", "-b", "--batch"], "undo every migration, with its data, of"),
    row(&["rake", "rails"], &["db:mongoid:drop|db:mongoid:purge|sequel:drop"], &[], "drop"),
];

pub(super) fn plan(out: &mut Plan<'_>) {
    let tool = Tool::of(&out.call.argv);
    let (name, argv) = script_of(&tool);
    let words: Vec<String> = argv.iter().skip(1).map(Word::show).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    if words.iter().any(|w| matches!(*w, "--help" | "help" | "--dry-run" | "-dry-run" | "--dryRun" | "--pretend")) {
        return;
    }
    if let Some(row) = ROWS.iter().find(|row| row.tools.contains(&name.as_str()) && row.holds(&words)) {
        let database = reached(out, &tool, &argv);
        database::whole(out, EffectKind::ResetDatabase, row.would, database);
    }
    for text in programs(out, &tool) {
        for would in losses(&text) {
            let database = Database::of_tool(out, &tool);
            let named = Named::of(database.shown(), format!("{would} of {}", database.shown()))
                .with(Circumstance::Irreversible)
                .decided_by(Deciding::Database(Box::new(database)));
            out.named(EffectKind::DropData, named);
        }
    }
}

impl Row {
    fn holds(&self, words: &[&str]) -> bool {
        let plain: Vec<&&str> = words.iter().filter(|w| !w.starts_with('-')).collect();
        let mut rest = plain.iter();
        let named = self.verbs.iter().all(|choice| rest.any(|word| choice.split('|').any(|verb| verb == **word)));
        let option = |word: &&str| {
            self.options.iter().any(|o| word == o || word.strip_prefix(o).is_some_and(|v| v.starts_with('=')))
        };
        named && (self.options.is_empty() || words.iter().any(option))
    }
}

/// `node ace …`, `bin/magento …`: the script is the tool.
fn script_of(tool: &Tool) -> (String, Vec<Word>) {
    let name = tool.name().trim_end_matches(".sh").to_owned();
    let first = tool.argv.get(1).and_then(Word::as_literal).unwrap_or_default();
    if matches!(name.as_str(), "node" | "php" | "python" | "python3") && !first.starts_with('-') && !first.is_empty() {
        let script = tool.argv[1..].to_vec();
        let name = program_of(&script).trim_end_matches(".js").to_owned();
        return (name, script);
    }
    (name, tool.argv.clone())
}

fn reached(out: &Plan<'_>, tool: &Tool, argv: &[Word]) -> Database {
    let mut database = Database::of_tool(out, tool);
    database.reads_dotenv = !NO_DOTENV.contains(&tool.name());
    if tool.name() == "mix" {
        database.settings = Settings::Files;
    }
    for (at, word) in argv.iter().enumerate().skip(1) {
        let text = word.prefix();
        let given = match text.split_once('=') {
            Some((option, value)) if ADDRESSES.contains(&option) => {
                let mut url = Word::literal(value);
                url.parts.extend(word.parts.iter().skip(1).cloned());
                Some(url)
            }
            None if ADDRESSES.contains(&text) => argv.get(at + 1).cloned(),
            _ => None,
        };
        if let Some(url) =
            given.filter(|url| url.is_unresolved() || url.show().contains("://") || url.show().starts_with("jdbc:"))
        {
            database.url =
                Some(Word { parts: url.parts }).map(|u| match u.as_literal().and_then(|l| l.strip_prefix("jdbc:")) {
                    Some(plain) => Word::literal(plain),
                    None => u,
                });
        }
        if matches!(text, "-env" | "--env" | "-e" | "--environment") {
            database.environment = argv.get(at + 1).cloned();
        }
    }
    if let Some((_, environment)) =
        database.assignments.iter().find(|(name, _)| name == "MIX_ENV" || name == "ASPNETCORE_ENVIRONMENT")
    {
        database.environment = Some(environment.clone());
    }
    database
}

/// Programs in the language of an application that a command is given.
fn programs(out: &Plan<'_>, tool: &Tool) -> Vec<String> {
    let name = tool.name();
    let argv = &tool.argv;
    let literal: Vec<&str> = argv.iter().map(|w| w.as_literal().unwrap_or_default()).collect();
    let behind = |options: &[&str]| {
        argv.iter()
            .enumerate()
            .skip(1)
            .filter_map(|(at, word)| {
                let text = word.show();
                let joined = options.iter().find_map(|o| text.strip_prefix(o)?.strip_prefix('=').map(str::to_owned));
                joined.or_else(|| options.contains(&text.as_str()).then(|| argv.get(at + 1).map(Word::show)).flatten())
            })
            .collect::<Vec<String>>()
    };
    let fed = || match &out.call.stdin {
        Stdin::Text(text) => vec![text.show()],
        _ => Vec::new(),
    };
    match name {
        "rails" if literal.get(1).is_some_and(|v| matches!(*v, "runner" | "r")) => {
            argv.iter().skip(2).map(Word::show).filter(|t| t.contains('.')).collect()
        }
        "rails" if literal.get(1).is_some_and(|v| matches!(*v, "console" | "c")) => fed(),
        "artisan" if literal.contains(&"tinker") => behind(&["--execute"]).into_iter().chain(fed()).collect(),
        "manage.py" | "django-admin" if literal.contains(&"shell") || literal.contains(&"shell_plus") => {
            behind(&["-c", "--command"]).into_iter().chain(fed()).collect()
        }
        "flask" if literal.contains(&"shell") => behind(&["-c"]).into_iter().chain(fed()).collect(),
        "python" | "python3" | "ipython" => {
            let inline = behind(&["-c"]);
            if inline.is_empty() && argv.iter().skip(1).all(|w| w.prefix().starts_with('-')) { fed() } else { inline }
        }
        "node" | "bun" | "deno" | "tsx" | "ts-node" => {
            let inline = behind(&["-e", "--eval", "-p", "--print"]);
            if inline.is_empty() && argv.iter().skip(1).all(|w| w.prefix().starts_with('-')) { fed() } else { inline }
        }
        "ruby" => behind(&["-e"]),
        "mix" if literal.get(1) == Some(&"run") => behind(&["-e", "--eval"]),
        _ => Vec::new(),
    }
}

/// What the words of a program destroy: calls of mappers and clients, strings left out.
fn losses(text: &str) -> Vec<&'static str> {
    let words = super::mongo::words(text);
    let mut all = Vec::new();
    for (i, word) in words.iter().enumerate() {
        let before = |n: usize| i.checked_sub(n).and_then(|at| words.get(at)).map(String::as_str).unwrap_or_default();
        let after = |n: usize| words.get(i + n).map(String::as_str).unwrap_or_default();
        let called = after(1) == "(" && matches!(before(1), "." | ":" | ">");
        // Ruby calls without brackets.
        let bare = before(1) == "." && matches!(after(1), "" | ";" | ")" | "\n");
        let empty = after(1) == "(" && (after(2) == ")" || after(2) == "{" && after(3) == "}");
        let chosen = words[..i]
            .iter()
            .rev()
            .take(24)
            .take_while(|w| *w != ";")
            .any(|w| matches!(w.as_str(), "where" | "filter" | "filter_by" | "exclude" | "find" | "find_by"));
        let loss = match word.as_str() {
            "delete_all" | "destroy_all" if (called || bare) && !chosen => Some("delete every row"),
            "delete_all" if (called || bare) && words[..i].iter().any(|w| w == "where") && always(text) => {
                Some("delete every row")
            }
            "delete" if called && empty && before(2) == ")" && before(4) == "all" && !chosen => {
                Some("delete every row")
            }
            "delete" if called && empty && before(1) == ">" && words[..i].iter().any(|w| w == "table") && !chosen => {
                Some("delete every row")
            }
            "truncate" if called && before(1) != "." => Some("empty a table"),
            "drop_all" if called => Some("drop every table"),
            "flushall" | "flushdb" | "flushAll" | "flushDb" if called => Some("remove every key"),
            "drop_database" | "dropDatabase" if called => Some("drop the database"),
            "deleteMany" | "updateMany" | "destroyAll" if called && empty => Some("delete every row"),
            _ => None,
        };
        all.extend(loss);
    }
    all
}

/// `where('1=1')` leaves no row out.
fn always(text: &str) -> bool {
    let plain: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    plain.contains("1=1") || plain.contains("where(true)")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mappers_lose_rows_and_strings_do_not() {
        for text in [
            "User.objects.all().delete()",
            "User.delete_all",
            "Order.where('1=1').delete_all",
            "User::truncate();",
            "DB::table(\"users\")->delete();",
            "db.drop_all()",
            "redis.Redis().flushall()",
            "new PrismaClient().user.deleteMany({})",
            "m.connection.dropDatabase()",
        ] {
            assert!(!losses(text).is_empty(), "{text}");
        }
        for text in [
            "User.objects.filter(id=3).delete()",
            "User.where(old: true).delete_all",
            "print('User.objects.all().delete()')",
            "prisma.user.deleteMany({where: {id: 3}})",
            "cache.delete('a')",
            "User.objects.count()",
            "s.truncate(3)",
        ] {
            assert!(losses(text).is_empty(), "{text} {:?}", losses(text));
        }
    }

    #[test]
    fn words_stand_in_their_order() {
        let row = row(&["sqlx"], &["database|db", "drop|reset"], &[], "drop");
        assert!(row.holds(&["database", "drop", "-y"]) && row.holds(&["db", "reset"]));
        assert!(!row.holds(&["migrate", "run"]) && !row.holds(&["drop", "database"]));
        let row = super::row(&["migrate"], &["down"], &["-all"], "undo");
        assert!(row.holds(&["-path", "m", "down", "-all"]) && !row.holds(&["down", "1"]));
    }
}
