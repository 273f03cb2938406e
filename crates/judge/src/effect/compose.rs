//! `docker compose` and `docker-compose`: services restarted, made anew, taken down.

use coroner_model::effect::EffectKind;
use coroner_read::shell::{Word, join};

use super::options::{Options, Order};
use super::{Place, Plan, Target};

/// What a compose command is about.
#[derive(Clone, Debug, PartialEq)]
pub struct ComposeTarget {
    /// Services that are named; empty: all of the project.
    pub services: Vec<Word>,
    /// Files given with `-f`, absolute where known.
    pub files: Vec<Word>,
    pub project: Option<Word>,
    /// Where the project is looked for.
    pub directory: Word,
    pub env_files: Vec<Word>,
    pub place: Place,
}

const GLOBAL: &[&str] = &[
    "-f",
    "--file",
    "-p",
    "--project-name",
    "--project-directory",
    "--profile",
    "--env-file",
    "--ansi",
    "--parallel",
    "--progress",
    "-H",
    "--host",
    "-c",
    "--context",
    "--log-level",
];

/// Reads the words after `compose`.
pub(super) fn plan(out: &mut Plan<'_>, words: &[Word]) {
    let globals = Options::read(words, GLOBAL, Order::First);
    let Some((verb, rest)) = globals.operands.split_first() else { return };
    if globals.has(&["--dry-run"]) {
        return;
    }
    let valued = [
        "-t",
        "--timeout",
        "--scale",
        "--wait-timeout",
        "--rmi",
        "--pull",
        "--exit-code-from",
        "-s",
        "--signal",
        "--attach",
        "--no-attach",
    ];
    let removes = verb.as_literal() == Some("rm");
    // For `rm`, `-s` stops first and takes no value.
    let options = Options::read(rest, if removes { &[] } else { &valued }, Order::Mixed);
    if options.has(&["--dry-run"]) {
        return;
    }
    let target = target(out, &globals, options.operands.clone());
    let mut push = |kind| out.push(kind, Target::Compose(target.clone()));
    match verb.as_literal().unwrap_or_default() {
        "restart" | "start" => push(EffectKind::RestartContainer),
        "stop" | "kill" => push(EffectKind::StopService),
        "up" | "create" => {
            push(EffectKind::RecreateContainer);
            if options.has(&["--build"]) {
                push(EffectKind::Download);
            }
        }
        "pull" | "build" => push(EffectKind::Download),
        "down" => {
            if options.has(&["-v", "--volumes"]) {
                push(EffectKind::RemoveVolume);
            }
            push(EffectKind::RemoveContainer);
        }
        "rm" => {
            push(EffectKind::RemoveContainer);
            if options.has(&["-v", "--volumes"]) {
                let named = super::Named::of(
                    target.directory.show(),
                    "remove the unnamed volumes of the services with what they keep",
                )
                .with(coroner_model::effect::Circumstance::Irreversible);
                out.named(EffectKind::RemoveVolume, named);
            }
        }
        _ => {}
    }
}

fn target(out: &Plan<'_>, globals: &Options, services: Vec<Word>) -> ComposeTarget {
    let cwd = &out.call.cwd;
    let files: Vec<Word> = globals.values(&["-f", "--file"]).map(|f| join(cwd, f)).collect();
    let directory =
        globals.value(&["--project-directory"]).map(|d| join(cwd, d)).unwrap_or_else(|| match files.first() {
            // The project's directory is that of its first file.
            Some(file) => join(file, &Word::literal("..")),
            None => cwd.clone(),
        });
    ComposeTarget {
        services,
        env_files: globals.values(&["--env-file"]).map(|f| join(cwd, f)).collect(),
        project: globals.value(&["-p", "--project-name"]).cloned(),
        files,
        directory,
        place: out.place(),
    }
}

impl ComposeTarget {
    /// Whether one of these services is meant; a command that names none means all.
    pub fn names(&self, names: &[&str]) -> bool {
        self.services.is_empty() || self.services.iter().any(|word| names.iter().any(|n| word.as_literal() == Some(*n)))
    }
}
