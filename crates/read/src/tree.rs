//! Reads `host/tree.tsv`: the state of paths, by whatever columns the listing has.

use coroner_model::{Citation, Document};
use jiff::Timestamp;

use crate::tsv;

/// One path as a listing shows it; a column that it lacks is `None`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Entry {
    pub path: String,
    /// `f`, `d`, `l`, … as `find -printf %y` prints it.
    pub kind: Option<char>,
    pub mode: Option<u32>,
    pub uid: Option<u32>,
    pub gid: Option<u32>,
    pub user: Option<String>,
    pub group: Option<String>,
    pub size: Option<u64>,
    pub changed: Option<Timestamp>,
    pub inode: Option<u64>,
    pub dev: Option<String>,
    pub link_target: Option<String>,
    /// `N` where a link leads nowhere.
    pub target_kind: Option<char>,
    pub at: Option<Citation>,
}

/// Columns in the order that a listing without header has.
const COLUMNS: [&str; 13] = [
    "type",
    "mode",
    "uid",
    "user",
    "gid",
    "group",
    "size",
    "mtime",
    "inode",
    "dev",
    "path",
    "link-target",
    "target-type",
];

/// The entries of a listing; a row without a path is none.
pub fn read(document: &Document) -> Vec<Entry> {
    tsv::rows(document.text.as_str(), &COLUMNS)
        .into_iter()
        .filter_map(|row| {
            let path = row.get("path")?;
            Some(Entry {
                path: if path.len() > 1 { path.trim_end_matches('/') } else { path }.to_owned(),
                kind: row.get("type").and_then(|t| t.chars().next()),
                mode: row.get("mode").and_then(mode),
                uid: row.number("uid"),
                gid: row.number("gid"),
                user: row.get("user").map(str::to_owned),
                group: row.get("group").map(str::to_owned),
                size: row.number("size"),
                changed: row.get("mtime").and_then(time),
                inode: row.number("inode"),
                dev: row.get("dev").map(str::to_owned),
                link_target: row.get("link-target").map(str::to_owned),
                target_kind: row.get("target-type").and_then(|t| t.chars().next()),
                at: Some(document.cite_text_at(document.first_line + row.line - 1, row.text)),
            })
        })
        .collect()
}

/// Octal digits, or the ten letters of `ls -l`.
fn mode(text: &str) -> Option<u32> {
    if let Ok(number) = u32::from_str_radix(text, 8) {
        return Some(number);
    }
    let letters: Vec<char> = text.chars().collect();
    let bits = letters.get(1..10)?;
    Some(bits.iter().enumerate().fold(0, |mode, (i, c)| if *c == '-' { mode } else { mode | 1 << (8 - i) }))
}

/// RFC 3339, seconds since 1970 with a fraction, or a civil time taken as UTC.
pub fn time(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(at);
    }
    if let Ok(seconds) = text.parse::<f64>() {
        return Timestamp::from_millisecond((seconds * 1000.0) as i64).ok();
    }
    // `find -printf %t+`: 2026-01-02+03:04:05.0000000000
    let civil =
        if text.len() > 10 && text.as_bytes()[10] == b'+' { text.replacen('+', "T", 1) } else { text.to_owned() };
    let civil = match civil.split_once('.') {
        Some((front, fraction)) => format!("{front}.{}", &fraction[..fraction.len().min(9)]),
        None => civil,
    };
    civil.parse::<jiff::civil::DateTime>().ok()?.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|z| z.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_come_in_three_spellings() {
        let at = time("2026-01-02T03:04:05Z").unwrap();
        assert_eq!(time("1767323045.0000000000"), Some(at));
        assert_eq!(time("2026-01-02+03:04:05.0000000000"), Some(at));
        assert_eq!(time("2026-01-02 03:04:05"), Some(at));
        assert_eq!(time("soon"), None);
    }

    #[test]
    fn modes_come_in_two_spellings() {
        assert_eq!(mode("0644"), Some(0o644));
        assert_eq!(mode("drwxr-x---"), Some(0o750));
    }
}
