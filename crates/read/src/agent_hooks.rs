//! Settings in which agents keep their hooks: which would run for a call, and what keeps them from it.

use coroner_model::Agent;
use regex::RegexBuilder;
use serde_json::Value;

use crate::json_text;

/// Most hooks of one file that are read.
const HOOKS_MAX: usize = 500;
/// Largest compiled matcher, in bytes.
const MATCHER_BYTES_MAX: usize = 1024 * 1024;

/// What one file of settings says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AgentSettings {
    pub hooks: Vec<HookEntry>,
    /// The key that turns every hook off.
    pub off: Option<String>,
    /// Only hooks of the administrator's settings run.
    pub managed_only: bool,
    /// Days after which the agent deletes its transcripts, where it is told.
    pub retention_days: Option<u64>,
    /// Why the agent passes the file over, or a part of it.
    pub problems: Vec<String>,
}

/// One command that an agent runs on an event.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HookEntry {
    pub event: String,
    pub matcher: Option<String>,
    /// Text for a shell; with `args` the program itself.
    pub command: String,
    pub args: Option<Vec<String>>,
    /// As it stands there, in the agent's own unit.
    pub timeout: Option<f64>,
    /// Whether the call is stopped when the hook fails.
    pub fails_closed: bool,
    /// The agent does not wait for it, so that it stops nothing.
    pub is_async: bool,
    /// A further condition on the call.
    pub condition: Option<String>,
}

impl HookEntry {
    /// Whether the command is Coroner's hook.
    pub fn calls_coroner(&self) -> bool {
        let mut words = words(&self.command);
        words.extend(self.args.iter().flatten().cloned());
        is_hook_call(&words)
    }

    /// The command as a person reads it.
    pub fn shown(&self) -> String {
        let args = self.args.iter().flatten().map(|arg| format!(" {arg}"));
        std::iter::once(self.command.clone()).chain(args).collect()
    }

    /// The words of the command, where no shell is needed to find them.
    pub fn plain_words(&self) -> Option<Vec<String>> {
        if let Some(args) = &self.args {
            return Some(std::iter::once(self.command.clone()).chain(args.iter().cloned()).collect());
        }
        let plain =
            !self.command.contains(['$', '`', ';', '&', '|', '<', '>', '(', ')', '\\', '*', '?', '~', '\n', '#']);
        plain.then(|| words(&self.command)).filter(|words| !words.is_empty())
    }

    /// Whether the agent would run it for a tool.
    pub fn runs_for(&self, agent: Agent, tool: &str) -> bool {
        matches(agent, self.matcher.as_deref().unwrap_or_default(), tool)
    }
}

/// Words of a plain line, quotes taken away.
fn words(text: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for c in text.chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, c) if c.is_whitespace() => out.extend(word.take()),
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    out.extend(word);
    out
}

/// `coroner … hook …`, behind assignments and carriers too.
fn is_hook_call(words: &[String]) -> bool {
    let named = |word: &String| word.rsplit('/').next().is_some_and(|name| name == "coroner" || name == "coroner.exe");
    let at = words.iter().position(named);
    at.is_some_and(|at| words[at + 1..].iter().any(|word| word == "hook"))
}

/// Whether a handler of any agent's settings is Coroner's hook.
pub fn is_coroners(handler: &Value) -> bool {
    commands(handler).iter().any(HookEntry::calls_coroner)
}

/// The event before a tool runs, and the tool's name of a shell.
pub fn shell_event(agent: Agent) -> (&'static [&'static str], &'static str) {
    match agent {
        Agent::Claude | Agent::Codex => (&["PreToolUse"], "Bash"),
        Agent::Gemini => (&["BeforeTool"], "run_shell_command"),
        Agent::Cursor => (&["beforeShellExecution"], ""),
        Agent::Copilot => (&["preToolUse", "PreToolUse"], "bash"),
        Agent::OpenCode => (&["tool.execute.before"], "bash"),
    }
}

