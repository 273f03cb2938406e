use super::*;
use crate::effect;
use serde_json::json;

const ENV: &str = "A=1\nDB_PASSWORD=hmac:0123456789abcdef\nB=2\n";

fn now(path: &str) -> Now {
    match path {
        "/srv/.env" => Now::Text(ENV.into()),
        "/srv/new.env" => Now::Text("A=9\n".into()),
        "/srv/fix.diff" => Now::Text(
            "--- a/.env\n+++ b/.env\n@@ -1,2 +1,2 @@\n-A=1\n+A=7\n DB_PASSWORD=hmac:0123456789abcdef\n".into(),
        ),
        _ => Now::Absent,
    }
}

fn after(request: &PermissionRequest) -> Option<Outcome> {
    let command = request.command.clone().unwrap_or_default();
    let effects = effect::of_command(&command, "/srv", &BTreeMap::new());
    let writes = with_patches(plan(request, &effects), &now);
    let clean = |text: &str| text.replace("sesame", "hmac:0123456789abcdef");
    outcome(&writes, &now, &clean).remove("/srv/.env")
}

fn command(text: &str) -> PermissionRequest {
    PermissionRequest { command: Some(text.into()), cwd: "/srv".into(), ..PermissionRequest::default() }
}

#[test]
fn texts_are_worked_out() {
    let rest = "DB_PASSWORD=hmac:0123456789abcdef\nB=2\n";
    for (text, expected) in [
        ("echo X=1 > .env", "X=1\n".to_owned()),
        ("echo X=1 >> .env", format!("{ENV}X=1\n")),
        ("printf 'X=%s\\n' 5 >> /srv/.env", format!("{ENV}X=5\n")),
        ("cat > .env <<'E'\nX=1\nE", "X=1\n".into()),
        ("{ echo X=1; echo Y=2; } > .env", "X=1\nY=2\n".into()),
        ("echo X=1 > .env; echo Y=2 > .env", "Y=2\n".into()),
        ("echo X=1 | tee -a .env >/dev/null", format!("{ENV}X=1\n")),
        ("sudo tee .env <<< X=1", "X=1\n".into()),
        (": > .env", String::new()),
        ("sed -i '/^DB_/d' .env", "A=1\nB=2\n".into()),
        ("sed -i 's/^A=.*/A=5/' .env", format!("A=5\n{rest}")),
        ("sed -i.bak -E 's|^(A)=[0-9]+$|\\1=x|' .env", format!("A=x\n{rest}")),
        ("sed -i -e 1d -e '$d' .env", "DB_PASSWORD=hmac:0123456789abcdef\n".into()),
        ("sed -i '2,3d' .env", "A=1\n".into()),
        ("sed -i '/^A/,+1d' .env", "B=2\n".into()),
        ("sed -i '/^A/!d' .env", "A=1\n".into()),
        ("sed -i '$ a X=1' .env", format!("{ENV}X=1\n")),
        ("sed -i '1i X=1' .env", format!("X=1\n{ENV}")),
        ("sed -i 's/DB_PASSWORD=[^ ]*/DB_PASSWORD=/; /^B/c\\B=3' .env", "A=1\nDB_PASSWORD=\nB=3\n".into()),
        ("sed -i '' 's/A/C/g' .env", "C=1\nDB_PCSSWORD=hmac:0123456789abcdef\nB=2\n".into()),
        ("sed -ni '/^A/p' .env", "A=1\n".into()),
        ("perl -pi -e 's/^A=(\\d)/A=$1$1/' .env", format!("A=11\n{rest}")),
        ("cp new.env .env", "A=9\n".into()),
        ("mv new.env /srv/", String::new()),
        ("cat new.env new.env > .env", "A=9\nA=9\n".into()),
        ("git apply fix.diff", format!("A=7\n{rest}")),
        ("patch -p1 < fix.diff", format!("A=7\n{rest}")),
        ("patch .env <<'E'\n--- x\n+++ y\n@@ -3 +3 @@\n-B=2\n+B=4\nE", ENV.replace("B=2", "B=4")),
        ("python3 -c \"open('.env','w').write('X=1\\n')\"", "X=1\n".into()),
        (
            "python3 - <<'E'\nwith open('/srv/.env', 'w') as f:\n    f.write('X=1\\n')\n    f.write('Y=2\\n')\nE",
            "X=1\nY=2\n".into(),
        ),
        ("node -e \"require('fs').writeFileSync('.env', 'X=1')\"", "X=1".into()),
    ] {
        let found = after(&command(text));
        match text {
            "mv new.env /srv/" => assert_eq!(found, None, "{text}"),
            _ => assert_eq!(found, Some(Outcome::Text(expected)), "{text}"),
        }
    }
    for text in ["rm .env", "mv .env old.env", "unlink /srv/.env"] {
        assert_eq!(after(&command(text)), Some(Outcome::Gone), "{text}");
    }
}

