//! Laravel's `artisan` and Symfony's `console`: databases wiped, schemas dropped.

use coroner_model::effect::EffectKind;

use super::Plan;
use super::database::{self, Chain, Database};
use super::options::{Options, Order};
use super::runner::Tool;

pub(super) fn plan(out: &mut Plan<'_>, tool: &Tool) {
    let options = Options::read(&tool.argv[1..], &["--database", "--path", "--env", "-e"], Order::Mixed);
    if options.has(&["--pretend", "--dump-sql"]) || options.has(&["--dump-sql"]) || options.has(&["--help", "-h"]) {
        return;
    }
    let mut database = Database::of_tool(out, tool);
    let laravel = tool.name() == "artisan";
    database.chain = if laravel { Chain::Replaces } else { Chain::Layered };
    database.environment = options.value(&["--env", "-e"]).cloned();
    let would = match options.operands.first().and_then(|w| w.as_literal()).unwrap_or_default() {
        "migrate:fresh" | "db:wipe" => "drop every table of",
        "migrate:reset" | "migrate:refresh" => "undo every migration, with its data, of",
        "doctrine:database:drop" | "doctrine:schema:drop" if options.has(&["--force", "-f"]) => "drop",
        _ => return,
    };
    database::whole(out, EffectKind::ResetDatabase, would, database);
}
