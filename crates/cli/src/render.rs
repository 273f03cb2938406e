//! Reports as text; one file a report.

pub mod check;
pub mod demo;
pub mod evidence;
pub mod incident;
pub mod investigate;
pub mod progress;
pub mod status;

use coroner_model::CouldNotLook;
use serde::Serialize;

/// Prints a report as JSON, indented, with a newline at its end.
pub fn json<T: Serialize>(report: &T) -> anyhow::Result<()> {
    println!("{}", serde_json::to_string_pretty(report)?);
    Ok(())
}

/// What could not be looked at, one line; nothing where all could.
pub fn could_not_look(all: &[CouldNotLook]) {
    if !all.is_empty() {
        let list: Vec<String> = all.iter().map(ToString::to_string).collect();
        println!("Could not look: {}", list.join(" · "));
    }
}
