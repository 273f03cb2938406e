//! Reports as text; one file a report.

pub mod blame;
pub mod check;
pub mod demo;
pub mod evidence;
pub mod incident;
pub mod investigate;
pub mod progress;
pub mod recall;
pub mod record;
pub mod status;
pub mod undo;

use coroner_model::CouldNotLook;
use serde::Serialize;

/// Prints a report as JSON, indented, with a newline at its end.
pub fn json<T: Serialize>(report: &T) -> anyhow::Result<()> {
    println!("{}", serde_json::to_string_pretty(report)?);
    Ok(())
}

/// What could not be looked at: the same reason once, with everything that it kept from being seen.
pub fn could_not_look(all: &[CouldNotLook]) {
    if !all.is_empty() {
        println!("Could not look: {}", grouped(all).join(" · "));
    }
}

/// `docker inspect, docker volumes (no Docker engine …)`, in the order of the first of each.
pub fn grouped(all: &[CouldNotLook]) -> Vec<String> {
    let mut groups: Vec<(&CouldNotLook, Vec<&str>)> = Vec::new();
    for one in all {
        match groups.iter_mut().find(|(first, _)| (first.why, &first.detail) == (one.why, &one.detail)) {
            Some((_, names)) if !names.contains(&one.what.as_str()) => names.push(&one.what),
            Some(_) => {}
            None => groups.push((one, vec![&one.what])),
        }
    }
    let told = |(first, names): (&CouldNotLook, Vec<&str>)| {
        CouldNotLook { what: names.join(", "), ..first.clone() }.to_string()
    };
    groups.into_iter().map(told).collect()
}

/// A text that a shell reads as one word, in the quotes that are easier to read.
pub fn quoted(text: &str) -> String {
    match text.contains('\'') && !text.contains(['"', '$', '`', '\\', '!']) {
        true => format!("\"{text}\""),
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}
