//! What is not the agent's to change: Coroner itself, what calls it, what it keeps, and the transcripts.

use std::collections::BTreeSet;

use coroner_model::effect::{Circumstance, Effect, EffectKind, TargetClass};
use coroner_read::shell::{Invocation, Part, Stdin, Unknown, Word, program_of};
use serde_json::Value;

use super::view::View;
use super::written::{Now, Outcome};
use super::{Judged, Story};
use crate::effect::path::below;

/// Folder of overrides that an administrator leaves, below which nothing is the agent's.
pub const SYSTEM_FOLDER: &str = "/var/lib/coroner";

/// Settings in which agents keep their hooks, by the end of their path.
const SETTINGS: &[&str] = &[
    "/.claude/settings.json",
    "/.claude/settings.local.json",
    "/.claude.json",
    "/.codex/hooks.json",
    "/.codex/config.toml",
    "/.gemini/settings.json",
    "/.cursor/hooks.json",
    "/.copilot/settings.json",
    "/.config/opencode/opencode.json",
    "/opencode.json",
];
/// Folders in which agents look for hooks and plugins.
const HOOK_FOLDERS: &[&str] =
    &["/.github/hooks/", "/.github/copilot/", "/.copilot/hooks/", "/.opencode/plugin", "/opencode/plugin"];

/// Whether a file may hold the hook that calls Coroner.
pub fn is_agent_settings(path: &str) -> bool {
    SETTINGS.iter().any(|end| path.ends_with(end)) || HOOK_FOLDERS.iter().any(|part| path.contains(part))
}

/// Adds what touches the guard or its evidence, and takes back what leaves the hook as it is.
pub(super) fn add(view: &View<'_>, judged: &mut Vec<Judged>) {
    let homes = homes(view);
    let mut more = Vec::new();
    for one in judged.iter_mut() {
        let path = one.effect.target.trim_end_matches('/').to_owned();
        if one.effect.kind == EffectKind::EditGuard && is_agent_settings(&path) {
            settle(view, &path, one);
            continue;
        }
        if !changes(one.effect.kind) {
            continue;
        }
        if is_transcript(&path, view) {
            one.effect.add_class(TargetClass::Evidence);
        }
        if homes.iter().any(|home| below(&path, home).is_some()) {
            more.push(guarded(&path, &one.effect.program, "what Coroner keeps"));
        }
    }
    for (path, outcome) in view.case.outcomes {
        if is_agent_settings(path) && breaks_hooks(view, path, outcome) == Some(true) {
            more.push(guarded(path, "", "the hook that calls Coroner"));
        }
        if homes.iter().any(|home| below(path, home).is_some())
            || path.ends_with("/.coroner/coroner.toml") && known(view, path)
        {
            more.push(guarded(path, "", "what Coroner keeps"));
        }
        if is_transcript(path, view) {
            let mut effect = Effect::new(EffectKind::Overwrite, path.clone(), "");
            effect.add_class(TargetClass::Evidence);
            let story = Story { would: format!("write into the transcript {path}"), ..Story::default() };
            more.push(Judged { effect, story });
        }
    }
    more.extend(view.effects.script.invocations.iter().filter_map(|call| of_call(call, &homes)));
    for one in more {
        let same = |j: &&mut Judged| j.effect.kind == one.effect.kind && j.effect.target == one.effect.target;
        match judged.iter_mut().find(same) {
            Some(known) => {
                one.effect.circumstance.iter().for_each(|c| known.effect.add_circumstance(*c));
                one.effect.class.iter().for_each(|c| known.effect.add_class(*c));
            }
            None => judged.push(one),
        }
    }
}

fn changes(kind: EffectKind) -> bool {
    use EffectKind as K;
    matches!(
        kind,
        K::Delete
            | K::Move
            | K::Truncate
            | K::Overwrite
            | K::ChangeMode
            | K::ChangeOwner
            | K::DropData
            | K::ResetDatabase
    )
}

fn guarded(target: &str, program: &str, what: &str) -> Judged {
    let mut effect = Effect::new(EffectKind::EditGuard, target, program);
    effect.add_circumstance(Circumstance::Everything);
    Judged { effect, story: Story { would: format!("change {target}, {what}"), ..Story::default() } }
}

/// Where Coroner keeps its own things, by the variables of the environment.
fn homes(view: &View<'_>) -> Vec<String> {
    let env = &view.case.request.env;
    let given = |name: &str| env.get(name).filter(|v| v.starts_with('/')).map(|v| v.trim_end_matches('/').to_owned());
    let mut homes: Vec<String> = given("CORONER_HOME").into_iter().collect();
    homes.extend(given("XDG_DATA_HOME").map(|data| format!("{data}/coroner")));
    homes.extend(given("HOME").map(|home| format!("{home}/.local/share/coroner")));
    homes.push("/root/.local/share/coroner".to_owned());
    homes.push(SYSTEM_FOLDER.to_owned());
    homes
}

fn known(view: &View<'_>, path: &str) -> bool {
    matches!(view.case.before.get(path), Some(Now::Text(_)))
}

