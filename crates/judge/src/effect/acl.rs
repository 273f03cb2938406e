//! `setfacl` and `chattr`: access and flags of a tree.

use coroner_model::effect::EffectKind;

use super::options::{Options, Order};
use super::owner::Ownership;
use super::path::{self, Extent};
use super::{Plan, Target};

pub(super) fn plan(out: &mut Plan<'_>) {
    let call = out.call;
    let is_acl = call.program() == "setfacl";
    let valued: &[&str] = if is_acl {
        &[
            "-m",
            "--modify",
            "-x",
            "--remove",
            "-M",
            "--modify-file",
            "-X",
            "--remove-file",
            "--set",
            "--set-file",
            "--restore",
        ]
    } else {
        &["-v", "-p"]
    };
    let options = Options::read(&call.argv[1..], valued, Order::Mixed);
    if options.has(&["--test"]) || options.has(&["--help"]) {
        return;
    }
    let recursive = options.has(&["-R", "--recursive"]);
    let to = match options.value(&["-m", "--modify", "--set"]) {
        Some(entries) if opens(&entries.show()) => "o+w".to_owned(),
        Some(entries) => format!("acl {}", entries.show()),
        None => "flags".to_owned(),
    };
    let extent = if recursive { Extent::Tree } else { Extent::Itself };
    // The first operand of `chattr` may be `+i`.
    for word in options.operands.iter().filter(|w| !w.prefix().starts_with(['+', '='])) {
        for mut paths in path::of_word(word, &call.cwd, extent) {
            paths.place = out.place();
            let ownership = Ownership { paths, recursive, to: to.clone(), from: None };
            out.push(EffectKind::ChangeMode, Target::Ownership(ownership));
        }
    }
}

/// Whether an entry lets everybody write.
fn opens(entries: &str) -> bool {
    entries.split(',').any(|entry| {
        let mut parts = entry.trim_start_matches("d:").split(':');
        let who = parts.next().unwrap_or_default();
        matches!(who, "o" | "other") && parts.any(|mode| mode.contains('w'))
    })
}
