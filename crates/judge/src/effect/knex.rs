//! `knex`: every migration rolled back.

use coroner_model::effect::EffectKind;

use super::Plan;
use super::database::{self, Database};
use super::options::{Options, Order};
use super::runner::Tool;

pub(super) fn plan(out: &mut Plan<'_>, tool: &Tool) {
    let options =
        Options::read(&tool.argv[1..], &["--env", "--knexfile", "--cwd", "--connection", "--client"], Order::Mixed);
    let mut database = Database::of_tool(out, tool);
    database.url = options.value(&["--connection"]).cloned();
    database.environment = options.value(&["--env"]).cloned();
    let rolls_back = options.operands.first().and_then(|w| w.as_literal()) == Some("migrate:rollback");
    if rolls_back && options.has(&["--all", "-a"]) {
        database::whole(out, EffectKind::ResetDatabase, "undo every migration, with its data, of", database);
    }
}
