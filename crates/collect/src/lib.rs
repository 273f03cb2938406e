//! The only crate that looks at the world: answers probes, read-only.

pub mod own_files;
