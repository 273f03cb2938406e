//! `typeorm` and `mikro-orm`: schemas dropped, or made to fit whatever it costs.

use coroner_model::effect::EffectKind;

use super::Plan;
use super::database::{self, Database};
use super::options::{Options, Order};
use super::runner::Tool;

pub(super) fn plan(out: &mut Plan<'_>, tool: &Tool) {
    let options =
        Options::read(&tool.argv[1..], &["-d", "--dataSource", "-f", "--config", "-c", "--connection"], Order::Mixed);
    let database = Database::of_tool(out, tool);
    let verbs = options.operands.iter().filter_map(|w| w.as_literal());
    for verb in verbs {
        let would = match verb {
            "schema:drop" | "schema:fresh" | "migration:fresh" | "database:drop" => "drop every table of",
            "schema:sync" => "drop what the entities do not hold, in",
            _ => continue,
        };
        return database::whole(out, EffectKind::ResetDatabase, would, database);
    }
}
