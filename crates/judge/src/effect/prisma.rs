//! `prisma`: resets, and pushes that accept the loss of data.

use coroner_model::effect::EffectKind;

use super::Plan;
use super::database::{self, Database};
use super::named::literals;
use super::options::{Options, Order};
use super::runner::Tool;
use super::sql::Flavour;

pub(super) fn plan(out: &mut Plan<'_>, tool: &Tool) {
    let options = Options::read(&tool.argv[1..], &["--schema", "--name", "-n", "--url", "--file"], Order::Mixed);
    if options.has(&["--help", "-h"]) {
        return;
    }
    let mut database = Database::of_tool(out, tool);
    database.url = options.value(&["--url"]).cloned();
    let lossy = options.has(&["--force-reset", "--accept-data-loss"]) || options.has(&["--accept-data-loss"]);
    match literals(&options.operands).as_slice() {
        ["migrate", "reset", ..] => {
            database::whole(out, EffectKind::ResetDatabase, "drop and make anew", database);
        }
        ["db", "push", ..] if lossy => {
            database::whole(out, EffectKind::ResetDatabase, "drop what the new schema does not hold, in", database);
        }
        ["migrate", "resolve", ..] => {
            database::whole(out, EffectKind::StampMigration, "mark a migration as run or undone, in", database);
        }
        ["db", "execute", ..] => {
            let mut texts = database::files_of(out, &options, &["--file"]);
            if options.has(&["--stdin"]) {
                texts.extend(database::standard_input(out));
            }
            texts.iter().for_each(|text| database::of_sql(out, text, Flavour::default(), &database));
        }
        _ => {}
    }
}
