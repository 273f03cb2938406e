//! `alembic` and `flask db`: downgrades to nothing, and stamps that only claim.

use coroner_model::effect::EffectKind;

use super::Plan;
use super::database::{self, Database};
use super::named::literals;
use super::options::{Options, Order};
use super::runner::Tool;

pub(super) fn plan(out: &mut Plan<'_>, tool: &Tool) {
    let valued = ["-c", "--config", "-n", "--name", "-x", "-d", "--directory"];
    let mut options = Options::read(&tool.argv[1..], &valued, Order::Mixed);
    if tool.name() == "flask" {
        if options.operands.first().and_then(|w| w.as_literal()) != Some("db") {
            return;
        }
        options.operands.remove(0);
    }
    if options.has(&["--sql", "--help"]) {
        return;
    }
    let database = Database::of_tool(out, tool);
    match literals(&options.operands).as_slice() {
        ["downgrade", "base", ..] => {
            database::whole(out, EffectKind::ResetDatabase, "undo every migration, with its data, of", database);
        }
        ["downgrade", ..] => {
            database::whole(out, EffectKind::Migrate, "undo migrations, with their data, of", database)
        }
        ["stamp", ..] => {
            database::whole(
                out,
                EffectKind::StampMigration,
                "mark migrations as run that may not have run, in",
                database,
            );
        }
        ["upgrade", ..] => migrate(out, database),
        _ => {}
    }
}

/// A migration forward; nothing of it is known to destroy.
fn migrate(out: &mut Plan<'_>, database: Database) {
    let named = super::named::Named::of(database.shown(), format!("migrate {}", database.shown()));
    out.named(EffectKind::Migrate, named);
}
