//! `restic`, `borg` and their like: backups forgotten, locks broken. `logrotate -f` and `journalctl --vacuum`: logs.

use coroner_model::effect::{Circumstance, EffectKind, TargetClass};
use coroner_read::shell::Word;

use super::Plan;
use super::named::{Named, literals};
use super::options::{Options, Order};

pub(super) fn plan(out: &mut Plan<'_>) {
    match out.call.program() {
        "restic" => restic(out),
        "borg" | "borgmatic" => borg(out),
        "logrotate" => {
            let options =
                Options::read(&out.call.argv[1..], &["-s", "--state", "-m", "--mail", "-l", "--log"], Order::Mixed);
            if options.has(&["-f", "--force"]) && !options.has(&["-d", "--debug"]) {
                logs(out, "rotate every log now, and delete the oldest");
            }
        }
        "journalctl" => {
            let options = Options::read(
                &out.call.argv[1..],
                &["-u", "--unit", "-n", "--lines", "-S", "-U", "-o", "-p", "-t"],
                Order::Mixed,
            );
            let vacuums = options.flags.iter().filter(|(flag, _)| flag.starts_with("--vacuum-"));
            let kept = |(flag, value): &(String, Option<Word>)| {
                let value = value.as_ref().or(options.operands.first()).map(Word::show).unwrap_or_default();
                keeps(flag, &value)
            };
            if !vacuums.clone().all(kept) && !options.has(&["--help"]) {
                logs(out, "delete what the journal holds");
            }
        }
        _ => {}
    }
}

/// Whether a limit of the journal leaves what somebody may still look for.
fn keeps(flag: &str, value: &str) -> bool {
    let at = value.find(|c: char| !c.is_ascii_digit()).unwrap_or(value.len());
    let (number, unit) = (value[..at].parse::<u64>().unwrap_or(0), &value[at..]);
    match flag {
        "--vacuum-size" => match unit {
            "M" | "MB" => number >= 100,
            unit => number > 0 && unit.starts_with(['G', 'T']),
        },
        "--vacuum-time" => number > 0 && ["d", "w", "y", "month"].iter().any(|start| unit.starts_with(start)),
        "--vacuum-files" => number > 1,
        _ => false,
    }
}

fn restic(out: &mut Plan<'_>) {
    let valued = [
        "-r",
        "--repo",
        "-p",
        "--password-file",
        "--repository-file",
        "-o",
        "--option",
        "--tag",
        "--host",
        "--path",
        "--keep-last",
        "-l",
        "--keep-hourly",
        "-H",
        "--keep-daily",
        "-d",
        "--keep-weekly",
        "-w",
        "--keep-monthly",
        "-m",
        "--keep-yearly",
        "-y",
        "--keep-within",
        "--keep-tag",
        "--group-by",
        "-g",
        "--cache-dir",
    ];
    let options = Options::read(&out.call.argv[1..], &valued, Order::Mixed);
    if options.has(&["-n", "--dry-run"]) || options.has(&["--help"]) {
        return;
    }
    let repository = options.value(&["-r", "--repo"]).map(Word::show);
    let would = match literals(&options.operands).as_slice() {
        ["forget", ..] => "forget snapshots of a backup",
        ["unlock", ..] if options.has(&["--remove-all"]) => "break locks that a running backup may hold",
        ["key", "remove", ..] => "remove a key of a backup",
        ["rewrite", ..] if options.has(&["--forget"]) => "replace snapshots of a backup",
        _ => return,
    };
    lose(out, repository, would);
}

fn borg(out: &mut Plan<'_>) {
    let valued = [
        "-r",
        "--repo",
        "-a",
        "--glob-archives",
        "-P",
        "--prefix",
        "-d",
        "--keep-daily",
        "-w",
        "--keep-weekly",
        "-m",
        "--keep-monthly",
        "-y",
        "--keep-yearly",
        "--keep-hourly",
        "-H",
        "--keep-last",
        "--keep-within",
        "--rsh",
        "--first",
        "--last",
        "--keep-minutely",
        "--keep-secondly",
        "--remote-path",
        "-c",
        "--config",
    ];
    let options = Options::read(&out.call.argv[1..], &valued, Order::Mixed);
    if options.has(&["-n", "--dry-run"]) || options.has(&["--help"]) {
        return;
    }
    let repository =
        options.operands.get(1).map(Word::show).or_else(|| options.value(&["-r", "--repo"]).map(Word::show));
    let would = match literals(&options.operands).first().copied().unwrap_or_default() {
        "delete" | "rdelete" | "repo-delete" => "delete a backup",
        "prune" => "delete archives of a backup",
        "break-lock" => "break a lock that a running backup may hold",
        _ => return,
    };
    lose(out, repository, would);
}

fn lose(out: &mut Plan<'_>, repository: Option<String>, would: &str) {
    let name = repository.unwrap_or_else(|| "the configured repository".to_owned());
    let named = Named::of(name, would).of_class(TargetClass::Backup).with(Circumstance::Irreversible);
    out.named(EffectKind::Prune, named);
}

fn logs(out: &mut Plan<'_>, would: &str) {
    let named = Named::of("logs", would).of_class(TargetClass::Evidence).with(Circumstance::Irreversible);
    out.named(EffectKind::Truncate, named);
}
