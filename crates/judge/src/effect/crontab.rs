//! `crontab`: jobs removed, or all of them replaced.

use coroner_model::effect::{Circumstance, EffectKind};
use coroner_read::shell::{Stdin, Word};

use super::Plan;
use super::named::Named;
use super::options::{Options, Order};

pub(super) fn plan(out: &mut Plan<'_>) {
    let options = Options::read(&out.call.argv[1..], &["-u"], Order::Mixed);
    if options.has(&["-l"]) || options.has(&["-e"]) {
        return;
    }
    let user = options.value(&["-u"]).map_or_else(|| "this user".to_owned(), Word::show);
    if options.has(&["-r"]) {
        let named = Named::of(format!("crontab of {user}"), format!("remove every scheduled job of {user}"))
            .with(Circumstance::Irreversible);
        return out.named(EffectKind::Delete, named);
    }
    // A text of one's own takes the place of all jobs; one that comes from `crontab -l` keeps them.
    let reads_text = options.operands.first().is_none_or(|w| w.as_literal() == Some("-"));
    let replaces = reads_text && is_replacement(&out.call.stdin)
        || options.operands.first().and_then(Word::as_literal) == Some("/dev/null");
    if replaces {
        let named = Named::of(format!("crontab of {user}"), format!("replace every scheduled job of {user}"))
            .with(Circumstance::Irreversible);
        out.named(EffectKind::Overwrite, named);
    }
}

/// A text of its own, or nothing at all.
fn is_replacement(stdin: &Stdin) -> bool {
    match stdin {
        // What `crontab -l` prints is not known, so a text that holds it is none of its own.
        Stdin::Text(text) => text.as_literal().is_some(),
        Stdin::File(file) => file.as_literal() == Some("/dev/null"),
        _ => false,
    }
}
