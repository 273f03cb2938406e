//! Snapshots and what restoring them does, as text.

use coroner_verbs::undo::{Head, Kind, RestorePlan, Restored, State, UndoList};
use jiff::Timestamp;

use crate::terminal::tame;

/// Lines of a plan that are shown.
const LINES_MAX: usize = 40;

/// The list, newest first.
pub fn list(list: &UndoList, now: Timestamp) {
    if list.snapshots.is_empty() {
        println!("Nothing was kept so far.");
    }
    for head in &list.snapshots {
        println!("{}  {}  {}  {}", head.id, age(head.at, now), size(head.bytes), what(head));
        let session = head.session.as_deref().map(|s| format!("  session {}", tame(s))).unwrap_or_default();
        let actor = coroner_model::journal::actor(head.agent_id.as_deref(), head.agent_type.as_deref());
        let actor = actor.map(|actor| format!(", {}", tame(&actor))).unwrap_or_default();
        println!("    {}{session}{actor}", tame(&head.command));
        if head.left_out_count > 0 {
            println!("    {} more could not be kept", head.left_out_count);
        }
    }
    for problem in &list.problems {
        println!("could not read: {}", tame(problem));
    }
}

fn what(head: &Head) -> String {
    let mut parts = Vec::new();
    match (head.files, head.roots.first()) {
        (0, _) => {}
        (1, Some(root)) => parts.push(root.to_string()),
        (count, Some(root)) if head.roots.len() == 1 => parts.push(format!("{count} files of {root}")),
        (count, Some(root)) => parts.push(format!("{count} files of {root} and {} more", head.roots.len() - 1)),
        (count, None) => parts.push(format!("{count} paths")),
    }
    parts.extend(head.refs.iter().map(|r| r.name.trim_start_matches("refs/heads/").replace("refs/stash", "stash")));
    tame(&parts.join(", "))
}

/// What would be done, one line a path.
pub fn plan(plan: &RestorePlan, force: bool) {
    println!("{}  {}", plan.head.id, tame(&plan.head.command));
    let shown = plan.items.iter().filter(|i| i.state != State::Same && i.entry.kind != Kind::Directory);
    let total = shown.clone().count();
    for item in shown.take(LINES_MAX) {
        let path = tame(&item.to.display().to_string());
        println!("  {}  {path}", word(&item.state, force));
    }
    if total > LINES_MAX {
        println!("  and {} more", total - LINES_MAX);
    }
    for (kept, state) in &plan.refs {
        println!("  {}  {} at {}", word(state, force), tame(&kept.name), kept.commit.get(..12).unwrap_or(&kept.commit));
    }
    let same = plan.items.iter().filter(|i| i.state == State::Same && i.entry.kind != Kind::Directory).count();
    if same > 0 {
        println!("  {same} are as they were");
    }
    if plan.head.left_out_count > 0 {
        println!("  {} were not kept and stay lost", plan.head.left_out_count);
    }
}

/// Whether there is anything to do.
pub fn has_work(plan: &RestorePlan) -> bool {
    let states = plan.items.iter().map(|i| &i.state).chain(plan.refs.iter().map(|(_, s)| s));
    states.into_iter().any(|s| *s != State::Same)
}

fn word(state: &State, force: bool) -> String {
    match state {
        State::Missing => "restore".to_owned(),
        State::Same => "same   ".to_owned(),
        State::Changed => "replace".to_owned(),
        State::Blocked(why) if force => format!("replace ({why})"),
        State::Blocked(why) => format!("keep ({why})"),
        State::Broken(why) => format!("cannot ({})", tame(why)),
    }
}

/// What was done.
pub fn restored(done: &Restored) {
    let refs = if done.refs > 0 { format!(", {} of git", done.refs) } else { String::new() };
    println!("{} restored{refs}, {} as they were", done.done, done.same);
    if let Some(id) = &done.replaced {
        println!("What they replaced: coroner undo {id}");
    }
    for failed in &done.failed {
        println!("could not restore: {}", tame(failed));
    }
}

fn age(at: Timestamp, now: Timestamp) -> String {
    let seconds = (now.as_second() - at.as_second()).max(0);
    match seconds {
        0..60 => format!("{seconds} s ago"),
        60..3_600 => format!("{} min ago", seconds / 60),
        3_600..172_800 => format!("{} h ago", seconds / 3_600),
        _ => format!("{} d ago", seconds / 86_400),
    }
}

/// Bytes as a person reads them.
pub fn size(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        _ => format!("{:.1} GB", bytes as f64 / 1e9),
    }
}
