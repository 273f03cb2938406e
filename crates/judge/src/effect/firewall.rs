//! Rules of the firewall: flushed, or turned against the login that one came by.

use coroner_model::effect::{Circumstance, EffectKind};
use coroner_read::shell::{Invocation, Stdin, Word};

use super::Plan;
use super::named::{Deciding, Named, literals};
use super::options::{Options, Order};

pub(super) fn plan(out: &mut Plan<'_>) {
    let call = out.call;
    let words = &call.argv[1..];
    let locks = match call.program() {
        "iptables" | "ip6tables" | "iptables-nft" | "iptables-legacy" => iptables(words),
        "iptables-restore" | "ip6tables-restore" => {
            let options = Options::read(words, &["-T", "--table", "-w"], Order::Mixed);
            !options.has(&["-t", "--test"]) && !options.has(&["-n", "--noflush"])
        }
        "nft" => nft(words) || nft_text(&call.stdin, words),
        "ufw" => match ufw(words) {
            Some(locks) => locks,
            None => return,
        },
        "firewall-cmd" => {
            let options = Options::read(words, &[], Order::Mixed);
            options.has(&["--panic-on"]) || options.values(&["--remove-service"]).any(|w| w.as_literal() == Some("ssh"))
        }
        _ => return,
    };
    if call.program() == "ufw" && enables(words) {
        let options = Options::read(words, &[], Order::Mixed);
        // `--force` leaves out the question that ufw asks who came by the network.
        let deciding = Deciding::Login { asks: !options.has(&["--force"]) };
        let named = Named::of("firewall", "close every port that no rule opens, that of the login among them");
        return out.named(EffectKind::ChangeFirewall, named.decided_by(deciding));
    }
    let changes = locks || is_change(call.program(), words);
    if changes {
        let named = Named::of("firewall", "change the firewall so that nobody, or everybody, may reach the host")
            .when(locks, Circumstance::WholeHost);
        out.named(EffectKind::ChangeFirewall, named);
    }
}

fn is_change(program: &str, words: &[Word]) -> bool {
    let text = literals(words);
    match program {
        "ufw" => text
            .iter()
            .any(|w| matches!(*w, "allow" | "deny" | "reject" | "limit" | "delete" | "enable" | "default" | "insert")),
        "nft" => text.iter().any(|w| matches!(*w, "add" | "insert" | "delete" | "replace" | "-f")),
        "firewall-cmd" => text.iter().any(|w| w.starts_with("--add") || w.starts_with("--remove")),
        _ => text.iter().any(|w| {
            matches!(*w, "-A" | "-I" | "-D" | "-R" | "-N" | "-X" | "-P" | "--append" | "--insert" | "--delete")
        }),
    }
}

fn iptables(words: &[Word]) -> bool {
    let text = literals(words);
    let after = |names: &[&str]| text.iter().position(|w| names.contains(w)).and_then(|at| text.get(at + 1).copied());
    let target = after(&["-j", "--jump"]);
    let drops = matches!(target, Some("DROP" | "REJECT"));
    if text
        .iter()
        .any(|w| matches!(*w, "-F" | "--flush") || (w.starts_with('-') && !w.starts_with("--") && w.contains('F')))
    {
        return true;
    }
    if let Some(at) = text.iter().position(|w| matches!(*w, "-P" | "--policy")) {
        return matches!(text.get(at + 2), Some(&("DROP" | "REJECT")));
    }
    let adds = text.iter().any(|w| matches!(*w, "-A" | "-I" | "--append" | "--insert"));
    if adds && drops && text.iter().any(|w| matches!(*w, "INPUT" | "OUTPUT" | "FORWARD")) {
        let port = after(&["--dport", "--dports", "--destination-port"]);
        let narrowed = text.iter().any(|w| matches!(*w, "-s" | "--source" | "-d" | "--destination" | "-m" | "--match"));
        return match port {
            Some(port) => port.split(',').any(|p| matches!(p, "22" | "ssh")) && after(&["-s", "--source"]).is_none(),
            None => !narrowed && after(&["-i", "-p"]).is_none(),
        };
    }
    let deletes = text.iter().any(|w| matches!(*w, "-D" | "--delete"));
    deletes && after(&["--dport"]) == Some("22") && target == Some("ACCEPT")
}

fn nft(words: &[Word]) -> bool {
    let options = Options::read(words, &["-f", "--file", "-I", "-D"], Order::Mixed);
    if options.has(&["-c", "--check"]) {
        return false;
    }
    // `nft 'flush ruleset'` is one word, or two.
    let text = options.operands.iter().map(Word::show).collect::<Vec<_>>().join(" ");
    let words: Vec<&str> = text.split_whitespace().collect();
    matches!(words.as_slice(), ["flush", "ruleset" | "table" | "chain", ..] | ["delete", "table" | "chain", ..])
}

/// `nft -f -` reads rules, one a line.
fn nft_text(stdin: &Stdin, words: &[Word]) -> bool {
    let reads = literals(words).windows(2).any(|w| matches!(w, ["-f" | "--file", "-"]));
    match stdin {
        Stdin::Text(text) if reads => {
            text.show().lines().any(|line| nft(&line.split_whitespace().map(Word::literal).collect::<Vec<_>>()))
        }
        _ => false,
    }
}

fn enables(words: &[Word]) -> bool {
    let options = Options::read(words, &[], Order::Mixed);
    literals(&options.operands) == ["enable"] && !options.has(&["--dry-run"])
}

/// Whether a call opens the port of the login.
pub(crate) fn lets_in(call: &Invocation) -> bool {
    let words = call.argv.get(1..).unwrap_or_default();
    let text = literals(words);
    let opens = text.iter().any(|w| matches!(*w, "allow" | "limit")) && !text.contains(&"delete");
    call.program() == "ufw" && opens && text.iter().any(|w| names_login(w))
}

fn names_login(word: &str) -> bool {
    matches!(word, "22" | "22/tcp" | "ssh" | "OpenSSH")
}

/// `None` where nothing changes.
fn ufw(words: &[Word]) -> Option<bool> {
    let options = Options::read(words, &[], Order::Mixed);
    if options.has(&["--dry-run"]) {
        return None;
    }
    let text = literals(&options.operands);
    let ssh = |rest: &[&str]| rest.iter().any(|w| names_login(w));
    let from = text.contains(&"from");
    match text.as_slice() {
        ["disable" | "reset", ..] => Some(true),
        ["deny" | "reject", rest @ ..] => Some(ssh(rest) && !from),
        ["delete", rest @ ..] => Some(rest.contains(&"allow") && ssh(rest)),
        ["insert", _, rest @ ..] => Some(rest.contains(&"deny") && ssh(rest) && !from),
        ["status" | "show" | "version" | "app", ..] | [] => None,
        _ => Some(false),
    }
}
