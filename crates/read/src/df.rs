//! Reads `df -P`: filesystems and how full they are.

use coroner_model::{Citation, Document};

/// One filesystem.
#[derive(Clone, Debug, PartialEq)]
pub struct Filesystem {
    pub device: String,
    pub mount: String,
    pub bytes: u64,
    pub used: u64,
    pub available: u64,
    /// Whole percent, rounded up as `df` does: of what is used or may be used.
    pub used_percent: u8,
    pub at: Citation,
}

/// The filesystems of a listing in bytes (`-B1`) or in 1024-byte blocks, as its header says.
pub fn read(document: &Document) -> Vec<Filesystem> {
    let mut unit = 1u64;
    let mut all = Vec::new();
    for (index, line) in document.text.as_str().lines().enumerate() {
        let words: Vec<&str> = line.split_whitespace().collect();
        if words.first() == Some(&"Filesystem") {
            unit = unit_of(words.get(1).copied().unwrap_or(""));
            continue;
        }
        // The device may hold spaces; the five columns after it and the mount do not.
        let Some(at) = words.iter().position(|w| w.ends_with('%') && w.len() > 1 || *w == "-") else { continue };
        if at < 4 || at + 1 >= words.len() {
            continue;
        }
        let number = |i: usize| words[i].parse::<u64>().ok().map(|n| n.saturating_mul(unit));
        let (Some(bytes), Some(used), Some(available)) = (number(at - 3), number(at - 2), number(at - 1)) else {
            continue;
        };
        let usable = used + available;
        if usable == 0 {
            continue;
        }
        all.push(Filesystem {
            device: words[..at - 3].join(" "),
            mount: words[at + 1..].join(" "),
            bytes,
            used,
            available,
            used_percent: (used as u128 * 100).div_ceil(usable as u128).min(100) as u8,
            at: document.cite_text_at(document.first_line + index as u64, line),
        });
    }
    all
}

fn unit_of(word: &str) -> u64 {
    match word {
        "1K-blocks" | "1024-blocks" => 1024,
        "512-blocks" => 512,
        "1M-blocks" | "1048576-blocks" => 1 << 20,
        _ => 1,
    }
}
