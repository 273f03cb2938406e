//! `mv`: what it takes away, and what it lays over.

use coroner_model::effect::EffectKind;

use coroner_read::shell::{Word, join};

use super::named::{Deciding, Named};
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
    one_name(out, sources, target, &options);
    // A single source may replace a file of that name; a directory takes it in.
    if let (Some(target), [_], false) = (target, sources, options.has(&["-n", "--no-clobber", "-b", "--backup"])) {
        out.paths(EffectKind::Overwrite, target, Extent::Itself, None);
    }
}

/// Several files that go to one name: where that is no directory, each takes the place of the last.
fn one_name(out: &mut Plan<'_>, sources: &[Word], target: Option<&Word>, options: &Options) {
    let into = ["-t", "--target-directory", "-n", "--no-clobber", "-b", "--backup"];
    let several = sources.len() > 1 || sources.iter().any(|w| w.has_glob() || w.produced_by().is_some());
    let Some(target) = target.filter(|_| several && !into.iter().any(|o| options.has(&[o]))) else { return };
    let path = join(&out.call.cwd, target);
    // With a slash behind it `mv` refuses what is no directory.
    let Some(path) = path.as_literal().filter(|_| !target.suffix().ends_with(['/', '.'])) else { return };
    let named = Named::of(path, format!("move several files to the one name {path}"))
        .decided_by(Deciding::Absent { path: path.to_owned() });
    out.named(EffectKind::Overwrite, named);
}
