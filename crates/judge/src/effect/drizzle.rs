//! `drizzle-kit`: pushes that drop what the schema does not hold.

use coroner_model::effect::EffectKind;

use super::Plan;
use super::database::{self, Database};
use super::named::literals;
use super::options::{Options, Order};
use super::runner::Tool;

pub(super) fn plan(out: &mut Plan<'_>, tool: &Tool) {
    let valued =
        ["--config", "--dialect", "--schema", "--url", "--host", "--port", "--user", "--password", "--database"];
    let options = Options::read(&tool.argv[1..], &valued, Order::Mixed);
    let mut database = Database::of_tool(out, tool);
    database.url = options.value(&["--url"]).cloned();
    database.host = options.value(&["--host"]).cloned();
    database.name = options.value(&["--database"]).cloned();
    match literals(&options.operands).as_slice() {
        [verb, ..] if verb.starts_with("push") && options.has(&["--force"]) => {
            database::whole(out, EffectKind::ResetDatabase, "drop what the new schema does not hold, in", database);
        }
        _ => {}
    }
}
