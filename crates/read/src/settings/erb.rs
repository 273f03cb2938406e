//! YAML with Ruby in it: what `<%= ENV… %>` reads, by the environment that its section is for.

use super::Found;
use super::comments::Style;
use super::text;

/// Finds what a template reads; sections for development are told as such.
pub(super) fn read(source: &str) -> Vec<Found> {
    let mut found = text::read(source, Style::Hash);
    for one in &mut found {
        one.development_only |= matches!(section(&source[..one.at.min(source.len())]), Some("development" | "test"));
    }
    found
}

/// The key at the left margin that the end of a text belongs to.
fn section(before: &str) -> Option<&str> {
    let starts = |line: &&str| line.starts_with(|c: char| c.is_ascii_alphanumeric());
    before.lines().rev().find(starts)?.split(':').next()
}
