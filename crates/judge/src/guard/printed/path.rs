//! Files that hold secrets by their purpose; whether they do, their text says.

/// Words of a name that say that the file is a pattern to be filled in.
const TEMPLATES: &[&str] = &["example", "sample", "template", "dist", "tpl", "tmpl", "defaults", "j2", "schema"];

/// Ends of paths at which tools keep credentials.
const PLACES: &[&str] = &[
    "/.aws/credentials",
    "/.netrc",
    "/_netrc",
    "/.npmrc",
    "/.yarnrc.yml",
    "/.pypirc",
    "/.pgpass",
    "/.my.cnf",
    "/.mylogin.cnf",
    "/.docker/config.json",
    "/.kube/config",
    "/kubeconfig",
    "/gh/hosts.yml",
    "/glab-cli/config.yml",
    "/application_default_credentials.json",
    "/gcloud/credentials.db",
    "/gcloud/access_tokens.db",
    "/.git-credentials",
    "/git/credentials",
    "/etc/shadow",
    "/etc/gshadow",
    "/.vault-token",
    "/terraform.tfstate",
    "/credentials.json",
    "/master.key",
    "/.htpasswd",
    "/wp-config.php",
    "/rclone.conf",
    "/.s3cfg",
    "/.boto",
    "/.cargo/credentials",
    "/.cargo/credentials.toml",
    "/.claude/.credentials.json",
    "/.codex/auth.json",
    "/.gemini/oauth_creds.json",
    "/etc/environment",
    "/proc/self/environ",
];

/// Whether a file of this path is made to hold secrets.
pub(in crate::guard) fn may_hold_secrets(path: &str) -> bool {
    let plain = path.trim_end_matches('*').to_ascii_lowercase();
    let name = plain.rsplit('/').next().unwrap_or(&plain);
    let words: Vec<&str> = name.split(['.', '-', '_']).filter(|w| !w.is_empty()).collect();
    if name.ends_with(".pub") || words.iter().any(|w| TEMPLATES.contains(w)) {
        return false;
    }
    if PLACES.iter().any(|end| plain.ends_with(end))
        || plain.starts_with("/run/secrets/")
        || plain.contains("/secrets/")
    {
        return true;
    }
    let extension = name.rsplit_once('.').map_or("", |(_, ext)| ext);
    let stem = words.first().copied().unwrap_or_default();
    let env = words.iter().any(|w| matches!(*w, "env" | "envrc"))
        && (name.starts_with(".env") || matches!(extension, "env" | "envrc") || !is_code(extension));
    let key = matches!(stem, "id") && ["rsa", "ed25519", "ecdsa", "dsa"].iter().any(|k| words.contains(k))
        || matches!(extension, "key" | "p12" | "pfx" | "jks" | "keystore" | "kdbx" | "ppk")
        || extension == "pem" && words.iter().any(|w| w.contains("key"));
    let secrets = words.iter().any(|w| matches!(*w, "secret" | "secrets" | "credentials" | "passwords"))
        && (extension.is_empty()
            || name == extension
            || matches!(extension, "yml" | "yaml" | "json" | "toml" | "env" | "txt" | "ini" | "conf" | "secrets"));
    let service = name.starts_with("service-account") && extension == "json" || extension == "kubeconfig";
    env || key || secrets || service
}

fn is_code(extension: &str) -> bool {
    matches!(
        extension,
        "py" | "js"
            | "ts"
            | "mjs"
            | "cjs"
            | "go"
            | "rb"
            | "php"
            | "java"
            | "rs"
            | "cs"
            | "md"
            | "sh"
            | "d"
            | "tsx"
            | "jsx"
            | "html"
            | "css"
            | "c"
            | "h"
            | "cpp"
            | "ex"
            | "exs"
            | "kt"
            | "lock"
            | "log"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn purposes_show_in_names() {
        for path in [
            "/srv/.env",
            "/srv/.env.production",
            "/srv/compose.env",
            "/srv/.env*",
            "/home/dev/.ssh/id_ed25519",
            "/etc/ssl/private/site.key",
            "/etc/letsencrypt/live/x/privkey.pem",
            "/home/dev/.aws/credentials",
            "/srv/secrets.yml",
            "/run/secrets/db_password",
            "/srv/.env.secrets",
            "/srv/.envrc",
            "/srv/db-credentials.json",
        ] {
            assert!(may_hold_secrets(path), "{path}");
        }
        for path in [
            "/srv/.env.example",
            "/srv/example.env",
            "/srv/env.py",
            "/srv/src/environment.ts",
            "/home/dev/.ssh/id_rsa.pub",
            "/etc/letsencrypt/live/x/fullchain.pem",
            "/srv/docs/secrets.md",
            "/srv/src/secret_store.rs",
            "/srv/keyboard.json",
            "/home/dev/.ssh/config",
            "/srv/compose.yml",
            "/srv/.env.sample",
            "/srv/README.md",
            "/srv/src/token.rs",
        ] {
            assert!(!may_hold_secrets(path), "{path}");
        }
    }
}
