//! Pure readers: bytes in, facts with spans out.
//!
//! No file is opened here, no clock read, no process started: `coroner-collect`
//! opens and streams, a reader understands one format. One file or folder each.

pub mod compose;
pub mod docker;
pub mod log;
pub mod transcript;

pub mod shell;
