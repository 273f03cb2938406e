//! Holds what an answer offers to the guard itself: every command of a remedy must pass it.

use coroner_model::permission::{Permission, PermissionAnswer, PermissionRequest};
use coroner_verbs::guard::Guard;
use coroner_verbs::pattern::test::commands_of;

/// Commands of the remedy that the guard would stop under the same state.
pub fn stopped(guard: &mut Guard, request: &PermissionRequest, answer: &PermissionAnswer) -> Vec<String> {
    if answer.permission == Permission::Allow {
        return Vec::new();
    }
    let for_a_person = answer.remedy.contains("person") || answer.remedy.contains("operator");
    let of =
        |command: &str| request.command.clone().unwrap_or_else(|| format!("{:?}", request.tool)) + " -> " + command;
    let mut wrong: Vec<String> = commands_of(&answer.remedy)
        .into_iter()
        .filter_map(|command| {
            let asked = PermissionRequest { command: Some(command.clone()), tool: None, ..request.clone() };
            let own = guard.judge(asked);
            let passes = own.permission == Permission::Allow || own.permission == Permission::Ask && for_a_person;
            (!passes).then(|| format!("{} is itself stopped: {}", of(&command), own.reason))
        })
        .collect();
    if answer.reason.chars().count() > 600 {
        wrong.push(of("its reason is too long"));
    }
    if answer.reason.contains('<') && answer.remedy.contains("<your") {
        wrong.push(of("its remedy holds a placeholder"));
    }
    wrong
}
