//! `kubectl` and `oc`: what a cluster would lose.

use coroner_model::effect::{Circumstance, EffectKind};
use coroner_read::shell::Word;

use super::Plan;
use super::cloud::{Where, of_place};
use super::named::{literals, shown};
use super::options::{Options, Order};

const VALUED: &[&str] = &[
    "-n",
    "--namespace",
    "--context",
    "--cluster",
    "--kubeconfig",
    "-s",
    "--server",
    "--user",
    "--as",
    "--token",
    "-f",
    "--filename",
    "-k",
    "--kustomize",
    "-l",
    "--selector",
    "-o",
    "--output",
    "--grace-period",
    "--timeout",
    "--field-selector",
    "--replicas",
    "--current-replicas",
    "-p",
    "--patch",
    "--type",
    "-c",
    "--container",
];

/// Kinds that a controller makes anew, or that hold nothing.
const REPLACED: &[&str] = &[
    "pod",
    "pods",
    "po",
    "job",
    "jobs",
    "event",
    "events",
    "ev",
    "lease",
    "leases",
    "replicaset",
    "replicasets",
    "rs",
];

pub(super) fn plan(out: &mut Plan<'_>) {
    let options = Options::read(&out.call.argv[1..], VALUED, Order::Mixed);
    let dry =
        options.flags.iter().any(|(f, v)| f == "--dry-run" && v.as_ref().and_then(Word::as_literal) != Some("none"));
    if dry || options.has(&["--help", "-h"]) {
        return;
    }
    let at = Where::of(&[
        options.value(&["--context", "--cluster"]),
        options.value(&["-n", "--namespace"]),
        options.value(&["--kubeconfig"]),
    ]);
    let words = literals(&options.operands);
    let rest = shown(options.operands.get(1..).unwrap_or_default());
    match words.first().copied().unwrap_or_default() {
        "delete" if !only_replaced(&options) => {
            let what = options
                .value(&["-f", "--filename", "-k", "--kustomize"])
                .map_or(rest, |f| format!("everything in {}", f.show()));
            let named = of_place(what.clone(), format!("delete {what} from the cluster"), &at)
                .with(Circumstance::Irreversible)
                .when(options.has(&["--all"]), Circumstance::Everything);
            out.named(EffectKind::InfrastructureDestroy, named);
        }
        "delete" => out.named(EffectKind::StopService, of_place(rest.clone(), format!("delete {rest}"), &at)),
        "drain" => {
            let named = of_place(rest.clone(), format!("move everything off the node {rest}"), &at)
                .with(Circumstance::Everything);
            out.named(EffectKind::StopService, named);
        }
        "scale" => {
            let zero = options.value(&["--replicas"]).and_then(Word::as_literal) == Some("0");
            let named = of_place(rest.clone(), format!("stop every replica of {rest}"), &at)
                .when(zero, Circumstance::Everything);
            out.named(EffectKind::StopService, named);
        }
        "replace" if options.has(&["--force"]) => {
            let what = options.value(&["-f", "--filename", "-k", "--kustomize"]).map_or(rest, Word::show);
            let named = of_place(what.clone(), format!("delete and make anew what {what} describes"), &at)
                .with(Circumstance::Irreversible);
            out.named(EffectKind::InfrastructureDestroy, named);
        }
        "apply" if options.has(&["--prune"]) => {
            let named = of_place(rest, "delete from the cluster what the files do not hold", &at)
                .with(Circumstance::Irreversible);
            out.named(EffectKind::InfrastructureDestroy, named);
        }
        "apply" | "create" | "patch" | "set" | "edit" | "rollout" => {
            out.named(EffectKind::Deploy, of_place(rest, "change the cluster", &at));
        }
        _ => {}
    }
}

/// Whether named things of kinds that come back by themselves are all that goes.
fn only_replaced(options: &Options) -> bool {
    if options.has(&["--all", "--all-namespaces", "-A"]) || options.has(&["--all-namespaces"]) || options.has(&["-A"]) {
        return false;
    }
    let Some(kinds) = options.operands.get(1) else { return false };
    let text = kinds.show().to_ascii_lowercase();
    let kinds = text.split(',').map(|k| k.split('/').next().unwrap_or(k).split('.').next().unwrap_or(k).to_owned());
    let mut any = false;
    for kind in kinds {
        any = true;
        if !REPLACED.contains(&kind.as_str()) {
            return false;
        }
    }
    any
}
