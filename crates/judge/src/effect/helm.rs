//! `helm`: releases uninstalled or rolled back.

use coroner_model::effect::{Circumstance, EffectKind};

use super::Plan;
use super::cloud::{Where, of_place};
use super::named::{literals, shown};
use super::options::{Options, Order};

const VALUED: &[&str] = &[
    "-n",
    "--namespace",
    "--kube-context",
    "--kubeconfig",
    "-f",
    "--values",
    "--set",
    "--set-string",
    "--version",
    "--timeout",
    "--description",
    "-o",
    "--output",
    "--repo",
    "--history-max",
    "--cascade",
];

pub(super) fn plan(out: &mut Plan<'_>) {
    let options = Options::read(&out.call.argv[1..], VALUED, Order::Mixed);
    if options.has(&["--dry-run"]) || options.has(&["--help", "-h"]) {
        return;
    }
    let at = Where::of(&[
        options.value(&["--kube-context"]),
        options.value(&["-n", "--namespace"]),
        options.value(&["--kubeconfig"]),
    ]);
    let rest = shown(options.operands.get(1..).unwrap_or_default());
    match literals(&options.operands).first().copied().unwrap_or_default() {
        "uninstall" | "delete" | "del" | "un" => {
            let named = of_place(rest.clone(), format!("remove the release {rest} and everything that it made"), &at)
                .with(Circumstance::Irreversible);
            out.named(EffectKind::InfrastructureDestroy, named);
        }
        "rollback" => {
            let named = of_place(rest.clone(), format!("put the release {rest} back to an earlier state"), &at)
                .with(Circumstance::Everything);
            out.named(EffectKind::Deploy, named);
        }
        "upgrade" | "install" => out.named(EffectKind::Deploy, of_place(rest, "deploy a release", &at)),
        _ => {}
    }
}
