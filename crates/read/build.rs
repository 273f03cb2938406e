//! Embeds the sample incidents, so that adding one touches no list.

#![allow(clippy::print_stdout, reason = "a build script speaks to cargo this way")]

use std::fmt::Write;
use std::path::Path;

fn main() -> std::io::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../casebook").canonicalize()?;
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut names: Vec<String> = std::fs::read_dir(&folder)?
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name.ends_with(".md"))
        .collect();
    names.sort();
    let mut code = String::from("const FILES: &[(&str, &str)] = &[\n");
    for name in names {
        let _ = writeln!(code, "    ({name:?}, include_str!({:?})),", folder.join(&name).display().to_string());
    }
    code.push_str("];\n");
    let out = std::env::var("OUT_DIR").map_err(std::io::Error::other)?;
    std::fs::write(Path::new(&out).join("casebook.rs"), code)
}
