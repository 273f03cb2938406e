//! What keeps others out and records what happened: switched off, or opened to everybody.

use coroner_model::effect::{Circumstance, EffectKind};
use coroner_read::shell::{RedirectKind, Word, program_of};

use super::Plan;
use super::named::Named;

/// Services that confine, ban or record.
const WATCHERS: &[&str] =
    &["apparmor", "auditd", "fail2ban", "crowdsec", "falco", "osqueryd", "wazuh-agent", "clamav-daemon"];

/// Files that say who may become whom.
const TRUST: &[&str] = &["/etc/sudoers", "/etc/sudoers.d/", "/etc/doas.conf", "/etc/pam.d/", "/etc/selinux/config"];

/// Addresses that are everybody's.
const EVERYWHERE: &[&str] = &["0.0.0.0/0", "::/0"];

/// Ports that are meant for everybody.
const PUBLIC_PORTS: &[&str] = &["80", "443", "tcp:80", "tcp:443", "tcp:80,tcp:443"];

pub(super) fn plan(out: &mut Plan<'_>, argv: &[Word]) {
    let words: Vec<String> = argv.iter().skip(1).map(Word::show).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let has = |word: &str| words.contains(&word);
    if has("--help") || has("help") || has("--dry-run") || has("--dryrun") || has("--what-if") {
        return;
    }
    let would = match program_of(argv) {
        "setenforce" if words.iter().any(|w| matches!(*w, "0" | "Permissive" | "permissive")) => {
            Some("stop confining what runs on the host")
        }
        "aa-teardown" | "aa-disable" | "aa-complain" => Some("stop confining what runs on the host"),
        "apparmor_parser" if has("-R") || has("--remove") => Some("stop confining what runs on the host"),
        "auditctl" if has("-D") || words.windows(2).any(|w| w == ["-e", "0"]) => {
            Some("stop recording what happens on the host")
        }
        "systemctl" | "service" => watcher(&words),
        "aws" => aws(&words),
        "gcloud" | "gsutil" => gcloud(&words),
        "az" => az(&words),
        "kubectl" | "oc" => {
            (has("clusterrolebinding") && has("create") && words.iter().any(|w| w.contains("cluster-admin")))
                .then_some("make somebody master of the whole cluster")
        }
        "chmod" => sets_user(&words),
        _ => None,
    };
    if let Some(would) = would {
        weaken(out, words.join(" "), would);
    }
}

/// Files of trust that a command would write to, other than to read them.
pub(super) fn written(out: &mut Plan<'_>) {
    let call = out.call;
    let is_trust = |path: &str| TRUST.iter().any(|t| path == *t || t.ends_with('/') && path.starts_with(t));
    let at = |word: &Word| {
        coroner_read::shell::join(&call.cwd, word).as_literal().filter(|p| is_trust(p)).map(str::to_owned)
    };
    let redirected = call.redirects.iter().filter(|r| r.kind != RedirectKind::Read).find_map(|r| at(&r.target));
    let named = || match call.program() {
        "tee" => call.argv[1..].iter().find_map(at),
        "sed" | "perl"
            if call.argv.iter().any(|w| {
                w.prefix().starts_with("-i") || w.prefix().starts_with("--in-place") || w.prefix().starts_with("-pi")
            }) =>
        {
            call.argv[1..].iter().find_map(at)
        }
        "cp" | "mv" | "install" | "ln" | "truncate" | "dd" => call.argv.last().and_then(at),
        _ => None,
    };
    if let Some(path) = redirected.or_else(named) {
        weaken(out, path, "change who may become whom on this host");
    }
}

fn weaken(out: &mut Plan<'_>, name: impl Into<String>, would: &str) {
    out.named(EffectKind::WeakenProtection, Named::of(name, would).with(Circumstance::OpensToAll));
}

fn watcher(words: &[&str]) -> Option<&'static str> {
    let stops = words.iter().any(|w| matches!(*w, "stop" | "disable" | "mask" | "kill"));
    let watches = words.iter().any(|w| WATCHERS.contains(&w.trim_end_matches(".service")));
    (stops && watches).then_some("stop what confines, bans or records on this host")
}

/// A set-user bit, by which whoever starts the file becomes its owner.
fn sets_user(words: &[&str]) -> Option<&'static str> {
    let mode = words.iter().find(|w| !w.starts_with('-'))?;
    let octal =
        mode.len() == 4 && mode.chars().all(|c| c.is_digit(8)) && matches!(mode.as_bytes()[0], b'4' | b'6' | b'7');
    let named = mode.split(',').any(|part| {
        part.split_once(['+', '='])
            .is_some_and(|(who, what)| what.contains('s') && (who.is_empty() || who.contains(['u', 'a'])))
    });
    (octal || named).then_some("let whoever starts the file become its owner")
}

