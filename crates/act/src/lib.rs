//! The only crate that changes the host: plan, shown, confirmed, done.
