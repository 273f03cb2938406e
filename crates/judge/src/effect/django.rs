//! Django's `manage.py`: flush, reset, and migrations back to zero.

use coroner_model::effect::EffectKind;

use super::Plan;
use super::database::{self, Database};
use super::named::literals;
use super::options::{Options, Order};
use super::runner::Tool;

pub(super) fn plan(out: &mut Plan<'_>, tool: &Tool) {
    let options = Options::read(
        &tool.argv[1..],
        &["--database", "--settings", "--pythonpath", "-v", "--verbosity"],
        Order::Mixed,
    );
    if options.has(&["--help", "-h"]) || options.has(&["--plan"]) || options.has(&["--check"]) {
        return;
    }
    let mut database = Database::of_tool(out, tool);
    database.environment = options.value(&["--settings"]).cloned();
    match literals(&options.operands).as_slice() {
        ["flush", ..] => database::whole(out, EffectKind::ResetDatabase, "delete every row of", database),
        ["reset_db" | "reset_schema", ..] => {
            database::whole(out, EffectKind::ResetDatabase, "drop and make anew", database)
        }
        ["migrate", _, "zero", ..] => {
            database::whole(
                out,
                EffectKind::ResetDatabase,
                "undo every migration of an application, with its data, in",
                database,
            );
        }
        ["migrate", ..] if options.has(&["--fake"]) => {
            database::whole(out, EffectKind::StampMigration, "mark migrations as run that did not run, in", database);
        }
        _ => {}
    }
}
