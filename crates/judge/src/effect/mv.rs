//! `mv`: what it takes away, and what it lays over.

use coroner_model::effect::EffectKind;

use super::options::{Options, Order};
use super::{Extent, Plan};

pub(super) fn plan(out: &mut Plan<'_>) {
    let call = out.call;
    let options = Options::read(&call.argv[1..], &["-t", "--target-directory", "-S", "--suffix"], Order::Mixed);
    let mut sources = options.operands.as_slice();
    let mut target = options.value(&["-t", "--target-directory"]);
    if target.is_none()
        && let Some((last, before)) = sources.split_last()
    {
        target = Some(last);
        sources = before;
    }
    for source in sources {
        out.paths(EffectKind::Move, source, Extent::Tree, None);
    }
    // A single source may replace a file of that name; a directory takes it in.
    if let (Some(target), [_], false) = (target, sources, options.has(&["-n", "--no-clobber", "-b", "--backup"])) {
        out.paths(EffectKind::Overwrite, target, Extent::Itself, None);
    }
}
