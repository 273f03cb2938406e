//! Accounts of the host that are locked, removed or logged out, and with them who works there.

use coroner_model::effect::{Circumstance, EffectKind};
use coroner_read::shell::Word;

use super::named::{Named, shown};
use super::options::{Options, Order};
use super::{Extent, Plan};

const VALUED: &[&str] = &[
    "-s",
    "--shell",
    "-e",
    "--expiredate",
    "-E",
    "-g",
    "--gid",
    "-G",
    "--groups",
    "-d",
    "--home",
    "-c",
    "--comment",
    "-u",
    "--uid",
    "-l",
    "--login",
    "-n",
    "-x",
    "-w",
    "-i",
    "-p",
    "--password",
];

pub(super) fn plan(out: &mut Plan<'_>) {
    let program = out.call.program();
    let words = &out.call.argv[1..];
    // `-l` locks for `passwd`, and takes a name for `usermod`.
    let valued: &[&str] = match program {
        "passwd" => &["-n", "-x", "-w", "-i"],
        "chage" => &["-E", "--expiredate", "-M", "-m", "-W", "-I", "-d"],
        _ => VALUED,
    };
    let options = Options::read(words, valued, Order::Mixed);
    if options.has(&["--help"]) {
        return;
    }
    let who = shown(&options.operands);
    match program {
        "userdel" | "deluser" => {
            if options.has(&["-r", "--remove"]) || options.has(&["--remove-home", "--remove-all-files"]) {
                for user in &options.operands {
                    let home = coroner_read::shell::join(&Word::literal("/home"), user);
                    out.paths(EffectKind::Delete, &home, Extent::Tree, None);
                }
            }
            // `deluser USER GROUP` takes one group away.
            if program == "userdel" || options.operands.len() == 1 {
                locks(out, &who);
            }
        }
        "passwd" if options.has(&["-l", "--lock"]) || options.has(&["-d", "--delete"]) => locks(out, &who),
        "usermod" => {
            let shell = options.value(&["-s", "--shell"]).map(Word::show).unwrap_or_default();
            let expired = options.value(&["-e", "--expiredate"]).map(Word::show);
            if options.has(&["-L", "--lock"])
                || ["/nologin", "/false"].iter().any(|end| shell.ends_with(end))
                || expired.is_some_and(|day| matches!(day.as_str(), "0" | "1" | "1970-01-01" | "1970-01-02"))
            {
                locks(out, &who);
            }
        }
        "chage" if options.value(&["-E", "--expiredate"]).is_some_and(|day| day.as_literal() == Some("0")) => {
            locks(out, &who);
        }
        "loginctl" => ends_sessions(out, &options),
        _ => {}
    }
}

fn locks(out: &mut Plan<'_>, who: &str) {
    let named = Named::of(who, format!("lock {who} out of this host")).with(Circumstance::WholeHost);
    out.named(EffectKind::StopService, named);
}

/// `loginctl terminate-user dev` ends everything that runs for it, the agent as well.
fn ends_sessions(out: &mut Plan<'_>, options: &Options) {
    let verb = options.operands.first().and_then(Word::as_literal).unwrap_or_default();
    if matches!(verb, "terminate-user" | "kill-user" | "terminate-session" | "kill-session" | "terminate-seat") {
        let who = shown(options.operands.get(1..).unwrap_or_default());
        let named = Named::of(who.clone(), format!("end every process of {who}")).with(Circumstance::Everything);
        out.named(EffectKind::KillProcess, named);
    }
}
