//! Anti-patterns: one known failure, one Markdown file.
//!
//! The header says when it matches, the body explains it and carries the examples
//! that test it. Built-in files are compiled in; a project's own are handed over
//! as text by whoever read them.

pub mod example;
pub mod file;
pub mod header;
pub mod library;

pub use example::{Example, ExampleKind};
pub use file::{AntiPattern, Origin, PatternError};
pub use header::Header;
pub use library::Library;
