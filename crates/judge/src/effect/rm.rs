//! `rm`, `unlink`, `shred`, `truncate`: what goes and what is emptied.
//!
//! `rmdir` is not here: it takes empty directories only.

use coroner_model::effect::EffectKind;

use super::options::{Options, Order};
use super::{Extent, Plan};

pub(super) fn plan(out: &mut Plan<'_>) {
    let call = out.call;
    let words = &call.argv[1..];
    match call.program() {
        "shred" => {
            let options =
                Options::read(words, &["-n", "--iterations", "-s", "--size", "--random-source"], Order::Mixed);
            for word in &options.operands {
                out.paths(EffectKind::Delete, word, Extent::Itself, None);
            }
        }
        "truncate" => {
            let options = Options::read(words, &["-s", "--size", "-r", "--reference"], Order::Mixed);
            let grows = options.value(&["-s", "--size"]).is_some_and(|size| size.prefix().starts_with('+'));
            for word in options.operands.iter().filter(|_| !grows) {
                out.paths(EffectKind::Truncate, word, Extent::Itself, None);
            }
        }
        _ => {
            let options = Options::read(words, &["--interactive"], Order::Mixed);
            if options.has(&["--help"]) || options.has(&["--version"]) {
                return;
            }
            let extent = if options.has(&["-r", "-R", "--recursive"]) { Extent::Tree } else { Extent::Itself };
            for word in &options.operands {
                out.paths(EffectKind::Delete, word, extent, None);
            }
        }
    }
}
