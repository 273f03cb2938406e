//! `rclone`: what it deletes at a remote, or on this host.

use coroner_model::effect::{Circumstance, EffectKind};
use coroner_read::shell::Word;

use super::cloud::{Where, of_place};
use super::options::{Options, Order};
use super::{Extent, Plan};

const VALUED: &[&str] = &[
    "--config",
    "--transfers",
    "--checkers",
    "--bwlimit",
    "--exclude",
    "--include",
    "--filter",
    "--exclude-from",
    "--include-from",
    "--filter-from",
    "--files-from",
    "--max-age",
    "--min-age",
    "--max-size",
    "--min-size",
    "--log-file",
    "--log-level",
    "--backup-dir",
    "--suffix",
    "--retries",
    "--drive-root-folder-id",
    "--max-delete",
    "--stats",
    "--compare-dest",
];

pub(super) fn plan(out: &mut Plan<'_>) {
    let options = Options::read(&out.call.argv[1..], VALUED, Order::Mixed);
    let kept = options.value(&["--backup-dir"]).is_some();
    if options.has(&["-n", "--dry-run"]) || options.has(&["-i", "--interactive"]) || options.has(&["--help"]) {
        return;
    }
    let Some((verb, places)) = options.operands.split_first() else { return };
    let (first, last) = (places.first().cloned(), places.last().cloned());
    match verb.as_literal().unwrap_or_default() {
        "sync" if !kept => lose(out, last, "delete at the destination what the source does not hold, in"),
        "bisync" if options.has(&["--resync"]) => {
            lose(out, last, "make two sides equal without asking which is right, in")
        }
        "purge" => lose(out, first, "delete everything in"),
        "delete" | "cleanup" | "rmdirs" => lose(out, first, "delete files in"),
        "deletefile" => lose(out, first, "delete"),
        "move" | "moveto" => {
            if let Some(source) = first.filter(|w| !is_remote(w)) {
                out.paths(EffectKind::Move, &source, Extent::Contents, None);
            }
        }
        _ => {}
    }
}

fn lose(out: &mut Plan<'_>, place: Option<Word>, would: &str) {
    let Some(place) = place else { return };
    if is_remote(&place) {
        let shown = place.show();
        let named = of_place(shown.clone(), format!("{would} {shown}"), &Where::default())
            .with(Circumstance::Recursive)
            .with(Circumstance::Irreversible);
        out.named(EffectKind::Delete, named);
    } else {
        out.paths(EffectKind::Delete, &place, Extent::Contents, None);
    }
}

/// `remote:path`; a path of this host has a slash before any colon.
fn is_remote(place: &Word) -> bool {
    let text = place.show();
    text.split_once(':').is_some_and(|(remote, _)| !remote.contains('/') && !remote.is_empty())
}
