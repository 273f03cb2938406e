//! What an edit would put into a file: a secret where others get it, or a hook that stops nothing.

use coroner_model::effect::{Circumstance, Effect, EffectKind};
use coroner_model::permission::PermissionRequest;
use coroner_model::redact::{Level, secrets};
use serde_json::Value;

use super::tool::{Action, action};
use super::{Judged, Story};
use crate::effect::guard_files::{is_hook, is_idle};

/// Fields in which the agents' tools give new text.
const TEXTS: [&str; 7] = ["content", "contents", "new_string", "newString", "new_str", "file_text", "new_source"];

/// What is to be told of an edit.
pub(super) fn judge(request: &PermissionRequest) -> Vec<Judged> {
    let Action::Edits { paths, whole } = action(request) else { return Vec::new() };
    let Some(path) = paths.first() else { return Vec::new() };
    let text = text(&request.input);
    let tool = request.tool.clone().unwrap_or_default();
    let mut judged = Vec::new();
    if let Some(secret) = secrets(&text).iter().find(|s| s.level != Level::Identifier).filter(|_| !keeps_secrets(path))
    {
        let story = Story {
            would: format!("write a secret into {path}"),
            why: "Whoever gets the file gets the key, and a commit keeps it for good.".to_owned(),
            lines: vec![format!(
                "  {}; name a variable there, and keep its value in an ignored env file",
                secret.description
            )],
            ..Story::default()
        };
        judged.push(Judged { effect: Effect::new(EffectKind::WriteSecret, path.as_str(), &tool), story });
    }
    if let Some(hook) = paths.iter().find(|path| is_hook(path)).filter(|_| whole && is_idle(&text)) {
        let mut effect = Effect::new(EffectKind::BypassHook, hook.as_str(), &tool);
        effect.add_circumstance(Circumstance::Everything);
        let story = Story {
            would: format!("write over {hook}, so that it stops nothing"),
            why: "Hooks keep secrets and broken builds out of the history.".to_owned(),
            ..Story::default()
        };
        judged.push(Judged { effect, story });
    }
    judged
}

/// The new text of an edit, of all its parts; of a patch, the lines that it adds.
fn text(input: &Value) -> String {
    let mut parts: Vec<String> = Vec::new();
    let given =
        |value: &Value| TEXTS.iter().filter_map(|key| value.get(*key)?.as_str().map(str::to_owned)).collect::<Vec<_>>();
    parts.extend(given(input));
    let edits = input.get("edits").and_then(Value::as_array).into_iter().flatten();
    parts.extend(edits.flat_map(given));
    for patch in ["patch", "input", "command"].iter().filter_map(|key| input.get(*key)?.as_str()) {
        parts.extend(patch.lines().filter_map(|line| line.strip_prefix('+')).map(str::to_owned));
    }
    parts.join("\n")
}

/// Whether a file is where secrets belong: an env file, or one that only its owner reads.
pub(super) fn keeps_secrets(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let sample = ["example", "sample", "template", "dist"].iter().any(|word| name.contains(word));
    let env = name == ".env" || name.starts_with(".env.") || name.ends_with(".env");
    let own = [".netrc", ".pgpass", ".npmrc", ".pypirc", "credentials", "secrets.toml", "auth.json"].contains(&name);
    !sample && (env || own || path.starts_with("/tmp/") || path.contains("/.ssh/") || path.contains("/secrets/"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn kinds(tool: &str, input: Value) -> Vec<EffectKind> {
        let request =
            PermissionRequest { tool: Some(tool.into()), input, cwd: "/srv/app".into(), ..Default::default() };
        judge(&request).into_iter().map(|j| j.effect.kind).collect()
    }

    #[test]
    fn edits_are_judged_by_what_they_put_in() {
        let random: String = (0..36).map(|i| char::from(b"k3Vn8QzL5wRt2Yp7"[(i * 7 + i / 3) % 16])).collect();
        let line = format!("TOKEN = \"{}{random}\"", ["gh", "p_"].concat());
        let secret = vec![EffectKind::WriteSecret];
        assert_eq!(kinds("Write", json!({"file_path": "/srv/app/a.py", "content": line})), secret);
        assert_eq!(kinds("Edit", json!({"file_path": "a.py", "old_string": "x", "new_string": line})), secret);
        assert_eq!(kinds("MultiEdit", json!({"file_path": "a.py", "edits": [{"new_string": line}]})), secret);
        let hook = json!({"file_path": "/srv/app/.git/hooks/pre-commit", "content": "#!/bin/sh\nexit 0\n"});
        assert_eq!(kinds("Write", hook), vec![EffectKind::BypassHook]);
        for (tool, input) in [
            ("Write", json!({"file_path": "/srv/app/.env", "content": line})),
            ("Edit", json!({"file_path": "a.py", "old_string": line, "new_string": "TOKEN = load()"})),
            ("Write", json!({"file_path": "/srv/app/README.md", "content": "TOKEN=your-token-here"})),
            ("Write", json!({"file_path": "/srv/app/.husky/pre-commit", "content": "npx lint-staged\n"})),
            ("Edit", json!({"file_path": "/srv/app/.husky/pre-commit", "new_string": ""})),
        ] {
            assert_eq!(kinds(tool, input.clone()), vec![], "{input}");
        }
    }
}