/// Whether a file is one of the transcripts that agents write, or the folder of them.
fn is_transcript(path: &str, view: &View<'_>) -> bool {
    let env = &view.case.request.env;
    let moved = |variable: &str, folder: &str| {
        env.get(variable).is_some_and(|root| below(path, &format!("{}/{folder}", root.trim_end_matches('/'))).is_some())
    };
    let in_folder = |folder: &str| path.ends_with(folder) || path.contains(&format!("{folder}/"));
    let record = path.ends_with(".jsonl")
        || path.ends_with(".zst")
        || path.ends_with(".json")
        || !path.rsplit('/').next().unwrap_or_default().contains('.');
    record
        && (in_folder("/.claude/projects") && !path.contains("/memory")
            || in_folder("/.codex/sessions")
            || in_folder("/.codex/archived_sessions")
            || path.ends_with("/.codex/history.jsonl")
            || path.contains("/.gemini/tmp/") && (in_folder("/chats") || path.ends_with("/logs.json"))
            || in_folder("/share/opencode/storage")
            || path.ends_with("/share/opencode")
            || in_folder("/.copilot/session-state")
            || moved("CLAUDE_CONFIG_DIR", "projects")
            || moved("CODEX_HOME", "sessions"))
        || path.contains("/share/opencode/opencode.db")
}

/// A write whose text is known decides by what becomes of the hook.
fn settle(view: &View<'_>, path: &str, one: &mut Judged) {
    let Some(outcome) = view.case.outcomes.get(path) else { return };
    match breaks_hooks(view, path, outcome) {
        Some(true) => one.effect.add_circumstance(Circumstance::Everything),
        Some(false) => one.effect.circumstance.clear(),
        None => {}
    }
}

/// Whether a hook that calls Coroner would be gone or off; `None` where that cannot be told.
fn breaks_hooks(view: &View<'_>, path: &str, outcome: &Outcome) -> Option<bool> {
    let before = match view.case.before.get(path) {
        Some(Now::Text(text)) => text.as_str(),
        Some(Now::Absent) => "",
        // Whatever stood there: hooks that are off call nobody.
        _ => return matches!(outcome, Outcome::Text(after) if is_off(after)).then_some(true),
    };
    match outcome {
        Outcome::Text(after) => Some(!keeps_hooks(before, after)),
        Outcome::Gone => Some(!hooks(before).is_empty()),
        Outcome::Unknown => None,
    }
}

/// Whether every hook that calls Coroner stays as it is, and hooks stay on.
pub(crate) fn keeps_hooks(before: &str, after: &str) -> bool {
    let (old, new) = (hooks(before), hooks(after));
    old.is_subset(&new) && (is_off(before) || !is_off(after))
}

/// What a settings text says of hooks that name Coroner: event, matcher and the entry itself.
fn hooks(text: &str) -> BTreeSet<String> {
    let mut out = BTreeSet::new();
    match serde_json::from_str::<Value>(text) {
        Ok(value) => collect(&value, "", &mut out),
        Err(_) => out.extend(text.lines().map(str::trim).filter(|l| l.contains("coroner")).map(str::to_owned)),
    }
    out
}

fn collect(value: &Value, place: &str, out: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            let matcher = map.get("matcher").and_then(Value::as_str).unwrap_or_default();
            let own = map.values().any(|v| match v {
                Value::String(text) => text.contains("coroner"),
                Value::Array(all) => all.iter().any(|w| w.as_str().is_some_and(|w| w.contains("coroner"))),
                _ => false,
            });
            if own {
                out.insert(format!("{place} {value}"));
            }
            for (key, inner) in map {
                collect(inner, &format!("{place}/{key}[{matcher}]"), out);
            }
        }
        Value::Array(all) => all.iter().for_each(|inner| collect(inner, place, out)),
        _ => {}
    }
}

fn is_off(text: &str) -> bool {
    if let Ok(value) = serde_json::from_str::<Value>(text) {
        return value.get("disableAllHooks").and_then(Value::as_bool) == Some(true)
            || value.pointer("/hooks/enabled").and_then(Value::as_bool) == Some(false)
            || value.pointer("/tools/enableHooks").and_then(Value::as_bool) == Some(false);
    }
    text.lines().map(|line| line.replace(' ', "")).any(|line| line == "hooks=false" || line == "codex_hooks=false")
}

