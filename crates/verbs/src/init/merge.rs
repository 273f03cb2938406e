//! Puts Coroner's hook into an agent's settings, or takes it out; every other byte stays.

use std::path::Path;

use coroner_model::Agent;
use coroner_read::agent_hooks;
use coroner_read::json_text::{self, Node, Problem};
use serde_json::{Value, json};

/// Most of Coroner's own entries that are taken out of one file.
const ENTRIES_MAX: usize = 100;

/// Why settings are left as they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Unmerged {
    Text(Problem),
    /// A part that the agent needs in another form.
    Shape(String),
}

impl std::fmt::Display for Unmerged {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Unmerged::Text(problem) => problem.fmt(f),
            Unmerged::Shape(why) => f.write_str(why),
        }
    }
}

/// Seconds that a hook may take. It needs thousandths; the rest is for a host under load.
const TIMEOUT_SECONDS: u64 = 10;
/// The same where the host is about to go.
const LAST_TIMEOUT_SECONDS: u64 = 3;

/// The hooks of an agent: event and the entry that belongs under it.
fn wanted(agent: Agent, program: &Path) -> Vec<(&'static str, Value)> {
    let bin = program.display().to_string();
    let line = format!("{} hook --agent {}", coroner_judge::guard::quote(&bin), agent.word());
    match agent {
        Agent::Claude => {
            let call = |blocks: bool| {
                let mut handler = json!({"type": "command", "command": bin, "args": ["hook", "--agent", "claude"], "timeout": TIMEOUT_SECONDS});
                if blocks {
                    handler["onFailure"] = json!("block");
                }
                handler
            };
            let tools = "Bash|Write|Edit|MultiEdit|NotebookEdit|Read|mcp__.*";
            vec![
                ("PreToolUse", json!({"matcher": tools, "hooks": [call(true)]})),
                ("PermissionRequest", json!({"matcher": tools, "hooks": [call(true)]})),
                ("PostToolUse", json!({"matcher": tools, "hooks": [call(false)]})),
                ("SessionStart", json!({"hooks": [call(false)]})),
                ("ConfigChange", json!({"hooks": [call(true)]})),
                ("Stop", json!({"hooks": [call(false)]})),
                ("SubagentStop", json!({"hooks": [call(false)]})),
                ("PreCompact", json!({"hooks": [call(false)]})),
                ("SessionEnd", json!({"hooks": [call(false)]})),
            ]
        }
        Agent::Codex => {
            let call = json!({"type": "command", "command": line, "timeout": TIMEOUT_SECONDS});
            // The agent gives these no longer than that.
            let last = json!({"type": "command", "command": line, "timeout": LAST_TIMEOUT_SECONDS});
            let usual = [
                "PreToolUse",
                "PermissionRequest",
                "PostToolUse",
                "SessionStart",
                "Stop",
                "SubagentStop",
                "PreCompact",
            ];
            let mut all = usual.map(|event| (event, json!({"hooks": [call.clone()]}))).to_vec();
            all.extend(["SessionEnd", "Interrupt"].map(|event| (event, json!({"hooks": [last.clone()]}))));
            all
        }
        Agent::Gemini => {
            // This agent counts in milliseconds.
            let call =
                json!({"type": "command", "name": "coroner", "command": line, "timeout": TIMEOUT_SECONDS * 1_000});
            let tools = "run_shell_command|write_file|replace|read_file|read_many_files|mcp_.*";
            vec![
                ("BeforeTool", json!({"matcher": tools, "hooks": [call.clone()]})),
                ("AfterTool", json!({"matcher": tools, "hooks": [call.clone()]})),
                ("SessionStart", json!({"hooks": [call.clone()]})),
                ("AfterAgent", json!({"hooks": [call.clone()]})),
                ("PreCompress", json!({"hooks": [call.clone()]})),
                ("SessionEnd", json!({"hooks": [call]})),
            ]
        }
        Agent::Cursor => {
            let call = json!({"command": line, "timeout": TIMEOUT_SECONDS, "failClosed": true});
            let other = json!({"command": line, "timeout": TIMEOUT_SECONDS, "failClosed": true, "matcher": "Write|Edit|Delete"});
            let start = json!({"command": line, "timeout": TIMEOUT_SECONDS});
            vec![
                ("beforeShellExecution", call.clone()),
                ("beforeMCPExecution", call.clone()),
                ("beforeReadFile", call),
                ("preToolUse", other),
                ("sessionStart", start.clone()),
                ("stop", start.clone()),
                ("subagentStop", start.clone()),
                ("preCompact", start.clone()),
                ("sessionEnd", start),
            ]
        }
        Agent::Copilot => {
            let call = json!({"type": "command", "bash": line, "timeoutSec": TIMEOUT_SECONDS});
            ["preToolUse", "sessionStart", "agentStop", "subagentStop", "preCompact", "sessionEnd"]
                .map(|event| (event, call.clone()))
                .to_vec()
        }
        Agent::OpenCode => Vec::new(),
    }
}

