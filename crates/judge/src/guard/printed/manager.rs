//! Commands by which stores of secrets print one.

use coroner_read::shell::{Word, program_of};

use super::source::{Kind, Source};
use crate::guard::tool::quote;

/// The words of one command.
struct Words {
    all: Vec<String>,
}

impl Words {
    /// Whether the words follow each other.
    fn says(&self, wanted: &[&str]) -> bool {
        self.all.windows(wanted.len()).any(|some| some.iter().zip(wanted).all(|(a, b)| a == b))
    }

    fn has(&self, flags: &[&str]) -> bool {
        self.all.iter().any(|w| flags.iter().any(|flag| w == flag || w.starts_with(&format!("{flag}="))))
    }

    fn value(&self, flags: &[&str]) -> Option<&str> {
        self.all.iter().enumerate().find_map(|(at, word)| {
            flags.iter().find_map(|flag| {
                if word == flag {
                    return self.all.get(at + 1).map(String::as_str);
                }
                let attached = flag.len() == 2 && !word.starts_with("--");
                let rest = word.strip_prefix(flag)?;
                rest.strip_prefix('=').or(attached.then_some(rest))
            })
        })
    }

    /// The operand behind some words.
    fn after(&self, words: &[&str]) -> Option<&str> {
        let at = self.all.windows(words.len()).position(|some| some.iter().zip(words).all(|(a, b)| a == b))?;
        self.all[at + words.len()..].iter().map(String::as_str).find(|w| !w.starts_with('-'))
    }

    /// The first operands.
    fn first(&self) -> &str {
        self.all.iter().map(String::as_str).find(|w| !w.starts_with('-')).unwrap_or_default()
    }
}

/// The store that a command would have print a secret.
pub(super) fn of(argv: &[Word]) -> Option<Source> {
    let words = Words { all: argv.iter().skip(1).map(Word::show).collect() };
    if words.has(&["--help", "-h"]) && program_of(argv) != "security" {
        return None;
    }
    let (what, quiet) = match program_of(argv) {
        "kubectl" | "oc" => kubernetes(&words)?,
        "vault" | "bao" => vault(&words)?,
        "aws" => aws(&words)?,
        "gcloud" => gcloud(&words)?,
        "az" => azure(&words)?,
        "gh" | "glab" => forge(program_of(argv), &words)?,
        "git" => {
            let fills = words.says(&["credential", "fill"]) || words.says(&["credential-store", "get"]);
            fills.then(|| {
                ("what git's credential helper answers".to_owned(), "git config --get credential.helper".to_owned())
            })?
        }
        name => others(name, &words)?,
    };
    let quiet = if quiet.is_empty() { Vec::new() } else { vec![quiet] };
    Some(Source::of(Kind::Manager { what, quiet }))
}

type Told = Option<(String, String)>;

fn told(what: impl Into<String>, quiet: impl Into<String>) -> Told {
    Some((what.into(), quiet.into()))
}

fn kubernetes(words: &Words) -> Told {
    if words.says(&["config", "view"]) && words.has(&["--raw"]) {
        return told("the credentials of the cluster configuration", "kubectl config get-contexts");
    }
    if words.says(&["create", "token"]) {
        return told("a token of a service account", "kubectl get serviceaccounts");
    }
    let kind = words.after(&["get"])?;
    let (kind, name) = kind.split_once('/').unwrap_or((kind, ""));
    let lists = kind.split(',').any(|k| matches!(k, "secret" | "secrets" | "secret.v1" | "secrets.v1"));
    let output = words.value(&["-o", "--output"]).unwrap_or_default();
    let template = words.value(&["--template"]).unwrap_or_default();
    let shows = output.starts_with("yaml")
        || output.starts_with("json") && !output.starts_with("jsonpath")
        || [output, template].iter().any(|t| t.contains(".data") || t.contains("\"data\""));
    if !lists || !shows {
        return None;
    }
    let name = if name.is_empty() {
        words.after(&["get", kind]).filter(|n| !n.contains(['=', '{'])).unwrap_or_default()
    } else {
        name
    };
    let space = words.value(&["-n", "--namespace"]).map(|n| format!(" -n {}", quote(n))).unwrap_or_default();
    let name = if name.is_empty() || name == output { String::new() } else { format!(" {}", quote(name)) };
    told("the values of a Kubernetes secret", format!("kubectl describe secret{name}{space}"))
}

