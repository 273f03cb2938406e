//! Arguments in, report out, exit code.
fn main() {}
