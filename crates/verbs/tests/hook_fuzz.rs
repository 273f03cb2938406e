//! Whatever text a hook is given, it answers in its host's words and never fails itself.
//!
//! Commands are known ones, torn apart and put together again with what makes shell text
//! hard: quotes, substitutions, here-documents, NUL, bytes that are no text.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test panics where it fails"
)]

use coroner_collect::{Casefile, Limits, World};
use coroner_judge::pattern::Library;
use coroner_model::permission::{Permission, PermissionRequest};
use coroner_verbs::guard::Guard;
use coroner_verbs::hook::{self, Agent, HookReply};
use proptest::prelude::*;
use serde_json::{Value, json};

const HARMFUL: &str = include_str!("guard_programs/harmful.txt");
const HARMLESS: &str = include_str!("guard_programs/harmless.txt");
const PIECES: &[&str] = &[
    "$(",
    "`",
    "'",
    "\"",
    ")",
    "}",
    "{a,b}",
    "${",
    "${x:-",
    "$((",
    "<(",
    "<<EOF\n",
    "<<-'E'\n",
    "<<<",
    "|",
    "||",
    "&&",
    "&",
    ";",
    ";;",
    "\n",
    "\r\n",
    "\\",
    "\\\n",
    "\0",
    "\u{feff}",
    "\u{fffd}",
    "é",
    "if ",
    "then ",
    "fi",
    "case x in ",
    "esac",
    "for i in ",
    "do ",
    "done",
    "f() {",
    "eval ",
    "bash -c ",
    "sudo ",
    "xargs ",
    "find . -exec ",
    "{1..99999}",
    "$'\\x",
    "!",
    "~",
    "*",
    "[[",
    "]]",
    "#",
    ">",
    ">>",
    "2>&1",
    " -- ",
    "=",
    "--",
];
const SQL: &[&str] = &[
    "DROP TABLE users",
    "DELETE FROM t",
    "'",
    "\"",
    ";",
    "--",
    "/*",
    "*/",
    "$$",
    "(",
    ")",
    "WHERE",
    "1=1",
    "\\",
    "\0",
];
const FILTERS: &[&str] = &[
    "- ", "+ ", "P ", "R ", "H ", ". f", ": .rules", "!", "/", "*", "**", "[", "]", "[!a", "\\", "?", "a", " ", "\n",
    "-,", "_",
];
const AGENTS: &[Agent] = &[Agent::Claude, Agent::Codex, Agent::Gemini, Agent::Cursor, Agent::Copilot, Agent::OpenCode];

fn guard() -> Result<Guard, String> {
    let inspect = r#"[{"Id":"aa","Name":"/db","State":{"Status":"running"},"Config":{"Image":"postgres:16","Env":[],"Labels":{}},"Mounts":[{"Type":"bind","Source":"/srv/app/.data","Destination":"/data","RW":true}]}]"#;
    let casefile =
        Casefile::of_texts([("docker/inspect.json", inspect)], Limits::default()).map_err(|e| e.to_string())?;
    Ok(Guard::over(World::Casefile(casefile), Library::built_in()))
}

/// Known lines and hard pieces in any order, lines cut anywhere.
fn command() -> impl Strategy<Value = String> {
    let lines: Vec<&'static str> = HARMFUL.lines().chain(HARMLESS.lines()).filter(|l| !l.starts_with('#')).collect();
    let cut =
        (prop::sample::select(lines), any::<prop::sample::Index>(), any::<bool>()).prop_map(|(line, at, head)| {
            let at = line.floor_char_boundary(at.index(line.len() + 1));
            if head { line[..at].to_owned() } else { line[at..].to_owned() }
        });
    let piece = prop::sample::select(PIECES).prop_map(str::to_owned);
    prop::collection::vec(prop_oneof![2 => cut, 3 => piece], 1..12).prop_map(|parts| parts.concat())
}

fn of_pieces(pieces: &'static [&'static str]) -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(pieces), 1..14).prop_map(|parts| parts.concat())
}

/// Judges a command; an answer of its own failure is told apart by its words.
fn judged(command: String) {
    let request = PermissionRequest { command: Some(command.clone()), cwd: "/srv/app".into(), ..Default::default() };
    let answer = guard().unwrap().judge(request);
    assert!(!answer.reason.contains("Coroner failed"), "it failed on {command:?}");
    assert!(answer.permission == Permission::Allow || !answer.reason.is_empty(), "{command:?}: {answer:?}");
}

