use super::*;
use crate::guard::LastReading;
use coroner_model::permission::PermissionRequest;

/// How many prints of secrets are planned for a command, the state left aside.
fn planned(command: &str) -> usize {
    let request = PermissionRequest {
        command: Some(command.to_owned()),
        cwd: "/srv".into(),
        env: [("HOME".to_owned(), "/home/dev".to_owned()), ("API_TOKEN".to_owned(), "x".repeat(20))].into(),
        ..PermissionRequest::default()
    };
    let effects = effect::of_command(command, "/srv", &request.env);
    let nothing = BTreeMap::new();
    let before = BTreeMap::new();
    let case =
        Case { request: &request, past: &[], outcomes: &nothing, before: &before, reading: &LastReading::default() };
    prints(&case, &effects)
        .iter()
        .filter(|print| {
            let stages = print.source.own.iter().chain(&print.stages);
            stage::through(stages, None, matches!(print.source.kind, Kind::Environment)).is_some()
        })
        .count()
}

#[test]
fn what_reaches_the_transcript_is_planned() {
    let commands = [
        "cat .env",
        "cat < .env",
        "sudo cat /srv/.env | head -5",
        "less .env.production",
        "head -n 3 .env",
        "grep PASSWORD .env",
        "grep -n . .env | sort",
        "awk '{print}' .env",
        "sed -n 1,5p .env",
        "xxd .env",
        "base64 .env",
        "strings .env",
        "cat .env 2>/dev/null",
        "cat .env | tee /tmp/copy",
        "cat ~/.ssh/id_ed25519",
        "cat ~/.aws/credentials",
        "tail -5 .npmrc",
        "cat .env*",
        "cd /srv && cat ./.env",
        "bash -c 'cat .env'",
        "ssh web cat /srv/.env",
        "docker exec api cat /app/.env",
        "env",
        "env | sort",
        "env | grep -i token",
        "printenv",
        "printenv DB_PASSWORD",
        "set",
        "export -p",
        "declare -p DB_PASSWORD",
        "echo $API_TOKEN",
        "echo \"token: ${API_TOKEN}\"",
        "printf '%s\\n' \"$DB_PASSWORD\"",
        "echo $API_TOKEN | base64",
        "echo \"$(cat .env)\"",
        "echo $(pass show shop/db)",
        "P=$(vault kv get -field=password secret/db); echo $P",
        "docker inspect --format '{{.Config.Env}}' api",
        "docker inspect api | grep -i password",
        "docker compose config",
        "docker compose exec api env",
        "kubectl exec api -- printenv",
        "kubectl get secret db -o yaml",
        "kubectl get secret db -o jsonpath='{.data.password}' | base64 -d",
        "vault kv get secret/db",
        "aws secretsmanager get-secret-value --secret-id db",
        "aws secretsmanager get-secret-value --secret-id db --query SecretString --output text",
        "aws ssm get-parameter --name /db --with-decryption",
        "gcloud secrets versions access latest --secret=db",
        "gcloud auth print-access-token",
        "op read op://vault/db/password",
        "op item get db",
        "pass show shop/db",
        "pass shop/db",
        "gh auth token",
        "git credential fill",
        "ps auxe",
        "cat /proc/1/environ | tr '\\0' '\\n'",
        "tr '\\0' '\\n' < /proc/1/environ",
        "python3 -c 'import os; print(os.environ)'",
        "python3 -c 'import os; print(os.environ[\"DB_PASSWORD\"])'",
        "python3 -c 'print(open(\".env\").read())'",
        "node -e 'console.log(process.env)'",
        "node -p process.env.DB_PASSWORD",
        "ruby -e 'puts ENV.to_h'",
    ];
    let missed: Vec<&&str> = commands.iter().filter(|command| planned(command) == 0).collect();
    assert!(missed.is_empty(), "{missed:#?}");
}

#[test]
fn what_does_not_is_silent() {
    let commands = [
        "cat .env.example",
        "cat .env > /srv/private/copy",
        "cat .env >/dev/null",
        "cut -d= -f1 .env",
        "cat .env | cut -d= -f1",
        "grep -c . .env",
        "grep -q DB_PASSWORD .env && echo there",
        "wc -l .env",
        "sha256sum .env",
        "cat .env | sha256sum",
        "sed 's/=.*/=…/' .env",
        "awk -F= '{print $1}' .env",
        "grep -o '^[A-Z_]*' .env",
        "cp .env .env.bak",
        "ls -l .env",
        "source .env",
        "set -a; . ./.env; set +a",
        "export $(cat .env | xargs)",
        "docker run --env-file .env api",
        "pass show registry | docker login --username me --password-stdin",
        "aws ecr get-login-password | docker login --username AWS --password-stdin x",
        "export TOKEN=$(gh auth token)",
        "curl -H \"Authorization: Bearer $(gh auth token)\" https://api.example.org",
        "env FOO=bar make",
        "env -i bash",
        "env | grep PATH",
        "env | cut -d= -f1",
        "printenv PATH",
        "set -euo pipefail",
        "export PATH=$PATH:/opt/bin",
        "echo $HOME $PATH",
        "echo ${#API_TOKEN}",
        "[ -n \"$API_TOKEN\" ] && echo set",
        "echo \"$API_TOKEN\" | docker login --password-stdin",
        "echo $API_TOKEN | wc -c",
        "curl -H \"Authorization: Bearer $API_TOKEN\" https://api.example.org",
        "echo $MAX_TOKENS $PUBLIC_KEY_PATH $PWD",
        "grep -r password src",
        "cat src/secret_store.rs README.md",
        "cat ~/.ssh/id_rsa.pub ~/.ssh/config",
        "docker inspect --format '{{.State.Status}}' api",
        "docker network inspect edge",
        "docker compose config --services",
        "docker compose config -q",
        "docker compose -f config.yml up -d",
        "kubectl get secrets",
        "kubectl describe secret db",
        "kubectl get secret db -o jsonpath='{.metadata.name}'",
        "vault status",
        "vault kv list secret",
        "aws secretsmanager list-secrets",
        "aws ssm get-parameter --name /plain",
        "aws secretsmanager get-secret-value --secret-id db --query ARN",
        "gcloud secrets list",
        "op item list",
        "op run -- make",
        "pass ls",
        "pass -c shop/db",
        "gh auth status",
        "gh pr list",
        "ps aux",
        "ps -ef",
        "python3 -c 'import os; print(os.environ.get(\"HOME\"))'",
        "python3 -c 'import os; print(\"X\" in os.environ, len(os.environ[\"DB_PASSWORD\"]))'",
        "python3 -c 'import os; print(sorted(os.environ))'",
        "node -e 'console.log(Object.keys(process.env))'",
        "node -p process.env.NODE_ENV",
        "git log --oneline",
    ];
    let stopped: Vec<&&str> = commands.iter().filter(|command| planned(command) > 0).collect();
    assert!(stopped.is_empty(), "{stopped:#?}");
}
