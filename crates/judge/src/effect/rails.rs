//! `rails` and `rake`: databases dropped or loaded anew.

use coroner_model::effect::EffectKind;
use coroner_read::shell::Word;

use super::Plan;
use super::database::{self, Chain, Database, Settings};
use super::options::{Options, Order};
use super::runner::Tool;

pub(super) fn plan(out: &mut Plan<'_>, tool: &Tool) {
    let options = Options::read(&tool.argv[1..], &["-e", "--environment"], Order::Mixed);
    let mut database = Database { chain: Chain::Layered, settings: Settings::Sections, ..Database::of_tool(out, tool) };
    database.environment = options.value(&["-e", "--environment"]).cloned();
    // `rails db:drop RAILS_ENV=production` sets it as well.
    for word in &options.operands {
        if let Some((name, value)) = word.prefix().split_once('=') {
            database.assignments.push((name.to_owned(), Word::literal(value)));
        }
    }
    for word in options.operands.iter().filter_map(|w| w.as_literal()) {
        let would = match word.split('[').next().unwrap_or(word) {
            "db:drop" | "db:drop:all" | "db:drop:_unsafe" => "drop",
            "db:reset"
            | "db:migrate:reset"
            | "db:schema:load"
            | "db:structure:load"
            | "db:purge"
            | "db:purge:all"
            | "db:seed:replant"
            | "db:truncate_all"
            | "db:schema:load:primary" => "drop and load anew",
            _ => continue,
        };
        database::whole(out, EffectKind::ResetDatabase, would, database.clone());
    }
}