fn event(agent: Agent, command: &str) -> Value {
    match agent {
        Agent::Gemini => {
            json!({"hook_event_name": "BeforeTool", "tool_name": "run_shell_command", "tool_input": {"command": command}, "cwd": "/srv/app"})
        }
        Agent::Cursor => {
            json!({"hook_event_name": "beforeShellExecution", "command": command, "cwd": "/srv/app", "conversation_id": "c"})
        }
        Agent::Copilot => {
            json!({"sessionId": "s", "cwd": "/srv/app", "toolName": "bash", "toolArgs": json!({"command": command}).to_string()})
        }
        Agent::OpenCode => {
            json!({"tool": "bash", "args": {"command": command}, "sessionID": "s", "directory": "/srv/app"})
        }
        Agent::Claude | Agent::Codex => {
            json!({"hook_event_name": "PreToolUse", "tool_name": "Bash", "tool_input": {"command": command}, "cwd": "/srv/app", "session_id": "s"})
        }
    }
}

/// Nothing or one JSON object; where it blocks, it says why.
fn well_formed(agent: Agent, reply: &HookReply) {
    if reply.stdout.is_empty() {
        assert_eq!((reply.exit, reply.stderr.as_str()), (0, ""), "{agent:?}");
        return;
    }
    let value: Value =
        serde_json::from_str(&reply.stdout).unwrap_or_else(|e| panic!("{agent:?}: {e}: {}", reply.stdout));
    assert!(value.is_object());
    let text = reply.stdout.replace(' ', "");
    let blocks = ["\"deny\"", "\"ask\"", "\"block\""].iter().any(|word| text.contains(word));
    assert!(!blocks || value.to_string().len() > 40, "{agent:?} blocks without a reason: {}", reply.stdout);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 384, ..ProptestConfig::default() })]

    #[test]
    fn any_command_is_judged(command in command()) {
        judged(command);
    }

    #[test]
    fn any_sql_is_judged(sql in of_pieces(SQL)) {
        judged(format!("psql -d shop -c '{}'", sql.replace('\'', r"'\''")));
        judged(format!("mysql shop <<'EOF'\n{sql}\nEOF"));
    }

    #[test]
    fn any_filter_rule_is_judged(rule in of_pieces(FILTERS)) {
        let rule = rule.replace('\'', r"'\''");
        judged(format!("rsync -a --delete --filter='{rule}' --exclude='{rule}' ./ /srv/app/"));
    }

    #[test]
    fn any_event_is_answered_in_the_words_of_its_host(
        command in command(),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        for agent in AGENTS {
            let whole = event(*agent, &command).to_string().into_bytes();
            well_formed(*agent, &hook::answer(*agent, &whole, guard));
            let mut torn = whole.clone();
            let at = at.index(torn.len());
            torn[at] = byte;
            well_formed(*agent, &hook::answer(*agent, &torn, guard));
            torn.truncate(at);
            let reply = hook::answer(*agent, &torn, guard);
            prop_assert!(!reply.stdout.is_empty(), "{agent:?} let half an event pass");
        }
    }
}

/// Text that is long or deep in each way that a reader could follow without end.
#[test]
fn hostile_text_is_answered_and_never_passes_unseen() {
    let nested = |open: &str, close: &str| format!("{}rm -rf /{}", open.repeat(10_000), close.repeat(10_000));
    for hostile in [
        nested("$(", ")"),
        nested("(", ")"),
        nested("`", "`"),
        nested("{ ", "; }"),
        format!("echo {}; rm -rf /", "x".repeat(1 << 20)),
        format!("{}rm -rf /", "echo a b c\n".repeat(90_000)),
        format!("{}rm -rf /", "true && ".repeat(20_000)),
        format!("{}rm -rf /", "sudo ".repeat(20_000)),
        format!("{}rm -rf /", "env A=1 ".repeat(20_000)),
        format!("echo a{}; rm -rf /", "|cat".repeat(20_000)),
        format!("{}rm -rf /", "\0".repeat(100_000)),
        format!("x='rm -rf /'; {}$x", "eval ".repeat(5_000)),
        format!("a=xxxxxxxx;{}rm -rf /", "a=$a$a;".repeat(40)),
        format!("bash <<'EOF'\n{}rm -rf /\nEOF", "some line\n".repeat(100_000)),
        "echo {1..100000000}; rm -rf /".to_owned(),
    ] {
        let shown: String = hostile.chars().take(40).collect();
        for agent in AGENTS {
            let reply = hook::answer(*agent, event(*agent, &hostile).to_string().as_bytes(), guard);
            let said = reply.stdout.replace(' ', "");
            assert!(said.contains("\"deny\"") || said.contains("\"ask\""), "{agent:?} {shown}: {}", reply.stdout);
        }
    }
    let data = format!("cat > notes.txt <<'EOF'\n{}EOF", "rm -rf / is what not to do\n".repeat(100_000));
    assert_eq!(
        hook::answer(Agent::Claude, event(Agent::Claude, &data).to_string().as_bytes(), guard),
        HookReply::default()
    );
}