/// Whether a matcher lets a tool through, by the agent's own rules.
pub fn matches(agent: Agent, matcher: &str, tool: &str) -> bool {
    if matcher.is_empty() || matcher == "*" {
        return true;
    }
    let exact = |c: char| c.is_ascii_alphanumeric() || "_-|,".contains(c);
    if matches!(agent, Agent::Claude | Agent::Codex) && matcher.chars().all(exact) {
        let alias = |name: &str| {
            agent == Agent::Codex && tool == "apply_patch" && matches!(name, "Edit" | "Write" | "MultiEdit")
        };
        return matcher.split(['|', ',']).map(str::trim).any(|name| name == tool || alias(name));
    }
    let regex = RegexBuilder::new(matcher).size_limit(MATCHER_BYTES_MAX).build();
    regex.is_ok_and(|regex| regex.is_match(tool))
}

/// Reads one file of settings; one that the agent could not read either says so.
pub fn read(agent: Agent, text: &str) -> AgentSettings {
    let mut out = AgentSettings::default();
    let value = match json_text::read(text) {
        Ok((value, _)) => value,
        // Claude Code, Gemini and the editors read comments; Codex and Copilot read none.
        Err(json_text::Problem::Commented) if agent != Agent::Codex => json_text::relaxed(text).unwrap_or_default(),
        Err(problem) => {
            out.problems.push(problem.to_string());
            return out;
        }
    };
    if !value.is_object() {
        out.problems.push("it holds no object".to_owned());
        return out;
    }
    out.off = off_switch(&value);
    out.managed_only = value.get("allowManagedHooksOnly").and_then(Value::as_bool) == Some(true);
    out.retention_days = value.get("cleanupPeriodDays").and_then(Value::as_u64);
    out.problems.extend(shape(agent, &value));
    let Some(hooks) = value.get("hooks") else { return out };
    let Some(events) = hooks.as_object() else {
        out.problems.push("its hooks are no object".to_owned());
        return out;
    };
    for (event, groups) in events.iter().filter(|(event, _)| !["enabled", "disabled"].contains(&event.as_str())) {
        let Some(groups) = groups.as_array() else {
            out.problems.push(format!("its {event} hooks are no list"));
            continue;
        };
        for group in groups {
            let matcher = group.get("matcher").and_then(Value::as_str).map(str::to_owned);
            let handlers = match group.get("hooks").and_then(Value::as_array) {
                Some(nested) => nested.clone(),
                None => vec![group.clone()],
            };
            let entries = handlers.iter().flat_map(commands).map(|mut entry| {
                entry.event.clone_from(event);
                entry.matcher = entry.matcher.or_else(|| matcher.clone());
                entry
            });
            out.hooks.extend(entries.take(HOOKS_MAX.saturating_sub(out.hooks.len())));
        }
    }
    out
}

fn off_switch(value: &Value) -> Option<String> {
    let is = |pointer: &str, wanted: bool| value.pointer(pointer).and_then(Value::as_bool) == Some(wanted);
    [
        ("/disableAllHooks", true),
        ("/hooks/enabled", false),
        ("/tools/enableHooks", false),
        ("/hooksConfig/enabled", false),
    ]
    .into_iter()
    .find(|(pointer, wanted)| is(pointer, *wanted))
    .map(|(pointer, wanted)| format!("{} is {wanted}", pointer.trim_start_matches('/').replace('/', ".")))
}

/// What of the file's own shape makes the agent refuse it.
fn shape(agent: Agent, value: &Value) -> Option<String> {
    match agent {
        Agent::Codex => {
            let foreign = value.as_object()?.keys().find(|key| !["description", "hooks"].contains(&key.as_str()))?;
            Some(format!("Codex refuses the file for its key {foreign}"))
        }
        Agent::Cursor => match value.get("version") {
            Some(Value::Number(number)) if number.as_u64() == Some(1) => None,
            Some(Value::Number(_)) => Some("its version is not 1".to_owned()),
            Some(_) => Some("its version is no number".to_owned()),
            None => Some("it has no version".to_owned()),
        },
        _ => None,
    }
}

