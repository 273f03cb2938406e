//! `terraform`, `tofu`, `terragrunt`, `pulumi`, `cdk`: infrastructure that goes, or is no longer known.

use coroner_model::effect::{Circumstance, EffectKind};
use coroner_read::shell::Word;

use super::Plan;
use super::cloud::{Where, of_place};
use super::named::{literals, shown};
use super::options::{Options, Order};
use super::runner::Tool;

pub(super) fn plan(out: &mut Plan<'_>, tool: &Tool) {
    match tool.name() {
        "pulumi" => pulumi(out, &tool.argv),
        "cdk" | "cdktf" | "serverless" | "sls" | "vagrant" | "copilot" | "sst" => by_verb(out, &tool.argv),
        _ => terraform(out, &tool.argv),
    }
}

fn terraform(out: &mut Plan<'_>, argv: &[Word]) {
    // Its options have one dash and a long name; their values stand behind `=`, or in the next word.
    let mut flags: Vec<String> = Vec::new();
    let mut operands: Vec<Word> = Vec::new();
    let mut files: Vec<Word> = Vec::new();
    let mut words = argv[1..].iter();
    while let Some(word) = words.next() {
        let text = word.show();
        let Some(name) = text.strip_prefix('-') else {
            operands.push(word.clone());
            continue;
        };
        let name = name.trim_start_matches('-').to_owned();
        if matches!(
            name.as_str(),
            "var"
                | "var-file"
                | "target"
                | "replace"
                | "backend-config"
                | "lock-timeout"
                | "parallelism"
                | "state"
                | "out"
        ) {
            files.extend(words.next().cloned());
        } else if name.starts_with("var-file=") || name.starts_with("chdir=") || name.starts_with("target=") {
            files.push(Word::literal(name.split_once('=').map_or("", |(_, v)| v)));
        }
        flags.push(name);
    }
    let has = |name: &str| flags.iter().any(|f| f == name || f.strip_prefix(name) == Some("=true"));
    if has("help") || has("h") {
        return;
    }
    let cwd = out.call.cwd.clone();
    let places: Vec<Option<&Word>> = files.iter().map(Some).chain([Some(&cwd)]).collect();
    let at = Where::of(&places);
    let mut words = literals(&operands);
    if words.first() == Some(&"run-all") || words.first() == Some(&"run") {
        words.remove(0);
    }
    let target = shown(operands.get(1..).unwrap_or_default());
    let mut destroy = |what: String| {
        let name = if target.is_empty() { cwd.show() } else { target.clone() };
        out.named(EffectKind::InfrastructureDestroy, of_place(name, what, &at).with(Circumstance::Irreversible));
    };
    match words.as_slice() {
        ["destroy", ..] => destroy("destroy infrastructure".into()),
        ["apply", ..] if has("destroy") => destroy("destroy infrastructure".into()),
        ["apply"] if has("auto-approve") => {
            destroy("change infrastructure, deletions among it, without showing the plan".into())
        }
        ["state", "rm" | "push", ..] => destroy("make the state forget infrastructure that exists".into()),
        ["workspace", "delete", ..] => destroy("delete a workspace with its state".into()),
        ["force-unlock", ..] => destroy("break the lock that another run may hold".into()),
        ["apply", ..] => out.named(EffectKind::Deploy, of_place(cwd.show(), "change infrastructure", &at)),
        _ => {}
    }
}

fn pulumi(out: &mut Plan<'_>, argv: &[Word]) {
    let options =
        Options::read(&argv[1..], &["-s", "--stack", "-C", "--cwd", "-t", "--target", "-m", "--message"], Order::Mixed);
    if options.has(&["--preview-only"]) || options.has(&["--help", "-h"]) {
        return;
    }
    let stack = options.value(&["-s", "--stack"]);
    let at = Where::of(&[stack]);
    let name = stack.map_or_else(|| out.call.cwd.show(), Word::show);
    let what = match literals(&options.operands).as_slice() {
        ["destroy" | "down" | "dn", ..] => "destroy infrastructure",
        ["stack", "rm", ..] => "delete a stack with its state",
        ["state", "delete", ..] => "make the state forget infrastructure that exists",
        ["up" | "update", ..] if options.has(&["-f", "--skip-preview"]) => {
            "change infrastructure, deletions among it, without showing the plan"
        }
        _ => return,
    };
    out.named(EffectKind::InfrastructureDestroy, of_place(name, what, &at).with(Circumstance::Irreversible));
}

fn by_verb(out: &mut Plan<'_>, argv: &[Word]) {
    let options = Options::read(
        &argv[1..],
        &["--profile", "--stage", "-s", "--region", "--app", "-a", "--context", "-c"],
        Order::Mixed,
    );
    let verb = literals(&options.operands).first().copied().unwrap_or_default();
    if matches!(verb, "destroy" | "remove") && !options.has(&["--help", "-h"]) {
        let at = Where::of(&[options.value(&["--stage", "-s"]), options.value(&["--profile"])]);
        let name = shown(options.operands.get(1..).unwrap_or_default());
        let named = of_place(name, "destroy infrastructure", &at).with(Circumstance::Irreversible);
        out.named(EffectKind::InfrastructureDestroy, named);
    }
}
