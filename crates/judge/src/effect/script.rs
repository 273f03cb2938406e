//! `npm run NAME` and its relatives: the text that `package.json` holds under the name.

use std::collections::BTreeMap;

use coroner_read::shell::{self, Context, Word};
use serde_json::Value;

use super::options::{Options, Order};
use super::{Plan, of_invocation};

/// Most scripts that call each other and are followed.
pub(super) const DEPTH_MAX: usize = 4;

pub(super) fn plan(out: &mut Plan<'_>) {
    if out.depth >= DEPTH_MAX {
        return;
    }
    let Some((directory, name, arguments)) = named(out) else { return };
    let Some(text) = out.text_of(&shell::join(&directory, &Word::literal("package.json"))) else { return };
    let scripts = serde_json::from_str::<Value>(&text).ok();
    let get = |name: &str| scripts.as_ref()?.get("scripts")?.get(name)?.as_str().map(str::to_owned);
    let Some(own) = get(&name) else { return };
    let line = if arguments.is_empty() { own } else { format!("{own} {}", shell::show_argv(&arguments)) };
    // The runner does what stands before and after the name as well.
    let texts = [get(&format!("pre{name}")), Some(line), get(&format!("post{name}"))];
    for text in texts.into_iter().flatten() {
        run(out, &text, &directory);
    }
}

/// Adds what a text would do that the command hands to a shell.
pub(super) fn run(out: &mut Plan<'_>, text: &str, directory: &Word) {
    let cwd = directory.as_literal().unwrap_or_default();
    let env: BTreeMap<String, String> = out.variables().map(|(name, value)| (name.to_owned(), value)).collect();
    let script = shell::read(text, &Context { cwd, env: &env, files: out.files });
    for mut call in script.invocations {
        let inherited = out.call.assignments.iter().cloned();
        call.assignments = inherited.chain(call.assignments.iter().cloned()).collect();
        call.carriers = out.call.carriers.iter().cloned().chain(call.carriers).collect();
        let mut inner = Plan {
            call: &call,
            index: out.index,
            planned: Vec::new(),
            tool: None,
            files: out.files,
            cwd: out.cwd,
            unread: Vec::new(),
            depth: out.depth + 1,
        };
        of_invocation(&mut inner);
        let Plan { mut planned, mut unread, .. } = inner;
        out.planned.append(&mut planned);
        out.unread.append(&mut unread);
    }
}

/// The directory, the script's name and what is given to it.
fn named(out: &Plan<'_>) -> Option<(Word, String, Vec<Word>)> {
    let call = out.call;
    let options = Options::read(
        &call.argv[1..],
        &["--prefix", "-C", "--dir", "--cwd", "-w", "--workspace", "--filter", "-F"],
        Order::First,
    );
    let mut directory = call.cwd.clone();
    if let Some(other) = options.value(&["--prefix", "-C", "--dir", "--cwd"]) {
        directory = shell::join(&call.cwd, other);
    }
    let (verb, rest) = options.operands.split_first()?;
    let verb = verb.as_literal()?;
    let words = Options::read(rest, &["--prefix", "-C", "-w", "--workspace"], Order::First).operands;
    match verb {
        "run" | "run-script" | "rum" => {
            let (name, rest) = words.split_first()?;
            let rest = if rest.first().and_then(Word::as_literal) == Some("--") { &rest[1..] } else { rest };
            Some((directory, name.as_literal()?.to_owned(), rest.to_vec()))
        }
        "test" | "start" | "stop" | "restart" => Some((directory, verb.to_owned(), words)),
        // `yarn db:reset`.
        _ if matches!(call.program(), "yarn" | "pnpm" | "bun") => Some((directory, verb.to_owned(), words)),
        _ => None,
    }
}