/// The commands of a handler: one, or Copilot's one a shell.
fn commands(handler: &Value) -> Vec<HookEntry> {
    let text = |key: &str| handler.get(key).and_then(Value::as_str).map(str::to_owned);
    let kind = text("type");
    if kind.as_deref().is_some_and(|kind| kind != "command") {
        return Vec::new();
    }
    let args = handler.get("args").and_then(Value::as_array);
    let number = |key: &str| handler.get(key).and_then(Value::as_f64);
    let entry = |command: String| HookEntry {
        event: String::new(),
        matcher: text("matcher"),
        command,
        args: args.map(|all| all.iter().filter_map(Value::as_str).map(str::to_owned).collect()),
        timeout: number("timeout").or_else(|| number("timeoutSec")),
        fails_closed: text("onFailure").as_deref() == Some("block")
            || handler.get("failClosed").and_then(Value::as_bool) == Some(true),
        is_async: ["async", "asyncRewake"].iter().any(|key| handler.get(*key).and_then(Value::as_bool) == Some(true)),
        condition: text("if"),
    };
    text("command").or_else(|| text("bash")).map(entry).into_iter().collect()
}

/// What Codex's `config.toml` says of hooks.
pub fn read_codex_config(text: &str) -> AgentSettings {
    let mut out = AgentSettings::default();
    let table: toml::Table = match toml::from_str(text) {
        Ok(table) => table,
        Err(error) => {
            let line = error.span().map_or(1, |s| text[..s.start.min(text.len())].matches('\n').count() + 1);
            out.problems.push(format!("line {line}: {}", error.message()));
            return out;
        }
    };
    let features = table.get("features").and_then(toml::Value::as_table);
    let off = ["hooks", "codex_hooks"]
        .into_iter()
        .find(|key| features.and_then(|features| features.get(*key)).and_then(toml::Value::as_bool) == Some(false));
    out.off = off.map(|key| format!("features.{key} is false"));
    // The tables have the shape of the JSON file.
    if let Some(hooks) = table.get("hooks").and_then(|hooks| serde_json::to_value(hooks).ok()) {
        let same = read(Agent::Codex, &serde_json::json!({ "hooks": hooks }).to_string());
        out.hooks = same.hooks;
        out.problems.extend(same.problems);
    }
    out
}

