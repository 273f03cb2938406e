//! `sequelize`: databases dropped, migrations undone.

use coroner_model::effect::EffectKind;

use super::Plan;
use super::database::{self, Database};
use super::options::{Options, Order};
use super::runner::Tool;

pub(super) fn plan(out: &mut Plan<'_>, tool: &Tool) {
    let options = Options::read(&tool.argv[1..], &["--env", "--config", "--url", "--name", "--to"], Order::Mixed);
    let Some(verb) = options.operands.first().and_then(|w| w.as_literal()) else { return };
    let mut database = Database::of_tool(out, tool);
    database.url = options.value(&["--url"]).cloned();
    database.environment = options.value(&["--env"]).cloned();
    match verb {
        "db:drop" => database::whole(out, EffectKind::ResetDatabase, "drop", database),
        "db:migrate:undo:all" => {
            database::whole(out, EffectKind::ResetDatabase, "undo every migration, with its data, of", database);
        }
        "db:seed:undo:all" => {
            database::whole(out, EffectKind::ResetDatabase, "delete everything that was seeded, in", database);
        }
        _ => {}
    }
}
