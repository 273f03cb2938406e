//! After a denial: is this another road to the same harm?
//!
//! Effects are compared, not spellings. What counts is that the same kind of harm would be done to
//! the same thing and that the state still calls it harm: a dry run has no effect, what was offered
//! instead no harm, and another target is another matter.

use coroner_model::PatternId;
use coroner_model::effect::{Circumstance, Effect, EffectKind, TargetClass};
use coroner_model::journal::Denial;
use coroner_model::permission::{Permission, PermissionAnswer, PermissionFinding, PermissionRequest, Strength};
use coroner_read::shell;

use super::reason::REASON_CHARS_MAX;
use super::view::View;
use super::{Action, Judged, action};
use crate::effect::path::below;
use crate::pattern::Library;

/// The pattern that reports it.
pub const PATTERN: &str = "guard-evasion";
/// Most live paths that an effect names.
const TOUCHES_MAX: usize = 16;
/// Most effects of one denial that are remembered.
const EFFECTS_MAX: usize = 32;

/// Notes which live paths and volumes each effect would hit, so that other roads can be compared.
pub(super) fn touch(view: &View<'_>, judged: &mut [Judged]) {
    for one in judged.iter_mut().filter(|j| j.effect.class.contains(&TargetClass::LiveData)) {
        let target = one.effect.target.trim_end_matches(['/', '*']).to_owned();
        let named = |path: &str, volume: Option<&str>| volume == Some(target.as_str()) || is_related(path, &target);
        let mut touches: Vec<String> = view
            .live
            .iter()
            .filter(|live| named(&live.path, live.volume.as_deref()))
            .map(|live| live.path.clone())
            .chain(
                view.scene.volumes.iter().filter(|v| named(&v.mountpoint, Some(&v.name))).map(|v| v.mountpoint.clone()),
            )
            .collect();
        touches.sort();
        touches.dedup();
        touches.truncate(TOUCHES_MAX);
        one.effect.touches = touches;
    }
}

/// Whether a text only defines aliases, functions and variables, which later calls may use.
pub fn is_definition(command: &str) -> bool {
    let nothing = std::collections::BTreeMap::new();
    let script = shell::read(command, &shell::Context { cwd: "/", env: &nothing, files: &nothing });
    script.invocations.is_empty() && script.limits.is_empty() && !command.trim().is_empty()
}

/// The effects for which an answer denies.
pub fn denied_effects(answer: &PermissionAnswer, library: &Library) -> Vec<Effect> {
    let denies = |effect: &Effect| {
        library
            .iter()
            .flat_map(|p| &p.header.when.effect)
            .any(|row| row.permission == Strength::Deny && row.matches(effect))
    };
    answer.effects.iter().filter(|effect| denies(effect)).take(EFFECTS_MAX).cloned().collect()
}

/// Turns an answer into a denial where the call is another road to what was denied before.
pub fn weigh(request: &PermissionRequest, call: &str, denials: &[Denial], answer: &mut PermissionAnswer) {
    let offered = |denial: &&Denial| {
        let Action::Command(command) = action(request) else { return false };
        let command = command.trim();
        !command.is_empty()
            && denial.remedy.lines().any(|line| line.trim() == command || line.contains(&format!("`{command}`")))
    };
    // The same call again is no other road; it is judged as it was.
    let earlier = denials.iter().filter(|d| d.call != call && !offered(d)).find(|d| repeats(d, answer));
    let Some(denial) = earlier else { return };
    for effect in &mut answer.effects {
        if denial.effects.iter().any(|old| same_harm(old, effect)) {
            effect.add_circumstance(Circumstance::DeniedBefore);
        }
    }
    let what = denial.effects.first().map(|e| e.target.clone()).unwrap_or_default();
    // Another actor of the session learns whom it was denied to.
    let to = denial.actor().filter(|_| denial.agent_id != request.agent_id || denial.agent_type != request.agent_type);
    let to = match (to, &denial.agent_id) {
        (Some(actor), _) => format!(", to {actor}"),
        (None, None) if request.agent_id.is_some() => ", to the session itself".to_owned(),
        _ => String::new(),
    };
    let reason = format!(
        "Denied: this is another road to what was denied before ({} on {what}{to}): {}\nThe answer does not depend on the spelling. Take the way that was offered then, or leave it to the person.\nPattern {PATTERN}",
        denial.pattern, denial.shown
    );
    let reason: String = reason.chars().take(REASON_CHARS_MAX - 1).collect();
    answer.findings.push(PermissionFinding {
        pattern: PatternId::new(PATTERN),
        permission: Strength::Deny,
        reason: reason.clone(),
    });
    if answer.permission != Permission::Deny {
        answer.permission = Permission::Deny;
        answer.pattern = Some(PatternId::new(PATTERN));
        answer.reason = reason;
        answer.remedy.clone_from(&denial.remedy);
        return;
    }
    // It is denied for itself already; that it was tried before belongs to the answer.
    let more = format!("\nAnother road to what was denied before ({}): {}", denial.pattern, denial.shown);
    if answer.reason.chars().count() + more.chars().count() < REASON_CHARS_MAX {
        answer.reason.push_str(&more);
    }
}