fn vault(words: &Words) -> Told {
    if words.says(&["kv", "get"]) || words.first() == "read" {
        let path = words.after(&["get"]).or_else(|| words.after(&["read"])).unwrap_or("secret");
        return told("a secret of the vault", format!("vault kv metadata get {}", quote(path)));
    }
    if words.says(&["print", "token"]) || words.says(&["token", "create"]) {
        return told("a token of the vault", "vault status");
    }
    None
}

fn aws(words: &Words) -> Told {
    // A query that names nothing of the value prints none.
    let query = words.value(&["--query"]).unwrap_or("Value SecretString").to_ascii_lowercase();
    let valued = ["value", "secret", "plaintext", "token", "key"].iter().any(|w| query.contains(w))
        || query == "@"
        || query == "*";
    if words.says(&["secretsmanager", "get-secret-value"]) || words.says(&["secretsmanager", "batch-get-secret-value"])
    {
        let id = words.value(&["--secret-id"]).map(|id| format!(" --secret-id {}", quote(id))).unwrap_or_default();
        return told("a secret of the secrets manager", format!("aws secretsmanager describe-secret{id}"))
            .filter(|_| valued);
    }
    let parameter = ["get-parameter", "get-parameters", "get-parameters-by-path", "get-parameter-history"];
    if parameter.iter().any(|verb| words.says(&["ssm", verb])) && words.has(&["--with-decryption"]) {
        return told("a decrypted parameter", "aws ssm describe-parameters").filter(|_| valued);
    }
    let others: [&[&str]; 9] = [
        &["configure", "export-credentials"],
        &["sts", "get-session-token"],
        &["sts", "assume-role"],
        &["ecr", "get-login-password"],
        &["ecr-public", "get-login-password"],
        &["eks", "get-token"],
        &["iam", "create-access-key"],
        &["kms", "decrypt"],
        &["rds", "generate-db-auth-token"],
    ];
    if others.iter().any(|call| words.says(call)) {
        return told("credentials of the cloud", "aws sts get-caller-identity").filter(|_| valued);
    }
    let asked = words
        .after(&["configure", "get"])
        .is_some_and(|name| name.ends_with("secret_access_key") || name.ends_with("session_token"));
    asked.then(|| ("credentials of the cloud".to_owned(), "aws sts get-caller-identity".to_owned()))
}

fn gcloud(words: &Words) -> Told {
    if words.says(&["secrets", "versions", "access"]) {
        let name = words.value(&["--secret"]).map(|n| format!(" {}", quote(n))).unwrap_or_default();
        let quiet = if name.is_empty() {
            "gcloud secrets list".to_owned()
        } else {
            format!("gcloud secrets versions list{name}")
        };
        let kept = words.has(&["--out-file"]);
        return told("a secret of the secret manager", quiet).filter(|_| !kept);
    }
    let prints = ["print-access-token", "print-identity-token", "print-refresh-token"];
    let token = words.all.iter().any(|w| prints.contains(&w.as_str())) || words.says(&["sql", "generate-login-token"]);
    token.then(|| ("an access token".to_owned(), "gcloud auth list".to_owned()))
}

fn azure(words: &Words) -> Told {
    let query = words.value(&["--query"]).map(str::to_ascii_lowercase);
    let valued =
        query.is_none_or(|q| ["value", "pass", "token", "key", "secret", "connection"].iter().any(|w| q.contains(w)));
    let calls: [&[&str]; 7] = [
        &["keyvault", "secret", "show"],
        &["account", "get-access-token"],
        &["acr", "credential", "show"],
        &["account", "keys", "list"],
        &["account", "show-connection-string"],
        &["ad", "sp", "create-for-rbac"],
        &["list-publishing-credentials"],
    ];
    let quiet = if words.says(&["keyvault"]) { "az keyvault list" } else { "az account show" };
    (valued && calls.iter().any(|call| words.says(call)))
        .then(|| ("a secret of the cloud".to_owned(), quiet.to_owned()))
}

fn forge(program: &str, words: &Words) -> Told {
    let token = words.says(&["auth", "token"])
        || words.says(&["auth", "status"]) && words.has(&["-t", "--show-token"])
        || words.says(&["config", "get"]) && words.has(&["token", "oauth_token"]);
    token.then(|| (format!("the token of {program}"), format!("{program} auth status")))
}

