//! `supabase db reset`: of the linked project, or of the one on this host.

use coroner_model::effect::EffectKind;
use coroner_read::shell::Word;

use super::Plan;
use super::database::{self, Database};
use super::named::literals;
use super::options::{Options, Order};
use super::runner::Tool;

pub(super) fn plan(out: &mut Plan<'_>, tool: &Tool) {
    let options =
        Options::read(&tool.argv[1..], &["--db-url", "--workdir", "--version", "--project-ref"], Order::Mixed);
    let mut database = Database::of_tool(out, tool);
    database.url = options.value(&["--db-url"]).cloned();
    match literals(&options.operands).as_slice() {
        ["db", "reset", ..] => {
            if options.has(&["--linked"]) {
                database.host = Some(Word::literal("the linked project"));
            } else if database.url.is_none() {
                // Without a link it is the development database of this host, made from files.
                return;
            }
            database::whole(out, EffectKind::ResetDatabase, "drop and make anew", database);
        }
        ["projects", "delete", ..] => {
            database.host = Some(Word::literal("the project"));
            database::whole(out, EffectKind::ResetDatabase, "delete", database);
        }
        _ => {}
    }
}