/// Commands that stop Coroner, answer in a person's place, or change its databases.
fn of_call(call: &Invocation, homes: &[String]) -> Option<Judged> {
    let words: Vec<String> = call.argv.iter().skip(1).map(Word::show).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let operands: Vec<&str> = words.iter().copied().filter(|w| !w.starts_with('-')).collect();
    let program = call.program();
    let say = |target: &str, would: &str| {
        let mut judged = guarded(target, program, "");
        judged.story.would = would.to_owned();
        Some(judged)
    };
    match program {
        "coroner" => match operands.as_slice() {
            ["guard", "override" | "passphrase", ..] => {
                say("coroner guard override", "answer in the place of the person who may override the guard")
            }
            ["init", ..] if words.iter().any(|w| w.starts_with("--remove-hooks")) => {
                say("coroner init", "take away the hooks that call Coroner")
            }
            ["trust", ..] => say("coroner trust", "answer in the place of the person who may trust a file"),
            _ => None,
        },
        "pkill" | "killall" if operands.iter().any(|w| is_coroner(w)) => say("coroner", "stop Coroner"),
        "kill" if call.argv.iter().any(found_coroner) => say("coroner", "stop Coroner"),
        "systemctl" | "service"
            if operands.iter().any(|w| matches!(*w, "stop" | "disable" | "mask" | "kill"))
                && operands.iter().any(|w| is_coroner(w)) =>
        {
            say("coroner", "stop Coroner")
        }
        "claude" if words.iter().any(|w| w.replace(' ', "").contains("\"disableAllHooks\":true")) => {
            say("hooks of claude", "start an agent whose hooks are off")
        }
        "codex" => {
            let off = words.iter().any(|w| {
                matches!(
                    w.replace(' ', "").as_str(),
                    "features.hooks=false" | "features.codex_hooks=false" | "--config=features.hooks=false"
                )
            }) || words.windows(2).any(|pair| pair[0] == "--disable" && pair[1].contains("hooks"));
            if off { say("hooks of codex", "start an agent whose hooks are off") } else { None }
        }
        "sqlite3" | "sqlite" | "litecli" => database(call, &operands, homes),
        _ => None,
    }
}

fn is_coroner(word: &str) -> bool {
    word.trim_start_matches('^').split([' ', '/', '.', '-', '$']).any(|part| part == "coroner" || part == "[c]oroner")
}

/// `$(pgrep coroner)`, `$(pidof coroner)`.
fn found_coroner(word: &Word) -> bool {
    word.parts.iter().any(|part| match part {
        Part::Unknown(Unknown::Output(commands)) => commands.iter().any(|argv| {
            matches!(program_of(argv), "pgrep" | "pidof" | "grep" | "ps")
                && argv.iter().skip(1).any(|w| w.as_literal().is_some_and(is_coroner))
        }),
        _ => false,
    })
}

/// SQL that writes into Coroner's store or an agent's database of sessions.
fn database(call: &Invocation, operands: &[&str], homes: &[String]) -> Option<Judged> {
    let file = coroner_read::shell::join(&call.cwd, &Word::literal(*operands.first()?)).show();
    let own = homes.iter().any(|home| below(&file, home).is_some()) || file.contains("/.coroner/");
    if !own && !file.contains("/share/opencode/opencode.db")
        || call.argv.iter().any(|w| w.as_literal() == Some("-readonly"))
    {
        return None;
    }
    let given = match &call.stdin {
        Stdin::Text(text) => text.show(),
        Stdin::Output(_) | Stdin::File(_) => "unknown".to_owned(),
        Stdin::Inherited => String::new(),
    };
    let texts = operands[1..].iter().copied().chain(Some(given.as_str()));
    let writes =
        texts.flat_map(|text| text.split([';', '\n'])).map(str::trim).filter(|s| !s.is_empty()).any(|statement| {
            let first = statement.split_whitespace().next().unwrap_or_default().to_ascii_lowercase();
            let reads = matches!(first.as_str(), "select" | "explain" | "with" | "values")
                || first == "pragma" && !statement.contains('=')
                || statement.starts_with('.') && !matches!(first.as_str(), ".restore" | ".import" | ".read" | ".clone");
            !reads
        });
    writes.then(|| guarded(&file, call.program(), "what Coroner keeps"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOOKED: &str = r#"{"model":"a","hooks":{"PreToolUse":[{"matcher":"*","hooks":[{"type":"command","command":"coroner hook --agent claude"}]}]}}"#;

    #[test]
    fn a_hook_is_kept_or_not() {
        for after in [
            HOOKED.replace("\"a\"", "\"b\""),
            HOOKED.replace("\"model\"", "\"x\":1,\"model\""),
            HOOKED
                .replace("PreToolUse\":[", "PreToolUse\":[{\"matcher\":\"Bash\",\"hooks\":[{\"command\":\"lint\"}]},"),
        ] {
            assert!(keeps_hooks(HOOKED, &after), "{after}");
        }
        for after in [
            "{}".to_owned(),
            HOOKED.replace("coroner hook", "true"),
            HOOKED.replace("\"*\"", "\"Nothing\""),
            HOOKED.replace("PreToolUse", "PostToolUse"),
            HOOKED.replace("{\"model\"", "{\"disableAllHooks\":true,\"model\""),
            String::new(),
        ] {
            assert!(!keeps_hooks(HOOKED, &after), "{after}");
        }
        assert!(keeps_hooks("", "{\"model\":\"a\"}") && !keeps_hooks("", "{\"disableAllHooks\": true}"));
        assert!(!keeps_hooks("[[hooks.PreToolUse]]\ncommand = \"coroner hook\"\n", "[features]\nhooks = false\n"));
    }
}