fn others(program: &str, words: &Words) -> Told {
    let first = words.first();
    match program {
        "op" => {
            let read = words.first() == "read" && !words.has(&["-o", "--out-file"]);
            let item = words.says(&["item", "get"])
                && (words.has(&["--reveal", "--fields", "--otp"]) || words.value(&["--format"]) == Some("json"));
            let bare = words.says(&["item", "get"]) && !words.has(&["--reveal"]);
            let inject = first == "inject" && !words.has(&["-o", "--out-file"]);
            (read || item || bare || inject).then(|| ("an item of the vault".to_owned(), "op item list".to_owned()))
        }
        "pass" | "gopass" => {
            const VERBS: &[&str] = &[
                "ls", "list", "find", "search", "grep", "insert", "add", "edit", "generate", "rm", "remove", "delete",
                "mv", "rename", "cp", "copy", "git", "init", "help", "version", "otp", "sync", "",
            ];
            let clip = words.has(&["-c", "--clip", "-q", "--qrcode"]) || words.all.iter().any(|w| w.starts_with("-c"));
            (!VERBS.contains(&first) && !clip)
                .then(|| ("a secret of the password store".to_owned(), "pass ls".to_owned()))
        }
        "bw" | "rbw" => (first == "get"
            && !matches!(words.after(&["get"]), Some("template" | "organization" | "fingerprint")))
        .then(|| ("an item of the vault".to_owned(), format!("{program} status"))),
        "lpass" => (first == "show" && !words.has(&["-c", "--clip", "--username", "--name", "--id"]))
            .then(|| ("an item of the vault".to_owned(), "lpass ls".to_owned())),
        "secret-tool" => (first == "lookup").then(|| ("a secret of the keyring".to_owned(), String::new())),
        "keyring" => (first == "get").then(|| ("a secret of the keyring".to_owned(), String::new())),
        "security" => (first.starts_with("find-") && words.has(&["-w", "-g"]))
            .then(|| ("a password of the keychain".to_owned(), String::new())),
        "sops" => {
            let decrypts = words.has(&["-d", "--decrypt"]) || first == "decrypt";
            let kept = words.has(&["-i", "--in-place", "--output"]);
            (decrypts && !kept).then(|| ("a decrypted file".to_owned(), String::new()))
        }
        "ansible-vault" => (first == "view" || first == "decrypt" && words.value(&["--output"]) == Some("-"))
            .then(|| ("a decrypted file".to_owned(), String::new())),
        "doppler" => {
            let shows = words.says(&["secrets", "get"])
                || words.says(&["secrets", "download"]) && words.has(&["--no-file"])
                || words.all == ["secrets"];
            shows.then(|| ("secrets of the manager".to_owned(), "doppler secrets --only-names".to_owned()))
        }
        "infisical" => (matches!(first, "export" | "secrets") && !words.has(&["set"]))
            .then(|| ("secrets of the manager".to_owned(), String::new())),
        "heroku" => {
            let shows = first == "config" || first == "config:get";
            shows.then(|| ("the configuration with its secrets".to_owned(), "heroku apps".to_owned()))
        }
        "terraform" | "tofu" => {
            let raw = first == "output"
                && words.has(&["-raw"])
                && words.all.iter().any(|w| super::source::is_secret_variable(&w.to_ascii_uppercase()));
            raw.then(|| ("sensitive values of the state".to_owned(), format!("{program} state list")))
        }
        "redis-cli" | "valkey-cli" => {
            let asked = words.all.windows(3).any(|w| {
                w[0].eq_ignore_ascii_case("config")
                    && w[1].eq_ignore_ascii_case("get")
                    && matches!(w[2].as_str(), "requirepass" | "masterauth" | "*")
            });
            asked.then(|| ("the password of the server".to_owned(), format!("{program} ping")))
        }
        "openssl" => {
            let key = matches!(first, "rsa" | "pkey" | "ec")
                && words.has(&["-in"])
                && !words.has(&["-noout", "-pubout", "-out", "-check"]);
            let bundle = first == "pkcs12" && words.has(&["-nodes", "-noenc"]) && !words.has(&["-out", "-nokeys"]);
            (key || bundle).then(|| ("a private key".to_owned(), String::new()))
        }
        "gpg" | "gpg2" => (words.has(&["--export-secret-keys", "--export-secret-subkeys"])
            && !words.has(&["-o", "--output"]))
        .then(|| ("a private key".to_owned(), "gpg --list-secret-keys".to_owned())),
        "npm" => (words.says(&["config", "get"])
            && words.all.iter().any(|w| w.contains("_auth") || w.contains("token")))
        .then(|| ("the token of the registry".to_owned(), "npm whoami".to_owned())),
        "systemctl" => {
            let property = words.value(&["-p", "--property"]).unwrap_or_default();
            (first == "show" && property.contains("Environment") && !property.contains("EnvironmentFile"))
                .then(|| ("the environment of a unit".to_owned(), String::new()))
        }
        _ => None,
    }
}