#[test]
fn what_is_not_known_stays_unknown() {
    for text in [
        "envsubst < a > .env",
        "echo $X > .env",
        "sed -i 'N;P;D' .env",
        "sed -i \"s/A/$X/\" .env",
        "sed -i 's/a/\\U&/' .env",
        "sed -i -f x.sed .env",
        "perl -0777 -pi -e 's/A/B/' .env",
        "cp missing .env",
        "openssl rand -hex 8 >> .env",
        "python3 -c \"open('.env','w').write(text)\"",
        "truncate -s0 .env",
    ] {
        assert_eq!(after(&command(text)), Some(Outcome::Unknown), "{text}");
    }
    for text in [
        "sed 's/A/B/' .env",
        "cat .env > copy.txt",
        "echo x 2> .env",
        "git apply --check fix.diff",
        "patch --dry-run -p1 < fix.diff",
        "cp -n new.env .env",
        "ssh web 'echo X=1 > /srv/.env'",
        "docker exec web sh -c 'echo X=1 > /srv/.env'",
        "grep -c A .env",
    ] {
        assert_eq!(after(&command(text)), None, "{text}");
    }
}

#[test]
fn edit_tools_of_all_agents_are_followed() {
    let patch = "*** Begin Patch\n*** Update File: .env\n@@\n A=1\n-DB_PASSWORD=sesame\n B=2\n*** End Patch";
    for (tool, input, expected) in [
        ("Write", json!({"file_path": ".env", "content": "X=1\n"}), "X=1\n"),
        (
            "Edit",
            json!({"file_path": "/srv/.env", "old_string": "A=1", "new_string": "A=5"}),
            &ENV.replace("A=1", "A=5"),
        ),
        ("Edit", json!({"file_path": ".env", "old_string": "DB_PASSWORD=sesame\n", "new_string": ""}), "A=1\nB=2\n"),
        (
            "MultiEdit",
            json!({"file_path": ".env", "edits": [{"old_string": "A=1\n", "new_string": ""}, {"old_string": "B=2\n", "new_string": ""}]}),
            "DB_PASSWORD=hmac:0123456789abcdef\n",
        ),
        (
            "replace",
            json!({"file_path": "/srv/.env", "old_string": "B=2", "new_string": "B=3"}),
            &ENV.replace("B=2", "B=3"),
        ),
        ("write_file", json!({"file_path": "/srv/.env", "content": ""}), ""),
        ("edit", json!({"path": "/srv/.env", "old_str": "B=2", "new_str": "B=3"}), &ENV.replace("B=2", "B=3")),
        ("edit", json!({"filePath": "/srv/.env", "oldString": "B=2", "newString": "B=3"}), &ENV.replace("B=2", "B=3")),
        ("create", json!({"path": "/srv/.env", "file_text": "X=1"}), "X=1"),
        (
            "str_replace_based_edit_tool",
            json!({"command": "str_replace", "path": "/srv/.env", "old_str": "B=2", "new_str": "B=3"}),
            &ENV.replace("B=2", "B=3"),
        ),
        (
            "str_replace_based_edit_tool",
            json!({"command": "insert", "path": "/srv/.env", "insert_line": 0, "insert_text": "X=1"}),
            &format!("X=1\n{ENV}"),
        ),
        ("apply_patch", json!({"command": patch}), "A=1\nB=2\n"),
        ("patch", json!({"patchText": patch}), "A=1\nB=2\n"),
    ] {
        let request = PermissionRequest {
            tool: Some(tool.into()),
            input: input.clone(),
            cwd: "/srv".into(),
            ..Default::default()
        };
        assert_eq!(after(&request), Some(Outcome::Text(expected.to_owned())), "{tool} {input}");
    }
    for (tool, input, expected) in [
        ("Edit", json!({"file_path": ".env", "old_string": "nothing of it", "new_string": ""}), Some(Outcome::Unknown)),
        ("Edit", json!({"file_path": ".env", "old_string": "=", "new_string": ":"}), Some(Outcome::Unknown)),
        ("edit_file", json!({"target_file": ".env", "code_edit": "# ... existing code ..."}), Some(Outcome::Unknown)),
        ("delete_file", json!({"target_file": ".env"}), Some(Outcome::Gone)),
        ("str_replace_based_edit_tool", json!({"command": "view", "path": "/srv/.env"}), None),
        ("Read", json!({"file_path": ".env"}), None),
    ] {
        let request = PermissionRequest {
            tool: Some(tool.into()),
            input: input.clone(),
            cwd: "/srv".into(),
            ..Default::default()
        };
        assert_eq!(after(&request), expected, "{tool} {input}");
    }
}
