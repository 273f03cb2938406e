//! The only crate that looks at the world: answers probes, read-only.