fn aws(words: &[&str]) -> Option<&'static str> {
    let value = |option: &str| words.windows(2).find(|w| w[0] == option).map(|w| w[1]);
    let everywhere = || words.iter().any(|w| EVERYWHERE.iter().any(|e| w.contains(e)));
    let port = || value("--port").is_some_and(|p| PUBLIC_PORTS.contains(&p));
    let (service, action) = (
        words.iter().find(|w| !w.starts_with('-')).copied()?,
        words.iter().filter(|w| !w.starts_with('-')).nth(1).copied()?,
    );
    match (service, action) {
        ("ec2", "authorize-security-group-ingress" | "modify-security-group-rules") if everywhere() && !port() => {
            Some("open a port of the cloud to everybody")
        }
        ("ec2", "authorize-security-group-ingress")
            if words.iter().any(|w| w.contains("IpRanges") && w.contains("0.0.0.0")) =>
        {
            Some("open a port of the cloud to everybody")
        }
        ("iam", "attach-user-policy" | "attach-role-policy" | "attach-group-policy")
            if words.iter().any(|w| {
                w.ends_with("AdministratorAccess") || w.ends_with("FullAccess") || w.ends_with("PowerUserAccess")
            }) =>
        {
            Some("make somebody master of the account")
        }
        (
            "iam",
            "put-user-policy"
            | "put-role-policy"
            | "put-group-policy"
            | "update-assume-role-policy"
            | "create-policy-version",
        ) => Some("change what somebody may do in the account"),
        ("iam", "create-access-key" | "create-login-profile") => Some("make a key that outlives this session"),
        ("iam", "deactivate-mfa-device" | "delete-account-password-policy") => Some("take a second factor away"),
        ("s3api", "put-bucket-acl" | "put-object-acl")
            if words.iter().any(|w| w.starts_with("public-read") || w.contains("AllUsers")) =>
        {
            Some("show what a bucket holds to everybody")
        }
        ("s3api", "put-public-access-block") if words.iter().any(|w| w.to_ascii_lowercase().contains("=false")) => {
            Some("let a bucket be shown to everybody")
        }
        ("s3api", "delete-public-access-block" | "put-bucket-policy" | "put-bucket-lifecycle-configuration") => {
            Some("change who may read a bucket and how long it keeps")
        }
        ("s3api", "put-bucket-versioning") if words.iter().any(|w| w.contains("Suspended")) => {
            Some("keep no older versions of objects")
        }
        ("cloudtrail", "stop-logging" | "put-event-selectors")
        | ("guardduty", "update-detector")
        | ("config", "stop-configuration-recorder") => Some("stop recording what happens in the account"),
        ("lambda", "add-permission") if value("--principal") == Some("*") => Some("let everybody call a function"),
        ("rds", "modify-db-instance")
            if words.contains(&"--publicly-accessible") || words.contains(&"--no-deletion-protection") =>
        {
            Some("take the protection of a database away")
        }
        ("ec2" | "elbv2" | "rds" | "dynamodb" | "cognito-idp", action)
            if action.starts_with("modify-") || action.starts_with("update-") =>
        {
            let off = words.iter().any(|w| {
                matches!(
                    *w,
                    "--no-deletion-protection" | "--no-deletion-protection-enabled" | "--no-disable-api-termination"
                )
            });
            off.then_some("take the protection against deleting away")
        }
        _ => None,
    }
}

fn gcloud(words: &[&str]) -> Option<&'static str> {
    let has = |word: &str| words.contains(&word);
    let anybody = words.iter().any(|w| w.contains("allUsers") || w.contains("allAuthenticatedUsers"));
    if words.iter().any(|w| *w == "add-iam-policy-binding" || *w == "iam" || *w == "acl") && anybody {
        return Some("open a resource of the cloud to everybody");
    }
    if has("add-iam-policy-binding")
        && words.iter().any(|w| {
            w.ends_with("roles/owner") || w.ends_with("roles/editor") || w.to_ascii_lowercase().ends_with("admin")
        })
    {
        return Some("make somebody master of the project");
    }
    if has("service-accounts") && has("keys") && has("create") {
        return Some("make a key that outlives this session");
    }
    let rule = has("firewall-rules") && (has("create") || has("update"));
    let sources: Vec<&&str> =
        words.iter().filter(|w| w.contains("source-ranges") || EVERYWHERE.iter().any(|e| w.contains(e))).collect();
    let wide = sources.iter().any(|w| EVERYWHERE.iter().any(|e| w.contains(e)));
    let public = words.iter().any(|w| w.strip_prefix("--allow=").is_some_and(|p| PUBLIC_PORTS.contains(&p)))
        || words.windows(2).any(|w| w[0] == "--allow" && PUBLIC_PORTS.contains(&w[1]));
    (rule && wide && !public).then_some("open a port of the cloud to everybody")
}

fn az(words: &[&str]) -> Option<&'static str> {
    let has = |word: &str| words.contains(&word);
    let value = |option: &str| words.windows(2).find(|w| w[0] == option).map(|w| w[1]);
    if has("assignment")
        && has("create")
        && matches!(value("--role"), Some("Owner" | "Contributor" | "User Access Administrator"))
    {
        return Some("make somebody master of the subscription");
    }
    let wide = words.iter().any(|w| EVERYWHERE.contains(w) || matches!(*w, "*" | "Internet"));
    let public = words.windows(2).any(|w| w[0].starts_with("--destination-port") && PUBLIC_PORTS.contains(&w[1]));
    if has("nsg") && has("rule") && (has("create") || has("update")) && wide && !public && !has("Deny") {
        return Some("open a port of the cloud to everybody");
    }
    if has("credential") && has("reset") || has("create-for-rbac") {
        return Some("make a key that outlives this session");
    }
    (has("--allow-blob-public-access")
        && words.windows(2).any(|w| w[0] == "--allow-blob-public-access" && w[1] == "true"))
    .then_some("show what a store holds to everybody")
}
