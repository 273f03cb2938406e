//! `gh` and `glab`: repositories, releases and secrets of a forge.

use coroner_model::effect::{Circumstance, EffectKind};
use coroner_read::shell::Word;

use super::Plan;
use super::named::{Named, literals, shown};
use super::options::{Options, Order};

const VALUED: &[&str] = &[
    "-R",
    "--repo",
    "-X",
    "--method",
    "-H",
    "--header",
    "-f",
    "--raw-field",
    "-F",
    "--field",
    "--input",
    "-q",
    "--jq",
    "-t",
    "--template",
    "-b",
    "--body",
    "-e",
    "--env",
    "-o",
    "--org",
    "-u",
    "--user",
    "--visibility",
    "--hostname",
    "-T",
    "--title",
    "-n",
    "--notes",
    "--branch",
    "-B",
    "--base",
];

pub(super) fn plan(out: &mut Plan<'_>) {
    let options = Options::read(&out.call.argv[1..], VALUED, Order::Mixed);
    if options.has(&["--help", "-h"]) {
        return;
    }
    let words = literals(&options.operands);
    let what = shown(options.operands.get(2..).unwrap_or_default());
    let what = if what.is_empty() {
        options.value(&["-R", "--repo"]).map_or_else(|| "this repository".into(), Word::show)
    } else {
        what
    };
    let mut lose = |kind, would: String| {
        out.named(kind, Named::of(what.clone(), would).with(Circumstance::Irreversible));
    };
    match words.as_slice() {
        ["api", "graphql", ..] => graphql(out, &options),
        ["api", path, ..] => api(out, path, &options),
        ["repo" | "project", "delete", ..] => {
            lose(EffectKind::InfrastructureDestroy, format!("delete the repository {what}"))
        }
        ["repo", "archive", ..] => lose(EffectKind::InfrastructureDestroy, format!("archive the repository {what}")),
        ["repo", "edit", ..] if options.value(&["--visibility"]).and_then(Word::as_literal) == Some("public") => {
            lose(EffectKind::Publish, format!("make {what} public"));
        }
        ["repo", "sync", ..] if options.has(&["--force"]) => {
            lose(EffectKind::ForcePush, format!("overwrite the branch of {what}"))
        }
        [
            "release" | "issue" | "gist" | "ssh-key" | "gpg-key" | "codespace" | "environment" | "label" | "ruleset",
            "delete",
            ..,
        ] => {
            lose(EffectKind::InfrastructureDestroy, format!("delete the {} {what}", words[0]));
        }
        ["secret" | "variable", "delete" | "remove", ..] => {
            lose(EffectKind::InfrastructureDestroy, format!("delete the {} {what}", words[0]));
        }
        ["secret", "set", ..] => {
            lose(EffectKind::WriteSecret, format!("replace the secret {what}, whose old value nobody can read back"))
        }
        ["pr" | "mr", "merge", ..] if options.has(&["--admin"]) => {
            lose(EffectKind::BypassHook, "merge without the checks and reviews that the branch asks for".into());
        }
        _ => {}
    }
}

fn api(out: &mut Plan<'_>, path: &str, options: &Options) {
    let method = options.value(&["-X", "--method"]).map(|w| w.show().to_ascii_uppercase());
    let has_body = options.value(&["-f", "--raw-field", "-F", "--field", "--input"]).is_some();
    let method = method.unwrap_or_else(|| if has_body { "POST".into() } else { "GET".into() });
    if matches!(method.as_str(), "GET" | "HEAD" | "OPTIONS") {
        return;
    }
    let deletes = method == "DELETE";
    let forces = path.contains("/git/refs/")
        && options.values(&["-f", "-F", "--field", "--raw-field"]).any(|w| w.show() == "force=true");
    let kind = if forces { EffectKind::ForcePush } else { EffectKind::HttpMutation };
    let named = Named::of(path, format!("send {method} to {path}")).when(deletes || forces, Circumstance::Irreversible);
    out.named(kind, named);
}

/// A query that is a mutation, and one whose field deletes.
fn graphql(out: &mut Plan<'_>, options: &Options) {
    let fields = options.values(&["-f", "--raw-field", "-F", "--field"]);
    let query = fields.filter_map(|w| w.show().strip_prefix("query=").map(str::to_owned)).next().unwrap_or_default();
    if super::http::is_mutation(&query) {
        let named = Named::of("graphql", "send a mutation")
            .when(super::http::mutation_deletes(&query), Circumstance::Irreversible);
        out.named(EffectKind::HttpMutation, named);
    }
}
