//! Coroner's own verbs that change the host: they ask a person, unless the command line answers instead.

use coroner_model::effect::EffectKind;

use super::Plan;
use super::named::Named;
use super::options::{Options, Order};

pub(super) fn plan(out: &mut Plan<'_>) {
    let globals = Options::read(&out.call.argv[1..], &["--store", "--casefile", "--format"], Order::First);
    let Some((verb, rest)) = globals.operands.split_first() else { return };
    let verb = verb.as_literal().unwrap_or_default();
    let options = Options::read(rest, &["--owner", "--to"], Order::Mixed);
    if matches!(verb, "fix" | "undo") && options.has(&["--yes"]) && !options.has(&["--help", "-h"]) {
        let named = Named::of(format!("coroner {verb}"), "answer in a person's place what `--yes` leaves unasked");
        out.named(EffectKind::EditGuard, named);
    }
}
