//! Restarting the container engine restarts its containers as they were made.

use coroner_model::effect::EffectKind;
use coroner_read::shell::Word;

use super::docker::Containers;
use super::{Plan, Target};

pub(super) fn plan(out: &mut Plan<'_>) {
    let words: Vec<&str> =
        out.call.argv[1..].iter().filter_map(Word::as_literal).filter(|w| !w.starts_with('-')).collect();
    let restarts = words.iter().any(|w| matches!(*w, "restart" | "try-restart" | "force-reload"));
    let engine = words.iter().any(|w| matches!(w.trim_end_matches(".service"), "docker" | "containerd" | "podman"));
    if restarts && engine {
        let containers = Containers { names: Vec::new(), all: true, place: out.place() };
        out.push(EffectKind::RestartContainer, Target::Containers(containers));
    }
}