/// What stands in a file of its own.
fn bare(agent: Agent) -> &'static str {
    match agent {
        Agent::Cursor | Agent::Copilot => "{\n  \"version\": 1,\n  \"hooks\": {}\n}\n",
        _ => "{\n  \"hooks\": {}\n}\n",
    }
}

/// The whole of what belongs into the settings, for a person to paste.
pub(super) fn snippet(agent: Agent, program: &Path) -> String {
    installed(agent, None, program).unwrap_or_default()
}

/// The settings with the hook; the same text where it is in place.
pub(super) fn installed(agent: Agent, before: Option<&str>, program: &Path) -> Result<String, Unmerged> {
    let mut text = match before {
        Some(text) if !text.trim().is_empty() => text.to_owned(),
        _ => bare(agent).to_owned(),
    };
    check(agent, &text)?;
    let wanted = wanted(agent, program);
    if in_place(&text, &wanted)? {
        return Ok(text);
    }
    text = without_own(&text, &wanted)?;
    if matches!(agent, Agent::Cursor | Agent::Copilot) {
        let (value, root) = parsed(&text)?;
        if value.get("version").is_none() {
            text = json_text::with_member(&text, &root, "version", &json!(1));
        }
    }
    for (event, entry) in &wanted {
        text = with_entry(&text, event, entry)?;
    }
    Ok(text)
}

/// The settings without the hook; `None` where nothing else is left of a file of its own.
pub(super) fn removed(agent: Agent, before: &str) -> Result<Option<String>, Unmerged> {
    let mut text = without_own(before, &[])?;
    let (value, root) = parsed(&text)?;
    if text != before && value.pointer("/hooks").is_some_and(|hooks| hooks == &json!({})) {
        let spans: Vec<_> = members(&root).iter().map(|m| m.span.clone()).collect();
        if let Some(at) = members(&root).iter().position(|m| m.key == "hooks") {
            text = json_text::without(&text, &spans, at);
        }
    }
    let (value, _) = parsed(&text)?;
    let left = value.as_object().is_some_and(|all| all.keys().any(|key| key != "version"));
    let shared = matches!(agent, Agent::Claude | Agent::Gemini);
    Ok((left || shared).then_some(text))
}

fn parsed(text: &str) -> Result<(Value, Node), Unmerged> {
    json_text::read(text).map_err(Unmerged::Text)
}

fn members(node: &Node) -> &[json_text::Member] {
    match &node.kind {
        json_text::Kind::Object(members) => members,
        _ => &[],
    }
}

/// Refuses what the agent itself would not read.
fn check(agent: Agent, text: &str) -> Result<(), Unmerged> {
    let (value, _) = parsed(text)?;
    let shape = |why: &str| Err(Unmerged::Shape(why.to_owned()));
    if !value.is_object() {
        return shape("it holds no object");
    }
    match value.get("hooks") {
        None => {}
        Some(Value::Object(events)) => {
            if let Some(event) = wanted(agent, Path::new("coroner"))
                .iter()
                .map(|(event, _)| *event)
                .find(|event| events.get(*event).is_some_and(|groups| !groups.is_array()))
            {
                return shape(&format!("its {event} hooks are no list"));
            }
        }
        Some(_) => return shape("its hooks are no object"),
    }
    if let Some(problem) = agent_hooks::read(agent, text).problems.into_iter().find(|_| agent != Agent::Cursor) {
        return Err(Unmerged::Shape(problem));
    }
    if agent == Agent::Cursor && value.get("version").is_some_and(|version| version != &json!(1)) {
        return shape("its version is not the number 1");
    }
    Ok(())
}