/// Whether the timeout of a hook is plainly in another unit or too short, in words.
pub fn odd_timeout(agent: Agent, timeout: f64) -> Option<String> {
    let (unit, low, high, other) = match agent {
        Agent::Gemini => ("milliseconds", 1_000.0, 600_000.0, "seconds"),
        _ => ("seconds", 2.0, 600.0, "milliseconds"),
    };
    let said = |why: &str| Some(format!("its timeout of {timeout} is in {unit}: {why}"));
    match agent {
        Agent::Gemini if timeout < low => said(&format!("that looks like {other}, and the hook is cut off")),
        _ if timeout < low => said("the hook may be cut off"),
        Agent::Gemini => None,
        _ if timeout >= high => said(&format!("that looks like {other}, and a hook that hangs holds the agent up")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matchers_follow_each_agents_rules() {
        for (agent, matcher, tool) in [
            (Agent::Claude, "", "Bash"),
            (Agent::Claude, "*", "mcp__a__b"),
            (Agent::Claude, "Write|Bash", "Bash"),
            (Agent::Claude, "Bash,Write", "Write"),
            (Agent::Claude, "mcp__.*", "mcp__pg__query"),
            (Agent::Claude, "Bash|mcp__.*", "Bash"),
            (Agent::Codex, "Edit", "apply_patch"),
            (Agent::Gemini, "run_shell", "run_shell_command"),
            (Agent::Copilot, "bash|edit", "bash"),
        ] {
            assert!(matches(agent, matcher, tool), "{agent:?} {matcher} {tool}");
        }
        for (agent, matcher, tool) in [
            (Agent::Claude, "bash", "Bash"),
            (Agent::Claude, "Bas", "Bash"),
            (Agent::Claude, "Bash, Write", "Write"),
            (Agent::Claude, "Write|Edit", "Bash"),
            (Agent::Codex, "shell", "Bash"),
            (Agent::Claude, "Edit", "apply_patch"),
            (Agent::Gemini, "(", "run_shell_command"),
        ] {
            assert!(!matches(agent, matcher, tool), "{agent:?} {matcher} {tool}");
        }
    }

    #[test]
    fn coroners_own_calls_are_known() {
        let call = |command: &str, args: Option<&[&str]>| HookEntry {
            command: command.into(),
            args: args.map(|all| all.iter().map(|a| (*a).to_owned()).collect()),
            ..HookEntry::default()
        };
        assert!(call("/usr/local/bin/coroner", Some(&["hook", "--agent", "claude"])).calls_coroner());
        assert!(call("'/opt/a b/coroner' hook --agent codex", None).calls_coroner());
        assert!(call("CORONER_HOME=/x coroner hook --agent gemini", None).calls_coroner());
        for other in ["coroner-lint hook", "coroner check", "echo hook coroner", "/opt/coroner/bin/lint hook"] {
            assert!(!call(other, None).calls_coroner(), "{other}");
        }
        assert_eq!(call("'/a b/c' x", None).plain_words(), Some(vec!["/a b/c".to_owned(), "x".to_owned()]));
        assert_eq!(call("a; rm b", None).plain_words(), None);
    }

    #[test]
    fn what_keeps_hooks_from_running_is_read() {
        let claude = read(Agent::Claude, "{\"disableAllHooks\": true, \"cleanupPeriodDays\": 3}");
        assert_eq!((claude.off.as_deref(), claude.retention_days), (Some("disableAllHooks is true"), Some(3)));
        let codex = read(Agent::Codex, "{\"$schema\": \"x\", \"hooks\": {}}");
        assert_eq!(codex.problems, ["Codex refuses the file for its key $schema"]);
        for (text, why) in [
            ("{\"version\": \"1\", \"hooks\": {}}", "its version is no number"),
            ("{\"hooks\": {}}", "it has no version"),
            ("{\"version\": 2, \"hooks\": {}}", "its version is not 1"),
        ] {
            assert_eq!(read(Agent::Cursor, text).problems, [why]);
        }
        assert!(read(Agent::Cursor, "{\"version\": 1, \"hooks\": {}}").problems.is_empty());
        assert_eq!(read(Agent::Claude, "{\"hooks\": []}").problems, ["its hooks are no object"]);
        assert!(read(Agent::Gemini, "{ // x\n}").problems.is_empty());
        let toml = read_codex_config(
            "[features]\nhooks = false\n[[hooks.PreToolUse]]\nmatcher = \"Bash\"\n[[hooks.PreToolUse.hooks]]\ntype = \"command\"\ncommand = \"coroner hook --agent codex\"\n",
        );
        assert_eq!(toml.off.as_deref(), Some("features.hooks is false"));
        assert!(toml.hooks[0].calls_coroner() && toml.hooks[0].runs_for(Agent::Codex, "Bash"));
        assert_eq!(read_codex_config("a = [\n").problems.len(), 1);
        assert!(odd_timeout(Agent::Claude, 10.0).is_none() && odd_timeout(Agent::Gemini, 10_000.0).is_none());
        assert!(odd_timeout(Agent::Claude, 10_000.0).is_some() && odd_timeout(Agent::Gemini, 10.0).is_some());
        assert!(odd_timeout(Agent::Cursor, 0.5).is_some());
    }
}
