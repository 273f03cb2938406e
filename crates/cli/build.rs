//! Links the program at fixed addresses: an agent starts it before every call, and moving a
//! megabyte of pointers about would cost more than most judgements do.

#![allow(clippy::print_stdout, reason = "a build script speaks to cargo this way")]

fn main() {
    let target = |part: &str| std::env::var(format!("CARGO_CFG_TARGET_{part}")).unwrap_or_default();
    println!("cargo::rerun-if-changed=build.rs");
    if target("OS") == "linux" && target("ENV") == "gnu" {
        println!("cargo::rustc-link-arg-bin=coroner=-no-pie");
    }
}