/// Whether every entry stands there once, and nothing else of Coroner's.
fn in_place(text: &str, wanted: &[(&'static str, Value)]) -> Result<bool, Unmerged> {
    let (value, _) = parsed(text)?;
    let empty = serde_json::Map::new();
    let events = value.get("hooks").and_then(Value::as_object).unwrap_or(&empty);
    let own: Vec<(&str, &Value)> = events
        .iter()
        .flat_map(|(event, groups)| groups.as_array().into_iter().flatten().map(move |g| (event.as_str(), g)))
        .filter(|(_, group)| handlers(group).iter().any(agent_hooks::is_coroners))
        .collect();
    Ok(own.len() == wanted.len() && wanted.iter().all(|(event, entry)| own.contains(&(*event, entry))))
}

/// The handlers of a group; a handler that stands alone is its own.
fn handlers(group: &Value) -> Vec<Value> {
    match group.get("hooks").and_then(Value::as_array) {
        Some(nested) => nested.clone(),
        None => vec![group.clone()],
    }
}

/// Takes out everything of Coroner's; events in `kept` stay, even empty, since they are filled again.
fn without_own(text: &str, kept: &[(&'static str, Value)]) -> Result<String, Unmerged> {
    let mut text = text.to_owned();
    for _ in 0..ENTRIES_MAX {
        let (_, root) = parsed(&text)?;
        match without_one(&text, &root, kept) {
            Some(shorter) => text = shorter,
            None => return Ok(text),
        }
    }
    Err(Unmerged::Shape(format!("it calls Coroner more than {ENTRIES_MAX} times")))
}

fn without_one(text: &str, root: &Node, kept: &[(&'static str, Value)]) -> Option<String> {
    let value = |node: &Node| serde_json::from_str::<Value>(&text[node.span.clone()]).unwrap_or_default();
    let hooks = &root.member("hooks")?.value;
    for (event_at, event) in members(hooks).iter().enumerate() {
        for (group_at, group) in event.value.items().iter().enumerate() {
            let nested: &[Node] = group.member("hooks").map(|m| m.value.items()).unwrap_or_default();
            let own = |node: &Node| agent_hooks::is_coroners(&value(node));
            let Some(at) = (if nested.is_empty() { own(group).then_some(0) } else { nested.iter().position(own) })
            else {
                continue;
            };
            let spans = |nodes: &[Node]| nodes.iter().map(|n| n.span.clone()).collect::<Vec<_>>();
            if nested.len() > 1 {
                return Some(json_text::without(text, &spans(nested), at));
            }
            let stays = event.value.items().len() > 1 || kept.iter().any(|(name, _)| *name == event.key);
            if stays {
                return Some(json_text::without(text, &spans(event.value.items()), group_at));
            }
            let events: Vec<_> = members(hooks).iter().map(|m| m.span.clone()).collect();
            let shorter = json_text::without(text, &events, event_at);
            // Only blanks are left between the braces.
            return Some(shorter);
        }
    }
    None
}

fn with_entry(text: &str, event: &str, entry: &Value) -> Result<String, Unmerged> {
    let (_, root) = parsed(text)?;
    let Some(hooks) = root.member("hooks") else {
        return Ok(json_text::with_member(text, &root, "hooks", &json!({ event: [entry] })));
    };
    match hooks.value.member(event) {
        Some(list) => Ok(json_text::with_item(text, &list.value, entry)),
        None => Ok(json_text::with_member(text, &hooks.value, event, &json!([entry]))),
    }
}

/// OpenCode's plugin with the program's own path in it.
pub(super) fn plugin(program: &Path) -> String {
    let path = Value::String(program.display().to_string());
    crate::hook::OPENCODE_PLUGIN.replace("|| \"coroner\"", &format!("|| {path}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BIN: &str = "/usr/local/bin/coroner";

    fn install(agent: Agent, before: &str) -> Result<String, Unmerged> {
        installed(agent, Some(before), Path::new(BIN))
    }

    /// Settings as people have them, with things of others in them.
    const CLAUDE: &str = "{\n  \"$schema\": \"https://json.schemastore.org/claude-code-settings.json\",\n  \"model\": \"opus\",\n  \"permissions\": {\n    \"allow\": [\"Bash(npm run test:*)\"],\n    \"deny\": [\"Read(./.env)\"]\n  },\n  \"hooks\": {\n    \"PreToolUse\": [\n      {\n        \"matcher\": \"Bash\",\n        \"hooks\": [\n          { \"type\": \"command\", \"command\": \"~/bin/lint.sh\" }\n        ]\n      }\n    ],\n    \"Stop\": [{ \"hooks\": [{ \"type\": \"command\", \"command\": \"notify\" }]}]\n  },\n  \"cleanupPeriodDays\": 90\n}\n";

    #[test]
    fn each_agent_gets_its_hook_and_keeps_everything_else() {
        let gemini = "{\n    \"theme\": \"GitHub\",\n    \"mcpServers\": {\"pg\": {\"command\": \"npx\"}}\n}\n";
        let cursor = "{\"version\": 1, \"hooks\": {\"stop\": [{\"command\": \"./say.sh\"}]}}";
        let codex = "{\n\t\"hooks\": {\n\t\t\"Stop\": [{\"hooks\": [{\"type\": \"command\", \"command\": \"say done\"}]}]\n\t}\n}\n";
        for (agent, before) in [
            (Agent::Claude, CLAUDE),
            (Agent::Claude, "{}"),
            (Agent::Claude, ""),
            (Agent::Codex, codex),
            (Agent::Codex, "{\"description\": \"ours\"}"),
            (Agent::Gemini, gemini),
            (Agent::Cursor, cursor),
            (Agent::Copilot, ""),
        ] {
            let after = install(agent, before).unwrap();
            let read = agent_hooks::read(agent, &after);
            assert!(read.problems.is_empty(), "{agent:?}: {:?}\n{after}", read.problems);
            let (events, tool) = agent_hooks::shell_event(agent);
            let hook = read
                .hooks
                .iter()
                .find(|h| events.contains(&h.event.as_str()) && h.calls_coroner() && h.runs_for(agent, tool))
                .unwrap();
            assert!(hook.shown().contains(BIN), "{}", hook.shown());
            assert_eq!(hook.fails_closed, matches!(agent, Agent::Claude | Agent::Cursor));
            assert!(agent_hooks::odd_timeout(agent, hook.timeout.unwrap()).is_none());
            // What stood there stands there, line by line and in its order.
            let mut rest = after.as_str();
            for line in before.lines().map(|l| l.trim().trim_end_matches([',', '}', ']'])).filter(|l| l.len() > 3) {
                let at = rest.find(line).unwrap_or_else(|| panic!("{agent:?} lost {line}\n{after}"));
                rest = &rest[at + line.len()..];
            }
            assert_eq!(install(agent, &after).unwrap(), after, "a second time changes nothing");
            match removed(agent, &after).unwrap() {
                Some(without) => {
                    let old: Value = serde_json::from_str(if before.is_empty() { "{}" } else { before }).unwrap();
                    assert_eq!(serde_json::from_str::<Value>(&without).unwrap(), old, "{agent:?}\n{without}");
                }
                None => assert!(before.is_empty(), "{agent:?}"),
            }
        }
    }

    #[test]
    fn the_exact_form_of_claude_code() {
        let value: Value = serde_json::from_str(&install(Agent::Claude, "{}").unwrap()).unwrap();
        let handler = &value["hooks"]["PreToolUse"][0]["hooks"][0];
        assert_eq!(
            handler,
            &json!({"type": "command", "command": BIN, "args": ["hook", "--agent", "claude"], "timeout": 10, "onFailure": "block"})
        );
        let gemini: Value = serde_json::from_str(&install(Agent::Gemini, "{}").unwrap()).unwrap();
        assert_eq!(gemini["hooks"]["BeforeTool"][0]["hooks"][0]["timeout"], 10_000);
        let cursor: Value = serde_json::from_str(&install(Agent::Cursor, "").unwrap()).unwrap();
        assert_eq!(cursor["version"], 1);
        assert_eq!(cursor["hooks"]["beforeShellExecution"][0]["failClosed"], true);
    }

    #[test]
    fn an_older_or_doubled_hook_is_replaced() {
        let old = r#"{"hooks":{"PreToolUse":[{"matcher":"Bash","hooks":[{"type":"command","command":"/old/coroner hook --agent claude"},{"type":"command","command":"lint"}]},{"hooks":[{"type":"command","command":"coroner hook --agent claude"}]}]}}"#;
        let after = install(Agent::Claude, old).unwrap();
        assert!(!after.contains("/old/coroner") && after.contains("\"lint\""), "{after}");
        let read = agent_hooks::read(Agent::Claude, &after);
        let count = read.hooks.iter().filter(|h| h.event == "PreToolUse" && h.calls_coroner()).count();
        assert_eq!(count, 1, "{after}");
    }

    #[test]
    fn what_cannot_be_merged_is_refused() {
        for (agent, text) in [
            (Agent::Claude, "{ // mine\n \"model\": \"x\" }"),
            (Agent::Claude, "{\"model\": \"x\",}"),
            (Agent::Claude, "{\"model\": "),
            (Agent::Claude, "[]"),
            (Agent::Claude, "{\"hooks\": []}"),
            (Agent::Claude, "{\"hooks\": {\"PreToolUse\": {}}}"),
            (Agent::Codex, "{\"$schema\": \"x\", \"hooks\": {}}"),
            (Agent::Cursor, "{\"version\": \"1\", \"hooks\": {}}"),
            (Agent::Gemini, "hooks = 1"),
        ] {
            assert!(install(agent, text).is_err(), "{agent:?} {text}");
        }
        assert!(snippet(Agent::Claude, Path::new(BIN)).contains("onFailure"));
    }

    #[test]
    fn the_plugin_names_the_program() {
        assert!(plugin(Path::new("/opt/c/coroner")).contains("process.env.CORONER_BIN || \"/opt/c/coroner\";"));
    }
}
