//! Reports as text; one file a report.

pub mod evidence;

use serde::Serialize;

/// Prints a report as JSON, indented, with a newline at its end.
pub fn json<T: Serialize>(report: &T) -> anyhow::Result<()> {
    println!("{}", serde_json::to_string_pretty(report)?);
    Ok(())
}
