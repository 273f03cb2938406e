//! Embeds the anti-pattern files, so that adding one touches no list, and says beside
//! each which effects its rows ask for, so that the guard reads only the files it needs.

#![allow(clippy::print_stdout, reason = "a build script speaks to cargo this way")]

use std::fmt::Write;
use std::path::Path;

fn main() -> std::io::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../antipatterns").canonicalize()?;
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut names: Vec<String> = std::fs::read_dir(&folder)?
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name.ends_with(".md"))
        .collect();
    names.sort();
    let mut code = String::from("pub(super) const FILES: &[BuiltIn] = &[\n");
    for name in names {
        let path = folder.join(&name);
        let text = std::fs::read_to_string(&path)?;
        let mut effects: Vec<String> = effects_of(&text).map_err(|e| std::io::Error::other(format!("{name}: {e}")))?;
        effects.sort();
        effects.dedup();
        let _ = writeln!(
            code,
            "    BuiltIn {{ name: {name:?}, text: include_str!({:?}), effects: &[{}] }},",
            path.display().to_string(),
            effects.iter().map(|e| format!("EffectKind::{e}")).collect::<Vec<_>>().join(", ")
        );
    }
    code.push_str("];\n");
    let out = std::env::var("OUT_DIR").map_err(std::io::Error::other)?;
    std::fs::write(Path::new(&out).join("antipatterns.rs"), code)
}

/// The kinds in the `[[when.effect]]` rows of a file's header, as variants are written.
fn effects_of(text: &str) -> Result<Vec<String>, String> {
    let header = text.strip_prefix("+++").and_then(|rest| rest.split_once("\n+++")).ok_or("no TOML header")?.0;
    let header: toml::Table = header.parse().map_err(|e: toml::de::Error| e.to_string())?;
    let rows = header.get("when").and_then(|w| w.get("effect")).and_then(|e| e.as_array());
    let mut kinds = Vec::new();
    for row in rows.into_iter().flatten() {
        match row.get("kind") {
            Some(toml::Value::String(one)) => kinds.push(variant(one)),
            Some(toml::Value::Array(many)) => kinds.extend(many.iter().filter_map(|v| v.as_str()).map(variant)),
            _ => return Err("a row of effects names no kind".to_owned()),
        }
    }
    Ok(kinds)
}

/// `drop-data` as `DropData`.
fn variant(kind: &str) -> String {
    kind.split('-')
        .map(|word| word.get(..1).unwrap_or_default().to_uppercase() + word.get(1..).unwrap_or_default())
        .collect()
}