fn repeats(denial: &Denial, answer: &PermissionAnswer) -> bool {
    denial.effects.iter().any(|old| answer.effects.iter().any(|new| same_harm(old, new)))
}

fn same_harm(old: &Effect, new: &Effect) -> bool {
    if family(old.kind).is_none() || family(old.kind) != family(new.kind) || new.class.contains(&TargetClass::Scratch) {
        return false;
    }
    let classes = new.class.iter().any(|c| old.class.contains(c));
    let weighs = |c: &&Circumstance| !matches!(c, Circumstance::Recursive | Circumstance::Detached);
    let circumstances = new.circumstance.iter().filter(weighs).any(|c| old.circumstance.contains(c));
    let marked = !old.class.is_empty() || old.circumstance.iter().any(|c| weighs(&c));
    // Whatever would go inside of the live data that was to go before is the same harm.
    let inside = old.touches.iter().any(|live| below(new.target.trim_end_matches('/'), live).is_some());
    if inside && new.kind != EffectKind::DiscardWork {
        return true;
    }
    if marked && !classes && !circumstances {
        return false;
    }
    if !old.touches.is_empty() || !new.touches.is_empty() {
        return old.touches.iter().any(|a| new.touches.iter().any(|b| is_related(a, b)));
    }
    is_same_thing(&old.target, &new.target)
}

/// Kinds of effects that amount to the same loss.
fn family(kind: EffectKind) -> Option<u8> {
    use EffectKind as K;
    Some(match kind {
        K::Delete
        | K::Overwrite
        | K::Truncate
        | K::Move
        | K::RemoveVolume
        | K::DropData
        | K::ResetDatabase
        | K::Prune
        | K::DiscardWork => 0,
        K::RewriteHistory | K::ForcePush => 1,
        K::BypassHook => 2,
        K::ChangeOwner => 3,
        K::ChangeMode => 4,
        K::RunContainer => 5,
        K::RestartContainer => 6,
        K::RemoveContainer => 7,
        K::StopService | K::KillProcess => 8,
        K::EditGuard => 9,
        K::FlushCache => 10,
        K::StampMigration => 11,
        K::InfrastructureDestroy => 12,
        K::ChangeFirewall => 13,
        K::Publish => 14,
        _ => return None,
    })
}

/// Equal, or one above the other.
fn is_related(a: &str, b: &str) -> bool {
    below(a, b).is_some() || below(b, a).is_some()
}

fn is_same_thing(a: &str, b: &str) -> bool {
    let (a, b) = (a.trim_end_matches(['/', '*']), b.trim_end_matches(['/', '*']));
    if a.starts_with('/') && b.starts_with('/') {
        return is_related(a, b);
    }
    if a == b {
        return true;
    }
    // `shop-api-1` is the container of `api`.
    let words = |name: &str| -> Vec<String> {
        name.split(|c: char| !c.is_ascii_alphanumeric())
            .filter(|w| !w.is_empty())
            .map(str::to_ascii_lowercase)
            .collect()
    };
    let (a, b) = (words(a), words(b));
    !a.is_empty() && !b.is_empty() && (a.iter().all(|w| b.contains(w)) || b.iter().all(|w| a.contains(w)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn effect(kind: EffectKind, target: &str, classes: &[TargetClass], touches: &[&str]) -> Effect {
        let mut effect = Effect::new(kind, target, "x");
        classes.iter().for_each(|c| effect.add_class(*c));
        effect.touches = touches.iter().map(|t| (*t).to_owned()).collect();
        effect
    }

    #[test]
    fn harm_is_compared_and_not_spelling() {
        use EffectKind as K;
        use TargetClass as T;
        let old = effect(K::Delete, "/srv/.data", &[T::LiveData], &["/srv/.data/pg"]);
        for new in [
            effect(K::Move, "/srv/.data", &[T::LiveData], &["/srv/.data/pg"]),
            effect(K::Truncate, "/srv/.data/pg/base", &[T::LiveData], &["/srv/.data/pg"]),
            effect(K::RemoveVolume, "srv_pg", &[T::LiveData], &["/srv/.data/pg"]),
        ] {
            assert!(same_harm(&old, &new), "{new:?}");
        }
        for new in [
            effect(K::Delete, "/srv/build", &[], &[]),
            effect(K::Delete, "/srv/other", &[T::LiveData], &["/srv/other"]),
            effect(K::Delete, "/srv/.data/pg/tmp", &[T::Scratch, T::LiveData], &["/srv/.data/pg"]),
            effect(K::Download, "/srv/.data", &[T::LiveData], &["/srv/.data/pg"]),
        ] {
            assert!(!same_harm(&old, &new), "{new:?}");
        }
        assert!(is_same_thing("shop-api-1", "api") && !is_same_thing("shop-api-1", "web"));
    }

    #[test]
    fn definitions_run_nothing() {
        for text in ["alias x='rm -rf a'", "f() { rm -rf a; }", "D=.data", "export D=.data"] {
            assert!(is_definition(text), "{text}");
        }
        for text in ["ls", "D=.data ls", "cd /x && make", "", "f() { ls; }; f"] {
            assert!(!is_definition(text), "{text}");
        }
    }
}
