//! Command lines of clouds, by the verbs that they share: `delete`, `terminate`, `destroy`, `remove`.

use coroner_model::effect::{Circumstance, EffectKind, TargetClass};
use coroner_read::shell::Word;

use super::Plan;
use super::named::{Named, is_loopback, is_production_name, is_test_name, literals, shown};
use super::options::{Options, Order};

/// Where a remote thing is, as far as options and names say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Where {
    production: bool,
}

impl Where {
    /// Judges by the names of context, namespace, project or profile.
    pub(super) fn of(names: &[Option<&Word>]) -> Where {
        Where { production: names.iter().flatten().any(|w| is_production_name(&w.show())) }
    }
}

/// A remote thing with what its place says.
pub(super) fn of_place(name: impl Into<String>, would: impl Into<String>, at: &Where) -> Named {
    let name = name.into();
    let production = at.production || is_production_name(&name);
    let named = Named::of(name, would);
    if production { named.of_class(TargetClass::Production) } else { named }
}

/// Options of these programs that take a value in the next word.
const VALUED: &[&str] = &[
    "--project",
    "--zone",
    "--region",
    "--format",
    "--filter",
    "--account",
    "--configuration",
    "-g",
    "--resource-group",
    "-n",
    "--name",
    "--subscription",
    "-o",
    "--output",
    "--query",
    "-a",
    "--app",
    "-r",
    "--remote",
    "--context",
    "-t",
    "--access-token",
    "--profile",
    "-p",
    "--org",
    "--team",
    "-c",
    "--config",
    "--env",
    "--location",
    "--confirm",
];

/// Verbs after which a thing is gone.
fn destroys(word: &str) -> bool {
    let verb = word.rsplit(':').next().unwrap_or(word);
    matches!(verb, "delete" | "destroy" | "remove" | "rm" | "terminate" | "purge" | "undelete-permanently" | "wipe")
        || ["delete-", "destroy-", "terminate-", "purge-"].iter().any(|p| verb.starts_with(p))
}

/// `gcloud`, `az`, `doctl`, `hcloud`, `flyctl`, `heroku`, …
pub(super) fn plan(out: &mut Plan<'_>, argv: &[Word]) {
    let options = Options::read(&argv[1..], VALUED, Order::Mixed);
    if options.has(&["--help", "-h"]) || options.has(&["--dry-run"]) {
        return;
    }
    let words = literals(&options.operands);
    if words.contains(&"help") {
        return;
    }
    let at = Where::of(&[
        options.value(&["--project"]),
        options.value(&["-a", "--app"]),
        options.value(&["-g", "--resource-group"]),
        options.value(&["-n", "--name"]),
        options.value(&["--subscription", "--context", "--profile"]),
    ]);
    // Platforms that know no deleting of a deployment but taking it down.
    let takes_down =
        argv.first().is_some_and(|w| coroner_read::shell::program_of(std::slice::from_ref(w)) == "railway")
            && words.first() == Some(&"down");
    let resets = words.iter().any(|w| matches!(*w, "pg:reset" | "redis:reset"));
    // The verb stands behind at most four nouns.
    let Some(verb) = words.iter().take(5).position(|w| destroys(w)).or((resets || takes_down).then_some(0)) else {
        return;
    };
    let group = words.get(..verb).unwrap_or_default();
    // Logins, settings and caches come back with a command.
    if group.iter().any(|w| {
        matches!(
            *w,
            "config"
                | "configurations"
                | "auth"
                | "cache"
                | "alias"
                | "components"
                | "extension"
                | "tags"
                | "labels"
                | "tag"
        )
    }) {
        return;
    }
    let what = shown(&options.operands);
    let kind = if resets { EffectKind::ResetDatabase } else { EffectKind::InfrastructureDestroy };
    out.named(
        kind,
        of_place(what.clone(), format!("delete a cloud resource ({what})"), &at).with(Circumstance::Irreversible),
    );
}

/// `gsutil`: objects removed, or a tree made equal to another.
pub(super) fn gsutil(out: &mut Plan<'_>, argv: &[Word]) {
    let globals = Options::read(&argv[1..], &["-o", "-u", "-h", "-i"], Order::First);
    let Some((verb, rest)) = globals.operands.split_first() else { return };
    let options = Options::read(rest, &["-x", "-y", "-j"], Order::Mixed);
    let dry = options.has(&["-n"]);
    let what = shown(&options.operands);
    let would = match verb.as_literal().unwrap_or_default() {
        "rm" => "delete objects of a bucket",
        "rb" => "delete a bucket",
        "rsync" if options.has(&["-d"]) && !dry => "delete at the destination what the source does not hold",
        _ => return,
    };
    let at = Where::default();
    out.named(EffectKind::InfrastructureDestroy, of_place(what, would, &at).with(Circumstance::Irreversible));
}

/// `aws`: verbs of its services, and `s3` with its own.
pub(super) fn aws(out: &mut Plan<'_>, argv: &[Word]) {
    let valued = [
        "--region",
        "--profile",
        "--output",
        "--endpoint-url",
        "--query",
        "--exclude",
        "--include",
        "--bucket",
        "--key",
    ];
    let options = Options::read(&argv[1..], &valued, Order::Mixed);
    let words = literals(&options.operands);
    let asks = options.has(&["--dryrun"]) || options.has(&["--dry-run"]) || options.has(&["--generate-cli-skeleton"]);
    if asks || words.contains(&"help") {
        return;
    }
    let endpoint = options.value(&["--endpoint-url"]).map(Word::show);
    let emulated = endpoint.as_deref().is_some_and(|url| is_loopback(&super::http::host_of(url)));
    let what = shown(options.operands.get(2..).unwrap_or_default());
    let would = match words.as_slice() {
        ["s3", "rm", ..] if options.has(&["--recursive"]) => "delete every object below a prefix".to_owned(),
        ["s3", "rm", object, ..] if !is_test_name(object) => "delete an object".to_owned(),
        ["s3", "rb", ..] if options.has(&["--force"]) => "delete a bucket with everything in it".to_owned(),
        ["s3", "rb", ..] => "delete a bucket".to_owned(),
        ["s3", "sync", ..] if options.has(&["--delete"]) => {
            "delete at the destination what the source does not hold".to_owned()
        }
        [service, action, ..] if *service != "s3" && removes(action) => {
            format!("{} ({service})", action.replace('-', " "))
        }
        _ => return,
    };
    let target = if what.is_empty() { words.join(" ") } else { what };
    let at = Where::of(&[options.value(&["--profile"]), options.value(&["--bucket"])]);
    let named = of_place(target, would, &at).with(Circumstance::Irreversible);
    // An emulator on this host is made to be emptied.
    out.named(EffectKind::InfrastructureDestroy, if emulated { named.of_class(TargetClass::Scratch) } else { named });
}

fn removes(action: &str) -> bool {
    let verb = [
        "delete-",
        "terminate-",
        "remove-",
        "deregister-",
        "purge-",
        "destroy-",
        "schedule-key-deletion",
        "batch-delete-",
        "force-delete-",
    ]
    .iter()
    .any(|p| action.starts_with(p));
    let light =
        action.ends_with("-tags") || matches!(action, "delete-message" | "delete-message-batch" | "remove-permission");
    verb && !light
}
