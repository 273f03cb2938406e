use std::collections::BTreeMap;

use super::*;

fn script(text: &str) -> Script {
    with_files(text, &[])
}

fn with_files(text: &str, files: &[(&str, &str)]) -> Script {
    let env = BTreeMap::from([("HOME".to_owned(), "/home/dev".to_owned())]);
    let files = files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
    read(text, &Context { cwd: "/opt/app", env: &env, files: &files })
}

/// The commands that would run, each as one line, with its directory if it is another.
fn lines(script: &Script) -> Vec<String> {
    script
        .invocations
        .iter()
        .map(|i| match i.cwd.show().as_str() {
            "/opt/app" => show_argv(&i.argv),
            other => format!("{} @ {other}", show_argv(&i.argv)),
        })
        .collect()
}

#[track_caller]
fn runs(text: &str, expected: &[&str]) {
    assert_eq!(lines(&script(text)), expected, "{text}");
}

/// Whether one of the commands is exactly this line.
#[track_caller]
fn reaches(text: &str, line: &str) {
    let all = lines(&script(text));
    assert!(all.iter().any(|l| l == line), "{text}\n  gives {all:#?}");
}

#[test]
fn plain_lists_and_quotes() {
    runs("rm -rf data", &["rm -rf data"]);
    runs("ls; rm -rf data && echo ok || true", &["ls", "rm -rf data", "echo ok"]);
    runs(r#"r'm' "-rf" da\ta"#, &["rm -rf data"]);
    runs(r"$'\x72m' -rf $'da\164a'", &["rm -rf data"]);
    runs("\\rm -rf data", &["rm -rf data"]);
    runs("rm${IFS}-rf${IFS}data", &["rm -rf data"]);
    runs("echo \"rm -rf /\" # rm -rf x", &["echo rm -rf /"]);
    runs("rm \\\n  -rf data", &["rm -rf data"]);
}

#[test]
fn what_runs_in_a_pod_is_found_behind_options_on_both_sides_of_it() {
    for text in [
        "kubectl exec db-0 -- rm -rf /data",
        "kubectl -n prod exec -it db-0 -c pg -- rm -rf /data",
        "kubectl exec -n prod deploy/db --container=pg -- rm -rf /data",
        "oc --context prod exec db-0 -i -t -- sh -c 'rm -rf /data'",
        "kubectl exec db-0 rm -rf /data",
    ] {
        reaches(text, "rm -rf /data @ /");
    }
    for text in ["kubectl logs db-0 -- rm -rf /data", "kubectl exec -n prod db-0 -- echo rm -rf /data"] {
        assert!(!lines(&script(text)).iter().any(|line| line.starts_with("rm")), "{text}");
    }
}

#[test]
fn carriers_come_off() {
    for text in [
        "sudo rm -rf data",
        "sudo -u root -E rm -rf data",
        "sudo -uroot rm -rf data",
        "sudo -Eu root X=1 rm -rf data",
        "sudo --user=root -- rm -rf data",
        "doas -u root rm -rf data",
        "env -i A=b rm -rf data",
        "env -u X -- rm -rf data",
        "env -S 'rm -rf data'",
        "nohup nice -n 10 rm -rf data &",
        "timeout -k 5 10s rm -rf data",
        "time -p rm -rf data",
        "command rm -rf data",
        "exec rm -rf data",
        "A=1 B=2 rm -rf data",
        "bash -c 'rm -rf data'",
        "bash -euo pipefail -c 'rm -rf data'",
        "sh -xc \"rm -rf data\"",
        "sudo bash -lc 'cd /opt/app && rm -rf data'",
        "eval 'rm -rf data'",
        "eval rm -rf data",
        "echo 'rm -rf data' | sh",
        "printf 'rm -rf %s' data | bash",
        "bash <<< 'rm -rf data'",
        "bash <<'EOF'\nrm -rf data\nEOF",
        "sudo sh <<EOF\nrm -rf data\nEOF",
        "echo cm0gLXJmIGRhdGE= | base64 -d | bash",
        "(rm -rf data)",
        "{ rm -rf data; }",
        "if [ -d data ]; then rm -rf data; fi",
        "[ -d data ] && rm -rf data",
        "x=$(rm -rf data)",
        "echo `rm -rf data`",
        "f() { rm -rf \"$1\"; }; f data",
        "f() { rm -rf data; }\nls\nf",
        "echo data | xargs rm -rf",
        "printf 'data\\n' | xargs -I{} rm -rf {}",
        "xargs rm -rf <<< data",
        "su - app -c 'rm -rf data'",
        "su -c 'rm -rf data' app",
        "setsid stdbuf -oL rm -rf data",
        "busybox rm -rf data",
        "watch 'rm -rf data'",
        "flock /tmp/l rm -rf data",
        "flock /tmp/l -c 'rm -rf data'",
        "trap 'rm -rf data' EXIT",
        "alias zap='rm -rf'; zap data",
        "parallel rm -rf ::: data",
        "! rm -rf data",
        "case x in x) rm -rf data;; esac",
        "while true; do rm -rf data; break; done",
        "$(echo rm) -rf data",
        "echo data | while read d; do rm -rf \"$d\"; done",
        "$(which rm) -rf data",
        "echo 'rm -rf data' > x.sh && bash x.sh",
        "cat > x.sh <<'EOF'\n#!/bin/sh\nrm -rf data\nEOF\nchmod +x x.sh; ./x.sh",
        "echo 'rm -rf data' | tee x.sh; sh x.sh",
        "python3 -c \"import shutil; shutil.rmtree('data')\"",
        "python3 - <<'EOF'\nimport os\nos.system('rm -rf data')\nEOF",
        "python <<< 'import subprocess; subprocess.run([\"rm\", \"-rf\", \"data\"])'",
    ] {
        reaches(text, "rm -rf data");
    }
}

#[test]
fn variables_are_followed() {
    for text in [
        "D=data; rm -rf $D",
        "D=data\nrm -rf \"${D}\"",
        "rm -rf ${D:-data}",
        "export D=data; rm -rf \"$D\"",
        "O=(-rf); rm \"${O[@]}\" data",
        "O=(-r); O+=(-f data); rm \"${O[@]}\"",
        "cmd='rm -rf data'; $cmd",
        "cmd='rm -rf data'; eval \"$cmd\"",
        "D=data; bash -c \"rm -rf $D\"",
        "D=data bash -c 'rm -rf $D'",
        "for d in a data; do rm -rf $d; done",
        "rm -rf {a,data}",
        "set -- data; rm -rf \"$1\"",
        "D=data.bak; rm -rf ${D%.bak}",
        "D=/srv/data; rm -rf ${D##*/}",
        "D=$(basename /srv/data); rm -rf \"$D\"",
        "if true; then D=data; else D=other; fi; rm -rf $D",
        "[ -n \"$X\" ] && D=data || D=b; rm -rf $D",
        "N=D; D=data; rm -rf ${!N}",
        "declare -a L=(a data); for x in \"${L[@]}\"; do rm -rf \"$x\"; done",
        "read D <<< data; rm -rf $D",
    ] {
        let all = lines(&script(text));
        let hit = all.iter().any(|l| l == "rm -rf data" || l == "rm -rf a data" || l == "rm -r -f data");
        assert!(hit, "{text}\n  gives {all:#?}");
    }
    reaches("rm -rf \"$UNSET/x\"", "rm -rf $UNSET/x");
}

#[test]
fn directories_are_followed() {
    runs("cd /srv/x && rm -rf data", &["rm -rf data @ /srv/x"]);
    runs("cd ../y; rm -rf data", &["rm -rf data @ /opt/y"]);
    runs("(cd /srv && ls); rm -rf data", &["ls @ /srv", "rm -rf data"]);
    runs("pushd /srv >/dev/null; popd; rm x", &["rm x"]);
    runs("cd ~/a || exit 1; rm x", &["rm x @ /home/dev/a"]);
    runs("cd /srv || true; rm x", &["rm x @ /srv", "rm x"]);
    runs("cd /srv && cd - && rm x", &["rm x"]);
    reaches("D=$(pwd); cd /; rm -rf $D/z", "rm -rf /opt/app/z @ /");
    runs("false && rm x; exit 0; rm y", &[]);
    runs("env -C /srv rm x", &["rm x @ /srv"]);
}

#[test]
fn scripts_are_read_where_they_are_at_hand() {
    let text = "#!/bin/bash\nset -e\nTARGET=${1:-/opt/other}\nrm -rf \"$TARGET/data\"\n";
    for command in [
        "bash deploy.sh /opt/app",
        "./deploy.sh /opt/app",
        "sudo bash -x ./deploy.sh /opt/app",
        "cat deploy.sh | bash -s /opt/app",
    ] {
        let script = with_files(command, &[("/opt/app/deploy.sh", text)]);
        let all = lines(&script);
        assert!(all.iter().any(|l| l.contains("/data")), "{command} {all:?}");
    }
    let unread = script("bash deploy.sh && ./run.sh && source env.sh");
    let wanted: Vec<_> = unread.wanted.iter().map(|w| w.path.as_str()).collect();
    assert_eq!(wanted, ["/opt/app/deploy.sh", "/opt/app/env.sh", "/opt/app/run.sh"]);
    let sourced = with_files(". ./env.sh; rm -rf $D", &[("/opt/app/env.sh", "D=data\n")]);
    assert_eq!(lines(&sourced), ["rm -rf data"]);
}

#[test]
fn what_others_print_is_named() {
    let script = script("find /srv -name '*.log' | xargs rm -f");
    let rm = &script.invocations[1];
    assert_eq!(show_argv(&rm.argv), "rm -f $(find /srv -name *.log)");
    let produced = rm.argv[2].produced_by().unwrap();
    assert_eq!(show_argv(&produced[0]), "find /srv -name *.log");
    reaches("find /srv -type d -exec rm -rf {} +", "rm -rf $(find /srv -type d -print)");
    reaches("find /srv | while read -r f; do rm \"$f\"; done", "rm $(find /srv)");
    reaches("docker restart $(docker ps -q | head -1)", "docker restart $(docker ps -q | head -1)");
}

#[test]
fn data_is_no_command() {
    runs("cat > notes.md <<'EOF'\nrm -rf /\nEOF", &["cat"]);
    runs("git commit -m 'rsync --delete is bad; rm -rf /'", &["git commit -m rsync --delete is bad; rm -rf /"]);
    runs("grep -r 'rm -rf' .", &["grep -r rm -rf ."]);
    runs("f() { rm -rf /; }; echo hi", &["echo hi"]);
    let commit = script("git commit -m \"$(cat <<'EOF'\nit's $(rm -rf /) `x`\nEOF\n)\"");
    assert!(commit.invocations.iter().all(|i| i.program() != "rm"), "{:?}", lines(&commit));
}

#[test]
fn elsewhere_is_marked() {
    let remote = script("ssh -p 22 deploy@host 'cd /srv && rm -rf data'");
    let rm = remote.invocations.iter().find(|i| i.program() == "rm").unwrap();
    assert!(!rm.is_local());
    assert_eq!(rm.carriers[0], Carrier::Remote { host: "deploy@host".into() });
    let inside = script("docker exec -it pg sh -c 'rm -rf /var/lib/postgresql/data'");
    assert!(matches!(&inside.invocations[0].carriers[0], Carrier::Container { name, .. } if name == "pg"));
    let run = script("docker run --rm -v /opt/app/d:/d alpine rm -rf /d/x");
    assert_eq!(run.invocations[0].program(), "rm");
    assert_eq!(run.invocations[1].program(), "docker");
}

#[test]
fn globs_stay_globs() {
    let script = script("rm -rf /opt/app/* \"/opt/*\"");
    assert!(script.invocations[0].argv[2].has_glob());
    assert!(!script.invocations[0].argv[3].has_glob());
}

#[test]
fn a_substitution_that_prints_nothing_leaves_the_word_beside_it() {
    for text in [
        "``rm -rf data",
        "$()rm -rf data``",
        "$(true)rm -rf data",
        "r$(:)m -rf da$(test -e x)ta",
        "r``m -rf $(false)data",
    ] {
        assert_eq!(lines(&script(text)).last().map(String::as_str), Some("rm -rf data"), "{text}");
    }
}

#[test]
fn broken_and_huge_text_is_read_all_the_same() {
    for text in
        ["rm -rf data; echo 'unclosed", "if true; then rm -rf data", "rm -rf data; fi ) }", "echo \"a\nrm -rf data"]
    {
        let all = lines(&script(text));
        assert!(all.iter().any(|l| l.starts_with("rm -rf data")), "{text} {all:?}");
    }
    for text in [
        "$(".repeat(10_000),
        "(".repeat(50_000),
        "`".repeat(9_999),
        "{".repeat(10_000),
        "if ".repeat(10_000),
        "\"$(".repeat(5_000),
    ] {
        let _ = script(&text);
    }
    let deep = format!("{}rm -rf data{}", "$(".repeat(200), ")".repeat(200));
    assert!(lines(&script(&deep)).iter().any(|l| l.contains("rm -rf data")));
    let long = format!("echo {}; rm -rf data", "x".repeat(1 << 20));
    let read = script(&long);
    assert!(read.limits.contains(&Limit::Bytes));
    assert!(lines(&read).iter().any(|l| l == "rm -rf data"));
    let here = format!("cat > f <<'EOF'\n{}EOF\nls", "rm -rf data\n".repeat(100_000));
    assert_eq!(lines(&script(&here)), ["cat", "ls"]);
}

#[test]
fn the_deepest_allowed_nesting_fits_the_stack() {
    for (open, close) in
        [("$(", ")"), ("(", ")"), ("{ ", "; }"), ("if true; then ", "; fi"), ("\"$(", ")\""), ("${a:-", "}")]
    {
        let depth = NESTING_MAX;
        let text = format!("{}echo x{}", open.repeat(depth), close.repeat(depth));
        let _ = script(&text);
    }
}
